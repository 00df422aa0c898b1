//! An endpoint other than AWS's: an emulator, or a proxy of an organisation.

use std::net::IpAddr;

use reqwest::Url;

use crate::cloud::{Fault, SourceError};

/// A normalised endpoint: an `http` or `https` URL without a password, a query or a fragment; `http` only to private
/// hosts, so that data of a cloud account is not sent unencrypted over other networks.
pub(super) fn checked(text: &str) -> Result<String, SourceError> {
    let wrong = |why: &str| {
        SourceError::new(
            Fault::Invalid,
            format!("invalid endpoint: {why}"),
            "Write it like http://127.0.0.1:5000 for an emulator, or leave it empty for AWS",
        )
    };
    let url = Url::parse(text.trim()).map_err(|_| wrong("not a URL"))?;
    let host = url.host_str().unwrap_or_default();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it contains a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query or a fragment"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_near(host) => {}
        "http" => return Err(wrong("http is only allowed for private hosts; use https")),
        _ => return Err(wrong("it starts with neither http:// nor https://")),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Whether a host is this machine or in a private network. Link-local addresses do not count: a cloud machine's
/// metadata, with its credentials, is at one.
fn is_near(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => {
            let host = host.to_ascii_lowercase();
            // A name without a dot is a container's or another machine's in the local network.
            !host.contains('.') || [".localhost", ".local", ".internal"].iter().any(|end| host.ends_with(end))
        }
    }
}

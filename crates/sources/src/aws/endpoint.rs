//! The endpoint that a user sets instead of AWS's: an emulator, or a way in that an organisation made.

use std::net::IpAddr;

use reqwest::Url;

use crate::cloud::{Fault, SourceError};

/// An endpoint as it is used: an `http` or `https` URL without a password, a query or a fragment; `http` only to hosts of one's
/// own, since what is read from a cloud account stays in a network that strangers do not see.
pub(super) fn checked(text: &str) -> Result<String, SourceError> {
    let wrong = |why: &str| {
        SourceError::new(
            Fault::Invalid,
            format!("the endpoint is not usable: {why}"),
            "Write it like http://127.0.0.1:5000 for an emulator, or leave it empty for AWS",
        )
    };
    let url = Url::parse(text.trim()).map_err(|_| wrong("it is no URL"))?;
    let host = url.host_str().unwrap_or_default();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has something behind the path"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_near(host) => {}
        "http" => return Err(wrong("http is for hosts of your own network; use https")),
        _ => return Err(wrong("it begins with neither http:// nor https://")),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Whether a host is this machine or in a private network. The link-local addresses are not among them: a cloud machine's
/// metadata, with its credentials, is at one.
fn is_near(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => {
            let host = host.to_ascii_lowercase();
            // A name without a dot is a container's or a neighbour's.
            !host.contains('.') || [".localhost", ".local", ".internal"].iter().any(|end| host.ends_with(end))
        }
    }
}

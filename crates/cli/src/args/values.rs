//! Values that are one word each, from the types that know them.

use std::net::{SocketAddr, ToSocketAddrs as _};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;

use tracebook_app::authority::{Authority, Origin};
use tracebook_core::evidence::Kind;
use tracebook_core::question::Source;

/// Names of relay destinations.
pub(super) const DESTINATIONS: [&str; 4] = ["otlp", "xray", "logs", "rollbar"];

pub(super) fn sources() -> impl TypedValueParser<Value = Source> {
    one_of(Source::ALL)
}

pub(super) fn kinds() -> impl TypedValueParser<Value = Kind> {
    one_of(Kind::ALL)
}

/// One of these values, each by the word that it is in JSON.
pub(super) fn one_of<T>(all: impl IntoIterator<Item = T>) -> impl TypedValueParser<Value = T>
where
    T: Serialize + Copy + Send + Sync + 'static,
{
    let word = |value: &T| match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => unreachable!("written as a word: {other:?}"),
    };
    let all: Vec<T> = all.into_iter().collect();
    let words: Vec<String> = all.iter().map(word).collect();
    PossibleValuesParser::new(words.clone()).try_map(move |given| {
        let at = words.iter().position(|word| *word == given);
        at.and_then(|at| all.get(at).copied()).ok_or("not one of the possible values")
    })
}

/// `host:port`. Of a name's addresses an IPv4 one is preferred: that is what SDKs use, and X-Ray's know no other.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let found: Vec<SocketAddr> =
        text.to_socket_addrs().map_err(|e| format!("write host:port, for example 127.0.0.1:0 ({e})"))?.collect();
    let first = found.iter().find(|a| a.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| format!("{text} has no address"))
}

/// A host name, with a port if it is not the usual one.
pub(super) fn host(text: &str) -> Result<Authority, String> {
    Authority::parse(text.trim_end_matches('.')).ok_or_else(|| {
        "write a host name as it stands in the browser's address bar, such as workspace.example".to_owned()
    })
}

/// `scheme://host:port`.
pub(super) fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text.trim_end_matches('/'))
        .ok_or_else(|| "write a page's origin, such as http://localhost:3000".to_owned())
}

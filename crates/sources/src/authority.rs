//! `Host` and `Origin` values, parsed strictly: which host and port a request names, and which page sent it.
//!
//! Comparing such values as text invites mistakes (`[::1].example`, `127.0.0.1.example`, `127.1`). Here a value is
//! either in canonical form, as browsers and SDKs write it, or refused. Case is the only freedom.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, Uri, header};

/// The longest DNS name, in characters.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// A host as it stands in a URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// In lower case, without a final dot.
    Name(String),
    V4(Ipv4Addr),
    /// Without a zone, and not an IPv4 address in IPv6 form.
    V6(Ipv6Addr),
}

impl Host {
    /// Reads a host: a name, an IPv4 address of four decimal numbers, or an IPv6 address in brackets.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        if let Some(inside) = text.strip_prefix('[') {
            let inside = inside.strip_suffix(']')?;
            let address: Ipv6Addr = inside.parse().ok()?;
            // `[::ffff:127.0.0.1]` is another address than it looks; other spellings are not what clients send.
            let canonical = address.to_string() == inside && address.to_ipv4_mapped().is_none();
            return canonical.then_some(Self::V6(address));
        }
        // Whatever ends in a number is an IPv4 address for browsers: `0x7f.1`, `2130706433`, `127.1`.
        let last = text.rsplit('.').next()?;
        if last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Self::V4);
        }
        let is_label = |label: &str| {
            (1..=LONGEST_LABEL).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        (text.len() <= LONGEST_NAME && text.split('.').all(is_label)).then_some(Self::Name(text))
    }

    /// Whether it is an address of this machine that no other machine can reach, or the name `localhost`.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost",
            Self::V4(address) => address.is_loopback(),
            Self::V6(address) => address.is_loopback(),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// A host with an optional port: `localhost`, `127.0.0.1:4318`, `[::1]:4318`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority {
    pub host: Host,
    pub port: Option<u16>,
}

impl Authority {
    /// Reads a host with an optional port from 1 to 65535; user information is not allowed.
    pub fn parse(text: &str) -> Option<Self> {
        let after_host = if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':').unwrap_or(text.len()) };
        let (host, rest) = text.split_at_checked(after_host)?;
        let port = match rest.strip_prefix(':') {
            Some(digits) => Some(port(digits)?),
            None if rest.is_empty() => None,
            None => return None,
        };
        Some(Self { host: Host::parse(host)?, port })
    }
}

fn port(digits: &str) -> Option<u16> {
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => self.host.fmt(f),
        }
    }
}

/// The origin of a web page: `http://localhost:3000`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// In lower case.
    pub scheme: String,
    pub host: Host,
    /// That of the scheme if none was named; `None` only for schemes other than `http` and `https`.
    pub port: Option<u16>,
}

impl Origin {
    /// Reads an origin. `null`, which is shared by many pages, is none, and neither is `*`.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let plain = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if !plain || !scheme.starts_with(|c: char| c.is_ascii_lowercase()) {
            return None;
        }
        let usual = match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        let Authority { host, port } = Authority::parse(rest)?;
        Some(Self { scheme, host, port: port.or(usual) })
    }
}

/// Why it is unclear which host a request is for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    #[error("Requests without a Host header are refused here.")]
    Missing,
    #[error("Requests with more than one Host header are refused here.")]
    Repeated,
    #[error("Requests whose target and Host header differ are refused here.")]
    Different,
    /// With the beginning of the value.
    #[error("This is not a host name or address with an optional port: Host: {0}.")]
    Malformed(String),
}

/// The host that a request is for: its `Host` header, HTTP/2's `:authority`, or both if they agree.
///
/// # Errors
/// [`Unclear`] if the request names no host, several, or one that is not in canonical form.
pub fn requested(target: &Uri, headers: &HeaderMap) -> Result<Authority, Unclear> {
    let read = |text: &str| Authority::parse(text).ok_or_else(|| Unclear::Malformed(crate::text::clip(text)));
    let mut lines = headers.get_all(header::HOST).iter();
    let host = lines.next().map(|line| read(&String::from_utf8_lossy(line.as_bytes()))).transpose()?;
    if lines.next().is_some() {
        return Err(Unclear::Repeated);
    }
    let target = target.authority().map(|authority| read(authority.as_str())).transpose()?;
    match (host, target) {
        (Some(host), Some(target)) if host != target => Err(Unclear::Different),
        (Some(one), _) | (None, Some(one)) => Ok(one),
        (None, None) => Err(Unclear::Missing),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn canonical_values_are_read() {
        for text in
            ["localhost", "127.0.0.1:4318", "[::1]", "[::1]:65535", "a_b.c-d.example:1", "xn--bcher-kva.example"]
        {
            let read = Authority::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.to_string(), text);
        }
        assert_eq!(Authority::parse("LocalHost:80").map(|a| a.to_string()).as_deref(), Some("localhost:80"));
        let origin = |text: &str| Origin::parse(text).map(|o| (o.scheme, o.host.to_string(), o.port));
        assert_eq!(origin("HTTP://Localhost"), Some(("http".into(), "localhost".into(), Some(80))));
        assert_eq!(origin("https://[::1]:8443"), Some(("https".into(), "[::1]".into(), Some(8443))));
        assert_eq!(origin("tauri://localhost"), Some(("tauri".into(), "localhost".into(), None)));
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            " ",
            ":",
            ":80",
            "localhost:",
            "localhost:x",
            "localhost:+80",
            "localhost:080",
            "localhost:0",
            "localhost:65536",
            "localhost:80:80",
            "127.0.0.1:80:80",
            "user@localhost",
            "user:pw@127.0.0.1",
            "@localhost",
            "localhost.",
            "localhost..",
            ".localhost",
            "a..b",
            "-a",
            "a-",
            "loc%61lhost",
            "%6cocalhost",
            "127.0.0.1.",
            " localhost",
            "localhost ",
            "local\thost",
            "localhost/",
            "localhost?",
            "localhost#",
            "localhost\\",
            "[::1].evil",
            "[::1]evil",
            "[::1",
            "::1",
            "[::1]:",
            "[::1]:80:80",
            "[]",
            "[::1%lo]",
            "[::1%25lo]",
            "[::1]]",
            "[[::1]]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:0:0:1]",
            "[::0001]",
            "[127.0.0.1]",
            "[localhost]",
            "[v1.a]",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.01",
            "127.0.0.0x1",
            "256.0.0.1",
            "127.0.0.1.1",
            "1.2.3.4.5",
            "0",
            "evil.127",
            "１２７.0.0.1",
            "localhoſt",
            "localhost,evil",
            "localhost;a",
            "localhost\0",
            "*",
            "a*b",
            "host/../localhost",
        ] {
            assert_eq!(Authority::parse(text), None, "{text:?}");
            assert_eq!(Origin::parse(&format!("http://{text}")), None, "{text:?}");
        }
        for text in [
            "null",
            "*",
            "",
            "http:localhost",
            "http:/localhost",
            "//localhost",
            "://localhost",
            "http://localhost/",
            "http://localhost:3000/",
            "http ://localhost",
            "1http://localhost",
            "http://http://localhost",
            " http://localhost",
            "http://localhost http://evil",
            "http://localhost,http://evil",
        ] {
            assert_eq!(Origin::parse(text), None, "{text:?}");
        }
        assert_eq!(Authority::parse(&"a".repeat(64)), None);
        assert_eq!(Authority::parse(&["a".repeat(63).as_str(); 5].join(".")), None);
    }

    #[test]
    fn a_request_names_exactly_one_host() {
        let ask = |target: &str, hosts: &[&str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, host.parse().expect("a value"));
            }
            requested(&target.parse().expect("a target"), &headers).map(|a| a.to_string())
        };
        assert_eq!(ask("/", &["127.0.0.1:1"]).as_deref(), Ok("127.0.0.1:1"));
        assert_eq!(ask("http://127.0.0.1:1/x", &[]).as_deref(), Ok("127.0.0.1:1"), "HTTP/2's :authority");
        assert_eq!(ask("http://LOCALHOST/", &["localhost"]).as_deref(), Ok("localhost"));
        assert_eq!(ask("/", &[]), Err(Unclear::Missing));
        assert_eq!(ask("/", &["a", "a"]), Err(Unclear::Repeated));
        assert_eq!(ask("http://a/", &["b"]), Err(Unclear::Different));
        assert_eq!(ask("http://a:80/", &["a:81"]), Err(Unclear::Different));
        assert_eq!(ask("http://u@a/", &["a"]), Err(Unclear::Malformed("u@a".into())));
        assert_eq!(ask("/", &[""]), Err(Unclear::Malformed(String::new())));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// The pieces of which confusing hosts are made.
        #[test]
        fn what_is_read_is_what_was_written(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "127.0.0.1", "localhost", "[", "]", "::1", "::ffff:", ":", "80", "0", "x7f", ".", "@", "%", "25",
                    "evil", "-", "LOCALHOST", " ", "\t", "/", "\\", "#", "1", "255", "_", "é", "\0", ",", "*",
                ]),
                0..8,
            )
        ) {
            let text = pieces.concat();
            if let Some(read) = Authority::parse(&text) {
                prop_assert_eq!(read.to_string(), text.to_ascii_lowercase());
                prop_assert_eq!(Authority::parse(&read.to_string()), Some(read));
            }
        }

        #[test]
        fn anything_may_be_asked(text in any::<String>()) {
            if let Some(read) = Authority::parse(&text) {
                prop_assert_eq!(read.to_string(), text.to_ascii_lowercase());
            }
            Origin::parse(&text);
        }
    }
}

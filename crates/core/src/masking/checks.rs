//! Conditions that a pattern cannot express.

use core::net::{Ipv4Addr, Ipv6Addr};

use serde::Deserialize;

/// A condition for what a pattern found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Check {
    /// The number of an AWS account.
    Account,
    Email,
    Ipv4,
    Ipv6,
    /// A folder of a user.
    Home,
    Host,
    User,
}

/// The endings of files and units that look like a domain: `logo@2x.png`, `user@1000.service`.
const NOT_DOMAINS: [&str; 26] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "js", "ts", "mjs", "css", "json", "md", "py", "html",
    "yml", "yaml", "toml", "lock", "service", "socket", "timer", "target", "mount", "slice",
];
/// Top-level domains that are for examples, or for names inside a network, where a user at a host is no address.
const NOT_ADDRESSES: [&str; 8] = ["example", "test", "invalid", "localhost", "local", "internal", "lan", "localdomain"];
const EXAMPLES: [&str; 3] = ["example.com", "example.org", "example.net"];
/// What stands before a version rather than an address.
const VERSIONS: [&str; 8] = ["version", "ver", "v", "release", "build", "==", ">=", "~="];

impl Check {
    /// Whether a value identifies something. `before` is the text before it.
    pub(super) fn holds(self, value: &str, before: &str, after: &str) -> bool {
        match self {
            Self::Account | Self::User => true,
            Self::Email => email(value),
            Self::Ipv4 => ipv4(value, before, after),
            Self::Ipv6 => ipv6(value, before, after),
            Self::Home => home(before),
            Self::Host => host(value, after),
        }
    }
}

/// The length of an address without the ending of a file that is named after it: `me@uni.de.png`.
pub(super) fn without_ending(value: &str) -> usize {
    let mut length = value.len();
    let domain = value.rfind('@').map_or(0, |at| at + 1);
    while let Some((rest, last)) = value[domain..length].rsplit_once('.') {
        if !rest.contains('.') || !NOT_DOMAINS.contains(&last.to_ascii_lowercase().as_str()) {
            break;
        }
        length = domain + rest.len();
    }
    length
}

fn email(value: &str) -> bool {
    let Some((local, domain)) = value.rsplit_once('@').or_else(|| value.rsplit_once("%40")) else { return false };
    let domain = domain.to_ascii_lowercase();
    let last = domain.rsplit('.').next().unwrap_or_default();
    let example = EXAMPLES.iter().any(|e| domain == *e || domain.strip_suffix(e).is_some_and(|sub| sub.ends_with('.')));
    // `jquery@3.6.min`
    let version = domain.rsplit('.').nth(1).is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    !local.is_empty() && !example && !version && !NOT_DOMAINS.contains(&last) && !NOT_ADDRESSES.contains(&last)
}

/// Whether an address is the same for everybody: loopback, documentation, masks and the blocks of the RFCs.
fn is_common(ip: Ipv4Addr, after: &str) -> bool {
    let block = after.starts_with("/8") && ip == Ipv4Addr::new(10, 0, 0, 0)
        || after.starts_with("/12") && ip == Ipv4Addr::new(172, 16, 0, 0)
        || after.starts_with("/16") && (ip == Ipv4Addr::new(192, 168, 0, 0) || ip == Ipv4Addr::new(169, 254, 0, 0))
        || after.starts_with("/10") && ip == Ipv4Addr::new(100, 64, 0, 0);
    let [first, ..] = ip.octets();
    block
        || ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || ip.is_documentation()
        || ip.is_multicast()
        || first == 0
        || first >= 240
}

fn ipv4(value: &str, before: &str, after: &str) -> bool {
    let Ok(ip) = value.parse::<Ipv4Addr>() else { return false };
    let next = after.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    // `1.2.3.4-beta`, `1.2.3.4+build`.
    let release = after.starts_with("-alpha") || after.starts_with("-beta") || after.starts_with("-rc");
    if is_common(ip, after) || before.ends_with('.') || next || release {
        return false;
    }
    let inside =
        ip.is_private() || ip.is_link_local() || (ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]));
    if inside {
        return true;
    }
    // `Chrome/131.0.0.0`, `version 4.18.2.1`, `pkg==1.2.3.4`, `pkg-1.2.3.4`.
    let slash = before.strip_suffix('/').is_some_and(|b| b.ends_with(|c: char| c.is_ascii_alphanumeric() || c == ')'));
    let trimmed = before.trim_end_matches([' ', ':', '"', '=', '\'', '`']).to_ascii_lowercase();
    let word = trimmed.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let version =
        VERSIONS.contains(&word) || ["==", ">=", "<=", "~=", "^", "~", "-", "@"].iter().any(|s| before.ends_with(s));
    !slash && !version
}

fn ipv6(value: &str, before: &str, after: &str) -> bool {
    let Ok(ip) = value.parse::<Ipv6Addr>() else { return false };
    let longer =
        after.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':'));
    if longer || before.ends_with(':') {
        return false;
    }
    let [first, second, ..] = ip.segments();
    let documentation = (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second < 0x1000);
    // Elsewhere are names such as `dead::beef`; addresses that are in use begin like this. Their first group has four
    // digits, unlike that of a hardware address.
    let used = matches!(first, 0x2000..=0x3fff | 0xfc00..=0xfdff | 0xfe80..=0xfebf);
    used && !documentation && value.find(':') == Some(4)
}

fn home(before: &str) -> bool {
    // The path of a request, a route of a program, or a part of a longer path or address.
    const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
    let longer =
        before.ends_with(|c: char| c.is_alphanumeric() || "_.-~}>%".contains(c)) && !ends_escape(before.as_bytes());
    let request = before.strip_suffix(' ').is_some_and(|b| METHODS.iter().any(|method| b.ends_with(method)));
    let route =
        ["route(\"", "route('", "get('", "get(\"", "to=\"", "href=\"", "]("].iter().any(|s| before.ends_with(s));
    !longer && !request && !route
}

fn host(value: &str, after: &str) -> bool {
    let is_ip = value.parse::<Ipv4Addr>().is_ok() || value.parse::<Ipv6Addr>().is_ok();
    // A call or an index of a program: `hostname=socket.gethostname()`.
    !is_ip && !after.starts_with(['(', '[', '{'])
}

/// Whether a text ends with an escaped control character of JSON or of a program: `\n`, `\t`, `%2F`, `%3D`.
pub(super) fn ends_escape(before: &[u8]) -> bool {
    let json = before.ends_with(b"\\n") || before.ends_with(b"\\t") || before.ends_with(b"\\r");
    let from = before.len().saturating_sub(3);
    let percent = before[from..].first() == Some(&b'%') && before[from..].iter().skip(1).all(u8::is_ascii_hexdigit);
    json || (percent && before.len() - from == 3)
}

/// The longest end of a text before a value that a check needs.
pub(super) const BEFORE: usize = 24;
/// The longest beginning of the text behind a value that a check needs.
pub(super) const AFTER: usize = 12;

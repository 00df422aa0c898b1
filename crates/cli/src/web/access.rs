//! Which requests the web host answers: by name (`Host`), by page (`Origin`), and by key.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, Uri, header};

use tracebook_app::WebKey;
use tracebook_app::authority::{self, Authority, Host, Origin};

/// The header with the key. Not a cookie: those are sent to every port of a host.
pub(super) const KEY: HeaderName = HeaderName::from_static("x-tracebook-key");

/// Ports that a URL does not name.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;

/// Where the web host is reached, and what lets a request in.
#[derive(Debug)]
pub(super) struct Access {
    address: SocketAddr,
    /// The same port of the other loopback address, if the server listens there too.
    also: Option<SocketAddr>,
    /// Names under which a cloud workspace forwards requests, with the port if one was given.
    allowed: Vec<Authority>,
    key: WebKey,
    /// Identifies this run of the server to the page; not a secret.
    nonce: String,
    /// What the page sends instead of the key: worth nothing after this run.
    key_of_run: WebKey,
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// With words for people.
    Host(String),
    Origin,
    Key,
}

impl Access {
    pub(super) fn new(address: SocketAddr, allowed: Vec<Authority>, key: WebKey, nonce: String) -> Self {
        let key_of_run = key.for_run(&nonce);
        Self { address, also: None, allowed, key, nonce, key_of_run }
    }

    /// The same for a server that listens on another address too.
    pub(super) fn and(self, also: Option<SocketAddr>) -> Self {
        Self { also, ..self }
    }

    /// The URL for the user to open. The key is in the fragment, which a browser sends to no server.
    pub(super) fn url(&self) -> String {
        format!("http://{}/#key={}", self.address, self.key.secret())
    }

    /// Checks the name that a request is for, and the page that it comes from.
    pub(super) fn check_names(&self, target: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        let asked = authority::requested(target, headers).map_err(|unclear| Refused::Host(unclear.to_string()))?;
        if !self.knows_host(&asked) {
            return Err(Refused::Host(format!(
                "The host name \"{asked}\" is not allowed. To allow it, start `tracebook serve --ui --allow-host NAME`."
            )));
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let known = |origin: &header::HeaderValue| {
            origin.to_str().ok().and_then(Origin::parse).is_some_and(|origin| self.knows_origin(&origin))
        };
        if !origins.all(known) {
            return Err(Refused::Origin);
        }
        Ok(())
    }

    /// Checks the key, in constant time.
    pub(super) fn check_key(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let mut sent = headers.get_all(KEY).iter();
        let (Some(key), None) = (sent.next(), sent.next()) else { return Err(Refused::Key) };
        let (long, short) = (same(key.as_bytes(), self.key.secret()), same(key.as_bytes(), self.key_of_run.secret()));
        if long | short { Ok(()) } else { Err(Refused::Key) }
    }

    /// This run's nonce, and the proof that this server has the key: the page sends its own only to such a server.
    /// `None` where the challenge is not one of the page's.
    pub(super) fn introduce(&self, challenge: &str) -> Option<(String, String)> {
        let fits = (16..=64).contains(&challenge.len())
            && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        fits.then(|| (self.nonce.clone(), self.key.derived("server", &format!("{challenge}\n{}", self.nonce))))
    }

    /// Whether a page of this host may be this server's: another process may listen on another loopback address.
    fn is_own(&self, host: &Host) -> bool {
        let listens = |ip: IpAddr| self.address.ip() == ip || self.also.is_some_and(|also| also.ip() == ip);
        match host {
            Host::Name(name) => name == "localhost",
            Host::V4(address) => listens(IpAddr::V4(*address)),
            Host::V6(address) => listens(IpAddr::V6(*address)),
        }
    }

    fn knows_host(&self, asked: &Authority) -> bool {
        // Programs may leave the port out; a browser names the one that it connects to.
        if asked.host.is_loopback() && asked.port.is_none_or(|port| port == self.address.port()) {
            return true;
        }
        self.allowed.iter().any(|allowed| {
            allowed.host == asked.host
                && match allowed.port {
                    Some(_) => allowed.port == asked.port,
                    None => asked.port.is_none_or(|port| self.is_usual(port)),
                }
        })
    }

    fn knows_origin(&self, origin: &Origin) -> bool {
        if self.is_own(&origin.host) && origin.scheme == "http" && origin.port == Some(self.address.port()) {
            return true;
        }
        let usual = match origin.scheme.as_str() {
            "http" => HTTP,
            "https" => HTTPS,
            _ => return false,
        };
        self.allowed.iter().any(|allowed| {
            allowed.host == origin.host
                && match allowed.port {
                    Some(_) => allowed.port == origin.port,
                    None => origin.port.is_some_and(|port| port == usual || port == self.address.port()),
                }
        })
    }

    fn is_usual(&self, port: u16) -> bool {
        port == HTTP || port == HTTPS || port == self.address.port()
    }
}

/// Compares in constant time.
fn same(a: &[u8], b: &str) -> bool {
    a.len() == b.len() && a.iter().zip(b.bytes()).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}

#[cfg(test)]
mod tests;

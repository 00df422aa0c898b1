//! What the sources without an SDK share: one endpoint, one token in one header, complete answers.
//!
//! The token is only in that header: no address contains it, the header's value is marked sensitive, and messages of
//! the server are searched for it before anybody reads them.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Url};
use tracebook_core::credentials::PLACEHOLDER;

use super::{Api, Fault, Fetch, Http, Secret, SourceError, http, refused};
use crate::text::clip;

/// How much of an answer is searched for a message to quote.
const QUOTED: usize = 64 << 10;

/// The most bytes of a server's message that are returned.
const SAID: usize = 400;

/// An API that is authenticated with a token.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    vendor: &'static str,
    http: reqwest::Client,
    base: Url,
    header: HeaderName,
    token: HeaderValue,
    secret: Secret,
}

impl Rest {
    /// An API of `vendor` at `endpoint`, whose token goes into `header`.
    ///
    /// # Errors
    /// [`Fault::Invalid`] for an invalid endpoint, or one that would send the token unencrypted over a network;
    /// [`Fault::Rejected`] for a token that cannot be in a header.
    pub(crate) fn new(
        vendor: &'static str,
        endpoint: &str,
        header: &'static str,
        secret: Secret,
        agent: &str,
    ) -> Result<Self, SourceError> {
        let invalid = |why: &str| {
            let hint = format!("Set it in Settings as https://host/path, or remove it to use {vendor}'s own");
            SourceError::new(Fault::Invalid, format!("{vendor}'s endpoint {why}"), hint)
        };
        let mut base = Url::parse(endpoint.trim()).map_err(|_| invalid("is not a URL"))?;
        if !["http", "https"].contains(&base.scheme()) || base.host_str().is_none() {
            return Err(invalid("is not an HTTP URL"));
        }
        if !base.username().is_empty() || base.password().is_some() || base.query().is_some() {
            return Err(invalid("contains a user name, a password or a query; the token is configured separately"));
        }
        base.set_fragment(None);
        let local = is_local(&base);
        if base.scheme() == "http" && !local {
            return Err(invalid("starts with http: the token would be sent unencrypted"));
        }
        let mut token = HeaderValue::from_str(secret.expose()).map_err(|_| {
            let message = format!("{vendor}'s token contains a line break or an invalid character");
            SourceError::new(Fault::Rejected, message, "Copy and enter the token again, without other text")
        })?;
        token.set_sensitive(true);
        let http = if local { http::direct(agent)? } else { http::client(agent)? };
        Ok(Self { vendor, http, base, header: HeaderName::from_static(header), token, secret })
    }

    /// Scheme, host and port of the endpoint.
    pub(crate) fn address(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// A URL under the endpoint; each segment is escaped, an empty one at the end is a slash.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Only URLs without a host have no segments, and those are refused.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// # Errors
    /// [`Fault::Throttled`] for a 429, after retries; the caller interprets other statuses.
    pub(crate) async fn get(&self, api: Api, url: &Url, fetch: &Fetch) -> Result<Http, SourceError> {
        self.send(api, Method::GET, url, None, fetch).await
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// As [`Rest::get`].
    pub(crate) async fn post(&self, api: Api, url: &Url, json: Bytes, fetch: &Fetch) -> Result<Http, SourceError> {
        self.send(api, Method::POST, url, Some(json), fetch).await
    }

    async fn send(
        &self,
        api: Api,
        method: Method,
        url: &Url,
        json: Option<Bytes>,
        fetch: &Fetch,
    ) -> Result<Http, SourceError> {
        let request = || async {
            let mut request = self
                .http
                .request(method.clone(), url.clone())
                .header(&self.header, self.token.clone())
                .header(ACCEPT, "application/json");
            if let Some(json) = &json {
                request = request.header(CONTENT_TYPE, "application/json").body(json.clone());
            }
            let response = request.send().await.map_err(|e| refused(&e))?;
            let pause = pause(response.headers());
            let answer = Http::read(response).await?;
            match answer.status {
                429 => Err(self.throttled(pause)),
                _ => Ok(answer),
            }
        };
        fetch.call(api, request).await
    }

    fn throttled(&self, pause: Option<Duration>) -> SourceError {
        let again = pause.map(|p| format!("; retry in {} s", p.as_secs())).unwrap_or_default();
        let message = format!("{} is throttling requests{again}", self.vendor);
        let hint = "Wait a moment. Requests of others with the same token count too";
        SourceError::new(Fault::Throttled, message, hint).after(pause)
    }

    /// The error for redirects, server failures and other statuses that do not depend on the request; `None` for those
    /// that the caller interprets.
    pub(crate) fn broken(&self, answer: &Http) -> Option<SourceError> {
        let vendor = self.vendor;
        match answer.status {
            200..300 | 400..500 => None,
            300..400 => Some(SourceError::new(
                Fault::Broken,
                format!("{vendor} answered with a redirect ({}), which is not followed with a token", answer.status),
                format!("Check {vendor}'s endpoint in Settings"),
            )),
            status => {
                let words = self.words(&answer.body);
                let said = if words.is_empty() { String::new() } else { format!(": {words}") };
                let hint = format!("The error is on {vendor}'s side; try again in a minute");
                Some(SourceError::new(Fault::Broken, format!("{vendor} failed ({status}){said}"), hint))
            }
        }
    }

    /// An answer that is not as documented.
    pub(crate) fn unreadable(&self, answer: &Http, why: &str) -> SourceError {
        let words = self.words(&answer.body);
        let said = if words.is_empty() { "nothing".to_owned() } else { format!("{words:?}") };
        SourceError::new(
            Fault::Broken,
            format!("{} sent an unexpected answer ({why}), starting with {said}", self.vendor),
            "A proxy or a login page may have answered instead; check the endpoint in Settings",
        )
    }

    /// A server's message without the token and control characters, on one line, shortened.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut line = self.hush(text);
        if line.len() > SAID {
            line.truncate(line.floor_char_boundary(SAID));
            line.push('…');
        }
        line
    }

    fn hush(&self, text: &str) -> String {
        let hushed = text.replace(self.secret.expose(), PLACEHOLDER);
        let words = hushed.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(" ")
    }

    /// The beginning of a body as text, without tags.
    fn words(&self, body: &[u8]) -> String {
        let cut = body.len() > QUOTED;
        let text = String::from_utf8_lossy(&body[..body.len().min(QUOTED)]);
        let mut text = text.replace(self.secret.expose(), PLACEHOLDER);
        if cut {
            // Half a token may be at the end.
            text.truncate(text.floor_char_boundary(text.len().saturating_sub(self.secret.expose().len())));
        }
        let mut words = String::new();
        let mut tag = false;
        for c in text.chars() {
            match c {
                '<' => tag = true,
                '>' if tag => {
                    tag = false;
                    words.push(' ');
                }
                c if !tag => words.push(c),
                _ => {}
            }
        }
        clip(&self.hush(&words))
    }
}

/// Whether an address is on this machine.
pub fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// How long a server asks to wait: `Retry-After` in seconds, Rollbar's `X-Rate-Limit-Remaining-Seconds`, or the `reset`
/// of Honeycomb's `RateLimit: limit=100, remaining=0, reset=54`.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let seconds = |text: &str| text.trim().parse::<u64>().ok();
    let reset = |text: &str| text.split(',').find_map(|part| seconds(part.trim().strip_prefix("reset=")?));
    header(RETRY_AFTER)
        .and_then(seconds)
        .or_else(|| header(HeaderName::from_static("x-rate-limit-remaining-seconds")).and_then(seconds))
        .or_else(|| header(HeaderName::from_static("ratelimit")).and_then(reset))
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(endpoint: &str) -> Result<Rest, SourceError> {
        let secret = Secret::new("0123456789abcdef").expect("a token");
        Rest::new("Rollbar", endpoint, "x-rollbar-access-token", secret, "tracebook/test")
    }

    #[test]
    fn a_token_is_not_sent_to_an_invalid_endpoint() {
        for endpoint in ["https://api.rollbar.com/api/1", "http://127.0.0.1:9", "http://[::1]:9/", "http://localhost/x"]
        {
            rest(endpoint).unwrap_or_else(|e| panic!("{endpoint}: {e}"));
        }
        for (endpoint, why) in [
            ("api.rollbar.com", "not a URL"),
            ("", "not a URL"),
            ("file:///etc/passwd", "not an HTTP URL"),
            ("http://api.rollbar.com/api/1", "unencrypted"),
            ("http://localhost.example.com/", "unencrypted"),
            ("https://me:secret@api.rollbar.com/", "a password"),
            ("https://api.rollbar.com/?access_token=abc", "a query"),
        ] {
            let error = rest(endpoint).expect_err(endpoint);
            assert_eq!(error.fault, Fault::Invalid);
            assert!(error.message.contains(why), "{endpoint}: {error}");
            assert!(!error.message.contains("secret") && !error.message.contains("abc"), "{error}");
        }
        let bad = Secret::new("abc\ndef").expect("a token");
        let error = Rest::new("Rollbar", "https://api.rollbar.com", "x", bad, "").expect_err("two lines");
        assert_eq!(error.fault, Fault::Rejected);
        assert!(!error.message.contains("abc"), "{error}");
    }

    #[test]
    fn segments_are_escaped_and_stay_under_the_endpoint() {
        let rest = rest("https://api.rollbar.com/api/1/").expect("an endpoint");
        assert_eq!(rest.url(&["items", ""]).as_str(), "https://api.rollbar.com/api/1/items/");
        assert_eq!(
            rest.url(&["item", "../../x?y#z"]).as_str(),
            "https://api.rollbar.com/api/1/item/..%2F..%2Fx%3Fy%23z"
        );
        assert_eq!(rest.url(&["item", "..", "5"]).as_str(), "https://api.rollbar.com/api/1/item/5");
    }

    #[test]
    fn no_token_is_printed_or_quoted() {
        let rest = rest("https://api.rollbar.com/api/1/").expect("an endpoint");
        assert!(!format!("{rest:?}").contains("0123456789abcdef"), "{rest:?}");
        assert_eq!(rest.clean("bad\r\n token\u{1b}[31m 0123456789abcdef."), "bad token [31m [credential removed].");
        let long = rest.clean(&format!("{}0123456789abcdef", "é ".repeat(500)));
        assert!(long.len() <= SAID + '…'.len_utf8() && long.ends_with('…'), "{long}");
        let html = b"<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title></head>0123456789abcdef</html>";
        assert_eq!(rest.words(html), "502 Bad Gateway [credential removed]");
        let mut long = vec![b' '; QUOTED - 8];
        long.extend_from_slice(b"0123456789abcdef");
        assert_eq!(rest.words(&long), "", "a part of a token at the end of the searched text");
    }

    #[test]
    fn servers_say_how_long_to_wait_in_three_ways() {
        let asked = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().expect("a value"));
            }
            pause(&headers).map(|p| p.as_secs())
        };
        assert_eq!(asked(&[("retry-after", " 7 "), ("x-rate-limit-remaining-seconds", "9")]), Some(7));
        assert_eq!(asked(&[("x-rate-limit-remaining-seconds", "9")]), Some(9));
        assert_eq!(asked(&[("ratelimit", "limit=100, remaining=0, reset=54")]), Some(54));
        // Honeycomb's Retry-After is a date.
        let date = "Fri, 22 Mar 2024 18:37:53 GMT";
        assert_eq!(asked(&[("retry-after", date), ("ratelimit", "limit=100, remaining=0, reset=3")]), Some(3));
        assert_eq!(asked(&[("retry-after", "-1")]), None);
        assert_eq!(asked(&[]), None);
    }
}

//! Sends export requests to an OTLP/HTTP endpoint, see <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client as Http, Url};
use serde_json::Value;
use tracebook_core::credentials::{self, Removed};

use super::intake::ExportResponse;
use super::outgoing::Form;
use super::receiver::RpcStatus;
use crate::cloud::{self, Api, Fault, Fetch, Secret, SourceError};
use crate::text::clip;

impl Api {
    /// An OTLP endpoint, for the relay.
    pub const OTLP_PUT: Self = Self::new("the OTLP endpoint", 1200, 20);
}

/// Honeycomb's header, <https://docs.honeycomb.io/send-data/opentelemetry/#using-the-honeycomb-opentelemetry-endpoint>.
pub const HONEYCOMB_HEADER: &str = "x-honeycomb-team";

/// How long an endpoint may ask us to wait; a longer time is treated as an outage.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// An OTLP/HTTP endpoint.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
    base: Url,
    headers: HeaderMap,
    secret: Option<Secret>,
}

/// The answer to an accepted request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Number of spans or log records that were rejected permanently.
    pub rejected: u64,
    /// Why, or a warning; empty if there is none.
    pub words: String,
}

impl Client {
    /// An endpoint by its URL (`https://api.honeycomb.io`; the signals' paths are appended), with its headers: one that
    /// carries a secret, and others. `agent` is the user agent: `tracebook/0.4.0`.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] if the URL or a header is invalid, or if a secret would be sent unencrypted.
    pub fn new(
        endpoint: &str,
        secret: Option<(&str, &Secret)>,
        more: impl IntoIterator<Item = (String, String)>,
        agent: &str,
    ) -> Result<Self, SourceError> {
        let base = base(endpoint)?;
        if secret.is_some() && base.scheme() != "https" && !cloud::is_local(&base) {
            return Err(setting(
                format!("the key would be sent to {} unencrypted", host(&base)),
                "Use https:// in its URL",
            ));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in more {
            let value = HeaderValue::from_str(&value).map_err(|_| no_header(&name))?;
            headers.insert(header_name(&name)?, value);
        }
        if let Some((name, secret)) = secret {
            let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
                SourceError::new(Fault::Rejected, "the key contains invalid characters", "Copy it again")
            })?;
            value.set_sensitive(true);
            headers.insert(header_name(name)?, value);
        }
        let http = if cloud::is_local(&base) { cloud::direct(agent)? } else { cloud::client(agent)? };
        Ok(Self { http, base, headers, secret: secret.map(|(_, secret)| secret.clone()) })
    }

    /// Sends one request, without retries: those are up to whoever has the queue.
    ///
    /// # Errors
    /// [`Fault::Invalid`] if it will never be accepted, [`Fault::Rejected`] and [`Fault::Forbidden`] for a key,
    /// [`Fault::NotFound`] and [`Fault::Unsupported`] if the URL accepts no such data, [`Fault::Throttled`] and
    /// [`Fault::Unreachable`], with when to retry if the endpoint says so, [`Fault::Broken`] for a failure of the
    /// endpoint.
    pub async fn send(&self, form: Form, request: Vec<u8>, fetch: &Fetch) -> Result<Taken, SourceError> {
        let packed = tokio::task::spawn_blocking(move || gzip(&request)).await.ok().flatten();
        let packed =
            packed.ok_or_else(|| SourceError::new(Fault::Broken, "the request could not be compressed", ""))?;
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", url.path().trim_end_matches('/'), form.path()));
        let content_type = if form.is_protobuf() { "application/x-protobuf" } else { "application/json" };
        fetch
            .call(Api::OTLP_PUT, || {
                let request = self
                    .http
                    .post(url.clone())
                    .headers(self.headers.clone())
                    .header(CONTENT_TYPE, content_type)
                    .header(CONTENT_ENCODING, "gzip")
                    .body(packed.clone());
                async {
                    let taken = async {
                        let response = request.send().await.map_err(|error| cloud::refused(&error))?;
                        self.judge(form, &cloud::Http::read(response).await?)
                    };
                    // An error value inside a success, because a fetch retries what was throttled.
                    Ok(taken.await)
                }
            })
            .await?
    }

    fn judge(&self, form: Form, answer: &cloud::Http) -> Result<Taken, SourceError> {
        if answer.is_success() && answer.body.trim_ascii_start().starts_with(b"<") {
            // The sign-in page of a network.
            let message = format!("{} answered with a web page", host(&self.base));
            return Err(SourceError::new(
                Fault::Unreachable,
                message,
                "Check the URL, and whether the network requires a sign-in",
            ));
        }
        if answer.is_success() {
            let (rejected, words) = partial(form, &answer.body);
            return Ok(Taken { rejected, words: self.quoted(&words) });
        }
        let host = host(&self.base);
        let said = self.quoted(&words(form, &answer.body));
        let status = answer.status;
        let message = match said.is_empty() {
            true => format!("{host} answered {status}"),
            false => format!("{host} answered {status}: {said}"),
        };
        let error = |fault, hint: &str| SourceError::new(fault, message.clone(), hint);
        Err(match status {
            408 | 425 | 429 | 502 | 503 | 504 => {
                let fault = if status == 429 { Fault::Throttled } else { Fault::Unreachable };
                let after = answer.retry_after.map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
                error(fault, "It is retried automatically").after(after)
            }
            // SDKs take this for success and lose everything. We do not.
            300..400 => error(Fault::Unsupported, "Redirects are not followed: set the final URL as the endpoint"),
            401 => error(Fault::Rejected, "Check that the key is correct and still valid"),
            403 => error(Fault::Forbidden, "The key does not allow sending; create one that does"),
            404..=406 => {
                error(Fault::NotFound, "There is no OTLP/HTTP endpoint at this URL; write it without /v1/traces")
            }
            // Another Tracebook that relays itself (RFC 5842 §7.2): requests would loop and never arrive.
            508 => error(Fault::Unsupported, "Set the URL of the real service"),
            // An OTLP endpoint's message about a request; a proxy's 400 says something about the connection.
            413 | 422 => error(Fault::Invalid, ""),
            400 if speaks(form, &answer.body) => error(Fault::Invalid, ""),
            400..500 => error(
                Fault::Unsupported,
                "Check that it is the URL of an OTLP/HTTP endpoint, with https:// if required",
            ),
            _ => error(Fault::Broken, "It is retried automatically"),
        })
    }

    /// The endpoint's message, shortened, without secrets.
    fn quoted(&self, words: &str) -> String {
        let mut words = words.trim().to_owned();
        if let Some(secret) = &self.secret {
            words = words.replace(secret.expose(), "…");
        }
        clip(&credentials::remove_from_text(&words, &mut Removed::default()))
    }
}

/// An endpoint's URL, without the path of a signal that may have been appended.
fn base(endpoint: &str) -> Result<Url, SourceError> {
    const HINT: &str = "Write it as https://api.honeycomb.io";
    let mut url: Url = endpoint
        .trim()
        .parse()
        // Not quoted: it may contain a password.
        .map_err(|error| setting(format!("the endpoint is not a URL: {error}"), HINT))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(setting("the endpoint does not start with https:// or http://".to_owned(), HINT));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(setting("the endpoint's URL contains a password or a query".to_owned(), HINT));
    }
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/');
    let path = ["/v1/traces", "/v1/logs", "/v1/metrics"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    let path = path.to_owned();
    url.set_path(&path);
    Ok(url)
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or("the endpoint").to_owned()
}

fn setting(message: String, hint: &str) -> SourceError {
    SourceError::new(Fault::Unsupported, message, hint)
}

fn header_name(name: &str) -> Result<HeaderName, SourceError> {
    name.parse().map_err(|_| no_header(name))
}

fn no_header(name: &str) -> SourceError {
    setting(format!("{:?} is not a valid header", clip(name)), "Headers are written as name = \"value\"")
}

fn gzip(request: &[u8]) -> Option<Bytes> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(request).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Whether a failure is in the protocol's form: `google.rpc.Status` or JSON.
fn speaks(form: Form, body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|said| said.is_object())
        || (form.is_protobuf() && RpcStatus::decode(body).is_ok_and(|status| !status.message.is_empty()))
}

/// How much of an accepted request was refused, and why.
fn partial(form: Form, body: &[u8]) -> (u64, String) {
    let positive = |n: i64| u64::try_from(n).unwrap_or(0);
    if form.is_protobuf() {
        // Whatever else an endpoint answers with 200: it accepted the request.
        let said = ExportResponse::decode(body).ok().and_then(|response| response.partial_success);
        return said.map(|said| (positive(said.rejected), said.error_message)).unwrap_or_default();
    }
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = &said["partialSuccess"];
    // 64-bit integers are strings in protobuf's JSON; some write numbers.
    let rejected = ["rejectedSpans", "rejectedLogRecords"].iter().find_map(|key| {
        let value = &said[*key];
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    });
    (positive(rejected.unwrap_or(0)), said["errorMessage"].as_str().unwrap_or_default().to_owned())
}

/// The message of a failure: `google.rpc.Status`, JSON with a message, or text.
fn words(form: Form, body: &[u8]) -> String {
    if let Ok(said) = serde_json::from_slice::<Value>(body) {
        let found = ["message", "error", "errorMessage", "detail"].iter().find_map(|key| said[*key].as_str());
        return found.unwrap_or_default().to_owned();
    }
    if form.is_protobuf()
        && let Ok(status) = RpcStatus::decode(body)
        && !status.message.is_empty()
    {
        return status.message;
    }
    match str::from_utf8(body) {
        // The first line of an HTML page says nothing.
        Ok(text) if !text.trim_start().starts_with('<') => text.lines().next().unwrap_or_default().to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;

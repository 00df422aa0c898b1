//! What every receiver shares: where batches go, counters, and which requests are accepted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tracebook_core::telemetry::{ErrorRecord, LogRecord, SpanRecord};

use crate::authority::{self, Host, Origin};
use crate::refusals::{self, Refusals};

/// Stores batches.
#[async_trait]
pub trait Commit: Send + Sync {
    /// Returns `Ok` only if the whole batch would survive a crash of this process, because receivers acknowledge on it.
    /// On an error nothing of the batch was stored. Shared, because a receiver without answers tries again.
    async fn commit(&self, batch: Arc<Vec<SpanRecord>>) -> Result<(), CommitError>;

    /// The same for log events.
    async fn commit_logs(&self, batch: Vec<LogRecord>) -> Result<(), CommitError>;

    /// The same for occurrences of errors.
    async fn commit_errors(&self, batch: Vec<ErrorRecord>) -> Result<(), CommitError>;
}

/// Why a batch was not stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CommitError {
    /// What is wrong and what would help, for people.
    pub message: String,
    /// Whether the same batch may succeed later (full disk, locked database).
    pub retryable: bool,
}

impl CommitError {
    pub fn retryable(message: impl Into<String>) -> Self {
        Self { message: message.into(), retryable: true }
    }

    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), retryable: false }
    }
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Sends telemetry, or does what an SDK needs for that: creates the log group it sends to, asks for sampling rules.
    Send,
    /// Reads what was received.
    Read,
    /// Deletes, or changes settings.
    Change,
}

/// What receivers accepted and refused since the start. Shared by all of them.
#[derive(Debug, Default)]
pub struct Counters {
    spans: AtomicU64,
    logs: AtomicU64,
    errors: AtomicU64,
    refused: AtomicU64,
    lost: AtomicU64,
    not_kept: AtomicU64,
    last_reason: Mutex<Option<String>>,
    refusals: Arc<Refusals>,
}

impl Counters {
    /// `n` spans were committed.
    pub fn accepted(&self, n: usize) {
        self.spans.fetch_add(n as u64, Ordering::Relaxed);
        tracing::trace!(spans = n, "committed");
    }

    /// `n` log events were committed.
    pub fn logged(&self, n: usize) {
        self.logs.fetch_add(n as u64, Ordering::Relaxed);
        tracing::trace!(log_events = n, "committed");
    }

    /// `n` occurrences of errors were committed.
    pub fn failed(&self, n: usize) {
        self.errors.fetch_add(n as u64, Ordering::Relaxed);
        tracing::trace!(errors = n, "committed");
    }

    /// A request, datagram, document or span was refused as invalid; `why` replaces the last reason. It names the
    /// place, then a colon and the reason: `OTLP /v1/traces: …`.
    pub fn refused(&self, why: String) {
        let (listener, place) = refusals::place().unwrap_or_default();
        self.refused_at(listener, &place, why);
    }

    /// The same for what came otherwise than as a request.
    pub fn refused_at(&self, listener: &'static str, place: &str, why: String) {
        self.refusals.note(listener, place, reason(&why), 1);
        let before = self.refused.fetch_add(1, Ordering::Relaxed);
        // Without the reason: it may quote what was sent.
        tracing::debug!("refused");
        if crosses_power_of_two(before, 1) {
            tracing::info!(total = before + 1, "receivers refuse bad input");
        }
        self.say(why);
    }

    /// `n` valid spans or datagrams could not be stored (full queue, store that does not recover).
    pub fn lost(&self, n: usize, why: String) {
        let (listener, place) = refusals::place().unwrap_or_default();
        self.lost_at(listener, &place, n, why);
    }

    /// The same for what came otherwise than as a request.
    pub fn lost_at(&self, listener: &'static str, place: &str, n: usize, why: String) {
        self.refusals.note(listener, place, reason(&why), n as u64);
        let before = self.lost.fetch_add(n as u64, Ordering::Relaxed);
        if crosses_power_of_two(before, n as u64) {
            tracing::warn!(total = before + n as u64, reason = why, "received data could not be kept");
        }
        self.say(why);
    }

    /// A request was acknowledged and, as documented, not stored (metrics).
    pub fn not_kept(&self) {
        self.not_kept.fetch_add(1, Ordering::Relaxed);
    }

    fn say(&self, why: String) {
        *self.last_reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// Spans committed.
    pub fn spans(&self) -> u64 {
        self.spans.load(Ordering::Relaxed)
    }

    /// Log events committed.
    pub fn logs(&self) -> u64 {
        self.logs.load(Ordering::Relaxed)
    }

    /// Occurrences of errors committed.
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// Requests, datagrams, documents and spans refused as invalid.
    pub fn refusals(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Valid spans and datagrams that were lost.
    pub fn losses(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Requests that were acknowledged and not stored.
    pub fn acknowledged_only(&self) -> u64 {
        self.not_kept.load(Ordering::Relaxed)
    }

    /// What was refused and lost, by place and reason.
    pub fn turned_away(&self) -> &Arc<Refusals> {
        &self.refusals
    }

    /// The reason of the last refusal or loss.
    pub fn last_reason(&self) -> Option<String> {
        self.last_reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The reason in the words of [`Counters::refused`].
fn reason(why: &str) -> &str {
    why.split_once(": ").map_or(why, |(_, reason)| reason)
}

/// Whether a count passes a power of two, so that what happens all the time is logged ever more rarely.
fn crosses_power_of_two(before: u64, n: u64) -> bool {
    (before + n).checked_ilog2() > before.checked_ilog2()
}

/// Whether a host other than loopback may be used to reach the receivers.
pub type AllowedHosts = Arc<dyn Fn(&Host) -> bool + Send + Sync>;

/// Guards every route: refuses requests of web pages unless their origin (`http://localhost:3000`) is one of
/// `allowed_origins`, and requests for hosts other than this machine.
///
/// The threat is a web page in the user's browser. Its requests carry `Origin` (simple cross-site ones too), and if DNS
/// rebinding makes them same-origin, `Host` is still the page's name. Pages of an allowed origin get CORS headers,
/// never with a `*`.
pub fn guard(router: Router, allowed_hosts: AllowedHosts, allowed_origins: Arc<[Origin]>) -> Router {
    router.layer(middleware::from_fn_with_state(Guard { hosts: allowed_hosts, origins: allowed_origins }, check))
}

#[derive(Clone)]
struct Guard {
    hosts: AllowedHosts,
    origins: Arc<[Origin]>,
}

async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if let Some(words) = objection(&request, &guard) {
        refusals::refuse_request(&words);
        return (StatusCode::FORBIDDEN, words + "\n").into_response();
    }
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else { return next.run(request).await };
    let asks_first =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut answer = if asks_first { preflight(request.headers()) } else { next.run(request).await };
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    // `navigator.sendBeacon` sends the page's cookies, of which the receivers read none, and is blocked without this.
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READABLE));
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    answer
}

/// The headers of an answer that a page may read: what SDKs look at.
const READABLE: &str = "date, retry-after, x-amz-crc32, x-amzn-errortype, x-amzn-requestid";

/// Answers a CORS preflight request of an allowed origin: what the page asks for is what it may do, since the origin
/// was allowed for that, and what a sender adds to its requests cannot be known here.
fn preflight(asked: &HeaderMap) -> Response {
    /// The most bytes of an answered list.
    const MOST: usize = 4096;
    let mut answer = StatusCode::NO_CONTENT.into_response();
    let headers = answer.headers_mut();
    let method = asked.get(header::ACCESS_CONTROL_REQUEST_METHOD).and_then(|method| method.to_str().ok());
    let methods = match method.map(str::trim).filter(|method| *method != "POST" && is_token(method)) {
        Some(method) => format!("POST, {method}"),
        None => "POST".to_owned(),
    };
    headers.extend(HeaderValue::from_str(&methods).map(|value| (header::ACCESS_CONTROL_ALLOW_METHODS, value)));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    let wanted = asked.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).iter();
    let mut allowed: Vec<String> = wanted
        .flat_map(|line| line.to_str().unwrap_or_default().split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| is_token(name))
        .collect();
    allowed.sort_unstable();
    allowed.dedup();
    let allowed = allowed.join(", ");
    if (1..=MOST).contains(&allowed.len())
        && let Ok(value) = HeaderValue::from_str(&allowed)
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, value);
    }
    // Of a page that is not on this machine.
    if asked.get(PRIVATE_NETWORK_ASKED).is_some_and(|asked| asked == "true") {
        headers.insert(PRIVATE_NETWORK_ALLOWED, HeaderValue::from_static("true"));
    }
    headers.append(
        header::VARY,
        HeaderValue::from_static("Access-Control-Request-Method, Access-Control-Request-Headers"),
    );
    answer
}

const PRIVATE_NETWORK_ASKED: HeaderName = HeaderName::from_static("access-control-request-private-network");
const PRIVATE_NETWORK_ALLOWED: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Whether it can be the name of a method or a header.
fn is_token(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(fits)
}

/// Whether a page may send requests.
fn is_allowed(origin: &HeaderValue, allowed: &[Origin]) -> bool {
    origin.to_str().ok().and_then(Origin::parse).is_some_and(|origin| allowed.contains(&origin))
}

fn objection(request: &Request, guard: &Guard) -> Option<String> {
    let headers = request.headers();
    if let Some(wrong) = headers.get_all(header::ORIGIN).iter().find(|origin| !is_allowed(origin, &guard.origins)) {
        let origin = crate::text::clip(&String::from_utf8_lossy(wrong.as_bytes()));
        return Some(format!(
            "Requests of web pages are refused here (Origin: {origin}). To let a page of yours send telemetry, start \
             Tracebook with --allow-origin and the page's origin, such as http://localhost:3000."
        ));
    }
    let asked = match authority::requested(request.uri(), headers) {
        Ok(asked) => asked,
        Err(unclear) => return Some(unclear.to_string()),
    };
    if is_this_machine(&asked.host) || (guard.hosts)(&asked.host) {
        return None;
    }
    Some(format!(
        "This receiver answers only to loopback names (127.0.0.1, localhost, [::1], host.docker.internal, \
         host.containers.internal) and to hosts that were allowed; not to Host: {}. If that is a name of yours for this \
         machine, such as a service of a compose file, start Tracebook with --allow-host {}.",
        crate::text::clip(&asked.to_string()),
        asked.host
    ))
}

/// Any port: a tunnel or a container's port mapping has its own.
fn is_this_machine(host: &Host) -> bool {
    let of_containers = |name: &String| matches!(name.as_str(), "host.docker.internal" | "host.containers.internal");
    host.is_loopback() || matches!(host, Host::Name(name) if of_containers(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Server, http};
    use axum::routing::get;

    async fn guarded() -> Server {
        let allowed: AllowedHosts = Arc::new(|host| host.to_string() == "172.17.0.1");
        let origins = ["HTTP://Localhost:3000", "https://a.example"].map(|o| Origin::parse(o).expect("an origin"));
        let router = Router::new().route("/", get(|| async { "in" }).post(|| async { "posted" }));
        Server::start(guard(router, allowed, Arc::from(origins))).await
    }

    #[tokio::test]
    async fn loopback_and_allowed_hosts_are_accepted() {
        let server = guarded().await;
        for host in [
            "127.0.0.1:4318",
            "127.8.9.1",
            "LOCALHOST:1",
            "localhost",
            "[::1]:4318",
            "host.docker.internal:4318",
            "host.containers.internal",
            "172.17.0.1:4318",
        ] {
            let answer = http(server.addr, &format!("GET / HTTP/1.1\r\nHost: {host}\r\n"), b"").await;
            assert_eq!(answer.status, 200, "{host}");
        }
    }

    #[tokio::test]
    async fn rebound_names_and_web_pages_are_refused() {
        let server = guarded().await;
        for lines in [
            "Host: evil.example:4318\r\n",
            "Host: 127.0.0.1.evil.example\r\n",
            "Host: localhost.evil.example\r\n",
            "Host: 192.168.1.7\r\n",
            "Host: \r\n",
            "Host: 127.0.0.1\r\nOrigin: http://localhost:3001\r\n",
            "Host: 127.0.0.1\r\nOrigin: https://localhost:3000\r\n",
            "Host: 127.0.0.1\r\nOrigin: http://localhost:3000.evil.example\r\n",
            "Host: 127.0.0.1\r\nOrigin: http://localhost:3000/\r\n",
            "Host: 127.0.0.1\r\nOrigin: null\r\n",
            "Host: 127.0.0.1\r\nOrigin: *\r\n",
            "Host: 127.0.0.1\r\nOrigin: \r\n",
            "Host: 127.0.0.1\r\nOrigin: http://localhost:3000\r\nOrigin: http://evil.example\r\n",
            "Host: evil.example\r\nOrigin: http://localhost:3000\r\n",
            "Host: 127.0.0.1\r\nHost: evil.example\r\n",
            "Host: 127.0.0.1\r\nHost: 127.0.0.1\r\n",
            "Host: [::1].evil\r\n",
            "Host: [::1]evil:4318\r\n",
            "Host: [::ffff:127.0.0.1]\r\n",
            "Host: 127.0.0.1:80:80\r\n",
            "Host: localhost:\r\n",
            "Host: localhost.\r\n",
            "Host: evil@localhost\r\n",
            "Host: 127.1\r\n",
            "Host: 2130706433\r\n",
            "Host: loc%61lhost\r\n",
        ] {
            let answer = http(server.addr, &format!("GET / HTTP/1.1\r\n{lines}"), b"").await;
            assert_eq!(answer.status, 403, "{lines}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
            let words = ["refused here", "answers only", "not a host name"];
            assert!(words.iter().any(|words| answer.text().contains(words)), "{lines}");
        }
        let absolute = http(server.addr, "GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"").await;
        assert_eq!(absolute.status, 403);
        let nowhere = http(server.addr, "GET /nowhere HTTP/1.1\r\nHost: evil.example\r\n", b"").await;
        assert_eq!(nowhere.status, 403, "the guard stands before the fallback too");
    }

    const PREFLIGHT: &str = "OPTIONS / HTTP/1.1\r\nHost: 127.0.0.1:4318\r\nAccess-Control-Request-Method: POST\r\n";

    #[tokio::test]
    async fn a_page_of_an_allowed_origin_may_preflight_and_post() {
        let server = guarded().await;
        let head = format!(
            "{PREFLIGHT}Origin: http://localhost:3000\r\nAccess-Control-Request-Headers: content-type,X-Honeycomb-Team, \
             cookie,x-b3-traceid,b3\r\n"
        );
        let answer = http(server.addr, &head, b"").await;
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        for (name, value) in [
            ("access-control-allow-origin", "http://localhost:3000"),
            ("access-control-allow-methods", "POST"),
            ("access-control-allow-headers", "b3, content-type, cookie, x-b3-traceid, x-honeycomb-team"),
            ("access-control-allow-credentials", "true"),
            ("access-control-max-age", "600"),
            ("vary", "Access-Control-Request-Method, Access-Control-Request-Headers"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert!(answer.head.contains("vary: Origin"), "{}", answer.head);
        assert_eq!(answer.header("access-control-allow-private-network"), None, "it was not asked for");

        let head = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://A.example\r\n";
        let answer = http(server.addr, head, b"").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "posted"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://A.example"));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(answer.header("vary"), Some("Origin"));
        let nowhere = http(server.addr, &head.replace(" / ", " /nowhere "), b"").await;
        assert_eq!((nowhere.status, nowhere.header("access-control-allow-origin")), (404, Some("https://A.example")));
    }

    #[tokio::test]
    async fn a_page_may_do_what_it_asks_for_on_every_path() {
        let server = guarded().await;
        let lines = "Host: localhost:4318\r\nOrigin: http://localhost:3000\r\n";
        for path in ["/", "/v1/traces", "/api/1/item/", "/TraceSegments", "/nowhere"] {
            for (method, methods) in [("POST", "POST"), ("PUT", "POST, PUT"), ("X Y", "POST"), ("a,b", "POST")] {
                let head = format!(
                    "OPTIONS {path} HTTP/1.1\r\n{lines}Access-Control-Request-Method: {method}\r\n\
                     Access-Control-Request-Headers: X-Mine,x-amz-target\r\nAccess-Control-Request-Headers: no name, a\r\n\
                     Access-Control-Request-Private-Network: true\r\n"
                );
                let answer = http(server.addr, &head, b"").await;
                assert_eq!(answer.status, 204, "{path} {method}");
                for (name, value) in [
                    ("access-control-allow-origin", "http://localhost:3000"),
                    ("access-control-allow-methods", methods),
                    ("access-control-allow-headers", "a, x-amz-target, x-mine"),
                    ("access-control-allow-credentials", "true"),
                    ("access-control-allow-private-network", "true"),
                ] {
                    assert_eq!(answer.header(name), Some(value), "{path} {method} {name}");
                }
            }
        }
    }

    #[tokio::test]
    async fn other_preflights_get_no_cors_headers() {
        let server = guarded().await;
        for origin in ["Origin: http://evil.example\r\n", "Origin: null\r\n"] {
            let answer = http(server.addr, &format!("{PREFLIGHT}{origin}"), b"").await;
            assert_eq!(answer.status, 403);
            assert!(!answer.head.to_ascii_lowercase().contains("access-control"), "{}", answer.head);
            assert!(answer.text().contains("--allow-origin"));
        }
        let answer = http(server.addr, PREFLIGHT, b"").await;
        assert_eq!((answer.status, answer.header("access-control-allow-methods")), (405, None), "not of a page at all");
    }

    #[test]
    fn counters_keep_the_last_reason() {
        let counters = Counters::default();
        counters.accepted(3);
        assert!(crosses_power_of_two(0, 1) && crosses_power_of_two(1, 1) && crosses_power_of_two(3, 9));
        assert!(!crosses_power_of_two(2, 1) && !crosses_power_of_two(8, 7) && !crosses_power_of_two(0, 0));
        counters.refused("first".into());
        counters.lost(2, "second".into());
        counters.not_kept();
        assert_eq!((counters.spans(), counters.refusals(), counters.losses()), (3, 1, 2));
        assert_eq!(counters.acknowledged_only(), 1);
        assert_eq!(counters.last_reason().as_deref(), Some("second"));
    }
}

//! The web host: the UI in a browser, for machines without a display and for tests.
//!
//! It can read and write files as the user. So it listens on loopback only, checks the `Host` and `Origin` of every
//! request (DNS rebinding, other sites), and requires the token of the printed URL, which it exchanges for an HttpOnly,
//! SameSite cookie.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::Stream;
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

use tracebook_app::api::{self, Caller, Event, Request, Topic};
use tracebook_app::{Code, Error, Tracebook, pictures};

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Ui;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; connect-src 'self'; \
                   font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Clone)]
pub(crate) struct Host {
    tracebook: Arc<Tracebook>,
    allowed: Arc<Vec<String>>,
    token: Arc<str>,
    port: u16,
}

impl Host {
    pub(crate) fn new(
        tracebook: Arc<Tracebook>,
        allowed: Vec<String>,
        listener: &tokio::net::TcpListener,
    ) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        let port = listener.local_addr().map_err(Error::internal)?.port();
        let allowed = allowed.into_iter().map(|name| name.to_lowercase()).collect();
        Ok(Self { tracebook, allowed: Arc::new(allowed), token: hex::encode(bytes).into(), port })
    }

    /// The URL for the user to open.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/?token={}", self.port, self.token)
    }

    /// Contains the port: cookies are shared between ports, and two journals may be open.
    fn cookie_name(&self) -> String {
        format!("tracebook-{}", self.port)
    }

    fn knows_host(&self, host: &str) -> bool {
        let host = host.to_lowercase();
        let (name, port) = split_port(&host);
        match name {
            "127.0.0.1" | "localhost" | "[::1]" => port.is_none_or(|p| p == self.port.to_string()),
            // A cloud workspace forwards requests under a host name and port of its own.
            _ => self.allowed.iter().any(|allowed| allowed == name || *allowed == host),
        }
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(key, value)| key == name && same(value.as_bytes(), self.token.as_bytes()))
    }
}

/// Compares in constant time.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty() => (name, Some(port)),
        _ => (host, None),
    }
}

/// Serves until the app stops.
pub(crate) async fn serve(
    listener: tokio::net::TcpListener,
    host: Host,
    stopping: CancellationToken,
) -> Result<(), Error> {
    let router = Router::new()
        .route("/rpc", post(rpc))
        .route("/events", get(events))
        .route("/card/{name}", get(picture))
        .route("/live/{name}", get(picture))
        .route("/livecard/{name}", get(picture))
        .fallback(file)
        .layer(axum::extract::DefaultBodyLimit::max(128 * 1024 * 1024))
        .layer(middleware::from_fn_with_state(host.clone(), check))
        .with_state(host);
    let ended = stopping.clone().cancelled_owned();
    let served = axum::serve(listener, router).with_graceful_shutdown(ended);
    // An open event stream would block a graceful shutdown.
    let deadline = async {
        stopping.cancelled().await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    };
    tokio::select! {
        done = served.into_future() => done.map_err(Error::internal),
        () = deadline => Ok(()),
    }
}

/// Checks host, origin and token of every request.
async fn check(State(host): State<Host>, request: HttpRequest, next: Next) -> Response {
    let headers = request.headers();
    let asked = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    if !host.knows_host(asked) {
        return plain(
            StatusCode::FORBIDDEN,
            format!(
                "The host name {asked:?} is not allowed. To allow it, start `tracebook serve --ui --allow-host NAME`.\n"
            ),
        );
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        let of = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")).unwrap_or_default();
        if !host.knows_host(of) {
            return plain(StatusCode::FORBIDDEN, "Requests from other sites are refused.\n".to_owned());
        }
    }
    if request.method() == Method::GET
        && request.uri().path() == "/"
        && let Some(token) = token_of(request.uri())
    {
        if !same(token.as_bytes(), host.token.as_bytes()) {
            return plain(
                StatusCode::UNAUTHORIZED,
                "This link has expired. Open the URL that `tracebook serve --ui` printed last.\n".to_owned(),
            );
        }
        let cookie = format!("{}={}; HttpOnly; SameSite=Strict; Path=/", host.cookie_name(), host.token);
        let mut swapped = Redirect::to("/").into_response();
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            swapped.headers_mut().insert(header::SET_COOKIE, value);
        }
        return secured(swapped);
    }
    if !host.has_cookie(headers) {
        return plain(
            StatusCode::UNAUTHORIZED,
            "Open the URL that `tracebook serve --ui` printed: it contains the token that is needed here.\n".to_owned(),
        );
    }
    secured(next.run(request).await)
}

fn token_of(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="))
}

fn plain(status: StatusCode, text: String) -> Response {
    secured((status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(CSP));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

#[derive(Deserialize)]
struct Asked {
    cmd: String,
    #[serde(default)]
    args: Json,
    #[serde(default)]
    client: String,
    #[serde(default)]
    call: String,
}

async fn rpc(State(host): State<Host>, headers: HeaderMap, body: axum::body::Bytes) -> Response {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|c| c.to_str().ok())
        .is_some_and(|c| c.starts_with("application/json"));
    if !is_json {
        // Another site's form can send text/plain without a preflight request, but not JSON.
        return failure(&Error::usage("send JSON with Content-Type: application/json", ""));
    }
    let asked: Asked = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => {
            return failure(&Error::usage(format!("not a request: {error}"), "Send {\"cmd\": …, \"args\": {…}}"));
        }
    };
    let args = if asked.args.is_null() { json!({}) } else { asked.args };
    let request: Request = match serde_json::from_value(json!({ "cmd": asked.cmd, "args": args })) {
        Ok(request) => request,
        Err(error) => {
            return failure(&Error::usage(
                format!("{}: {error}", asked.cmd),
                "See ui/src/bindings.ts for every command",
            ));
        }
    };
    let caller = Caller { client: asked.client, call: asked.call };
    match api::rpc(&host.tracebook, request, &caller).await {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(error) => failure(&error),
    }
}

fn failure(error: &Error) -> Response {
    let status = match error.code {
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Usage => StatusCode::BAD_REQUEST,
        Code::Refused => StatusCode::CONFLICT,
        Code::NotBuilt | Code::Unsupported => StatusCode::NOT_IMPLEMENTED,
        // Not 401 or 429, which would refer to this server's own token and rate.
        Code::Unreachable | Code::Credentials | Code::Throttled => StatusCode::BAD_GATEWAY,
        Code::Cancelled | Code::Storage | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, axum::Json(json!({ "error": error.body() }))).into_response()
}

async fn events(State(host): State<Host>) -> Sse<impl Stream<Item = Result<SseEvent, Infallible>>> {
    let stream = BroadcastStream::new(host.tracebook.events()).map(|event| {
        // A listener that was too slow has missed events: anything may have changed.
        let event =
            event.unwrap_or_else(|_| Event::Changed { topic: Topic::All, id: String::new(), by: String::new() });
        Ok(SseEvent::default().json_data(&event).unwrap_or_default())
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

async fn picture(State(host): State<Host>, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    match pictures::picture(&host.tracebook, path, uri.query().unwrap_or_default()).await {
        Ok(picture) => {
            let cache = if picture.immutable { "private, max-age=3600" } else { "no-store" };
            let headers = [
                (header::CONTENT_TYPE, "image/svg+xml"),
                (header::CONTENT_SECURITY_POLICY, pictures::CSP),
                (header::CACHE_CONTROL, cache),
            ];
            (headers, picture.svg).into_response()
        }
        Err(error) => failure(&error),
    }
}

async fn file(method: Method, uri: Uri) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return plain(StatusCode::METHOD_NOT_ALLOWED, String::new());
    }
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    match Ui::get(path) {
        Some(file) => {
            let kind = match path.rsplit_once('.').map(|(_, e)| e) {
                Some("html") => "text/html; charset=utf-8",
                Some("js") => "text/javascript; charset=utf-8",
                Some("css") => "text/css; charset=utf-8",
                Some("svg") => "image/svg+xml",
                Some("json" | "map") => "application/json",
                Some("png") => "image/png",
                Some("woff2") => "font/woff2",
                _ => "application/octet-stream",
            };
            ([(header::CONTENT_TYPE, kind)], Body::from(file.data.into_owned())).into_response()
        }
        None => plain(StatusCode::NOT_FOUND, "Page not found.\n".to_owned()),
    }
}

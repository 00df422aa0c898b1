//! The web host: the UI in a browser, for machines without a display and for tests.
//!
//! It can read and write files as the user. So it listens on loopback only, and checks the `Host` and `Origin` of every
//! request (DNS rebinding, other sites). The page itself is public; everything else needs the key of the printed URL in
//! a header. A cookie would not do, because a browser sends it to every port of 127.0.0.1.

mod access;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request as HttpRequest, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::Stream;
use futures_util::future::join_all;
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

use tracebook_app::api::{self, Caller, Event, Request, Topic};
use tracebook_app::authority::Authority;
use tracebook_app::{Code, Error, Tracebook, WebKey, http_server, pictures};

use self::access::{Access, Refused};

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Ui;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob:; connect-src 'self'; \
                   font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Clone)]
pub(crate) struct Host {
    tracebook: Arc<Tracebook>,
    access: Arc<Access>,
}

impl Host {
    pub(crate) fn new(
        tracebook: Arc<Tracebook>,
        allowed: Vec<Authority>,
        key: WebKey,
        listeners: &[tokio::net::TcpListener],
    ) -> Result<Self, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        let mut addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok());
        let address = addresses.next().ok_or_else(|| Error::internal("the web host has no address"))?;
        let access = Access::new(address, allowed, key, hex::encode(bytes)).and(addresses.next());
        let access = Arc::new(access);
        Ok(Self { tracebook, access })
    }

    /// The URL for the user to open.
    pub(crate) fn url(&self) -> String {
        self.access.url()
    }
}

/// Serves until the app stops.
pub(crate) async fn serve(listeners: Vec<tokio::net::TcpListener>, host: Host, stopping: CancellationToken) {
    let keyed = Router::new()
        .route("/rpc", post(rpc))
        .route("/events", get(events))
        .route("/attachment/{name}", get(picture))
        .route("/card/{name}", get(picture))
        .route("/live/{name}", get(picture))
        .route("/livecard/{name}", get(picture))
        .route_layer(middleware::from_fn_with_state(host.clone(), check_key));
    let router = keyed
        .route("/session", get(session))
        .fallback(file)
        .layer(middleware::from_fn_with_state(host.clone(), check))
        .with_state(host);
    let served = |listener| http_server::serve(listener, router.clone(), stopping.clone());
    join_all(listeners.into_iter().map(served)).await;
}

/// Checks host and origin of every request.
async fn check(State(host): State<Host>, request: HttpRequest, next: Next) -> Response {
    match host.access.check_names(request.uri(), request.headers()) {
        Ok(()) => secured(next.run(request).await),
        Err(refused) => refuse(refused),
    }
}

/// Checks the key, before anything of the body is read.
async fn check_key(State(host): State<Host>, request: HttpRequest, next: Next) -> Response {
    match host.access.check_key(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refuse(refused),
    }
}

fn refuse(refused: Refused) -> Response {
    match refused {
        Refused::Host(words) => plain(StatusCode::FORBIDDEN, words + "\n"),
        Refused::Origin => plain(StatusCode::FORBIDDEN, "Requests from other sites are refused.\n".to_owned()),
        Refused::Key => {
            let scheme = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("X-Tracebook-Key"))];
            secured((StatusCode::UNAUTHORIZED, scheme).into_response())
        }
    }
}

#[derive(Deserialize)]
struct Challenge {
    challenge: String,
}

/// The beginning of a page's conversation: both sides prove that they have the key, and neither sends it.
async fn session(State(host): State<Host>, Query(Challenge { challenge }): Query<Challenge>) -> Response {
    match host.access.introduce(&challenge) {
        Some((nonce, proof)) => axum::Json(json!({ "nonce": nonce, "proof": proof })).into_response(),
        None => plain(StatusCode::BAD_REQUEST, String::new()),
    }
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

/// The largest request: an attachment of an entry.
const LARGEST_REQUEST: usize = 128 * 1024 * 1024;

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

async fn rpc(State(host): State<Host>, headers: HeaderMap, body: Body) -> Response {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|c| c.to_str().ok())
        .is_some_and(|c| c.starts_with("application/json"));
    if !is_json {
        // Another site's form can send text/plain without a preflight request, but not JSON.
        return failure(&Error::usage("send JSON with Content-Type: application/json", ""));
    }
    let body = match http_server::receive(body, LARGEST_REQUEST).await {
        Ok(body) => body,
        Err((status, message)) => return not_now(status, message),
    };
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
        Ok(answer) => json_answer(&answer).await,
        Err(error) => failure(&error),
    }
}

async fn json_answer(answer: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(answer) {
        Ok(text) => held("application/json", text).await,
        Err(error) => failure(&Error::internal(error)),
    }
}

/// An answer whose memory is counted until it is sent.
async fn held(kind: &'static str, body: Vec<u8>) -> Response {
    match http_server::held(body).await {
        Ok(body) => ([(header::CONTENT_TYPE, kind)], Body::from(body)).into_response(),
        Err((status, message)) => not_now(status, message),
    }
}

/// A request or an answer that was too large or too slow, or for which there is no memory now.
fn not_now(status: StatusCode, message: String) -> Response {
    let error = Error::new(Code::Throttled, message, "Try again in a moment");
    (status, axum::Json(json!({ "error": error.body() }))).into_response()
}

fn failure(error: &Error) -> Response {
    let status = match error.code {
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Usage => StatusCode::BAD_REQUEST,
        Code::Refused => StatusCode::CONFLICT,
        Code::NotBuilt | Code::Unsupported => StatusCode::NOT_IMPLEMENTED,
        // Not 401 or 429, which would refer to this server's own key and rate.
        Code::Unreachable | Code::Credentials | Code::Passphrase | Code::Throttled => StatusCode::BAD_GATEWAY,
        Code::Cancelled | Code::Storage | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, axum::Json(json!({ "error": error.body() }))).into_response()
}

async fn events(State(host): State<Host>) -> Sse<impl Stream<Item = Result<SseEvent, Infallible>>> {
    // It ends with the app, which otherwise waits for requests in progress.
    let stopping = host.tracebook.stopping().cancelled_owned();
    let stream = BroadcastStream::new(host.tracebook.events()).map(|event| {
        // A listener that was too slow has missed events: anything may have changed.
        let event =
            event.unwrap_or_else(|_| Event::Changed { topic: Topic::All, id: String::new(), by: String::new() });
        Ok(SseEvent::default().json_data(&event).unwrap_or_default())
    });
    Sse::new(futures_util::StreamExt::take_until(stream, stopping)).keep_alive(KeepAlive::default())
}

async fn picture(State(host): State<Host>, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    match pictures::picture(&host.tracebook, path, uri.query().unwrap_or_default()).await {
        Ok(picture) => {
            let cache = if picture.immutable { "private, max-age=3600" } else { "no-store" };
            let headers = [
                (header::CONTENT_SECURITY_POLICY, pictures::CSP),
                (header::CACHE_CONTROL, cache),
                (header::CONTENT_DISPOSITION, if picture.foreign { "attachment" } else { "inline" }),
                // What is cached is for a page that has the key.
                (header::VARY, "x-tracebook-key"),
            ];
            (headers, held(picture.media, picture.bytes).await).into_response()
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

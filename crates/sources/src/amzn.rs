//! What every answer of AWS's protocols has beside its body.
//!
//! SDKs take a request's id from its answer for their logs and errors. Other senders depend on it: Fluent Bit repeats a
//! PutLogEvents whose answer has no `x-amzn-RequestId`, and looks for the name in exactly this spelling.

use std::convert::Infallible;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Extensions, HeaderName, HeaderValue, Response as HttpResponse};
use axum::middleware::{self, Next};
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::OnceCell;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
pub(crate) const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const CRC32: HeaderName = HeaderName::from_static("x-amz-crc32");

/// The names of answers' headers as AWS spells them.
const SPELLED: [&str; 6] =
    ["x-amzn-RequestId", "x-amzn-ErrorType", "x-amz-crc32", "Content-Type", "Content-Length", "Date"];

/// Gives every answer of a router AWS's headers.
pub(crate) fn layer<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(middleware::from_fn(
        |request: Request, next: Next| async move { dressed(next.run(request).await).await },
    ))
}

/// An answer with AWS's headers.
pub(crate) async fn dressed(mut answer: Response) -> Response {
    static SPELLING: OnceCell<Extensions> = OnceCell::const_new();
    if !answer.headers().contains_key(REQUEST_ID)
        && let Ok(id) = HeaderValue::from_str(&request_id())
    {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    let spelling = SPELLING.get_or_init(spelling).await;
    answer.extensions_mut().extend(spelling.clone());
    answer
}

/// The checksum of a body, for answers in JSON 1.1.
pub(crate) fn crc32(body: &[u8]) -> (HeaderName, HeaderValue) {
    let mut crc = flate2::Crc::new();
    crc.update(body);
    (CRC32, HeaderValue::from(crc.sum()))
}

/// A new id in the form of a UUID. It names the request in logs, so that it need not be unpredictable.
pub(crate) fn request_id() -> String {
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let [high, low] = KEYS.each_ref().map(|keys| keys.hash_one(n));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

/// How hyper writes these names: it spells a name as its map says, and makes that map only from the head of a request.
async fn spelling() -> Extensions {
    let heard: Arc<Mutex<Extensions>> = Arc::default();
    let hears = Arc::clone(&heard);
    let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        *hears.lock().unwrap_or_else(PoisonError::into_inner) = request.extensions().clone();
        async { Ok::<_, Infallible>(HttpResponse::new(Body::empty())) }
    });
    let names: String = SPELLED.iter().map(|name| format!("{name}: 0\r\n")).collect();
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{names}\r\n");
    let (mut client, server) = tokio::io::duplex(4096);
    // It fits into the buffer. If anything fails, names are written in lower case.
    if client.write_all(head.as_bytes()).await.is_ok() {
        http1::Builder::new().preserve_header_case(true).serve_connection(TokioIo::new(server), service).await.ok();
    }
    std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner))
}

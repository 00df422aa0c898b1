//! OTLP over gRPC: one unary call a signal. The framing is done here rather than by a gRPC library, so that body and
//! decompression are bounded, timed and counted as over HTTP, and the message's bytes stay as sent.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use bytes::{BufMut as _, Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use tracebook_core::clock::Clock;

use super::{Context, RpcStatus};
use crate::body::{self, Bounds, Failure, Packing};
use crate::otlp::intake::{Intake, Language, Signal, rpc_code};
use crate::receive::{Commit, Counters};

const GRPC: &str = "application/grpc";
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// Compression flag and length before every message.
const PREFIX: usize = 5;
const UNIMPLEMENTED: i32 = 12;

/// Serves `TraceService`, `LogsService` and `MetricsService` of OTLP over gRPC. Needs HTTP/2, and has a fallback that
/// answers every other method with `UNIMPLEMENTED`.
pub fn grpc_router(commit: Arc<dyn Commit>, counters: Arc<Counters>, clock: Arc<dyn Clock>) -> Router {
    router_with(Intake::new(commit, counters, clock, Bounds::usual()))
}

pub(super) fn router_with(intake: Intake) -> Router {
    let mut router = Router::new();
    for (service, signal) in [
        ("trace.v1.TraceService", Signal::Traces),
        ("logs.v1.LogsService", Signal::Logs),
        ("metrics.v1.MetricsService", Signal::Metrics),
    ] {
        let handler = move |State(ends): State<Context>, request: Request| export(ends, signal, request);
        let path = format!("/opentelemetry.proto.collector.{service}/Export");
        router = router.route(&path, post(handler).fallback(unknown));
    }
    router.fallback(unknown).with_state(Context { intake })
}

async fn export(ends: Context, signal: Signal, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let place = format!("gRPC {}", signal.name());
    if !is_grpc(&head.headers) {
        return not_grpc(&ends, &place);
    }
    let Some(packing) = packing_of(&head.headers) else {
        let words = "Only gzip, deflate and no compression are supported here.";
        ends.intake.refused(&place, words);
        let mut answer = failure(UNIMPLEMENTED, words);
        answer.headers_mut().insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static("identity,gzip,deflate"));
        return answer;
    };
    let taken = async {
        let framed = body::receive_announced(body, body::LIMIT + PREFIX, ends.intake.bounds, announced).await?;
        let (message, packing) = unframed(framed, packing)?;
        ends.intake.take(signal, Language::Protobuf, message, packing, &place).await
    };
    match taken.await {
        Ok(taken) => success(&taken.protobuf()),
        Err(why) => {
            ends.intake.refused(&place, &why.message);
            let mut answer = failure(rpc_code(why.status), &why.message);
            if why.status == StatusCode::SERVICE_UNAVAILABLE {
                let details = BASE64.encode(RpcStatus::of(&why).encode_to_vec());
                answer.headers_mut().extend(HeaderValue::try_from(details).ok().map(|value| (GRPC_DETAILS, value)));
            }
            answer
        }
    }
}

async fn unknown(State(ends): State<Context>, uri: Uri, headers: HeaderMap) -> Response {
    if !is_grpc(&headers) {
        return not_grpc(&ends, uri.path());
    }
    let words = format!(
        "{} is not served here: only Export of OpenTelemetry's TraceService, LogsService and MetricsService.",
        crate::text::clip(uri.path())
    );
    ends.intake.refused("gRPC", &words);
    failure(UNIMPLEMENTED, &words)
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default().to_ascii_lowercase();
    // Only protobuf of all formats that may follow a plus, and no grpc-web.
    said.strip_prefix(GRPC.as_bytes()).is_some_and(|rest| {
        let rest = rest.strip_prefix(b"+proto").unwrap_or(rest);
        rest.is_empty() || rest.starts_with(b";")
    })
}

fn not_grpc(ends: &Context, place: &str) -> Response {
    let words = "This port speaks OTLP over gRPC only. For OTLP over HTTP use the HTTP port (4318 by default), or set \
                 OTEL_EXPORTER_OTLP_PROTOCOL=grpc.";
    ends.intake.refused(place, words);
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{words}\n")).into_response()
}

/// How compressed messages are encoded; `None` if unsupported.
fn packing_of(headers: &HeaderMap) -> Option<Packing> {
    let Some(value) = headers.get(GRPC_ENCODING) else { return Some(Packing::Plain) };
    match value.to_str().ok()?.trim() {
        "" | "identity" => Some(Packing::Plain),
        "gzip" => Some(Packing::Gzip),
        "deflate" => Some(Packing::Deflate),
        _ => None,
    }
}

/// The length of the whole body, from the prefix of its message.
fn announced(begin: &[u8]) -> Option<usize> {
    let [_, a, b, c, d] = *begin.first_chunk::<PREFIX>()?;
    usize::try_from(u32::from_be_bytes([a, b, c, d])).ok().map(|length| length.saturating_add(PREFIX))
}

/// The one message of a unary call.
fn unframed(framed: Bytes, packing: Packing) -> Result<(Bytes, Packing), Failure> {
    let bad =
        |words: &str| Err(Failure::new(StatusCode::BAD_REQUEST, format!("This is not a unary gRPC call: {words}.")));
    let [flag, a, b, c, d, message @ ..] = framed.as_ref() else { return bad("it ends within a message's length") };
    let length = u32::from_be_bytes([*a, *b, *c, *d]);
    if usize::try_from(length) != Ok(message.len()) {
        return bad(&format!("a message of {length} bytes was announced and {} arrived", message.len()));
    }
    let packing = match (flag, packing) {
        (0, _) => Packing::Plain,
        (1, Packing::Plain) => return bad("the message is compressed, but there is no grpc-encoding"),
        (1, packing) => packing,
        _ => return bad(&format!("{flag} is not a compression flag")),
    };
    Ok((framed.slice(PREFIX..), packing))
}

fn success(message: &[u8]) -> Response {
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    let trailers = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))]);
    let body = Full::new(framed.freeze()).with_trailers(async { Some(Ok(trailers)) });
    ([(header::CONTENT_TYPE, GRPC)], Body::new(body)).into_response()
}

/// An answer of headers only. The HTTP status is always 200: gRPC has its own.
fn failure(code: i32, words: &str) -> Response {
    let mut answer = ([(header::CONTENT_TYPE, GRPC)], Body::empty()).into_response();
    let headers = answer.headers_mut();
    headers.insert(GRPC_STATUS, HeaderValue::from(code));
    if let Ok(words) = HeaderValue::from_str(&percent_encoded(words)) {
        headers.insert(GRPC_MESSAGE, words);
    }
    answer
}

fn percent_encoded(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for byte in words.bytes() {
        match byte {
            b'%' | ..=0x1f | 0x7f.. => out.push_str(&format!("%{byte:02X}")),
            plain => out.push(char::from(plain)),
        }
    }
    out
}

#[cfg(test)]
mod tests;

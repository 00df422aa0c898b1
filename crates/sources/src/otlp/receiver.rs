//! OTLP/HTTP: `POST /v1/traces`, and `/v1/logs` and `/v1/metrics` acknowledged without being kept.
//!
//! A 200 says "committed", no less. Nothing is ever redirected: SDKs take a 3xx for success and lose the batch.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message as _;
use serde_json::json;

use super::wire::{Decoded, decode_json, decode_protobuf};
use crate::body::{self, Failure, Packing};
use crate::receive::{Commit, Counters};
use crate::{clip, count};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// Serves OTLP/HTTP. Whatever else is asked gets a 404 that names the right setting; a router merged
/// into this one must bring no fallback of its own.
pub fn router(commit: Arc<dyn Commit>, counters: Arc<Counters>) -> Router {
    router_with(commit, counters, body::IDLE)
}

fn router_with(commit: Arc<dyn Commit>, counters: Arc<Counters>, idle: Duration) -> Router {
    Router::new()
        .route("/v1/traces", post(traces).fallback(wrong_method))
        .route("/v1/logs", post(acknowledge).fallback(wrong_method))
        .route("/v1/metrics", post(acknowledge).fallback(wrong_method))
        .fallback(wrong_path)
        .with_state(Ends { commit, counters, idle })
}

#[derive(Clone)]
struct Ends {
    commit: Arc<dyn Commit>,
    counters: Arc<Counters>,
    idle: Duration,
}

impl Ends {
    fn refuse(&self, format: Format, path: &str, failure: &Failure) -> Response {
        self.counters.refused(format!("OTLP {}: {}", clip(path), failure.message));
        format.failure(failure)
    }
}

async fn traces(State(ends): State<Ends>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let (format, packing, packed) = match taken(&ends, request).await {
        Ok(taken) => taken,
        Err((format, failure)) => return ends.refuse(format, &path, &failure),
    };
    // A large batch takes a second to read; other senders should not wait for it.
    let decoded = tokio::task::spawn_blocking(move || {
        let body = body::unpack(packed, packing, body::LIMIT)?;
        match format {
            Format::Protobuf => decode_protobuf(&body),
            Format::Json => decode_json(&body),
        }
        .map_err(|why| {
            Failure::new(StatusCode::BAD_REQUEST, format!("This is no OTLP trace request in {}: {why}.", format.name()))
        })
    });
    let Decoded { spans, rejected, reason } = match decoded.await {
        Ok(Ok(decoded)) => decoded,
        Ok(Err(failure)) => return ends.refuse(format, &path, &failure),
        Err(_) => {
            let failure = Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "Reading the request broke off.");
            return ends.refuse(format, &path, &failure);
        }
    };
    let accepted = spans.len();
    if accepted > 0
        && let Err(error) = ends.commit.commit(spans).await
    {
        let status = if error.retryable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
        let spans = count(accepted, "span");
        return ends.refuse(format, &path, &Failure::new(status, format!("{spans} could not be stored: {error}")));
    }
    ends.counters.accepted(accepted);
    let words = reason.map(|why| format!("{} rejected: {why}", count(rejected, "span")));
    if let Some(words) = &words {
        ends.counters.refused(format!("OTLP {path}: {words}"));
    }
    format.success(rejected, words)
}

async fn acknowledge(State(ends): State<Ends>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let (format, packing, packed) = match taken(&ends, request).await {
        Ok(taken) => taken,
        Err((format, failure)) => return ends.refuse(format, &path, &failure),
    };
    let unpacked = tokio::task::spawn_blocking(move || body::unpack(packed, packing, body::LIMIT).map(drop)).await;
    if let Ok(Err(failure)) = unpacked {
        return ends.refuse(format, &path, &failure);
    }
    ends.counters.not_kept();
    format.success(0, None)
}

/// The body as sent, if it is of a kind that is read here.
async fn taken(ends: &Ends, request: Request) -> Result<(Format, Packing, Bytes), (Format, Failure)> {
    let (head, body) = request.into_parts();
    let Some(format) = Format::of(&head.headers) else {
        let words = format!("Send Content-Type: {PROTOBUF} or {JSON}.");
        return Err((Format::Json, Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words)));
    };
    let packing = Packing::of(&head.headers).map_err(|failure| (format, failure))?;
    let packed = body::receive(body, body::LIMIT, ends.idle).await.map_err(|failure| (format, failure))?;
    Ok((format, packing, packed))
}

async fn wrong_method(State(ends): State<Ends>, uri: Uri, headers: HeaderMap) -> Response {
    let format = Format::of(&headers).unwrap_or(Format::Json);
    let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Only POST is spoken here.");
    let mut answer = ends.refuse(format, uri.path(), &failure);
    answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    answer
}

async fn wrong_path(State(ends): State<Ends>, uri: Uri, headers: HeaderMap) -> Response {
    let format = Format::of(&headers).unwrap_or(Format::Json);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map_or("host:port".to_owned(), clip);
    let words = format!(
        "Nothing is served at {}. Traces go to /v1/traces, and SDKs append that themselves: set \
         OTEL_EXPORTER_OTLP_ENDPOINT=http://{host} with nothing appended, or \
         OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://{host}/v1/traces, which is used as it stands.",
        clip(uri.path())
    );
    ends.refuse(format, uri.path(), &Failure::new(StatusCode::NOT_FOUND, words))
}

/// The language of a request, in which it is answered too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Protobuf,
    Json,
}

/// `google.rpc.Status`, as far as OTLP uses it.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

impl Format {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        match value.split(';').next()?.trim().to_ascii_lowercase().as_str() {
            PROTOBUF => Some(Self::Protobuf),
            JSON => Some(Self::Json),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "protobuf",
            Self::Json => "JSON",
        }
    }

    fn answer(self, status: StatusCode, body: Vec<u8>) -> Response {
        let content_type = match self {
            Self::Protobuf => PROTOBUF,
            Self::Json => JSON,
        };
        (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
    }

    /// Everything that was good is kept; an empty message (protobuf: no byte at all) where all was good.
    fn success(self, rejected: usize, words: Option<String>) -> Response {
        let body = match (self, words) {
            (Self::Protobuf, None) => Vec::new(),
            (Self::Json, None) => b"{}".to_vec(),
            (Self::Protobuf, Some(error_message)) => {
                let rejected_spans = i64::try_from(rejected).unwrap_or(i64::MAX);
                let partial_success = Some(ExportTracePartialSuccess { rejected_spans, error_message });
                ExportTraceServiceResponse { partial_success }.encode_to_vec()
            }
            (Self::Json, Some(words)) => {
                let partial = json!({"rejectedSpans": rejected.to_string(), "errorMessage": words});
                json!({ "partialSuccess": partial }).to_string().into_bytes()
            }
        };
        self.answer(StatusCode::OK, body)
    }

    fn failure(self, failure: &Failure) -> Response {
        let code = rpc_code(failure.status);
        let body = match self {
            Self::Protobuf => RpcStatus { code, message: failure.message.clone() }.encode_to_vec(),
            Self::Json => json!({"code": code, "message": failure.message}).to_string().into_bytes(),
        };
        let mut answer = self.answer(failure.status, body);
        if failure.status == StatusCode::SERVICE_UNAVAILABLE {
            // SDKs obey it to the second, within ten seconds in all.
            answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        answer
    }
}

fn rpc_code(status: StatusCode) -> i32 {
    match status {
        StatusCode::REQUEST_TIMEOUT => 4,
        StatusCode::NOT_FOUND => 5,
        StatusCode::PAYLOAD_TOO_LARGE => 8,
        StatusCode::METHOD_NOT_ALLOWED => 12,
        StatusCode::INTERNAL_SERVER_ERROR => 13,
        StatusCode::SERVICE_UNAVAILABLE => 14,
        _ => 3,
    }
}

#[cfg(test)]
mod tests;

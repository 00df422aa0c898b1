//! OTLP/HTTP: `POST /v1/traces` and `/v1/logs`, and `/v1/metrics`, which is acknowledged without being stored.
//!
//! A 200 means "committed". Never redirects: SDKs take a 3xx for success and lose the batch.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use prost::Message as _;
use serde_json::json;
use tracebook_core::clock::Clock;

use super::intake::{Intake, Language, Signal, Taken, rpc_code};
use crate::body::{self, Bounds, Failure, Packing};
use crate::receive::{Commit, Counters};
use crate::text::clip;

mod grpc;

pub use grpc::grpc_router;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// After how many seconds a client may send again what could not be held or stored.
const RETRY_SECONDS: u16 = 1;

/// Serves OTLP/HTTP. Other requests get a 404 that names the right setting; a router merged into this one must not have
/// a fallback of its own.
pub fn router(commit: Arc<dyn Commit>, counters: Arc<Counters>, clock: Arc<dyn Clock>) -> Router {
    router_with(Intake::new(commit, counters, clock, Bounds::usual()))
}

fn router_with(intake: Intake) -> Router {
    let mut router = Router::new();
    for (name, signal) in SIGNALS {
        let handler = move |State(ends): State<Context>, request: Request| export(ends, signal, request);
        router = router.route(&format!("/v1/{name}"), post(handler).fallback(wrong_method));
    }
    router.fallback(other_path).with_state(Context { intake })
}

/// The last part of each signal's path.
const SIGNALS: [(&str, Signal); 3] = [("traces", Signal::Traces), ("logs", Signal::Logs), ("metrics", Signal::Metrics)];

/// The signal of a path that ends as one of OTLP's. SDKs append that to an endpoint, which often has a path already:
/// `/v1/traces/v1/traces`, `/v1/v1/traces`, `/otlp/v1/traces`. What is meant is clear.
fn signal_of(path: &str) -> Option<Signal> {
    let path = path.trim_end_matches('/');
    let known = |(name, _): &(&str, Signal)| path.strip_suffix(name).is_some_and(|rest| rest.ends_with("/v1/"));
    SIGNALS.into_iter().find(known).map(|(_, signal)| signal)
}

#[derive(Clone)]
struct Context {
    intake: Intake,
}

impl Context {
    fn refuse(&self, language: Language, path: &str, failure: &Failure) -> Response {
        self.intake.refused(path, &failure.message);
        refusal(language, failure)
    }
}

async fn export(ends: Context, signal: Signal, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let (head, body) = request.into_parts();
    let Some(language) = language_of(&head.headers) else {
        let words = format!("Send Content-Type: {PROTOBUF} or {JSON}.");
        return ends.refuse(Language::Json, &path, &Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
    };
    let taken = async {
        let packing = Packing::of(&head.headers)?;
        let packed = body::receive(body, body::LIMIT, ends.intake.bounds).await?;
        ends.intake.take(signal, language, packed, packing, &path).await
    };
    match taken.await {
        Ok(taken) => success(language, signal, taken),
        Err(failure) => ends.refuse(language, &path, &failure),
    }
}

async fn wrong_method(State(ends): State<Context>, uri: Uri, headers: HeaderMap) -> Response {
    let language = language_of(&headers).unwrap_or(Language::Json);
    let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Only POST is supported here.");
    let mut answer = ends.refuse(language, uri.path(), &failure);
    answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    answer
}

/// Paths without a route.
async fn other_path(State(ends): State<Context>, request: Request) -> Response {
    match signal_of(request.uri().path()) {
        Some(signal) if request.method() == Method::POST => export(ends, signal, request).await,
        Some(_) => wrong_method(State(ends), request.uri().clone(), request.headers().clone()).await,
        None => wrong_path(&ends, request.uri(), request.headers()),
    }
}

fn wrong_path(ends: &Context, uri: &Uri, headers: &HeaderMap) -> Response {
    let language = language_of(headers).unwrap_or(Language::Json);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map_or("host:port".to_owned(), clip);
    let meant = if headers.contains_key("x-amz-target") {
        format!(
            "CloudWatch Logs is at the root: set AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=http://{host} with nothing appended."
        )
    } else if uri.path().starts_with("/opentelemetry.proto.collector.") {
        format!(
            "This port speaks OTLP over HTTP, and gRPC is on a port of its own (4317, or what `tracebook serve` printed): \
             name that in OTEL_EXPORTER_OTLP_ENDPOINT, or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf with \
             OTEL_EXPORTER_OTLP_ENDPOINT=http://{host}."
        )
    } else {
        format!(
            "Traces go to /v1/traces, and SDKs append that themselves: set OTEL_EXPORTER_OTLP_ENDPOINT=http://{host} with \
             nothing appended, or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://{host}/v1/traces, which is used as it stands."
        )
    };
    let words = format!("Nothing is served at {}. {meant}", clip(uri.path()));
    ends.refuse(language, uri.path(), &Failure::new(StatusCode::NOT_FOUND, words))
}

/// The part of `google.rpc.Status` that OTLP uses.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Any {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

/// `google.rpc.RetryInfo`, of whose delay (a `google.protobuf.Duration`) only the seconds are used.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) retry_delay: Option<Delay>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Delay {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
}

impl RpcStatus {
    /// One that tells clients, where it is worth it, to send the request again and when.
    fn of(failure: &Failure) -> Self {
        let mut details = Vec::new();
        if failure.status == StatusCode::SERVICE_UNAVAILABLE {
            let delay = RetryInfo { retry_delay: Some(Delay { seconds: RETRY_SECONDS.into() }) };
            let type_url = "type.googleapis.com/google.rpc.RetryInfo".to_owned();
            details.push(Any { type_url, value: delay.encode_to_vec() });
        }
        Self { code: rpc_code(failure.status), message: failure.message.clone(), details }
    }
}

/// The encoding of a request, and of its answer.
fn language_of(headers: &HeaderMap) -> Option<Language> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    match value.split(';').next()?.trim().to_ascii_lowercase().as_str() {
        PROTOBUF => Some(Language::Protobuf),
        JSON => Some(Language::Json),
        _ => None,
    }
}

fn answer(language: Language, status: StatusCode, body: Vec<u8>) -> Response {
    let content_type = match language {
        Language::Protobuf => PROTOBUF,
        Language::Json => JSON,
    };
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

/// Everything valid is stored; an empty message if all was valid.
fn success(language: Language, signal: Signal, taken: Taken) -> Response {
    let body = match (language, taken.words) {
        (Language::Protobuf, words) => Taken { words, ..taken }.protobuf(),
        (Language::Json, None) => b"{}".to_vec(),
        (Language::Json, Some(words)) => {
            let rejected = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Logs => "rejectedLogRecords",
                Signal::Metrics => "rejectedDataPoints",
            };
            let partial = json!({rejected: taken.rejected.to_string(), "errorMessage": words});
            json!({ "partialSuccess": partial }).to_string().into_bytes()
        }
    };
    answer(language, StatusCode::OK, body)
}

fn refusal(language: Language, failure: &Failure) -> Response {
    let body = match language {
        Language::Protobuf => RpcStatus::of(failure).encode_to_vec(),
        Language::Json => {
            json!({"code": rpc_code(failure.status), "message": failure.message}).to_string().into_bytes()
        }
    };
    let mut answer = answer(language, failure.status, body);
    if failure.status == StatusCode::SERVICE_UNAVAILABLE {
        // SDKs respect it to the second, within ten seconds in total.
        answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(RETRY_SECONDS));
    }
    answer
}

#[cfg(test)]
mod tests;

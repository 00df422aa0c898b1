//! HTTP: the requests that SDKs send to the daemon, and the operations of the X-Ray API that make sense locally.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Map, Value, json};
use tracebook_core::clock::Clock;
use tracebook_core::time::Nanos;

use super::{groups, rules, traces};
use crate::body::{self, Failure, Packing};
use crate::receive::{Commit, CommitError, Counters};
use crate::xray::reading::XrayStore;
use crate::{clip, count, json};

/// The API accepts 50 documents of 64 kB per request; this allows larger ones.
const LIMIT: usize = 16 * 1024 * 1024;

/// The account in all ARNs: the one in AWS's examples.
pub(super) const ACCOUNT: &str = "123456789012";

/// Operations of the API that are not supported, by path.
const NOT_HERE: &[&str] = &[
    "/CancelTraceRetrieval",
    "/DeleteResourcePolicy",
    "/EncryptionConfig",
    "/GetIndexingRules",
    "/GetRetrievedTracesGraph",
    "/GetTraceSegmentDestination",
    "/Insight",
    "/InsightEvents",
    "/InsightImpactGraph",
    "/InsightSummaries",
    "/ListResourcePolicies",
    "/ListRetrievedTraces",
    "/ListTagsForResource",
    "/PutEncryptionConfig",
    "/PutResourcePolicy",
    "/SamplingStatisticSummaries",
    "/StartTraceRetrieval",
    "/TagResource",
    "/TimeSeriesServiceStatistics",
    "/UntagResource",
    "/UpdateIndexingRule",
    "/UpdateTraceSegmentDestination",
];

const ANSWERED: &str = "PutTraceSegments, PutTelemetryRecords, GetTraceSummaries, BatchGetTraces, GetServiceGraph, \
    GetTraceGraph, GetSamplingRules, GetSamplingTargets, Create-, Update- and DeleteSamplingRule, GetGroups, GetGroup, \
    Create-, Update- and DeleteGroup";

/// The X-Ray API without a fallback, to be merged into another router.
pub fn api_router(
    commit: Arc<dyn Commit>,
    store: Arc<dyn XrayStore>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
) -> Router {
    api(Ends { commit, store, counters, clock, settings: Arc::default() })
}

/// The daemon's TCP port: [`api_router`] with a fallback that names the supported operations.
pub fn tcp_router(
    commit: Arc<dyn Commit>,
    store: Arc<dyn XrayStore>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
) -> Router {
    let ends = Ends { commit, store, counters, clock, settings: Arc::default() };
    api(ends.clone()).merge(Router::new().fallback(unknown).with_state(ends))
}

fn api(ends: Ends) -> Router {
    let mut router = Router::new();
    macro_rules! operations {
        ($($path:literal: $answer:path),* $(,)?) => {$(
            router = router.route($path, post(|State(ends): State<Ends>, request: Request| async move {
                match Asked::of(request).await {
                    Ok(asked) => ends.answer($path, $answer(&ends, &asked).await),
                    Err(failure) => ends.answer($path, Err(failure.into())),
                }
            }).fallback(unknown));
        )*};
    }
    operations! {
        "/TraceSegments": segments,
        "/TelemetryRecords": records,
        "/TraceSummaries": traces::summaries,
        "/Traces": traces::batch,
        "/ServiceGraph": traces::service_graph,
        "/TraceGraph": traces::trace_graph,
        "/GetSamplingRules": rules::list,
        "/SamplingTargets": rules::targets,
        "/CreateSamplingRule": rules::create,
        "/UpdateSamplingRule": rules::update,
        "/DeleteSamplingRule": rules::delete,
        "/Groups": groups::list,
        "/GetGroup": groups::get,
        "/CreateGroup": groups::create,
        "/UpdateGroup": groups::update,
        "/DeleteGroup": groups::delete,
    }
    for path in NOT_HERE {
        router = router.route(path, post(not_here).fallback(unknown));
    }
    router.with_state(ends)
}

/// Shared by all operations.
#[derive(Clone)]
pub(super) struct Ends {
    pub(super) commit: Arc<dyn Commit>,
    pub(super) store: Arc<dyn XrayStore>,
    pub(super) counters: Arc<Counters>,
    pub(super) clock: Arc<dyn Clock>,
    /// Held while a group or rule is looked up and written, so that it cannot be created twice.
    pub(super) settings: Arc<tokio::sync::Mutex<()>>,
}

/// Why an operation failed.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    error: &'static str,
    message: String,
}

impl Refused {
    /// The request is invalid.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: "InvalidRequestException", message: message.into() }
    }

    pub(super) fn rule_limit(message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: "RuleLimitExceededException", message }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let error = match failure.status {
            StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailableException",
            StatusCode::INTERNAL_SERVER_ERROR => "InternalFailure",
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "UnknownOperationException",
            _ => "InvalidRequestException",
        };
        Self { status: failure.status, error, message: failure.message }
    }
}

impl From<CommitError> for Refused {
    fn from(error: CommitError) -> Self {
        let status = if error.retryable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
        Failure::new(status, error.message).into()
    }
}

/// The result of an operation.
pub(super) type Answer = Result<Value, Refused>;

impl Ends {
    fn answer(&self, path: &str, answer: Answer) -> Response {
        let refused = match answer {
            Ok(body) => return json_answer(StatusCode::OK, &body),
            Err(refused) => refused,
        };
        self.counters.refused(format!("X-Ray {}: {}", clip(path), refused.message));
        // AWS's clients use both spellings.
        let body = json!({"__type": refused.error, "message": refused.message, "Message": refused.message});
        let mut answer = json_answer(refused.status, &body);
        answer.headers_mut().insert("x-amzn-errortype", header::HeaderValue::from_static(refused.error));
        answer
    }
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// The body of a request and its region.
pub(super) struct Asked {
    pub(super) body: Map<String, Value>,
    pub(super) region: String,
}

impl Asked {
    async fn of(request: Request) -> Result<Self, Failure> {
        let (head, body) = request.into_parts();
        let packing = Packing::of(&head.headers)?;
        let packed = body::receive(body, LIMIT, body::IDLE).await?;
        let bytes = body::unpack(packed, packing, LIMIT)?;
        let region = region(&head.headers);
        if bytes.trim_ascii().is_empty() {
            return Ok(Self { body: Map::new(), region });
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(body)) => Ok(Self { body, region }),
            Ok(_) => Err(Failure::new(StatusCode::BAD_REQUEST, "The body is not a JSON object.")),
            Err(error) => Err(Failure::new(
                StatusCode::BAD_REQUEST,
                format!("The body is not readable JSON: {}.", json::words(&error)),
            )),
        }
    }

    /// A member; null counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.body.get(key).filter(|value| !value.is_null())
    }

    /// An optional text.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, Refused> {
        text(&self.body, key)
    }

    /// An optional list.
    pub(super) fn list(&self, key: &str) -> Result<&[Value], Refused> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(Refused::invalid(format!("{key} is not a list."))),
        }
    }

    /// A required time: seconds since 1970, or RFC 3339.
    pub(super) fn time(&self, key: &str) -> Result<Nanos, Refused> {
        let time = match self.get(key) {
            None => return Err(Refused::invalid(format!("{key} is missing."))),
            Some(Value::String(text)) => {
                Nanos::parse_rfc3339(text).or_else(|| text.trim().parse().ok().and_then(Nanos::from_seconds))
            }
            Some(value) => value.as_f64().and_then(Nanos::from_seconds),
        };
        time.ok_or_else(|| {
            Refused::invalid(format!("{key} is neither seconds since 1970 nor a time like 2026-11-23T15:20:12Z."))
        })
    }
}

/// An optional text member.
pub(super) fn text<'a>(body: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, Refused> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refused::invalid(format!("{key} is not a text."))),
    }
}

/// Seconds since 1970 with a fraction, as in AWS's JSON.
pub(super) fn seconds(time: Nanos) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the API's own form")]
    let nanos = time.0 as f64;
    nanos / 1e9
}

/// The region that a signed request names in its scope (`Credential=ID/DAY/REGION/xray/aws4_request`). Nothing else of
/// that header is read.
fn region(headers: &HeaderMap) -> String {
    const DEFAULT: &str = "us-east-1";
    let scope = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let region = scope
        .and_then(|scope| scope.split_once("Credential="))
        .and_then(|(_, credential)| credential.split([',', ' ']).next()?.split('/').nth(2))
        .filter(|region| {
            let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            (1..=24).contains(&region.len()) && region.bytes().all(fine)
        });
    region.unwrap_or(DEFAULT).to_owned()
}

async fn segments(ends: &Ends, asked: &Asked) -> Answer {
    let Some(Value::Array(documents)) = asked.get("TraceSegmentDocuments") else {
        return Err(Refused::invalid("TraceSegmentDocuments is not a list of documents."));
    };
    let mut good = Vec::new();
    let mut unprocessed = Vec::new();
    for document in documents {
        let read = match document.as_str() {
            Some(text) => crate::xray::wire::parse_document(text.as_bytes()).map_err(|refusal| refusal.to_string()),
            None => Err("a document is a JSON text".to_owned()),
        };
        match read {
            Ok(records) => good.extend(records),
            Err(why) => {
                let id = document.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
                let id = id.as_ref().and_then(|said| said["id"].as_str()).map(clip);
                unprocessed.push(json!({"Id": id, "ErrorCode": "InvalidDocument", "Message": why}));
                ends.counters.refused(format!("X-Ray /TraceSegments: {why}"));
            }
        }
    }
    let accepted = good.len();
    if accepted > 0
        && let Err(mut error) = ends.commit.commit(good).await
    {
        error.message = format!("{} could not be stored: {}", count(accepted, "segment"), error.message);
        return Err(error.into());
    }
    ends.counters.accepted(accepted);
    Ok(json!({ "UnprocessedTraceSegments": unprocessed }))
}

/// The daemon's statistics about itself.
async fn records(ends: &Ends, _: &Asked) -> Answer {
    ends.counters.not_kept();
    Ok(json!({}))
}

async fn not_here(State(ends): State<Ends>, uri: Uri, request: Request) -> Response {
    // Read to the end, so that the connection can be reused.
    let read = Asked::of(request).await;
    let words = format!("{} of the X-Ray API has no meaning here. Answered are: {ANSWERED}.", clip(uri.path()));
    ends.answer(uri.path(), read.map_err(Refused::from).and_then(|_| Err(Refused::invalid(words))))
}

async fn unknown(State(ends): State<Ends>, method: Method, uri: Uri) -> Response {
    let words = format!(
        "{} {} is not spoken here. This is Tracebook's end of the X-Ray daemon: POST /GetSamplingRules, /SamplingTargets, \
         /TraceSegments and /TelemetryRecords over HTTP, and segments over UDP on the same port. Of the X-Ray API are \
         answered: {ANSWERED}.",
        clip(method.as_str()),
        clip(uri.path())
    );
    ends.answer(uri.path(), Err(Failure::new(StatusCode::NOT_FOUND, words).into()))
}

//! The HTTP side: what SDKs ask the daemon to proxy, and the X-Ray API as far as it makes sense locally.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tracebook_core::clock::Clock;
use tracebook_core::text::count;

use super::api::{ApiError, ApiRequest, ApiResult, Context};
use super::{groups, rules, traces};
use crate::body::Failure;
use crate::receive::{Commit, Counters};
use crate::text::clip;
use crate::xray::reading::{Normalise, XrayStore};

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
    normalise: Normalise,
) -> Router {
    api(Context { commit, store, counters, clock, normalise, settings: Arc::default() })
}

/// The daemon's TCP side: [`api_router`] with a fallback that describes what is served.
pub fn tcp_router(
    commit: Arc<dyn Commit>,
    store: Arc<dyn XrayStore>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    normalise: Normalise,
) -> Router {
    let context = Context { commit, store, counters, clock, normalise, settings: Arc::default() };
    api(context.clone()).merge(Router::new().fallback(unknown).with_state(context))
}

fn api(context: Context) -> Router {
    let mut router = Router::new();
    macro_rules! operations {
        ($($path:literal: $answer:path),* $(,)?) => {$(
            router = router.route($path, post(|State(context): State<Context>, request: Request| async move {
                match ApiRequest::of(request).await {
                    Ok(request) => context.answer($path, $answer(&context, &request).await),
                    Err(failure) => context.answer($path, Err(failure.into())),
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
    router.with_state(context)
}

impl Context {
    fn answer(&self, path: &str, answer: ApiResult) -> Response {
        let refused = match answer {
            Ok(body) => return json_answer(StatusCode::OK, &body),
            Err(refused) => refused,
        };
        self.counters.refused(format!("X-Ray {}: {}", clip(path), refused.message));
        // AWS's own clients use both spellings.
        let body = json!({"__type": refused.error, "message": refused.message, "Message": refused.message});
        let mut answer = json_answer(refused.status, &body);
        answer.headers_mut().insert("x-amzn-errortype", header::HeaderValue::from_static(refused.error));
        answer
    }
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn segments(context: &Context, request: &ApiRequest) -> ApiResult {
    let Some(Value::Array(documents)) = request.get("TraceSegmentDocuments") else {
        return Err(ApiError::invalid("TraceSegmentDocuments is not a list of documents."));
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
                context.counters.refused(format!("X-Ray /TraceSegments: {why}"));
            }
        }
    }
    let accepted = good.len();
    if accepted > 0
        && let Err(mut error) = context.commit.commit(good).await
    {
        error.message = format!("{} could not be stored: {}", count(accepted, "segment"), error.message);
        return Err(error.into());
    }
    context.counters.accepted(accepted);
    Ok(json!({ "UnprocessedTraceSegments": unprocessed }))
}

/// The daemon's statistics about itself.
async fn records(context: &Context, _: &ApiRequest) -> ApiResult {
    context.counters.not_kept();
    Ok(json!({}))
}

async fn not_here(State(context): State<Context>, uri: Uri, request: Request) -> Response {
    // Read anyway, so that the connection can be reused.
    let read = ApiRequest::of(request).await;
    let words = format!("{} of the X-Ray API is not supported here. Supported are: {ANSWERED}.", clip(uri.path()));
    context.answer(uri.path(), read.map_err(ApiError::from).and_then(|_| Err(ApiError::invalid(words))))
}

async fn unknown(State(context): State<Context>, method: Method, uri: Uri) -> Response {
    let words = format!(
        "{} {} is not supported here. This is Tracebook's X-Ray daemon: POST /GetSamplingRules, /SamplingTargets, \
         /TraceSegments and /TelemetryRecords over HTTP, and segments over UDP on the same port. The X-Ray API supports: {ANSWERED}.",
        clip(method.as_str()),
        clip(uri.path())
    );
    context.answer(uri.path(), Err(Failure::new(StatusCode::NOT_FOUND, words).into()))
}

//! The HTTP side: what SDKs ask the daemon to proxy, and the X-Ray API as far as it makes sense locally.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Map, Value, json};
use tracebook_core::clock::Clock;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::text::count;
use tracebook_core::time::Nanos;

use super::api::{ApiError, ApiRequest, ApiResult, Context, LargeResult};
use super::{groups, rules, traces};
use crate::amzn;
use crate::body::{Bounds, Failure, Unread};
use crate::json::members;
use crate::receive::{Commit, Counters};
use crate::text::clip;
use crate::xray::reading::{Normalise, XrayStore};
use crate::xray::wire::{check_times, parse_document, record_bytes};

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
    api(Context { commit, store, counters, clock, normalise, settings: Arc::default(), bounds: Bounds::usual() })
}

/// The daemon's TCP side: [`api_router`] with a fallback that describes what is served.
pub fn tcp_router(
    commit: Arc<dyn Commit>,
    store: Arc<dyn XrayStore>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    normalise: Normalise,
) -> Router {
    tcp_router_with(Context {
        commit,
        store,
        counters,
        clock,
        normalise,
        settings: Arc::default(),
        bounds: Bounds::usual(),
    })
}

pub(super) fn tcp_router_with(context: Context) -> Router {
    api(context.clone()).merge(amzn::layer(Router::new().fallback(unknown)).with_state(context))
}

fn api(context: Context) -> Router {
    let mut router = Router::new();
    macro_rules! operations {
        ($($path:literal: $answer:path),* $(,)?) => {$(
            router = router.route($path, post(|State(context): State<Context>, request: Request| async move {
                match ApiRequest::of(request, context.bounds).await {
                    Ok(request) => context.answer($path, $answer(&context, &request).await),
                    Err(failure) => context.answer($path, Err(failure.into())),
                }
            }).fallback(unknown));
        )*};
    }
    macro_rules! reading_operations {
        ($($path:literal: $answer:path),* $(,)?) => {$(
            router = router.route($path, post(|State(context): State<Context>, request: Request| async move {
                match ApiRequest::of(request, context.bounds).await {
                    Ok(request) => context.answer_large($path, $answer(&context, &request).await),
                    Err(failure) => context.answer($path, Err(failure.into())),
                }
            }).fallback(unknown));
        )*};
    }
    router = router.route("/TraceSegments", post(segments).fallback(unknown));
    reading_operations! {
        "/TraceSummaries": traces::summaries,
        "/Traces": traces::batch,
        "/ServiceGraph": traces::service_graph,
        "/TraceGraph": traces::trace_graph,
    }
    operations! {
        "/TelemetryRecords": records,
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
    amzn::layer(router).with_state(context)
}

impl Context {
    fn answer(&self, path: &str, answer: ApiResult) -> Response {
        let refused = match answer {
            Ok(body) => return json_answer(StatusCode::OK, body.to_string()),
            Err(refused) => refused,
        };
        self.counters.refused(format!("X-Ray {}: {}", clip(path), refused.message));
        // AWS's own clients use both spellings.
        let body = json!({"__type": refused.error, "message": refused.message, "Message": refused.message});
        let mut answer = json_answer(refused.status, body.to_string());
        answer.headers_mut().insert(amzn::ERROR_TYPE, header::HeaderValue::from_static(refused.error));
        answer
    }

    /// The same with memory that is held until the answer is sent.
    fn answer_large(&self, path: &str, answer: LargeResult) -> Response {
        match answer {
            Ok((body, mut share)) => {
                let body = body.to_string().into_bytes();
                share.shrink(body.len());
                json_answer(StatusCode::OK, share.hold(body))
            }
            Err(refused) => self.answer(path, Err(refused)),
        }
    }
}

fn json_answer(status: StatusCode, body: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.into()).into_response()
}

async fn segments(State(context): State<Context>, request: Request) -> Response {
    const PATH: &str = "/TraceSegments";
    // The memory is held until everything is committed.
    let now = context.clock.now();
    let read = move |body, takes, granted| Documents::read(body, takes, granted, now);
    let answer = match ApiRequest::read(request, context.bounds, read).await {
        Ok((Some(documents), _share)) => store(&context, documents).await,
        Ok((None, _)) => Err(ApiError::invalid("TraceSegmentDocuments is not a list of documents.")),
        Err(failure) => Err(failure.into()),
    };
    context.answer(PATH, answer)
}

/// The documents of a request.
#[derive(Default)]
struct Documents {
    good: Vec<SpanRecord>,
    /// What is reported of a document that was refused, and why it was.
    refused: Vec<(Value, String)>,
}

impl Documents {
    /// Reads them as long as they take no more, with the body, than was granted.
    fn read(
        body: Map<String, Value>,
        mut takes: usize,
        granted: usize,
        now: Nanos,
    ) -> Result<(Option<Self>, usize), Unread> {
        let Some(Value::Array(documents)) = body.get("TraceSegmentDocuments") else { return Ok((None, 0)) };
        let mut read = Self::default();
        for document in documents {
            let records = match document.as_str() {
                Some(text) => parse_document(text.as_bytes())
                    .and_then(|records| check_times(records, now))
                    .map_err(|refusal| refusal.to_string()),
                None => Err("a document is a JSON text".to_owned()),
            };
            match records {
                Ok(records) => {
                    takes += records.iter().map(record_bytes).sum::<usize>();
                    read.good.extend(records);
                }
                Err(why) => {
                    let id = document.as_str().and_then(id_of);
                    let message = json!({"Id": id, "ErrorCode": "InvalidDocument", "Message": why});
                    takes += 1024;
                    read.refused.push((message, why));
                }
            }
            if takes > granted {
                return Err(Unread::NeedsMore);
            }
        }
        Ok((Some(read), takes))
    }
}

/// The id in a document that is otherwise refused, as far as it can be found without reading all of it.
fn id_of(document: &str) -> Option<String> {
    let mut id = None;
    // What is not readable has no id that could be reported.
    members(document, |key, value| {
        if key == "id" {
            id = serde_json::from_str::<String>(value).ok().map(|id| clip(&id));
        }
        Ok(())
    })
    .ok()?;
    id
}

async fn store(context: &Context, Documents { good, refused }: Documents) -> ApiResult {
    let mut unprocessed = Vec::with_capacity(refused.len());
    for (message, why) in refused {
        unprocessed.push(message);
        context.counters.refused(format!("X-Ray /TraceSegments: {why}"));
    }
    let accepted = good.len();
    if accepted > 0
        && let Err(mut error) = context.commit.commit(Arc::new(good)).await
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
    let read = ApiRequest::of(request, context.bounds).await;
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

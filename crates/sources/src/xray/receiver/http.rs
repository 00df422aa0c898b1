//! The HTTP side of the daemon. The real one signs and forwards anything; this one answers what SDKs ask.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tracebook_core::clock::Clock;

use crate::body::{self, Failure, Packing};
use crate::receive::{Commit, Counters};
use crate::{clip, count, json};

/// 50 documents of 64 kB are what the API takes at once; this leaves room for larger ones.
const LIMIT: usize = 16 * 1024 * 1024;

/// How long a sampling target holds, in seconds.
const TARGET_LASTS: i64 = 300;

/// Serves sampling rules and targets that sample everything, and takes segments as the X-Ray API does.
/// It brings a fallback that says what is spoken here.
pub fn router(commit: Arc<dyn Commit>, counters: Arc<Counters>, clock: Arc<dyn Clock>) -> Router {
    Router::new()
        .route("/GetSamplingRules", post(rules).fallback(unknown))
        .route("/SamplingTargets", post(targets).fallback(unknown))
        .route("/TraceSegments", post(segments).fallback(unknown))
        .route("/TelemetryRecords", post(records).fallback(unknown))
        .fallback(unknown)
        .with_state(Ends { commit, counters, clock })
}

#[derive(Clone)]
struct Ends {
    commit: Arc<dyn Commit>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
}

impl Ends {
    fn refuse(&self, path: &str, failure: &Failure) -> Response {
        self.counters.refused(format!("X-Ray {}: {}", clip(path), failure.message));
        let error = match failure.status {
            StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailableException",
            StatusCode::INTERNAL_SERVER_ERROR => "InternalFailure",
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "UnknownOperationException",
            _ => "InvalidRequestException",
        };
        let body = json!({"__type": error, "message": failure.message});
        let mut answer = answer(failure.status, &body);
        answer.headers_mut().insert("x-amzn-errortype", header::HeaderValue::from_static(error));
        answer
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// One rule that samples everything. SDKs ignore it unless `Version` is 1, `ResourceARN` is `*` and
/// `Attributes` is empty.
async fn rules(State(ends): State<Ends>, request: Request) -> Response {
    // The body asks for nothing but the next page; it is read so that the connection can be used again.
    if let Err(failure) = json_body(request).await {
        return ends.refuse("/GetSamplingRules", &failure);
    }
    let rule = json!({
        "RuleName": "Default",
        "RuleARN": "arn:aws:xray:us-east-1:000000000000:sampling-rule/Default",
        "ResourceARN": "*",
        "Priority": 10000,
        "FixedRate": 1.0,
        "ReservoirSize": 1,
        "ServiceName": "*",
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "Version": 1,
        "Attributes": {},
    });
    let body = json!({"SamplingRuleRecords": [{"SamplingRule": rule, "CreatedAt": 0, "ModifiedAt": 0}]});
    answer(StatusCode::OK, &body)
}

/// Everything again, for every rule that is asked about. SDKs fail without `LastRuleModification`.
async fn targets(State(ends): State<Ends>, request: Request) -> Response {
    let asked = match json_body(request).await {
        Ok(asked) => asked,
        Err(failure) => return ends.refuse("/SamplingTargets", &failure),
    };
    let mut names: Vec<&str> = Vec::new();
    for statistics in asked["SamplingStatisticsDocuments"].as_array().into_iter().flatten() {
        // The API takes 25 documents at once.
        if let Some(name) = statistics["RuleName"].as_str()
            && names.len() < 25
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    let until = ends.clock.now().0.div_euclid(1_000_000_000).saturating_add(TARGET_LASTS);
    let target = |name: &&str| {
        json!({
            "RuleName": name,
            "FixedRate": 1.0,
            "ReservoirQuota": 100,
            "ReservoirQuotaTTL": until,
            "Interval": 10,
        })
    };
    let documents: Vec<Value> = names.iter().map(target).collect();
    let body = json!({
        "SamplingTargetDocuments": documents,
        "LastRuleModification": 0,
        "UnprocessedStatistics": [],
    });
    answer(StatusCode::OK, &body)
}

async fn segments(State(ends): State<Ends>, request: Request) -> Response {
    const PATH: &str = "/TraceSegments";
    let asked = match json_body(request).await {
        Ok(asked) => asked,
        Err(failure) => return ends.refuse(PATH, &failure),
    };
    let Value::Array(documents) = &asked["TraceSegmentDocuments"] else {
        let failure = Failure::new(StatusCode::BAD_REQUEST, "TraceSegmentDocuments is not a list of documents.");
        return ends.refuse(PATH, &failure);
    };
    let mut good = Vec::new();
    let mut unprocessed = Vec::new();
    for document in documents {
        let read = match document.as_str() {
            Some(text) => super::super::wire::parse_document(text.as_bytes()).map_err(|refusal| refusal.to_string()),
            None => Err("a document is a JSON text".to_owned()),
        };
        match read {
            Ok(records) => good.extend(records),
            Err(why) => {
                let id = document.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
                let id = id.as_ref().and_then(|said| said["id"].as_str()).map(clip);
                unprocessed.push(json!({"Id": id, "ErrorCode": "InvalidDocument", "Message": why}));
                ends.counters.refused(format!("X-Ray {PATH}: {why}"));
            }
        }
    }
    let accepted = good.len();
    if accepted > 0
        && let Err(error) = ends.commit.commit(good).await
    {
        let status = if error.retryable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
        let spans = count(accepted, "segment");
        return ends.refuse(PATH, &Failure::new(status, format!("{spans} could not be stored: {error}")));
    }
    ends.counters.accepted(accepted);
    answer(StatusCode::OK, &json!({ "UnprocessedTraceSegments": unprocessed }))
}

/// The daemon's statistics about itself.
async fn records(State(ends): State<Ends>, request: Request) -> Response {
    match json_body(request).await {
        Ok(_) => {
            ends.counters.not_kept();
            answer(StatusCode::OK, &json!({}))
        }
        Err(failure) => ends.refuse("/TelemetryRecords", &failure),
    }
}

async fn unknown(State(ends): State<Ends>, method: Method, uri: Uri) -> Response {
    let words = format!(
        "{} {} is not spoken here. This is Tracebook's end of the X-Ray daemon: POST /GetSamplingRules, /SamplingTargets, \
         /TraceSegments and /TelemetryRecords over HTTP, and segments over UDP on the same port.",
        clip(method.as_str()),
        clip(uri.path())
    );
    ends.refuse(uri.path(), &Failure::new(StatusCode::NOT_FOUND, words))
}

/// The body as JSON; nothing at all is an empty object.
async fn json_body(request: Request) -> Result<Value, Failure> {
    let (head, body) = request.into_parts();
    let packing = Packing::of(&head.headers)?;
    let packed = body::receive(body, LIMIT, body::IDLE).await?;
    let bytes = body::unpack(packed, packing, LIMIT)?;
    if bytes.trim_ascii().is_empty() {
        return Ok(json!({}));
    }
    match serde_json::from_slice(&bytes) {
        Ok(json @ Value::Object(_)) => Ok(json),
        Ok(_) => Err(Failure::new(StatusCode::BAD_REQUEST, "The body is not a JSON object.")),
        Err(error) => Err(Failure::new(
            StatusCode::BAD_REQUEST,
            format!("The body is not readable JSON: {}.", json::words(&error)),
        )),
    }
}

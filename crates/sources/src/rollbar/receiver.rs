//! `POST /api/1/item/`, and `/api/1/session/`, which is acknowledged without being stored.
//!
//! A 200 means "committed". Never 413: pyrollbar answers that with another item, and its 413 with another, endlessly.
//! Never a redirect either. SDKs send an item once, so what is too large is cut or at least reported.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use serde_json::json;
use tracebook_core::clock::Clock;
use tracebook_core::telemetry::ErrorRecord;
use tracebook_core::text::count;
use tracebook_core::time::Nanos;

use super::{normalise, wire};
use crate::body::{self, Bounds, Failure, Packing, Unread};
use crate::receive::{Commit, Counters};
use crate::text::clip;

/// Serves Rollbar's item API, and describes it under `/api/`. Has no fallback, so that it can be merged into another
/// router.
///
/// pyrollbar sends to `/api/item/` if its `endpoint` lacks the final slash.
pub fn router(commit: Arc<dyn Commit>, counters: Arc<Counters>, clock: Arc<dyn Clock>) -> Router {
    router_with(commit, counters, clock, Bounds::usual())
}

fn router_with(commit: Arc<dyn Commit>, counters: Arc<Counters>, clock: Arc<dyn Clock>, bounds: Bounds) -> Router {
    let mut router = Router::new();
    for path in ["/api/1/item", "/api/1/item/", "/api/item", "/api/item/"] {
        router = router.route(path, post(item).fallback(wrong_method));
    }
    for path in ["/api/1/session", "/api/1/session/"] {
        router = router.route(path, post(session).fallback(wrong_method));
    }
    // Not a fallback: another router's describes what that router serves.
    for path in ["/api", "/api/", "/api/{*rest}"] {
        router = router.route(path, any(wrong_path));
    }
    router.with_state(Context { commit, counters, clock, bounds })
}

#[derive(Clone)]
struct Context {
    commit: Arc<dyn Commit>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    bounds: Bounds,
}

impl Context {
    fn refuse(&self, path: &str, failure: &Failure) -> Response {
        self.counters.refused(format!("Rollbar {}: {}", clip(path), failure.message));
        answer(failure.status, &json!({"err": 1, "message": failure.message}))
    }
}

/// The result of a body.
#[derive(Default)]
struct Taken {
    records: Vec<ErrorRecord>,
    left_out: usize,
    bad: usize,
    why: Option<String>,
}

async fn item(State(ends): State<Context>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let received = ends.clock.now();
    let taken = async {
        let packing = Packing::of(&head.headers)?;
        let packed = body::receive(body, body::LIMIT, ends.bounds).await?;
        let content_type = content_type(&head.headers);
        let likely = body::likely_size(&packed, packing, body::LIMIT);
        let read = move |granted: usize| {
            let body = body::unpack_within(packed.clone(), packing, body::LIMIT, granted)?;
            let unpacked = if packing == Packing::Plain { 0 } else { body.len() };
            if wire::reading_bytes(&body, content_type.as_deref()) > granted - unpacked {
                return Err(Unread::NeedsMore);
            }
            let taken = take(&body, content_type.as_deref(), received)?;
            let takes = taken.records.iter().map(record_bytes).sum();
            Ok((taken, takes))
        };
        /// What reading an item takes of it as a rule.
        const FACTOR: usize = 48;
        const LEAST: usize = 64 * 1024;
        let expected = likely.saturating_mul(FACTOR).saturating_add(LEAST);
        body::read_within(ends.bounds.budget, expected, read).await
    };
    // Held until everything is committed.
    let (Taken { records, left_out, bad, why }, _share) = match taken.await {
        Ok(taken) => taken,
        Err(failure) if failure.status == StatusCode::PAYLOAD_TOO_LARGE => return too_large(&ends, received).await,
        Err(failure) => return ends.refuse(&path, &failure),
    };
    let why = why.unwrap_or_default();
    if records.is_empty() && bad > 0 {
        return ends.refuse(&path, &no_item(&why));
    }
    let accepted = records.len();
    let uuid = records.first().map(|record| record.uuid.clone());
    if accepted > 0
        && let Err(error) = ends.commit.commit_errors(records).await
    {
        let words = format!("{} could not be stored: {error}", count(accepted, "error"));
        let status = if error.retryable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
        return ends.refuse(&path, &Failure::new(status, words));
    }
    ends.counters.failed(accepted);
    if bad > 0 {
        ends.counters.refused(format!("Rollbar {}: {} of a batch refused: {why}.", clip(&path), count(bad, "item")));
    }
    if left_out > 0 {
        let words = format!("more than {} items in one request; send smaller batches.", wire::MAX_ITEMS);
        ends.counters.lost(left_out, format!("Rollbar {}: {words}", clip(&path)));
    }
    success(uuid.as_deref())
}

/// What a record takes in a list, in bytes.
fn record_bytes(record: &ErrorRecord) -> usize {
    2 * size_of::<ErrorRecord>() + record.raw.len() + record.title.len() + 1024
}

/// The records in a decompressed body.
fn take(body: &[u8], content_type: Option<&str>, received: Nanos) -> Result<Taken, Failure> {
    let mut taken = Taken::default();
    let left_out =
        wire::read(body, content_type, |data| match data.and_then(|data| normalise::record(&data, received)) {
            Ok(record) => taken.records.push(record),
            Err(why) => {
                taken.bad += 1;
                taken.why.get_or_insert(why);
            }
        });
    taken.left_out = left_out.map_err(|why| no_item(&why))?;
    Ok(taken)
}

fn no_item(why: &str) -> Failure {
    let words = format!("This is not a Rollbar item: {why}. Send {{\"data\": {{\"body\": …}}}} as JSON.");
    Failure::new(StatusCode::BAD_REQUEST, words)
}

/// An item that was too large to read is acknowledged, and an occurrence is stored in its place.
async fn too_large(ends: &Context, received: Nanos) -> Response {
    let mib = body::LIMIT / (1024 * 1024);
    let words = format!("An item larger than {mib} MiB arrived and was too large to keep");
    ends.counters.lost(1, format!("Rollbar: {words}; send less with it (locals, custom data, request bodies)."));
    let data = json!({
        "body": {"message": {"body": words}},
        "level": "warning",
        wire::NOTES: [format!("the item was discarded: it was larger than {mib} MiB")],
    });
    let Ok(record) = normalise::record(&data, received) else { return success(None) };
    let uuid = record.uuid.clone();
    match ends.commit.commit_errors(vec![record]).await {
        Ok(()) => {
            ends.counters.failed(1);
            success(Some(&uuid))
        }
        Err(_) => success(None),
    }
}

async fn session(State(ends): State<Context>, request: Request) -> Response {
    // Read to the end, so that the sender can read the response; nothing of it is used.
    body::receive(request.into_body(), body::LIMIT, ends.bounds).await.ok();
    ends.counters.not_kept();
    success(None)
}

async fn wrong_method(State(ends): State<Context>, uri: Uri) -> Response {
    let mut answer =
        ends.refuse(uri.path(), &Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Only POST is supported here."));
    answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    answer
}

async fn wrong_path(State(ends): State<Context>, uri: Uri, headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map_or("host:port".to_owned(), clip);
    let path = uri.path();
    let of_otlp = ["/v1/traces", "/v1/logs", "/v1/metrics"];
    let meant = if of_otlp.iter().any(|known| path.trim_end_matches('/').ends_with(known)) {
        format!("OTLP goes to /v1/traces: set OTEL_EXPORTER_OTLP_ENDPOINT=http://{host} with nothing appended.")
    } else if path.starts_with("/api/v2/spans") || path.starts_with("/api/v1/spans") || path == "/api/traces" {
        // Zipkin and Jaeger.
        format!(
            "Only OpenTelemetry's own protocol is supported here: use an OTLP exporter, with \
             OTEL_EXPORTER_OTLP_ENDPOINT=http://{host}."
        )
    } else {
        format!(
            "Rollbar items go to /api/1/item/. Python: rollbar.init(token, environment, endpoint='http://{host}/api/1/'), \
             where the last slash counts. JavaScript: endpoint: 'http://{host}/api/1/item/'. Nothing of Rollbar's reading API \
             is answered here; `tracebook live errors` lists what has arrived."
        )
    };
    let words = format!("Nothing is served at {}. {meant}", clip(path));
    ends.refuse(path, &Failure::new(StatusCode::NOT_FOUND, words))
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    Some(headers.get(header::CONTENT_TYPE)?.to_str().ok()?.to_owned())
}

fn success(uuid: Option<&str>) -> Response {
    answer(StatusCode::OK, &json!({"err": 0, "result": {"id": null, "uuid": uuid}}))
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests;

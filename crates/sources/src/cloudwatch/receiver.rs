//! Serves the part of CloudWatch Logs that log handlers and readers use: `POST /`, with the operation in
//! `X-Amz-Target`.
//!
//! It shares a port with OTLP, so it serves no path but `/`, and answers one request of STS, which watchtower makes
//! before it tags a group. A 200 to PutLogEvents means "committed".

mod groups;
mod input;
mod page;
mod place;
mod put;
mod read;
mod refusal;
mod streams;
mod sts;
mod tags;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use serde_json::{Value, json};
use tracebook_core::clock::Clock;

use self::input::Input;
use self::refusal::Refusal;
use super::LogStore;
use crate::amzn;
use crate::body::{self, Bounds, Failure, Packing, Unread};
use crate::budget::{Purpose, Share};
use crate::receive::{Action, Counters};

/// The account of everything here: in ARNs and as the caller's identity.
const ACCOUNT: &str = "123456789012";

/// 1 MiB of messages, of which JSON may escape each character with six, and room for 10,000 timestamps.
const BATCH_LIMIT: usize = 16 * 1024 * 1024;

/// For all other requests.
const LIMIT: usize = 2 * 1024 * 1024;

pub(crate) const TARGET: &str = "x-amz-target";
const PREFIX: &str = "Logs_20140328.";

/// The answer to unknown operations.
const SPOKEN: &str = "CreateLogGroup, DescribeLogGroups, DeleteLogGroup, CreateLogStream, DescribeLogStreams, \
    DeleteLogStream, PutLogEvents, GetLogEvents, FilterLogEvents, PutRetentionPolicy, DeleteRetentionPolicy, TagResource, \
    UntagResource, ListTagsForResource, TagLogGroup, UntagLogGroup, ListTagsLogGroup and TestMetricFilter";

/// Serves CloudWatch Logs' JSON 1.1 API at `POST /` only: it is merged into a router that has a fallback.
pub fn router(store: Arc<dyn LogStore>, counters: Arc<Counters>, clock: Arc<dyn Clock>) -> Router {
    router_with(store, counters, clock, Bounds::usual())
}

fn router_with(store: Arc<dyn LogStore>, counters: Arc<Counters>, clock: Arc<dyn Clock>, bounds: Bounds) -> Router {
    let router = Router::new().route("/", post(asked).fallback(wrong_method));
    amzn::layer(router).with_state(Context { store, counters, clock, bounds })
}

#[derive(Clone)]
struct Context {
    store: Arc<dyn LogStore>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    bounds: Bounds,
}

/// The context of an operation.
struct Call {
    ends: Context,
    region: String,
}

impl Call {
    fn store(&self) -> &dyn LogStore {
        &*self.ends.store
    }

    fn group_arn(&self, group: &str) -> String {
        format!("arn:aws:logs:{}:{ACCOUNT}:log-group:{group}", self.region)
    }
}

impl Context {
    fn refuse(&self, what: &str, refusal: &Refusal) -> Response {
        const LONGEST: usize = 300;
        if !refusal.is_everyday() {
            let words: String = refusal.message.chars().take(LONGEST).collect();
            self.counters.refused(format!("CloudWatch Logs {}: {words}", crate::text::clip(what)));
        }
        let body = json!({"__type": refusal.kind, "message": refusal.message}).to_string();
        let mut answer = answer(refusal.status, body);
        answer.headers_mut().insert(amzn::ERROR_TYPE, header::HeaderValue::from_static(refusal.kind));
        answer
    }
}

fn answer(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let body = body.into();
    let kind = (header::CONTENT_TYPE, header::HeaderValue::from_static("application/x-amz-json-1.1"));
    (status, [kind, amzn::crc32(&body)], body).into_response()
}

async fn asked(State(ends): State<Context>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let target = head.headers.get(TARGET).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let operation = target.as_deref().and_then(|target| target.strip_prefix(PREFIX));
    let limit = if operation == Some("PutLogEvents") { BATCH_LIMIT } else { LIMIT };
    // Read even if it is not used: a client that is still sending reads no answer.
    let received = body::receive(body, limit, ends.bounds).await;
    let Some(target) = target.as_deref() else {
        let action = received.map(|body| sts::action(&body).filter(|_| is_form(&head.headers)));
        return match action {
            Ok(Some(action)) => sts::answer(&ends, &action),
            Err(failure) if failure.status == StatusCode::SERVICE_UNAVAILABLE && is_form(&head.headers) => sts::busy(),
            Ok(None) | Err(_) => ends.refuse("POST /", &not_for_here(&head.headers)),
        };
    };
    let Some(operation) = operation else {
        let words = format!(
            "{} is not an operation of CloudWatch Logs ({PREFIX}…). If AWS_ENDPOINT_URL is set, every AWS client comes here: \
             set AWS_ENDPOINT_URL_CLOUDWATCH_LOGS instead.",
            crate::text::clip(target)
        );
        return ends.refuse(target, &Refusal::unknown_operation(words));
    };
    let done = match (received, Packing::of(&head.headers)) {
        (Ok(packed), Ok(packing)) => {
            let call = Call { ends: ends.clone(), region: region(&head.headers) };
            operate(&call, operation, Body { packed, packing, limit }).await
        }
        (Err(failure), _) | (_, Err(failure)) => Err(failure.into()),
    };
    match done {
        Ok(Answer { body: Value::Null, .. }) => answer(StatusCode::OK, String::new()),
        Ok(Answer { body, share: None }) => answer(StatusCode::OK, body.to_string()),
        Ok(Answer { body, share: Some(mut share) }) => {
            let body = body.to_string().into_bytes();
            share.shrink(body.len());
            answer(StatusCode::OK, share.hold(body))
        }
        Err(refusal) => ends.refuse(operation, &refusal),
    }
}

/// What the operation of a request does. Log handlers create their group and stream, and look for the stream.
/// Everything unknown counts as a change.
pub(crate) fn action(headers: &HeaderMap) -> Action {
    // Without a target it is STS, or a mistake that is explained.
    let Some(target) = headers.get(TARGET) else { return Action::Send };
    match target.to_str().ok().and_then(|target| target.strip_prefix(PREFIX)).unwrap_or_default() {
        "PutLogEvents" | "CreateLogGroup" | "CreateLogStream" | "DescribeLogStreams" => Action::Send,
        "DescribeLogGroups"
        | "GetLogEvents"
        | "FilterLogEvents"
        | "TestMetricFilter"
        | "ListTagsForResource"
        | "ListTagsLogGroup" => Action::Read,
        _ => Action::Change,
    }
}

/// A request's body.
#[derive(Clone)]
struct Body {
    packed: Bytes,
    packing: Packing,
    limit: usize,
}

impl Body {
    /// Reads it with the memory of which it takes `factor` times its size as a rule; see [`body::read_within`].
    async fn read<T: Send + 'static>(
        self,
        bounds: Bounds,
        factor: usize,
        read: impl Fn(&[u8], usize) -> Result<(T, usize), Unread> + Clone + Send + 'static,
    ) -> Result<(T, Share), Failure> {
        const LEAST: usize = 16 * 1024;
        let Self { packed, packing, limit } = self;
        let likely = body::likely_size(&packed, packing, limit);
        let read = move |granted: usize| {
            let body = body::unpack_within(packed.clone(), packing, limit, granted)?;
            read(&body, granted - if packing == Packing::Plain { 0 } else { body.len() })
        };
        body::read_within(bounds.budget, likely.saturating_mul(factor).saturating_add(LEAST), read).await
    }
}

/// The result of an operation, `null` for an empty body, and the memory of a large one.
struct Answer {
    body: Value,
    share: Option<Share>,
}

impl From<Value> for Answer {
    fn from(body: Value) -> Self {
        Self { body, share: None }
    }
}

/// What an operation that reads events takes at most, with the events of one read, the JSON values and the text.
const READ_BYTES: usize = 16 * 1024 * 1024;

async fn operate(call: &Call, operation: &str, body: Body) -> Result<Answer, Refusal> {
    if operation == "PutLogEvents" {
        return put::events(call, body).await.map(Answer::from);
    }
    if let Some(refusal) = not_here(operation) {
        return Err(refusal);
    }
    let bounds = call.ends.bounds;
    let (input, _read) = body.read(bounds, 8, Input::within).await?;
    let input = input?;
    let share = match operation {
        "DescribeLogGroups" | "DescribeLogStreams" | "GetLogEvents" | "FilterLogEvents" => {
            let most = READ_BYTES.min(bounds.budget.limit(Purpose::Answer));
            Some(bounds.budget.take(Purpose::Answer, most).await.map_err(|_| Refusal::throttled())?)
        }
        _ => None,
    };
    let body = answered(call, operation, &input).await?;
    Ok(Answer { body, share })
}

async fn answered(call: &Call, operation: &str, input: &Input) -> Result<Value, Refusal> {
    match operation {
        "CreateLogGroup" => groups::create(call, input).await,
        "DescribeLogGroups" => groups::describe(call, input).await,
        "DeleteLogGroup" => groups::delete(call, input).await,
        "PutRetentionPolicy" => groups::retain(call, input).await,
        "DeleteRetentionPolicy" => groups::keep_indefinitely(call, input).await,
        "TagResource" => tags::tag_resource(call, input).await,
        "UntagResource" => tags::untag_resource(call, input).await,
        "ListTagsForResource" => tags::list_of_resource(call, input).await,
        "TagLogGroup" => tags::tag_group(call, input).await,
        "UntagLogGroup" => tags::untag_group(call, input).await,
        "ListTagsLogGroup" => tags::list_of_group(call, input).await,
        "CreateLogStream" => streams::create(call, input).await,
        "DescribeLogStreams" => streams::describe(call, input).await,
        "DeleteLogStream" => streams::delete(call, input).await,
        "GetLogEvents" => read::get(call, input).await,
        "FilterLogEvents" => read::filter(call, input).await,
        "TestMetricFilter" => read::test_filter(input),
        unknown => {
            let words = format!("{} is not supported here; {SPOKEN} are.", crate::text::clip(unknown));
            Err(Refusal::unknown_operation(words))
        }
    }
}

/// What AWS supports and this receiver does not, with what to do instead.
fn not_here(operation: &str) -> Option<Refusal> {
    match operation {
        "StartQuery"
        | "GetQueryResults"
        | "StopQuery"
        | "DescribeQueries"
        | "GetLogRecord"
        | "GetLogGroupFields"
        | "PutQueryDefinition"
        | "DescribeQueryDefinitions"
        | "DeleteQueryDefinition" => Some(Refusal::invalid(format!(
            "{operation}: Logs Insights is not supported locally. Use FilterLogEvents with a filterPattern, such as \
             ERROR or {{ $.level = \"error\" }}, or search the logs in Tracebook itself."
        ))),
        "StartLiveTail" => Some(Refusal::new(
            StatusCode::BAD_REQUEST,
            "InvalidOperationException",
            "StartLiveTail is not supported locally. Repeat FilterLogEvents with the last event's time as startTime, or \
             watch the logs in Tracebook itself.",
        )),
        _ => None,
    }
}

/// The region that a request was signed for. Nothing else of that header is read or kept.
fn region(headers: &HeaderMap) -> String {
    const DEFAULT: &str = "us-east-1";
    const LONGEST: usize = 32;
    let scope = || {
        let signed = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (_, credential) = signed.split_once("Credential=")?;
        let credential = credential.split([',', ' ']).next()?;
        let mut parts = credential.split('/').skip(1);
        let (_day, region, _service, _end) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let fits = (1..=LONGEST).contains(&region.len())
            && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        fits.then(|| region.to_owned())
    };
    scope().unwrap_or_else(|| DEFAULT.to_owned())
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
    kind.is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded"))
}

/// Almost always an OTLP exporter whose endpoint is used without a path.
fn not_for_here(headers: &HeaderMap) -> Refusal {
    let host =
        headers.get(header::HOST).and_then(|host| host.to_str().ok()).map_or("host:port".to_owned(), crate::text::clip);
    let words = format!(
        "OTLP goes to /v1/traces: set OTEL_EXPORTER_OTLP_ENDPOINT=http://{host} with nothing appended. POST / speaks \
         CloudWatch Logs to requests with X-Amz-Target: {PREFIX}…"
    );
    Refusal::new(StatusCode::NOT_FOUND, "UnknownOperationException", words)
}

async fn wrong_method(State(ends): State<Context>, headers: HeaderMap) -> Response {
    let Refusal { message, .. } = not_for_here(&headers);
    let words = format!("Only POST is supported here. {message}");
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "UnknownOperationException", words);
    let mut answer = ends.refuse("/", &refusal);
    answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    answer
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let kind = match failure.status {
            StatusCode::PAYLOAD_TOO_LARGE => "RequestEntityTooLargeException",
            StatusCode::REQUEST_TIMEOUT => "RequestTimeoutException",
            // Clients send again what was throttled, or could not be served.
            StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailableException",
            StatusCode::INTERNAL_SERVER_ERROR => "InternalFailure",
            _ => "SerializationException",
        };
        Self::new(failure.status, kind, failure.message)
    }
}

//! What the operations of the X-Ray API share: their request, their result, and their context.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use tracebook_core::clock::Clock;
use tracebook_core::time::Nanos;

use crate::body::{self, Bounds, Failure, Packing, Unread};
use crate::budget::{Purpose, Share};
use crate::json;
use crate::receive::{Commit, CommitError, Counters};
use crate::xray::reading::{Normalise, XrayStore};

/// The API accepts 50 documents of 64 kB at once; this leaves room for larger ones.
const LIMIT: usize = 16 * 1024 * 1024;

/// The account in all ARNs: the one of AWS's own examples.
pub(super) const ACCOUNT: &str = "123456789012";

/// What every operation has access to.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) commit: Arc<dyn Commit>,
    pub(super) store: Arc<dyn XrayStore>,
    pub(super) counters: Arc<Counters>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) normalise: Normalise,
    /// Held from looking up a group or rule until it is written, so that two creations do not both succeed.
    pub(super) settings: Arc<tokio::sync::Mutex<()>>,
    pub(super) bounds: Bounds,
}

impl Context {
    /// The memory for reading traces.
    pub(super) async fn reading(&self) -> Result<Share, ApiError> {
        let most = READ_BYTES.min(self.bounds.budget.limit(Purpose::Answer));
        self.bounds.budget.take(Purpose::Answer, most).await.map_err(|_| ApiError {
            status: StatusCode::TOO_MANY_REQUESTS,
            error: "ThrottledException",
            message: "Too many traces are being read at once. Ask again in a moment.".to_owned(),
        })
    }
}

/// What an operation that reads traces takes at most: [`TRACE_BYTES`] as stored, as traces, as JSON values and as text.
const READ_BYTES: usize = 48 * 1024 * 1024;

/// The most bytes of spans that are held at a time. A larger trace is read in part, as by X-Ray, whose limit is 500 kB.
pub(super) const TRACE_BYTES: u64 = 2 * 1024 * 1024;

/// An error of the API.
#[derive(Debug)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) message: String,
}

impl ApiError {
    /// The request is invalid.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: "InvalidRequestException", message: message.into() }
    }

    pub(super) fn rule_limit(message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: "RuleLimitExceededException", message }
    }
}

impl From<Failure> for ApiError {
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

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        let status = if error.retryable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
        Failure::new(status, error.message).into()
    }
}

/// The result of an operation.
pub(super) type ApiResult = Result<Value, ApiError>;

/// The result of an operation whose answer may be large, with its memory.
pub(super) type LargeResult = Result<(Value, Share), ApiError>;

/// A request's body, and the region it was meant for.
pub(super) struct ApiRequest {
    pub(super) body: Map<String, Value>,
    pub(super) region: String,
    _share: Share,
}

impl ApiRequest {
    pub(super) async fn of(request: Request, bounds: Bounds) -> Result<Self, Failure> {
        let region = region(request.headers());
        let (body, share) = Self::read(request, bounds, |body, takes, _| Ok((body, takes))).await?;
        Ok(Self { body, region, _share: share })
    }

    /// Reads the body, and `then` what it contains, on a blocking thread. `then` gets what the body takes and how much
    /// both may take; it returns its result with what both take.
    pub(super) async fn read<T: Send + 'static>(
        request: Request,
        bounds: Bounds,
        then: impl Fn(Map<String, Value>, usize, usize) -> Result<(T, usize), Unread> + Clone + Send + 'static,
    ) -> Result<(T, Share), Failure> {
        /// What a body's values, and the records of its documents, take of it as a rule.
        const FACTOR: usize = 8;
        const LEAST: usize = 16 * 1024;
        let (head, body) = request.into_parts();
        let packing = Packing::of(&head.headers)?;
        let packed = body::receive(body, LIMIT, bounds).await?;
        let likely = body::likely_size(&packed, packing, LIMIT);
        let read = move |granted: usize| {
            let body = body::unpack_within(packed.clone(), packing, LIMIT, granted)?;
            let unpacked = if packing == Packing::Plain { 0 } else { body.len() };
            let takes = tree_of(&body)?;
            if unpacked.saturating_add(takes) > granted {
                return Err(Unread::NeedsMore);
            }
            let read = object(&body)?;
            drop(body);
            then(read, takes, granted)
        };
        body::read_within(bounds.budget, likely.saturating_mul(FACTOR).saturating_add(LEAST), read).await
    }

    /// A member; null counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.body.get(key).filter(|value| !value.is_null())
    }

    /// An optional string.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, ApiError> {
        text(&self.body, key)
    }

    /// An optional list.
    pub(super) fn list(&self, key: &str) -> Result<&[Value], ApiError> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(ApiError::invalid(format!("{key} is not a list."))),
        }
    }

    /// A required time: seconds since 1970, or RFC 3339.
    pub(super) fn time(&self, key: &str) -> Result<Nanos, ApiError> {
        let time = match self.get(key) {
            None => return Err(ApiError::invalid(format!("{key} is missing."))),
            Some(Value::String(text)) => {
                Nanos::parse_rfc3339(text).or_else(|| text.trim().parse().ok().and_then(Nanos::from_seconds))
            }
            Some(value) => value.as_f64().and_then(Nanos::from_seconds),
        };
        time.ok_or_else(|| {
            ApiError::invalid(format!("{key} is neither seconds since 1970 nor a time like 2026-11-23T15:20:12Z."))
        })
    }
}

/// What a body takes as values.
fn tree_of(body: &[u8]) -> Result<usize, Failure> {
    /// Far more than any operation needs: documents are strings, and count with their length only.
    const MOST: usize = LIMIT + 16 * 1024 * 1024;
    match json::tree_bytes(body) {
        takes if takes > MOST => Err(Failure::new(StatusCode::BAD_REQUEST, "The body contains too many values.")),
        takes => Ok(takes),
    }
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match json::read(body) {
        Ok((Value::Object(body), _)) => Ok(body),
        Ok(_) => Err(Failure::new(StatusCode::BAD_REQUEST, "The body is not a JSON object.")),
        Err(why) => Err(Failure::new(StatusCode::BAD_REQUEST, format!("The body is not readable JSON: {why}."))),
    }
}

/// An optional string.
pub(super) fn text<'a>(body: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, ApiError> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::invalid(format!("{key} is not a string."))),
    }
}

/// Seconds since 1970 with a fraction, as in AWS's JSON.
pub(super) fn seconds(time: Nanos) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the API's own form")]
    let nanos = time.0 as f64;
    nanos / 1e9
}

/// The region in a signed request's scope (`Credential=ID/DAY/REGION/xray/aws4_request`). Nothing else of that header
/// is read.
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

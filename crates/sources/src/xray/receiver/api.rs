//! What the operations of the X-Ray API share: their request, their result, and their context.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use tracebook_core::clock::Clock;
use tracebook_core::time::Nanos;

use crate::body::{self, Failure, Packing};
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
}

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

/// A request's body, and the region it was meant for.
pub(super) struct ApiRequest {
    pub(super) body: Map<String, Value>,
    pub(super) region: String,
}

impl ApiRequest {
    pub(super) async fn of(request: Request) -> Result<Self, Failure> {
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

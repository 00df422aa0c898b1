//! Errors in AWS's words if they are known, because SDKs and people match on them.

use axum::http::StatusCode;

use crate::receive::CommitError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) kind: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }

    fn bad(kind: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, kind, message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::bad("InvalidParameterException", message)
    }

    /// A value that violates the API's model. Long lists and ARNs are not quoted, as at AWS.
    pub(super) fn constraint(value: Option<&str>, member: &str, constraint: &str) -> Self {
        const LONGEST: usize = 2048;
        let quoted = match value {
            Some(value) => format!(" '{}'", value.chars().take(LONGEST).collect::<String>()),
            None => String::new(),
        };
        Self::invalid(format!(
            "1 validation error detected: Value{quoted} at '{member}' failed to satisfy constraint: {constraint}"
        ))
    }

    pub(super) fn missing(member: &str) -> Self {
        Self::invalid(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    }

    pub(super) fn unreadable(message: impl Into<String>) -> Self {
        Self::bad("SerializationException", message)
    }

    pub(super) fn unknown_operation(message: impl Into<String>) -> Self {
        Self::bad("UnknownOperationException", message)
    }

    pub(super) fn too_many_tags(message: impl Into<String>) -> Self {
        Self::bad("TooManyTagsException", message)
    }

    /// Groups, streams and tags take as much as they may.
    pub(super) fn limit_exceeded() -> Self {
        Self::bad("LimitExceededException", "Resource limit exceeded.")
    }

    pub(super) fn no_group() -> Self {
        Self::bad("ResourceNotFoundException", "The specified log group does not exist.")
    }

    pub(super) fn no_stream() -> Self {
        Self::bad("ResourceNotFoundException", "The specified log stream does not exist.")
    }

    pub(super) fn group_exists() -> Self {
        Self::bad("ResourceAlreadyExistsException", "The specified log group already exists")
    }

    pub(super) fn stream_exists() -> Self {
        Self::bad("ResourceAlreadyExistsException", "The specified log stream already exists")
    }

    /// Too many questions are answered at once.
    pub(super) fn throttled() -> Self {
        Self::bad(
            "ThrottlingException",
            "Rate exceeded: too many events are being read at once. Ask again in a moment.",
        )
    }

    /// Whether log handlers cause it in normal operation, to find out what they must create.
    pub(super) fn is_everyday(&self) -> bool {
        matches!(self.kind, "ResourceNotFoundException" | "ResourceAlreadyExistsException")
    }
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        match error.retryable {
            true => Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", error.message),
            false => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", error.message),
        }
    }
}

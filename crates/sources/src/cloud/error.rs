//! Why a source did not answer, in classes that callers act on.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No credentials were found.
    NoCredentials,
    /// The credentials have expired.
    Expired,
    /// The source rejects the credentials.
    Rejected,
    /// The credentials are valid but do not allow this: a scope, a policy, a plan.
    Forbidden,
    /// Too many requests, even after waiting.
    Throttled,
    /// No answer, or not in time.
    Unreachable,
    /// What was requested does not exist.
    NotFound,
    /// The request is wrong: a filter, a range.
    Invalid,
    /// The source cannot do this (an emulator, an older API).
    Unsupported,
    /// Cancelled by the user.
    Cancelled,
    /// The source failed, or its answer is not as documented.
    Broken,
}

impl Fault {
    /// Its name in diagnostics.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Forbidden => "forbidden",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::NotFound => "not_found",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::Cancelled => "cancelled",
            Self::Broken => "broken",
        }
    }
}

/// A fault with what happened and what to do. Never holds a token, a signature or a query string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    pub fault: Fault,
    /// What happened, for people.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
    /// How long the source asks to wait before the next request, if it says so.
    pub retry_after: Option<Duration>,
}

impl SourceError {
    pub fn new(fault: Fault, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { fault, message: message.into(), hint: hint.into(), retry_after: None }
    }

    /// Sets how long the source asks to wait.
    pub fn after(self, pause: Option<Duration>) -> Self {
        Self { retry_after: pause, ..self }
    }

    pub fn cancelled() -> Self {
        Self::new(Fault::Cancelled, "cancelled", "What was fetched so far is kept until Tracebook exits")
    }
}

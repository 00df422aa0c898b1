//! Why a source did not answer, in classes that somebody acts on.

use std::time::Duration;

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There are no credentials.
    NoCredentials,
    /// There are, and their time is over.
    Expired,
    /// There are, and the source does not take them.
    Rejected,
    /// They are good, and do not allow this: a scope, a policy, a plan.
    Forbidden,
    /// Too many requests, also after waiting.
    Throttled,
    /// Nobody answered, or not in time.
    Unreachable,
    /// What was asked for is not there.
    NotFound,
    /// The question itself is wrong: a filter, a range.
    Invalid,
    /// The source cannot do this (an emulator, an older API).
    Unsupported,
    /// The user ended it.
    Cancelled,
    /// The source failed, or said what its documents do not.
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
    /// Which kind.
    pub fault: Fault,
    /// What happened, for people.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
    /// How long the source asks to wait before it is asked again, where it says so.
    pub retry_after: Option<Duration>,
}

impl SourceError {
    /// A fault with what to do about it.
    pub fn new(fault: Fault, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { fault, message: message.into(), hint: hint.into(), retry_after: None }
    }

    /// The same, from a source that asks to wait so long.
    pub fn after(self, pause: Option<Duration>) -> Self {
        Self { retry_after: pause, ..self }
    }

    /// The user ended it.
    pub fn cancelled() -> Self {
        Self::new(Fault::Cancelled, "cancelled", "What was fetched before is kept in this run's memory")
    }
}

//! Errors for users and scripts.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use tracebook_sources::cloud::{Fault, SourceError};
use tracebook_store::StoreError;

/// A failure with a hint on what to do.
///
/// The command line turns the code into an exit code, the window into a place to show it. Add a code only where a
/// caller acts on it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub code: Code,
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
}

/// The classes of failure, each with the exit code of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// There is nothing of that name, or nothing matches. Exit 1.
    NotFound,
    /// The request is invalid. Exit 2.
    Usage,
    /// A source or a port named by the user could not be reached. Exit 3.
    Unreachable,
    /// A source rejects the credentials, or there are none. Exit 3.
    Credentials,
    /// A key file has a passphrase, and none was given. Exit 3.
    Passphrase,
    /// A source limits the rate of calls. Exit 3.
    Throttled,
    /// A source does not support this: an emulator, a plan, an older API. Exit 5.
    Unsupported,
    /// Refused to protect data. Exit 4.
    Refused,
    /// Not implemented yet. Exit 5.
    NotBuilt,
    /// Cancelled by the caller. Exit 5.
    Cancelled,
    /// The disk or the database failed. Exit 5.
    Storage,
    /// A bug of this app. Exit 5.
    Internal,
}

/// The JSON form: `{"code", "message", "hint"}`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ErrorBody {
    pub code: Code,
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
}

impl Error {
    pub fn new(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into() }
    }

    pub fn not_found(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message, hint)
    }

    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Code::Usage, message, hint)
    }

    pub fn not_built(what: &str) -> Self {
        Self::new(
            Code::NotBuilt,
            format!("{what} is not implemented in this version"),
            "CHANGELOG.md lists what is implemented",
        )
    }

    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::new(Code::Internal, cause.to_string(), "This is a bug of Tracebook: please report it with this message")
    }

    /// The JSON form.
    pub fn body(&self) -> ErrorBody {
        ErrorBody { code: self.code, message: self.message.clone(), hint: self.hint.clone() }
    }

    /// The exit code of the command line's contract.
    pub fn exit_code(&self) -> u8 {
        match self.code {
            Code::NotFound => 1,
            Code::Usage => 2,
            Code::Unreachable | Code::Credentials | Code::Passphrase | Code::Throttled => 3,
            Code::Refused => 4,
            Code::NotBuilt | Code::Unsupported | Code::Cancelled | Code::Storage | Code::Internal => 5,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Newer { .. }
            | StoreError::Lost { .. }
            | StoreError::InUse { .. }
            | StoreError::NotOurs { .. }
            | StoreError::NotABackup { .. } => Code::Refused,
            StoreError::Full
            | StoreError::ReadOnly(_)
            | StoreError::Busy
            | StoreError::Replaced { .. }
            | StoreError::Damaged(_)
            | StoreError::Io(_)
            | StoreError::Invalid(_)
            | StoreError::Other(_) => Code::Storage,
        };
        Self::new(code, error.to_string(), error.hint())
    }
}

impl From<SourceError> for Error {
    fn from(error: SourceError) -> Self {
        let code = match error.fault {
            Fault::NoCredentials | Fault::Expired | Fault::Rejected | Fault::Forbidden => Code::Credentials,
            Fault::Throttled => Code::Throttled,
            Fault::Unreachable | Fault::Broken => Code::Unreachable,
            Fault::NotFound => Code::NotFound,
            Fault::Invalid => Code::Usage,
            Fault::Unsupported => Code::Unsupported,
            Fault::Cancelled => Code::Cancelled,
        };
        Self::new(code, error.message, error.hint)
    }
}

//! What went wrong, in the words of log groups.

use aws_sdk_cloudwatchlogs::config::http::HttpResponse;
use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};

use super::Client;
use crate::clip;
use crate::cloud::{Fault, SourceError};

/// How groups are named.
pub(super) const GROUP_NAME: &str = "log groups are named with letters, digits and . - _ / #";

impl Client {
    /// Sorts a failure.
    pub(super) fn fault<E>(&self, error: &SdkError<E, HttpResponse>) -> SourceError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.whose.classify(error)
    }

    /// Sorts a failure of a question to one group: what is not found is that group, or a stream in it.
    pub(super) fn fault_in<E>(&self, error: &SdkError<E, HttpResponse>, group: &str) -> SourceError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut fault = self.fault(error);
        if fault.fault == Fault::NotFound {
            fault.message = format!("log group {group}: {}", fault.message);
        }
        fault
    }
}

/// There is no such group.
pub(super) fn no_group(group: &str) -> SourceError {
    SourceError::new(Fault::NotFound, format!("there is no log group {group}"), "Check the name and the region")
}

/// `[\.\-_/#A-Za-z0-9]`
pub(super) fn in_group_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/' | b'#')
}

/// Refuses what is no group's name, before it is asked for.
pub(super) fn group_name(group: &str) -> Result<(), SourceError> {
    if (1..=512).contains(&group.len()) && group.bytes().all(in_group_name) {
        return Ok(());
    }
    let message = match group {
        "" => "no log group is named".to_owned(),
        group => format!("{:?} is no log group's name", clip(group)),
    };
    Err(SourceError::new(Fault::Invalid, message, format!("Name one: {GROUP_NAME}")))
}

/// Refuses what is no stream's name: `[^:*]{1,512}`.
pub(super) fn stream_name(stream: &str) -> Result<(), SourceError> {
    if (1..=512).contains(&stream.chars().count()) && !stream.contains([':', '*']) {
        return Ok(());
    }
    let message = format!("{:?} is no log stream's name", clip(stream));
    Err(SourceError::new(Fault::Invalid, message, "A stream's name has up to 512 characters, and no : or *"))
}

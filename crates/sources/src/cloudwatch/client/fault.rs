//! Errors that concern log groups and streams.

use aws_sdk_cloudwatchlogs::config::http::HttpResponse;
use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};

use super::Client;
use crate::cloud::{Fault, SourceError};
use crate::text::clip;

/// The rule for names of groups.
pub(super) const GROUP_NAME: &str = "names of log groups consist of letters, digits and . - _ / #";

impl Client {
    pub(super) fn fault<E>(&self, error: &SdkError<E, HttpResponse>) -> SourceError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.errors.classify(error)
    }

    /// The error of a request to one group: what is not found is that group, or a stream in it.
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

pub(super) fn no_group(group: &str) -> SourceError {
    SourceError::new(Fault::NotFound, format!("there is no log group {group}"), "Check the name and the region")
}

/// `[\.\-_/#A-Za-z0-9]`
pub(super) fn in_group_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/' | b'#')
}

/// Refuses an invalid group name before any request.
pub(super) fn group_name(group: &str) -> Result<(), SourceError> {
    if (1..=512).contains(&group.len()) && group.bytes().all(in_group_name) {
        return Ok(());
    }
    let message = match group {
        "" => "no log group given".to_owned(),
        group => format!("{:?} is not a valid log group name", clip(group)),
    };
    Err(SourceError::new(Fault::Invalid, message, format!("Name one: {GROUP_NAME}")))
}

/// Refuses an invalid stream name: `[^:*]{1,512}`.
pub(super) fn stream_name(stream: &str) -> Result<(), SourceError> {
    if (1..=512).contains(&stream.chars().count()) && !stream.contains([':', '*']) {
        return Ok(());
    }
    let message = format!("{:?} is not a valid log stream name", clip(stream));
    Err(SourceError::new(Fault::Invalid, message, "A stream's name has up to 512 characters, and no : or *"))
}

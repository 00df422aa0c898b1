//! AWS CloudWatch Logs: the local end of its JSON 1.1 API, as watchtower, boto3 and `aws logs` speak it, and a client of AWS's.

pub mod client;
pub mod links;
pub mod receiver;
pub mod severity;
pub mod trace_id;

use std::collections::BTreeMap;

use async_trait::async_trait;
use tracebook_core::log_query::{LogGroup, LogQuery, LogStream, StoredLog};
use tracebook_core::telemetry::LogRecord;
use tracebook_core::time::Nanos;

use crate::receive::CommitError;

/// What the receiver needs of whoever keeps log events. Order is by time, then place. Groups that OTLP log records made
/// by their service's name are not in it: only what was created here.
#[async_trait]
pub trait LogStore: Send + Sync {
    /// Every group, by name.
    async fn groups(&self) -> Result<Vec<LogGroup>, CommitError>;
    /// One group, if there is one of this name. Asked with every request: worth a query of its own.
    async fn group(&self, name: &str) -> Result<Option<LogGroup>, CommitError> {
        Ok(self.groups().await?.into_iter().find(|group| group.name == name))
    }
    /// Makes a group; false where there is one of this name.
    async fn create_group(&self, name: &str, tags: BTreeMap<String, String>, now: Nanos) -> Result<bool, CommitError>;
    /// Deletes a group with its streams and events; false where there is none.
    async fn delete_group(&self, name: &str) -> Result<bool, CommitError>;
    /// Sets or takes away a retention; false where there is no such group.
    async fn set_retention(&self, name: &str, days: Option<u32>) -> Result<bool, CommitError>;
    /// Replaces a group's tags; false where there is no such group.
    async fn set_tags(&self, name: &str, tags: BTreeMap<String, String>) -> Result<bool, CommitError>;
    /// Every stream of a group, by name; `None` where there is no such group.
    async fn streams(&self, group: &str) -> Result<Option<Vec<LogStream>>, CommitError>;
    /// Whether a group has a stream of this name. Asked with every batch: worth a query of its own.
    async fn has_stream(&self, group: &str, name: &str) -> Result<bool, CommitError> {
        Ok(self.streams(group).await?.is_some_and(|streams| streams.iter().any(|stream| stream.name == name)))
    }
    /// Makes a stream in a group that exists; false where there is one of this name.
    async fn create_stream(&self, group: &str, name: &str, now: Nanos) -> Result<bool, CommitError>;
    /// Deletes a stream with its events; false where there is none.
    async fn delete_stream(&self, group: &str, name: &str) -> Result<bool, CommitError>;
    /// Keeps events of one stream for good.
    async fn put(&self, events: Vec<LogRecord>) -> Result<(), CommitError>;
    /// Reads events.
    async fn events(&self, query: LogQuery) -> Result<Vec<StoredLog>, CommitError>;
}

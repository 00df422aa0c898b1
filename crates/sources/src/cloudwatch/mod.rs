//! AWS CloudWatch Logs: a local version of its JSON 1.1 API, as watchtower, boto3 and `aws logs` use it, and a client
//! of AWS's.

pub mod client;
pub mod links;
pub mod receiver;
pub mod severity;
pub mod trace_id;

use std::collections::BTreeMap;

use async_trait::async_trait;
use tracebook_core::log_query::{LogGroup, LogQuery, LogStream, SettingChange, StoredLog};
use tracebook_core::telemetry::LogRecord;
use tracebook_core::time::Nanos;

use crate::receive::CommitError;

/// Where the receiver keeps log events. The order is by time, then arrival. Contains only what was created through this
/// API, not the groups that OTLP log records form by service name.
#[async_trait]
pub trait LogStore: Send + Sync {
    /// All groups, by name.
    async fn groups(&self) -> Result<Vec<LogGroup>, CommitError>;
    /// Called for every request, so worth a query of its own.
    async fn group(&self, name: &str) -> Result<Option<LogGroup>, CommitError> {
        Ok(self.groups().await?.into_iter().find(|group| group.name == name))
    }
    /// Creates a group that does not exist.
    async fn create_group(
        &self,
        name: &str,
        tags: BTreeMap<String, String>,
        now: Nanos,
    ) -> Result<SettingChange, CommitError>;
    /// Deletes a group with its streams and events; returns false if there is none.
    async fn delete_group(&self, name: &str) -> Result<bool, CommitError>;
    /// Returns false if there is no such group.
    async fn set_retention(&self, name: &str, days: Option<u32>) -> Result<bool, CommitError>;
    /// Replaces the tags of a group that exists.
    async fn set_tags(&self, name: &str, tags: BTreeMap<String, String>) -> Result<SettingChange, CommitError>;
    /// A group's streams, by name; `None` if there is no such group.
    async fn streams(&self, group: &str) -> Result<Option<Vec<LogStream>>, CommitError>;
    /// Called for every batch, so worth a query of its own.
    async fn has_stream(&self, group: &str, name: &str) -> Result<bool, CommitError> {
        Ok(self.streams(group).await?.is_some_and(|streams| streams.iter().any(|stream| stream.name == name)))
    }
    /// Creates a stream that does not exist, in a group that does.
    async fn create_stream(&self, group: &str, name: &str, now: Nanos) -> Result<SettingChange, CommitError>;
    /// Deletes a stream with its events; returns false if there is none.
    async fn delete_stream(&self, group: &str, name: &str) -> Result<bool, CommitError>;
    /// Stores events of one stream permanently.
    async fn put(&self, events: Vec<LogRecord>) -> Result<(), CommitError>;
    async fn events(&self, query: LogQuery) -> Result<Vec<StoredLog>, CommitError>;
}

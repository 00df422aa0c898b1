//! AWS CloudWatch Logs: the local end of its JSON 1.1 API, as watchtower, boto3 and `aws logs` speak it, and a client of AWS's.

pub mod client;
pub mod links;
pub mod receiver;
pub mod severity;
pub mod trace_id;

use std::collections::BTreeMap;

use async_trait::async_trait;
use tracebook_core::telemetry::LogRecord;
use tracebook_core::time::Nanos;

use crate::receive::CommitError;

/// A log group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// When it was created.
    pub created: Nanos,
    /// After how many days events are deleted; `None`: never.
    pub retention_days: Option<u32>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// How many bytes its messages have.
    pub stored_bytes: u64,
}

/// A log stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogStream {
    /// Its name.
    pub name: String,
    /// When it was created.
    pub created: Nanos,
    /// The oldest event's time.
    pub first_event: Option<Nanos>,
    /// The newest event's time.
    pub last_event: Option<Nanos>,
    /// When the last event arrived.
    pub last_ingestion: Option<Nanos>,
}

/// A log event as stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place: grows with arrival, never reused.
    pub seq: i64,
    /// When it happened.
    pub timestamp: Nanos,
    /// When it arrived.
    pub ingested: Nanos,
    /// Its stream.
    pub stream: String,
    /// Its text.
    pub message: String,
}

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// The group.
    pub group: String,
    /// Only of these streams; empty: of all.
    pub streams: Vec<String>,
    /// Only of streams that begin so; empty: of all.
    pub stream_prefix: String,
    /// Only those that happened at or after this.
    pub from: Option<Nanos>,
    /// Only those that happened before this.
    pub before: Option<Nanos>,
    /// Go on behind this event (in the order asked for); its time and place.
    pub after: Option<(Nanos, i64)>,
    /// The newest first instead of the oldest.
    pub newest_first: bool,
    /// At most so many.
    pub limit: u32,
    /// The event with which the messages reach so many bytes is the last one, so that events of 1 MiB cost no gigabytes;
    /// 0: no bound. Fewer than `limit` events then do not say that there are no more: an empty answer does.
    pub most_bytes: u64,
}

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
    async fn events(&self, query: EventQuery) -> Result<Vec<StoredEvent>, CommitError>;
}

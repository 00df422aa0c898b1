//! Stored log events, CloudWatch's groups and streams, and the query that selects events: shared by receivers and
//! store.

use std::collections::BTreeMap;

use crate::ids::TraceId;
use crate::telemetry::LogRecord;
use crate::time::Nanos;

/// A stored log event.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLog {
    /// Increases with arrival and is never reused.
    pub seq: i64,
    pub received: Nanos,
    pub record: LogRecord,
}

/// The order of log events: by time, then by arrival (`seq`).
pub type LogPosition = (Nanos, i64);

impl StoredLog {
    pub fn position(&self) -> LogPosition {
        (self.record.timestamp, self.seq)
    }
}

/// Selects log events. A field that is empty or `None` does not restrict.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    pub group: Option<String>,
    pub streams: Vec<String>,
    pub stream_prefix: String,
    /// Only events received through the CloudWatch Logs API.
    pub cloudwatch_only: bool,
    pub trace_id: Option<TraceId>,
    /// Inclusive.
    pub from: Option<Nanos>,
    /// Exclusive.
    pub before: Option<Nanos>,
    /// Only events that arrived at or after this.
    pub arrived: Option<Nanos>,
    /// In the order of arrival instead of time; positions then have the time of arrival.
    pub by_arrival: bool,
    /// Continue after this event, in the requested order.
    pub after: Option<LogPosition>,
    /// Newest first instead of oldest first.
    pub newest_first: bool,
    pub limit: u32,
    /// Stop with the event whose message and bytes bring the total to this many bytes; 0 for no bound. Fewer than
    /// `limit` events then do not mean that there are no more: only an empty answer does.
    pub max_bytes: u64,
}

/// The result of creating or changing a log group or a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingChange {
    Done,
    /// It exists already, or what is to be changed does not exist.
    Conflict,
    /// Groups and streams would take more than they may.
    LimitExceeded,
}

/// A log group created through the CloudWatch Logs API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogGroup {
    pub name: String,
    pub created: Nanos,
    /// `None` keeps events indefinitely.
    pub retention_days: Option<u32>,
    pub tags: BTreeMap<String, String>,
    /// The sum of the messages' lengths.
    pub stored_bytes: u64,
}

/// A log stream created through the CloudWatch Logs API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogStream {
    pub name: String,
    pub created: Nanos,
    /// Time of the oldest event.
    pub first_event: Option<Nanos>,
    /// Time of the newest event.
    pub last_event: Option<Nanos>,
    /// When the last event arrived.
    pub last_ingestion: Option<Nanos>,
}

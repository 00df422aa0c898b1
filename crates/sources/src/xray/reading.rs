//! What the X-Ray API's reading and settings operations need of whoever keeps them.

use async_trait::async_trait;
use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::time::Nanos;
use tracebook_core::xray::{Group, SamplingRule};

use crate::receive::CommitError;

/// Where a trace is in the list of traces: when it began, and its id.
pub type Place = (Nanos, TraceId);

/// Reads traces back, and keeps groups and sampling rules. The built-in `Default` group and rule are not in it.
#[async_trait]
pub trait XrayStore: Send + Sync {
    /// Every group, by name.
    async fn groups(&self) -> Result<Vec<Group>, CommitError>;
    /// Makes a group or replaces the one of this name.
    async fn put_group(&self, group: Group) -> Result<(), CommitError>;
    /// Deletes a group; false where there is none.
    async fn delete_group(&self, name: &str) -> Result<bool, CommitError>;
    /// Every sampling rule, by priority, then name.
    async fn rules(&self) -> Result<Vec<SamplingRule>, CommitError>;
    /// Makes a rule or replaces the one of this name.
    async fn put_rule(&self, rule: SamplingRule) -> Result<(), CommitError>;
    /// Deletes a rule; false where there is none.
    async fn delete_rule(&self, name: &str) -> Result<bool, CommitError>;
    /// Traces that began at or after the first and before the second moment, newest first, those of one moment by id; only
    /// those behind a place in this order where one is given.
    async fn traces(
        &self,
        from: Nanos,
        before: Nanos,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<Place>, CommitError>;
    /// Every span of each of some traces, as received; empty where there is no such trace.
    async fn spans(&self, traces: &[TraceId]) -> Result<Vec<Vec<SpanRecord>>, CommitError>;
}

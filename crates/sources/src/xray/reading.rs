//! What the read and settings operations of the X-Ray API need from the store.

use async_trait::async_trait;
use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::time::Nanos;
use tracebook_core::xray::{Group, SamplingRule};

use crate::receive::CommitError;

/// The position of a trace in the list: its start time and id.
pub type Place = (Nanos, TraceId);

/// Reads traces, and stores groups and sampling rules (without the built-in `Default` ones).
#[async_trait]
pub trait XrayStore: Send + Sync {
    /// Every group, by name.
    async fn groups(&self) -> Result<Vec<Group>, CommitError>;
    /// Creates a group or replaces the one with this name.
    async fn put_group(&self, group: Group) -> Result<(), CommitError>;
    /// Deletes a group; false if there is none.
    async fn delete_group(&self, name: &str) -> Result<bool, CommitError>;
    /// Every sampling rule, by priority, then name.
    async fn rules(&self) -> Result<Vec<SamplingRule>, CommitError>;
    /// Creates a rule or replaces the one with this name.
    async fn put_rule(&self, rule: SamplingRule) -> Result<(), CommitError>;
    /// Deletes a rule; false if there is none.
    async fn delete_rule(&self, name: &str) -> Result<bool, CommitError>;
    /// Traces that started in the range (end exclusive), newest first, then by id; with a position, only those after
    /// it.
    async fn traces(
        &self,
        from: Nanos,
        before: Nanos,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<Place>, CommitError>;
    /// All spans of each trace, as received; empty if the trace does not exist.
    async fn spans(&self, traces: &[TraceId]) -> Result<Vec<Vec<SpanRecord>>, CommitError>;
}

//! Where the X-Ray API reads traces, and stores groups and sampling rules.

use async_trait::async_trait;
use tracebook_core::assemble::LooseSpan;
use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::time::Nanos;
use tracebook_core::trace::TracePosition;
use tracebook_core::xray::{Group, SamplingRule};

use crate::receive::CommitError;

/// Reads a record of any vendor, see [`crate::normalise`]. Passed in, because the API returns traces of all vendors.
pub type Normalise = fn(&SpanRecord) -> (LooseSpan, Vec<String>);

/// Reads traces, and stores groups and sampling rules, without the built-in `Default` group and rule.
#[async_trait]
pub trait XrayStore: Send + Sync {
    /// All groups, by name.
    async fn groups(&self) -> Result<Vec<Group>, CommitError>;
    /// Creates or replaces a group.
    async fn put_group(&self, group: Group) -> Result<(), CommitError>;
    /// Returns false if there is no such group.
    async fn delete_group(&self, name: &str) -> Result<bool, CommitError>;
    /// All sampling rules, by priority, then name.
    async fn rules(&self) -> Result<Vec<SamplingRule>, CommitError>;
    /// Creates or replaces a rule.
    async fn put_rule(&self, rule: SamplingRule) -> Result<(), CommitError>;
    /// Returns false if there is no such rule.
    async fn delete_rule(&self, name: &str) -> Result<bool, CommitError>;
    /// Traces that began at or after `from` and before `before`, newest first, then by id; continues after a position
    /// if one is given.
    async fn traces(
        &self,
        from: Nanos,
        before: Nanos,
        after: Option<TracePosition>,
        limit: u32,
    ) -> Result<Vec<TracePosition>, CommitError>;
    /// What the spans of each trace take as stored, in bytes; 0 if there is no such trace.
    async fn sizes(&self, traces: &[TraceId]) -> Result<Vec<u64>, CommitError>;
    /// The spans of each trace, as received: those that arrived first, as far as they have at most `most` bytes
    /// together. Empty if there is no such trace.
    async fn spans(&self, traces: &[TraceId], most: u64) -> Result<Vec<Vec<SpanRecord>>, CommitError>;
}

//! Queries of a source: local telemetry or a cloud service.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use crate::catalog::Source;
use crate::time::Nanos;

/// A query: source, time range, filter and limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Question {
    pub source: Source,
    /// The filter in the source's own language; empty matches everything.
    #[serde(default)]
    pub filter: String,
    /// Only items that began at or after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub since: Option<Nanos>,
    /// Maximum number of items.
    pub limit: u32,
}

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
    /// Only items that began before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Nanos>,
    /// Maximum number of items.
    pub limit: u32,
}

/// A time range of local telemetry. A field that is `None` does not restrict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// What arrived at or after this. A range that ends now goes by arrival, because the clocks of senders differ.
    pub arrived: Option<Nanos>,
    /// What happened at or after this, by the clock of its sender, as lists show it.
    pub from: Option<Nanos>,
    /// What happened before this, by the same clock.
    pub to: Option<Nanos>,
}

impl Window {
    /// What arrived at or after a time.
    pub fn since(arrived: Nanos) -> Self {
        Self { arrived: Some(arrived), ..Self::default() }
    }

    /// The start, by whichever clock.
    pub fn start(self) -> Option<Nanos> {
        self.arrived.max(self.from)
    }
}

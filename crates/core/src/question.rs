//! Questions to a source: local telemetry or a cloud service.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::time::Nanos;

/// A system that evidence is read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// What this app's own receivers have received.
    #[default]
    Local,
    /// AWS X-Ray.
    Xray,
    /// AWS CloudWatch Logs.
    Cloudwatch,
    /// Rollbar.
    Rollbar,
    /// Honeycomb.
    Honeycomb,
}

/// A question: which source, what range, which filter, how many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Question {
    pub source: Source,
    /// The filter's text, in the source's own language; empty asks for everything.
    #[serde(default)]
    pub filter: String,
    /// Only what began at or after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub since: Option<Nanos>,
    /// At most this many.
    pub limit: u32,
}

//! Log events, from OTLP log records and from CloudWatch Logs alike.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{SpanId, TraceId};
use crate::time::Nanos;
use crate::value::Attribute;

/// Which protocol a log event came by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum LogOrigin {
    /// An OTLP log record.
    #[default]
    Otlp,
    /// CloudWatch Logs' PutLogEvents.
    Cloudwatch,
}

/// One log event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct LogEvent {
    /// When it happened, as the sender says; the moment of arrival where it does not.
    pub timestamp: Nanos,
    /// CloudWatch's log group; an OTLP record's service.
    pub group: String,
    /// CloudWatch's log stream; an OTLP record's scope (the logger's name).
    pub stream: String,
    /// Its text; for an OTLP body that is no text, its written form.
    pub message: String,
    /// The trace it belongs to, where the record or its text says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub trace_id: Option<TraceId>,
    /// The span it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub span_id: Option<SpanId>,
    /// `ERROR`, `WARN`, … as the sender wrote it; empty if it did not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub severity: String,
    /// OTLP attributes, with the resource's under `resource.`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub attributes: Vec<Attribute>,
    /// Which protocol it came by.
    pub origin: LogOrigin,
}

/// Log events as evidence: what matched a question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Logs {
    /// The events, oldest first.
    pub events: Vec<LogEvent>,
    /// How many more matched and were left out: the oldest ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub more: u32,
    /// What the reader must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

/// A log event in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LogRow {
    /// Its place in the telemetry: what `capture logs ID` takes.
    pub id: String,
    /// When, RFC 3339.
    pub timestamp: String,
    /// CloudWatch's log group; an OTLP record's service.
    pub group: String,
    /// CloudWatch's log stream; an OTLP record's scope.
    pub stream: String,
    /// Its text.
    pub message: String,
    /// The trace it belongs to, if it says so.
    pub trace_id: Option<TraceId>,
    /// As the sender wrote it; empty if it did not.
    pub severity: String,
}

impl Logs {
    /// First and last moment; zeros where there is no event.
    pub fn range(&self) -> (Nanos, Nanos) {
        let times = self.events.iter().map(|e| e.timestamp);
        (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default())
    }

    /// Every group, in order of appearance.
    pub fn groups(&self) -> Vec<&str> {
        let mut seen = Vec::new();
        for event in &self.events {
            if !event.group.is_empty() && !seen.contains(&event.group.as_str()) {
                seen.push(event.group.as_str());
            }
        }
        seen
    }
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

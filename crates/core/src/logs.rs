//! Log events, from OTLP log records and CloudWatch Logs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::console::short_name;
use crate::content::Content;
use crate::event_filter::Severity;
use crate::ids::{SpanId, TraceId};
use crate::level::{self, LogLevel};
use crate::text::count;
use crate::time::Nanos;
use crate::trace::{Resource, Scope};
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
    /// When it happened according to the sender, else when it arrived.
    pub timestamp: Nanos,
    /// CloudWatch's log group; an OTLP record's service.
    pub group: String,
    /// CloudWatch's log stream; an OTLP record's scope (the logger's name).
    pub stream: String,
    /// Its text; an OTLP body that is not a string in its written form.
    pub message: String,
    /// The trace it belongs to, where the record or its text says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub trace_id: Option<TraceId>,
    /// The span it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub span_id: Option<SpanId>,
    /// `ERROR`, `WARN`, … as sent; empty if missing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub severity: String,
    /// OTLP's number of the severity, which does not depend on the sender's language: 9 is INFO, 17 ERROR; 0 if
    /// missing.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub severity_number: u32,
    /// OTLP attributes, with the resource's under `resource.`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub attributes: Vec<Attribute>,
    /// The number of attributes that the sender dropped.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub dropped_attributes: u32,
    /// OTLP: when the event was observed, if that is not its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub observed: Option<Nanos>,
    /// OTLP: W3C flags as sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub flags: u32,
    /// OTLP: the logger. Its name is also in `stream`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[ts(optional, as = "Option<_>")]
    pub scope: Scope,
    /// OTLP: what is known of the sender besides its attributes.
    #[serde(default, skip_serializing_if = "is_default")]
    #[ts(optional, as = "Option<_>")]
    pub resource: Resource,
    /// Which protocol it came by.
    pub origin: LogOrigin,
}

/// Log events as evidence: those that matched a query.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Logs {
    /// The events, oldest first.
    pub events: Vec<LogEvent>,
    /// The number of older matching events that were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub more: u32,
    /// Notes for the reader.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

/// A log event in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LogRow {
    /// Its sequence number in the telemetry, the ID of `capture logs ID`.
    pub id: String,
    /// When, RFC 3339.
    pub timestamp: String,
    /// CloudWatch's log group; an OTLP record's service.
    pub group: String,
    /// CloudWatch's log stream; an OTLP record's scope.
    pub stream: String,
    pub message: String,
    /// The trace it belongs to, if it says so.
    pub trace_id: Option<TraceId>,
    /// As sent; empty if missing.
    pub severity: String,
    /// How far the sender's clock is ahead of this machine's, or behind if negative, in milliseconds; only where that
    /// is more than usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub skew_ms: Option<i64>,
}

impl LogEvent {
    /// Its severity for filters.
    pub fn level(&self) -> Severity<'_> {
        Severity { text: &self.severity, number: u8::try_from(self.severity_number).unwrap_or_default() }
    }

    /// Its level, from its severity and its text. The number of OTLP's severity is the same in every language.
    pub fn log_level(&self) -> Option<LogLevel> {
        let word = match self.severity_number {
            1..=8 => "DEBUG",
            9..=12 => "INFO",
            13..=16 => "WARN",
            17..=20 => "ERROR",
            21..=24 => "FATAL",
            _ => &self.severity,
        };
        level::level(word, &self.message)
    }
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

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl LogOrigin {
    /// The protocol, as text.
    pub(crate) fn protocol(self) -> &'static str {
        match self {
            Self::Otlp => "OTLP",
            Self::Cloudwatch => "CloudWatch Logs API",
        }
    }
}

impl Content for Logs {
    fn title(&self) -> String {
        let groups = self.groups();
        let from = match groups.as_slice() {
            [] => String::new(),
            [one] => format!(" of {}", short_name(one)),
            [one, rest @ ..] => format!(" of {} and {} more", short_name(one), rest.len()),
        };
        match self.events.as_slice() {
            [event] => format!("log event{from}: {}", short_name(&event.message)),
            events => format!("{}{from}", count(events.len(), "log event")),
        }
    }

    fn range(&self) -> (Nanos, Nanos) {
        Self::range(self)
    }

    fn via(&self) -> BTreeSet<&'static str> {
        self.events.iter().map(|event| event.origin.protocol()).collect()
    }
}

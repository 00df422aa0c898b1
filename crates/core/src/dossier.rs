//! A dossier: everything that is known of one request, as one evidence with one time line.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::console::ConsoleLine;
use crate::errors::Occurrence;
use crate::ids::TraceId;
use crate::logs::LogEvent;
use crate::time::Nanos;
use crate::trace::Trace;

/// By what a piece was found to belong to the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Join {
    /// It carries the trace id: a field of the record, or its text.
    TraceId,
    /// A header that it carries (`traceparent`, `X-Amzn-Trace-Id`) names the trace.
    Header,
    /// Nothing names the trace: it happened while the request ran, in a service that took part. It may belong to another
    /// request.
    #[default]
    Time,
}

impl Join {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::TraceId => "by trace id",
            Self::Header => "by the request's trace header",
            Self::Time => "by time and service only",
        }
    }
}

/// A log event of the request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct JoinedLog {
    /// How it was found.
    pub by: Join,
    /// The event.
    pub event: LogEvent,
}

/// An error of the request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct JoinedError {
    /// How it was found.
    pub by: Join,
    /// The occurrence.
    pub occurrence: Occurrence,
}

/// A console line of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JoinedLine {
    /// How it was found.
    pub by: Join,
    /// The watched command it came from.
    pub stream: String,
    /// The line.
    pub line: ConsoleLine,
}

/// All that is known of one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Dossier {
    /// The request's trace id.
    pub trace_id: TraceId,
    /// Its spans.
    pub trace: Trace,
    /// Its log events, oldest first.
    pub logs: Vec<JoinedLog>,
    /// Its errors, oldest first.
    pub errors: Vec<JoinedError>,
    /// Its console lines, oldest first.
    pub console: Vec<JoinedLine>,
    /// What the reader must know: what was looked for and not found, what was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

/// What a moment of the time line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The span at this index begins.
    Span(usize),
    /// The log event at this index.
    Log(usize),
    /// The error at this index.
    Error(usize),
    /// The console line at this index.
    Line(usize),
}

impl Dossier {
    /// Everything in the order of time. Rollbar's clock counts whole seconds, so an error may stand up to a second early.
    pub fn time_line(&self) -> Vec<(Nanos, Moment)> {
        let mut line: Vec<(Nanos, Moment)> = Vec::new();
        line.extend(self.trace.spans.iter().enumerate().map(|(i, s)| (s.start, Moment::Span(i))));
        line.extend(self.logs.iter().enumerate().map(|(i, l)| (l.event.timestamp, Moment::Log(i))));
        line.extend(self.errors.iter().enumerate().map(|(i, e)| (e.occurrence.timestamp, Moment::Error(i))));
        line.extend(self.console.iter().enumerate().filter_map(|(i, l)| Some((l.line.time?, Moment::Line(i)))));
        line.sort_by_key(|(time, _)| *time);
        line
    }
}

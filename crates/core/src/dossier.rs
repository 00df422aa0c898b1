//! A dossier: everything known about one request, as one piece of evidence with one timeline.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::access_log::Difference;
use crate::console::{self, ConsoleLine};
use crate::content::Content;
use crate::errors::{self, Occurrence};
use crate::ids::TraceId;
use crate::logs::{LogEvent, LogOrigin};
use crate::text::count;
use crate::time::Nanos;
use crate::trace::Trace;

/// How an item was matched to the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Join {
    /// It contains the trace id, in a field or in its text.
    TraceId,
    /// One of its headers (`traceparent`, `X-Amzn-Trace-Id`) contains the trace id.
    Header,
    /// Only its time matches, and it contains no trace id. It may belong to another request.
    #[default]
    Time,
}

impl Join {
    /// The text for display.
    pub fn words(self) -> &'static str {
        match self {
            Self::TraceId => "by trace id",
            Self::Header => "by the request's trace header",
            Self::Time => "by time only",
        }
    }
}

/// What an error without a trace id has in common with a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// A span handled the path that the error's request names.
    Path,
    /// A span recorded an exception of the same class and message.
    Exception,
}

impl Likeness {
    /// The first likeness found; `None` if there is none.
    pub fn of(trace: &Trace, error: &Occurrence) -> Option<Self> {
        let url = error.request.iter().find(|a| a.key == "url").map(|a| a.value.to_string());
        let path = url.as_deref().map(|url| {
            let rest =
                url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("/", |slash| &rest[slash..]));
            rest.split(['?', '#']).next().unwrap_or(rest)
        });
        if path.is_some_and(|path| trace.spans.iter().any(|s| s.http_path() == Some(path))) {
            return Some(Self::Path);
        }
        let same_exception = error.traces.iter().any(|said| {
            let exceptions = trace.spans.iter().flat_map(|s| &s.exceptions);
            exceptions.into_iter().any(|e| !e.kind.is_empty() && e.kind == said.class && e.message == said.message)
        });
        same_exception.then_some(Self::Exception)
    }
}

/// A log event of the request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct JoinedLog {
    /// How it was matched.
    pub by: Join,
    pub event: LogEvent,
}

impl JoinedLog {
    /// What it was matched by. Events of CloudWatch Logs do not name a service, so only the time was compared.
    pub fn words(&self) -> &'static str {
        match (self.by, self.event.origin) {
            (Join::Time, LogOrigin::Otlp) => "by time and service only",
            (by, _) => by.words(),
        }
    }
}

/// An error of the request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct JoinedError {
    /// How it was matched.
    pub by: Join,
    pub occurrence: Occurrence,
}

impl JoinedError {
    /// What it was matched by.
    pub fn words(&self, trace: &Trace) -> &'static str {
        match (self.by, Likeness::of(trace, &self.occurrence)) {
            (Join::Time, Some(Likeness::Path)) => "by time and path only",
            (Join::Time, Some(Likeness::Exception)) => "by time and exception",
            (by, _) => by.words(),
        }
    }
}

/// A console line of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JoinedLine {
    /// How it was matched.
    pub by: Join,
    /// The watched command it came from.
    pub stream: String,
    pub line: ConsoleLine,
}

impl JoinedLine {
    /// What it was matched by. Console lines do not name a service.
    pub fn words(&self) -> &'static str {
        self.by.words()
    }
}

/// What was logged near a request in time and belongs to other requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut(BTreeMap<Difference, usize>);

impl LeftOut {
    /// Counts one.
    pub fn count(&mut self, difference: Difference) {
        *self.0.entry(difference).or_default() += 1;
    }

    /// `3 log events within the time window belong to other requests: 2 name another path, 1 names another status`.
    pub fn note(&self, noun: &str) -> Option<String> {
        let all: usize = self.0.values().sum();
        let (belongs, requests) = if all == 1 { ("belongs", "another request") } else { ("belong", "other requests") };
        let why: Vec<String> = self
            .0
            .iter()
            .map(|(difference, n)| format!("{n} {} {}", if *n == 1 { "names" } else { "name" }, difference.words()))
            .collect();
        (all > 0)
            .then(|| format!("{} within the time window {belongs} to {requests}: {}", count(all, noun), why.join(", ")))
    }
}

/// Everything known about one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Dossier {
    /// The request's trace id.
    pub trace_id: TraceId,
    pub trace: Trace,
    /// Its log events, oldest first.
    pub logs: Vec<JoinedLog>,
    /// Its errors, oldest first.
    pub errors: Vec<JoinedError>,
    /// Its console lines, oldest first.
    pub console: Vec<JoinedLine>,
    /// Notes for the reader: what was not found, what was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

impl Dossier {
    /// A dossier of a trace, with nothing joined yet.
    pub fn new(trace_id: TraceId, trace: Trace) -> Self {
        Self { trace_id, trace, logs: Vec::new(), errors: Vec::new(), console: Vec::new(), notes: Vec::new() }
    }
}

/// An item of the timeline.
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
    /// All items by time. Rollbar's times are in whole seconds, so an error may appear up to a second early.
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

impl Content for Dossier {
    fn title(&self) -> String {
        let mut parts = vec![self.trace.title()];
        let joined =
            [(self.logs.len(), "log event"), (self.errors.len(), "error"), (self.console.len(), "console line")];
        parts.extend(joined.into_iter().filter(|(n, _)| *n > 0).map(|(n, noun)| count(n, noun)));
        format!("dossier of {}", parts.join(", "))
    }

    fn range(&self) -> (Nanos, Nanos) {
        let line = self.time_line();
        let first = line.first().map_or(self.trace.start(), |(t, _)| *t);
        let last = line.last().map_or(self.trace.end(), |(t, _)| *t);
        (first, last.max(self.trace.end()))
    }

    fn via(&self) -> BTreeSet<&'static str> {
        let mut via = self.trace.via();
        via.extend(self.logs.iter().map(|log| log.event.origin.protocol()));
        via.extend((!self.errors.is_empty()).then_some(errors::PROTOCOL));
        via.extend((!self.console.is_empty()).then_some(console::PROTOCOL));
        via
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::ErrorTrace;
    use crate::ids::SpanId;
    use crate::trace::{Exception, Protocol, Span};
    use crate::value::Attribute;

    #[test]
    fn a_match_by_time_lists_what_else_was_compared() {
        let log = |origin| JoinedLog { by: Join::Time, event: LogEvent { origin, ..LogEvent::default() } };
        assert_eq!(log(LogOrigin::Cloudwatch).words(), "by time only");
        assert_eq!(log(LogOrigin::Otlp).words(), "by time and service only");
        assert_eq!(JoinedLine { by: Join::Time, ..JoinedLine::default() }.words(), "by time only");
        assert_eq!(JoinedLog { by: Join::TraceId, ..log(LogOrigin::Cloudwatch) }.words(), "by trace id");
    }

    #[test]
    fn an_error_is_like_a_trace_by_its_path_or_its_exception() {
        let mut span = Span::new(SpanId([1; 8]), "GET /boom", Protocol::Otlp, Nanos(1));
        span.attributes = vec![Attribute::new("url.path", "/boom")];
        span.exceptions = vec![Exception { kind: "ValueError".into(), message: "no".into(), ..Exception::default() }];
        let trace = Trace { spans: vec![span], ..crate::assemble::assemble(TraceId([1; 16]), Vec::new()) };
        let at = |url: &str| Occurrence { request: vec![Attribute::new("url", url)], ..Occurrence::default() };
        let raised = |message: &str| Occurrence {
            traces: vec![ErrorTrace { class: "ValueError".into(), message: message.into(), ..ErrorTrace::default() }],
            ..Occurrence::default()
        };
        for (error, like, words) in [
            (at("http://localhost:5000/boom?x=1"), Some(Likeness::Path), "by time and path only"),
            (at("http://localhost:5000/"), None, "by time only"),
            (raised("no"), Some(Likeness::Exception), "by time and exception"),
            (raised("yes"), None, "by time only"),
        ] {
            assert_eq!(Likeness::of(&trace, &error), like);
            let error = JoinedError { by: Join::Time, occurrence: error };
            assert_eq!(error.words(&trace), words);
        }
    }
}

//! Traces, the common form of OTLP and X-Ray.
//!
//! The conversion is lossless: data without a field of its own is in `attributes` under the vendor's dotted path
//! (`http.request.url`, `aws.xray.sdk`), and the original bytes are kept as raw data.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::console::short_name;
use crate::content::Content;
use crate::ids::{SpanId, TraceId};
use crate::text::count;
use crate::time::{Nanos, human_duration};
use crate::value::{Attribute, Value, get};

/// The protocol by which a span was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// OpenTelemetry, over HTTP or gRPC.
    Otlp,
    /// An X-Ray segment or subsegment.
    Xray,
    /// Printed by ConsoleSpanExporter and read back from the console.
    Console,
}

/// The kind of a span: OTLP's five, and X-Ray's two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum SpanKind {
    /// Not specified by the sender.
    #[default]
    Unspecified,
    /// Work inside a service.
    Internal,
    /// The handling of a request.
    Server,
    /// A request to another service.
    Client,
    /// Sending a message.
    Producer,
    /// Handling a message.
    Consumer,
    /// An X-Ray segment: one service's part of a request.
    Segment,
    /// An X-Ray subsegment.
    Subsegment,
}

/// The result of a span. OTLP has the first three; X-Ray distinguishes client errors, faults and throttling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum StatusCode {
    /// Not specified by the sender, which is OTLP's default for success.
    #[default]
    Unset,
    /// Reported as successful.
    Ok,
    /// X-Ray's throttle: 429.
    Throttle,
    /// OTLP's error, X-Ray's error (4xx).
    Error,
    /// X-Ray's fault: 5xx or an unhandled exception.
    Fault,
}

impl StatusCode {
    /// Whether it is a failure.
    pub fn is_error(self) -> bool {
        self >= Self::Throttle
    }

    /// The word used in lists and on cards.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Ok => "ok",
            Self::Throttle => "throttle",
            Self::Error => "error",
            Self::Fault => "fault",
        }
    }
}

/// A span's status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "SpanStatus")]
pub struct Status {
    /// Its result.
    pub code: StatusCode,
    /// The sender's message, empty if none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub message: String,
}

/// A timestamped event within a span.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(rename = "SpanEvent")]
pub struct Event {
    pub time: Nanos,
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub attributes: Vec<Attribute>,
    /// The number of attributes that the sender dropped.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub dropped_attributes: u32,
}

/// A link to a span of this or another trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Link {
    /// The linked trace.
    pub trace_id: TraceId,
    /// The linked span.
    pub span_id: SpanId,
    /// W3C trace state.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub trace_state: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub attributes: Vec<Attribute>,
    /// The number of attributes that the sender dropped.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub dropped_attributes: u32,
    /// W3C flags as sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub flags: u32,
}

/// One line of a stack, in the sender's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Frame {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub path: String,
    /// The line in it, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub line: Option<u32>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub label: String,
}

/// An exception, from an OTLP `exception` event or an X-Ray cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Exception {
    /// X-Ray's id, by which other segments of the trace refer to it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub id: String,
    #[serde(default, rename = "type", skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub message: String,
    /// X-Ray: it came from a downstream service.
    #[serde(default, skip_serializing_if = "is_false")]
    #[ts(optional, as = "Option<_>")]
    pub remote: bool,
    /// X-Ray: the frames, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub stack: Vec<Frame>,
    /// X-Ray: the number of frames left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub truncated: u32,
    /// X-Ray: the number of exceptions skipped between this one and its cause.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub skipped: u32,
    /// X-Ray: the id of the exception that caused this one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub cause: String,
    /// OTLP: the stack as one text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub stacktrace: String,
}

impl Exception {
    /// `TypeError: 'NoneType' object is not iterable`; empty if it has neither class nor message.
    pub fn line(&self) -> String {
        let mut line = match (self.kind.is_empty(), self.message.is_empty()) {
            (false, false) => format!("{}: {}", self.kind, self.message),
            (false, true) => self.kind.clone(),
            (true, _) => self.message.clone(),
        };
        if self.remote && !line.is_empty() {
            line.push_str(" (from downstream)");
        }
        line
    }
}

/// The numbers of items that the sender left out of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Dropped {
    /// Attributes.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub attributes: u32,
    /// Events.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub events: u32,
    /// Links.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub links: u32,
}

impl Dropped {
    /// Whether anything was left out.
    pub fn any(self) -> bool {
        self != Self::default()
    }
}

/// The sender of a span: the service and its process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Resource {
    /// Its attributes; `service.name` among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub attributes: Vec<Attribute>,
    /// OTLP's schema URL, empty if none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub schema_url: String,
    /// The number of attributes that the sender dropped.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub dropped_attributes: u32,
}

/// The library that created a span.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Scope {
    /// The library's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub version: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub attributes: Vec<Attribute>,
    /// OTLP's schema URL, empty if none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub schema_url: String,
    /// The number of attributes that the sender dropped.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub dropped_attributes: u32,
}

/// One span, segment or subsegment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Span {
    pub id: SpanId,
    /// Its parent's id, as sent; the parent may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parent: Option<SpanId>,
    /// Its name, as sent.
    pub name: String,
    /// The service it belongs to.
    pub service: String,
    pub kind: SpanKind,
    /// The protocol by which it was received.
    pub protocol: Protocol,
    /// When it began.
    pub start: Nanos,
    /// When it ended; `None` while it is in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub end: Option<Nanos>,
    /// Its result.
    pub status: Status,
    /// OTLP attributes, or X-Ray's `http`, `aws`, `sql`, `service`, … by dotted path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub attributes: Vec<Attribute>,
    /// X-Ray annotations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub annotations: Vec<Attribute>,
    /// X-Ray metadata: one attribute per namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub metadata: Vec<Attribute>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub events: Vec<Event>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub links: Vec<Link>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub exceptions: Vec<Exception>,
    /// X-Ray: the cause is the exception with this id, recorded in another subsegment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub cause_ref: String,
    /// W3C trace state.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub trace_state: String,
    /// W3C flags as sent. Not every SDK sets the sampled bit, so it must not be relied on.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub flags: u32,
    /// What the sender left out.
    #[serde(default, skip_serializing_if = "is_nothing_dropped")]
    #[ts(optional, as = "Option<_>")]
    pub dropped: Dropped,
    /// Index into [`Trace::resources`].
    pub resource: usize,
    /// Index into [`Trace::scopes`].
    pub scope: usize,
}

impl Span {
    /// A span with defaults for all other fields.
    pub fn new(id: SpanId, name: impl Into<String>, protocol: Protocol, start: Nanos) -> Self {
        Self {
            id,
            parent: None,
            name: name.into(),
            service: String::new(),
            kind: SpanKind::default(),
            protocol,
            start,
            end: None,
            status: Status::default(),
            attributes: Vec::new(),
            annotations: Vec::new(),
            metadata: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            exceptions: Vec::new(),
            cause_ref: String::new(),
            trace_state: String::new(),
            flags: 0,
            dropped: Dropped::default(),
            resource: 0,
            scope: 0,
        }
    }

    /// Nanoseconds from start to end, `None` while in progress. Negative if the sender's clock was set back.
    pub fn duration(&self) -> Option<i64> {
        self.end.map(|end| end.0.saturating_sub(self.start.0))
    }

    /// An attribute's value.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        get(&self.attributes, key)
    }

    /// How it failed; `None` if it did not. A status of HTTP refines OTLP's error, and counts where the sender set no
    /// status: 429 is a throttle, 5xx is a fault.
    pub fn failure(&self) -> Option<StatusCode> {
        match (self.status.code, self.http_status()) {
            (StatusCode::Ok, _) => None,
            (StatusCode::Fault, _) => Some(StatusCode::Fault),
            (StatusCode::Throttle, _) | (_, Some(429)) => Some(StatusCode::Throttle),
            (_, Some(500..=599)) => Some(StatusCode::Fault),
            (StatusCode::Error, _) => Some(StatusCode::Error),
            (StatusCode::Unset, _) => None,
        }
    }

    /// The HTTP method, from the old or the new semantic conventions or X-Ray.
    pub fn http_method(&self) -> Option<&str> {
        ["http.request.method", "http.method"].iter().find_map(|k| self.attribute(k)?.as_str())
    }

    /// The HTTP status, from the old or the new semantic conventions or X-Ray.
    pub fn http_status(&self) -> Option<i64> {
        ["http.response.status_code", "http.status_code", "http.response.status"]
            .iter()
            .find_map(|k| self.attribute(k)?.as_int())
    }

    /// The path of the request without its query. Prefers the actual path to the pattern of the route.
    pub fn http_path(&self) -> Option<&str> {
        let target = ["url.path", "http.target", "http.request.url", "http.url", "url.full", "http.route"]
            .iter()
            .find_map(|k| self.attribute(k)?.as_str())?;
        let target = match target.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
            None => target,
        };
        Some(target.split(['?', '#']).next().unwrap_or(target))
    }

    /// The title of this span in lists: `GET /api/activities/home` for the handling of a request, else its name.
    pub fn title(&self) -> String {
        if matches!(self.kind, SpanKind::Server | SpanKind::Segment)
            && let (Some(method), Some(path)) = (self.http_method(), self.http_path())
        {
            return format!("{method} {path}");
        }
        match self.name.is_empty() {
            true => "(no name)".to_owned(),
            false => self.name.clone(),
        }
    }
}

/// All spans that share a trace id. Spans are in the order of [`crate::assemble`]: a parent before its children,
/// siblings by start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Trace {
    pub trace_id: TraceId,
    /// The senders of the spans.
    pub resources: Vec<Resource>,
    /// The libraries that created the spans.
    pub scopes: Vec<Scope>,
    pub spans: Vec<Span>,
    /// Notes for the reader: in progress, missing parents, cycles, drops.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

/// The order of traces in lists: by start, then by id.
pub type TracePosition = (Nanos, TraceId);

/// A trace in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct TraceSummary {
    /// Its id, 32 hex digits.
    pub trace_id: TraceId,
    /// The root's title.
    pub name: String,
    /// Every service in the trace, the root's first.
    pub services: Vec<String>,
    /// The number of spans received so far.
    pub spans: u32,
    /// Milliseconds from the first start to the last end.
    pub duration_ms: f64,
    /// The worst status of any span: `ok`, `error`, `fault`, `throttle`; `in_progress` while the root has not ended.
    pub status: String,
    /// When it began, RFC 3339.
    pub start: String,
    /// Whether any span has an error.
    pub has_error: bool,
    /// The protocols by which its spans were received.
    pub protocols: Vec<Protocol>,
    /// How far the sender's clock is ahead of this machine's, or behind if negative, in milliseconds; only where that
    /// is more than usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub skew_ms: Option<i64>,
    /// What is known about spans without an end, see [`crate::open`]: `1 span without an end time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unfinished: Option<String>,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

fn is_false(b: &bool) -> bool {
    !*b
}

fn is_nothing_dropped(d: &Dropped) -> bool {
    !d.any()
}

impl Trace {
    /// The root span: the first one without a parent in the trace.
    pub fn root(&self) -> Option<&Span> {
        self.spans.first()
    }

    /// First start.
    pub fn start(&self) -> Nanos {
        self.spans.iter().map(|s| s.start).min().unwrap_or_default()
    }

    /// Last end of any span, or its start while it is in progress.
    pub fn end(&self) -> Nanos {
        self.spans.iter().map(|s| s.end.unwrap_or(s.start)).max().unwrap_or_default()
    }

    /// Nanoseconds from first start to last end.
    pub fn duration(&self) -> i64 {
        self.end().0.saturating_sub(self.start().0)
    }

    /// Every service, the root's first, then in order of appearance.
    pub fn services(&self) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        for span in &self.spans {
            if !span.service.is_empty() && !seen.contains(&span.service) {
                seen.push(span.service.clone());
            }
        }
        seen
    }

    /// The worst status of any span.
    pub fn status(&self) -> StatusCode {
        self.spans.iter().map(|s| s.status.code).max().unwrap_or_default()
    }

    /// The status shown in lists and on cards: the worst status, `in progress` while the root has not ended,
    /// `ok` otherwise.
    pub fn status_word(&self) -> &'static str {
        let worst = self.status();
        if worst.is_error() {
            worst.word()
        } else if self.spans.iter().any(|s| s.end.is_none()) {
            "in_progress"
        } else {
            "ok"
        }
    }

    /// `GET /api/activities/home 200`
    pub fn name(&self) -> String {
        let Some(root) = self.root() else { return format!("trace {}", self.trace_id.short()) };
        match root.http_status() {
            Some(status) => format!("{} {status}", root.title()),
            None => root.title(),
        }
    }

    /// The trace as a row of a list.
    pub fn summary(&self) -> TraceSummary {
        let mut protocols: Vec<Protocol> = self.spans.iter().map(|s| s.protocol).collect();
        protocols.sort_unstable();
        protocols.dedup();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
        let duration_ms = self.duration() as f64 / 1e6;
        TraceSummary {
            trace_id: self.trace_id,
            name: self.name(),
            services: self.services(),
            spans: u32::try_from(self.spans.len()).unwrap_or(u32::MAX),
            duration_ms,
            status: self.status_word().to_owned(),
            start: self.start().rfc3339(),
            has_error: self.status().is_error(),
            protocols,
            skew_ms: None,
            unfinished: None,
        }
    }

    /// The errors of a span, one line each: `TypeError: 'NoneType' object is not iterable`. Its exceptions, else the
    /// exception that it refers to, else the message of its status.
    pub fn failures(&self, span: &Span) -> Vec<String> {
        let mut lines: Vec<String> = span.exceptions.iter().map(Exception::line).filter(|l| !l.is_empty()).collect();
        lines.dedup();
        if lines.is_empty() && !span.cause_ref.is_empty() {
            let same = self.exception(&span.cause_ref).map(Exception::line).filter(|l| !l.is_empty());
            lines.push(match same {
                Some(line) => format!("caused by {line}"),
                None => format!("caused by exception {}", span.cause_ref),
            });
        }
        if lines.is_empty() && !span.status.message.is_empty() {
            lines.push(span.status.message.clone());
        }
        lines
    }

    /// Looks an X-Ray exception up by its id, in any span.
    pub fn exception(&self, id: &str) -> Option<&Exception> {
        self.spans.iter().flat_map(|s| &s.exceptions).find(|e| !id.is_empty() && e.id == id)
    }
}

impl Content for Trace {
    /// `GET /api/activities/home 200, 2 spans, 12.4 ms`.
    fn title(&self) -> String {
        let (name, spans) = (short_name(&self.name()), count(self.spans.len(), "span"));
        let mut title = format!("{name}, {spans}, {}", human_duration(self.duration()));
        match self.status_word() {
            "ok" => {}
            word => {
                title.push_str(", ");
                title.push_str(&word.replace('_', " "));
            }
        }
        title
    }

    fn range(&self) -> (Nanos, Nanos) {
        (self.start(), self.end())
    }

    fn via(&self) -> BTreeSet<&'static str> {
        let protocol = |span: &Span| match span.protocol {
            Protocol::Otlp => "OTLP",
            Protocol::Xray => "X-Ray daemon protocol",
            Protocol::Console => "ConsoleSpanExporter's output",
        };
        self.spans.iter().map(protocol).collect()
    }
}

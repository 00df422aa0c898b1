//! Stored telemetry: one record per span, with the fields that lists need and the original bytes. Spans are normalized
//! when a trace is read, so that improvements also apply to stored data.

use std::sync::Arc;

use crate::errors::Level;
use crate::event_filter::Severity;
use crate::ids::{SpanId, TraceId};
use crate::logs::LogOrigin;
use crate::time::Nanos;
use crate::trace::{Protocol, SpanKind, StatusCode};

/// The encoding of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// OTLP protobuf: `raw` is one `Span` message, `resource` a `ResourceSpans` without its
    /// `scope_spans`, `scope` a `ScopeSpans` without its `spans`; unknown fields are still in all three.
    OtlpProtobuf,
    /// OTLP JSON: the same three as JSON objects.
    OtlpJson,
    /// X-Ray: `raw` is one segment or subsegment document without its nested `subsegments` (they
    /// are separate records, with `trace_id` and `parent_id` added); `resource` and `scope` are empty.
    XrayJson,
    /// `raw` is one span as ConsoleSpanExporter printed it: times to the microsecond, no scope; `resource` and `scope`
    /// are empty. Never replaces a span received by another protocol.
    ConsoleJson,
}

impl Encoding {
    /// The protocol.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::OtlpProtobuf | Self::OtlpJson => Protocol::Otlp,
            Self::XrayJson => Protocol::Xray,
            Self::ConsoleJson => Protocol::Console,
        }
    }

    /// The number it is stored as. Never reused.
    pub fn code(self) -> i64 {
        match self {
            Self::OtlpProtobuf => 1,
            Self::OtlpJson => 2,
            Self::XrayJson => 3,
            Self::ConsoleJson => 4,
        }
    }

    /// The reverse of [`Encoding::code`].
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::OtlpProtobuf, Self::OtlpJson, Self::XrayJson, Self::ConsoleJson].into_iter().find(|e| e.code() == code)
    }
}

/// A number that tells spans of OTLP apart that share an id, as client and server do in traces of Zipkin and Jaeger. A
/// span that is sent again, by an exporter that repeats or because it has ended since, has the same number.
///
/// 0 for the other protocols: an X-Ray document replaces the one with its id, and a printed span is known by its id.
pub fn twin(kind: SpanKind, service: &str, start: Nanos) -> i64 {
    // FNV-1a. It is stored with every span, so it is small: only spans that share an id are compared by it.
    let bytes = [kind as u8].into_iter().chain(start.0.to_le_bytes()).chain(service.bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let folded = (hash ^ hash >> 15 ^ hash >> 30 ^ hash >> 45 ^ hash >> 60) & 0x7fff;
    folded.cast_signed().max(1)
}

/// One span as received.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanRecord {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    pub span_id: SpanId,
    /// Tells spans that share an id apart, see [`twin`].
    pub twin: i64,
    /// Its parent's id, as sent.
    pub parent_id: Option<SpanId>,
    /// The encoding.
    pub encoding: Encoding,
    /// The title in lists if it is the root, with the HTTP status if any: `GET /api/activities/home 200`.
    pub title: String,
    /// The service it belongs to.
    pub service: String,
    /// Its start.
    pub start: Nanos,
    /// When it ended; `None` while in progress.
    pub end: Option<Nanos>,
    /// How it ended.
    pub status: StatusCode,
    /// The span's bytes.
    pub raw: Vec<u8>,
    /// The resource's bytes, shared by the spans of one batch.
    pub resource: Arc<[u8]>,
    /// The scope's bytes, shared by the spans of one batch.
    pub scope: Arc<[u8]>,
}

/// The encoding of a log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogEncoding {
    /// OTLP protobuf: `raw` is one `LogRecord` message, `resource` a `ResourceLogs` without its `scope_logs`, `scope` a
    /// `ScopeLogs` without its `log_records`.
    OtlpProtobuf,
    /// OTLP JSON: the same three as JSON objects.
    OtlpJson,
    /// CloudWatch Logs: there is only a timestamp and a message; `raw`, `resource` and `scope` are empty.
    Cloudwatch,
}

impl LogEncoding {
    /// The protocol.
    pub fn origin(self) -> LogOrigin {
        match self {
            Self::OtlpProtobuf | Self::OtlpJson => LogOrigin::Otlp,
            Self::Cloudwatch => LogOrigin::Cloudwatch,
        }
    }

    /// The number it is stored as. Never reused.
    pub fn code(self) -> i64 {
        match self {
            Self::OtlpProtobuf => 1,
            Self::OtlpJson => 2,
            Self::Cloudwatch => 3,
        }
    }

    /// The reverse of [`LogEncoding::code`].
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::OtlpProtobuf, Self::OtlpJson, Self::Cloudwatch].into_iter().find(|e| e.code() == code)
    }
}

/// One log event as received.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRecord {
    /// When it happened according to the sender, else when it arrived.
    pub timestamp: Nanos,
    /// CloudWatch's log group; an OTLP record's service.
    pub group: String,
    /// CloudWatch's log stream; an OTLP record's scope (the logger's name).
    pub stream: String,
    /// Its text; an OTLP body that is not a string in its written form.
    pub message: String,
    /// The trace it belongs to, where a field of the record or its text says so.
    pub trace_id: Option<TraceId>,
    /// The span it belongs to.
    pub span_id: Option<SpanId>,
    /// `ERROR`, `WARN`, … as sent; empty if missing.
    pub severity: String,
    /// OTLP's number of the severity: 9 is INFO, 17 ERROR; 0 if missing.
    pub severity_number: u8,
    /// The encoding.
    pub encoding: LogEncoding,
    /// The record's bytes.
    pub raw: Vec<u8>,
    /// The resource's bytes, shared by the records of one batch.
    pub resource: Arc<[u8]>,
    /// The scope's bytes, shared by the records of one batch.
    pub scope: Arc<[u8]>,
}

impl LogRecord {
    /// Its severity for filters.
    pub fn level(&self) -> Severity<'_> {
        Severity { text: &self.severity, number: self.severity_number }
    }
}

/// One occurrence of an error as received: `raw` is the item's `data` as JSON, without any access token.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorRecord {
    /// `data.uuid`, or one derived from the payload; a record with the same uuid replaces the existing one.
    pub uuid: String,
    /// The item it is grouped into: a hash of its fingerprint.
    pub item: String,
    /// `TypeError: the view function did not return a valid response`, or the message.
    pub title: String,
    pub level: Level,
    /// The time, in seconds as in Rollbar.
    pub timestamp: Nanos,
    /// `development`, …
    pub environment: String,
    /// The affected person: username, else e-mail, else id; may be empty.
    pub person: String,
    /// The trace id in a request header or in custom data.
    pub trace_id: Option<TraceId>,
    /// The bytes.
    pub raw: Vec<u8>,
}

/// One console line as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleRecord {
    /// The watched command.
    pub stream: String,
    /// When it arrived.
    pub timestamp: Nanos,
    /// Whether it came on standard error.
    pub stderr: bool,
    /// Its text, ANSI colour sequences kept.
    pub text: String,
    /// The trace id in its text.
    pub trace_id: Option<TraceId>,
}

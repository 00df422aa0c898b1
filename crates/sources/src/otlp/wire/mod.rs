//! Splits the body of an export request into one record per span or log event, each with its own bytes.

mod json;
mod protobuf;

use std::sync::Arc;

use opentelemetry_proto::tonic::logs::v1 as logs_proto;
use opentelemetry_proto::tonic::trace::v1 as proto;
use serde_json::{Map, Value};
use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::telemetry::{Encoding, LogEncoding, LogRecord, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_core::trace::Trace;

use super::normalise;

pub(super) use json::{log, resource_spans, scope_spans, span};

/// Maximum size of a span, log record, resource or scope. Two bytes of protobuf can become an attribute of seventy: a
/// span as large as a whole body would need gigabytes when read.
pub const LARGEST_SPAN: usize = 4 * 1024 * 1024;

/// The content of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<R = SpanRecord> {
    /// The valid spans or log events, in the order sent.
    pub records: Vec<R>,
    /// The number of invalid ones.
    pub rejected: usize,
    /// The reason for the first invalid one.
    pub reason: Option<String>,
}

impl<R> Default for Decoded<R> {
    fn default() -> Self {
        Self { records: Vec::new(), rejected: 0, reason: None }
    }
}

/// Reads a protobuf `ExportTraceServiceRequest`.
///
/// # Errors
/// Says what is wrong where the bytes are no such message, or none of its spans is readable.
pub fn decode_protobuf(body: &[u8]) -> Result<Decoded, String> {
    // A span has its own times.
    protobuf::decode::<Spans>(body, Nanos(0))
}

/// Reads a JSON `ExportTraceServiceRequest`.
///
/// # Errors
/// Says what is wrong where the text is not JSON or not shaped like one, or none of its spans is readable.
pub fn decode_json(body: &[u8]) -> Result<Decoded, String> {
    json::decode::<Spans>(body, Nanos(0))
}

/// Reads a protobuf `ExportLogsServiceRequest` that arrived `now`.
///
/// # Errors
/// Says what is wrong where the bytes are no such message, or none of its records is readable.
pub fn decode_logs_protobuf(body: &[u8], now: Nanos) -> Result<Decoded<LogRecord>, String> {
    protobuf::decode::<Logs>(body, now)
}

/// Reads a JSON `ExportLogsServiceRequest` that arrived `now`.
///
/// # Errors
/// Says what is wrong where the text is not JSON or not shaped like one, or none of its records is readable.
pub fn decode_logs_json(body: &[u8], now: Nanos) -> Result<Decoded<LogRecord>, String> {
    json::decode::<Logs>(body, now)
}

/// The differences between signals. Resources and scopes have the same fields and numbers in all of them, so
/// `ResourceSpans` and `ScopeSpans` also read those of logs.
trait Signal {
    type Record;
    type Message: prost::Message + Default;
    /// The name of a record in messages.
    const WORD: &'static str;
    /// The JSON names of the lists in a request, a resource (current and before 2022) and a scope.
    const RESOURCES: &'static str;
    const SCOPES: [&'static str; 2];
    const RECORDS: &'static str;

    fn from_json(said: &Map<String, Value>, warnings: &mut Vec<String>) -> Self::Message;
    fn record(message: Self::Message, raw: Vec<u8>, shared: &Shared) -> Result<Self::Record, String>;
}

struct Spans;
struct Logs;

impl Signal for Spans {
    type Record = SpanRecord;
    type Message = proto::Span;
    const WORD: &'static str = "span";
    const RESOURCES: &'static str = "resourceSpans";
    const SCOPES: [&'static str; 2] = ["scopeSpans", "instrumentationLibrarySpans"];
    const RECORDS: &'static str = "spans";

    fn from_json(said: &Map<String, Value>, warnings: &mut Vec<String>) -> proto::Span {
        span(said, warnings)
    }

    fn record(message: proto::Span, raw: Vec<u8>, shared: &Shared) -> Result<SpanRecord, String> {
        let trace_id = TraceId(id_bytes(&message.trace_id, "trace id")?);
        let span_id = SpanId(id_bytes(&message.span_id, "span id")?);
        let span = normalise::span_of(message, span_id, &mut Vec::new());
        let (parent_id, start, end, status) = (span.parent, span.start, span.end, span.status.code);
        let alone = Trace { trace_id, resources: Vec::new(), scopes: Vec::new(), spans: vec![span], notes: Vec::new() };
        Ok(SpanRecord {
            trace_id,
            span_id,
            parent_id,
            encoding: match shared.language {
                Language::Protobuf => Encoding::OtlpProtobuf,
                Language::Json => Encoding::OtlpJson,
            },
            title: alone.name(),
            service: shared.service.clone(),
            start,
            end,
            status,
            raw,
            resource: Arc::clone(&shared.resource),
            scope: Arc::clone(&shared.scope),
        })
    }
}

impl Signal for Logs {
    type Record = LogRecord;
    type Message = logs_proto::LogRecord;
    const WORD: &'static str = "log record";
    const RESOURCES: &'static str = "resourceLogs";
    const SCOPES: [&'static str; 2] = ["scopeLogs", "instrumentationLibraryLogs"];
    const RECORDS: &'static str = "logRecords";

    fn from_json(said: &Map<String, Value>, warnings: &mut Vec<String>) -> logs_proto::LogRecord {
        log(said, warnings)
    }

    fn record(message: logs_proto::LogRecord, raw: Vec<u8>, shared: &Shared) -> Result<LogRecord, String> {
        let at = [message.time_unix_nano, message.observed_time_unix_nano].into_iter().find(|at| *at != 0);
        let timestamp = at.map_or(shared.now, |at| Nanos(i64::try_from(at).unwrap_or(i64::MAX)));
        Ok(LogRecord {
            timestamp,
            group: shared.service.clone(),
            stream: shared.stream.clone(),
            // Unlike those of a span, these ids are optional: an invalid one does not reject the event.
            trace_id: id_bytes(&message.trace_id, "trace id").ok().map(TraceId),
            span_id: id_bytes(&message.span_id, "span id").ok().map(SpanId),
            severity: normalise::severity(&message),
            message: normalise::message(message.body, message.event_name),
            encoding: match shared.language {
                Language::Protobuf => LogEncoding::OtlpProtobuf,
                Language::Json => LogEncoding::OtlpJson,
            },
            raw,
            resource: Arc::clone(&shared.resource),
            scope: Arc::clone(&shared.scope),
        })
    }
}

#[derive(Clone, Copy)]
enum Language {
    Protobuf,
    Json,
}

/// Shared by the records of a scope.
struct Shared {
    language: Language,
    now: Nanos,
    service: String,
    /// The scope's name.
    stream: String,
    resource: Arc<[u8]>,
    scope: Arc<[u8]>,
}

/// A request being read.
struct Reading<S: Signal> {
    decoded: Decoded<S::Record>,
    /// The reason for the first unreadable part.
    unreadable: Option<String>,
    now: Nanos,
}

impl<S: Signal> Reading<S> {
    fn new(now: Nanos) -> Self {
        Self { decoded: Decoded::default(), unreadable: None, now }
    }

    fn reject(&mut self, n: usize, why: impl FnOnce() -> String) {
        if n > 0 {
            self.decoded.rejected += n;
            self.decoded.reason.get_or_insert_with(why);
        }
    }

    fn unreadable(&mut self, why: String) {
        self.unreadable.get_or_insert_with(|| why.clone());
        self.reject(1, || why);
    }

    /// A request without any readable part is an error.
    fn finish(self) -> Result<Decoded<S::Record>, String> {
        match self.unreadable {
            Some(why) if self.decoded.records.is_empty() => Err(why),
            _ => Ok(self.decoded),
        }
    }
}

/// The bytes, if they are within the limit.
fn weighed<S: Signal>(bytes: Vec<u8>) -> Result<Arc<[u8]>, String> {
    match too_heavy::<S>(&bytes) {
        Some(why) => Err(why),
        None => Ok(bytes.into()),
    }
}

fn too_heavy<S: Signal>(bytes: &[u8]) -> Option<String> {
    (bytes.len() > LARGEST_SPAN).then(|| {
        format!("one {}, resource or scope of {} bytes is more than {LARGEST_SPAN} bytes", S::WORD, bytes.len())
    })
}

/// The service name of a resource, if readable.
fn service(message: Option<proto::ResourceSpans>) -> String {
    let resource = message.and_then(|message| message.resource);
    normalise::service_name(&normalise::resource(resource, String::new(), &mut Vec::new()))
}

fn scope_name(message: Option<proto::ScopeSpans>) -> String {
    message.and_then(|message| message.scope).map(|scope| scope.name).unwrap_or_default()
}

fn id_bytes<const N: usize>(bytes: &[u8], what: &str) -> Result<[u8; N], String> {
    let id: [u8; N] =
        bytes.try_into().map_err(|_| format!("a {what} has {} bytes where {N} are needed", bytes.len()))?;
    if id == [0; N] { Err(format!("a {what} is all zeros")) } else { Ok(id) }
}

#[cfg(test)]
mod tests;

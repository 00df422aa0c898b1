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

use super::messages;

pub(super) use json::{log, resource_spans, scope_spans, span};

/// The size limit of one span or log record, or of a resource or scope. Two bytes of protobuf can become an attribute
/// of seventy: one span as large as the whole body would take gigabytes whenever it is read.
pub const MAX_RECORD_BYTES: usize = 4 * 1024 * 1024;

/// The records of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<R = SpanRecord> {
    /// The valid spans or log events, in the order sent.
    pub records: Vec<R>,
    /// How many were invalid.
    pub rejected: usize,
    /// Why the first of those was.
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
/// If the bytes are no such message, or none of its spans is readable.
pub fn decode_protobuf(body: &[u8]) -> Result<Decoded, String> {
    // Spans have their own times.
    protobuf::decode::<Spans>(body, Nanos(0))
}

/// Reads a JSON `ExportTraceServiceRequest`.
///
/// # Errors
/// If the text is not JSON or has another structure, or none of its spans is readable.
pub fn decode_json(body: &[u8]) -> Result<Decoded, String> {
    json::decode::<Spans>(body, Nanos(0))
}

/// Reads a protobuf `ExportLogsServiceRequest` that arrived `now`.
///
/// # Errors
/// If the bytes are no such message, or none of its records is readable.
pub fn decode_logs_protobuf(body: &[u8], now: Nanos) -> Result<Decoded<LogRecord>, String> {
    protobuf::decode::<Logs>(body, now)
}

/// Reads a JSON `ExportLogsServiceRequest` that arrived `now`.
///
/// # Errors
/// If the text is not JSON or has another structure, or none of its records is readable.
pub fn decode_logs_json(body: &[u8], now: Nanos) -> Result<Decoded<LogRecord>, String> {
    json::decode::<Logs>(body, now)
}

/// The differences between signals. Resources and scopes have the same fields with the same numbers in all of them, so
/// `ResourceSpans` and `ScopeSpans` read those of logs too.
trait Signal {
    type Record;
    type Message: prost::Message + Default;
    /// The name of one record.
    const WORD: &'static str;
    /// The JSON names of a request's list, of a resource's (present and before 2022), of a scope's.
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
        let span = messages::span_of(message, span_id, &mut Vec::new());
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
            // Unlike a span's, these ids are optional: an invalid one is no reason to refuse the event.
            trace_id: id_bytes(&message.trace_id, "trace id").ok().map(TraceId),
            span_id: id_bytes(&message.span_id, "span id").ok().map(SpanId),
            severity: messages::severity(&message),
            message: messages::message(message.body, message.event_name),
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
    /// Why the first unreadable part could not be read.
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

    /// A request in which nothing was readable is invalid as a whole.
    fn finish(self) -> Result<Decoded<S::Record>, String> {
        match self.unreadable {
            Some(why) if self.decoded.records.is_empty() => Err(why),
            _ => Ok(self.decoded),
        }
    }
}

/// The bytes, unless they are too large.
fn weighed<S: Signal>(bytes: Vec<u8>) -> Result<Arc<[u8]>, String> {
    match too_heavy::<S>(&bytes) {
        Some(why) => Err(why),
        None => Ok(bytes.into()),
    }
}

fn too_heavy<S: Signal>(bytes: &[u8]) -> Option<String> {
    (bytes.len() > MAX_RECORD_BYTES).then(|| {
        format!("one {}, resource or scope of {} bytes is more than {MAX_RECORD_BYTES} bytes", S::WORD, bytes.len())
    })
}

/// The service of a resource, as far as it can be read.
fn service(message: Option<proto::ResourceSpans>) -> String {
    let resource = message.and_then(|message| message.resource);
    messages::service_name(&messages::resource(resource, String::new(), &mut Vec::new()))
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

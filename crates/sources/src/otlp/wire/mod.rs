//! Splits the body of an export request into one record per span or log event, each with its own bytes.

mod json;
mod mend;
mod protobuf;
mod size;

use std::sync::Arc;

use opentelemetry_proto::tonic::logs::v1 as logs_proto;
use opentelemetry_proto::tonic::trace::v1 as proto;
use serde_json::{Map, Value};
use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::telemetry::{Encoding, LogEncoding, LogRecord, SpanRecord, twin};
use tracebook_core::text::{NAME_BYTES, TITLE_BYTES, bounded};
use tracebook_core::time::Nanos;
use tracebook_core::trace::Trace;

use self::protobuf::Kind;
use super::messages;

pub(super) use json::{log, resource_spans, scope_spans, span};

/// The size limit of one span or log record, or of a resource or scope. Two bytes of protobuf can become an attribute
/// of seventy: one span as large as the whole body would take gigabytes whenever it is read.
pub const MAX_RECORD_BYTES: usize = 4 * 1024 * 1024;

/// The longest text of a log event in its column, in bytes: CloudWatch Logs' own limit. The record's bytes have all.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// The records of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<R = SpanRecord> {
    /// The valid spans or log events, in the order sent.
    pub records: Vec<R>,
    /// How many were invalid.
    pub rejected: usize,
    /// Why the first of those was.
    pub reason: Option<String>,
    /// How many were kept although a part of them could not be read.
    pub incomplete: usize,
    /// What could not be read of the first of those.
    pub warning: Option<String>,
}

impl<R> Decoded<R> {
    /// Takes out the records whose times cannot be true: `why` says of a record why they cannot.
    pub(super) fn reject_times(&mut self, why: impl Fn(&R) -> Option<String>) {
        let (mut rejected, mut first) = (0, None);
        self.records.retain(|record| match why(record) {
            None => true,
            Some(why) => {
                rejected += 1;
                first.get_or_insert(why);
                false
            }
        });
        self.rejected += rejected;
        self.reason = self.reason.take().or(first);
    }
}

impl<R> Default for Decoded<R> {
    fn default() -> Self {
        Self { records: Vec::new(), rejected: 0, reason: None, incomplete: 0, warning: None }
    }
}

/// Why a request was not decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Undecoded {
    /// Its records take more memory than was granted.
    NeedsMore,
    Invalid(String),
}

impl From<Undecoded> for String {
    fn from(why: Undecoded) -> Self {
        match why {
            // Only if a limit was given.
            Undecoded::NeedsMore => "it needs too much memory".to_owned(),
            Undecoded::Invalid(why) => why,
        }
    }
}

/// The records, and the bytes that they take.
pub(super) type Outcome<R> = Result<(Decoded<R>, usize), Undecoded>;

/// Reads an `ExportTraceServiceRequest`. What it builds takes at most `granted` bytes.
pub(super) fn spans_within(language: Language, body: &[u8], granted: usize) -> Outcome<SpanRecord> {
    // Spans have their own times.
    match language {
        Language::Protobuf => protobuf::decode::<Spans>(body, Nanos(0), granted),
        Language::Json => json::decode::<Spans>(body, Nanos(0), granted),
    }
}

/// Reads an `ExportLogsServiceRequest` that arrived `now`. What it builds takes at most `granted` bytes.
pub(super) fn logs_within(language: Language, body: &[u8], now: Nanos, granted: usize) -> Outcome<LogRecord> {
    match language {
        Language::Protobuf => protobuf::decode::<Logs>(body, now, granted),
        Language::Json => json::decode::<Logs>(body, now, granted),
    }
}

/// Reads a protobuf `ExportTraceServiceRequest`.
///
/// # Errors
/// If the bytes are no such message, or none of its spans is readable.
pub fn decode_protobuf(body: &[u8]) -> Result<Decoded, String> {
    Ok(spans_within(Language::Protobuf, body, usize::MAX)?.0)
}

/// Reads a JSON `ExportTraceServiceRequest`.
///
/// # Errors
/// If the text is not JSON or has another structure, or none of its spans is readable.
pub fn decode_json(body: &[u8]) -> Result<Decoded, String> {
    Ok(spans_within(Language::Json, body, usize::MAX)?.0)
}

/// Reads a protobuf `ExportLogsServiceRequest` that arrived `now`.
///
/// # Errors
/// If the bytes are no such message, or none of its records is readable.
pub fn decode_logs_protobuf(body: &[u8], now: Nanos) -> Result<Decoded<LogRecord>, String> {
    Ok(logs_within(Language::Protobuf, body, now, usize::MAX)?.0)
}

/// Reads a JSON `ExportLogsServiceRequest` that arrived `now`.
///
/// # Errors
/// If the text is not JSON or has another structure, or none of its records is readable.
pub fn decode_logs_json(body: &[u8], now: Nanos) -> Result<Decoded<LogRecord>, String> {
    Ok(logs_within(Language::Json, body, now, usize::MAX)?.0)
}

/// The differences between signals. Resources and scopes have the same fields with the same numbers in all of them, so
/// `ResourceSpans` and `ScopeSpans` read those of logs too.
trait Signal {
    type Record;
    type Message: prost::Message + Default;
    const KIND: Kind;
    /// The name of one record.
    const WORD: &'static str;
    /// The JSON names of a request's list, of a resource's (present and before 2022), of a scope's.
    const RESOURCES: &'static str;
    const SCOPES: [&'static str; 2];
    const RECORDS: &'static str;
    /// The JSON names of the fields without which nobody would find a record.
    const ESSENTIAL: &'static [&'static str];

    fn from_json(said: &Map<String, Value>, warnings: &mut Vec<String>) -> Self::Message;
    fn record(message: Self::Message, raw: Vec<u8>, shared: &Shared) -> Result<Self::Record, String>;
    /// The bytes of a record outside of itself, without what it shares.
    fn heap(record: &Self::Record) -> usize;
}

struct Spans;
struct Logs;

impl Signal for Spans {
    type Record = SpanRecord;
    type Message = proto::Span;
    const KIND: Kind = Kind::Span;
    const WORD: &'static str = "span";
    const RESOURCES: &'static str = "resourceSpans";
    const SCOPES: [&'static str; 2] = ["scopeSpans", "instrumentationLibrarySpans"];
    const RECORDS: &'static str = "spans";
    const ESSENTIAL: &'static [&'static str] = &["traceId", "spanId", "startTimeUnixNano", "endTimeUnixNano"];

    fn from_json(said: &Map<String, Value>, warnings: &mut Vec<String>) -> proto::Span {
        span(said, warnings)
    }

    fn record(message: proto::Span, raw: Vec<u8>, shared: &Shared) -> Result<SpanRecord, String> {
        let trace_id = TraceId(id_bytes(&message.trace_id, "trace id")?);
        let span_id = SpanId(id_bytes(&message.span_id, "span id")?);
        let span = messages::span_of(message, span_id, &mut Vec::new());
        let (parent_id, start, end, status) = (span.parent, span.start, span.end, span.status.code);
        let twin = twin(span.kind, &shared.service, start);
        let alone = Trace { trace_id, resources: Vec::new(), scopes: Vec::new(), spans: vec![span], notes: Vec::new() };
        Ok(SpanRecord {
            trace_id,
            span_id,
            twin,
            parent_id,
            encoding: match shared.language {
                Language::Protobuf => Encoding::OtlpProtobuf,
                Language::Json => Encoding::OtlpJson,
            },
            title: bounded(alone.name(), TITLE_BYTES),
            service: shared.service.clone(),
            start,
            end,
            status,
            raw,
            resource: Arc::clone(&shared.resource),
            scope: Arc::clone(&shared.scope),
        })
    }

    fn heap(record: &SpanRecord) -> usize {
        record.raw.len() + record.title.len() + record.service.len()
    }
}

impl Signal for Logs {
    type Record = LogRecord;
    type Message = logs_proto::LogRecord;
    const KIND: Kind = Kind::Log;
    const WORD: &'static str = "log record";
    const RESOURCES: &'static str = "resourceLogs";
    const SCOPES: [&'static str; 2] = ["scopeLogs", "instrumentationLibraryLogs"];
    const RECORDS: &'static str = "logRecords";
    const ESSENTIAL: &'static [&'static str] = &["timeUnixNano"];

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
            severity: bounded(messages::severity(&message), NAME_BYTES),
            severity_number: u8::try_from(message.severity_number).unwrap_or_default(),
            message: bounded(messages::message(message.body, message.event_name), MAX_MESSAGE_BYTES),
            encoding: match shared.language {
                Language::Protobuf => LogEncoding::OtlpProtobuf,
                Language::Json => LogEncoding::OtlpJson,
            },
            raw,
            resource: Arc::clone(&shared.resource),
            scope: Arc::clone(&shared.scope),
        })
    }

    fn heap(record: &LogRecord) -> usize {
        record.raw.len() + record.group.len() + record.stream.len() + record.message.len() + record.severity.len()
    }
}

/// The encoding of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Protobuf,
    Json,
}

impl Language {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "protobuf",
            Self::Json => "JSON",
        }
    }
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

/// The most resources and scopes of a request. A batch has a few; reading one takes longer than its two bytes suggest.
const MOST_CONTAINERS: usize = 100_000;

/// A request being read.
struct Reading<S: Signal> {
    decoded: Decoded<S::Record>,
    /// Why the first unreadable part could not be read.
    unreadable: Option<String>,
    now: Nanos,
    /// The bytes that may be built, and that were.
    granted: usize,
    taken: usize,
    needs_more: bool,
    /// The resources and scopes that were read.
    containers: usize,
}

impl<S: Signal> Reading<S> {
    fn new(now: Nanos, granted: usize) -> Self {
        Self { decoded: Decoded::default(), unreadable: None, now, granted, taken: 0, needs_more: false, containers: 0 }
    }

    fn push(&mut self, record: S::Record) -> Result<(), String> {
        // Twice, because the list doubles when it grows; and what the allocator adds to four texts.
        self.takes(2 * size_of::<S::Record>() + S::heap(&record) + 4 * 16)?;
        self.decoded.records.push(record);
        Ok(())
    }

    /// Counts bytes that were built; an error ends reading.
    fn takes(&mut self, bytes: usize) -> Result<(), String> {
        self.takes_for_now(bytes)?;
        self.taken += bytes;
        Ok(())
    }

    /// The same of bytes that are dropped soon.
    fn takes_for_now(&mut self, bytes: usize) -> Result<(), String> {
        self.needs_more |= bytes > self.granted.saturating_sub(self.taken);
        self.goes_on()
    }

    fn goes_on(&self) -> Result<(), String> {
        if self.needs_more {
            return Err(Undecoded::NeedsMore.into());
        }
        match self.containers > MOST_CONTAINERS {
            true => Err(format!("it has more than {MOST_CONTAINERS} resources and scopes")),
            false => Ok(()),
        }
    }

    fn reject(&mut self, n: usize, why: impl FnOnce() -> String) {
        if n > 0 {
            self.decoded.rejected += n;
            self.decoded.reason.get_or_insert_with(why);
        }
    }

    fn warn(&mut self, warning: String) {
        self.decoded.incomplete += 1;
        self.decoded.warning.get_or_insert(warning);
    }

    fn unreadable(&mut self, why: String) {
        self.unreadable.get_or_insert_with(|| why.clone());
        self.reject(1, || why);
    }

    /// A request in which nothing was readable is invalid as a whole.
    fn finish(self, read: Result<(), String>) -> Outcome<S::Record> {
        match (read, self.unreadable) {
            _ if self.needs_more => Err(Undecoded::NeedsMore),
            (Err(why), _) => Err(Undecoded::Invalid(why)),
            (Ok(()), Some(why)) if self.decoded.records.is_empty() => Err(Undecoded::Invalid(why)),
            (Ok(()), _) => Ok((self.decoded, self.taken)),
        }
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
    let name = message.and_then(|message| message.scope).map(|scope| scope.name).unwrap_or_default();
    bounded(name, NAME_BYTES)
}

fn id_bytes<const N: usize>(bytes: &[u8], what: &str) -> Result<[u8; N], String> {
    let id: [u8; N] =
        bytes.try_into().map_err(|_| format!("a {what} has {} bytes where {N} are needed", bytes.len()))?;
    if id == [0; N] { Err(format!("a {what} is all zeros")) } else { Ok(id) }
}

#[cfg(test)]
mod tests;

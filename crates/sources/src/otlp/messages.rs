//! OTLP's protobuf messages as core's types. JSON is read into the same messages, so both encodings give the same
//! result.

use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1 as logs_proto;
use opentelemetry_proto::tonic::resource::v1 as resource_proto;
use opentelemetry_proto::tonic::trace::v1 as proto;
use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::text::{NAME_BYTES, bounded};
use tracebook_core::time::Nanos;
use tracebook_core::trace::{
    Dropped, Event, Exception, Link, Protocol, Resource, Scope, Span, SpanKind, Status, StatusCode,
};
use tracebook_core::value::{Attribute, Value, get};

use crate::json::DEEPEST;

/// A log record's severity: as the sender wrote it, else the specification's short name of its number.
pub(super) fn severity(message: &logs_proto::LogRecord) -> String {
    let number = match message.severity_number {
        _ if !message.severity_text.is_empty() => return message.severity_text.clone(),
        number @ 1..=24 => number - 1,
        _ => return String::new(),
    };
    let name = match number / 4 {
        0 => "TRACE",
        1 => "DEBUG",
        2 => "INFO",
        3 => "WARN",
        4 => "ERROR",
        _ => "FATAL",
    };
    match number % 4 {
        0 => name.to_owned(),
        more => format!("{name}{}", more + 1),
    }
}

/// A log record's text: its body, as JSON if it is not a string; the name of an event without a body.
pub(super) fn message(body: Option<common::AnyValue>, event_name: String) -> String {
    match any(body, 0, &mut Vec::new()) {
        Value::Empty => event_name,
        Value::Str(text) => text,
        other => plain(other).to_string(),
    }
}

/// A value as plain JSON, for people; it is not read back. No deeper than [`any`] allows.
fn plain(value: Value) -> serde_json::Value {
    match value {
        Value::Empty => serde_json::Value::Null,
        Value::Str(text) => text.into(),
        Value::Bool(b) => b.into(),
        Value::Int(n) => n.into(),
        Value::Double(d) if d.is_finite() => d.into(),
        other @ (Value::Double(_) | Value::Bytes(_)) => other.to_string().into(),
        Value::List(list) => list.into_iter().map(plain).collect(),
        Value::Map(map) => map.into_iter().map(|a| (a.key, plain(a.value))).collect(),
    }
}

/// The resource of a `ResourceSpans`.
pub(super) fn resource(
    message: Option<resource_proto::Resource>,
    schema_url: String,
    warnings: &mut Vec<String>,
) -> Resource {
    let message = message.unwrap_or_default();
    Resource {
        attributes: attributes(message.attributes, warnings),
        schema_url,
        dropped_attributes: message.dropped_attributes_count,
    }
}

/// The name that the semantic conventions give to an unnamed service.
pub(super) fn service_name(resource: &Resource) -> String {
    match get(&resource.attributes, "service.name").map(Value::to_string) {
        Some(name) if !name.trim().is_empty() => bounded(name, NAME_BYTES),
        _ => "unknown_service".to_owned(),
    }
}

pub(super) fn scope(
    message: Option<common::InstrumentationScope>,
    schema_url: String,
    warnings: &mut Vec<String>,
) -> Scope {
    let message = message.unwrap_or_default();
    Scope {
        name: message.name,
        version: message.version,
        attributes: attributes(message.attributes, warnings),
        schema_url,
        dropped_attributes: message.dropped_attributes_count,
    }
}

/// A span without its service.
pub(super) fn span_of(message: proto::Span, id: SpanId, warnings: &mut Vec<String>) -> Span {
    let start = nanos(message.start_time_unix_nano, "start time", warnings);
    let mut span = Span::new(id, message.name, Protocol::Otlp, start);
    span.parent = parent(&message.parent_span_id, warnings);
    span.kind = kind(message.kind, warnings);
    span.end = match message.end_time_unix_nano {
        0 => None,
        end => Some(nanos(end, "end time", warnings)),
    };
    span.status = status(message.status.unwrap_or_default(), warnings);
    span.attributes = attributes(message.attributes, warnings);
    span.events = message.events.into_iter().map(|event| self::event(event, warnings)).collect();
    span.exceptions = span.events.iter().filter(|event| event.name == "exception").map(exception).collect();
    span.links = message.links.into_iter().filter_map(|link| self::link(link, warnings)).collect();
    span.trace_state = message.trace_state;
    span.flags = message.flags;
    span.dropped = Dropped {
        attributes: message.dropped_attributes_count,
        events: message.dropped_events_count,
        links: message.dropped_links_count,
    };
    span
}

fn nanos(unsigned: u64, what: &str, warnings: &mut Vec<String>) -> Nanos {
    Nanos(i64::try_from(unsigned).unwrap_or_else(|_| {
        warnings.push(format!("the {what} {unsigned} is after the year 2262"));
        i64::MAX
    }))
}

fn parent(bytes: &[u8], warnings: &mut Vec<String>) -> Option<SpanId> {
    if bytes.is_empty() || bytes == [0; 8] {
        return None;
    }
    let id = bytes.try_into().ok().map(SpanId);
    if id.is_none() {
        warnings.push(format!("a parent span id of {} bytes is left out", bytes.len()));
    }
    id
}

fn kind(number: i32, warnings: &mut Vec<String>) -> SpanKind {
    match proto::span::SpanKind::try_from(number) {
        Ok(proto::span::SpanKind::Unspecified) => SpanKind::Unspecified,
        Ok(proto::span::SpanKind::Internal) => SpanKind::Internal,
        Ok(proto::span::SpanKind::Server) => SpanKind::Server,
        Ok(proto::span::SpanKind::Client) => SpanKind::Client,
        Ok(proto::span::SpanKind::Producer) => SpanKind::Producer,
        Ok(proto::span::SpanKind::Consumer) => SpanKind::Consumer,
        Err(_) => {
            warnings.push(format!("span kind {number} is not known"));
            SpanKind::Unspecified
        }
    }
}

fn status(message: proto::Status, warnings: &mut Vec<String>) -> Status {
    let code = match proto::status::StatusCode::try_from(message.code) {
        Ok(proto::status::StatusCode::Unset) => StatusCode::Unset,
        Ok(proto::status::StatusCode::Ok) => StatusCode::Ok,
        Ok(proto::status::StatusCode::Error) => StatusCode::Error,
        Err(_) => {
            warnings.push(format!("status code {} is not known", message.code));
            StatusCode::Unset
        }
    };
    Status { code, message: message.message }
}

fn event(message: proto::span::Event, warnings: &mut Vec<String>) -> Event {
    Event {
        time: nanos(message.time_unix_nano, "time of an event", warnings),
        name: message.name,
        attributes: attributes(message.attributes, warnings),
        dropped_attributes: message.dropped_attributes_count,
    }
}

fn exception(event: &Event) -> Exception {
    let text = |key| get(&event.attributes, key).map(Value::to_string).unwrap_or_default();
    Exception {
        kind: text("exception.type"),
        message: text("exception.message"),
        stacktrace: text("exception.stacktrace"),
        ..Exception::default()
    }
}

fn link(message: proto::span::Link, warnings: &mut Vec<String>) -> Option<Link> {
    let ids = (message.trace_id.as_slice().try_into().ok(), message.span_id.as_slice().try_into().ok());
    let (Some(trace_id), Some(span_id)) = ids else {
        warnings.push("a link without whole ids is left out".to_owned());
        return None;
    };
    Some(Link {
        trace_id: TraceId(trace_id),
        span_id: SpanId(span_id),
        trace_state: message.trace_state,
        attributes: attributes(message.attributes, warnings),
        dropped_attributes: message.dropped_attributes_count,
        flags: message.flags,
    })
}

pub(super) fn attributes(messages: Vec<common::KeyValue>, warnings: &mut Vec<String>) -> Vec<Attribute> {
    attributes_at(messages, 0, warnings)
}

fn attributes_at(messages: Vec<common::KeyValue>, depth: usize, warnings: &mut Vec<String>) -> Vec<Attribute> {
    let one = |message: common::KeyValue| Attribute { key: message.key, value: any(message.value, depth, warnings) };
    messages.into_iter().map(one).collect()
}

fn any(message: Option<common::AnyValue>, depth: usize, warnings: &mut Vec<String>) -> Value {
    match message.and_then(|message| message.value) {
        None => Value::Empty,
        Some(Any::StringValue(text)) => Value::Str(text),
        Some(Any::BoolValue(b)) => Value::Bool(b),
        Some(Any::IntValue(n)) => Value::Int(n),
        Some(Any::DoubleValue(d)) => Value::Double(d),
        Some(Any::BytesValue(bytes)) => Value::Bytes(bytes),
        Some(Any::ArrayValue(list)) if depth < DEEPEST => {
            Value::List(list.values.into_iter().map(|value| any(Some(value), depth + 1, warnings)).collect())
        }
        Some(Any::KvlistValue(map)) if depth < DEEPEST => Value::Map(attributes_at(map.values, depth + 1, warnings)),
        Some(Any::ArrayValue(_) | Any::KvlistValue(_)) => {
            warnings.push(format!("a value nested more than {DEEPEST} levels deep is left out"));
            Value::Empty
        }
        // An index into a table that only profiles have.
        Some(Any::StringValueStrindex(index)) => {
            warnings.push(format!("a value that points at entry {index} of a missing table is left out"));
            Value::Empty
        }
    }
}

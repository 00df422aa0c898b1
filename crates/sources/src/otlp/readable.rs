//! Protobuf messages as OTLP's JSON, for people.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1 as logs_proto;
use opentelemetry_proto::tonic::resource::v1 as resource_proto;
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message as _;
use serde_json::{Map, Value, json};

/// What a record's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Span,
    Log,
    /// A `ResourceSpans` or `ResourceLogs` without what it contains.
    Resource,
    /// A `ScopeSpans` or `ScopeLogs` without what it contains.
    Scope,
}

/// The JSON of a protobuf message; `None` if it cannot be read. Fields that this version does not know are only in the
/// bytes.
pub fn json(part: Part, bytes: &[u8]) -> Option<Value> {
    let json = match part {
        Part::Span => span(proto::Span::decode(bytes).ok()?),
        Part::Log => log(logs_proto::LogRecord::decode(bytes).ok()?),
        Part::Resource => {
            let message = proto::ResourceSpans::decode(bytes).ok()?;
            Object::default().some("resource", message.resource.map(resource)).text("schemaUrl", message.schema_url)
        }
        Part::Scope => {
            let message = proto::ScopeSpans::decode(bytes).ok()?;
            Object::default().some("scope", message.scope.map(scope)).text("schemaUrl", message.schema_url)
        }
    };
    Some(json.into())
}

/// An object without the fields that have their default, as in protobuf.
#[derive(Default)]
struct Object(Map<String, Value>);

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

impl Object {
    fn some(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    fn text(self, name: &str, text: String) -> Self {
        self.some(name, (!text.is_empty()).then_some(text))
    }

    fn id(self, name: &str, id: &[u8]) -> Self {
        self.text(name, hex::encode(id))
    }

    /// A 64-bit number is a string in JSON.
    fn time(self, name: &str, time: u64) -> Self {
        self.some(name, (time != 0).then(|| time.to_string()))
    }

    fn number(self, name: &str, number: impl Into<i64>) -> Self {
        let number = number.into();
        self.some(name, (number != 0).then_some(number))
    }

    fn list<T>(self, name: &str, list: Vec<T>, one: impl Fn(T) -> Object) -> Self {
        let some = !list.is_empty();
        self.some(name, some.then(|| list.into_iter().map(|item| Value::from(one(item))).collect::<Vec<_>>()))
    }

    fn attributes(self, list: Vec<common::KeyValue>, dropped: u32) -> Self {
        self.list("attributes", list, attribute).number("droppedAttributesCount", dropped)
    }
}

fn span(message: proto::Span) -> Object {
    Object::default()
        .id("traceId", &message.trace_id)
        .id("spanId", &message.span_id)
        .text("traceState", message.trace_state)
        .id("parentSpanId", &message.parent_span_id)
        .number("flags", message.flags)
        .text("name", message.name)
        .number("kind", message.kind)
        .time("startTimeUnixNano", message.start_time_unix_nano)
        .time("endTimeUnixNano", message.end_time_unix_nano)
        .attributes(message.attributes, message.dropped_attributes_count)
        .list("events", message.events, |event| {
            Object::default()
                .time("timeUnixNano", event.time_unix_nano)
                .text("name", event.name)
                .attributes(event.attributes, event.dropped_attributes_count)
        })
        .number("droppedEventsCount", message.dropped_events_count)
        .list("links", message.links, |link| {
            Object::default()
                .id("traceId", &link.trace_id)
                .id("spanId", &link.span_id)
                .text("traceState", link.trace_state)
                .attributes(link.attributes, link.dropped_attributes_count)
                .number("flags", link.flags)
        })
        .number("droppedLinksCount", message.dropped_links_count)
        .some(
            "status",
            message.status.map(|status| Object::default().text("message", status.message).number("code", status.code)),
        )
}

fn log(message: logs_proto::LogRecord) -> Object {
    Object::default()
        .time("timeUnixNano", message.time_unix_nano)
        .time("observedTimeUnixNano", message.observed_time_unix_nano)
        .number("severityNumber", message.severity_number)
        .text("severityText", message.severity_text)
        .some("body", message.body.map(|body| value(body, 0)))
        .attributes(message.attributes, message.dropped_attributes_count)
        .number("flags", message.flags)
        .id("traceId", &message.trace_id)
        .id("spanId", &message.span_id)
        .text("eventName", message.event_name)
}

fn resource(message: resource_proto::Resource) -> Object {
    let texts = |texts: Vec<String>| (!texts.is_empty()).then_some(texts);
    Object::default().attributes(message.attributes, message.dropped_attributes_count).list(
        "entityRefs",
        message.entity_refs,
        |entity| {
            Object::default()
                .text("schemaUrl", entity.schema_url)
                .text("type", entity.r#type)
                .some("idKeys", texts(entity.id_keys))
                .some("descriptionKeys", texts(entity.description_keys))
        },
    )
}

fn scope(message: common::InstrumentationScope) -> Object {
    Object::default()
        .text("name", message.name)
        .text("version", message.version)
        .attributes(message.attributes, message.dropped_attributes_count)
}

fn attribute(message: common::KeyValue) -> Object {
    attribute_at(message, 0)
}

fn attribute_at(message: common::KeyValue, depth: usize) -> Object {
    Object::default()
        .text("key", message.key)
        .some("value", message.value.map(|inner| value(inner, depth)))
        .number("keyStrindex", message.key_strindex)
}

/// How deep values are written. JSON readers give up at 128 levels, of which one takes up to four.
const DEEPEST: usize = 24;

fn value(message: common::AnyValue, depth: usize) -> Value {
    match message.value {
        None => json!({}),
        Some(Any::StringValue(text)) => json!({ "stringValue": text }),
        Some(Any::BoolValue(flag)) => json!({ "boolValue": flag }),
        Some(Any::IntValue(n)) => json!({ "intValue": n.to_string() }),
        Some(Any::DoubleValue(double)) if double.is_finite() => json!({ "doubleValue": double }),
        Some(Any::DoubleValue(double)) => {
            let name = if double.is_nan() {
                "NaN"
            } else if double > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            json!({ "doubleValue": name })
        }
        Some(Any::BytesValue(bytes)) => json!({ "bytesValue": BASE64.encode(bytes) }),
        Some(Any::ArrayValue(_) | Any::KvlistValue(_)) if depth >= DEEPEST => json!({}),
        Some(Any::ArrayValue(list)) => {
            let values: Vec<Value> = list.values.into_iter().map(|inner| value(inner, depth + 1)).collect();
            json!({ "arrayValue": { "values": values } })
        }
        Some(Any::KvlistValue(map)) => {
            let pair = |pair| Value::from(attribute_at(pair, depth + 1));
            let values: Vec<Value> = map.values.into_iter().map(pair).collect();
            json!({ "kvlistValue": { "values": values } })
        }
        Some(Any::StringValueStrindex(index)) => json!({ "stringValueStrindex": index }),
    }
}

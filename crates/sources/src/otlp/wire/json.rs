//! OTLP's JSON, read leniently: ids in hex of any case, 64-bit numbers as numbers or strings, enums as numbers or
//! names, nulls as absent, unknown fields ignored. It becomes the same messages as protobuf, so both have the same
//! result.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::logs::v1 as logs_proto;
use opentelemetry_proto::tonic::resource::v1 as resource_proto;
use opentelemetry_proto::tonic::trace::v1 as proto;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tracebook_core::time::Nanos;

use super::{Language, Outcome, Reading, Shared, Signal, scope_name, service, size, too_heavy};
use crate::json::{ObjectText, elements, members, words};
use crate::text::clip;

pub(super) fn decode<S: Signal>(body: &[u8], now: Nanos, granted: usize) -> Outcome<S::Record> {
    let mut reading = Reading::<S>::new(now, granted);
    let read = resources(body, &mut reading);
    reading.finish(read)
}

fn resources<S: Signal>(body: &[u8], reading: &mut Reading<S>) -> Result<(), String> {
    let body = whole_characters(body);
    if matches!(body, Cow::Owned(_)) {
        reading.takes(body.len())?;
    }
    let text = std::str::from_utf8(&body).map_err(|error| format!("not UTF-8: {error}"))?;
    if text.trim().is_empty() {
        return Ok(());
    }
    members(text, |key, value| match key.as_ref() {
        key if key == S::RESOURCES => elements(value.get(), |one| {
            if let Err(why) = resource(one, reading) {
                reading.unreadable(format!("a resource is not readable: {why}"));
            }
            reading.goes_on()
        }),
        _ => Ok(()),
    })
}

/// JSON readers refuse lone surrogates, from text that was cut in the wrong place, so they become U+FFFD. The rest of
/// the bytes stays unchanged.
fn whole_characters(body: &[u8]) -> Cow<'_, [u8]> {
    let mut whole = Cow::Borrowed(body);
    let mut at = 0;
    while let Some(found) = body.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += found;
        match (escaped(body, at), escaped(body, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                if let Some(digits) = whole.to_mut().get_mut(at + 2..at + 6) {
                    digits.copy_from_slice(b"fffd");
                }
                at += 6;
            }
            _ => at += 2,
        }
    }
    whole
}

/// The code unit of an escape such as `\ud83d`.
fn escaped(body: &[u8], at: usize) -> Option<u16> {
    let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + u16::try_from(char::from(*digit).to_digit(16)?).ok()?))
}

fn resource<S: Signal>(one: &RawValue, reading: &mut Reading<S>) -> Result<(), String> {
    let (rest, scopes) = split(one, &S::SCOPES)?;
    let bytes = shared(rest, reading)?;
    // If a resource cannot be read, its records are kept all the same: its bytes stay, and reading them later gives a
    // warning.
    let said = bytes.as_ref().ok().and_then(|bytes| readable(bytes).ok());
    let service = service(said.map(|said| resource_spans(&said, &mut Vec::new())));
    for list in scopes {
        let read = elements(list.get(), |one| {
            if let Err(why) = scope(one, &service, bytes.clone(), reading) {
                reading.unreadable(format!("a scope is not readable: {why}"));
            }
            reading.goes_on()
        });
        read?;
    }
    Ok(())
}

fn scope<S: Signal>(
    one: &RawValue,
    service: &str,
    resource: Result<Arc<[u8]>, String>,
    reading: &mut Reading<S>,
) -> Result<(), String> {
    let (rest, records) = split(one, &[S::RECORDS])?;
    let scope = shared(rest, reading)?;
    let shared = resource.and_then(|resource| {
        let scope = scope?;
        let stream = scope_name(readable(&scope).ok().map(|said| scope_spans(&said, &mut Vec::new())));
        let (language, now, service) = (Language::Json, reading.now, service.to_owned());
        Ok(Shared { language, now, service, stream, resource, scope })
    });
    for list in records {
        elements(list.get(), |one| {
            match &shared {
                Err(why) => reading.reject(1, || why.clone()),
                Ok(shared) => record(one, shared, reading),
            }
            reading.goes_on()
        })?;
    }
    Ok(())
}

/// A resource or scope, or why it cannot be kept.
fn shared<S: Signal>(bytes: Vec<u8>, reading: &mut Reading<S>) -> Result<Result<Arc<[u8]>, String>, String> {
    if let Some(why) = too_heavy::<S>(&bytes) {
        return Ok(Err(why));
    }
    match size::of_json(&bytes) {
        Err(why) => Ok(Err(why)),
        Ok(decoding) => {
            reading.takes_for_now(bytes.len() + decoding)?;
            let kept = size::cut_json(bytes).map(Arc::from);
            kept.as_ref().map_or(Ok(()), |kept: &Arc<[u8]>| reading.takes(kept.len()))?;
            Ok(kept)
        }
    }
}

fn record<S: Signal>(one: &RawValue, shared: &Shared, reading: &mut Reading<S>) {
    let bytes = one.get().as_bytes();
    if let Some(why) = too_heavy::<S>(bytes) {
        return reading.reject(1, || why);
    }
    match size::of_json(bytes) {
        Err(why) => return reading.reject(1, || why),
        Ok(decoding) if reading.takes_for_now(decoding).is_err() => return,
        Ok(_) => {}
    }
    let said = match readable(bytes) {
        Ok(said) => said,
        Err(why) => return reading.unreadable(format!("a {} is not readable: {why}", S::WORD)),
    };
    let mut warnings = Vec::new();
    match S::record(S::from_json(&said, &mut warnings), bytes.to_vec(), shared) {
        // Where it needs more memory than granted, reading ends with this record.
        Ok(record) => drop(reading.push(record)),
        // A problem of an id was already reported, in more detail.
        Err(why) => reading.reject(1, || warnings.into_iter().next().unwrap_or(why)),
    }
}

/// An object without the lists of these names, as text, and the lists.
fn split<'a>(one: &'a RawValue, lists: &[&str]) -> Result<(Vec<u8>, Vec<&'a RawValue>), String> {
    let mut rest = ObjectText::default();
    let mut cut = Vec::new();
    members(one.get(), |key, value| {
        if lists.contains(&key.as_ref()) {
            cut.push(value);
        } else {
            rest.member(&key, value.get());
        }
        Ok(())
    })?;
    Ok((rest.finish().into_bytes(), cut))
}

fn readable(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    serde_json::from_slice(bytes).map_err(|error| words(&error))
}

/// A `ResourceSpans` without its spans; a `ResourceLogs` has the same fields.
pub(in crate::otlp) fn resource_spans(said: &Map<String, Value>, warnings: &mut Vec<String>) -> proto::ResourceSpans {
    let mut from = Reader { said, warnings };
    let schema_url = from.text("schemaUrl");
    let resource = from.object("resource", |inner| resource_proto::Resource {
        attributes: inner.attributes("attributes"),
        dropped_attributes_count: inner.count("droppedAttributesCount"),
        entity_refs: Vec::new(),
    });
    proto::ResourceSpans { resource, scope_spans: Vec::new(), schema_url }
}

/// A `ScopeSpans` without its spans; a `ScopeLogs` has the same fields.
pub(in crate::otlp) fn scope_spans(said: &Map<String, Value>, warnings: &mut Vec<String>) -> proto::ScopeSpans {
    let mut from = Reader { said, warnings };
    let schema_url = from.text("schemaUrl");
    let key = if said.contains_key("scope") { "scope" } else { "instrumentationLibrary" };
    let scope = from.object(key, |inner| common::InstrumentationScope {
        name: inner.text("name"),
        version: inner.text("version"),
        attributes: inner.attributes("attributes"),
        dropped_attributes_count: inner.count("droppedAttributesCount"),
    });
    proto::ScopeSpans { scope, spans: Vec::new(), schema_url }
}

pub(in crate::otlp) fn span(said: &Map<String, Value>, warnings: &mut Vec<String>) -> proto::Span {
    let mut from = Reader { said, warnings };
    proto::Span {
        trace_id: from.id("traceId"),
        span_id: from.id("spanId"),
        parent_span_id: from.id("parentSpanId"),
        trace_state: from.text("traceState"),
        flags: from.count("flags"),
        name: from.text("name"),
        kind: from.choice("kind", |name| proto::span::SpanKind::from_str_name(name).map(i32::from)),
        start_time_unix_nano: from.unsigned("startTimeUnixNano"),
        end_time_unix_nano: from.unsigned("endTimeUnixNano"),
        attributes: from.attributes("attributes"),
        dropped_attributes_count: from.count("droppedAttributesCount"),
        events: from.list("events", |inner| proto::span::Event {
            time_unix_nano: inner.unsigned("timeUnixNano"),
            name: inner.text("name"),
            attributes: inner.attributes("attributes"),
            dropped_attributes_count: inner.count("droppedAttributesCount"),
        }),
        dropped_events_count: from.count("droppedEventsCount"),
        links: from.list("links", |inner| proto::span::Link {
            trace_id: inner.id("traceId"),
            span_id: inner.id("spanId"),
            trace_state: inner.text("traceState"),
            attributes: inner.attributes("attributes"),
            dropped_attributes_count: inner.count("droppedAttributesCount"),
            flags: inner.count("flags"),
        }),
        dropped_links_count: from.count("droppedLinksCount"),
        status: from.object("status", |inner| proto::Status {
            message: inner.text("message"),
            code: inner.choice("code", |name| proto::status::StatusCode::from_str_name(name).map(i32::from)),
        }),
    }
}

pub(in crate::otlp) fn log(said: &Map<String, Value>, warnings: &mut Vec<String>) -> logs_proto::LogRecord {
    let mut from = Reader { said, warnings };
    logs_proto::LogRecord {
        time_unix_nano: from.unsigned("timeUnixNano"),
        observed_time_unix_nano: from.unsigned("observedTimeUnixNano"),
        severity_number: from
            .choice("severityNumber", |name| logs_proto::SeverityNumber::from_str_name(name).map(i32::from)),
        severity_text: from.text("severityText"),
        body: from.object("body", any_value),
        attributes: from.attributes("attributes"),
        dropped_attributes_count: from.count("droppedAttributesCount"),
        flags: from.count("flags"),
        trace_id: from.id("traceId"),
        span_id: from.id("spanId"),
        event_name: from.text("eventName"),
    }
}

/// Reads the members of one object; a member of the wrong type counts as absent, with a warning.
struct Reader<'a> {
    said: &'a Map<String, Value>,
    warnings: &'a mut Vec<String>,
}

impl<'a> Reader<'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.said.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&mut self, key: &str, expected: &str) {
        let said = self.said.get(key).map(|value| clip(&value.to_string())).unwrap_or_default();
        self.warnings.push(format!("{key} {said} is not {expected}"));
    }

    fn with<T: Default>(&mut self, key: &str, expected: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> T {
        let Some(value) = self.get(key) else { return T::default() };
        read(value).unwrap_or_else(|| {
            self.wrong(key, expected);
            T::default()
        })
    }

    fn text(&mut self, key: &str) -> String {
        self.with(key, "a text", |value| value.as_str().map(str::to_owned))
    }

    fn id(&mut self, key: &str) -> Vec<u8> {
        self.with(key, "an id in hex digits", |value| hex::decode(value.as_str()?).ok())
    }

    fn unsigned(&mut self, key: &str) -> u64 {
        self.with(key, "a number of nanoseconds", unsigned)
    }

    fn count(&mut self, key: &str) -> u32 {
        self.with(key, "a number below 2^32", |value| u32::try_from(unsigned(value)?).ok())
    }

    fn choice(&mut self, key: &str, by_name: impl FnOnce(&str) -> Option<i32>) -> i32 {
        self.with(key, "a known number", |value| match value.as_str() {
            Some(name) => by_name(name).or_else(|| name.parse().ok()),
            None => signed(value).and_then(|n| i32::try_from(n).ok()),
        })
    }

    fn object<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> Option<T> {
        match self.get(key)? {
            Value::Object(said) => Some(read(&mut Reader { said, warnings: self.warnings })),
            _ => {
                self.wrong(key, "an object");
                None
            }
        }
    }

    fn list<T>(&mut self, key: &str, mut read: impl FnMut(&mut Reader<'_>) -> T) -> Vec<T> {
        let list = self.with(key, "a list", |value| value.as_array().map(Vec::as_slice));
        let mut out = Vec::with_capacity(list.len());
        for one in list {
            match one {
                Value::Object(said) => out.push(read(&mut Reader { said, warnings: self.warnings })),
                _ => self.warnings.push(format!("{key} holds {}, which is not an object", clip(&one.to_string()))),
            }
        }
        out
    }

    fn attributes(&mut self, key: &str) -> Vec<common::KeyValue> {
        self.list(key, |inner| common::KeyValue {
            key: inner.text("key"),
            value: inner.object("value", any_value),
            key_strindex: 0,
        })
    }
}

fn any_value(from: &mut Reader<'_>) -> common::AnyValue {
    use any_value::Value as Any;
    let kind = from.said.iter().find(|(_, value)| !value.is_null()).map(|(key, _)| key.as_str());
    let value = match kind {
        None => None,
        Some("stringValue") => Some(Any::StringValue(from.text("stringValue"))),
        Some("boolValue") => Some(Any::BoolValue(from.with("boolValue", "true or false", Value::as_bool))),
        Some("intValue") => Some(Any::IntValue(from.with("intValue", "a 64-bit number", signed))),
        Some("doubleValue") => Some(Any::DoubleValue(from.with("doubleValue", "a number", double))),
        Some("bytesValue") => Some(Any::BytesValue(from.with("bytesValue", "base64", bytes))),
        Some("arrayValue") => from
            .object("arrayValue", |inner| common::ArrayValue { values: inner.list("values", any_value) })
            .map(Any::ArrayValue),
        Some("kvlistValue") => from
            .object("kvlistValue", |inner| common::KeyValueList { values: inner.attributes("values") })
            .map(Any::KvlistValue),
        Some(other) => {
            let other = clip(other);
            from.warnings.push(format!("a value of the unknown type {other:?} is left out"));
            None
        }
    };
    common::AnyValue { value }
}

fn unsigned(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(n) => n.as_u64().or_else(|| whole(n.as_f64()?).and_then(|n| u64::try_from(n).ok())),
        _ => None,
    }
}

fn signed(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(n) => n.as_i64().or_else(|| whole(n.as_f64()?).and_then(|n| i64::try_from(n).ok())),
        _ => None,
    }
}

/// Some senders write `1.7e18` for a time.
#[expect(clippy::cast_possible_truncation, reason = "range checked in the same line")]
fn whole(double: f64) -> Option<i128> {
    (double.fract() == 0.0 && double.abs() < 1.9e19).then_some(double as i128)
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = value.as_str()?;
    let alphabet = if text.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()
}

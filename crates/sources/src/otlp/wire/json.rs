//! OTLP's JSON, read leniently: names in lowerCamelCase or as in the `.proto` files, ids in hex of any case or in
//! base64, 64-bit numbers in every form of [`crate::json`], enums as numbers or names, nulls as absent, unknown
//! fields ignored. It becomes the same messages as protobuf, so both have the same result.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::logs::v1 as logs_proto;
use opentelemetry_proto::tonic::resource::v1 as resource_proto;
use opentelemetry_proto::tonic::trace::v1 as proto;
use serde_json::{Map, Value};
use tracebook_core::time::Nanos;

use super::{Language, Outcome, Reading, Shared, Signal, scope_name, service, size, too_heavy};
use crate::json::{self, ObjectText, elements, is_named, members};
use crate::text::clip;

pub(super) fn decode<S: Signal>(body: &[u8], now: Nanos, granted: usize) -> Outcome<S::Record> {
    let mut reading = Reading::<S>::new(now, granted);
    let read = resources(body, &mut reading);
    reading.finish(read)
}

fn resources<S: Signal>(body: &[u8], reading: &mut Reading<S>) -> Result<(), String> {
    let text = String::from_utf8_lossy(body);
    if matches!(text, Cow::Owned(_)) {
        reading.takes(text.len())?;
    }
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Ok(());
    }
    let mut unknown = Unknown::default();
    members(text, |key, value| match is_named(&key, S::RESOURCES) {
        true => {
            unknown.found = true;
            elements(value, |one| {
                if let Err(why) = resource(one, reading) {
                    reading.unreadable(format!("a resource is not readable: {why}"));
                }
                reading.goes_on()
            })
        }
        false => {
            unknown.member(&key, value);
            Ok(())
        }
    })?;
    unknown.objection(S::RESOURCES).map_or(Ok(()), Err)
}

/// Members that are not known. Unknown fields are ignored, as protobuf prescribes; but where the expected list is
/// missing as well, everything that was sent would be ignored.
#[derive(Default)]
struct Unknown {
    found: bool,
    first: Option<String>,
}

impl Unknown {
    fn member(&mut self, key: &str, value: &str) {
        if self.first.is_none() && value.starts_with(['[', '{']) {
            self.first = Some(clip(key));
        }
    }

    fn objection(self, list: &str) -> Option<String> {
        let unknown = self.first.filter(|_| !self.found)?;
        Some(format!("it has no `{list}`, but {unknown:?}, which is not known"))
    }
}

fn resource<S: Signal>(one: &str, reading: &mut Reading<S>) -> Result<(), String> {
    reading.containers += 1;
    let (rest, scopes) = split(one, &S::SCOPES, &["resource", "schemaUrl"])?;
    let bytes = shared(rest, reading)?;
    // If a resource cannot be read, its records are kept all the same: its bytes stay, and reading them later gives a
    // warning.
    let said = bytes.as_ref().ok().and_then(|bytes| readable(bytes).ok());
    let service = service(said.map(|(said, _)| resource_spans(&said, &mut Vec::new())));
    for list in scopes {
        let read = elements(list, |one| {
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
    one: &str,
    service: &str,
    resource: Result<Arc<[u8]>, String>,
    reading: &mut Reading<S>,
) -> Result<(), String> {
    reading.containers += 1;
    let known = ["scope", "schemaUrl", "instrumentationLibrary"];
    let (rest, records) = split(one, &[S::RECORDS], &known)?;
    let scope = shared(rest, reading)?;
    let shared = resource.and_then(|resource| {
        let scope = scope?;
        let stream = scope_name(readable(&scope).ok().map(|(said, _)| scope_spans(&said, &mut Vec::new())));
        let (language, now, service) = (Language::Json, reading.now, service.to_owned());
        Ok(Shared { language, now, service, stream, resource, scope })
    });
    for list in records {
        elements(list, |one| {
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
            let bytes = match readable(&bytes) {
                Ok((_, Some(mended))) => mended.into_bytes(),
                Ok((_, None)) => bytes,
                Err(why) => {
                    reading.warn(format!("a resource or scope is not readable: {why}"));
                    readable_members(&bytes)
                }
            };
            let kept = size::cut_json(bytes).map(Arc::from);
            kept.as_ref().map_or(Ok(()), |kept: &Arc<[u8]>| reading.takes(kept.len()))?;
            Ok(kept)
        }
    }
}

fn record<S: Signal>(one: &str, shared: &Shared, reading: &mut Reading<S>) {
    let bytes = one.as_bytes();
    if let Some(why) = too_heavy::<S>(bytes) {
        return reading.reject(1, || why);
    }
    match size::of_json(bytes) {
        Err(why) => return reading.reject(1, || why),
        Ok(decoding) if reading.takes_for_now(decoding).is_err() => return,
        Ok(_) => {}
    }
    let (said, mended) = match readable(bytes) {
        Ok(read) => read,
        Err(why) => return reading.unreadable(format!("a {} is not readable: {why}", S::WORD)),
    };
    let mut warnings = Vec::new();
    let message = S::from_json(&said, &mut warnings);
    // Without these, it would be kept in a place where nobody finds it.
    let essential = |warning: &&String| S::ESSENTIAL.iter().any(|name| warning.starts_with(name));
    if let Some(why) = warnings.iter().find(essential) {
        return reading.reject(1, || why.clone());
    }
    match S::record(message, mended.map_or_else(|| bytes.to_vec(), String::into_bytes), shared) {
        Ok(record) => {
            if let Some(warning) = warnings.into_iter().next() {
                reading.warn(warning);
            }
            // Where it needs more memory than granted, reading ends with this record.
            reading.push(record).ok();
        }
        Err(why) => reading.reject(1, || why),
    }
}

/// An object without the lists of these names, as text, and the lists.
fn split<'a>(one: &'a str, lists: &[&str], known: &[&str]) -> Result<(Vec<u8>, Vec<&'a str>), String> {
    let mut rest = ObjectText::default();
    let mut cut = Vec::new();
    let mut unknown = Unknown::default();
    members(one, |key, value| {
        if lists.iter().any(|list| is_named(&key, list)) {
            unknown.found = true;
            cut.push(value);
            return Ok(());
        }
        if !known.iter().any(|known| is_named(&key, known)) {
            unknown.member(&key, value);
        }
        rest.member(&key, value);
        Ok(())
    })?;
    match unknown.objection(lists.first().copied().unwrap_or_default()) {
        Some(why) => Err(why),
        None => Ok((rest.finish().into_bytes(), cut)),
    }
}

/// An object without the members that cannot be read.
fn readable_members(object: &[u8]) -> Vec<u8> {
    let mut rest = ObjectText::default();
    let text = String::from_utf8_lossy(object);
    let each = |key: Cow<'_, str>, value: &str| {
        match json::read::<json::Readable>(value.as_bytes()) {
            Ok((_, None)) => rest.member(&key, value),
            Ok((_, Some(mended))) => rest.member(&key, &mended),
            Err(_) => {}
        }
        Ok(())
    };
    // What was written before by the same splitter can be split.
    members(&text, each).ok();
    rest.finish().into_bytes()
}

/// The members of an object, and its text if it had to be mended.
fn readable(bytes: &[u8]) -> Result<(Map<String, Value>, Option<String>), String> {
    json::read(bytes)
}

/// A `ResourceSpans` without its spans; a `ResourceLogs` has the same fields.
pub(in crate::otlp) fn resource_spans(said: &Map<String, Value>, warnings: &mut Vec<String>) -> proto::ResourceSpans {
    let mut from = Reader::of(said, warnings);
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
    let mut from = Reader::of(said, warnings);
    let schema_url = from.text("schemaUrl");
    let key = if from.get("scope").is_some() { "scope" } else { "instrumentationLibrary" };
    let scope = from.object(key, |inner| common::InstrumentationScope {
        name: inner.text("name"),
        version: inner.text("version"),
        attributes: inner.attributes("attributes"),
        dropped_attributes_count: inner.count("droppedAttributesCount"),
    });
    proto::ScopeSpans { scope, spans: Vec::new(), schema_url }
}

pub(in crate::otlp) fn span(said: &Map<String, Value>, warnings: &mut Vec<String>) -> proto::Span {
    let mut from = Reader::of(said, warnings);
    proto::Span {
        trace_id: from.id("traceId", 16),
        span_id: from.id("spanId", 8),
        parent_span_id: from.id("parentSpanId", 8),
        trace_state: from.text("traceState"),
        flags: from.count("flags"),
        name: from.text("name"),
        kind: from.choice("kind", "SPAN_KIND_", |name| proto::span::SpanKind::from_str_name(name).map(i32::from)),
        start_time_unix_nano: from.time("startTimeUnixNano"),
        end_time_unix_nano: from.time("endTimeUnixNano"),
        attributes: from.attributes("attributes"),
        dropped_attributes_count: from.count("droppedAttributesCount"),
        events: from.list("events", |inner| proto::span::Event {
            time_unix_nano: inner.time("timeUnixNano"),
            name: inner.text("name"),
            attributes: inner.attributes("attributes"),
            dropped_attributes_count: inner.count("droppedAttributesCount"),
        }),
        dropped_events_count: from.count("droppedEventsCount"),
        links: from.list("links", |inner| proto::span::Link {
            trace_id: inner.id("traceId", 16),
            span_id: inner.id("spanId", 8),
            trace_state: inner.text("traceState"),
            attributes: inner.attributes("attributes"),
            dropped_attributes_count: inner.count("droppedAttributesCount"),
            flags: inner.count("flags"),
        }),
        dropped_links_count: from.count("droppedLinksCount"),
        status: from.object("status", |inner| proto::Status {
            message: inner.text("message"),
            code: inner
                .choice("code", "STATUS_CODE_", |name| proto::status::StatusCode::from_str_name(name).map(i32::from)),
        }),
    }
}

pub(in crate::otlp) fn log(said: &Map<String, Value>, warnings: &mut Vec<String>) -> logs_proto::LogRecord {
    let mut from = Reader::of(said, warnings);
    logs_proto::LogRecord {
        time_unix_nano: from.time("timeUnixNano"),
        observed_time_unix_nano: from.time("observedTimeUnixNano"),
        severity_number: from.choice("severityNumber", "SEVERITY_NUMBER_", |name| {
            logs_proto::SeverityNumber::from_str_name(name).map(i32::from)
        }),
        severity_text: from.text("severityText"),
        body: from.value("body"),
        attributes: from.attributes("attributes"),
        dropped_attributes_count: from.count("droppedAttributesCount"),
        flags: from.count("flags"),
        trace_id: from.id("traceId", 16),
        span_id: from.id("spanId", 8),
        event_name: from.text("eventName"),
    }
}

/// Reads the members of one object; a member of the wrong type counts as absent, with a warning.
struct Reader<'a> {
    said: &'a Map<String, Value>,
    warnings: &'a mut Vec<String>,
    /// Whether a key is spelled otherwise than in lowerCamelCase, once that was asked.
    respelled: OnceCell<bool>,
}

impl<'a> Reader<'a> {
    fn of(said: &'a Map<String, Value>, warnings: &'a mut Vec<String>) -> Self {
        Self { said, warnings, respelled: OnceCell::new() }
    }

    fn is_respelled(&self) -> bool {
        let other =
            |key: &String| key.contains(['_', '-']) || key.starts_with(|first: char| first.is_ascii_uppercase());
        *self.respelled.get_or_init(|| self.said.keys().any(other))
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        let exact = self.said.get(name).filter(|value| !value.is_null());
        if exact.is_some() || !self.is_respelled() {
            return exact;
        }
        let mut members = self.said.iter().filter(|(key, value)| !value.is_null() && is_named(key, name));
        members.next().map(|(_, value)| value)
    }

    fn wrong(&mut self, key: &str, expected: &str) {
        let said = self.get(key).map(|value| clip(&value.to_string())).unwrap_or_default();
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
        self.with(key, "a text", |value| json::text(value).map(Cow::into_owned))
    }

    fn id(&mut self, key: &str, length: usize) -> Vec<u8> {
        self.with(key, "an id in hex digits", |value| json::id(value, length))
    }

    fn time(&mut self, key: &str) -> u64 {
        self.with(key, "a number of nanoseconds", time)
    }

    fn count(&mut self, key: &str) -> u32 {
        self.with(key, "a number below 2^32", |value| u32::try_from(json::unsigned(value)?).ok())
    }

    /// `prefix` is that of the names of the enum, which some senders leave out.
    fn choice(&mut self, key: &str, prefix: &str, by_name: impl Fn(&str) -> Option<i32>) -> i32 {
        self.with(key, "a known number", |value| match value.as_str().map(str::trim) {
            Some(name) => {
                let upper = name.to_ascii_uppercase();
                by_name(&upper).or_else(|| by_name(&format!("{prefix}{upper}"))).or_else(|| name.parse().ok())
            }
            None => json::signed(value).and_then(|n| i32::try_from(n).ok()),
        })
    }

    fn object<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> Option<T> {
        match self.get(key)? {
            Value::Object(said) => Some(read(&mut Reader::of(said, self.warnings))),
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
                Value::Object(said) => out.push(read(&mut Reader::of(said, self.warnings))),
                _ => self.warnings.push(format!("{key} holds {}, which is not an object", clip(&one.to_string()))),
            }
        }
        out
    }

    fn values(&mut self, key: &str) -> Vec<common::AnyValue> {
        let list = self.with(key, "a list", |value| value.as_array().map(Vec::as_slice));
        list.iter().map(|one| value_of(one, self.warnings)).collect()
    }

    fn value(&mut self, key: &str) -> Option<common::AnyValue> {
        self.get(key).map(|value| value_of(value, self.warnings))
    }

    fn attributes(&mut self, key: &str) -> Vec<common::KeyValue> {
        // Some senders write a map.
        if let Some(Value::Object(map)) = self.get(key) {
            return pairs(map, self.warnings);
        }
        self.list(key, |inner| common::KeyValue {
            key: inner.text("key"),
            value: inner.value("value"),
            key_strindex: 0,
        })
    }
}

fn pairs(map: &Map<String, Value>, warnings: &mut Vec<String>) -> Vec<common::KeyValue> {
    let pair = |(key, value): (&String, &Value)| common::KeyValue {
        key: key.clone(),
        value: Some(value_of(value, warnings)),
        key_strindex: 0,
    };
    map.iter().map(pair).collect()
}

/// An `AnyValue`; where a sender wrote the value itself, that value.
fn value_of(value: &Value, warnings: &mut Vec<String>) -> common::AnyValue {
    use any_value::Value as Any;
    let plain = match value {
        Value::Object(said) => return any_value(&mut Reader::of(said, warnings)),
        Value::Null => None,
        Value::String(text) => Some(Any::StringValue(text.clone())),
        Value::Bool(flag) => Some(Any::BoolValue(*flag)),
        Value::Number(n) => match n.as_i64() {
            Some(n) => Some(Any::IntValue(n)),
            None => n.as_f64().map(Any::DoubleValue),
        },
        Value::Array(list) => {
            let values = list.iter().map(|one| value_of(one, warnings)).collect();
            Some(Any::ArrayValue(common::ArrayValue { values }))
        }
    };
    common::AnyValue { value: plain }
}

/// The fields of `AnyValue`.
const VALUES: [&str; 7] =
    ["stringValue", "boolValue", "intValue", "doubleValue", "bytesValue", "arrayValue", "kvlistValue"];

fn any_value(from: &mut Reader<'_>) -> common::AnyValue {
    use any_value::Value as Any;
    let Some(key) = from.said.iter().find(|(_, value)| !value.is_null()).map(|(key, _)| key.as_str()) else {
        return common::AnyValue { value: None };
    };
    let exact = VALUES.into_iter().find(|name| *name == key);
    let kind = exact.or_else(|| VALUES.into_iter().find(|name| is_named(key, name)));
    let value = match kind {
        Some("stringValue") => Some(Any::StringValue(from.text("stringValue"))),
        Some("boolValue") => Some(Any::BoolValue(from.with("boolValue", "true or false", json::flag))),
        Some("intValue") => Some(Any::IntValue(from.with("intValue", "a 64-bit number", json::signed))),
        Some("doubleValue") => Some(Any::DoubleValue(from.with("doubleValue", "a number", json::double))),
        Some("bytesValue") => Some(Any::BytesValue(from.with("bytesValue", "base64", json::bytes))),
        Some("arrayValue") => from
            .object("arrayValue", |inner| common::ArrayValue { values: inner.values("values") })
            .map(Any::ArrayValue),
        Some("kvlistValue") => from
            .object("kvlistValue", |inner| common::KeyValueList { values: inner.attributes("values") })
            .map(Any::KvlistValue),
        // Go's `encoding/json` writes the field of the union around its content.
        Some(_) | None => match from.said.get(key) {
            Some(Value::Object(inner)) if is_named(key, "value") => {
                return any_value(&mut Reader::of(inner, from.warnings));
            }
            _ => {
                let key = clip(key);
                from.warnings.push(format!("a value of the unknown type {key:?} is kept as a map"));
                let values = pairs(from.said, from.warnings);
                Some(Any::KvlistValue(common::KeyValueList { values }))
            }
        },
    };
    common::AnyValue { value }
}

/// Nanoseconds since 1970; also the pair of seconds and nanoseconds in which OpenTelemetry's JavaScript keeps a time,
/// and RFC 3339, in which protobuf libraries write timestamps.
fn time(value: &Value) -> Option<u64> {
    const SECOND: u64 = 1_000_000_000;
    match value {
        Value::Array(pair) => match pair.as_slice() {
            [seconds, nanos] => json::unsigned(seconds)?.checked_mul(SECOND)?.checked_add(json::unsigned(nanos)?),
            _ => None,
        },
        Value::String(text) if text.contains(':') => u64::try_from(Nanos::parse_rfc3339(text.trim())?.0).ok(),
        _ => json::unsigned(value),
    }
}

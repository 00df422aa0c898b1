//! A segment or subsegment document as core's types. Keys without a field of their own become attributes under their
//! dotted path (`http.request.method`, `aws.xray.sdk`), including unknown ones.

use serde_json::{Map, Value as Json};
use tracebook_core::assemble::LooseSpan;
use tracebook_core::ids::SpanId;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::text::count;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Exception, Frame, Link, Protocol, Span, SpanKind, Status, StatusCode};
use tracebook_core::value::Attribute;

use crate::json::{DEEPEST, flag, value};
use crate::record::from_columns;
use crate::text::clip;

/// Reads a record. Never fails: see [`crate::normalise`].
pub fn segment(record: &SpanRecord) -> (LooseSpan, Vec<String>) {
    let said: Map<String, Json> = match serde_json::from_slice(&record.raw) {
        Ok(said) => said,
        Err(error) => return (from_columns(record), vec![format!("the document is not readable: {error}")]),
    };
    let mut warnings = Vec::new();
    let span = span_of(said, record.span_id, &mut warnings);
    (LooseSpan::from(span), warnings)
}

/// A document without its subsegments as a span.
pub(super) fn span_of(said: Map<String, Json>, id: SpanId, warnings: &mut Vec<String>) -> Span {
    let mut span = Span::new(id, "", Protocol::Xray, Nanos(0));
    span.kind = SpanKind::Segment;
    let mut status = Said::default();
    let mut in_progress = false;
    let mut remote = false;
    for (key, json) in said {
        if json.is_null() {
            continue;
        }
        match (key.as_str(), json) {
            // Already in the record.
            ("id" | "trace_id", _) => {}
            ("name", json) => span.name = text(json),
            ("start_time", json) => span.start = seconds("start_time", &json, warnings).unwrap_or_default(),
            ("end_time", json) => span.end = seconds("end_time", &json, warnings),
            ("in_progress", json) if flag(&json).is_some() => in_progress = flag(&json) == Some(true),
            ("parent_id", json) => span.parent = parent(json, warnings),
            ("type", Json::String(kind)) if kind == "subsegment" => span.kind = SpanKind::Subsegment,
            ("fault", json) if flag(&json).is_some() => status.fault = flag(&json),
            ("error", json) if flag(&json).is_some() => status.error = flag(&json),
            ("throttle", json) if flag(&json).is_some() => status.throttle = flag(&json),
            ("annotations", Json::Object(map)) => span.annotations = attributes(map),
            ("metadata", Json::Object(map)) => span.metadata = attributes(map),
            ("cause", json) => cause(json, &mut span, warnings),
            ("links", Json::Array(list)) => links(list, &mut span, warnings),
            ("subsegments", Json::Array(list)) => warnings.push(format!(
                "not readable, and only in the raw document: {}",
                count(list.len(), "nested subsegment")
            )),
            ("namespace", json) => {
                remote = matches!(json.as_str(), Some("remote" | "aws"));
                span.attributes.push(Attribute { key, value: value(json) });
            }
            (_, json) => flatten(key, json, 0, &mut span.attributes),
        }
    }
    span.status = Status { code: status.code(), message: String::new() };
    match (span.end, in_progress) {
        (Some(_), true) => {
            warnings.push("it has an end_time and says that it is in progress: taken as in progress".to_owned());
            span.end = None;
        }
        (None, false) => {
            warnings.push("it has neither an end_time nor in_progress: taken as in progress".to_owned());
        }
        _ => {}
    }
    // A local subsegment belongs to its segment, which is known only in the whole trace.
    if span.kind == SpanKind::Segment || remote {
        span.service.clone_from(&span.name);
    }
    span
}

/// The three flags, as far as the sender set them.
#[derive(Default)]
struct Said {
    fault: Option<bool>,
    error: Option<bool>,
    throttle: Option<bool>,
}

impl Said {
    /// The most specific one: SDKs set `error` together with `throttle` on a 429.
    fn code(&self) -> StatusCode {
        let Self { fault, error, throttle } = *self;
        match (fault, throttle, error) {
            (Some(true), _, _) => StatusCode::Fault,
            (_, Some(true), _) => StatusCode::Throttle,
            (_, _, Some(true)) => StatusCode::Error,
            (None, None, None) => StatusCode::Unset,
            _ => StatusCode::Ok,
        }
    }
}

fn seconds(key: &str, json: &Json, warnings: &mut Vec<String>) -> Option<Nanos> {
    let time = crate::json::seconds(json);
    if time.is_none() {
        warnings.push(format!("{key} {} is not a time in seconds", clip(&json.to_string())));
    }
    time
}

fn parent(json: Json, warnings: &mut Vec<String>) -> Option<SpanId> {
    let text = text(json);
    if text.is_empty() {
        return None;
    }
    let id = text.parse().ok();
    if id.is_none() {
        warnings.push(format!("parent_id {:?} is not 16 hex digits and is left out", clip(&text)));
    }
    id
}

/// A string as itself, anything else as its JSON.
fn text(json: Json) -> String {
    match json {
        Json::String(text) => text,
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

fn attributes(map: Map<String, Json>) -> Vec<Attribute> {
    map.into_iter().map(|(key, json)| Attribute { key, value: value(json) }).collect()
}

fn flatten(path: String, json: Json, depth: usize, into: &mut Vec<Attribute>) {
    match json {
        Json::Object(map) if !map.is_empty() && depth < DEEPEST => {
            for (key, json) in map {
                flatten(format!("{path}.{key}"), json, depth + 1, into);
            }
        }
        other => into.push(Attribute { key: path, value: value(other) }),
    }
}

/// Either the id of an exception in another subsegment, or the exceptions themselves.
fn cause(json: Json, span: &mut Span, warnings: &mut Vec<String>) {
    match json {
        Json::String(id) if id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => span.cause_ref = id,
        Json::Object(map) => {
            for (key, json) in map {
                match (key.as_str(), json) {
                    ("exceptions", Json::Array(list)) => {
                        for (i, json) in list.into_iter().enumerate() {
                            exception(i, json, span, warnings);
                        }
                    }
                    (_, Json::Null) => {}
                    (_, json) => flatten(format!("cause.{key}"), json, 0, &mut span.attributes),
                }
            }
        }
        other => {
            warnings.push("cause is neither an exception's id nor a list of exceptions".to_owned());
            flatten("cause".to_owned(), other, 0, &mut span.attributes);
        }
    }
}

fn exception(i: usize, json: Json, span: &mut Span, warnings: &mut Vec<String>) {
    let Json::Object(map) = json else {
        warnings.push(format!("exception {} is not an object", i + 1));
        span.attributes.push(Attribute { key: format!("cause.exceptions.{i}"), value: value(json) });
        return;
    };
    let mut exception = Exception::default();
    for (key, json) in map {
        match (key.as_str(), json) {
            (_, Json::Null) => {}
            ("id", json) => exception.id = text(json),
            ("type", json) => exception.kind = text(json),
            ("message", json) => exception.message = text(json),
            ("remote", json) if flag(&json).is_some() => exception.remote = flag(&json) == Some(true),
            ("truncated", json) if small(&json).is_some() => exception.truncated = small(&json).unwrap_or_default(),
            ("skipped", json) if small(&json).is_some() => exception.skipped = small(&json).unwrap_or_default(),
            ("cause", json) => exception.cause = text(json),
            ("stack", Json::Array(list)) => exception.stack = list.into_iter().map(frame).collect(),
            (_, json) => flatten(format!("cause.exceptions.{i}.{key}"), json, 0, &mut span.attributes),
        }
    }
    span.exceptions.push(exception);
}

fn small(json: &Json) -> Option<u32> {
    json.as_u64().and_then(|n| u32::try_from(n).ok())
}

fn frame(json: Json) -> Frame {
    match json {
        Json::Object(mut map) => Frame {
            path: map.remove("path").map(text).unwrap_or_default(),
            line: map.get("line").and_then(small),
            label: map.remove("label").map(text).unwrap_or_default(),
        },
        other => Frame { label: text(other), ..Frame::default() },
    }
}

fn links(list: Vec<Json>, span: &mut Span, warnings: &mut Vec<String>) {
    for json in list {
        match link(&json) {
            Some(link) => span.links.push(link),
            None => {
                warnings.push("a link without whole ids is kept as an attribute".to_owned());
                span.attributes.push(Attribute { key: "links".to_owned(), value: value(json) });
            }
        }
    }
}

fn link(json: &Json) -> Option<Link> {
    Some(Link {
        trace_id: json.get("trace_id")?.as_str()?.parse().ok()?,
        span_id: json.get("id")?.as_str()?.parse().ok()?,
        trace_state: String::new(),
        attributes: json.get("attributes").and_then(Json::as_object).cloned().map(attributes).unwrap_or_default(),
        dropped_attributes: 0,
        flags: 0,
    })
}

#[cfg(test)]
mod tests;

//! Converts a printed span to `core` types.

pub(super) mod node;

use serde_json::{Map, Value as Json};
use tracebook_core::assemble::LooseSpan;
use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Event, Exception, Link, Protocol, Resource, Scope, Span, SpanKind, Status, StatusCode};
use tracebook_core::value::{Attribute, Value, get};

use crate::json;
use crate::record::from_columns;
use crate::text::clip;

/// Reads a record of a printed span. Never fails: see [`crate::normalise`].
pub fn span(record: &SpanRecord) -> (LooseSpan, Vec<String>) {
    let mut warnings = Vec::new();
    let loose = match serde_json::from_slice(&record.raw) {
        Ok(said) => span_of(said, record.span_id, &mut warnings),
        Err(error) => {
            warnings.push(format!("the span is not readable: {error}"));
            from_columns(record)
        }
    };
    (loose, warnings)
}

/// A span with its resource and scope; Python's exporter prints no scope.
pub(super) fn span_of(mut said: Map<String, Json>, id: SpanId, warnings: &mut Vec<String>) -> LooseSpan {
    if said.contains_key("traceId") {
        return node::span_of(said, id, warnings);
    }
    let mut take = |key: &str| said.remove(key).unwrap_or_default();
    let name = text(take("name"), "name", warnings);
    let start = moment(take("start_time"), "start time", warnings).unwrap_or_default();
    let mut span = Span::new(id, name, Protocol::Console, start);
    span.parent = parent(&take("parent_id"), warnings);
    span.kind = kind(&take("kind"), warnings);
    span.end = moment(take("end_time"), "end time", warnings);
    span.status = status(take("status"), warnings);
    span.attributes = attributes(take("attributes"), "attributes", warnings);
    span.events = list(take("events"), "events", warnings).map(|said| event(said, warnings)).collect();
    span.exceptions = span.events.iter().filter(|event| event.name == "exception").map(exception).collect();
    span.links = list(take("links"), "links", warnings).filter_map(|said| link(said, warnings)).collect();
    let mut context = object(take("context"), "context", warnings);
    span.trace_state = trace_state(context.remove("trace_state").unwrap_or_default(), warnings);
    let sender = resource(take("resource"), warnings);
    span.service = service(&sender);
    let mut scope = object(take("scope"), "scope", warnings);
    let scope = Scope {
        name: text(scope.remove("name").unwrap_or_default(), "scope's name", warnings),
        version: text(scope.remove("version").unwrap_or_default(), "scope's version", warnings),
        ..Scope::default()
    };
    warnings.extend(list(take("notes"), "notes", &mut Vec::new()).filter_map(|note| Some(note.as_str()?.to_owned())));
    LooseSpan { span, resource: sender.into(), scope: scope.into() }
}

fn resource(said: Json, warnings: &mut Vec<String>) -> Resource {
    let mut sender = object(said, "resource", warnings);
    Resource {
        attributes: attributes(sender.remove("attributes").unwrap_or_default(), "resource's attributes", warnings),
        schema_url: text(sender.remove("schema_url").unwrap_or_default(), "schema URL", warnings),
        dropped_attributes: 0,
    }
}

fn service(resource: &Resource) -> String {
    match get(&resource.attributes, "service.name").map(Value::to_string) {
        Some(name) if !name.trim().is_empty() => name,
        // The name of a service without a name, from the semantic conventions.
        _ => "unknown_service".to_owned(),
    }
}

/// A time in the format of the exporter.
pub(super) fn time(text: &str) -> Option<Nanos> {
    Nanos::parse_rfc3339(text)
}

/// An absent value is empty; a value of another type becomes its JSON.
fn text(said: Json, what: &str, warnings: &mut Vec<String>) -> String {
    match said {
        Json::Null => String::new(),
        Json::String(text) => text,
        other => {
            warnings.push(format!("the {what} is not text: {}", clip(&other.to_string())));
            other.to_string()
        }
    }
}

fn moment(said: Json, what: &str, warnings: &mut Vec<String>) -> Option<Nanos> {
    let read = match &said {
        Json::Null => return None,
        Json::String(text) => time(text),
        _ => None,
    };
    if read.is_none() {
        warnings
            .push(format!("the {what} {} is not a time such as 2026-11-23T15:20:12.231000Z", clip(&said.to_string())));
    }
    read
}

fn object(said: Json, what: &str, warnings: &mut Vec<String>) -> Map<String, Json> {
    match said {
        Json::Null => Map::new(),
        Json::Object(said) => said,
        other => {
            warnings.push(format!("the {what} left out, since it is not an object: {}", clip(&other.to_string())));
            Map::new()
        }
    }
}

fn list(said: Json, what: &str, warnings: &mut Vec<String>) -> std::vec::IntoIter<Json> {
    match said {
        Json::Null => Vec::new(),
        Json::Array(said) => said,
        other => {
            warnings.push(format!("the {what} are left out, since they are not a list: {}", clip(&other.to_string())));
            Vec::new()
        }
    }
    .into_iter()
}

fn attributes(said: Json, what: &str, warnings: &mut Vec<String>) -> Vec<Attribute> {
    let said = object(said, what, warnings);
    said.into_iter().map(|(key, said)| Attribute { key, value: json::value(said) }).collect()
}

fn parent(said: &Json, warnings: &mut Vec<String>) -> Option<SpanId> {
    let text = match said {
        Json::Null => return None,
        Json::String(text) if text.trim_start_matches("0x") == "0000000000000000" => return None,
        Json::String(text) => text.parse().ok(),
        _ => None,
    };
    if text.is_none() {
        warnings.push(format!("a parent span id {} is left out: it is not 16 hex digits", clip(&said.to_string())));
    }
    text
}

fn kind(said: &Json, warnings: &mut Vec<String>) -> SpanKind {
    let word = said.as_str().unwrap_or_default();
    match word.strip_prefix("SpanKind.").unwrap_or(word) {
        "INTERNAL" => SpanKind::Internal,
        "SERVER" => SpanKind::Server,
        "CLIENT" => SpanKind::Client,
        "PRODUCER" => SpanKind::Producer,
        "CONSUMER" => SpanKind::Consumer,
        _ => {
            if !said.is_null() {
                warnings.push(format!("span kind {} is not known", clip(&said.to_string())));
            }
            SpanKind::Unspecified
        }
    }
}

fn status(said: Json, warnings: &mut Vec<String>) -> Status {
    let mut said = object(said, "status", warnings);
    let code = said.remove("status_code").unwrap_or_default();
    let word = code.as_str().unwrap_or_default();
    let code = match word.strip_prefix("StatusCode.").unwrap_or(word) {
        "UNSET" => StatusCode::Unset,
        "OK" => StatusCode::Ok,
        "ERROR" => StatusCode::Error,
        _ => {
            if !code.is_null() {
                warnings.push(format!("status code {} is not known", clip(&code.to_string())));
            }
            StatusCode::Unset
        }
    };
    Status { code, message: text(said.remove("description").unwrap_or_default(), "status description", warnings) }
}

fn event(said: Json, warnings: &mut Vec<String>) -> Event {
    let mut said = object(said, "event", warnings);
    let mut take = |key: &str| said.remove(key).unwrap_or_default();
    Event {
        time: moment(take("timestamp"), "time of an event", warnings).unwrap_or_default(),
        name: text(take("name"), "name of an event", warnings),
        attributes: attributes(take("attributes"), "attributes of an event", warnings),
        dropped_attributes: 0,
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

fn link(said: Json, warnings: &mut Vec<String>) -> Option<Link> {
    let mut said = object(said, "link", warnings);
    let mut context = object(said.remove("context").unwrap_or_default(), "context of a link", warnings);
    let id = |key| context.get(key).and_then(Json::as_str);
    let ids: (Option<TraceId>, Option<SpanId>) =
        (id("trace_id").and_then(|id| id.parse().ok()), id("span_id").and_then(|id| id.parse().ok()));
    let (Some(trace_id), Some(span_id)) = ids else {
        warnings.push("a link without whole ids is left out".to_owned());
        return None;
    };
    Some(Link {
        trace_id,
        span_id,
        trace_state: trace_state(context.remove("trace_state").unwrap_or_default(), warnings),
        attributes: attributes(said.remove("attributes").unwrap_or_default(), "attributes of a link", warnings),
        dropped_attributes: 0,
        flags: 0,
    })
}

/// Converts the printed Python list `['{key=a, value=1}', '{key=b, value=2}']` to W3C's form `a=1,b=2`.
fn trace_state(said: Json, warnings: &mut Vec<String>) -> String {
    let said = text(said, "trace state", warnings);
    let Some(inner) = said.strip_prefix('[').and_then(|said| said.strip_suffix(']')) else { return said };
    if inner.is_empty() {
        return String::new();
    }
    let pair = |member: &str| {
        let member = member.trim_matches(['\'', '"']);
        let (key, value) = member.strip_prefix("{key=")?.strip_suffix('}')?.split_once(", value=")?;
        Some(format!("{key}={value}"))
    };
    // Values contain no comma, so it ends the member.
    let pairs: Option<Vec<String>> =
        inner.replace("\", ", "', ").replace(", \"", ", '").split("', '").map(pair).collect();
    match pairs {
        Some(pairs) => pairs.join(","),
        None => {
            warnings.push(format!("the trace state is kept as printed: {}", clip(&said)));
            said
        }
    }
}

//! What exporters other than Python's and Node's print, as the JSON that Python's prints.
//!
//! One form is stored and normalised. Members that Python's has not: `scope` with `name` and `version`, and `notes`
//! about what the exporter leaves out.

pub(super) mod collector;
pub(super) mod dotnet;
pub(super) mod go;
pub(super) mod java;
pub(super) mod ruby;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value as Json, json};
use tracebook_core::time::Nanos;

/// A span with what every exporter prints.
#[derive(Debug, Default)]
struct Printed {
    name: String,
    trace_id: String,
    span_id: String,
    trace_state: String,
    parent_id: String,
    /// In any case, with or without `SPAN_KIND_`.
    kind: String,
    start: Option<Nanos>,
    end: Option<Nanos>,
    /// In any case, with or without `STATUS_CODE_`.
    status: String,
    message: String,
    attributes: Map<String, Json>,
    events: Vec<Json>,
    links: Vec<Json>,
    resource: Map<String, Json>,
    schema_url: String,
    scope: (String, String),
    notes: Vec<String>,
}

impl Printed {
    fn into_json(self) -> Map<String, Json> {
        let kind = self.kind.to_ascii_uppercase();
        let kind = match kind.strip_prefix("SPAN_KIND_").unwrap_or(&kind) {
            "" | "UNSPECIFIED" => Json::Null,
            kind => format!("SpanKind.{kind}").into(),
        };
        let status = self.status.to_ascii_uppercase();
        let status = match status.strip_prefix("STATUS_CODE_").unwrap_or(&status) {
            "" => "UNSET".to_owned(),
            status => status.to_owned(),
        };
        let id = |id: &str| match id.bytes().all(|digit| digit == b'0') {
            true => Json::Null,
            false => format!("0x{id}").into(),
        };
        let time = |time: Option<Nanos>| time.map_or(Json::Null, |time| time.rfc3339_nanos().into());
        let mut said = Map::new();
        said.insert("name".to_owned(), self.name.into());
        let context = json!({
            "trace_id": format!("0x{}", self.trace_id), "span_id": format!("0x{}", self.span_id),
            "trace_state": self.trace_state,
        });
        said.insert("context".to_owned(), context);
        said.insert("kind".to_owned(), kind);
        said.insert("parent_id".to_owned(), id(&self.parent_id));
        said.insert("start_time".to_owned(), time(self.start));
        said.insert("end_time".to_owned(), time(self.end));
        said.insert("status".to_owned(), json!({"status_code": status, "description": self.message}));
        said.insert("attributes".to_owned(), self.attributes.into());
        said.insert("events".to_owned(), self.events.into());
        said.insert("links".to_owned(), self.links.into());
        said.insert("resource".to_owned(), json!({"attributes": self.resource, "schema_url": self.schema_url}));
        said.insert("scope".to_owned(), json!({"name": self.scope.0, "version": self.scope.1}));
        if !self.notes.is_empty() {
            said.insert("notes".to_owned(), self.notes.into());
        }
        said
    }
}

fn event(name: &str, time: Nanos, attributes: Map<String, Json>) -> Json {
    json!({"name": name, "timestamp": time.rfc3339_nanos(), "attributes": attributes})
}

fn link(trace_id: &str, span_id: &str, trace_state: &str, attributes: Map<String, Json>) -> Json {
    let context = json!({
        "trace_id": format!("0x{trace_id}"), "span_id": format!("0x{span_id}"), "trace_state": trace_state,
    });
    json!({"context": context, "attributes": attributes})
}

/// A value of an exporter that prints no types: numbers, booleans and lists are read as such.
fn untyped(text: &str) -> Json {
    let number = text.strip_prefix('-').unwrap_or(text);
    let plain = number == "0" || !number.starts_with('0');
    match text {
        "true" | "True" => true.into(),
        "false" | "False" => false.into(),
        _ if plain && number.bytes().all(|b| b.is_ascii_digit()) && !number.is_empty() => {
            text.parse::<i64>().map_or_else(|_| text.into(), Json::from)
        }
        _ if text.starts_with('[') => match serde_json::from_str(text) {
            Ok(list @ Json::Array(_)) => list,
            _ => text.into(),
        },
        _ => text.into(),
    }
}

/// `2026-02-11 20:26:12.000000321 +0000 UTC`, as Go prints a time.
fn go_time(text: &str) -> Option<Nanos> {
    let mut parts = text.split_whitespace();
    let (date, clock, zone) = (parts.next()?, parts.next()?, parts.next()?);
    let zone = match zone.split_at_checked(3) {
        Some((hours, minutes)) if minutes.len() == 2 => format!("{hours}:{minutes}"),
        _ => zone.to_owned(),
    };
    Nanos::parse_rfc3339(&format!("{date}T{clock}{zone}"))
}

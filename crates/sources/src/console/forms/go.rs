//! stdouttrace of Go: JSON, on one line or indented by tabs.

use serde_json::{Map, Value as Json};
use tracebook_core::time::Nanos;

use super::{Printed, event, link};

/// Converts a span; `None` if it is none of Go's.
pub(in crate::console) fn span(said: &Map<String, Json>) -> Option<Map<String, Json>> {
    let context = said.get("SpanContext")?.as_object()?;
    let text =
        |from: &Map<String, Json>, key: &str| from.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let parent = said.get("Parent").and_then(Json::as_object);
    let status = said.get("Status").and_then(Json::as_object).cloned().unwrap_or_default();
    let scope = said.get("InstrumentationScope").or_else(|| said.get("InstrumentationLibrary"));
    let scope = scope.and_then(Json::as_object).cloned().unwrap_or_default();
    let start = said.get("StartTime").and_then(moment)?;
    let printed = Printed {
        name: text(said, "Name"),
        trace_id: text(context, "TraceID"),
        span_id: text(context, "SpanID"),
        trace_state: text(context, "TraceState"),
        parent_id: parent.map(|parent| text(parent, "SpanID")).unwrap_or_default(),
        kind: kind(said.get("SpanKind")),
        start: Some(start),
        end: said.get("EndTime").and_then(moment),
        status: status.get("Code").map(code).unwrap_or_default(),
        message: text(&status, "Description"),
        attributes: attributes(said.get("Attributes")),
        events: list(said.get("Events").or_else(|| said.get("MessageEvents")))
            .filter_map(Json::as_object)
            .map(|said| {
                event(
                    &text(said, "Name"),
                    said.get("Time").and_then(moment).unwrap_or(start),
                    attributes(said.get("Attributes")),
                )
            })
            .collect(),
        links: list(said.get("Links"))
            .filter_map(|said| {
                let context = said.get("SpanContext")?.as_object()?;
                let (trace, span) = (text(context, "TraceID"), text(context, "SpanID"));
                Some(link(&trace, &span, &text(context, "TraceState"), attributes(said.get("Attributes"))))
            })
            .collect(),
        resource: attributes(said.get("Resource")),
        schema_url: String::new(),
        scope: (text(&scope, "Name"), text(&scope, "Version")),
        notes: Vec::new(),
    };
    Some(printed.into_json())
}

fn list(said: Option<&Json>) -> impl Iterator<Item = &Json> {
    said.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default().iter()
}

fn moment(said: &Json) -> Option<Nanos> {
    Nanos::parse_rfc3339(said.as_str()?)
}

/// The numbers of Go's API, which are not those of the protocol's JSON.
fn kind(said: Option<&Json>) -> String {
    match said {
        Some(Json::String(word)) => word.clone(),
        Some(Json::Number(number)) => match number.as_u64() {
            Some(1) => "INTERNAL",
            Some(2) => "SERVER",
            Some(3) => "CLIENT",
            Some(4) => "PRODUCER",
            Some(5) => "CONSUMER",
            _ => "",
        }
        .to_owned(),
        _ => String::new(),
    }
}

fn code(said: &Json) -> String {
    match said.as_u64() {
        Some(1) => "ERROR".to_owned(),
        Some(2) => "OK".to_owned(),
        Some(_) => String::new(),
        None => said.as_str().unwrap_or_default().to_owned(),
    }
}

fn attributes(said: Option<&Json>) -> Map<String, Json> {
    list(said)
        .filter_map(|pair| {
            let value = pair.get("Value")?;
            Some((pair.get("Key")?.as_str()?.to_owned(), value.get("Value").unwrap_or(value).clone()))
        })
        .collect()
}

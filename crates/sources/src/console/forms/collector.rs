//! The collector's debug exporter (`logging` before it): with `verbosity: detailed` every field of a span on a line,
//! with `normal` a line a span.

use serde_json::{Map, Value as Json};
use tracebook_core::time::Nanos;

use super::{Printed, event, go_time, link, untyped};

#[derive(Clone, Copy)]
enum Part {
    Resource,
    Scope,
    ScopeAttributes,
    Span,
    Attributes,
    Events,
    Links,
}

/// An event or a link that is being read.
#[derive(Default)]
struct Item {
    fields: Map<String, Json>,
    attributes: Map<String, Json>,
}

impl Item {
    fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Json::as_str).unwrap_or_default()
    }
}

/// Converts a span of `verbosity: detailed`.
pub(in crate::console) fn span(text: &str) -> Option<Map<String, Json>> {
    let mut printed = Printed::default();
    let (mut events, mut links): (Vec<Item>, Vec<Item>) = (Vec::new(), Vec::new());
    let mut part = Part::Resource;
    for line in joined(text) {
        let line = line.as_str();
        let indent = line.len() - line.trim_start().len();
        if let Some(pair) = line.trim_start().strip_prefix("-> ") {
            let item = match part {
                Part::Events => events.last_mut(),
                Part::Links => links.last_mut(),
                Part::Resource | Part::Scope | Part::ScopeAttributes | Part::Span | Part::Attributes => None,
            };
            let (key, value) = pair.split_once(": ").unwrap_or((pair.trim_end_matches(':'), ""));
            match (part, item) {
                (Part::Resource, _) => drop(printed.resource.insert(key.to_owned(), typed(value))),
                (Part::Attributes, _) => drop(printed.attributes.insert(key.to_owned(), typed(value))),
                (_, Some(item)) if indent > 5 => drop(item.attributes.insert(key.to_owned(), typed(value))),
                (_, Some(item)) => drop(item.fields.insert(key.to_owned(), value.into())),
                _ => {}
            }
            continue;
        }
        if indent == 4
            && let Some((key, value)) = line.split_once(':')
        {
            field(&mut printed, key.trim(), value.trim());
            continue;
        }
        match line.split_once(": ").map_or(line, |(key, _)| key) {
            "Resource SchemaURL" => printed.schema_url = line["Resource SchemaURL:".len()..].trim().to_owned(),
            "Attributes:" => part = Part::Attributes,
            "Events:" => part = Part::Events,
            "Links:" => part = Part::Links,
            key if key.starts_with("SpanEvent #") => events.push(Item::default()),
            key if key.starts_with("SpanLink #") => links.push(Item::default()),
            key if key.starts_with("Span #") => part = Part::Span,
            key if key.ends_with("attributes:") && key.starts_with("Instrumentation") => part = Part::ScopeAttributes,
            key if key.starts_with("ScopeSpans") || key.starts_with("InstrumentationLibrarySpans") => {
                part = Part::Scope;
            }
            key if key.starts_with("InstrumentationScope") || key.starts_with("InstrumentationLibrary ") => {
                let mut words = line.splitn(3, ' ').skip(1);
                let mut next = || words.next().unwrap_or_default().trim().to_owned();
                printed.scope = (next(), next());
                part = Part::Scope;
            }
            _ => {}
        }
    }
    let start = printed.start?;
    let time = |item: &Item| go_time(item.text("Timestamp")).unwrap_or(start);
    printed.events =
        events.into_iter().map(|item| event(item.text("Name"), time(&item), item.attributes.clone())).collect();
    printed.links = links
        .into_iter()
        .filter(|item| !item.text("Trace ID").is_empty())
        .map(|item| link(item.text("Trace ID"), item.text("ID"), item.text("TraceState"), item.attributes.clone()))
        .collect();
    Some(printed.into_json())
}

fn field(printed: &mut Printed, key: &str, value: &str) {
    match key {
        "Trace ID" => value.clone_into(&mut printed.trace_id),
        "Parent ID" => value.clone_into(&mut printed.parent_id),
        "ID" => value.clone_into(&mut printed.span_id),
        "Name" => value.clone_into(&mut printed.name),
        "Kind" => value.clone_into(&mut printed.kind),
        "TraceState" => value.clone_into(&mut printed.trace_state),
        "Start time" => printed.start = go_time(value),
        // A span that did not end has the time zero.
        "End time" => printed.end = go_time(value).filter(|end| end.0 > 0),
        "Status code" => value.clone_into(&mut printed.status),
        "Status message" => value.clone_into(&mut printed.message),
        _ => {}
    }
}

/// The lines, with those of a text value together.
fn joined(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match lines.last_mut() {
            Some(last) if last.trim_start().starts_with("-> ") && last.contains(": Str(") && !last.ends_with(')') => {
                last.push('\n');
                last.push_str(line);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// `Str(x)`, `Int(1)`, `Slice(["a"])`; in capitals before version 0.67.
fn typed(text: &str) -> Json {
    let Some((kind, value)) = text.split_once('(') else { return text.into() };
    let value = value.strip_suffix(')').unwrap_or(value);
    match kind.to_ascii_lowercase().as_str() {
        "int" => value.parse::<i64>().map_or_else(|_| value.into(), Json::from),
        "double" => {
            value.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map_or_else(|| value.into(), Json::Number)
        }
        "bool" => (value == "true").into(),
        "slice" | "array" | "map" => serde_json::from_str(value).unwrap_or_else(|_| value.into()),
        "empty" => Json::Null,
        "str" | "string" | "bytes" => value.into(),
        // Not a typed value.
        _ => text.into(),
    }
}

const NOTE: &str = "the collector's debug exporter prints neither times nor parent and status with verbosity normal: the \
                    time of its line stands for start and end";

/// Converts a line of `verbosity: normal`, printed at `time`.
pub(in crate::console) fn line(text: &str, time: Option<Nanos>) -> Option<Map<String, Json>> {
    let mut printed = Printed { start: Some(time?), end: time, notes: vec![NOTE.to_owned()], ..Printed::default() };
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("ResourceTraces #") {
            printed.resource = pairs(rest.split_once(' ').map_or("", |(_, rest)| rest));
        } else if let Some(rest) = line.strip_prefix("ScopeTraces #") {
            let scope = rest.split(' ').nth(1).filter(|name| !name.contains('=')).unwrap_or_default();
            let (name, version) = scope.split_once('@').unwrap_or((scope, ""));
            printed.scope = (name.to_owned(), version.to_owned());
        } else {
            let words: Vec<&str> = line.split(' ').collect();
            let hex = |word: &&str, digits| word.len() == digits && word.bytes().all(|b| b.is_ascii_hexdigit());
            let at = words.windows(2).position(|two| hex(&two[0], 32) && hex(&two[1], 16)).filter(|at| *at > 0)?;
            printed.name = words[..at].join(" ");
            (printed.trace_id, printed.span_id) = (words[at].to_owned(), words[at + 1].to_owned());
            printed.attributes = pairs(&words[at + 2..].join(" "));
        }
    }
    Some(printed.into_json())
}

/// `a=1 b=two words c=3`: a word without `=` belongs to the value before it.
fn pairs(text: &str) -> Map<String, Json> {
    let mut found: Vec<(String, String)> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match (word.split_once('='), found.last_mut()) {
            (Some((key, value)), _) if !key.is_empty() => found.push((key.to_owned(), value.to_owned())),
            (_, Some((_, value))) => {
                value.push(' ');
                value.push_str(word);
            }
            _ => {}
        }
    }
    found.into_iter().map(|(key, value)| (key, untyped(&value))).collect()
}

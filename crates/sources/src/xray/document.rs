//! Records as segment documents: as they were sent, with subsegments nested again; OpenTelemetry spans as X-Ray's
//! exporter would write them.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};
use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::service_map::{Outcome, outcome};
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Exception, Span, SpanKind};
use tracebook_core::value::{Attribute, Value};

use super::expression::{CLIENT_IP, USER, USER_AGENT, first, url};
use super::reading::Normalise;
use crate::json::{ObjectText, elements, members};

/// How deep subsegments are nested; deeper ones become documents of their own, because JSON readers have a limit.
const DEEPEST: usize = 48;

/// A segment as in BatchGetTraces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) id: SpanId,
    pub(super) text: String,
}

/// One record as an object whose closing brace is missing.
struct Part {
    id: SpanId,
    parent: Option<SpanId>,
    /// Whether it is nested in its parent.
    nested: bool,
    open: String,
    /// Subsegments that were not valid on their own and stayed in it.
    inside: Vec<String>,
}

/// The documents of a trace, by start.
pub(super) fn documents(records: &[SpanRecord], normalise: Normalise) -> Vec<Document> {
    let mut at: HashMap<(SpanId, i64), usize> = HashMap::with_capacity(records.len());
    let mut kept: Vec<&SpanRecord> = Vec::with_capacity(records.len());
    for record in records {
        match at.get(&(record.span_id, record.twin)) {
            // A complete record is not replaced by one in progress.
            Some(&i) if kept[i].end.is_some() && record.end.is_none() => {}
            Some(&i) => kept[i] = record,
            None => {
                at.insert((record.span_id, record.twin), kept.len());
                kept.push(record);
            }
        }
    }
    kept.sort_by_key(|record| (record.start, record.span_id));
    let at: HashMap<SpanId, usize> = kept.iter().enumerate().map(|(i, record)| (record.span_id, i)).collect();
    let mut services: HashMap<SpanId, &str> = HashMap::new();
    for record in &kept {
        services.insert(record.span_id, &record.service);
    }
    let parts: Vec<Part> = kept.iter().map(|record| part(record, &services, normalise)).collect();

    let mut below: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut tops = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        match part.parent.and_then(|parent| at.get(&parent)) {
            Some(&parent) if part.nested && parent != i => below.entry(parent).or_default().push(i),
            _ => tops.push(i),
        }
    }
    let mut written = vec![false; parts.len()];
    let mut documents = Vec::new();
    // Records that no top-level one leads to form a loop; each loop starts one more document, so that nothing is left
    // out.
    let mut queue: std::collections::VecDeque<usize> = tops.into_iter().collect();
    let mut rest = 0..parts.len();
    while let Some(top) = queue.pop_front().or_else(|| rest.next()) {
        if !written[top] {
            let text = write(top, &parts, &below, &mut written, &mut queue);
            documents.push(Document { id: parts[top].id, text });
        }
    }
    documents
}

/// What to write next. A stack rather than recursion, and one string rather than one a level.
enum Step {
    Open(usize, usize),
    Text(&'static str),
}

fn write(
    top: usize,
    parts: &[Part],
    below: &HashMap<usize, Vec<usize>>,
    written: &mut [bool],
    deeper: &mut std::collections::VecDeque<usize>,
) -> String {
    let mut text = String::new();
    let mut stack = vec![Step::Open(top, 0)];
    while let Some(step) = stack.pop() {
        let (at, depth) = match step {
            Step::Text(piece) => {
                text.push_str(piece);
                continue;
            }
            Step::Open(at, depth) => (at, depth),
        };
        written[at] = true;
        text.push_str(&parts[at].open);
        let children = below.get(&at).map_or(&[][..], Vec::as_slice);
        let children: Vec<usize> = children.iter().copied().filter(|child| !written[*child]).collect();
        let here: &[usize] = if depth < DEEPEST { &children } else { &[] };
        if depth >= DEEPEST {
            deeper.extend(&children);
        }
        if here.is_empty() && parts[at].inside.is_empty() {
            text.push('}');
            continue;
        }
        text.push_str(",\"subsegments\":[");
        text.push_str(&parts[at].inside.join(","));
        stack.push(Step::Text("]}"));
        for (n, child) in here.iter().enumerate().rev() {
            stack.push(Step::Open(*child, depth + 1));
            if n > 0 || !parts[at].inside.is_empty() {
                stack.push(Step::Text(","));
            }
        }
    }
    text
}

fn part(record: &SpanRecord, services: &HashMap<SpanId, &str>, normalise: Normalise) -> Part {
    let (id, parent) = (record.span_id, record.parent_id);
    if record.encoding == Encoding::XrayJson
        && let Some((text, inside, nested)) = as_sent(record)
    {
        return Part { id, parent, nested, open: text, inside };
    }
    let (loose, _) = normalise(record);
    let same_service =
        parent.and_then(|parent| services.get(&parent)).is_some_and(|service| *service == record.service);
    let nested = !matches!(loose.span.kind, SpanKind::Server | SpanKind::Consumer) && same_service;
    let mut text = made(record.trace_id, &loose.span, &loose.resource.attributes, nested).to_string();
    text.pop(); // the closing brace; there are members before it
    Part { id, parent, nested, open: text, inside: Vec::new() }
}

/// An X-Ray record's document without the closing brace, the subsegments in it, and whether it is a subsegment.
fn as_sent(record: &SpanRecord) -> Option<(String, Vec<String>, bool)> {
    let raw = std::str::from_utf8(&record.raw).ok()?;
    let mut rest = ObjectText::with_capacity(raw.len());
    let mut inside = Vec::new();
    let mut nested = false;
    members(raw, |key, value| {
        match key.as_ref() {
            "subsegments" => {
                // Readers of documents expect a list only.
                elements(value, |one| {
                    inside.push(one.to_owned());
                    Ok(())
                })
                .ok();
                return Ok(());
            }
            "type" => nested = value == "\"subsegment\"",
            _ => {}
        }
        rest.member(&key, value);
        Ok(())
    })
    .ok()?;
    let mut text = rest.finish();
    text.pop();
    (text.len() > 1).then_some((text, inside, nested))
}

/// An OpenTelemetry span as a document, as X-Ray's exporter writes it: attributes become metadata.
fn made(trace_id: TraceId, span: &Span, resource: &[Attribute], nested: bool) -> Json {
    let mut said = Map::new();
    let out = matches!(span.kind, SpanKind::Client | SpanKind::Producer);
    let name = match nested || span.service.is_empty() {
        true => &span.name,
        false => &span.service,
    };
    let name: String = name.chars().take(200).collect();
    said.insert("id".to_owned(), span.id.to_string().into());
    said.insert("name".to_owned(), if name.is_empty() { "unknown".into() } else { name.into() });
    said.insert("trace_id".to_owned(), trace_id.xray().into());
    said.insert("start_time".to_owned(), seconds(span.start));
    match span.end {
        Some(end) => said.insert("end_time".to_owned(), seconds(end)),
        None => said.insert("in_progress".to_owned(), true.into()),
    };
    if let Some(parent) = span.parent {
        said.insert("parent_id".to_owned(), parent.to_string().into());
    }
    if nested {
        said.insert("type".to_owned(), "subsegment".into());
    }
    if out && nested {
        let aws = span.attribute("rpc.system").and_then(Value::as_str) == Some("aws-api");
        said.insert("namespace".to_owned(), if aws { "aws".into() } else { "remote".into() });
    }
    if let Some(flag) = match outcome(span) {
        Outcome::Ok => None,
        Outcome::Throttle => {
            said.insert("error".to_owned(), true.into());
            Some("throttle")
        }
        Outcome::Error => Some("error"),
        Outcome::Fault => Some("fault"),
    } {
        said.insert(flag.to_owned(), true.into());
    }
    if let Some(user) = first(span, USER) {
        said.insert("user".to_owned(), user.into());
    }
    let mut http = Map::new();
    let mut request = Map::new();
    for (key, value) in [
        ("method", span.http_method().map(str::to_owned)),
        ("url", url(span)),
        ("user_agent", first(span, USER_AGENT).map(str::to_owned)),
        ("client_ip", first(span, CLIENT_IP).map(str::to_owned)),
    ] {
        if let Some(value) = value {
            request.insert(key.to_owned(), value.into());
        }
    }
    if !request.is_empty() {
        http.insert("request".to_owned(), request.into());
    }
    if let Some(status) = span.http_status() {
        http.insert("response".to_owned(), json!({ "status": status }));
    }
    if !http.is_empty() {
        said.insert("http".to_owned(), http.into());
    }
    said.insert("aws".to_owned(), json!({"xray": {"sdk": "opentelemetry"}}));
    let exceptions: Vec<Json> = span.exceptions.iter().map(exception).collect();
    if !exceptions.is_empty() {
        said.insert("cause".to_owned(), json!({ "exceptions": exceptions }));
    }
    let mut metadata = Map::new();
    for (prefix, list) in [("", span.attributes.as_slice()), ("otel.resource.", resource)] {
        for attribute in list {
            metadata.insert(format!("{prefix}{}", attribute.key), plain(&attribute.value, 0));
        }
    }
    if !span.name.is_empty() && !nested {
        metadata.insert("otel.span.name".to_owned(), span.name.as_str().into());
    }
    if !metadata.is_empty() {
        said.insert("metadata".to_owned(), json!({ "default": metadata }));
    }
    said.into()
}

fn exception(exception: &Exception) -> Json {
    let mut said = Map::new();
    for (key, text) in [("id", &exception.id), ("type", &exception.kind), ("message", &exception.message)] {
        if !text.is_empty() {
            said.insert(key.to_owned(), text.as_str().into());
        }
    }
    said.into()
}

/// A value as plain JSON if possible; deep ones as text.
fn plain(value: &Value, depth: usize) -> Json {
    match value {
        Value::Empty => Json::Null,
        Value::Str(text) => text.as_str().into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Int(n) => (*n).into(),
        Value::Double(d) if d.is_finite() => (*d).into(),
        Value::List(list) if depth < 8 => list.iter().map(|value| plain(value, depth + 1)).collect(),
        Value::Map(map) if depth < 8 => {
            map.iter().map(|a| (a.key.clone(), plain(&a.value, depth + 1))).collect::<Map<_, _>>().into()
        }
        other => other.to_string().into(),
    }
}

fn seconds(time: Nanos) -> Json {
    #[expect(clippy::cast_precision_loss, reason = "the format's own form")]
    let nanos = time.0 as f64;
    (nanos / 1e9).into()
}

#[cfg(test)]
mod tests;

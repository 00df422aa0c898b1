//! The text of a printed span as JSON, and as a record.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tracebook_core::console::{SpanBlock, SpanForm};
use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_core::trace::Trace;

use super::normalise::node;
use super::{forms, inspect, normalise};
use crate::json::{Readable, mend};
use crate::otlp;

/// The records of a printed block; none for a text that is no span. `now` stands for the time of a line that has none.
pub(super) fn records(block: &SpanBlock, now: Option<Nanos>) -> Vec<SpanRecord> {
    match block.form {
        SpanForm::OtlpJson => otlp_json(&block.text),
        SpanForm::Json
        | SpanForm::Node
        | SpanForm::Dotnet
        | SpanForm::Java
        | SpanForm::Ruby
        | SpanForm::Collector
        | SpanForm::CollectorLine => record(block, now).into_iter().collect(),
    }
}

/// A line of OTLP's JSON: a whole request, or one element of its `resourceSpans`.
fn otlp_json(text: &str) -> Vec<SpanRecord> {
    let Some(text) = text.find("{\"resource").map(|at| &text[at..]) else { return Vec::new() };
    let whole = match text.starts_with("{\"resourceSpans\":") {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("{{\"resourceSpans\":[{text}]}}")),
    };
    otlp::wire::decode_json(whole.as_bytes()).map(|decoded| decoded.records).unwrap_or_default()
}

/// The record of a span with both ids and a start. Forms other than Python's and Node's are stored as Python's JSON.
fn record(block: &SpanBlock, now: Option<Nanos>) -> Option<SpanRecord> {
    let text = block.text.as_str();
    let time = block.time.or(now);
    let json = |said: Map<String, Json>| Cow::Owned(Json::Object(said).to_string());
    let text = match block.form {
        SpanForm::Node => Cow::Owned(inspect::json(text)?.to_string()),
        SpanForm::Dotnet => json(forms::dotnet::span(text)?),
        SpanForm::Java => json(forms::java::span(text, time)?),
        SpanForm::Ruby => json(forms::ruby::span(text)?),
        SpanForm::Collector => json(forms::collector::span(text)?),
        SpanForm::CollectorLine => json(forms::collector::line(text, time)?),
        SpanForm::Json | SpanForm::OtlpJson => strict(text),
    };
    let mut said: Map<String, Json> = serde_json::from_str(&text).ok()?;
    let mut text = text;
    if let Some(go) = forms::go::span(&said) {
        text = json(go.clone());
        said = go;
    }
    let (context, [trace_id, span_id]) = match said.get("context") {
        Some(context) => (context.as_object()?, ["trace_id", "span_id"]),
        None => (&said, ["traceId", "id"]),
    };
    let trace_id: TraceId = context.get(trace_id)?.as_str()?.parse().ok()?;
    let span_id: SpanId = context.get(span_id)?.as_str()?.parse().ok()?;
    // Only a span that never began has none; it could not be placed on a time line.
    match said.get("start_time") {
        Some(start) => start.as_str().and_then(normalise::time)?,
        None => node::micros(said.get("timestamp")?)?,
    };
    let span = normalise::span_of(said, span_id, &mut Vec::new()).span;
    let (parent_id, start, end, status) = (span.parent, span.start, span.end, span.status.code);
    let service = span.service.clone();
    let alone = Trace { trace_id, resources: Vec::new(), scopes: Vec::new(), spans: vec![span], notes: Vec::new() };
    Some(SpanRecord {
        trace_id,
        span_id,
        twin: 0,
        parent_id,
        encoding: Encoding::ConsoleJson,
        title: alone.name(),
        service,
        start,
        end,
        status,
        raw: text.into_owned().into_bytes(),
        resource: Arc::new([]),
        scope: Arc::new([]),
    })
}

/// The text as strict JSON: Python prints bare `NaN` and infinities, and lone surrogates.
fn strict(text: &str) -> Cow<'_, str> {
    if serde_json::from_str::<Readable>(text).is_ok() {
        return Cow::Borrowed(text);
    }
    mend(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

//! A span as the ConsoleSpanExporter of `@opentelemetry/sdk-trace-base` prints it (`_exportInfo` of
//! `ConsoleSpanExporter.ts`): times in microseconds, event times as seconds and nanoseconds, kinds and status codes as
//! the numbers of `@opentelemetry/api`. It prints three levels; deeper values are `[Object]` or `[Array]`.

use serde_json::{Map, Value as Json};
use tracebook_core::assemble::LooseSpan;
use tracebook_core::ids::SpanId;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Event, Link, Protocol, Scope, Span, SpanKind, Status, StatusCode};

use super::{attributes, exception, list, object, parent, resource, service, text};
use crate::text::clip;

/// A time or duration in microseconds.
pub(in crate::console) fn micros(said: &Json) -> Option<Nanos> {
    // Microseconds of this century have 16 digits, so a double has no precision left for a fraction.
    match said.as_i64() {
        Some(whole) => whole.checked_mul(1_000).map(Nanos),
        None => Nanos::from_seconds(said.as_f64()? / 1e6),
    }
}

/// See [`super::span_of`].
pub(super) fn span_of(mut said: Map<String, Json>, id: SpanId, warnings: &mut Vec<String>) -> LooseSpan {
    let mut take = |key: &str| said.remove(key).unwrap_or_default();
    let name = text(take("name"), "name", warnings);
    let start = micros(&take("timestamp")).unwrap_or_default();
    let mut span = Span::new(id, name, Protocol::Console, start);
    let mut above = object(take("parentSpanContext"), "parent", warnings);
    // Before version 2 there was only the id.
    let above = above.remove("spanId").filter(|id| !id.is_null()).unwrap_or_else(|| take("parentId"));
    span.parent = parent(&above, warnings);
    let sent = take("kind");
    span.kind = match sent.as_u64() {
        Some(0) => SpanKind::Internal,
        Some(1) => SpanKind::Server,
        Some(2) => SpanKind::Client,
        Some(3) => SpanKind::Producer,
        Some(4) => SpanKind::Consumer,
        _ => {
            warnings.push(format!("span kind {} is not known", clip(&sent.to_string())));
            SpanKind::Unspecified
        }
    };
    span.end = micros(&take("duration")).map(|length| Nanos(start.0.saturating_add(length.0)));
    let mut status = object(take("status"), "status", warnings);
    span.status = Status {
        code: match status.remove("code").and_then(|code| code.as_u64()) {
            Some(1) => StatusCode::Ok,
            Some(2) => StatusCode::Error,
            _ => StatusCode::Unset,
        },
        message: text(status.remove("message").unwrap_or_default(), "status message", warnings),
    };
    span.attributes = attributes(take("attributes"), "attributes", warnings);
    span.events = list(take("events"), "events", warnings).map(|said| event(said, start, warnings)).collect();
    span.exceptions = span.events.iter().filter(|event| event.name == "exception").map(exception).collect();
    span.links = list(take("links"), "links", warnings).filter_map(|said| link(said, warnings)).collect();
    span.trace_state = text(take("traceState"), "trace state", warnings);
    let resource = resource(take("resource"), warnings);
    span.service = service(&resource);
    let mut scope = object(take("instrumentationScope"), "scope", warnings);
    let scope = Scope {
        name: text(scope.remove("name").unwrap_or_default(), "scope's name", warnings),
        version: text(scope.remove("version").unwrap_or_default(), "scope's version", warnings),
        ..Scope::default()
    };
    LooseSpan { span, resource: resource.into(), scope: scope.into() }
}

fn event(said: Json, start: Nanos, warnings: &mut Vec<String>) -> Event {
    let mut said = object(said, "event", warnings);
    let time = said.remove("time").unwrap_or_default();
    let part = |n: usize| time.get(n).and_then(Json::as_i64);
    let time = match (part(0), part(1)) {
        (Some(seconds), Some(nanos)) => {
            seconds.checked_mul(1_000_000_000).and_then(|s| s.checked_add(nanos)).map(Nanos)
        }
        _ => None,
    };
    if time.is_none() {
        warnings.push("the time of an event was not printed; the start of its span is shown".to_owned());
    }
    Event {
        time: time.unwrap_or(start),
        name: text(said.remove("name").unwrap_or_default(), "name of an event", warnings),
        attributes: attributes(said.remove("attributes").unwrap_or_default(), "attributes of an event", warnings),
        dropped_attributes: 0,
    }
}

fn link(said: Json, warnings: &mut Vec<String>) -> Option<Link> {
    let mut said = object(said, "link", warnings);
    let mut context = object(said.remove("context").unwrap_or_default(), "context of a link", warnings);
    let id = |key: &str| context.get(key).and_then(Json::as_str);
    let ids = (id("traceId").and_then(|id| id.parse().ok()), id("spanId").and_then(|id| id.parse().ok()));
    let (Some(trace_id), Some(span_id)) = ids else {
        warnings.push("a link without whole ids is left out".to_owned());
        return None;
    };
    Some(Link {
        trace_id,
        span_id,
        trace_state: text(context.remove("traceState").unwrap_or_default(), "trace state", warnings),
        attributes: attributes(said.remove("attributes").unwrap_or_default(), "attributes of a link", warnings),
        dropped_attributes: 0,
        flags: 0,
    })
}

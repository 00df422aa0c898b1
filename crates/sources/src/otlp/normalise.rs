//! Reads OTLP records of either encoding.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::logs::v1 as logs_proto;
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message;
use tracebook_core::assemble::LooseSpan;
use tracebook_core::logs::LogEvent;
use tracebook_core::telemetry::{Encoding, LogEncoding, LogRecord, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Resource, Scope};
use tracebook_core::value::{Attribute, get};

use super::{messages, wire};
use crate::record::from_columns;

/// Resources and scopes that were read, by their bytes and whether these are JSON: the spans of a batch share theirs.
#[derive(Default)]
pub(crate) struct Shared<'a> {
    resources: HashMap<(bool, &'a [u8]), Sender>,
    scopes: HashMap<(bool, &'a [u8]), ReadScope>,
}

/// A scope, and warnings about what could not be read.
type ReadScope = (Arc<Scope>, Vec<String>);

/// A resource, the name of its service, and warnings about what could not be read.
#[derive(Clone)]
struct Sender {
    resource: Arc<Resource>,
    service: String,
    warnings: Vec<String>,
}

impl<'a> Shared<'a> {
    fn resource(&mut self, json: bool, bytes: &'a [u8]) -> &Sender {
        self.resources.entry((json, bytes)).or_insert_with(|| {
            let mut warnings = Vec::new();
            let message: proto::ResourceSpans = read(json, bytes, "resource", wire::resource_spans, &mut warnings);
            let resource = messages::resource(message.resource, message.schema_url, &mut warnings);
            Sender { service: messages::service_name(&resource), resource: Arc::new(resource), warnings }
        })
    }

    fn scope(&mut self, json: bool, bytes: &'a [u8]) -> &ReadScope {
        self.scopes.entry((json, bytes)).or_insert_with(|| {
            let mut warnings = Vec::new();
            let message: proto::ScopeSpans = read(json, bytes, "scope", wire::scope_spans, &mut warnings);
            (Arc::new(messages::scope(message.scope, message.schema_url, &mut warnings)), warnings)
        })
    }
}

/// Reads a record of either OTLP encoding. Never fails: see [`crate::Normaliser`].
pub(crate) fn span<'a>(record: &'a SpanRecord, shared: &mut Shared<'a>) -> (LooseSpan, Vec<String>) {
    let json = record.encoding != Encoding::OtlpProtobuf;
    let Sender { resource, service, mut warnings } = shared.resource(json, &record.resource).clone();
    let (scope, of_scope) = shared.scope(json, &record.scope).clone();
    warnings.extend(of_scope);
    let unread = warnings.len();
    let message: proto::Span = read(json, &record.raw, "span", wire::span, &mut warnings);
    // An unreadable span leaves an empty message, and an accepted one has an id.
    if message.span_id.is_empty() && warnings.len() > unread {
        return (LooseSpan { resource, scope, ..from_columns(record) }, warnings);
    }
    let mut span = messages::span_of(message, record.span_id, &mut warnings);
    span.service = service;
    (LooseSpan { span, resource, scope }, warnings)
}

/// Reads a log record of any encoding, with warnings about what could not be read. Never fails: if the bytes are
/// unreadable, the record's columns are returned.
pub fn log(record: &LogRecord) -> (LogEvent, Vec<String>) {
    let mut warnings = Vec::new();
    let event = LogEvent {
        timestamp: record.timestamp,
        group: record.group.clone(),
        stream: record.stream.clone(),
        message: record.message.clone(),
        trace_id: record.trace_id,
        span_id: record.span_id,
        severity: record.severity.clone(),
        severity_number: record.severity_number.into(),
        origin: record.encoding.origin(),
        ..LogEvent::default()
    };
    let event = match record.encoding {
        LogEncoding::Cloudwatch => event,
        LogEncoding::OtlpProtobuf => otlp_log(event, record, false, &mut warnings),
        LogEncoding::OtlpJson => otlp_log(event, record, true, &mut warnings),
    };
    (event, warnings)
}

/// What the columns of a record do not have.
fn otlp_log(event: LogEvent, record: &LogRecord, json: bool, warnings: &mut Vec<String>) -> LogEvent {
    let message: logs_proto::LogRecord = read(json, &record.raw, "log record", wire::log, warnings);
    let resource: proto::ResourceSpans = read(json, &record.resource, "resource", wire::resource_spans, warnings);
    let scope: proto::ScopeSpans = read(json, &record.scope, "scope", wire::scope_spans, warnings);
    for (id, length, what) in [(&message.trace_id, 16, "trace id"), (&message.span_id, 8, "span id")] {
        if !id.is_empty() && id.len() != length {
            warnings.push(format!("a {what} of {} bytes is left out", id.len()));
        }
    }
    let observed = i64::try_from(message.observed_time_unix_nano).ok().filter(|at| *at != 0).map(Nanos);
    let mut all = messages::attributes(message.attributes, warnings);
    // Before there was a field for it, an event's name was this attribute.
    if !message.event_name.is_empty() && get(&all, "event.name").is_none() {
        all.push(Attribute::new("event.name", message.event_name));
    }
    let mut resource = messages::resource(resource.resource, resource.schema_url, warnings);
    let attributes = std::mem::take(&mut resource.attributes);
    all.extend(attributes.into_iter().map(|a| Attribute { key: format!("resource.{}", a.key), ..a }));
    LogEvent {
        attributes: all,
        dropped_attributes: message.dropped_attributes_count,
        observed: observed.filter(|at| *at != record.timestamp),
        flags: message.flags,
        scope: messages::scope(scope.scope, scope.schema_url, warnings),
        resource,
        ..event
    }
}

type FromJson<M> = fn(&serde_json::Map<String, serde_json::Value>, &mut Vec<String>) -> M;

fn read<M: Message + Default>(
    json: bool,
    bytes: &[u8],
    what: &str,
    from_json: FromJson<M>,
    warnings: &mut Vec<String>,
) -> M {
    let message = match json {
        false => M::decode(bytes).map_err(|error| error.to_string()),
        // Zero bytes count as an empty message, not as invalid JSON.
        true if bytes.is_empty() => Ok(M::default()),
        true => serde_json::from_slice(bytes).map(|said| from_json(&said, warnings)).map_err(|error| error.to_string()),
    };
    message.unwrap_or_else(|error| {
        warnings.push(format!("the {what} is not readable: {error}"));
        M::default()
    })
}

#[cfg(test)]
mod tests;

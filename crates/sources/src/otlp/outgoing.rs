//! Records as export requests: the bytes as sent, including unknown fields, each span under its scope and resource
//! again.

use std::sync::Arc;

use prost::encoding::{WireType, encode_key, encode_varint};
use tracebook_core::telemetry::{Encoding, LogEncoding, LogRecord, SpanRecord};

/// Larger requests are split. A single span may be larger.
const MAX_BYTES: usize = 1 << 20;

/// `ResourceSpans.scope_spans`, `ScopeSpans.spans`, and the same for logs.
const INNER: u32 = 2;
/// `ExportTraceServiceRequest.resource_spans`, and the same for logs.
const OUTER: u32 = 1;

/// Signal and encoding of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    TracesProtobuf,
    TracesJson,
    LogsProtobuf,
    LogsJson,
}

impl Form {
    const ALL: [Self; 4] = [Self::TracesProtobuf, Self::TracesJson, Self::LogsProtobuf, Self::LogsJson];

    /// The name that it is stored under. Never reused.
    pub fn name(self) -> &'static str {
        match self {
            Self::TracesProtobuf => "traces protobuf",
            Self::TracesJson => "traces json",
            Self::LogsProtobuf => "logs protobuf",
            Self::LogsJson => "logs json",
        }
    }

    /// The inverse of [`Form::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Its path in OTLP/HTTP.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::TracesProtobuf | Self::TracesJson => "/v1/traces",
            Self::LogsProtobuf | Self::LogsJson => "/v1/logs",
        }
    }

    pub(super) fn is_protobuf(self) -> bool {
        matches!(self, Self::TracesProtobuf | Self::LogsProtobuf)
    }

    /// The JSON names of the lists in a request, a resource and a scope.
    fn keys(self) -> [&'static str; 3] {
        match self {
            Self::TracesProtobuf | Self::TracesJson => ["resourceSpans", "scopeSpans", "spans"],
            Self::LogsProtobuf | Self::LogsJson => ["resourceLogs", "scopeLogs", "logRecords"],
        }
    }
}

/// A part of a request, made of resources. Several can be joined into one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub form: Form,
    /// Spans or log records in it.
    pub items: u32,
    /// Protobuf: a whole request. JSON: the elements of its list, with commas between them.
    pub bytes: Vec<u8>,
}

/// Spans received over OTLP, as parts of requests. Others are left out.
pub fn spans(records: &[SpanRecord]) -> Vec<Part> {
    parts(records.iter().filter_map(|record| {
        let form = match record.encoding {
            Encoding::OtlpProtobuf => Form::TracesProtobuf,
            Encoding::OtlpJson => Form::TracesJson,
            Encoding::XrayJson | Encoding::ConsoleJson => return None,
        };
        Some(Record { form, resource: &record.resource, scope: &record.scope, raw: &record.raw })
    }))
}

/// Log records received over OTLP, as parts of requests. Others are left out.
pub fn logs(records: &[LogRecord]) -> Vec<Part> {
    parts(records.iter().filter_map(|record| {
        let form = match record.encoding {
            LogEncoding::OtlpProtobuf => Form::LogsProtobuf,
            LogEncoding::OtlpJson => Form::LogsJson,
            LogEncoding::Cloudwatch => return None,
        };
        Some(Record { form, resource: &record.resource, scope: &record.scope, raw: &record.raw })
    }))
}

/// Joins parts of one form to a request.
pub fn request(form: Form, parts: &[&[u8]]) -> Vec<u8> {
    if form.is_protobuf() {
        // Concatenated messages merge, and their repeated fields become one list.
        return parts.concat();
    }
    let mut text = format!("{{\"{}\":[", form.keys()[0]).into_bytes();
    text.extend_from_slice(&parts.join(&b','));
    text.extend_from_slice(b"]}");
    text
}

/// What spans and log records have in common.
#[derive(Clone, Copy)]
struct Record<'a> {
    form: Form,
    resource: &'a Arc<[u8]>,
    scope: &'a Arc<[u8]>,
    raw: &'a [u8],
}

impl Record<'_> {
    fn shares_with(&self, other: &Self) -> bool {
        let same = |a: &Arc<[u8]>, b: &Arc<[u8]>| Arc::ptr_eq(a, b) || a == b;
        self.form == other.form && same(self.resource, other.resource) && same(self.scope, other.scope)
    }
}

fn parts<'a>(records: impl Iterator<Item = Record<'a>>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut run: Vec<Record<'a>> = Vec::new();
    let mut size = 0;
    for record in records {
        if let Some(first) = run.first()
            && (!first.shares_with(&record) || size + record.raw.len() > MAX_BYTES)
        {
            add(&mut parts, &run);
            run.clear();
            size = 0;
        }
        size += record.raw.len();
        run.push(record);
    }
    add(&mut parts, &run);
    parts
}

/// Appends records with one resource and scope to the last part, or as a new one.
fn add(parts: &mut Vec<Part>, run: &[Record<'_>]) {
    let Some(first) = run.first() else { return };
    let form = first.form;
    let written = if form.is_protobuf() { protobuf(first, run) } else { json(first, run) };
    let items = u32::try_from(run.len()).unwrap_or(u32::MAX);
    match parts.last_mut() {
        Some(last) if last.form == form && last.bytes.len() + written.len() < MAX_BYTES => {
            if !form.is_protobuf() {
                last.bytes.push(b',');
            }
            last.bytes.extend_from_slice(&written);
            last.items = last.items.saturating_add(items);
        }
        _ => parts.push(Part { form, items, bytes: written }),
    }
}

/// One `resource_spans` of a request.
fn protobuf(first: &Record<'_>, run: &[Record<'_>]) -> Vec<u8> {
    let mut scope = first.scope.to_vec();
    for record in run {
        field(&mut scope, INNER, record.raw);
    }
    let mut resource = first.resource.to_vec();
    field(&mut resource, INNER, &scope);
    let mut request = Vec::with_capacity(resource.len() + 8);
    field(&mut request, OUTER, &resource);
    request
}

fn field(message: &mut Vec<u8>, number: u32, inside: &[u8]) {
    encode_key(number, WireType::LengthDelimited, message);
    encode_varint(inside.len() as u64, message);
    message.extend_from_slice(inside);
}

/// One element of a request's list.
fn json(first: &Record<'_>, run: &[Record<'_>]) -> Vec<u8> {
    let [_, scopes, records] = first.form.keys();
    let list: Vec<&[u8]> = run.iter().map(|record| record.raw).collect();
    let scope = with_list(first.scope, records, &list.join(&b','));
    with_list(first.resource, scopes, &scope)
}

/// The text of an object with an additional list member.
fn with_list(object: &[u8], key: &str, elements: &[u8]) -> Vec<u8> {
    // The receiver wrote it without blanks around it.
    let open = object.strip_suffix(b"}").filter(|open| open.len() > 1).unwrap_or(b"{");
    let comma = if open.len() > 1 { "," } else { "" };
    let mut text = Vec::with_capacity(object.len() + elements.len() + key.len() + 8);
    text.extend_from_slice(open);
    text.extend_from_slice(format!("{comma}\"{key}\":[").as_bytes());
    text.extend_from_slice(elements);
    text.extend_from_slice(b"]}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::wire;
    use crate::testing::fixture;
    use tracebook_core::time::Nanos;

    fn joined(parts: &[Part]) -> Vec<u8> {
        let bytes: Vec<&[u8]> = parts.iter().map(|part| part.bytes.as_slice()).collect();
        request(parts[0].form, &bytes)
    }

    #[test]
    fn what_real_sdks_sent_comes_out_as_the_same_records() {
        for name in ["boom", "home", "notifications", "rows40", "semconv", "joined", "abort404"] {
            let decoded = wire::decode_protobuf(&fixture(&format!("otlp-{name}.bin"))).expect("reads");
            assert!(!decoded.records.is_empty());
            let again = joined(&spans(&decoded.records));
            assert_eq!(wire::decode_protobuf(&again).expect("reads"), decoded, "{name}");
        }
        for name in ["boom-logs", "home-logs"] {
            let decoded = wire::decode_logs_protobuf(&fixture(&format!("otlp-{name}.bin")), Nanos(1)).expect("reads");
            assert!(!decoded.records.is_empty());
            let again = joined(&logs(&decoded.records));
            assert_eq!(wire::decode_logs_protobuf(&again, Nanos(1)).expect("reads"), decoded, "{name}");
        }
        for name in ["boom", "home", "notifications", "semconv"] {
            let decoded = wire::decode_json(&fixture(&format!("otlp-{name}.json"))).expect("reads");
            assert!(!decoded.records.is_empty());
            let again = joined(&spans(&decoded.records));
            assert_eq!(wire::decode_json(&again).expect("reads"), decoded, "{name}");
        }
    }

    #[test]
    fn unknown_fields_of_every_level_are_still_there() {
        let json = br#"{"resourceSpans":[{"resource":{"attributes":[]},"future":1,"scopeSpans":[
            {"scope":{"name":"a"},"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","name":"x","new":[1]}]},
            {"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b8","name":"y"}]}]}]}"#;
        let decoded = wire::decode_json(json).expect("reads");
        let parts = spans(&decoded.records);
        assert_eq!((parts.len(), parts[0].items, parts[0].form), (1, 2, Form::TracesJson));
        let text = String::from_utf8(joined(&parts)).expect("text");
        assert!(text.contains("\"future\":1") && text.contains("\"new\":[1]"), "{text}");
        assert_eq!(wire::decode_json(text.as_bytes()).expect("reads"), decoded);
    }

    #[test]
    fn logs_come_out_as_the_same_records_too() {
        let json = br#"{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"s"},"logRecords":[{"timeUnixNano":"5","body":{"stringValue":"hi"}}]}]},
            {"resource":{},"scopeLogs":[{"logRecords":[{"body":{"stringValue":"ho"},"timeUnixNano":"6"}]}]}]}"#;
        let decoded = wire::decode_logs_json(json, Nanos(1)).expect("reads");
        let again = joined(&logs(&decoded.records));
        assert_eq!(wire::decode_logs_json(&again, Nanos(1)).expect("reads"), decoded);
    }

    #[test]
    fn a_large_batch_is_cut_and_joins_again() {
        let body = fixture("otlp-home.bin");
        let decoded = wire::decode_protobuf(&body).expect("reads");
        let mut records = Vec::new();
        while records.iter().map(|r: &SpanRecord| r.raw.len()).sum::<usize>() < 3 * MAX_BYTES {
            records.extend(decoded.records.iter().cloned());
        }
        let parts = spans(&records);
        assert!(parts.len() >= 3, "{}", parts.len());
        assert!(parts.iter().all(|part| part.bytes.len() < MAX_BYTES + (64 << 10)));
        assert_eq!(parts.iter().map(|part| part.items as usize).sum::<usize>(), records.len());
        assert_eq!(wire::decode_protobuf(&joined(&parts)).expect("reads").records, records);
    }

    #[test]
    fn forms_keep_their_names() {
        for form in Form::ALL {
            assert_eq!(Form::from_name(form.name()), Some(form));
        }
        assert_eq!(Form::from_name("metrics protobuf"), None);
    }
}

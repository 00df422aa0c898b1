//! Every field of OTLP's traces and logs, from the wire to the normalised body. The messages are built without
//! defaults, so that a new field of the protocol does not compile until it is here.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::resource::v1 as resource_proto;
use serde_json::Value as Json;
use tracebook_core::time::Nanos;

use super::*;

/// Fields that are only in the raw data, with the reason.
const RAW_ONLY: [(&str, &str); 3] = [
    ("Resource.entity_refs", "in development; they name attributes that are kept"),
    ("KeyValue.key_strindex", "of profiles only"),
    ("AnyValue.string_value_strindex", "of profiles only"),
];

const NANOS: u64 = 1_795_447_213_087_028_123;

/// The fields, each with a text that is in the body's JSON only because of it.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn text(&mut self, field: &'static str) -> String {
        let text = format!("<{field}>");
        self.0.insert(field, text.clone());
        text
    }

    fn count(&mut self, field: &'static str) -> u32 {
        let n = 70_000 + u32::try_from(self.0.len()).expect("few");
        self.0.insert(field, n.to_string());
        n
    }

    fn time(&mut self, field: &'static str) -> u64 {
        let time = NANOS + self.0.len() as u64;
        self.0.insert(field, time.to_string());
        time
    }

    fn id<const N: usize>(&mut self, field: &'static str) -> Vec<u8> {
        let id = vec![u8::try_from(self.0.len() + 16).expect("few"); N];
        self.0.insert(field, hex::encode(&id));
        id
    }

    /// One attribute with every kind of value, named after the message that it is in.
    fn attributes(&mut self, field: &'static str) -> Vec<common::KeyValue> {
        let pair = |key: String, value| common::KeyValue {
            key,
            value: Some(common::AnyValue { value: Some(value) }),
            key_strindex: 0,
        };
        let text = self.text(field);
        vec![pair(text.clone(), Any::StringValue(format!("value of {text}")))]
    }

    fn found_in(&self, body: &impl serde::Serialize) {
        let body = serde_json::to_string(body).expect("JSON");
        for (field, text) in &self.0 {
            assert!(
                body.contains(text),
                "{field} ({text}) is neither in the body nor in the list of raw-only fields: {body}"
            );
        }
    }
}

/// One value of every kind.
fn values() -> (Vec<common::KeyValue>, Json) {
    let pair = |key: &str, value: Any| common::KeyValue {
        key: key.into(),
        value: Some(common::AnyValue { value: Some(value) }),
        key_strindex: 0,
    };
    let list =
        vec![common::AnyValue { value: Some(Any::StringValue("in a list".into())) }, common::AnyValue { value: None }];
    let attributes = vec![
        pair("string", Any::StringValue("text".into())),
        pair("bool", Any::BoolValue(true)),
        pair("int", Any::IntValue(i64::MIN)),
        pair("double", Any::DoubleValue(0.5)),
        pair("nan", Any::DoubleValue(f64::NAN)),
        pair("bytes", Any::BytesValue(vec![1, 2])),
        pair("array", Any::ArrayValue(common::ArrayValue { values: list })),
        pair("kvlist", Any::KvlistValue(common::KeyValueList { values: vec![pair("k", Any::BoolValue(false))] })),
        common::KeyValue { key: "empty".into(), value: None, key_strindex: 0 },
    ];
    let body = serde_json::json!([
        {"key": "string", "value": "text"}, {"key": "bool", "value": true},
        {"key": "int", "value": {"int": i64::MIN.to_string()}}, {"key": "double", "value": {"double": 0.5}},
        {"key": "nan", "value": {"double": "NaN"}}, {"key": "bytes", "value": {"bytes": "AQI="}},
        {"key": "array", "value": ["in a list", null]}, {"key": "kvlist", "value": {"map": [{"key": "k", "value": false}]}},
        {"key": "empty", "value": null},
    ]);
    (attributes, body)
}

fn resource(fields: &mut Fields) -> Option<resource_proto::Resource> {
    let entity = common::EntityRef {
        schema_url: "raw only".into(),
        r#type: "raw only".into(),
        id_keys: vec!["raw only".into()],
        description_keys: vec!["raw only".into()],
    };
    Some(resource_proto::Resource {
        attributes: fields.attributes("Resource.attributes"),
        dropped_attributes_count: fields.count("Resource.dropped_attributes_count"),
        entity_refs: vec![entity],
    })
}

fn scope(fields: &mut Fields) -> Option<common::InstrumentationScope> {
    Some(common::InstrumentationScope {
        name: fields.text("InstrumentationScope.name"),
        version: fields.text("InstrumentationScope.version"),
        attributes: fields.attributes("InstrumentationScope.attributes"),
        dropped_attributes_count: fields.count("InstrumentationScope.dropped_attributes_count"),
    })
}

/// The same request as protobuf and as JSON.
fn both(part: super::super::super::readable::Part, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let json = super::super::super::readable::json(part, bytes).expect("reads");
    (bytes.to_vec(), json.to_string().into_bytes())
}

#[test]
fn every_field_of_a_span_is_in_the_body() {
    use super::super::super::readable::Part;
    let mut fields = Fields::default();
    let span = proto::Span {
        trace_id: vec![1; 16],
        span_id: fields.id::<8>("Span.span_id"),
        trace_state: fields.text("Span.trace_state"),
        parent_span_id: fields.id::<8>("Span.parent_span_id"),
        flags: fields.count("Span.flags"),
        name: fields.text("Span.name"),
        kind: 4,
        start_time_unix_nano: fields.time("Span.start_time_unix_nano"),
        end_time_unix_nano: fields.time("Span.end_time_unix_nano"),
        attributes: fields.attributes("Span.attributes"),
        dropped_attributes_count: fields.count("Span.dropped_attributes_count"),
        events: vec![proto::span::Event {
            time_unix_nano: fields.time("Event.time_unix_nano"),
            name: fields.text("Event.name"),
            attributes: fields.attributes("Event.attributes"),
            dropped_attributes_count: fields.count("Event.dropped_attributes_count"),
        }],
        dropped_events_count: fields.count("Span.dropped_events_count"),
        links: vec![proto::span::Link {
            trace_id: fields.id::<16>("Link.trace_id"),
            span_id: fields.id::<8>("Link.span_id"),
            trace_state: fields.text("Link.trace_state"),
            attributes: fields.attributes("Link.attributes"),
            dropped_attributes_count: fields.count("Link.dropped_attributes_count"),
            flags: fields.count("Link.flags"),
        }],
        dropped_links_count: fields.count("Span.dropped_links_count"),
        status: Some(proto::Status { message: fields.text("Status.message"), code: 2 }),
    };
    let resource = proto::ResourceSpans {
        resource: resource(&mut fields),
        scope_spans: Vec::new(),
        schema_url: fields.text("ResourceSpans.schema_url"),
    };
    let scope = proto::ScopeSpans {
        scope: scope(&mut fields),
        spans: Vec::new(),
        schema_url: fields.text("ScopeSpans.schema_url"),
    };
    let spans = both(Part::Span, &span.encode_to_vec());
    let resources = both(Part::Resource, &resource.encode_to_vec());
    let scopes = both(Part::Scope, &scope.encode_to_vec());
    for (encoding, raw, resource, scope) in
        [(Encoding::OtlpProtobuf, spans.0, resources.0, scopes.0), (Encoding::OtlpJson, spans.1, resources.1, scopes.1)]
    {
        let record = SpanRecord {
            trace_id: tracebook_core::ids::TraceId([1; 16]),
            span_id: tracebook_core::ids::SpanId(span.span_id.as_slice().try_into().expect("eight")),
            twin: 1,
            parent_id: None,
            encoding,
            title: String::new(),
            service: String::new(),
            start: Nanos(0),
            end: None,
            status: tracebook_core::trace::StatusCode::Unset,
            raw,
            resource: resource.into(),
            scope: scope.into(),
        };
        let (loose, warnings) = crate::normalise(&record);
        assert_eq!(warnings, Vec::<String>::new());
        let trace = tracebook_core::assemble::assemble(record.trace_id, vec![loose]);
        fields.found_in(&trace);
        assert_eq!(trace.spans[0].kind, tracebook_core::trace::SpanKind::Producer);
        assert_eq!(trace.spans[0].status.code, tracebook_core::trace::StatusCode::Error);
        let json = serde_json::to_string(&trace).expect("JSON");
        assert!(!json.contains("raw only"), "then it belongs to the other list: {json}");
    }
}

#[test]
fn every_field_of_a_log_record_is_in_the_body() {
    use super::super::super::readable::Part;
    let mut fields = Fields::default();
    let message = logs_proto::LogRecord {
        time_unix_nano: fields.time("LogRecord.time_unix_nano"),
        observed_time_unix_nano: fields.time("LogRecord.observed_time_unix_nano"),
        severity_number: 17,
        severity_text: fields.text("LogRecord.severity_text"),
        body: Some(common::AnyValue { value: Some(Any::StringValue(fields.text("LogRecord.body"))) }),
        attributes: fields.attributes("LogRecord.attributes"),
        dropped_attributes_count: fields.count("LogRecord.dropped_attributes_count"),
        flags: fields.count("LogRecord.flags"),
        trace_id: fields.id::<16>("LogRecord.trace_id"),
        span_id: fields.id::<8>("LogRecord.span_id"),
        event_name: fields.text("LogRecord.event_name"),
    };
    let resource = proto::ResourceSpans {
        resource: resource(&mut fields),
        scope_spans: Vec::new(),
        schema_url: fields.text("ResourceLogs.schema_url"),
    };
    let scope = proto::ScopeSpans {
        scope: scope(&mut fields),
        spans: Vec::new(),
        schema_url: fields.text("ScopeLogs.schema_url"),
    };
    // The bytes of ResourceSpans and ResourceLogs, and of both scopes, are the same.
    let field = |bytes: Vec<u8>| {
        let mut out = Vec::new();
        prost::encoding::encode_key(2, prost::encoding::WireType::LengthDelimited, &mut out);
        prost::encoding::encode_varint(bytes.len() as u64, &mut out);
        out.extend(bytes);
        out
    };
    let scope_bytes = [scope.encode_to_vec(), field(message.encode_to_vec())].concat();
    let resource_bytes = [resource.encode_to_vec(), field(scope_bytes)].concat();
    let mut request = vec![0x0a];
    prost::encoding::encode_varint(resource_bytes.len() as u64, &mut request);
    request.extend(resource_bytes);
    let protobuf = wire::decode_logs_protobuf(&request, Nanos(7)).expect("reads").records.remove(0);

    let json = |part, bytes: &[u8]| both(part, bytes).1;
    let as_json = LogRecord {
        encoding: LogEncoding::OtlpJson,
        raw: json(Part::Log, &protobuf.raw),
        resource: json(Part::Resource, &protobuf.resource).into(),
        scope: json(Part::Scope, &protobuf.scope).into(),
        ..protobuf.clone()
    };
    for record in [protobuf, as_json] {
        let (event, warnings) = super::super::log(&record);
        assert_eq!(warnings, Vec::<String>::new());
        fields.found_in(&event);
        assert_eq!((event.severity_number, event.level().rank()), (17, Some(tracebook_core::errors::Level::Error)));
        let json = serde_json::to_string(&event).expect("JSON");
        assert!(!json.contains("raw only"), "then it belongs to the other list: {json}");
    }
}

#[test]
fn every_kind_of_value_is_in_the_body_and_the_list_of_other_fields_is_known() {
    let (attributes, body) = values();
    let read = messages::attributes(attributes, &mut Vec::new());
    assert_eq!(serde_json::to_value(read).expect("JSON"), body);
    let mut warnings = Vec::new();
    let indexed = common::AnyValue { value: Some(Any::StringValueStrindex(3)) };
    let pair = common::KeyValue { key: "k".into(), value: Some(indexed), key_strindex: 4 };
    messages::attributes(vec![pair], &mut warnings);
    assert_eq!(warnings, ["a value that points at entry 3 of a missing table is left out"]);
    assert_eq!(
        RAW_ONLY.map(|(field, _)| field.split_once('.').expect("a field").0),
        ["Resource", "KeyValue", "AnyValue"]
    );
}

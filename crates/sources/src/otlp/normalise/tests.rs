mod fields;

use serde_json::json;
use tracebook_core::assemble::assemble;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Span, SpanKind, Trace};
use tracebook_core::value::Value;

use super::*;
use crate::testing::fixture;
use wire::{Decoded, decode_json, decode_protobuf};

fn trace_of(decoded: Decoded, root: &str) -> Trace {
    let of_root = decoded.records.iter().find(|span| span.title == root).expect("in the fixture").trace_id;
    let loose = decoded.records.iter().filter(|span| span.trace_id == of_root).map(|record| {
        let (loose, warnings) = crate::normalise(record);
        assert_eq!(warnings, Vec::<String>::new());
        loose
    });
    assemble(of_root, loose)
}

fn one_json(span: serde_json::Value) -> (LooseSpan, Vec<String>) {
    let mut whole = json!({"traceId": "01".repeat(16), "spanId": "0202020202020202"});
    for (key, value) in span.as_object().expect("an object") {
        whole[key] = value.clone();
    }
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [whole]}]}]}).to_string();
    let decoded = decode_json(body.as_bytes()).expect("a request");
    crate::normalise(&decoded.records[0])
}

#[test]
fn a_request_with_events_links_and_a_scope() {
    let decoded = decode_protobuf(&fixture("otlp-home.bin")).expect("recorded");
    insta::assert_json_snapshot!("home", trace_of(decoded, "GET /api/activities/home 200"));
}

#[test]
fn an_exception_with_causes() {
    let decoded = decode_protobuf(&fixture("otlp-boom.bin")).expect("recorded");
    let root = decoded.records.iter().find(|s| s.parent_id.is_none()).expect("a root").title.clone();
    insta::assert_json_snapshot!("boom", trace_of(decoded, &root));
}

#[test]
fn the_newer_http_names() {
    let decoded = decode_protobuf(&fixture("otlp-semconv.bin")).expect("recorded");
    insta::assert_json_snapshot!("semconv", trace_of(decoded, "GET /api/activities/@bayko 200"));
}

#[test]
fn both_encodings_say_the_same() {
    for name in ["home", "boom", "notifications", "semconv"] {
        let protobuf = decode_protobuf(&fixture(&format!("otlp-{name}.bin"))).expect("protobuf");
        let json = decode_json(&fixture(&format!("otlp-{name}.json"))).expect("JSON");
        for (a, b) in protobuf.records.iter().zip(&json.records) {
            let ((a, said_a), (b, said_b)) = (crate::normalise(a), crate::normalise(b));
            assert_eq!((a.span, a.resource, a.scope), (b.span, b.resource, b.scope));
            assert_eq!((said_a, said_b), (vec![], vec![]));
        }
    }
}

#[test]
fn all_recordings_normalise_without_warnings() {
    for name in ["abort404", "boom", "home", "joined", "notifications", "rows40", "semconv"] {
        let decoded = decode_protobuf(&fixture(&format!("otlp-{name}.bin"))).expect("recorded");
        assert_eq!(decoded.rejected, 0);
        for record in &decoded.records {
            assert_eq!(crate::normalise(record).1, Vec::<String>::new(), "{name}");
        }
    }
}

#[test]
fn json_is_read_leniently() {
    let (loose, warnings) = one_json(json!({
        "traceId": "ABCDEF01".repeat(4),
        "parentSpanId": null,
        "name": "n",
        "kind": "SPAN_KIND_CLIENT",
        "startTimeUnixNano": 1_795_478_156_893_840_087u64,
        "endTimeUnixNano": "1795478156893840088",
        "flags": "257",
        "status": {"code": 2, "message": "no"},
        "droppedAttributesCount": "3",
        "droppedEventsCount": 4,
        "traceState": "a=b",
        "neverHeardOf": {"deep": [1]},
        "attributes": [
            {"key": "int", "value": {"intValue": "-9223372036854775808"}},
            {"key": "int2", "value": {"intValue": 7}},
            {"key": "double", "value": {"doubleValue": "NaN"}},
            {"key": "bytes", "value": {"bytesValue": "-_8"}},
            {"key": "empty", "value": {}},
            {"key": "absent"},
            {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": true}}]}}},
            {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "s"}, {}]}}},
        ],
        "links": [{"traceId": "02".repeat(16), "spanId": "0303030303030303", "flags": 768}],
    }));
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(loose.span.parent, None);
    assert_eq!(loose.span.start, Nanos(1_795_478_156_893_840_087));
    assert_eq!(loose.span.kind, SpanKind::Client);
    insta::assert_json_snapshot!("lenient", loose.span);
}

#[test]
fn unreadable_parts_are_reported_and_the_rest_is_kept() {
    let (loose, warnings) = one_json(json!({
        "name": 5,
        "kind": 77,
        "startTimeUnixNano": 7,
        "endTimeUnixNano": "18446744073709551615",
        "parentSpanId": "xyz",
        "status": {"code": 9},
        "attributes": [
            {"key": "odd", "value": {"novelValue": 1}},
            {"key": "big", "value": {"intValue": "99999999999999999999"}},
            "not an object",
            {"key": "good", "value": {"stringValue": "kept"}},
        ],
        "links": [{"traceId": "02", "spanId": "0303030303030303"}],
    }));
    assert_eq!(loose.span.attribute("good"), Some(&Value::from("kept")));
    insta::assert_json_snapshot!("warnings", warnings);
}

#[test]
fn exception_events_stay_events() {
    let (loose, _) = one_json(json!({"events": [{"timeUnixNano": "7", "name": "exception", "attributes": [
        {"key": "exception.type", "value": {"stringValue": "KeyError"}},
        {"key": "exception.message", "value": {"stringValue": "'x'"}},
        {"key": "exception.stacktrace", "value": {"stringValue": "Traceback"}},
    ]}]}));
    assert_eq!(loose.span.events.len(), 1);
    let exception = &loose.span.exceptions[0];
    assert_eq!((exception.kind.as_str(), exception.message.as_str()), ("KeyError", "'x'"));
    assert_eq!(exception.stacktrace, "Traceback");
}

#[test]
fn unreadable_bytes_still_give_what_the_record_knows() {
    let mut record = decode_protobuf(&fixture("otlp-home.bin")).expect("recorded").records.remove(2);
    record.raw = b"\xff\xff\xff".to_vec();
    let (loose, warnings) = crate::normalise(&record);
    assert_eq!(loose.span.name, "GET /api/activities/home 200");
    assert_eq!((loose.span.start, loose.span.end), (record.start, record.end));
    assert_eq!(warnings.len(), 1);
    assert!(!loose.resource.attributes.is_empty(), "the resource is readable and kept");
    record.encoding = Encoding::OtlpJson;
    assert_eq!(crate::normalise(&record).1.len(), 3);
}

#[test]
fn what_is_nested_too_deep_to_be_read_again_is_left_out_and_said() {
    let mut value = json!({"stringValue": "core"});
    for _ in 0..26 {
        value = json!({"arrayValue": {"values": [value]}});
    }
    let (loose, warnings) = one_json(json!({"attributes": [{"key": "deep", "value": value}]}));
    assert_eq!(warnings, ["a value nested more than 24 levels deep is left out"]);
    let written = serde_json::to_string(&loose.span).expect("JSON");
    serde_json::from_str::<Span>(&written).expect("readable again");
}

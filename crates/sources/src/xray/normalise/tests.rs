mod fields;

use serde_json::json;
use tracebook_core::assemble::assemble;
use tracebook_core::trace::Trace;
use tracebook_core::value::{Value, get};

use super::*;
use crate::testing::fixture;
use crate::xray::wire::{parse_datagram, parse_document};

fn trace_of(name: &str) -> Trace {
    let records = parse_datagram(&fixture(name)).expect("recorded");
    let loose = records.iter().map(|record| {
        let (loose, warnings) = segment(record);
        assert_eq!(warnings, Vec::<String>::new());
        loose
    });
    assemble(records[0].trace_id, loose)
}

fn one(members: Json) -> (Span, Vec<String>) {
    let mut document = json!({"trace_id": "1-6b0459ac-d2fb2577c226bb0ed076fe79", "id": "054c67903e698d43",
        "name": "n", "start_time": 1.5, "end_time": 2.5});
    for (key, value) in members.as_object().expect("an object") {
        document[key] = value.clone();
    }
    let records = parse_document(document.to_string().as_bytes()).expect("a document");
    let (loose, warnings) = segment(&records[0]);
    (loose.span, warnings)
}

#[test]
fn annotations_and_metadata() {
    insta::assert_json_snapshot!("users", trace_of("xray-01-users.bin"));
}

#[test]
fn a_cause_that_is_an_id_of_an_exception_elsewhere() {
    let trace = trace_of("xray-01-boom.bin");
    let root = trace.root().expect("a root");
    assert!(trace.exception(&root.cause_ref).is_some(), "found in the subsegment");
    insta::assert_json_snapshot!("boom", trace);
}

#[test]
fn a_segment_in_progress_and_the_same_when_done() {
    let (open, done) = (trace_of("xray-01-slow.bin"), trace_of("xray-02-slow.bin"));
    assert_eq!(open.status_word(), "in_progress");
    assert_eq!(done.status_word(), "ok");
    assert_eq!(open.root().map(|s| s.id), done.root().map(|s| s.id));
}

#[test]
fn remote_subsegments_name_their_service() {
    let parent = json!({"parent_id": "2222222222222222", "type": "subsegment"});
    for (namespace, service) in [(json!("remote"), "n"), (json!("aws"), "n"), (json!("local"), ""), (json!(null), "")] {
        let mut members = parent.clone();
        members["namespace"] = namespace;
        let (span, _) = one(members);
        assert_eq!((span.kind, span.service.as_str()), (SpanKind::Subsegment, service));
    }
    assert_eq!(one(json!({})).0.service, "n");
}

#[test]
fn everything_without_a_field_becomes_an_attribute() {
    let (span, warnings) = one(json!({
        "http": {"request": {"method": "GET", "url": "http://h/a?b", "traced": true}, "response": {"status": 200, "content_length": -1}},
        "aws": {"operation": "GetItem", "xray": {"sdk": "X-Ray for Python"}, "resource_names": ["t"]},
        "sql": {"url": "postgresql://db", "sanitized_query": "SELECT ?"},
        "user": "andrew", "origin": "AWS::EC2::Instance", "precursor_ids": ["3333333333333333"],
        "service": {"version": "1.2"}, "inferred": true, "brand_new": {"deep": {"key": 1.5}}, "empty": {},
        "fault": "yes",
    }));
    assert_eq!(warnings, Vec::<String>::new());
    insta::assert_json_snapshot!("attributes", span.attributes);
}

#[test]
fn causes_of_every_shape() {
    let (span, warnings) = one(json!({"cause": {
        "working_directory": "/app", "paths": ["/lib"], "novel": 1,
        "exceptions": [
            {"id": "aaaaaaaaaaaaaaaa", "type": "KeyError", "message": "x", "remote": true, "truncated": 3, "skipped": 1,
             "cause": "bbbbbbbbbbbbbbbb", "extra": "kept",
             "stack": [{"path": "app.py", "line": 7, "label": "home"}, {"label": "top"}]},
            {"id": "bbbbbbbbbbbbbbbb", "message": null, "truncated": -1},
            "odd",
        ],
    }}));
    assert_eq!(warnings, ["exception 3 is not an object"]);
    insta::assert_json_snapshot!("causes", json!({"exceptions": span.exceptions, "attributes": span.attributes}));

    let (span, _) = one(json!({"cause": "BBBBBBBBBBBBBBBB"}));
    assert_eq!(span.cause_ref, "BBBBBBBBBBBBBBBB");
    let (span, warnings) = one(json!({"cause": "who knows"}));
    assert_eq!((span.cause_ref.as_str(), warnings.len()), ("", 1));
    assert_eq!(span.attribute("cause"), Some(&Value::from("who knows")));
}

#[test]
fn links_with_ids_are_links_and_others_stay() {
    let (span, warnings) = one(json!({"links": [
        {"trace_id": "1-6b0459ac-d2fb2577c226bb0ed076fe79", "id": "3333333333333333", "attributes": {"a": 1}},
        {"trace_id": "?"},
    ]}));
    assert_eq!(span.links.len(), 1);
    assert_eq!(get(&span.links[0].attributes, "a"), Some(&Value::Int(1)));
    assert_eq!(warnings.len(), 1);
    assert!(span.attribute("links").is_some());
}

#[test]
fn contradictory_segments_count_as_in_progress_with_a_warning() {
    let (span, warnings) = one(json!({"end_time": null}));
    assert_eq!((span.end, warnings.len()), (None, 1));
    assert!(warnings[0].contains("neither an end_time nor in_progress"));
    let (span, warnings) = one(json!({"in_progress": true}));
    assert_eq!((span.end, warnings.len()), (None, 1));
    let (span, warnings) = one(json!({"in_progress": true, "end_time": null}));
    assert_eq!((span.end, warnings.len()), (None, 0));
    let (span, warnings) = one(json!({"end_time": "soon"}));
    assert_eq!((span.end, warnings.len()), (None, 2));
}

#[test]
fn an_unreadable_document_still_gives_what_the_record_knows() {
    let mut record = parse_datagram(&fixture("xray-01-home.bin")).expect("recorded").remove(0);
    record.raw = b"{".to_vec();
    let (loose, warnings) = segment(&record);
    assert_eq!((loose.span.name, loose.span.end), (record.title, record.end));
    assert_eq!(warnings.len(), 1);
}

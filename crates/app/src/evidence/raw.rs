//! Raw data for people: what was received as protobuf is shown as JSON, too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value as Json;

use tracebook_sources::otlp::readable::{Part, json};

/// Adds `json` beside the `base64` of every protobuf message in a raw document that can be read.
pub(super) fn explain(document: &mut Json) {
    let mut shared: Vec<(usize, Part)> = Vec::new();
    for (list, own, part) in [("spans", "span", Part::Span), ("logs", "record", Part::Log)] {
        for record in document.get_mut(list).and_then(Json::as_array_mut).into_iter().flatten() {
            if let Some(message) = record.get_mut(own) {
                add(message, part);
            }
            for (name, part) in [("resource", Part::Resource), ("scope", Part::Scope)] {
                let at = record.get(name).and_then(Json::as_u64).and_then(|at| usize::try_from(at).ok());
                shared.extend(at.map(|at| (at, part)));
            }
        }
    }
    let Some(bodies) = document.get_mut("shared").and_then(Json::as_array_mut) else { return };
    for (at, part) in shared {
        if let Some(message) = bodies.get_mut(at) {
            add(message, part);
        }
    }
}

fn add(message: &mut Json, part: Part) {
    let Json::Object(message) = message else { return };
    // A resource is shared by many spans. JSON that was received has other members.
    if message.len() != 1 {
        return;
    }
    let bytes = message.get("base64").and_then(Json::as_str).and_then(|text| BASE64.decode(text).ok());
    if let Some(json) = bytes.and_then(|bytes| json(part, &bytes)) {
        message.insert("json".to_owned(), json);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn protobuf_is_readable_and_what_was_json_stays() {
        // Span: name "a". ResourceSpans: schema_url "b". ScopeSpans: scope { name "c" }. LogRecord: severity_text "d".
        let (span, resource) = (BASE64.encode(b"\x2a\x01a"), BASE64.encode(b"\x1a\x01b"));
        let (scope, log) = (BASE64.encode(b"\x0a\x03\x0a\x01c"), BASE64.encode(b"\x1a\x01d"));
        let mut document = json!({
            "schema": 1,
            "shared": [{ "base64": resource }, { "base64": scope }, { "schemaUrl": "kept" }, { "base64": "AAAA" }],
            "spans": [
                { "encoding": "otlp-protobuf", "resource": 0, "scope": 1, "span": { "base64": span } },
                { "encoding": "otlp-protobuf", "resource": 0, "scope": 3, "span": { "base64": "?" } },
                { "encoding": "otlp-json", "resource": 2, "scope": 9, "span": { "name": "sent as JSON" } },
            ],
            "logs": [{ "encoding": "otlp-protobuf", "resource": 0, "scope": 1, "record": { "base64": log } }],
        });
        let before = document.clone();
        explain(&mut document);
        assert_eq!(document["spans"][0]["span"], json!({ "base64": span, "json": { "name": "a" } }));
        assert_eq!(document["shared"][0], json!({ "base64": resource, "json": { "schemaUrl": "b" } }));
        assert_eq!(document["shared"][1], json!({ "base64": scope, "json": { "scope": { "name": "c" } } }));
        assert_eq!(document["logs"][0]["record"], json!({ "base64": log, "json": { "severityText": "d" } }));
        for pointer in ["/spans/1", "/spans/2", "/shared/2", "/shared/3"] {
            assert_eq!(document.pointer(pointer), before.pointer(pointer), "{pointer}");
        }
        for mut other in [json!({}), json!([]), json!({ "spans": 5, "shared": {} })] {
            explain(&mut other);
        }
    }
}

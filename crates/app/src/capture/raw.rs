//! The received bytes that are kept with evidence: JSON as it is, protobuf in base64 (so that fields unknown to this
//! version survive), both without credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};

use tracebook_core::credentials::{self, Removed};
use tracebook_core::telemetry::{Encoding, LogEncoding};

use crate::ground::finding::Raw;

impl Raw {
    /// Bytes received.
    pub(crate) fn bytes(&self) -> usize {
        let spans: usize = self.spans.iter().map(|span| span.raw.len()).sum();
        let logs: usize = self.logs.iter().map(|log| log.raw.len() + log.message.len()).sum();
        let errors: usize = self.errors.iter().map(|error| error.raw.len()).sum();
        spans + logs + errors
    }

    /// One JSON document; empty where no bytes were received.
    pub(crate) fn document(&self, removed: &Removed) -> Result<Vec<u8>, serde_json::Error> {
        if self.spans.is_empty() && self.logs.is_empty() && self.errors.is_empty() {
            return Ok(Vec::new());
        }
        let mut shared = Shared::default();
        let spans: Vec<Json> = self
            .spans
            .iter()
            .map(|r| {
                let (encoding, protobuf) = match r.encoding {
                    Encoding::OtlpProtobuf => ("otlp-protobuf", true),
                    Encoding::OtlpJson => ("otlp-json", false),
                    Encoding::XrayJson => ("xray-json", false),
                    Encoding::ConsoleJson => ("console-json", false),
                };
                json!({
                    "id": r.span_id,
                    "encoding": encoding,
                    "resource": shared.place(clean(&r.resource, protobuf, removed)),
                    "scope": shared.place(clean(&r.scope, protobuf, removed)),
                    "span": clean(&r.raw, protobuf, removed),
                })
            })
            .collect();
        let logs: Vec<Json> = self
            .logs
            .iter()
            .map(|r| match r.encoding {
                LogEncoding::Cloudwatch => json!({
                    "encoding": "cloudwatch",
                    "logGroupName": clean_text(&r.group, removed),
                    "logStreamName": clean_text(&r.stream, removed),
                    "timestamp": r.timestamp.millis(),
                    "message": clean_text(&r.message, removed),
                }),
                LogEncoding::OtlpProtobuf | LogEncoding::OtlpJson => {
                    let protobuf = r.encoding == LogEncoding::OtlpProtobuf;
                    json!({
                        "encoding": if protobuf { "otlp-protobuf" } else { "otlp-json" },
                        "resource": shared.place(clean(&r.resource, protobuf, removed)),
                        "scope": shared.place(clean(&r.scope, protobuf, removed)),
                        "record": clean(&r.raw, protobuf, removed),
                    })
                }
            })
            .collect();
        let errors: Vec<Json> = self.errors.iter().map(|r| clean(&r.raw, false, removed)).collect();
        let mut document = json!({ "schema": 1, "shared": shared.0, "spans": spans });
        for (name, list) in [("logs", logs), ("errors", errors)] {
            if !list.is_empty() {
                document[name] = Json::Array(list);
            }
        }
        serde_json::to_vec(&document)
    }
}

fn clean(bytes: &[u8], protobuf: bool, removed: &Removed) -> Json {
    if protobuf {
        let mut bytes = bytes.to_vec();
        credentials::overwrite_in_bytes(&mut bytes, removed);
        return json!({ "base64": BASE64.encode(bytes) });
    }
    let mut json = serde_json::from_slice(bytes).unwrap_or(Json::Null);
    credentials::remove_from_json(&mut json);
    // A value that a name marked as a credential elsewhere may occur here without a name.
    removed.take_from_json(&mut json);
    json
}

fn clean_text(text: &str, removed: &Removed) -> String {
    removed.take_from_text(&credentials::remove_from_text(text, &mut Removed::default())).into_owned()
}

/// Resources and scopes, each once.
#[derive(Default)]
struct Shared(Vec<Json>);

impl Shared {
    fn place(&mut self, value: Json) -> usize {
        match self.0.iter().position(|s| *s == value) {
            Some(at) => at,
            None => {
                self.0.push(value);
                self.0.len() - 1
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use tracebook_core::ids::{SpanId, TraceId};
    use tracebook_core::telemetry::{LogRecord, SpanRecord};
    use tracebook_core::time::Nanos;

    const SECRET: &str = "corr3ct-horse-battery";

    #[test]
    fn credentials_recognised_by_name_are_removed_from_all_raw_data() {
        let removed = credentials::remove_from_json(&mut json!([{ "key": "db.password", "value": SECRET }]));
        assert_eq!(removed.count(), 1);
        let bytes = |value: Json| serde_json::to_vec(&value).expect("JSON");
        let note = |name: &str| json!({ "key": name, "value": { "stringValue": format!("tried {SECRET}") } });
        let span = SpanRecord {
            trace_id: TraceId([1; 16]),
            span_id: SpanId([1; 8]),
            parent_id: None,
            encoding: Encoding::OtlpJson,
            title: String::new(),
            service: String::new(),
            start: Nanos(1),
            end: None,
            status: tracebook_core::trace::StatusCode::Unset,
            raw: bytes(json!({ "name": "home", "attributes": [note("note")] })),
            resource: Arc::from(bytes(json!({ "attributes": [note("process.args")] }))),
            scope: Arc::from(bytes(json!({ "name": "flask" }))),
        };
        let log = LogRecord {
            encoding: LogEncoding::Cloudwatch,
            group: format!("group-{SECRET}"),
            stream: "a/b".to_owned(),
            message: format!("login with {SECRET} failed"),
            timestamp: Nanos(1),
            trace_id: None,
            span_id: None,
            severity: String::new(),
            raw: Vec::new(),
            resource: Arc::new([]),
            scope: Arc::new([]),
        };
        let data = json!({ "body": { "message": { "body": format!("cannot log in: {SECRET}") } } });
        let error = tracebook_sources::rollbar::normalise::record(&data, Nanos(1)).expect("an item");
        let raw = Raw { spans: vec![span], logs: vec![log], errors: vec![error] };
        let document = String::from_utf8(raw.document(&removed).expect("a document")).expect("text");
        assert!(!document.contains(SECRET), "{document}");
        assert_eq!(document.matches(credentials::PLACEHOLDER).count(), 5, "{document}");
        for kept in ["home", "flask", "login with", "cannot log in"] {
            assert!(document.contains(kept), "{kept}: {document}");
        }
    }
}

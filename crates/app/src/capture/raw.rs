//! The received bytes that are kept with evidence: JSON as it is, protobuf in base64 (so that fields unknown to this
//! version survive), both without credentials.

use std::collections::HashMap;

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
        spans + logs + errors + self.console.bytes()
    }

    /// One JSON document; empty where no bytes were received.
    pub(crate) fn document(&self, removed: &Removed) -> Result<Vec<u8>, serde_json::Error> {
        if self.spans.is_empty() && self.logs.is_empty() && self.errors.is_empty() && self.console.is_empty() {
            return Ok(Vec::new());
        }
        let mut parts = Parts::default();
        let mut spans: Vec<Json> = self
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
                    "resource": parts.shared(&r.resource, protobuf, removed),
                    "scope": parts.shared(&r.scope, protobuf, removed),
                    "span": parts.own(&r.raw, protobuf, removed),
                })
            })
            .collect();
        let mut logs: Vec<Json> = self
            .logs
            .iter()
            .map(|r| match r.encoding {
                LogEncoding::Cloudwatch => {
                    let event = json!({ "logGroupName": r.group, "logStreamName": r.stream, "message": r.message });
                    json!({ "encoding": "cloudwatch", "timestamp": r.timestamp.millis(), "event": parts.json(event) })
                }
                LogEncoding::OtlpProtobuf | LogEncoding::OtlpJson => {
                    let protobuf = r.encoding == LogEncoding::OtlpProtobuf;
                    json!({
                        "encoding": if protobuf { "otlp-protobuf" } else { "otlp-json" },
                        "resource": parts.shared(&r.resource, protobuf, removed),
                        "scope": parts.shared(&r.scope, protobuf, removed),
                        "record": parts.own(&r.raw, protobuf, removed),
                    })
                }
            })
            .collect();
        let mut errors: Vec<Json> = self.errors.iter().map(|r| parts.own(&r.raw, false, removed)).collect();

        let lines = self.console.lines().collect::<Vec<_>>();
        let mut console = (!lines.is_empty()).then(|| parts.json(json!(lines)));

        let shared = parts.finish(removed);
        for span in &mut spans {
            parts.place(&mut span["span"]);
        }
        for log in &mut logs {
            if let Some(event) = log.as_object_mut().and_then(|log| log.shift_remove("event")) {
                let mut event = event;
                parts.place(&mut event);
                if let (Some(log), Json::Object(event)) = (log.as_object_mut(), event) {
                    log.extend(event);
                }
            } else {
                parts.place(&mut log["record"]);
            }
        }
        errors.iter_mut().chain(&mut console).for_each(|json| parts.place(json));
        let mut document = json!({ "schema": 1, "shared": shared, "spans": spans });
        for (name, list) in [("logs", logs), ("errors", errors)] {
            if !list.is_empty() {
                document[name] = Json::Array(list);
            }
        }
        if let Some(lines) = console {
            document["console"] = json!({ "lines": lines, "more": self.console.more() });
        }
        serde_json::to_vec(&document)
    }
}

/// The received documents. Those in JSON are cleaned together and in their order, because a key may have been logged
/// line by line; the document refers to them by number until then.
#[derive(Default)]
struct Parts<'a> {
    json: Vec<Json>,
    /// Resources and scopes, each once.
    shared: Vec<Part>,
    known: HashMap<(&'a [u8], bool), usize>,
}

enum Part {
    Clean(Json),
    /// Its number in [`Parts::json`].
    Json(usize),
}

impl<'a> Parts<'a> {
    fn json(&mut self, json: Json) -> Json {
        self.json.push(json);
        json!(self.json.len() - 1)
    }

    fn own(&mut self, bytes: &[u8], protobuf: bool, removed: &Removed) -> Json {
        match protobuf {
            true => clean(bytes, removed),
            false => self.json(serde_json::from_slice(bytes).unwrap_or(Json::Null)),
        }
    }

    fn shared(&mut self, bytes: &'a [u8], protobuf: bool, removed: &Removed) -> usize {
        if let Some(at) = self.known.get(&(bytes, protobuf)) {
            return *at;
        }
        let part = match protobuf {
            true => Part::Clean(clean(bytes, removed)),
            false => {
                self.json.push(serde_json::from_slice(bytes).unwrap_or(Json::Null));
                Part::Json(self.json.len() - 1)
            }
        };
        self.shared.push(part);
        self.known.insert((bytes, protobuf), self.shared.len() - 1);
        self.shared.len() - 1
    }

    /// Cleans what is JSON. Returns resources and scopes.
    fn finish(&mut self, removed: &Removed) -> Vec<Json> {
        let mut all = Json::Array(std::mem::take(&mut self.json));
        removed.remove_from_json_too(&mut all);
        if let Json::Array(all) = all {
            self.json = all;
        }
        let shared = std::mem::take(&mut self.shared);
        shared
            .into_iter()
            .map(|part| match part {
                Part::Clean(json) => json,
                Part::Json(at) => self.json.get_mut(at).map(Json::take).unwrap_or_default(),
            })
            .collect()
    }

    /// Puts a cleaned document in the place of its number.
    fn place(&mut self, json: &mut Json) {
        if let Some(at) = json.as_u64().and_then(|at| usize::try_from(at).ok())
            && let Some(part) = self.json.get_mut(at)
        {
            *json = part.take();
        }
    }
}

/// A protobuf message, in base64.
fn clean(bytes: &[u8], removed: &Removed) -> Json {
    let mut bytes = bytes.to_vec();
    credentials::overwrite_in_bytes(&mut bytes, removed);
    json!({ "base64": BASE64.encode(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use tracebook_core::console::AsPrinted;
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
            twin: 0,
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
            severity_number: 0,
            raw: Vec::new(),
            resource: Arc::new([]),
            scope: Arc::new([]),
        };
        let data = json!({ "body": { "message": { "body": format!("cannot log in: {SECRET}") } } });
        let error = tracebook_sources::rollbar::normalise::record(&data, Nanos(1)).expect("an item");
        let console = AsPrinted::of_text(&format!("\x1b[1A\x1b[2Kusing {SECRET}"));
        let raw = Raw { spans: vec![span], logs: vec![log], errors: vec![error], console };
        let document = String::from_utf8(raw.document(&removed).expect("a document")).expect("text");
        assert!(!document.contains(SECRET), "{document}");
        assert_eq!(document.matches(credentials::PLACEHOLDER).count(), 6, "{document}");
        for kept in ["home", "flask", "login with", "cannot log in"] {
            assert!(document.contains(kept), "{kept}: {document}");
        }
    }
}

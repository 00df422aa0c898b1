//! The received bytes that are kept with evidence: JSON as it is, protobuf in base64 (so that fields unknown to this
//! version survive), both without credentials.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use tracebook_core::credentials::{self, Removed};
use tracebook_core::json::Json;
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

    /// What [`Draft::document`] makes one document of; `None` where no bytes were received.
    pub(crate) fn draft(&self) -> Option<Draft<'_>> {
        if self.spans.is_empty() && self.logs.is_empty() && self.errors.is_empty() && self.console.is_empty() {
            return None;
        }
        let mut parts = Parts::default();
        let spans = self
            .spans
            .iter()
            .map(|r| {
                let (encoding, protobuf) = match r.encoding {
                    Encoding::OtlpProtobuf => ("otlp-protobuf", true),
                    Encoding::OtlpJson => ("otlp-json", false),
                    Encoding::XrayJson => ("xray-json", false),
                    Encoding::ConsoleJson => ("console-json", false),
                };
                Json::object([
                    ("id", Json::text(r.span_id.to_string())),
                    ("encoding", Json::text(encoding)),
                    ("resource", parts.shared(&r.resource, protobuf).into()),
                    ("scope", parts.shared(&r.scope, protobuf).into()),
                    ("span", parts.own(&r.raw, protobuf)),
                ])
            })
            .collect();
        let logs = self
            .logs
            .iter()
            .map(|r| match r.encoding {
                LogEncoding::Cloudwatch => {
                    let event = Json::object([
                        ("logGroupName", Json::text(&r.group)),
                        ("logStreamName", Json::text(&r.stream)),
                        ("message", Json::text(&r.message)),
                    ]);
                    Json::object([
                        ("encoding", Json::text("cloudwatch")),
                        ("timestamp", r.timestamp.millis().into()),
                        ("event", parts.json(event)),
                    ])
                }
                LogEncoding::OtlpProtobuf | LogEncoding::OtlpJson => {
                    let protobuf = r.encoding == LogEncoding::OtlpProtobuf;
                    Json::object([
                        ("encoding", Json::text(if protobuf { "otlp-protobuf" } else { "otlp-json" })),
                        ("resource", parts.shared(&r.resource, protobuf).into()),
                        ("scope", parts.shared(&r.scope, protobuf).into()),
                        ("record", parts.own(&r.raw, protobuf)),
                    ])
                }
            })
            .collect();
        let errors = self.errors.iter().map(|r| parts.own(&r.raw, false)).collect();
        let lines = self.console.lines().collect::<Vec<_>>();
        let console =
            (!lines.is_empty()).then(|| parts.json(serde_json::to_value(lines).map_or(Json::Null, Json::from)));
        Some(Draft { spans, logs, errors, console, more: self.console.more(), parts })
    }
}

/// A document with numbers in the place of what was received.
pub(crate) struct Draft<'a> {
    spans: Vec<Json<'a>>,
    logs: Vec<Json<'a>>,
    errors: Vec<Json<'a>>,
    console: Option<Json<'a>>,
    /// Lines of the console that are not kept.
    more: u32,
    parts: Parts<'a>,
}

impl Draft<'_> {
    /// One JSON document, without credentials. What was removed from the body is asked for when these have been looked
    /// for here.
    pub(crate) fn document<R: AsRef<Removed>>(self, removed: impl FnOnce() -> R) -> Result<Vec<u8>, serde_json::Error> {
        let Self { mut spans, mut logs, mut errors, mut console, more, mut parts } = self;
        let (shared, removed) = parts.finish(removed);
        let removed = removed.as_ref();
        for span in spans.iter_mut().filter_map(|span| span.get_mut("span")) {
            parts.place(span, removed);
        }
        for log in &mut logs {
            if let Some(record) = log.get_mut("record") {
                parts.place(record, removed);
            } else if let Json::Object(members) = log
                && let Some((_, mut event)) = members.pop()
            {
                // The members of an event stand beside those of its log.
                parts.place(&mut event, removed);
                if let Json::Object(event) = event {
                    members.extend(event);
                }
            }
        }
        errors.iter_mut().chain(&mut console).for_each(|json| parts.place(json, removed));
        let mut document: Vec<(&str, Json<'_>)> =
            vec![("schema", 1_usize.into()), ("shared", Json::List(shared)), ("spans", Json::List(spans))];
        for (name, list) in [("logs", logs), ("errors", errors)] {
            if !list.is_empty() {
                document.push((name, Json::List(list)));
            }
        }
        if let Some(lines) = console {
            document.push(("console", Json::object([("lines", lines), ("more", i64::from(more).into())])));
        }
        let document = Json::Object(document.into_iter().map(|(name, value)| (name.into(), value)).collect());
        serde_json::to_vec(&document)
    }
}

/// The received documents. Those in JSON are cleaned together and in their order, because a key may have been logged
/// line by line. The draft refers to them by number, and by a list of one number to those in protobuf.
#[derive(Default)]
struct Parts<'a> {
    json: Vec<Json<'a>>,
    protobuf: Vec<&'a [u8]>,
    /// Resources and scopes, each once.
    shared: Vec<Json<'a>>,
    known: HashMap<(&'a [u8], bool), usize>,
}

impl<'a> Parts<'a> {
    fn json(&mut self, json: Json<'a>) -> Json<'a> {
        self.json.push(json);
        Json::from(self.json.len() - 1)
    }

    fn own(&mut self, bytes: &'a [u8], protobuf: bool) -> Json<'a> {
        if protobuf {
            self.protobuf.push(bytes);
            return Json::List(vec![Json::from(self.protobuf.len() - 1)]);
        }
        self.json(serde_json::from_slice(bytes).unwrap_or(Json::Null))
    }

    fn shared(&mut self, bytes: &'a [u8], protobuf: bool) -> usize {
        if let Some(at) = self.known.get(&(bytes, protobuf)) {
            return *at;
        }
        let part = self.own(bytes, protobuf);
        self.shared.push(part);
        self.known.insert((bytes, protobuf), self.shared.len() - 1);
        self.shared.len() - 1
    }

    /// Cleans what is JSON. Returns resources and scopes, and what was removed from the body.
    fn finish<R: AsRef<Removed>>(&mut self, removed: impl FnOnce() -> R) -> (Vec<Json<'a>>, R) {
        let mut all = Json::List(std::mem::take(&mut self.json));
        let removed = credentials::remove_from_json_beside(&mut all, removed);
        if let Json::List(all) = all {
            self.json = all;
        }
        let mut shared = std::mem::take(&mut self.shared);
        shared.iter_mut().for_each(|part| self.place(part, removed.as_ref()));
        (shared, removed)
    }

    /// Puts a cleaned document in the place of its number.
    fn place(&mut self, json: &mut Json<'a>, removed: &Removed) {
        let at = |json: &Json<'_>| {
            let Json::Number(number) = json else { return None };
            number.as_u64().and_then(|at| usize::try_from(at).ok())
        };
        let in_protobuf = |json: &Json<'_>| {
            let Json::List(list) = json else { return None };
            list.first().and_then(at)
        };
        if let Some(part) = at(json).and_then(|at| self.json.get_mut(at)) {
            *json = std::mem::take(part);
        } else if let Some(bytes) = in_protobuf(json).and_then(|at| self.protobuf.get(at)) {
            *json = clean(bytes, removed);
        }
    }
}

/// A protobuf message, in base64.
fn clean(bytes: &[u8], removed: &Removed) -> Json<'static> {
    let mut bytes = bytes.to_vec();
    credentials::overwrite_in_bytes(&mut bytes, removed);
    Json::object([("base64", Json::text(BASE64.encode(bytes)))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use serde_json::{Value, json};

    use tracebook_core::console::AsPrinted;
    use tracebook_core::ids::{SpanId, TraceId};
    use tracebook_core::telemetry::{LogRecord, SpanRecord};
    use tracebook_core::time::Nanos;

    const SECRET: &str = "corr3ct-horse-battery";

    #[test]
    fn credentials_recognised_by_name_are_removed_from_all_raw_data() {
        let removed = credentials::remove_from_json(&mut json!([{ "key": "db.password", "value": SECRET }]).into());
        assert_eq!(removed.count(), 1);
        let bytes = |value: Value| serde_json::to_vec(&value).expect("JSON");
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
        let document = raw.draft().expect("bytes were received").document(|| &removed).expect("a document");
        let document = String::from_utf8(document).expect("text");
        assert!(!document.contains(SECRET), "{document}");
        assert_eq!(document.matches(credentials::PLACEHOLDER).count(), 6, "{document}");
        for kept in ["home", "flask", "login with", "cannot log in"] {
            assert!(document.contains(kept), "{kept}: {document}");
        }
    }
}

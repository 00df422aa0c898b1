//! What was received, kept beside the evidence: JSON as itself, protobuf in base64 (so that fields this version does not
//! know are still in it), credentials out of both.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};

use tracebook_core::credentials::{self, Removed};
use tracebook_core::telemetry::{Encoding, ErrorRecord, LogEncoding, LogRecord, SpanRecord};

/// What a capture was read from.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    pub(crate) spans: Vec<SpanRecord>,
    pub(crate) logs: Vec<LogRecord>,
    pub(crate) errors: Vec<ErrorRecord>,
}

impl Raw {
    /// One JSON document; no byte where nothing was received as such.
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
                    "logGroupName": r.group,
                    "logStreamName": r.stream,
                    "timestamp": r.timestamp.millis(),
                    "message": credentials::remove_from_text(&r.message, &mut Removed::default()),
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
    json
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

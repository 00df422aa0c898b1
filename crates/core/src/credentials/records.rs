//! Credentials in telemetry before it is stored: the columns and the bytes of a batch. A batch is read as one document,
//! so that a value which one record names is removed from the others too.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::{Removed, bytes, tree};
use crate::json::Json;
use crate::telemetry::{ConsoleRecord, Encoding, ErrorRecord, LogEncoding, LogRecord, SpanRecord};

/// The texts and JSON documents of a batch, which are cleaned together.
#[derive(Default)]
struct Batch {
    documents: Vec<Json<'static>>,
}

impl Batch {
    fn texts(&mut self, texts: &[(&str, &mut String)]) {
        let member =
            |(name, text): &(&str, &mut String)| (Cow::Owned((*name).to_owned()), Json::text(text.to_string()));
        self.documents.push(Json::Object(texts.iter().map(member).collect()));
    }

    /// Adds a document; bytes that are no JSON have no place in it.
    fn bytes(&mut self, bytes: &[u8]) {
        self.documents.push(serde_json::from_slice(bytes).map_or(Json::Null, Json::into_owned));
    }

    /// Cleans everything. The documents that changed come back in their order.
    fn clean(self) -> (Removed, std::vec::IntoIter<Option<Json<'static>>>) {
        let before = self.documents.clone();
        let mut all = Json::List(self.documents);
        let mut removed = Removed::default();
        tree::clean(&mut all, &mut removed, None);
        let after = match all {
            Json::List(list) => list,
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => Vec::new(),
        };
        let changed: Vec<Option<Json<'static>>> =
            after.into_iter().zip(before).map(|(after, before)| (after != before).then_some(after)).collect();
        (removed, changed.into_iter())
    }
}

fn set_texts(changed: Option<Json<'_>>, texts: Vec<(&str, &mut String)>) {
    let Some(mut changed) = changed else { return };
    for (name, text) in texts {
        if let Some(Json::Text(clean)) = changed.get_mut(name) {
            *text = std::mem::take(clean).into_owned();
        }
    }
}

/// Bytes without credentials; `None` if they had none.
fn clean_bytes(raw: &[u8], is_json: bool, changed: Option<Json<'_>>, removed: &Removed) -> Option<Vec<u8>> {
    if is_json {
        if let Some(json) = changed {
            return serde_json::to_vec(&json).ok();
        }
        if raw.is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(raw).is_ok() {
            return None;
        }
    }
    let mut clean = raw.to_vec();
    bytes::overwrite(&mut clean, removed).then_some(clean)
}

/// Resources and scopes that several records share, each cleaned once.
#[derive(Default)]
struct Shared(HashMap<(*const u8, usize), Option<Arc<[u8]>>>);

impl Shared {
    fn clean(&mut self, shared: &mut Arc<[u8]>, is_json: bool, removed: &Removed) {
        let clean = self.0.entry((shared.as_ptr(), shared.len())).or_insert_with(|| {
            let changed = is_json
                .then(|| {
                    let before: Json<'_> = serde_json::from_slice(shared).ok()?;
                    let mut after = before.clone();
                    removed.remove_from_json_too(&mut after);
                    (after != before).then_some(after)
                })
                .flatten();
            clean_bytes(shared, is_json, changed, removed).map(Arc::from)
        });
        if let Some(clean) = clean {
            *shared = Arc::clone(clean);
        }
    }
}

/// A record with bytes as sent, and with parts that it shares with others of its batch.
trait Record {
    /// Its texts, by the name under which each is judged.
    fn texts(&mut self) -> Vec<(&'static str, &mut String)>;
    /// Its bytes, and whether they are JSON.
    fn raw(&mut self) -> (&mut Vec<u8>, bool);
    /// Resource and scope, encoded as its bytes are.
    fn shared(&mut self) -> Vec<&mut Arc<[u8]>>;
}

impl Record for SpanRecord {
    fn texts(&mut self) -> Vec<(&'static str, &mut String)> {
        vec![("title", &mut self.title), ("service", &mut self.service)]
    }

    fn raw(&mut self) -> (&mut Vec<u8>, bool) {
        let is_json = match self.encoding {
            Encoding::OtlpProtobuf => false,
            Encoding::OtlpJson | Encoding::XrayJson | Encoding::ConsoleJson => true,
        };
        (&mut self.raw, is_json)
    }

    fn shared(&mut self) -> Vec<&mut Arc<[u8]>> {
        vec![&mut self.resource, &mut self.scope]
    }
}

impl Record for LogRecord {
    fn texts(&mut self) -> Vec<(&'static str, &mut String)> {
        vec![("message", &mut self.message), ("group", &mut self.group), ("stream", &mut self.stream)]
    }

    fn raw(&mut self) -> (&mut Vec<u8>, bool) {
        let is_json = match self.encoding {
            LogEncoding::OtlpProtobuf => false,
            LogEncoding::OtlpJson | LogEncoding::Cloudwatch => true,
        };
        (&mut self.raw, is_json)
    }

    fn shared(&mut self) -> Vec<&mut Arc<[u8]>> {
        vec![&mut self.resource, &mut self.scope]
    }
}

impl Record for ErrorRecord {
    fn texts(&mut self) -> Vec<(&'static str, &mut String)> {
        vec![("title", &mut self.title), ("environment", &mut self.environment), ("person", &mut self.person)]
    }

    fn raw(&mut self) -> (&mut Vec<u8>, bool) {
        (&mut self.raw, true)
    }

    fn shared(&mut self) -> Vec<&mut Arc<[u8]>> {
        Vec::new()
    }
}

fn redact<R: Record>(batch: &mut [R]) {
    let mut documents = Batch::default();
    for record in batch.iter_mut() {
        documents.texts(&record.texts());
        let (raw, is_json) = record.raw();
        documents.bytes(if is_json { raw } else { b"null" });
    }
    let (removed, mut changed) = documents.clean();
    let mut shared = Shared::default();
    // The bytes that identify shared parts stay allocated until all are cleaned.
    let kept: Vec<Arc<[u8]>> =
        batch.iter_mut().flat_map(|r| r.shared().into_iter().map(|part| Arc::clone(part))).collect();
    for record in batch.iter_mut() {
        set_texts(changed.next().flatten(), record.texts());
        let (raw, is_json) = record.raw();
        if let Some(clean) = clean_bytes(raw, is_json, changed.next().flatten(), &removed) {
            *raw = clean;
        }
        record.shared().into_iter().for_each(|part| shared.clean(part, is_json, &removed));
    }
    drop(kept);
}

/// Removes credentials from spans.
pub fn redact_spans(batch: &mut [SpanRecord]) {
    redact(batch);
}

/// Removes credentials from log events.
pub fn redact_logs(batch: &mut [LogRecord]) {
    redact(batch);
}

/// Removes credentials from occurrences of errors.
pub fn redact_errors(batch: &mut [ErrorRecord]) {
    redact(batch);
}

/// Removes credentials from console lines.
pub fn redact_console(batch: &mut [ConsoleRecord]) {
    let mut documents = Batch::default();
    for record in batch.iter_mut() {
        documents.texts(&[("text", &mut record.text), ("stream", &mut record.stream)]);
    }
    let (_, mut changed) = documents.clean();
    for record in batch.iter_mut() {
        set_texts(changed.next().flatten(), vec![("text", &mut record.text), ("stream", &mut record.stream)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{SpanId, TraceId};
    use crate::time::Nanos;
    use crate::trace::StatusCode;

    const SECRET: &str = "corr3ct-horse-battery";

    fn span(encoding: Encoding, raw: &[u8], resource: &Arc<[u8]>) -> SpanRecord {
        SpanRecord {
            trace_id: TraceId([1; 16]),
            span_id: SpanId([1; 8]),
            twin: 0,
            parent_id: None,
            encoding,
            title: format!("GET /reset?password={SECRET} 200"),
            service: "web".to_owned(),
            start: Nanos(1),
            end: None,
            status: StatusCode::Unset,
            raw: raw.to_vec(),
            resource: Arc::clone(resource),
            scope: Arc::from(&b"{\"name\":\"flask\"}"[..]),
        }
    }

    fn holds(bytes: &[u8]) -> bool {
        bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes())
    }

    #[test]
    fn columns_and_bytes_of_a_batch_have_no_credential() {
        let json = format!(
            "{{\"attributes\":[{{\"key\":\"db.password\",\"value\":{{\"stringValue\":\"{SECRET}\"}}}}],\"n\":9007199254740993}}"
        );
        let resource: Arc<[u8]> = Arc::from(format!("{{\"note\":\"as {SECRET}\"}}").into_bytes());
        let mut protobuf = vec![0x2a, u8::try_from(SECRET.len()).expect("short")];
        protobuf.extend_from_slice(SECRET.as_bytes());
        let mut batch = vec![
            span(Encoding::OtlpJson, json.as_bytes(), &resource),
            span(Encoding::OtlpProtobuf, &protobuf, &Arc::from(protobuf.clone())),
            span(Encoding::XrayJson, b"not json password=corr3ct-horse-battery", &resource),
        ];
        redact_spans(&mut batch);
        for record in &batch {
            assert!(!holds(&record.raw) && !holds(&record.resource) && !holds(record.title.as_bytes()), "{record:?}");
        }
        assert_eq!(batch[1].raw.len(), protobuf.len());
        assert!(String::from_utf8_lossy(&batch[0].raw).contains("9007199254740993"), "numbers keep every digit");
        assert_eq!(&*batch[0].scope, b"{\"name\":\"flask\"}");

        let clean = span(Encoding::OtlpJson, br#"{ "name":  "kept as sent" }"#, &Arc::from(&b"{ }"[..]));
        let mut batch = vec![SpanRecord { title: "GET /".to_owned(), ..clean }];
        let before = batch.clone();
        redact_spans(&mut batch);
        assert_eq!(batch, before, "what has no credential keeps its bytes");
    }

    #[test]
    fn lines_of_a_key_in_one_batch_are_removed() {
        let line = |text: &str| ConsoleRecord {
            stream: "web".to_owned(),
            timestamp: Nanos(1),
            stderr: false,
            text: text.to_owned(),
            trace_id: None,
        };
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        let mut batch =
            vec![line("-----BEGIN PRIVATE KEY-----"), line(body), line("-----END PRIVATE KEY-----"), line("up")];
        redact_console(&mut batch);
        assert!(batch.iter().all(|record| !record.text.contains(body)));
        assert_eq!(batch[3].text, "up");
    }

    #[test]
    fn ten_thousand_spans_are_redacted_in_linear_time() {
        let resource: Arc<[u8]> =
            Arc::from(&br#"{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]}"#[..]);
        let spans = |count: usize| -> Vec<SpanRecord> {
            (0..count)
                .map(|n| {
                    let raw = format!(
                        r#"{{"name":"GET /api/{n}","attributes":[{{"key":"url.full","value":{{"stringValue":"http://localhost/api/{n}?page={n}"}}}},{{"key":"db.query.text","value":{{"stringValue":"SELECT a FROM b WHERE id = {n}"}}}},{{"key":"password","value":{{"stringValue":"s3cr3t-{n:x}-value"}}}}]}}"#
                    );
                    SpanRecord { title: format!("GET /api/{n} 200"), ..span(Encoding::OtlpJson, raw.as_bytes(), &resource) }
                })
                .collect()
        };
        let time = |count: usize| {
            let mut batch = spans(count);
            let start = std::time::Instant::now();
            redact_spans(&mut batch);
            assert!(batch.iter().all(|record| !String::from_utf8_lossy(&record.raw).contains("s3cr3t")));
            start.elapsed()
        };
        let (few, many) = ((0..3).map(|_| time(1_000)).min().expect("three"), time(10_000));
        eprintln!("redacted: 1,000 spans in {few:?}, 10,000 in {many:?}");
        assert!(many < 60 * few, "1,000 in {few:?}, 10,000 in {many:?}");
    }
}

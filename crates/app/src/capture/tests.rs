//! Planted credentials on every way from a record to a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};

use tracebook_core::assemble::{LooseSpan, assemble};
use tracebook_core::console::{Console, ConsoleLine};
use tracebook_core::credentials;
use tracebook_core::entry::EntryRow;
use tracebook_core::errors::{ErrorItem, Occurrence};
use tracebook_core::evidence::Body;
use tracebook_core::freeze::{self, Click, Origin};
use tracebook_core::ids::{Id, SpanId, TraceId};
use tracebook_core::logs::{LogEvent, Logs};
use tracebook_core::question::Question;
use tracebook_core::telemetry::{Encoding, ErrorRecord, LogEncoding, LogRecord, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_core::trace::StatusCode;
use tracebook_core::variation::varied;
use tracebook_render::card::{self, Size};
use tracebook_render::export::{self, EntryInput};
use tracebook_render::markdown;

use crate::ground::finding::Raw;

#[path = "../../../../tests/planted/mod.rs"]
mod planted;

const ID: &str = "01JD4ZK8S7M5V9TQ2WXYB3CDEF";

fn bytes(json: &Json) -> Vec<u8> {
    serde_json::to_vec(json).expect("JSON")
}

fn span(encoding: Encoding, raw: Vec<u8>, resource: Vec<u8>) -> SpanRecord {
    SpanRecord {
        trace_id: TraceId([1; 16]),
        span_id: SpanId([1; 8]),
        twin: 0,
        parent_id: None,
        encoding,
        title: String::new(),
        service: String::new(),
        start: Nanos(1_795_447_213_087_028_123),
        end: None,
        status: StatusCode::Unset,
        raw,
        resource: Arc::from(resource),
        scope: Arc::from(&b""[..]),
    }
}

/// One field of a protobuf message.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 127 {
        out.push(u8::try_from(length & 127).expect("7 bits") | 128);
        length >>= 7;
    }
    out.push(u8::try_from(length).expect("7 bits"));
    out.extend_from_slice(content);
    out
}

/// A `KeyValue` with a text.
fn attribute(key: &str, text: &str) -> Vec<u8> {
    [field(1, key.as_bytes()), field(2, &field(1, text.as_bytes()))].concat()
}

/// A span whose name, attribute, event and status have the text: name is field 5, attributes 9, events 11, status 15.
fn protobuf(text: &str) -> Vec<u8> {
    let note = attribute("note", text);
    let mut bytes = [field(1, &[1; 16]), field(2, &[1; 8]), field(5, text.as_bytes()), field(9, &note)].concat();
    bytes.extend(field(11, &[field(2, b"log"), field(3, &attribute("message", text))].concat()));
    bytes.extend(field(15, &field(2, text.as_bytes())));
    bytes
}

/// The same data as evidence and as received, on every way.
fn ways(text: &str) -> Vec<(&'static str, Body, Raw)> {
    let string = json!({ "stringValue": text });
    let otlp = bytes(&json!({
        "name": text,
        "attributes": [{ "key": "note", "value": string }, { "key": "db.query.text", "value": string }],
        "events": [{ "name": "log", "attributes": [{ "key": "message", "value": string }] }],
        "status": { "code": 2, "message": text },
    }));
    let resource = bytes(&json!({ "attributes": [{ "key": "process.command_line", "value": string }] }));
    let xray = bytes(&json!({
        "name": "web", "id": "0101010101010101", "trace_id": "1-4efaaf4d-1e8720b39541901950019ee5", "start_time": 1.0,
        "annotations": { "note": text }, "metadata": { "default": { "lines": [text], "body": { "raw": text } } },
        "http": { "request": { "url": text, "user_agent": text } }, "sql": { "sanitized_query": text },
    }));
    let mut all = Vec::new();
    for (name, record) in [
        ("OTLP in JSON", span(Encoding::OtlpJson, otlp, resource.clone())),
        (
            "OTLP in protobuf",
            span(
                Encoding::OtlpProtobuf,
                protobuf(text),
                field(1, &field(1, &[field(1, b"args"), field(2, &field(1, text.as_bytes()))].concat())),
            ),
        ),
        ("X-Ray", span(Encoding::XrayJson, xray, Vec::new())),
    ] {
        let (LooseSpan { span, resource, scope }, _) = tracebook_sources::normalise(&record);
        let trace = assemble(record.trace_id, vec![LooseSpan { span, resource, scope }]);
        all.push((name, Body::Trace(trace), Raw { spans: vec![record], ..Raw::default() }));
    }

    // One event per line.
    let logs: Vec<LogRecord> = text
        .split('\n')
        .map(|line| LogRecord {
            encoding: LogEncoding::Cloudwatch,
            group: "web".to_owned(),
            stream: "a/b".to_owned(),
            message: format!("2026-11-30T11:14:06Z INFO {line}"),
            timestamp: Nanos(1),
            trace_id: None,
            span_id: None,
            severity: String::new(),
            severity_number: 0,
            raw: Vec::new(),
            resource: Arc::new([]),
            scope: Arc::new([]),
        })
        .collect();
    let events =
        logs.iter().map(|r| LogEvent { group: r.group.clone(), message: r.message.clone(), ..LogEvent::default() });
    all.push((
        "logs",
        Body::Logs(Logs { events: events.collect(), ..Logs::default() }),
        Raw { logs, ..Raw::default() },
    ));

    // OTLP: one event, whose body and attributes have the text.
    let json_log = bytes(&json!({
        "body": string, "severityText": "INFO",
        "attributes": [{ "key": "note", "value": string }, { "key": "lines", "value": { "arrayValue": { "values": [string] } } }],
    }));
    let proto_log = [field(5, &field(1, text.as_bytes())), field(6, &attribute("note", text))].concat();
    for (name, encoding, raw, resource) in [
        ("OTLP logs in JSON", LogEncoding::OtlpJson, json_log, resource.clone()),
        ("OTLP logs in protobuf", LogEncoding::OtlpProtobuf, proto_log, field(1, &attribute("args", text))),
    ] {
        let record = LogRecord {
            encoding,
            group: String::new(),
            stream: String::new(),
            message: text.to_owned(),
            timestamp: Nanos(1),
            trace_id: None,
            span_id: None,
            severity: "INFO".to_owned(),
            severity_number: 9,
            raw,
            resource: Arc::from(resource),
            scope: Arc::new([]),
        };
        let (event, _) = tracebook_sources::otlp::normalise::log(&record);
        let logs = Logs { events: vec![event], ..Logs::default() };
        all.push((name, Body::Logs(logs), Raw { logs: vec![record], ..Raw::default() }));
    }

    let data = json!({
        "environment": "development", "level": "error",
        "body": { "trace": {
            "exception": { "class": "ValueError", "message": text },
            "frames": [{ "filename": "app.py", "lineno": 3, "method": "home", "code": text, "locals": { "value": text, "items": [text] } }],
        } },
        "request": { "url": text, "headers": { "X-Note": text }, "body": text, "POST": { "note": text } },
        "server": { "argv": text.split(' ').collect::<Vec<_>>() },
        "custom": { "note": text },
    });
    let record: ErrorRecord = tracebook_sources::rollbar::normalise::record(&data, Nanos(1)).expect("an item");
    let (occurrence, _) = tracebook_sources::rollbar::normalise::read(&record.raw, Nanos(1));
    let item = ErrorItem {
        item: record.item.clone(),
        title: record.title.clone(),
        level: record.level,
        occurrences: 1,
        first: record.timestamp,
        last: record.timestamp,
        environment: record.environment.clone(),
        people: 0,
        varies: varied(&[occurrence.clone(), Occurrence::default()]),
        occurrence,
        others: Vec::new(),
    };
    all.push(("error", Body::Error(Box::new(item)), Raw { errors: vec![record], ..Raw::default() }));

    let line = |text: String| ConsoleLine { text, ..ConsoleLine::default() };
    let lines = |form: fn(&str) -> String| {
        Body::Console(Console {
            source: text.replace('\n', " "),
            lines: text.split('\n').map(|text| line(form(text))).collect(),
            ..Console::default()
        })
    };
    all.push(("console", lines(str::to_owned), Raw::default()));
    all.push(("docker compose", lines(|text| format!("\u{1b}[36mweb-1  |\u{1b}[0m {text}")), Raw::default()));
    let coloured = |text: &str| {
        text.chars()
            .map(|c| if c == 'e' || c == '3' { format!("\u{1b}[31m{c}\u{1b}[0m") } else { c.to_string() })
            .collect()
    };
    all.push(("console with colours inside", lines(coloured), Raw::default()));
    all
}

/// A document, and what its base64 decodes to.
fn holds(document: &[u8], secret: &str) -> bool {
    fn json_holds(json: &Json, secret: &str) -> bool {
        match json {
            Json::String(text) => {
                text.contains(secret)
                    || BASE64
                        .decode(text)
                        .is_ok_and(|bytes| bytes.windows(secret.len()).any(|w| w == secret.as_bytes()))
            }
            Json::Array(list) => list.iter().any(|json| json_holds(json, secret)),
            Json::Object(map) => map.iter().any(|(key, json)| key.contains(secret) || json_holds(json, secret)),
            Json::Null | Json::Bool(_) | Json::Number(_) => false,
        }
    }
    serde_json::from_slice(document).is_ok_and(|json| json_holds(&json, secret))
}

fn raw_document(raw: &Raw, removed: &credentials::Removed) -> Vec<u8> {
    raw.draft().map_or_else(Vec::new, |draft| draft.document(|| removed).expect("a document"))
}

#[test]
fn planted_credentials_reach_no_file_on_any_way() {
    let id: Id = ID.parse().expect("a ULID");
    let mut leaks = Vec::new();
    // How many shapes took each way.
    let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
    for planted in planted::secrets() {
        for (way, body, raw) in ways(&planted.text) {
            *tried.entry(way).or_default() += 1;
            let click = Click {
                id,
                question: Question { filter: planted.text.clone(), ..Question::default() },
                captured_at: Nanos(1_795_447_300_000_000_000),
                tool: "tracebook 0.1.0".into(),
                supersedes: None,
                origin: Origin {
                    console_link: Some(format!("https://example.org/?q={}", planted.text)),
                    ..Origin::default()
                },
            };
            let freeze = freeze::body(body, click).expect("a body has a JSON form");
            let document = raw_document(&raw, &freeze.removed);
            let frozen = &freeze.frozen;
            let text = format!("# Week\n\n{}\n", markdown::reference(frozen, None));
            let row =
                EntryRow { id, slug: "week-1".into(), week: None, title: "Week".into(), updated_at: String::new() };
            let evidence = BTreeMap::from([(id, frozen.clone())]);
            let tree = export::entry(&EntryInput {
                row: &row,
                body: &text,
                file: "week1",
                evidence: &evidence,
                live: &BTreeMap::new(),
            });
            let secret = planted.secret.as_str();
            let plain = tracebook_core::console::plain(&frozen.canonical.replace("\\u001b", "\u{1b}"));
            let table = card::table(frozen);
            let pictures = [Size::Full, Size::Compact].map(|size| card::svg(frozen, size));
            for (file, leaks_there) in [
                (
                    "evidence",
                    frozen.canonical.contains(secret)
                        || plain.contains(secret)
                        || holds(frozen.canonical.as_bytes(), secret),
                ),
                ("raw", holds(&document, secret)),
                ("card", pictures.iter().any(|card| card.svg.contains(secret))),
                ("sidecar", pictures.iter().flat_map(|card| &card.sidecar).any(|side| holds(&side.bytes, secret))),
                ("table", table.rows.iter().flatten().chain([&table.summary]).any(|cell| cell.contains(secret))),
                ("export", tree.files.values().any(|file| String::from_utf8_lossy(file).contains(secret))),
            ] {
                if leaks_there {
                    leaks.push(format!("{} by {way} in the {file}: {}", planted.kind, planted.text));
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{} of {tried:?}:\n{}", leaks.len(), leaks.join("\n"));
    assert!(tried.len() == 10 && tried.values().all(|shapes| *shapes >= 220), "{tried:?}");
}

#[test]
fn what_is_compressed_in_bytes_reaches_no_file() {
    let pack = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    };
    let secrets = planted::secrets();
    let texts = secrets.iter().map(|planted| (planted.kind, planted.text.as_str(), true));
    let plain = planted::look_alikes();
    let texts = texts.chain(plain.iter().map(|text| ("a look-alike", text.as_str(), false)));
    let (mut kept, mut wrong) = (0, Vec::new());
    for (kind, text, is_secret) in texts {
        let packed = pack(&format!("GET /home 200\n{text}\n"));
        let encoded = BASE64.encode(&packed);
        let json = bytes(&json!({ "attributes": [{ "key": "body", "value": { "bytesValue": encoded } }] }));
        let proto = field(9, &[field(1, b"body"), field(2, &field(7, &packed))].concat());
        let forms = [(Encoding::OtlpJson, json), (Encoding::OtlpProtobuf, proto)];
        for (encoding, raw) in forms {
            let record = span(encoding, raw, Vec::new());
            let (LooseSpan { span, resource, scope }, _) = tracebook_sources::normalise(&record);
            let body = Body::Trace(assemble(record.trace_id, vec![LooseSpan { span, resource, scope }]));
            let click = Click {
                id: ID.parse().expect("a ULID"),
                question: Question::default(),
                captured_at: Nanos(1),
                tool: String::new(),
                supersedes: None,
                origin: Origin::default(),
            };
            let freeze = freeze::body(body, click).expect("a body has a JSON form");
            let raw = Raw { spans: vec![record], ..Raw::default() };
            let document = raw_document(&raw, &freeze.removed);
            let holds = |bytes: &[u8]| bytes.windows(packed.len()).any(|w| w == packed);
            let in_raw = if encoding == Encoding::OtlpProtobuf {
                let document: Json = serde_json::from_slice(&document).expect("JSON");
                let raw = document.pointer("/spans/0/span/base64").and_then(Json::as_str).expect("a span in base64");
                holds(&BASE64.decode(raw).expect("base64"))
            } else {
                String::from_utf8_lossy(&document).contains(&encoded)
            };
            let there = freeze.frozen.canonical.contains(&encoded) || in_raw;
            match is_secret {
                true if there => wrong.push(format!("{kind} in {encoding:?}: {text}")),
                true => {}
                false => kept += usize::from(there),
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(2 * plain.len() - kept <= 2 * plain.len() / 100, "{kept} of {} look-alikes kept", 2 * plain.len());
}

#[test]
fn a_key_logged_line_by_line_leaves_neither_by_evidence_nor_raw() {
    let body: Vec<String> = (0..8).map(|n| planted::fake(planted::BASE64, 64, 900 + n)).collect();
    let mut lines = vec!["-----BEGIN RSA PRIVATE KEY-----".to_owned()];
    lines.extend(body.iter().cloned());
    lines.push("-----END RSA PRIVATE KEY-----".to_owned());
    for prefix in ["", "2026-11-30T11:14:06Z INFO ", "web-1  | "] {
        let text = lines.iter().map(|line| format!("{prefix}{line}")).collect::<Vec<_>>().join("\n");
        for (way, evidence, raw) in ways(&text) {
            let click = Click {
                id: ID.parse().expect("a ULID"),
                question: Question::default(),
                captured_at: Nanos(1),
                tool: String::new(),
                supersedes: None,
                origin: Origin::default(),
            };
            let freeze = freeze::body(evidence, click).expect("a body has a JSON form");
            let document = raw_document(&raw, &freeze.removed);
            for line in &body {
                let plain = tracebook_core::console::plain(&freeze.frozen.canonical.replace("\\u001b", "\u{1b}"));
                assert!(!plain.contains(line), "{way}: {line}");
                assert!(!holds(&document, line), "{way}, raw: {line}");
            }
        }
    }
}

#[test]
fn look_alikes_stay_in_evidence() {
    let look_alikes = planted::look_alikes();
    let events = look_alikes.iter().map(|text| LogEvent { message: text.clone(), ..LogEvent::default() }).collect();
    let click = Click {
        id: ID.parse().expect("a ULID"),
        question: Question::default(),
        captured_at: Nanos(1),
        tool: String::new(),
        supersedes: None,
        origin: Origin::default(),
    };
    let freeze = freeze::body(Body::Logs(Logs { events, ..Logs::default() }), click).expect("a body has a JSON form");
    let Body::Logs(logs) = &freeze.frozen.evidence.body else { panic!("logs") };
    let changed = logs.events.iter().zip(&look_alikes).filter(|(event, text)| event.message != **text).count();
    assert!(changed * 100 <= look_alikes.len(), "{changed} of {}", look_alikes.len());
}

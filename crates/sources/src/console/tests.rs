use proptest::prelude::*;
use tracebook_core::console::{LineKind, classify, lines};
use tracebook_core::ids::SpanId;
use tracebook_core::telemetry::Encoding;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Protocol, SpanKind, StatusCode};
use tracebook_core::value::{Value, get};

use super::*;

/// The output of a Flask service with ConsoleSpanExporter, both streams combined as in a terminal.
const FLASK: &str = include_str!("testdata/flask.txt");
/// Spans with an event, a link, a NaN, an exception.
const SPANS: &str = include_str!("testdata/spans.txt");
/// The first two of them from `to_json(indent=None)`.
const ONE_LINE: &str = include_str!("testdata/one-line.txt");

/// Spans of Node's exporter: a child with events, a link and an exception; its parent; one with a long list.
const NODE: &str = include_str!("testdata/node.txt");

fn of(text: &str) -> Vec<SpanRecord> {
    spans(&lines(text), None)
}

fn titles(records: &[SpanRecord]) -> Vec<&str> {
    records.iter().map(|record| record.title.as_str()).collect()
}

/// A printed span with a part of its text replaced.
fn changed(from: &str, to: &str) -> SpanRecord {
    let mut record = of(SPANS).remove(0);
    let text = String::from_utf8(record.raw).expect("text");
    assert!(text.contains(from), "{from}");
    record.raw = text.replacen(from, to, 1).into_bytes();
    record
}

#[test]
fn a_services_output_has_its_spans_in_it() {
    let records = of(FLASK);
    assert_eq!(
        titles(&records),
        ["home-activities-mock-data", "GET /api/activities/home 200", "GET /boom 500", "GET /nowhere 404"]
    );
    let (home, root, boom) = (&records[0], &records[1], &records[2]);
    assert_eq!(home.encoding, Encoding::ConsoleJson);
    assert_eq!((home.trace_id, home.parent_id), (root.trace_id, Some(root.span_id)));
    assert_eq!((root.parent_id, root.service.as_str()), (None, "backend-flask"));
    assert_eq!(boom.status, StatusCode::Error);
    assert!(boom.end > Some(boom.start));
    assert!(boom.resource.is_empty() && boom.scope.is_empty());
}

#[test]
fn what_nodes_exporter_shows_is_spans_too() {
    let text = format!("listening on 3000\n{NODE}GET /boom 500 8.226 ms\n");
    let records = of(&text);
    assert_eq!(titles(&records), ["child", "GET /bo'om", "many"]);
    let (child, root) = (&records[0], &records[1]);
    assert_eq!((child.trace_id, child.parent_id), (root.trace_id, Some(root.span_id)));
    assert_eq!((root.parent_id, root.service.as_str()), (None, "unknown_service:node"));
    assert_eq!(child.status, StatusCode::Error);
    let (read, warnings) = normalise::span(child);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(read.span.start, Nanos(1_795_647_034_306_000_000));
    assert_eq!(read.span.duration(), Some(1_043_050));
    assert_eq!((read.span.status.message.as_str(), read.scope.name.as_str()), ("no", "demo"));
    assert_eq!(read.span.events[0].time, Nanos(1_795_647_034_306_293_460));
    let exception = &read.span.exceptions[0];
    assert_eq!((exception.kind.as_str(), exception.message.as_str()), ("TypeError", "can't read 'x'"));
    assert!(exception.stacktrace.lines().count() > 5, "its pieces are joined: {}", exception.stacktrace);
    assert_eq!(read.span.links[0].span_id, root.span_id);
    let (read, _) = normalise::span(root);
    assert_eq!(read.span.kind, SpanKind::Server);
    assert_eq!(get(&read.span.attributes, "multi"), Some(&Value::from("one\ntwo")));
    assert_eq!(get(&read.span.attributes, "quote"), Some(&Value::from("it's \"q\"")));

    // The lines of the span are marked, those before and after are not.
    let kinds = classify(&lines(&text));
    assert_eq!(kinds.iter().filter(|kind| **kind != LineKind::Span).count(), 2);
    // After the prefix of compose, with lines of another container in between.
    let mixed: String = NODE.lines().map(|line| format!("node-1   | {line}\nflask-1  | GET / 200\n")).collect();
    assert_eq!(titles(&of(&mixed)), titles(&records));
    // An invalid or incomplete object stays text.
    assert!(of("{\n  resource: { a: 1 },\n  id: 'x'\n}\n").is_empty());
    assert!(of(&NODE.replace("  traceId: '", "  traceId: '0")).is_empty());
}

#[test]
fn every_line_of_a_services_output_is_known() {
    let lines = lines(FLASK);
    let kinds = classify(&lines);
    let count = |wanted: fn(&LineKind) -> bool| kinds.iter().filter(|kind| wanted(kind)).count();
    let of_spans: usize = of(FLASK).iter().map(|r| String::from_utf8_lossy(&r.raw).lines().count()).sum();
    assert_eq!(count(|kind| *kind == LineKind::Span), of_spans);
    let statuses: Vec<u16> = kinds
        .iter()
        .filter_map(|kind| match kind {
            LineKind::Access { status, .. } => Some(*status),
            _ => None,
        })
        .collect();
    assert_eq!(statuses, [200, 500, 404]);
    assert_eq!(count(|kind| *kind == LineKind::Traceback), 16);
    assert_eq!((count(|kind| *kind == LineKind::Error), count(|kind| *kind == LineKind::Warning)), (1, 1));
}

#[test]
fn compose_changes_nothing() {
    let bare = of(SPANS);
    for (before, other) in [
        ("backend-flask-1         | ", "dynamodb-local-1        | {\n"),
        ("\x1b[36mbackend-flask-1  | \x1b[0m", "\x1b[33mdb-1             | \x1b[0m2026 LOG:  ready\n"),
        ("\x1b[36mbackend-flask_1    |\x1b[0m ", "\x1b[33mdb_1               |\x1b[0m }\n"),
        ("backend-flask-1  | 2026-11-23T15:20:42.123456789Z ", "backend-flask-2  | {\n"),
        // Standard error of the service, which is mixed in when output is pasted.
        ("backend-flask-1  | ", "backend-flask-1  | 127.0.0.1 - - [23/Nov/2026 15:20:42] \"GET / HTTP/1.1\" 200 -\n"),
        (
            "",
            "Traceback (most recent call last):\n  File \"/app/app.py\", line 21, in boom\n    raise KeyError(\"x\")\n",
        ),
    ] {
        let text: String = SPANS.lines().map(|line| format!("{before}{line}\r\n{other}")).collect();
        assert_eq!(of(&text), bare, "{before:?}");
    }
}

#[test]
fn one_line_per_span_is_read_too() {
    let records = of(ONE_LINE);
    assert_eq!(titles(&records), ["home-activities-mock-data", "GET /api/activities/home 200"]);
    let glued = SPANS.replace("}\n{\n", "}{\n");
    assert_eq!(of(&glued), of(SPANS), "a formatter without a line ending");
}

#[test]
fn other_text_is_no_span() {
    let whole = SPANS.lines().collect::<Vec<_>>();
    for text in [
        "{}",
        "{\n}",
        "{\"name\": \"x\", \"trace_id\": \"y\"}",
        &whole[1..].join("\n").replace("\n{\n", "\nx\n"),
        &SPANS.replace("\"trace_id\": \"0x", "\"trace_id\": \"0xg"),
        &SPANS.replace("\"start_time\": \"2", "\"start_time\": \"x"),
        &SPANS.replace("\"SpanKind.", "SpanKind."),
    ] {
        assert!(of(text).is_empty(), "{text}");
    }
}

#[test]
fn a_span_says_all_it_said() {
    let record = of(SPANS).remove(0);
    let (loose, warnings) = crate::normalise(&record);
    assert_eq!(warnings, Vec::<String>::new());
    let span = &loose.span;
    assert_eq!((span.id, span.parent, span.protocol), (record.span_id, record.parent_id, Protocol::Console));
    assert_eq!((span.kind, span.name.as_str()), (SpanKind::Internal, "home-activities-mock-data"));
    assert_eq!(span.start, Nanos::parse_rfc3339("2026-11-24T14:47:31.897243Z").expect("a time"));
    assert_eq!((span.start, span.end), (record.start, record.end));
    let value = |key| get(&span.attributes, key).cloned();
    assert_eq!(value("app.result_length"), Some(Value::Int(3)));
    assert_eq!(value("ratio"), Some(Value::Double(0.5)));
    assert_eq!(value("flag"), Some(Value::Bool(true)));
    assert_eq!(value("list"), Some(Value::List(vec!["a".into(), "b".into()])));
    assert_eq!(value("odd"), Some("NaN".into()), "Python's JSON has a NaN, JSON has not");
    assert_eq!(value("utf"), Some("é😀".into()));
    assert_eq!((span.events.len(), span.events[0].name.as_str()), (1, "cache miss"));
    assert!(span.events[0].time > span.start && span.exceptions.is_empty());
    assert_eq!((span.links[0].trace_id, Some(span.links[0].span_id)), (record.trace_id, record.parent_id));
    assert_eq!(span.links[0].attributes[0].value, "batch".into());
    assert_eq!((span.service.as_str(), span.trace_state.as_str()), ("backend-flask", ""));
    assert_eq!(get(&loose.resource.attributes, "deployment.environment"), Some(&"development".into()));
    assert_eq!(*loose.scope, tracebook_core::trace::Scope::default());
}

#[test]
fn an_exception_event_is_an_exception() {
    let records = of(FLASK);
    let (loose, warnings) = crate::normalise(&records[2]);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!((loose.span.kind, loose.span.status.code), (SpanKind::Server, StatusCode::Error));
    assert_eq!(loose.span.status.message, "KeyError: 'handle'");
    let exception = &loose.span.exceptions[0];
    assert_eq!((exception.kind.as_str(), exception.message.as_str()), ("KeyError", "'handle'"));
    assert!(exception.stacktrace.starts_with("Traceback (most recent call last):\n  File"));
}

#[test]
fn what_cannot_be_read_is_warned_about() {
    for (from, to, words) in [
        ("SpanKind.INTERNAL", "SpanKind.OTHER", "span kind \"SpanKind.OTHER\" is not known"),
        ("\"UNSET\"", "7", "status code 7 is not known"),
        ("\"parent_id\": \"0x", "\"parent_id\": \"0y", "is left out: it is not 16 hex digits"),
        ("\"end_time\": \"2026", "\"end_time\": \"soon", "is not a time such as"),
        ("\"name\": \"home", "\"name\": 3, \"was\": \"home", "the name is not text: 3"),
        ("\"timestamp\": \"2026", "\"timestamp\": \"x", "the time of an event"),
        ("\"events\": [", "\"events\": 4, \"e\": [", "the events are left out"),
        ("\"attributes\": {", "\"attributes\": [], \"a\": {", "is not an object: []"),
        ("\"links\": [\n        {", "\"links\": [ {}, {", "a link without whole ids"),
        ("\"trace_state\": \"[]\"", "\"trace_state\": \"[x]\"", "kept as printed: [x]"),
    ] {
        let (loose, warnings) = crate::normalise(&changed(from, to));
        assert_eq!(warnings.len(), 1, "{to}: {warnings:?}");
        assert!(warnings[0].contains(words), "{to}: {warnings:?}");
        assert_eq!(loose.span.service, "backend-flask", "the rest is kept");
    }
    let mut record = of(SPANS).remove(0);
    record.raw.truncate(40);
    let (loose, warnings) = crate::normalise(&record);
    assert!(warnings[0].starts_with("the span is not readable:"));
    assert_eq!((loose.span.name.as_str(), loose.span.end), (record.title.as_str(), record.end));
}

#[test]
fn what_is_left_out_is_no_fault() {
    for (from, to) in [
        ("\"parent_id\": \"0x725b67a903c5e0d9\"", "\"parent_id\": \"0x0000000000000000\""),
        ("\"parent_id\": \"0x725b67a903c5e0d9\"", "\"parent_id\": null"),
    ] {
        let (loose, warnings) = crate::normalise(&changed(from, to));
        assert_eq!((loose.span.parent, warnings), (None, Vec::new()), "{to}");
    }
    let (loose, warnings) =
        crate::normalise(&changed("\"end_time\": \"2026-11-24T14:47:31.897267Z\"", "\"end_time\": null"));
    assert_eq!((loose.span.end, warnings), (None, Vec::new()), "still in progress");
}

#[test]
fn a_trace_state_is_w3cs_again() {
    let python = "\"trace_state\": \"['{key=congo, value=t61rcWkgMzE}', '{key=rojo@v, value=00f067aa}']\"";
    let (loose, warnings) = crate::normalise(&changed("\"trace_state\": \"[]\"", python));
    assert_eq!((loose.span.trace_state.as_str(), warnings.len()), ("congo=t61rcWkgMzE,rojo@v=00f067aa", 0));
}

#[test]
fn half_characters_and_infinities_are_mended() {
    let text = SPANS
        .replace("\\ud83d\\ude00", "\\ud83d \\\\ud83d \\\" \\ude00\\u00e9 NaN")
        .replace("\"ratio\": 0.5", "\"ratio\": -Infinity");
    let records = of(&text);
    assert_eq!(records.len(), of(SPANS).len());
    let (loose, _) = crate::normalise(&records[0]);
    assert_eq!(get(&loose.span.attributes, "utf"), Some(&"é\u{fffd} \\ud83d \" \u{fffd}é NaN".into()));
    assert_eq!(get(&loose.span.attributes, "ratio"), Some(&"-Infinity".into()));
}

/// Lines of real output in any order, with noise in between.
fn shuffled() -> impl Strategy<Value = String> {
    let real: Vec<&str> = SPANS.lines().chain(ONE_LINE.lines()).chain(FLASK.lines().take(60)).collect();
    let line = prop_oneof![
        8 => prop::sample::select(real).prop_map(str::to_owned),
        1 => Just("{".to_owned()),
        1 => Just("}".to_owned()),
        1 => any::<String>(),
    ];
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.join("\n"))
}

/// Any attributes that Python can print.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<String>().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(serde_json::Value::from))
}

proptest! {
    #[test]
    fn no_text_panics_and_recognised_spans_can_be_read(text in shuffled()) {
        for record in of(&text) {
            let (loose, warnings) = crate::normalise(&record);
            prop_assert!(!warnings.iter().any(|w| w.contains("not readable")));
            prop_assert_eq!(loose.span.id, record.span_id);
            prop_assert_eq!(loose.span.start, record.start);
            prop_assert!(!loose.span.service.is_empty());
        }
    }

    #[test]
    fn every_printed_span_can_be_read(
        name: String,
        id in prop::array::uniform8(1_u8..),
        attributes in prop::collection::vec((any::<String>(), json()), 0..5),
    ) {
        let attributes: serde_json::Map<String, serde_json::Value> = attributes.into_iter().collect();
        let mut span: serde_json::Value = serde_json::from_slice(&of(SPANS).remove(0).raw).expect("JSON");
        span["name"] = name.clone().into();
        span["context"]["span_id"] = format!("0x{}", SpanId(id)).into();
        span["attributes"] = attributes.clone().into();
        let mut text = Vec::new();
        let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        serde::Serialize::serialize(&span, &mut serde_json::Serializer::with_formatter(&mut text, format)).expect("writes");
        // Python escapes non-ASCII and control characters.
        let text: String = String::from_utf8(text).expect("text").chars().map(|c| match c {
            '\u{7f}'..='\u{ffff}' => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        }).collect();
        let records = of(&text);
        prop_assert_eq!(records.len(), 1, "{}", text);
        let (loose, warnings) = crate::normalise(&records[0]);
        prop_assert_eq!(warnings, Vec::<String>::new());
        prop_assert_eq!((loose.span.id, &loose.span.name), (SpanId(id), &name));
        let said: Vec<(String, Value)> = attributes.into_iter().map(|(k, v)| (k, Value::from_json(&v))).collect();
        let read: Vec<(String, Value)> = loose.span.attributes.into_iter().map(|a| (a.key, a.value)).collect();
        prop_assert_eq!(read, said);
    }
}

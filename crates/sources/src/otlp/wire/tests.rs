use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::resource::v1 as resource_proto;
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Value, json};
use tracebook_core::assemble::assemble;
use tracebook_core::time::Nanos;
use tracebook_core::trace::StatusCode;

use super::*;
use crate::testing::fixture;

fn field(number: u32, inside: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    prost::encoding::encode_varint(u64::from(number << 3 | 2), &mut out);
    prost::encoding::encode_varint(inside.len() as u64, &mut out);
    out.extend_from_slice(inside);
    out
}

fn good_span() -> proto::Span {
    proto::Span { trace_id: vec![1; 16], span_id: vec![2; 8], name: "work".into(), ..proto::Span::default() }
}

fn request_of(spans: Vec<proto::Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![proto::ScopeSpans { spans, ..proto::ScopeSpans::default() }];
    let resource_spans = vec![proto::ResourceSpans { scope_spans, ..proto::ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

/// A request with only this record.
fn request_again(record: &SpanRecord) -> Vec<u8> {
    match record.encoding {
        Encoding::OtlpProtobuf => {
            let scope = [record.scope.to_vec(), field(2, &record.raw)].concat();
            let resource = [record.resource.to_vec(), field(2, &scope)].concat();
            field(1, &resource)
        }
        _ => {
            let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("readable again");
            let (mut resource, mut scope) = (read(&record.resource), read(&record.scope));
            scope["spans"] = json!([read(&record.raw)]);
            resource["scopeSpans"] = json!([scope]);
            json!({ "resourceSpans": [resource] }).to_string().into_bytes()
        }
    }
}

/// Properties of every accepted record.
fn check(record: &SpanRecord) {
    let (loose, _) = crate::normalise(record);
    assert_eq!(loose.span.id, record.span_id);
    assert_eq!(loose.span.parent, record.parent_id);
    assert_eq!((loose.span.start, loose.span.end), (record.start, record.end));
    assert_eq!(loose.span.status.code, record.status);
    assert_eq!(loose.span.service, record.service);
    let written = serde_json::to_string(&loose.span).expect("a span has a JSON form");
    let again: tracebook_core::trace::Span = serde_json::from_str(&written).expect("and is read again");
    assert_eq!(serde_json::to_string(&again).expect("JSON"), written);
    assert_eq!(assemble(record.trace_id, vec![loose]).name(), record.title);

    let decode = if record.encoding == Encoding::OtlpJson { decode_json } else { decode_protobuf };
    let decoded = decode(&request_again(record)).expect("its bytes are a request again");
    assert_eq!(decoded.records.len(), 1);
    let same = SpanRecord { raw: record.raw.clone(), ..decoded.records[0].clone() };
    let bytes_aside = |record: &SpanRecord| (record.title.clone(), record.service.clone(), record.start, record.end);
    assert_eq!(bytes_aside(&same), bytes_aside(record));
    if record.encoding == Encoding::OtlpProtobuf {
        assert_eq!(&same, record);
    }
}

#[test]
fn a_real_request_becomes_one_record_a_span() {
    let body = fixture("otlp-home.bin");
    let decoded = decode_protobuf(&body).expect("recorded from an SDK");
    let titles: Vec<_> = decoded.records.iter().map(|span| span.title.as_str()).collect();
    assert_eq!(titles, ["feed-refresh", "home-activities-mock-data", "GET /api/activities/home 200"]);
    assert_eq!((decoded.rejected, decoded.reason), (0, None));
    for record in &decoded.records {
        check(record);
        assert_eq!(record.service, "backend-flask");
        assert!(body.windows(record.raw.len()).any(|w| w == record.raw), "raw is a slice of what was sent");
    }
    assert!(Arc::ptr_eq(&decoded.records[0].resource, &decoded.records[2].resource));
}

#[test]
fn json_gives_the_same_columns_and_keeps_its_own_text() {
    for name in ["home", "boom", "notifications", "semconv"] {
        let protobuf = decode_protobuf(&fixture(&format!("otlp-{name}.bin"))).expect("protobuf");
        let body = fixture(&format!("otlp-{name}.json"));
        let decoded = decode_json(&body).expect("JSON");
        assert_eq!(protobuf.records.len(), decoded.records.len());
        for (a, b) in protobuf.records.iter().zip(&decoded.records) {
            check(b);
            let of_a = SpanRecord {
                encoding: b.encoding,
                raw: b.raw.clone(),
                resource: b.resource.clone(),
                scope: b.scope.clone(),
                ..a.clone()
            };
            assert_eq!(&of_a, b);
            assert!(body.windows(b.raw.len()).any(|w| w == b.raw), "raw is a slice of what was sent");
        }
    }
}

fn log_request(records: Vec<logs_proto::LogRecord>) -> Vec<u8> {
    let scope = Some(common::InstrumentationScope { name: "cruddur".into(), ..Default::default() });
    let scope_logs = vec![logs_proto::ScopeLogs { scope, log_records: records, schema_url: String::new() }];
    let resource_logs = vec![logs_proto::ResourceLogs { scope_logs, ..Default::default() }];
    ExportLogsServiceRequest { resource_logs }.encode_to_vec()
}

fn text_body(text: &str) -> Option<common::AnyValue> {
    Some(common::AnyValue { value: Some(common::any_value::Value::StringValue(text.into())) })
}

/// Properties of every accepted log record.
fn check_log(record: &LogRecord) {
    let (event, _) = crate::otlp::normalise::log(record);
    assert_eq!(
        (event.timestamp, &event.message, &event.severity),
        (record.timestamp, &record.message, &record.severity)
    );
    assert_eq!((event.trace_id, event.span_id), (record.trace_id, record.span_id));
    let written = serde_json::to_string(&event).expect("an event has a JSON form");
    let again: tracebook_core::logs::LogEvent = serde_json::from_str(&written).expect("and is read again");
    assert_eq!(serde_json::to_string(&again).expect("JSON"), written);
}

#[test]
fn real_log_records_keep_their_bytes_and_both_encodings_say_the_same() {
    for name in ["home", "boom"] {
        let body = fixture(&format!("otlp-{name}-logs.bin"));
        let protobuf = decode_logs_protobuf(&body, Nanos(7)).expect("recorded from an SDK");
        let text = fixture(&format!("otlp-{name}-logs.json"));
        let json = decode_logs_json(&text, Nanos(7)).expect("JSON");
        assert_eq!((protobuf.rejected, json.rejected), (0, 0));
        assert_eq!(protobuf.records.len(), json.records.len());
        for (a, b) in protobuf.records.iter().zip(&json.records) {
            check_log(a);
            check_log(b);
            assert_eq!(crate::otlp::normalise::log(a), crate::otlp::normalise::log(b));
            assert!(body.windows(a.raw.len()).any(|w| w == a.raw), "raw is a slice of what was sent");
            assert!(text.windows(b.raw.len()).any(|w| w == b.raw), "raw is a slice of what was sent");
            assert_eq!((a.group.as_str(), a.stream.as_str()), ("backend-flask", b.stream.as_str()));
            assert!(a.trace_id.is_some() && a.span_id.is_some());
        }
    }
    let one = decode_logs_protobuf(&fixture("otlp-home-logs.bin"), Nanos(7)).expect("recorded").records.remove(0);
    assert_eq!((one.stream.as_str(), one.severity.as_str()), ("cruddur", "INFO"));
    assert_eq!(one.timestamp, Nanos(1_795_478_156_902_734_848));
    assert_eq!(one.trace_id.expect("said").to_string(), "58f5d414bb2fe34747a6ab79422d6911");
    let (event, warnings) = crate::otlp::normalise::log(&one);
    assert_eq!(warnings, Vec::<String>::new());
    let of = |key| tracebook_core::value::get(&event.attributes, key).map(ToString::to_string);
    assert_eq!(of("code.function.name").as_deref(), Some("activities_home"));
    assert_eq!(of("resource.service.name").as_deref(), Some("backend-flask"));
}

#[test]
fn a_log_record_that_says_little_has_its_columns_all_the_same() {
    let body = |value| Some(common::AnyValue { value: Some(value) });
    let map = common::any_value::Value::KvlistValue(common::KeyValueList {
        values: vec![key_value("n".into(), body(common::any_value::Value::IntValue(5)))],
    });
    let decoded = decode_logs_protobuf(
        &log_request(vec![
            logs_proto::LogRecord { body: text_body("plain"), severity_number: 18, ..Default::default() },
            logs_proto::LogRecord { observed_time_unix_nano: 9, body: body(map), ..Default::default() },
            logs_proto::LogRecord {
                time_unix_nano: u64::MAX,
                severity_text: "warning".into(),
                severity_number: 13,
                event_name: "user.login".into(),
                trace_id: vec![0; 16],
                span_id: vec![1; 7],
                ..Default::default()
            },
        ]),
        Nanos(7),
    )
    .expect("fine");
    let columns: Vec<_> = decoded
        .records
        .iter()
        .map(|r| (r.timestamp.0, r.message.as_str(), r.severity.as_str(), r.group.as_str(), r.stream.as_str()))
        .collect();
    assert_eq!(
        columns,
        [
            (7, "plain", "ERROR2", "unknown_service", "cruddur"),
            (9, "{\"n\":5}", "", "unknown_service", "cruddur"),
            (i64::MAX, "user.login", "warning", "unknown_service", "cruddur"),
        ]
    );
    assert!(decoded.records.iter().all(|r| r.trace_id.is_none() && r.span_id.is_none()));
    let (event, warnings) = crate::otlp::normalise::log(&decoded.records[2]);
    assert_eq!(warnings, ["a span id of 7 bytes is left out"]);
    assert_eq!(tracebook_core::value::get(&event.attributes, "event.name"), Some(&"user.login".into()));
    assert!(Arc::ptr_eq(&decoded.records[0].scope, &decoded.records[2].scope));
}

#[test]
fn a_record_of_cloudwatch_is_its_fields() {
    let record = LogRecord {
        timestamp: Nanos(5),
        group: "cruddur".into(),
        stream: "2026".into(),
        message: "hello".into(),
        trace_id: Some(TraceId([1; 16])),
        span_id: None,
        severity: "INFO".into(),
        severity_number: 0,
        encoding: LogEncoding::Cloudwatch,
        raw: Vec::new(),
        resource: Arc::from([]),
        scope: Arc::from([]),
    };
    let (event, warnings) = crate::otlp::normalise::log(&record);
    assert_eq!((event.message.as_str(), event.origin), ("hello", tracebook_core::logs::LogOrigin::Cloudwatch));
    assert!(event.attributes.is_empty() && warnings.is_empty());
    check_log(&record);
}

#[test]
fn unknown_fields_stay_in_the_bytes() {
    let span = [good_span().encode_to_vec(), field(777, b"span")].concat();
    let scope = [field(2, &span), field(778, b"scope")].concat();
    let resource = [field(779, b"before"), field(2, &scope), field(780, b"behind")].concat();
    let decoded = decode_protobuf(&[field(1, &resource), field(99, b"?")].concat()).expect("fine");
    let record = &decoded.records[0];
    assert_eq!(record.raw, span);
    assert_eq!(record.scope.as_ref(), field(778, b"scope"));
    assert_eq!(record.resource.as_ref(), [field(779, b"before"), field(780, b"behind")].concat());
    check(record);
}

#[test]
fn the_old_library_spans_are_read_in_both_encodings() {
    let scope = [field(1, &field(1, b"lib")), field(2, &good_span().encode_to_vec())].concat();
    let old = decode_protobuf(&field(1, &field(1000, &scope))).expect("fine");
    assert_eq!(old.records.len(), 1);
    assert_eq!(crate::normalise(&old.records[0]).0.scope.name, "lib");

    let old = br#"{"resourceSpans":[{"instrumentationLibrarySpans":[{"instrumentationLibrary":{"name":"lib"},
        "spans":[{"traceId":"01010101010101010101010101010101","spanId":"0202020202020202","name":"work"}]}]}]}"#;
    let old = decode_json(old).expect("fine");
    assert_eq!(crate::normalise(&old.records[0]).0.scope.name, "lib");
}

#[test]
fn bad_ids_cost_only_their_own_span() {
    let bad = |change: fn(&mut proto::Span)| {
        let mut span = good_span();
        change(&mut span);
        span
    };
    let spans = vec![
        bad(|s| s.trace_id = vec![0; 16]),
        good_span(),
        bad(|s| s.span_id = vec![0; 8]),
        bad(|s| s.trace_id = vec![1; 15]),
        bad(|s| s.span_id.clear()),
    ];
    let decoded = decode_protobuf(&request_of(spans).encode_to_vec()).expect("a good request");
    assert_eq!((decoded.records.len(), decoded.rejected), (1, 4));
    assert_eq!(decoded.reason.as_deref(), Some("a trace id is all zeros"));

    let text = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[
        {"traceId":"AQEBAQEBAQEBAQEBAQEBAQ==","spanId":"AgICAgICAgI="},
        {"traceId":"not an id","spanId":"0202020202020202"},
        {"traceId":"0101010101010101010101010101010A","spanId":"0202020202020202"}]}]}]}"#;
    let decoded = decode_json(text.as_bytes()).expect("a good request");
    assert_eq!((decoded.records.len(), decoded.rejected), (2, 1));
    assert_eq!(decoded.records[0].trace_id, TraceId([1; 16]), "protobuf libraries write base64");
    assert_eq!(decoded.records[0].span_id, SpanId([2; 8]));
    assert_eq!(decoded.reason.as_deref(), Some("traceId \"not an id\" is not an id in hex digits"));
}

#[test]
fn an_unreadable_span_costs_the_request_only_where_nothing_else_is_in_it() {
    // A number where the name should be.
    let unreadable = [good_span().encode_to_vec(), b"\x28\x01".to_vec()].concat();
    let alone = field(1, &field(2, &field(2, &unreadable)));
    assert!(decode_protobuf(&alone).expect_err("nothing readable").contains("a span is not readable"));
    let both = [field(2, &unreadable), field(2, &good_span().encode_to_vec())].concat();
    let decoded = decode_protobuf(&field(1, &field(2, &both))).expect("one is good");
    assert_eq!((decoded.records.len(), decoded.rejected), (1, 1));
}

/// Half an emoji, as encoders write it that do not know of surrogates.
const HALF: &[u8] = b"\xed\xa0\xbd";

/// A message with `HALF` in place of every `?`, and the lengths of messages as they are then: both have three bytes.
fn cut(message: &[u8]) -> Vec<u8> {
    let mut out = message.to_vec();
    while let Some(at) = out.windows(3).position(|some| some == b"???") {
        out[at..at + 3].copy_from_slice(HALF);
    }
    out
}

#[test]
fn texts_that_are_not_utf8_are_mended_wherever_they_are() {
    let text = |text: &str| common::AnyValue { value: Some(common::any_value::Value::StringValue(text.into())) };
    let attribute = |key: &str, value| common::KeyValue { key: key.into(), value: Some(value), ..Default::default() };
    let list = common::any_value::Value::ArrayValue(common::ArrayValue { values: vec![text("deep ???")] });
    let map = common::any_value::Value::KvlistValue(common::KeyValueList {
        values: vec![attribute("k ???", common::AnyValue { value: Some(list) })],
    });
    let span = proto::Span {
        name: "cut ???".into(),
        trace_state: "a=???".into(),
        attributes: vec![attribute("a", text("x ??? y")), attribute("m", common::AnyValue { value: Some(map) })],
        events: vec![proto::span::Event { name: "e ???".into(), ..Default::default() }],
        links: vec![proto::span::Link {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            attributes: vec![attribute("l", text("???"))],
            ..Default::default()
        }],
        status: Some(proto::Status { message: "s ???".into(), code: 2 }),
        ..good_span()
    };
    let mut request = request_of(vec![span, good_span()]);
    let resource = &mut request.resource_spans[0];
    resource.resource = Some(resource_proto::Resource {
        attributes: vec![attribute("service.name", text("shop ???"))],
        ..Default::default()
    });
    resource.scope_spans[0].scope =
        Some(common::InstrumentationScope { name: "lib ???".into(), version: "1 ???".into(), ..Default::default() });
    let decoded = decode_protobuf(&cut(&request.encode_to_vec())).expect("read");
    assert_eq!((decoded.records.len(), decoded.rejected), (2, 0), "{:?}", decoded.reason);
    let record = &decoded.records[0];
    assert_eq!((record.title.as_str(), record.service.as_str()), ("cut \u{fffd}", "shop \u{fffd}"));
    assert_eq!(record.status, StatusCode::Error);
    let (loose, warnings) = crate::normalise(record);
    assert_eq!(warnings, Vec::<String>::new(), "what is stored can be read");
    let said = format!("{:?} {:?}", loose.span, loose.scope);
    for part in [
        "a=\u{fffd}",
        "x \u{fffd} y",
        "k \u{fffd}",
        "deep \u{fffd}",
        "e \u{fffd}",
        "s \u{fffd}",
        "lib \u{fffd}",
        "1 \u{fffd}",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
    // The bytes of what is well-formed stay as sent, unknown fields included.
    let unknown = [good_span().encode_to_vec(), field(99, HALF)].concat();
    let decoded = decode_protobuf(&field(1, &field(2, &field(2, &unknown)))).expect("read");
    assert_eq!(decoded.records[0].raw, unknown);

    let log = logs_proto::LogRecord {
        time_unix_nano: 1_795_447_213_000_000_000,
        severity_text: "INFO ???".into(),
        body: Some(text("bye ???")),
        ..Default::default()
    };
    let scope_logs = vec![logs_proto::ScopeLogs { log_records: vec![log], ..Default::default() }];
    let request =
        ExportLogsServiceRequest { resource_logs: vec![logs_proto::ResourceLogs { scope_logs, ..Default::default() }] };
    let decoded = decode_logs_protobuf(&cut(&request.encode_to_vec()), Nanos(1)).expect("read");
    let record = &decoded.records[0];
    assert_eq!((record.message.as_str(), record.severity.as_str()), ("bye \u{fffd}", "INFO \u{fffd}"));
}

proptest! {
    #[test]
    fn mending_any_bytes_is_possible(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for kind in [Kind::Resource, Kind::Scope, Kind::Span, Kind::Log] {
            mend::texts(&bytes, kind);
        }
    }
}

#[test]
fn invalid_requests_are_reported() {
    for (body, word) in [
        (&b"\x0a"[..], "too early"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "too early"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "too long"),
        (b"\x08\x01", "not a message"),
        (b"\x0f", "wire type 7"),
        (b"\x0c", "end of a group"),
        (b"\x00\x00", "not a field number"),
        (b"\x1b\x1b\x1b", "too early"),
        (b"{\"resourceSpans\":[]}", "too early"),
    ] {
        let error = decode_protobuf(body).expect_err("no request");
        assert!(error.contains(word), "{body:?}: {error}");
    }
    assert_eq!(decode_protobuf(b"").expect("empty is fine"), Decoded::default());
    assert!(decode_protobuf(b"\x1b\x1b\x1c\x1c").expect("an unknown group").records.is_empty());

    for (body, word) in [
        (&b"{"[..], "EOF"),
        (b"[]", "expected a JSON object"),
        (b"\xff", "expected a JSON object"),
        (br#"{"resourceLogs":[{"scopeLogs":[]}]}"#, "no `resourceSpans`, but \"resourceLogs\""),
        (br#"{"data":[{"spans":[]}]}"#, "no `resourceSpans`, but \"data\""),
        (br#"{"resourceSpans":[{"spans":[{}]}]}"#, "no `scopeSpans`, but \"spans\""),
        (br#"{"resourceSpans":[{"scopeSpans":[{"logRecords":[{}]}]}]}"#, "no `spans`, but \"logRecords\""),
        (br#"{"resourceSpans":5}"#, "expected a JSON array"),
        (br#"{"resourceSpans":[5]}"#, "expected a JSON object"),
        (br#"{"resourceSpans":[{"scopeSpans":[{"spans":[[]]}]}]}"#, "a span is not readable"),
        (br#"{"resourceSpans":[{"scopeSpans":[{"spans":[null]}]}]}"#, "a span is not readable"),
        (br#"{"resourceSpans":[{"scopeSpans":5}]}"#, "a resource is not readable"),
        (br#"{"resourceSpans":[{"scopeSpans":[{"spans":"x"}]}]}"#, "a scope is not readable"),
        (br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":tru}]}]}]}"#, "a span is not readable"),
    ] {
        let error = decode_json(body).expect_err("no request");
        assert!(error.contains(word), "{}: {error}", String::from_utf8_lossy(body));
    }
    for empty in ["", " ", "{}", r#"{"resourceSpans":null}"#, r#"{"resourceSpans":[],"later":{"a":[1]}}"#] {
        assert_eq!(decode_json(empty.as_bytes()).expect("empty is fine"), Decoded::default());
    }
}

const GOOD: &str = r#"{"traceId":"01010101010101010101010101010101","spanId":"0202020202020202","name":"good"}"#;

#[test]
fn in_json_too_a_bad_span_costs_only_itself() {
    let deep = format!(r#"{{"name":{}1{}}}"#, "[".repeat(1000), "]".repeat(1000));
    for bad in ["null", "5", "[]", "\"x\"", r#"{"name":1e999}"#, "{}", deep.as_str()] {
        let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{bad},{GOOD},{bad}]}}]}}]}}"#);
        let decoded = decode_json(body.as_bytes()).expect("one is good");
        assert_eq!((decoded.records.len(), decoded.rejected), (1, 2), "{bad}");
        assert!(decoded.reason.is_some());
        let logs = body.replace("Spans", "Logs").replace("spans", "logRecords");
        let decoded = decode_logs_json(logs.as_bytes(), Nanos(7)).expect("one is good");
        // A log record has no required fields, so an empty one is valid, and so is one with a number out of range.
        assert_eq!(decoded.records.len(), if bad == "{}" || bad.contains("1e999") { 3 } else { 1 }, "{bad}");
    }
    for (bad, rejected) in [
        (r#"null"#, 1),
        (r#"{"scopeSpans":[null,{"spans":7},{"spans":null}]}"#, 2),
        (r#"{"scopeSpans":{}}"#, 1),
        (r#"{"resource":5,"scopeSpans":null}"#, 0),
    ] {
        let body =
            format!(r#"{{"resourceSpans":[{bad},{{"resource":null,"scopeSpans":[{{"scope":7,"spans":[{GOOD}]}}]}}]}}"#);
        let decoded = decode_json(body.as_bytes()).expect("one is good");
        assert_eq!((decoded.records.len(), decoded.rejected), (1, rejected), "{bad}");
        check(&decoded.records[0]);
    }
    // Values of wrong types in a valid span are left out with a warning.
    let odd = GOOD.replace("\"good\"", "[7],\"attributes\":5,\"flags\":true");
    let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{odd},{GOOD}]}}]}}]}}"#);
    let decoded = decode_json(body.as_bytes()).expect("readable");
    assert_eq!(crate::normalise(&decoded.records[0]).1.len(), 3);
    assert_eq!((decoded.rejected, decoded.incomplete), (0, 1));
    assert_eq!(decoded.warning.as_deref(), Some("flags true is not a number below 2^32"));
    // Without these, nobody would find it.
    for essential in ["\"startTimeUnixNano\":true", "\"endTimeUnixNano\":{}", "\"endTimeUnixNano\":\"soon\""] {
        let odd = GOOD.replace("\"name\":", &format!("{essential},\"name\":"));
        let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{odd},{GOOD}]}}]}}]}}"#);
        let decoded = decode_json(body.as_bytes()).expect("one is good");
        assert_eq!((decoded.records.len(), decoded.rejected), (1, 1), "{essential}");
        assert!(decoded.reason.expect("said").contains("is not a number of nanoseconds"));
    }
}

/// A span and its log record in the words of different senders, all with the same meaning.
#[test]
fn requests_in_every_spelling_say_the_same() {
    let nanos = 1_795_447_213_087_028_123_u64;
    let long = json!({"low": (nanos & 0xffff_ffff), "high": nanos >> 32, "unsigned": true});
    let plain = json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]},
        "scopeSpans": [{"scope": {"name": "lib", "version": "1"}, "spans": [{
            "traceId": "01".repeat(16), "spanId": "02".repeat(8), "parentSpanId": "03".repeat(8), "traceState": "a=b",
            "name": "work", "kind": 2, "startTimeUnixNano": nanos.to_string(), "endTimeUnixNano": nanos,
            "attributes": [
                {"key": "n", "value": {"intValue": "5"}}, {"key": "d", "value": {"doubleValue": "NaN"}},
                {"key": "b", "value": {"boolValue": true}}, {"key": "y", "value": {"bytesValue": "AQI="}},
                {"key": "l", "value": {"arrayValue": {"values": [{"stringValue": "x"}]}}},
                {"key": "m", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}}},
            ],
            "droppedAttributesCount": 1, "status": {"code": 2, "message": "no"},
            "events": [{"timeUnixNano": nanos, "name": "e"}],
            "links": [{"traceId": "04".repeat(16), "spanId": "05".repeat(8)}],
        }]}],
    }]});
    // As in the .proto file, with enums by name, ids in base64, bare NaN, and long's objects.
    let snake = json!({"resource_spans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"string_value": "web"}}]},
        "scope_spans": [{"scope": {"name": "lib", "version": "1"}, "spans": [{
            "trace_id": "AQEBAQEBAQEBAQEBAQEBAQ==", "span_id": "AgICAgICAgI=", "parent_span_id": "AwMDAwMDAwM=",
            "trace_state": "a=b", "name": "work", "kind": "SPAN_KIND_SERVER",
            "start_time_unix_nano": long, "end_time_unix_nano": long,
            "attributes": [
                {"key": "n", "value": {"int_value": {"low": 5, "high": 0, "unsigned": false}}},
                {"key": "d", "value": {"double_value": "NAN!"}}, {"key": "b", "value": {"bool_value": "true"}},
                {"key": "y", "value": {"bytes_value": [1, 2]}},
                {"key": "l", "value": {"array_value": {"values": [{"string_value": "x"}]}}},
                {"key": "m", "value": {"kvlist_value": {"values": [{"key": "k", "value": {"string_value": "v"}}]}}},
            ],
            "dropped_attributes_count": "1", "status": {"code": "STATUS_CODE_ERROR", "message": "no"},
            "events": [{"time_unix_nano": long, "name": "e"}],
            "links": [{"trace_id": "BAQEBAQEBAQEBAQEBAQEBA==", "span_id": "BQUFBQUFBQU="}],
        }]}],
    }]});
    // As Go's encoding/json writes the generated structs, and with values where OTLP has objects.
    let go = json!({"ResourceSpans": [{
        "Resource": {"Attributes": {"service.name": "web"}},
        "ScopeSpans": [{"Scope": {"Name": "lib", "Version": "1"}, "Spans": [{
            "TraceId": "AQEBAQEBAQEBAQEBAQEBAQ==", "SpanId": "AgICAgICAgI=", "ParentSpanId": "AwMDAwMDAwM=",
            "TraceState": "a=b", "Name": "work", "Kind": "server",
            "StartTimeUnixNano": [1_795_447_213, 87_028_123], "EndTimeUnixNano": "2026-11-23T15:20:13.087028123Z",
            "Attributes": [
                {"Key": "n", "Value": {"Value": {"IntValue": 5}}}, {"Key": "d", "Value": {"Value": {"DoubleValue": "NaN"}}},
                {"Key": "b", "Value": true}, {"Key": "y", "Value": {"Value": {"BytesValue": "AQI"}}},
                {"Key": "l", "Value": ["x"]}, {"Key": "m", "Value": {"k": "v"}},
            ],
            "DroppedAttributesCount": 1, "Status": {"Code": "error", "Message": "no"},
            "Events": [{"TimeUnixNano": nanos, "Name": "e"}],
            "Links": [{"TraceId": "BAQEBAQEBAQEBAQEBAQEBA==", "SpanId": "BQUFBQUFBQU="}],
        }]}],
    }]});
    let read = |body: String| {
        let decoded = decode_json(body.as_bytes()).expect("readable");
        assert_eq!((decoded.records.len(), decoded.rejected), (1, 0), "{:?}", decoded.reason);
        check(&decoded.records[0]);
        let (loose, _) = crate::normalise(&decoded.records[0]);
        // NaN is not equal to itself.
        serde_json::to_value((loose.span, loose.resource, loose.scope)).expect("JSON")
    };
    let expected = read(plain.to_string());
    assert_eq!(read(snake.to_string().replace("\"NAN!\"", "NaN")), expected);
    assert_eq!(read(go.to_string()), expected);
    assert_eq!(expected[0]["start"], nanos.to_string());
}

#[test]
fn a_resource_with_a_broken_member_keeps_the_others() {
    let body = format!(
        r#"{{"resourceSpans":[{{"schemaUrl":tru,"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"web"}}}}]}},
           "scopeSpans":[{{"scope":{{"name":NaN}},"spans":[{GOOD}]}}]}}]}}"#
    );
    let decoded = decode_json(body.as_bytes()).expect("readable");
    assert_eq!((decoded.records.len(), decoded.records[0].service.as_str()), (1, "web"));
    assert!(decoded.warning.expect("said").contains("a resource or scope is not readable"));
    decoded.records.iter().for_each(check);
}

#[test]
fn times_that_cannot_be_true_are_rejected() {
    let now = Nanos(1_795_447_213_000_000_000);
    let years = 3 * 366 * 24 * 3600 * 1_000_000_000_i64;
    for (time, refused) in [
        (0, true),
        (1, true),
        (1_795_447_213_087, true), // milliseconds
        (1_795_447_213_087_028, true),
        (-5, true),
        (946_684_800_000_000_000, false),
        (now.0 - 5 * years, false),
        (now.0 + years, false),
        (now.0 + years + 1, true),
        (i64::MAX, true),
    ] {
        assert_eq!(crate::time::objection(Nanos(time), now).is_some(), refused, "{time}");
    }
    let mut decoded = Decoded { records: vec![1, 2, 3], ..Decoded::default() };
    decoded.reject_times(|n| (*n > 1).then(|| format!("{n} is late")));
    assert_eq!((decoded.records, decoded.rejected, decoded.reason.as_deref()), (vec![1], 2, Some("2 is late")));
}

#[test]
fn lone_surrogates_are_replaced_and_pairs_stay() {
    for (sent, read) in [
        (r"\ud83d", "\u{fffd}"),
        (r"a\ud83d!", "a\u{fffd}!"),
        (r"\udc00\ud83d", "\u{fffd}\u{fffd}"),
        (r"\uD83D\ud83d\ude00", "\u{fffd}\u{1f600}"),
        (r"\ud83d\ude00", "\u{1f600}"),
        (r"\\ud83d", "\\ud83d"),
        (r"\\\udfff\\", "\\\u{fffd}\\"),
        (r"\ud83d\n", "\u{fffd}\n"),
        (r"\u00e9\ud7ff\ue000", "\u{e9}\u{d7ff}\u{e000}"),
    ] {
        let span = GOOD.replace("good", sent);
        let body = format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"{sent}"}}]}},"scopeSpans":[{{"spans":[{span},{GOOD}]}}]}}]}}"#
        );
        let decoded = decode_json(body.as_bytes()).expect("readable");
        assert_eq!((decoded.records.len(), decoded.rejected), (2, 0), "{sent}");
        let (loose, warnings) = crate::normalise(&decoded.records[0]);
        assert_eq!((loose.span.name.as_str(), loose.resource.attributes[0].key.as_str()), (read, read));
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(decoded.records[0].raw.len(), span.len(), "nothing else is changed");
        decoded.records.iter().for_each(check);
    }
}

#[test]
fn depth_and_weight_are_bounded() {
    let mut nested = Vec::new();
    for _ in 0..10_000 {
        nested = field(5, &field(1, &nested));
    }
    let span = [good_span().encode_to_vec(), field(9, &field(2, &nested))].concat();
    assert!(decode_protobuf(&field(1, &field(2, &field(2, &span)))).is_err(), "deeper than any parser allows");

    let deep = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"name":{}1{}}}]}}]}}]}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(decode_json(deep.as_bytes()).expect_err("too deep").contains("recursion"));

    let heavy = proto::Span { name: "x".repeat(MAX_RECORD_BYTES), ..good_span() };
    let decoded = decode_protobuf(&request_of(vec![heavy.clone(), good_span()]).encode_to_vec()).expect("fine");
    assert_eq!((decoded.records.len(), decoded.rejected), (1, 1));
    assert!(decoded.reason.expect("said").contains("more than 4194304 bytes"));

    let mut request = request_of(vec![good_span(), good_span()]);
    request.resource_spans[0].schema_url = "x".repeat(MAX_RECORD_BYTES);
    let decoded = decode_protobuf(&request.encode_to_vec()).expect("fine");
    assert_eq!((decoded.records.len(), decoded.rejected), (0, 2));
}

#[test]
fn columns_say_what_a_list_needs() {
    let mut span = good_span();
    span.kind = 2;
    span.start_time_unix_nano = 5;
    span.status = Some(proto::Status { code: 2, message: "no".into() });
    span.parent_span_id = vec![3; 8];
    let text = |key: &str, value| common::KeyValue {
        key: key.into(),
        value: Some(common::AnyValue { value: Some(value) }),
        key_strindex: 0,
    };
    span.attributes = vec![
        text("http.method", common::any_value::Value::StringValue("GET".into())),
        text("http.target", common::any_value::Value::StringValue("/a?b=c".into())),
        text("http.status_code", common::any_value::Value::IntValue(500)),
    ];
    let decoded = decode_protobuf(&request_of(vec![span]).encode_to_vec()).expect("fine");
    let record = &decoded.records[0];
    assert_eq!(record.title, "GET /a 500");
    assert_eq!(record.service, "unknown_service");
    assert_eq!((record.start, record.end), (Nanos(5), None), "no end time: still in progress");
    assert_eq!(record.status, StatusCode::Error);
    assert_eq!(record.parent_id, Some(SpanId([3; 8])));
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,12}",
        Just("exception".to_owned()),
        Just("service.name".to_owned()),
        Just("http.method".to_owned())
    ]
}

fn any_any() -> impl Strategy<Value = common::AnyValue> {
    use common::any_value::Value as Any;
    let wrap = |value| common::AnyValue { value };
    let leaf = prop_oneof![
        Just(None),
        any_text().prop_map(|s| Some(Any::StringValue(s))),
        any::<bool>().prop_map(|b| Some(Any::BoolValue(b))),
        any::<i64>().prop_map(|n| Some(Any::IntValue(n))),
        any::<f64>().prop_map(|d| Some(Any::DoubleValue(d))),
        any::<Vec<u8>>().prop_map(|b| Some(Any::BytesValue(b))),
    ];
    leaf.prop_map(wrap).prop_recursive(4, 12, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(move |values| wrap(Some(Any::ArrayValue(common::ArrayValue { values })))),
            prop::collection::vec((any_text(), inner), 0..3).prop_map(move |pairs| {
                let values = pairs.into_iter().map(|(key, value)| key_value(key, Some(value))).collect();
                wrap(Some(Any::KvlistValue(common::KeyValueList { values })))
            }),
        ]
    })
}

fn key_value(key: String, value: Option<common::AnyValue>) -> common::KeyValue {
    common::KeyValue { key, value, key_strindex: 0 }
}

fn any_attributes() -> impl Strategy<Value = Vec<common::KeyValue>> {
    let one = (any_text(), prop::option::of(any_any())).prop_map(|(key, value)| key_value(key, value));
    prop::collection::vec(one, 0..4)
}

fn any_span() -> impl Strategy<Value = proto::Span> {
    let event = (any::<u64>(), any_text(), any_attributes()).prop_map(|(time_unix_nano, name, attributes)| {
        proto::span::Event { time_unix_nano, name, attributes, dropped_attributes_count: 1 }
    });
    (
        (any::<[u8; 16]>(), any::<[u8; 8]>(), prop::collection::vec(any::<u8>(), 0..10)),
        (any_text(), any::<u32>(), -1i32..8, any::<u64>(), any::<u64>(), any::<i32>()),
        any_attributes(),
        prop::collection::vec(event, 0..3),
    )
        .prop_map(|(ids, (name, flags, kind, start, end, code), attributes, events)| proto::Span {
            trace_id: ids.0.to_vec(),
            span_id: ids.1.to_vec(),
            parent_span_id: ids.2,
            name,
            flags,
            kind,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes,
            events,
            status: Some(proto::Status { code, message: "m".into() }),
            ..proto::Span::default()
        })
}

/// A real request with bytes flipped, removed or duplicated.
fn mutated(body: &[u8], edits: &[(u32, u8, u8)]) -> Vec<u8> {
    let mut body = body.to_vec();
    for &(at, how, byte) in edits {
        let at = at as usize % body.len().max(1);
        match how % 4 {
            0 | 1 if !body.is_empty() => body[at] = byte,
            2 => body.truncate(at),
            _ => body.insert(at, byte),
        }
    }
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn no_bytes_panic_and_accepted_records_can_be_read_again(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        edits in prop::collection::vec(any::<(u32, u8, u8)>(), 1..6),
    ) {
        let real = fixture("otlp-boom.bin");
        let json = fixture("otlp-home.json");
        let logs = fixture("otlp-boom-logs.bin");
        let logs_json = fixture("otlp-boom-logs.json");
        let mutants = [&real, &json, &logs, &logs_json].map(|body| mutated(body, &edits));
        for body in std::iter::once(noise).chain(mutants) {
            for decode in [decode_protobuf, decode_json] {
                if let Ok(decoded) = decode(&body) {
                    decoded.records.iter().for_each(check);
                }
            }
            for decode in [decode_logs_protobuf, decode_logs_json] {
                if let Ok(decoded) = decode(&body, Nanos(7)) {
                    decoded.records.iter().for_each(check_log);
                }
            }
        }
    }

    #[test]
    fn the_json_of_a_protobuf_message_says_the_same(span in any_span(), attributes in any_attributes()) {
        use crate::otlp::readable::{self, Part};
        let json = |part, bytes: Vec<u8>| match readable::json(part, &bytes) {
            Some(Value::Object(map)) => map,
            other => panic!("{other:?}"),
        };
        let mut warnings = Vec::new();
        let again = super::span(&json(Part::Span, span.encode_to_vec()), &mut warnings);
        prop_assert_eq!(format!("{again:?}"), format!("{span:?}"));
        let resource = proto::ResourceSpans {
            resource: Some(resource_proto::Resource { attributes: attributes.clone(), ..Default::default() }),
            ..Default::default()
        };
        let again = resource_spans(&json(Part::Resource, resource.encode_to_vec()), &mut warnings);
        prop_assert_eq!(format!("{again:?}"), format!("{resource:?}"));
        let scope = Some(common::InstrumentationScope { name: "n".into(), attributes: attributes.clone(), ..Default::default() });
        let scope = proto::ScopeSpans { scope, schema_url: "s".into(), ..Default::default() };
        let again = scope_spans(&json(Part::Scope, scope.encode_to_vec()), &mut warnings);
        prop_assert_eq!(format!("{again:?}"), format!("{scope:?}"));
        let body = attributes.first().and_then(|pair| pair.value.clone());
        let record = logs_proto::LogRecord { body, attributes, severity_number: 17, ..Default::default() };
        let again = super::log(&json(Part::Log, record.encode_to_vec()), &mut warnings);
        prop_assert_eq!(format!("{again:?}"), format!("{record:?}"));
        prop_assert_eq!(warnings, Vec::<String>::new());
    }

    #[test]
    fn every_span_with_valid_ids_is_accepted_and_can_be_read_again(span in any_span(), resource in any_attributes()) {
        let good = span.trace_id.iter().any(|b| *b != 0) && span.span_id.iter().any(|b| *b != 0);
        let mut request = request_of(vec![span]);
        request.resource_spans[0].resource =
            Some(resource_proto::Resource { attributes: resource, ..resource_proto::Resource::default() });
        let decoded = decode_protobuf(&request.encode_to_vec()).expect("well formed");
        prop_assert_eq!(decoded.records.len(), usize::from(good));
        decoded.records.iter().for_each(check);
    }
}

#[test]
fn a_request_of_empty_resources_is_refused() {
    let json = format!(r#"{{"resourceSpans":[{}{{}}]}}"#, "{},".repeat(100_000));
    let why = decode_json(json.as_bytes()).map(|decoded| decoded.records.len()).expect_err("too many");
    assert!(why.to_string().contains("more than 100000 resources"), "{why}");
    let scopes = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{}{{}}]}}]}}"#, "{},".repeat(100_000));
    assert!(decode_json(scopes.as_bytes()).is_err());
    let few = format!(r#"{{"resourceSpans":[{}{{}}]}}"#, "{},".repeat(1_000));
    assert_eq!(decode_json(few.as_bytes()).map(|decoded| decoded.records.len()).ok(), Some(0));
}

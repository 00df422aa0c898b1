use proptest::prelude::*;
use serde_json::json;
use tracebook_core::assemble::assemble;
use tracebook_core::trace::StatusCode;

use super::*;
use crate::testing::fixture;

const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";

fn datagram(document: &str) -> Vec<u8> {
    format!("{HEADER}{document}").into_bytes()
}

fn good() -> Value {
    json!({
        "trace_id": "1-6b0459ac-d2fb2577c226bb0ed076fe79",
        "id": "054c67903e698d43",
        "name": "backend-flask",
        "start_time": 1_795_447_213.087_028,
        "end_time": 1_795_447_213.088_983_8,
    })
}

fn with(changes: Value) -> Value {
    let mut document = good();
    for (key, value) in changes.as_object().expect("an object") {
        document[key] = value.clone();
    }
    document
}

/// Properties of every accepted record.
fn check(record: &SpanRecord) {
    let (loose, _) = crate::normalise(record);
    assert_eq!(loose.span.id, record.span_id);
    assert_eq!(loose.span.parent, record.parent_id);
    assert_eq!((loose.span.start, loose.span.end), (record.start, record.end));
    assert_eq!((loose.span.status.code, &loose.span.service), (record.status, &record.service));
    let written = serde_json::to_string(&loose.span).expect("a span has a JSON form");
    let again: tracebook_core::trace::Span = serde_json::from_str(&written).expect("and is read again");
    assert_eq!(again, loose.span);
    assert_eq!(assemble(record.trace_id, vec![loose]).name(), record.title);
    assert_eq!(parse_document(&record.raw).expect("raw is a document again"), std::slice::from_ref(record));
}

#[test]
fn a_segment_and_its_subsegments_become_separate_records() {
    let records = parse_datagram(&fixture("xray-01-users.bin")).expect("recorded");
    for record in &records {
        check(record);
        assert_eq!(record.trace_id, records[0].trace_id);
        assert!(!String::from_utf8_lossy(&record.raw).contains("subsegments"));
    }
    let said: Vec<_> = records.iter().map(|r| (r.title.as_str(), r.service.as_str(), r.parent_id)).collect();
    assert_eq!(said[0], ("GET /api/activities/@andrewbrown 200", "backend-flask", None));
    assert_eq!(said[1].2, Some(records[0].span_id));
    assert_eq!(said[1].1, "", "a local subsegment's service is that of the segment around it");
}

#[test]
fn everything_recorded_is_accepted() {
    let mut names: Vec<String> = (1..=32).map(|n| format!("xray-{n:02}-rows40.bin")).collect();
    names.extend(["abort404", "boom", "home", "joined", "notifications", "slow"].map(|n| format!("xray-01-{n}.bin")));
    let mut spans = 0;
    for name in names {
        let records = parse_datagram(&fixture(&name)).expect("recorded");
        records.iter().for_each(check);
        spans += records.len();
    }
    assert!(spans > 45, "{spans}");
}

#[test]
fn missing_ids_are_taken_from_the_parent() {
    let inner = json!({"id": "3333333333333333", "name": "inner", "start_time": 2.5, "end_time": 3});
    let outer = json!({"id": "2222222222222222", "name": "outer", "start_time": 1, "in_progress": true,
        "trace_id": null, "subsegments": [inner]});
    let document = with(json!({"subsegments": [outer], "name": "s"}));
    let records = parse_datagram(&datagram(&document.to_string())).expect("fine");
    let tree: Vec<_> = records.iter().map(|r| (r.title.clone(), r.parent_id.map(|p| p.to_string()), r.end)).collect();
    assert_eq!(tree[1], ("outer".into(), Some("054c67903e698d43".into()), None));
    assert_eq!(tree[2], ("inner".into(), Some("2222222222222222".into()), Some(Nanos(3_000_000_000))));
    let raw: Value = serde_json::from_slice(&records[2].raw).expect("JSON");
    assert_eq!(raw["trace_id"], "1-6b0459ac-d2fb2577c226bb0ed076fe79");
    assert_eq!((&raw["parent_id"], &raw["type"]), (&json!("2222222222222222"), &json!("subsegment")));
    records.iter().for_each(check);
}

#[test]
fn numbers_stay_as_they_were_written() {
    let document = r#"{"trace_id":"1-6b0459ac-d2fb2577c226bb0ed076fe79","id":"054c67903e698d43","name":"n",
        "start_time":1795447213.0889838,"end_time":1795447213.0889840,"metadata":{"d":{"big":123456789012345678901234567890}}}"#;
    let records = parse_document(document.as_bytes()).expect("fine");
    let raw = String::from_utf8_lossy(&records[0].raw);
    assert!(raw.contains("1795447213.0889840") && raw.contains("123456789012345678901234567890"), "{raw}");
    assert_eq!(records[0].start, Nanos(1_795_447_213_088_983_800));
    assert_eq!(records[0].end, Some(Nanos(1_795_447_213_088_984_000)));
}

#[test]
fn a_nested_subsegment_that_is_invalid_alone_stays_inside() {
    let document = with(json!({"subsegments": [
        {"id": "zz", "name": "bad id", "start_time": 1},
        {"id": "2222222222222222", "name": "good", "start_time": 1, "end_time": 2},
        7,
        {"id": "4444444444444444", "name": "no start"},
    ]}));
    let records = parse_document(document.to_string().as_bytes()).expect("the segment is good");
    assert_eq!(records.len(), 2);
    records.iter().for_each(check);
    assert!(String::from_utf8_lossy(&records[0].raw).contains("no start"));
    let (_, warnings) = crate::normalise(&records[0]);
    assert_eq!(warnings, ["not readable, and only in the raw document: 3 nested subsegments"]);
    let odd = with(json!({"subsegments": {"not": "a list"}}));
    let records = parse_document(odd.to_string().as_bytes()).expect("fine");
    assert!(String::from_utf8_lossy(&records[0].raw).contains("not"));
}

#[test]
fn rejections_have_a_reason() {
    let document = |changes| datagram(&with(changes).to_string());
    let mut without_start = good();
    without_start.as_object_mut().expect("an object").remove("start_time");
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (vec![], "an empty datagram"),
        (vec![b'x'; BUFFER], "of which the end is lost"),
        (good().to_string().into_bytes(), "without the header line"),
        (b"{\"format\":\"xml\",\"version\":1}\n{}".to_vec(), "should be"),
        (b"{\"format\":\"json\",\"version\":2}\n{}".to_vec(), "should be"),
        (b"{\"version\":1}\n{}".to_vec(), "should be"),
        (b"\xff\xfe\n{}".to_vec(), "should be"),
        (b"\n{}".to_vec(), "should be"),
        (datagram(""), "without a segment document"),
        (datagram(" \n "), "without a segment document"),
        (datagram("{"), "not a readable JSON object"),
        (datagram("[1]"), "expected a JSON object"),
        (datagram("{} {}"), "trailing"),
        (datagram(r#"{"name":tru}"#), "not a readable JSON object: expected"),
        (datagram(r#"{"a":1 "b":2}"#), "not a readable JSON object: expected"),
        ([HEADER.as_bytes(), b"{\"name\":\"\xff\"}"].concat(), "without trace_id"),
        (datagram("{}"), "without trace_id"),
        (document(json!({"trace_id": null})), "without trace_id"),
        (document(json!({"trace_id": 5})), "trace_id is 5: expected 1-8hex-24hex"),
        (document(json!({"trace_id": "1-xyz"})), "expected 1-8hex-24hex"),
        (document(json!({"id": "123"})), "id is \"123\": expected 16 hex digits"),
        (document(json!({"id": "0000000000000000"})), "expected 16 hex digits"),
        (document(json!({"name": ""})), "name is \"\": expected a text"),
        (document(json!({"name": null})), "without name"),
        (datagram(&without_start.to_string()), "without start_time"),
        (document(json!({"start_time": "now"})), "seconds since 1970"),
        (document(json!({"start_time": "NaN"})), "seconds since 1970"),
        (document(json!({"start_time": 1e300})), "seconds since 1970"),
    ];
    for (bytes, words) in cases {
        let refusal = parse_datagram(&bytes).expect_err(words).to_string();
        assert!(refusal.contains(words), "{refusal:?} does not say {words:?}");
        assert!(refusal.len() < 500, "a refusal quotes only the beginning");
    }
    let large = with(json!({"metadata": {"d": "x".repeat(MAX_DOCUMENT_BYTES)}})).to_string();
    assert!(matches!(parse_document(large.as_bytes()), Err(Refusal::TooLarge(_))));
}

/// Python's SDK writes NaN and infinities as they are, JavaScript's lone surrogates, and minimal clients other types.
#[test]
fn what_senders_write_instead_of_json_costs_nothing_else() {
    let document = good().to_string();
    let more = r#","in_progress":"false","fault":1,"error":"true","metadata":{"default":{"rate":NaN,"most":Infinity,"least":-Infinity,
        "cut":"half \ud83d","big":1e400,}},"annotations":{"ok":True,"none":None},
        "subsegments":[{"id":"2222222222222222","name":"nested \ud83d","start_time":"1795447213.1","end_time":1795447213.2,"metadata":{"d":{"n":NaN}}},
        {"id":"3333333333333333","name":"broken","start_time":tru}]}"#;
    let sent = [document.strip_suffix('}').expect("an object"), more]
        .concat()
        .replace(",\"name\":\"backend", ",\"name\" :\"backend");
    let records = parse_datagram(&datagram(&sent)).expect("mended");
    assert_eq!(records.len(), 2, "the broken one stays inside, if that can be read");
    records.iter().for_each(check);
    let (loose, _) = crate::normalise(&records[0]);
    let metadata = format!("{:?}", loose.span.metadata);
    for word in ["NaN", "Infinity", "-Infinity", "half \u{fffd}", "1e400"] {
        assert!(metadata.contains(word), "{word}: {metadata}");
    }
    assert_eq!((loose.span.status.code, loose.span.end.is_some()), (StatusCode::Fault, true));
    assert_eq!(loose.span.annotations[0].value, true.into());
    let (nested, _) = crate::normalise(&records[1]);
    assert_eq!((nested.span.name.as_str(), nested.span.start), ("nested \u{fffd}", Nanos(1_795_447_213_100_000_000)));
}

#[test]
fn times_that_cannot_be_true_are_refused() {
    let now = Nanos(1_795_447_213_000_000_000);
    let refused = |changes| {
        let records = parse_document(with(changes).to_string().as_bytes()).expect("readable");
        check_times(records, now).err().map(|refusal| refusal.to_string())
    };
    assert_eq!(refused(json!({})), None);
    for (changes, words) in [
        (json!({"start_time": 0}), "start_time is 0"),
        (json!({"start_time": 1}), "start_time is 1970-01-01T00:00:01"),
        (json!({"end_time": 5}), "end_time is 1970"),
        (json!({"start_time": 1_795_447.213}), "start_time is 1970-01-21"),
        (json!({"start_time": 4_102_444_800_u64, "end_time": null}), "more than three years in the future"),
        (json!({"subsegments": [{"id": "2222222222222222", "name": "n", "start_time": 7}]}), "start_time is 1970"),
    ] {
        let said = refused(changes).expect(words);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn the_header_may_have_blanks_and_capitals() {
    let bytes = format!("{{ \"format\": \"JSON\", \"version\": 1 }}\r\n{}", good());
    assert_eq!(parse_datagram(bytes.as_bytes()).expect("fine").len(), 1);
}

#[test]
fn deep_nesting_needs_no_recursion_and_is_limited() {
    let nest = |depth: usize| {
        let mut text = String::new();
        for i in 0..depth {
            text += &format!(r#"{{"id":"{:016x}","name":"n","start_time":1,"in_progress":true,"subsegments":["#, i + 1);
        }
        let head = r#"{"trace_id":"1-6b0459ac-d2fb2577c226bb0ed076fe79","#;
        format!("{head}{}{}", &text[1..], "]}".repeat(depth))
    };
    let records = parse_document(nest(200).as_bytes()).expect("deep, and fine");
    assert_eq!(records.len(), 200);
    assert_eq!(records[199].parent_id, Some(records[198].span_id));
    assert_eq!(parse_document(nest(2_000).as_bytes()), Err(Refusal::TooDeep));
    let brackets = format!("{{\"a\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    assert!(parse_datagram(&datagram(&brackets)).expect_err("too deep").to_string().contains("recursion"));
}

#[test]
fn flags_become_one_status() {
    for (flags, status) in [
        (json!({}), StatusCode::Unset),
        (json!({"error": false, "fault": false}), StatusCode::Ok),
        (json!({"error": true}), StatusCode::Error),
        (json!({"error": true, "throttle": true}), StatusCode::Throttle),
        (json!({"error": true, "fault": true, "throttle": true}), StatusCode::Fault),
        (json!({"http": {"response": {"status": 500}}}), StatusCode::Unset),
    ] {
        let records = parse_document(with(flags).to_string().as_bytes()).expect("fine");
        assert_eq!(records[0].status, status);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("2222222222222222")),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any_key(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    let known = [
        "id",
        "trace_id",
        "parent_id",
        "name",
        "start_time",
        "end_time",
        "in_progress",
        "type",
        "fault",
        "error",
        "throttle",
        "cause",
        "exceptions",
        "stack",
        "annotations",
        "metadata",
        "links",
        "subsegments",
        "http",
        "request",
        "namespace",
    ];
    prop_oneof![3 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,5}"]
}

#[test]
fn usual_documents_are_read_in_one_pass() {
    for name in ["xray-01-users.bin", "xray-01-boom.bin", "xray-01-slow.bin", "xray-02-rows40.bin"] {
        let datagram = fixture(name);
        let text = String::from_utf8(datagram).expect("text");
        let (_, document) = text.split_once('\n').expect("a header");
        let apart = read_strict(document, None).expect("strict JSON");
        assert_eq!(read_lenient(document, None), Ok(apart));
    }
}

#[test]
fn what_json_readers_refuse_is_not_read_strictly() {
    let deep = format!("{}1{}", "[".repeat(126), "]".repeat(126));
    for value in [r#""\ud83d""#, "NaN", "1e400", "[1,]", "01", "{\"a\" 1}", "\"\u{1}\"", "", "1 2", &deep] {
        for key in ["metadata", "http", "name"] {
            let document = format!("{{\"{key}\":{value}}}");
            assert_eq!(read_strict(&document, None), None, "{document}");
        }
    }
}

/// A document of members that senders write, well or badly, in any order and number.
fn any_document() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        Just(r#""trace_id":"1-6b0459ac-d2fb2577c226bb0ed076fe79""#),
        Just(r#""trace_id": null"#),
        Just(r#""id" : "054c67903e698d43""#),
        Just(r#""name":"caf\u00e9 \ud83d\ude00""#),
        Just(r#""name":"half \ud83d""#),
        Just(r#""start_time":1795447213.087028"#),
        Just(r#""start_time":1.795447213087028e9"#),
        Just(r#""end_time":1e400"#),
        Just(r#""parent_id":null"#),
        Just(r#""parent_id":"054c67903e698d44""#),
        Just(r#""type":"subsegment""#),
        Just(r#""http":{"request":{"method":"GET","url":"http://a/b"},"response":{"status":503}}"#),
        Just(r#""subsegments":[{"id":"1"} , {"a":[1,{}]}]"#),
        Just(r#""subsegments":[{"name":"\ud83d"}]"#),
        Just(r#""subsegments": null"#),
        Just(r#""subsegments":"none""#),
        Just(r#""annotations":{"a.b":true,"n":-0.0,"x":NaN}"#),
        Just(r#""metadata":{"default":[[[[]]],{"k":{"k":{}}}]}"#),
        Just(r#""f\u0061ult":true"#),
        Just(r#""fault":True"#),
        Just(""),
    ];
    let ends =
        prop_oneof![8 => Just(("{", "}")), 1 => Just((" {\n", " } ")), 1 => Just(("{", "")), 1 => Just(("{", "} x"))];
    (prop::collection::vec(member, 0..8), ends)
        .prop_map(|(members, (open, close))| open.to_owned() + &members.join(", ") + close)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn a_document_that_is_read_strictly_is_read_alike_leniently(document in any_document(), inside in any::<bool>()) {
        let trace_id = "1-6b0459ac-d2fb2577c226bb0ed076fe79".to_owned();
        let enclosing = inside.then(|| Enclosing { trace_id, span_id: "054c67903e698d45".parse().expect("an id") });
        if let Some(strict) = read_strict(&document, enclosing.as_ref()) {
            prop_assert_eq!(Ok(strict), read_lenient(&document, enclosing.as_ref()));
        }
    }


    #[test]
    fn no_datagram_panics_and_accepted_ones_can_be_read_again(
        noise in prop::collection::vec(any::<u8>(), 0..100),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..5),
    ) {
        let mut real = fixture("xray-01-boom.bin");
        for (at, byte, cut) in edits {
            let at = at.index(real.len());
            if cut { real.remove(at); } else { real[at] = byte; }
        }
        for bytes in [noise.clone(), [HEADER.as_bytes(), &noise].concat(), real] {
            if let Ok(records) = parse_datagram(&bytes) {
                records.iter().for_each(check);
            }
        }
    }

    #[test]
    fn segments_with_any_members_can_be_read_again(
        members in prop::collection::vec((any_key(), any_json()), 0..6),
        keep_ids in any::<bool>(),
    ) {
        let mut document = good();
        for (key, value) in members {
            if !keep_ids || !matches!(key.as_str(), "id" | "trace_id" | "name" | "start_time") {
                document[key] = value;
            }
        }
        let parsed = parse_document(document.to_string().as_bytes());
        prop_assert!(parsed.is_ok() || !keep_ids, "{:?}", parsed);
        parsed.into_iter().flatten().for_each(|record| check(&record));
    }
}

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn all(body: &[u8], content_type: Option<&str>) -> Result<Vec<Value>, String> {
    let mut items = Vec::new();
    let mut bad = None;
    read(body, content_type, |item| match item {
        Ok(item) => items.push(item),
        Err(why) => bad = Some(why),
    })?;
    bad.map_or(Ok(items), Err)
}

fn one(body: &[u8]) -> Value {
    let mut items = all(body, Some("application/json")).expect("an item");
    assert_eq!(items.len(), 1);
    items.remove(0)
}

fn notes(item: &Value) -> String {
    item[NOTES].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_item_is_stored_unchanged_without_its_token() {
    let sent = r#"{"access_token": "0123456789abcdef", "data": {"timestamp": 1795532228, "body": {"message": {"body":
        "Hello"}}, "notifier": {"name": "rollbar-browser-js", "configured_options": {"accessToken": "0123456789abcdef",
        "captureUncaught": true}}, "custom": {"pi": 3.14159265358979312, "big": 18446744073709551615}, "z": 1, "a": 2}}"#;
    let item = one(sent.as_bytes());
    let written = item.to_string();
    assert!(!written.contains("0123456789abcdef"), "{written}");
    assert!(written.contains("captureUncaught") && written.contains("18446744073709551615"), "{written}");
    assert!(written.find("\"z\"") < written.find("\"a\""), "in the order sent");
    assert!(item.get(NOTES).is_none());
}

#[test]
fn the_token_goes_from_the_data_too_and_notes_are_ours_alone() {
    let sent = json!({"data": {"access_token": "tok", "body": {}, NOTES: ["forged"]}, "access_token": "tok"});
    assert_eq!(one(sent.to_string().as_bytes()), json!({"body": {}}));
}

#[test]
fn a_form_and_any_content_type_will_do() {
    let plain = json!({"data": {"body": {"message": {"body": "50% & more + é"}}}}).to_string();
    let mut form = b"access_token=tok&payload=".to_vec();
    for byte in plain.bytes() {
        match byte {
            b' ' => form.push(b'+'),
            byte if byte.is_ascii_alphanumeric() => form.push(byte),
            byte => form.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
    let expected = vec![json!({"body": {"message": {"body": "50% & more + é"}}})];
    let form_type = Some("Application/X-WWW-Form-Urlencoded; charset=utf-8");
    assert_eq!(all(&form, form_type).as_ref(), Ok(&expected));
    assert_eq!(all(&form[17..], None).as_ref(), Ok(&expected), "recognised by payload=");
    for content_type in [None, Some("text/plain"), Some("application/json; charset=utf-8"), form_type] {
        assert_eq!(all(plain.as_bytes(), content_type).as_ref(), Ok(&expected), "{content_type:?}");
    }
    let bom = [b"\xef\xbb\xbf", plain.as_bytes()].concat();
    assert_eq!(all(&bom, None).as_ref(), Ok(&expected));
    assert!(all(b"a=b", form_type).expect_err("no payload").contains("no field `payload`"));
    assert!(all(b"payload=%7", None).is_err(), "a broken escape is no panic");
}

#[test]
fn batches_are_taken_apart() {
    let item = |n: i32| json!({"body": {"message": {"body": n}}});
    for sent in [
        json!({"access_token": "tok", "data": [item(1), item(2)]}),
        json!([{"data": item(1)}, {"access_token": "tok", "data": item(2)}]),
        json!([item(1), {"data": [item(2)]}]),
    ] {
        assert_eq!(all(sent.to_string().as_bytes(), None), Ok(vec![item(1), item(2)]), "{sent}");
    }
    let many = json!({"data": vec![item(1); MAX_ITEMS + 5]}).to_string();
    assert_eq!(read(many.as_bytes(), None, drop), Ok(5));
}

#[test]
fn what_is_no_item_says_so() {
    for (sent, word) in [
        ("", "empty"),
        ("{", "EOF"),
        ("null", "expected a JSON object"),
        ("{}", "no `data`"),
        ("{\"data\": 7}", "should be an object and is 7"),
        ("{\"data\": {\"a\": tru}}", "EOF"),
        ("not JSON", "expected"),
    ] {
        let why = all(sent.as_bytes(), None).expect_err(sent);
        assert!(why.contains(word), "{sent}: {why}");
    }
}

#[test]
fn what_is_no_strict_json_is_repaired_and_said() {
    let item =
        one(br#"{"data": {"body": {"message": {"body": "half \ud83d and \udc00, whole \ud83d\ude00 \\ud83d \""}},
        "custom": {"nan": NaN, "low": -Infinity, "far": 1e999, "near": -1.5e3, "t": true, "NaN": "NaN"}}}"#);
    assert_eq!(item["body"]["message"]["body"], "half \u{fffd} and \u{fffd}, whole 😀 \\ud83d \"");
    assert_eq!(
        item["custom"],
        json!({"nan": "NaN", "low": "-Infinity", "far": "1e999", "near": -1500.0, "t": true, "NaN": "NaN"})
    );
    assert!(notes(&item).contains("not strict JSON"), "{item}");

    let item = one(b"{\"data\": {\"body\": {\"message\": {\"body\": \"tab\there \xff\"}}}}");
    assert_eq!(item["body"]["message"]["body"], "tab\there \u{fffd}");
    assert!(notes(&item).contains("not UTF-8"), "{item}");
    assert_eq!(one(br#"{"data": {"body": {}, "\ud83d": 1}}"#)["\u{fffd}"], 1, "in a name too");
}

#[test]
fn depth_costs_no_stack_and_what_is_above_is_kept() {
    for (open, close) in [("[", "]"), ("{\"k\":", "}")] {
        let deep = format!("{}7{}", open.repeat(100_000), close.repeat(100_000));
        let sent = format!(r#"{{"data": {{"uuid": "u", "custom": {{"a": 1, "deep": {deep}}}, "body": {{"x": 2}}}}}}"#);
        let item = one(sent.as_bytes());
        assert_eq!((&item["uuid"], &item["custom"]["a"], &item["body"]["x"]), (&json!("u"), &json!(1), &json!(2)));
        assert!(notes(&item).contains("custom.deep"), "{}", notes(&item));
        let raw = item.to_string();
        assert!(raw.len() < 8 * 1024, "{}", raw.len());
        assert_eq!(serde_json::from_str::<Value>(&raw).expect("reads back"), item);
    }
    assert!(all("[".repeat(100_000).as_bytes(), None).is_err());
    // Valid JSON is not changed.
    let sent = format!(r#"{{"data": {{"body": {}1{}}}}}"#, "[".repeat(100), "]".repeat(100));
    assert!(one(sent.as_bytes()).get(NOTES).is_none());
}

#[test]
fn too_large_is_cut_and_what_is_small_stays_whole() {
    let frame = |n: usize| json!({"filename": "/app/a.py", "lineno": n, "method": "rec", "code": "x".repeat(500)});
    let frames: Vec<Value> = (0..5000).map(frame).collect();
    let sent = json!({"data": {
        "timestamp": 1_795_532_228, "uuid": "5bd7f8b3-0b76-4ca5-b1f9-23a6abd849a5",
        "custom": {"huge": "é\n".repeat(1_000_000), "small": "as sent"},
        "request": {"body": "y".repeat(2_000_000), "url": "http://localhost/"},
        "body": {
            "telemetry": vec![json!({"level": "info", "body": {"message": "z".repeat(300)}}); 9000],
            "trace": {"frames": frames, "exception": {"class": "RecursionError", "message": "too deep"}},
        },
        "person": {"id": "andrewbrown", "username": null},
    }});
    let sent = sent.to_string();
    assert!(sent.len() > 6 * MAX_BYTES);
    let item = one(sent.as_bytes());
    let written = item.to_string();
    assert!(written.len() < MAX_BYTES, "{}", written.len());
    assert!(written.len() > MAX_BYTES / 4, "room is used: {}", written.len());
    assert_eq!(item["uuid"], "5bd7f8b3-0b76-4ca5-b1f9-23a6abd849a5");
    assert_eq!(item["person"], json!({"id": "andrewbrown", "username": null}));
    assert_eq!(item["custom"]["small"], "as sent");
    assert_eq!(item["request"]["url"], "http://localhost/");
    assert!(item["custom"]["huge"].as_str().expect("text").ends_with('…'));
    assert_eq!(item["body"]["trace"]["exception"]["class"], "RecursionError");
    let frames = item["body"]["trace"]["frames"].as_array().expect("frames");
    assert_eq!(frames.len(), ELEMENTS);
    assert_eq!((&frames[0]["lineno"], &frames[ELEMENTS - 1]["lineno"]), (&json!(0), &json!(4999)));
    let notes = notes(&item);
    for word in ["KiB of JSON", "custom.huge: about", "request.body", "body.trace.frames: 4,900 of 5,000 elements"] {
        assert!(notes.contains(word), "{word}: {notes}");
    }
    // Two levels further in.
    let sent = json!({"data": {"body": {"message": {"body": "big", "x": "y".repeat(3_000_000)}}, "custom": {"x": "y".repeat(3_000_000)}}});
    let item = one(sent.to_string().as_bytes());
    assert_eq!(item["body"]["message"]["body"], "big");
}

#[test]
fn many_small_members_are_bounded_too() {
    for sent in [
        format!(
            "{{\"data\": {{\"body\": {{{}\"end\": 1}}}}}}",
            (0..300_000).map(|n| format!("\"k{n}\": 1,")).collect::<String>()
        ),
        format!("{{\"data\": {{\"body\": {{}}, \"list\": [{}0]}}}}", "[[]],".repeat(2_000_000)),
        format!("{{\"data\": {{\"body\": {{}}, \"c\": \"{}\"}}}}", "\\u0001".repeat(2_000_000)),
        format!("{{\"data\": {{\"{}\": 1, \"body\": {{}}}}}}", "k".repeat(2_000_000)),
    ] {
        let item = one(sent.as_bytes());
        assert!(item["body"].is_object());
        assert!(item.to_string().len() <= MAX_BYTES, "{}", item.to_string().len());
        assert!(!notes(&item).is_empty());
    }
}

#[test]
fn the_room_is_shared_fairly() {
    assert_eq!(shares(&[10, 1000, 20, 5000], 1000), [10, 485, 20, 485]);
    assert_eq!(shares(&[10, 20], 30), [10, 20]);
    assert_eq!(shares(&[], 30), Vec::<usize>::new());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6).prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_panic(body in any::<Vec<u8>>(), content_type in any::<Option<String>>()) {
        drop(all(&body, content_type.as_deref()));
    }

    #[test]
    fn nothing_like_json_panics(body in r#"[{}\[\]",:0-9.\\ud8cfNIt e-]{0,60}"#) {
        drop(all(body.as_bytes(), None));
        drop(all(format!("{{\"data\":{{\"body\":{body}}}}}").as_bytes(), None));
    }

    #[test]
    fn strict_json_needs_no_repair(json in any_json()) {
        prop_assert_eq!(repair(&json.to_string()), None);
        let sent = json!({"data": {"body": json}});
        prop_assert_eq!(one(sent.to_string().as_bytes()), sent["data"].clone());
    }

    #[test]
    fn truncated_values_fit_and_can_be_parsed(json in any_json(), room in 0usize..400) {
        let text = json.to_string();
        let cut = Cutter::default().cut(&text, room, "", 0).expect("it is JSON");
        let written = cut.to_string();
        prop_assert_eq!(serde_json::from_str::<Value>(&written).expect("reads back"), cut);
        // Numbers stay whole, names are no longer than the room, and escapes may be unevenly spread.
        prop_assert!(written.len() <= 8 * room + 64, "{} from {} in {room}", written.len(), text.len());
    }
}

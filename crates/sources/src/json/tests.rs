use std::time::Instant;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tracebook_core::time::Nanos;

use super::*;

#[test]
fn members_and_elements_are_the_text_that_was_sent() {
    let mut seen = Vec::new();
    members(r#"{"a": 1.50, "b\n":[1, 2] ,"a":null}"#, |k, v| {
        seen.push(format!("{k}={v}"));
        Ok(())
    })
    .expect("an object");
    assert_eq!(seen, ["a=1.50", "b\n=[1, 2]", "a=null"]);
    let mut seen = Vec::new();
    elements(" [ {} , 2 ] ", |v| {
        seen.push(v);
        Ok(())
    })
    .expect("an array");
    assert_eq!(seen, ["{}", "2"]);
}

#[test]
fn a_text_that_is_not_an_object_is_reported() {
    for (text, word) in [("[]", "expected a JSON object"), ("{} x", "trailing"), ("{\"a\":", "EOF"), ("", "EOF")] {
        let error = members(text, |_, _| Ok(())).expect_err("not an object");
        assert!(error.contains(word), "{text}: {error}");
    }
    assert!(elements("{}", |_| Ok(())).is_err());
    assert!(elements("null", |_| Err("never called".into())).is_ok());
}

#[test]
fn readable_texts_are_those_that_a_json_reader_accepts() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let (fine, too_deep) = (deep(127), deep(128));
    for text in [
        r#"{"a": [1, -2, 1.5e3, true, null, "x\ud83d\ude00"], "a": {}}"#,
        r#""a lone \ud83d surrogate""#,
        r#"{"\ud83d": 1}"#,
        "1e400",
        "-",
        "01",
        "[1,]",
        "{\"a\" 1}",
        "\"\u{1}\"",
        &fine,
        &too_deep,
    ] {
        let value: Result<serde_json::Value, _> = serde_json::from_str(text);
        let readable: Result<Readable, _> = serde_json::from_str(text);
        assert_eq!(readable.err().map(|e| e.to_string()), value.err().map(|e| e.to_string()), "{text}");
    }
}

#[test]
fn what_a_tree_takes_counts_values_and_not_the_text_in_strings() {
    let list = format!("[{}0]", "0,".repeat(1000));
    assert!(tree_bytes(list.as_bytes()) >= 1000 * 72, "{}", tree_bytes(list.as_bytes()));
    let text = r#"["[0,0,0,{:,}\"],\\"]"#;
    assert_eq!(tree_bytes(text.as_bytes()), text.len() + 2 * 2 * size_of::<serde_json::Value>());
    let members = |n: usize| format!("{{{}}}", (0..n).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","));
    assert!(tree_bytes(members(100).as_bytes()) >= 100 * (24 + 72 + 72));
    assert!(tree_bytes(b"\"ends in a string") < 400);
}

#[test]
fn deep_nesting_uses_no_stack() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    members(&deep, |_, _| Ok(())).expect("balanced");
}

#[test]
fn a_deep_value_can_be_frozen_and_read_back() {
    let deep = format!("{}1{}", "{\"k\":".repeat(100), "}".repeat(100));
    let json: serde_json::Value = serde_json::from_str(&deep).expect("below the reader's own limit");
    let value = value(json);
    let written = serde_json::to_string(&value).expect("writes");
    assert_eq!(serde_json::from_str::<Value>(&written).expect("reads again"), value);
}

#[test]
fn what_is_broken_between_two_commas_costs_only_itself() {
    let text = r#"[{"a":1},{"b":tru, "c" 5},{x},"half \ud83d", NaN, {"d":"]},{"},]"#;
    let mut seen = Vec::new();
    elements(text, |one| {
        seen.push(one);
        Ok(())
    })
    .expect("an array");
    let pieces = [r#"{"a":1}"#, r#"{"b":tru, "c" 5}"#, "{x}", r#""half \ud83d""#, "NaN", r#"{"d":"]},{"}"#];
    assert_eq!(seen, pieces);
    let readable = seen.iter().filter(|one| read::<Json>(one.as_bytes()).is_ok()).count();
    assert_eq!(readable, 4);
    // A piece ends at a comma, whatever is in it.
    let mut seen = Vec::new();
    elements("[0, 1 2, 3]", |one| {
        seen.push(one);
        Ok(())
    })
    .expect("an array");
    assert_eq!(seen, ["0", "1 2", "3"]);
    let mut seen = Vec::new();
    members(r#"{"z":0,"a":1 "b":2,"c":3}"#, |key, value| {
        seen.push(format!("{key}={value}"));
        Ok(())
    })
    .expect("an object");
    assert_eq!(seen, ["z=0", "a=1 \"b\":2", "c=3"]);
    for bad in ["[1", "[\"a", "[1,,2]", "[,]", "{\"a\":}", "{\"a\":1", "{a:1}", "{\"a\"1}", "[1]2"] {
        let ended = elements(bad, |_| Ok(())).and(members(bad, |_, _| Ok(())));
        assert!(ended.is_err(), "{bad}");
    }
}

#[test]
fn what_senders_write_instead_of_json_is_mended() {
    for (sent, read_as) in [
        (r#"{"a":NaN,"b":Infinity,"c":-Infinity}"#, json!({"a": "NaN", "b": "Infinity", "c": "-Infinity"})),
        (r#"[nan,+inf,-Inf,-nan,infinity]"#, json!(["NaN", "Infinity", "-Infinity", "NaN", "Infinity"])),
        ("[True,False,None,undefined,null]", json!([true, false, null, null, null])),
        ("[+1,007,.5,1.,-.5e1,1e400,-1e999]", json!([1, 7, 0.5, 1.0, -5.0, "1e400", "-1e999"])),
        ("[18446744073709551616,+18446744073709551615]", json!([18_446_744_073_709_551_616_f64, u64::MAX])),
        (
            r#"["\ud83d","\ude00x","\ud83d\ud83d\ude00","\ud83d\n"]"#,
            json!(["\u{fffd}", "\u{fffd}x", "\u{fffd}😀", "\u{fffd}\n"]),
        ),
        ("[\"a\tb\nc\u{0}\"]", json!(["a\tb\nc\u{0}"])),
        (r#"["\x41","\'","C:\dir","\u12"]"#, json!(["\\x41", "\\'", "C:\\dir", "\\u12"])),
        ("{\"a\":[1, 2, ] , }", json!({"a": [1, 2]})),
        ("\u{feff}{\"a\":1}", json!({"a": 1})),
        (r#"{"\ud83d":"NaN, -Infinity,]"}"#, json!({"\u{fffd}": "NaN, -Infinity,]"})),
    ] {
        let (value, mended) = read::<Json>(sent.as_bytes()).unwrap_or_else(|why| panic!("{sent}: {why}"));
        assert_eq!(value, read_as, "{sent}");
        let mended = mended.unwrap_or_else(|| panic!("{sent} is not strict JSON"));
        assert_eq!(serde_json::from_str::<Json>(&mended).expect("strict"), value, "{sent}");
    }
    let (value, _) = read::<Json>(b"[\"\xff\",1]").expect("mended");
    assert_eq!(value, json!(["\u{fffd}", 1]));
    for bad in ["", "tru", "[1 2]", "{", "\"", "[1]]", "{\"a\" 1}", "NaNa", "0x10", "--1", "{'a':1}"] {
        let why = read::<Json>(bad.as_bytes()).expect_err(bad);
        assert!(!why.is_empty());
    }
}

#[test]
fn numbers_of_64_bits_are_read_in_every_form() {
    let nanos = 1_795_447_213_087_028_123_u64;
    let (low, high) = (nanos & 0xffff_ffff, nanos >> 32);
    let negative = i64::from(u32::try_from(low).expect("32 bits").cast_signed());
    for value in [
        json!(nanos),
        json!(nanos.to_string()),
        json!(format!(" {nanos} ")),
        json!({"low": low, "high": high, "unsigned": true}),
        json!({"low": negative, "high": high, "unsigned": true}),
        json!({"low": low, "high": high}),
    ] {
        assert_eq!(unsigned(&value), Some(nanos), "{value}");
        assert_eq!(signed(&value), i64::try_from(nanos).ok(), "{value}");
    }
    for value in [json!(1.7e18), json!("1.7e18"), json!("1.7E+18"), json!("1700000000000000000.0")] {
        assert_eq!(unsigned(&value), Some(1_700_000_000_000_000_000), "{value}");
    }
    let minus_one = json!({"low": -1, "high": -1, "unsigned": false});
    assert_eq!((signed(&minus_one), unsigned(&minus_one)), (Some(-1), Some(u64::MAX)));
    assert_eq!(double(&minus_one), Some(-1.0));
    assert_eq!(unsigned(&json!({"low": 5, "high": 0})), Some(5));
    for bad in [
        json!(-1),
        json!(1.5),
        json!("soon"),
        json!(true),
        json!([1]),
        json!({"low": 1}),
        json!({"low": "1", "high": 0}),
        json!({"low": 1, "high": 4_294_967_296_u64}),
        json!("1e30"),
        json!(""),
        json!("NaN"),
    ] {
        assert_eq!(unsigned(&bad), None, "{bad}");
    }
}

#[test]
fn other_values_are_read_in_the_forms_that_senders_give_them() {
    assert!(is_named("trace_id", "traceId") && is_named("TraceId", "traceId") && is_named("trace-id", "traceId"));
    assert!(!is_named("trace_ids", "traceId") && !is_named("trace", "traceId") && !is_named("", "traceId"));
    let id = |value: Json, length| super::id(&value, length);
    let bytes = (1..=16).collect::<Vec<u8>>();
    for value in [
        json!("0102030405060708090a0b0c0d0e0f10"),
        json!("0102030405060708090A0B0C0D0E0F10"),
        json!("0x0102030405060708090a0b0c0d0e0f10"),
        json!("01020304-0506-0708-090a-0b0c0d0e0f10"),
        json!("AQIDBAUGBwgJCgsMDQ4PEA=="),
        json!("AQIDBAUGBwgJCgsMDQ4PEA"),
        json!(bytes),
        json!({"type": "Buffer", "data": bytes}),
    ] {
        assert_eq!(id(value.clone(), 16), Some(bytes.clone()), "{value}");
    }
    assert_eq!(id(json!("////////AAA="), 8).as_deref(), Some(&[255, 255, 255, 255, 255, 255, 0, 0][..]));
    assert_eq!(id(json!("________AAA"), 8).as_deref(), Some(&[255, 255, 255, 255, 255, 255, 0, 0][..]));
    assert_eq!(id(json!({"0": 1, "1": 2}), 2), Some(vec![1, 2]));
    assert_eq!((id(json!(""), 8), id(json!("0102"), 8)), (Some(vec![]), Some(vec![1, 2])));
    for bad in [json!("no id"), json!(7), json!([1, 300]), json!({}), json!(null)] {
        assert_eq!(id(bad.clone(), 8), None, "{bad}");
    }
    let flags = [json!(true), json!("True"), json!(1), json!("false"), json!(0.0), json!("yes"), json!(2)];
    assert_eq!(
        flags.map(|value| flag(&value)),
        [Some(true), Some(true), Some(true), Some(false), Some(false), None, None]
    );
    assert_eq!((double(&json!("-Infinity")), double(&json!("1.5"))), (Some(f64::NEG_INFINITY), Some(1.5)));
    assert!(double(&json!("NaN")).is_some_and(f64::is_nan));
    assert_eq!(seconds(&json!("1795447213.5")), Some(Nanos(1_795_447_213_500_000_000)));
    assert_eq!(
        (seconds(&json!("NaN")), seconds(&json!(true)), seconds(&json!({"low": 1, "high": 0}))),
        (None, None, None)
    );
    assert_eq!((text(&json!(5)).as_deref(), text(&json!([5])).as_deref()), (Some("5"), None));
}

#[test]
fn reading_takes_time_in_proportion_to_the_text() {
    // Of each kind, a text that a naive reader would read again for every character.
    let kinds: [fn(usize) -> String; 7] = [
        |n| format!("[{}]", "NaN,".repeat(n)),
        |n| format!("{}{}", "[".repeat(n), ",]".repeat(n)),
        |n| format!("[\"{}\"", "\\ud83d".repeat(n)),
        |n| format!("[{}]", " ".repeat(n)),
        |n| "1".repeat(n),
        |n| format!("\"{}", "\\".repeat(n)),
        |n| format!("[{}", "{\"a\":[".repeat(n)),
    ];
    for (at, kind) in kinds.into_iter().enumerate() {
        let time = |n: usize| {
            let text = kind(n);
            let once = || {
                let began = Instant::now();
                mend(&text);
                elements(&text, |_| Ok(())).ok();
                members(&text, |_, _| Ok(())).ok();
                read::<Readable>(text.as_bytes()).ok();
                began.elapsed()
            };
            (0..3).map(|_| once()).min().expect("three")
        };
        // Sixteen times the text; quadratic time would be 256 times.
        let (small, large) = (time(20_000), time(320_000));
        assert!(large < small * 100 + std::time::Duration::from_millis(50), "kind {at}: {small:?}, {large:?}");
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// What a text says where it is split and each piece is read.
fn pieced(text: &str) -> Option<Json> {
    if let Ok(list) = {
        let mut list = Vec::new();
        elements(text, |one| {
            list.push(read::<Json>(one.as_bytes())?.0);
            Ok(())
        })
        .map(|()| list)
    } {
        return Some(if text.trim() == "null" { Json::Null } else { list.into() });
    }
    let mut map = serde_json::Map::new();
    let read = members(text, |key, value| {
        map.insert(key.into_owned(), read::<Json>(value.as_bytes())?.0);
        Ok(())
    });
    read.is_ok().then(|| map.into())
}

proptest! {
    #[test]
    fn strict_json_is_read_as_it_is(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("JSON");
        prop_assert_eq!(read::<Json>(text.as_bytes()), Ok((value.clone(), None)));
        // Mending changes at most the spelling.
        if let Some(mended) = mend(&text) {
            prop_assert_eq!(serde_json::from_str::<Json>(&mended).ok(), Some(value.clone()));
        }
        if value.is_array() || value.is_object() {
            prop_assert_eq!(pieced(&text), Some(value));
        }
    }

    #[test]
    fn broken_json_never_panics_and_what_is_mended_is_strict(
        value in any_json(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{},:\"\\\\NaIu+.0-9 \u{0}é-]{0,3}", any::<bool>()), 0..8),
    ) {
        let mut text: Vec<char> = value.to_string().chars().collect();
        for (at, instead, removes) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + usize::from(removes)).min(text.len());
            text.splice(at..end, instead.chars());
        }
        let text: String = text.into_iter().collect();
        let strict = serde_json::from_str::<Json>(&text).ok();
        let lenient = read::<Json>(text.as_bytes());
        if let Some(strict) = strict {
            prop_assert_eq!(lenient.clone(), Ok((strict.clone(), None)));
            if strict.is_array() || strict.is_object() {
                prop_assert_eq!(pieced(&text), Some(strict));
            }
        }
        if let Ok((value, Some(mended))) = lenient {
            prop_assert_eq!(serde_json::from_str::<Json>(&mended).ok(), Some(value));
            // A number out of range may take a few more characters, a control character six.
            prop_assert!(mended.len() <= 6 * text.len() + 16);
        }
        pieced(&text);
        tree_bytes(text.as_bytes());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        read::<Json>(&bytes).ok();
        let text = String::from_utf8_lossy(&bytes);
        mend(&text);
        pieced(&text);
    }
}

use proptest::prelude::*;
use serde_json::json;
use tracebook_core::value::{Value, get};

use super::*;

const RECEIVED: Nanos = Nanos(1_795_532_230_500_000_000);

/// As pyrollbar 1.5.0 sends it from Flask, shortened.
fn exception() -> Json {
    json!({
        "timestamp": 1_795_532_228, "environment": "development", "level": "error", "language": "python 3.11.7",
        "notifier": {"name": "pyrollbar", "version": "1.5.0"}, "uuid": "5bd7f8b3-0b76-4ca5-b1f9-23a6abd849a5",
        "framework": "flask", "context": "/api/activities/<h>",
        "body": {"trace_chain": [
            {"frames": [
                {"filename": "/usr/lib/python3/flask/app.py", "lineno": 1511, "method": "wsgi_app",
                 "code": "response = self.full_dispatch_request()", "argspec": ["self", "environ", "start_response"],
                 "locals": {"self": "<class 'flask.app.Flask'>", "environ": {"REMOTE_ADDR": "127.0.0.1", "...": "..."}}},
                {"filename": "/app/service.py", "lineno": 25, "method": "act",
                 "code": "raise ValueError('bad handle '+h) from e", "argspec": ["h"],
                 "locals": {"h": "x", "secret": "***************", "weird": {"a": "<NaN>"}}}],
             "exception": {"class": "ValueError", "message": "bad handle x"}},
            {"frames": [{"filename": "/app/service.py", "lineno": 24, "method": "act", "code": "1/0"}],
             "exception": {"class": "ZeroDivisionError", "message": "division by zero"}}]},
        "request": {"url": "http://localhost/api/activities/x?q=1", "GET": {"q": "1"}, "POST": {}, "user_ip": "127.0.0.1",
            "headers": {"User-Agent": "Werkzeug/3.1.9",
                        "Traceparent": "00-4efaaf4d1e8720b39541901950019ee5-53995c3f42cd8ad8-03"},
            "method": "GET", "files_keys": []},
        "person": {"id": "andrewbrown", "username": null, "email": null},
        "server": {"host": "vm", "pid": 3893, "argv": ["service.py"]},
        "attributes": [{"key": "execution_scope_id", "value": "5d0f7a1c9b3e4f60a1b2c3d4e5f60718"}],
    })
}

/// As pyrollbar 1.5.0 sends `report_message("Hello 42", "warning", extra_data=…)`.
fn message() -> Json {
    json!({
        "timestamp": 1_795_532_228, "environment": "development", "level": "warning", "language": "python 3.11.7",
        "notifier": {"name": "pyrollbar", "version": "1.5.0"}, "uuid": "dbaa0b9f-b933-491b-b7a4-c08d37ce783f",
        "body": {"message": {"body": "Hello 42", "trace_id": "4efaaf4d1e8720b39541901950019ee5", "n": {"x": [1, 2]}}},
        "custom": {"trace_id": "4efaaf4d1e8720b39541901950019ee5", "n": {"x": [1, 2]}},
        "server": {"host": "vm", "pid": 3893, "argv": ["service.py"]},
    })
}

/// As rollbar.js sends it from a browser.
fn browser() -> Json {
    json!({
        "environment": "production", "level": "error", "endpoint": "api.rollbar.com/api/1/item/", "platform": "browser",
        "framework": "browser-js", "language": "javascript", "uuid": "0c3d4f5a-1111-4a2b-8c3d-123456789abc",
        "timestamp": 1_795_532_228, "server": {}, "notifier": {"name": "rollbar-browser-js", "version": "2.26.4"},
        "custom": {"session": 7},
        "request": {"url": "http://localhost:3000/", "query_string": "", "user_ip": "$remote_ip"},
        "client": {"runtime_ms": 812, "timestamp": 1_795_532_228,
            "javascript": {"browser": "Mozilla/5.0", "language": "en-US", "screen": {"width": 1280, "height": 800}}},
        "body": {
            "telemetry": [{"level": "info", "type": "navigation", "timestamp_ms": 1_795_532_227_000_i64,
                "body": {"from": "/", "to": "/home"}, "source": "client"}],
            "trace": {"extra": {"component": "Feed"},
                "exception": {"class": "TypeError", "message": "x is undefined", "description": "Uncaught TypeError"},
                "frames": [{"filename": "http://localhost:3000/static/js/bundle.js?v=17", "lineno": 42, "colno": 7,
                    "method": "HomeFeedPage", "code": null, "context": null}]}},
    })
}

#[test]
fn pyrollbars_exception_is_read_whole() {
    let seen = occurrence(&exception(), RECEIVED);
    assert_eq!(seen.uuid, "5bd7f8b3-0b76-4ca5-b1f9-23a6abd849a5");
    assert_eq!(seen.title, "ValueError: bad handle x");
    assert_eq!((seen.level, seen.timestamp), (Level::Error, Nanos(1_795_532_228_000_000_000)));
    assert_eq!((seen.environment.as_str(), seen.context.as_str()), ("development", "/api/activities/<h>"));
    let classes: Vec<&str> = seen.traces.iter().map(|trace| trace.class.as_str()).collect();
    assert_eq!(classes, ["ValueError", "ZeroDivisionError"], "outermost first");
    let last = &seen.traces[0].frames[1];
    assert_eq!((last.filename.as_str(), last.lineno, last.method.as_str()), ("/app/service.py", Some(25), "act"));
    assert_eq!(last.args, [Attribute::new("h", "x")]);
    assert!(get(&last.locals, "h").is_none(), "an argument is shown once");
    let names = |list: &[Attribute]| list.iter().map(|a| a.key.clone()).collect::<Vec<_>>();
    assert_eq!(names(&seen.traces[0].frames[0].args), ["self", "environ", "start_response"]);
    assert!(matches!(get(&last.locals, "weird"), Some(Value::Map(_))), "one local is one value");
    let person = seen.person.expect("said");
    assert_eq!((person.label(), &person.username, &person.email), ("andrewbrown", &None, &None));
    assert_eq!(get(&seen.request, "headers.User-Agent"), Some(&Value::from("Werkzeug/3.1.9")));
    assert_eq!(get(&seen.request, "GET.q"), Some(&Value::from("1")));
    assert_eq!(get(&seen.request, "method"), Some(&Value::from("GET")));
    assert_eq!(get(&seen.other, "notifier.name"), Some(&Value::from("pyrollbar")));
    assert_eq!(get(&seen.other, "server.pid"), Some(&Value::Int(3893)));
    assert!(get(&seen.other, "attributes.execution_scope_id").is_some());
    assert!(get(&seen.other, "uuid").is_none() && get(&seen.other, "body.trace_chain").is_none());
    assert!(seen.custom.is_empty() && seen.message.is_empty() && seen.notes.is_empty(), "{:?}", seen.notes);
}

#[test]
fn a_messages_extra_is_shown_once() {
    let seen = occurrence(&message(), RECEIVED);
    assert_eq!((seen.title.as_str(), seen.message.as_str(), seen.level), ("Hello 42", "Hello 42", Level::Warning));
    let keys: Vec<&str> = seen.custom.iter().map(|attribute| attribute.key.as_str()).collect();
    assert_eq!(keys, ["trace_id", "n.x"]);
    assert!(seen.person.is_none() && seen.traces.is_empty() && seen.request.is_empty() && seen.context.is_empty());

    let seen = occurrence(&json!({"body": {"message": {"body": "no custom", "only": "here"}}}), RECEIVED);
    assert_eq!(get(&seen.custom, "only"), Some(&Value::from("here")));
    assert_eq!(seen.level, Level::Info, "a message's default");
}

#[test]
fn a_browsers_error_is_read() {
    let seen = occurrence(&browser(), RECEIVED);
    assert_eq!(seen.title, "TypeError: x is undefined");
    let frame = &seen.traces[0].frames[0];
    assert_eq!((frame.method.as_str(), frame.lineno, frame.colno), ("HomeFeedPage", Some(42), Some(7)));
    assert!(frame.pre.is_empty() && frame.post.is_empty() && frame.args.is_empty());
    assert_eq!(get(&seen.custom, "extra.component"), Some(&Value::from("Feed")));
    assert_eq!(get(&seen.other, "client.javascript.screen.width"), Some(&Value::Int(1280)));
    assert_eq!(get(&seen.other, "body.telemetry.0.body.to"), Some(&Value::from("/home")));
    let mut other_build = browser();
    other_build["body"]["trace"]["frames"][0]["filename"] = "http://localhost:3000/static/js/bundle.js?v=18".into();
    assert_eq!(occurrence(&other_build, RECEIVED).item, seen.item);
}

#[test]
fn the_code_around_a_line_and_every_kind_of_argument_are_read() {
    let of = |frame: Json| {
        let trace = json!({"frames": [frame], "exception": {"class": "E", "message": "m"}});
        let mut seen = occurrence(&json!({"body": {"trace": trace}}), RECEIVED);
        (seen.traces.remove(0).frames.remove(0), seen.notes)
    };
    // rollbar.js of Node.
    let (frame, notes) =
        of(json!({"filename": "/app/server.js", "lineno": 12, "colno": 9, "code": "  throw new Error('no')",
        "context": {"pre": ["function f() {", "  // why"], "post": ["}"]}}));
    assert_eq!(
        (frame.pre, frame.post),
        (vec!["function f() {".to_owned(), "  // why".to_owned()], vec!["}".to_owned()])
    );
    assert_eq!((frame.colno, notes.len()), (Some(9), 0));
    // pyrollbar's names, with values among the locals; and values only, as older SDKs send them.
    let (frame, _) = of(json!({"filename": "a.py", "argspec": ["a"], "varargspec": "rest", "keywordspec": "named",
        "locals": {"a": 1, "rest": [2], "named": {"k": 3}, "b": 4}}));
    let said: Vec<String> = frame.args.iter().map(|a| a.key.clone()).collect();
    assert_eq!(said, ["a", "*rest", "**named"]);
    assert_eq!(frame.locals, [Attribute::new("b", 4)]);
    let (frame, _) = of(json!({"filename": "a.rb", "args": [7, "x"], "kwargs": {"k": true}}));
    assert_eq!(frame.args, [Attribute::new("0", 7), Attribute::new("1", "x"), Attribute::new("k", true)]);
    // However much is sent.
    let many: Vec<String> = (0..500).map(|n| n.to_string()).collect();
    let (frame, notes) = of(json!({"filename": "a", "context": {"pre": many, "post": many}}));
    assert_eq!((frame.pre.len(), frame.post.len()), (MAX_CONTEXT, MAX_CONTEXT));
    assert_eq!((frame.pre[MAX_CONTEXT - 1].as_str(), frame.post[0].as_str()), ("499", "0"), "what is nearest stays");
    assert_eq!(notes, ["more than 20 lines of code around a frame's own are left out"]);
    // A frame without these fields is serialised without them.
    let (frame, _) = of(json!({"filename": "a.py", "lineno": 1, "method": "f", "code": "x"}));
    let written = serde_json::to_value(frame).expect("JSON");
    assert_eq!(written, json!({"filename": "a.py", "lineno": 1, "method": "f", "code": "x"}));
}

#[test]
fn a_crash_report_is_its_text() {
    let seen = occurrence(&json!({"body": {"crash_report": {"raw": "SIGSEGV at 0x0\nmore"}}}), RECEIVED);
    assert_eq!((seen.title.as_str(), seen.level), ("SIGSEGV at 0x0", Level::Error));
    assert!(seen.message.ends_with("more"));
}

#[test]
fn grouping_goes_by_environment_class_and_frames_not_by_lines() {
    let one = occurrence(&exception(), RECEIVED).item;
    assert_eq!(one.len(), 16);
    let changed = |change: fn(&mut Json)| {
        let mut data = exception();
        change(&mut data);
        occurrence(&data, RECEIVED).item
    };
    assert_eq!(one, changed(|data| data["body"]["trace_chain"][0]["frames"][1]["lineno"] = 26.into()));
    assert_ne!(one, changed(|data| data["environment"] = "production".into()), "each environment has its own items");
    assert_eq!(one, changed(|data| data["body"]["trace_chain"][0]["exception"]["message"] = "bad handle y".into()));
    assert_ne!(one, changed(|data| data["body"]["trace_chain"][0]["exception"]["class"] = "KeyError".into()));
    assert_ne!(one, changed(|data| data["body"]["trace_chain"][1]["frames"][0]["method"] = "other".into()));
    let printed = changed(|data| data["fingerprint"] = "mine".into());
    assert_ne!(one, printed);
    let mut message = message();
    message["fingerprint"] = "mine".into();
    assert_eq!(printed, occurrence(&message, RECEIVED).item, "a fingerprint is all that counts");
    message["environment"] = "production".into();
    assert_ne!(printed, occurrence(&message, RECEIVED).item, "within its environment");
}

#[test]
fn where_the_code_lies_does_not_count() {
    let item = |root: &str, file: &str| {
        let trace = json!({"frames": [{"filename": file, "method": "f"}], "exception": {"class": "E", "message": "m"}});
        occurrence(&json!({"server": {"root": root}, "body": {"trace": trace}}), RECEIVED).item
    };
    let here = item("/home/me/app", "/home/me/app/views.py");
    assert_eq!(here, item("/srv/app/", "/srv/app/views.py"));
    assert_eq!(here, item(r"C:\app", r"/views.py"), "no root, nothing to leave out");
    assert_ne!(here, item("/srv/app", "/srv/app/other.py"));
    assert_ne!(here, item("/srv/app", "/srv/app2/views.py"));
    assert_ne!(item("", "/a/views.py"), item("", "/b/views.py"));
}

#[test]
fn messages_group_by_what_is_no_data_in_them() {
    let item = |text: &str| occurrence(&json!({"body": {"message": {"body": text}}}), RECEIVED).item;
    assert_eq!(item("order 17 failed"), item("order 18 failed"));
    assert_ne!(item("order 17 failed"), item("order 17 passed"));
    assert_ne!(item("step 1 failed"), item("step 2 failed"), "one digit counts");
    let bare = |text: &str| {
        let trace = json!({"frames": [], "exception": {"class": "E", "message": text}});
        occurrence(&json!({"body": {"trace": trace}}), RECEIVED).item
    };
    assert_eq!(bare("order 17 failed"), bare("order 18 failed"));
    assert_ne!(bare("order 17 failed"), bare("order 17 passed"), "without frames only the message counts");
}

#[test]
fn times_and_levels_come_in_many_ways() {
    let at = |sent: Json| {
        let seen = occurrence(&json!({"body": {}, "timestamp": sent}), RECEIVED);
        (seen.timestamp.0, seen.notes.len())
    };
    assert_eq!(at(json!(1_795_532_228)), (1_795_532_228_000_000_000, 0));
    assert_eq!(at(json!(1_795_532_228.25)), (1_795_532_228_250_000_000, 0));
    assert_eq!(at(json!("1795532228.5")), (1_795_532_228_500_000_000, 0));
    assert_eq!(at(json!(1_795_532_228_250_i64)), (1_795_532_228_250_000_000, 0));
    assert_eq!(at(json!("2026-11-24T14:57:08Z")), (1_795_532_228_000_000_000, 0));
    assert_eq!(at(json!(null)), (RECEIVED.0, 0));
    for bad in [json!("yesterday"), json!([]), json!(1e300), json!("NaN"), json!(0), json!(5), json!(4_102_444_800_i64)]
    {
        assert_eq!(at(bad), (RECEIVED.0, 1));
    }
    let level = |sent: Json| occurrence(&json!({"body": {"trace": {}}, "level": sent}), RECEIVED).level;
    for (sent, expected) in [
        (json!("critical"), Level::Critical),
        (json!("WARNING"), Level::Warning),
        (json!(30), Level::Warning),
        (json!("50"), Level::Critical),
        (json!(null), Level::Error),
        (json!({"a": 1}), Level::Error),
    ] {
        assert_eq!(level(sent), expected);
    }
}

#[test]
fn a_title_that_was_given_wins_and_is_one_line() {
    let mut data = exception();
    data["title"] = format!("Mine\n{}", "x".repeat(999)).into();
    assert_eq!(occurrence(&data, RECEIVED).title, "Mine");
    data["title"] = "é".repeat(999).into();
    assert_eq!(occurrence(&data, RECEIVED).title.chars().count(), MAX_TITLE_LENGTH + 1);
    data["title"] = Json::Null;
    data["body"]["trace_chain"][0]["exception"]["message"] = "".into();
    assert_eq!(occurrence(&data, RECEIVED).title, "ValueError");
}

#[test]
fn a_record_names_the_person_and_the_trace() {
    let record = record(&exception(), RECEIVED).expect("an item");
    assert_eq!(record.person, "andrewbrown");
    assert_eq!(record.trace_id, "4efaaf4d1e8720b39541901950019ee5".parse().ok());
    let (seen, warnings) = read(&record.raw, RECEIVED);
    assert_eq!((seen, warnings.len()), (occurrence(&exception(), RECEIVED), 0));

    let traced = |change: fn(&mut Json)| {
        let mut data = message();
        data["custom"] = json!({});
        data["body"]["message"] = json!({"body": "x"});
        change(&mut data);
        super::record(&data, RECEIVED).expect("an item").trace_id.map(TraceId::xray)
    };
    let id = Some("1-4efaaf4d-1e8720b39541901950019ee5".to_owned());
    assert_eq!(traced(|_| ()), None);
    for change in [
        (|data| data["custom"]["trace_id"] = "4efaaf4d1e8720b39541901950019ee5".into()) as fn(&mut Json),
        |data| data["custom"]["otelTraceID"] = "4EFAAF4D1e8720b39541901950019ee5".into(),
        |data| data["body"]["message"]["traceId"] = "1-4efaaf4d-1e8720b39541901950019ee5".into(),
        |data| {
            let root = "Self=1-0;Root=1-4efaaf4d-1e8720b39541901950019ee5;Parent=53995c3f42cd8ad8;Sampled=1";
            data["request"] = json!({"headers": {"x-amzn-trace-id": root}});
        },
        |data| {
            data["request"] =
                json!({"headers": {"TRACEPARENT": ["00-4efaaf4d1e8720b39541901950019ee5-53995c3f42cd8ad8-ff"]}});
        },
    ] {
        assert_eq!(traced(change), id);
    }
    assert_eq!(traced(|data| data["custom"]["trace_id"] = "0".repeat(32).into()), None);
    assert_eq!(traced(|data| data["request"] = json!({"headers": [1], "trace_id": 5})), None);
}

#[test]
fn without_a_uuid_one_is_made_of_the_payload_and_its_time() {
    let mut data = exception();
    data["uuid"] = Json::Null;
    let uuid = |data: &Json, received| record(data, received).expect("an item").uuid;
    let one = uuid(&data, RECEIVED);
    assert_eq!(one.len(), 32);
    assert_eq!(one, uuid(&data, Nanos(0)), "the same when sent again");
    data["timestamp"] = Json::Null;
    assert_ne!(uuid(&data, RECEIVED), uuid(&data, Nanos(0)), "without a time these are two occurrences");
    let record = record(&data, RECEIVED).expect("an item");
    assert_eq!(read(&record.raw, record.timestamp).0.uuid, record.uuid, "and is read back so");
    data["uuid"] = "x".repeat(999).into();
    assert_eq!(uuid(&data, RECEIVED).len(), 32, "an id is short");
}

#[test]
fn invalid_items_are_rejected_with_a_reason() {
    for (data, word) in [(json!([]), "object"), (json!({}), "`body`"), (json!({"body": "text"}), "`body`")] {
        assert!(record(&data, RECEIVED).expect_err("no item").contains(word));
    }
    let (seen, warnings) = read(b"\xff{", RECEIVED);
    assert_eq!((seen.timestamp, warnings.len()), (RECEIVED, 1));
    assert!(seen.title.contains("not readable"));
}

#[test]
fn too_much_is_bounded_and_said() {
    let mut deep = json!(1);
    for _ in 0..120 {
        deep = json!({ "k": deep });
    }
    let many: Map<String, Json> = (0..5000).map(|n| (format!("k{n}"), json!(n))).collect();
    let frames: Vec<Json> = (0..3000).map(|n| json!({"filename": "a.py", "lineno": n})).collect();
    let mut long = json!(1);
    for _ in 0..20 {
        long = json!({ "k".repeat(10_000): long });
    }
    let data = json!({
        "body": {"trace_chain": vec![json!({"frames": frames, "exception": {"class": "RecursionError"}}); 2]},
        "custom": {"deep": deep, "long": long}, "request": many, NOTES: ["custom.x: cut"],
    });
    let seen = occurrence(&data, RECEIVED);
    assert_eq!(seen.request.len(), MAX_ATTRIBUTES);
    assert_eq!(seen.traces[0].frames.len(), MAX_FRAMES);
    assert_eq!(seen.traces[1].frames.last().and_then(|frame| frame.lineno), Some(2999), "the most recent one stays");
    assert!(seen.custom.iter().all(|attribute| attribute.key.len() < 5000));
    let notes = seen.notes.join("\n");
    for word in ["custom.x: cut", "4000 not shown", "2,000 of 3,000 frames"] {
        assert!(notes.contains(word), "{notes}");
    }
    let written = serde_json::to_string(&seen).expect("writes");
    assert_eq!(serde_json::from_str::<Occurrence>(&written).expect("evidence reads back"), seen);
}

/// Payloads with valid names and arbitrary values.
fn any_data() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    let names = [
        "body",
        "trace",
        "trace_chain",
        "message",
        "crash_report",
        "exception",
        "class",
        "frames",
        "filename",
        "lineno",
        "locals",
        "level",
        "timestamp",
        "uuid",
        "title",
        "person",
        "id",
        "request",
        "headers",
        "traceparent",
        "custom",
        "trace_id",
        "fingerprint",
        "attributes",
        "key",
        "value",
        "extra",
        NOTES,
        "é",
    ];
    leaf.prop_recursive(6, 80, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((prop::sample::select(names.to_vec()), inner), 0..8)
                .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_panics_and_stored_items_can_be_read(data in any_data()) {
        let seen = occurrence(&data, RECEIVED);
        prop_assert!(!seen.title.is_empty() && !seen.uuid.is_empty() && seen.item.len() == 16);
        if let Ok(record) = record(&data, RECEIVED) {
            let (again, warnings) = read(&record.raw, RECEIVED);
            prop_assert_eq!(&again, &seen);
            prop_assert!(warnings.is_empty());
            prop_assert_eq!((record.uuid, record.item, record.title), (seen.uuid, seen.item, seen.title));
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>(), raw in any::<Vec<u8>>()) {
        likeness::message(&text);
        likeness::file(&text);
        likeness::method(&text);
        id_in(&text);
        read(&raw, RECEIVED);
    }
}

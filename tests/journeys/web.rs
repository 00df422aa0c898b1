//! Access control of the web host: nothing without the key, nothing for other sites, and the key in no other place.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::support::{Journal, KEY, Serve, address_and_key, files, http};

fn url(serve: &Serve) -> String {
    serve.ready["ui"]["url"].as_str().expect("a URL").to_owned()
}

fn get(address: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
    let headers: Vec<_> = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    http("GET", address, path, &headers, b"").0
}

#[test]
fn the_ui_answers_only_with_its_key() {
    let journal = Journal::new();
    let serve = journal.serve(&["--ui", "127.0.0.1:0", "--allow-host", "workspace.example"]);
    let url = url(&serve);
    let (address, key) = address_and_key(&url);
    let port = address.rsplit_once(':').expect("a port").1;
    let with_key = (KEY, key);
    let digits = key.strip_prefix("tbk_").expect("the form that credential scanners recognise");
    assert!(digits.len() == 43 && digits.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));

    let cookie = format!("tracebook-{port}={key}");
    for path in
        ["/events", "/rpc", "/card/01JD4ZK8S7M5V9TQ2WXYB3CDEF.svg", "/live/x.svg", "/livecard/x.svg", "/attachment/x"]
    {
        for headers in [
            &[][..],
            &[(KEY, "")],
            &[(KEY, "tbk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")],
            &[(KEY, &key[..46])],
            &[(KEY, &key.to_uppercase())],
            &[with_key, with_key],
            &[("Cookie", &cookie)],
        ] {
            let pairs: Vec<_> = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let (status, body) = http("GET", address, path, &pairs, b"");
            assert_eq!((status, body.len()), (401, 0), "{path} {headers:?}");
        }
        assert_eq!(get(address, &format!("{path}?key={key}&token={key}"), &[]), 401, "{path}");
    }
    assert_eq!(get(address, "/", &[]), 200, "the page is public; it contains nothing of the journal");

    let own = [address.to_owned(), format!("localhost:{port}"), "127.0.0.1".to_owned(), format!("[::1]:{port}")];
    for host in own.iter().map(String::as_str).chain(["workspace.example", "workspace.example:443"]) {
        assert_eq!(get(address, "/", &[("Host", host)]), 200, "{host}");
    }
    for host in [
        "evil.example",
        "127.0.0.1:1",
        "[::1].evil",
        "127.0.0.2:80",
        "workspace.example.evil",
        "workspace.example:9",
        &format!("127.0.0.1:{port}:{port}"),
        &format!("x@{address}"),
    ] {
        assert_eq!(get(address, "/", &[("Host", host)]), 403, "{host}");
    }
    let own = format!("http://{address}");
    for origin in [own.as_str(), "https://workspace.example", &format!("http://localhost:{port}")] {
        assert_eq!(get(address, "/card/x.svg", &[with_key, ("Origin", origin)]), 400, "{origin}");
    }
    for origin in [
        "https://evil.example",
        "http://127.0.0.1",
        "http://localhost",
        "http://127.0.0.1:1",
        "null",
        "*",
        "",
        &format!("https://{address}"),
        &format!("{own}/"),
        "https://workspace.example:9",
        "ftp://workspace.example",
    ] {
        assert_eq!(get(address, "/card/x.svg", &[with_key, ("Origin", origin)]), 403, "{origin}");
    }
    for path in ["/../Cargo.toml", "/..%2f..%2fetc/passwd", "/card/..%2f..%2fx.svg", "/assets/../../x"] {
        let status = get(address, path, &[with_key]);
        assert!(status == 404 || status == 400, "{path}: {status}");
    }

    let ask = |kind: &str, body: &str| {
        let headers = [(KEY.to_owned(), key.to_owned()), ("Content-Type".to_owned(), kind.to_owned())];
        let (status, answer) = http("POST", address, "/rpc", &headers, body.as_bytes());
        (status, serde_json::from_slice::<serde_json::Value>(&answer).unwrap_or_default())
    };
    let list = json!({ "cmd": "entry_list", "args": {} }).to_string();
    assert_eq!(ask("application/json", &list), (200, json!([])));
    assert_eq!(ask("text/plain", &list).0, 400, "what a form can send");
    for body in ["", "{", "[]", "{\"cmd\": \"nothing\", \"args\": {}}", "{\"cmd\": \"entry_get\", \"args\": 7}"] {
        let (status, answer) = ask("application/json", body);
        assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("usage")), "{body}");
    }
    let (status, answer) =
        ask("application/json", &json!({ "cmd": "entry_get", "args": { "entry": "x" } }).to_string());
    assert_eq!((status, answer["error"]["code"].as_str()), (404, Some("not_found")));
    assert_eq!(serve.stop(), 0);
}

#[test]
fn the_key_survives_a_restart_and_is_in_no_other_file_or_process_title() {
    let journal = Journal::new();
    let start = |more: &[&str]| journal.serve(&[&["--ui", "127.0.0.1:0"], more].concat());
    let serve = start(&[]);
    let first = url(&serve);
    let (address, key) = address_and_key(&first);
    let key = key.to_owned();
    let (status, session) = http("GET", address, "/session?challenge=0123456789abcdef", &[], b"");
    let session = String::from_utf8(session).expect("UTF-8");
    assert!(status == 200 && session.contains("\"proof\"") && !session.contains(&key), "{session}");
    assert_eq!(get(address, "/session?challenge=short", &[]), 400);

    let file = journal.data().join("web.key");
    assert_eq!(std::fs::read_to_string(&file).expect("the key's file"), format!("{key}\n"));
    assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    let title = std::fs::read(format!("/proc/{}/cmdline", serve.pid())).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&title).contains(&key));
    assert_eq!(serve.stop(), 0);

    let serve = start(&[]);
    let second = url(&serve);
    assert_eq!(address_and_key(&second).1, key, "an open page comes back by itself");
    assert_eq!(serve.stop(), 0);
    let report = journal.dir.path().join("report");
    journal.run(&["-vv", "doctor", "--report", report.to_str().expect("UTF-8")]);
    assert!(!std::fs::read_to_string(&report).expect("a report").contains(&key[4..]));
    for (name, bytes) in files(&journal.data()) {
        let found = bytes.windows(key.len()).any(|window| window == key.as_bytes());
        assert_eq!(found, name == "web.key", "{name}");
    }

    let serve = start(&["--new-key"]);
    let third = url(&serve);
    let (address, renewed) = address_and_key(&third);
    assert_ne!(renewed, key);
    assert_eq!(get(address, "/card/x.svg", &[(KEY, &key)]), 401, "the old key");
    assert_eq!(get(address, "/card/x.svg", &[(KEY, renewed)]), 400, "the new key");
    assert_eq!(serve.stop(), 0);

    let (code, _, _) = journal.run(&["serve", "--new-key"]);
    assert_eq!(code, 2, "there is no UI whose key could be replaced");
}

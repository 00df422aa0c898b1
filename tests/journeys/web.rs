//! Access control of the web host: nothing without the token, nothing for other sites.

use serde_json::json;

use crate::support::{Journal, http};

#[test]
fn the_ui_is_served_only_with_its_token() {
    let journal = Journal::new();
    let serve = journal.serve(&["--ui", "127.0.0.1:0", "--allow-host", "workspace.example"]);
    let url = serve.ready["ui"]["url"].as_str().expect("a URL").to_owned();
    let (address, token) = url.strip_prefix("http://").and_then(|u| u.split_once("/?token=")).expect("a token");
    let port = address.rsplit_once(':').expect("a port").1;
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let cookie = format!("tracebook-{port}={token}");
    let with_key = ("Cookie", cookie.as_str());
    let get = |path: &str, headers: &[(&str, &str)]| http("GET", address, path, &pairs(headers), b"").0;

    assert_eq!(get(&format!("/?token={token}"), &[]), 303, "the token is exchanged for a cookie");
    assert_eq!(get("/?token=0000", &[]), 401);
    for path in ["/", "/events", "/card/01JD4ZK8S7M5V9TQ2WXYB3CDEF.svg", "/index.html"] {
        assert_eq!(get(path, &[]), 401, "{path} without the token");
    }
    assert_eq!(get("/", &[with_key]), 200);
    assert_eq!(get("/", &[with_key, ("Host", "evil.example")]), 403, "a rebound name");
    assert_eq!(get("/", &[with_key, ("Host", "workspace.example")]), 200, "an allowed name");
    assert_eq!(get("/", &[with_key, ("Origin", "https://evil.example")]), 403, "another site");
    for path in ["/../Cargo.toml", "/..%2f..%2fetc/passwd", "/card/..%2f..%2fx.svg", "/assets/../../x"] {
        let status = get(path, &[with_key]);
        assert!(status == 404 || status == 400, "{path}: {status}");
    }

    let ask = |kind: &str, body: &str| {
        let headers = pairs(&[with_key, ("Content-Type", kind)]);
        let (status, answer) = http("POST", address, "/rpc", &headers, body.as_bytes());
        (status, serde_json::from_slice::<serde_json::Value>(&answer).unwrap_or_default())
    };
    assert_eq!(ask("application/json", &json!({ "cmd": "entry_list", "args": {} }).to_string()), (200, json!([])));
    assert_eq!(
        ask("text/plain", &json!({ "cmd": "entry_list", "args": {} }).to_string()).0,
        400,
        "what a form can send"
    );
    for body in ["", "{", "[]", "{\"cmd\": \"nothing\", \"args\": {}}", "{\"cmd\": \"entry_get\", \"args\": 7}"] {
        let (status, answer) = ask("application/json", body);
        assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("usage")), "{body}");
    }
    let (status, answer) =
        ask("application/json", &json!({ "cmd": "entry_get", "args": { "entry": "x" } }).to_string());
    assert_eq!((status, answer["error"]["code"].as_str()), (404, Some("not_found")));
    assert_eq!(serve.stop(), 0);
}

//! The life cycle of a live card: refreshed while visible, frozen from a terminal, exported, imported.

use serde_json::{Value as Json, json};

use crate::support::{Journal, KEY, Serve, address_and_key, files, http, otlp_span, post_traces, text, until};

/// The web host's API, as a window uses it.
struct Window {
    address: String,
    key: String,
}

impl Window {
    fn of(serve: &Serve) -> Self {
        let url = serve.ready["ui"]["url"].as_str().expect("a URL");
        let (address, key) = address_and_key(url);
        Self { address: address.to_owned(), key: key.to_owned() }
    }

    fn headers(&self) -> Vec<(String, String)> {
        vec![(KEY.into(), self.key.clone()), ("Content-Type".into(), "application/json".into())]
    }

    fn ask(&self, cmd: &str, args: Json) -> (u16, Json) {
        let body = json!({ "cmd": cmd, "args": args, "client": "journey", "call": "" }).to_string();
        let (status, answer) = http("POST", &self.address, "/rpc", &self.headers(), body.as_bytes());
        (status, serde_json::from_slice(&answer).unwrap_or_default())
    }

    fn rpc(&self, cmd: &str, args: Json) -> Json {
        let (status, answer) = self.ask(cmd, args);
        assert_eq!(status, 200, "{cmd}: {answer}");
        answer
    }

    fn get(&self, path: &str) -> (u16, String) {
        let (status, body) = http("GET", &self.address, path, &self.headers(), b"");
        (status, String::from_utf8(body).expect("UTF-8"))
    }
}

fn send(serve: &Serve, trace: u64, name: &str) {
    let (status, _) =
        post_traces(serve.http(), "application/json", otlp_span(trace, 1, None, name).to_string().as_bytes());
    assert_eq!(status, 200);
}

#[test]
fn a_live_card_is_refreshed_frozen_exported_and_imported() {
    let journal = Journal::new();
    let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
    let window = Window::of(&serve);

    // One stored query, and one that never has a result.
    let new = |filter: &str| {
        window.rpc("live_card_new", json!({ "question": { "kind": "trace", "filter": filter }, "pace_seconds": 1 }))
    };
    let card = new("service:journey");
    let never = new("service:nobody");
    let id = text(&card, "id");
    let body = format!("# Live\n\n{}\n\nand {} too\n", text(&card, "reference"), text(&never, "reference"));
    window.rpc("entry_new", json!({ "week": null, "title": "Live", "body": body }));
    let markup = window.rpc("markup", json!({ "body": body }));
    assert_eq!(markup["live"].as_array().map(Vec::len), Some(2), "{markup}");
    assert_eq!(markup["slots"], json!([]));

    // While visible, it shows incoming data.
    let look = |id: &str| window.rpc("live_card_look", json!({ "id": id }));
    assert_eq!(look(id)["problem"]["code"], "not_found");
    assert_eq!(window.get(&format!("/livecard/{id}.svg")).0, 404, "nothing to draw yet");
    send(&serve, 1, "the first");
    let first = until("an answer", || Some(look(id)).filter(|l| l["answer"].is_string()));
    assert!(text(&first, "answer").starts_with("the first, 1 span"), "{first}");
    send(&serve, 2, "the second");
    let second = until("the next answer", || Some(look(id)).filter(|l| text(l, "answer").starts_with("the second")));
    let (status, svg) = window.get(&format!("/{}&size=compact", text(&second, "picture")));
    assert!(status == 200 && svg.contains("LIVE, NOT EVIDENCE") && svg.contains("the second"), "{svg}");
    assert!(!svg.contains("<metadata"), "it is not evidence");
    assert_eq!(window.get("/livecard/nonsense.svg").0, 400);

    // Its queries do not affect those of a terminal.
    let (code, wrong) = journal.json_code(&["capture", "logs", &format!("live:{id}")]);
    assert_eq!((code, text(&wrong["error"], "code")), (2, "usage"));
    let (code, _) = journal.json_code(&["capture", "trace", "live:01JD4ZZZZZZZZZZZZZZZZZZZZZ"]);
    assert_eq!(code, 1);
    let (code, nothing) = journal.json_code(&["capture", "trace", &format!("live:{}", text(&never, "id"))]);
    assert_eq!(code, 1, "{nothing}");

    // Frozen from another process, into the entry: the reference now points at evidence.
    let captured = journal.json(&["capture", "trace", &format!("live:{id}"), "--into", "live"]);
    assert!(text(&captured, "title").starts_with("the second"));
    let evidence = text(&captured, "id");
    let shown = journal.json(&["entry", "show", "live"]);
    assert!(text(&shown, "body").starts_with(&format!("# Live\n\n![the second, 1 span, 5 ms](evidence:{evidence} \"")));
    assert!(text(&shown, "body").contains(&format!("(live:{})", text(&never, "id"))));

    // The previous text is written again: the card is live, and an export shows what was frozen.
    let (code, ..) = journal.run_with(&["entry", "set", "live", "--body", "-"], body.as_bytes());
    assert_eq!(code, 0);
    send(&serve, 3, "the third");
    let out = journal.dir.path().join("repo");
    let to = out.display().to_string();
    let exported = journal.json(&["export", "live", "--to", &to]);
    let warnings = exported["warnings"].as_array().expect("warnings");
    assert!(warnings.len() == 1 && warnings[0].as_str().is_some_and(|w| w.contains("never frozen")), "{exported}");
    let first_files = files(&out);
    let md = String::from_utf8(first_files["journal/live.md"].clone()).expect("UTF-8");
    assert!(md.contains(&format!("<!-- tracebook:live {id} {evidence} -->")), "{md}");
    assert!(md.contains("live card, frozen 20") && md.contains("the second") && !md.contains("the third"), "{md}");
    assert!(
        md.contains("and <em>Live card, never frozen: newest trace of local telemetry, service:nobody</em>"),
        "{md}"
    );
    let again = journal.json(&["export", "live", "--to", &to]);
    assert_eq!(again["written"], json!([]));
    assert_eq!(serve.stop(), 0);

    // Verified by a reader, and imported into another journal: the same queries with the same ids.
    let grader = Journal::new();
    let verified = grader.json(&["verify", &to]);
    assert_eq!((&verified["ok"], verified["evidence"].as_array().map(Vec::len)), (&json!(true), Some(1)), "{verified}");
    let imported = grader.json(&["import", &to]);
    assert_eq!(imported["warnings"], json!([]));
    assert_eq!(text(&grader.json(&["entry", "show", "live"]), "body"), body);
    let other = grader.dir.path().join("repo");
    grader.json(&["export", "live", "--to", &other.display().to_string()]);
    assert_eq!(files(&other), first_files, "byte for byte");
    let serve = grader.serve(&["--ui", "127.0.0.1:0"]);
    let window = Window::of(&serve);
    let known = window.rpc("live_card_get", json!({ "id": id }));
    assert_eq!((&known["question"], text(&known["frozen"], "id")), (&card["question"], evidence));
    send(&serve, 9, "over there");
    let look = until("the card to live again", || {
        Some(window.rpc("live_card_look", json!({ "id": id }))).filter(|l| l["answer"].is_string())
    });
    assert!(text(&look, "answer").starts_with("over there"), "{look}");
    assert_eq!(serve.stop(), 0);
}

#[test]
fn an_unreachable_source_blocks_nothing() {
    let journal = Journal::new();
    let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
    let window = Window::of(&serve);
    let card = window.rpc(
        "live_card_new",
        json!({ "question": { "kind": "trace", "source": "xray", "filter": "service() { fault }" } }),
    );
    assert!(card["pace_seconds"].as_u64() >= Some(10), "the minimum interval of the source: {card}");
    let start = std::time::Instant::now();
    let look = window.rpc("live_card_look", json!({ "id": card["id"] }));
    assert!(start.elapsed() < std::time::Duration::from_secs(3), "{look}");
    let said = until("why there is no answer", || {
        Some(window.rpc("live_card_look", json!({ "id": card["id"] }))).filter(|l| l["problem"].is_object())
    });
    assert!(said["answer"].is_null() && !text(&said["problem"], "message").is_empty(), "{said}");
    assert_eq!(serve.stop(), 0);
}

//! What the program reports about its own work: on standard error, and in the journal's log file.

use serde_json::json;

use crate::support::{Journal, http};

#[test]
fn diagnostics_are_shown_on_demand_and_kept_in_the_log_file() {
    let mut journal = Journal::new();
    let (code, _, stderr) = journal.run(&["entry", "list"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "silent by default");
    let (code, _, stderr) = journal.run(&["-vv", "entry", "list"]);
    assert_eq!(code, 0);
    assert!(stderr.contains("DEBUG") && stderr.contains("journal.db"), "{stderr}");

    journal.env.push(("TRACEBOOK_LOG".into(), "tracebook_store=debug".into()));
    let (code, _, stderr) = journal.run(&["entry", "list"]);
    assert_eq!(code, 0);
    assert!(stderr.contains("journal.db") && !stderr.contains("tracebook_app"), "{stderr}");
    journal.env = vec![("TRACEBOOK_LOG".into(), "tracebook=loud".into())];
    let (code, error) = journal.json_code(&["entry", "list"]);
    assert_eq!(code, 2);
    assert!(error["error"]["message"].as_str().is_some_and(|m| m.contains("TRACEBOOK_LOG")), "{error}");
    journal.env.clear();

    let log = journal.data().join("logs/tracebook.log");
    let serve = journal.serve(&[]);
    let text = std::fs::read_to_string(&log).expect("a log");
    let listening = text.lines().find(|line| line.contains(serve.http())).expect("the listener is logged");
    assert!(listening.contains("INFO") && listening.contains(&serve.pid().to_string()), "{listening}");
    assert_eq!(serve.stop(), 0);

    std::fs::write(journal.data().join("tracebook.toml"), "[log]\nlevel = \"off\"\n").expect("writes");
    let before = std::fs::read(&log).expect("reads");
    assert_eq!(journal.serve(&[]).stop(), 0);
    assert_eq!(std::fs::read(&log).expect("reads"), before, "turned off");
}

#[test]
fn requests_are_logged_without_what_they_carry() {
    let journal = Journal::new();
    std::fs::create_dir(journal.data()).expect("makes");
    std::fs::write(journal.data().join("tracebook.toml"), "[log]\nlevel = \"trace\"\n").expect("writes");
    let serve = journal.serve(&[]);
    let headers = [
        ("Content-Type".to_owned(), "application/json".to_owned()),
        ("Authorization".to_owned(), "Bearer planted-in-a-header-1".to_owned()),
    ];
    let body = json!({ "resourceSpans": "planted-in-a-body-1" }).to_string();
    let (status, _) = http("POST", serve.http(), "/v1/traces?token=planted-in-a-query-1", &headers, body.as_bytes());
    assert_eq!(status, 400);
    assert_eq!(serve.stop(), 0);
    let text = std::fs::read_to_string(journal.data().join("logs/tracebook.log")).expect("a log");
    assert!(text.contains("POST /v1/traces") && text.contains("status=400"), "{text}");
    assert!(!text.contains("planted"), "{text}");
}

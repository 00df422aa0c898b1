//! What the program reports about its own work: on standard error, and in the journal's log file.

use serde_json::json;

use crate::cloud::Cloud;
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

#[test]
fn a_report_describes_the_set_up_and_holds_no_credential_and_no_name() {
    let mut journal = Journal::new();
    let home = journal.dir.path().canonicalize().expect("a folder").display().to_string();
    let (data, path) = (journal.data(), journal.dir.path().join("report.md"));
    std::fs::create_dir_all(data.join("logs")).expect("makes");
    let settings = "# planted-in-a-comment\n[honeycomb]\nendpoint = \"http://user:planted-in-a-url@127.0.0.1:9\"\n";
    std::fs::write(data.join("tracebook.toml"), settings).expect("writes");
    std::fs::write(data.join("logs/tracebook.log"), "an older line with token=planted-in-the-log\n").expect("writes");
    for (name, value) in [
        ("HOME", home.as_str()),
        ("USER", "planted-user"),
        ("AWS_SECRET_ACCESS_KEY", "planted-in-the-environment"),
        ("ROLLBAR_ACCESS_TOKEN", "planted0in0the0environment"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-honeycomb-team=planted-in-a-header"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9/planted-in-the-environment"),
        ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2999"),
    ] {
        journal.env.push((name.to_owned(), value.to_owned()));
    }
    journal.json(&["entry", "new", "--week", "2"]);
    let file = path.display().to_string();
    let answer = journal.json(&["doctor", "--report", &file]);
    assert!(answer["checks"].as_array().is_some_and(|checks| !checks.is_empty()), "{answer}");
    assert_eq!(answer["report"], json!(file));
    let text = std::fs::read_to_string(&path).expect("a report");
    for wanted in [
        concat!("- Tracebook: ", env!("CARGO_PKG_VERSION")),
        "- schema of journal.db: ",
        "- entries: 1",
        "[honeycomb]",
        "- ROLLBAR_ACCESS_TOKEN: (set)",
        "- AWS_XRAY_DAEMON_ADDRESS: 127.0.0.1:2999",
        "an older line with token=",
        "## Checks",
        "~/data",
    ] {
        assert!(text.contains(wanted), "{wanted} is missing: {text}");
    }
    assert!(!text.contains("planted") && !text.contains(&home), "{text}");

    journal.json(&["doctor", "--report", &file]);
    std::fs::write(&path, "my notes").expect("writes");
    let (code, error) = journal.json_code(&["doctor", "--report", &file]);
    assert_eq!((code, error["error"]["code"].as_str()), (4, Some("refused")), "{error}");
    assert_eq!(std::fs::read_to_string(&path).expect("reads"), "my notes");
}

#[test]
fn a_cloud_call_is_logged_by_operation_and_outcome_only() {
    let cloud = Cloud::start();
    let mut journal = cloud.journal();
    journal.env.push(("TRACEBOOK_LOG".into(), "tracebook=trace".into()));
    let filter = "annotation.plan = \"planted-in-a-filter\"";
    let (_, _, stderr) = journal.run(&["live", "traces", "--source", "xray", "--filter", filter]);
    let call = stderr.lines().find(|line| line.contains("cloud call")).unwrap_or_else(|| panic!("no call: {stderr}"));
    for field in ["operation=\"X-Ray GetTraceSummaries\"", "attempt=1", "status=\"", "duration_ms="] {
        assert!(call.contains(field), "{field}: {call}");
    }
    assert!(!stderr.contains("planted"), "{stderr}");
}

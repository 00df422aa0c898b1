//! The main workflow: a real service sends, the entry contains the evidence, a reader verifies it.

use serde_json::{Value as Json, json};

use crate::support::{Journal, Service, files, otlp_span, post_traces, root, until};

fn week2() -> String {
    root().join("tests/entries/week2.md").display().to_string()
}

/// Waits for a matching trace that has its root span.
fn wait_for_trace(journal: &Journal, filter: &str, spans: u64) -> Json {
    until(filter, || {
        let (_, traces) = journal.json_code(&["live", "traces", "--filter", filter]);
        traces.as_array()?.iter().find(|t| t["spans"].as_u64() >= Some(spans)).cloned()
    })
}

#[test]
fn the_real_sdks_send_and_the_entry_contains_the_evidence() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);

    // The entry as a student wrote it.
    let imported = journal.json(&["import", &week2()]);
    assert_eq!(imported["entries"][0]["slug"], "week-2");
    let slots = journal.json(&["slots", "week-2"]);
    let texts: Vec<&str> = slots.as_array().expect("a list").iter().filter_map(|s| s["text"].as_str()).collect();
    assert_eq!(texts.len(), 6, "{texts:?}");
    let wants: Vec<&str> = slots.as_array().expect("a list").iter().filter_map(|s| s["wants"].as_str()).collect();
    assert_eq!(wants, ["console", "console", "trace", "logs", "error", "error"]);

    // OTLP: a successful and a failing request.
    let service = Service::start(&serve, &["--otlp"]);
    assert_eq!(service.get("/api/activities/home", &[]), 200);
    assert_eq!(service.get("/api/boom", &[]), 500);
    service.stop();
    let home = wait_for_trace(&journal, "name:/api/activities/home", 2);
    assert_eq!(home["status"], "ok");
    assert_eq!(home["services"], json!(["backend-flask"]));
    let otlp = journal.json(&[
        "capture",
        "trace",
        "--latest",
        "--filter",
        "name:/api/activities/home",
        "--into",
        "week-2",
        "--slot",
        "3",
    ]);
    assert_eq!(otlp["entries"], json!(["week-2"]));
    let failing = wait_for_trace(&journal, "status:error name:/api/boom", 1);
    assert_eq!(failing["has_error"], true);
    let boom = journal.json(&[
        "capture",
        "trace",
        failing["trace_id"].as_str().expect("an id"),
        "--into",
        "week-2",
        "--slot",
        "type error",
    ]);

    // X-Ray: 40 subsegments with metadata, streamed before their parent; and a failing request.
    let service = Service::start(&serve, &["--xray"]);
    assert_eq!(service.get("/api/rows/40", &[]), 200);
    // Until the SDK has read the sampling rules, it records one of the requests in each second.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(service.get("/api/boom", &[]), 500);
    service.stop();
    let rows = wait_for_trace(&journal, "name:/api/rows/40", 41);
    assert!(rows["spans"].as_u64() >= Some(41), "{rows}");
    let xray = journal.json(&[
        "capture",
        "trace",
        "--latest",
        "--filter",
        "name:/api/rows/40",
        "--into",
        "week-2",
        "--slot",
        "sent batch",
    ]);
    wait_for_trace(&journal, "status:fault", 1);
    journal.json(&["capture", "trace", "--latest", "--filter", "status:fault", "--into", "week-2"]);

    // The evidence contains what the SDKs sent.
    let shown = journal.json(&["evidence", "show", otlp["id"].as_str().expect("an id")]);
    let text = shown["evidence"].to_string();
    assert!(text.contains("\"links\":"), "the span link is kept");
    assert!(text.contains("app."), "custom attributes are kept");
    let boom = journal.json(&["evidence", "show", boom["id"].as_str().expect("an id")]).to_string();
    assert!(boom.contains("stacktrace"), "the exception's stack is kept");
    let xray_id = xray["id"].as_str().expect("an id").to_owned();
    let xray = journal.json(&["evidence", "show", &xray_id]).to_string();
    assert!(xray.matches("\"kind\":\"subsegment\"").count() >= 40, "every subsegment is kept");
    assert!(xray.contains("\"metadata\":"), "metadata is kept");
    let raw = journal.json(&["evidence", "show", &xray_id, "--raw"]);
    assert!(raw["spans"].as_array().expect("spans").len() >= 41);
    assert_eq!(serve.stop(), 0);

    // A second export changes nothing.
    let out = journal.dir.path().join("repo");
    let to = out.display().to_string();
    let exported = journal.json(&["export", "week-2", "--to", &to]);
    assert_eq!(exported["warnings"], json!([]));
    let first = files(&out);
    assert!(first.contains_key("journal/week2.md"), "{:?}", first.keys());
    let narrow = |name: &&String| name.ends_with(".narrow.svg");
    assert_eq!(first.keys().filter(|k| k.ends_with(".svg") && !narrow(k)).count(), 4);
    assert_eq!(first.keys().filter(narrow).count(), 4, "for phones");
    let again = journal.json(&["export", "week-2", "--to", &to]);
    assert_eq!(
        (again["written"].as_array().map(Vec::len), again["unchanged"].as_u64()),
        (Some(0), Some(first.len() as u64))
    );
    assert_eq!(files(&out), first);

    // What is left to do is listed with its line.
    let (code, checked) = journal.json_code(&["check", "week-2"]);
    assert_eq!((code, checked["ok"].as_bool()), (1, Some(false)));
    let slots = journal.json(&["slots", "week-2"]);
    let lines = |rows: &Json, kind: Option<&str>| -> Vec<u64> {
        let rows = rows.as_array().expect("rows").iter();
        rows.filter(|row| kind.is_none_or(|kind| row["kind"] == kind)).filter_map(|row| row["line"].as_u64()).collect()
    };
    assert_eq!(lines(&checked["problems"], Some("slot")), lines(&slots, None), "{checked}");
    assert!(checked["problems"].as_array().expect("rows").iter().all(|row| row["entry"] == "week-2"), "{checked}");

    // A reader verifies it without a journal.
    let grader = Journal::new();
    let verified = grader.json(&["verify", &to]);
    assert_eq!(verified["ok"], true);
    let rows = verified["evidence"].as_array().expect("rows");
    assert_eq!(rows.iter().filter(|r| r["verdict"] == "intact").count(), 4, "{rows:?}");
    assert_eq!(rows.len(), 4, "each one once: {rows:?}");
    let here = std::process::Command::new(crate::support::TRACEBOOK)
        .args(["--json", "verify", "repo"])
        .current_dir(journal.dir.path())
        .output()
        .expect("runs");
    let relative: Json = serde_json::from_slice(&here.stdout).expect("JSON");
    assert_eq!(relative["evidence"].as_array().map(Vec::len), Some(4), "also with a relative path: {relative}");

    // Imported into an empty journal: the same entry, the same evidence, the same export.
    let back = grader.json(&["import", &to]);
    assert_eq!(back["evidence"].as_array().map(Vec::len), Some(4));
    let original = journal.json(&["entry", "show", "week-2"]);
    let returned = grader.json(&["entry", "show", "week-2"]);
    for field in ["id", "slug", "week", "title", "body"] {
        assert_eq!(returned[field], original[field], "{field}");
    }
    let digests = |j: &Journal| -> Vec<(String, String)> {
        let rows = j.json(&["evidence", "list"]);
        let mut all: Vec<_> =
            rows.as_array().expect("rows").iter().map(|r| (r["id"].to_string(), r["digest"].to_string())).collect();
        all.sort();
        all
    };
    assert_eq!(digests(&grader), digests(&journal));
    let elsewhere = grader.dir.path().join("repo");
    grader.json(&["export", "--all", "--to", &elsewhere.display().to_string()]);
    assert_eq!(files(&elsewhere), first, "the round trip changes nothing");
    // Importing it again adds nothing.
    grader.json(&["import", &to]);
    assert_eq!(digests(&grader).len(), 4);
    assert_eq!(grader.json(&["entry", "list"]).as_array().map(Vec::len), Some(1));

    // No credential from the exporter's headers is in any file.
    for (name, bytes) in files(&journal.data()) {
        assert!(!bytes.windows(12).any(|w| w == b"hcaik_01plan"), "{name}");
    }
}

#[test]
fn both_sdks_at_once_make_one_trace() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let service = Service::start(&serve, &["--otlp", "--xray"]);
    let (epoch, random, parent) = ("6b0459ac", "d2fb2577c226bb0ed076fe79", "054c67903e698d43");
    let traceparent = format!("00-{epoch}{random}-{parent}-01");
    let header = format!("Root=1-{epoch}-{random};Sampled=1");
    assert_eq!(
        service.get("/api/activities/home", &[("traceparent", &traceparent), ("X-Amzn-Trace-Id", &header)]),
        200
    );
    service.stop();
    let trace = until("a trace of both", || {
        let (_, traces) = journal.json_code(&["live", "traces"]);
        traces.as_array()?.iter().find(|t| t["protocols"].as_array().map(Vec::len) == Some(2)).cloned()
    });
    assert_eq!(trace["trace_id"], format!("{epoch}{random}"));
    // Either form of the id finds it.
    let captured = journal.json(&["capture", "trace", &format!("1-{epoch}-{random}")]);
    assert_eq!(captured["entries"], json!([]), "not placed");
    assert_eq!(serve.stop(), 0);
}

#[test]
fn unedited_markdown_is_exported_unchanged() {
    let journal = Journal::new();
    let texts: [(&str, &[u8]); 6] = [
        ("crlf", b"# A\r\n\r\nText\r\n"),
        ("cr", b"# A\r\rText\r"),
        ("mixed", b"\xef\xbb\xbf# A\r\n\rText\n\n\n\tend without newline"),
        ("empty", b""),
        ("pictures", b"![a b](<assets/my pic.png>) <img src=\"x.png\" width=\"9\"> [l](../b.md?raw=true)\n"),
        ("markers", b"<!-- tracebook:evidence 01JD4ZK8S7M5V9TQ2WXYB3CDEF -->\n<!-- /tracebook -->\n"),
    ];
    for (name, bytes) in texts {
        std::fs::write(journal.dir.path().join(format!("{name}.md")), bytes).expect("writes");
    }
    std::fs::copy(week2(), journal.dir.path().join("week2.md")).expect("copies");
    for file in ["crlf.md", "cr.md", "mixed.md", "empty.md", "pictures.md", "markers.md", "week2.md"] {
        journal.json(&["import", &journal.dir.path().join(file).display().to_string()]);
    }
    let out = journal.dir.path().join("repo");
    journal.json(&["export", "--all", "--to", &out.display().to_string()]);
    for (name, bytes) in texts {
        let written = std::fs::read(out.join(format!("journal/{name}.md"))).expect("reads");
        assert_eq!(written, bytes, "{name}");
    }
    assert_eq!(std::fs::read(out.join("journal/week2.md")).expect("reads"), std::fs::read(week2()).expect("reads"));
    let (_, imported) = journal.json_code(&["import", &journal.dir.path().join("pictures.md").display().to_string()]);
    let warnings = imported["warnings"].to_string();
    assert!(warnings.contains("my pic.png") && warnings.contains("x.png"), "missing files are reported: {warnings}");
}

#[test]
fn a_file_changed_by_another_program_is_not_overwritten() {
    let journal = Journal::new();
    journal.json(&["entry", "new", "--week", "2"]);
    let out = journal.dir.path().join("repo");
    let to = out.display().to_string();
    journal.json(&["export", "week-2", "--to", &to]);
    let file = out.join("journal/week2.md");
    std::fs::write(&file, "mine now").expect("writes");
    let (code, refused) = journal.json_code(&["export", "week-2", "--to", &to]);
    assert_eq!((code, &refused["refused"]), (4, &json!(["journal/week2.md"])));
    assert_eq!(std::fs::read_to_string(&file).expect("reads"), "mine now");
    // After an import the change is a revision, and an export may overwrite the file.
    journal.json(&["import", &file.display().to_string()]);
    assert_eq!(journal.json(&["entry", "show", "week-2"])["body"], "mine now");
    assert_eq!(journal.json(&["export", "week-2", "--to", &to])["refused"], json!([]));
    // And with --force.
    std::fs::write(&file, "mine again").expect("writes");
    assert_eq!(journal.json(&["export", "week-2", "--to", &to, "--force"])["written"], json!(["journal/week2.md"]));
}

#[test]
fn evidence_is_shown_compared_and_purged() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    for trace in 0..2 {
        let body = otlp_span(trace, 0, None, "work").to_string();
        assert_eq!(post_traces(serve.http(), "application/json", body.as_bytes()).0, 200);
    }
    let ids: Vec<String> = (1..=2)
        .map(|n| journal.json(&["capture", "trace", &format!("{n:032x}")])["id"].as_str().expect("an id").to_owned())
        .collect();
    let difference = journal.json(&["evidence", "diff", &ids[0], &ids[1]]);
    assert_eq!(difference["same"], true, "{difference}");
    let (code, svg, _) = journal.run(&["evidence", "show", &ids[0], "--svg"]);
    assert!(code == 0 && svg.starts_with("<svg"), "{svg}");
    journal.json(&["entry", "new", "--week", "2"]);
    let placed =
        journal.json(&["capture", "trace", "--latest", "--into", "week-2"])["id"].as_str().expect("an id").to_owned();
    journal.json(&["evidence", "delete", &placed]);
    let out = journal.dir.path().join("repo").display().to_string();
    let warnings = journal.json(&["export", "week-2", "--to", &out])["warnings"].to_string();
    assert!(warnings.contains(&placed) && warnings.contains("in the bin"), "{warnings}");
    journal.json(&["evidence", "delete", &ids[0], "--purge"]);
    let (code, gone) = journal.json_code(&["evidence", "show", &ids[0]]);
    assert_eq!((code, gone["error"]["code"].as_str()), (1, Some("not_found")));
    assert_eq!(journal.json(&["evidence", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn the_demo_runs_the_main_workflow_headless() {
    let journal = Journal::new();
    let out = journal.dir.path().join("out");
    let demo = journal.json(&["demo", "--out", &out.display().to_string()]);
    assert_eq!(demo["evidence"].as_array().map(Vec::len), Some(9));
    for path in demo["exported"].as_array().expect("paths") {
        assert!(std::path::Path::new(path.as_str().expect("a path")).is_file(), "{path}");
    }
    assert_eq!(journal.json(&["verify", &out.display().to_string()])["ok"], true);
    assert_eq!(journal.json(&["slots", "week-2"]), json!([]));
}

#[test]
fn a_second_process_shares_the_journal_and_its_receivers() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let (_, text, _) = journal.run(&["env", "--for", "flask"]);
    assert!(text.contains(serve.http()) && text.contains(serve.xray()), "env names the ports in use: {text}");
    for target in ["node", "compose", "shell"] {
        let (code, text, _) = journal.run(&["env", "--for", target]);
        assert!(code == 0 && text.contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{target}: {text}");
    }
    assert_eq!(serve.stop(), 0);
    let (_, text, _) = journal.run(&["env"]);
    assert!(text.contains("not receiving now") && text.contains("127.0.0.1:4318"), "{text}");
}

#[test]
fn an_outdated_base_keeps_both_texts() {
    let journal = Journal::new();
    journal.json(&["entry", "new", "--week", "2"]);
    let old = journal.json(&["entry", "show", "week-2"])["revision"].to_string();
    let path = |name: &str, text: &str| {
        let path = journal.dir.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path.display().to_string()
    };
    journal.json(&["entry", "set", "week-2", "--body", &path("a.md", "first"), "--base", &old]);
    let (code, refused) =
        journal.json_code(&["entry", "set", "week-2", "--body", &path("b.md", "second"), "--base", &old]);
    assert_eq!((code, refused["error"]["code"].as_str()), (4, Some("refused")));
    assert_eq!(journal.json(&["entry", "show", "week-2"])["body"], "first");
    let history = journal.json(&["entry", "history", "week-2"]);
    let kept = history.as_array().expect("rows").iter().find(|r| r["reason"] == "conflict").expect("the other text")["revision"].to_string();
    assert_eq!(journal.json(&["entry", "show", "week-2", "--revision", &kept])["body"], "second");
}

#[test]
fn with_json_help_and_version_are_one_value_too() {
    let journal = Journal::new();
    let help = journal.json(&["--help"]);
    assert!(help["help"].as_str().expect("text").contains("Usage: tracebook"), "{help}");
    let help = journal.json(&["live", "--help"]);
    assert!(help["help"].as_str().expect("text").contains("--since"), "{help}");
    assert_eq!(journal.json(&["--version"]), json!({ "version": env!("CARGO_PKG_VERSION") }));
    // A repeated flag counts once.
    assert_eq!(journal.json(&["--json", "entry", "list", "--json"]), json!([]));
    let (code, refused) = journal.json_code(&["no-such-command"]);
    assert_eq!((code, refused["error"]["code"].as_str()), (2, Some("usage")));
    // After `--` it belongs to the command.
    let (code, text, _) = journal.run(&["--help"]);
    assert!(code == 0 && text.contains("Usage: tracebook"), "{text}");
}

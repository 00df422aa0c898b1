//! Search from the command line.

use crate::support::{Journal, text};

#[test]
fn entries_and_evidence_are_found() {
    let journal = Journal::new();
    journal.json(&["entry", "new", "--week", "2", "--title", "Week 2"]);
    let (code, stdout, stderr) = journal
        .run_with(&["--json", "capture", "console", "--file", "-", "--into", "week-2"], b"batch of 17 segments sent\n");
    assert_eq!(code, 0, "{stdout} {stderr}");
    let captured: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    let found = journal.json(&["search", "segments", "batch"]);
    let evidence = found.as_array().expect("a list").iter().find(|row| row["type"] == "evidence").expect("found");
    assert_eq!(evidence["id"], captured["id"]);
    assert_eq!(evidence["entries"][0], "week-2");
    assert!(text(evidence, "snippet").contains("batch of 17 segments sent"), "{evidence}");
    assert!(!text(evidence, "title").is_empty());
    let found = journal.json(&["search", "homework"]);
    assert_eq!((text(&found[0], "type"), text(&found[0], "title")), ("entry", "Week 2"));
    assert!(found[0]["line"].as_u64().is_some_and(|line| line > 0), "{found}");
    let (code, nothing) = journal.json_code(&["search", "absent"]);
    assert_eq!((code, nothing.to_string().as_str()), (1, "[]"));
    let (code, error) = journal.json_code(&["search", "--", "--"]);
    assert_eq!((code, text(&error["error"], "code")), (2, "usage"));
}

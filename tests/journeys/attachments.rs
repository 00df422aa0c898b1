//! Pictures of entries from the command line, and how the web host serves them.

use std::path::PathBuf;

use crate::support::{Journal, KEY, address_and_key, exchange, http, root, text};

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/pictures").join(name)
}

fn path(path: &std::path::Path) -> String {
    path.display().to_string()
}

#[test]
fn a_picture_is_added_shown_exported_and_purged() {
    let journal = Journal::new();
    journal.json(&["entry", "new", "--week", "2", "--title", "Week 2"]);
    let added = journal.json(&["attachment", "add", &path(&fixture("phone.jpg")), "--into", "week-2", "--alt", "Desk"]);
    let id = text(&added, "id").to_owned();
    assert_eq!(text(&added, "reference"), "![Desk](assets/week2/phone.jpg)");
    assert!(journal.run(&["entry", "show", "week-2"]).1.ends_with("\n![Desk](assets/week2/phone.jpg)\n"));
    let rows = journal.json(&["attachment", "list", "week-2"]);
    assert_eq!((text(&rows[0], "id"), text(&rows[0], "name")), (id.as_str(), "phone.jpg"));
    for field in ["bytes", "sha256", "entries"] {
        assert_eq!(rows[0][field], added[field], "{field}");
    }

    let out = journal.dir.path().join("saved.jpg");
    journal.json(&["attachment", "show", &id, "--out", &path(&out)]);
    let saved = std::fs::read(&out).expect("written");
    assert_eq!(Some(saved.len() as u64), rows[0]["bytes"].as_u64());
    assert!(!saved.windows(6).any(|part| part == b"secret"), "the metadata is gone");
    assert_eq!(journal.run(&["attachment", "show", &id, "--out", &path(&out)]).0, 2, "nothing is overwritten");

    let repo = path(&journal.dir.path().join("repo"));
    let exported = journal.json(&["export", "--all", "--to", &repo]);
    assert!(exported["written"].to_string().contains("journal/assets/week2/phone.jpg"), "{exported}");
    let file = journal.dir.path().join("repo/journal/assets/week2/phone.jpg");
    assert_eq!(std::fs::read(&file).expect("exported"), saved);

    journal.json(&["attachment", "delete", &id]);
    assert_eq!(journal.json(&["attachment", "list"]).to_string(), "[]");
    assert_eq!(text(&journal.json(&["attachment", "list", "--deleted"])[0], "id"), id);
    journal.json(&["attachment", "restore", &id]);
    journal.json(&["attachment", "delete", &id, "--purge"]);
    let (code, error) = journal.json_code(&["attachment", "restore", &id]);
    assert_eq!((code, text(&error["error"], "code")), (1, "not_found"));
    let (code, error) = journal.json_code(&["attachment", "show", "x"]);
    assert_eq!((code, text(&error["error"], "code")), (2, "usage"));
    let notes = path(&root().join("README.md"));
    let (code, error) = journal.json_code(&["attachment", "add", &notes, "--into", "week-2"]);
    assert_eq!((code, text(&error["error"], "message")), (2, "README.md is not a picture"));
}

#[test]
fn a_backup_contains_the_pictures() {
    let journal = Journal::new();
    journal.json(&["entry", "new", "--title", "One"]);
    let added = journal.json(&["attachment", "add", &path(&fixture("moving.gif")), "--into", "one"]);
    let backup = path(&journal.dir.path().join("b.db"));
    journal.json(&["backup", &backup]);
    let other = Journal::new();
    other.json(&["restore", &backup]);
    let out = path(&other.dir.path().join("x.gif"));
    other.json(&["attachment", "show", text(&added, "id"), "--out", &out]);
    assert!(std::fs::read(out).expect("written").starts_with(b"GIF89a"));
}

#[test]
fn the_web_host_shows_a_picture_to_its_page_only_and_runs_nothing_in_it() {
    let journal = Journal::new();
    journal.json(&["entry", "new", "--title", "One"]);
    let svg = journal.dir.path().join("map.svg");
    std::fs::write(&svg, "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>").expect("writes");
    let added = journal.json(&["attachment", "add", &path(&svg), "--into", "one"]);
    let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
    let (address, key) = address_and_key(text(&serve.ready["ui"], "url"));
    let target = format!("/attachment/{}", text(&added, "id"));
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let get = |headers: &[(String, String)]| http("GET", address, &target, headers, b"");
    assert_eq!(get(&[header(KEY, key)]).0, 200);
    assert_eq!(get(&[]).0, 401);
    assert_eq!(get(&[header(KEY, "tbk_wrong")]).0, 401);
    assert_eq!(get(&[header(KEY, key), header("Host", "evil.example")]).0, 403);
    assert_eq!(get(&[header(KEY, key), header("Origin", "https://evil.example")]).0, 403);
    let (answer, _) = exchange("GET", address, &target, &[header(KEY, key)], b"");
    for wanted in [
        "content-type: image/svg+xml",
        "content-disposition: attachment",
        "content-security-policy: default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "x-content-type-options: nosniff",
        "cross-origin-resource-policy: same-origin",
    ] {
        assert!(answer.to_lowercase().contains(wanted), "{wanted}: {answer}");
    }
}

//! Full disks, and files that are damaged, replaced or deleted while the program runs.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::crash::Browser;
use crate::support::{Journal, Serve, http, otlp_span, post_traces, text, until};

/// A small file system in the place of a journal's directory, where the tests may mount one.
struct SmallDisk<'a>(&'a Journal);

impl<'a> SmallDisk<'a> {
    fn mount(journal: &'a Journal) -> Option<Self> {
        std::fs::create_dir_all(journal.data()).expect("creates");
        let mount = ["-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs"];
        let mounted = Command::new("mount").args(mount).arg(journal.data()).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(journal))
    }

    fn fill(&self) {
        let file = self.0.data().join("filler");
        let mut bytes = vec![1; 1 << 20];
        while !bytes.is_empty() {
            let mut options = std::fs::File::options();
            let mut filler = options.create(true).append(true).open(&file).expect("opens");
            if std::io::Write::write_all(&mut filler, &bytes).is_err() {
                bytes.truncate(bytes.len() / 2);
            }
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.data().join("filler")).expect("removed");
    }

    /// Mounts it again, `ro` or `rw`.
    fn remount(&self, how: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(self.0.data()).status();
        assert!(done.expect("mount runs").success(), "remount {how}");
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.data()).status().expect("umount runs");
    }
}

fn browser(serve: &Serve) -> Browser {
    Browser::open(serve.ready["ui"]["url"].as_str().expect("a URL"))
}

/// Writes a text as the window does; returns whether it was saved.
fn types(browser: &Browser, entry: &str, body: &str) -> bool {
    browser.rpc("entry_write", json!({ "entry": entry, "base": null, "body": body })).is_some()
}

fn problems(browser: &Browser) -> Vec<String> {
    let status = browser.rpc("status", json!({})).expect("a status");
    status["problems"].as_array().expect("a list").iter().map(|p| p.as_str().expect("words").to_owned()).collect()
}

/// A request of each receiver that stores something, and the statuses of the answers.
fn send_all(serve: &Serve, n: u64) -> Vec<(&'static str, u16)> {
    let header = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let json_type = header("Content-Type", "application/json");
    let long = "x".repeat(30_000);
    let span = otlp_span(n, 1, None, &long).to_string();
    let log = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [{ "body": { "stringValue": long } }] }] }] });
    let item = json!({ "access_token": "a", "data": { "environment": "test", "body": { "message": { "body": format!("{n} {long}") } } } });
    let segment = json!({ "trace_id": format!("1-5f000000-{n:024x}"), "id": format!("{:016x}", n + 1), "name": long, "start_time": 1.0e9, "end_time": 1.1e9 });
    let segments = json!({ "TraceSegmentDocuments": [segment.to_string()] }).to_string();
    let amz = |target: &str| [header("Content-Type", "application/x-amz-json-1.1"), header("X-Amz-Target", target)];
    let group = json!({ "logGroupName": format!("group-{n}") }).to_string();
    let post = |path: &str, headers: &[(String, String)], body: &str| {
        http("POST", serve.http(), path, headers, body.as_bytes()).0
    };
    vec![
        ("OTLP traces", post("/v1/traces", std::slice::from_ref(&json_type), &span)),
        ("OTLP logs", post("/v1/logs", std::slice::from_ref(&json_type), &log.to_string())),
        ("Rollbar", post("/api/1/item/", std::slice::from_ref(&json_type), &item.to_string())),
        ("X-Ray", post("/TraceSegments", std::slice::from_ref(&json_type), &segments)),
        ("CloudWatch", post("/", &amz("Logs_20140328.CreateLogGroup"), &group)),
    ]
}

#[test]
fn a_full_disk_is_answered_by_503_and_everything_goes_on_with_room_again() {
    let journal = Journal::new();
    let Some(disk) = SmallDisk::mount(&journal) else { return };
    let entry = text(&journal.json(&["entry", "new", "--week", "2"]), "id").to_owned();
    let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
    let browser = browser(&serve);
    assert!(types(&browser, &entry, "before"));
    for (receiver, status) in send_all(&serve, 1) {
        assert_eq!(status, 200, "{receiver}");
    }
    disk.fill();
    let mut refused = std::collections::BTreeMap::<&str, u32>::new();
    for n in 2..40 {
        for (receiver, status) in send_all(&serve, n) {
            assert!(status == 200 || status == 503, "{receiver}: {status}");
            *refused.entry(receiver).or_default() += u32::from(status == 503);
        }
    }
    assert!(refused.values().all(|n| *n > 0), "every receiver ran into it: {refused:?}");
    let mut n = 0;
    let unsaved = until("the journal runs into it", || {
        n += 1;
        let body = format!("while it is full {n} {}", "text ".repeat(4_000));
        (!types(&browser, &entry, &body)).then_some(body)
    });
    disk.free();
    // The same text is sent again, as the window does.
    until("the text is saved without a restart", || types(&browser, &entry, &unsaved).then_some(()));
    for (receiver, status) in send_all(&serve, 100) {
        assert_eq!(status, 200, "{receiver}");
    }
    assert_eq!(serve.stop(), 0);
    assert_eq!(journal.json(&["entry", "show", &entry])["body"], json!(unsaved));
}

#[test]
fn a_journal_on_a_read_only_disk_is_read_and_says_so() {
    let journal = Journal::new();
    let Some(disk) = SmallDisk::mount(&journal) else { return };
    let made = journal.run_with(&["--json", "entry", "new", "--week", "2", "--body", "-"], b"kept").1;
    let made: Json = serde_json::from_str(&made).expect("JSON");
    let entry = text(&made, "id");
    disk.remount("ro");

    assert_eq!(journal.json(&["entry", "show", entry])["body"], "kept");
    let out = journal.dir.path().join("out").display().to_string();
    let (code, refused) = journal.json_code(&["entry", "new", "--week", "3"]);
    assert_eq!((code, text(&refused["error"], "code")), (5, "storage"), "{refused}");
    assert!(text(&refused["error"], "message").contains("read-only"), "{refused}");
    assert!(text(&refused["error"], "hint").contains("writable"), "{refused}");
    assert_eq!(journal.json_code(&["list", "no", "such"]).0, 2, "usage errors stay what they are");

    let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
    assert!(serve.ready["http"].is_null(), "nothing is received that could not be stored: {}", serve.ready);
    let browser = browser(&serve);
    let shown = browser.rpc("entry_get", json!({ "entry": entry })).expect("it is shown");
    assert_eq!(shown["body"], "kept");
    assert!(!types(&browser, entry, "lost"), "nothing is acknowledged");
    assert!(problems(&browser).iter().any(|problem| problem.contains("can be read")), "{:?}", problems(&browser));
    assert_eq!(serve.stop(), 0);

    disk.remount("rw");
    let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
    assert!(types(&self::browser(&serve), entry, "saved again"));
    assert_eq!(serve.stop(), 0);
    journal.json(&["export", "--all", "--to", &out]);
}

#[test]
fn an_export_to_a_full_disk_leaves_whole_files_and_can_be_repeated() {
    let target = Journal::new();
    let Some(disk) = SmallDisk::mount(&target) else { return };
    let journal = Journal::new();
    let body = |n: u32| format!("# Text {n}\n\n{}", "some words of a text. ".repeat(20_000));
    for n in 0..6 {
        journal.run_with(&["entry", "new", "--week", &n.to_string(), "--body", "-"], body(n).as_bytes());
    }
    let to = target.data().display().to_string();
    disk.fill();
    let (code, failed) = journal.json_code(&["export", "--all", "--to", &to]);
    assert_eq!((code, text(&failed["error"], "code")), (5, "storage"), "{failed}");
    let files = || -> Vec<(String, String)> {
        let Ok(folder) = std::fs::read_dir(target.data().join("journal")) else { return Vec::new() };
        let files = folder.map(|file| file.expect("a file").path()).filter(|path| path.is_file());
        files
            .map(|path| (path.display().to_string(), std::fs::read_to_string(path).expect("reads")))
            .filter(|(name, _)| !name.ends_with("manifest.json"))
            .collect()
    };
    assert!(files().iter().all(|(_, text)| (0..6).any(|n| *text == body(n))), "whole files, and no temporary ones");
    disk.free();
    journal.json(&["export", "--all", "--to", &to]);
    assert_eq!(files().iter().filter(|(name, _)| name.ends_with(".md")).count(), 6);
    assert_eq!(journal.json(&["export", "--all", "--to", &to])["written"], json!([]));
}

#[test]
fn a_journal_that_is_replaced_or_deleted_while_it_is_open_takes_no_writes() {
    let other = Journal::new();
    other.json(&["entry", "new", "--week", "9", "--title", "Theirs"]);
    let journal = Journal::new();
    let entry = text(&journal.json(&["entry", "new", "--week", "2"]), "id").to_owned();
    let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
    let browser = browser(&serve);
    assert!(types(&browser, &entry, "saved"));
    let file = journal.data().join("journal.db");

    std::fs::rename(&file, journal.data().join("moved.db")).expect("moves");
    assert!(!types(&browser, &entry, "typed while it is away"), "nothing is acknowledged");
    let problem = until("the window says so", || problems(&browser).into_iter().find(|p| p.contains("journal.db")));
    assert!(problem.contains("deleted or moved"), "{problem}");
    std::fs::rename(journal.data().join("moved.db"), &file).expect("moves back");
    until("it goes on", || types(&browser, &entry, "typed while it is away").then_some(()));
    until("the problem goes", || problems(&browser).is_empty().then_some(()));

    let copy = file.with_extension("new");
    std::fs::copy(other.data().join("journal.db"), &copy).expect("copies");
    std::fs::rename(&copy, &file).expect("replaces");
    let titles = || browser.rpc("entry_list", json!({})).map(|list| list.to_string()).unwrap_or_default();
    until("the new file is open", || titles().contains("Theirs").then_some(()));
    let problem = until("the window says so", || problems(&browser).pop());
    assert!(problem.contains("replaced"), "{problem}");
    assert!(!types(&browser, &entry, "of the old one"), "there is no such entry now");
    assert_eq!(serve.stop(), 0);
    // What the replaced file held is kept, and can be restored.
    let kept = std::fs::read_dir(journal.data().join("backups"))
        .expect("lists")
        .map(|file| file.expect("a file").path())
        .filter(|path| path.display().to_string().contains("journal-replaced-"))
        .max_by_key(|path| std::fs::metadata(path).and_then(|file| file.modified()).expect("a time"))
        .expect("a copy");
    let restored = journal.json(&["restore", &kept.display().to_string()]);
    assert_eq!(text(&restored, "sha256").len(), 64);
    assert_eq!(journal.json(&["entry", "show", &entry])["body"], "typed while it is away");
}

#[test]
fn a_damaged_telemetry_database_does_not_lock_the_journal() {
    let journal = Journal::new();
    let entry = text(&journal.json(&["entry", "new", "--week", "2"]), "id").to_owned();
    let file = journal.data().join("telemetry.db");
    std::fs::write(&file, "garbage ".repeat(9_000)).expect("writes");
    let (code, shown, said) = journal.run(&["entry", "show", &entry]);
    assert_eq!(code, 0, "{said}");
    assert!(!shown.is_empty() && said.contains("telemetry.db was damaged"), "{said}");
    let checks = journal.json(&["doctor", "journal"]);
    let rows = checks["checks"].as_array().expect("a list");
    let check = |name: &str| rows.iter().find(|c| c["check"] == name).unwrap_or_else(|| panic!("{name}: {checks}"));
    assert_eq!(check("telemetry.db was never damaged")["ok"], false, "{checks}");
    assert_eq!(check("journal.db is sound")["ok"], true, "{checks}");

    // While it is open.
    let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
    let browser = browser(&serve);
    let spans = |from: u64| {
        (from..from + 60).map(|n| {
            post_traces(
                serve.http(),
                "application/json",
                otlp_span(n, 1, None, &"x".repeat(20_000)).to_string().as_bytes(),
            )
            .0
        })
    };
    assert!(spans(0).all(|status| status == 200));
    let length = std::fs::metadata(&file).expect("there").len();
    let zeros = vec![0x5a_u8; usize::try_from(length).expect("small")];
    use std::os::unix::fs::FileExt as _;
    let open = std::fs::File::options().write(true).open(&file).expect("opens");
    open.write_all_at(&zeros[4096..], 4096).expect("writes");
    std::fs::remove_file(journal.data().join("telemetry.db-wal")).expect("removes");
    until("telemetry is stored again, without a restart", || {
        let statuses: Vec<u16> = spans(1_000).collect();
        assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
        statuses.iter().all(|status| *status == 200).then_some(())
    });
    assert!(types(&browser, &entry, "the journal is not affected"));
    assert_eq!(serve.stop(), 0);
}

#[test]
fn a_backup_under_load_is_restored_as_a_whole() {
    let journal = Journal::new();
    let entry = text(&journal.json(&["entry", "new", "--week", "2"]), "id").to_owned();
    let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
    let browser = browser(&serve);
    let target = journal.dir.path().join("backup.db");
    let name = target.display().to_string();
    std::thread::scope(|scope| {
        let typing = scope.spawn(|| (0..200).all(|n| types(&browser, &entry, &format!("{n} {}", "text ".repeat(500)))));
        for _ in 0..3 {
            let done = journal.json(&["backup", &name]);
            let bytes = std::fs::metadata(&target).expect("there").len();
            assert_eq!((done["file"].as_str(), done["bytes"].as_u64()), (Some(name.as_str()), Some(bytes)));
        }
        assert!(typing.join().expect("ends"));
    });
    let (code, refused) = journal.json_code(&["restore", &name]);
    assert_eq!((code, refused["error"]["code"].as_str()), (4, Some("refused")), "it is open: {refused}");
    assert!(text(&refused["error"], "message").contains(&format!("process {}", serve.pid())), "{refused}");
    assert!(types(&browser, &entry, "after the backup"));
    assert_eq!(serve.stop(), 0);
    let today = std::fs::read_dir(journal.data().join("backups")).expect("a daily backup").count();
    assert_eq!(today, 1);

    let restored = journal.json(&["restore", &name]);
    let body = |journal: &Journal| text(&journal.json(&["entry", "show", &entry]), "body").to_owned();
    assert!(body(&journal).ends_with("text "), "{}", body(&journal));
    let kept = text(&restored, "kept").to_owned();
    journal.json(&["restore", &kept]);
    assert_eq!(body(&journal), "after the backup");
    // A file that is not ours is not overwritten, and nothing is restored from it.
    let notes = journal.dir.path().join("notes.txt");
    std::fs::write(&notes, "notes").expect("writes");
    for command in ["backup", "restore"] {
        assert_eq!(journal.json_code(&[command, &notes.display().to_string()]).0, 4, "{command}");
        assert_eq!(std::fs::read(&notes).expect("reads"), b"notes");
    }
}

/// Overwrites every page that contains a text.
fn damage(file: &Path, text: &str) -> usize {
    let mut bytes = std::fs::read(file).expect("reads");
    let mut damaged = 0;
    for page in bytes.chunks_mut(4096) {
        if page.windows(text.len()).any(|window| window == text.as_bytes()) {
            page.fill(0xa5);
            damaged += 1;
        }
    }
    std::fs::write(file, bytes).expect("writes");
    damaged
}

#[test]
fn the_doctor_repairs_a_damaged_journal() {
    let journal = Journal::new();
    let long = |n: u32| format!("# Text {n}\n{}", format!("needle-{n} ").repeat(2_000));
    let ids: Vec<String> = (0..12)
        .map(|n| {
            let body = long(n);
            let made = journal.run_with(&["--json", "entry", "new", "--week", "2", "--body", "-"], body.as_bytes()).1;
            let made: Json = serde_json::from_str(&made).expect("JSON");
            text(&made, "id").to_owned()
        })
        .collect();
    let sound = journal.json(&["doctor", "--repair"]);
    assert_eq!(sound["repair"]["repaired"], false, "{sound}");
    let file = journal.data().join("journal.db");
    assert!(damage(&file, "needle-5") > 2, "the text and its revision");
    let repaired = journal.json(&["doctor", "--repair"]);
    assert_eq!(repaired["repair"]["repaired"], true, "{repaired}");
    assert!(Path::new(text(&repaired["repair"], "kept")).exists(), "{repaired}");
    let lost = repaired["repair"]["lost"].as_array().expect("a list");
    assert!(lost.iter().any(|lost| lost["id"] == json!(ids[5])), "{repaired}");
    let mut whole = 0;
    for (n, id) in (0..12).zip(&ids) {
        let (code, shown) = journal.json_code(&["entry", "show", id]);
        match code == 0 && shown["body"] == json!(long(n)) {
            true => whole += 1,
            // The beginnings of other texts were on the same pages.
            false => assert!(lost.iter().any(|lost| lost["id"] == json!(id)), "entry {n}: {repaired}"),
        }
    }
    assert!(whole >= 6, "{whole} of 12: {repaired}");
    let again = journal.json(&["doctor", "--repair"]);
    assert_eq!(again["repair"]["repaired"], false, "{again}");
}

#[test]
fn an_empty_journal_is_not_started_over_a_lost_one() {
    let journal = Journal::new();
    let entry = text(&journal.json(&["entry", "new", "--week", "2"]), "id").to_owned();
    let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
    let backup = until("the daily backup", || {
        let mut files =
            std::fs::read_dir(journal.data().join("backups")).ok()?.filter_map(|file| Some(file.ok()?.path()));
        files.find(|path| path.extension().is_some_and(|e| e == "db"))
    });
    assert_eq!(serve.stop(), 0);
    std::fs::write(journal.data().join("journal.db"), "").expect("writes");
    let (code, refused) = journal.json_code(&["entry", "list"]);
    let name = backup.file_name().expect("a name").to_string_lossy().into_owned();
    assert_eq!((code, text(&refused["error"], "hint").contains(&name)), (4, true), "{refused}");
    journal.json(&["restore", &backup.display().to_string()]);
    assert_eq!(journal.json(&["entry", "show", &entry])["id"], json!(entry));
}

#[test]
fn a_hanging_start_of_another_process_is_named() {
    let journal = Journal::new();
    journal.json(&["entry", "list"]);
    let mut holder = crate::support::Ended(
        Command::new("flock").arg(journal.data().join("open.lock")).args(["sleep", "60"]).spawn().expect("flock runs"),
    );
    let refused = until("it is held", || {
        let (code, answer) = journal.json_code(&["entry", "list"]);
        (code != 0).then_some(answer)
    });
    assert!(text(&refused["error"], "message").contains("process "), "{refused}");
    holder.0.kill().expect("ends");
}

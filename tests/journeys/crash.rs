//! kill -9 at random times while everything writes: what was acknowledged is preserved, files are whole or absent.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::support::{Journal, KEY, TRACEBOOK, address_and_key, datagram, http, otlp_span, post_traces, python};

/// Ten by default; `make crash ROUNDS=500` runs more.
fn rounds() -> u64 {
    std::env::var("TRACEBOOK_CRASH_ROUNDS").map_or(10, |n| n.parse().expect("TRACEBOOK_CRASH_ROUNDS is a number"))
}

/// How many rounds capture into one entry and export it, so that an export does not grow with the rounds.
const ROUNDS_AN_ENTRY: u64 = 20;

/// The web host's API, with the key of the URL.
#[derive(Clone)]
pub(crate) struct Browser {
    address: String,
    key: String,
}

impl Browser {
    pub(crate) fn open(url: &str) -> Self {
        let (address, key) = address_and_key(url);
        Self { address: address.to_owned(), key: key.to_owned() }
    }

    pub(crate) fn rpc(&self, cmd: &str, args: Json) -> Option<Json> {
        let headers = [(KEY.to_owned(), self.key.clone()), ("Content-Type".to_owned(), "application/json".to_owned())];
        let body = json!({ "cmd": cmd, "args": args, "client": "typist" }).to_string();
        let (status, answer) = http("POST", &self.address, "/rpc", &headers, body.as_bytes());
        (status == 200).then(|| serde_json::from_slice(&answer).ok())?
    }
}

/// What one life of the program acknowledged.
#[derive(Default)]
struct Acknowledged {
    traces: Vec<String>,
    segments: Vec<String>,
    messages: Vec<String>,
    errors: Vec<String>,
    /// Evidence, and the entry that it was placed in.
    captures: Vec<(String, String)>,
    /// Entries, and their texts.
    imports: Vec<(String, String)>,
    backups: Vec<PathBuf>,
}

/// A life of the program, as its clients see it.
#[derive(Clone)]
struct Life {
    round: u64,
    http: String,
    xray: String,
    browser: Browser,
    /// The entry that is typed into, and one that captures go into.
    typed: String,
    captured: String,
    /// Where that one is exported to.
    exported: PathBuf,
    folder: PathBuf,
    /// A bit for each kind of telemetry that something was acknowledged of.
    heard: Arc<AtomicU8>,
}

/// All kinds of telemetry.
const ALL_HEARD: u8 = 0b1111;
/// The longest wait for the first acknowledgement of each kind: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(10);

impl Life {
    /// Numbers that no other round uses.
    fn numbers(&self) -> impl Iterator<Item = u64> + use<> {
        let round = self.round;
        (0..10_000).map(move |n| round * 10_000 + n)
    }

    /// Notes that something of a kind was acknowledged, if it was.
    fn hear(&self, kind: u8, acknowledged: bool) -> bool {
        self.heard.fetch_or(u8::from(acknowledged) << kind, Ordering::Relaxed);
        acknowledged
    }

    fn post(&self, address: &str, path: &str, headers: &[(&str, &str)], body: &Json) -> bool {
        let mut all = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        http("POST", address, path, &all, body.to_string().as_bytes()).0 == 200
    }

    fn spans(&self) -> Vec<String> {
        let sent = |&n: &u64| {
            let body = otlp_span(n, 1, None, "crash").to_string();
            self.hear(0, post_traces(&self.http, "application/json", body.as_bytes()).0 == 200)
        };
        self.numbers().take_while(sent).map(|n| format!("{:032x}", n + 1)).collect()
    }

    /// Segments over HTTP, which are acknowledged, and between them some over UDP, which are not.
    fn segments(&self) -> Vec<String> {
        let id = |n: u64, kind: u64| format!("{kind:08x}{n:024x}");
        let document = |id: &str| {
            json!({ "trace_id": format!("1-{}-{}", &id[..8], &id[8..]), "id": &id[16..], "name": "crash",
                    "start_time": 1_795_447_213.5, "end_time": 1_795_447_213.6 })
        };
        let sent = |&n: &u64| {
            let datagram_text = format!("{{\"format\": \"json\", \"version\": 1}}\n{}", document(&id(n, 0x6940_0002)));
            datagram(&self.xray, datagram_text.as_bytes());
            let body = json!({ "TraceSegmentDocuments": [document(&id(n, 0x6940_0001)).to_string()] });
            self.hear(1, self.post(&self.xray, "/TraceSegments", &[], &body))
        };
        self.numbers().skip(1).take_while(sent).map(|n| id(n, 0x6940_0001)).collect()
    }

    fn messages(&self) -> Vec<String> {
        let call = |operation: &str, body: Json| {
            let target = format!("Logs_20140328.{operation}");
            self.post(&self.http, "/", &[("X-Amz-Target", &target)], &body)
        };
        call("CreateLogGroup", json!({ "logGroupName": "crash" }));
        call("CreateLogStream", json!({ "logGroupName": "crash", "logStreamName": "s" }));
        let sent = |&n: &u64| {
            let event = json!({ "timestamp": now_ms(), "message": format!("message {n}.") });
            let body = json!({ "logGroupName": "crash", "logStreamName": "s", "logEvents": [event] });
            self.hear(2, call("PutLogEvents", body))
        };
        self.numbers().take_while(sent).map(|n| format!("message {n}.")).collect()
    }

    fn errors(&self) -> Vec<String> {
        let sent = |&n: &u64| {
            let body = json!({ "message": { "body": format!("error {n}.") } });
            let data = json!({ "uuid": format!("{n:032}"), "fingerprint": format!("{n}"), "body": body });
            self.hear(3, self.post(&self.http, "/api/1/item/", &[], &json!({ "data": data })))
        };
        self.numbers().take_while(sent).map(|n| format!("error {n}.")).collect()
    }

    /// Types until the program is gone; the last text that was acknowledged.
    fn type_on(&self) -> Option<String> {
        let mut last = None;
        let mut base = self.browser.rpc("entry_get", json!({ "entry": self.typed }))?["revision"].clone();
        for n in 0.. {
            let body = format!("round {} keystroke {n} {}", self.round, "text ".repeat(200));
            let write = json!({ "entry": self.typed, "base": base, "body": body });
            let Some(written) = self.browser.rpc("entry_write", write) else { break };
            base = written["revision"].clone();
            last = Some(body);
        }
        last
    }

    fn captures(&self) -> Vec<(String, String)> {
        let text = json!({ "source": "crash", "text": format!("captured in round {}\n", self.round) });
        let capture = json!({ "kind": "console", "text": text, "into": self.captured });
        let capture = || {
            let id = self.browser.rpc("capture", capture.clone())?["id"].as_str()?.to_owned();
            Some((id, self.captured.clone()))
        };
        std::iter::from_fn(capture).take(2).collect()
    }

    fn imports(&self) -> Vec<(String, String)> {
        let import = |n: u64| {
            let text = format!("# Imported {n}\n\nimported text {n}\n");
            let given = json!({ "texts": [{ "name": format!("imported-{n}.md"), "text": text }] });
            let answer = self.browser.rpc("import", given)?;
            Some((answer["entries"][0]["id"].as_str()?.to_owned(), text))
        };
        self.numbers().map_while(import).take(1).collect()
    }

    fn exports(&self) {
        let export = json!({ "entries": [self.captured], "to": self.exported, "force": true });
        while self.browser.rpc("export", export.clone()).is_some() {}
    }

    /// One backup by another process, which is killed at the same time. None where it was not finished.
    fn backup(&self, data: &Path) -> Vec<PathBuf> {
        let file = self.folder.join(format!("backup-{}.db", self.round));
        let mut command = Command::new(TRACEBOOK);
        command.arg("--data").arg(data).arg("backup").arg(&file);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        std::thread::sleep(Duration::from_millis(self.round * 7 % 90));
        let done = child.try_wait().expect("waits").is_some_and(|status| status.success());
        child.kill().ok();
        child.wait().expect("ends");
        assert!(!done || file.exists(), "an acknowledged backup exists");
        Vec::from_iter(file.exists().then_some(file))
    }
}

#[expect(clippy::disallowed_methods, reason = "events that are too old are refused")]
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("this millennium")
}

/// SQLite's own check of a database, by another program than the one under test.
fn check_integrity(path: &Path) {
    let code =
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check').fetchone()[0])";
    let done = Command::new(python()).args(["-c", code]).arg(path).output().expect("Python runs");
    let said = String::from_utf8_lossy(&done.stdout);
    assert_eq!(said.trim(), "ok", "{}: {}", path.display(), String::from_utf8_lossy(&done.stderr));
}

/// Runs every client until the program is killed; the last text that was typed, and what else was acknowledged.
fn live_and_die(life: &Life, data: &Path, pid: u32, lasts: Duration) -> (Option<String>, Acknowledged) {
    let end = Instant::now() + lasts;
    std::thread::scope(|scope| {
        let spans = scope.spawn(|| life.spans());
        let segments = scope.spawn(|| life.segments());
        let messages = scope.spawn(|| life.messages());
        let errors = scope.spawn(|| life.errors());
        let typed = scope.spawn(|| life.type_on());
        let captures = scope.spawn(|| life.captures());
        let imports = scope.spawn(|| life.imports());
        let exports = scope.spawn(|| life.exports());
        let backup = scope.spawn(|| life.backup(data));
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
        // Otherwise a busy machine could kill it each time before there is anything to lose.
        let patience = Instant::now() + PATIENCE;
        while life.round % 2 == 1 && life.heard.load(Ordering::Relaxed) != ALL_HEARD && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs");
        exports.join().expect("the exporter ends");
        let acknowledged = Acknowledged {
            traces: spans.join().expect("the sender ends"),
            segments: segments.join().expect("the sender ends"),
            messages: messages.join().expect("the sender ends"),
            errors: errors.join().expect("the sender ends"),
            captures: captures.join().expect("the captures end"),
            imports: imports.join().expect("the imports end"),
            backups: backup.join().expect("the backup ends"),
        };
        (typed.join().expect("the typist ends"), acknowledged)
    })
}

#[test]
fn kill_9_loses_nothing_that_was_saved_or_acknowledged() {
    let journal = Journal::new();
    let new = |week| journal.json(&["entry", "new", "--week", week])["id"].as_str().expect("an id").to_owned();
    let typed = new("2");
    let mut captured = String::new();
    let mut all = Acknowledged::default();
    let mut saved = String::new();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    for round in 0..rounds() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // On a busy machine a capture takes more than 200 ms.
        let lasts = Duration::from_millis(5 + (seed >> 33) % 600);
        if round % ROUNDS_AN_ENTRY == 0 {
            captured = new("3");
        }
        let serve = journal.serve(&["--ui", "127.0.0.1:0"]);
        let life = Life {
            round,
            http: serve.http().to_owned(),
            xray: serve.xray().to_owned(),
            browser: Browser::open(serve.ready["ui"]["url"].as_str().expect("a URL")),
            typed: typed.clone(),
            captured: captured.clone(),
            exported: journal.dir.path().join(format!("out-{captured}")),
            folder: journal.dir.path().to_owned(),
            heard: Arc::default(),
        };
        let (last, now) = live_and_die(&life, &journal.data(), serve.pid(), lasts);
        serve.kill_is_over();
        if let Some(body) = last {
            saved = body;
        }
        if !saved.is_empty() {
            let body = journal.json(&["entry", "show", &typed])["body"].as_str().unwrap_or_default().to_owned();
            let later = body.starts_with(&format!("round {round} "));
            assert!(body == saved || later, "round {round}: the saved text is present");
            saved = body;
        }
        check_exports(&journal, &life, round);
        for backup in &now.backups {
            check_integrity(backup);
            std::fs::remove_file(backup).expect("a file of ours");
        }
        all.traces.extend(now.traces);
        all.segments.extend(now.segments);
        all.messages.extend(now.messages);
        all.errors.extend(now.errors);
        all.captures.extend(now.captures);
        all.imports.extend(now.imports);
        all.backups.extend(now.backups);
        if round % 25 == 24 || round + 1 == rounds() {
            check_integrity(&journal.data().join("journal.db"));
            check_integrity(&journal.data().join("telemetry.db"));
        }
    }
    check_all(&journal, &all);
}

/// Every exported file is whole or absent: none has been written in part. An export that was killed between two files
/// is completed by the next one.
fn check_exports(journal: &Journal, life: &Life, round: u64) {
    let out = &life.exported;
    if !out.exists() {
        return;
    }
    let bad = || -> Vec<Json> {
        let (_, verified) = journal.json_code(&["verify", &out.to_string_lossy()]);
        let verdicts = verified["evidence"].as_array().expect("a list");
        verdicts.iter().filter(|v| v["verdict"] != "intact" && v["verdict"] != "masked").cloned().collect()
    };
    let killed = bad();
    let parts: Vec<_> = killed.iter().filter(|v| v["verdict"] != "missing").collect();
    assert!(parts.is_empty(), "round {round}: exported files are whole: {parts:?}");
    if !killed.is_empty() {
        journal.json(&["export", &life.captured, "--to", &out.to_string_lossy(), "--force"]);
        assert_eq!(bad(), Vec::<Json>::new(), "round {round}: the next export completes it");
    }
}

/// Everything that was acknowledged is listed.
fn check_all(journal: &Journal, all: &Acknowledged) {
    let list = |what: &[&str], count: usize, key: &str| -> HashSet<String> {
        let limit = (count * 2 + 1_000).to_string();
        let rows = journal.json(&[what, &["--limit", &limit]].concat());
        rows.as_array().expect("a list").iter().filter_map(|row| row[key].as_str().map(str::to_owned)).collect()
    };
    let traces = list(&["live", "traces"], all.traces.len() + all.segments.len() * 2, "trace_id");
    let messages = list(&["live", "logs"], all.messages.len(), "message");
    let errors = list(&["live", "errors"], all.errors.len(), "title");
    let evidence: HashSet<String> = journal.json(&["evidence", "list"]).as_array().map_or_else(HashSet::new, |rows| {
        rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect()
    });
    let mut counts = Vec::new();
    let mut check = |what: &str, acknowledged: &[String], there: &HashSet<String>| {
        let lost = acknowledged.iter().filter(|id| !there.contains(*id)).count();
        assert_eq!(lost, 0, "{lost} of {} acknowledged {what} are gone", acknowledged.len());
        assert!(rounds() < 200 || !acknowledged.is_empty(), "no {what} were acknowledged, so nothing was tested");
        counts.push(format!("{} {what}", acknowledged.len()));
    };
    check("spans", &all.traces, &traces);
    check("segments", &all.segments, &traces);
    check("log events", &all.messages, &messages);
    check("errors", &all.errors, &errors);
    let captures: Vec<String> = all.captures.iter().map(|(id, _)| id.clone()).collect();
    check("captures", &captures, &evidence);
    let text = |id: &str| journal.json(&["entry", "show", id])["body"].as_str().unwrap_or_default().to_owned();
    let mut texts: HashMap<&str, String> = HashMap::new();
    for (id, entry) in &all.captures {
        let body = texts.entry(entry).or_insert_with(|| text(entry));
        assert!(body.contains(&format!("evidence:{id}")), "a capture is in the entry that it was placed in");
    }
    for (id, body) in &all.imports {
        assert_eq!(&text(id), body, "an imported text is whole");
    }
    counts.push(format!("{} imports", all.imports.len()));
    counts.push(format!("{} backups", all.backups.len()));
    let enough = usize::try_from(rounds()).expect("few") / 10;
    assert!(all.traces.len() > enough, "the sender got something in: {}", all.traces.len());
    #[expect(clippy::print_stdout, reason = "the figures of `make crash`")]
    {
        println!("{} kills: nothing lost of {}", rounds(), counts.join(", "));
    }
}

//! Bad input: each causes a clear error with a hint, and nothing else is affected or lost.

use std::io::Write as _;
use std::process::Command;

use serde_json::json;

use crate::support::{Journal, Serve, TRACEBOOK, datagram, http, otlp_span, post_traces, root, until};

/// Checks that a valid trace still arrives.
fn still_works(journal: &Journal, serve: &Serve) {
    let body = otlp_span(77, 1, None, "still works").to_string();
    assert_eq!(post_traces(serve.http(), "application/json", body.as_bytes()).0, 200);
    let (code, traces) = journal.json_code(&["live", "traces", "--filter", "name:\"still works\""]);
    assert_eq!((code, traces[0]["name"].as_str()), (0, Some("still works")));
}

/// Name of the case, path, headers and body sent, and the expected status.
type Case<'a> = (&'a str, &'a str, Vec<(String, String)>, &'a [u8], u16);

#[test]
fn bad_otlp_requests_get_a_reason() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let good = otlp_span(1, 1, None, "good").to_string();
    let fixture = std::fs::read(root().join("tests/fixtures/otlp-home.bin")).expect("a fixture");
    let truncated = &fixture[..fixture.len() - 7];
    let bomb = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let zeros = vec![0; 1 << 20];
        for _ in 0..200 {
            gzip.write_all(&zeros).expect("compresses");
        }
        gzip.finish().expect("ends")
    };
    let header = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let protobuf = ("Content-Type", "application/x-protobuf");
    let text = ("Content-Type", "application/json");
    let cases: [Case; 9] = [
        ("garbage", "/v1/traces", header(&[protobuf]), b"\xff\xfe garbage", 400),
        ("truncated", "/v1/traces", header(&[protobuf]), truncated, 400),
        ("broken JSON", "/v1/traces", header(&[text]), b"{\"resourceSpans\": [", 400),
        ("wrong type", "/v1/traces", header(&[("Content-Type", "text/html")]), good.as_bytes(), 415),
        ("gzip bomb", "/v1/traces", header(&[protobuf, ("Content-Encoding", "gzip")]), &bomb, 413),
        ("not gzip", "/v1/traces", header(&[protobuf, ("Content-Encoding", "gzip")]), b"not gzip", 400),
        ("a wrong path", "/v1/trace", header(&[text]), good.as_bytes(), 404),
        ("a web page", "/v1/traces", header(&[text, ("Origin", "https://evil.example")]), good.as_bytes(), 403),
        ("a rebound name", "/v1/traces", header(&[text, ("Host", "evil.example")]), good.as_bytes(), 403),
    ];
    for (name, path, headers, body, status) in cases {
        let (answered, words) = http("POST", serve.http(), path, &headers, body);
        assert_eq!(answered, status, "{name}: {}", String::from_utf8_lossy(&words));
        assert!(!words.is_empty(), "{name}: the response has a reason");
        if name == "a wrong path" {
            let words = String::from_utf8_lossy(&words);
            assert!(words.contains("/v1/traces") && words.contains("OTEL_EXPORTER_OTLP"), "{words}");
        }
    }
    assert_eq!(http("GET", serve.http(), "/v1/traces", &[], b"").0, 405);
    let (code, traces) = journal.json_code(&["live", "traces"]);
    assert_eq!((code, traces), (1, json!([])), "nothing was stored");
    still_works(&journal, &serve);
}

#[test]
fn bad_datagrams_have_no_side_effects() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let head = "{\"format\":\"json\",\"version\":1}\n";
    let segment = |fields: &str| {
        format!(
            "{head}{{\"name\":\"s\",\"id\":\"054c67903e698d43\",\"trace_id\":\"1-6b0459ac-d2fb2577c226bb0ed076fe79\"{fields}}}"
        )
    };
    let large = vec![b'x'; 65_507];
    for bytes in [
        b"".to_vec(),
        b"no header".to_vec(),
        b"{\"format\":\"xml\",\"version\":1}\n{}".to_vec(),
        head.as_bytes().to_vec(),
        format!("{head}[]").into_bytes(),
        format!("{head}{{\"name\":\"\\ud800\"}}").into_bytes(),
        segment("").into_bytes(),
        segment(",\"start_time\":\"soon\",\"end_time\":1").into_bytes(),
        large,
    ] {
        datagram(serve.xray(), &bytes);
    }
    // A span that is its own parent, and a cycle of two: stored and drawn, once each.
    let part = |id: u8, parent: u8| {
        format!(
            "{head}{{\"name\":\"circle {id}\",\"type\":\"subsegment\",\"id\":\"{id:016x}\",\"parent_id\":\"{parent:016x}\",\"trace_id\":\"1-6b0459ac-d2fb2577c226bb0ed076fe79\",\"start_time\":1795447213.5,\"end_time\":1795447214}}"
        )
    };
    for (id, parent) in [(1, 1), (2, 3), (3, 2)] {
        datagram(serve.xray(), part(id, parent).as_bytes());
    }
    let trace = until("the circle", || {
        let (_, traces) = journal.json_code(&["live", "traces"]);
        traces.as_array()?.iter().find(|t| t["spans"] == 3).cloned()
    });
    let captured = journal.json(&["capture", "trace", trace["trace_id"].as_str().expect("an id")]);
    assert!(captured["warnings"].to_string().contains("ancestor"), "{captured}");
    still_works(&journal, &serve);
}

#[test]
fn ten_thousand_spans_are_read_back_completely() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let mut request = otlp_span(1, 0, None, "root");
    let spans: Vec<_> = (0..10_000u64)
        .map(|n| {
            let parent = (n > 0).then_some(n / 2);
            otlp_span(1, n, parent, &format!("span {n}"))["resourceSpans"][0]["scopeSpans"][0]["spans"][0].take()
        })
        .collect();
    request["resourceSpans"][0]["scopeSpans"][0]["spans"] = spans.into();
    assert_eq!(post_traces(serve.http(), "application/json", request.to_string().as_bytes()).0, 200);
    journal.json(&["entry", "new", "--week", "2"]);
    let captured = journal.json(&["capture", "trace", "--latest", "--into", "week-2"]);
    let shown = journal.json(&["evidence", "show", captured["id"].as_str().expect("an id")]);
    assert_eq!(shown["evidence"]["body"]["spans"].as_array().map(Vec::len), Some(10_000));
    // Too large for the picture: the data is in a separate file, and verify compares the two.
    let out = journal.dir.path().join("repo").display().to_string();
    let exported = journal.json(&["export", "week-2", "--to", &out]);
    assert!(exported["written"].to_string().contains(".json"), "{exported}");
    assert_eq!(journal.json(&["verify", &out])["evidence"][0]["verdict"], "intact");
    let grader = Journal::new();
    grader.json(&["import", &out]);
    let id = captured["id"].as_str().expect("an id");
    assert_eq!(grader.json(&["evidence", "show", id])["digest"], captured["digest"]);
}

#[test]
fn a_port_in_use_is_reported_and_the_rest_works() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let journal = Journal::new();
    let (code, error) = journal.json_code(&["serve", "--http", &address, "--xray", "127.0.0.1:0"]);
    assert_eq!((code, error["error"]["code"].as_str()), (3, Some("unreachable")));
    assert!(error["error"]["hint"].as_str().is_some_and(|h| h.contains("port 0")), "{error}");
    // A default port in use is reported, and everything else runs.
    let _default = std::net::TcpListener::bind("127.0.0.1:4318");
    let serve = Serve::start(Command::new(TRACEBOOK).arg("--data").arg(journal.data()).args([
        "--json",
        "serve",
        "--xray",
        "127.0.0.1:0",
    ]));
    assert_eq!(serve.ready["http"], json!(null));
    assert!(!serve.xray().is_empty());
    let (code, refused) = journal.json_code(&["serve", "--http", "0.0.0.0:0"]);
    assert_eq!((code, refused["error"]["code"].as_str()), (2, Some("usage")), "{refused}");
}

#[test]
fn invalid_commands_are_refused() {
    let journal = Journal::new();
    for args in [
        &["sync"][..],
        &["frobnicate"],
        &["live", "nonsense"],
        &["entry", "new", "--week", "12"],
        &["live", "traces", "--filter", "duration>soon"],
        &["live", "logs", "--filter", "{ $.level = }"],
        &["live", "errors", "--filter", "level:loud"],
        &["capture", "dossier", "x"],
        &["capture", "trace", "--file", "x"],
        &["doctor", "nobody"],
    ] {
        let (code, error) = journal.json_code(args);
        assert_eq!((code, error["error"]["code"].as_str()), (2, Some("usage")), "{args:?}");
        assert!(error["error"]["hint"].as_str().is_some_and(|h| !h.is_empty()), "{error}");
    }
    for args in [
        &["live", "traces"][..],
        &["live", "logs"],
        &["live", "errors"],
        &["live", "console"],
        &["capture", "trace", "--latest"],
        &["capture", "logs"],
        &["capture", "error", "nothing"],
        &["capture", "service-map"],
        &["entry", "show", "nothing"],
    ] {
        assert_eq!(journal.json_code(args).0, 1, "{args:?}");
    }
}

#[test]
fn markdown_that_is_not_utf8_is_refused_with_the_way_out() {
    let journal = Journal::new();
    let path = journal.dir.path().join("latin.md");
    std::fs::write(&path, b"# caf\xe9\n").expect("writes");
    let (code, error) = journal.json_code(&["import", &path.display().to_string()]);
    assert_eq!(code, 2);
    assert!(error["error"]["hint"].as_str().is_some_and(|h| h.contains("iconv")), "{error}");
    assert_eq!(journal.json(&["entry", "list"]), json!([]));
    let (code, error) = journal.json_code(&["import", "/nowhere/at/all.md"]);
    assert_eq!((code, error["error"]["code"].as_str()), (1, Some("not_found")));
}

#[test]
fn a_journal_of_a_newer_version_is_not_changed() {
    let journal = Journal::new();
    journal.json(&["entry", "new", "--week", "2"]);
    let db = journal.data().join("journal.db");
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)";
    let done = Command::new("sqlite3").arg(&db).arg(later).status().expect("sqlite3 runs");
    assert!(done.success());
    let before = std::fs::read(&db).expect("reads");
    let (code, error) = journal.json_code(&["entry", "list"]);
    assert_eq!((code, error["error"]["code"].as_str()), (4, Some("refused")));
    assert!(error["error"]["message"].as_str().is_some_and(|m| m.contains("newer Tracebook")), "{error}");
    assert_eq!(std::fs::read(&db).expect("reads"), before);
}

/// A small separate file system, if this user may mount one.
struct Tmpfs(std::path::PathBuf);

impl Tmpfs {
    fn mount(at: &std::path::Path, options: &str) -> Option<Self> {
        std::fs::create_dir_all(at).expect("makes");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output().ok()?;
        done.status.success().then(|| Self(at.to_owned()))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

#[test]
fn a_manipulated_export_does_no_harm() {
    let journal = Journal::new();
    let out = journal.dir.path().join("repo");
    journal.json(&["demo", "--out", &out.display().to_string()]);
    let entry_json = out.join("journal/assets/week2/entry.json");
    let mut said: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&entry_json).expect("reads")).expect("JSON");
    said["slug"] = json!("../../x");
    said["week"] = json!("99");
    said["folder"] = json!("../../../../etc");
    std::fs::write(&entry_json, said.to_string()).expect("writes");
    let other = Journal::new();
    let imported = other.json(&["import", &out.display().to_string()]);
    let slug = imported["entries"][0]["slug"].as_str().expect("a slug").to_owned();
    assert!(slug.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{slug}");
    let again = other.dir.path().join("again");
    other.json(&["export", "--all", "--to", &again.display().to_string()]);
    let mut there: Vec<_> =
        std::fs::read_dir(other.dir.path()).expect("lists").map(|e| e.expect("one").file_name()).collect();
    there.sort();
    assert_eq!(there, ["again", "data"], "nothing was written outside the folder");
}

#[test]
fn a_full_disk_is_reported_and_nothing_is_lost() {
    let journal = Journal::new();
    let Some(_disk) = Tmpfs::mount(&journal.data(), "size=3m,mode=700") else {
        assert!(std::env::var_os("CI").is_none(), "CI runs as root and can mount a tmpfs");
        return;
    };
    journal.json(&["entry", "new", "--week", "2"]);
    let serve = journal.serve(&[]);
    let mut acknowledged = 0u64;
    let mut refused = None;
    for n in 0..400 {
        let body = otlp_span(n, 1, None, &"x".repeat(20_000)).to_string();
        let (status, words) = post_traces(serve.http(), "application/json", body.as_bytes());
        match status {
            200 => acknowledged += 1,
            _ => {
                refused = Some((status, String::from_utf8_lossy(&words).into_owned()));
                break;
            }
        }
    }
    let (status, words) = refused.expect("3 MB hold no 400 spans of 20 kB");
    assert_eq!(status, 503, "so that an SDK retries: {words}");
    assert!(words.contains("disk is full"), "{words}");
    drop(serve);
    std::fs::write(journal.dir.path().join("long.md"), "y".repeat(2_000_000)).expect("writes");
    let long = journal.dir.path().join("long.md").display().to_string();
    let (code, error) = journal.json_code(&["entry", "set", "week-2", "--body", &long]);
    assert_eq!((code, error["error"]["code"].as_str()), (5, Some("storage")), "{error}");
    // Once there is space again, everything acknowledged is present, and the entry is unchanged.
    assert!(
        Command::new("mount").args(["-o", "remount,size=64m"]).arg(journal.data()).status().expect("mounts").success()
    );
    let traces = journal.json(&["live", "traces", "--limit", "1000"]);
    assert_eq!(traces.as_array().map(|t| t.len() as u64), Some(acknowledged));
    assert!(journal.json(&["entry", "show", "week-2"])["body"].as_str().is_some_and(|b| b.starts_with("# Week 2")));
}

#[test]
fn a_read_only_directory_is_reported() {
    let journal = Journal::new();
    let Some(_disk) = Tmpfs::mount(&journal.data(), "size=3m,mode=700") else {
        assert!(std::env::var_os("CI").is_none(), "CI runs as root and can mount a tmpfs");
        return;
    };
    assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(journal.data()).status().expect("mounts").success());
    let (code, error) = journal.json_code(&["entry", "list"]);
    assert_eq!((code, error["error"]["code"].as_str()), (5, Some("storage")), "{error}");
    let hint = error["error"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("--data"), "{error}");
}

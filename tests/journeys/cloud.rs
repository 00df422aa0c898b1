//! The cloud sources over their real protocols: against a fake cloud (`tests/service/cloud.py`) with the edge cases of
//! the real ones, and against moto where it is faithful.

use std::io::BufReader;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::support::{Ended, Journal, files, http, line_of, python, root, text, until};

pub(crate) const ROLLBAR_READ: &str = "read-0123456789abcdef0123456789ab";
const ROLLBAR_POST: &str = "post-0123456789abcdef0123456789ab";
const HONEYCOMB: &str = "hcaik_01testtesttesttesttesttest";
const KEY: &str = "AKIAIOSFODNN7TESTING";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYTESTINGKEY";

/// The fake cloud.
pub(crate) struct Cloud {
    _process: Ended,
    port: u16,
}

impl Cloud {
    pub(crate) fn start() -> Self {
        let mut process = Command::new(python())
            .arg(root().join("tests/service/cloud.py"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the cloud starts");
        let port = line_of(process.stdout.take().expect("a pipe"), |line| line.strip_prefix("ready ")?.parse().ok());
        Self { _process: Ended(process), port }
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sets how it responds, and clears the recorded requests.
    fn mode(&self, mode: &str) {
        let body = json!({ "mode": mode, "forget": true }).to_string();
        let (status, _) = http("POST", &self.address(), "/__cloud", &[], body.as_bytes());
        assert_eq!(status, 200);
    }

    fn asked(&self) -> Vec<Json> {
        let (_, body) = http("GET", &self.address(), "/__cloud", &[], b"");
        let answer: Json = serde_json::from_slice(&body).expect("JSON");
        answer["asked"].as_array().expect("a list").clone()
    }

    /// A journal whose sources are this cloud, without a keychain, the AWS config or the environment of the user.
    pub(crate) fn journal(&self) -> Journal {
        let mut journal = Journal::new();
        let nowhere = journal.dir.path().join("no-such-file").display().to_string();
        journal.env = [
            ("AWS_CONFIG_FILE", nowhere.as_str()),
            ("AWS_SHARED_CREDENTIALS_FILE", &nowhere),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", "us-east-1"),
            ("ROLLBAR_READ_TOKEN", ROLLBAR_READ),
            ("HONEYCOMB_API_KEY", HONEYCOMB),
            ("DBUS_SESSION_BUS_ADDRESS", "disabled:"),
            // The endpoint of a student's service: it must not affect our requests.
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("AWS_ENDPOINT_URL_XRAY", "http://127.0.0.1:9"),
            ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://127.0.0.1:9"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let url = format!("http://{}", self.address());
        let rollbar = format!("{url}/api/1");
        journal.json(&[
            "source",
            "set",
            "--aws-endpoint",
            &url,
            "--rollbar-endpoint",
            &rollbar,
            "--honeycomb-endpoint",
            &url,
            "--rollbar-web",
            "https://app.rollbar.com/a/cruddur/fix/item/backend-flask",
        ]);
        journal
    }
}

fn list(json: &Json) -> &Vec<Json> {
    json.as_array().unwrap_or_else(|| panic!("a list: {json}"))
}

/// The data of a piece of evidence.
fn evidence(journal: &Journal, captured: &Json) -> Json {
    journal.json(&["evidence", "show", text(captured, "id")])["evidence"].clone()
}

#[test]
fn every_source_is_listed_captured_exported_and_verified() {
    let cloud = Cloud::start();
    let journal = cloud.journal();

    let traces = journal.json(&["live", "traces", "--source", "xray", "--limit", "120"]);
    assert_eq!(list(&traces).len(), 120, "across pages, with empty ones in between");
    assert_eq!(text(&traces[0], "name"), "GET /api/activities/home 200");
    assert_eq!(traces[7]["status"], "in_progress");
    let faults = journal.json(&["live", "traces", "--source", "xray", "--filter", "fault", "--since", "2h"]);
    assert!(list(&faults).iter().all(|t| t["has_error"] == true), "{faults}");
    let (code, wrong) = journal.json_code(&["live", "traces", "--source", "xray", "--filter", "fault AND AND"]);
    assert_eq!((code, text(&wrong["error"], "code")), (2, "usage"), "{wrong}");

    let logs =
        journal.json(&["live", "logs", "--source", "cloudwatch", "--filter", "group:cruddur ERROR", "--limit", "60"]);
    assert_eq!(list(&logs).len(), 60);
    assert!(list(&logs).iter().all(|l| text(l, "message").contains("ERROR")), "{logs}");
    let newest = text(&logs[0], "timestamp") > text(&logs[59], "timestamp");
    assert!(newest, "newest first: {logs}");
    let oldest = journal.json(&[
        "live",
        "logs",
        "--source",
        "cloudwatch",
        "--filter",
        "group:cruddur",
        "--oldest-first",
        "--limit",
        "5",
    ]);
    assert!(text(&oldest[0], "timestamp") < text(&oldest[4], "timestamp"), "{oldest}");
    let (code, which) = journal.json_code(&["live", "logs", "--source", "cloudwatch"]);
    assert_eq!(code, 2, "{which}");
    assert!(text(&which["error"], "hint").contains("cruddur"), "the existing groups: {which}");

    let errors = journal.json(&["live", "errors", "--source", "rollbar", "--filter", "level:critical"]);
    assert!(!list(&errors).is_empty() && list(&errors).iter().all(|e| e["level"] == "critical"), "{errors}");

    journal.json(&["entry", "new", "--week", "2"]);
    let into = ["--into", "week-2"];
    let capture = |args: &[&str]| {
        let mut all = vec!["capture"];
        all.extend(args);
        all.extend(into);
        journal.json(&all)
    };
    let trace_id = text(&traces[3], "trace_id").to_owned();
    let trace = capture(&["trace", &trace_id, "--source", "xray"]);
    let frozen = evidence(&journal, &trace);
    assert_eq!(frozen["body"]["spans"].as_array().map(Vec::len), Some(2), "{frozen}");
    assert_eq!(frozen["provenance"]["question"]["source"], "xray");
    assert_eq!(frozen["provenance"]["region"], "us-east-1");
    // What answered is not AWS, and the vendor's console does not show it.
    let endpoint = &frozen["provenance"]["endpoints"][0];
    assert_eq!(text(endpoint, "url"), format!("http://{}", cloud.address()), "{frozen}");
    assert_eq!((text(endpoint, "source"), text(endpoint, "region")), ("xray", "us-east-1"), "{frozen}");
    assert_eq!(endpoint["emulator"], true, "{frozen}");
    let who = journal.json(&["source", "who", "aws"]);
    assert_eq!((&who["fingerprint"], &who["emulator"]), (&endpoint["account"], &json!(true)), "{who}");
    assert!(frozen["provenance"]["console_link"].is_null() && frozen["provenance"]["expires"].is_null(), "{frozen}");
    let cut = capture(&["trace", text(&traces[11], "trace_id"), "--source", "xray"]);
    assert!(cut["warnings"].to_string().contains("exceeds X-Ray's size limit"), "{cut}");
    let latest = capture(&["trace", "--latest", "--source", "xray", "--filter", "fault"]);
    assert!(text(&latest, "title").contains("500"), "{latest}");

    let map = capture(&["service-map", "--source", "xray"]);
    assert!(text(&map, "title").starts_with("service map"), "{map}");
    let groups = capture(&["groups", "Cruddur", "--source", "xray"]);
    assert!(text(&groups, "title").contains("Cruddur"), "{groups}");
    let rules = capture(&["sampling-rules", "--source", "xray"]);
    assert!(rules["warnings"].to_string().contains("samples 10 %"), "{rules}");

    let some = capture(&["logs", "--source", "cloudwatch", "--filter", "group:cruddur refused", "--since", "1h"]);
    assert!(text(&some, "title").contains("cruddur"), "{some}");
    let one = capture(&["logs", text(&logs[0], "id"), "--source", "cloudwatch"]);
    assert_eq!(evidence(&journal, &one)["body"]["events"][0]["message"], logs[0]["message"]);
    let query =
        capture(&["query", "--source", "cloudwatch", "--filter", "group:cruddur stats count(*) as n by @logStream"]);
    let frozen = evidence(&journal, &query);
    assert_eq!(
        frozen["body"]["rows"],
        json!([["backend-flask/0", "17"], ["backend-flask/1", "16"]]),
        "only when complete"
    );
    assert_eq!(frozen["provenance"]["endpoints"][0]["source"], "cloudwatch", "{frozen}");
    let dossier = capture(&["dossier", &trace_id, "--source", "xray", "--filter", "group:cruddur"]);
    let asked = evidence(&journal, &dossier)["provenance"]["endpoints"].clone();
    let asked: Vec<&str> = list(&asked).iter().map(|endpoint| text(endpoint, "source")).collect();
    assert_eq!(asked, ["xray", "cloudwatch"], "every source is named");
    assert!(text(&dossier, "title").starts_with("dossier of"), "{dossier}");

    let error = capture(&["error", "#3", "--source", "rollbar"]);
    let frozen = evidence(&journal, &error);
    assert_eq!(frozen["body"]["occurrence"]["person"]["username"], "andrew", "{frozen}");
    assert_eq!(frozen["provenance"]["endpoints"][0]["source"], "rollbar", "{frozen}");
    assert!(frozen["provenance"]["console_link"].is_null(), "{frozen}");

    let board = journal.json(&["source", "queries", "honeycomb"]);
    assert_eq!((text(&board[0], "from"), text(&board[0], "name")), ("board Week 2", "latency by route"));
    let honey = capture(&["query", text(&board[0], "id"), "--source", "honeycomb"]);
    let frozen = evidence(&journal, &honey);
    assert_eq!(frozen["body"]["columns"][0], "http.route");
    assert_eq!(frozen["provenance"]["endpoints"][0]["source"], "honeycomb", "{frozen}");
    assert!(frozen["provenance"]["console_link"].is_null(), "{frozen}");
    let (code, none) = journal.json_code(&["live", "traces", "--source", "honeycomb"]);
    assert_eq!((code, text(&none["error"], "code")), (5, "unsupported"), "{none}");

    let to = journal.dir.path().join("out").display().to_string();
    let exported = journal.json(&["export", "--all", "--to", &to]);
    assert_eq!(exported["refused"], json!([]), "{exported}");
    let verified = journal.json(&["verify", &to]);
    assert_eq!(verified["ok"], true, "{verified}");
    let markdown = std::fs::read_to_string(journal.dir.path().join("out/journal/week2.md")).expect("reads");
    assert!(!markdown.contains("when captured</a>"), "no console shows an emulator's data: {markdown}");
    for source in ["AWS X-Ray", "AWS CloudWatch Logs", "Rollbar", "Honeycomb"] {
        assert!(markdown.contains(&format!("emulator of {source}")), "{source}: {markdown}");
    }

    let usage = journal.json(&["source", "list"])["usage"].clone();
    assert!(text(&usage, "summary").contains("X-Ray traces retrieved"), "{usage}");
    no_secret_is_kept(&journal);
}

/// Checks that databases, export and settings contain no key.
fn no_secret_is_kept(journal: &Journal) {
    fn walk(path: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(path).expect("lists") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut files = Vec::new();
    walk(journal.dir.path(), &mut files);
    assert!(files.len() > 3, "{files:?}");
    for id in list(&journal.json(&["evidence", "list"])) {
        for more in [&["--raw"][..], &[]] {
            let mut args = vec!["evidence", "show", text(id, "id")];
            args.extend(more);
            let (_, out, _) = journal.run(&args);
            assert_clean(out.as_bytes(), &format!("{args:?}"));
        }
    }
    for file in files {
        assert_clean(&std::fs::read(&file).expect("reads"), &file.display().to_string());
    }
}

fn assert_clean(bytes: &[u8], place: &str) {
    for secret in [KEY, SECRET, ROLLBAR_READ, ROLLBAR_POST, HONEYCOMB, "must-not-be-kept-0123456789abcdef"] {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} is in {place}");
    }
}

#[test]
fn errors_come_with_a_hint() {
    let cloud = Cloud::start();
    let journal = cloud.journal();
    let ask = |source: &str, what: &str, filter: &str| {
        let start = Instant::now();
        let (code, answer) = journal.json_code(&["live", what, "--source", source, "--filter", filter]);
        (code, answer, start.elapsed())
    };
    for (mode, code, name) in [
        ("expired", 3, "credentials"),
        ("rejected", 3, "credentials"),
        ("denied", 3, "credentials"),
        ("broken", 3, "unreachable"),
        ("cut", 3, "unreachable"),
        ("html", 5, "unsupported"),
    ] {
        cloud.mode(mode);
        let (got, answer, took) = ask("xray", "traces", "");
        assert_eq!((got, text(&answer["error"], "code")), (code, name), "{mode}: {answer}");
        assert!(!text(&answer["error"], "hint").is_empty(), "{mode}: {answer}");
        assert!(took < Duration::from_secs(5), "{mode}: {took:?}");
        let (got, answer, _) = ask("cloudwatch", "logs", "group:cruddur");
        assert_eq!(got, code, "{mode}: {answer}");
    }
    for mode in ["rejected", "denied", "broken"] {
        cloud.mode(mode);
        let (code, answer, _) = ask("rollbar", "errors", "");
        assert_eq!(code, 3, "{mode}: {answer}");
        assert!(!answer.to_string().contains(ROLLBAR_READ), "{answer}");
    }
    cloud.mode("throttled-once");
    let (code, answer, _) = ask("xray", "traces", "");
    assert_eq!(code, 0, "retried: {answer}");
    cloud.mode("throttled");
    let (code, answer, _) = ask("rollbar", "errors", "");
    assert_eq!((code, text(&answer["error"], "code")), (3, "throttled"), "{answer}");
    cloud.mode("ok");
    let (code, answer, _) = ask("rollbar", "errors", "");
    assert_eq!(code, 0, "{answer}");
}

#[test]
fn missing_and_wrong_credentials_are_distinguished_quickly() {
    let cloud = Cloud::start();
    let mut journal = cloud.journal();
    let without = |journal: &mut Journal, name: &str| journal.env.retain(|(known, _)| known != name);
    without(&mut journal, "AWS_ACCESS_KEY_ID");
    without(&mut journal, "AWS_SECRET_ACCESS_KEY");
    let start = Instant::now();
    let (code, answer) = journal.json_code(&["live", "traces", "--source", "xray"]);
    assert_eq!((code, text(&answer["error"], "code")), (3, "credentials"), "{answer}");
    assert!(start.elapsed() < Duration::from_secs(3), "does not wait for instance metadata: {:?}", start.elapsed());

    let (code, answer) = journal.json_code(&["source", "set", "--aws-profile", "nobody"]);
    assert_eq!(code, 0, "{answer}");
    let (code, answer) = journal.json_code(&["source", "who", "aws"]);
    assert_eq!((code, text(&answer["error"], "code")), (3, "credentials"), "{answer}");
    assert!(text(&answer["error"], "message").contains("nobody"), "{answer}");
    journal.json(&["source", "set", "--aws-profile", ""]);

    journal.env.push(("AWS_ACCESS_KEY_ID".into(), KEY.into()));
    journal.env.push(("AWS_SECRET_ACCESS_KEY".into(), SECRET.into()));
    let who = journal.json(&["source", "who", "aws"]);
    assert_eq!((text(&who, "account"), text(&who, "region")), ("••••••••9012", "us-east-1"), "{who}");
    let checks = journal.json(&["doctor", "--source", "xray"]);
    assert!(list(&checks["checks"]).iter().all(|c| c["ok"] == true), "{checks}");

    // The token that the service posts with cannot read. The error names the required one.
    without(&mut journal, "ROLLBAR_READ_TOKEN");
    journal.env.push(("ROLLBAR_READ_TOKEN".into(), ROLLBAR_POST.into()));
    let (code, answer) = journal.json_code(&["live", "errors", "--source", "rollbar"]);
    assert_eq!((code, text(&answer["error"], "code")), (3, "credentials"), "{answer}");
    assert!(answer["error"].to_string().contains("read"), "{answer}");
    without(&mut journal, "HONEYCOMB_API_KEY");
    let (code, answer) = journal.json_code(&["source", "who", "honeycomb"]);
    assert_eq!((code, text(&answer["error"], "code")), (3, "credentials"), "{answer}");
    assert!(answer["error"].to_string().contains("HONEYCOMB_API_KEY"), "{answer}");

    // Without a keychain the token would be lost when the command ends, so it is rejected. It is not written to a file.
    let (code, stdout, stderr) = journal.run_with(&["--json", "source", "token", "rollbar"], ROLLBAR_READ.as_bytes());
    assert_eq!(code, 5, "{stdout} {stderr}");
    assert!(!stdout.contains(ROLLBAR_READ) && !stderr.contains(ROLLBAR_READ), "{stdout} {stderr}");
    no_secret_is_kept_in_settings(&journal);
    let (code, answer) = journal.json_code(&["source", "set", "--aws-endpoint", "http://user:pass@127.0.0.1:1"]);
    assert_eq!(code, 2, "{answer}");
}

fn no_secret_is_kept_in_settings(journal: &Journal) {
    for (name, bytes) in files(&journal.data()) {
        assert_clean(&bytes, &name);
    }
}

#[test]
fn evidence_is_unchanged_when_the_cloud_is_gone() {
    let cloud = Cloud::start();
    let journal = cloud.journal();
    journal.json(&["entry", "new", "--week", "2"]);
    let trace = journal.json(&["capture", "trace", "--latest", "--source", "xray", "--into", "week-2"]);
    let before = evidence(&journal, &trace);
    drop(cloud);
    let start = Instant::now();
    let (code, answer) = journal.json_code(&["live", "traces", "--source", "xray"]);
    assert_eq!((code, text(&answer["error"], "code")), (3, "unreachable"), "{answer}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(evidence(&journal, &trace), before);
    let to = journal.dir.path().join("out").display().to_string();
    journal.json(&["export", "--all", "--to", &to]);
    assert_eq!(journal.json(&["verify", &to])["ok"], true);
}

/// moto in server mode, from PyPI.
pub(crate) struct Moto {
    _process: Ended,
    pub(crate) url: String,
}

impl Moto {
    pub(crate) fn start() -> Self {
        let mut process = Command::new(python().with_file_name("moto_server"))
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto starts");
        let mut complaints = BufReader::new(process.stderr.take().expect("a pipe"));
        let url = line_of(&mut complaints, |line| Some(line.split_once("Running on ")?.1.to_owned()));
        // It writes a line for each request: a full pipe would block it.
        std::thread::spawn(move || std::io::copy(&mut complaints, &mut std::io::sink()));
        Self { _process: Ended(process), url }
    }
}

#[test]
fn what_boto3_wrote_to_moto_is_read_back() {
    let moto = Moto::start();
    let cloud = Cloud::start();
    let journal = cloud.journal();
    journal.json(&["source", "set", "--aws-endpoint", &moto.url]);
    let script = r#"
import boto3, json, time
kw = dict(endpoint_url=URL, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
logs = boto3.client("logs", **kw)
logs.create_log_group(logGroupName="cruddur")
logs.create_log_stream(logGroupName="cruddur", logStreamName="s")
now = int(time.time() * 1000)
logs.put_log_events(logGroupName="cruddur", logStreamName="s",
    logEvents=[{"timestamp": now - 2000 + i, "message": f"{'ERROR' if i % 2 else 'INFO'} n={i}"} for i in range(20)])
xray = boto3.client("xray", **kw)
start = time.time() - 30
doc = {"id": "1" * 16, "name": "backend-flask", "trace_id": f"1-{int(start):08x}-{'a' * 24}", "start_time": start, "end_time": start + 0.25,
       "subsegments": [{"id": "2" * 16, "name": "db", "start_time": start + 0.1, "end_time": start + 0.2}]}
print(xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(doc)])["UnprocessedTraceSegments"])
"#;
    let done = Command::new(python())
        .args(["-c", &script.replace("URL", &format!("{:?}", moto.url))])
        .output()
        .expect("python runs");
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "[]", "{}", String::from_utf8_lossy(&done.stderr));

    // moto treats `?a ?b` and the like as everything: events that do not match are removed here.
    let logs = journal.json(&["live", "logs", "--source", "cloudwatch", "--filter", "group:cruddur ?\"n=3\" ?\"n=5\""]);
    let said: Vec<&str> = list(&logs).iter().map(|l| text(l, "message")).collect();
    assert_eq!(said, ["ERROR n=5", "ERROR n=3"]);
    // moto returns `Users: {}` where the model says a list.
    let traces = journal.json(&["live", "traces", "--source", "xray"]);
    assert_eq!(list(&traces).len(), 1, "{traces}");
    journal.json(&["entry", "new", "--week", "2"]);
    let trace =
        journal.json(&["capture", "trace", text(&traces[0], "trace_id"), "--source", "xray", "--into", "week-2"]);
    assert_eq!(evidence(&journal, &trace)["body"]["spans"].as_array().map(Vec::len), Some(2));
    let query = journal.json(&[
        "capture",
        "query",
        "--source",
        "cloudwatch",
        "--filter",
        "group:cruddur fields @timestamp, @message | limit 5",
        "--into",
        "week-2",
    ]);
    assert_eq!(query["kind"], "query", "{query}");
    // Operations that moto lacks are reported as unsupported.
    let (code, answer) = journal.json_code(&["capture", "groups", "--source", "xray"]);
    assert_eq!((code, text(&answer["error"], "code")), (5, "unsupported"), "{answer}");
}

#[test]
fn a_long_fetch_stops_on_ctrl_c_and_stays_within_limits() {
    let cloud = Cloud::start();
    let journal = cloud.journal();
    cloud.mode("slow");
    let mut child = Command::new(crate::support::TRACEBOOK)
        .arg("--data")
        .arg(journal.data())
        .args(["--json", "live", "traces", "--source", "xray"])
        .envs(journal.env.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    until("it asks", || (!cloud.asked().is_empty()).then_some(()));
    let start = Instant::now();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    let status = child.wait().expect("ends");
    assert_eq!(status.code(), Some(5), "cancelled");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    // Five ids per call; unprocessed ids are requested again.
    cloud.mode("ok");
    let traces = journal.json(&["live", "traces", "--source", "xray", "--limit", "3"]);
    for trace in list(&traces) {
        journal.json(&["capture", "trace", text(trace, "trace_id"), "--source", "xray"]);
    }
    let batches: Vec<Json> = cloud.asked().into_iter().filter(|a| a["path"] == "/Traces").collect();
    assert_eq!(batches.len(), 3, "{batches:?}");
}

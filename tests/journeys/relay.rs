//! Forwarding to the real services: with Tracebook's own credentials, at least once, without loops.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::cloud::Moto;
use crate::keychain::Keyring;
use crate::support::{
    Journal, Serve, Service, TRACEBOOK, datagram, files, http, otlp_span, post_traces, root, text, until,
};

/// Credentials of the service; they must not be forwarded.
const THEIRS: &str = "theirs-0123456789abcdef0123456789ab";
const THEIR_KEY: &str = "AKIAIOSFODNN7SERVICE";
/// Credentials of the relay.
const OURS: &str = "ours-0123456789abcdef0123456789abcd";
const OUR_KEY: &str = "AKIAIOSFODNN7RELAY00";
const OUR_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYRELAYSECRET";

/// A request to a fake service.
#[derive(Clone, Debug)]
struct Heard {
    path: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The operation of a JSON 1.1 request, such as `PutLogEvents`.
    fn operation(&self) -> &str {
        self.header("x-amz-target").rsplit('.').next().unwrap_or_default()
    }

    /// The access key id that signed it.
    fn signed_by(&self) -> &str {
        let (_, after) = self.header("authorization").split_once("Credential=").unwrap_or_default();
        after.split('/').next().unwrap_or_default()
    }
}

type Answers = Arc<dyn Fn(&Heard) -> (u16, Vec<(&'static str, &'static str)>, String) + Send + Sync>;

/// A fake of a real service over HTTP. PutTraceSegments is rest-json on `/TraceSegments` (botocore xray/2016-04-12),
/// PutLogEvents JSON 1.1 (botocore logs/2014-03-28), and Rollbar's response to an item is
/// `{"err":0,"result":{"id":null,"uuid":…}}` (docs.rollbar.com/reference/create-item).
struct Fake {
    address: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Fake {
    fn start(
        answers: impl Fn(&Heard) -> (u16, Vec<(&'static str, &'static str)>, String) + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port"), answers)
    }

    fn on(
        listener: TcpListener,
        answers: impl Fn(&Heard) -> (u16, Vec<(&'static str, &'static str)>, String) + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("bound").to_string();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let (ours, answers): (_, Answers) = (Arc::clone(&heard), Arc::new(answers));
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let (heard, answers) = (Arc::clone(&ours), Arc::clone(&answers));
                std::thread::spawn(move || answer(socket, &heard, &answers));
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no panic").clone()
    }
}

/// Reads one request and responds; `None` if the client disconnected.
fn answer(socket: TcpStream, heard: &Mutex<Vec<Heard>>, answers: &Answers) -> Option<()> {
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Heard { path, headers, body: Vec::new() };
    request.body = vec![0; request.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut request.body).ok()?;
    let (status, more, body) = answers(&request);
    heard.lock().expect("no panic").push(request);
    let mut head = format!(
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nContent-Type: application/json\r\nConnection: close\r\n",
        body.len()
    );
    for (name, value) in more {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    reader.get_mut().write_all(format!("{head}\r\n{body}").as_bytes()).ok()
}

fn fine(body: &str) -> (u16, Vec<(&'static str, &'static str)>, String) {
    (200, Vec::new(), body.to_owned())
}

/// A journal with settings, without the keychain, AWS config or environment of the user.
fn journal(settings: &str, env: &[(&str, &str)]) -> Journal {
    let mut journal = Journal::new();
    std::fs::create_dir_all(journal.data()).expect("makes");
    set(&journal, settings);
    let at = |name: &str| journal.dir.path().join(name).display().to_string();
    let mut all = vec![
        ("AWS_CONFIG_FILE".to_owned(), at("aws-config")),
        ("AWS_SHARED_CREDENTIALS_FILE".to_owned(), at("aws-credentials")),
        ("DBUS_SESSION_BUS_ADDRESS".to_owned(), "disabled:".to_owned()),
    ];
    all.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    journal.env = all;
    journal
}

fn set(journal: &Journal, settings: &str) {
    std::fs::write(journal.data().join("tracebook.toml"), settings).expect("writes");
}

fn profile(journal: &Journal, key: &str) {
    let text = format!("[relay]\naws_access_key_id = {key}\naws_secret_access_key = {OUR_SECRET}\n");
    std::fs::write(journal.dir.path().join("aws-credentials"), text).expect("writes");
}

/// Starts `serve` with its log output in a file.
fn serve(journal: &Journal) -> Serve {
    let log = File::options().create(true).append(true).open(journal.dir.path().join("serve.log")).expect("opens");
    let any = "127.0.0.1:0";
    Serve::saying(
        Command::new(TRACEBOOK)
            .arg("--data")
            .arg(journal.data())
            .args(["--json", "serve", "--http", any, "--grpc", any, "--xray", any])
            .envs(journal.env.iter().map(|(name, value)| (name, value))),
        Stdio::from(log),
    )
}

fn said(journal: &Journal) -> String {
    std::fs::read_to_string(journal.dir.path().join("serve.log")).expect("reads")
}

/// The row of `relay status` for one destination.
fn row(journal: &Journal, name: &str) -> Json {
    let state = journal.json(&["relay", "status"]);
    let rows = state["rows"].as_array().expect("rows").clone();
    rows.into_iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name} in {state}"))
}

/// Waits until the row of a destination meets a condition.
fn until_row(journal: &Journal, name: &str, what: &str, is_so: impl Fn(&Json) -> bool) -> Json {
    let start = Instant::now();
    loop {
        let row = row(journal, name);
        if is_so(&row) {
            return row;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{name}: not {what}: {row}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Checks that no credential is in a file of the journal, in the output, or in the body of a forwarded request.
fn nothing_secret(journal: &Journal, fakes: &[&Fake]) {
    let all = files(journal.dir.path());
    assert!(all.keys().any(|name| name.ends_with("telemetry.db")), "{:?}", all.keys());
    let mut places: Vec<(String, Vec<u8>)> = all.into_iter().filter(|(name, _)| name != "aws-credentials").collect();
    for heard in fakes.iter().flat_map(|fake| fake.heard()) {
        let theirs = format!("{:?}", heard.headers);
        assert!(!theirs.contains(THEIRS) && !theirs.contains(THEIR_KEY), "{theirs}");
        places.push((heard.path.clone(), heard.body));
    }
    for (place, bytes) in places {
        for secret in [THEIRS, THEIR_KEY, OURS, OUR_KEY, OUR_SECRET] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {place}");
        }
    }
}

/// Sends a request as an SDK of the service, with its credentials in the headers.
fn send(address: &str, path: &str, more: &[(&str, &str)], body: &str) -> u16 {
    let signed =
        format!("AWS4-HMAC-SHA256 Credential={THEIR_KEY}/20261126/us-east-1/logs/aws4_request, Signature={THEIRS}");
    let all = [
        ("Content-Type", "application/json"),
        ("Authorization", &signed),
        ("X-Amz-Security-Token", THEIRS),
        ("X-Honeycomb-Team", THEIRS),
        ("X-Rollbar-Access-Token", THEIRS),
        ("Cookie", THEIRS),
    ];
    let headers: Vec<(String, String)> =
        all.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    http("POST", address, path, &headers, body.as_bytes()).0
}

/// The current time, since events of other days are rejected.
#[expect(clippy::disallowed_methods, reason = "a test sends what happens now")]
fn millis() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("a time")
}

#[test]
fn real_sdk_data_is_forwarded_to_another_tracebook_and_never_loops() {
    let theirs = journal("", &[]);
    let far = serve(&theirs);
    let ours = journal(&format!("[relay]\notlp = {{ endpoint = \"http://{}\" }}\n", far.http()), &[]);
    let near = serve(&ours);
    let service = Service::start(&near, &["--otlp"]);
    assert_eq!(service.get("/api/activities/home", &[]), 200);
    assert_eq!(service.get("/api/boom", &[]), 500);
    service.stop();
    let traces = |journal: &Journal| journal.json_code(&["live", "traces"]).1.as_array().cloned().unwrap_or_default();
    // Besides the two requests, the service creates a trace at its start.
    let known = until("three traces are there", || Some(traces(&ours)).filter(|all| all.len() == 3));
    let there = until("they are in the other one too", || Some(traces(&theirs)).filter(|all| *all == known));
    assert!(there.iter().any(|trace| trace["name"] == "GET /api/boom 500" && trace["spans"] == 2), "{there:?}");
    let frozen = |journal: &Journal| {
        let captured = journal.json(&["capture", "trace", text(&known[0], "trace_id")]);
        journal.json(&["evidence", "show", text(&captured, "id")])["evidence"]["body"].clone()
    };
    assert_eq!(frozen(&ours), frozen(&theirs), "including every attribute");
    let sent = until_row(&ours, "otlp", "all is sent", |row| row["waiting"] == 0);
    assert!(sent["sent"].as_u64() >= Some(5) && sent["refused"] == 0, "{sent}");

    // Our own receiver as destination: also from another process, and by another host name.
    for address in
        [format!("http://{}", near.http()), format!("http://{}", near.http().replace("127.0.0.1", "localhost"))]
    {
        let (code, refused) = ours.json_code(&["relay", "set", "otlp", "--endpoint", &address]);
        assert_eq!(code, 5, "{refused}");
        assert!(text(&refused["error"], "message").contains("this app's own receiver"), "{refused}");
    }
    // The other one forwards back to us: neither recognises the address as its own, and still there is no loop.
    theirs.json(&["relay", "set", "otlp", "--on", "--key", "", "--endpoint", &format!("http://{}", near.http())]);
    until_row(&theirs, "otlp", "it is on", |row| row["on"] == true);
    let span = otlp_span(1, 1, None, "round").to_string();
    let waits = until("it waits, and why", || {
        // The other process reads its settings within a second.
        post_traces(far.http(), "application/json", span.as_bytes());
        Some(row(&theirs, "otlp")).filter(|row| !text(row, "problem").is_empty())
    });
    assert!(text(&waits, "problem").contains("to prevent a loop"), "{waits}");
    assert!(!traces(&ours).iter().any(|trace| trace["name"] == "round"), "it was not accepted");
}

#[test]
fn segments_and_log_events_are_signed_with_our_profile_and_logged_as_by_the_daemon() {
    // PutLogEvents gets a 400 until the group is created.
    let made = Arc::new(Mutex::new(false));
    let knows = Arc::clone(&made);
    let fake = Fake::start(move |heard| {
        let mut made = knows.lock().expect("no panic");
        match (heard.path.as_str(), heard.operation()) {
            ("/TraceSegments", _) => fine("{\"UnprocessedTraceSegments\":[]}"),
            ("/", "PutLogEvents") if !*made => (
                400,
                Vec::new(),
                json!({ "__type": "ResourceNotFoundException", "message": "no such group" }).to_string(),
            ),
            ("/", operation) => {
                *made |= operation == "CreateLogStream";
                fine("{}")
            }
            _ => (404, Vec::new(), String::new()),
        }
    });
    let settings = format!(
        "[aws]\nprofile = \"relay\"\nregion = \"us-east-1\"\nendpoint = \"http://{}\"\n[relay]\nxray = true\nlogs = true\n",
        fake.address
    );
    // Variables of the service in the same shell are ignored: the profile is used.
    let journal = journal(&settings, &[("AWS_ACCESS_KEY_ID", THEIR_KEY), ("AWS_SECRET_ACCESS_KEY", THEIRS)]);
    profile(&journal, OUR_KEY);
    let served = serve(&journal);
    datagram(served.xray(), &std::fs::read(root().join("tests/fixtures/xray-01-home.bin")).expect("reads"));
    let at = millis();
    for (operation, body) in [
        ("CreateLogGroup", json!({ "logGroupName": "cruddur" })),
        ("CreateLogStream", json!({ "logGroupName": "cruddur", "logStreamName": "s/1" })),
        (
            "PutLogEvents",
            json!({ "logGroupName": "cruddur", "logStreamName": "s/1", "logEvents": [
                { "timestamp": at, "message": "first" }, { "timestamp": at + 1, "message": "second" }] }),
        ),
    ] {
        let target = [("X-Amz-Target", &*format!("Logs_20140328.{operation}"))];
        assert_eq!(send(served.http(), "/", &target, &body.to_string()), 200, "{operation}");
    }
    let xray = until_row(&journal, "xray", "sent", |row| row["sent"] == 1);
    assert!(text(&xray, "what").contains("signed with the profile relay"), "{xray}");
    until_row(&journal, "logs", "sent", |row| row["sent"] == 2 && row["waiting"] == 0);

    let heard = fake.heard();
    assert!(heard.iter().all(|heard| heard.signed_by() == OUR_KEY), "{heard:?}");
    let segments: Vec<Json> = heard.iter().filter(|heard| heard.path == "/TraceSegments").map(Heard::json).collect();
    assert_eq!(segments.len(), 1);
    let document: Json =
        serde_json::from_str(segments[0]["TraceSegmentDocuments"][0].as_str().expect("a document")).expect("JSON");
    let datagram = std::fs::read_to_string(root().join("tests/fixtures/xray-01-home.bin")).expect("reads");
    let (_, original) = datagram.split_once('\n').expect("a header and a document");
    assert_eq!(document, serde_json::from_str::<Json>(original).expect("JSON"), "the document that the SDK sent");
    let operations: Vec<&str> = heard.iter().map(Heard::operation).filter(|name| !name.is_empty()).collect();
    assert_eq!(operations, ["PutLogEvents", "CreateLogGroup", "CreateLogStream", "PutLogEvents"]);
    let put = heard.iter().rfind(|heard| heard.operation() == "PutLogEvents").expect("one").json();
    assert_eq!((&put["logGroupName"], &put["logStreamName"]), (&json!("cruddur"), &json!("s/1")));
    assert_eq!(put["logEvents"][1], json!({ "timestamp": at + 1, "message": "second" }));

    let line = "[Info] Successfully sent batch of 1 segments (";
    until("the line is told", || said(&journal).contains(line).then_some(()));
    let lines = journal.json(&["live", "console"]);
    assert!(lines.to_string().contains(line), "also in the console: {lines}");
    assert_eq!(served.stop(), 0);
    nothing_secret(&journal, &[&fake]);
}

#[test]
fn what_real_sdks_send_is_read_back_from_the_cloud() {
    let moto = Moto::start();
    let settings = format!(
        "[aws]\nprofile = \"relay\"\nregion = \"us-east-1\"\nendpoint = \"{}\"\n[relay]\nxray = true\nlogs = true\n",
        moto.url
    );
    let journal = journal(&settings, &[]);
    profile(&journal, OUR_KEY);
    let served = serve(&journal);
    let service = Service::start(&served, &["--xray", "--cloudwatch"]);
    // The caller decides about sampling: by default, the SDK drops the second of two requests until it has our rules.
    for (path, status, random) in [("/api/activities/home", 200, "a"), ("/api/boom", 500, "b")] {
        let header = format!("Root=1-{:08x}-{};Sampled=1", millis() / 1_000, random.repeat(24));
        assert_eq!(service.get(path, &[("X-Amzn-Trace-Id", &header)]), status);
    }
    service.stop();
    for (name, least) in [("xray", 2), ("logs", 1)] {
        let row =
            until_row(&journal, name, "all is sent", |row| row["sent"].as_u64() >= Some(least) && row["waiting"] == 0);
        assert_eq!((&row["refused"], &row["problem"]), (&json!(0), &json!("")), "{row}");
    }
    let messages = |args: &[&str]| -> Vec<String> {
        let rows = journal.json(args);
        let rows = rows.as_array().expect("rows").iter();
        let mut all: Vec<String> = rows.map(|row| text(row, "message").to_owned()).collect();
        all.sort();
        all
    };
    let (here, there) = (["live", "logs"], ["live", "logs", "--source", "cloudwatch", "--filter", "group:cruddur"]);
    assert_eq!(messages(&here), messages(&there));
    let ids = |args: &[&str]| -> Vec<String> {
        let rows = journal.json(args);
        let mut all: Vec<String> = rows
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| text(row, "trace_id").replace("1-", "").replace('-', ""))
            .collect();
        all.sort();
        all
    };
    assert_eq!(ids(&["live", "traces"]), ids(&["live", "traces", "--source", "xray"]));
    assert_eq!(served.stop(), 0);
}

#[test]
fn without_credentials_it_waits_across_a_restart_and_continues_once_they_exist() {
    let fake = Fake::start(|heard| match heard.signed_by() {
        OUR_KEY => fine("{\"UnprocessedTraceSegments\":[]}"),
        _ => {
            let why = json!({ "message": "The security token included in the request is expired" });
            (403, vec![("x-amzn-ErrorType", "ExpiredTokenException")], why.to_string())
        }
    });
    let settings = format!(
        "[aws]\nprofile = \"relay\"\nregion = \"us-east-1\"\nendpoint = \"http://{}\"\n[relay]\nxray = true\n",
        fake.address
    );
    let journal = journal(&settings, &[]);
    let served = serve(&journal);
    for name in ["xray-01-home.bin", "xray-01-boom.bin"] {
        datagram(served.xray(), &std::fs::read(root().join("tests/fixtures").join(name)).expect("reads"));
    }
    let waits = until_row(&journal, "xray", "said", |row| row["waiting"] == 2 && row["problem"] != "");
    assert!(text(&waits, "problem").contains("relay") && !text(&waits, "hint").is_empty(), "{waits}");
    assert!(waits["since"].is_string() && waits["oldest"].is_string(), "{waits}");
    assert!(said(&journal).contains("[Warn] Relay to X-Ray waits: "), "{}", said(&journal));
    let (_, human, _) = journal.run(&["relay", "status"]);
    assert!(human.contains("2 queued") && human.contains("waiting: "), "{human}");
    assert!(fake.heard().is_empty(), "nothing is sent without credentials");
    assert_eq!(served.stop(), 0);

    let served = serve(&journal);
    assert_eq!(row(&journal, "xray")["waiting"], 2, "the queue is on disk");
    // New credentials are found automatically, but have expired. Then they are renewed, and `relay retry` is run.
    profile(&journal, "AKIAIOSFODNN7EXPIRED");
    let expired = until_row(&journal, "xray", "expired", |row| text(row, "problem").contains("expired"));
    assert_eq!((&expired["waiting"], &expired["sent"]), (&json!(2), &json!(0)), "{expired}");
    profile(&journal, OUR_KEY);
    journal.json(&["relay", "retry", "xray"]);
    let sent = until_row(&journal, "xray", "sent", |row| row["sent"] == 2);
    assert_eq!((&sent["waiting"], &sent["problem"]), (&json!(0), &json!("")), "{sent}");
    until("it is told", || said(&journal).contains("[Info] Relay to X-Ray goes on").then_some(()));
    assert!(said(&journal).contains("Successfully sent batch of 2 segments ("), "{}", said(&journal));
    assert_eq!(served.stop(), 0);
    nothing_secret(&journal, &[&fake]);
}

#[test]
fn items_go_to_rollbar_with_our_token_retried_when_busy_but_not_when_rejected() {
    let busy = Mutex::new(VecDeque::from([429, 500]));
    let fake = Fake::start(move |heard| {
        let refuse = |status: u16, why: &str| (status, Vec::new(), json!({ "err": 1, "message": why }).to_string());
        match heard.text() {
            text if text.contains("enormous") => refuse(413, "payload too large"),
            text if text.contains("crooked") => refuse(422, "invalid format"),
            _ => match busy.lock().expect("no panic").pop_front() {
                Some(status) => refuse(status, "not now"),
                None => fine("{\"err\":0,\"result\":{\"id\":null,\"uuid\":\"u\"}}"),
            },
        }
    });
    let settings = format!("[rollbar]\nendpoint = \"http://{}/api/1\"\n[relay]\nrollbar = true\n", fake.address);
    let journal = journal(&settings, &[("ROLLBAR_ACCESS_TOKEN", OURS)]);
    let served = serve(&journal);
    for words in ["plain", "enormous", "crooked"] {
        let item = json!({ "access_token": THEIRS, "data": {
            "environment": "test", "access_token": THEIRS, "body": { "message": { "body": words } } } });
        assert_eq!(send(served.http(), "/api/1/item/", &[], &item.to_string()), 200);
    }
    let row = until_row(&journal, "rollbar", "all is settled", |row| {
        row["waiting"] == 0 && row["sent"] == 1 && row["refused"] == 2
    });
    assert_eq!((&row["credential"], &row["problem"]), (&json!("environment"), &json!("")), "{row}");
    assert!(text(&row, "refusal").contains("too large") || text(&row, "refusal").contains("invalid format"), "{row}");
    let heard = fake.heard();
    assert!(heard.iter().all(|heard| heard.header("x-rollbar-access-token") == OURS), "{heard:?}");
    let tries = |words: &str| heard.iter().filter(|heard| heard.text().contains(words)).count();
    assert_eq!((tries("plain"), tries("enormous"), tries("crooked")), (3, 1, 1));
    assert!(heard.iter().all(|heard| heard.json()["data"]["uuid"].is_string()), "so that Rollbar ignores duplicates");
    assert!(said(&journal).contains("[Error] Rollbar refused 1 items, which are not sent again"), "{}", said(&journal));
    assert_eq!(served.stop(), 0);
    nothing_secret(&journal, &[&fake]);
}

#[test]
fn a_token_stored_in_the_keychain_by_another_process_is_found() {
    let fake = Fake::start(|_| fine("{\"err\":0,\"result\":{\"id\":null,\"uuid\":\"u\"}}"));
    let settings = format!("[rollbar]\nendpoint = \"http://{}/api/1\"\n[relay]\nrollbar = true\n", fake.address);
    let mut journal = journal(&settings, &[]);
    let home = tempfile::tempdir().expect("a folder");
    let keyring = Keyring::start(home.path(), true);
    keyring.serves(&mut journal);
    let served = serve(&journal);
    let item = json!({ "data": { "environment": "test", "body": { "message": { "body": "hello" } } } });
    assert_eq!(send(served.http(), "/api/1/item/", &[], &item.to_string()), 200);
    let waits = until_row(&journal, "rollbar", "said", |row| row["problem"] != "");
    assert_eq!((&waits["waiting"], &waits["credential"]), (&json!(1), &json!("none")), "{waits}");
    let (code, told, complaint) = journal.run_with(&["relay", "token", "rollbar"], OURS.as_bytes());
    assert_eq!(code, 0, "{told} {complaint}");
    assert!(!told.contains(OURS) && !complaint.contains(OURS));
    let sent = until_row(&journal, "rollbar", "sent", |row| row["sent"] == 1);
    assert_eq!((&sent["credential"], &sent["problem"]), (&json!("keychain"), &json!("")), "{sent}");
    assert_eq!(fake.heard()[0].header("x-rollbar-access-token"), OURS);
    assert_eq!(served.stop(), 0);
    nothing_secret(&journal, &[&fake]);
}

#[test]
fn the_queue_is_bounded_and_survives_a_killed_process() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nobody.local_addr().expect("bound").to_string();
    drop(nobody);
    let settings = format!(
        "[relay]\nmax_mib = 1\notlp = {{ endpoint = \"http://{address}\", key = \"env:RELAY_KEY\", header = \"X-Team\", headers = {{ \
         x-honeycomb-dataset = \"cruddur\" }} }}\n"
    );
    let journal = journal(&settings, &[("RELAY_KEY", OURS)]);
    let served = serve(&journal);
    for i in 0..8 {
        let mut request = otlp_span(i, 1, None, &format!("request {i}"));
        request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] =
            json!([{ "key": "big", "value": { "stringValue": "x".repeat(300 << 10) } }]);
        assert_eq!(
            send(served.http(), "/v1/traces", &[], &request.to_string()),
            200,
            "receiving does not wait for the relay"
        );
    }
    let full = until_row(&journal, "otlp", "the oldest went", |row| row["dropped"] == 5 && row["problem"] != "");
    assert_eq!(full["waiting"], 3, "{full}");
    assert!(text(&full, "problem").contains("127.0.0.1"), "{full}");
    let state = journal.json(&["relay", "status"]);
    assert!(state["bytes"].as_u64() <= state["limit_bytes"].as_u64() && state["limit_bytes"] == 1 << 20, "{state}");
    assert_eq!(journal.json(&["live", "traces"]).as_array().map(Vec::len), Some(8), "telemetry has all of them");
    Command::new("kill").args(["-KILL", &served.pid().to_string()]).status().expect("kill runs");
    served.kill_is_over();
    nothing_secret(&journal, &[]);

    let fake = Fake::on(TcpListener::bind(&address).expect("the same port"), |_| fine("{}"));
    let served = serve(&journal);
    let sent = until_row(&journal, "otlp", "sent", |row| row["sent"] == 3);
    assert_eq!((&sent["waiting"], &sent["dropped"]), (&json!(0), &json!(5)), "{sent}");
    for heard in fake.heard() {
        let said =
            ["x-team", "x-honeycomb-dataset", "x-honeycomb-team", "content-encoding"].map(|name| heard.header(name));
        assert_eq!((heard.path.as_str(), said), ("/v1/traces", [OURS, "cruddur", "", "gzip"]));
    }
    assert_eq!(served.stop(), 0);
    nothing_secret(&journal, &[&fake]);
}

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use tracebook_core::clock::FixedClock;

use super::*;
use crate::budget::Purpose;
use crate::receive::CommitError;
use crate::testing::{Answer, Kept, Server, http, post};

struct Rig {
    server: Server,
    kept: Arc<Kept>,
    counters: Arc<Counters>,
}

impl Rig {
    async fn with(kept: Arc<Kept>) -> Self {
        Self::within(kept, Bounds::pausing(Duration::from_millis(500))).await
    }

    async fn within(kept: Arc<Kept>, bounds: Bounds) -> Self {
        let counters = Arc::new(Counters::default());
        let clock = Arc::new(FixedClock(Nanos(1_795_532_230_500_000_000)));
        let router = router_with(kept.clone(), counters.clone(), clock, bounds);
        Self { server: Server::start(router).await, kept, counters }
    }

    async fn new() -> Self {
        Self::with(Kept::new()).await
    }

    async fn post(&self, path: &str, headers: &str, body: &[u8]) -> Answer {
        post(self.server.addr, path, headers, body).await
    }
}

/// A request of pyrollbar 1.5.0.
const HEADERS: &str = "User-Agent: python-requests/2.32.3\r\nContent-Type: application/json\r\n\
    X-Rollbar-Access-Token: 0123456789abcdef0123456789abcdef\r\n";
const ITEM: &str = r#"{"access_token": "0123456789abcdef0123456789abcdef", "data": {"timestamp": 1795532228,
    "environment": "development", "level": "warning", "language": "python 3.11.7", "notifier": {"name": "pyrollbar",
    "version": "1.5.0"}, "uuid": "dbaa0b9f-b933-491b-b7a4-c08d37ce783f", "body": {"message": {"body": "Hello 42"}},
    "server": {"host": "vm", "pid": 3893, "argv": ["service.py"]}}}"#;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(plain).expect("in memory");
    gzip.finish().expect("in memory")
}

#[tokio::test]
async fn an_item_is_committed_and_answered_as_rollbar_does() {
    for path in ["/api/1/item", "/api/1/item/", "/api/item", "/api/item/"] {
        let rig = Rig::new().await;
        let answer = rig.post(path, HEADERS, ITEM.as_bytes()).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{path}");
        let expected = json!({"err": 0, "result": {"id": null, "uuid": "dbaa0b9f-b933-491b-b7a4-c08d37ce783f"}});
        assert_eq!(answer.json(), expected);
        let kept = rig.kept.occurrences();
        assert_eq!((kept.len(), kept[0].title.as_str()), (1, "Hello 42"));
        let raw = String::from_utf8(kept[0].raw.clone()).expect("JSON");
        assert!(!raw.contains("0123456789abcdef") && !raw.contains("access_token"), "{raw}");
        assert!(raw.contains("pyrollbar"));
        assert_eq!((rig.counters.errors(), rig.counters.refusals()), (1, 0));
    }
}

#[tokio::test]
async fn compressed_forms_and_batches_are_accepted() {
    let rig = Rig::new().await;
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(ITEM.as_bytes()).expect("in memory");
    for (headers, body) in [
        ("Content-Encoding: gzip\r\n", gzip(ITEM.as_bytes())),
        ("Content-Encoding: deflate\r\n", zlib.finish().expect("in memory")),
        (
            "Content-Type: application/x-www-form-urlencoded\r\n",
            b"payload=%7B%22data%22:%7B%22body%22:%7B%7D%7D%7D".into(),
        ),
        ("Content-Type: text/plain\r\n", ITEM.into()),
    ] {
        assert_eq!(rig.post("/api/1/item/", headers, &body).await.status, 200, "{headers}");
    }
    assert_eq!(rig.kept.occurrences().len(), 4);

    let batch = br#"{"data": [{"uuid": "a", "body": {}}, {"uuid": "b"}, {"uuid": "c", "body": {}}]}"#;
    let answer = rig.post("/api/1/item/", HEADERS, batch).await;
    assert_eq!((answer.status, &answer.json()["result"]["uuid"]), (200, &json!("a")));
    assert_eq!((rig.counters.errors(), rig.counters.refusals()), (6, 1));
    assert!(rig.counters.last_reason().expect("said").contains("1 item of a batch refused: `data` has no `body`"));
}

#[tokio::test]
async fn bad_requests_are_refused_in_json() {
    let rig = Rig::new().await;
    for (headers, body, status, word) in [
        (HEADERS, &b"{\"data\": "[..], 400, "not a Rollbar item"),
        (HEADERS, b"", 400, "empty"),
        (HEADERS, b"{\"data\": {}}", 400, "no `body`"),
        ("Content-Encoding: gzip\r\n", b"plain", 400, "not readable gzip"),
        ("Content-Encoding: br\r\n", b"", 415, "gzip, deflate or none"),
    ] {
        let answer = rig.post("/api/1/item/", headers, body).await;
        assert_eq!((answer.status, &answer.json()["err"]), (status, &json!(1)));
        assert!(answer.text().contains(word), "{}", answer.text());
    }
    let answer = http(rig.server.addr, "GET /api/1/item/ HTTP/1.1\r\nHost: a\r\n", b"").await;
    assert_eq!((answer.status, answer.header("allow"), &answer.json()["err"]), (405, Some("POST"), &json!(1)));
    assert_eq!((rig.counters.refusals(), rig.counters.errors()), (6, 0));
    assert!(rig.counters.last_reason().expect("said").starts_with("Rollbar /api/1/item/: "));
    assert!(rig.kept.occurrences().is_empty());
}

#[tokio::test]
async fn a_failing_store_is_reported() {
    let rig = Rig::with(Kept::failing(vec![CommitError::retryable("the disk is full")])).await;
    let answer = rig.post("/api/1/item/", HEADERS, ITEM.as_bytes()).await;
    assert_eq!((answer.status, &answer.json()["err"]), (503, &json!(1)));
    assert!(answer.text().contains("1 error could not be stored: the disk is full"), "{}", answer.text());
    assert_eq!((rig.counters.errors(), rig.counters.refusals()), (0, 1));
    assert_eq!(rig.post("/api/1/item/", HEADERS, ITEM.as_bytes()).await.status, 200, "and then it works again");
}

#[tokio::test]
async fn too_large_is_never_413() {
    // What pyrollbar sends for three million characters of extra data: twice.
    let rig = Rig::new().await;
    let text = "y".repeat(3_000_000);
    let item = json!({"data": {"body": {"message": {"body": "big", "x": text}}, "custom": {"x": text}, "uuid": "u"}});
    let answer = rig.post("/api/1/item/", HEADERS, item.to_string().as_bytes()).await;
    assert_eq!((answer.status, rig.counters.errors()), (200, 1));
    let record = rig.kept.occurrences().remove(0);
    assert!(record.raw.len() < wire::MAX_BYTES);
    let (seen, _) = normalise::read(&record.raw, record.timestamp);
    assert_eq!((seen.title.as_str(), seen.custom.len(), seen.uuid.as_str()), ("big", 1, "u"));
    assert!(seen.notes[0].contains("KiB of JSON"), "{:?}", seen.notes);

    // Larger than any accepted body, compressed or not.
    let zeros = vec![b' '; 65 << 20];
    for (headers, body) in [(HEADERS, zeros.clone()), ("Content-Encoding: gzip\r\n", gzip(&zeros))] {
        let rig = Rig::new().await;
        let answer = rig.post("/api/1/item/", headers, &body).await;
        assert_eq!((answer.status, &answer.json()["err"]), (200, &json!(0)), "{}", answer.text());
        assert_eq!((rig.counters.losses(), rig.counters.errors()), (1, 1));
        assert!(rig.counters.last_reason().expect("said").contains("64 MiB"));
        let record = rig.kept.occurrences().remove(0);
        assert_eq!(answer.json()["result"]["uuid"], record.uuid.as_str());
        let (seen, _) = normalise::read(&record.raw, record.timestamp);
        assert!(seen.title.contains("too large to keep") && seen.notes.len() == 1, "{seen:?}");
    }
    let rig = Rig::with(Kept::failing(vec![CommitError::permanent("no")])).await;
    assert_eq!(rig.post("/api/1/item/", HEADERS, &zeros).await.status, 200);
}

#[tokio::test]
async fn items_of_countless_values_are_cut_and_kept() {
    let rig = Rig::new().await;
    let (zeros, members) = ("0,".repeat(400_000), (0..90_000).map(|n| format!("\"{n:x}\":0")).collect::<Vec<_>>());
    for (uuid, custom) in [("list", format!("{{\"x\":[{zeros}0]}}")), ("map", format!("{{{}}}", members.join(",")))] {
        let item = format!(r#"{{"data":{{"uuid":"{uuid}","body":{{"message":{{"body":"b"}}}},"custom":{custom}}}}}"#);
        assert!(item.len() < wire::MAX_BYTES);
        let packed = gzip(item.as_bytes());
        let answer = rig.post("/api/1/item/", "Content-Encoding: gzip\r\n", &packed).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let record = rig.kept.occurrences().pop().expect("stored");
        let (seen, _) = normalise::read(&record.raw, record.timestamp);
        assert_eq!((seen.uuid.as_str(), seen.title.as_str()), (uuid, "b"));
        assert!(seen.notes.iter().any(|note| note.contains("left out")), "{:?}", seen.notes);
    }
}

#[tokio::test]
async fn an_item_that_finds_no_memory_is_503_and_one_that_never_will_is_replaced() {
    const MIB: usize = 1 << 20;
    let bounds = Bounds::scarce(4 * MIB);
    let rig = Rig::within(Kept::new(), bounds).await;
    for purpose in [Purpose::SmallBody, Purpose::SmallWork] {
        let all = bounds.budget.take(purpose, 4 * MIB).await.expect("free");
        let answer = rig.post("/api/1/item/", HEADERS, ITEM.as_bytes()).await;
        assert_eq!((answer.status, &answer.json()["err"]), (503, &json!(1)));
        drop(all);
    }
    let packed = gzip(&vec![b'['; 20 * MIB]);
    let answer = rig.post("/api/1/item/", "Content-Encoding: gzip\r\n", &packed).await;
    assert_eq!((answer.status, rig.counters.losses()), (200, 1), "never 413");
    assert!(rig.kept.occurrences()[0].title.contains("too large to keep"));
    assert_eq!(rig.post("/api/1/item/", HEADERS, ITEM.as_bytes()).await.status, 200);
    assert_eq!((bounds.budget.used(Purpose::SmallWork), bounds.budget.used(Purpose::LargeWork)), (0, 0));
}

#[tokio::test]
async fn environment_and_person_are_cut() {
    let rig = Rig::new().await;
    let long = "x".repeat(100_000);
    let item = json!({"data": {"body": {"message": {"body": "b"}}, "environment": long, "person": {"username": long},
        "title": long}});
    assert_eq!(rig.post("/api/1/item/", HEADERS, item.to_string().as_bytes()).await.status, 200);
    let record = rig.kept.occurrences().remove(0);
    for name in [&record.environment, &record.person] {
        assert!(name.len() == 256 && name.ends_with("x… [100,000 bytes]"), "{name}");
    }
    assert!(record.title.len() <= 1024 && record.raw.len() > 300_000);
}

#[tokio::test]
async fn deep_nesting_does_no_harm() {
    let rig = Rig::new().await;
    let deep = format!(
        r#"{{"data": {{"uuid": "d", "body": {}{}}}}}"#,
        "{\"k\":".repeat(100_000),
        "1".to_owned() + &"}".repeat(100_000)
    );
    assert_eq!(rig.post("/api/1/item/", HEADERS, deep.as_bytes()).await.status, 200);
    assert_eq!(rig.kept.occurrences()[0].uuid, "d");
}

#[tokio::test]
async fn sessions_are_acknowledged_and_not_kept() {
    let rig = Rig::new().await;
    for path in ["/api/1/session", "/api/1/session/"] {
        let answer = rig.post(path, HEADERS, b"{\"anything\": 1}").await;
        assert_eq!((answer.status, &answer.json()["err"]), (200, &json!(0)));
    }
    assert_eq!((rig.counters.acknowledged_only(), rig.counters.errors()), (2, 0));
}

#[tokio::test]
async fn it_merges_into_the_otlp_router() {
    let kept = Kept::new();
    let counters = Arc::new(Counters::default());
    let clock = Arc::new(FixedClock(Nanos(0)));
    let otlp = crate::otlp::receiver::router(kept.clone(), counters.clone(), clock.clone());
    let server = Server::start(otlp.merge(router(kept.clone(), counters, clock))).await;
    assert_eq!(post(server.addr, "/api/1/item/", HEADERS, ITEM.as_bytes()).await.status, 200);
    assert_eq!(post(server.addr, "/api/1/items/", HEADERS, ITEM.as_bytes()).await.status, 404);
}

#[tokio::test]
async fn other_paths_under_api_get_a_hint() {
    let rig = Rig::new().await;
    for path in ["/api/1/items/", "/api/1/", "/api/1/item/x", "/api", "/api/", "/api/2/item/"] {
        let answer = rig.post(path, HEADERS, ITEM.as_bytes()).await;
        let said = answer.json();
        assert_eq!((answer.status, said["err"].as_i64()), (404, Some(1)), "{path}");
        let words = said["message"].as_str().expect("words");
        assert!(words.contains("go to /api/1/item/") && words.contains("/api/1/'"), "{path}: {words}");
        assert!(!words.contains("OTEL_"), "{path}: {words}");
    }
    for path in ["/api/v2/spans", "/api/traces"] {
        let words = rig.post(path, "Content-Type: application/json\r\n", b"[]").await.json()["message"].to_string();
        assert!(words.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && !words.contains("Rollbar"), "{path}: {words}");
    }
    assert!(rig.kept.occurrences().is_empty());
    assert_eq!(rig.counters.refusals(), 8);
}

mod api;
mod memory;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tracebook_core::clock::FixedClock;
use tracebook_core::time::Nanos;

use super::*;
use crate::receive::{CommitError, Counters};
use crate::testing::{Kept, Server, fixture, http, post};

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn segment(n: u32) -> String {
    let id = n + 1;
    format!(
        r#"{{"trace_id":"1-6b0459ac-d2fb2577c226bb0ed076fe79","id":"{id:016x}","name":"s","start_time":1795447213,"end_time":1795447214}}"#
    )
}

/// Shortly after the recorded segments.
fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock(Nanos(1_795_447_213_900_000_000)))
}

struct Udp {
    to: SocketAddr,
    from: UdpSocket,
    kept: Arc<Kept>,
    counters: Arc<Counters>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

impl Udp {
    fn start(kept: Arc<Kept>) -> Self {
        let socket = bind_udp(loopback()).expect("a free port");
        let to = socket.local_addr().expect("bound");
        let counters = Arc::new(Counters::default());
        let cancel = CancellationToken::new();
        let task = tokio::spawn(serve_udp(socket, None, kept.clone(), counters.clone(), clock(), cancel.clone()));
        Self { to, from: UdpSocket::bind(loopback()).expect("a free port"), kept, counters, cancel, task }
    }

    fn send(&self, bytes: &[u8]) {
        self.from.send_to(bytes, self.to).expect("sent");
    }

    fn send_segment(&self, n: u32) {
        self.send(format!("{{\"format\":\"json\",\"version\":1}}\n{}", segment(n)).as_bytes());
    }

    async fn until(&self, done: impl Fn(&Counters) -> bool) {
        let wait = async {
            while !done(&self.counters) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("in time");
    }

    async fn end(self) -> (Arc<Kept>, Arc<Counters>) {
        self.cancel.cancel();
        tokio::time::timeout(Duration::from_secs(20), self.task).await.expect("ends").expect("no panic").expect("fine");
        (self.kept, self.counters)
    }
}

#[tokio::test]
async fn datagrams_are_gathered_and_committed() {
    let udp = Udp::start(Kept::new());
    for n in 0..300 {
        udp.send_segment(n);
        if n % 50 == 49 {
            // The size of a burst depends on the system and is not tested here.
            udp.until(|counters| counters.spans() == u64::from(n) + 1).await;
        }
    }
    let (kept, counters) = udp.end().await;
    assert_eq!((kept.spans().len(), counters.spans(), counters.refusals()), (300, 300, 0));
    assert!(kept.batches.lock().expect("no panic").len() < 100, "not one transaction a datagram");
}

#[tokio::test]
async fn bad_datagrams_are_counted_and_do_no_harm() {
    let udp = Udp::start(Kept::new());
    udp.send(b"");
    udp.send(b"nonsense");
    udp.send(&vec![b'x'; 65_507]);
    udp.send(b"{\"format\":\"json\",\"version\":1}\n{\"name\":\"\\ud83d\"}");
    udp.send(&fixture("xray-01-home.bin"));
    udp.until(|counters| counters.refusals() == 4 && counters.spans() > 0).await;
    let (_, counters) = udp.end().await;
    assert!(counters.last_reason().expect("said").starts_with("X-Ray UDP: "));
}

#[tokio::test]
async fn the_queue_is_committed_at_shutdown() {
    let udp = Udp::start(Kept::new());
    for n in 0..50 {
        udp.send_segment(n);
    }
    let (kept, _) = udp.end().await;
    assert_eq!(kept.spans().len(), 50);
}

#[tokio::test]
async fn a_store_that_recovers_loses_nothing() {
    let locked = || CommitError::retryable("the database is locked");
    let udp = Udp::start(Kept::failing(vec![locked(), locked(), locked()]));
    udp.send_segment(0);
    udp.until(|counters| counters.spans() == 1).await;
    let (kept, counters) = udp.end().await;
    assert_eq!((kept.spans().len(), counters.losses()), (1, 0));
}

#[tokio::test]
async fn a_store_that_does_not_recover_is_reported_and_does_not_block_shutdown() {
    let full = || CommitError::retryable("the disk is full");
    let udp = Udp::start(Kept::failing((0..10_000).map(|_| full()).collect()));
    udp.send_segment(0);
    tokio::time::sleep(Duration::from_millis(100)).await;
    udp.send_segment(1);
    let (_, counters) = udp.end().await;
    assert_eq!((counters.spans(), counters.losses()), (0, 2));
    assert!(counters.last_reason().expect("said").contains("1 segment could not be stored: the disk is full"));

    let udp = Udp::start(Kept::failing(vec![CommitError::permanent("no such table")]));
    udp.send_segment(0);
    udp.until(|counters| counters.losses() == 1).await;
}

#[tokio::test]
async fn a_pair_shares_one_port() {
    let (udp, tcp) = bind_pair(loopback()).expect("free for both");
    let port = udp.local_addr().expect("bound").port();
    assert_eq!(tcp.local_addr().expect("bound").port(), port);
    assert!(receive_buffer(&udp).expect("told") > 0);
    let taken = bind_pair(SocketAddr::from(([127, 0, 0, 1], port))).expect_err("taken");
    assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    assert!(taken.to_string().contains(&format!("TCP 127.0.0.1:{port}")), "{taken}");
    drop(tcp);
    let taken = bind_pair(SocketAddr::from(([127, 0, 0, 1], port))).expect_err("UDP is still taken");
    assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
}

async fn daemon(kept: Arc<Kept>) -> (Server, Arc<Counters>) {
    let counters = Arc::new(Counters::default());
    (
        Server::start(tcp_router(kept.clone(), api::Memory::of(kept), counters.clone(), clock(), crate::normalise))
            .await,
        counters,
    )
}

#[tokio::test]
async fn sdks_are_told_to_sample_everything() {
    let (server, _) = daemon(Kept::new()).await;
    // As the SDK sends it, and as a minimal client might.
    for body in [&b"{}"[..], b""] {
        let rule = &post(server.addr, "/GetSamplingRules", "Content-Type: application/json\r\n", body).await.json()["SamplingRuleRecords"]
            [0]["SamplingRule"];
        assert_eq!((&rule["FixedRate"], &rule["Version"], &rule["ResourceARN"]), (&json!(1.0), &json!(1), &json!("*")));
        assert_eq!(rule["Attributes"], json!({}));
    }
    let body = json!({"SamplingStatisticsDocuments": [
        {"RuleName": "Default", "ClientID": "173056af804067744f93e64c", "RequestCount": 3, "Timestamp": 1_795_447_969},
        {"RuleName": "Cruddur"}, {"RuleName": "Cruddur"}, {"ClientID": "?"},
    ]});
    let answer = post(server.addr, "/SamplingTargets", "", body.to_string().as_bytes()).await.json();
    let target = |name| json!({"RuleName": name, "FixedRate": 1.0, "ReservoirQuota": 100, "ReservoirQuotaTTL": 1_795_447_513, "Interval": 10});
    assert_eq!(answer["SamplingTargetDocuments"], json!([target("Default"), target("Cruddur")]));
    // There is no rule Cruddur, so an SDK that reports on it reads the rules again.
    assert_eq!(
        (&answer["LastRuleModification"], &answer["UnprocessedStatistics"]),
        (&json!(1_795_447_213), &json!([]))
    );
    let answer = post(server.addr, "/SamplingTargets", "", b"{}").await.json();
    assert_eq!((&answer["LastRuleModification"], &answer["SamplingTargetDocuments"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn segments_over_tcp_are_kept_and_bad_ones_named() {
    let kept = Kept::failing(vec![CommitError::retryable("the disk is full")]);
    let (server, counters) = daemon(kept.clone()).await;
    let bad = r#"{"id":"0000000000000009","name":"s"}"#;
    let of_1970 = segment(8).replace("1795447213", "5");
    let half = segment(1).replace("\"s\"", "\"half \\ud83d\"");
    // One has lone surrogates in the document's text and in the text around it.
    let body = json!({"TraceSegmentDocuments": [segment(0), bad, 7, half, of_1970]}).to_string();
    let body = body.replace("half ", "half \\udc00 ");
    let answer = post(server.addr, "/TraceSegments", "", body.as_bytes()).await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (503, Some("ServiceUnavailableException")));
    assert!(kept.spans().is_empty());
    let answer = post(server.addr, "/TraceSegments", "", body.as_bytes()).await;
    assert_eq!((answer.status, kept.spans().len(), counters.spans()), (200, 2, 2));
    let unprocessed = answer.json()["UnprocessedTraceSegments"].clone();
    assert_eq!(unprocessed[0]["Id"], "0000000000000009");
    assert_eq!(unprocessed[0]["Message"], "a segment document without trace_id");
    assert_eq!((unprocessed.as_array().map(Vec::len), &unprocessed[1]["Id"]), (Some(3), &Value::Null));
    assert_eq!(unprocessed[2]["ErrorCode"], "InvalidDocument");
    assert_eq!(
        unprocessed[2]["Message"],
        "a segment document whose start_time is 1970-01-01T00:00:05.000Z, which is before 2000 (is it in the right unit?)"
    );
    assert!(kept.spans()[1].title.starts_with("half \u{fffd}"), "{}", kept.spans()[1].title);

    let answer = post(server.addr, "/TelemetryRecords", "", b"{\"TelemetryRecords\":[]}").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
}

#[tokio::test]
async fn answers_have_the_headers_of_aws() {
    let (server, _) = daemon(Kept::new()).await;
    let mut ids = std::collections::HashSet::new();
    for (path, body, status) in [
        ("/GetSamplingRules", &b"{}"[..], 200),
        ("/TraceSegments", b"{\"TraceSegmentDocuments\":[]}", 200),
        ("/TraceSegments", b"{}", 400),
        ("/EncryptionConfig", b"{}", 400),
        ("/nothing", b"{}", 404),
    ] {
        let answer = post(server.addr, path, "", body).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, Some("application/json")), "{path}");
        for name in ["x-amzn-RequestId: ", "Content-Type: ", "Date: ", "Content-Length: "] {
            assert!(answer.head.contains(name), "{path} {name}: {}", answer.head);
        }
        assert_eq!(answer.head.contains("x-amzn-ErrorType: "), status != 200, "{}", answer.head);
        assert!(ids.insert(answer.header("x-amzn-requestid").expect("an id").to_owned()), "each has its own");
    }
}

#[tokio::test]
async fn unsupported_requests_are_reported() {
    let (server, counters) = daemon(Kept::new()).await;
    for head in ["POST /Nothing HTTP/1.1\r\n", "GET / HTTP/1.1\r\n", "GET /GetSamplingRules HTTP/1.1\r\n"] {
        let answer = http(server.addr, &format!("{head}Host: a\r\n"), b"").await;
        assert_eq!(answer.status, 404);
        assert!(answer.json()["message"].as_str().expect("words").contains("/TraceSegments"));
    }
    for (path, body) in [
        ("/SamplingTargets", &b"not json"[..]),
        ("/SamplingTargets", b"[]"),
        ("/TraceSegments", b"{}"),
        ("/TraceSegments", b"{\"TraceSegmentDocuments\":\"x\"}"),
        ("/GetSamplingRules", b"\xff"),
    ] {
        let answer = post(server.addr, path, "", body).await;
        assert_eq!(
            (answer.status, answer.header("x-amzn-errortype")),
            (400, Some("InvalidRequestException")),
            "{path}"
        );
    }
    assert_eq!(counters.refusals(), 8);
}

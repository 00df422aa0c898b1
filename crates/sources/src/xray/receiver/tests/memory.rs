//! Requests and datagrams that would take far more memory than they have bytes.

use super::super::api::{Context, TRACE_BYTES};
use super::super::http::tcp_router_with;
use super::api::Memory;
use super::*;
use crate::body::Bounds;
use crate::budget::{Budget, Purpose};
use crate::testing::Answer;

const MIB: usize = 1024 * 1024;

struct Daemon {
    server: Server,
    kept: Arc<Kept>,
}

impl Daemon {
    async fn within(bounds: Bounds) -> Self {
        let kept = Kept::new();
        let router = tcp_router_with(Context {
            commit: kept.clone(),
            store: Memory::of(kept.clone()),
            counters: Arc::default(),
            clock: Arc::new(FixedClock(Nanos(1_795_447_213_900_000_000))),
            normalise: crate::normalise,
            settings: Arc::default(),
            bounds,
        });
        Self { server: Server::start(router).await, kept }
    }

    async fn ask(&self, path: &str, body: &str) -> Answer {
        post(self.server.addr, path, "Content-Type: application/json\r\n", body.as_bytes()).await
    }
}

#[tokio::test]
async fn a_body_of_countless_values_is_refused_before_they_are_built() {
    let daemon = Daemon::within(Bounds::scarce(64 * MIB)).await;
    let body = format!("{{\"x\":[{}0]}}", "0,".repeat(900_000));
    for path in ["/GetSamplingRules", "/TraceSegments", "/TraceSummaries", "/EncryptionConfig"] {
        let answer = daemon.ask(path, &body).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.text().contains("too many values"), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn documents_that_become_many_records_count() {
    let daemon = Daemon::within(Bounds::scarce(2 * MIB)).await;
    let subsegment = |n: u32| json!({"id": format!("{:016x}", n + 100), "name": "a", "start_time": 1_795_447_213});
    let mut document: Value = serde_json::from_str(&segment(0)).expect("JSON");
    document["subsegments"] = (0..5_000).map(subsegment).collect();
    let body = json!({"TraceSegmentDocuments": [document.to_string()]}).to_string();
    assert!(body.len() < MIB / 2);
    let answer = daemon.ask("/TraceSegments", &body).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(daemon.kept.spans().is_empty());
    let body = json!({"TraceSegmentDocuments": [segment(0)]}).to_string();
    assert_eq!(daemon.ask("/TraceSegments", &body).await.status, 200);
}

#[tokio::test]
async fn what_finds_no_memory_is_to_be_sent_again() {
    let bounds = Bounds::scarce(48 * MIB);
    let daemon = Daemon::within(bounds).await;
    let body = json!({"TraceSegmentDocuments": [segment(0)]}).to_string();
    for purpose in [Purpose::SmallBody, Purpose::SmallWork] {
        let all = bounds.budget.take(purpose, 48 * MIB).await.expect("free");
        let answer = daemon.ask("/TraceSegments", &body).await;
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), (503, Some("ServiceUnavailableException")));
        drop(all);
    }
    assert_eq!(daemon.ask("/TraceSegments", &body).await.status, 200);
    let all = bounds.budget.take(Purpose::Answer, 48 * MIB).await.expect("free");
    let question = json!({"TraceIds": ["1-6b0459ac-d2fb2577c226bb0ed076fe79"]}).to_string();
    let answer = daemon.ask("/Traces", &question).await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (429, Some("ThrottledException")));
    drop(all);
    let answer = daemon.ask("/Traces", &question).await;
    assert_eq!((answer.status, answer.json()["Traces"][0]["Segments"].as_array().map(Vec::len)), (200, Some(1)));
    assert_eq!(bounds.budget.used(Purpose::Answer), 0);
}

#[tokio::test]
async fn a_trace_that_is_too_large_is_read_in_part() {
    let daemon = Daemon::within(Bounds::scarce(64 * MIB)).await;
    let documents = |from: u32| {
        let large = |n: u32| {
            let mut document: Value = serde_json::from_str(&segment(from + n)).expect("JSON");
            document["metadata"] = json!({"m": "x".repeat(400_000)});
            document.to_string()
        };
        json!({"TraceSegmentDocuments": (0..4).map(large).collect::<Vec<_>>()}).to_string()
    };
    for from in [0, 4] {
        assert_eq!(daemon.ask("/TraceSegments", &documents(from)).await.status, 200);
    }
    let question = json!({"TraceIds": ["1-6b0459ac-d2fb2577c226bb0ed076fe79"]}).to_string();
    let answer = daemon.ask("/Traces", &question).await;
    let trace = &answer.json()["Traces"][0];
    assert_eq!((&trace["LimitExceeded"], trace["Segments"].as_array().map(Vec::len)), (&json!(true), Some(5)));
    assert!(answer.body.len() as u64 <= TRACE_BYTES + 100_000, "{}", answer.body.len());
    let range = json!({"StartTime": 1_795_447_200, "EndTime": 1_795_447_300}).to_string();
    let answer = daemon.ask("/TraceSummaries", &range).await;
    assert_eq!(answer.json()["TraceSummaries"].as_array().map(Vec::len), Some(1), "{}", answer.text());
}

#[tokio::test]
async fn datagrams_beyond_the_memory_are_counted_as_lost() {
    let budget = Budget::of_each(1000, Duration::from_millis(10));
    let socket = bind_udp(loopback()).expect("a free port");
    let to = socket.local_addr().expect("bound");
    let (kept, counters, cancel) = (Kept::new(), Arc::new(Counters::default()), CancellationToken::new());
    let task =
        tokio::spawn(udp::serve_with(socket, None, kept.clone(), counters.clone(), clock(), cancel.clone(), budget));
    let from = UdpSocket::bind(loopback()).expect("a free port");
    let header = "{\"format\":\"json\",\"version\":1}\n";
    from.send_to(format!("{header}{}{}", segment(1), " ".repeat(1000)).as_bytes(), to).expect("sent");
    for _ in 0..1000 {
        if counters.losses() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    from.send_to(format!("{header}{}", segment(2)).as_bytes(), to).expect("sent");
    cancel.cancel();
    task.await.expect("no panic").expect("fine");
    assert_eq!((kept.spans().len(), counters.losses()), (1, 1));
    assert_eq!(budget.used(Purpose::Datagrams), 0);
}

#[tokio::test]
async fn records_of_one_commit_are_bounded_in_bytes() {
    let udp = Udp::start(Kept::new());
    let subsegment = |n: u32| json!({"id": format!("{:016x}", n + 1000), "name": "a", "start_time": 1_795_447_213});
    let mut document: Value = serde_json::from_str(&segment(0)).expect("JSON");
    document["subsegments"] = (0..700).map(subsegment).collect();
    let datagram = format!("{{\"format\":\"json\",\"version\":1}}\n{document}");
    assert!(datagram.len() < 60_000);
    for _ in 0..60 {
        udp.send(datagram.as_bytes());
        // The system's buffer holds only some of these.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (kept, _) = udp.end().await;
    let batches = kept.batches.lock().expect("no panic");
    assert!(batches.iter().map(Vec::len).sum::<usize>() > 701 * 30, "most arrived");
    for batch in batches.iter() {
        let bytes: usize = batch.iter().map(super::super::super::wire::record_bytes).sum();
        assert!(bytes < 14 * MIB, "{bytes} bytes in {} records", batch.len());
    }
}

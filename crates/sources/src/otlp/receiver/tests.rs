mod memory;

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tracebook_core::clock::FixedClock;
use tracebook_core::time::Nanos;

use super::*;
use crate::receive::CommitError;
use crate::testing::{Answer, Kept, Server, fixture, post, read_answer};

struct Rig {
    server: Server,
    kept: Arc<Kept>,
    counters: Arc<Counters>,
}

impl Rig {
    async fn with(kept: Arc<Kept>) -> Self {
        Self::within(kept, Bounds::pausing(Duration::from_millis(200))).await
    }

    async fn within(kept: Arc<Kept>, bounds: Bounds) -> Self {
        let counters = Arc::new(Counters::default());
        let clock = Arc::new(FixedClock(Nanos(1_795_478_000_000_000_000)));
        let intake = Intake::new(kept.clone(), counters.clone(), clock, bounds);
        let router = router_with(intake);
        Self { server: Server::start(router).await, kept, counters }
    }

    async fn new() -> Self {
        Self::with(Kept::new()).await
    }

    async fn post(&self, path: &str, headers: &str, body: &[u8]) -> Answer {
        post(self.server.addr, path, headers, body).await
    }
}

const AS_PROTOBUF: &str = "Content-Type: application/x-protobuf\r\n";
const AS_JSON: &str = "Content-Type: application/json\r\n";

fn status_of(answer: &Answer) -> RpcStatus {
    RpcStatus::decode(answer.body.as_slice()).expect("a google.rpc.Status")
}

#[tokio::test]
async fn sdk_requests_are_committed_and_answered_in_their_encoding() {
    for (name, headers, spans) in [
        ("otlp-home.bin", "content-type: application/x-protobuf\r\n", 3),
        ("otlp-home.bin", "Content-Type: Application/X-Protobuf; charset=utf-8\r\nContent-Encoding: identity\r\n", 3),
        ("otlp-gzip.bin", "Content-Type: application/x-protobuf\r\nContent-Encoding: gzip\r\n", 3),
        ("otlp-deflate.bin", "Content-Type: application/x-protobuf\r\nContent-Encoding: deflate\r\n", 3),
        ("otlp-home.json", "Content-Type: application/json; charset=utf-8\r\n", 3),
    ] {
        let rig = Rig::new().await;
        let answer = rig.post("/v1/traces", headers, &fixture(name)).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(rig.kept.spans().len(), spans, "{name}");
        assert_eq!(rig.counters.spans(), spans as u64);
        if name.ends_with(".json") {
            assert_eq!((answer.text().as_str(), answer.header("content-type")), ("{}", Some(JSON)));
        } else {
            assert_eq!((answer.body.len(), answer.header("content-type")), (0, Some(PROTOBUF)));
        }
    }
}

#[tokio::test]
async fn an_empty_request_is_a_success() {
    let rig = Rig::new().await;
    assert_eq!(rig.post("/v1/traces", AS_PROTOBUF, b"").await.status, 200);
    assert_eq!(rig.post("/v1/traces", AS_JSON, b"{}").await.status, 200);
    assert!(rig.kept.batches.lock().expect("no panic").is_empty(), "nothing to commit");
}

#[tokio::test]
async fn an_invalid_part_is_reported_and_the_rest_stored() {
    let rig = Rig::new().await;
    let body = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[
        {"traceId":"00000000000000000000000000000000","spanId":"0202020202020202"},
        {"traceId":"01010101010101010101010101010101","spanId":"0202020202020202","startTimeUnixNano":"1795478000000000000"}]}]}]}"#;
    let answer = rig.post("/v1/traces", AS_JSON, body).await;
    assert_eq!(answer.status, 200);
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "1");
    assert_eq!(partial["errorMessage"], "1 span rejected: a trace id is all zeros");
    assert_eq!((rig.counters.spans(), rig.counters.refusals()), (1, 1));

    // Times that no list would show, and a value that is left out.
    let body = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[
        {"traceId":"01010101010101010101010101010101","spanId":"0202020202020203"},
        {"traceId":"01010101010101010101010101010101","spanId":"0202020202020204","startTimeUnixNano":1795478000000,"endTimeUnixNano":1795478000000},
        {"traceId":"01010101010101010101010101010101","spanId":"0202020202020205","startTimeUnixNano":"1795478000000000000","kind":"odd"}]}]}]}"#;
    let answer = rig.post("/v1/traces", AS_JSON, body).await;
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "2");
    assert_eq!(
        partial["errorMessage"],
        "2 spans rejected: a start time is 0; 1 span kept in part: kind \"odd\" is not a known number"
    );
    let logs = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1795478000000","body":"early"},
        {"body":"of no time"},{"timeUnixNano":"1795478000000000000","severityNumber":"odd","body":{"stringValue":"x"}}]}]}]}"#;
    let answer = rig.post("/v1/logs", AS_JSON, logs).await;
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedLogRecords"], "1");
    let words = partial["errorMessage"].as_str().expect("words");
    assert!(words.starts_with("1 log record rejected: a time is 1970-01-01T00:29:55"), "{words}");
    assert!(words.ends_with("1 log record kept in part: severityNumber \"odd\" is not a known number"), "{words}");
    let only_a_warning = String::from_utf8_lossy(logs).replace("1795478000000\"", "1795478000000000000\"");
    let partial = &rig.post("/v1/logs", AS_JSON, only_a_warning.as_bytes()).await.json()["partialSuccess"];
    assert_eq!(partial["rejectedLogRecords"], "0", "{partial}");

    // The same span as protobuf, 13 bytes of it: an id of zeros and no span id.
    let body = b"\x0a\x16\x12\x14\x12\x12\x0a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let answer = rig.post("/v1/traces", AS_PROTOBUF, body).await;
    let partial = ExportTraceServiceResponse::decode(answer.body.as_slice()).expect("protobuf").partial_success;
    assert_eq!((answer.status, partial.expect("said").rejected_spans), (200, 1));
}

#[tokio::test]
async fn bad_requests_are_rejected_with_a_reason_in_their_encoding() {
    let rig = Rig::new().await;
    for (headers, body, status, word) in [
        (AS_PROTOBUF, &b"\x0a\x05ab"[..], 400, "too early"),
        (AS_PROTOBUF, b"not protobuf at all", 400, "not an OTLP trace request in protobuf"),
        ("Content-Type: application/x-protobuf\r\nContent-Encoding: gzip\r\n", b"plain", 400, "not readable gzip"),
        ("Content-Type: application/x-protobuf\r\nContent-Encoding: zstd\r\n", b"", 415, "gzip, deflate or none"),
    ] {
        let answer = rig.post("/v1/traces", headers, body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some(PROTOBUF));
        assert!(status_of(&answer).message.contains(word), "{:?}", status_of(&answer));
    }
    for (headers, body, status, word) in [
        (AS_JSON, &b"{\"resourceSpans\":[{"[..], 400, "not an OTLP trace request in JSON"),
        (AS_JSON, b"\xff", 400, "expected a JSON object"),
        ("Content-Type: text/plain\r\n", b"{}", 415, "application/x-protobuf or application/json"),
        ("", b"{}", 415, "application/x-protobuf or application/json"),
    ] {
        let answer = rig.post("/v1/traces", headers, body).await;
        assert_eq!(answer.status, status);
        let message = answer.json()["message"].as_str().expect("words").to_owned();
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(rig.counters.refusals(), 8);
    assert!(rig.counters.last_reason().expect("said").starts_with("OTLP /v1/traces: Send Content-Type"));
    assert!(rig.kept.spans().is_empty());
}

#[tokio::test]
async fn other_methods_and_paths_are_explained_and_never_redirected() {
    let rig = Rig::new().await;
    let answer = crate::testing::http(rig.server.addr, "GET /v1/traces HTTP/1.1\r\nHost: a:4318\r\n", b"").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert!(answer.text().contains("Only POST"));
    for path in
        ["/v1/traces/v1/", "/", "/v1", "/v1/trace", "/v1/tracesx", "/x-v1/traces", "/traces", "/v1/traces/export"]
    {
        for method in ["POST", "GET"] {
            let head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:4318\r\n");
            let answer = crate::testing::http(rig.server.addr, &head, b"").await;
            assert_eq!(answer.status, 404, "{path}");
            for word in [
                "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 ",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "/v1/traces",
            ] {
                assert!(answer.text().contains(word), "{path}: {}", answer.text());
            }
        }
    }
}

#[tokio::test]
async fn a_path_before_the_signals_own_is_accepted() {
    let rig = Rig::new().await;
    let got = crate::testing::http(rig.server.addr, "GET /v1/v1/traces HTTP/1.1\r\nHost: a\r\n", b"").await;
    assert_eq!((got.status, got.header("allow")), (405, Some("POST")));
    for (path, name) in [
        ("/v1/v1/traces", "home"),
        ("/v1/v1/logs", "home-logs"),
        ("/otlp/v1/metrics", "home-metrics"),
        ("//v1/traces", "home"),
        ("/v1/traces/", "home"),
        ("/v1/traces/v1/traces/v1/traces", "home"),
        ("/v1/traces/v1/traces", "home"),
        ("/v1/traces/v1/logs", "home-logs"),
        ("/v1/logs/v1/logs", "home-logs"),
        ("/v1/metrics/v1/metrics", "home-metrics"),
    ] {
        let answer = rig.post(path, AS_PROTOBUF, &fixture(&format!("otlp-{name}.bin"))).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
    }
    let counters = &rig.counters;
    assert_eq!((counters.spans(), counters.logs(), counters.acknowledged_only()), (15, 3, 2));
    assert_eq!(rig.kept.spans().len(), 15);
}

#[tokio::test]
async fn padded_gzip_is_read() {
    let rig = Rig::new().await;
    let headers = "Content-Type: application/x-protobuf\r\nContent-Encoding: gzip\r\n";
    let padded = [fixture("otlp-gzip.bin"), vec![0; 100]].concat();
    assert_eq!(rig.post("/v1/traces", headers, &padded).await.status, 200);
    assert_eq!(rig.counters.spans(), 3);
}

#[tokio::test]
async fn too_large_is_413_compressed_or_not() {
    let rig = Rig::new().await;
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..200 {
        bomb.write_all(&zeros).expect("in memory");
    }
    let bomb = bomb.finish().expect("in memory");
    let headers = "Content-Type: application/x-protobuf\r\nContent-Encoding: gzip\r\n";
    for path in ["/v1/traces", "/v1/logs"] {
        let answer = rig.post(path, headers, &bomb).await;
        assert_eq!(answer.status, 413);
        assert_eq!(status_of(&answer).code, 8);
        assert!(status_of(&answer).message.contains("64 MiB"));
    }
    let plain = vec![0; body::LIMIT + 1];
    let answer = rig.post("/v1/traces", AS_PROTOBUF, &plain).await;
    assert_eq!(answer.status, 413, "the client that still sends hears it too");
}

#[tokio::test]
async fn uncommitted_data_is_not_acknowledged() {
    let full = CommitError::retryable("the disk is full");
    let rig = Rig::with(Kept::failing(vec![CommitError::permanent("no such table"), full])).await;
    let body = fixture("otlp-home.bin");
    let answer = rig.post("/v1/traces", AS_PROTOBUF, &body).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert_eq!(status_of(&answer).message, "3 spans could not be stored: the disk is full");
    let answer = rig.post("/v1/traces", AS_PROTOBUF, &body).await;
    assert_eq!((answer.status, answer.header("retry-after")), (500, None));
    assert_eq!(rig.counters.spans(), 0);
    let answer = rig.post("/v1/traces", AS_PROTOBUF, &body).await;
    assert_eq!((answer.status, rig.counters.spans()), (200, 3));
}

#[tokio::test]
async fn a_stalled_body_is_408() {
    let rig = Rig::new().await;
    let mut stream = TcpStream::connect(rig.server.addr).await.expect("listening");
    let head = "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n\
                Content-Length: 100\r\n\r\n{\"resource";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let answer = read_answer(stream).await;
    assert_eq!(answer.status, 408);
    assert!(answer.json()["message"].as_str().expect("words").contains("arrived too slowly"));
}

#[tokio::test]
async fn logs_are_committed_in_both_encodings() {
    for (headers, ending) in [(AS_PROTOBUF, "bin"), (AS_JSON, "json")] {
        let rig = Rig::new().await;
        let answer = rig.post("/v1/logs", headers, &fixture(&format!("otlp-home-logs.{ending}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.text(), if ending == "json" { "{}" } else { "" });
        let logs = rig.kept.logs();
        assert_eq!(logs.len(), 1);
        assert_eq!(logs[0].message, "home feed read: 3 activities");
        assert_eq!((rig.counters.logs(), rig.counters.spans(), rig.counters.acknowledged_only()), (1, 0, 0));
    }
}

#[tokio::test]
async fn an_invalid_log_record_is_reported_and_the_rest_stored() {
    let rig = Rig::new().await;
    // A record whose body is a number where a text should be, and one with a body only.
    let records = b"\x12\x07\x2a\x05\x0d\0\0\0\0\x12\x06\x2a\x04\x0a\x02ok";
    let body = [&b"\x0a\x13\x12\x11"[..], records].concat();
    let answer = rig.post("/v1/logs", AS_PROTOBUF, &body).await;
    assert_eq!(answer.status, 200, "{:?}", status_of(&answer));
    let partial = ExportLogsServiceResponse::decode(answer.body.as_slice()).expect("protobuf").partial_success;
    let partial = partial.expect("said");
    assert_eq!(partial.rejected_log_records, 1);
    assert!(partial.error_message.starts_with("1 log record rejected: a log record is not readable"), "{partial:?}");
    let logs = rig.kept.logs();
    assert_eq!((logs.len(), logs[0].message.as_str()), (1, "ok"));
    assert_eq!(logs[0].timestamp, Nanos(1_795_478_000_000_000_000), "the moment of arrival");

    let heavy = "x".repeat(crate::otlp::wire::MAX_RECORD_BYTES);
    let body =
        json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityText": heavy}, {"eventName": "e"}]}]}]});
    let answer = rig.post("/v1/logs", AS_JSON, body.to_string().as_bytes()).await;
    assert_eq!(answer.json()["partialSuccess"]["rejectedLogRecords"], "1");
    assert_eq!((rig.counters.logs(), rig.counters.refusals()), (2, 2));
}

#[tokio::test]
async fn logs_that_were_not_committed_are_not_acknowledged() {
    let rig = Rig::with(Kept::failing(vec![CommitError::retryable("the disk is full")])).await;
    let answer = rig.post("/v1/logs", AS_PROTOBUF, &fixture("otlp-home-logs.bin")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert_eq!(status_of(&answer).message, "1 log record could not be stored: the disk is full");
    assert_eq!(rig.counters.logs(), 0);
}

#[tokio::test]
async fn metrics_are_acknowledged_and_counted() {
    let rig = Rig::new().await;
    let answer = rig.post("/v1/metrics", AS_PROTOBUF, &fixture("otlp-home-metrics.bin")).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let answer = rig.post("/v1/metrics", AS_JSON, &fixture("otlp-home-metrics.json")).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
    assert_eq!((rig.counters.acknowledged_only(), rig.counters.spans()), (2, 0));
}

#[tokio::test]
async fn credential_headers_leave_no_trace() {
    let rig = Rig::new().await;
    let headers =
        "Content-Type: application/x-protobuf\r\nx-honeycomb-team: hcaik_secret\r\nAuthorization: Bearer sesame\r\n";
    rig.post("/v1/traces", headers, &fixture("otlp-home.bin")).await;
    rig.post("/v1/traces", headers, b"broken").await;
    let everything = format!("{:?} {:?}", rig.kept.spans(), rig.counters);
    for secret in ["hcaik_secret", "sesame"] {
        assert!(!everything.contains(secret));
    }
}

use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Code;
use tonic::client::GrpcService as _;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tracebook_core::clock::FixedClock;
use tracebook_core::time::Nanos;

use super::*;
use crate::receive::{CommitError, guard};
use crate::serve::serve;
use crate::testing::{Kept, fixture, http};

struct Rig {
    addr: SocketAddr,
    _end: DropGuard,
    channel: Channel,
    kept: Arc<Kept>,
    counters: Arc<Counters>,
}

impl Rig {
    async fn with(kept: Arc<Kept>) -> Self {
        Self::within(kept, Bounds::pausing(Duration::from_millis(300))).await
    }

    async fn within(kept: Arc<Kept>, bounds: Bounds) -> Self {
        let counters = Arc::new(Counters::default());
        let intake =
            Intake::new(kept.clone(), counters.clone(), Arc::new(FixedClock(Nanos(1_795_478_000_000_000_000))), bounds);
        let router = router_with(intake);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let token = CancellationToken::new();
        tokio::spawn(serve(listener, guard(router, Arc::new(|_| false), Arc::default()), token.clone()));
        let end = token.drop_guard();
        let endpoint = Channel::from_shared(format!("http://{addr}")).expect("a URI");
        let channel = endpoint.connect().await.expect("HTTP/2 without an upgrade");
        Self { addr, _end: end, channel, kept, counters }
    }

    async fn new() -> Self {
        Self::with(Kept::new()).await
    }

    fn traces(&self) -> TraceServiceClient<Channel> {
        TraceServiceClient::new(self.channel.clone())
    }

    /// A call with these bytes after the prefix.
    async fn raw(&self, path: &'static str, headers: &[(&'static str, &str)], framed: Vec<u8>) -> (i32, String) {
        let mut channel = self.channel.clone();
        let mut request = axum::http::Request::post(format!("http://{}{path}", self.addr));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = tonic::body::Body::new(Full::new(Bytes::from(framed)));
        std::future::poll_fn(|context| channel.poll_ready(context)).await.expect("connected");
        let call = channel.call(request.body(body).expect("a request"));
        let answer = call.await.expect("an answer");
        let (head, body) = answer.into_parts();
        let trailers = body.collect().await.expect("whole").trailers().cloned().unwrap_or_default();
        let of =
            |name| head.headers.get(&name).or(trailers.get(&name)).and_then(|v| v.to_str().ok().map(str::to_owned));
        (of(GRPC_STATUS).and_then(|code| code.parse().ok()).unwrap_or(-1), of(GRPC_MESSAGE).unwrap_or_default())
    }
}

fn spans(name: &str) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(fixture(name).as_slice()).expect("recorded")
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("small");
    [&[flag], length.to_be_bytes().as_slice(), message].concat()
}

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const PROTO: (&str, &str) = ("content-type", "application/grpc+proto");

#[tokio::test]
async fn a_client_of_each_service_is_served() {
    let rig = Rig::new().await;
    let answer = rig.traces().export(spans("otlp-home.bin")).await.expect("accepted");
    assert_eq!(answer.into_inner().partial_success, None);
    assert_eq!((rig.kept.spans().len(), rig.counters.spans()), (3, 3));

    let logs = ExportLogsServiceRequest::decode(fixture("otlp-home-logs.bin").as_slice()).expect("recorded");
    LogsServiceClient::new(rig.channel.clone()).export(logs).await.expect("accepted");
    assert_eq!(rig.kept.logs()[0].message, "home feed read: 3 activities");

    let metrics = ExportMetricsServiceRequest::decode(fixture("otlp-home-metrics.bin").as_slice()).expect("recorded");
    MetricsServiceClient::new(rig.channel.clone()).export(metrics).await.expect("accepted");
    assert_eq!((rig.counters.logs(), rig.counters.acknowledged_only()), (1, 1));
}

#[tokio::test]
async fn gzip_is_read_and_many_calls_share_a_connection() {
    let rig = Rig::new().await;
    let client = rig.traces().send_compressed(CompressionEncoding::Gzip);
    let calls = (0..32).map(|_| {
        let mut client = client.clone();
        tokio::spawn(async move { client.export(spans("otlp-rows40.bin")).await.map(drop) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no panic").expect("accepted");
    }
    assert_eq!(rig.kept.batches.lock().expect("no panic").len(), 32);
}

#[tokio::test]
async fn unknown_fields_stay_in_the_bytes_as_sent() {
    let rig = Rig::new().await;
    const START: u64 = 1_795_478_000_000_000_000;
    // A span with the unknown field 777: resource_spans { scope_spans { spans { … } } }.
    let span =
        [&b"\x0a\x10"[..], &[1; 16], b"\x12\x08", &[2; 8], b"\x39", &START.to_le_bytes(), b"\xca\x30\x02hi"].concat();
    let wrapped = |inside: &[u8], tag: u8| [&[tag, u8::try_from(inside.len()).expect("small")], inside].concat();
    let message = wrapped(&wrapped(&wrapped(&span, 0x12), 0x12), 0x0a);
    assert_eq!(rig.raw(EXPORT, &[PROTO], framed(0, &message)).await, (0, String::new()));
    assert_eq!(rig.kept.spans()[0].raw, span);
}

#[tokio::test]
async fn an_invalid_part_is_reported_and_the_rest_stored() {
    let rig = Rig::new().await;
    let mut request = spans("otlp-home.bin");
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = vec![0; 16];
    let answer = rig.traces().export(request).await.expect("accepted").into_inner();
    let partial = answer.partial_success.expect("said");
    assert_eq!(
        (partial.rejected_spans, partial.error_message.as_str()),
        (1, "1 span rejected: a trace id is all zeros")
    );
    assert_eq!(rig.kept.spans().len(), 2);
}

#[tokio::test]
async fn uncommitted_data_is_not_acknowledged() {
    let errors = vec![CommitError::permanent("no such table"), CommitError::retryable("the disk is full – 100 %")];
    let rig = Rig::with(Kept::failing(errors)).await;
    let refused = rig.traces().export(spans("otlp-home.bin")).await.expect_err("not kept");
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::Unavailable, "3 spans could not be stored: the disk is full – 100 %")
    );
    let refused = rig.traces().export(spans("otlp-home.bin")).await.expect_err("not kept");
    assert_eq!(refused.code(), Code::Internal);
    rig.traces().export(spans("otlp-home.bin")).await.expect("the store came back");
    assert_eq!((rig.counters.spans(), rig.counters.refusals()), (3, 2));
}

#[tokio::test]
async fn bad_calls_are_rejected_with_a_reason() {
    let rig = Rig::new().await;
    for (headers, body, code, word) in [
        (&[PROTO][..], framed(0, b"not protobuf"), Code::InvalidArgument, "not an OTLP trace request"),
        (&[PROTO], b"\0\0\0".to_vec(), Code::InvalidArgument, "ends within"),
        (&[PROTO], b"\0\0\0\0\x09abc".to_vec(), Code::InvalidArgument, "9 bytes was announced and 3 arrived"),
        (&[PROTO], [framed(0, b""), framed(0, b"")].concat(), Code::InvalidArgument, "0 bytes was announced"),
        (&[PROTO], framed(1, b"x"), Code::InvalidArgument, "no grpc-encoding"),
        (&[PROTO], framed(7, b"x"), Code::InvalidArgument, "7 is not a compression flag"),
        (&[PROTO, ("grpc-encoding", "gzip")], framed(1, b"plain"), Code::InvalidArgument, "not readable gzip"),
        (&[PROTO, ("grpc-encoding", "zstd")], framed(1, b"x"), Code::Unimplemented, "Only gzip"),
    ] {
        let (said, words) = rig.raw(EXPORT, headers, body).await;
        assert_eq!(Code::from(said), code, "{words}");
        assert!(words.contains(word), "{words}");
    }
    let (said, words) = rig.raw("/grpc.health.v1.Health/Check", &[PROTO], framed(0, b"")).await;
    assert_eq!(Code::from(said), Code::Unimplemented);
    assert!(words.contains("/grpc.health.v1.Health/Check is not served here"), "{words}");
    assert_eq!(rig.raw(EXPORT, &[("content-type", "application/grpc-web")], Vec::new()).await.0, -1, "no gRPC answer");
    assert_eq!(rig.counters.refusals(), 10);
    assert!(rig.kept.spans().is_empty());
}

#[tokio::test]
async fn too_large_is_reported_compressed_or_not() {
    let rig = Rig::new().await;
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut bomb, &vec![0; body::LIMIT + 1]).expect("in memory");
    let bomb = framed(1, &bomb.finish().expect("in memory"));
    let (code, words) = rig.raw(EXPORT, &[PROTO, ("grpc-encoding", "gzip")], bomb).await;
    assert_eq!(Code::from(code), Code::ResourceExhausted);
    assert!(words.contains("64 MiB"), "{words}");
    let (code, _) = rig.raw(EXPORT, &[PROTO], framed(0, &vec![0; body::LIMIT + 1])).await;
    assert_eq!(Code::from(code), Code::ResourceExhausted, "the client that still sends hears it too");
    // Exactly the maximum size: all zeros are not a valid message, but they were read.
    let (code, words) = rig.raw(EXPORT, &[PROTO], framed(0, &vec![0; body::LIMIT])).await;
    assert_eq!(Code::from(code), Code::InvalidArgument, "{words}");
}

#[tokio::test]
async fn a_call_that_finds_no_memory_is_unavailable_for_a_second() {
    let bounds = Bounds::scarce(1 << 20);
    let rig = Rig::within(Kept::new(), bounds).await;
    let all = bounds.budget.take(crate::budget::Purpose::SmallBody, 1 << 20).await.expect("free");
    let refused = rig.traces().export(spans("otlp-home.bin")).await.expect_err("no memory");
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    let details = RpcStatus::decode(refused.details()).expect("a google.rpc.Status");
    assert_eq!((details.code, details.details[0].type_url.as_str()), (14, "type.googleapis.com/google.rpc.RetryInfo"));
    drop(all);
    rig.traces().export(spans("otlp-home.bin")).await.expect("accepted");
    // A message that is announced as large takes its memory at once.
    let large = rig.raw(EXPORT, &[PROTO], framed(0, &vec![0; 2 << 20])).await;
    assert_eq!(Code::from(large.0), Code::Unavailable, "{large:?}");
}

#[tokio::test]
async fn the_guard_applies_to_grpc_and_http_gets_a_hint() {
    let rig = Rig::new().await;
    let answer = http(rig.addr, &format!("POST {EXPORT} HTTP/1.1\r\nHost: evil.example\r\n"), b"").await;
    assert_eq!(answer.status, 403);
    let head = "POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\n";
    let answer = http(rig.addr, head, b"").await;
    assert_eq!(answer.status, 415);
    assert!(answer.text().contains("4318"));
    assert!(rig.counters.last_reason().expect("said").contains("/v1/traces"));
}

#[tokio::test]
async fn credential_metadata_leaves_no_trace() {
    let rig = Rig::new().await;
    let mut request = tonic::Request::new(spans("otlp-home.bin"));
    request.metadata_mut().insert("x-honeycomb-team", "hcaik_secret".parse().expect("a value"));
    rig.traces().export(request).await.expect("accepted");
    let bad = &[PROTO, ("x-honeycomb-team", "hcaik_secret")];
    rig.raw(EXPORT, bad, framed(0, b"broken")).await;
    assert!(!format!("{:?} {:?}", rig.kept.spans(), rig.counters).contains("hcaik_secret"));
}

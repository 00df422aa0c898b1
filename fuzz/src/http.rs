//! Whole requests to the receivers' routers. The first byte selects path or operation, the second content type and
//! encoding; the rest is the body.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt;
use tracebook_core::telemetry::SpanRecord;
use tracebook_sources::{cloudwatch, normalise, otlp, rollbar, xray};

use crate::stores::{FixedClock, Memory, memory};

thread_local! {
    static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

struct Receiver {
    router: Router,
    store: Arc<Memory>,
}

impl Receiver {
    fn new(make: impl FnOnce(Arc<Memory>) -> Router) -> Self {
        let store = memory();
        Self { router: make(Arc::clone(&store)), store }
    }

    /// Answers a request. Nothing that is sent may be answered as our own error.
    fn answer(&self, path: &str, headers: &[(&str, &str)], body: &[u8], stored: &[SpanRecord]) {
        self.store.reset(stored);
        let mut request = Request::post(path).header("host", "127.0.0.1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let Ok(request) = request.body(Body::from(body.to_vec())) else { return };
        block_on(async {
            let answer = self.router.clone().oneshot(request).await.expect("a router does not fail");
            assert_ne!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a whole answer");
        });
    }
}

/// One of `choices`, by a byte.
fn choose<'a, T: ?Sized>(byte: u8, choices: &'a [&'a T]) -> &'a T {
    choices[usize::from(byte) % choices.len()]
}

const ENCODINGS: &[&str] = &["identity", "gzip", "deflate"];

pub fn otlp(input: &[u8]) {
    static RECEIVER: LazyLock<Receiver> =
        LazyLock::new(|| Receiver::new(|store| otlp::receiver::router(store, Arc::default(), Arc::new(FixedClock))));
    let [path, kind, body @ ..] = input else { return };
    let path = choose(*path, &["/v1/traces", "/v1/logs", "/v1/metrics"]);
    let content_type = choose(kind / 3, &["application/x-protobuf", "application/json"]);
    let headers = [("content-type", content_type), ("content-encoding", choose(*kind, ENCODINGS))];
    RECEIVER.answer(path, &headers, body, &[]);
}

pub fn grpc(input: &[u8]) {
    static RECEIVER: LazyLock<Receiver> = LazyLock::new(|| {
        Receiver::new(|store| otlp::receiver::grpc_router(store, Arc::default(), Arc::new(FixedClock)))
    });
    const SERVICES: &[&str] = &[
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    ];
    let [path, kind, body @ ..] = input else { return };
    let headers = [("content-type", "application/grpc"), ("grpc-encoding", choose(*kind, ENCODINGS))];
    RECEIVER.answer(choose(*path, SERVICES), &headers, body, &[]);
}

pub fn rollbar(input: &[u8]) {
    static RECEIVER: LazyLock<Receiver> =
        LazyLock::new(|| Receiver::new(|store| rollbar::receiver::router(store, Arc::default(), Arc::new(FixedClock))));
    let [path, kind, body @ ..] = input else { return };
    let path = choose(*path, &["/api/1/item/", "/api/1/items/", "/api/1/item"]);
    let content_type = choose(kind / 3, &["application/json", "application/x-www-form-urlencoded"]);
    let headers = [("content-type", content_type), ("content-encoding", choose(*kind, ENCODINGS))];
    RECEIVER.answer(path, &headers, body, &[]);
}

pub fn cloudwatch(input: &[u8]) {
    static RECEIVER: LazyLock<Receiver> = LazyLock::new(|| {
        Receiver::new(|store| cloudwatch::receiver::router(store, Arc::default(), Arc::new(FixedClock)))
    });
    const OPERATIONS: &[&str] = &[
        "PutLogEvents",
        "FilterLogEvents",
        "GetLogEvents",
        "TestMetricFilter",
        "CreateLogGroup",
        "DescribeLogGroups",
        "DeleteLogGroup",
        "PutRetentionPolicy",
        "DeleteRetentionPolicy",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
        "TagLogGroup",
        "UntagLogGroup",
        "ListTagsLogGroup",
        "CreateLogStream",
        "DescribeLogStreams",
        "DeleteLogStream",
    ];
    let [operation, kind, body @ ..] = input else { return };
    let target = format!("Logs_20140328.{}", choose(*operation, OPERATIONS));
    let headers = [
        ("x-amz-target", target.as_str()),
        ("content-type", "application/x-amz-json-1.1"),
        ("content-encoding", choose(*kind, ENCODINGS)),
        ("authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261123/eu-west-1/logs/aws4_request, Signature=0"),
    ];
    RECEIVER.answer("/", &headers, body, &[]);
}

pub fn xray(input: &[u8]) {
    static RECEIVER: LazyLock<Receiver> = LazyLock::new(|| {
        Receiver::new(|store| {
            let commit = Arc::clone(&store);
            xray::receiver::tcp_router(commit, store, Arc::default(), Arc::new(FixedClock), normalise)
        })
    });
    static STORED: LazyLock<Vec<SpanRecord>> = LazyLock::new(|| {
        let datagram = include_bytes!("../../tests/fixtures/xray-01-boom.bin");
        xray::wire::parse_datagram(datagram).expect("a recorded datagram")
    });
    const PATHS: &[&str] = &[
        "/TraceSegments",
        "/TraceSummaries",
        "/Traces",
        "/ServiceGraph",
        "/TraceGraph",
        "/GetSamplingRules",
        "/SamplingTargets",
        "/CreateSamplingRule",
        "/UpdateSamplingRule",
        "/DeleteSamplingRule",
        "/Groups",
        "/GetGroup",
        "/CreateGroup",
        "/UpdateGroup",
        "/DeleteGroup",
        "/TelemetryRecords",
        "/TagResource",
    ];
    let [path, kind, body @ ..] = input else { return };
    let headers = [("content-type", "application/json"), ("content-encoding", choose(*kind, ENCODINGS))];
    RECEIVER.answer(choose(*path, PATHS), &headers, body, &STORED);
}

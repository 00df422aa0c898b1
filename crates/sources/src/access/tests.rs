use axum::routing::post;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::testing::http;

/// Allows everything up to an action.
struct UpTo(Action);

#[async_trait]
impl Policy for UpTo {
    async fn objection(&self, action: Action, connection: &Connection) -> Option<String> {
        assert!(connection.peer.ip().is_loopback() && connection.local.port() > 0);
        (action > self.0).then(|| "Not for you.".to_owned())
    }
}

#[test]
fn every_operation_has_an_action() {
    let logs = |operation: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", format!("Logs_20140328.{operation}").parse().expect("a value"));
        action_of("/", &headers)
    };
    for operation in ["PutLogEvents", "CreateLogGroup", "CreateLogStream", "DescribeLogStreams"] {
        assert_eq!(logs(operation), Action::Send, "{operation}");
    }
    for operation in ["GetLogEvents", "FilterLogEvents", "DescribeLogGroups", "ListTagsLogGroup"] {
        assert_eq!(logs(operation), Action::Read, "{operation}");
    }
    for operation in
        ["DeleteLogGroup", "DeleteLogStream", "DeleteRetentionPolicy", "UntagResource", "PutMetricFilter", ""]
    {
        assert_eq!(logs(operation), Action::Change, "{operation}");
    }
    let none = HeaderMap::new();
    for path in [
        "/",
        "/v1/traces",
        "/v1/logs/v1/logs",
        "/api",
        "/api/1/item/",
        "/api/{*rest}",
        "/TraceSegments",
        "/TelemetryRecords",
        "/GetSamplingRules",
        "/SamplingTargets",
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    ] {
        assert_eq!(action_of(path, &none), Action::Send, "{path}");
    }
    for path in ["/TraceSummaries", "/Traces", "/ServiceGraph", "/TraceGraph", "/Groups", "/GetGroup"] {
        assert_eq!(action_of(path, &none), Action::Read, "{path}");
    }
    for path in [
        "/CreateSamplingRule",
        "/UpdateSamplingRule",
        "/DeleteSamplingRule",
        "/CreateGroup",
        "/UpdateGroup",
        "/DeleteGroup",
        "/TagResource",
        "/new",
        "/v1",
        "/traces",
    ] {
        assert_eq!(action_of(path, &none), Action::Change, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_allowed_is_refused_in_the_vendors_words() {
    let counters = Arc::new(Counters::default());
    let mut router = Router::new();
    for path in ["/", "/v1/traces", "/TraceSegments", "/Traces", "/DeleteGroup"] {
        router = router.route(path, post(|| async { "done" }));
    }
    let router = router.fallback(|| async { (StatusCode::NOT_FOUND, "described") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("bound");
    let token = CancellationToken::new();
    let router = limit(router, Arc::new(UpTo(Action::Send)), Arc::clone(&counters));
    tokio::spawn(crate::serve::serve(listener, router, token.clone()));
    let _end = token.drop_guard();

    let ask = async |path: &str, target: &str| {
        let target =
            if target.is_empty() { String::new() } else { format!("X-Amz-Target: Logs_20140328.{target}\r\n") };
        http(addr, &format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{target}"), &[b'x'; 100_000]).await
    };
    for (path, target) in [("/v1/traces", ""), ("/TraceSegments", ""), ("/", "PutLogEvents"), ("/", "")] {
        assert_eq!(ask(path, target).await.text(), "done", "{path} {target}");
    }
    assert_eq!(ask("/nowhere", "").await.text(), "described");
    assert_eq!(counters.refusals(), 0);
    for (path, target, status) in
        [("/Traces", "", 403), ("/DeleteGroup", "", 403), ("/", "GetLogEvents", 400), ("/", "DeleteLogGroup", 400)]
    {
        let answer = ask(path, target).await;
        assert_eq!(answer.status, status, "{path} {target}");
        assert_eq!(answer.header("x-amzn-errortype"), Some("AccessDeniedException"));
        let body = answer.json();
        assert_eq!((&body["__type"], &body["message"]), (&json!("AccessDeniedException"), &json!("Not for you.")));
    }
    assert_eq!(counters.refusals(), 4);
    assert_eq!(counters.last_reason().as_deref(), Some("/: Not for you."));
}

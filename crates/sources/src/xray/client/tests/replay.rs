//! Replays conversations byte for byte: `tests/fixtures/cloud/xray-*.json`, each of which names its origin.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use serde::Deserialize;
use tracebook_core::service_map::NodeKind;

use super::super::{Client, TracesRequest};
use super::range;
use crate::aws::testing::connection;
use crate::cloud::{Fault, Fetch};
use crate::testing::{Server, fixture};

#[derive(Deserialize)]
struct Conversation {
    source: String,
    exchanges: VecDeque<Exchange>,
}

#[derive(Deserialize)]
struct Exchange {
    request: Asks,
    response: Answers,
}

#[derive(Deserialize)]
struct Asks {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Deserialize)]
struct Answers {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Headers that differ from one request to the next, or from one version of the SDK to the next.
const CHANGING: [&str; 6] =
    ["authorization", "x-amz-date", "user-agent", "x-amz-user-agent", "amz-sdk-invocation-id", "host"];

/// Replays one conversation; `rest` are the exchanges that were not requested.
struct Replay {
    _server: Server,
    client: Client,
    rest: Arc<Mutex<VecDeque<Exchange>>>,
}

impl Replay {
    async fn of(name: &str) -> Self {
        let text = fixture(&format!("cloud/xray-{name}.json"));
        let said: Conversation = serde_json::from_slice(&text).expect("a conversation");
        assert!(!said.source.is_empty(), "{name} does not say where it is from");
        let rest = Arc::new(Mutex::new(said.exchanges));
        let coming = Arc::clone(&rest);
        let handle = move |request: Request| {
            let coming = Arc::clone(&coming);
            async move {
                let next = coming.lock().expect("no panic").pop_front();
                match next {
                    Some(next) => played(request, next).await,
                    None => refused(format!("{} was not asked when this was recorded", request.uri())),
                }
            }
        };
        let server = Server::start(Router::new().fallback(handle)).await;
        let client = Client::new(&connection(server.addr).await);
        Self { _server: server, client, rest }
    }

    fn end(&self) {
        assert!(self.rest.lock().expect("no panic").is_empty(), "not everything was asked");
    }
}

async fn played(request: Request, next: Exchange) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let body = std::str::from_utf8(&body).expect("UTF-8");
    let signed = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIA") || !signed.contains("/us-east-1/xray/aws4_request") {
        return refused("the request is not signed for X-Ray".to_owned());
    }
    let line = format!("{} {} HTTP/1.1", head.method, head.uri);
    let mut headers: Vec<(String, String)> = head
        .headers
        .iter()
        .filter(|(name, _)| !CHANGING.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned()))
        .collect();
    headers.sort();
    let asked = &next.request;
    if (&line, &headers, body) != (&asked.line, &asked.headers, &asked.body) {
        return refused(format!(
            "asked\n{line}\n{headers:?}\n{body}\ninstead of\n{}\n{:?}\n{}",
            asked.line, asked.headers, asked.body
        ));
    }
    let mut response = Response::builder().status(next.response.status);
    for (name, value) in &next.response.headers {
        if name != CONTENT_LENGTH.as_str() {
            response = response.header(name, value);
        }
    }
    response.body(next.response.body.into()).expect("an answer")
}

/// In the format of the API, so that the test shows it.
fn refused(why: String) -> Response {
    let body = serde_json::json!({ "__type": "InvalidRequestException", "message": why }).to_string();
    let response = Response::builder().status(StatusCode::BAD_REQUEST).header(CONTENT_TYPE, "application/json");
    response.body(body.into()).expect("an answer")
}

fn id(text: &str) -> tracebook_core::ids::TraceId {
    text.parse().expect("an id")
}

#[tokio::test]
async fn get_trace_summaries() {
    let replay = Replay::of("get-trace-summaries").await;
    let ask = TracesRequest {
        range: range(0, 3_600),
        expression: "service(\"backend-flask\")".to_owned(),
        limit: 10,
        event_time: false,
        after: None,
    };
    let traces = replay.client.traces(&ask, &Fetch::unattended()).await.expect("as recorded");
    let names: Vec<&str> = traces.summaries.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["GET /api/activities/home 500", "GET /api/activities/@andrewbrown 200"]);
    replay.end();
}

#[tokio::test]
async fn get_trace_summaries_of_moto() {
    let replay = Replay::of("get-trace-summaries-moto").await;
    let ask = TracesRequest {
        range: range(30_900, 31_000),
        expression: String::new(),
        limit: 10,
        event_time: false,
        after: None,
    };
    let traces = replay.client.traces(&ask, &Fetch::unattended()).await.expect("as recorded");
    let shown: Vec<(String, &str)> =
        traces.summaries.iter().map(|row| (row.trace_id.xray(), row.status.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("1-6b04d290-91626cff3d008b781ed8d30f".to_owned(), "fault"),
            ("1-6b04d28d-f496d869a1d9ac96777ed1d7".to_owned(), "ok"),
        ]
    );
    replay.end();
}

#[tokio::test]
async fn batch_get_traces() {
    let replay = Replay::of("batch-get-traces").await;
    let asked = [id("1-6b04d28d-f496d869a1d9ac96777ed1d7"), id("1-6b04d290-91626cff3d008b781ed8d30f")];
    let traces = replay.client.fetch_traces(&asked, &Fetch::unattended()).await.expect("as recorded");
    assert!(traces.iter().all(|trace| trace.complete && trace.notes.is_empty()), "{traces:?}");
    // X-Ray returns what was received from the SDK.
    for (trace, name) in traces.iter().zip(["users", "boom"]) {
        let datagram = fixture(&format!("xray-01-{name}.bin"));
        let received = crate::xray::wire::parse_datagram(&datagram).expect("was recorded");
        assert_eq!(trace.records, received);
    }
    replay.end();
}

#[tokio::test]
async fn put_trace_segments() {
    let replay = Replay::of("put-trace-segments").await;
    let documents: Vec<String> = ["users", "boom"]
        .iter()
        .map(|name| {
            let datagram = String::from_utf8(fixture(&format!("xray-01-{name}.bin"))).expect("UTF-8");
            datagram.split_once('\n').expect("a header line").1.to_owned()
        })
        .chain(["{\"id\": \"x\"}".to_owned()])
        .collect();
    let refused = replay.client.put_segments(&documents, &Fetch::unattended()).await.expect("as recorded");
    let shown: Vec<(&str, &str)> = refused.iter().map(|segment| (segment.id.as_str(), segment.code.as_str())).collect();
    assert_eq!(shown, [("x", "MissingParam")]);
    replay.end();
}

#[tokio::test]
async fn retrieved_traces() {
    let replay = Replay::of("retrieved-traces").await;
    let asked = [id("1-6b04d28d-f496d869a1d9ac96777ed1d7")];
    let traces = replay.client.fetch_traces_in(&asked, Some(range(0, 3_600)), &Fetch::unattended()).await;
    let traces = traces.expect("as written");
    assert_eq!((traces[0].records.len(), traces[0].complete), (1, true), "{:?}", traces[0].notes);
    replay.end();
}

#[tokio::test]
async fn cancel_trace_retrieval() {
    let replay = Replay::of("cancel-trace-retrieval").await;
    let asked = [id("1-6b04d28d-f496d869a1d9ac96777ed1d7")];
    let traces = replay.client.fetch_traces_in(&asked, Some(range(0, 3_600)), &Fetch::unattended()).await;
    assert!(!traces.expect("as written")[0].complete);
    // A separate task cancels it.
    for _ in 0..200 {
        if replay.rest.lock().expect("no panic").is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    replay.end();
}

#[tokio::test]
async fn get_service_graph() {
    let replay = Replay::of("get-service-graph").await;
    let map = replay.client.service_map(&range(0, 3_600), Some("Cruddur"), &Fetch::unattended()).await;
    let map = map.expect("as written");
    let nodes: Vec<(&str, NodeKind)> = map.nodes.iter().map(|node| (node.name.as_str(), node.kind)).collect();
    assert_eq!(
        nodes,
        [("client", NodeKind::Client), ("backend-flask", NodeKind::Service), ("DynamoDB", NodeKind::Aws)]
    );
    replay.end();
}

#[tokio::test]
async fn get_trace_graph() {
    let replay = Replay::of("get-trace-graph").await;
    let asked = [id("1-6b04d28d-f496d869a1d9ac96777ed1d7")];
    let map = replay.client.trace_map(&asked, &Fetch::unattended()).await.expect("as written");
    assert_eq!((map.traces, map.nodes.len(), map.edges.len()), (1, 2, 1));
    replay.end();
}

#[tokio::test]
async fn get_groups() {
    let replay = Replay::of("get-groups").await;
    let groups = replay.client.groups(&Fetch::unattended()).await.expect("as written").groups;
    assert_eq!(groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["Default", "Cruddur"]);
    replay.end();
}

#[tokio::test]
async fn get_groups_of_moto() {
    let replay = Replay::of("get-groups-moto").await;
    let error = replay.client.groups(&Fetch::unattended()).await.expect_err("moto has none");
    assert_eq!(error.fault, Fault::Unsupported, "{error:?}");
    replay.end();
}

#[tokio::test]
async fn get_sampling_rules() {
    let replay = Replay::of("get-sampling-rules").await;
    let rules = replay.client.sampling_rules(&Fetch::unattended()).await.expect("as written");
    assert_eq!(rules.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["Cruddur", "Default"]);
    replay.end();
}

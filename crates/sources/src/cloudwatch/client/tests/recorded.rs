//! Conversations in `tests/fixtures/cloud/cloudwatch-*.json`, replayed byte for byte: the request's line, target, type
//! and body (without what differs each time: signature, date, user agent), and the answer's status, headers and body.
//! Each file names its source.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::Deserialize;
use tracebook_core::time::Nanos;

use super::fake::{T, ask};
use crate::aws::testing::connection;
use crate::cloud::{Fetch, Range};
use crate::cloudwatch::client::{Client, EventsRequest, InsightsRequest, TailBy, TailRequest};
use crate::testing::Server;

#[derive(Deserialize)]
struct Conversation {
    source: String,
    exchanges: Vec<Exchange>,
}

#[derive(Clone, Deserialize)]
struct Exchange {
    request: Request,
    response: Recorded,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Request {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Clone, Deserialize)]
struct Recorded {
    status: u16,
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    /// Instead of `body`, for what is not text.
    #[serde(default)]
    body_base64: String,
}

struct Replay {
    server: Server,
    expected: Vec<Request>,
    heard: Arc<Mutex<Vec<Request>>>,
}

#[derive(Clone)]
struct Inner {
    exchanges: Arc<Vec<Exchange>>,
    heard: Arc<Mutex<Vec<Request>>>,
}

impl Replay {
    async fn start(recorded: &str) -> Self {
        let conversation: Conversation = serde_json::from_str(recorded).expect("a conversation");
        assert!(!conversation.source.is_empty());
        let expected = conversation.exchanges.iter().map(|exchange| exchange.request.clone()).collect();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let inner = Inner { exchanges: Arc::new(conversation.exchanges), heard: heard.clone() };
        let router = Router::new().fallback(replay).with_state(inner);
        Self { server: Server::start(router).await, expected, heard }
    }

    async fn client(&self) -> Client {
        Client::new(&connection(self.server.addr).await)
    }

    /// Checks that every request was made, and no other.
    fn check(&self) {
        let heard = self.heard.lock().expect("no panic before");
        assert_eq!(*heard, self.expected);
    }
}

async fn replay(State(inner): State<Inner>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let request = Request {
        line: format!("{method} {uri} HTTP/1.1"),
        headers: ["content-type", "x-amz-target"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), headers.get(name)?.to_str().ok()?.to_owned())))
            .collect(),
        body: String::from_utf8(body.to_vec()).expect("text"),
    };
    let nth = {
        let mut heard = inner.heard.lock().expect("no panic before");
        heard.push(request);
        heard.len() - 1
    };
    let Some(Exchange { response, .. }) = inner.exchanges.get(nth) else {
        return Response::builder().status(StatusCode::GONE).body(Body::empty()).expect("an answer");
    };
    let body = match response.body_base64.as_str() {
        "" => response.body.clone().into_bytes(),
        coded => BASE64.decode(coded).expect("base64"),
    };
    let mut answer = Response::builder().status(response.status);
    for (name, value) in &response.headers {
        answer = answer.header(name, value);
    }
    answer.body(Body::from(body)).expect("an answer")
}

macro_rules! recorded {
    ($operation:literal) => {
        Replay::start(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/cloud/cloudwatch-",
            $operation,
            ".json"
        )))
        .await
    };
}

#[tokio::test]
async fn describe_log_groups() {
    let replay = recorded!("DescribeLogGroups");
    let found = replay.client().await.groups("crud", &Fetch::unattended()).await.expect("answers");
    let groups: Vec<(&str, &str)> = found.rows.iter().map(|group| (group.name.as_str(), group.arn.as_str())).collect();
    assert_eq!(
        groups,
        [("cruddur", "arn:aws:logs:us-east-1:123456789012:log-group:cruddur")],
        "moto ignores the pattern"
    );
    assert_eq!(found.rows[0].retention_days, Some(30));
    replay.check();
}

#[tokio::test]
async fn describe_log_streams() {
    let replay = recorded!("DescribeLogStreams");
    let found = replay.client().await.streams("cruddur", "", &Fetch::unattended()).await.expect("answers");
    let streams: Vec<(&str, Option<Nanos>)> =
        found.rows.iter().map(|stream| (stream.name.as_str(), stream.last_event)).collect();
    assert_eq!(
        streams,
        [("web/2", Some(Nanos::from_millis(T + 3_000))), ("web/1", Some(Nanos::from_millis(T + 2_000)))]
    );
    replay.check();
}

#[tokio::test]
async fn filter_log_events() {
    let replay = recorded!("FilterLogEvents");
    let client = replay.client().await;
    let mut ask = EventsRequest { limit: 2, pattern: "GET".to_owned(), ..ask() };
    let mut messages = Vec::new();
    for rows in [2, 1] {
        let events = client.events(&ask, &Fetch::unattended()).await.expect("answers");
        assert_eq!((events.records.len(), events.notes.len()), (rows, 0));
        messages.extend(events.records.into_iter().map(|event| event.record.message));
        ask.page = events.next;
    }
    assert_eq!(ask.page, None);
    assert_eq!(
        messages,
        [
            "INFO GET /api/activities/home",
            "ERROR GET /api/activities/notifications é",
            "WARN GET /api/activities/@andrewbrown"
        ]
    );
    replay.check();
}

#[tokio::test]
async fn put_log_events() {
    let replay = recorded!("PutLogEvents");
    let events = [
        (T + 2_000, "ERROR GET /api/activities/notifications é".to_owned()),
        (T, "INFO GET /api/activities/home".to_owned()),
        (T - 20 * 86_400_000, "too old".to_owned()),
    ];
    let put =
        replay.client().await.put_events("cruddur", "web/1", &events, &Fetch::unattended()).await.expect("is put");
    assert_eq!((put.taken + put.rejected.len(), put.stopped), (3, None));
    replay.check();
}

#[tokio::test]
async fn insights() {
    let replay = recorded!("GetQueryResults");
    let ask = InsightsRequest {
        groups: vec!["cruddur".to_owned()],
        text: "fields @timestamp, @message, level | filter @message like /GET/ | sort @timestamp desc".to_owned(),
        range: ask().range,
        limit: 100,
    };
    let result = replay.client().await.query(&ask, &Fetch::unattended()).await.expect("answers");
    assert_eq!(result.columns, ["@timestamp", "@message", "level"]);
    assert_eq!(result.rows.len(), 2);
    assert_eq!(result.rows[1], ["2026-11-23 15:20:00.000", "INFO GET /api/activities/home", ""]);
    assert_eq!(result.statistics.len(), 4);
    replay.check();
}

#[tokio::test]
async fn describe_query_definitions() {
    let replay = recorded!("DescribeQueryDefinitions");
    let found = replay.client().await.saved_queries(&Fetch::unattended()).await.expect("answers");
    assert_eq!(found.rows.iter().map(|saved| saved.name.as_str()).collect::<Vec<_>>(), ["week2/errors"]);
    replay.check();
}

#[tokio::test]
async fn start_live_tail() {
    let replay = recorded!("StartLiveTail");
    let ask = TailRequest {
        group: "cruddur".to_owned(),
        streams: Vec::new(),
        stream_prefix: "web/".to_owned(),
        pattern: "GET".to_owned(),
        now: Nanos::from_millis(T),
    };
    let mut tail = replay.client().await.tail(&ask, &Fetch::unattended()).expect("can be asked");
    let first = tail.next().await.expect("goes on").expect("no error");
    assert_eq!((first.by, first.events.len()), (TailBy::LiveTail, 0));
    let update = tail.next().await.expect("goes on").expect("no error");
    let messages: Vec<&str> = update.events.iter().map(|event| event.record.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "INFO GET /api/activities/home",
            "ERROR GET /api/activities/notifications é",
            "WARN GET /api/activities/@andrewbrown"
        ]
    );
    drop(tail);
    replay.check();
}

#[tokio::test]
async fn a_missing_group() {
    let replay = recorded!("ResourceNotFound");
    let range = Range { from: Nanos::from_millis(T), until: Nanos::from_millis(T + 1) };
    let ask = EventsRequest { group: "none".to_owned(), range, ..ask() };
    let error = replay.client().await.events(&ask, &Fetch::unattended()).await.expect_err("is not there");
    assert_eq!(error.fault, crate::cloud::Fault::NotFound);
    replay.check();
}

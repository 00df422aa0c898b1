//! A fake of CloudWatch Logs: records requests, and a closure answers them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracebook_core::time::Nanos;

use crate::aws::testing::connection;
use crate::cloud::{Api, Fetch, Limits, Meter, Progress, Range, Used};
use crate::cloudwatch::client::{Client, Event, EventsRequest};
use crate::testing::Server;

/// 2026-11-23T15:20:00Z
pub(super) const T: i64 = 1_795_447_200_000;

/// A received request.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) operation: String,
    pub(super) host: String,
    pub(super) body: Value,
    /// How many of this operation were received before.
    pub(super) nth: usize,
}

pub(super) enum Answer {
    Json(u16, Value),
    Page(u16, &'static str),
    /// The beginning of a body, then the connection is cut.
    Cut(&'static str),
    /// A head, then nothing.
    Silent,
    /// Frames of an event stream, until the sender is dropped.
    Stream(mpsc::UnboundedReceiver<Bytes>),
}

pub(super) fn ok(body: Value) -> Answer {
    Answer::Json(200, body)
}

/// `{"__type":"…","message":"…"}`
pub(super) fn refuse(status: u16, kind: &str, message: &str) -> Answer {
    Answer::Json(status, json!({"__type": kind, "message": message}))
}

type Answering = dyn Fn(&Asked) -> Answer + Send + Sync;

pub(super) struct Fake {
    server: Server,
    heard: Arc<Mutex<Vec<Asked>>>,
}

#[derive(Clone)]
struct Inner {
    heard: Arc<Mutex<Vec<Asked>>>,
    answering: Arc<Answering>,
}

impl Fake {
    pub(super) async fn start(answering: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let inner = Inner { heard: heard.clone(), answering: Arc::new(answering) };
        let router = Router::new().fallback(answer).with_state(inner);
        Self { server: Server::start(router).await, heard }
    }

    pub(super) async fn client(&self) -> Client {
        Client::new(&connection(self.server.addr).await)
    }

    /// A client that takes the fake for AWS.
    pub(super) async fn client_of_aws(&self) -> Client {
        let mut client = self.client().await;
        client.own_endpoint = false;
        client
    }

    pub(super) fn addr(&self) -> String {
        self.server.addr.to_string()
    }

    pub(super) fn heard(&self) -> Vec<Asked> {
        self.heard.lock().expect("no panic before").clone()
    }

    pub(super) fn operations(&self) -> Vec<String> {
        self.heard().into_iter().map(|asked| asked.operation).collect()
    }

    pub(super) fn bodies(&self, operation: &str) -> Vec<Value> {
        self.heard().into_iter().filter(|asked| asked.operation == operation).map(|asked| asked.body).collect()
    }
}

async fn answer(State(inner): State<Inner>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let operation = header("x-amz-target").trim_start_matches("Logs_20140328.").to_owned();
    let asked = {
        let mut heard = inner.heard.lock().expect("no panic before");
        let nth = heard.iter().filter(|asked| asked.operation == operation).count();
        let body = serde_json::from_slice(&body).expect("JSON");
        heard.push(Asked { operation, host: header("host"), body, nth });
        heard[heard.len() - 1].clone()
    };
    let respond = |status: u16, kind: &str, body: Body| {
        Response::builder()
            .status(StatusCode::from_u16(status).expect("a status"))
            .header("content-type", kind)
            .body(body)
            .expect("an answer")
    };
    const JSON: &str = "application/x-amz-json-1.1";
    match (inner.answering)(&asked) {
        Answer::Json(status, body) => respond(status, JSON, Body::from(body.to_string())),
        Answer::Page(status, page) => respond(status, "text/html", Body::from(page)),
        Answer::Cut(beginning) => {
            let parts = [Ok(Bytes::from(beginning)), Err(std::io::Error::other("cut"))];
            respond(200, JSON, Body::from_stream(stream::iter(parts)))
        }
        Answer::Silent => respond(200, JSON, Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>())),
        Answer::Stream(frames) => {
            let frames = stream::unfold(frames, |mut frames| async { Some((frames.recv().await?, frames)) });
            respond(200, "application/vnd.amazon.eventstream", Body::from_stream(frames.map(Ok::<_, std::io::Error>)))
        }
    }
}

/// What a fetch reported and used.
#[derive(Debug, Default)]
pub(super) struct Watch {
    used: Mutex<HashMap<Used, u64>>,
    calls: Mutex<Vec<Api>>,
    progress: Mutex<Vec<Progress>>,
}

impl Watch {
    pub(super) fn used(&self, what: Used) -> u64 {
        self.used.lock().expect("no panic before").get(&what).copied().unwrap_or(0)
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.lock().expect("no panic before").len()
    }

    pub(super) fn progress(&self) -> Vec<Progress> {
        self.progress.lock().expect("no panic before").clone()
    }
}

struct Counting(Arc<Watch>);

impl Meter for Counting {
    fn called(&self, api: Api) {
        self.0.calls.lock().expect("no panic before").push(api);
    }
    fn used(&self, what: Used, n: u64) {
        *self.0.used.lock().expect("no panic before").entry(what).or_default() += n;
    }
}

pub(super) fn watched() -> (Fetch, Arc<Watch>, CancellationToken) {
    let watch = Arc::new(Watch::default());
    let token = CancellationToken::new();
    let tell = {
        let watch = watch.clone();
        Arc::new(move |progress| watch.progress.lock().expect("no panic before").push(progress))
    };
    (Fetch::new(token.clone(), Limits::none(), Arc::new(Counting(watch.clone())), tell), watch, token)
}

/// FilteredLogEvent
pub(super) fn event(millis: i64, id: &str, message: &str) -> Value {
    json!({"logStreamName": "s", "timestamp": millis, "message": message, "ingestionTime": millis + 5, "eventId": id})
}

/// An hour from [`T`] on, everything of `cruddur`.
pub(super) fn ask() -> EventsRequest {
    EventsRequest {
        group: "cruddur".to_owned(),
        streams: Vec::new(),
        stream_prefix: String::new(),
        pattern: String::new(),
        range: Range { from: Nanos::from_millis(T), until: Nanos::from_millis(T + 3_600_000) },
        limit: 100,
        newest_first: false,
        page: None,
    }
}

pub(super) fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

/// A service with events that answers FilterLogEvents with at most `a_page` of them.
pub(super) struct Holding {
    /// Time and id, by time.
    pub(super) events: Vec<(i64, String)>,
    pub(super) a_page: usize,
    /// Whether it lists newest first if requested.
    pub(super) turns_round: bool,
}

impl Holding {
    pub(super) fn answer(&self, asked: &Asked) -> Answer {
        let number = |key: &str| asked.body[key].as_i64();
        let (from, until) = (number("startTime").unwrap_or(0), number("endTime").unwrap_or(i64::MAX));
        let mut matching: Vec<&(i64, String)> =
            self.events.iter().filter(|(millis, _)| (from..=until).contains(millis)).collect();
        if self.turns_round && asked.body["startFromHead"] == json!(false) {
            matching.reverse();
        }
        let start: usize = asked.body["nextToken"].as_str().map_or(0, |token| token.parse().expect("our token"));
        let limit = usize::try_from(number("limit").unwrap_or(10_000)).expect("small").min(self.a_page);
        let rows: Vec<Value> =
            matching.iter().skip(start).take(limit).map(|(millis, id)| event(*millis, id, "said")).collect();
        let end = start + rows.len();
        match end < matching.len() {
            true => ok(json!({"events": rows, "searchedLogStreams": [], "nextToken": end.to_string()})),
            false => ok(json!({"events": rows, "searchedLogStreams": []})),
        }
    }
}

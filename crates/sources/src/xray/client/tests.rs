//! Fakes of the X-Ray API on loopback, with the formats of its model (botocore 1.44.5,
//! `botocore/data/xray/2016-04-12/service-2.json`) or of moto 5.2.5 where a test says so.

mod batch;
mod faults;
mod graph;
mod lists;
mod put;
mod replay;
mod retrieval;
mod settings;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracebook_core::ids::TraceId;
use tracebook_core::time::Nanos;

use super::Client;
use crate::aws::testing::connection;
use crate::cloud::{Api, Fetch, Limits, Meter, Progress, Range, Used};
use crate::testing::Server;

/// A response of a fake.
enum Reply {
    /// 200 and JSON.
    Json(Value),
    /// An error of the API: status, code, message (rest-json: the code is in `x-amzn-errortype`).
    Error(u16, &'static str, &'static str),
    /// An HTML page, as moto returns for unknown operations.
    Page(u16),
    /// Anything else.
    Other(Response),
    /// No response.
    Silence,
}

type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// A fake of the API.
struct Fake {
    server: Server,
    asked: Asked,
    /// Notified of every request.
    came: Arc<Notify>,
}

impl Fake {
    /// Responds to each request by its path, its body, and the number of earlier requests to that path.
    async fn start(answer: impl Fn(&str, &Value, usize) -> Reply + Send + Sync + 'static) -> Self {
        let (asked, came) = (Asked::default(), Arc::new(Notify::new()));
        let (answer, kept, told) = (Arc::new(answer), Arc::clone(&asked), Arc::clone(&came));
        let handle = move |request: Request| {
            let (answer, asked, came) = (Arc::clone(&answer), Arc::clone(&kept), Arc::clone(&told));
            async move {
                let path = request.uri().path().to_owned();
                let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.expect("a body");
                // The SDK sends no body for an operation without input.
                let body = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
                let body: Value = serde_json::from_slice(&body).expect("JSON");
                let before = {
                    let mut asked = asked.lock().expect("no panic");
                    let before = asked.iter().filter(|(there, _)| *there == path).count();
                    asked.push((path.clone(), body.clone()));
                    before
                };
                came.notify_one();
                match answer(&path, &body, before) {
                    Reply::Json(value) => value.to_string().into_response(),
                    Reply::Error(status, code, message) => {
                        let status = StatusCode::from_u16(status).expect("a status");
                        (status, [("x-amzn-errortype", code)], json!({ "Message": message }).to_string())
                            .into_response()
                    }
                    Reply::Page(status) => {
                        let status = StatusCode::from_u16(status).expect("a status");
                        (status, [("content-type", "text/html")], "<!doctype html>\n<title>no</title>").into_response()
                    }
                    Reply::Other(response) => response,
                    Reply::Silence => std::future::pending().await,
                }
            }
        };
        Self { server: Server::start(Router::new().fallback(handle)).await, asked, came }
    }

    async fn client(&self) -> Client {
        Client::new(&connection(self.server.addr).await)
    }

    /// The bodies of the requests to a path.
    fn asked(&self, path: &str) -> Vec<Value> {
        let asked = self.asked.lock().expect("no panic");
        asked.iter().filter(|(there, _)| there == path).map(|(_, body)| body.clone()).collect()
    }

    /// Waits for a number of requests to a path.
    async fn until(&self, path: &str, times: usize) {
        let enough = async {
            while self.asked(path).len() < times {
                self.came.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), enough).await.expect("is asked");
    }
}

/// Progress reports of a fetch.
#[derive(Default)]
struct Told {
    used: Mutex<BTreeMap<Used, u64>>,
    calls: Mutex<BTreeMap<Api, u32>>,
    progress: Mutex<Vec<Progress>>,
}

impl Meter for Told {
    fn called(&self, api: Api) {
        *self.calls.lock().expect("no panic").entry(api).or_default() += 1;
    }
    fn used(&self, what: Used, n: u64) {
        *self.used.lock().expect("no panic").entry(what).or_default() += n;
    }
}

impl Told {
    fn used(&self, what: Used) -> u64 {
        self.used.lock().expect("no panic").get(&what).copied().unwrap_or(0)
    }

    fn calls(&self, api: Api) -> u32 {
        self.calls.lock().expect("no panic").get(&api).copied().unwrap_or(0)
    }

    fn last(&self) -> Progress {
        self.progress.lock().expect("no panic").last().cloned().expect("progress was told")
    }
}

fn watched() -> (Fetch, CancellationToken, Arc<Told>) {
    let (token, told) = (CancellationToken::new(), Arc::new(Told::default()));
    let progress = Arc::clone(&told);
    let tell = move |said| progress.progress.lock().expect("no panic").push(said);
    (Fetch::new(token.clone(), Limits::none(), Arc::clone(&told) as Arc<dyn Meter>, Arc::new(tell)), token, told)
}

/// 2026-11-23T15:20:00Z
const NOON: i64 = 1_795_447_200;

fn at(seconds: i64) -> Nanos {
    Nanos::from_millis((NOON + seconds) * 1_000)
}

fn range(from: i64, until: i64) -> Range {
    Range { from: at(from), until: at(until) }
}

/// The nth trace's id.
fn id(n: u32) -> TraceId {
    format!("{:08x}{:024x}", u32::try_from(NOON).expect("in range"), n + 1).parse().expect("an id")
}

/// A full segment document, as an SDK sends it.
fn segment(trace: TraceId, n: u32) -> String {
    let start = f64::from(n).mul_add(0.001, 1_795_447_213.087_028);
    json!({
        "id": format!("{:016x}", n + 1),
        "trace_id": trace.xray(),
        "name": "backend-flask",
        "start_time": start,
        "end_time": start + 0.25,
        "http": {"request": {"method": "GET", "url": "http://127.0.0.1:4567/api/activities/home?x=1"}, "response": {"status": 200}},
    })
    .to_string()
}

/// A trace in the response of BatchGetTraces.
fn whole(trace: TraceId, documents: &[String]) -> Value {
    let segments: Vec<Value> =
        documents.iter().map(|text| json!({"Id": "0000000000000001", "Document": text})).collect();
    json!({"Id": trace.xray(), "Duration": 0.25, "LimitExceeded": false, "Segments": segments})
}

fn ids(body: &Value) -> Vec<TraceId> {
    let list = body["TraceIds"].as_array().expect("ids");
    list.iter().map(|id| id.as_str().and_then(|id| id.parse().ok()).expect("an id")).collect()
}

/// A body that starts, and then stalls or fails.
fn broken_body(begins: &'static str, then: Option<std::io::Error>) -> Response {
    use futures_util::{StreamExt as _, stream};
    let begin = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(begins.as_bytes()))]);
    match then {
        Some(error) => Response::new(Body::from_stream(begin.chain(stream::iter([Err(error)])))),
        None => Response::new(Body::from_stream(begin.chain(stream::pending()))),
    }
}

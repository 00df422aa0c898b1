//! Fakes of the real services on loopback, and a relay with short intervals.

mod sending;
mod whole;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use tracebook_core::catalog::Vendor;
use tracebook_sources::cloud::Secret;
use tracebook_store::Telemetry;
use tracebook_store::relay::{Outgoing, RelayCount};

use super::open::{Open, Opener};
use super::sender::{Sender, Timing};
use super::{Relay, payload};
use crate::cloud::{Cloud, Token};
use crate::ground::settings::relay::Destination;
use crate::ground::settings::relay::RelaySettings;
use crate::ports::Ports;

/// The key for reading.
fn honeycomb() -> Token {
    Token::of(Vendor::Honeycomb).expect("has a token")
}

/// Timeout of a test.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A response of a fake.
#[derive(Clone)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
    /// No response.
    hangs: bool,
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: Vec::new(), body: body.to_owned(), hangs: false }
}

/// A request to a fake.
#[derive(Clone, Debug)]
struct Heard {
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Heard {
    /// The decompressed body.
    fn plain(&self) -> Vec<u8> {
        if self.headers.get("content-encoding").is_none() {
            return self.body.clone();
        }
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(self.body.as_slice()), &mut plain).expect("gzip");
        plain
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.plain()).into_owned()
    }
}

/// A service with scripted responses, then always the same one.
struct Fake {
    addr: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    task: JoinHandle<()>,
}

impl Fake {
    async fn start(script: Vec<Answer>, then: Answer) -> Self {
        Self::at("127.0.0.1:0".parse().expect("an address"), script, move |_| then.clone()).await
    }

    async fn at(
        addr: SocketAddr,
        script: Vec<Answer>,
        then: impl Fn(&Heard) -> Answer + Clone + Send + Sync + 'static,
    ) -> Self {
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let script = Arc::new(Mutex::new(VecDeque::from(script)));
        let ours = Arc::clone(&heard);
        let router = Router::new().fallback(move |request: Request| {
            let (ours, script, then) = (Arc::clone(&ours), Arc::clone(&script), then.clone());
            async move {
                let (head, body) = request.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body").to_vec();
                let heard = Heard { path: head.uri.path().to_owned(), headers: head.headers, body };
                let next = script.lock().expect("no panic").pop_front();
                let answer = next.unwrap_or_else(|| then(&heard));
                ours.lock().expect("no panic").push(heard);
                if answer.hangs {
                    std::future::pending::<()>().await;
                }
                let status = StatusCode::from_u16(answer.status).expect("a status");
                let mut response: Response = (status, answer.body).into_response();
                for (name, value) in answer.headers {
                    response.headers_mut().insert(name, value.parse().expect("a value"));
                }
                response
            }
        });
        let listener = tokio::net::TcpListener::bind(addr).await.expect("a port");
        let addr = listener.local_addr().expect("bound");
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { addr, heard, task }
    }

    fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no panic").clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A relay without receivers; tests fill its queue.
struct Bench {
    dir: TempDir,
    telemetry: Telemetry,
    relay: Relay,
    cloud: Arc<Cloud>,
    token: CancellationToken,
    running: Vec<JoinHandle<()>>,
}

impl Bench {
    async fn new(settings: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join(crate::ground::settings::FILE), settings).expect("writes");
        Self::again(dir).await
    }

    /// Another process on the same folder.
    async fn again(dir: TempDir) -> Self {
        let runtime = crate::testing::runtime();
        let telemetry = Telemetry::open(dir.path()).await.expect("opens");
        let relay = Relay::new(dir.path(), RelaySettings::default(), &runtime);
        relay.read_settings().expect("reads");
        let ports = Arc::new(Ports::elsewhere(dir.path()));
        let cloud = Arc::new(Cloud::new(dir.path(), &telemetry, &ports, &runtime));
        let token = CancellationToken::new();
        Self { dir, telemetry, relay, cloud, token, running: Vec::new() }
    }

    async fn with_key(self, key: &str) -> Self {
        self.key(honeycomb(), key).await;
        self
    }

    async fn key(&self, token: Token, key: &str) {
        self.cloud.secrets.set(token, Secret::new(key).expect("a token"), true).await.expect("keeps");
    }

    fn start(&mut self, to: Destination) {
        let open = Arc::new(Opener { cloud: Arc::clone(&self.cloud), own: Vec::new() });
        self.start_with(to, open, quick());
    }

    fn start_with(&mut self, to: Destination, open: Arc<dyn Open>, timing: Timing) {
        let sender = Sender::new(to, self.relay.clone(), self.telemetry.clone(), open, timing);
        self.running.push(tokio::spawn(sender.run(self.token.clone())));
    }

    /// Shuts down like the app, and returns the folder.
    async fn stop(self) -> TempDir {
        self.token.cancel();
        for task in self.running {
            tokio::time::timeout(TIMEOUT, task).await.expect("ends in time").expect("without panic");
        }
        self.telemetry.close().await;
        self.dir
    }

    async fn queue(&self, payloads: Vec<Outgoing>) {
        let span = fixture_spans().remove(0);
        self.telemetry.commit_relayed(&[span], &payloads, crate::testing::runtime().now()).await.expect("commits");
        self.relay.queued(&payloads);
    }

    async fn count(&self, to: Destination) -> RelayCount {
        let counts = self.telemetry.relay_counts().await.expect("reads");
        counts.into_iter().find(|count| count.destination == to.name()).unwrap_or_default()
    }

    /// Waits until the counts meet a condition.
    async fn until(&self, to: Destination, what: &str, is_so: impl Fn(&RelayCount) -> bool) -> RelayCount {
        let start = std::time::Instant::now();
        loop {
            let count = self.count(to).await;
            if is_so(&count) {
                return count;
            }
            assert!(start.elapsed() < TIMEOUT, "not {what}: {count:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Short intervals for tests.
fn quick() -> Timing {
    let short = Duration::from_millis(50);
    Timing {
        gather: Duration::ZERO,
        look: short,
        first_pause: short,
        longest_pause: Duration::from_millis(200),
        missing: short,
        // Ended only by a change of settings or credentials.
        expired: Duration::from_secs(600),
        refused: Duration::from_secs(600),
        last: Duration::from_secs(1),
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn fixture_spans() -> Vec<tracebook_core::telemetry::SpanRecord> {
    tracebook_sources::otlp::wire::decode_protobuf(&fixture("otlp-home.bin")).expect("reads").records
}

/// Spans as OTLP payloads, one each.
fn spans_one_by_one() -> Vec<Outgoing> {
    fixture_spans().iter().flat_map(|span| payload::of_spans(std::slice::from_ref(span), true, false)).collect()
}

fn otlp_settings(url: &str) -> String {
    format!("[relay]\notlp = {{ endpoint = \"{url}\", key = \"honeycomb\" }}\n")
}

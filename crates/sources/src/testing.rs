//! Test doubles: a server on loopback, a raw HTTP client that can misbehave, a store in memory.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tracebook_core::telemetry::{ErrorRecord, LogRecord, SpanRecord};

use crate::receive::{Commit, CommitError};

pub(crate) mod replay;

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { addr, task }
    }

    /// A server that gives every request the same answer.
    pub(crate) async fn answering(
        status: u16,
        headers: &'static [(&'static str, &'static str)],
        body: impl Into<bytes::Bytes>,
    ) -> Self {
        let (status, body) = (StatusCode::from_u16(status).expect("a status"), body.into());
        Self::start(Router::new().fallback(move || async move { (status, self::headers(headers), body) })).await
    }
}

pub(crate) fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// Sends `head` (request line and headers, each ending in CRLF) with `body`, and reads the answer.
pub(crate) async fn http(addr: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(addr).await.expect("listening");
    let head = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.expect("head sent");
    stream.write_all(body).await.expect("body sent");
    read_answer(stream).await
}

pub(crate) async fn read_answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("an answer");
    let split = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    Answer { status, head, body: bytes[split + 4..].to_vec() }
}

pub(crate) async fn post(addr: SocketAddr, path: &str, headers: &str, body: &[u8]) -> Answer {
    http(addr, &format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"), body).await
}

/// Stores batches, or fails as configured.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) batches: Mutex<Vec<Vec<SpanRecord>>>,
    pub(crate) log_batches: Mutex<Vec<Vec<LogRecord>>>,
    pub(crate) error_batches: Mutex<Vec<Vec<ErrorRecord>>>,
    /// Errors of the next commits, the last one first.
    pub(crate) errors: Mutex<Vec<CommitError>>,
}

impl Kept {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn failing(errors: Vec<CommitError>) -> Arc<Self> {
        Arc::new(Self { errors: Mutex::new(errors), ..Self::default() })
    }

    fn keep<T>(&self, batches: &Mutex<Vec<Vec<T>>>, batch: Vec<T>) -> Result<(), CommitError> {
        match self.errors.lock().expect("no panic").pop() {
            Some(error) => Err(error),
            None => {
                batches.lock().expect("no panic").push(batch);
                Ok(())
            }
        }
    }

    pub(crate) fn logs(&self) -> Vec<LogRecord> {
        self.log_batches.lock().expect("no panic").iter().flatten().cloned().collect()
    }

    pub(crate) fn occurrences(&self) -> Vec<ErrorRecord> {
        self.error_batches.lock().expect("no panic").iter().flatten().cloned().collect()
    }

    pub(crate) fn spans(&self) -> Vec<SpanRecord> {
        self.batches.lock().expect("no panic").iter().flatten().cloned().collect()
    }
}

#[async_trait]
impl Commit for Kept {
    async fn commit(&self, batch: Arc<Vec<SpanRecord>>) -> Result<(), CommitError> {
        self.keep(&self.batches, Arc::unwrap_or_clone(batch))
    }

    async fn commit_logs(&self, batch: Vec<LogRecord>) -> Result<(), CommitError> {
        self.keep(&self.log_batches, batch)
    }

    async fn commit_errors(&self, batch: Vec<ErrorRecord>) -> Result<(), CommitError> {
        self.keep(&self.error_batches, batch)
    }
}

/// Payloads of real SDKs.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

//! A server that plays a recorded conversation and holds the client to its half of it, byte for byte.
//!
//! A conversation is a file of `tests/fixtures/cloud`: `source` says where its shapes are from, `exchanges` lists
//! requests and responses as lines of a head and a body. In a request `{token}` and `{host}` stand for what a test has
//! instead.

use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    source: String,
    exchanges: Vec<Exchange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    request: Vec<String>,
    /// JSON, or a text that is sent as it stands.
    #[serde(default)]
    request_body: Json,
    response: Vec<String>,
    #[serde(default)]
    response_body: Json,
}

pub(crate) struct Replay {
    pub(crate) addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Replay {
    /// Plays `tests/fixtures/cloud/NAME.json` to a client that holds `token`.
    pub(crate) async fn start(name: &str, token: &str) -> Self {
        let file = super::fixture(&format!("cloud/{name}.json"));
        let conversation: Conversation = serde_json::from_slice(&file).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(conversation.source.contains("http"), "{name}: where are its shapes from?");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let (name, token) = (name.to_owned(), token.to_owned());
        let task = tokio::spawn(async move {
            for (n, exchange) in conversation.exchanges.iter().enumerate() {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let asked = read(&mut stream).await;
                let head =
                    exchange.request.join("\r\n").replace("{token}", &token).replace("{host}", &addr.to_string());
                let expected = format!("{head}\r\n\r\n{}", body(&exchange.request_body));
                assert_eq!(asked, expected, "{name}, request {n}");
                let body = body(&exchange.response_body).replace("{token}", &token);
                let head = exchange.response.join("\r\n").replace("{token}", &token);
                let head = format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
                stream.shutdown().await.expect("ended");
            }
        });
        Self { addr, task }
    }

    /// Ends when everything was asked that was recorded; panics where something else was.
    pub(crate) async fn done(self) {
        self.task.await.expect("every recorded request was made, and as recorded");
    }
}

fn body(recorded: &Json) -> String {
    match recorded {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        json => json.to_string(),
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return text.into_owned();
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await.expect("a request") {
            0 => return String::from_utf8_lossy(&bytes).into_owned(),
            n => bytes.extend_from_slice(&piece[..n]),
        }
    }
}

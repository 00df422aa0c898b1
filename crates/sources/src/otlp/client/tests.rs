use std::io::Read as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tracebook_core::clock::FixedClock;
use tracebook_core::time::Nanos;

use super::*;
use crate::otlp::outgoing;
use crate::otlp::receiver;
use crate::receive::Counters;
use crate::testing::{Kept, Server, fixture};

const AGENT: &str = "tracebook/0.0.0";

/// The requests to an endpoint.
#[derive(Default)]
struct Heard(Mutex<Vec<(String, HeaderMap, Vec<u8>)>>);

/// An endpoint with the same response to every request.
async fn endpoint(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: Vec<u8>,
) -> (Server, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let ours = Arc::clone(&heard);
    let router = Router::new().fallback(move |request: Request| {
        let (heard, body) = (Arc::clone(&ours), body.clone());
        async move {
            let (head, sent) = request.into_parts();
            let sent = axum::body::to_bytes(sent, usize::MAX).await.expect("a body");
            heard.0.lock().expect("no panic").push((head.uri.path().to_owned(), head.headers, sent.to_vec()));
            let mut answer: Response = (StatusCode::from_u16(status).expect("a status"), body).into_response();
            for (name, value) in headers {
                answer.headers_mut().insert(*name, value.parse().expect("a value"));
            }
            answer
        }
    });
    (Server::start(router).await, heard)
}

fn secret() -> Secret {
    Secret::new("hcaik_01hq_planted").expect("a key")
}

fn client(server: &Server) -> Client {
    let more = [("x-honeycomb-dataset".to_owned(), "cruddur".to_owned())];
    Client::new(&format!("http://{}/", server.addr), Some((HONEYCOMB_HEADER, &secret())), more, AGENT)
        .expect("a client")
}

async fn answered(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &[u8],
) -> Result<Taken, SourceError> {
    let (server, _) = endpoint(status, headers, body.to_vec()).await;
    client(&server).send(Form::TracesJson, b"{}".to_vec(), &Fetch::unattended()).await
}

#[tokio::test]
async fn a_request_is_compressed_and_has_the_key_in_its_header() {
    let (server, heard) = endpoint(200, &[], Vec::new()).await;
    let taken = client(&server).send(Form::LogsProtobuf, vec![7; 5_000], &Fetch::unattended()).await;
    assert_eq!(taken, Ok(Taken::default()));
    let (path, headers, body) = heard.0.lock().expect("no panic").remove(0);
    assert_eq!(path, "/v1/logs");
    for (name, value) in [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "gzip"),
        ("x-honeycomb-team", "hcaik_01hq_planted"),
        ("x-honeycomb-dataset", "cruddur"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut plain).expect("gzip");
    assert!(plain == vec![7; 5_000] && body.len() < 500, "{}", body.len());
}

#[tokio::test]
async fn our_receiver_accepts_what_is_sent() {
    let kept = Arc::new(Kept::default());
    let router = receiver::router(kept.clone(), Arc::new(Counters::default()), Arc::new(FixedClock(Nanos(1))));
    let server = Server::start(router).await;
    for (name, json) in [("otlp-home.bin", false), ("otlp-home.json", true)] {
        let body = fixture(name);
        let decoded = match json {
            true => crate::otlp::wire::decode_json(&body),
            false => crate::otlp::wire::decode_protobuf(&body),
        };
        let records = decoded.expect("reads").records;
        let before = kept.spans().len();
        for part in outgoing::spans(&records) {
            let request = outgoing::request(part.form, &[&part.bytes]);
            client(&server).send(part.form, request, &Fetch::unattended()).await.expect("taken");
        }
        assert_eq!(kept.spans()[before..], records, "{name}");
    }
}

#[tokio::test]
async fn a_partial_rejection_is_reported() {
    let json = br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"span too old"}}"#;
    assert_eq!(answered(200, &[], json).await, Ok(Taken { rejected: 3, words: "span too old".into() }));
    // None of this is an error either.
    for body in [&b""[..], b"{}", b"ok", b"{\"partialSuccess\":{}}"] {
        assert_eq!(answered(202, &[], body).await, Ok(Taken::default()));
    }
    let page = answered(200, &[], b" <html>Sign in to the hotel").await.expect_err("nobody took it");
    assert_eq!(page.fault, Fault::Unreachable);
    for (status, body, fault) in [
        (400, &b"Client sent an HTTP request to an HTTPS server.\n"[..], Fault::Unsupported),
        (400, b"{\"message\":\"bad span\"}", Fault::Invalid),
        (402, b"", Fault::Unsupported),
        (407, b"", Fault::Unsupported),
        (413, b"", Fault::Invalid),
        (425, b"", Fault::Unreachable),
    ] {
        assert_eq!(answered(status, &[], body).await.expect_err("is not taken").fault, fault, "{status}");
    }
    let message = ExportResponse {
        partial_success: Some(crate::otlp::intake::PartialSuccess { rejected: 2, error_message: "no".into() }),
    };
    assert_eq!(partial(Form::TracesProtobuf, &message.encode_to_vec()), (2, "no".to_owned()));
}

#[tokio::test]
async fn a_busy_endpoint_says_when_to_come_back() {
    for (status, headers, after, fault) in [
        (429, &[("retry-after", "7")][..], Some(7), Fault::Throttled),
        (503, &[("retry-after", "86400")][..], Some(300), Fault::Unreachable),
        (503, &[][..], None, Fault::Unreachable),
        (502, &[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")][..], None, Fault::Unreachable),
    ] {
        let error = answered(status, headers, b"{\"message\":\"busy\"}").await.expect_err("not now");
        assert_eq!((error.retry_after, error.fault), (after.map(Duration::from_secs), fault), "{status}");
        assert!(error.message.contains(&format!("{status}: busy")), "{}", error.message);
    }
    let (server, heard) = endpoint(429, &[], Vec::new()).await;
    client(&server).send(Form::TracesJson, Vec::new(), &Fetch::unattended()).await.expect_err("not now");
    assert_eq!(heard.0.lock().expect("no panic").len(), 1, "retries are up to the queue");
}

#[tokio::test]
async fn each_error_has_its_fault_and_contains_no_key() {
    let echo = b"{\"error\":\"unknown API key hcaik_01hq_planted - check your credentials\"}";
    for (status, fault) in [
        (301, Fault::Unsupported),
        (302, Fault::Unsupported),
        (307, Fault::Unsupported),
        (400, Fault::Invalid),
        (413, Fault::Invalid),
        (401, Fault::Rejected),
        (403, Fault::Forbidden),
        (404, Fault::NotFound),
        (500, Fault::Broken),
    ] {
        let location = &[("location", "http://127.0.0.1:1/?key=hcaik_01hq_planted")];
        let error = answered(status, location, echo).await.expect_err("a failure");
        assert_eq!(error.fault, fault, "{status}");
        assert!(error.message.contains(&status.to_string()), "{}", error.message);
        assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    }
    let (server, _) = endpoint(200, &[], Vec::new()).await;
    assert!(!format!("{:?}", client(&server)).contains("planted"));
}

#[tokio::test]
async fn an_endpoint_without_a_listener_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let client = Client::new(&format!("http://{address}"), None, [], AGENT).expect("a client");
    let error = client.send(Form::TracesJson, Vec::new(), &Fetch::unattended()).await.expect_err("refused");
    assert_eq!(error.fault, Fault::Unreachable);
}

#[test]
fn an_address_is_read_as_it_is_meant() {
    for (given, path) in [
        ("https://api.honeycomb.io", "/"),
        ("https://api.honeycomb.io/", "/"),
        (" https://api.eu1.honeycomb.io/v1/traces ", "/"),
        ("https://otlp.example/otlp/", "/otlp"),
        ("http://127.0.0.1:14318/v1/logs/", "/"),
    ] {
        assert_eq!(base(given).expect(given).path(), path, "{given}");
    }
    for given in ["api.honeycomb.io", "", "ftp://a.example", "https://u:p@a.example", "https://a.example/?api_key=x"] {
        assert_eq!(base(given).expect_err(given).fault, Fault::Unsupported, "{given}");
    }
}

#[test]
fn a_key_goes_nowhere_unencrypted() {
    let of = |endpoint: &str| Client::new(endpoint, Some((HONEYCOMB_HEADER, &secret())), [], AGENT).map(|_| ());
    assert!(of("http://a.example").expect_err("refused").message.contains("unencrypted"));
    assert_eq!((of("https://a.example"), of("http://localhost:1"), of("http://[::1]:1")), (Ok(()), Ok(()), Ok(())));
    let broken = Secret::new("a\nb").expect("a secret");
    let error = Client::new("https://a.example", Some(("x", &broken)), [], AGENT).expect_err("refused");
    assert_eq!((error.fault, error.message.contains("a\nb")), (Fault::Rejected, false));
    assert!(Client::new("https://a.example", None, [("bad name".to_owned(), String::new())], AGENT).is_err());
}

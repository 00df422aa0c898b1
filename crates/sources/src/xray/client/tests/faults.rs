use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::json;
use tokio::net::TcpListener;

use super::super::Client;
use super::{Fake, Reply, broken_body, watched};
use crate::aws::testing::{SECRET, connection, hasty};
use crate::cloud::{Fault, Fetch, SourceError};

async fn answered(reply: impl Fn() -> Reply + Send + Sync + 'static) -> SourceError {
    let fake = Fake::start(move |_, _, _| reply()).await;
    fake.client().await.groups(&Fetch::unattended()).await.expect_err("fails")
}

#[tokio::test]
async fn responses_are_classified() {
    let error = answered(|| Reply::Page(404)).await;
    assert_eq!(error.fault, Fault::Unsupported);
    assert!(error.hint.contains("Emulators"), "{}", error.hint);
    // The response of moto 5.2.5 to its own crashes.
    assert_eq!(answered(|| Reply::Page(500)).await.fault, Fault::Unsupported);
    assert_eq!(answered(|| Reply::Page(503)).await.fault, Fault::Broken);
    assert_eq!(answered(|| Reply::Error(500, "InternalFailure", "oops")).await.fault, Fault::Broken);
    let error = answered(|| {
        Reply::Error(403, "ExpiredTokenException", "The security token included in the request is expired")
    })
    .await;
    assert_eq!(
        (error.fault, error.message.as_str()),
        (Fault::Expired, "the credentials of the environment have expired")
    );
    let error = answered(|| {
        Reply::Error(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
    })
    .await;
    assert_eq!(error.fault, Fault::Rejected);
    assert!(error.hint.contains("AWS_ACCESS_KEY_ID") && !format!("{error:?}").contains(SECRET), "{error:?}");
    let error = answered(|| Reply::Error(400, "InvalidRequestException", "Group not found: x")).await;
    assert_eq!((error.fault, error.message.as_str()), (Fault::Invalid, "Group not found: x"));
    // A proxy or a captive portal.
    let error = answered(|| Reply::Other("<html><body>Welcome to the hotel</body></html>".into_response())).await;
    assert_eq!(error.fault, Fault::Unreachable);
    assert!(error.message.contains("web page"), "{}", error.message);
    let error = answered(|| Reply::Other("{\"Groups\": 7}".into_response())).await;
    assert_eq!(error.fault, Fault::Broken);
    let error = answered(|| Reply::Other((StatusCode::TOO_MANY_REQUESTS, "<html>").into_response())).await;
    assert!(error.fault == Fault::Throttled && error.message.ends_with("(asked 5 times)"), "{error:?}");
}

#[tokio::test]
async fn a_cut_connection_is_reported() {
    let cut = || broken_body("{\"Groups\": [", Some(std::io::Error::other("cut")));
    let error = answered(move || Reply::Other(cut())).await;
    assert_eq!(error.fault, Fault::Unreachable);
    assert!(error.message.contains("http://127.0.0.1:"), "{}", error.message);
    // Shorter than its Content-Length says.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _bytes = stream.read(&mut head).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Groups\"").await.ok();
        }
    });
    let error = Client::new(&connection(addr).await).groups(&Fetch::unattended()).await.expect_err("is cut");
    assert_eq!(error.fault, Fault::Unreachable);
}

#[tokio::test]
async fn an_endpoint_without_a_listener_is_reported_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("bound");
    drop(listener);
    let start = Instant::now();
    let error = Client::new(&connection(addr).await).groups(&Fetch::unattended()).await.expect_err("nobody is there");
    assert_eq!(error.fault, Fault::Unreachable);
    assert!(error.message.contains(&format!("http://{addr} cannot be reached")), "{}", error.message);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_body_that_does_not_end_times_out() {
    let fake = Fake::start(|_, _, before| match before {
        0 => Reply::Other(broken_body("{\"Groups\": [", None)),
        _ => Reply::Silence,
    })
    .await;
    let client = Client::new(&hasty(fake.server.addr, Duration::from_millis(400)).await);
    for _ in 0..2 {
        let start = Instant::now();
        let error = client.groups(&Fetch::unattended()).await.expect_err("is given up");
        assert_eq!(error.fault, Fault::Unreachable);
        assert!(error.message.contains("did not answer in time"), "{}", error.message);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn cancelling_stops_a_body_midway() {
    let fake = Fake::start(|_, _, _| Reply::Other(broken_body("{\"Groups\": [", None))).await;
    let (fetch, token, _) = watched();
    let client = fake.client().await;
    let task = tokio::spawn(async move { client.groups(&fetch).await });
    fake.until("/Groups", 1).await;
    token.cancel();
    assert_eq!(task.await.expect("ends").expect_err("was cancelled").fault, Fault::Cancelled);
}

#[tokio::test]
async fn nothing_shows_the_keys() {
    let fake = Fake::start(|_, _, _| Reply::Json(json!({}))).await;
    let (connection, client) = (connection(fake.server.addr).await, fake.client().await);
    for shown in [format!("{connection:?}"), format!("{client:?}")] {
        assert!(!shown.contains("AKIA") && !shown.contains(SECRET), "{shown}");
    }
}

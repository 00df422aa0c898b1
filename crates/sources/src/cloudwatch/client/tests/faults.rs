use std::time::{Duration, Instant};

use serde_json::json;

use super::fake::{Answer, Fake, T, ask, event, ids, ok, refuse, watched};
use crate::aws::testing::connection;
use crate::cloud::{Fault, Fetch, Used};
use crate::cloudwatch::client::{Client, EventsRequest};

#[tokio::test]
async fn throttling_is_retried_after_a_pause() {
    let fake = Fake::start(|asked| match asked.nth {
        0 => refuse(400, "ThrottlingException", "Rate exceeded"),
        _ => ok(json!({"events": [event(T, "1", "a")]})),
    })
    .await;
    let (fetch, watch, _) = watched();
    let events = fake.client().await.events(&ask(), &fetch).await.expect("answers");
    assert_eq!((ids(&events.records), watch.calls()), (vec!["1"], 2));
}

#[tokio::test]
async fn other_errors_are_not_retried() {
    for (answer, fault) in [(500, Fault::Broken), (503, Fault::Broken)] {
        let fake = Fake::start(move |_| refuse(answer, "ServiceUnavailableException", "later")).await;
        let error = fake.client().await.events(&ask(), &Fetch::unattended()).await.expect_err("fails");
        assert_eq!((error.fault, fake.heard().len()), (fault, 1), "{}", error.message);
    }
    for (kind, fault) in [
        ("ExpiredTokenException", Fault::Expired),
        ("UnrecognizedClientException", Fault::Rejected),
        ("AccessDeniedException", Fault::Forbidden),
        ("com.amazonaws.logs#ResourceNotFoundException", Fault::NotFound),
        ("InvalidParameterException", Fault::Invalid),
    ] {
        let fake = Fake::start(move |_| refuse(400, kind, "The specified log group does not exist.")).await;
        let error = fake.client().await.events(&ask(), &Fetch::unattended()).await.expect_err("fails");
        assert_eq!((error.fault, fake.heard().len()), (fault, 1), "{kind}: {}", error.message);
    }
}

#[tokio::test]
async fn events_before_a_fault_are_kept() {
    for (fault, word) in [(Fault::Expired, "expired"), (Fault::Unreachable, "cut"), (Fault::Broken, "failed")] {
        let fake = Fake::start(move |asked| match (asked.nth, fault) {
            (0, _) => ok(json!({"events": [event(T, "1", "a"), event(T + 1, "2", "b")], "nextToken": "A"})),
            (1, Fault::Expired) => {
                refuse(400, "ExpiredTokenException", "The security token included in the request is expired")
            }
            (1, Fault::Unreachable) => Answer::Cut(r#"{"events":[{"logStreamName":"s","timest"#),
            (1, _) => refuse(500, "InternalFailure", ""),
            _ => ok(json!({"events": [event(T + 2, "3", "c")]})),
        })
        .await;
        let client = fake.client().await;
        let events = client.events(&ask(), &Fetch::unattended()).await.expect("a part");
        assert_eq!(ids(&events.records), ["1", "2"]);
        let stopped = events.stopped.expect("says why");
        assert_eq!(stopped.fault, fault, "{}", stopped.message);
        assert!(stopped.message.contains(word), "{}", stopped.message);
        assert!(events.notes.iter().any(|note| note.starts_with("incomplete: after 2 events")), "{:?}", events.notes);
        let rest =
            client.events(&EventsRequest { page: events.next, ..ask() }, &Fetch::unattended()).await.expect("goes on");
        assert_eq!((ids(&rest.records), rest.stopped), (vec!["3"], None));
        assert_eq!(fake.bodies("FilterLogEvents")[2]["nextToken"], json!("A"));
    }
}

#[tokio::test]
async fn cancelling_ends_a_slow_response_immediately() {
    let fake = Fake::start(|asked| match asked.nth {
        0 => ok(json!({"events": [event(T, "1", "a")], "nextToken": "A"})),
        _ => Answer::Silent,
    })
    .await;
    let (fetch, watch, token) = watched();
    let client = fake.client().await;
    let reading = tokio::spawn(async move { client.events(&ask(), &fetch).await });
    while fake.heard().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let start = Instant::now();
    token.cancel();
    let events = reading.await.expect("ends").expect("a part");
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(events.stopped.map(|error| error.fault), Some(Fault::Cancelled));
    assert_eq!((events.records.len(), watch.used(Used::LogEventsRead)), (1, 1));
}

#[tokio::test]
async fn an_html_page_means_unsupported() {
    // moto 5.2.5 for an unsupported operation.
    let fake = Fake::start(|_| Answer::Page(500, "<!doctype html><title>500 Internal Server Error</title>")).await;
    let error = fake.client().await.saved_queries(&Fetch::unattended()).await.expect_err("fails");
    assert_eq!(error.fault, Fault::Unsupported, "{}", error.message);
}

#[tokio::test]
async fn an_unreachable_endpoint_is_reported_without_a_secret() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("bound");
    drop(listener);
    let client = Client::new(&connection(addr).await);
    let error = client.groups("", &Fetch::unattended()).await.expect_err("fails");
    assert_eq!(error.fault, Fault::Unreachable);
    for said in [format!("{error:?}"), format!("{client:?}")] {
        assert!(!said.contains("AKIA") && !said.contains("Signature"), "{said}");
    }
}

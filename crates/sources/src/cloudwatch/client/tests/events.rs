use serde_json::json;
use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::LogEncoding;
use tracebook_core::time::Nanos;

use super::fake::{Fake, Holding, T, ask, event, ids, ok, watched};
use crate::cloud::{Fault, Fetch, Progress, Range, Used};
use crate::cloudwatch::client::{EventRef, EventsRequest};

#[tokio::test]
async fn every_page_is_read_including_empty_ones() {
    let fake = Fake::start(|asked| match asked.nth {
        0 => ok(
            json!({"events": [event(T, "1", "WARN trace_id=6b0459acd2fb2577c226bb0ed076fe79"), event(T + 1, "2", "b")],
            "searchedLogStreams": [], "nextToken": "A"}),
        ),
        // A page may be empty while a token is present.
        1 => ok(json!({"events": [], "searchedLogStreams": [], "nextToken": "B"})),
        _ => ok(json!({"events": [event(T + 1, "2", "b"), event(T + 2, "3", "c")], "searchedLogStreams": []})),
    })
    .await;
    let (fetch, watch, _) = watched();
    let ask = EventsRequest { pattern: "?WARN ?b ?c".to_owned(), streams: vec!["s".to_owned()], ..ask() };
    let events = fake.client_of_aws().await.events(&ask, &fetch).await.expect("answers");
    assert_eq!(ids(&events.records), ["1", "2", "3"], "an event that came twice is one");
    assert_eq!((events.next, events.stopped, events.notes.len()), (None, None, 0));
    let first = &events.records[0];
    assert_eq!(first.record.timestamp, Nanos::from_millis(T));
    assert_eq!(first.ingested, Some(Nanos::from_millis(T + 5)));
    assert_eq!((first.record.group.as_str(), first.record.stream.as_str()), ("cruddur", "s"));
    assert_eq!((first.record.severity.as_str(), first.record.encoding), ("WARN", LogEncoding::Cloudwatch));
    assert_eq!(first.record.trace_id.map(|id| id.to_string()).as_deref(), Some("6b0459acd2fb2577c226bb0ed076fe79"));
    assert_eq!(watch.used(Used::LogEventsRead), 4);
    assert_eq!(watch.calls(), 3);
    let progress = |pages, rows| Progress { pages, rows, of: 0, what: "log events of cruddur".to_owned() };
    assert_eq!(watch.progress(), [progress(1, 2), progress(2, 2), progress(3, 3)]);
    let mut expected = json!({"logGroupName": "cruddur", "logStreamNames": ["s"], "startTime": T,
        "endTime": T + 3_599_999, "filterPattern": "?WARN ?b ?c", "limit": 100});
    let bodies = fake.bodies("FilterLogEvents");
    assert_eq!(bodies[0], expected, "this end is inclusive");
    expected["nextToken"] = json!("B");
    expected["limit"] = json!(98);
    assert_eq!(bodies[2], expected);
}

#[tokio::test]
async fn the_limit_ends_an_answer_and_its_page_continues() {
    let events = (0..25).map(|n| (T + n, format!("{n:02}"))).collect();
    let holding = Holding { events, a_page: 4, turns_round: true };
    let fake = Fake::start(move |asked| holding.answer(asked)).await;
    for client in [fake.client().await, fake.client_of_aws().await] {
        for newest_first in [false, true] {
            let mut ask = EventsRequest { limit: 10, newest_first, ..ask() };
            let mut all = Vec::new();
            for rows in [10, 10, 5] {
                let events = client.events(&ask, &Fetch::unattended()).await.expect("answers");
                assert_eq!((events.records.len(), events.notes.len()), (rows, 0));
                all.extend(events.records);
                ask.page = events.next;
            }
            assert_eq!(ask.page, None);
            let mut expected: Vec<String> = (0..25).map(|n| format!("{n:02}")).collect();
            if newest_first {
                expected.reverse();
            }
            assert_eq!(ids(&all), expected, "newest first: {newest_first}");
        }
    }
    assert!(fake.bodies("FilterLogEvents").iter().any(|body| body["startFromHead"] == json!(false)));
}

#[tokio::test]
async fn newest_first_works_if_the_endpoint_only_lists_oldest_first() {
    // Bursts, gaps of days, and many events in one millisecond.
    let mut times = vec![T - 40 * 86_400_000, T - 3 * 86_400_000];
    times.extend((0..30).map(|n| T - 86_400_000 + n / 10));
    times.extend((0..30).map(|n| T + n * 60_000));
    let events: Vec<(i64, String)> = times.iter().enumerate().map(|(n, millis)| (*millis, format!("{n:02}"))).collect();
    let mut expected: Vec<String> = events.iter().map(|(_, id)| id.clone()).collect();
    expected.reverse();
    let holding = Holding { events, a_page: 7, turns_round: false };
    let fake = Fake::start(move |asked| holding.answer(asked)).await;
    for (limit, from) in [(1, T - 90 * 86_400_000), (7, T - 90 * 86_400_000), (100, T - 90 * 86_400_000), (100, 0)] {
        let range = Range { from: Nanos::from_millis(from), until: Nanos::from_millis(T + 3_600_000) };
        let mut ask = EventsRequest { limit, newest_first: true, range, ..ask() };
        let mut all = Vec::new();
        loop {
            let events = fake.client().await.events(&ask, &Fetch::unattended()).await.expect("answers");
            if ask.page.is_none() {
                assert_eq!(events.notes.len(), 1, "{:?}", events.notes);
                assert!(events.notes[0].contains("read backwards"), "{:?}", events.notes);
            }
            all.extend(events.records);
            ask.page = events.next;
            if ask.page.is_none() {
                break;
            }
        }
        assert_eq!(ids(&all), expected, "limit {limit}, from {from}");
    }
}

#[tokio::test]
async fn newest_first_is_not_requested_before_2024() {
    let holding = Holding { events: vec![(T, "1".to_owned())], a_page: 10, turns_round: true };
    let fake = Fake::start(move |asked| holding.answer(asked)).await;
    let range = Range { from: Nanos(0), until: Nanos::from_millis(T + 1) };
    let ask = EventsRequest { newest_first: true, range, ..ask() };
    let events = fake.client_of_aws().await.events(&ask, &Fetch::unattended()).await.expect("answers");
    assert_eq!(ids(&events.records), ["1"]);
    assert!(events.notes[0].contains("only from 2024 on"), "{:?}", events.notes);
    assert!(fake.bodies("FilterLogEvents").iter().all(|body| body.get("startFromHead").is_none()));
    assert!(fake.heard().len() < 20, "pieces grow: {}", fake.heard().len());
}

#[tokio::test]
async fn events_of_an_endpoint_that_does_not_filter_are_filtered_and_sorted() {
    let fake = Fake::start(|_| {
        let mut other = event(T, "5", "ERROR elsewhere");
        other["logStreamName"] = json!("other");
        let events = [
            event(T + 9, "1", "ERROR a"),
            event(T + 1, "2", "all is well"),
            event(T + 2, "3", "ERROR b"),
            event(T - 1, "4", "ERROR before"),
            other,
        ];
        ok(json!({"events": events, "searchedLogStreams": [], "nextToken": null}))
    })
    .await;
    let ask = EventsRequest { pattern: "ERROR".to_owned(), stream_prefix: "s".to_owned(), ..ask() };
    let events = fake.client().await.events(&ask, &Fetch::unattended()).await.expect("answers");
    assert_eq!(ids(&events.records), ["3", "1"]);
    assert!(events.notes[0].starts_with("3 events that did not match were left out"), "{:?}", events.notes);
    assert_eq!(fake.bodies("FilterLogEvents")[0]["interleaved"], json!(true));
    let of_aws = fake.client_of_aws().await.events(&ask, &Fetch::unattended()).await.expect("answers");
    assert_eq!(of_aws.records.len(), 5, "AWS knows better what matches");
}

#[tokio::test]
async fn invalid_requests_are_not_sent() {
    let fake = Fake::start(|_| ok(json!({}))).await;
    let long = "x".repeat(1_025);
    for (change, word) in [
        (EventsRequest { pattern: "{ $.a = ".to_owned(), ..ask() }, "at character"),
        (EventsRequest { pattern: long, ..ask() }, "1024 characters"),
        (EventsRequest { group: "a b".to_owned(), ..ask() }, "not a valid log group name"),
        (EventsRequest { group: String::new(), ..ask() }, "no log group given"),
        (EventsRequest { streams: vec!["a:b".to_owned()], ..ask() }, "not a valid log stream name"),
        (EventsRequest { streams: vec!["a".to_owned(); 101], ..ask() }, "101 log streams"),
        (EventsRequest { streams: vec!["a".to_owned()], stream_prefix: "b".to_owned(), ..ask() }, "starts with"),
        (EventsRequest { page: Some("17".to_owned()), ..ask() }, "invalid page token"),
    ] {
        let error = fake.client().await.events(&change, &Fetch::unattended()).await.expect_err("is refused");
        assert_eq!(error.fault, Fault::Invalid);
        assert!(error.message.contains(word), "{}", error.message);
    }
    assert_eq!(fake.heard().len(), 0);
    let ask = EventsRequest { streams: vec!["ab".to_owned(), "b".to_owned()], stream_prefix: "a".to_owned(), ..ask() };
    fake.client().await.events(&ask, &Fetch::unattended()).await.expect("answers");
    let body = &fake.bodies("FilterLogEvents")[0];
    assert_eq!((&body["logStreamNames"], body.get("logStreamNamePrefix")), (&json!(["ab"]), None));
}

#[tokio::test]
async fn events_of_a_trace_are_found_in_both_forms() {
    let fake = Fake::start(|_| {
        let events = [
            event(T, "1", "Root=1-6b0459ac-d2fb2577c226bb0ed076fe79 GET"),
            event(T, "2", "trace_id=6b0459acd2fb2577c226bb0ed076fe79 GET"),
            event(T, "3", "trace_id=0 GET"),
        ];
        ok(json!({"events": events, "searchedLogStreams": []}))
    })
    .await;
    let trace: TraceId = "6b0459acd2fb2577c226bb0ed076fe79".parse().expect("an id");
    let events =
        fake.client().await.of_trace("cruddur", trace, ask().range, &Fetch::unattended()).await.expect("answers");
    assert_eq!(ids(&events.records), ["1", "2"]);
    let pattern = r#"?"6b0459acd2fb2577c226bb0ed076fe79" ?"1-6b0459ac-d2fb2577c226bb0ed076fe79""#;
    assert_eq!(fake.bodies("FilterLogEvents")[0]["filterPattern"], json!(pattern));
}

#[tokio::test]
async fn a_row_is_found_again_by_its_id() {
    let fake = Fake::start(|asked| match asked.nth % 2 {
        0 => ok(json!({"events": [event(T, "1", "a"), event(T, "2", "b")], "nextToken": "A"})),
        _ => ok(json!({"events": [event(T, "3", "c")]})),
    })
    .await;
    let client = fake.client().await;
    let mut reference = EventRef { group: "cruddur".to_owned(), stream: "s".to_owned(), millis: T, id: "3".to_owned() };
    let again = EventRef::parse(&reference.to_string()).expect("reads back");
    let event = client.event(&again, &Fetch::unattended()).await.expect("is there");
    assert_eq!((event.record.message.as_str(), event.reference()), ("c", reference.clone()));
    let body = &fake.bodies("FilterLogEvents")[0];
    assert_eq!((&body["startTime"], &body["endTime"], &body["logStreamNames"]), (&json!(T), &json!(T), &json!(["s"])));
    // As for Live Tail: by their text.
    reference.id = crate::cloudwatch::client::search::id_of_text("b");
    assert_eq!(client.event(&reference, &Fetch::unattended()).await.expect("is there").id, "2");
    reference.id = "gone".to_owned();
    let error = client.event(&reference, &Fetch::unattended()).await.expect_err("is gone");
    assert_eq!(error.fault, Fault::NotFound);
}

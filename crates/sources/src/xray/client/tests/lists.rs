use serde_json::{Value, json};
use tracebook_core::trace::Protocol;

use super::super::repair::mended;
use super::super::{TracesRequest, check_expression, forms};
use super::{Fake, Reply, at, id, range, watched};
use crate::cloud::{Api, Fault, Fetch, Used};

fn ask(from: i64, until: i64, limit: usize) -> TracesRequest {
    TracesRequest { range: range(from, until), expression: String::new(), limit, event_time: false, after: None }
}

/// A TraceSummary that started some seconds after noon, with additional members.
fn summary(n: u32, begins: i64, more: Value) -> Value {
    let mut said = json!({"Id": id(n).xray(), "StartTime": super::NOON + begins, "Duration": 0.25, "Revision": 1});
    for (key, value) in more.as_object().expect("an object") {
        said[key] = value.clone();
    }
    said
}

#[tokio::test]
async fn all_pages_are_read_also_empty_ones() {
    let fake = Fake::start(|_, body, _| {
        Reply::Json(match body["NextToken"].as_str() {
            None => json!({"TraceSummaries": [], "TracesProcessedCount": 7, "NextToken": "p2"}),
            Some("p2") => json!({
                "TraceSummaries": [
                    summary(0, 10, json!({
                        "HasFault": true, "HasError": false, "IsPartial": false,
                        "Http": {"HttpURL": "http://127.0.0.1:4567/api/activities/home?x=1", "HttpMethod": "GET", "HttpStatus": 500},
                        "EntryPoint": {"Name": "backend-flask", "Type": "AWS::ECS::Container"},
                        "ServiceIds": [
                            {"Name": "backend-flask", "Type": "client"}, {"Name": "dynamodb", "Type": "AWS::DynamoDB::Table"},
                            {"Name": "backend-flask", "Names": ["backend-flask"], "Type": "AWS::ECS::Container"},
                        ],
                        "Users": [{"UserName": "andrewbrown"}],
                    })),
                    summary(1, 30, json!({"IsPartial": true})),
                ],
                "TracesProcessedCount": 5, "NextToken": "p3",
            }),
            Some("p3") => json!({
                "TraceSummaries": [
                    summary(2, 20, json!({"HasThrottle": true, "HasError": true, "EntryPoint": {"Name": "api"}})),
                    summary(3, 5, json!({"HasError": true})),
                ],
                "TracesProcessedCount": 2, "NextToken": "",
            }),
            Some(other) => panic!("{other}"),
        })
    })
    .await;
    let (fetch, _, told) = watched();
    let traces = fake.client().await.traces(&ask(0, 60, 100), &fetch).await.expect("answers");
    let shown: Vec<(String, &str, &str, bool)> = traces
        .summaries
        .iter()
        .map(|row| (row.trace_id.to_string(), row.name.as_str(), row.status.as_str(), row.has_error))
        .collect();
    let nameless = |n: u32| format!("trace {}", id(n).short());
    assert_eq!(
        shown,
        [
            (id(1).to_string(), nameless(1).as_str(), "in_progress", false),
            (id(2).to_string(), "api", "throttle", true),
            (id(0).to_string(), "GET /api/activities/home 500", "fault", true),
            (id(3).to_string(), nameless(3).as_str(), "error", true),
        ]
    );
    let fault = &traces.summaries[2];
    assert_eq!(fault.services, ["backend-flask", "dynamodb"]);
    assert_eq!((fault.spans, fault.duration_ms, fault.start.as_str()), (0, 250.0, "2026-11-23T15:20:10.000Z"));
    assert_eq!(fault.protocols, [Protocol::Xray]);
    assert_eq!(traces.notes, ["1 trace still in progress: some segments have not ended"]);
    assert!(traces.complete && traces.next.is_none());
    assert_eq!((told.used(Used::XrayTracesScanned), told.calls(Api::XRAY_TRACES)), (14, 3));
    let last = told.last();
    assert_eq!((last.pages, last.rows, last.what.as_str()), (3, 4, "traces"));
    let asked = fake.asked("/TraceSummaries");
    assert_eq!(
        asked[0],
        json!({"StartTime": super::NOON, "EndTime": super::NOON + 60, "TimeRangeType": "TraceId", "Sampling": false})
    );
}

#[tokio::test]
async fn a_long_range_is_requested_in_chunks_of_six_hours_newest_first() {
    const HOUR: i64 = 3_600;
    // The trace that started at the boundary is in both chunks, later with another revision.
    let fake = Fake::start(|_, body, before| {
        let mut one = summary(9, -6 * HOUR, json!({}));
        one["Revision"] = json!(before);
        one["Http"] = json!({"HttpStatus": 200 + before, "HttpMethod": "GET", "HttpURL": "/"});
        assert_eq!(body["TimeRangeType"], "Event");
        Reply::Json(json!({"TraceSummaries": [one], "TracesProcessedCount": 1}))
    })
    .await;
    let ask = TracesRequest { event_time: true, expression: " fault ".to_owned(), ..ask(-13 * HOUR, 0, 50) };
    let traces = fake.client().await.traces(&ask, &Fetch::unattended()).await.expect("answers");
    let asked: Vec<(i64, i64)> = fake
        .asked("/TraceSummaries")
        .iter()
        .map(|body| {
            assert_eq!(body["FilterExpression"], "fault");
            let hours = |key: &str| (body[key].as_i64().expect("seconds") - super::NOON) / HOUR;
            (hours("StartTime"), hours("EndTime"))
        })
        .collect();
    assert_eq!(asked, [(-6, 0), (-12, -6), (-13, -12)]);
    assert_eq!((traces.summaries.len(), traces.summaries[0].name.as_str()), (1, "GET / 202"));
    assert!(traces.complete);
}

#[tokio::test]
async fn more_than_a_month_is_not_requested() {
    let fake = Fake::start(|_, _, _| Reply::Json(json!({"TraceSummaries": []}))).await;
    let ask = TracesRequest {
        range: crate::cloud::Range { from: tracebook_core::time::Nanos(0), until: at(0) },
        ..ask(0, 1, 1)
    };
    let traces = fake.client().await.traces(&ask, &Fetch::unattended()).await.expect("answers");
    assert_eq!(fake.asked("/TraceSummaries").len(), 31 * 4);
    assert_eq!(traces.notes, ["X-Ray keeps traces for 30 days: older ones were not requested"]);
}

#[tokio::test]
async fn a_list_stops_at_its_limit_and_can_be_continued() {
    let fake = Fake::start(|_, body, _| {
        Reply::Json(match body["NextToken"].as_str() {
            None => json!({"TraceSummaries": [summary(0, 9, json!({})), summary(1, 8, json!({})), summary(2, 7, json!({}))], "NextToken": "p:2"}),
            Some("p:2") => json!({"TraceSummaries": [summary(3, 6, json!({})), summary(4, 5, json!({}))]}),
            Some(other) => panic!("{other}"),
        })
    })
    .await;
    let client = fake.client().await;
    let mut ask = ask(0, 60, 2);
    let mut seen = Vec::new();
    loop {
        let traces = client.traces(&ask, &Fetch::unattended()).await.expect("answers");
        seen.push(traces.summaries.iter().map(|row| row.trace_id).collect::<Vec<_>>());
        assert_eq!(traces.complete, traces.next.is_none());
        ask.after = match traces.next {
            Some(next) => {
                assert_eq!(traces.notes, ["stopped after 2 traces; there may be more"]);
                Some(next)
            }
            None => break,
        };
    }
    assert_eq!(seen, [vec![id(0), id(1)], vec![id(2), id(3)], vec![id(4)]]);
    let forged = TracesRequest { after: Some("x".to_owned()), ..ask };
    assert_eq!(client.traces(&forged, &Fetch::unattended()).await.expect_err("is refused").fault, Fault::Invalid);
}

#[tokio::test]
async fn pages_before_a_failing_one_are_kept() {
    let fake = Fake::start(|_, body, before| match (body["NextToken"].as_str(), before) {
        (None, _) => Reply::Json(json!({"TraceSummaries": [summary(0, 9, json!({}))], "NextToken": "p2"})),
        (Some(_), 1) => Reply::Error(500, "InternalFailure", "oops"),
        (Some(_), _) => Reply::Json(json!({"TraceSummaries": [summary(1, 8, json!({}))]})),
    })
    .await;
    let client = fake.client().await;
    let first = client.traces(&ask(0, 60, 10), &Fetch::unattended()).await.expect("the first page is there");
    assert_eq!((first.summaries.len(), first.complete), (1, false));
    assert!(first.notes[0].starts_with("the list is not complete: ") && first.notes[0].contains("failed (500)"));
    let second = client.traces(&TracesRequest { after: first.next, ..ask(0, 60, 10) }, &Fetch::unattended()).await;
    let second = second.expect("goes on");
    assert_eq!((second.summaries[0].trace_id, second.complete), (id(1), true));
}

#[tokio::test]
async fn an_endpoint_that_repeats_pages_is_abandoned() {
    let page = || Reply::Json(json!({"TraceSummaries": [summary(0, 9, json!({}))], "NextToken": "again"}));
    let fake = Fake::start(move |_, _, _| page()).await;
    let traces = fake.client().await.traces(&ask(0, 60, 10), &Fetch::unattended()).await.expect("ends");
    assert_eq!((traces.summaries.len(), fake.asked("/TraceSummaries").len()), (1, 2));
}

#[tokio::test]
async fn throttling_is_retried_after_a_pause() {
    let fake = Fake::start(|_, _, before| match before {
        0 | 1 => Reply::Error(429, "ThrottledException", "Rate exceeded"),
        _ => Reply::Json(json!({"TraceSummaries": [summary(0, 9, json!({}))]})),
    })
    .await;
    let (fetch, _, told) = watched();
    let traces = fake.client().await.traces(&ask(0, 60, 10), &fetch).await.expect("answers in the end");
    assert_eq!((traces.summaries.len(), told.calls(Api::XRAY_TRACES)), (1, 3));
}

/// moto 5.2.5 (`moto/xray/models.py`): `Users` is a map, there is no StartTime, IsPartial is misspelt, Duration is
/// whole.
const MOTO: &str = r#"{"TraceSummaries": [{"Annotations": {}, "AvailabilityZones": [], "Duration": 0, "EntryPoint": {}, "ErrorRootCauses": [], "FaultRootCauses": [], "HasError": false, "HasFault": true, "HasThrottle": false, "Http": {}, "Id": "1-6b0459a0-000000000000000000000001", "InstanceIds": [], "IsParital": false, "MatchedEventTime": 1795447213.087028, "ResourceARNs": [], "ResponseTime": 1, "ResponseTimeRootCauses": [], "Revision": 0, "ServiceIds": [], "Users": {}}], "TracesProcessedCount": 1}"#;

#[tokio::test]
async fn an_emulators_users_are_accepted() {
    let fake = Fake::start(|_, _, _| Reply::Other(axum::response::IntoResponse::into_response(MOTO))).await;
    let traces = fake.client().await.traces(&ask(0, 60, 10), &Fetch::unattended()).await.expect("is read");
    let row = &traces.summaries[0];
    assert_eq!((row.trace_id, row.status.as_str(), row.start.as_str()), (id(0), "fault", "2026-11-23T15:20:00.000Z"));
    assert_eq!(traces.notes, ["1 trace without a start time; the one in the id is shown"]);
}

#[test]
fn only_an_empty_map_of_users_is_repaired() {
    for (before, after) in [
        (r#"{"Users": {}}"#, r#"{"Users": []}"#),
        ("{\"Users\" :\n{ }, \"Users\":{}}", "{\"Users\" :\n[ ], \"Users\":[]}"),
        (r#"{"Users": {"a": {}}}"#, r#"{"Users": {"a": {}}}"#),
        (r#"{"Users": []}"#, r#"{"Users": []}"#),
        (r#"{"a": "\"Users\": {}"}"#, r#"{"a": "\"Users\": {}"}"#),
        (r#"{"Users": {"#, r#"{"Users": {"#),
        (r#""Users""#, r#""Users""#),
        ("", ""),
    ] {
        assert_eq!(mended(bytes::Bytes::copy_from_slice(before.as_bytes())), after.as_bytes());
    }
}

#[tokio::test]
async fn an_expression_is_checked_before_it_is_sent() {
    let refusal = "The filter expression is not valid";
    let fake = Fake::start(move |_, _, _| Reply::Error(400, "InvalidRequestException", refusal)).await;
    let client = fake.client().await;
    let with = |text: &str| TracesRequest { expression: text.to_owned(), ..ask(0, 60, 10) };
    let error = client.traces(&with("http.url CONTAINS"), &Fetch::unattended()).await.expect_err("is wrong");
    assert!(error.fault == Fault::Invalid && error.message.contains("character 18"), "{error:?}");
    let backwards = TracesRequest { range: range(60, 0), ..with("") };
    assert_eq!(client.traces(&backwards, &Fetch::unattended()).await.expect_err("is wrong").fault, Fault::Invalid);
    assert!(fake.asked("/TraceSummaries").is_empty());
    // Expressions that only X-Ray can evaluate are rejected by X-Ray, with its message.
    let only_there = r#"rootcause.fault.service { name = "x" }"#;
    let error = client.traces(&with(only_there), &Fetch::unattended()).await.expect_err("is refused");
    assert_eq!((error.fault, error.message.as_str()), (Fault::Invalid, refusal));
}

#[test]
fn every_example_is_an_expression() {
    for (example, meaning) in forms() {
        assert_eq!(check_expression(example), Ok(()), "{example}");
        assert!(!meaning.is_empty());
    }
    assert!(check_expression("fault AND").is_err());
}

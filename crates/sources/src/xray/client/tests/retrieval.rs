use std::time::{Duration, SystemTime};

use aws_types::sdk_config::{SharedTimeSource, TimeSource};
use serde_json::{Value, json};

use super::super::Client;
use super::{Fake, NOON, Reply, id, range, segment, watched};
use crate::aws::testing::connection;
use crate::cloud::{Fault, Fetch, Used};

const TOKEN: &str = "retrieval-1";

/// An account with Transaction Search: BatchGetTraces finds nothing.
async fn searching(list: impl Fn(&Value, usize) -> Reply + Send + Sync + 'static) -> Fake {
    Fake::start(move |path, body, before| match path {
        "/Traces" => Reply::Json(json!({"Traces": [], "UnprocessedTraceIds": []})),
        "/GetTraceSegmentDestination" => Reply::Json(json!({"Destination": "CloudWatchLogs", "Status": "ACTIVE"})),
        "/StartTraceRetrieval" => Reply::Json(json!({"RetrievalToken": TOKEN})),
        "/ListRetrievedTraces" => {
            assert_eq!((&body["RetrievalToken"], &body["TraceFormat"]), (&json!(TOKEN), &json!("XRAY")));
            list(body, before)
        }
        "/CancelTraceRetrieval" => Reply::Json(json!({})),
        other => panic!("{other}"),
    })
    .await
}

fn retrieved(trace: u32, documents: &[String]) -> Value {
    let spans: Vec<Value> = documents.iter().map(|text| json!({"Id": "0000000000000001", "Document": text})).collect();
    json!({"Id": id(trace).xray(), "Duration": 0.25, "Spans": spans})
}

#[tokio::test]
async fn traces_of_transaction_search_are_retrieved() {
    let fake = searching(|body, before| {
        Reply::Json(match (before, body["NextToken"].as_str()) {
            (0, None) => json!({"RetrievalStatus": "SCHEDULED", "TraceFormat": "XRAY", "Traces": []}),
            (1, None) => json!({"RetrievalStatus": "RUNNING", "TraceFormat": "XRAY", "Traces": []}),
            (_, None) => json!({
                "RetrievalStatus": "COMPLETE", "TraceFormat": "XRAY", "NextToken": "p2",
                "Traces": [retrieved(0, &[segment(id(0), 0)]), retrieved(1, &[segment(id(1), 0)])],
            }),
            // A trace with many spans continues on the next page.
            (_, Some("p2")) => json!({"RetrievalStatus": "COMPLETE", "Traces": [retrieved(0, &[segment(id(0), 1)])]}),
            (_, Some(other)) => panic!("{other}"),
        })
    })
    .await;
    let (fetch, _, told) = watched();
    let asked = [id(0), id(1), id(2)];
    let client = fake.client().await;
    let traces = client.fetch_traces_in(&asked, Some(range(0, 60)), &fetch).await.expect("answers");
    let sizes: Vec<(usize, bool)> = traces.iter().map(|trace| (trace.records.len(), trace.complete)).collect();
    assert_eq!(sizes, [(2, true), (1, true), (0, false)]);
    assert_eq!(traces[2].notes, ["Transaction Search has no such trace: not there yet, or not in the range"]);
    let started = fake.asked("/StartTraceRetrieval");
    assert_eq!(started, [json!({"TraceIds": asked.map(|id| id.xray()), "StartTime": NOON, "EndTime": NOON + 60})]);
    assert_eq!(told.used(Used::XrayTracesRetrieved), 3);
    assert_eq!(told.last().what, "traces of Transaction Search");
    assert!(fake.asked("/CancelTraceRetrieval").is_empty(), "nothing is left running");
}

/// A fixed clock.
#[derive(Debug)]
struct Stands;

impl TimeSource for Stands {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(NOON).expect("after 1970"))
    }
}

#[tokio::test]
async fn a_trace_of_unknown_time_is_searched_over_thirty_days() {
    let fake = searching(|_, _| Reply::Json(json!({"RetrievalStatus": "COMPLETE", "Traces": []}))).await;
    let mut connection = connection(fake.server.addr).await;
    connection.sdk = connection.sdk.to_builder().time_source(SharedTimeSource::new(Stands)).build();
    Client::new(&connection).fetch_traces(&[id(0)], &Fetch::unattended()).await.expect("answers");
    let started = &fake.asked("/StartTraceRetrieval")[0];
    assert_eq!((&started["StartTime"], &started["EndTime"]), (&json!(NOON - 30 * 86_400), &json!(NOON)));
}

#[tokio::test]
async fn a_failed_retrieval_is_reported() {
    let fake = searching(|_, _| Reply::Json(json!({"RetrievalStatus": "FAILED", "Traces": []}))).await;
    let traces = fake.client().await.fetch_traces(&[id(0)], &Fetch::unattended()).await.expect("answers");
    assert_eq!(traces[0].notes, ["the retrieval of Transaction Search ended with failed; try again"]);
    let fake = searching(|_, _| Reply::Error(400, "ResourceNotFoundException", "no such retrieval")).await;
    let traces = fake.client().await.fetch_traces(&[id(0)], &Fetch::unattended()).await.expect("answers");
    assert_eq!(traces[0].notes, ["Transaction Search did not return it: no such retrieval"]);
    fake.until("/CancelTraceRetrieval", 1).await;
}

#[tokio::test]
async fn a_retrieval_is_cancelled_when_the_user_cancels() {
    let fake = searching(|_, _| Reply::Json(json!({"RetrievalStatus": "RUNNING", "Traces": []}))).await;
    let (fetch, token, _) = watched();
    let client = fake.client().await;
    let task = tokio::spawn(async move { client.fetch_traces(&[id(0)], &fetch).await });
    fake.until("/ListRetrievedTraces", 2).await;
    token.cancel();
    assert_eq!(task.await.expect("ends").expect_err("was cancelled").fault, Fault::Cancelled);
    fake.until("/CancelTraceRetrieval", 1).await;
    assert_eq!(fake.asked("/CancelTraceRetrieval"), [json!({ "RetrievalToken": TOKEN })]);
}

#[tokio::test]
async fn a_missing_permission_is_reported() {
    let fake = Fake::start(|path, _, _| match path {
        "/Traces" => Reply::Json(json!({"Traces": [], "UnprocessedTraceIds": []})),
        _ => Reply::Error(
            403,
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/a is not authorized to perform: xray:GetTraceSegmentDestination",
        ),
    })
    .await;
    let traces = fake.client().await.fetch_traces(&[id(0)], &Fetch::unattended()).await.expect("answers");
    assert!(traces[0].notes[0].contains("xray:GetTraceSegmentDestination"), "{:?}", traces[0].notes);
}

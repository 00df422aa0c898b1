use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::Encoding;

use super::{Fake, Reply, id, ids, segment, watched, whole};
use crate::cloud::{Api, Fault, Fetch, Used};

/// Each trace with one segment.
fn served(body: &Value) -> Value {
    let traces: Vec<Value> = ids(body).into_iter().map(|id| whole(id, &[segment(id, 0)])).collect();
    json!({"Traces": traces, "UnprocessedTraceIds": []})
}

#[tokio::test]
async fn ids_are_requested_five_at_a_time() {
    let fake = Fake::start(|_, body, _| Reply::Json(served(body))).await;
    let (fetch, _, told) = watched();
    let mut asked: Vec<TraceId> = (0..12).rev().map(id).collect();
    asked.push(id(3));
    let traces = fake.client().await.fetch_traces(&asked, &fetch).await.expect("answers");
    assert_eq!(
        traces.iter().map(|trace| trace.trace_id).collect::<Vec<_>>(),
        asked[..12],
        "in the order of asking, each once"
    );
    for trace in &traces {
        assert!(trace.complete && trace.notes.is_empty(), "{trace:?}");
        let record = &trace.records[0];
        assert_eq!((record.encoding, record.title.as_str()), (Encoding::XrayJson, "GET /api/activities/home 200"));
        assert_eq!(record.raw, segment(trace.trace_id, 0).into_bytes(), "the document as it was sent");
    }
    let bodies = fake.asked("/Traces");
    let mut sizes: Vec<usize> = bodies.iter().map(|body| ids(body).len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 5, 5]);
    for body in &bodies {
        assert!(body.get("NextToken").is_none(), "X-Ray refuses a NextToken here");
        assert!(body["TraceIds"][0].as_str().is_some_and(|id| id.starts_with("1-") && id.len() == 35));
    }
    assert_eq!((told.used(Used::XrayTracesRetrieved), told.calls(Api::XRAY_BATCH)), (12, 3));
    let last = told.last();
    assert_eq!((last.pages, last.rows, last.of), (3, 12, 12));
    assert_eq!(fake.client().await.fetch_traces(&[], &fetch).await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_eight_requests_are_concurrent() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = (Arc::clone(&now), Arc::clone(&most));
    let fake = Fake::start(move |_, body, _| {
        let (now, most) = counted.clone();
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let answer = served(body).to_string();
        // Counted as active until its body has been sent.
        let body = async_body(move || {
            now.fetch_sub(1, Ordering::SeqCst);
            answer
        });
        Reply::Other(axum::response::Response::new(body))
    })
    .await;
    let asked: Vec<TraceId> = (0..200).map(id).collect();
    let traces = fake.client().await.fetch_traces(&asked, &Fetch::unattended()).await.expect("answers");
    assert_eq!(traces.iter().filter(|trace| trace.complete).count(), 200);
    assert_eq!(most.load(Ordering::SeqCst), 8);
}

/// A delayed body.
fn async_body(text: impl FnOnce() -> String + Send + 'static) -> axum::body::Body {
    axum::body::Body::from_stream(futures_util::stream::once(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok::<_, std::io::Error>(text())
    }))
}

#[tokio::test]
async fn unprocessed_ids_are_requested_again() {
    let fake = Fake::start(|_, body, before| {
        Reply::Json(match before {
            0 => json!({"Traces": [whole(id(0), &[segment(id(0), 0)])], "UnprocessedTraceIds": [id(1).xray()]}),
            _ => served(body),
        })
    })
    .await;
    let traces = fake.client().await.fetch_traces(&[id(0), id(1)], &Fetch::unattended()).await.expect("answers");
    assert!(traces.iter().all(|trace| trace.complete), "{traces:?}");
    let asked = fake.asked("/Traces");
    assert_eq!((asked.len(), ids(&asked[1])), (2, vec![id(1)]));
}

#[tokio::test]
async fn an_id_that_is_never_processed_is_reported() {
    let never = id(1).xray();
    let fake = Fake::start(move |path, body, _| {
        if path == "/GetTraceSegmentDestination" {
            return Reply::Json(json!({"Destination": "XRay", "Status": "ACTIVE"}));
        }
        let mut answer = served(body);
        answer["Traces"].as_array_mut().expect("traces").retain(|trace| trace["Id"] != never.as_str());
        answer["UnprocessedTraceIds"] = json!([never]);
        Reply::Json(answer)
    })
    .await;
    let traces = fake.client().await.fetch_traces(&[id(0), id(1)], &Fetch::unattended()).await.expect("ends");
    assert!(traces[0].complete);
    assert!(!traces[1].complete);
    assert_eq!(
        traces[1].notes,
        ["X-Ray did not process it in 4 requests: not there yet, not sampled, or older than 30 days"]
    );
    assert_eq!(fake.asked("/Traces").len(), 4);
}

#[tokio::test]
async fn missing_parts_of_a_trace_are_reported() {
    let mut open = serde_json::from_str::<Value>(&segment(id(0), 1)).expect("a document");
    open.as_object_mut().expect("an object").remove("end_time");
    open["in_progress"] = json!(true);
    // https://docs.aws.amazon.com/xray/latest/devguide/xray-api-gettingdata.html: inferred by X-Ray itself.
    let mut inferred = serde_json::from_str::<Value>(&segment(id(0), 2)).expect("a document");
    inferred["inferred"] = json!(true);
    inferred["origin"] = json!("AWS::DynamoDB::Table");
    let documents = [
        segment(id(0), 0),
        open.to_string(),
        inferred.to_string(),
        "not JSON".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        "\"\"".to_owned(),
    ];
    let fake = Fake::start(move |_, _, _| {
        let mut trace = whole(id(0), &documents);
        trace["LimitExceeded"] = json!(true);
        Reply::Json(json!({"Traces": [trace], "UnprocessedTraceIds": []}))
    })
    .await;
    let traces = fake.client().await.fetch_traces(&[id(0)], &Fetch::unattended()).await.expect("answers");
    let trace = &traces[0];
    assert_eq!((trace.records.len(), trace.complete), (3, false));
    assert_eq!(trace.notes.len(), 7, "{:?}", trace.notes);
    for (note, begin) in trace.notes.iter().zip([
        "the trace exceeds X-Ray's size limit",
        "the trace is partial: 1 segment not ended",
        "1 segment inferred by X-Ray",
        "a document is left out: ",
        "a document is left out: ",
        "a document is left out: ",
        "1 document more left out",
    ]) {
        assert!(note.starts_with(begin), "{note:?}");
    }
}

#[tokio::test]
async fn a_failing_request_affects_only_its_own_traces() {
    let fake = Fake::start(|_, body, _| match ids(body).contains(&id(0)) {
        true => Reply::Error(500, "InternalFailure", "oops"),
        false => Reply::Json(served(body)),
    })
    .await;
    let client = fake.client().await;
    let asked: Vec<TraceId> = (0..10).map(id).collect();
    let traces = client.fetch_traces(&asked, &Fetch::unattended()).await.expect("the others are there");
    assert_eq!(traces.iter().filter(|trace| trace.complete).count(), 5);
    assert!(traces[0].notes[0].starts_with("not fetched: ") && traces[0].records.is_empty(), "{:?}", traces[0]);
    let error = client.fetch_traces(&asked[..5], &Fetch::unattended()).await.expect_err("nothing is there");
    assert_eq!(error.fault, Fault::Broken);
}

#[tokio::test]
async fn an_unknown_trace_is_reported() {
    for page in [true, false] {
        let fake = Fake::start(move |path, body, _| match path {
            "/Traces" => {
                let mut answer = served(body);
                answer["Traces"].as_array_mut().expect("traces").truncate(1);
                Reply::Json(answer)
            }
            "/GetTraceSegmentDestination" if page => Reply::Page(404),
            "/GetTraceSegmentDestination" => Reply::Json(json!({"Destination": "XRay", "Status": "ACTIVE"})),
            other => panic!("{other}"),
        })
        .await;
        let traces = fake.client().await.fetch_traces(&[id(0), id(1)], &Fetch::unattended()).await.expect("answers");
        assert!(traces[0].complete);
        assert_eq!((traces[1].complete, traces[1].records.len()), (false, 0));
        assert_eq!(traces[1].notes, ["X-Ray has no such trace: not there yet, not sampled, or older than 30 days"]);
        assert_eq!(fake.asked("/GetTraceSegmentDestination").len(), 1);
    }
}

#[tokio::test]
async fn cancelling_ends_the_fetch_at_once() {
    let fake = Fake::start(|_, body, before| match before {
        0 => Reply::Other(served(body).to_string().into_response()),
        _ => Reply::Silence,
    })
    .await;
    let (fetch, token, _) = watched();
    let client = fake.client().await;
    let asked: Vec<TraceId> = (0..100).map(id).collect();
    let task = tokio::spawn(async move { client.fetch_traces(&asked, &fetch).await });
    fake.until("/Traces", 9).await;
    let start = Instant::now();
    token.cancel();
    let error = task.await.expect("ends").expect_err("was cancelled");
    assert_eq!(error.fault, Fault::Cancelled);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

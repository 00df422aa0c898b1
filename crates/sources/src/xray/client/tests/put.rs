use serde_json::json;

use super::super::Unprocessed;
use super::{Fake, Reply, id, segment, watched};
use crate::cloud::{Api, Fault, Used};

#[tokio::test]
async fn segments_are_sent_fifty_at_a_time_and_rejected_ones_returned() {
    let fake = Fake::start(|_, body, before| {
        let documents = body["TraceSegmentDocuments"].as_array().expect("documents");
        assert!(documents.len() <= 50);
        Reply::Json(match before {
            // The same in moto 5.2.5 and AWS.
            0 => json!({"UnprocessedTraceSegments": [
                {"Id": "0000000000000001", "ErrorCode": "MissingParam", "Message": "Missing segment start_time"}, {},
            ]}),
            _ => json!({"UnprocessedTraceSegments": []}),
        })
    })
    .await;
    let documents: Vec<String> = (0..51).map(|n| segment(id(0), n)).collect();
    let (fetch, _, told) = watched();
    let refused = fake.client().await.put_segments(&documents, &fetch).await.expect("answers");
    let text = str::to_owned;
    let first = Unprocessed {
        id: text("0000000000000001"),
        code: text("MissingParam"),
        message: text("Missing segment start_time"),
    };
    let nothing = Unprocessed { id: text(""), code: text(""), message: text("") };
    assert_eq!(refused, [first, nothing]);
    assert_eq!((told.used(Used::XraySegmentsRecorded), told.calls(Api::XRAY_PUT)), (49, 2));
    let sent = fake.asked("/TraceSegments");
    assert_eq!(sent[1]["TraceSegmentDocuments"], json!([documents[50]]), "as it is");
}

#[tokio::test]
async fn a_failing_put_is_returned() {
    let fake = Fake::start(|_, _, _| Reply::Error(403, "ExpiredTokenException", "expired")).await;
    let (fetch, _, told) = watched();
    let error = fake.client().await.put_segments(&[segment(id(0), 0)], &fetch).await.expect_err("fails");
    assert_eq!((error.fault, told.used(Used::XraySegmentsRecorded)), (Fault::Expired, 0));
}

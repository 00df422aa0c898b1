use serde_json::json;

use super::fake::{Fake, T, ok, refuse, watched};
use crate::cloud::{Fault, Fetch, Used};
use crate::cloudwatch::client::Rejected;

fn said(millis: i64, message: &str) -> (i64, String) {
    (millis, message.to_owned())
}

#[tokio::test]
async fn missing_groups_and_streams_are_created() {
    let fake = Fake::start(|asked| match (asked.operation.as_str(), asked.nth) {
        ("PutLogEvents", 0) => refuse(400, "ResourceNotFoundException", "The specified log group does not exist."),
        ("CreateLogStream", _) => {
            refuse(400, "ResourceAlreadyExistsException", "The specified log stream already exists")
        }
        // Operations without a result answer with an empty body; PutLogEvents may.
        _ => super::fake::Answer::Page(200, ""),
    })
    .await;
    let (fetch, watch, _) = watched();
    let events = [said(T + 2, "b"), said(T, "a"), said(T, "")];
    let put = fake.client().await.put_events("cruddur", "web/1", &events, &fetch).await.expect("is put");
    assert_eq!((put.taken, put.rejected, put.left.len(), put.stopped), (2, vec![(2, Rejected::Empty)], 0, None));
    assert_eq!(fake.operations(), ["PutLogEvents", "CreateLogGroup", "CreateLogStream", "PutLogEvents"]);
    assert_eq!(
        fake.bodies("PutLogEvents")[1],
        json!({"logGroupName": "cruddur", "logStreamName": "web/1",
            "logEvents": [{"timestamp": T, "message": "a"}, {"timestamp": T + 2, "message": "b"}]})
    );
    assert_eq!(watch.used(Used::LogBytesPut), 2 * 27, "what was refused is not counted");
}

#[tokio::test]
async fn rejected_events_are_reported() {
    // RejectedLogEventsInfo: ends are exclusive, the start is inclusive.
    let fake = Fake::start(|_| {
        ok(json!({"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2, "tooNewLogEventStartIndex": 4}}))
    })
    .await;
    let events: Vec<(i64, String)> = (0..5).rev().map(|n| said(T + n, "x")).collect();
    let put = fake.client().await.put_events("cruddur", "s", &events, &Fetch::unattended()).await.expect("is put");
    assert_eq!(put.taken, 2);
    assert_eq!(put.rejected, [(4, Rejected::TooOld), (3, Rejected::Expired), (0, Rejected::TooNew)]);
    assert_eq!(Rejected::TooOld.words(), "older than 14 days");
}

#[tokio::test]
async fn events_left_after_an_error_are_reported() {
    let fake = Fake::start(|asked| match asked.nth {
        0 => ok(json!({})),
        _ => refuse(400, "ExpiredTokenException", "expired"),
    })
    .await;
    let day = 86_400_000;
    let events = [said(T + 2 * day, "c"), said(T, "a"), said(T + day, "b")];
    let put = fake.client().await.put_events("cruddur", "s", &events, &Fetch::unattended()).await.expect("is put");
    assert_eq!((put.taken, put.left), (1, vec![2, 0]));
    assert_eq!(put.stopped.map(|error| error.fault), Some(Fault::Expired));
    assert_eq!(fake.heard().len(), 2);
    let error =
        fake.client().await.put_events("cruddur", "a:b", &events, &Fetch::unattended()).await.expect_err("no name");
    assert_eq!(error.fault, Fault::Invalid);
    let nothing =
        fake.client().await.put_events("cruddur", "s", &[], &Fetch::unattended()).await.expect("nothing to do");
    assert_eq!((nothing.taken, fake.heard().len()), (0, 2));
}

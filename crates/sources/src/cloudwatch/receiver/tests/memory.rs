//! Requests that would take far more memory than they have bytes.

use std::io::Write as _;

use super::*;

const MIB: usize = 1024 * 1024;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(plain).expect("in memory");
    gzip.finish().expect("in memory")
}

#[tokio::test]
async fn a_body_of_countless_values_is_refused_before_they_are_built() {
    let local = Local::with_stream().await;
    let zeros = format!("{{\"logGroupName\":\"cruddur\",\"x\":[{}0]}}", "0,".repeat(900_000));
    let lists = format!("{{\"logGroupName\":\"cruddur\",\"x\":[{}[]]}}", "[],".repeat(600_000));
    let members: Vec<String> = (0..150_000).map(|n| format!("\"{n:x}\":0")).collect();
    for body in [zeros, lists, format!("{{{}}}", members.join(","))] {
        assert!(body.len() < 2 * MIB);
        let headers = format!("X-Amz-Target: Logs_20140328.DescribeLogGroups\r\nContent-Encoding: gzip\r\n{SIGNED}");
        let answer = send(local.server.addr, "/", &headers, &gzip(body.as_bytes())).await;
        assert_eq!((answer.status, &answer.json()["__type"]), (400, &json!("SerializationException")));
        assert!(answer.text().contains("too many values"), "{}", answer.text());
    }
    local.put(&[(NOW, "still works")]).await;
}

#[tokio::test]
async fn what_finds_no_memory_is_to_be_sent_again() {
    let bounds = Bounds::scarce(16 * MIB);
    let local = Local::within(bounds).await;
    local.ok("CreateLogGroup", json!({"logGroupName": "cruddur"})).await;
    local.ok("CreateLogStream", json!({"logGroupName": "cruddur", "logStreamName": "s"})).await;
    local.put(&[(NOW, "one")]).await;
    let batch = batch(&[(NOW, "two")]).to_string();
    let question = json!({"logGroupName": "cruddur", "logStreamName": "s"});
    for purpose in [Purpose::SmallBody, Purpose::SmallWork] {
        let all = bounds.budget.take(purpose, 16 * MIB).await.expect("free");
        let answer = local.raw("PutLogEvents", batch.as_bytes()).await;
        assert_eq!((answer.status, &answer.json()["__type"]), (503, &json!("ServiceUnavailableException")));
        drop(all);
    }
    let all = bounds.budget.take(Purpose::Answer, 16 * MIB).await.expect("free");
    let (kind, _) = local.refused("GetLogEvents", question.clone()).await;
    assert_eq!(kind, "ThrottlingException");
    local.put(&[(NOW, "reading does not hinder writing")]).await;
    drop(all);
    assert_eq!(messages(&local.ok("GetLogEvents", question).await).len(), 2);
    assert_eq!(bounds.budget.used(Purpose::Answer), 0);
}

#[tokio::test]
async fn a_form_that_finds_no_memory_gets_an_answer_of_sts() {
    let bounds = Bounds::scarce(16 * MIB);
    let local = Local::within(bounds).await;
    let all = bounds.budget.take(Purpose::SmallBody, 16 * MIB).await.expect("free");
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = send(local.server.addr, "/", form, b"Action=GetCallerIdentity").await;
    assert_eq!((answer.status, answer.header("content-type")), (503, Some("text/xml")));
    assert!(answer.text().contains("<Code>ServiceUnavailable</Code>"), "{}", answer.text());
    drop(all);
}

#[tokio::test]
async fn names_copied_with_every_event_count() {
    let bounds = Bounds::scarce(4 * MIB);
    let local = Local::within(bounds).await;
    let group = "g".repeat(512);
    local.ok("CreateLogGroup", json!({"logGroupName": group})).await;
    local.ok("CreateLogStream", json!({"logGroupName": group, "logStreamName": "s"})).await;
    let events: Vec<Value> = (0..9_000).map(|_| json!({"timestamp": NOW, "message": "m"})).collect();
    let body = json!({"logGroupName": group, "logStreamName": "s", "logEvents": events}).to_string();
    let answer = local.raw("PutLogEvents", body.as_bytes()).await;
    assert_eq!((answer.status, &answer.json()["__type"]), (413, &json!("RequestEntityTooLargeException")));
    assert!(local.store.records.lock().expect("no panic").is_empty());
}

use serde_json::{Value, json};
use tracebook_core::time::Nanos;

use super::fake::{Fake, T, ok, refuse};
use crate::cloud::{Fault, Fetch};

fn group(name: &str) -> Value {
    json!({"logGroupName": name, "creationTime": T, "metricFilterCount": 0, "storedBytes": 123, "retentionInDays": 7,
        "arn": format!("arn:aws:logs:us-east-1:123456789012:log-group:{name}:*")})
}

#[tokio::test]
async fn groups_are_listed_and_searched() {
    let fake = Fake::start(|asked| match asked.body.get("logGroupNamePattern") {
        // With a pattern only these three members are returned (DescribeLogGroups, logGroupNamePattern).
        Some(_) => ok(json!({"logGroups": [
            {"logGroupName": "/ecs/cruddur", "creationTime": T, "arn": "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/cruddur:*"},
            {"logGroupName": "other"}]})),
        None if asked.nth == 0 => ok(json!({"logGroups": [group("a")], "nextToken": "A"})),
        None => ok(json!({"logGroups": [group("cruddur")], "nextToken": null})),
    })
    .await;
    let all = fake.client().await.groups(" ", &Fetch::unattended()).await.expect("answers");
    assert_eq!(all.rows.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["a", "cruddur"]);
    let cruddur = &all.rows[1];
    assert_eq!(cruddur.arn, "arn:aws:logs:us-east-1:123456789012:log-group:cruddur");
    assert_eq!((cruddur.retention_days, cruddur.stored_bytes), (Some(7), Some(123)));
    assert_eq!(cruddur.created, Some(Nanos::from_millis(T)));
    assert!(all.notes.is_empty());
    let found = fake.client().await.groups("cruddur", &Fetch::unattended()).await.expect("answers");
    assert_eq!(found.rows.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["/ecs/cruddur"]);
    assert_eq!((found.rows[0].retention_days, found.rows[0].stored_bytes), (None, None));
    let bodies = fake.bodies("DescribeLogGroups");
    assert_eq!(bodies[1], json!({"nextToken": "A", "limit": 50}));
    assert_eq!(bodies[2], json!({"logGroupNamePattern": "cruddur", "limit": 50}));
}

#[tokio::test]
async fn an_impossible_group_name_is_not_requested() {
    let fake = Fake::start(|_| ok(json!({}))).await;
    let found = fake.client().await.groups("a b", &Fetch::unattended()).await.expect("answers");
    assert_eq!((found.rows.len(), found.notes.len(), fake.heard().len()), (0, 1, 0));
}

#[tokio::test]
async fn a_long_list_is_cut_with_a_note() {
    let fake = Fake::start(|asked| {
        let groups: Vec<Value> = (0..50).map(|n| group(&format!("g{}-{n}", asked.nth))).collect();
        ok(json!({"logGroups": groups, "nextToken": asked.nth.to_string()}))
    })
    .await;
    let found = fake.client().await.groups("", &Fetch::unattended()).await.expect("answers");
    assert_eq!((found.rows.len(), fake.heard().len()), (1_000, 20));
    assert_eq!(found.notes, ["There are more than these 1,000 rows: type more of the name"]);
    let endless = Fake::start(|asked| ok(json!({"logGroups": [], "nextToken": asked.nth.to_string()}))).await;
    let found = endless.client().await.groups("", &Fetch::unattended()).await.expect("ends");
    assert_eq!((found.rows.len(), endless.heard().len(), found.notes.len()), (0, 200, 1));
    let same = Fake::start(|_| ok(json!({"logGroups": [], "nextToken": "A"}))).await;
    same.client().await.groups("", &Fetch::unattended()).await.expect("ends");
    assert_eq!(same.heard().len(), 2);
}

#[tokio::test]
async fn streams_are_listed_by_last_event_or_by_prefix() {
    let fake = Fake::start(|asked| match asked.body["logGroupName"].as_str() {
        Some("cruddur") => ok(json!({"logStreams": [
            {"logStreamName": "web/old", "creationTime": T, "lastEventTimestamp": T, "storedBytes": 0},
            {"logStreamName": "web/empty", "creationTime": T},
            {"logStreamName": "web/new", "creationTime": T, "lastEventTimestamp": T + 9},
            {"logStreamName": "db", "creationTime": T, "lastEventTimestamp": T + 5}]})),
        _ => refuse(400, "ResourceNotFoundException", "The specified log group does not exist."),
    })
    .await;
    let names = |found: crate::cloudwatch::client::Listed<crate::cloudwatch::client::Stream>| {
        found.rows.into_iter().map(|stream| stream.name).collect::<Vec<_>>()
    };
    let all = fake.client().await.streams("cruddur", "", &Fetch::unattended()).await.expect("answers");
    assert_eq!(names(all), ["web/new", "db", "web/old", "web/empty"]);
    let web = fake.client().await.streams("cruddur", "web/", &Fetch::unattended()).await.expect("answers");
    assert_eq!(names(web), ["web/new", "web/old", "web/empty"]);
    let bodies = fake.bodies("DescribeLogStreams");
    assert_eq!(
        bodies[0],
        json!({"logGroupName": "cruddur", "orderBy": "LastEventTime", "descending": true, "limit": 50})
    );
    assert_eq!(
        bodies[1],
        json!({"logGroupName": "cruddur", "logStreamNamePrefix": "web/", "orderBy": "LogStreamName", "descending": false, "limit": 50})
    );
    let error = fake.client().await.streams("none", "", &Fetch::unattended()).await.expect_err("no group");
    assert_eq!(error.fault, Fault::NotFound);
    assert!(error.message.contains("none"), "{}", error.message);
}

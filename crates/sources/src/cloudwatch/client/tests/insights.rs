use std::time::Duration;

use serde_json::{Value, json};
use tracebook_core::query::QueryLanguage;
use tracebook_core::time::Nanos;

use super::fake::{Asked, Fake, T, ok, refuse, watched};
use crate::cloud::{Fault, Fetch, Range, Used};
use crate::cloudwatch::client::InsightsRequest;

fn ask() -> InsightsRequest {
    InsightsRequest {
        groups: vec!["cruddur".to_owned()],
        text: "fields @timestamp, level, @message | sort @timestamp desc".to_owned(),
        range: Range { from: Nanos::from_millis(T + 999), until: Nanos::from_millis(T + 60_001) },
        limit: 1_000,
    }
}

fn row(fields: &[(&str, &str)]) -> Value {
    fields.iter().map(|(field, value)| json!({"field": field, "value": value})).collect()
}

fn results(status: &str, rows: &[Value], scanned: f64) -> Value {
    json!({"status": status, "results": rows, "queryLanguage": "CWLI", "statistics": {"recordsMatched": 3.0,
        "recordsScanned": 400.0, "bytesScanned": scanned, "estimatedBytesSkipped": 0.0, "estimatedRecordsSkipped": 0.0, "logGroupsScanned": 1.0}})
}

fn rows() -> [Value; 2] {
    [
        row(&[("@timestamp", "2026-11-23 15:20:12.231"), ("@message", "a"), ("@ptr", "Cl0KIgoe")]),
        row(&[("@timestamp", "2026-11-23 15:20:11.000"), ("level", "WARN"), ("@message", "b"), ("@ptr", "Cl0KIgof")]),
    ]
}

/// GetQueryResults: scheduled, running with a partial result, complete in two pages.
fn answer(asked: &Asked) -> super::fake::Answer {
    match (asked.operation.as_str(), asked.nth) {
        ("StartQuery", _) => ok(json!({"queryId": "q-1"})),
        ("GetQueryResults", 0) => ok(json!({"status": "Scheduled", "results": []})),
        ("GetQueryResults", 1) => ok(results("Running", &rows()[..1], 1_000.0)),
        ("GetQueryResults", 2) => {
            let mut first = results("Complete", &rows(), 4_096.0);
            first["nextToken"] = json!("A");
            ok(first)
        }
        _ => ok(results("Complete", &[row(&[("@timestamp", "2026-11-23 15:20:10.000"), ("@message", "c")])], 4_096.0)),
    }
}

#[tokio::test]
async fn only_a_complete_result_is_returned() {
    let fake = Fake::start(answer).await;
    let (fetch, watch, _) = watched();
    let result = fake.client().await.query(&ask(), &fetch).await.expect("answers");
    assert_eq!(result.columns, ["@timestamp", "level", "@message"], "@ptr means nothing to people");
    assert_eq!(result.rows[0], ["2026-11-23 15:20:12.231", "", "a"]);
    assert_eq!(result.rows[1], ["2026-11-23 15:20:11.000", "WARN", "b"]);
    assert_eq!(result.rows[2], ["2026-11-23 15:20:10.000", "", "c"]);
    assert_eq!(
        (result.language, result.groups.as_slice()),
        (QueryLanguage::Insights, ["cruddur".to_owned()].as_slice())
    );
    // Whole seconds, both ends inclusive: rather a little more than a little less.
    assert_eq!((result.start, result.end), (Nanos::from_millis(T), Nanos::from_millis(T + 61_000)));
    assert_eq!((result.more, result.notes.len()), (0, 0));
    let statistics: Vec<String> =
        result.statistics.iter().map(|said| format!("{}={:?}", said.key, said.value.as_int())).collect();
    assert_eq!(
        statistics,
        ["recordsMatched=Some(3)", "recordsScanned=Some(400)", "bytesScanned=Some(4096)", "logGroupsScanned=Some(1)"]
    );
    assert_eq!(watch.used(Used::InsightsBytes), 4_096, "what was scanned is counted once");
    let said: Vec<String> = watch.progress().into_iter().map(|progress| progress.what).collect();
    assert_eq!(said[1], "Logs Insights: Running, 400 events and 1000 bytes scanned");
    assert_eq!(
        fake.bodies("StartQuery")[0],
        json!({"logGroupNames": ["cruddur"], "startTime": T / 1_000, "endTime": T / 1_000 + 61,
            "queryString": "fields @timestamp, level, @message | sort @timestamp desc", "limit": 1000})
    );
    assert_eq!(fake.bodies("GetQueryResults")[3], json!({"queryId": "q-1", "nextToken": "A"}));
    assert!(!fake.operations().contains(&"StopQuery".to_owned()));
}

#[tokio::test]
async fn a_reached_limit_is_reported() {
    let fake = Fake::start(answer).await;
    let ask = InsightsRequest { limit: 3, ..ask() };
    let result = fake.client().await.query(&ask, &Fetch::unattended()).await.expect("answers");
    assert_eq!((result.more, result.notes), (0, vec!["the limit of 3 rows was reached: there may be more".to_owned()]));
}

#[tokio::test]
async fn an_unsuccessful_query_is_an_error() {
    for (status, word) in [
        ("Failed", "failed"),
        ("Cancelled", "somebody else"),
        ("Timeout", "60 minutes"),
        ("Unknown", "unknown query status"),
    ] {
        let fake = Fake::start(move |asked| match asked.operation.as_str() {
            "StartQuery" => ok(json!({"queryId": "q-1"})),
            "GetQueryResults" => ok(results(status, &rows(), 7.0)),
            _ => ok(json!({"success": true})),
        })
        .await;
        let error = fake.client().await.query(&ask(), &Fetch::unattended()).await.expect_err("no result");
        assert_eq!(error.fault, Fault::Broken);
        assert!(error.message.contains(word), "{}", error.message);
    }
}

#[tokio::test]
async fn an_invalid_query_is_reported_with_the_position() {
    let fake = Fake::start(|_| {
        super::fake::Answer::Json(
            400,
            json!({"__type": "MalformedQueryException", "message": "malformed",
                "queryCompileError": {"location": {"startCharOffset": 7, "endCharOffset": 9}, "message": "unexpected symbol found ="}}),
        )
    })
    .await;
    let error = fake.client().await.query(&ask(), &Fetch::unattended()).await.expect_err("is refused");
    assert_eq!(error.fault, Fault::Invalid);
    assert_eq!(error.message, "Logs Insights cannot read the query at character 8: unexpected symbol found =");
    assert_eq!(fake.heard().len(), 1);
    for (ask, word) in [
        (InsightsRequest { text: " \n".to_owned(), ..ask() }, "empty"),
        (InsightsRequest { text: "x".repeat(10_001), ..ask() }, "10,000"),
        (InsightsRequest { groups: Vec::new(), ..ask() }, "no log group"),
        (InsightsRequest { groups: vec!["g".to_owned(); 51], ..ask() }, "50"),
        (InsightsRequest { groups: vec!["a b".to_owned()], ..ask() }, "not a valid log group name"),
    ] {
        let error = fake.client().await.query(&ask, &Fetch::unattended()).await.expect_err("is refused");
        assert!(error.fault == Fault::Invalid && error.message.contains(word), "{}", error.message);
    }
    assert_eq!(fake.heard().len(), 1, "nothing more was asked");
}

fn endless(asked: &Asked) -> super::fake::Answer {
    match asked.operation.as_str() {
        "StartQuery" => ok(json!({"queryId": "q-1"})),
        "GetQueryResults" => ok(results("Running", &[], 5_000.0)),
        _ => ok(json!({"success": true})),
    }
}

async fn until_running(fake: &Fake) {
    while fake.bodies("GetQueryResults").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_cancelled_query_is_stopped_at_aws() {
    let fake = Fake::start(endless).await;
    let (fetch, watch, token) = watched();
    let client = fake.client().await;
    let running = tokio::spawn(async move { client.query(&ask(), &fetch).await });
    until_running(&fake).await;
    while watch.used(Used::InsightsBytes) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    token.cancel();
    let error = running.await.expect("ends").expect_err("no result");
    assert_eq!(error.fault, Fault::Cancelled);
    assert_eq!(fake.bodies("StopQuery"), [json!({"queryId": "q-1"})]);
    assert_eq!(watch.used(Used::InsightsBytes), 5_000, "what was scanned is paid all the same");
}

#[tokio::test]
async fn an_abandoned_query_is_stopped_at_aws() {
    let fake = Fake::start(endless).await;
    let client = fake.client().await;
    let running = tokio::spawn(async move { client.query(&ask(), &Fetch::unattended()).await });
    until_running(&fake).await;
    running.abort();
    while fake.bodies("StopQuery").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn saved_queries_are_listed() {
    let fake = Fake::start(|asked| match asked.nth {
        0 => ok(json!({"queryDefinitions": [
            {"queryDefinitionId": "2", "name": "week2/errors", "queryString": "filter @message like /ERROR/", "logGroupNames": ["cruddur"], "lastModified": T},
            {"queryDefinitionId": "3", "name": "ppl", "queryString": "fields x", "queryLanguage": "PPL"}], "nextToken": "A"})),
        _ => ok(json!({"queryDefinitions": [{"queryDefinitionId": "1", "name": "all", "queryString": "fields @message", "queryLanguage": "CWLI"}]})),
    })
    .await;
    let found = fake.client().await.saved_queries(&Fetch::unattended()).await.expect("answers");
    let names: Vec<(&str, &str)> = found.rows.iter().map(|saved| (saved.id.as_str(), saved.name.as_str())).collect();
    assert_eq!(names, [("1", "all"), ("2", "week2/errors")]);
    assert_eq!(
        (found.rows[1].query.as_str(), found.rows[1].groups.as_slice()),
        ("filter @message like /ERROR/", ["cruddur".to_owned()].as_slice())
    );
    assert_eq!(found.notes, ["1 query in PPL or SQL not shown: only the Logs Insights query language is supported"]);
}

#[tokio::test]
async fn too_many_concurrent_queries_are_retried() {
    let fake = Fake::start(|asked| match (asked.operation.as_str(), asked.nth) {
        ("StartQuery", 0) => {
            refuse(400, "LimitExceededException", "Account maximum query concurrency limit of [30] reached.")
        }
        ("StartQuery", _) => ok(json!({"queryId": "q-1"})),
        _ => ok(results("Complete", &[], 0.0)),
    })
    .await;
    let result = fake.client().await.query(&ask(), &Fetch::unattended()).await.expect("answers");
    assert!(result.rows.is_empty() && result.columns.is_empty());
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{Method, StatusCode};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;
use tracebook_core::query::{QueryLanguage, QueryResult};
use tracebook_core::time::Nanos;

use super::client::{Auth, BoardQuery, Client, name_boards};
use super::links;
use super::spec::Spec;
use crate::cloud::{Fault, Fetch, Limits, NoMeter, Progress, Range, Secret, SourceError};
use crate::testing::Server;
use crate::testing::replay::Replay;

const KEY: &str = "hcaik_01hz0123456789abcdefghijkl";
const SECOND: i64 = 1_000_000_000;

fn client(endpoint: &str) -> Client {
    Client::new(endpoint, Secret::new(KEY).expect("a key"), "tracebook/test").expect("an endpoint on loopback")
}

async fn replay(name: &str) -> (Client, Replay) {
    let replay = Replay::start(name, KEY).await;
    (client(&format!("http://{}", replay.addr)), replay)
}

async fn answering(status: u16, headers: &'static [(&'static str, &'static str)], body: &str) -> (Client, Server) {
    let server = Server::answering(status, headers, body.to_owned()).await;
    (client(&format!("http://{}", server.addr)), server)
}

/// The error, which must not contain the key.
fn hushed<T: std::fmt::Debug>(outcome: Result<T, SourceError>) -> SourceError {
    let error = outcome.expect_err("is a fault");
    let all = format!("{error} {error:?}");
    assert!(!all.contains(&KEY[..12]), "{all}");
    error
}

/// From 2026-11-23T15:00:00Z, one hour and half a minute.
fn range() -> Range {
    Range { from: Nanos(1_795_446_000 * SECOND), until: Nanos(1_795_449_630 * SECOND) }
}

fn spec() -> Spec {
    let text = r#"{"breakdowns": ["app.user_id"], "calculations": [{"op": "P99", "column": "duration_ms"}, {"op": "COUNT"}],
        "filters": [{"column": "name", "op": "=", "value": "GET /api/activities/home"}],
        "orders": [{"op": "COUNT", "order": "descending"}], "time_range": 600, "granularity": 60}"#;
    Spec::parse(text).expect("a query")
}

#[tokio::test]
async fn a_key_names_its_team_and_environment() {
    let (client, replay) = replay("honeycomb-auth").await;
    let fetch = Fetch::unattended();
    let auth = client.auth(&fetch).await.expect("known");
    let expected = Auth {
        team: "Cruddur".to_owned(),
        team_slug: "cruddur".to_owned(),
        environment: "Bootcamp".to_owned(),
        environment_slug: "bootcamp".to_owned(),
        classic: false,
        kind: "configuration".to_owned(),
        access: ["events", "markers", "boards", "createDatasets"].map(str::to_owned).to_vec(),
        notes: vec!["the key has no permission `queries`: saved queries are not listed".to_owned()],
    };
    assert_eq!(auth, expected);
    let auth = client.auth(&fetch).await.expect("known");
    assert!(auth.classic && auth.notes.is_empty() && auth.environment_slug.is_empty(), "{auth:?}");
    replay.done().await;
    assert!(!format!("{client:?}").contains(KEY), "{client:?}");

    let (client, _server) =
        answering(200, &[], r#"{"type": "ingest", "api_key_access": {"events": true}, "team": {"slug": "x"}}"#).await;
    let auth = client.auth(&fetch).await.expect("known");
    assert!(auth.notes.len() == 1 && auth.notes[0].starts_with("this is an ingest key"), "{auth:?}");
    let management = Secret::new("hcxmk_01hz:secret").expect("a key");
    let error = Client::new(super::client::ENDPOINT, management, "").expect_err("not this kind");
    assert!(error.fault == Fault::Rejected && error.hint.contains("configuration key"), "{error:?}");
}

#[tokio::test]
async fn boards_of_both_kinds_have_queries_with_the_names_of_their_annotations() {
    let fetch = Fetch::unattended();
    let (client, boards_replay) = replay("honeycomb-boards").await;
    let mut boards = client.boards(&fetch).await.expect("boards");
    boards_replay.done().await;
    let (client, saved_replay) = replay("honeycomb-saved-queries").await;
    let saved = client.saved_queries(&fetch).await.expect("saved queries");
    saved_replay.done().await;

    let rows: Vec<(&str, &str, bool)> =
        saved.rows.iter().map(|q| (q.dataset.as_str(), q.name.as_str(), q.of_board)).collect();
    let expected = [
        ("backend-flask", "Latency by user", true),
        ("backend-flask", "Slow requests", false),
        (links::ALL, "All errors", false),
    ];
    assert_eq!(rows, expected);
    assert_eq!(saved.notes, ["dataset old: Honeycomb did not find it: Dataset not found"]);

    assert_eq!(
        boards[0].link.as_deref(),
        Some("https://ui.honeycomb.io/cruddur/environments/bootcamp/board/mRqHzDX4Wsr")
    );
    assert_eq!((boards[1].name.as_str(), &boards[1].link), ("Old", &None), "a page must not be a script");
    assert_eq!(boards[0].queries.len(), 1, "texts and SLOs are not queries");
    name_boards(&mut boards, &saved.rows);
    let query = |dataset: &str, query_id: &str, annotation_id: &str, name: &str| BoardQuery {
        dataset: dataset.to_owned(),
        query_id: query_id.to_owned(),
        annotation_id: annotation_id.to_owned(),
        name: name.to_owned(),
    };
    assert_eq!(boards[0].queries, [query("backend-flask", "abc1234e", "e4c24a35", "Latency by user")]);
    assert_eq!(boards[1].queries, [query("backend-flask", "def5678a", "", "Errors by route")]);
}

#[tokio::test]
async fn a_saved_query_can_be_read() {
    let (client, replay) = replay("honeycomb-query-spec").await;
    let read = client.query_spec("backend-flask", "abc1234e", &Fetch::unattended()).await.expect("a query");
    replay.done().await;
    assert_eq!(read.columns(), ["app.user_id", "P99(duration_ms)", "COUNT"]);
    let range = read.range(Nanos(1_795_449_600 * SECOND));
    assert_eq!(range.from, Nanos(1_795_442_400 * SECOND), "its default of two hours");
}

#[tokio::test]
async fn a_query_is_created_run_and_read_as_a_table() {
    let (client, replay) = replay("honeycomb-run").await;
    let told = Arc::new(AtomicUsize::new(0));
    let counted = told.clone();
    let tell = move |progress: Progress| {
        assert_eq!(progress.what, "the query on backend-flask");
        counted.fetch_add(1, Ordering::Relaxed);
    };
    let fetch = Fetch::new(CancellationToken::new(), Limits::none(), Arc::new(NoMeter), Arc::new(tell));
    let answer = client.run("backend-flask", &spec(), range(), 100, &fetch).await.expect("an answer");
    replay.done().await;
    assert_eq!(told.load(Ordering::Relaxed), 4, "begun, two looks, done");
    let page = "https://ui.honeycomb.io/cruddur/environments/bootcamp/datasets/backend-flask/result/sGUnkBHgRFN";
    assert_eq!((answer.link.as_deref(), answer.query_id.as_str()), (Some(page), "9f8e7d6c"));
    let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
    let expected = QueryResult {
        language: QueryLanguage::Honeycomb,
        query: [
            r#"{"breakdowns": ["app.user_id"],"#,
            r#" "calculations": [{"op":"P99","column":"duration_ms"},{"op":"COUNT"}],"#,
            r#" "filters": [{"column":"name","op":"=","value":"GET /api/activities/home"}],"#,
            r#" "orders": [{"op":"COUNT","order":"descending"}],"#,
            r#" "start_time": 1795446000,"#,
            r#" "end_time": 1795449630}"#,
        ]
        .join("\n"),
        groups: vec!["backend-flask".to_owned()],
        start: range().from,
        end: range().until,
        columns: row(["app.user_id", "P99(duration_ms)", "COUNT", "HEATMAP(duration_ms)"]),
        rows: vec![row(["andrewbrown", "12.41", "31", ""]), row(["", "3", "2", ""]), row(["42", "1.5", "1", r#"{"1":2}"#])],
        notes: vec![
            "Honeycomb calculated these values from events; the events themselves are not included".to_owned(),
            "Honeycomb rounds times down to the minute: the result covers 2026-11-23 15:00:00 UTC to 2026-11-23 16:00:00 UTC".to_owned(),
        ],
        ..QueryResult::default()
    };
    assert_eq!(answer.result, expected);
    assert_eq!(answer.result.label(), r#"{"breakdowns": ["app.user_id"],"#);
}

#[tokio::test]
async fn a_plan_without_query_results_is_reported_with_an_alternative() {
    let (client, replay) = replay("honeycomb-run-not-in-plan").await;
    let error = hushed(client.run("backend-flask", &spec(), range(), 100, &Fetch::unattended()).await);
    replay.done().await;
    assert!(error.fault == Fault::Forbidden && error.message.contains("Enterprise plan only"), "{error:?}");
    assert!(error.hint.contains("works on every plan") && error.hint.contains("OTLP"), "{error:?}");

    for (status, body, fault) in [
        (401, r#"{"error": "unknown API key - check your credentials"}"#, Fault::Forbidden),
        (404, "", Fault::Forbidden),
        (400, r#"{"error": "This feature is available as part of the Honeycomb Enterprise plan."}"#, Fault::Forbidden),
        (400, r#"{"error": "time range is older than 7 days"}"#, Fault::Invalid),
        (500, "", Fault::Broken),
    ] {
        let (client, _server) = results(status, body.to_owned(), |_| json!({})).await;
        let error = hushed(client.run("ds", &spec(), range(), 1, &Fetch::unattended()).await);
        assert_eq!(error.fault, fault, "{status} {body}: {error:?}");
    }
    // If the key cannot create a query, the plan is not the reason.
    let (client, _server) = answering(403, &[], r#"{"error": "forbidden"}"#).await;
    let error = hushed(client.run("ds", &spec(), range(), 1, &Fetch::unattended()).await);
    assert!(error.fault == Fault::Forbidden && error.hint.contains("Manage Queries and Columns"), "{error:?}");
}

#[tokio::test]
async fn a_range_that_is_too_long_is_rejected_without_a_request() {
    let client = client("http://127.0.0.1:9");
    let long = Range { from: Nanos(SECOND), until: Nanos(9 * 86_400 * SECOND) };
    let error = hushed(client.run("ds", &spec(), long, 1, &Fetch::unattended()).await);
    assert!(error.fault == Fault::Invalid && error.message.contains("at most 7"), "{error:?}");
}

/// Creates any query; starts its result as given; responds to the n-th poll.
async fn results(
    status: u16,
    begun: String,
    look: impl Fn(usize) -> Json + Clone + Send + Sync + 'static,
) -> (Client, Server) {
    let looks = Arc::new(AtomicUsize::new(0));
    let router = Router::new().fallback(move |method: Method, uri: axum::http::Uri| async move {
        if uri.path().starts_with("/1/queries/") {
            return (StatusCode::OK, json!({"id": "q"}).to_string());
        }
        match method {
            Method::POST => (StatusCode::from_u16(status).expect("a status"), begun),
            _ => (StatusCode::OK, look(looks.fetch_add(1, Ordering::Relaxed)).to_string()),
        }
    });
    let server = Server::start(router).await;
    (client(&format!("http://{}", server.addr)), server)
}

#[tokio::test]
async fn rows_are_counted_and_missing_ones_are_reported() {
    let row = |n: usize| json!({"data": {"COUNT": n, "x": format!("{n}")}});
    let (client, _server) = results(201, json!({"id": "r"}).to_string(), move |_| {
        json!({"complete": true, "data": {"results": (0..5).map(row).collect::<Vec<_>>()}, "links": {"query_url": "javascript:x"}})
    })
    .await;
    let whole = Range { from: Nanos(1_795_392_000 * SECOND), until: Nanos(1_795_392_000 * SECOND + 86_400 * SECOND) };
    let answer = client.run("ds", &Spec::default(), whole, 3, &Fetch::unattended()).await.expect("an answer");
    let result = answer.result;
    assert_eq!((result.rows.len(), result.more, answer.link), (3, 2, None));
    assert_eq!(result.columns, ["COUNT", "x"]);
    assert_eq!(result.notes[1..], ["the limit is 3 rows; there may be more"], "full minutes are not rounded");

    // No rows, in a result that is complete at once.
    let (client, _server) = results(201, json!({"id": "r", "complete": true}).to_string(), |_| json!({})).await;
    let answer = client.run("ds", &Spec::default(), whole, 3, &Fetch::unattended()).await.expect("an answer");
    assert!(answer.result.rows.is_empty() && answer.result.columns == ["COUNT"], "{answer:?}");
}

#[tokio::test]
async fn polling_stops_when_the_user_cancels() {
    let (looked, looking) = (Arc::new(tokio::sync::Notify::new()), CancellationToken::new());
    let told = looked.clone();
    let (client, _server) = results(201, json!({"id": "r"}).to_string(), move |_| {
        told.notify_one();
        json!({"complete": false})
    })
    .await;
    let fetch = Fetch::new(looking.clone(), Limits::none(), Arc::new(NoMeter), Arc::new(|_| {}));
    let task = tokio::spawn(async move { client.run("ds", &spec(), range(), 1, &fetch).await });
    looked.notified().await;
    looking.cancel();
    assert_eq!(hushed(task.await.expect("ends")).fault, Fault::Cancelled);
}

#[tokio::test]
async fn every_error_has_its_message() {
    let unknown = format!(r#"{{"error": "unknown API key {KEY} - check your credentials"}}"#);
    let validation = r#"{"status": 422, "type": "https://api.honeycomb.io/problems/validation-failed", "title": "The provided input is invalid.",
        "error": "The provided input is invalid.", "type_detail": [{"field": "calculations[0].column", "code": "invalid",
        "description": "unknown column duration"}, {"code": "missing"}]}"#;
    for (status, body, fault, words, hint) in [
        (
            401,
            unknown.as_str(),
            Fault::Rejected,
            "unknown API key [credential removed]",
            "https://api.eu1.honeycomb.io",
        ),
        (403, r#"{"error": "forbidden"}"#, Fault::Forbidden, "forbidden", "“Manage Public Boards”"),
        (404, r#"{"title": "The requested resource cannot be found."}"#, Fault::NotFound, "cannot be found", "dataset"),
        (
            422,
            validation,
            Fault::Invalid,
            "invalid.; calculations[0].column: unknown column duration; missing",
            "query",
        ),
        (400, r#"{"errors": [{"title": "Bad", "detail": "no such field"}]}"#, Fault::Invalid, "no such field", ""),
        (400, "<html>nginx</html>", Fault::Invalid, "status 400", ""),
        (200, "<html>Sign in</html>", Fault::Broken, "Sign in", "proxy"),
        (302, "", Fault::Broken, "redirect (302)", "endpoint"),
        (503, r#"{"error": "down"}"#, Fault::Broken, "failed (503)", "again"),
    ] {
        let (client, _server) = answering(status, &[], body).await;
        let error = hushed(client.boards(&Fetch::unattended()).await);
        assert_eq!(error.fault, fault, "{status} {body}: {error:?}");
        assert!(error.message.contains(words) && error.hint.contains(hint), "{status} {body}: {error:?}");
    }
    let (client, _server) = answering(429, &[("ratelimit", "limit=100, remaining=0, reset=3600")], "{}").await;
    let error = hushed(client.boards(&Fetch::unattended()).await);
    assert!(error.fault == Fault::Throttled && error.message.contains("in 3600 s"), "{error:?}");
    // A value that is not a list contains no boards.
    let (client, _server) = answering(200, &[], "{}").await;
    assert!(client.boards(&Fetch::unattended()).await.expect("nothing").is_empty());
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracebook_core::errors::Level;
use tracebook_core::time::Nanos;

use super::*;
use crate::cloud::{Limits, NoMeter};
use crate::testing::Server;
use crate::testing::replay::Replay;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const SECOND: i64 = 1_000_000_000;

fn client(endpoint: &str) -> Client {
    let token = Secret::new(TOKEN).expect("a token");
    Client::new(endpoint, token, "tracebook/test").expect("an endpoint on loopback")
}

async fn replay(name: &str) -> (Client, Replay) {
    let replay = Replay::start(name, TOKEN).await;
    (client(&format!("http://{}/api/1", replay.addr)), replay)
}

/// A server with the same response to every request.
async fn answering(status: u16, headers: &'static [(&'static str, &'static str)], body: &str) -> (Client, Server) {
    let server = Server::answering(status, headers, body.to_owned()).await;
    (client(&format!("http://{}", server.addr)), server)
}

/// The error, which must not contain the token in any form.
fn hushed<T: std::fmt::Debug>(outcome: Result<T, SourceError>) -> SourceError {
    let error = outcome.expect_err("is a fault");
    let all = format!("{error} {error:?}");
    assert!(!all.contains(&TOKEN[..12]) && !all.contains("access_token="), "{all}");
    error
}

fn ask() -> ItemsRequest {
    ItemsRequest::default()
}

#[tokio::test]
async fn items_are_listed_until_an_empty_page() {
    let (client, replay) = replay("rollbar-items").await;
    let filter = "status:active level:error level:critical environment:development division";
    let mut ask = ItemsRequest { limit: 2, ..ItemsRequest::parse(filter).expect("a filter") };
    let fetch = Fetch::unattended();
    let items = client.items(&ask, &fetch).await.expect("a page");
    assert_eq!((items.next, items.total), (None, Some(2)), "all were seen");
    let row = &items.rows[0];
    assert_eq!((row.id, row.name().as_str(), row.level), (272_505_123, "#15", Level::Error));
    assert_eq!((row.status.as_str(), row.framework.as_str(), row.project), ("active", "flask", Some(733_094)));
    assert_eq!(row.last, Some(Nanos(1_795_532_228 * SECOND)));
    let listed = row.row();
    assert_eq!(
        (listed.id.as_str(), listed.occurrences, listed.last.as_str()),
        ("272505123", 3, "2026-11-24T14:57:08.000Z")
    );
    // Numbers as strings, and words as numbers.
    let row = &items.rows[1];
    assert_eq!((row.id, row.counter, row.level, row.occurrences), (272_505_001, 7, Level::Critical, 41));
    assert_eq!((row.framework.as_str(), row.platform.as_str()), ("7", "1"));

    ask.page = 2;
    let items = client.items(&ask, &fetch).await.expect("an empty page");
    assert_eq!((items.rows.len(), items.next), (0, None));
    replay.done().await;
}

#[tokio::test]
async fn a_page_reports_its_position_even_if_the_server_ignores_the_page_size() {
    let rows: Vec<Json> = (1..=100).map(|id| json!({"id": id, "title": "x"})).collect();
    let body = json!({"err": 0, "result": {"page": 1, "total_count": 101, "items": rows}}).to_string();
    let (client, _server) = answering(200, &[], &body).await;
    let items = client.items(&ask(), &Fetch::unattended()).await.expect("a page");
    assert_eq!((items.rows.len(), items.next), (100, Some(2)), "asked for 50, given 100");
    assert_eq!(items.notes, ["page 1: 100 items of 101"]);

    let body = r#"{"err": "0", "result": {"items": [{"id": 1}, {"title": "no id"}, 7]}}"#;
    let (client, _server) = answering(200, &[], body).await;
    let items = client.items(&ask(), &Fetch::unattended()).await.expect("a page");
    assert_eq!((items.rows.len(), items.next, items.total), (1, Some(2), None), "continued until an empty page");
    assert_eq!(items.notes, ["2 items without an id left out"]);
}

#[tokio::test]
async fn a_read_token_names_its_project() {
    let (client, replay) = replay("rollbar-check").await;
    let identity = client.check(&Fetch::unattended()).await.expect("it reads");
    assert_eq!(identity.project.as_deref(), Some("project 733094"));
    assert_eq!(identity.notes, ["the token can read (scope `read`)", "the project has 312 items"]);
    replay.done().await;
}

#[tokio::test]
async fn an_item_has_its_latest_occurrence_in_full_and_a_list_of_others() {
    for (name, conversation) in [
        ("272505123", "rollbar-error"),
        ("#15", "rollbar-error-by-counter"),
        // The redirect contains the token twice; neither place is read.
        ("#15", "rollbar-error-by-redirect"),
    ] {
        let (client, replay) = replay(conversation).await;
        let item = client.error(name, &Fetch::unattended()).await.expect("an item");
        replay.done().await;
        assert!(!format!("{item:?}").contains(TOKEN), "{conversation}");

        let error = &item.error;
        assert_eq!((error.item.as_str(), error.title.as_str()), ("#15", "ZeroDivisionError: division by zero"));
        assert_eq!((error.occurrences, error.people, error.level), (3, 2, Level::Error));
        assert_eq!((error.first, error.last), (Nanos(1_795_447_213 * SECOND), Nanos(1_795_532_228 * SECOND)));
        let methods: Vec<&str> = error.occurrence.traces[0].frames.iter().map(|f| f.method.as_str()).collect();
        assert_eq!(methods, ["full_dispatch_request", "boom"], "oldest first");
        assert_eq!(error.occurrence.person.as_ref().map(|p| p.label()), Some("andrewbrown"));
        assert_eq!((error.occurrence.item.as_str(), &error.occurrence.notes), ("#15", &Vec::new()));
        let others: Vec<(&str, &str)> = error.others.iter().map(|o| (&o.uuid[..8], o.person.as_str())).collect();
        assert_eq!(others, [("6b0c1f9e", ""), ("5b0c1f9e", "7")], "newest first");

        let record = &item.record;
        assert_eq!((record.item.as_str(), record.uuid.as_str()), ("#15", "dbaa0b9f-b933-491b-b7a4-c08d37ce783f"));
        assert_eq!(record.trace_id.map(|id| id.to_string()).as_deref(), Some("4efaaf4d1e8720b39541901950019ee5"));
        let raw = String::from_utf8(record.raw.clone()).expect("JSON");
        assert!(
            raw.contains("customer_timestamp") && raw.contains("[credential removed]") && !raw.contains(TOKEN),
            "{raw}"
        );
        assert_eq!((item.occurrence, item.row.status.as_str()), (409_692_133_742, "active"));
    }
}

#[tokio::test]
async fn a_selected_occurrence_replaces_the_latest() {
    let (client, replay) = replay("rollbar-error-occurrence").await;
    let item = client.error("272505123/409691900001", &Fetch::unattended()).await.expect("an item");
    replay.done().await;
    assert_eq!(item.error.occurrence.uuid, "5b0c1f9e-0a53-4d0e-8f0a-6c1c3a0f4f10");
    assert_eq!(item.error.others.len(), 2);
}

#[tokio::test]
async fn occurrences_are_listed_until_an_empty_page() {
    let (client, replay) = replay("rollbar-occurrences").await;
    let fetch = Fetch::unattended();
    let page = client.occurrences("272505123", 1, &fetch).await.expect("a page");
    assert_eq!(page.next, Some(2));
    let rows: Vec<(String, &str)> = page.rows.iter().map(|row| (row.name(), row.person.as_str())).collect();
    let names = ["272505123/409692133742", "272505123/409691900002", "272505123/409691900001"];
    assert_eq!(rows, [(names[0].to_owned(), "andrewbrown"), (names[1].to_owned(), ""), (names[2].to_owned(), "7")]);
    assert_eq!(page.rows[0].title, "ZeroDivisionError: division by zero");
    let page = client.occurrences("272505123", 2, &fetch).await.expect("an empty page");
    assert_eq!((page.rows.len(), page.next), (0, None));
    replay.done().await;
}

#[tokio::test]
async fn the_relay_forwards_items_unchanged() {
    let (client, replay) = replay("rollbar-post-item").await;
    let payload = br#"{"data": {"uuid": "dbaa0b9f-b933-491b-b7a4-c08d37ce783f", "level": "warning", "body": {"message": {"body": "Hello 42"}}}}"#;
    client.post_item(payload, &Fetch::unattended()).await.expect("taken");
    replay.done().await;

    let (client, _server) =
        answering(403, &[], r#"{"err": 1, "message": "insufficient privileges: post_server_item scope required"}"#)
            .await;
    let error = hushed(client.post_item(b"{}", &Fetch::unattended()).await);
    assert!(error.fault == Fault::Forbidden && error.hint.contains("Forwarding needs"), "{error:?}");
    for status in [413, 422] {
        let (client, _server) = answering(status, &[], r#"{"err": 1, "message": "no"}"#).await;
        assert_eq!(hushed(client.post_item(b"{}", &Fetch::unattended()).await).fault, Fault::Invalid, "{status}");
    }
}

#[tokio::test]
async fn every_rejection_has_a_message() {
    let echo = format!(r#"{{"err": 1, "message": "invalid access token: {TOKEN}"}}"#);
    for (status, body, fault, words, hint) in [
        (401, echo.as_str(), Fault::Rejected, "rejected this token", "Settings → Project Access Tokens"),
        (
            403,
            r#"{"err": 1, "message": "insufficient privileges"}"#,
            Fault::Forbidden,
            "insufficient privileges",
            "`post_server_item`",
        ),
        (404, r#"{"err": 1, "message": "Item not found"}"#, Fault::NotFound, "Item not found", "#15"),
        (405, "", Fault::Unsupported, "status 405", ""),
        (413, "{}", Fault::Invalid, "too large", ""),
        (422, r#"{"err": 1, "message": "invalid level"}"#, Fault::Invalid, "invalid level", "filter"),
        (401, "<html>Sign in</html>", Fault::Rejected, "status 401", "four access tokens"),
        // `err` is checked with status 200 too.
        (200, echo.as_str(), Fault::Rejected, "rejected this token", "four access tokens"),
        (
            200,
            r#"{"err": 1, "message": "insufficient privileges: read scope required"}"#,
            Fault::Forbidden,
            "privileges",
            "`read`",
        ),
        (200, r#"{"err": 1, "message": "Item not found"}"#, Fault::NotFound, "Item not found", ""),
        (200, r#"{"err": 1}"#, Fault::Broken, "Rollbar failed", ""),
        (200, r#"{"err": "2", "message": "deadlock"}"#, Fault::Broken, "deadlock", ""),
        // Not a response from Rollbar.
        (
            200,
            "<!DOCTYPE html><html><body>Please <b>sign in</b></body></html>",
            Fault::Broken,
            "Please sign in",
            "proxy",
        ),
        (200, "", Fault::Broken, "starting with nothing", "endpoint"),
        (200, r#"{"result": {}}"#, Fault::Broken, "no `err`", ""),
        (200, r#"{"err": 0}"#, Fault::Broken, "no `result`", ""),
        (200, "[1, 2]", Fault::Broken, "unexpected answer", ""),
        (500, r#"{"err": 1, "message": "oops"}"#, Fault::Broken, "failed (500)", "try again"),
        (502, "<html><head><title>502 Bad Gateway</title></head></html>", Fault::Broken, "(502): 502 Bad Gateway", ""),
    ] {
        let (client, _server) = answering(status, &[], body).await;
        let error = hushed(client.items(&ask(), &Fetch::unattended()).await);
        assert_eq!(error.fault, fault, "{status} {body}: {error:?}");
        assert!(error.message.contains(words) && error.hint.contains(hint), "{status} {body}: {error:?}");
    }
    let deep = format!(r#"{{"err": 0, "result": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let (client, _server) = answering(200, &[], &deep).await;
    assert_eq!(hushed(client.items(&ask(), &Fetch::unattended()).await).fault, Fault::Broken);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_stays_private() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let other = Router::new().fallback(move || async move {
        counted.fetch_add(1, Ordering::Relaxed);
        "{}"
    });
    let other = Server::start(other).await;
    let target = format!("http://{}/item/1?access_token={TOKEN}", other.addr);
    let router = Router::new().fallback(move |uri: Uri| async move {
        assert!(!uri.to_string().contains(TOKEN), "{uri}");
        let body = json!({"err": 0, "result": {"uri": target}}).to_string();
        (StatusCode::MOVED_PERMANENTLY, [("location", target)], body)
    });
    let server = Server::start(router).await;
    let client = client(&format!("http://{}", server.addr));
    assert!(!format!("{client:?}").contains(TOKEN), "{client:?}");
    let error = hushed(client.items(&ask(), &Fetch::unattended()).await);
    assert!(error.fault == Fault::Broken && error.message.contains("redirect (301)"), "{error:?}");
    // Even where a redirect is expected, it needs an id in its body.
    let error = hushed(client.error("#15", &Fetch::unattended()).await);
    assert_eq!(error.fault, Fault::Broken);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

/// Throttles a number of times, then responds.
async fn throttling(
    times: usize,
    headers: &'static [(&'static str, &'static str)],
) -> (Client, Server, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let router = Router::new().fallback(move || async move {
        let headers = crate::testing::headers(headers);
        match counted.fetch_add(1, Ordering::Relaxed) < times {
            true => (StatusCode::TOO_MANY_REQUESTS, headers, r#"{"err": 1, "message": "over the limit"}"#),
            false => (StatusCode::OK, HeaderMap::new(), r#"{"err": 0, "result": {"items": []}}"#),
        }
    });
    let server = Server::start(router).await;
    (client(&format!("http://{}", server.addr)), server, asked)
}

#[tokio::test]
async fn throttling_waits_as_long_as_the_server_says() {
    let (client, _server, asked) = throttling(1, &[]).await;
    client.items(&ask(), &Fetch::unattended()).await.expect("the second time");
    assert_eq!(asked.load(Ordering::Relaxed), 2);

    for headers in [&[("retry-after", "1")], &[("x-rate-limit-remaining-seconds", "1")]] {
        let (client, _server, asked) = throttling(1, headers).await;
        let start = tokio::time::Instant::now();
        client.items(&ask(), &Fetch::unattended()).await.expect("the second time");
        assert!(start.elapsed() >= Duration::from_secs(1), "{headers:?}: {:?}", start.elapsed());
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    let (client, _server, asked) = throttling(usize::MAX, &[("x-rate-limit-remaining-seconds", "3600")]).await;
    let error = hushed(client.items(&ask(), &Fetch::unattended()).await);
    assert!(error.fault == Fault::Throttled && error.message.contains("retry in 3600 s"), "{error:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 1, "an hour is too long to wait");
}

/// A server that sends the head and a part of the body, then does `then`.
async fn begins(then: impl FnOnce(tokio::net::TcpStream) + Send + 'static) -> (Client, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let client = client(&format!("http://{}", listener.local_addr().expect("bound")));
    let begun = Arc::new(Notify::new());
    let told = begun.clone();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = vec![0; 4096];
        let _bytes = stream.read(&mut request).await.expect("a request");
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"err\": 0,").await.expect("sent");
        stream.flush().await.expect("sent");
        told.notify_one();
        then(stream);
    });
    (client, begun)
}

/// Sends nothing more and does not close.
fn hold(stream: tokio::net::TcpStream) {
    tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
}

#[tokio::test]
async fn a_cut_connection_is_an_error() {
    let (client, _begun) = begins(drop).await;
    let error = hushed(client.items(&ask(), &Fetch::unattended()).await);
    assert!(error.fault == Fault::Unreachable && error.message.contains("was cut"), "{error:?}");
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("bound");
    let error = hushed(super::tests::client(&format!("http://{nobody}")).items(&ask(), &Fetch::unattended()).await);
    assert!(error.fault == Fault::Unreachable && error.message.contains("cannot be reached"), "{error:?}");
}

#[tokio::test]
async fn a_slow_body_can_be_cancelled_and_times_out() {
    let (client, begun) = begins(hold).await;
    let token = CancellationToken::new();
    let fetch = Fetch::new(token.clone(), Limits::none(), Arc::new(NoMeter), Arc::new(|_| {}));
    let task = tokio::spawn(async move { client.items(&ask(), &fetch).await });
    begun.notified().await;
    token.cancel();
    assert_eq!(hushed(task.await.expect("ends")).fault, Fault::Cancelled);

    let (client, begun) = begins(hold).await;
    let task = tokio::spawn(async move { client.items(&ask(), &Fetch::unattended()).await });
    begun.notified().await;
    // From here on, tokio advances the time automatically.
    tokio::time::pause();
    let error = hushed(task.await.expect("ends"));
    assert!(error.fault == Fault::Unreachable && error.message.contains("did not answer in time"), "{error:?}");
}

#[tokio::test]
async fn a_huge_body_is_not_read() {
    let (client, _server) = answering(200, &[], &" ".repeat((32 << 20) + 1)).await;
    let error = hushed(client.items(&ask(), &Fetch::unattended()).await);
    assert!(error.fault == Fault::Broken && error.message.contains("larger than 32 MiB"), "{error:?}");
}

/// A fake Rollbar with one item.
async fn rollbar(item: Json, instances: (u16, Json), instance: (u16, Json)) -> (Client, Server) {
    let router = Router::new().fallback(move |uri: Uri| async move {
        let (status, result) = match uri.path() {
            path if path.ends_with("/instances") => instances,
            path if path.starts_with("/instance/") && !path.ends_with("/1") => instance,
            path if path.starts_with("/instance/") => (200, occurrence(1)),
            _ => (200, item),
        };
        let body = match status {
            200 => json!({"err": 0, "result": result}),
            _ => json!({"err": 1, "message": "not there"}),
        };
        (StatusCode::from_u16(status).expect("a status"), body.to_string())
    });
    let server = Server::start(router).await;
    (client(&format!("http://{}", server.addr)), server)
}

fn occurrence(id: u64) -> Json {
    json!({"id": id.to_string(), "timestamp": (1_795_447_213 + id).to_string(), "data": {"body": {"message": {"body": format!("Hello {id}")}}}})
}

#[tokio::test]
async fn what_rollbar_does_not_keep_or_list_is_reported() {
    let item = json!({"id": 5, "last_occurrence_id": 9, "total_occurrences": 47, "level": 30});
    let fetch = Fetch::unattended();
    // The latest one is deleted, another is kept.
    let list = json!({"instances": [occurrence(1), 7, {"id": 3}]});
    let (client, _server) = rollbar(item.clone(), (200, list), (404, Json::Null)).await;
    let found = client.error("5", &fetch).await.expect("another one");
    assert_eq!((found.error.occurrence.title.as_str(), found.error.level), ("Hello 1", Level::Warning));
    assert_eq!((found.error.item.as_str(), found.error.title.as_str()), ("5", "Hello 1"), "no counter, no title");
    assert_eq!(found.error.occurrence.timestamp, Nanos(1_795_447_214 * SECOND), "Rollbar's own second");
    assert_eq!(
        found.notes,
        [
            "Rollbar has deleted the latest occurrence; the latest one left is shown",
            "2 occurrences not readable and left out",
            "Rollbar counts 47 occurrences; the latest 1 are listed",
        ]
    );
    assert_eq!((found.error.occurrence.notes, found.error.people, found.error.occurrences), (found.notes, 0, 47));
    // The list is not available.
    let (client, _server) = rollbar(item.clone(), (500, Json::Null), (200, occurrence(9))).await;
    let found = client.error("5", &fetch).await.expect("the latest");
    assert!(
        found.notes[0].starts_with("the other occurrences could not be listed: Rollbar failed (500)"),
        "{:?}",
        found.notes
    );
    // Nothing is kept.
    let (client, _server) = rollbar(json!({"id": 5}), (200, json!({"instances": []})), (404, Json::Null)).await;
    assert_eq!(hushed(client.error("5", &fetch).await).fault, Fault::NotFound);
    // Occurrences of groups are not listed.
    let group = json!({"id": 5, "last_occurrence_id": 9, "group_status": 2});
    let (client, _server) = rollbar(group, (200, json!({"instances": null})), (200, occurrence(9))).await;
    let found = client.error("#5", &fetch).await.expect("the latest");
    assert!(found.notes[0].contains("group"), "{:?}", found.notes);
    assert!(client.occurrences("#5", 1, &fetch).await.expect("none").notes[0].contains("group"));
    // An occurrence of another item.
    let foreign = json!({"id": 9, "item_id": 6, "timestamp": 1, "data": {"body": {}}});
    let (client, _server) = rollbar(item, (200, json!({})), (200, foreign)).await;
    assert_eq!(hushed(client.error("5/9", &fetch).await).fault, Fault::NotFound);
}

#[tokio::test]
async fn unusual_payloads_are_still_occurrences() {
    let item = json!({"id": 5, "last_occurrence_id": 9});
    for (data, title) in [
        (json!({}), "An error that does not say what it is"),
        (json!({"body": 7, "title": "Odd"}), "Odd"),
        (json!({"body": {"crash_report": {"raw": "Segmentation fault"}}}), "Segmentation fault"),
        (json!({"body": {"message": {"body": "x".repeat(3 << 20)}}}), "x"),
    ] {
        let sent = json!({"id": 9, "timestamp": 1_795_447_213, "data": data});
        let (client, _server) = rollbar(item.clone(), (200, json!({"instances": []})), (200, sent)).await;
        let found = client.error("5", &Fetch::unattended()).await.expect("an occurrence");
        assert!(found.error.occurrence.title.starts_with(title), "{}", found.error.occurrence.title);
        assert!(found.record.raw.len() <= 1 << 20, "cut to what is kept");
    }
    for data in [json!(7), Json::Null] {
        let (client, _server) = rollbar(item.clone(), (200, json!({})), (200, json!({"id": 9, "data": data}))).await;
        assert_eq!(hushed(client.error("5", &Fetch::unattended()).await).fault, Fault::Broken);
    }
}

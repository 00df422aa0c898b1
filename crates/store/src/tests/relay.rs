//! The queue of payloads to forward.

use tracebook_core::errors::Level;
use tracebook_core::telemetry::{ErrorRecord, LogEncoding, LogRecord};

use super::*;
use crate::relay::{BatchOutcome, Outgoing, Queued, RelayCount};

fn payload(destination: &'static str, kind: &str, text: &str) -> Outgoing {
    Outgoing { destination, kind: kind.into(), items: 2, body: text.as_bytes().to_vec() }
}

/// Queues payloads with a span of their own.
async fn queue(telemetry: &Telemetry, payloads: &[Outgoing], now: i64) {
    telemetry.commit_relayed(&[record(1, 1, None, Some(9))], payloads, Nanos(now)).await.expect("commits");
}

async fn next(telemetry: &Telemetry, destination: &str) -> Vec<Queued> {
    telemetry.relay_next(destination, 100, 1 << 20, &[]).await.expect("reads")
}

fn texts(queued: &[Queued]) -> Vec<&str> {
    queued.iter().map(|q| str::from_utf8(&q.body).expect("text")).collect()
}

async fn count(telemetry: &Telemetry, destination: &str) -> RelayCount {
    let counts = telemetry.relay_counts().await.expect("reads");
    counts.into_iter().find(|c| c.destination == destination).unwrap_or_default()
}

fn done(queued: &[Queued]) -> BatchOutcome {
    let sent = queued.iter().map(|q| u64::from(q.items)).sum();
    BatchOutcome { done: queued.iter().map(|q| q.seq).collect(), sent, ..BatchOutcome::default() }
}

#[tokio::test]
async fn records_are_queued_in_the_same_transaction_and_survive_the_process() {
    let (dir, telemetry) = telemetry().await;
    queue(&telemetry, &[payload("xray", "", "one"), payload("xray", "", "two")], 5).await;
    let log = LogRecord {
        timestamp: Nanos(1),
        group: "g".into(),
        stream: "s".into(),
        message: "m".into(),
        trace_id: None,
        span_id: None,
        severity: String::new(),
        severity_number: 0,
        encoding: LogEncoding::Cloudwatch,
        raw: Vec::new(),
        resource: Arc::default(),
        scope: Arc::default(),
    };
    telemetry.commit_logs_relayed(&[log], &[payload("logs", "g s", "event")], Nanos(6)).await.expect("commits");
    let error = ErrorRecord {
        uuid: "u".into(),
        item: "i".into(),
        title: "t".into(),
        level: Level::Error,
        timestamp: Nanos(1),
        environment: String::new(),
        person: String::new(),
        trace_id: None,
        raw: b"{}".to_vec(),
    };
    telemetry.commit_errors_relayed(&[error], &[payload("rollbar", "", "item")], Nanos(7)).await.expect("commits");
    // Not closed: as if the process had been killed.
    let again = Telemetry::open(dir.path()).await.expect("opens");
    assert_eq!(texts(&next(&again, "xray").await), ["one", "two"]);
    assert_eq!(texts(&next(&again, "logs").await), ["event"]);
    assert_eq!(texts(&next(&again, "rollbar").await), ["item"]);
    let xray = count(&again, "xray").await;
    assert_eq!((xray.waiting, xray.oldest, xray.sent), (4, Some(Nanos(5)), 0));

    again.relay_finish("xray", &done(&next(&again, "xray").await), Nanos(8)).await.expect("settles");
    assert!(next(&telemetry, "xray").await.is_empty(), "the other process sees it");
    let xray = count(&telemetry, "xray").await;
    assert_eq!((xray.waiting, xray.sent, xray.last_sent), (0, 4, Some(Nanos(8))));
}

#[tokio::test]
async fn a_batch_has_one_kind_and_keeps_its_limits() {
    let (_dir, telemetry) = telemetry().await;
    let all = [
        payload("otlp", "traces", "a"),
        payload("otlp", "logs", "b"),
        payload("otlp", "traces", "c"),
        payload("otlp", "traces", &"d".repeat(2_000)),
    ];
    queue(&telemetry, &all, 1).await;
    assert_eq!(texts(&next(&telemetry, "otlp").await).len(), 3);
    let two = telemetry.relay_next("otlp", 4, 1 << 20, &[]).await.expect("reads");
    assert_eq!(texts(&two), ["a", "c"]);
    let small = telemetry.relay_next("otlp", 100, 1_000, &[]).await.expect("reads");
    assert_eq!(texts(&small), ["a", "c"]);
    let never_none = telemetry.relay_next("otlp", 1, 1, &[]).await.expect("reads");
    assert_eq!(texts(&never_none), ["a"]);
    assert!(next(&telemetry, "xray").await.is_empty());
}

#[tokio::test]
async fn failed_payloads_go_behind_untried_ones() {
    let (_dir, telemetry) = telemetry().await;
    queue(&telemetry, &[payload("xray", "", "a"), payload("xray", "", "b")], 1).await;
    let first = telemetry.relay_next("xray", 1, 1, &[]).await.expect("reads");
    let settled = BatchOutcome {
        retry: vec![first[0].seq],
        refused: 1,
        refusal: "InvalidSegment".into(),
        ..BatchOutcome::default()
    };
    telemetry.relay_finish("xray", &settled, Nanos(2)).await.expect("settles");
    queue(&telemetry, &[payload("xray", "", "c")], 3).await;
    assert_eq!(texts(&next(&telemetry, "xray").await), ["b", "c", "a"]);
    let counted = count(&telemetry, "xray").await;
    assert_eq!((counted.refused, counted.refusal.as_str(), counted.last_sent), (1, "InvalidSegment", None));
    telemetry.relay_finish("xray", &BatchOutcome::default(), Nanos(4)).await.expect("settles");
    assert_eq!(count(&telemetry, "xray").await.refusal, "InvalidSegment", "nothing new is no word against it");
}

#[tokio::test]
async fn the_oldest_payloads_are_dropped_first_and_counted() {
    let (_dir, telemetry) = telemetry().await;
    for i in 0..20 {
        let destination = if i % 2 == 0 { "xray" } else { "logs" };
        queue(&telemetry, &[payload(destination, "", &format!("{i:0>900}"))], i).await;
    }
    let bytes = telemetry.relay_bytes().await.expect("sums");
    assert_eq!(bytes, 20 * 1_000);
    assert_eq!(telemetry.relay_trim(bytes, Nanos(0)).await.expect("trims"), 0);
    assert_eq!(telemetry.relay_trim(bytes, Nanos(5)).await.expect("trims"), 10, "five of two items were too old");
    assert_eq!(telemetry.relay_trim(9_500, Nanos(0)).await.expect("trims"), 12, "six go until 9,000 bytes are left");
    assert_eq!(telemetry.relay_bytes().await.expect("sums"), 9_000);
    let (xray, logs) = (count(&telemetry, "xray").await, count(&telemetry, "logs").await);
    assert_eq!((xray.dropped, logs.dropped), (12, 10));
    assert_eq!((xray.oldest, logs.oldest), (Some(Nanos(12)), Some(Nanos(11))));
    assert_eq!(telemetry.relay_discard("xray").await.expect("forgets"), 8);
    let xray = count(&telemetry, "xray").await;
    assert_eq!((xray.waiting, xray.dropped, xray.bytes), (0, 20, 0));
    assert_eq!(count(&telemetry, "logs").await.waiting, 10);
}

#[tokio::test]
async fn dropping_takes_several_transactions_if_needed() {
    let (_dir, telemetry) = telemetry().await;
    let many: Vec<Outgoing> = (0..1_300).map(|i| payload("xray", "", &i.to_string())).collect();
    queue(&telemetry, &many, 1).await;
    queue(&telemetry, &[payload("xray", "", "last")], 2).await;
    assert_eq!(telemetry.relay_trim(u64::MAX, Nanos(2)).await.expect("trims"), 2_600);
    assert_eq!(texts(&next(&telemetry, "xray").await), ["last"]);
}

#[tokio::test]
async fn a_full_queue_displaces_no_telemetry() {
    let dir = TempDir::new().expect("a temporary directory");
    let telemetry = Telemetry::open_within(dir.path(), 2 << 20).await.expect("opens");
    queue(&telemetry, &[payload("xray", "", &"x".repeat(8 << 20))], 1).await;
    telemetry.commit(&[record(2, 1, None, Some(9))], Nanos(2)).await.expect("commits");
    telemetry.trim(Nanos(0)).await.expect("trims");
    assert_eq!((telemetry.dropped(), telemetry.span_count().await.expect("counts")), (0, 2));
    assert_eq!(next(&telemetry, "xray").await.len(), 1);
    super::limits::counted(&telemetry).await;
    // Finished payloads free their space.
    telemetry.relay_finish("xray", &done(&next(&telemetry, "xray").await), Nanos(3)).await.expect("settles");
    assert_eq!(telemetry.relay_bytes().await.expect("reads"), 0);
    super::limits::counted(&telemetry).await;
}

#[tokio::test]
async fn problems_of_the_queue_are_visible_to_every_process() {
    let (dir, telemetry) = telemetry().await;
    let mut watch = telemetry.watch().await.expect("watches");
    let before = watch.written().await.expect("reads");
    telemetry.relay_set_problem("xray", "no credentials", "Run aws configure", Some(Nanos(3))).await.expect("says");
    assert_ne!(watch.written().await.expect("reads").get("relay"), before.get("relay"));
    let other = Telemetry::open(dir.path()).await.expect("opens");
    let said = count(&other, "xray").await;
    assert_eq!(
        (said.problem.as_str(), said.hint.as_str(), said.since),
        ("no credentials", "Run aws configure", Some(Nanos(3)))
    );
    assert_eq!(telemetry.relay_retry_requests().await.expect("reads"), 0);
    other.relay_request_retry("xray").await.expect("asks");
    other.relay_request_retry("logs").await.expect("asks");
    assert_eq!(telemetry.relay_retry_requests().await.expect("reads"), 2);
    telemetry.relay_set_problem("xray", "", "", None).await.expect("says");
    assert_eq!(count(&other, "xray").await, RelayCount { destination: "xray".into(), ..RelayCount::default() });
}

#[tokio::test]
async fn a_database_of_the_previous_version_gets_an_empty_queue() {
    let dir = TempDir::new().expect("a temporary directory");
    let mut old = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(dir.path().join("telemetry.db"))
        .create_if_missing(true)
        .connect()
        .await
        .expect("opens");
    crate::open::TELEMETRY.run_to(5, &mut old).await.expect("migrates");
    old.close().await.expect("closes");
    let telemetry = Telemetry::open(dir.path()).await.expect("opens and migrates");
    assert!(telemetry.relay_counts().await.expect("reads").is_empty());
    queue(&telemetry, &[payload("xray", "", "a")], 1).await;
    assert_eq!(next(&telemetry, "xray").await.len(), 1);
}

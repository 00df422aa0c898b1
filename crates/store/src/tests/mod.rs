//! Both databases on real files.

mod backups;
mod disk;
mod fairness;
mod full;
mod limits;
mod live_cards;
mod migration;
mod read_only;
mod records;
mod relay;
mod repair;
mod search;

use std::sync::Arc;

use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;
use tracebook_core::assemble::{LooseSpan, assemble};
use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::freeze::{self, Click, Origin};
use tracebook_core::ids::{Entropy, Id, SpanId, TraceId};
use tracebook_core::question::{Question, Window};
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Protocol, Span, StatusCode};

use crate::entries::{NewEntry, TextWrite, TextWritten};
use crate::traces::{TraceQuery, TraceRow};
use crate::{Journal, StoreError, Telemetry};

struct Counting(std::sync::atomic::AtomicU8);

impl Entropy for Counting {
    fn ten_bytes(&self) -> [u8; 10] {
        [self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed); 10]
    }
}

static ENTROPY: Counting = Counting(std::sync::atomic::AtomicU8::new(0));

fn id() -> Id {
    Id::new(Nanos::from_millis(1_795_447_213_087), &ENTROPY)
}

fn new_entry(week: &str, body: &str) -> NewEntry {
    NewEntry {
        id: id(),
        slug: format!("week-{week}"),
        week: Some(week.to_owned()),
        title: format!("Week {week}"),
        body: body.to_owned(),
        file: None,
        shows: Vec::new(),
        reason: "new".to_owned(),
    }
}

#[tokio::test]
async fn of_old_revisions_the_last_of_each_quarter_hour_stays() {
    let dir = TempDir::new().expect("a temporary directory");
    let journal = Journal::open(dir.path()).await.expect("opens");
    let minute = |n: i64| Nanos(n * 60_000_000_000);
    let entry = journal.add_entry(&new_entry("2", "0"), minute(0), "test").await.expect("adds");
    let id = entry.row.id;
    for (n, at, reason) in [
        (1, 1, "pause"),
        (2, 2, "conflict"),
        (3, 14, "pause"),
        (4, 16, "pause"),
        (5, 29, "close"),
        (6, 1500, "pause"),
        (7, 1501, "pause"),
    ] {
        let text = TextWrite { keep: Some(reason.to_owned()), ..write(id, Some(n), &n.to_string()) };
        journal.write_text(&text, minute(at), "test").await.expect("writes");
    }
    let kept = async || {
        let kept = journal.revisions(id).await.expect("lists").into_iter().map(|kept| kept.revision - 1);
        kept.rev().collect::<Vec<_>>()
    };
    assert_eq!(journal.thin_revisions(id, minute(1000)).await.expect("thins"), 0, "nothing is a day old");
    assert_eq!(journal.thin_revisions(id, minute(1600)).await.expect("thins"), 2);
    // The first text and the conflict stay, the last of each quarter, and what is younger than a day.
    assert_eq!(kept().await, [0, 2, 3, 5, 6, 7]);
    assert_eq!(journal.thin_revisions(id, minute(9000)).await.expect("thins"), 1);
    assert_eq!(kept().await, [0, 2, 3, 5, 7]);
}

fn write(id: Id, base: Option<i64>, body: &str) -> TextWrite {
    TextWrite { id, base, body: body.to_owned(), shows: Vec::new(), keep: None }
}

async fn journal() -> (TempDir, Journal) {
    let dir = TempDir::new().expect("a temporary directory");
    let journal = Journal::open(dir.path()).await.expect("opens");
    (dir, journal)
}

fn evidence(secret: &str) -> Frozen {
    evidence_of(id(), secret)
}

fn evidence_of(id: Id, secret: &str) -> Frozen {
    let mut span = Span::new(SpanId([1; 8]), secret, Protocol::Otlp, Nanos(1));
    span.end = Some(Nanos(5));
    let loose = vec![LooseSpan::from(span)];
    let click = Click {
        id,
        question: Question::default(),
        captured_at: Nanos(9),
        tool: "test".into(),
        supersedes: None,
        origin: Origin::default(),
    };
    freeze::body(Body::Trace(assemble(TraceId([1; 16]), loose)), click).expect("freezes").frozen
}

#[tokio::test]
async fn an_edit_of_an_older_revision_keeps_both_texts() {
    let (_dir, journal) = journal().await;
    let entry = journal.add_entry(&new_entry("2", "one\r\n"), Nanos(1), "a").await.expect("added");
    let id = entry.row.id;
    let first = journal.write_text(&write(id, Some(1), "two"), Nanos(2), "a").await.expect("written");
    assert_eq!(first, Some(TextWritten::Accepted(2)));
    let late = journal.write_text(&write(id, Some(1), "from an old window"), Nanos(3), "b").await.expect("answered");
    assert_eq!(late, Some(TextWritten::Kept { current: 2, kept: 3 }));
    assert_eq!(journal.entry("week-2").await.expect("read").expect("there").body, "two");
    assert_eq!(journal.revision_text(id, 3).await.expect("read").as_deref(), Some("from an old window"));
    // The number of the kept text is not reused.
    let next = journal.write_text(&write(id, Some(2), "three"), Nanos(4), "a").await.expect("written");
    assert_eq!(next, Some(TextWritten::Accepted(4)));
    // Without a base it overwrites, and the previous text is kept.
    journal.write_text(&write(id, None, "four"), Nanos(5), "c").await.expect("written");
    assert_eq!(journal.revision_text(id, 4).await.expect("read").as_deref(), Some("three"));
}

#[tokio::test]
async fn writing_the_same_text_makes_no_revision() {
    let (_dir, journal) = journal().await;
    let id = journal.add_entry(&new_entry("2", "x"), Nanos(1), "a").await.expect("added").row.id;
    assert_eq!(
        journal.write_text(&write(id, Some(7), "x"), Nanos(2), "b").await.expect("written"),
        Some(TextWritten::Accepted(1)),
        "nothing differs, so nothing conflicts"
    );
    assert_eq!(journal.revisions(id).await.expect("read").len(), 1);
}

#[tokio::test]
async fn slugs_are_unique_and_weeks_ordered() {
    let (_dir, journal) = journal().await;
    for week in ["X", "10", "2", "2", "0"] {
        journal.add_entry(&new_entry(week, ""), Nanos(1), "a").await.expect("added");
    }
    let slugs: Vec<_> = journal.entries(false).await.expect("read").into_iter().map(|r| r.slug).collect();
    assert_eq!(slugs, ["week-0", "week-2", "week-2-2", "week-10", "week-X"]);
}

#[tokio::test]
async fn purged_evidence_leaves_only_a_tombstone() {
    let (dir, journal) = journal().await;
    let secret = "a name that nobody may read any more";
    let frozen = evidence(secret);
    let id = frozen.evidence.id;
    journal.add_evidence(&frozen, secret.as_bytes(), "a").await.expect("written");
    assert_eq!(journal.evidence(id).await.expect("read"), Some(frozen));
    journal.purge_evidence(id, Nanos(9), "a").await.expect("purged");
    assert_eq!(journal.evidence(id).await.expect("read"), None);
    let tombstone = journal.evidence_record(id).await.expect("read").expect("a tombstone");
    assert!(tombstone.purged);
    journal.close().await;
    // zstd leaves short texts readable, so the files would show it.
    for file in std::fs::read_dir(dir.path()).expect("lists") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("reads");
        assert!(!bytes.windows(12).any(|w| w == &secret.as_bytes()[..12]), "the text is gone from every file");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_not_modified() {
    let (dir, journal) = journal().await;
    journal.close().await;
    let path = dir.path().join("journal.db");
    let mut later = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).connect().await.expect("opens");
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)",
    )
    .execute(&mut later)
    .await
    .expect("a later migration");
    later.close().await.expect("closes");
    let before = std::fs::read(&path).expect("reads");
    let error = Journal::open(dir.path()).await.expect_err("refuses");
    assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{error}");
    assert!(error.to_string().contains("newer Tracebook"));
    assert_eq!(std::fs::read(&path).expect("reads"), before, "not one byte was changed");
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_refused() {
    let dir = TempDir::new().expect("a temporary directory");
    std::fs::write(dir.path().join("journal.db"), "this is a text file, and not a short one at all, really".repeat(40))
        .expect("writes");
    let error = Journal::open(dir.path()).await.expect_err("refuses");
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
}

fn record(trace: u8, span: u8, parent: Option<u8>, end: Option<i64>) -> SpanRecord {
    SpanRecord {
        trace_id: TraceId([trace; 16]),
        span_id: SpanId([span; 8]),
        twin: 0,
        parent_id: parent.map(|p| SpanId([p; 8])),
        encoding: Encoding::OtlpJson,
        title: format!("span {span}"),
        service: if span.is_multiple_of(2) { "even".into() } else { "odd".into() },
        start: Nanos(i64::from(trace) * 1_000 + i64::from(span)),
        end: end.map(Nanos),
        status: if span == 3 { StatusCode::Error } else { StatusCode::Unset },
        raw: vec![trace, span],
        resource: Arc::from(&b"resource"[..]),
        scope: Arc::from(&b"scope"[..]),
    }
}

fn newest(limit: u32) -> TraceQuery {
    TraceQuery { limit, ..TraceQuery::default() }
}

async fn telemetry() -> (TempDir, Telemetry) {
    let dir = TempDir::new().expect("a temporary directory");
    let telemetry = Telemetry::open(dir.path()).await.expect("opens");
    (dir, telemetry)
}

#[tokio::test]
async fn a_root_that_arrives_after_its_children_makes_one_row() {
    let (_dir, telemetry) = telemetry().await;
    telemetry.commit(&[record(1, 3, Some(1), Some(2_000))], Nanos(1)).await.expect("commits");
    let early = &telemetry.traces(&newest(10)).await.expect("lists")[0];
    assert_eq!((early.rooted, early.summary.name.as_str()), (false, "span 3"));
    telemetry.commit(&[record(1, 1, None, Some(3_000)), record(1, 2, Some(1), None)], Nanos(2)).await.expect("commits");
    let row = &telemetry.traces(&newest(10)).await.expect("lists")[0];
    assert!(row.rooted);
    assert_eq!(row.summary.name, "span 1");
    assert_eq!(row.summary.spans, 3);
    assert_eq!(row.summary.services, ["odd", "even"]);
    assert_eq!(row.summary.status, "error");
}

#[tokio::test]
async fn a_repeated_span_replaces_but_an_open_one_never_a_complete_one() {
    let (_dir, telemetry) = telemetry().await;
    let mut complete = record(1, 1, None, Some(5_000));
    telemetry.commit(&[record(1, 1, None, None)], Nanos(1)).await.expect("commits");
    telemetry.commit(&[complete.clone()], Nanos(2)).await.expect("commits");
    telemetry.commit(&[record(1, 1, None, None)], Nanos(3)).await.expect("commits");
    complete.raw = vec![9];
    telemetry.commit(&[complete.clone(), complete.clone()], Nanos(4)).await.expect("twice in one batch");
    let spans = telemetry.spans(TraceId([1; 16])).await.expect("reads");
    assert_eq!(spans, [complete]);
    assert_eq!(telemetry.span_count().await.expect("counts"), 1);
}

#[tokio::test]
async fn paging_misses_no_trace_even_if_many_began_at_once() {
    let (_dir, telemetry) = telemetry().await;
    let spans: Vec<SpanRecord> = (1..=40)
        .map(|i| {
            let mut span = record(i, if i % 4 == 0 { 3 } else { 1 }, None, Some(9));
            span.start = Nanos(i64::from(i / 10));
            span
        })
        .collect();
    telemetry.commit(&spans, Nanos(1)).await.expect("commits");
    for only_errors in [false, true] {
        let mut question = TraceQuery { only_errors, limit: 7, ..TraceQuery::default() };
        let mut seen = std::collections::BTreeSet::new();
        let mut last_start = Nanos(i64::MAX);
        loop {
            let page = telemetry.traces(&question).await.expect("lists");
            let Some(last) = page.last() else { break };
            question.after = Some(last.arrival());
            for row in &page {
                assert!(seen.insert(row.summary.trace_id), "none comes twice");
                assert!(row.start <= last_start);
                last_start = row.start;
            }
        }
        assert_eq!(seen.len(), if only_errors { 10 } else { 40 });
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = telemetry.trace_ids(Nanos(1), Nanos(4), after, 7).await.expect("lists");
        seen.extend(page.iter().map(|(_, id)| *id));
        let Some(last) = page.last() else { break };
        after = Some(*last);
    }
    let within: Vec<TraceId> =
        [3, 2, 1].iter().flat_map(|ten| (0..10).map(move |n| TraceId([ten * 10 + n; 16]))).collect();
    assert_eq!(seen, within, "those of one moment by id");
    let (there, gone) = (seen[0], TraceId([99; 16]));
    let spans = telemetry.spans_of(&[gone, there]).await.expect("reads");
    assert_eq!((spans[0].len(), spans[1].len(), spans[1][0].trace_id), (0, 1, there));
}

#[tokio::test]
async fn traces_are_listed_by_arrival() {
    let (_dir, telemetry) = telemetry().await;
    let hour = 3_600_000_000_000_i64;
    let now = 1_000 * hour;
    let span = |trace: u8, start: i64| {
        let mut span = record(trace, 1, None, Some(start + 1));
        span.start = Nanos(start);
        span
    };
    for (trace, start, arrived) in
        [(1, now + 5 * hour, now - 100), (2, now - 3 * hour, now), (3, now - 50, now - 50), (4, now - 60, now - 50)]
    {
        telemetry.commit(&[span(trace, start)], Nanos(arrived)).await.expect("commits");
    }
    let ids = |rows: &[TraceRow]| rows.iter().map(|row| row.summary.trace_id.0[0]).collect::<Vec<_>>();
    let mut question = newest(1);
    let mut seen = Vec::new();
    loop {
        let page = telemetry.traces(&question).await.expect("lists");
        let Some(last) = page.last() else { break };
        question.after = Some(last.arrival());
        seen.extend(ids(&page));
    }
    assert_eq!(seen, [2, 3, 4, 1]);
    let recent = TraceQuery { window: Window::since(Nanos(now - 50)), ..newest(9) };
    let rows = telemetry.traces(&recent).await.expect("lists");
    assert_eq!(ids(&rows), [2, 3, 4], "whatever the sender's clock says");
    let hours = |ms: Option<i64>| ms.map(|ms| (ms + 1_800_000).div_euclid(3_600_000));
    assert_eq!(rows.iter().map(|row| hours(row.summary.skew_ms)).collect::<Vec<_>>(), [Some(-3), None, None]);
    let dated = Window { from: Some(Nanos(now + hour)), to: Some(Nanos(now + 6 * hour)), arrived: None };
    let rows = telemetry.traces(&TraceQuery { window: dated, ..newest(9) }).await.expect("lists");
    assert_eq!((ids(&rows), hours(rows[0].summary.skew_ms)), (vec![1], Some(5)));
    let clocks = telemetry.sender_clocks(TraceId([1; 16])).await.expect("reads");
    assert_eq!(clocks.iter().map(|(_, written, arrived)| written.0 - arrived.0).collect::<Vec<_>>(), [5 * hour + 101]);
}

#[tokio::test]
async fn a_trace_has_the_same_row_in_one_batch_or_many() {
    let (_dir, whole) = telemetry().await;
    let (_other, parts) = telemetry().await;
    let mut spans: Vec<SpanRecord> =
        (1..9).map(|i| record(1, i, (i > 2).then_some(1), (i != 5).then_some(3_000))).collect();
    spans[3].encoding = Encoding::XrayJson;
    spans.extend((1..4).map(|i| record(2, i, Some(9), Some(2_000))));
    whole.commit(&spans, Nanos(7)).await.expect("commits");
    for span in &spans {
        parts.commit(std::slice::from_ref(span), Nanos(7)).await.expect("commits");
    }
    let rows = async |telemetry: &Telemetry| -> Vec<String> {
        let rows = telemetry.traces(&newest(9)).await.expect("lists");
        rows.iter().map(|row| format!("{row:?}")).collect()
    };
    assert_eq!(rows(&whole).await, rows(&parts).await);
}

#[tokio::test]
async fn ten_thousand_spans_read_back() {
    let (_dir, telemetry) = telemetry().await;
    let batch: Vec<SpanRecord> = (0..10_000u64)
        .map(|i| {
            let mut span = record(1, 1, None, Some(i64::MAX));
            span.span_id = SpanId((i + 1).to_be_bytes());
            span
        })
        .collect();
    telemetry.commit(&batch, Nanos(1)).await.expect("commits");
    assert_eq!(telemetry.spans(TraceId([1; 16])).await.expect("reads"), batch);
}

#[tokio::test]
async fn another_process_sees_changes() {
    let (dir, journal) = journal().await;
    let mut watch = Journal::open(dir.path()).await.expect("a second one").watch().await.expect("watches");
    assert!(!watch.changed().await.expect("looks"));
    let entry = journal.add_entry(&new_entry("2", ""), Nanos(1), "window-1").await.expect("added");
    assert!(watch.changed().await.expect("looks"));
    let changes = watch.changes().await.expect("reads");
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].id.clone(), changes[0].client.as_str()), (entry.row.id.to_string(), "window-1"));
}

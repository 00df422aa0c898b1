//! The size limit of `telemetry.db`, measured on disk.

use tracebook_core::errors::Level;
use tracebook_core::telemetry::{ConsoleRecord, ErrorRecord, LogRecord};

use super::records::{error, log};
use super::*;
use crate::console::{LINE_BYTES, LineQuery};
use crate::errors::ERROR_BYTES;
use crate::logs::{GROUP_BYTES, LOG_BYTES, STREAM_BYTES};
use crate::traces::{SPAN_BYTES, TRACE_BYTES};
use crate::xray::{GROUP, RULE, SETTING_BYTES};
use tracebook_core::log_query::LogQuery;

pub(super) const MIB: u64 = 1 << 20;
/// Before every record.
const NEVER: Nanos = Nanos(i64::MIN);

pub(super) async fn within(mib: u64) -> (TempDir, Telemetry) {
    let dir = TempDir::new().expect("a temporary directory");
    let telemetry = Telemetry::open_within(dir.path(), mib * MIB).await.expect("opens");
    (dir, telemetry)
}

/// Bytes of the database's file, and of its write-ahead log.
pub(super) fn on_disk(dir: &TempDir) -> (u64, u64) {
    let size = |name: &str| std::fs::metadata(dir.path().join(name)).map_or(0, |file| file.len());
    (size("telemetry.db"), size("telemetry.db-wal"))
}

/// Realistic ids, without a pattern that would favour an index.
fn scattered(n: u64) -> u64 {
    n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// A trace of two spans, `bytes` in all.
pub(super) fn trace(n: u64, bytes: usize) -> [SpanRecord; 2] {
    let mut root = record(1, 1, None, Some(9));
    root.trace_id = TraceId([scattered(n).to_be_bytes(), n.to_be_bytes()].concat().try_into().expect("16 bytes"));
    root.start = Nanos(i64::try_from(n).expect("small"));
    root.raw = vec![7; bytes / 2];
    let mut child = root.clone();
    (child.span_id, child.parent_id) = (SpanId([2; 8]), Some(root.span_id));
    [root, child]
}

fn traces(from: u64, n: u64, bytes: usize) -> Vec<SpanRecord> {
    (from..from + n).flat_map(|n| trace(n, bytes)).collect()
}

fn logs(n: i64, bytes: usize) -> Vec<LogRecord> {
    (0..n).map(|i| log(i, "noisy", &"m".repeat(bytes))).collect()
}

fn lines(n: i64, bytes: usize) -> Vec<ConsoleRecord> {
    let line = |i| ConsoleRecord {
        stream: "docker".into(),
        timestamp: Nanos(i),
        stderr: false,
        text: "l".repeat(bytes),
        trace_id: None,
    };
    (0..n).map(line).collect()
}

/// The counted size of each kind, after checking that it equals that of its rows.
pub(super) async fn counted(telemetry: &Telemetry) -> Vec<(String, i64)> {
    let readers = &telemetry.pools.readers();
    let counted: Vec<(String, i64)> =
        sqlx::query_as("SELECT kind, bytes FROM written ORDER BY kind").fetch_all(readers).await.expect("reads");
    let real: Vec<(String, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT 'console', coalesce(sum({LINE_BYTES}), 0) FROM console
         UNION ALL SELECT 'errors', coalesce(sum({ERROR_BYTES}), 0) FROM occurrence
         UNION ALL SELECT 'logs', coalesce(sum({LOG_BYTES}), 0) FROM log
         UNION ALL SELECT 'relay', coalesce(sum(bytes), 0) FROM relay
         UNION ALL SELECT 'settings', (SELECT coalesce(sum({GROUP_BYTES}), 0) FROM log_group)
           + (SELECT coalesce(sum({STREAM_BYTES}), 0) FROM log_stream)
           + (SELECT coalesce(sum({SETTING_BYTES}), 0) FROM {GROUP})
           + (SELECT coalesce(sum({SETTING_BYTES}), 0) FROM {RULE})
         UNION ALL SELECT 'traces', coalesce(sum({SPAN_BYTES}), 0) + {TRACE_BYTES} * (SELECT count(*) FROM trace) FROM span"
    )))
    .fetch_all(readers)
    .await
    .expect("reads");
    assert_eq!(counted, real);
    counted
}

#[tokio::test]
async fn the_limit_holds_under_load_without_trimming() {
    let (dir, telemetry) = within(8).await;
    let (mut database, mut log) = (0, 0);
    // Several times the limit, each kind in turn, with a reader.
    for i in 0..50u64 {
        let now = Nanos(i64::try_from(i).expect("small") + 1);
        telemetry.commit(&traces(i * 1_000, 200, 1_000), now).await.expect("commits");
        telemetry.commit_logs(&logs(150, 1_500), now).await.expect("commits");
        telemetry.commit_console(&lines(500, 120), now).await.expect("commits");
        telemetry.traces(&newest(100)).await.expect("lists");
        let used = telemetry.bytes().await.expect("measures");
        assert!(used <= 8 * MIB, "{used} bytes after batch {i}");
        let (file, beside) = on_disk(&dir);
        (database, log) = (database.max(file), log.max(beside));
    }
    assert!(telemetry.dropped() > 20_000, "{}", telemetry.dropped());
    assert!(database <= 8 * MIB + MIB / 4, "the file was {database} bytes");
    assert!(log <= 2 * MIB, "the write-ahead log was {log} bytes");
    let used = telemetry.bytes().await.expect("measures");
    assert!(used > 7 * MIB, "no more goes than must: {used}");
    counted(&telemetry).await;
}

#[tokio::test]
async fn a_batch_of_half_the_limit_is_accepted_within_the_limit() {
    let (dir, telemetry) = within(16).await;
    for i in 0..5 {
        telemetry.commit(&traces(i * 10_000, 2_000, 4_000), Nanos(1)).await.expect("commits");
        let used = telemetry.bytes().await.expect("measures");
        assert!(used <= 17 * MIB, "{used}");
        let last = telemetry.spans(trace(i * 10_000 + 1_999, 0)[0].trace_id).await.expect("reads");
        assert_eq!(last.len(), 2, "what was acknowledged last is there");
    }
    assert!(on_disk(&dir).0 <= 18 * MIB, "{:?}", on_disk(&dir));
}

#[tokio::test]
async fn a_large_kind_does_not_displace_a_small_one() {
    let (_dir, telemetry) = within(8).await;
    let wanted = traces(0, 3, 2_000);
    telemetry.commit(&wanted, Nanos(1)).await.expect("commits");
    telemetry.commit_logs(&logs(50, 100), Nanos(1)).await.expect("commits");
    telemetry.commit_errors(&[error("u", "i", 1, Level::Error, "ada")], Nanos(1)).await.expect("commits");
    for i in 0..20 {
        telemetry.commit_console(&lines(5_000, 80), Nanos(2 + i)).await.expect("commits");
    }
    assert!(telemetry.dropped() > 30_000, "a hundred thousand lines do not fit");
    assert_eq!(telemetry.traces(&newest(9)).await.expect("lists").len(), 3);
    for spans in wanted.chunks(2) {
        assert_eq!(telemetry.spans(spans[0].trace_id).await.expect("reads"), spans);
    }
    let question = LogQuery { limit: 100, ..LogQuery::default() };
    assert_eq!(telemetry.logs(&question).await.expect("reads").len(), 50);
    assert!(telemetry.occurrence("u").await.expect("reads").is_some());
    let newest_line = LineQuery { newest_first: true, limit: 1, ..LineQuery::default() };
    assert_eq!(telemetry.console(&newest_line).await.expect("reads")[0].seq, 100_000, "of the lines the oldest went");
    counted(&telemetry).await;
}

#[tokio::test]
async fn large_kinds_share_what_small_ones_leave() {
    let (_dir, telemetry) = within(8).await;
    for i in 0..8 {
        telemetry.commit(&traces(i * 10_000, 700, 2_000), Nanos(1)).await.expect("commits");
    }
    for i in 0..30 {
        telemetry.commit_logs(&logs(150, 1_500), Nanos(2 + i)).await.expect("commits");
        telemetry.commit_console(&lines(1_500, 100), Nanos(2 + i)).await.expect("commits");
    }
    let counted = counted(&telemetry).await;
    let of = |kind: &str| counted.iter().find(|(k, _)| k == kind).map_or(0, |(_, bytes)| *bytes);
    // Except for the last batch, which the next one makes room for.
    let third = (of("traces") + of("logs") + of("console")) / 3;
    for kind in ["traces", "logs", "console"] {
        let off = (of(kind) - third).abs();
        assert!(off < third / 5, "{kind} is {off} bytes from a third: {counted:?}");
    }
}

#[tokio::test]
async fn a_trace_that_is_still_arriving_is_kept_whole() {
    let (_dir, telemetry) = within(8).await;
    let mut long = record(200, 1, None, None);
    long.trace_id = TraceId([0xff; 16]);
    for i in 0..40u64 {
        let now = Nanos(i64::try_from(i).expect("small") + 1);
        long.span_id = SpanId((i + 1).to_be_bytes());
        telemetry.commit(&[long.clone()], now).await.expect("commits");
        telemetry.commit(&traces(i * 1_000, 200, 2_500), now).await.expect("commits");
    }
    assert!(telemetry.dropped() > 5_000, "{}", telemetry.dropped());
    assert_eq!(telemetry.spans(long.trace_id).await.expect("reads").len(), 40);
}

#[tokio::test]
async fn the_file_shrinks_with_the_limit_and_when_everything_is_old() {
    let (dir, telemetry) = within(64).await;
    for i in 0..10 {
        telemetry.commit(&traces(i * 10_000, 700, 4_000), Nanos(1)).await.expect("commits");
    }
    let newest_spans = traces(90_000 + 699, 1, 4_000);
    telemetry.trim(NEVER).await.expect("trims");
    let (large, _) = on_disk(&dir);
    assert!(large > 25 * MIB, "{large}");
    assert_eq!(telemetry.dropped(), 0, "there was room");
    telemetry.close().await;

    let telemetry = Telemetry::open_within(dir.path(), 16 * MIB).await.expect("opens");
    telemetry.trim(NEVER).await.expect("trims");
    let (smaller, log) = on_disk(&dir);
    assert!(smaller <= 16 * MIB && log <= 4 * MIB, "{smaller} and {log}");
    let used = telemetry.bytes().await.expect("measures");
    assert!(used > 14 * MIB && used <= smaller, "what status says is what lies there: {used} of {smaller}");
    assert_eq!(telemetry.spans(newest_spans[0].trace_id).await.expect("reads"), newest_spans, "the newest are there");
    counted(&telemetry).await;

    telemetry.trim(Nanos(2)).await.expect("trims");
    assert!(on_disk(&dir).0 < MIB, "{:?}", on_disk(&dir));
    assert_eq!(telemetry.span_count().await.expect("counts"), 0);
}

#[tokio::test]
async fn a_long_reader_blocks_no_writer_and_the_wal_is_truncated_after_it() {
    let (dir, telemetry) = within(16).await;
    telemetry.commit(&traces(0, 10, 1_000), Nanos(1)).await.expect("commits");
    let mut reader = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(dir.path().join("telemetry.db"))
        .read_only(true)
        .connect()
        .await
        .expect("opens");
    let mut held = reader.begin().await.expect("begins");
    sqlx::query("SELECT count(*) FROM span").fetch_one(&mut *held).await.expect("reads");
    for i in 0..30 {
        telemetry.commit(&traces(i * 1_000, 500, 1_500), Nanos(2)).await.expect("commits");
    }
    assert!(on_disk(&dir).1 > 8 * MIB, "a reader keeps the log as it is: {:?}", on_disk(&dir));
    held.rollback().await.expect("ends");
    for i in 30..60 {
        telemetry.commit(&traces(i * 1_000, 500, 1_500), Nanos(3)).await.expect("commits");
    }
    assert!(on_disk(&dir).1 <= 4 * MIB, "{:?}", on_disk(&dir));
    assert!(on_disk(&dir).0 <= 17 * MIB, "{:?}", on_disk(&dir));
}

#[tokio::test]
async fn the_size_of_each_kind_is_counted_exactly() {
    let (_dir, telemetry) = telemetry().await;
    let (open, complete) = (record(1, 1, None, None), SpanRecord { raw: vec![1; 900], ..record(1, 1, None, Some(5)) });
    telemetry.commit(&[open.clone(), record(2, 1, None, Some(5))], Nanos(1)).await.expect("commits");
    telemetry.commit(&[complete.clone(), record(1, 2, Some(1), Some(4))], Nanos(2)).await.expect("replaces");
    telemetry
        .commit(
            &[open, record(3, 1, None, None), SpanRecord { raw: vec![3; 70], ..record(3, 1, None, Some(1)) }],
            Nanos(3),
        )
        .await
        .expect("twice in one batch, and one that does not replace");
    let larger = ErrorRecord { raw: vec![b' '; 500], ..error("a", "one", 9, Level::Error, "") };
    let batch = [error("a", "one", 5, Level::Error, "ada"), error("b", "one", 5, Level::Error, ""), larger.clone()];
    telemetry.commit_errors(&batch, Nanos(1)).await.expect("commits");
    telemetry.commit_errors(&batch[..2], Nanos(2)).await.expect("commits again");
    telemetry.create_log_group("noisy", &Default::default(), Nanos(1)).await.expect("creates");
    telemetry.create_log_stream("noisy", "a/b_%", Nanos(1)).await.expect("creates");
    telemetry.commit_logs(&[logs(3, 10), vec![log(1, "other", "ü")]].concat(), Nanos(1)).await.expect("commits");
    telemetry.commit_console(&lines(3, 7), Nanos(1)).await.expect("commits");
    let before = counted(&telemetry).await;
    assert!(before.iter().all(|(kind, bytes)| *bytes > 0 || kind == "relay"), "{before:?}");
    telemetry.delete_log_stream("noisy", "a/b_%").await.expect("deletes");
    telemetry.commit_logs(&logs(2, 10), Nanos(1)).await.expect("commits");
    counted(&telemetry).await;
    telemetry.delete_log_group("noisy").await.expect("deletes");
    counted(&telemetry).await;
    telemetry.trim(Nanos(3)).await.expect("trims");
    let after = counted(&telemetry).await;
    assert_eq!(after.iter().filter(|(_, bytes)| *bytes > 0).count(), 1, "{after:?}");
}

#[tokio::test]
async fn every_connection_has_its_own_page_cache() {
    let (_dir, telemetry) = telemetry().await;
    let options: Vec<String> =
        sqlx::query_scalar("PRAGMA compile_options").fetch_all(&telemetry.pools.readers()).await.expect("answers");
    assert!(!options.is_empty());
    assert!(
        !options.iter().any(|option| option == "ENABLE_MEMORY_MANAGEMENT"),
        "built without .cargo/config.toml: the writer's cache would grow by what readers leave"
    );
}

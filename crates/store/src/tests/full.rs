//! A disk that fills up while a database is checkpointed, compacted, trimmed or copied.

use super::disk::SmallDisk;
use super::*;

fn spans(from: u8, bytes: usize) -> Vec<SpanRecord> {
    (from..from + 20)
        .map(|n| {
            let mut span = record(n, 1, None, Some(9));
            span.raw = (0..bytes).map(|at| u8::try_from((at * 31 + usize::from(n)) % 251).expect("small")).collect();
            span
        })
        .collect()
}

#[tokio::test]
async fn a_checkpoint_and_a_compaction_without_room_cost_nothing() {
    let Some(disk) = SmallDisk::mount(48) else { return };
    let telemetry = Telemetry::open(disk.path()).await.expect("opens");
    // 16 MiB, of which most go: the copy that `VACUUM` makes has no room.
    for n in 0..8 {
        telemetry.commit(&spans(1 + n * 20, 100_000), Nanos(i64::from(n) + 1)).await.expect("commits");
    }
    disk.fill();
    let before = telemetry.span_count().await.expect("counts");
    for _ in 0..3 {
        if let Err(error) = telemetry.pools.empty_wal().await {
            assert!(error.is_transient(), "a checkpoint: {error:?}");
        }
        if let Err(error) = telemetry.pools.compact().await {
            assert!(error.is_transient(), "a compaction: {error:?}");
        }
        assert_eq!(telemetry.span_count().await.expect("counts"), before, "everything can still be read");
    }
    // What is deleted by age is deleted, or stays as a whole.
    match telemetry.trim(Nanos(8)).await {
        Ok(()) => {}
        Err(error) => assert!(error.is_transient(), "a trim: {error:?}"),
    }
    assert_eq!(telemetry.span_count().await.expect("counts") % 20, 0, "whole batches");
    disk.free();
    telemetry.trim(Nanos(8)).await.expect("trims with room again");
    assert_eq!(telemetry.span_count().await.expect("counts"), 20);
    telemetry.commit(&spans(200, 1_000), Nanos(9)).await.expect("commits");
    assert_eq!(telemetry.pools.damage().await.expect("checks"), None);
    telemetry.close().await;
    let telemetry = Telemetry::open(disk.path()).await.expect("opens");
    assert_eq!(telemetry.span_count().await.expect("counts"), 40);
}

#[tokio::test]
async fn a_backup_without_room_leaves_the_earlier_one_and_no_half_copy() {
    let Some(disk) = SmallDisk::mount(24) else { return };
    let (_dir, journal) = journal().await;
    let entry = journal.add_entry(&new_entry("2", "one"), Nanos(1), "a").await.expect("added").row.id;
    let target = disk.path().join("backup.db");
    journal.back_up(&target).await.expect("backs up");
    let earlier = std::fs::read(&target).expect("reads");
    let long: String = (0..400_000).map(|n| format!("{n:x} ")).collect();
    journal.write_text(&write(entry, None, &long), Nanos(2), "a").await.expect("writes");
    disk.fill();
    let error = journal.back_up(&target).await.expect_err("no room");
    assert!(matches!(error, StoreError::Full), "{error:?}");
    disk.free();
    assert_eq!(std::fs::read_dir(disk.path()).expect("lists").count(), 1, "no half copy is left");
    assert_eq!(std::fs::read(&target).expect("reads"), earlier, "the earlier backup is whole");
    journal.back_up(&target).await.expect("backs up with room again");
    assert!(std::fs::metadata(&target).expect("there").len() > earlier.len() as u64);
}

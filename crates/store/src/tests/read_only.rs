//! Databases on a disk that cannot be written.

use std::path::Path;

use super::disk::SmallDisk;
use super::*;
use crate::lock;

async fn names(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("lists");
    let mut names: Vec<String> =
        files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What holds of every journal that is read-only; its entry `week-2` has the text.
async fn is_read(folder: &Path, body: &str, spans: i64) {
    let before = names(folder).await;
    let patience = std::time::Duration::from_millis(300);
    let _opening = lock::opening(folder, patience).await.expect("nobody waits for a lock that cannot be created");
    let _in_use = lock::in_use(folder).expect("shared");
    let journal = Journal::open(folder).await.expect("opens");
    assert!(journal.read_only().is_some_and(|why| why.contains("read-only")), "{:?}", journal.read_only());
    let entry = journal.entry("week-2").await.expect("reads").expect("there");
    assert_eq!(entry.body, body);
    assert_eq!(journal.damage().await.expect("checks"), None);
    let errors = [
        journal.write_text(&write(entry.row.id, None, "new"), Nanos(9), "a").await.map(drop).expect_err("no text"),
        journal.add_entry(&new_entry("3", ""), Nanos(9), "a").await.map(drop).expect_err("no entry"),
        journal.add_evidence(&evidence("x"), b"", "a").await.map(drop).expect_err("no evidence"),
    ];
    for error in errors {
        assert!(matches!(&error, StoreError::ReadOnly(why) if why.contains("read-only")), "{error:?}");
        assert!(error.is_transient() && error.hint().contains("writable"), "{error:?}");
    }
    let mut watcher = journal.watch().await.expect("watches");
    assert!(!watcher.changed().await.expect("reads"));
    watcher.close().await;

    let (telemetry, aside) = Telemetry::open_or_replace(folder, u64::MAX, "x").await.expect("opens");
    assert_eq!(aside, None);
    assert_eq!(telemetry.span_count().await.expect("counts"), spans);
    let error = telemetry.commit(&[record(7, 1, None, Some(9))], Nanos(9)).await.expect_err("nothing is received");
    assert!(matches!(error, StoreError::ReadOnly(_)) && error.is_transient(), "{error:?}");
    let elsewhere = TempDir::new().expect("a temporary directory");
    let copy = elsewhere.path().join("backup.db");
    journal.back_up(&copy).await.expect("can be backed up to another disk");
    telemetry.close().await;
    journal.close().await;
    assert_eq!(names(folder).await, before);
}

#[tokio::test]
async fn a_journal_on_a_read_only_disk_is_read_and_takes_no_writes() {
    let Some(disk) = SmallDisk::mount(24) else { return };
    let folder = disk.path();
    let journal = Journal::open(folder).await.expect("opens");
    let entry = journal.add_entry(&new_entry("2", "saved"), Nanos(1), "a").await.expect("added").row.id;
    let telemetry = Telemetry::open(folder).await.expect("opens");
    telemetry.commit(&[record(1, 1, None, Some(9))], Nanos(1)).await.expect("commits");
    telemetry.close().await;
    // A deleted file that is still open keeps a disk from being mounted read-only.
    drop(telemetry);
    journal.close().await;
    disk.remount("ro");
    is_read(folder, "saved", 1).await;

    // With room to write again, everything is as before.
    disk.remount("rw");
    let journal = Journal::open(folder).await.expect("opens");
    assert_eq!(journal.read_only(), None);
    journal.write_text(&write(entry, None, "later"), Nanos(2), "a").await.expect("writes");
    journal.close().await;

    // Without telemetry, there is none to show, and none is received.
    std::fs::remove_file(folder.join("telemetry.db")).expect("removes");
    disk.remount("ro");
    is_read(folder, "later", 0).await;
}

#[tokio::test]
async fn what_a_killed_process_left_in_its_log_is_read_from_a_read_only_disk() {
    let Some(disk) = SmallDisk::mount(24) else { return };
    let (dir, journal) = journal().await;
    let entry = journal.add_entry(&new_entry("2", "saved"), Nanos(1), "a").await.expect("added").row.id;
    journal.pools.empty_wal().await.expect("checkpoints");
    journal.write_text(&write(entry, None, "in the log"), Nanos(2), "a").await.expect("writes");
    let telemetry = Telemetry::open(dir.path()).await.expect("opens");
    telemetry.commit(&[record(1, 1, None, Some(9))], Nanos(1)).await.expect("commits");
    for name in names(dir.path()).await {
        std::fs::copy(dir.path().join(&name), disk.path().join(&name)).expect("copies");
    }
    disk.remount("ro");
    is_read(disk.path(), "in the log", 1).await;
}

#[tokio::test]
async fn a_read_only_folder_without_a_journal_is_reported() {
    let Some(disk) = SmallDisk::mount(2) else { return };
    disk.remount("ro");
    let error = Journal::open(disk.path()).await.expect_err("there is nothing to read");
    assert!(matches!(&error, StoreError::ReadOnly(why) if why.contains("there is no journal.db")), "{error:?}");
}

#[tokio::test]
async fn an_older_schema_on_a_read_only_disk_is_reported_to_need_a_migration() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(disk.path().join("journal.db"));
    let mut old = options.create_if_missing(true).connect().await.expect("opens");
    crate::open::JOURNAL.run_to(1, &mut old).await.expect("migrates");
    old.close().await.expect("closes");
    disk.remount("ro");
    let error = Journal::open(disk.path()).await.expect_err("it cannot be migrated");
    assert!(matches!(&error, StoreError::ReadOnly(why) if why.contains("earlier version")), "{error:?}");
}

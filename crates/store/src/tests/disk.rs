//! Full disks, replaced and damaged files, backups.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::*;
use crate::error::Change;
use crate::replaced::Reopened;
use crate::{aside, lock, restore};

/// A small file system of its own, where the tests may mount one.
pub(super) struct SmallDisk(TempDir);

impl SmallDisk {
    pub(super) fn mount(mib: u32) -> Option<Self> {
        let dir = TempDir::new().expect("a temporary directory");
        let size = format!("size={mib}m,mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(dir))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no byte free.
    pub(super) fn fill(&self) {
        let file = self.path().join("filler");
        let mut bytes = vec![1; 1 << 20];
        while !bytes.is_empty() {
            let mut options = std::fs::File::options();
            let mut filler = options.create(true).append(true).open(&file).expect("opens");
            if std::io::Write::write_all(&mut filler, &bytes).is_err() {
                bytes.truncate(bytes.len() / 2);
            }
        }
    }

    pub(super) fn free(&self) {
        std::fs::remove_file(self.path().join("filler")).expect("removed");
    }

    /// Mounts it again, `ro` or `rw`.
    pub(super) fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        let mount = || Command::new("mount").args(["-o", &options]).arg(self.path()).output().expect("mount runs");
        let begun = Instant::now();
        let mut done = mount();
        // Connections close on threads of their own, and until then the disk is busy.
        while !done.status.success() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(50));
            done = mount();
        }
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.path()).status().expect("umount runs");
    }
}

#[tokio::test]
async fn a_connection_works_again_after_a_transaction_that_ran_out_of_space() {
    let (_dir, journal) = journal().await;
    let entry = journal.add_entry(&new_entry("2", "one"), Nanos(1), "a").await.expect("added").row.id;
    let long = "x".repeat(1 << 20);
    for round in 0..3 {
        journal.pools.limit_pages(Some(1)).await;
        let error = journal.write_text(&write(entry, None, &long), Nanos(2), "a").await.expect_err("no room");
        assert!(matches!(error, StoreError::Full) && error.is_transient(), "round {round}: {error:?}");
        journal.pools.limit_pages(None).await;
        let body = format!("round {round}");
        journal.write_text(&write(entry, None, &body), Nanos(3), "a").await.expect("with room again");
        assert_eq!(journal.entry("week-2").await.expect("read").expect("there").body, body);
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_needs_no_restart() {
    let Some(disk) = SmallDisk::mount(6) else { return };
    let journal = Journal::open(disk.path()).await.expect("opens");
    let telemetry = Telemetry::open(disk.path()).await.expect("opens");
    let entry = journal.add_entry(&new_entry("2", "before"), Nanos(1), "a").await.expect("added").row.id;
    telemetry.commit(&[record(1, 1, None, Some(9))], Nanos(1)).await.expect("commits");
    disk.fill();
    // Until the log cannot grow, then while a commit fails, again and again.
    let (mut saved, mut stored) = ("before".to_owned(), 1);
    let (mut failed, mut refused) = (0, 0);
    for round in 0..40_u8 {
        let body = format!("round {round} {}", "text ".repeat(2_000));
        match journal.write_text(&write(entry, None, &body), Nanos(2), "a").await {
            Ok(_) => saved = body,
            Err(error) => {
                assert!(error.is_transient(), "{error:?}");
                failed += 1;
            }
        }
        let mut span = record(2, round + 2, None, Some(9));
        span.raw = vec![7; 20_000];
        match telemetry.commit(&[span], Nanos(2)).await {
            Ok(()) => stored += 1,
            Err(error) => {
                assert!(error.is_transient(), "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(failed > 10 && refused > 10, "the disk was full: {failed} and {refused} of 40 failed");
    assert_eq!(journal.entry("week-2").await.expect("read").expect("there").body, saved, "what was saved is read");
    disk.free();
    journal.write_text(&write(entry, None, "after"), Nanos(3), "a").await.expect("with room again");
    telemetry.commit(&[record(3, 1, None, Some(9))], Nanos(3)).await.expect("with room again");
    journal.close().await;
    telemetry.close().await;
    let journal = Journal::open(disk.path()).await.expect("opens");
    assert_eq!(journal.entry("week-2").await.expect("read").expect("there").body, "after");
    assert_eq!(journal.damage().await.expect("checks"), None);
    let telemetry = Telemetry::open(disk.path()).await.expect("opens");
    assert_eq!(telemetry.span_count().await.expect("counts"), stored + 1);
}

#[tokio::test]
async fn a_disk_that_is_full_during_a_migration_leaves_the_old_schema_and_no_half_copy() {
    let Some(disk) = SmallDisk::mount(2) else { return };
    let path = disk.path().join("journal.db");
    let mut old = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .connect()
        .await
        .expect("opens");
    crate::open::JOURNAL.run_to(1, &mut old).await.expect("migrates");
    old.close().await.expect("closes");
    disk.fill();
    Journal::open(disk.path()).await.expect_err("no room for the copy");
    disk.free();
    let names: Vec<String> = std::fs::read_dir(disk.path())
        .expect("lists")
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with("journal.db"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
    let journal = Journal::open(disk.path()).await.expect("opens");
    assert!(disk.path().join("journal.before-schema-2.bak").exists());
    assert_eq!(journal.damage().await.expect("checks"), None);
}

/// Overwrites a part of a file.
fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    use std::io::{Seek as _, SeekFrom, Write as _};
    let mut file = std::fs::File::options().write(true).open(path).expect("opens");
    file.seek(SeekFrom::Start(offset)).expect("seeks");
    file.write_all(bytes).expect("writes");
}

#[tokio::test]
async fn a_damaged_telemetry_database_is_set_aside() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 6] = [
        ("garbage", |path| std::fs::write(path, "garbage ".repeat(9_000)).expect("writes")),
        ("a garbled header", |path| overwrite(path, 0, &[0x5a; 100])),
        ("cut off", |path| {
            std::fs::File::options().write(true).open(path).and_then(|file| file.set_len(9_000)).expect("cuts");
        }),
        ("empty, with a stale log", |path| {
            std::fs::write(path, "").expect("writes");
            std::fs::write(crate::identity::beside(path, "-wal"), vec![7; 70_000]).expect("writes");
        }),
        ("another database's log", |path| {
            let (other, log) = (path.with_file_name("other.db"), crate::identity::beside(path, "-wal"));
            let run = |sql: &str| {
                let done = Command::new("python3")
                    .arg("-c")
                    .arg("import os, sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\nfor s in sys.argv[2].split(';'): c.execute(s)\nos._exit(0)")
                    .arg(&other)
                    .arg(sql)
                    .status();
                assert!(done.expect("python runs").success());
            };
            run("PRAGMA journal_mode=wal; CREATE TABLE a (b); INSERT INTO a VALUES (randomblob(90000))");
            std::fs::rename(crate::identity::beside(&other, "-wal"), log).expect("renames");
        }),
        ("a folder", |path| {
            std::fs::remove_file(path).expect("removes");
            std::fs::create_dir(path).expect("creates");
        }),
    ];
    let dir = TempDir::new().expect("a temporary directory");
    for (n, (name, damage)) in damages.into_iter().enumerate() {
        let telemetry = Telemetry::open(dir.path()).await.expect("opens");
        let spans: Vec<_> = (1..200).map(|n| record(n, 1, None, Some(9))).collect();
        telemetry.commit(&spans, Nanos(1)).await.expect("commits");
        telemetry.close().await;
        damage(&dir.path().join("telemetry.db"));
        let stamp = format!("2026113{n}");
        let (telemetry, aside) =
            Telemetry::open_or_replace(dir.path(), u64::MAX, &stamp).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let aside = aside.unwrap_or_else(|| panic!("{name}: it is not noticed"));
        assert!(aside.path.exists() && !aside.reason.is_empty(), "{name}: {aside:?}");
        assert_eq!(telemetry.span_count().await.expect("counts"), 0, "{name}");
        telemetry.commit(&spans, Nanos(1)).await.expect(name);
        telemetry.close().await;
        let kept = aside::set_aside_before(dir.path());
        assert!(kept.len() == (n + 1).min(2) && kept.last() == Some(&aside.path), "{name}: {kept:?}");
    }
    let (_, aside) = Telemetry::open_or_replace(dir.path(), u64::MAX, "x").await.expect("opens");
    assert_eq!(aside, None, "a sound one stays");
}

#[tokio::test]
async fn damage_that_turns_up_while_telemetry_is_open_is_set_aside_without_a_restart() {
    let (dir, telemetry) = telemetry().await;
    let path = dir.path().join("telemetry.db");
    let spans: Vec<_> = (1..200).map(|n| record(n, 1, None, Some(9))).collect();
    telemetry.commit(&spans, Nanos(1)).await.expect("commits");
    telemetry.pools.empty_wal().await.expect("checkpoints");
    assert_eq!(telemetry.replace_if_damaged("a").await.expect("checks"), None, "it is sound");
    let pages = std::fs::metadata(&path).expect("there").len() / 4096;
    for page in 2..pages {
        overwrite(&path, page * 4096, &[0xa5; 4096]);
    }
    let before = crate::damage_reported();
    let error = telemetry.spans(TraceId([1; 16])).await.expect_err("damaged");
    assert!(error.is_transient() && crate::damage_reported() > before, "{error:?}");
    let aside = telemetry.replace_if_damaged("b").await.expect("replaces").expect("it is damaged");
    assert!(aside.path.exists());
    telemetry.commit(&spans, Nanos(3)).await.expect("goes on");
    assert_eq!(telemetry.span_count().await.expect("counts"), 199);
}

#[tokio::test]
async fn a_write_into_a_replaced_journal_is_refused() {
    type Change1 = fn(&Path, &Path);
    let changes: [(&str, Option<Change>, Change1); 8] = [
        ("deleted", Some(Change::Missing), |file, _| std::fs::remove_file(file).expect("removes")),
        ("moved", Some(Change::Missing), |file, _| {
            std::fs::rename(file, file.with_extension("old")).expect("renames");
        }),
        ("replaced", Some(Change::Replaced), |file, other| {
            std::fs::copy(other, file.with_extension("new")).expect("copies");
            std::fs::rename(file.with_extension("new"), file).expect("renames");
        }),
        ("overwritten", Some(Change::Overwritten), |file, other| {
            std::fs::copy(other, file).expect("copies");
        }),
        ("cut off", Some(Change::CutOff), |file, _| {
            let file = std::fs::File::options().write(true).open(file).expect("opens");
            let length = file.metadata().expect("there").len();
            file.set_len(length / 2).expect("cuts");
        }),
        ("without its log", Some(Change::Missing), |file, _| {
            std::fs::remove_file(crate::identity::beside(file, "-wal")).expect("removes");
        }),
        ("without the index of its log", Some(Change::Missing), |file, _| {
            std::fs::remove_file(crate::identity::beside(file, "-shm")).expect("removes");
        }),
        ("in another folder", Some(Change::Missing), |file, _| {
            let folder = file.parent().expect("a folder");
            std::fs::rename(folder, folder.with_extension("moved")).expect("renames");
        }),
    ];
    for (name, expected, change) in changes {
        let root = TempDir::new().expect("a temporary directory");
        let (folder, elsewhere) = (root.path().join("data"), root.path().join("other"));
        std::fs::create_dir_all(&folder).expect("creates");
        std::fs::create_dir_all(&elsewhere).expect("creates");
        let other = Journal::open(&elsewhere).await.expect("opens");
        other.add_entry(&new_entry("9", "of another journal"), Nanos(1), "a").await.expect("added");
        other.close().await;
        let journal = Journal::open(&folder).await.expect("opens");
        let entry = journal.add_entry(&new_entry("2", "saved"), Nanos(1), "a").await.expect("added").row.id;
        // The number in the header is in the file after a checkpoint only.
        journal.pools.empty_wal().await.expect("checkpoints");
        journal.write_text(&write(entry, None, "saved later"), Nanos(2), "a").await.expect("saved");
        let file = folder.join("journal.db");
        change(&file, &elsewhere.join("journal.db"));
        let error = journal.write_text(&write(entry, None, "lost"), Nanos(2), "a").await.expect_err(name);
        assert!(
            matches!(&error, StoreError::Replaced { change, .. } if Some(*change) == expected) && error.is_transient(),
            "{name}: {error:?}"
        );
        assert!(journal.add_entry(&new_entry("3", ""), Nanos(2), "a").await.is_err(), "{name}: any write");
        let length = std::fs::metadata(&file).ok().map(|file| file.len());
        let found = journal.reopen_if_replaced(&root.path().join("kept.db")).await;
        match expected {
            Some(Change::Overwritten) => {
                let Reopened::Yes { kept: None, log: Some(log) } = found else { panic!("{name}: {found:?}") };
                assert!(std::fs::metadata(log).expect("kept").len() > 0);
                assert_eq!(journal.entry("week-9").await.expect("read").expect("there").body, "of another journal");
                journal.add_entry(&new_entry("3", "after"), Nanos(3), "a").await.expect("writes go on");
                journal.close().await;
                let journal = Journal::open(&folder).await.expect("opens");
                assert_eq!(journal.damage().await.expect("looks"), None, "nothing of the earlier one is in it");
                assert!(journal.entry("week-2").await.expect("read").is_none());
                assert!(journal.entry("week-3").await.expect("read").is_some());
            }
            Some(Change::CutOff) => {
                assert!(
                    matches!(&found, Reopened::No { error, .. } if error.hint().contains("doctor --repair")),
                    "{found:?}"
                );
                assert_eq!(std::fs::metadata(&file).ok().map(|file| file.len()), length, "nothing is written into it");
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_healthy_file_in_the_place_of_the_journal_is_opened_and_the_old_one_is_kept() {
    let (dir, journal) = journal().await;
    // As in the app: a connection that is opened later opens what is at the path then.
    journal.pools.open_readers().await.expect("opens");
    let other = TempDir::new().expect("a temporary directory");
    let theirs = Journal::open(other.path()).await.expect("opens");
    theirs.add_entry(&new_entry("9", "theirs"), Nanos(1), "a").await.expect("added");
    theirs.close().await;
    journal.add_entry(&new_entry("2", "ours"), Nanos(1), "a").await.expect("added");
    let keep = dir.path().join("kept.db");
    assert!(matches!(journal.reopen_if_replaced(&keep).await, Reopened::Unchanged));
    let file = dir.path().join("journal.db");
    let replace = |with: &Path| {
        std::fs::copy(with, file.with_extension("new")).expect("copies");
        std::fs::rename(file.with_extension("new"), &file).expect("renames");
    };
    // First by one that is no journal: it is not opened, and reads still answer.
    std::fs::write(dir.path().join("text"), "text ".repeat(3_000)).expect("writes");
    replace(&dir.path().join("text"));
    let found = journal.reopen_if_replaced(&keep).await;
    assert!(matches!(found, Reopened::No { error: StoreError::Damaged(_), kept: Some(_) }), "{found:?}");
    assert_eq!(journal.entry("week-2").await.expect("read").expect("there").body, "ours");
    std::fs::remove_file(&file).expect("removes");
    let found = journal.reopen_if_replaced(&keep).await;
    let missing =
        matches!(found, Reopened::No { error: StoreError::Replaced { change: Change::Missing, .. }, kept: None });
    assert!(missing, "{found:?}");
    replace(&other.path().join("journal.db"));
    // The log of the old one is still there, and must not be applied to the new one.
    let found = journal.reopen_if_replaced(&dir.path().join("kept-too.db")).await;
    assert!(matches!(found, Reopened::Yes { kept: None, log: None }), "{found:?}");
    assert_eq!(journal.entry("week-9").await.expect("read").expect("there").body, "theirs");
    journal.add_entry(&new_entry("3", "after"), Nanos(2), "a").await.expect("writes go on");
    let opened = TempDir::new().expect("a temporary directory");
    restore::restore(opened.path(), &keep, "x").await.expect("restores");
    let kept = Journal::open(opened.path()).await.expect("opens");
    assert_eq!(kept.entry("week-2").await.expect("read").expect("there").body, "ours", "what was open is kept");
}

#[tokio::test]
async fn a_log_that_was_deleted_is_written_into_the_journal_before_it_goes_on() {
    let (dir, journal) = journal().await;
    let entry = journal.add_entry(&new_entry("2", "one"), Nanos(1), "a").await.expect("added").row.id;
    journal.write_text(&write(entry, None, "two"), Nanos(2), "a").await.expect("saved");
    std::fs::remove_file(dir.path().join("journal.db-wal")).expect("removes");
    let found = journal.reopen_if_replaced(&dir.path().join("kept.db")).await;
    assert!(matches!(found, Reopened::Yes { kept: None, log: None }), "{found:?}");
    assert_eq!(journal.entry("week-2").await.expect("read").expect("there").body, "two");
    journal.write_text(&write(entry, None, "three"), Nanos(3), "a").await.expect("saved");
    journal.close().await;
    let journal = Journal::open(dir.path()).await.expect("opens");
    assert_eq!(journal.entry("week-2").await.expect("read").expect("there").body, "three");
}

#[tokio::test]
async fn an_empty_or_missing_journal_is_not_replaced_by_a_new_one() {
    let (dir, journal) = journal().await;
    journal.add_entry(&new_entry("2", "one"), Nanos(1), "a").await.expect("added");
    journal.back_up_daily("2026-11-30").await.expect("backs up").expect("there is one");
    journal.close().await;
    let file = dir.path().join("journal.db");
    std::fs::write(&file, "").expect("writes");
    for state in ["is empty", "is missing"] {
        let error = Journal::open(dir.path()).await.expect_err("refuses");
        assert!(error.to_string().contains(state) && error.hint().contains("journal-2026-11-30.db"), "{error}");
        if state == "is empty" {
            assert_eq!(std::fs::metadata(&file).expect("there").len(), 0, "nothing was written");
            std::fs::remove_file(&file).expect("removes");
        }
    }
    // A log alone is data, too.
    let lone = TempDir::new().expect("a temporary directory");
    std::fs::write(lone.path().join("journal.db-wal"), vec![1; 5_000]).expect("writes");
    let error = Journal::open(lone.path()).await.expect_err("refuses");
    assert!(error.hint().contains("doctor --repair"), "{error}");
    assert!(lone.path().join("journal.db-wal").exists());
    // The first start may have been interrupted.
    let fresh = TempDir::new().expect("a temporary directory");
    std::fs::write(fresh.path().join("journal.db"), "").expect("writes");
    Journal::open(fresh.path()).await.expect("opens");
}

#[tokio::test]
async fn a_newer_database_gets_no_files_beside_it() {
    for logged in [false, true] {
        let (dir, journal) = journal().await;
        journal.close().await;
        let path = dir.path().join("journal.db");
        let script = "import os, sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\nc.execute(\"INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)\")\nif sys.argv[2] == 'true': os._exit(0)\nc.close()";
        let done = Command::new("python3").args(["-c", script]).arg(&path).arg(logged.to_string()).status();
        assert!(done.expect("python runs").success());
        // As a copy without the index of its log.
        std::fs::remove_file(dir.path().join("journal.db-shm")).ok();
        let files = || {
            let mut found: Vec<(String, Vec<u8>)> = std::fs::read_dir(dir.path())
                .expect("lists")
                .map(|file| file.expect("a file").path())
                .map(|path| (path.display().to_string(), std::fs::read(&path).expect("reads")))
                .collect();
            found.sort();
            found
        };
        let before = files();
        assert_eq!(before.len(), if logged { 2 } else { 1 });
        let error = Journal::open(dir.path()).await.expect_err("refuses");
        assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{error}");
        assert_eq!(files(), before, "no file was created or changed");
    }
}

#[tokio::test]
async fn opening_waits_only_briefly_for_another_process() {
    let dir = TempDir::new().expect("a temporary directory");
    let patience = std::time::Duration::from_millis(300);
    drop(lock::opening(dir.path(), patience).await.expect("free"));
    let script = "import fcntl, sys, time\nf = open(sys.argv[1])\nfcntl.flock(f, fcntl.LOCK_EX)\nprint('locked', flush=True)\ntime.sleep(60)";
    let mut other = Command::new("python3")
        .args(["-c", script])
        .arg(dir.path().join("open.lock"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python runs");
    let mut line = String::new();
    let stdout = other.stdout.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("a line");
    let error = lock::opening(dir.path(), patience).await.expect_err("held");
    let named = error.to_string().contains(&format!("process {}", other.id()));
    other.kill().expect("killed");
    other.wait().expect("ends");
    assert!(named, "{error}");
    lock::opening(dir.path(), patience).await.expect("free again");
}

#[tokio::test]
async fn a_backup_is_not_made_where_it_would_fill_the_disk() {
    let Some(disk) = SmallDisk::mount(8) else { return };
    let journal = Journal::open(disk.path()).await.expect("opens");
    journal.add_entry(&new_entry("2", ""), Nanos(1), "a").await.expect("added");
    let error = journal.back_up_daily("2026-11-30").await.expect_err("too small a disk");
    assert!(matches!(error, StoreError::Full), "{error:?}");
    assert_eq!(std::fs::read_dir(disk.path().join("backups")).expect("lists").count(), 0);
}

//! Backups of the journal, and restoring them.

use std::path::Path;

use super::*;
use crate::{backup, lock, restore};

#[tokio::test]
async fn a_backup_is_one_whole_file_and_overwrites_only_earlier_ones() {
    let (dir, journal) = journal().await;
    let entry = journal.add_entry(&new_entry("2", "one"), Nanos(1), "a").await.expect("added").row.id;
    let target = dir.path().join("copy.db");
    let first = journal.back_up(&target).await.expect("backs up");
    assert_eq!(backup::digest(&target).expect("reads"), first);
    journal.write_text(&write(entry, None, "two"), Nanos(2), "a").await.expect("saved");
    let second = journal.back_up(&target).await.expect("replaces the earlier one");
    assert_ne!(first.sha256, second.sha256);
    // Not another file, not a link to one, not the journal itself, and not the backup of another journal.
    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "notes").expect("writes");
    let link = dir.path().join("link.db");
    std::os::unix::fs::symlink(&target, &link).expect("links");
    let (_other, theirs) = self::journal().await;
    let foreign = dir.path().join("foreign.db");
    theirs.back_up(&foreign).await.expect("backs up");
    for refused in [&text, &link, &dir.path().join("journal.db"), &foreign] {
        let before = std::fs::read(refused).expect("reads");
        let error = journal.back_up(refused).await.expect_err("refuses");
        assert!(matches!(error, StoreError::NotOurs { .. }), "{}: {error:?}", refused.display());
        assert_eq!(std::fs::read(refused).expect("reads"), before);
    }
    let names = std::fs::read_dir(dir.path()).expect("lists").count();
    assert_eq!(names, 7, "journal.db, its two files, and the four made here; nothing temporary");
}

#[tokio::test]
async fn a_backup_under_load_is_a_consistent_moment() {
    let (dir, journal) = journal().await;
    let entry = journal.add_entry(&new_entry("2", "0"), Nanos(1), "a").await.expect("added").row.id;
    let writer = journal.clone();
    let typing = tokio::spawn(async move {
        for n in 1..300 {
            let text = TextWrite { keep: Some("typed".to_owned()), ..write(entry, None, &n.to_string()) };
            writer.write_text(&text, Nanos(n), "a").await.expect("saved");
        }
    });
    let mut copies = 0;
    while !typing.is_finished() {
        let target = dir.path().join(format!("copy-{copies}.db"));
        journal.back_up(&target).await.expect("backs up");
        let restored = TempDir::new().expect("a temporary directory");
        restore::restore(restored.path(), &target, "x").await.expect("restores");
        let copy = Journal::open(restored.path()).await.expect("opens");
        let body = copy.entry("week-2").await.expect("read").expect("there").body;
        let newest = copy.revisions(entry).await.expect("reads")[0].revision;
        let text = copy.revision_text(entry, newest).await.expect("reads");
        assert_eq!(text.as_deref(), Some(body.as_str()), "the entry and its revision are of one moment");
        copies += 1;
    }
    typing.await.expect("ends");
    assert!(copies > 0);
}

#[tokio::test]
async fn a_week_of_daily_backups_is_kept_and_none_without_changes() {
    let (dir, journal) = journal().await;
    assert_eq!(journal.back_up_daily("2026-11-01").await.expect("looks"), None, "nothing to back up");
    for day in 10..20 {
        journal.add_entry(&new_entry("2", ""), Nanos(day), "a").await.expect("added");
        let name = format!("2026-11-{day}");
        assert!(journal.back_up_daily(&name).await.expect("backs up").is_some());
        assert_eq!(journal.back_up_daily(&name).await.expect("looks"), None, "once a day");
    }
    assert_eq!(journal.back_up_daily("2026-11-20").await.expect("looks"), None, "nothing has changed");
    let mut names: Vec<String> = std::fs::read_dir(dir.path().join("backups"))
        .expect("lists")
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let expected: Vec<String> = (13..20).map(|day| format!("journal-2026-11-{day}.db")).collect();
    assert_eq!(names, expected);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let folder = dir.path().join("backups");
    assert_eq!((mode(&folder), mode(&folder.join(&names[0]))), (0o700, 0o600));
}

#[tokio::test]
async fn purged_evidence_is_erased_from_backups_too() {
    let (dir, journal) = journal().await;
    let secret = "a name that nobody may read any more";
    let frozen = evidence(secret);
    let id = frozen.evidence.id;
    journal.add_evidence(&frozen, secret.as_bytes(), "a").await.expect("written");
    journal.add_entry(&new_entry("2", "stays"), Nanos(1), "a").await.expect("added");
    let daily = journal.back_up_daily("2026-11-29").await.expect("backs up").expect("there is one");
    let before_schema = dir.path().join("journal.before-schema-4.bak");
    std::fs::copy(&daily, &before_schema).expect("copies");
    let broken = dir.path().join("backups/journal-2026-11-28.db");
    std::fs::write(&broken, format!("{secret} in a file that is no database")).expect("writes");
    journal.purge_evidence(id, Nanos(9), "a").await.expect("purged");
    journal.close().await;
    assert!(!broken.exists(), "what cannot be changed is removed");
    for file in [daily, before_schema, dir.path().join("journal.db")] {
        let bytes = std::fs::read(&file).expect("reads");
        assert!(!bytes.windows(12).any(|w| w == &secret.as_bytes()[..12]), "{}", file.display());
        assert!(bytes.windows(5).any(|w| w == b"stays"), "{}", file.display());
    }
}

#[tokio::test]
async fn restoring_keeps_the_present_journal_and_refuses_what_is_not_a_sound_backup() {
    let (dir, journal) = journal().await;
    let entry = journal.add_entry(&new_entry("2", "old"), Nanos(1), "a").await.expect("added").row.id;
    let backup = dir.path().join("copy.db");
    journal.back_up(&backup).await.expect("backs up");
    journal.write_text(&write(entry, None, "new"), Nanos(2), "a").await.expect("saved");
    let in_use = lock::in_use(dir.path()).expect("free");
    let error = restore::restore(dir.path(), &backup, "x").await.expect_err("it is open");
    assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
    drop(in_use);
    journal.close().await;

    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "notes ".repeat(1_000)).expect("writes");
    let cut = dir.path().join("cut.db");
    std::fs::write(&cut, &std::fs::read(&backup).expect("reads")[..20_000]).expect("writes");
    let telemetry = Telemetry::open(dir.path()).await.expect("opens");
    telemetry.close().await;
    let newer = dir.path().join("newer.db");
    std::fs::copy(&backup, &newer).expect("copies");
    let mut later = sqlx::sqlite::SqliteConnectOptions::new().filename(&newer).connect().await.expect("opens");
    sqlx::query("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1")
        .execute(&mut later)
        .await
        .expect("later");
    later.close().await.expect("closes");
    let before = std::fs::read(dir.path().join("journal.db")).expect("reads");
    for refused in [&text, &cut, &dir.path().join("telemetry.db"), &newer, &dir.path().to_owned()] {
        let error = restore::restore(dir.path(), refused, "x").await.expect_err("refuses");
        let newer = matches!(error, StoreError::Newer { found: 9999, .. });
        assert!(newer || matches!(error, StoreError::NotABackup { .. }), "{}: {error:?}", refused.display());
        assert_eq!(std::fs::read(dir.path().join("journal.db")).expect("reads"), before);
    }

    let restored = restore::restore(dir.path(), &backup, "x").await.expect("restores");
    let journal = Journal::open(dir.path()).await.expect("opens");
    assert_eq!(journal.entry("week-2").await.expect("read").expect("there").body, "old");
    journal.close().await;
    let kept = restored.kept.expect("the present one is kept");
    restore::restore(dir.path(), &kept, "y").await.expect("and can be restored itself");
    let journal = Journal::open(dir.path()).await.expect("opens");
    assert_eq!(journal.entry("week-2").await.expect("read").expect("there").body, "new");
}

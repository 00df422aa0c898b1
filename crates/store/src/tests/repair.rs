//! Repair of damaged journals.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::repair::repair;

/// The next number of a simple generator: tests have to be repeatable.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

fn numbered(n: u64) -> Id {
    format!("01KAVQ{n:020}").parse().expect("an id")
}

/// A journal with entries, some of them long, and evidence, and what it holds.
async fn filled(dir: &Path) -> (Vec<(Id, String)>, Vec<Frozen>) {
    let journal = Journal::open(dir).await.expect("opens");
    let (mut entries, mut captures) = (Vec::new(), Vec::new());
    for n in 0..60 {
        let body = format!("# Entry {n}\n{}", format!("line {n} äöü\n").repeat(if n % 3 == 0 { 1_500 } else { 20 }));
        let new = NewEntry { id: numbered(n), slug: format!("entry-{n}"), ..new_entry("2", &body) };
        let entry = journal.add_entry(&new, Nanos(1), "a").await.expect("added");
        entries.push((entry.row.id, body));
    }
    for n in 0..60 {
        let frozen = evidence_of(numbered(1_000 + n), &format!("span {n}"));
        let raw = vec![u8::try_from(n).expect("small"); 9_000];
        journal.add_evidence(&frozen, &raw, "a").await.expect("added");
        captures.push(frozen);
    }
    journal.close().await;
    (entries, captures)
}

fn overwrite_page(path: &Path, page: u64, seed: &mut u64) {
    use std::os::unix::fs::FileExt as _;
    let bytes: Vec<u8> = (0..4096).map(|_| next(seed).to_le_bytes()[0]).collect();
    let file = std::fs::File::options().write(true).open(path).expect("opens");
    file.write_all_at(&bytes, page * 4096).expect("writes");
}

/// Checks that everything is there as it was, or listed as lost; returns how much is there.
async fn compare(dir: &Path, entries: &[(Id, String)], captures: &[Frozen], lost: &BTreeSet<String>) -> (usize, usize) {
    let journal = Journal::open(dir).await.expect("opens");
    assert_eq!(journal.damage().await.expect("checks"), None);
    let mut there = (0, 0);
    for (id, body) in entries {
        let found = journal.entry(&id.to_string()).await.expect("reads");
        match found.is_some_and(|found| found.body == *body) {
            true => there.0 += 1,
            false => assert!(lost.contains(&id.to_string()), "entry {id} is missing and not listed"),
        }
    }
    for frozen in captures {
        let id = frozen.evidence.id;
        match journal.evidence(id).await.expect("reads") {
            Some(found) => {
                assert_eq!(found, *frozen);
                there.1 += 1;
            }
            None => assert!(lost.contains(&id.to_string()), "evidence {id} is missing and not listed"),
        }
    }
    journal.add_entry(&new_entry("3", "after"), Nanos(1), "a").await.expect("it can be written");
    journal.close().await;
    there
}

fn ids_of(repair: &crate::repair::Repair) -> BTreeSet<String> {
    repair.lost.iter().map(|lost| lost.id.clone()).collect()
}

#[tokio::test]
async fn pages_of_random_bytes_cost_what_was_on_them() {
    let original = TempDir::new().expect("a temporary directory");
    let (entries, captures) = filled(original.path()).await;
    let file = original.path().join("journal.db");
    let pages = std::fs::metadata(&file).expect("there").len() / 4096;
    let mut seed = 20_261_130;
    for round in 0..12 {
        let dir = TempDir::new().expect("a temporary directory");
        let path = dir.path().join("journal.db");
        std::fs::copy(&file, &path).expect("copies");
        // The header and root pages first, and then any.
        let hit: Vec<u64> = match round {
            0 => vec![0],
            1 => (1..30).collect(),
            _ => (0..4).map(|_| next(&mut seed) % pages).collect(),
        };
        for page in &hit {
            overwrite_page(&path, *page, &mut seed);
        }
        let before = std::fs::read(&path).expect("reads");
        let repaired = repair(dir.path(), "x").await.unwrap_or_else(|e| panic!("round {round}, pages {hit:?}: {e:?}"));
        if let Some(kept) = &repaired.kept {
            assert_eq!(std::fs::read(kept).expect("reads"), before, "the original is kept");
            assert!(!repaired.damage.is_empty());
        }
        let there = compare(dir.path(), &entries, &captures, &ids_of(&repaired)).await;
        // A page holds a few short entries, or a part of one long one.
        let least = 60_usize.saturating_sub(hit.len() * 8);
        assert!(round == 1 || (there.0 >= least && there.1 >= least), "round {round}, pages {hit:?}: {there:?}");
    }
}

#[tokio::test]
async fn entries_survive_in_their_revisions_and_evidence_is_named() {
    let dir = TempDir::new().expect("a temporary directory");
    let (entries, _) = filled(dir.path()).await;
    let path = dir.path().join("journal.db");
    // The pages with rows of entries, by what only such rows contain.
    let bytes = std::fs::read(&path).expect("reads");
    let mut seed = 7;
    for (page, bytes) in bytes.chunks(4096).enumerate() {
        if bytes[0] == 0x0d && bytes.windows(7).any(|w| w == b"entry-7") {
            overwrite_page(&path, page as u64, &mut seed);
        }
    }
    let repaired = repair(dir.path(), "x").await.expect("repairs");
    let journal = Journal::open(dir.path()).await.expect("opens");
    let (id, body) = &entries[7];
    let found = journal.entry(&id.to_string()).await.expect("reads").expect("it is put together again");
    assert_eq!((&found.body, found.row.title.as_str()), (body, "Entry 7"));
    let lost = repaired.lost.iter().find(|lost| lost.id == id.to_string()).expect("it is listed");
    assert_eq!((lost.kind, lost.title.as_str()), ("entry", "Entry 7"));
}

#[tokio::test]
async fn what_is_only_in_the_log_is_recovered_too() {
    let dir = TempDir::new().expect("a temporary directory");
    let journal = Journal::open(dir.path()).await.expect("opens");
    let entry = journal.add_entry(&new_entry("2", "in the file"), Nanos(1), "a").await.expect("added").row.id;
    journal.pools.empty_wal().await.expect("checkpoints");
    journal.write_text(&write(entry, None, "in the log"), Nanos(2), "a").await.expect("saved");
    for empty in [false, true] {
        // As it is after `kill -9`, and then with an empty or garbled file.
        let copy = TempDir::new().expect("a temporary directory");
        for name in ["journal.db", "journal.db-wal"] {
            std::fs::copy(dir.path().join(name), copy.path().join(name)).expect("copies");
        }
        let path = copy.path().join("journal.db");
        match empty {
            true => std::fs::write(&path, "").expect("writes"),
            false => overwrite_page(&path, 0, &mut 3),
        }
        let repaired = repair(copy.path(), "x").await.expect("repairs");
        assert!(repaired.lost.is_empty(), "{repaired:?}");
        let found = Journal::open(copy.path()).await.expect("opens");
        assert_eq!(found.entry("week-2").await.expect("reads").expect("there").body, "in the log", "{empty}");
    }
}

#[tokio::test]
async fn a_file_without_anything_to_recover_is_left_as_it_is() {
    let dir = TempDir::new().expect("a temporary directory");
    let path = dir.path().join("journal.db");
    std::fs::write(&path, "this is no database ".repeat(2_000)).expect("writes");
    let before = std::fs::read(&path).expect("reads");
    let error = repair(dir.path(), "x").await.expect_err("nothing to recover");
    assert!(matches!(error, StoreError::Lost { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).expect("reads"), before);
    assert_eq!(std::fs::read_dir(dir.path()).expect("lists").filter(|f| f.is_ok()).count(), 2, "it and the lock");
}

#[tokio::test]
async fn a_sound_journal_is_left_alone() {
    let dir = TempDir::new().expect("a temporary directory");
    filled(dir.path()).await;
    let before = std::fs::read(dir.path().join("journal.db")).expect("reads");
    assert_eq!(repair(dir.path(), "x").await.expect("examines"), crate::repair::Repair::default());
    assert_eq!(std::fs::read(dir.path().join("journal.db")).expect("reads"), before);
}

#[tokio::test]
async fn a_log_of_another_database_is_not_applied() {
    let dir = TempDir::new().expect("a temporary directory");
    let journal = Journal::open(dir.path()).await.expect("opens");
    journal.add_entry(&new_entry("2", "ours"), Nanos(1), "a").await.expect("added");
    journal.close().await;
    let other = TempDir::new().expect("a temporary directory");
    let theirs = Journal::open(other.path()).await.expect("opens");
    theirs.add_entry(&new_entry("9", "theirs"), Nanos(1), "a").await.expect("added");
    std::fs::copy(other.path().join("journal.db-wal"), dir.path().join("journal.db-wal")).expect("copies");
    let before = std::fs::read(dir.path().join("journal.db")).expect("reads");
    let error = Journal::open(dir.path()).await.expect_err("refuses");
    assert!(matches!(error, StoreError::Damaged(_)) && error.hint().contains("--repair"), "{error:?}");
    assert_eq!(std::fs::read(dir.path().join("journal.db")).expect("reads"), before, "nothing was applied");
    let repaired = repair(dir.path(), "x").await.expect("repairs");
    assert!(repaired.kept.is_some() && repaired.lost.is_empty(), "{repaired:?}");
    let journal = Journal::open(dir.path()).await.expect("opens");
    assert_eq!(journal.entry("week-2").await.expect("reads").expect("there").body, "ours");
    assert!(journal.entry("week-9").await.expect("reads").is_none());
}

//! What the command line cannot do: titles and weeks that both sides change, and a sync that is cancelled.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::ground::error::Code;
use crate::ground::schema::{Caller, EntryRename, SyncConflictKind, SyncRun, Synced};
use crate::testing::Home;

fn git(dir: &Path, args: &[&str]) {
    let run = Command::new("git").arg("-C").arg(dir).args(args).output().expect("git is there");
    assert!(run.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&run.stderr));
}

/// A bare remote, and a clone of it for each of two journals.
fn clones() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    git(dir.path(), &["init", "--quiet", "--bare", "-b", "main", "remote.git"]);
    let clone = |name: &str| {
        git(dir.path(), &["clone", "--quiet", "remote.git", name]);
        let clone = dir.path().join(name);
        git(&clone, &["config", "user.name", "T"]);
        git(&clone, &["config", "user.email", "t@example.org"]);
        git(&clone, &["config", "commit.gpgSign", "false"]);
        clone
    };
    let (a, b) = (clone("a"), clone("b"));
    (dir, a, b)
}

fn run(repo: &Path) -> SyncRun {
    SyncRun { repo: Some(repo.display().to_string()), branch: Some("main".to_owned()), ..SyncRun::default() }
}

impl Home {
    async fn sync(&self, repo: &Path) -> Synced {
        self.app.sync.sync(run(repo), &Caller::default()).await.expect("syncs")
    }

    async fn rename(&self, entry: &str, title: Option<&str>, week: Option<&str>) {
        let (title, week) = (title.map(str::to_owned), week.map(str::to_owned));
        let request = EntryRename { entry: entry.to_owned(), title, week };
        self.app.journal.entry_rename(request, &Caller::default()).await.expect("renames");
    }

    /// Title and week of an entry.
    async fn names(&self, entry: &str) -> (String, Option<String>) {
        let row = self.app.journal.find_entry(entry).await.expect("is there").row;
        (row.title, row.week)
    }
}

#[tokio::test]
async fn titles_and_weeks_are_merged_one_by_one() {
    let (_dir, at_a, at_b) = clones();
    let (a, b) = (Home::new().await, Home::new().await);
    let entry = a.entry("Notes", "# Notes\n\ntext\n").await;
    a.sync(&at_a).await;
    b.sync(&at_b).await;
    a.rename(&entry, Some("Of a"), None).await;
    b.rename(&entry, None, Some("2")).await;
    a.sync(&at_a).await;
    let done = b.sync(&at_b).await;
    assert!(done.conflicts.is_empty() && done.pushed, "{done:?}");
    a.sync(&at_a).await;
    for home in [&a, &b] {
        assert_eq!(home.names(&entry).await, ("Of a".to_owned(), Some("2".to_owned())));
    }
    // Both in different ways.
    a.rename(&entry, Some("A again"), Some("3")).await;
    b.rename(&entry, Some("B again"), Some("4")).await;
    a.sync(&at_a).await;
    let done = b.sync(&at_b).await;
    let kinds: Vec<_> = done.conflicts.iter().map(|conflict| conflict.kind).collect();
    assert_eq!(kinds, [SyncConflictKind::Title, SyncConflictKind::Week]);
    assert!(done.conflicts[0].message.ends_with("the other one: A again"), "{:?}", done.conflicts);
    a.sync(&at_a).await;
    for home in [&a, &b] {
        assert_eq!(home.names(&entry).await, ("B again".to_owned(), Some("4".to_owned())));
    }
    for (home, at) in [(&a, &at_a), (&b, &at_b)] {
        let quiet = home.sync(at).await;
        assert!(!quiet.pushed && quiet.imported.entries.is_empty(), "{quiet:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_sync_that_waits_for_a_hook_can_be_cancelled() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, at_a, _) = clones();
    let a = Home::new().await;
    a.entry("Notes", "# Notes\n\ntext\n").await;
    let (hook, waits) = (at_a.join(".git/hooks/pre-push"), dir.path().join("waits"));
    std::fs::write(&hook, format!("#!/bin/sh\necho $$ > {}\nexec sleep 60\n", waits.display())).expect("writes");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("sets");
    let caller = Caller { client: String::new(), call: "sync".to_owned() };
    let (app, request) = (a.app.clone(), run(&at_a));
    let syncing = tokio::spawn(async move { app.sync.sync(request, &caller).await });
    while !std::fs::read_to_string(&waits).is_ok_and(|pid| pid.ends_with('\n')) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(a.app.runtime.cancel("sync"));
    let ended = tokio::time::timeout(Duration::from_secs(20), syncing).await.expect("ends").expect("ends");
    assert_eq!(ended.expect_err("cancelled").code, Code::Cancelled);
    // The hook has ended, too, and the next sync begins where this one began.
    let pid = std::fs::read_to_string(&waits).expect("reads");
    let runs = || {
        let state = Command::new("ps").args(["-o", "stat=", "-p", pid.trim()]).output().expect("runs").stdout;
        // Whoever started it may not have asked yet how it ended.
        !state.is_empty() && !state.starts_with(b"Z")
    };
    let end = tokio::time::Instant::now() + Duration::from_secs(10);
    while runs() {
        assert!(tokio::time::Instant::now() < end, "the hook still runs");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    std::fs::remove_file(&hook).expect("removes");
    assert!(a.sync(&at_a).await.pushed);
}

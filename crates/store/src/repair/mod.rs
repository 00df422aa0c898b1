//! Repair of a damaged journal.
//!
//! SQLite reads a table from its root, so one damaged page can hide all rows below it. [`pages`] reads every page by
//! itself instead, and [`records`] recognises rows by their shape, so that only what was on damaged pages is lost.

mod pages;
mod records;
mod salvage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::backup::{newest_backup, still};
use crate::copy;
use crate::database::read_only;
use crate::error::{Left, StoreError};
use crate::identity::{JOURNAL_FILE, beside, restrict};
use crate::lock;
use crate::open::JOURNAL;
use crate::version::refuse_newer;
use salvage::Salvage;

/// How many problems of a damaged file are listed.
const MAX_PROBLEMS: u32 = 20;

/// What a repair found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// What is wrong with the file; empty if it is sound, and then nothing was done.
    pub damage: Vec<String>,
    /// The original.
    pub kept: Option<PathBuf>,
    /// Rows that were recovered, by table.
    pub recovered: BTreeMap<String, u64>,
    /// What could not be recovered, or not as a whole.
    pub lost: Vec<Lost>,
}

/// Something that a repair could not recover as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lost {
    /// `entry`, `evidence`, or `unknown` if only an id is left.
    pub kind: &'static str,
    /// Empty if it cannot be read.
    pub id: String,
    /// Title, or slug; empty if neither can be read.
    pub title: String,
    /// What of it is lost.
    pub detail: String,
}

/// Examines the journal of a directory, and if it is damaged, replaces it by what can be read of it. The original is
/// kept as `journal.db.damaged-…`, with `stamp` in its name.
///
/// # Errors
/// [`StoreError::InUse`], [`StoreError::Newer`]; [`StoreError::Lost`] if there is nothing to recover. The original is
/// untouched then.
pub async fn repair(directory: &Path, stamp: &str) -> Result<Repair, StoreError> {
    let _alone = lock::alone(directory)?;
    let journal = directory.join(JOURNAL_FILE);
    let log = beside(&journal, "-wal");
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let lost = |state| {
        let left = newest_backup(directory).map_or(Left::Nothing, Left::Backup);
        StoreError::Lost { path: journal.clone(), state, left }
    };
    if length(&journal) == 0 && length(&log) == 0 {
        return Err(lost(if journal.exists() { "is empty" } else { "is missing" }));
    }
    let damage = examine(&journal).await?;
    if damage.is_empty() {
        return Ok(Repair::default());
    }
    let folder = tempfile::Builder::new().prefix(".repair-").tempdir_in(directory)?;
    let fresh = folder.path().join(JOURNAL_FILE);
    let salvage = Salvage::read(&journal, &log)?;
    let (recovered, lost_rows) = build(&fresh, salvage, directory).await?;
    if ["entry", "evidence"].iter().all(|table| !recovered.contains_key(*table)) {
        return Err(lost("is damaged, and no entry or evidence can be read"));
    }
    let kept = keep_original(&journal, stamp)?;
    std::fs::rename(&fresh, &journal)?;
    copy::sync_folder(&journal);
    Ok(Repair { damage, kept: Some(kept), recovered, lost: lost_rows })
}

/// What is wrong with a journal.
async fn examine(journal: &Path) -> Result<Vec<String>, StoreError> {
    match refuse_newer(journal, &JOURNAL).await {
        Ok(()) => {}
        Err(StoreError::Damaged(damage)) => return Ok(vec![damage]),
        Err(error) => return Err(error),
    }
    // SQLite would remove a log whose database is empty.
    if std::fs::metadata(journal).map_or(0, |file| file.len()) == 0 {
        return Ok(vec!["the file is empty, and has a write-ahead log".to_owned()]);
    }
    let found = async {
        let mut connection = read_only(journal).await?;
        let sql = format!("PRAGMA integrity_check({MAX_PROBLEMS})");
        let problems = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await;
        let journal = crate::entries::is_journal(&mut connection).await;
        let evidence = crate::evidence::unreadable(&mut connection).await;
        connection.close().await?;
        let mut problems: Vec<String> = problems?;
        journal?;
        problems.extend(evidence?);
        Ok(problems)
    };
    match found.await {
        Ok(problems) => Ok(problems.into_iter().filter(|problem| problem != "ok").collect()),
        Err(StoreError::Damaged(damage) | StoreError::Other(damage)) => Ok(vec![damage]),
        Err(error) => Err(error),
    }
}

/// Writes what was salvaged into a new journal.
async fn build(
    fresh: &Path,
    mut salvage: Salvage,
    directory: &Path,
) -> Result<(BTreeMap<String, u64>, Vec<Lost>), StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(fresh)
        .create_if_missing(true)
        // Rows come in the order of their pages.
        .foreign_keys(false)
        .pragma("secure_delete", "ON");
    let mut connection = options.disable_statement_logging().connect().await?;
    restrict(fresh)?;
    JOURNAL.run(&mut connection).await?;
    let names = names_in_backup(directory).await;
    let tables = records::Table::all(&mut connection).await?;
    let (rows, lost) = salvage.rows(&tables, &names);
    let mut recovered = BTreeMap::new();
    let mut transaction = connection.begin().await?;
    for (table, record) in rows {
        if table.insert(&mut transaction, &record).await? {
            *recovered.entry(table.name.clone()).or_insert(0) += 1;
        }
    }
    transaction.commit().await?;
    if let Some(version) = salvage.user_version {
        sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {version}"))).execute(&mut connection).await?;
    }
    let sound: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut connection).await?;
    connection.close().await?;
    if sound != "ok" {
        return Err(StoreError::Damaged(format!("what was recovered is not sound: {sound}")));
    }
    std::fs::File::open(fresh)?.sync_all()?;
    Ok((recovered, lost))
}

/// The titles in the newest backup by id, to name what is lost.
async fn names_in_backup(directory: &Path) -> BTreeMap<String, String> {
    let Some(backup) = newest_backup(directory) else { return BTreeMap::new() };
    let titles = async {
        let mut connection = still(&backup).await?;
        let sql = format!("{} UNION ALL {}", crate::entries::TITLES, crate::evidence::TITLES);
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await;
        connection.close().await?;
        Ok::<_, StoreError>(rows?.iter().map(|row| (row.get("id"), row.get("title"))).collect())
    };
    // A backup only helps to name things.
    titles.await.unwrap_or_default()
}

/// Gives the original another name, with its log. The journal's name is free for the log of the next one then.
fn keep_original(journal: &Path, stamp: &str) -> Result<PathBuf, StoreError> {
    let kept = beside(journal, &format!(".damaged-{stamp}"));
    if std::fs::hard_link(journal, &kept).is_err() {
        std::fs::copy(journal, &kept)?;
    }
    let log = beside(journal, "-wal");
    if log.exists() {
        std::fs::rename(&log, beside(&kept, "-wal"))?;
    }
    let index = beside(journal, "-shm");
    if index.exists() {
        std::fs::remove_file(index)?;
    }
    copy::sync_folder(journal);
    Ok(kept)
}

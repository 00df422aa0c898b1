//! Putting a backup in the place of the journal.

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::backup::{self, Copied, digest};
use crate::copy;
use crate::error::StoreError;
use crate::identity::{JOURNAL_FILE, beside, restrict};
use crate::lock;
use crate::open::JOURNAL;
use crate::version::refuse_newer;

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub from: Copied,
    /// Where the previous journal is kept; `None` if there was none.
    pub kept: Option<PathBuf>,
}

/// Puts a backup in the place of the journal of a directory, and keeps the present one in the folder `backups`, with
/// `stamp` in its name.
///
/// # Errors
/// [`StoreError::NotABackup`], [`StoreError::Newer`], [`StoreError::InUse`]. The present journal is untouched then.
pub async fn restore(directory: &Path, file: &Path, stamp: &str) -> Result<Restored, StoreError> {
    let _alone = lock::alone(directory)?;
    let journal = directory.join(JOURNAL_FILE);
    let refused = |why: String| StoreError::NotABackup { path: file.to_owned(), why };
    if !std::fs::metadata(file).map_err(|e| refused(e.to_string()))?.is_file() {
        return Err(refused("it is not a file".to_owned()));
    }
    let from = digest(file)?;
    let folder = tempfile::Builder::new().prefix(".restore-").tempdir_in(directory)?;
    let copy = copied(file, folder.path())?;
    let newer = match refuse_newer(&copy, &JOURNAL).await {
        Ok(()) => None,
        Err(StoreError::Newer { found, known, .. }) => Some(StoreError::Newer { path: file.to_owned(), found, known }),
        Err(error) => return Err(refused(error.to_string())),
    };
    examine(&copy).await.map_err(|error| match error {
        StoreError::Full | StoreError::Io(_) | StoreError::ReadOnly(_) => error,
        other => refused(other.to_string()),
    })?;
    if let Some(newer) = newer {
        return Err(newer);
    }
    restrict(&copy)?;
    std::fs::File::open(&copy)?.sync_all()?;
    let kept = match std::fs::metadata(&journal).is_ok_and(|file| file.len() > 0) {
        true => Some(keep_present(&journal, &backup::folder(directory)?, stamp).await?),
        false => {
            move_log_away(&journal, stamp)?;
            None
        }
    };
    std::fs::rename(&copy, &journal)?;
    copy::sync_folder(&journal);
    Ok(Restored { from, kept })
}

/// A copy in a folder, with the write-ahead log of a database that was not closed.
fn copied(file: &Path, folder: &Path) -> Result<PathBuf, StoreError> {
    let copy = folder.join(JOURNAL_FILE);
    std::fs::copy(file, &copy)?;
    let log = beside(file, "-wal");
    if std::fs::metadata(&log).is_ok_and(|log| log.is_file() && log.len() > 0) {
        std::fs::copy(log, beside(&copy, "-wal"))?;
    }
    Ok(copy)
}

/// Checks that a file is an undamaged journal, and makes it one file without a mark.
async fn examine(copy: &Path) -> Result<(), StoreError> {
    let options =
        SqliteConnectOptions::new().filename(copy).journal_mode(SqliteJournalMode::Delete).create_if_missing(false);
    let mut connection = options.disable_statement_logging().connect().await?;
    let examined = async {
        let found: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut connection).await?;
        if found != "ok" {
            return Err(StoreError::Damaged(found));
        }
        crate::entries::is_journal(&mut connection).await?;
        sqlx::query("PRAGMA application_id = 0").execute(&mut connection).await?;
        Ok(())
    };
    let examined = examined.await;
    connection.close().await?;
    examined
}

/// Keeps the present journal under another name, as one file if it is sound.
async fn keep_present(journal: &Path, folder: &Path, stamp: &str) -> Result<PathBuf, StoreError> {
    let kept = folder.join(format!("journal-before-restore-{stamp}.db"));
    let options =
        SqliteConnectOptions::new().filename(journal).journal_mode(SqliteJournalMode::Delete).create_if_missing(false);
    // Brings the log into the file; a damaged one keeps its log beside it.
    if let Ok(connection) = options.disable_statement_logging().connect().await {
        connection.close().await?;
    }
    for suffix in ["-wal", "-shm"] {
        let file = beside(journal, suffix);
        if file.exists() {
            std::fs::rename(&file, beside(&kept, suffix))?;
        }
    }
    // The restored file takes the name in one step, so that there is a journal at any moment.
    if std::fs::hard_link(journal, &kept).is_err() {
        std::fs::copy(journal, &kept)?;
    }
    copy::sync_folder(&kept);
    Ok(kept)
}

/// A log without its database would be applied to the restored one.
fn move_log_away(journal: &Path, stamp: &str) -> Result<(), StoreError> {
    for suffix in ["-wal", "-shm"] {
        let file = beside(journal, suffix);
        if file.exists() {
            std::fs::rename(&file, beside(&file, &format!(".before-restore-{stamp}")))?;
        }
    }
    Ok(())
}

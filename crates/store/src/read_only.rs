//! Databases that cannot be written: a read-only file system, or files and folders of somebody else.
//!
//! SQLite reads a database with a write-ahead log only with the log's index beside it, which it creates where it is
//! missing. Without a log there is nothing to index, and the file is opened as one that does not change.

use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::error::StoreError;
use crate::identity::{beside, name};

/// Why a database cannot be written; `None` if it can, or if there is neither it nor its directory.
pub(crate) fn why(path: &Path) -> Option<String> {
    let folder = path.parent()?;
    // SQLite also writes files beside the database.
    if let Some(why) = refused(folder) {
        return Some(format!("{}: {why}", folder.display()));
    }
    refused(path).map(|why| format!("{}: {why}", name(path)))
}

#[cfg(unix)]
fn refused(path: &Path) -> Option<&'static str> {
    use rustix::fs::{Access, access};
    use rustix::io::Errno;
    match access(path, Access::WRITE_OK) {
        Err(Errno::ROFS) => Some("the file system is mounted read-only"),
        Err(Errno::ACCESS | Errno::PERM) => Some("it belongs to somebody else, or is write-protected"),
        Ok(()) | Err(_) => None,
    }
}

#[cfg(not(unix))]
fn refused(path: &Path) -> Option<&'static str> {
    let read_only = path.is_file() && std::fs::metadata(path).is_ok_and(|file| file.permissions().readonly());
    read_only.then_some("it is write-protected")
}

/// Options of a connection that only reads.
pub(crate) fn options(path: &Path) -> Result<SqliteConnectOptions, StoreError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
    let Some(why) = why(path) else { return Ok(options) };
    if !path.exists() {
        return Err(StoreError::ReadOnly(format!("{why}, and there is no {}", name(path))));
    }
    let log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    Ok(if log { options } else { options.immutable(true) })
}

//! Why an operation failed, by what the user can do about it.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why an operation failed; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A later version wrote the database.
    #[error("{path} was written by a newer Tracebook (its schema is {found}, this version knows up to {known}); nothing was changed", path = path.display())]
    Newer {
        path: PathBuf,
        /// Schema of the database.
        found: i64,
        /// The latest schema that this version knows.
        known: i64,
    },
    #[error("the disk is full")]
    Full,
    /// The file or its directory cannot be written.
    #[error("the database cannot be written: {0}")]
    ReadOnly(String),
    /// Another process held the write lock for too long.
    #[error("another program is writing to the database")]
    Busy,
    /// The path of an open database, or of its write-ahead log, leads to another file or to none.
    #[error("{path} was {change} while it was open; nothing was written", path = path.display())]
    Replaced { path: PathBuf, change: Change },
    /// There is no journal where there was one.
    #[error("{path} {state}, although this directory was used before; nothing was changed", path = path.display())]
    Lost {
        path: PathBuf,
        /// `is empty`, `is missing`.
        state: &'static str,
        /// What is left to restore from: a backup, or a write-ahead log.
        left: Left,
    },
    /// Other processes have the journal open.
    #[error("{by} has this journal open")]
    InUse {
        /// `process 7 (tracebook)`, or `another program`.
        by: String,
    },
    /// A file that is not an earlier backup of this journal stands where a backup is to be written.
    #[error("{path} exists, and is not an earlier backup of this journal; it was not overwritten", path = path.display())]
    NotOurs { path: PathBuf },
    /// A file that is not a backup of a journal.
    #[error("{path} is not a backup of a journal: {why}; nothing was changed", path = path.display())]
    NotABackup { path: PathBuf, why: String },
    /// Not a database, or a damaged one.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The disk cannot be read or written.
    #[error("the disk failed: {0}")]
    Io(String),
    /// SQLite refuses the values themselves: too large, or against a constraint.
    #[error("the database refused the data: {0}")]
    Invalid(String),
    #[error("the database failed: {0}")]
    Other(String),
}

/// What happened to a file that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is no file of this name any more.
    Missing,
    /// Another file has its name.
    Replaced,
    /// Another database was written into it.
    Overwritten,
    /// The end of the file is missing.
    CutOff,
}

/// What a lost journal can be restored from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// The newest backup.
    Backup(PathBuf),
    /// A write-ahead log with what was written last.
    Log,
    /// Telemetry only.
    Nothing,
}

impl StoreError {
    /// Whether the same write may succeed later: after there is room again, or the file was repaired or replaced.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Full
            | Self::ReadOnly(_)
            | Self::Busy
            | Self::Replaced { .. }
            | Self::InUse { .. }
            | Self::Damaged(_)
            | Self::Io(_)
            | Self::Other(_) => true,
            Self::Newer { .. }
            | Self::Lost { .. }
            | Self::NotOurs { .. }
            | Self::NotABackup { .. }
            | Self::Invalid(_) => false,
        }
    }

    /// What the user can do.
    pub fn hint(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Newer { .. } => "Update Tracebook, or use another data directory with --data",
            Self::Full => "Free some disk space; unsaved changes are kept and retried",
            Self::ReadOnly(_) => {
                "Make the data directory writable, or choose another one with --data or TRACEBOOK_DATA"
            }
            Self::Busy => "Try again in a moment; if it persists, close other Tracebook processes",
            Self::Replaced { change: Change::Missing, .. } => {
                "Put the file back where it was; unsaved changes are kept and retried"
            }
            Self::Replaced { change: Change::Replaced | Change::Overwritten, .. } => {
                "Tracebook opens the file that is there now, if it is a healthy journal; unsaved changes are kept and retried"
            }
            Self::Replaced { change: Change::CutOff, .. } => {
                "Exit Tracebook, then `tracebook doctor --repair` salvages what is left, or `tracebook restore` takes a backup; unsaved changes are kept until then"
            }
            Self::Lost { left: Left::Backup(backup), path, .. } => {
                return Cow::Owned(format!(
                    "The newest backup is {}: `tracebook restore` it. To start a new journal, use another directory with --data, or move the folder {} away first",
                    backup.display(),
                    path.with_file_name("backups").display()
                ));
            }
            Self::Lost { left: Left::Log, .. } => {
                "Its write-ahead log is still there: `tracebook doctor --repair` salvages what is in it"
            }
            Self::Lost { left: Left::Nothing, .. } => {
                "Put a copy of the journal in its place, or move the empty file away to start a new journal"
            }
            Self::InUse { .. } => "Close the window, end `tracebook serve`, and try again",
            Self::NotOurs { .. } => "Choose another file name",
            Self::NotABackup { .. } => "`tracebook backup FILE` writes one; daily ones are in the folder `backups`",
            Self::Damaged(_) => {
                "Close Tracebook and run `tracebook doctor --repair`, which keeps a copy of the file and salvages what can be read"
            }
            Self::Io(_) => "Check the disk and its connection; unsaved changes are kept and retried",
            Self::Invalid(_) | Self::Other(_) => "See the message; the data is unchanged",
        })
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Missing => "deleted or moved",
            Self::Replaced => "replaced by another file",
            Self::Overwritten => "overwritten by another program",
            Self::CutOff => "cut off by another program",
        })
    }
}

/// How often SQLite reported damage to this process. It does so for single statements, of either database and anywhere,
/// so they are counted here; [`damage_reported`] tells when to look for it.
static DAMAGE: AtomicU64 = AtomicU64::new(0);

/// How often SQLite reported damage to this process since it was started.
pub fn damage_reported() -> u64 {
    DAMAGE.load(Ordering::Relaxed)
}

fn damaged(text: String) -> StoreError {
    DAMAGE.fetch_add(1, Ordering::Relaxed);
    StoreError::Damaged(text)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        let code = match &error {
            sqlx::Error::Database(db) => db.code().and_then(|c| c.parse::<u32>().ok()),
            sqlx::Error::PoolTimedOut => return Self::Busy,
            sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => return Self::Full,
            _ => None,
        };
        // Primary result codes of https://sqlite.org/rescode.html; extended ones carry them in the low byte.
        match code.map(|c| (c & 0xff, c)) {
            Some((13, _)) => Self::Full,
            // IOERR_WRITE, IOERR_FSYNC, IOERR_TRUNCATE, IOERR_SHMSIZE: a full disk also shows as these.
            Some((10, 778 | 1034 | 1546 | 4874)) => Self::Full,
            // IOERR_CORRUPTFS: the file system says so itself.
            Some((10, 8458)) => damaged(text),
            Some((10, _)) => Self::Io(text),
            Some((8 | 14, _)) => Self::ReadOnly(text),
            Some((5 | 6, _)) => Self::Busy,
            Some((11 | 26, _)) => damaged(text),
            // TOOBIG, CONSTRAINT, MISMATCH, RANGE.
            Some((18 | 19 | 20 | 25, _)) => Self::Invalid(text),
            _ => Self::Other(text),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => {
                error.into()
            }
            // Another schema, or another version's of this one.
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Self::Full,
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::NotFound => Self::ReadOnly(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

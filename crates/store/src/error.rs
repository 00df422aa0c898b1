//! Why an operation failed, by what the user can do about it.

use std::path::PathBuf;

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

impl StoreError {
    /// Whether the same write may succeed later: after there is room again, or the file was repaired or replaced.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Full | Self::ReadOnly(_) | Self::Busy | Self::Damaged(_) | Self::Io(_) | Self::Other(_) => true,
            Self::Newer { .. } | Self::Invalid(_) => false,
        }
    }

    /// What the user can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "Update Tracebook, or use another data directory with --data",
            Self::Full => "Free some disk space; unsaved changes are kept and retried",
            Self::ReadOnly(_) => {
                "Make the data directory writable, or choose another one with --data or TRACEBOOK_DATA"
            }
            Self::Busy => "Try again in a moment; if it persists, close other Tracebook processes",
            Self::Damaged(_) => {
                "Close Tracebook and run `tracebook doctor --repair`, which keeps a copy of the file and salvages what can be read"
            }
            Self::Io(_) => "Check the disk and its connection; unsaved changes are kept and retried",
            Self::Invalid(_) | Self::Other(_) => "See the message; the data is unchanged",
        }
    }
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
            Some((10, 8458)) => Self::Damaged(text),
            Some((10, _)) => Self::Io(text),
            Some((8 | 14, _)) => Self::ReadOnly(text),
            Some((5 | 6, _)) => Self::Busy,
            Some((11 | 26, _)) => Self::Damaged(text),
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
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => Self::Full,
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::NotFound => Self::ReadOnly(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

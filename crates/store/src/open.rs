//! Opening and creating the databases.

use std::path::Path;
use std::sync::Arc;

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteSynchronous;

use crate::backup::newest_backup;
use crate::database::{Journal, Pools, Setup, Telemetry};
use crate::error::{Left, StoreError};
use crate::identity::{JOURNAL_FILE, TELEMETRY_FILE, beside};
use crate::limits::{Kind, Limits, PAGE, wal_share};
use crate::{console, errors, logs, read_only, traces};

pub(crate) static JOURNAL: Migrator = sqlx::migrate!("../../migrations/journal");
pub(crate) static TELEMETRY: Migrator = sqlx::migrate!("../../migrations/telemetry");

/// The kinds of telemetry that go when room is needed.
static KINDS: [&Kind; 4] = [&traces::KIND, &logs::KIND, &errors::KIND, &console::KIND];

impl Journal {
    /// Opens or creates `journal.db` in a directory that exists.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a later version wrote it; then nothing was touched.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        let setup = Setup {
            synchronous: SqliteSynchronous::Full,
            // A purged body must not be readable in a freed page.
            secure_delete: "ON",
            cache_size: "-2000",
            wal_autocheckpoint: "1000".to_owned(),
            journal_size_limit: "-1".to_owned(),
            migrator: &JOURNAL,
            backup: true,
        };
        refuse_lost(directory)?;
        let pools = Pools::open(directory.join(JOURNAL_FILE), setup).await?;
        Ok(Self { pools })
    }

    /// The number of the newest migration that was applied.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        self.pools.schema_version().await
    }

    /// Why nothing can be written, if it is open for reading only.
    pub fn read_only(&self) -> Option<String> {
        self.pools.read_only()
    }

    /// Checkpoints the write-ahead log and closes the database.
    pub async fn close(&self) {
        self.pools.close().await;
    }
}

/// Refuses to start a new journal in a directory that had one: SQLite takes an empty file for a new database, and
/// removes a log that has none.
fn refuse_lost(directory: &Path) -> Result<(), StoreError> {
    let path = directory.join(JOURNAL_FILE);
    let length = std::fs::metadata(&path).ok().map(|file| file.len());
    let state = match length {
        Some(1..) => return Ok(()),
        Some(0) => "is empty",
        None => "is missing",
    };
    let log = std::fs::metadata(beside(&path, "-wal")).is_ok_and(|log| log.len() > 0);
    let left = match newest_backup(directory) {
        _ if log => Left::Log,
        Some(backup) => Left::Backup(backup),
        None if length.is_some() && directory.join(TELEMETRY_FILE).exists() => Left::Nothing,
        // The first start was interrupted, or there was none.
        None => return Ok(()),
    };
    Err(StoreError::Lost { path, state, left })
}

impl Telemetry {
    /// Opens or creates `telemetry.db` in a directory that exists, without a size limit.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a later version wrote it; then nothing was touched.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::open_within(directory, u64::MAX).await
    }

    /// Opens or creates `telemetry.db`, of which at most `limit_bytes` are in use. The file is hardly larger; beside it
    /// lies a write-ahead log of an eighth, at most 32 MiB, or twice that while it is being read all the time.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a later version wrote it; then nothing was touched.
    pub async fn open_within(directory: &Path, limit_bytes: u64) -> Result<Self, StoreError> {
        let wal = wal_share(limit_bytes);
        let setup = Setup {
            synchronous: SqliteSynchronous::Normal,
            // Old records go all the time, and overwriting them would cost as much as writing them did.
            secure_delete: "FAST",
            cache_size: "-16000",
            wal_autocheckpoint: (wal / PAGE).to_string(),
            journal_size_limit: wal.to_string(),
            migrator: &TELEMETRY,
            // A copy would outlive the limits of size and age, and what is lost here can be sent again.
            backup: false,
        };
        let path = directory.join(TELEMETRY_FILE);
        let pools = match Pools::open(path.clone(), setup.clone()).await {
            // The journal must open without it.
            Err(StoreError::ReadOnly(_)) if let Some(why) = read_only::why(&path) => {
                Pools::open_empty(&path, setup, why).await?
            }
            opened => opened?,
        };
        Ok(Self { pools, limits: Arc::new(Limits::new(limit_bytes, &KINDS)) })
    }

    /// The number of the newest migration that was applied.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        self.pools.schema_version().await
    }

    /// Why nothing can be written, if it is open for reading only.
    pub fn read_only(&self) -> Option<String> {
        self.pools.read_only()
    }

    pub async fn close(&self) {
        self.pools.close().await;
    }
}

//! Opening a database: whose it is, how it is written, what must be so before anything is touched.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, Sqlite, Transaction};

use crate::bounds::{Bounds, log_share};
use crate::error::StoreError;

static JOURNAL: Migrator = sqlx::migrate!("../../migrations/journal");
pub(crate) static TELEMETRY: Migrator = sqlx::migrate!("../../migrations/telemetry");

/// `journal.db`: entries, revisions, evidence. Survives a power cut.
#[derive(Clone, Debug)]
pub struct Journal {
    pub(crate) pools: Pools,
}

/// `telemetry.db`: what receivers took in. Survives `kill -9`, not a power cut.
#[derive(Clone, Debug)]
pub struct Telemetry {
    pub(crate) pools: Pools,
    pub(crate) bounds: Arc<Bounds>,
}

/// How long is waited for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a page, SQLite's default.
pub(crate) const PAGE: u64 = 4096;

/// How a database is opened.
struct Setup {
    synchronous: SqliteSynchronous,
    secure_delete: &'static str,
    /// In KiB, negative.
    cache_size: &'static str,
    /// In pages.
    wal_autocheckpoint: String,
    /// In bytes.
    journal_size_limit: String,
    migrator: &'static Migrator,
    /// Whether a copy is kept before its schema changes.
    backup: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Pools {
    writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) path: PathBuf,
}

impl Journal {
    /// Opens or creates `journal.db` in a directory that exists.
    ///
    /// # Errors
    /// [`StoreError::Newer`] where a later version wrote it: then nothing was touched.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        // A purged body must not be readable in a freed page.
        let setup = Setup {
            synchronous: SqliteSynchronous::Full,
            secure_delete: "ON",
            cache_size: "-2000",
            wal_autocheckpoint: "1000".to_owned(),
            journal_size_limit: "-1".to_owned(),
            migrator: &JOURNAL,
            backup: true,
        };
        let pools = Pools::open(directory.join("journal.db"), setup).await?;
        Ok(Self { pools })
    }

    /// Writes what is still only in the write-ahead log into the database, and closes it.
    pub async fn close(&self) {
        self.pools.close().await;
    }
}

impl Telemetry {
    /// Opens or creates `telemetry.db` in a directory that exists, with no limit to its size.
    ///
    /// # Errors
    /// [`StoreError::Newer`] where a later version wrote it: then nothing was touched.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::open_within(directory, u64::MAX).await
    }

    /// Opens or creates `telemetry.db`, of which at most so many bytes are to be in use. The file is hardly larger; beside it lies
    /// a write-ahead log of an eighth, at most 32 MiB, or twice that where it is being read all the time.
    ///
    /// # Errors
    /// [`StoreError::Newer`] where a later version wrote it: then nothing was touched.
    pub async fn open_within(directory: &Path, limit_bytes: u64) -> Result<Self, StoreError> {
        let log = log_share(limit_bytes);
        let setup = Setup {
            synchronous: SqliteSynchronous::Normal,
            // What is too old goes all the time, and overwriting it would cost as much as writing it did.
            secure_delete: "FAST",
            cache_size: "-16000",
            wal_autocheckpoint: (log / PAGE).to_string(),
            journal_size_limit: log.to_string(),
            migrator: &TELEMETRY,
            // It would outlive the limits of size and age, and nothing that is lost here cannot be sent again.
            backup: false,
        };
        let pools = Pools::open(directory.join("telemetry.db"), setup).await?;
        Ok(Self { pools, bounds: Arc::new(Bounds::new(limit_bytes)) })
    }

    /// Closes it.
    pub async fn close(&self) {
        self.pools.close().await;
    }
}

impl Pools {
    async fn open(path: PathBuf, setup: Setup) -> Result<Self, StoreError> {
        refuse_newer(&path, setup.migrator).await?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(setup.synchronous)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .pragma("secure_delete", setup.secure_delete)
            .pragma("cache_size", setup.cache_size)
            .pragma("wal_autocheckpoint", setup.wal_autocheckpoint)
            .pragma("journal_size_limit", setup.journal_size_limit)
            .disable_statement_logging();
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.clone())
            .await?;
        restrict(&path)?;
        migrate(&writer, &path, setup.migrator, setup.backup).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.create_if_missing(false).read_only(true))
            .await?;
        Ok(Self { writer, readers, path })
    }

    /// The one write transaction at a time; takes the lock at once, so that two processes wait for each
    /// other here and not half-way.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Moves the write-ahead log into the database and empties it.
    pub(crate) async fn empty_log(&self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await?;
        Ok(())
    }

    /// Bytes of the write-ahead log on disk; 0 where there is none.
    pub(crate) fn log_size(&self) -> u64 {
        let mut path = self.path.clone().into_os_string();
        path.push("-wal");
        std::fs::metadata(path).map_or(0, |log| log.len())
    }

    /// Moves the write-ahead log into the database and empties it, unless somebody reads from it for longer than a moment; whether it
    /// is empty.
    pub(crate) async fn cut_log(&self) -> Result<bool, StoreError> {
        let mut connection = self.writer.acquire().await?;
        let wait = async |connection: &mut sqlx::SqliteConnection, patience: Duration| -> Result<(), StoreError> {
            let sql = format!("PRAGMA busy_timeout = {}", patience.as_millis());
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(connection).await?;
            Ok(())
        };
        wait(&mut connection, Duration::from_millis(200)).await?;
        let busy = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await;
        wait(&mut connection, PATIENCE).await?;
        Ok(busy.is_ok_and(|busy: i64| busy == 0))
    }

    /// Writes everything anew without what is free, and gives that back to the system.
    pub(crate) async fn compact(&self) -> Result<(), StoreError> {
        sqlx::query("VACUUM").execute(&self.writer).await?;
        // The whole database is in the write-ahead log now.
        self.cut_log().await?;
        Ok(())
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Looks without writing: a database of a later version must not even get a write-ahead log from us.
async fn refuse_newer(path: &Path, migrator: &Migrator) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    let known = migrator.iter().map(|m| m.version).max().unwrap_or(0);
    let mut connection = SqliteConnectOptions::new().filename(path).read_only(true).connect().await?;
    let found = sqlx::query("SELECT max(version) AS version FROM _sqlx_migrations").fetch_one(&mut connection).await;
    connection.close().await?;
    match found.map(|row| row.get::<Option<i64>, _>("version")) {
        Ok(Some(found)) if found > known => Err(StoreError::Newer { path: path.to_owned(), found, known }),
        Ok(_) => Ok(()),
        // No such table: an empty database of ours that was cut off at birth.
        Err(sqlx::Error::Database(db)) if db.message().contains("no such table") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Brings the schema up to date, where asked after a backup if there is something to lose.
async fn migrate(writer: &SqlitePool, path: &Path, migrator: &Migrator, backup: bool) -> Result<(), StoreError> {
    let mut connection = writer.acquire().await?;
    connection.ensure_migrations_table("_sqlx_migrations").await?;
    let applied = connection.list_applied_migrations("_sqlx_migrations").await?;
    let pending = migrator.iter().any(|m| !applied.iter().any(|a| a.version == m.version));
    if backup
        && pending
        && let Some(last) = applied.iter().map(|a| a.version).max()
    {
        let backup = path.with_extension(format!("before-schema-{}.bak", last + 1));
        if !backup.exists() {
            sqlx::query("VACUUM INTO ?").bind(backup.to_string_lossy().as_ref()).execute(&mut *connection).await?;
            restrict(&backup)?;
        }
    }
    drop(connection);
    if pending {
        migrator.run(writer).await?;
    }
    Ok(())
}

#[cfg(unix)]
fn restrict(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?)
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> Result<(), StoreError> {
    Ok(())
}

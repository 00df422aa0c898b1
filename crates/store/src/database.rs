//! The two databases and their connections: one writer, several readers, migrations.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, Sqlite, Transaction};
use tracing::Instrument as _;

use crate::error::StoreError;
use crate::limits::Limits;
use crate::sql::Query;

/// `journal.db`: entries, revisions, evidence. Survives a power cut.
#[derive(Clone, Debug)]
pub struct Journal {
    pub(crate) pools: Pools,
}

/// `telemetry.db`: what receivers took in. Survives `kill -9`, not a power cut.
#[derive(Clone, Debug)]
pub struct Telemetry {
    pub(crate) pools: Pools,
    pub(crate) limits: Arc<Limits>,
}

impl Telemetry {
    /// Runs one statement in a transaction; returns whether it changed a row.
    pub(crate) async fn changed<'q>(
        &self,
        sql: &'static str,
        bind: impl FnOnce(Query<'q>) -> Query<'q>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pools.write().await?;
        let done = bind(sqlx::query(sql)).execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(done > 0)
    }
}

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for readers before the write-ahead log is truncated: writers wait meanwhile.
const TRUNCATE_TIMEOUT: Duration = Duration::from_millis(200);

/// How long to wait for a connection of the pool.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// How a database is opened.
pub(crate) struct Setup {
    pub(crate) synchronous: SqliteSynchronous,
    pub(crate) secure_delete: &'static str,
    /// In KiB, negative.
    pub(crate) cache_size: &'static str,
    /// In pages.
    pub(crate) wal_autocheckpoint: String,
    /// In bytes.
    pub(crate) journal_size_limit: String,
    pub(crate) migrator: &'static Migrator,
    /// Whether a copy is kept before the schema changes.
    pub(crate) backup: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Pools {
    writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) path: PathBuf,
}

impl Pools {
    pub(crate) async fn open(path: PathBuf, setup: Setup) -> Result<Self, StoreError> {
        let span = tracing::debug_span!("open", database = %name(&path));
        Self::connect(path, setup).instrument(span).await
    }

    async fn connect(path: PathBuf, setup: Setup) -> Result<Self, StoreError> {
        refuse_newer(&path, setup.migrator).await?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(setup.synchronous)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("secure_delete", setup.secure_delete)
            .pragma("cache_size", setup.cache_size)
            .pragma("wal_autocheckpoint", setup.wal_autocheckpoint)
            .pragma("journal_size_limit", setup.journal_size_limit)
            .disable_statement_logging();
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // SQLite itself rolls back a transaction that ran out of space. sqlx then still counts it as open, and so
            // would refuse every later transaction on this connection: such a connection is closed and replaced.
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(options.clone())
            .await?;
        restrict(&path)?;
        migrate(&writer, &path, setup.migrator, setup.backup).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.create_if_missing(false).read_only(true))
            .await?;
        tracing::debug!("opened");
        Ok(Self { writer, readers, path })
    }

    /// Begins the one write transaction at a time. It takes the lock at once, so that two processes wait for each other
    /// here and not in the middle of a transaction.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// The number of the newest migration that was applied.
    pub(crate) async fn schema_version(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&self.readers).await?)
    }

    /// Checkpoints the write-ahead log and truncates it.
    pub(crate) async fn empty_wal(&self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await?;
        Ok(())
    }

    /// Bytes of the write-ahead log on disk; 0 if there is none.
    pub(crate) fn wal_size(&self) -> u64 {
        let mut path = self.path.clone().into_os_string();
        path.push("-wal");
        std::fs::metadata(path).map_or(0, |log| log.len())
    }

    /// Like [`Pools::empty_wal`], but gives up soon if a reader holds it; returns whether the log is empty.
    pub(crate) async fn try_empty_wal(&self) -> Result<bool, StoreError> {
        let mut connection = self.writer.acquire().await?;
        let set_timeout =
            async |connection: &mut sqlx::SqliteConnection, timeout: Duration| -> Result<(), StoreError> {
                let sql = format!("PRAGMA busy_timeout = {}", timeout.as_millis());
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(connection).await?;
                Ok(())
            };
        set_timeout(&mut connection, TRUNCATE_TIMEOUT).await?;
        let busy = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await;
        set_timeout(&mut connection, BUSY_TIMEOUT).await?;
        Ok(busy.is_ok_and(|busy: i64| busy == 0))
    }

    /// Rewrites the database without its free pages.
    pub(crate) async fn compact(&self) -> Result<(), StoreError> {
        sqlx::query("VACUUM").execute(&self.writer).await?;
        // The whole database is in the write-ahead log now.
        self.try_empty_wal().await?;
        Ok(())
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The pages of the database.
#[derive(Clone, Copy)]
pub(crate) struct Pages {
    pub(crate) all: u64,
    pub(crate) free: u64,
    /// Bytes of one page.
    pub(crate) size: u64,
}

impl Pages {
    pub(crate) async fn of<'c>(executor: impl sqlx::Executor<'c, Database = Sqlite>) -> Result<Self, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT page_count FROM pragma_page_count) AS pages, (SELECT freelist_count FROM pragma_freelist_count) AS free,
               (SELECT page_size FROM pragma_page_size) AS size",
        )
        .fetch_one(executor)
        .await?;
        let of = |column: &str| u64::try_from(row.get::<i64, _>(column)).unwrap_or(0);
        Ok(Self { all: of("pages"), free: of("free"), size: of("size") })
    }

    /// Bytes in use.
    pub(crate) fn used(self) -> u64 {
        self.all.saturating_sub(self.free).saturating_mul(self.size)
    }
}

/// Checks the version read-only: a database of a later version must not even get a write-ahead log.
async fn refuse_newer(path: &Path, migrator: &Migrator) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    let known = migrator.iter().map(|m| m.version).max().unwrap_or(0);
    let mut connection = SqliteConnectOptions::new().filename(path).read_only(true).connect().await?;
    let found = sqlx::query("SELECT max(version) AS version FROM _sqlx_migrations").fetch_one(&mut connection).await;
    connection.close().await?;
    match found.map(|row| row.get::<Option<i64>, _>("version")) {
        Ok(Some(found)) if found > known => {
            tracing::warn!(database = %name(path), found, known, "refused: a newer version wrote this database");
            Err(StoreError::Newer { path: path.to_owned(), found, known })
        }
        Ok(_) => Ok(()),
        // No such table: the creation of the database was interrupted.
        Err(sqlx::Error::Database(db)) if db.message().contains("no such table") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Brings the schema up to date, if wanted with a backup first. A database that is new needs none.
async fn migrate(writer: &SqlitePool, path: &Path, migrator: &Migrator, backup: bool) -> Result<(), StoreError> {
    let mut connection = writer.acquire().await?;
    connection.ensure_migrations_table("_sqlx_migrations").await?;
    let applied = connection.list_applied_migrations("_sqlx_migrations").await?;
    let pending = migrator.iter().any(|m| !applied.iter().any(|a| a.version == m.version));
    let last = applied.iter().map(|a| a.version).max();
    if backup
        && pending
        && let Some(last) = last
    {
        let backup = path.with_extension(format!("before-schema-{}.bak", last + 1));
        if !backup.exists() {
            sqlx::query("VACUUM INTO ?").bind(backup.to_string_lossy().as_ref()).execute(&mut *connection).await?;
            restrict(&backup)?;
            tracing::info!(backup = %name(&backup), "kept a copy before the schema changes");
        }
    }
    drop(connection);
    if pending {
        migrator.run(writer).await?;
        let to = migrator.iter().map(|m| m.version).max();
        tracing::info!(database = %name(path), from = last, to, "schema migrated");
    }
    Ok(())
}

/// The file's name, for diagnostics: the folders above may name the user.
fn name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
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

//! Opening a database: whose it is, how it is written, what must be so before anything is touched.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, Sqlite, Transaction};

use crate::error::StoreError;

static JOURNAL: Migrator = sqlx::migrate!("../../migrations/journal");
static TELEMETRY: Migrator = sqlx::migrate!("../../migrations/telemetry");

/// `journal.db`: entries, revisions, evidence. Survives a power cut.
#[derive(Clone, Debug)]
pub struct Journal {
    pub(crate) pools: Pools,
}

/// `telemetry.db`: what receivers took in. Survives `kill -9`, not a power cut.
#[derive(Clone, Debug)]
pub struct Telemetry {
    pub(crate) pools: Pools,
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
        let pools = Pools::open(directory.join("journal.db"), SqliteSynchronous::Full, "ON", "-2000", &JOURNAL).await?;
        Ok(Self { pools })
    }

    /// Writes what is still only in the write-ahead log into the database, and closes it.
    pub async fn close(&self) {
        self.pools.close().await;
    }
}

impl Telemetry {
    /// Opens or creates `telemetry.db` in a directory that exists.
    ///
    /// # Errors
    /// [`StoreError::Newer`] where a later version wrote it: then nothing was touched.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        // What is too old goes all the time, and overwriting it would cost as much as writing it did.
        let pools =
            Pools::open(directory.join("telemetry.db"), SqliteSynchronous::Normal, "FAST", "-16000", &TELEMETRY)
                .await?;
        Ok(Self { pools })
    }

    /// Closes it.
    pub async fn close(&self) {
        self.pools.close().await;
    }
}

impl Pools {
    async fn open(
        path: PathBuf,
        synchronous: SqliteSynchronous,
        secure_delete: &'static str,
        cache: &'static str,
        migrator: &Migrator,
    ) -> Result<Self, StoreError> {
        refuse_newer(&path, migrator).await?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("secure_delete", secure_delete)
            .pragma("cache_size", cache)
            .disable_statement_logging();
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.clone())
            .await?;
        restrict(&path)?;
        migrate(&writer, &path, migrator).await?;
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

/// Brings the schema up to date, after a backup where there is something to lose.
async fn migrate(writer: &SqlitePool, path: &Path, migrator: &Migrator) -> Result<(), StoreError> {
    let mut connection = writer.acquire().await?;
    connection.ensure_migrations_table("_sqlx_migrations").await?;
    let applied = connection.list_applied_migrations("_sqlx_migrations").await?;
    let pending = migrator.iter().any(|m| !applied.iter().any(|a| a.version == m.version));
    if pending && let Some(last) = applied.iter().map(|a| a.version).max() {
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

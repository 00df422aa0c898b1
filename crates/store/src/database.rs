//! The two databases and their connections: one writer, several readers, migrations.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, Sqlite, SqliteConnection, Transaction};
use tracing::Instrument as _;

use crate::copy;
use crate::error::{Change, StoreError};
use crate::identity::{Files, beside, name, restrict};
use crate::limits::Limits;
use crate::read_only;
use crate::sql::Query;
use crate::version::{NEWEST, refuse_newer};

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

/// How many connections read at once.
const READERS: u32 = 4;

/// After how long a connection of `telemetry.db` that is not used gives its memory back.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// How a database is opened.
#[derive(Clone, Debug)]
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

/// The connections of a database. Clones share them; they are replaced when the file was replaced.
#[derive(Clone, Debug)]
pub(crate) struct Pools {
    path: PathBuf,
    setup: Arc<Setup>,
    current: Arc<RwLock<Arc<Opened>>>,
    /// Held while the connections are replaced. What was replaced is kept: closing a descriptor of a file drops the
    /// locks that the present connections have on it.
    replacing: Arc<tokio::sync::Mutex<Vec<Arc<Opened>>>>,
}

/// The right to replace the connections of a database.
pub(crate) type Replacing<'a> = tokio::sync::MutexGuard<'a, Vec<Arc<Opened>>>;

/// The connections to one file.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Why nothing can be written: the file, or its directory, is read-only.
    pub(crate) read_only: Option<String>,
    writer: SqlitePool,
    readers: SqlitePool,
    pub(crate) files: Files,
    /// Whether its content was copied, after the file was replaced.
    pub(crate) kept: AtomicBool,
    /// The length of a file that is shorter than its header says, but has the missing pages in its write-ahead log.
    complete: AtomicU64,
    /// The folder of a database that is empty because none can be written or read at its path.
    _place: Option<tempfile::TempDir>,
}

/// The one write transaction at a time. It is rolled back when it is dropped.
pub(crate) struct Write {
    transaction: Transaction<'static, Sqlite>,
    opened: Arc<Opened>,
}

impl Write {
    /// Commits. Returns `Ok` only if the files are still those at their paths: what is acknowledged must be found
    /// later.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.opened.files.check()?;
        self.transaction.commit().await?;
        self.opened.check().await
    }
}

impl Deref for Write {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.transaction
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}

impl Pools {
    pub(crate) async fn open(path: PathBuf, setup: Setup) -> Result<Self, StoreError> {
        let span = tracing::debug_span!("open", database = %name(&path));
        refuse_newer(&path, setup.migrator).await?;
        let opened = connect(&path, &setup).instrument(span).await?;
        Ok(Self {
            path,
            setup: Arc::new(setup),
            current: Arc::new(RwLock::new(Arc::new(opened))),
            replacing: Arc::default(),
        })
    }

    /// An empty database in a temporary folder, in the place of one that is read-only and cannot be read: it takes no
    /// writes either.
    pub(crate) async fn open_empty(path: &Path, setup: Setup, why: String) -> Result<Self, StoreError> {
        let place = tempfile::Builder::new().prefix("tracebook-").tempdir()?;
        let path = place.path().join(path.file_name().unwrap_or_default());
        let opened = connect(&path, &setup).await?;
        let opened = Opened { read_only: Some(why), _place: Some(place), ..opened };
        Ok(Self {
            path,
            setup: Arc::new(setup),
            current: Arc::new(RwLock::new(Arc::new(opened))),
            replacing: Arc::default(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Why nothing can be written, if the database is open for reading only.
    pub(crate) fn read_only(&self) -> Option<String> {
        self.current().read_only.clone()
    }

    pub(crate) fn current(&self) -> Arc<Opened> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn readers(&self) -> SqlitePool {
        self.current().readers.clone()
    }

    /// Opens every connection that reads. If one were opened later, it would open what is at the path then, and attach
    /// the log of the present file to another one.
    pub(crate) async fn open_readers(&self) -> Result<(), StoreError> {
        let readers = self.readers();
        let mut open = Vec::new();
        for _ in 0..READERS {
            open.push(readers.acquire().await?);
        }
        Ok(())
    }

    /// Checks that the files at their paths are those that are open.
    ///
    /// # Errors
    /// [`StoreError::Replaced`]; and if the connections were closed, and no others could be opened.
    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        let opened = self.current();
        match opened.writer.is_closed() {
            true => Err(StoreError::Other(format!("{} is not open", name(&self.path)))),
            false => opened.check().await,
        }
    }

    /// Begins the one write transaction at a time. It takes the lock at once, so that two processes wait for each other
    /// here and not in the middle of a transaction.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] if the files at their paths are not those that are open.
    pub(crate) async fn write(&self) -> Result<Write, StoreError> {
        let opened = self.current();
        if let Some(why) = &opened.read_only {
            return Err(StoreError::ReadOnly(why.clone()));
        }
        opened.check().await?;
        let transaction = opened.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write { transaction, opened })
    }

    /// Opens the files that are at their paths now. `prepare` may move them before; it runs after this database's
    /// connections were closed if `close` is set. Without it, the present connections stay in use if that fails.
    pub(crate) async fn replace(
        &self,
        replacing: &mut Replacing<'_>,
        close: bool,
        prepare: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let old = self.current();
        if close {
            old.close().await;
        }
        prepare()?;
        let opened = Arc::new(connect(&self.path, &self.setup).await?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = opened;
        replacing.push(Arc::clone(&old));
        if !close {
            tokio::spawn(async move { old.close().await });
        }
        Ok(())
    }

    /// Waits until no other task replaces the connections.
    pub(crate) async fn replacing(&self) -> Replacing<'_> {
        self.replacing.lock().await
    }

    pub(crate) fn migrator(&self) -> &'static Migrator {
        self.setup.migrator
    }

    /// The number of the newest migration that was applied.
    pub(crate) async fn schema_version(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(NEWEST).fetch_one(&self.readers()).await?)
    }

    /// Checkpoints the write-ahead log and truncates it.
    pub(crate) async fn empty_wal(&self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.current().writer).await?;
        Ok(())
    }

    /// Bytes of the write-ahead log on disk; 0 if there is none.
    pub(crate) fn wal_size(&self) -> u64 {
        std::fs::metadata(beside(&self.path, "-wal")).map_or(0, |log| log.len())
    }

    /// Like [`Pools::empty_wal`], but gives up soon if a reader holds it; returns whether the log is empty.
    pub(crate) async fn try_empty_wal(&self) -> Result<bool, StoreError> {
        let mut connection = self.current().writer.acquire().await?;
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
        if self.read_only().is_some() {
            return Ok(());
        }
        sqlx::query("VACUUM").execute(&self.current().writer).await?;
        // The whole database is in the write-ahead log now.
        self.try_empty_wal().await?;
        Ok(())
    }

    /// Looks for damage in the whole file: the first problem, or `None`. Takes about a second for 500 MiB.
    pub(crate) async fn damage(&self) -> Result<Option<String>, StoreError> {
        match undamaged(&self.path).await {
            Ok(()) => Ok(None),
            Err(StoreError::Damaged(text)) => Ok(Some(text)),
            Err(error) => Err(error),
        }
    }

    /// Reads a row of every table: enough to notice that a file is another database, or cut off.
    pub(crate) async fn readable(&self) -> Result<(), StoreError> {
        let readers = self.readers();
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'").fetch_all(&readers).await?;
        for table in tables {
            let sql = format!("SELECT 1 FROM \"{table}\" LIMIT 1");
            sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_optional(&readers).await?;
        }
        Ok(())
    }

    /// Limits the database to some pages more than it has; `None` lifts the limit.
    #[cfg(test)]
    pub(crate) async fn limit_pages(&self, more: Option<u64>) {
        let writer = self.current().writer.clone();
        let pages = Pages::of(&writer).await.expect("reads").all;
        let most = more.map_or(u64::from(u32::MAX), |more| pages + more);
        let sql = format!("PRAGMA max_page_count = {most}");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&writer).await.expect("limits");
    }

    pub(crate) async fn close(&self) {
        self.current().close().await;
    }
}

impl Opened {
    fn new(read_only: Option<String>, writer: SqlitePool, readers: SqlitePool, files: Files) -> Self {
        let (kept, complete) = (AtomicBool::new(false), AtomicU64::new(u64::MAX));
        Self { read_only, writer, readers, files, kept, complete, _place: None }
    }

    /// Checks that the files are as [`Files::check`] wants them, and that nothing cut the database off.
    async fn check(&self) -> Result<(), StoreError> {
        self.files.check()?;
        let Some(length) = self.files.shorter() else {
            self.complete.store(u64::MAX, Ordering::Relaxed);
            return Ok(());
        };
        if length >= self.complete.load(Ordering::Relaxed) {
            return Ok(());
        }
        // The missing pages may be in the write-ahead log: a checkpoint is under way, or had no room for them.
        match undamaged(self.files.path()).await {
            Ok(()) => {
                self.complete.store(length, Ordering::Relaxed);
                Ok(())
            }
            Err(StoreError::Damaged(reason)) => {
                tracing::error!(length, reason, "the database was cut off");
                Err(StoreError::Replaced { path: self.files.path().to_owned(), change: Change::CutOff })
            }
            Err(error) => Err(error),
        }
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

async fn connect(path: &Path, setup: &Setup) -> Result<Opened, StoreError> {
    if let Some(why) = read_only::why(path) {
        return connect_read_only(path, setup, why).await;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(setup.synchronous)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("secure_delete", setup.secure_delete)
        .pragma("cache_size", setup.cache_size)
        .pragma("wal_autocheckpoint", setup.wal_autocheckpoint.clone())
        .pragma("journal_size_limit", setup.journal_size_limit.clone())
        .disable_statement_logging();
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // The last connection that closes removes the write-ahead log, and `Files` would miss it.
        .idle_timeout(None)
        .max_lifetime(None)
        // SQLite itself rolls back a transaction that ran out of space. sqlx then still counts it as open, and so would
        // refuse every later transaction on this connection: such a connection is closed and replaced.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .connect_with(options.clone())
        .await?;
    restrict(path)?;
    migrate(&writer, path, setup.migrator, setup.backup).await?;
    let nonce = nonce(&writer).await?;
    let readers = SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(READERS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_lifetime(None)
        .idle_timeout((!setup.backup).then_some(IDLE_TIMEOUT))
        .connect_with(options.create_if_missing(false).read_only(true))
        .await?;
    let files = Files::record(path, nonce)?;
    tracing::debug!("opened");
    Ok(Opened::new(None, writer, readers, files))
}

/// Opens a database that cannot be written. The schema stays as it is, so it must be that of this version.
async fn connect_read_only(path: &Path, setup: &Setup, why: String) -> Result<Opened, StoreError> {
    let options = read_only::options(path)?;
    let pool =
        |most| SqlitePoolOptions::new().max_connections(most).acquire_timeout(ACQUIRE_TIMEOUT).max_lifetime(None);
    let writer = pool(1).idle_timeout(None).connect_with(options.clone()).await?;
    let found: Option<i64> = sqlx::query_scalar(NEWEST).fetch_one(&writer).await?;
    let known = setup.migrator.iter().map(|m| m.version).max();
    if found < known {
        let schema =
            format!("{why}, and an earlier version wrote it: it has to be opened once where it can be written");
        return Err(StoreError::ReadOnly(schema));
    }
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&writer).await?;
    let readers = pool(READERS).connect_with(options).await?;
    let files = Files::record(path, nonce_of(version))?;
    tracing::warn!(why, "opened for reading only");
    Ok(Opened::new(Some(why), writer, readers, files))
}

/// Looks for damage over a connection of its own: others have pages in memory that are damaged on disk.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(crate) async fn undamaged(path: &Path) -> Result<(), StoreError> {
    let mut connection = read_only(path).await?;
    let found: Result<String, _> = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await;
    connection.close().await?;
    match found? {
        text if text == "ok" => Ok(()),
        text => Err(StoreError::Damaged(text)),
    }
}

/// A connection that only reads, beside those of the pools.
pub(crate) async fn read_only(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = read_only::options(path)?.busy_timeout(BUSY_TIMEOUT);
    Ok(options.disable_statement_logging().connect().await?)
}

/// The random number in the header of a database, made when it is opened for the first time.
async fn nonce(writer: &SqlitePool) -> Result<u32, StoreError> {
    let marked: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(writer).await?;
    if marked != 0 {
        // A backup that was put into place by hand.
        sqlx::query("PRAGMA application_id = 0").execute(writer).await?;
    }
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(writer).await?;
    if found != 0 {
        return Ok(nonce_of(found));
    }
    let made: i64 = sqlx::query_scalar("SELECT 1 + abs(random() % 2147483646)").fetch_one(writer).await?;
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {made}"))).execute(writer).await?;
    Ok(nonce_of(made))
}

/// SQLite's number is signed, and stored as 32 bits.
fn nonce_of(version: i64) -> u32 {
    i32::try_from(version).unwrap_or_default().cast_unsigned()
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
            copy::into(&mut connection, &backup).await?;
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

//! Backups of the journal: whole copies in one file, made while it is in use.
//!
//! A backup is a journal with a mark ([`MARK`]), so that a backup is never taken for a journal in use, and a journal
//! never overwritten as an older backup.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::changes::LAST_CHANGE;
use crate::copy;
use crate::database::{Journal, read_only};
use crate::entries::REVISIONS;
use crate::error::StoreError;
use crate::identity::{JOURNAL_FILE, beside, name};
use crate::queries::SAVED;

/// The folder of daily backups, beside the journal.
const FOLDER: &str = "backups";
/// How many daily backups are kept.
const KEPT: usize = 7;
/// `PRAGMA application_id` of a backup: "TrBk".
pub(crate) const MARK: i64 = 0x5472_426b;
/// Bytes that stay free on the disk beside a daily backup.
const SPARE: u64 = 64 << 20;

/// A file that was written or read as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    pub file: PathBuf,
    pub bytes: u64,
    /// In hex digits.
    pub sha256: String,
}

impl Journal {
    /// Writes the whole journal into one file, as of one moment. An earlier backup of this journal is replaced.
    ///
    /// # Errors
    /// [`StoreError::NotOurs`] if another file is there.
    pub async fn back_up(&self, target: &Path) -> Result<Copied, StoreError> {
        self.pools.check().await?;
        // A connection of its own, so that nobody waits for the copy.
        let mut connection = read_only(self.pools.path()).await?;
        let over = match std::fs::symlink_metadata(target) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(error.into()),
            Ok(_) if is_earlier_backup(target, &mut connection).await => true,
            Ok(_) => return Err(StoreError::NotOurs { path: target.to_owned() }),
        };
        let file = copy::temporary(target)?;
        copy::vacuum_into(&mut connection, file.path()).await?;
        connection.close().await?;
        mark(file.path()).await?;
        self.pools.check().await?;
        let copied = digest(file.path())?;
        copy::keep(file, target, over)?;
        Ok(Copied { file: target.to_owned(), ..copied })
    }

    /// Writes the backup of a day (`2026-11-30`) if there is none and the journal has changed since the newest one, and
    /// removes those of more than a week. Returns the file that was written.
    ///
    /// # Errors
    /// [`StoreError::Full`] if the disk would be short of space.
    pub async fn back_up_daily(&self, day: &str) -> Result<Option<PathBuf>, StoreError> {
        self.pools.check().await?;
        let path = self.pools.path();
        let folder = path.with_file_name(FOLDER);
        let target = folder.join(format!("journal-{day}.db"));
        if target.exists() {
            return Ok(None);
        }
        let now = state(&mut *self.pools.readers().acquire().await?).await?;
        let known = match newest_daily(&folder) {
            Some(newest) => state_of(&newest).await.ok(),
            None => Some(State::default()),
        };
        if known == Some(now) {
            return Ok(None);
        }
        private_folder(&folder)?;
        let size = std::fs::metadata(path)?.len().saturating_add(self.pools.wal_size());
        if free_space(&folder).is_some_and(|free| free < size.saturating_mul(2).saturating_add(SPARE)) {
            return Err(StoreError::Full);
        }
        self.back_up(&target).await?;
        remove_all_but_newest(&folder);
        Ok(Some(target))
    }
}

/// What a journal contains, as far as it takes to notice that it has changed.
type State = (i64, i64, i64);

async fn state(connection: &mut SqliteConnection) -> Result<State, StoreError> {
    let sql = format!("SELECT ({LAST_CHANGE}), ({REVISIONS}), ({SAVED})");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(connection).await?)
}

async fn state_of(backup: &Path) -> Result<State, StoreError> {
    let mut connection = still(backup).await?;
    let state = state(&mut connection).await;
    connection.close().await?;
    state
}

/// A connection to a file that nobody writes to; nothing is created beside it.
pub(crate) async fn still(file: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
    Ok(options.disable_statement_logging().connect().await?)
}

/// Whether a file is a backup of the journal of this connection. A link is not followed, and a database in use is not
/// one.
async fn is_earlier_backup(file: &Path, journal: &mut SqliteConnection) -> bool {
    if !std::fs::symlink_metadata(file).is_ok_and(|file| file.is_file()) || beside(file, "-wal").exists() {
        return false;
    }
    let Ok(mut found) = still(file).await else { return false };
    let marked = number(&mut found, "application_id").await.is_some_and(|mark| mark == MARK);
    let (theirs, ours) = (number(&mut found, "user_version").await, number(journal, "user_version").await);
    found.close().await.is_ok() && marked && theirs.is_some() && theirs == ours
}

async fn number(connection: &mut SqliteConnection, pragma: &'static str) -> Option<i64> {
    let sql = format!("PRAGMA {pragma}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(connection).await.ok()
}

async fn mark(file: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = options.disable_statement_logging().connect().await?;
    let sql = format!("PRAGMA application_id = {MARK}");
    let marked = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await;
    connection.close().await?;
    marked?;
    Ok(())
}

/// Size and digest of a file.
pub(crate) fn digest(file: &Path) -> Result<Copied, StoreError> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut reader = std::fs::File::open(file)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = reader.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        bytes += n as u64;
    }
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Copied { file: file.to_owned(), bytes, sha256 })
}

/// The folder of backups of a directory, for other copies that belong there.
pub fn folder(directory: &Path) -> Result<PathBuf, StoreError> {
    let folder = directory.join(FOLDER);
    private_folder(&folder)?;
    Ok(folder)
}

fn private_folder(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    // Not its parents: a data directory that was moved away must be able to come back.
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there are no modes"))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    Ok(builder.create(folder)?)
}

/// Bytes that can still be written to the disk of a folder; `None` if the system does not say.
#[cfg(unix)]
fn free_space(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_space(_folder: &Path) -> Option<u64> {
    None
}

/// The daily backups, oldest first.
fn daily(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = databases(folder).filter(|path| day_of(path).is_some()).collect();
    found.sort();
    found
}

/// The day of a daily backup: `journal-2026-11-30.db`.
fn day_of(path: &Path) -> Option<&str> {
    let day = path.file_name()?.to_str()?.strip_prefix("journal-")?.strip_suffix(".db")?;
    let form = |(i, byte): (usize, u8)| if i == 4 || i == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    (day.len() == 10 && day.bytes().enumerate().all(form)).then_some(day)
}

fn databases(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let files = std::fs::read_dir(folder).into_iter().flatten();
    files.filter_map(|file| Some(file.ok()?.path())).filter(|path| path.extension().is_some_and(|e| e == "db"))
}

fn newest_daily(folder: &Path) -> Option<PathBuf> {
    daily(folder).pop()
}

/// The newest backup of a directory's journal, for messages: a daily one, or else what another operation kept.
pub fn newest_backup(directory: &Path) -> Option<PathBuf> {
    newest_daily(&directory.join(FOLDER)).or_else(|| {
        let changed = |path: &PathBuf| std::fs::metadata(path).and_then(|file| file.modified()).ok();
        all(directory).into_iter().max_by_key(changed)
    })
}

/// Every copy of the journal that Tracebook keeps in its directory.
pub(crate) fn all(directory: &Path) -> Vec<PathBuf> {
    let before_schema = std::fs::read_dir(directory).into_iter().flatten().filter_map(|file| Some(file.ok()?.path()));
    let prefix = format!("{}.before-schema-", JOURNAL_FILE.trim_end_matches(".db"));
    before_schema
        .filter(|path| name(path).starts_with(&prefix) && path.extension().is_some_and(|e| e == "bak"))
        .chain(databases(&directory.join(FOLDER)))
        .collect()
}

fn remove_all_but_newest(folder: &Path) {
    let found = daily(folder);
    for old in found.iter().take(found.len().saturating_sub(KEPT)) {
        if let Err(error) = std::fs::remove_file(old) {
            tracing::warn!(%error, backup = %name(old), "an old backup could not be removed");
        }
    }
}

//! The version of a schema, read without a trace: a database of a later version must not be touched.

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::error::StoreError;
use crate::identity::{beside, name};
use crate::read_only;

/// SQL: the newest migration that was applied.
pub(crate) const NEWEST: &str = "SELECT max(version) AS version FROM _sqlx_migrations";

/// Refuses a database that a later version migrated, without creating or changing any file.
pub(crate) async fn refuse_newer(path: &Path, migrator: &Migrator) -> Result<(), StoreError> {
    let known = migrator.iter().map(|m| m.version).max().unwrap_or(0);
    let Some(found) = schema_of(path).await? else { return Ok(()) };
    if found > known {
        tracing::warn!(database = %name(path), found, known, "refused: a newer version wrote this database");
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    Ok(())
}

/// The newest migration of a database; `None` if there is no database yet, or one without a schema.
pub(crate) async fn schema_of(path: &Path) -> Result<Option<i64>, StoreError> {
    if !std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        return Ok(None);
    }
    // Without the write-ahead log, SQLite opens no file but the database.
    let immutable = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    let wal = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    if !wal {
        return Ok(newest(immutable).await?.schema);
    }
    // A database that was just migrated may have the migration in its log only, and then the file alone can be
    // unreadable.
    let alone = newest(immutable).await.unwrap_or_default();
    let index = beside(path, "-shm").exists();
    let with_log = match (index, linked(path)) {
        // The log's index is there, so that reading creates nothing.
        (true, _) | (false, None) => newest(read_only::options(path)?).await?,
        // SQLite creates the index of the log beside the links, and the folder goes.
        (false, Some(folder)) => {
            newest(SqliteConnectOptions::new().filename(folder.path().join("linked.db")).read_only(true)).await?
        }
    };
    if alone.nonce != 0 && alone.nonce != with_log.nonce {
        return Err(StoreError::Damaged("the write-ahead log beside it is of another database".to_owned()));
    }
    Ok(with_log.schema.max(alone.schema))
}

/// What tells databases apart.
#[derive(Clone, Copy, Default)]
struct Found {
    /// The newest migration.
    schema: Option<i64>,
    /// The random number of `PRAGMA user_version`; 0 before there is one.
    nonce: i64,
}

/// Hard links to a database and its log in a temporary folder beside them; `None` where they cannot be made.
fn linked(path: &Path) -> Option<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix(".version-").tempdir_in(path.parent()?).ok()?;
    let link = folder.path().join("linked.db");
    std::fs::hard_link(path, &link).ok()?;
    std::fs::hard_link(beside(path, "-wal"), beside(&link, "-wal")).ok()?;
    Some(folder)
}

async fn newest(options: SqliteConnectOptions) -> Result<Found, StoreError> {
    let mut connection = options.disable_statement_logging().connect().await?;
    let found = sqlx::query(NEWEST).fetch_one(&mut connection).await;
    let nonce = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await;
    connection.close().await?;
    let schema = match found {
        Ok(row) => row.try_get("version").unwrap_or_default(),
        // The creation of the database was interrupted.
        Err(sqlx::Error::Database(db)) if db.message().contains("no such table") => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Found { schema, nonce: nonce? })
}

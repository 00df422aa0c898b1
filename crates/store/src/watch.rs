//! Seeing what was written, by this process or another.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, Row as _, Sqlite, Transaction, sqlite::SqliteConnectOptions};

use crate::error::StoreError;
use crate::open::{Journal, Telemetry};

/// One change of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `entry` or `evidence`.
    pub what: String,
    /// Which one.
    pub id: String,
    /// The client that wrote it.
    pub client: String,
}

/// Tells when a database was written, at the cost of one pragma a look.
#[derive(Debug)]
pub struct Watch {
    connection: sqlx::SqliteConnection,
    version: i64,
    seen: i64,
}

impl Watch {
    async fn new(path: &std::path::Path) -> Result<Self, StoreError> {
        // A connection of its own: `data_version` tells of writes by every connection but the one asked.
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging()
            .connect()
            .await?;
        let version = data_version(&mut connection).await?;
        Ok(Self { connection, version, seen: 0 })
    }

    /// Whether anything was committed since the last look.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn moved(&mut self) -> Result<bool, StoreError> {
        let now = data_version(&mut self.connection).await?;
        Ok(std::mem::replace(&mut self.version, now) != now)
    }

    /// The journal's changes since the last look.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn changes(&mut self) -> Result<Vec<Change>, StoreError> {
        let rows = sqlx::query("SELECT seq, what, id, client FROM change WHERE seq > ? ORDER BY seq")
            .bind(self.seen)
            .fetch_all(&mut self.connection)
            .await?;
        if let Some(last) = rows.last() {
            self.seen = last.get("seq");
        }
        Ok(rows.into_iter().map(|r| Change { what: r.get("what"), id: r.get("id"), client: r.get("client") }).collect())
    }

    /// How often each kind of telemetry was written: `traces`, `logs`, `errors`, `console`.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn written(&mut self) -> Result<BTreeMap<String, i64>, StoreError> {
        let rows = sqlx::query("SELECT kind, n FROM written").fetch_all(&mut self.connection).await?;
        Ok(rows.into_iter().map(|r| (r.get("kind"), r.get("n"))).collect())
    }

    /// Closes it.
    pub async fn close(self) {
        // A reader that fails to say goodbye loses nothing.
        let _ = self.connection.close().await;
    }
}

async fn data_version(connection: &mut sqlx::SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await?)
}

impl Journal {
    /// Watches the journal from now on.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn watch(&self) -> Result<Watch, StoreError> {
        let mut watch = Watch::new(&self.pools.path).await?;
        watch.seen =
            sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM change").fetch_one(&mut watch.connection).await?;
        Ok(watch)
    }
}

impl Telemetry {
    /// Watches the telemetry from now on; it has no list of changes.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn watch(&self) -> Result<Watch, StoreError> {
        Watch::new(&self.pools.path).await
    }
}

/// How many changes are kept for processes that look late.
const KEPT: i64 = 10_000;

pub(crate) async fn tell(
    transaction: &mut Transaction<'_, Sqlite>,
    what: &str,
    id: &str,
    client: &str,
) -> Result<(), StoreError> {
    let done = sqlx::query("INSERT INTO change (what, id, client) VALUES (?, ?, ?)")
        .bind(what)
        .bind(id)
        .bind(client)
        .execute(&mut **transaction)
        .await?;
    sqlx::query("DELETE FROM change WHERE seq < ?")
        .bind(done.last_insert_rowid() - KEPT)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

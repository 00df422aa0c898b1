//! Noticing what was written, by this process or another.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::database::{Journal, Telemetry, Write};
use crate::error::StoreError;
use crate::{read_only, written};

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// SQL: the number of the last change; 0 if there was none.
pub(crate) const LAST_CHANGE: &str = "SELECT coalesce(max(seq), 0) FROM change";

/// SQL: the number of the first change that is kept.
pub(crate) const FIRST_CHANGE: &str = "SELECT min(seq) FROM change";

/// SQL: the ids of what was changed after a change.
pub(crate) fn changed_since(seq: &str) -> String {
    format!("SELECT id FROM change WHERE seq > {seq}")
}

/// One change of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `entry`, `evidence` or `live-card`.
    pub what: String,
    pub id: String,
    /// The client that wrote it, so that it can ignore its own changes.
    pub client: String,
}

/// Notices writes to a database, at the cost of one pragma a poll.
#[derive(Debug)]
pub struct ChangeWatcher {
    connection: sqlx::SqliteConnection,
    version: i64,
    seen: i64,
}

impl ChangeWatcher {
    async fn new(path: &std::path::Path) -> Result<Self, StoreError> {
        // A connection of its own: `data_version` changes with writes by any connection but the one that asks.
        let mut connection = read_only::options(path)?.busy_timeout(BUSY_TIMEOUT).connect().await?;
        let version = data_version(&mut connection).await?;
        Ok(Self { connection, version, seen: 0 })
    }

    /// Whether anything was committed since the last call.
    pub async fn changed(&mut self) -> Result<bool, StoreError> {
        let now = data_version(&mut self.connection).await?;
        Ok(std::mem::replace(&mut self.version, now) != now)
    }

    /// The journal's changes since the last call.
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
    pub async fn written(&mut self) -> Result<BTreeMap<String, i64>, StoreError> {
        written::counts(&mut self.connection).await
    }

    pub async fn close(self) {
        // It only read, so nothing is lost if closing fails.
        drop(self.connection.close().await);
    }
}

async fn data_version(connection: &mut sqlx::SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await?)
}

impl Journal {
    /// Watches the journal from now on.
    pub async fn watch(&self) -> Result<ChangeWatcher, StoreError> {
        self.pools.open_readers().await?;
        let mut watcher = ChangeWatcher::new(self.pools.path()).await?;
        watcher.seen = sqlx::query_scalar(LAST_CHANGE).fetch_one(&mut watcher.connection).await?;
        Ok(watcher)
    }
}

impl Telemetry {
    /// Watches the telemetry from now on; it has no list of changes.
    pub async fn watch(&self) -> Result<ChangeWatcher, StoreError> {
        ChangeWatcher::new(self.pools.path()).await
    }
}

/// How many changes are kept for processes that poll late.
const MAX_CHANGES: i64 = 10_000;

pub(crate) async fn record(transaction: &mut Write, what: &str, id: &str, client: &str) -> Result<(), StoreError> {
    let done = sqlx::query("INSERT INTO change (what, id, client) VALUES (?, ?, ?)")
        .bind(what)
        .bind(id)
        .bind(client)
        .execute(&mut **transaction)
        .await?;
    sqlx::query("DELETE FROM change WHERE seq < ?")
        .bind(done.last_insert_rowid() - MAX_CHANGES)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

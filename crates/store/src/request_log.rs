//! The HTTP requests to receivers, counted by listener, path and status.

use sqlx::Row as _;

use tracebook_core::time::Nanos;

use crate::database::Telemetry;
use crate::error::StoreError;
use crate::sql::{signed, unsigned};

/// How often a listener answered a kind of request with a status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestCount {
    /// `http`, `grpc`, `xray`; `watch` for commands that ended.
    pub listener: String,
    /// `POST /v1/traces`; `POST / PutLogEvents` if a header names the operation.
    pub path: String,
    /// The HTTP status of the answers.
    pub status: u16,
    pub count: u64,
    /// When it was last answered so.
    pub last: Nanos,
}

/// Paths are chosen by clients, so the table needs a bound: this many rows each for requests that were accepted, for
/// those that were not, and for watched commands, so that a client that asks for anything does not push out the others.
const MAX_ROWS: i64 = 100;

impl Telemetry {
    /// Adds to the counts.
    pub async fn count_requests(&self, requests: &[RequestCount]) -> Result<(), StoreError> {
        if requests.is_empty() {
            return Ok(());
        }
        let mut transaction = self.pools.write().await?;
        for one in requests {
            sqlx::query(
                "INSERT INTO heard (door, path, status, n, last) VALUES (?, ?, ?, ?, ?) ON CONFLICT (door, path, status)
                 DO UPDATE SET n = n + excluded.n, last = excluded.last",
            )
            .bind(&one.listener)
            .bind(&one.path)
            .bind(i64::from(one.status))
            .bind(signed(one.count))
            .bind(one.last.0)
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query(
            "DELETE FROM heard WHERE (door, path, status) NOT IN
               (SELECT door, path, status FROM (SELECT door, path, status, row_number() OVER (
                  PARTITION BY door = 'watch', status >= 400 AND status < 1000 ORDER BY last DESC) AS place FROM heard)
                WHERE place <= ?)",
        )
        .bind(MAX_ROWS)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// Deletes what was last counted before a time, but not how watched commands ended.
    pub(crate) async fn drop_old_requests(&self, before: Nanos) -> Result<(), StoreError> {
        let old: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM heard WHERE last < ? AND door <> 'watch')")
            .bind(before.0)
            .fetch_one(&self.pools.readers())
            .await?;
        if old {
            self.changed("DELETE FROM heard WHERE last < ? AND door <> 'watch'", |q| q.bind(before.0)).await?;
        }
        Ok(())
    }

    pub async fn forget_requests(&self, listener: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("DELETE FROM heard WHERE door = ?").bind(listener).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    /// The counts, the most recent first.
    pub async fn request_counts(&self) -> Result<Vec<RequestCount>, StoreError> {
        let rows = sqlx::query("SELECT * FROM heard ORDER BY last DESC").fetch_all(&self.pools.readers()).await?;
        Ok(rows
            .iter()
            .map(|row| RequestCount {
                listener: row.get("door"),
                path: row.get("path"),
                status: u16::try_from(row.get::<i64, _>("status")).unwrap_or(0),
                count: unsigned(row.get("n")),
                last: Nanos(row.get("last")),
            })
            .collect())
    }
}

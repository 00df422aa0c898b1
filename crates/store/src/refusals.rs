//! What receivers turned away, counted by listener, place and reason.

use sqlx::Row as _;

use tracebook_core::time::Nanos;

use crate::database::Telemetry;
use crate::error::StoreError;
use crate::sql::{signed, unsigned};

/// What a listener turned away at a place, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `http`, `grpc`, `xray`.
    pub listener: String,
    /// `POST /v1/traces`, `UDP datagram`, `TCP connection`.
    pub place: String,
    /// The reason without numbers and quoted input.
    pub kind: String,
    /// The words of the last one.
    pub reason: String,
    pub count: u64,
    pub first: Nanos,
    pub last: Nanos,
}

/// Senders choose places and reasons, so each listener has at most this many rows; the latest stay.
const MAX_ROWS: i64 = 60;

impl Telemetry {
    /// Adds to the counts.
    pub async fn add_refusals(&self, refusals: &[Refusal]) -> Result<(), StoreError> {
        if refusals.is_empty() {
            return Ok(());
        }
        let mut transaction = self.pools.write().await?;
        for one in refusals {
            sqlx::query(
                "INSERT INTO refusal (listener, place, kind, reason, n, first, last) VALUES (?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT (listener, place, kind) DO UPDATE SET n = n + excluded.n, reason = excluded.reason,
                   last = excluded.last",
            )
            .bind(&one.listener)
            .bind(&one.place)
            .bind(&one.kind)
            .bind(&one.reason)
            .bind(signed(one.count))
            .bind(one.first.0)
            .bind(one.last.0)
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query(
            "DELETE FROM refusal WHERE (listener, place, kind) NOT IN
               (SELECT listener, place, kind FROM (SELECT listener, place, kind, row_number() OVER (
                  PARTITION BY listener ORDER BY last DESC) AS position FROM refusal) WHERE position <= ?)",
        )
        .bind(MAX_ROWS)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// Deletes what last happened before a time.
    pub(crate) async fn drop_old_refusals(&self, before: Nanos) -> Result<(), StoreError> {
        let old: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM refusal WHERE last < ?)")
            .bind(before.0)
            .fetch_one(&self.pools.readers())
            .await?;
        if old {
            self.changed("DELETE FROM refusal WHERE last < ?", |q| q.bind(before.0)).await?;
        }
        Ok(())
    }

    /// What was turned away, the most recent first.
    pub async fn refusals(&self) -> Result<Vec<Refusal>, StoreError> {
        let rows = sqlx::query("SELECT * FROM refusal ORDER BY last DESC").fetch_all(&self.pools.readers()).await?;
        Ok(rows
            .iter()
            .map(|row| Refusal {
                listener: row.get("listener"),
                place: row.get("place"),
                kind: row.get("kind"),
                reason: row.get("reason"),
                count: unsigned(row.get("n")),
                first: Nanos(row.get("first")),
                last: Nanos(row.get("last")),
            })
            .collect())
    }
}

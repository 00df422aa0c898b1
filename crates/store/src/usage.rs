//! Requests to cloud sources, counted by month.

use sqlx::Row as _;

use crate::database::Telemetry;
use crate::error::StoreError;
use crate::sql::{signed, unsigned};

impl Telemetry {
    /// Adds to the counts of a month (`2026-11`).
    pub async fn add_usage(&self, month: &str, counts: &[(String, u64)]) -> Result<(), StoreError> {
        if counts.is_empty() {
            return Ok(());
        }
        let mut transaction = self.pools.write().await?;
        for (what, n) in counts {
            sqlx::query(
                "INSERT INTO usage (month, what, n) VALUES (?, ?, ?)
                 ON CONFLICT (month, what) DO UPDATE SET n = n + excluded.n",
            )
            .bind(month)
            .bind(what)
            .bind(signed(*n))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// The counts of a month, by name.
    pub async fn usage(&self, month: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query("SELECT what, n FROM usage WHERE month = ? ORDER BY what")
            .bind(month)
            .fetch_all(&self.pools.readers())
            .await?;
        Ok(rows.iter().map(|row| (row.get("what"), unsigned(row.get("n")))).collect())
    }
}

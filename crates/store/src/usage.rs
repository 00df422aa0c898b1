//! What was asked of cloud sources, counted by month.

use sqlx::Row as _;

use crate::error::StoreError;
use crate::open::Telemetry;

impl Telemetry {
    /// Adds to a month's counts.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
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
            .bind(i64::try_from(*n).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
        }
        Ok(transaction.commit().await?)
    }

    /// A month's counts, by name.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn usage(&self, month: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query("SELECT what, n FROM usage WHERE month = ? ORDER BY what")
            .bind(month)
            .fetch_all(&self.pools.readers)
            .await?;
        Ok(rows.iter().map(|row| (row.get("what"), u64::try_from(row.get::<i64, _>("n")).unwrap_or(0))).collect())
    }
}

//! What was asked of the receivers over HTTP, and how it was answered.

use sqlx::Row as _;

use tracebook_core::time::Nanos;

use crate::error::StoreError;
use crate::open::Telemetry;

/// One kind of request at one door.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Heard {
    /// `http`, `grpc`, `xray`.
    pub door: String,
    /// `POST /v1/traces`; for an API by header, `POST / PutLogEvents`.
    pub path: String,
    /// The answer's HTTP status.
    pub status: u16,
    /// How often.
    pub n: u64,
    /// The last time.
    pub last: Nanos,
}

/// What a stranger asks for must not grow the table without end.
const MOST: i64 = 200;

impl Telemetry {
    /// Adds to what was heard.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn hear(&self, heard: &[Heard]) -> Result<(), StoreError> {
        if heard.is_empty() {
            return Ok(());
        }
        let mut transaction = self.pools.write().await?;
        for one in heard {
            sqlx::query(
                "INSERT INTO heard (door, path, status, n, last) VALUES (?, ?, ?, ?, ?) ON CONFLICT (door, path, status)
                 DO UPDATE SET n = n + excluded.n, last = excluded.last",
            )
            .bind(&one.door)
            .bind(&one.path)
            .bind(i64::from(one.status))
            .bind(i64::try_from(one.n).unwrap_or(i64::MAX))
            .bind(one.last.0)
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query(
            "DELETE FROM heard WHERE (door, path, status) NOT IN
               (SELECT door, path, status FROM heard ORDER BY last DESC LIMIT ?)",
        )
        .bind(MOST)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Forgets what was heard at a door.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn forget_heard(&self, door: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("DELETE FROM heard WHERE door = ?").bind(door).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// What was heard, the last first.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn heard(&self) -> Result<Vec<Heard>, StoreError> {
        let rows = sqlx::query("SELECT * FROM heard ORDER BY last DESC").fetch_all(&self.pools.readers).await?;
        Ok(rows
            .iter()
            .map(|row| Heard {
                door: row.get("door"),
                path: row.get("path"),
                status: u16::try_from(row.get::<i64, _>("status")).unwrap_or(0),
                n: u64::try_from(row.get::<i64, _>("n")).unwrap_or(0),
                last: Nanos(row.get("last")),
            })
            .collect())
    }
}

//! Placeholders in exports, what they stand for, and values that are exported as they are.

use sqlx::{Row as _, SqliteConnection};

use tracebook_core::masking::{New, Slot};
use tracebook_core::time::Nanos;

use crate::changes::record;
use crate::database::Journal;
use crate::error::StoreError;

/// A value that is exported as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    pub value: String,
    /// The entry in whose text it stays; `None` for everywhere.
    pub entry: Option<String>,
}

/// What is stored about masks.
#[derive(Clone, Debug, Default)]
pub struct StoredMasks {
    /// Kind, number, and what it stands for.
    pub slots: Vec<(String, u32, Slot)>,
    pub exceptions: Vec<Exception>,
}

impl Journal {
    /// The secret of the journal, which is set to `fresh` if it has none.
    pub async fn mask_secret(&self, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        const GET: &str = "SELECT secret FROM mask_secret";
        if let Some(row) = sqlx::query(GET).fetch_optional(&self.pools.readers()).await? {
            return Ok(row.get("secret"));
        }
        let mut transaction = self.pools.write().await?;
        sqlx::query("INSERT INTO mask_secret (one, secret) VALUES (1, ?) ON CONFLICT DO NOTHING")
            .bind(fresh)
            .execute(&mut *transaction)
            .await?;
        let secret = sqlx::query(GET).fetch_one(&mut *transaction).await?.get("secret");
        transaction.commit().await?;
        Ok(secret)
    }

    /// The secret of the journal, if it has one.
    pub async fn known_mask_secret(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT secret FROM mask_secret").fetch_optional(&self.pools.readers()).await?;
        Ok(row.map(|row| row.get("secret")))
    }

    /// Every placeholder and exception.
    pub async fn masks(&self) -> Result<StoredMasks, StoreError> {
        let rows = sqlx::query("SELECT kind, number, value, origin FROM mask ORDER BY kind, number")
            .fetch_all(&self.pools.readers())
            .await?;
        let slots = rows
            .iter()
            .map(|row| {
                let slot = match row.get::<Option<String>, _>("value") {
                    Some(value) => Slot::Value(value),
                    None => Slot::Reserved(row.get("origin")),
                };
                (row.get("kind"), row.get("number"), slot)
            })
            .collect();
        let rows = sqlx::query("SELECT value, entry_id FROM mask_exception ORDER BY value, entry_id")
            .fetch_all(&self.pools.readers())
            .await?;
        let exception = |row: &sqlx::sqlite::SqliteRow| {
            let entry: String = row.get("entry_id");
            Exception { value: row.get("value"), entry: (!entry.is_empty()).then_some(entry) }
        };
        Ok(StoredMasks { slots, exceptions: rows.iter().map(exception).collect() })
    }

    /// Stores new placeholders, all or none: false if another process has given one of the numbers, or a number to one
    /// of the values, since they were read.
    pub async fn add_masks(&self, new: &[New], now: Nanos) -> Result<bool, StoreError> {
        if new.is_empty() {
            return Ok(true);
        }
        let mut transaction = self.pools.write().await?;
        for one in new {
            if !add(&mut transaction, one, now).await? {
                return Ok(false);
            }
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Leaves a number to another journal, which published it first: the value that has it here gets the next free one.
    pub async fn yield_mask(&self, kind: &str, number: u32, origin: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        let value: Option<String> = sqlx::query("SELECT value FROM mask WHERE kind = ? AND number = ?")
            .bind(kind)
            .bind(number)
            .fetch_optional(&mut *transaction)
            .await?
            .and_then(|row| row.get("value"));
        let Some(value) = value else { return Ok(()) };
        sqlx::query("UPDATE mask SET value = NULL, origin = ? WHERE kind = ? AND number = ?")
            .bind(origin)
            .bind(kind)
            .bind(number)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO mask (kind, number, value, origin, created_at)
             SELECT ?1, (SELECT max(number) + 1 FROM mask WHERE kind = ?1), ?2, NULL, created_at
             FROM mask WHERE kind = ?1 AND number = ?3",
        )
        .bind(kind)
        .bind(value)
        .bind(number)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// Adds an exception, or removes it. True if that changed something.
    pub async fn except_mask(
        &self,
        exception: &Exception,
        allowed: bool,
        now: Nanos,
        client: &str,
    ) -> Result<bool, StoreError> {
        let entry = exception.entry.as_deref().unwrap_or_default();
        let mut transaction = self.pools.write().await?;
        let done =
            match allowed {
                true => sqlx::query(
                    "INSERT INTO mask_exception (value, entry_id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                )
                .bind(&exception.value)
                .bind(entry)
                .bind(now.0)
                .execute(&mut *transaction)
                .await?,
                false => {
                    sqlx::query("DELETE FROM mask_exception WHERE value = ? AND entry_id = ?")
                        .bind(&exception.value)
                        .bind(entry)
                        .execute(&mut *transaction)
                        .await?
                }
            };
        record(&mut transaction, "entry", entry, client).await?;
        transaction.commit().await?;
        Ok(done.rows_affected() > 0)
    }
}

async fn add(connection: &mut SqliteConnection, new: &New, now: Nanos) -> Result<bool, StoreError> {
    let (value, origin) = match &new.slot {
        Slot::Value(value) => (Some(value), None),
        Slot::Reserved(origin) => (None, origin.as_ref()),
    };
    let done = sqlx::query(
        "INSERT INTO mask (kind, number, value, origin, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&new.kind)
    .bind(new.number)
    .bind(value)
    .bind(origin)
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

//! Saved queries.

use sqlx::Row as _;

use tracebook_core::time::Nanos;

use crate::database::Journal;
use crate::error::StoreError;
use crate::sql::{from_json, to_json};

/// SQL: the number of saved queries, with the time of the last.
pub(crate) const SAVED: &str = "SELECT count(*) + coalesce(max(created_at), 0) FROM saved_query";

/// A saved query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredQuery {
    pub id: String,
    /// `cloudwatch`, `honeycomb`.
    pub source: String,
    pub name: String,
    pub query: String,
    /// Log groups or datasets.
    pub groups: Vec<String>,
}

impl Journal {
    /// Saves a query, or replaces the one of the same id.
    pub async fn save_query(&self, query: &StoredQuery, now: Nanos) -> Result<(), StoreError> {
        let groups = to_json(&query.groups)?;
        let mut transaction = self.pools.write().await?;
        sqlx::query(
            "INSERT INTO saved_query (id, source, name, query, groups, created_at) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET source = excluded.source, name = excluded.name, query = excluded.query,
               groups = excluded.groups",
        )
        .bind(&query.id)
        .bind(&query.source)
        .bind(&query.name)
        .bind(&query.query)
        .bind(groups)
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// The saved queries of a source, by name.
    pub async fn saved_queries(&self, source: &str) -> Result<Vec<StoredQuery>, StoreError> {
        let rows = sqlx::query("SELECT * FROM saved_query WHERE source = ? ORDER BY name, id")
            .bind(source)
            .fetch_all(&self.pools.readers())
            .await?;
        rows.iter()
            .map(|row| {
                let groups: String = row.get("groups");
                Ok(StoredQuery {
                    id: row.get("id"),
                    source: row.get("source"),
                    name: row.get("name"),
                    query: row.get("query"),
                    groups: from_json(&groups)?,
                })
            })
            .collect()
    }

    /// Deletes a saved query; returns whether there was one.
    pub async fn delete_query(&self, id: &str) -> Result<bool, StoreError> {
        let mut transaction = self.pools.write().await?;
        let gone = sqlx::query("DELETE FROM saved_query WHERE id = ?").bind(id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(gone.rows_affected() > 0)
    }
}

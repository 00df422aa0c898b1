//! Resources and scopes, each stored once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, Transaction};

use crate::database::Telemetry;
use crate::error::StoreError;
use crate::sql::{push_list, statements, unsigned};

impl Telemetry {
    /// The bodies that rows refer to, by number.
    pub(crate) async fn bodies(&self, rows: &[SqliteRow]) -> Result<HashMap<i64, Arc<[u8]>>, StoreError> {
        let ids: BTreeSet<i64> = rows.iter().flat_map(|row| ["resource", "scope"].map(|key| row.get(key))).collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        let mut bodies = HashMap::with_capacity(ids.len());
        for some in statements(&ids) {
            let mut select = QueryBuilder::<Sqlite>::new("SELECT id, body FROM shared WHERE id IN (");
            push_list(&mut select, some.iter().copied());
            for row in select.build().fetch_all(&self.pools.readers).await? {
                bodies.insert(row.get("id"), row.get::<Vec<u8>, _>("body").into());
            }
        }
        Ok(bodies)
    }

    /// Bytes of all shared bodies.
    pub(crate) async fn shared_bytes(&self) -> Result<u64, StoreError> {
        let bytes: i64 = sqlx::query_scalar("SELECT coalesce(sum(octet_length(body)), 0) FROM shared")
            .fetch_one(&self.pools.readers)
            .await?;
        Ok(unsigned(bytes))
    }

    /// Drops every body whose number is in none of these selections.
    pub(crate) async fn drop_shared_except(&self, references: &[&str]) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        let sql = format!("DELETE FROM shared WHERE id NOT IN ({})", references.join(" UNION "));
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }
}

/// Stores each resource and scope once; returns the numbers of both for each record of the batch.
pub(crate) async fn share<'a>(
    transaction: &mut Transaction<'_, Sqlite>,
    batch: impl Iterator<Item = (&'a Arc<[u8]>, &'a Arc<[u8]>)>,
) -> Result<Vec<(i64, i64)>, StoreError> {
    // Spans of one request share the allocation, so most need no hash. The batch keeps the allocations alive, so an
    // address stands for one content.
    let mut by_address: HashMap<(usize, usize), i64> = HashMap::new();
    let mut by_hash: HashMap<[u8; 32], i64> = HashMap::new();
    let mut rows = Vec::with_capacity(batch.size_hint().0);
    for (resource, scope) in batch {
        let mut pair = [0; 2];
        for (row, body) in pair.iter_mut().zip([resource, scope]) {
            let address = (body.as_ptr().addr(), body.len());
            *row = match by_address.get(&address) {
                Some(&known) => known,
                None => {
                    let hash: [u8; 32] = Sha256::digest(body).into();
                    let id = match by_hash.get(&hash) {
                        Some(&known) => known,
                        None => share_one(transaction, &hash, body).await?,
                    };
                    by_hash.insert(hash, id);
                    by_address.insert(address, id);
                    id
                }
            };
        }
        rows.push((pair[0], pair[1]));
    }
    Ok(rows)
}

async fn share_one(transaction: &mut Transaction<'_, Sqlite>, hash: &[u8], body: &[u8]) -> Result<i64, StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT id FROM shared WHERE hash = ?")
        .bind(hash)
        .fetch_optional(&mut **transaction)
        .await?;
    match found {
        Some(id) => Ok(id),
        None => Ok(sqlx::query("INSERT INTO shared (hash, body) VALUES (?, ?)")
            .bind(hash)
            .bind(body)
            .execute(&mut **transaction)
            .await?
            .last_insert_rowid()),
    }
}

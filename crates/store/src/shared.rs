//! Resources and scopes, each stored once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use crate::database::{Telemetry, Write};
use crate::error::StoreError;
use crate::limits::size;
use crate::sql::{push_list, statements, unsigned};

/// What a body takes beside its bytes, approximately: the hash twice.
const SHARED_ROW: usize = 80;

impl Telemetry {
    /// The bodies that rows refer to, by number.
    pub(crate) async fn bodies(&self, rows: &[SqliteRow]) -> Result<HashMap<i64, Arc<[u8]>>, StoreError> {
        let ids: BTreeSet<i64> = rows.iter().flat_map(|row| ["resource", "scope"].map(|key| row.get(key))).collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        let mut bodies = HashMap::with_capacity(ids.len());
        for some in statements(&ids) {
            let mut select = QueryBuilder::<Sqlite>::new("SELECT id, body FROM shared WHERE id IN (");
            push_list(&mut select, some.iter().copied());
            for row in select.build().fetch_all(&self.pools.readers()).await? {
                bodies.insert(row.get("id"), row.get::<Vec<u8>, _>("body").into());
            }
        }
        Ok(bodies)
    }
}

/// Bytes of all shared bodies.
pub(crate) async fn bytes<'c>(executor: impl sqlx::Executor<'c, Database = Sqlite>) -> Result<u64, StoreError> {
    let bytes: i64 =
        sqlx::query_scalar("SELECT coalesce(sum(octet_length(body)), 0) FROM shared").fetch_one(executor).await?;
    Ok(unsigned(bytes))
}

/// Drops every body whose number is in none of these selections.
pub(crate) async fn drop_except(transaction: &mut Write, references: &[&str]) -> Result<(), StoreError> {
    let sql = format!("DELETE FROM shared WHERE id NOT IN ({})", references.join(" UNION "));
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut **transaction).await?;
    Ok(())
}

/// What the bodies of a batch take at most if none is stored yet. Consecutive records share the allocation.
pub(crate) fn sizes<'a>(batch: impl Iterator<Item = (&'a Arc<[u8]>, &'a Arc<[u8]>)>) -> impl Iterator<Item = i64> {
    let mut before = (0, 0);
    batch.flat_map(move |(resource, scope)| {
        let now = (resource.as_ptr().addr(), scope.as_ptr().addr());
        let new = [(resource, now.0 != before.0), (scope, now.1 != before.1)];
        before = now;
        new.into_iter().filter(|(_, new)| *new).map(|(body, _)| size(&[body.len(), SHARED_ROW]))
    })
}

/// The numbers of a record's resource and scope, and the bytes of those of them that were not stored yet.
pub(crate) type Shared = (i64, i64, i64);

/// Stores each resource and scope once; returns the numbers for each record of the batch.
pub(crate) async fn share<'a>(
    transaction: &mut Write,
    batch: impl Iterator<Item = (&'a Arc<[u8]>, &'a Arc<[u8]>)>,
) -> Result<Vec<Shared>, StoreError> {
    // Spans of one request share the allocation, so most need no hash. The batch keeps the allocations alive, so an
    // address stands for one content.
    let mut by_address: HashMap<(usize, usize), i64> = HashMap::new();
    let mut by_hash: HashMap<[u8; 32], i64> = HashMap::new();
    let mut rows = Vec::with_capacity(batch.size_hint().0);
    for (resource, scope) in batch {
        let mut pair = [0; 2];
        let mut new = 0;
        for (row, body) in pair.iter_mut().zip([resource, scope]) {
            let address = (body.as_ptr().addr(), body.len());
            *row = match by_address.get(&address) {
                Some(&known) => known,
                None => {
                    let hash: [u8; 32] = Sha256::digest(body).into();
                    let id = match by_hash.get(&hash) {
                        Some(&known) => known,
                        None => {
                            let (id, inserted) = share_one(transaction, &hash, body).await?;
                            new += if inserted { size(&[body.len(), SHARED_ROW]) } else { 0 };
                            id
                        }
                    };
                    by_hash.insert(hash, id);
                    by_address.insert(address, id);
                    id
                }
            };
        }
        rows.push((pair[0], pair[1], new));
    }
    Ok(rows)
}

/// The number of a body, and whether it was not stored yet.
async fn share_one(transaction: &mut Write, hash: &[u8], body: &[u8]) -> Result<(i64, bool), StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT id FROM shared WHERE hash = ?")
        .bind(hash)
        .fetch_optional(&mut **transaction)
        .await?;
    match found {
        Some(id) => Ok((id, false)),
        None => {
            let done = sqlx::query("INSERT INTO shared (hash, body) VALUES (?, ?)")
                .bind(hash)
                .bind(body)
                .execute(&mut **transaction)
                .await?;
            Ok((done.last_insert_rowid(), true))
        }
    }
}

//! Making room for a batch before it is written.
//!
//! Whoever writes makes room in the same transaction, so the limit holds however fast data arrives. The kind that takes
//! most loses its oldest records: a kind that takes less than a quarter of the limit loses nothing to the others, and
//! they may use what it leaves.

use std::sync::atomic::Ordering;

use sqlx::{QueryBuilder, Sqlite, Transaction};

use tracebook_core::time::Nanos;

use crate::database::{Pages, Telemetry};
use crate::error::StoreError;
use crate::limits::{Kind, on_disk, wal_share};
use crate::sql::{push_list, statements};
use crate::written;

/// How many rows are considered in one step, the oldest first.
const WINDOW: i64 = 512;
/// Bytes that one transaction drops at most if it does nothing else: receivers wait for it.
const MAX_DROPPED: i64 = 4 << 20;

/// A batch being written, after room was made for it.
pub(crate) struct Writing<'a> {
    telemetry: &'a Telemetry,
    pub(crate) transaction: Transaction<'static, Sqlite>,
    dropped: u64,
}

impl Writing<'_> {
    /// Commits. `bytes` is how much more `kind` takes than before.
    pub(crate) async fn commit(mut self, kind: &str, bytes: i64) -> Result<(), StoreError> {
        written::count(&mut self.transaction, kind, bytes).await?;
        self.transaction.commit().await?;
        let limits = &self.telemetry.limits;
        limits.dropped.fetch_add(self.dropped, Ordering::Relaxed);
        let wal_limit = limits.wal_limit.load(Ordering::Relaxed);
        if self.telemetry.pools.wal_size() > wal_limit {
            // While a reader holds it, try less often: writers wait for every try.
            let emptied = self.telemetry.pools.try_empty_wal().await?;
            let next = if emptied { wal_share(limits.bytes) * 2 } else { wal_limit.saturating_mul(2) };
            limits.wal_limit.store(next, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// What was dropped.
#[derive(Clone, Copy, Default)]
struct Dropped {
    records: u64,
    bytes: i64,
}

impl Telemetry {
    /// How many spans, log events, occurrences and lines this process dropped since it opened the database.
    pub fn dropped(&self) -> u64 {
        self.limits.dropped.load(Ordering::Relaxed)
    }

    /// Begins to write rows of these sizes and drops the oldest records to make room for them.
    pub(crate) async fn begin(&self, rows: impl Iterator<Item = i64>) -> Result<Writing<'_>, StoreError> {
        let need = on_disk(rows);
        let mut transaction = self.pools.write().await?;
        let mut dropped = 0;
        if self.limits.bytes < u64::MAX {
            // If much is to go (the limit was lowered), it goes in several transactions.
            let most = MAX_DROPPED.saturating_add_unsigned(need.saturating_mul(4));
            dropped = self.make_room(&mut transaction, need, most).await?.records;
        }
        Ok(Writing { telemetry: self, transaction, dropped })
    }

    /// Drops some of what is above the limit, in one transaction; returns how many records.
    pub(crate) async fn drop_excess(&self) -> Result<u64, StoreError> {
        let mut transaction = self.pools.write().await?;
        let dropped = self.make_room(&mut transaction, 0, MAX_DROPPED).await?;
        transaction.commit().await?;
        self.limits.dropped.fetch_add(dropped.records, Ordering::Relaxed);
        Ok(dropped.records)
    }

    /// Drops some records of a kind that arrived before a time, in one transaction; returns how many.
    pub(crate) async fn drop_old(&self, kind: &Kind, before: Nanos) -> Result<u64, StoreError> {
        let mut transaction = self.pools.write().await?;
        let dropped = drop_oldest(&mut transaction, kind, Some(before), i64::MAX).await?;
        written::count(&mut transaction, kind.name, -dropped.bytes).await?;
        transaction.commit().await?;
        self.limits.dropped.fetch_add(dropped.records, Ordering::Relaxed);
        Ok(dropped.records)
    }

    /// Whether a kind has records from before a time. Needs no write lock: most of the time there are none.
    pub(crate) async fn has_old(&self, kind: &Kind, before: Nanos) -> Result<bool, StoreError> {
        let window = if kind.parts.is_some() { WINDOW } else { 1 };
        let sql = format!("SELECT min(received) FROM (SELECT received FROM {} ORDER BY seq LIMIT ?)", kind.table);
        let first: Option<i64> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(window).fetch_one(&self.pools.readers).await?;
        Ok(first.is_some_and(|first| first < before.0))
    }

    /// Drops the oldest records of whichever kind takes most, until `need` bytes fit or about `most` bytes went.
    async fn make_room(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        need: u64,
        most: i64,
    ) -> Result<Dropped, StoreError> {
        let limits = &self.limits;
        let mut all = Dropped::default();
        let mut wanted = Pages::of(&mut **transaction).await?.used().saturating_add(need);
        if wanted <= limits.bytes {
            return Ok(all);
        }
        let written = written::bytes(&mut **transaction).await?;
        let bytes_of = |name: &str| written.iter().find(|(kind, _)| kind == name).map_or(0, |(_, bytes)| *bytes);
        // The relay's queue is in the same file, and has a limit of its own.
        let relayed = u64::try_from(bytes_of(written::RELAY)).unwrap_or(0);
        if wanted <= limits.bytes.saturating_add(relayed) {
            return Ok(all);
        }
        let mut kinds: Vec<(&Kind, i64)> = limits.kinds.iter().map(|kind| (*kind, bytes_of(kind.name))).collect();
        let goal = limits.goal().saturating_add(relayed);
        while wanted > goal && all.bytes < most {
            let Some((kind, bytes)) = kinds.iter_mut().max_by_key(|(_, bytes)| *bytes).filter(|(_, bytes)| *bytes > 0)
            else {
                break;
            };
            let over = i64::try_from(wanted - goal).unwrap_or(i64::MAX);
            let dropped = drop_oldest(transaction, kind, None, over.min(most)).await?;
            // If nothing is left to drop, the count was wrong: correct it.
            let counted = if dropped.records == 0 { *bytes } else { dropped.bytes };
            written::count(transaction, kind.name, -counted).await?;
            *bytes -= counted;
            all.records += dropped.records;
            all.bytes = all.bytes.saturating_add(dropped.bytes);
            wanted = Pages::of(&mut **transaction).await?.used().saturating_add(need);
        }
        Ok(all)
    }
}

/// Drops the oldest of a kind: what arrived before a moment, or about this many bytes; at most [`WINDOW`] rows.
async fn drop_oldest(
    transaction: &mut Transaction<'_, Sqlite>,
    kind: &Kind,
    before: Option<Nanos>,
    bytes: i64,
) -> Result<Dropped, StoreError> {
    let Kind { table, bytes: row_bytes, records, parts, .. } = kind;
    let sql = format!("SELECT seq, received, {row_bytes}, {records} FROM {table} ORDER BY seq LIMIT ?");
    let mut rows: Vec<(i64, i64, i64, i64)> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(WINDOW).fetch_all(&mut **transaction).await?;
    let mut most = rows.len();
    if parts.is_some() {
        // Rows with parts still grow. Of those that came first, the ones that were updated least recently go; unless
        // they are too old, at most half of them, so that what is still arriving is not dropped because it began long
        // ago.
        rows.sort_by_key(|(_, received, ..)| *received);
        most = if before.is_some() { rows.len() } else { rows.len().div_ceil(2) };
    }
    let mut dropped = Dropped::default();
    let mut numbers = Vec::new();
    for (seq, received, size, records) in rows.into_iter().take(most) {
        if dropped.bytes >= bytes || before.is_some_and(|before| received >= before.0) {
            break;
        }
        numbers.push(seq);
        dropped.bytes += size;
        dropped.records += u64::try_from(records).unwrap_or(0);
    }
    match (parts, numbers.last()) {
        (_, None) => {}
        (Some((part, column)), _) => {
            delete(transaction, part, column, &numbers).await?;
            delete(transaction, table, "seq", &numbers).await?;
        }
        (None, Some(last)) => {
            let sql = format!("DELETE FROM {table} WHERE seq <= ?");
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(last).execute(&mut **transaction).await?;
        }
    }
    Ok(dropped)
}

async fn delete(
    transaction: &mut Transaction<'_, Sqlite>,
    table: &str,
    column: &str,
    numbers: &[i64],
) -> Result<(), StoreError> {
    for some in statements(numbers) {
        let mut delete = QueryBuilder::<Sqlite>::new(format!("DELETE FROM {table} WHERE {column} IN ("));
        push_list(&mut delete, some.iter().copied());
        delete.build().execute(&mut **transaction).await?;
    }
    Ok(())
}

//! Making room for a batch before it is written.
//!
//! Whoever writes makes room in the same transaction, so the limit holds however fast data arrives. The kind that takes
//! most loses its oldest records: a kind that takes less than a quarter of the limit loses nothing to the others, and
//! they may use what it leaves. Within a kind the senders that take most lose theirs, see [`crate::shares`].

use std::sync::atomic::Ordering;

use sqlx::{QueryBuilder, Sqlite};

use tracebook_core::time::Nanos;

use crate::database::{Pages, Telemetry, Write};
use crate::error::StoreError;
use crate::limits::{Kind, Limits, on_disk, wal_share};
use crate::shares::{Bucket, SEGMENT, Shares};
use crate::sql::{push_list, statements};
use crate::{shared, written};

/// How many rows are considered in one step, the oldest first.
const WINDOW: i64 = 512;
/// Bytes that one transaction drops at most if it does nothing else: receivers wait for it.
const MAX_DROPPED: i64 = 4 << 20;

/// A batch being written, after room was made for it.
pub(crate) struct Writing<'a> {
    telemetry: &'a Telemetry,
    pub(crate) transaction: Write,
    dropped: u64,
    counts: Counts<'a>,
}

impl Writing<'_> {
    /// Counts rows of a kind by sender: their numbers, the column that names the sender, and how many bytes they take
    /// more than before.
    pub(crate) fn count_senders<'s>(&mut self, kind: &Kind, rows: impl Iterator<Item = (i64, &'s str, i64)>) {
        let mut senders = self.telemetry.limits.senders();
        self.counts.add(kind, rows.map(|(seq, column, bytes)| (seq, senders.bucket(kind.sender(column)), bytes)));
    }

    /// Counts resources and scopes that were not stored yet by sender.
    pub(crate) fn count_bodies<'s>(&self, rows: impl Iterator<Item = (&'s str, i64)>) {
        let limits = &self.telemetry.limits;
        for (sender, bytes) in rows.filter(|(_, bytes)| *bytes > 0) {
            let bucket = limits.senders().bucket(sender);
            limits.bodies().add(bucket, bytes);
        }
    }

    /// Commits. `bytes` is how much more `kind` takes than before.
    pub(crate) async fn commit(mut self, kind: &str, bytes: i64) -> Result<(), StoreError> {
        written::count(&mut self.transaction, kind, bytes).await?;
        self.transaction.commit().await?;
        self.counts.settle();
        let limits = &self.telemetry.limits;
        limits.dropped.fetch_add(self.dropped, Ordering::Relaxed);
        let wal_limit = limits.wal_limit.load(Ordering::Relaxed);
        if self.telemetry.pools.wal_size() > wal_limit {
            // While a reader holds it, try less often: writers wait for every try. The batch is committed
            // whatever comes of it: a full disk must not make the sender repeat what is stored.
            let emptied = self.telemetry.pools.try_empty_wal().await.unwrap_or(false);
            let next = if emptied { wal_share(limits.bytes) * 2 } else { wal_limit.saturating_mul(2) };
            limits.wal_limit.store(next, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Changes of the senders' counts in a transaction. Where it is not committed, they are counted again when needed.
struct Counts<'a> {
    limits: &'a Limits,
    changed: bool,
}

impl Counts<'_> {
    fn add(&mut self, kind: &Kind, rows: impl Iterator<Item = (i64, Bucket, i64)>) {
        if let Some(shares) = self.limits.shares().get_mut(kind.name) {
            self.changed = true;
            for (seq, bucket, bytes) in rows {
                shares.add(seq, bucket, bytes);
            }
        }
    }

    /// The transaction was committed.
    fn settle(&mut self) {
        self.changed = false;
    }
}

impl Drop for Counts<'_> {
    fn drop(&mut self) {
        if self.changed {
            self.limits.shares().clear();
        }
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
        let mut counts = Counts { limits: &self.limits, changed: false };
        let mut dropped = 0;
        if self.limits.bytes < u64::MAX {
            // If much is to go (the limit was lowered), it goes in several transactions.
            let most = MAX_DROPPED.saturating_add_unsigned(need.saturating_mul(4));
            dropped = self.make_room(&mut transaction, &mut counts, need, most).await?.records;
        }
        Ok(Writing { telemetry: self, transaction, dropped, counts })
    }

    /// Drops some of what is above the limit, in one transaction; returns how many records.
    pub(crate) async fn drop_excess(&self) -> Result<u64, StoreError> {
        let mut transaction = self.pools.write().await?;
        let mut counts = Counts { limits: &self.limits, changed: false };
        let dropped = self.make_room(&mut transaction, &mut counts, 0, MAX_DROPPED).await?;
        transaction.commit().await?;
        counts.settle();
        self.limits.dropped.fetch_add(dropped.records, Ordering::Relaxed);
        Ok(dropped.records)
    }

    /// Drops some records of a kind that arrived before a time, in one transaction; returns how many.
    pub(crate) async fn drop_old(&self, kind: &Kind, before: Nanos) -> Result<u64, StoreError> {
        let mut transaction = self.pools.write().await?;
        let mut counts = Counts { limits: &self.limits, changed: false };
        let oldest = first_rows(&mut transaction, &self.limits, kind).await?;
        let dropped = drop_rows(&mut transaction, &mut counts, kind, oldest, Some(before), i64::MAX).await?;
        written::count(&mut transaction, kind.name, -dropped.bytes).await?;
        transaction.commit().await?;
        counts.settle();
        self.limits.dropped.fetch_add(dropped.records, Ordering::Relaxed);
        Ok(dropped.records)
    }

    /// Whether a kind has records from before a time. Needs no write lock: most of the time there are none.
    pub(crate) async fn has_old(&self, kind: &Kind, before: Nanos) -> Result<bool, StoreError> {
        let window = if kind.parts.is_some() { WINDOW } else { 1 };
        let sql = format!("SELECT min(received) FROM (SELECT received FROM {} ORDER BY seq LIMIT ?)", kind.table);
        let first: Option<i64> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(window).fetch_one(&self.pools.readers()).await?;
        Ok(first.is_some_and(|first| first < before.0))
    }

    /// Drops the oldest records of whichever kind takes most, until `need` bytes fit or about `most` bytes went.
    async fn make_room(
        &self,
        transaction: &mut Write,
        counts: &mut Counts<'_>,
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
        // Where resources take much of the file, dropping records frees little without them.
        let shared = shared::bytes(&mut **transaction).await?;
        let sweep = shared > limits.shared_share();
        if shared > limits.shared_left.load(Ordering::Relaxed).saturating_add(limits.shared_share()) {
            let left = drop_unreferenced(transaction, limits).await?;
            limits.shared_left.store(left, Ordering::Relaxed);
            wanted = Pages::of(&mut **transaction).await?.used().saturating_add(need);
        }
        while wanted > goal && all.bytes < most {
            let Some((kind, bytes)) = kinds.iter_mut().max_by_key(|(_, bytes)| *bytes).filter(|(_, bytes)| *bytes > 0)
            else {
                break;
            };
            let over = i64::try_from(wanted - goal).unwrap_or(i64::MAX);
            let rows = rows_of_large_senders(transaction, limits, kind).await?;
            let dropped = drop_rows(transaction, counts, kind, rows, None, over.min(most)).await?;
            // If nothing is left to drop, the count was wrong: correct it.
            let counted = if dropped.records == 0 { *bytes } else { dropped.bytes };
            written::count(transaction, kind.name, -counted).await?;
            *bytes -= counted;
            all.records += dropped.records;
            all.bytes = all.bytes.saturating_add(dropped.bytes);
            if sweep {
                drop_unreferenced(transaction, limits).await?;
            }
            wanted = Pages::of(&mut **transaction).await?.used().saturating_add(need);
        }
        Ok(all)
    }
}

/// Drops resources and scopes that no record refers to; returns the bytes of those that are left.
pub(crate) async fn drop_unreferenced(transaction: &mut Write, limits: &Limits) -> Result<u64, StoreError> {
    let references: Vec<&str> = limits.kinds.iter().filter_map(|kind| kind.shared).collect();
    shared::drop_except(transaction, &references).await?;
    let left = shared::bytes(&mut **transaction).await?;
    limits.bodies().reduce_to(left);
    Ok(left)
}

/// A row that may go.
struct Row {
    seq: i64,
    received: i64,
    bytes: i64,
    records: i64,
    bucket: Bucket,
}

/// The first rows of a kind that a condition selects, in the order of their numbers.
async fn select(
    transaction: &mut Write,
    limits: &Limits,
    kind: &Kind,
    (from, until): (i64, i64),
    limit: i64,
) -> Result<Vec<Row>, StoreError> {
    let Kind { table, bytes, records, sender: (sender, _), .. } = kind;
    let sql = format!(
        "SELECT seq, received, {bytes}, {records}, {sender} FROM {table} WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?"
    );
    let rows: Vec<(i64, i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(from)
        .bind(until)
        .bind(limit)
        .fetch_all(&mut **transaction)
        .await?;
    let mut senders = limits.senders();
    let row = |(seq, received, bytes, records, column): (i64, i64, i64, i64, String)| Row {
        seq,
        received,
        bytes,
        records,
        bucket: senders.bucket(kind.sender(&column)),
    };
    Ok(rows.into_iter().map(row).collect())
}

async fn first_rows(transaction: &mut Write, limits: &Limits, kind: &Kind) -> Result<Vec<Row>, StoreError> {
    select(transaction, limits, kind, (i64::MIN, i64::MAX), WINDOW).await
}

/// The first rows of the senders that take most; of all senders if there are none.
async fn rows_of_large_senders(transaction: &mut Write, limits: &Limits, kind: &Kind) -> Result<Vec<Row>, StoreError> {
    if !limits.shares().contains_key(kind.name) {
        let shares = count_shares(transaction, limits, kind).await?;
        limits.shares().insert(kind.name, shares);
    }
    limits.free_senders();
    let mut rows = Vec::new();
    let mut from = i64::MIN;
    while rows.len() < usize::try_from(WINDOW).unwrap_or(usize::MAX) {
        let next = limits.shares().get(kind.name).and_then(|shares| {
            let large = shares.large(&limits.bodies(), limits.bytes);
            shares.next(from, &large).map(|segment| (segment, large))
        });
        let Some((segment, large)) = next else { break };
        let found = select(transaction, limits, kind, numbers_of(segment), SEGMENT).await?;
        if let Some(shares) = limits.shares().get_mut(kind.name) {
            shares.correct(segment, found.iter().map(|row| (row.bucket, row.bytes)));
        }
        rows.extend(found.into_iter().filter(|row| large.has(row.bucket)));
        from = segment + 1;
    }
    match rows.is_empty() {
        true => first_rows(transaction, limits, kind).await,
        false => Ok(rows),
    }
}

/// The first and the last number of a segment.
fn numbers_of(segment: i64) -> (i64, i64) {
    let first = segment.saturating_mul(SEGMENT);
    (first, first.saturating_add(SEGMENT - 1))
}

/// Counts everything that is stored of a kind.
async fn count_shares(transaction: &mut Write, limits: &Limits, kind: &Kind) -> Result<Shares, StoreError> {
    let Kind { table, bytes, sender: (sender, _), .. } = kind;
    let first = format!("SELECT min(seq) FROM {table} WHERE seq >= ?");
    let sums = format!(
        "SELECT {sender}, sum({bytes}) FROM {table} WHERE seq BETWEEN ? AND ? GROUP BY {sender} ORDER BY min(seq)"
    );
    let safe = |sql: &String| sqlx::AssertSqlSafe(sql.clone());
    let mut shares = Shares::default();
    let mut from = i64::MIN;
    while let Some(seq) =
        sqlx::query_scalar::<_, Option<i64>>(safe(&first)).bind(from).fetch_one(&mut **transaction).await?
    {
        let segment = seq.div_euclid(SEGMENT);
        let (begin, end) = numbers_of(segment);
        let found: Vec<(String, i64)> =
            sqlx::query_as(safe(&sums)).bind(begin).bind(end).fetch_all(&mut **transaction).await?;
        let mut senders = limits.senders();
        for (column, bytes) in found {
            shares.add_to(segment, senders.bucket(kind.sender(&column)), bytes);
        }
        drop(senders);
        from = end.saturating_add(1);
    }
    Ok(shares)
}

/// Drops of these rows what arrived before a moment, or about this many bytes; at most [`WINDOW`] rows.
async fn drop_rows(
    transaction: &mut Write,
    counts: &mut Counts<'_>,
    kind: &Kind,
    mut rows: Vec<Row>,
    before: Option<Nanos>,
    bytes: i64,
) -> Result<Dropped, StoreError> {
    let Kind { table, parts, .. } = kind;
    let mut most = rows.len();
    if parts.is_some() {
        // Rows with parts still grow. Of those that came first, the ones that were updated least recently go; unless
        // they are too old, at most half of them, so that what is still arriving is not dropped because it began long
        // ago.
        rows.sort_by_key(|row| row.received);
        most = if before.is_some() { rows.len() } else { rows.len().div_ceil(2) };
    }
    most = most.min(usize::try_from(WINDOW).unwrap_or(usize::MAX));
    let mut dropped = Dropped::default();
    let mut gone = Vec::new();
    for row in rows.into_iter().take(most) {
        if dropped.bytes >= bytes || before.is_some_and(|before| row.received >= before.0) {
            break;
        }
        dropped.bytes += row.bytes;
        dropped.records += u64::try_from(row.records).unwrap_or(0);
        gone.push(row);
    }
    let numbers: Vec<i64> = gone.iter().map(|row| row.seq).collect();
    if let Some((part, column)) = parts {
        delete(transaction, part, column, &numbers).await?;
    }
    delete(transaction, table, "seq", &numbers).await?;
    counts.add(kind, gone.iter().map(|row| (row.seq, row.bucket, -row.bytes)));
    Ok(dropped)
}

async fn delete(transaction: &mut Write, table: &str, column: &str, numbers: &[i64]) -> Result<(), StoreError> {
    for some in statements(numbers) {
        let mut delete = QueryBuilder::<Sqlite>::new(format!("DELETE FROM {table} WHERE {column} IN ("));
        push_list(&mut delete, some.iter().copied());
        delete.build().execute(&mut **transaction).await?;
    }
    Ok(())
}

//! How much telemetry there is, and letting the oldest go.
//!
//! Whoever writes makes room first, in the same transaction, so that the limit holds however fast it comes. The kind that takes
//! most lets its oldest go: a kind that takes less than a quarter of the limit loses nothing to the others, and what it
//! does not take is theirs.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{QueryBuilder, Row as _, Sqlite, Transaction};

use tracebook_core::telemetry::{ConsoleRecord, ErrorRecord, LogRecord, SpanRecord};
use tracebook_core::time::Nanos;

use crate::error::StoreError;
use crate::open::{PAGE, Telemetry};
use crate::relay::QUEUE;
use crate::telemetry::statements;

/// What a trace takes beside its spans.
pub(crate) const TRACE_BYTES: i64 = 200;
/// What a row takes, with its part of the indexes: near enough to compare kinds by. In SQL and, below, of a record.
pub(crate) const SPAN_BYTES: &str = "octet_length(raw) + octet_length(title) + octet_length(service) + 150";
pub(crate) const LOG_BYTES: &str =
    "octet_length(message) + octet_length(raw) + octet_length(group_name) + octet_length(stream) + 200";
pub(crate) const ERROR_BYTES: &str = "octet_length(raw) + octet_length(title) + octet_length(item) + 300";
pub(crate) const LINE_BYTES: &str = "octet_length(text) + octet_length(stream) + 100";

/// How many rows are looked at in one go, the oldest first.
const WINDOW: i64 = 512;
/// How much goes in one transaction that only lets go: receivers wait for it.
const AT_ONCE: i64 = 4 << 20;
/// Free room that is worth copying everything else for.
const WORTH_SHRINKING: u64 = 8 << 20;

/// The kinds that are kept row by row: what each is told of as, its table, and what a row takes.
const TABLES: [(&str, &str, &str); 3] =
    [("logs", "log", LOG_BYTES), ("errors", "occurrence", ERROR_BYTES), ("console", "console", LINE_BYTES)];

pub(crate) fn span_bytes(span: &SpanRecord) -> i64 {
    size(&[span.raw.len(), span.title.len(), span.service.len(), 150])
}

pub(crate) fn log_bytes(log: &LogRecord) -> i64 {
    size(&[log.message.len(), log.raw.len(), log.group.len(), log.stream.len(), 200])
}

pub(crate) fn error_bytes(error: &ErrorRecord) -> i64 {
    size(&[error.raw.len(), error.title.len(), error.item.len(), 300])
}

pub(crate) fn line_bytes(line: &ConsoleRecord) -> i64 {
    size(&[line.text.len(), line.stream.len(), 100])
}

/// What rows take on the disk at most: a page holds only whole ones.
pub(crate) fn room(rows: impl Iterator<Item = i64>) -> u64 {
    let page = PAGE.cast_signed();
    let room = rows.map(|row| match page / row.max(1) {
        0 => row.saturating_add(page),
        rows => page / rows,
    });
    u64::try_from(room.fold(0, i64::saturating_add)).unwrap_or(0)
}

fn size(parts: &[usize]) -> i64 {
    i64::try_from(parts.iter().sum::<usize>()).unwrap_or(i64::MAX)
}

/// The limit, and what has been done about it since the start.
#[derive(Debug)]
pub(crate) struct Bounds {
    limit: u64,
    dropped: AtomicU64,
    /// Bytes of resources and scopes after the last look for those that nothing points at.
    pub(crate) shared_left: AtomicU64,
    /// The write-ahead log is next cut short when it is larger than this.
    log_limit: AtomicU64,
    /// The size of the file when it was last made smaller.
    shrunk: AtomicU64,
}

impl Bounds {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            dropped: AtomicU64::new(0),
            shared_left: AtomicU64::new(0),
            log_limit: AtomicU64::new(log_share(limit) * 2),
            shrunk: AtomicU64::new(0),
        }
    }

    /// Where making room stops: a little below the limit, so that not every small batch has to.
    fn goal(&self) -> u64 {
        self.limit - (self.limit / 64).min(1 << 20)
    }
}

/// How large the write-ahead log may be before it is written into the database. The larger, the more often a page is
/// written once instead of several times.
pub(crate) fn log_share(limit: u64) -> u64 {
    (limit / 8).clamp(1 << 20, 32 << 20)
}

/// A batch on its way into the database, with room for it.
pub(crate) struct Writing<'a> {
    telemetry: &'a Telemetry,
    pub(crate) transaction: Transaction<'static, Sqlite>,
    gone: u64,
}

impl Writing<'_> {
    /// Commits: `kind` was written, and takes so many bytes more than before.
    pub(crate) async fn commit(mut self, kind: &str, bytes: i64) -> Result<(), StoreError> {
        wrote(&mut self.transaction, kind, bytes).await?;
        self.transaction.commit().await?;
        let bounds = &self.telemetry.bounds;
        bounds.dropped.fetch_add(self.gone, Ordering::Relaxed);
        let most = bounds.log_limit.load(Ordering::Relaxed);
        if self.telemetry.pools.log_size() > most {
            // Where a reader does not let go, the next try is later: every try makes writers wait.
            let cut = self.telemetry.pools.cut_log().await?;
            let next = if cut { log_share(bounds.limit) * 2 } else { most.saturating_mul(2) };
            bounds.log_limit.store(next, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Counts a write of a kind, in its transaction.
pub(crate) async fn wrote(transaction: &mut Transaction<'_, Sqlite>, kind: &str, bytes: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE written SET n = n + 1, bytes = max(bytes + ?, 0) WHERE kind = ?")
        .bind(bytes)
        .bind(kind)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// What went.
#[derive(Clone, Copy, Default)]
struct Gone {
    /// Spans, log events, occurrences, lines.
    records: u64,
    bytes: i64,
}

impl Telemetry {
    /// Bytes that telemetry takes: the pages in use. The file may be larger; what is free in it is used again first.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        Ok(Pages::of(&self.pools.readers).await?.used())
    }

    /// How many spans, log events, occurrences and lines this process let go since it opened the database.
    pub fn dropped(&self) -> u64 {
        self.bounds.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn limit(&self) -> u64 {
        self.bounds.limit
    }

    /// Begins to write rows of these sizes: the oldest make room for them.
    pub(crate) async fn begin(&self, rows: impl Iterator<Item = i64>) -> Result<Writing<'_>, StoreError> {
        let need = room(rows);
        let mut transaction = self.pools.write().await?;
        let mut gone = 0;
        if self.bounds.limit < u64::MAX {
            // Not all at once where much is to go: a limit that was lowered, a database of another version.
            let most = AT_ONCE.saturating_add_unsigned(need.saturating_mul(4));
            gone = self.make_room(&mut transaction, need, most).await?.records;
        }
        Ok(Writing { telemetry: self, transaction, gone })
    }

    /// Lets the oldest go: what arrived before a moment, and what is above the limit. A trace goes whole. What is free
    /// after that is given back to the system where it is much.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written; what went before stays gone.
    pub async fn trim(&self, before: Nanos) -> Result<(), StoreError> {
        while self.has_old_traces(before).await? && self.let_go(Some(before), "traces").await? > 0 {}
        for (kind, table, _) in TABLES {
            while self.has_old_rows(table, before).await? && self.let_go(Some(before), kind).await? > 0 {}
        }
        while self.bytes().await? > self.bounds.limit && self.let_go(None, "").await? > 0 {}
        self.sweep_shared().await?;
        self.shrink().await
    }

    /// One transaction that lets go of what is old in a kind, or of what is above the limit.
    async fn let_go(&self, before: Option<Nanos>, kind: &str) -> Result<u64, StoreError> {
        let mut transaction = self.pools.write().await?;
        let gone = match before {
            None => self.make_room(&mut transaction, 0, AT_ONCE).await?,
            Some(before) => {
                let gone = drop_oldest(&mut transaction, kind, Some(before), i64::MAX).await?;
                wrote(&mut transaction, kind, -gone.bytes).await?;
                gone
            }
        };
        transaction.commit().await?;
        self.bounds.dropped.fetch_add(gone.records, Ordering::Relaxed);
        Ok(gone.records)
    }

    /// Lets the oldest of whichever kind takes most go, until there is so much room or so much went.
    async fn make_room(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        need: u64,
        most: i64,
    ) -> Result<Gone, StoreError> {
        let mut all = Gone::default();
        let mut wanted = Pages::of(&mut **transaction).await?.used().saturating_add(need);
        if wanted <= self.bounds.limit {
            return Ok(all);
        }
        let mut kinds: Vec<(String, i64)> =
            sqlx::query_as("SELECT kind, bytes FROM written WHERE bytes > 0").fetch_all(&mut **transaction).await?;
        // What waits to be sent on is in the same file, and has a limit of its own.
        let relayed: i64 = kinds.extract_if(.., |(kind, _)| *kind == QUEUE).map(|(_, bytes)| bytes).sum();
        let relayed = u64::try_from(relayed).unwrap_or(0);
        if wanted <= self.bounds.limit.saturating_add(relayed) {
            return Ok(all);
        }
        let goal = self.bounds.goal().saturating_add(relayed);
        while wanted > goal && all.bytes < most {
            let Some((kind, bytes)) = kinds.iter_mut().max_by_key(|(_, bytes)| *bytes).filter(|(_, bytes)| *bytes > 0)
            else {
                break;
            };
            let over = i64::try_from(wanted - goal).unwrap_or(i64::MAX);
            let gone = drop_oldest(transaction, kind, None, over.min(most)).await?;
            // Nothing there to go: counted wrong, and put right.
            let counted = if gone.records == 0 { *bytes } else { gone.bytes };
            wrote(transaction, kind, -counted).await?;
            *bytes -= counted;
            all.records += gone.records;
            all.bytes = all.bytes.saturating_add(gone.bytes);
            wanted = Pages::of(&mut **transaction).await?.used().saturating_add(need);
        }
        Ok(all)
    }

    /// Whether something is to go, without the write lock: most of the time there is nothing.
    async fn has_old_traces(&self, before: Nanos) -> Result<bool, StoreError> {
        let first: Option<i64> =
            sqlx::query_scalar("SELECT min(received) FROM (SELECT received FROM trace ORDER BY seq LIMIT ?)")
                .bind(WINDOW)
                .fetch_one(&self.pools.readers)
                .await?;
        Ok(first.is_some_and(|first| first < before.0))
    }

    async fn has_old_rows(&self, table: &str, before: Nanos) -> Result<bool, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("SELECT received FROM {table} ORDER BY seq LIMIT 1"));
        let first: Option<i64> = sqlx::query_scalar(sql).fetch_optional(&self.pools.readers).await?;
        Ok(first.is_some_and(|first| first < before.0))
    }

    /// Gives free room back where it is most of the file, or makes the file larger than the limit.
    async fn shrink(&self) -> Result<(), StoreError> {
        let pages = Pages::of(&self.pools.readers).await?;
        let (file, free) = (pages.all * pages.size, pages.free * pages.size);
        let much = free > file / 2 || file > self.bounds.limit.saturating_add(self.bounds.limit / 8);
        // A disk too full to copy to now is none later either, as long as the file is the same.
        if free < WORTH_SHRINKING || !much || self.bounds.shrunk.swap(file, Ordering::Relaxed) == file {
            return Ok(());
        }
        self.pools.compact().await
    }
}

/// The pages of the database.
#[derive(Clone, Copy)]
struct Pages {
    all: u64,
    free: u64,
    size: u64,
}

impl Pages {
    async fn of<'c>(executor: impl sqlx::Executor<'c, Database = Sqlite>) -> Result<Self, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT page_count FROM pragma_page_count) AS pages, (SELECT freelist_count FROM pragma_freelist_count) AS free,
               (SELECT page_size FROM pragma_page_size) AS size",
        )
        .fetch_one(executor)
        .await?;
        let of = |column: &str| u64::try_from(row.get::<i64, _>(column)).unwrap_or(0);
        Ok(Self { all: of("pages"), free: of("free"), size: of("size") })
    }

    fn used(self) -> u64 {
        self.all.saturating_sub(self.free).saturating_mul(self.size)
    }
}

/// Lets the oldest of a kind go: what arrived before a moment, or about so many bytes; some hundred rows at most.
async fn drop_oldest(
    transaction: &mut Transaction<'_, Sqlite>,
    kind: &str,
    before: Option<Nanos>,
    bytes: i64,
) -> Result<Gone, StoreError> {
    match TABLES.into_iter().find(|(name, ..)| *name == kind) {
        Some((_, table, row_bytes)) => drop_rows(transaction, table, row_bytes, before, bytes).await,
        None => drop_traces(transaction, before, bytes).await,
    }
}

/// Of the traces that came first, those go that were heard of least recently; half of them at most, unless they are too
/// old: what is still arriving is not torn apart because it began long ago.
async fn drop_traces(
    transaction: &mut Transaction<'_, Sqlite>,
    before: Option<Nanos>,
    bytes: i64,
) -> Result<Gone, StoreError> {
    let mut rows: Vec<(i64, i64, i64, i64)> =
        sqlx::query_as("SELECT seq, received, bytes, spans FROM trace ORDER BY seq LIMIT ?")
            .bind(WINDOW)
            .fetch_all(&mut **transaction)
            .await?;
    rows.sort_by_key(|(_, received, ..)| *received);
    let most = if before.is_some() { rows.len() } else { rows.len().div_ceil(2) };
    let mut gone = Gone::default();
    let mut numbers = Vec::new();
    for (seq, received, size, spans) in rows.into_iter().take(most) {
        if gone.bytes >= bytes || before.is_some_and(|before| received >= before.0) {
            break;
        }
        numbers.push(seq);
        gone.bytes += size;
        gone.records += u64::try_from(spans).unwrap_or(0);
    }
    for (table, column) in [("span", "trace"), ("trace", "seq")] {
        for some in statements(&numbers) {
            let mut delete = QueryBuilder::<Sqlite>::new(format!("DELETE FROM {table} WHERE {column} IN ("));
            let mut list = delete.separated(", ");
            for number in some {
                list.push_bind(*number);
            }
            delete.push(")");
            delete.build().execute(&mut **transaction).await?;
        }
    }
    Ok(gone)
}

async fn drop_rows(
    transaction: &mut Transaction<'_, Sqlite>,
    table: &str,
    row_bytes: &str,
    before: Option<Nanos>,
    bytes: i64,
) -> Result<Gone, StoreError> {
    let sql = format!("SELECT seq, received, {row_bytes} FROM {table} ORDER BY seq LIMIT ?");
    let rows: Vec<(i64, i64, i64)> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(WINDOW).fetch_all(&mut **transaction).await?;
    let mut gone = Gone::default();
    let mut last = None;
    for (seq, received, size) in rows {
        if gone.bytes >= bytes || before.is_some_and(|before| received >= before.0) {
            break;
        }
        last = Some(seq);
        gone.bytes += size;
        gone.records += 1;
    }
    if let Some(last) = last {
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table} WHERE seq <= ?")))
            .bind(last)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(gone)
}

//! The relay's queue on disk, which is bounded, and the results of sending.

use sqlx::{QueryBuilder, Row as _, Sqlite};

use tracebook_core::time::Nanos;

use crate::database::{Telemetry, Write};
use crate::error::StoreError;
use crate::limits::PAGE;
use crate::sql::{push_list, signed, statements, unsigned};
use crate::written::{self, RELAY};

/// What a row takes beside its body, approximately.
const ROW_BYTES: usize = 100;
/// How many rows are considered for one batch.
const MAX_CONSIDERED: i64 = 1_000;
/// How many rows one transaction drops at most: receivers wait for it.
const MAX_DROPPED: i64 = 8_192;

/// A payload for a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub destination: &'static str,
    /// Only payloads of one kind go into a batch. Defined by the destination.
    pub kind: String,
    /// How many spans, segments, log events or errors it contains.
    pub items: u32,
    /// Contains no credential.
    pub body: Vec<u8>,
}

/// A payload in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Increases with arrival and is never reused.
    pub seq: i64,
    pub kind: String,
    pub items: u32,
    /// When it was queued.
    pub received: Nanos,
    pub body: Vec<u8>,
}

/// The result of sending a batch.
#[derive(Clone, Debug, Default)]
pub struct BatchOutcome {
    /// Payloads that leave the queue, whether they were accepted or refused.
    pub done: Vec<i64>,
    /// Items that were accepted.
    pub sent: u64,
    /// Items that were refused for good.
    pub refused: u64,
    /// Why the last of them was refused; empty if none was.
    pub refusal: String,
    /// Payloads that stay in the queue, behind those that were not tried yet.
    pub retry: Vec<i64>,
}

/// The queue of one destination, and the results of sending to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelayCount {
    pub destination: String,
    /// Items in the queue.
    pub waiting: u64,
    /// What they take.
    pub bytes: u64,
    /// When the oldest of them was queued.
    pub oldest: Option<Nanos>,
    /// Items that were accepted.
    pub sent: u64,
    /// Items that were refused for good.
    pub refused: u64,
    /// Items that were dropped unsent because of age or size.
    pub dropped: u64,
    /// When the last batch was accepted.
    pub last_sent: Option<Nanos>,
    /// Why items were last refused; empty if none was.
    pub refusal: String,
    /// Why the queue is not being sent; empty if nothing is wrong.
    pub problem: String,
    /// What the user can do; may be empty.
    pub hint: String,
    /// When the problem began.
    pub since: Option<Nanos>,
}

/// Queues payloads in the transaction that stores the records they were made from, so that acknowledged records are
/// queued.
pub(crate) async fn enqueue(transaction: &mut Write, payloads: &[Outgoing], now: Nanos) -> Result<(), StoreError> {
    if payloads.is_empty() {
        return Ok(());
    }
    for some in statements(payloads) {
        let mut insert =
            QueryBuilder::<Sqlite>::new("INSERT INTO relay (destination, kind, items, bytes, received, body) ");
        insert.push_values(some, |mut row, payload| {
            row.push_bind(payload.destination)
                .push_bind(&payload.kind)
                .push_bind(i64::from(payload.items))
                .push_bind(on_disk(payload))
                .push_bind(now.0)
                .push_bind(&payload.body);
        });
        insert.build().execute(&mut **transaction).await?;
    }
    written::count(transaction, RELAY, payloads.iter().map(on_disk).fold(0, i64::saturating_add)).await
}

/// What a payload takes, approximately: one that does not fit twice into a page has pages of its own.
fn on_disk(payload: &Outgoing) -> i64 {
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let size = payload.body.len() + payload.kind.len() + ROW_BYTES;
    let size = if size <= page / 2 { size } else { size.div_ceil(page).saturating_mul(page) };
    i64::try_from(size).unwrap_or(i64::MAX)
}

impl Telemetry {
    /// The next payloads for a destination, oldest first, those that failed before last: all of one kind, and within
    /// both limits, which only a single payload may exceed. Kinds in `later` are skipped.
    pub async fn relay_next(
        &self,
        destination: &str,
        most_items: u32,
        most_bytes: u64,
        later: &[String],
    ) -> Result<Vec<Queued>, StoreError> {
        let mut select = QueryBuilder::<Sqlite>::new("SELECT seq, kind, items, bytes FROM relay WHERE destination = ");
        select.push_bind(destination);
        for kind in later {
            select.push(" AND kind <> ").push_bind(kind);
        }
        select.push(" ORDER BY tries, seq LIMIT ").push_bind(MAX_CONSIDERED);
        let rows = select.build().persistent(false).fetch_all(&self.pools.readers()).await?;
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let kind: String = first.get("kind");
        let (mut items, mut bytes) = (0_u64, 0_u64);
        let mut chosen: Vec<i64> = Vec::new();
        for row in rows.iter().filter(|row| row.get::<&str, _>("kind") == kind) {
            items = items.saturating_add(unsigned(row.get("items")));
            bytes = bytes.saturating_add(unsigned(row.get("bytes")));
            if !chosen.is_empty() && (items > u64::from(most_items) || bytes > most_bytes) {
                break;
            }
            chosen.push(row.get("seq"));
        }
        let mut select =
            QueryBuilder::<Sqlite>::new("SELECT seq, kind, items, received, body FROM relay WHERE seq IN (");
        push_list(&mut select, chosen);
        select.push(" ORDER BY tries, seq");
        let rows = select.build().persistent(false).fetch_all(&self.pools.readers()).await?;
        Ok(rows
            .iter()
            .map(|row| Queued {
                seq: row.get("seq"),
                kind: row.get("kind"),
                items: u32::try_from(row.get::<i64, _>("items")).unwrap_or(u32::MAX),
                received: Nanos(row.get("received")),
                body: row.get("body"),
            })
            .collect())
    }

    /// Records the result of a batch and removes what is done from the queue.
    pub async fn relay_finish(&self, destination: &str, outcome: &BatchOutcome, now: Nanos) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        let mut bytes = 0;
        if !outcome.done.is_empty() {
            let mut sum = QueryBuilder::<Sqlite>::new("SELECT coalesce(sum(bytes), 0) FROM relay WHERE seq IN (");
            push_list(&mut sum, outcome.done.iter().copied());
            bytes = sum.build_query_scalar::<i64>().persistent(false).fetch_one(&mut *transaction).await?;
            let mut delete = QueryBuilder::<Sqlite>::new("DELETE FROM relay WHERE seq IN (");
            push_list(&mut delete, outcome.done.iter().copied());
            delete.build().persistent(false).execute(&mut *transaction).await?;
        }
        if !outcome.retry.is_empty() {
            let mut update = QueryBuilder::<Sqlite>::new("UPDATE relay SET tries = tries + 1 WHERE seq IN (");
            push_list(&mut update, outcome.retry.iter().copied());
            update.build().persistent(false).execute(&mut *transaction).await?;
        }
        let last_sent = (outcome.sent > 0).then_some(now.0);
        sqlx::query(
            "INSERT INTO relay_count (destination, sent, refused, last_sent, refusal) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (destination) DO UPDATE SET sent = sent + excluded.sent, refused = refused + excluded.refused,
               last_sent = coalesce(excluded.last_sent, last_sent),
               refusal = CASE excluded.refusal WHEN '' THEN refusal ELSE excluded.refusal END",
        )
        .bind(destination)
        .bind(signed(outcome.sent))
        .bind(signed(outcome.refused))
        .bind(last_sent)
        .bind(&outcome.refusal)
        .execute(&mut *transaction)
        .await?;
        written::count(&mut transaction, RELAY, -bytes).await?;
        transaction.commit().await
    }

    /// Records why the queue of a destination is not being sent; an empty problem means that nothing is wrong.
    pub async fn relay_set_problem(
        &self,
        destination: &str,
        problem: &str,
        hint: &str,
        since: Option<Nanos>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query(
            "INSERT INTO relay_count (destination, problem, hint, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (destination) DO UPDATE SET problem = excluded.problem, hint = excluded.hint, since = excluded.since",
        )
        .bind(destination)
        .bind(problem)
        .bind(hint)
        .bind(since.map(|since| since.0))
        .execute(&mut *transaction)
        .await?;
        written::count(&mut transaction, RELAY, 0).await?;
        transaction.commit().await
    }

    /// Requests a retry from the process that sends, which may be another one.
    pub async fn relay_request_retry(&self, destination: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query(
            "INSERT INTO relay_count (destination, asked) VALUES (?, 1)
             ON CONFLICT (destination) DO UPDATE SET asked = asked + 1",
        )
        .bind(destination)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// How often [`Telemetry::relay_request_retry`] was called, ever.
    pub async fn relay_retry_requests(&self) -> Result<u64, StoreError> {
        let asked: i64 = sqlx::query_scalar("SELECT coalesce(sum(asked), 0) FROM relay_count")
            .fetch_one(&self.pools.readers())
            .await?;
        Ok(unsigned(asked))
    }

    /// Drops the oldest of all destinations: what was queued before a time, and what is above a size. Returns how
    /// many items were dropped.
    ///
    /// # Errors
    /// What was dropped before an error stays dropped.
    pub async fn relay_trim(&self, limit_bytes: u64, before: Nanos) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            let over = self.relay_bytes().await?.saturating_sub(limit_bytes);
            let rows = sqlx::query("SELECT seq, bytes, received FROM relay ORDER BY seq LIMIT ?")
                .bind(MAX_DROPPED)
                .fetch_all(&self.pools.readers())
                .await?;
            let mut freed = 0_u64;
            let going = rows.iter().take_while(|row| {
                let goes = freed < over || row.get::<i64, _>("received") < before.0;
                freed = freed.saturating_add(unsigned(row.get("bytes")));
                goes
            });
            let Some(last) = going.last().map(|row| row.get::<i64, _>("seq")) else { return Ok(dropped) };
            dropped += self.relay_drop("seq <= ?1", last.to_string()).await?;
        }
    }

    /// Empties the queue of a destination; returns how many items were dropped.
    pub async fn relay_discard(&self, destination: &str) -> Result<u64, StoreError> {
        self.relay_drop("destination = ?1", destination.to_owned()).await
    }

    /// Drops and counts in one transaction. `which` compares with `?1`, text that SQLite converts to the column's type.
    async fn relay_drop(&self, which: &str, value: String) -> Result<u64, StoreError> {
        let mut transaction = self.pools.write().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT destination, sum(items) AS n, sum(bytes) AS bytes FROM relay WHERE {which} GROUP BY destination"
        )))
        .bind(&value)
        .fetch_all(&mut *transaction)
        .await?;
        let (mut dropped, mut bytes) = (0, 0_i64);
        for row in &rows {
            bytes = bytes.saturating_add(row.get("bytes"));
            let n: i64 = row.get("n");
            dropped += unsigned(n);
            sqlx::query(
                "INSERT INTO relay_count (destination, dropped) VALUES (?1, ?2)
                 ON CONFLICT (destination) DO UPDATE SET dropped = dropped + excluded.dropped",
            )
            .bind(row.get::<&str, _>("destination"))
            .bind(n)
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM relay WHERE {which}")))
            .bind(&value)
            .execute(&mut *transaction)
            .await?;
        written::count(&mut transaction, RELAY, -bytes).await?;
        transaction.commit().await?;
        Ok(dropped)
    }

    /// Bytes of the queue, for all destinations.
    pub async fn relay_bytes(&self) -> Result<u64, StoreError> {
        Ok(unsigned(written::bytes_of(&self.pools.readers(), RELAY).await?))
    }

    /// One count for each destination that anything was ever queued for.
    pub async fn relay_counts(&self) -> Result<Vec<RelayCount>, StoreError> {
        let rows = sqlx::query(
            "WITH waiting AS (SELECT destination, sum(items) AS items, sum(bytes) AS bytes, min(received) AS oldest
                              FROM relay GROUP BY destination)
             SELECT d.destination, coalesce(w.items, 0) AS waiting, coalesce(w.bytes, 0) AS bytes, w.oldest,
               coalesce(c.sent, 0) AS sent, coalesce(c.refused, 0) AS refused, coalesce(c.dropped, 0) AS dropped,
               c.last_sent, coalesce(c.refusal, '') AS refusal, coalesce(c.problem, '') AS problem,
               coalesce(c.hint, '') AS hint, c.since
             FROM (SELECT destination FROM waiting UNION SELECT destination FROM relay_count) d
             LEFT JOIN waiting w USING (destination) LEFT JOIN relay_count c USING (destination)
             ORDER BY d.destination",
        )
        .fetch_all(&self.pools.readers())
        .await?;
        Ok(rows
            .iter()
            .map(|row| RelayCount {
                destination: row.get("destination"),
                waiting: unsigned(row.get("waiting")),
                bytes: unsigned(row.get("bytes")),
                oldest: row.get::<Option<i64>, _>("oldest").map(Nanos),
                sent: unsigned(row.get("sent")),
                refused: unsigned(row.get("refused")),
                dropped: unsigned(row.get("dropped")),
                last_sent: row.get::<Option<i64>, _>("last_sent").map(Nanos),
                refusal: row.get("refusal"),
                problem: row.get("problem"),
                hint: row.get("hint"),
                since: row.get::<Option<i64>, _>("since").map(Nanos),
            })
            .collect())
    }
}

//! What waits to be sent on: a queue on disk, bounded, and what became of what was in it.

use sqlx::{QueryBuilder, Row as _, Sqlite, Transaction};

use tracebook_core::time::Nanos;

use crate::bounds::wrote;
use crate::error::StoreError;
use crate::open::{PAGE, Telemetry};
use crate::telemetry::statements;

/// What a write of the queue is counted as, in `written`: its bytes are those that wait.
pub(crate) const QUEUE: &str = "relay";

/// What a row takes beside its bytes, about.
const ROW_BYTES: usize = 100;
/// The most rows that are looked at for one batch.
const LOOK: i64 = 1_000;
/// How many go in one transaction when there are too many: receivers wait for it.
const ROWS_AT_ONCE: i64 = 8_192;

/// A payload for a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Whom it is for.
    pub destination: &'static str,
    /// What only goes together with its like; the destination's own words.
    pub kind: String,
    /// How many spans, segments, log events or errors are in it.
    pub items: u32,
    /// The bytes, without any credential.
    pub body: Vec<u8>,
}

/// A payload that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Its place: grows with arrival, never reused.
    pub seq: i64,
    /// As it was queued.
    pub kind: String,
    /// As it was queued.
    pub items: u32,
    /// When it was queued.
    pub received: Nanos,
    /// The bytes.
    pub body: Vec<u8>,
}

/// What became of a batch.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// The payloads that are done, whatever became of what is in them.
    pub done: Vec<i64>,
    /// How many items of them were taken.
    pub sent: u64,
    /// How many were not, and never will be.
    pub refused: u64,
    /// Why the last of those were not; empty if none was refused.
    pub refusal: String,
    /// The payloads that stay and go behind what was not tried yet.
    pub again: Vec<i64>,
}

/// What waits for one destination, and what became of what came before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelayCount {
    /// Whom it is for.
    pub destination: String,
    /// Items that wait.
    pub waiting: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// When the oldest of them came.
    pub oldest: Option<Nanos>,
    /// Items that were taken.
    pub sent: u64,
    /// Items that were not taken and never will be.
    pub refused: u64,
    /// Items that went unsent: too old, or too many.
    pub dropped: u64,
    /// When the last batch was taken.
    pub last_sent: Option<Nanos>,
    /// Why items were refused the last time; empty if none was.
    pub refusal: String,
    /// Why what waits waits; empty where nothing is wrong.
    pub problem: String,
    /// What to do about it; may be empty.
    pub hint: String,
    /// Since when.
    pub since: Option<Nanos>,
}

/// Queues payloads in the transaction that keeps what they are made of: what is acknowledged is in the queue.
pub(crate) async fn enqueue(
    transaction: &mut Transaction<'_, Sqlite>,
    payloads: &[Outgoing],
    now: Nanos,
) -> Result<(), StoreError> {
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
    wrote(transaction, QUEUE, payloads.iter().map(on_disk).fold(0, i64::saturating_add)).await
}

/// What a payload takes, near enough: what does not fit twice into a page has pages of its own.
fn on_disk(payload: &Outgoing) -> i64 {
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let size = payload.body.len() + payload.kind.len() + ROW_BYTES;
    let size = if size <= page / 2 { size } else { size.div_ceil(page).saturating_mul(page) };
    i64::try_from(size).unwrap_or(i64::MAX)
}

impl Telemetry {
    /// The next payloads for a destination, oldest first and those that failed before last: all of one kind, and within both
    /// limits, of which the first payload may be over. What is of a kind in `later` is passed over.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
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
        select.push(" ORDER BY tries, seq LIMIT ").push_bind(LOOK);
        let rows = select.build().persistent(false).fetch_all(&self.pools.readers).await?;
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let kind: String = first.get("kind");
        let (mut items, mut bytes) = (0_u64, 0_u64);
        let mut chosen: Vec<i64> = Vec::new();
        for row in rows.iter().filter(|row| row.get::<&str, _>("kind") == kind) {
            items = items.saturating_add(number(row.get("items")));
            bytes = bytes.saturating_add(number(row.get("bytes")));
            if !chosen.is_empty() && (items > u64::from(most_items) || bytes > most_bytes) {
                break;
            }
            chosen.push(row.get("seq"));
        }
        let mut select =
            QueryBuilder::<Sqlite>::new("SELECT seq, kind, items, received, body FROM relay WHERE seq IN (");
        list(&mut select, &chosen);
        select.push(" ORDER BY tries, seq");
        let rows = select.build().persistent(false).fetch_all(&self.pools.readers).await?;
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

    /// Writes down what became of a batch; what is done leaves the queue.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written; then the whole batch still waits.
    pub async fn relay_settle(&self, destination: &str, settled: &Settled, now: Nanos) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        let mut bytes = 0;
        if !settled.done.is_empty() {
            let mut sum = QueryBuilder::<Sqlite>::new("SELECT coalesce(sum(bytes), 0) FROM relay WHERE seq IN (");
            list(&mut sum, &settled.done);
            bytes = sum.build_query_scalar::<i64>().persistent(false).fetch_one(&mut *transaction).await?;
            let mut delete = QueryBuilder::<Sqlite>::new("DELETE FROM relay WHERE seq IN (");
            list(&mut delete, &settled.done);
            delete.build().persistent(false).execute(&mut *transaction).await?;
        }
        if !settled.again.is_empty() {
            let mut update = QueryBuilder::<Sqlite>::new("UPDATE relay SET tries = tries + 1 WHERE seq IN (");
            list(&mut update, &settled.again);
            update.build().persistent(false).execute(&mut *transaction).await?;
        }
        let last_sent = (settled.sent > 0).then_some(now.0);
        sqlx::query(
            "INSERT INTO relay_count (destination, sent, refused, last_sent, refusal) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (destination) DO UPDATE SET sent = sent + excluded.sent, refused = refused + excluded.refused,
               last_sent = coalesce(excluded.last_sent, last_sent),
               refusal = CASE excluded.refusal WHEN '' THEN refusal ELSE excluded.refusal END",
        )
        .bind(destination)
        .bind(signed(settled.sent))
        .bind(signed(settled.refused))
        .bind(last_sent)
        .bind(&settled.refusal)
        .execute(&mut *transaction)
        .await?;
        wrote(&mut transaction, QUEUE, -bytes).await?;
        Ok(transaction.commit().await?)
    }

    /// Says why what waits for a destination waits, and what to do; empty words say that nothing is wrong.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn relay_say(
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
        wrote(&mut transaction, QUEUE, 0).await?;
        Ok(transaction.commit().await?)
    }

    /// Wants what waits for a destination tried again, by the process that sends, whichever it is.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn relay_ask(&self, destination: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query(
            "INSERT INTO relay_count (destination, asked) VALUES (?, 1)
             ON CONFLICT (destination) DO UPDATE SET asked = asked + 1",
        )
        .bind(destination)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// How often [`Telemetry::relay_ask`] was called since the journal began.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn relay_asked(&self) -> Result<u64, StoreError> {
        let asked: i64 = sqlx::query_scalar("SELECT coalesce(sum(asked), 0) FROM relay_count")
            .fetch_one(&self.pools.readers)
            .await?;
        Ok(number(asked))
    }

    /// Lets the oldest go, of whatever destination: what came before a moment, and what is above a size. Returns how many items
    /// went, which are counted as dropped.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written; what went before stays gone.
    pub async fn relay_trim(&self, limit_bytes: u64, before: Nanos) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            let over = self.relay_bytes().await?.saturating_sub(limit_bytes);
            let rows = sqlx::query("SELECT seq, bytes, received FROM relay ORDER BY seq LIMIT ?")
                .bind(ROWS_AT_ONCE)
                .fetch_all(&self.pools.readers)
                .await?;
            let mut freed = 0_u64;
            let going = rows.iter().take_while(|row| {
                let goes = freed < over || row.get::<i64, _>("received") < before.0;
                freed = freed.saturating_add(number(row.get("bytes")));
                goes
            });
            let Some(last) = going.last().map(|row| row.get::<i64, _>("seq")) else { return Ok(dropped) };
            dropped += self.relay_drop("seq <= ?1", last.to_string()).await?;
        }
    }

    /// Throws away what waits for a destination, counted as dropped; returns how many items that were.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn relay_forget(&self, destination: &str) -> Result<u64, StoreError> {
        self.relay_drop("destination = ?1", destination.to_owned()).await
    }

    /// Drops and counts in one transaction. `which` compares with `?1`, a text that SQLite converts to the column's type.
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
            dropped += number(n);
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
        wrote(&mut transaction, QUEUE, -bytes).await?;
        transaction.commit().await?;
        Ok(dropped)
    }

    /// Bytes that wait, for all destinations.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn relay_bytes(&self) -> Result<u64, StoreError> {
        let bytes: i64 = sqlx::query_scalar("SELECT bytes FROM written WHERE kind = ?")
            .bind(QUEUE)
            .fetch_one(&self.pools.readers)
            .await?;
        Ok(number(bytes))
    }

    /// What waits for each destination that anything was ever queued for, and what became of the rest.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
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
        .fetch_all(&self.pools.readers)
        .await?;
        Ok(rows
            .iter()
            .map(|row| RelayCount {
                destination: row.get("destination"),
                waiting: number(row.get("waiting")),
                bytes: number(row.get("bytes")),
                oldest: row.get::<Option<i64>, _>("oldest").map(Nanos),
                sent: number(row.get("sent")),
                refused: number(row.get("refused")),
                dropped: number(row.get("dropped")),
                last_sent: row.get::<Option<i64>, _>("last_sent").map(Nanos),
                refusal: row.get("refusal"),
                problem: row.get("problem"),
                hint: row.get("hint"),
                since: row.get::<Option<i64>, _>("since").map(Nanos),
            })
            .collect())
    }
}

/// Places as a list, and the bracket behind it.
fn list(sql: &mut QueryBuilder<Sqlite>, places: &[i64]) {
    let mut separated = sql.separated(", ");
    for place in places {
        separated.push_bind(*place);
    }
    sql.push(")");
}

fn number(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

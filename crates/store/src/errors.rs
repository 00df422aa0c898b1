//! Occurrences of errors, and the items that they are grouped into.

use std::collections::HashSet;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use tracebook_core::errors::Level;
use tracebook_core::ids::TraceId;
use tracebook_core::question::Window;
use tracebook_core::telemetry::ErrorRecord;
use tracebook_core::time::Nanos;

use crate::database::Telemetry;
use crate::error::StoreError;
use crate::limits::{Kind, size, whole};
use crate::relay::{Outgoing, enqueue};
use crate::sql::{Query, numbered, optional};
use crate::written;

pub(crate) const KIND: Kind = Kind {
    name: written::ERRORS,
    table: "occurrence",
    bytes: ERROR_BYTES,
    records: "1",
    parts: None,
    shared: None,
    sender: ("environment", whole),
};

/// SQL: what an occurrence takes; [`error_bytes`] is the same of a record.
pub(crate) const ERROR_BYTES: &str = "octet_length(raw) + octet_length(title) + octet_length(item) + 300";

/// SQL: when the oldest and the newest occurrence arrived.
pub(crate) const OLDEST_ARRIVAL: &str = "SELECT received FROM occurrence ORDER BY seq LIMIT 1";
pub(crate) const LAST_ARRIVAL: &str = "SELECT received FROM occurrence ORDER BY seq DESC LIMIT 1";

/// SQL: by how much the last occurrence arrived before another one, by the clock.
pub(crate) const BEHIND: &str =
    "SELECT (SELECT max(received) FROM occurrence) - (SELECT received FROM occurrence ORDER BY seq DESC LIMIT 1)";

fn error_bytes(error: &ErrorRecord) -> i64 {
    size(&[error.raw.len(), error.title.len(), error.item.len(), 300])
}

/// SQLite takes 32,766 variables a statement; an occurrence has 10.
const ERRORS_A_STATEMENT: usize = 1_000;

/// An item and its latest occurrence.
#[derive(Clone, Debug)]
pub struct ItemRow {
    /// How many are stored.
    pub occurrences: u32,
    /// The worst level of any occurrence.
    pub worst: Level,
    /// Time of the oldest occurrence.
    pub first: Nanos,
    /// How many different persons it happened to.
    pub people: u32,
    /// The occurrence that arrived last.
    pub latest: ErrorRecord,
    /// When it arrived.
    pub received: Nanos,
}

impl Telemetry {
    /// Writes occurrences as one transaction. A known uuid is replaced.
    pub async fn commit_errors(&self, batch: &[ErrorRecord], now: Nanos) -> Result<(), StoreError> {
        self.commit_errors_relayed(batch, &[], now).await
    }

    /// The same, and queues payloads for the relay in the same transaction.
    pub async fn commit_errors_relayed(
        &self,
        batch: &[ErrorRecord],
        relayed: &[Outgoing],
        now: Nanos,
    ) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        // The last occurrence of a uuid wins, here as in the table.
        let mut seen = HashSet::new();
        let mut batch: Vec<&ErrorRecord> = batch.iter().rev().filter(|error| seen.insert(&error.uuid)).collect();
        batch.reverse();
        let sizes = || batch.iter().map(|error| error_bytes(error));
        let mut writing = self.begin(sizes()).await?;
        enqueue(&mut writing.transaction, relayed, now).await?;
        let mut bytes: i64 = sizes().sum();
        for errors in batch.chunks(ERRORS_A_STATEMENT) {
            let mut known = QueryBuilder::<Sqlite>::new(format!(
                "SELECT coalesce(sum({ERROR_BYTES}), 0) FROM occurrence WHERE uuid IN ("
            ));
            let mut list = known.separated(", ");
            for error in errors {
                list.push_bind(&error.uuid);
            }
            known.push(")");
            bytes -= known.build_query_scalar::<i64>().persistent(false).fetch_one(&mut *writing.transaction).await?;
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT OR REPLACE INTO occurrence (uuid, item, title, level, time_ns, environment, person, trace_id, received, raw) ",
            );
            insert.push_values(errors, |mut row, error| {
                row.push_bind(&error.uuid)
                    .push_bind(&error.item)
                    .push_bind(&error.title)
                    .push_bind(level_code(error.level))
                    .push_bind(error.timestamp.0)
                    .push_bind(&error.environment)
                    .push_bind(&error.person)
                    .push_bind(error.trace_id.as_ref().map(|t| &t.0[..]))
                    .push_bind(now.0)
                    .push_bind(&error.raw);
            });
            let done = insert.build().persistent(false).execute(&mut *writing.transaction).await?;
            let rows = numbered(done.last_insert_rowid(), errors);
            writing
                .count_senders(&KIND, rows.map(|(seq, error)| (seq, error.environment.as_str(), error_bytes(error))));
        }
        writing.commit(KIND.name, bytes).await
    }

    /// Items of a window, the last to arrive first; of each, the occurrence that arrived last, without its bytes.
    pub async fn error_items_briefly(&self, window: Window, skip: u32, limit: u32) -> Result<Vec<ItemRow>, StoreError> {
        const COLUMNS: &str = "o.seq, o.uuid, o.item, o.title, o.level, o.time_ns, o.environment, o.person, o.trace_id, o.received, x'' AS raw";
        self.items_of(COLUMNS, window, skip, limit).await
    }

    /// The same with its bytes, which may be 1 MiB.
    pub async fn error_items(&self, window: Window, skip: u32, limit: u32) -> Result<Vec<ItemRow>, StoreError> {
        self.items_of("o.*", window, skip, limit).await
    }

    async fn items_of(&self, columns: &str, window: Window, skip: u32, limit: u32) -> Result<Vec<ItemRow>, StoreError> {
        let rest = "g.arrived >= ?1 AND EXISTS
               (SELECT 1 FROM occurrence w WHERE w.item = g.item AND w.time_ns >= ?2 AND w.time_ns < ?3)
             ORDER BY g.arrived DESC, o.seq DESC LIMIT ?4 OFFSET ?5";
        self.items(columns, rest, |q| {
            q.bind(window.arrived.map_or(i64::MIN, |time| time.0))
                .bind(window.from.map_or(i64::MIN, |time| time.0))
                .bind(window.to.map_or(i64::MAX, |time| time.0))
                .bind(i64::from(limit))
                .bind(i64::from(skip))
        })
        .await
    }

    pub async fn error_item(&self, item: &str) -> Result<Option<ItemRow>, StoreError> {
        Ok(self.items("o.*", "o.item = ?1", |q| q.bind(item.to_owned())).await?.pop())
    }

    async fn items<'q>(
        &self,
        columns: &str,
        rest: &str,
        bind: impl FnOnce(Query<'q>) -> Query<'q>,
    ) -> Result<Vec<ItemRow>, StoreError> {
        let sql = format!(
            "SELECT {columns}, g.n, g.worst, g.first, g.people FROM
               (SELECT item, count(*) AS n, max(level) AS worst, min(time_ns) AS first, max(received) AS arrived,
                  count(DISTINCT nullif(person, '')) AS people FROM occurrence GROUP BY item) g
             JOIN occurrence o ON o.seq =
               (SELECT seq FROM occurrence WHERE item = g.item ORDER BY received DESC, seq DESC LIMIT 1)
             WHERE {rest}"
        );
        let rows = bind(sqlx::query(sqlx::AssertSqlSafe(sql))).fetch_all(&self.pools.readers()).await?;
        let small = |row: &SqliteRow, column: &str| u32::try_from(row.get::<i64, _>(column)).unwrap_or(u32::MAX);
        Ok(rows
            .iter()
            .map(|row| ItemRow {
                occurrences: small(row, "n"),
                worst: level_of(row.get("worst")),
                first: Nanos(row.get("first")),
                people: small(row, "people"),
                latest: error_of(row),
                received: Nanos(row.get("received")),
            })
            .collect())
    }

    /// Occurrences of an item, the last to arrive first.
    pub async fn occurrences(&self, item: &str, limit: u32) -> Result<Vec<ErrorRecord>, StoreError> {
        self.found("item = ?1 ORDER BY received DESC, seq DESC LIMIT ?2", |q| {
            q.bind(item.to_owned()).bind(i64::from(limit))
        })
        .await
    }

    pub async fn occurrence(&self, uuid: &str) -> Result<Option<ErrorRecord>, StoreError> {
        Ok(self.found("uuid = ?1", |q| q.bind(uuid.to_owned())).await?.pop())
    }

    /// Occurrences that name a trace, oldest first.
    pub async fn errors_of(&self, trace_id: TraceId, limit: u32) -> Result<Vec<ErrorRecord>, StoreError> {
        self.found("trace_id = ?1 ORDER BY time_ns, seq LIMIT ?2", |q| {
            q.bind(trace_id.0.to_vec()).bind(i64::from(limit))
        })
        .await
    }

    /// Occurrences of a range (inclusive) that name no trace, oldest first.
    pub async fn errors_between(&self, from: Nanos, to: Nanos, limit: u32) -> Result<Vec<ErrorRecord>, StoreError> {
        self.found("time_ns BETWEEN ?1 AND ?2 AND trace_id IS NULL ORDER BY time_ns, seq LIMIT ?3", |q| {
            q.bind(from.0).bind(to.0).bind(i64::from(limit))
        })
        .await
    }

    async fn found<'q>(
        &self,
        condition: &str,
        bind: impl FnOnce(Query<'q>) -> Query<'q>,
    ) -> Result<Vec<ErrorRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("SELECT * FROM occurrence WHERE {condition}"));
        let rows = bind(sqlx::query(sql)).fetch_all(&self.pools.readers()).await?;
        Ok(rows.iter().map(error_of).collect())
    }
}

/// The number that a level is stored as. `max()` gives the worst; never renumbered.
fn level_code(level: Level) -> i64 {
    match level {
        Level::Debug => 0,
        Level::Info => 1,
        Level::Warning => 2,
        Level::Error => 3,
        Level::Critical => 4,
    }
}

fn level_of(code: i64) -> Level {
    match code {
        0 => Level::Debug,
        1 => Level::Info,
        2 => Level::Warning,
        4 => Level::Critical,
        _ => Level::Error,
    }
}

fn error_of(row: &SqliteRow) -> ErrorRecord {
    ErrorRecord {
        uuid: row.get("uuid"),
        item: row.get("item"),
        title: row.get("title"),
        level: level_of(row.get("level")),
        timestamp: Nanos(row.get("time_ns")),
        environment: row.get("environment"),
        person: row.get("person"),
        trace_id: optional(row, "trace_id").map(TraceId),
        raw: row.get("raw"),
    }
}

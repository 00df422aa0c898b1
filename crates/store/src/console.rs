//! Lines that watched commands printed.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::ConsoleRecord;
use tracebook_core::time::Nanos;

use crate::database::Telemetry;
use crate::error::StoreError;
use crate::limits::{Kind, size, whole};
use crate::room::Writing;
use crate::sql::{numbered, optional, push_list, statements};
use crate::written;

pub(crate) const KIND: Kind = Kind {
    name: written::CONSOLE,
    table: "console",
    bytes: LINE_BYTES,
    records: "1",
    parts: None,
    shared: None,
    sender: ("stream", whole),
};

/// SQL: what a line takes; [`line_bytes`] is the same of a record.
pub(crate) const LINE_BYTES: &str = "octet_length(text) + octet_length(stream) + 100";

/// SQL: when the oldest and the newest line arrived.
pub(crate) const OLDEST_ARRIVAL: &str = "SELECT received FROM console ORDER BY seq LIMIT 1";
pub(crate) const LAST_ARRIVAL: &str = "SELECT received FROM console ORDER BY seq DESC LIMIT 1";

/// SQL: by how much the last line arrived before another one, by the clock.
pub(crate) const BEHIND: &str =
    "SELECT (SELECT max(received) FROM console) - (SELECT received FROM console ORDER BY seq DESC LIMIT 1)";

fn line_bytes(line: &ConsoleRecord) -> i64 {
    size(&[line.text.len(), line.stream.len(), 100])
}

/// SQLite takes 32,766 variables a statement; a line has 8.
const LINES_A_STATEMENT: usize = 2_000;

/// A stored line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLine {
    /// Increases with arrival and is never reused.
    pub seq: i64,
    pub record: ConsoleRecord,
    /// When a row of a screen was first written, if that is not the record's time.
    pub begun: Option<Nanos>,
}

/// What a row of the table is.
mod form {
    /// A line that was printed, and is shown so.
    pub(super) const LINE: i64 = 0;
    /// A row of a terminal's screen that no single line shows.
    pub(super) const SHOWN: i64 = 1;
    /// A line that was printed, and is not shown so.
    pub(super) const PRINTED: i64 = 2;
}

/// A stored row that may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredRow {
    seq: i64,
    bytes: i64,
}

/// A row of a screen that is new or has changed.
#[derive(Clone, Debug)]
pub struct RowChange {
    /// Its position among the rows that may change, and below those.
    pub at: usize,
    pub record: ConsoleRecord,
    /// When it was first written, if that is not the record's time.
    pub begun: Option<Nanos>,
    /// Whether it is a line exactly as printed.
    pub as_printed: bool,
}

/// What changed on the screen of a command.
#[derive(Clone, Debug, Default)]
pub struct ScreenChanges {
    /// In the order of rows.
    pub rows: Vec<RowChange>,
    /// How many rows there are now; those below are deleted.
    pub length: usize,
    /// How many of these, from the first on, can change no more.
    pub settled: usize,
    /// Lines as printed that no row shows any more.
    pub printed: Vec<ConsoleRecord>,
}

/// Selects lines. A field that is `None` does not restrict.
#[derive(Clone, Debug, Default)]
pub struct LineQuery {
    /// Inclusive.
    pub from: Option<Nanos>,
    /// Inclusive.
    pub until: Option<Nanos>,
    pub trace_id: Option<TraceId>,
    /// Only lines before this `seq`.
    pub older_than: Option<i64>,
    /// Newest first instead of oldest first.
    pub newest_first: bool,
    /// The lines as printed instead of the rows that a terminal shows.
    pub printed: bool,
    pub limit: u32,
}

impl Telemetry {
    /// Writes lines as one transaction.
    pub async fn commit_console(&self, batch: &[ConsoleRecord], now: Nanos) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut writing = self.begin(batch.iter().map(line_bytes)).await?;
        let lines: Vec<_> = batch.iter().map(|line| (line, form::LINE, None)).collect();
        insert(&mut writing, &lines, now).await?;
        writing.commit(KIND.name, batch.iter().map(line_bytes).sum()).await
    }

    /// Writes what changed on the screen of a command as one transaction. `stored` are the rows that may change, as the
    /// last call returned them; returns those that may change after this one.
    pub async fn commit_screen(
        &self,
        stream: &str,
        stored: &[StoredRow],
        changes: &ScreenChanges,
        now: Nanos,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let ScreenChanges { rows, length, settled, printed } = changes;
        let mut kept = stored[..stored.len().min(*length)].to_vec();
        let gone = &stored[kept.len()..];
        if rows.is_empty() && printed.is_empty() && gone.is_empty() {
            return Ok(kept.split_off((*settled).min(stored.len())));
        }
        let sizes = rows.iter().map(|row| line_bytes(&row.record)).chain(printed.iter().map(line_bytes));
        let mut writing = self.begin(sizes).await?;
        let mut bytes = 0;
        let mut new = Vec::new();
        for row in rows {
            match kept.get_mut(row.at) {
                Some(stored) => bytes += update(&mut writing, stored, row, now).await?,
                None => new.push((&row.record, row.form(), row.begun)),
            }
        }
        bytes -= delete(&mut writing, stream, gone).await?;
        let new = insert(&mut writing, &new, now).await?;
        let printed: Vec<_> = printed.iter().map(|line| (line, form::PRINTED, None)).collect();
        let printed = insert(&mut writing, &printed, now).await?;
        bytes += new.iter().chain(&printed).map(|row| row.bytes).sum::<i64>();
        writing.commit(KIND.name, bytes).await?;
        // Where nothing could be stored for a while, rows in between are missing.
        let missing = length.saturating_sub(kept.len() + new.len());
        kept.extend(new);
        Ok(kept.split_off(settled.saturating_sub(missing).min(kept.len())))
    }

    /// The lines that a query selects, in the order of arrival.
    pub async fn console(&self, query: &LineQuery) -> Result<Vec<StoredLine>, StoreError> {
        let other = if query.printed { form::SHOWN } else { form::PRINTED };
        let mut sql = QueryBuilder::<Sqlite>::new(format!("SELECT * FROM console WHERE form <> {other}"));
        if let Some(from) = query.from {
            sql.push(" AND time_ns >= ").push_bind(from.0);
        }
        if let Some(until) = query.until {
            sql.push(" AND time_ns <= ").push_bind(until.0);
        }
        if let Some(trace) = &query.trace_id {
            sql.push(" AND trace_id = ").push_bind(&trace.0[..]);
        }
        if let Some(seq) = query.older_than {
            sql.push(" AND seq < ").push_bind(seq);
        }
        let order = if query.newest_first { "DESC" } else { "ASC" };
        sql.push(format!(" ORDER BY seq {order} LIMIT ")).push_bind(i64::from(query.limit));
        let rows = sql.build().persistent(false).fetch_all(&self.pools.readers()).await?;
        Ok(rows.iter().map(line_of).collect())
    }
}

impl RowChange {
    fn form(&self) -> i64 {
        if self.as_printed { form::LINE } else { form::SHOWN }
    }
}

/// Inserts rows in their order.
async fn insert(
    writing: &mut Writing<'_>,
    rows: &[(&ConsoleRecord, i64, Option<Nanos>)],
    now: Nanos,
) -> Result<Vec<StoredRow>, StoreError> {
    let mut stored = Vec::with_capacity(rows.len());
    for rows in rows.chunks(LINES_A_STATEMENT) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO console (stream, time_ns, stderr, text, trace_id, received, form, begun_ns) ",
        );
        insert.push_values(rows, |mut row, (line, form, begun)| {
            row.push_bind(&line.stream)
                .push_bind(line.timestamp.0)
                .push_bind(line.stderr)
                .push_bind(&line.text)
                .push_bind(line.trace_id.as_ref().map(|t| &t.0[..]))
                .push_bind(now.0)
                .push_bind(*form)
                .push_bind(begun.map(|begun| begun.0));
        });
        let done = insert.build().persistent(false).execute(&mut *writing.transaction).await?;
        let numbered = || numbered(done.last_insert_rowid(), rows).map(|(seq, (line, ..))| (seq, *line));
        writing.count_senders(&KIND, numbered().map(|(seq, line)| (seq, line.stream.as_str(), line_bytes(line))));
        stored.extend(numbered().map(|(seq, line)| StoredRow { seq, bytes: line_bytes(line) }));
    }
    Ok(stored)
}

/// Changes a row, unless it was dropped; returns how many bytes more it takes.
async fn update(
    writing: &mut Writing<'_>,
    stored: &mut StoredRow,
    row: &RowChange,
    now: Nanos,
) -> Result<i64, StoreError> {
    let line = &row.record;
    let update = sqlx::query(
        "UPDATE console SET time_ns = ?, stderr = ?, text = ?, trace_id = ?, received = ?, form = ?, begun_ns = ?
         WHERE seq = ?",
    )
    .bind(line.timestamp.0)
    .bind(line.stderr)
    .bind(&line.text)
    .bind(line.trace_id.as_ref().map(|t| &t.0[..]))
    .bind(now.0)
    .bind(row.form())
    .bind(row.begun.map(|begun| begun.0))
    .bind(stored.seq);
    if update.execute(&mut *writing.transaction).await?.rows_affected() == 0 {
        return Ok(0);
    }
    let more = line_bytes(line) - stored.bytes;
    stored.bytes += more;
    writing.count_senders(&KIND, std::iter::once((stored.seq, line.stream.as_str(), more)));
    Ok(more)
}

/// Deletes rows; returns how many bytes they took.
async fn delete(writing: &mut Writing<'_>, stream: &str, rows: &[StoredRow]) -> Result<i64, StoreError> {
    let mut bytes = 0;
    for some in statements(rows) {
        let mut delete = QueryBuilder::<Sqlite>::new("DELETE FROM console WHERE seq IN (");
        push_list(&mut delete, some.iter().map(|row| row.seq));
        delete.push(" RETURNING seq");
        let deleted: Vec<(i64,)> = delete.build_query_as().fetch_all(&mut *writing.transaction).await?;
        let deleted = some.iter().filter(|row| deleted.contains(&(row.seq,)));
        let gone: Vec<(i64, i64)> = deleted.map(|row| (row.seq, row.bytes)).collect();
        bytes += gone.iter().map(|(_, bytes)| bytes).sum::<i64>();
        writing.count_senders(&KIND, gone.iter().map(|(seq, bytes)| (*seq, stream, -bytes)));
    }
    Ok(bytes)
}

fn line_of(row: &SqliteRow) -> StoredLine {
    StoredLine {
        seq: row.get("seq"),
        record: ConsoleRecord {
            stream: row.get("stream"),
            timestamp: Nanos(row.get("time_ns")),
            stderr: row.get("stderr"),
            text: row.get("text"),
            trace_id: optional(row, "trace_id").map(TraceId),
        },
        begun: row.get::<Option<i64>, _>("begun_ns").map(Nanos),
    }
}

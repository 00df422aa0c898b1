//! Lines that watched commands printed.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::ConsoleRecord;
use tracebook_core::time::Nanos;

use crate::bounds::line_bytes;
use crate::error::StoreError;
use crate::logs::maybe;
use crate::open::Telemetry;

/// SQLite takes 32,766 variables a statement; a line has 6.
const LINES_A_STATEMENT: usize = 2_000;

/// A stored line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLine {
    /// Its place: grows with arrival, never reused.
    pub seq: i64,
    /// The line.
    pub record: ConsoleRecord,
}

/// Which lines. What is empty or `None` asks for everything.
#[derive(Clone, Debug, Default)]
pub struct LineQuestion {
    /// That were printed at or after this.
    pub from: Option<Nanos>,
    /// That were printed at or before this.
    pub until: Option<Nanos>,
    /// Of this trace.
    pub trace_id: Option<TraceId>,
    /// Older than this place, where the newest come first.
    pub older_than: Option<i64>,
    /// The newest first instead of the oldest.
    pub newest_first: bool,
    /// At most so many.
    pub limit: u32,
}

impl Telemetry {
    /// Writes lines as one transaction.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written; then none of the batch is in it.
    pub async fn commit_console(&self, batch: &[ConsoleRecord], now: Nanos) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut writing = self.begin(batch.iter().map(line_bytes)).await?;
        for lines in batch.chunks(LINES_A_STATEMENT) {
            let mut insert =
                QueryBuilder::<Sqlite>::new("INSERT INTO console (stream, time_ns, stderr, text, trace_id, received) ");
            insert.push_values(lines, |mut row, line| {
                row.push_bind(&line.stream)
                    .push_bind(line.timestamp.0)
                    .push_bind(line.stderr)
                    .push_bind(&line.text)
                    .push_bind(line.trace_id.as_ref().map(|t| &t.0[..]))
                    .push_bind(now.0);
            });
            insert.build().persistent(false).execute(&mut *writing.transaction).await?;
        }
        writing.commit("console", batch.iter().map(line_bytes).sum()).await
    }

    /// Lines that a question asks for, in the order of arrival.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn console(&self, question: &LineQuestion) -> Result<Vec<StoredLine>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM console WHERE 1");
        if let Some(from) = question.from {
            sql.push(" AND time_ns >= ").push_bind(from.0);
        }
        if let Some(until) = question.until {
            sql.push(" AND time_ns <= ").push_bind(until.0);
        }
        if let Some(trace) = &question.trace_id {
            sql.push(" AND trace_id = ").push_bind(&trace.0[..]);
        }
        if let Some(seq) = question.older_than {
            sql.push(" AND seq < ").push_bind(seq);
        }
        let order = if question.newest_first { "DESC" } else { "ASC" };
        sql.push(format!(" ORDER BY seq {order} LIMIT ")).push_bind(i64::from(question.limit));
        let rows = sql.build().persistent(false).fetch_all(&self.pools.readers).await?;
        Ok(rows.iter().map(line_of).collect())
    }
}

fn line_of(row: &SqliteRow) -> StoredLine {
    StoredLine {
        seq: row.get("seq"),
        record: ConsoleRecord {
            stream: row.get("stream"),
            timestamp: Nanos(row.get("time_ns")),
            stderr: row.get("stderr"),
            text: row.get("text"),
            trace_id: maybe(row, "trace_id").map(TraceId),
        },
    }
}

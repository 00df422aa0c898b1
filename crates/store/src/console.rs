//! Lines that watched commands printed.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::ConsoleRecord;
use tracebook_core::time::Nanos;

use crate::database::Telemetry;
use crate::error::StoreError;
use crate::limits::{Kind, size, whole};
use crate::sql::{numbered, optional};
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

fn line_bytes(line: &ConsoleRecord) -> i64 {
    size(&[line.text.len(), line.stream.len(), 100])
}

/// SQLite takes 32,766 variables a statement; a line has 6.
const LINES_A_STATEMENT: usize = 2_000;

/// A stored line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLine {
    /// Increases with arrival and is never reused.
    pub seq: i64,
    pub record: ConsoleRecord,
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
    pub limit: u32,
}

impl Telemetry {
    /// Writes lines as one transaction.
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
            let done = insert.build().persistent(false).execute(&mut *writing.transaction).await?;
            let rows = numbered(done.last_insert_rowid(), lines);
            writing.count_senders(&KIND, rows.map(|(seq, line)| (seq, line.stream.as_str(), line_bytes(line))));
        }
        writing.commit(KIND.name, batch.iter().map(line_bytes).sum()).await
    }

    /// The lines that a query selects, in the order of arrival.
    pub async fn console(&self, query: &LineQuery) -> Result<Vec<StoredLine>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM console WHERE 1");
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
    }
}

//! Spans as received, and one row a trace for lists.

mod writing;

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Protocol, StatusCode, TraceSummary};

use crate::error::StoreError;
use crate::open::Telemetry;

/// The most rows of a statement. Statements come in sizes of powers of two, so that each is prepared once and kept.
const ROWS_A_STATEMENT: usize = 128;

/// A trace in the list, and whether its root has arrived.
#[derive(Clone, Debug)]
pub struct TraceRow {
    /// As lists show it.
    pub summary: TraceSummary,
    /// Whether a span without a parent is there.
    pub rooted: bool,
    /// When it began.
    pub start: Nanos,
    /// When the last of its spans arrived.
    pub received: Nanos,
}

/// Which traces. What is `None` asks for everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceQuestion {
    /// That began at or after this.
    pub since: Option<Nanos>,
    /// Behind this one in the order: its start and id.
    pub after: Option<(Nanos, TraceId)>,
    /// Only those with an error in any span.
    pub only_errors: bool,
    /// At most so many.
    pub limit: u32,
}

impl Telemetry {
    /// Traces that a question asks for, newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn traces(&self, question: &TraceQuestion) -> Result<Vec<TraceRow>, StoreError> {
        // No OFFSET: it would walk over everything that was skipped, at every page.
        let (before, behind) = question.after.map_or((i64::MAX, [0; 16]), |(start, id)| (start.0, id.0));
        let rows = sqlx::query(
            "SELECT * FROM trace WHERE start_ns >= ?1 AND start_ns <= ?2 AND (start_ns < ?2 OR trace_id > ?3) AND status >= ?4
             ORDER BY start_ns DESC, trace_id LIMIT ?5",
        )
        .bind(question.since.map_or(i64::MIN, |s| s.0))
        .bind(before)
        .bind(&behind[..])
        .bind(if question.only_errors { status_code(StatusCode::Throttle) } else { 0 })
        .bind(i64::from(question.limit))
        .fetch_all(&self.pools.readers)
        .await?;
        rows.iter().map(trace_of).collect()
    }

    /// Every span of a trace, in the order of arrival.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn spans(&self, trace_id: TraceId) -> Result<Vec<SpanRecord>, StoreError> {
        Ok(self.spans_of(&[trace_id]).await?.pop().unwrap_or_default())
    }

    /// Every span of each of some traces, in the order of arrival; empty for one that is not there.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn spans_of(&self, traces: &[TraceId]) -> Result<Vec<Vec<SpanRecord>>, StoreError> {
        let mut found: HashMap<TraceId, Vec<SpanRecord>> = HashMap::new();
        for some in statements(traces) {
            let mut select = QueryBuilder::<Sqlite>::new(
                "SELECT trace.trace_id, span.* FROM trace CROSS JOIN span ON span.trace = trace.seq WHERE trace.trace_id IN (",
            );
            let mut list = select.separated(", ");
            for trace in some {
                list.push_bind(&trace.0[..]);
            }
            select.push(") ORDER BY span.seq");
            let rows = select.build().fetch_all(&self.pools.readers).await?;
            let bodies = self.bodies(&rows).await?;
            for row in &rows {
                let span = span_of(row, &bodies)?;
                found.entry(span.trace_id).or_default().push(span);
            }
        }
        Ok(traces.iter().map(|trace| found.remove(trace).unwrap_or_default()).collect())
    }

    /// Traces that began in a range, newest first, those of one moment by id: when each began, and its id. Only those
    /// behind a place in this order where one is given.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn trace_ids(
        &self,
        from: Nanos,
        before: Nanos,
        after: Option<(Nanos, TraceId)>,
        limit: u32,
    ) -> Result<Vec<(Nanos, TraceId)>, StoreError> {
        let (last, behind) = after.map_or((before.0.saturating_sub(1), [0; 16]), |(start, id)| (start.0, id.0));
        let rows = sqlx::query(
            "SELECT start_ns, trace_id FROM trace WHERE start_ns >= ?1 AND start_ns <= ?2 AND (start_ns < ?2 OR trace_id > ?3)
             ORDER BY start_ns DESC, trace_id LIMIT ?4",
        )
        .bind(from.0)
        .bind(last)
        .bind(&behind[..])
        .bind(i64::from(limit))
        .fetch_all(&self.pools.readers)
        .await?;
        rows.iter().map(|row| Ok((Nanos(row.get("start_ns")), TraceId(fixed(row, "trace_id")?)))).collect()
    }

    /// How many spans are stored.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn span_count(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM span").fetch_one(&self.pools.readers).await?)
    }
}

/// Cuts rows into pieces of a few fixed sizes.
pub(crate) fn statements<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = match rest.len() {
            0 => return None,
            ROWS_A_STATEMENT.. => ROWS_A_STATEMENT,
            n => 1 << n.ilog2(),
        };
        let (piece, after) = rest.split_at(size);
        rest = after;
        Some(piece)
    })
}

/// Stored so that `max()` is the worst. Never renumbered.
fn status_code(status: StatusCode) -> i64 {
    match status {
        StatusCode::Unset => 0,
        StatusCode::Ok => 1,
        StatusCode::Throttle => 2,
        StatusCode::Error => 3,
        StatusCode::Fault => 4,
    }
}

fn status_of(code: i64) -> StatusCode {
    match code {
        1 => StatusCode::Ok,
        2 => StatusCode::Throttle,
        3 => StatusCode::Error,
        4 => StatusCode::Fault,
        _ => StatusCode::Unset,
    }
}

fn trace_of(row: &SqliteRow) -> Result<TraceRow, StoreError> {
    let services: String = row.get("services");
    let status = status_of(row.get("status"));
    let (start, end): (i64, i64) = (row.get("start_ns"), row.get("end_ns"));
    let bits: i64 = row.get("protocols");
    let protocols = [(1, Protocol::Otlp), (2, Protocol::Xray), (4, Protocol::Console)]
        .into_iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, p)| p)
        .collect();
    let word = if status.is_error() {
        status.word()
    } else if row.get::<i64, _>("open") > 0 {
        "in_progress"
    } else {
        "ok"
    };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
    let duration_ms = end.saturating_sub(start) as f64 / 1e6;
    Ok(TraceRow {
        summary: TraceSummary {
            trace_id: TraceId(fixed(row, "trace_id")?),
            name: row.get("title"),
            services: serde_json::from_str(&services).map_err(|e| StoreError::Damaged(e.to_string()))?,
            spans: u32::try_from(row.get::<i64, _>("spans")).unwrap_or(u32::MAX),
            duration_ms,
            status: word.to_owned(),
            start: Nanos(start).rfc3339(),
            has_error: status.is_error(),
            protocols,
        },
        rooted: row.get::<i64, _>("rooted") > 0,
        start: Nanos(start),
        received: Nanos(row.get("received")),
    })
}

fn span_of(row: &SqliteRow, bodies: &HashMap<i64, Arc<[u8]>>) -> Result<SpanRecord, StoreError> {
    let code: i64 = row.get("encoding");
    let parent: Option<Vec<u8>> = row.get("parent_id");
    Ok(SpanRecord {
        trace_id: TraceId(fixed(row, "trace_id")?),
        span_id: SpanId(fixed(row, "span_id")?),
        parent_id: parent.and_then(|p| p.try_into().ok()).map(SpanId),
        encoding: Encoding::from_code(code).ok_or_else(|| StoreError::Damaged(format!("unknown encoding {code}")))?,
        title: row.get("title"),
        service: row.get("service"),
        start: Nanos(row.get("start_ns")),
        end: row.get::<Option<i64>, _>("end_ns").map(Nanos),
        status: status_of(row.get("status")),
        raw: row.get("raw"),
        resource: bodies.get(&row.get::<i64, _>("resource")).cloned().unwrap_or_default(),
        scope: bodies.get(&row.get::<i64, _>("scope")).cloned().unwrap_or_default(),
    })
}

pub(crate) fn fixed<const N: usize>(row: &SqliteRow, column: &str) -> Result<[u8; N], StoreError> {
    let bytes: Vec<u8> = row.get(column);
    bytes.try_into().map_err(|_| StoreError::Damaged(format!("an id of the wrong length in {column}")))
}

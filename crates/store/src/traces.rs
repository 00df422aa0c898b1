//! Spans as received, and one row per trace for lists.

mod batch;
mod rows;

use std::collections::HashMap;

use sqlx::{QueryBuilder, Row as _, Sqlite};

use tracebook_core::ids::TraceId;
use tracebook_core::question::Window;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Protocol, StatusCode, TracePosition, TraceSummary};

use crate::database::{Telemetry, Write};
use crate::error::StoreError;
use crate::limits::{Kind, size};
use crate::relay::{Outgoing, enqueue};
use crate::shared::{Shared, share, sizes};
use crate::sql::{fixed, push_list, statements, unsigned};
use crate::written;
use batch::{Incoming, by_trace};
use rows::{SPAN_COLUMNS, protocol_bit, span_of, status_code, trace_of};

pub(crate) const KIND: Kind = Kind {
    name: written::TRACES,
    table: "trace",
    bytes: "bytes",
    records: "spans",
    parts: Some(("span", "trace")),
    shared: Some(SHARED),
    sender: ("services", first_service),
};

/// A trace row has at most this many services, and this many characters of its title and of each of them: senders
/// choose them, and lists return them.
const MAX_SERVICES: usize = 50;
pub(crate) const MAX_NAME: usize = 500;

/// What a trace takes beside its spans.
pub(crate) const TRACE_BYTES: i64 = 200;
/// SQL: what a span takes; [`span_bytes`] is the same of a record.
pub(crate) const SPAN_BYTES: &str = "octet_length(raw) + octet_length(title) + octet_length(service) + 150";

/// SQL: the shared bodies that spans refer to.
const SHARED: &str = "SELECT resource FROM span UNION SELECT scope FROM span";

/// SQL: when the oldest trace was last updated.
pub(crate) const OLDEST_ARRIVAL: &str = "SELECT min(received) FROM trace";

/// The first service of a trace's list of services, which is JSON: its text as written there.
fn first_service(services: &str) -> &str {
    let rest = services.strip_prefix("[\"").unwrap_or_default();
    let mut escaped = false;
    let end = rest.find(|c: char| {
        let end = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        end
    });
    &rest[..end.unwrap_or(rest.len())]
}

fn span_bytes(span: &SpanRecord) -> i64 {
    size(&[span.raw.len(), span.title.len(), span.service.len(), 150])
}

/// SQL: when a span last arrived through a protocol.
pub(crate) fn last_arrival(protocol: Protocol) -> String {
    let bit = protocol_bit(protocol);
    format!(
        "SELECT max(received) FROM (SELECT received FROM trace WHERE protocols & {bit} ORDER BY seq DESC LIMIT 100)"
    )
}

/// SQL: by how much the last new trace arrived before another one, by the clock.
pub(crate) const BEHIND: &str =
    "SELECT (SELECT max(received) FROM trace) - (SELECT received FROM trace ORDER BY seq DESC LIMIT 1)";

/// A trace in the list.
#[derive(Clone, Debug)]
pub struct TraceRow {
    pub summary: TraceSummary,
    /// Whether a span without a parent has arrived.
    pub rooted: bool,
    pub start: Nanos,
    /// When the last of its spans arrived.
    pub received: Nanos,
    /// The number of its spans without an end.
    pub open: u32,
    /// What it takes.
    pub bytes: u64,
}

/// The order of traces in lists: the last to arrive first; of those that came together, the last to begin, then by id.
pub type TraceArrival = (Nanos, Nanos, TraceId);

impl TraceRow {
    pub fn arrival(&self) -> TraceArrival {
        (self.received, self.start, self.summary.trace_id)
    }
}

/// Selects traces.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceQuery {
    pub window: Window,
    /// Continue after this trace.
    pub after: Option<TraceArrival>,
    /// Only traces with an error in any span.
    pub only_errors: bool,
    pub limit: u32,
}

/// The row that a trace has.
#[derive(Clone)]
struct Stored {
    seq: i64,
    services: String,
    bytes: i64,
    /// Whether it has spans that were printed rather than sent.
    printed: bool,
}

impl Telemetry {
    /// Writes a batch as one transaction; when this returns, the spans are committed.
    ///
    /// A span that is sent again replaces the stored one (senders repeat), but one in progress never replaces a
    /// complete one, and a printed one never one that was sent. Different spans may share an id, see
    /// [`tracebook_core::telemetry::twin`].
    pub async fn commit(&self, batch: &[SpanRecord], now: Nanos) -> Result<(), StoreError> {
        self.commit_relayed(batch, &[], now).await
    }

    /// The same, and queues payloads for the relay in the same transaction.
    pub async fn commit_relayed(
        &self,
        batch: &[SpanRecord],
        relayed: &[Outgoing],
        now: Nanos,
    ) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let incoming = by_trace(batch);
        let bodies = || batch.iter().map(|s| (&s.resource, &s.scope));
        let rows = batch.iter().map(span_bytes).chain(incoming.iter().map(|_| TRACE_BYTES)).chain(sizes(bodies()));
        let mut writing = self.begin(rows).await?;
        enqueue(&mut writing.transaction, relayed, now).await?;
        let transaction = &mut writing.transaction;
        let shared = share(transaction, bodies()).await?;
        writing.count_bodies(batch.iter().zip(&shared).map(|(span, (.., new))| (span.service.as_str(), *new)));
        let transaction = &mut writing.transaction;
        let known = known(transaction, &incoming).await?;
        // Of a trace that begins in this batch all spans are at hand; the rows of the others are recomputed from the
        // database.
        let (touched, fresh): (Vec<_>, Vec<_>) = incoming.iter().partition(|trace| known.contains_key(&trace.id));
        let inserted = insert_traces(transaction, &fresh, now).await?;
        let fresh: HashMap<TraceId, i64> = inserted.iter().map(|(seq, trace, _)| (trace.id, *seq)).collect();

        let seq_of =
            |id: &TraceId| known.get(id).map(|row| row.seq).or_else(|| fresh.get(id).copied()).unwrap_or_default();
        let rows: Vec<(&SpanRecord, i64, Shared)> =
            batch.iter().zip(shared).map(|(span, shared)| (span, seq_of(&span.trace_id), shared)).collect();
        for some in statements(&rows) {
            insert_spans(transaction, some, now).await?;
        }
        let printed =
            incoming.iter().filter(|trace| trace.is_printed() || known.get(&trace.id).is_some_and(|row| row.printed));
        let printed: Vec<i64> = printed.map(|trace| seq_of(&trace.id)).collect();
        for some in statements(&printed) {
            delete_printed(transaction, some).await?;
        }

        let doubled = incoming.iter().filter(|trace| fresh.contains_key(&trace.id) && !trace.all_different());
        let mut bytes: i64 =
            incoming.iter().filter(|trace| fresh.contains_key(&trace.id)).map(|trace| trace.bytes).sum();
        let updated: Vec<Stored> = touched
            .iter()
            .filter_map(|trace| known.get(&trace.id).cloned())
            .chain(doubled.map(|trace| Stored {
                seq: seq_of(&trace.id),
                services: trace.services(),
                bytes: trace.bytes,
                printed: trace.is_printed(),
            }))
            .collect();
        bytes -= updated.iter().map(|row| row.bytes).sum::<i64>();
        let mut now_stored: Vec<Stored> = Vec::with_capacity(updated.len());
        for some in statements(&updated) {
            now_stored.extend(summarise(transaction, some, now).await?);
        }
        bytes += now_stored.iter().map(|row| row.bytes).sum::<i64>();
        writing.count_senders(
            &KIND,
            (inserted.iter().map(|(seq, trace, services)| (*seq, services.as_str(), trace.bytes)))
                .chain(updated.iter().map(|row| (row.seq, row.services.as_str(), -row.bytes)))
                .chain(now_stored.iter().map(|row| (row.seq, row.services.as_str(), row.bytes))),
        );
        writing.commit(KIND.name, bytes).await
    }

    /// The traces that a query selects, the last to arrive first.
    pub async fn traces(&self, query: &TraceQuery) -> Result<Vec<TraceRow>, StoreError> {
        // No OFFSET: it would scan everything that was skipped, for every page.
        let (received, start, behind) =
            query.after.map_or((i64::MAX, i64::MAX, [0; 16]), |(received, start, id)| (received.0, start.0, id.0));
        let Window { arrived, from, to } = query.window;
        let rows = sqlx::query(
            "SELECT * FROM trace WHERE received >= ?1 AND start_ns >= ?2 AND start_ns < ?3 AND received <= ?4
               AND (received < ?4 OR start_ns < ?5 OR (start_ns = ?5 AND trace_id > ?6)) AND status >= ?7
             ORDER BY received DESC, start_ns DESC, trace_id LIMIT ?8",
        )
        .bind(arrived.map_or(i64::MIN, |time| time.0))
        .bind(from.map_or(i64::MIN, |time| time.0))
        .bind(to.map_or(i64::MAX, |time| time.0))
        .bind(received)
        .bind(start)
        .bind(&behind[..])
        .bind(if query.only_errors { status_code(StatusCode::Throttle) } else { 0 })
        .bind(i64::from(query.limit))
        .fetch_all(&self.pools.readers())
        .await?;
        rows.iter().map(trace_of).collect()
    }

    /// For each service of a trace, the last time that it wrote and when that arrived: of the span whose time is latest
    /// in relation to its arrival.
    pub async fn sender_clocks(&self, trace_id: TraceId) -> Result<Vec<(String, Nanos, Nanos)>, StoreError> {
        let rows = sqlx::query(
            "SELECT service, coalesce(end_ns, start_ns) AS written, received, max(coalesce(end_ns, start_ns) - received)
             FROM span WHERE trace = (SELECT seq FROM trace WHERE trace_id = ?) GROUP BY service ORDER BY service",
        )
        .bind(&trace_id.0[..])
        .fetch_all(&self.pools.readers())
        .await?;
        Ok(rows.iter().map(|row| (row.get("service"), Nanos(row.get("written")), Nanos(row.get("received")))).collect())
    }

    /// When the last span of a trace arrived; `None` if it is not stored.
    pub async fn last_of_trace(&self, trace_id: TraceId) -> Result<Option<Nanos>, StoreError> {
        let received = sqlx::query_scalar("SELECT received FROM trace WHERE trace_id = ?").bind(&trace_id.0[..]);
        Ok(received.fetch_optional(&self.pools.readers()).await?.map(Nanos))
    }

    /// The spans of a trace, in the order of arrival.
    pub async fn spans(&self, trace_id: TraceId) -> Result<Vec<SpanRecord>, StoreError> {
        Ok(self.spans_of(&[trace_id]).await?.pop().unwrap_or_default())
    }

    /// The spans of each trace, in the order of arrival; empty for a trace that is not stored.
    pub async fn spans_of(&self, traces: &[TraceId]) -> Result<Vec<Vec<SpanRecord>>, StoreError> {
        let mut found: HashMap<TraceId, Vec<SpanRecord>> = HashMap::new();
        for some in statements(traces) {
            let mut select = QueryBuilder::<Sqlite>::new(format!(
                "SELECT {SPAN_COLUMNS} FROM trace CROSS JOIN span ON span.trace = trace.seq WHERE trace.trace_id IN ("
            ));
            let mut list = select.separated(", ");
            for trace in some {
                list.push_bind(&trace.0[..]);
            }
            select.push(") ORDER BY span.seq");
            let rows = select.build().fetch_all(&self.pools.readers()).await?;
            let bodies = self.bodies(&rows).await?;
            for row in &rows {
                let span = span_of(row, &bodies)?;
                found.entry(span.trace_id).or_default().push(span);
            }
        }
        Ok(traces.iter().map(|trace| found.remove(trace).unwrap_or_default()).collect())
    }

    /// What each trace takes, in bytes; 0 for one that is not stored.
    pub async fn trace_bytes(&self, traces: &[TraceId]) -> Result<Vec<u64>, StoreError> {
        let mut found: HashMap<TraceId, u64> = HashMap::new();
        for some in statements(traces) {
            let mut select = QueryBuilder::<Sqlite>::new("SELECT trace_id, bytes FROM trace WHERE trace_id IN (");
            let mut list = select.separated(", ");
            for trace in some {
                list.push_bind(&trace.0[..]);
            }
            select.push(")");
            for row in select.build().fetch_all(&self.pools.readers()).await? {
                found.insert(TraceId(fixed(&row, "trace_id")?), unsigned(row.get("bytes")));
            }
        }
        Ok(traces.iter().map(|trace| found.get(trace).copied().unwrap_or_default()).collect())
    }

    /// The spans of each trace, in the order of arrival; of a trace that takes more than `most` bytes, the first ones.
    pub async fn first_spans_of(&self, traces: &[TraceId], most: u64) -> Result<Vec<Vec<SpanRecord>>, StoreError> {
        let sizes = self.trace_bytes(traces).await?;
        let (small, large): (Vec<_>, Vec<_>) = traces.iter().copied().zip(sizes).partition(|(_, size)| *size <= most);
        let small: Vec<TraceId> = small.into_iter().map(|(trace, _)| trace).collect();
        let mut found: HashMap<TraceId, Vec<SpanRecord>> =
            small.iter().copied().zip(self.spans_of(&small).await?).collect();
        for (trace, _) in large {
            // Sizes first, so that the others are not even read.
            let sql = format!(
                "SELECT seq, {SPAN_BYTES} FROM span WHERE trace = (SELECT seq FROM trace WHERE trace_id = ?) ORDER BY seq"
            );
            let rows: Vec<(i64, i64)> =
                sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(&trace.0[..]).fetch_all(&self.pools.readers()).await?;
            let mut bytes = 0u64;
            let fit = rows.iter().take_while(|(_, size)| {
                bytes = bytes.saturating_add(unsigned(*size));
                bytes <= most
            });
            let last = fit.last().map_or(-1, |(seq, _)| *seq);
            let sql = format!(
                "SELECT {SPAN_COLUMNS} FROM trace CROSS JOIN span ON span.trace = trace.seq
                 WHERE trace.trace_id = ? AND span.seq <= ? ORDER BY span.seq"
            );
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(&trace.0[..])
                .bind(last)
                .fetch_all(&self.pools.readers())
                .await?;
            let bodies = self.bodies(&rows).await?;
            found.insert(trace, rows.iter().map(|row| span_of(row, &bodies)).collect::<Result<_, _>>()?);
        }
        Ok(traces.iter().map(|trace| found.remove(trace).unwrap_or_default()).collect())
    }

    /// Start and id of the traces that began in a range (`before` is exclusive), newest first, then by id; continues
    /// after a position in this order if one is given.
    pub async fn trace_ids(
        &self,
        from: Nanos,
        before: Nanos,
        after: Option<TracePosition>,
        limit: u32,
    ) -> Result<Vec<TracePosition>, StoreError> {
        let (last, behind) = after.map_or((before.0.saturating_sub(1), [0; 16]), |(start, id)| (start.0, id.0));
        let rows = sqlx::query(
            "SELECT start_ns, trace_id FROM trace WHERE start_ns >= ?1 AND start_ns <= ?2 AND (start_ns < ?2 OR trace_id > ?3)
             ORDER BY start_ns DESC, trace_id LIMIT ?4",
        )
        .bind(from.0)
        .bind(last)
        .bind(&behind[..])
        .bind(i64::from(limit))
        .fetch_all(&self.pools.readers())
        .await?;
        rows.iter().map(|row| Ok((Nanos(row.get("start_ns")), TraceId(fixed(row, "trace_id")?)))).collect()
    }

    pub async fn span_count(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM span").fetch_one(&self.pools.readers()).await?)
    }
}

/// The rows of those traces that have one.
async fn known(transaction: &mut Write, traces: &[Incoming<'_>]) -> Result<HashMap<TraceId, Stored>, StoreError> {
    let mut known = HashMap::new();
    for some in statements(traces) {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT seq, trace_id, services, protocols, bytes FROM trace WHERE trace_id IN (",
        );
        let mut list = select.separated(", ");
        for trace in some {
            list.push_bind(&trace.id.0[..]);
        }
        select.push(")");
        for row in select.build().fetch_all(&mut **transaction).await? {
            let stored = Stored {
                seq: row.get("seq"),
                services: row.get("services"),
                bytes: row.get("bytes"),
                printed: row.get::<i64, _>("protocols") & protocol_bit(Protocol::Console) != 0,
            };
            known.insert(TraceId(fixed(&row, "trace_id")?), stored);
        }
    }
    Ok(known)
}

/// Inserts the rows of traces whose spans are all in the batch, as [`summarise`] would compute them; returns them with
/// their numbers and services.
async fn insert_traces<'a>(
    transaction: &mut Write,
    traces: &[&'a Incoming<'a>],
    now: Nanos,
) -> Result<Vec<(i64, &'a Incoming<'a>, String)>, StoreError> {
    let last: i64 = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM trace").fetch_one(&mut **transaction).await?;
    let rows: Vec<_> = (last + 1..).zip(traces).map(|(seq, trace)| (seq, *trace, trace.services())).collect();
    for some in statements(&rows) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO trace (seq, trace_id, title, services, spans, start_ns, end_ns, status, open, rooted, protocols, received, bytes) ",
        );
        insert.push_values(some, |mut row, (seq, trace, services)| {
            let Incoming { id, spans, bytes } = trace;
            let end = |s: &&SpanRecord| s.end.unwrap_or(s.start).0;
            row.push_bind(*seq)
                .push_bind(&id.0[..])
                .push_bind(trace.title())
                .push_bind(services)
                .push_bind(i64::try_from(spans.len()).unwrap_or(i64::MAX))
                .push_bind(spans.iter().map(|s| s.start.0).min().unwrap_or_default())
                .push_bind(spans.iter().map(end).max().unwrap_or_default())
                .push_bind(spans.iter().map(|s| status_code(s.status)).max().unwrap_or_default())
                .push_bind(i64::try_from(spans.iter().filter(|s| s.end.is_none()).count()).unwrap_or(i64::MAX))
                .push_bind(spans.iter().any(|s| s.parent_id.is_none()))
                .push_bind(trace.protocols())
                .push_bind(now.0)
                .push_bind(*bytes);
        });
        insert.build().execute(&mut **transaction).await?;
    }
    Ok(rows)
}

/// Writes spans, each with the numbers of its trace, its resource and its scope.
async fn insert_spans(
    transaction: &mut Write,
    spans: &[(&SpanRecord, i64, Shared)],
    now: Nanos,
) -> Result<(), StoreError> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO span (trace, span_id, twin, parent_id, encoding, title, service, start_ns, end_ns, status, resource, scope, received, raw) ",
    );
    insert.push_values(spans, |mut row, (span, trace, (resource, scope, _))| {
        row.push_bind(*trace)
            .push_bind(&span.span_id.0[..])
            .push_bind(span.twin)
            .push_bind(span.parent_id.as_ref().map(|p| &p.0[..]))
            .push_bind(span.encoding.code())
            .push_bind(&span.title)
            .push_bind(&span.service)
            .push_bind(span.start.0)
            .push_bind(span.end.map(|e| e.0))
            .push_bind(status_code(span.status))
            .push_bind(*resource)
            .push_bind(*scope)
            .push_bind(now.0)
            .push_bind(&span.raw);
    });
    insert.push(
        " ON CONFLICT (trace, span_id, twin) DO UPDATE SET parent_id = excluded.parent_id, encoding = excluded.encoding,
         title = excluded.title, service = excluded.service, start_ns = excluded.start_ns, end_ns = excluded.end_ns,
         status = excluded.status, resource = excluded.resource, scope = excluded.scope, received = excluded.received,
         raw = excluded.raw WHERE (excluded.end_ns IS NOT NULL OR span.end_ns IS NULL)
           AND (excluded.encoding <> 4 OR span.encoding = 4)",
    );
    insert.build().execute(&mut **transaction).await?;
    Ok(())
}

/// Deletes the printed spans that were also sent: what was sent says more.
async fn delete_printed(transaction: &mut Write, traces: &[i64]) -> Result<(), StoreError> {
    let mut delete = QueryBuilder::<Sqlite>::new(
        "DELETE FROM span WHERE encoding = 4 AND EXISTS (SELECT 1 FROM span sent WHERE sent.trace = span.trace
         AND sent.span_id = span.span_id AND sent.encoding <> 4) AND trace IN (",
    );
    push_list(&mut delete, traces.iter().copied());
    delete.build().execute(&mut **transaction).await?;
    Ok(())
}

/// Recomputes the rows of traces from their spans, so that duplicates and the order of arrival do not matter. Returns
/// them as they are now.
async fn summarise(transaction: &mut Write, traces: &[Stored], now: Nanos) -> Result<Vec<Stored>, StoreError> {
    let mut update = QueryBuilder::<Sqlite>::new(format!(
        "UPDATE trace SET (title, services, spans, start_ns, end_ns, status, open, rooted, protocols, bytes) =
         (SELECT
           (SELECT substr(r.title, 1, {MAX_NAME}) FROM span r WHERE r.trace = trace.seq
             ORDER BY r.parent_id IS NOT NULL, r.start_ns, r.span_id LIMIT 1),
           (SELECT json_group_array(service) FROM (SELECT substr(v.service, 1, {MAX_NAME}) AS service FROM span v
             WHERE v.trace = trace.seq AND v.service <> '' GROUP BY v.service
             ORDER BY min(v.parent_id IS NOT NULL), min(v.start_ns) LIMIT {MAX_SERVICES})),
           count(*), min(s.start_ns), max(coalesce(s.end_ns, s.start_ns)), max(s.status), sum(s.end_ns IS NULL),
           max(s.parent_id IS NULL), max(s.encoding <= 2) + 2 * max(s.encoding = 3) + 4 * max(s.encoding = 4), "
    ));
    update.push(format!("{TRACE_BYTES} + sum({SPAN_BYTES}) FROM span s WHERE s.trace = trace.seq), received = "));
    update.push_bind(now.0);
    update.push(" WHERE seq IN (");
    push_list(&mut update, traces.iter().map(|row| row.seq));
    update.push(" RETURNING seq, services, bytes, protocols & 4 <> 0");
    let rows: Vec<(i64, String, i64, bool)> = update.build_query_as().fetch_all(&mut **transaction).await?;
    Ok(rows.into_iter().map(|(seq, services, bytes, printed)| Stored { seq, services, bytes, printed }).collect())
}

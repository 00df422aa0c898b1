//! Spans on their way in: the spans themselves, and their traces' rows in the same transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{QueryBuilder, Row as _, Sqlite, Transaction};

use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_core::time::Nanos;

use super::{fixed, statements, status_code};
use crate::bounds::{SPAN_BYTES, TRACE_BYTES, span_bytes};
use crate::error::StoreError;
use crate::open::Telemetry;
use crate::relay::{Outgoing, enqueue};
use crate::shared::share;

/// A trace as far as a batch has it.
struct Incoming<'a> {
    id: TraceId,
    spans: Vec<&'a SpanRecord>,
    bytes: i64,
}

/// The row that a trace has.
#[derive(Clone, Copy)]
struct Row {
    seq: i64,
    bytes: i64,
}

impl Telemetry {
    /// Writes a batch as one transaction; when this returns, the spans are committed.
    ///
    /// The same span again replaces what is there (senders repeat), but one in progress never replaces a
    /// complete one, and a printed one never one that was sent.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written; then none of the batch is in it.
    pub async fn commit(&self, batch: &[SpanRecord], now: Nanos) -> Result<(), StoreError> {
        self.commit_relayed(batch, &[], now).await
    }

    /// The same, and queues what is to be sent on in the same transaction.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written; then none of either is in it.
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
        let rows = batch.iter().map(span_bytes).chain(incoming.iter().map(|_| TRACE_BYTES));
        let mut writing = self.begin(rows).await?;
        enqueue(&mut writing.transaction, relayed, now).await?;
        let transaction = &mut writing.transaction;
        let shared = share(transaction, batch.iter().map(|s| (&s.resource, &s.scope))).await?;
        let known = known(transaction, &incoming).await?;
        // Of a trace that begins in this batch everything is at hand; the others are made anew from what is stored.
        let (touched, fresh): (Vec<_>, Vec<_>) = incoming.iter().partition(|trace| known.contains_key(&trace.id));
        let fresh = insert_traces(transaction, &fresh, now).await?;

        let seq_of =
            |id: &TraceId| known.get(id).map(|row| row.seq).or_else(|| fresh.get(id).copied()).unwrap_or_default();
        let rows: Vec<(&SpanRecord, i64, (i64, i64))> =
            batch.iter().zip(shared).map(|(span, shared)| (span, seq_of(&span.trace_id), shared)).collect();
        for some in statements(&rows) {
            insert_spans(transaction, some, now).await?;
        }

        let doubled = incoming.iter().filter(|trace| fresh.contains_key(&trace.id) && !all_different(&trace.spans));
        let mut bytes: i64 =
            incoming.iter().filter(|trace| fresh.contains_key(&trace.id)).map(|trace| trace.bytes).sum();
        let anew: Vec<Row> = touched
            .iter()
            .filter_map(|trace| known.get(&trace.id).copied())
            .chain(doubled.map(|trace| Row { seq: seq_of(&trace.id), bytes: trace.bytes }))
            .collect();
        bytes -= anew.iter().map(|row| row.bytes).sum::<i64>();
        for some in statements(&anew) {
            bytes += summarise(transaction, some, now).await?;
        }
        writing.commit("traces", bytes).await
    }
}

/// The batch's traces, in the order of their first spans.
fn by_trace(batch: &[SpanRecord]) -> Vec<Incoming<'_>> {
    let mut at: HashMap<TraceId, usize> = HashMap::with_capacity(batch.len());
    let mut traces: Vec<Incoming<'_>> = Vec::new();
    for span in batch {
        let place = *at.entry(span.trace_id).or_insert(traces.len());
        if place == traces.len() {
            traces.push(Incoming { id: span.trace_id, spans: Vec::with_capacity(1), bytes: TRACE_BYTES });
        }
        traces[place].spans.push(span);
        traces[place].bytes += span_bytes(span);
    }
    traces
}

/// Which of these traces have a row.
async fn known(
    transaction: &mut Transaction<'_, Sqlite>,
    traces: &[Incoming<'_>],
) -> Result<HashMap<TraceId, Row>, StoreError> {
    let mut known = HashMap::new();
    for some in statements(traces) {
        let mut select = QueryBuilder::<Sqlite>::new("SELECT seq, trace_id, bytes FROM trace WHERE trace_id IN (");
        let mut list = select.separated(", ");
        for trace in some {
            list.push_bind(&trace.id.0[..]);
        }
        select.push(")");
        for row in select.build().fetch_all(&mut **transaction).await? {
            known.insert(TraceId(fixed(&row, "trace_id")?), Row { seq: row.get("seq"), bytes: row.get("bytes") });
        }
    }
    Ok(known)
}

fn all_different(spans: &[&SpanRecord]) -> bool {
    let mut seen = HashSet::new();
    spans.len() == 1 || spans.iter().all(|span| seen.insert(span.span_id))
}

/// Rows of traces whose spans are all in the batch, the same as [`summarise`] makes; returns their numbers.
async fn insert_traces(
    transaction: &mut Transaction<'_, Sqlite>,
    traces: &[&Incoming<'_>],
    now: Nanos,
) -> Result<HashMap<TraceId, i64>, StoreError> {
    let last: i64 = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM trace").fetch_one(&mut **transaction).await?;
    let rows: Vec<(i64, &&Incoming<'_>)> = (last + 1..).zip(traces).collect();
    for some in statements(&rows) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO trace (seq, trace_id, title, services, spans, start_ns, end_ns, status, open, rooted, protocols, received, bytes) ",
        );
        insert.push_values(some, |mut row, (seq, Incoming { id, spans, bytes })| {
            let end = |s: &&SpanRecord| s.end.unwrap_or(s.start).0;
            row.push_bind(*seq)
                .push_bind(&id.0[..])
                .push_bind(title(spans))
                .push_bind(services(spans))
                .push_bind(i64::try_from(spans.len()).unwrap_or(i64::MAX))
                .push_bind(spans.iter().map(|s| s.start.0).min().unwrap_or_default())
                .push_bind(spans.iter().map(end).max().unwrap_or_default())
                .push_bind(spans.iter().map(|s| status_code(s.status)).max().unwrap_or_default())
                .push_bind(i64::try_from(spans.iter().filter(|s| s.end.is_none()).count()).unwrap_or(i64::MAX))
                .push_bind(spans.iter().any(|s| s.parent_id.is_none()))
                .push_bind(spans.iter().map(|s| protocol_bit(s.encoding)).fold(0, |all, bit| all | bit))
                .push_bind(now.0)
                .push_bind(*bytes);
        });
        insert.build().execute(&mut **transaction).await?;
    }
    Ok(rows.into_iter().map(|(seq, trace)| (trace.id, seq)).collect())
}

/// Writes spans, each with its trace's number and its resource's and scope's.
async fn insert_spans(
    transaction: &mut Transaction<'_, Sqlite>,
    spans: &[(&SpanRecord, i64, (i64, i64))],
    now: Nanos,
) -> Result<(), StoreError> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO span (trace, span_id, parent_id, encoding, title, service, start_ns, end_ns, status, resource, scope, received, raw) ",
    );
    insert.push_values(spans, |mut row, (span, trace, (resource, scope))| {
        row.push_bind(*trace)
            .push_bind(&span.span_id.0[..])
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
        " ON CONFLICT (trace, span_id) DO UPDATE SET parent_id = excluded.parent_id, encoding = excluded.encoding,
         title = excluded.title, service = excluded.service, start_ns = excluded.start_ns, end_ns = excluded.end_ns,
         status = excluded.status, resource = excluded.resource, scope = excluded.scope, received = excluded.received,
         raw = excluded.raw WHERE (excluded.end_ns IS NOT NULL OR span.end_ns IS NULL)
           AND (excluded.encoding <> 4 OR span.encoding = 4)",
    );
    insert.build().execute(&mut **transaction).await?;
    Ok(())
}

/// The title of the first span without a parent, else of the first.
fn title<'a>(spans: &[&'a SpanRecord]) -> &'a str {
    let first = spans.iter().min_by_key(|s| (s.parent_id.is_some(), s.start, s.span_id));
    first.map(|s| s.title.as_str()).unwrap_or_default()
}

/// Every service as JSON, the root's first, then by their first span.
fn services(spans: &[&SpanRecord]) -> String {
    let mut first: BTreeMap<&str, (bool, Nanos)> = BTreeMap::new();
    for span in spans.iter().filter(|s| !s.service.is_empty()) {
        let (not_root, start) = (span.parent_id.is_some(), span.start);
        let known = first.entry(&span.service).or_insert((not_root, start));
        *known = (known.0.min(not_root), known.1.min(start));
    }
    let mut names: Vec<(&str, (bool, Nanos))> = first.into_iter().collect();
    names.sort_by_key(|(_, first)| *first);
    let names: Vec<&str> = names.into_iter().map(|(name, _)| name).collect();
    // Texts have a JSON form.
    serde_json::to_string(&names).unwrap_or_else(|_| "[]".to_owned())
}

fn protocol_bit(encoding: Encoding) -> i64 {
    match encoding {
        Encoding::OtlpProtobuf | Encoding::OtlpJson => 1,
        Encoding::XrayJson => 2,
        Encoding::ConsoleJson => 4,
    }
}

/// Makes the rows of traces anew from their spans: exact whatever arrived twice or in whatever order. Returns what they
/// all take now.
async fn summarise(transaction: &mut Transaction<'_, Sqlite>, traces: &[Row], now: Nanos) -> Result<i64, StoreError> {
    let mut update = QueryBuilder::<Sqlite>::new(
        "UPDATE trace SET (title, services, spans, start_ns, end_ns, status, open, rooted, protocols, bytes) =
         (SELECT
           (SELECT r.title FROM span r WHERE r.trace = trace.seq
             ORDER BY r.parent_id IS NOT NULL, r.start_ns, r.span_id LIMIT 1),
           (SELECT json_group_array(service) FROM (SELECT v.service FROM span v
             WHERE v.trace = trace.seq AND v.service <> '' GROUP BY v.service
             ORDER BY min(v.parent_id IS NOT NULL), min(v.start_ns))),
           count(*), min(s.start_ns), max(coalesce(s.end_ns, s.start_ns)), max(s.status), sum(s.end_ns IS NULL),
           max(s.parent_id IS NULL), max(s.encoding <= 2) + 2 * max(s.encoding = 3) + 4 * max(s.encoding = 4), ",
    );
    update.push(format!("{TRACE_BYTES} + sum({SPAN_BYTES}) FROM span s WHERE s.trace = trace.seq), received = "));
    update.push_bind(now.0);
    update.push(" WHERE seq IN (");
    let mut numbers = update.separated(", ");
    for row in traces {
        numbers.push_bind(row.seq);
    }
    update.push(") RETURNING bytes");
    let bytes: Vec<i64> = update.build_query_scalar().fetch_all(&mut **transaction).await?;
    Ok(bytes.into_iter().sum())
}

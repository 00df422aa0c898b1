//! Spans as received, and one row a trace for lists.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, Transaction};

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
    /// Writes a batch as one transaction; when this returns, the spans are committed.
    ///
    /// The same span again replaces what is there (senders repeat), but one in progress never replaces a
    /// complete one, and a printed one never one that was sent.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written; then none of the batch is in it.
    pub async fn commit(&self, batch: &[SpanRecord], now: Nanos) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut transaction = self.pools.write().await?;
        let shared = share(&mut transaction, batch.iter().map(|s| (&s.resource, &s.scope))).await?;
        let rows: Vec<(&SpanRecord, (i64, i64))> = batch.iter().zip(shared).collect();
        for spans in statements(&rows) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO span (trace_id, span_id, parent_id, encoding, title, service, start_ns, end_ns, status, resource, scope, received, raw) ",
            );
            insert.push_values(spans, |mut row, (span, (resource, scope))| {
                row.push_bind(&span.trace_id.0[..])
                    .push_bind(&span.span_id.0[..])
                    .push_bind(span.parent_id.as_ref().map(|p| &p.0[..]))
                    .push_bind(span.encoding.code())
                    .push_bind(&span.title)
                    .push_bind(&span.service)
                    .push_bind(span.start.0)
                    .push_bind(span.end.map(|e| e.0))
                    .push_bind(status_code(span.status))
                    .push_bind(resource)
                    .push_bind(scope)
                    .push_bind(now.0)
                    .push_bind(&span.raw);
            });
            insert.push(
                " ON CONFLICT (trace_id, span_id) DO UPDATE SET parent_id = excluded.parent_id, encoding = excluded.encoding,
                 title = excluded.title, service = excluded.service, start_ns = excluded.start_ns, end_ns = excluded.end_ns,
                 status = excluded.status, resource = excluded.resource, scope = excluded.scope, received = excluded.received,
                 raw = excluded.raw WHERE (excluded.end_ns IS NOT NULL OR span.end_ns IS NULL)
                   AND (excluded.encoding <> 4 OR span.encoding = 4)",
            );
            insert.build().execute(&mut *transaction).await?;
        }
        let mut traces: BTreeMap<TraceId, Vec<&SpanRecord>> = BTreeMap::new();
        for span in batch {
            traces.entry(span.trace_id).or_default().push(span);
        }
        let known = known(&mut transaction, traces.keys()).await?;
        // Of a trace that begins in this batch everything is at hand; the others are made anew from what is stored.
        let (fresh, touched): (Vec<_>, Vec<_>) =
            traces.into_iter().partition(|(id, spans)| !known.contains(id) && all_different(spans));
        insert_fresh(&mut transaction, &fresh, now).await?;
        let touched: Vec<TraceId> = touched.into_iter().map(|(id, _)| id).collect();
        for some in statements(&touched) {
            summarise(&mut transaction, some, now).await?;
        }
        wrote(&mut transaction, "traces").await?;
        Ok(transaction.commit().await?)
    }

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
        let rows = sqlx::query("SELECT * FROM span WHERE trace_id = ? ORDER BY seq")
            .bind(&trace_id.0[..])
            .fetch_all(&self.pools.readers)
            .await?;
        let bodies = self.bodies(&rows).await?;
        rows.iter().map(|row| span_of(row, &bodies)).collect()
    }

    /// The shared bytes that rows point at.
    pub(crate) async fn bodies(&self, rows: &[SqliteRow]) -> Result<HashMap<i64, Arc<[u8]>>, StoreError> {
        let mut bodies: HashMap<i64, Arc<[u8]>> = HashMap::new();
        for row in rows {
            for key in ["resource", "scope"] {
                let id: i64 = row.get(key);
                if let std::collections::hash_map::Entry::Vacant(vacant) = bodies.entry(id) {
                    let body: Option<Vec<u8>> = sqlx::query_scalar("SELECT body FROM shared WHERE id = ?")
                        .bind(id)
                        .fetch_optional(&self.pools.readers)
                        .await?;
                    vacant.insert(body.unwrap_or_default().into());
                }
            }
        }
        Ok(bodies)
    }

    /// Ids of traces that began in a range, newest first, from the one `skip` on.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn trace_ids(
        &self,
        from: Nanos,
        before: Nanos,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<TraceId>, StoreError> {
        let rows = sqlx::query(
            "SELECT trace_id FROM trace WHERE start_ns >= ? AND start_ns < ? ORDER BY start_ns DESC LIMIT ? OFFSET ?",
        )
        .bind(from.0)
        .bind(before.0)
        .bind(i64::from(limit))
        .bind(i64::from(skip))
        .fetch_all(&self.pools.readers)
        .await?;
        rows.iter().map(|row| Ok(TraceId(fixed(row, "trace_id")?))).collect()
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

/// Which of these traces have a row.
async fn known(
    transaction: &mut Transaction<'_, Sqlite>,
    traces: impl Iterator<Item = &TraceId>,
) -> Result<HashSet<TraceId>, StoreError> {
    let ids: Vec<&TraceId> = traces.collect();
    let mut known = HashSet::new();
    for some in statements(&ids) {
        let mut select = QueryBuilder::<Sqlite>::new("SELECT trace_id FROM trace WHERE trace_id IN (");
        let mut list = select.separated(", ");
        for id in some {
            list.push_bind(&id.0[..]);
        }
        select.push(")");
        for row in select.build().fetch_all(&mut **transaction).await? {
            known.insert(TraceId(fixed(&row, "trace_id")?));
        }
    }
    Ok(known)
}

fn all_different(spans: &[&SpanRecord]) -> bool {
    let mut seen = HashSet::new();
    spans.iter().all(|span| seen.insert(span.span_id))
}

/// Rows of traces whose spans are all in the batch; the same as [`summarise`] makes.
async fn insert_fresh(
    transaction: &mut Transaction<'_, Sqlite>,
    traces: &[(TraceId, Vec<&SpanRecord>)],
    now: Nanos,
) -> Result<(), StoreError> {
    for some in statements(traces) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO trace (trace_id, title, services, spans, start_ns, end_ns, status, open, rooted, protocols, received) ",
        );
        insert.push_values(some, |mut row, (id, spans)| {
            let end = |s: &&SpanRecord| s.end.unwrap_or(s.start).0;
            row.push_bind(&id.0[..])
                .push_bind(title(spans))
                .push_bind(services(spans))
                .push_bind(i64::try_from(spans.len()).unwrap_or(i64::MAX))
                .push_bind(spans.iter().map(|s| s.start.0).min().unwrap_or_default())
                .push_bind(spans.iter().map(end).max().unwrap_or_default())
                .push_bind(spans.iter().map(|s| status_code(s.status)).max().unwrap_or_default())
                .push_bind(i64::try_from(spans.iter().filter(|s| s.end.is_none()).count()).unwrap_or(i64::MAX))
                .push_bind(spans.iter().any(|s| s.parent_id.is_none()))
                .push_bind(spans.iter().map(|s| protocol_bit(s.encoding)).fold(0, |all, bit| all | bit))
                .push_bind(now.0);
        });
        insert.build().execute(&mut **transaction).await?;
    }
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

/// Counts a write of a kind, in its transaction.
pub(crate) async fn wrote(transaction: &mut Transaction<'_, Sqlite>, kind: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE written SET n = n + 1 WHERE kind = ?").bind(kind).execute(&mut **transaction).await?;
    Ok(())
}

/// Stores each resource and scope once; returns the rows of both for each record of the batch.
pub(crate) async fn share<'a>(
    transaction: &mut Transaction<'_, Sqlite>,
    batch: impl Iterator<Item = (&'a Arc<[u8]>, &'a Arc<[u8]>)>,
) -> Result<Vec<(i64, i64)>, StoreError> {
    // Spans of one request share the allocation, so most need no hash: the batch keeps them alive, and
    // an address in it stands for one content.
    let mut by_address: HashMap<(usize, usize), i64> = HashMap::new();
    let mut by_hash: HashMap<[u8; 32], i64> = HashMap::new();
    let mut rows = Vec::with_capacity(batch.size_hint().0);
    for (resource, scope) in batch {
        let mut pair = [0; 2];
        for (row, body) in pair.iter_mut().zip([resource, scope]) {
            let address = (body.as_ptr().addr(), body.len());
            *row = match by_address.get(&address) {
                Some(&known) => known,
                None => {
                    let hash: [u8; 32] = Sha256::digest(body).into();
                    let id = match by_hash.get(&hash) {
                        Some(&known) => known,
                        None => share_one(transaction, &hash, body).await?,
                    };
                    by_hash.insert(hash, id);
                    by_address.insert(address, id);
                    id
                }
            };
        }
        rows.push((pair[0], pair[1]));
    }
    Ok(rows)
}

async fn share_one(transaction: &mut Transaction<'_, Sqlite>, hash: &[u8], body: &[u8]) -> Result<i64, StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT id FROM shared WHERE hash = ?")
        .bind(hash)
        .fetch_optional(&mut **transaction)
        .await?;
    match found {
        Some(id) => Ok(id),
        None => Ok(sqlx::query("INSERT INTO shared (hash, body) VALUES (?, ?)")
            .bind(hash)
            .bind(body)
            .execute(&mut **transaction)
            .await?
            .last_insert_rowid()),
    }
}

/// Makes the rows of traces anew from their spans: exact whatever arrived twice or in whatever order.
async fn summarise(
    transaction: &mut Transaction<'_, Sqlite>,
    traces: &[TraceId],
    now: Nanos,
) -> Result<(), StoreError> {
    let mut upsert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO trace (trace_id, title, services, spans, start_ns, end_ns, status, open, rooted, protocols, received)
         SELECT s.trace_id,
           (SELECT r.title FROM span r WHERE r.trace_id = s.trace_id
             ORDER BY r.parent_id IS NOT NULL, r.start_ns, r.span_id LIMIT 1),
           (SELECT json_group_array(service) FROM (SELECT v.service FROM span v
             WHERE v.trace_id = s.trace_id AND v.service <> '' GROUP BY v.service
             ORDER BY min(v.parent_id IS NOT NULL), min(v.start_ns))),
           count(*), min(s.start_ns), max(coalesce(s.end_ns, s.start_ns)), max(s.status), sum(s.end_ns IS NULL),
           max(s.parent_id IS NULL), max(s.encoding <= 2) + 2 * max(s.encoding = 3) + 4 * max(s.encoding = 4), ",
    );
    upsert.push_bind(now.0);
    upsert.push(" FROM span s WHERE s.trace_id IN (");
    let mut ids = upsert.separated(", ");
    for trace in traces {
        ids.push_bind(&trace.0[..]);
    }
    upsert.push(
        ") GROUP BY s.trace_id ON CONFLICT (trace_id) DO UPDATE SET title = excluded.title, services = excluded.services,
         spans = excluded.spans, start_ns = excluded.start_ns, end_ns = excluded.end_ns, status = excluded.status,
         open = excluded.open, rooted = excluded.rooted, protocols = excluded.protocols, received = excluded.received",
    );
    upsert.build().execute(&mut **transaction).await?;
    Ok(())
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

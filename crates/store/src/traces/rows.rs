//! Rows of traces and spans as core's types.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::skew;
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_core::text::shorten;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Protocol, StatusCode, TraceSummary};

use super::{MAX_NAME, MAX_SERVICES, TraceRow};
use crate::error::StoreError;
use crate::sql::{fixed, from_json, unsigned};

/// The number that a status is stored as. `max()` gives the worst; never renumbered.
pub(super) fn status_code(status: StatusCode) -> i64 {
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

pub(super) fn trace_of(row: &SqliteRow) -> Result<TraceRow, StoreError> {
    let services: String = row.get("services");
    let status = status_of(row.get("status"));
    let (start, end): (i64, i64) = (row.get("start_ns"), row.get("end_ns"));
    let bits: i64 = row.get("protocols");
    let protocols = [Protocol::Otlp, Protocol::Xray, Protocol::Console]
        .into_iter()
        .filter(|protocol| bits & protocol_bit(*protocol) != 0)
        .collect();
    let open = u32::try_from(row.get::<i64, _>("open")).unwrap_or(u32::MAX);
    let word = if status.is_error() {
        status.word()
    } else if open > 0 {
        "in_progress"
    } else {
        "ok"
    };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
    let duration_ms = end.saturating_sub(start) as f64 / 1e6;
    Ok(TraceRow {
        summary: TraceSummary {
            trace_id: TraceId(fixed(row, "trace_id")?),
            name: shorten(row.get("title"), MAX_NAME),
            services: from_json::<Vec<String>>(&services)?.into_iter().take(MAX_SERVICES).collect(),
            spans: u32::try_from(row.get::<i64, _>("spans")).unwrap_or(u32::MAX),
            duration_ms,
            status: word.to_owned(),
            start: Nanos(start).rfc3339(),
            has_error: status.is_error(),
            protocols,
            skew_ms: skew::of_sender_ms(Nanos(end), Nanos(row.get("received")), skew::USUAL_DELAY),
            unfinished: None,
        },
        rooted: row.get::<i64, _>("rooted") > 0,
        start: Nanos(start),
        received: Nanos(row.get("received")),
        open,
        bytes: unsigned(row.get("bytes")),
    })
}

/// What [`span_of`] reads, of the tables `trace` and `span`. Every column of 10,000 spans is copied.
pub(super) const SPAN_COLUMNS: &str =
    "trace.trace_id, span.span_id, span.twin, span.parent_id, span.encoding, span.title,
    span.service, span.start_ns, span.end_ns, span.status, span.resource, span.scope, span.raw";

pub(super) fn span_of(row: &SqliteRow, bodies: &HashMap<i64, Arc<[u8]>>) -> Result<SpanRecord, StoreError> {
    let code: i64 = row.get("encoding");
    let parent: Option<Vec<u8>> = row.get("parent_id");
    Ok(SpanRecord {
        trace_id: TraceId(fixed(row, "trace_id")?),
        span_id: SpanId(fixed(row, "span_id")?),
        twin: row.get("twin"),
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

/// The bit that a protocol sets in `trace.protocols`. Never renumbered.
pub(super) fn protocol_bit(protocol: Protocol) -> i64 {
    match protocol {
        Protocol::Otlp => 1,
        Protocol::Xray => 2,
        Protocol::Console => 4,
    }
}

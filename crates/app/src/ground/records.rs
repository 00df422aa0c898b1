//! Converts received or fetched records to `core` values.

use tracebook_core::assemble::assemble;
use tracebook_core::errors::Occurrence;
use tracebook_core::ids::TraceId;
use tracebook_core::logs::LogEvent;
use tracebook_core::telemetry::{ErrorRecord, LogRecord, SpanRecord};
use tracebook_core::trace::Trace;
use tracebook_sources::{otlp, rollbar};

use crate::ground::error::Error;
use crate::ground::tasks::blocking;

/// A trace with the records it was assembled from.
pub(crate) struct ReadTrace {
    pub(crate) trace: Trace,
    pub(crate) records: Vec<SpanRecord>,
    pub(crate) warnings: Vec<String>,
}

/// Normalises and assembles a trace, on a blocking thread: thousands of spans take a while.
pub(crate) async fn read_trace(trace_id: TraceId, records: Vec<SpanRecord>) -> Result<ReadTrace, Error> {
    blocking(move || {
        let (trace, mut warnings) = assembled(trace_id, &records);
        warnings.sort_unstable();
        warnings.dedup();
        ReadTrace { trace, records, warnings }
    })
    .await
}

/// The trace of some records, and what normalising warned of.
pub(crate) fn assembled(trace_id: TraceId, records: &[SpanRecord]) -> (Trace, Vec<String>) {
    let mut warnings = Vec::new();
    let mut normaliser = tracebook_sources::Normaliser::default();
    let spans = records.iter().map(|record| {
        let (span, found) = normaliser.read(record);
        warnings.extend(found);
        span
    });
    (assemble(trace_id, spans), warnings)
}

pub(crate) fn log_event(record: &LogRecord) -> LogEvent {
    otlp::normalise::log(record).0
}

pub(crate) fn occurrence(record: &ErrorRecord) -> Occurrence {
    rollbar::normalise::read(&record.raw, record.timestamp).0
}

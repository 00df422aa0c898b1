//! Spans whose bytes cannot be read.

use tracebook_core::assemble::LooseSpan;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::trace::Span;

/// A span from the columns of its record alone.
pub(crate) fn from_columns(record: &SpanRecord) -> LooseSpan {
    let mut span = Span::new(record.span_id, &record.title, record.encoding.protocol(), record.start);
    span.parent = record.parent_id;
    span.service.clone_from(&record.service);
    span.end = record.end;
    span.status.code = record.status;
    LooseSpan::from(span)
}

//! OTLP requests: decoded, read, assembled, and written again for the relay.

use tracebook_core::assemble::assemble;
use tracebook_core::logs::LogEvent;
use tracebook_core::telemetry::{LogRecord, SpanRecord};
use tracebook_sources::otlp::outgoing::{self, Part};
use tracebook_sources::otlp::{normalise, wire};

use crate::NOW;

pub fn protobuf(input: &[u8]) {
    if let Ok(decoded) = wire::decode_protobuf(input) {
        spans(&decoded.records);
        for part in outgoing::spans(&decoded.records) {
            let again = wire::decode_protobuf(&outgoing::request(part.form, &[&part.bytes]));
            same_count(&part, again.map(|again| again.records.len()));
        }
    }
    if let Ok(decoded) = wire::decode_logs_protobuf(input, NOW) {
        logs(&decoded.records);
        for part in outgoing::logs(&decoded.records) {
            let again = wire::decode_logs_protobuf(&outgoing::request(part.form, &[&part.bytes]), NOW);
            same_count(&part, again.map(|again| again.records.len()));
        }
    }
}

pub fn json(input: &[u8]) {
    if let Ok(decoded) = wire::decode_json(input) {
        spans(&decoded.records);
        for part in outgoing::spans(&decoded.records) {
            let again = wire::decode_json(&outgoing::request(part.form, &[&part.bytes]));
            same_count(&part, again.map(|again| again.records.len()));
        }
    }
    if let Ok(decoded) = wire::decode_logs_json(input, NOW) {
        logs(&decoded.records);
        for part in outgoing::logs(&decoded.records) {
            let again = wire::decode_logs_json(&outgoing::request(part.form, &[&part.bytes]), NOW);
            same_count(&part, again.map(|again| again.records.len()));
        }
    }
}

/// What is forwarded must be accepted by a receiver like ours, completely.
fn same_count(part: &Part, again: Result<usize, String>) {
    assert_eq!(again, Ok(part.items as usize), "a forwarded request has the same records");
}

pub fn spans(records: &[SpanRecord]) {
    let Some(first) = records.first() else { return };
    let of_first = records.iter().filter(|record| record.trace_id == first.trace_id);
    let trace =
        assemble(first.trace_id, of_first.map(|record| tracebook_sources::normalise(record).0).collect::<Vec<_>>());
    let rows = tracebook_core::assemble::rows(&trace);
    assert_eq!(rows.len(), trace.spans.len(), "every span is drawn once");
}

fn logs(records: &[LogRecord]) -> Vec<LogEvent> {
    records.iter().map(|record| normalise::log(record).0).collect()
}

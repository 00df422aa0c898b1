//! X-Ray datagrams and filter expressions.

use std::sync::LazyLock;

use tracebook_core::assemble::assemble;
use tracebook_core::trace::Trace;
use tracebook_sources::xray::expression::{Expression, Groups, Subject};
use tracebook_sources::xray::{outgoing, wire};

pub fn datagram(input: &[u8]) {
    let Ok(records) = wire::parse_datagram(input) else { return };
    crate::otlp::spans(&records);
    for document in outgoing::documents(&records) {
        assert!(wire::parse_document(document.as_bytes()).is_ok(), "a forwarded document is readable: {document}");
    }
}

/// Traces that expressions are matched against.
pub static TRACES: LazyLock<Vec<Trace>> = LazyLock::new(|| {
    let datagrams: [&[u8]; 3] = [
        include_bytes!("../../tests/fixtures/xray-01-boom.bin"),
        include_bytes!("../../tests/fixtures/xray-01-users.bin"),
        include_bytes!("../../tests/fixtures/xray-01-joined.bin"),
    ];
    let traces = datagrams.iter().map(|datagram| {
        let records = wire::parse_datagram(datagram).expect("a recorded datagram");
        assemble(
            records[0].trace_id,
            records.iter().map(|record| tracebook_sources::normalise(record).0).collect::<Vec<_>>(),
        )
    });
    traces.collect()
});

pub fn expression(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Ok(expression) = Expression::parse(&text) else { return };
    let mut groups = Groups::new();
    for name in expression.groups() {
        groups.insert(name.to_owned(), expression.clone());
    }
    for trace in TRACES.iter() {
        expression.matches(&Subject::new(trace), &groups);
    }
}

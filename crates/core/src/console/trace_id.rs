//! Finds a trace id in a line of text.

use std::sync::LazyLock;

use regex::Regex;

use super::ansi::plain;
use crate::ids::TraceId;

/// From the most to the least reliable: W3C `traceparent`, a key, X-Ray's header, X-Ray's id format alone.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    const SHAPES: [&str; 4] = [
        r"(?-u:\b)[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?-u:\b)",
        r#"(?i)trace[ _.-]?id["']?\s*[=:]\s*["']?((?:0x)?[0-9a-f]{32}|1-[0-9a-f]{8}-[0-9a-f]{24})(?-u:\b)"#,
        r"(?i)(?-u:\b)root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?-u:\b)",
        r"(?-u:\b)(1-[0-9a-f]{8}-[0-9a-f]{24})(?-u:\b)",
    ];
    #[expect(clippy::unwrap_used, reason = "fixed patterns that tests use")]
    SHAPES.iter().map(|shape| Regex::new(shape).unwrap()).collect()
});

/// The trace id in a console line or a log message: `trace_id=…`, `otelTraceID=…`, `Root=1-…`, a W3C
/// `traceparent`, with or without colours.
pub fn trace_id_in(text: &str) -> Option<TraceId> {
    let text = plain(text);
    SHAPES.iter().find_map(|shape| {
        shape.captures_iter(&text).find_map(|found| found.get(1).and_then(|id| id.as_str().parse().ok()))
    })
}

//! Console output: spans that a service prints.
//!
//! OpenTelemetry's ConsoleSpanExporter prints each span: Python's as JSON, Node's as `console.dir` shows an object.
//! [`spans`] finds them in given lines, [`Recogniser`] in lines as they arrive; both make the same records as a
//! receiver. Times are in microseconds and Python prints no scope, so such a span never replaces one that came over
//! OTLP.

mod inspect;
pub mod normalise;
mod reading;
#[cfg(test)]
mod tests;

use tracebook_core::console::{ConsoleLine, SpanBlocks};
use tracebook_core::telemetry::SpanRecord;

pub use tracebook_core::console::trace_id_in;

/// The spans printed in these lines, in order.
pub fn spans(lines: &[ConsoleLine]) -> Vec<SpanRecord> {
    let mut recogniser = Recogniser::default();
    lines.iter().flat_map(|line| recogniser.push(line)).collect()
}

/// Finds printed spans in lines as they arrive, in bounded memory; see [`SpanBlocks`].
#[derive(Clone, Debug, Default)]
pub struct Recogniser {
    blocks: SpanBlocks,
}

impl Recogniser {
    /// Takes the next line; returns the spans that end with it. Text that only looks like a span stays text.
    pub fn push(&mut self, line: &ConsoleLine) -> Vec<SpanRecord> {
        self.blocks.push(line).and_then(|block| reading::record(&block.text)).into_iter().collect()
    }
}

//! Recognises spans in the output of a service.
//!
//! OpenTelemetry's ConsoleSpanExporter prints each span: in Python as JSON, in Node with `console.dir`. [`spans`] finds
//! them in complete lines, [`Recogniser`] in a stream of lines; both produce the records of a receiver. Printed times
//! have microseconds and Python prints no scope, so a printed span never replaces one received over OTLP.

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

/// Finds printed spans in a stream of lines, in bounded memory; see [`SpanBlocks`].
#[derive(Clone, Debug, Default)]
pub struct Recogniser {
    blocks: SpanBlocks,
}

impl Recogniser {
    /// Adds a line and returns the spans that end with it. Text that only looks like a span stays text.
    pub fn push(&mut self, line: &ConsoleLine) -> Vec<SpanRecord> {
        self.blocks.push(line).and_then(|block| reading::record(&block.text)).into_iter().collect()
    }
}

//! Console output: spans that a service prints.
//!
//! Console exporters print each span in a form of their own ([`SpanBlocks`] lists them). [`spans`] finds them in given
//! lines, [`Recogniser`] in lines as they arrive; both make the same records as a receiver. Times are often cut and
//! some fields are not printed, so such a span never replaces one that came over OTLP.

mod forms;
mod inspect;
pub mod normalise;
mod reading;
#[cfg(test)]
mod tests;

use tracebook_core::console::{ConsoleLine, SpanBlocks};
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::time::Nanos;

pub use tracebook_core::console::trace_id_in;

/// The spans printed in these lines, in order. `now` is the time of those whose exporter and line have none.
pub fn spans(lines: &[ConsoleLine], now: Option<Nanos>) -> Vec<SpanRecord> {
    let mut blocks = SpanBlocks::default();
    let mut found: Vec<_> = lines.iter().flat_map(|line| blocks.push(line)).collect();
    found.extend(blocks.finish());
    found.iter().flat_map(|block| reading::records(block, now)).collect()
}

/// Finds printed spans in lines as they arrive, in bounded memory; see [`SpanBlocks`].
#[derive(Clone, Debug, Default)]
pub struct Recogniser {
    blocks: SpanBlocks,
}

impl Recogniser {
    /// Takes the next line; returns the spans that end with it. Text that only looks like a span stays text.
    pub fn push(&mut self, line: &ConsoleLine) -> Vec<SpanRecord> {
        self.blocks.push(line).iter().flat_map(|block| reading::records(block, None)).collect()
    }

    /// The spans that end with the text.
    pub fn finish(&mut self) -> Vec<SpanRecord> {
        self.blocks.finish().iter().flat_map(|block| reading::records(block, None)).collect()
    }
}

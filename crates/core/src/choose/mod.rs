//! Which rows of evidence are shown where there is no room for all, for pictures, tables and texts alike.
//!
//! Every source row is exactly one of: shown, folded into a counted group, or omitted and counted. Errors come first:
//! they are never folded among spans, and among lines only with near-equal errors. Where even they exceed the room,
//! those with distinct messages are shown and the others counted.

mod lines;
mod spans;
#[cfg(test)]
mod tests;

pub use lines::{Errors, LineChoice, LineItem, LineRow, Manner, console, console_rows, lines, log_row, logs};
pub use spans::{Fold, SpanChoice, SpanItem, SpanUnits, spans};

/// What is not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Omitted {
    /// How many rows.
    pub rows: usize,
    /// How many of them are errors.
    pub errors: usize,
}

impl Omitted {
    fn add(&mut self, error: bool) {
        self.rows += 1;
        self.errors += usize::from(error);
    }

    fn join(&mut self, other: Self) {
        self.rows += other.rows;
        self.errors += other.errors;
    }
}

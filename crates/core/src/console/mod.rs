//! Console output: what a command, a container or a paste said, line by line, colours kept.
//!
//! [`Console::from_text`] makes lines of a text as a terminal would show them, [`segments`] and [`plain`] take a line's colours
//! apart, [`prefix`] knows what docker compose puts before it, [`classify`] says what a line is, and
//! [`SpanBlocks`] finds the spans that a service prints.

mod ansi;
mod blocks;
mod classify;
mod prefix;
mod terminal;
#[cfg(test)]
mod tests;
mod trace_id;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::time::Nanos;

pub use ansi::{Colour, Named, Segment, Style, plain, segments};
pub use blocks::{LARGEST_BLOCK, SpanBlock, SpanBlocks};
pub use classify::{LineKind, classify};
pub use prefix::{Prefix, prefix};
pub use terminal::{LONGEST_LINE, MOST_LINES, bounded_line_text, from_bytes, left_out, line_text, lines};
pub use trace_id::trace_id_in;

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConsoleLine {
    /// Its text without the line ending. ANSI colour sequences (SGR) are in it as sent; other escape sequences are not.
    pub text: String,
    /// Whether it came on standard error.
    #[serde(default, skip_serializing_if = "is_false")]
    #[ts(optional, as = "Option<_>")]
    pub stderr: bool,
    /// When it arrived, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub time: Option<Nanos>,
}

/// Console output as evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Console {
    /// Where it came from, in words: the command line, a file's name without its folder, `standard input`.
    pub source: String,
    /// How the command ended; null for what no command said, and while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub exit_code: Option<i32>,
    /// The lines, in order.
    pub lines: Vec<ConsoleLine>,
    /// How many more lines there were before the first of these.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub more: u32,
    /// What the reader must know: cut lines, a command that was ended, spans that were recognised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

/// A line in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConsoleRow {
    /// Its place in the telemetry.
    pub id: String,
    /// When it arrived, RFC 3339.
    pub timestamp: String,
    /// Which stream: the watched command.
    pub stream: String,
    /// Its text, ANSI colour sequences kept.
    pub text: String,
    /// Whether it came on standard error.
    pub stderr: bool,
}

fn is_false(b: &bool) -> bool {
    !*b
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

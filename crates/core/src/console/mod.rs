//! Console output: the lines of a command, a container or a paste, with their colours.
//!
//! [`Console::from_text`] splits a text into lines as a terminal would show them, [`segments`] and [`plain`] parse a
//! line's colours, [`prefix`] parses the prefix of docker compose, [`classify`] determines the kind of a line, and
//! [`SpanBlocks`] finds the spans that a service prints.

mod ansi;
mod blocks;
mod classify;
mod prefix;
mod terminal;
#[cfg(test)]
mod tests;
mod trace_id;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::content::Content;
use crate::text::{count, printable};
use crate::time::Nanos;

pub use ansi::{Colour, Named, Segment, Style, StyledSpan, plain, segments, segments_from, spans};
pub use blocks::{LARGEST_BLOCK, SpanBlock, SpanBlocks};
pub use classify::{LineKind, classify};
pub use prefix::{Prefix, prefix};
pub use terminal::{LONGEST_LINE, MOST_LINES, bounded_line_text, from_bytes, left_out, line_text, lines};
pub use trace_id::trace_id_in;

/// The protocol of console output, as text for display.
pub(crate) const PROTOCOL: &str = "console";

impl Content for Console {
    fn title(&self) -> String {
        let mut title = format!("{}, {}", short_name(&self.source), count(self.lines.len(), "line"));
        if let Some(code) = self.exit_code.filter(|code| *code != 0) {
            title.push_str(&format!(", exit code {code}"));
        }
        title
    }

    fn range(&self) -> (Nanos, Nanos) {
        let times = self.lines.iter().filter_map(|line| line.time);
        (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default())
    }

    fn via(&self) -> BTreeSet<&'static str> {
        BTreeSet::from([PROTOCOL])
    }

    fn why_no_raw(&self) -> &'static str {
        "Nothing else was received: its lines are the text as printed; `evidence show` without --raw shows them"
    }
}

/// The first line of a name from data for a title: without colours and control characters, bounded.
pub(crate) fn short_name(text: &str) -> String {
    printable(&plain(text.trim().lines().next().unwrap_or_default()), 160)
}

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
    /// Where it came from: the command line, a file's name without its folder, `standard input`.
    pub source: String,
    /// How the command ended; null while it runs, and for output that is not from a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub exit_code: Option<i32>,
    /// The lines, in order.
    pub lines: Vec<ConsoleLine>,
    /// The number of earlier lines that were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub more: u32,
    /// Notes for the reader: cut lines, a command that was ended, spans that were recognised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

/// A line in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConsoleRow {
    /// Its sequence number in the telemetry.
    pub id: String,
    /// When it arrived, RFC 3339.
    pub timestamp: String,
    /// Which stream: the watched command.
    pub stream: String,
    /// Its text, ANSI colour sequences kept.
    pub text: String,
    /// The text as styled pieces.
    pub spans: Vec<StyledSpan>,
    /// Whether it came on standard error.
    pub stderr: bool,
}

fn is_false(b: &bool) -> bool {
    !*b
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

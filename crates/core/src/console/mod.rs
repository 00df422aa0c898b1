//! Console output: the lines of a command, a container or a paste, with their colours.
//!
//! [`Console::from_text`] splits a text into lines as a terminal would show them at the end, [`decode`] reads bytes of
//! several encodings, [`segments`] and [`plain`] parse a
//! line's colours, [`prefix`] parses the prefix of docker compose, [`classify`] determines the kind of a line, and
//! [`SpanBlocks`] finds the spans that a service prints.

mod ansi;
mod blocks;
mod classify;
mod decode;
mod display;
mod lead;
mod prefix;
mod printed;
mod screen;
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
pub use blocks::{LARGEST_BLOCK, SpanBlock, SpanBlocks, SpanForm};
pub use classify::{LineKind, classify};
pub use decode::{Decoded, TextEncoding, decode, decode_line};
pub use display::{ChangedRow, Changes, Display};
pub use prefix::{Prefix, prefix};
pub use printed::{AsPrinted, Output};
pub use terminal::{Arriving, LONGEST_LINE, MOST_LINES, from_bytes, line_text, lines};
pub use trace_id::trace_id_in;

/// The stream of the lines that Tracebook's X-Ray receiver writes about what it received.
pub const RECEIVER_STREAM: &str = "tracebook: X-Ray receiver";

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
        BTreeSet::from([self.origin.map_or(PROTOCOL, ConsoleOrigin::words)])
    }

    fn why_no_raw(&self) -> &'static str {
        "It was imported, or captured by a version that did not keep it; `evidence show` without --raw shows its lines"
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

/// How console output came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum ConsoleOrigin {
    /// Text that the user pasted.
    Pasted,
    /// A file.
    File,
    /// Standard input of the command line.
    Input,
    /// A command that was run for the capture.
    Command,
    /// A command whose output is kept while the app runs.
    Watched,
    /// Lines of Tracebook's own X-Ray receiver.
    Receiver,
}

impl ConsoleOrigin {
    const ALL: [Self; 6] = [Self::Pasted, Self::File, Self::Input, Self::Command, Self::Watched, Self::Receiver];

    /// What the provenance calls it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Pasted => "pasted text",
            Self::File => "text of a file",
            Self::Input => "text from standard input",
            Self::Command => "output of a command that was run for it",
            Self::Watched => "output of a watched command",
            Self::Receiver => "log of Tracebook's X-Ray receiver",
        }
    }

    /// The reverse of [`Self::words`].
    pub fn of_words(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.words() == words)
    }

    /// Whether Tracebook itself saw the output appear, so that its source is known and not just named.
    pub fn is_observed(self) -> bool {
        matches!(self, Self::Command | Self::Watched | Self::Receiver)
    }
}

/// Console output as evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Console {
    /// Where it came from: the command line, a file's name without its folder, `standard input`.
    pub source: String,
    /// How it came here; null in evidence of versions that did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub origin: Option<ConsoleOrigin>,
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

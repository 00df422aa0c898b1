//! Classifies lines by the formats that common services print.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::ansi::plain;
use super::blocks::{SpanBlock, SpanBlocks};
use super::{ConsoleLine, prefix};
use crate::level::{self, LogLevel};

/// The class of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LineKind {
    /// None of the known formats.
    #[default]
    Plain,
    /// A web server's access log.
    Access {
        /// `GET`.
        method: String,
        /// `/api/activities/home`.
        path: String,
        /// `200`.
        status: u16,
    },
    /// A line of the X-Ray daemon.
    Daemon {
        /// `Info`, as the daemon wrote it.
        level: String,
    },
    /// Part of a Python traceback, from its heading to the exception.
    Traceback,
    /// A line with an error's level.
    Error,
    /// A line with a warning's level.
    Warning,
    /// Part of a span that ConsoleSpanExporter printed.
    Span,
}

/// The kind of each line. Compose's prefix is skipped, and the lines of each container are followed separately.
pub fn classify(lines: &[ConsoleLine]) -> Vec<LineKind> {
    let mut kinds = vec![LineKind::Plain; lines.len()];
    let mut blocks = SpanBlocks::default();
    let mut found: Vec<SpanBlock> = lines.iter().flat_map(|line| blocks.push(line)).collect();
    found.extend(blocks.finish());
    for number in found.into_iter().flat_map(|block| block.lines) {
        if let Some(kind) = usize::try_from(number).ok().and_then(|number| kinds.get_mut(number)) {
            *kind = LineKind::Span;
        }
    }
    let mut tracebacks: HashMap<(&str, bool), Traceback> = HashMap::new();
    for number in 0..lines.len() {
        if kinds[number] == LineKind::Span {
            continue;
        }
        let line = &lines[number];
        let (container, rest) = match prefix(&line.text) {
            Some(found) => (found.container, found.rest),
            None => ("", line.text.as_str()),
        };
        let text = plain(rest);
        let traceback = tracebacks.entry((container, line.stderr)).or_default();
        if traceback.takes(&text) {
            kinds[number] = LineKind::Traceback;
            if is_joint(&text)
                && let Some(blank) = traceback.blank
            {
                kinds[blank] = LineKind::Traceback;
            }
        } else {
            kinds[number] = alone(&text);
        }
        traceback.blank = text.trim().is_empty().then_some(number);
    }
    kinds
}

/// The state of a container's lines within a traceback.
#[derive(Default)]
struct Traceback {
    place: Place,
    /// The previous line if it was blank: part of a chain of tracebacks if the next line continues it.
    blank: Option<usize>,
}

#[derive(Default, PartialEq)]
enum Place {
    #[default]
    Outside,
    /// Between the heading and the exception.
    Frames,
    /// Between two tracebacks of a chain.
    Joint,
}

impl Traceback {
    fn takes(&mut self, text: &str) -> bool {
        if is_heading(text) {
            self.place = Place::Frames;
            return true;
        }
        if is_joint(text) {
            self.place = Place::Joint;
            return true;
        }
        match self.place {
            Place::Outside => false,
            Place::Joint => {
                let blank = text.trim().is_empty();
                if !blank {
                    self.place = Place::Outside;
                }
                blank
            }
            Place::Frames if text.starts_with([' ', '\t']) => true,
            Place::Frames => {
                let exception = EXCEPTION.is_match(text);
                // Threads interleave their lines: an access log line in between does not end it.
                if exception || !matches!(alone(text), LineKind::Access { .. } | LineKind::Daemon { .. }) {
                    self.place = Place::Outside;
                }
                exception
            }
        }
    }
}

fn is_heading(text: &str) -> bool {
    text.trim_end().ends_with("Traceback (most recent call last):")
}

fn is_joint(text: &str) -> bool {
    matches!(
        text.trim(),
        "During handling of the above exception, another exception occurred:"
            | "The above exception was the direct cause of the following exception:"
    )
}

fn shape(text: &str) -> Regex {
    #[expect(clippy::unwrap_used, reason = "fixed patterns that tests use")]
    Regex::new(text).unwrap()
}

// The dotted name of a class, optionally followed by a message.
static EXCEPTION: LazyLock<Regex> =
    LazyLock::new(|| shape(r"^(?:[A-Za-z_][A-Za-z0-9_]*\.)*[A-Za-z_][A-Za-z0-9_]*(?::\s.*)?:?$"));
// The common log format, which werkzeug, gunicorn and nginx write.
static ACCESS: LazyLock<Regex> = LazyLock::new(|| {
    shape(r#""(?P<method>[A-Z]{3,10}) (?P<path>\S{1,2000}) HTTP/[0-9](?:\.[0-9])?" (?P<status>[1-5][0-9]{2})(?:\s|$)"#)
});
// The access log of Flask services: time, address, method, scheme, path, status.
static BY_HAND: LazyLock<Regex> = LazyLock::new(|| {
    shape(
        r"^\[[^\]]{8,40}\] \S+ (?P<method>[A-Z]{3,10}) https? (?P<path>/\S{0,2000}) (?P<status>[1-5][0-9]{2})(?:\s|$)",
    )
});
static DAEMON: LazyLock<Regex> = LazyLock::new(|| {
    shape(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\S{1,6} \[(?P<level>Trace|Debug|Info|Warn|Error|Critical)\] ")
});
static SENT: LazyLock<Regex> = LazyLock::new(|| {
    shape(r"^(?:Successfully sent batch of [0-9]+ segments|Sent batch of [0-9]+ segments but had [0-9]+ Unprocessed)")
});
/// The kind of a single line.
fn alone(text: &str) -> LineKind {
    if let Some(found) = ACCESS.captures(text).or_else(|| BY_HAND.captures(text)) {
        return LineKind::Access {
            method: found["method"].to_owned(),
            path: found["path"].to_owned(),
            status: found["status"].parse().unwrap_or_default(),
        };
    }
    if let Some(found) = DAEMON.captures(text) {
        return LineKind::Daemon { level: found["level"].to_owned() };
    }
    if SENT.is_match(text) {
        return LineKind::Daemon { level: "Info".to_owned() };
    }
    // A level is at the beginning of a line; later it is part of the message.
    let head = &text[..text.floor_char_boundary(160)];
    match level::words_level(head.trim_end()) {
        Some(found) if found.is_error() => LineKind::Error,
        Some(LogLevel::Warn) => LineKind::Warning,
        Some(_) | None => LineKind::Plain,
    }
}

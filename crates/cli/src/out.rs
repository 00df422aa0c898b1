//! The one door for output: text for people, or exactly one JSON value.

use std::io::Write as _;

use serde::Serialize;
use serde_json::json;

use tracebook_app::Error;

/// Where answers go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    json: bool,
    quiet: bool,
}

impl Out {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    pub(crate) fn json_only() -> Self {
        Self { json: true, quiet: true }
    }

    /// The answer: as JSON, or as the text for people.
    pub(crate) fn answer<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) {
        if self.json {
            match serde_json::to_string(value) {
                Ok(line) => print(&line),
                Err(error) => self.error(&Error::internal(error)),
            }
        } else {
            print(&harmless(&text(value)));
        }
    }

    /// What is said beside the answer: progress, warnings, where to look. Never on standard output with `--json`.
    pub(crate) fn note(&self, text: &str) {
        if self.json || self.quiet {
            return;
        }
        print(&harmless(text));
    }

    /// A warning: on standard error, so that it never mixes with the answer.
    pub(crate) fn warn(&self, text: &str) {
        // A closed standard error cannot be told of anything.
        let _ = writeln!(std::io::stderr(), "warning: {}", harmless(text));
    }

    /// A line of a log that goes on while something runs: on standard error, as it is.
    pub(crate) fn log(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{}", harmless(line));
        }
    }

    /// A failure.
    pub(crate) fn error(&self, error: &Error) {
        if self.json {
            let body = error.body();
            print(&json!({ "error": body }).to_string());
        } else {
            let hint = if error.hint.is_empty() { String::new() } else { format!("\n  {}", error.hint) };
            let _ = writeln!(std::io::stderr(), "error: {}", harmless(&format!("{}{hint}", error.message)));
        }
    }
}

/// What a service sent must not steer the terminal that shows it.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
            '\u{7f}'..='\u{9f}' => '\u{fffd}',
            // What would turn the order of the text round.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    // The reader may have closed the pipe (`| head`): that is no failure of ours.
    let _ = write!(stdout, "{text}{end}").and_then(|()| stdout.flush());
}

/// Rows as aligned columns.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // A line ending inside a cell would look like a row of its own.
            line.push_str(&cell.replace(['\n', '\r'], "␤"));
            line.push_str(&" ".repeat(width - cell.chars().count() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

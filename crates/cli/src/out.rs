//! Output: text for people, or exactly one JSON value.

use std::io::Write as _;

use serde::Serialize;
use serde_json::json;

use tracebook_app::Error;

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

    /// A list: as JSON, or as aligned columns.
    pub(crate) fn table<T: Serialize>(&self, rows: &[T], cells: impl Fn(&T) -> Vec<String>) {
        self.answer(&rows, |rows| columns(&rows.iter().map(cells).collect::<Vec<_>>()));
    }

    /// Progress and hints. Printed neither with `--json` nor with `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if self.json || self.quiet {
            return;
        }
        print(&harmless(text));
    }

    /// A warning: on standard error, so that it never mixes with the answer.
    pub(crate) fn warn(&self, text: &str) {
        print_error(&format!("warning: {text}"));
    }

    pub(crate) fn warnings(&self, warnings: &[String]) {
        for warning in warnings {
            self.warn(warning);
        }
    }

    /// A line of a log, on standard error.
    pub(crate) fn log(&self, line: &str) {
        if !self.quiet {
            print_error(line);
        }
    }

    pub(crate) fn error(&self, error: &Error) {
        if self.json {
            let body = error.body();
            print(&json!({ "error": body }).to_string());
        } else {
            let hint = if error.hint.is_empty() { String::new() } else { format!("\n  {}", error.hint) };
            print_error(&format!("error: {}{hint}", error.message));
        }
    }
}

/// Replaces control characters: what a service sent must not control the terminal.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
            '\u{7f}'..='\u{9f}' => '\u{fffd}',
            // These change the direction of the text.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    // The reader may have closed the pipe (`| head`), which is no failure.
    write!(stdout, "{text}{end}").and_then(|()| stdout.flush()).ok();
}

fn print_error(text: &str) {
    // Where standard error is closed there is nowhere to report it.
    writeln!(std::io::stderr(), "{}", harmless(text)).ok();
}

/// Aligns cells in columns.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // A line break inside a cell would look like a new row.
            line.push_str(&cell.replace(['\n', '\r'], "␤"));
            line.push_str(&" ".repeat(width - cell.chars().count() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

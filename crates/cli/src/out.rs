//! Output: text for people, or exactly one JSON value.
//!
//! What a service sent must not control the terminal: in text, characters that cannot be seen are replaced by marks, in
//! JSON they are escaped.

use std::io::Write as _;

use serde::Serialize;
use serde_json::json;

use tracebook_app::Error;
use tracebook_core::text::{escaped_json, marked};
use unicode_width::UnicodeWidthStr as _;

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
            match json_line(value) {
                Ok(line) => print(&line),
                Err(error) => self.error(&Error::internal(error)),
            }
        } else {
            print(&marked(&text(value)));
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
        print(&marked(text));
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
            self.answer(&json!({ "error": body }), |_| String::new());
        } else {
            let hint = if error.hint.is_empty() { String::new() } else { format!("\n  {}", error.hint) };
            print_error(&format!("error: {}{hint}", error.message));
        }
    }
}

fn json_line<T: Serialize>(value: &T) -> serde_json::Result<String> {
    serde_json::to_string(value).map(|line| escaped_json(&line))
}

fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    // The reader may have closed the pipe (`| head`), which is no failure.
    write!(stdout, "{text}{end}").and_then(|()| stdout.flush()).ok();
}

/// A message on standard error that no flag suppresses.
pub(crate) fn print_error(text: &str) {
    // Where standard error is closed there is nowhere to report it.
    writeln!(std::io::stderr(), "{}", marked(text)).ok();
}

/// The widest that a cell makes its column. A longer one is printed whole, but does not push the others away.
const WIDEST: usize = 60;

/// Aligns cells in columns.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    // A line break inside a cell would look like a new row.
    let cells = |row: &Vec<String>| row.iter().map(|c| marked(&c.replace(['\n', '\r'], "␤"))).collect::<Vec<String>>();
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let widths = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
        widths.filter(|width| *width <= WIDEST).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn nothing_in_json_controls_a_terminal() {
        let hostile = "\u{1b}[2J\u{9b}31m\u{7f}\u{202e}gpj.exe\u{2066}\u{200f}\u{feff}\u{e0041}\n";
        let error = Error::usage(hostile, hostile).body();
        for line in [json_line(&[hostile]).expect("JSON"), json_line(&error).expect("JSON")] {
            assert!(line.chars().all(|c| !tracebook_core::text::is_hidden(c)), "{line:?}");
            assert!(line.contains("\\u202egpj.exe\\u2066\\u200f\\ufeff\\udb40\\udc41\\n"), "{line}");
        }
        let back: Vec<String> = serde_json::from_str(&json_line(&[hostile]).expect("JSON")).expect("JSON");
        assert_eq!(back, [hostile]);
    }

    #[test]
    fn columns_are_aligned_by_width() {
        let text = columns(&rows(&[&["a", "b", "c"], &["日本", "b\nb", ""], &["\u{202e}x\u{1b}", "b", "c"]]));
        assert_eq!(text, "a     b    c\n日本  b␤b\n\u{fffd}x␛   b    c\n");
    }

    #[test]
    fn a_long_cell_pads_no_other_row() {
        let long = "x".repeat(5_000);
        let text = columns(&rows(&[&["a", "b"], &[&long, "b"], &["aaa", "b"]]));
        assert_eq!(text, format!("a    b\n{long}  b\naaa  b\n"));
    }
}

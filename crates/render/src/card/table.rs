//! Evidence as a text table: for readers who cannot see the picture, and for search.

use tracebook_core::assemble;
use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::time::human_duration;
use tracebook_core::trace::{Span, StatusCode, Trace};

use super::words;
use crate::markdown::{escape, one_line};

/// The most rows that a table has.
pub const MOST_ROWS: usize = 200;
/// The most characters of a cell.
const MOST_CHARS: usize = 300;

/// Rows and columns of plain text, each cell on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it is a table of: `8 spans`.
    pub summary: String,
    /// The columns' heads.
    pub head: Vec<String>,
    /// At most [`MOST_ROWS`].
    pub rows: Vec<Vec<String>>,
    /// How many rows were left out.
    pub more: usize,
}

impl Table {
    /// A GFM pipe table, without the line ending of its last line. Nothing in a cell can end the table, the `<details>`
    /// around it, or a comment.
    pub fn markdown(&self) -> String {
        self.lines().join("\n")
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|c| escape(c)).collect();
            format!("| {} |", cells.join(" | "))
        };
        let mut lines = vec![line(&self.head), format!("|{}", " --- |".repeat(self.head.len()))];
        lines.extend(self.rows.iter().map(|row| line(row)));
        if self.more > 0 {
            lines.push(String::new());
            lines.push(format!("… and {} more rows (all in the data)", words::grouped(self.more)));
        }
        lines
    }
}

/// The table of frozen evidence.
pub fn table(frozen: &Frozen) -> Table {
    match &frozen.evidence.body {
        Body::Trace(trace) => of_trace(trace),
    }
}

fn of_trace(trace: &Trace) -> Table {
    let start = trace.start().0;
    let rows = assemble::rows(trace);
    let cells = rows.iter().take(MOST_ROWS).map(|row| {
        let span = &trace.spans[row.index];
        let duration = span.duration().map_or_else(|| "in progress".to_owned(), human_duration);
        let mut notes = Vec::new();
        if let Some(parent) = row.phantom {
            notes.push(format!("parent {parent} never arrived"));
        }
        notes.extend(words::failures(trace, span));
        notes.extend(words::said(span));
        let indent = "· ".repeat(row.depth.min(12));
        [
            format!("{indent}{}", span.title()),
            span.service.clone(),
            human_duration(span.start.0.saturating_sub(start)),
            duration,
            status(span),
            notes.join("; "),
        ]
        .map(|cell| clip(&one_line(&cell)))
        .to_vec()
    });
    Table {
        summary: words::count(trace.spans.len(), "span", "spans"),
        head: ["Span", "Service", "Start", "Duration", "Status", "Details"].map(str::to_owned).to_vec(),
        rows: cells.collect(),
        more: rows.len().saturating_sub(MOST_ROWS),
    }
}

/// How a span ended. That nobody said anything is how OTLP reports success: then the HTTP status speaks, if there is one.
fn status(span: &Span) -> String {
    let http = span.http_status().map(|s| s.to_string());
    match (span.status.code, http) {
        (StatusCode::Unset, http) => http.unwrap_or_default(),
        (code, Some(http)) => format!("{} {http}", code.word()),
        (code, None) => code.word().to_owned(),
    }
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

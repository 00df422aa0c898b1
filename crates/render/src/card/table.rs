//! Evidence as a text table: for readers who cannot see the picture, and for search.

use tracebook_core::text;

use crate::inline::{Place, escape, one_line};

/// Maximum number of rows.
pub const MOST_ROWS: usize = 200;
/// Maximum number of characters per cell.
pub(super) const MOST_CHARS: usize = 300;

/// Rows and columns of plain text, each cell on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its caption: `8 spans`.
    pub summary: String,
    /// The column headings.
    pub head: Vec<String>,
    /// At most [`MOST_ROWS`].
    pub rows: Vec<Vec<String>>,
    /// The number of rows left out.
    pub more: usize,
}

impl Table {
    /// A GFM pipe table, without the line ending of its last line. Nothing in a cell can end the table, the `<details>`
    /// around it, or a comment, and no cell contains an element.
    pub fn markdown(&self) -> String {
        self.lines(|cell| escape(cell, Place::Prose)).join("\n")
    }

    /// The same table for a terminal: cells as they are.
    pub fn text(&self) -> String {
        self.lines(str::to_owned).join("\n")
    }

    pub(crate) fn lines(&self, escape: fn(&str) -> String) -> Vec<String> {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|c| escape(c)).collect();
            format!("| {} |", cells.join(" | "))
        };
        let mut lines = vec![line(&self.head), format!("|{}", " --- |".repeat(self.head.len()))];
        lines.extend(self.rows.iter().map(|row| line(row)));
        if self.more > 0 {
            lines.push(String::new());
            lines.push(format!("… and {} more rows (all in the data)", text::grouped(self.more)));
        }
        lines
    }
}

/// A table from its headings and cells; each cell becomes one line of bounded length.
pub(super) fn made<const N: usize>(
    summary: String,
    head: [&str; N],
    all: usize,
    rows: impl Iterator<Item = [String; N]>,
) -> Table {
    let rows = rows.take(MOST_ROWS).map(|row| row.map(|cell| cell_of(&cell)).to_vec());
    Table { summary, head: head.map(str::to_owned).to_vec(), rows: rows.collect(), more: all.saturating_sub(MOST_ROWS) }
}

/// The part of a text that a cell can show.
pub(super) fn cell_of(text: &str) -> String {
    let beginning: String = text.chars().take(MOST_CHARS * 4).collect();
    let cell = clip(&one_line(&beginning));
    if beginning.len() < text.len() && !cell.ends_with('…') { format!("{cell}…") } else { cell }
}

pub(super) fn clip(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

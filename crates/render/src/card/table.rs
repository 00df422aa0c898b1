//! Evidence as a text table: for readers who cannot see the picture, and for search.

use tracebook_core::choose::{self, LineChoice, LineItem, LineRow, Manner};
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

/// Chooses the rows of a table: as many as a table has, together with the rows of folded lines.
pub(super) fn choose_lines(rows: &[LineRow], manner: Manner) -> LineChoice {
    let fits =
        |choice: &LineChoice| choice.items.iter().filter(|item| !matches!(item, LineItem::Gap(_))).count() <= MOST_ROWS;
    // A table that has room for all folds nothing.
    let whole = Manner { room: MOST_ROWS, scattered: manner.scattered && rows.len() > MOST_ROWS, ..manner };
    let choice = choose::lines(rows, whole);
    match fits(&choice) {
        true => choice,
        // Every folded row follows one that is shown.
        false => choose::lines(rows, Manner { room: MOST_ROWS / 2, ..whole }),
    }
}

/// A table of chosen lines. `row` makes the cells of a line; folded lines are a row with a text in column `at`, which
/// says where they are errors.
pub(super) fn of_lines<const N: usize>(
    summary: &str,
    head: [&str; N],
    choice: &LineChoice,
    at: usize,
    is_error: impl Fn(usize) -> bool,
    row: impl Fn(usize) -> [String; N],
) -> Table {
    let rows = choice.items.iter().filter_map(|item| match item {
        LineItem::Line(i) => Some(row(*i)),
        LineItem::Similar(members) => {
            let mut cells: [String; N] = std::array::from_fn(|_| String::new());
            if let Some(cell) = cells.get_mut(at) {
                let noun = if members.iter().any(|i| is_error(*i)) { " errors" } else { "" };
                *cell = format!("… {} similar{noun}", text::grouped(members.len()));
            }
            Some(cells)
        }
        LineItem::Gap(_) => None,
    });
    let summary = match choice.omitted.errors {
        0 => summary.to_owned(),
        n => format!("{summary}, {} not in this table", text::count(n, "error")),
    };
    let mut table = made(summary, head, 0, rows);
    table.more = choice.omitted.rows;
    table
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

//! The card of a query: its result as a table below the query.

use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::query::QueryResult;
use tracebook_core::text;

use super::Picture;
use super::captions::{self, brief};
use super::frame::PAD;
use super::layout::{self, CODE, END, HEAD, Head, NAME, SMALL, STRIP, STRIP_CHART};
use super::measure::Font;
use super::table::{self, Table, cell_of};
use super::xml::Svg;

/// Maximum number of rows that are drawn.
const MOST_ROWS: usize = 40;
/// Maximum number of columns that are drawn.
const MOST_COLUMNS: usize = 8;
/// Maximum number of lines of the query.
const MOST_LINES: usize = 8;
/// The number of rows that determine a column's width.
const MEASURED: usize = 40;
const LINE: f64 = 16.0;
const ROW: f64 = 22.0;
const GAP: f64 = 16.0;
/// Minimum width of a column, and its maximum if other columns need space.
const NARROW: f64 = 44.0;

impl Picture for QueryResult {
    fn full(&self, frozen: Option<&Frozen>) -> String {
        draw(self, frozen)
    }

    fn strip(&self, frozen: Option<&Frozen>) -> String {
        strip(self, frozen)
    }

    fn table(&self) -> Table {
        table(self)
    }

    fn subject(&self) -> String {
        captions::kind(Kind::Query).to_owned()
    }

    fn facts(&self) -> Vec<String> {
        vec![brief(self.label()), text::count(self.rows.len(), "row")]
    }
}

/// Draws the full card.
pub(super) fn draw(query: &QueryResult, frozen: Option<&Frozen>) -> String {
    let head = head(query);
    let mut svg = Svg::new();
    let mut y = asked(&mut svg, query, head.bottom());
    y = rows(&mut svg, query, y);
    let description = format!("{} · {}", head.pill.1, head.facts);
    layout::sheet(frozen, &head, &description, svg, y, &query.notes)
}

/// Draws the compact card: the outcome at the left, the first row at the right.
pub(super) fn strip(query: &QueryResult, frozen: Option<&Frozen>) -> String {
    let mut svg = Svg::new();
    let pairs: Vec<(&String, &str)> = query
        .columns
        .iter()
        .enumerate()
        .take(3)
        .map(|(i, name)| (name, query.rows.first().and_then(|row| row.get(i)).map_or("", String::as_str)))
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "at most three")]
    let mut y = STRIP / 2.0 + 4.0 - (pairs.len() as f64 - 1.0) * 8.0;
    for (name, value) in pairs {
        let room = (END - STRIP_CHART) / 2.0 - 6.0;
        layout::put(&mut svg, "small muted", STRIP_CHART, y, &SMALL.fit(&layout::clean(name), room));
        layout::end(&mut svg, "head", END, y, &HEAD.fit(&layout::clean(value), room));
        y += LINE;
    }
    layout::strip(frozen, &head(query), svg)
}

fn head(query: &QueryResult) -> Head {
    let mut facts = vec![text::count(query.rows.len(), "row")];
    if query.more > 0 {
        facts.push(format!("{} more left out", text::grouped(query.more as usize)));
    }
    facts.push(format!("{} to {}", query.start.human(), query.end.human()));
    let mut chips = Vec::new();
    if !query.groups.is_empty() {
        chips.push(("asked", query.groups.join(", ")));
    }
    for statistic in query.statistics.iter().take(4) {
        let name = match statistic.key.as_str() {
            "recordsMatched" => "matched",
            "recordsScanned" => "scanned",
            "bytesScanned" => "bytes",
            "logGroupsScanned" => "groups",
            _ => continue,
        };
        chips.push((name, statistic.value.to_string()));
    }
    Head {
        title: captions::brief(query.label()),
        facts: facts.join(" · "),
        aside: String::new(),
        pill: ("note", query.language.name().to_uppercase()),
        chips,
    }
}

/// The query itself; returns the top of the rows.
fn asked(svg: &mut Svg, query: &QueryResult, top: f64) -> f64 {
    let given: Vec<&str> = query.query.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let mut lines: Vec<String> =
        given.iter().take(MOST_LINES).map(|line| CODE.fit(&layout::clean(line), END - PAD - 16.0)).collect();
    if given.len() > MOST_LINES {
        lines.push(format!("… and {} more lines", given.len() - MOST_LINES));
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = lines.len() as f64 * LINE + 10.0;
    layout::block(svg, "band", PAD - 8.0, top - 6.0, END - PAD + 16.0, height, 4.0);
    let mut y = top + 9.0;
    for line in &lines {
        layout::code(svg, "", PAD, y, line);
        y += LINE;
    }
    top + height + 6.0
}

fn rows(svg: &mut Svg, query: &QueryResult, top: f64) -> f64 {
    if query.rows.is_empty() {
        layout::put(svg, "name muted", PAD, top + 18.0, "No row matched.");
        return top + 26.0;
    }
    let columns = columns(query);
    for column in &columns {
        let name = HEAD.fit(&layout::clean(&query.columns[column.index]), column.width);
        match column.numeric {
            true => layout::end(svg, "head", column.x + column.width, top + 10.0, &name),
            false => layout::put(svg, "head", column.x, top + 10.0, &name),
        }
    }
    let mut y = top + 18.0;
    for (i, row) in query.rows.iter().take(MOST_ROWS).enumerate() {
        if i % 2 == 0 {
            layout::band(svg, y, ROW);
        }
        for column in &columns {
            let cell = row.get(column.index).map(String::as_str).unwrap_or_default();
            let cell = NAME.fit(&one_line(cell), column.width);
            match column.numeric {
                true => layout::end(svg, "name", column.x + column.width, y + 15.0, &cell),
                false => layout::put(svg, "name", column.x, y + 15.0, &cell),
            }
        }
        y += ROW;
    }
    let hidden = query.rows.len().saturating_sub(MOST_ROWS);
    let aside = query.columns.len().saturating_sub(columns.len());
    let mut rest = Vec::new();
    if hidden > 0 {
        rest.push(format!("{} more rows", text::grouped(hidden)));
    }
    if aside > 0 {
        rest.push(text::count(aside, "more column"));
    }
    if rest.is_empty() {
        return y;
    }
    layout::put(svg, "name muted", PAD, y + 18.0, &format!("… and {} (all in the data)", rest.join(", ")));
    y + 26.0
}

struct Column {
    index: usize,
    x: f64,
    width: f64,
    numeric: bool,
}

/// The columns' widths: as wide as their content; if that is too wide, the widest columns are reduced first.
fn columns(query: &QueryResult) -> Vec<Column> {
    let shown = query.columns.len().min(MOST_COLUMNS);
    let mut widths: Vec<f64> = (0..shown)
        .map(|i| {
            let cells = query.rows.iter().take(MEASURED).filter_map(|row| row.get(i));
            let widest = cells.map(|cell| width(NAME, cell)).fold(width(HEAD, &query.columns[i]), f64::max);
            widest.max(NARROW)
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "at most eight")]
    let room = END - PAD - GAP * shown.saturating_sub(1) as f64;
    // Reducing the widest to the next one terminates, since each step makes two columns equal.
    for _ in 0..shown {
        let all: f64 = widths.iter().sum();
        if all <= room {
            break;
        }
        let widest = widths.iter().copied().fold(0.0, f64::max);
        let next = widths.iter().copied().filter(|w| *w < widest).fold(NARROW, f64::max);
        let alike = widths.iter().filter(|w| **w >= widest).count();
        #[expect(clippy::cast_precision_loss, reason = "at most eight")]
        let lower = (widest - (all - room) / alike as f64).max(next).max(NARROW);
        for width in widths.iter_mut().filter(|w| **w >= widest) {
            *width = lower;
        }
    }
    let mut x = PAD;
    widths
        .into_iter()
        .enumerate()
        .map(|(index, width)| {
            let column = Column { index, x, width, numeric: query.is_numeric(index) };
            x += width + GAP;
            column
        })
        .collect()
}

fn width(font: Font, text: &str) -> f64 {
    // One more than measured, so that rounding does not add an ellipsis to a cell that just fits.
    font.width(&one_line(text)) + 1.0
}

fn one_line(text: &str) -> String {
    let beginning: String = text.chars().take(300).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    layout::clean(&beginning)
}

fn table(query: &QueryResult) -> Table {
    let cells = |row: &Vec<String>| query.columns.iter().zip(row).map(|(_, cell)| cell_of(cell)).collect();
    Table {
        summary: text::count(query.rows.len(), "row"),
        head: query.columns.iter().map(|name| cell_of(name)).collect(),
        rows: query.rows.iter().take(table::MOST_ROWS).map(cells).collect(),
        more: query.rows.len().saturating_sub(table::MOST_ROWS),
    }
}

//! The card of a query: its result as a table below the query.

use tracebook_core::chart::Chart;
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::query::QueryResult;
use tracebook_core::text;

use super::Picture;
use super::captions::{self, brief};
use super::form::Width;
use super::frame::{PAD, end_of};
use super::layout::{self, Area, CODE, HEAD, Head, NAME, SMALL};
use super::measure::Font;
use super::plot;
use super::table::{self, Table, cell_of};
use super::xml::Svg;

/// Maximum number of rows that are drawn, and of those that a narrow card shows as blocks.
const MOST_ROWS: usize = 40;
const MOST_BLOCKS: usize = 16;
/// Maximum number of columns that are drawn.
const MOST_COLUMNS: usize = 8;
/// Maximum number of lines of the query.
const MOST_LINES: usize = 8;
/// The number of rows that determine a column's width.
const MEASURED: usize = 40;
const LINE: f64 = 17.0;
const ROW: f64 = 22.0;
const GAP: f64 = 16.0;
/// Minimum width of a column, and its maximum if other columns need space.
const NARROW: f64 = 44.0;

impl Picture for &QueryResult {
    fn head(&self, _: Option<&Frozen>) -> Head {
        head(self)
    }

    fn body(&self, svg: &mut Svg, top: f64) -> f64 {
        let mut y = asked(svg, self, top);
        if let Some(chart) = Chart::of(self) {
            y = plot::draw(svg, &chart, y) + 6.0;
        }
        rows(svg, self, y)
    }

    /// The chart; without one, the first row.
    fn chart(&self, svg: &mut Svg, area: Area) {
        if let Some(chart) = Chart::of(self) {
            plot::small(svg, &chart, area);
            return;
        }
        let pairs: Vec<(&String, &str)> = self
            .columns
            .iter()
            .enumerate()
            .take(3)
            .map(|(i, name)| (name, self.rows.first().and_then(|row| row.get(i)).map_or("", String::as_str)))
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "at most three")]
        let mut y = area.middle() + 4.0 - (pairs.len() as f64 - 1.0) * 8.0;
        for (name, value) in pairs {
            let room = area.width() / 2.0 - 6.0;
            layout::put(svg, "small muted", area.left, y, &SMALL.fit(&layout::clean(name), room));
            layout::end(svg, "head", area.right, y, &HEAD.fit(&layout::clean(value), room));
            y += 16.0;
        }
    }

    fn notes(&self, _: Width) -> Vec<String> {
        self.notes.clone()
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
    let (narrow, end) = (svg.width().is_narrow(), end_of(svg.width()));
    let given: Vec<&str> = query.query.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let mut lines: Vec<String> = given
        .iter()
        .take(MOST_LINES)
        .flat_map(|line| CODE.wrap(&layout::clean(line), end - PAD - 8.0, if narrow { 4 } else { 2 }))
        .collect();
    if given.len() > MOST_LINES {
        lines.push(format!("… and {}", text::count_of(given.len() - MOST_LINES, "more line", "more lines")));
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = lines.len() as f64 * LINE + 10.0;
    layout::band(svg, top - 6.0, height);
    let mut y = top + 10.0;
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
    let width = svg.width();
    let (columns, cut) = columns(query, end_of(width));
    // Columns that are too narrow for their cells say less than the cells below one another.
    let (mut y, shown) = match width.is_narrow() && cut {
        true => (blocks(svg, query, top), MOST_BLOCKS),
        false => (grid(svg, query, &columns, top), MOST_ROWS),
    };
    let hidden = query.rows.len().saturating_sub(shown);
    let aside = query.columns.len().saturating_sub(MOST_COLUMNS);
    let mut rest = Vec::new();
    if hidden > 0 {
        rest.push(text::count_of(hidden, "more row", "more rows"));
    }
    if aside > 0 {
        rest.push(text::count_of(aside, "more column", "more columns"));
    }
    if !rest.is_empty() {
        layout::put(svg, "name muted", PAD, y + 18.0, &format!("… and {} (all in the data)", rest.join(", ")));
        y += 26.0;
    }
    y
}

fn grid(svg: &mut Svg, query: &QueryResult, columns: &[Column], top: f64) -> f64 {
    for column in columns {
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
        for column in columns {
            let cell = row.get(column.index).map(String::as_str).unwrap_or_default();
            let cell = NAME.fit(&one_line(cell), column.width);
            match column.numeric {
                true => layout::end(svg, "name", column.x + column.width, y + 15.0, &cell),
                false => layout::put(svg, "name", column.x, y + 15.0, &cell),
            }
        }
        y += ROW;
    }
    y
}

/// Each row as a block: names at the left, values beside them.
fn blocks(svg: &mut Svg, query: &QueryResult, top: f64) -> f64 {
    let end = end_of(svg.width());
    let names = query.columns.iter().take(MOST_COLUMNS).map(|name| width(SMALL, name)).fold(0.0, f64::max);
    let names = names.min((end - PAD) * 0.4);
    let x = PAD + names + 12.0;
    let mut y = top;
    for (i, row) in query.rows.iter().take(MOST_BLOCKS).enumerate() {
        let cells: Vec<(&String, Vec<String>)> = query
            .columns
            .iter()
            .zip(row)
            .take(MOST_COLUMNS)
            .map(|(name, cell)| (name, NAME.wrap(&one_line(cell), end - x, 3)))
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let height = cells.iter().map(|(_, lines)| lines.len().max(1)).sum::<usize>() as f64 * LINE + 8.0;
        if i % 2 == 0 {
            layout::band(svg, y, height);
        }
        let mut line = y + 2.0;
        for (name, lines) in &cells {
            layout::put(svg, "small muted", PAD, line + LINE - 4.0, &SMALL.fit(&one_line(name), names));
            line = layout::lines(svg, "name", x, line, lines, LINE).max(line + LINE);
        }
        y += height;
    }
    y
}

struct Column {
    index: usize,
    x: f64,
    width: f64,
    numeric: bool,
}

/// The columns' widths: as wide as their content; if that is too wide, the widest columns are reduced first. Also
/// whether any was reduced.
fn columns(query: &QueryResult, end: f64) -> (Vec<Column>, bool) {
    let shown = query.columns.len().min(MOST_COLUMNS);
    let mut widths: Vec<f64> = (0..shown)
        .map(|i| {
            let cells = query.rows.iter().take(MEASURED).filter_map(|row| row.get(i));
            let widest = cells.map(|cell| width(NAME, cell)).fold(width(HEAD, &query.columns[i]), f64::max);
            widest.max(NARROW)
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "at most eight")]
    let room = end - PAD - GAP * shown.saturating_sub(1) as f64;
    let cut = widths.iter().sum::<f64>() > room;
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
    let columns = widths
        .into_iter()
        .enumerate()
        .map(|(index, width)| {
            let column = Column { index, x, width, numeric: query.is_numeric(index) };
            x += width + GAP;
            column
        })
        .collect();
    (columns, cut)
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

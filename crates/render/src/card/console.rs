//! The card of console output.

use unicode_width::UnicodeWidthChar as _;

use tracebook_core::choose::{self, Errors, LineItem, Manner};
use tracebook_core::console::{Colour, Console, ConsoleLine, Named, Style, plain, segments_from};
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::level::LogLevel;
use tracebook_core::text;

use super::Picture;
use super::captions::{self, brief};
use super::form::Width;
use super::frame::{PAD, end_of};
use super::layout::{self, Area, Head, MONO, SMALL};
use super::table::{MOST_CHARS as MOST_CELL_CHARS, MOST_ROWS as MOST_TABLE_ROWS, Table, choose_lines, of_lines};
use super::xml::Svg;
use crate::inline::visible;

/// Maximum number of lines that are drawn.
const MOST_LINES: usize = 80;
/// A long line takes up to this many rows if it is an error, or in a short output.
const MOST_ROWS: usize = 3;
/// The same on a narrow card, where more lines are long, and of any other line there.
const MOST_ROWS_NARROW: usize = 6;
const OTHER_ROWS_NARROW: usize = 2;
/// Up to this many lines are a short output.
const SHORT: usize = 40;
const LINE: f64 = 17.0;
/// A character's width at 12 units, which `textLength` enforces for every font.
pub(super) const CELL: f64 = 7.23;

impl Picture for &Console {
    fn head(&self, _: Option<&Frozen>) -> Head {
        head(self)
    }

    fn body(&self, svg: &mut Svg, top: f64) -> f64 {
        let top = top - 4.0;
        let all = self.lines.len();
        let width = svg.width();
        let end = end_of(width);
        // On a narrow card, the width is needed for the text: no numbers of lines.
        let numbers = all.saturating_add(self.more as usize).to_string();
        let (gutter, marks) = match width.is_narrow() {
            true => (None, PAD + 10.0),
            false => (Some(PAD + 14.0 + MONO.width(&numbers)), PAD + 26.0 + MONO.width(&numbers)),
        };
        let text = marks + if self.lines.iter().any(|line| line.stderr) { 28.0 } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a hundred columns")]
        let columns = ((end - 10.0 - text) / CELL) as usize;
        let rows = rows(self, columns, width);
        #[expect(clippy::cast_precision_loss, reason = "a few hundred rows")]
        let height = (rows.len() + usize::from(self.more > 0)).max(1) as f64 * LINE + 18.0;
        layout::block(svg, "term", PAD, top, end - PAD, height, 6.0);
        let mut y = top + 22.0;
        let note = |text: &str, room: f64| SMALL.fit(text, room);
        if self.more > 0 {
            let n = text::count_of(self.more as usize, "earlier line is", "earlier lines are");
            let said = note(&format!("{n} not kept in this evidence"), end - 6.0 - text);
            layout::put(svg, "small open", text, y, &said);
            y += LINE;
        }
        if all == 0 {
            layout::put(svg, "small muted", text, y, "(no output)");
        }
        for row in &rows {
            match row {
                Row::Note { class, text: said } => layout::put(svg, class, text, y, &note(said, end - 6.0 - text)),
                Row::Line { number, stderr, error, pieces, cut } => {
                    if *error {
                        layout::block(svg, "bad", PAD + 2.5, y - 13.0, 3.0, LINE - 0.5, 1.0);
                    }
                    if let (Some(number), Some(gutter)) = (number, gutter) {
                        let number = number.saturating_add(self.more as usize).saturating_add(1);
                        layout::end(svg, "small mono muted", gutter, y, &number.to_string());
                    }
                    if *stderr {
                        layout::put(svg, "tag bad", marks, y, "err");
                    }
                    draw_pieces(svg, pieces, *cut, text, y);
                }
            }
            y += LINE;
        }
        top + height
    }

    /// The last lines.
    fn chart(&self, svg: &mut Svg, area: Area) {
        const STEP: f64 = 15.0;
        layout::block(svg, "term", area.left, area.top, area.width(), area.height(), 4.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "three")]
        let most = ((area.height() - 4.0) / STEP) as usize;
        let spoken: Vec<&ConsoleLine> =
            self.lines.iter().rev().filter(|l| !plain(&l.text).trim().is_empty()).take(most).collect();
        let mut y = area.top + 14.0;
        for line in spoken.into_iter().rev() {
            let beginning: String = line.text.chars().take(400).collect();
            let plain = layout::clean(&plain(&beginning).replace('\t', " "));
            let class = if line.stderr { "small mono bad" } else { "small mono muted" };
            layout::put(svg, class, area.left + 7.0, y, &MONO.fit(&plain, area.width() - 14.0));
            y += STEP;
        }
    }

    fn notes(&self, _: Width) -> Vec<String> {
        self.notes.clone()
    }

    fn table(&self) -> Table {
        table(self, Errors::Fold)
    }

    fn subject(&self) -> String {
        captions::kind(Kind::Console).to_owned()
    }

    fn facts(&self) -> Vec<String> {
        let mut facts = vec![brief(&self.source), text::count(self.lines.len(), "line")];
        facts.extend(self.exit_code.map(|code| format!("exit code {code}")));
        facts
    }

    fn alt(&self) -> Option<String> {
        let rows = choose::console_rows(&self.lines);
        let errors: Vec<(String, String)> = rows
            .into_iter()
            .zip(&self.lines)
            .filter(|(row, _)| row.level.is_some_and(LogLevel::is_error))
            .map(|(row, line)| (row.form, plain(text::beginning(&line.text, 1_000))))
            .collect();
        captions::errors(errors.iter().map(|(form, text)| (form.clone(), text.as_str())))
    }
}

/// A row of the drawing.
enum Row {
    /// A line, or the continuation of one.
    Line { number: Option<usize>, stderr: bool, error: bool, pieces: Vec<Piece>, cut: bool },
    /// What is not shown.
    Note { class: &'static str, text: String },
}

/// The rows of an output, with this many columns.
fn rows(console: &Console, columns: usize, width: Width) -> Vec<Row> {
    let known = choose::console_rows(&console.lines);
    let choice = choose::lines(&known, Manner::console(MOST_LINES));
    let short = console.lines.len() <= SHORT;
    let mut rows = Vec::new();
    let mut style = Style::default();
    let mut next = 0;
    for item in &choice.items {
        let i = match item {
            LineItem::Line(i) => *i,
            LineItem::Similar(members) => {
                let is_error = members.first().is_some_and(|i| known[*i].level.is_some_and(LogLevel::is_error));
                let (class, noun) = match is_error {
                    true => ("small bad", "similar error"),
                    false => ("small muted", "similar line"),
                };
                rows.push(Row::Note { class, text: format!("… {}", text::count(members.len(), noun)) });
                continue;
            }
            LineItem::Gap(gap) => {
                let class = if gap.errors > 0 { "small bad" } else { "small muted" };
                let text = format!("{} (all in the data)", layout::not_shown(*gap, "line"));
                rows.push(Row::Note { class, text });
                continue;
            }
        };
        // Lines that are not drawn: their colours continue on the next one.
        for hidden in &console.lines[next..i] {
            pieces(&hidden.text, 0, &mut style);
        }
        next = i + 1;
        let line = &console.lines[i];
        let error = known[i].level.is_some_and(LogLevel::is_error);
        let most = match (short || error, width.is_narrow()) {
            (true, false) => MOST_ROWS,
            (true, true) => MOST_ROWS_NARROW,
            (false, false) => 1,
            (false, true) => OTHER_ROWS_NARROW,
        };
        let (all, cut) = pieces(&line.text, (columns * most).saturating_sub(1), &mut style);
        let mut parts = wrapped(all, columns);
        let last = parts.pop().unwrap_or_default();
        for (n, pieces) in parts.into_iter().chain([last]).enumerate() {
            let number = (n == 0).then_some(i);
            rows.push(Row::Line { number, stderr: line.stderr && n == 0, error, pieces, cut: false });
        }
        if let Some(Row::Line { cut: at_end, .. }) = rows.last_mut() {
            *at_end = cut;
        }
    }
    rows
}

/// The rows of a long line.
fn wrapped(pieces: Vec<Piece>, columns: usize) -> Vec<Vec<Piece>> {
    let mut rows: Vec<Vec<Piece>> = vec![Vec::new()];
    // The column at which the current row begins.
    let mut from = 0;
    for piece in pieces {
        if piece.column + piece.columns <= from + columns {
            if let Some(row) = rows.last_mut() {
                row.push(Piece { column: piece.column - from, ..piece });
            }
            continue;
        }
        let mut column = piece.column;
        for c in piece.text.chars() {
            let width = c.width().unwrap_or(1);
            if column + width > from + columns {
                from = column;
                rows.push(Vec::new());
            }
            if let Some(row) = rows.last_mut() {
                match row.last_mut() {
                    // The first character of a row, or of a piece, begins a piece.
                    Some(last) if last.style == piece.style && last.wide == piece.wide => {
                        last.text.push(c);
                        last.columns += width;
                    }
                    _ => row.push(Piece {
                        text: c.to_string(),
                        column: column - from,
                        columns: width,
                        wide: piece.wide,
                        style: piece.style,
                    }),
                }
            }
            column += width;
        }
    }
    rows
}

/// One line in its colours, truncated with an ellipsis.
pub(super) fn terminal_line(svg: &mut Svg, line: &str, x: f64, y: f64, columns: usize, style: &mut Style) {
    let (pieces, cut) = pieces(line, columns.saturating_sub(1), style);
    draw_pieces(svg, &pieces, cut, x, y);
}

fn draw_pieces(svg: &mut Svg, pieces: &[Piece], cut: bool, x: f64, y: f64) {
    #[expect(clippy::cast_precision_loss, reason = "a hundred columns")]
    let at = |column: usize| x + column as f64 * CELL;
    for piece in pieces {
        if let Some(ground) = ground(piece.style) {
            layout::block(svg, &ground, at(piece.column), y - 12.5, at(piece.columns) - x, LINE - 1.0, 2.0);
        }
    }
    for piece in pieces {
        let blanks = piece.text.len() - piece.text.trim_start_matches(' ').len();
        let text = piece.text.trim_matches(' ');
        let trailing = piece.text.len() - blanks - text.len();
        if text.is_empty() {
            continue;
        }
        let class = format!("mono code {}", classes(piece.style));
        let width = at(piece.columns.saturating_sub(blanks + trailing)) - x;
        svg.text(
            "text",
            &[
                ("class", class.trim_end().into()),
                ("xml:space", "preserve".into()),
                ("x", at(piece.column + blanks).into()),
                ("y", y.into()),
                ("textLength", width.into()),
            ],
            text,
        );
    }
    if cut {
        let end = pieces.last().map_or(0, |p| p.column + p.columns);
        layout::put(svg, "mono code muted", at(end), y, "…");
    }
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    text: String,
    /// Its first column, from 0, and its number of columns.
    column: usize,
    columns: usize,
    /// Whether its characters take two columns. They are separate pieces, so that every piece is evenly spaced.
    wide: bool,
    style: Style,
}

/// Maximum number of characters of a line to process.
const MOST_CHARS: usize = 20_000;

/// The pieces of a line with a maximum number of columns, and whether it was truncated. `style` is the style at its
/// start, and is set to the style at its end. Tab stops are every eight columns.
fn pieces(line: &str, most: usize, style: &mut Style) -> (Vec<Piece>, bool) {
    let beginning = text::beginning(line, MOST_CHARS);
    let mut cut = beginning.len() < line.len();
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut column, mut marks) = (0, 0);
    'line: for segment in segments_from(beginning, style) {
        for c in segment.text.chars() {
            let (shown, columns) = match c {
                '\t' => {
                    let blanks = 8 - column % 8;
                    (" ".repeat(blanks), blanks)
                }
                c => {
                    let shown = visible(c.encode_utf8(&mut [0; 4]));
                    let columns = shown.chars().map(|c| c.width().unwrap_or(1)).sum();
                    (shown, columns)
                }
            };
            // Further combining marks would overlap the lines above.
            marks = if columns == 0 { marks + 1 } else { 0 };
            if marks > 3 {
                continue;
            }
            if column + columns > most {
                cut = true;
                break 'line;
            }
            let wide = columns > 1 && c != '\t';
            match pieces.last_mut() {
                Some(last) if last.style == segment.style && (columns == 0 || last.wide == wide) => {
                    last.text.push_str(&shown);
                    last.columns += columns;
                }
                _ => pieces.push(Piece { text: shown, column, columns, wide, style: segment.style }),
            }
            column += columns;
        }
    }
    (pieces, cut)
}

/// The classes of a text.
fn classes(style: Style) -> String {
    let ink = if style.inverse { style.bg } else { style.fg };
    let dim = style.dim || style.fg == Some(Colour::Named(Named::BrightBlack));
    let mut classes = match ink.map(hue) {
        Some('n') | None => String::new(),
        Some(hue) => format!("f{hue}"),
    };
    for (on, class) in [(style.bold, "b"), (dim, "d"), (style.italic, "i"), (style.underline, "u"), (style.strike, "x")]
    {
        if on {
            classes.push(' ');
            classes.push_str(class);
        }
    }
    classes.trim_start().to_owned()
}

/// The class of a text's background, if it has one.
fn ground(style: Style) -> Option<String> {
    let ground = match style.inverse {
        true => Some(style.fg.map_or('n', hue)),
        false => style.bg.map(hue),
    };
    ground.map(|hue| format!("g{hue}"))
}

/// One of six hues that are legible on light and dark backgrounds, or `n` for greys, black and white.
fn hue(colour: Colour) -> char {
    match colour.nearest() {
        Named::Red | Named::BrightRed => 'r',
        Named::Green | Named::BrightGreen => 'g',
        Named::Yellow | Named::BrightYellow => 'y',
        Named::Blue | Named::BrightBlue => 'b',
        Named::Magenta | Named::BrightMagenta => 'm',
        Named::Cyan | Named::BrightCyan => 'c',
        Named::Black | Named::White | Named::BrightBlack | Named::BrightWhite => 'n',
    }
}

fn head(console: &Console) -> Head {
    let title = match console.source.trim() {
        "" => "Console output".to_owned(),
        source => source.chars().take(300).collect(),
    };
    let mut facts = vec![text::count(console.lines.len(), "line")];
    let errors = console.lines.iter().filter(|l| l.stderr).count();
    if errors > 0 {
        facts.push(format!("{} on standard error", text::grouped(errors)));
    }
    if let Some(first) = console.lines.iter().filter_map(|l| l.time).min() {
        facts.push(first.rfc3339().replace('T', " ").replace('Z', " UTC"));
    }
    let pill = match console.exit_code {
        None => ("note", "CONSOLE".to_owned()),
        Some(0) => ("good", "EXIT CODE 0".to_owned()),
        Some(code) => ("bad", format!("EXIT CODE {code}")),
    };
    Head { title, facts: facts.join(" · "), aside: String::new(), pill, chips: Vec::new() }
}

/// The table; `errors` says what happens to near-equal ones.
pub(super) fn table(console: &Console, errors: Errors) -> Table {
    let rows = choose::console_rows(&console.lines);
    let choice = choose_lines(&rows, Manner { errors, ..Manner::console(MOST_TABLE_ROWS) });
    let summary = text::count(console.lines.len(), "line");
    let is_error = |i: usize| rows[i].level.is_some_and(LogLevel::is_error);
    of_lines(&summary, ["Line", "Stream", "Text"], &choice, 2, is_error, |i| {
        let line = &console.lines[i];
        [
            i.saturating_add(1).saturating_add(console.more as usize).to_string(),
            if line.stderr { "stderr" } else { "stdout" }.to_owned(),
            console_text(line),
        ]
    })
}

pub(super) fn console_text(line: &ConsoleLine) -> String {
    plain(text::beginning(&line.text, MOST_CELL_CHARS * 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Vec<(String, usize, String)> {
        let (pieces, _) = pieces(line, 200, &mut Style::default());
        pieces.into_iter().map(|p| (p.text, p.column, classes(p.style))).collect()
    }

    fn piece(text: &str, column: usize, classes: &str) -> (String, usize, String) {
        (text.to_owned(), column, classes.to_owned())
    }

    #[test]
    fn colours_are_distinguished() {
        assert_eq!(
            shown(
                "a\u{1b}[31mred\u{1b}[1;32mgreen\u{1b}[0m \u{1b}[38;5;208morange\u{1b}[38;2;97;218;251mcyan\u{1b}[mx"
            ),
            [
                piece("a", 0, ""),
                piece("red", 1, "fr"),
                piece("green", 4, "fg b"),
                piece(" ", 9, ""),
                piece("orange", 10, "fy"),
                piece("cyan", 16, "fc"),
                piece("x", 20, ""),
            ]
        );
    }

    #[test]
    fn wide_characters_take_two_columns_and_tabs_go_to_the_eighth() {
        let (all, cut) = pieces("日本🚀\u{1b}[31mx\ty", 200, &mut Style::default());
        assert_eq!((all[1].column, all[1].columns, cut), (6, 3, false));
        assert_eq!(all[1].text, "x y");
    }

    #[test]
    fn other_sequences_are_removed_and_long_lines_cut() {
        assert_eq!(shown("\u{1b}[2Jx\u{1b}["), [piece("x", 0, "")]);
        let (all, cut) = pieces(&"x".repeat(300), 100, &mut Style::default());
        assert_eq!((all[0].columns, cut), (100, true));
    }

    #[test]
    fn long_lines_are_wrapped_at_columns() {
        let (all, _) = pieces("abc\u{1b}[31mdefgh日本", 200, &mut Style::default());
        let rows = wrapped(all, 4);
        let texts: Vec<String> = rows.iter().map(|r| r.iter().map(|p| p.text.as_str()).collect()).collect();
        assert_eq!(texts, ["abcd", "efgh", "日本"]);
        assert_eq!((rows[0][1].column, rows[1][0].column, classes(rows[1][0].style)), (3, 0, "fr".to_owned()));
        assert_eq!(wrapped(Vec::new(), 4), [Vec::new()]);
    }

    #[test]
    fn colours_last_until_reset() {
        let mut style = Style::default();
        pieces("\u{1b}[31mred", 80, &mut style);
        assert_eq!(classes(pieces("still", 80, &mut style).0[0].style), "fr");
    }
}

//! What a terminal would show at the end, with what scrolled out of it.
//!
//! Rows that nothing was written over keep their colour sequences as sent. The terminal has no width, so no line is
//! broken, and the height that the text implies: 24 rows, or as many as it addresses. A step up reaches further than
//! that, because a program that goes up knows how much it wrote.

use std::collections::VecDeque;

use super::ConsoleLine;
use super::ansi::{Move, Style, Token, Tokens, seven_bit};
use super::terminal::{LONGEST_LINE, MOST_LINES, as_sent, moves_nothing, styled};
use crate::time::Nanos;

/// The rows of a terminal that nobody sized.
const HEIGHT: usize = 24;
/// More rows than any progress display uses; a higher number stands for "as far as possible".
const TALLEST: usize = 200;
/// How many rows above the screen can still be reached.
const REACH: usize = 200;
/// The last column that a sequence can move to.
const LAST_COLUMN: usize = 1_000;
/// Cells that sequences may touch, for every byte of the text and in any case. It bounds the time of hostile texts.
const WORK_PER_BYTE: usize = 8;
const WORK: usize = 1_000_000;

type Cell = (char, Style);

/// A terminal that is fed lines and returns what is on it.
#[derive(Debug)]
pub(super) struct Screen {
    /// Rows that no sequence can reach any more.
    done: VecDeque<ShownLine>,
    more: u32,
    cut: usize,
    rows: VecDeque<Row>,
    /// The cursor: an index of `rows`, and a column.
    row: usize,
    column: usize,
    /// The index of the screen's first row.
    top: usize,
    height: usize,
    /// The first and last row that scroll, counted from `top`.
    region: Option<(usize, usize)>,
    style: Style,
    /// The row from `top`, the column and the style.
    saved: (usize, usize, Style),
    /// The rows, the cursor's row and column and `top` of the screen that the alternate one covers.
    covered: Option<(VecDeque<Row>, usize, usize, usize)>,
    /// Whether a sequence moved the cursor.
    moved: bool,
    begun: bool,
    /// Whether the last line goes on.
    open_line: bool,
    /// Whether it has one row only.
    single: bool,
    /// The number of the next line, if lines are numbered: then the scrollback cannot be erased.
    number: Option<u64>,
    stderr: bool,
    time: Option<Nanos>,
    work: usize,
}

#[derive(Clone, Debug, Default)]
struct Row {
    /// The line as it was sent, and whether its end was left out; `None` once it was written over.
    sent: Option<(String, bool)>,
    cells: Vec<Cell>,
    /// Whether there were more characters than are kept.
    beyond: bool,
    stderr: bool,
    time: Option<Nanos>,
    /// When it was first written.
    begun: Option<Nanos>,
    /// The number of the line that it shows exactly as printed.
    number: Option<u64>,
}

impl Row {
    fn is_blank(&self) -> bool {
        match &self.sent {
            Some((text, _)) => text.trim().is_empty(),
            None => self.cells.iter().all(|(c, style)| *c == ' ' && !style.marks_blanks()),
        }
    }

    /// The line, and whether its end was left out.
    fn line(self) -> (ShownLine, bool) {
        let (text, cut) = self.sent.unwrap_or_else(|| styled(&self.cells, self.beyond));
        let line = ConsoleLine { text, stderr: self.stderr, time: self.time };
        (ShownLine { line, begun: self.begun, number: self.number }, cut)
    }

    /// Its cells, after which it is no longer as sent.
    fn cells(&mut self) -> &mut Vec<Cell> {
        self.number = None;
        if let Some((text, cut)) = self.sent.take() {
            self.beyond = cut;
            let mut style = Style::default();
            for token in Tokens::of(&text, style) {
                match token {
                    Token::Text(text) => self.cells.extend(text.chars().map(|c| (c, style))),
                    Token::Sgr(_, next) => style = next,
                    Token::Erase(_) | Token::Return | Token::Back | Token::Newline | Token::Move(_) => {}
                }
            }
        }
        &mut self.cells
    }
}

/// A row that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShownLine {
    pub(super) line: ConsoleLine,
    /// When it was first written.
    pub(super) begun: Option<Nanos>,
    /// The number of the line that was printed exactly so, if lines are numbered.
    pub(super) number: Option<u64>,
}

/// What [`Screen::finish`] returns.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) lines: VecDeque<ConsoleLine>,
    /// Earlier lines that were left out.
    pub(super) more: u32,
    /// Lines whose end was left out.
    pub(super) cut: usize,
}

impl Default for Screen {
    fn default() -> Self {
        Self {
            done: VecDeque::new(),
            more: 0,
            cut: 0,
            rows: VecDeque::from([Row::default()]),
            row: 0,
            column: 0,
            top: 0,
            height: HEIGHT,
            region: None,
            style: Style::default(),
            saved: (0, 0, Style::default()),
            covered: None,
            moved: false,
            begun: false,
            open_line: false,
            single: false,
            number: None,
            stderr: false,
            time: None,
            work: WORK,
        }
    }
}

impl Screen {
    /// A screen of one row, on which a style is on.
    pub(super) fn of_one_row(style: Style) -> Self {
        Self { style, single: true, ..Self::default() }
    }

    /// The style that is on.
    pub(super) fn style(&self) -> Style {
        self.style
    }

    /// A screen of a command that goes on printing, whose lines are numbered from 0.
    pub(super) fn numbering() -> Self {
        Self { number: Some(0), ..Self::default() }
    }

    /// Writes the next line, without its line ending.
    pub(super) fn line(&mut self, raw: &str, stderr: bool, time: Option<Nanos>) {
        if self.begun && !(self.open_line && self.stderr == stderr) {
            self.line_feed();
            self.column = 0;
        }
        (self.begun, self.stderr, self.time, self.open_line) = (true, stderr, time, false);
        let number = self.number;
        self.number = number.map(|number| number + 1);
        self.work = self.work.saturating_add(raw.len().saturating_mul(WORK_PER_BYTE));
        let raw = &*seven_bit(raw.trim_end_matches('\r'));
        let last = self.row + 1 == self.rows.len();
        if last && self.rows[self.row].is_blank() && moves_nothing(raw) {
            let (text, cut) = as_sent(raw, &mut self.style);
            let number = number.filter(|_| text == raw);
            let begun = self.rows[self.row].begun.or(time);
            self.rows[self.row] = Row { sent: Some((text, cut)), stderr, time, begun, number, ..Row::default() };
            return;
        }
        for token in Tokens::of(raw, self.style) {
            match token {
                Token::Text(text) => self.write(text),
                Token::Sgr(_, style) => self.style = style,
                Token::Return => self.column = 0,
                Token::Back => self.column = self.column.saturating_sub(1),
                Token::Erase(which) => self.erase_in_line(which),
                Token::Newline => {}
                Token::Move(Move::EraseDisplay(which @ 0..=2)) if self.single => self.erase_in_line(which),
                Token::Move(what) if self.single && !what.stays_in_row() => {}
                Token::Move(what) => self.follow(what),
            }
        }
    }

    /// Writes the beginning of a line, or more of one.
    pub(super) fn part(&mut self, raw: &str, stderr: bool, time: Option<Nanos>) {
        self.line(raw, stderr, time);
        self.open_line = true;
    }

    /// The rows that no sequence can reach any more, and how many before these were left out.
    pub(super) fn done(&self) -> (impl Iterator<Item = &ShownLine>, u32) {
        (self.done.iter(), self.more)
    }

    /// Forgets these rows.
    pub(super) fn forget_done(&mut self) {
        self.done.clear();
        self.more = 0;
    }

    /// The other rows that are shown.
    pub(super) fn reachable(&mut self) -> Vec<ShownLine> {
        if !self.begun {
            return Vec::new();
        }
        // As text, a row takes less memory than its cells.
        for row in &mut self.rows {
            if row.sent.is_none() {
                row.sent = Some(styled(&row.cells, row.beyond));
                row.cells = Vec::new();
            }
        }
        let above = self.covered.as_ref().map(|(rows, ..)| rows);
        let until = |rows: &VecDeque<Row>, trim: bool| match trim {
            true => rows.iter().rposition(|row| !row.is_blank()).map_or(0, |last| last + 1),
            false => rows.len(),
        };
        let above = above.into_iter().flat_map(|rows| rows.range(..until(rows, true)));
        let own = self.rows.range(..until(&self.rows, self.moved));
        above.chain(own).map(|row| row.clone().line().0).collect()
    }

    /// What is shown, from the oldest line on.
    pub(super) fn finish(mut self) -> Shown {
        if !self.begun {
            return Shown::default();
        }
        let mut above = VecDeque::new();
        if let Some((rows, ..)) = self.covered.take() {
            above = rows;
            self.trim();
            while above.back().is_some_and(Row::is_blank) {
                above.pop_back();
            }
        } else if self.moved {
            self.trim();
        }
        let rows = std::mem::take(&mut self.rows);
        for row in above.into_iter().chain(rows) {
            self.keep(row);
        }
        Shown { lines: self.done.into_iter().map(|shown| shown.line).collect(), more: self.more, cut: self.cut }
    }

    /// Removes blank rows at the end.
    fn trim(&mut self) {
        while self.rows.back().is_some_and(Row::is_blank) {
            self.rows.pop_back();
        }
    }

    fn keep(&mut self, row: Row) {
        let (line, cut) = row.line();
        self.cut += usize::from(cut);
        if self.done.len() == MOST_LINES {
            self.done.pop_front();
            self.more = self.more.saturating_add(1);
        }
        self.done.push_back(line);
    }

    /// Whether there is work left for touching `cells` cells or rows.
    fn may(&mut self, cells: usize) -> bool {
        match self.work.checked_sub(cells) {
            Some(left) => {
                self.work = left;
                true
            }
            None => false,
        }
    }

    fn bottom(&self) -> usize {
        self.top + self.height - 1
    }

    /// The indices of the first and last row that scroll.
    fn margins(&self) -> (usize, usize) {
        match self.region {
            Some((first, last)) => (self.top + first, self.top + last.min(self.height - 1)),
            None => (self.top, self.bottom()),
        }
    }

    /// Adds blank rows until there is one at an index.
    fn reach(&mut self, row: usize) {
        while self.rows.len() <= row {
            self.rows.push_back(Row::default());
        }
    }

    /// Hands over the rows that scrolled too far to be reached.
    fn settle(&mut self) {
        while self.top > REACH {
            let Some(row) = self.rows.pop_front() else { return };
            // The alternate screen has no scrollback.
            if self.covered.is_none() {
                self.keep(row);
            }
            self.top -= 1;
            self.row = self.row.saturating_sub(1);
        }
    }

    fn line_feed(&mut self) {
        let (first, last) = self.margins();
        if self.row != last {
            // Below the region, the last row of the screen does not scroll.
            if self.row < self.bottom() {
                self.row += 1;
            }
            self.reach(self.row);
            return;
        }
        if self.region.is_none() {
            self.row += 1;
            self.top += 1;
            self.reach(self.row);
        } else if first == self.top {
            // What leaves at the top of the screen is kept.
            self.reach(last);
            self.rows.insert(last + 1, Row::default());
            self.top += 1;
            self.row += 1;
        } else {
            self.remove_rows(first, last, 1);
        }
        self.settle();
    }

    /// Removes `n` rows at `first`, and adds blank ones above the row after `last`.
    fn remove_rows(&mut self, first: usize, last: usize, n: usize) {
        self.reach(last);
        let n = n.min(last + 1 - first);
        if !self.may(n.saturating_mul(self.rows.len() - first)) {
            return;
        }
        self.rows.drain(first..first + n);
        for _ in 0..n {
            self.rows.insert(last + 1 - n, Row::default());
        }
    }

    /// Adds `n` blank rows at `first`, and removes as many above the row after `last`.
    fn insert_rows(&mut self, first: usize, last: usize, n: usize) {
        self.reach(last);
        let n = n.min(last + 1 - first);
        if !self.may(n.saturating_mul(self.rows.len() - first)) {
            return;
        }
        self.rows.drain(last + 1 - n..=last);
        for _ in 0..n {
            self.rows.insert(first, Row::default());
        }
    }

    /// The cells of the cursor's row.
    fn cells(&mut self) -> &mut Vec<Cell> {
        self.reach(self.row);
        self.rows[self.row].cells()
    }

    fn write(&mut self, text: &str) {
        let (style, stderr, time) = (self.style, self.stderr, self.time);
        let mut column = self.column;
        let cells = self.cells();
        while cells.len() < column {
            cells.push((' ', Style::default()));
        }
        let mut beyond = false;
        for c in text.chars() {
            // The next stop of a tab that moves over what is there.
            if c == '\t' && column < cells.len() {
                column = (column / 8 + 1) * 8;
                while cells.len() < column {
                    cells.push((' ', Style::default()));
                }
                continue;
            }
            if column < cells.len() {
                cells[column] = (c, style);
            } else if column < LONGEST_LINE {
                cells.push((c, style));
            } else {
                beyond = true;
                break;
            }
            column += 1;
        }
        self.column = column;
        let row = &mut self.rows[self.row];
        (row.stderr, row.time) = (stderr, time);
        row.begun = row.begun.or(time);
        row.beyond |= beyond;
    }

    fn erase_in_line(&mut self, which: u16) {
        let (column, bg) = (self.column, self.style.bg);
        let length = self.cells().len();
        if !self.may(if which == 0 { 1 } else { length.min(column + 1).max(1) }) {
            return;
        }
        let blank = (' ', Style { bg, ..Style::default() });
        let cells = self.cells();
        match which {
            0 => cells.truncate(column),
            1 => {
                let upto = (column + 1).min(cells.len());
                cells[..upto].fill(blank);
            }
            _ if bg.is_none() => cells.clear(),
            _ => cells.fill(blank),
        }
        self.rows[self.row].beyond &= which == 1;
    }

    fn up(&mut self, n: usize) {
        // More than any display has: to the top.
        let least = if n > TALLEST { self.top } else { 0 };
        self.row = self.row.saturating_sub(n).max(least.min(self.row));
    }

    fn down(&mut self, n: usize) {
        let limit = self.bottom().max(self.row);
        self.row = self.row.saturating_add(n).min(limit);
        self.reach(self.row);
    }

    fn go_to_row(&mut self, row: usize) {
        if row > self.height && row <= TALLEST {
            self.grow(row);
        }
        self.row = self.top + (row - 1).min(self.height - 1);
        self.reach(self.row);
    }

    fn go_to_column(&mut self, column: usize) {
        self.column = column.min(LAST_COLUMN).saturating_sub(1);
    }

    /// Of a taller screen, more of what was written is still on it.
    fn grow(&mut self, height: usize) {
        self.height = height;
        self.top = self.top.min(self.rows.len().saturating_sub(height));
    }

    fn follow(&mut self, what: Move) {
        self.moved = true;
        match what {
            Move::Up(n) => self.up(n),
            Move::Down(n) => self.down(n),
            Move::Right(n) => self.go_to_column(self.column.saturating_add(n).saturating_add(1)),
            Move::Left(n) => self.column = self.column.saturating_sub(n),
            Move::NextLine(n) => {
                self.down(n);
                self.column = 0;
            }
            Move::PreviousLine(n) => {
                self.up(n);
                self.column = 0;
            }
            Move::Column(column) => self.go_to_column(column),
            Move::Row(row) => self.go_to_row(row),
            Move::To(row, column) => {
                self.go_to_row(row);
                self.go_to_column(column);
            }
            Move::Save => self.saved = (self.row.saturating_sub(self.top), self.column, self.style),
            Move::Restore => {
                let (row, column, style) = self.saved;
                self.go_to_row(row + 1);
                (self.column, self.style) = (column, style);
            }
            Move::EraseDisplay(which) => self.erase_display(which),
            Move::EraseCharacters(n) => {
                let (at, n) = (self.column, n.min(LONGEST_LINE));
                let bg = self.style.bg;
                if self.may(n) {
                    let cells = self.cells();
                    let (from, to) = (at.min(cells.len()), (at + n).min(cells.len()));
                    cells[from..to].fill((' ', Style { bg, ..Style::default() }));
                }
            }
            Move::InsertCharacters(n) => {
                let (at, n) = (self.column, n.min(LAST_COLUMN));
                let length = self.cells().len();
                if at < length && self.may(length + n) {
                    let cells = self.cells();
                    cells.splice(at..at, std::iter::repeat_n((' ', Style::default()), n));
                    cells.truncate(LONGEST_LINE);
                }
            }
            Move::DeleteCharacters(n) => {
                let at = self.column;
                let length = self.cells().len();
                if at < length && self.may(length) {
                    self.cells().drain(at..at.saturating_add(n).min(length));
                }
            }
            Move::InsertLines(n) | Move::DeleteLines(n) => {
                let (first, last) = self.margins();
                if (first..=last).contains(&self.row) {
                    match what {
                        Move::InsertLines(_) => self.insert_rows(self.row, last, n),
                        _ => self.remove_rows(self.row, last, n),
                    }
                }
                self.column = 0;
            }
            Move::ScrollUp(n) => {
                let (first, last) = self.margins();
                self.remove_rows(first, last, n);
            }
            Move::ScrollDown(n) => {
                let (first, last) = self.margins();
                self.insert_rows(first, last, n);
            }
            Move::Region(first, last) => {
                let tallest = first.max(last);
                if tallest > self.height && tallest <= TALLEST {
                    self.grow(tallest);
                }
                let last = if last == 0 { self.height } else { last.min(self.height) };
                self.region = (first < last && (first > 1 || last < self.height)).then(|| (first - 1, last - 1));
                self.go_to_row(1);
                self.column = 0;
            }
            Move::Index => self.line_feed(),
            Move::IndexToStart => {
                self.line_feed();
                self.column = 0;
            }
            Move::ReverseIndex => {
                let (first, last) = self.margins();
                match self.row == first {
                    true => self.insert_rows(first, last, 1),
                    false => self.row = self.row.saturating_sub(1),
                }
            }
            Move::Alternate(on) => self.alternate(on),
            Move::Reset => {
                self.alternate(false);
                (self.style, self.region, self.saved) = (Style::default(), None, (0, 0, Style::default()));
                self.erase_display(2);
                self.go_to_row(1);
                self.column = 0;
            }
        }
    }

    fn erase_display(&mut self, which: u16) {
        self.reach(self.row);
        let (row, top) = (self.row, self.top.min(self.row));
        if !self.may(self.rows.len() - top) {
            return;
        }
        match which {
            0 => {
                self.rows.truncate(row + 1);
                self.erase_in_line(0);
            }
            1 => {
                self.rows.range_mut(top..row).for_each(|row| *row = Row::default());
                self.erase_in_line(1);
            }
            2 => {
                self.rows.truncate(row + 1);
                self.rows.range_mut(top..).for_each(|row| *row = Row::default());
            }
            3 if self.number.is_none() => {
                self.done.clear();
                (self.more, self.cut) = (0, 0);
                self.rows.drain(..top);
                self.row -= top;
                self.top -= top;
            }
            _ => {}
        }
    }

    fn alternate(&mut self, on: bool) {
        match (on, self.covered.take()) {
            (true, None) => {
                let rows = std::mem::replace(&mut self.rows, VecDeque::from([Row::default()]));
                self.covered = Some((rows, self.row, self.column, self.top));
                (self.row, self.top) = (0, 0);
            }
            (false, Some((rows, row, column, top))) => {
                (self.rows, self.row, self.column, self.top) = (rows, row, column, top);
            }
            (_, covered) => self.covered = covered,
        }
    }
}

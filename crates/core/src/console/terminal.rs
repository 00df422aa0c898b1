//! Converts a stream of characters to the lines that a terminal would show.

use super::ansi::{Style, Token, Tokens, seven_bit};
use super::decode::decode;
use super::screen::{Screen, Shown};
use super::{AsPrinted, Console, ConsoleLine, Output};
use crate::time::Nanos;

/// Maximum number of lines; the last ones are kept.
pub const MOST_LINES: usize = 10_000;

/// Maximum bytes of a line including colours; the rest becomes an ellipsis.
pub const LONGEST_LINE: usize = 16 * 1024;

const ELLIPSIS: char = '…';

fn read(text: &str) -> Shown {
    let mut screen = Screen::default();
    for raw in text.strip_suffix('\n').unwrap_or(text).split('\n').filter(|_| !text.is_empty()) {
        screen.line(raw, false, None);
    }
    screen.finish()
}

/// Console output that arrives line by line, with the stream and the time of each line.
#[derive(Debug, Default)]
pub struct Arriving {
    screen: Screen,
    printed: AsPrinted,
    long: usize,
}

impl Arriving {
    /// Adds a line without its line ending. `long` says that its end was left out already.
    pub fn line(&mut self, raw: &str, stderr: bool, time: Option<Nanos>, long: bool) {
        self.printed.push(ConsoleLine { text: raw.to_owned(), stderr, time });
        self.screen.line(raw, stderr, time);
        self.long += usize::from(long);
    }

    /// Adds the beginning of a line, or more of one. The rest has to begin with a carriage return.
    pub fn part(&mut self, raw: &str, stderr: bool, time: Option<Nanos>) {
        self.printed.push(ConsoleLine { text: raw.to_owned(), stderr, time });
        self.screen.part(raw, stderr, time);
    }

    /// All that has arrived.
    pub fn finish(self, source: impl Into<String>) -> Output {
        Output { console: console(source.into(), self.screen.finish(), self.long), printed: self.printed }
    }
}

fn console(source: String, shown: Shown, long: usize) -> Console {
    let notes = left_out(shown.cut.max(long)).into_iter().collect();
    Console { source, lines: shown.lines.into(), more: shown.more, notes, ..Console::default() }
}

/// The lines of a text as a terminal would finally show them: what was overwritten or erased is removed, wherever the
/// cursor was moved for it, and colours continue on the next line. The last [`MOST_LINES`] lines, each of at most
/// [`LONGEST_LINE`] bytes.
pub fn lines(text: &str) -> Vec<ConsoleLine> {
    read(text).lines.into()
}

/// [`lines`] for bytes in any encoding that [`decode`] knows.
pub fn from_bytes(bytes: &[u8]) -> Vec<ConsoleLine> {
    lines(&decode(bytes).text)
}

/// The text of one line alone, without its line ending, as a terminal would finally show it.
pub fn line_text(raw: &str) -> String {
    line(raw.strip_suffix('\n').unwrap_or(raw), &mut Style::default()).0
}

/// The note on lines that were cut; `None` for 0.
fn left_out(lines: usize) -> Option<String> {
    match lines {
        0 => None,
        1 => Some("1 line was longer than 16 KiB; its end is left out".to_owned()),
        n => Some(format!("{n} lines were longer than 16 KiB; their ends are left out")),
    }
}

impl Console {
    /// Console output from a text; see [`lines`].
    pub fn from_text(source: impl Into<String>, text: &str) -> Self {
        console(source.into(), read(text), 0)
    }

    /// Console output from bytes in any encoding that [`decode`] knows, which a note names unless it is UTF-8.
    pub fn from_bytes(source: impl Into<String>, bytes: &[u8]) -> Self {
        let decoded = decode(bytes);
        let mut console = Self::from_text(source, &decoded.text);
        console.notes.extend(decoded.note());
        console
    }
}

/// One line, and whether it was truncated. `style` is the style at its start, and is set to the style at its end.
fn line(raw: &str, style: &mut Style) -> (String, bool) {
    let raw = &*seven_bit(raw.trim_end_matches('\r'));
    match moves_nothing(raw) {
        true => as_sent(raw, style),
        false => rewritten(raw, style),
    }
}

/// Whether a line is shown as it was sent: nothing in it goes back or elsewhere.
pub(super) fn moves_nothing(raw: &str) -> bool {
    if !raw.contains(['\r', '\x08', '\x0b', '\x0c', '\x1b']) {
        return true;
    }
    Tokens::of(raw, Style::default()).all(|token| match token {
        Token::Text(_) | Token::Sgr(..) | Token::Erase(0) | Token::Newline => true,
        Token::Erase(_) | Token::Return | Token::Back | Token::Move(_) => false,
    })
}

/// A line without overwriting, with its colour sequences unchanged.
pub(super) fn as_sent(raw: &str, style: &mut Style) -> (String, bool) {
    let mut out = Bounded::default();
    let resets = ["\x1b[0m", "\x1b[m", "\x1b[0;"].iter().any(|reset| raw.starts_with(reset));
    if *style != Style::default() && !resets && !raw.is_empty() {
        out.whole(&style.sgr());
    }
    for token in Tokens::of(raw, *style) {
        match token {
            Token::Text(text) => out.text(text),
            Token::Sgr(sequence, next) => {
                *style = next;
                out.whole(sequence);
            }
            Token::Erase(_) | Token::Return | Token::Back | Token::Newline | Token::Move(_) => {}
        }
    }
    out.finish()
}

/// A line in which the cursor moves: what its row shows in a terminal of unlimited width. Movements to other rows mean
/// nothing in a line alone.
fn rewritten(raw: &str, style: &mut Style) -> (String, bool) {
    let mut screen = Screen::of_one_row(*style);
    screen.line(raw, false, None);
    *style = screen.style();
    let mut shown = screen.finish();
    let cut = shown.cut > 0;
    (shown.lines.pop_front().unwrap_or_default().text, cut)
}

/// A row of cells as text with colours, and whether its end was left out. `beyond` says that it had more of them.
pub(super) fn styled(cells: &[(char, Style)], beyond: bool) -> (String, bool) {
    // Blanks that overwrote something are not part of the line.
    let shown = cells.iter().rposition(|(c, style)| *c != ' ' || style.marks_blanks()).map_or(0, |at| at + 1);
    let mut out = Bounded::default();
    let mut on = Style::default();
    for (c, style) in &cells[..shown] {
        if *style != on {
            out.whole(&style.sgr());
            on = *style;
        }
        out.text(c.encode_utf8(&mut [0; 4]));
    }
    if on != Style::default() {
        out.whole("\x1b[0m");
    }
    out.cut |= beyond;
    out.finish()
}

/// A text that is truncated at [`LONGEST_LINE`].
#[derive(Default)]
struct Bounded {
    text: String,
    cut: bool,
}

impl Bounded {
    const ROOM: usize = LONGEST_LINE - ELLIPSIS.len_utf8();

    fn text(&mut self, text: &str) {
        if self.cut {
            return;
        }
        let left = Self::ROOM.saturating_sub(self.text.len());
        if text.len() > left {
            self.cut = true;
        }
        self.text.push_str(&text[..text.floor_char_boundary(left)]);
    }

    /// Appends a sequence completely or not at all, since a partial one would be shown as text.
    fn whole(&mut self, sequence: &str) {
        if self.cut || sequence.len() > Self::ROOM.saturating_sub(self.text.len()) {
            self.cut = true;
        } else {
            self.text.push_str(sequence);
        }
    }

    fn finish(mut self) -> (String, bool) {
        if self.cut {
            self.text.push(ELLIPSIS);
        }
        (self.text, self.cut)
    }
}

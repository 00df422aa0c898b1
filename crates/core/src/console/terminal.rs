//! Converts a stream of characters to the lines that a terminal would show.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::ansi::{Style, Token, Tokens, seven_bit};
use super::{Console, ConsoleLine};

/// Maximum number of lines; the last ones are kept.
pub const MOST_LINES: usize = 10_000;

/// Maximum bytes of a line including colours; the rest becomes an ellipsis.
pub const LONGEST_LINE: usize = 16 * 1024;

const ELLIPSIS: char = '…';

/// The result of [`read`].
struct Read {
    lines: VecDeque<ConsoleLine>,
    more: u32,
    cut: usize,
}

fn read(text: &str) -> Read {
    let mut read = Read { lines: VecDeque::new(), more: 0, cut: 0 };
    let mut style = Style::default();
    for raw in text.strip_suffix('\n').unwrap_or(text).split('\n').filter(|_| !text.is_empty()) {
        let (text, cut) = line(raw, &mut style);
        read.cut += usize::from(cut);
        if read.lines.len() == MOST_LINES {
            read.lines.pop_front();
            read.more = read.more.saturating_add(1);
        }
        read.lines.push_back(ConsoleLine { text, ..ConsoleLine::default() });
    }
    read
}

/// The lines of a text as a terminal would finally show them: text overwritten after `\r` and `\b` is removed, and
/// colours continue on the next line. The last [`MOST_LINES`] lines, each of at most [`LONGEST_LINE`] bytes.
pub fn lines(text: &str) -> Vec<ConsoleLine> {
    read(text).lines.into()
}

/// [`lines`] for bytes: UTF-8 with U+FFFD for invalid bytes, or UTF-16 with a byte order mark.
pub fn from_bytes(bytes: &[u8]) -> Vec<ConsoleLine> {
    lines(&decode(bytes))
}

/// The text of one line alone, without its line ending, as a terminal would finally show it.
pub fn line_text(raw: &str) -> String {
    bounded_line_text(raw).0
}

/// [`line_text`], and whether it was truncated.
pub fn bounded_line_text(raw: &str) -> (String, bool) {
    line(raw.strip_suffix('\n').unwrap_or(raw), &mut Style::default())
}

/// The note on lines that were cut; `None` for 0.
pub fn left_out(lines: usize) -> Option<String> {
    match lines {
        0 => None,
        1 => Some("1 line was longer than 16 KiB; its end is left out".to_owned()),
        n => Some(format!("{n} lines were longer than 16 KiB; their ends are left out")),
    }
}

impl Console {
    /// Console output from a text; see [`lines`].
    pub fn from_text(source: impl Into<String>, text: &str) -> Self {
        let read = read(text);
        let notes = left_out(read.cut).into_iter().collect();
        Self { source: source.into(), exit_code: None, lines: read.lines.into(), more: read.more, notes }
    }

    /// Console output from bytes; see [`from_bytes`].
    pub fn from_bytes(source: impl Into<String>, bytes: &[u8]) -> Self {
        Self::from_text(source, &decode(bytes))
    }
}

fn decode(bytes: &[u8]) -> Cow<'_, str> {
    // PowerShell's `>` writes UTF-16.
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(bytes),
    }
}

/// One line, and whether it was truncated. `style` is the style at its start, and is set to the style at its end.
fn line(raw: &str, style: &mut Style) -> (String, bool) {
    let raw = &*seven_bit(raw.trim_end_matches('\r'));
    match raw.contains(['\r', '\x08']) || raw.contains("\x1b[1K") || raw.contains("\x1b[2K") {
        true => rewritten(raw, style),
        false => as_sent(raw, style),
    }
}

/// A line without overwriting, with its colour sequences unchanged.
fn as_sent(raw: &str, style: &mut Style) -> (String, bool) {
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
            Token::Erase(_) | Token::Return | Token::Back | Token::Newline => {}
        }
    }
    out.finish()
}

/// A line in which the cursor moves back: a row of cells, as in a terminal of unlimited width.
fn rewritten(raw: &str, style: &mut Style) -> (String, bool) {
    let mut cells: Vec<(char, Style)> = Vec::new();
    let mut cursor = 0;
    let mut beyond = false;
    for token in Tokens::of(raw, *style) {
        match token {
            Token::Text(text) => {
                for c in text.chars() {
                    if cursor < cells.len() {
                        cells[cursor] = (c, *style);
                    } else if cursor < LONGEST_LINE {
                        cells.push((c, *style));
                    } else {
                        beyond = true;
                        break;
                    }
                    cursor += 1;
                }
            }
            Token::Sgr(_, next) => *style = next,
            Token::Return => cursor = 0,
            Token::Back => cursor = cursor.saturating_sub(1),
            Token::Erase(0) => {
                cells.truncate(cursor);
                beyond = false;
            }
            Token::Erase(which) => {
                let upto = if which == 1 { (cursor + 1).min(cells.len()) } else { cells.len() };
                cells[..upto].fill((' ', Style { bg: style.bg, ..Style::default() }));
            }
            Token::Newline => {}
        }
    }
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

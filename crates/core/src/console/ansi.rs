//! Parses escape sequences: which characters a terminal would show, and in which style.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use vte::Params;

use super::is_false;

/// One of a terminal's sixteen colours; the theme defines their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Named {
    Black,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    White,
    BrightBlack,
    BrightRed,
    BrightGreen,
    BrightYellow,
    BrightBlue,
    BrightMagenta,
    BrightCyan,
    BrightWhite,
}

impl Named {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::Black,
        Self::Red,
        Self::Green,
        Self::Yellow,
        Self::Blue,
        Self::Magenta,
        Self::Cyan,
        Self::White,
        Self::BrightBlack,
        Self::BrightRed,
        Self::BrightGreen,
        Self::BrightYellow,
        Self::BrightBlue,
        Self::BrightMagenta,
        Self::BrightCyan,
        Self::BrightWhite,
    ];
}

/// A colour set by a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Colour {
    /// One of the sixteen.
    Named(Named),
    /// One of xterm's 256, from 16 on: the first sixteen are [`Colour::Named`].
    Index(u8),
    /// Red, green and blue.
    Rgb(u8, u8, u8),
}

impl Colour {
    fn from_index(n: u16) -> Option<Self> {
        match Named::ALL.get(usize::from(n)) {
            Some(named) => Some(Self::Named(*named)),
            None => u8::try_from(n).ok().map(Self::Index),
        }
    }

    fn from_rgb(r: u16, g: u16, b: u16) -> Option<Self> {
        let byte = |n| u8::try_from(n).ok();
        Some(Self::Rgb(byte(r)?, byte(g)?, byte(b)?))
    }

    /// The nearest of the sixteen named colours; light and dark backgrounds each have a legible shade of them.
    pub fn nearest(self) -> Named {
        let (r, g, b) = match (self, self.rgb()) {
            (Self::Named(named), _) => return named,
            (_, rgb) => rgb.unwrap_or_default(),
        };
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        if most - least < 40 {
            return match most {
                0..64 => Named::Black,
                64..160 => Named::BrightBlack,
                160..224 => Named::White,
                224.. => Named::BrightWhite,
            };
        }
        let half = u16::midpoint(u16::from(most), u16::from(least));
        let bit = |level: u8, bit: usize| if u16::from(level) > half { bit } else { 0 };
        let hue = bit(r, 1) | bit(g, 2) | bit(b, 4);
        Named::ALL[if most > 200 && least > 60 { hue + 8 } else { hue }]
    }

    /// Red, green and blue; `None` for [`Colour::Named`], which the theme chooses.
    pub fn rgb(self) -> Option<(u8, u8, u8)> {
        match self {
            Self::Named(_) => None,
            Self::Rgb(r, g, b) => Some((r, g, b)),
            Self::Index(n @ 232..) => {
                let grey = 8 + (n - 232) * 10;
                Some((grey, grey, grey))
            }
            Self::Index(n) => {
                let step = |n: u8| if n == 0 { 0 } else { 55 + n * 40 };
                let n = n.saturating_sub(16);
                Some((step(n / 36), step(n / 6 % 6), step(n % 6)))
            }
        }
    }
}

/// How a piece of text is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Style {
    /// Bold, or brighter.
    pub bold: bool,
    /// Fainter.
    pub dim: bool,
    /// Slanted.
    pub italic: bool,
    /// Underlined, of any kind.
    pub underline: bool,
    /// Struck through.
    pub strike: bool,
    /// Foreground and background are swapped.
    pub inverse: bool,
    /// The text's colour; `None` is the theme's own.
    pub fg: Option<Colour>,
    /// The colour behind it; `None` is the theme's own.
    pub bg: Option<Colour>,
}

impl Style {
    /// Whether a blank in this style is visible.
    pub(super) fn marks_blanks(self) -> bool {
        self.bg.is_some() || self.underline || self.strike || self.inverse
    }

    /// Applies the parameters of an SGR sequence. Unknown ones are ignored.
    fn apply(&mut self, params: &Params) {
        let mut groups = params.iter();
        while let Some(group) = groups.next() {
            // `38:2::255:0:0` is one group with its colour in it, `38;2;255;0;0` is spread over several.
            let Some((&code, sub)) = group.split_first() else { continue };
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underline = sub.first() != Some(&0),
                7 => self.inverse = true,
                9 => self.strike = true,
                21 => self.underline = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                27 => self.inverse = false,
                29 => self.strike = false,
                30..=37 => self.fg = Colour::from_index(code - 30),
                39 => self.fg = None,
                40..=47 => self.bg = Colour::from_index(code - 40),
                49 => self.bg = None,
                90..=97 => self.fg = Colour::from_index(code - 90 + 8),
                100..=107 => self.bg = Colour::from_index(code - 100 + 8),
                38 | 48 | 58 => {
                    let colour = if sub.is_empty() { spread_colour(&mut groups) } else { packed_colour(sub) };
                    match (code, colour) {
                        (38, Some(colour)) => self.fg = Some(colour),
                        (48, Some(colour)) => self.bg = Some(colour),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// The SGR sequence that resets everything and sets this style.
    pub(super) fn sgr(self) -> String {
        let mut out = "\x1b[0".to_owned();
        for (on, code) in
            [(self.bold, 1), (self.dim, 2), (self.italic, 3), (self.underline, 4), (self.inverse, 7), (self.strike, 9)]
        {
            if on {
                // Writing to a string cannot fail.
                write!(out, ";{code}").ok();
            }
        }
        for (colour, base) in [(self.fg, 30), (self.bg, 40)] {
            let written = match colour {
                None => Ok(()),
                Some(Colour::Named(named)) => {
                    let n = named as u8;
                    write!(out, ";{}", if n < 8 { base + n } else { base + 60 + n - 8 })
                }
                Some(Colour::Index(n)) => write!(out, ";{};5;{n}", base + 8),
                Some(Colour::Rgb(r, g, b)) => write!(out, ";{};2;{r};{g};{b}", base + 8),
            };
            written.ok();
        }
        out.push('m');
        out
    }
}

fn spread_colour<'a>(groups: &mut impl Iterator<Item = &'a [u16]>) -> Option<Colour> {
    let mut next = || groups.next()?.first().copied();
    match next()? {
        5 => next().and_then(Colour::from_index),
        2 => {
            let (r, g, b) = (next(), next(), next());
            Colour::from_rgb(r?, g?, b?)
        }
        _ => None,
    }
}

fn packed_colour(sub: &[u16]) -> Option<Colour> {
    match *sub {
        [5, n, ..] => Colour::from_index(n),
        // The standard has a colour space before the three; many leave it out.
        [2, r, g, b] | [2, _, r, g, b, ..] => Colour::from_rgb(r, g, b),
        _ => None,
    }
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Characters that are shown; a tab is one.
    Text(&'a str),
    /// A colour sequence as sent, and the style that is on after it.
    Sgr(&'a str, Style),
    /// Erase in line: from the cursor to the end (0), from the start to the cursor (1), all of it (2).
    Erase(u16),
    /// `\r`.
    Return,
    /// `\x08`.
    Back,
    /// `\n`.
    Newline,
    /// A sequence that moves the cursor or changes more than the characters behind it.
    Move(Move),
}

/// What a sequence does to the cursor or the screen. Numbers are at least 1, as terminals read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Up(usize),
    Down(usize),
    Right(usize),
    Left(usize),
    /// To the start of a line this many lines below, or above.
    NextLine(usize),
    PreviousLine(usize),
    /// To a column, a row, or both, counted from 1.
    Column(usize),
    Row(usize),
    To(usize, usize),
    Save,
    Restore,
    /// Erase in display: from the cursor to the end (0), from the start (1), all (2), what scrolled out (3).
    EraseDisplay(u16),
    EraseCharacters(usize),
    InsertCharacters(usize),
    DeleteCharacters(usize),
    InsertLines(usize),
    DeleteLines(usize),
    ScrollUp(usize),
    ScrollDown(usize),
    /// The first and the last row that scroll; the last is 0 where it is the last of the screen.
    Region(usize, usize),
    /// One line down, which scrolls at the bottom; and to the start of it.
    Index,
    IndexToStart,
    ReverseIndex,
    /// Another screen without scrollback (`true`), and back.
    Alternate(bool),
    Reset,
}

impl Move {
    /// Whether it changes nothing but the row of the cursor.
    pub(super) fn stays_in_row(self) -> bool {
        matches!(
            self,
            Self::Right(_)
                | Self::Left(_)
                | Self::Column(_)
                | Self::EraseCharacters(_)
                | Self::InsertCharacters(_)
                | Self::DeleteCharacters(_)
        )
    }

    /// Of a CSI sequence without intermediates.
    fn csi(params: &Params, action: char) -> Option<Self> {
        let mut numbers = params.iter().map(|group| group.first().copied().unwrap_or(0));
        let (first, second) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let (n, m) = (usize::from(first).max(1), usize::from(second).max(1));
        Some(match action {
            'A' => Self::Up(n),
            'B' | 'e' => Self::Down(n),
            'C' | 'a' => Self::Right(n),
            'D' => Self::Left(n),
            'E' => Self::NextLine(n),
            'F' => Self::PreviousLine(n),
            'G' | '`' => Self::Column(n),
            'd' => Self::Row(n),
            'H' | 'f' => Self::To(n, m),
            's' => Self::Save,
            'u' => Self::Restore,
            'J' => Self::EraseDisplay(first),
            'X' => Self::EraseCharacters(n),
            '@' => Self::InsertCharacters(n),
            'P' => Self::DeleteCharacters(n),
            'L' => Self::InsertLines(n),
            'M' => Self::DeleteLines(n),
            'S' => Self::ScrollUp(n),
            'T' => Self::ScrollDown(n),
            'r' => Self::Region(n, usize::from(second)),
            _ => return None,
        })
    }

    /// Of a private mode that is set (`h`) or reset (`l`).
    fn mode(params: &Params, action: char) -> Option<Self> {
        let alternate = params.iter().any(|group| matches!(group.first(), Some(47 | 1047 | 1049)));
        match action {
            'h' if alternate => Some(Self::Alternate(true)),
            'l' if alternate => Some(Self::Alternate(false)),
            _ => None,
        }
    }

    /// Of an escape without parameters.
    fn escape(byte: u8) -> Option<Self> {
        Some(match byte {
            b'7' => Self::Save,
            b'8' => Self::Restore,
            b'D' => Self::Index,
            b'E' => Self::IndexToStart,
            b'M' => Self::ReverseIndex,
            b'c' => Self::Reset,
            _ => return None,
        })
    }
}

/// Longer sequences are not treated as colour sequences.
const LONGEST_SGR: usize = 256;

/// A text with every control character in its seven-bit form, the only one that [`vte`] accepts in UTF-8.
pub(super) fn seven_bit(text: &str) -> Cow<'_, str> {
    const FORMS: [(char, &str); 7] = [
        ('\u{90}', "\x1bP"),
        ('\u{98}', "\x1bX"),
        ('\u{9b}', "\x1b["),
        ('\u{9c}', "\x1b\\"),
        ('\u{9d}', "\x1b]"),
        ('\u{9e}', "\x1b^"),
        ('\u{9f}', "\x1b_"),
    ];
    if !text.contains(|c| ('\u{90}'..='\u{9f}').contains(&c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match FORMS.iter().find(|(eight, _)| *eight == c) {
            Some((_, seven)) => out.push_str(seven),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Splits a text into tokens, skipping all other escape sequences and control characters.
///
/// Text runs end at the next control character; [`vte`] parses whatever begins with an escape.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    style: Style,
}

impl<'a> Tokens<'a> {
    /// Of a text in its [`seven_bit`] form; `style` is what is on when it begins.
    pub(super) fn of(text: &'a str, style: Style) -> Self {
        Self { rest: text, style }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        // The parser reads bytes: within a string, it takes a byte 0x9C of a character for the string's end.
        let (taken, rest) = self.rest.split_at(self.rest.ceil_char_boundary(bytes));
        self.rest = rest;
        taken
    }

    /// The sequence that the rest begins with.
    fn escape(&mut self) -> Option<Token<'a>> {
        // A string ends at the next escape or line break, any other sequence at the first byte that is not visible
        // ASCII, so a truncated sequence hides no more than that.
        let is_string = self.rest.as_bytes().get(1).is_some_and(|b| b"]PX^_".contains(b));
        let ends = |c: char| if is_string { matches!(c, '\x1b' | '\n') } else { !matches!(c, ' '..='~') };
        let next = self.rest[1..].find(ends).map_or(self.rest.len(), |at| at + 1);
        let mut found = Found { style: self.style, what: None };
        let length = vte::Parser::<16>::default().advance_until_terminated(&mut found, &self.rest.as_bytes()[..next]);
        match found.what {
            Some(What::Sgr) => {
                let sequence = self.take(length);
                if sequence.len() > LONGEST_SGR {
                    return None;
                }
                self.style = found.style;
                Some(Token::Sgr(sequence, found.style))
            }
            Some(What::Erase(which)) => {
                self.take(length);
                Some(Token::Erase(which))
            }
            Some(What::Move(what)) => {
                self.take(length);
                Some(Token::Move(what))
            }
            Some(What::Other) => {
                self.take(length);
                None
            }
            // The bytes after an invalid sequence are parsed again.
            Some(What::Ground(bytes)) => {
                self.take(length - bytes);
                None
            }
            None => {
                self.take(if is_string && next == self.rest.len() { 2 } else { next });
                None
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let text = self.rest.find(|c: char| c.is_control() && c != '\t').unwrap_or(self.rest.len());
            if text > 0 {
                return Some(Token::Text(self.take(text)));
            }
            let first = self.rest.chars().next()?;
            let token = if first == '\x1b' {
                self.escape()
            } else {
                self.take(first.len_utf8());
                match first {
                    '\r' => Some(Token::Return),
                    '\x08' => Some(Token::Back),
                    '\n' => Some(Token::Newline),
                    // Vertical tab and form feed: terminals go one line down.
                    '\x0b' | '\x0c' => Some(Token::Move(Move::Index)),
                    _ => None,
                }
            };
            if token.is_some() {
                return token;
            }
        }
    }
}

/// What [`vte`] found a sequence to be.
struct Found {
    style: Style,
    what: Option<What>,
}

enum What {
    Sgr,
    Erase(u16),
    Move(Move),
    /// Any other sequence, whole.
    Other,
    /// No sequence; the number of bytes read after it that are shown or executed by a terminal.
    Ground(usize),
}

impl vte::Perform for Found {
    fn print(&mut self, c: char) {
        let before = if let Some(What::Ground(bytes)) = self.what { bytes } else { 0 };
        self.what = Some(What::Ground(before + c.len_utf8()));
    }

    fn execute(&mut self, byte: u8) {
        self.print(char::from(byte));
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        let plain = intermediates.is_empty() && !ignore;
        self.what = Some(match action {
            'm' if plain => {
                self.style.apply(params);
                What::Sgr
            }
            'K' if plain => What::Erase(params.iter().next().and_then(|group| group.first()).copied().unwrap_or(0)),
            _ if plain => Move::csi(params, action).map_or(What::Other, What::Move),
            _ if intermediates == b"?" && !ignore => Move::mode(params, action).map_or(What::Other, What::Move),
            _ => What::Other,
        });
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], ignore: bool, byte: u8) {
        let alone = intermediates.is_empty() && !ignore;
        self.what = Some(Move::escape(byte).filter(|_| alone).map_or(What::Other, What::Move));
    }

    fn osc_dispatch(&mut self, _: &[&[u8]], _: bool) {
        self.what = Some(What::Other);
    }

    fn unhook(&mut self) {
        self.what = Some(What::Other);
    }

    fn terminated(&self) -> bool {
        self.what.is_some()
    }
}

/// A piece of text in one style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The text, without any escape sequence; never empty.
    pub text: String,
    /// How it is drawn.
    pub style: Style,
}

/// A text split where its style changes. The pieces joined are [`plain`]'s text.
pub fn segments(text: &str) -> Vec<Segment> {
    segments_from(text, &mut Style::default())
}

/// [`segments`] of one line of several: `style` is what the lines before it left on, and then what this one does.
pub fn segments_from(text: &str, style: &mut Style) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let text = seven_bit(text);
    for token in Tokens::of(&text, *style) {
        let piece = match token {
            Token::Text(piece) => piece,
            Token::Newline => "\n",
            Token::Sgr(_, next) => {
                *style = next;
                continue;
            }
            Token::Erase(_) | Token::Return | Token::Back | Token::Move(_) => continue,
        };
        match segments.last_mut() {
            Some(last) if last.style == *style => last.text.push_str(piece),
            _ => segments.push(Segment { text: piece.to_owned(), style: *style }),
        }
    }
    segments
}

/// A text without colours and other escape sequences.
pub fn plain(text: &str) -> String {
    let text = seven_bit(text);
    Tokens::of(&text, Style::default())
        .filter_map(|token| match token {
            Token::Text(piece) => Some(piece),
            Token::Newline => Some("\n"),
            Token::Sgr(..) | Token::Erase(_) | Token::Return | Token::Back | Token::Move(_) => None,
        })
        .collect()
}

/// A piece of a console line for display: omitted attributes are off, a colour is one of the terminal's sixteen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StyledSpan {
    /// Without escape sequences; never empty.
    pub text: String,
    /// 0 to 7, and 8 to 15 for the bright ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub fg: Option<u8>,
    /// As `fg`, of the background.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bg: Option<u8>,
    #[serde(default, skip_serializing_if = "is_false")]
    #[ts(optional, as = "Option<_>")]
    pub bold: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    #[ts(optional, as = "Option<_>")]
    pub dim: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    #[ts(optional, as = "Option<_>")]
    pub italic: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    #[ts(optional, as = "Option<_>")]
    pub underline: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    #[ts(optional, as = "Option<_>")]
    pub strike: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    #[ts(optional, as = "Option<_>")]
    pub inverse: bool,
}

impl From<Segment> for StyledSpan {
    fn from(Segment { text, style }: Segment) -> Self {
        let number = |colour: Colour| colour.nearest() as u8;
        let Style { bold, dim, italic, underline, strike, inverse, fg, bg } = style;
        Self { text, fg: fg.map(number), bg: bg.map(number), bold, dim, italic, underline, strike, inverse }
    }
}

/// A single line, for display.
pub fn spans(text: &str) -> Vec<StyledSpan> {
    segments(text).into_iter().map(StyledSpan::from).collect()
}

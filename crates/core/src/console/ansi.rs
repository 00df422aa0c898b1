//! Escape sequences: which characters of a text a terminal would show, and in which style.

use std::fmt::Write as _;

/// One of a terminal's sixteen colours, which the terminal's theme chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say everything")]
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

/// A colour that a text asks for.
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
    fn from_index(n: u8) -> Self {
        match Named::ALL.get(usize::from(n)) {
            Some(named) => Self::Named(*named),
            None => Self::Index(n),
        }
    }

    /// Red, green and blue, where no theme has a say in it: `None` for [`Colour::Named`].
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
    /// Foreground and background change places.
    pub inverse: bool,
    /// The text's colour; `None` is the theme's own.
    pub fg: Option<Colour>,
    /// The colour behind it; `None` is the theme's own.
    pub bg: Option<Colour>,
}

impl Style {
    /// Whether a blank in this style is seen.
    pub(super) fn marks_blanks(self) -> bool {
        self.bg.is_some() || self.underline || self.inverse
    }

    /// Takes over what an SGR sequence with these parameters (`1;31`) asks for. What is not known is passed over.
    fn apply(&mut self, params: &str) {
        let mut groups = params.split(';');
        while let Some(group) = groups.next() {
            // `38:2::255:0:0` is one group with its colour in it, `38;2;255;0;0` is spread over several.
            let mut parts = group.split(':');
            let code = parts.next().unwrap_or_default();
            let Some(code) = number(code) else { continue };
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underline = parts.next() != Some("0"),
                7 => self.inverse = true,
                21 => self.underline = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                27 => self.inverse = false,
                30..=37 => self.fg = Some(Colour::from_index(code - 30)),
                39 => self.fg = None,
                40..=47 => self.bg = Some(Colour::from_index(code - 40)),
                49 => self.bg = None,
                90..=97 => self.fg = Some(Colour::from_index(code - 90 + 8)),
                100..=107 => self.bg = Some(Colour::from_index(code - 100 + 8)),
                38 | 48 | 58 => {
                    let colour = if group.contains(':') { packed_colour(group) } else { spread_colour(&mut groups) };
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

    /// The sequence that turns everything off and this style on; only the first half for the plain style.
    pub(super) fn sgr(self) -> String {
        let mut out = "\x1b[0".to_owned();
        for (on, code) in [(self.bold, 1), (self.dim, 2), (self.italic, 3), (self.underline, 4), (self.inverse, 7)] {
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

/// An empty parameter is zero.
fn number(text: &str) -> Option<u8> {
    if text.is_empty() { Some(0) } else { text.parse().ok() }
}

fn spread_colour<'a>(groups: &mut impl Iterator<Item = &'a str>) -> Option<Colour> {
    match number(groups.next()?)? {
        5 => groups.next().and_then(number).map(Colour::from_index),
        2 => {
            let mut next = || groups.next().and_then(number);
            let (r, g, b) = (next(), next(), next());
            Some(Colour::Rgb(r?, g?, b?))
        }
        _ => None,
    }
}

fn packed_colour(group: &str) -> Option<Colour> {
    let mut parts = group.split(':').skip(1);
    match number(parts.next()?)? {
        5 => parts.next().and_then(number).map(Colour::from_index),
        // The standard has a colour space before the three; many leave it out.
        2 => match parts.collect::<Vec<_>>()[..] {
            [r, g, b] | [_, r, g, b, ..] => Some(Colour::Rgb(number(r)?, number(g)?, number(b)?)),
            _ => None,
        },
        _ => None,
    }
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Characters that are shown; a tab is one.
    Text(&'a str),
    /// A colour sequence as sent.
    Sgr(&'a str),
    /// Erase in line: from the cursor to the end (0), from the start to the cursor (1), all of it (2).
    Erase(u8),
    /// `\r`.
    Return,
    /// `\x08`.
    Back,
    /// `\n`.
    Newline,
}

/// Colour sequences longer than this are no colour sequences.
const LONGEST_SGR: usize = 256;

/// Cuts a text into tokens; escape sequences and control characters that are not among these are passed over.
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    /// A control sequence; `introducer` is how long `ESC [` is.
    fn control(&mut self, introducer: usize) -> Option<Token<'a>> {
        let body = &self.rest[introducer..];
        let params = body.bytes().take_while(|b| (0x30..=0x3f).contains(b)).count();
        let between = body[params..].bytes().take_while(|b| (0x20..=0x2f).contains(b)).count();
        let last = body[params + between..].bytes().next();
        let Some(last) = last.filter(|b| (0x40..=0x7e).contains(b)) else {
            self.take(introducer + params + between);
            return None;
        };
        let whole = self.take(introducer + params + between + 1);
        let params = &whole[introducer..introducer + params];
        let plain = between == 0 && params.bytes().all(|b| b.is_ascii_digit() || b == b';' || b == b':');
        match last {
            b'm' if plain && whole.len() <= LONGEST_SGR => Some(Token::Sgr(whole)),
            b'K' if plain => Some(Token::Erase(number(params).unwrap_or(0))),
            _ => None,
        }
    }

    /// A string sequence, such as a title or a link: up to its terminator. Where there is none, only the introducer goes: a
    /// sequence that was cut must not take the rest of the text with it.
    fn string(&mut self, introducer: usize) {
        let body = &self.rest[introducer..];
        let ends = |c: char| matches!(c, '\x07' | '\x1b' | '\x18' | '\x1a' | '\u{9c}' | '\n');
        match body.find(ends) {
            Some(at) if body[at..].starts_with("\x1b\\") => self.take(introducer + at + 2),
            Some(at) if body[at..].starts_with('\u{9c}') => self.take(introducer + at + 2),
            Some(at) if body[at..].starts_with(['\x1b', '\n']) => self.take(introducer + at),
            Some(at) => self.take(introducer + at + 1),
            None => self.take(introducer),
        };
    }

    fn escape(&mut self) -> Option<Token<'a>> {
        match self.rest.as_bytes().get(1) {
            Some(b'[') => return self.control(2),
            Some(b']' | b'P' | b'X' | b'^' | b'_') => self.string(2),
            Some(0x20..=0x2f) => {
                let between = self.rest[1..].bytes().take_while(|b| (0x20..=0x2f).contains(b)).count();
                let last = self.rest[1 + between..].bytes().next().is_some_and(|b| (0x30..=0x7e).contains(&b));
                self.take(1 + between + usize::from(last));
            }
            Some(0x30..=0x7e) => {
                self.take(2);
            }
            _ => {
                self.take(1);
            }
        }
        None
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
            let token = match first {
                '\x1b' => self.escape(),
                '\u{9b}' => self.control(2),
                '\u{9d}' | '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => {
                    self.string(2);
                    None
                }
                other => {
                    self.take(other.len_utf8());
                    match other {
                        '\r' => Some(Token::Return),
                        '\x08' => Some(Token::Back),
                        '\n' => Some(Token::Newline),
                        _ => None,
                    }
                }
            };
            if token.is_some() {
                return token;
            }
        }
    }
}

/// Takes over what a colour sequence, whole as sent, asks for.
pub(super) fn apply(style: &mut Style, sequence: &str) {
    let params = sequence.trim_start_matches(['\x1b', '[', '\u{9b}']).trim_end_matches('m');
    style.apply(params);
}

/// A piece of text in one style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The text, without any escape sequence; never empty.
    pub text: String,
    /// How it is drawn.
    pub style: Style,
}

/// A text cut where its style changes. The texts joined are [`plain`]'s text.
pub fn segments(text: &str) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut style = Style::default();
    for token in Tokens::of(text) {
        let piece = match token {
            Token::Text(piece) => piece,
            Token::Newline => "\n",
            Token::Sgr(sequence) => {
                apply(&mut style, sequence);
                continue;
            }
            Token::Erase(_) | Token::Return | Token::Back => continue,
        };
        match segments.last_mut() {
            Some(last) if last.style == style => last.text.push_str(piece),
            _ => segments.push(Segment { text: piece.to_owned(), style }),
        }
    }
    segments
}

/// A text without colours and other escape sequences.
pub fn plain(text: &str) -> String {
    Tokens::of(text)
        .filter_map(|token| match token {
            Token::Text(piece) => Some(piece),
            Token::Newline => Some("\n"),
            _ => None,
        })
        .collect()
}

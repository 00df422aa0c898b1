//! Terminal colours: a line with ANSI SGR sequences as pieces of text, each in one dress.

use unicode_width::UnicodeWidthChar as _;

/// One of six hues that can be read on a light and on a dark ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hue {
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    /// Greys, black and white.
    Neutral,
}

impl Hue {
    fn letter(self) -> char {
        match self {
            Self::Red => 'r',
            Self::Green => 'g',
            Self::Yellow => 'y',
            Self::Blue => 'b',
            Self::Magenta => 'm',
            Self::Cyan => 'c',
            Self::Neutral => 'n',
        }
    }
}

/// How a piece looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dress {
    ink: Option<Hue>,
    ground: Option<Hue>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    struck: bool,
    inverse: bool,
}

impl Dress {
    /// The classes of its text.
    pub(super) fn classes(self) -> String {
        let ink = if self.inverse { self.ground } else { self.ink };
        let mut classes = match ink {
            Some(Hue::Neutral) | None => String::new(),
            Some(hue) => format!("f{}", hue.letter()),
        };
        for (on, class) in
            [(self.bold, "b"), (self.dim, "d"), (self.italic, "i"), (self.underline, "u"), (self.struck, "x")]
        {
            if on {
                classes.push(' ');
                classes.push_str(class);
            }
        }
        classes.trim_start().to_owned()
    }

    /// The class of its ground, if it has one.
    pub(super) fn ground(self) -> Option<String> {
        let ground = match self.inverse {
            true => Some(self.ink.unwrap_or(Hue::Neutral)),
            false => self.ground,
        };
        ground.map(|hue| format!("g{}", hue.letter()))
    }

    fn sgr(&mut self, parameters: &str) {
        let mut codes = parameters.split([';', ':']).map(|p| match p {
            "" => Some(0u16),
            p => p.parse().ok(),
        });
        while let Some(code) = codes.next() {
            let Some(code) = code else { continue };
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 | 21 => self.underline = true,
                7 => self.inverse = true,
                9 => self.struck = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                27 => self.inverse = false,
                29 => self.struck = false,
                30..=37 | 90..=97 => {
                    self.ink = Some(sixteen(code % 10));
                    self.dim |= code == 90;
                }
                39 => self.ink = None,
                40..=47 | 100..=107 => self.ground = Some(sixteen(code % 10)),
                49 => self.ground = None,
                38 | 48 => {
                    let hue = match codes.next().flatten() {
                        Some(5) => codes.next().flatten().map(indexed),
                        Some(2) => {
                            let mut next = || codes.next().flatten();
                            match (next(), next(), next()) {
                                (Some(r), Some(g), Some(b)) => Some(mixed(r, g, b)),
                                _ => None,
                            }
                        }
                        _ => None,
                    };
                    match (hue, code) {
                        (None, _) => {}
                        (hue, 38) => self.ink = hue,
                        (hue, _) => self.ground = hue,
                    }
                }
                _ => {}
            }
        }
    }
}

fn sixteen(code: u16) -> Hue {
    match code % 10 {
        1 => Hue::Red,
        2 => Hue::Green,
        3 => Hue::Yellow,
        4 => Hue::Blue,
        5 => Hue::Magenta,
        6 => Hue::Cyan,
        _ => Hue::Neutral,
    }
}

/// A colour of the 256: the sixteen, a cube of six by six by six, and greys.
fn indexed(n: u16) -> Hue {
    match n {
        0..=15 => sixteen(n % 8),
        16..=231 => {
            let level = |v: u16| if v == 0 { 0 } else { 55 + v * 40 };
            let n = n - 16;
            mixed(level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        _ => Hue::Neutral,
    }
}

/// The hue that a mixed colour is nearest to.
fn mixed(r: u16, g: u16, b: u16) -> Hue {
    let [r, g, b] = [r, g, b].map(|v| i32::from(v.min(255)));
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let range = most - least;
    if range * 5 < most || range < 24 {
        return Hue::Neutral;
    }
    let degrees = if most == r {
        (60 * (g - b) / range).rem_euclid(360)
    } else if most == g {
        120 + 60 * (b - r) / range
    } else {
        240 + 60 * (r - g) / range
    };
    match degrees {
        0..=19 | 340..=360 => Hue::Red,
        20..=69 => Hue::Yellow,
        70..=164 => Hue::Green,
        165..=204 => Hue::Cyan,
        205..=259 => Hue::Blue,
        _ => Hue::Magenta,
    }
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    /// The column that it begins in, from 0, and how many it takes.
    pub(super) column: usize,
    pub(super) columns: usize,
    /// Of characters that take two columns: they are pieces of their own, so that every piece is evenly spaced.
    wide: bool,
    pub(super) dress: Dress,
}

/// No more characters of a line than this are looked at.
const MOST_CHARS: usize = 20_000;

/// The pieces of a line of at most so many columns, and whether it was cut. Colours last from line to line: `dress` is
/// what the line begins in, and afterwards what the next one does. Tabs go to every eighth column; what is
/// no SGR sequence is text.
pub(super) fn pieces(line: &str, most: usize, dress: &mut Dress) -> (Vec<Piece>, bool) {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut column = 0;
    let mut marks = 0;
    let mut full = false;
    let beginning = line.char_indices().nth(MOST_CHARS).map_or(line, |(end, _)| &line[..end]);
    let mut rest = beginning;
    while let Some(c) = rest.chars().next() {
        if c == '\u{1b}'
            && let Some(length) = sgr_length(rest)
        {
            dress.sgr(&rest[2..length - 1]);
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if full {
            continue;
        }
        let (shown, columns) = match c {
            '\t' => {
                let blanks = 8 - column % 8;
                (" ".repeat(blanks), blanks)
            }
            c => {
                let shown = super::xml::visible(c.encode_utf8(&mut [0; 4]));
                let columns = shown.chars().map(|c| c.width().unwrap_or(1)).sum();
                (shown, columns)
            }
        };
        // More marks upon one letter would run over the lines above.
        marks = if columns == 0 { marks + 1 } else { 0 };
        if marks > 3 {
            continue;
        }
        if column + columns > most {
            full = true;
            continue;
        }
        match pieces.last_mut() {
            Some(last) if last.dress == *dress && (columns == 0 || last.wide == (columns > 1 && c != '\t')) => {
                last.text.push_str(&shown);
                last.columns += columns;
            }
            _ => pieces.push(Piece { text: shown, column, columns, wide: columns > 1 && c != '\t', dress: *dress }),
        }
        column += columns;
    }
    (pieces, full || beginning.len() < line.len())
}

/// How long the SGR sequence is that a text begins with.
fn sgr_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

/// A line without its colours.
pub(super) fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        let length = sgr_length(&rest[at..]);
        if length.is_none() {
            out.push('\u{1b}');
        }
        rest = &rest[at + length.unwrap_or(1)..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Vec<(String, usize, String)> {
        let (pieces, _) = pieces(line, 200, &mut Dress::default());
        pieces.into_iter().map(|p| (p.text, p.column, p.dress.classes())).collect()
    }

    fn piece(text: &str, column: usize, classes: &str) -> (String, usize, String) {
        (text.to_owned(), column, classes.to_owned())
    }

    #[test]
    fn colours_are_told_apart() {
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
        let (all, cut) = pieces("日本🚀\u{1b}[31mx\ty", 200, &mut Dress::default());
        assert_eq!((all[1].column, all[1].columns, cut), (6, 3, false));
        assert_eq!(all[1].text, "x y");
    }

    #[test]
    fn what_is_no_colour_is_text() {
        assert_eq!(shown("\u{1b}[2Jx\u{1b}["), [piece("␛[2Jx␛[", 0, "")]);
        assert_eq!(plain("\u{1b}[1mbold\u{1b}[0m \u{1b}[2J"), "bold \u{1b}[2J");
        let (all, cut) = pieces(&"x".repeat(300), 100, &mut Dress::default());
        assert_eq!((all[0].columns, cut), (100, true));
    }

    #[test]
    fn a_colour_lasts_until_it_is_ended() {
        let mut dress = Dress::default();
        pieces("\u{1b}[31mred", 80, &mut dress);
        assert_eq!(pieces("still", 80, &mut dress).0[0].dress.classes(), "fr");
    }
}

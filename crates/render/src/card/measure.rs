//! Computes an upper bound of the width of text from a table, independent of installed fonts.

use unicode_width::UnicodeWidthChar as _;

use crate::inline::visible;

/// Advance widths of the printable ASCII characters in thousandths of the font size, of DejaVu Sans. It is one of the
/// widest fonts that a system may substitute, so text that fits in it fits in others.
const WIDTHS: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636,
    636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863,
    748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635,
    615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636,
    337, 636, 838,
];

/// A size and weight of text.
#[derive(Clone, Copy)]
pub(super) struct Font {
    size: f64,
    factor: f64,
    mono: bool,
}

impl Font {
    pub(super) const fn plain(size: f64) -> Self {
        Self { size, factor: 1.0, mono: false }
    }

    /// Bold is at most a twelfth wider.
    pub(super) const fn bold(size: f64) -> Self {
        Self { size, factor: 1.12, mono: false }
    }

    pub(super) const fn mono(size: f64) -> Self {
        Self { size, factor: 1.0, mono: true }
    }

    /// The width in user units, an upper bound for other fonts.
    pub(super) fn width(self, text: &str) -> f64 {
        text.chars().map(|c| self.advance(c)).sum()
    }

    fn advance(self, c: char) -> f64 {
        let em = match u32::from(c) {
            32..=126 if self.mono => 0.612,
            code @ 32..=126 => f64::from(WIDTHS[code as usize - 32]) / 1000.0,
            0xfffd if !self.mono => 1.1,
            // Wide characters are one em in most fonts, emoji up to 1.4; all others are below 0.9.
            _ => match c.width() {
                Some(0) => 0.05,
                Some(2) => 1.4,
                _ => 0.9,
            },
        };
        em * self.size * self.factor
    }

    /// The text, truncated with an ellipsis to the width `room`; empty if not even the ellipsis fits.
    pub(super) fn fit(self, text: &str, room: f64) -> String {
        let dots = self.advance('…');
        let mut used = 0.0;
        let mut out = String::new();
        // The position to truncate at if the text is too long.
        let mut keep = None;
        for c in text.chars() {
            let next = used + self.advance(c);
            if keep.is_none() && next + dots > room {
                keep = Some(out.len());
            }
            if next > room {
                if dots > room {
                    return String::new();
                }
                out.truncate(keep.unwrap_or(0));
                let end = out.trim_end().len();
                out.truncate(end);
                out.push('…');
                return out;
            }
            out.push(c);
            used = next;
        }
        out
    }

    /// The text on at most `most` lines of this width, wrapped at blanks if possible; the last ends with an ellipsis if
    /// text remains. Keeps line breaks, replaces tabs by four blanks, and reads only as much text as is shown.
    pub(super) fn wrap(self, text: &str, room: f64, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let longest = self.most_chars(room).saturating_mul(most);
        let mut rest_of_text = text.trim_end().split('\n').peekable();
        while let Some(line) = rest_of_text.next() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let mut rest: String = line.chars().take(longest).collect::<String>().replace('\t', "    ");
            rest = visible(&rest);
            let mut rest = rest.as_str();
            loop {
                if lines.len() + 1 >= most {
                    let fitted = self.fit(rest, room);
                    let more = rest_of_text.peek().is_some() && !fitted.ends_with('…');
                    lines.push(match more {
                        true => self.fit(&format!("{fitted} …"), room),
                        false => fitted,
                    });
                    return lines;
                }
                let end = self.line_end(rest, room);
                lines.push(rest[..end].trim_end().to_owned());
                rest = if end == rest.len() { "" } else { rest[end..].trim_start() };
                if rest.is_empty() {
                    break;
                }
            }
        }
        lines
    }

    /// The end of a line of this width: after its last blank, if that is not too far back.
    fn line_end(self, text: &str, room: f64) -> usize {
        let mut used = 0.0;
        let mut blank = None;
        for (i, c) in text.char_indices() {
            used += self.advance(c);
            if used > room {
                return match blank {
                    Some((at, width)) if width > room * 0.5 => at,
                    _ if i == 0 => c.len_utf8(),
                    _ => i,
                };
            }
            if c == ' ' || c == ',' {
                blank = Some((i + c.len_utf8(), used));
            }
        }
        text.len()
    }

    /// Maximum number of characters to process for one line.
    fn most_chars(self, room: f64) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a card's width in characters")]
        let most = (room / (0.05 * self.size)).clamp(64.0, 4096.0) as usize;
        most
    }
}

//! How wide a text will be at most, by one table, on every machine.

use unicode_width::UnicodeWidthChar as _;

/// Advance widths of the printable ASCII characters in thousandths of the font size. DejaVu Sans: of the fonts that a
/// reader's system may put in, about the widest, so what fits here fits there.
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

    /// Bold: a twelfth wider at most where it matters.
    pub(super) const fn bold(size: f64) -> Self {
        Self { size, factor: 1.12, mono: false }
    }

    pub(super) const fn mono(size: f64) -> Self {
        Self { size, factor: 1.0, mono: true }
    }

    /// The width in user units; never less than a reader's font needs.
    pub(super) fn width(self, text: &str) -> f64 {
        text.chars().map(|c| self.advance(c)).sum()
    }

    fn advance(self, c: char) -> f64 {
        let em = match u32::from(c) {
            32..=126 if self.mono => 0.612,
            code @ 32..=126 => f64::from(WIDTHS[code as usize - 32]) / 1000.0,
            // Wide characters are one em in most fonts, emoji up to 1.4; the narrow rest is below 0.9.
            _ => match c.width() {
                Some(0) => 0.05,
                Some(2) => 1.4,
                _ => 0.9,
            },
        };
        em * self.size * self.factor
    }

    /// The text, cut with an ellipsis so that it is no wider than `room`; empty where not even that fits.
    pub(super) fn fit(self, text: &str, room: f64) -> String {
        let dots = self.advance('…');
        let mut used = 0.0;
        let mut out = String::new();
        // Where the text would be cut if it turns out too long.
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
}

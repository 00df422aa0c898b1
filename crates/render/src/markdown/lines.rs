//! Converts byte offsets to lines and UTF-16 offsets.

use std::ops::Range;

use super::Place;

/// The beginnings of a text's lines. LF, CR LF and CR each end one line.
pub(super) struct Lines<'a> {
    text: &'a str,
    /// The byte at which each line begins.
    starts: Vec<usize>,
    /// The UTF-16 offset of every [`STEP`]th byte, or of the character that contains it, so that a place in a long line
    /// does not require counting from its start.
    steps: Vec<(usize, usize)>,
}

const STEP: usize = 256;

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut starts = vec![0];
        let mut steps = Vec::with_capacity(text.len() / STEP + 1);
        let mut utf16 = 0;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let end = at + c.len_utf8();
            // A character has fewer bytes than a step.
            if end > steps.len() * STEP {
                steps.push((at, utf16));
            }
            utf16 += c.len_utf16();
            let ends = c == '\n' || (c == '\r' && chars.peek().is_none_or(|(_, next)| *next != '\n'));
            if ends {
                starts.push(end);
            }
        }
        Self { text, starts, steps }
    }

    /// Both ends of a range of bytes, in UTF-16 too, and the line it begins on.
    pub(super) fn place(&self, range: Range<usize>) -> Place {
        let line = self.line(range.start);
        let (start, end) = (self.utf16(range.start), self.utf16(range.end));
        Place { start, end, byte_start: range.start, byte_end: range.end, line }
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte)
    }

    /// The UTF-16 offset of a byte.
    fn utf16(&self, byte: usize) -> usize {
        let step = (byte / STEP).min(self.steps.len().saturating_sub(1));
        let Some((at, utf16)) = self.steps.get(step).copied() else { return 0 };
        utf16 + self.text.get(at..byte).map_or(0, |text| text.encode_utf16().count())
    }
}

/// The byte offset of a UTF-16 offset, if it is valid in this text.
pub(super) fn byte_of(text: &str, utf16: usize) -> Option<usize> {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if units >= utf16 {
            return (units == utf16).then_some(at);
        }
        units += c.len_utf16();
    }
    (units == utf16).then_some(text.len())
}

/// The prefix of later lines of the same container: quote signs are kept, list markers become blanks.
pub(crate) fn continuation(before: &str) -> String {
    before.chars().map(|c| if matches!(c, '>' | '\t') { c } else { ' ' }).collect()
}

/// The line ending used at a byte: that of its line, else of the previous line, else LF.
pub(crate) fn eol_at(body: &str, at: usize) -> &'static str {
    let kind = |i: usize| match (body.as_bytes()[i], body.as_bytes().get(i + 1)) {
        (b'\r', Some(b'\n')) => "\r\n",
        (b'\r', _) => "\r",
        _ if i > 0 && body.as_bytes()[i - 1] == b'\r' => "\r\n",
        _ => "\n",
    };
    let after = body[at..].find(['\n', '\r']).map(|i| kind(at + i));
    after.or_else(|| body[..at].rfind(['\n', '\r']).map(kind)).unwrap_or("\n")
}

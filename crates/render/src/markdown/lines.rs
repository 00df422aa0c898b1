//! Converts byte offsets to lines and UTF-16 offsets.

use std::ops::Range;

use super::Place;

/// The beginnings of a text's lines. LF, CR LF and CR each end one line.
pub(super) struct Lines<'a> {
    text: &'a str,
    /// Byte and UTF-16 offset at which each line begins.
    starts: Vec<(usize, usize)>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut starts = vec![(0, 0)];
        let mut utf16 = 0;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            utf16 += c.len_utf16();
            let ends = c == '\n' || (c == '\r' && chars.peek().is_none_or(|(_, next)| *next != '\n'));
            if ends {
                starts.push((at + c.len_utf8(), utf16));
            }
        }
        Self { text, starts }
    }

    /// Both ends of a range of bytes, in UTF-16 too, and the line it begins on.
    pub(super) fn place(&self, range: Range<usize>) -> Place {
        let (line, start) = self.at(range.start);
        let (_, end) = self.at(range.end);
        Place { start, end, byte_start: range.start, byte_end: range.end, line }
    }

    /// The line (from 1) and the UTF-16 offset of a byte.
    fn at(&self, byte: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|(start, _)| *start <= byte);
        let (start, utf16) = self.starts[line - 1];
        let within = self.text.get(start..byte).map_or(0, |text| text.encode_utf16().count());
        (line, utf16 + within)
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

//! Private keys over several lines, also when every line is a record of its own or has a prefix.

use super::scan::{Cut, text_of};
use super::values::{distinct, is_wordlike};

/// How keys begin: RFC 7468, RFC 9580 section 6.2, RFC 4716, and PuTTY's documentation, appendix C.3.
pub(super) const MARKS: &[&str] = &["-----BEGIN ", "---- BEGIN ", "-----BEGIN%20", "-----BEGIN+", "Private-Lines:"];

const WHAT: &str = "private key";

/// Lines between the first and the last line of a key, and lines of others among them.
const MOST_LINES: usize = 4000;
const MOST_OTHERS: usize = 400;

/// Bytes of a line that are looked at.
const LINE: usize = 16 * 1024;

/// Bytes in a row that are taken for a line of a key by themselves.
const LONG: usize = 16;

/// A line without its break, which may be escaped.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        if self.at >= self.text.len() {
            return None;
        }
        let start = self.at;
        let mut end = start;
        while end < self.text.len() && end - start < LINE {
            match self.text[end] {
                b'\n' => {
                    self.at = end + 1;
                    return Some((start, end));
                }
                // `\n`, `\r\n`, `\\n`
                b'\\' => {
                    let after = super::scan::run(self.text, end, |b| b == b'\\');
                    if matches!(self.text.get(after), Some(b'n' | b'r')) {
                        self.at = after + 1;
                        return Some((start, end));
                    }
                    end = after;
                }
                b'%' if self
                    .text
                    .get(end + 1..end + 3)
                    .is_some_and(|code| code.eq_ignore_ascii_case(b"0a") || code.eq_ignore_ascii_case(b"0d")) =>
                {
                    self.at = end + 3;
                    return Some((start, end));
                }
                b'<' if self.text.get(end..end + 3).is_some_and(|tag| tag.eq_ignore_ascii_case(b"<br")) => {
                    self.at = end + super::scan::run(&self.text[end..], 0, |b| b != b'>').min(8) + 1;
                    return Some((start, end));
                }
                _ => end += 1,
            }
        }
        self.at = end.max(start + 1);
        Some((start, end))
    }
}

/// Looks at what follows a key's first line.
pub(super) fn find(text: &[u8], start: usize, end: usize, cuts: &mut Vec<Cut>) {
    let putty = text[start..end].eq_ignore_ascii_case(b"private-lines:");
    let dashes = text[start..].iter().take(8).take_while(|b| **b == b'-').count();
    let mut at = end;
    let mut hex = false;
    if !putty {
        let label_end =
            end + text[end..].iter().take(80).take_while(|b| !matches!(b, b'-' | b'\n' | b'\r' | b'\\')).count();
        let label = text_of(text, end, label_end).to_ascii_uppercase().replace("%20", " ").replace('+', " ");
        hex = label.contains("STATIC KEY");
        if !label.contains("PRIVATE KEY") && !hex {
            return;
        }
        at = super::scan::run(text, label_end, |b| b == b'-');
        if at - label_end < dashes.min(4) {
            return;
        }
    }
    let mut body = Body::default();
    // Other texts among the lines.
    let mut others = 0;
    for (n, (from, to)) in (Lines { text, at }).enumerate() {
        let line = &text[from..to];
        let last = match putty {
            true => line.windows(12).position(|w| w.eq_ignore_ascii_case(b"private-mac:")),
            false => line.windows(8).position(|w| w == b"---- END" || w == b"-----END" || w == b"----%20E"),
        };
        if let Some(last) = last {
            // As one text, one mark stands for the whole. A prefix before the last line is none of it.
            let before = &line[..last];
            let one = n == 0 || !body.foreign && !putty && before.iter().all(|b| b.is_ascii_whitespace() || *b == b'-');
            match one {
                true => cuts.push(Cut { start, end: from + last, what: WHAT }),
                false => body.finish(cuts),
            }
            return;
        }
        if n > MOST_LINES || others > MOST_OTHERS {
            break;
        }
        others = if body.line(text, from, to, hex, n) { 0 } else { others + 1 };
    }
    // Truncated: only what is certain.
    body.short.clear();
    body.finish(cuts);
}

/// The lines of a key.
#[derive(Default)]
struct Body {
    found: Vec<(usize, usize)>,
    /// What may be its last line, and whether it stands where the lines before stood.
    short: Vec<(usize, usize, bool)>,
    /// Where a line's key begins, and what follows it.
    column: Option<(usize, Vec<u8>)>,
    /// Whether other text stands between or beside the lines.
    foreign: bool,
}

impl Body {
    fn finish(mut self, cuts: &mut Vec<Cut>) {
        let sure = self.short.iter().any(|(_, _, sure)| *sure);
        // Prefixes of different lengths: the last line that looks like one.
        let last = self.short.last().filter(|_| !sure).map(|(start, end, _)| (*start, *end));
        self.found.extend(self.short.iter().filter(|(_, _, sure)| *sure).map(|(start, end, _)| (*start, *end)));
        self.found.extend(last);
        cuts.extend(self.found.into_iter().map(|(start, end)| Cut { start, end, what: WHAT }));
    }

    /// Reads a line. Returns whether it belongs to the key.
    fn line(&mut self, text: &[u8], from: usize, to: usize, hex: bool, n: usize) -> bool {
        let line = &text[from..to];
        if line.iter().all(u8::is_ascii_whitespace) {
            return true;
        }
        if line.windows(super::PLACEHOLDER.len()).any(|w| w == super::PLACEHOLDER.as_bytes()) {
            self.foreign = true;
            return true;
        }
        let alone =
            |start: usize, end: usize| text[from..start].iter().chain(&text[end..to]).all(u8::is_ascii_whitespace);
        let after = |end: usize| text[end..to.min(end + 4)].to_vec();
        match payload(text, from, to, hex, self.column.as_ref().map(|(column, _)| *column)) {
            Payload::Long(start, end) => {
                self.column = Some((start - from, after(end)));
                self.foreign |= !alone(start, end);
                self.found
                    .extend(self.short.drain(..).filter(|(_, _, sure)| *sure).map(|(start, end, _)| (start, end)));
                self.found.push((start, end));
                true
            }
            Payload::Short(start, end) => {
                let sure =
                    self.column.as_ref().is_some_and(|(column, next)| *column == start - from && *next == after(end));
                let header = n < 6 && line.iter().take(24).any(|b| *b == b':');
                self.foreign |= !alone(start, end) && !header;
                if sure || is_likely(&text[start..end]) {
                    self.short.push((start, end, sure));
                }
                if self.short.len() > 8 {
                    self.short.remove(0);
                }
                sure
            }
            Payload::None => {
                self.foreign = true;
                false
            }
        }
    }
}

/// Whether a few characters look like base64 rather than a word or a number.
fn is_likely(body: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| body.iter().any(is);
    let mixed = has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(|b| b.is_ascii_digit() || matches!(b, b'+' | b'/'));
    body.ends_with(b"=") || body.starts_with(b"=") || mixed
}

enum Payload {
    /// Certainly a line of a key.
    Long(usize, usize),
    /// Perhaps its last line.
    Short(usize, usize),
    None,
}

/// The part of a line that belongs to a key: its longest run of base64, or a short one where the lines before had it.
fn payload(text: &[u8], from: usize, to: usize, hex: bool, column: Option<usize>) -> Payload {
    let is_key = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_');
    let mut best = (from, from);
    let mut at_column = None;
    let mut last = None;
    let mut at = from;
    while at < to {
        if !is_key(text[at]) {
            at += 1;
            continue;
        }
        let end = super::scan::run(&text[..to], at, is_key);
        if end - at > best.1 - best.0 {
            best = (at, end);
        }
        if let Some(column) = column.filter(|column| (at..end).contains(&(from + column))) {
            at_column = Some((from + column, end));
        }
        if text[at..end].iter().any(u8::is_ascii_alphanumeric) {
            last = Some((at, end));
        }
        at = end;
    }
    let (start, end) = best;
    let body = &text[start..end];
    let lower_hex = body.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b) || *b == b'-');
    let words = text_of(text, start, end);
    let long =
        body.len() >= LONG && (hex || !lower_hex && distinct(&words) >= 3 && !(body.len() < 40 && is_wordlike(&words)));
    match at_column.or(last) {
        _ if long && !is_time(body) => Payload::Long(start, end),
        Some((start, end)) => Payload::Short(start, end),
        None => Payload::None,
    }
}

fn is_time(body: &[u8]) -> bool {
    body.len() < 40 && body.starts_with(b"20") && body.get(4) == Some(&b'-')
}

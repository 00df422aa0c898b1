//! Other readings of a text: without terminal sequences, with JSON's escapes resolved, and with percent-encoding
//! resolved. What is found in one is cut from the original.

use super::scan::{self, Cut};

/// Bytes of a line that are read another way.
const LONGEST: usize = 4 * 1024 * 1024;

/// A reading, with the place in the original of every byte.
struct View {
    text: Vec<u8>,
    places: Vec<usize>,
}

impl View {
    fn new(capacity: usize) -> Self {
        Self { text: Vec::with_capacity(capacity), places: Vec::with_capacity(capacity + 1) }
    }

    fn push(&mut self, byte: u8, place: usize) {
        self.text.push(byte);
        self.places.push(place);
    }
}

/// Adds the cuts of the original for a cut of a reading.
type Place<'a> = dyn Fn(Cut, &mut Vec<Cut>) + 'a;

/// Calls a function with every reading that differs from the text.
pub(super) fn each(text: &[u8], scan: &mut dyn FnMut(&[u8], &Place<'_>)) {
    if text.contains(&0x1b) {
        let view = without_escapes(text);
        scan(&view.text, &|cut, cuts| {
            // The sequences inside stay, so that the rest of the line keeps its style.
            let mut from = cut.start;
            for at in cut.start + 1..=cut.end {
                if at == cut.end || view.places[at] != view.places[at - 1] + 1 {
                    cuts.push(Cut { start: view.places[from], end: view.places[at - 1] + 1, what: cut.what });
                    from = at;
                }
            }
        });
    }
    for (mark, read) in [(b'\\', unescaped as fn(&[u8], usize) -> View), (b'%', decoded), (b'&', entities)] {
        if !text.contains(&mark) {
            continue;
        }
        let mut start = 0;
        for line in text.split(|b| *b == b'\n') {
            let marked = line.iter().position(|b| *b == mark);
            if marked.is_some_and(|at| is_encoded(&line[at..], mark)) && line.len() <= LONGEST {
                let mut view = read(line, start);
                view.places.push(start + line.len());
                scan(&view.text, &|cut, cuts| {
                    cuts.push(Cut { start: view.places[cut.start], end: view.places[cut.end], what: cut.what });
                });
            }
            start += line.len() + 1;
        }
    }
}

/// Whether the line has a code that the reading resolves.
fn is_encoded(rest: &[u8], mark: u8) -> bool {
    match mark {
        b'%' => rest.windows(3).any(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit()),
        b'&' => {
            rest.windows(4).any(|w| w[0] == b'&' && (w[1] == b'#' || w[1].is_ascii_lowercase())) && rest.contains(&b';')
        }
        _ => true,
    }
}

/// Without the control sequences of ECMA-48 (CSI, OSC and single escapes), and without backspaces.
fn without_escapes(text: &[u8]) -> View {
    let mut view = View::new(text.len());
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            0x1b => at = escape_end(text, at),
            b => {
                view.push(b, at);
                at += 1;
            }
        }
    }
    view
}

fn escape_end(text: &[u8], at: usize) -> usize {
    match text.get(at + 1) {
        Some(b'[') => (scan::run(text, at + 2, |b| (0x20..0x40).contains(&b)) + 1).min(text.len()),
        Some(b']' | b'P' | b'_' | b'^') => {
            let end = scan::run(text, at + 2, |b| b != 0x07 && b != 0x1b && b != b'\n');
            match text.get(end) {
                Some(0x07) => end + 1,
                Some(0x1b) if text.get(end + 1) == Some(&b'\\') => end + 2,
                _ => end,
            }
        }
        Some(b) if (0x20..0x30).contains(b) => {
            (scan::run(text, at + 1, |b| (0x20..0x30).contains(&b)) + 1).min(text.len())
        }
        Some(_) => at + 2,
        None => at + 1,
    }
}

/// With the escapes of JSON strings resolved (RFC 8259, section 7).
fn unescaped(line: &[u8], start: usize) -> View {
    let mut view = View::new(line.len());
    let mut at = 0;
    while at < line.len() {
        // `\\u0070`: JSON in JSON.
        let slashes = if line[at] == b'\\' { scan::run(line, at, |b| b == b'\\') - at } else { 0 };
        if slashes > 1
            && line.get(at + slashes) == Some(&b'u')
            && let Some(byte) = code(line.get(at + slashes + 1..at + slashes + 5))
        {
            view.push(byte, start + at);
            at += slashes + 5;
            continue;
        }
        let (byte, length) = match (line[at], line.get(at + 1)) {
            (b'\\', Some(b'n' | b'r')) => (b'\n', 2),
            (b'\\', Some(b't')) => (b'\t', 2),
            (b'\\', Some(b @ (b'"' | b'\'' | b'\\' | b'/'))) => (*b, 2),
            (b'\\', Some(b'u')) => match code(line.get(at + 2..at + 6)) {
                Some(byte) => (byte, 6),
                None => (line[at], 1),
            },
            (b'\\', Some(b'x')) => match code(line.get(at + 2..at + 4)) {
                Some(byte) => (byte, 4),
                None => (line[at], 1),
            },
            (b, _) => (b, 1),
        };
        view.push(byte, start + at);
        at += length;
    }
    view
}

/// The ASCII character of a code.
fn code(hex: Option<&[u8]>) -> Option<u8> {
    let hex = std::str::from_utf8(hex?).ok()?;
    u8::from_str_radix(hex, 16)
        .ok()
        .or_else(|| u32::from_str_radix(hex, 16).ok().and_then(|n| u8::try_from(n).ok()))
        .filter(u8::is_ascii)
}

/// With percent-encoding resolved (RFC 3986, section 2.1).
fn decoded(line: &[u8], start: usize) -> View {
    let mut view = View::new(line.len());
    let mut at = 0;
    while at < line.len() {
        let byte = (line[at] == b'%').then(|| code(line.get(at + 1..at + 3))).flatten();
        match byte {
            Some(byte) => {
                view.push(byte, start + at);
                at += 3;
            }
            None => {
                view.push(line[at], start + at);
                at += 1;
            }
        }
    }
    view
}

/// With the character references of HTML that stand for marks resolved.
fn entities(line: &[u8], start: usize) -> View {
    const ENTITIES: &[(&[u8], u8)] = &[
        (b"&quot;", b'"'),
        (b"&#34;", b'"'),
        (b"&#x22;", b'"'),
        (b"&apos;", b'\''),
        (b"&#39;", b'\''),
        (b"&#x27;", b'\''),
        (b"&amp;", b'&'),
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&#x3D;", b'='),
        (b"&#61;", b'='),
    ];
    let mut view = View::new(line.len());
    let mut at = 0;
    while at < line.len() {
        match ENTITIES.iter().find(|(name, _)| line[at] == b'&' && line[at..].starts_with(name)) {
            Some((name, byte)) => {
                view.push(*byte, start + at);
                at += name.len();
            }
            None => {
                view.push(line[at], start + at);
                at += 1;
            }
        }
    }
    view
}

//! Splits JSON into pieces without building it: the members of an object and the elements of an array as the text that
//! was sent.
//!
//! `serde_json` splits what is strict JSON; from the first fault on, a scanner goes on. Memory and stack are bounded:
//! only slices are held, and a document's depth only costs time. What stands between two commas is not examined by the
//! scanner, so that something unreadable there does not matter for what is around it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Key, mend};

/// Calls `each` with every member of an object, in order. An error is that of the reader or of `each`.
pub(crate) fn members<'a>(
    text: &'a str,
    mut each: impl FnMut(Cow<'a, str>, &'a str) -> Result<(), String>,
) -> Result<(), String> {
    let (mut done, mut own) = (0, None);
    let strict = strict_members(text, |key, value| {
        done += 1;
        own = each(key, value).err();
        own.is_none()
    });
    match (own, strict) {
        (Some(own), _) => Err(own),
        (None, Ok(())) => Ok(()),
        (None, Err(_)) => lenient_members(text, done, each),
    }
}

/// Reads an object that is strict JSON in one pass. `each` gets every key with the text that begins with its value,
/// reads that value and returns its length in bytes, for instance with [`first`].
///
/// `None` where the text is not strict JSON or `each` returns `None`; what was read by then is of no use.
pub(crate) fn walk<'a>(text: &'a str, mut each: impl FnMut(Cow<'a, str>, &'a str) -> Option<usize>) -> Option<()> {
    let mut scan = Scan { text, at: 0 };
    scan.expect(b'{').ok()?;
    if scan.peek() == Some(b'}') {
        scan.at += 1;
        return scan.end().ok();
    }
    loop {
        let quoted = scan.string().ok()?;
        let inside = &quoted[1..quoted.len() - 1];
        let key = match inside.bytes().any(|byte| byte == b'\\' || byte < 0x20) {
            false => Cow::Borrowed(inside),
            true => Cow::Owned(serde_json::from_str(quoted).ok()?),
        };
        scan.expect(b':').ok()?;
        scan.peek();
        scan.at += each(key, text.get(scan.at..)?)?;
        match scan.peek()? {
            b',' => scan.at += 1,
            b'}' => {
                scan.at += 1;
                return scan.end().ok();
            }
            _ => return None,
        }
        scan.peek();
    }
}

/// The value that a text begins with, and its length in bytes.
pub(crate) fn first<'a, T: Deserialize<'a>>(text: &'a str) -> Option<(T, usize)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let value = values.next()?.ok()?;
    Some((value, values.byte_offset()))
}

/// Calls `each` with every element of an array, in order; `null` counts as an empty array.
pub(crate) fn elements<'a>(text: &'a str, mut each: impl FnMut(&'a str) -> Result<(), String>) -> Result<(), String> {
    if text.trim() == "null" {
        return Ok(());
    }
    let (mut done, mut own) = (0, None);
    let strict = strict_elements(text, |element| {
        done += 1;
        own = each(element).err();
        own.is_none()
    });
    match (own, strict) {
        (Some(own), _) => Err(own),
        (None, Ok(())) => Ok(()),
        (None, Err(_)) => lenient_elements(text, done, each),
    }
}

/// Ends with an error where `each` returns false.
fn strict_members<'a>(text: &'a str, each: impl FnMut(Cow<'a, str>, &'a str) -> bool) -> Result<(), serde_json::Error> {
    struct Members<F>(F);
    impl<'a, F: FnMut(Cow<'a, str>, &'a str) -> bool> Visitor<'a> for Members<F> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }
        fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
            // Each is passed on only when it is known to end where the next one begins.
            let mut last: Option<(Cow<'a, str>, &RawValue)> = None;
            while let Some(Key(key)) = map.next_key()? {
                if last.is_some_and(|(key, value)| !(self.0)(key, value.get())) {
                    return Err(A::Error::custom("stopped"));
                }
                last = Some((key, map.next_value()?));
            }
            if last.is_some_and(|(key, value)| !(self.0)(key, value.get())) {
                return Err(A::Error::custom("stopped"));
            }
            Ok(())
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_map(Members(each)).and_then(|()| reader.end())
}

/// Ends with an error where `each` returns false.
fn strict_elements<'a>(text: &'a str, each: impl FnMut(&'a str) -> bool) -> Result<(), serde_json::Error> {
    struct Elements<F>(F);
    impl<'a, F: FnMut(&'a str) -> bool> Visitor<'a> for Elements<F> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON array")
        }
        fn visit_seq<A: SeqAccess<'a>>(mut self, mut seq: A) -> Result<(), A::Error> {
            let mut last: Option<&RawValue> = None;
            while let Some(element) = seq.next_element()? {
                if last.replace(element).is_some_and(|element| !(self.0)(element.get())) {
                    return Err(A::Error::custom("stopped"));
                }
            }
            if last.is_some_and(|element| !(self.0)(element.get())) {
                return Err(A::Error::custom("stopped"));
            }
            Ok(())
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_seq(Elements(each)).and_then(|()| reader.end())
}

/// The members behind the first `done` ones.
fn lenient_members<'a>(
    text: &'a str,
    mut done: usize,
    mut each: impl FnMut(Cow<'a, str>, &'a str) -> Result<(), String>,
) -> Result<(), String> {
    let mut scan = Scan { text, at: 0 };
    scan.open(b'{', "expected a JSON object")?;
    while !scan.closes(b'}')? {
        let key = key(scan.string()?)?;
        scan.expect(b':')?;
        match scan.piece()? {
            "" => return Err(format!("the member {:?} has no value", crate::text::clip(&key))),
            _ if done > 0 => done -= 1,
            value => each(key, value)?,
        }
    }
    scan.end()
}

/// The elements behind the first `done` ones.
fn lenient_elements<'a>(
    text: &'a str,
    mut done: usize,
    mut each: impl FnMut(&'a str) -> Result<(), String>,
) -> Result<(), String> {
    let mut scan = Scan { text, at: 0 };
    scan.open(b'[', "expected a JSON array")?;
    while !scan.closes(b']')? {
        match scan.piece()? {
            "" => return Err("an element of an array is missing".to_owned()),
            _ if done > 0 => done -= 1,
            element => each(element)?,
        }
    }
    scan.end()
}

/// A key without its quotes and escapes.
fn key(quoted: &str) -> Result<Cow<'_, str>, String> {
    let inside = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inside.bytes().any(|byte| byte == b'\\' || byte < 0x20) {
        return Ok(Cow::Borrowed(inside));
    }
    let read = serde_json::from_str(quoted).or_else(|error| match mend(quoted) {
        Some(mended) => serde_json::from_str(&mended),
        None => Err(error),
    });
    read.map(Cow::Owned).map_err(|error| super::words(&error))
}

/// A position in a text.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// The next byte that is not space, which stays.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let space = rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))?;
        self.at += space;
        rest.get(space).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(format!("expected `{}` at byte {}", char::from(byte), self.at)),
            None => Err(too_short()),
        }
    }

    fn open(&mut self, byte: u8, expected: &str) -> Result<(), String> {
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(expected.to_owned()),
            None => Err(too_short()),
        }
    }

    /// Whether the list ends here; passes the end. Before another piece there is none or one comma, see
    /// [`Scan::piece`].
    fn closes(&mut self, byte: u8) -> Result<bool, String> {
        match self.peek() {
            Some(found) => {
                let closes = found == byte;
                self.at += usize::from(closes);
                Ok(closes)
            }
            None => Err(too_short()),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(format!("trailing characters at byte {}", self.at)),
        }
    }

    /// A string with its quotes.
    fn string(&mut self) -> Result<&'a str, String> {
        if self.peek() != Some(b'"') {
            return Err(format!("expected a key in quotes at byte {}", self.at));
        }
        let start = self.at;
        self.pass_string()?;
        Ok(&self.text[start..self.at])
    }

    /// From a quote to behind the one that ends the string.
    fn pass_string(&mut self) -> Result<(), String> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        loop {
            match bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(());
                }
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => return Err(too_short()),
            }
        }
    }

    /// What stands before the next comma, which is passed, or before the end of the list, which stays.
    fn piece(&mut self) -> Result<&'a str, String> {
        self.peek();
        let bytes = self.text.as_bytes();
        let start = self.at;
        // Counted rather than recursed into, and without regard to which bracket closes which: a piece that has the
        // wrong ones is not readable anyway.
        let mut open = 0usize;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.pass_string()?;
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' if open == 0 => return Ok(self.text[start..self.at].trim_end()),
                b'}' | b']' => open -= 1,
                b',' if open == 0 => {
                    let piece = self.text[start..self.at].trim_end();
                    self.at += 1;
                    return Ok(piece);
                }
                _ => {}
            }
            self.at += 1;
        }
        Err(too_short())
    }
}

fn too_short() -> String {
    "it ends too early (EOF)".to_owned()
}

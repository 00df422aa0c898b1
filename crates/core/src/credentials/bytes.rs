//! Credentials in bytes. Messages of protocol buffers are read by their wire format
//! (<https://protobuf.dev/programming-guides/encoding/>), so that a text ends where its field ends, and that the key of
//! an OTLP attribute says what its value is.

use super::Removed;
use super::names::{self, Name};
use super::packed;
use super::scan;
use super::values::{self, Form};

/// Messages inside messages.
const DEEPEST: usize = 40;

/// A text or bytes in a message.
struct Leaf {
    start: usize,
    end: usize,
    name: Name,
}

/// Overwrites credentials with `*`: what was removed elsewhere, and what has the form of a credential. Every length
/// stays. Returns whether there were any.
pub(super) fn overwrite(bytes: &mut [u8], removed: &Removed) -> bool {
    overwrite_deep(bytes, removed, true)
}

/// As [`overwrite`], for what was unpacked: what is packed inside again is not looked into.
pub(super) fn overwrite_unpacked(bytes: &mut [u8], removed: &Removed) -> bool {
    overwrite_deep(bytes, removed, false)
}

fn overwrite_deep(bytes: &mut [u8], removed: &Removed, unpack: bool) -> bool {
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    if let Some(finder) = removed.any() {
        cuts.extend(finder.find_iter(&*bytes).map(|found| (found.start(), found.end())));
    }
    let mut leaves = Vec::new();
    if !read(bytes, 0, bytes.len(), Name::Plain, 0, &mut leaves) {
        leaves = vec![Leaf { start: 0, end: bytes.len(), name: Name::Plain }];
    }
    // One text per line, so that a key may go over several fields.
    let mut joined: Vec<u8> = Vec::with_capacity(bytes.len());
    for leaf in &leaves {
        let text = &bytes[leaf.start..leaf.end];
        if leaf.name != Name::Plain && values::is_credential(leaf.name, &String::from_utf8_lossy(text), Form::Data) {
            cuts.push((leaf.start, leaf.end));
        }
        if unpack && packed::has_credential(text, leaf.name, removed) {
            cuts.push((leaf.start, leaf.end));
        }
        joined.extend_from_slice(text);
        joined.push(b'\n');
    }
    let mut next = 0;
    let mut at = 0;
    for cut in scan::scan(&joined) {
        while next < leaves.len() && at + (leaves[next].end - leaves[next].start) < cut.start {
            at += leaves[next].end - leaves[next].start + 1;
            next += 1;
        }
        let (mut n, mut from) = (next, at);
        while n < leaves.len() && from < cut.end {
            let leaf = &leaves[n];
            let length = leaf.end - leaf.start;
            cuts.push((
                leaf.start + cut.start.saturating_sub(from).min(length),
                leaf.start + (cut.end - from).min(length),
            ));
            from += length + 1;
            n += 1;
        }
    }
    cuts.retain(|(start, end)| start < end);
    for (start, end) in &cuts {
        bytes[*start..*end].fill(b'*');
    }
    !cuts.is_empty()
}

/// Reads a message. Returns whether it is one.
fn read(bytes: &[u8], start: usize, end: usize, name: Name, depth: usize, leaves: &mut Vec<Leaf>) -> bool {
    let Some(fields) = fields(bytes, start, end) else { return false };
    // A KeyValue: its key names everything in its value.
    let of_value = match fields.as_slice() {
        [(1, from, to), (2, ..)] => match std::str::from_utf8(&bytes[*from..*to]).map(names::judge) {
            Ok(Name::Plain) | Err(_) => name,
            Ok(judged) => judged,
        },
        _ => name,
    };
    for (number, from, to) in fields {
        let name = if number == 1 { name } else { of_value };
        let text = &bytes[from..to];
        let is_message =
            !text.is_empty() && depth < DEEPEST && !packed::is_packed(text) && (!is_text(text) || text[0] == b'\n');
        if !(is_message && read(bytes, from, to, name, depth + 1, leaves)) {
            leaves.push(Leaf { start: from, end: to, name });
        }
    }
    true
}

/// The fields with a length: number, start and end.
fn fields(bytes: &[u8], start: usize, end: usize) -> Option<Vec<(u64, usize, usize)>> {
    let mut at = start;
    let mut found = Vec::new();
    while at < end {
        let (tag, after) = varint(bytes, at, end)?;
        let number = tag >> 3;
        if number == 0 || number > 20_000 {
            return None;
        }
        at = match tag & 7 {
            0 => varint(bytes, after, end)?.1,
            1 => after.checked_add(8)?,
            5 => after.checked_add(4)?,
            2 => {
                let (length, from) = varint(bytes, after, end)?;
                let to = from.checked_add(usize::try_from(length).ok()?)?;
                if to > end {
                    return None;
                }
                found.push((number, from, to));
                to
            }
            _ => return None,
        };
        if at > end {
            return None;
        }
    }
    Some(found)
}

fn varint(bytes: &[u8], at: usize, end: usize) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (n, byte) in bytes.get(at..end)?.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(n * 7).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, at + n + 1));
        }
    }
    None
}

fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| !text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{1b}')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(content.len()).expect("short")];
        out.extend_from_slice(content);
        out
    }

    #[test]
    fn a_key_names_the_value_beside_it_and_fields_keep_their_ends() {
        let value = |text: &str| field(2, &field(1, text.as_bytes()));
        let mut bytes = [field(1, b"db.password"), value("q7")].concat();
        assert!(overwrite(&mut bytes, &Removed::default()));
        assert!(bytes.ends_with(b"**") && bytes.starts_with(&field(1, b"db.password")));
        // The next field's tag is a printable character, and no part of the value.
        let mut bytes = [field(5, b"connect password=hunter2"), field(7, b"next")].concat();
        let after = field(7, b"next");
        assert!(overwrite(&mut bytes, &Removed::default()));
        assert!(bytes.ends_with(&after) && !bytes.windows(7).any(|w| w == b"hunter2"), "{bytes:?}");
        let mut plain = [field(1, b"token.count"), value("3")].concat();
        assert!(!overwrite(&mut plain, &Removed::default()));
    }
}

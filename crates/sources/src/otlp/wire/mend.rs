//! Texts of protobuf messages that are not UTF-8, which some encoders write where a text was cut within a character.
//! Readers of protobuf refuse the whole message for them; JSON with the same fault is mended, too.

use std::borrow::Cow;

use super::protobuf::{Fields, Kind};

/// No message nests deeper for its readers.
const DEEPEST: usize = 100;

/// The message with replacement characters where a text is not UTF-8; `None` if all texts are.
pub(super) fn texts(message: &[u8], kind: Kind) -> Option<Vec<u8>> {
    match mended(message, kind, 0) {
        Cow::Borrowed(_) => None,
        Cow::Owned(mended) => Some(mended),
    }
}

/// A text in which surrogates may be encoded as characters are: pairs of them are one character, as in Java's modified
/// UTF-8, and single ones are replaced.
fn lossy(text: &[u8]) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut plain = 0;
    let mut at = 0;
    while at < text.len() {
        match text[at..] {
            [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, ..] => {
                units.extend(String::from_utf8_lossy(&text[plain..at]).encode_utf16());
                units.push(0xd000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f));
                at += 3;
                plain = at;
            }
            _ => at += 1,
        }
    }
    units.extend(String::from_utf8_lossy(&text[plain..]).encode_utf16());
    String::from_utf16_lossy(&units)
}

fn mended(message: &[u8], kind: Kind, depth: usize) -> Cow<'_, [u8]> {
    let mut out: Option<Vec<u8>> = None;
    let mut fields = Fields::of(message);
    let mut read = 0;
    // What cannot be split any further stays as it is.
    while let Ok(Some(field)) = fields.next() {
        let inside = field.inside.filter(|_| depth < DEEPEST).map(|inside| match kind.is_text(field.number) {
            true => match std::str::from_utf8(inside) {
                Ok(_) => Cow::Borrowed(inside),
                Err(_) => Cow::Owned(lossy(inside).into_bytes()),
            },
            false => match kind.part(field.number) {
                Kind::Leaf => Cow::Borrowed(inside),
                part => mended(inside, part, depth + 1),
            },
        });
        match (inside, &mut out) {
            (Some(Cow::Owned(inside)), out) => {
                let out = out.get_or_insert_with(|| message[..read].to_vec());
                prost::encoding::encode_varint(u64::from(field.number << 3 | 2), out);
                prost::encoding::encode_varint(inside.len() as u64, out);
                out.extend_from_slice(&inside);
            }
            (_, Some(out)) => out.extend_from_slice(field.whole),
            (_, None) => {}
        }
        read += field.whole.len();
    }
    match out {
        None => Cow::Borrowed(message),
        Some(mut out) => {
            out.extend_from_slice(&message[read..]);
            Cow::Owned(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_are_joined_or_replaced() {
        for (bytes, text) in [
            (&b"plain caf\xc3\xa9"[..], "plain café"),
            (b"half \xed\xa0\xbd", "half \u{fffd}"),
            (b"\xed\xa0\xbd\xed\xb8\x80!", "😀!"),
            (b"\xed\xb8\x80\xed\xa0\xbd", "\u{fffd}\u{fffd}"),
            (b"latin \xe9.", "latin \u{fffd}."),
            (b"cut \xf0\x9f\x98", "cut \u{fffd}"),
            (b"\xed\x95\x9c", "한"),
        ] {
            assert_eq!(lossy(bytes), text, "{bytes:?}");
        }
    }
}

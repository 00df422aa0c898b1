//! Compressed bytes: gzip (RFC 1952) and zlib (RFC 1950) are unpacked, one level, and read as what they hold. What
//! cannot be read to its end, or in another common form, counts as a credential: nobody could say that it has none.

use std::io::Read as _;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::names::Name;
use super::values::{self, Form};
use super::{Removed, bytes};

/// What is unpacked at most, per byte that is packed, and beside that: texts are packed to a tenth of their size.
/// Bounds the time for many small bombs.
const RATIO: u64 = 32;
const ALWAYS: u64 = 1024;
/// Bytes that are unpacked at most.
const MOST: u64 = 16 * 1024 * 1024;

/// How other compressed forms begin: Zstandard (RFC 8878), xz, LZ4's frames, bzip2.
const OTHERS: &[&[u8]] = &[&[0x28, 0xb5, 0x2f, 0xfd], b"\xfd7zXZ\0", &[0x04, 0x22, 0x4d, 0x18]];

enum Content {
    /// Not compressed.
    Plain,
    Text(Vec<u8>),
    /// Too long, damaged, or in a form that is not read here.
    Closed,
}

/// Whether bytes begin like a compressed form that a text cannot begin with.
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    matches!(bytes, [0x1f, 0x8b, 8, ..])
        || OTHERS.iter().any(|other| bytes.starts_with(other))
        || matches!(bytes, [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', b'&', b'S', b'Y', ..])
}

/// `CMF` and `FLG` of RFC 1950, section 2.2, of the levels that encoders write; `x^` of level 2 can begin a text.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..])
}

fn unpack(bytes: &[u8]) -> Content {
    let most = (bytes.len() as u64).saturating_mul(RATIO).saturating_add(ALWAYS).min(MOST);
    let mut text = Vec::new();
    let whole = match bytes {
        [0x1f, 0x8b, 8, ..] => MultiGzDecoder::new(bytes).take(most + 1).read_to_end(&mut text).is_ok(),
        _ if is_packed(bytes) => false,
        _ if is_zlib(bytes) => {
            // Two bytes are too few to know: what cannot be read is something else.
            let read = ZlibDecoder::new(bytes).take(most + 1).read_to_end(&mut text);
            if read.is_err() && text.is_empty() {
                return Content::Plain;
            }
            true
        }
        _ => return Content::Plain,
    };
    if whole && text.len() as u64 <= most { Content::Text(text) } else { Content::Closed }
}

/// Whether bytes are compressed, and what they hold is or has a credential.
pub(super) fn has_credential(packed: &[u8], name: Name, removed: &Removed) -> bool {
    match unpack(packed) {
        Content::Plain => false,
        Content::Closed => true,
        Content::Text(mut text) => {
            name != Name::Plain && values::is_credential(name, &String::from_utf8_lossy(&text), Form::Data)
                || bytes::overwrite_unpacked(&mut text, removed)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn zlib(text: &[u8], level: u32) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn has(bytes: &[u8]) -> bool {
        has_credential(bytes, Name::Plain, &Removed::default())
    }

    #[test]
    fn packed_texts_are_read() {
        let secret = b"connect user=bob password=hunter2 host=db";
        let plain = b"GET /api/activities/home 200 token.count=3";
        for pack in [gzip as fn(&[u8]) -> Vec<u8>, |text| zlib(text, 0), |text| zlib(text, 6), |text| zlib(text, 9)] {
            assert!(has(&pack(secret)));
            assert!(!has(&pack(plain)));
            assert!(has_credential(&pack(b"swordfish"), Name::Password, &Removed::default()));
            assert!(!has_credential(&pack(b"512"), Name::Strong, &Removed::default()));
        }
        // Two members are one text (RFC 1952, section 2.2).
        assert!(has(&[gzip(plain), gzip(secret)].concat()));
        let mut removed = Removed::default();
        removed.push("corr3ct-horse".to_owned());
        assert!(has_credential(&gzip(b"tried corr3ct-horse twice"), Name::Plain, &removed));
    }

    #[test]
    fn what_cannot_be_read_to_its_end_counts() {
        let bomb = gzip(&vec![b'a'; 8 << 20]);
        assert!(bomb.len() < 64 * 1024 && has(&bomb));
        let whole = gzip(b"a text without any credential in it, of some length");
        assert!(!has(&whole) && has(&whole[..whole.len() - 12]));
        assert!(has(&[0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00]), "Zstandard");
        // Texts, numbers and pictures are not packed.
        for plain in [&b"x^2 + y^2 = r^2"[..], b"(\xb5", b"BZhello", &[0x1f, 0x8b], &[0x78, 0x9c], b"\x89PNG\r\n\x1a\n"]
        {
            assert!(!has(plain), "{plain:?}");
        }
    }

    #[test]
    fn what_is_packed_in_itself_ends() {
        let mut bytes = gzip(b"a text");
        for _ in 0..50 {
            bytes = gzip(&bytes);
        }
        has(&bytes);
    }
}

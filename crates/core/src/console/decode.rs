//! Decodes console output: UTF-8, UTF-16 as `PowerShell` writes it, and Windows-1252, which contains Latin-1.

use std::borrow::Cow;

/// The encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

/// A decoded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// Without a byte order mark; U+FFFD stands for bytes that are no text.
    pub text: Cow<'a, str>,
    pub encoding: TextEncoding,
    /// How many bytes are not UTF-8, in a text that otherwise is.
    pub invalid: usize,
}

impl Decoded<'_> {
    /// The note for the reader of evidence; `None` for UTF-8.
    pub fn note(&self) -> Option<String> {
        self.encoding.note().or(match self.invalid {
            0 => None,
            1 => Some("1 byte is not UTF-8; a replacement character is shown for it".to_owned()),
            n => Some(format!("{n} bytes are not UTF-8; replacement characters are shown for them")),
        })
    }
}

impl TextEncoding {
    /// The note for the reader of evidence; `None` for UTF-8.
    fn note(self) -> Option<String> {
        let name = match self {
            Self::Utf8 => return None,
            Self::Utf16Le => "UTF-16 (little-endian)",
            Self::Utf16Be => "UTF-16 (big-endian)",
            Self::Windows1252 => "Windows-1252 (Latin-1)",
        };
        Some(format!("its bytes were {name}; they are decoded"))
    }
}

/// Decodes bytes, with or without a byte order mark.
pub fn decode(bytes: &[u8]) -> Decoded<'_> {
    let (encoding, rest) = match bytes {
        [0xff, 0xfe, rest @ ..] => (TextEncoding::Utf16Le, rest),
        [0xfe, 0xff, rest @ ..] => (TextEncoding::Utf16Be, rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => (TextEncoding::Utf8, rest),
        _ => (guessed(bytes), bytes),
    };
    let text = match encoding {
        TextEncoding::Utf8 => String::from_utf8_lossy(rest),
        TextEncoding::Utf16Le => Cow::Owned(wide(rest, u16::from_le_bytes)),
        TextEncoding::Utf16Be => Cow::Owned(wide(rest, u16::from_be_bytes)),
        TextEncoding::Windows1252 => Cow::Owned(rest.iter().map(|byte| windows_1252(*byte)).collect()),
    };
    let invalid = match (encoding, &text) {
        (TextEncoding::Utf8, Cow::Owned(_)) => rest.utf8_chunks().map(|chunk| chunk.invalid().len()).sum(),
        _ => 0,
    };
    Decoded { text, encoding, invalid }
}

/// Decodes one line of output that arrives line by line, in UTF-8 or Windows-1252.
pub fn decode_line(line: &[u8]) -> Decoded<'_> {
    let one_byte = std::str::from_utf8(line).is_err() && !has_utf8(line) && !is_binary(line);
    match one_byte {
        true => {
            let text = Cow::Owned(line.iter().map(|byte| windows_1252(*byte)).collect());
            Decoded { text, encoding: TextEncoding::Windows1252, invalid: 0 }
        }
        false => {
            let invalid = line.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
            Decoded { text: String::from_utf8_lossy(line), encoding: TextEncoding::Utf8, invalid }
        }
    }
}

fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

/// The bytes by which the encoding is guessed.
const SAMPLE: usize = 64 * 1024;

fn guessed(bytes: &[u8]) -> TextEncoding {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    // Of ASCII in UTF-16, every other byte is zero; text in other encodings has none.
    let zeros = |from: usize| sample.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), sample.len() / 2);
    // A line ending after an ASCII character, of which the other order of bytes makes one character.
    let ends_a_line = |text: u8, end: u8| (text.is_ascii_graphic() || text == b' ') && matches!(end, b'\n' | b'\r');
    let (pieces, _) = sample.as_chunks::<2>();
    let torn = pieces.iter().any(|[first, second]| ends_a_line(*first, *second));
    if torn {
        return one_byte_wide(bytes, sample);
    }
    if pairs >= 2 && odd * 10 >= pairs * 4 && even * 20 <= odd {
        return TextEncoding::Utf16Le;
    }
    if pairs >= 2 && even * 10 >= pairs * 4 && odd * 20 <= even {
        return TextEncoding::Utf16Be;
    }
    one_byte_wide(bytes, sample)
}

/// The encoding of a text that is not UTF-16.
fn one_byte_wide(bytes: &[u8], sample: &[u8]) -> TextEncoding {
    match std::str::from_utf8(bytes) {
        Ok(_) => TextEncoding::Utf8,
        // Any other character of several bytes is hardly ever Latin-1 by chance, and binary data is not text.
        Err(_) if has_utf8(bytes) || is_binary(sample) => TextEncoding::Utf8,
        Err(_) => TextEncoding::Windows1252,
    }
}

fn has_utf8(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii())
}

fn is_binary(sample: &[u8]) -> bool {
    let controls = |byte: &&u8| **byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x08 | 0x0c | 0x1b | 0x07);
    let high = sample.iter().filter(|byte| !byte.is_ascii()).count();
    sample.iter().filter(controls).count() * 100 > sample.len() || high * 2 > sample.len()
}

/// The characters of Windows-1252 where it differs from Latin-1 (<https://encoding.spec.whatwg.org/#windows-1252>).
const CP_1252: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}', '\u{fffd}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
];

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => CP_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn every_encoding_is_recognised() {
        let text = "docker ps\r\nCONTAINER ID   IMAGE\r\ncafé  ☕ 本\r\n";
        for (encoding, unit) in
            [(TextEncoding::Utf16Le, u16::to_le_bytes as fn(u16) -> [u8; 2]), (TextEncoding::Utf16Be, u16::to_be_bytes)]
        {
            for marked in [format!("\u{feff}{text}"), text.to_owned()] {
                let bytes = utf16(&marked, unit);
                let decoded = decode(&bytes);
                assert_eq!((&*decoded.text, decoded.encoding), (text, encoding));
            }
        }
        for bytes in [text.as_bytes().to_vec(), format!("\u{feff}{text}").into_bytes()] {
            let decoded = decode(&bytes);
            assert_eq!((&*decoded.text, decoded.encoding), (text, TextEncoding::Utf8));
        }
        let decoded = decode(b"Aplicaci\xf3n iniciada \x80 5 \x96 ma\xf1ana");
        assert_eq!((&*decoded.text, decoded.encoding), ("Aplicación iniciada € 5 – mañana", TextEncoding::Windows1252));
        assert_eq!(decoded.note().as_deref(), Some("its bytes were Windows-1252 (Latin-1); they are decoded"));
    }

    #[test]
    fn single_zeros_do_not_make_utf16() {
        for bytes in [&b"a\0b\n"[..], b"a\0b\0c\r\nd\0e", b"x\0y z\n"] {
            assert_eq!(decode(bytes).encoding, TextEncoding::Utf8, "{bytes:?}");
        }
    }

    #[test]
    fn lines_are_decoded_alone() {
        let of = |line: &'static [u8]| {
            let decoded = decode_line(line);
            (decoded.text.to_string(), decoded.encoding, decoded.invalid)
        };
        assert_eq!(of("café".as_bytes()), ("café".to_owned(), TextEncoding::Utf8, 0));
        assert_eq!(of(b"ma\xf1ana"), ("mañana".to_owned(), TextEncoding::Windows1252, 0));
        assert_eq!(of(b"caf\xc3\xa9 \xff"), ("café \u{fffd}".to_owned(), TextEncoding::Utf8, 1));
        assert_eq!(of(b"a\0b"), ("a\0b".to_owned(), TextEncoding::Utf8, 0));
    }

    #[test]
    fn damaged_utf8_is_no_latin_1() {
        let decoded = decode(b"caf\xc3\xa9 \xff ok");
        assert_eq!((&*decoded.text, decoded.encoding), ("café \u{fffd} ok", TextEncoding::Utf8));
        assert_eq!(decoded.note().as_deref(), Some("1 byte is not UTF-8; a replacement character is shown for it"));
        for bytes in [&b"\xff\xd8\x00\x10JFIF\x00\x01\x01\x00\x9b31m\xe9"[..], b"\x00\x00\x00", b"", b"\x00"] {
            assert_eq!(decode(bytes).encoding, TextEncoding::Utf8, "{bytes:?}");
        }
    }
}

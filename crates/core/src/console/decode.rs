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
}

impl TextEncoding {
    /// The note for the reader of evidence; `None` for UTF-8.
    pub fn note(self) -> Option<String> {
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
    Decoded { text, encoding }
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
    if pairs >= 2 && odd * 10 >= pairs * 4 && even * 20 <= odd {
        return TextEncoding::Utf16Le;
    }
    if pairs >= 2 && even * 10 >= pairs * 4 && odd * 20 <= even {
        return TextEncoding::Utf16Be;
    }
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
        assert_eq!(decoded.encoding.note().as_deref(), Some("its bytes were Windows-1252 (Latin-1); they are decoded"));
    }

    #[test]
    fn damaged_utf8_is_no_latin_1() {
        let decoded = decode(b"caf\xc3\xa9 \xff ok");
        assert_eq!((&*decoded.text, decoded.encoding), ("café \u{fffd} ok", TextEncoding::Utf8));
        for bytes in [&b"\xff\xd8\x00\x10JFIF\x00\x01\x01\x00\x9b31m\xe9"[..], b"\x00\x00\x00", b"", b"\x00"] {
            assert_eq!(decode(bytes).encoding, TextEncoding::Utf8, "{bytes:?}");
        }
    }
}

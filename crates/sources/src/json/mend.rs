//! What senders write and strict JSON does not allow, as strict JSON.

/// Rewrites a text in one pass: lone surrogates become U+FFFD; control characters in strings and unknown escapes are
/// escaped; NaN, infinities and numbers out of range become texts; numbers such as `+1`, `.5` and `007` are written
/// as JSON writes them; Python's `True`, `False` and `None`, JavaScript's `undefined`, a byte order mark, and commas
/// before a closing bracket are replaced. Everything else stays as it is.
///
/// `None` if there is nothing to rewrite.
pub(crate) fn mend(text: &str) -> Option<String> {
    let content = text.trim_start_matches('\u{feff}');
    let bytes = content.as_bytes();
    let mut out = Vec::with_capacity(bytes.len() + 16);
    let mut at = 0;
    let mut inside = false;
    while let Some(&byte) = bytes.get(at) {
        at += match (inside, byte) {
            (true, b'\\') => escape(bytes, at, &mut out),
            (true, 0..0x20) => {
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                1
            }
            (false, b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z') => bare(&content[at..], &mut out),
            (false, b']' | b'}') => {
                drop_comma(&mut out);
                out.push(byte);
                1
            }
            _ => {
                inside ^= byte == b'"';
                out.push(byte);
                1
            }
        };
    }
    let out = String::from_utf8(out).ok()?;
    (out != text).then_some(out)
}

/// Writes the escape at `at`; returns its length.
fn escape(bytes: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        // Not by `from_str_radix` alone, which accepts a sign.
        let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let length = match (unit(at), unit(at + 6)) {
        (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
        (Some(0xd800..0xe000), _) => {
            out.extend_from_slice(b"\\ufffd");
            return 6;
        }
        (Some(_), _) => 6,
        // A quote that follows does not end the string.
        (None, _) if bytes.get(at + 1).is_some_and(|byte| b"\"\\/bfnrt".contains(byte)) => 2,
        // The backslash as a character; what follows it is read next.
        (None, _) => {
            out.extend_from_slice(b"\\\\");
            return 1;
        }
    };
    out.extend_from_slice(&bytes[at..at + length]);
    length
}

/// Writes a word or number outside of strings; returns its length.
fn bare(text: &str, out: &mut Vec<u8>) -> usize {
    let ends = |byte: u8| !(byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let word = &text[..text.bytes().position(ends).unwrap_or(text.len())];
    match instead_of(word) {
        Some(instead) => out.extend_from_slice(instead.as_bytes()),
        None => out.extend_from_slice(word.as_bytes()),
    }
    word.len()
}

/// What is written instead of a word that is not JSON, if its meaning is known.
fn instead_of(word: &str) -> Option<String> {
    /// No number that a sender means is longer; reading one takes more time than its length.
    const LONGEST: usize = 1024;
    match word {
        "true" | "false" | "null" => return None,
        "True" | "TRUE" => return Some("true".to_owned()),
        "False" | "FALSE" => return Some("false".to_owned()),
        "None" | "NULL" | "nil" | "undefined" => return Some("null".to_owned()),
        _ if word.len() > LONGEST => return None,
        _ => {}
    }
    let number: f64 = word.parse().ok()?;
    if number.is_finite() {
        let is_json = || serde_json::from_str::<serde_json::Number>(word).is_ok();
        return (!is_json()).then(|| match word.parse::<i128>() {
            Ok(whole) => whole.to_string(),
            Err(_) => format!("{number:e}"),
        });
    }
    Some(match word.trim_start_matches(['+', '-']).starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        // Out of range: the digits are kept.
        true => format!("\"{word}\""),
        false if number.is_nan() => "\"NaN\"".to_owned(),
        false if number > 0.0 => "\"Infinity\"".to_owned(),
        false => "\"-Infinity\"".to_owned(),
    })
}

/// Takes back a comma that was written before a closing bracket.
fn drop_comma(out: &mut Vec<u8>) {
    let space = out.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    let comma = out.len().checked_sub(space + 1);
    if let Some(comma) = comma.filter(|comma| out.get(*comma) == Some(&b',')) {
        out.remove(comma);
    }
}

//! Formats counts and numbers, truncates texts, and makes characters visible.

use std::fmt::Write as _;

/// A count with its noun: `1 span`, `9,940 spans`. The plural is formed with an `s`.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{} {noun}s", grouped(n)) }
}

/// A count with a noun whose plural is irregular, or with more words: `2 of them are`.
pub fn count_of(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// Digits in groups of three: `9,940`.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// An abbreviated count: `940`, `9.9k`, `1.2M`.
pub fn abbreviated(n: u32) -> String {
    let value = f64::from(n);
    let short = |v: f64, unit: &str| format!("{}{unit}", format!("{v:.1}").trim_end_matches(".0"));
    match n {
        0..10_000 => grouped(n as usize),
        10_000..999_950 => short(value / 1e3, "k"),
        999_950.. => short(value / 1e6, "M"),
    }
}

/// The first `most` characters.
pub fn beginning(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// The first `most` characters, and an ellipsis where there are more.
pub fn shorten(text: &str, most: usize) -> String {
    let short = beginning(text, most);
    if short.len() < text.len() { format!("{short}…") } else { text.to_owned() }
}

/// The longest name in a column, in bytes: of a service, scope, log group or stream, environment or person.
pub const NAME_BYTES: usize = 256;

/// The longest title in a column, in bytes.
pub const TITLE_BYTES: usize = 500;

/// A text of at most `most` bytes: a longer one is cut after a whole character, and ends with a mark that tells its
/// length, `… [4,194,304 bytes]`. No less than the mark is kept.
pub fn bounded(mut text: String, most: usize) -> String {
    if text.len() > most {
        let mark = format!("… [{} bytes]", grouped(text.len()));
        text.truncate(text.floor_char_boundary(most.saturating_sub(mark.len())));
        text.push_str(&mark);
        text.shrink_to_fit();
    }
    text
}

/// The first line that is not blank, shortened to `most` characters.
pub fn first_line(text: &str, most: usize) -> String {
    shorten(text.trim().lines().next().unwrap_or_default().trim_end(), most)
}

/// A text without control characters, shortened to `most` characters.
pub fn printable(text: &str, most: usize) -> String {
    let mut chars = text.chars().filter(|c| !c.is_control());
    let mut short: String = chars.by_ref().take(most).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// Whether a character cannot be seen, or changes how other characters are shown: control characters, those that change
/// the direction of text, other format characters, fillers without a mark, and noncharacters.
///
/// Whatever shows data (terminal, JSON, card, Markdown, window) replaces or escapes these, so that a text cannot look
/// like another one or control a terminal. Joiners (U+200C, U+200D) and variation selectors are not among them, since
/// Persian, Indic scripts and emoji need them.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            // Format characters (general category Cf) without a visible mark of their own.
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}'
                // Line and paragraph separators.
                | '\u{2028}' | '\u{2029}'
                // Letters without a mark: joiner of graphemes, Hangul fillers, Khmer inherent vowels.
                | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
        )
        || u32::from(c) & 0xfffe == 0xfffe
        || matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// What is shown in place of a character that [`is_hidden`]: the picture of a control character (U+2400…), else U+FFFD.
pub fn mark(c: char) -> char {
    let code = u32::from(c);
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        c if is_hidden(c) => '\u{fffd}',
        c => c,
    }
}

/// A text of lines with every hidden character but line feeds and tabs replaced by its [`mark`].
pub fn marked(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '\n' | '\t') { c } else { mark(c) }).collect()
}

/// A JSON text with every hidden character written as `\uXXXX`: the same value, but nothing in it controls a terminal.
pub fn escaped_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // Outside of strings, JSON has no hidden characters but line breaks and tabs, which strings do not contain.
        if !is_hidden(c) || matches!(c, '\n' | '\r' | '\t') {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            write!(out, "\\u{unit:04x}").ok();
        }
    }
    out
}

/// A share as a percentage with at most two decimals: `0.05` as `5`, `0.125` as `12.5`; `?` where it is no number.
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "?".to_owned();
    }
    let text = format!("{:.2}", (share * 100.0).clamp(-1e6, 1e6));
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_singular_or_plural() {
        assert_eq!(count(0, "span"), "0 spans");
        assert_eq!(count(1, "span"), "1 span");
        assert_eq!(count(9_940, "span"), "9,940 spans");
        assert_eq!(count_of(1, "query", "queries"), "1 query");
        assert_eq!(count_of(1_000_000, "query", "queries"), "1,000,000 queries");
        assert_eq!(grouped(999), "999");
        let counts = [940, 9_940, 10_000, 12_345, 999_949, 999_950, 1_200_000];
        assert_eq!(counts.map(abbreviated), ["940", "9,940", "10k", "12.3k", "999.9k", "1M", "1.2M"]);
    }

    #[test]
    fn long_texts_are_cut_at_a_character_boundary() {
        assert_eq!(beginning("日本語", 2), "日本");
        assert_eq!(shorten("日本語", 2), "日本…");
        assert_eq!(shorten("日本語", 3), "日本語");
        assert_eq!(first_line("\n  one two \nthree", 20), "one two");
        assert_eq!(first_line("one two", 3), "one…");
        assert_eq!(printable("a\u{7}b\u{1b}c", 2), "ab…");
        assert_eq!(printable("a\u{7}b", 2), "ab");
    }

    #[test]
    fn bounded_texts_tell_their_length() {
        assert_eq!(bounded("as it is".to_owned(), 8), "as it is");
        let cut = bounded("x".repeat(4 << 20), NAME_BYTES);
        assert!(cut.len() == NAME_BYTES && cut.ends_with("xx… [4,194,304 bytes]"), "{cut}");
        let cut = bounded("😀".repeat(100), 40);
        assert!(cut.len() <= 40 && cut.starts_with("😀😀") && cut.ends_with("😀… [400 bytes]"), "{cut}");
        assert_eq!(bounded("日本語".repeat(9), 1), "… [81 bytes]");
    }

    #[test]
    fn hidden_characters_are_marked_or_escaped() {
        let bidi = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}').chain(['\u{200e}', '\u{200f}', '\u{61c}']);
        let control = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
        let other = ['\u{ad}', '\u{200b}', '\u{2028}', '\u{feff}', '\u{fffe}', '\u{e0041}', '\u{3164}', '\u{180e}'];
        for c in bidi.chain(control).chain(other) {
            assert!(is_hidden(c) && !is_hidden(mark(c)), "{c:?}");
            let text = format!("a{c}b");
            let json = serde_json::to_string(&[&text]).expect("JSON");
            let escaped = escaped_json(&json);
            assert!(!escaped.chars().any(is_hidden), "{escaped:?}");
            assert_eq!(serde_json::from_str::<Vec<String>>(&escaped).expect("JSON"), std::slice::from_ref(&text));
            let marked = marked(&text);
            assert_eq!(marked.chars().count(), 3);
            assert!(!marked.chars().any(|c| is_hidden(c) && !matches!(c, '\n' | '\t')), "{marked:?}");
        }
        let fine = "Ünïcode 日本 שלום \u{200d}👩\u{200d}🚀 ❤\u{fe0f} می\u{200c}خواهم \u{e0100}";
        assert_eq!((marked(fine), escaped_json(fine)), (fine.to_owned(), fine.to_owned()));
        assert_eq!(escaped_json("{\n\t\"a\": 1\r\n}"), "{\n\t\"a\": 1\r\n}");
        assert_eq!(mark('\u{1b}'), '␛');
    }

    #[test]
    fn the_window_marks_the_same_characters() {
        let source = include_str!("../../../ui/src/lib/hidden.ts");
        let number = |text: &str| u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok();
        let ranges: Vec<(u32, u32)> = source
            .lines()
            .filter_map(|line| {
                let (first, last) = line.trim().strip_prefix('[')?.strip_suffix("],")?.split_once(',')?;
                Some((number(first)?, number(last)?))
            })
            .collect();
        assert!(ranges.len() > 20, "{ranges:?}");
        for c in '\0'..=char::MAX {
            let code = u32::from(c);
            let listed = ranges.iter().any(|(first, last)| (*first..=*last).contains(&code)) || code & 0xfffe == 0xfffe;
            assert_eq!(listed, is_hidden(c) && !matches!(c, '\n' | '\r' | '\t'), "{c:?}");
        }
    }

    #[test]
    fn percentages_have_no_trailing_zeros() {
        let shares = [0.05, 0.125, 1.0, 0.0, -0.000_001, f64::NAN];
        assert_eq!(shares.map(percent), ["5", "12.5", "100", "0", "0", "?"]);
    }
}

//! Redaction of log lines: credentials, and characters that break lines or control a terminal.

use std::borrow::Cow;

use tracebook_core::credentials::{PLACEHOLDER, Removed, is_credential_name, remove_from_text};

/// Bytes of a line after which the rest is cut off.
const MAX_LINE: usize = 8 * 1024;

/// One line: without credentials, control characters escaped, at most [`MAX_LINE`] bytes.
pub(crate) fn line(text: &str) -> String {
    escaped(cut(&credentials(text)))
}

/// Removes credentials that are recognised by their form or by the name beside them.
pub(crate) fn credentials(text: &str) -> String {
    let by_shape = remove_from_text(text, &mut Removed::default());
    by_name(&by_shape).into_owned()
}

/// Removes the value after the name of a credential: `token=…`, `"api_key": "…"`.
fn by_name(text: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut from = 0;
    for (at, _) in text.match_indices(['=', ':']) {
        if at < from || !is_credential_name(name_before(text, at)) {
            continue;
        }
        let Some((start, end)) = value_after(text, at + 1) else { continue };
        clean.push_str(&text[from..start]);
        clean.push_str(PLACEHOLDER);
        from = end;
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[from..]);
    Cow::Owned(clean)
}

/// The name before a separator; empty for a part of a Rust path (`cloud::secrets:`).
fn name_before(text: &str, separator: usize) -> &str {
    let before = text[..separator].trim_end_matches(['"', '\'']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let start =
        before.rfind(|c| !is_name(c)).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    if before[..start].ends_with(':') || text[separator..].starts_with("::") { "" } else { &before[start..] }
}

/// Where the value behind a separator is: in quotes up to the closing one, else one word, or two where the first is a
/// scheme.
fn value_after(text: &str, from: usize) -> Option<(usize, usize)> {
    let rest = &text[from..];
    let start = from + (rest.len() - rest.trim_start_matches(' ').len());
    let value = &text[start..];
    let (start, end) = match value.chars().next()? {
        quote @ ('"' | '\'') => {
            let start = start + 1;
            (start, text[start..].find([quote, '\n']).map_or(text.len(), |length| start + length))
        }
        _ => (start, start + word(value)),
    };
    let is_scheme = |word: &str| ["bearer", "basic", "token"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme));
    let end = match text[end..].strip_prefix(' ') {
        Some(next) if is_scheme(&text[start..end]) => end + 1 + word(next),
        _ => end,
    };
    let taken = &text[start..end];
    (!taken.is_empty() && !PLACEHOLDER.starts_with(taken) && !taken.contains(PLACEHOLDER)).then_some((start, end))
}

/// Bytes of the word that a text begins with.
fn word(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '&' | ')' | ']' | '}' | '"' | '\''))
        .unwrap_or(text.len())
}

fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_LINE {
        return Cow::Borrowed(text);
    }
    let mut end = MAX_LINE;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}… ({} bytes cut)", &text[..end], text.len() - end))
}

/// Control characters, and those that change the direction of text, as `\n` or `\u{202e}`.
fn escaped(text: Cow<'_, str>) -> String {
    let is_harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_harmful) {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_credential_names_are_removed() {
        for (text, clean) in [
            ("token=abc status=200", "token=[credential removed] status=200"),
            ("token=\"a b c\" status=200", "token=\"[credential removed]\" status=200"),
            (r#"{"api_key": "abc", "n": 1}"#, r#"{"api_key": "[credential removed]", "n": 1}"#),
            ("authorization=Bearer abc next", "authorization=[credential removed] next"),
            ("DB_PASSWORD: 1234", "DB_PASSWORD: [credential removed]"),
        ] {
            assert_eq!(line(text), clean);
            assert_eq!(line(clean), clean, "a second pass changes nothing");
        }
    }

    #[test]
    fn ordinary_lines_stay() {
        for text in [
            "INFO tracebook_app::cloud::secrets: the keychain did not answer",
            "tracebook_core::credentials::tests: 3 removed",
            "status=200 duration_ms=12 path=/v1/traces",
            "token_count=3 token_type=card",
            "é=1 password=",
        ] {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn a_line_stays_one_line_of_bounded_length() {
        assert_eq!(line("a\nb\u{1b}[31m\u{202e}"), "a\\nb\\u{1b}[31m\\u{202e}");
        let long = line(&"é".repeat(MAX_LINE));
        assert!(long.len() < MAX_LINE + 40 && long.ends_with("bytes cut)"), "{}", &long[MAX_LINE - 10..]);
    }
}

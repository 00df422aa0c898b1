//! The template of a text: what stays the same where only numbers, ids and the like vary.

use crate::text::beginning;

/// How many characters of a text its template describes.
const MOST: usize = 600;

/// The text with numbers, hexadecimal ids, UUIDs and the contents of single quotes replaced by `#`, and lists of these
/// by one: `tick 7` and `tick 8` are `tick #`, and `IN (1, 2)` and `IN (3)` are `IN (#)`. Words keep their letters:
/// `worker7` becomes `worker#`.
pub fn template(text: &str) -> String {
    let text = beginning(text, MOST);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before: Option<char> = None;
    while let Some(c) = rest.chars().next() {
        if c.is_alphanumeric() || c == '_' {
            let uuid = uuid_length(rest);
            let length =
                uuid.unwrap_or_else(|| rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len()));
            let (word, after) = rest.split_at(length);
            if uuid.is_some() {
                out.push('#');
            } else {
                push_word(&mut out, word);
            }
            before = word.chars().next_back();
            rest = after;
            continue;
        }
        let inner = &rest[c.len_utf8()..];
        // An apostrophe within a word is no quote.
        if c == '\''
            && !before.is_some_and(char::is_alphanumeric)
            && let Some(end) = inner.find('\'')
        {
            out.push_str("'#'");
            rest = &inner[end + 1..];
        } else {
            out.push(c);
            rest = inner;
        }
        before = Some(c);
    }
    without_lists(&out)
}

fn push_word(out: &mut String, word: &str) {
    let hexadecimal =
        word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit()) && word.bytes().any(|b| b.is_ascii_digit());
    if hexadecimal || word.starts_with(|c: char| c.is_ascii_digit()) {
        out.push('#');
        return;
    }
    let mut digits = false;
    for c in word.chars() {
        if c.is_ascii_digit() {
            if !digits {
                out.push('#');
            }
            digits = true;
        } else {
            out.push(c);
            digits = false;
        }
    }
}

/// The length of the UUID at the beginning of a text, if there is one.
fn uuid_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes().get(..36)?;
    let dash = |i: usize| matches!(i, 8 | 13 | 18 | 23);
    let fits = bytes.iter().enumerate().all(|(i, b)| if dash(i) { *b == b'-' } else { b.is_ascii_hexdigit() });
    let ends = text.as_bytes().get(36).is_none_or(|b| !b.is_ascii_alphanumeric());
    (fits && ends).then_some(36)
}

/// Replaces lists of placeholders by one.
fn without_lists(text: &str) -> String {
    let mut out = text.to_owned();
    for (list, one) in [("'#', '#'", "'#'"), ("'#','#'", "'#'"), ("#, #", "#"), ("#,#", "#"), ("(#), (#)", "(#)")] {
        // Each pass halves a list; a text of `MOST` characters has at most a few hundred items.
        for _ in 0..10 {
            if !out.contains(list) {
                break;
            }
            out = out.replace(list, one);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_is_replaced() {
        for (text, expected) in [
            ("tick 7", "tick #"),
            ("worker7 took 12.4 ms", "worker# took #.# ms"),
            ("GET /users/4f9c1a2b3c4d 200", "GET /users/# #"),
            ("avatar 5c0f1d6e-8f2b-4c44-9b30-8f7f0f3b2a11 done", "avatar # done"),
            (
                "SELECT * FROM t WHERE id IN (1, 2, 3, 4, 5) AND n = 'bob'",
                "SELECT * FROM t WHERE id IN (#) AND n = '#'",
            ),
            ("can't and won't", "can't and won't"),
            ("deadbeef is a word", "deadbeef is a word"),
            ("Ünïcode 日本 5", "Ünïcode 日本 #"),
            ("it's 'open", "it's 'open"),
            ("", ""),
        ] {
            assert_eq!(template(text), expected, "{text}");
        }
        assert_ne!(template("SELECT a FROM users"), template("SELECT b FROM users"));
        let list = (0..500).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
        assert!(template(&list).len() <= 4, "{}", template(&list));
    }
}

//! Text from data on one line: invisible characters replaced, and escaped for Markdown.

use std::fmt::Write as _;

use tracebook_core::text::{is_hidden, mark};

/// Replaces invisible characters by their [`mark`]s. Omits more than three combining marks per letter, which would
/// overlap the lines above.
pub fn visible(text: &str) -> String {
    let mut marks = 0;
    text.chars()
        .filter_map(|c| {
            let width = unicode_width::UnicodeWidthChar::width(c);
            marks = if width == Some(0) { marks + 1 } else { 0 };
            match mark(c) {
                _ if marks > 3 && !is_hidden(c) => None,
                c => Some(c),
            }
        })
        .collect()
}

/// A text on one line: runs of blanks and breaks become one blank, invisible characters become visible.
pub fn one_line(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(visible).collect();
    words.join(" ")
}

/// Where escaped text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The alternative text or the title of an image: plain text, whatever it looks like.
    Attribute,
    /// A paragraph or a table cell, where renderers look for links, mentions, formulas and emoji.
    Prose,
}

/// Ends a text node without being visible. Renderers look for most automatic links in one text node, some of them after
/// they have decoded entities.
const BREAK: &str = "<!-- -->";

/// Escapes a text of one line so that it renders as itself: no element, link, mention, formula or emoji comes from it.
///
/// Significant characters become character references rather than backslash escapes: GFM's extended autolinks include a
/// backslash in the address, and the character after it is then markup again. In prose, what renderers recognise in
/// plain text is also divided by an empty comment:
///
/// - GFM's autolinks (`http://`, `www.`, e-mail addresses), and linkify-it's (`//host`, `example.org`),
/// - on GitHub, mentions (`@name`), references (`#12`, `GH-12`, commit hashes), formulas (`$…$`) and emoji (`:tada:`).
///
/// `{{`, `{%` and `{:` are commands of Liquid and kramdown, which GitHub Pages applies.
pub(crate) fn escape(text: &str, place: Place) -> String {
    let bytes = text.as_bytes();
    let prose = place == Place::Prose;
    let mut out = String::with_capacity(text.len() + text.len() / 8 + 8);
    let mut hash_end = 0;
    for (i, c) in text.char_indices() {
        let previous = text[..i].chars().next_back();
        let next = text[i + c.len_utf8()..].chars().next();
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        // Whether the character is written as a reference, and whether a break follows it.
        let (reference, divided) = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '"' | '~' | '^' => (true, false),
            '$' => (true, true),
            // Not markup inside a word, so snake_case stays readable.
            '_' => (!(word(previous) && word(next)), false),
            '&' => (next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '#'), false),
            '@' => (true, next.is_some_and(|c| !c.is_whitespace())),
            '#' if next.is_some_and(|c| c.is_ascii_digit()) => (prose, true),
            ':' if next == Some('/') => (true, true),
            ':' if is_emoji(&bytes[i..]) => (prose, true),
            // The second slash of `//`.
            '/' if previous == Some('/') => (true, false),
            '.' if starts_with_www(&bytes[..i]) => (true, true),
            '.' => (prose && is_domain_dot(bytes, i), false),
            '{' => (matches!(next, Some('{' | '%' | ':' | '#' | '.')), false),
            '-' => (false, next.is_some_and(|c| c.is_ascii_digit()) && follows_gh(&bytes[..i])),
            _ => (false, false),
        };
        if c == '\\' && !prose {
            // In a title, cmark decodes character references before it removes backslashes.
            out.push_str("\\\\");
        } else if reference {
            push_reference(&mut out, c);
        } else {
            out.push(c);
        }
        if i >= hash_end
            && c.is_ascii_hexdigit()
            && !previous.is_some_and(|c| !c.is_whitespace() && !"([{@".contains(c))
        {
            hash_end = i + commit_hash(&bytes[i..]);
        }
        // Six digits are too few for a commit hash.
        let hash = i < hash_end && i + 1 < hash_end && (hash_end - i - 1).is_multiple_of(6);
        if prose && (divided || hash) {
            out.push_str(BREAK);
        }
    }
    out
}

fn push_reference(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        c => {
            // Writing to a string cannot fail.
            write!(out, "&#{};", u32::from(c)).ok();
        }
    }
}

/// Whether a text that begins with a colon begins with an emoji's short name, such as `:+1:`. No name consists of one
/// or two digits, so times are none.
fn is_emoji(bytes: &[u8]) -> bool {
    // Longer than every name.
    const LONGEST: usize = 80;
    let name = bytes.iter().skip(1).take(LONGEST).take_while(|b| b.is_ascii_alphanumeric() || b"_+-".contains(b));
    let (length, digits) = name.fold((0, 0), |(n, digits), b| (n + 1, digits + usize::from(b.is_ascii_digit())));
    length > 0 && bytes.get(length + 1) == Some(&b':') && !(length < 3 && digits == length)
}

fn starts_with_www(before: &[u8]) -> bool {
    before.last_chunk::<3>().is_some_and(|last| last.eq_ignore_ascii_case(b"www"))
}

fn follows_gh(before: &[u8]) -> bool {
    before.last_chunk::<2>().is_some_and(|last| last.eq_ignore_ascii_case(b"gh"))
}

/// Whether a dot may be part of a host name: between letters, or of an address such as `127.0.0.1`; not in `12.4 ms`.
fn is_domain_dot(bytes: &[u8], dot: usize) -> bool {
    let part = |b: &u8| b.is_ascii_alphanumeric() || !b.is_ascii();
    let (Some(before), Some(after)) = (dot.checked_sub(1).and_then(|i| bytes.get(i)), bytes.get(dot + 1)) else {
        return false;
    };
    if !(part(before) || before == &b'-') || !part(after) {
        return false;
    }
    if !(before.is_ascii_digit() && after.is_ascii_digit()) {
        return true;
    }
    // A number has one dot. Three digits on each side are enough to see the next one in an address.
    let near = |b: Option<&u8>| b == Some(&b'.');
    (2..=4).any(|n| near(dot.checked_sub(n).and_then(|i| bytes.get(i))) || near(bytes.get(dot + n)))
}

/// The length of a commit hash at the start of a text: a word of 7 to 40 hexadecimal digits, some of them letters. Ids
/// of traces (32 digits) and spans (16) are not divided, since they are searched for.
fn commit_hash(bytes: &[u8]) -> usize {
    const LONGEST: usize = 40;
    let digits = bytes.iter().take(LONGEST + 1).take_while(|b| b.is_ascii_hexdigit()).count();
    let whole = bytes.get(digits).is_none_or(|b| !(b.is_ascii_alphanumeric() || b"_-".contains(b)));
    let word = &bytes[..digits];
    let mixed = word.iter().any(u8::is_ascii_digit) && word.iter().any(u8::is_ascii_alphabetic);
    if (7..=LONGEST).contains(&digits) && !matches!(digits, 16 | 32) && whole && mixed { digits } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_short_name_of_an_emoji_is_left_in_one_text_node() {
        for text in [
            "at handler (/app/server.js:100:14)",
            "GET user:id:7 -> cache session:ok:1",
            ":+1::tada:",
            "a:e-mail:b",
            "::x::",
        ] {
            let escaped = escape(text, Place::Prose);
            let nodes = escaped.split(BREAK).map(|node| node.replace("&#58;", ":").replace("&gt;", ">"));
            assert_eq!(nodes.clone().collect::<String>().replace("&#46;", "."), text);
            for node in nodes {
                let colons: Vec<usize> = node.match_indices(':').map(|(at, _)| at).collect();
                for pair in colons.windows(2) {
                    let name = &node[pair[0] + 1..pair[1]];
                    assert!(name.is_empty() || name.contains(|c: char| !c.is_alphanumeric()), "{node:?} of {text}");
                }
            }
        }
        assert_eq!(escape("15:20:13", Place::Prose), "15:20:13", "a time is no name");
    }
}

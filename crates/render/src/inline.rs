//! Text from data on one line: invisible characters replaced, and escaped for Markdown.

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

/// Escapes a text of one line so that Markdown renders it literally: in a paragraph, an image, a title or a table cell.
pub(crate) fn escape(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 8);
    for (i, &c) in chars.iter().enumerate() {
        let word = |j: Option<usize>| j.and_then(|j| chars.get(j)).is_some_and(|c| c.is_alphanumeric());
        let needs = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '"' | '~' | '^' | '$' => true,
            // Not markup inside a word, so snake_case stays readable.
            '_' => !(word(i.checked_sub(1)) && word(Some(i + 1))),
            '&' => chars.get(i + 1).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '#'),
            '!' => chars.get(i + 1) == Some(&'['),
            // Would start a heading, a list or a rule.
            '#' | '-' | '+' | '=' => i == 0,
            '.' | ')' => {
                i > 0 && chars[..i].iter().all(char::is_ascii_digit) && chars.get(i + 1).is_none_or(|c| *c == ' ')
            }
            _ => false,
        };
        if needs {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

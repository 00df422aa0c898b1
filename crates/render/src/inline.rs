//! Text from data on one line: invisible characters replaced, and escaped for Markdown.

/// Replaces invisible characters: control characters by their pictures (U+2400…), and by U+FFFD those that XML forbids,
/// that change the direction of text, or that have no width. Omits more than three combining marks per letter, which
/// would overlap the lines above.
pub fn visible(text: &str) -> String {
    let mut marks = 0;
    text.chars()
        .filter_map(|c| {
            let width = unicode_width::UnicodeWidthChar::width(c);
            marks = if width == Some(0) { marks + 1 } else { 0 };
            match c {
                '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
                '\u{7f}' => Some('\u{2421}'),
                '\u{80}'..='\u{9f}' => Some('\u{fffd}'),
                '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' => Some('\u{fffd}'),
                '\u{ad}' | '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}' => Some('\u{fffd}'),
                '\u{e0000}'..='\u{e0fff}' => Some('\u{fffd}'),
                c if u32::from(c) & 0xfffe == 0xfffe => Some('\u{fffd}'),
                _ if marks > 3 => None,
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

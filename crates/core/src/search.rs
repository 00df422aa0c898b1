//! Texts for full-text search, and the part of a text that shows a match.

use crate::json::Json;

/// The most bytes of a piece of evidence that are indexed.
const MAX_TEXT: usize = 64 * 1024;
/// The letters before a match in a snippet, and in all of it.
const BEFORE: usize = 40;
const SNIPPET: usize = 160;

/// The words of a piece of evidence in its canonical JSON: names and values of the data, without those of the form.
pub fn evidence_text(canonical: &str) -> String {
    let mut text = String::new();
    let Ok(evidence) = serde_json::from_str::<Json<'_>>(canonical) else { return text };
    if let Some(body) = evidence.get("body") {
        add(body, &mut text);
    }
    text
}

fn add(value: &Json<'_>, text: &mut String) {
    let mut word = |word: &str| {
        if !word.is_empty() && text.len() + word.len() < MAX_TEXT {
            text.push_str(word);
            text.push('\n');
        }
    };
    match value {
        Json::Text(string) => word(string),
        Json::Number(number) => word(&number.to_string()),
        Json::Null | Json::Bool(_) => {}
        Json::List(items) => items.iter().for_each(|item| add(item, text)),
        Json::Object(fields) => fields.iter().for_each(|(_, field)| add(field, text)),
    }
}

/// A match in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// A part of the text around the first match, on one line.
    pub text: String,
    /// Bytes of the first match in the whole text.
    pub start: usize,
    pub end: usize,
}

/// The place of a text where most of the words begin a word, and the part around it. `words` are in lower case. `None`
/// if no word is found, as where the index ignores an accent.
pub fn snippet(text: &str, words: &[String]) -> Option<Snippet> {
    let mut best: Option<(usize, usize, usize)> = None;
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    for (start, end) in starts(text) {
        let Some(n) = words.iter().position(|word| begins(&text[start..end], word)) else { continue };
        found.push((start, start + matched(&text[start..end], &words[n]), n));
    }
    for (i, (start, end, _)) in found.iter().enumerate() {
        let near = found[i..].iter().take_while(|(other, ..)| other - start < SNIPPET - BEFORE);
        let mut kinds: Vec<usize> = near.map(|(_, _, n)| *n).collect();
        kinds.sort_unstable();
        kinds.dedup();
        if best.is_none_or(|(count, ..)| kinds.len() > count) {
            best = Some((kinds.len(), *start, *end));
        }
        if kinds.len() == words.len() {
            break;
        }
    }
    let (_, start, end) = best?;
    let from = text[..start].char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
    // At the beginning of a word.
    let from = if from == 0 { 0 } else { text[from..start].find(char::is_whitespace).map_or(from, |at| from + at) };
    let to = text[from..].char_indices().nth(SNIPPET).map_or(text.len(), |(at, _)| from + at);
    let line: Vec<&str> = text[from..to].split_whitespace().collect();
    let (before, after) = (if from > 0 { "… " } else { "" }, if to < text.len() { " …" } else { "" });
    Some(Snippet { text: format!("{before}{}{after}", line.join(" ")), start, end })
}

/// Where words begin and end.
fn starts(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphanumeric)?;
        let end = text[start..].find(|c: char| !c.is_alphanumeric()).map_or(text.len(), |length| start + length);
        at = end;
        Some((start, end))
    })
}

/// Whether a word begins with another one, which is in lower case.
fn begins(word: &str, with: &str) -> bool {
    let mut letters = word.chars().flat_map(char::to_lowercase);
    with.chars().all(|letter| letters.next() == Some(letter))
}

/// The bytes of a word that another one, which it begins with, covers.
fn matched(word: &str, with: &str) -> usize {
    let mut left = with.chars().count();
    for (at, letter) in word.char_indices() {
        if left == 0 {
            return at;
        }
        left = left.saturating_sub(letter.to_lowercase().count());
    }
    word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_data_of_evidence_is_text() {
        let canonical = r#"{"schema":1,"kind":"trace","body":{"name":"GET /home","spans":[{"attributes":{"db":"users"},"n":42,"ok":true}]},"provenance":{"tool":"x"}}"#;
        assert_eq!(evidence_text(canonical), "GET /home\nusers\n42\n");
        assert_eq!(evidence_text("not json"), "");
        let long = format!(r#"{{"body":["{}","end"]}}"#, "x".repeat(MAX_TEXT));
        assert_eq!(evidence_text(&long), "end\n");
    }

    #[test]
    fn a_snippet_shows_where_most_words_are() {
        let text =
            format!("# Home\n\n{}\n\nThe Login page\n  fails with 500.\n{}", "pad ".repeat(60), "end ".repeat(60));
        let found = snippet(&text, &words("page login")).expect("found");
        assert_eq!(&text[found.start..found.end], "Login");
        assert!(
            found.text.starts_with("… pad") && found.text.contains("The Login page fails with 500. end"),
            "{found:?}"
        );
        assert!(found.text.ends_with(" …") && found.text.chars().count() <= SNIPPET + 6);
        let found = snippet("Ünïcode ist schön", &words("ün")).expect("found");
        assert_eq!((found.text.as_str(), found.start, found.end), ("Ünïcode ist schön", 0, 3));
        assert_eq!(snippet("nothing here", &words("absent")), None);
        assert_eq!(snippet("", &words("a")), None);
        // Only the beginning of a word matches.
        assert_eq!(snippet("begin", &words("gin")), None);
    }
}

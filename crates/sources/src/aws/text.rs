//! Quoting AWS's messages.

use tracebook_core::text::printable;

/// The longest message that is quoted.
const MAX_LENGTH: usize = 400;

/// AWS's message on one line, shortened, without credentials and the account.
pub(crate) fn sentence(said: &str, instead: &str) -> String {
    let said = tracebook_core::credentials::remove_from_text(said, &mut Default::default());
    let words: Vec<&str> = said.split_whitespace().collect();
    let line = printable(&masked(&words.join(" ")), MAX_LENGTH);
    match line.is_empty() {
        true => instead.to_owned(),
        false => line,
    }
}

/// Masks all but the last four digits of account ids; digits within longer ids stay.
pub(crate) fn masked(text: &str) -> String {
    const ACCOUNT: usize = 12;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        match word.len() == ACCOUNT && word.bytes().all(|b| b.is_ascii_digit()) {
            true => {
                out.push_str("••••••••");
                out.push_str(&word[8..]);
            }
            false => out.push_str(word),
        }
        rest = after;
    }
    out + rest
}

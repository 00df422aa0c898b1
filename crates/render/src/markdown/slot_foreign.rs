//! Slots in Spanish, Portuguese, German and French; [`super::slots`] reads English.
//!
//! The forms are those of English, with the verb at either end: an order (`insertar imagen de trazas`, `Screenshot
//! einfügen`), a naming (`capture d'écran des traces`), a placeholder (`[captura]`, `Bild hier`), and what says that a
//! picture is missing (`falta captura`, `Screenshot folgt`).

use super::slot_languages::{LANGUAGES, Language, TERMS};
use super::slot_words::OTHER_IMAGES;
use super::slots::Form;
use super::wants::wants;

/// More words are a sentence.
const MOST_WORDS: usize = 14;

/// Reads a line without its decoration. `marked`: it had brackets or a label.
pub(super) fn read(text: &str, marked: bool) -> Option<Form> {
    let mut text = text.to_lowercase().replace('’', "'");
    for (term, word) in TERMS {
        if text.contains(term) {
            text = text.replace(term, word);
        }
    }
    let tokens: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '/' | '(' | ')' | '[' | ']' | '_'))
        .flat_map(|word| word.split_inclusive("d'"))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    if tokens.is_empty() || tokens.len() > MOST_WORDS {
        return None;
    }
    LANGUAGES.iter().find_map(|language| language.read(&tokens, marked))
}

/// Whether a word makes a line a sentence in any of the languages, and means nothing in English.
pub(super) fn is_sentence(word: &str) -> bool {
    const ENGLISH: [&str; 7] = ["on", "se", "era", "pas", "car", "fait", "man"];
    !ENGLISH.contains(&word) && LANGUAGES.iter().any(|language| language.sentence.contains(&word))
}

impl Language {
    fn is_picture(&self, word: &str) -> bool {
        self.strong.contains(&word) || self.weak.contains(&word)
    }

    fn read(&self, words: &[&str], marked: bool) -> Option<Form> {
        let is = |list: &[&str], word: &&str| list.contains(word);
        if words.iter().any(|word| is(self.sentence, word)) {
            return None;
        }
        let first_verb = words.iter().take(3).position(|word| is(self.verbs, word));
        // Before the verb, only a place or politeness: `aquí insertar`, `bitte noch einfügen`.
        let first_verb =
            first_verb.filter(|at| words[..*at].iter().all(|word| is(self.here, word) || is(self.articles, word)));
        let last_verb = words.last().is_some_and(|word| is(self.verbs, word)) && words.len() > 1;
        let here = words.first().is_some_and(|word| is(self.here, word))
            || words.last().is_some_and(|word| is(self.here, word));
        let Some(at) = words.iter().position(|word| self.is_picture(word)) else {
            return self.evidence_here(words, first_verb, here);
        };
        let strong = self.strong.contains(&words[at]);
        let (before, after) = (&words[..at], &words[at + 1..]);
        let other = |word: &&str| is(self.other, word) || OTHER_IMAGES.contains(word);
        if !strong && words.iter().any(other) {
            return None;
        }
        let kind = wants(&words.join(" ")) != "unknown";
        let missing = words.iter().any(|word| is(self.missing, word)) && before.len() <= 3;
        let complement = match after {
            [of, rest @ ..] if is(self.of, of) => Some(rest),
            _ => None,
        };
        let about = complement.is_some_and(|rest| !rest.is_empty() && rest.len() <= 10);
        let trailing = after.is_empty() || (after.len() == 1 && (last_verb || here));
        if let Some(verb) = first_verb.filter(|verb| *verb < at && at - verb <= 4) {
            let between = &before[verb + 1..];
            let definite = between.iter().any(|word| is(self.definite, word) || *word == "la" || *word == "o");
            let fits = match strong {
                true => trailing || about || here || after.first().is_some_and(|word| word.parse::<u32>().is_ok()),
                false => (trailing && (!definite || marked || here)) || (about && (kind || marked || here)) || here,
            };
            return fits.then_some(Form::Order);
        }
        if last_verb {
            let fits = before.len() <= 4 && (strong || kind || trailing) && (trailing || about || here || kind);
            let definite = before.iter().any(|word| is(self.definite, word));
            return (fits && (strong || !definite || kind)).then_some(Form::Order);
        }
        if missing && (strong || kind || marked || words.len() <= 4) && words.len() <= 9 {
            return Some(Form::Placeholder);
        }
        let article = |word: &&str| is(self.articles, word) || is(self.here, word);
        if before.iter().all(article) {
            if here && (after.len() <= 1 || about) {
                return Some(Form::Placeholder);
            }
            if after.is_empty() && marked {
                return Some(Form::Placeholder);
            }
            if before.iter().all(|word| is(self.articles, word)) && about && (kind || strong) {
                return Some(Form::Naming);
            }
            if marked && strong && after.len() <= 5 {
                return Some(Form::Placeholder);
            }
        }
        None
    }

    /// `insertar trazas aquí`.
    fn evidence_here(&self, words: &[&str], verb: Option<usize>, here: bool) -> Option<Form> {
        let subject = words.len() - usize::from(here) - usize::from(verb.is_some());
        let kind = wants(&words.join(" ")) != "unknown";
        (verb.is_some() && here && kind && (1..=5).contains(&subject)).then_some(Form::Here)
    }
}

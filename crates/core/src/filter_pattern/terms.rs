//! Terms: words, phrases and regexes that a message must or must not contain.

use regex::Regex;

use super::scan::Scanner;
use super::{PatternError, literal};

#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    wanted: Vec<Term>,
    unwanted: Vec<Term>,
    /// At least one of them must match. Used only if there are no other terms.
    either: Vec<Term>,
}

#[derive(Clone, Debug)]
enum Term {
    Text(String),
    Regex(Regex),
}

impl Terms {
    pub(super) fn parse(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        let mut terms = Self::default();
        loop {
            scanner.blanks();
            let list = match scanner.peek() {
                None => break,
                Some('?') => &mut terms.either,
                Some('-') => &mut terms.unwanted,
                Some(_) => &mut terms.wanted,
            };
            if let Some('?' | '-') = scanner.peek() {
                scanner.bump();
            }
            list.push(Term::parse(scanner)?);
        }
        // The user guide: `?` cannot be combined with other terms, and is ignored where it is.
        if !terms.wanted.is_empty() || !terms.unwanted.is_empty() {
            terms.either.clear();
        }
        Ok(terms)
    }

    pub(super) fn match_message(&self, message: &str) -> bool {
        self.wanted.iter().all(|term| term.is_in(message))
            && !self.unwanted.iter().any(|term| term.is_in(message))
            && (self.either.is_empty() || self.either.iter().any(|term| term.is_in(message)))
    }
}

impl Term {
    fn parse(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        let term = match scanner.peek() {
            Some('"') => Self::Text(literal::phrase(scanner.quoted('"')?)),
            Some('%') => Self::Regex(scanner.regex()?),
            _ => {
                let place = scanner.place();
                let word = scanner.take(|c| c.is_alphanumeric() || c == '_');
                if scanner.peek().is_some_and(|c| !c.is_whitespace()) || word.is_empty() {
                    let whole = format!("{word}{}", scanner.take(|c| !c.is_whitespace()));
                    let words = match whole.as_str() {
                        "" => "a term is missing here: write ?TERM, -TERM or TERM".to_owned(),
                        _ => format!(
                            "a term is letters, digits and _; anything else goes in quotes: \"{}\"",
                            whole.replace('\\', "\\\\").replace('"', "\\\"")
                        ),
                    };
                    return Err(scanner.fail_at(place, words));
                }
                Self::Text(word.to_owned())
            }
        };
        match scanner.peek() {
            Some(c) if !c.is_whitespace() => Err(scanner.fail("a blank goes between two terms")),
            _ => Ok(term),
        }
    }

    fn is_in(&self, message: &str) -> bool {
        match self {
            Self::Text(text) => message.contains(text.as_str()),
            Self::Regex(regex) => regex.is_match(message),
        }
    }
}

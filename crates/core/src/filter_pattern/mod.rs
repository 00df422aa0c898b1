//! Filter patterns of CloudWatch Logs, which select log events by their messages.
//!
//! There are three languages, distinguished by the first character: `{ $.level = "ERROR" }` for JSON messages, `[ip,
//! ..., status = 4*]` for messages of fields separated by blanks, and otherwise terms that a message contains (`ERROR`,
//! `"two words"`, `?a ?b`, `-x`, `%regex%`).
//!
//! Behaviour that the user guide does not define, as the service answers: a term also matches inside a word; every
//! comparison, including `!=`, is false for a property that is missing, null, a boolean, an object or a list; an
//! unquoted number is compared with a JSON string as text; `IS NULL` also holds for a list with a null in it, and `[*]`
//! also selects the values of an object; a message that is no JSON object matches no JSON pattern; without `...`, the
//! last field of a pattern has the rest of the message.

mod expression;
mod fields;
mod json;
mod literal;
mod scan;
mod terms;
#[cfg(test)]
mod tests;

use scan::Scanner;

/// The number of regexes that CloudWatch Logs allows in a pattern of properties or fields.
const MOST_REGEXES: usize = 2;

/// The number of wildcards (`[*]`, `.*`) in one property, and in a pattern.
const MOST_WILDCARDS: usize = 1;
const MOST_WILDCARDS_OF_ALL: usize = 3;

/// A parsed filter pattern.
#[derive(Clone, Debug, Default)]
pub struct FilterPattern(Kind);

#[derive(Clone, Debug, Default)]
enum Kind {
    #[default]
    Everything,
    Terms(terms::Terms),
    Json(json::Condition),
    Fields(fields::Fields),
}

/// An error in a filter pattern, with its position and a hint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: {message}")]
pub struct PatternError {
    /// The position in characters, from 1.
    pub position: usize,
    /// The error and what to write instead.
    pub message: String,
}

impl FilterPattern {
    /// Reads a pattern. Nothing and blanks match everything.
    ///
    /// # Errors
    /// [`PatternError`] with the position and a hint.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut scanner = Scanner::new(text);
        scanner.blanks();
        let kind = match scanner.peek() {
            None => Kind::Everything,
            Some('{') => Kind::Json(json::Condition::parse(&mut scanner)?),
            Some('[') => Kind::Fields(fields::Fields::parse(&mut scanner)?),
            Some(_) => Kind::Terms(terms::Terms::parse(&mut scanner)?),
        };
        scanner.blanks();
        match scanner.peek() {
            None => Ok(Self(kind)),
            Some(_) => Err(scanner.fail(format!(
                "the pattern has ended, and {} follows; join conditions inside it with && or ||",
                scanner.shown()
            ))),
        }
    }

    /// Whether it matches every message, so that messages need not be read.
    pub fn matches_everything(&self) -> bool {
        matches!(self.0, Kind::Everything)
    }

    /// Whether the message of a log event matches.
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Kind::Everything => true,
            Kind::Terms(terms) => terms.match_message(message),
            Kind::Json(condition) => condition.matches(message),
            Kind::Fields(fields) => fields.match_message(message),
        }
    }
}

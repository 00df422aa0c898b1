//! CloudWatch Logs' filter patterns: which log events a reader wants, as the CloudWatch console and SDKs write it.
//!
//! Three languages, distinguished by the first character: `{ $.level = "ERROR" }` reads messages that are JSON, `[ip,
//! ..., status = 4*]` reads messages that are fields between blanks, and everything else is terms that a message holds
//! (`ERROR`, `"two words"`, `?a ?b`, `-x`, `%regex%`).
//!
//! Where the user guide is silent, this is what holds here: a plain term may be found inside a word; a
//! comparison with a property that is missing, null, an object or a list does not hold, `!=` neither; an unquoted
//! number is compared with a JSON string as text; a message that is no JSON matches no JSON pattern.

mod expression;
mod fields;
mod json;
mod literal;
mod scan;
mod terms;
#[cfg(test)]
mod tests;

use scan::Scanner;

/// How many regexes CloudWatch Logs takes in a pattern of properties or fields.
const MOST_REGEXES: usize = 2;

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

/// What is wrong with a filter pattern, where, and how to write it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: {message}")]
pub struct PatternError {
    /// Which character of the pattern, counted from 1.
    pub position: usize,
    /// What is wrong there and what to write instead.
    pub message: String,
}

impl FilterPattern {
    /// Reads a pattern. Nothing, blanks and `" "` match everything.
    ///
    /// # Errors
    /// [`PatternError`] with the place and how to write it.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut scanner = Scanner::new(text);
        scanner.blanks();
        let kind = match scanner.peek() {
            None => Kind::Everything,
            Some('{') => Kind::Json(json::Condition::parse(&mut scanner)?),
            Some('[') => Kind::Fields(fields::Fields::parse(&mut scanner)?),
            Some(_) => match terms::Terms::parse(&mut scanner)? {
                terms if terms.are_everything() => Kind::Everything,
                terms => Kind::Terms(terms),
            },
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

//! Where an answer ended: returned as `next` and passed back as `page`.

use std::fmt;

use crate::cloud::{Fault, SourceError};

/// A position between two events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The service's own token.
    Token(String),
    /// Newest first, if the service does not list so: the newest of the remaining events happened at `until`
    /// (milliseconds), and of that time `shown` events were already returned.
    Before { until: i64, shown: usize },
}

impl Mark {
    pub(super) fn parse(text: &str) -> Result<Self, SourceError> {
        let read = || {
            if let Some(token) = text.strip_prefix("t.") {
                return (!token.is_empty()).then(|| Self::Token(token.to_owned()));
            }
            let (until, shown) = text.strip_prefix("b.")?.split_once('.')?;
            Some(Self::Before { until: until.parse().ok()?, shown: shown.parse().ok()? })
        };
        read().ok_or_else(|| SourceError::new(Fault::Invalid, "invalid page token", "Start again from the first page"))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(token) => write!(f, "t.{token}"),
            Self::Before { until, shown } => write!(f, "b.{until}.{shown}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_mark_reads_back() {
        for mark in [Mark::Token("a.b/c==".into()), Mark::Before { until: -1, shown: 0 }] {
            assert_eq!(Mark::parse(&mark.to_string()), Ok(mark));
        }
        for text in ["", "t.", "b.1", "b.x.1", "b.1.-1", "b.1.99999999999999999999999", "5"] {
            assert_eq!(Mark::parse(text).expect_err(text).fault, Fault::Invalid);
        }
    }
}

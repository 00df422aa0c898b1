//! Queries of cloud sources: their answers, and the groups or datasets that a query begins with.

use tracebook_core::filter::{FilterError, leading_part};
use tracebook_core::freeze::Origin;
use tracebook_core::query::QueryResult;
use tracebook_core::question::Source;

use crate::ground::error::Error;
use crate::ground::schema::SavedQuery;

/// The nanoseconds that a query covers unless it names a range.
pub(super) const LOOKBACK: i64 = 3_600 * 1_000_000_000;
/// The rows of an answer unless the caller names a limit.
pub(super) const ROWS: u32 = 1_000;

/// An answer and its origin.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) source: Source,
    pub(crate) result: QueryResult,
    pub(crate) origin: Origin,
}

/// The queries that are saved at a vendor.
pub(crate) struct SavedQueries {
    pub(crate) rows: Vec<SavedQuery>,
    pub(crate) notes: Vec<String>,
}

pub(super) fn no_such(id: &str) -> Error {
    Error::not_found(
        format!("there is no saved query {id:?}"),
        "The tray's Queries tab lists them; a text needs no saving: --filter 'group:NAME fields @message'",
    )
}

/// Log groups or datasets at the beginning of a query (`group:cruddur fields @message`), and the rest of it.
pub(super) fn leading_groups(text: &str) -> Result<(Vec<String>, &str), Error> {
    let mut groups = Vec::new();
    let mut rest = text.trim_start();
    let wrong = |e: FilterError| Error::usage(e.to_string(), "Example: group:cruddur fields @timestamp, @message");
    while let Some(part) = leading_part(rest, &["group", "dataset"]).map_err(wrong)? {
        groups.push(part.value.to_owned());
        rest = part.rest.trim_start();
    }
    Ok((groups, rest))
}

#[cfg(test)]
mod tests {
    use super::leading_groups;

    #[test]
    fn groups_stand_before_a_query() {
        let of = |text| {
            let (groups, rest) = leading_groups(text).expect("a query");
            (groups.join("|"), rest)
        };
        assert_eq!(of("fields @message"), (String::new(), "fields @message"));
        assert_eq!(of(" group:cruddur group:\"a b\"  stats count(*)"), ("cruddur|a b".to_owned(), "stats count(*)"));
        assert_eq!(of("dataset:backend {\"x\": 1}"), ("backend".to_owned(), "{\"x\": 1}"));
        assert_eq!(of("group:cruddur"), ("cruddur".to_owned(), ""));
    }
}

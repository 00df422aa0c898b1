//! The prefix of docker compose before a line of a container.

use std::sync::LazyLock;

use regex::Regex;

use crate::time::Nanos;

/// A line with docker compose's prefix, parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix<'a> {
    /// The container as compose names it: `backend-flask-1`.
    pub container: &'a str,
    /// Its service, without the number: `backend-flask`.
    pub service: &'a str,
    /// The time of the line from the engine, with `--timestamps`.
    pub time: Option<Nanos>,
    /// The service's own output, with its colours.
    pub rest: &'a str,
}

/// The name with and without its number, the blanks and the bar, and the engine's time. A name without a number
/// (`container_name:`) requires compose's colour or its second blank, or else every table would match.
static SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "a fixed pattern that tests use")]
    Regex::new(
        r"(?x-u)^(?P<colour>(?:\x1b\[[0-9;]*m)*)
        (?P<container>(?P<service>[A-Za-z0-9][A-Za-z0-9_.-]*?)(?P<number>[-_][0-9]{1,6})?)
        (?P<blanks>\ +)\|(?:\x1b\[[0-9;]*m)*(?:\ (?:\x1b\[0?m)?|$)
        (?:(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}(?:Z|[+-][0-9:]{5}))(?:\ |$))?",
    )
    .unwrap()
});

/// Splits docker compose's prefix off a line: `backend-flask-1  | …`, version 1's `backend_1    | …`, coloured or not.
pub fn prefix(text: &str) -> Option<Prefix<'_>> {
    let found = SHAPE.captures(text)?;
    let group = |name| found.name(name).map_or("", |found| found.as_str());
    let certain = !group("number").is_empty() || !group("colour").is_empty() || group("blanks").len() > 1;
    certain.then(|| Prefix {
        container: group("container"),
        service: group("service"),
        time: Nanos::parse_rfc3339(group("time")),
        rest: &text[found.get(0).map_or(0, |whole| whole.end())..],
    })
}

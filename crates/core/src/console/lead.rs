//! What tools and loggers write before a line of a program: docker compose, docker service, kubectl, journald,
//! container runtimes, process managers, times.

use std::sync::LazyLock;

use regex::Regex;

use super::ansi::plain;
use super::prefix;
use crate::time::Nanos;

/// A line without what was written before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lead {
    /// The container, pod or unit that printed it; empty where none is named.
    pub(super) origin: String,
    /// The time before the line, if it has a date and a zone.
    pub(super) time: Option<Nanos>,
    /// The program's own text without colours.
    pub(super) rest: String,
}

/// More than the tools put together write before a line.
const MOST_PARTS: usize = 4;

/// Each matches one part, with its separator. The indentation behind it belongs to the program.
static PARTS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    const PARTS: [&str; 8] = [
        // kubectl logs --prefix: [pod/backend-5d4f8/flask]
        r"^\[(?P<origin>pod/[a-z0-9./-]+|[a-z0-9.-]+[-/.][a-z0-9./-]+)\]\ ",
        // docker service logs: backend.1.p2x9…@node1    |
        r"^(?P<origin>[\w.-]+\.[0-9]+\.[a-z0-9]{20,30}@[\w.-]+)\ +\|\ ?",
        // journalctl: Nov 23 15:20:42 host backend[123]:
        r"^[A-Z][a-z]{2}\ [\ 0-9][0-9]\ [0-9:]{8}(?:\.[0-9]+)?\ [\w.-]+\ (?P<origin>[^\s:\[\]]+)(?:\[[0-9]+\])?:\ ",
        // journalctl -o short-iso, syslog of RFC 3339
        r"^(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}[+-][0-9]{2}:?[0-9]{2})\ [\w.-]+\ (?P<origin>[^\s:\[\]]+)\[[0-9]+\]:\ ",
        // containerd: 2026-11-23T15:20:42.123456789Z stdout F
        r"^(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}(?:Z|[+-][0-9]{2}:?[0-9]{2}))\ (?P<origin>stdout|stderr)\ [FP]\ ",
        // --timestamps of docker and kubectl, loggers, hosted runners
        r"^\[?(?P<time>[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T\ ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?\ ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)\]?[\ \t]",
        // A time of day, with the process of foreman or heroku: 15:20:42 web.1  |
        r"^\[?[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?\]?\ (?:(?P<origin>[a-z][\w-]*\.[0-9]+)\ +\|\ )?",
        // The level of the collector's logger, with its place in the code
        r"^\ {0,7}(?:debug|info|DEBUG|INFO)(?:\t|\ {1,8})(?:\S{1,100}\.go:[0-9]+(?:\t|\ {1,8}))?",
    ];
    #[expect(clippy::unwrap_used, reason = "fixed patterns that tests use")]
    PARTS.iter().map(|part| Regex::new(&format!("(?x){part}")).unwrap()).collect()
});

/// Splits off what was written before a line.
pub(super) fn lead(text: &str) -> Lead {
    let (mut origin, mut time, rest) = match prefix(text) {
        Some(found) => (found.container.to_owned(), found.time, found.rest),
        None => (String::new(), None, text),
    };
    let shown = plain(rest);
    let mut rest = shown.as_str();
    for _ in 0..MOST_PARTS {
        // No part is longer, and a line may have 16 KiB.
        let head = &rest[..rest.floor_char_boundary(400)];
        let Some(found) = PARTS.iter().find_map(|part| part.captures(head)) else { break };
        if let Some(name) = found.name("origin") {
            origin.push(' ');
            origin.push_str(name.as_str());
        }
        time = found.name("time").and_then(|time| moment(time.as_str())).or(time);
        rest = &rest[found.get(0).map_or(0, |whole| whole.end())..];
    }
    Lead { origin, time, rest: rest.to_owned() }
}

/// A time in one of the forms of loggers; without a zone it is UTC.
pub(super) fn moment(text: &str) -> Option<Nanos> {
    let (date, clock) = text.split_at_checked(10)?;
    let mut clock = clock.get(1..)?.replace(',', ".");
    // `15:20:43:250` of Java's agent.
    if clock.as_bytes().get(8) == Some(&b':') {
        clock.replace_range(8..9, ".");
    }
    let clock = clock.trim().trim_end_matches("UTC").trim_end();
    let zone = clock.rfind(['+', '-', 'Z']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(zone);
    let zone = match zone.len() {
        0 => "Z".to_owned(),
        5 => format!("{}:{}", &zone[..3], &zone[3..]),
        _ => zone.to_owned(),
    };
    Nanos::parse_rfc3339(&format!("{}T{}{zone}", date.replace('/', "-"), clock.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_write_before_a_line_is_split_off() {
        let at = Nanos::parse_rfc3339("2026-11-23T15:20:42.123Z");
        for (text, origin, time, rest) in [
            ("  {", "", None, "  {"),
            ("backend-1  |   {", "backend-1", None, "  {"),
            ("[pod/backend-5d4/flask]   x", " pod/backend-5d4/flask", None, "  x"),
            (
                "backend.1.p2x9c8v7b6n5m4l3k2j1h0g9f@node1    | x",
                " backend.1.p2x9c8v7b6n5m4l3k2j1h0g9f@node1",
                None,
                "x",
            ),
            ("Nov 23 15:20:42 host backend[12]:     x", " backend", None, "    x"),
            ("2026-11-23T15:20:42.123+0000 host backend[12]: x", " backend", at, "x"),
            ("2026-11-23T15:20:42.123Z stdout F   x", " stdout", at, "  x"),
            ("2026-11-23T15:20:42.123000000Z     x", "", at, "    x"),
            ("backend-1  | 2026-11-23T15:20:42.123000000Z   x", "backend-1", at, "  x"),
            ("[2026-11-23 15:20:42,123] x", "", at, "x"),
            ("2026/11/23 15:20:42.123 x", "", at, "x"),
            ("15:20:42 web.1  |   x", " web.1", None, "  x"),
            ("2026-11-23T15:20:42.123+0000\tinfo\tResourceSpans #0", "", at, "ResourceSpans #0"),
            ("2026-11-23T16:20:42.123+0100    DEBUG   loggingexporter/x.go:9  Span #0", "", at, "Span #0"),
            ("\u{1b}[32m[pod/a-1/b]\u{1b}[0m x", " pod/a-1/b", None, "x"),
            ("[info] x", "", None, "[info] x"),
            ("GET / 200", "", None, "GET / 200"),
        ] {
            let found = lead(text);
            assert_eq!((found.origin.as_str(), found.time, found.rest.as_str()), (origin, time, rest), "{text}");
        }
    }
}

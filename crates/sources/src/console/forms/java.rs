//! `LoggingSpanExporter` of Java: a line without times, parent, status and resource.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value as Json};
use tracebook_core::time::Nanos;

use super::{Printed, untyped};

static SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "a fixed pattern that tests use")]
    Regex::new(
        r"'(?P<name>.*)' : (?P<trace>[0-9a-f]{32}) (?P<span>[0-9a-f]{16}) (?P<kind>[A-Z]+) \[tracer: (?P<scope>[^\]]*)\] ?(?P<rest>.*)$",
    )
    .unwrap()
});
/// Where the next pair begins: a comma in a value is hardly ever followed by a key.
static NEXT: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "a fixed pattern that tests use")]
    Regex::new(r", (?:[A-Za-z_][\w.-]*)=").unwrap()
});

const NOTE: &str = "LoggingSpanExporter prints neither times nor parent, status and resource: the time of its line stands \
                    for start and end";

/// Converts a span that was printed at `time`.
pub(in crate::console) fn span(text: &str, time: Option<Nanos>) -> Option<Map<String, Json>> {
    let found = SHAPE.captures(text)?;
    let group = |name: &str| found.name(name).map_or("", |group| group.as_str()).to_owned();
    let scope = group("scope");
    let (scope, version) = scope.rsplit_once(':').unwrap_or((&scope, ""));
    let printed = Printed {
        name: group("name"),
        trace_id: group("trace"),
        span_id: group("span"),
        kind: group("kind"),
        start: Some(time?),
        end: time,
        attributes: attributes(&group("rest")),
        scope: (scope.to_owned(), version.to_owned()),
        notes: vec![NOTE.to_owned()],
        ..Printed::default()
    };
    Some(printed.into_json())
}

/// `AttributesMap{data={a=b, c=1}, capacity=128, totalAddedValues=2}`, or `{a="b", c=1}` of earlier versions.
fn attributes(text: &str) -> Map<String, Json> {
    let inner = text.find("data={").map(|at| &text[at + "data={".len()..]);
    let inner = match inner {
        Some(inner) => inner.rfind("}, capacity=").map_or(inner, |end| &inner[..end]),
        None => text.find('{').map_or("", |at| &text[at + 1..]),
    };
    let inner = inner.trim_end().trim_end_matches('}');
    let mut ends: Vec<usize> = NEXT.find_iter(inner).map(|found| found.start()).collect();
    ends.push(inner.len());
    let mut from = 0;
    let mut map = Map::new();
    for end in ends {
        if let Some((key, value)) = inner.get(from..end).and_then(|pair| pair.split_once('=')) {
            let value = match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
                Some(text) => text.into(),
                None => untyped(value),
            };
            map.insert(key.to_owned(), value);
        }
        from = end + 2;
    }
    map
}

//! Compares two captures.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::assemble::rows;
use crate::evidence::Body;
use crate::time::human_duration;
use crate::trace::{Span, Trace};
use crate::value::Attribute;

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its location: the names from the root to the span, and the property.
    pub place: String,
    /// The left value; null if it is only on the right.
    pub left: Option<String>,
    /// The right value; null if it is only on the left.
    pub right: Option<String>,
}

/// All differences. Ids and absolute times are not compared, since they differ between any two requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Whether there are no differences.
    pub same: bool,
    /// The differences.
    pub changes: Vec<Change>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.same {
            return f.write_str("nothing differs but ids and times of day\n");
        }
        for change in &self.changes {
            match (&change.left, &change.right) {
                (Some(left), Some(right)) => writeln!(f, "~ {}: {left} → {right}", change.place)?,
                (Some(left), None) => writeln!(f, "- {}: {left}", change.place)?,
                (None, right) => writeln!(f, "+ {}: {}", change.place, right.as_deref().unwrap_or_default())?,
            }
        }
        Ok(())
    }
}

/// Compares two bodies.
pub fn bodies(left: &Body, right: &Body) -> Difference {
    let changes = match (left, right) {
        (Body::Trace(left), Body::Trace(right)) => traces(left, right),
        (Body::Dossier(left), Body::Dossier(right)) => {
            let mut changes = traces(&left.trace, &right.trace);
            changes.extend(leaves_differ(&Rest::of(left), &Rest::of(right)));
            changes
        }
        (left, right) if left.kind() == right.kind() => leaves_differ(left, right),
        (left, right) => vec![Change {
            place: "kind".to_owned(),
            left: Some(left.kind().word().to_owned()),
            right: Some(right.kind().word().to_owned()),
        }],
    };
    Difference { same: changes.is_empty(), changes }
}

/// The parts of a dossier besides its trace.
#[derive(Serialize)]
struct Rest<'a> {
    logs: Vec<&'a str>,
    errors: Vec<&'a str>,
    console: Vec<&'a str>,
}

impl<'a> Rest<'a> {
    fn of(dossier: &'a crate::dossier::Dossier) -> Self {
        Self {
            logs: dossier.logs.iter().map(|l| l.event.message.as_str()).collect(),
            errors: dossier.errors.iter().map(|e| e.occurrence.title.as_str()).collect(),
            console: dossier.console.iter().map(|l| l.line.text.as_str()).collect(),
        }
    }
}

/// Fields that always differ between two captures of the same thing.
const NEVER_THE_SAME: &[&str] =
    &["id", "uuid", "trace_id", "span_id", "timestamp", "time", "start", "end", "first", "last", "created", "modified"];

/// Compares JSON forms, value by value.
fn leaves_differ(left: &impl Serialize, right: &impl Serialize) -> Vec<Change> {
    let (mut a, mut b) = (BTreeMap::new(), BTreeMap::new());
    for (tree, into) in [(serde_json::to_value(left), &mut a), (serde_json::to_value(right), &mut b)] {
        // Evidence has a JSON form.
        leaves(&tree.unwrap_or_default(), "", into);
    }
    let mut places: Vec<&String> = a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))).collect();
    places.sort_unstable();
    places
        .into_iter()
        .filter(|place| a.get(*place) != b.get(*place))
        .map(|place| Change { place: place.clone(), left: a.get(place).cloned(), right: b.get(place).cloned() })
        .collect()
}

fn leaves(json: &serde_json::Value, place: &str, into: &mut BTreeMap<String, String>) {
    match json {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                if !NEVER_THE_SAME.contains(&key.as_str()) {
                    let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                    leaves(value, &place, into);
                }
            }
        }
        serde_json::Value::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                leaves(value, &format!("{place}[{i:03}]"), into);
            }
        }
        serde_json::Value::String(text) => {
            into.insert(place.to_owned(), text.clone());
        }
        other => {
            into.insert(place.to_owned(), other.to_string());
        }
    }
}

fn traces(left: &Trace, right: &Trace) -> Vec<Change> {
    let (left, right) = (by_path(left), by_path(right));
    let mut changes = Vec::new();
    for (path, a) in &left {
        match right.get(path) {
            Some(b) => spans(path, a, b, &mut changes),
            None => changes.push(Change { place: path.clone(), left: Some(length(a)), right: None }),
        }
    }
    for (path, b) in &right {
        if !left.contains_key(path) {
            changes.push(Change { place: path.clone(), left: None, right: Some(length(b)) });
        }
    }
    changes
}

/// Spans by the path of names from the root; the second one with a name under one parent is `name #2`.
fn by_path(trace: &Trace) -> BTreeMap<String, &Span> {
    let mut paths: BTreeMap<String, &Span> = BTreeMap::new();
    let mut above: Vec<String> = Vec::new();
    for row in rows(trace) {
        let span = &trace.spans[row.index];
        above.truncate(row.depth);
        let parent = above.last().map(|p| format!("{p} › ")).unwrap_or_default();
        let base = format!("{parent}{}", span.title());
        let mut path = base.clone();
        let mut n = 1;
        while paths.contains_key(&path) {
            n += 1;
            path = format!("{base} #{n}");
        }
        paths.insert(path.clone(), span);
        // Below a missing parent, the depth starts at 1.
        while above.len() < row.depth {
            above.push("…".to_owned());
        }
        above.push(path);
    }
    paths
}

fn length(span: &Span) -> String {
    span.duration().map_or_else(|| "in progress".to_owned(), human_duration)
}

fn spans(path: &str, a: &Span, b: &Span, changes: &mut Vec<Change>) {
    let mut compare = |what: &str, left: Option<String>, right: Option<String>| {
        if left != right {
            changes.push(Change { place: format!("{path}, {what}"), left, right });
        }
    };
    compare("duration", Some(length(a)), Some(length(b)));
    compare("status", Some(a.status.code.word().to_owned()), Some(b.status.code.word().to_owned()));
    compare("service", Some(a.service.clone()), Some(b.service.clone()));
    for (kind, left, right) in [
        ("attribute", &a.attributes, &b.attributes),
        ("annotation", &a.annotations, &b.annotations),
        ("metadata", &a.metadata, &b.metadata),
    ] {
        let (left, right) = (texts(left), texts(right));
        for key in left.keys().chain(right.keys().filter(|k| !left.contains_key(*k))) {
            compare(&format!("{kind} {key}"), left.get(key).cloned(), right.get(key).cloned());
        }
    }
    let exceptions = |s: &Span| {
        let list: Vec<String> = s.exceptions.iter().map(|e| format!("{}: {}", e.kind, e.message)).collect();
        (!list.is_empty()).then(|| list.join("; "))
    };
    compare("exceptions", exceptions(a), exceptions(b));
    compare("events", Some(a.events.len().to_string()), Some(b.events.len().to_string()));
    compare("links", Some(a.links.len().to_string()), Some(b.links.len().to_string()));
}

fn texts(attributes: &[Attribute]) -> BTreeMap<String, String> {
    attributes.iter().map(|a| (a.key.clone(), a.value.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::{LooseSpan, assemble};
    use crate::ids::{SpanId, TraceId};
    use crate::time::Nanos;
    use crate::trace::Protocol;

    fn trace(names: &[(&str, i64)], base: u8) -> Body {
        let loose = names.iter().enumerate().map(|(i, (name, length))| {
            let i = u8::try_from(i).expect("few");
            let mut span =
                Span::new(SpanId([base + i; 8]), *name, Protocol::Otlp, Nanos(i64::from(base) * 1000 + i64::from(i)));
            span.end = Some(Nanos(span.start.0 + length));
            span.parent = (i > 0).then_some(SpanId([base; 8]));
            LooseSpan::from(span)
        });
        Body::Trace(assemble(TraceId([base; 16]), loose))
    }

    #[test]
    fn ids_and_absolute_times_are_not_compared() {
        let names = [("root", 50), ("query", 10), ("query", 10)];
        assert!(bodies(&trace(&names, 1), &trace(&names, 100)).same);
    }

    #[test]
    fn added_removed_and_slower_spans_are_differences() {
        let left = trace(&[("root", 50_000_000), ("query", 10), ("old", 5)], 1);
        let right = trace(&[("root", 80_000_000), ("query", 10), ("new", 5)], 100);
        let text = bodies(&left, &right).to_string();
        assert_eq!(text, "~ root, duration: 50 ms → 80 ms\n- root › old: 5 ns\n+ root › new: 5 ns\n");
    }
}

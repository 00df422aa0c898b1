//! In what the occurrences of an error differ: persons, requests, versions, messages.

use std::collections::{HashMap, HashSet};

use crate::credentials::{Removed, is_credential_name, remove_from_text};
use crate::errors::{Occurrence, Varied, VariedValue};
use crate::text::shorten;
use crate::value::{Attribute, get};

/// The most values of a property that are counted by name, and their most characters.
const MOST_VALUES: usize = 5;
const MOST_CHARS: usize = 200;
/// The most custom properties that are compared.
const MOST_CUSTOM: usize = 40;
/// The most properties that are listed.
const MOST_VARIED: usize = 12;

/// The properties that tell the occurrences of an item apart, in the order of their weight. Identifiers and times
/// differ between any two and are not among them.
fn telling(occurrence: &Occurrence) -> Vec<(String, String)> {
    let of = |list: &[Attribute], key: &str| get(list, key).map(ToString::to_string).unwrap_or_default();
    let request = [of(&occurrence.request, "method"), of(&occurrence.request, "url")];
    let place = occurrence.traces.last().and_then(|trace| trace.frames.last()).map(|frame| {
        let line = frame.lineno.map(|line| format!(":{line}")).unwrap_or_default();
        let method = if frame.method.is_empty() { String::new() } else { format!(" in {}", frame.method) };
        format!("{}{line}{method}", frame.filename)
    });
    let known = [
        ("Message", occurrence.title.clone()),
        ("Level", occurrence.level.word().to_owned()),
        ("Person", occurrence.person.as_ref().map(|person| person.label().to_owned()).unwrap_or_default()),
        ("Request", request.join(" ").trim().to_owned()),
        ("Raised at", place.unwrap_or_default()),
        ("Context", occurrence.context.clone()),
        ("Environment", occurrence.environment.clone()),
        ("Code version", of(&occurrence.other, "code_version")),
        (
            "Host",
            Some(of(&occurrence.other, "server.host"))
                .filter(|h| !h.is_empty())
                .unwrap_or(of(&occurrence.other, "host")),
        ),
        ("User agent", of(&occurrence.request, "headers.User-Agent")),
    ];
    // The value of a secret is not to be repeated where its name does not stand beside it.
    let custom = occurrence
        .custom
        .iter()
        .filter(|a| !is_credential_name(&a.key))
        .take(MOST_CUSTOM)
        .map(|a| (a.key.clone(), a.value.to_string()));
    known.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(custom).collect()
}

/// In what the occurrences of an item differ, newest first: only properties with at least two values are listed.
pub fn varied<'a>(occurrences: impl IntoIterator<Item = &'a Occurrence>) -> Vec<Varied> {
    let all: Vec<Vec<(String, String)>> = occurrences.into_iter().map(telling).collect();
    let mut names: Vec<&str> = Vec::new();
    let mut counts: HashMap<(&str, &str), (u32, usize)> = HashMap::new();
    for (n, occurrence) in all.iter().enumerate() {
        // A sender may repeat a key.
        let mut seen = HashSet::new();
        for (name, value) in occurrence.iter().filter(|(name, _)| seen.insert(name.as_str())) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
            counts.entry((name, value)).or_insert((0, n)).0 += 1;
        }
    }
    let mut values: HashMap<&str, Vec<(u32, usize, &str)>> = HashMap::new();
    for ((name, value), (n, first)) in counts {
        values.entry(name).or_default().push((n, first, value));
    }
    let total = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let differing = names.into_iter().filter_map(|name| {
        let mut values = values.remove(name)?;
        let stated = values.iter().fold(0u32, |sum, (n, ..)| sum.saturating_add(*n));
        if let Some(without) = total.checked_sub(stated).filter(|n| *n > 0) {
            match values.iter_mut().find(|(.., value)| value.is_empty()) {
                Some((n, ..)) => *n = n.saturating_add(without),
                None => values.push((without, usize::MAX, "")),
            }
        }
        values.sort_unstable_by_key(|(n, first, _)| (std::cmp::Reverse(*n), *first));
        let more = values.len().saturating_sub(MOST_VALUES);
        (values.len() > 1).then(|| Varied {
            name: shorten(name, 80),
            more: u32::try_from(more).unwrap_or(u32::MAX),
            values: values
                .into_iter()
                .take(MOST_VALUES)
                .map(|(occurrences, _, value)| VariedValue { value: listed(value), occurrences })
                .collect(),
        })
    });
    differing.take(MOST_VARIED).collect()
}

/// A value as it is listed: a part of a credential would no longer be recognized as one.
fn listed(value: &str) -> String {
    shorten(&remove_from_text(value, &mut Removed::default()), MOST_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Person;

    fn occurrence(title: &str, person: &str, url: &str, version: Option<&str>) -> Occurrence {
        Occurrence {
            title: title.into(),
            person: (!person.is_empty()).then(|| Person { id: person.into(), ..Person::default() }),
            request: vec![Attribute::new("method", "GET"), Attribute::new("url", url)],
            other: version.map(|version| Attribute::new("code_version", version)).into_iter().collect(),
            custom: vec![Attribute::new("attempt", 1i64)],
            ..Occurrence::default()
        }
    }

    fn told(varied: &[Varied]) -> Vec<String> {
        let value = |v: &VariedValue| format!("{}x{}", v.occurrences, if v.value.is_empty() { "-" } else { &v.value });
        let values = |v: &Varied| v.values.iter().map(value).collect::<Vec<_>>().join(" ");
        varied.iter().map(|v| format!("{}: {} +{}", v.name, values(v), v.more)).collect()
    }

    #[test]
    fn only_what_differs_is_listed_with_its_counts() {
        let all = [
            occurrence("boom", "ann", "/a", Some("2")),
            occurrence("boom", "bob", "/b", Some("1")),
            occurrence("boom", "bob", "/c", None),
        ];
        assert_eq!(
            told(&varied(&all)),
            ["Person: 2xbob 1xann +0", "Request: 1xGET /a 1xGET /b 1xGET /c +0", "Code version: 1x2 1x1 1x- +0"]
        );
        assert!(varied(&all[..1]).is_empty() && varied([]).is_empty());
    }

    #[test]
    fn a_property_of_some_occurrences_differs_from_none() {
        let mut all = [occurrence("boom", "", "/", None), occurrence("boom", "", "/", None)];
        all[0].custom.push(Attribute::new("cart", "7"));
        all[0].custom.push(Attribute::new("cart", "8"));
        assert_eq!(told(&varied(&all)), ["cart: 1x7 1x- +0"]);
    }

    #[test]
    fn values_and_properties_are_bounded() {
        let mut all: Vec<Occurrence> =
            (0..51).map(|i| occurrence(&format!("order {i}"), "", &"u".repeat(9_000 + i), None)).collect();
        for (i, occurrence) in all.iter_mut().enumerate() {
            occurrence.custom =
                (0..500).map(|k| Attribute::new(format!("k{k}"), i64::try_from(i).unwrap_or(0))).collect();
        }
        let varied = varied(&all);
        assert_eq!((varied.len(), varied[1].name.as_str()), (12, "Request"), "compared in full");
        assert!(varied.iter().all(|v| v.values.len() == 5 && v.more == 46), "{varied:?}");
        assert!(varied.iter().flat_map(|v| &v.values).all(|v| v.value.chars().count() <= 201));
    }

    #[test]
    fn credentials_are_not_repeated() {
        let with = |key: &str| {
            let mut one = occurrence(&format!("cannot send {key}"), "", &format!("/?access_token={key}"), None);
            one.custom.push(Attribute::new("db_password", key));
            one
        };
        let token = |last: &str| format!("ghp_kX9vTq2LmW8zP4rB7nYdQ3wE5tR6yU8iO{last}");
        let varied = varied(&[with(&token("0pA")), with(&token("1qB"))]);
        let text = format!("{varied:?}");
        assert!(!text.contains("ghp_") && !text.contains("db_password"), "{text}");
        assert_eq!(varied.len(), 2);
    }
}

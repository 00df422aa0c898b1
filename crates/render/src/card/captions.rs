//! Captions, and text shared by several cards.

use std::collections::{HashMap, HashSet};

use tracebook_core::attributes;
use tracebook_core::console::ConsoleOrigin;
use tracebook_core::endpoint::Endpoint;
use tracebook_core::evidence::{Frozen, Kind, Provenance};
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::{Event, Link, Protocol, Span, Trace};
use tracebook_core::value::Attribute;

use super::picture;

/// `Trace 1-5e1b…-… · backend-flask · captured 2026-11-23 15:20:13 UTC`
pub fn caption(frozen: &Frozen) -> String {
    caption_with(frozen, emulated(&frozen.evidence.provenance))
}

fn caption_with(frozen: &Frozen, emulated: Option<String>) -> String {
    let picture = picture(&frozen.evidence.body);
    let mut parts = vec![picture.subject()];
    parts.extend(picture.facts());
    parts.extend(emulated);
    parts.push(format!("captured {}", frozen.evidence.provenance.captured_at.human()));
    parts.join(" · ")
}

/// `emulator of AWS X-Ray`, if something else than the vendor answered.
pub(super) fn emulated(provenance: &Provenance) -> Option<String> {
    let names = emulators(provenance);
    (!names.is_empty()).then(|| names.join(" and "))
}

/// Every emulator that answered.
pub(super) fn emulators(provenance: &Provenance) -> Vec<String> {
    let mut names: Vec<String> =
        provenance.endpoints.iter().filter(|e| e.is_emulator()).map(Endpoint::name).take(MOST_ENDPOINTS).collect();
    names.dedup();
    names
}

/// The systems that answered, one text each, if there are several.
pub(super) fn several(provenance: &Provenance) -> Vec<String> {
    let all = provenance.endpoints.iter().take(MOST_ENDPOINTS).map(Endpoint::words);
    if provenance.endpoints.len() > 1 { all.collect() } else { Vec::new() }
}

/// More systems than any capture asks: imported evidence may name any number.
const MOST_ENDPOINTS: usize = 8;

/// The first line of a text from data, short enough for a caption.
pub(super) fn brief(text: &str) -> String {
    text::first_line(text, 120)
}

/// The first two names, and the number of others.
pub(super) fn named(names: &[&str]) -> Option<String> {
    match names {
        [] => None,
        [one] => Some(brief(one)),
        [one, two] => Some(format!("{}, {}", brief(one), brief(two))),
        [one, two, rest @ ..] => Some(format!("{}, {} and {} more", brief(one), brief(two), rest.len())),
    }
}

/// The caption, source, version and digest: `… · local telemetry, X-Ray daemon protocol · tracebook 0.1.0 ·
/// sha256:1a2b3c4d5e6f`.
pub(crate) fn provenance(frozen: &Frozen) -> String {
    let from = origin(&frozen.evidence.provenance);
    // What answered is named by `from`.
    let caption = caption_with(frozen, None);
    let open = match frozen.evidence.provenance.without_end {
        0 => String::new(),
        n => format!("{} without an end · ", text::count(usize::try_from(n).unwrap_or(usize::MAX), "span")),
    };
    format!("{caption} · {from} · {open}{} · {}", frozen.evidence.provenance.tool, short_digest(&frozen.digest))
}

/// As [`origin`], with the names only of several systems.
pub(super) fn origin_in_brief(provenance: &Provenance) -> String {
    match provenance.endpoints.len() {
        0 | 1 => origin(provenance),
        _ => {
            let names = provenance.endpoints.iter().take(MOST_ENDPOINTS).map(Endpoint::name);
            let parts = std::iter::once(names.collect::<Vec<_>>().join(" and ")).chain(provenance.via.iter().cloned());
            parts.collect::<Vec<_>>().join(", ")
        }
    }
}

/// Source and protocol, with every system that answered. What the user gave did not come from a source.
pub fn origin(provenance: &Provenance) -> String {
    if let [words] = provenance.via.as_slice()
        && ConsoleOrigin::of_words(words).is_some_and(|origin| !origin.is_observed())
    {
        return words.clone();
    }
    let endpoints: Vec<String> = provenance.endpoints.iter().take(MOST_ENDPOINTS).map(Endpoint::words).collect();
    let mut text = match endpoints.is_empty() {
        false => endpoints.join(" and "),
        // Local telemetry, or evidence of a version that did not record them.
        true => {
            let region = provenance.region.as_ref().map(|region| format!(" {region}"));
            format!("{}{}", source(provenance), region.unwrap_or_default())
        }
    };
    for via in &provenance.via {
        text.push_str(", ");
        text.push_str(via);
    }
    text
}

/// The source.
pub(crate) fn source(provenance: &Provenance) -> &'static str {
    &provenance.question.source.info().name
}

/// `sha256:` and twelve digits, for visual comparison.
pub(crate) fn short_digest(digest: &str) -> String {
    digest.chars().take("sha256:".len() + 12).collect()
}

/// The errors of lines, given by the template and the text of each: `75 errors: 74 × timeout after 3 ms; disk full`.
/// Every kind is named or counted, the most frequent first. `None` without errors.
pub(super) fn errors<'a>(errors: impl Iterator<Item = (String, &'a str)>) -> Option<String> {
    const MOST: usize = 3;
    let mut kinds: Vec<(usize, &str)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut all = 0;
    for (form, text) in errors {
        all += 1;
        match known.get(&form) {
            Some(kind) => kinds[*kind].0 += 1,
            None => {
                known.insert(form, kinds.len());
                kinds.push((1, text));
            }
        }
    }
    if all <= 1 {
        return kinds.first().map(|(_, text)| format!("1 error: {}", brief(text)));
    }
    // Of equally frequent ones, the first.
    kinds.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    let more = kinds.len().saturating_sub(MOST);
    let room = 180 / kinds.len().clamp(1, MOST);
    let named = kinds.iter().take(MOST).map(|(n, text)| {
        let times = if *n > 1 { format!("{} × ", text::grouped(*n)) } else { String::new() };
        format!("{times}{}", text::first_line(text, room))
    });
    let mut said: Vec<String> = named.collect();
    if more > 0 {
        said.push(format!("and {}", text::count_of(more, "more kind", "more kinds")));
    }
    Some(format!("{}: {}", text::count(all, "error"), said.join("; ")))
}

/// X-Ray's form if X-Ray is involved, since its console uses it; else W3C's.
pub(super) fn trace_id(trace: &Trace) -> String {
    match trace.spans.iter().any(|s| s.protocol == Protocol::Xray) {
        true => trace.trace_id.xray(),
        false => trace.trace_id.to_string(),
    }
}

/// All services, that of the root first. Like [`Trace::services`], but in one pass, since a file may contain a million.
pub(super) fn services(trace: &Trace) -> Vec<&str> {
    let mut seen = HashSet::new();
    trace.spans.iter().map(|s| s.service.as_str()).filter(|name| !name.is_empty() && seen.insert(*name)).collect()
}

/// The first services, and the number of others.
pub(super) fn service_names(trace: &Trace) -> Option<String> {
    let all = services(trace);
    match all.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        [one, two] => Some(format!("{one}, {two}")),
        [one, two, rest @ ..] => Some(format!("{one}, {two} and {} more", rest.len())),
    }
}

/// The kind of evidence, at the start of a sentence.
pub(crate) fn kind(kind: Kind) -> &'static str {
    &kind.info().label
}

/// Attributes from the author of the code: X-Ray annotations, and attributes outside the conventions.
pub(super) fn said(span: &Span) -> Vec<String> {
    span.annotations.iter().map(pair).chain(own(span.attributes.iter())).collect()
}

/// The author's own attributes, as text.
pub(super) fn own<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> impl Iterator<Item = String> {
    attributes::own(attributes).map(pair)
}

/// The links of a span: `linked to 69bf2d4e/1b2c3d4e00000002 and 4 more`.
pub(super) fn linked(trace: &Trace, span: &Span) -> Option<String> {
    const MOST: usize = 2;
    let target = |link: &Link| match link.trace_id == trace.trace_id {
        true => format!("span {}", link.span_id),
        false => format!("trace {} span {}", link.trace_id, link.span_id),
    };
    let named: Vec<String> = span.links.iter().take(MOST).map(target).collect();
    let more = match span.links.len().saturating_sub(MOST) {
        0 => String::new(),
        n => format!(" and {}", text::count(n, "more link")),
    };
    (!named.is_empty()).then(|| format!("linked to {}{more}", named.join(", ")))
}

/// The events of a span other than exceptions: `cache.miss (key=home) at +3.2 ms`.
pub(super) fn events(trace: &Trace, span: &Span) -> Vec<String> {
    const MOST: usize = 8;
    let start = trace.start().0;
    let event = |event: &Event| {
        let at = human_duration(event.time.0.saturating_sub(start));
        let attributes: Vec<String> = event.attributes.iter().take(6).map(pair).collect();
        let attributes = if attributes.is_empty() { String::new() } else { format!(" ({})", attributes.join(", ")) };
        format!("{}{attributes} at +{at}", text::beginning(&event.name, 100))
    };
    let own = || span.events.iter().filter(|e| e.name != "exception");
    let mut events: Vec<String> = own().take(MOST).map(event).collect();
    if let Some(more) = own().count().checked_sub(MOST).filter(|n| *n > 0) {
        events.push(text::count(more, "more event"));
    }
    events
}

pub(super) fn pair(a: &Attribute) -> String {
    // Values can be long; a card shows the beginning.
    format!("{}={}", text::beginning(&a.key, 100), text::beginning(&a.value.to_string(), 200))
}

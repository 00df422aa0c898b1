//! The cards of every kind that is no trace: how they look, that they are pictures only, and that they can be checked.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tracebook_core::console::Console;
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::Body;
use tracebook_core::logs::{LogEvent, Logs};
use tracebook_core::service_map::{MapEdge, MapNode, ServiceMap};
use tracebook_core::value::Attribute;
use tracebook_render::card::{Form, Size, Width, caption, narrow, preview, svg, table, themed};
use tracebook_render::export::{EntryInput, entry};
use tracebook_render::import::exported;
use tracebook_render::verify::{Verdict, markdown, svg as check};

use crate::common::kinds::*;
use crate::common::*;

const SIZES: [Size; 3] = Size::ALL;

/// Writes every card to `$TRACEBOOK_CARDS`, for looking at them.
#[test]
fn cards_can_be_looked_at() {
    let Ok(folder) = std::env::var("TRACEBOOK_CARDS") else { return };
    for (name, body) in every() {
        let frozen = frozen_body(ID, body);
        for size in SIZES {
            let path = format!("{folder}/{name}.{}", size.word());
            std::fs::write(format!("{path}.svg"), svg(&frozen, size).svg).expect("writes");
            std::fs::write(format!("{path}.narrow.svg"), narrow(&frozen, size)).expect("writes");
        }
        std::fs::write(format!("{folder}/{name}.md"), table(&frozen).markdown()).expect("writes");
    }
}

#[test]
fn cards_look_as_they_did() {
    // A difference here needs a new RENDERER: cards that were exported before would be called edited.
    for (name, body) in fair() {
        let frozen = frozen_body(ID, body);
        for size in SIZES {
            insta::assert_snapshot!(format!("{name}_{}", size.word()), svg(&frozen, size).svg);
        }
        insta::assert_snapshot!(format!("{name}_narrow"), narrow(&frozen, Size::Full));
        insta::assert_snapshot!(
            format!("{name}_text"),
            format!("{}\n{}\n\n{}", frozen.evidence.title(), caption(&frozen), table(&frozen).markdown())
        );
    }
}

/// Elements are closed in order, attributes are quoted, no entity but XML's own.
fn assert_well_formed(name: &str, svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = svg;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        for (i, _) in text.match_indices('&') {
            assert!(["&amp;", "&lt;", "&gt;", "&quot;"].iter().any(|e| text[i..].starts_with(e)), "{name}: {text}");
        }
        let end = tag.find('>').unwrap_or_else(|| panic!("{name}: a tag has no end"));
        let inner = &tag[1..end];
        assert_eq!(inner.matches('"').count() % 2, 0, "{name}: {inner}");
        match inner.strip_prefix('/') {
            Some(closing) => assert_eq!(open.pop(), Some(closing), "{name}"),
            None if inner.ends_with('/') => {}
            None => open.push(inner.split(' ').next().unwrap_or_default()),
        }
        rest = &tag[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{name}: {open:?} is open");
}

#[test]
fn a_card_is_nothing_but_a_picture() {
    for (name, body) in every() {
        let frozen = frozen_body(ID, body);
        for size in SIZES {
            let card = svg(&frozen, size);
            assert_eq!(card, svg(&frozen, size), "{name}: the same bytes every time");
            let (start, end) =
                (card.svg.find("<metadata>").expect("data"), card.svg.find("</metadata>").expect("data"));
            let drawing = format!("{}{}", &card.svg[..start], &card.svg[end + "</metadata>".len()..]);
            assert_well_formed(name, &drawing);
            for never in ["<script", "<foreignObject", "<image", "<a ", "<use", "href", "@import", "<!ENTITY", "<!--"] {
                assert!(!drawing.contains(never), "{name} has {never}");
            }
            assert_eq!(drawing.matches("url(").count(), drawing.matches("url(#open").count());
            assert!(drawing.contains("role=\"img\"") && drawing.contains("<title>") && drawing.contains("<desc>"));
            assert_eq!(drawing.matches("<style>").count(), 1);
            assert!(
                card.svg
                    .chars()
                    .all(|c| c == '\n'
                        || !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{fffe}' | '\u{ffff}')),
                "{name}"
            );
            assert!(!drawing.contains("NaN") && !drawing.contains("inf\""));
            assert!(drawing.len() < 400_000, "{name}: {} bytes are too many", drawing.len());
            let sidecar = card.sidecar.clone();
            let (id_found, verdict, why) = check(card.svg.as_bytes(), &|file| {
                sidecar.as_ref().filter(|s| s.name == file).map(|s| s.bytes.clone())
            });
            assert_eq!((id_found, verdict), (Some(id(ID)), Verdict::Intact), "{name}: {why}");
        }
    }
}

/// A text of a drawing.
struct Placed {
    x: f64,
    y: f64,
    anchor: String,
    /// Its size in user units, from its class.
    type_size: f64,
    text: String,
}

/// The attribute of a tag.
fn attribute<'a>(tag: &'a str, key: &str) -> Option<&'a str> {
    let from = tag.find(&format!(" {key}=\""))? + key.len() + 3;
    tag[from..].split('"').next()
}

/// The type size of a class, as the style sheet has it.
fn type_size(classes: &str) -> f64 {
    let of = |class: &str| match class {
        "title" => Some(17.0),
        "name" => Some(13.0),
        "small" | "pill" | "code" | "tag" | "head" => Some(12.0),
        _ => None,
    };
    classes.split(' ').find_map(of).unwrap_or_else(|| panic!("{classes:?} has no size"))
}

/// The text within a tag and the tags in it.
fn without_tags(inner: &str) -> String {
    inner.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect()
}

/// Every text of a drawing.
fn texts(svg: &str) -> Vec<Placed> {
    svg.split("<text ")
        .skip(1)
        .filter_map(|part| {
            let (tag, rest) = part.split_once('>')?;
            let tag = format!(" {tag}");
            let number = |key: &str| attribute(&tag, key)?.parse::<f64>().ok();
            Some(Placed {
                x: number("x")?,
                y: number("y")?,
                anchor: attribute(&tag, "text-anchor").unwrap_or("start").to_owned(),
                type_size: type_size(attribute(&tag, "class").unwrap_or_default()),
                text: without_tags(rest.split("</text>").next()?),
            })
        })
        .collect()
}

const WIDTHS: [u32; 6] = [320, 360, 599, 640, 880, 1200];

#[test]
fn nothing_is_drawn_outside_the_card_and_no_type_is_too_small() {
    // What is drawn of a million items is drawn of fewer, too.
    for (name, body) in [fair(), large(), empty(), hostile()].concat() {
        for (width, size) in WIDTHS.into_iter().flat_map(|width| SIZES.map(|size| (width, size))) {
            let drawing = preview(&body, Form::new(size, Width::of(width)));
            let tag = drawing.split('>').next().unwrap_or_default();
            let number = |key: &str| attribute(tag, key).and_then(|n| n.parse::<f64>().ok()).expect("a number");
            let (height, edge) = (number("height"), f64::from(width));
            assert!((number("width") - edge).abs() < 0.01, "{name}");
            assert!(height < 24_000.0, "{name} at {width} is {height} high");
            for Placed { x, y, anchor, type_size, text } in texts(&drawing) {
                assert!((0.0..=edge).contains(&x) && (0.0..height).contains(&y), "{name}: {text:?} at {x} {y}");
                assert!(type_size >= 12.0, "{name}: {text:?}");
                // The narrowest letter of the narrowest font that is used here.
                let least = 0.27 * 9.0 * text.chars().filter(char::is_ascii_alphanumeric).count() as f64;
                let fits = match anchor.as_str() {
                    "end" => x - least > 0.0,
                    "middle" => x - least / 2.0 > 0.0 && x + least / 2.0 < edge,
                    _ => x + least < edge,
                };
                assert!(fits, "{name} at {width}: {text:?} runs over the edge");
            }
        }
    }
}

#[test]
fn a_preview_claims_nothing() {
    for (name, body) in fair() {
        let drawing = preview(&body, Size::Full);
        assert!(
            !drawing.contains("sha256") && !drawing.contains("<metadata") && !drawing.contains("Captured"),
            "{name}"
        );
    }
}

fn full(body: Body) -> String {
    preview(&body, Size::Full)
}

fn has(drawing: &str, texts: &[&str]) {
    for text in texts {
        assert!(drawing.contains(text), "{text:?} is not in {drawing}");
    }
}

#[test]
fn omissions_are_noted() {
    let large: BTreeMap<_, _> = large().into_iter().collect();
    // 44 of the 400 are errors; they are alike, and so are the others.
    let many = full(large["many_logs"].clone());
    has(&many, &["tick 0<", "tick 8<", "tick 395<", "tick 399<", "similar until", "42 similar errors", "44 errors"]);
    assert!(!many.contains(">tick 5<") && !many.contains(">tick 17<"));
    let console = full(large["long_console"].clone());
    has(&console, &["1,200 earlier lines are not kept", "INSERT 0 0<", "INSERT 0 499<", "similar"]);
    assert!(!console.contains("INSERT 0 20<"));
    has(
        &full(large["big_map"].clone()),
        &["40 nodes are drawn, those with failures first", "260 are in the data alone"],
    );
    has(&full(logs()), &["12 older events matched and are not kept in this evidence", "2026-11-24 UTC"]);
}

#[test]
fn the_level_of_a_line_is_read_from_its_text() {
    let event = |message: &str| LogEvent { message: message.into(), ..LogEvent::default() };
    let lines = ["GET http /api? 200 OK", "GET http /api? 500 INTERNAL SERVER ERROR", "[WARN] slow"];
    let logs = Logs { events: lines.into_iter().map(event).collect(), ..Logs::default() };
    has(&full(Body::Logs(logs)), &[">1 ERROR<", ">ERROR<", ">WARN<", "1 error · 1 warning"]);
}

#[test]
fn the_code_around_the_failing_line_is_shown() {
    let mut item = error_item();
    let frame = item.occurrence.traces.last_mut().and_then(|t| t.frames.last_mut()).expect("a frame");
    frame.colno = Some(9);
    frame.pre = (0..6).map(|n| format!("before_{n}()")).collect();
    frame.post = vec!["\tafter_0()".into(), String::new(), "after_2()".into()];
    frame.args = vec![Attribute::new("user_handle", "andrewbrown")];
    frame.locals = vec![Attribute::new("results", tracebook_core::value::Value::Empty)];
    let evidence = frozen_body(ID, Body::Error(Box::new(item)));
    let drawing = svg(&evidence, Size::Full).svg;
    has(
        &drawing,
        &[
            ":24:9<",
            ">20<",
            ">before_2()<",
            ">24<",
            ">for activity in results:<",
            ">    after_0()<",
            ">27<",
            ">after_2()<",
        ],
    );
    assert!(!drawing.contains(">before_1()<") && !drawing.contains(">19<"), "what is nearest is drawn: {drawing}");
    has(&drawing, &["user_handle = andrewbrown  ·  results = "]);
    has(&table(&evidence).text(), &["user_activities.py:24:9 in run", "| Argument | user_handle | andrewbrown |"]);
}

#[test]
fn colour_is_never_the_only_indication() {
    has(&full(error()), &[">library<", "caused by", "most recent call last", ">ERROR<"]);
    has(&full(console()), &[">err<", "EXIT CODE 1"]);
    has(&full(service_map()), &["9 failed", "2 errors", "2 throttled", "faults (5xx)"]);
    has(
        &full(sampling_rules()),
        &[
            "samples nothing: these requests leave no trace",
            "SDKs ignore it: its resource is not *",
            "samples the first request a second, then 5 % of", // words: allow
            "3 BELOW 100 %",
        ],
    );
    has(&full(dossier()), &["by time only", "by trace id", "by its trace header", "somewhere in this second"]);
}

#[test]
fn the_colours_of_a_terminal_follow_the_readers_scheme() {
    let drawing = full(console());
    has(&drawing, &["class=\"mono code fr b\"", "class=\"gg\"", "textLength="]);
    assert!(!drawing.contains("[31m"), "no escape sequence is left");
}

#[test]
fn every_card_has_a_dark_scheme_whatever_its_data() {
    for (name, body) in every() {
        let card = svg(&frozen_body(ID, body), Size::Full).svg;
        let style = |svg: &str| svg.split("<style>").nth(1).and_then(|s| s.split("</style>").next().map(str::to_owned));
        assert!(style(&themed(&card, true)).is_some_and(|s| s.contains("@media all{")), "{name}");
        assert!(style(&themed(&card, false)).is_some_and(|s| s.contains("@media not all{")), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn whatever_was_sent_can_be_drawn_and_checked(
        texts in prop::collection::vec("\\PC{0,40}|[\u{0}-\u{1f}\u{7f}-\u{9f}\u{202a}-\u{202e}\u{fffe}<>&;0-9m\\[]{0,30}|(\u{1b}\\[[0-9;]{0,9}m.){0,5}", 0..8),
        times in prop::collection::vec(any::<i64>(), 8),
        ends in prop::collection::vec((0u32..9, 0u32..9), 0..20),
    ) {
        let events = texts.iter().zip(&times).map(|(text, time)| LogEvent {
            timestamp: tracebook_core::time::Nanos(*time),
            group: text.clone(),
            severity: text.clone(),
            message: text.clone(),
            ..LogEvent::default()
        });
        let logs = Logs { events: events.collect(), ..Logs::default() };
        let lines = texts.iter().map(|text| line(text, text.len() % 2 == 0, 0)).collect();
        let console = Console { source: texts.concat(), lines, ..Console::default() };
        let nodes = (0..).zip(&texts).map(|(id, name)| MapNode { id, name: name.clone(), ..MapNode::default() });
        let edges = ends.into_iter().map(|(from, to)| MapEdge { from, to, ..MapEdge::default() });
        let map = ServiceMap { nodes: nodes.collect(), edges: edges.collect(), ..ServiceMap::default() };
        for body in [Body::Logs(logs), Body::Console(console), Body::ServiceMap(map)] {
            let frozen = frozen_body(ID, body);
            for size in SIZES {
                let card = svg(&frozen, size).svg;
                let (_, verdict, why) = check(card.as_bytes(), &|_| None);
                prop_assert_eq!(verdict, Verdict::Intact, "{}", why);
                prop_assert!(card.chars().all(|c| c == '\n' || !c.is_control()), "no control characters");
                prop_assert!(!card.contains(['\u{fffe}', '\u{202e}']), "nothing that XML forbids or that hides");
            }
        }
    }
}

#[test]
fn every_kind_survives_export_and_import() {
    let row = EntryRow { id: id(OTHER), slug: "w".into(), week: None, title: "W".into(), updated_at: String::new() };
    for (name, body) in every() {
        let frozen = frozen_body(ID, body);
        let shelf: BTreeMap<_, _> = [(frozen.evidence.id, frozen.clone())].into();
        let text = format!("# W\n\n![](evidence:{ID})\n\n- ![small](evidence:{ID}?size=compact)\n");
        let tree = entry(&EntryInput { row: &row, body: &text, file: "w", evidence: &shelf, live: &BTreeMap::new() });
        let md = String::from_utf8(tree.files["journal/w.md"].clone()).expect("UTF-8");
        let read = |path: &str| tree.files.get(&format!("journal/{path}")).cloned();
        let found = markdown("journal/w.md", &md, &read);
        assert_eq!(found.len(), 2, "{name}");
        assert!(found.iter().all(|f| f.verdict == Verdict::Intact), "{name}: {found:?}");
        let json = String::from_utf8(tree.files["journal/assets/w/entry.json"].clone()).expect("UTF-8");
        let back = exported(&md, &json, &read).expect("imports");
        assert_eq!(back.body, text, "{name}");
        assert_eq!(back.evidence, [frozen], "{name}");
        let edited = md.replacen("<details><summary>", "<details><summary>x", 1);
        assert_eq!(markdown("journal/w.md", &edited, &read)[0].verdict, Verdict::Edited, "{name}");
    }
}

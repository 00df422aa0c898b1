//! What a card looks like, and that it can be nothing but a picture.

use tracebook_core::evidence::Body;
use tracebook_render::card::{Size, preview, svg, table};

use crate::common::*;

fn all() -> Vec<(&'static str, tracebook_core::trace::Trace)> {
    vec![
        ("one", one()),
        ("two_services", two_services()),
        ("xray_forty", xray_forty()),
        ("huge", huge(10_000)),
        ("nasty", nasty()),
        ("instant", instant()),
        ("skewed", skewed()),
        ("nothing", whole(vec![])),
    ]
}

/// Writes every card to `$TRACEBOOK_CARDS`, for looking at them.
#[test]
fn cards_can_be_looked_at() {
    let Ok(folder) = std::env::var("TRACEBOOK_CARDS") else { return };
    for (name, trace) in all() {
        let frozen = frozen(trace.clone());
        for size in [Size::Full, Size::Compact] {
            std::fs::write(format!("{folder}/{name}.{}.svg", size.word()), svg(&frozen, size).svg).expect("writes");
        }
        std::fs::write(format!("{folder}/{name}.preview.svg"), preview(&Body::Trace(trace), Size::Full))
            .expect("writes");
        std::fs::write(format!("{folder}/{name}.md"), table(&frozen).markdown()).expect("writes");
    }
}

#[test]
fn cards_look_as_they_did() {
    // A difference here needs a new RENDERER: cards that were exported before would be called edited.
    for (name, trace) in [("two_services", two_services()), ("nasty", nasty()), ("skewed", skewed())] {
        let frozen = frozen(trace);
        for size in [Size::Full, Size::Compact] {
            insta::assert_snapshot!(format!("card_{name}_{}", size.word()), svg(&frozen, size).svg);
        }
        insta::assert_snapshot!(format!("table_{name}"), table(&frozen).markdown());
    }
}

#[test]
fn a_card_is_nothing_but_a_picture() {
    for (name, trace) in all() {
        for size in [Size::Full, Size::Compact] {
            let card = svg(&frozen(trace.clone()), size);
            assert_eq!(card, svg(&frozen(trace.clone()), size), "{name}: the same bytes every time");
            let text = &card.svg;
            for never in ["<script", "<foreignObject", "<image", "<a ", "<use", "href", "@import", "<!ENTITY", "<!--"] {
                assert!(!text.contains(never), "{name} has {never}");
            }
            assert_eq!(text.matches("url(").count(), text.matches("url(#open").count());
            assert!(text.contains("role=\"img\"") && text.contains("<title>") && text.contains("<desc>"));
            assert!(
                text.chars()
                    .all(|c| c == '\n'
                        || !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{fffe}' | '\u{ffff}')),
                "{name}"
            );
            assert!(!text.contains("NaN") && !text.contains("inf\""));
            assert_eq!(card.sidecar.is_some(), name == "huge");
        }
    }
}

#[test]
fn a_preview_claims_nothing() {
    let drawing = preview(&Body::Trace(two_services()), Size::Full);
    assert!(
        !drawing.contains("sha256")
            && !drawing.contains("<metadata")
            && !drawing.contains("Captured")
            && !drawing.contains("data-renderer")
    );
}

#[test]
fn ten_thousand_spans_are_summarized() {
    let card = svg(&frozen(huge(10_000)), Size::Full);
    assert!(card.svg.contains("… and 9,940 more spans, 3 of them with errors (all in the data)"));
    let table = table(&frozen(huge(10_000)));
    assert_eq!((table.rows.len(), table.more), (200, 9_800));
}

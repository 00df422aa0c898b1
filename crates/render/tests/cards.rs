//! What a card looks like, and that it can be nothing but a picture.

use tracebook_core::evidence::Body;
use tracebook_render::card::{Size, alt, narrow, preview, svg, table};

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
        ("one_by_one", one_by_one()),
        ("late_error", late_error()),
        ("retried", retried()),
        ("fleet", fleet()),
        ("clocks_differ", clocks_differ()),
    ]
}

/// Writes every card to `$TRACEBOOK_CARDS`, for looking at them.
#[test]
fn cards_can_be_looked_at() {
    let Ok(folder) = std::env::var("TRACEBOOK_CARDS") else { return };
    for (name, trace) in all() {
        let frozen = frozen(trace.clone());
        for size in Size::ALL {
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
    for (name, trace) in [("two_services", two_services()), ("nasty", nasty()), ("skewed", skewed())] {
        let frozen = frozen(trace);
        for size in Size::ALL {
            insta::assert_snapshot!(format!("card_{name}_{}", size.word()), svg(&frozen, size).svg);
        }
        insta::assert_snapshot!(format!("table_{name}"), table(&frozen).markdown());
    }
}

#[test]
fn a_card_is_nothing_but_a_picture() {
    for (name, trace) in all() {
        for size in Size::ALL {
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
    // Three spans failed: they are drawn, wherever they are.
    for name in ["job 3000", "job 6000", "job 9000"] {
        assert!(card.svg.contains(&format!(">{name}<")), "{name}");
    }
    // The others are alike: three rows stand for 10,000 spans.
    assert!(card.svg.contains(">475 × job 7<") && !card.svg.contains("not shown"));
    let table = table(&frozen(huge(10_000)));
    assert_eq!((table.rows.len(), table.more), (35, 0));
    for name in ["job 3000", "job 6000", "job 9000"] {
        assert!(table.rows.iter().any(|row| row[0].ends_with(name)), "{name}");
    }
}

#[test]
fn ten_thousand_spans_are_drawn_within_a_second() {
    let body = Body::Trace(huge(10_000));
    let began = std::time::Instant::now();
    preview(&body, Size::Full);
    let took = began.elapsed();
    if std::env::var_os("TRACEBOOK_TIMES").is_some() {
        println!("10,000 spans: {took:?}");
    }
    // A busy machine takes several times as long.
    assert!(took.as_secs_f64() < 5.0, "{took:?}");
}

fn has(drawing: &str, texts: &[&str]) {
    for text in texts {
        assert!(drawing.contains(text), "{text:?} is not in {drawing}");
    }
}

#[test]
fn a_late_error_is_in_picture_table_and_alternative_text() {
    let frozen = frozen(late_error());
    let card = svg(&frozen, Size::Full).svg;
    let line = "Failed first in INSERT entries (store) at +1.81 s: OperationalError: database is locked";
    has(&card, &[">INSERT entries<", ">write entry<", line, "INSERT INTO entries (id, slug, body)", "spans not shown"]);
    assert!(alt(&frozen).contains(line), "{}", alt(&frozen));
    assert!(svg(&frozen, Size::Compact).svg.contains(line));
    let text = table(&frozen).text();
    has(&text, &["INSERT entries", "OperationalError: database is locked", "SQL: INSERT INTO entries"]);
}

#[test]
fn equal_spans_are_one_row_with_their_statement() {
    let frozen = frozen(one_by_one());
    let card = svg(&frozen, Size::Full).svg;
    has(
        &card,
        &[
            ">37 × SELECT activities<",
            "408 ms in all, p95 11 ms, longest 11.9 ms",
            "WHERE uuid = 0",
            "http://avatars.internal:8080/v1/avatars?handles=andrewbrown,bayko&amp;size=48",
            "user.id=7  ·  feature_flag.key=new-avatars",
            "of the time in 37 × SELECT activities",
        ],
    );
    assert!(!card.split("<metadata>").next().unwrap_or_default().contains("thread.id"));
    has(&table(&frozen).text(), &["37 × SELECT activities", "URL: http://avatars.internal:8080"]);
}

#[test]
fn a_retry_that_helped_is_no_plain_error() {
    let card = svg(&frozen(retried()), Size::Full).svg;
    has(&card, &[">OK AFTER A RETRY<", "POST (checkout) was retried: 3 × 503, then 200"]);
}

#[test]
fn clocks_that_differ_are_reported() {
    let card = svg(&frozen(clocks_differ()), Size::Full).svg;
    has(&card, &["Clocks differ: 1 span starts up to 400 ms before its parent", ">starts 400 ms before its parent<"]);
}

#[test]
fn failures_differ_by_shape() {
    let card = preview(&Body::Trace(fleet()), Size::Full);
    for class in ["badline", "faultline", "holdline"] {
        assert!(card.contains(&format!("class=\"{class}\"")), "{class}");
    }
    assert!(card.contains("<rect class=\"hold\"") && card.contains("<path class=\"fault\""));
}

#[test]
fn services_beyond_eight_have_patterns() {
    let card = preview(&Body::Trace(fleet()), Size::Full);
    assert!(card.contains("class=\"hole\"") && !preview(&Body::Trace(one()), Size::Full).contains("class=\"hole\""));
}

#[test]
fn many_rows_fit_on_one_page() {
    // Two hundred spans that are all different.
    let card = preview(&Body::Trace(late_error()), Size::Full);
    let height: f64 = card
        .split(" height=\"")
        .nth(1)
        .and_then(|s| s.split('"').next())
        .and_then(|s| s.parse().ok())
        .expect("a height");
    assert!(height < 1_800.0, "{height}");
}

//! References into texts: what is written reads back, and nothing else changes.

use proptest::prelude::*;
use tracebook_render::card::alt;
use tracebook_render::markdown::{Placing, Target, Where, links, one_line, place, placing, reference, scan};

use crate::common::*;

#[test]
fn references_are_read_back_as_written() {
    let frozen = frozen(one());
    let text = reference(&frozen, None);
    assert_eq!(
        text,
        "![GET /api/activities/home 200, 1 span, 12.4 ms](evidence:01JD4ZK8S7M5V9TQ2WXYB3CDEF \"Trace 69bf2d4e1e8720b39541901950019ee5 · backend-flask · captured 2026-11-23 15:21:40 UTC\")"
    );
    let found = scan(&text).references;
    assert_eq!(found[0].alt, frozen.evidence.title());
    assert!(found[0].alone);
}

#[test]
fn references_have_their_position() {
    let body = format!(
        "\u{feff}# 😀 Week\r\n\r\n![a *b* c](evidence:{ID} \"cap\")\r\n\r\nSee ![x](evidence:{ID}?size=compact) here.\r- ![y](evidence:{ID})\n\n| t |\n|---|\n| ![z](evidence:{ID}) |\n\n`![no](evidence:{ID})`\n\n    ![no](evidence:{ID})\n\n![no](evidence:nope)\n\n[^1]: ![f](evidence:{ID})\n\n> - ![q][e]\n\n[e]: evidence:{ID}\n\n- [ ] ![task](evidence:{ID})\n"
    );
    let found: Vec<_> = scan(&body).references;
    let seen: Vec<_> = found.iter().map(|r| (r.alt.as_str(), r.size.as_str(), r.alone, r.place.line)).collect();
    assert_eq!(
        seen,
        [
            ("a b c", "", true, 3),
            ("x", "compact", false, 5),
            ("y", "", true, 6),
            ("z", "", false, 10),
            ("f", "", false, 18),
            ("q", "", true, 20),
            ("task", "", false, 24)
        ]
    );
    let utf16: Vec<u16> = body.encode_utf16().collect();
    for r in &found {
        assert_eq!(
            String::from_utf16_lossy(&utf16[r.place.start..r.place.end]),
            body[r.place.byte_start..r.place.byte_end]
        );
    }
}

#[test]
fn a_slot_is_filled_and_nothing_else_changes() {
    let reference = format!("![t](evidence:{ID})");
    for (before, after) in [
        ("a\r\n\r\n- **Insert image of traces**  \r\n\r\nb", "a\r\n\r\n- REF  \r\n\r\nb"),
        ("> Insert image of traces\r> \rx", "> REF\r> \rx"),
        ("Did it.\r\nInsert image of traces\r\nThen on.\r\n", "Did it.\r\n\r\nREF\r\n\r\nThen on.\r\n"),
        ("> Did it.\n> Insert image of traces\n", "> Did it.\n>\n> REF\n"),
        ("| a |\n|---|\n| ![Traces]() |\n", "| a |\n|---|\n| REF |\n"),
        ("\u{feff}<Insert image of traces>\n", "\u{feff}REF\n"),
    ] {
        let slots = scan(before).slots;
        assert_eq!(slots.len(), 1, "{before:?}");
        let placed = place(before, &reference, Where::Slot(&slots[0]));
        assert_eq!(placed, after.replace("REF", &reference));
        // A slot that went to the UI and came back has its UTF-16 offsets only.
        let mut sent = slots[0].clone();
        (sent.place.byte_start, sent.place.byte_end) = (0, 0);
        assert_eq!(place(before, &reference, Where::Slot(&sent)), placed);
    }
}

#[test]
fn appending_makes_a_paragraph_of_its_own() {
    let reference = format!("![t](evidence:{ID})");
    for (before, after) in [
        ("", "REF\n"),
        ("\u{feff}", "\u{feff}REF\n"),
        ("a", "a\n\nREF\n"),
        ("a\r\nb\r\n", "a\r\nb\r\n\r\nREF\r\n"),
        ("a\r\r", "a\r\rREF\r"),
        ("a\n\t", "a\n\t\nREF\n"),
        ("- a\n  - b", "- a\n  - b\n\nREF\n"),
        ("```sh\nls", "```sh\nls\n```\n\nREF\n"),
        ("```\nls\n```", "```\nls\n```\n\nREF\n"),
        ("~~~~\nls\n```\n", "~~~~\nls\n```\n~~~~\n\nREF\n"),
        ("```", "```\n```\n\nREF\n"),
    ] {
        let placed = place(before, &reference, Where::Append);
        assert_eq!(placed, after.replace("REF", &reference));
        assert!(scan(&placed).references.iter().any(|r| r.alone), "{placed:?}");
    }
}

/// Applies a change as an editor does.
fn applied(body: &str, change: &Placing) -> (String, usize) {
    let units: Vec<u16> = body.encode_utf16().collect();
    let head = String::from_utf16(&units[..change.start]).expect("whole characters");
    let tail = String::from_utf16(&units[change.end..]).expect("whole characters");
    (format!("{head}{}{tail}", change.insert), change.cursor)
}

#[test]
fn the_editor_places_a_reference_in_a_slot_or_at_the_cursor() {
    let reference = format!("![t](evidence:{ID})");
    // `|` is the cursor, `«…»` the slot.
    for (before, after) in [
        ("a «![x]()» b", "a REF| b"),
        ("a «![x]()»", "a REF|"),
        ("A😀\n\n«Insert image of traces»", "A😀\n\nREF\n|"),
        ("«Insert image of traces»\r\n\r\nb", "REF\r\n|\r\nb"),
        ("Did it.\n«Insert image of traces»\nThen on.\n", "Did it.\n\nREF\n|\nThen on.\n"),
        ("|", "REF\n\n|"),
        ("Text\n|", "Text\n\nREF\n\n|"),
        ("Text|", "Text\n\nREF\n\n|"),
        ("one tw|o three", "one twREF|o three"),
        ("a\n\n|\n\nb", "a\n\nREF\n|\nb"),
        ("a\n|\nb", "a\n\nREF\n|\nb"),
        ("a\n|b", "a\n\nREF\n\n|b"),
        ("a|\r\nb", "a\r\n\r\nREF\r\n|\r\nb"),
        ("# He|ad\n\nText\n", "# Head\n\nREF\n|\nText\n"),
        ("```\nco|de\n```\nText\n", "```\ncode\n```\n\nREF\n|\nText\n"),
        ("```\nco|de\n", "```\ncode\n```\n\nREF\n|"),
        ("<p>\nx|y\n</p>\n\nText\n", "<p>\nxy\n</p>\n\nREF\n|\nText\n"),
    ] {
        let body = before.replace(['«', '»', '|'], "");
        let slot = before.find('«').zip(before.find('»'));
        let units = |at: usize| before[..at].encode_utf16().count();
        let target = match slot {
            Some((start, end)) => Target::Slot(units(start), units(end) - 1),
            None => Target::Cursor(units(before.find('|').expect("a cursor"))),
        };
        let (text, cursor) = applied(&body, &placing(&body, &reference, target));
        let units: Vec<u16> = text.encode_utf16().collect();
        let shown =
            format!("{}|{}", String::from_utf16_lossy(&units[..cursor]), String::from_utf16_lossy(&units[cursor..]));
        assert_eq!(shown.replace(&reference, "REF"), after, "{before:?}");
    }
}

#[test]
fn relative_links_and_pictures_are_listed() {
    let body = "![a](assets/a%20b.png?raw=true)\n\n[see](../x.md#top) [web](https://x.y/z) [top](#top) ![up](//cdn/x.png)\n\n<p>\n<img width=3 alt='Alt' src=\"img/c.png\"></p>\n\n`![no](no.png)` ![e](evidence:x) <img src='d.png'> <!-- <img src=no.png> -->\n";
    let found: Vec<_> = links(body).into_iter().map(|l| (l.picture, l.alt.clone(), l.path(), l.line)).collect();
    let expected = [
        (true, "a", "assets/a b.png", 1),
        (false, "see", "../x.md", 3),
        (true, "Alt", "img/c.png", 6),
        (true, "", "d.png", 8),
    ];
    assert_eq!(found, expected.map(|(p, a, d, l)| (p, a.to_owned(), d.to_owned(), l)));
}

// The same cases as in ui/src/lib/link.test.ts.
#[test]
fn a_link_is_a_file_of_the_export() {
    for (destination, expected) in [
        ("assets/a.png", "journal/assets/a.png"),
        ("./assets//a.png", "journal/assets/a.png"),
        ("/docs/a.png", "docs/a.png"),
        ("../docs/a.png", "docs/a.png"),
        ("../../a.png", "../a.png"),
        ("a%20b.png?raw=true", "journal/a b.png"),
        ("a.png#b", "journal/a.png"),
        ("50%25.png", "journal/50%.png"),
        ("50%zz.png", "journal/50%zz.png"),
        ("%ff.png", "journal/%ff.png"),
        ("gr%C3%B6%C3%9Fe.png", "journal/größe.png"),
        ("images\\a.png", "journal/images/a.png"),
        ("日本.png", "journal/日本.png"),
        ("assets/", ""),
        ("?raw=true", ""),
    ] {
        let found: Vec<_> = links(&format!("![x]({destination})\n")).iter().map(|link| link.below()).collect();
        assert_eq!(found, [Some(expected.to_owned()).filter(|path| !path.is_empty())], "{destination}");
    }
}

#[test]
fn a_picture_is_written_so_that_it_reads_back() {
    for (alt, path) in [
        ("login page", "assets/week2/login-page.png"),
        ("a] (b) \"c\" `d` <e>", "assets/My week (2)/a#b?c.png"),
        ("", "assets/größe/日本 %20.png"),
        ("two\nlines", "assets/<x>&y.png"),
    ] {
        let written = tracebook_render::markdown::picture(alt, path);
        let found = links(&written);
        assert_eq!((found[0].alt.as_str(), found[0].path()), (one_line(alt).as_str(), path.to_owned()), "{written}");
    }
}

#[test]
fn a_picture_becomes_a_block_below_a_paragraph() {
    let placing = placing("One\n\nTwo\n", "![](a.png)", Target::Cursor(3));
    assert_eq!(applied("One\n\nTwo\n", &placing).0, "One\n\n![](a.png)\n\nTwo\n");
}

fn any_words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9 ]{0,8}",
        "[!-/:-@\\[-`{-~]{1,4}",
        Just("![x](y)".to_owned()),
        Just("<b>".to_owned()),
        Just("&amp;".to_owned()),
        Just("_".to_owned()),
        Just("日本😀".to_owned()),
        Just("\r\n".to_owned()),
        Just("`code`".to_owned()),
        Just("https://a.b/c".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_name_and_caption_read_back(name in any_words(), caption in any_words()) {
        let mut trace = one();
        trace.spans[0].attributes.clear();
        trace.spans[0].name = name;
        let frozen = frozen(trace);
        let text = reference(&frozen, Some(&caption));
        prop_assert!(!text.contains(['\n', '\r']));
        for body in [text.clone(), format!("> - {text}\r\n"), format!("words {text} words\n"), format!("| a |\n|---|\n| {text} |\n")] {
            let found = scan(&body).references;
            prop_assert_eq!(found.len(), 1, "{:?}", body);
            prop_assert_eq!(&found[0].alt, &one_line(&alt(&frozen)), "{:?}", body);
            let said = one_line(&caption);
            if !said.is_empty() {
                prop_assert_eq!(&found[0].caption, &said, "{:?}", body);
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(body in any_words()) {
        let markup = scan(&body);
        let utf16: Vec<u16> = body.encode_utf16().collect();
        for slot in &markup.slots {
            prop_assert_eq!(String::from_utf16_lossy(&utf16[slot.place.start..slot.place.end]), &body[slot.place.byte_start..slot.place.byte_end]);
            place(&body, "x", Where::Slot(slot));
        }
        let placed = place(&body, "x", Where::Append);
        prop_assert!(placed.starts_with(&body));
        for cursor in 0..=utf16.len() + 1 {
            applied(&body, &placing(&body, "x", Target::Cursor(cursor)));
        }
        links(&body);
    }
}

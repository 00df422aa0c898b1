//! Whoever changes a card or its text is found out, and nothing hostile does harm.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tracebook_core::canonical::digest;
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::logs::{LogEvent, Logs};
use tracebook_core::time::Nanos;
use tracebook_render::card::{RENDERER, Size, narrow as narrow_of, svg as draw, table as table_of};
use tracebook_render::export::{EntryInput, Tree, entry};
use tracebook_render::verify::{Verdict, markdown, svg};

use crate::common::*;

fn none(_: &str) -> Option<Vec<u8>> {
    None
}

fn verdict(bytes: &[u8]) -> Verdict {
    svg(bytes, &none).1
}

#[test]
fn a_card_is_intact_in_every_size() {
    for size in Size::ALL {
        for trace in [one(), two_services(), xray_forty(), nasty(), instant(), skewed(), whole(vec![])] {
            let card = draw(&frozen(trace), size);
            let (found, verdict, why) = svg(card.svg.as_bytes(), &none);
            assert_eq!((found, verdict), (Some(id(ID)), Verdict::Intact), "{why}");
            let windows = card.svg.replace('\n', "\r\n");
            assert_eq!(svg(windows.as_bytes(), &none).1, Verdict::Intact, "git may turn line endings");
        }
    }
}

#[test]
fn not_one_byte_can_be_changed() {
    let card = draw(&frozen(one()), Size::Full).svg.into_bytes();
    for at in 0..card.len() {
        for bit in [0x01, 0x20] {
            let mut flipped = card.clone();
            flipped[at] ^= bit;
            let found = verdict(&flipped);
            assert!(
                !matches!(found, Verdict::Intact | Verdict::Masked),
                "byte {at} ({:?}) may be changed: {found:?}",
                card[at] as char
            );
        }
    }
    // A line ending at the end of the file does not count.
    for at in (0..card.len() - 1).step_by(7) {
        let mut shorter = card.clone();
        shorter.remove(at);
        assert!(!matches!(verdict(&shorter), Verdict::Intact | Verdict::Masked));
        let mut longer = card.clone();
        longer.insert(at, b'\r');
        assert!(!matches!(verdict(&longer), Verdict::Intact | Verdict::Masked));
    }
}

/// The Markdown of an entry that shows one piece of evidence, and the verdict on a changed one.
fn exported(frozen: Frozen) -> (String, impl Fn(&str) -> Verdict) {
    let shelf: BTreeMap<_, _> = [(frozen.evidence.id, frozen)].into();
    let row = EntryRow { id: id(OTHER), slug: "w".into(), week: None, title: "W".into(), updated_at: String::new() };
    let body = format!("![alt](evidence:{ID})\n");
    let tree = entry(&EntryInput { row: &row, body: &body, file: "w", evidence: &shelf, live: &BTreeMap::new() });
    let md = String::from_utf8(tree.files["journal/w.md"].clone()).expect("UTF-8");
    let check = move |md: &str| {
        let read = |path: &str| tree.files.get(&format!("journal/{path}")).cloned();
        markdown("journal/w.md", md, &read)[0].verdict
    };
    (md, check)
}

#[test]
fn what_is_smuggled_into_a_block_is_found() {
    let (md, check) = exported(frozen(two_services()));
    assert_eq!(check(&md), Verdict::Intact);
    let lines: Vec<&str> = md.trim_end().lines().collect();
    let alt = md.replace("![alt]", "![my own, edited *words*]");
    assert_eq!(check(&alt), Verdict::Intact, "users may edit the alternative text");
    let smuggled = [
        "<img src=x>",
        "<a href=\"http://evil.example\">x</a>",
        "http://evil.example",
        "[x](http://evil.example)",
        "![x](http://evil.example/x.png)",
        "<!-- x -->",
        "x@evil.example",
    ];
    for what in smuggled {
        for at in 0..lines.len() - 1 {
            let mut inserted = lines.clone();
            inserted.insert(at + 1, what);
            assert_eq!(check(&inserted.join("\n")), Verdict::Edited, "{what} below line {at}");
            let longer = format!("{} {what}", lines[at]);
            let mut appended = lines.clone();
            appended[at] = &longer;
            assert_eq!(check(&appended.join("\n")), Verdict::Edited, "{what} in line {at}");
        }
        let alt = md.replace("![alt]", &format!("![{what}]"));
        let harmless = ["http://evil.example", "x@evil.example"].contains(&what);
        assert_eq!(check(&alt), if harmless { Verdict::Intact } else { Verdict::Edited }, "{what} as alternative text");
    }
}

#[test]
fn tables_of_earlier_versions_are_recognised() {
    let log = |message: &str| {
        let event = LogEvent { message: message.into(), group: "a.b".into(), ..LogEvent::default() };
        exported(frozen_body(ID, Body::Logs(Logs { events: vec![event], ..Logs::default() })))
    };
    let earlier = |md: &str| {
        [
            ("&lt;", "\\<"),
            ("&gt;", "\\>"),
            ("&#124;", "\\|"),
            ("&#46;", "."),
            ("&#58;", ":"),
            ("&#47;", "/"),
            ("&#64;", "@"),
        ]
        .iter()
        .fold(md.to_owned(), |md, (new, old)| md.replace(new, old))
        .replace("<!-- -->", "")
    };
    let (md, check) = log("a <b> | c.d");
    assert!(earlier(&md).contains("a \\<b\\> \\| c.d"), "{}", earlier(&md));
    assert_eq!(check(&earlier(&md)), Verdict::Reformatted);
    // Addresses became links, with what they carry.
    for message in ["http://x/<img src=x>", "www.x.example/<b>", "a@b.example"] {
        let (md, check) = log(message);
        assert_eq!(check(&md), Verdict::Intact);
        assert_eq!(check(&earlier(&md)), Verdict::Redrawn, "{}", earlier(&md));
        assert_eq!(check(&earlier(&md).replace("| a.b |", "| a.c |")), Verdict::Edited);
    }
}

#[test]
fn not_one_byte_of_a_table_can_be_changed() {
    let shelf: BTreeMap<_, _> = [frozen(one())].into_iter().map(|f| (f.evidence.id, f)).collect();
    let row = EntryRow { id: id(OTHER), slug: "w".into(), week: None, title: "W".into(), updated_at: String::new() };
    let body = format!("![alt](evidence:{ID})\n");
    let tree = entry(&EntryInput { row: &row, body: &body, file: "w", evidence: &shelf, live: &BTreeMap::new() });
    let md = String::from_utf8(tree.files["journal/w.md"].clone()).expect("UTF-8");
    let check = |md: &str| markdown("journal/w.md", md, &|path| tree.files.get(&format!("journal/{path}")).cloned());
    assert_eq!(check(&md)[0].verdict, Verdict::Intact);
    assert_eq!(check(&md)[0].file, format!("journal/assets/w/{ID}.svg"));
    let alt = md.find("alt").expect("there");
    let table = md.find("<sub>").expect("the caption");
    let mut tried = 0;
    // The line ending behind the block is the text's own.
    for at in (0..md.len() - 1).filter(|at| !(alt..alt + 3).contains(at)) {
        let mut bytes = md.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(flipped) = String::from_utf8(bytes) else { continue };
        let found = check(&flipped);
        // Where a marker is broken the block is no longer one, and only its picture is left to be checked.
        let marker =
            at < md.find('\n').expect("lines") || flipped.trim_end().lines().last() != Some("<!-- /tracebook -->");
        if !marker && at >= table {
            tried += 1;
            assert_eq!(found[0].verdict, Verdict::Edited, "byte {at} in {flipped:?}");
        }
    }
    assert!(tried > 200);
    assert_eq!(check(&md.replace("| 200 |", "| 500 |").replace("12.4 ms", "11.4 ms"))[0].verdict, Verdict::Edited);
    assert_eq!(check(&md.replace("</details>", ""))[0].verdict, Verdict::Edited);
    assert_eq!(check(&md.replace("<!-- /tracebook -->", ""))[0].verdict, Verdict::Edited);
}

/// What prettier, markdownlint --fix and editors make of an exported text.
fn formatted(md: &str) -> Vec<(&'static str, String)> {
    let padded: String = md
        .lines()
        .map(|line| match line.starts_with('|') {
            true if line.starts_with("| --- |") => line.replace(" --- ", " :----------- ") + "\n",
            true => line.replace(" | ", "      |   ").replacen("| ", "|    ", 1) + "\n",
            false => line.to_owned() + "\n",
        })
        .collect();
    vec![
        ("blank lines after the markers", md.replace("-->\n!", "-->\n\n!")),
        ("padded tables", padded.clone()),
        ("both", padded.replace("-->\n!", "-->\n\n!")),
        ("more blank lines", md.replace("\n\n", "\n\n\n")),
        ("CRLF", md.replace('\n', "\r\n")),
        ("a byte order mark", format!("\u{feff}{md}")),
        ("no line ending at the end", md.trim_end().to_owned()),
        ("more line endings at the end", format!("{md}\n\n")),
        ("details that are open", md.replace("<details>", "<details open>")),
        ("other emphasis elsewhere", format!("* a\n* _b_\n\n{md}")),
        ("trailing blanks", md.replace("</sub>\n", "</sub>  \n")),
        ("a wrapped caption", md.replacen(" · ", " ·\n", 1)),
        ("an element that is closed", md.replace("<br>", "<br />")),
        ("rows without outer pipes", padded.replace("      |   ", " | ")),
    ]
}

#[test]
fn formatters_change_no_verdict() {
    for frozen in [frozen(one()), frozen(two_services())] {
        let (md, check) = exported(frozen);
        for (what, other) in formatted(&md) {
            assert_ne!(other, format!("{md}x"));
            assert!(matches!(check(&other), Verdict::Intact | Verdict::Reformatted), "{what}:\n{other}");
            let changed = other.replacen("12.4 ms", "12.5 ms", 1);
            if changed != other {
                assert_eq!(check(&changed), Verdict::Edited, "a changed value and {what}");
            }
        }
    }
}

#[test]
fn formatted_blocks_are_imported() {
    let frozen = frozen(one());
    let shelf: BTreeMap<_, _> = [(frozen.evidence.id, frozen)].into();
    let row = EntryRow { id: id(OTHER), slug: "w".into(), week: None, title: "W".into(), updated_at: String::new() };
    let body = format!("Before.\n\n![alt](evidence:{ID} \"my own *caption*\")\n\nAfter.\n");
    let tree = entry(&EntryInput { row: &row, body: &body, file: "w", evidence: &shelf, live: &BTreeMap::new() });
    let md = String::from_utf8(tree.files["journal/w.md"].clone()).expect("UTF-8");
    let about = String::from_utf8(tree.files["journal/assets/w/entry.json"].clone()).expect("UTF-8");
    for (what, other) in formatted(&md) {
        for about in [about.clone(), format!("\u{feff}{}\r\n", about.trim_end())] {
            let read = |path: &str| tree.files.get(&format!("journal/{path}")).cloned();
            let back = tracebook_render::import::exported(&other, &about, &read).expect("reads");
            assert_eq!(back.warnings, Vec::<String>::new(), "{what}");
            let reference = format!("![alt](evidence:{ID} \"my own *caption*\")");
            assert!(back.body.contains(&reference) && !back.body.contains("<details"), "{what}: {}", back.body);
        }
    }
}

#[test]
fn editors_change_no_verdict_of_files() {
    let card = draw(&frozen(one()), Size::Full).svg;
    for other in [
        format!("\u{feff}{card}"),
        card.trim_end().to_owned(),
        format!("{card}\n"),
        format!("\u{feff}{}", card.replace('\n', "\r\n")),
    ] {
        assert_eq!(verdict(other.as_bytes()), Verdict::Intact);
    }
    assert_eq!(verdict(format!("{card}x").as_bytes()), Verdict::Edited);
    assert_eq!(verdict(format!("{card} ").as_bytes()), Verdict::Edited);

    let long = "x".repeat(300_000);
    let event = LogEvent { message: long, group: "a".into(), ..LogEvent::default() };
    let large = draw(&frozen_body(ID, Body::Logs(Logs { events: vec![event], ..Logs::default() })), Size::Full);
    let data = String::from_utf8(large.sidecar.expect("large data").bytes).expect("UTF-8");
    let value: serde_json::Value = serde_json::from_str(&data).expect("JSON");
    let pretty = serde_json::to_string_pretty(&value).expect("JSON");
    let with = |data: &str| svg(large.svg.as_bytes(), &|_| Some(data.as_bytes().to_vec())).1;
    for other in [data.clone(), format!("{data}\n"), format!("\u{feff}{data}\r\n"), pretty.clone()] {
        assert_eq!(with(&other), Verdict::Intact);
    }
    for other in [data.replacen("xx", "xy", 1), pretty.replacen("xx", "xy", 1), pretty.replace("\"a\"", "\"b\"")] {
        assert_eq!(with(&other), Verdict::Edited);
    }
}

#[test]
fn evidence_that_the_text_no_longer_shows_is_missing() {
    let shelf: BTreeMap<_, _> =
        [frozen(one()), frozen_as(OTHER, nasty())].into_iter().map(|f| (f.evidence.id, f)).collect();
    let row = EntryRow { id: id(OTHER), slug: "w".into(), week: None, title: "W".into(), updated_at: String::new() };
    let body = format!("![alt](evidence:{ID})\n\nwords\n\n![other](evidence:{OTHER})\n\nIn a ![s](evidence:{ID})\n");
    let tree = entry(&EntryInput { row: &row, body: &body, file: "w", evidence: &shelf, live: &BTreeMap::new() });
    let md = String::from_utf8(tree.files["journal/w.md"].clone()).expect("UTF-8");
    let read = |path: &str| tree.files.get(&format!("journal/{path}")).cloned();
    let check = |name: &str, md: &str| -> Vec<(Option<tracebook_core::ids::Id>, Verdict, String)> {
        markdown(name, md, &read).into_iter().map(|f| (f.id, f.verdict, f.why)).collect()
    };
    let verdict_on = |md: &str, id_text: &str| {
        let rows = check("journal/w.md", md);
        rows.into_iter().find(|(found, ..)| *found == Some(id(id_text))).map(|(_, verdict, why)| (verdict, why))
    };
    assert!(check("journal/w.md", &md).iter().all(|(_, v, _)| *v == Verdict::Intact));
    // The user's own words change the digest of the text only.
    let more = md.replace("words", "other words") + "\nmore\n";
    assert!(check("journal/w.md", &more).iter().all(|(_, v, _)| *v == Verdict::Intact));

    // Without its marker line a block's table is anybody's text.
    let unmarked = md.replace(&format!("<!-- tracebook:evidence {OTHER} -->\n"), "").replace("orphan one", "x");
    let (found, why) = verdict_on(&unmarked, OTHER).expect("a row");
    assert_eq!(found, Verdict::Missing);
    assert!(why.contains("marker"), "{why}");
    // Without its block it is not shown at all.
    let start = md.find(&format!("<!-- tracebook:evidence {OTHER}")).expect("a block");
    let end = start + md[start..].find("<!-- /tracebook -->").expect("its end") + "<!-- /tracebook -->".len();
    let without = format!("{}{}", &md[..start], &md[end..]);
    let (found, why) = verdict_on(&without, OTHER).expect("a row");
    assert_eq!(found, Verdict::Missing);
    assert!(why.contains("no longer shows"), "{why}");
    assert_eq!(verdict_on(&without, ID).expect("a row").0, Verdict::Intact, "the other one is not to blame");
    // Moved is not gone.
    let moved = format!("{without}\n{}\n", &md[start..end]);
    assert!(check("journal/w.md", &moved).iter().all(|(_, v, _)| *v == Verdict::Intact));
    // One of two places is gone.
    assert_eq!(verdict_on(&md.replace("In a !", "In a "), ID).expect("a row").0, Verdict::Missing);
    // In code it is not shown.
    assert_eq!(verdict_on(&format!("~~~\n{md}\n~~~\n"), OTHER).expect("a row").0, Verdict::Missing);
    // Another text that shows one of the pictures is not compared with the entry.
    let other = format!("![p](assets/w/{ID}.svg)\n");
    assert_eq!(check("journal/other.md", &other).len(), 1);
    // An entry.json that was broken cannot hide it.
    let rows = markdown("journal/w.md", &without, &|path| match path {
        "assets/w/entry.json" => Some(b"{\"tracebook\": 1,".to_vec()),
        _ => read(path),
    });
    assert!(rows.iter().any(|r| r.file.ends_with("entry.json") && r.verdict == Verdict::Edited), "{rows:?}");
}

#[test]
fn missing_and_foreign_pictures_are_distinguished() {
    let md = format!(
        "![x](assets/w/{ID}.svg) ![y](assets/w/desk.png) ![z](elsewhere/desk.png) ![gone](assets/w/gone.png) ![up](../x/{ID}.svg)\n\n![a](assets/w/{OTHER}.svg)\n"
    );
    let other = draw(&frozen_as(ID, one()), Size::Full).svg;
    let found = markdown("week2.md", &md, &|path| match path {
        "assets/w/desk.png" => Some(b"\x89PNG".to_vec()),
        "assets/w/entry.json" => Some(b"{}".to_vec()),
        p if p == format!("assets/w/{OTHER}.svg") => Some(other.clone().into_bytes()),
        _ => None,
    });
    let found: Vec<_> = found.into_iter().map(|f| (f.file, f.verdict)).collect();
    assert_eq!(
        found,
        [
            (format!("assets/w/{ID}.svg"), Verdict::Missing),
            ("assets/w/desk.png".into(), Verdict::Foreign),
            ("assets/w/gone.png".into(), Verdict::Missing),
            (format!("assets/w/{OTHER}.svg"), Verdict::Edited),
        ]
    );
}

#[test]
fn the_table_of_an_earlier_renderer_is_compared_with_its_picture() {
    let evidence = frozen(two_services());
    let shelf: BTreeMap<_, _> = [(evidence.evidence.id, evidence.clone())].into();
    let row = EntryRow { id: id(OTHER), slug: "w".into(), week: None, title: "W".into(), updated_at: String::new() };
    let body = format!("![alt](evidence:{ID})\n");
    let tree = entry(&EntryInput { row: &row, body: &body, file: "w", evidence: &shelf, live: &BTreeMap::new() });
    let today = String::from_utf8(tree.files["journal/w.md"].clone()).expect("UTF-8");
    // A picture that this renderer would draw differently.
    let card = draw(&evidence, Size::Full).svg;
    let (ours, drawn) = (format!("{{\"renderer\":\"{RENDERER}\""), format!("data-renderer=\"{RENDERER}\""));
    let older = reseal(&card, |s| s.replace(&drawn, "data-renderer=\"1\"").replace("#2f6fd6", "#2f6fd7"))
        .replace(&ours, "{\"renderer\":\"1\"");
    let check = |md: &str| {
        let read = |path: &str| match path.ends_with(".svg") {
            true => Some(older.clone().into_bytes()),
            false => tree.files.get(&format!("journal/{path}")).cloned(),
        };
        markdown("journal/w.md", md, &read)[0].verdict
    };
    let table = include_str!("data/table-renderer-3.md").trim_end();
    let earlier = today.replace(&table_of(&evidence).markdown(), table);
    assert_ne!(earlier, today);
    assert_eq!(check(&earlier), Verdict::Redrawn);
    assert_eq!(check(&today), Verdict::Redrawn, "today's table stands beside a picture that was kept");
    assert_eq!(check(&earlier.replace("| error 500 |", "| 200 |")), Verdict::Edited);
    assert_eq!(check(&today.replace("| error 500 |", "| 200 |")), Verdict::Edited);
}

#[test]
fn the_tables_of_renderer_4_are_compared_with_their_pictures() {
    let cases = [
        (crate::common::kinds::error(), include_str!("data/renderer-4/error.md")),
        (crate::common::kinds::logs(), include_str!("data/renderer-4/logs.md")),
        (crate::common::kinds::console(), include_str!("data/renderer-4/console.md")),
        (crate::common::kinds::dossier(), include_str!("data/renderer-4/dossier.md")),
    ];
    for (body, table) in cases {
        let evidence = frozen_body(ID, body);
        let tree = tree_of(&evidence);
        let today = String::from_utf8(tree.files["journal/w.md"].clone()).expect("UTF-8");
        let (ours, drawn) = (format!("{{\"renderer\":\"{RENDERER}\""), format!("data-renderer=\"{RENDERER}\""));
        let older = reseal(&draw(&evidence, Size::Full).svg, |s| s.replace(&drawn, "data-renderer=\"4\""))
            .replace(&ours, "{\"renderer\":\"4\"");
        let check = |md: &str| {
            let read = |path: &str| match path.ends_with(".svg") {
                true => (!path.contains(".narrow.")).then(|| older.clone().into_bytes()),
                false => tree.files.get(&format!("journal/{path}")).cloned(),
            };
            let found = markdown("journal/w.md", md, &read);
            assert_eq!(found.len(), 1, "{found:?}");
            found[0].verdict
        };
        // Its block had the image alone, and its table.
        let image = today.lines().find(|line| line.starts_with("<picture>")).expect("a picture");
        let alone = image.split("\">").nth(1).and_then(|rest| rest.strip_suffix("</picture>")).expect("an image");
        let then = today.replace(image, alone).replace(&table_of(&evidence).markdown(), table.trim_end());
        assert!(!then.contains("<picture>"));
        assert_eq!(check(&then), Verdict::Redrawn);
        let cell = then.lines().rfind(|line| line.starts_with("| ")).expect("a row");
        assert_eq!(check(&then.replace(cell, &cell.replacen("| ", "| forged ", 1))), Verdict::Edited);
    }
}

/// The export of an entry that shows this evidence in a block.
fn tree_of(evidence: &Frozen) -> Tree {
    let shelf: BTreeMap<_, _> = [(evidence.evidence.id, evidence.clone())].into();
    let row = EntryRow { id: id(OTHER), slug: "w".into(), week: None, title: "W".into(), updated_at: String::new() };
    let body = format!("![alt](evidence:{ID})\n");
    entry(&EntryInput { row: &row, body: &body, file: "w", evidence: &shelf, live: &BTreeMap::new() })
}

#[test]
fn the_drawing_for_narrow_screens_is_verified() {
    let evidence = frozen(two_services());
    let tree = tree_of(&evidence);
    let md = String::from_utf8(tree.files["journal/w.md"].clone()).expect("UTF-8");
    let narrow = format!("assets/w/{ID}.narrow.svg");
    let wide = format!("assets/w/{ID}.svg");
    assert!(md.contains(&format!(
        "\n<picture><source media=\"(max-width: 600px)\" srcset=\"{narrow}\">![alt]({wide})</picture>\n"
    )));
    let drawing = String::from_utf8(tree.files[&format!("journal/{narrow}")].clone()).expect("UTF-8");
    assert!(drawing.contains(" width=\"360\"") && drawing.len() < 64 * 1024, "the data is in the wide picture");
    /// The bytes of a file by its path; `None` takes it away.
    type Change<'a> = dyn Fn(&str, Vec<u8>) -> Option<Vec<u8>> + 'a;
    let check = |md: &str, change: &Change<'_>| {
        let read = |path: &str| change(path, tree.files.get(&format!("journal/{path}"))?.clone());
        let found = markdown("journal/w.md", md, &read);
        found.into_iter().map(|f| (f.file, f.verdict)).collect::<Vec<_>>()
    };
    let as_is = |_: &str, bytes: Vec<u8>| Some(bytes);
    let (wide_file, narrow_file) = (format!("journal/{wide}"), format!("journal/{narrow}"));
    assert_eq!(check(&md, &as_is), [(wide_file.clone(), Verdict::Intact)], "one line for both");
    let only = |verdict| vec![(wide_file.clone(), Verdict::Intact), (narrow_file.clone(), verdict)];
    let sorted = |mut found: Vec<(String, Verdict)>| {
        found.sort_by(|a, b| b.0.cmp(&a.0));
        found
    };
    let without = |path: &str, bytes: Vec<u8>| (!path.ends_with(".narrow.svg")).then_some(bytes);
    assert_eq!(sorted(check(&md, &without)), only(Verdict::Missing));
    let forged = |path: &str, bytes: Vec<u8>| match path.ends_with(".narrow.svg") {
        true => Some(String::from_utf8(bytes).expect("UTF-8").replacen("148 ms", "14 ms", 1).into_bytes()),
        false => Some(bytes),
    };
    assert_eq!(sorted(check(&md, &forged)), only(Verdict::Edited));
    let resealed = |path: &str, bytes: Vec<u8>| match path.ends_with(".narrow.svg") {
        true => {
            let text = String::from_utf8(bytes).expect("UTF-8");
            Some(reseal(&text, |s| s.replacen("148 ms", "149 ms", 1)).into_bytes())
        }
        false => Some(bytes),
    };
    assert_eq!(sorted(check(&md, &resealed)), only(Verdict::Edited));
    let of_other_data = |path: &str, bytes: Vec<u8>| match path.ends_with(".narrow.svg") {
        true => Some(narrow_of(&frozen(one()), Size::Full).into_bytes()),
        false => Some(bytes),
    };
    assert_eq!(sorted(check(&md, &of_other_data)), only(Verdict::Edited));
    // Another file in its place, or nothing: an edited block, and an earlier version's.
    let moved = md.replace(&narrow, &format!("assets/w/{OTHER}.narrow.svg"));
    assert_eq!(check(&moved, &as_is), [(wide_file.clone(), Verdict::Edited)]);
    let alone = format!("![alt]({wide})");
    let line = md.lines().find(|line| line.starts_with("<picture>")).expect("a picture");
    assert_eq!(check(&md.replace(line, &alone), &as_is), [(wide_file, Verdict::Intact)]);
}

#[test]
fn a_narrow_drawing_without_its_wide_picture_has_no_data() {
    let evidence = frozen(two_services());
    let drawing = narrow_of(&evidence, Size::Full).into_bytes();
    let wide = draw(&evidence, Size::Full).svg.into_bytes();
    let verdict = |read: &dyn Fn(&str) -> Option<Vec<u8>>| svg(&drawing, read).1;
    assert_eq!(verdict(&|name| (name == format!("{ID}.svg")).then(|| wide.clone())), Verdict::Intact);
    assert_eq!(verdict(&|_| None), Verdict::Missing);
    assert_eq!(verdict(&|_| Some(drawing.clone())), Verdict::Edited, "a ring");
    assert_eq!(verdict(&|_| Some(draw(&frozen(one()), Size::Full).svg.into_bytes())), Verdict::Edited);
    let text = String::from_utf8(drawing.clone()).expect("UTF-8");
    for name in ["../../x.svg", "x.svg", "01JD4ZK8S7M5V9TQ2WXYB3CDEF.json", ""] {
        let renamed = text.replacen(&format!("{ID}.svg"), name, 1).into_bytes();
        let read = |asked: &str| -> Option<Vec<u8>> { panic!("{asked} is read") };
        assert_eq!(svg(&renamed, &read).1, Verdict::Edited, "{name}");
    }
}

/// Digests a card again after a change, as a forger would.
fn reseal(svg: &str, change: impl Fn(&str) -> String) -> String {
    let (start, end) =
        (svg.find("<metadata>").expect("there"), svg.find("</metadata>").expect("there") + "</metadata>".len());
    let outside = change(&format!("{}{}", &svg[..start], &svg[end..]));
    let old = svg.split("\"drawing\":\"").nth(1).expect("there").split('"').next().expect("there");
    let metadata = svg[start..end].replace(old, &digest(outside.as_bytes()));
    format!("{}{metadata}{}", &outside[..start], &outside[start..])
}

#[test]
fn a_forged_digest_is_detected_by_redrawing() {
    let card = draw(&frozen(one()), Size::Full).svg;
    assert_eq!(verdict(reseal(&card, str::to_owned).as_bytes()), Verdict::Intact);
    assert_eq!(verdict(reseal(&card, |s| s.replace("12.4 ms", "02.4 ms")).as_bytes()), Verdict::Edited);
    let ours = format!("{{\"renderer\":\"{RENDERER}\"");
    let relabelled = card.replace(&ours, "{\"renderer\":\"7\"");
    assert_eq!(verdict(relabelled.as_bytes()), Verdict::Edited);
    let ours_drawn = format!("data-renderer=\"{RENDERER}\"");
    let later = reseal(&card, |s| s.replace(&ours_drawn, "data-renderer=\"7\"")).replace(&ours, "{\"renderer\":\"7\"");
    assert_eq!(verdict(later.as_bytes()), Verdict::Doubtful);
    let earlier =
        reseal(&card, |s| s.replace(&ours_drawn, "data-renderer=\"3\"")).replace(&ours, "{\"renderer\":\"3\"");
    assert_eq!(verdict(earlier.as_bytes()), Verdict::Redrawn);
    let other = reseal(&card, |s| s.replace(&ours_drawn, "data-renderer=\"3\"").replace("sha256:", "sha256:0"))
        .replace(&ours, "{\"renderer\":\"3\"");
    assert_eq!(verdict(other.as_bytes()), Verdict::Edited, "it shows another digest");
}

#[test]
fn masked_evidence_says_so() {
    let plain = frozen(one());
    let text = plain.canonical.replace(
        "\"provenance\":",
        "\"masked\":[{\"pointer\":\"/body/spans/0/name\",\"rule\":\"account\"}],\"provenance\":",
    );
    let masked = Frozen::read(&text).expect("reads");
    let card = draw(&masked, Size::Full);
    assert!(card.svg.contains("1 value masked for the export"));
    assert_eq!(verdict(card.svg.as_bytes()), Verdict::Masked);
}

#[test]
fn hostile_files_get_a_verdict() {
    let card = draw(&frozen(one()), Size::Full).svg;
    let newer = frozen(one()).canonical.replace("\"schema\":1", "\"schema\":9");
    let newer = Frozen { digest: digest(newer.as_bytes()), canonical: newer, ..frozen(one()) };
    let sidecar_out = "<svg data-renderer=\"1\">\n<metadata>{\"renderer\":\"1\",\"size\":\"full\",\"drawing\":\"x\",\"digest\":\"y\",\"sidecar\":{\"name\":\"../../etc/passwd\",\"digest\":\"y\"}}</metadata></svg>";
    let deep = format!("<svg data-renderer=\"1\">\n<metadata>{}</metadata></svg>", "[".repeat(200_000));
    for (bytes, expected) in [
        (Vec::new(), Verdict::Foreign),
        (b"\xff\xfe\x00".to_vec(), Verdict::Foreign),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), Verdict::Foreign),
        (b"<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><svg><metadata>&lol2;</metadata></svg>".to_vec(), Verdict::Foreign),
        (vec![b' '; 100 * 1024 * 1024], Verdict::Foreign),
        (card.replace("</metadata>", "</metadata><metadata>{}</metadata>").into_bytes(), Verdict::Edited),
        (card.replace("<metadata>", "<metadata><metadata>").into_bytes(), Verdict::Edited),
        (card.replace("<metadata>", "<metadata >").into_bytes(), Verdict::Edited),
        (card.replace("</metadata>", "").into_bytes(), Verdict::Edited),
        (sidecar_out.as_bytes().to_vec(), Verdict::Edited),
        (deep.into_bytes(), Verdict::Edited),
        (draw(&newer, Size::Full).svg.into_bytes(), Verdict::Doubtful),
    ] {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        let asked = std::cell::RefCell::new(Vec::new());
        let (_, found, why) = svg(&bytes, &|name| {
            asked.borrow_mut().push(name.to_owned());
            None
        });
        assert_eq!(found, expected, "{head}: {why}");
        assert!(asked.borrow().is_empty(), "asked for {asked:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_was_sent_can_be_drawn_and_checked(
        spans in prop::collection::vec((1u64..9, 0u64..9, any::<String>(), any::<i64>(), prop::option::of(any::<i64>()), "[\\PC]{0,6}|[\u{0}-\u{1f}\u{7f}-\u{9f}\u{202a}-\u{202e}\u{fffe}\u{ffff}\u{10ffff}<>&]{0,6}"), 0..12),
    ) {
        let spans = spans.into_iter().map(|(n, parent, name, start, end, service)| {
            let mut s = span(n, parent, &name, &service, 0, 0);
            (s.start, s.end) = (Nanos(start), end.map(Nanos));
            s.status.message = name;
            s
        });
        let frozen = frozen(whole(spans.collect()));
        for size in Size::ALL {
            let card = draw(&frozen, size).svg;
            let (_, verdict, why) = svg(card.as_bytes(), &none);
            prop_assert_eq!(verdict, Verdict::Intact, "{}", why);
            prop_assert!(card.chars().all(|c| c == '\n' || !c.is_control()), "no control characters");
            prop_assert!(!card.contains(['\u{fffe}', '\u{ffff}', '\u{202e}']), "nothing that XML forbids or that hides");
        }
    }

    #[test]
    fn a_text_cut_anywhere_gets_verdicts(from in 0usize..900, to in 0usize..900, with in "[ -~\r\n]{0,6}") {
        let shelf: BTreeMap<_, _> = [frozen(one())].into_iter().map(|f| (f.evidence.id, f)).collect();
        let row = EntryRow { id: id(OTHER), slug: "w".into(), week: None, title: "W".into(), updated_at: String::new() };
        let body = format!("> - ![alt](evidence:{ID})\n\nx ![b](evidence:{ID}) é\n\n![c](evidence:{ID})\n");
        let tree = entry(&EntryInput { row: &row, body: &body, file: "w", evidence: &shelf, live: &BTreeMap::new() });
        let md = String::from_utf8_lossy(&tree.files["journal/w.md"]).into_owned();
        let json = String::from_utf8_lossy(&tree.files["journal/assets/w/entry.json"]).into_owned();
        let chars: Vec<char> = md.chars().collect();
        let (from, to) = (from.min(to).min(chars.len()), from.max(to).min(chars.len()));
        let cut = chars[..from].iter().collect::<String>() + &with + &chars[to..].iter().collect::<String>();
        let read = |path: &str| tree.files.get(&format!("journal/{path}")).cloned();
        markdown("journal/w.md", &cut, &read);
        prop_assert!(tracebook_render::import::exported(&cut, &json, &read).is_ok());
    }
}

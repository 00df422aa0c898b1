//! Out and back again: nothing is lost, whatever the text.

mod common;

use std::collections::BTreeMap;

use common::*;
use proptest::prelude::*;
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_render::export::{EntryInput, Tree, entry};
use tracebook_render::import::{ImportedEntry, exported};
use tracebook_render::verify::{Verdict, markdown};

fn row() -> EntryRow {
    EntryRow {
        id: id("01JD4ZA0000000000000000000"),
        slug: "week-2".into(),
        week: Some("2".into()),
        title: "Week 2 — Distributed Tracing".into(),
        updated_at: "2026-11-23T15:21:40.000Z".into(),
    }
}

fn shelf() -> BTreeMap<Id, Frozen> {
    [frozen(two_services()), frozen_as(OTHER, nasty())].into_iter().map(|f| (f.evidence.id, f)).collect()
}

fn out(body: &str, evidence: &BTreeMap<Id, Frozen>) -> Tree {
    entry(&EntryInput { row: &row(), body, file: "week2", evidence })
}

fn text<'a>(tree: &'a Tree, path: &str) -> &'a str {
    std::str::from_utf8(tree.files.get(path).unwrap_or_else(|| panic!("{path} in {:?}", tree.files.keys())))
        .expect("UTF-8")
}

fn back(tree: &Tree, md: &str) -> ImportedEntry {
    exported(md, text(tree, "journal/assets/week2/entry.json"), &|path| {
        tree.files.get(&format!("journal/{path}")).cloned()
    })
    .expect("imports")
}

fn verdicts(tree: &Tree, md: &str) -> Vec<(String, Verdict)> {
    let found = markdown("journal/week2.md", md, &|path| tree.files.get(&format!("journal/{path}")).cloned());
    found.into_iter().map(|f| (f.file, f.verdict)).collect()
}

const ALL_PLACES: &str = "# Week 2\n\n![Home](evidence:ID \"My own words\")\n\n- item\n\n  ![In a list](evidence:ID)\n- ![Tight](evidence:ID?size=compact)\n\n> quoted\n>\n> ![In a quote](evidence:OTHER)\n\nIn a ![sentence](evidence:ID \"why\") and\n\n| a | b |\n|---|---|\n| ![cell](evidence:OTHER) | x |\n\n```\n![code](evidence:ID)\n```\n![after code](evidence:ID)\n### Heading right after\n";

fn all_places() -> String {
    ALL_PLACES.replace("OTHER", OTHER).replace("ID", ID)
}

#[test]
fn an_entry_is_exported_as_a_reader_wants_it() {
    let tree = out(&all_places(), &shelf());
    assert!(tree.warnings.is_empty());
    let files: Vec<_> = tree.files.keys().map(String::as_str).collect();
    assert_eq!(
        files,
        [
            format!("journal/assets/week2/{ID}.compact.svg"),
            format!("journal/assets/week2/{ID}.svg"),
            format!("journal/assets/week2/{OTHER}.svg"),
            "journal/assets/week2/entry.json".into(),
            "journal/week2.md".into()
        ]
    );
    insta::assert_snapshot!("export_md", text(&tree, "journal/week2.md"));
    insta::assert_snapshot!("export_entry_json", text(&tree, "journal/assets/week2/entry.json"));
    assert_eq!(out(&all_places(), &shelf()), tree, "the same every time");
    let found = verdicts(&tree, text(&tree, "journal/week2.md"));
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|(_, v)| *v == Verdict::Intact), "{found:?}");
}

#[test]
fn a_text_without_evidence_is_exported_byte_for_byte() {
    let body = "\u{feff}a\r\nb\rc\n`![x](evidence:01JD4ZK8S7M5V9TQ2WXYB3CDEF)`\n\nInsert image of traces";
    let tree = out(body, &shelf());
    assert_eq!(text(&tree, "journal/week2.md"), body);
    assert_eq!(tree.files.len(), 1);
    let unknown = format!("![x](evidence:{OTHER})\n");
    let tree = out(&unknown, &BTreeMap::new());
    assert_eq!(text(&tree, "journal/week2.md"), unknown);
    assert!(tree.warnings[0].contains("line 1") && tree.warnings[0].contains(OTHER));
}

#[test]
fn what_was_exported_comes_back() {
    for body in [
        all_places(),
        all_places().replace('\n', "\r\n"),
        all_places().replace('\n', "\r"),
        format!("\u{feff}{}", all_places()),
    ] {
        let tree = out(&body, &shelf());
        let md = text(&tree, "journal/week2.md");
        let entry = back(&tree, md);
        assert_eq!(entry.body, body);
        assert!(entry.warnings.is_empty(), "{:?}", entry.warnings);
        assert_eq!(entry.evidence, shelf().into_values().collect::<Vec<_>>());
        assert_eq!((entry.slug.as_str(), entry.week.as_deref()), ("week-2", Some("2")));
        assert!(verdicts(&tree, md).iter().all(|(_, v)| *v == Verdict::Intact));
    }
}

#[test]
fn a_checkout_with_other_line_endings_is_the_same_entry() {
    let tree = out(&all_places(), &shelf());
    let mut windows = tree.clone();
    for bytes in windows.files.values_mut() {
        *bytes = String::from_utf8(bytes.clone()).expect("UTF-8").replace('\n', "\r\n").into_bytes();
    }
    let md = text(&windows, "journal/week2.md");
    assert_eq!(back(&windows, md).body, all_places());
    assert!(verdicts(&windows, md).iter().all(|(_, v)| *v == Verdict::Intact), "{:?}", verdicts(&windows, md));
}

#[test]
fn edits_outside_the_blocks_stay() {
    let tree = out(&all_places(), &shelf());
    let md = text(&tree, "journal/week2.md");
    let edited = md.replace("# Week 2", "# Week 2, edited") + "\nMore words.\n";
    assert_eq!(back(&tree, &edited).body, all_places().replace("# Week 2", "# Week 2, edited") + "\nMore words.\n");

    let start = md.find("<!-- tracebook").expect("a block");
    let end = md.find("<!-- /tracebook -->").expect("its end") + "<!-- /tracebook -->".len();
    let deleted = format!("{}{}", &md[..start], &md[end..]);
    assert_eq!(
        back(&tree, &deleted).body,
        all_places().replace(&format!("![Home](evidence:{ID} \"My own words\")"), "")
    );
    let moved = format!("{deleted}\n{}\n", &md[start..end]);
    assert!(back(&tree, &moved).body.ends_with(&format!("\n![Home](evidence:{ID} \"My own words\")\n")));

    let renamed = md.replace("![Home](assets", "![My *home* page](assets");
    assert!(back(&tree, &renamed).body.contains(&format!("![My home page](evidence:{ID} \"My own words\")")));
    assert!(verdicts(&tree, &renamed).iter().all(|(_, v)| *v == Verdict::Intact), "the alternative text is the user's");
}

#[test]
fn evidence_that_was_changed_is_not_read() {
    let tree = out(&all_places(), &shelf());
    let mut forged = tree.clone();
    let path = format!("journal/assets/week2/{OTHER}.svg");
    let svg = text(&tree, &path).replace("orphan one", "orphan two");
    forged.files.insert(path, svg.into_bytes());
    let entry = back(&forged, text(&tree, "journal/week2.md"));
    assert_eq!(entry.body, all_places());
    assert_eq!(entry.evidence.len(), 1);
    assert!(entry.warnings[0].contains("digest"), "{:?}", entry.warnings);
}

#[test]
fn large_data_goes_beside_the_picture() {
    let shelf: BTreeMap<Id, Frozen> = [frozen(huge(2_000))].into_iter().map(|f| (f.evidence.id, f)).collect();
    let body = format!("![t](evidence:{ID})\n");
    let tree = out(&body, &shelf);
    let sidecar = format!("journal/assets/week2/{ID}.json");
    assert_eq!(text(&tree, &sidecar), shelf[&id(ID)].canonical);
    let md = text(&tree, "journal/week2.md");
    assert_eq!(back(&tree, md).evidence.len(), 1);
    assert_eq!(verdicts(&tree, md)[0].1, Verdict::Intact);
    let mut without = tree.clone();
    without.files.remove(&sidecar);
    assert_eq!(verdicts(&without, md)[0].1, Verdict::Missing);
    for at in (0..tree.files[&sidecar].len()).step_by(40_009) {
        let mut flipped = tree.clone();
        flipped.files.get_mut(&sidecar).expect("there")[at] ^= 1;
        assert_eq!(verdicts(&flipped, md)[0].1, Verdict::Edited);
        assert!(back(&flipped, md).evidence.is_empty());
    }
}

fn any_block() -> impl Strategy<Value = String> {
    let place = prop_oneof![Just(ID), Just(OTHER), Just("01JD4ZZZZZZZZZZZZZZZZZZZZZ")];
    let size = prop_oneof![Just(""), Just("?size=compact")];
    let alt = "[ -~é日]{0,12}";
    let image = (alt, place, size, prop_oneof![Just(String::new()), " \"[a-z\\]\\[*<& |-]{0,12}\""]).prop_map(
        |(alt, id, size, title)| {
            format!("![{}](evidence:{id}{size}{title})", alt.replace(['[', ']', '\\', '`', '<'], ""))
        },
    );
    let words = prop_oneof![
        "[a-zA-Z ,.*_`>#-]{0,20}",
        Just("<!-- /tracebook -->".to_owned()),
        Just(format!("<!-- tracebook:evidence {ID} -->")),
        Just("</details>".to_owned()),
        Just("```".to_owned()),
        Just("<div>".to_owned()),
        Just("# Heading".to_owned()),
        Just(format!("![own](assets/week2/{ID}.svg)")),
        Just("Insert image of traces".to_owned()),
    ];
    let line = prop_oneof![3 => image.clone(), 2 => words.clone(), 1 => (words.clone(), image.clone(), words.clone()).prop_map(|(a, i, b)| format!("{a} {i} {b}"))];
    let lead = prop_oneof![
        6 => Just(""), 2 => Just("- "), 1 => Just("  "), 1 => Just("> "), 1 => Just("> - "), 1 => Just("10. "), 1 => Just("-\t"), 1 => Just("    "), 1 => Just(">"), 1 => Just("[^1]: "), 1 => Just("- [ ] "),
    ];
    let plain = (lead, line).prop_map(|(lead, line)| format!("{lead}{line}"));
    let table =
        (image.clone(), words).prop_map(|(i, w)| format!("| a | b |\n|---|---|\n| {i} | {} |", w.replace('|', "")));
    prop_oneof![6 => plain, 1 => table, 4 => Just(String::new())]
}

fn any_body() -> impl Strategy<Value = String> {
    let eol = prop_oneof![4 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r")];
    let one = prop::collection::vec((any_block(), eol.clone()), 0..14)
        .prop_map(|lines| lines.into_iter().map(|(l, e)| l.replace('\n', e) + e).collect::<String>());
    let same =
        (prop::collection::vec(any_block(), 0..14), eol).prop_map(|(lines, e)| lines.join("\n\n").replace('\n', e));
    (any::<bool>(), prop_oneof![one, same]).prop_map(|(bom, body)| if bom { format!("\u{feff}{body}") } else { body })
}

thread_local! {
    static SHELF: BTreeMap<Id, Frozen> = [frozen(one()), frozen_as(OTHER, nasty())].into_iter().map(|f| (f.evidence.id, f)).collect();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_text_comes_back_byte_for_byte(body in any_body()) {
        let tree = SHELF.with(|shelf| out(&body, shelf));
        let md = text(&tree, "journal/week2.md").to_owned();
        if !tree.files.contains_key("journal/assets/week2/entry.json") {
            prop_assert_eq!(md, body);
            return Ok(());
        }
        let entry = back(&tree, &md);
        prop_assert_eq!(&entry.body, &body);
        // Blocks that nobody touched are never called edited, and the pictures in them are found.
        if !body.contains("tracebook") && !body.contains("own](") {
            for (file, verdict) in verdicts(&tree, &md) {
                prop_assert_eq!(verdict, Verdict::Intact, "{} in {:?}", file, md);
            }
            // With a word more at the end it is no longer as exported, and its blocks still become references.
            if !body.contains("```") && !body.contains("<div>") && !body.contains("evidence:01JD4ZZZ") {
                let edited = format!("{md}\n\nmore\n");
                let again = back(&tree, &edited).body;
                prop_assert!(!again.contains("<!-- tracebook"), "{:?} became {:?}", edited, again);
            }
        }
    }
}

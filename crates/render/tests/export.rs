//! Out and back again: nothing is lost, whatever the text.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tracebook_core::doubts::Rule;
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::ids::Id;
use tracebook_core::live_card::{CardQuestion, LiveCard};
use tracebook_core::question::Source;
use tracebook_render::export::{EntryInput, LiveInput, Tree, entry};
use tracebook_render::import::{ImportedEntry, exported};
use tracebook_render::verify::{Verdict, markdown};

use crate::common::*;

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
    out_live(body, evidence, &BTreeMap::new())
}

fn out_live(body: &str, evidence: &BTreeMap<Id, Frozen>, live: &BTreeMap<Id, LiveInput>) -> Tree {
    entry(&EntryInput { row: &row(), body, file: "week2", evidence, live })
}

/// One that was frozen as the first evidence of the shelf, and one that never was.
fn live_cards() -> BTreeMap<Id, LiveInput> {
    let card = |text: &str, filter: &str, frozen: Option<&str>| LiveInput {
        card: LiveCard {
            id: id(text),
            title: format!("Newest of {filter}"),
            question: CardQuestion {
                kind: Kind::Trace,
                source: Source::Local,
                id: None,
                filter: filter.to_owned(),
                since: Some("15m".to_owned()),
            },
            pace_seconds: 5,
            paused: false,
        },
        frozen: frozen.map(id),
        lost: false,
    };
    let cards = [card(FROZEN, "service:backend", Some(ID)), card(OPEN, "status:error \"<q> | -->\"", None)];
    cards.into_iter().map(|live| (live.card.id, live)).collect()
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

/// Live cards: one that was frozen, one that never was, and one of another journal.
const FROZEN: &str = "01JD4ZK0000000000000000FRZ";
const OPEN: &str = "01JD4ZK0000000000000000PEN";
const STRANGE: &str = "01JD4ZZZZZZZZZZZZZZZZZZZZZ";

const ALL_PLACES: &str = "# Week 2\n\n![Home](evidence:ID \"My own words\")\n\n- item\n\n  ![In a list](evidence:ID)\n- ![Tight](evidence:ID?size=compact)\n\n> quoted\n>\n> ![In a quote](evidence:OTHER)\n\nIn a ![sentence](evidence:ID \"why\") and\n\n| a | b |\n|---|---|\n| ![cell](evidence:OTHER) | x |\n\n```\n![code](evidence:ID)\n```\n![after code](evidence:ID)\n### Heading right after\n";

fn all_places() -> String {
    ALL_PLACES.replace("OTHER", OTHER).replace("ID", ID)
}

#[test]
fn an_entry_is_exported_with_pictures_and_tables() {
    let tree = out(&all_places(), &shelf());
    assert!(tree.warnings.is_empty());
    let files: Vec<_> = tree.files.keys().map(String::as_str).collect();
    assert_eq!(
        files,
        [
            format!("journal/assets/week2/{ID}.compact.narrow.svg"),
            format!("journal/assets/week2/{ID}.compact.svg"),
            format!("journal/assets/week2/{ID}.narrow.svg"),
            format!("journal/assets/week2/{ID}.svg"),
            format!("journal/assets/week2/{OTHER}.narrow.svg"),
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
fn exports_are_imported_unchanged() {
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
    let edited = md.replace("# Week 2", "# Week 2, edited");
    assert_eq!(back(&windows, &edited).body, all_places().replace("# Week 2", "# Week 2, edited"));
    assert!(verdicts(&windows, md).iter().all(|(_, v)| *v == Verdict::Intact), "{:?}", verdicts(&windows, md));
}

#[test]
fn edits_outside_the_blocks_are_kept() {
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
fn evidence_that_was_changed_is_doubted() {
    let tree = out(&all_places(), &shelf());
    let mut forged = tree.clone();
    let path = format!("journal/assets/week2/{OTHER}.svg");
    let svg = text(&tree, &path).replace("orphan one", "orphan two");
    forged.files.insert(path, svg.into_bytes());
    let entry = back(&forged, text(&tree, "journal/week2.md"));
    assert_eq!(entry.body, all_places());
    assert_eq!(entry.evidence.len(), 2, "{:?}", entry.warnings);
    let doubted: Vec<&Id> = entry
        .doubts
        .iter()
        .filter(|(_, doubts)| doubts.iter().any(|d| d.rule == Rule::Digest))
        .map(|(id, _)| id)
        .collect();
    assert_eq!(doubted, [&id(OTHER)]);
}

#[test]
fn large_data_goes_to_a_separate_file() {
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
        let entry = back(&flipped, md);
        let doubts = entry.doubts.get(&id(ID)).into_iter().flatten();
        assert!(entry.evidence.is_empty() || doubts.clone().any(|doubt| doubt.rule == Rule::Digest), "{at}");
    }
}

const LIVE_PLACES: &str = "# Week 2\n\n![Home](live:FROZEN \"My own words\")\n\n- item\n\n  ![In a list](live:FROZEN)\n- ![Tight](live:FROZEN?size=compact)\n- ![](live:OPEN)\n\n> quoted\n>\n> ![In a quote, \\*never\\*](live:OPEN \"kept\")\n> and ![in its | sentence](live:FROZEN)\n\nIn a ![sentence](live:FROZEN \"why\") and a ![one](live:OPEN) and the evidence ![itself](evidence:ID \"why\")\n\n| a | b |\n|---|---|\n| ![cell](live:FROZEN) | ![a \\| b](live:OPEN) |\n\n```\n![code](live:OPEN)\n```\n\n![Frozen for good](evidence:ID)\n\nA `![span](live:FROZEN)` and ![strange](live:STRANGE)\n";

fn live_places() -> String {
    let text = LIVE_PLACES.replace("FROZEN", FROZEN).replace("OPEN", OPEN).replace("STRANGE", STRANGE);
    text.replace("evidence:ID", &format!("evidence:{ID}"))
}

#[test]
fn a_live_card_shows_what_was_frozen_last_and_keeps_its_question() {
    let tree = out_live(&live_places(), &shelf(), &live_cards());
    let md = text(&tree, "journal/week2.md");
    insta::assert_snapshot!("export_live_md", md);
    insta::assert_snapshot!("export_live_entry_json", text(&tree, "journal/assets/week2/entry.json"));
    let open: Vec<_> = tree.warnings.iter().filter(|w| w.contains("never frozen")).collect();
    assert_eq!(open.len(), 4, "each place of the one that was never frozen: {:?}", tree.warnings);
    assert!(open[0].starts_with("week2.md line 9: the live card \"Newest of status"), "{open:?}");
    assert_eq!(tree.warnings.iter().filter(|w| w.contains(STRANGE)).count(), 1);
    let found = verdicts(&tree, md);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|(_, v)| *v == Verdict::Intact), "{found:?}");
}

#[test]
fn live_cards_come_back_as_live_cards() {
    for body in [
        live_places(),
        live_places().replace('\n', "\r\n"),
        live_places().replace('\n', "\r"),
        format!("\u{feff}{}", live_places()),
    ] {
        let tree = out_live(&body, &shelf(), &live_cards());
        let md = text(&tree, "journal/week2.md");
        let entry = back(&tree, md);
        assert_eq!(entry.body, body);
        assert_eq!(entry.warnings, Vec::<String>::new());
        let back: BTreeMap<Id, LiveInput> = entry.live.into_iter().map(|live| (live.card.id, live)).collect();
        assert_eq!(format!("{back:?}"), format!("{:?}", live_cards()), "question, pace, and what was frozen");
        let evidence = entry.evidence.into_iter().map(|f| (f.evidence.id, f)).collect();
        assert_eq!(out_live(&entry.body, &evidence, &back), tree, "a second export is the same to the byte");
    }
}

#[test]
fn edits_around_live_cards_leave_them_live() {
    let tree = out_live(&live_places(), &shelf(), &live_cards());
    let md = text(&tree, "journal/week2.md");
    // A checkout may also have turned the line endings.
    for edited in
        [md.replace("# Week 2", "# Week 2, edited"), md.replace("# Week 2", "# Week 2, edited").replace('\n', "\r\n")]
    {
        let entry = back(&tree, &edited);
        assert_eq!(entry.body.replace("\r\n", "\n"), live_places().replace("# Week 2", "# Week 2, edited"));
        assert_eq!(entry.warnings, Vec::<String>::new());
    }
    let words = md.replace("Live card, never frozen: one</em>", "another name</em>");
    assert!(back(&tree, &words).body.contains(&format!("a ![another name](live:{OPEN}) and")));
    let alt = md.replace("![sentence](", "![phrase](");
    assert!(back(&tree, &alt).body.contains(&format!("In a ![phrase](live:{FROZEN} \"why\") and")));
    let home = md.replace("![Home](", "![Start](");
    assert!(back(&tree, &home).body.contains(&format!("![Start](live:{FROZEN} \"My own words\")")));
    assert!(verdicts(&tree, &home).iter().all(|(_, v)| *v == Verdict::Intact));
    let gone = back(&tree, &md.replace("<em>Live card, never frozen: one</em>", ""));
    assert!(gone.body.contains("a ![Newest of") || gone.body.contains(&format!("(live:{OPEN})")));
    assert!(gone.warnings.iter().any(|w| w.contains("restored")), "{:?}", gone.warnings);
}

#[test]
fn a_live_block_without_its_query_becomes_evidence() {
    let tree = out_live(&live_places(), &shelf(), &live_cards());
    // As if its block had been copied into the text of another entry.
    let other = out(&format!("# Other\n\n![t](evidence:{OTHER})\n"), &shelf());
    let block = out_live(&format!("![t](live:{FROZEN})\n"), &shelf(), &live_cards());
    let md = format!("{}\n{}", text(&other, "journal/week2.md"), text(&block, "journal/week2.md"));
    let mut both = tree.clone();
    both.files.insert(
        "journal/assets/week2/entry.json".into(),
        text(&other, "journal/assets/week2/entry.json").as_bytes().to_vec(),
    );
    let entry = back(&both, &md);
    assert_eq!(entry.body, format!("# Other\n\n![t](evidence:{OTHER})\n\n![t](evidence:{ID})\n"));
    assert!(entry.warnings.iter().any(|w| w.contains(FROZEN) && w.contains("query")), "{:?}", entry.warnings);
}

#[test]
fn live_blocks_are_verified() {
    let tree = out_live(&live_places(), &shelf(), &live_cards());
    let md = text(&tree, "journal/week2.md");
    for (from, to) in [
        ("live card, frozen 2026", "live card, frozen 2027"),
        (&*format!("<!-- tracebook:live {FROZEN} {ID} -->"), &*format!("<!-- tracebook:evidence {ID} -->")),
        ("| GET | frontend", "| PUT | frontend"),
    ] {
        assert!(md.contains(from), "{from}");
        let found = verdicts(&tree, &md.replace(from, to));
        assert!(found.iter().any(|(_, v)| *v == Verdict::Edited), "{from}: {found:?}");
    }
    let unmarked = md.replacen(&format!("<!-- tracebook:live {FROZEN} {ID} -->\n"), "", 1);
    assert!(verdicts(&tree, &unmarked).iter().any(|(_, v)| *v == Verdict::Missing), "its table is nobody's");
}

#[test]
fn exports_with_offsets_are_imported_and_verified() {
    let earlier = [
        (all_places(), include_str!("data/entry-1/places.md"), include_str!("data/entry-1/places.json")),
        (live_places(), include_str!("data/entry-1/live.md"), include_str!("data/entry-1/live.json")),
    ];
    for (body, md, json) in earlier {
        assert!(json.contains("\"at\"") && json.contains("\"tracebook\": 1"));
        let mut tree = out_live(&body, &shelf(), &live_cards());
        tree.files.insert("journal/week2.md".to_owned(), md.as_bytes().to_vec());
        tree.files.insert("journal/assets/week2/entry.json".to_owned(), json.as_bytes().to_vec());
        for md in [md.to_owned(), md.replace('\n', "\r\n")] {
            let entry = back(&tree, &md);
            assert_eq!(entry.body, body);
            assert!(entry.warnings.is_empty(), "{:?}", entry.warnings);
            assert!(verdicts(&tree, &md).iter().all(|(_, v)| *v == Verdict::Intact));
        }
        let edited = md.replace("# Week 2", "# Week 2, edited");
        assert_eq!(back(&tree, &edited).body, body.replace("# Week 2", "# Week 2, edited"));
    }
    // Without live cards nothing of them is in the file.
    let json = out(&all_places(), &shelf()).files["journal/assets/week2/entry.json"].clone();
    let json = String::from_utf8(json).expect("UTF-8");
    assert!(!json.contains("\"live\"") && !json.contains("\"unfrozen\""));
}

#[test]
fn an_edited_sentence_changes_one_line_beside_the_text() {
    let before = out_live(&live_places(), &shelf(), &live_cards());
    let edited = live_places().replacen("# Week 2", "# Week 2, with other words\n\nAnd a new sentence.", 1);
    let after = out_live(&edited, &shelf(), &live_cards());
    for (path, bytes) in &after.files {
        assert_eq!(before.files[path] == *bytes, path != "journal/week2.md", "{path}");
    }
    let (before, after) = (before.line.expect("a line"), after.line.expect("a line"));
    assert_ne!(before.text, after.text);
    assert_eq!((before.evidence, before.file), (after.evidence, after.file));
}

#[test]
fn references_are_found_again_in_their_order() {
    // What looks the same in the text and differs in the entry.
    for body in [
        format!("![a](evidence:{ID})\n\n![*a*](evidence:{ID})\n\n![a](<evidence:{ID}>)\n"),
        format!("![](evidence:{ID}) and ![](evidence:{ID} \"\") and ![a][x]\n\n[x]: evidence:{OTHER}\n"),
        format!("![a](live:{OPEN}) ![a](live:{FROZEN}) ![a](evidence:{ID}) ![a](live:{OPEN} 'b')\n"),
    ] {
        let tree = out_live(&body, &shelf(), &live_cards());
        let json = text(&tree, "journal/assets/week2/entry.json");
        assert!(!json.contains("\"at\""), "{json}");
        for end in ["", "\nMore words.\n"] {
            let md = format!("{}{end}", text(&tree, "journal/week2.md"));
            assert_eq!(back(&tree, &md).body, format!("{body}{end}"));
        }
    }
    // Where the text has a picture of the same evidence that is not a reference, only offsets tell.
    let body = format!("![own](assets/week2/{ID}.svg)\n\n![a](evidence:{ID})\n");
    let tree = out(&body, &shelf());
    assert!(text(&tree, "journal/assets/week2/entry.json").contains("\"at\""));
    assert_eq!(back(&tree, text(&tree, "journal/week2.md")).body, body);
}

#[test]
fn live_cards_in_entry_json_are_validated() {
    let tree = out_live(&live_places(), &shelf(), &live_cards());
    let json = text(&tree, "journal/assets/week2/entry.json");
    let read = |json: String| {
        let mut forged = tree.clone();
        forged.files.insert("journal/assets/week2/entry.json".into(), json.into_bytes());
        back(&forged, text(&tree, "journal/week2.md"))
    };
    let fast = read(json.replace("\"pace_seconds\":5", "\"pace_seconds\":0"));
    assert!(fast.live.iter().all(|live| live.card.pace_seconds >= 1));
    let secret = read(json.replace("service:backend", "service:backend db.password=hunter22"));
    assert!(!format!("{:?}", secret.live).contains("hunter22"));
    assert!(secret.warnings.iter().any(|w| w.contains("credential")), "{:?}", secret.warnings);
    let endless = read(json.replace("\"since\":\"15m\"", "\"since\":\"forever\""));
    assert!(endless.live.is_empty() && endless.warnings.iter().any(|w| w.contains("not a duration")));
    assert_eq!(endless.body, live_places(), "the text comes back all the same");
}

fn any_block() -> impl Strategy<Value = String> {
    let place = prop_oneof![Just(ID), Just(OTHER), Just(STRANGE)];
    let size = prop_oneof![Just(""), Just("?size=compact")];
    let alt = "[ -~é日]{0,12}";
    let evidence = place.prop_map(|id| format!("evidence:{id}"));
    let live = prop_oneof![3 => Just(FROZEN), 3 => Just(OPEN), 1 => Just(STRANGE)].prop_map(|id| format!("live:{id}"));
    let target = prop_oneof![evidence, live];
    let image = (alt, target, size, prop_oneof![Just(String::new()), " \"[a-z\\]\\[*<& |-]{0,12}\""]).prop_map(
        |(alt, target, size, title)| {
            format!("![{}]({target}{size}{title})", alt.replace(['[', ']', '\\', '`', '<'], ""))
        },
    );
    let words = prop_oneof![
        "[a-zA-Z ,.*_`>#-]{0,20}",
        Just("<!-- /tracebook -->".to_owned()),
        Just(format!("<!-- tracebook:evidence {ID} -->")),
        Just(format!("<!-- tracebook:live {OPEN} -->")),
        Just(format!("<!-- tracebook:live {FROZEN} {ID} -->")),
        Just("</em>".to_owned()),
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
        let tree = SHELF.with(|shelf| out_live(&body, shelf, &live_cards()));
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
            if !body.contains("```") && !body.contains("<div>") && !body.contains(STRANGE) {
                let edited = format!("{md}\n\nmore\n");
                let again = back(&tree, &edited).body;
                prop_assert!(!again.contains("<!-- tracebook"), "{:?} became {:?}", edited, again);
            }
        }
    }
}

#[test]
fn nested_markers_are_handled() {
    let tree = out_live(&live_places(), &shelf(), &live_cards());
    let md = text(&tree, "journal/week2.md");
    for hostile in [
        format!(
            "<em>a ![p](assets/week2/{ID}.svg)<!-- tracebook:live {FROZEN} --> b</em><!-- tracebook:live {FROZEN} -->"
        ),
        format!("![a <em>x</em><!-- tracebook:live {FROZEN} --> b](assets/week2/{ID}.svg)"),
    ] {
        let entry = back(&tree, &format!("{md}\n\n{hostile}\n"));
        assert!(entry.body.contains("# Week 2"), "{}", entry.body);
    }
}

#[test]
fn an_unreadable_live_card_does_not_affect_others() {
    let tree = out_live(&live_places(), &shelf(), &live_cards());
    let md = text(&tree, "journal/week2.md");
    let mut about: serde_json::Value =
        serde_json::from_str(text(&tree, "journal/assets/week2/entry.json")).expect("JSON");
    about["live"][0]["question"]["kind"] = "hologram".into();
    let unshown = serde_json::json!({ "id": "01JD4ZK0000000000000000NVR", "title": "x", "question": { "kind": "trace" }, "pace_seconds": 5 });
    about["live"].as_array_mut().expect("a list").push(unshown);
    let json = about.to_string();
    let entry = exported(md, &json, &|path| tree.files.get(&format!("journal/{path}")).cloned()).expect("imports");
    assert_eq!(entry.id, row().id);
    assert_eq!(entry.live.len(), 1, "the one that is read and shown: {:?}", entry.live);
    assert!(entry.warnings.iter().any(|w| w.contains("cannot read its query")), "{:?}", entry.warnings);
    let mut lying = tree.clone();
    lying.files.insert("journal/assets/week2/entry.json".to_owned(), json.into_bytes());
    assert!(verdicts(&lying, md).iter().all(|(_, v)| *v == Verdict::Intact));
}

#[test]
fn many_broken_markers_are_read_in_linear_time() {
    let tree = out_live(&live_places(), &shelf(), &live_cards());
    let md = text(&tree, "journal/week2.md");
    let broken = format!("\n<!-- tracebook:evidence {ID} -->\n").repeat(4_000);
    let began = std::time::Instant::now();
    drop(back(&tree, &format!("{md}{broken}")));
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
}

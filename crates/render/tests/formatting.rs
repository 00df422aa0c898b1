//! Formatters, checkouts and file systems change no verdict for the worse, over many generated texts.

use std::collections::BTreeMap;

use tracebook_core::doubts::{Doubt, Rule};
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_render::export::{EntryInput, Tree, entry};
use tracebook_render::import::exported;
use tracebook_render::verify::{Text, Verdict, text};
use tracebook_render::written::EntryVerdict;

use crate::common::*;

fn shelf() -> BTreeMap<Id, Frozen> {
    let second = frozen_body(OTHER, kinds::console());
    [frozen(two_services()), second].into_iter().map(|f| (f.evidence.id, f)).collect()
}

/// An ordinary entry, made of these pieces in an order that depends on `n`.
fn body(n: usize) -> String {
    let first = format!("![Über den Abruf](evidence:{ID})");
    let second = format!("![](evidence:{OTHER}?size=compact \"Meine *Wörter* | é\")");
    let pieces = [
        format!("{first}\n"),
        format!("{second}\n"),
        format!("- item\n\n  {first}\n\n- another\n"),
        format!("> quoted\n>\n> {second}\n"),
        "Some *emphasis*, **strong**, `code` and a [link](https://example.com/a_b).\n".to_owned(),
        "| a | b |\n| --- | --- |\n| 1 | two words |\n".to_owned(),
        "```js\nconst a = 1;\n```\n".to_owned(),
        "1. one\n2. two\n   - nested\n".to_owned(),
        format!("In a sentence ![s](evidence:{ID}) and on.\n"),
        "## Überschrift\n".to_owned(),
        "A line\nand another one.\n".to_owned(),
    ];
    let mut text = "# Entrée\n".to_owned();
    for i in 0..6 {
        text.push('\n');
        text.push_str(&pieces[(n * 7 + i * (1 + n % 5) + n / 11) % pieces.len()]);
    }
    text.push_str(&format!("\n{}", pieces[n % 4]));
    text
}

fn export(body: &str, shelf: &BTreeMap<Id, Frozen>) -> Tree {
    let row = EntryRow { id: id(OTHER), slug: "w".into(), week: None, title: "W".into(), updated_at: String::new() };
    entry(&EntryInput { row: &row, body, file: "w", evidence: shelf, live: &BTreeMap::new() })
}

type Change = (&'static str, fn(&str) -> String);

/// What tools do to texts.
const TEXTS: [Change; 12] = [
    ("nothing", str::to_owned),
    ("CRLF", |md| md.replace('\n', "\r\n")),
    ("a byte order mark", |md| format!("\u{feff}{md}")),
    ("a byte order mark and CRLF", |md| format!("\u{feff}{}", md.replace('\n', "\r\n"))),
    ("no line ending at the end", |md| md.trim_end().to_owned()),
    ("line endings at the end", |md| format!("{md}\n\n")),
    ("decomposed letters", decomposed),
    ("padded tables", |md| {
        lines(md, |line| match line.contains("| --- |") {
            true => line.replace(" --- ", " :--------- "),
            false if line.trim_start_matches(['>', ' ']).starts_with('|') => line.replace(" | ", "    |  "),
            false => line.to_owned(),
        })
    }),
    ("details that are open", |md| md.replace("<details>", "<details open>")),
    ("closed elements", |md| md.replace("<br>", "<br />")),
    ("blanks at the ends", |md| {
        lines(md, |line| if line.ends_with("</sub>") { format!("{line} ") } else { line.to_owned() })
    }),
    ("emphasis with underscores", |md| md.replace("*emphasis*", "_emphasis_").replace("**strong**", "__strong__")),
];

fn lines(md: &str, change: impl Fn(&str) -> String) -> String {
    md.split('\n').map(change).collect::<Vec<_>>().join("\n")
}

fn decomposed(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            'é' => vec!['e', '\u{301}'],
            'ö' => vec!['o', '\u{308}'],
            'Ü' => vec!['U', '\u{308}'],
            other => vec![other],
        })
        .collect()
}

const FILES: [Change; 5] = [
    ("nothing", str::to_owned),
    ("a line ending", |text| format!("{text}\n")),
    ("no line ending", |text| text.trim_end().to_owned()),
    ("a byte order mark", |text| format!("\u{feff}{text}")),
    ("CRLF", |text| text.replace('\n', "\r\n")),
];

#[test]
fn nothing_that_formatters_do_is_called_an_edit() {
    let shelf = shelf();
    let (mut tried, mut worst) = (0, BTreeMap::new());
    for n in 0..90 {
        let body = body(n);
        let tree = export(&body, &shelf);
        let md = String::from_utf8(tree.files["journal/w.md"].clone()).expect("UTF-8");
        let line: Vec<_> = tree.line.clone().into_iter().collect();
        for (k, (what, change)) in TEXTS.iter().enumerate() {
            let changed = change(&md);
            let (how, change_file) = FILES[(n + k) % FILES.len()];
            let read = |path: &str| {
                let bytes = tree.files.get(&format!("journal/{path}"))?;
                Some(change_file(std::str::from_utf8(bytes).expect("UTF-8")).into_bytes())
            };
            let about = "assets/w/entry.json".to_owned();
            let entry_json = read(&about).map(|bytes| (about, bytes));
            let json = entry_json.clone().map(|(_, bytes)| String::from_utf8(bytes).expect("UTF-8"));
            let input = Text {
                path: "journal/w.md",
                md: &changed,
                entry_json,
                lines: &line,
                read: &read,
                elsewhere: &|_, _| None,
            };
            let verdict = text(&input);
            tried += 1;
            assert!(!verdict.files.is_empty());
            for file in &verdict.files {
                assert!(file.verdict.holds(), "{what}, files with {how}: {file:?}\n{changed}");
                *worst.entry((*what, file.verdict.word())).or_insert(0) += 1;
            }
            assert_eq!(verdict.entry.expect("a verdict").0, EntryVerdict::Intact, "{what}:\n{changed}");
            if matches!(*what, "nothing" | "CRLF" | "a byte order mark") {
                let back = exported(&changed, &json.expect("entry.json"), &read).expect("imports");
                assert_eq!(back.body.trim_start_matches('\u{feff}'), body, "{what}");
                // The ids of the samples are older than their captures.
                let doubts: Vec<_> = back.doubts.values().flatten().filter(|doubt| doubt.rule != Rule::Id).collect();
                assert_eq!(doubts, Vec::<&Doubt>::new());
            }
        }
    }
    println!("{tried} formatted exports: {worst:?}");
    assert!(tried >= 1_000);
}

#[test]
fn decomposed_pictures_and_data_hold() {
    let shelf: BTreeMap<Id, Frozen> =
        [frozen(nasty()), frozen_as(OTHER, one())].into_iter().map(|f| (f.evidence.id, f)).collect();
    let mut trace = one();
    trace.spans[0].name = "GET /entrée/Übung".into();
    let accented = frozen(trace);
    let svg = tracebook_render::card::svg(&accented, tracebook_render::card::Size::Full).svg;
    let changed = decomposed(&svg);
    assert_ne!(changed, svg);
    assert_eq!(tracebook_render::verify::svg(changed.as_bytes(), &|_| None).1, Verdict::Intact);
    let edited = changed.replace("200", "500");
    assert_eq!(tracebook_render::verify::svg(edited.as_bytes(), &|_| None).1, Verdict::Edited);
    // What was decomposed from the first stays as it is.
    for frozen in shelf.values() {
        let svg = tracebook_render::card::svg(frozen, tracebook_render::card::Size::Full).svg;
        assert_eq!(tracebook_render::verify::svg(svg.as_bytes(), &|_| None).1, Verdict::Intact);
    }
}

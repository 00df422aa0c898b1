//! What answered is named wherever evidence is shown, and forged evidence contradicts its own picture.

use std::collections::BTreeMap;

use tracebook_core::canonical::digest;
use tracebook_core::doubts::{Doubt, Rule};
use tracebook_core::endpoint::Endpoint;
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::freeze::{self, Click, Origin};
use tracebook_core::ids::Id;
use tracebook_core::question::{Question, Source};
use tracebook_core::time::Nanos;
use tracebook_render::card::{self, RENDERER, Size};
use tracebook_render::export::{EntryInput, Tree, entry, entry_with_doubts};
use tracebook_render::import::exported;
use tracebook_render::markdown;
use tracebook_render::verify::{self, Verdict};

use crate::common::*;

const CONSOLE: &str = "https://us-east-1.console.aws.amazon.com/cloudwatch/home#xray:traces/1-69bf2d4e";

fn answered_by(endpoints: &[(Source, &str)]) -> Frozen {
    let endpoints = endpoints.iter().map(|(source, url)| Endpoint {
        source: *source,
        url: (*url).to_owned(),
        account: (*source != Source::Local).then(|| "3f9a1c".to_owned()),
        region: (*source != Source::Local).then(|| "us-east-1".to_owned()),
        emulator: false,
    });
    let click = Click {
        id: id(ID),
        question: Question { source: Source::Xray, ..Question::default() },
        captured_at: Nanos(1_795_447_300_000_000_000),
        tool: "tracebook 0.1.0".into(),
        supersedes: None,
        origin: Origin {
            via: vec!["X-Ray API".to_owned()],
            endpoints: endpoints.collect(),
            region: Some("us-east-1".to_owned()),
            console_link: Some(CONSOLE.to_owned()),
            expires: None,
            clock_skew: None,
        },
    };
    freeze::body(Body::Trace(two_services()), click).expect("it has a JSON form").frozen
}

fn tree_of(frozen: &Frozen, doubts: &[Doubt]) -> Tree {
    let id_of = frozen.evidence.id;
    let shelf: BTreeMap<Id, Frozen> = [(id_of, frozen.clone())].into();
    let row = EntryRow { id: id(OTHER), slug: "w".into(), week: None, title: "W".into(), updated_at: String::new() };
    let body = format!("{}\n", markdown::reference(frozen, None));
    let input = EntryInput { row: &row, body: &body, file: "w", evidence: &shelf, live: &BTreeMap::new() };
    match doubts.is_empty() {
        true => entry(&input),
        false => entry_with_doubts(&input, &[(id_of, doubts.to_vec())].into()),
    }
}

fn text<'a>(tree: &'a Tree, path: &str) -> &'a str {
    std::str::from_utf8(&tree.files[path]).expect("UTF-8")
}

fn texts_of(frozen: &Frozen) -> Vec<(&'static str, String)> {
    let tree = tree_of(frozen, &[]);
    let shown = |size| card::svg(frozen, size).svg.split("</metadata>").nth(1).expect("a drawing").to_owned();
    vec![
        ("card", shown(Size::Full)),
        ("compact card", shown(Size::Compact)),
        ("caption", card::caption(frozen)),
        ("markdown", text(&tree, "journal/w.md").to_owned()),
    ]
}

#[test]
fn an_emulator_is_called_one_everywhere() {
    let emulated = answered_by(&[(Source::Xray, "http://127.0.0.1:5000")]);
    for (place, text) in texts_of(&emulated) {
        assert!(text.contains("emulator of AWS X-Ray"), "{place}: {text}");
        assert!(!text.contains("console.aws.amazon.com"), "{place}: {text}");
    }
    let aws = answered_by(&[(Source::Xray, "https://xray.us-east-1.amazonaws.com")]);
    for (place, text) in texts_of(&aws) {
        assert!(!text.contains("emulator"), "{place}: {text}");
    }
    assert!(text(&tree_of(&aws, &[]), "journal/w.md").contains("seen in AWS X-Ray when captured</a>"));
    if let Ok(folder) = std::env::var("TRACEBOOK_CARDS") {
        for size in [Size::Full, Size::Compact] {
            std::fs::write(format!("{folder}/emulator.{}.svg", size.word()), card::svg(&emulated, size).svg)
                .expect("writes");
        }
    }
}

#[test]
fn a_link_that_was_added_to_an_emulators_evidence_is_not_shown() {
    let emulated = answered_by(&[(Source::Xray, "http://127.0.0.1:5000")]);
    assert_eq!(emulated.evidence.provenance.console_link, None);
    // Neither if a file claims that it was no emulator.
    let forged = emulated.canonical.replace("\"emulator\":true,", "");
    let forged = forged.replace("\"endpoints\":", &format!("\"console_link\":\"{CONSOLE}\",\"endpoints\":"));
    let forged = Frozen::read(&forged).expect("evidence");
    assert!(forged.evidence.provenance.console_link.is_some());
    for (place, text) in texts_of(&forged) {
        assert!(text.contains("emulator of AWS X-Ray") && !text.contains("console.aws"), "{place}: {text}");
    }
}

#[test]
fn every_source_that_answered_is_named() {
    let dossier = answered_by(&[
        (Source::Xray, "https://xray.us-east-1.amazonaws.com"),
        (Source::Cloudwatch, "http://localhost:4566"),
        (Source::Local, ""),
    ]);
    let origin = card::origin(&dossier.evidence.provenance);
    assert_eq!(
        origin,
        "AWS X-Ray us-east-1, account 3f9a1c and emulator of AWS CloudWatch Logs at http://localhost:4566 us-east-1, \
         account 3f9a1c and local telemetry, X-Ray API"
    );
}

/// The SVG with other data, whose digest matches, and another renderer's name.
fn forged(svg: &str, renderer: &str, change: impl Fn(&str) -> String) -> String {
    let svg = svg.replacen(
        &format!("data-renderer=\"{RENDERER}\""),
        &if renderer.is_empty() { String::new() } else { format!("data-renderer=\"{renderer}\"") },
        1,
    );
    let (start, end) = (svg.find("<metadata>").expect("there") + 10, svg.find("</metadata>").expect("there"));
    let mut json: serde_json::Value = serde_json::from_str(&svg[start..end]).expect("JSON");
    let data = change(json["evidence"].as_str().expect("the data"));
    let drawing = format!("{}{}", &svg[..start - 10], &svg[end + 11..]);
    json["drawing"] = digest(drawing.as_bytes()).into();
    json["digest"] = digest(data.as_bytes()).into();
    json["evidence"] = data.into();
    if !renderer.is_empty() {
        json["renderer"] = renderer.into();
    }
    // As exports escape it.
    let json = json.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    format!("{}{json}{}", &svg[..start], &svg[end..])
}

/// The rules by which an import doubts a picture.
fn doubts(frozen: &Frozen, svg: String) -> Vec<Rule> {
    let mut tree = tree_of(frozen, &[]);
    tree.files.insert(format!("journal/assets/w/{ID}.svg"), svg.into_bytes());
    let read = |path: &str| tree.files.get(&format!("journal/{path}")).cloned();
    let md = text(&tree, "journal/w.md");
    let back = exported(md, text(&tree, "journal/assets/w/entry.json"), &read).expect("imports");
    assert_eq!(back.evidence.len(), 1, "{:?}", back.warnings);
    // The ids of these samples are older than their captures.
    let raised = back.doubts.get(&id(ID)).into_iter().flatten().map(|doubt| doubt.rule);
    raised.filter(|rule| matches!(rule, Rule::Picture | Rule::Text | Rule::Copy)).collect()
}

#[test]
fn a_picture_of_any_renderer_contradicts_forged_data() {
    let frozen = frozen(two_services());
    let svg = card::svg(&frozen, Size::Full).svg;
    assert!(frozen.canonical.contains("{\"int\":\"500\"}"), "{}", frozen.canonical);
    let forge = |data: &str| data.replace("{\"int\":\"500\"}", "{\"int\":\"200\"}").replace("TypeError", "");
    assert_eq!(doubts(&frozen, svg.clone()), []);
    for renderer in [RENDERER, "1", "2", "99"] {
        assert_eq!(doubts(&frozen, forged(&svg, renderer, str::to_owned)), [], "an honest one of renderer {renderer}");
        let found = doubts(&frozen, forged(&svg, renderer, forge));
        assert!(found.contains(&Rule::Picture) && found.contains(&Rule::Text), "{renderer}: {found:?}");
    }
    // An editor ends files with a line break, and some begin them with a mark.
    for renderer in [RENDERER, "2"] {
        let svg = format!("\u{feff}{}\n\n", forged(&svg, renderer, str::to_owned));
        assert_eq!(doubts(&frozen, svg), [], "{renderer}");
    }
    // A drawing that names no renderer, or another than its data does.
    assert!(doubts(&frozen, forged(&svg, "", str::to_owned)).contains(&Rule::Picture));
    let other = svg.replacen(&format!("\"renderer\":\"{RENDERER}\""), "\"renderer\":\"2\"", 1);
    assert!(doubts(&frozen, other).contains(&Rule::Picture));
}

/// The SVG with other data under the digest that it had.
fn changed_inside(svg: &str, change: impl Fn(&str) -> String) -> String {
    let (start, end) = (svg.find("<metadata>").expect("there") + 10, svg.find("</metadata>").expect("there"));
    let mut json: serde_json::Value = serde_json::from_str(&svg[start..end]).expect("JSON");
    json["evidence"] = change(json["evidence"].as_str().expect("the data")).into();
    format!("{}{json}{}", &svg[..start], &svg[end..])
}

/// What an import reads from the files of an export, after a change.
fn imported(frozen: &Frozen, files: &[(&str, Vec<u8>)]) -> tracebook_render::import::ImportedEntry {
    let mut tree = tree_of(frozen, &[]);
    tree.files.extend(files.iter().map(|(name, bytes)| (format!("journal/assets/w/{name}"), bytes.clone())));
    let read = |path: &str| tree.files.get(&format!("journal/{path}")).cloned();
    exported(text(&tree, "journal/w.md"), text(&tree, "journal/assets/w/entry.json"), &read).expect("imports")
}

#[test]
fn changed_data_is_read_and_doubted() {
    let frozen = frozen(two_services());
    let svg = card::svg(&frozen, Size::Full).svg;
    let full = format!("{ID}.svg");
    let forge = |data: &str| data.replace("{\"int\":\"500\"}", "{\"int\":\"200\"}");
    // As a person edits it: with blanks, and members in another order.
    let by_hand = |data: &str| {
        let value: serde_json::Value = serde_json::from_str(&forge(data)).expect("JSON");
        serde_json::to_string_pretty(&value).expect("JSON")
    };
    for change in [&forge as &dyn Fn(&str) -> String, &by_hand] {
        let back = imported(&frozen, &[(&full, changed_inside(&svg, change).into_bytes())]);
        assert_eq!(back.evidence.len(), 1, "{:?}", back.warnings);
        assert_eq!(back.evidence[0].canonical, forge(&frozen.canonical), "in its canonical form");
        assert_eq!(back.evidence[0].digest, digest(back.evidence[0].canonical.as_bytes()));
        assert!(back.doubts[&id(ID)].iter().any(|doubt| doubt.rule == Rule::Digest), "{:?}", back.doubts);
    }
    // What is no evidence any more is refused, with the reason.
    let damaged: [fn(&str) -> String; 3] =
        [|_| "{}".to_owned(), |data| data[1..].to_owned(), |data| data.replace(ID, OTHER)];
    for change in damaged {
        let back = imported(&frozen, &[(&full, changed_inside(&svg, change).into_bytes())]);
        assert_eq!(back.evidence.len(), 0);
        assert!(back.warnings.iter().any(|warning| warning.contains("was skipped")), "{:?}", back.warnings);
    }
}

#[test]
fn data_that_matches_its_digest_is_preferred() {
    let frozen = frozen(two_services());
    let forge = |data: &str| data.replace("{\"int\":\"500\"}", "{\"int\":\"200\"}");
    let [full, compact] = [Size::Full, Size::Compact].map(|size| card::svg(&frozen, size).svg);
    let names = [format!("{ID}.svg"), format!("{ID}.compact.svg")];
    for changed in 0..2 {
        let files: Vec<(&str, Vec<u8>)> = [&full, &compact]
            .iter()
            .enumerate()
            .map(|(n, svg)| match n == changed {
                true => (names[n].as_str(), changed_inside(svg, forge).into_bytes()),
                false => (names[n].as_str(), svg.as_bytes().to_vec()),
            })
            .collect();
        let back = imported(&frozen, &files);
        assert_eq!(back.evidence[0].digest, frozen.digest, "{changed}");
        let rules: Vec<Rule> = back.doubts[&id(ID)].iter().map(|doubt| doubt.rule).collect();
        assert!(rules.contains(&Rule::Copy) && !rules.contains(&Rule::Digest), "{changed}: {rules:?}");
    }
}

#[test]
fn doubts_are_stated_and_verified() {
    let frozen = frozen(two_services());
    let doubt = Doubt::new(Rule::Picture, "its picture shows | other <b>data</b>");
    let tree = tree_of(&frozen, std::slice::from_ref(&doubt));
    let md = text(&tree, "journal/w.md");
    assert!(md.contains("<strong>Imported, and doubtful</strong>: its picture shows") && !md.contains("<b>"), "{md}");
    let read = |path: &str| tree.files.get(&format!("journal/{path}")).cloned();
    let rows = verify::markdown("journal/w.md", md, &read);
    assert_eq!(rows[0].verdict, Verdict::Doubtful, "{rows:?}");
    assert!(rows[0].doubts.contains(&doubt), "{rows:?}");
    let back = exported(md, text(&tree, "journal/assets/w/entry.json"), &read).expect("imports");
    assert!(back.doubts[&id(ID)].contains(&doubt), "{:?}", back.doubts);
    // Stated by the text alone.
    let silent = text(&tree, "journal/assets/w/entry.json").replace("\"doubts\"", "\"removed\"");
    let back = exported(md, &silent, &read).expect("imports");
    let stated = Doubt::new(Rule::Other, "its picture shows | other <b>data</b>");
    assert!(back.doubts[&id(ID)].contains(&stated), "{:?}", back.doubts);
}

#[test]
fn any_number_of_doubts_is_bounded() {
    let frozen = frozen(two_services());
    let tree = tree_of(&frozen, &[Doubt::new(Rule::Picture, "one")]);
    let json = text(&tree, "journal/assets/w/entry.json");
    let many: Vec<String> =
        (0..20_000).map(|n| format!("{{\"rule\":\"r{n}\",\"why\":\"{n} {}\"}}", "x".repeat(1_000))).collect();
    let at = json.find("\"doubts\": [\n").expect("there");
    let hostile =
        format!("{}\"doubts\": [{{\"evidence\":\"{ID}\",\"doubts\":[{}]}}]\n}}\n", &json[..at], many.join(","));
    let read = |path: &str| match path.ends_with("entry.json") {
        true => Some(hostile.clone().into_bytes()),
        false => tree.files.get(&format!("journal/{path}")).cloned(),
    };
    let back = exported(text(&tree, "journal/w.md"), &hostile, &read).expect("imports");
    let raised = &back.doubts[&id(ID)];
    assert!(raised.len() <= 16 && raised.iter().all(|doubt| doubt.why.len() <= 300), "{}", raised.len());
    let rows = verify::markdown("journal/w.md", text(&tree, "journal/w.md"), &read);
    assert!(rows.iter().all(|row| row.doubts.len() <= 16));
}

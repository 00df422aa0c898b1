//! Forged exports: what contradicts itself is marked at the import, and stays marked.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use tracebook_core::canonical::digest;
use tracebook_core::console::{Console, Output};
use tracebook_core::doubts::Rule;
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::ids::Id;
use tracebook_render::card::{self, Size};
use tracebook_render::verify::Verdict;

use super::verify::{Verified, verify};
use crate::ground::schema::{Caller, Capture, EvidenceList, EvidenceRow, Imported};
use crate::testing::Home;

/// A journal with an entry that shows a failed request, exported.
async fn exported() -> (Home, Id) {
    let home = Home::new().await;
    let slug = home.entry("One", "# One\n").await;
    let request = Capture { into: Some(slug), ..Capture::of(Kind::Console) };
    let console = Console::from_text("backend", "GET /boom 500\nTypeError: no");
    let captured = home
        .app
        .capture
        .capture_console(Output { console, ..Output::default() }, request, &Caller::default())
        .await
        .expect("captures");
    home.export(false).await.expect("exports");
    (home, captured.evidence.id)
}

fn verified(path: &Path) -> Verified {
    verify(&[path.display().to_string()], None).expect("verifies")
}

fn picture(home: &Home, id: Id) -> PathBuf {
    home.out().join(format!("journal/assets/one/{id}.svg"))
}

/// The metadata of a picture, and where it is.
fn metadata(svg: &str) -> (Json, usize, usize) {
    let start = svg.find("<metadata>").expect("metadata") + "<metadata>".len();
    let end = svg.find("</metadata>").expect("metadata");
    (serde_json::from_str(&svg[start..end]).expect("JSON"), start, end)
}

fn data(svg: &str) -> String {
    metadata(svg).0["evidence"].as_str().expect("the data").to_owned()
}

/// Changes the data in a picture, with its digest, and leaves the drawing.
fn change_data(path: &Path, change: impl Fn(&str) -> String) {
    let svg = std::fs::read_to_string(path).expect("reads");
    let (mut json, start, end) = metadata(&svg);
    let changed = change(&data(&svg));
    assert_ne!(changed, data(&svg));
    json["digest"] = digest(changed.as_bytes()).into();
    json["evidence"] = changed.into();
    std::fs::write(path, format!("{}{json}{}", &svg[..start], &svg[end..])).expect("writes");
}

/// Changes the data and draws the picture again; the text names the new digest, too.
fn change_all(home: &Home, id: Id, change: impl Fn(&str) -> String) {
    let path = picture(home, id);
    let old = Frozen::read(&data(&std::fs::read_to_string(&path).expect("reads"))).expect("evidence");
    let new = Frozen::read(&change(&old.canonical)).expect("evidence");
    assert_ne!(old.digest, new.digest);
    std::fs::write(&path, card::svg(&new, Size::Full).svg).expect("writes");
    std::fs::write(path.with_extension("narrow.svg"), card::narrow(&new, Size::Full)).expect("writes");
    let md = home.out().join("journal/one.md");
    let text = std::fs::read_to_string(&md).expect("reads");
    let human = |frozen: &Frozen| frozen.evidence.provenance.captured_at.human();
    let text = text.replace(&old.digest[..19], &new.digest[..19]).replace(&human(&old), &human(&new));
    let text = if new.canonical.contains("/boom 200") { text.replace("/boom 500", "/boom 200") } else { text };
    std::fs::write(&md, text).expect("writes");
}

async fn rows(home: &Home) -> Vec<EvidenceRow> {
    home.app.evidence.list(EvidenceList::default()).await.expect("lists")
}

/// Imports the export of another journal into a new one, and returns the rules of the doubts.
async fn import(from: &Home) -> (Home, Imported, Vec<Rule>) {
    let to = Home::new().await;
    let done = to.import(&from.out()).await.expect("imports");
    let rows = rows(&to).await;
    assert_eq!(rows.len(), 1, "{:?}", done.warnings);
    assert!(rows[0].imported_at.is_some());
    (to, done, rows[0].doubts.iter().map(|doubt| doubt.rule).collect())
}

#[tokio::test]
async fn an_honest_export_raises_no_doubt_and_is_told_from_captures() {
    let (home, id) = exported().await;
    assert!(rows(&home).await[0].imported_at.is_none(), "captured here");
    let (back, done, rules) = import(&home).await;
    assert_eq!((done.warnings, rules), (Vec::<String>::new(), Vec::new()));
    // What comes back to where it was captured stays a capture.
    home.import(&home.out()).await.expect("imports");
    assert!(rows(&home).await[0].imported_at.is_none());
    // And the export of an import is the same bytes.
    back.export(false).await.expect("exports");
    for path in [format!("assets/one/{id}.svg"), "one.md".to_owned(), "assets/one/entry.json".to_owned()] {
        let read = |home: &Home| std::fs::read(home.out().join("journal").join(&path)).expect("reads");
        assert_eq!(read(&home), read(&back), "{path}");
    }
    home.app.shutdown().await;
    back.app.shutdown().await;
}

#[tokio::test]
async fn changed_data_with_the_old_drawing_is_marked_for_good() {
    let (home, id) = exported().await;
    change_data(&picture(&home, id), |data| data.replace("/boom 500", "/boom 200").replace("TypeError: no", ""));
    let (first, done, rules) = import(&home).await;
    assert!(rules.contains(&Rule::Picture) && rules.contains(&Rule::Text), "{rules:?}");
    assert!(done.warnings.iter().any(|w| w.contains("is doubtful")), "{:?}", done.warnings);

    // The next export draws the forged data itself: only what is recorded shows it.
    first.export(false).await.expect("exports");
    let md = std::fs::read_to_string(first.out().join("journal/one.md")).expect("reads");
    assert!(md.contains("<strong>Imported, and doubtful</strong>: "), "{md}");
    let found = verified(&first.out());
    assert!(!found.ok);
    assert_eq!(found.evidence[0].verdict, Verdict::Doubtful, "{found:?}");
    assert!(!found.evidence[0].doubts.is_empty());

    // Neither a round trip nor another file without the mark removes it.
    let (second, _, again) = import(&first).await;
    assert_eq!(again, rules);
    second.export(false).await.expect("exports");
    for path in ["one.md", "assets/one/entry.json"] {
        let read = |home: &Home| std::fs::read(home.out().join("journal").join(path)).expect("reads");
        assert_eq!(read(&first), read(&second), "{path}");
    }
    // Taken out of entry.json, the text still states it; taken out of the text, entry.json does.
    let json = first.out().join("journal/assets/one/entry.json");
    let mut about: Json = serde_json::from_slice(&std::fs::read(&json).expect("reads")).expect("JSON");
    about.as_object_mut().expect("an object").remove("doubts").expect("they are there");
    std::fs::write(&json, about.to_string()).expect("writes");
    assert!(!verified(&first.out()).ok);
    let (third, _, stated) = import(&first).await;
    assert_eq!(stated, [Rule::Other]);
    let without = md.split("<br><sub><strong>").next().expect("a part").len();
    let end = without + md[without..].find("</sub>").expect("an end") + "</sub>".len();
    std::fs::write(second.out().join("journal/one.md"), format!("{}{}", &md[..without], &md[end..])).expect("writes");
    assert!(!verified(&second.out()).ok);
    let (fourth, _, recorded) = import(&second).await;
    assert_eq!(recorded, rules);
    // With both taken out, a journal that knows better keeps its mark.
    std::fs::write(first.out().join("journal/one.md"), format!("{}{}", &md[..without], &md[end..])).expect("writes");
    second.import(&first.out()).await.expect("imports");
    assert_eq!(rows(&second).await[0].doubts.len(), rules.len());
    for home in [home, first, second, third, fourth] {
        home.app.shutdown().await;
    }
}

#[tokio::test]
async fn a_moved_capture_is_marked_even_if_everything_was_drawn_again() {
    let (home, id) = exported().await;
    let an_hour_ago = |data: &str| {
        let at = data.find("\"captured_at\":\"").expect("a time") + "\"captured_at\":\"".len();
        let nanos: i64 = data[at..at + 19].parse().expect("nanoseconds");
        format!("{}{}{}", &data[..at], nanos - 3_600_000_000_000, &data[at + 19..])
    };
    change_all(&home, id, an_hour_ago);
    let found = verified(&home.out());
    assert!(!found.ok, "{found:?}");
    assert_eq!(found.evidence[0].verdict, Verdict::Doubtful, "{found:?}");
    let (back, _, rules) = import(&home).await;
    assert_eq!(rules, [Rule::Id], "{rules:?}");
    home.app.shutdown().await;
    back.app.shutdown().await;
}

#[tokio::test]
async fn two_files_with_one_id_and_other_data_are_both_doubtful() {
    let (home, id) = exported().await;
    let back = Home::new().await;
    back.import(&home.out()).await.expect("imports");
    assert_eq!(rows(&back).await[0].doubts, []);
    change_all(&home, id, |data| data.replace("/boom 500", "/boom 200"));
    let done = back.import(&home.out()).await.expect("imports");
    assert!(done.warnings.iter().any(|w| w.contains("with another digest")), "{:?}", done.warnings);
    assert_eq!(rows(&back).await[0].doubts.iter().map(|d| d.rule).collect::<Vec<_>>(), [Rule::Copy]);
    // The journal that captured it knows.
    let done = home.import(&home.out()).await.expect("imports");
    assert!(done.warnings.iter().any(|w| w.contains("with another digest")), "{:?}", done.warnings);
    assert_eq!(rows(&home).await[0].doubts, []);
    home.app.shutdown().await;
    back.app.shutdown().await;
}

#[tokio::test]
async fn a_changed_picture_of_true_data_is_marked_and_a_reformatted_one_is_not() {
    for (change, marked) in [
        ((|svg: &str| svg.replace("/boom 500</text>", "/boom 200</text>")) as fn(&str) -> String, true),
        (|svg| format!("{svg}\n\n"), false),
        (|svg| svg.replace('\n', "\r\n"), false),
        (|svg| svg.replace("/>\n<", "/>\n  <"), false),
    ] {
        let (home, id) = exported().await;
        let svg = std::fs::read_to_string(picture(&home, id)).expect("reads");
        let changed = change(&svg);
        assert_ne!(svg, changed);
        std::fs::write(picture(&home, id), changed).expect("writes");
        let (back, _, rules) = import(&home).await;
        assert_eq!(rules == [Rule::Picture], marked, "{rules:?}");
        home.app.shutdown().await;
        back.app.shutdown().await;
    }
}

/// Changes the data in a picture and leaves the digest that it names.
fn change_under_its_digest(path: &Path) {
    let svg = std::fs::read_to_string(path).expect("reads");
    let (mut json, start, end) = metadata(&svg);
    json["evidence"] = data(&svg).replace("/boom 500", "/boom 200").into();
    std::fs::write(path, format!("{}{json}{}", &svg[..start], &svg[end..])).expect("writes");
}

#[tokio::test]
async fn data_that_does_not_match_its_digest_is_taken_in_and_marked_for_good() {
    let (home, id) = exported().await;
    change_under_its_digest(&picture(&home, id));
    assert_eq!(verified(&home.out()).evidence[0].verdict, Verdict::Edited);
    let (first, done, rules) = import(&home).await;
    assert_eq!(rules, [Rule::Digest, Rule::Text], "its table shows the old data, too");
    assert!(done.warnings.iter().any(|w| w.contains("does not match its digest")), "{:?}", done.warnings);
    let frozen = first.app.evidence.frozen(id).await.expect("is there");
    assert!(frozen.canonical.contains("/boom 200"), "{}", frozen.canonical);
    assert_eq!(frozen.digest, digest(frozen.canonical.as_bytes()), "its digest is that of the changed data");

    // Once more: nothing is added.
    first.import(&home.out()).await.expect("imports");
    assert_eq!(rows(&first).await[0].doubts.len(), rules.len());
    // It stays marked in every later export, verdict and import.
    first.export(false).await.expect("exports");
    let md = std::fs::read_to_string(first.out().join("journal/one.md")).expect("reads");
    assert!(md.contains("<strong>Imported, and doubtful</strong>: the data does not match its digest"), "{md}");
    let found = verified(&first.out());
    assert!(!found.ok);
    assert_eq!(found.evidence[0].verdict, Verdict::Doubtful, "{found:?}");
    assert!(found.evidence[0].doubts.iter().any(|doubt| doubt.rule == Rule::Digest), "{found:?}");
    let (second, _, again) = import(&first).await;
    assert_eq!(again, rules);

    // A journal with the original keeps it, without a doubt: the file contradicts itself.
    let done = home.import(&home.out()).await.expect("imports");
    assert!(done.warnings.iter().any(|w| w.contains("with another digest")), "{:?}", done.warnings);
    assert_eq!(rows(&home).await[0].doubts, []);
    let third = Home::new().await;
    home.export(true).await.expect("exports");
    third.import(&home.out()).await.expect("imports");
    change_under_its_digest(&picture(&home, id));
    third.import(&home.out()).await.expect("imports");
    assert_eq!(rows(&third).await[0].doubts, []);
    for home in [home, first, second, third] {
        home.app.shutdown().await;
    }
}

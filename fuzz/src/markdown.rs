//! Texts of entries, and exported trees that somebody has changed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::ids::Id;
use tracebook_render::export::{self, EntryInput};
use tracebook_render::markdown::{self, Target, Where};
use tracebook_render::{import, verify};

use crate::{evidence, parts};

static FROZEN: LazyLock<Frozen> =
    LazyLock::new(|| evidence::frozen(Body::Trace(crate::xray::TRACES[0].clone())).expect("a trace can be frozen"));

static EVIDENCE: LazyLock<BTreeMap<Id, Frozen>> =
    LazyLock::new(|| BTreeMap::from([(FROZEN.evidence.id, FROZEN.clone())]));

fn exported(body: &str) -> export::Tree {
    let row = EntryRow {
        id: FROZEN.evidence.id,
        slug: "week-2".to_owned(),
        week: Some("2".to_owned()),
        title: "Week 2".to_owned(),
        updated_at: "2026-11-23T15:20:13Z".to_owned(),
    };
    export::entry(&EntryInput { row: &row, body, file: "week2", evidence: &EVIDENCE, live: &BTreeMap::new() })
}

/// A text, an alternative text and a caption.
pub fn markdown(input: &[u8]) {
    let [body, alt, caption] = parts(input);
    let reference = markdown::reference_as(&FROZEN, Some(&alt), Some(&caption), "");
    let read = markdown::scan(&reference);
    assert_eq!(read.references.len(), 1, "a reference is read back: {reference}");
    assert_eq!(read.references[0].place.byte_end, reference.len(), "as a whole: {reference}");

    let markup = markdown::scan(&body);
    markdown::links(&body);
    for slot in markup.slots.iter().take(4) {
        let placed = markdown::place(&body, &reference, Where::Slot(slot));
        assert!(placed.contains(&reference));
        markdown::placing(&body, &reference, Target::Slot(slot.place.start, slot.place.end));
    }
    let units: usize = body.encode_utf16().count();
    for cursor in [0, units / 3, units / 2, units, units + 1] {
        let placing = markdown::placing(&body, &reference, Target::Cursor(cursor));
        assert!(placing.start <= placing.end && placing.end <= units, "{placing:?}");
    }
    let placed = markdown::place(&body, &reference, Where::Append);
    // HTML that is not closed takes in everything below it.
    let appended = markdown::scan(&placed).references.len() > markup.references.len();
    assert!(appended || body.contains('<'), "appended where it is read: {placed:?}");

    // Exported and imported again, the text is the same.
    let tree = exported(&placed);
    let read = |path: &str| tree.files.get(&format!("journal/{path}")).cloned();
    let text = |path: &str| read(path).map(|bytes| String::from_utf8(bytes).expect("text"));
    let (Some(page), Some(about)) = (text("week2.md"), text("assets/week2/entry.json")) else { return };
    let imported = import::exported(&page, &about, &read).expect("what was exported can be imported");
    assert_eq!(imported.body, placed);
}

/// A page, its `entry.json`, and one file for every path that it names.
pub fn import(input: &[u8]) {
    let [page, about, asset] = parts(input);
    let tree = exported("![](evidence:01JD4ZK8S7M5V9TQ2WXYB3CDEF)\n");
    let ours = |name: &str| tree.files.get(&format!("journal/{name}")).cloned();
    let read = |path: &str| match asset.is_empty() {
        true => ours(path),
        false => Some(asset.clone().into_bytes()),
    };
    import::exported(&page, &about, &read).ok();
    let own = ours("assets/week2/entry.json").map(|bytes| String::from_utf8(bytes).expect("text"));
    if let Some(own) = own {
        import::exported(&page, &own, &ours).ok();
    }
}

/// A picture, a page, and `entry.json`.
pub fn verify(input: &[u8]) {
    let [picture, page, about] = parts(input);
    verify::svg(picture.as_bytes(), &|_| Some(page.clone().into_bytes()));
    verify::markdown("journal/week2.md", &page, &|path| {
        Some(if path.ends_with(".json") { about.clone() } else { picture.clone() }.into_bytes())
    });
}

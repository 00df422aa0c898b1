//! From the bytes that our own service sent with the real SDKs to what a reader sees: the card and the exported
//! markdown, as snapshots. Where one of them changes, look at it before accepting it.

use std::collections::BTreeMap;

use tracebook_core::assemble::assemble;
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::freeze::{self, Click, Origin};
use tracebook_core::ids::Id;
use tracebook_core::question::Question;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::time::Nanos;
use tracebook_render::card::{self, Size};
use tracebook_render::export::{self, EntryInput};
use tracebook_render::verify::{self, Verdict};
use tracebook_render::{import, markdown};
use tracebook_sources::{otlp, xray};

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn otlp(name: &str) -> Vec<SpanRecord> {
    otlp::wire::decode_protobuf(&fixture(name)).expect("a request").records
}

fn xray(name: &str) -> Vec<SpanRecord> {
    let folder = format!("{}/../../tests/fixtures", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the fixtures")
        .map(|e| e.expect("one").file_name().to_string_lossy().into_owned())
        .filter(|f| f.starts_with("xray-") && f.ends_with(&format!("-{name}.bin")))
        .collect();
    files.sort();
    files.iter().flat_map(|f| xray::wire::parse_datagram(&fixture(f)).expect("a datagram")).collect()
}

/// Frozen at a fixed moment, so that the same bytes make the same evidence.
fn frozen(records: &[SpanRecord]) -> Frozen {
    // A batch mixes traces: the request's own is the one with the most spans.
    let count = |id| records.iter().filter(|r| r.trace_id == id).count();
    let trace_id = records.iter().map(|r| r.trace_id).max_by_key(|id| (count(*id), *id)).expect("a span");
    let ours: Vec<_> = records.iter().filter(|r| r.trace_id == trace_id).collect();
    let loose = ours.iter().map(|record| {
        let (loose, warnings) = tracebook_sources::normalise(record);
        assert_eq!(warnings, Vec::<String>::new(), "SDK data is read without warnings");
        loose
    });
    let click = Click {
        id: "01JD4ZK8S7M5V9TQ2WXYB3CDEF".parse().expect("a ULID"),
        question: Question::default(),
        captured_at: Nanos(1_795_447_300_000_000_000),
        tool: "tracebook 0.1.0".to_owned(),
        supersedes: None,
        origin: Origin::default(),
    };
    freeze::body(Body::Trace(assemble(trace_id, loose)), click).expect("freezes").frozen
}

fn check(name: &str, records: &[SpanRecord]) {
    let frozen = frozen(records);
    let drawing = card::preview(&frozen.evidence.body, Size::Full);
    insta::assert_snapshot!(format!("{name}_card"), drawing);

    let row = EntryRow {
        id: "01JD4ZK8S7M5V9TQ2WXYB3CDEG".parse().expect("a ULID"),
        slug: "week-2".to_owned(),
        week: Some("2".to_owned()),
        title: "Week 2".to_owned(),
        updated_at: String::new(),
    };
    let body = format!("# Week 2\n\nIt works:\n\n{}\n", markdown::reference(&frozen, None));
    let evidence: BTreeMap<Id, Frozen> = BTreeMap::from([(frozen.evidence.id, frozen)]);
    let tree = export::entry(&EntryInput {
        row: &row,
        body: &body,
        file: "week2",
        evidence: &evidence,
        live: &BTreeMap::new(),
    });
    assert_eq!(tree.warnings, Vec::<String>::new());
    let text = |path: &str| String::from_utf8(tree.files[path].clone()).expect("UTF-8");
    insta::assert_snapshot!(format!("{name}_markdown"), text("journal/week2.md"));

    // And back.
    let read = |path: &str| tree.files.get(&format!("journal/{path}")).cloned();
    let verdicts = verify::markdown("journal/week2.md", &text("journal/week2.md"), &read);
    assert!(verdicts.iter().all(|v| v.verdict == Verdict::Intact) && verdicts.len() == 1, "{verdicts:?}");
    let back =
        import::exported(&text("journal/week2.md"), &text("journal/assets/week2/entry.json"), &read).expect("reads");
    assert_eq!((back.body, back.evidence.len()), (body, 1));
}

#[test]
fn a_good_request_with_events_links_and_attributes() {
    check("otlp_home", &otlp("otlp-home.bin"));
}

#[test]
fn an_exception_with_its_stack() {
    check("otlp_boom", &otlp("otlp-boom.bin"));
}

#[test]
fn forty_subsegments_that_came_before_their_segment() {
    check("xray_rows40", &xray("rows40"));
}

#[test]
fn a_fault_whose_cause_is_elsewhere_in_the_trace() {
    check("xray_boom", &xray("boom"));
}

#[test]
fn both_sdks_in_one_trace() {
    let mut records = otlp("otlp-joined.bin");
    records.extend(xray("joined"));
    check("joined", &records);
}

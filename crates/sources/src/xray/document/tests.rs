use proptest::prelude::*;

use super::*;
use crate::xray::wire::parse_document;

fn document(id: u64, parent: Option<u64>, subsegment: bool, start: f64) -> String {
    let mut said = json!({
        "id": format!("{id:016x}"), "trace_id": "1-581cf771-a006649127e371903a2de979", "name": format!("n{id}"),
        "start_time": start, "end_time": start + 1.0,
    });
    if let Some(parent) = parent {
        said["parent_id"] = format!("{parent:016x}").into();
    }
    if subsegment {
        said["type"] = "subsegment".into();
    }
    said.to_string()
}

fn of(sent: &[String]) -> Vec<Document> {
    let records: Vec<SpanRecord> =
        sent.iter().flat_map(|text| parse_document(text.as_bytes()).expect("a document")).collect();
    documents(&records, crate::normalise)
}

fn ids(document: &Json, into: &mut Vec<String>) {
    into.push(document["id"].as_str().unwrap_or("none").to_owned());
    for one in document["subsegments"].as_array().into_iter().flatten() {
        ids(one, into);
    }
}

#[test]
fn segments_stand_alone_and_subsegments_do_not() {
    let found = of(&[
        document(4, Some(3), false, 3.0),
        document(3, Some(2), true, 2.5),
        document(2, Some(1), true, 2.0),
        document(5, Some(1), true, 1.5),
        document(1, None, false, 1.0),
        document(6, Some(99), true, 9.0),
    ]);
    let seen: Vec<Vec<String>> = found
        .iter()
        .map(|d| {
            let mut list = Vec::new();
            ids(&serde_json::from_str(&d.text).expect("JSON"), &mut list);
            list.iter().map(|id| id.trim_start_matches('0').to_owned()).collect()
        })
        .collect();
    assert_eq!(seen, [vec!["1", "5", "2", "3"], vec!["4"], vec!["6"]]);
}

#[test]
fn invalid_subsegments_are_kept_beside_valid_ones() {
    let sent = json!({
        "id": "0000000000000001", "trace_id": "1-581cf771-a006649127e371903a2de979", "name": "s", "start_time": 1, "end_time": 2,
        "subsegments": [{"odd": true}, {"id": "0000000000000002", "name": "t", "start_time": 1.5, "end_time": 1.6}],
    });
    let found = of(&[sent.to_string()]);
    let back: Json = serde_json::from_str(&found[0].text).expect("JSON");
    assert_eq!((&back["subsegments"][0], &back["subsegments"][1]["name"]), (&json!({"odd": true}), &json!("t")));
    assert_eq!(back["subsegments"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_long_chain_becomes_several_documents_and_nothing_is_lost() {
    let sent: Vec<String> = (1..=1000)
        .map(|n: u64| {
            document(n, n.checked_sub(1).filter(|p| *p > 0), n > 1, f64::from(u32::try_from(n).expect("small")))
        })
        .collect();
    let found = of(&sent);
    assert!(found.len() > 10, "{}", found.len());
    let mut all = Vec::new();
    for document in &found {
        ids(&serde_json::from_str(&document.text).expect("readable, however long the chain"), &mut all);
    }
    assert_eq!(all.len(), 1000);
}

proptest! {
    #[test]
    fn every_record_is_in_one_document_and_reads_back(
        parts in prop::collection::vec((prop::option::of(1u64..10), any::<bool>(), 0u8..5), 1..10),
    ) {
        let sent: Vec<String> = parts.iter().enumerate()
            .map(|(i, (parent, sub, start))| document(i as u64 + 1, *parent, *sub, f64::from(*start)))
            .collect();
        let found = of(&sent);
        let mut all = Vec::new();
        let mut again = 0;
        for document in &found {
            ids(&serde_json::from_str(&document.text).expect("JSON"), &mut all);
            again += parse_document(document.text.as_bytes()).expect("a document").len();
        }
        all.sort();
        all.dedup();
        prop_assert_eq!((all.len(), again), (parts.len(), parts.len()));
    }
}

//! Records as the documents that were sent, for PutTraceSegments.

use std::collections::HashSet;

use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::telemetry::{Encoding, SpanRecord};

use super::document;
use super::normalise;

/// The largest document that X-Ray accepts.
const MAX_BYTES: usize = 64 * 1024;

/// The segments and subsegments that X-Ray's SDKs sent, each document as it was, with its nested subsegments. Other
/// records are left out.
pub fn documents(records: &[SpanRecord]) -> Vec<String> {
    let mut documents = Vec::new();
    let mut run: Vec<SpanRecord> = Vec::new();
    let mut inside: HashSet<SpanId> = HashSet::new();
    let mut trace: Option<TraceId> = None;
    for record in records.iter().filter(|record| record.encoding == Encoding::XrayJson) {
        // A document's own record comes first, directly followed by what was nested in it.
        let nested = trace == Some(record.trace_id) && record.parent_id.is_some_and(|parent| inside.contains(&parent));
        if !nested {
            add(&mut documents, &run);
            run.clear();
            inside.clear();
            trace = Some(record.trace_id);
        }
        inside.insert(record.span_id);
        run.push(record.clone());
    }
    add(&mut documents, &run);
    documents
}

/// The records of one document, unless it would be too large: subsegments that were streamed before their segment
/// cannot be distinguished from nested ones that directly followed it.
fn add(documents: &mut Vec<String>, run: &[SpanRecord]) {
    let whole = document::documents(run, normalise::segment);
    if whole.iter().all(|document| document.text.len() <= MAX_BYTES) {
        documents.extend(whole.into_iter().map(|document| document.text));
        return;
    }
    for record in run {
        documents.extend(
            document::documents(std::slice::from_ref(record), normalise::segment)
                .into_iter()
                .map(|document| document.text),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fixture;
    use crate::xray::wire::{parse_datagram, parse_document};

    fn segment(id: u8, rest: &str) -> String {
        format!(
            r#"{{"trace_id":"1-67891233-abcdef012345678912345678","id":"00000000000000{id:02x}","name":"n","start_time":1,"end_time":2{rest}}}"#
        )
    }

    #[test]
    fn what_a_real_sdk_sent_comes_out_one_document_a_datagram() {
        for name in ["01-home", "01-boom", "01-notifications", "01-slow", "02-slow"] {
            let records = parse_datagram(&fixture(&format!("xray-{name}.bin"))).expect("reads");
            let sent = documents(&records);
            assert_eq!(sent.len(), 1, "{name}");
            assert_eq!(parse_document(sent[0].as_bytes()).expect("reads"), records, "{name}");
        }
    }

    #[test]
    fn a_streamed_subsegment_stays_a_document_of_its_own() {
        let streamed = segment(2, r#","parent_id":"0000000000000001","type":"subsegment""#);
        let whole = segment(1, r#","subsegments":[{"id":"0000000000000003","name":"s","start_time":1,"end_time":2}]"#);
        let mut records = parse_document(streamed.as_bytes()).expect("reads");
        records.extend(parse_document(whole.as_bytes()).expect("reads"));
        let sent = documents(&records);
        assert_eq!(sent.len(), 2);
        assert!(sent[0].contains("0000000000000002") && sent[0].contains("\"type\":\"subsegment\""), "{}", sent[0]);
        assert!(sent[1].contains("0000000000000003"), "{}", sent[1]);
    }

    #[test]
    fn nothing_is_joined_to_more_than_x_ray_takes() {
        let heavy = format!(r#","metadata":{{"a":"{}"}}"#, "x".repeat(40_000));
        let parent = segment(1, &heavy);
        let child = segment(2, &format!(r#","parent_id":"0000000000000001","type":"subsegment"{heavy}"#));
        let mut records = parse_document(parent.as_bytes()).expect("reads");
        records.extend(parse_document(child.as_bytes()).expect("reads"));
        let sent = documents(&records);
        assert_eq!(sent.len(), 2);
        assert!(sent.iter().all(|text| text.len() < MAX_BYTES));
    }

    #[test]
    fn traces_are_not_mixed_and_other_spans_are_left_out() {
        let one = segment(1, "");
        let other = segment(1, "").replace("abcdef", "fedcba");
        let mut records = parse_document(one.as_bytes()).expect("reads");
        records.extend(parse_document(other.as_bytes()).expect("reads"));
        let mut printed = records[0].clone();
        printed.encoding = Encoding::ConsoleJson;
        records.push(printed);
        assert_eq!(documents(&records).len(), 2);
        assert!(documents(&records[2..]).is_empty());
    }
}

//! Requests that would take far more memory than they have bytes.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as proto;
use tracebook_core::text::{NAME_BYTES, TITLE_BYTES};

use super::*;
use crate::budget::Purpose;

const MIB: usize = 1024 * 1024;
const PACKED: &str = "Content-Type: application/x-protobuf\r\nContent-Encoding: gzip\r\n";

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(plain).expect("in memory");
    gzip.finish().expect("in memory")
}

/// When all spans start.
const START: u64 = 1_795_478_000_000_000_000;

fn text(key: &str, value: String) -> common::KeyValue {
    let value = Some(common::AnyValue { value: Some(common::any_value::Value::StringValue(value)) });
    common::KeyValue { key: key.into(), value, key_strindex: 0 }
}

/// Spans with the shortest names, as many scopes as given, and a resource with this name.
fn request(service: String, scopes: usize, spans: usize) -> Vec<u8> {
    let span = |n: usize| proto::Span {
        trace_id: vec![1; 16],
        span_id: (n as u64 + 1).to_be_bytes().to_vec(),
        start_time_unix_nano: START,
        ..proto::Span::default()
    };
    let scope = |of: usize| proto::ScopeSpans {
        spans: (0..spans).map(|n| span(of * spans + n)).collect(),
        ..proto::ScopeSpans::default()
    };
    let resource = Resource { attributes: vec![text("service.name", service)], ..Resource::default() };
    let of = proto::ResourceSpans {
        resource: Some(resource),
        scope_spans: (0..scopes).map(scope).collect(),
        ..proto::ResourceSpans::default()
    };
    ExportTraceServiceRequest { resource_spans: vec![of] }.encode_to_vec()
}

#[tokio::test]
async fn a_name_of_mebibytes_is_cut_and_not_copied_with_every_span() {
    let rig = Rig::new().await;
    let body = gzip(&request("x".repeat(4 * MIB - 100), 300, 10));
    assert!(body.len() < 64 * 1024, "{} bytes packed", body.len());
    let answer = rig.post("/v1/traces", PACKED, &body).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0), "{}", answer.text());
    let spans = rig.kept.spans();
    assert_eq!(spans.len(), 3000);
    for span in [&spans[0], &spans[2999]] {
        assert!(span.service.len() <= NAME_BYTES, "{}", span.service.len());
        assert!(span.service.ends_with("xx… [4,194,204 bytes]"), "{}", span.service);
        assert!(span.resource.len() < 2048, "{}", span.resource.len());
        // Read again, it has the same name.
        assert_eq!(crate::normalise(span).0.span.service, span.service);
    }
    let heap: usize = spans.iter().map(|span| span.raw.len() + span.title.len() + span.service.len()).sum();
    assert!(heap < MIB, "{heap} bytes of 3,000 spans");
}

#[tokio::test]
async fn names_of_scopes_and_spans_and_severities_are_cut_in_both_encodings() {
    let rig = Rig::new().await;
    let long = "ä".repeat(MIB * 3 / 4);
    let span = json!({"traceId": "01".repeat(16), "spanId": "02".repeat(8), "startTimeUnixNano": START, "name": long});
    let scope = json!({"scope": {"name": long}, "spans": [span]});
    let body = json!({"resourceSpans": [{"scopeSpans": [scope]}]});
    assert_eq!(rig.post("/v1/traces", AS_JSON, body.to_string().as_bytes()).await.text(), "{}");
    let kept = &rig.kept.spans()[0];
    assert!(kept.title.len() <= TITLE_BYTES && kept.title.ends_with("ä… [1,572,864 bytes]"), "{}", kept.title);
    assert!(kept.raw.len() > MIB, "its own bytes are kept");
    assert!(kept.scope.len() < 2048, "{}", kept.scope.len());

    let log = json!({"severityText": long, "body": {"stringValue": long}});
    let body = json!({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name",
        "value": {"stringValue": long}}]}, "scopeLogs": [{"scope": {"name": long}, "logRecords": [log]}]}]});
    assert_eq!(rig.post("/v1/logs", AS_JSON, body.to_string().as_bytes()).await.text(), "{}");
    let kept = &rig.kept.logs()[0];
    for name in [&kept.group, &kept.stream, &kept.severity] {
        assert!(name.len() <= NAME_BYTES && name.ends_with("[1,572,864 bytes]"), "{name}");
    }
    assert!(kept.message.len() <= MIB && kept.message.ends_with("[1,572,864 bytes]"), "{}", kept.message.len());
}

#[tokio::test]
async fn records_of_countless_values_are_rejected_and_the_rest_stored() {
    let good = json!({"traceId": "01".repeat(16), "spanId": "02".repeat(8), "startTimeUnixNano": START});
    let mut bad = good.clone();
    bad["attributes"] = json!([{"key": "k", "value": {"arrayValue": {"values": vec![json!({}); 100_000]}}}]);
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [good, bad]}]}]});
    let rig = Rig::new().await;
    let answer = rig.post("/v1/traces", AS_JSON, body.to_string().as_bytes()).await;
    assert_eq!(answer.json()["partialSuccess"]["rejectedSpans"], "1", "{}", answer.text());
    assert!(answer.text().contains("more than 65536 values"), "{}", answer.text());

    // Two bytes each: attributes, values of a list, events.
    for field in [9, 11, 13] {
        let span = proto::Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            start_time_unix_nano: START,
            ..proto::Span::default()
        };
        let mut many = span.encode_to_vec();
        many.extend([field << 3 | 2, 0].repeat(100_000));
        let nested = |inside: &[u8], number: u8| {
            let mut out = vec![number << 3 | 2];
            prost::encoding::encode_varint(inside.len() as u64, &mut out);
            [out, inside.to_vec()].concat()
        };
        let spans = [nested(&many, 2), nested(&span.encode_to_vec(), 2)].concat();
        let body = nested(&nested(&spans, 2), 1);
        let rig = Rig::new().await;
        let answer = rig.post("/v1/traces", AS_PROTOBUF, &body).await;
        let partial = ExportTraceServiceResponse::decode(answer.body.as_slice()).expect("protobuf").partial_success;
        assert_eq!((answer.status, partial.map(|partial| partial.rejected_spans)), (200, Some(1)), "field {field}");
    }
}

#[tokio::test]
async fn what_takes_more_memory_than_there_is_is_not_decoded() {
    let bounds = Bounds::scarce(4 * MIB);
    let rig = Rig::within(Kept::new(), bounds).await;
    let body = request("s".to_owned(), 1, 20_000);
    assert!(body.len() < MIB);
    for (headers, body) in [(AS_PROTOBUF, body.clone()), (PACKED, gzip(&body))] {
        let answer = rig.post("/v1/traces", headers, &body).await;
        assert_eq!(answer.status, 413, "{}", answer.text());
        assert!(status_of(&answer).message.contains("smaller batches"));
    }
    assert!(rig.kept.spans().is_empty());
    assert_eq!(rig.post("/v1/traces", AS_PROTOBUF, &request("s".to_owned(), 1, 200)).await.status, 200);
    assert_eq!(rig.kept.spans().len(), 200);
    for purpose in [Purpose::SmallBody, Purpose::LargeBody, Purpose::SmallWork, Purpose::LargeWork] {
        assert_eq!(bounds.budget.used(purpose), 0, "{purpose:?} is returned");
    }
}

#[tokio::test]
async fn a_request_that_finds_no_memory_is_to_be_sent_again() {
    let bounds = Bounds::scarce(MIB);
    let rig = Rig::within(Kept::new(), bounds).await;
    for purpose in [Purpose::SmallBody, Purpose::SmallWork] {
        let all = bounds.budget.take(purpose, MIB).await.expect("free");
        let answer = rig.post("/v1/traces", AS_PROTOBUF, &fixture("otlp-home.bin")).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
        let status = status_of(&answer);
        assert_eq!(
            (status.code, status.details[0].type_url.as_str()),
            (14, "type.googleapis.com/google.rpc.RetryInfo")
        );
        let retry = RetryInfo::decode(status.details[0].value.as_slice()).expect("readable");
        assert_eq!(retry.retry_delay.map(|delay| delay.seconds), Some(1));
        let answer = rig.post("/v1/logs", AS_JSON, &fixture("otlp-home-logs.json")).await;
        assert_eq!((answer.status, answer.header("retry-after"), &answer.json()["code"]), (503, Some("1"), &json!(14)));
        drop(all);
    }
    assert_eq!(rig.post("/v1/traces", AS_PROTOBUF, &fixture("otlp-home.bin")).await.status, 200);
}

//! Every documented field of a segment document, from the wire to the normalised body.

use serde_json::{Value as Json, json};
use tracebook_core::trace::StatusCode;

use super::*;

/// Fields that are only in the raw data, with the reason.
const RAW_ONLY: [(&str, &str); 1] = [("type", "the span's kind: segment or subsegment")];

/// The fields of <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>: each text and number
/// stands for one field only.
fn document() -> Json {
    json!({
        "name": "<name>", "id": "70de5b6f19ff9a0a", "trace_id": "1-581cf771-a006649127e371903a2de979",
        "start_time": 1_795_447_213.25, "end_time": 1_795_447_214.5, "parent_id": "70de5b6f19ff9a0b",
        "service": {"version": "<service.version>", "runtime": "<service.runtime>", "compiler": "<service.compiler>"},
        "user": "<user>", "origin": "<origin>", "resource_arn": "<resource_arn>",
        "http": {
            "request": {
                "method": "<http.method>", "url": "<http.url>", "user_agent": "<http.user_agent>",
                "client_ip": "<http.client_ip>", "x_forwarded_for": true, "traced": true,
            },
            "response": {"status": 70_500, "content_length": 70_501},
        },
        "aws": {
            "account_id": "<aws.account_id>", "operation": "<aws.operation>", "region": "<aws.region>",
            "request_id": "<aws.request_id>", "queue_url": "<aws.queue_url>", "table_name": "<aws.table_name>",
            "retries": 70_502, "resource_names": ["<aws.resource_names>"],
            "cloudwatch_logs": [{"log_group": "<aws.log_group>", "arn": "<aws.log_arn>"}],
            "ecs": {"container": "<ecs.container>", "container_id": "<ecs.container_id>", "container_arn": "<ecs.arn>"},
            "ec2": {"instance_id": "<ec2.instance_id>", "availability_zone": "<ec2.zone>", "instance_size": "<ec2.size>", "ami_id": "<ec2.ami>"},
            "elastic_beanstalk": {"environment_name": "<eb.name>", "version_label": "<eb.label>", "deployment_id": 70_503},
            "eks": {"cluster_name": "<eks.cluster>", "pod": "<eks.pod>", "container_id": "<eks.container>"},
            "xray": {"sdk": "<xray.sdk>", "sdk_version": "<xray.version>", "package": "<xray.package>",
                "auto_instrumentation": true, "sampling_rule_name": "<xray.rule>"},
        },
        "error": true, "throttle": true, "fault": true,
        "cause": {
            "working_directory": "<cause.directory>", "paths": ["<cause.paths>"],
            "exceptions": [{
                "id": "<exception.id>", "message": "<exception.message>", "type": "<exception.type>", "remote": true,
                "truncated": 70_504, "skipped": 70_505, "cause": "<exception.cause>",
                "stack": [{"path": "<frame.path>", "line": 70_506, "label": "<frame.label>"}],
            }],
        },
        "annotations": {"<annotation>": "<annotation value>", "number": 70_507, "flag": false},
        "metadata": {"<namespace>": {"<metadata>": {"deep": ["<metadata value>"]}}},
        "links": [{
            "trace_id": "1-581cf772-a006649127e371903a2de979", "id": "70de5b6f19ff9a0c",
            "attributes": {"<link attribute>": "<link value>"},
        }],
        "precursor_ids": ["<precursor>"], "namespace": "remote", "inferred": true,
        "sql": {
            "connection_string": "<sql.connection>", "url": "<sql.url>", "sanitized_query": "<sql.query>",
            "database_type": "<sql.type>", "database_version": "<sql.version>", "driver_version": "<sql.driver>",
            "user": "<sql.user>", "preparation": "<sql.preparation>",
        },
        "unknown": {"field": "<unknown>"},
    })
}

/// The texts and numbers in a document.
fn leaves(json: &Json, into: &mut Vec<String>) {
    match json {
        Json::Object(map) => {
            for (key, value) in map {
                into.extend(key.starts_with('<').then(|| key.clone()));
                leaves(value, into);
            }
        }
        Json::Array(list) => list.iter().for_each(|value| leaves(value, into)),
        Json::String(text) if text.starts_with('<') => into.push(text.clone()),
        Json::Number(n) if n.as_u64().is_some() => into.push(n.to_string()),
        _ => {}
    }
}

#[test]
fn every_field_of_a_document_is_in_the_body() {
    for kind in ["segment", "subsegment"] {
        let mut document = document();
        if kind == "subsegment" {
            document["type"] = kind.into();
        }
        let record = crate::xray::wire::parse_document(document.to_string().as_bytes()).expect("reads").remove(0);
        let (loose, warnings) = segment(&record);
        assert_eq!(warnings, Vec::<String>::new());
        let body = serde_json::to_string(&loose.span).expect("JSON");
        let mut all = Vec::new();
        leaves(&document, &mut all);
        assert!(all.len() > 60, "{all:?}");
        for leaf in all {
            assert!(body.contains(&leaf), "{leaf} is neither in the body nor in the list of raw-only fields: {body}");
        }
        let span = &loose.span;
        assert_eq!((span.start, span.end), (Nanos(1_795_447_213_250_000_000), Some(Nanos(1_795_447_214_500_000_000))));
        assert_eq!((span.status.code, span.exceptions[0].remote), (StatusCode::Fault, true));
        assert_eq!(span.parent.expect("said").to_string(), "70de5b6f19ff9a0b");
        assert_eq!(span.links[0].trace_id.xray(), "1-581cf772-a006649127e371903a2de979");
        assert_eq!(span.links[0].span_id.to_string(), "70de5b6f19ff9a0c");
        for flag in ["http.request.x_forwarded_for", "http.request.traced", "aws.xray.auto_instrumentation", "inferred"]
        {
            assert_eq!(span.attribute(flag), Some(&true.into()), "{flag}");
        }
        assert_eq!(format!("{:?}", span.kind).to_lowercase(), kind, "`{}`", RAW_ONLY[0].0);
    }
    // In progress: no end. And a cause that is another subsegment's exception.
    let mut open = document();
    open.as_object_mut().expect("an object").remove("end_time");
    open["in_progress"] = true.into();
    open["cause"] = "1234567890abcdef".into();
    let record = crate::xray::wire::parse_document(open.to_string().as_bytes()).expect("reads").remove(0);
    let (loose, _) = segment(&record);
    assert_eq!((loose.span.end, loose.span.cause_ref.as_str()), (None, "1234567890abcdef"));
}

//! Received telemetry as payloads of each destination, without credentials.

use serde_json::value::RawValue;

use tracebook_core::telemetry::{ErrorRecord, LogEncoding, LogRecord, SpanRecord};
use tracebook_sources::{otlp, xray};
use tracebook_store::relay::Outgoing;

use crate::ground::settings::relay::Destination;

/// The most bytes of messages in one payload of log events.
const MAX_BYTES: usize = 512 * 1024;

/// Spans received over OTLP, and segments from X-Ray's SDKs. Spans printed to a console are not forwarded.
pub(super) fn of_spans(batch: &[SpanRecord], with_otlp: bool, with_xray: bool) -> Vec<Outgoing> {
    let mut payloads = Vec::new();
    if with_otlp {
        payloads.extend(otlp::outgoing::spans(batch).into_iter().map(otlp_part));
    }
    if with_xray {
        payloads.extend(xray::outgoing::documents(batch).into_iter().map(|document| Outgoing {
            destination: Destination::Xray.name(),
            kind: String::new(),
            items: 1,
            body: document.into_bytes(),
        }));
    }
    payloads
}

/// Log records received over OTLP, and events of PutLogEvents.
pub(super) fn of_logs(batch: &[LogRecord], with_otlp: bool, with_logs: bool) -> Vec<Outgoing> {
    let mut payloads = Vec::new();
    if with_otlp {
        payloads.extend(otlp::outgoing::logs(batch).into_iter().map(otlp_part));
    }
    if with_logs {
        let mut events: Vec<&LogRecord> = Vec::new();
        let mut size = 0;
        for log in batch.iter().filter(|log| log.encoding == LogEncoding::Cloudwatch) {
            if let Some(first) = events.first()
                && ((&first.group, &first.stream) != (&log.group, &log.stream) || size + log.message.len() > MAX_BYTES)
            {
                payloads.extend(log_events(&events));
                events.clear();
                size = 0;
            }
            size += log.message.len();
            events.push(log);
        }
        payloads.extend(log_events(&events));
    }
    payloads
}

/// Items, each with the uuid that it was assigned here where it had none, so that a retry is not counted twice.
pub(super) fn of_errors(batch: &[ErrorRecord]) -> Vec<Outgoing> {
    batch
        .iter()
        .filter_map(|error| {
            let data: &RawValue = serde_json::from_slice(&error.raw).ok()?;
            let body = match has_uuid(data) {
                true => format!("{{\"data\":{}}}", data.get()),
                false => {
                    let inside = data.get().trim_start().strip_prefix('{')?;
                    let comma = if inside.trim_start().starts_with('}') { "" } else { "," };
                    let uuid = serde_json::Value::from(error.uuid.as_str());
                    format!("{{\"data\":{{\"uuid\":{uuid}{comma}{inside}}}")
                }
            };
            let destination = Destination::Rollbar.name();
            Some(Outgoing { destination, kind: String::new(), items: 1, body: body.into_bytes() })
        })
        .collect()
}

fn has_uuid(data: &RawValue) -> bool {
    #[derive(serde::Deserialize)]
    struct Data {
        #[serde(default, deserialize_with = "is_present")]
        uuid: bool,
    }
    // A null counts: a second member of the name would be ignored.
    fn is_present<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<bool, D::Error> {
        <serde::de::IgnoredAny as serde::Deserialize>::deserialize(reader).map(|_| true)
    }
    serde_json::from_str(data.get()).is_ok_and(|data: Data| data.uuid)
}

fn otlp_part(part: otlp::outgoing::Part) -> Outgoing {
    Outgoing {
        destination: Destination::Otlp.name(),
        kind: part.form.name().to_owned(),
        items: part.items,
        body: part.bytes,
    }
}

/// Events of one stream: the kind is its group and name, the body `[[1795447300000,"message"],…]`.
fn log_events(events: &[&LogRecord]) -> Option<Outgoing> {
    let first = events.first()?;
    let list: Vec<(i64, &str)> = events.iter().map(|log| (log.timestamp.millis(), log.message.as_str())).collect();
    Some(Outgoing {
        destination: Destination::Logs.name(),
        kind: serde_json::to_string(&(&first.group, &first.stream)).ok()?,
        items: u32::try_from(list.len()).unwrap_or(u32::MAX),
        body: serde_json::to_vec(&list).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracebook_core::errors::Level;
    use tracebook_core::telemetry::Encoding;
    use tracebook_core::time::Nanos;

    fn fixture(name: &str) -> Vec<u8> {
        let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    fn log(group: &str, millis: i64, message: &str) -> LogRecord {
        LogRecord {
            timestamp: Nanos::from_millis(millis),
            group: group.into(),
            stream: "s/1".into(),
            message: message.into(),
            trace_id: None,
            span_id: None,
            severity: String::new(),
            severity_number: 0,
            encoding: LogEncoding::Cloudwatch,
            raw: Vec::new(),
            resource: Default::default(),
            scope: Default::default(),
        }
    }

    fn error(raw: &str) -> ErrorRecord {
        ErrorRecord {
            uuid: "made-here".into(),
            item: String::new(),
            title: String::new(),
            level: Level::Error,
            timestamp: Nanos(1),
            environment: String::new(),
            person: String::new(),
            trace_id: None,
            raw: raw.as_bytes().to_vec(),
        }
    }

    #[test]
    fn each_span_goes_where_its_kind_goes() {
        let mut batch = otlp::wire::decode_protobuf(&fixture("otlp-home.bin")).expect("reads").records;
        let spans = batch.len();
        batch.extend(xray::wire::parse_datagram(&fixture("xray-01-home.bin")).expect("reads"));
        let mut printed = batch[0].clone();
        printed.encoding = Encoding::ConsoleJson;
        batch.push(printed);
        let both = of_spans(&batch, true, true);
        let items = |name: &str| -> Vec<(&str, u32)> {
            both.iter().filter(|p| p.destination == name).map(|p| (p.kind.as_str(), p.items)).collect()
        };
        assert_eq!(items("otlp"), [("traces protobuf", u32::try_from(spans).expect("few"))]);
        assert_eq!(items("xray"), [("", 1)], "a request with subsegments is one segment");
        assert!(of_spans(&batch, false, false).is_empty());
        assert!(of_spans(&batch, false, true).iter().all(|p| p.destination == "xray"));
    }

    #[test]
    fn log_events_stay_with_their_stream_and_in_order() {
        let batch = [log("a", 5, "x \"y\"\n"), log("a", 5, "z"), log("b", 4, &"m".repeat(MAX_BYTES)), log("b", 6, "n")];
        let payloads = of_logs(&batch, true, true);
        let said: Vec<(&str, u32)> = payloads.iter().map(|p| (p.kind.as_str(), p.items)).collect();
        assert_eq!(said, [(r#"["a","s/1"]"#, 2), (r#"["b","s/1"]"#, 1), (r#"["b","s/1"]"#, 1)]);
        assert_eq!(payloads[0].body, br#"[[5,"x \"y\"\n"],[5,"z"]]"#);
        assert!(of_logs(&batch, true, false).is_empty());
    }

    #[test]
    fn an_item_keeps_its_bytes_and_has_a_uuid() {
        let batch =
            [error(r#"{"body":{"a":1.50},"uuid":"own"}"#), error(r#"{"body":{}}"#), error("{}"), error("no json")];
        let bodies: Vec<String> =
            of_errors(&batch).into_iter().map(|payload| String::from_utf8(payload.body).expect("text")).collect();
        assert_eq!(
            bodies,
            [
                r#"{"data":{"body":{"a":1.50},"uuid":"own"}}"#,
                r#"{"data":{"uuid":"made-here","body":{}}}"#,
                r#"{"data":{"uuid":"made-here"}}"#
            ]
        );
    }
}

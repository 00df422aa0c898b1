//! Frames of `application/vnd.amazon.eventstream` as specified
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html> and Smithy's event stream
//! specification): prelude of total and headers' length with its CRC, headers of strings, payload, CRC of everything.

use bytes::Bytes;
use serde_json::{Value, json};

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).expect("short"));
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&u16::try_from(value.len()).expect("short").to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let length = |n: usize| u32::try_from(n).expect("short").to_be_bytes();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&length(12 + head.len() + payload.len() + 4));
    bytes.extend_from_slice(&length(head.len()));
    bytes.extend_from_slice(&crc32(&bytes).to_be_bytes());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(&crc32(&bytes).to_be_bytes());
    bytes.into()
}

pub(super) fn event(kind: &str, payload: &Value) -> Bytes {
    let headers = [(":message-type", "event"), (":event-type", kind), (":content-type", "application/json")];
    frame(&headers, payload.to_string().as_bytes())
}

pub(super) fn exception(kind: &str) -> Bytes {
    let headers = [(":message-type", "exception"), (":exception-type", kind), (":content-type", "application/json")];
    frame(&headers, json!({"message": kind}).to_string().as_bytes())
}

/// The first frame of JSON protocols, then LiveTailSessionStart.
pub(super) fn session_start() -> [Bytes; 2] {
    let start = json!({"requestId": "r", "sessionId": "s", "logGroupIdentifiers": [ARN]});
    [event("initial-response", &json!({})), event("sessionStart", &start)]
}

pub(super) const ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:cruddur";

/// LiveTailSessionUpdate
pub(super) fn update(sampled: bool, events: &[Value]) -> Bytes {
    event("sessionUpdate", &json!({"sessionMetadata": {"sampled": sampled}, "sessionResults": events}))
}

/// LiveTailSessionLogEvent
pub(super) fn said(millis: i64, group: &str, message: &str) -> Value {
    json!({"logStreamName": "s", "logGroupIdentifier": group, "message": message, "timestamp": millis, "ingestionTime": millis + 5})
}

#[test]
fn the_checksum_is_crc32() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
}

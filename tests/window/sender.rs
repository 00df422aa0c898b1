//! Sends telemetry as the SDK of a service does.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

/// Posts one OTLP trace as an SDK does: a request with a database query, failing if wanted.
#[expect(clippy::disallowed_methods, reason = "a sender has a clock of its own")]
pub(crate) fn send_trace(address: &str, trace: u8, name: &str, fails: bool) {
    let start = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos();
    let trace_id = format!("{:032x}", 0x8f3c_19d2_7a54_4be0_9c61_05d7_e2ab_38f4_u128 + u128::from(trace));
    let at = |offset_ms: u128| (start + offset_ms * 1_000_000).to_string();
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let status = if fails { json!({ "code": 2, "message": "boom" }) } else { json!({}) };
    let events = if fails {
        json!([{ "timeUnixNano": at(9), "name": "exception", "attributes": [
            text("exception.type", "TypeError"), text("exception.message", "the view did not return a response"),
            text("exception.stacktrace", "Traceback (most recent call last): …") ]}])
    } else {
        json!([])
    };
    let body = json!({ "resourceSpans": [{
        "resource": { "attributes": [text("service.name", "backend-flask")] },
        "scopeSpans": [{ "scope": { "name": "window-test" }, "spans": [
            { "traceId": trace_id, "spanId": format!("{:016x}", 0x51d0_c3e8_04b7_a92f_u64), "parentSpanId": format!("{:016x}", 0x2e6b_90af_1c5d_837e_u64), "name": "SELECT activities",
              "kind": 3, "startTimeUnixNano": at(2), "endTimeUnixNano": at(9), "attributes": [text("db.system", "postgresql")] },
            { "traceId": trace_id, "spanId": format!("{:016x}", 0x2e6b_90af_1c5d_837e_u64), "name": "GET /api", "kind": 2,
              "startTimeUnixNano": at(0), "endTimeUnixNano": at(12), "events": events, "status": status,
              "attributes": [text("http.request.method", "GET"), text("url.path", name),
                             { "key": "http.response.status_code", "value": { "intValue": if fails { "500" } else { "200" } } }] },
        ]}],
    }]})
    .to_string();
    let request = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(address).expect("the receiver listens");
    socket.write_all(request.as_bytes()).expect("sends");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

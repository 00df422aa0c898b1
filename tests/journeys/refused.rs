//! What receivers turn away is reported by the doctor, with a line that helps; settings that cannot work are found;
//! lists go by arrival, whatever the clocks of the senders say.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::support::{Journal, datagram, http, otlp_span, post_traces, python, text, until};

/// The doctor's steps for what was turned away.
fn refusals(journal: &Journal, source: &str) -> Vec<Json> {
    let checks = journal.json(&["doctor", source]);
    let all = checks["checks"].as_array().expect("a list");
    all.iter().filter(|c| c["check"] == "what arrives is accepted" && c["ok"] == false).cloned().collect()
}

fn post(address: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Vec<u8>) {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    http("POST", address, path, &headers, body)
}

/// Waits for a step that says this.
fn until_told(journal: &Journal, source: &str, detail: &str, fix: &str) {
    until(&format!("the doctor names {detail:?}"), || {
        let steps = refusals(journal, source);
        let has = |step: &Json, key: &str, words: &str| text(step, key).contains(words);
        steps.iter().any(|step| has(step, "detail", detail) && has(step, "fix", fix)).then_some(())
    });
}

#[test]
fn the_doctor_names_what_was_turned_away() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let json_type = ("Content-Type", "application/json");
    post(serve.http(), "/v1/trace", &[json_type], b"{}");
    until_told(&journal, "otlp", "POST /v1/trace", "export OTEL_EXPORTER_OTLP_ENDPOINT=http://");
    post(serve.http(), "/v1/logs", &[json_type], b"{broken");
    until_told(&journal, "otlp", "not an OTLP logs request", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf");
    post(serve.http(), "/v1/traces", &[json_type, ("Origin", "http://localhost:3000")], b"{}");
    until_told(&journal, "otlp", "web pages", "tracebook serve --allow-origin http://localhost:3000");
    let host = "POST /GetSamplingRules HTTP/1.1\r\nHost: xray-daemon:2000\r\nContent-Length: 2\r\n\r\n{}";
    TcpStream::connect(serve.xray()).and_then(|mut s| s.write_all(host.as_bytes())).expect("sent");
    until_told(&journal, "xray", "not to Host: xray-daemon:2000", "tracebook serve --allow-host xray-daemon");
    for (address, source) in [(serve.http(), "otlp"), (serve.grpc(), "otlp"), (serve.xray(), "xray")] {
        TcpStream::connect(address).and_then(|mut s| s.write_all(b"\x16\x03\x01\x00\x05hello")).expect("sent");
        until_told(&journal, source, "TLS was begun", "export ");
    }
    const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";
    for (bytes, why) in [
        (format!("{HEADER}[]"), "not a readable JSON object"),
        (
            format!(
                "{HEADER}{{\"trace_id\":\"1-6b0459ac-d2fb2577c226bb0ed076fe79\",\"id\":\"054c67903e698d43\",\"name\":\"\",\"start_time\":1,\"end_time\":2}}"
            ),
            "name",
        ),
        ("{\"format\": \"json\", \"version\": 1}\\n{}".to_owned(), "header line"),
    ] {
        datagram(serve.xray(), bytes.as_bytes());
        until_told(&journal, "xray", why, "# ");
    }
    assert_eq!(serve.stop(), 0);
}

#[test]
fn real_sdks_provoke_steps_that_help() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let send = |exporter: &str, endpoint: &str| {
        let code = format!(
            "from opentelemetry.exporter.otlp.proto.{exporter}.trace_exporter import OTLPSpanExporter as E\n\
             from opentelemetry.sdk.trace import TracerProvider\n\
             from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n\
             p = TracerProvider()\np.add_span_processor(SimpleSpanProcessor(E(endpoint={endpoint:?}, timeout=2)))\n\
             p.get_tracer('t').start_span('s').end()\n"
        );
        let ran = Command::new(python()).args(["-c", &code]).output().expect("Python runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    send("http", &format!("http://{}", serve.http()));
    until_told(&journal, "otlp", "(POST /, http port)", "append /v1/traces there");
    send("http", &format!("https://{}/v1/traces", serve.http()));
    until_told(&journal, "otlp", "TLS was begun", "OTEL_EXPORTER_OTLP_ENDPOINT=http://");
    send("http", &format!("http://{}/v1/traces", serve.grpc()));
    until_told(&journal, "otlp", "speaks OTLP over gRPC only", "OTEL_EXPORTER_OTLP_ENDPOINT=http://");
    send("grpc", &format!("http://{}", serve.http()));
    until_told(&journal, "otlp", "TraceService/Export", "OTEL_EXPORTER_OTLP_ENDPOINT=http://");
    // Once the sender is mended, nothing is to be done.
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    send("http", &format!("http://{}/v1/v1/traces", serve.http()));
    until("the doctor sees it", || refusals(&journal, "otlp").is_empty().then_some(()));
}

#[test]
fn the_doctor_judges_variables_as_their_sdks_read_them() {
    let mut journal = Journal::new();
    let serve = journal.serve(&[]);
    let judged = |journal: &Journal, source: &str, name: &str| -> Json {
        let checks = journal.json(&["doctor", source]);
        let of = format!("{name} of this shell");
        checks["checks"].as_array().expect("a list").iter().find(|c| c["check"] == of).cloned().unwrap_or_default()
    };
    let (http, xray) = (serve.http().to_owned(), serve.xray().to_owned());
    for (source, name, value, fix) in [
        (
            "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            http.clone(),
            format!("export OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}"),
        ),
        ("xray", "AWS_XRAY_DAEMON_ADDRESS", format!("http://{xray}"), format!("export AWS_XRAY_DAEMON_ADDRESS={xray}")),
        ("xray", "AWS_XRAY_DAEMON_ADDRESS", format!("udp:{xray}"), format!("export AWS_XRAY_DAEMON_ADDRESS={xray}")),
    ] {
        journal.env = vec![(name.into(), value.clone())];
        let check = judged(&journal, source, name);
        assert_eq!((&check["ok"], text(&check, "fix")), (&json!(false), fix.as_str()), "{name}={value}: {check}");
    }
    journal.env = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT".into(), format!("http://{http}")),
        ("HTTP_PROXY".into(), "http://proxy.example:3128".into()),
    ];
    assert_eq!(judged(&journal, "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT")["ok"], true);
    let checks = journal.json(&["doctor", "otlp"]).to_string();
    assert!(checks.contains("export NO_PROXY=localhost,127.0.0.1,::1"), "{checks}");
}

#[test]
fn a_host_that_was_allowed_may_be_named() {
    let journal = Journal::new();
    let serve = journal.serve(&["--allow-host", "otel-collector"]);
    let (status, _) = post(
        serve.http(),
        "/v1/traces",
        &[("Content-Type", "application/json"), ("Host", "otel-collector:4318")],
        b"{}",
    );
    assert_eq!(status, 200);
}

#[test]
fn lists_go_by_arrival_and_state_the_skew() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_nanos();
    let now = u64::try_from(now).expect("before 2554");
    const HOUR: u64 = 3_600_000_000_000;
    let send = |trace: u64, name: &str, at: u64| {
        let mut sent = otlp_span(trace, trace, None, name);
        let span = &mut sent["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        span["startTimeUnixNano"] = json!(at.to_string());
        span["endTimeUnixNano"] = json!((at + 1_000_000).to_string());
        assert_eq!(post_traces(serve.http(), "application/json", sent.to_string().as_bytes()).0, 200);
    };
    send(1, "ahead", now + 5 * HOUR);
    send(2, "right", now);
    send(3, "behind", now - 3 * HOUR);
    let names = |args: &[&str]| -> Vec<String> {
        let rows = journal.json_code(args).1;
        rows.as_array().expect("a list").iter().map(|row| text(row, "name").to_owned()).collect()
    };
    assert_eq!(names(&["live", "traces", "--since", "15m"]), ["behind", "right", "ahead"]);
    let rows = journal.json(&["live", "traces"]);
    let hours = |row: &Json| row["skew_ms"].as_i64().map(|ms| (ms + 1_800_000).div_euclid(3_600_000));
    let skews: Vec<_> = rows.as_array().expect("a list").iter().map(hours).collect();
    assert_eq!(skews, [Some(-3), None, Some(5)]);
    let latest = journal.json(&["capture", "trace", "--latest"]);
    assert!(latest["warnings"].to_string().contains("before it arrived"), "{latest}");
    let evidence = journal.json(&["evidence", "show", text(&latest, "id")])["evidence"].clone();
    assert_eq!(evidence["body"]["spans"][0]["name"], "behind");
    assert!(evidence["body"]["notes"].to_string().contains("times are shown as sent"), "{evidence}");
    assert!(evidence["provenance"]["clock_skew"].as_str().is_some_and(|skew| skew.starts_with('-')), "{evidence}");
    // An absolute range is by the times that the list shows.
    let at = |nanos: u64| {
        let seconds = i64::try_from(nanos / 1_000_000_000).expect("in range");
        tracebook_core::time::Nanos(seconds * 1_000_000_000).rfc3339()
    };
    assert_eq!(names(&["live", "traces", "--from", &at(now + 4 * HOUR)]), ["ahead"]);
    assert_eq!(names(&["live", "traces", "--from", &at(now - 4 * HOUR), "--to", &at(now - HOUR)]), ["behind"]);
    let (code, error) = journal.json_code(&["live", "traces", "--from", "soon"]);
    assert_eq!((code, error["error"]["code"].as_str()), (2, Some("usage")), "{error}");
}

//! Every local receiver: what the real SDKs of OpenTelemetry, X-Ray, CloudWatch Logs and Rollbar send, and what a
//! service prints, is listed, captured, joined, exported and verified.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::support::{Journal, Service, http, python, root, text, until};

/// The first matching row that `live` prints, as soon as there is one.
fn live(journal: &Journal, what: &str, filter: &str) -> Json {
    until(&format!("live {what} --filter {filter:?}"), || {
        let (_, found) = journal.json_code(&["live", what, "--filter", filter]);
        found.as_array()?.first().cloned()
    })
}

/// The data of a piece of evidence.
fn body(journal: &Journal, captured: &Json) -> Json {
    journal.json(&["evidence", "show", text(captured, "id")])["evidence"]["body"].clone()
}

/// Exports everything, verifies it, and returns the Markdown.
fn exported(journal: &Journal) -> String {
    let out = journal.dir.path().join("out");
    let to = out.display().to_string();
    journal.json(&["export", "--all", "--to", &to]);
    let verified = journal.json(&["verify", &to]);
    assert_eq!(verified["ok"], true, "{verified}");
    for evidence in verified["evidence"].as_array().expect("a list") {
        // The names of the service's host are masked.
        assert!(["intact", "masked"].contains(&text(evidence, "verdict")), "{evidence}");
    }
    let markdown = std::fs::read_dir(out.join("journal")).expect("lists").filter_map(|e| {
        let path = e.expect("an entry").path();
        path.extension().is_some_and(|x| x == "md").then(|| std::fs::read_to_string(path).expect("reads"))
    });
    markdown.collect()
}

#[test]
fn one_request_is_received_by_all_and_joined() {
    let journal = Journal::new();
    // A watched command starts before the receivers' ports are known, so it waits for a file that names them.
    let ports = journal.dir.path().join("ports.env");
    let watched = format!(
        "until [ -e '{ports}' ]; do sleep 0.05; done; . '{ports}'; \
         exec {} {} --otlp --xray --cloudwatch --rollbar --console",
        python().display(),
        root().join("tests/service/service.py").display(),
        ports = ports.display(),
    );
    let serve = journal.serve(&["--watch", &watched]);
    let http_end = format!("http://{}", serve.http());
    let exports = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", http_end.clone()),
        ("OTEL_BSP_SCHEDULE_DELAY", "200".to_owned()),
        ("AWS_XRAY_DAEMON_ADDRESS", serve.xray().to_owned()),
        ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", http_end.clone()),
        ("ROLLBAR_ENDPOINT", format!("{http_end}/api/1/")),
    ];
    let exports = exports.map(|(name, value)| format!("export {name}={value}\n")).concat();
    std::fs::write(ports.with_extension("new"), exports).expect("writes");
    std::fs::rename(ports.with_extension("new"), &ports).expect("renames");
    let ready: Json = serde_json::from_str(text(&live(&journal, "console", "ready"), "text")).expect("JSON");
    let service_port = ready["port"].as_u64().expect("a port");

    // One id for OpenTelemetry and X-Ray, in the only form that both accept.
    let epoch = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    let trace_id = format!("{epoch:08x}0123456789abcdef01234567");
    let headers = [
        ("traceparent".to_owned(), format!("00-{trace_id}-00f067aa0ba902b7-01")),
        ("X-Amzn-Trace-Id".to_owned(), format!("Root=1-{epoch:08x}-0123456789abcdef01234567;Sampled=1")),
    ];
    let service = format!("127.0.0.1:{service_port}");
    let (status, _) = http("GET", &service, "/api/boom", &headers, b"");
    assert_eq!(status, 500);
    http("GET", &service, "/api/activities/home", &[], b"");

    // Each is listed.
    let log = live(&journal, "logs", "group:cruddur");
    assert!(text(&log, "timestamp").ends_with('Z'));
    let by_otlp = live(&journal, "logs", &format!("service:backend-flask trace:{trace_id}"));
    assert_eq!(text(&by_otlp, "trace_id"), trace_id);
    let error = live(&journal, "errors", "status:error");
    assert!(error["occurrences"].as_u64() >= Some(1), "{error}");
    assert!(error["person"].is_string(), "pyrollbar was given a person: {error}");
    live(&journal, "console", "\"/api/boom\"");
    until("OTLP and X-Ray in one trace", || {
        let (_, traces) = journal.json_code(&["live", "traces", "--filter", &trace_id]);
        let trace = traces.as_array()?.first()?.clone();
        (trace["spans"].as_u64() >= Some(2)).then_some(trace)
    });

    // Each is captured into the entry, into slots of the student's own text.
    let week2 = root().join("tests/entries/week2.md").display().to_string();
    journal.json(&["import", &week2]);
    let logs = journal.json(&["capture", "logs", "--filter", "group:cruddur", "--into", "week-2", "--slot", "4"]);
    let events = body(&journal, &logs);
    assert!(events["events"].as_array().is_some_and(|e| !e.is_empty()), "{events}");
    let one = journal.json(&["capture", "logs", text(&by_otlp, "id"), "--into", "week-2"]);
    assert_eq!(body(&journal, &one)["events"][0]["trace_id"], trace_id.as_str());
    let item = journal.json(&["capture", "error", text(&error, "id"), "--into", "week-2"]);
    let frames = &body(&journal, &item)["occurrence"]["traces"][0]["frames"];
    assert!(frames.as_array().is_some_and(|f| f.len() > 2), "{frames}");
    let console = journal.json(&["capture", "console", "--filter", "\"/api/boom\"", "--into", "week-2", "--slot", "1"]);
    assert_eq!(console["kind"], "console");
    let map = journal.json(&["capture", "service-map", "--into", "week-2"]);
    let nodes = body(&journal, &map)["nodes"].clone();
    assert!(nodes.as_array().is_some_and(|n| n.iter().any(|n| n["name"] == "backend-flask")), "{nodes}");

    // And the whole request as a dossier.
    let dossier = journal.json(&["capture", "dossier", &trace_id, "--into", "week-2"]);
    let whole = body(&journal, &dossier);
    let joined =
        |list: &str, by: &str| whole[list].as_array().expect("a list").iter().filter(|one| one["by"] == by).count();
    assert!(joined("logs", "trace-id") >= 1, "{}", whole["logs"]);
    assert!(joined("errors", "header") >= 1, "{}", whole["errors"]);
    assert!(!whole["console"].as_array().expect("a list").is_empty(), "{}", whole["notes"]);
    let protocols: Vec<&str> =
        whole["trace"]["spans"].as_array().expect("spans").iter().filter_map(|s| s["protocol"].as_str()).collect();
    assert!(protocols.contains(&"otlp") && protocols.contains(&"xray"), "{protocols:?}");

    let markdown = exported(&journal);
    for id in [&logs, &one, &item, &console, &map, &dossier] {
        assert!(markdown.contains(text(id, "id")), "{id}");
    }
    assert_eq!(serve.stop(), 0);
    let (status, _) = http("GET", &service, "/health", &[], b"");
    assert_eq!(status, 0, "a watched command ends with the app");
}

#[test]
fn grpc_carries_traces_and_logs() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let service = Service::start(&serve, &["--otlp-grpc"]);
    assert_eq!(service.get("/api/activities/home", &[]), 200);
    assert_eq!(service.get("/api/boom", &[]), 500);
    service.stop();
    live(&journal, "traces", "name:/api/activities/home");
    let log = live(&journal, "logs", "service:backend-flask status:error");
    let trace = text(&log, "trace_id").to_owned();
    assert_eq!(journal.json(&["live", "traces", "--filter", &trace])[0]["trace_id"], trace.as_str());
    let doctor = journal.json(&["doctor", "otlp"]);
    let arrive = doctor["checks"].as_array().expect("a list").iter().find(|c| c["check"] == "spans arrive");
    assert_eq!(arrive.expect("a step")["ok"], true);
}

#[test]
fn a_node_service_is_received_too() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let service = Service::node(&serve, &["--otlp", "--xray", "--rollbar"]);
    let sampled = "Root=1-67891233-abcdef012345678912345678;Sampled=1";
    assert_eq!(service.get("/ok", &[("X-Amzn-Trace-Id", sampled)]), 200);
    assert_eq!(service.get("/boom", &[("X-Amzn-Trace-Id", "Root=1-67891234-abcdef012345678912345678;Sampled=1")]), 500);
    service.stop();
    let entry = journal.json(&["entry", "new", "--week", "2", "--body", "-"]);
    let slug = text(&entry, "slug");
    live(&journal, "logs", "service:backend-node");
    let error = live(&journal, "errors", "");
    for args in [
        &["capture", "trace", "1-67891234-abcdef012345678912345678"][..],
        &["capture", "trace", "--latest", "--filter", "service:backend-node"],
        &["capture", "logs", "--filter", "service:backend-node"],
        &["capture", "error", text(&error, "id")],
        &["capture", "service-map"],
        &["capture", "dossier", "1-67891234-abcdef012345678912345678"],
    ] {
        let mut all = args.to_vec();
        all.extend(["--into", slug]);
        let captured = journal.json(&all);
        assert_eq!(captured["entries"], json!([slug]), "{captured}");
    }
    let markdown = exported(&journal);
    assert_eq!(markdown.matches("<!-- tracebook:evidence").count(), 6, "{markdown}");
    drop(serve);
}

/// Runs the AWS command line as in the course.
fn aws(endpoint: &str, args: &[&str]) -> Json {
    let output = Command::new(python().with_file_name("aws"))
        .args(args)
        .args(["--endpoint-url", &format!("http://{endpoint}"), "--output", "json"])
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .env("AWS_DEFAULT_REGION", "eu-central-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .expect("the AWS command line: run `make test`, which sets it up");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or(Json::Null)
}

#[test]
fn groups_and_rules_are_created_as_in_the_course() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let made = aws(
        serve.http(),
        &["xray", "create-group", "--group-name", "Cruddur", "--filter-expression", "service(\"backend-flask\")"],
    );
    assert_eq!(made["Group"]["GroupName"], "Cruddur");
    let rule = r#"{"SamplingRule": {"RuleName": "Cruddur", "ResourceARN": "*", "Priority": 9000, "FixedRate": 0.1,
        "ReservoirSize": 5, "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*",
        "Version": 1}}"#;
    aws(serve.xray(), &["xray", "create-sampling-rule", "--cli-input-json", rule]);
    let groups = aws(serve.xray(), &["xray", "get-groups"]);
    let names: Vec<&str> =
        groups["Groups"].as_array().expect("groups").iter().filter_map(|g| g["GroupName"].as_str()).collect();
    assert!(names.contains(&"Cruddur") && names.contains(&"Default"), "{names:?}");
    aws(serve.http(), &["xray", "get-sampling-rules"]);

    // The SDK receives the rule: its segments name it.
    let service = Service::start(&serve, &["--xray"]);
    until("a segment names the rule", || {
        assert_eq!(service.get("/api/activities/home", &[]), 200);
        let (_, found) = journal.json_code(&["live", "traces", "--filter", "aws.xray.sampling_rule_name=Cruddur"]);
        found.as_array().filter(|found| !found.is_empty()).map(|_| ())
    });
    service.stop();

    // Both are captured, with a warning about the low rate.
    let rules = journal.json(&["capture", "sampling-rules"]);
    let said = rules["warnings"].to_string();
    assert!(said.contains("Cruddur") && said.contains("10 %"), "{said}");
    assert!(body(&journal, &rules)["rules"].to_string().contains("\"Cruddur\""));
    let group = journal.json(&["capture", "groups", "Cruddur"]);
    assert_eq!(body(&journal, &group)["groups"][0]["filter_expression"], "service(\"backend-flask\")");
    let doctor = journal.json(&["doctor", "xray"]).to_string();
    assert!(doctor.contains("Cruddur"), "{doctor}");

    // Stored data is read back over the API.
    let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    let (from, to) = ((now - 600).to_string(), (now + 60).to_string());
    let range = ["--start-time", &from, "--end-time", &to];
    let mut args = vec!["xray", "get-trace-summaries"];
    args.extend(range);
    let summaries = aws(serve.http(), &args);
    let id = text(&summaries["TraceSummaries"][0], "Id").to_owned();
    let traces = aws(serve.http(), &["xray", "batch-get-traces", "--trace-ids", &id]);
    assert!(text(&traces["Traces"][0]["Segments"][0], "Document").contains("backend-flask"));
    let mut args = vec!["xray", "get-service-graph"];
    args.extend(range);
    let graph = aws(serve.xray(), &args);
    assert!(graph["Services"].to_string().contains("backend-flask"), "{graph}");
}

#[test]
fn logs_are_written_and_read_by_the_aws_command_line() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let end = serve.http();
    aws(end, &["logs", "create-log-group", "--log-group-name", "cruddur"]);
    aws(end, &["logs", "create-log-stream", "--log-group-name", "cruddur", "--log-stream-name", "a/b"]);
    let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_millis();
    let events = format!(
        r#"[{{"timestamp": {}, "message": "INFO fine"}}, {{"timestamp": {now}, "message": "ERROR {{\"code\": 7}}"}}]"#,
        now - 1
    );
    aws(
        end,
        &["logs", "put-log-events", "--log-group-name", "cruddur", "--log-stream-name", "a/b", "--log-events", &events],
    );
    let found = aws(end, &["logs", "filter-log-events", "--log-group-name", "cruddur", "--filter-pattern", "ERROR"]);
    assert_eq!(found["events"].as_array().expect("events").len(), 1, "{found}");
    let listed = journal.json(&["live", "logs", "--filter", "ERROR -fine"]);
    assert_eq!(text(&listed[0], "message"), "ERROR {\"code\": 7}");
    assert_eq!(text(&listed[0], "severity"), "ERROR");
    let (code, _) = journal.json_code(&["live", "logs", "--filter", "group:nowhere"]);
    assert_eq!(code, 1);
}

#[test]
fn console_output_comes_from_commands_files_and_pipes() {
    let journal = Journal::new();
    let script = "printf 'one\\n\\033[31mtwo\\033[0m\\n' ; echo three >&2 ; exit 3";
    let captured = journal.json(&["capture", "console", "--", "sh", "-c", script]);
    assert_eq!(captured["exit_code"], 3);
    let lines = body(&journal, &captured)["lines"].clone();
    assert_eq!(lines.as_array().expect("lines").len(), 3, "{lines}");
    assert!(lines.to_string().contains("\\u001b[31mtwo"), "colours are kept: {lines}");
    assert!(lines.as_array().expect("lines").iter().any(|l| l["text"] == "three" && l["stderr"] == true));

    // A real span printed by the SDK, in a file.
    let output = Command::new(python())
        .args(["-c", "from opentelemetry.sdk.trace import TracerProvider as P\nfrom opentelemetry.sdk.trace.export import *\np = P()\np.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))\nwith p.get_tracer('t').start_as_current_span('printed-span'): pass"])
        .output()
        .expect("python with the SDKs");
    let file = journal.dir.path().join("out.txt");
    std::fs::write(&file, [b"before\n", &output.stdout[..], b"after\n"].concat()).expect("writes");
    let captured = journal.json(&["capture", "console", "--file", &file.display().to_string()]);
    assert!(text(&captured, "title").starts_with("out.txt"), "{captured}");
    assert!(captured["warnings"].to_string().contains("1 span of 1 trace"), "{captured}");
    let trace = journal.json(&["capture", "trace", "--latest", "--filter", "name:printed-span"]);
    assert_eq!(body(&journal, &trace)["spans"][0]["protocol"], "console");

    let (code, piped, _) = journal.run_with(&["--json", "capture", "console", "--file", "-"], b"piped\r\ntext");
    assert_eq!(code, 0, "{piped}");
    let (code, error) = journal.json_code(&["capture", "console", "--", "no-such-program-here"]);
    assert_eq!((code, &error["error"]["code"]), (3, &json!("unreachable")), "{error}");
    let (code, _) = journal.json_code(&["capture", "console", "--", "true"]);
    assert_eq!(code, 1, "nothing was printed");

    // The raw data is the output as printed.
    let redrawn = "printf 'a 10%%\\nb 10%%\\n\\033[2A\\033[2Ka done\\033[1B\\n' ; echo end";
    let captured = journal.json(&["capture", "console", "--", "sh", "-c", redrawn]);
    let texts = |lines: &Json| -> Vec<String> {
        lines.as_array().expect("lines").iter().map(|line| text(line, "text").to_owned()).collect()
    };
    assert_eq!(texts(&body(&journal, &captured)["lines"]), ["a done", "b 10%", "end"]);
    let raw = journal.json(&["evidence", "show", text(&captured, "id"), "--raw"]);
    let printed = ["a 10%", "b 10%", "\u{1b}[2A\u{1b}[2Ka done\u{1b}[1B", "end"];
    assert_eq!(texts(&raw["console"]["lines"]), printed, "{raw}");
}

#[test]
fn motos_tests_pass() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let output = Command::new(python())
        .arg(root().join("tests/suites/run_moto.py"))
        .args([serve.http(), "--empty", "--json"])
        .output()
        .expect("python");
    let said = String::from_utf8_lossy(&output.stdout);
    let counts: Json = said.lines().last().and_then(|l| serde_json::from_str(l).ok()).unwrap_or_default();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(counts["passed"].as_u64() >= Some(40), "{counts}");
}

#[test]
fn no_transport_credential_is_stored_and_none_is_frozen() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let output = Command::new(python())
        .arg(root().join("tests/service/plant.py"))
        .args(["--http", serve.http(), "--grpc", serve.grpc(), "--xray", serve.xray()])
        .output()
        .expect("python");
    let planted: Json = serde_json::from_slice(&output.stdout).expect("one JSON value");
    assert!(output.status.success(), "{}", planted["answers"]);
    let secrets = |rule: &str| -> Vec<String> {
        let all = planted["planted"].as_array().expect("a list").iter();
        all.filter(|p| p["rule"] == rule).map(|p| text(p, "secret").to_owned()).collect()
    };
    let (never, at_freeze) = (secrets("never"), secrets("at_freeze"));
    assert!(never.len() > 10 && at_freeze.len() > 10, "{planted}");

    let ids = &planted["ids"];
    let mut frozen = String::new();
    for end in ["otlp-http", "otlp-json", "otlp-grpc", "xray-udp", "xray-tcp"] {
        let id = text(ids, end);
        live(&journal, "traces", id);
        for kind in ["trace", "dossier"] {
            let captured = journal.json(&["capture", kind, id]);
            frozen += &shown(&journal, &captured);
        }
    }
    frozen += &shown(&journal, &journal.json(&["capture", "logs"]));
    let error = live(&journal, "errors", "");
    frozen += &shown(&journal, &journal.json(&["capture", "error", text(&error, "id")]));
    for secret in at_freeze.iter().chain(&never) {
        assert!(!frozen.contains(secret.as_str()), "{secret} is in a capture: {}", place(&planted, secret));
    }

    // Both databases with their write-ahead logs, as on disk, and every compressed blob decompressed.
    let bytes: Vec<u8> = std::fs::read_dir(journal.data())
        .expect("lists")
        .flat_map(|entry| std::fs::read(entry.expect("an entry").path()).unwrap_or_default())
        .collect();
    for secret in &never {
        let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
        assert!(!found, "{secret} is on the disk: {}", place(&planted, secret));
    }
}

fn shown(journal: &Journal, captured: &Json) -> String {
    let id = text(captured, "id");
    let (_, body, _) = journal.run(&["--json", "evidence", "show", id]);
    let (_, raw, _) = journal.run(&["--json", "evidence", "show", id, "--raw"]);
    let (_, svg, _) = journal.run(&["evidence", "show", id, "--svg"]);
    // The raw document contains Protobuf in base64.
    let unpacked: Vec<u8> =
        raw.split("\"base64\":\"").skip(1).filter_map(|rest| rest.split('"').next()).flat_map(unbase64).collect();
    format!("{body}{raw}{svg}{}", String::from_utf8_lossy(&unpacked))
}

fn unbase64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut n) = (Vec::new(), 0u32, 0);
    for byte in text.bytes().filter(|b| *b != b'=') {
        let value = LETTERS.iter().position(|l| *l == byte).expect("base64");
        bits = (bits << 6) | u32::try_from(value).expect("six bits");
        n += 6;
        if n >= 8 {
            n -= 8;
            out.push(u8::try_from((bits >> n) & 0xff).expect("a byte"));
        }
    }
    out
}

fn place(planted: &Json, secret: &str) -> String {
    let found = planted["planted"].as_array().expect("a list").iter().find(|p| p["secret"] == secret);
    found.map(Json::to_string).unwrap_or_default()
}

#[test]
fn bad_requests_of_every_protocol_get_a_reason() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let header = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    let logs = |op: &str| {
        vec![
            header("X-Amz-Target", &format!("Logs_20140328.{op}")),
            header("Content-Type", "application/x-amz-json-1.1"),
        ]
    };
    let json = vec![header("Content-Type", "application/json")];
    let deep = format!(
        "{{\"data\":{{\"body\":{{\"message\":{{\"body\":\"m\"}}}},\"custom\":{}1{}}}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    type Case<'a> = (&'a str, &'a str, Vec<(String, String)>, &'a [u8], u16, &'a str);
    let cases: [Case<'_>; 15] = [
        ("Logs: no JSON", "/", logs("PutLogEvents"), b"{", 400, "__type"),
        ("Logs: nothing in it", "/", logs("PutLogEvents"), b"{}", 400, "logGroupName"),
        (
            "Logs: no such group",
            "/",
            logs("DescribeLogStreams"),
            b"{\"logGroupName\":\"nowhere\"}",
            400,
            "ResourceNotFoundException",
        ),
        ("Logs: Insights", "/", logs("StartQuery"), b"{\"queryString\":\"fields @message\"}", 400, "not supported"),
        ("Logs: unknown", "/", logs("Frobnicate"), b"{}", 400, "UnknownOperationException"),
        ("OTLP to /", "/", json.clone(), b"{}", 404, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTLP logs: broken", "/v1/logs", json.clone(), b"{\"resourceLogs\": 1", 400, "JSON"),
        ("Rollbar: broken", "/api/1/item/", json.clone(), b"{\"data\": ", 400, "err"),
        ("Rollbar: a path that is near", "/api/1/items/", json.clone(), b"{}", 404, "/api/1/item/"),
        ("Zipkin", "/api/v2/spans", json.clone(), b"[]", 404, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("Logs: a path of its own", "/logs", logs("PutLogEvents"), b"{}", 404, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"),
        ("Rollbar: deep", "/api/1/item/", json.clone(), deep.as_bytes(), 200, "err"),
        (
            "X-Ray: a rule without a name",
            "/CreateSamplingRule",
            json.clone(),
            b"{\"SamplingRule\":{}}",
            400,
            "RuleName",
        ),
        (
            "X-Ray: a filter that ends early",
            "/TraceSummaries",
            json.clone(),
            b"{\"StartTime\":1,\"EndTime\":2,\"FilterExpression\":\"service(\"}",
            400,
            "InvalidRequestException",
        ),
        ("X-Ray: six ids", "/Traces", json.clone(), b"{\"TraceIds\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]}", 400, "5"),
    ];
    for (name, path, headers, body, status, said) in cases {
        let (answered, words) = http("POST", serve.http(), path, &headers, body);
        let words = String::from_utf8_lossy(&words);
        assert_eq!(answered, status, "{name}: {words}");
        assert!(words.contains(said), "{name}: {words}");
    }
    // Never 413: pyrollbar would repeat the request indefinitely.
    let large = format!("{{\"data\":{{\"body\":{{\"message\":{{\"body\":\"{}\"}}}}}}}}", "x".repeat(70 << 20));
    assert_eq!(http("POST", serve.http(), "/api/1/item/", &json, large.as_bytes()).0, 200);
    // The gRPC port speaks HTTP/2: other requests are rejected, and the next one is served.
    let (status, _) =
        http("POST", serve.grpc(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export", &json, b"{}");
    assert_ne!(status, 200);
    let found = live(&journal, "errors", "");
    assert!(found["title"].is_string(), "{found}");
    let (status, _) = http("POST", serve.http(), "/v1/traces", &json, b"{}");
    assert_eq!(status, 200, "it still works");
}

#[test]
fn a_thousand_slow_connections_do_no_harm() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let mut slow: Vec<TcpStream> = (0..1_000)
        .map(|i| {
            let mut socket = TcpStream::connect(serve.http()).expect("connects");
            let half = if i % 2 == 0 { "POST /v1/traces HTTP/1.1\r\nHost: 127" } else { "" };
            socket.write_all(half.as_bytes()).expect("sends");
            socket
        })
        .collect();
    let start = Instant::now();
    let json = [("Content-Type".to_owned(), "application/json".to_owned())];
    for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
        assert_eq!(http("POST", serve.http(), path, &json, b"{}").0, 200);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    // The server does not wait indefinitely.
    let socket = &mut slow[0];
    socket.set_read_timeout(Some(Duration::from_secs(25))).expect("a timeout");
    let mut rest = Vec::new();
    assert!(socket.read_to_end(&mut rest).is_ok(), "an incomplete request head times out");
}

#[test]
fn web_pages_send_only_from_allowed_origins() {
    let journal = Journal::new();
    let serve = journal.serve(&["--allow-origin", "http://localhost:3000"]);
    let header = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    let from = |origin: &str| vec![header("Origin", origin), header("Content-Type", "application/json")];
    assert_eq!(http("POST", serve.http(), "/v1/traces", &from("http://localhost:3000"), b"{}").0, 200);
    for origin in ["http://localhost:3001", "https://localhost:3000", "null", "http://evil.example"] {
        assert_eq!(http("POST", serve.http(), "/v1/traces", &from(origin), b"{}").0, 403, "{origin}");
    }
    let mut preflight = from("http://localhost:3000");
    preflight.push(header("Access-Control-Request-Method", "POST"));
    preflight.push(header("Access-Control-Request-Headers", "content-type,traceparent"));
    let (status, _) = http("OPTIONS", serve.http(), "/v1/traces", &preflight, b"");
    assert!((200..300).contains(&status), "{status}");
    let plain = journal.serve(&["--no-receivers"]);
    drop(plain);
}

/// Client and server share an id, as in traces of Zipkin and Jaeger; the exporter repeats its request.
#[test]
fn spans_that_share_an_id_and_all_fields_of_logs_reach_the_evidence() {
    let journal = Journal::new();
    let serve = journal.serve(&[]);
    let at = |millis: u64| (1_795_447_213_000_000_000 + millis * 1_000_000).to_string();
    let span = |id: &str, parent: &str, name: &str, kind: u8, from: u64, to: u64| {
        json!({"traceId": "5".repeat(32), "spanId": id.repeat(16), "parentSpanId": parent.repeat(16), "name": name,
            "kind": kind, "startTimeUnixNano": at(from), "endTimeUnixNano": at(to)})
    };
    let of = |service: &str, spans: Vec<Json>| {
        json!({"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
            "scopeSpans": [{"scope": {"name": "lib", "version": "1.2"}, "spans": spans}]})
    };
    let front = vec![span("1", "", "page", 2, 0, 90), span("2", "1", "call", 3, 10, 80)];
    let back = vec![span("2", "1", "handle", 2, 20, 70), span("3", "2", "query", 1, 30, 40)];
    let traces = json!({"resourceSpans": [of("front", front), of("back", back)]}).to_string();
    let json = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    for _ in 0..2 {
        let (status, answer) = http("POST", serve.http(), "/v1/traces", &json, traces.as_bytes());
        assert_eq!((status, answer.as_slice()), (200, &b"{}"[..]));
    }
    assert_eq!(live(&journal, "traces", "otel.scope.version=1.2")["spans"], 4);
    let captured = journal.json(&["capture", "trace", &"5".repeat(32)]);
    let names: Vec<Json> = body(&journal, &captured)["spans"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|span| span["name"].clone())
        .collect();
    assert_eq!(names, ["page", "call", "handle", "query"]);
    let raw = journal.json(&["evidence", "show", text(&captured, "id"), "--raw"]);
    assert_eq!(raw["spans"].as_array().map(Vec::len), Some(4), "{raw}");
    let (_, svg, _) = journal.run(&["evidence", "show", text(&captured, "id"), "--svg"]);
    assert!(svg.contains("handle") && svg.contains("call"), "both are drawn");

    let record = json!({"timeUnixNano": at(0), "severityNumber": 17, "severityText": "Fehler", "flags": 1,
        "body": {"stringValue": "kaputt"}, "droppedAttributesCount": 2});
    let logs = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record], "scope": {"name": "lib", "version": "1.2",
        "attributes": [{"key": "team", "value": {"stringValue": "blue"}}]}}]}]});
    assert_eq!(http("POST", serve.http(), "/v1/logs", &json, logs.to_string().as_bytes()).0, 200);
    assert_eq!(live(&journal, "logs", "status:error")["message"], "kaputt");
    let captured = journal.json(&["capture", "logs", "--filter", "status:error"]);
    let event = &body(&journal, &captured)["events"][0];
    assert_eq!((&event["severity"], &event["severity_number"]), (&json!("Fehler"), &json!(17)));
    assert_eq!(
        (&event["scope"]["version"], &event["scope"]["attributes"][0]["value"]),
        (&json!("1.2"), &json!("blue"))
    );
    assert_eq!((&event["flags"], &event["dropped_attributes"]), (&json!(1), &json!(2)));

    // What came as protobuf is readable in the raw data.
    let fixture = std::fs::read(root().join("tests/fixtures/otlp-home.bin")).expect("recorded");
    let protobuf = vec![("Content-Type".to_owned(), "application/x-protobuf".to_owned())];
    assert_eq!(http("POST", serve.http(), "/v1/traces", &protobuf, &fixture).0, 200);
    let row = live(&journal, "traces", "service:backend-flask");
    let captured = journal.json(&["capture", "trace", text(&row, "trace_id")]);
    let raw = journal.json(&["evidence", "show", text(&captured, "id"), "--raw"]);
    let shared =
        &raw["shared"][usize::try_from(raw["spans"][0]["resource"].as_u64().expect("a number")).expect("small")];
    assert!(
        raw["spans"][0]["span"]["base64"].is_string() && raw["spans"][0]["span"]["json"]["name"].is_string(),
        "{raw}"
    );
    assert!(shared["json"]["resource"]["attributes"].is_array(), "{shared}");
}

#[test]
fn the_demo_shows_one_of_each() {
    let journal = Journal::new();
    let out = journal.dir.path().join("out");
    let done = journal.json(&["demo", "--out", &out.display().to_string()]);
    assert_eq!(done["evidence"].as_array().expect("a list").len(), 9, "{done}");
    let rows = journal.json(&["evidence", "list"]);
    let mut kinds: Vec<&str> = rows.as_array().expect("a list").iter().filter_map(|r| r["kind"].as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["console", "dossier", "error", "groups", "logs", "sampling-rules", "service-map", "trace"]);
    assert_eq!(journal.json(&["verify", &out.display().to_string()])["ok"], true);
    // No slot was added: all nine existed and are filled.
    assert_eq!(journal.json(&["slots", text(&done, "entry")]), json!([]));
}

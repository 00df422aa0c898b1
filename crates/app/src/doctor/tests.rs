use super::*;

fn findings() -> Findings {
    let receiver = |name: &str, address: &str| Receiver {
        name: name.into(),
        address: Some(address.into()),
        ..Receiver::default()
    };
    Findings {
        receivers: vec![
            receiver("http", "127.0.0.1:4318"),
            receiver("grpc", "127.0.0.1:4317"),
            receiver("xray", "127.0.0.1:2000"),
        ],
        limit_bytes: 512 << 20,
        now: Nanos(100_000_000_000),
        ..Findings::default()
    }
}

fn heard(listener: &str, path: &str, status: u16) -> RequestCount {
    RequestCount { listener: listener.into(), path: path.into(), status, count: 3, last: Nanos(90_000_000_000) }
}

#[track_caller]
fn says(patient: &Findings, source: &str, words: &str) {
    let checks = patient.checks();
    let found = checks.iter().any(|c| c.source == source && !c.ok && format!("{} {}", c.detail, c.fix).contains(words));
    assert!(found, "{words:?} in {checks:#?}");
}

#[test]
fn the_real_ways_to_stay_silent_are_found() {
    let with = |change: fn(&mut Findings)| {
        let mut patient = findings();
        change(&mut patient);
        patient
    };
    let set = |name: &str, value: &str| {
        let mut patient = findings();
        patient.environment.insert(name.into(), value.into());
        patient
    };
    says(&with(|p| p.arrivals.xray_segments = Some(p.now)), "xray", "TCP 2000 is not mapped");
    says(&with(|p| p.heard.push(heard("http", "POST /", 404))), "otlp", "append /v1/traces");
    says(
        &with(|p| p.heard.push(heard("http", "POST / DescribeLogGroups", 200))),
        "cloudwatch",
        "watchtower flushes every 60 s",
    );
    says(
        &set("AWS_ENDPOINT_URL_LOGS", "http://127.0.0.1:4318"),
        "cloudwatch",
        "use `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS`",
    );
    says(
        &set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/v1/traces"),
        "otlp",
        "append /v1/traces themselves",
    );
    says(&set("OTEL_EXPORTER_OTLP_ENDPOINT", "https://api.honeycomb.io"), "otlp", "not this app");
    says(&set("OTEL_SDK_DISABLED", "true"), "otlp", "unset OTEL_SDK_DISABLED");
    says(&set("AWS_XRAY_DAEMON_ADDRESS", "xray-daemon:2000"), "xray", "127.0.0.1:2000");
    says(&with(|p| p.low_rates.push("rule Cruddur samples 10 %".into())), "xray", "FixedRate 1");
    says(&with(|p| p.heard.push(heard("http", "POST /v1/traces", 403))), "otlp", "--allow-origin");
    says(&with(|p| p.receivers.clear()), "otlp", "no such receiver");
    says(
        &with(|p| (p.bytes, p.oldest) = (500 << 20, Some(Nanos(p.now.0 - 60_000_000_000)))),
        "journal",
        "the oldest telemetry is removed",
    );
    says(&findings(), "rollbar", "endpoint='http://127.0.0.1:4318/api/1/'");
}

#[test]
fn a_signals_own_endpoint_and_protocol_go_before_the_general_ones() {
    let set = |pairs: &[(&str, &str)]| {
        let mut patient = findings();
        patient.environment = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        patient
    };
    const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const LOGS: &str = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT";
    const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
    for (pairs, words) in [
        (
            &[(TRACES, "http://localhost:4318")][..],
            "export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:4318/v1/traces",
        ),
        (
            &[(LOGS, "http://localhost:4318/v1/traces")],
            "export OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://127.0.0.1:4318/v1/logs",
        ),
        (&[(ALL, "http://localhost:4318"), (TRACES, "https://api.honeycomb.io/v1/traces")], "not this app"),
        (
            &[(TRACES, "http://localhost:4317"), (PROTOCOL, "http/protobuf")],
            "the gRPC port, and OTEL_EXPORTER_OTLP_PROTOCOL",
        ),
        (
            &[(ALL, "http://localhost:4318"), ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc")],
            "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317",
        ),
        (
            &[(ALL, "http://localhost:4317"), (PROTOCOL, "http/json")],
            "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318",
        ),
        (&[(PROTOCOL, "http")], "which no SDK supports"),
    ] {
        says(&set(pairs), "otlp", words);
    }
    for pairs in [
        &[(TRACES, "http://127.0.0.1:4318/v1/traces"), (LOGS, "http://host.docker.internal:4318/v1/logs/")][..],
        &[
            (TRACES, "http://127.0.0.1:4317"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
            (ALL, "http://127.0.0.1:4318"),
        ],
        &[(ALL, "http://127.0.0.1:4317")],
    ] {
        let wrong = set(pairs).otlp_variables().into_iter().filter(|(_, ok, ..)| !ok).collect::<Vec<_>>();
        assert!(wrong.is_empty(), "{pairs:?}: {wrong:?}");
    }
    // One variable affects both signals: reported once.
    assert_eq!(set(&[(ALL, "http://127.0.0.1:4318")]).otlp_variables().len(), 1);
}

#[test]
fn what_came_to_the_other_protocols_port_is_seen() {
    let with = |rows: Vec<RequestCount>| Findings { heard: rows, ..findings() };
    const EXPORT: &str = "POST /opentelemetry.proto.collector.trace.v1.TraceService/Export";
    says(&with(vec![heard("grpc", "POST /v1/traces", 415)]), "otlp", "which speaks gRPC");
    says(&with(vec![heard("http", EXPORT, 404)]), "otlp", "which speaks HTTP");
}

#[test]
fn what_was_mended_is_not_said_any_more() {
    let later = |mut h: RequestCount| {
        h.last = Nanos(95_000_000_000);
        h
    };
    for (bad, good) in [
        (heard("http", "POST /", 404), heard("http", "POST /v1/traces", 200)),
        (heard("http", "POST /v1/traces", 403), heard("http", "POST /v1/traces", 200)),
        (heard("http", "POST /v1/logs", 415), heard("http", "POST /v1/logs", 200)),
        (heard("grpc", "POST /v1/traces", 415), heard("http", "POST /v1/traces", 200)),
    ] {
        let wrong = |rows: Vec<RequestCount>| {
            let patient = Findings { heard: rows, ..findings() };
            patient.checks().into_iter().filter(|c| !c.ok && c.check != "spans arrive" && c.source == "otlp").count()
        };
        assert!(wrong(vec![bad.clone()]) > 0, "{bad:?}");
        assert_eq!(wrong(vec![later(good.clone()), bad.clone()]), 0, "{bad:?}");
        assert!(wrong(vec![later(bad.clone()), good]) > 0, "{bad:?}");
    }
    // At the limit, the covered time range counts.
    let full = Findings { bytes: 500 << 20, oldest: Some(Nanos(100_000_000_000 - 2 * SHORT_REACH)), ..findings() };
    let room = full.checks().into_iter().find(|c| c.source == "journal").expect("a step");
    assert!(room.ok && room.fix.is_empty() && room.detail.contains("reaches back 2"), "{room:?}");
}

#[test]
fn the_port_that_is_not_mapped_is_named() {
    let mut patient = findings();
    patient.receivers[2].address = Some("127.0.0.1:2100".into());
    patient.arrivals.xray_segments = Some(patient.now);
    says(&patient, "xray", "TCP 2100 is not mapped");
    says(&patient, "xray", "\"2100:2100/tcp\"");
}

#[test]
fn a_failed_watched_command_is_reported_until_it_is_restarted() {
    let at = |line: &str, status: u16, seconds: i64| RequestCount {
        last: Nanos(seconds * 1_000_000_000),
        ..heard(request_log::WATCH, line, status)
    };
    let with = |rows: Vec<RequestCount>| Findings { heard: rows, ..findings() };
    let started = at("dokcer compose logs -f", request_log::RUNNING, 50);
    says(&with(vec![at("dokcer compose logs -f", 127, 51), started.clone()]), "console", "does not find the program");
    says(
        &with(vec![at("false", 1, 51), at("false", request_log::RUNNING, 51)]),
        "console",
        "failed 49 s ago (exit code 1)",
    );
    says(
        &with(vec![at("PASSWORD=hunter22 x", 1, 51), at("PASSWORD=hunter22 x", request_log::RUNNING, 51)]),
        "console",
        "`PASSWORD=[credential removed] x`",
    );
    let of = |rows: Vec<RequestCount>| {
        with(rows).checks().into_iter().filter(|c| c.check == "the watched command runs").collect::<Vec<_>>()
    };
    let again = of(vec![at("a", request_log::RUNNING, 60), at("a", 1, 51)]);
    assert!(again.is_empty(), "{again:?}");
    let another = of(vec![at("b", request_log::RUNNING, 90), at("a", 1, 51), at("a", request_log::RUNNING, 50)]);
    assert!(another.is_empty(), "{another:?}");
    let done = of(vec![at("a", 0, 51), at("a", request_log::RUNNING, 50)]);
    assert!(done.len() == 1 && done[0].ok && done[0].fix.contains("logs -f"), "{done:?}");
}

#[test]
fn where_all_is_well_nothing_is_to_be_done() {
    let mut patient = findings();
    let now = Some(patient.now);
    patient.arrivals = Arrivals {
        otlp_spans: now,
        xray_segments: now,
        otlp_logs: now,
        cloudwatch_logs: now,
        errors: now,
        console: now,
    };
    patient.heard = vec![heard("http", "POST /v1/traces", 200), heard("xray", "POST /GetSamplingRules", 200)];
    patient.environment.insert("OTEL_EXPORTER_OTLP_ENDPOINT".into(), "http://localhost:4318".into());
    for check in patient.checks() {
        assert!(check.ok && check.fix.is_empty(), "{check:#?}");
    }
}

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

fn refused(listener: &str, place: &str, reason: &str) -> Refusal {
    Refusal {
        listener: listener.into(),
        place: place.into(),
        kind: reason.into(),
        reason: reason.into(),
        count: 3,
        first: Nanos(80_000_000_000),
        last: Nanos(90_000_000_000),
    }
}

fn set(pairs: &[(&str, &str)]) -> Findings {
    let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Findings { environment, ..findings() }
}

/// The step of a variable.
fn judged(pairs: &[(&str, &str)], name: &str) -> Option<Check> {
    set(pairs).checks().into_iter().find(|check| check.check == format!("{name} of this shell"))
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
    let set = |name: &str, value: &str| set(&[(name, value)]);
    says(&with(|p| p.arrivals.xray_segments = Some(p.now)), "xray", "TCP 2000 is not mapped");
    says(
        &with(|p| p.refusals.push(refused("http", "POST /", "Nothing is served at /. Traces go to /v1/traces"))),
        "otlp",
        "append /v1/traces",
    );
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
        &[(ALL, "localhost:4317"), (PROTOCOL, "grpc"), ("OTEL_EXPORTER_OTLP_INSECURE", "true")],
        &[(ALL, "HTTP://LocalHost:4318/"), (PROTOCOL, "http/protobuf")],
        &[(ALL, "http://172.17.0.1:4318")],
        &[(TRACES, "http://localhost:4318/otlp/v1/traces")],
    ] {
        let wrong: Vec<Check> =
            set(pairs).checks().into_iter().filter(|c| !c.ok && c.check.ends_with("of this shell")).collect();
        assert!(wrong.is_empty(), "{pairs:?}: {wrong:?}");
    }
}

#[test]
fn what_was_refused_is_reported_with_a_hint() {
    const EXPORT: &str = "POST /opentelemetry.proto.collector.trace.v1.TraceService/Export";
    const HOST: &str = "This receiver answers only to loopback names; not to Host: otel-collector:4318. If that is a \
                        name of yours, start Tracebook with --allow-host otel-collector.";
    const PAGE: &str = "Requests of web pages are refused here (Origin: http://localhost:3000). To let a page of yours";
    for (row, source, words) in [
        (refused("http", "POST /v1/traces", HOST), "otlp", "tracebook serve --allow-host otel-collector"),
        (refused("xray", "POST /GetSamplingRules", HOST), "xray", "tracebook serve --allow-host otel-collector"),
        (refused("http", "POST / PutLogEvents", HOST), "cloudwatch", "tracebook serve --allow-host otel-collector"),
        (refused("http", "POST /api/1/item/", PAGE), "rollbar", "tracebook serve --allow-origin http://localhost:3000"),
        (refused("http", EXPORT, "Nothing is served at"), "otlp", "OTLP_ENDPOINT=http://127.0.0.1:4317"),
        (
            refused("grpc", "POST /v1/traces", "This port speaks OTLP over gRPC only."),
            "otlp",
            "OTLP_ENDPOINT=http://127.0.0.1:4318",
        ),
        (
            refused("grpc", "TCP connection", "TLS was begun (https, or gRPC without its insecure option)"),
            "otlp",
            "OTLP_INSECURE=true",
        ),
        (refused("http", "TCP connection", "TLS was begun (https"), "otlp", "http:// instead of https://"),
        (
            refused("xray", "UDP datagram", "a segment document without name"),
            "xray",
            "3 UDP datagrams were refused, the last 10 s ago, the first 20 s ago: a segment document without name",
        ),
        (refused("xray", "UDP datagram", "a datagram without the header line {}"), "xray", "/dev/udp/127.0.0.1/2000"),
        (refused("http", "POST /api/v2/spans", "Nothing is served at"), "otlp", "OTEL_TRACES_EXPORTER=otlp"),
        (refused("http", "POST /1/events/x", "Nothing is served at"), "otlp", "Honeycomb's Events API"),
        (refused("http", "POST /v1/traces", "Send Content-Type: a or b."), "otlp", "PROTOCOL=http/protobuf"),
        (
            refused("http", "POST /", "OTLP goes to /v1/traces: set OTEL_EXPORTER_OTLP_ENDPOINT=http://a"),
            "otlp",
            "append /v1/traces there",
        ),
        (
            refused("http", "POST /api/otel/v1/logs", "Nothing is served at /api/otel/v1/logs. OTLP goes to"),
            "otlp",
            "append /v1/traces there",
        ),
        (refused("http", "POST /anything", "of a kind that has no hint"), "otlp", "tracebook doctor --report"),
    ] {
        let patient = Findings { refusals: vec![row.clone()], ..findings() };
        says(&patient, source, words);
        says(&patient, source, &row.reason);
    }
    // One source with many kinds of refusals has few steps.
    let many = (0..60).map(|n| refused("http", &format!("POST /a{n}"), "no")).collect();
    let steps = Findings { refusals: many, ..findings() }.checks();
    assert_eq!(steps.iter().filter(|c| c.check == "what arrives is accepted").count(), 9);
    says(
        &Findings { refusals: (0..60).map(|n| refused("http", &format!("GET /{n}"), "no")).collect(), ..findings() },
        "otlp",
        "and 52 other kinds",
    );
}

#[test]
fn what_was_mended_is_not_said_any_more() {
    let at = |mut h: RequestCount, seconds: i64| {
        h.last = Nanos(seconds * 1_000_000_000);
        h
    };
    for (bad, good) in [
        (refused("http", "POST /", "Nothing is served at /"), heard("http", "POST /v1/traces", 200)),
        (refused("http", "POST /v1/traces", "of web pages"), heard("http", "POST /v1/traces", 200)),
        (refused("grpc", "POST /v1/traces", "speaks OTLP over gRPC only"), heard("http", "POST /v1/traces", 200)),
        (refused("http", "POST / PutLogEvents", "bad"), heard("http", "POST / PutLogEvents", 200)),
    ] {
        let wrong = |good: RequestCount, bad: &Refusal| {
            let patient = Findings { heard: vec![good], refusals: vec![bad.clone()], ..findings() };
            patient.checks().into_iter().filter(|c| !c.ok && c.check == "what arrives is accepted").count()
        };
        assert_eq!(wrong(at(good.clone(), 95), &bad), 0, "{bad:?}");
        assert_eq!(wrong(at(good.clone(), 91), &bad), 1, "a part of the same request: {bad:?}");
        assert_eq!(wrong(at(good, 80), &bad), 1, "{bad:?}");
    }
    // Of datagrams, only time tells.
    let bad = refused("xray", "UDP datagram", "no name");
    let later =
        |seconds: i64| Findings { now: Nanos(seconds * 1_000_000_000), refusals: vec![bad.clone()], ..findings() };
    let steps = |patient: &Findings| patient.checks().iter().filter(|c| c.check == "what arrives is accepted").count();
    assert_eq!((steps(&later(600)), steps(&later(800))), (1, 0));
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

#[test]
fn settings_that_cannot_work_get_no_tick() {
    const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const DAEMON: &str = "AWS_XRAY_DAEMON_ADDRESS";
    const LOGS: &str = "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS";
    for (name, value, fix) in [
        (ALL, "localhost:4318", "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318"),
        (ALL, "localhost:4317", "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317"),
        (ALL, "https://localhost:4318", "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318"),
        (ALL, "grpc://localhost:4317", "=http://"),
        (ALL, "http://localhost", "=http://127.0.0.1:4318"),
        (ALL, "http://127.0.0.2:4318", "=http://127.0.0.1:4318"),
        (ALL, "http://0.0.0.0:4318", "=http://127.0.0.1:4318"),
        (ALL, "http://[::1]:4318", "=http://127.0.0.1:4318"),
        (ALL, "http://otel-collector:4318", "=http://127.0.0.1:4318"),
        (ALL, "\"http://localhost:4318\"", "=http://127.0.0.1:4318"),
        (ALL, "http://localhost:4318 ", "=http://127.0.0.1:4318"),
        (ALL, "http://localhost:2000", "=http://127.0.0.1:4318"),
        (ALL, "http://localhost:4318?a=b", "=http://127.0.0.1:4318"),
        (TRACES, "localhost:4318/v1/traces", "=http://127.0.0.1:4318/v1/traces"),
        (TRACES, "http://localhost:4318/v1/logs", "=http://127.0.0.1:4318/v1/traces"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "HTTP/Protobuf", "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-honeycomb-team: abc", "unset OTEL_EXPORTER_OTLP_HEADERS"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer abc", "unset OTEL_EXPORTER_OTLP_HEADERS"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "export OTEL_EXPORTER_OTLP_COMPRESSION=gzip"),
        ("OTEL_SDK_DISABLED", "True", "unset OTEL_SDK_DISABLED"),
        ("OTEL_TRACES_EXPORTER", "none", "export OTEL_TRACES_EXPORTER=otlp"),
        ("OTEL_TRACES_EXPORTER", "console", "export OTEL_TRACES_EXPORTER=otlp"),
        ("OTEL_LOGS_EXPORTER", "zipkin,console", "export OTEL_LOGS_EXPORTER=otlp"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_off", "unset OTEL_TRACES_SAMPLER"),
        ("OTEL_CONFIG_FILE", "otel.yaml", "unset OTEL_CONFIG_FILE"),
        (DAEMON, "http://127.0.0.1:2000", "export AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000"),
        (DAEMON, "udp:127.0.0.1:2000", "export AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000"),
        (DAEMON, "tcp:127.0.0.1:2000", "=127.0.0.1:2000"),
        (DAEMON, "udp://127.0.0.1:2000", "=127.0.0.1:2000"),
        (DAEMON, "127.0.0.1", "=127.0.0.1:2000"),
        (DAEMON, "[::1]:2000", "=127.0.0.1:2000"),
        (DAEMON, "tcp:127.0.0.1:2000  udp:127.0.0.1:2000", "=127.0.0.1:2000"),
        (DAEMON, "tcp:127.0.0.1:2000 tcp:127.0.0.1:2000", "=127.0.0.1:2000"),
        (DAEMON, "tcp:127.0.0.1:9 udp:127.0.0.1:2000", "=127.0.0.1:2000"),
        (DAEMON, "127.0.0.1:4318", "=127.0.0.1:2000"),
        ("AWS_XRAY_SDK_ENABLED", "0", "unset AWS_XRAY_SDK_ENABLED"),
        (LOGS, "127.0.0.1:4318", "export AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=http://127.0.0.1:4318"),
        (LOGS, "https://127.0.0.1:4318", "=http://127.0.0.1:4318"),
        (LOGS, "http://127.0.0.1:4318/v1/logs", "=http://127.0.0.1:4318"),
        (LOGS, "http://127.0.0.1:2000", "=http://127.0.0.1:4318"),
        ("AWS_ENDPOINT_URL", "http://localhost:4566", "export AWS_ENDPOINT_URL_CLOUDWATCH_LOGS="),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", "unset AWS_IGNORE"),
        ("ROLLBAR_ENDPOINT", "http://127.0.0.1:4318/api/1", "export ROLLBAR_ENDPOINT=http://127.0.0.1:4318/api/1/"),
    ] {
        let check = judged(&[(name, value)], name).unwrap_or_else(|| panic!("no step for {name}={value}"));
        assert!(!check.ok && check.fix.contains(fix) && check.detail.contains("https://"), "{check:#?}");
    }
    for (name, value) in [
        (ALL, "http://host.docker.internal:4318"),
        (DAEMON, "localhost:2000"),
        (DAEMON, "udp:127.0.0.1:2000 tcp:localhost:2000"),
        (LOGS, "http://localhost:4318/"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-honeycomb-team=abc=,a=b%20c"),
        ("AWS_ENDPOINT_URL_XRAY", "http://127.0.0.1:2000"),
    ] {
        assert!(judged(&[(name, value)], name).is_some_and(|check| check.ok && check.fix.is_empty()), "{name}={value}");
    }
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "1"),
        ("OTEL_TRACES_EXPORTER", "console, otlp"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_on"),
        ("AWS_XRAY_SDK_ENABLED", "true"),
    ] {
        assert_eq!(judged(&[(name, value)], name), None, "{name}={value}");
    }
    let ratio = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.1")];
    let check = judged(&ratio, "OTEL_TRACES_SAMPLER_ARG").expect("a step");
    assert!(!check.ok && check.detail.contains("10 of 100"), "{check:?}");
    let tls =
        [(ALL, "http://localhost:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_INSECURE", "0")];
    assert!(judged(&tls, "OTEL_EXPORTER_OTLP_INSECURE").is_some_and(|check| !check.ok));
    // Where a receiver listens on [::1], that is an address like the other.
    let mut both = set(&[(ALL, "http://[::1]:4318")]);
    both.bound = vec![("http", "[::1]:4318".parse().expect("an address"))];
    assert!(both.checks().iter().all(|c| c.ok || !c.check.ends_with("of this shell")), "{:?}", both.checks());
}

#[test]
fn a_proxy_that_takes_what_is_for_this_machine_is_named() {
    const STEP: &str = "no proxy takes what is sent to this machine";
    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    const PROXY: (&str, &str) = ("http_proxy", "http://proxy.example:3128");
    let taken = |pairs: &[(&str, &str)], source: &str| {
        set(pairs).checks().into_iter().filter(|c| c.check == STEP && c.source == source).collect::<Vec<_>>()
    };
    let steps = taken(&[ENDPOINT, PROXY], "otlp");
    assert!(steps.len() == 2 && steps.iter().all(|step| !step.ok), "HTTP and gRPC: {steps:?}");
    assert_eq!(
        steps[0].fix, "export NO_PROXY=localhost,127.0.0.1,::1 no_proxy=localhost,127.0.0.1,::1",
        "to be pasted"
    );
    for pairs in [
        &[ENDPOINT, ("HTTP_PROXY", "http://p:1")][..],
        &[ENDPOINT, ("ALL_PROXY", "http://p:1")],
        &[ENDPOINT, PROXY, ("NO_PROXY", "localhost")],
        &[ENDPOINT, PROXY, ("no_proxy", ""), ("NO_PROXY", "127.0.0.1")],
        &[PROXY, ("NO_PROXY", "127.0.0.1")],
    ] {
        assert!(!taken(pairs, "otlp").is_empty(), "{pairs:?}");
    }
    for pairs in [
        &[ENDPOINT, ("HTTPS_PROXY", "http://p:1")][..],
        &[ENDPOINT, ("http_proxy", ""), ("HTTP_PROXY", "http://p:1")],
        &[ENDPOINT, ("HTTP_PROXY", "http://p:1"), ("NO_PROXY", "10.0.0.0/8, 127.0.0.0/8")],
        &[ENDPOINT, ("HTTP_PROXY", "http://p:1"), ("NO_PROXY", "*")],
        &[ENDPOINT, PROXY, ("no_proxy", "localhost,127.0.0.1")],
    ] {
        assert!(taken(pairs, "otlp").is_empty(), "{pairs:?}");
    }
    // An existing list is kept.
    let steps = taken(&[ENDPOINT, ("HTTP_PROXY", "http://p:1"), ("NO_PROXY", ".corp, localhost")], "otlp");
    assert!(steps[0].fix.starts_with("export NO_PROXY=.corp,localhost,127.0.0.1,::1 "), "{steps:?}");
    for source in ["cloudwatch", "xray", "rollbar"] {
        assert_eq!(taken(&[PROXY], source).len(), 1, "{source}");
    }
}

#[test]
fn every_variable_has_a_source_of_its_meaning() {
    for (name, documented) in variables::documents() {
        assert!(documented.starts_with("https://"), "{name}");
    }
}

#[test]
fn every_fix_can_be_pasted() {
    let mut patients: Vec<Findings> = vec![findings(), Findings { receivers: Vec::new(), ..findings() }];
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "it's; rm -rf $HOME"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("AWS_XRAY_DAEMON_ADDRESS", "http://x"),
        ("AWS_ENDPOINT_URL_LOGS", "http://x"),
        ("http_proxy", "http://x"),
        ("ROLLBAR_ENDPOINT", "x"),
    ] {
        let mut patient = set(&[(name, value), ("NO_PROXY", "a;b'c")]);
        patient.arrivals.xray_segments = Some(patient.now);
        patient.low_rates.push("rule a samples 10 %".into());
        patient.bytes = 500 << 20;
        patient.oldest = Some(Nanos(patient.now.0 - 1));
        patients.push(patient);
    }
    for reason in ["TLS was begun", "start with --allow-host 'x'", "header line", "anything", "Nothing is served at"] {
        for listener in ["http", "grpc", "xray"] {
            for place in ["UDP datagram", "TCP connection", "POST /v1/trace", "POST /api/2/x", "POST / Nothing"] {
                patients.push(Findings { refusals: vec![refused(listener, place, reason)], ..findings() });
            }
        }
    }
    let commands = ["#", "export ", "unset ", "tracebook ", "aws ", "printf ", "ssh ", "date "];
    let mut seen = std::collections::HashSet::new();
    for check in patients.iter().flat_map(Findings::checks) {
        for line in check.fix.lines() {
            let known = commands.iter().any(|start| line.starts_with(start));
            assert!(known, "{line:?} of {check:#?}");
        }
        if seen.insert(check.fix.clone()) {
            let read = std::process::Command::new("sh").args(["-n", "-c", &check.fix]).output().expect("a shell");
            assert!(read.status.success(), "{check:#?}: {}", String::from_utf8_lossy(&read.stderr));
        }
    }
    assert_eq!(
        pasteable("Sign in again.\naws sso login\n`x` is wrong"),
        "# Sign in again.\naws sso login\n# `x` is wrong"
    );
}

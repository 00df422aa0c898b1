//! Evidence of every kind that is no trace, as the course's services and tools make it, and as nobody should.

use tracebook_core::console::{Console, ConsoleLine};
use tracebook_core::dossier::{Dossier, Join, JoinedError, JoinedLine, JoinedLog};
use tracebook_core::errors::{
    CodeFrame, ErrorItem, ErrorTrace, Level, Occurrence, OccurrenceRow, Person, Varied, VariedValue,
};
use tracebook_core::evidence::Body;
use tracebook_core::ids::TraceId;
use tracebook_core::logs::{LogEvent, LogOrigin, Logs};
use tracebook_core::query::{QueryLanguage, QueryResult};
use tracebook_core::service_map::{MapEdge, MapNode, NodeKind, ServiceMap, Traffic};
use tracebook_core::time::Nanos;
use tracebook_core::value::Attribute;
use tracebook_core::xray::{Group, Groups, SamplingRule, SamplingRules};

use super::{T0, nasty, two_services, whole};

/// Milliseconds after the beginning.
pub(crate) fn at(millis: i64) -> Nanos {
    Nanos(T0 + millis * 1_000_000)
}

pub(crate) fn trace_id(n: u8) -> TraceId {
    let mut id = [0x69; 16];
    id[0] = n;
    TraceId(id)
}

fn log(millis: i64, severity: &str, message: &str) -> LogEvent {
    LogEvent {
        timestamp: at(millis),
        group: "cruddur".into(),
        stream: "2026-11-23".into(),
        message: message.into(),
        severity: severity.into(),
        origin: LogOrigin::Cloudwatch,
        ..LogEvent::default()
    }
}

/// What the course's logger sends to CloudWatch: no severity, one stream.
pub(crate) fn cloudwatch() -> Body {
    let paths = ["/api/activities/home", "/api/activities/notifications", "/api/message_groups", "/favicon.ico"];
    let mut events = vec![log(0, "", "HomeActivities")];
    for (i, path) in (0..).zip(paths) {
        let status = if i == 3 { "404 NOT FOUND" } else { "200 OK" };
        let message = format!("[2026-Nov-23 15:20] 192.168.229.{} GET http {path}? {status}", i + 4);
        events.push(log(40 + i * 310, "", &message));
    }
    Body::Logs(Logs { events, ..Logs::default() })
}

/// OTLP records of two services, of several traces, over midnight.
pub(crate) fn logs() -> Body {
    let otlp = |millis: i64, service: &str, logger: &str, severity: &str, message: &str, trace: u8| LogEvent {
        group: service.into(),
        stream: logger.into(),
        origin: LogOrigin::Otlp,
        trace_id: (trace > 0).then(|| trace_id(trace)),
        ..log(millis, severity, message)
    };
    let midnight = 31_187_500;
    let mut events = vec![
        otlp(0, "backend-flask", "app", "INFO", "Starting worker [7]", 0),
        otlp(
            412,
            "backend-flask",
            "lib.db",
            "DEBUG",
            "SELECT COALESCE(array_to_json(array_agg(row_to_json(array_row))),'[]'::json) FROM ( SELECT activities.uuid, users.display_name, users.handle, activities.message, activities.replies_count, activities.reposts_count, activities.likes_count FROM public.activities LEFT JOIN public.users ON users.uuid = activities.user_uuid ORDER BY activities.created_at DESC ) array_row",
            1,
        ),
        otlp(
            431,
            "backend-flask",
            "app",
            "INFO",
            "{\"event\":\"request\",\"method\":\"GET\",\"path\":\"/api/activities/home\",\"status\":200,\"ms\":12.4}",
            1,
        ),
        otlp(2_950, "backend-flask", "app", "WARNING", "JWT expired 4 s ago; treating the caller as a guest", 2),
        otlp(
            2_980,
            "backend-flask",
            "app.errors",
            "ERROR",
            "Exception on /api/activities/@andrewbrown [GET]\nTraceback (most recent call last):\n  File \"/backend-flask/app.py\", line 141, in data_handle\n    model = UserActivities.run(user_handle)\nTypeError: 'NoneType' object is not iterable",
            2,
        ),
        otlp(midnight, "thumbing-serverless-cdk", "process", "INFO", "avatar 3f1c… resized to 512×512", 3),
    ];
    events[3].attributes = vec![
        Attribute::new("user_handle", "andrewbrown"),
        Attribute::new("code.function", "verify"),
        Attribute::new("resource.service.name", "backend-flask"),
    ];
    Body::Logs(Logs { events, more: 12, notes: vec!["one record had no time: the moment of arrival is shown".into()] })
}

fn many_logs() -> Body {
    let events = (0..400).map(|i| log(i * 37, if i % 9 == 8 { "ERROR" } else { "INFO" }, &format!("tick {i}")));
    Body::Logs(Logs { events: events.collect(), ..Logs::default() })
}

/// Seventy-six near-equal errors, and one of another kind in their middle.
pub(crate) fn many_errors() -> Body {
    let mut events: Vec<LogEvent> = (0..76)
        .map(|i| log(i * 130, "ERROR", &format!("timeout after {} ms on /api/activities/{i}", 30 + i)))
        .collect();
    events.insert(41, log(41 * 130 - 1, "ERROR", "disk full: cannot write /var/lib/cruddur/outbox"));
    Body::Logs(Logs { events, ..Logs::default() })
}

/// Forty tracebacks that differ in one number, among other lines.
pub(crate) fn repeated_tracebacks() -> Body {
    let mut lines = vec![line("backend ready", false, 0)];
    for i in 0..40 {
        let at = i64::from(i) * 100;
        lines.push(line("Traceback (most recent call last):", true, at));
        lines.push(line("  File \"/backend-flask/app.py\", line 141, in data_handle", true, at));
        lines.push(line(&format!("ValueError: order {i} has no customer"), true, at));
        lines.push(line(&format!("192.168.229.1 - - \"GET /api/orders/{i} HTTP/1.1\" 500 -"), false, at + 5));
    }
    lines.push(line("KeyError: 'id'", true, 4_100));
    Body::Console(Console { source: "docker compose logs backend".into(), lines, ..Console::default() })
}

fn frame(file: &str, line: u32, method: &str, code: &str) -> CodeFrame {
    CodeFrame {
        filename: file.into(),
        lineno: Some(line),
        method: method.into(),
        code: code.into(),
        ..CodeFrame::default()
    }
}

/// The TypeError of week 2, with the chain that Python sends.
pub(crate) fn error_item() -> ErrorItem {
    let site = "/usr/local/lib/python3.10/site-packages/flask";
    let mut run = frame("/backend-flask/services/user_activities.py", 24, "run", "for activity in results:");
    run.locals = vec![
        Attribute::new("results", tracebook_core::value::Value::Empty),
        Attribute::new("user_handle", "andrewbrown"),
    ];
    let cause = ErrorTrace {
        class: "TypeError".into(),
        message: "'NoneType' object is not iterable".into(),
        frames: vec![
            frame("/backend-flask/app.py", 141, "data_handle", "model = UserActivities.run(user_handle)"),
            run,
        ],
    };
    let outer = ErrorTrace {
        class: "RuntimeError".into(),
        message: "could not read the activities of andrewbrown".into(),
        frames: vec![
            frame(&format!("{site}/app.py"), 2525, "wsgi_app", "response = self.full_dispatch_request()"),
            frame(&format!("{site}/app.py"), 1822, "full_dispatch_request", "rv = self.handle_user_exception(e)"),
            frame(&format!("{site}/app.py"), 1820, "full_dispatch_request", "rv = self.dispatch_request()"),
            frame(
                &format!("{site}/app.py"),
                1796,
                "dispatch_request",
                "return self.ensure_sync(self.view_functions[rule.endpoint])(**view_args)",
            ),
            frame(
                "/backend-flask/app.py",
                143,
                "data_handle",
                "raise RuntimeError(f\"could not read the activities of {user_handle}\") from e",
            ),
        ],
    };
    let occurrence = Occurrence {
        uuid: "5c0f1d6e-8f2b-4c44-9b30-8f7f0f3b2a11".into(),
        item: "b1f6c2d9e0a74f63".into(),
        title: "RuntimeError: could not read the activities of andrewbrown".into(),
        level: Level::Error,
        timestamp: Nanos(1_795_447_213_000_000_000),
        environment: "development".into(),
        context: "data_handle".into(),
        traces: vec![outer, cause],
        person: Some(Person {
            id: "7".into(),
            username: Some("andrewbrown".into()),
            email: Some("andrew@example.com".into()),
        }),
        request: vec![
            Attribute::new("method", "GET"),
            Attribute::new("url", "http://localhost:4567/api/activities/@andrewbrown?limit=20"),
            Attribute::new("user_ip", "192.168.229.1"),
            Attribute::new("headers.Host", "localhost:4567"),
            Attribute::new(
                "headers.User-Agent",
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36",
            ),
            Attribute::new("headers.Traceparent", "00-69bf2d4e1e8720b39541901950019ee5-1b2c3d4e00000002-01"),
            Attribute::new("GET.limit", "20"),
        ],
        custom: vec![Attribute::new("feature", "user page"), Attribute::new("attempt", 2i64)],
        other: vec![
            Attribute::new("framework", "flask"),
            Attribute::new("language", "python 3.10.8"),
            Attribute::new("server.host", "4f9c1a2b3c4d"),
            Attribute::new("code_version", "week-2"),
            Attribute::new("notifier.name", "pyrollbar"),
            Attribute::new("notifier.version", "1.3.0"),
        ],
        ..Occurrence::default()
    };
    ErrorItem {
        item: occurrence.item.clone(),
        title: occurrence.title.clone(),
        level: Level::Error,
        occurrences: 3,
        first: Nanos(1_795_447_100_000_000_000),
        last: occurrence.timestamp,
        environment: "development".into(),
        people: 2,
        occurrence,
        others: vec![
            OccurrenceRow { uuid: "a".into(), timestamp: Nanos(1_795_447_180_000_000_000), person: "bayko".into() },
            OccurrenceRow { uuid: "b".into(), timestamp: Nanos(1_795_447_100_000_000_000), person: String::new() },
        ],
        varies: Vec::new(),
    }
}

/// An item whose occurrences differ in more than their persons.
pub(crate) fn varied_error() -> Body {
    let mut item = error_item();
    let value = |(value, occurrences): &(&str, u32)| VariedValue { value: (*value).into(), occurrences: *occurrences };
    let varied = |name: &str, values: &[(&str, u32)], more: u32| Varied {
        name: name.into(),
        values: values.iter().map(value).collect(),
        more,
    };
    item.occurrences = 112;
    item.people = 31;
    item.others = (0..50)
        .map(|i| OccurrenceRow {
            uuid: format!("o{i}"),
            timestamp: Nanos(1_795_447_200_000_000_000 - i * 7_000_000_000),
            person: if i % 3 == 0 { String::new() } else { format!("user {i}") },
        })
        .collect();
    item.first = Nanos(1_795_300_000_000_000_000);
    item.varies = vec![
        varied(
            "Message",
            &[
                ("RuntimeError: could not read the activities of andrewbrown", 40),
                ("RuntimeError: could not read the activities of bayko", 11),
            ],
            0,
        ),
        varied("Person", &[("", 17), ("andrewbrown", 9), ("bayko", 8)], 14),
        varied(
            "Request",
            &[
                ("GET http://localhost:4567/api/activities/@andrewbrown?limit=20", 40),
                ("GET http://localhost:4567/api/activities/@bayko?limit=20&after=2026-11-23T15:20:13.087028Z", 11),
            ],
            0,
        ),
        varied("Code version", &[("week-2", 50), ("week-1", 1)], 0),
    ];
    Body::Error(Box::new(item))
}

pub(crate) fn error() -> Body {
    Body::Error(Box::new(error_item()))
}

/// `rollbar.report_message('Hello World!', 'warning')`.
pub(crate) fn hello() -> Body {
    let mut item = error_item();
    item.title = "Hello World!".into();
    item.level = Level::Warning;
    item.occurrences = 1;
    item.people = 0;
    item.first = item.last;
    item.others.clear();
    item.occurrence = Occurrence {
        title: "Hello World!".into(),
        message: "Hello World!".into(),
        level: Level::Warning,
        traces: Vec::new(),
        person: None,
        custom: Vec::new(),
        request: vec![
            Attribute::new("method", "GET"),
            Attribute::new("url", "http://127.0.0.1:4567/rollbar/test"),
            Attribute::new("headers.Host", "127.0.0.1:4567"),
        ],
        notes: vec!["the payload was larger than 512 KiB: long texts were cut".into()],
        ..item.occurrence
    };
    Body::Error(Box::new(item))
}

pub(crate) fn line(text: &str, stderr: bool, millis: i64) -> ConsoleLine {
    ConsoleLine { text: text.into(), stderr, time: Some(at(millis)) }
}

/// `docker compose up`, colours and all.
pub(crate) fn console() -> Body {
    let lines = [
        ("\u{1b}[1m[+] Running 4/4\u{1b}[0m", false),
        (" \u{1b}[32m✔\u{1b}[0m Network cruddur_default       \u{1b}[32mCreated\u{1b}[0m    0.1s", false),
        (" \u{1b}[32m✔\u{1b}[0m Container xray-daemon         \u{1b}[32mStarted\u{1b}[0m    0.4s", false),
        (" \u{1b}[33m!\u{1b}[0m Container db                  \u{1b}[33mWaiting\u{1b}[0m    2.0s", true),
        ("\u{1b}[36mbackend-flask-1  |\u{1b}[0m  * Serving Flask app 'app'", false),
        ("\u{1b}[36mbackend-flask-1  |\u{1b}[0m  * Debug mode: \u{1b}[1mon\u{1b}[0m", false),
        (
            "\u{1b}[36mbackend-flask-1  |\u{1b}[0m \u{1b}[31m\u{1b}[1mWARNING: This is a development server. Do not use it in a production deployment.\u{1b}[0m",
            true,
        ),
        (
            "\u{1b}[38;5;208mfrontend-1       |\u{1b}[0m \u{1b}[38;2;97;218;251mCompiled successfully!\u{1b}[0m \u{1b}[4mhttp://localhost:3000\u{1b}[0m",
            false,
        ),
        (
            "\u{1b}[35mxray-daemon-1    |\u{1b}[0m 2026-11-23T15:20:14Z [Info] Successfully sent batch of 1 segments (0.084 seconds)",
            false,
        ),
        (
            "\u{1b}[36mbackend-flask-1  |\u{1b}[0m 192.168.229.1 - - [23/Nov/2026 15:20:13] \"\u{1b}[37mGET /api/activities/home HTTP/1.1\u{1b}[0m\" 200 -",
            true,
        ),
        (
            "\u{1b}[36mbackend-flask-1  |\u{1b}[0m 192.168.229.1 - - [23/Nov/2026 15:20:19] \"\u{1b}[35m\u{1b}[1mGET /api/activities/@andrewbrown HTTP/1.1\u{1b}[0m\" 500 -",
            true,
        ),
        ("", false),
        (
            "\u{1b}[30;42m PASS \u{1b}[0m \u{1b}[2msrc/\u{1b}[0mApp.test.js   \u{1b}[41;97m FAIL \u{1b}[0m \u{1b}[7minverse\u{1b}[0m \u{1b}[3;4mitalic and underlined\u{1b}[0m",
            false,
        ),
        ("\tname\tstatus\tports", false),
        ("\tdb\tUp 2 s\t0.0.0.0:5432->5432/tcp", false),
        ("日本語のログ 🚀 launched │ aligned", false),
        ("thirteen..... ✓ launched │ aligned", false),
        (
            "a very long line that goes on and on and on and on and on and on and on and on and on and on and on and on and on and on, too far",
            false,
        ),
    ];
    let lines = (0..).zip(lines).map(|(i, (text, stderr))| line(text, stderr, i * 120)).collect();
    Body::Console(Console {
        source: "docker compose up".into(),
        exit_code: Some(1),
        lines,
        more: 0,
        notes: vec!["the command was ended after 30 seconds".into()],
        origin: None,
    })
}

fn long_console() -> Body {
    let lines = (0..500).map(|i| line(&format!("INSERT 0 {i}"), i % 50 == 7, i * 10)).collect();
    Body::Console(Console {
        source: "./bin/db-seed".into(),
        exit_code: Some(0),
        lines,
        more: 1200,
        ..Console::default()
    })
}

fn traffic(requests: u32, errors: u32, faults: u32, p50: i64, p95: i64) -> Traffic {
    Traffic {
        requests,
        errors,
        faults,
        throttles: 0,
        p50: Nanos(p50 * 1_000_000),
        p95: Nanos(p95 * 1_000_000),
        max: Nanos(p95 * 2_000_000),
        total: Nanos(p50 * 1_000_000 * i64::from(requests)),
    }
}

fn node(id: u32, name: &str, kind: NodeKind, traffic: Traffic) -> MapNode {
    MapNode { id, name: name.into(), kind, traffic }
}

/// The course's service and what it calls.
pub(crate) fn service_map() -> Body {
    let nodes = vec![
        node(0, "client", NodeKind::Client, Traffic::default()),
        node(1, "backend-flask", NodeKind::Service, traffic(128, 6, 3, 24, 210)),
        node(2, "cruddur", NodeKind::Database, traffic(96, 0, 0, 8, 31)),
        node(3, "DynamoDB", NodeKind::Aws, traffic(42, 0, 0, 11, 19)),
        node(4, "cognito-idp.ca-central-1.amazonaws.com", NodeKind::Remote, traffic(12, 2, 0, 88, 140)),
        node(5, "avatars", NodeKind::Messaging, Traffic { throttles: 2, ..traffic(7, 0, 0, 5, 9) }),
        node(6, "thumbing-worker", NodeKind::Service, traffic(7, 0, 0, 640, 900)),
    ];
    let edge = |from: usize, to: usize| MapEdge {
        from: u32::try_from(from).expect("small"),
        to: u32::try_from(to).expect("small"),
        traffic: nodes[to].traffic,
    };
    let edges = vec![edge(0, 1), edge(1, 2), edge(1, 3), edge(1, 4), edge(1, 5), edge(5, 6)];
    Body::ServiceMap(ServiceMap {
        nodes,
        edges,
        traces: 128,
        start: at(0),
        end: at(900_000),
        notes: vec!["2 traces are still in progress and not counted".into()],
    })
}

/// A cycle, a node that calls itself, a neighbour and an edge to nowhere.
pub(crate) fn cyclic_map() -> Body {
    let t = traffic(20, 0, 1, 12, 44);
    let nodes = vec![
        node(0, "client", NodeKind::Client, Traffic::default()),
        node(1, "gateway", NodeKind::Service, t),
        node(2, "orders", NodeKind::Service, t),
        node(3, "payments", NodeKind::Service, t),
        node(4, "ledger", NodeKind::Database, t),
        node(5, "island", NodeKind::Service, t),
    ];
    let edges = [(0, 1), (1, 2), (1, 3), (2, 3), (3, 4), (4, 1), (3, 3), (2, 99), (1, 1)]
        .into_iter()
        .map(|(from, to)| MapEdge { from, to, traffic: t })
        .collect();
    Body::ServiceMap(ServiceMap { nodes, edges, traces: 1, start: at(0), end: at(10), notes: Vec::new() })
}

/// Five calls deep and wide.
pub(crate) fn deep_map() -> Body {
    let mut nodes = vec![node(0, "browser", NodeKind::Client, Traffic::default())];
    let mut edges = Vec::new();
    for i in 1..=26u32 {
        let kind = [NodeKind::Service, NodeKind::Remote, NodeKind::Database, NodeKind::Aws][(i % 4) as usize];
        nodes.push(node(i, &format!("service-number-{i}"), kind, traffic(i * 1_013, i % 3, 0, 12, 140)));
        edges.push(MapEdge { from: i / 3, to: i, traffic: traffic(i * 1_013, i % 3, 0, 12, 140) });
        if i > 9 {
            edges.push(MapEdge { from: i / 2, to: i, traffic: traffic(i, 0, 0, 12, 140) });
        }
    }
    Body::ServiceMap(ServiceMap { nodes, edges, traces: 9_940, start: at(0), end: at(10), notes: Vec::new() })
}

fn big_map() -> Body {
    let t = |i: u32| traffic(i, 0, 0, 1, 2);
    let mut nodes = vec![node(0, "client", NodeKind::Client, Traffic::default())];
    nodes.extend((1..300).map(|i| node(i, &format!("n{i}"), NodeKind::Service, t(i))));
    let edges = (0..3_000u32).map(|i| MapEdge { from: i * 7 % 300, to: i * 11 % 300, traffic: t(i) }).collect();
    Body::ServiceMap(ServiceMap { nodes, edges, traces: 5, start: at(0), end: at(10), notes: Vec::new() })
}

pub(crate) fn groups() -> Body {
    let group = |name: &str, expression: &str, insights: bool| Group {
        name: name.into(),
        arn: format!(
            "arn:aws:xray:ca-central-1:387543059434:group/{name}/XKZ5ZK7R4XHNV2B5L7BQX2DPC4YCTTHPL2GQXCJ4D6CI4O5PJ7RQ"
        ),
        filter_expression: expression.into(),
        insights_enabled: insights,
        notifications_enabled: false,
    };
    Body::Groups(Groups {
        groups: vec![
            group("Default", "", false),
            group("Cruddur", "service(\"backend-flask\")", true),
            group(
                "Slow-and-broken",
                "service(\"backend-flask\") AND responsetime > 0.5 AND (fault = true OR error = true) AND annotation.user_handle = \"andrewbrown\" AND NOT http.url CONTAINS \"/api/health-check\"",
                false,
            ),
        ],
        notes: Vec::new(),
    })
}

pub(crate) fn sampling_rules() -> Body {
    let rule = |name: &str, priority: u32, rate: f64, reservoir: u32| SamplingRule {
        name: name.into(),
        arn: format!("arn:aws:xray:ca-central-1:387543059434:sampling-rule/{name}"),
        priority,
        fixed_rate: rate,
        reservoir_size: reservoir,
        service_name: "*".into(),
        service_type: "*".into(),
        host: "*".into(),
        http_method: "*".into(),
        url_path: "*".into(),
        resource_arn: "*".into(),
        created: at(0),
        modified: at(5_000),
        ..SamplingRule::default()
    };
    let mut rules = vec![
        rule("Health", 50, 0.0, 0),
        rule("Cruddur", 9_000, 0.1, 5),
        rule("Checkout", 9_500, 1.0, 1),
        rule("Default", 10_000, 0.05, 1),
    ];
    rules[0].url_path = "/api/health-check".into();
    rules[0].http_method = "GET".into();
    rules[1].service_name = "backend-flask".into();
    rules[1].service_type = "AWS::ECS::Container".into();
    rules[2].attributes = [("tier".to_owned(), "gold".to_owned())].into();
    rules[2].resource_arn = "arn:aws:ecs:*".into();
    Body::SamplingRules(SamplingRules {
        rules,
        notes: vec!["rule Cruddur samples less than every request: a request that you make may leave no trace".into()],
    })
}

pub(crate) fn dossier() -> Body {
    let trace = two_services();
    let Body::Error(item) = error() else { unreachable!() };
    let joined = |by, millis, severity: &str, message: &str| JoinedLog {
        by,
        event: LogEvent { group: "backend-flask".into(), origin: LogOrigin::Otlp, ..log(millis, severity, message) },
    };
    let mut occurrence = item.occurrence;
    occurrence.title = "TypeError: 'NoneType' object is not iterable".into();
    Body::Dossier(Box::new(Dossier {
        trace_id: trace.trace_id,
        trace,
        logs: vec![
            joined(Join::TraceId, 15, "INFO", "home activities for andrewbrown"),
            joined(Join::TraceId, 83, "DEBUG", "SELECT likes.* FROM public.likes WHERE likes.activity_uuid = ANY(%s)"),
            joined(
                Join::TraceId,
                122,
                "ERROR",
                "Exception on /api/activities/home [GET]\nTraceback (most recent call last):\n  File \"app.py\", line 141",
            ),
        ],
        errors: vec![JoinedError { by: Join::Header, occurrence }],
        console: vec![
            JoinedLine {
                by: Join::Time,
                stream: "docker compose up".into(),
                line: line(
                    "\u{1b}[36mbackend-flask-1  |\u{1b}[0m \"GET /api/activities/home HTTP/1.1\" \u{1b}[31m500\u{1b}[0m -",
                    true,
                    139,
                ),
            },
            JoinedLine {
                by: Join::Time,
                stream: "docker compose up".into(),
                line: line("xray-daemon-1 | Successfully sent batch of 1 segments", false, 145),
            },
        ],
        notes: vec!["CloudWatch Logs: nothing names this trace".into()],
    }))
}

/// What could spill, hide or turn round.
fn harm() -> Vec<String> {
    vec![
        "</text><script>alert(1)</script> & \"quotes\"".into(),
        "tab\there\nnewline\r\n\u{0}nul\u{7}\u{202e}gnp.exe\u{200b}\u{fffe}".into(),
        "<!-- /tracebook --> </details> --> | pipe `x` @media (prefers-color-scheme:dark)".into(),
        "מסלול שלום עולם GET /api/שלום".into(),
        "日本語のとても長い名前のスパンです、はみ出さないでください、お願いします".repeat(3),
        "z\u{335}\u{336}\u{337}\u{338}\u{334}\u{333}a\u{335}\u{336}\u{337}lgo".into(),
        "\u{1b}[31mred\u{1b}[38;5;mhalf\u{1b}[38;2;1;2mless\u{1b}[999999999999999999999m\u{1b}[;;;;;;m\u{1b}]0;title\u{7}\u{1b}[".into(),
        "\u{202e}".repeat(400),
        "x".repeat(3_000),
        "\u{1b}[1m".repeat(700),
        "🚀".repeat(600),
        String::new(),
    ]
}

pub(crate) fn hostile() -> Vec<(&'static str, Body)> {
    let harm = harm();
    let attributes: Vec<Attribute> = harm.iter().map(|h| Attribute::new(h.clone(), h.clone())).collect();
    let event = |(i, h): (usize, &String)| LogEvent {
        timestamp: Nanos([i64::MIN, 0, T0, i64::MAX][i % 4]),
        group: h.clone(),
        stream: h.clone(),
        message: h.clone(),
        severity: h.clone(),
        trace_id: (i % 2 == 0).then(|| trace_id(1)),
        attributes: attributes.iter().take(7).cloned().collect(),
        ..LogEvent::default()
    };
    let events: Vec<LogEvent> = harm.iter().enumerate().map(event).collect();
    let occurrence = Occurrence {
        uuid: harm[0].clone(),
        item: harm[1].clone(),
        title: harm[1].clone(),
        level: Level::Critical,
        timestamp: Nanos(i64::MIN),
        environment: harm[2].clone(),
        context: harm[4].clone(),
        traces: harm
            .iter()
            .map(|h| ErrorTrace {
                class: h.clone(),
                message: h.clone(),
                frames: harm
                    .iter()
                    .map(|h| CodeFrame {
                        filename: h.clone(),
                        lineno: Some(u32::MAX),
                        method: h.clone(),
                        colno: Some(u32::MAX),
                        code: h.clone(),
                        pre: harm.clone(),
                        post: harm.clone(),
                        args: attributes.iter().skip(7).take(7).cloned().collect(),
                        locals: attributes.iter().take(7).cloned().collect(),
                    })
                    .collect(),
            })
            .collect(),
        message: harm[8].clone(),
        person: Some(Person { id: harm[8].clone(), username: Some(harm[3].clone()), email: Some(harm[0].clone()) }),
        request: attributes.clone(),
        custom: attributes.clone(),
        other: attributes.clone(),
        notes: harm.clone(),
    };
    let lines: Vec<ConsoleLine> =
        harm.iter().map(|h| ConsoleLine { text: h.clone(), stderr: true, time: Some(Nanos(i64::MAX)) }).collect();
    let most = Traffic {
        requests: u32::MAX,
        errors: u32::MAX,
        faults: u32::MAX,
        throttles: u32::MAX,
        p50: Nanos(i64::MIN),
        p95: Nanos(i64::MAX),
        max: Nanos(i64::MAX),
        total: Nanos(i64::MIN),
    };
    let nodes: Vec<MapNode> = (0..).zip(&harm).map(|(i, h)| node(i / 2, h, NodeKind::Service, most)).collect();
    let edges = (0..200).map(|i| MapEdge { from: i % 7, to: i * i % 11, traffic: most }).collect();
    let rules = harm
        .iter()
        .map(|h| SamplingRule {
            name: h.clone(),
            arn: h.clone(),
            priority: u32::MAX,
            fixed_rate: -1e308,
            reservoir_size: u32::MAX,
            service_name: h.clone(),
            service_type: h.clone(),
            host: h.clone(),
            http_method: h.clone(),
            url_path: h.clone(),
            resource_arn: h.clone(),
            attributes: harm.iter().map(|h| (h.clone(), h.clone())).collect(),
            created: Nanos(i64::MIN),
            modified: Nanos(i64::MAX),
        })
        .collect();
    vec![
        ("hostile_logs", Body::Logs(Logs { events: events.clone(), more: u32::MAX, notes: harm.clone() })),
        (
            "hostile_error",
            Body::Error(Box::new(ErrorItem {
                item: harm[8].clone(),
                title: harm[1].clone(),
                level: Level::Critical,
                occurrences: u32::MAX,
                first: Nanos(i64::MIN),
                last: Nanos(i64::MAX),
                environment: harm[3].clone(),
                people: u32::MAX,
                occurrence: occurrence.clone(),
                others: harm
                    .iter()
                    .map(|h| OccurrenceRow { uuid: h.clone(), timestamp: Nanos(0), person: h.clone() })
                    .collect(),
                varies: harm
                    .iter()
                    .map(|h| Varied {
                        name: h.clone(),
                        values: harm.iter().map(|h| VariedValue { value: h.clone(), occurrences: u32::MAX }).collect(),
                        more: u32::MAX,
                    })
                    .collect(),
            })),
        ),
        (
            "hostile_console",
            Body::Console(Console {
                source: harm[1].clone(),
                exit_code: Some(i32::MIN),
                lines: lines.clone(),
                more: u32::MAX,
                notes: harm.clone(),
                origin: None,
            }),
        ),
        (
            "hostile_map",
            Body::ServiceMap(ServiceMap {
                nodes,
                edges,
                traces: u32::MAX,
                start: Nanos(i64::MAX),
                end: Nanos(i64::MIN),
                notes: harm.clone(),
            }),
        ),
        (
            "hostile_groups",
            Body::Groups(Groups {
                groups: harm
                    .iter()
                    .map(|h| Group {
                        name: h.clone(),
                        arn: h.clone(),
                        filter_expression: h.clone(),
                        insights_enabled: true,
                        notifications_enabled: true,
                    })
                    .collect(),
                notes: harm.clone(),
            }),
        ),
        (
            "hostile_query",
            Body::Query(Box::new(QueryResult {
                language: QueryLanguage::Honeycomb,
                name: harm[0].clone(),
                query: harm.join("\n"),
                groups: harm.clone(),
                start: Nanos(i64::MAX),
                end: Nanos(i64::MIN),
                columns: harm.clone(),
                rows: vec![harm.clone(), Vec::new(), harm.iter().chain(&harm).cloned().collect()],
                more: u32::MAX,
                statistics: attributes.clone(),
                notes: harm.clone(),
            })),
        ),
        ("hostile_rules", Body::SamplingRules(SamplingRules { rules, notes: harm.clone() })),
        (
            "hostile_dossier",
            Body::Dossier(Box::new(Dossier {
                trace_id: trace_id(1),
                trace: nasty(),
                logs: events.into_iter().map(|event| JoinedLog { by: Join::Time, event }).collect(),
                errors: vec![JoinedError { by: Join::Time, occurrence }],
                console: lines
                    .into_iter()
                    .map(|line| JoinedLine { by: Join::Time, stream: harm[1].clone(), line })
                    .collect(),
                notes: harm,
            })),
        ),
    ]
}

pub(crate) fn empty() -> Vec<(&'static str, Body)> {
    vec![
        ("empty_logs", Body::Logs(Logs::default())),
        ("empty_error", Body::Error(Box::default())),
        ("empty_console", Body::Console(Console::default())),
        ("empty_map", Body::ServiceMap(ServiceMap::default())),
        ("empty_groups", Body::Groups(Groups::default())),
        ("empty_rules", Body::SamplingRules(SamplingRules::default())),
        (
            "empty_dossier",
            Body::Dossier(Box::new(Dossier {
                trace_id: trace_id(1),
                trace: whole(vec![]),
                logs: Vec::new(),
                errors: Vec::new(),
                console: Vec::new(),
                notes: Vec::new(),
            })),
        ),
    ]
}

/// What a journal would hold.
pub(crate) fn fair() -> Vec<(&'static str, Body)> {
    vec![
        ("cloudwatch", cloudwatch()),
        ("logs", logs()),
        ("error", error()),
        ("varied_error", varied_error()),
        ("message", hello()),
        ("console", console()),
        ("map", service_map()),
        ("cyclic_map", cyclic_map()),
        ("deep_map", deep_map()),
        ("groups", groups()),
        ("rules", sampling_rules()),
        ("query", query()),
        ("series", series()),
        ("grouped_series", grouped_series()),
        ("dossier", dossier()),
    ]
}

fn binned(query: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Body {
    Body::Query(Box::new(QueryResult {
        language: QueryLanguage::Insights,
        query: query.into(),
        groups: vec!["cruddur".into()],
        start: at(0),
        end: at(3_600_000),
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        rows,
        ..QueryResult::default()
    }))
}

/// Counts in bins, newest first, and one bin without events.
pub(crate) fn series() -> Body {
    let row = |i: usize| {
        let n = (i * 37 + i * i * 11) % 240;
        vec![format!("2026-11-23 15:{:02}:00.000", i * 5), n.to_string(), format!("{}.5", n * 3)]
    };
    let query = "filter @message like /GET/\n| stats count(*) as requests, avg(ms) by bin(5m) as time";
    binned(query, &["time", "requests", "avg(ms)"], (0..12).rev().filter(|i| *i != 7).map(row).collect())
}

/// Counts in bins of several paths.
pub(crate) fn grouped_series() -> Body {
    let paths = ["/api/activities/home", "/api/activities/notifications", "/api/message_groups"];
    let rows = (0..12).flat_map(|i| {
        paths.iter().enumerate().filter(move |(p, _)| (i + p) % 7 != 3).map(move |(p, path)| {
            let n = 20 + (i * (p + 3) * 7) % (90 + 40 * p);
            vec![format!("2026-11-23 15:{:02}:00.000", i * 5), (*path).to_owned(), n.to_string()]
        })
    });
    binned("stats count(*) as requests by bin(5m), path", &["bin(5m)", "path", "requests"], rows.collect())
}

/// Logs Insights as the course asks it: who asked for what, and how often.
pub(crate) fn query() -> Body {
    let row = |path: &str, status: &str, n: &str| vec![path.to_owned(), status.to_owned(), n.to_owned()];
    Body::Query(Box::new(QueryResult {
        language: QueryLanguage::Insights,
        name: "requests by path".into(),
        query: "fields @timestamp, @message\n| parse @message \"* http *? *\" as head, path, status\n| stats count(*) as requests by path, status\n| sort requests desc".into(),
        groups: vec!["cruddur".into()],
        start: at(0),
        end: at(3_600_000),
        columns: ["path", "status", "requests"].map(str::to_owned).to_vec(),
        rows: vec![
            row("/api/activities/home", "200 OK", "1204"),
            row("/api/activities/notifications", "200 OK", "318"),
            row("/api/activities/search", "", "41"),
            row("/favicon.ico", "404 NOT FOUND", "7"),
        ],
        statistics: vec![
            Attribute::new("recordsMatched", 1_570),
            Attribute::new("recordsScanned", 20_117),
            Attribute::new("bytesScanned", 2_411_724),
        ],
        ..QueryResult::default()
    }))
}

/// A million characters where one line is expected.
fn million() -> Vec<(&'static str, Body)> {
    let texts =
        ["x".repeat(1_000_000), "\n".repeat(1_000_000), "\u{1b}[1mx".repeat(200_000), "\u{301}".repeat(500_000)];
    let logs = Logs { events: texts.iter().map(|t| log(0, "INFO", t)).collect(), ..Logs::default() };
    let lines = texts.iter().map(|t| line(t, false, 0)).collect();
    vec![
        ("million_logs", Body::Logs(logs)),
        ("million_console", Body::Console(Console { source: texts[0].clone(), lines, ..Console::default() })),
    ]
}

pub(crate) fn large() -> Vec<(&'static str, Body)> {
    vec![
        ("many_logs", many_logs()),
        ("long_console", long_console()),
        ("many_errors", many_errors()),
        ("repeated_tracebacks", repeated_tracebacks()),
        ("big_map", big_map()),
    ]
}

pub(crate) fn every() -> Vec<(&'static str, Body)> {
    [fair(), large(), empty(), million(), hostile()].concat()
}

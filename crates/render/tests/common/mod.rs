//! Traces as the course's services send them, built by hand.

pub(crate) mod kinds;

use tracebook_core::assemble::{LooseSpan, assemble};
use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::freeze::{self, Click, Origin};
use tracebook_core::ids::{Id, SpanId, TraceId};
use tracebook_core::question::Question;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Event, Exception, Protocol, Span, SpanKind, StatusCode, Trace};
use tracebook_core::value::Attribute;

pub(crate) const ID: &str = "01JD4ZK8S7M5V9TQ2WXYB3CDEF";
pub(crate) const OTHER: &str = "01JD4ZM2Q0R4T6V8WXYZ012345";
pub(crate) const T0: i64 = 1_795_447_213_087_028_123;

pub(crate) fn id(text: &str) -> Id {
    text.parse().expect("a ULID")
}

pub(crate) fn span_id(n: u64) -> SpanId {
    SpanId((0x1b2c_3d4e_0000_0000 + n).to_be_bytes())
}

/// A span of `service`, from and for some microseconds.
pub(crate) fn span(n: u64, parent: u64, name: &str, service: &str, from: i64, micros: i64) -> Span {
    let mut span = Span::new(span_id(n), name, Protocol::Otlp, Nanos(T0 + from * 1000));
    span.parent = (parent > 0).then(|| span_id(parent));
    span.end = Some(Nanos(T0 + (from + micros) * 1000));
    span.service = service.into();
    span.kind = SpanKind::Internal;
    span
}

pub(crate) fn whole(spans: Vec<Span>) -> Trace {
    let loose = spans.into_iter().map(LooseSpan::from);
    assemble("1-69bf2d4e-1e8720b39541901950019ee5".parse::<TraceId>().expect("an id"), loose)
}

pub(crate) fn frozen_as(id_text: &str, trace: Trace) -> Frozen {
    frozen_body(id_text, Body::Trace(trace))
}

pub(crate) fn frozen_body(id_text: &str, body: Body) -> Frozen {
    let click = Click {
        id: id(id_text),
        question: Question::default(),
        captured_at: Nanos(1_795_447_300_000_000_000),
        tool: "tracebook 0.1.0".into(),
        supersedes: None,
        origin: Origin::default(),
    };
    freeze::body(body, click).expect("it has a JSON form").frozen
}

pub(crate) fn frozen(trace: Trace) -> Frozen {
    frozen_as(ID, trace)
}

fn http(span: &mut Span, method: &str, path: &str, status: i64) {
    span.attributes = vec![
        Attribute::new("http.method", method),
        Attribute::new("http.target", path),
        Attribute::new("http.status_code", status),
    ];
}

pub(crate) fn one() -> Trace {
    let mut s = span(1, 0, "GET", "backend-flask", 0, 12_400);
    s.kind = SpanKind::Server;
    http(&mut s, "GET", "/api/activities/home", 200);
    whole(vec![s])
}

/// Eight spans of two services; the last database call fails with an exception.
pub(crate) fn two_services() -> Trace {
    let mut root = span(1, 0, "GET", "frontend-react-js", 0, 148_300);
    root.kind = SpanKind::Client;
    let mut server = span(2, 1, "/api/activities/home", "backend-flask", 9_000, 131_000);
    server.kind = SpanKind::Server;
    http(&mut server, "GET", "/api/activities/home", 500);
    server.status.code = StatusCode::Error;
    let mut home = span(3, 2, "home-activities-mock-data", "backend-flask", 14_000, 112_000);
    home.attributes =
        vec![Attribute::new("app.now", "2026-11-23T15:20:13.087+00:00"), Attribute::new("app.result_length", 3)];
    let auth = span(4, 3, "verify jwt", "backend-flask", 15_200, 9_800);
    let pool = span(5, 3, "connect", "backend-flask", 26_000, 21_000);
    let mut query = span(6, 3, "SELECT activities", "backend-flask", 48_500, 31_700);
    query.attributes = vec![Attribute::new("db.system", "postgresql")];
    query.events = (0..4)
        .map(|i| Event { time: Nanos(T0 + (52_000 + i * 7_000) * 1000), name: "row".into(), ..Event::default() })
        .collect();
    let mut failed = span(7, 3, "SELECT likes", "backend-flask", 82_000, 41_500);
    failed.status.code = StatusCode::Error;
    failed.exceptions = vec![Exception {
        kind: "TypeError".into(),
        message: "'NoneType' object is not iterable".into(),
        ..Exception::default()
    }];
    failed.events = vec![Event { time: Nanos(T0 + 121_000_000), name: "exception".into(), ..Event::default() }];
    let render = span(8, 1, "render", "frontend-react-js", 140_500, 6_000);
    whole(vec![root, server, home, auth, pool, query, failed, render])
}

/// A segment with forty subsegments, one of them faulty, one still open.
pub(crate) fn xray_forty() -> Trace {
    let mut spans = vec![span(1, 0, "backend-flask", "backend-flask", 0, 420_000)];
    spans[0].kind = SpanKind::Segment;
    spans[0].attributes = vec![
        Attribute::new("http.request.method", "GET"),
        Attribute::new("http.request.url", "http://127.0.0.1:4567/api/activities/@andrewbrown"),
        Attribute::new("http.response.status", 200),
    ];
    spans[0].annotations = vec![Attribute::new("user_handle", "andrewbrown"), Attribute::new("beta", true)];
    for i in 0..40u64 {
        let parent = if i % 4 == 0 { 1 } else { 2 + (i / 4) * 4 };
        let from = 4_000 + i64::try_from(i).expect("small") * 10_000;
        let length = if i % 4 == 0 { 36_000 } else { 7_500 };
        spans.push(span(
            2 + i,
            parent,
            ["user_activities.mock-data", "dynamodb.Query", "s3.GetObject", "postgres.fetch"][(i % 4) as usize],
            "backend-flask",
            from,
            length,
        ));
    }
    spans[7].status.code = StatusCode::Fault;
    spans[7].exceptions = vec![Exception { kind: "ClientError".into(), message: "An error occurred (ResourceNotFoundException) when calling the Query operation: Requested resource not found".into(), ..Exception::default() }];
    spans[39].end = None;
    for s in &mut spans {
        s.protocol = Protocol::Xray;
    }
    whole(spans)
}

pub(crate) fn huge(n: u64) -> Trace {
    let mut spans = vec![span(1, 0, "batch", "worker", 0, 10_000_000)];
    for i in 2..=n {
        let mut s = span(
            i,
            if i % 7 == 0 { 1 } else { i / 7 * 7 },
            &format!("job {i}"),
            ["worker", "queue", "postgres"][(i % 3) as usize],
            i64::try_from(i).expect("small") * 900,
            40_000,
        );
        if s.parent == Some(s.id) || i < 7 {
            s.parent = Some(span_id(1));
        }
        if i % 3000 == 0 {
            s.status.code = StatusCode::Error;
        }
        spans.push(s);
    }
    whole(spans)
}

/// Everything that could spill, hide or turn round.
pub(crate) fn nasty() -> Trace {
    let long = "a_very_long_function_name_that_somebody_generated".repeat(4);
    let mut spans = vec![
        span(1, 0, &format!("/api/{long}"), &format!("service-{long}"), 0, 90_000),
        span(2, 1, "מסלול שלום עולם GET /api/שלום", "שירות", 5_000, 20_000),
        span(
            3,
            1,
            "🚀🚀🚀 deploy 日本語のとても長い名前のスパンです、はみ出さないでください、お願いします",
            "サービス",
            10_000,
            50_000,
        ),
        span(4, 2, "</text><script>alert(1)</script> & \"quotes\"", "a<b>&c", 15_000, 0),
        span(5, 2, "tab\there\nnewline\u{0}nul\u{202e}gnp.exe", "ctl\u{fffe}", 20_000, 9_000),
        span(6, 99, "orphan one", "lost-service", 30_000, 10_000),
        span(7, 99, "orphan two", "lost-service", 45_000, 10_000),
        span(8, 1, "ends before it starts", "backend", 60_000, -7_000),
        span(9, 1, "", "backend", 1_000_000_000_000, 0),
        span(
            10,
            3,
            "z\u{335}\u{336}\u{337}\u{338}\u{334}\u{333}a\u{335}\u{336}\u{337}lgo <!-- /tracebook --> </details> --> | pipe",
            "x",
            61_000,
            3_000,
        ),
    ];
    spans[8].start = Nanos(T0 + 85_000_000);
    spans[8].end = None;
    spans[3].status.code = StatusCode::Throttle;
    spans[3].status.message = "429 </details><!-- /tracebook --> | too many ".repeat(20);
    for i in 0..15 {
        let parent = if i == 0 { 10 } else { 19 + i };
        spans.push(span(20 + i, parent, &format!("level {i}"), "x", 61_000, 2_000));
    }
    for i in 0..12 {
        spans.push(span(50 + i, 1, "call", &format!("microservice-number-{i}"), 70_000 + i as i64 * 500, 900));
    }
    whole(spans)
}

pub(crate) fn instant() -> Trace {
    whole(vec![span(1, 0, "cron tick", "worker", 0, 0), span(2, 1, "noop", "worker", 0, 0)])
}

pub(crate) fn skewed() -> Trace {
    let mut spans = vec![
        span(1, 0, "POST /api/messages", "gateway", 40_000, 30_000),
        span(2, 1, "handle", "backend (clock 40 ms behind)", 2_000, 25_000),
        span(3, 2, "still running", "backend (clock 40 ms behind)", 9_000, 0),
    ];
    spans[2].end = None;
    whole(spans)
}

/// A list that reads its activities one by one, and a last call that is slow.
pub(crate) fn one_by_one() -> Trace {
    let mut root = span(1, 0, "GET", "backend-flask", 0, 660_000);
    root.kind = SpanKind::Server;
    http(&mut root, "GET", "/api/activities/home", 200);
    let mut spans = vec![root, span(2, 1, "load user", "backend-flask", 4_000, 18_000)];
    for i in 0..37u64 {
        let from = 30_000 + i64::try_from(i).expect("small") * 12_000;
        let mut query = span(10 + i, 1, "SELECT activities", "backend-flask", from, 11_000 + i64::from(i == 20) * 900);
        query.kind = SpanKind::Client;
        query.attributes = vec![
            Attribute::new("db.system", "postgresql"),
            Attribute::new(
                "db.statement",
                format!("SELECT * FROM activities\n WHERE uuid = {i} AND handle = 'andrewbrown'"),
            ),
            Attribute::new("net.peer.name", "db"),
        ];
        spans.push(query);
    }
    let mut call = span(60, 1, "GET", "backend-flask", 480_000, 170_000);
    call.kind = SpanKind::Client;
    call.attributes = vec![
        Attribute::new("http.request.method", "GET"),
        Attribute::new("url.full", "http://avatars.internal:8080/v1/avatars?handles=andrewbrown,bayko&size=48"),
        Attribute::new("http.response.status_code", 200i64),
        Attribute::new("user.id", "7"),
        Attribute::new("feature_flag.key", "new-avatars"),
        Attribute::new("telemetry.sdk.name", "opentelemetry"),
        Attribute::new("thread.id", 140_213i64),
    ];
    spans.push(call);
    whole(spans)
}

/// Two hundred steps, of which a late one fails.
pub(crate) fn late_error() -> Trace {
    let mut spans = vec![span(1, 0, "import journal", "worker", 0, 2_000_000)];
    for i in 2..=199u64 {
        let from = i64::try_from(i).expect("small") * 9_000;
        let name = format!(
            "read {}",
            ["page", "picture", "table", "slot", "marker"][(i % 5) as usize].repeat(1 + (i % 7) as usize)
        );
        spans.push(span(i, 1, &name, ["worker", "parser"][(i % 2) as usize], from, 400 + from / 50));
    }
    spans.push(span(200, 1, "write entry", "worker", 1_810_000, 150_000));
    let mut failed = span(201, 200, "INSERT entries", "store", 1_815_000, 120_000);
    failed.status.code = StatusCode::Error;
    failed.attributes = vec![
        Attribute::new("db.system.name", "sqlite"),
        Attribute::new("db.query.text", "INSERT INTO entries (id, slug, body) VALUES (?, ?, ?)"),
    ];
    failed.exceptions = vec![Exception {
        kind: "OperationalError".into(),
        message: "database is locked".into(),
        ..Exception::default()
    }];
    spans.push(failed);
    whole(spans)
}

/// Three attempts that were turned away, and one that was not.
pub(crate) fn retried() -> Trace {
    let mut root = span(1, 0, "POST", "checkout", 0, 1_900_000);
    root.kind = SpanKind::Server;
    http(&mut root, "POST", "/api/orders", 201);
    let mut spans = vec![root];
    for (i, status) in (0u64..).zip([503i64, 503, 503, 200]) {
        let mut call =
            span(2 + i, 1, "POST", "checkout", 100_000 + 440_000 * i64::try_from(i).expect("small"), 120_000);
        call.kind = SpanKind::Client;
        call.attributes = vec![
            Attribute::new("http.request.method", "POST"),
            Attribute::new("url.full", "https://pay.example.com/v2/charges"),
            Attribute::new("http.response.status_code", status),
        ];
        if status >= 400 {
            call.status.code = StatusCode::Error;
        }
        spans.push(call);
    }
    whole(spans)
}

/// Twenty-one services, and the three ways to fail.
pub(crate) fn fleet() -> Trace {
    let mut spans = vec![span(1, 0, "GET /feed", "gateway", 0, 200_000)];
    for i in 2..=21u64 {
        let from = i64::try_from(i).expect("small") * 8_000;
        let mut call =
            span(i, if i % 4 == 0 { i - 1 } else { 1 }, &format!("call {i}"), &format!("service-{i:02}"), from, 24_000);
        call.kind = SpanKind::Server;
        match i {
            5 => call.status.code = StatusCode::Throttle,
            9 => call.status.code = StatusCode::Fault,
            13 => call.status.code = StatusCode::Error,
            _ => {}
        }
        spans.push(call);
    }
    whole(spans)
}

/// A child whose clock is 400 ms behind.
pub(crate) fn clocks_differ() -> Trace {
    let mut root = span(1, 0, "GET", "gateway", 400_000, 180_000);
    root.kind = SpanKind::Server;
    http(&mut root, "GET", "/api/messages", 200);
    let mut child = span(2, 1, "GET /messages", "messages", 0, 150_000);
    child.kind = SpanKind::Server;
    whole(vec![root, child])
}

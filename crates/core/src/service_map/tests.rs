use super::*;
use crate::assemble::{LooseSpan, assemble};
use crate::ids::{SpanId, TraceId};
use crate::trace::{Protocol, Span, SpanKind, StatusCode, Trace};
use crate::value::Attribute;
use proptest::prelude::*;

const MS: i64 = 1_000_000;

/// A span from `start` to `end` milliseconds.
fn span(id: u8, parent: u8, kind: SpanKind, service: &str, start: i64, end: i64) -> Span {
    let protocol = match kind {
        SpanKind::Segment | SpanKind::Subsegment => Protocol::Xray,
        _ => Protocol::Otlp,
    };
    let mut span = Span::new(SpanId([id; 8]), format!("span {id}"), protocol, Nanos(start * MS));
    span.parent = (parent > 0).then_some(SpanId([parent; 8]));
    span.kind = kind;
    span.service = service.to_owned();
    span.end = Some(Nanos(end * MS));
    span
}

fn with(mut span: Span, attributes: &[(&str, &str)]) -> Span {
    span.attributes = attributes.iter().map(|(key, value)| Attribute::new(*key, *value)).collect();
    span
}

/// An X-Ray subsegment of a call, named as normalising does.
fn remote(id: u8, parent: u8, namespace: &str, name: &str, start: i64, end: i64) -> Span {
    let mut span = with(span(id, parent, SpanKind::Subsegment, name, start, end), &[("namespace", namespace)]);
    span.name = name.to_owned();
    span
}

fn trace(n: u8, spans: Vec<Span>) -> Trace {
    assemble(TraceId([n; 16]), spans.into_iter().map(LooseSpan::from))
}

fn shown(map: &ServiceMap) -> (Vec<String>, Vec<String>) {
    let nodes = map.nodes.iter().map(|n| format!("{:?} {} {}", n.kind, n.name, n.traffic.requests)).collect();
    let name = |id: u32| &map.nodes[id as usize].name;
    let edges = map.edges.iter().map(|e| format!("{} > {} {}", name(e.from), name(e.to), e.traffic.requests)).collect();
    (nodes, edges)
}

fn of_one(spans: Vec<Span>) -> (Vec<String>, Vec<String>, Vec<String>) {
    let map = of([trace(1, spans)].iter());
    let (nodes, edges) = shown(&map);
    (nodes, edges, map.notes)
}

#[test]
fn a_request_through_two_services_to_a_database_and_another_host() {
    use SpanKind::{Client, Internal, Server};
    let mut failed =
        with(span(5, 4, Client, "backend", 22, 28), &[("db.system", "postgresql"), ("db.name", "cruddur")]);
    failed.status.code = StatusCode::Error;
    let (nodes, edges, notes) = of_one(vec![
        span(1, 0, Server, "web", 0, 50),
        span(2, 1, Client, "web", 10, 40),
        span(3, 2, Server, "backend", 12, 38),
        span(4, 3, Internal, "backend", 20, 30),
        failed,
        with(span(6, 3, Client, "backend", 31, 33), &[("http.url", "https://u:p@api.example.com:8443/v1?x=1")]),
        // The library below the library: one call.
        with(span(7, 6, Client, "backend", 31, 33), &[("net.peer.name", "api.example.com")]),
        with(span(8, 3, Client, "backend", 34, 35), &[("rpc.system", "aws-api"), ("rpc.service", "S3")]),
        with(span(9, 3, SpanKind::Producer, "backend", 36, 37), &[("messaging.system", "kafka")]),
    ]);
    assert_eq!(
        nodes,
        [
            "Client client 0",
            "Service web 1",
            "Service backend 1",
            "Remote api.example.com:8443 1",
            "Database cruddur 1",
            "Aws S3 1",
            "Messaging kafka 1"
        ]
    );
    assert_eq!(
        edges,
        [
            "client > web 1",
            "web > backend 1",
            "backend > api.example.com:8443 1",
            "backend > cruddur 1",
            "backend > S3 1",
            "backend > kafka 1"
        ]
    );
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn an_xray_fan_out_belongs_to_the_caller() {
    use SpanKind::{Segment, Subsegment};
    let (nodes, edges, _) = of_one(vec![
        span(1, 0, Segment, "frontend", 0, 100),
        span(2, 1, Subsegment, "", 1, 90),
        remote(3, 2, "remote", "backend.local", 2, 40),
        span(4, 3, Segment, "backend", 5, 35),
        remote(5, 2, "remote", "other.example.com", 41, 50),
        remote(6, 4, "aws", "dynamodb", 6, 9),
        remote(7, 4, "aws", "dynamodb", 10, 12),
        with(remote(8, 4, "remote", "cruddur@db", 13, 14), &[("namespace", "remote"), ("sql.url", "x")]),
    ]);
    assert_eq!(
        nodes,
        [
            "Client client 0",
            "Service frontend 1",
            "Service backend 1",
            "Remote other.example.com 1",
            "Database cruddur@db 1",
            "Aws dynamodb 2"
        ]
    );
    assert_eq!(
        edges,
        [
            "client > frontend 1",
            "frontend > backend 1",
            "frontend > other.example.com 1",
            "backend > cruddur@db 1",
            "backend > dynamodb 2"
        ]
    );
}

#[test]
fn a_service_with_both_sdks_handles_each_request_once() {
    use SpanKind::{Segment, Server, Subsegment};
    let mut segment = span(1, 0, Segment, "backend", 1, 49);
    segment.status.code = StatusCode::Fault;
    let mut server = span(2, 9, Server, "backend", 0, 50);
    server.status.code = StatusCode::Error;
    let map = of([trace(1, vec![segment, span(3, 1, Subsegment, "", 2, 3), server])].iter());
    assert_eq!(shown(&map).1, ["client > backend 1"]);
    assert_eq!((map.nodes[1].traffic.faults, map.nodes[1].traffic.errors), (1, 0));
    assert_eq!(map.notes, ["1 call was reported by both X-Ray and OpenTelemetry and is counted once"]);

    // Not at the same time: two requests.
    let (nodes, ..) = of_one(vec![span(1, 0, Segment, "backend", 0, 10), span(2, 9, Server, "backend", 20, 30)]);
    assert_eq!(nodes[1], "Service backend 2");
}

#[test]
fn an_otlp_caller_and_an_xray_callee_are_two_services_of_one_map() {
    use SpanKind::{Client, Segment, Server};
    let (_, edges, notes) = of_one(vec![
        span(1, 0, Server, "web", 0, 50),
        span(2, 1, Client, "web", 10, 40),
        span(3, 2, Segment, "backend", 12, 38),
    ]);
    assert_eq!(edges, ["client > web 1", "web > backend 1"]);
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn kinds_of_failure_are_distinguished() {
    use SpanKind::{Segment, Server};
    let http = |id, status: i64, code| {
        let mut span = span(id, 0, Server, "backend", 0, 10);
        span.attributes = vec![Attribute::new("http.status_code", status)];
        span.status.code = code;
        span
    };
    let mut spans = vec![
        http(1, 500, StatusCode::Error),
        http(2, 404, StatusCode::Unset),
        http(3, 429, StatusCode::Error),
        http(4, 200, StatusCode::Unset),
        http(5, 200, StatusCode::Error),
    ];
    for (id, code) in [(6, StatusCode::Fault), (7, StatusCode::Error), (8, StatusCode::Throttle), (9, StatusCode::Ok)] {
        let mut segment = span(id, 0, Segment, "backend", 100, 110);
        segment.status.code = code;
        spans.push(segment);
    }
    let map = of(spans
        .into_iter()
        .enumerate()
        .map(|(i, s)| trace(u8::try_from(i + 1).expect("few"), vec![s]))
        .collect::<Vec<_>>()
        .iter());
    let t = map.nodes[1].traffic;
    assert_eq!((t.requests, t.faults, t.errors, t.throttles), (9, 2, 3, 2));
    assert_eq!(map.edges[0].traffic, t);
}

#[test]
fn edges_have_the_callers_durations() {
    use SpanKind::{Client, Server};
    let map = of([trace(
        1,
        vec![
            span(1, 0, Client, "web", 10, 40),
            span(2, 1, Server, "backend", 12, 38),
            span(3, 1, Server, "backend", 20, 21),
        ],
    )]
    .iter());
    let edge = map.edges[0].traffic;
    assert_eq!((edge.requests, edge.max, edge.total), (2, Nanos(30 * MS), Nanos(31 * MS)));
    let backend = map.nodes.iter().find(|n| n.name == "backend").expect("there").traffic;
    assert_eq!((backend.max, backend.total), (Nanos(26 * MS), Nanos(27 * MS)));
}

#[test]
fn percentiles_use_the_nearest_rank() {
    let traces: Vec<Trace> =
        (1..=20).map(|n| trace(n, vec![span(1, 0, SpanKind::Server, "s", 0, i64::from(n))])).collect();
    let t = of(traces.iter()).nodes[1].traffic;
    assert_eq!((t.p50, t.p95, t.max, t.total), (Nanos(10 * MS), Nanos(19 * MS), Nanos(20 * MS), Nanos(210 * MS)));
    let one = of(traces[..1].iter()).nodes[1].traffic;
    assert_eq!((one.p50, one.p95, one.max), (Nanos(MS), Nanos(MS), Nanos(MS)));
    assert_eq!(of([].iter()), ServiceMap::default());
}

#[test]
fn incomplete_cyclic_and_self_calls_are_noted() {
    use SpanKind::{Client, Internal, Segment, Server, Subsegment};
    let mut open = span(1, 0, Segment, "backend", 0, 0);
    open.end = None;
    let (nodes, edges, notes) = of_one(vec![open]);
    assert_eq!(
        (nodes, edges),
        (vec!["Client client 0".into(), "Service backend 1".into()], vec!["client > backend 1".into()])
    );
    assert_eq!(notes, ["1 trace was still in progress"]);

    let (nodes, edges, notes) =
        of_one(vec![span(1, 0, Server, "a", 0, 9), span(2, 1, Client, "a", 1, 8), span(3, 2, Server, "a", 2, 7)]);
    assert_eq!((nodes, edges), (vec!["Client client 0".into(), "Service a 2".into()], vec!["client > a 1".into()]));
    assert_eq!(notes, ["1 call of a service to itself is counted at the service and has no arrow"]);

    // A subsegment that came before its segment knows no service; an inner span without its parent is no request.
    let (nodes, edges, _) = of_one(vec![span(1, 9, Subsegment, "", 0, 1), span(2, 8, Internal, "a", 0, 1)]);
    assert_eq!((nodes, edges), (vec!["Service a 0".into()], Vec::new()));
    let (_, edges, _) = of_one(vec![span(1, 9, Server, "a", 0, 1)]);
    assert_eq!(edges, ["client > a 1"], "whoever called sent nothing");

    // Services that call each other in turn, with nobody outside, and spans that are their own parents.
    let (nodes, edges, _) = of_one(vec![
        span(1, 1, Server, "a", 0, 9),
        span(2, 1, Server, "b", 1, 8),
        span(3, 2, Server, "a", 2, 7),
        span(4, 5, Internal, "c", 2, 7),
        span(5, 4, Internal, "d", 2, 7),
    ]);
    assert_eq!(edges, ["client > a 1", "a > b 1", "b > a 1", "c > d 1"]);
    assert_eq!(nodes.len(), 5);
}

#[test]
fn a_job_without_a_caller_has_no_client() {
    let call = with(span(2, 1, SpanKind::Client, "worker", 1, 2), &[("server.address", "example.com")]);
    let (nodes, edges, _) = of_one(vec![span(1, 0, SpanKind::Internal, "worker", 0, 9), call]);
    assert_eq!(nodes, ["Service worker 1", "Remote example.com 1"]);
    assert_eq!(edges, ["worker > example.com 1"]);
}

#[test]
fn a_span_that_names_no_destination_has_no_node() {
    let (nodes, edges, notes) = of_one(vec![
        span(1, 0, SpanKind::Internal, "worker", 0, 9),
        span(2, 1, SpanKind::Client, "worker", 1, 2),
        span(3, 1, SpanKind::Producer, "worker", 2, 3),
        remote(4, 1, "remote", "load row", 3, 4),
        span(5, 1, SpanKind::Internal, "worker", 4, 5),
    ]);
    assert_eq!((nodes, edges), (vec!["Service worker 1".to_owned()], Vec::new()));
    assert_eq!(notes, ["3 calls name no destination and have no node"]);
}

proptest! {
    #[test]
    fn any_trace_makes_a_map_that_holds_together(
        parts in prop::collection::vec((0u8..12, 0u8..7, 0u8..4, 0i64..50, 0i64..50, any::<bool>()), 0..12),
    ) {
        use SpanKind::{Client, Consumer, Internal, Producer, Segment, Server, Subsegment};
        let kinds = [Internal, Server, Client, Producer, Consumer, Segment, Subsegment];
        let spans: Vec<Span> = parts.iter().enumerate().map(|(i, (parent, kind, service, start, end, remote))| {
            let id = u8::try_from(i + 1).expect("few");
            let mut span = span(id, *parent, kinds[usize::from(*kind)], ["", "a", "b", "c"][usize::from(*service)], *start, *end);
            if *remote {
                span.attributes = vec![Attribute::new("namespace", "remote")];
                span.end = None;
            }
            span
        }).collect();
        let traces: Vec<Trace> = spans.chunks(5).enumerate().map(|(i, some)| trace(u8::try_from(i + 1).expect("few"), some.to_vec())).collect();
        let map = of(traces.iter());
        prop_assert_eq!(&of(traces.iter().rev()), &map);
        let count = u32::try_from(map.nodes.len()).expect("few");
        for (i, node) in map.nodes.iter().enumerate() {
            prop_assert_eq!(node.id as usize, i);
            let t = node.traffic;
            prop_assert!(t.p50 <= t.p95 && t.p95 <= t.max && t.max <= t.total);
            prop_assert!(t.errors + t.faults + t.throttles <= t.requests);
            let arriving: u32 = map.edges.iter().filter(|e| e.to == node.id).map(|e| e.traffic.requests).sum();
            prop_assert!(arriving <= t.requests);
        }
        for edge in &map.edges {
            prop_assert!(edge.from < count && edge.to < count && edge.from != edge.to && edge.traffic.requests > 0);
        }
    }
}

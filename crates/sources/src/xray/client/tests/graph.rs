use serde_json::{Value, json};
use tracebook_core::service_map::NodeKind;
use tracebook_core::time::Nanos;

use super::{Fake, NOON, Reply, at, id, range, watched};
use crate::cloud::{Api, Fault, Fetch};

/// As in <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-gettingdata.html>, shortened.
fn statistics(ok: i64, errors: i64, throttles: i64, faults: i64, seconds: f64) -> Value {
    json!({
        "OkCount": ok,
        "ErrorStatistics": {"ThrottleCount": throttles, "OtherCount": errors, "TotalCount": errors + throttles},
        "FaultStatistics": {"OtherCount": faults, "TotalCount": faults},
        "TotalCount": ok + errors + throttles + faults,
        "TotalResponseTime": seconds,
    })
}

fn edge(to: u32, statistics: Value, histogram: Value) -> Value {
    json!({
        "ReferenceId": to, "StartTime": NOON, "EndTime": NOON + 60, "SummaryStatistics": statistics,
        "ResponseTimeHistogram": histogram, "Aliases": [],
    })
}

fn service(id: u32, name: &str, kind: Option<&str>, edges: Value, statistics: Option<Value>) -> Value {
    let mut service = json!({
        "ReferenceId": id, "Name": name, "Names": [name], "State": "active", "StartTime": NOON, "EndTime": NOON + 60,
        "Edges": edges, "DurationHistogram": [], "ResponseTimeHistogram": [],
    });
    if let Some(kind) = kind {
        service["Type"] = json!(kind);
    }
    if let Some(statistics) = statistics {
        service["SummaryStatistics"] = statistics;
        service["ResponseTimeHistogram"] =
            json!([{"Value": 0.05, "Count": 9}, {"Value": 0.2, "Count": 10}, {"Value": 1.5, "Count": 1}]);
    }
    service
}

fn page(token: Option<&str>) -> Value {
    match token {
        None => json!({
            "StartTime": NOON, "EndTime": NOON + 60, "ContainsOldGroupVersions": true, "NextToken": "p2",
            "Services": [
                service(0, "dynamodb", Some("AWS::DynamoDB::Table"), json!([]), None),
                service(1, "backend-flask", Some("AWS::ECS::Container"), json!([
                    edge(0, statistics(20, 0, 1, 0, 0.4), json!([{"Value": 0.004, "Count": 21}])),
                    {"ReferenceId": 3, "EdgeType": "link", "SummaryStatistics": statistics(1, 0, 0, 0, 0.1)},
                ]), Some(statistics(15, 2, 1, 2, 4.25))),
            ],
        }),
        Some("p2") => json!({
            "ContainsOldGroupVersions": false,
            "Services": [
                service(2, "backend-flask", Some("client"), json!([edge(1, statistics(15, 2, 1, 2, 4.25), json!([]))]), None),
                service(3, "jobs", Some("AWS::SQS::Queue"), json!([]), None),
            ],
        }),
        Some(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_service_map_is_read_from_all_pages() {
    let fake = Fake::start(|_, body, _| Reply::Json(page(body["NextToken"].as_str()))).await;
    let (fetch, _, told) = watched();
    let map = fake.client().await.service_map(&range(0, 60), Some("Cruddur"), &fetch).await.expect("answers");
    let nodes: Vec<(u32, &str, NodeKind)> = map.nodes.iter().map(|n| (n.id, n.name.as_str(), n.kind)).collect();
    assert_eq!(
        nodes,
        [
            (0, "client", NodeKind::Client),
            (1, "backend-flask", NodeKind::Service),
            (2, "dynamodb", NodeKind::Aws),
            (3, "jobs", NodeKind::Messaging),
        ]
    );
    let edges: Vec<(u32, u32, u32)> = map.edges.iter().map(|e| (e.from, e.to, e.traffic.requests)).collect();
    assert_eq!(edges, [(0, 1, 20), (1, 2, 21), (1, 3, 1)]);
    let traffic = map.nodes[1].traffic;
    assert_eq!((traffic.requests, traffic.errors, traffic.throttles, traffic.faults), (20, 2, 1, 2));
    let ms = |n: i64| Nanos(n * 1_000_000);
    assert_eq!((traffic.p50, traffic.p95, traffic.max, traffic.total), (ms(200), ms(200), ms(1_500), ms(4_250)));
    assert_eq!(map.edges[1].traffic.p95, ms(4));
    assert_eq!((map.traces, map.start, map.end), (20, at(0), at(60)));
    assert_eq!(
        map.notes,
        [
            "the group's filter changed within the range: some calls are from the older one",
            "percentiles are approximate: X-Ray's histograms group response times",
            "1 connection to later work in a trace of its own",
            "X-Ray does not report the number of traces: requests from clients are counted instead",
        ]
    );
    assert_eq!(
        fake.asked("/ServiceGraph")[0],
        json!({"StartTime": NOON, "EndTime": NOON + 60, "GroupName": "Cruddur"})
    );
    assert_eq!((told.calls(Api::XRAY_GRAPH), told.last().pages), (2, 2));
}

#[tokio::test]
async fn a_long_range_is_merged() {
    // Service numbers are local to a response.
    let fake = Fake::start(|_, _, before| {
        let (a, b) = if before == 0 { (0, 1) } else { (1, 0) };
        Reply::Json(json!({"Services": [
            service(a, "backend-flask", None, json!([edge(b, statistics(2, 0, 0, 0, 0.5), json!([]))]), Some(statistics(20, 0, 0, 0, 1.0))),
            service(b, "cruddur", Some("Database::SQL"), json!([]), None),
        ]}))
    })
    .await;
    let map =
        fake.client().await.service_map(&range(-12 * 3_600, 0), None, &Fetch::unattended()).await.expect("answers");
    assert_eq!(fake.asked("/ServiceGraph").len(), 2);
    assert_eq!((map.nodes.len(), map.nodes[0].traffic.requests, map.edges.len()), (2, 40, 1));
    assert_eq!((map.edges[0].traffic.requests, map.edges[0].traffic.total), (4, Nanos(1_000_000_000)));
    assert_eq!(map.nodes[1].kind, NodeKind::Database);
    let backwards = fake.client().await.service_map(&range(0, 0), None, &Fetch::unattended()).await;
    assert_eq!(backwards.expect_err("no range").fault, Fault::Invalid);
}

#[tokio::test]
async fn an_empty_map_has_the_requested_range() {
    // The response of moto 5.2.5, always.
    let fake = Fake::start(|_, _, _| Reply::Json(json!({"StartTime": 0, "EndTime": 0, "Services": []}))).await;
    let map = fake.client().await.service_map(&range(0, 60), None, &Fetch::unattended()).await.expect("answers");
    assert!(map.nodes.is_empty() && map.notes.is_empty());
    assert_eq!((map.start, map.end, map.traces), (at(0), at(60), 0));
}

#[tokio::test]
async fn invalid_parts_of_a_map_are_left_out() {
    let fake = Fake::start(|_, _, _| {
        Reply::Json(json!({"Services": [
            {"Edges": [{"ReferenceId": 99}, {}]},
            {"ReferenceId": 1, "SummaryStatistics": {"TotalCount": -5, "TotalResponseTime": -1.0},
             "ResponseTimeHistogram": [{"Value": -1.0, "Count": 3}, {"Value": 1e300, "Count": -2}]},
        ]}))
    })
    .await;
    let map = fake.client().await.service_map(&range(0, 60), None, &Fetch::unattended()).await.expect("is read");
    assert_eq!((map.nodes.len(), map.edges.len(), map.nodes[0].traffic.requests), (1, 0, 0));
}

#[tokio::test]
async fn the_map_of_traces_is_requested_five_at_a_time() {
    let fake = Fake::start(|_, _, _| {
        Reply::Json(
            json!({"Services": [service(0, "backend-flask", None, json!([]), Some(statistics(20, 0, 0, 0, 1.0)))]}),
        )
    })
    .await;
    let asked: Vec<_> = (0..6).map(id).collect();
    let map = fake.client().await.trace_map(&asked, &Fetch::unattended()).await.expect("answers");
    assert_eq!((map.traces, map.nodes[0].traffic.requests), (6, 40));
    let sizes: Vec<usize> = fake.asked("/TraceGraph").iter().map(|body| super::ids(body).len()).collect();
    assert_eq!(sizes, [5, 1]);
}

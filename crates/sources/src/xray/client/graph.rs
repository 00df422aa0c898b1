//! Service maps from X-Ray: GetServiceGraph over a range, GetTraceGraph over traces.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_xray::types::{EdgeStatistics, HistogramEntry, Service, ServiceStatistics};
use tracebook_core::ids::TraceId;
use tracebook_core::service_map::{MapEdge, MapNode, NodeKind, Place, ServiceMap, Traffic, order};
use tracebook_core::text::count;
use tracebook_core::time::Nanos;

use super::{Client, MAX_PAGES, date, length, nanos, next};
use crate::cloud::{Api, Fault, Fetch, Progress, Range, SourceError};

/// The longest range of one request, as for lists of traces.
const CHUNK: i64 = 6 * 3_600 * 1_000_000_000;
/// X-Ray keeps a graph for 30 days.
const RETENTION: i64 = 31 * 24 * 3_600 * 1_000_000_000;
/// Ids in one request, as for BatchGetTraces.
const MAX_IDS: usize = 5;
/// The name of external clients here; X-Ray gives them the name of the service that they call.
const OUTSIDE: &str = "client";

impl Client {
    /// The service map of a range, of all traces or of a group. Ranges over six hours are requested in parts and
    /// merged.
    ///
    /// # Errors
    /// [`Fault::Invalid`] for an invalid range or a group that does not exist; errors of requests.
    pub async fn service_map(
        &self,
        range: &Range,
        group: Option<&str>,
        fetch: &Fetch,
    ) -> Result<ServiceMap, SourceError> {
        if range.from >= range.until {
            return Err(SourceError::new(Fault::Invalid, "the range ends before it begins", "Choose a later end"));
        }
        let from = range.from.max(Nanos(range.until.0.saturating_sub(RETENTION)));
        let mut sum = Sum::default();
        if from > range.from {
            sum.notes.push("X-Ray keeps service graphs for 30 days: older data was not requested".to_owned());
        }
        let (mut until, mut pages, mut old_versions) = (range.until, 0, false);
        while until > from {
            let start = from.max(Nanos(until.0.saturating_sub(CHUNK)));
            let mut services = Vec::new();
            let mut token = None::<String>;
            loop {
                let ask = || async {
                    self.sdk
                        .get_service_graph()
                        .start_time(date(start))
                        .end_time(date(until))
                        .set_group_name(group.map(str::to_owned))
                        .set_next_token(token.clone())
                        .send()
                        .await
                        .map_err(|error| self.words(error))
                };
                let page = fetch.call(Api::XRAY_GRAPH, ask).await?;
                old_versions |= page.contains_old_group_versions();
                pages += 1;
                token = next(page.next_token(), token.as_deref());
                services.extend(page.services.unwrap_or_default());
                sum.progress(pages, services.len(), fetch);
                if token.is_none() || pages >= MAX_PAGES {
                    break;
                }
            }
            sum.add(&services);
            until = start;
        }
        if old_versions {
            sum.notes.push("the group's filter changed within the range: some calls are from the older one".to_owned());
        }
        let mut map = sum.finish();
        // X-Ray gives the times of its data; without data, the range is the requested one.
        if map.nodes.is_empty() {
            (map.start, map.end) = (from, range.until);
        }
        map.traces = map
            .edges
            .iter()
            .filter(|edge| map.nodes.iter().any(|node| node.id == edge.from && node.kind == NodeKind::Client))
            .fold(0, |sum: u32, edge| sum.saturating_add(edge.traffic.requests));
        if !map.nodes.is_empty() {
            map.notes.push(
                "X-Ray does not report the number of traces: requests from clients are counted instead".to_owned(),
            );
        }
        Ok(map)
    }

    /// The service map of some traces.
    pub async fn trace_map(&self, ids: &[TraceId], fetch: &Fetch) -> Result<ServiceMap, SourceError> {
        let mut sum = Sum::default();
        let mut pages = 0;
        for ids in ids.chunks(MAX_IDS) {
            let asked: Vec<String> = ids.iter().map(|id| id.xray()).collect();
            let mut services = Vec::new();
            let mut token = None::<String>;
            loop {
                let ask = || async {
                    self.sdk
                        .get_trace_graph()
                        .set_trace_ids(Some(asked.clone()))
                        .set_next_token(token.clone())
                        .send()
                        .await
                        .map_err(|error| self.words(error))
                };
                let page = fetch.call(Api::XRAY_GRAPH, ask).await?;
                pages += 1;
                token = next(page.next_token(), token.as_deref());
                services.extend(page.services.unwrap_or_default());
                sum.progress(pages, services.len(), fetch);
                if token.is_none() || pages >= MAX_PAGES {
                    break;
                }
            }
            sum.add(&services);
        }
        let mut map = sum.finish();
        map.traces = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        Ok(map)
    }
}

/// Merged graphs. A `ReferenceId` is only valid within one graph, so nodes are identified by kind and name.
#[derive(Default)]
struct Sum {
    nodes: BTreeMap<Place, Tally>,
    edges: BTreeMap<(Place, Place), Tally>,
    times: Option<(Nanos, Nanos)>,
    links: usize,
    notes: Vec<String>,
}

/// The statistics of a node or an edge.
#[derive(Default)]
struct Tally {
    requests: i64,
    errors: i64,
    throttles: i64,
    faults: i64,
    seconds: f64,
    /// Response times in seconds, with their counts.
    histogram: Vec<(f64, i64)>,
}

impl Sum {
    fn progress(&self, pages: u32, services: usize, fetch: &Fetch) {
        let rows = u32::try_from(services.max(self.nodes.len())).unwrap_or(u32::MAX);
        fetch.progress(Progress { pages, rows, of: 0, what: "services of the map".to_owned() });
    }

    /// Adds one graph.
    fn add(&mut self, services: &[Service]) {
        let mut places: HashMap<i32, Place> = HashMap::with_capacity(services.len());
        for service in services {
            let place = place(service);
            if let Some(id) = service.reference_id() {
                places.insert(id, place.clone());
            }
            let tally = self.nodes.entry(place).or_default();
            if let Some(statistics) = service.summary_statistics() {
                tally.node(statistics);
            }
            // The time until the response if X-Ray has it, else until everything had ended.
            match service.response_time_histogram() {
                [] => tally.histogram(service.duration_histogram()),
                entries => tally.histogram(entries),
            }
            let times = service.start_time().and_then(nanos).zip(service.end_time().and_then(nanos));
            if let Some((start, end)) = times {
                let (first, last) = self.times.unwrap_or((start, end));
                self.times = Some((first.min(start), last.max(end)));
            }
        }
        for service in services {
            let from = place(service);
            for edge in service.edges() {
                let Some(to) = edge.reference_id().and_then(|id| places.get(&id)) else { continue };
                self.links += usize::from(edge.edge_type() == Some("link"));
                let tally = self.edges.entry((from.clone(), to.clone())).or_default();
                if let Some(statistics) = edge.summary_statistics() {
                    tally.edge(statistics);
                }
                tally.histogram(edge.response_time_histogram());
            }
        }
    }

    fn finish(self) -> ServiceMap {
        let Self { mut nodes, edges, times, links, mut notes } = self;
        let order = order(&nodes, edges.keys());
        let number = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
        let at: BTreeMap<&Place, u32> = order.iter().enumerate().map(|(i, place)| (place, number(i))).collect();
        let mut drawn: Vec<MapEdge> = edges
            .into_iter()
            .map(|((from, to), tally)| MapEdge { from: at[&from], to: at[&to], traffic: tally.traffic() })
            .collect();
        drawn.sort_by_key(|edge| (edge.from, edge.to));
        let counted = |tally: &Tally| tally.requests > 0;
        let told = |tally: &Tally| !tally.histogram.is_empty();
        let untold = nodes.values().filter(|tally| counted(tally) && !told(tally)).count();
        if nodes.values().any(told) {
            notes.push("percentiles are approximate: X-Ray's histograms group response times".to_owned());
        }
        if untold > 0 {
            notes.push(format!("{} without a histogram, and so without percentiles", count(untold, "node")));
        }
        if links > 0 {
            notes.push(format!("{} to later work in a trace of its own", count(links, "connection")));
        }
        let nodes = order
            .iter()
            .enumerate()
            .map(|(i, place)| MapNode {
                id: number(i),
                name: place.name.clone(),
                kind: place.kind,
                traffic: nodes.remove(place).unwrap_or_default().traffic(),
            })
            .collect();
        let (start, end) = times.unwrap_or_default();
        ServiceMap { nodes, edges: drawn, traces: 0, start, end, notes }
    }
}

impl Tally {
    fn node(&mut self, said: &ServiceStatistics) {
        let (errors, faults) = (said.error_statistics(), said.fault_statistics());
        self.requests += said.total_count().unwrap_or(0);
        self.errors += errors.and_then(|e| e.other_count()).unwrap_or(0);
        self.throttles += errors.and_then(|e| e.throttle_count()).unwrap_or(0);
        self.faults += faults.and_then(|f| f.total_count()).unwrap_or(0);
        self.seconds += said.total_response_time().unwrap_or(0.0);
    }

    fn edge(&mut self, said: &EdgeStatistics) {
        let (errors, faults) = (said.error_statistics(), said.fault_statistics());
        self.requests += said.total_count().unwrap_or(0);
        self.errors += errors.and_then(|e| e.other_count()).unwrap_or(0);
        self.throttles += errors.and_then(|e| e.throttle_count()).unwrap_or(0);
        self.faults += faults.and_then(|f| f.total_count()).unwrap_or(0);
        self.seconds += said.total_response_time().unwrap_or(0.0);
    }

    fn histogram(&mut self, entries: &[HistogramEntry]) {
        let entries = entries.iter().filter(|entry| entry.count() > 0 && entry.value().is_finite());
        self.histogram.extend(entries.map(|entry| (entry.value(), i64::from(entry.count()))));
    }

    fn traffic(mut self) -> Traffic {
        self.histogram.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all: i64 = self.histogram.iter().map(|(_, n)| n).sum();
        let rank = |percent: i64| {
            // Nearest-rank percentile, as for local maps.
            let mut left = (all.saturating_mul(percent) + 99) / 100;
            let found = self.histogram.iter().find(|(_, n)| {
                left -= n;
                left <= 0
            });
            Nanos(found.map_or(0, |(seconds, _)| length(*seconds)))
        };
        let small = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        Traffic {
            requests: small(self.requests),
            errors: small(self.errors),
            faults: small(self.faults),
            throttles: small(self.throttles),
            p50: rank(50),
            p95: rank(95),
            max: rank(100),
            total: Nanos(length(self.seconds)),
        }
    }
}

fn place(service: &Service) -> Place {
    let kind = kind(service.r#type().unwrap_or_default());
    let name = match kind {
        NodeKind::Client => OUTSIDE,
        _ => service.name().or_else(|| service.names().first().map(String::as_str)).unwrap_or_default(),
    };
    Place { kind, name: name.to_owned() }
}

/// The kind of a node, by the type that X-Ray gives it: where a service runs, or which AWS service was called (`origin`
/// and `aws` in <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>).
fn kind(said: &str) -> NodeKind {
    const RUNS: [&str; 7] = [
        "AWS::EC2::",
        "AWS::ECS::",
        "AWS::EKS::",
        "AWS::ElasticBeanstalk::",
        "AWS::Lambda::Function",
        "AWS::AppRunner::",
        "AWS::ApiGateway::",
    ];
    const QUEUES: [&str; 4] = ["AWS::SQS", "AWS::SNS", "AWS::Kinesis", "AWS::Events"];
    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| said.starts_with(prefix));
    match said {
        "" => NodeKind::Service,
        "client" => NodeKind::Client,
        "remote" => NodeKind::Remote,
        _ if said.starts_with("Database::") || said.starts_with("AWS::RDS") => NodeKind::Database,
        _ if is(&QUEUES) => NodeKind::Messaging,
        _ if is(&RUNS) => NodeKind::Service,
        _ if said.starts_with("AWS::") => NodeKind::Aws,
        _ => NodeKind::Service,
    }
}

//! Aggregates traces into a map.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::calls::{Outcome, Place, calls};
use super::{MapEdge, MapNode, NodeKind, ServiceMap, Traffic};
use crate::time::Nanos;
use crate::trace::{Span, Trace};

/// The name of external callers.
const OUTSIDE: &str = "client";

/// Computes the map of traces.
pub fn of<'a>(traces: impl Iterator<Item = &'a Trace>) -> ServiceMap {
    let mut maker = Maker::default();
    for trace in traces {
        maker.add(trace);
    }
    maker.finish()
}

/// A map under construction, for callers that cannot hold all traces at once.
#[derive(Clone, Debug, Default)]
pub struct Maker {
    nodes: BTreeMap<Place, Tally>,
    edges: BTreeMap<(Place, Place), Tally>,
    range: Option<(Nanos, Nanos)>,
    traces: u32,
    in_progress: usize,
    selves: usize,
    doubled: usize,
    unnamed: usize,
}

#[derive(Clone, Debug, Default)]
struct Tally {
    requests: usize,
    errors: usize,
    faults: usize,
    throttles: usize,
    lengths: Vec<i64>,
}

impl Tally {
    fn add(&mut self, span: &Span, outcome: Outcome) {
        self.requests += 1;
        match outcome {
            Outcome::Ok => {}
            Outcome::Throttle => self.throttles += 1,
            Outcome::Error => self.errors += 1,
            Outcome::Fault => self.faults += 1,
        }
        // A clock that was set back must not result in a negative duration.
        self.lengths.extend(span.duration().map(|length| length.max(0)));
    }

    fn traffic(mut self) -> Traffic {
        self.lengths.sort_unstable();
        let rank = |percent: usize| {
            let rank = (self.lengths.len() * percent).div_ceil(100).max(1);
            Nanos(self.lengths.get(rank - 1).copied().unwrap_or_default())
        };
        Traffic {
            requests: small(self.requests),
            errors: small(self.errors),
            faults: small(self.faults),
            throttles: small(self.throttles),
            p50: rank(50),
            p95: rank(95),
            max: rank(100),
            total: Nanos(self.lengths.iter().fold(0, |sum: i64, length| sum.saturating_add(*length))),
        }
    }
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Maker {
    /// Adds a trace; one without spans is ignored.
    pub fn add(&mut self, trace: &Trace) {
        if trace.spans.is_empty() {
            return;
        }
        self.traces = self.traces.saturating_add(1);
        self.in_progress += usize::from(trace.spans.iter().any(|span| span.end.is_none()));
        let (start, end) = (trace.start(), trace.end());
        let (first, last) = self.range.unwrap_or((start, end));
        self.range = Some((first.min(start), last.max(end)));

        let found = calls(trace);
        self.doubled += found.doubled;
        self.unnamed += found.unnamed;
        for place in &found.places {
            self.nodes.entry(place.clone()).or_default();
        }
        for call in &found.calls {
            let to = &found.places[call.to];
            // For a callee that sent no spans, both sides of the call are the caller's span.
            self.nodes.entry(to.clone()).or_default().add(&trace.spans[call.handled], call.outcome);
            let from = match (call.from, call.outside) {
                (Some(from), _) if from == call.to => {
                    self.selves += 1;
                    continue;
                }
                (Some(from), _) => found.places[from].clone(),
                (None, true) => Place { kind: NodeKind::Client, name: OUTSIDE.to_owned() },
                (None, false) => continue,
            };
            self.nodes.entry(from.clone()).or_default();
            self.edges.entry((from, to.clone())).or_default().add(&trace.spans[call.span], call.seen);
        }
    }

    /// The finished map; it does not depend on the order of adding.
    pub fn finish(self) -> ServiceMap {
        let order = order(&self.nodes, self.edges.keys());
        let at: BTreeMap<&Place, u32> = order.iter().enumerate().map(|(i, place)| (place, small(i))).collect();
        let mut edges: Vec<MapEdge> = self
            .edges
            .into_iter()
            .map(|((from, to), tally)| MapEdge { from: at[&from], to: at[&to], traffic: tally.traffic() })
            .collect();
        edges.sort_by_key(|edge| (edge.from, edge.to));
        let mut tallies = self.nodes;
        let nodes = order
            .iter()
            .enumerate()
            .map(|(i, place)| MapNode {
                id: small(i),
                name: place.name.clone(),
                kind: place.kind,
                traffic: tallies.remove(place).unwrap_or_default().traffic(),
            })
            .collect();
        let (start, end) = self.range.unwrap_or_default();
        let mut notes = Vec::new();
        let mut say = |n: usize, one: &str, many: &str| match n {
            0 => {}
            1 => notes.push(format!("1 {one}")),
            n => notes.push(format!("{n} {many}")),
        };
        say(self.in_progress, "trace was still in progress", "traces were still in progress");
        say(
            self.selves,
            "call of a service to itself is counted at the service and has no arrow",
            "calls of a service to itself are counted at the service and have no arrow",
        );
        say(
            self.doubled,
            "call was reported by both X-Ray and OpenTelemetry and is counted once",
            "calls were reported by both X-Ray and OpenTelemetry and are counted once",
        );
        say(self.unnamed, "call names no destination and has no node", "calls name no destination and have no node");
        ServiceMap { nodes, edges, traces: self.traces, start, end, notes }
    }
}

/// The order of a map's nodes: clients first, then by the number of calls from them; then nodes without callers, and
/// the nodes that they call.
pub fn order<'a, T>(nodes: &BTreeMap<Place, T>, edges: impl Iterator<Item = &'a (Place, Place)>) -> Vec<Place> {
    let mut below: BTreeMap<&Place, Vec<&Place>> = BTreeMap::new();
    let mut called: BTreeSet<&Place> = BTreeSet::new();
    for (from, to) in edges {
        below.entry(from).or_default().push(to);
        called.insert(to);
    }
    let mut seen: BTreeSet<&Place> = BTreeSet::new();
    let mut order = Vec::with_capacity(nodes.len());
    let mut walk = |tops: Vec<&'_ Place>| {
        let mut queue: VecDeque<(usize, &Place)> = VecDeque::new();
        for top in tops {
            if let Some((place, _)) = nodes.get_key_value(top)
                && seen.insert(place)
            {
                queue.push_back((0, place));
            }
        }
        let mut reached: Vec<(usize, &Place)> = Vec::new();
        while let Some((far, place)) = queue.pop_front() {
            reached.push((far, place));
            for next in below.get(place).into_iter().flatten() {
                if let Some((next, _)) = nodes.get_key_value(*next)
                    && seen.insert(next)
                {
                    queue.push_back((far + 1, next));
                }
            }
        }
        reached.sort();
        order.extend(reached.into_iter().map(|(_, place)| place.clone()));
    };
    walk(nodes.keys().filter(|place| place.kind == NodeKind::Client).collect());
    walk(nodes.keys().filter(|place| !called.contains(place)).collect());
    // The rest is a cycle.
    for place in nodes.keys() {
        walk(vec![place]);
    }
    order
}

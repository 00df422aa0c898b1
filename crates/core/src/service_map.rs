//! A service map: calls between services, with rates, latencies and errors.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::content::Content;
use crate::text::count;
use crate::time::Nanos;

mod calls;
mod making;

pub use calls::{Call, Calls, Outcome, Place, calls, outcome};
pub use making::{Maker, of, order};

/// The statistics of a node or an edge in the time range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Traffic {
    /// Number of requests, including those in progress.
    pub requests: u32,
    /// Requests that failed on the caller's side: 4xx, or OTLP's error without a 5xx. Throttled ones are not included.
    pub errors: u32,
    /// Requests that failed on the service's side: 5xx, or an unhandled exception.
    pub faults: u32,
    /// Throttled requests: 429.
    pub throttles: u32,
    /// Median duration in nanoseconds.
    pub p50: Nanos,
    /// 95th percentile of the durations in nanoseconds.
    pub p95: Nanos,
    /// The longest duration in nanoseconds.
    pub max: Nanos,
    /// The sum of the durations in nanoseconds.
    pub total: Nanos,
}

/// The kind of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// External callers.
    Client,
    /// A service that sent spans.
    #[default]
    Service,
    /// A called host that sent no spans.
    Remote,
    /// A database.
    Database,
    /// An AWS service: DynamoDB, S3, …
    Aws,
    /// A queue or topic.
    Messaging,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MapNode {
    /// Its number in this map, from 0; edges refer to it.
    pub id: u32,
    pub name: String,
    pub kind: NodeKind,
    /// The requests that it handled.
    pub traffic: Traffic,
}

/// A call from one node to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MapEdge {
    /// The caller's number.
    pub from: u32,
    /// The callee's number.
    pub to: u32,
    /// The requests between the two nodes.
    pub traffic: Traffic,
}

/// A service map, as evidence and as the answer to X-Ray's GetServiceGraph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ServiceMap {
    /// The nodes: clients first, then by distance from them.
    pub nodes: Vec<MapNode>,
    pub edges: Vec<MapEdge>,
    /// The number of traces it was computed from.
    pub traces: u32,
    /// The start of the earliest trace.
    pub start: Nanos,
    /// The end of the latest trace.
    pub end: Nanos,
    /// Notes for the reader: traces left out, traces in progress.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

impl Content for ServiceMap {
    fn title(&self) -> String {
        let services = self.nodes.iter().filter(|n| n.kind == NodeKind::Service).count();
        format!("service map: {} over {}", count(services, "service"), count(self.traces as usize, "trace"))
    }

    fn range(&self) -> (Nanos, Nanos) {
        (self.start, self.end)
    }

    fn via(&self) -> BTreeSet<&'static str> {
        BTreeSet::from(["computed from traces"])
    }

    fn why_no_raw(&self) -> &'static str {
        "It was computed from traces; capture one of them to keep its bytes"
    }
}

#[cfg(test)]
mod tests;

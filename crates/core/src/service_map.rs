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

/// What a node or an edge did in the range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Traffic {
    /// Requests that ended or are under way.
    pub requests: u32,
    /// Of those, how many failed on the caller's side: 4xx, OTLP's error without a 5xx. Throttled ones are not among
    /// them.
    pub errors: u32,
    /// Of those, how many failed on the service's side: 5xx, an unhandled exception.
    pub faults: u32,
    /// Of those, how many were throttled: 429.
    pub throttles: u32,
    /// Half of them took no longer; a length in nanoseconds.
    pub p50: Nanos,
    /// 95 of 100 took no longer; a length in nanoseconds.
    pub p95: Nanos,
    /// The longest; a length in nanoseconds.
    pub max: Nanos,
    /// All of them together; a length in nanoseconds.
    pub total: Nanos,
}

/// What a node is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// Callers from outside.
    Client,
    /// A service that sent spans.
    #[default]
    Service,
    /// Something called that sent no span: another host.
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
    /// What it handled.
    pub traffic: Traffic,
}

/// A call from one node to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MapEdge {
    /// The caller's number.
    pub from: u32,
    /// The called one's number.
    pub to: u32,
    /// What went over it.
    pub traffic: Traffic,
}

/// A service map, as evidence and as the answer to X-Ray's GetServiceGraph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ServiceMap {
    /// The nodes, clients first, then by how far they are from them.
    pub nodes: Vec<MapNode>,
    pub edges: Vec<MapEdge>,
    /// Over how many traces it was made.
    pub traces: u32,
    /// When the first of them began.
    pub start: Nanos,
    /// When the last of them ended.
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

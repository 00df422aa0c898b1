//! One trace as calls between services.

use std::collections::{BTreeMap, HashMap};

use super::NodeKind;
use crate::assemble::parents;
use crate::trace::{Protocol, Span, SpanKind, StatusCode, Trace};

/// A service, or a callee that sent no spans.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub kind: NodeKind,
    pub name: String,
}

/// The result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Success, or unknown.
    Ok,
    /// 429.
    Throttle,
    /// 4xx, or OTLP's error without a status of HTTP.
    Error,
    /// 5xx, or X-Ray's fault.
    Fault,
}

/// One call: a request that a service handled, or a request to a callee that sent no spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The caller, in [`Calls::places`]; `None` for callers outside and for work without a caller.
    pub from: Option<usize>,
    /// Whether the caller is external.
    pub outside: bool,
    /// The callee, in [`Calls::places`].
    pub to: usize,
    /// The index of the caller's span, or of the callee's if the caller sent none.
    pub span: usize,
    /// The index of the callee's span.
    pub handled: usize,
    /// Its result for the caller.
    pub seen: Outcome,
    /// Its result for the callee.
    pub outcome: Outcome,
}

/// The calls in a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// All services, without duplicates.
    pub places: Vec<Place>,
    /// The calls, in the order of the spans.
    pub calls: Vec<Call>,
    /// The number of calls that both X-Ray and OpenTelemetry reported and that were merged.
    pub doubled: usize,
    /// The number of calls that name neither a host nor a system: a span's name says what was done, not who did it.
    pub unnamed: usize,
}

/// The result of a span, from its HTTP status if it has no other.
pub fn outcome(span: &Span) -> Outcome {
    match (span.status.code, span.http_status()) {
        (StatusCode::Fault, _) => Outcome::Fault,
        (StatusCode::Throttle, _) | (_, Some(429)) => Outcome::Throttle,
        (_, Some(500..=599)) => Outcome::Fault,
        (StatusCode::Error, _) | (_, Some(400..=499)) => Outcome::Error,
        _ => Outcome::Ok,
    }
}

/// Reads a trace as calls. Parents come before their children in a trace; one that does not (a cycle) is ignored as a
/// parent.
pub fn calls(trace: &Trace) -> Calls {
    let spans = &trace.spans;
    let mut parents = parents(spans);
    // The service that made each span. An X-Ray subsegment of a call is named after the callee instead.
    let mut owners: Vec<&str> = Vec::with_capacity(spans.len());
    for (i, span) in spans.iter().enumerate() {
        let parent = parents[i].filter(|parent| *parent < i);
        parents[i] = parent;
        owners.push(match (span.kind, parent) {
            (SpanKind::Subsegment, Some(parent)) => owners[parent],
            (SpanKind::Subsegment, None) if calls_out(span) => "",
            _ => &span.service,
        });
    }
    let out: Vec<bool> = spans.iter().map(calls_out).collect();
    let entry: Vec<bool> = (0..spans.len()).map(|i| is_entry(&spans[i], parents[i], i, &owners, &out)).collect();
    let mut answered = vec![false; spans.len()];
    for i in (0..spans.len()).rev() {
        if let Some(parent) = parents[i] {
            answered[parent] |= answered[i] || entry[i];
        }
    }

    let mut places = Places::default();
    for owner in &owners {
        if !owner.is_empty() {
            places.service(owner);
        }
    }
    let mut found = Vec::new();
    let mut told = vec![false; spans.len()];
    let mut unnamed = 0;
    for (i, span) in spans.iter().enumerate() {
        if owners[i].is_empty() && !out[i] {
            continue;
        }
        if entry[i] {
            let parent = parents[i];
            // The caller's span represents one call. For further calls below it, the callee's span is used.
            let view = parent.filter(|&p| out[p] && !std::mem::replace(&mut told[p], true)).unwrap_or(i);
            found.push(Call {
                from: parent.map(|p| owners[p]).filter(|owner| !owner.is_empty()).map(|owner| places.service(owner)),
                outside: parent.is_none() && matches!(span.kind, SpanKind::Server | SpanKind::Segment),
                to: places.service(owners[i]),
                span: view,
                handled: i,
                seen: outcome(&spans[view]),
                outcome: outcome(span),
            });
        } else if out[i] && !answered[i] && !parents[i].is_some_and(|p| out[p] && owners[p] == owners[i]) {
            let Some((kind, name)) = target(span) else {
                unnamed += 1;
                continue;
            };
            let ended = outcome(span);
            found.push(Call {
                from: (!owners[i].is_empty()).then(|| places.service(owners[i])),
                outside: false,
                to: places.called(kind, &name),
                span: i,
                handled: i,
                seen: ended,
                outcome: ended,
            });
        }
    }
    let (calls, doubled) = once_each(found, spans);
    Calls { places: places.list, calls, doubled, unnamed }
}

/// Whether a span handles a request, or is work without a caller.
fn is_entry(span: &Span, parent: Option<usize>, at: usize, owners: &[&str], out: &[bool]) -> bool {
    match span.kind {
        _ if owners[at].is_empty() => false,
        SpanKind::Server | SpanKind::Consumer | SpanKind::Segment => true,
        SpanKind::Subsegment => false,
        _ => match parent {
            Some(parent) => !owners[parent].is_empty() && owners[parent] != owners[at],
            // With a missing parent, it is unknown what the span was part of.
            None => span.parent.is_none() && !out[at],
        },
    }
}

/// Whether a span is a call that leaves its service.
fn calls_out(span: &Span) -> bool {
    match span.kind {
        SpanKind::Client | SpanKind::Producer => true,
        SpanKind::Subsegment => matches!(text(span, &["namespace"]), Some("remote" | "aws")) || has(span, "sql."),
        SpanKind::Server | SpanKind::Consumer | SpanKind::Segment => false,
        SpanKind::Internal | SpanKind::Unspecified => text(span, DB_SYSTEM).is_some(),
    }
}

const DB_SYSTEM: &[&str] = &["db.system.name", "db.system"];

/// The callee of a span, if it sent no spans itself; `None` if the span does not name it.
fn target(span: &Span) -> Option<(NodeKind, String)> {
    if span.kind == SpanKind::Subsegment {
        let kind = match text(span, &["namespace"]) {
            _ if has(span, "sql.") => NodeKind::Database,
            Some("aws") => NodeKind::Aws,
            _ => NodeKind::Remote,
        };
        // The name of a remote subsegment is the host; one with blanks is a description.
        let described = kind == NodeKind::Remote && span.name.contains(char::is_whitespace);
        return (!described).then(|| (kind, span.name.clone()));
    }
    let host = text(span, &["peer.service", "server.address", "net.peer.name", "http.host", "net.peer.ip"])
        .or_else(|| text(span, &["url.full", "http.url"]).and_then(host_of))
        .filter(|host| !host.is_empty());
    if let Some(system) = text(span, DB_SYSTEM) {
        let name = match (text(span, &["db.namespace", "db.name"]).filter(|name| !name.is_empty()), host) {
            (Some(name), Some(host)) => format!("{name}@{host}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => system.to_owned(),
        };
        // DynamoDB is both a database and an AWS service; it is shown as the latter.
        let kind = if system.eq_ignore_ascii_case("dynamodb") { NodeKind::Aws } else { NodeKind::Database };
        return Some((kind, if kind == NodeKind::Aws { "DynamoDB".to_owned() } else { name }));
    }
    if let Some(system) = text(span, &["messaging.system"]) {
        let topic = text(span, &["messaging.destination.name", "messaging.destination"]).filter(|t| !t.is_empty());
        return Some((NodeKind::Messaging, topic.unwrap_or(system).to_owned()));
    }
    if text(span, &["rpc.system", "rpc.system.name"]) == Some("aws-api") {
        let name = text(span, &["rpc.service", "aws.service"]).unwrap_or(&span.name);
        return Some((NodeKind::Aws, name.to_owned()));
    }
    let kind = if span.kind == SpanKind::Producer { NodeKind::Messaging } else { NodeKind::Remote };
    Some((kind, host?.to_owned()))
}

/// The host of a URL, without credentials that stand before it.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

fn text<'a>(span: &'a Span, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| span.attribute(key)?.as_str())
}

fn has(span: &Span, prefix: &str) -> bool {
    span.attributes.iter().any(|attribute| attribute.key.starts_with(prefix))
}

#[derive(Default)]
struct Places {
    list: Vec<Place>,
    at: HashMap<Place, usize>,
}

impl Places {
    fn service(&mut self, name: &str) -> usize {
        self.place(Place { kind: NodeKind::Service, name: name.to_owned() })
    }

    /// A host with the name of a service is that service.
    fn called(&mut self, kind: NodeKind, name: &str) -> usize {
        let service = Place { kind: NodeKind::Service, name: name.to_owned() };
        match self.at.get(&service) {
            Some(&at) if kind == NodeKind::Remote => at,
            _ => self.place(Place { kind, name: name.to_owned() }),
        }
    }

    fn place(&mut self, place: Place) -> usize {
        *self.at.entry(place).or_insert_with_key(|place| {
            self.list.push(place.clone());
            self.list.len() - 1
        })
    }
}

/// Merges calls that a service with both SDKs reported twice: between the same places, by different SDKs, at the same
/// time.
fn once_each(found: Vec<Call>, spans: &[Span]) -> (Vec<Call>, usize) {
    let by_xray = |call: &Call| spans[call.handled].protocol == Protocol::Xray;
    if found.iter().all(by_xray) || !found.iter().any(by_xray) {
        return (found, 0);
    }
    let mut groups: BTreeMap<(Option<usize>, usize), [Vec<usize>; 2]> = BTreeMap::new();
    for (i, call) in found.iter().enumerate() {
        groups.entry((call.from, call.to)).or_default()[usize::from(by_xray(call))].push(i);
    }
    let mut calls: Vec<Option<Call>> = found.iter().copied().map(Some).collect();
    let mut doubled = 0;
    for [mut others, mut xrays] in groups.into_values() {
        let range = |i: &usize| {
            let span = &spans[found[*i].handled];
            (span.start, span.end.map_or(i64::MAX, |end| end.0))
        };
        others.sort_by_key(range);
        xrays.sort_by_key(range);
        let (mut other, mut xray) = (others.iter().peekable(), xrays.iter().peekable());
        while let (Some(&o), Some(&x)) = (other.peek(), xray.peek()) {
            let ((o_start, o_end), (x_start, x_end)) = (range(o), range(x));
            if o_end < x_start.0 {
                other.next();
            } else if x_end < o_start.0 {
                xray.next();
            } else {
                let (o, x) = (*o, *x);
                // X-Ray distinguishes errors and faults, so its report is kept.
                if let (Some(gone), Some(stays)) = (calls[o].take(), &mut calls[x]) {
                    stays.outside |= gone.outside;
                    stays.outcome = stays.outcome.max(gone.outcome);
                    stays.seen = stays.seen.max(gone.seen);
                }
                doubled += 1;
                other.next();
                xray.next();
            }
        }
    }
    (calls.into_iter().flatten().collect(), doubled)
}

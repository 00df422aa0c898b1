//! Assembles spans into a trace: order, depth, orphans, cycles.
//!
//! Children may arrive before parents, spans may arrive twice, parents may be missing, and links may form cycles. Every
//! span is shown exactly once in any case.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use crate::ids::{SpanId, TraceId};
use crate::telemetry::twin;
use crate::trace::{Protocol, Resource, Scope, Span, SpanKind, Trace};

/// A span with its own resource and scope, before these are deduplicated.
#[derive(Clone, Debug)]
pub struct LooseSpan {
    /// The span; its `resource` and `scope` indexes are not yet meaningful.
    pub span: Span,
    /// Its resource, which spans of one batch share.
    pub resource: Arc<Resource>,
    /// Its scope, which spans of one batch share.
    pub scope: Arc<Scope>,
}

/// A span without resource and scope.
impl From<Span> for LooseSpan {
    fn from(span: Span) -> Self {
        Self { span, resource: Arc::default(), scope: Arc::default() }
    }
}

/// One row of a trace's tree, in drawing order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Index into [`Trace::spans`].
    pub index: usize,
    /// Its depth: 0 for a root, 1 for a span with a missing parent.
    pub depth: usize,
    /// The missing parent, shown once above its first child.
    pub phantom: Option<SpanId>,
}

/// Assembles a trace from spans: duplicates resolved (a complete span wins over one in progress, one that was sent over
/// one that was printed, else the later one wins), resources and scopes shared, spans in tree order, and notes for the
/// reader. Different spans with the same id are kept.
pub fn assemble(trace_id: TraceId, loose: impl IntoIterator<Item = LooseSpan>) -> Trace {
    let mut by_id: HashMap<(SpanId, i64), usize> = HashMap::new();
    let mut trace = Trace { trace_id, resources: Vec::new(), scopes: Vec::new(), spans: Vec::new(), notes: Vec::new() };
    let mut resources = Distinct::default();
    let mut scopes = Distinct::default();
    let mut spans: Vec<Span> = Vec::new();
    // Shared as they come: every span brings its own copy of its resource, and together these may be far larger than
    // the trace.
    for LooseSpan { mut span, resource, scope } in loose {
        span.resource = resources.place(resource, &mut trace.resources);
        span.scope = scopes.place(scope, &mut trace.scopes);
        let identity = match span.protocol {
            Protocol::Otlp => (span.id, twin(span.kind, &span.service, span.start)),
            Protocol::Xray | Protocol::Console => (span.id, 0),
        };
        match by_id.get(&identity) {
            Some(&at) if span.protocol == Protocol::Console && spans[at].protocol != Protocol::Console => {}
            Some(&at) if spans[at].end.is_some() && span.end.is_none() => {}
            Some(&at) => spans[at] = span,
            None => {
                by_id.insert(identity, spans.len());
                spans.push(span);
            }
        }
    }
    if spans.iter().any(|span| span.protocol == Protocol::Console) {
        let sent: HashSet<SpanId> =
            spans.iter().filter(|span| span.protocol != Protocol::Console).map(|span| span.id).collect();
        spans.retain(|span| span.protocol != Protocol::Console || !sent.contains(&span.id));
    }
    // An order independent of arrival, so that the same spans have the same digest.
    spans.sort_by(|a, b| order(a).cmp(&order(b)));
    let walk = walk(&spans);
    let mut slots: Vec<Option<Span>> = spans.into_iter().map(Some).collect();
    trace.spans = walk.rows.iter().filter_map(|row| slots[row.index].take()).collect();
    inherit_services(&mut trace);
    share_in_order(&mut trace);
    trace.notes = notes(&trace, &walk);
    trace
}

/// The places of resources or scopes in a list that has each of them once.
struct Distinct<T> {
    /// By address, with what keeps the address in use: spans of one batch share theirs.
    known: HashMap<*const T, (Arc<T>, usize)>,
    /// By the JSON form, since floats make the types unhashable.
    places: HashMap<String, usize>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self { known: HashMap::new(), places: HashMap::new() }
    }
}

impl<T: Clone + Serialize> Distinct<T> {
    /// The place of an item, which is appended to the list if it is new.
    fn place(&mut self, item: Arc<T>, list: &mut Vec<T>) -> usize {
        if let Some((_, place)) = self.known.get(&Arc::as_ptr(&item)) {
            return *place;
        }
        let form = serde_json::to_string(&*item).unwrap_or_default();
        let place = *self.places.entry(form).or_insert_with(|| {
            list.push(T::clone(&item));
            list.len() - 1
        });
        self.known.insert(Arc::as_ptr(&item), (item, place));
        place
    }
}

/// The order of spans, before they are placed in the tree. Of those that share an id, the caller comes first.
fn order(span: &Span) -> (crate::time::Nanos, SpanId, bool, SpanKind, &str, &str) {
    (span.start, span.id, handles(span), span.kind, &span.service, &span.name)
}

/// Whether a span is the handling of a call.
fn handles(span: &Span) -> bool {
    matches!(span.kind, SpanKind::Server | SpanKind::Consumer | SpanKind::Segment)
}

/// The parent of each span: an index into `spans`, `None` for a root and where it is missing.
///
/// Spans may share an id. The handling of a call is then the child of the call; and of several spans that a parent's id
/// names, the parent is the one of the child's own service, else the handling of the call.
pub fn parents(spans: &[Span]) -> Vec<Option<usize>> {
    let mut first: HashMap<SpanId, usize> = HashMap::with_capacity(spans.len());
    let mut twins: HashMap<SpanId, Vec<usize>> = HashMap::new();
    for (i, span) in spans.iter().enumerate() {
        match first.get(&span.id) {
            None => drop(first.insert(span.id, i)),
            Some(&other) => twins.entry(span.id).or_insert_with(|| vec![other]).push(i),
        }
    }
    let parent = |i: usize| {
        let span = &spans[i];
        let others = |id: SpanId| twins.get(&id).into_iter().flatten().copied().filter(move |&other| other != i);
        if !twins.is_empty() && handles(span) {
            let calls = others(span.id).filter(|&other| !handles(&spans[other]));
            if let Some(call) = calls.min_by_key(|&other| order(&spans[other])) {
                return Some(call);
            }
        }
        let id = span.parent?;
        let preferred = |&other: &usize| {
            let other = &spans[other];
            (other.service != span.service, !handles(other), order(other))
        };
        let among = others(id).min_by_key(preferred);
        among.or_else(|| first.get(&id).copied().filter(|&other| other != i && !twins.contains_key(&id)))
    };
    (0..spans.len()).map(parent).collect()
}

/// Assigns X-Ray subsegments, which have no service of their own, to the service of their segment.
fn inherit_services(trace: &mut Trace) {
    let mut known: HashMap<SpanId, String> = HashMap::with_capacity(trace.spans.len());
    for span in &mut trace.spans {
        if span.service.is_empty()
            && let Some(above) = span.parent.and_then(|parent| known.get(&parent))
        {
            span.service.clone_from(above);
        }
        known.insert(span.id, span.service.clone());
    }
}

/// Renumbers resources and scopes by first use, independent of the order of arrival.
fn share_in_order(trace: &mut Trace) {
    let mut resources = Vec::new();
    let mut scopes = Vec::new();
    let mut resource_at = HashMap::new();
    let mut scope_at = HashMap::new();
    for span in &mut trace.spans {
        span.resource = *resource_at.entry(span.resource).or_insert_with(|| {
            resources.push(trace.resources[span.resource].clone());
            resources.len() - 1
        });
        span.scope = *scope_at.entry(span.scope).or_insert_with(|| {
            scopes.push(trace.scopes[span.scope].clone());
            scopes.len() - 1
        });
    }
    trace.resources = resources;
    trace.scopes = scopes;
}

/// The rows of a trace for drawing: every span once, with its depth.
pub fn rows(trace: &Trace) -> Vec<Row> {
    walk(&trace.spans).rows
}

/// The tree of a trace: its rows, and who is below whom. A cycle is cut at its earliest span, as in [`rows`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Every span once, a parent before its children.
    pub rows: Vec<Row>,
    /// By the index of a span: the index of its parent; `None` for a top, whose parent is missing or unknown.
    pub parents: Vec<Option<usize>>,
    /// By the index of a span: the indexes of its children, in the order of rows.
    pub children: Vec<Vec<usize>>,
    /// The spans without a parent in the trace, in the order of rows.
    pub tops: Vec<usize>,
}

impl Tree {
    /// The tree of a trace, in one pass.
    pub fn of(trace: &Trace) -> Self {
        let spans = &trace.spans;
        let rows = rows(trace);
        let ids: HashSet<SpanId> = spans.iter().map(|s| s.id).collect();
        let mut tree = Self {
            parents: vec![None; spans.len()],
            children: vec![Vec::new(); spans.len()],
            tops: Vec::new(),
            rows: Vec::new(),
        };
        // The spans above a row, by depth.
        let mut above: Vec<usize> = Vec::new();
        for row in &rows {
            let lost = row.depth == 1 && spans[row.index].parent.is_some_and(|parent| !ids.contains(&parent));
            let parent = row.depth.checked_sub(1).filter(|_| !lost).and_then(|depth| above.get(depth).copied());
            above.truncate(row.depth);
            // Below a missing parent, there is no span of depth 0.
            above.resize(row.depth + 1, row.index);
            tree.parents[row.index] = parent;
            match parent {
                Some(parent) => tree.children[parent].push(row.index),
                None => tree.tops.push(row.index),
            }
        }
        tree.rows = rows;
        tree
    }

    /// The ancestors of a span, nearest first.
    pub fn ancestors(&self, span: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.parents[span], |above| self.parents[*above])
    }
}

struct Walk {
    rows: Vec<Row>,
    phantoms: usize,
    cycles: usize,
    roots: usize,
}

fn walk(spans: &[Span]) -> Walk {
    let parents = parents(spans);
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut tops: Vec<usize> = Vec::new();
    let mut orphans: Vec<(SpanId, usize)> = Vec::new();
    for (i, span) in spans.iter().enumerate() {
        match (parents[i], span.parent) {
            (Some(parent), _) => children.entry(parent).or_default().push(i),
            (None, None) => tops.push(i),
            (None, Some(parent)) if parent == span.id => {} // its own parent: found again below, as a cycle
            (None, Some(parent)) => orphans.push((parent, i)),
        }
    }

    let mut walk = Walk { rows: Vec::with_capacity(spans.len()), phantoms: 0, cycles: 0, roots: tops.len() };
    let mut seen: HashSet<usize> = HashSet::with_capacity(spans.len());
    let mut descend = |from: usize, depth: usize, phantom: Option<SpanId>, rows: &mut Vec<Row>| {
        // An explicit stack, since a chain of 10,000 spans is a valid trace.
        let mut stack = vec![Row { index: from, depth, phantom }];
        while let Some(row) = stack.pop() {
            if !seen.insert(row.index) {
                continue;
            }
            rows.push(row);
            if let Some(below) = children.get(&row.index) {
                for &child in below.iter().rev() {
                    stack.push(Row { index: child, depth: row.depth + 1, phantom: None });
                }
            }
        }
    };

    for top in tops {
        descend(top, 0, None, &mut walk.rows);
    }
    let mut said: HashSet<SpanId> = HashSet::new();
    // Spans with the same missing parent stay together, at the start of the earliest.
    let mut earliest: HashMap<SpanId, crate::time::Nanos> = HashMap::new();
    for (parent, i) in &orphans {
        let start = spans[*i].start;
        earliest.entry(*parent).and_modify(|e| *e = start.min(*e)).or_insert(start);
    }
    orphans.sort_by_key(|(parent, i)| (earliest[parent], *parent, *i));
    for (parent, i) in orphans {
        let first = said.insert(parent);
        walk.phantoms += usize::from(first);
        descend(i, 1, first.then_some(parent), &mut walk.rows);
    }
    // The remaining spans are part of a cycle: break it at its earliest span.
    for i in 0..spans.len() {
        let before = walk.rows.len();
        descend(i, 0, None, &mut walk.rows);
        walk.cycles += usize::from(walk.rows.len() > before);
    }
    walk
}

fn notes(trace: &Trace, walk: &Walk) -> Vec<String> {
    let mut notes = Vec::new();
    let mut say = |count: usize, one: &str, many: &str| match count {
        0 => {}
        1 => notes.push(format!("1 {one}")),
        n => notes.push(format!("{n} {many}")),
    };
    let open =
        |xray: bool| trace.spans.iter().filter(|s| s.end.is_none() && (s.protocol == Protocol::Xray) == xray).count();
    say(open(true), "span was still in progress", "spans were still in progress");
    say(open(false), "span came without an end time", "spans came without an end time");
    say(walk.phantoms, "parent span never arrived", "parent spans never arrived");
    say(walk.cycles, "span was its own ancestor", "spans were their own ancestors");
    say(walk.roots.saturating_sub(1), "more root span", "more root spans");
    let sum = |count: fn(&Span) -> u32| trace.spans.iter().map(|s| count(s) as usize).sum::<usize>();
    say(sum(|s| s.dropped.attributes), "attribute dropped by the sender", "attributes dropped by the sender");
    say(sum(|s| s.dropped.events), "event dropped by the sender", "events dropped by the sender");
    say(sum(|s| s.dropped.links), "link dropped by the sender", "links dropped by the sender");
    say(
        trace.spans.iter().filter(|s| s.duration().is_some_and(|d| d < 0)).count(),
        "span ends before it starts",
        "spans end before they start",
    );
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Nanos;
    use crate::trace::Protocol;
    use proptest::prelude::*;

    fn span(id: u8, parent: Option<u8>, start: i64) -> LooseSpan {
        let mut span = Span::new(SpanId([id; 8]), format!("s{id}"), Protocol::Otlp, Nanos(start));
        span.parent = parent.map(|p| SpanId([p; 8]));
        span.end = Some(Nanos(start + 10));
        LooseSpan::from(span)
    }

    fn drawn(loose: Vec<LooseSpan>) -> (Vec<(String, usize)>, Vec<String>) {
        let trace = assemble(TraceId([1; 16]), loose);
        let rows = rows(&trace);
        (rows.iter().map(|r| (trace.spans[r.index].name.clone(), r.depth)).collect(), trace.notes)
    }

    #[test]
    fn children_that_arrive_first_are_placed_under_their_parent() {
        let (rows, notes) =
            drawn(vec![span(3, Some(2), 30), span(2, Some(1), 20), span(4, Some(1), 15), span(1, None, 10)]);
        assert_eq!(rows, [("s1".into(), 0), ("s4".into(), 1), ("s2".into(), 1), ("s3".into(), 2)]);
        assert!(notes.is_empty(), "nothing to say about a whole trace: {notes:?}");
    }

    #[test]
    fn orphans_are_placed_under_their_missing_parent() {
        let (rows, notes) = drawn(vec![span(1, None, 0), span(5, Some(9), 7), span(6, Some(9), 3)]);
        assert_eq!(rows, [("s1".into(), 0), ("s6".into(), 1), ("s5".into(), 1)]);
        assert_eq!(notes, ["1 parent span never arrived"]);
    }

    #[test]
    fn cycles_and_self_parents_are_broken_and_noted() {
        let (rows, notes) = drawn(vec![span(1, Some(2), 0), span(2, Some(1), 1), span(3, Some(3), 2)]);
        assert_eq!(rows.len(), 3);
        assert_eq!(notes, ["2 spans were their own ancestors"]);
    }

    #[test]
    fn a_complete_segment_replaces_one_in_progress_and_never_the_other_way() {
        let open = |id| {
            let mut s = span(id, None, 0);
            s.span.end = None;
            s
        };
        for loose in [vec![open(1), span(1, None, 0)], vec![span(1, None, 0), open(1)]] {
            let trace = assemble(TraceId([1; 16]), loose);
            assert_eq!(trace.spans.len(), 1);
            assert!(trace.spans[0].end.is_some());
        }
    }

    fn of(kind: SpanKind, service: &str, mut loose: LooseSpan) -> LooseSpan {
        loose.span.kind = kind;
        loose.span.service = service.into();
        loose.span.name = format!("{} {service}", loose.span.name);
        loose
    }

    #[test]
    fn client_and_server_that_share_an_id_are_both_drawn_with_their_own_children() {
        let mut server = of(SpanKind::Server, "back", span(2, Some(1), 21));
        let loose = |server: LooseSpan| {
            vec![
                of(SpanKind::Internal, "back", span(4, Some(2), 23)),
                server,
                of(SpanKind::Internal, "front", span(3, Some(2), 22)),
                of(SpanKind::Server, "front", span(1, None, 10)),
                of(SpanKind::Client, "front", span(2, Some(1), 20)),
            ]
        };
        let expected: [(String, usize); 5] = [
            ("s1 front".into(), 0),
            ("s2 front".into(), 1),
            ("s2 back".into(), 2),
            ("s4 back".into(), 3),
            ("s3 front".into(), 2),
        ];
        let (rows, notes) = drawn(loose(server.clone()));
        assert_eq!((rows.as_slice(), notes), (&expected[..], vec![]));
        // At the same moment, and with the shared id as parent.
        server.span.start = Nanos(20);
        server.span.parent = Some(server.span.id);
        assert_eq!(drawn(loose(server.clone())).0, expected);
        // The same sent again is one span, in any order.
        let mut twice = loose(server.clone());
        twice.extend(loose(server));
        twice.reverse();
        assert_eq!(drawn(twice).0, expected);
    }

    #[test]
    fn spans_of_one_kind_that_share_an_id_are_all_drawn() {
        let (rows, notes) = drawn(vec![
            of(SpanKind::Internal, "a", span(1, None, 0)),
            of(SpanKind::Internal, "b", span(1, None, 0)),
            of(SpanKind::Internal, "a", span(1, None, 5)),
            of(SpanKind::Internal, "b", span(2, Some(1), 6)),
        ]);
        assert_eq!(rows, [("s1 a".into(), 0), ("s1 b".into(), 0), ("s2 b".into(), 1), ("s1 a".into(), 0)]);
        assert_eq!(notes, ["2 more root spans"]);
        // Each the parent of the other.
        let (rows, _) = drawn(vec![
            of(SpanKind::Internal, "a", span(1, Some(1), 0)),
            of(SpanKind::Internal, "b", span(1, Some(1), 1)),
        ]);
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn a_printed_span_gives_way_to_the_same_one_that_was_sent() {
        let mut printed = span(1, None, 0);
        printed.span.protocol = Protocol::Console;
        let sent = of(SpanKind::Server, "a", span(1, None, 0));
        for loose in [vec![printed.clone(), sent.clone()], vec![sent.clone(), printed.clone()]] {
            let trace = assemble(TraceId([1; 16]), loose);
            assert_eq!(trace.spans.iter().map(|s| s.protocol).collect::<Vec<_>>(), [Protocol::Otlp]);
        }
    }

    #[test]
    fn a_chain_of_ten_thousand_spans_is_walked_without_recursion() {
        let loose = (0..10_000u64)
            .map(|i| {
                let id = |n: u64| SpanId((n + 1).to_be_bytes());
                let mut s = span(1, None, i64::try_from(i).expect("small"));
                s.span.id = id(i);
                s.span.parent = i.checked_sub(1).map(id);
                s
            })
            .collect();
        let (rows, _) = drawn(loose);
        assert_eq!(rows.last().map(|r| r.1), Some(9_999));
    }

    proptest! {
        #[test]
        fn every_span_is_drawn_once_and_arrival_order_leaves_no_mark(
            parents in prop::collection::vec(prop::option::of(1u8..12), 1..11),
            seed in any::<u64>(),
        ) {
            let loose: Vec<_> = parents.iter().enumerate()
                .map(|(i, p)| span(u8::try_from(i + 1).expect("small"), *p, i64::try_from(i % 3).expect("small")))
                .collect();
            let mut shuffled = loose.clone();
            let n = shuffled.len();
            for i in 0..n {
                shuffled.swap(i, usize::try_from(seed.rotate_left(i as u32 * 7) % n as u64).expect("small"));
            }
            let trace = assemble(TraceId([1; 16]), loose);
            prop_assert_eq!(rows(&trace).len(), n);
            prop_assert_eq!(&assemble(TraceId([1; 16]), shuffled), &trace);
            // A frozen trace that is read again has the same rows.
            let indexes: Vec<_> = rows(&trace).iter().map(|r| r.index).collect();
            prop_assert_eq!(indexes, (0..n).collect::<Vec<_>>());
        }
    }
}

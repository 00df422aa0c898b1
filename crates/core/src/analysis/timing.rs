//! Where the time of a trace went: self time and critical path.
//!
//! Both are computed from the tree of [`crate::assemble`], so that missing parents, cycles and several roots are
//! treated as they are drawn. All lengths are unsigned, so that times at the ends of `i64` do not overflow.
//!
//! - **A span's time** is from its start to its end. One that is in progress lasts until the last known time of the
//!   trace, and one that ends before it starts has no time.
//! - **Self time** is a span's time without the moments in which at least one of its children runs. Parts of children
//!   outside of the span do not count: children that begin before it or outlive it subtract their common part only,
//!   and overlapping children subtract the same moment once.
//! - **The critical path** is what the end of the trace waited for. It is read backwards from the last end: the child
//!   that ended last, before it the child that ended last before that one began, and so on, and the same within each of
//!   them; what no child explains belongs to the span itself. A child that outlives its parent (asynchronous work) is
//!   followed to its own end, and a child's part before its parent is ignored. Several tops are read like the children
//!   of one parent that does not run. The steps do not overlap, so shares of the path add up to at most 100 %; moments
//!   in which nothing runs belong to no span.

use serde::Serialize;

use super::headline::Headline;
use super::skew;
use crate::assemble::Tree;
use crate::ids::SpanId;
use crate::trace::Trace;

/// A part of the critical path: the time from `from` to `to`, in nanoseconds, in which everything waits for this span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    pub from: i64,
    pub to: i64,
    /// Index into [`Trace::spans`].
    pub span: usize,
}

impl Step {
    /// Its length in nanoseconds.
    pub fn nanos(&self) -> u64 {
        self.to.abs_diff(self.from)
    }
}

/// The times of a trace, by the indexes of its spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// The self time of each span, in nanoseconds.
    pub self_nanos: Vec<u64>,
    /// The time of each span itself on the critical path, in nanoseconds.
    pub critical_nanos: Vec<u64>,
    /// Whether the path passes through the span: the span itself, or one below it.
    pub on_path: Vec<bool>,
    /// The critical path, in the order of time.
    pub path: Vec<Step>,
    /// By span: the steps of the path in it, as indexes into `path`.
    steps: Vec<Vec<usize>>,
    /// From the first start to the last end, in nanoseconds.
    pub total: u64,
}

impl Timing {
    /// Computes the times of a trace, in O(n log n).
    pub fn of(trace: &Trace, tree: &Tree) -> Self {
        let ranges = ranges(trace);
        let n = ranges.len();
        let self_nanos = (0..n).map(|i| self_time(ranges[i], tree.children[i].iter().map(|c| ranges[*c]))).collect();
        let mut timing = Self {
            self_nanos,
            critical_nanos: vec![0; n],
            on_path: vec![false; n],
            steps: vec![Vec::new(); n],
            ..Self::default()
        };
        // The last end of each span and everything below it. Children stand below their parent in rows.
        let mut last: Vec<i64> = ranges.iter().map(|r| r.1).collect();
        for row in tree.rows.iter().rev() {
            if let Some(parent) = tree.parents[row.index] {
                last[parent] = last[parent].max(last[row.index]);
            }
        }
        let first = ranges.iter().map(|r| r.0).min().unwrap_or_default();
        let end = last.iter().copied().max().unwrap_or_default();
        timing.total = end.abs_diff(first);
        // An explicit stack, since a chain of 10,000 spans is a valid trace. `None` stands for the parent of the tops.
        let mut stack: Vec<(Option<usize>, i64, i64)> = vec![(None, first, end)];
        while let Some((node, from, until)) = stack.pop() {
            let mut below = node.map_or_else(|| tree.tops.clone(), |i| tree.children[i].clone());
            below.sort_by_key(|c| (std::cmp::Reverse(last[*c]), ranges[*c].0, *c));
            let mut own = |a: i64, b: i64| {
                let Some(span) = node else { return };
                let (a, b) = (a.max(ranges[span].0), b.min(ranges[span].1));
                if a < b {
                    timing.path.push(Step { from: a, to: b, span });
                }
            };
            let mut cursor = until;
            for child in below {
                let begin = ranges[child].0.max(from);
                // One that was still running when the next one began is not what that one waited for.
                if last[child] > cursor || last[child] <= begin {
                    continue;
                }
                own(last[child], cursor);
                stack.push((Some(child), begin, last[child]));
                cursor = begin;
            }
            own(from, cursor);
            if let Some(span) = node {
                timing.on_path[span] = true;
            }
        }
        timing.path.sort_unstable();
        for (i, step) in timing.path.iter().enumerate() {
            timing.critical_nanos[step.span] = timing.critical_nanos[step.span].saturating_add(step.nanos());
            timing.steps[step.span].push(i);
        }
        timing
    }

    /// The steps of the path in a span, in the order of time.
    pub fn steps_of(&self, span: usize) -> impl Iterator<Item = &Step> {
        self.steps.get(span).into_iter().flatten().map(|i| &self.path[*i])
    }
}

/// Start and end of each span, as the module describes.
fn ranges(trace: &Trace) -> Vec<(i64, i64)> {
    let end = trace.end().0;
    trace.spans.iter().map(|s| (s.start.0, s.end.map_or(end, |end| end.0).max(s.start.0))).collect()
}

fn self_time((from, to): (i64, i64), children: impl Iterator<Item = (i64, i64)>) -> u64 {
    let mut parts: Vec<(i64, i64)> = children.map(|(a, b)| (a.max(from), b.min(to))).filter(|(a, b)| a < b).collect();
    parts.sort_unstable();
    let mut own = 0u64;
    let mut cursor = from;
    for (a, b) in parts {
        if a > cursor {
            own = own.saturating_add(a.abs_diff(cursor));
        }
        cursor = cursor.max(b);
    }
    own.saturating_add(to.abs_diff(cursor))
}

/// The times of one span in [`TraceAnalysis`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpanTimes {
    pub span_id: SpanId,
    /// Milliseconds in which the span runs and none of its children does.
    pub self_ms: f64,
    /// Milliseconds of the span itself on the critical path.
    pub critical_ms: f64,
}

/// A step of the critical path in [`TraceAnalysis`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PathStep {
    pub span_id: SpanId,
    /// Milliseconds since the start of the trace.
    pub from_ms: f64,
    pub ms: f64,
}

/// What is computed from a trace, beside its frozen data. It is not part of the digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TraceAnalysis {
    /// What the card says first: where it failed, where the time went, retries, skew.
    pub headline: Vec<String>,
    /// The critical path, in the order of time.
    pub critical_path: Vec<PathStep>,
    /// The times of every span, in the order of spans.
    pub spans: Vec<SpanTimes>,
}

impl TraceAnalysis {
    /// Analyses a trace.
    pub fn of(trace: &Trace) -> Self {
        let tree = Tree::of(trace);
        let timing = Timing::of(trace, &tree);
        let start = trace.start().0;
        let path = timing.path.iter().map(|step| PathStep {
            span_id: trace.spans[step.span].id,
            from_ms: millis(step.from.abs_diff(start)),
            ms: millis(step.nanos()),
        });
        let spans = trace.spans.iter().enumerate().map(|(i, span)| SpanTimes {
            span_id: span.id,
            self_ms: millis(timing.self_nanos[i]),
            critical_ms: millis(timing.critical_nanos[i]),
        });
        Self {
            headline: Headline::of(trace, &tree, &timing, &skew::marks(trace, &tree)).lines(trace),
            critical_path: path.collect(),
            spans: spans.collect(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::{LooseSpan, assemble};
    use crate::ids::TraceId;
    use crate::time::Nanos;
    use crate::trace::{Protocol, Span};
    use proptest::prelude::*;

    /// `(id, parent, start, end)`; the parent 0 is none.
    fn trace(spans: &[(u8, u8, i64, Option<i64>)]) -> Trace {
        let loose = spans.iter().map(|(id, parent, start, end)| {
            let mut span = Span::new(SpanId([*id; 8]), format!("s{id}"), Protocol::Otlp, Nanos(*start));
            span.parent = (*parent > 0).then_some(SpanId([*parent; 8]));
            span.end = end.map(Nanos);
            LooseSpan::from(span)
        });
        assemble(TraceId([1; 16]), loose)
    }

    fn timing(trace: &Trace) -> Timing {
        Timing::of(trace, &Tree::of(trace))
    }

    type OwnTimes = Vec<(String, u64)>;

    /// Self times and path by the names of spans.
    fn named(spans: &[(u8, u8, i64, Option<i64>)]) -> (OwnTimes, Vec<(String, i64, i64)>) {
        let trace = trace(spans);
        let timing = timing(&trace);
        let name = |i: usize| trace.spans[i].name.clone();
        (
            timing.self_nanos.iter().enumerate().map(|(i, n)| (name(i), *n)).collect(),
            timing.path.iter().map(|s| (name(s.span), s.from, s.to)).collect(),
        )
    }

    fn own(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
        pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
    }

    fn path(steps: &[(&str, i64, i64)]) -> Vec<(String, i64, i64)> {
        steps.iter().map(|(name, a, b)| ((*name).to_owned(), *a, *b)).collect()
    }

    #[test]
    fn overlapping_children_subtract_a_moment_once() {
        let (times, steps) =
            named(&[(1, 0, 0, Some(100)), (2, 1, 10, Some(50)), (3, 1, 30, Some(70)), (4, 1, 80, Some(90))]);
        assert_eq!(times, own(&[("s1", 30), ("s2", 40), ("s3", 40), ("s4", 10)]));
        // s2 was still running when s3 began, so s3 did not wait for it.
        assert_eq!(steps, path(&[("s1", 0, 30), ("s3", 30, 70), ("s1", 70, 80), ("s4", 80, 90), ("s1", 90, 100)]));
    }

    #[test]
    fn children_beyond_their_parent_subtract_the_common_part() {
        // s2 begins before its parent, s3 outlives it, s4 begins after it.
        let (times, steps) =
            named(&[(1, 0, 100, Some(200)), (2, 1, 50, Some(120)), (3, 1, 180, Some(260)), (4, 1, 300, Some(330))]);
        assert_eq!(times, own(&[("s1", 60), ("s2", 70), ("s3", 80), ("s4", 30)]));
        // Between 260 and 300 nothing runs. The path begins with the earliest span, which is s2's skewed start.
        assert_eq!(steps, path(&[("s2", 100, 120), ("s1", 120, 180), ("s3", 180, 260), ("s4", 300, 330)]));
    }

    #[test]
    fn several_tops_and_missing_parents_are_one_path() {
        let (times, steps) =
            named(&[(1, 0, 0, Some(10)), (2, 9, 20, Some(30)), (3, 9, 25, Some(60)), (4, 0, 70, Some(75))]);
        assert_eq!(times.len(), 4);
        assert_eq!(steps, path(&[("s1", 0, 10), ("s3", 25, 60), ("s4", 70, 75)]));
    }

    #[test]
    fn spans_in_progress_last_until_the_last_known_time() {
        let (times, steps) = named(&[(1, 0, 0, None), (2, 1, 10, Some(40)), (3, 1, 90, None)]);
        assert_eq!(times, own(&[("s1", 60), ("s2", 30), ("s3", 0)]));
        assert_eq!(steps, path(&[("s1", 0, 10), ("s2", 10, 40), ("s1", 40, 90)]));
    }

    #[test]
    fn a_span_that_ends_before_it_starts_takes_no_time() {
        let (times, steps) = named(&[(1, 0, 0, Some(10)), (2, 1, 5, Some(2))]);
        assert_eq!(times, own(&[("s1", 10), ("s2", 0)]));
        assert_eq!(steps, path(&[("s1", 0, 10)]));
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let (times, steps) =
            named(&[(1, 0, i64::MIN, Some(i64::MAX)), (2, 1, 0, Some(i64::MAX)), (3, 1, i64::MIN, Some(-1))]);
        assert_eq!(times, own(&[("s1", 1), ("s3", i64::MAX.unsigned_abs()), ("s2", i64::MAX.unsigned_abs())]));
        assert_eq!(steps.len(), 3);
        assert_eq!(timing(&trace(&[(1, 0, i64::MIN, Some(i64::MAX))])).total, u64::MAX);
    }

    #[test]
    fn a_chain_of_ten_thousand_spans_needs_no_recursion() {
        let id = |n: u64| SpanId((n + 1).to_be_bytes());
        let loose = (0..10_000u64).map(|i| {
            let mut span = Span::new(id(i), "s", Protocol::Otlp, Nanos(i64::try_from(i).expect("small")));
            span.parent = i.checked_sub(1).map(id);
            span.end = Some(Nanos(20_000));
            LooseSpan::from(span)
        });
        let trace = assemble(TraceId([1; 16]), loose);
        let timing = timing(&trace);
        assert_eq!(timing.path.len(), 10_000);
        assert_eq!(timing.self_nanos[9_999], 10_001);
    }

    /// The slow references below look at one unit of time after the other.
    struct Reference<'a> {
        trace: &'a Trace,
        tree: Tree,
        end: i64,
    }

    impl Reference<'_> {
        fn range(&self, i: usize) -> (i64, i64) {
            let span = &self.trace.spans[i];
            (span.start.0, span.end.map_or(self.end, |end| end.0).max(span.start.0))
        }

        fn runs(&self, i: usize, t: i64) -> bool {
            let (from, to) = self.range(i);
            from <= t && t < to
        }

        fn last(&self, i: usize) -> i64 {
            self.tree.children[i].iter().map(|c| self.last(*c)).max().unwrap_or(i64::MIN).max(self.range(i).1)
        }

        fn self_time(&self, i: usize, units: std::ops::Range<i64>) -> u64 {
            let alone = |t: &i64| self.runs(i, *t) && !self.tree.children[i].iter().any(|c| self.runs(*c, *t));
            units.filter(alone).count() as u64
        }

        /// The span that the path is in at a time.
        fn at(&self, t: i64, first: i64) -> Option<usize> {
            let mut node: Option<usize> = None;
            let (mut from, mut cursor) = (first, self.tree.tops.iter().map(|i| self.last(*i)).max()?);
            loop {
                let below = node.map_or(&self.tree.tops, |i| &self.tree.children[i]);
                let begin = |c: usize| self.range(c).0.max(from);
                let next = below
                    .iter()
                    .copied()
                    .filter(|c| begin(*c) < self.last(*c) && self.last(*c) <= cursor)
                    .max_by_key(|c| (self.last(*c), std::cmp::Reverse((self.range(*c).0, *c))));
                match next {
                    // The moment is in the child, or after it, or before it.
                    Some(c) if begin(c) <= t && t < self.last(c) => {
                        (from, cursor) = (begin(c), self.last(c));
                        node = Some(c);
                    }
                    Some(c) if t < begin(c) => cursor = begin(c),
                    _ => return node.filter(|i| self.runs(*i, t)),
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn times_agree_with_a_slow_reference(
            spans in prop::collection::vec((0u8..12, -3i64..25, prop::option::weighted(0.9, -4i64..20)), 1..11),
        ) {
            let list: Vec<_> = (1u8..).zip(&spans)
                .map(|(id, (parent, start, length))| (id, *parent, *start, length.map(|l| start + l)))
                .collect();
            let trace = trace(&list);
            let timing = timing(&trace);
            let end = trace.end().0;
            let reference = Reference { trace: &trace, tree: Tree::of(&trace), end };
            let units = -5..46;
            for i in 0..trace.spans.len() {
                prop_assert_eq!(timing.self_nanos[i], reference.self_time(i, units.clone()));
            }
            let first = trace.start().0;
            for t in units {
                let step = timing.path.iter().filter(|s| s.from <= t && t < s.to).map(|s| s.span).collect::<Vec<_>>();
                let expected = if t < first { None } else { reference.at(t, first) };
                prop_assert_eq!(step, expected.into_iter().collect::<Vec<_>>(), "at {}", t);
            }
            let sum: u64 = timing.critical_nanos.iter().sum();
            prop_assert!(sum <= timing.total);
        }
    }
}

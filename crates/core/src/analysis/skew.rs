//! Spans whose times contradict those of their parents, which is a sign of clocks that differ.

use crate::assemble::Tree;
use crate::trace::{SpanKind, Trace};

/// Smaller differences are rounding: SDKs of browsers and of Node report times in milliseconds.
pub const TOLERANCE: u64 = 2_000_000;

/// How a span's times contradict those of its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It starts this many nanoseconds before its parent.
    StartsBefore(u64),
    /// It ends this many nanoseconds after its parent. This is a mark of skew only where the parent waits for it.
    EndsAfter(u64),
}

impl Mark {
    /// The difference in nanoseconds.
    pub fn nanos(self) -> u64 {
        match self {
            Self::StartsBefore(nanos) | Self::EndsAfter(nanos) => nanos,
        }
    }
}

/// The marks of a trace, by the indexes of its spans; `None` where nothing contradicts. Missing parents and spans in
/// progress contradict nothing, nor do messages that are handled after they were sent.
pub fn marks(trace: &Trace, tree: &Tree) -> Vec<Option<Mark>> {
    let mark = |i: usize| {
        let span = &trace.spans[i];
        let parent = &trace.spans[tree.parents[i]?];
        if span.start < parent.start && span.start.0.abs_diff(parent.start.0) > TOLERANCE {
            return Some(Mark::StartsBefore(span.start.0.abs_diff(parent.start.0)));
        }
        let asynchronous = span.kind == SpanKind::Consumer || parent.kind == SpanKind::Producer;
        let (end, until) = (span.end?, parent.end?);
        (!asynchronous && end > until && end.0.abs_diff(until.0) > TOLERANCE)
            .then(|| Mark::EndsAfter(end.0.abs_diff(until.0)))
    };
    (0..trace.spans.len()).map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::{LooseSpan, assemble};
    use crate::ids::{SpanId, TraceId};
    use crate::time::Nanos;
    use crate::trace::{Protocol, Span};

    fn marked(child: (i64, Option<i64>), kind: SpanKind) -> Option<Mark> {
        let ms = |n: i64| Nanos(n.saturating_mul(1_000_000));
        let mut parent = Span::new(SpanId([1; 8]), "parent", Protocol::Otlp, ms(1_000));
        parent.end = Some(ms(2_000));
        let mut span = Span::new(SpanId([2; 8]), "child", Protocol::Otlp, ms(child.0));
        (span.parent, span.end, span.kind) = (Some(parent.id), child.1.map(ms), kind);
        let loose = [parent, span].map(LooseSpan::from);
        let trace = assemble(TraceId([1; 16]), loose);
        marks(&trace, &Tree::of(&trace))[1]
    }

    #[test]
    fn contradictions_beyond_the_tolerance_are_marked() {
        assert_eq!(marked((1_100, Some(1_900)), SpanKind::Server), None);
        assert_eq!(marked((999, Some(2_001)), SpanKind::Server), None, "rounding");
        assert_eq!(marked((600, Some(1_500)), SpanKind::Server), Some(Mark::StartsBefore(400_000_000)));
        assert_eq!(marked((1_100, Some(2_300)), SpanKind::Client), Some(Mark::EndsAfter(300_000_000)));
        assert_eq!(marked((1_100, Some(2_300)), SpanKind::Consumer), None, "a message is handled later");
        assert_eq!(marked((1_100, None), SpanKind::Server), None);
        assert!(matches!(marked((i64::MIN, None), SpanKind::Server), Some(Mark::StartsBefore(_))));
    }
}

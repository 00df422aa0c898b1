//! Clocks of senders, compared with this machine's and with each other. Times stay as sent: a difference is stated,
//! never corrected.

use std::collections::HashMap;

use crate::ids::SpanId;
use crate::time::{Nanos, human_duration};
use crate::trace::{SpanKind, Trace};

/// Beyond this many nanoseconds a difference is stated.
pub const TOLERANCE: i64 = 2_000_000_000;

/// How long SDKs keep what they send, in nanoseconds: arriving so much later than its own time says nothing of a clock.
/// OpenTelemetry's batches go every five seconds, with time for a retry.
pub const USUAL_DELAY: i64 = 15_000_000_000;

/// The same of log handlers for CloudWatch Logs, which send once a minute.
pub const USUAL_LOG_DELAY: i64 = 75_000_000_000;

/// How far the clock of a sender is ahead of this machine's (or behind it, if negative), in nanoseconds, judged by the
/// last time that it wrote and when that arrived. `None` within what is usual.
pub fn of_sender(written: Nanos, arrived: Nanos, usual_delay: i64) -> Option<i64> {
    let ahead = written.0.saturating_sub(arrived.0);
    (ahead > TOLERANCE || ahead < -(TOLERANCE.saturating_add(usual_delay))).then_some(ahead)
}

/// The same in whole milliseconds, for lists.
pub fn of_sender_ms(written: Nanos, arrived: Nanos, usual_delay: i64) -> Option<i64> {
    of_sender(written, arrived, usual_delay).map(|ahead| ahead / 1_000_000)
}

/// The note about the clock of a sender.
pub fn note(sender: &str, ahead: i64) -> String {
    let who = if sender.is_empty() { "the sender" } else { sender };
    let long = human_duration(ahead.saturating_abs());
    match ahead > 0 {
        true => format!("the clock of {who} is {long} ahead of this machine's; times are shown as sent"),
        false => format!(
            "what {who} sent is dated {long} before it arrived: its clock is behind, or it was sent late; times are shown as sent"
        ),
    }
}

/// `clock +5 h`, for the cell of a list.
pub fn short(ahead_ms: i64) -> String {
    let sign = if ahead_ms > 0 { "+" } else { "−" };
    format!("clock {sign}{}", human_duration(ahead_ms.saturating_abs().saturating_mul(1_000_000)))
}

/// A span whose time does not fit that of its parent, which another clock wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanSkew {
    pub span: SpanId,
    /// How much earlier than its parent it began (negative), or how much later than its parent's end, in nanoseconds.
    pub off: i64,
}

/// The spans of a trace that began before their parent, or as its synchronous part after its end, by more than
/// [`TOLERANCE`], where the two are of different services: their clocks differ. In the order of the trace.
pub fn between_spans(trace: &Trace) -> Vec<SpanSkew> {
    let by_id: HashMap<SpanId, _> = trace.spans.iter().map(|span| (span.id, span)).collect();
    let skew = |span: &crate::trace::Span| {
        let parent = by_id.get(&span.parent?)?;
        // One process has one clock, and what it says is what happened.
        if parent.service == span.service || parent.id == span.id {
            return None;
        }
        let early = span.start.0.saturating_sub(parent.start.0);
        let late = parent.end.map_or(0, |end| span.start.0.saturating_sub(end.0));
        let waits = !matches!(span.kind, SpanKind::Consumer | SpanKind::Producer);
        let off = match (early < -TOLERANCE, waits && late > TOLERANCE) {
            (true, _) => early,
            (false, true) => late,
            (false, false) => return None,
        };
        Some(SpanSkew { span: span.id, off })
    };
    trace.spans.iter().filter_map(skew).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::{LooseSpan, assemble};
    use crate::ids::TraceId;
    use crate::trace::{Protocol, Resource, Scope, Span};

    const SECOND: i64 = 1_000_000_000;
    const HOUR: i64 = 3_600 * SECOND;

    #[test]
    fn a_clock_is_off_beyond_what_is_usual() {
        let of = |ahead: i64| of_sender(Nanos(1_000 * HOUR + ahead), Nanos(1_000 * HOUR), USUAL_DELAY);
        assert_eq!([of(0), of(2 * SECOND), of(-SECOND), of(-17 * SECOND)], [None; 4]);
        assert_eq!(of(2 * SECOND + 1), Some(2 * SECOND + 1));
        assert_eq!(of(5 * HOUR), Some(5 * HOUR));
        assert_eq!(of(-17 * SECOND - 1), Some(-17 * SECOND - 1), "later than a batch and a retry");
        assert_eq!(of_sender(Nanos(-60 * SECOND), Nanos(0), USUAL_LOG_DELAY), None, "once a minute");
        assert_eq!(of_sender(Nanos(i64::MIN), Nanos(i64::MAX), USUAL_DELAY), Some(i64::MIN));
        assert_eq!(of_sender_ms(Nanos(3 * SECOND), Nanos(0), USUAL_DELAY), Some(3_000));
        assert!(note("backend-flask", 5 * HOUR).starts_with("the clock of backend-flask is "));
        assert!(note("", -3 * HOUR).starts_with("what the sender sent is dated "));
        assert!(short(-3_000).starts_with("clock −3"), "{}", short(-3_000));
    }

    #[test]
    fn spans_of_another_clock_are_marked_and_nothing_else() {
        let span = |id: u8, parent: Option<u8>, service: &str, kind: SpanKind, start: i64, end: i64| {
            let mut span = Span::new(SpanId([id; 8]), service, Protocol::Otlp, Nanos(100 * HOUR + start * SECOND));
            span.parent = parent.map(|parent| SpanId([parent; 8]));
            span.kind = kind;
            span.service = service.to_owned();
            span.end = Some(Nanos(100 * HOUR + end * SECOND));
            LooseSpan { span, resource: Resource::default(), scope: Scope::default() }
        };
        let trace = assemble(
            TraceId([1; 16]),
            vec![
                span(1, None, "a", SpanKind::Client, 0, 1),
                span(2, Some(1), "b", SpanKind::Server, -10, -9),
                span(3, Some(1), "c", SpanKind::Server, 30, 31),
                span(4, Some(1), "d", SpanKind::Consumer, 30, 31),
                span(5, Some(1), "a", SpanKind::Internal, -10, -9),
                span(6, Some(1), "e", SpanKind::Server, -1, 1),
                span(7, Some(9), "f", SpanKind::Server, -10, -9),
                span(8, Some(8), "g", SpanKind::Server, -10, -9),
            ],
        );
        let mut found: Vec<(u8, i64)> = between_spans(&trace).iter().map(|s| (s.span.0[0], s.off / SECOND)).collect();
        found.sort_unstable();
        assert_eq!(found, [(2, -10), (3, 29)]);
    }
}

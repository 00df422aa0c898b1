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

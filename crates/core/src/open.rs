//! Spans without an end, and what that means. X-Ray's segments are sent when they begin and again when they end;
//! OpenTelemetry's exporters send spans that have ended
//! (<https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-processor>), so one without an end time is incomplete
//! rather than in progress.

use crate::text::count;
use crate::time::{Nanos, human_duration};
use crate::trace::{Protocol, Span};

/// How long nothing of a trace may arrive, in nanoseconds, before its segments in progress are reported as not
/// completed.
pub const QUIET: i64 = 60_000_000_000;

/// What lists state about the spans of a trace that have no end: `2 spans without an end time`. `None` for segments
/// that may still be completed, which the status shows.
pub fn note(open: usize, protocols: &[Protocol], received: Nanos, now: Nanos) -> Option<String> {
    if open == 0 {
        return None;
    }
    if !protocols.contains(&Protocol::Xray) {
        return Some(format!("{} without an end time", count(open, "span")));
    }
    let quiet = now.0.saturating_sub(received.0);
    (quiet >= QUIET).then(|| format!("not completed: nothing of it arrived for {}", human_duration(quiet)))
}

/// The note of a capture about segments that were in progress, if nothing of the trace had arrived for a while.
pub fn not_completed(spans: &[Span], received: Nanos, captured: Nanos) -> Option<String> {
    let open = spans.iter().filter(|span| span.end.is_none() && span.protocol == Protocol::Xray).count();
    let quiet = captured.0.saturating_sub(received.0);
    let late = || format!("not completed: nothing of it arrived in the {} before the capture", human_duration(quiet));
    (open > 0 && quiet >= QUIET).then(late)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SpanId;

    const MINUTE: i64 = 60_000_000_000;

    #[test]
    fn lists_state_what_is_known() {
        let of = |open, protocols: &[Protocol], quiet| note(open, protocols, Nanos(0), Nanos(quiet));
        assert_eq!(of(0, &[Protocol::Otlp], 90 * MINUTE), None);
        assert_eq!(of(1, &[Protocol::Otlp], 0).as_deref(), Some("1 span without an end time"));
        assert_eq!(of(2, &[Protocol::Otlp, Protocol::Console], 0).as_deref(), Some("2 spans without an end time"));
        assert_eq!(of(1, &[Protocol::Xray], MINUTE - 1), None, "it may still be completed");
        assert_eq!(of(1, &[Protocol::Otlp, Protocol::Xray], 0), None);
        let late = of(1, &[Protocol::Xray], 14 * MINUTE).expect("it is late");
        assert!(late.starts_with("not completed: nothing of it arrived for 14"), "{late}");
        assert_eq!(note(1, &[Protocol::Xray], Nanos(i64::MAX), Nanos(i64::MIN)), None);
    }

    #[test]
    fn captures_state_that_segments_were_not_completed() {
        let span = |protocol, end| {
            let mut span = Span::new(SpanId([1; 8]), "s", protocol, Nanos(0));
            span.end = end;
            span
        };
        let of = |protocol, end, quiet| not_completed(&[span(protocol, end)], Nanos(0), Nanos(quiet)).is_some();
        assert!(of(Protocol::Xray, None, MINUTE));
        assert!(!of(Protocol::Xray, None, MINUTE - 1));
        assert!(!of(Protocol::Xray, Some(Nanos(1)), 90 * MINUTE));
        assert!(!of(Protocol::Otlp, None, 90 * MINUTE), "stated by the notes of the trace");
    }
}

//! Clocks of senders, compared with this machine's. Times stay as sent: a difference is stated, never corrected. For
//! clocks within a trace, see [`crate::analysis::skew`].

use crate::time::{Nanos, human_duration};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}

//! The X-Ray daemon's log lines, verbatim: the course uses them as proof that segments arrive.
//!
//! Format `%Date(2006-01-02T15:04:05Z07:00) [%Level] %Msg%n` (github.com/aws/aws-xray-daemon, pkg/cfg/cfg.go); texts
//! from pkg/processor/batchprocessor.go, which writes `1 segments` too.

use std::time::Duration;

use tracebook_core::time::Nanos;

/// A line as the daemon writes it, without the line feed.
pub(super) fn line(now: Nanos, level: &str, message: &str) -> String {
    let time = now.rfc3339();
    // The daemon writes whole seconds.
    let seconds = time.split(['.', 'Z']).next().unwrap_or(&time);
    format!("{seconds}Z [{level}] {}", message.replace(['\n', '\r'], " "))
}

/// The line for an accepted batch.
pub(super) fn sent(now: Nanos, segments: usize, unprocessed: usize, took: Duration) -> String {
    let took = took.as_secs_f64();
    let words = match unprocessed {
        0 => format!("Successfully sent batch of {segments} segments ({took:1.3} seconds)"),
        n => format!("Sent batch of {segments} segments but had {n} Unprocessed segments ({took:1.3} seconds)"),
    };
    line(now, "Info", &words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_daemons_format() {
        let now = Nanos::parse_rfc3339("2026-11-25T22:40:00.987654321Z").expect("a time");
        assert_eq!(
            sent(now, 1, 0, Duration::from_millis(85)),
            "2026-11-25T22:40:00Z [Info] Successfully sent batch of 1 segments (0.085 seconds)"
        );
        assert_eq!(
            sent(now, 50, 2, Duration::from_micros(1_234_567)),
            "2026-11-25T22:40:00Z [Info] Sent batch of 50 segments but had 2 Unprocessed segments (1.235 seconds)"
        );
        let whole = Nanos::parse_rfc3339("2026-11-25T22:40:00Z").expect("a time");
        assert_eq!(line(whole, "Error", "a\nb"), "2026-11-25T22:40:00Z [Error] a b");
    }
}

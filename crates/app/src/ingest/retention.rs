//! Keeps telemetry within its limits while nothing is written: deletes old data, and applies a lowered limit. Writers
//! free the space they need themselves, see `store::trim`.
//!
//! Ages are differences of the machine's clock, so a clock that is set wrong for a minute could delete a week of data.
//! After a jump of the clock nothing is deleted by age until it has run evenly for a day. The limit of bytes holds all
//! the time.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use tracebook_core::time::Nanos;
use tracebook_store::Telemetry;

use crate::ground::runtime::Runtime;
use crate::ground::settings::TelemetryLimits;

const INTERVAL: Duration = Duration::from_secs(3);

/// A difference between the clock and the time that passed which is not drift or a leap second.
const JUMP: Duration = Duration::from_secs(60);

/// How long the clock has to run evenly after a jump before ages are believed again.
const STEADY: Duration = Duration::from_hours(24);

/// Deletes old telemetry until the app stops.
pub(crate) fn start(telemetry: Telemetry, limits: TelemetryLimits, runtime: &Runtime) {
    let ours = runtime.clone();
    runtime.spawn_cancellable(async move {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watch = ClockWatch::default();
        loop {
            interval.tick().await;
            let now = ours.now();
            let before = if watch.is_steady(now, since_boot()) { oldest_kept(limits, now) } else { Nanos(i64::MIN) };
            if let Err(error) = telemetry.trim(before).await {
                // Repeated at the next tick: the database may only be busy.
                tracing::warn!(%error, "telemetry could not be trimmed");
            }
        }
    });
}

/// Compares the clock of the machine with the time that passes.
#[derive(Debug, Default)]
struct ClockWatch {
    /// The clock and the time since the machine's start, at the last look.
    last: Option<(Nanos, Duration)>,
    /// When a jump was last noticed, as time since the machine's start.
    jumped: Option<Duration>,
}

impl ClockWatch {
    /// Whether ages can be taken from the clock: it has not jumped in the last day of this process.
    fn is_steady(&mut self, now: Nanos, since_boot: Duration) -> bool {
        if let Some((then, before)) = self.last.replace((now, since_boot)) {
            let passed = since_boot.saturating_sub(before);
            let jump = i128::from(now.0) - i128::from(then.0) - i128::try_from(passed.as_nanos()).unwrap_or(i128::MAX);
            if jump.unsigned_abs() > JUMP.as_nanos() {
                let seconds = jump / 1_000_000_000;
                tracing::warn!(seconds, "the clock of this machine jumped: telemetry is not deleted by age for a day");
                self.jumped = Some(since_boot);
            }
        }
        self.jumped.is_none_or(|jumped| since_boot.saturating_sub(jumped) >= STEADY)
    }
}

/// The time since the machine started, suspension included. Setting the clock does not change it.
#[cfg(unix)]
fn since_boot() -> Duration {
    // Outside Linux the monotonic clock includes suspension.
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(clock);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

#[cfg(not(unix))]
fn since_boot() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// Data that arrived before this time is deleted.
fn oldest_kept(limits: TelemetryLimits, now: Nanos) -> Nanos {
    Nanos(now.0.saturating_sub(limits.nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_is_kept_by_default() {
        let now = Nanos::parse_rfc3339("2026-11-25T10:00:00Z").expect("a time");
        let oldest = oldest_kept(TelemetryLimits::default(), now);
        assert_eq!(Some(oldest), Nanos::parse_rfc3339("2026-11-18T10:00:00Z"));
        let forever = TelemetryLimits { max_days: u32::MAX, ..TelemetryLimits::default() };
        assert!(oldest_kept(forever, now).0 < 0, "a limit beyond the calendar keeps everything");
    }

    const HOUR: i64 = 3_600_000_000_000;

    fn at(hours: i64) -> (Nanos, Duration) {
        (Nanos(1_764_000_000_000_000_000 + hours * HOUR), Duration::from_secs(hours.unsigned_abs() * 3_600))
    }

    #[test]
    fn ages_are_not_believed_for_a_day_after_a_jump() {
        for jump in [365 * 24, -365 * 24, 24, -24, 1, -1] {
            let mut watch = ClockWatch::default();
            let ((start, boot), (later, up)) = (at(0), at(1));
            assert!(watch.is_steady(start, boot), "the clock is believed at the start");
            assert!(watch.is_steady(later, up));
            let jumped = |(now, up): (Nanos, Duration)| (Nanos(now.0 + jump * HOUR), up);
            let mut steady = |(now, up)| watch.is_steady(now, up);
            assert!(!steady(jumped(at(2))), "{jump}");
            assert!(!steady(jumped(at(25))), "{jump}");
            assert!(steady(jumped(at(26))), "{jump}");
            assert!(!steady(at(27)), "the clock is set right: another jump");
            assert!(steady(at(51)));
        }
    }

    #[test]
    fn drift_suspension_and_leap_seconds_are_no_jumps() {
        let mut watch = ClockWatch::default();
        let second = 1_000_000_000;
        for hours in 0..100 {
            let (now, up) = at(hours * 10);
            assert!(watch.is_steady(Nanos(now.0 + hours * second), up));
        }
    }

    #[test]
    fn the_time_since_the_start_grows() {
        let before = since_boot();
        std::thread::sleep(Duration::from_millis(5));
        assert!(since_boot() > before);
    }
}

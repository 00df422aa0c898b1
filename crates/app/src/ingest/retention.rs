//! Keeps telemetry within its limits while nothing is written: deletes old data, and applies a lowered limit. Writers
//! free the space they need themselves, see `store::trim`.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use tracebook_core::time::Nanos;
use tracebook_store::Telemetry;

use crate::ground::runtime::Runtime;
use crate::ground::settings::TelemetryLimits;

const INTERVAL: Duration = Duration::from_secs(3);

/// Deletes old telemetry until the app stops.
pub(crate) fn start(telemetry: Telemetry, limits: TelemetryLimits, runtime: &Runtime) {
    let ours = runtime.clone();
    runtime.spawn_cancellable(async move {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            if let Err(error) = telemetry.trim(oldest_kept(limits, ours.now())).await {
                // Repeated at the next tick: the database may only be busy.
                tracing::warn!(%error, "telemetry could not be trimmed");
            }
        }
    });
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
}

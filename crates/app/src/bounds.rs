//! Keeping telemetry within its limits while nothing is written: what is too old goes, and a limit that was lowered holds. Who
//! writes makes room for what it writes, see `store::bounds`.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use tracebook_core::clock::Clock as _;
use tracebook_core::time::Nanos;
use tracebook_store::Telemetry;

use crate::settings::TelemetryLimits;
use crate::system::SystemClock;

/// How often is looked.
const PACE: Duration = Duration::from_secs(3);

/// Lets what is too old go until the token ends.
pub(crate) fn start(telemetry: Telemetry, limits: TelemetryLimits, token: CancellationToken, tasks: &TaskTracker) {
    tasks.spawn(async move {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = token.cancelled() => break,
                _ = pace.tick() => {}
            }
            let before = Nanos(SystemClock.now().0.saturating_sub(limits.nanos()));
            // A database that is busy now is trimmed at the next look.
            let _ = tokio::select! {
                () = token.cancelled() => break,
                done = telemetry.trim(before) => done,
            };
        }
    });
}

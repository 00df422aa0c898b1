//! Keeping telemetry within its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use tracebook_core::clock::Clock as _;
use tracebook_core::time::Nanos;
use tracebook_store::Telemetry;

use crate::settings::TelemetryLimits;
use crate::system::SystemClock;

/// How often is looked. Ingest writes some hundred megabytes in that time at most.
const PACE: Duration = Duration::from_secs(3);

/// How much went, since the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dropped(Arc<AtomicU64>);

impl Dropped {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Lets the oldest telemetry go until the token ends.
pub(crate) fn start(
    telemetry: Telemetry,
    limits: TelemetryLimits,
    token: CancellationToken,
    tasks: &TaskTracker,
) -> Dropped {
    let dropped = Dropped::default();
    let ours = dropped.clone();
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
            let gone = tokio::select! {
                () = token.cancelled() => break,
                gone = telemetry.trim(limits.bytes(), before) => gone.unwrap_or(0),
            };
            ours.0.fetch_add(gone, Ordering::Relaxed);
        }
    });
    dropped
}

//! Keeps telemetry within its limits while nothing is written: deletes old data, and applies a lowered limit. Writers
//! free the space they need themselves, see `store::trim`.
//!
//! Ages are counted by the time that certainly passed, see [`super::ages`]. The limit of bytes holds all the time.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use tracebook_core::time::Nanos;
use tracebook_store::{StoreError, Telemetry};

use super::ages::{Ages, Kept, Look};
use crate::ground::runtime::Runtime;
use crate::ground::settings::TelemetryLimits;

const INTERVAL: Duration = Duration::from_secs(3);

/// Deletes old telemetry until the app stops.
pub(crate) fn start(store: Telemetry, limits: TelemetryLimits, data_dir: &Path, runtime: &Runtime) {
    let keeper = Keeper {
        store,
        limit: Duration::from_nanos(limits.nanos().unsigned_abs()),
        kept: Kept::new(data_dir),
        ages: None,
        runtime: runtime.clone(),
    };
    runtime.spawn_cancellable(keeper.run());
}

struct Keeper {
    store: Telemetry,
    limit: Duration,
    kept: Kept,
    ages: Option<Ages>,
    runtime: Runtime,
}

impl Keeper {
    async fn run(mut self) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let trimmed = match self.oldest_kept().await {
                Ok(before) => self.store.trim(before).await,
                Err(error) => Err(error),
            };
            if let Err(error) = trimmed {
                // Repeated at the next tick: the database may only be busy.
                tracing::warn!(%error, "telemetry could not be trimmed");
            }
        }
    }

    /// Data that arrived before this time is deleted.
    async fn oldest_kept(&mut self) -> Result<Nanos, StoreError> {
        let look = Look { now: self.runtime.now(), since_boot: since_boot(), boot: boot() };
        let ages = match self.ages.take() {
            Some(mut ages) => {
                ages.look(look, self.limit);
                ages
            }
            None => match self.kept.read() {
                Some(ages) => ages.resumed(look, self.limit),
                None => {
                    let newest = self.store.arrivals().await?.newest();
                    Ages::new(look, newest, self.store.set_back().await?, self.limit)
                }
            },
        };
        self.kept.write(&ages);
        Ok(self.ages.insert(ages).oldest_kept(self.limit))
    }
}

/// Which start of the machine this is; empty where it is not known.
fn boot() -> String {
    static BOOT: LazyLock<String> = LazyLock::new(|| {
        let id = PathBuf::from("/proc/sys/kernel/random/boot_id");
        std::fs::read_to_string(id).map(|id| id.trim().to_owned()).unwrap_or_default()
    });
    BOOT.clone()
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
    static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_since_the_start_grows() {
        let before = since_boot();
        std::thread::sleep(Duration::from_millis(5));
        assert!(since_boot() > before);
    }
}

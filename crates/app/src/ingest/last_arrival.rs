//! When something last arrived at this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tracebook_core::clock::Clock;
use tracebook_core::time::Nanos;

/// Cheap to clone; clones share the time.
#[derive(Clone)]
pub(crate) struct LastArrival {
    clock: Arc<dyn Clock>,
    /// Nanoseconds since the Unix epoch; 0 for never.
    last: Arc<AtomicI64>,
}

impl std::fmt::Debug for LastArrival {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LastArrival").field("last", &self.last).finish_non_exhaustive()
    }
}

impl LastArrival {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, last: Arc::default() }
    }

    /// Notes an arrival and returns its time.
    pub(crate) fn now(&self) -> Nanos {
        let now = self.clock.now();
        self.last.store(now.0, Ordering::Relaxed);
        now
    }

    /// The time.
    pub(crate) fn clock(&self) -> Nanos {
        self.clock.now()
    }

    /// How many nanoseconds ago; `None` for never.
    pub(crate) fn ago(&self) -> Option<i64> {
        match self.last.load(Ordering::Relaxed) {
            0 => None,
            last => Some(self.clock.now().0.saturating_sub(last)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ManualClock;

    #[test]
    fn the_age_of_the_last_arrival_follows_the_clock() {
        let clock = Arc::new(ManualClock::at("2026-11-25T10:00:00Z"));
        let last = LastArrival::new(clock.clone());
        assert_eq!(last.ago(), None);
        last.clone().now();
        clock.advance(31_000_000_000);
        assert_eq!(last.ago(), Some(31_000_000_000));
    }
}

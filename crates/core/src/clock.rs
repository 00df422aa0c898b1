//! The clock as a trait, so that rules that depend on time can be tested.

use crate::time::Nanos;

/// A source of the current time. Only the host implements it with the system's clock.
pub trait Clock: Send + Sync {
    /// Nanoseconds since the Unix epoch, UTC.
    fn now(&self) -> Nanos;
}

/// A clock that always returns the same time, for tests and for redrawing.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub Nanos);

impl Clock for FixedClock {
    fn now(&self) -> Nanos {
        self.0
    }
}

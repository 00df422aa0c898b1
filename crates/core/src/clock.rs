//! The door through which time comes in.

use crate::time::Nanos;

/// Tells the time. Only a host may implement it with the real one, so that every rule that
/// depends on time can be tested.
pub trait Clock: Send + Sync {
    /// Nanoseconds since the Unix epoch, UTC.
    fn now(&self) -> Nanos;
}

/// A clock that always tells the same time, for tests and for redrawing.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub Nanos);

impl Clock for FixedClock {
    fn now(&self) -> Nanos {
        self.0
    }
}

//! What tests of several modules share: a clock that is set by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tracebook_core::clock::Clock;
use tracebook_core::time::Nanos;

use crate::ground::runtime::Runtime;
use crate::system::{SystemClock, SystemEntropy};

/// A runtime with the system's clock and randomness.
pub(crate) fn runtime() -> Runtime {
    Runtime::new(Arc::new(SystemClock), Arc::new(SystemEntropy))
}

/// A clock that stands still until it is advanced.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn at(rfc3339: &str) -> Self {
        Self(AtomicI64::new(Nanos::parse_rfc3339(rfc3339).expect("a time").0))
    }

    pub(crate) fn advance(&self, nanos: i64) {
        self.0.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Nanos {
        Nanos(self.0.load(Ordering::SeqCst))
    }
}

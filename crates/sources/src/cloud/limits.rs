//! A rate limiter for each API, at the quota that its vendor documents.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// An API with a quota of its own. Each vendor's folder has the constants of its own APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Api {
    name: &'static str,
    per_minute: u32,
    burst: u32,
}

impl Api {
    /// An API by the name that messages and the counts of requests use, with the requests per minute that it allows and
    /// the burst after a pause.
    pub const fn new(name: &'static str, per_minute: u32, burst: u32) -> Self {
        Self { name, per_minute, burst }
    }

    /// Its name in messages and in the counts of requests.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Between two requests at its quota.
    fn step(self) -> Duration {
        Duration::from_secs(60) / self.per_minute.max(1)
    }
}

/// Limits the rate of requests. Cheap to clone; clones share their state.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// For each API the time at which its bucket is full again; `None` for no limits.
    full_at: Option<Arc<Mutex<HashMap<Api, Instant>>>>,
}

impl Limits {
    /// The vendors' documented quotas.
    pub fn documented() -> Self {
        Self { full_at: Some(Arc::default()) }
    }

    /// No limits, for a user-defined endpoint (an emulator, a test).
    pub fn none() -> Self {
        Self::default()
    }

    /// Reserves the next request and returns how long to wait for it.
    pub(super) fn reserve(&self, api: Api) -> Duration {
        let Some(book) = &self.full_at else { return Duration::ZERO };
        let step = api.step();
        let now = Instant::now();
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = book.entry(api).or_insert(now);
        *full_at = (*full_at).max(now) + step;
        (*full_at - now).saturating_sub(step * api.burst)
    }

    /// After throttling: no request is allowed before this pause is over.
    pub(super) fn hold(&self, api: Api, pause: Duration) {
        let Some(book) = &self.full_at else { return };
        let until = Instant::now() + pause + api.step() * api.burst;
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = book.entry(api).or_insert(until);
        *full_at = (*full_at).max(until);
    }
}

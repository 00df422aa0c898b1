//! Requests of one fetch: rate limits, retries, progress, cancellation.

use std::future::Future;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::{Fault, SourceError};
use super::limits::{Api, Limits};

/// How often a throttled request is tried before its error is returned.
const MAX_ATTEMPTS: u32 = 5;
/// The pause after the first throttling; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(400);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(20);
/// The longest pause that a source may ask for; beyond it the request fails. Honeycomb counts by the minute.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// How far a fetch is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Pages or batches so far.
    pub pages: u32,
    /// Rows so far.
    pub rows: u32,
    /// The expected number of rows; 0 if unknown.
    pub of: u32,
    /// What is fetched: `log events of cruddur`.
    pub what: String,
}

/// What a vendor bills or counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Used {
    /// X-Ray: traces retrieved.
    XrayTracesRetrieved,
    /// X-Ray: traces scanned for a list, whether they match or not.
    XrayTracesScanned,
    /// X-Ray: segments recorded, by the relay.
    XraySegmentsRecorded,
    /// CloudWatch Logs: log events read.
    LogEventsRead,
    /// CloudWatch Logs Insights: bytes scanned.
    InsightsBytes,
    /// CloudWatch Logs: seconds of Live Tail.
    LiveTailSeconds,
    /// CloudWatch Logs: bytes put, by the relay.
    LogBytesPut,
}

/// Counts requests and usage.
pub trait Meter: Send + Sync {
    /// A request is made.
    fn called(&self, api: Api);
    /// Something that is billed or counted was used.
    fn used(&self, what: Used, n: u64);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMeter;

impl Meter for NoMeter {
    fn called(&self, _api: Api) {}
    fn used(&self, _what: Used, _n: u64) {}
}

/// The context of a fetch. Cheap to clone.
#[derive(Clone)]
pub struct Fetch {
    token: CancellationToken,
    limits: Limits,
    meter: Arc<dyn Meter>,
    tell: Arc<dyn Fn(Progress) + Send + Sync>,
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetch").finish_non_exhaustive()
    }
}

impl Fetch {
    /// A fetch that stops when the token is cancelled, keeps to the limits, and reports progress.
    pub fn new(
        token: CancellationToken,
        limits: Limits,
        meter: Arc<dyn Meter>,
        tell: Arc<dyn Fn(Progress) + Send + Sync>,
    ) -> Self {
        Self { token, limits, meter, tell }
    }

    /// A fetch without limits, counters, progress or cancellation.
    pub fn unattended() -> Self {
        Self::new(CancellationToken::new(), Limits::none(), Arc::new(NoMeter), Arc::new(|_| {}))
    }

    pub fn progress(&self, progress: Progress) {
        (self.tell)(progress);
    }

    /// Counts what is billed or limited.
    pub fn used(&self, what: Used, n: u64) {
        self.meter.used(what, n);
    }

    /// Completes when the user cancels.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Makes one request after waiting for the rate limit. Only a throttled request is repeated, with growing pauses or
    /// those that the source asks for; other errors are the caller's to handle.
    ///
    /// # Errors
    /// The error of the request; [`Fault::Cancelled`] as soon as the user cancels, also during a pause or in the middle
    /// of an answer.
    pub async fn call<T, F, R>(&self, api: Api, mut request: R) -> Result<T, SourceError>
    where
        R: FnMut() -> F,
        F: Future<Output = Result<T, SourceError>>,
    {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            self.wait(self.limits.reserve(api)).await?;
            self.meter.called(api);
            let begun = Instant::now();
            let outcome = tokio::select! {
                biased;
                () = self.token.cancelled() => return Err(SourceError::cancelled()),
                outcome = request() => outcome,
            };
            let (status, duration_ms) = (status(&outcome), begun.elapsed().as_millis());
            // The messages of faults may quote a filter.
            tracing::debug!(operation = api.name(), attempt, status, duration_ms, "cloud call");
            match outcome {
                Err(error) if error.fault == Fault::Throttled && attempt < MAX_ATTEMPTS && is_bearable(&error) => {
                    let pause_now = jittered(pause).max(error.retry_after.unwrap_or_default());
                    self.limits.hold(api, pause_now);
                    self.wait(pause_now).await?;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
                Err(mut error) if error.fault == Fault::Throttled && attempt > 1 => {
                    error.message = format!("{} (asked {attempt} times)", error.message);
                    return Err(error);
                }
                outcome => return outcome,
            }
        }
        // The loop only ends by returning.
        Err(SourceError::cancelled())
    }

    /// Waits, unless the user cancels.
    ///
    /// # Errors
    /// [`Fault::Cancelled`].
    pub async fn wait(&self, pause: Duration) -> Result<(), SourceError> {
        if self.token.is_cancelled() {
            return Err(SourceError::cancelled());
        }
        if pause.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = self.token.cancelled() => Err(SourceError::cancelled()),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }
}

/// How a call ended, in one word.
fn status<T>(outcome: &Result<T, SourceError>) -> &'static str {
    outcome.as_ref().map_or_else(|error| error.fault.name(), |_| "ok")
}

fn is_bearable(error: &SourceError) -> bool {
    error.retry_after.is_none_or(|pause| pause <= MAX_RETRY_AFTER)
}

/// Between half of a pause and all of it, so that two throttled clients do not retry at the same time.
fn jittered(pause: Duration) -> Duration {
    // The standard library's hasher is seeded at random; nothing here has to be unpredictable.
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u8(0);
    let share = u32::try_from(hasher.finish() % 1_000).unwrap_or(0);
    pause / 2 + pause / 2 * share / 1_000
}

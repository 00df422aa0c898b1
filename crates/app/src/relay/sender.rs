//! Sends the queue of one destination.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use tracebook_core::ids::Entropy;
use tracebook_core::telemetry::ConsoleRecord;
use tracebook_core::time::Nanos;
use tracebook_sources::cloud::{Fault, SourceError};
use tracebook_store::Telemetry;
use tracebook_store::relay::{BatchOutcome, Queued};

use super::open::Open;
use super::sinks::{Outcome, Sink};
use super::{Relay, daemon};
use crate::ground::settings::relay::Destination;
use crate::ground::settings::relay::RelaySettings;

/// The console stream for the daemon's lines.
pub(crate) const STREAM: &str = "x-ray relay";

/// The longest pause, even if a service asks for more.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);
/// After this many consecutive failures, payloads are sent one by one.
const MAX_BATCH_FAILURES: u32 = 4;

/// The intervals of a sender.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// How long payloads are gathered into a batch; the daemon's idle time-out.
    pub(super) gather: Duration,
    /// How often the queue is polled, which other processes fill too.
    pub(super) look: Duration,
    /// The pause after the first failure; doubles each time.
    pub(super) first_pause: Duration,
    /// The longest pause.
    pub(super) longest_pause: Duration,
    /// The retry interval without credentials.
    pub(super) missing: Duration,
    /// The retry interval with expired credentials: `aws sso login` sends no notification.
    pub(super) expired: Duration,
    /// The retry interval after a rejection.
    pub(super) refused: Duration,
    /// How long the rest of the queue is sent at shutdown.
    pub(super) last: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            gather: Duration::from_secs(1),
            look: Duration::from_secs(1),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(300),
            missing: Duration::from_secs(5),
            expired: Duration::from_secs(30),
            refused: Duration::from_secs(300),
            last: Duration::from_secs(2),
        }
    }
}

/// Sends what is queued for one destination.
pub(super) struct Sender {
    to: Destination,
    relay: Relay,
    store: Telemetry,
    open: Arc<dyn Open>,
    timing: Timing,
    /// The sink, with the settings it was created with.
    destination: Option<(Arc<RelaySettings>, Box<dyn Sink>)>,
    /// Consecutive failures.
    failures: u32,
    /// How many payloads are sent one by one, after one of them failed a batch.
    alone: usize,
    /// Kinds that are not accepted now, and until when they are skipped.
    later: HashMap<String, Instant>,
    /// An outcome that could not be stored. Nothing is sent before it is: it would be sent twice.
    unsettled: Option<BatchOutcome>,
    /// The problem in the store, and since when; `None` before it is read.
    reported: Option<(String, Option<Nanos>)>,
}

/// Waits until the settings differ.
async fn settings_changed(relay: &Relay, set: &RelaySettings) {
    let mut changed = relay.0.changed.subscribe();
    while changed.changed().await.is_ok() {
        if *relay.settings() != *set {
            return;
        }
    }
    std::future::pending().await
}

/// The next step of a sender.
enum Next {
    /// Continue: there may be more.
    Go,
    /// The queue is empty.
    Rest,
    /// Wait for more payloads of the batch.
    Gather(Duration),
    /// Nothing can be sent now.
    Pause(Duration),
}

impl Sender {
    pub(super) fn new(
        to: Destination,
        relay: Relay,
        telemetry: Telemetry,
        open: Arc<dyn Open>,
        timing: Timing,
    ) -> Self {
        Self {
            to,
            relay,
            store: telemetry,
            open,
            timing,
            destination: None,
            failures: 0,
            alone: 0,
            later: HashMap::new(),
            unsettled: None,
            reported: None,
        }
    }

    /// Sends until the token is cancelled, then the rest for a moment. What is still being sent after that stays
    /// queued.
    pub(super) async fn run(mut self, token: CancellationToken) {
        let last = self.timing.last;
        let work = self.work(&token);
        tokio::pin!(work);
        tokio::select! {
            () = &mut work => return,
            () = token.cancelled() => {}
        }
        // Payloads still in flight stay queued.
        drop(timeout(last, work).await);
    }

    async fn work(&mut self, token: &CancellationToken) {
        let relay = self.relay.clone();
        let mut changed = relay.0.changed.subscribe();
        let arrived = relay.arrived(self.to);
        while !token.is_cancelled() {
            // Marked before the step, so that a change during it is seen.
            changed.mark_unchanged();
            let set = relay.settings();
            let next = tokio::select! {
                next = self.step(true) => next,
                () = settings_changed(&relay, &set) => {
                    // A destination that was turned off or moved must not get the batch.
                    self.destination = None;
                    continue;
                }
            };
            let (pause, wakes) = match next {
                Next::Go => continue,
                Next::Rest => (self.timing.look, true),
                Next::Gather(rest) => (rest, true),
                Next::Pause(pause) => (pause, false),
            };
            tokio::select! {
                () = token.cancelled() => break,
                () = arrived.notified(), if wakes => {}
                _ = changed.changed() => {
                    self.failures = 0;
                    self.later.clear();
                    self.destination = None;
                }
                () = sleep(pause) => {}
            }
        }
        while self.failures == 0 && matches!(self.step(false).await, Next::Go) {}
    }

    async fn step(&mut self, gather: bool) -> Next {
        if let Some(settled) = self.unsettled.take()
            && let Some(next) = self.finish(settled).await
        {
            return next;
        }
        let set = self.relay.settings();
        if !set.is_on(self.to) {
            self.destination = None;
            self.clear_problem().await;
            return Next::Rest;
        }
        let (items, bytes) = if self.alone > 0 { (1, 1) } else { self.to.max_batch() };
        let now = Instant::now();
        self.later.retain(|_, until| *until > now);
        let later: Vec<String> = self.later.keys().cloned().collect();
        let batch = match self.store.relay_next(self.to.name(), items, bytes, &later).await {
            Ok(batch) => batch,
            // The database may be busy.
            Err(_) => return Next::Pause(self.timing.look),
        };
        if batch.is_empty()
            && let Some(until) = self.later.values().min()
        {
            return Next::Gather(until.saturating_duration_since(now));
        }
        if batch.is_empty() {
            self.failures = 0;
            self.alone = 0;
            self.clear_problem().await;
            return Next::Rest;
        }
        if gather && let Some(rest) = self.gathers(&batch) {
            return Next::Gather(rest);
        }
        let destination = match self.destination.take() {
            Some((with, destination)) if *with == *set => destination,
            _ => match self.open.open(self.to, &set).await {
                Ok(destination) => destination,
                Err(error) => return self.not_open(&error).await,
            },
        };
        let before = Instant::now();
        let outcome = destination.send(&batch, &self.open.fetch()).await;
        let took = before.elapsed();
        self.destination = Some((set, destination));
        self.alone = self.alone.saturating_sub(1);
        match outcome {
            Ok(outcome) => {
                self.failures = 0;
                self.taken(&batch, &outcome, took).await
            }
            Err(error) => {
                self.sending_failed(&error).await;
                match error.fault {
                    // One payload fails the batch: send each on its own.
                    Fault::Invalid if batch.len() > 1 => {
                        self.alone = batch.len();
                        Next::Go
                    }
                    Fault::Invalid => {
                        let refused = batch.iter().map(|queued| u64::from(queued.items)).sum();
                        let outcome = Outcome { refused, words: vec![error.message], again: Vec::new() };
                        self.taken(&batch, &outcome, took).await
                    }
                    Fault::Broken | Fault::Unreachable if self.failures > 0 => {
                        // These bytes may cause the failure: others go first the next time, later each on its own.
                        let retry = batch.iter().map(|queued| queued.seq).collect();
                        // If that cannot be stored, it is retried before anything is sent, after the same pause.
                        self.finish(BatchOutcome { retry, ..BatchOutcome::default() }).await;
                        if batch.len() > 1 && self.failures >= MAX_BATCH_FAILURES {
                            self.alone = batch.len();
                        }
                        self.failed(&error).await
                    }
                    Fault::Forbidden | Fault::NotFound | Fault::Unsupported => {
                        // It may concern one kind only: a log group that may not be written to, an endpoint without
                        // logs.
                        let kind = batch.first().map(|queued| queued.kind.clone()).unwrap_or_default();
                        let next = self.failed(&error).await;
                        let Next::Pause(pause) = next else { return next };
                        self.later.insert(kind, Instant::now() + pause);
                        Next::Go
                    }
                    _ => self.failed(&error).await,
                }
            }
        }
    }

    /// How much longer to wait for more payloads.
    fn gathers(&self, batch: &[Queued]) -> Option<Duration> {
        let (most, _) = self.to.max_batch();
        let items: u64 = batch.iter().map(|queued| u64::from(queued.items)).sum();
        if self.alone > 0 || items >= u64::from(most) {
            return None;
        }
        let first = batch.iter().map(|queued| queued.received.0).min()?;
        let waited =
            Duration::from_nanos(u64::try_from(self.relay.0.runtime.now().0.saturating_sub(first)).unwrap_or(u64::MAX));
        // A clock that was set back must not delay a batch indefinitely.
        self.timing.gather.checked_sub(waited).filter(|rest| !rest.is_zero())
    }

    async fn taken(&mut self, batch: &[Queued], outcome: &Outcome, took: Duration) -> Next {
        let Outcome { words, again, .. } = outcome;
        let (stays, goes): (Vec<_>, Vec<_>) = batch.iter().enumerate().partition(|(i, _)| again.contains(i));
        let items: u64 = goes.iter().map(|(_, queued)| u64::from(queued.items)).sum();
        // The service's number is not trusted.
        let refused = outcome.refused.min(items);
        let (destination, retry, duration_ms) = (self.to.name(), stays.len(), took.as_millis());
        tracing::debug!(destination, items, refused, retry, duration_ms, "batch sent");
        if refused > 0 {
            tracing::warn!(destination, refused, "the destination refused what was sent");
        }
        let settled = BatchOutcome {
            done: goes.iter().map(|(_, queued)| queued.seq).collect(),
            sent: items - refused,
            refused,
            refusal: if refused > 0 { words.join("; ") } else { String::new() },
            retry: stays.iter().map(|(_, queued)| queued.seq).collect(),
        };
        if refused < items && self.later.is_empty() {
            self.clear_problem().await;
        }
        self.report(items, stays.len(), outcome, took).await;
        if let Some(next) = self.finish(settled).await {
            return next;
        }
        // What was not accepted now will hardly be accepted at once.
        if !stays.is_empty() { Next::Pause(self.timing.first_pause) } else { Next::Go }
    }

    /// Stores the outcome of a batch; where that fails, keeps it and returns what to do next.
    async fn finish(&mut self, settled: BatchOutcome) -> Option<Next> {
        match self.store.relay_finish(self.to.name(), &settled, self.relay.0.runtime.now()).await {
            Ok(()) => None,
            Err(_) => {
                self.unsettled = Some(settled);
                Some(Next::Pause(self.timing.look))
            }
        }
    }

    /// Looking for credentials costs no calls, so it is retried soon.
    async fn not_open(&mut self, error: &SourceError) -> Next {
        let next = self.failed(error).await;
        match error.fault {
            Fault::Expired | Fault::Unreachable | Fault::Throttled | Fault::Broken => next,
            _ => Next::Pause(self.timing.missing),
        }
    }

    /// Reports a failure and returns the pause before the next try.
    async fn failed(&mut self, error: &SourceError) -> Next {
        let pause = match error.fault {
            Fault::NoCredentials => self.timing.missing,
            // A command outside may renew them.
            Fault::Expired => self.timing.expired,
            Fault::Rejected | Fault::Forbidden | Fault::NotFound | Fault::Unsupported | Fault::Invalid => {
                self.timing.refused
            }
            Fault::Throttled | Fault::Unreachable | Fault::Broken | Fault::Cancelled => {
                let doubled = self.timing.first_pause.saturating_mul(1 << self.failures.min(16));
                let ours = jittered(doubled.min(self.timing.longest_pause), self.relay.0.runtime.entropy());
                error.retry_after.unwrap_or_default().clamp(ours, MAX_RETRY_AFTER.max(ours))
            }
        };
        self.failures = self.failures.saturating_add(1);
        // The resolved credentials may be the cause.
        self.destination = None;
        self.problem(error).await;
        Next::Pause(pause)
    }

    async fn problem(&mut self, error: &SourceError) {
        let (known, since) = self.known_problem().await;
        if known == error.message {
            return;
        }
        // The message may quote what was sent.
        tracing::warn!(destination = self.to.name(), fault = error.fault.name(), "the relay waits");
        let since = if known.is_empty() { None } else { since }.unwrap_or_else(|| self.relay.0.runtime.now());
        let hint = match (error.fault, self.to) {
            (Fault::Throttled | Fault::Broken | Fault::Unreachable, _) => "It is retried automatically",
            (Fault::Forbidden, Destination::Xray) => {
                "It needs xray:PutTraceSegments; the policy AWSXRayDaemonWriteAccess allows it"
            }
            (Fault::Forbidden, Destination::Logs) => {
                "It needs logs:PutLogEvents, logs:CreateLogGroup and logs:CreateLogStream on this group"
            }
            _ => &error.hint,
        };
        let stored = self.store.relay_set_problem(self.to.name(), &error.message, hint, Some(since)).await;
        if stored.is_ok() {
            self.reported = Some((error.message.clone(), Some(since)));
        }
        let hint = if hint.is_empty() { String::new() } else { format!(". {hint}") };
        self.line("Warn", &format!("Relay to {} waits: {}{hint}", self.to.title(), error.message)).await;
    }

    /// Clears the problem in the store.
    async fn clear_problem(&mut self) {
        let (known, _) = self.known_problem().await;
        if known.is_empty() || self.store.relay_set_problem(self.to.name(), "", "", None).await.is_err() {
            return;
        }
        self.reported = Some((String::new(), None));
        if self.relay.settings().is_on(self.to) {
            tracing::info!(destination = self.to.name(), "the relay goes on");
            self.line("Info", &format!("Relay to {} goes on", self.to.title())).await;
        }
    }

    /// The problem in the store, perhaps of an earlier run.
    async fn known_problem(&mut self) -> (String, Option<Nanos>) {
        if self.reported.is_none()
            && let Ok(counts) = self.store.relay_counts().await
        {
            let ours = counts.into_iter().find(|count| count.destination == self.to.name());
            self.reported = Some(ours.map(|count| (count.problem, count.since)).unwrap_or_default());
        }
        self.reported.clone().unwrap_or_default()
    }

    /// Logs every batch to X-Ray, as the daemon does, and problems of others.
    async fn report(&self, items: u64, stay: usize, outcome: &Outcome, took: Duration) {
        let Outcome { refused, words, .. } = outcome;
        if self.to == Destination::Xray {
            let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).saturating_add(stay);
            self.write(daemon::sent(self.relay.0.runtime.now(), count(items), count(*refused), took)).await;
            for word in words {
                self.line("Error", &format!("Unprocessed segment: {word}")).await;
            }
            return;
        }
        let (title, unit, words) = (self.to.title(), self.to.unit(), words.join("; "));
        match (refused, words.is_empty()) {
            (0, true) => {}
            (0, false) => self.line("Warn", &format!("{title} says: {words}")).await,
            (n, _) => {
                self.line("Error", &format!("{title} refused {n} {unit}, which are not sent again: {words}")).await;
            }
        }
    }

    async fn sending_failed(&self, error: &SourceError) {
        if self.to == Destination::Xray {
            self.line("Error", &format!("Sending segment batch failed with: {}", error.message)).await;
        }
    }

    async fn line(&self, level: &str, message: &str) {
        self.write(daemon::line(self.relay.0.runtime.now(), level, message)).await;
    }

    async fn write(&self, line: String) {
        self.relay.log(&line);
        if self.to == Destination::Xray {
            let now = self.relay.0.runtime.now();
            let record =
                ConsoleRecord { stream: STREAM.to_owned(), timestamp: now, stderr: false, text: line, trace_id: None };
            // A full disk does not stop the relay.
            if let Err(error) = self.store.commit_console(&[record], now).await {
                tracing::warn!(%error, "a line of the relay's log could not be stored");
            }
        }
    }
}

/// Between half of a pause and all of it, so that retries spread out.
fn jittered(pause: Duration, entropy: &dyn Entropy) -> Duration {
    let [byte, ..] = entropy.ten_bytes();
    pause / 2 + pause / 2 * u32::from(byte) / 255
}

//! Forwards received telemetry: the app replaces a daemon or a collector, and the real services still get everything.
//!
//! Off by default, for each destination. Payloads are queued in the transaction that stores what was received
//! ([`payload`] makes them, `store::relay` holds them), so that a crash loses nothing that was acknowledged, and
//! receiving never waits for a destination. A [`Sender`](sender::Sender) for each destination empties the queue, in
//! the one process that holds the journal's receivers. It signs with credentials of its own; those of incoming
//! requests are never stored.
//!
//! Delivery is at least once: what was being sent when the app ended is sent again.

mod daemon;
mod guard;
mod open;
mod payload;
mod sender;
mod sinks;
mod status;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, watch};

use tracebook_core::telemetry::{ErrorRecord, LogRecord, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_store::Telemetry;
use tracebook_store::relay::Outgoing;

use crate::cloud::Cloud;
use crate::ground::error::Error;
use crate::ground::runtime::Runtime;
use crate::ground::settings::Settings;
use crate::ground::settings::relay::{Destination, RelaySettings};

pub(crate) use status::RelayControl;

use open::Opener;
use sender::{Sender, Timing};

/// How often the settings file is read: another process or an editor may have changed it.
const POLL: Duration = Duration::from_secs(1);
/// Grace period after the start in which nothing is dropped for its age.
const STARTUP_GRACE: Duration = Duration::from_secs(60);
/// Batches of at least this many bytes are converted on a blocking thread.
const LARGE: usize = 256 * 1024;
/// Listeners slower than this many lines lose the oldest.
const LINES: usize = 256;

impl Destination {
    /// Its display name.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Otlp => "OpenTelemetry",
            Self::Xray => "X-Ray",
            Self::Logs => "CloudWatch Logs",
            Self::Rollbar => "Rollbar",
        }
    }

    /// What is counted.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Otlp => "spans and log records",
            Self::Xray => "segments",
            Self::Logs => "log events",
            Self::Rollbar => "items",
        }
    }

    /// Maximum items and bytes of a batch. X-Ray: the daemon's 50. CloudWatch Logs: 10,000 events and 1 MiB, which is
    /// counted slightly above the size of the JSON.
    fn max_batch(self) -> (u32, u64) {
        match self {
            Self::Otlp => (u32::MAX, 1 << 20),
            Self::Xray => (50, 4 << 20),
            Self::Logs => (10_000, 900 << 10),
            Self::Rollbar => (1, 1),
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// What receivers and settings share with the senders. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Relay(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    runtime: Runtime,
    data_dir: PathBuf,
    settings: RwLock<Arc<RelaySettings>>,
    /// The whole file as it was read last: other sections hold endpoints.
    seen: Mutex<Option<Settings>>,
    arrived: [Notify; 4],
    /// Bytes queued since the queue was last trimmed.
    since_trimmed: AtomicU64,
    /// Notified when so much was queued that the next poll is too late.
    full: Notify,
    /// Changes of settings and credentials.
    changed: watch::Sender<u64>,
    lines: broadcast::Sender<String>,
    /// For the first subscriber: holds the lines written before it subscribed.
    from_the_start: Mutex<Option<broadcast::Receiver<String>>>,
}

impl Relay {
    pub(crate) fn new(data_dir: &Path, settings: RelaySettings, runtime: &Runtime) -> Self {
        let (lines, from_the_start) = broadcast::channel(LINES);
        Self(Arc::new(Shared {
            runtime: runtime.clone(),
            data_dir: data_dir.to_owned(),
            settings: RwLock::new(Arc::new(settings)),
            seen: Mutex::default(),
            arrived: Default::default(),
            since_trimmed: AtomicU64::new(0),
            full: Notify::new(),
            changed: watch::channel(0).0,
            lines,
            from_the_start: Mutex::new(Some(from_the_start)),
        }))
    }

    /// The current settings.
    pub(crate) fn settings(&self) -> Arc<RelaySettings> {
        self.0.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the settings file; a change ends the senders' pauses.
    pub(crate) fn read_settings(&self) -> Result<(), Error> {
        let read = Settings::read(&self.0.data_dir)?;
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.as_ref() == Some(&read) {
            return Ok(());
        }
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read.relay.clone());
        *seen = Some(read);
        drop(seen);
        self.try_again();
        Ok(())
    }

    /// Ends every pause: settings or credentials may have changed.
    pub(crate) fn try_again(&self) {
        self.0.changed.send_modify(|n| *n += 1);
    }

    /// The senders' log, in the format of the X-Ray daemon.
    pub(crate) fn lines(&self) -> broadcast::Receiver<String> {
        let first = self.0.from_the_start.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.unwrap_or_else(|| self.0.lines.subscribe())
    }

    fn log(&self, line: &str) {
        // A line without a listener is not an error.
        drop(self.0.lines.send(line.to_owned()));
    }

    fn arrived(&self, to: Destination) -> &Notify {
        &self.0.arrived[to.index()]
    }

    /// Wakes the senders of queued payloads.
    pub(crate) fn queued(&self, payloads: &[Outgoing]) {
        let bytes = payloads.iter().map(|payload| payload.body.len() as u64).sum();
        if self.0.since_trimmed.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > self.settings().bytes() / 8
        {
            self.0.full.notify_one();
        }
        for to in Destination::ALL {
            if payloads.iter().any(|payload| payload.destination == to.name()) {
                self.arrived(to).notify_one();
            }
        }
    }

    /// The payloads to forward of a batch; none, at no cost, while the relay is off.
    pub(crate) async fn of_spans(&self, batch: &Arc<Vec<SpanRecord>>) -> Vec<Outgoing> {
        let set = self.settings();
        let (otlp, xray) = (set.is_on(Destination::Otlp), set.is_on(Destination::Xray));
        if !otlp && !xray {
            return Vec::new();
        }
        let size = batch.iter().map(|span| span.raw.len()).sum();
        payloads(batch, size, move |batch| payload::of_spans(batch, otlp, xray)).await
    }

    /// See [`Relay::of_spans`]; the batch is returned too.
    pub(crate) async fn of_logs(&self, batch: Vec<LogRecord>) -> (Vec<LogRecord>, Vec<Outgoing>) {
        let set = self.settings();
        let (otlp, logs) = (set.is_on(Destination::Otlp), set.is_on(Destination::Logs));
        if !otlp && !logs {
            return (batch, Vec::new());
        }
        let size = batch.iter().map(|log| log.raw.len() + log.message.len()).sum();
        convert(batch, size, move |batch| payload::of_logs(batch, otlp, logs)).await
    }

    /// See [`Relay::of_logs`].
    pub(crate) async fn of_errors(&self, batch: Vec<ErrorRecord>) -> (Vec<ErrorRecord>, Vec<Outgoing>) {
        if !self.settings().is_on(Destination::Rollbar) {
            return (batch, Vec::new());
        }
        let size = batch.iter().map(|error| error.raw.len()).sum();
        convert(batch, size, payload::of_errors).await
    }

    /// Forwards what is queued until the app stops, and what is left for a moment after it. Only the process that
    /// holds the journal's receivers does: two would send everything twice.
    pub(crate) fn start(&self, cloud: &Arc<Cloud>, own: Vec<SocketAddr>, telemetry: &Telemetry) {
        let runtime = &self.0.runtime;
        let open = Arc::new(Opener { cloud: Arc::clone(cloud), own });
        for to in Destination::ALL {
            let sender = Sender::new(to, self.clone(), telemetry.clone(), open.clone(), Timing::default());
            runtime.spawn(sender.run(runtime.stopping()));
        }
        runtime.spawn(maintain(self.clone(), Arc::clone(cloud), telemetry.clone()));
    }

    /// Re-reads the settings file until the app stops.
    pub(crate) fn follow(&self) {
        let relay = self.clone();
        self.0.runtime.spawn_cancellable(async move {
            loop {
                tokio::time::sleep(POLL).await;
                // A file that is being edited may be unreadable for a moment: the earlier settings stay.
                if let Err(error) = relay.read_settings() {
                    tracing::debug!(%error, "the settings cannot be read; the earlier ones stay");
                }
            }
        });
    }
}

/// Makes the payloads of a batch and returns both.
async fn convert<R: Send + Sync + 'static>(
    batch: Vec<R>,
    size: usize,
    make: impl FnOnce(&[R]) -> Vec<Outgoing> + Send + 'static,
) -> (Vec<R>, Vec<Outgoing>) {
    let batch = Arc::new(batch);
    let payloads = payloads(&batch, size, make).await;
    (Arc::try_unwrap(batch).unwrap_or_default(), payloads)
}

/// Makes the payloads of a batch of `size` bytes, on another thread if it is large.
async fn payloads<R: Send + Sync + 'static>(
    batch: &Arc<Vec<R>>,
    size: usize,
    make: impl FnOnce(&[R]) -> Vec<Outgoing> + Send + 'static,
) -> Vec<Outgoing> {
    if size < LARGE {
        return make(batch);
    }
    let batch = Arc::clone(batch);
    tokio::task::spawn_blocking(move || make(&batch)).await.unwrap_or_default()
}

/// Drops the oldest payloads while more is queued than allowed, writes counts of cloud calls, and retries when another
/// process asks for it.
async fn maintain(relay: Relay, cloud: Arc<Cloud>, telemetry: Telemetry) {
    let mut asked = telemetry.relay_retry_requests().await.unwrap_or(0);
    let started = tokio::time::Instant::now();
    let stopping = relay.0.runtime.stopping();
    loop {
        let set = relay.settings();
        let before = dropped_before(&set, started.elapsed(), relay.0.runtime.now());
        relay.0.since_trimmed.store(0, Ordering::Relaxed);
        if let Err(error) = telemetry.relay_trim(set.bytes(), before).await {
            // Repeated at the next turn: the database may only be busy.
            tracing::warn!(%error, "the relay's queue could not be trimmed");
        }
        cloud.flush_usage().await;
        if let Ok(now) = telemetry.relay_retry_requests().await
            && now != std::mem::replace(&mut asked, now)
        {
            cloud.secrets.look_again();
            cloud.forget_aws().await;
            relay.try_again();
        }
        tokio::select! {
            () = stopping.cancelled() => break,
            () = relay.0.full.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Payloads queued before this time are dropped. Those queued before the start are tried first.
fn dropped_before(set: &RelaySettings, running: Duration, now: Nanos) -> Nanos {
    match running < STARTUP_GRACE {
        true => Nanos(i64::MIN),
        false => Nanos(now.0.saturating_sub(set.nanos())),
    }
}

#[cfg(test)]
mod drop_rule {
    use super::*;

    #[test]
    fn what_waited_before_the_start_is_tried_before_it_is_dropped() {
        let set = RelaySettings::default();
        let now = Nanos::parse_rfc3339("2026-11-25T10:00:00Z").expect("a time");
        assert_eq!(dropped_before(&set, STARTUP_GRACE / 2, now), Nanos(i64::MIN));
        assert_eq!(Some(dropped_before(&set, STARTUP_GRACE, now)), Nanos::parse_rfc3339("2026-11-18T10:00:00Z"));
    }
}

//! The connections of all servers of a process, and which of them ends where there are too many.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// How many connections there are at a time, of all servers together. Each may hold a head of 64 KiB, or as much of a
/// body that nobody has read yet.
const CONNECTIONS: usize = 512;

/// How many of them may be streams of events, which are not counted otherwise.
const STREAMS: usize = 32;

/// What began more recently than this is ended last: its sender had no time yet to send anything.
const GRACE: Duration = Duration::from_millis(100);

/// A request that takes longer than this may be ended for its slowness.
const PROMPT: Duration = Duration::from_secs(1);

static SHARED: LazyLock<Connections> = LazyLock::new(|| Connections::new(CONNECTIONS, STREAMS));

/// The open connections.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    most_streams: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_number: HashMap<u64, Arc<State>>,
    last_number: u64,
}

/// What a connection does, shared with those that may end it.
#[derive(Debug)]
struct State {
    phase: Mutex<Phase>,
    /// Bytes read and written in this phase.
    bytes: AtomicU64,
    asked: Notify,
    ended: Notify,
}

/// Since when a connection does what it does.
#[derive(Clone, Copy, Debug)]
struct Phase {
    since: Instant,
    /// Whether the head of a request was complete before.
    has_asked: bool,
    running: usize,
    streams: bool,
    /// Whether it was told to end.
    ending: bool,
}

/// Whoever comes first is ended first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// No request yet; the oldest first.
    Nothing(Reverse<Duration>),
    /// A request that takes long; the one with the fewest bytes a second first.
    SlowRequest(u64),
    /// Between requests; the one that is longest first.
    Idle(Reverse<Duration>),
    /// A connection that was opened just now; the oldest first.
    New(Reverse<Duration>),
    /// A request that began a moment ago; the one with the fewest bytes a second first.
    Request(u64),
    /// A request that began just now; the oldest first.
    NewRequest(Reverse<Duration>),
}

impl Connections {
    /// Those of this process.
    pub(super) fn shared() -> &'static Self {
        &SHARED
    }

    pub(super) fn new(most: usize, most_streams: usize) -> Self {
        Self { most, most_streams, open: Mutex::default() }
    }

    /// Registers a new connection, and ends another if there are too many.
    pub(super) fn admit(&'static self) -> Arc<Connection> {
        let phase = Phase { since: Instant::now(), has_asked: false, running: 0, streams: false, ending: false };
        let state = Arc::new(State {
            phase: Mutex::new(phase),
            bytes: AtomicU64::new(0),
            asked: Notify::new(),
            ended: Notify::new(),
        });
        let mut open = self.lock();
        let counted = open.by_number.values().filter(|state| state.phase().counts()).count();
        if counted >= self.most {
            end_least(&open);
        }
        open.last_number += 1;
        let number = open.last_number;
        open.by_number.insert(number, Arc::clone(&state));
        Arc::new(Connection { all: self, number, state })
    }

    /// Ends the connection that does least.
    pub(super) fn end_one(&self) {
        end_least(&self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end_least(open: &Open) {
    let counted = open.by_number.values().filter_map(|state| {
        let phase = state.phase();
        phase.counts().then(|| (phase.used(state.bytes.load(Ordering::Relaxed)), state))
    });
    if let Some((least, state)) = counted.min_by_key(|(used, _)| *used) {
        tracing::debug!(?least, "a connection was ended to make room for another");
        state.end();
    }
}

impl State {
    fn phase(&self) -> Phase {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Phase)) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut phase);
    }

    fn end(&self) {
        self.change(|phase| phase.ending = true);
        self.ended.notify_one();
    }
}

impl Phase {
    fn counts(&self) -> bool {
        !self.streams && !self.ending
    }

    fn used(&self, bytes: u64) -> Use {
        let long = self.since.elapsed();
        let rate = || bytes.saturating_mul(1000) / u64::try_from(long.as_millis()).unwrap_or(u64::MAX).max(1);
        match (self.has_asked, self.running) {
            (false, _) if long < GRACE => Use::New(Reverse(long)),
            (false, _) => Use::Nothing(Reverse(long)),
            (true, 0) => Use::Idle(Reverse(long)),
            (true, _) if long < GRACE => Use::NewRequest(Reverse(long)),
            (true, _) if long > PROMPT => Use::SlowRequest(rate()),
            (true, _) => Use::Request(rate()),
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    all: &'static Connections,
    number: u64,
    state: Arc<State>,
}

impl Connection {
    /// Waits for the head of the first request.
    pub(super) async fn asked(&self) {
        self.state.asked.notified().await;
    }

    /// Whether the head of a request was complete.
    pub(super) fn has_asked(&self) -> bool {
        self.state.phase().has_asked
    }

    /// Waits until another connection needs the place of this one.
    pub(super) async fn ended(&self) {
        self.state.ended.notified().await;
    }

    /// Waits until there was no request for this long.
    pub(super) async fn idle_for(&self, long: Duration) {
        loop {
            let phase = self.state.phase();
            let since = if phase.running > 0 || phase.streams { Instant::now() } else { phase.since };
            if since.elapsed() >= long {
                return;
            }
            sleep_until(since + long).await;
        }
    }

    /// Bytes were read or written.
    pub(super) fn moved(&self, bytes: usize) {
        self.state.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The head of a request is complete. It is in progress until the result is dropped.
    pub(super) fn request(self: &Arc<Self>) -> Running {
        self.state.change(|phase| {
            if phase.running == 0 {
                phase.since = Instant::now();
                self.state.bytes.store(0, Ordering::Relaxed);
            }
            phase.has_asked = true;
            phase.running += 1;
        });
        self.state.asked.notify_one();
        Running(Arc::clone(self))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.all.lock().by_number.remove(&self.number);
    }
}

/// A request in progress.
pub(super) struct Running(Arc<Connection>);

impl Running {
    /// Its answer is a stream of events, which lasts as long as the connection.
    pub(super) fn streams(&self) {
        let Connection { all, state, .. } = &*self.0;
        state.change(|phase| {
            phase.streams = true;
            phase.since = Instant::now();
        });
        let open = all.lock();
        let streams =
            || open.by_number.values().map(|state| (state, state.phase())).filter(|(_, p)| p.streams && !p.ending);
        if streams().count() > all.most_streams
            && let Some((oldest, _)) = streams().min_by_key(|(_, phase)| phase.since)
        {
            oldest.end();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.state.change(|phase| {
            phase.running = phase.running.saturating_sub(1);
            if phase.running == 0 && !phase.streams {
                phase.since = Instant::now();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(has_asked: bool, running: usize, ago: u64) -> Phase {
        let since = Instant::now().checked_sub(Duration::from_millis(ago)).expect("a moment ago");
        Phase { since, has_asked, running, streams: false, ending: false }
    }

    #[tokio::test]
    async fn what_has_just_begun_is_ended_last() {
        // Each is ended before the one below it.
        let order = [
            phase(false, 0, 5_000).used(1_000),
            phase(false, 0, 500).used(0),
            phase(true, 1, 20_000).used(20),
            phase(true, 1, 5_000).used(500_000),
            phase(true, 0, 9_000).used(0),
            phase(true, 0, 10).used(0),
            phase(false, 0, 50).used(0),
            phase(false, 0, 5).used(0),
            phase(true, 1, 800).used(100),
            phase(true, 1, 200).used(100_000),
            phase(true, 1, 60).used(0),
            phase(true, 1, 1).used(0),
        ];
        assert!(order.is_sorted(), "{order:?}");
    }
}

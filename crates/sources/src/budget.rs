//! The account of the memory that requests hold: bodies as received, what is built from them, answers, and datagrams.
//!
//! There is one account per process, for all receivers and for the web host. It is divided by purpose: every
//! [`Purpose`] has a part that no other can take, so that large requests never leave nothing for small ones, and a
//! limit that it cannot exceed. What is taken together never exceeds the total.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

const MIB: usize = 1024 * 1024;

/// A body of at most this many bytes counts as small. SDKs send a few KiB, and up to about 100 KiB at once.
pub const SMALL: usize = 256 * 1024;

/// What all requests of a process may hold together. With what the program itself takes (about 60 MiB under load) and
/// what the allocator keeps, the process stays below 512 MiB.
const TOTAL: usize = 352 * MIB;

/// How long a request waits for memory. SDKs give a request ten seconds, and try again after a 503.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a request waits before the slowest body of its kind is ended in its favour, and how old that body is at
/// least.
const BEFORE_ENDING: Duration = Duration::from_millis(500);
const YOUNGEST: Duration = Duration::from_secs(2);

/// How many requests are read (decompressed, decoded) at a time. More would not be faster, and each holds what one
/// record needs while it is decoded.
const READERS: usize = 4;

/// What memory is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A body as received, of at most [`SMALL`] bytes.
    SmallBody,
    /// A larger one.
    LargeBody,
    /// Records, trees and decompressed bytes of a request that needs little.
    SmallWork,
    /// The same of one that needs much.
    LargeWork,
    /// Answering a question: what is read from the database, and the answer until it is sent.
    Answer,
    /// Datagrams that wait to be stored, and their records.
    Datagrams,
}

const ALL: [Purpose; PURPOSES] = [
    Purpose::SmallBody,
    Purpose::LargeBody,
    Purpose::SmallWork,
    Purpose::LargeWork,
    Purpose::Answer,
    Purpose::Datagrams,
];

const PURPOSES: usize = 6;

/// The part of a budget for one purpose, in bytes.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// What no other purpose can take.
    reserved: usize,
    /// The most that this purpose takes.
    limit: usize,
}

/// By [`Purpose`], in its order.
const PARTS: [Part; PURPOSES] = [
    Part { reserved: 16 * MIB, limit: 32 * MIB },
    Part { reserved: 64 * MIB, limit: 128 * MIB },
    Part { reserved: 16 * MIB, limit: 48 * MIB },
    Part { reserved: 176 * MIB, limit: 176 * MIB },
    Part { reserved: 24 * MIB, limit: 96 * MIB },
    Part { reserved: 32 * MIB, limit: 112 * MIB },
];

/// The memory that requests may hold together.
#[derive(Debug)]
pub struct Budget {
    total: usize,
    parts: [Part; PURPOSES],
    patience: Duration,
    state: Mutex<State>,
    readers: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    used: [usize; PURPOSES],
    waiting: [VecDeque<Waiter>; PURPOSES],
    arriving: HashMap<u64, Arc<Progress>>,
    last_arrival: u64,
}

#[derive(Debug)]
struct Waiter {
    bytes: usize,
    granted: oneshot::Sender<Share>,
}

/// How far a body has arrived.
#[derive(Debug)]
struct Progress {
    began: Instant,
    received: AtomicUsize,
    large: AtomicBool,
    ended: Notify,
}

/// There is not enough memory now; the same request may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// The account of this process.
static SHARED: LazyLock<Budget> = LazyLock::new(|| Budget::new(TOTAL, PARTS, PATIENCE));

impl Budget {
    /// The account of this process.
    pub fn shared() -> &'static Self {
        &SHARED
    }

    fn new(total: usize, parts: [Part; PURPOSES], patience: Duration) -> Self {
        Self { total, parts, patience, state: Mutex::default(), readers: Semaphore::new(READERS) }
    }

    /// The most that can be taken for a purpose, in bytes.
    pub(crate) fn limit(&self, purpose: Purpose) -> usize {
        self.parts[purpose as usize].limit
    }

    /// Takes memory, waiting in turn while others hold it. More than the purpose's limit is never free.
    ///
    /// # Errors
    /// If it is not free within some seconds.
    pub async fn take(&'static self, purpose: Purpose, bytes: usize) -> Result<Share, Busy> {
        if bytes > self.limit(purpose) {
            return Err(Busy);
        }
        let mut waiter = {
            let mut state = self.lock();
            if state.waiting[purpose as usize].is_empty() && self.fits(&state.used, purpose, bytes) {
                return Ok(self.share(&mut state, purpose, bytes));
            }
            let (granted, waiter) = oneshot::channel();
            state.waiting[purpose as usize].push_back(Waiter { bytes, granted });
            waiter
        };
        let wait = async {
            loop {
                match timeout(BEFORE_ENDING, &mut waiter).await {
                    Ok(granted) => return granted.map_err(|_| Busy),
                    Err(_) => {
                        self.end_slowest(purpose);
                        // One before it may have stopped waiting.
                        self.grant();
                    }
                }
            }
        };
        match timeout(self.patience, wait).await {
            Ok(granted) => granted,
            Err(_) => {
                waiter.close();
                // Those behind it may fit.
                self.grant();
                waiter.try_recv().map_err(|_| Busy)
            }
        }
    }

    /// Takes memory if it is free now.
    pub(crate) fn try_take(&'static self, purpose: Purpose, bytes: usize) -> Result<Share, Busy> {
        let mut state = self.lock();
        match self.fits(&state.used, purpose, bytes) {
            true => Ok(self.share(&mut state, purpose, bytes)),
            false => Err(Busy),
        }
    }

    fn share(&'static self, state: &mut State, purpose: Purpose, bytes: usize) -> Share {
        state.used[purpose as usize] += bytes;
        Share { budget: self, purpose, bytes }
    }

    fn fits(&self, used: &[usize; PURPOSES], purpose: Purpose, bytes: usize) -> bool {
        let Part { reserved, limit } = self.parts[purpose as usize];
        let own = used[purpose as usize].saturating_add(bytes);
        // What is reserved for the others counts as taken.
        let others = (0..PURPOSES).filter(|other| *other != purpose as usize);
        let rest: usize = others.map(|other| used[other].max(self.parts[other].reserved)).sum();
        own <= limit && (own <= reserved || own.saturating_add(rest) <= self.total)
    }

    /// Gives what is free to those who wait, the first of each purpose first.
    fn grant(&'static self) {
        let mut granted = Vec::new();
        let mut state = self.lock();
        for purpose in ALL {
            while let Some(first) = state.waiting[purpose as usize].front() {
                let gone = first.granted.is_closed();
                if !gone && !self.fits(&state.used, purpose, first.bytes) {
                    break;
                }
                let Some(Waiter { bytes, granted: to }) = state.waiting[purpose as usize].pop_front() else { break };
                if !gone {
                    granted.push((to, self.share(&mut state, purpose, bytes)));
                }
            }
        }
        drop(state);
        for (to, share) in granted {
            // Whoever stopped waiting meanwhile returns it: the share is dropped with the result.
            drop(to.send(share));
        }
    }

    /// Runs `read` on a blocking thread, with few others at a time. The share is held until it is done, even if nobody
    /// waits for the result any more. `None` if it panicked.
    pub(crate) async fn read<T: Send + 'static>(
        &'static self,
        share: Share,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Option<(T, Share)> {
        let permit = self.readers.acquire().await.ok()?;
        let read = tokio::task::spawn_blocking(move || {
            let done = read();
            drop(permit);
            (done, share)
        });
        read.await.ok()
    }

    /// Registers a body that begins to arrive, so that it can be ended if it is slow and others need the memory.
    pub(crate) fn arrival(&'static self) -> Arrival {
        let progress = Arc::new(Progress {
            began: Instant::now(),
            received: AtomicUsize::new(0),
            large: AtomicBool::new(false),
            ended: Notify::new(),
        });
        let mut state = self.lock();
        state.last_arrival += 1;
        let number = state.last_arrival;
        state.arriving.insert(number, Arc::clone(&progress));
        Arrival { budget: self, number, progress }
    }

    /// Ends the body that arrives most slowly, of those that take the same memory.
    fn end_slowest(&self, purpose: Purpose) {
        let large = match purpose {
            Purpose::SmallBody => false,
            Purpose::LargeBody => true,
            Purpose::SmallWork | Purpose::LargeWork | Purpose::Answer | Purpose::Datagrams => return,
        };
        let state = self.lock();
        let old = state
            .arriving
            .values()
            .filter(|progress| progress.large.load(Ordering::Relaxed) == large && progress.began.elapsed() >= YOUNGEST);
        let rate = |progress: &Progress| {
            let millis = progress.began.elapsed().as_millis().max(1);
            progress.received.load(Ordering::Relaxed) as u128 * 1000 / millis
        };
        if let Some(slowest) = old.min_by_key(|progress| rate(progress)) {
            slowest.ended.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory taken from a budget; returned when dropped.
#[derive(Debug)]
pub struct Share {
    budget: &'static Budget,
    purpose: Purpose,
    bytes: usize,
}

impl Share {
    /// Returns what exceeds this many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        let returned = self.bytes.saturating_sub(bytes);
        if returned == 0 {
            return;
        }
        self.bytes -= returned;
        let mut state = self.budget.lock();
        state.used[self.purpose as usize] -= returned;
        let awaited = state.waiting.iter().any(|waiting| !waiting.is_empty());
        drop(state);
        if awaited {
            self.budget.grant();
        }
    }

    /// Adds another share of the same budget and purpose.
    pub(crate) fn merge(&mut self, mut other: Self) {
        debug_assert_eq!(self.purpose, other.purpose);
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// What is taken, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes, which hold the share until the last of their clones is dropped.
    pub fn hold(self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Held { bytes, _share: self })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

struct Held {
    bytes: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The registration of a body that is arriving; ends when dropped.
pub(crate) struct Arrival {
    budget: &'static Budget,
    number: u64,
    progress: Arc<Progress>,
}

impl Arrival {
    /// More has arrived.
    pub(crate) fn received(&self, bytes: usize) {
        self.progress.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// It is larger than [`SMALL`].
    pub(crate) fn is_large(&self) {
        self.progress.large.store(true, Ordering::Relaxed);
    }

    /// Waits until the memory is needed for others.
    pub(crate) async fn ended(&self) {
        self.progress.ended.notified().await;
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.budget.lock().arriving.remove(&self.number);
    }
}

#[cfg(test)]
impl Budget {
    /// One with this much for every purpose.
    pub(crate) fn of_each(bytes: usize, patience: Duration) -> &'static Self {
        let part = Part { reserved: bytes, limit: bytes };
        Box::leak(Box::new(Self::new(bytes * PURPOSES, [part; PURPOSES], patience)))
    }

    /// What is taken for a purpose now, in bytes.
    pub(crate) fn used(&self, purpose: Purpose) -> usize {
        self.lock().used[purpose as usize]
    }
}

#[cfg(test)]
mod tests;

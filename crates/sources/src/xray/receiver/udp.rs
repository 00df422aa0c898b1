//! Segments over UDP. Datagrams get no answer, so what is not read in time is lost silently: one thread only reads, and
//! everything else happens after a queue.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tracebook_core::clock::Clock;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::text::count;

use super::super::wire::{BUFFER, check_times, parse_datagram, record_bytes};
use crate::budget::{Budget, Purpose, Share};
use crate::receive::{Commit, CommitError, Counters};

/// Where refused datagrams came.
const LISTENER: &str = "xray";
const DATAGRAM: &str = "UDP datagram";

/// Memory of a queued datagram besides its bytes.
const OVERHEAD: usize = 96;

/// Maximum number of datagrams per commit, about the most bytes of their records, and the longest time the first of
/// them waits. Records may take ten times as much as their datagram, and there are up to three times this many at a
/// time.
const BATCH: usize = 4096;
const BATCH_BYTES: usize = 12 * 1024 * 1024;
const GATHER: Duration = Duration::from_millis(20);

/// How often the reading thread checks whether it should stop.
const TICK: Duration = Duration::from_millis(100);
/// How long it then continues to read datagrams that the system holds.
const LAST_READ: Duration = Duration::from_millis(500);

/// How long a batch is retried, while running and while shutting down.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(60);
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// How many bytes of datagrams the system holds for this socket. Linux reports twice what it uses.
pub fn receive_buffer(socket: &UdpSocket) -> io::Result<usize> {
    socket2::SockRef::from(socket).recv_buffer_size()
}

/// Whether datagrams of this address are read.
pub type Accepts = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Receives segments until `cancel`, then commits what is queued, and returns when everything is committed or counted
/// as lost. Datagrams that `accepts` refuses are dropped; `None` reads all.
///
/// # Errors
/// If the socket cannot be used or no thread can be started; never because of input.
pub async fn serve(
    socket: UdpSocket,
    accepts: Option<Accepts>,
    commit: Arc<dyn Commit>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
) -> io::Result<()> {
    serve_with(socket, accepts, commit, counters, clock, cancel, Budget::shared()).await
}

pub(super) async fn serve_with(
    socket: UdpSocket,
    accepts: Option<Accepts>,
    commit: Arc<dyn Commit>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    budget: &'static Budget,
) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(TICK))?;
    let (sender, receiver) = unbounded_channel();
    let ended = Arc::new(AtomicBool::new(false));
    // Stops the thread however this future ends, also when it is dropped.
    let _end = EndOnDrop(Arc::clone(&ended));
    let reading = Reading { accepts, budget, ended: Arc::clone(&ended), counters: Arc::clone(&counters) };
    thread::Builder::new().name("xray-udp".to_owned()).spawn(move || reading.read(&socket, &sender))?;

    let committing = commit_all(receiver, commit, counters, clock, &cancel);
    let ending = async {
        cancel.cancelled().await;
        ended.store(true, Ordering::Relaxed);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = committing => {}
        () = ending => {}
    }
    Ok(())
}

/// A datagram, with the memory that it takes until its records are committed.
struct Queued {
    bytes: Vec<u8>,
    share: Share,
}

struct EndOnDrop(Arc<AtomicBool>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the reading thread needs.
struct Reading {
    accepts: Option<Accepts>,
    budget: &'static Budget,
    ended: Arc<AtomicBool>,
    counters: Arc<Counters>,
}

impl Reading {
    fn read(&self, socket: &UdpSocket, sender: &UnboundedSender<Queued>) {
        let Self { accepts, budget, ended, counters } = self;
        let mut buffer = vec![0; BUFFER];
        let mut until: Option<Instant> = None;
        loop {
            if ended.load(Ordering::Relaxed) && until.is_none() {
                until = Some(Instant::now() + LAST_READ);
                if socket.set_nonblocking(true).is_err() {
                    return;
                }
            }
            if until.is_some_and(|until| Instant::now() > until) {
                return;
            }
            let received = match accepts {
                None => socket.recv(&mut buffer).map(Ok),
                Some(accepts) => socket
                    .recv_from(&mut buffer)
                    .map(|(length, from)| if accepts(from.ip()) { Ok(length) } else { Err(from.ip()) }),
            };
            match received {
                Ok(Err(from)) => {
                    let words = format!("X-Ray UDP: {from} is not the address of a container on this machine");
                    counters.refused_at(LISTENER, DATAGRAM, words);
                }
                Ok(Ok(length)) => {
                    let Ok(share) = budget.try_take(Purpose::Datagrams, length + OVERHEAD) else {
                        let words = "X-Ray UDP: more arrives than can be stored, and the queue is full".to_owned();
                        counters.lost_at(LISTENER, DATAGRAM, 1, words);
                        continue;
                    };
                    if sender.send(Queued { bytes: buffer[..length].to_vec(), share }).is_err() {
                        return;
                    }
                }
                Err(error) => match error.kind() {
                    // Nothing arrived; when stopping, nothing is left.
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut if until.is_some() => return,
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => {}
                    // Windows: an earlier answer was undeliverable. Or a datagram longer than the buffer.
                    _ => {
                        counters.refused_at(LISTENER, DATAGRAM, format!("X-Ray UDP: {error}"));
                        thread::sleep(Duration::from_millis(5));
                    }
                },
            }
        }
    }
}

/// Ends when the reading thread has ended and everything is committed. While one batch is stored, the next one is
/// parsed.
async fn commit_all(
    mut receiver: UnboundedReceiver<Queued>,
    commit: Arc<dyn Commit>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    cancel: &CancellationToken,
) {
    let mut ended = None;
    let mut parsed = Batch::default();
    let mut waiting = VecDeque::new();
    loop {
        let store = async {
            // Returned only when everything is committed, because a batch being retried still takes memory.
            let Batch { spans: batch, share: _share } = std::mem::take(&mut parsed);
            let spans = batch.len();
            if spans > 0 {
                match persist(commit.as_ref(), Arc::new(batch), cancel, &mut ended).await {
                    Ok(()) => counters.accepted(spans),
                    Err(error) => {
                        let words = format!("X-Ray UDP: {} could not be stored: {error}", count(spans, "segment"));
                        counters.lost_at(LISTENER, DATAGRAM, spans, words);
                    }
                }
            }
        };
        let (next, ()) = tokio::join!(gather(&mut receiver, &mut waiting, &counters, clock.as_ref()), store);
        match next {
            Some(next) => parsed = next,
            None => break,
        }
    }
}

/// Parsed documents that are committed together.
#[derive(Default)]
struct Batch {
    spans: Vec<SpanRecord>,
    /// Of their datagrams.
    share: Option<Share>,
}

/// The next batch; `None` when there will be no more. `waiting` is what did not fit into the one before.
async fn gather(
    receiver: &mut UnboundedReceiver<Queued>,
    waiting: &mut VecDeque<Queued>,
    counters: &Arc<Counters>,
    clock: &dyn Clock,
) -> Option<Batch> {
    let mut datagrams = Vec::with_capacity(BATCH);
    datagrams.extend(waiting.drain(..));
    if datagrams.is_empty() && receiver.recv_many(&mut datagrams, BATCH).await == 0 {
        return None;
    }
    let deadline = tokio::time::Instant::now() + GATHER;
    while datagrams.len() < BATCH {
        let room = BATCH - datagrams.len();
        match tokio::time::timeout_at(deadline, receiver.recv_many(&mut datagrams, room)).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    let (counters, now) = (Arc::clone(counters), clock.now());
    // Not on this thread: the store's next statement would wait for it.
    let parsed = tokio::task::spawn_blocking(move || {
        let mut batch = Batch { spans: Vec::with_capacity(datagrams.len()), share: None };
        let mut bytes = 0;
        let mut datagrams = datagrams.into_iter();
        while bytes < BATCH_BYTES
            && let Some(Queued { bytes: datagram, share }) = datagrams.next()
        {
            match parse_datagram(&datagram).and_then(|records| check_times(records, now)) {
                Ok(records) => {
                    bytes += records.iter().map(record_bytes).sum::<usize>();
                    batch.spans.extend(records);
                }
                Err(refusal) => {
                    counters.refused_at(LISTENER, DATAGRAM, format!("X-Ray UDP: {refusal}"));
                }
            }
            match &mut batch.share {
                Some(all) => all.merge(share),
                none @ None => *none = Some(share),
            }
        }
        (batch, VecDeque::from_iter(datagrams))
    });
    // No input makes parsing panic; if one did, the others go on.
    let (batch, rest) = parsed.await.unwrap_or_default();
    *waiting = rest;
    Some(batch)
}

/// Commits, retrying while the error may pass. `ended` is when shutting down was first noticed: all remaining batches
/// share the last time-out.
async fn persist(
    commit: &dyn Commit,
    batch: Arc<Vec<SpanRecord>>,
    cancel: &CancellationToken,
    ended: &mut Option<tokio::time::Instant>,
) -> Result<(), CommitError> {
    let began = tokio::time::Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match commit.commit(Arc::clone(&batch)).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if cancel.is_cancelled() {
            ended.get_or_insert_with(tokio::time::Instant::now);
        }
        let out_of_patience =
            began.elapsed() > COMMIT_TIMEOUT || ended.is_some_and(|at| at.elapsed() > SHUTDOWN_TIMEOUT);
        if !error.retryable || out_of_patience {
            return Err(error);
        }
        // Shutting down shortens the present pause and the following ones.
        if ended.is_some() {
            tokio::time::sleep(pause.min(Duration::from_millis(200))).await;
        } else {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = cancel.cancelled() => {}
            }
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

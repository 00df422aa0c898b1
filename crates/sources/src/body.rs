//! Reads request bodies with bounds on their size, as received and again when decompressed, and on their time.

use std::io::{self, Read};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use flate2::read::{DeflateDecoder, ZlibDecoder};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::budget::{Arrival, Budget, Busy, Purpose, SMALL, Share};

/// The largest body, compressed or not: OTLP's own recommendation.
pub(crate) const LIMIT: usize = 64 * 1024 * 1024;

/// How slowly a peer may send or read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How long it may pause, also at the beginning.
    pub(crate) pause: Duration,
    /// Bytes per second that it must average beside the pause. A faster one earns no longer pause.
    pub(crate) rate: u32,
}

impl Pace {
    /// When a peer that had until `deadline` is too slow, now that this many bytes more have been transferred.
    pub(crate) fn after(self, deadline: Instant, bytes: usize) -> Instant {
        let latest = Instant::now() + self.pause;
        deadline.checked_add(self.earned(bytes)).map_or(latest, |later| later.min(latest))
    }

    /// The time that this many bytes may take.
    pub(crate) fn earned(self, bytes: usize) -> Duration {
        Duration::from_secs(u32::try_from(bytes).unwrap_or(u32::MAX).into()) / self.rate.max(1)
    }
}

/// The bounds of bodies: where their memory comes from, and how slowly they may arrive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) budget: &'static Budget,
    pub(crate) pace: Pace,
}

impl Bounds {
    /// Those of this process. A body that pauses for ten seconds, or that averages less than 64 KiB/s, is ended: the
    /// sender is on this machine.
    pub(crate) fn usual() -> Self {
        Self { budget: Budget::shared(), pace: Pace { pause: Duration::from_secs(10), rate: 64 * 1024 } }
    }
}

#[cfg(test)]
impl Bounds {
    /// With room for what a test sends, and another pause.
    pub(crate) fn pausing(pause: Duration) -> Self {
        let budget = Budget::of_each(256 * 1024 * 1024, Duration::from_secs(5));
        Self { budget, pace: Pace { pause, rate: 64 * 1024 } }
    }

    /// With little memory for each purpose, and no patience.
    pub(crate) fn scarce(bytes: usize) -> Self {
        let budget = Budget::of_each(bytes, Duration::from_millis(200));
        Self { budget, pace: Pace { pause: Duration::from_secs(5), rate: 64 * 1024 } }
    }
}

/// Why a request is answered with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// There is no memory for it now.
    pub(crate) fn busy() -> Self {
        let words = "Too much arrives at once to be held in memory; send this request again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, words)
    }

    /// Reading it was cut short by a fault of this program.
    pub(crate) fn interrupted() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Reading the request was interrupted.")
    }

    fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body is larger than {} MiB; send smaller batches.", limit / (1024 * 1024)),
        )
    }
}

impl From<Busy> for Failure {
    fn from(_: Busy) -> Self {
        Self::busy()
    }
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Deflate,
}

impl Packing {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Self::Plain) };
        match String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Plain),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            other => Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!(
                    "Content-Encoding {:?} is not supported here; send gzip, deflate or none.",
                    crate::text::clip(other)
                ),
            )),
        }
    }
}

/// The bytes as sent, at most `limit` of them. They count towards the budget until they are dropped.
pub(crate) async fn receive(body: Body, limit: usize, bounds: Bounds) -> Result<Bytes, Failure> {
    receive_announced(body, limit, bounds, |_| None).await
}

/// The same where the beginning of a body, once it has arrived, may announce the length of the whole.
pub(crate) async fn receive_announced(
    body: Body,
    limit: usize,
    bounds: Bounds,
    announced: impl Fn(&[u8]) -> Option<usize>,
) -> Result<Bytes, Failure> {
    let mut length = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let arrival = bounds.budget.arrival();
    let mut memory = Memory { bounds, arrival: &arrival, share: None };
    let mut stream = body.into_data_stream();
    let mut whole = Vec::new();
    let mut seen = 0usize;
    let mut refused = None;
    let mut deadline = Instant::now() + bounds.pace.pause;
    loop {
        let next = tokio::select! {
            biased;
            () = arrival.ended(), if refused.is_none() => return Err(Failure::busy()),
            next = timeout_at(deadline, stream.next()) => next,
        };
        let frame = match next {
            Err(_) => {
                let words = format!(
                    "The body arrived too slowly: it may pause for {} s, and otherwise needs {} KiB/s.",
                    bounds.pace.pause.as_secs_f32(),
                    bounds.pace.rate / 1024
                );
                return Err(Failure::new(StatusCode::REQUEST_TIMEOUT, words));
            }
            Ok(None) => break,
            Ok(Some(Err(error))) => {
                return Err(Failure::new(StatusCode::BAD_REQUEST, format!("The body was interrupted: {error}.")));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        arrival.received(frame.len());
        deadline = bounds.pace.after(deadline, frame.len());
        seen = seen.saturating_add(frame.len());
        if refused.is_none() {
            if length.is_none() {
                length = if whole.is_empty() { announced(&frame) } else { announced(&whole) };
            }
            if seen > limit || length.is_some_and(|length| length > limit) {
                refused = Some(Failure::too_large(limit));
            } else {
                let asked = Instant::now();
                refused = memory.grow(seen, length, limit).await.err().map(Failure::from);
                deadline += asked.elapsed();
            }
        }
        if refused.is_none() {
            whole.extend_from_slice(&frame);
        } else {
            // A client that is still sending reads no answer, so the rest is read and discarded, within limits.
            whole = Vec::new();
            memory.share = None;
            if seen > limit.saturating_mul(4) {
                break;
            }
        }
    }
    match (refused, memory.share) {
        (Some(failure), _) => Err(failure),
        (None, None) => Ok(Bytes::new()),
        (None, Some(mut share)) => {
            share.shrink(whole.len());
            Ok(share.hold(whole))
        }
    }
}

/// What a body takes while it arrives.
struct Memory<'a> {
    bounds: Bounds,
    arrival: &'a Arrival,
    share: Option<Share>,
}

impl Memory<'_> {
    /// Makes it enough for what has been seen, and where the length is known, for the whole body. All of a large body
    /// is taken at once, because bodies that each wait for the rest would never finish.
    async fn grow(&mut self, seen: usize, length: Option<usize>, limit: usize) -> Result<(), Busy> {
        /// The first step of a small body.
        const STEP: usize = 8 * 1024;
        let held = self.share.as_ref().map_or(0, Share::bytes);
        if seen <= held {
            return Ok(());
        }
        if seen > SMALL {
            self.arrival.is_large();
            let wanted = length.map_or(limit, |length| length.max(seen));
            self.share = Some(self.bounds.budget.take(Purpose::LargeBody, wanted).await?);
            return Ok(());
        }
        // What was only announced takes nothing.
        let step = seen.max(STEP).next_power_of_two();
        let wanted = length.map_or(step, |length| length.min(step)).max(seen);
        let more = self.bounds.budget.take(Purpose::SmallBody, wanted - held).await?;
        match &mut self.share {
            Some(share) => share.merge(more),
            none @ None => *none = Some(more),
        }
        Ok(())
    }
}

/// Why a request was not read with the memory that was granted.
pub(crate) enum Unread {
    /// It needs more.
    NeedsMore,
    Failed(Failure),
}

impl From<Failure> for Unread {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Calls `read` on a blocking thread with the number of bytes that it may use, and again with more where that was not
/// enough. It returns what it read with what this takes from now on; the share of that is returned.
///
/// Reading it again is cheaper than a pass that only measures, because nearly all requests need what is expected.
pub(crate) async fn read_within<T: Send + 'static>(
    budget: &'static Budget,
    expected: usize,
    read: impl Fn(usize) -> Result<(T, usize), Unread> + Clone + Send + 'static,
) -> Result<(T, Share), Failure> {
    /// The most that counts as little work.
    const LITTLE: usize = 4 * 1024 * 1024;
    let most = budget.limit(Purpose::LargeWork);
    let mut granted = expected.min(most);
    loop {
        let purpose = if granted <= LITTLE.min(most) { Purpose::SmallWork } else { Purpose::LargeWork };
        let share = budget.take(purpose, granted).await?;
        let read = read.clone();
        let (done, mut share) = budget.read(share, move || read(granted)).await.ok_or_else(Failure::interrupted)?;
        match done {
            Ok((done, takes)) => {
                share.shrink(takes);
                return Ok((done, share));
            }
            Err(Unread::Failed(failure)) => return Err(failure),
            Err(Unread::NeedsMore) if granted == most => {
                let words = "What the body contains takes too much memory; send smaller batches.";
                return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, words));
            }
            Err(Unread::NeedsMore) => granted = granted.saturating_mul(8).max(LITTLE).min(most),
        }
    }
}

/// How many bytes a body probably has when it is decompressed.
pub(crate) fn likely_size(packed: &[u8], packing: Packing, limit: usize) -> usize {
    let likely = match (packing, packed) {
        (Packing::Plain, _) => return packed.len(),
        // Gzip ends with the length, which is wrong only for more than one member, or if the sender lies.
        (Packing::Gzip, [.., a, b, c, d]) => u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        (Packing::Gzip | Packing::Deflate, _) => packed.len().saturating_mul(8),
    };
    likely.clamp(packed.len().min(limit), limit)
}

/// The decompressed bytes if there are at most `limit` of them, and no more than were granted.
pub(crate) fn unpack_within(packed: Bytes, packing: Packing, limit: usize, granted: usize) -> Result<Bytes, Unread> {
    if packing == Packing::Plain {
        return Ok(packed);
    }
    unpack(packed, packing, limit.min(granted)).map_err(|failure| match failure.status {
        StatusCode::PAYLOAD_TOO_LARGE if granted < limit => Unread::NeedsMore,
        _ => Unread::Failed(failure),
    })
}

/// The decompressed bytes, at most `limit` of them: a small body that expands to gigabytes stops here.
pub(crate) fn unpack(packed: Bytes, packing: Packing, limit: usize) -> Result<Bytes, Failure> {
    match packing {
        Packing::Plain => Ok(packed),
        Packing::Gzip => gunzip(&packed, limit),
        // HTTP's deflate is the zlib format; some senders omit zlib's two header bytes.
        Packing::Deflate if is_zlib(&packed) => bounded(ZlibDecoder::new(packed.as_ref()), limit, "deflate (zlib)"),
        Packing::Deflate => bounded(DeflateDecoder::new(packed.as_ref()), limit, "deflate"),
    }
}

fn is_zlib(packed: &[u8]) -> bool {
    matches!(packed, [cmf, flg, ..] if cmf & 0x0f == 8 && (u16::from(*cmf) * 256 + u16::from(*flg)).is_multiple_of(31))
}

/// All members of a gzip file. Some senders pad it with zeros, which are not a member.
fn gunzip(packed: &[u8], limit: usize) -> Result<Bytes, Failure> {
    let mut whole = Vec::new();
    let mut rest = packed;
    loop {
        let mut member = GzDecoder::new(rest);
        unpack_into(&mut whole, &mut member, limit, "gzip")?;
        rest = member.into_inner();
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(whole.into());
        }
    }
}

fn bounded(from: impl Read, limit: usize, name: &str) -> Result<Bytes, Failure> {
    let mut whole = Vec::new();
    unpack_into(&mut whole, from, limit, name)?;
    Ok(whole.into())
}

fn unpack_into(whole: &mut Vec<u8>, from: impl Read, limit: usize, name: &str) -> Result<(), Failure> {
    let room = limit.saturating_sub(whole.len()) as u64;
    match from.take(room + 1).read_to_end(whole) {
        Ok(_) if whole.len() > limit => Err(Failure::too_large(limit)),
        Ok(_) => Ok(()),
        Err(error) => {
            let why = match error.kind() {
                io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
                _ => error.to_string(),
            };
            Err(Failure::new(StatusCode::BAD_REQUEST, format!("The body is not readable {name}: {why}.")))
        }
    }
}

#[cfg(test)]
mod tests;

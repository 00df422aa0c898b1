//! Reads request bodies with a bound on their size, as received and again when decompressed.

use std::io::{self, Read};
use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use flate2::read::{DeflateDecoder, ZlibDecoder};
use futures_util::StreamExt;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The largest body, compressed or not: OTLP's own recommendation.
pub(crate) const LIMIT: usize = 64 * 1024 * 1024;

/// How long a sender may pause within a body.
pub(crate) const IDLE: Duration = Duration::from_secs(30);

/// What all bodies together may hold at a time as received, and again decompressed: four of the largest.
const TOGETHER: usize = 4 * LIMIT;

/// How long a body waits for others to be released. SDKs give a request ten seconds, and try again after a 503.
const BUDGET_TIMEOUT: Duration = Duration::from_secs(5);

static AS_SENT: LazyLock<Budget> = LazyLock::new(|| Budget::new(TOGETHER, BUDGET_TIMEOUT));
static UNPACKED: LazyLock<Budget> = LazyLock::new(|| Budget::new(TOGETHER, BUDGET_TIMEOUT));

/// The unit in which a budget is counted.
const PIECE: usize = 64 * 1024;

/// Memory shared by all bodies.
struct Budget {
    pieces: Semaphore,
    /// Bodies that all wait for each other would never finish. One at a time may exceed the budget, so that it finishes
    /// and releases what it holds.
    beyond: Semaphore,
    patience: Duration,
}

/// What one body holds of a budget; released when dropped.
pub(crate) struct Share {
    budget: &'static Budget,
    pieces: Option<SemaphorePermit<'static>>,
    beyond: Option<SemaphorePermit<'static>>,
}

impl Budget {
    fn new(bytes: usize, patience: Duration) -> Self {
        Self { pieces: Semaphore::new(bytes / PIECE), beyond: Semaphore::new(1), patience }
    }

    fn share(&'static self) -> Share {
        Share { budget: self, pieces: None, beyond: None }
    }
}

impl Share {
    /// Grows it to this many bytes, waiting while others hold them.
    async fn grow(&mut self, bytes: usize) -> Result<(), Failure> {
        let held = self.pieces.as_ref().map_or(0, SemaphorePermit::num_permits);
        let missing = u32::try_from(bytes.div_ceil(PIECE).saturating_sub(held)).unwrap_or(u32::MAX);
        if missing == 0 || self.beyond.is_some() {
            return Ok(());
        }
        let wait = async {
            tokio::select! {
                biased;
                more = self.budget.pieces.acquire_many(missing) => (more.ok(), None),
                beyond = self.budget.beyond.acquire() => (None, beyond.ok()),
            }
        };
        let Ok((more, beyond)) = tokio::time::timeout(self.budget.patience, wait).await else {
            return Err(Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many large requests arrived at once; retry this one, with smaller batches.",
            ));
        };
        self.beyond = beyond;
        match (&mut self.pieces, more) {
            (Some(held), Some(more)) => held.merge(more),
            (held @ None, more) => *held = more,
            (Some(_), None) => {}
        }
        Ok(())
    }
}

/// Room for a decompressed body. Reserve it before decompressing and keep it as long as anything read from the body.
pub(crate) async fn room(packing: Packing, packed: usize, limit: usize) -> Result<Share, Failure> {
    /// The highest ratio of deflate.
    const RATIO: usize = 1032;
    let mut share = UNPACKED.share();
    if packing != Packing::Plain {
        share.grow(packed.saturating_mul(RATIO).min(limit)).await?;
    }
    Ok(share)
}

/// A body, with what it holds of the budget.
struct Held {
    bytes: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
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

    fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body is larger than {} MiB; send smaller batches.", limit / (1024 * 1024)),
        )
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

/// The bytes as sent, at most `limit` of them. They count towards the budget of all bodies until they are dropped.
pub(crate) async fn receive(body: Body, limit: usize, idle: Duration) -> Result<Bytes, Failure> {
    receive_into(AS_SENT.share(), body, limit, idle).await
}

async fn receive_into(mut share: Share, body: Body, limit: usize, idle: Duration) -> Result<Bytes, Failure> {
    let mut stream = body.into_data_stream();
    let mut whole = Vec::new();
    let mut seen = 0usize;
    let mut refused = None;
    loop {
        let frame = match tokio::time::timeout(idle, stream.next()).await {
            Err(_) => {
                let words = format!("No data of the body arrived for {} s.", idle.as_secs_f32());
                return Err(Failure::new(StatusCode::REQUEST_TIMEOUT, words));
            }
            Ok(None) => break,
            Ok(Some(Err(error))) => {
                return Err(Failure::new(StatusCode::BAD_REQUEST, format!("The body was interrupted: {error}.")));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        seen = seen.saturating_add(frame.len());
        if seen > limit {
            refused = Some(Failure::too_large(limit));
        } else if refused.is_none() {
            refused = share.grow(seen).await.err();
        }
        if refused.is_none() {
            whole.extend_from_slice(&frame);
        } else {
            // A client that is still sending reads no answer, so the rest is read and discarded, within limits.
            whole = Vec::new();
            share = share.budget.share();
            if seen > limit.saturating_mul(4) {
                break;
            }
        }
    }
    match refused {
        Some(failure) => Err(failure),
        None => Ok(Bytes::from_owner(Held { bytes: whole, _share: share })),
    }
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
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    #[test]
    fn every_encoding_is_decompressed_including_raw_deflate() {
        let text = b"one two three one two three".repeat(50);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&text).expect("in memory");
        zlib.write_all(&text).expect("in memory");
        raw.write_all(&text).expect("in memory");
        for (packed, packing) in [
            (gzip.finish().expect("in memory"), Packing::Gzip),
            (zlib.finish().expect("in memory"), Packing::Deflate),
            (raw.finish().expect("in memory"), Packing::Deflate),
        ] {
            let half = Bytes::copy_from_slice(&packed[..packed.len() / 2]);
            assert_eq!(unpack(packed.into(), packing, LIMIT).expect("unpacks"), text);
            let cut = unpack(half, packing, LIMIT).expect_err("a cut body is no body");
            assert_eq!(cut.status, StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn a_decompression_bomb_stops_at_the_limit() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        let zeros = vec![0; 1 << 20];
        for _ in 0..200 {
            gzip.write_all(&zeros).expect("in memory");
        }
        let packed: Bytes = gzip.finish().expect("in memory").into();
        assert!(packed.len() < 2 << 20, "200 MiB of zeros in {} bytes", packed.len());
        let refused = unpack(packed, Packing::Gzip, LIMIT).expect_err("too large");
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(refused.message.contains("64 MiB"), "{}", refused.message);
    }

    #[test]
    fn invalid_bodies_are_rejected_with_a_reason() {
        for packing in [Packing::Gzip, Packing::Deflate] {
            let refused =
                unpack(Bytes::from_static(b"\xff\xfenot packed at all"), packing, LIMIT).expect_err("garbage");
            assert!(refused.message.starts_with("The body is not readable"), "{}", refused.message);
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, "br".parse().expect("a header"));
        assert_eq!(Packing::of(&headers).expect_err("brotli").status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[tokio::test]
    async fn a_body_is_bounded_while_it_arrives() {
        let refused = receive(Body::from(vec![0; 11]), 10, IDLE).await.expect_err("too large");
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(receive(Body::from(vec![0; 10]), 10, IDLE).await.expect("fits").len(), 10);
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text).expect("in memory");
        gzip.finish().expect("in memory")
    }

    #[test]
    fn zeros_after_a_gzip_file_are_padding_but_a_second_member_is_read() {
        let unpacked = |packed: Vec<u8>| unpack(packed.into(), Packing::Gzip, 10);
        assert_eq!(unpacked([gzip(b"one "), vec![0; 512]].concat()).expect("padded"), "one ");
        let two = [gzip(b"one "), gzip(b"two"), vec![0; 3]].concat();
        assert_eq!(unpacked(two).expect("two members"), "one two");
        let garbage = unpacked([gzip(b"one "), b"\0\0x".to_vec()].concat()).expect_err("no padding");
        assert_eq!(garbage.status, StatusCode::BAD_REQUEST);
        let long = [gzip(b"one two "), gzip(b"two")].concat();
        assert_eq!(unpacked(long).expect_err("together").status, StatusCode::PAYLOAD_TOO_LARGE);
        for empty in [Vec::new(), vec![0; 20]] {
            assert_eq!(unpacked(empty).expect_err("no gzip at all").status, StatusCode::BAD_REQUEST);
        }
    }

    fn small(pieces: usize, patience: Duration) -> &'static Budget {
        Box::leak(Box::new(Budget::new(pieces * PIECE, patience)))
    }

    /// A body that arrives in pieces.
    fn in_pieces(pieces: usize) -> Body {
        let pieces = futures_util::stream::iter(0..pieces).then(|_| async {
            tokio::task::yield_now().await;
            Ok::<_, io::Error>(vec![1; PIECE])
        });
        Body::from_stream(pieces)
    }

    #[tokio::test]
    async fn bodies_beyond_the_budget_wait_for_each_other() {
        let budget = small(8, Duration::from_secs(20));
        let bodies = (0..20).map(|_| {
            tokio::spawn(async move {
                let body = receive_into(budget.share(), in_pieces(6), 6 * PIECE, IDLE).await.expect("its turn comes");
                let held = 8 - budget.pieces.available_permits();
                tokio::time::sleep(Duration::from_millis(5)).await;
                assert_eq!(body.len(), 6 * PIECE);
                held
            })
        });
        for body in bodies.collect::<Vec<_>>() {
            assert!(body.await.expect("no panic") <= 8);
        }
        assert_eq!((budget.pieces.available_permits(), budget.beyond.available_permits()), (8, 1), "all is given back");
    }

    #[tokio::test]
    async fn a_body_that_waits_too_long_gets_a_503() {
        let budget = small(4, Duration::from_millis(100));
        let all = receive_into(budget.share(), in_pieces(4), LIMIT, IDLE).await.expect("there is room");
        let beyond = receive_into(budget.share(), in_pieces(3), LIMIT, IDLE).await.expect("one may go beyond");
        let refused = receive_into(budget.share(), in_pieces(1), LIMIT, IDLE).await.expect_err("a second may not");
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        drop(beyond);
        let beyond = receive_into(budget.share(), in_pieces(1), LIMIT, IDLE).await.expect("it is free again");
        drop((all.slice(1..2), all));
        assert_eq!(budget.pieces.available_permits(), 4);
        drop(beyond);
        let refused = receive_into(budget.share(), in_pieces(3), 2 * PIECE, IDLE).await.expect_err("too large");
        assert_eq!((refused.status, budget.pieces.available_permits()), (StatusCode::PAYLOAD_TOO_LARGE, 4));
    }

    #[tokio::test]
    async fn decompression_reserves_memory_only_for_compressed_bodies() {
        let plain = room(Packing::Plain, LIMIT, LIMIT).await.expect("none is needed");
        assert!(plain.pieces.is_none());
        let held = |share: &Share| share.pieces.as_ref().map_or(0, SemaphorePermit::num_permits);
        assert_eq!(held(&room(Packing::Gzip, 1 << 20, LIMIT).await.expect("room")), LIMIT / PIECE);
        assert_eq!(held(&room(Packing::Deflate, 100, LIMIT).await.expect("room")), 2);
    }
}

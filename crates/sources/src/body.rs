//! Reading a request's body: bounded while it comes, bounded again while it unpacks.

use std::io::{self, Read};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use futures_util::StreamExt;

/// The most a body may hold, packed or unpacked: OTLP's own recommendation.
pub(crate) const LIMIT: usize = 64 * 1024 * 1024;

/// How long a sender may be silent in the middle of a body.
pub(crate) const IDLE: Duration = Duration::from_secs(30);

/// Why a request is answered with a failure.
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

/// How a body is packed.
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
                format!("Content-Encoding {:?} is not read here; send gzip, deflate or none.", crate::clip(other)),
            )),
        }
    }
}

/// The bytes as sent, at most `limit` of them.
pub(crate) async fn receive(body: Body, limit: usize, idle: Duration) -> Result<Bytes, Failure> {
    let mut stream = body.into_data_stream();
    let mut whole = Vec::new();
    let mut seen = 0usize;
    loop {
        let frame = match tokio::time::timeout(idle, stream.next()).await {
            Err(_) => {
                let words = format!("The body stopped coming for {} s.", idle.as_secs_f32());
                return Err(Failure::new(StatusCode::REQUEST_TIMEOUT, words));
            }
            Ok(None) => break,
            Ok(Some(Err(error))) => {
                return Err(Failure::new(StatusCode::BAD_REQUEST, format!("The body broke off: {error}.")));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        seen = seen.saturating_add(frame.len());
        if seen <= limit {
            whole.extend_from_slice(&frame);
        } else {
            // A client that is still sending reads no answer: what is left is taken and thrown away, within reason.
            whole = Vec::new();
            if seen > limit.saturating_mul(4) {
                break;
            }
        }
    }
    if seen > limit { Err(Failure::too_large(limit)) } else { Ok(whole.into()) }
}

/// The bytes as meant, at most `limit` of them: a small body that unpacks to gigabytes stops here.
pub(crate) fn unpack(packed: Bytes, packing: Packing, limit: usize) -> Result<Bytes, Failure> {
    match packing {
        Packing::Plain => Ok(packed),
        Packing::Gzip => bounded(MultiGzDecoder::new(packed.as_ref()), limit, "gzip"),
        // HTTP's deflate is zlib's; some senders leave zlib's two bytes out.
        Packing::Deflate if is_zlib(&packed) => bounded(ZlibDecoder::new(packed.as_ref()), limit, "deflate (zlib)"),
        Packing::Deflate => bounded(DeflateDecoder::new(packed.as_ref()), limit, "deflate"),
    }
}

fn is_zlib(packed: &[u8]) -> bool {
    matches!(packed, [cmf, flg, ..] if cmf & 0x0f == 8 && (u16::from(*cmf) * 256 + u16::from(*flg)).is_multiple_of(31))
}

fn bounded(mut from: impl Read, limit: usize, name: &str) -> Result<Bytes, Failure> {
    let mut whole = Vec::new();
    match from.by_ref().take(limit as u64 + 1).read_to_end(&mut whole) {
        Ok(_) if whole.len() > limit => Err(Failure::too_large(limit)),
        Ok(_) => Ok(whole.into()),
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
    fn all_packings_unpack_raw_deflate_too() {
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
    fn a_bomb_stops_at_the_limit() {
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
    fn garbage_is_refused_with_words() {
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
    async fn a_body_is_bounded_while_it_comes() {
        let refused = receive(Body::from(vec![0; 11]), 10, IDLE).await.expect_err("too large");
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(receive(Body::from(vec![0; 10]), 10, IDLE).await.expect("fits").len(), 10);
    }
}

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
        let refused = unpack(Bytes::from_static(b"\xff\xfenot packed at all"), packing, LIMIT).expect_err("garbage");
        assert!(refused.message.starts_with("The body is not readable"), "{}", refused.message);
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_ENCODING, "br".parse().expect("a header"));
    assert_eq!(Packing::of(&headers).expect_err("brotli").status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_body_is_bounded_while_it_arrives() {
    let bounds = Bounds::scarce(1000);
    let refused = receive(Body::from(vec![0; 11]), 10, bounds).await.expect_err("too large");
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(receive(Body::from(vec![0; 10]), 10, bounds).await.expect("fits").len(), 10);
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

const PIECE: usize = 64 * 1024;

/// A body that arrives in pieces, without a length.
fn in_pieces(pieces: usize) -> Body {
    let pieces = futures_util::stream::iter(0..pieces).then(|_| async {
        tokio::task::yield_now().await;
        Ok::<_, io::Error>(vec![1; PIECE])
    });
    Body::from_stream(pieces)
}

#[tokio::test]
async fn large_bodies_wait_for_each_other_and_not_for_small_ones() {
    let budget = Budget::of_each(LIMIT, Duration::from_secs(20));
    let bounds = Bounds { budget, ..Bounds::scarce(0) };
    let bodies = (0..8).map(|_| {
        tokio::spawn(async move {
            let body = receive(in_pieces(8), LIMIT, bounds).await.expect("its turn comes");
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert_eq!(body.len(), 8 * PIECE);
            budget.used(Purpose::LargeBody)
        })
    });
    for body in bodies.collect::<Vec<_>>() {
        assert!(body.await.expect("no panic") <= LIMIT);
    }
    assert_eq!((budget.used(Purpose::LargeBody), budget.used(Purpose::SmallBody)), (0, 0), "all is returned");

    let all = budget.take(Purpose::LargeBody, LIMIT).await.expect("free");
    let small = receive(in_pieces(2), LIMIT, bounds).await.expect("it takes other memory");
    assert_eq!((small.len(), budget.used(Purpose::SmallBody)), (2 * PIECE, 2 * PIECE));
    drop((small, all));
    assert_eq!((budget.used(Purpose::LargeBody), budget.used(Purpose::SmallBody)), (0, 0));
}

#[tokio::test]
async fn a_body_that_waits_too_long_gets_a_503() {
    let bounds = Bounds::scarce(4 * PIECE);
    let all = receive(in_pieces(4), LIMIT, bounds).await.expect("there is room");
    let refused = receive(in_pieces(1), LIMIT, bounds).await.expect_err("nothing is free");
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    drop((all.slice(1..2), all));
    receive(in_pieces(1), LIMIT, bounds).await.expect("it is free again");
    let refused = receive(in_pieces(3), 2 * PIECE, bounds).await.expect_err("too large");
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(bounds.budget.used(Purpose::SmallBody), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_must_arrive_at_a_minimum_rate() {
    let bounds = Bounds::usual();
    let dripping = |pause: Duration, bytes: usize| {
        let drops = futures_util::stream::iter(0..10_000).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, io::Error>(vec![1; bytes])
        });
        Body::from_stream(futures_util::stream::once(async { Ok(vec![1; 1 << 20]) }).chain(drops))
    };
    // A mebibyte at once earns no longer pause than any other body has.
    for (pause, bytes) in [(Duration::from_secs(9), 1), (Duration::from_secs(1), 32 * 1024)] {
        let before = Instant::now();
        let refused = receive(dripping(pause, bytes), LIMIT, bounds).await.expect_err("too slow");
        assert_eq!(refused.status, StatusCode::REQUEST_TIMEOUT);
        assert!(before.elapsed() < Duration::from_secs(25), "{:?}", before.elapsed());
    }
    let refused = receive(dripping(Duration::from_secs(1), 128 * 1024), LIMIT, bounds).await;
    assert_eq!(refused.expect_err("endless").status, StatusCode::PAYLOAD_TOO_LARGE, "fast enough");
}

#[tokio::test]
async fn what_needs_more_memory_is_read_again_with_more() {
    let budget = Budget::of_each(100 << 20, Duration::from_millis(200));
    let read = |needed: usize| {
        move |granted: usize| match granted < needed {
            true => Err(Unread::NeedsMore),
            false => Ok((granted, needed)),
        }
    };
    let (granted, share) = read_within(budget, 1000, read(1000)).await.expect("enough");
    assert_eq!((granted, share.bytes(), budget.used(Purpose::SmallWork)), (1000, 1000, 1000));
    drop(share);
    let (granted, share) = read_within(budget, 1000, read(10 << 20)).await.expect("enough in the end");
    assert_eq!((granted, share.bytes()), (32 << 20, 10 << 20));
    assert_eq!(budget.used(Purpose::LargeWork), 10 << 20);
    let refused = read_within(budget, 1000, read(101 << 20)).await.err().map(|failure| failure.status);
    assert_eq!(refused, Some(StatusCode::SERVICE_UNAVAILABLE), "not while another holds some");
    drop(share);
    let refused = read_within(budget, 1000, read(101 << 20)).await.err().map(|failure| failure.status);
    assert_eq!(refused, Some(StatusCode::PAYLOAD_TOO_LARGE));
    assert_eq!((budget.used(Purpose::SmallWork), budget.used(Purpose::LargeWork)), (0, 0));
}

#[test]
fn the_size_of_a_gzip_body_is_known_before_it_is_decompressed() {
    let packed = gzip(&vec![7; 1 << 20]);
    assert_eq!(likely_size(&packed, Packing::Gzip, LIMIT), 1 << 20);
    assert_eq!(likely_size(&packed, Packing::Gzip, 1000), 1000);
    assert_eq!(likely_size(&packed, Packing::Plain, 10), packed.len());
    assert_eq!(likely_size(&[0; 9], Packing::Gzip, LIMIT), 9, "never less than was sent");
}

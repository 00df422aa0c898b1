//! PNG: chunks. Source: W3C Portable Network Graphics (PNG) Specification, Third Edition, 5 and 11.

use super::{Kept, be, index, orientation};

const SIGNATURE: usize = 8;

/// The chunks that are needed to show the picture: pixels, palette, transparency, colours, resolution, animation.
const NEEDED: [&[u8; 4]; 19] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV",
    b"cLLI", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT", b"hIST",
];

/// Calls `each` with the type, the data and the whole of every chunk. The offset is returned where the file is damaged.
fn chunks<'a>(bytes: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8], &'a [u8])) -> Result<usize, usize> {
    let mut at = SIGNATURE;
    loop {
        let length = index(be(bytes, at, 4).ok_or(at)?);
        let end = length.checked_add(12).and_then(|length| at.checked_add(length)).ok_or(at)?;
        let whole = bytes.get(at..end).ok_or(at)?;
        let (kind, data) = (&whole[4..8], &whole[8..8 + length]);
        if (at == SIGNATURE) != (kind == b"IHDR") {
            return Err(at);
        }
        each(kind, data, whole);
        at = end;
        if kind == b"IEND" {
            return Ok(at);
        }
    }
}

pub(super) fn clean(bytes: &[u8]) -> Result<Kept, usize> {
    let mut kept = Kept { bytes: bytes[..SIGNATURE].to_vec(), removed: Vec::new() };
    let end = chunks(bytes, |kind, data, whole| match kind {
        b"eXIf" => {
            kept.removed("Exif");
            if let Some(turn) = orientation::of(data) {
                chunk(&mut kept.bytes, b"eXIf", &orientation::alone(turn));
            }
        }
        _ if NEEDED.iter().any(|needed| kind == *needed) => kept.bytes.extend(whole),
        b"iTXt" if data.starts_with(b"XML:com.adobe.xmp\0") => kept.removed("XMP"),
        b"tEXt" | b"zTXt" | b"iTXt" => kept.removed("text"),
        b"tIME" => kept.removed("times"),
        _ => kept.removed("data of applications"),
    })?;
    if end < bytes.len() {
        kept.removed("data behind the picture");
    }
    Ok(kept)
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    out.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let from = out.len();
    out.extend(kind);
    out.extend(data);
    let crc = crc(&out[from..]);
    out.extend(crc.to_be_bytes());
}

/// The checksum of a chunk (ISO 3309). Only for chunks of a few bytes.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let size = be(bytes, 16, 4).zip(be(bytes, 20, 4)).filter(|_| bytes.get(12..16) == Some(b"IHDR"))?;
    let mut turn = None;
    // A damaged rest changes nothing about the header.
    chunks(bytes, |kind, data, _| {
        if kind == b"eXIf" {
            turn = orientation::of(data);
        }
    })
    .ok();
    Some(orientation::turned(turn, size))
}

//! WebP: chunks in a RIFF container. Source: RFC 9649, 2.

use super::{Kept, index, le, orientation};

/// Length of `RIFF`, the size, and `WEBP`.
const HEADER: usize = 12;
/// The flags of metadata in `VP8X`.
const EXIF_FLAG: u8 = 0x08;
const XMP_FLAG: u8 = 0x04;
/// The first chunk of a frame is behind its rectangle, duration and flags.
const FRAME_HEADER: usize = 16;

/// Calls `each` with the type and data of every chunk of a part of a file. The offset is returned where it is damaged.
fn chunks<'a>(bytes: &'a [u8], from: usize, end: usize, mut each: impl FnMut(&'a [u8], &'a [u8])) -> Result<(), usize> {
    let mut at = from;
    while at < end {
        let length = index(le(bytes, at + 4, 4).ok_or(at)?);
        let data_end = length.checked_add(at + 8).filter(|data_end| *data_end <= end).ok_or(at)?;
        each(&bytes[at..at + 4], &bytes[at + 8..data_end]);
        // Chunks begin at even offsets.
        at = data_end + length % 2;
    }
    Ok(())
}

/// Where the container ends.
fn container(bytes: &[u8]) -> Result<usize, usize> {
    let end = index(le(bytes, 4, 4).ok_or(4_usize)?).checked_add(8).ok_or(4_usize)?;
    if end < HEADER || end > bytes.len() { Err(4) } else { Ok(end) }
}

fn chunk(out: &mut Vec<u8>, kind: &[u8], data: &[u8]) {
    out.extend(kind);
    out.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(data);
    if data.len() % 2 == 1 {
        out.push(0);
    }
}

/// Exif data without the marker of JPEG, which some programs write here, too.
fn tiff(data: &[u8]) -> &[u8] {
    data.strip_prefix(b"Exif\0\0").unwrap_or(data)
}

pub(super) fn clean(bytes: &[u8]) -> Result<Kept, usize> {
    let end = container(bytes)?;
    let mut turn = None;
    chunks(bytes, HEADER, end, |kind, data| {
        if kind == b"EXIF" && turn.is_none() {
            turn = orientation::of(tiff(data));
        }
    })?;
    let mut kept = Kept { bytes: bytes[..HEADER].to_vec(), removed: Vec::new() };
    let mut broken = false;
    chunks(bytes, HEADER, end, |kind, data| match kind {
        b"VP8X" => {
            let mut data = data.to_vec();
            if let Some(flags) = data.first_mut() {
                *flags &= !(EXIF_FLAG | XMP_FLAG);
                *flags |= if turn.is_some() { EXIF_FLAG } else { 0 };
            }
            chunk(&mut kept.bytes, kind, &data);
        }
        b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ICCP" => chunk(&mut kept.bytes, kind, data),
        b"ANMF" => match frame(data) {
            Some((frame, dropped)) => {
                chunk(&mut kept.bytes, kind, &frame);
                if dropped {
                    kept.removed("data of applications");
                }
            }
            None => broken = true,
        },
        b"EXIF" => {
            kept.removed("Exif");
            if let Some(turn) = turn.take() {
                chunk(&mut kept.bytes, kind, &orientation::alone(turn));
            }
        }
        b"XMP " => kept.removed("XMP"),
        _ => kept.removed("data of applications"),
    })?;
    if broken {
        return Err(HEADER);
    }
    if end < bytes.len() {
        kept.removed("data behind the picture");
    }
    let size = u32::try_from(kept.bytes.len() - 8).unwrap_or(u32::MAX);
    kept.bytes[4..8].copy_from_slice(&size.to_le_bytes());
    Ok(kept)
}

/// A frame of an animation without unknown chunks, and whether it had any.
fn frame(data: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut out = data.get(..FRAME_HEADER)?.to_vec();
    let mut dropped = false;
    chunks(data, FRAME_HEADER, data.len(), |kind, inner| match kind {
        b"VP8 " | b"VP8L" | b"ALPH" => chunk(&mut out, kind, inner),
        _ => dropped = true,
    })
    .ok()?;
    Some((out, dropped))
}

pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (mut found, mut turn) = (None, None);
    chunks(bytes, HEADER, container(bytes).ok()?, |kind, data| {
        let of = match kind {
            b"VP8X" => le(data, 4, 3).zip(le(data, 7, 3)).map(|(width, height)| (width + 1, height + 1)),
            b"VP8L" if data.first() == Some(&0x2f) => {
                le(data, 1, 4).map(|bits| ((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
            }
            b"VP8 " if data.get(3..6) == Some(&[0x9d, 0x01, 0x2a]) => {
                le(data, 6, 2).zip(le(data, 8, 2)).map(|(width, height)| (width & 0x3fff, height & 0x3fff))
            }
            b"EXIF" => {
                turn = turn.or(orientation::of(tiff(data)));
                None
            }
            _ => None,
        };
        found = found.or(of);
    })
    .ok();
    found.map(|size| orientation::turned(turn, size))
}

//! JPEG: markers with segments. Source: ITU-T T.81, annex B; JFIF 1.02; Exif 2.32, 4.5.4.

use super::{Kept, be, index, orientation};

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP13: u8 = 0xed;
const APP14: u8 = 0xee;
const APP15: u8 = 0xef;
const COM: u8 = 0xfe;
/// The length of a JFIF header without a thumbnail.
const JFIF: usize = 14;

const EXIF: &[u8] = b"Exif\0\0";

/// A part of the file.
enum Part<'a> {
    /// A marker with its segment's content.
    Segment(u8, &'a [u8]),
    /// A marker without a segment.
    Bare(u8),
    /// Compressed data behind a segment, as it is in the file.
    Data(&'a [u8]),
}

/// Calls `each` with every part up to the end of the picture, or until it returns false. Returns the offset behind the
/// last part, or as an error where the file is damaged.
fn parts<'a>(bytes: &'a [u8], mut each: impl FnMut(Part<'a>) -> bool) -> Result<usize, usize> {
    let mut at = 2;
    loop {
        if bytes.get(at) != Some(&0xff) {
            return Err(at);
        }
        // A marker may have fill bytes before it.
        while bytes.get(at + 1) == Some(&0xff) {
            at += 1;
        }
        let marker = *bytes.get(at + 1).ok_or(at)?;
        at += 2;
        if matches!(marker, 0x01 | 0xd0..=0xd9) {
            if !each(Part::Bare(marker)) || marker == EOI {
                return Ok(at);
            }
            continue;
        }
        let length = index(be(bytes, at, 2).ok_or(at)?);
        let content = bytes.get(at + 2..at + length).ok_or(at)?;
        at += length;
        if !each(Part::Segment(marker, content)) {
            return Ok(at);
        }
        if marker == SOS {
            let end = data_end(bytes, at);
            if !each(Part::Data(&bytes[at..end])) {
                return Ok(end);
            }
            at = end;
            // Browsers show a picture whose end is missing.
            if at == bytes.len() {
                each(Part::Bare(EOI));
                return Ok(at);
            }
        }
    }
}

/// Where compressed data ends: before a marker that is neither an escaped byte nor a restart.
fn data_end(bytes: &[u8], from: usize) -> usize {
    let ends = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    bytes[from..].windows(2).position(ends).map_or(bytes.len(), |at| from + at)
}

fn orientation_in(content: &[u8]) -> Option<u8> {
    orientation::of(content.strip_prefix(EXIF)?)
}

pub(super) fn clean(bytes: &[u8]) -> Result<Kept, usize> {
    let mut kept = Kept { bytes: vec![0xff, SOI], removed: Vec::new() };
    let mut oriented = false;
    let end = parts(bytes, |part| {
        match part {
            Part::Bare(marker) => kept.bytes.extend([0xff, marker]),
            Part::Data(data) => kept.bytes.extend(data),
            Part::Segment(marker, content) => match removed(marker, content) {
                Some(what) => {
                    kept.removed(what);
                    if let (false, Some(turn)) = (oriented, orientation_in(content)) {
                        oriented = true;
                        segment(&mut kept.bytes, APP1, &[EXIF, &orientation::alone(turn)].concat());
                    }
                }
                // The thumbnail behind the header is another picture.
                None if marker == APP0 => {
                    let mut header = content.get(..JFIF).unwrap_or(content).to_vec();
                    if let [.., width, height] = header.as_mut_slice() {
                        (*width, *height) = (0, 0);
                    }
                    segment(&mut kept.bytes, marker, &header);
                }
                None => segment(&mut kept.bytes, marker, content),
            },
        }
        true
    })?;
    // Further pictures and data of phones.
    if end < bytes.len() {
        kept.removed("data behind the picture");
    }
    Ok(kept)
}

/// What a segment contains that is not needed to show the picture; `None` if it is needed.
fn removed(marker: u8, content: &[u8]) -> Option<&'static str> {
    match marker {
        APP0 if content.starts_with(b"JFIF\0") => None,
        APP2 if content.starts_with(b"ICC_PROFILE\0") => None,
        // How the colours are to be read.
        APP14 if content.starts_with(b"Adobe") => None,
        APP1 if content.starts_with(EXIF) => Some("Exif"),
        APP1 if content.starts_with(b"http://ns.adobe.com/") => Some("XMP"),
        APP13 => Some("IPTC"),
        COM => Some("comments"),
        APP0..=APP15 => Some("data of applications"),
        _ => None,
    }
}

fn segment(out: &mut Vec<u8>, marker: u8, content: &[u8]) {
    out.extend([0xff, marker]);
    // The content was read from a segment, so its length fits.
    out.extend(u16::try_from(content.len() + 2).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(content);
}

pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (mut found, mut turn) = (None, None);
    parts(bytes, |part| {
        if let Part::Segment(marker, content) = part {
            if marker == APP1 && turn.is_none() {
                turn = orientation_in(content);
            }
            // Frames, without the tables DHT, JPG and DAC.
            if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
                found = be(content, 3, 2).zip(be(content, 1, 2));
            }
        }
        found.is_none()
    })
    .ok();
    found.map(|size| orientation::turned(turn, size))
}

//! GIF: blocks. Source: GIF89a specification, 15 to 27.

use super::{Kept, le};

/// Length of the signature and the logical screen descriptor.
const HEADER: usize = 13;

/// The applications whose data is needed: how often an animation runs, and the colour profile.
const NEEDED: [&[u8]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

/// The bytes of a colour table, by the flags of its descriptor.
fn table(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Where a chain of sub-blocks ends.
fn sub_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

pub(super) fn clean(bytes: &[u8]) -> Result<Kept, usize> {
    let mut at = HEADER + table(*bytes.get(10).ok_or(10_usize)?);
    let mut kept = Kept { bytes: bytes.get(..at).ok_or(HEADER)?.to_vec(), removed: Vec::new() };
    loop {
        let here = at;
        let mut what = None;
        at = match *bytes.get(at).ok_or(at)? {
            0x3b => {
                kept.bytes.push(0x3b);
                if at + 1 < bytes.len() {
                    kept.removed("data behind the picture");
                }
                return Ok(kept);
            }
            0x2c => {
                let flags = *bytes.get(at + 9).ok_or(at)?;
                // Behind the descriptor and its colour table there is a byte, and the pixels.
                sub_blocks(bytes, at + 10 + table(flags) + 1).ok_or(at)?
            }
            0x21 => {
                match *bytes.get(at + 1).ok_or(at)? {
                    0xfe => what = Some("comments"),
                    0xff => {
                        let name = bytes.get(at + 3..at + 14).ok_or(at)?;
                        if name == b"XMP DataXMP" {
                            what = Some("XMP");
                        } else if !NEEDED.contains(&name) {
                            what = Some("data of applications");
                        }
                    }
                    _ => {}
                }
                sub_blocks(bytes, at + 2).ok_or(at)?
            }
            _ => return Err(at),
        };
        match what {
            Some(what) => kept.removed(what),
            None => kept.bytes.extend(bytes.get(here..at).ok_or(here)?),
        }
    }
}

pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    le(bytes, 6, 2).zip(le(bytes, 8, 2))
}

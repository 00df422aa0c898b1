//! The orientation in Exif data, the one tag that changes how a picture is shown.
//!
//! Source: Exif 2.32, 4.6.4 (tag 0x0112), over TIFF 6.0.

use super::{be, index, le};

/// The tag of the orientation.
const TAG: u32 = 0x0112;
/// The type of a 16-bit number.
const SHORT: u32 = 3;

/// The orientation (2 to 8) in Exif data, which begins with the byte order; `None` where it is the usual one.
pub(super) fn of(tiff: &[u8]) -> Option<u8> {
    let read = match tiff.get(..4)? {
        b"II*\0" => le,
        b"MM\0*" => be,
        _ => return None,
    };
    let directory = index(read(tiff, 4, 4)?);
    let count = index(read(tiff, directory, 2)?);
    let entries = (0..count).map_while(|n| directory.checked_add(2 + 12 * n));
    let value = entries.map_while(|at| Some((at, read(tiff, at, 2)?))).find(|(_, tag)| *tag == TAG)?.0;
    if read(tiff, value + 2, 2)? != SHORT {
        return None;
    }
    u8::try_from(read(tiff, value + 8, 2)?).ok().filter(|orientation| (2..=8).contains(orientation))
}

/// Exif data with nothing but the orientation.
pub(super) fn alone(orientation: u8) -> [u8; 26] {
    let mut tiff = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    tiff[19] = orientation;
    tiff
}

/// Width and height as they are shown: the orientations from 5 on are turned by a quarter.
pub(super) fn turned(orientation: Option<u8>, (width, height): (u32, u32)) -> (u32, u32) {
    if orientation.is_some_and(|orientation| orientation >= 5) { (height, width) } else { (width, height) }
}

//! Pictures: which format bytes have, how large the picture is, and what was stored beside it.
//!
//! Cameras, phones and screenshot tools store where and when a picture was taken, by whom and with what.
//! [`without_metadata`] removes this without decoding the picture, so that no pixel changes. The format is decided by
//! the bytes, never by a name.

mod gif;
mod jpeg;
mod names;
mod orientation;
mod png;
mod svg;
#[cfg(test)]
mod tests;
mod webp;

pub use names::{file_name, words};

/// A format that browsers show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Png,
    Jpeg,
    Gif,
    Webp,
    Svg,
    Avif,
    Bmp,
    Ico,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 8] =
        [Self::Png, Self::Jpeg, Self::Gif, Self::Webp, Self::Svg, Self::Avif, Self::Bmp, Self::Ico];

    /// The format that bytes have; `None` if browsers do not show them.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let brand = |brands: [&[u8]; 2]| {
            bytes.get(4..8) == Some(b"ftyp") && bytes.get(8..12).is_some_and(|brand| brands.contains(&brand))
        };
        Some(match bytes {
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Self::Png,
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Self::Gif,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Self::Webp,
            [b'B', b'M', ..] if bytes.len() > 26 => Self::Bmp,
            [0, 0, 1, 0, ..] if bytes.len() > 22 => Self::Ico,
            _ if brand([b"avif", b"avis"]) => Self::Avif,
            _ if svg::is_svg(bytes) => Self::Svg,
            _ => return None,
        })
    }

    /// Its media type.
    pub fn media(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Svg => "image/svg+xml",
            Self::Avif => "image/avif",
            Self::Bmp => "image/bmp",
            Self::Ico => "image/x-icon",
        }
    }

    /// The format with a media type.
    pub fn of_media(media: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.media() == media)
    }

    /// The usual ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Svg => "svg",
            Self::Avif => "avif",
            Self::Bmp => "bmp",
            Self::Ico => "ico",
        }
    }

    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Gif => "GIF",
            Self::Webp => "WebP",
            Self::Svg => "SVG",
            Self::Avif => "AVIF",
            Self::Bmp => "BMP",
            Self::Ico => "ICO",
        }
    }
}

/// Width and height of a picture as it is shown, in pixels; `None` where its header does not say.
pub fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    match Format::of(bytes)? {
        Format::Png => png::size(bytes),
        Format::Jpeg => jpeg::size(bytes),
        Format::Gif => gif::size(bytes),
        Format::Webp => webp::size(bytes),
        Format::Svg | Format::Avif | Format::Bmp | Format::Ico => None,
    }
}

/// A picture without what was stored beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clean {
    pub bytes: Vec<u8>,
    /// What was removed: `Exif`, `XMP`, `text`, …; each once.
    pub removed: Vec<&'static str>,
    /// Whether the format was searched: metadata of AVIF, BMP, ICO and SVG is not removed.
    pub searched: bool,
}

/// Why the metadata of a picture cannot be removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {format} file is damaged at byte {at}", format = .format.name())]
pub struct Damaged {
    pub format: Format,
    pub at: usize,
}

/// The parts of a picture that are kept, and what the others are.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    removed: Vec<&'static str>,
}

impl Kept {
    fn removed(&mut self, what: &'static str) {
        if !self.removed.contains(&what) {
            self.removed.push(what);
        }
    }
}

/// Removes what is stored in a picture beside the picture: Exif with the place, XMP, IPTC, comments, texts, times,
/// thumbnails, and bytes behind its end. Colour profiles and animations stay, and so does the orientation, since the
/// picture would be shown turned without it.
///
/// # Errors
/// If the structure of the file is damaged.
pub fn without_metadata(format: Format, bytes: &[u8]) -> Result<Clean, Damaged> {
    let kept = match format {
        Format::Png => png::clean(bytes),
        Format::Jpeg => jpeg::clean(bytes),
        Format::Gif => gif::clean(bytes),
        Format::Webp => webp::clean(bytes),
        Format::Svg | Format::Avif | Format::Bmp | Format::Ico => {
            return Ok(Clean { bytes: bytes.to_vec(), removed: Vec::new(), searched: false });
        }
    };
    let Kept { bytes, removed } = kept.map_err(|at| Damaged { format, at })?;
    Ok(Clean { bytes, removed, searched: true })
}

/// A big-endian number in a file.
fn be(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// A little-endian number in a file.
fn le(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// A length in a file as an index.
fn index(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

//! Cards and attachments by address, the same for both hosts.

use tracebook_core::ids::Id;
use tracebook_core::picture::Format;

use crate::Tracebook;
use crate::evidence::{Form, Size, Width, themed};
use crate::ground::error::Error;

/// A picture is shown in `<img>`; opened as a page it must still run nothing.
pub const CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// A file to show in `<img>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its media type.
    pub media: &'static str,
    pub bytes: Vec<u8>,
    /// Whether the picture never changes, as for evidence.
    pub immutable: bool,
    /// Whether it was made elsewhere: opened as a page, it is downloaded instead.
    pub foreign: bool,
}

/// The picture at an address without a leading slash: `card/<evidence id>.svg`, `live/<trace id>.svg`,
/// `livecard/<live card id>.svg?at=<time of the answer>`, or `attachment/<attachment id>`. The query may also have
/// `size` (`full`, `compact`, `line`), `width` (that it is laid out for, in CSS pixels; without it that of exports) and
/// `theme` (`dark` or `light`; without it the picture follows the viewer's colour scheme).
///
/// # Errors
/// [`Code::NotFound`](crate::Code::NotFound) where there is nothing at the address, [`Code::Usage`](crate::Code::Usage)
/// where its id is none.
pub async fn picture(tracebook: &Tracebook, path: &str, query: &str) -> Result<Picture, Error> {
    let value =
        |key: &str| query.split('&').filter_map(|pair| pair.split_once('=')).find(|(k, _)| *k == key).map(|(_, v)| v);
    let size = Size::of(value("size").unwrap_or_default());
    let width = value("width").and_then(|width| width.parse().ok()).map_or(Width::WIDE, Width::of);
    let form = Form::new(size, width);
    let nothing = || Error::not_found(format!("nothing at {path}"), "");
    let (kind, name) = path.split_once('/').ok_or_else(nothing)?;
    let name = name.strip_suffix(".svg").unwrap_or(name);
    let id = || name.parse::<Id>().map_err(|e| Error::usage(e.to_string(), ""));
    if kind == "attachment" {
        let (format, bytes) = tracebook.attachment(name.parse().map_err(|_| nothing())?).await?;
        return Ok(Picture { media: format.media(), bytes, immutable: true, foreign: true });
    }
    let (svg, immutable) = match kind {
        "card" => (tracebook.card(id()?, form).await?, true),
        "live" => (tracebook.live_trace(name, form).await?, false),
        "livecard" => (tracebook.live_card_picture(id()?, value("at"), form).await?, false),
        _ => return Err(nothing()),
    };
    let svg = match value("theme") {
        Some(theme) => themed(&svg, theme == "dark"),
        None => svg,
    };
    Ok(Picture { media: Format::Svg.media(), bytes: svg.into_bytes(), immutable, foreign: false })
}

//! Embeds data in pictures, and extracts it.

use serde::{Deserialize, Serialize};
use tracebook_core::canonical::digest;
use tracebook_core::evidence::Frozen;
use tracebook_core::text::is_hidden;

use super::form::{Form, Size, Width, file_name};
use super::{Card, RENDERER, Sidecar};

/// Larger data goes to a separate file beside the picture.
pub(crate) const LARGE: usize = 256 * 1024;

/// Larger than any card; larger files are not read.
const LARGEST_SVG: usize = 16 * 1024 * 1024;

const OPENING: &str = "<metadata>";
const CLOSING: &str = "</metadata>";

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Metadata {
    renderer: String,
    size: String,
    /// The width that it is laid out for, if that is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width: Option<u16>,
    /// Digest of the bytes outside the metadata element.
    drawing: String,
    /// Digest of the evidence.
    digest: String,
    /// The canonical JSON as a string, so that any JSON parser returns the bytes of the digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sidecar: Option<SidecarName>,
    /// The wide picture of the same size in the same folder, which has the data; the digest is that of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture: Option<SidecarName>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SidecarName {
    name: String,
    digest: String,
}

impl Metadata {
    /// Of a drawing, without the data.
    fn of(frozen: &Frozen, form: Form, drawing: &str) -> Self {
        Self {
            renderer: RENDERER.to_owned(),
            size: form.size.word().to_owned(),
            width: (form.width != Width::WIDE).then(|| form.width.pixels()),
            drawing: digest(drawing.as_bytes()),
            digest: frozen.digest.clone(),
            evidence: None,
            sidecar: None,
            picture: None,
        }
    }

    /// Inserts the metadata after the opening tag of a drawing.
    fn into(self, drawing: &str) -> String {
        let json = without_xml(&serde_json::to_string(&self).unwrap_or_default());
        let at = drawing.find(">\n").map_or(0, |i| i + 2);
        // The element goes before an existing line break of the drawing, so that nothing is added outside it.
        format!("{}{OPENING}{json}{CLOSING}{}", &drawing[..at], &drawing[at..])
    }
}

/// A drawing with its data.
pub(super) fn seal(frozen: &Frozen, form: Form, drawing: &str) -> Card {
    let large = frozen.canonical.len() > LARGE;
    let name = sidecar_name(frozen);
    let metadata = Metadata {
        evidence: (!large).then(|| frozen.canonical.clone()),
        sidecar: large.then(|| SidecarName { name: name.clone(), digest: frozen.digest.clone() }),
        ..Metadata::of(frozen, form, drawing)
    };
    let svg = metadata.into(drawing);
    Card { svg, sidecar: large.then(|| Sidecar { name, bytes: frozen.canonical.clone().into_bytes() }) }
}

/// A drawing that names the wide picture beside it, which has the data: a second copy would double every export.
pub(super) fn seal_beside(frozen: &Frozen, form: Form, drawing: &str) -> String {
    let name = file_name(frozen.evidence.id, form.size);
    let picture = Some(SidecarName { name, digest: frozen.digest.clone() });
    Metadata { picture, ..Metadata::of(frozen, form, drawing) }.into(drawing)
}

/// The name of the data file of a piece of evidence.
pub(crate) fn sidecar_name(frozen: &Frozen) -> String {
    format!("{}.json", frozen.evidence.id)
}

/// Escapes in JSON what XML treats specially, forbids, or hides, so that the text is the same with and without an XML
/// parser.
fn without_xml(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        if matches!(c, '<' | '>' | '&' | '\u{200c}' | '\u{200d}') || is_hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// A picture's metadata.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) renderer: String,
    pub(crate) form: Form,
    pub(crate) digest: String,
    /// Whether the bytes outside the metadata match their digest.
    pub(crate) drawing_holds: bool,
    pub(crate) held: Held,
}

/// Where the data is.
#[derive(Debug)]
pub(crate) enum Held {
    /// In the picture.
    Inside(String),
    /// In a separate file in the same folder, with this name and digest.
    Beside(String, String),
    /// In another picture in the same folder, with this name.
    Picture(String),
}

/// Why a file cannot be read as a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotRead {
    /// Not a Tracebook card.
    NotOurs(String),
    /// A Tracebook card that was changed.
    Broken(String),
}

/// Reads the metadata of a picture. Searches for two fixed tags instead of parsing XML, so entities, includes and
/// nesting have no effect.
pub(crate) fn open(svg: &str) -> Result<Envelope, NotRead> {
    if svg.len() > LARGEST_SVG {
        return Err(NotRead::NotOurs(format!("{} bytes is larger than any card", svg.len())));
    }
    let ours = svg.starts_with("<svg ") && svg.lines().next().is_some_and(|line| line.contains(" data-renderer=\""));
    let wrong = |text: &str| match ours {
        true => NotRead::Broken(text.to_owned()),
        false => NotRead::NotOurs(text.to_owned()),
    };
    let Some(start) = svg.find(OPENING) else { return Err(wrong("it contains no data")) };
    let Some(end) = svg.find(CLOSING) else { return Err(wrong("its data is truncated")) };
    if end < start || svg.matches("<metadata").count() != 1 || svg.matches("</metadata").count() != 1 {
        return Err(wrong("it contains more than one set of data"));
    }
    let json = &svg[start + OPENING.len()..end];
    let metadata: Metadata = match serde_json::from_str(json) {
        Ok(metadata) => metadata,
        Err(e) => return Err(wrong(&format!("its data cannot be read: {e}"))),
    };
    let outside = [&svg[..start], &svg[end + CLOSING.len()..]].concat();
    let held = match (metadata.evidence, metadata.sidecar, metadata.picture) {
        (Some(text), None, None) => Held::Inside(text),
        (None, Some(beside), None) => Held::Beside(beside.name, beside.digest),
        (None, None, Some(beside)) if beside.digest == metadata.digest => Held::Picture(beside.name),
        _ => return Err(NotRead::Broken("its data is neither in the picture nor in a separate file".to_owned())),
    };
    Ok(Envelope {
        renderer: metadata.renderer,
        form: Form {
            size: Size::of(&metadata.size),
            width: metadata.width.map_or(Width::WIDE, |width| Width::of(width.into())),
        },
        digest: metadata.digest,
        drawing_holds: digest(outside.as_bytes()) == metadata.drawing,
        held,
    })
}

//! Verifies that pictures agree with their data, and texts with their pictures.
//!
//! Input is not trusted. Nothing is interpreted as XML, no links are followed, and every result is a verdict with a
//! reason.

mod text;

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracebook_core::canonical::{digest, to_canonical};
use tracebook_core::doubts::{self, Doubt, Rule};
use tracebook_core::evidence::Kind;
use tracebook_core::evidence::{Frozen, ReadError};
use tracebook_core::ids::{Id, TraceId};
use tracebook_core::time::Nanos;

use crate::card::{self, Form, Held, NotRead, RENDERER, Size};
use crate::written::composed;

pub use text::{Elsewhere, Text, TextVerdict, markdown, own_words, text};

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Picture, table and data match.
    Intact,
    /// They match, with values masked for the export.
    Masked,
    /// They match, and the text around the picture was formatted.
    Reformatted,
    /// The data matches its digest, but another version of the renderer drew it, so the picture cannot be compared.
    Redrawn,
    /// They match, but are in another place than the text or the manifest says.
    Moved,
    /// They match, and are a second copy of evidence that is shown elsewhere.
    Duplicate,
    /// They match, but something contradicts them, now or when the evidence was imported.
    Doubtful,
    /// Not a card of this app.
    Foreign,
    /// The picture, or its data file, is missing.
    Missing,
    /// Picture, table or data was changed.
    Edited,
}

impl Verdict {
    /// Whether the data is what was captured, and everything that is shown of it agrees with it.
    pub fn holds(self) -> bool {
        match self {
            Self::Intact | Self::Masked | Self::Reformatted | Self::Redrawn | Self::Moved | Self::Duplicate => true,
            Self::Doubtful | Self::Foreign | Self::Missing | Self::Edited => false,
        }
    }

    /// The name in the command line's output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Masked => "masked",
            Self::Edited => "edited",
            Self::Reformatted => "reformatted",
            Self::Moved => "moved",
            Self::Duplicate => "duplicate",
            Self::Redrawn => "redrawn",
            Self::Doubtful => "doubtful",
            Self::Missing => "missing",
            Self::Foreign => "foreign",
        }
    }
}

/// The verdict on one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileVerdict {
    /// Its path, relative like that of the Markdown file.
    pub file: String,
    /// The evidence it shows, if known.
    pub id: Option<Id>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, as a sentence.
    pub why: String,
    /// What contradicts it: what is recorded from an import, and what the evidence itself shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    /// What the file contains, if that can be read.
    #[serde(skip)]
    pub about: Option<Arc<About>>,
}

impl FileVerdict {
    fn new(file: String, id: Option<Id>, verdict: Verdict, why: impl Into<String>) -> Self {
        Self { file, id, verdict, why: why.into(), doubts: Vec::new(), about: None }
    }
}

/// The evidence in a file.
#[derive(Clone, Debug)]
pub struct About {
    pub frozen: Arc<Frozen>,
    /// The version of the renderer that drew it.
    pub renderer: String,
}

impl PartialEq for About {
    fn eq(&self, other: &Self) -> bool {
        (&self.frozen.digest, &self.renderer) == (&other.frozen.digest, &other.renderer)
    }
}

impl Eq for About {}

impl About {
    pub fn kind(&self) -> Kind {
        self.frozen.evidence.body.kind()
    }

    pub fn captured_at(&self) -> Nanos {
        self.frozen.evidence.provenance.captured_at
    }

    /// The trace that it shows, if it shows one.
    pub fn trace(&self) -> Option<TraceId> {
        self.frozen.evidence.body.trace().map(|trace| trace.trace_id)
    }

    /// What is not doubtful, but should be known: that something else than the vendor answered.
    pub fn notes(&self) -> Vec<String> {
        let emulators = self.frozen.evidence.provenance.endpoints.iter().filter(|endpoint| endpoint.is_emulator());
        emulators.map(|endpoint| format!("not the vendor answered, but the {}", endpoint.words())).collect()
    }
}

/// Data from a picture.
pub(crate) struct Data {
    pub(crate) frozen: Frozen,
    /// Why it is not the data that the picture names; its digest is then that of the data as it is now.
    pub(crate) mismatch: Option<Mismatch>,
    pub(crate) drawing_holds: bool,
    pub(crate) renderer: String,
    form: Form,
    /// Whether the data is in the wide picture beside it.
    beside: bool,
}

impl Data {
    /// The picture that this renderer draws of the data.
    fn drawn_again(&self) -> String {
        match self.beside {
            true => card::narrow(&self.frozen, self.form.size),
            false => card::svg(&self.frozen, self.form).svg,
        }
    }
}

/// Data that does not match the digest that its picture names.
pub(crate) struct Mismatch {
    /// The digest that the picture names.
    pub(crate) named: String,
    why: String,
}

impl Mismatch {
    pub(crate) fn doubt(&self) -> Doubt {
        Doubt::new(Rule::Digest, &self.why)
    }
}

/// Data that was not read.
pub(crate) struct Refused {
    id: Option<Id>,
    verdict: Verdict,
    pub(crate) why: String,
}

fn refuse(id: Option<Id>, verdict: Verdict, why: impl Into<String>) -> Refused {
    Refused { id, verdict, why: why.into() }
}

/// Undoes what checkouts and editors do to whole files: another line ending, a byte order mark, a line ending at the
/// end that is added or removed. Pictures are written with LF only, and with one at the end.
fn as_drawn(text: &str) -> Cow<'_, str> {
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let feeds = bare.matches('\n').count();
    let turned = match feeds > 0 && bare.matches("\r\n").count() == feeds {
        true => Cow::Owned(bare.replace("\r\n", "\n")),
        false => Cow::Borrowed(bare),
    };
    let drawn = match turned.strip_suffix('\n') {
        Some(rest) if !rest.ends_with('\n') => turned,
        Some(_) | None => Cow::Owned(format!("{}\n", turned.trim_end_matches('\n'))),
    };
    // Only where that is what makes it agree again: data may be decomposed itself.
    let agrees = |text: &str| {
        card::open(text).is_ok_and(|envelope| match &envelope.held {
            Held::Inside(canonical) => envelope.drawing_holds && digest(canonical.as_bytes()) == envelope.digest,
            Held::Beside(..) | Held::Picture(_) => envelope.drawing_holds,
        })
    };
    match composed(&drawn) {
        Cow::Owned(composed) if !agrees(&drawn) && agrees(&composed) => Cow::Owned(composed),
        Cow::Owned(_) | Cow::Borrowed(_) => drawn,
    }
}

/// Data beside a picture as it was written: editors add a line ending or a byte order mark, and format JSON.
fn as_sealed(bytes: &[u8], said: &str) -> Option<Vec<u8>> {
    if digest(bytes) == said {
        return Some(bytes.to_vec());
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    if digest(bare.as_bytes()) == said {
        return Some(bare.as_bytes().to_vec());
    }
    let canonical = as_canonical(text)?;
    let forms = [composed(&canonical).into_owned(), canonical];
    forms.into_iter().find(|form| digest(form.as_bytes()) == said).map(String::into_bytes)
}

/// JSON, which may begin with a byte order mark, in its canonical form.
fn as_canonical(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()?;
    to_canonical(&value).ok()
}

/// Reads the data of a picture. `read_sidecar` is called with the name of a file in the same folder.
pub(crate) fn data(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<Data, Refused> {
    data_within(svg, read_sidecar, true)
}

/// As [`data`]. `refers`: whether the picture may refer to another one; that one may not, so that references end.
fn data_within(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>, refers: bool) -> Result<Data, Refused> {
    let Ok(text) = std::str::from_utf8(svg) else {
        let head = svg.get(..svg.len().min(400)).unwrap_or_default();
        let ours = String::from_utf8_lossy(head).contains(" data-renderer=\"");
        let verdict = if ours { Verdict::Edited } else { Verdict::Foreign };
        return Err(refuse(None, verdict, "it is not UTF-8 text"));
    };
    let envelope = card::open(&as_drawn(text)).map_err(|e| match e {
        NotRead::NotOurs(why) => refuse(None, Verdict::Foreign, why),
        NotRead::Broken(why) => refuse(None, Verdict::Edited, why),
    })?;
    let (canonical, sidecar, mismatch) = match envelope.held {
        Held::Picture(_) if !refers => {
            return Err(refuse(None, Verdict::Edited, "the picture that should have its data has none"));
        }
        Held::Picture(name) => {
            let id = name.split('.').next().and_then(|id| id.parse::<Id>().ok());
            if id.is_none_or(|id| name != card::file_name(id, envelope.form.size)) {
                return Err(refuse(id, Verdict::Edited, "the picture with its data does not have a valid name"));
            }
            let Some(bytes) = read_sidecar(&name) else {
                return Err(refuse(
                    id,
                    Verdict::Missing,
                    format!("the picture {name}, which has its data, is missing"),
                ));
            };
            let wide = data_within(&bytes, read_sidecar, false)?;
            if wide.frozen.digest != envelope.digest || id != Some(wide.frozen.evidence.id) {
                return Err(refuse(id, Verdict::Edited, format!("the picture {name} has other data")));
            }
            return Ok(Data {
                frozen: wide.frozen,
                drawing_holds: envelope.drawing_holds,
                renderer: envelope.renderer,
                form: envelope.form,
                mismatch: None,
                beside: true,
            });
        }
        Held::Inside(canonical) if digest(canonical.as_bytes()) == envelope.digest => (canonical, None, None),
        Held::Inside(changed) => (changed, None, Some("the data does not match its digest".to_owned())),
        Held::Beside(name, said) => {
            let id: Option<Id> = name.strip_suffix(".json").and_then(|id| id.parse().ok());
            if id.is_none() {
                return Err(refuse(None, Verdict::Edited, "its data file does not have a valid name"));
            }
            let Some(bytes) = read_sidecar(&name) else {
                return Err(refuse(id, Verdict::Missing, format!("its data file {name} is missing")));
            };
            let sealed = as_sealed(&bytes, &said).filter(|_| said == envelope.digest);
            let mismatch = sealed.is_none().then(|| format!("the data file {name} does not match its digest"));
            let Ok(canonical) = String::from_utf8(sealed.unwrap_or(bytes)) else {
                return Err(refuse(id, Verdict::Edited, format!("the data file {name} is not UTF-8 text")));
            };
            (canonical, id, mismatch)
        }
    };
    // What was changed is in no form that a digest depends on.
    let canonical = match &mismatch {
        None => canonical,
        Some(why) => as_canonical(&canonical).ok_or_else(|| refuse(sidecar, Verdict::Edited, why))?,
    };
    let frozen = match Frozen::read(&canonical) {
        Ok(frozen) => frozen,
        Err(newer @ ReadError::Newer(_)) => {
            let holds = envelope.drawing_holds && mismatch.is_none();
            let verdict = if holds { Verdict::Doubtful } else { Verdict::Edited };
            return Err(refuse(sidecar, verdict, newer.to_string()));
        }
        Err(shape) => {
            let why = mismatch.map_or_else(|| shape.to_string(), |why| format!("{why}, and {shape}"));
            return Err(refuse(sidecar, Verdict::Edited, why));
        }
    };
    if sidecar.is_some_and(|id| id != frozen.evidence.id) {
        return Err(refuse(sidecar, Verdict::Edited, "its data file belongs to other evidence"));
    }
    let mismatch = mismatch.map(|why| Mismatch { named: envelope.digest, why });
    Ok(Data {
        frozen,
        mismatch,
        drawing_holds: envelope.drawing_holds,
        renderer: envelope.renderer,
        form: envelope.form,
        beside: false,
    })
}

/// A contradiction between a picture and its data, which match their digests. A picture of this renderer is drawn
/// again; spaces between its elements, which formatters change, do not count. One of another renderer cannot be drawn
/// again, but it shows the digest of the data that it was drawn from.
pub(crate) fn picture_doubt(svg: &[u8], data: &Data) -> Option<Doubt> {
    let text = std::str::from_utf8(svg).unwrap_or_default();
    let text = as_drawn(text);
    let squeezed = |text: &str| -> String { outside(text).split_whitespace().collect() };
    let first = text.lines().next().unwrap_or_default();
    let named = first.split_once(" data-renderer=\"").and_then(|(_, rest)| rest.split('"').next());
    let tidy = || format!("{}\n", text.trim_start_matches('\u{feff}').trim_end());
    let why = if named != Some(data.renderer.as_str()) {
        "its picture was not drawn by the renderer that it names"
    } else if data.renderer == RENDERER {
        match squeezed(&data.drawn_again()) == squeezed(text.trim_start_matches('\u{feff}')) {
            true => return None,
            false => "its picture shows other data: drawing the data again gives a different picture",
        }
    } else if !data.drawing_holds && !card::open(&tidy()).is_ok_and(|envelope| envelope.drawing_holds) {
        "its picture was changed after it was drawn"
    } else if !shows_digest(&text, data) {
        "its picture was drawn from data with another digest"
    } else {
        return None;
    };
    Some(Doubt::new(Rule::Picture, why))
}

/// A picture without its metadata.
fn outside(svg: &str) -> String {
    let start = svg.find("<metadata>").unwrap_or(svg.len());
    let end = svg.find("</metadata>").unwrap_or(svg.len());
    format!("{}{}", &svg[..start], svg.get(end.max(start)..).unwrap_or_default())
}

/// Whether a drawing of any renderer shows the digest of its data. Full cards always do, smaller ones where there is
/// room, at the end of a text.
fn shows_digest(svg: &str, data: &Data) -> bool {
    let drawing = outside(svg);
    let digest = card::short_digest(&data.frozen.digest);
    let ends = |at: usize| drawing[at..].starts_with("</text>");
    let mut shown = drawing.match_indices("sha256:").filter(|(at, text)| {
        let digits = drawing[at + text.len()..].bytes().take(12).take_while(u8::is_ascii_hexdigit).count();
        digits == 12 && ends(at + text.len() + digits)
    });
    match data.form.size {
        Size::Full => shown.any(|(at, _)| drawing[at..].starts_with(&digest)),
        Size::Compact | Size::Line => {
            let shown: Vec<_> = shown.collect();
            shown.is_empty() || shown.iter().any(|(at, _)| drawing[*at..].starts_with(&digest))
        }
    }
}

/// The verdict on one picture. `read_sidecar` is called with the name of a file in the same folder.
pub fn svg(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> (Option<Id>, Verdict, String) {
    let Checked { id, verdict, why, .. } = checked(svg, read_sidecar);
    (id, verdict, why)
}

/// The same as a row, with what contradicts the evidence.
pub fn svg_file(file: String, svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> FileVerdict {
    let Checked { id, verdict, why, frozen, about } = checked(svg, read_sidecar);
    let doubts = frozen.map(|frozen| doubts::of(&frozen.evidence)).unwrap_or_default();
    FileVerdict { file, id, verdict, why, doubts, about }
}

/// The evidence that a picture contains, whatever its name.
pub fn id_of(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<Id> {
    data(svg, read_sidecar).ok().map(|data| data.frozen.evidence.id)
}

/// Today's drawing of a picture that an earlier renderer drew and nobody changed, and the name of its file. A drawing
/// for narrow screens refers to the wide one beside it.
pub fn redrawn(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<(String, Vec<u8>)> {
    let data = data(svg, read_sidecar).ok().filter(|data| data.mismatch.is_none())?;
    let (verdict, _) = picture(svg, &data);
    let name = card::file_name(data.frozen.evidence.id, data.form);
    (verdict == Verdict::Redrawn).then(|| (name, data.drawn_again().into_bytes()))
}

/// Whether a picture on disk is an earlier renderer's drawing of the same data in the same form as a new one, so that
/// an export can leave it as it is.
pub fn is_earlier_drawing(there: &[u8], new: &[u8]) -> bool {
    let opened = |bytes: &[u8]| card::open(&as_drawn(std::str::from_utf8(bytes).ok()?)).ok();
    let (Some(there), Some(new)) = (opened(there), opened(new)) else { return false };
    let same_data = match (&there.held, &new.held) {
        (Held::Inside(text), Held::Inside(other)) => text == other,
        (Held::Beside(name, digest), Held::Beside(other, expected)) => (name, digest) == (other, expected),
        (Held::Picture(name), Held::Picture(other)) => name == other,
        _ => false,
    };
    there.drawing_holds
        && there.renderer != new.renderer
        && (there.form, &there.digest) == (new.form, &new.digest)
        && same_data
}

/// The verdict on a file, and what it contains.
struct Checked {
    id: Option<Id>,
    verdict: Verdict,
    why: String,
    /// The data, if it matches its digest.
    frozen: Option<Arc<Frozen>>,
    about: Option<Arc<About>>,
}

fn checked(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> Checked {
    match data(svg, read_sidecar) {
        Ok(data) => {
            let (verdict, why) = match &data.mismatch {
                Some(mismatch) => (Verdict::Edited, mismatch.why.clone()),
                None => picture(svg, &data),
            };
            let holds = data.mismatch.is_none();
            let frozen = Arc::new(data.frozen);
            let about = About { frozen: Arc::clone(&frozen), renderer: data.renderer };
            Checked {
                id: Some(frozen.evidence.id),
                verdict,
                why,
                frozen: holds.then_some(frozen),
                about: Some(Arc::new(about)),
            }
        }
        Err(Refused { id, verdict, why }) => Checked { id, verdict, why, frozen: None, about: None },
    }
}

/// The verdict on a picture whose data matches its digest.
fn picture(svg: &[u8], data: &Data) -> (Verdict, String) {
    if !data.drawing_holds {
        return (Verdict::Edited, "the picture was changed: its bytes do not match its digest".to_owned());
    }
    let text = std::str::from_utf8(svg).unwrap_or_default();
    let text = as_drawn(text);
    let again = data.drawn_again();
    let same = again == text;
    if data.renderer != RENDERER {
        // Another renderer's name on a drawing that is identical to this renderer's means that it was relabelled.
        let ours = text.lines().next() == again.lines().next();
        let renderer = &data.renderer;
        let number = |name: &str| name.parse::<u32>().ok();
        return if ours {
            (Verdict::Edited, "it was not drawn by the renderer that it names".to_owned())
        } else if number(renderer).is_none_or(|number| number == 0) || number(renderer) >= number(RENDERER) {
            let why = format!(
                "drawn by renderer {renderer}, which this version does not know; comparing it requires a newer Tracebook"
            );
            (Verdict::Doubtful, why)
        } else if let Some(doubt) = picture_doubt(svg, data) {
            (Verdict::Edited, doubt.why)
        } else {
            let why = format!(
                "drawn by renderer {renderer}; this is renderer {RENDERER}, so the picture could not be compared; its data matches its digest"
            );
            (Verdict::Redrawn, why)
        };
    }
    if !same {
        return (
            Verdict::Edited,
            "the picture was changed: drawing its data again gives a different picture".to_owned(),
        );
    }
    match card::masked(&data.frozen.canonical) {
        0 => (Verdict::Intact, "picture and data agree".to_owned()),
        n => (Verdict::Masked, format!("picture and data agree; {n} values were masked for the export")),
    }
}

/// The evidence in a picture, if it matches its digest. `read_sidecar` is called with the name of a file in the same
/// folder.
pub fn evidence(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<Frozen> {
    data(svg, read_sidecar).ok().filter(|data| data.mismatch.is_none()).map(|data| data.frozen)
}

//! Draws evidence: SVG cards of every size and width, text table, and captions.
//!
//! The same evidence, [`Form`] and [`RENDERER`] result in the same bytes on every machine, which `verify` relies on.
//! Any change of a drawing requires incrementing [`RENDERER`].

mod bars;
mod captions;
mod console;
mod dossier;
mod earlier;
mod envelope;
mod error;
mod form;
mod frame;
mod layout;
mod live;
mod logs;
mod map;
mod measure;
mod plot;
mod query;
mod settings;
mod style;
mod table;
mod trace;
mod waterfall;
mod xml;

use serde::Deserialize;
use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::text;

use dossier::DossierCard;
use layout::{Area, Head};
use trace::TraceCard;
use xml::Svg;

pub use crate::inline::visible;
pub use captions::{caption, origin};
pub(crate) use captions::{kind as kind_word, provenance, short_digest, source};
pub(crate) use earlier::tables as earlier_tables;
pub(crate) use envelope::{Held, LARGE, NotRead, open};
pub(crate) use form::file_name;
pub use form::{Form, Size, Width};
pub use live::live;
pub use table::{MOST_ROWS, Table};

/// The version of the renderer.
pub const RENDERER: &str = "5";

/// A separate file for large data, in the picture's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecar {
    /// Its name, without a folder: `01J….json`.
    pub name: String,
    /// The canonical JSON, byte for byte.
    pub bytes: Vec<u8>,
}

/// A picture with embedded data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The SVG file.
    pub svg: String,
    /// The data, if it is too large to embed.
    pub sidecar: Option<Sidecar>,
}

/// Draws frozen evidence and embeds its data in the picture, or returns it as a separate file if it is large.
pub fn svg(frozen: &Frozen, form: impl Into<Form>) -> Card {
    let form = form.into();
    envelope::seal(frozen, form, &draw(&frozen.evidence.body, Some(frozen), form))
}

/// The drawing for narrow screens, beside [`svg`] of the same size, which contains its data.
pub fn narrow(frozen: &Frozen, size: Size) -> String {
    let form = Form::new(size, Width::NARROW);
    envelope::seal_beside(frozen, form, &draw(&frozen.evidence.body, Some(frozen), form))
}

/// The drawing of frozen evidence without its data. For display only: it does not verify.
pub(crate) fn drawing(frozen: &Frozen, form: Form) -> String {
    draw(&frozen.evidence.body, Some(frozen), form)
}

/// Draws data that is not frozen, without provenance and metadata.
pub fn preview(evidence_body: &Body, form: impl Into<Form>) -> String {
    draw(evidence_body, None, form.into())
}

/// The card in a fixed colour scheme, since WebKitGTK draws an `<img>` as if the user preferred light. For display
/// only: the result does not verify.
pub fn themed(svg: &str, dark: bool) -> String {
    // Data before the style may contain the same text, but never the style's tag.
    let at = svg.find("<style>").unwrap_or(0);
    let themed = svg[at..].replacen(style::IF_DARK, if dark { "@media all" } else { "@media not all" }, 1);
    format!("{}{themed}", &svg[..at])
}

/// The table of frozen evidence.
pub fn table(frozen: &Frozen) -> Table {
    picture(&frozen.evidence.body).table()
}

/// The alternative text of a picture of frozen evidence: its title, and its first error.
pub fn alt(frozen: &Frozen) -> String {
    let title = frozen.evidence.title();
    match picture(&frozen.evidence.body).alt().map(|more| text::first_line(&text::marked(&more), 240)) {
        Some(more) if !more.is_empty() => format!("{title}. {more}"),
        Some(_) | None => title,
    }
}

/// The presentation of a kind of evidence. Each kind implements it in its own module.
trait Picture {
    /// Title, status and facts of every card.
    fn head(&self, frozen: Option<&Frozen>) -> Head;

    /// Draws the body of the full card below `top`; returns the position below it.
    fn body(&self, svg: &mut Svg, top: f64) -> f64;

    /// Draws the small picture of the compact card.
    fn chart(&self, svg: &mut Svg, area: Area);

    /// What the footer of the full card has to say beside the provenance.
    fn notes(&self, width: Width) -> Vec<String>;

    fn table(&self) -> Table;

    /// The start of a caption.
    fn subject(&self) -> String;

    /// The part of a caption between subject and time.
    fn facts(&self) -> Vec<String>;

    /// What an alternative text says beside the title: an error, if there is one.
    fn alt(&self) -> Option<String> {
        None
    }

    /// What a screen reader is told of the picture.
    fn description(&self, head: &Head) -> String {
        let more = self.alt().map(|text| format!(" · {text}")).unwrap_or_default();
        format!("{} · {}{more}", head.pill.1, head.facts)
    }
}

fn picture(body: &Body) -> Box<dyn Picture + '_> {
    match body {
        Body::Trace(trace) => Box::new(TraceCard::of(trace)),
        Body::Logs(logs) => Box::new(logs),
        Body::Console(console) => Box::new(console),
        Body::Error(error) => Box::new(&**error),
        Body::ServiceMap(map) => Box::new(map),
        Body::Groups(groups) => Box::new(groups),
        Body::SamplingRules(rules) => Box::new(rules),
        Body::Query(query) => Box::new(&**query),
        Body::Dossier(dossier) => Box::new(DossierCard::of(dossier)),
    }
}

fn draw(body: &Body, frozen: Option<&Frozen>, Form { size, width }: Form) -> String {
    let picture = picture(body);
    let head = picture.head(frozen);
    let description = picture.description(&head);
    match size {
        Size::Full => {
            let notes = picture.notes(width);
            layout::sheet(frozen, width, &head, &description, &notes, |svg, top| picture.body(svg, top))
        }
        Size::Compact => layout::strip(frozen, width, &head, &description, |svg, area| picture.chart(svg, area)),
        Size::Line => layout::line(frozen, width, &head, &description),
    }
}

/// The number of values in this evidence that were masked for an export.
pub(crate) fn masked(canonical: &str) -> usize {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        masked: Vec<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Head>(canonical).map_or(0, |head| head.masked.len())
}

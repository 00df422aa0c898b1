//! Draws evidence: SVG card, compact card, text table, and captions.
//!
//! The same evidence, size and [`RENDERER`] result in the same bytes on every machine, which `verify` relies on. Any
//! change of a drawing requires incrementing [`RENDERER`].

mod captions;
mod console;
mod dossier;
mod earlier;
mod envelope;
mod error;
mod frame;
mod layout;
mod live;
mod logs;
mod map;
mod measure;
mod query;
mod settings;
mod strip;
mod style;
mod table;
mod trace;
mod waterfall;
mod xml;

use serde::Deserialize;
use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::text;

pub use crate::inline::visible;
pub use captions::{caption, origin};
pub(crate) use captions::{kind as kind_word, provenance, short_digest, source};
pub(crate) use earlier::table as earlier_table;
pub(crate) use envelope::{Held, LARGE, NotRead, open};
pub use live::live;
pub use table::{MOST_ROWS, Table};

/// The version of the renderer.
pub const RENDERER: &str = "4";

/// The size of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// The full card.
    Full,
    /// The compact card, one strip.
    Compact,
}

impl Size {
    /// The name in a card's metadata.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Compact => "compact",
        }
    }

    /// From a reference's `size`: `compact`, else the full card.
    pub fn of(word: &str) -> Self {
        if word == "compact" { Self::Compact } else { Self::Full }
    }

    /// The part of a file name between the evidence id and `.svg`.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Full => "",
            Self::Compact => ".compact",
        }
    }
}

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
pub fn svg(frozen: &Frozen, size: Size) -> Card {
    envelope::seal(frozen, size, &draw(&frozen.evidence.body, Some(frozen), size))
}

/// Draws data that is not frozen, without provenance and metadata.
pub fn preview(evidence_body: &Body, size: Size) -> String {
    draw(evidence_body, None, size)
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
    /// The full card, with the provenance in the footer if it is frozen.
    fn full(&self, frozen: Option<&Frozen>) -> String;

    /// The compact card.
    fn strip(&self, frozen: Option<&Frozen>) -> String;

    fn table(&self) -> Table;

    /// The start of a caption.
    fn subject(&self) -> String;

    /// The part of a caption between subject and time.
    fn facts(&self) -> Vec<String>;

    /// What an alternative text says beside the title: an error, if there is one.
    fn alt(&self) -> Option<String> {
        None
    }
}

fn picture(body: &Body) -> &dyn Picture {
    match body {
        Body::Trace(trace) => trace,
        Body::Logs(logs) => logs,
        Body::Console(console) => console,
        Body::Error(error) => &**error,
        Body::ServiceMap(map) => map,
        Body::Groups(groups) => groups,
        Body::SamplingRules(rules) => rules,
        Body::Query(query) => &**query,
        Body::Dossier(dossier) => &**dossier,
    }
}

fn draw(body: &Body, frozen: Option<&Frozen>, size: Size) -> String {
    match size {
        Size::Full => picture(body).full(frozen),
        Size::Compact => picture(body).strip(frozen),
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

//! Evidence drawn: the SVG card, the strip, the text table, and the words under them.
//!
//! The same evidence, size and [`RENDERER`] give the same bytes on every machine; `verify` relies on it. Change what
//! is drawn, in any way, and [`RENDERER`] must be counted up.

mod ansi;
mod console;
mod dossier;
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
mod sheet;
mod strip;
mod style;
mod table;
mod waterfall;
mod words;
mod xml;

use serde::Deserialize;
use tracebook_core::evidence::{Body, Frozen};

pub(crate) use envelope::{Held, LARGE, NotRead, open};
pub use live::live;
pub use table::{MOST_ROWS, Table, table};
pub use words::caption;
pub(crate) use words::{kind as kind_word, provenance, source};
pub use xml::visible;

/// Which version of the drawing this is.
pub const RENDERER: &str = "1";

/// How much of the page a card takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// The whole waterfall.
    Full,
    /// One strip.
    Compact,
}

impl Size {
    /// The word in a card's metadata.
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

    /// What stands between an evidence's id and `.svg` in a file's name.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Full => "",
            Self::Compact => ".compact",
        }
    }
}

/// The file that large data goes to, beside the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecar {
    /// Its name, without a folder: `01J….json`.
    pub name: String,
    /// The canonical JSON, byte for byte.
    pub bytes: Vec<u8>,
}

/// A picture that carries its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The SVG file.
    pub svg: String,
    /// The data, where it is too large to be inside the picture.
    pub sidecar: Option<Sidecar>,
}

/// Draws frozen evidence and puts its data into the picture, or beside it where it is large.
pub fn svg(frozen: &Frozen, size: Size) -> Card {
    envelope::seal(frozen, size, &draw(&frozen.evidence.body, Some(frozen), size))
}

/// Draws data that is not frozen: the picture alone, without provenance and metadata.
pub fn preview(evidence_body: &Body, size: Size) -> String {
    draw(evidence_body, None, size)
}

/// The card in one colour scheme whatever the reader prefers, for a place that shows pictures without telling
/// them: WebKitGTK draws an `<img>` as if everybody preferred light. For showing only: it no longer verifies.
pub fn themed(svg: &str, dark: bool) -> String {
    // Data may hold the same words, and it stands before the style; the style's tag it cannot hold.
    let at = svg.find("<style>").unwrap_or(0);
    let themed = svg[at..].replacen(style::IF_DARK, if dark { "@media all" } else { "@media not all" }, 1);
    format!("{}{themed}", &svg[..at])
}

fn draw(body: &Body, frozen: Option<&Frozen>, size: Size) -> String {
    match (body, size) {
        (Body::Trace(trace), Size::Full) => waterfall::draw(trace, frozen),
        (Body::Trace(trace), Size::Compact) => strip::draw(trace, frozen),
        (Body::Logs(logs), Size::Full) => logs::draw(logs, frozen),
        (Body::Logs(logs), Size::Compact) => logs::strip(logs, frozen),
        (Body::Console(console), Size::Full) => console::draw(console, frozen),
        (Body::Console(console), Size::Compact) => console::strip(console, frozen),
        (Body::Error(error), Size::Full) => error::draw(error, frozen),
        (Body::Error(error), Size::Compact) => error::strip(error, frozen),
        (Body::ServiceMap(map), Size::Full) => map::draw(map, frozen),
        (Body::ServiceMap(map), Size::Compact) => map::strip(map, frozen),
        (Body::Groups(groups), Size::Full) => settings::groups(groups, frozen),
        (Body::Groups(groups), Size::Compact) => settings::groups_strip(groups, frozen),
        (Body::SamplingRules(rules), Size::Full) => settings::rules(rules, frozen),
        (Body::SamplingRules(rules), Size::Compact) => settings::rules_strip(rules, frozen),
        (Body::Query(query), Size::Full) => query::draw(query, frozen),
        (Body::Query(query), Size::Compact) => query::strip(query, frozen),
        (Body::Dossier(dossier), Size::Full) => dossier::draw(dossier, frozen),
        (Body::Dossier(dossier), Size::Compact) => dossier::strip(dossier, frozen),
    }
}

/// How many values were masked for the export that this evidence came out of.
pub(crate) fn masked(canonical: &str) -> usize {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        masked: Vec<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Head>(canonical).map_or(0, |head| head.masked.len())
}

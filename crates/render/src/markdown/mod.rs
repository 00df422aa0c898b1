//! References and slots in a text.
//!
//! Editor, export and verification share one parse ([`page`]), so that they agree on what is a picture and what is
//! code.

mod lines;
mod links;
mod page;
mod placing;
mod reading;
mod review;
mod sections;
mod shape;
mod slot_foreign;
mod slot_languages;
mod slot_words;
mod slots;
mod title;
mod wants;
mod write;

pub use crate::inline::one_line;
pub(crate) use lines::{continuation, eol_at};
pub(crate) use links::percent_decode;
pub use links::{Link, links};
pub(crate) use page::{Page, Picture, is_container_prefix, line_before, page};
pub use placing::{Placing, Target, placing};
pub use reading::{ID_PREFIX, reading};
pub use review::{Finding, ProblemKind, review};
pub use sections::sections;
pub(crate) use shape::{page_and_shape, shape};
pub use title::title;
pub use write::{Where, freeze_live, live_reference, picture, place, reference, reference_as};
pub(crate) use write::{image, query};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use tracebook_core::ids::Id;
use tracebook_core::live_card::CardQuestion;

use crate::card::Size;

/// A place in a text. `start` and `end` are UTF-16 code units, as JavaScript counts; the byte
/// range is for Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Place {
    /// First UTF-16 unit.
    pub start: usize,
    /// One past the last UTF-16 unit.
    pub end: usize,
    /// First byte.
    #[serde(skip)]
    #[ts(skip)]
    pub byte_start: usize,
    /// One past the last byte.
    #[serde(skip)]
    #[ts(skip)]
    pub byte_end: usize,
    /// The line it begins on, from 1.
    pub line: usize,
}

/// A reference: `![alt](evidence:01J…?size=compact "caption")`, or `![alt](live:01J…)` to a live card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Reference {
    /// The evidence, or the live card.
    pub id: Id,
    /// The place of the whole image.
    pub place: Place,
    /// Its alternative text, as plain text.
    pub alt: String,
    /// Its caption, as plain text; empty if none.
    pub caption: String,
    /// `size` of the query: `compact` or `line`, or empty for the full card.
    pub size: String,
    /// Whether it stands alone in its paragraph, and so becomes a block.
    pub alone: bool,
    /// Whether its alternative text was generated from a live card's question, and so gives way to the card's present
    /// title.
    pub generated: bool,
}

/// A place for evidence that is still empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Slot {
    /// Its number in this text, from 1.
    pub n: usize,
    /// Its line, from 1.
    pub line: usize,
    /// Its text: the line's text, or the image's alternative text.
    pub text: String,
    /// The kind of evidence it seems to need: `trace`, `logs`, `error`, `console`, `service-map`, `query`, `unknown`.
    pub wants: String,
    /// What capture replaces.
    pub place: Place,
}

/// References and slots of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Markup {
    /// References to evidence, in the order of the text.
    pub references: Vec<Reference>,
    /// References to live cards, in the order of the text.
    pub live: Vec<Reference>,
    /// In the order of the text.
    pub slots: Vec<Slot>,
}

/// Finds the references and slots of a text.
pub fn scan(body: &str) -> Markup {
    let page = page::page(body);
    let lines = lines::Lines::of(body);
    let mut markup = Markup::default();
    for picture in &page.pictures {
        let (list, target, generated) = match evidence_target(&picture.destination) {
            Some(target) => (&mut markup.references, Some(target), false),
            None => {
                let target = live_target(&picture.destination);
                let generated = target.is_some() && CardQuestion::generated(&picture.alt);
                (&mut markup.live, target, generated)
            }
        };
        list.extend(target.map(|(id, size)| Reference {
            id,
            place: lines.place(picture.range.clone()),
            alt: picture.alt.clone(),
            caption: picture.title.clone(),
            size,
            alone: picture.alone,
            generated,
        }));
    }
    for found in slots::find(body, &page) {
        let place = lines.place(found.range);
        let wants = wants::wants(&found.text).to_owned();
        markup.slots.push(Slot { n: markup.slots.len() + 1, line: place.line, text: found.text, wants, place });
    }
    markup
}

/// The kind of evidence that a text asks for, as in [`Slot::wants`].
pub fn wants(text: &str) -> &'static str {
    wants::wants(text)
}

/// Reads `evidence:01J…` and `evidence:01J…?size=compact`.
pub(crate) fn evidence_target(destination: &str) -> Option<(Id, String)> {
    target(destination.strip_prefix("evidence:")?)
}

/// Reads `live:01J…` and `live:01J…?size=compact`.
pub(crate) fn live_target(destination: &str) -> Option<(Id, String)> {
    target(destination.strip_prefix("live:")?)
}

fn target(rest: &str) -> Option<(Id, String)> {
    let (id, query) = rest.split_once('?').unwrap_or((rest, ""));
    let size = query.split('&').find_map(|pair| pair.strip_prefix("size=")).unwrap_or("");
    // Unknown sizes are shown as the full card.
    let size = if Size::of(size) == Size::Full { "" } else { size };
    Some((id.parse().ok()?, size.to_owned()))
}

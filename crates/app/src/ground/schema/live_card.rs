//! Live cards: stored questions, their answers, and freezing them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use tracebook_core::ids::Id;
use tracebook_core::live_card::{CardQuestion, LiveCard};

use crate::ground::error::ErrorBody;

/// A new live card. It is stored, not yet asked.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveCardNew {
    pub question: CardQuestion,
    /// Seconds between two queries; the source's default if null.
    #[serde(default)]
    #[ts(optional)]
    pub pace_seconds: Option<u32>,
    /// Made from the question if null.
    #[serde(default)]
    #[ts(optional)]
    pub title: Option<String>,
}

/// A live card by its id.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveCardRef {
    /// Its id.
    pub id: Id,
}

/// Changes a live card; null keeps a value.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveCardSet {
    /// Its id.
    pub id: Id,
    #[serde(default)]
    #[ts(optional)]
    pub question: Option<CardQuestion>,
    /// Seconds between two queries.
    #[serde(default)]
    #[ts(optional)]
    pub pace_seconds: Option<u32>,
    /// Empty: made from the question.
    #[serde(default)]
    #[ts(optional)]
    pub title: Option<String>,
    /// Whether it is no longer queried by itself.
    #[serde(default)]
    #[ts(optional)]
    pub paused: Option<bool>,
}

/// A stored live card.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveCardView {
    #[serde(flatten)]
    #[ts(flatten)]
    pub card: LiveCard,
    /// Whether its title was generated from the question, and follows it.
    pub title_generated: bool,
    /// A markdown reference to it.
    pub reference: String,
    /// The shortest interval between two queries of its source, in seconds.
    pub fastest_seconds: u32,
    /// The evidence frozen from it last, which exports show.
    pub frozen: Option<FrozenAnswer>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

/// Evidence that was frozen from a live card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FrozenAnswer {
    /// The evidence.
    pub id: Id,
    /// Its title.
    pub title: String,
    /// RFC 3339.
    pub captured_at: String,
}

/// Reads a live card; queries its source if that is due.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveCardLook {
    /// Its id.
    pub id: Id,
    /// Query as soon as the source allows, even before the interval has passed or while paused.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub now: bool,
}

/// The state of a live card.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveLook {
    /// Its title.
    pub title: String,
    /// Whether the title was generated from the question, and follows it.
    pub title_generated: bool,
    /// As text.
    pub question: String,
    /// The title of the answer; null before the first.
    pub answer: Option<String>,
    /// When the source answered, RFC 3339; names the answer for its picture and for `live_card_freeze`.
    pub asked_at: Option<String>,
    /// The age of the answer in milliseconds.
    #[ts(type = "number | null")]
    pub age_ms: Option<u64>,
    /// Why the last query failed; null where it succeeded. The earlier answer stays.
    pub problem: Option<ErrorBody>,
    /// Whether a query is running; `Event::Changed` with [`Topic::LiveCard`](super::Topic::LiveCard) tells when it
    /// has answered.
    pub asking: bool,
    /// Whether it is queried only on request.
    pub paused: bool,
    /// Seconds between two queries.
    pub pace_seconds: u32,
    /// Milliseconds until the next query is due; null while paused.
    #[ts(type = "number | null")]
    pub next_ms: Option<u64>,
    /// The path of the answer's picture at the host, to which `&size=compact` or `&size=line` and `&width=640` may be
    /// added; null without an answer.
    pub picture: Option<String>,
    /// Warnings about the answer.
    pub warnings: Vec<String>,
}

/// Freezes a live card's answer.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveCardFreeze {
    pub id: Id,
    /// The answer on display, by its `asked_at`; null queries again.
    #[serde(default)]
    #[ts(optional)]
    pub asked_at: Option<String>,
    /// The entry whose references to the card become references to the evidence; null leaves that to the caller, whose
    /// editor has the text.
    #[serde(default)]
    #[ts(optional)]
    pub into: Option<String>,
    /// The slot to fill instead: its number, or part of its text.
    #[serde(default)]
    #[ts(optional)]
    pub slot: Option<String>,
    /// If null, that of the live reference, or one made from the data.
    #[serde(default)]
    #[ts(optional)]
    pub caption: Option<String>,
    /// The alternative text of the live reference; kept unless it is the card's title.
    #[serde(default)]
    #[ts(optional)]
    pub alt: Option<String>,
    /// The size of the live reference.
    #[serde(default)]
    #[ts(optional)]
    pub size: Option<String>,
}

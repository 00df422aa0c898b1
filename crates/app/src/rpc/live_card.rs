//! Live cards: stored questions, their answers, and what becomes evidence.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use tracebook_core::ids::Id;
use tracebook_core::live_card::{CardQuestion, LiveCard};

use crate::ground::error::ErrorBody;

/// A new live card. It is stored and not yet asked; the text gets its reference.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveCardNew {
    /// What it asks.
    pub question: CardQuestion,
    /// Seconds between two askings; the source's usual if null.
    #[serde(default)]
    #[ts(optional)]
    pub pace_seconds: Option<u32>,
    /// Its title; made from the question if null.
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

/// What to change; what is null stays as it is.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveCardSet {
    /// Its id.
    pub id: Id,
    /// What it asks.
    #[serde(default)]
    #[ts(optional)]
    pub question: Option<CardQuestion>,
    /// Seconds between two askings.
    #[serde(default)]
    #[ts(optional)]
    pub pace_seconds: Option<u32>,
    /// Its title; empty: made from the question.
    #[serde(default)]
    #[ts(optional)]
    pub title: Option<String>,
    /// Whether it stops asking.
    #[serde(default)]
    #[ts(optional)]
    pub paused: Option<bool>,
}

/// A live card as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveCardView {
    /// The card.
    #[serde(flatten)]
    #[ts(flatten)]
    pub card: LiveCard,
    /// Whether its title was generated from the question, and follows it.
    pub title_generated: bool,
    /// A reference to it, ready to be put into a text.
    pub reference: String,
    /// The shortest time between two askings that its source bears, in seconds.
    pub fastest_seconds: u32,
    /// The evidence that was frozen from it last, which an export shows.
    pub frozen: Option<FrozenAnswer>,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

/// Evidence that was frozen from a live card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FrozenAnswer {
    /// The evidence.
    pub id: Id,
    /// What it is called.
    pub title: String,
    /// When, RFC 3339.
    pub captured_at: String,
}

/// Looks at a live card, which asks its source where the last asking is long enough ago.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveCardLook {
    /// Its id.
    pub id: Id,
    /// Ask as soon as the source bears it, also before its own time has come and where it is paused.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub now: bool,
}

/// What a live card shows.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveLook {
    /// What it is called.
    pub title: String,
    /// Whether the title was generated from the question, and follows it.
    pub title_generated: bool,
    /// The question in words.
    pub question: String,
    /// What the answer is called; null where there is none yet.
    pub answer: Option<String>,
    /// When the source gave the answer, RFC 3339; it names the answer, too, for its picture and for `live_card_freeze`.
    pub asked_at: Option<String>,
    /// How old the answer is, in milliseconds.
    #[ts(type = "number | null")]
    pub age_ms: Option<u64>,
    /// Why the last asking brought no answer; null where it did. The answer before it stays.
    pub problem: Option<ErrorBody>,
    /// Whether the source is being asked at this moment; `Event::Changed` with [`Topic::LiveCard`](super::Topic::LiveCard) tells when it has answered.
    pub asking: bool,
    /// Whether it waits for the user before it asks again.
    pub paused: bool,
    /// The time between two askings, in seconds.
    pub pace_seconds: u32,
    /// After how many milliseconds a look asks again; null where it waits for the user.
    #[ts(type = "number | null")]
    pub next_ms: Option<u64>,
    /// Where the answer's picture is: a path for the host's pictures, to which `?size=compact` may be added with `&`; null without an answer.
    pub picture: Option<String>,
    /// What the reader must know of the answer.
    pub warnings: Vec<String>,
}

/// Turns a live card's answer into evidence.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiveCardFreeze {
    /// The card.
    pub id: Id,
    /// The answer that is shown, by its `asked_at`; null asks anew.
    #[serde(default)]
    #[ts(optional)]
    pub asked_at: Option<String>,
    /// The entry whose references to the card become references to the evidence; null leaves that to the caller, who has the text
    /// open.
    #[serde(default)]
    #[ts(optional)]
    pub into: Option<String>,
    /// The slot to fill instead: its number, or part of its text.
    #[serde(default)]
    #[ts(optional)]
    pub slot: Option<String>,
    /// The caption; the live reference's own if null, and made from the data where that has none.
    #[serde(default)]
    #[ts(optional)]
    pub caption: Option<String>,
    /// The live reference's alternative text; kept unless it is the card's title.
    #[serde(default)]
    #[ts(optional)]
    pub alt: Option<String>,
    /// The live reference's size.
    #[serde(default)]
    #[ts(optional)]
    pub size: Option<String>,
}

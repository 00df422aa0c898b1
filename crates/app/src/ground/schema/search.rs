//! Search over entries and evidence.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use tracebook_core::ids::Id;

/// What to search for.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Search {
    /// Words of the text or the title, of which the last may be the beginning of one. Case and accents do not matter.
    pub words: String,
    /// Maximum number of results; 30 if null, 200 at most.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum FoundType {
    Entry,
    Evidence,
}

/// An entry or a piece of evidence that was found. Entries come first, by relevance; then evidence, from the newest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Found {
    #[serde(rename = "type")]
    pub kind: FoundType,
    pub id: Id,
    pub title: String,
    /// The text around the match, on one line; empty where only the title matches.
    pub snippet: String,
    /// Slugs: of the entry itself, or of the entries that show the evidence.
    pub entries: Vec<String>,
    /// Where the match begins in the entry's text, in UTF-16 code units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub start: Option<usize>,
    /// One past the last unit of the match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub end: Option<usize>,
    /// The line of the match, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub line: Option<usize>,
}

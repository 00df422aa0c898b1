//! What exports mask, and what they leave as it is.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use tracebook_core::ids::Id;

/// All placeholders and exceptions of the journal.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct MaskList {}

/// The placeholders of the journal, which no export contains the values of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MaskTable {
    /// By kind and number.
    pub masks: Vec<MaskRow>,
    pub exceptions: Vec<MaskException>,
}

/// One placeholder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MaskRow {
    /// `<ACCOUNT_ID_1>`
    pub placeholder: String,
    /// What it stands for; null if another journal gave it, or a text contains it without standing for anything.
    pub value: Option<String>,
    /// The public name of the other journal that gave it, if known.
    pub origin: Option<String>,
}

/// A value that is exported as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub struct MaskException {
    pub value: String,
    /// The slug of the entry in whose text it stays; null for all texts and evidence.
    pub entry: Option<String>,
    /// Whether it is in `tracebook.toml`, where only the user removes it.
    pub configured: bool,
}

/// The rules by which exports mask.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct MaskRules {}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MaskRule {
    pub name: String,
    /// The kinds of its placeholders: `ACCOUNT_ID`.
    pub placeholders: Vec<String>,
    /// Where the form that it finds is documented.
    pub from: String,
    /// Whether it is the user's own, from `tracebook.toml`.
    pub own: bool,
}

/// What an export of entries would mask. Nothing is stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct MaskPreview {
    /// Ids or slugs; empty for all.
    pub entries: Vec<String>,
}

/// What an export would mask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MaskPreviewed {
    /// How many values would be replaced.
    pub total: u32,
    /// By rule, the most frequent first.
    pub rules: Vec<MaskCount>,
    /// Each value once, the most frequent first.
    pub values: Vec<MaskValue>,
    /// The places in the texts of entries, in their order; at most 1,000.
    pub places: Vec<MaskPlace>,
    /// Values that would stay.
    pub exceptions: Vec<MaskException>,
}

/// How often a rule finds something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MaskCount {
    pub rule: String,
    pub count: u32,
}

/// A value that would be masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MaskValue {
    pub rule: String,
    pub value: String,
    pub placeholder: String,
    pub count: u32,
    /// The slugs of the entries that have it, in their text or evidence.
    pub entries: Vec<String>,
}

/// A line before and after it is masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MaskPlace {
    /// The entry's slug.
    pub entry: String,
    /// From 1; null for the title.
    pub line: Option<u32>,
    pub before: String,
    pub after: String,
}

/// Leaves a value as it is in exports, or masks it again.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MaskAllow {
    pub value: String,
    /// Id or slug of the entry in whose text alone it stays; everywhere if null.
    #[serde(default)]
    #[ts(optional)]
    pub entry: Option<String>,
    /// False to mask it again.
    pub allowed: bool,
}

/// What shows that masked evidence was made from this journal's evidence.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MaskProve {
    pub evidence: Id,
    /// An exported picture to compare; null for what an export writes now.
    #[serde(default)]
    #[ts(optional)]
    pub file: Option<String>,
}

/// Whoever gets the salt and the original can compute the commitment, and compare the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MaskProof {
    pub evidence: Id,
    /// Whether the masked form differs from the original only by placeholders of this journal.
    pub ok: bool,
    /// Of the original.
    pub digest: String,
    /// Of the masked form; null if nothing in it is masked.
    pub masked_digest: Option<String>,
    /// In hex digits.
    pub salt: String,
    /// `sha256:` of salt, colon and digest of the original; `original` in the masked form.
    pub commitment: String,
}

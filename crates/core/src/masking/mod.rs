//! Identifying data in exports: finding it, and replacing it by placeholders that stay the same.
//!
//! What identifies an account, a machine or a person is not a secret here, so the journal keeps it; what leaves does
//! not contain it. [`Rules`] are data: `rules.toml` beside this file, and the user's own. [`Table`] gives every value
//! one placeholder (`<ACCOUNT_ID_1>`) for all exports of a journal, and only that journal can reverse it.

mod checks;
pub mod evidence;
mod find;
mod rules;
mod table;
#[cfg(test)]
mod tests;

pub use find::{Found, Text};
pub use rules::{CustomRule, Rule, RuleError, Rules};
pub use table::{New, Slot, Table, mentions};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A place in masked evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub struct MaskedPlace {
    /// RFC 6901, from the root of the evidence: `/body/spans/0/attributes/3/value`.
    pub pointer: String,
    /// The rule that found a value there.
    pub rule: String,
}

/// A value that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The rule's name.
    pub rule: String,
    /// The kind of its placeholder: `ACCOUNT_ID`.
    pub kind: String,
    pub value: String,
    /// `<ACCOUNT_ID_1>`
    pub placeholder: String,
    /// Whether the value was the whole of a named attribute.
    pub named: bool,
}

/// The kind of placeholders for texts that look like a placeholder of this journal and are none.
pub const LITERAL: &str = "PLACEHOLDER";

/// `<ACCOUNT_ID_1>`
pub fn placeholder(kind: &str, number: u32) -> String {
    format!("<{kind}_{number}>")
}

/// Everything in a text, or in its canonical JSON, that has the length of an account number. A known account can only
/// be one of these.
pub fn account_numbers(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() >= 12);
    runs.filter_map(|run| match run.len() {
        12 => Some(run),
        // Behind a character that JSON writes as `\u0001`.
        16 => run.get(4..),
        _ => None,
    })
}

/// Values to look for in other texts: those that were found by their name in evidence, and are distinctive enough to be
/// recognised anywhere. Kind, value and rule of each.
pub fn distinctive<'a>(hits: impl IntoIterator<Item = &'a Hit>, rules: &Rules) -> Vec<(String, String, String)> {
    let mut found: Vec<_> = hits
        .into_iter()
        .filter(|hit| rules.spreads(&hit.rule) && find::is_distinctive(&hit.kind, &hit.value))
        .map(|hit| (hit.kind.clone(), hit.value.clone(), hit.rule.clone()))
        .collect();
    found.sort();
    found.dedup();
    found
}

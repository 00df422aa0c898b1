//! What was removed from a body, to remove it elsewhere too.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde_json::Value as Json;

use super::value_words::EVERYDAY;
use super::{PLACEHOLDER, tree};

/// The texts that were removed from a body. `Debug` shows only how many.
#[derive(Default)]
pub struct Removed {
    texts: Vec<String>,
    /// How often one of them was removed from another place.
    pub(super) again: usize,
    /// All of them that are long enough to be distinctive, for bytes.
    any: OnceLock<Option<AhoCorasick>>,
    /// Those that are distinctive: see [`is_telling`].
    telling: OnceLock<Option<AhoCorasick>>,
}

impl Removed {
    /// Number of removed values.
    pub fn count(&self) -> usize {
        self.texts.len() + self.again
    }

    /// Whether nothing was removed.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    pub(super) fn push(&mut self, text: String) {
        self.texts.push(text);
        (self.any, self.telling) = Default::default();
    }

    /// Secrets of one or two bytes are not searched, since they would match everywhere.
    pub(super) fn any(&self) -> Option<&AhoCorasick> {
        self.any.get_or_init(|| finder(self.texts.iter().map(String::as_str).filter(|t| t.len() > 2))).as_ref()
    }

    pub(super) fn telling(&self) -> Option<&AhoCorasick> {
        let texts = || self.texts.iter().map(String::as_str).flat_map(|text| [Some(text), behind_scheme(text)]);
        self.telling.get_or_init(|| finder(texts().flatten().filter(|t| is_telling(t)))).as_ref()
    }

    /// Removes the same texts from another text: the question.
    pub fn take_from_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(finder) = self.telling() else { return Cow::Borrowed(text) };
        let mut clean = String::new();
        let mut from = 0;
        for found in finder.find_iter(text) {
            clean.push_str(&text[from..found.start()]);
            clean.push_str(PLACEHOLDER);
            from = found.end();
        }
        if from == 0 {
            return Cow::Borrowed(text);
        }
        clean.push_str(&text[from..]);
        Cow::Owned(clean)
    }

    /// Removes credentials from another JSON tree, and the same texts: a name that marked a value elsewhere may be
    /// missing there.
    pub fn remove_from_json_too(&self, json: &mut Json) {
        tree::clean(json, &mut Self::default(), self.telling());
    }
}

impl fmt::Debug for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} credentials", self.count())
    }
}

/// Searches many texts in one pass, longest first.
fn finder<'a>(texts: impl Iterator<Item = &'a str>) -> Option<AhoCorasick> {
    let texts: BTreeSet<&str> = texts.collect();
    if texts.is_empty() {
        return None;
    }
    // Faster kinds need much more memory. Fails only beyond 2^31 states.
    let mut builder = AhoCorasick::builder();
    builder.kind(Some(AhoCorasickKind::ContiguousNFA)).match_kind(MatchKind::LeftmostLongest);
    builder.build(texts).ok()
}

/// The value after `Bearer`, `Basic` and the like, which may occur elsewhere without that word.
fn behind_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(' ')?;
    super::values::is_scheme(scheme).then_some(rest.trim())
}

/// Whether a value is distinctive enough to be removed wherever it occurs. Common words and numbers are not.
fn is_telling(text: &str) -> bool {
    let word = text.trim_matches(|c: char| !c.is_alphanumeric());
    text.chars().count() >= 8
        && super::values::distinct(text) > 3
        // Numbers, dates and durations.
        && text.chars().filter(|c| c.is_alphabetic()).count() > 1
        && !EVERYDAY.iter().any(|w| w.eq_ignore_ascii_case(word))
        && !PLACEHOLDER.contains(text)
}

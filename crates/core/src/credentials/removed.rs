//! What was removed from a body, to remove it elsewhere too.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::value_words::EVERYDAY;
use super::{PLACEHOLDER, tree};
use crate::json::Json;

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
        let texts = || self.texts.iter().filter(|text| text.len() > 2);
        self.any.get_or_init(|| finder(texts().cloned().chain(encoded(&self.texts)))).as_ref()
    }

    pub(super) fn telling(&self) -> Option<&AhoCorasick> {
        let texts = || self.texts.iter().map(String::as_str).flat_map(|text| [Some(text), behind_scheme(text)]);
        let plain = || texts().flatten().filter(|text| is_telling(text)).map(str::to_owned);
        self.telling.get_or_init(|| finder(plain().chain(encoded(&self.texts)))).as_ref()
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
    pub fn remove_from_json_too(&self, json: &mut Json<'_>) {
        tree::clean(json, &mut Self::default(), self.telling());
    }
}

impl AsRef<Removed> for Removed {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} credentials", self.count())
    }
}

/// How texts may stand elsewhere: percent-encoded, with JSON's escapes, and in the base64 of a longer text.
fn encoded(texts: &[String]) -> impl Iterator<Item = String> {
    /// Longer texts, and more of them, are not searched encoded.
    const LONGEST: usize = 512;
    const MOST: usize = 1000;
    let texts = texts.iter().map(String::as_str).flat_map(|text| [Some(text), behind_scheme(text)]);
    let texts = texts.flatten().filter(|text| text.len() <= LONGEST && is_telling(text)).take(MOST);
    texts.flat_map(|text| {
        let mut all = in_base64(text.as_bytes());
        all.extend(percent_encoded(text));
        all.extend(json_escaped(text));
        all
    })
}

/// In both cases of hexadecimal digits, with `+` and with `%20` for a blank.
fn percent_encoded(text: &str) -> Vec<String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    if text.bytes().all(is_plain) {
        return Vec::new();
    }
    let upper: String =
        text.bytes().map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
    let lower: String =
        text.bytes().map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02x}") }).collect();
    vec![upper.replace("%20", "+"), lower.replace("%20", "+"), upper, lower]
}

fn json_escaped(text: &str) -> Option<String> {
    let quoted = serde_json::to_string(text).ok()?;
    let escaped = quoted.get(1..quoted.len() - 1)?;
    (escaped != text).then(|| escaped.to_owned())
}

/// The characters that the text has in base64 wherever it begins: of three neighbouring bytes, each has its own.
fn in_base64(text: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(text);
        let whole = STANDARD_NO_PAD.encode(&bytes);
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        let Some(sure) = whole.get(from..to) else { continue };
        all.push(sure.to_owned());
        if sure.contains(['+', '/']) {
            all.push(sure.replace('+', "-").replace('/', "_"));
        }
    }
    all
}

/// Searches many texts in one pass, longest first.
fn finder(texts: impl Iterator<Item = String>) -> Option<AhoCorasick> {
    let texts: BTreeSet<String> = texts.collect();
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

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn what_was_removed_is_found_encoded() {
        let mut removed = Removed::default();
        removed.push("p@ss/w\"rd-x~1".to_owned());
        for text in ["p@ss/w\"rd-x~1", "p%40ss%2Fw%22rd-x~1", "p%40ss%2fw%22rd-x~1", "p@ss/w\\\"rd-x~1"] {
            let out = removed.take_from_text(text);
            assert_eq!(out, PLACEHOLDER, "{text}");
        }
        for before in ["", "a", "ab", "abc"] {
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let text = engine.encode(format!("{before}bob:p@ss/w\"rd-x~1 and more"));
                assert!(removed.take_from_text(&text).contains(PLACEHOLDER), "{text}");
            }
        }
        assert_eq!(removed.take_from_text("p@ss/word p%40ss"), "p@ss/word p%40ss");
    }
}

//! Finding values in a text, in time linear in its length.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::checks::{AFTER, BEFORE, Check, ends_escape, without_ending};
use super::rules::{Compiled, Rule, Rules};

/// A value in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// The rule's name.
    pub rule: String,
    /// The kind of its placeholder.
    pub kind: String,
}

/// Values to find wherever they stand: kind, value and rule of each.
#[derive(Clone, Debug, Default)]
pub struct Text {
    known: Vec<(String, String, String)>,
    find: Option<AhoCorasick>,
}

impl Text {
    /// With values that were found elsewhere.
    pub fn with(known: Vec<(String, String, String)>) -> Self {
        let find = (!known.is_empty()).then(|| {
            let values = known.iter().map(|(_, value, _)| value.as_str());
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(values).ok()
        });
        Self { known, find: find.flatten() }
    }

    fn find(&self, text: &str, found: &mut Vec<Found>) {
        let Some(find) = &self.find else { return };
        for place in find.find_iter(text) {
            let Some((kind, _, rule)) = self.known.get(place.pattern().as_usize()) else { continue };
            if is_word(text, place.start(), place.end()) {
                found.push(Found { range: place.range(), rule: rule.clone(), kind: kind.clone() });
            }
        }
    }
}

impl Rules {
    /// What identifies something in a text, in its order, without overlaps. `more`: values to find besides.
    pub fn find(&self, text: &str, more: &Text) -> Vec<Found> {
        let mut found = self.by_patterns(text);
        more.find(text, &mut found);
        let spread: Vec<_> = found
            .iter()
            .filter(|one| self.spreads(&one.rule) && is_distinctive(&one.kind, &text[one.range.clone()]))
            .map(|one| (one.kind.clone(), text[one.range.clone()].to_owned(), one.rule.clone()))
            .collect();
        if !spread.is_empty() {
            let mut spread = spread;
            spread.sort();
            spread.dedup_by(|a, b| a.1 == b.1);
            Text::with(spread).find(text, &mut found);
        }
        found.retain(|one| !self.allowed.contains(&text[one.range.clone()]));
        without_overlaps(found)
    }

    fn by_patterns(&self, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        let Compiled { rules, set, of_pattern, .. } = &*self.compiled;
        for n in &set.matches(text) {
            let Some(rule) = of_pattern.get(n).and_then(|n| rules.get(*n)) else { continue };
            let Some((regex, groups)) = &rule.pattern else { continue };
            for captures in regex.captures_iter(text) {
                for (group, kind) in groups {
                    let Some(value) = captures.get(*group) else { continue };
                    let mut range = trimmed(text, value.range());
                    if rule.check == Some(Check::Email) {
                        range.end = range.start + without_ending(&text[range.clone()]);
                    }
                    let named =
                        rule.name_group.and_then(|n| captures.get(n)).map_or(&text[range.clone()], |m| m.as_str());
                    let kind = rule.kinds.get(*kind).map_or("", String::as_str);
                    if self.holds(rule, kind, text, range.clone(), named) {
                        found.push(Found { range, rule: rule.name.clone(), kind: kind.to_owned() });
                    }
                }
            }
        }
        found
    }

    fn holds(&self, rule: &Rule, kind: &str, text: &str, range: Range<usize>, named: &str) -> bool {
        let (start, end) = (range.start, range.end);
        if start >= end || !is_word(text, start, end) {
            return false;
        }
        let before = &text[text.floor_char_boundary(start.saturating_sub(BEFORE))..start];
        let after = &text[end..text.ceil_char_boundary((end + AFTER).min(text.len()))];
        // What a rule finds besides its main kind has the conditions of that: a prompt has a user and a host.
        let check = match kind {
            "HOST" => Some(Check::Host),
            "USER" => Some(Check::User),
            _ => rule.check,
        };
        !rule.keep.has(named)
            && check.is_none_or(|check| {
                !self.compiled.kept.get(&check).is_some_and(|keep| keep.has(named))
                    && check.holds(&text[range], before, after)
            })
    }

    /// What identifies something in the value of an attribute: values in it, or else all of it if its name says so.
    /// True for the latter.
    pub fn find_named(&self, name: &str, text: &str, more: &Text) -> (Vec<Found>, bool) {
        let found = self.find(text, more);
        let of_name = || {
            // Names are short; most are in lower case already.
            let Compiled { rules, of_name, .. } = &*self.compiled;
            rules.get(*of_name.get(name).or_else(|| of_name.get(&name.to_lowercase()))?)
        };
        if name.len() > 64 || text.trim().is_empty() || self.allowed.contains(text) {
            return (found, false);
        }
        let Some(rule) = of_name() else { return (found, false) };
        // An address is known by its own form.
        if matches!(found.as_slice(), [one] if one.range == (0..text.len())) {
            return (found, true);
        }
        let kept = rule.keep.has(text)
            || rule.check.is_some_and(|check| {
                self.compiled.kept.get(&check).is_some_and(|keep| keep.has(text)) || !check.holds(text, "", "")
            });
        let example = text.contains('@') && !Check::Email.holds(text, "", "") && found.is_empty();
        let shaped = rule.check != Some(Check::Account) || account_number(text);
        // A placeholder of another journal.
        let placeholder = text.starts_with('<') && text.ends_with('>');
        if kept || example || !shaped || placeholder || is_common_ip(text) {
            return (found, false);
        }
        let kind = rule.kinds.first().cloned().unwrap_or_default();
        (vec![Found { range: 0..text.len(), rule: rule.name.clone(), kind }], true)
    }
}

fn account_number(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_common_ip(text: &str) -> bool {
    text.parse::<core::net::IpAddr>().is_ok()
}

/// Without the rest of an escape sequence of a terminal at its beginning, and punctuation at its end.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let value = &text[range.clone()];
    let mut start = range.start;
    if text[..start].ends_with("\u{1b}[") {
        let inner = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        start = range.end - inner.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(inner).len();
    }
    let end = range.start + value.trim_end_matches(['.', ':', ',', '\'', '-']).len();
    start..end.max(start)
}

/// Whether what is between two places is no part of a longer word. The letter that ends an escape sequence of a
/// terminal is not of the word behind it.
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let part = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = text.as_bytes();
    let first = bytes.get(start).copied().is_some_and(part);
    let last = end.checked_sub(1).and_then(|i| bytes.get(i)).copied().is_some_and(part);
    let before = start.checked_sub(1).and_then(|i| bytes.get(i)).copied().is_some_and(part);
    let after = bytes.get(end).copied().is_some_and(part);
    !(last && after) && (!(first && before) || ends_sequence(&bytes[..start]) || ends_escape(&bytes[..start]))
}

/// Whether a text ends with an escape sequence such as `ESC[01;32m`.
fn ends_sequence(before: &[u8]) -> bool {
    let Some((last, rest)) = before.split_last() else { return false };
    let from = rest.len().saturating_sub(16);
    let digits = rest[from..].iter().rev().take_while(|b| b.is_ascii_digit() || **b == b';').count();
    last.is_ascii_alphabetic() && rest[..rest.len() - digits].ends_with(b"\x1b[")
}

/// Whether a value can be recognised wherever it stands: a name that is a word of the language cannot.
pub(super) fn is_distinctive(kind: &str, value: &str) -> bool {
    let digit = value.bytes().any(|b| b.is_ascii_digit());
    let letter = value.chars().any(char::is_alphabetic);
    match kind {
        "ACCOUNT_ID" => true,
        _ if value.contains(char::is_whitespace) => value.len() >= 8,
        _ if value.len() >= 12 => true,
        _ => value.len() >= 5 && letter && (digit || value.contains(['-', '.', '@'])),
    }
}

/// Of overlapping finds, the one that begins first counts, then the longer one, then that of the first rule.
fn without_overlaps(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|a, b| a.range.start.cmp(&b.range.start).then(b.range.end.cmp(&a.range.end)));
    let mut end = 0;
    found.retain(|one| {
        let free = one.range.start >= end;
        if free {
            end = one.range.end;
        }
        free
    });
    found
}

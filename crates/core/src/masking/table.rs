//! The placeholders of a journal.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use hmac::{Hmac, KeyInit as _, Mac as _};
use regex::Regex;
use sha2::{Digest as _, Sha256};

use super::find::{Found, Text};
use super::rules::{LITERAL_RULE, Rules};
use super::{Hit, LITERAL, placeholder};

/// What a number of a kind stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A value of this journal.
    Value(String),
    /// Something in a text that was imported or written as it stands; the journal that gave it, if known.
    Reserved(Option<String>),
}

/// A slot that is not stored yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New {
    pub kind: String,
    pub number: u32,
    pub slot: Slot,
}

/// The placeholders of a journal, and its secret, without which nobody can show what masked evidence was made from.
#[derive(Clone, Debug)]
pub struct Table {
    secret: Vec<u8>,
    numbers: HashMap<String, HashMap<String, u32>>,
    slots: HashMap<String, BTreeMap<u32, Slot>>,
    new: Vec<New>,
}

#[expect(clippy::unwrap_used, reason = "a fixed pattern that the tests use")]
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    // Also as writers of Markdown and HTML escape all of it.
    Regex::new(concat!(
        r"<(?P<kind>[A-Z][A-Z0-9]*(?:_[A-Z0-9]*[A-Z])*)_(?P<number>[1-9][0-9]{0,6})>",
        r"|\\<(?P<kind2>[A-Z][A-Z0-9]*(?:\\?_[A-Z0-9]*[A-Z])*)\\?_(?P<number2>[1-9][0-9]{0,6})\\>",
        r"|&lt;(?P<kind3>[A-Z][A-Z0-9]*(?:\\?_[A-Z0-9]*[A-Z])*)\\?_(?P<number3>[1-9][0-9]{0,6})&gt;",
    ))
    .unwrap()
});

impl Table {
    /// Of a journal, with what it has stored.
    pub fn new(secret: Vec<u8>, stored: impl IntoIterator<Item = (String, u32, Slot)>) -> Self {
        let mut table = Self { secret, numbers: HashMap::new(), slots: HashMap::new(), new: Vec::new() };
        for (kind, number, slot) in stored {
            table.insert(kind, number, slot);
        }
        table
    }

    fn insert(&mut self, kind: String, number: u32, slot: Slot) {
        if let Slot::Value(value) = &slot {
            self.numbers.entry(kind.clone()).or_default().insert(value.clone(), number);
        }
        self.slots.entry(kind).or_default().insert(number, slot);
    }

    fn add(&mut self, kind: &str, number: u32, slot: Slot) {
        self.new.push(New { kind: kind.to_owned(), number, slot: slot.clone() });
        self.insert(kind.to_owned(), number, slot);
    }

    /// What was added since the last time.
    pub fn take_new(&mut self) -> Vec<New> {
        std::mem::take(&mut self.new)
    }

    /// The public name of the journal that gives the placeholders.
    pub fn journal(&self) -> String {
        hex::encode(Sha256::digest([b"tracebook masks ", self.secret.as_slice()].concat()))[..16].to_owned()
    }

    /// The salt of one evidence, in hex digits.
    pub fn salt(&self, evidence: &str) -> String {
        match Hmac::<Sha256>::new_from_slice(&self.secret) {
            Ok(mut mac) => {
                mac.update(evidence.as_bytes());
                hex::encode(mac.finalize().into_bytes())
            }
            // HMAC takes keys of any length.
            Err(_) => String::new(),
        }
    }

    /// The placeholder of a value, a new one if it has none.
    pub fn placeholder(&mut self, kind: &str, value: &str) -> String {
        if let Some(number) = self.numbers.get(kind).and_then(|values| values.get(value)) {
            return placeholder(kind, *number);
        }
        let number =
            self.slots.get(kind).and_then(|slots| slots.keys().next_back()).map_or(1, |last| last.saturating_add(1));
        self.add(kind, number, Slot::Value(value.to_owned()));
        placeholder(kind, number)
    }

    fn slot(&self, kind: &str, number: u32) -> Option<&Slot> {
        self.slots.get(kind)?.get(&number)
    }

    /// The journal that gave a placeholder in a text, by what is known here: this one, or that of an import.
    pub fn origin(&self, written: &str) -> Option<String> {
        let (kind, number, _) = placeholders(written).next()?;
        match self.slot(&kind, number)? {
            Slot::Value(_) => Some(self.journal()),
            Slot::Reserved(origin) => origin.clone(),
        }
    }

    /// The value of one of this journal's placeholders.
    pub fn value(&self, written: &str) -> Option<&str> {
        let (kind, number, _) = placeholders(written).next()?;
        match self.slot(&kind, number)? {
            Slot::Value(value) => Some(value),
            Slot::Reserved(_) => None,
        }
    }

    /// The values of a kind, in their order.
    pub fn values_of(&self, kind: &str) -> Vec<String> {
        let mut values: Vec<String> = self.numbers.get(kind).into_iter().flat_map(|of| of.keys().cloned()).collect();
        values.sort();
        values
    }

    /// Every value with its placeholder, by kind and number.
    pub fn values(&self) -> Vec<(String, u32, Slot)> {
        let mut all: Vec<_> = self
            .slots
            .iter()
            .flat_map(|(kind, slots)| slots.iter().map(|(number, slot)| (kind.clone(), *number, slot.clone())))
            .collect();
        all.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        all
    }

    /// Replaces what the rules find in a text.
    pub fn mask(&mut self, text: &str, rules: &Rules, more: &Text) -> (String, Vec<Hit>) {
        let found = rules.find(text, more);
        self.replace(text, found, false)
    }

    /// Replaces what the rules find in a part of a path, by placeholders without brackets, which file names must not
    /// have: `EMAIL_1`. There is no way back: what has such a name keeps it.
    pub fn mask_path(&mut self, path: &str, rules: &Rules) -> String {
        let mut out = String::with_capacity(path.len());
        let mut at = 0;
        for one in rules.find(path, &Text::default()) {
            out.push_str(&path[at..one.range.start]);
            out.push_str(self.placeholder(&one.kind, &path[one.range.clone()]).trim_matches(['<', '>']));
            at = one.range.end;
        }
        out.push_str(&path[at..]);
        out
    }

    /// Replaces finds of a text, in their order, and what looks like a placeholder and is none.
    pub(super) fn replace(&mut self, text: &str, mut found: Vec<Found>, named: bool) -> (String, Vec<Hit>) {
        self.literals(text, &mut found);
        if found.is_empty() {
            return (text.to_owned(), Vec::new());
        }
        let mut out = String::with_capacity(text.len());
        let mut hits = Vec::with_capacity(found.len());
        let mut at = 0;
        for one in found {
            let value = &text[one.range.clone()];
            let placeholder = self.placeholder(&one.kind, value);
            out.push_str(&text[at..one.range.start]);
            out.push_str(&placeholder);
            at = one.range.end;
            hits.push(Hit { rule: one.rule, kind: one.kind, value: value.to_owned(), placeholder, named });
        }
        out.push_str(&text[at..]);
        (out, hits)
    }

    /// Texts that an import would take for a placeholder of this journal get one of their own; numbers of others are
    /// reserved.
    fn literals(&mut self, text: &str, found: &mut Vec<Found>) {
        if !text.contains(['<', '&']) {
            return;
        }
        let mut more = Vec::new();
        for (kind, number, range) in placeholders(text) {
            match self.slot(&kind, number) {
                Some(Slot::Value(_)) => {
                    more.push(Found { range, rule: LITERAL_RULE.to_owned(), kind: LITERAL.to_owned() });
                }
                Some(Slot::Reserved(_)) => {}
                None => self.add(&kind, number, Slot::Reserved(None)),
            }
        }
        if !more.is_empty() {
            found.retain(|one| !more.iter().any(|m| m.range.start < one.range.end && one.range.start < m.range.end));
            found.extend(more);
            found.sort_by_key(|one| one.range.start);
        }
    }

    /// The placeholders in an exported text with the journal that gave each, for those that are known.
    pub fn origins(&self, texts: &[&str]) -> BTreeMap<String, String> {
        let mut origins = BTreeMap::new();
        for text in texts {
            for (kind, number, _) in placeholders(text) {
                let written = placeholder(&kind, number);
                if let Some(origin) = self.origin(&written) {
                    origins.insert(written, origin);
                }
            }
        }
        origins
    }

    /// Reads a text of an export: placeholders that this journal gave become the values again, the numbers of others
    /// are reserved. `origins` is what the export says about its placeholders.
    pub fn unmask(&mut self, text: &str, origins: &BTreeMap<String, String>) -> String {
        let mine = self.journal();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (kind, number, range) in placeholders(text) {
            let origin = origins.get(&placeholder(&kind, number));
            match self.slot(&kind, number) {
                Some(Slot::Value(value)) if origin == Some(&mine) => {
                    out.push_str(&text[at..range.start]);
                    out.push_str(value);
                    at = range.end;
                }
                Some(_) => {}
                None => self.add(&kind, number, Slot::Reserved(origin.cloned())),
            }
        }
        out.push_str(&text[at..]);
        out
    }
}

/// How often each placeholder stands in a text, by its plain form.
pub fn mentions(text: &str) -> BTreeMap<String, usize> {
    let mut mentions = BTreeMap::new();
    for (kind, number, _) in placeholders(text) {
        *mentions.entry(placeholder(&kind, number)).or_default() += 1;
    }
    mentions
}

/// Kind, number and place of everything in a text that has the form of a placeholder.
fn placeholders(text: &str) -> impl Iterator<Item = (String, u32, Range<usize>)> {
    PLACEHOLDER.captures_iter(text).filter_map(|captures| {
        let group = |name: &str| {
            ["", "2", "3"].iter().find_map(|n| captures.name(&format!("{name}{n}"))).map(|found| found.as_str())
        };
        let number = group("number")?.parse().ok()?;
        let kind = group("kind")?.replace('\\', "");
        Some((kind, number, captures.get(0)?.range()))
    })
}

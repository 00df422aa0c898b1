//! `entry.json`: what an exported text does not say, for imports and for `verify`.
//!
//! Format 2 names references by evidence and order, one on a line, and says nothing about the words between them, so
//! that an edited sentence does not change the file. Format 1 had the byte offsets of all references and digests of the
//! text. A text in which the references cannot be found again without offsets still has these.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tracebook_core::doubts::Doubt;
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_core::live_card::{CardQuestion, LiveCard};

/// The newest format that this version reads, and that it writes.
pub(crate) const ENTRY_FILE: u32 = 2;

/// An entry to export.
#[derive(Clone, Copy, Debug)]
pub struct EntryInput<'a> {
    /// The entry's id, names and week.
    pub row: &'a EntryRow,
    pub body: &'a str,
    /// The file's name without `.md`: `week2`.
    pub file: &'a str,
    /// The evidence that its references and live cards show, already masked if required.
    pub evidence: &'a BTreeMap<Id, Frozen>,
    /// The live cards that it shows.
    pub live: &'a BTreeMap<Id, LiveInput>,
}

/// A live card for export. It shows what was last frozen from it; no source is queried.
#[derive(Clone, Debug)]
pub struct LiveInput {
    /// The card.
    pub card: LiveCard,
    /// The evidence that was last frozen from it, if any.
    pub frozen: Option<Id>,
    /// Whether its frozen evidence is deleted or belongs to an earlier query.
    pub lost: bool,
}

/// Metadata of an export. Fields are only added.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EntryFile {
    /// The format version of this file.
    pub(crate) tracebook: u32,
    pub(crate) id: Id,
    pub(crate) slug: String,
    pub(crate) week: Option<String>,
    pub(crate) title: String,
    /// The assets' folder, relative to the Markdown file.
    pub(crate) folder: String,
    /// The line endings of the text, if any is not LF: from format 2 on, `crlf` or `mixed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) eol: Option<String>,
    /// Digest of the Markdown as exported, beside offsets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
    /// Digest of what the Markdown says, which formatters do not change; in format 1. Since then the manifest has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) says: Option<String>,
    /// In the order of the text.
    pub(crate) references: Vec<EntryReference>,
    /// The places of live cards that were never frozen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unfrozen: Vec<EntryUnfrozen>,
    /// The live cards of the text with their queries, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) live: Vec<SaidCard>,
    /// The doubts about imported evidence that the text shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) doubts: Vec<EntryDoubts>,
    /// The placeholders of the text that replace a value, and the public name of the journal that gave each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) masks: BTreeMap<String, String>,
}

/// The doubts about one imported evidence.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EntryDoubts {
    pub(crate) evidence: Id,
    pub(crate) doubts: Vec<Doubt>,
}

/// One reference of the text: to evidence, or to a live card that shows evidence.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EntryReference {
    pub(crate) evidence: Id,
    /// Its Markdown in the entry.
    pub(crate) source: String,
    /// Byte offset and length of its replacement in the exported Markdown.
    #[serde(flatten)]
    pub(crate) span: Span,
    /// Whether it was written as a block with its table, rather than as a picture in a sentence.
    #[serde(default)]
    pub(crate) block: bool,
    /// The live card that the evidence was frozen from, if the entry refers to the card. `block` is then false, since
    /// versions without live cards search for blocks of evidence only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) live: Option<EntryLive>,
    /// How many unfrozen live cards stand before it in the text.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) after: usize,
}

/// Where something was written, in bytes of the exported Markdown; only where it cannot be found by order.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Span {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) length: Option<usize>,
}

impl Span {
    pub(crate) fn of(at: usize, length: usize) -> Self {
        Self { at: Some(at), length: Some(length) }
    }

    /// Offset and length.
    pub(crate) fn both(self) -> Option<(usize, usize)> {
        self.at.zip(self.length)
    }
}

/// A live card that shows evidence.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EntryLive {
    pub(crate) card: Id,
    /// Whether it was written as a block.
    pub(crate) block: bool,
}

/// The place of a live card that was never frozen. Not among the references: those name evidence.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EntryUnfrozen {
    pub(crate) card: Id,
    pub(crate) source: String,
    #[serde(flatten)]
    pub(crate) span: Span,
}

/// A live card in `entry.json`. One that cannot be read must not affect the others.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum SaidCard {
    Card(Box<EntryCard>),
    Unreadable(serde_json::Value),
}

/// The query of a live card, and its last frozen evidence. Whether it is paused is not exported.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EntryCard {
    pub(crate) id: Id,
    pub(crate) title: String,
    pub(crate) question: CardQuestion,
    pub(crate) pace_seconds: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) frozen: Option<Id>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// One place of the text, as `entry.json` lists it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listed<'a> {
    Reference(&'a EntryReference),
    Unfrozen(&'a EntryUnfrozen),
}

impl EntryFile {
    /// Reads the file, which may begin with a byte order mark.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
    }

    /// Whether this version understands the file.
    pub(crate) fn is_known(&self) -> bool {
        self.tracebook <= ENTRY_FILE
    }

    /// References and unfrozen live cards in the order of the text.
    pub(crate) fn in_order(&self) -> Vec<Listed<'_>> {
        let mut unfrozen = self.unfrozen.iter().peekable();
        let mut before = 0;
        let mut all = Vec::with_capacity(self.references.len() + self.unfrozen.len());
        for reference in &self.references {
            let at = reference.span.at;
            while let Some(next) = unfrozen.peek() {
                let earlier = match (next.span.at, at) {
                    (Some(next), Some(at)) => next < at,
                    _ => before < reference.after,
                };
                if !earlier {
                    break;
                }
                before += 1;
                all.extend(unfrozen.next().map(Listed::Unfrozen));
            }
            all.push(Listed::Reference(reference));
        }
        all.extend(unfrozen.map(Listed::Unfrozen));
        all
    }

    /// The file's text: one reference, live card, list of doubts or placeholder on a line, so that versions merge line
    /// by line.
    pub(crate) fn to_text(&self) -> String {
        // Strings and numbers can always be serialized.
        fn json(value: &impl Serialize) -> String {
            serde_json::to_string(value).unwrap_or_default()
        }
        fn list<T: Serialize>(rows: &[T]) -> String {
            match rows.is_empty() {
                true => "[]".to_owned(),
                false => format!("[\n    {}\n  ]", rows.iter().map(json).collect::<Vec<_>>().join(",\n    ")),
            }
        }
        let mut fields = vec![
            ("tracebook", json(&self.tracebook)),
            ("id", json(&self.id)),
            ("slug", json(&self.slug)),
            ("week", json(&self.week)),
            ("title", json(&self.title)),
            ("folder", json(&self.folder)),
        ];
        fields.extend(self.eol.as_ref().map(|eol| ("eol", json(eol))));
        fields.extend(self.digest.as_ref().map(|digest| ("digest", json(digest))));
        fields.extend(self.says.as_ref().map(|says| ("says", json(says))));
        fields.push(("references", list(&self.references)));
        let optional = [("unfrozen", list(&self.unfrozen)), ("live", list(&self.live)), ("doubts", list(&self.doubts))];
        fields.extend(optional.into_iter().filter(|(_, rows)| rows != "[]"));
        if !self.masks.is_empty() {
            let rows = self.masks.iter().map(|(mask, journal)| format!("    {}: {}", json(mask), json(journal)));
            fields.push(("masks", format!("{{\n{}\n  }}", rows.collect::<Vec<_>>().join(",\n"))));
        }
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("  \"{name}\": {value}")).collect();
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    /// The text with the line endings that it was exported with, if a checkout or an editor converted all of them.
    pub(crate) fn with_own_line_ends(&self, md: &str) -> Option<String> {
        if self.tracebook < 2 {
            return None;
        }
        match (self.eol.as_deref(), line_ends(md)) {
            (None, Some("crlf")) => Some(md.replace("\r\n", "\n")),
            (Some("crlf"), None) if md.contains('\n') => Some(md.replace('\n', "\r\n")),
            _ => None,
        }
    }
}

/// The line endings of a text, if not all are LF: `crlf`, or `mixed` with anything else.
pub(crate) fn line_ends(text: &str) -> Option<&'static str> {
    if !text.contains('\r') {
        return None;
    }
    let pairs = text.matches("\r\n").count();
    let all = text.matches('\n').count() == pairs && text.matches('\r').count() == pairs;
    Some(if all { "crlf" } else { "mixed" })
}

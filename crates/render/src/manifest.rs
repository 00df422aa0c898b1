//! `tracebook.jsonl`: the manifest of an export, one entry on a line.
//!
//! ```text
//! {"tracebook":1}
//!
//! {"entry":"01J…","file":"week1.md","text":"sha256:…","evidence":["01J…"],"digests":["sha256:…"]}
//!
//! {"entry":"01J…","file":"week2.md","text":"sha256:…","evidence":[]}
//! ```
//!
//! It shows that an entry, its `entry.json` or a piece of evidence was deleted. Empty lines keep the entries apart,
//! since version control merges changes of adjacent lines as one. Where two versions of one line were both kept
//! (`merge=union`), the text may be either.
//!
//! A signed manifest names the key in its first line: `{"tracebook":1,"signer":"SHA256:…"}`. The signature is in a file
//! of its own, beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tracebook_core::ids::Id;

/// The name of the manifest, beside the texts.
pub const NAME: &str = "tracebook.jsonl";
/// What makes version control keep both lines, where two branches changed the text of one entry.
pub const ATTRIBUTES: &str = "tracebook.jsonl merge=union\n";
/// The newest format that this version reads.
const FORMAT: u32 = 1;
/// The most lines that are read.
const MOST_LINES: usize = 100_000;

/// An entry of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The entry's id.
    pub entry: Id,
    /// The text, relative to the manifest: `week2.md`.
    pub file: String,
    /// The digest of its canonical text, in which line endings, table padding and the like do not count.
    pub text: String,
    /// The evidence that it shows, each once, in the order of the text.
    pub evidence: Vec<Id>,
    /// The digests of this evidence as it was exported, in the same order. Up to version 0.1 they were not written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<String>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    tracebook: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signer: Option<String>,
}

/// The lines of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// In the order of the file.
    pub lines: Vec<Line>,
    /// The fingerprint of the key that it is signed with, as it says itself: `SHA256:…`.
    pub signer: Option<String>,
    /// Lines that cannot be read, such as conflict markers; at most a few.
    pub unread: Vec<String>,
}

impl Manifest {
    /// Reads a manifest; `None` if it is none of this program, or of a later version.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()?;
        let mut found = Self::default();
        let mut heads = 0;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()).take(MOST_LINES) {
            // A list would be read as the fields of an object in their order.
            let object = line.starts_with('{');
            if let Some(line) = object.then(|| serde_json::from_str::<Line>(line).ok()).flatten() {
                found.lines.push(line);
            } else if let Some(head) = object.then(|| serde_json::from_str::<Head>(line).ok()).flatten() {
                if head.tracebook > FORMAT {
                    return None;
                }
                heads += 1;
                found.signer = found.signer.or(head.signer);
            } else if found.unread.len() < 8 {
                found.unread.push(line.chars().take(80).collect());
            }
        }
        (heads > 0).then_some(found)
    }

    /// The lines of each entry. Usually it is one; after a merge there may be several.
    pub fn entries(&self) -> BTreeMap<Id, Vec<&Line>> {
        let mut entries: BTreeMap<Id, Vec<&Line>> = BTreeMap::new();
        for line in &self.lines {
            entries.entry(line.entry).or_default().push(line);
        }
        entries
    }

    /// With the lines of a new export, which replace those of the same entries and files. Other lines stay if `keep`
    /// says so.
    #[must_use]
    pub fn with(self, new: Vec<Line>, keep: impl Fn(&Line) -> bool) -> Self {
        let replaced = |old: &Line| new.iter().any(|line| line.entry == old.entry || line.file == old.file);
        let mut lines: Vec<Line> = self.lines.into_iter().filter(|old| !replaced(old) && keep(old)).collect();
        lines.extend(new);
        lines.sort_by(|a, b| natural(&a.file).cmp(&natural(&b.file)).then_with(|| a.entry.cmp(&b.entry)));
        lines.dedup();
        Self { lines, signer: self.signer, unread: Vec::new() }
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        // Strings and numbers can always be serialized.
        let mut text =
            serde_json::to_string(&Head { tracebook: FORMAT, signer: self.signer.clone() }).unwrap_or_default() + "\n";
        for line in &self.lines {
            text.push_str(&format!("\n{}\n", serde_json::to_string(line).unwrap_or_default()));
        }
        text
    }
}

/// A name with its numbers as numbers, so that `week10` follows `week9`.
fn natural(name: &str) -> Vec<(u64, String)> {
    let mut parts: Vec<(u64, String)> = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let words = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(words);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at(digits);
        // The word first: it precedes its number.
        parts.push((0, word.to_owned()));
        parts.push((number.parse().unwrap_or(u64::MAX), String::new()));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(entry: &str, file: &str) -> Line {
        let entry = entry.parse().expect("an id");
        Line {
            entry,
            file: file.into(),
            text: "sha256:0".into(),
            evidence: vec![entry],
            digests: vec!["sha256:1".into()],
        }
    }

    const A: &str = "01JD4ZK8S7M5V9TQ2WXYB3CDEF";
    const B: &str = "01JD4ZM2Q0R4T6V8WXYZ012345";
    const C: &str = "01JD4ZA0000000000000000000";

    #[test]
    fn lines_are_written_in_order_and_read_back() {
        let manifest =
            Manifest::default().with(vec![line(A, "week10.md"), line(B, "week9.md"), line(C, "a.md")], |_| true);
        let files: Vec<&str> = manifest.lines.iter().map(|line| line.file.as_str()).collect();
        assert_eq!(files, ["a.md", "week9.md", "week10.md"]);
        let text = manifest.to_text();
        assert_eq!(Manifest::read(text.as_bytes()).as_ref(), Some(&manifest));
        for other in [format!("\u{feff}{text}"), text.replace('\n', "\r\n"), text.trim_end().to_owned()] {
            assert_eq!(Manifest::read(other.as_bytes()).as_ref(), Some(&manifest));
        }
    }

    #[test]
    fn a_signed_manifest_names_its_key() {
        let signed =
            Manifest { signer: Some("SHA256:abc".into()), ..Manifest::default().with(vec![line(A, "a.md")], |_| true) };
        let text = signed.to_text();
        assert!(text.starts_with("{\"tracebook\":1,\"signer\":\"SHA256:abc\"}\n"), "{text}");
        assert_eq!(Manifest::read(text.as_bytes()), Some(signed));
    }

    #[test]
    fn entries_of_others_stay_and_the_same_ones_are_replaced() {
        let manifest = Manifest::default().with(vec![line(A, "a.md"), line(B, "b.md")], |_| true);
        let renamed = manifest.clone().with(vec![line(A, "c.md")], |_| true);
        assert_eq!(renamed.lines, [line(B, "b.md"), line(A, "c.md")]);
        // Another entry under the same name takes its place.
        assert_eq!(manifest.clone().with(vec![line(C, "a.md")], |_| true).lines, [line(C, "a.md"), line(B, "b.md")]);
        assert_eq!(manifest.with(Vec::new(), |old| old.file == "b.md").lines, [line(B, "b.md")]);
    }

    #[test]
    fn what_is_not_a_manifest_is_none() {
        for other in ["", "{}", "{\"a\":1}\n", "{\"tracebook\":2}\n", "[1]", "\u{0}"] {
            assert_eq!(Manifest::read(other.as_bytes()), None, "{other}");
        }
        let conflict =
            format!("{{\"tracebook\":1}}\n<<<<<<< HEAD\n{}\n", serde_json::to_string(&line(A, "a.md")).expect("JSON"));
        let read = Manifest::read(conflict.as_bytes()).expect("reads");
        assert_eq!((read.lines.len(), read.unread.len()), (1, 1));
    }
}

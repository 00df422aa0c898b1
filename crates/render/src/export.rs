//! An entry as files that a code host shows: markdown, pictures that carry their data, and what import needs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tracebook_core::canonical::digest;
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;

use crate::block::{Shown, continuation, eol_at, file_name, lay};
use crate::card;
use crate::markdown::{line_before, page, scan};

/// What is exported.
#[derive(Clone, Copy, Debug)]
pub struct EntryInput<'a> {
    /// The entry's id, names and week.
    pub row: &'a EntryRow,
    /// Its text.
    pub body: &'a str,
    /// The file's name without `.md`: `week2`.
    pub file: &'a str,
    /// The evidence that its references show, masked where it is to be.
    pub evidence: &'a BTreeMap<Id, Frozen>,
}

/// Files by their path below the export's folder, with `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// `journal/week2.md` and its assets.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What could not be shown, as sentences.
    pub warnings: Vec<String>,
}

/// What an export says about itself, for the way back. Only grows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EntryFile {
    /// Which form this file has.
    pub(crate) tracebook: u32,
    pub(crate) id: Id,
    pub(crate) slug: String,
    pub(crate) week: Option<String>,
    pub(crate) title: String,
    /// The assets' folder, seen from the markdown.
    pub(crate) folder: String,
    /// Digest of the markdown as exported.
    pub(crate) digest: String,
    pub(crate) references: Vec<EntryReference>,
}

/// One reference of the text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EntryReference {
    pub(crate) evidence: Id,
    /// Its markdown in the entry.
    pub(crate) source: String,
    /// Where its place in the exported markdown begins, in bytes, and how long it is.
    pub(crate) at: usize,
    pub(crate) length: usize,
    /// Whether it was written as a block with its table, rather than as a picture in a sentence.
    #[serde(default)]
    pub(crate) block: bool,
}

/// The newest form of `entry.json` that this version reads.
pub(crate) const ENTRY_FILE: u32 = 1;

/// The files of one entry. The same input gives the same bytes; a text without references is
/// exported byte for byte.
pub fn entry(input: &EntryInput<'_>) -> Tree {
    let mut tree = Tree::default();
    let body = input.body;
    let folder = format!("assets/{}", input.file);
    let bom = if body.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut md = String::with_capacity(body.len() * 2);
    let mut written = 0;
    let mut references = Vec::new();
    for reference in scan(body).references {
        let Some(frozen) = input.evidence.get(&reference.id) else {
            tree.warnings.push(format!(
                "{}.md line {}: evidence {} is not in this journal; its reference stays as it is",
                input.file, reference.place.line, reference.id
            ));
            continue;
        };
        let (start, end) = (reference.place.byte_start, reference.place.byte_end);
        let shown = Shown::of(&reference, frozen);
        let text = match reference.alone {
            true => {
                lay(&shown.block(frozen, &folder), &continuation(line_before(body, start, bom)), eol_at(body, start))
            }
            false => shown.picture(reference.id, &folder),
        };
        md.push_str(&body[written..start]);
        references.push(EntryReference {
            evidence: reference.id,
            source: body[start..end].to_owned(),
            at: md.len(),
            length: text.len(),
            block: reference.alone,
        });
        md.push_str(&text);
        written = end;

        let path = |name: &str| format!("journal/{folder}/{name}");
        let picture = path(&file_name(reference.id, shown.size));
        if !tree.files.contains_key(&picture) {
            let card = card::svg(frozen, shown.size);
            tree.files.insert(picture, card.svg.into_bytes());
            if let Some(sidecar) = card.sidecar {
                tree.files.insert(path(&sidecar.name), sidecar.bytes);
            }
        }
    }
    md.push_str(&body[written..]);
    for picture in page(body).pictures.iter().filter(|p| p.destination.starts_with("live:")) {
        tree.warnings.push(format!(
            "{}.md: the live card {:?} is not frozen, so the export cannot show it",
            input.file, picture.alt
        ));
    }
    if !references.is_empty() {
        let about = EntryFile {
            tracebook: ENTRY_FILE,
            id: input.row.id,
            slug: input.row.slug.clone(),
            week: input.row.week.clone(),
            title: input.row.title.clone(),
            folder: folder.clone(),
            digest: digest(md.as_bytes()),
            references,
        };
        // Plain texts and numbers always have a JSON form.
        let json = serde_json::to_string_pretty(&about).unwrap_or_default() + "\n";
        tree.files.insert(format!("journal/{folder}/entry.json"), json.into_bytes());
    }
    tree.files.insert(format!("journal/{}.md", input.file), md.into_bytes());
    tree
}

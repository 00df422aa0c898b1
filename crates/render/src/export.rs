//! Exports an entry to files for a code host: Markdown, pictures with data, and metadata for imports.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tracebook_core::canonical::digest;
use tracebook_core::doubts::Doubt;
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_core::live_card::{CardQuestion, LiveCard};

use crate::block::{self, Shown, lay};
use crate::card::{self, Form, Width, file_name};
use crate::markdown::{Reference, continuation, eol_at, line_before, page, scan, shape};

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

/// Exported files, by their path relative to the export's folder, separated by `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// `journal/week2.md` and its assets.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What the export cannot show, one sentence each.
    pub warnings: Vec<String>,
}

/// Metadata of an export, for imports. Fields are only added.
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
    /// Digest of the Markdown as exported.
    pub(crate) digest: String,
    /// Digest of what the Markdown says, which formatters do not change; missing in exports of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) says: Option<String>,
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
    pub(crate) at: usize,
    pub(crate) length: usize,
    /// Whether it was written as a block with its table, rather than as a picture in a sentence.
    #[serde(default)]
    pub(crate) block: bool,
    /// The live card that the evidence was frozen from, if the entry refers to the card. `block` is then false, since
    /// versions without live cards search for blocks of evidence only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) live: Option<EntryLive>,
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
    pub(crate) at: usize,
    pub(crate) length: usize,
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

/// The newest format of `entry.json` that this version reads.
pub(crate) const ENTRY_FILE: u32 = 1;

/// From this many bytes on, evidence is exported without its table: a short text may show a large table any number of
/// times, and imports read at most 64 MiB.
const MOST_BLOCK_BYTES: usize = 32 * 1024 * 1024;

/// The digest of what a text says, however it is formatted.
pub(crate) fn says(md: &str) -> String {
    digest(shape(md.trim_start_matches('\u{feff}')).join("\n").as_bytes())
}

/// The files of one entry. The output is deterministic; a text without references is exported unchanged.
pub fn entry(input: &EntryInput<'_>) -> Tree {
    entry_with_doubts(input, &BTreeMap::new())
}

/// The files of one entry that shows imported evidence. `doubts` are those that were raised when it was imported.
pub fn entry_with_doubts(input: &EntryInput<'_>, doubts: &BTreeMap<Id, Vec<Doubt>>) -> Tree {
    entry_masked(input, doubts, &BTreeMap::new())
}

/// The files of one entry that is masked. `masks` are the placeholders of its text with the journal that gave each: an
/// import needs them also where the text shows no evidence.
pub fn entry_masked(
    input: &EntryInput<'_>,
    doubts: &BTreeMap<Id, Vec<Doubt>>,
    masks: &BTreeMap<String, String>,
) -> Tree {
    let body = input.body;
    let mut writing = Writing {
        input,
        doubts,
        masks,
        folder: format!("assets/{}", input.file),
        bom: if body.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 },
        tree: Tree::default(),
        md: String::with_capacity(body.len() * 2),
        references: Vec::new(),
        unfrozen: Vec::new(),
    };
    let markup = scan(body);
    let mut places: Vec<(bool, Reference)> = markup.references.into_iter().map(|r| (false, r)).collect();
    places.extend(markup.live.into_iter().map(|r| (true, r)));
    places.sort_by_key(|(_, r)| r.place.byte_start);
    let mut written = 0;
    for (live, reference) in places {
        let (start, end) = (reference.place.byte_start, reference.place.byte_end);
        writing.md.push_str(&body[written..start]);
        written = start;
        let shown = if live { writing.live(&reference) } else { writing.evidence(&reference) };
        if shown {
            written = end;
        }
    }
    writing.md.push_str(&body[written..]);
    for picture in page(body).pictures.iter().filter(|p| p.destination.starts_with("live:")) {
        if crate::markdown::live_target(&picture.destination).is_none() {
            writing.warn(format!("{:?} does not refer to a live card: {}", picture.alt, picture.destination));
        }
    }
    writing.finish()
}

/// The state of an export of one entry.
struct Writing<'a> {
    input: &'a EntryInput<'a>,
    doubts: &'a BTreeMap<Id, Vec<Doubt>>,
    masks: &'a BTreeMap<String, String>,
    folder: String,
    bom: usize,
    tree: Tree,
    md: String,
    references: Vec<EntryReference>,
    unfrozen: Vec<EntryUnfrozen>,
}

impl Writing<'_> {
    fn warn(&mut self, what: String) {
        self.tree.warnings.push(format!("{}.md: {what}", self.input.file));
    }

    fn source(&self, reference: &Reference) -> String {
        self.input.body[reference.place.byte_start..reference.place.byte_end].to_owned()
    }

    /// Writes a reference to evidence; false if it is left unchanged.
    fn evidence(&mut self, reference: &Reference) -> bool {
        let Some(frozen) = self.input.evidence.get(&reference.id) else {
            self.tree.warnings.push(format!(
                "{}.md line {}: evidence {} is not in this journal; its reference was left unchanged",
                self.input.file, reference.place.line, reference.id
            ));
            return false;
        };
        self.show(reference, frozen, None);
        true
    }

    /// Writes a live card: the evidence that was frozen from it, else text; false if it is left unchanged.
    fn live(&mut self, reference: &Reference) -> bool {
        let Some(LiveInput { card, frozen, lost }) = self.input.live.get(&reference.id) else {
            self.tree.warnings.push(format!(
                "{}.md line {}: the live card {} is not in this journal; its reference was left unchanged",
                self.input.file, reference.place.line, reference.id
            ));
            return false;
        };
        if let Some(frozen) = frozen.and_then(|id| self.input.evidence.get(&id)) {
            self.show(reference, frozen, Some(card.id));
            return true;
        }
        let name = if reference.alt.is_empty() { &card.title } else { &reference.alt };
        let text = block::unfrozen(name, card.id);
        let why = match lost {
            true => "no longer has frozen evidence (in the bin, purged, or from an earlier query); freeze it again",
            false => "was never frozen",
        };
        self.tree.warnings.push(format!(
            "{}.md line {}: the live card {name:?} {why}; the export shows it as text only",
            self.input.file, reference.place.line
        ));
        let source = self.source(reference);
        self.unfrozen.push(EntryUnfrozen { card: card.id, source, at: self.md.len(), length: text.len() });
        self.md.push_str(&text);
        true
    }

    /// Writes evidence in a reference's place, with its picture.
    fn show(&mut self, reference: &Reference, frozen: &Frozen, live: Option<Id>) {
        let (body, start) = (self.input.body, reference.place.byte_start);
        let shown = Shown::of(reference, frozen);
        let as_block = reference.alone && self.md.len() < MOST_BLOCK_BYTES;
        if reference.alone && !as_block && self.references.last().is_none_or(|r| r.at < MOST_BLOCK_BYTES) {
            self.warn("it is so long that the tables of further evidence were left out".to_owned());
        }
        let text = match as_block {
            true => {
                let prefix = continuation(line_before(body, start, self.bom));
                let doubts = self.doubts.get(&frozen.evidence.id).map_or(&[][..], Vec::as_slice);
                let lines = shown.block(frozen, &card::table(frozen), &self.folder, live, doubts, true);
                lay(&lines, &prefix, eol_at(body, start))
            }
            false => shown.picture(frozen, &self.folder, live),
        };
        self.references.push(EntryReference {
            evidence: frozen.evidence.id,
            source: self.source(reference),
            at: self.md.len(),
            length: text.len(),
            block: as_block && live.is_none(),
            live: live.map(|card| EntryLive { card, block: as_block }),
        });
        self.md.push_str(&text);

        let folder = self.folder.clone();
        let path = |name: &str| format!("journal/{folder}/{name}");
        let picture = path(&file_name(frozen.evidence.id, shown.size));
        if !self.tree.files.contains_key(&picture) {
            let card = card::svg(frozen, shown.size);
            self.tree.files.insert(picture, card.svg.into_bytes());
            if let Some(sidecar) = card.sidecar {
                self.tree.files.insert(path(&sidecar.name), sidecar.bytes);
            }
        }
        let narrow = path(&file_name(frozen.evidence.id, Form::new(shown.size, Width::NARROW)));
        if as_block && !self.tree.files.contains_key(&narrow) {
            self.tree.files.insert(narrow, card::narrow(frozen, shown.size).into_bytes());
        }
    }

    fn finish(self) -> Tree {
        let Self { input, doubts, masks, folder, mut tree, md, references, unfrozen, .. } = self;
        let evidence: BTreeSet<Id> = references.iter().map(|r| r.evidence).collect();
        let doubts = evidence.into_iter().filter_map(|evidence| {
            let doubts = doubts.get(&evidence).filter(|doubts| !doubts.is_empty())?.clone();
            Some(EntryDoubts { evidence, doubts })
        });
        let shown: BTreeSet<Id> = references
            .iter()
            .filter_map(|r| r.live.as_ref().map(|live| live.card))
            .chain(unfrozen.iter().map(|u| u.card))
            .collect();
        let live = shown.iter().filter_map(|id| input.live.get(id)).map(|LiveInput { card, frozen, .. }| EntryCard {
            id: card.id,
            title: card.title.clone(),
            question: card.question.clone(),
            pace_seconds: card.pace_seconds,
            frozen: frozen.filter(|id| input.evidence.contains_key(id)),
        });
        let live = live.map(|card| SaidCard::Card(Box::new(card)));
        if !references.is_empty() || !unfrozen.is_empty() || !masks.is_empty() {
            let about = EntryFile {
                tracebook: ENTRY_FILE,
                id: input.row.id,
                slug: input.row.slug.clone(),
                week: input.row.week.clone(),
                title: input.row.title.clone(),
                folder: folder.clone(),
                digest: digest(md.as_bytes()),
                says: Some(says(&md)),
                references,
                unfrozen,
                live: live.collect(),
                doubts: doubts.collect(),
                masks: masks.clone(),
            };
            // Strings and numbers can always be serialized.
            let json = serde_json::to_string_pretty(&about).unwrap_or_default() + "\n";
            tree.files.insert(format!("journal/{folder}/entry.json"), json.into_bytes());
        }
        tree.files.insert(format!("journal/{}.md", input.file), md.into_bytes());
        tree
    }
}

//! Exports an entry to files for a code host: Markdown, pictures with data, and metadata for imports.

use std::collections::{BTreeMap, BTreeSet};

use tracebook_core::canonical::digest;
use tracebook_core::doubts::Doubt;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;

use crate::block::{self, Shown, lay};
use crate::card::{self, Form, Width, file_name};
use crate::entry_file::{
    ENTRY_FILE, EntryCard, EntryDoubts, EntryFile, EntryLive, EntryReference, EntryUnfrozen, SaidCard, Span, line_ends,
};
pub use crate::entry_file::{EntryInput, LiveInput};
use crate::import;
use crate::manifest::Line;
use crate::markdown::{Reference, continuation, eol_at, line_before, page, scan};
use crate::written::says;

/// Exported files, by their path relative to the export's folder, separated by `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// `journal/week2.md` and its assets.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What the export cannot show, one sentence each.
    pub warnings: Vec<String>,
    /// The entry's line in the manifest.
    pub line: Option<Line>,
}

/// From this many bytes on, evidence is exported without its table: a short text may show a large table any number of
/// times, and imports read at most 64 MiB.
const MOST_BLOCK_BYTES: usize = 32 * 1024 * 1024;

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
    write(input, doubts, masks, false)
}

/// As [`entry_masked`], with `entry.json` for every text, so that another journal knows which entry it is.
pub fn entry_shared(
    input: &EntryInput<'_>,
    doubts: &BTreeMap<Id, Vec<Doubt>>,
    masks: &BTreeMap<String, String>,
) -> Tree {
    write(input, doubts, masks, true)
}

fn write(
    input: &EntryInput<'_>,
    doubts: &BTreeMap<Id, Vec<Doubt>>,
    masks: &BTreeMap<String, String>,
    shared: bool,
) -> Tree {
    let body = input.body;
    let mut writing = Writing {
        input,
        doubts,
        masks,
        shared,
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
    /// Whether `entry.json` is written in any case.
    shared: bool,
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
        self.unfrozen.push(EntryUnfrozen { card: card.id, source, span: Span::of(self.md.len(), text.len()) });
        self.md.push_str(&text);
        true
    }

    /// Writes evidence in a reference's place, with its picture.
    fn show(&mut self, reference: &Reference, frozen: &Frozen, live: Option<Id>) {
        let (body, start) = (self.input.body, reference.place.byte_start);
        let shown = Shown::of(reference, frozen);
        let as_block = reference.alone && self.md.len() < MOST_BLOCK_BYTES;
        if reference.alone && !as_block && self.references.last().is_none_or(|r| r.span.at < Some(MOST_BLOCK_BYTES)) {
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
            span: Span::of(self.md.len(), text.len()),
            block: as_block && live.is_none(),
            live: live.map(|card| EntryLive { card, block: as_block }),
            after: self.unfrozen.len(),
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
        let Self { input, doubts, masks, shared, folder, mut tree, md, references, unfrozen, .. } = self;
        let evidence: BTreeSet<Id> = references.iter().map(|r| r.evidence).collect();
        let mut left = evidence.clone();
        let listed: Vec<Id> = references.iter().map(|r| r.evidence).filter(|id| left.remove(id)).collect();
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
        if shared || !references.is_empty() || !unfrozen.is_empty() || !masks.is_empty() {
            let mut about = EntryFile {
                tracebook: ENTRY_FILE,
                id: input.row.id,
                slug: input.row.slug.clone(),
                week: input.row.week.clone(),
                title: input.row.title.clone(),
                folder: folder.clone(),
                eol: line_ends(input.body).map(str::to_owned),
                digest: None,
                says: None,
                references,
                unfrozen,
                live: live.collect(),
                doubts: doubts.collect(),
                masks: masks.clone(),
            };
            // Offsets change with every edited word, so they are written only where nothing else leads back.
            if import::leads_back(input, &md, &about) {
                about.references.iter_mut().for_each(|r| r.span = Span::default());
                about.unfrozen.iter_mut().for_each(|u| u.span = Span::default());
            } else {
                about.digest = Some(digest(md.as_bytes()));
            }
            tree.files.insert(format!("journal/{folder}/entry.json"), about.to_text().into_bytes());
        }
        let digest_of = |id: &Id| input.evidence.get(id).map(|frozen| frozen.digest.clone());
        tree.line = Some(Line {
            entry: input.row.id,
            file: format!("{}.md", input.file),
            text: says(&md),
            digests: listed.iter().filter_map(digest_of).collect(),
            evidence: listed,
        });
        tree.files.insert(format!("journal/{}.md", input.file), md.into_bytes());
        tree
    }
}

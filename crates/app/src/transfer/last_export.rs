//! What the last export to a folder was made from, so that an unchanged entry is neither masked nor drawn again.
//!
//! The files are compared with what was written, so that a file that somebody changed or removed is noticed as before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tracebook_core::entry::Entry;
use tracebook_core::ids::Id;
use tracebook_render::manifest::Line;
use tracebook_render::{card, markdown};
use tracebook_store::evidence::EvidenceState;
use tracebook_store::files::LastExport;

use super::Transfer;
use super::masks::Masking;
use crate::TOOL;
use crate::ground::error::Error;
use crate::ground::files::{MAX_FILE_BYTES, sha256};
use crate::ground::folder::Folder;
use crate::ground::tasks::blocking;

/// Numbers of an entry that may be accounts. An entry with more of them is exported again each time.
const MOST_NUMBERS: usize = 2_000;

/// What the export of one entry wrote, without its pictures.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// The SHA-256 of each file, by path.
    pub(super) files: BTreeMap<String, String>,
    /// The entry's line in the manifest.
    pub(super) line: Option<Line>,
    pub(super) warnings: Vec<String>,
    /// How many values were masked.
    pub(super) masked: u32,
    /// The accounts in its own texts.
    pub(super) accounts: BTreeSet<String>,
    /// Everything in it that may be an account, should one become known.
    pub(super) numbers: BTreeSet<String>,
    /// Those that were.
    pub(super) masked_with: BTreeSet<String>,
    /// Whether it was masked and drawn now.
    #[serde(skip)]
    pub(super) made: bool,
    #[serde(skip)]
    pub(super) unchanged: u32,
    #[serde(skip)]
    pub(super) written: Vec<String>,
    #[serde(skip)]
    pub(super) refused: Vec<String>,
}

impl Outcome {
    /// Whether the accounts that are known now change nothing in it.
    pub(super) fn is_masked_with(&self, masking: Option<&Masking>) -> bool {
        let known = masking.map(Masking::known_accounts).unwrap_or_default();
        self.numbers.intersection(&known).eq(self.masked_with.iter())
    }

    /// With the files that an earlier pass of the same export wrote.
    pub(super) fn after(mut self, earlier: Option<Self>) -> Self {
        for path in earlier.into_iter().flat_map(|earlier| earlier.written) {
            if self.files.contains_key(&path) && !self.written.contains(&path) {
                self.unchanged = self.unchanged.saturating_sub(1);
                self.written.push(path);
            }
        }
        self
    }

    /// Whether the next export can do without masking and drawing, and does not know it yet.
    pub(super) fn is_to_remember(&self) -> bool {
        self.made && self.refused.is_empty() && self.numbers.len() <= MOST_NUMBERS
    }

    /// What is stored of it.
    ///
    /// # Errors
    /// Only if it has no JSON form.
    pub(super) fn remembered(&self, inputs: &str) -> Result<LastExport, Error> {
        let outcome = serde_json::to_string(self).map_err(Error::internal)?;
        Ok(LastExport { inputs: inputs.to_owned(), outcome })
    }
}

/// What is known about the entries of an export.
#[derive(Debug, Default)]
pub(super) struct LastExports {
    /// A digest of what each entry is exported from.
    inputs: HashMap<Id, String>,
    /// What was written when it was the same.
    outcomes: HashMap<Id, Outcome>,
}

impl LastExports {
    /// Whether an entry is what it was, so that nothing is to be looked for in its texts.
    pub(super) fn has(&self, entry: Id) -> bool {
        self.outcomes.contains_key(&entry)
    }

    /// The digest of what an entry is exported from.
    pub(super) fn inputs(&self, entry: Id) -> Option<&str> {
        self.inputs.get(&entry).map(String::as_str)
    }

    /// Tells the masking which accounts the entries have.
    pub(super) fn learn(&self, entries: &[Entry], masking: &mut Masking) {
        for entry in entries {
            match self.outcomes.get(&entry.row.id) {
                Some(outcome) => masking.remember(entry.row.id, outcome.accounts.clone()),
                None => masking.learn(entry),
            }
        }
    }

    /// What was written for an entry, if that would be written again and is still there.
    ///
    /// # Errors
    /// Only if the process ends.
    pub(super) async fn unchanged(
        &self,
        entry: Id,
        masking: Option<&Masking>,
        root: &Arc<Folder>,
    ) -> Result<Option<Outcome>, Error> {
        let Some(outcome) = self.outcomes.get(&entry).filter(|outcome| outcome.is_masked_with(masking)) else {
            return Ok(None);
        };
        let (outcome, root) = (outcome.clone(), Arc::clone(root));
        blocking(move || {
            let unchanged = u32::try_from(outcome.files.len()).unwrap_or(u32::MAX);
            are_there(&outcome.files, &root).then_some(Outcome { unchanged, ..outcome })
        })
        .await
    }
}

/// Whether files have these SHA-256.
fn are_there(files: &BTreeMap<String, String>, root: &Folder) -> bool {
    let mut folders: HashMap<&Path, Folder> = HashMap::new();
    files.iter().all(|(path, digest)| {
        let path = Path::new(path);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return false };
        if !folders.contains_key(parent) {
            let Ok(folder) = root.folder(parent) else { return false };
            folders.insert(parent, folder);
        }
        let bytes = folders.get(parent).and_then(|folder| folder.read(Path::new(name), MAX_FILE_BYTES).ok());
        bytes.is_some_and(|bytes| sha256(&bytes) == *digest)
    })
}

/// The program that exports: another build may write other files from the same data.
fn program() -> String {
    let file = std::env::current_exe().and_then(|path| path.metadata());
    let changed = file.as_ref().ok().and_then(|file| file.modified().ok());
    let changed = changed.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    format!("{TOOL} {} {:?} {:?}", card::RENDERER, file.map(|file| file.len()).ok(), changed)
}

impl Transfer {
    /// What the last export of these entries to a folder was made from and wrote.
    pub(super) async fn last_exports(
        &self,
        root: &str,
        entries: &[Entry],
        stems: &BTreeMap<Id, String>,
        states: &HashMap<Id, EvidenceState>,
        masking: Option<&Masking>,
    ) -> Result<LastExports, Error> {
        let stored = self.journal.store.last_exports(root).await?;
        let (program, masks) = (program(), masking.map(|masking| masking.configuration.as_str()));
        let mut last = LastExports::default();
        for entry in entries {
            let id = entry.row.id;
            let markup = markdown::scan(&entry.body);
            let live = self.live_cards.cards_of(&markup.live).await?;
            let shown = markup.references.iter().map(|reference| reference.id);
            let shown = shown.chain(live.iter().filter_map(|live| live.frozen));
            let evidence: Vec<_> = shown
                .map(|id| {
                    let state = states.get(&id);
                    (id, state.map(|state| (state.digest.as_str(), state.purged, state.doubts.as_slice())))
                })
                .collect();
            let live: Vec<_> = live.iter().map(|live| (&live.card, live.frozen, live.lost)).collect();
            let row = (id, &entry.row.slug, &entry.row.week, &entry.row.title);
            let inputs = (&program, masks, row, stems.get(&id), sha256(entry.body.as_bytes()), evidence, live);
            let inputs = sha256(&serde_json::to_vec(&inputs).map_err(Error::internal)?);
            let same = stored.get(&id).filter(|stored| stored.inputs == inputs);
            // A form of another version is as good as none.
            if let Some(outcome) = same.and_then(|same| serde_json::from_str::<Outcome>(&same.outcome).ok()) {
                last.outcomes.insert(id, outcome);
            }
            last.inputs.insert(id, inputs);
        }
        Ok(last)
    }
}

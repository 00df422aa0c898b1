//! Between the journal and files: check, export, import, verify.

mod archive;
mod check;
#[cfg(test)]
mod check_tests;
#[cfg(test)]
mod doubts_tests;
mod export;
mod import;
mod last_export;
#[cfg(test)]
mod last_export_tests;
mod leaks;
mod mask_commands;
mod masks;
#[cfg(test)]
mod masks_tests;
mod packed;
#[cfg(test)]
mod packed_tests;
mod pictures;
#[cfg(test)]
mod pictures_tests;
pub(crate) mod shared;
#[cfg(test)]
mod tests;
mod tree;
pub mod verify;
#[cfg(test)]
mod verify_tests;

use std::path::{Path, PathBuf};

use crate::evidence::EvidenceStore;
use crate::ground::runtime::Runtime;
use crate::homework::Homework;
use crate::journal::Journal;
use crate::live_cards::LiveCards;
use crate::signing::Signing;

/// Exports to files and imports from them. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    /// Of `tracebook.toml`.
    data_dir: PathBuf,
    journal: Journal,
    evidence: EvidenceStore,
    live_cards: LiveCards,
    homework: Homework,
    signing: Signing,
    runtime: Runtime,
}

impl Transfer {
    pub(crate) fn new(
        data_dir: &Path,
        journal: &Journal,
        evidence: &EvidenceStore,
        (live_cards, homework, signing): (&LiveCards, &Homework, &Signing),
        runtime: &Runtime,
    ) -> Self {
        let (data_dir, journal, evidence) = (data_dir.to_owned(), journal.clone(), evidence.clone());
        let (live_cards, homework, signing) = (live_cards.clone(), homework.clone(), signing.clone());
        Self { data_dir, journal, evidence, live_cards, homework, signing, runtime: runtime.clone() }
    }
}

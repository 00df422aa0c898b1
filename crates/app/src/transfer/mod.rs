//! Between the journal and files: check, export, import, verify.

mod check;
#[cfg(test)]
mod check_tests;
#[cfg(test)]
mod doubts_tests;
mod export;
mod import;
mod leaks;
mod pictures;
#[cfg(test)]
mod pictures_tests;
#[cfg(test)]
mod tests;
mod tree;
pub mod verify;
#[cfg(test)]
mod verify_tests;

use crate::evidence::EvidenceStore;
use crate::ground::runtime::Runtime;
use crate::homework::Homework;
use crate::journal::Journal;
use crate::live_cards::LiveCards;

/// Exports to files and imports from them. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    journal: Journal,
    evidence: EvidenceStore,
    live_cards: LiveCards,
    homework: Homework,
    runtime: Runtime,
}

impl Transfer {
    pub(crate) fn new(
        journal: &Journal,
        evidence: &EvidenceStore,
        live_cards: &LiveCards,
        homework: &Homework,
        runtime: &Runtime,
    ) -> Self {
        let (journal, evidence) = (journal.clone(), evidence.clone());
        Self { journal, evidence, live_cards: live_cards.clone(), homework: homework.clone(), runtime: runtime.clone() }
    }
}

//! The files that an entry is exported as, and their names.

use std::collections::BTreeMap;

use tracebook_core::doubts::Doubt;
use tracebook_core::entry::Entry;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_render::export::{self, EntryInput, Tree};
use tracebook_render::markdown;

use super::Transfer;
use crate::ground::error::Error;
use crate::ground::tasks::blocking;

impl Transfer {
    /// The files of one entry.
    pub(crate) async fn tree(&self, entry: &Entry, stem: &str) -> Result<Tree, Error> {
        let markup = markdown::scan(&entry.body);
        let cards = self.live_cards.cards_of(&markup.live).await?;
        let shown = markup.references.iter().map(|r| r.id).chain(cards.iter().filter_map(|live| live.frozen));
        let mut evidence: BTreeMap<Id, Frozen> = BTreeMap::new();
        let mut doubts: BTreeMap<Id, Vec<Doubt>> = BTreeMap::new();
        for id in shown {
            if let Some(frozen) = self.journal.store.evidence(id).await? {
                evidence.insert(id, frozen);
                let record = self.journal.store.evidence_record(id).await?;
                doubts.insert(id, record.map(|record| record.doubts).unwrap_or_default());
            }
        }
        let live = cards.into_iter().map(|live| (live.card.id, live)).collect();
        let (entry, stem) = (entry.clone(), stem.to_owned());
        blocking(move || {
            let (row, body) = (&entry.row, &entry.body);
            let input = EntryInput { row, body, file: &stem, evidence: &evidence, live: &live };
            export::entry_with_doubts(&input, &doubts)
        })
        .await
    }
}

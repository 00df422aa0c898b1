//! The files that an entry is exported as, and their names.

use std::collections::{BTreeMap, BTreeSet};

use tracebook_core::doubts::Doubt;
use tracebook_core::entry::Entry;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_core::masking::Hit;
use tracebook_render::export::{self, EntryInput, Tree};
use tracebook_render::markdown;

use super::Transfer;
use super::masks::{MaskedEntry, Masking};
use crate::ground::error::Error;
use crate::ground::tasks::blocking;

/// An entry as it is exported.
pub(crate) struct Exportable {
    pub(crate) tree: Tree,
    /// Its title and text, masked if that was asked for.
    pub(super) masked_title: String,
    pub(super) masked_body: String,
    /// What was masked.
    pub(super) hits: Vec<Hit>,
    /// What would be masked as an account, were it known as one.
    pub(super) numbers: BTreeSet<String>,
}

impl Transfer {
    /// The files of one entry, with everything as it stands.
    pub(crate) async fn tree(&self, entry: &Entry, stem: &str) -> Result<Tree, Error> {
        Ok(self.tree_of(entry, stem, &mut None).await?.tree)
    }

    /// The files of one entry, masked if there is a masking; an error leaves none.
    pub(super) async fn tree_of(
        &self,
        entry: &Entry,
        stem: &str,
        masking: &mut Option<Masking>,
    ) -> Result<Exportable, Error> {
        self.tree_as(entry, stem, masking, false).await
    }

    /// As [`Transfer::tree_of`]; with `shared`, every text has its `entry.json`.
    pub(super) async fn tree_as(
        &self,
        entry: &Entry,
        stem: &str,
        masking: &mut Option<Masking>,
        shared: bool,
    ) -> Result<Exportable, Error> {
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
        let mut with = masking.take();
        let (out, with) = blocking(move || {
            let masked = match &mut with {
                Some(masking) => masking.entry(&entry, evidence, live)?,
                None => MaskedEntry {
                    row: entry.row,
                    body: entry.body,
                    evidence,
                    live,
                    masks: BTreeMap::new(),
                    hits: Vec::new(),
                    numbers: BTreeSet::new(),
                },
            };
            let MaskedEntry { row, body, evidence, live, masks, hits, numbers } = masked;
            let input = EntryInput { row: &row, body: &body, file: &stem, evidence: &evidence, live: &live };
            let tree = match shared {
                true => export::entry_shared(&input, &doubts, &masks),
                false => export::entry_masked(&input, &doubts, &masks),
            };
            Ok::<_, Error>((Exportable { tree, masked_title: row.title, masked_body: body, hits, numbers }, with))
        })
        .await??;
        *masking = with;
        Ok(out)
    }
}

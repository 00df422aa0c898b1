//! The files that an entry is exported as, and their names.

use std::collections::{BTreeMap, HashSet};

use tracebook_core::doubts::Doubt;
use tracebook_core::entry::Entry;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_render::export::{self, EntryInput, Tree};
use tracebook_render::markdown;

use super::Transfer;
use crate::ground::error::Error;
use crate::ground::files::{MAX_STEM_BYTES, shortened};
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

    /// The file name (without `.md`) of every entry: its own where it was imported, else from the week or slug;
    /// unique also on file systems that ignore case.
    pub(crate) async fn stems(&self) -> Result<BTreeMap<Id, String>, Error> {
        let mut oldest_first = self.journal.store.entries(false).await?;
        oldest_first.sort_by_key(|row| row.id);
        let mut files = self.journal.store.entry_files().await?;
        let mut taken: HashSet<String> = HashSet::new();
        let mut stems = BTreeMap::new();
        for row in oldest_first {
            let file = files.remove(&row.id);
            // Import skips a repository's README; an entry that was imported from one by name keeps it.
            let may_be_readme = file.is_some();
            let wanted = file.unwrap_or_else(|| {
                row.slug.strip_prefix("week-").map_or(row.slug.clone(), |rest| format!("week{rest}"))
            });
            let mut stem = wanted.clone();
            let mut n = 1;
            while (!may_be_readme && stem.eq_ignore_ascii_case("readme")) || !taken.insert(stem.to_lowercase()) {
                n += 1;
                stem = format!("{}-{n}", shortened(&wanted, MAX_STEM_BYTES));
            }
            stems.insert(row.id, stem);
        }
        Ok(stems)
    }
}

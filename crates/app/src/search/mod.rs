//! Search over entries and inside evidence.

#[cfg(test)]
mod tests;

use tracebook_core::ids::Id;
use tracebook_core::search::{evidence_text, snippet};
use tracebook_store::search::{Text, Unindexed, What, Words};

use crate::evidence::EvidenceStore;
use crate::ground::error::Error;
use crate::ground::runtime::Runtime;
use crate::ground::schema::{Found, FoundType, Search};
use crate::ground::tasks::blocking;
use crate::journal::Journal;

/// How much is added to the index at once: readers and writers wait for one transaction.
const BATCH: u32 = 200;
/// How often the index follows the texts while the app runs.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(2);
/// Results if the request does not say how many.
const DEFAULT_LIMIT: u32 = 30;
const MAX_LIMIT: u32 = 200;

/// Finds entries and evidence. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Searcher {
    store: tracebook_store::Journal,
    evidence: EvidenceStore,
    runtime: Runtime,
}

impl Searcher {
    pub(crate) fn new(journal: &Journal, evidence: &EvidenceStore, runtime: &Runtime) -> Self {
        let store = journal.store.clone();
        Self { store, evidence: evidence.clone(), runtime: runtime.clone() }
    }

    /// Keeps the index up to date from now on.
    pub(crate) fn start(&self) {
        let this = self.clone();
        self.runtime.spawn_cancellable(async move {
            loop {
                tokio::time::sleep(PAUSE).await;
                // The next round tries again, and a search reports what is wrong.
                if let Err(error) = this.catch_up().await {
                    tracing::debug!(%error, "the search index was not updated");
                }
            }
        });
    }

    /// Adds to the index what it lacks.
    pub(crate) async fn catch_up(&self) -> Result<(), Error> {
        let Some(behind) = self.store.behind().await? else { return Ok(()) };
        let mut after = None;
        loop {
            let missing = self.store.unindexed(&behind, after, BATCH).await?;
            if missing.is_empty() {
                return Ok(self.store.caught_up(behind.last).await?);
            }
            after = missing.iter().rfind(|of| of.what == What::Evidence).map_or(after, |of| Some(of.id));
            let mut texts = Vec::with_capacity(missing.len());
            for of in missing {
                texts.extend(self.text(of).await?);
            }
            self.store.index(&texts).await?;
        }
    }

    async fn text(&self, of: Unindexed) -> Result<Option<Text>, Error> {
        let id = of.id.to_string();
        Ok(match of.what {
            What::Entry => {
                let entry = self.store.entry(&id).await?;
                entry.map(|entry| Text { of, title: entry.row.title, body: entry.body })
            }
            What::Evidence => match self.store.evidence(of.id).await {
                Ok(found) => {
                    let Some(frozen) = found else { return Ok(None) };
                    let title = frozen.evidence.title();
                    Some(Text { of, title, body: blocking(move || evidence_text(&frozen.canonical)).await? })
                }
                // Damaged evidence must not keep the rest out of the index.
                Err(error) => {
                    tracing::warn!(%error, %id, "evidence is not indexed");
                    Some(Text { of, title: String::new(), body: String::new() })
                }
            },
        })
    }

    pub(crate) async fn search(&self, request: Search) -> Result<Vec<Found>, Error> {
        let Some(words) = Words::of(&request.words) else {
            return Err(Error::usage("there is no word to search for", "Give at least one letter or digit"));
        };
        // On a full disk, what is in the index is found all the same.
        if let Err(error) = self.catch_up().await {
            tracing::warn!(%error, "the search index was not updated");
        }
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
        let mut found = Vec::new();
        for id in self.store.find(What::Entry, &words, limit).await? {
            found.extend(self.entry(id, &words).await?);
        }
        // More, since some may be in the bin.
        for id in self.store.find(What::Evidence, &words, limit * 2).await? {
            if found.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
                break;
            }
            found.extend(self.found_evidence(id, &words).await?);
        }
        Ok(found)
    }

    async fn entry(&self, id: Id, words: &Words) -> Result<Option<Found>, Error> {
        if self.store.entry_in_bin(id).await? {
            return Ok(None);
        }
        let Some(entry) = self.store.entry(&id.to_string()).await? else { return Ok(None) };
        let shown = snippet(&entry.body, words.list());
        let at = shown.as_ref().map(|shown| {
            let units = |at: usize| entry.body[..at].encode_utf16().count();
            (units(shown.start), units(shown.end), entry.body[..shown.start].matches('\n').count() + 1)
        });
        Ok(Some(Found {
            kind: FoundType::Entry,
            id,
            title: entry.row.title,
            snippet: shown.map_or_else(String::new, |shown| shown.text),
            entries: vec![entry.row.slug],
            start: at.map(|(start, ..)| start),
            end: at.map(|(_, end, _)| end),
            line: at.map(|(.., line)| line),
        }))
    }

    async fn found_evidence(&self, id: Id, words: &Words) -> Result<Option<Found>, Error> {
        let Some(record) = self.store.evidence_record(id).await? else { return Ok(None) };
        if record.deleted || record.purged {
            return Ok(None);
        }
        let canonical = self.evidence.frozen(id).await?.canonical;
        let list = words.list().to_vec();
        let shown = blocking(move || snippet(&evidence_text(&canonical), &list)).await?;
        Ok(Some(Found {
            kind: FoundType::Evidence,
            id,
            title: record.title,
            snippet: shown.map_or_else(String::new, |shown| shown.text),
            entries: record.entries,
            start: None,
            end: None,
            line: None,
        }))
    }
}

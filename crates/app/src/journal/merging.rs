//! Merging a text with what another window or program wrote meanwhile.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tracebook_core::entry::Entry;
use tracebook_core::ids::Id;
use tracebook_core::merge;

use super::Journal;
use crate::ground::error::Error;
use crate::ground::schema::{Caller, EntryWrite, Written};
use crate::ground::tasks::blocking;

/// The most bytes of texts that are kept as bases.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// How often a text is merged again after another writer was faster.
const MAX_TRIES: usize = 5;

/// Texts that clients of this process were given or wrote, and so may have as the base of their next one. Autosaved
/// texts are not kept in the journal.
#[derive(Clone, Debug, Default)]
pub(super) struct Bases {
    texts: Arc<Mutex<VecDeque<Base>>>,
}

#[derive(Debug)]
struct Base {
    id: Id,
    revision: i64,
    text: Arc<str>,
}

impl Bases {
    pub(super) fn remember(&self, id: Id, revision: i64, text: &str) {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.retain(|base| (base.id, base.revision) != (id, revision));
        texts.push_back(Base { id, revision, text: text.into() });
        let mut bytes: usize = texts.iter().map(|base| base.text.len()).sum();
        while bytes > MAX_BYTES {
            let Some(oldest) = texts.pop_front() else { break };
            bytes -= oldest.text.len();
        }
    }

    fn text(&self, id: Id, revision: i64) -> Option<Arc<str>> {
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.iter().find(|base| (base.id, base.revision) == (id, revision)).map(|base| Arc::clone(&base.text))
    }
}

impl Journal {
    /// Writes a text that was made on an older revision merged with the present one. `None` if both changed the same
    /// lines, or the older text is not known any more.
    pub(super) async fn write_merged(
        &self,
        request: &EntryWrite,
        mut entry: Entry,
        caller: &Caller,
    ) -> Result<Option<Written>, Error> {
        let Some(base) = request.base.filter(|base| *base >= 0) else { return Ok(None) };
        let id = entry.row.id;
        let known = match self.bases.text(id, base) {
            Some(text) => Some(text),
            None => self.store.revision_text(id, base).await?.map(Arc::from),
        };
        let Some(base_text) = known else { return Ok(None) };
        for _ in 0..MAX_TRIES {
            let (older, mine, theirs) = (Arc::clone(&base_text), request.body.clone(), entry.body.clone());
            let merged = blocking(move || {
                let text = merge::three_way(&older, &mine, &theirs)?;
                let changes = merge::changes(&mine, &text);
                Some((text, changes))
            });
            let Some((text, changes)) = merged.await? else { return Ok(None) };
            self.store.keep_revision(id, "merge", self.runtime.now(), &caller.client).await?;
            let written = self.write_body(id, Some(entry.revision), text, request.cut.clone(), caller).await?;
            if written.accepted {
                return Ok(Some(Written { merged: changes, ..written }));
            }
            entry = self.find_entry(&id.to_string()).await?;
        }
        Ok(None)
    }
}

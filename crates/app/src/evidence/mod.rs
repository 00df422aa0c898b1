//! Evidence: listing, showing, comparing and deleting it.

mod raw;

use std::sync::{Arc, Mutex, PoisonError};

use tracebook_core::analysis::timing::TraceAnalysis;
use tracebook_core::console::spans;
use tracebook_core::diff::{self, Difference};
use tracebook_core::doubts::{self, Doubt};
use tracebook_core::evidence::{Body, Evidence, Frozen};
use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;
use tracebook_render::card;
pub use tracebook_render::card::{Form, Size, Width, themed};
use tracebook_render::markdown;
use tracebook_store::evidence::{EvidenceRecord, ImportedAt};

use crate::ground::error::Error;
use crate::ground::runtime::Runtime;
use crate::ground::schema::{
    Caller, EvidenceDelete, EvidenceGet, EvidenceList, EvidenceRestore, EvidenceRow, EvidenceView,
};
use crate::ground::tasks::blocking;
use crate::journal::Journal;

/// Frozen evidence. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct EvidenceStore {
    journal: Journal,
    store: tracebook_store::Journal,
    runtime: Runtime,
    /// The evidence that was captured last, whose card is drawn next.
    newest: Arc<Mutex<Option<Arc<Frozen>>>>,
}

/// The longest canonical JSON of evidence that stays in memory, in bytes.
const MOST_IN_MEMORY: usize = 16 * 1024 * 1024;

impl EvidenceStore {
    pub(crate) fn new(journal: &Journal, runtime: &Runtime) -> Self {
        Self {
            journal: journal.clone(),
            store: journal.store.clone(),
            runtime: runtime.clone(),
            newest: Arc::default(),
        }
    }

    pub(crate) async fn list(&self, request: EvidenceList) -> Result<Vec<EvidenceRow>, Error> {
        if request.deleted && request.entry.is_none() {
            return Ok(self.store.binned_evidence().await?.into_iter().map(evidence_row).collect());
        }
        let entry = match request.entry {
            Some(reference) => Some(self.journal.find_entry(&reference).await?.row.id),
            None => None,
        };
        Ok(self.store.evidence_records(entry).await?.into_iter().map(evidence_row).collect())
    }

    pub(crate) async fn get(&self, request: EvidenceGet) -> Result<EvidenceView, Error> {
        let row = self.row(request.id).await?;
        let frozen = self.frozen(request.id).await?;
        let reference = markdown::reference(&frozen, None);
        let Evidence { body, provenance, .. } = frozen.evidence;
        let console = body.console_lines().map(|line| spans(&line.text)).collect();
        Ok(EvidenceView { row, reference, provenance, data: body, console })
    }

    pub(crate) async fn restore(&self, request: EvidenceRestore, caller: &Caller) -> Result<EvidenceRow, Error> {
        let row = self.row(request.id).await?;
        self.store.bin_evidence(request.id, None, &caller.client).await?;
        Ok(row)
    }

    pub(crate) async fn delete(&self, request: EvidenceDelete, caller: &Caller) -> Result<EvidenceRow, Error> {
        let row = self.row(request.id).await?;
        match request.purge {
            true => {
                *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = None;
                self.store.purge_evidence(request.id, self.runtime.now(), &caller.client).await?;
            }
            false => self.store.bin_evidence(request.id, Some(self.runtime.now()), &caller.client).await?,
        }
        Ok(row)
    }

    pub(crate) async fn row(&self, id: Id) -> Result<EvidenceRow, Error> {
        self.store.evidence_record(id).await?.map(evidence_row).ok_or_else(|| no_evidence(id))
    }

    /// Writes evidence and reads it back: only what reads back counts as frozen.
    pub(crate) async fn keep(&self, frozen: Arc<Frozen>, raw: &[u8], caller: &Caller) -> Result<(), Error> {
        self.store.add_evidence(&frozen, raw, &caller.client).await?;
        self.check_stored(&frozen).await?;
        let newest = Some(frozen).filter(|frozen| frozen.canonical.len() <= MOST_IN_MEMORY);
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = newest;
        Ok(())
    }

    /// The same for evidence from a file, with the doubts about it.
    pub(crate) async fn keep_imported(&self, frozen: &Frozen, doubts: &[Doubt], caller: &Caller) -> Result<(), Error> {
        let imported = ImportedAt { time: self.runtime.now(), doubts };
        self.store.import_evidence(frozen, imported, &caller.client).await?;
        self.check_stored(frozen).await
    }

    async fn check_stored(&self, frozen: &Frozen) -> Result<(), Error> {
        let id = frozen.evidence.id;
        match self.store.stored_digest(id).await? {
            Some(stored) if stored == frozen.digest => Ok(()),
            Some(_) => Err(Error::internal(format!("evidence {id} exists already, with another digest"))),
            None => Err(Error::internal(format!("evidence {id} was written and does not read back"))),
        }
    }

    /// Evidence as it was frozen.
    ///
    /// # Errors
    /// If there is none, or it was purged.
    pub(crate) async fn frozen(&self, id: Id) -> Result<Frozen, Error> {
        if let Some(frozen) = self.store.evidence(id).await? {
            return Ok(frozen);
        }
        match self.store.evidence_record(id).await? {
            Some(record) if record.purged => Err(Error::not_found(
                format!("evidence {id} was purged: its data is gone for good"),
                "Capture it again",
            )),
            _ => Err(no_evidence(id)),
        }
    }

    /// The raw data of a piece of evidence, as a JSON document.
    ///
    /// # Errors
    /// If there is none: the evidence has no raw data, or it was imported.
    pub(crate) async fn raw(&self, id: Id) -> Result<serde_json::Value, Error> {
        let frozen = self.frozen(id).await?;
        let raw = self.store.evidence_raw(id).await?;
        if raw.is_empty() {
            let why = frozen.evidence.body.content().why_no_raw();
            return Err(Error::not_found(format!("evidence {id} has no raw data"), why));
        }
        let mut document = serde_json::from_slice(&raw).map_err(Error::internal)?;
        raw::explain(&mut document);
        Ok(document)
    }

    /// The card of a piece of evidence, as in an export.
    ///
    /// # Errors
    /// If there is no such evidence.
    pub(crate) async fn card(&self, id: Id, form: Form) -> Result<String, Error> {
        let frozen = match self.newest(id).await? {
            Some(frozen) => frozen,
            None => Arc::new(self.frozen(id).await?),
        };
        blocking(move || card::svg(&frozen, form).svg).await
    }

    /// Evidence that is in memory, if it is still stored as it was captured.
    async fn newest(&self, id: Id) -> Result<Option<Arc<Frozen>>, Error> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(frozen) = newest.filter(|frozen| frozen.evidence.id == id) else { return Ok(None) };
        let record = self.store.evidence_record(id).await?;
        Ok(record.is_some_and(|record| !record.purged && record.digest == frozen.digest).then_some(frozen))
    }

    /// The differences between two pieces of evidence.
    ///
    /// # Errors
    /// If one of them does not exist.
    pub(crate) async fn diff(&self, left: Id, right: Id) -> Result<Difference, Error> {
        let (left, right) = (self.frozen(left).await?, self.frozen(right).await?);
        Ok(diff::bodies(&left.evidence.body, &right.evidence.body))
    }
}

/// Evidence as text for a terminal.
pub fn as_text(frozen: &Frozen, row: &EvidenceRow) -> String {
    let Evidence { provenance, body, .. } = &frozen.evidence;
    let mut text = format!(
        "{}\n{}\ncaptured {} from {} by {}\n\n",
        frozen.evidence.title(),
        frozen.digest,
        provenance.captured_at.human(),
        card::origin(provenance),
        provenance.tool
    );
    if let Some(at) = &row.imported_at {
        let at = Nanos::parse_rfc3339(at).map_or_else(|| at.clone(), Nanos::human);
        // Above the empty line.
        text.insert_str(text.trim_end().len(), &format!("\nimported {at}"));
    }
    if !row.doubts.is_empty() {
        text.insert_str(text.trim_end().len(), &format!("\ndoubtful: {}", doubts::reasons(&row.doubts)));
    }
    let Body::Trace(trace) = body else {
        text.push_str(&card::table(frozen).text());
        text.push('\n');
        return text;
    };
    for line in TraceAnalysis::of(trace).headline {
        text.push_str(&line);
        text.push('\n');
    }
    for row in tracebook_core::assemble::rows(trace) {
        let span = &trace.spans[row.index];
        let length = span.duration().map_or("in progress".to_owned(), tracebook_core::time::human_duration);
        text.push_str(&format!("{}{}  {length}  {}\n", "  ".repeat(row.depth), span.title(), span.status.code.word()));
    }
    text
}

fn no_evidence(id: Id) -> Error {
    Error::not_found(format!("there is no evidence {id}"), "`evidence list` shows what there is")
}

fn evidence_row(record: EvidenceRecord) -> EvidenceRow {
    EvidenceRow {
        id: record.id,
        kind: record.kind,
        title: record.title,
        digest: record.digest,
        captured_at: record.captured_at.rfc3339(),
        entries: record.entries,
        imported_at: record.imported_at.map(Nanos::rfc3339),
        doubts: record.doubts,
    }
}

//! Looking at evidence, comparing it, and taking it away.

use tracebook_core::diff::{self, Difference};
use tracebook_core::evidence::{Body, Evidence, Frozen};
use tracebook_core::ids::Id;
use tracebook_render::card;
pub use tracebook_render::card::{Size, themed};
use tracebook_render::markdown;
use tracebook_store::evidence::EvidenceRecord;

use crate::Tracebook;
use crate::ground::error::Error;
use crate::ground::question::trace_id;
use crate::ground::tasks::blocking;
use crate::rpc::{Caller, EvidenceDelete, EvidenceGet, EvidenceList, EvidenceRestore, EvidenceRow, EvidenceView};

impl Tracebook {
    pub(crate) async fn evidence_list(
        &self,
        request: EvidenceList,
        _caller: &Caller,
    ) -> Result<Vec<EvidenceRow>, Error> {
        let entry = match request.entry {
            Some(reference) => Some(self.find_entry(&reference).await?.row.id),
            None => None,
        };
        Ok(self.journal.evidence_records(entry).await?.into_iter().map(row).collect())
    }

    pub(crate) async fn evidence_get(&self, request: EvidenceGet, _caller: &Caller) -> Result<EvidenceView, Error> {
        let row = self.evidence_row(request.id).await?;
        let frozen = self.frozen(request.id).await?;
        let reference = markdown::reference(&frozen, None);
        let Evidence { body, provenance, .. } = frozen.evidence;
        Ok(EvidenceView { row, reference, provenance, data: body })
    }

    pub(crate) async fn evidence_restore(
        &self,
        request: EvidenceRestore,
        caller: &Caller,
    ) -> Result<EvidenceRow, Error> {
        let row = self.evidence_row(request.id).await?;
        self.journal.bin_evidence(request.id, None, &caller.client).await?;
        Ok(row)
    }

    pub(crate) async fn evidence_delete(&self, request: EvidenceDelete, caller: &Caller) -> Result<EvidenceRow, Error> {
        let row = self.evidence_row(request.id).await?;
        match request.purge {
            true => self.journal.purge_evidence(request.id, self.now(), &caller.client).await?,
            false => self.journal.bin_evidence(request.id, Some(self.now()), &caller.client).await?,
        }
        Ok(row)
    }

    pub(crate) async fn evidence_row(&self, id: Id) -> Result<EvidenceRow, Error> {
        self.journal.evidence_record(id).await?.map(row).ok_or_else(|| no_evidence(id))
    }

    /// Evidence as it was frozen.
    ///
    /// # Errors
    /// Where there is none, or it was purged.
    pub async fn frozen(&self, id: Id) -> Result<Frozen, Error> {
        if let Some(frozen) = self.journal.evidence(id).await? {
            return Ok(frozen);
        }
        match self.journal.evidence_record(id).await? {
            Some(record) if record.purged => {
                Err(Error::not_found(format!("evidence {id} was purged: its data is gone for good"), "Capture it anew"))
            }
            _ => Err(no_evidence(id)),
        }
    }

    /// What was received for an evidence, as a JSON document.
    ///
    /// # Errors
    /// Where there is none: nothing was received beside what the evidence itself says, or it was imported.
    pub async fn evidence_raw(&self, id: Id) -> Result<serde_json::Value, Error> {
        let frozen = self.frozen(id).await?;
        let raw = self.journal.evidence_raw(id).await?;
        if raw.is_empty() {
            let why = why_no_raw(&frozen.evidence.body);
            return Err(Error::not_found(format!("evidence {id} has no raw data"), why));
        }
        serde_json::from_slice(&raw).map_err(Error::internal)
    }

    /// The card of an evidence, as an export would write it.
    ///
    /// # Errors
    /// Where there is no such evidence.
    pub async fn card(&self, id: Id, size: Size) -> Result<String, Error> {
        let frozen = self.frozen(id).await?;
        blocking(move || card::svg(&frozen, size).svg).await
    }

    /// What differs between two evidences.
    ///
    /// # Errors
    /// Where one of them is not there.
    pub async fn evidence_diff(&self, left: Id, right: Id) -> Result<Difference, Error> {
        let (left, right) = (self.frozen(left).await?, self.frozen(right).await?);
        Ok(diff::bodies(&left.evidence.body, &right.evidence.body))
    }

    /// The drawing of a local trace as it stands now.
    ///
    /// # Errors
    /// Where no span of it has arrived.
    pub async fn live_trace(&self, id: &str, size: Size) -> Result<String, Error> {
        let trace = self.read_trace(trace_id(id)?).await?.trace;
        blocking(move || card::preview(&Body::Trace(trace), size)).await
    }
}

/// Evidence as text for a terminal.
pub fn as_text(frozen: &Frozen) -> String {
    let Evidence { provenance, body, .. } = &frozen.evidence;
    let mut text = format!(
        "{}\n{}\ncaptured {} by {}\n\n",
        frozen.evidence.title(),
        frozen.digest,
        provenance.captured_at.human(),
        provenance.tool
    );
    let Body::Trace(trace) = body else {
        text.push_str(&card::table(frozen).markdown());
        text.push('\n');
        return text;
    };
    for row in tracebook_core::assemble::rows(trace) {
        let span = &trace.spans[row.index];
        let length = span.duration().map_or("in progress".to_owned(), tracebook_core::time::human_duration);
        text.push_str(&format!("{}{}  {length}  {}\n", "  ".repeat(row.depth), span.title(), span.status.code.word()));
    }
    text
}

/// Why nothing is kept beside an evidence.
fn why_no_raw(body: &Body) -> &'static str {
    match body {
        Body::Console(_) => {
            "Nothing else was received: its lines are the text as it was printed, and `evidence show` without --raw has them"
        }
        Body::ServiceMap(_) => {
            "It was computed from traces, and nothing was received for it; capture one of them to keep its bytes"
        }
        Body::Groups(_) | Body::SamplingRules(_) => {
            "Nothing else was received: they are settings, and `evidence show` without --raw has them whole"
        }
        Body::Query(_) => {
            "Nothing else was received: the answer is whole in it, and `evidence show` without --raw has it"
        }
        Body::Trace(_) | Body::Logs(_) | Body::Error(_) | Body::Dossier(_) => {
            "It came with an import; an export holds the data and its digest, not the bytes as received"
        }
    }
}

fn no_evidence(id: Id) -> Error {
    Error::not_found(format!("there is no evidence {id}"), "`evidence list` shows what there is")
}

pub(crate) fn row(record: EvidenceRecord) -> EvidenceRow {
    EvidenceRow {
        id: record.id,
        kind: record.kind,
        title: record.title,
        digest: record.digest,
        captured_at: record.captured_at.rfc3339(),
        entries: record.entries,
    }
}

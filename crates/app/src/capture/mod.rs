//! Captures: reads what is asked for, freezes it and puts a reference into the entry.

mod cloud;
mod dossier;
mod kinds;
mod raw;
#[cfg(test)]
mod tests;

use std::sync::{Arc, mpsc};

use tracebook_core::console::Output;
use tracebook_core::credentials;
use tracebook_core::entry::Entry;
use tracebook_core::freeze::{self, Click};
use tracebook_core::ids::Id;
use tracebook_core::question::Question;
use tracebook_render::markdown::{self, Slot, Where};

use crate::TOOL;
use crate::cloud::Cloud;
use crate::evidence::EvidenceStore;
use crate::explore::Explorer;
use crate::ground::error::Error;
use crate::ground::finding::Finding;
use crate::ground::question::window;
use crate::ground::runtime::Runtime;
use crate::ground::schema::{Caller, Capture, Captured};
use crate::ground::tasks::blocking;
use crate::journal::Journal;
use crate::telemetry::Telemetry;

/// Where a reference goes.
#[derive(Clone, Copy)]
pub(crate) enum Placement<'a> {
    /// A slot, by its number or part of its text.
    Slot(&'a str),
    /// The end of the text.
    End,
    /// The text that this returns; the end of the text where it returns none.
    Instead(&'a (dyn Fn(&str) -> Option<String> + Sync)),
}

/// How often a text is read again after another writer was faster.
const MAX_TRIES: usize = 5;

/// Freezes what a source shows. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Capturer {
    journal: Journal,
    telemetry: Telemetry,
    cloud: Arc<Cloud>,
    evidence: EvidenceStore,
    explore: Explorer,
    runtime: Runtime,
}

impl Capturer {
    pub(crate) fn new(
        journal: &Journal,
        telemetry: &Telemetry,
        cloud: &Arc<Cloud>,
        evidence: &EvidenceStore,
        explore: &Explorer,
        runtime: &Runtime,
    ) -> Self {
        Self {
            journal: journal.clone(),
            telemetry: telemetry.clone(),
            cloud: Arc::clone(cloud),
            evidence: evidence.clone(),
            explore: explore.clone(),
            runtime: runtime.clone(),
        }
    }

    pub(crate) async fn capture(&self, request: Capture, caller: &Caller) -> Result<Captured, Error> {
        let into = self.target_entry(&request).await?;
        let found = self.find(&request, caller).await?;
        self.freeze(found, request, into, caller).await
    }

    pub(crate) async fn target_entry(&self, request: &Capture) -> Result<Option<Entry>, Error> {
        // Resolved before the capture: a wrong slot must not leave evidence that is not placed.
        match &request.into {
            Some(reference) => {
                let entry = self.journal.find_entry(reference).await?;
                if let Some(wanted) = &request.slot {
                    self.find_slot(&entry, wanted).await?;
                }
                Ok(Some(entry))
            }
            None if request.slot.is_some() => {
                Err(Error::usage("a slot needs an entry", "Name the entry with --into, for example --into week-2"))
            }
            None => Ok(None),
        }
    }

    pub(crate) async fn capture_console(
        &self,
        output: Output,
        request: Capture,
        caller: &Caller,
    ) -> Result<Captured, Error> {
        let into = self.target_entry(&request).await?;
        let found = self.console_found(output).await?;
        self.freeze(found, request, into, caller).await
    }

    pub(crate) async fn freeze(
        &self,
        found: Finding,
        request: Capture,
        into: Option<Entry>,
        caller: &Caller,
    ) -> Result<Captured, Error> {
        let Finding { body, raw, mut warnings, limit, origin, asked_at } = found;
        let captured_at = asked_at.unwrap_or_else(|| self.runtime.now());
        let window = window(request.since.as_deref(), captured_at)?;
        let click = Click {
            // The time in the id is that of the capture, which imports compare.
            id: Id::new(captured_at, self.runtime.entropy()),
            question: Question {
                source: request.source,
                filter: request.filter.clone(),
                since: window.start(),
                until: window.to,
                limit,
            },
            captured_at,
            tool: TOOL.to_owned(),
            supersedes: None,
            origin,
        };
        let caption = request.caption;
        let (frozen, raw, caption) = blocking(move || {
            // Half of the time of a large capture is reading and searching what was received.
            let (tell, told) = mpsc::channel();
            let (freeze, document) = std::thread::scope(|scope| {
                let document = scope.spawn(move || {
                    // Without an answer nothing is frozen.
                    let removed = || told.recv().unwrap_or_default();
                    raw.draft().map_or(Ok(Vec::new()), |draft| draft.document(removed))
                });
                let freeze = freeze::Clean::new(body).and_then(|clean| {
                    // Where nothing was received, nobody listens.
                    tell.send(Arc::clone(clean.removed())).ok();
                    clean.freeze(click)
                });
                drop(tell);
                (freeze, document.join())
            });
            let freeze = freeze?;
            let raw = document.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            // A caption may quote the data.
            let caption = caption.map(|caption| {
                let clean = credentials::remove_from_text(&caption, &mut credentials::Removed::default());
                freeze.removed.take_from_text(&clean).into_owned()
            });
            Ok::<_, serde_json::Error>((freeze.frozen, raw, caption))
        })
        .await?
        .map_err(Error::internal)?;
        match frozen.evidence.provenance.credentials_removed {
            0 => {}
            1 => warnings.push("1 value that looked like a credential was removed".to_owned()),
            n => warnings.push(format!("{n} values that looked like credentials were removed")),
        }
        let frozen = Arc::new(frozen);
        self.evidence.keep(Arc::clone(&frozen), &raw, caller).await?;
        let size = request.size.as_deref().unwrap_or_default();
        let reference = markdown::reference_as(&frozen, None, caption.as_deref(), size);
        if let Some(entry) = into {
            let place = request.slot.as_deref().map_or(Placement::End, Placement::Slot);
            self.insert_reference(&entry, place, &reference, caller, &mut warnings).await?;
        }
        let evidence = self.evidence.row(frozen.evidence.id).await?;
        tracing::info!(id = %evidence.id, kind = evidence.kind.word(), warnings = warnings.len(), "captured");
        Ok(Captured { evidence, reference, warnings })
    }

    /// Puts a reference into an entry's text, with retries if another writer changes it meanwhile.
    pub(crate) async fn insert_reference(
        &self,
        entry: &Entry,
        place: Placement<'_>,
        reference: &str,
        caller: &Caller,
        warnings: &mut Vec<String>,
    ) -> Result<(), Error> {
        let id = entry.row.id;
        self.journal.store.keep_revision(id, "capture", self.runtime.now(), &caller.client).await?;
        let mut message = String::new();
        for _ in 0..MAX_TRIES {
            let entry = self.journal.find_entry(&id.to_string()).await?;
            let end = || markdown::place(&entry.body, reference, Where::Append);
            let body = match place {
                Placement::Slot(wanted) => {
                    let slot = self.find_slot(&entry, wanted).await?;
                    markdown::place(&entry.body, reference, Where::Slot(&slot))
                }
                Placement::End => end(),
                Placement::Instead(write) => write(&entry.body).unwrap_or_else(end),
            };
            let written = self.journal.write_body(id, Some(entry.revision), body, None, caller).await?;
            if written.accepted {
                if self.journal.store.entry_in_bin(id).await? {
                    warnings.push(format!("the entry {} is in the bin", entry.row.slug));
                }
                return Ok(());
            }
            message = written.message;
        }
        Err(Error::new(
            crate::Code::Storage,
            format!("the evidence is frozen, but its reference could not be written to the entry: {message}"),
            "It is listed as not placed; insert it from there",
        ))
    }

    async fn find_slot(&self, entry: &Entry, wanted: &str) -> Result<Slot, Error> {
        let slots = self.journal.markup_of(entry.row.id, &entry.body).await?.slots;
        let lower = wanted.to_lowercase();
        let by_number = wanted.trim().parse::<usize>().ok().and_then(|n| slots.iter().find(|s| s.n == n));
        let mut by_text = slots.iter().filter(|s| s.text.to_lowercase().contains(&lower));
        if let Some(slot) = by_number {
            return Ok(slot.clone());
        }
        match (by_text.next(), by_text.next()) {
            (Some(slot), None) => Ok(slot.clone()),
            (Some(first), Some(second)) => Err(Error::usage(
                format!("{wanted:?} is in more than one slot: {:?} and {:?}", first.text, second.text),
                "Give the slot's number instead; `slots` lists them",
            )),
            (None, _) => {
                let open = slots.iter().map(|s| format!("{} ({})", s.n, s.text)).collect::<Vec<_>>().join(", ");
                let hint = match open.is_empty() {
                    true => "It has no open slot: leave --slot out to append".to_owned(),
                    false => format!("Open slots: {open}"),
                };
                Err(Error::not_found(format!("{} has no slot {wanted:?}", entry.row.slug), hint))
            }
        }
    }
}

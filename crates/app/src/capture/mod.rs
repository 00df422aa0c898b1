//! The click.

mod cloud;
mod dossier;
mod kinds;
mod raw;

use tracebook_core::console::Console;
use tracebook_core::entry::Entry;
use tracebook_core::evidence::Frozen;
use tracebook_core::freeze::{self, Click};
use tracebook_core::question::Question;
use tracebook_render::markdown::{self, Slot, Where};

use crate::ground::error::Error;
use crate::ground::question::window_start;
use crate::ground::tasks::blocking;
use crate::live_cards;
use crate::rpc::{Caller, Capture, Captured};
use crate::{TOOL, Tracebook};

pub(crate) use kinds::Found;
use raw::Raw;

/// Where a reference goes.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// Into a slot: its number, or part of its text.
    Slot(&'a str),
    /// Behind all else.
    End,
    /// Where this puts it; behind all else where that is nowhere.
    Instead(&'a (dyn Fn(&str) -> Option<String> + Sync)),
}

/// How often a text is read anew when somebody writes between our reading and our writing.
const TRIES: usize = 5;

impl Tracebook {
    pub(crate) async fn capture(&self, request: Capture, caller: &Caller) -> Result<Captured, Error> {
        if live_cards::is_live(request.id.as_deref()) {
            return self.capture_live_card(request, caller).await;
        }
        let into = self.destination(&request).await?;
        let found = self.find(&request, caller).await?;
        self.freeze(found, request, into, caller).await
    }

    pub(crate) async fn destination(&self, request: &Capture) -> Result<Option<Entry>, Error> {
        // Where it goes is looked up first: a wrong slot must not leave evidence that is placed nowhere.
        match &request.into {
            Some(reference) => {
                let entry = self.find_entry(reference).await?;
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

    /// Freezes console output of a command that ran, and puts it where the request says.
    ///
    /// # Errors
    /// Where the entry or the slot is not there, or nothing was printed.
    pub async fn capture_console(
        &self,
        console: Console,
        request: Capture,
        caller: &Caller,
    ) -> Result<Captured, Error> {
        let into = self.destination(&request).await?;
        let found = self.console_found(console).await?;
        self.freeze(found, request, into, caller).await
    }

    pub(crate) async fn freeze(
        &self,
        found: Found,
        request: Capture,
        into: Option<Entry>,
        caller: &Caller,
    ) -> Result<Captured, Error> {
        let Found { body, raw, mut warnings, limit, origin, asked_at } = found;
        let captured_at = asked_at.unwrap_or_else(|| self.now());
        let since = window_start(request.since.as_deref(), captured_at)?;
        let click = Click {
            id: self.new_id(),
            question: Question { source: request.source, filter: request.filter.clone(), since, limit },
            captured_at,
            tool: TOOL.to_owned(),
            supersedes: None,
            origin,
        };
        let (frozen, raw) = blocking(move || {
            let freeze = freeze::body(body, click)?;
            let raw = raw.document(&freeze.removed)?;
            Ok::<_, serde_json::Error>((freeze.frozen, raw))
        })
        .await?
        .map_err(Error::internal)?;
        match frozen.evidence.provenance.credentials_removed {
            0 => {}
            1 => warnings.push("1 value that looked like a credential was taken out".to_owned()),
            n => warnings.push(format!("{n} values that looked like credentials were taken out")),
        }
        self.keep(&frozen, &raw, caller).await?;
        let reference = markdown::reference(&frozen, request.caption.as_deref());
        if let Some(entry) = into {
            let place = request.slot.as_deref().map_or(Place::End, Place::Slot);
            self.put(&entry, place, &reference, caller, &mut warnings).await?;
        }
        let evidence = self.evidence_row(frozen.evidence.id).await?;
        tracing::info!(id = %evidence.id, kind = evidence.kind.word(), warnings = warnings.len(), "captured");
        Ok(Captured { evidence, reference, warnings })
    }

    /// Writes evidence and reads it back: only what reads back is frozen.
    pub(crate) async fn keep(&self, frozen: &Frozen, raw: &[u8], caller: &Caller) -> Result<(), Error> {
        self.journal.add_evidence(frozen, raw, &caller.client).await?;
        let id = frozen.evidence.id;
        match self.journal.evidence(id).await? {
            Some(stored) if stored.digest == frozen.digest => Ok(()),
            Some(_) => Err(Error::internal(format!("evidence {id} is there already, with another digest"))),
            None => Err(Error::internal(format!("evidence {id} was written and does not read back"))),
        }
    }

    /// Puts a reference into an entry's text, whatever is written to it meanwhile.
    pub(crate) async fn put(
        &self,
        entry: &Entry,
        place: Place<'_>,
        reference: &str,
        caller: &Caller,
        warnings: &mut Vec<String>,
    ) -> Result<(), Error> {
        let id = entry.row.id;
        self.journal.keep_revision(id, "capture", self.now(), &caller.client).await?;
        let mut message = String::new();
        for _ in 0..TRIES {
            let entry = self.find_entry(&id.to_string()).await?;
            let end = || markdown::place(&entry.body, reference, Where::Append);
            let body = match place {
                Place::Slot(wanted) => {
                    let slot = self.find_slot(&entry, wanted).await?;
                    markdown::place(&entry.body, reference, Where::Slot(&slot))
                }
                Place::End => end(),
                Place::Instead(write) => write(&entry.body).unwrap_or_else(end),
            };
            let written = self.write_body(id, Some(entry.revision), body, None, caller).await?;
            if written.accepted {
                if self.journal.entry_in_bin(id).await? {
                    warnings.push(format!("the entry {} is in the bin", entry.row.slug));
                }
                return Ok(());
            }
            message = written.message;
        }
        Err(Error::new(
            crate::Code::Storage,
            format!("the evidence is frozen, but its place in the text could not be written: {message}"),
            "It is listed as not placed; put it in from there",
        ))
    }

    async fn find_slot(&self, entry: &Entry, wanted: &str) -> Result<Slot, Error> {
        let slots = self.markup_of(entry.row.id, &entry.body).await?.slots;
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

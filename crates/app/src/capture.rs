//! The click.

use tracebook_core::credentials;
use tracebook_core::entry::Entry;
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::freeze::{self, Click};
use tracebook_core::question::{Question, Source};
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_render::markdown::{self, Slot, Where};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::error::Error;
use crate::live::trace_id;
use crate::rpc::{Caller, Capture, Captured};
use crate::{TOOL, Tracebook};

/// How often a text is read anew when somebody writes between our reading and our writing.
const TRIES: usize = 5;

impl Tracebook {
    pub(crate) async fn capture(&self, request: Capture, caller: &Caller) -> Result<Captured, Error> {
        if request.source != Source::Local {
            return Err(Error::not_built("capturing from a cloud source"));
        }
        // Where it goes is looked up first: a wrong slot must not leave evidence that is placed nowhere.
        let into = match &request.into {
            Some(reference) => {
                let entry = self.find_entry(reference).await?;
                if let Some(wanted) = &request.slot {
                    self.find_slot(&entry, wanted).await?;
                }
                Some(entry)
            }
            None if request.slot.is_some() => {
                return Err(Error::usage(
                    "a slot needs an entry",
                    "Name the entry with --into, for example --into week-2",
                ));
            }
            None => None,
        };
        let (frozen, mut warnings) = match request.kind {
            Kind::Trace => self.capture_trace(&request, caller).await?,
            other => return Err(Error::not_built(&format!("capture {}", other.word()))),
        };
        let reference = markdown::reference(&frozen, request.caption.as_deref());
        if let Some(entry) = into {
            self.put(&entry, request.slot.as_deref(), &reference, caller, &mut warnings).await?;
        }
        let evidence = self.evidence_row(frozen.evidence.id).await?;
        Ok(Captured { evidence, reference, warnings })
    }

    async fn capture_trace(&self, request: &Capture, caller: &Caller) -> Result<(Frozen, Vec<String>), Error> {
        let since = self.since(request.since.as_deref())?;
        let id = match (&request.id, request.latest) {
            (Some(id), false) => trace_id(id)?,
            (None, true) => {
                let found = self.find_traces(&request.filter, since, 1, true).await?;
                found.first().map(|t| t.trace_id).ok_or_else(|| nothing_matched(&request.filter))?
            }
            (Some(_), true) => {
                return Err(Error::usage("both an id and --latest were given", "Give one of the two"));
            }
            (None, false) => {
                return Err(Error::usage(
                    "which trace?",
                    "Give its id (`live traces` lists them), or --latest for the newest",
                ));
            }
        };
        let read = self.read_trace(id).await?;
        let mut warnings = read.warnings;
        warnings.extend(read.trace.notes.iter().cloned());
        let click = Click {
            id: self.new_id(),
            question: Question { source: Source::Local, filter: request.filter.clone(), since, limit: 1 },
            captured_at: self.now(),
            tool: TOOL.to_owned(),
            supersedes: None,
        };
        let trace = read.trace;
        let records = read.records;
        let (frozen, raw) = tokio::task::spawn_blocking(move || {
            let freeze = freeze::trace(trace, click)?;
            let raw = raw_document(&records, &freeze.removed)?;
            Ok::<_, serde_json::Error>((freeze.frozen, raw))
        })
        .await
        .map_err(Error::internal)?
        .map_err(Error::internal)?;
        match frozen.evidence.provenance.credentials_removed {
            0 => {}
            1 => warnings.push("1 value that looked like a credential was taken out".to_owned()),
            n => warnings.push(format!("{n} values that looked like credentials were taken out")),
        }
        self.keep(&frozen, &raw, caller).await?;
        Ok((frozen, warnings))
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
    async fn put(
        &self,
        entry: &Entry,
        slot: Option<&str>,
        reference: &str,
        caller: &Caller,
        warnings: &mut Vec<String>,
    ) -> Result<(), Error> {
        let id = entry.row.id;
        self.journal.cut_revision(id, "capture", self.now(), &caller.client).await?;
        let mut message = String::new();
        for _ in 0..TRIES {
            let entry = self.find_entry(&id.to_string()).await?;
            let body = match slot {
                Some(wanted) => {
                    let slot = self.find_slot(&entry, wanted).await?;
                    markdown::place(&entry.body, reference, Where::Slot(&slot))
                }
                None => markdown::place(&entry.body, reference, Where::Append),
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

fn nothing_matched(filter: &str) -> Error {
    let message = match filter.is_empty() {
        true => "no trace whose root span has arrived".to_owned(),
        false => format!("no trace whose root span has arrived matches {filter:?}"),
    };
    Error::not_found(
        message,
        "`env` prints the settings that point a service here; `live traces` shows what has arrived",
    )
}

/// The spans as received, with credentials taken out, as one JSON document: JSON as itself, protobuf in
/// base64 (so that fields this version does not know are still in it).
fn raw_document(records: &[SpanRecord], removed: &credentials::Removed) -> Result<Vec<u8>, serde_json::Error> {
    let bytes = |bytes: &[u8], encoding: Encoding| -> serde_json::Value {
        match encoding {
            Encoding::OtlpProtobuf => {
                let mut bytes = bytes.to_vec();
                credentials::overwrite_in_bytes(&mut bytes, removed);
                serde_json::json!({ "base64": BASE64.encode(bytes) })
            }
            Encoding::OtlpJson | Encoding::XrayJson => {
                let mut json = serde_json::from_slice(bytes).unwrap_or(serde_json::Value::Null);
                credentials::remove_from_json(&mut json);
                json
            }
        }
    };
    let mut shared: Vec<serde_json::Value> = Vec::new();
    let mut share = |value: serde_json::Value| match shared.iter().position(|s| *s == value) {
        Some(at) => at,
        None => {
            shared.push(value);
            shared.len() - 1
        }
    };
    let spans: Vec<serde_json::Value> = records
        .iter()
        .map(|r| {
            let encoding = match r.encoding {
                Encoding::OtlpProtobuf => "otlp-protobuf",
                Encoding::OtlpJson => "otlp-json",
                Encoding::XrayJson => "xray-json",
            };
            serde_json::json!({
                "id": r.span_id,
                "encoding": encoding,
                "resource": share(bytes(&r.resource, r.encoding)),
                "scope": share(bytes(&r.scope, r.encoding)),
                "span": bytes(&r.raw, r.encoding),
            })
        })
        .collect();
    serde_json::to_vec(&serde_json::json!({ "schema": 1, "shared": shared, "spans": spans }))
}

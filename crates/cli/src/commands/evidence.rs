//! `tracebook evidence`.

use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use tracebook_app::Error;
use tracebook_app::api::{EvidenceDelete, EvidenceGet, EvidenceList, EvidenceRestore, EvidenceRow};
use tracebook_app::evidence::{Form, Size, Width, as_text};
use tracebook_core::analysis::timing::TraceAnalysis;
use tracebook_core::doubts::reasons;
use tracebook_core::ids::{Id, IdError};
use tracebook_core::text::escaped_json;

use crate::args::Evidence;
use crate::client::Client;
use crate::out::Out;

pub(super) async fn run(client: &Client, command: Evidence, out: &Out) -> Result<u8, Error> {
    match command {
        Evidence::List { entry, deleted } => {
            let rows = client.call(EvidenceList { entry, deleted }).await?;
            out.table(&rows, |r| {
                let entries = if r.entries.is_empty() { "in no entry".to_owned() } else { r.entries.join(", ") };
                let title = match (&r.imported_at, r.doubts.is_empty()) {
                    (None, _) => r.title.clone(),
                    (Some(_), true) => format!("{} (imported)", r.title),
                    (Some(_), false) => format!("{} (imported, doubtful: {})", r.title, reasons(&r.doubts)),
                };
                vec![r.id.to_string(), r.kind.word().to_owned(), entries, title]
            });
        }
        Evidence::Show { evidence, raw: true, .. } => {
            let raw = client.tracebook.evidence_raw(id(&evidence)?).await?;
            out.answer(&raw, |raw| escaped_json(&format!("{raw:#}")));
        }
        Evidence::Show { evidence, svg: true, size, width, .. } => {
            let form = Form::new(Size::of(&size), Width::of(width));
            let svg = client.tracebook.card(id(&evidence)?, form).await?;
            out.answer(&json!({ "svg": svg }), |_| svg.clone());
        }
        Evidence::Show { evidence, .. } => {
            let id = id(&evidence)?;
            let frozen = client.tracebook.frozen(id).await?;
            let row = client.call(EvidenceGet { id }).await?.row;
            let table = as_text(&frozen, &row);
            let analysis = frozen.evidence.body.trace().map(TraceAnalysis::of);
            let evidence = RawValue::from_string(frozen.canonical).map_err(Error::internal)?;
            out.answer(&Shown { row, evidence, analysis }, |_| table);
        }
        Evidence::Diff { left, right } => {
            let difference = client.tracebook.evidence_diff(id(&left)?, id(&right)?).await?;
            out.answer(&difference, |d| d.to_string());
            return Ok(u8::from(!difference.same));
        }
        Evidence::Delete { evidence, purge } => {
            let row = client.call(EvidenceDelete { id: id(&evidence)?, purge }).await?;
            out.answer(&row, |row| match purge {
                true => format!("{} was erased permanently", row.id),
                false => format!("{} was moved to the bin; `evidence restore {}` restores it", row.id, row.id),
            });
        }
        Evidence::Restore { evidence } => {
            let row = client.call(EvidenceRestore { id: id(&evidence)? }).await?;
            out.answer(&row, |row| format!("{} was restored", row.id));
        }
    }
    Ok(0)
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    row: EvidenceRow,
    /// As it is stored.
    evidence: Box<RawValue>,
    /// What is computed from its trace: critical path, self times, head line.
    #[serde(skip_serializing_if = "Option::is_none")]
    analysis: Option<TraceAnalysis>,
}

fn id(text: &str) -> Result<Id, Error> {
    text.parse().map_err(|e: IdError| Error::usage(e.to_string(), "`evidence list` shows the ids"))
}

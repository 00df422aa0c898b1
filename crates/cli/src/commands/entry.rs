//! `tracebook entry` and `slots`.

use serde::Serialize;

use tracebook_app::api::{
    EntryDelete, EntryDifference, EntryGet, EntryHistory, EntryListRequest, EntryNew, EntryRestore, EntryRevision,
    EntryWrite, MarkupRequest,
};
use tracebook_app::{Code, Error};
use tracebook_core::entry::Entry as EntryWithText;

use crate::args::Entry;
use crate::client::Client;
use crate::input::read_text;
use crate::out::Out;

pub(super) async fn run(client: &Client, command: Entry, out: &Out) -> Result<u8, Error> {
    match command {
        Entry::New { week, title, body } => {
            let body = body.as_deref().map(read_text).transpose()?;
            let entry = client.call(EntryNew { week, title, body }).await?;
            out.answer(&entry.row, |row| format!("{} ({})", row.slug, row.title));
        }
        Entry::List { deleted } => {
            let rows = client.call(EntryListRequest { deleted }).await?;
            out.table(&rows, |r| vec![r.slug.clone(), r.title.clone(), r.updated_at.clone()]);
        }
        Entry::Show { entry, revision: None } => {
            let entry = client.call(EntryGet { entry }).await?;
            out.answer(&entry, |e| e.body.clone());
        }
        Entry::Show { entry, revision: Some(revision) } => {
            let body = client.call(EntryRevision { entry: entry.clone(), revision }).await?;
            let entry = client.call(EntryGet { entry }).await?;
            out.answer(&EntryWithText { body, revision, ..entry }, |e| e.body.clone());
        }
        Entry::Set { entry, body, base } => {
            let body = read_text(&body)?;
            let request = EntryWrite { entry: entry.clone(), base, body, cut: Some("set".to_owned()) };
            let written = client.call(request).await?;
            if !written.accepted {
                return Err(Error::new(
                    Code::Refused,
                    written.message,
                    "Read the current text with `entry show`, merge yours into it, and set it with the current revision as --base",
                ));
            }
            let entry = client.call(EntryGet { entry }).await?;
            out.answer(&entry.row, |row| format!("{} is at revision {}", row.slug, written.revision));
        }
        Entry::History { entry, diff: Some(revision) } => {
            let difference = client.call(EntryDifference { entry, revision }).await?;
            out.answer(&difference, |difference| difference.diff.clone());
        }
        Entry::History { entry, diff: None } => {
            let revisions = client.call(EntryHistory { entry }).await?;
            out.table(&revisions, |r| {
                vec![r.revision.to_string(), r.created_at.clone(), r.reason.clone(), format!("{} bytes", r.bytes)]
            });
        }
        Entry::Delete { entry } => {
            let row = client.call(EntryDelete { entry }).await?;
            out.answer(&row, |row| {
                format!("{} was moved to the bin; `entry restore {}` restores it", row.slug, row.slug)
            });
        }
        Entry::Restore { entry } => {
            let row = client.call(EntryRestore { entry }).await?;
            out.answer(&row, |row| format!("{} was restored", row.slug));
        }
    }
    Ok(0)
}

/// A slot as the contract has it: without its place in the text.
#[derive(Serialize)]
struct SlotRow {
    n: usize,
    line: usize,
    text: String,
    wants: String,
}

pub(super) async fn slots(client: &Client, entry: String, out: &Out) -> Result<u8, Error> {
    let entry = client.call(EntryGet { entry }).await?;
    let markup = client.call(MarkupRequest { entry: Some(entry.row.slug), body: entry.body }).await?;
    let rows = markup.slots.into_iter();
    let rows = rows.map(|slot| SlotRow { n: slot.n, line: slot.line, text: slot.text, wants: slot.wants });
    out.table(&rows.collect::<Vec<_>>(), |s| {
        vec![s.n.to_string(), format!("line {}", s.line), s.wants.clone(), s.text.clone()]
    });
    Ok(0)
}

//! `tracebook attachment`.

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use tracebook_app::Error;
use tracebook_app::api::{AttachmentAdd, AttachmentDelete, AttachmentList, AttachmentRestore, AttachmentRow};
use tracebook_core::ids::{Id, IdError};

use crate::args::Attachment;
use crate::client::Client;
use crate::input::read_bytes;
use crate::out::Out;

pub(super) async fn run(client: &Client, command: Attachment, out: &Out) -> Result<u8, Error> {
    match command {
        Attachment::List { entry, deleted } => {
            let rows = client.call(AttachmentList { entry, deleted }).await?;
            out.table(&rows, |row| {
                let entries = if row.entries.is_empty() { "in no entry".to_owned() } else { row.entries.join(", ") };
                vec![row.id.to_string(), row.name.clone(), size(row), entries]
            });
        }
        Attachment::Add { file, into, alt } => {
            let bytes = read_bytes(&file.display().to_string())?;
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let added = client.call(AttachmentAdd::appended(into, name, &bytes, alt)).await?;
            out.answer(&added, |added| {
                let removed = match added.removed.is_empty() {
                    true => String::new(),
                    false => format!("\nremoved from it: {}", added.removed.join(", ")),
                };
                format!("{} {}\n{}{removed}", added.row.id, added.row.name, added.reference)
            });
            out.warnings(&added.warnings);
        }
        Attachment::Show { id: attachment, out: file } => {
            let id = id(&attachment)?;
            let row = client.tracebook.attachment_row(id).await?;
            if let Some(file) = &file {
                let (_, bytes) = client.tracebook.attachment(id).await?;
                save(file, &bytes)?;
            }
            let shown = Shown { row, file: file.map(|file| file.display().to_string()) };
            out.answer(&shown, |Shown { row, file }| {
                let pixels = row.width.zip(row.height).map_or_else(String::new, |(w, h)| format!(", {w} × {h}"));
                let places: String = row.places.iter().map(|place| format!("\n{}", place.path)).collect();
                let saved = file.as_ref().map_or_else(String::new, |file| format!("\nwrote {file}"));
                format!("{}\n{}{pixels}, {}\nsha256:{}{places}{saved}", row.name, row.media, size(row), row.sha256)
            });
        }
        Attachment::Delete { id: attachment, purge } => {
            let row = client.call(AttachmentDelete { id: id(&attachment)?, purge }).await?;
            out.answer(&row, |row| match purge {
                true => format!("{} was erased permanently", row.name),
                false => format!("{} was moved to the bin; `attachment restore {}` restores it", row.name, row.id),
            });
        }
        Attachment::Restore { id: attachment } => {
            let row = client.call(AttachmentRestore { id: id(&attachment)? }).await?;
            out.answer(&row, |row| format!("{} was restored", row.name));
        }
    }
    Ok(0)
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    row: AttachmentRow,
    /// The file that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

/// Writes a new file: what is there is never overwritten.
fn save(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut options = std::fs::File::options();
    let written = options.write(true).create_new(true).open(file).and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| {
        Error::usage(format!("{}: {error}", file.display()), "Name a new file in a folder that can be written")
    })
}

fn size(row: &AttachmentRow) -> String {
    match row.bytes {
        _ if row.purged => "purged".to_owned(),
        bytes @ 0..10_000 => format!("{bytes} bytes"),
        bytes => format!("{} KiB", bytes.div_ceil(1024)),
    }
}

fn id(text: &str) -> Result<Id, Error> {
    text.parse().map_err(|e: IdError| Error::usage(e.to_string(), "`attachment list` shows the ids"))
}

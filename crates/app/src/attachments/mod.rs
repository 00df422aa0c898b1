//! Pictures of entries: adding, listing and deleting them.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::Mutex;
use tracebook_core::entry::Entry;
use tracebook_core::ids::Id;
use tracebook_core::picture::{self, Format};
use tracebook_core::time::Nanos;
use tracebook_render::markdown::{self, Where};
use tracebook_store::attachments::{Attached, AttachmentRecord, NewAttachment, Place, Which};

use crate::ground::error::{Code, Error};
use crate::ground::runtime::Runtime;
use crate::ground::schema::{
    AttachmentAdd, AttachmentAdded, AttachmentDelete, AttachmentList, AttachmentPlace, AttachmentRestore,
    AttachmentRow, Caller,
};
use crate::ground::tasks::blocking;
use crate::journal::Journal;

/// The most bytes of a picture that is added.
pub(crate) const MAX_BYTES: usize = 32 * 1024 * 1024;
/// The most pixels of a picture that is added: a browser needs four bytes for each.
const MAX_PIXELS: u64 = 100_000_000;
/// The most pictures of an entry.
pub(crate) const MOST: u64 = 2_000;
/// How often a text is read again after another writer was faster.
const MAX_TRIES: usize = 5;

/// The formats, for messages.
const SHOWN: &str = "PNG, JPEG, GIF, WebP, SVG, AVIF, BMP, ICO";

/// Pictures of entries. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Attachments {
    journal: Journal,
    store: tracebook_store::Journal,
    runtime: Runtime,
    /// Held while a name is chosen and used: two pictures must not get the same.
    naming: Arc<Mutex<()>>,
}

/// A picture that was read, without metadata.
struct Prepared {
    format: Format,
    bytes: Vec<u8>,
    size: Option<(u32, u32)>,
    removed: Vec<String>,
    warnings: Vec<String>,
}

impl Attachments {
    pub(crate) fn new(journal: &Journal, runtime: &Runtime) -> Self {
        let (journal, store) = (journal.clone(), journal.store.clone());
        Self { journal, store, runtime: runtime.clone(), naming: Arc::default() }
    }

    pub(crate) async fn list(&self, request: AttachmentList) -> Result<Vec<AttachmentRow>, Error> {
        let which = match request.entry {
            Some(reference) => Which::Of(self.journal.find_entry(&reference).await?.row.id),
            None if request.deleted => Which::InBin,
            None => Which::All,
        };
        Ok(self.store.attachments(which).await?.into_iter().map(attachment_row).collect())
    }

    pub(crate) async fn add(&self, request: AttachmentAdd, caller: &Caller) -> Result<AttachmentAdded, Error> {
        let entry = self.journal.find_entry(&request.entry).await?;
        let shown = if request.name.is_empty() { "the file".to_owned() } else { request.name.clone() };
        if self.store.attachment_count(entry.row.id).await? >= MOST {
            return Err(Error::usage(
                format!("{} has {MOST} pictures already, so {shown} was not added", entry.row.slug),
                "Divide the entry",
            ));
        }
        let (name, append, alt) = (request.name.clone(), request.append, request.alt.clone());
        let prepared = blocking(move || {
            let bytes = request.bytes().ok_or_else(|| Error::usage("the data is not base64", ""))?;
            prepared(&shown, bytes)
        })
        .await??;
        let Prepared { format, bytes, size, removed, warnings } = prepared;
        let naming = self.naming.lock().await;
        let place = self.place_for(&entry, &name, format, &crate::ground::files::sha256(&bytes)).await?;
        let file = place.path.rsplit('/').next().unwrap_or_default().to_owned();
        let length = bytes.len();
        let new = NewAttachment {
            id: self.runtime.new_id(),
            name: file,
            media: format.media().to_owned(),
            bytes,
            size,
            place: place.clone(),
        };
        let stored = self.store.attach(&[new], true, self.runtime.now(), &caller.client).await?;
        drop(naming);
        let Some(Attached::Here(id) | Attached::Restored(id) | Attached::Purged(id)) = stored.first().copied() else {
            return Err(Error::internal("the picture was not stored"));
        };
        // Only what reads back counts as stored.
        if self.store.attachment_bytes(id).await?.is_none_or(|bytes| bytes.len() != length) {
            return Err(Error::internal(format!("attachment {id} was written and does not read back")));
        }
        let alt = alt.unwrap_or_else(|| picture::words(&name));
        let path = place.link.strip_prefix("journal/").unwrap_or(&place.link);
        let reference = markdown::picture(&alt, path);
        if append {
            self.append(&entry, &reference, caller).await?;
        }
        Ok(AttachmentAdded { row: self.row(id).await?, reference, alt, removed, warnings })
    }

    /// Where an entry shows a new picture: a file beside its text whose name no other picture has, or the place that
    /// it has already.
    async fn place_for(&self, entry: &Entry, name: &str, format: Format, sha256: &str) -> Result<Place, Error> {
        let known = self.store.attachment_by_content(sha256).await?;
        let mut places = known.into_iter().flat_map(|known| known.places);
        if let Some((place, _)) = places.find(|(place, _)| place.entry == entry.row.id) {
            return Ok(place);
        }
        let stem = self.journal.stems().await?.remove(&entry.row.id).unwrap_or_else(|| entry.row.slug.clone());
        let folder = format!("journal/assets/{stem}");
        let taken: HashSet<String> = self.store.attached_paths().await?.iter().map(|p| p.to_lowercase()).collect();
        let day: String = self.runtime.now().rfc3339().chars().take(10).collect();
        let file = picture::file_name(name, format, &day, |file| {
            // The files of evidence are named by its id.
            let is_evidence = file.split('.').next().is_some_and(|stem| stem.parse::<Id>().is_ok());
            is_evidence || taken.contains(&format!("{folder}/{file}").to_lowercase())
        });
        let path = format!("{folder}/{file}");
        Ok(Place { entry: entry.row.id, link: path.clone(), path })
    }

    /// Writes a reference to the end of an entry's text, with retries if another writer changes it meanwhile.
    async fn append(&self, entry: &Entry, reference: &str, caller: &Caller) -> Result<(), Error> {
        let id = entry.row.id;
        self.store.keep_revision(id, "picture", self.runtime.now(), &caller.client).await?;
        let mut message = String::new();
        for _ in 0..MAX_TRIES {
            let entry = self.journal.find_entry(&id.to_string()).await?;
            let body = markdown::place(&entry.body, reference, Where::Append);
            let written = self.journal.write_body(id, Some(entry.revision), body, None, caller).await?;
            if written.accepted {
                return Ok(());
            }
            message = written.message;
        }
        Err(Error::new(
            Code::Storage,
            format!("the picture is stored, but its reference could not be written to the entry: {message}"),
            format!("Add this line to the entry: {reference}"),
        ))
    }

    pub(crate) async fn delete(&self, request: AttachmentDelete, caller: &Caller) -> Result<AttachmentRow, Error> {
        let row = self.row(request.id).await?;
        match request.purge {
            true => self.store.purge_attachment(request.id, self.runtime.now(), &caller.client).await?,
            false => self.store.bin_attachment(request.id, Some(self.runtime.now()), &caller.client).await?,
        }
        Ok(row)
    }

    pub(crate) async fn restore(&self, request: AttachmentRestore, caller: &Caller) -> Result<AttachmentRow, Error> {
        let row = self.row(request.id).await?;
        if row.purged {
            return Err(purged(request.id));
        }
        self.store.bin_attachment(request.id, None, &caller.client).await?;
        self.row(request.id).await
    }

    pub(crate) async fn row(&self, id: Id) -> Result<AttachmentRow, Error> {
        self.store.attachment(id).await?.map(attachment_row).ok_or_else(|| none(id))
    }

    /// The content of an attachment, and its format.
    ///
    /// # Errors
    /// If there is none, or it was purged.
    pub(crate) async fn content(&self, id: Id) -> Result<(Format, Vec<u8>), Error> {
        let record = self.store.attachment(id).await?.ok_or_else(|| none(id))?;
        let bytes = self.store.attachment_bytes(id).await?.ok_or_else(|| purged(id))?;
        // Another version may know more formats.
        let format = Format::of_media(&record.media)
            .ok_or_else(|| Error::internal(format!("attachment {id} has the unknown type {}", record.media)))?;
        Ok((format, bytes))
    }
}

fn none(id: Id) -> Error {
    Error::not_found(format!("there is no attachment {id}"), "`attachment list` shows what there is")
}

fn purged(id: Id) -> Error {
    Error::not_found(format!("attachment {id} was purged: its content is gone for good"), "Add the picture again")
}

/// Reads a picture that is added, and removes its metadata.
fn prepared(shown: &str, bytes: Vec<u8>) -> Result<Prepared, Error> {
    if bytes.len() > MAX_BYTES {
        let length = bytes.len().div_ceil(1024 * 1024);
        return Err(Error::usage(
            format!("{shown} has {length} MiB, and a picture can have up to {} MiB", MAX_BYTES / 1024 / 1024),
            "Save it with fewer pixels or as JPEG",
        ));
    }
    let Some(format) = Format::of(&bytes) else {
        let (what, hint) = match bytes.get(4..12) {
            Some([b'f', b't', b'y', b'p', b'h' | b'm', ..]) => {
                ("has a format that browsers do not show (HEIC)", "Save it as JPEG first")
            }
            _ if bytes.is_empty() => ("is empty", ""),
            _ => ("is not a picture", "Pictures are recognised by their content"),
        };
        let hint = if hint.is_empty() { String::new() } else { format!("{hint}; these can be added: {SHOWN}") };
        return Err(Error::usage(format!("{shown} {what}"), hint));
    };
    let size = picture::size(&bytes);
    if let Some((width, height)) = size
        && u64::from(width) * u64::from(height) > MAX_PIXELS
    {
        return Err(Error::usage(
            format!("{shown} has {width} × {height} pixels, and a picture can have up to 100 million"),
            "Save it with fewer pixels",
        ));
    }
    let clean = picture::without_metadata(format, &bytes).map_err(|damaged| {
        Error::usage(format!("{shown} cannot be read: {damaged}"), "Open it in an image program and save it again")
    })?;
    let mut warnings = Vec::new();
    if !clean.searched && format == Format::Avif {
        warnings.push(format!("{shown} may contain where and when it was taken: this is not removed from AVIF files"));
    }
    let removed = clean.removed.into_iter().map(str::to_owned).collect();
    Ok(Prepared { format, bytes: clean.bytes, size, removed, warnings })
}

/// A record as the commands answer it.
pub(crate) fn attachment_row(record: AttachmentRecord) -> AttachmentRow {
    let mut entries: Vec<String> = record.places.iter().map(|(_, slug)| slug.clone()).collect();
    entries.dedup();
    let places =
        record.places.into_iter().map(|(Place { entry, link, path }, _)| AttachmentPlace { entry, link, path });
    AttachmentRow {
        id: record.id,
        name: record.name,
        bytes: record.length,
        sha256: record.sha256,
        entries,
        media: record.media,
        width: record.size.map(|(width, _)| width),
        height: record.size.map(|(_, height)| height),
        created_at: Nanos::rfc3339(record.created_at),
        places: places.collect(),
        deleted: record.deleted,
        purged: record.purged,
    }
}

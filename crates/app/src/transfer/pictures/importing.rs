//! Importing the pictures of a text: with their bytes as they are, so that an export writes the same files.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use tracebook_core::entry::Entry;
use tracebook_core::picture::{self, Format};
use tracebook_render::markdown::{self, Link};
use tracebook_store::attachments::{Attached, NewAttachment, Place as Shown, Which};

use super::{MAX_COPIED_BYTES, Names, Place, place, problem, read_below, roots};
use crate::attachments::{MOST, attachment_row};
use crate::ground::error::Error;
use crate::ground::files::sha256;
use crate::ground::folder::Unread;
use crate::ground::runtime::Call;
use crate::ground::schema::{Caller, Imported};
use crate::ground::tasks::blocking;
use crate::transfer::Transfer;

/// The most bytes of pictures that are stored at once.
const MAX_BATCH: usize = 16 * 1024 * 1024;
/// The most warnings about one file.
const MOST_WARNINGS: usize = 100;

/// The file of a text whose pictures are imported.
#[derive(Clone, Debug)]
pub(in crate::transfer) struct TextFile {
    /// The folder that an export of it is written to.
    pub(in crate::transfer) root: PathBuf,
    /// The file's folder.
    pub(in crate::transfer) folder: PathBuf,
    /// For messages.
    pub(in crate::transfer) name: String,
    pub(in crate::transfer) text: String,
    /// Whether the entry has this text now; else its own pictures stay.
    pub(in crate::transfer) current: bool,
}

/// A picture that was found.
struct Found {
    line: usize,
    link: String,
    /// The file in an export.
    path: String,
    there: PathBuf,
}

/// A picture that was read.
struct Read {
    format: Format,
    size: Option<(u32, u32)>,
    bytes: Vec<u8>,
}

impl Transfer {
    /// Stores the pictures of an imported text, and reports linked files that are missing.
    pub(in crate::transfer) async fn import_pictures(
        &self,
        file: TextFile,
        entry: &Entry,
        (call, caller): (&Call, &Caller),
        done: &mut Imported,
    ) -> Result<(), Error> {
        let links: Vec<Link> = markdown::links(&file.text);
        let mut warnings = Warnings { file: file.name.clone(), list: Vec::new(), more: 0 };
        let (root, folder) = (file.root.clone(), file.folder.clone());
        let (found, problems) = blocking(move || find(&links, &root, &folder)).await?;
        for (line, what) in problems {
            warnings.add(line, &what);
        }
        let own = match file.current {
            true => HashSet::new(),
            false => self.links_of(entry).await?,
        };
        let known = self.journal.store.attachment_count(entry.row.id).await?;
        let room = usize::try_from(MOST.saturating_sub(known)).unwrap_or(0);
        let (mut left, mut batch, mut ours) = (MAX_COPIED_BYTES, Vec::new(), Vec::new());
        let (count, mut seen) = (found.len(), HashSet::new());
        for (n, Found { line, link, path, there }) in found.into_iter().enumerate() {
            if own.contains(&link) || !seen.insert(link.clone()) {
                continue;
            }
            if seen.len() > room {
                warnings
                    .add(line, &format!("the picture {link} was not imported: an entry has at most {MOST} pictures"));
                continue;
            }
            if n % 10 == 0 {
                call.progress(n, count, format!("Importing the pictures of {}", file.name))?;
            }
            let (root, at) = (file.root.clone(), there.clone());
            let read = match blocking(move || read(&root, &at, left)).await? {
                Ok(read) => read,
                Err(why) => {
                    warnings.add(line, &format!("the picture {link} was not imported: {why}"));
                    continue;
                }
            };
            left = left.saturating_sub(read.bytes.len() as u64);
            if there.strip_prefix(&file.root).is_ok_and(|below| below == Path::new(&path)) {
                ours.push((path.clone(), sha256(&read.bytes)));
            }
            batch.push((
                line,
                NewAttachment {
                    id: self.runtime.new_id(),
                    name: path.rsplit('/').next().unwrap_or_default().to_owned(),
                    media: read.format.media().to_owned(),
                    bytes: read.bytes,
                    size: read.size,
                    place: Shown { entry: entry.row.id, link, path },
                },
            ));
            if batch.iter().map(|(_, new)| new.bytes.len()).sum::<usize>() > MAX_BATCH {
                self.store_pictures(std::mem::take(&mut batch), caller, &mut warnings, done).await?;
            }
        }
        self.store_pictures(batch, caller, &mut warnings, done).await?;
        // An export may replace these.
        self.journal.store.remember_files(&file.root.display().to_string(), &ours).await?;
        warnings.finish(&mut done.warnings);
        Ok(())
    }

    /// What an entry's text showed when its pictures were added.
    async fn links_of(&self, entry: &Entry) -> Result<HashSet<String>, Error> {
        let own = self.journal.store.attachments(Which::Of(entry.row.id)).await?;
        let places = own.into_iter().flat_map(|own| own.places);
        Ok(places.filter(|(place, _)| place.entry == entry.row.id).map(|(place, _)| place.link).collect())
    }

    async fn store_pictures(
        &self,
        batch: Vec<(usize, NewAttachment)>,
        caller: &Caller,
        warnings: &mut Warnings,
        done: &mut Imported,
    ) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let (lines, new): (Vec<usize>, Vec<NewAttachment>) = batch.into_iter().unzip();
        let stored = self.journal.store.attach(&new, false, self.runtime.now(), &caller.client).await?;
        for ((line, new), attached) in lines.into_iter().zip(&new).zip(stored) {
            let id = match attached {
                Attached::Here(id) => id,
                Attached::Restored(id) => {
                    warnings.add(line, &format!("the picture {} was in the bin and was restored", new.place.link));
                    id
                }
                Attached::Purged(_) => {
                    let link = &new.place.link;
                    warnings.add(line, &format!("the picture {link} was purged in this journal and was not imported"));
                    continue;
                }
            };
            let known = done.attachments.iter().any(|row| row.id == id);
            if !known && let Some(record) = self.journal.store.attachment(id).await? {
                done.attachments.push(attachment_row(record));
            }
        }
        Ok(())
    }
}

/// Warnings about the lines of a file; of many, the first are listed and the others counted.
struct Warnings {
    file: String,
    list: Vec<String>,
    more: usize,
}

impl Warnings {
    fn add(&mut self, line: usize, what: &str) {
        match self.list.len() {
            MOST_WARNINGS.. => self.more += 1,
            _ => self.list.push(format!("{}:{line}: {what}", self.file)),
        }
    }

    fn finish(self, all: &mut Vec<String>) {
        all.extend(self.list);
        if self.more > 0 {
            all.push(format!("{}: {} more linked files are not there or were not imported", self.file, self.more));
        }
    }
}

/// The pictures of a text whose files are there, and what is wrong with its links.
fn find(links: &[Link], root: &Path, folder: &Path) -> (Vec<Found>, Vec<(usize, String)>) {
    let roots = roots(folder);
    let (mut found, mut problems, mut names) = (Vec::new(), Vec::new(), Names::default());
    let mut places: BTreeMap<(String, bool), Place> = BTreeMap::new();
    for link in links {
        let Some(below) = link.below() else { continue };
        let key = (link.destination.clone(), link.only_in.is_some());
        let place = places.entry(key).or_insert_with(|| place(link, folder, &roots, &mut names));
        problems.extend(problem(link, place).map(|what| (link.line, what)));
        let (Place::There(there) | Place::Spelled(there) | Place::Elsewhere(there)) = place else { continue };
        if link.picture {
            let path = match link.only_in {
                // The text does not name its folder.
                Some(_) => beside(there, root, folder).unwrap_or_else(|| below.clone()),
                None => below.clone(),
            };
            found.push(Found { line: link.line, link: below, path, there: there.clone() });
        }
    }
    (found, problems)
}

/// Where an export has a file that is beside a text, or below the text's root.
fn beside(there: &Path, root: &Path, folder: &Path) -> Option<String> {
    let below = |base: &Path| Some(there.strip_prefix(base).ok()?.to_string_lossy().replace('\\', "/"));
    match below(folder) {
        Some(path) => Some(format!("journal/{path}")),
        None => below(root),
    }
}

/// Reads a picture below the root of a text or the repository that it is in.
fn read(root: &Path, there: &Path, left: u64) -> Result<Read, String> {
    let bytes = read_below(root, there, left).map_err(|why| match why {
        Unread::Missing => "it is outside of the imported folder and its repository".to_owned(),
        why => why.to_string(),
    })?;
    let Some(format) = Format::of(&bytes) else {
        return Err(match bytes.starts_with(b"version https://git-lfs") {
            true => "it is a pointer of Git LFS (`git lfs pull` gets the picture)".to_owned(),
            false => "its content is not a picture that browsers show".to_owned(),
        });
    };
    Ok(Read { format, size: picture::size(&bytes), bytes })
}

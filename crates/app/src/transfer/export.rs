//! From the journal to files; files of others are never overwritten.

use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use tracebook_core::entry::Entry;
use tracebook_render::markdown;

use super::Transfer;
use crate::ground::error::{Code, Error};
use crate::ground::files::{cannot_write, read_regular, sha256};
use crate::ground::schema::{Caller, Export, Exported};

impl Transfer {
    pub(crate) async fn export(&self, request: Export, caller: &Caller) -> Result<Exported, Error> {
        let call = self.runtime.begin(caller);
        let root = make_root(&request.to)?;
        let stems = self.stems().await?;
        let mut wanted: Vec<Entry> = Vec::new();
        if request.entries.is_empty() {
            for row in self.journal.store.entries(false).await? {
                wanted.extend(self.journal.store.entry(&row.id.to_string()).await?);
            }
        }
        for reference in &request.entries {
            let entry = self.journal.find_entry(reference).await?;
            if !stems.contains_key(&entry.row.id) {
                return Err(Error::not_found(format!("{reference} is in the bin"), "`entry restore` takes it out"));
            }
            wanted.push(entry);
        }
        let root_name = root.display().to_string();
        let mut known = self.journal.store.known_files(&root_name).await?;
        let mut done = Exported::default();
        let _writing = lock_folder(&root);
        for (n, entry) in wanted.iter().enumerate() {
            call.progress(n, wanted.len(), format!("Writing {}", entry.row.title))?;
            // An entry created meanwhile is left to the next export.
            let Some(stem) = stems.get(&entry.row.id) else { continue };
            let tree = self.tree(entry, stem).await?;
            for reference in markdown::scan(&entry.body).references {
                if self.journal.store.evidence_record(reference.id).await?.is_some_and(|r| r.deleted && !r.purged) {
                    done.warnings.push(format!(
                        "{}: evidence {} is in the bin, but the text still shows it, so it was exported",
                        entry.row.slug, reference.id
                    ));
                }
            }
            let many = wanted.len() > 1;
            done.warnings.extend(
                tree.warnings.iter().map(|w| if many { format!("{}: {w}", entry.row.slug) } else { w.clone() }),
            );
            for (path, bytes) in &tree.files {
                match write_file(&root, path, bytes, known.get(path), request.force)? {
                    Outcome::Written => done.written.push(path.clone()),
                    Outcome::Unchanged => done.unchanged += 1,
                    Outcome::Refused => {
                        done.refused.push(path.clone());
                        continue;
                    }
                }
                // Stored file by file: what is on disk stays known as ours even if a later file fails.
                let ours = sha256(bytes);
                if known.get(path) != Some(&ours) {
                    self.journal.store.remember_files(&root_name, &[(path.clone(), ours.clone())]).await?;
                    known.insert(path.clone(), ours);
                }
            }
        }
        call.progress(wanted.len(), wanted.len(), "Done")?;
        let (written, refused, warnings) = (done.written.len(), done.refused.len(), done.warnings.len());
        tracing::info!(written, unchanged = done.unchanged, refused, warnings, "exported");
        Ok(done)
    }
}

fn make_root(to: &str) -> Result<PathBuf, Error> {
    if to.trim().is_empty() {
        return Err(Error::usage("no folder to export to was given", "Name a folder: --to ~/my-repo"));
    }
    let path = Path::new(to);
    std::fs::create_dir_all(path).map_err(|e| cannot_write(path, &e))?;
    path.canonicalize().map_err(|e| cannot_write(path, &e))
}

enum Outcome {
    Written,
    Unchanged,
    Refused,
}

/// Prefix of temporary files; the process id follows.
pub(super) const TEMPORARY: &str = ".tracebook-";

/// Creates a folder below the root part by part, so that nothing is created through a link that leads out.
fn make_folder(root: &Path, relative: &Path) -> Result<(), Error> {
    let mut folder = root.to_owned();
    for part in relative.components() {
        folder.push(part);
        match std::fs::create_dir(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot_write(&folder, &error)),
        }
        let real = folder.canonicalize().map_err(|e| cannot_write(&folder, &e))?;
        if !real.starts_with(root) {
            return Err(Error::new(
                Code::Refused,
                format!("{} leads out of {} through a link", folder.display(), root.display()),
                "Export to the real folder, or remove the link",
            ));
        }
    }
    Ok(())
}

/// Locks the folder for an export, shared with others. If no other export runs, temporary files of a killed one are
/// removed first.
pub(super) fn lock_folder(root: &Path) -> Option<std::fs::File> {
    // Where folders cannot be opened there is no lock, and nothing is removed.
    let lock = std::fs::File::open(root).ok()?;
    if lock.try_lock().is_ok() {
        let journal = root.join("journal");
        clear(root, &journal);
        for entry in std::fs::read_dir(journal.join("assets")).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                clear(root, &entry.path());
            }
        }
        lock.unlock().ok()?;
    }
    lock.try_lock_shared().ok()?;
    Some(lock)
}

/// Removes temporary files from a folder, unless it lies outside of the root.
fn clear(root: &Path, folder: &Path) {
    if !folder.canonicalize().is_ok_and(|real| real.starts_with(root)) {
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(TEMPORARY)).unwrap_or_default();
        let ours = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            // A file that stays does no harm.
            if let Err(error) = std::fs::remove_file(entry.path()) {
                tracing::debug!(%error, "a temporary file could not be removed");
            }
        }
    }
}

/// Writes one file of the tree atomically; overwrites only files of ours.
fn write_file(root: &Path, path: &str, bytes: &[u8], known: Option<&String>, force: bool) -> Result<Outcome, Error> {
    let relative = Path::new(path);
    if !relative.components().all(|c| matches!(c, Component::Normal(_))) {
        return Err(Error::internal(format!("{path} leaves the folder")));
    }
    let target = root.join(relative);
    let folder = target.parent().unwrap_or(root);
    make_folder(root, relative.parent().unwrap_or(Path::new("")))?;
    match std::fs::symlink_metadata(&target) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(cannot_write(&target, &error)),
        Ok(meta) if meta.is_dir() => return Ok(Outcome::Refused),
        // A link, a pipe, a device: not ours, and reading it may never end.
        Ok(meta) if !meta.is_file() && !force => return Ok(Outcome::Refused),
        Ok(meta) if !meta.is_file() => {}
        Ok(_) => match read_regular(&target) {
            Some(there) if there == bytes => return Ok(Outcome::Unchanged),
            Some(there) if force || known == Some(&sha256(&there)) => {}
            // What cannot be read, or is too large, is not ours.
            None if force => {}
            _ => return Ok(Outcome::Refused),
        },
    }
    // Next to the target, so that the rename stays on one file system and is atomic.
    let temporary = folder.join(format!("{TEMPORARY}{}", std::process::id()));
    let written = std::fs::File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&temporary, &target));
    match written {
        Ok(()) => Ok(Outcome::Written),
        Err(error) => {
            // The target is unchanged; the next export removes what cannot be removed now.
            if let Err(error) = std::fs::remove_file(&temporary) {
                tracing::debug!(%error, "a temporary file could not be removed");
            }
            Err(cannot_write(&target, &error))
        }
    }
}

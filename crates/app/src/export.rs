//! From the journal to files, never over what somebody else wrote.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

use tracebook_core::entry::Entry;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_render::export::{self, EntryInput, Tree};
use tracebook_render::markdown;

use crate::Tracebook;
use crate::error::{Code, Error};
use crate::rpc::{Caller, Export, Exported};
use crate::tracebook::cannot_write;

impl Tracebook {
    pub(crate) async fn export(&self, request: Export, caller: &Caller) -> Result<Exported, Error> {
        let call = self.begin(caller);
        let root = make_root(&request.to)?;
        let all = self.all_entries().await?;
        let stems = self.stems(&all).await?;
        let wanted: Vec<&Entry> = if request.entries.is_empty() {
            all.iter().collect()
        } else {
            let mut wanted = Vec::new();
            for reference in &request.entries {
                let id = self.find_entry(reference).await?.row.id;
                wanted.push(all.iter().find(|e| e.row.id == id).ok_or_else(|| {
                    Error::not_found(format!("{reference} is in the bin"), "`entry restore` takes it out")
                })?);
            }
            wanted
        };
        let root_name = root.display().to_string();
        let mut known = self.journal.known_files(&root_name).await?;
        let mut done = Exported::default();
        for (n, entry) in wanted.iter().enumerate() {
            call.progress(n, wanted.len(), format!("Writing {}", entry.row.title))?;
            let tree = self.tree(entry, &stems[&entry.row.id]).await?;
            for reference in markdown::scan(&entry.body).references {
                if self.journal.evidence_record(reference.id).await?.is_some_and(|r| r.deleted && !r.purged) {
                    done.warnings.push(format!(
                        "{}: evidence {} is in the bin, and the text still shows it: it was written all the same",
                        entry.row.slug, reference.id
                    ));
                }
            }
            let many = wanted.len() > 1;
            done.warnings.extend(
                tree.warnings.iter().map(|w| if many { format!("{}: {w}", entry.row.slug) } else { w.clone() }),
            );
            let mut ours = Vec::new();
            for (path, bytes) in &tree.files {
                // Remembered file by file: what is on disk stays known as ours even if a later one fails.
                match write_file(&root, path, bytes, known.get(path), request.force)? {
                    Outcome::Written => done.written.push(path.clone()),
                    Outcome::Unchanged => done.unchanged += 1,
                    Outcome::Refused => {
                        done.refused.push(path.clone());
                        continue;
                    }
                }
                known.insert(path.clone(), sha256(bytes));
                ours.push((path.clone(), sha256(bytes)));
            }
            self.journal.remember_files(&root_name, &ours).await?;
        }
        call.progress(wanted.len(), wanted.len(), "Done")?;
        Ok(done)
    }

    /// The files of one entry.
    pub(crate) async fn tree(&self, entry: &Entry, stem: &str) -> Result<Tree, Error> {
        let mut evidence: BTreeMap<Id, Frozen> = BTreeMap::new();
        for reference in markdown::scan(&entry.body).references {
            if let Some(frozen) = self.journal.evidence(reference.id).await? {
                evidence.insert(reference.id, frozen);
            }
        }
        let (entry, stem) = (entry.clone(), stem.to_owned());
        tokio::task::spawn_blocking(move || {
            export::entry(&EntryInput { row: &entry.row, body: &entry.body, file: &stem, evidence: &evidence })
        })
        .await
        .map_err(Error::internal)
    }

    pub(crate) async fn all_entries(&self) -> Result<Vec<Entry>, Error> {
        let mut all = Vec::new();
        for row in self.journal.entries(false).await? {
            all.extend(self.journal.entry(&row.id.to_string()).await?);
        }
        Ok(all)
    }

    /// The file name (without `.md`) of every entry: its own where it was imported, else after the week or
    /// slug; never the same twice, also where capitals do not count.
    pub(crate) async fn stems(&self, all: &[Entry]) -> Result<BTreeMap<Id, String>, Error> {
        let mut oldest_first: Vec<&Entry> = all.iter().collect();
        oldest_first.sort_by_key(|e| e.row.id);
        let mut taken: HashSet<String> = HashSet::new();
        let mut stems = BTreeMap::new();
        for entry in oldest_first {
            let wanted = match self.journal.entry_file(entry.row.id).await? {
                Some(file) => file,
                None => {
                    entry.row.slug.strip_prefix("week-").map_or(entry.row.slug.clone(), |rest| format!("week{rest}"))
                }
            };
            let mut stem = wanted.clone();
            let mut n = 1;
            while !taken.insert(stem.to_lowercase()) {
                n += 1;
                stem = format!("{wanted}-{n}");
            }
            stems.insert(entry.row.id, stem);
        }
        Ok(stems)
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn make_root(to: &str) -> Result<PathBuf, Error> {
    if to.trim().is_empty() {
        return Err(Error::usage("export where to?", "Name a folder: --to ~/my-repo"));
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

/// Writes one file of the tree: whole or not at all, and only over what is ours.
fn write_file(root: &Path, path: &str, bytes: &[u8], known: Option<&String>, force: bool) -> Result<Outcome, Error> {
    let relative = Path::new(path);
    if !relative.components().all(|c| matches!(c, Component::Normal(_))) {
        return Err(Error::internal(format!("{path} leaves the folder")));
    }
    let target = root.join(relative);
    let folder = target.parent().unwrap_or(root);
    std::fs::create_dir_all(folder).map_err(|e| cannot_write(folder, &e))?;
    let real = folder.canonicalize().map_err(|e| cannot_write(folder, &e))?;
    if !real.starts_with(root) {
        return Err(Error::new(
            Code::Refused,
            format!("{} leads out of {} through a link", folder.display(), root.display()),
            "Export to the real folder, or remove the link",
        ));
    }
    match std::fs::symlink_metadata(&target) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(cannot_write(&target, &error)),
        Ok(meta) if meta.is_dir() => return Ok(Outcome::Refused),
        Ok(meta) if meta.is_symlink() && !force => return Ok(Outcome::Refused),
        Ok(_) => {
            let there = std::fs::read(&target).map_err(|e| cannot_write(&target, &e))?;
            if there == bytes {
                return Ok(Outcome::Unchanged);
            }
            if !force && known != Some(&sha256(&there)) {
                return Ok(Outcome::Refused);
            }
        }
    }
    // Beside the target, so that the rename stays on one file system and is atomic.
    let beside = folder.join(format!(".tracebook-{}", std::process::id()));
    let written = std::fs::File::create(&beside)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&beside, &target));
    match written {
        Ok(()) => Ok(Outcome::Written),
        Err(error) => {
            // The half-written neighbour is ours to clear; the target is as it was.
            let _ = std::fs::remove_file(&beside);
            Err(cannot_write(&target, &error))
        }
    }
}

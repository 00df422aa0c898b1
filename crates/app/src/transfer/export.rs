//! From the journal to files; files of others are never overwritten, and no link is followed below the folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tracebook_core::entry::Entry;
use tracebook_core::ids::Id;
use tracebook_render::manifest::{self, Line, Manifest};
use tracebook_render::{markdown, verify};
use tracebook_store::evidence::EvidenceState;

use super::last_export::{LastExports, Outcome};
use super::masks::{MOST_TRIES, Masking};
use super::packed::Packing;
use super::tree::Exportable;
use super::{Transfer, leaks};
use crate::ground::error::{Code, Error};
use crate::ground::files::{MAX_FILE_BYTES, cannot_write, sha256, typed_path};
use crate::ground::folder::{self, Folder, Unread};
use crate::ground::runtime::Runtime;
use crate::ground::schema::{Caller, Export, Exported, Leak};
use crate::ground::tasks::blocking;
use crate::signing::{self, Signer};

impl Transfer {
    pub(crate) async fn export(&self, request: Export, caller: &Caller) -> Result<Exported, Error> {
        self.export_as(request, false, caller).await
    }

    /// Exports; with `shared`, every entry has its `entry.json` and its line in the manifest, so that other journals
    /// recognise it.
    pub(super) async fn export_as(&self, request: Export, shared: bool, caller: &Caller) -> Result<Exported, Error> {
        let call = self.runtime.begin(caller);
        let signer = self.signing.signer(request.sign.as_deref(), request.passphrase.as_ref()).await?;
        let packing = Packing::of(request.format, &request.to, request.raw);
        if request.raw && (packing.is_none() || !request.allow_leaks) {
            return Err(Error::usage(
                "raw data is exported as it was received, with nothing masked, and into a bundle only",
                "Add --format bundle --allow-leaks, or leave --raw out",
            ));
        }
        let (root, root_path) = make_root(packing.as_ref().map_or(&request.to, |packing| &packing.folder))?;
        let stems = self.journal.stems().await?;
        let wanted = self.wanted(&request.entries, &stems).await?;
        let mut done = Exported::default();
        let mut masking = if request.allow_leaks { None } else { Some(self.masking().await?) };
        let root_name = root_path.display().to_string();
        let states = self.journal.store.evidence_states().await?;
        let last = if request.redraw || packing.is_some() {
            LastExports::default()
        } else {
            self.last_exports(&root_name, &wanted, &stems, &states, masking.as_ref()).await?
        };
        if let Some(masking) = &mut masking {
            last.learn(&wanted, masking);
        }
        let leaks = leaks::find(wanted.iter().filter(|entry| !last.has(entry.row.id)), &stems);
        let is_allowed = |leak: &Leak| request.allow_leaks || request.allow.contains(&leak.mark);
        let (allowed, refused): (Vec<Leak>, Vec<Leak>) = leaks.into_iter().partition(is_allowed);
        if !refused.is_empty() {
            return Err(leaks::refusal(&refused));
        }
        // The next export may not allow them.
        let not_remembered: BTreeSet<Id> = allowed.iter().map(|leak| leak.entry).collect();
        done.warnings.extend(allowed.iter().map(|leak| format!("{}, exported as it stands", leak.said())));
        let _lock = lock_folder(&root);
        let root = Arc::new(root);
        let writing = Writing {
            root: Arc::clone(&root),
            root_path,
            runtime: self.runtime.clone(),
            force: request.force,
            redraw: request.redraw,
            shared,
        };
        let known = self.journal.store.known_files(&root_name).await?;
        let mut run = Run {
            transfer: self,
            wanted: &wanted,
            writing,
            root_name: &root_name,
            masking,
            packing,
            known,
            shown: BTreeMap::new(),
        };
        let mut outcomes: Vec<Option<Outcome>> = vec![None; wanted.len()];
        let mut remembered = Vec::new();
        // Accounts that the evidence of one entry has may also stand in others, which were written before.
        for again in [false, true] {
            for (n, entry) in wanted.iter().enumerate() {
                call.progress(n, wanted.len(), format!("Writing {}", entry.row.title))?;
                // An entry created meanwhile is left to the next export.
                let Some(stem) = stems.get(&entry.row.id) else { continue };
                if again && outcomes[n].as_ref().is_none_or(|outcome| outcome.is_masked_with(run.masking.as_ref())) {
                    continue;
                }
                let outcome = match last.unchanged(entry.row.id, run.masking.as_ref(), &root).await? {
                    Some(outcome) => outcome,
                    None => run.tree(entry, stem).await?,
                };
                outcomes[n] = Some(outcome.after(outcomes[n].take()));
            }
        }
        let mut lines = Vec::new();
        for (entry, outcome) in wanted.iter().zip(outcomes) {
            let (Some(outcome), Some(stem)) = (outcome, stems.get(&entry.row.id)) else { continue };
            let said: Vec<String> = outcome.warnings.iter().cloned().chain(in_bin(entry, &states)).collect();
            let many = wanted.len() > 1;
            done.warnings.extend(said.into_iter().map(|w| if many { format!("{}: {w}", entry.row.slug) } else { w }));
            done.masked = done.masked.saturating_add(outcome.masked);
            lines.extend(outcome.line.clone());
            done.unchanged = done.unchanged.saturating_add(outcome.unchanged);
            done.written.extend(outcome.written.iter().cloned());
            done.refused.extend(outcome.refused.iter().cloned());
            if let Some(inputs) = last.inputs(entry.row.id)
                && outcome.is_to_remember()
                && !not_remembered.contains(&entry.row.id)
            {
                remembered.push((entry.row.id, outcome.remembered(inputs)?));
            }
            run.pictures(entry, stem, &mut done).await?;
            if let Some(packing) = &mut run.packing {
                let evidence = outcome.line.iter().flat_map(|line| line.evidence.clone()).collect::<Vec<Id>>();
                self.pack_raw(packing, &evidence).await?;
            }
        }
        if !remembered.is_empty() {
            self.journal.store.remember_exports(&root_name, &remembered, self.runtime.now()).await?;
        }
        let Run { packing, writing, known, .. } = run;
        if let Some(packing) = packing {
            let only = wanted.first().filter(|_| request.entries.len() == 1).and_then(|entry| stems.get(&entry.row.id));
            let (place, what) = ((&writing, &*root_name), (lines, only.map(String::as_str)));
            self.write_packed(packing, place, what, signer, &mut done).await?;
            call.progress(wanted.len(), wanted.len(), "Done")?;
            return Ok(done);
        }
        let (manifest, mut files) = writing.manifest(lines, &stems, signer.as_ref().map(Signer::fingerprint))?;
        if let Some(manifest) = manifest {
            let signed = self.sign(&writing, manifest, signer, known.get(SIGNATURE)).await?;
            done.signed_by = signed.by;
            done.warnings.extend(signed.warning);
            done.refused.extend(signed.refused.then(|| SIGNATURE.to_owned()));
            if let Some(written) = signed.written {
                if let Written::Now(there) | Written::Already(there) = &written {
                    let ours = [(SIGNATURE.to_owned(), there.clone())];
                    self.journal.store.remember_files(&root_name, &ours).await?;
                }
                files.push((SIGNATURE.to_owned(), written));
            }
        }
        for (path, outcome) in files {
            match outcome {
                Written::Now(_) => done.written.push(path),
                Written::Already(_) => done.unchanged += 1,
                Written::Refused(_) => done.refused.push(path),
            }
        }
        call.progress(wanted.len(), wanted.len(), "Done")?;
        let (written, refused, warnings) = (done.written.len(), done.refused.len(), done.warnings.len());
        tracing::info!(written, unchanged = done.unchanged, refused, warnings, "exported");
        Ok(done)
    }

    /// Signs the manifest, unless this key has signed it already. `known` is the digest of the signature that was last
    /// written here.
    async fn sign(
        &self,
        writing: &Writing,
        manifest: Vec<u8>,
        signer: Option<Signer>,
        known: Option<&String>,
    ) -> Result<Signed, Error> {
        let mut signed = Signed::default();
        let there = writing.root.read(Path::new(SIGNATURE), MAX_FILE_BYTES).ok();
        let Some(signer) = signer else {
            let stale = there.is_some_and(|there| !signing::holds(&there, &manifest));
            signed.warning = stale.then(|| {
                format!("{SIGNATURE} does not hold for this export: sign it again (--sign), or delete the signature")
            });
            return Ok(signed);
        };
        signed.by = Some(signer.fingerprint());
        if let Some(there) = there.filter(|there| signer.has_signed(there, &manifest)) {
            signed.written = Some(Written::Already(sha256(&there)));
            return Ok(signed);
        }
        let text = blocking(move || signer.sign(&manifest)).await??;
        signed.written = match writing.file(SIGNATURE, text.as_bytes(), known)? {
            // The digest of what others wrote is not remembered as ours.
            Written::Refused(_) => return Ok(Signed { refused: true, ..Signed::default() }),
            written => Some(written),
        };
        Ok(signed)
    }

    /// The entries that were named; all if none was.
    pub(super) async fn wanted(&self, named: &[String], stems: &BTreeMap<Id, String>) -> Result<Vec<Entry>, Error> {
        let mut wanted = Vec::new();
        if named.is_empty() {
            for row in self.journal.store.entries(false).await? {
                wanted.extend(self.journal.store.entry(&row.id.to_string()).await?);
            }
        }
        for reference in named {
            let entry = self.journal.find_entry(reference).await?;
            if !stems.contains_key(&entry.row.id) {
                return Err(Error::not_found(format!("{reference} is in the bin"), "`entry restore` takes it out"));
            }
            wanted.push(entry);
        }
        Ok(wanted)
    }
}

/// The folder to export to, and its real path.
fn make_root(to: &str) -> Result<(Folder, PathBuf), Error> {
    if to.trim().is_empty() {
        return Err(Error::usage("no folder to export to was given", "Name a folder: --to ~/my-repo"));
    }
    let path = &*typed_path(to);
    if path.is_file() {
        let hint = "Name a folder: the entries go into journal/ in it";
        return Err(Error::usage(format!("{} is a file, not a folder", path.display()), hint));
    }
    let made = std::fs::create_dir_all(path).and_then(|()| {
        // The user may name the folder by a link.
        let real = path.canonicalize()?;
        Ok((Folder::open(&real)?, real))
    });
    made.map_err(|e| cannot_write(path, &e))
}

/// The signature of the manifest, relative to the folder.
pub(super) const SIGNATURE: &str = "journal/tracebook.jsonl.sig";

/// What became of a signature.
#[derive(Default)]
struct Signed {
    /// The key.
    by: Option<String>,
    written: Option<Written>,
    /// Something that is not ours has the name.
    refused: bool,
    warning: Option<String>,
}

/// What became of one file.
pub(super) enum Written {
    /// The SHA-256 of what is there now.
    Now(String),
    /// The same.
    Already(String),
    /// Something that is not ours has the name; what it is, if it is no file.
    Refused(Option<&'static str>),
}

/// Evidence in the bin that a text still shows.
fn in_bin(entry: &Entry, states: &HashMap<Id, EvidenceState>) -> Vec<String> {
    let shown = markdown::scan(&entry.body).references.into_iter().map(|reference| reference.id);
    let binned = shown.filter(|id| states.get(id).is_some_and(|state| state.deleted && !state.purged));
    binned.map(|id| format!("evidence {id} is in the bin, but the text still shows it, so it was exported")).collect()
}

/// An export that is running.
struct Run<'a> {
    transfer: &'a Transfer,
    wanted: &'a [Entry],
    writing: Writing,
    root_name: &'a str,
    masking: Option<Masking>,
    /// What is collected instead of written, if it becomes one file.
    packing: Option<Packing>,
    /// The SHA-256 of the files that were written last, by path.
    known: BTreeMap<String, String>,
    /// The SHA-256 of the pictures of this export, by path.
    shown: BTreeMap<String, String>,
}

impl Run<'_> {
    /// Masks, draws and writes an entry.
    async fn tree(&mut self, entry: &Entry, stem: &str) -> Result<Outcome, Error> {
        let mut tries = 0;
        let (accounts, Exportable { tree, hits, numbers, .. }) = loop {
            let accounts = self.masking.as_ref().map(Masking::known_accounts).unwrap_or_default();
            let file = self.masking.as_mut().map_or_else(|| stem.to_owned(), |masking| masking.stem(&entry.row, stem));
            let out = self.transfer.tree_as(entry, &file, &mut self.masking, self.writing.shared).await?;
            // Before any file: what a placeholder stands for must not be lost.
            let Some(used) = &mut self.masking else { break (accounts, out) };
            if self.transfer.keep_masks(used).await? {
                break (accounts, out);
            }
            tries += 1;
            if tries == MOST_TRIES {
                return Err(Error::internal("another process exports at the same time, again and again"));
            }
            let mut again = self.transfer.masking().await?;
            for entry in self.wanted {
                again.learn(entry);
            }
            self.masking = Some(again);
        };
        let mut outcome = Outcome {
            line: tree.line,
            warnings: tree.warnings,
            masked: u32::try_from(hits.len()).unwrap_or(u32::MAX),
            accounts: self.masking.as_ref().map(|masking| masking.accounts_of(entry.row.id)).unwrap_or_default(),
            masked_with: numbers.intersection(&accounts).cloned().collect(),
            numbers,
            made: true,
            ..Outcome::default()
        };
        self.files(tree.files, &mut outcome).await?;
        Ok(outcome)
    }

    /// Writes the pictures of an entry. They are compared with what is there each time, since those that were not
    /// imported are files that others can change.
    async fn pictures(&mut self, entry: &Entry, stem: &str, done: &mut Exported) -> Result<(), Error> {
        let mut pictures = self.transfer.pictures_of(entry, stem, &self.writing.root_path).await?;
        done.warnings.append(&mut pictures.warnings);
        if let Some(masking) = &mut self.masking {
            let files = std::mem::take(&mut pictures.files);
            pictures.files = files.into_iter().map(|(path, bytes)| (masking.path(&path), bytes)).collect();
        }
        // Two entries that were imported from different folders may show different pictures by one name.
        pictures.files.retain(|path, bytes| {
            let mine = sha256(bytes);
            let same = *self.shown.entry(path.clone()).or_insert_with(|| mine.clone()) == mine;
            if !same {
                done.warnings.push(format!("{stem}.md: another entry has another picture as {path}"));
            }
            same
        });
        let mut outcome = Outcome::default();
        self.files(pictures.files, &mut outcome).await?;
        done.unchanged = done.unchanged.saturating_add(outcome.unchanged);
        done.written.append(&mut outcome.written);
        done.refused.append(&mut outcome.refused);
        done.warnings.append(&mut outcome.warnings);
        Ok(())
    }

    async fn files(&mut self, files: BTreeMap<String, Vec<u8>>, outcome: &mut Outcome) -> Result<(), Error> {
        if let Some(packing) = &mut self.packing {
            packing.files.extend(files);
            return Ok(());
        }
        let files: Vec<(String, Vec<u8>, Option<String>)> = files
            .into_iter()
            .map(|(path, bytes)| {
                let known = self.known.get(&path).cloned();
                (path, bytes, known)
            })
            .collect();
        let writing = self.writing.clone();
        // One after the other: several writers that wait for the disk would slow what is received meanwhile.
        let written = blocking(move || {
            let write = |(path, bytes, known): (String, Vec<u8>, Option<String>)| {
                let written = writing.file(&path, &bytes, known.as_ref());
                (path, written)
            };
            files.into_iter().map(write).collect::<Vec<_>>()
        })
        .await?;
        let (mut ours, mut failed) = (Vec::new(), None);
        for (path, written) in written {
            let there = match written {
                Ok(Written::Now(there)) => {
                    outcome.written.push(path.clone());
                    there
                }
                Ok(Written::Already(there)) => {
                    outcome.unchanged += 1;
                    there
                }
                Ok(Written::Refused(what)) => {
                    outcome.warnings.extend(what.map(|what| format!("{path} is {what}, not a file")));
                    outcome.refused.push(path);
                    continue;
                }
                Err(error) => {
                    failed = failed.or(Some(error));
                    continue;
                }
            };
            if self.known.get(&path) != Some(&there) {
                ours.push((path.clone(), there.clone()));
                self.known.insert(path.clone(), there.clone());
            }
            outcome.files.insert(path, there);
        }
        // Also if one failed: what is on disk stays known as ours.
        if !ours.is_empty() {
            self.transfer.journal.store.remember_files(self.root_name, &ours).await?;
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Locks the folder for an export, shared with others. If no other export runs, temporary files of a killed one are
/// removed first.
pub(super) fn lock_folder(root: &Folder) -> Option<std::fs::File> {
    // Where folders cannot be locked, nothing is removed.
    let lock = root.as_file().ok()?;
    if lock.try_lock().is_ok() {
        if let Ok(journal) = root.folder(Path::new("journal")) {
            journal.clear();
            if let Ok(assets) = journal.folder(Path::new("assets")) {
                const MOST: usize = 100_000;
                for (name, entry) in assets.entries(MOST).unwrap_or_default() {
                    if entry == folder::Entry::Folder
                        && let Ok(folder) = assets.folder(Path::new(&name))
                    {
                        folder.clear();
                    }
                }
            }
        }
        lock.unlock().ok()?;
    }
    lock.try_lock_shared().ok()?;
    Some(lock)
}

/// Files with what was done to them.
type Files = Vec<(String, Written)>;

/// A file of the tree to write.
#[derive(Clone, Debug)]
pub(super) struct Writing {
    pub(super) root: Arc<Folder>,
    /// Of `root`, for messages.
    root_path: PathBuf,
    runtime: Runtime,
    force: bool,
    /// Whether drawings of earlier renderers are replaced.
    redraw: bool,
    /// Whether every entry has its `entry.json` and a line in the manifest.
    shared: bool,
}

impl Writing {
    /// Writes one file of the tree atomically; overwrites only files of ours. `known` is the digest of the file that
    /// was last written there.
    pub(super) fn file(&self, path: &str, bytes: &[u8], known: Option<&String>) -> Result<Written, Error> {
        let relative = Path::new(path);
        let (Some(name), true) =
            (relative.file_name(), relative.components().all(|c| matches!(c, Component::Normal(_))))
        else {
            return Err(Error::internal(format!("{path} leaves the folder")));
        };
        let target = self.root_path.join(relative);
        let name = Path::new(name);
        let parent = relative.parent().unwrap_or(Path::new(""));
        let folder = self.root.make(parent).map_err(|why| self.cannot_open(parent, why))?;
        match folder.entry(name).map_err(|e| cannot_write(&target, &e))? {
            None => {}
            Some(folder::Entry::Folder) => return Ok(Written::Refused(Some("a folder"))),
            // With --force it is replaced, not written to.
            Some(folder::Entry::Link) if !self.force => return Ok(Written::Refused(Some("a link"))),
            Some(folder::Entry::Special) if !self.force => {
                return Ok(Written::Refused(Some("a pipe, a socket or a device")));
            }
            Some(folder::Entry::Link | folder::Entry::Special) => {}
            Some(folder::Entry::File) => match folder.read(name, MAX_FILE_BYTES.max(bytes.len() as u64 + 1)) {
                Ok(there) if there == bytes => return Ok(Written::Already(sha256(bytes))),
                // A newer version that draws differently must not change every published card.
                Ok(there) if !self.redraw && verify::is_earlier_drawing(&there, bytes) => {
                    return Ok(Written::Already(sha256(&there)));
                }
                Ok(there) if self.force || known == Some(&sha256(&there)) => {}
                // What cannot be read, or is too large, is not ours.
                Err(_) if self.force => {}
                Ok(_) | Err(_) => return Ok(Written::Refused(None)),
            },
        }
        folder.replace(name, bytes, self.runtime.entropy()).map_err(|e| cannot_write(&target, &e))?;
        Ok(Written::Now(sha256(bytes)))
    }

    /// Writes the entries' lines into the manifest. Those of other entries stay as long as their file or entry exists:
    /// one repository may have several journals.
    /// Returns its bytes, unless there is none, and what was done. `signer` is the key that will sign it.
    fn manifest(
        &self,
        lines: Vec<Line>,
        stems: &BTreeMap<Id, String>,
        signer: Option<String>,
    ) -> Result<(Option<Vec<u8>>, Files), Error> {
        let journal = Path::new("journal");
        let folder = self.root.make(journal).map_err(|why| self.cannot_open(journal, why))?;
        let path = |name: &str| format!("journal/{name}");
        // A repository without evidence is left as it is, unless it is to be signed.
        let there = folder.entry(Path::new(manifest::NAME)).ok().flatten();
        let plain = !self.shared && signer.is_none() && lines.iter().all(|line| line.evidence.is_empty());
        if lines.is_empty() || there.is_none() && plain {
            return Ok((None, Vec::new()));
        }
        let there = folder.read(Path::new(manifest::NAME), MAX_FILE_BYTES).ok();
        let known = there.as_deref().and_then(Manifest::read);
        // A merge or another journal may have changed it, which makes it no less ours.
        let ours = known.as_ref().and(there.as_ref()).map(|bytes| sha256(bytes));
        let exists = |file: &str| matches!(folder.entry(Path::new(file)), Ok(Some(folder::Entry::File)));
        let keep = |line: &Line| stems.contains_key(&line.entry) || exists(&line.file);
        let before = known.unwrap_or_default();
        let mut next = before.clone().with(lines, keep);
        // What one key has signed stays signed by it as long as nothing changes.
        next.signer = signer.or_else(|| before.signer.clone().filter(|_| before.lines == next.lines));
        let text = next.to_text();
        let outcome = self.file(&path(manifest::NAME), text.as_bytes(), ours.as_ref())?;
        let signable = !matches!(outcome, Written::Refused(_));
        let mut done = vec![(path(manifest::NAME), outcome)];
        const ATTRIBUTES: &str = ".gitattributes";
        let own = manifest::ATTRIBUTES.as_bytes();
        match folder.entry(Path::new(ATTRIBUTES)) {
            Ok(None) => done.push((path(ATTRIBUTES), self.file(&path(ATTRIBUTES), own, None)?)),
            // One that the user has extended is the user's.
            Ok(Some(folder::Entry::File))
                if folder.read(Path::new(ATTRIBUTES), MAX_FILE_BYTES).is_ok_and(|it| it == own) =>
            {
                done.push((path(ATTRIBUTES), Written::Already(sha256(own))));
            }
            _ => {}
        }
        Ok((signable.then(|| text.into_bytes()), done))
    }

    fn cannot_open(&self, folder: &Path, why: Unread) -> Error {
        let shown = self.root_path.join(folder);
        let shown = shown.display();
        match why {
            Unread::Link => Error::new(
                Code::Refused,
                format!("{shown}: it or a folder above it is a link, and an export follows none"),
                "Export to the real folder, or remove the link",
            ),
            Unread::Special => Error::new(
                Code::Refused,
                format!("{shown}: it or a folder above it is not a folder"),
                "Rename what is there, or export to another folder",
            ),
            Unread::Io(error) => cannot_write(&self.root_path.join(folder), &error),
            Unread::Missing | Unread::TooLarge(_) => Error::internal(format!("{shown}: {why}")),
        }
    }
}

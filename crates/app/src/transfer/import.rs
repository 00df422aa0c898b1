//! From files to the journal: markdown as it is, or an exported entry with its evidence.

use std::path::{Path, PathBuf};

use tracebook_core::entry::{self, Entry};
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_render::import::{self, ImportedEntry};
use tracebook_render::markdown;
use tracebook_store::entries::NewEntry;

use super::Transfer;
use crate::ground::error::Error;
use crate::ground::files::{MAX_FILE_BYTES, MAX_STEM_BYTES, is_markdown, read_below, sha256, shortened};
use crate::ground::schema::{Caller, Import, Imported};
use crate::journal::shown_in;

/// A markdown file to import.
struct SourceFile {
    /// The folder that an export of it is written to.
    root: String,
    /// Relative to `root`.
    path: String,
    /// The file name without `.md`.
    stem: String,
    /// The folder of the file; `None` for a text given directly.
    folder: Option<PathBuf>,
    text: String,
}

impl Transfer {
    pub(crate) async fn import(&self, request: Import, caller: &Caller) -> Result<Imported, Error> {
        let call = self.runtime.begin(caller);
        let mut files = Vec::new();
        for path in &request.paths {
            collect(Path::new(path), &mut files)?;
        }
        let mut done = Imported::default();
        let mut found = Vec::new();
        for file in files {
            found.push(read(&file)?);
        }
        for given in request.texts {
            let (name, stem, as_given) = given_name(&given.name);
            if !as_given {
                done.warnings.push(format!(
                    "{name}: its name was too long, or contained characters that file names must not have"
                ));
            }
            found.push(SourceFile { root: String::new(), path: name, stem, folder: None, text: given.text });
        }
        let of = found.len();
        for (n, file) in found.into_iter().enumerate() {
            call.progress(n, of, format!("Reading {}", file.path))?;
            self.import_one(file, caller, &mut done).await?;
        }
        call.progress(of, of, "Done")?;
        let (entries, evidence, warnings) = (done.entries.len(), done.evidence.len(), done.warnings.len());
        tracing::info!(entries, evidence, warnings, "imported");
        Ok(done)
    }

    async fn import_one(&self, file: SourceFile, caller: &Caller, done: &mut Imported) -> Result<(), Error> {
        let name = file.path.clone();
        let known = self.journal.store.known_files(&file.root).await?.remove(&file.path);
        let (entry, fresh) = match exported_form(&file) {
            Some(Ok(imported)) => {
                done.warnings.extend(imported.warnings.iter().map(|w| format!("{name}: {w}")));
                for frozen in &imported.evidence {
                    self.import_evidence(frozen, caller, done).await?;
                }
                let there = self.journal.store.entry(&imported.id.to_string()).await?;
                let new = imported_as_new(&imported, &file.stem);
                let stored = self.store_entry(there, new, &file, known.as_deref(), caller, done).await?;
                // After the entry: what the file's journal froze since must not look like a local change.
                for live in &imported.live {
                    let said = self.live_cards.import(live, caller).await?;
                    done.warnings.extend(said.map(|w| format!("{name}: {w}")));
                }
                stored
            }
            form => {
                if let Some(Err(why)) = form {
                    done.warnings.push(format!(
                        "{name}: imported as plain markdown, because its entry.json cannot be used: {why}"
                    ));
                }
                self.warn_of_missing(&file, done).await?;
                let title = entry::title_of(&file.text).unwrap_or_else(|| file.stem.clone());
                let week = entry::week_of(&file.stem).or_else(|| entry::week_of(&title));
                let new = NewEntry {
                    id: self.runtime.new_id(),
                    slug: entry::slug(week.as_deref(), &title),
                    week,
                    title,
                    shows: shown_in(&file.text),
                    body: file.text.clone(),
                    file: Some(file.stem.clone()),
                    reason: "import".to_owned(),
                };
                let there = self.entry_from_file(&file, known.is_some()).await?;
                self.store_entry(there, new, &file, known.as_deref(), caller, done).await?
            }
        };
        if fresh && !file.root.is_empty() {
            let mut ours = vec![(file.path.clone(), sha256(file.text.as_bytes()))];
            ours.extend(assets_of(&file));
            self.journal.store.remember_files(&file.root, &ours).await?;
        }
        done.entries.push(entry.row);
        Ok(())
    }

    /// Creates the entry, or writes the text to the existing one. True if the entry now has the file's text.
    async fn store_entry(
        &self,
        there: Option<Entry>,
        new: NewEntry,
        file: &SourceFile,
        known: Option<&str>,
        caller: &Caller,
        done: &mut Imported,
    ) -> Result<(Entry, bool), Error> {
        let Some(there) = there else {
            return Ok((self.journal.store.add_entry(&new, self.runtime.now(), &caller.client).await?, true));
        };
        if self.journal.store.entry_in_bin(there.row.id).await? {
            self.journal.store.bin_entry(there.row.id, None, &caller.client).await?;
            done.warnings.push(format!("{}: the entry {} was in the bin and was restored", file.path, there.row.slug));
        }
        if there.body == new.body {
            return Ok((there, true));
        }
        // Overwritten only if the entry still has the text that the file had at the last export or import.
        let stem = self.stems().await?.remove(&there.row.id).unwrap_or(file.stem.clone());
        let mine = self.tree(&there, &stem).await?;
        let as_exported = mine.files.get(&format!("journal/{stem}.md")).map(|bytes| sha256(bytes));
        let unchanged_here = known.is_some()
            && (as_exported.as_deref() == known || Some(sha256(there.body.as_bytes()).as_str()) == known);
        // With a base that is never current the text is kept as a revision.
        let base = if unchanged_here { there.revision } else { -1 };
        self.journal.store.keep_revision(there.row.id, "import", self.runtime.now(), &caller.client).await?;
        let written =
            self.journal.write_body(there.row.id, Some(base), new.body, Some("import".to_owned()), caller).await?;
        if !written.accepted {
            done.warnings.push(format!("{}: {}", file.path, written.message));
        }
        Ok((self.journal.find_entry(&there.row.id.to_string()).await?, written.accepted))
    }

    /// The entry that this file was imported as or exported from.
    async fn entry_from_file(&self, file: &SourceFile, known: bool) -> Result<Option<Entry>, Error> {
        let stems = self.stems().await?;
        // Stems are unique.
        let Some((id, _)) = stems.iter().find(|(_, stem)| **stem == file.stem) else { return Ok(None) };
        let entry = self.journal.store.entry(&id.to_string()).await?;
        Ok(entry.filter(|entry| known || entry.body == file.text))
    }

    async fn import_evidence(&self, frozen: &Frozen, caller: &Caller, done: &mut Imported) -> Result<(), Error> {
        let id = frozen.evidence.id;
        if let Some(record) = self.journal.store.evidence_record(id).await? {
            if record.deleted && !record.purged {
                self.journal.store.bin_evidence(id, None, &caller.client).await?;
            }
            if record.purged {
                done.warnings.push(format!("evidence {id} was purged in this journal and was not imported"));
            } else if record.digest != frozen.digest {
                done.warnings.push(format!(
                    "evidence {id} is in this journal with another digest ({}); the one in the file was ignored",
                    record.digest
                ));
            }
        } else {
            self.evidence.keep(frozen, &[], caller).await?;
        }
        done.evidence.push(self.evidence.row(id).await?);
        Ok(())
    }

    async fn warn_of_missing(&self, file: &SourceFile, done: &mut Imported) -> Result<(), Error> {
        for reference in markdown::scan(&file.text).live {
            if self.journal.store.live_card(reference.id).await?.is_none() {
                let (path, line, id) = (&file.path, reference.place.line, reference.id);
                done.warnings.push(format!("{path}:{line}: the live card {id} is not in this journal"));
            }
        }
        let Some(folder) = &file.folder else { return Ok(()) };
        for link in markdown::links(&file.text) {
            let local = link.path();
            if !local.is_empty() && !folder.join(&local).exists() {
                let what = if link.picture { "the picture" } else { "the linked file" };
                done.warnings.push(format!("{}:{}: {what} {local} is not there", file.path, link.line));
            }
        }
        Ok(())
    }
}

/// A given name as a file name and its stem: the last part, without control and bidirectional characters, not too
/// long. And whether nothing was changed.
fn given_name(given: &str) -> (String, String, bool) {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let hides = |c: char| matches!(u32::from(c), 0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff);
    let name: String = last.chars().filter(|c| !c.is_control() && !hides(*c)).collect();
    let path = Path::new(&name);
    let (stem, ending) = match is_markdown(path) {
        true => name.rsplit_once('.').unwrap_or((&name, "")),
        false => (name.as_str(), ""),
    };
    let as_given = name == last && stem.len() <= MAX_STEM_BYTES;
    let stem = shortened(stem, MAX_STEM_BYTES).trim();
    let stem = if stem.chars().all(|c| c == '.') { "entry" } else { stem };
    let name = if ending.is_empty() { stem.to_owned() } else { format!("{stem}.{ending}") };
    (name, stem.to_owned(), as_given)
}

fn imported_as_new(imported: &ImportedEntry, stem: &str) -> NewEntry {
    // The file is not trusted: a slug must not be a path, and a week must be one of the course.
    let week = imported.week.as_deref().and_then(|week| entry::week(week).ok());
    let is_slug = entry::slug(None, &imported.slug) == imported.slug;
    NewEntry {
        id: imported.id,
        slug: if is_slug { imported.slug.clone() } else { entry::slug(week.as_deref(), &imported.title) },
        week,
        title: imported.title.clone(),
        shows: shown_in(&imported.body),
        body: imported.body.clone(),
        file: Some(stem.to_owned()),
        reason: "import".to_owned(),
    }
}

/// The entry as exported, if the file has an `entry.json`.
fn exported_form(file: &SourceFile) -> Option<Result<ImportedEntry, String>> {
    let folder = file.folder.as_ref()?;
    let entry_json = String::from_utf8(read_below(folder, &format!("assets/{}/entry.json", file.stem))?).ok()?;
    let read = |path: &str| read_below(folder, path);
    Some(import::exported(&file.text, &entry_json, &read))
}

/// Path and SHA-256 of the existing assets of an exported entry.
fn assets_of(file: &SourceFile) -> Vec<(String, String)> {
    let Some(folder) = &file.folder else { return Vec::new() };
    let assets = folder.join("assets").join(&file.stem);
    if !assets.join("entry.json").is_file() {
        return Vec::new();
    }
    let prefix = file.path.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"));
    let mut known = Vec::new();
    for entry in std::fs::read_dir(&assets).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name == "entry.json"
            || name.split_once('.').is_some_and(|(stem, kind)| {
                stem.parse::<Id>().is_ok() && matches!(kind, "svg" | "compact.svg" | "json")
            });
        if ours && let Some(bytes) = read_below(&assets, &name) {
            known.push((format!("{prefix}assets/{}/{name}", file.stem), sha256(&bytes)));
        }
    }
    known
}

/// The markdown files of a path: the file itself, or those of the folder and its `journal`.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let meta = std::fs::metadata(path).map_err(|e| {
        Error::not_found(
            format!("{}: {e}", path.display()),
            "Name a markdown file, or the folder of an exported journal",
        )
    })?;
    if meta.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    if !meta.is_dir() {
        return Err(Error::usage(
            format!("{} is neither a file nor a folder", path.display()),
            "Name a markdown file, or pass the text on standard input with -",
        ));
    }
    let mut found = Vec::new();
    for folder in [path.to_owned(), path.join("journal")] {
        let Ok(listing) = std::fs::read_dir(&folder) else { continue };
        for file in listing.flatten() {
            let name = file.file_name().to_string_lossy().to_lowercase();
            // A repository's README is not an entry.
            if file.path().is_file() && name.ends_with(".md") && name != "readme.md" {
                found.push(file.path());
            }
        }
    }
    if found.is_empty() {
        return Err(Error::not_found(
            format!("{} holds no markdown file", path.display()),
            "Name a markdown file, or a folder with .md files in it or in its journal/",
        ));
    }
    found.sort();
    files.extend(found);
    Ok(())
}

fn read(path: &Path) -> Result<SourceFile, Error> {
    let path =
        path.canonicalize().map_err(|e| Error::not_found(format!("{}: {e}", path.display()), "Check the path"))?;
    let shown = path.display();
    let size = std::fs::metadata(&path).map_or(0, |m| m.len());
    if size > MAX_FILE_BYTES {
        return Err(Error::usage(
            format!("{shown} has {size} bytes, which is too large for an entry"),
            "Import markdown files up to 64 MiB",
        ));
    }
    let bytes = std::fs::read(&path)
        .map_err(|e| Error::not_found(format!("{shown}: {e}"), "Check that the file can be read"))?;
    let text = String::from_utf8(bytes).map_err(|e| {
        Error::usage(
            format!(
                "{shown} is not UTF-8: invalid byte at position {}. Nothing was imported",
                e.utf8_error().valid_up_to()
            ),
            format!("Convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 '{shown}' > converted.md"),
        )
    })?;
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // An export writes `journal/<file>.md` below its folder.
    let (root, path) = match (folder.file_name(), folder.parent()) {
        (Some(last), Some(above)) if last == "journal" => (above.to_owned(), format!("journal/{name}")),
        _ => (folder.clone(), name),
    };
    Ok(SourceFile { root: root.display().to_string(), path, stem, folder: Some(folder), text })
}

//! From files to the journal: markdown as it is, or an exported entry with its evidence.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracebook_core::doubts::{self, Doubt, Rule};
use tracebook_core::entry::{self, Entry};
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_core::masking;
use tracebook_render::import::{self, ImportedEntry};
use tracebook_render::markdown;
use tracebook_store::entries::NewEntry;

use super::Transfer;
use super::masks::Masking;
use super::packed::{self, Contradiction};
use super::pictures::TextFile;
use crate::ground::error::{Code, Error};
use crate::ground::files::{MAX_FILE_BYTES, MAX_STEM_BYTES, is_markdown, sha256, shortened, typed_path};
use crate::ground::folder::{Entry as Found, Folder, Unread};
use crate::ground::runtime::Call;
use crate::ground::schema::{Caller, Import, Imported};
use crate::ground::tasks::blocking;
use crate::journal::shown_in;

/// The most files of one import.
const MOST_FILES: usize = 10_000;
/// The most bytes of the texts of one import.
const MAX_TOTAL_BYTES: u64 = 256 * 1024 * 1024;
/// The most bytes of pictures and data that are read for one text.
const MAX_ASSET_BYTES: u64 = 1024 * 1024 * 1024;
/// The most warnings about one file.
const MOST_WARNINGS: usize = 100;

/// A markdown file to import.
struct SourceFile {
    /// The folder that an export of it is written to.
    root: String,
    /// Relative to `root`.
    path: String,
    /// The file name without `.md`.
    stem: String,
    /// Whether its place is where an export would write it.
    stays: bool,
    /// The folder of the file, and its path; `None` for a text given directly.
    folder: Option<(Arc<Folder>, PathBuf)>,
    text: String,
}

/// Reads the files beside a text, and collects warnings about those that exist but are not read.
pub(super) struct Beside {
    folder: Arc<Folder>,
    /// The bytes that may still be read, and the warnings.
    state: Mutex<(u64, Vec<String>)>,
}

impl Beside {
    pub(super) fn new(folder: &Arc<Folder>) -> Self {
        Self { folder: Arc::clone(folder), state: Mutex::new((MAX_ASSET_BYTES, Vec::new())) }
    }

    pub(super) fn read(&self, path: &str) -> Option<Vec<u8>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, warnings) = &mut *state;
        let why = match self.folder.read(Path::new(path), MAX_FILE_BYTES.min(*left)) {
            Ok(bytes) => {
                *left = left.saturating_sub(bytes.len() as u64);
                return Some(bytes);
            }
            Err(Unread::Missing) => return None,
            Err(why) => format!("{path} was not read: {why}"),
        };
        if !warnings.contains(&why) && warnings.len() < MOST_WARNINGS {
            warnings.push(why);
        }
        None
    }

    pub(super) fn warnings(self) -> Vec<String> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).1
    }
}

impl Transfer {
    pub(crate) async fn import(&self, request: Import, caller: &Caller) -> Result<Imported, Error> {
        let call = self.runtime.begin(caller);
        let mut done = Imported::default();
        let mut files = Vec::new();
        // The files of bundles and pages, until the end of the import.
        let mut unpacked = Vec::new();
        for path in &request.paths {
            let path = typed_path(path);
            match path.is_file() && packed::is_packed(&path) {
                true => unpacked.push(collect_packed(&path, &mut files, &mut done.warnings).await?),
                false => collect(&path, &mut files, &mut done.warnings)?,
            }
        }
        let mut found = Vec::new();
        let mut left = MAX_TOTAL_BYTES;
        let of = files.len();
        for (n, file) in files.into_iter().enumerate() {
            call.progress(n, of, format!("Reading {}", file.shown()))?;
            let file = file.read(left)?;
            left = left.saturating_sub(file.text.len() as u64);
            found.push(file);
        }
        for given in request.texts {
            let (name, stem, as_given) = given_name(&given.name);
            if !as_given {
                done.warnings.push(format!(
                    "{name}: its name was too long, or contained characters that file names must not have"
                ));
            }
            found.push(SourceFile {
                root: String::new(),
                path: name,
                stem,
                stays: false,
                folder: None,
                text: given.text,
            });
        }
        let of = found.len();
        for (n, file) in found.into_iter().enumerate() {
            call.progress(n, of, format!("Importing {}", file.path))?;
            self.import_one(file, (&call, caller), &mut done).await?;
        }
        call.progress(of, of, "Done")?;
        let (entries, evidence, warnings) = (done.entries.len(), done.evidence.len(), done.warnings.len());
        tracing::info!(entries, evidence, warnings, "imported");
        Ok(done)
    }

    async fn import_one(
        &self,
        file: SourceFile,
        (call, caller): (&Call, &Caller),
        done: &mut Imported,
    ) -> Result<(), Error> {
        let name = file.path.clone();
        let known = self.journal.store.known_files(&file.root).await?.remove(&file.path);
        let (form, warnings) = exported_form(&file).await?;
        let mut masking = self.masking().await?;
        done.warnings.extend(warnings.iter().map(|w| format!("{name}: {w}")));
        let mut text = None;
        let (entry, fresh) = match form {
            Some(Ok(mut imported)) => {
                text = Some(imported.body.clone());
                masking.unmask(&mut imported);
                done.warnings.extend(imported.warnings.iter().map(|w| format!("{name}: {w}")));
                for frozen in &imported.evidence {
                    let doubts = imported.doubts.get(&frozen.evidence.id).cloned().unwrap_or_default();
                    self.import_evidence(frozen, doubts, &masking, caller, done).await?;
                }
                let there = self.journal.store.entry(&imported.id.to_string()).await?;
                let new = imported_as_new(&imported, &file.stem);
                let stored =
                    self.store_entry(there, new, &file, known.as_deref(), text.as_deref(), caller, done).await?;
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
                let title = markdown::title(&file.text).unwrap_or_else(|| file.stem.clone());
                let course = self.journal.courses.current().course;
                let in_course = |week: &String| course.week(week).is_some();
                let week = entry::week_of(&file.stem).or_else(|| entry::week_of(&title)).filter(in_course);
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
                masking.reserve(&file.text);
                self.store_entry(there, new, &file, known.as_deref(), None, caller, done).await?
            }
        };
        // Another process may have reserved the same numbers meanwhile: a further import has nothing to lose.
        self.keep_masks(&mut masking).await?;
        if fresh && file.stays {
            let mut ours = vec![(file.path.clone(), sha256(file.text.as_bytes()))];
            ours.extend(assets_of(&file).await?);
            self.journal.store.remember_files(&file.root, &ours).await?;
        }
        if let Some((_, folder)) = &file.folder {
            let text = text.unwrap_or_else(|| file.text.clone());
            let (root, folder) = (PathBuf::from(&file.root), folder.clone());
            let file = TextFile { root, folder, name: file.path.clone(), text, current: fresh };
            self.import_pictures(file, &entry, (call, caller), done).await?;
        }
        done.entries.push(entry.row);
        Ok(())
    }

    /// Creates the entry, or writes the text to the existing one. True if the entry now has the file's text. `masked`
    /// is the text of an export before it was read with this journal's placeholders.
    #[expect(clippy::too_many_arguments, reason = "one call for each form of a file")]
    async fn store_entry(
        &self,
        there: Option<Entry>,
        new: NewEntry,
        file: &SourceFile,
        known: Option<&str>,
        masked: Option<&str>,
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
        let mut masking = Some(self.masking().await?);
        let stem = self.journal.stems().await?.remove(&there.row.id).unwrap_or(file.stem.clone());
        let written = masking.as_mut().map_or_else(|| stem.clone(), |masking| masking.stem(&there.row, &stem));
        let mine_masked = self.tree_of(&there, &written, &mut masking).await?;
        // What an export renames, such as files, has no way back, but is known.
        if masked == Some(mine_masked.masked_body.as_str()) {
            return Ok((there, true));
        }
        // Overwritten only if the entry still has the text that the file had at the last export or import.
        let mine = self.tree(&there, &stem).await?;
        let as_exported = [(&mine, &stem), (&mine_masked.tree, &written)]
            .map(|(tree, stem)| tree.files.get(&format!("journal/{stem}.md")).map(|bytes| sha256(bytes)));
        let unchanged_here = known.is_some()
            && (as_exported.iter().any(|sha| sha.as_deref() == known)
                || Some(sha256(there.body.as_bytes()).as_str()) == known);
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
        let stems = self.journal.stems().await?;
        // Stems are unique.
        let Some((id, _)) = stems.iter().find(|(_, stem)| **stem == file.stem) else { return Ok(None) };
        let entry = self.journal.store.entry(&id.to_string()).await?;
        Ok(entry.filter(|entry| known || entry.body == file.text))
    }

    pub(super) async fn import_evidence(
        &self,
        frozen: &Frozen,
        mut doubts: Vec<Doubt>,
        masking: &Masking,
        caller: &Caller,
        done: &mut Imported,
    ) -> Result<(), Error> {
        let id = frozen.evidence.id;
        doubts::add(&mut doubts, doubts::future(&frozen.evidence, self.runtime.now()));
        if let Some(record) = self.journal.store.evidence_record(id).await? {
            if record.deleted && !record.purged {
                self.journal.store.bin_evidence(id, None, &caller.client).await?;
            }
            if record.purged {
                done.warnings.push(format!("evidence {id} was purged in this journal and was not imported"));
            } else if record.digest != frozen.digest && !self.is_masked_form(frozen, masking).await? {
                done.warnings.push(format!(
                    "evidence {id} is in this journal with another digest ({}); the one in the file was ignored",
                    record.digest
                ));
                // Which of the two files is the original cannot be decided, unless one contradicts its own digest.
                if !doubts.iter().any(|doubt| doubt.rule == Rule::Digest) {
                    let doubt = Doubt::new(Rule::Copy, "another file has the same id and other data");
                    self.journal.store.doubt_evidence(id, &[doubt], &caller.client).await?;
                }
            } else if record.imported_at.is_some() {
                self.journal.store.doubt_evidence(id, &doubts, &caller.client).await?;
            } else if !doubts.is_empty() {
                done.warnings.push(format!(
                    "evidence {id} was captured in this journal, which keeps its own; its file is doubtful: {}",
                    doubts::reasons(&doubts)
                ));
                doubts.clear();
            }
        } else {
            self.evidence.keep_imported(frozen, &doubts, caller).await?;
        }
        if !doubts.is_empty() {
            done.warnings.push(format!("evidence {id} is doubtful: {}", doubts::reasons(&doubts)));
        }
        done.evidence.push(self.evidence.row(id).await?);
        Ok(())
    }

    /// Whether evidence of a file is what this journal has, masked.
    async fn is_masked_form(&self, frozen: &Frozen, masking: &Masking) -> Result<bool, Error> {
        if !masking::evidence::is_masked(frozen) {
            return Ok(false);
        }
        let original = self.journal.store.evidence(frozen.evidence.id).await?;
        Ok(original.is_some_and(|original| masking::evidence::is_masked_form(frozen, &original, &masking.table)))
    }

    async fn warn_of_missing(&self, file: &SourceFile, done: &mut Imported) -> Result<(), Error> {
        for reference in markdown::scan(&file.text).live {
            if self.journal.store.live_card(reference.id).await?.is_none() {
                let (path, line, id) = (&file.path, reference.place.line, reference.id);
                done.warnings.push(format!("{path}:{line}: the live card {id} is not in this journal"));
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

pub(super) fn imported_as_new(imported: &ImportedEntry, stem: &str) -> NewEntry {
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

/// The entry as exported, if the file has an `entry.json`; and warnings about files that were not read.
async fn exported_form(file: &SourceFile) -> Result<(Option<Result<ImportedEntry, String>>, Vec<String>), Error> {
    let Some((folder, _)) = &file.folder else { return Ok((None, Vec::new())) };
    let beside = Beside::new(folder);
    let (path, text) = (format!("assets/{}/entry.json", file.stem), file.text.clone());
    blocking(move || {
        let entry_json = beside.read(&path).and_then(|bytes| String::from_utf8(bytes).ok());
        let form = entry_json.map(|json| import::exported(&text, &json, &|path| beside.read(path)));
        (form, beside.warnings())
    })
    .await
}

/// Path and SHA-256 of the existing assets of an exported entry.
async fn assets_of(file: &SourceFile) -> Result<Vec<(String, String)>, Error> {
    let Some((folder, _)) = &file.folder else { return Ok(Vec::new()) };
    let folder = Arc::clone(folder);
    let prefix = file.path.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"));
    let stem = file.stem.clone();
    blocking(move || {
        let Ok(assets) = folder.folder(&Path::new("assets").join(&stem)) else { return Vec::new() };
        let entries = assets.entries(MOST_FILES).unwrap_or_default();
        if !entries.iter().any(|(name, entry)| name == "entry.json" && *entry == Found::File) {
            return Vec::new();
        }
        let known = entries.iter().filter_map(|(name, _)| {
            let name = name.to_str().filter(|name| is_asset(name))?;
            let bytes = assets.read(Path::new(name), MAX_FILE_BYTES).ok()?;
            Some((format!("{prefix}assets/{stem}/{name}"), sha256(&bytes)))
        });
        known.collect()
    })
    .await
}

/// Whether a file among an entry's assets has a name that exports give.
pub(super) fn is_asset(name: &str) -> bool {
    name == "entry.json"
        || name.split_once('.').is_some_and(|(stem, kind)| {
            stem.parse::<Id>().is_ok() && {
                let size = kind.strip_suffix("svg").map(|size| size.trim_end_matches("narrow."));
                kind == "json" || size.is_some_and(|size| matches!(size, "" | "compact." | "line."))
            }
        })
}

/// A file to read: its folder, and its name there.
struct Collected {
    folder: Arc<Folder>,
    folder_path: PathBuf,
    name: std::ffi::OsString,
    /// As in [`SourceFile`].
    stays: bool,
}

/// Unpacks a bundle or a page into the returned folder, and collects its texts.
async fn collect_packed(
    path: &Path,
    files: &mut Vec<Collected>,
    warnings: &mut Vec<String>,
) -> Result<tempfile::TempDir, Error> {
    let (shown, opened) = (path.display().to_string(), path.to_owned());
    let (dir, contradiction) = blocking(move || packed::open(&opened)).await??;
    if let Some(Contradiction::Edited) = contradiction {
        warnings.push(format!("{shown}: the page shows something else than the data in it, which was imported"));
    }
    if dir.path().join("raw").is_dir() {
        warnings.push(format!("{shown}: the raw data in it was not imported"));
    }
    let first = files.len();
    collect(dir.path(), files, warnings).map_err(|error| match error.code {
        Code::NotFound => Error::not_found(format!("{shown} holds no entry"), "Name an export of a journal"),
        _ => error,
    })?;
    files.iter_mut().skip(first).for_each(|file| file.stays = false);
    Ok(dir)
}

/// The markdown files of a path: the file itself, or those of the folder and its `journal`. The path may be a link,
/// since the user named it; links in the folder are skipped, with a warning.
fn collect(path: &Path, files: &mut Vec<Collected>, warnings: &mut Vec<String>) -> Result<(), Error> {
    let shown = path.display();
    let not_found = |e: &dyn std::fmt::Display| {
        Error::not_found(format!("{shown}: {e}"), "Name a markdown file, or the folder of an exported journal")
    };
    let meta = std::fs::metadata(path).map_err(|e| not_found(&e))?;
    if !meta.is_file() && !meta.is_dir() {
        return Err(Error::usage(
            format!("{shown} is neither a file nor a folder"),
            "Name a markdown file, or pass the text on standard input with -",
        ));
    }
    let real = path.canonicalize().map_err(|e| not_found(&e))?;
    if meta.is_file() {
        let (Some(folder_path), Some(name)) = (real.parent(), real.file_name()) else {
            return Err(not_found(&"it has no folder"));
        };
        let folder = Arc::new(Folder::open(folder_path).map_err(|e| not_found(&e))?);
        files.push(Collected { folder, folder_path: folder_path.to_owned(), name: name.to_owned(), stays: true });
        return Ok(());
    }
    let root = Arc::new(Folder::open(&real).map_err(|e| not_found(&e))?);
    let before = files.len();
    let mut folders = vec![(Arc::clone(&root), real.clone())];
    match root.folder(Path::new("journal")) {
        Ok(journal) => folders.push((Arc::new(journal), real.join("journal"))),
        Err(Unread::Missing | Unread::Special) => {}
        Err(why) => warnings.push(format!("{} was skipped: {why}", path.join("journal").display())),
    }
    for (folder, folder_path) in folders {
        let entries = folder.entries(MOST_FILES + 1).map_err(|e| not_found(&e))?;
        if entries.len() > MOST_FILES {
            return Err(too_many(&folder_path));
        }
        for (name, entry) in entries {
            let lower = name.to_string_lossy().to_lowercase();
            // A repository's README is not an entry.
            if !lower.ends_with(".md") || lower == "readme.md" {
                continue;
            }
            let skipped = match entry {
                Found::File => {
                    let (folder, folder_path) = (Arc::clone(&folder), folder_path.clone());
                    files.push(Collected { folder, folder_path, name, stays: true });
                    continue;
                }
                Found::Folder => continue,
                Found::Link => "it is a link; to import what it leads to, name it",
                Found::Special => "it is a pipe, a socket or a device",
            };
            if warnings.len() < MOST_WARNINGS {
                warnings.push(format!("{} was skipped: {skipped}", folder_path.join(&name).display()));
            }
        }
    }
    if files.len() > MOST_FILES {
        return Err(too_many(&real));
    }
    if files.len() == before {
        return Err(Error::not_found(
            match warnings.last() {
                Some(why) => format!("{shown} holds no markdown file that can be imported: {why}"),
                None => format!("{shown} holds no markdown file"),
            },
            "Name a markdown file, or a folder with .md files in it or in its journal/",
        ));
    }
    Ok(())
}

fn too_many(folder: &Path) -> Error {
    Error::usage(
        format!("{} has more than {MOST_FILES} files", folder.display()),
        "Name the markdown files, or a folder with fewer files",
    )
}

impl Collected {
    fn shown(&self) -> String {
        self.folder_path.join(&self.name).display().to_string()
    }

    /// Reads the file, of at most `left` bytes.
    fn read(self, left: u64) -> Result<SourceFile, Error> {
        let shown = self.shown();
        let bytes = self.folder.read(Path::new(&self.name), MAX_FILE_BYTES.min(left)).map_err(|why| match why {
            Unread::TooLarge(size) if size > MAX_FILE_BYTES => Error::usage(
                format!("{shown} has {size} bytes, which is too large for an entry"),
                "Import markdown files up to 64 MiB",
            ),
            Unread::TooLarge(_) => Error::usage(
                format!("the files up to {shown} have more than 256 MiB. Nothing was imported"),
                "Import them in several steps",
            ),
            Unread::Special => Error::usage(
                format!("{shown} is not a regular file. Nothing was imported"),
                "Name a markdown file, or pass the text on standard input with -",
            ),
            Unread::Missing | Unread::Link | Unread::Io(_) => {
                Error::not_found(format!("{shown}: {why}"), "Check that the file can be read")
            }
        })?;
        let text = String::from_utf8(bytes).map_err(|e| {
            Error::usage(
                format!(
                    "{shown} is not UTF-8: invalid byte at position {}. Nothing was imported",
                    e.utf8_error().valid_up_to()
                ),
                format!("Convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 '{shown}' > converted.md"),
            )
        })?;
        let Self { folder, folder_path, name, stays } = self;
        let path = Path::new(&name);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = name.to_string_lossy().into_owned();
        // An export writes `journal/<file>.md` below its folder.
        let (root, path) = match (folder_path.file_name(), folder_path.parent()) {
            (Some(last), Some(above)) if last == "journal" => (above.to_owned(), format!("journal/{name}")),
            _ => (folder_path.clone(), name),
        };
        let root = root.display().to_string();
        Ok(SourceFile { root, path, stem, stays, folder: Some((folder, folder_path)), text })
    }
}

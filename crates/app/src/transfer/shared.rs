//! Entries in a folder that several journals share: reading them, taking their changes over, and writing them.
//!
//! Only what was changed here is written. What is unchanged stays as whoever changed it last wrote it, so that two
//! journals with different masks or programs do not take turns.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tracebook_core::entry::{self, Entry};
use tracebook_core::ids::Id;
use tracebook_core::masking;
use tracebook_core::merge;
use tracebook_core::time::Nanos;
use tracebook_render::import::{self, ImportedEntry};
use tracebook_render::manifest::{self, Manifest};
use tracebook_render::{markdown, written};
use tracebook_store::attachments::{NewAttachment, Place};
use tracebook_store::entries::SharedNames;
use tracebook_store::sync::SyncEntry;

use super::Transfer;
use super::import::{Beside, imported_as_new, is_asset};
use super::masks::Masking;
use super::pictures::TextFile;
use crate::ground::error::{Code, Error};
use crate::ground::files::{MAX_FILE_BYTES, MAX_STEM_BYTES, cannot_write, sha256, shortened};
use crate::ground::folder::{Entry as Found, Folder, Unread};
use crate::ground::runtime::Call;
use crate::ground::schema::{
    Caller, Export, Exported, Imported, Passphrase, SyncChange, SyncConflict, SyncConflictKind, SyncedEntry,
};
use crate::ground::tasks::blocking;

/// The most files of one folder, and the most bytes of all texts.
const MOST_FILES: usize = 10_000;
const MOST_TEXT: u64 = 256 * 1024 * 1024;
/// How often a text is merged again after another writer was faster.
const MAX_TRIES: usize = 5;

/// The beginning of `entry.json`.
#[derive(Deserialize)]
struct Head {
    id: Id,
    #[serde(default)]
    masks: BTreeMap<String, String>,
}

/// An entry as its files are.
#[derive(Clone, Debug)]
pub(crate) struct SharedEntry {
    pub(crate) id: Id,
    /// The name of its file, without `.md`.
    pub(crate) stem: String,
    /// A digest of all its files.
    pub(crate) print: String,
    text: String,
    /// Its `entry.json`.
    about: Option<String>,
    masks: BTreeMap<String, String>,
    /// Whether its files must be written again in any case: its text was changed by hand since a journal wrote them.
    pub(crate) stale: bool,
    /// Whether it is an entry that was published and whose `entry.json` cannot be read any more.
    broken: bool,
}

/// The entries in a folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedFolder {
    /// The real path of the folder that has `journal/`.
    pub(crate) root: PathBuf,
    pub(crate) entries: BTreeMap<Id, SharedEntry>,
    /// Texts that belong to no journal yet: their stems.
    pub(crate) foreign: Vec<String>,
    /// Whether a journal was ever written there.
    pub(crate) is_journal: bool,
    /// Names that are taken, in lower case.
    stems: BTreeSet<String>,
    evidence: BTreeSet<Id>,
    /// The evidence that each entry shows, as the manifest says.
    shown: BTreeMap<Id, BTreeSet<Id>>,
    pub(crate) warnings: Vec<String>,
}

/// What taking over changed in the journal, or would change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    pub(crate) entries: Vec<SyncedEntry>,
    pub(crate) files: Imported,
    pub(crate) merged: Vec<String>,
    pub(crate) conflicts: Vec<SyncConflict>,
}

/// What was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    pub(crate) exported: Exported,
    /// Paths below the folder.
    pub(crate) removed: Vec<String>,
    /// What is agreed on once this has arrived.
    pub(crate) agreed: Vec<SyncEntry>,
    /// Evidence that was not there before.
    pub(crate) evidence: usize,
}

/// Both changes of one entry together.
struct Merge {
    title: String,
    week: Option<String>,
    body: String,
    /// Kind, and what the other side has.
    conflicts: Vec<(SyncConflictKind, String)>,
}

fn not_readable(path: &Path, why: &Unread) -> Error {
    let hint = "Put an ordinary file or folder there, and commit that";
    Error::new(Code::Refused, format!("{}: {why}", path.display()), hint)
}

impl SharedFolder {
    /// Reads a folder. `known` are the entries that were agreed on.
    pub(crate) async fn read(root: &Path, known: &BTreeMap<Id, SyncEntry>) -> Result<Self, Error> {
        let (root, known) = (root.to_owned(), known.clone());
        blocking(move || Self::read_now(&root, &known)).await?
    }

    fn read_now(root: &Path, known: &BTreeMap<Id, SyncEntry>) -> Result<Self, Error> {
        let mut found = Self { root: root.to_owned(), ..Self::default() };
        let Ok(real) = root.canonicalize() else { return Ok(found) };
        found.root = real;
        let root_folder = Folder::open(&found.root).map_err(|e| cannot_write(root, &e))?;
        let folder = match root_folder.folder(Path::new("journal")) {
            Ok(folder) => Arc::new(folder),
            Err(Unread::Missing) => return Ok(found),
            Err(why) => return Err(not_readable(Path::new("journal"), &why)),
        };
        let manifest = folder.read(Path::new(manifest::NAME), MAX_FILE_BYTES).ok();
        let manifest = manifest.as_deref().and_then(Manifest::read);
        found.is_journal = manifest.is_some();
        let manifest = manifest.unwrap_or_default();
        found.evidence = manifest.lines.iter().flat_map(|line| line.evidence.clone()).collect();
        for line in &manifest.lines {
            found.shown.entry(line.entry).or_default().extend(line.evidence.iter().copied());
        }
        let lines = manifest.entries();
        let by_stem: HashMap<&str, &SyncEntry> = known.values().map(|base| (base.file.as_str(), base)).collect();
        let mut read = Vec::new();
        let names = names_in(&folder, Path::new("journal"))?;
        let mut left = MOST_TEXT;
        for (name, kind) in names {
            let name = match name.into_string() {
                Ok(name) => name,
                Err(name) => {
                    found.warnings.push(format!("journal/{} was left alone: its name is not UTF-8", name.display()));
                    continue;
                }
            };
            let Some(stem) = name.strip_suffix(".md") else { continue };
            found.stems.insert(stem.to_lowercase());
            let is_known = by_stem.contains_key(stem);
            if kind != Found::File {
                if is_known {
                    return Err(not_readable(&Path::new("journal").join(&name), &Unread::Special));
                }
                continue;
            }
            if stem.eq_ignore_ascii_case("readme") && !is_known {
                continue;
            }
            let path = Path::new("journal").join(&name);
            let bytes = match folder.read(Path::new(&name), MAX_FILE_BYTES) {
                Ok(bytes) => bytes,
                Err(why) if is_known => return Err(not_readable(&path, &why)),
                Err(why) => {
                    found.warnings.push(format!("{} was left alone: {why}", path.display()));
                    continue;
                }
            };
            left = left.checked_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX)).ok_or_else(|| {
                let hint = "Publish to another folder, or move files that are no entries elsewhere";
                Error::new(Code::Refused, format!("the texts in journal/ have more than {MOST_TEXT} bytes"), hint)
            })?;
            let Ok(text) = String::from_utf8(bytes) else {
                if is_known {
                    return Err(Error::new(
                        Code::Refused,
                        format!("{} is not UTF-8 any more", path.display()),
                        "Convert it, for example with iconv, and commit that",
                    ));
                }
                found.warnings.push(format!("{} is not UTF-8 and was left alone", path.display()));
                continue;
            };
            let assets = folder.folder(&Path::new("assets").join(stem)).ok();
            let about = assets.as_ref().and_then(|a| a.read(Path::new("entry.json"), MAX_FILE_BYTES).ok());
            let about = about.and_then(|bytes| String::from_utf8(bytes).ok());
            let head = about
                .as_deref()
                .and_then(|json| serde_json::from_str::<Head>(json.trim_start_matches('\u{feff}')).ok());
            let print = print_of(stem, &text, assets.as_ref(), &root_folder)?;
            read.push((stem.to_owned(), text, about, head, print));
        }
        // Of two files of one entry, that is the entry's which had its name before.
        read.sort_by_key(|(stem, _, _, head, _)| {
            let is_own = head.as_ref().is_some_and(|head| known.get(&head.id).is_some_and(|base| base.file == *stem));
            (!is_own, stem.clone())
        });
        for (stem, text, about, head, print) in read {
            let known_here = by_stem.get(stem.as_str()).map(|base| base.entry);
            let (id, masks, broken) = match head {
                Some(head) if !found.entries.contains_key(&head.id) => (head.id, head.masks, false),
                Some(_) | None => match known_here.filter(|id| !found.entries.contains_key(id)) {
                    // What was published has a line in the manifest; a text that was only taken over has not.
                    Some(id) => (id, BTreeMap::new(), lines.contains_key(&id)),
                    None => {
                        found.foreign.push(stem.clone());
                        // Until its age is known; see `adopt`.
                        (Id::of_digest(Nanos(0), digest_of(&stem, &text).as_bytes()), BTreeMap::new(), false)
                    }
                },
            };
            let about = about.filter(|_| !broken && !found.foreign.contains(&stem));
            let says = written::says(&text);
            let stale =
                about.is_none() || !lines.get(&id).is_some_and(|lines| lines.iter().any(|line| line.text == says));
            found.entries.insert(id, SharedEntry { id, stem, print, text, about, masks, stale, broken });
        }
        Ok(found)
    }

    /// The same at its real path, which it may not have had when it was read.
    pub(crate) fn at(self, root: PathBuf) -> Self {
        Self { root, ..self }
    }

    /// Gives texts of no journal an id that every journal gives them: from what they say, and when that was committed.
    pub(crate) fn adopt(&mut self, ages: &BTreeMap<String, Nanos>) {
        let foreign: Vec<Id> = self.entries.values().filter(|e| self.foreign.contains(&e.stem)).map(|e| e.id).collect();
        for id in foreign {
            let Some(mut entry) = self.entries.remove(&id) else { continue };
            let age = ages.get(&entry.stem).copied().unwrap_or(Nanos(0));
            let digest = digest_of(&entry.stem, &entry.text);
            entry.id = Id::of_digest(age, &hex::decode(digest).unwrap_or_default());
            self.entries.insert(entry.id, entry);
        }
    }

    /// Whether one of the entries has a placeholder of a journal.
    fn has_mask(&self, written: &str, journal: &str) -> bool {
        self.entries.values().any(|entry| entry.masks.get(written).is_some_and(|origin| origin == journal))
    }
}

/// A text with another path wherever one stands by itself, not as a part of a longer one.
fn with_other_path(text: &str, path: &str, other: &str) -> String {
    let is_of_path = |c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '-');
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices(path) {
        let end = at + path.len();
        let before = text[..at].chars().next_back().is_some_and(|c| is_of_path(c) || c == '.');
        if before || text[end..].chars().next().is_some_and(is_of_path) {
            continue;
        }
        out.push_str(&text[from..at]);
        out.push_str(other);
        from = end;
    }
    out.push_str(&text[from..]);
    out
}

/// A digest of a text of no journal. Git may have converted its line ends.
fn digest_of(stem: &str, text: &str) -> String {
    sha256(format!("{stem}\0{}", text.replace("\r\n", "\n")).as_bytes())
}

/// The names in a folder, all of them: what is not listed would count as deleted.
fn names_in(folder: &Folder, path: &Path) -> Result<Vec<(OsString, Found)>, Error> {
    let names = folder.entries(MOST_FILES + 1).map_err(|e| cannot_write(path, &e))?;
    if names.len() > MOST_FILES {
        return Err(Error::new(
            Code::Refused,
            format!("{} has more than {MOST_FILES} files", path.display()),
            "Publish to another folder, or move files that are not the journal's elsewhere",
        ));
    }
    Ok(names)
}

/// A digest of the files of an entry: its text, its assets, and the pictures that it shows from elsewhere.
fn print_of(stem: &str, text: &str, assets: Option<&Folder>, root: &Folder) -> Result<String, Error> {
    let mut all = vec![sha256(text.as_bytes())];
    if let Some(assets) = assets {
        let mut names = names_in(assets, &Path::new("journal/assets").join(stem))?;
        names.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, kind) in names {
            if kind == Found::File
                && let Ok(bytes) = assets.read(Path::new(&name), MAX_FILE_BYTES)
            {
                all.push(format!("{} {}", name.to_string_lossy(), sha256(&bytes)));
            }
        }
    }
    let own = format!("journal/assets/{stem}/");
    let pictures: BTreeSet<String> =
        markdown::links(text).iter().filter(|link| link.picture).filter_map(markdown::Link::below).collect();
    for below in pictures.into_iter().filter(|below| !below.starts_with(&own)) {
        if let Ok(bytes) = root.read(Path::new(&below), MAX_FILE_BYTES) {
            all.push(format!("{below} {}", sha256(&bytes)));
        }
    }
    Ok(sha256(all.join("\n").as_bytes()))
}

/// Both changes of an entry. Without a base, both sides made it.
fn merged(local: &Entry, base: Option<&SyncEntry>, theirs: &ImportedEntry, week: Option<String>) -> Merge {
    let mut conflicts = Vec::new();
    let mut one = |kind: SyncConflictKind, base: Option<&str>, mine: &str, theirs: &str| {
        if mine == theirs || base == Some(theirs) {
            return true;
        }
        if base == Some(mine) {
            return false;
        }
        conflicts.push((kind, theirs.to_owned()));
        true
    };
    let my_week = local.row.week.clone();
    let shown = |week: &Option<String>| week.clone().unwrap_or_else(|| "none".to_owned());
    let base_week = base.map(|base| shown(&base.week));
    let keep_title =
        one(SyncConflictKind::Title, base.map(|base| base.title.as_str()), &local.row.title, &theirs.title);
    let keep_week = one(SyncConflictKind::Week, base_week.as_deref(), &shown(&my_week), &shown(&week));
    let combined = match base {
        Some(base) => merge::combine(&base.body, &local.body, &theirs.body),
        None if local.body == theirs.body => merge::Combined { text: local.body.clone(), conflicts: 0 },
        None => merge::Combined { text: local.body.clone(), conflicts: 1 },
    };
    if combined.conflicts > 0 {
        conflicts.push((SyncConflictKind::Text, String::new()));
    }
    Merge {
        title: if keep_title { local.row.title.clone() } else { theirs.title.clone() },
        week: if keep_week { my_week } else { week },
        body: combined.text,
        conflicts,
    }
}

impl Transfer {
    /// A digest of what an entry is exported from.
    pub(crate) async fn shared_inputs(&self, entry: &Entry) -> Result<String, Error> {
        let markup = markdown::scan(&entry.body);
        let live = self.live_cards.cards_of(&markup.live).await?;
        let shown = markup.references.iter().map(|r| r.id).chain(live.iter().filter_map(|live| live.frozen));
        let mut evidence = Vec::new();
        for id in shown {
            let record = self.journal.store.evidence_record(id).await?;
            evidence.push((id, record.map(|record| (record.digest, record.purged, record.doubts))));
        }
        let mut pictures = Vec::new();
        for below in markdown::links(&entry.body).iter().filter(|link| link.picture).filter_map(markdown::Link::below) {
            if let Some((id, path)) = self.journal.store.attached_at(entry.row.id, &below).await? {
                let record = self.journal.store.attachment(id).await?;
                pictures.push((below, path, record.map(|record| (record.sha256, record.purged))));
            }
        }
        let live: Vec<_> = live
            .iter()
            .map(|live| {
                (live.card.id, &live.card.title, &live.card.question, live.card.pace_seconds, live.frozen, live.lost)
            })
            .collect();
        let masks = self.masking().await?.configuration;
        let inputs =
            (&entry.row.title, &entry.row.week, sha256(entry.body.as_bytes()), evidence, pictures, live, masks);
        Ok(sha256(&serde_json::to_vec(&inputs).map_err(Error::internal)?))
    }

    /// An entry of a folder as this journal reads it, with its values instead of its own placeholders.
    async fn read_shared(
        &self,
        folder: &SharedFolder,
        entry: &SharedEntry,
        keep: bool,
    ) -> Result<ImportedEntry, Error> {
        let Some(about) = entry.about.clone() else {
            let title = markdown::title(&entry.text).unwrap_or_else(|| entry.stem.clone());
            let course = self.journal.courses.current().course;
            let week = entry::week_of(&entry.stem).or_else(|| entry::week_of(&title));
            let week = week.filter(|week| course.week(week).is_some());
            let mut masking = self.masking().await?;
            masking.reserve(&entry.text);
            if keep {
                self.keep_masks(&mut masking).await?;
            }
            return Ok(ImportedEntry {
                id: entry.id,
                slug: entry::slug(week.as_deref(), &title),
                week,
                title,
                body: entry.text.clone(),
                evidence: Vec::new(),
                doubts: BTreeMap::new(),
                live: Vec::new(),
                masks: BTreeMap::new(),
                warnings: Vec::new(),
            });
        };
        let (text, root) = (entry.text.clone(), folder.root.join("journal"));
        let read = blocking(move || {
            let beside = Arc::new(Folder::open(&root).map_err(|e| cannot_write(&root, &e))?);
            let beside = Beside::new(&beside);
            let form = import::exported(&text, &about, &|path| beside.read(path));
            Ok::<_, Error>((form, beside.warnings()))
        });
        let (form, warnings) = read.await??;
        let mut imported = form.map_err(|why| {
            let hint = "Install the newest Tracebook, or restore the file from the branch's history";
            Error::new(Code::Refused, format!("journal/assets/{}: {why}", entry.stem), hint)
        })?;
        imported.warnings.extend(warnings);
        imported.id = entry.id;
        let mut masking = self.masking().await?;
        if keep && self.yield_masks(folder, &imported, &masking).await? {
            masking = self.masking().await?;
        }
        masking.unmask(&mut imported);
        if keep {
            self.keep_masks(&mut masking).await?;
        }
        Ok(imported)
    }

    /// Leaves numbers of placeholders to the journals that published them here first. Each number in a shared folder
    /// then stands for one value, and every journal can read its own back.
    async fn yield_masks(
        &self,
        folder: &SharedFolder,
        imported: &ImportedEntry,
        masking: &Masking,
    ) -> Result<bool, Error> {
        let mine = masking.table.journal();
        let mut yielded = false;
        for (written, origin) in imported.masks.iter().filter(|(_, origin)| **origin != mine) {
            if masking.table.value(written).is_none() || folder.has_mask(written, &mine) {
                continue;
            }
            let Some((kind, number)) = written.trim_matches(['<', '>']).rsplit_once('_') else { continue };
            let Ok(number) = number.parse() else { continue };
            self.journal.store.yield_mask(kind, number, origin).await?;
            yielded = true;
        }
        Ok(yielded)
    }

    /// Takes one entry of a folder over: creates it, or merges it with the entry of this journal by what was agreed on.
    /// With `dry`, nothing is written.
    pub(crate) async fn take_over(
        &self,
        folder: &SharedFolder,
        entry: &SharedEntry,
        base: Option<&SyncEntry>,
        (call, caller, dry): (&Call, &Caller, bool),
        taken: &mut Taken,
    ) -> Result<(), Error> {
        let id = entry.id;
        let file = format!("journal/{}.md", entry.stem);
        let mut theirs = self.read_shared(folder, entry, !dry).await?;
        taken.files.warnings.extend(theirs.warnings.iter().map(|w| format!("{file}: {w}")));
        let new = imported_as_new(&theirs, &entry.stem);
        let local = self.journal.store.entry(&id.to_string()).await?;
        let in_bin = local.is_some() && self.journal.store.entry_in_bin(id).await?;
        if let Some(local) = local.as_ref().filter(|_| in_bin && base.is_some()) {
            taken.conflicts.push(SyncConflict {
                id,
                entry: local.row.slug.clone(),
                title: local.row.title.clone(),
                kind: SyncConflictKind::Deleted,
                revision: None,
                message: "it was deleted here, but changed in the branch since: it is taken out of the bin".to_owned(),
            });
        }
        // What was deleted, and agreed on as such, does not compete with what somebody else made of it since.
        let binned = match (&local, base) {
            (Some(local), None) if in_bin => Some(SyncEntry {
                entry: id,
                file: entry.stem.clone(),
                print: String::new(),
                inputs: String::new(),
                title: local.row.title.clone(),
                week: local.row.week.clone(),
                body: local.body.clone(),
            }),
            _ => None,
        };
        let base = base.or(binned.as_ref());
        if entry.broken {
            return self.mend(entry, base, local, (caller, dry), taken).await;
        }
        if dry {
            let (slug, title, change) = match &local {
                None => (new.slug, new.title, SyncChange::Added),
                Some(local) => {
                    let merge = merged(local, base, &theirs, new.week);
                    note_conflicts(local, &merge, None, taken);
                    let same =
                        merge.body == local.body && merge.title == local.row.title && merge.week == local.row.week;
                    if same && !in_bin {
                        return Ok(());
                    }
                    let change = if in_bin { SyncChange::Restored } else { SyncChange::Edited };
                    (local.row.slug.clone(), merge.title, change)
                }
            };
            taken.entries.push(SyncedEntry { id, entry: slug, title, change });
            return Ok(());
        }
        self.take_evidence(&theirs, caller, taken).await?;
        let mut current = true;
        match local {
            None => {
                let names =
                    SharedNames { file: entry.stem.clone(), slug: Some(new.slug.clone()), created_at: Some(id.time()) };
                let made = self.journal.store.add_entry(&new, self.runtime.now(), &caller.client).await?;
                self.journal.store.settle_entry(id, &names, &caller.client).await?;
                let (slug, title) = (new.slug, made.row.title);
                taken.entries.push(SyncedEntry { id, entry: slug, title, change: SyncChange::Added });
            }
            Some(mut local) => {
                if in_bin {
                    self.journal.store.bin_entry(id, None, &caller.client).await?;
                }
                let names = SharedNames { file: entry.stem.clone(), slug: None, created_at: None };
                self.journal.store.settle_entry(id, &names, &caller.client).await?;
                local = self.move_pictures(folder, local, base, caller).await?;
                let mut tries = 0;
                loop {
                    let merge = merged(&local, base, &theirs, new.week.clone());
                    let changed = self.take_merge(&local, &merge, caller).await?;
                    let Some(changed) = changed else {
                        tries += 1;
                        if tries == MAX_TRIES {
                            let hint = "Run sync again";
                            return Err(Error::new(Code::Storage, "the entry is being written again and again", hint));
                        }
                        local = self.journal.find_entry(&id.to_string()).await?;
                        continue;
                    };
                    let kept = match merge.conflicts.iter().any(|(kind, _)| *kind == SyncConflictKind::Text) {
                        // With a base that is never current the text is kept as a revision.
                        true => {
                            let theirs = theirs.body.clone();
                            self.journal
                                .write_body(id, Some(-1), theirs, Some("conflict".to_owned()), caller)
                                .await?
                                .kept
                        }
                        false => None,
                    };
                    note_conflicts(&local, &merge, kept, taken);
                    let mine_too = base.is_none_or(|base| base.body != local.body);
                    if changed && mine_too && merge.body != theirs.body {
                        taken.merged.push(local.row.slug.clone());
                    }
                    current = merge.body == theirs.body;
                    if changed || in_bin {
                        let change = if in_bin { SyncChange::Restored } else { SyncChange::Edited };
                        let (entry, title) = (local.row.slug.clone(), merge.title.clone());
                        taken.entries.push(SyncedEntry { id, entry, title, change });
                    }
                    break;
                }
            }
        }
        for live in &theirs.live {
            let said = self.live_cards.import(live, caller).await?;
            taken.files.warnings.extend(said.map(|w| format!("{file}: {w}")));
        }
        let now = self.journal.find_entry(&id.to_string()).await?;
        let place = (folder.root.clone(), folder.root.join("journal"));
        // A place that the entry has already stays, unless the file there is another one.
        let other = self.other_pictures(folder, &theirs.body, id).await?;
        if !current && !other.is_empty() {
            let text = other.iter().map(|path| markdown::picture("", path)).collect::<Vec<_>>().join("\n\n");
            let text =
                TextFile { root: place.0.clone(), folder: place.1.clone(), name: file.clone(), text, current: true };
            self.import_pictures(text, &now, (call, caller), &mut taken.files).await?;
        }
        let text = TextFile { root: place.0, folder: place.1, name: file, text: theirs.body.clone(), current };
        self.import_pictures(text, &now, (call, caller), &mut taken.files).await?;
        let same = current && now.body == theirs.body && now.row.title == theirs.title && now.row.week == new.week;
        let inputs = if same && !entry.stale { self.shared_inputs(&now).await? } else { String::new() };
        let agreed = SyncEntry {
            entry: id,
            file: entry.stem.clone(),
            print: entry.print.clone(),
            inputs,
            title: std::mem::take(&mut theirs.title),
            week: new.week,
            body: theirs.body,
        };
        self.journal.store.agree_on(&agreed).await?;
        Ok(())
    }

    /// The pictures of a text, as it links to them, whose file in a folder is not what the entry has there.
    async fn other_pictures(&self, folder: &SharedFolder, body: &str, entry: Id) -> Result<Vec<String>, Error> {
        let mut other = Vec::new();
        for link in markdown::links(body).into_iter().filter(|link| link.picture) {
            let Some(below) = link.below() else { continue };
            let Some((id, path)) = self.journal.store.attached_at(entry, &below).await? else { continue };
            let Some(record) = self.journal.store.attachment(id).await? else { continue };
            let root = folder.root.clone();
            let there = blocking(move || Folder::open(&root).ok()?.read(Path::new(&path), MAX_FILE_BYTES).ok()).await?;
            if there.is_some_and(|bytes| sha256(&bytes) != record.sha256) && !other.contains(&link.destination) {
                other.push(link.destination);
            }
        }
        Ok(other)
    }

    /// Gives pictures of an entry that were not published yet another name where somebody else published another
    /// picture under theirs. Returns the entry as it is then.
    async fn move_pictures(
        &self,
        folder: &SharedFolder,
        local: Entry,
        base: Option<&SyncEntry>,
        caller: &Caller,
    ) -> Result<Entry, Error> {
        let published: BTreeSet<String> = base
            .map(|base| markdown::links(&base.body))
            .unwrap_or_default()
            .into_iter()
            .map(|l| l.destination)
            .collect();
        let id = local.row.id;
        let mut body = local.body.clone();
        for destination in self.other_pictures(folder, &local.body, id).await? {
            if published.contains(&destination) {
                continue;
            }
            let link = markdown::links(&local.body).into_iter().find(|link| link.destination == destination);
            let Some(below) = link.and_then(|link| link.below()) else { continue };
            let Some((attachment, _)) = self.journal.store.attached_at(id, &below).await? else { continue };
            let (Some(record), Some(bytes)) = (
                self.journal.store.attachment(attachment).await?,
                self.journal.store.attachment_bytes(attachment).await?,
            ) else {
                continue;
            };
            let taken: BTreeSet<String> = self.journal.store.attached_paths().await?.into_iter().collect();
            let is_free = |path: &String| !taken.contains(path) && !folder.root.join(path).exists();
            let numbered = |path: &str, n: usize| match path.rsplit_once('.') {
                Some((stem, ending)) => format!("{stem}-{n}.{ending}"),
                None => format!("{path}-{n}"),
            };
            let Some(n) = (2..MOST_FILES).find(|n| is_free(&numbered(&below, *n))) else { continue };
            let place = Place { entry: id, link: numbered(&below, n), path: numbered(&below, n) };
            let new = NewAttachment {
                id: self.runtime.new_id(),
                name: place.path.rsplit('/').next().unwrap_or_default().to_owned(),
                media: record.media,
                bytes,
                size: record.size,
                place,
            };
            self.journal.store.attach(&[new], false, self.runtime.now(), &caller.client).await?;
            body = with_other_path(&body, &destination, &numbered(&destination, n));
        }
        if body == local.body {
            return Ok(local);
        }
        // If another writer was faster, the next sync does it.
        self.journal.write_body(id, Some(local.revision), body, Some("sync".to_owned()), caller).await?;
        self.journal.find_entry(&id.to_string()).await
    }

    /// Stores what a merge changes; whether it changed anything, or nothing if the entry was written meanwhile.
    async fn take_merge(&self, local: &Entry, merge: &Merge, caller: &Caller) -> Result<Option<bool>, Error> {
        let id = local.row.id;
        let mut changed = false;
        if merge.body != local.body {
            self.journal.store.keep_revision(id, "sync", self.runtime.now(), &caller.client).await?;
            let body = merge.body.clone();
            // Not kept if another writer was faster: the merge is made again.
            if self.journal.find_entry(&id.to_string()).await?.revision != local.revision {
                return Ok(None);
            }
            let base = Some(local.revision);
            if !self.journal.write_body(id, base, body, Some("sync".to_owned()), caller).await?.accepted {
                return Ok(None);
            }
            changed = true;
        }
        if merge.title != local.row.title || merge.week != local.row.week {
            let (title, week) = (merge.title.as_str(), merge.week.as_deref());
            self.journal.store.rename_entry(id, title, week, self.runtime.now(), &caller.client).await?;
            changed = true;
        }
        Ok(Some(changed))
    }

    /// An entry whose `entry.json` is gone or unreadable: this journal's files are written again; the text is kept as a
    /// revision, since without it the references cannot be found.
    async fn mend(
        &self,
        entry: &SharedEntry,
        base: Option<&SyncEntry>,
        local: Option<Entry>,
        (caller, dry): (&Caller, bool),
        taken: &mut Taken,
    ) -> Result<(), Error> {
        let (Some(local), Some(base)) = (local, base) else { return Ok(()) };
        let place = format!("journal/assets/{}/entry.json", entry.stem);
        let kept = match dry {
            true => None,
            false => {
                let text = entry.text.clone();
                let kept = self.journal.write_body(entry.id, Some(-1), text, Some("conflict".to_owned()), caller);
                let kept = kept.await?.kept;
                let inputs = String::new();
                self.journal.store.agree_on(&SyncEntry { print: entry.print.clone(), inputs, ..base.clone() }).await?;
                kept
            }
        };
        taken.conflicts.push(SyncConflict {
            id: entry.id,
            entry: local.row.slug,
            title: local.row.title,
            kind: SyncConflictKind::Text,
            revision: kept,
            message: format!(
                "{place} is missing or cannot be read, so the entry stays as it is here and is written again"
            ),
        });
        Ok(())
    }

    async fn take_evidence(&self, theirs: &ImportedEntry, caller: &Caller, taken: &mut Taken) -> Result<(), Error> {
        let masking = self.masking().await?;
        for frozen in &theirs.evidence {
            let id = frozen.evidence.id;
            let is_new =
                self.journal.store.evidence_record(id).await?.is_none_or(|record| record.deleted && !record.purged);
            let doubts = theirs.doubts.get(&id).cloned().unwrap_or_default();
            let before = taken.files.evidence.len();
            self.import_evidence(frozen, doubts, &masking, caller, &mut taken.files).await?;
            if !is_new {
                taken.files.evidence.truncate(before);
            }
        }
        Ok(())
    }

    /// Writes entries into a folder, and removes those that are `gone`.
    pub(crate) async fn share(
        &self,
        folder: &SharedFolder,
        (entries, gone): (&[Entry], &[SyncEntry]),
        known: &BTreeMap<Id, SyncEntry>,
        passphrase: Option<Passphrase>,
        caller: &Caller,
    ) -> Result<Shared, Error> {
        let mut shared = Shared::default();
        let mut now = Vec::new();
        for entry in entries {
            now.push(self.move_pictures(folder, entry.clone(), known.get(&entry.row.id), caller).await?);
        }
        let entries = now.as_slice();
        self.name(folder, entries, gone, caller).await?;
        let pictures = self.pictures_of_none(folder, gone).await?;
        shared.removed = remove(folder, gone, pictures).await?;
        // What changes from now on is published by the next sync.
        let mut inputs = BTreeMap::new();
        for entry in entries {
            inputs.insert(entry.row.id, self.shared_inputs(entry).await?);
        }
        if !entries.is_empty() {
            self.claim(folder, entries).await?;
            let request = Export {
                entries: entries.iter().map(|entry| entry.row.id.to_string()).collect(),
                to: folder.root.display().to_string(),
                passphrase,
                ..Export::default()
            };
            // A call of its own with the same id would take that from the call that this is part of.
            let part = Caller { client: caller.client.clone(), call: String::new() };
            shared.exported = self.export_as(request, true, &part).await?;
        }
        if !shared.exported.refused.is_empty() {
            return Err(Error::new(
                Code::Refused,
                format!("not written by Tracebook, so nothing was published: {}", shared.exported.refused.join(", ")),
                "Rename or remove these files in the repository and commit that, or publish to another folder",
            ));
        }
        let mut after = SharedFolder::read(&folder.root, &BTreeMap::new()).await?;
        let dropped = drop_evidence(&after, entries).await?;
        if !dropped.is_empty() {
            shared.removed.extend(dropped);
            after = SharedFolder::read(&folder.root, &BTreeMap::new()).await?;
        }
        shared.evidence = after.evidence.difference(&folder.evidence).count();
        let masking = self.masking().await?;
        for entry in entries {
            let id = entry.row.id;
            let Some(there) = after.entries.get(&id) else {
                return Err(Error::internal(format!("{} was written and does not read back", entry.row.slug)));
            };
            if let Some(written) = folder.entries.get(&id).and_then(|before| shown_again(before, there, &masking)) {
                return Err(Error::new(
                    Code::Refused,
                    format!(
                        "journal/{}.md would show the value of {written}: where it stands now, nothing masks it",
                        there.stem
                    ),
                    "Write it so that it is masked, add a rule, or allow it: tracebook mask allow VALUE",
                ));
            }
            let read = self.read_shared(&after, there, true).await?;
            shared.agreed.push(SyncEntry {
                entry: id,
                file: there.stem.clone(),
                print: there.print.clone(),
                inputs: inputs.remove(&id).unwrap_or_default(),
                title: entry.row.title.clone(),
                week: entry.row.week.clone(),
                body: read.body,
            });
        }
        Ok(shared)
    }

    /// Gives each entry that is published for the first time the name of its file, which it keeps.
    async fn name(
        &self,
        folder: &SharedFolder,
        entries: &[Entry],
        gone: &[SyncEntry],
        caller: &Caller,
    ) -> Result<(), Error> {
        let stems = self.journal.stems().await?;
        let mut taken = folder.stems.clone();
        for base in gone {
            taken.remove(&base.file.to_lowercase());
        }
        taken.extend(self.journal.store.entry_files().await?.into_iter().filter_map(|(id, file)| {
            let is_own = entries.iter().any(|entry| entry.row.id == id);
            (!is_own).then(|| file.to_lowercase())
        }));
        let mut masking = self.masking().await?;
        for entry in entries.iter().filter(|entry| !folder.entries.contains_key(&entry.row.id)) {
            let stem = stems.get(&entry.row.id).cloned().unwrap_or_else(|| entry.row.slug.clone());
            let wanted = masking.stem(&entry.row, &stem);
            let (mut file, mut n) = (wanted.clone(), 1);
            while !taken.insert(file.to_lowercase()) {
                n += 1;
                file = format!("{}-{n}", shortened(&wanted, MAX_STEM_BYTES));
            }
            let names = SharedNames { file, slug: None, created_at: Some(entry.row.id.time()) };
            self.journal.store.settle_entry(entry.row.id, &names, &caller.client).await?;
        }
        self.keep_masks(&mut masking).await?;
        Ok(())
    }

    /// The pictures of entries that are removed, unless others show them.
    async fn pictures_of_none(&self, folder: &SharedFolder, gone: &[SyncEntry]) -> Result<Vec<String>, Error> {
        let stays = |entry: &&SharedEntry| !gone.iter().any(|base| base.entry == entry.id);
        let shown: BTreeSet<String> = folder
            .entries
            .values()
            .filter(stays)
            .flat_map(|entry| markdown::links(&entry.text))
            .filter_map(|link| link.below())
            .collect();
        let mut pictures = Vec::new();
        for base in gone {
            let own = format!("journal/assets/{}/", base.file);
            let paths = self.journal.store.attached_paths_of(base.entry).await?;
            pictures.extend(paths.into_iter().filter(|path| path.starts_with(&own) && !shown.contains(path)));
        }
        Ok(pictures)
    }

    /// Lets an export replace the files of entries that were taken over.
    async fn claim(&self, folder: &SharedFolder, entries: &[Entry]) -> Result<(), Error> {
        let stems: Vec<String> =
            entries.iter().filter_map(|e| folder.entries.get(&e.row.id)).map(|e| e.stem.clone()).collect();
        let root = folder.root.clone();
        let ours = blocking(move || {
            let mut ours = Vec::new();
            let Ok(root) = Folder::open(&root) else { return ours };
            for path in stems.iter().flat_map(|stem| files_of(&root, stem)) {
                if let Ok(bytes) = root.read(Path::new(&path), MAX_FILE_BYTES) {
                    ours.push((path, sha256(&bytes)));
                }
            }
            ours
        });
        let ours = ours.await?;
        Ok(self.journal.store.remember_files(&folder.root.display().to_string(), &ours).await?)
    }
}

/// A placeholder of this journal in the branch whose value would stand there instead. Somebody else may have moved it
/// to a place where no rule finds the value again.
fn shown_again(before: &SharedEntry, after: &SharedEntry, masking: &Masking) -> Option<String> {
    let mine = masking.table.journal();
    let texts = |entry: &SharedEntry| format!("{}\n{}", entry.text, entry.about.as_deref().unwrap_or_default());
    let (text, now) = (texts(before), texts(after));
    let (mentions, mentions_now) = (masking::mentions(&text), masking::mentions(&now));
    let own = before.masks.iter().filter(|(_, origin)| **origin == mine).map(|(written, _)| written);
    own.filter(|written| mentions_now.get(*written) < mentions.get(*written))
        .find(|written| {
            let Some(value) = masking.table.value(written) else { return false };
            !masking.is_allowed(before.id, value) && now.matches(value).count() > text.matches(value).count()
        })
        .cloned()
}

/// The files of an entry that exports write, by their paths below the folder.
fn files_of(root: &Folder, stem: &str) -> Vec<String> {
    let mut files = vec![format!("journal/{stem}.md")];
    let assets = format!("journal/assets/{stem}");
    if let Ok(folder) = root.folder(Path::new(&assets)) {
        for (name, kind) in folder.entries(MOST_FILES).unwrap_or_default() {
            let name = name.to_string_lossy().into_owned();
            if kind == Found::File && is_asset(&name) {
                files.push(format!("{assets}/{name}"));
            }
        }
    }
    files
}

/// Removes the files of entries and their lines in the manifest.
async fn remove(folder: &SharedFolder, gone: &[SyncEntry], pictures: Vec<String>) -> Result<Vec<String>, Error> {
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let (root_path, gone) = (folder.root.clone(), gone.to_vec());
    blocking(move || {
        let mut removed = Vec::new();
        let root = Folder::open(&root_path).map_err(|e| cannot_write(&root_path, &e))?;
        let files = gone.iter().flat_map(|base| files_of(&root, &base.file)).chain(pictures);
        remove_files(&root, &root_path, files, &mut removed)?;
        let manifest_path = format!("journal/{}", manifest::NAME);
        let there = root.read(Path::new(&manifest_path), MAX_FILE_BYTES).ok();
        if let Some(before) = there.as_deref().and_then(Manifest::read) {
            let keep = |line: &manifest::Line| !gone.iter().any(|base| base.entry == line.entry);
            let mut next = before.clone().with(Vec::new(), keep);
            if next.lines != before.lines {
                // A signature does not hold for what was changed.
                next.signer = None;
                let path = root_path.join(&manifest_path);
                std::fs::write(&path, next.to_text()).map_err(|e| cannot_write(&path, &e))?;
                removed.push(manifest_path);
            }
        }
        Ok(removed)
    })
    .await?
}

/// Removes cards and data of evidence that entries do not show any more.
async fn drop_evidence(folder: &SharedFolder, entries: &[Entry]) -> Result<Vec<String>, Error> {
    let of: Vec<(String, BTreeSet<Id>)> = entries
        .iter()
        .filter_map(|entry| folder.entries.get(&entry.row.id))
        .map(|entry| (entry.stem.clone(), folder.shown.get(&entry.id).cloned().unwrap_or_default()))
        .collect();
    let root_path = folder.root.clone();
    blocking(move || {
        let root = Folder::open(&root_path).map_err(|e| cannot_write(&root_path, &e))?;
        let mut stale = Vec::new();
        for (stem, shown) in &of {
            stale.extend(files_of(&root, stem).into_iter().filter(|path| {
                let name = path.rsplit('/').next().unwrap_or_default();
                name.split('.').next().and_then(|id| id.parse::<Id>().ok()).is_some_and(|id| !shown.contains(&id))
                    && path.starts_with("journal/assets/")
            }));
        }
        let mut removed = Vec::new();
        remove_files(&root, &root_path, stale.into_iter(), &mut removed)?;
        Ok(removed)
    })
    .await?
}

/// Removes files below a folder, none of which is reached by a link.
fn remove_files(
    root: &Folder,
    root_path: &Path,
    files: impl Iterator<Item = String>,
    removed: &mut Vec<String>,
) -> Result<(), Error> {
    for path in files {
        // Reading it follows no link.
        if matches!(root.read(Path::new(&path), MAX_FILE_BYTES), Err(Unread::Missing | Unread::Link | Unread::Special))
        {
            continue;
        }
        let there = root_path.join(&path);
        match std::fs::remove_file(&there) {
            Ok(()) => removed.push(path),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(cannot_write(&there, &e)),
        }
    }
    Ok(())
}

fn note_conflicts(local: &Entry, merge: &Merge, kept: Option<i64>, taken: &mut Taken) {
    for (kind, theirs) in &merge.conflicts {
        let message = match (kind, kept) {
            (SyncConflictKind::Title, _) => format!("its title was changed on both sides; the other one: {theirs}"),
            (SyncConflictKind::Week, _) => format!("its week was changed on both sides; the other one: {theirs}"),
            (SyncConflictKind::Text | SyncConflictKind::Deleted, Some(kept)) => format!(
                "both sides changed the same lines; these stay as they are here, the whole other text is revision {kept} (`entry history {} --diff {kept}`)",
                local.row.slug
            ),
            (SyncConflictKind::Text | SyncConflictKind::Deleted, None) => {
                "both sides changed the same lines; these stay as they are here".to_owned()
            }
        };
        let revision = if *kind == SyncConflictKind::Text { kept } else { None };
        let (entry, title) = (local.row.slug.clone(), local.row.title.clone());
        taken.conflicts.push(SyncConflict { id: local.row.id, entry, title, kind: *kind, revision, message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_changed_where_it_stands_by_itself() {
        let text = "![](assets/p.png) ![](assets/map.png) [p](assets/p.png), p.png and assets/p.png/x ./assets/p.png";
        let out = with_other_path(text, "assets/p.png", "assets/p-2.png");
        let wanted =
            "![](assets/p-2.png) ![](assets/map.png) [p](assets/p-2.png), p.png and assets/p.png/x ./assets/p.png";
        assert_eq!(out, wanted);
        assert_eq!(with_other_path("map.png p.png.", "p.png", "p-2.png"), "map.png p-2.png.");
    }

    #[test]
    fn the_names_of_a_folder_are_all_or_none() {
        let dir = tempfile::TempDir::new().expect("a temporary directory");
        for n in 0..=MOST_FILES {
            std::fs::write(dir.path().join(n.to_string()), "").expect("writes");
        }
        let folder = Folder::open(dir.path()).expect("opens");
        assert_eq!(names_in(&folder, Path::new("journal")).expect_err("too many").code, Code::Refused);
        std::fs::remove_file(dir.path().join("0")).expect("removes");
        assert_eq!(names_in(&folder, Path::new("journal")).expect("names").len(), MOST_FILES);
    }
}

//! Which files of a clone belong together, by ids rather than by their names.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use tracebook_core::ids::Id;
use tracebook_render::manifest::{self, Line, Manifest};
use tracebook_render::verify::{self, Elsewhere};
use tracebook_render::written::{Exported, composed};

use super::{Check, ENTRY_FILE, File, has_extension};
use crate::ground::files::{MAX_FILE_BYTES, is_markdown};
use crate::ground::folder::Unread;
use crate::signing::{self, VerifiedSignature};

/// An `entry.json` among the files.
pub(super) struct About {
    /// The folder of the texts: `journal` of `journal/assets/week2/entry.json`.
    pub(super) journal: PathBuf,
    /// The name of its folder: `week2`.
    pub(super) stem: String,
    /// As in the answer.
    pub(super) shown: PathBuf,
    pub(super) bytes: Vec<u8>,
    /// What it says, if it can be read.
    pub(super) exported: Option<Exported>,
    /// The text that belongs to it.
    pub(super) text: Option<usize>,
}

/// A manifest among the files.
pub(super) struct Listing {
    /// Its folder.
    pub(super) journal: PathBuf,
    pub(super) shown: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) signature: VerifiedSignature,
}

/// The files of one clone.
pub(super) struct Index<'a> {
    files: &'a [File],
    pub(super) abouts: Vec<About>,
    pub(super) listings: Vec<Listing>,
    by_shown: HashMap<String, usize>,
    /// Pictures by the id in their name.
    by_name: HashMap<Id, Vec<usize>>,
    /// Pictures by the id in their data, of those with another name.
    by_data: OnceCell<HashMap<Id, Vec<usize>>>,
}

fn signature_name() -> String {
    format!("{}{}", manifest::NAME, signing::SUFFIX)
}

/// The name of a file without its extension, in the composed form.
pub(super) fn stem_of(path: &Path) -> String {
    composed(&path.file_stem().unwrap_or_default().to_string_lossy()).into_owned()
}

impl<'a> Index<'a> {
    pub(super) fn of(check: &Check, files: &'a [File]) -> Self {
        let mut index = Self {
            files,
            abouts: Vec::new(),
            listings: Vec::new(),
            by_shown: HashMap::new(),
            by_name: HashMap::new(),
            by_data: OnceCell::new(),
        };
        for (n, file) in files.iter().enumerate() {
            index.by_shown.insert(file.shown.display().to_string(), n);
            if has_extension(Path::new(&file.name), "svg") {
                let name = file.name.to_string_lossy();
                if let Some(id) = name.split('.').next().and_then(|id| id.parse().ok()) {
                    index.by_name.entry(id).or_default().push(n);
                }
            } else if file.name == ENTRY_FILE {
                index.add_about(file);
            } else if file.name == manifest::NAME {
                index.add_listing(check, file);
            }
        }
        index.pair();
        index
    }

    /// As it is beside a text that was named by itself.
    pub(super) fn add_beside(&mut self, check: &Check, text: &File, n: usize) {
        let Some(journal) = text.real.parent().map(Path::to_owned) else { return };
        let stem = stem_of(&text.real);
        let shown = Path::new("assets").join(&stem).join(ENTRY_FILE);
        if let Some(bytes) = check.read(text, &shown.to_string_lossy()) {
            let exported = Exported::read(&bytes);
            let shown = text.shown.with_file_name("").join(shown);
            self.abouts.push(About { journal: journal.clone(), stem, shown, bytes, exported, text: Some(n) });
        }
        if let Some(bytes) = check.read(text, manifest::NAME) {
            let signature = check.read(text, &signature_name());
            self.add_manifest(check, journal, text.shown.with_file_name(manifest::NAME), &bytes, signature);
        }
    }

    fn add_about(&mut self, file: &File) {
        // journal/assets/week2/entry.json is of journal/week2.md.
        let parts = file.real.parent().and_then(|folder| Some((folder.file_name()?, folder.parent()?.parent()?)));
        let (Some((stem, journal)), Ok(bytes)) = (parts, file.folder.read(Path::new(&file.name), MAX_FILE_BYTES))
        else {
            return;
        };
        let exported = Exported::read(&bytes);
        let (stem, shown) = (composed(&stem.to_string_lossy()).into_owned(), file.shown.clone());
        self.abouts.push(About { journal: journal.to_owned(), stem, shown, bytes, exported, text: None });
    }

    fn add_listing(&mut self, check: &Check, file: &File) {
        let Some(journal) = file.real.parent() else { return };
        match file.folder.read(Path::new(&file.name), MAX_FILE_BYTES) {
            Ok(bytes) => {
                let name = signature_name();
                let signature = match file.folder.read(Path::new(&name), MAX_FILE_BYTES) {
                    Ok(signature) => Some(signature),
                    Err(Unread::Missing) => None,
                    Err(why) => {
                        check.warn(format!("{} was not read: {why}", file.shown.with_file_name(name).display()));
                        None
                    }
                };
                self.add_manifest(check, journal.to_owned(), file.shown.clone(), &bytes, signature);
            }
            Err(why) => check.warn(format!("{} was not read: {why}", file.shown.display())),
        }
    }

    fn add_manifest(
        &mut self,
        check: &Check,
        journal: PathBuf,
        shown: PathBuf,
        bytes: &[u8],
        signature: Option<Vec<u8>>,
    ) {
        let Some(manifest) = Manifest::read(bytes) else {
            check.warn(format!(
                "{} is no manifest that this version reads, so a deleted entry would not be noticed",
                shown.display()
            ));
            return;
        };
        for line in &manifest.unread {
            check.warn(format!("{}: a line cannot be read: {line}", shown.display()));
        }
        let names = manifest.signer.as_deref();
        let file = shown.display().to_string();
        let signature = signing::verdict(file, bytes, names, signature.as_deref(), check.allowed.as_deref());
        self.listings.push(Listing { journal, shown, manifest, signature });
    }

    /// Gives every `entry.json` its text: the one with its name, else the one in the same folder that names its
    /// evidence.
    fn pair(&mut self) {
        let texts: Vec<usize> =
            (0..self.files.len()).filter(|n| is_markdown(Path::new(&self.files[*n].name))).collect();
        let mut named: BTreeMap<(&Path, String), usize> = BTreeMap::new();
        for n in &texts {
            let file = &self.files[*n];
            named.insert((file.real.parent().unwrap_or(Path::new("")), stem_of(&file.real)), *n);
        }
        for about in &mut self.abouts {
            about.text = named.get(&(about.journal.as_path(), about.stem.clone())).copied();
        }
        let taken = |abouts: &[About], n: usize| abouts.iter().any(|about| about.text == Some(n));
        for n in texts {
            if taken(&self.abouts, n) || !self.abouts.iter().any(|about| about.text.is_none()) {
                continue;
            }
            let file = &self.files[n];
            let Ok(bytes) = file.folder.read(Path::new(&file.name), MAX_FILE_BYTES) else { continue };
            let md = String::from_utf8_lossy(&bytes);
            let names = |about: &About| {
                let evidence = about.exported.iter().flat_map(Exported::evidence);
                evidence.filter(|id| md.contains(&id.to_string())).count()
            };
            let free = self.abouts.iter_mut().filter(|about| about.text.is_none());
            let here = free.filter(|about| file.real.parent() == Some(about.journal.as_path()));
            let best = here.map(|about| (names(about), about)).max_by_key(|(count, _)| *count);
            if let Some((1.., about)) = best {
                about.text = Some(n);
            }
        }
    }

    /// The folders with exported texts.
    pub(super) fn journals(&self) -> Vec<&Path> {
        let listings = self.listings.iter().map(|listing| listing.journal.as_path());
        listings.chain(self.abouts.iter().map(|about| about.journal.as_path())).collect()
    }

    /// The `entry.json` of a text.
    pub(super) fn about(&self, text: usize) -> Option<&About> {
        self.abouts.iter().find(|about| about.text == Some(text))
    }

    /// The lines of a text in the manifest of its folder: those with its name, else those of its entry.
    pub(super) fn lines(&self, text: usize) -> Vec<Line> {
        let file = &self.files[text];
        let folder = file.real.parent();
        let Some(listing) = self.listings.iter().find(|listing| folder == Some(listing.journal.as_path())) else {
            return Vec::new();
        };
        let name = composed(&file.name.to_string_lossy()).into_owned();
        let all = &listing.manifest.lines;
        let by_name: Vec<Line> = all.iter().filter(|line| composed(&line.file) == name).cloned().collect();
        if !by_name.is_empty() {
            return by_name;
        }
        let entry = self.about(text).and_then(|about| about.exported.as_ref()).map(Exported::id);
        // Not a copy of a text that is still there.
        let there = |line: &Line| file.real.with_file_name(&line.file).exists();
        all.iter().filter(|line| Some(line.entry) == entry && !there(line)).cloned().collect()
    }

    /// The file with this path in the answer.
    pub(super) fn shown(&self, path: &str) -> Option<&'a File> {
        self.by_shown.get(path).map(|n| &self.files[*n])
    }

    /// The picture of a piece of evidence, wherever it is.
    pub(super) fn elsewhere<'b>(&'b self, check: &'b Check, id: Id, name: &str) -> Option<Elsewhere<'b>> {
        let file_name = |n: &&usize| self.files[**n].name == OsStr::new(name);
        let named = self.by_name.get(&id).into_iter().flatten();
        let n = named.clone().find(file_name).or_else(|| {
            let by_data = self.by_data.get_or_init(|| self.read_renamed(check));
            by_data.get(&id).into_iter().flatten().next()
        })?;
        let file = &self.files[*n];
        let bytes = file.folder.read(Path::new(&file.name), MAX_FILE_BYTES).ok()?;
        let beside = Box::new(move |name: &str| check.read(file, name));
        Some(Elsewhere { path: file.shown.display().to_string(), bytes, beside })
    }

    fn read_renamed(&self, check: &Check) -> HashMap<Id, Vec<usize>> {
        let mut found: HashMap<Id, Vec<usize>> = HashMap::new();
        let known: std::collections::HashSet<usize> = self.by_name.values().flatten().copied().collect();
        for (n, file) in self.files.iter().enumerate() {
            if known.contains(&n) || !has_extension(Path::new(&file.name), "svg") {
                continue;
            }
            let Ok(bytes) = file.folder.read(Path::new(&file.name), MAX_FILE_BYTES) else { continue };
            if let Some(id) = verify::id_of(&bytes, &|name| check.read(file, name)) {
                found.entry(id).or_default().push(n);
            }
        }
        found
    }
}

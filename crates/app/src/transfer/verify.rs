//! Checks whether exported evidence is unchanged. Needs no journal.

mod class;
mod copies;
mod homework;
mod index;
mod redraw;
mod report;
mod signed;
mod texts;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;

use tracebook_core::doubts::{self, Doubt};
use tracebook_core::ids::Id;
use tracebook_render::manifest;
use tracebook_render::verify::{self, About, FileVerdict, Verdict};
pub use tracebook_render::written::EntryVerdict;
use tracebook_render::written::other_names;

pub use class::{Class, Shared, Student, class, class_signed};
pub use report::{to_csv, to_html};

use super::packed::{self, Contradiction};
use crate::ground::error::{Code, Error};
use crate::ground::files::{MAX_FILE_BYTES, is_markdown};
use crate::ground::folder::{Entry, Folder, Unread};
use crate::signing::{AllowedSigners, VerifiedSignature};

/// The result for all files.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// Whether evidence was found, as much as was expected, picture, table and data agree in all of it, and no entry is
    /// missing.
    pub ok: bool,
    /// One row for each evidence.
    pub evidence: Vec<VerifiedEvidence>,
    /// One row for each exported entry whose `entry.json` was found.
    pub entries: Vec<VerifiedEntry>,
    /// One row for each manifest.
    pub signatures: Vec<VerifiedSignature>,
    /// Whether no signature is wrong and, with a list of allowed signers, all evidence is signed by one of them.
    pub signed: bool,
    /// What was not looked at, such as links.
    pub warnings: Vec<String>,
}

/// The result for one evidence.
#[derive(Clone, Debug, Serialize)]
pub struct VerifiedEvidence {
    pub file: String,
    /// `None` where it cannot be determined.
    pub id: Option<Id>,
    pub verdict: Verdict,
    /// The reason, for the user.
    pub why: String,
    /// The reason, and what else there is to say.
    pub notes: Vec<String>,
    /// What contradicts it, whatever the verdict; left out where nothing does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    #[serde(skip)]
    about: Option<Arc<About>>,
    #[serde(skip)]
    place: Place,
    /// Whether a manifest that is required to be signed lists it.
    #[serde(skip)]
    unsigned: bool,
}

/// Where evidence was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// In a text whose export listed it.
    Listed,
    /// In a text.
    Text,
    /// Shown by no text.
    Loose,
}

impl From<FileVerdict> for VerifiedEvidence {
    fn from(row: FileVerdict) -> Self {
        let FileVerdict { file, id, mut verdict, mut why, doubts, about } = row;
        if !doubts.is_empty() && verdict.holds() {
            verdict = Verdict::Doubtful;
            why = format!("{why}, but {}", doubts::reasons(&doubts));
        }
        let mut row = Self::new(file, id, verdict, why, doubts);
        row.notes.extend(about.iter().flat_map(|about| about.notes()));
        row.about = about;
        row
    }
}

impl VerifiedEvidence {
    fn new(file: String, id: Option<Id>, verdict: Verdict, why: String, doubts: Vec<Doubt>) -> Self {
        let notes = std::iter::once(why.clone()).chain(doubts.iter().map(|doubt| doubt.why.clone())).collect();
        Self { file, id, verdict, why, notes, doubts, about: None, place: Place::Loose, unsigned: false }
    }
}

/// The result for one exported entry.
#[derive(Clone, Debug, Serialize)]
pub struct VerifiedEntry {
    /// The text.
    pub file: String,
    pub verdict: EntryVerdict,
    /// The reason, for the user.
    pub why: String,
    /// What else there is to say, such as another name; left out where there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What an export says about a text, in the folder of its pictures.
const ENTRY_FILE: &str = "entry.json";
/// Folders that are not searched.
const SKIPPED: &[&str] = &[".git", "node_modules", "target", ".venv"];
/// The most files and folders below one path.
const MOST_ENTRIES: usize = 200_000;
/// How many folders deep files are searched for.
const MAX_DEPTH: usize = 32;
/// Pictures that are compared across a class.
const PICTURES: &[&str] = &["png", "jpg", "jpeg", "gif", "webp"];
/// The most warnings.
const MOST_WARNINGS: usize = 100;

/// Checks files and folders. A path may be a link, since the user named it; links below it are not followed. Finding
/// less than `expect` pieces of evidence (one, if it is not given) is not ok: a deleted journal must not look intact.
///
/// # Errors
/// If a path does not exist, or a folder has too many files to check all of them.
pub fn verify(paths: &[String], expect: Option<u32>) -> Result<Verified, Error> {
    verify_and_redraw(paths, expect, None)
}

/// As [`verify`]. Of cards that an earlier renderer drew, today's drawings are written into the folder `redraw`; files
/// that are there already are not changed.
///
/// # Errors
/// As [`verify`], and if a drawing cannot be written.
pub fn verify_and_redraw(paths: &[String], expect: Option<u32>, redraw: Option<&Path>) -> Result<Verified, Error> {
    verify_signed(paths, expect, redraw, None)
}

/// As [`verify_and_redraw`]. With a list of allowed signers, evidence has to be listed by a manifest that one of them
/// signed.
///
/// # Errors
/// As [`verify_and_redraw`].
pub fn verify_signed(
    paths: &[String],
    expect: Option<u32>,
    redraw: Option<&Path>,
    allowed: Option<AllowedSigners>,
) -> Result<Verified, Error> {
    let redraw = redraw.map(redraw::Redraw::into).transpose()?;
    let mut check = Check { redraw, allowed: allowed.map(Arc::new), ..Check::default() };
    for given in paths {
        check.path(given)?;
    }
    let expected = usize::try_from(expect.unwrap_or(1).max(1)).unwrap_or(usize::MAX);
    check.finish(expected)
}

/// A file to check.
struct File {
    folder: Rc<Folder>,
    name: OsString,
    /// As the user named it, for the answer.
    shown: PathBuf,
    /// Without links above the named path, to recognise the same file.
    real: PathBuf,
}

#[derive(Default)]
struct Check {
    evidence: Vec<VerifiedEvidence>,
    entries: Vec<VerifiedEntry>,
    signatures: Vec<VerifiedSignature>,
    /// What the manifests of the current path list.
    listed: signed::Listed,
    /// The keys that are trusted; `None` if signatures are not required.
    allowed: Option<Arc<AllowedSigners>>,
    /// The files that were checked, by their real paths.
    seen: BTreeSet<PathBuf>,
    warnings: RefCell<Vec<String>>,
    redraw: Option<redraw::Redraw>,
    /// What a class is graded by, if this is a student's folder.
    class: Option<class::Findings>,
}

impl Check {
    fn path(&mut self, given: &str) -> Result<(), Error> {
        let path = Path::new(given);
        let not_found = |e: std::io::Error| {
            Error::not_found(format!("{given}: {e}"), "Name a clone, a folder, a markdown file or an SVG")
        };
        let meta = std::fs::metadata(path).map_err(not_found)?;
        let named = meta.is_file();
        if !named && !meta.is_dir() {
            return Err(Error::usage(
                format!("{given} is neither a file nor a folder"),
                "Name a clone, a folder, a markdown file or an SVG",
            ));
        }
        if named && packed::is_packed(path) {
            return self.packed(path);
        }
        let real = path.canonicalize().map_err(not_found)?;
        let mut files = Vec::new();
        if let (true, Some(parent), Some(name)) = (named, real.parent(), real.file_name()) {
            let folder = Rc::new(Folder::open(parent).map_err(not_found)?);
            files.push(File { folder, name: name.to_owned(), shown: path.to_owned(), real: real.clone() });
        } else {
            let folder = Rc::new(Folder::open(&real).map_err(not_found)?);
            let mut left = MOST_ENTRIES;
            self.walk(&folder, path, &real, &mut files, 0, &mut left)?;
        }
        self.files(files, named)
    }

    /// Checks what is in a bundle or a page as if it were a folder, and whether the page shows that.
    fn packed(&mut self, path: &Path) -> Result<(), Error> {
        let (dir, contradiction) = match packed::open(path) {
            Ok(opened) => opened,
            // Neither a bundle nor a page of this program.
            Err(error) if error.code == Code::Usage => {
                let shown = path.display().to_string();
                self.evidence.push(VerifiedEvidence::new(shown, None, Verdict::Foreign, error.message, Vec::new()));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let not_found = |e: std::io::Error| Error::not_found(format!("{}: {e}", path.display()), "");
        let real = dir.path().canonicalize().map_err(not_found)?;
        let folder = Rc::new(Folder::open(&real).map_err(not_found)?);
        let (mut files, mut left) = (Vec::new(), MOST_ENTRIES);
        self.walk(&folder, path, &real, &mut files, 0, &mut left)?;
        self.files(files, false)?;
        let shown = path.display().to_string();
        let (verdict, why) = match contradiction {
            None => return Ok(()),
            Some(Contradiction::Edited) => (
                Verdict::Edited,
                "the page shows something else than the data in it: drawing it again gives another page".to_owned(),
            ),
            Some(Contradiction::OtherVersion(renderer)) => {
                let own = tracebook_render::card::RENDERER;
                let why = format!(
                    "the page was written by renderer {renderer}, and this is renderer {own}, so what it shows cannot be \
                     compared with its data"
                );
                (Verdict::Doubtful, why)
            }
        };
        self.evidence.push(VerifiedEvidence::new(shown, None, verdict, why, Vec::new()));
        Ok(())
    }

    fn files(&mut self, mut files: Vec<File>, named: bool) -> Result<(), Error> {
        files.sort_by(|a, b| a.shown.cmp(&b.shown));
        // Text first: it names the evidence that has to be there.
        let first = self.evidence.len();
        let lost = self.texts(&files, named)?;
        // A narrow drawing after the wide one that has its data.
        for narrow in [false, true] {
            for file in files.iter().filter(|f| has_extension(Path::new(&f.name), "svg") && is_narrow(f) == narrow) {
                self.picture(file, named)?;
            }
        }
        self.lost(lost, first);
        self.compare_listed(first);
        Ok(())
    }

    fn finish(mut self, expected: usize) -> Result<Verified, Error> {
        copies::compare(&mut self.evidence);
        let found: BTreeSet<Id> = self.evidence.iter().filter(|e| e.verdict.holds()).filter_map(|e| e.id).collect();
        let signed = self.signed();
        let ok = found.len() >= expected
            && signed
            && self.evidence.iter().all(|e| e.verdict.holds())
            && self.entries.iter().all(|e| e.verdict != EntryVerdict::Missing);
        if let Some(allowed) = &self.allowed {
            self.warnings.borrow_mut().extend(allowed.warnings.iter().cloned());
        }
        let Self { evidence, entries, signatures, warnings, .. } = self;
        Ok(Verified { ok, evidence, entries, signatures, signed, warnings: warnings.into_inner() })
    }

    fn warn(&self, what: String) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < MOST_WARNINGS && !warnings.contains(&what) {
            warnings.push(what);
        }
    }

    /// Reads a file beside a text or a picture.
    fn read(&self, file: &File, relative: &str) -> Option<Vec<u8>> {
        match file.folder.read(Path::new(relative), MAX_FILE_BYTES) {
            Ok(bytes) => Some(bytes),
            // File systems of macOS decompose names.
            Err(Unread::Missing) => {
                let read = |name: &String| file.folder.read(Path::new(name), MAX_FILE_BYTES).ok();
                other_names(relative).iter().find_map(read)
            }
            Err(why) => {
                self.warn(format!("{} was not read: {why}", file.shown.with_file_name(relative).display()));
                None
            }
        }
    }

    fn picture(&mut self, file: &File, named: bool) -> Result<(), Error> {
        if !self.seen.insert(file.real.clone()) {
            return Ok(());
        }
        let shown = file.shown.display().to_string();
        let row = match file.folder.read(Path::new(&file.name), MAX_FILE_BYTES) {
            Ok(bytes) => verify::svg_file(shown, &bytes, &|name| self.read(file, name)),
            Err(why) => {
                let (verdict, why) = (Verdict::Foreign, format!("it cannot be read: {why}"));
                FileVerdict { file: shown, id: None, verdict, why, doubts: Vec::new(), about: None }
            }
        };
        let row = VerifiedEvidence::from(row);
        if row.verdict == Verdict::Redrawn {
            self.redrawn(&|name| self.read(file, name), &file.name.to_string_lossy())?;
        }
        // One row for both drawings of a piece of evidence, unless the narrow one is worse.
        let told = |known: &VerifiedEvidence| known.id == row.id && known.verdict >= row.verdict;
        if !named && row.id.is_some() && is_narrow(file) && self.evidence.iter().any(told) {
            return Ok(());
        }
        // Foreign pictures in the same folder are ignored, unless they were named.
        if row.verdict != Verdict::Foreign || named {
            self.evidence.push(row);
        }
        Ok(())
    }

    fn walk(
        &self,
        folder: &Rc<Folder>,
        shown: &Path,
        real: &Path,
        files: &mut Vec<File>,
        depth: usize,
        left: &mut usize,
    ) -> Result<(), Error> {
        let entries = match folder.entries(*left + 1) {
            Ok(entries) => entries,
            Err(error) => {
                self.warn(format!("{} was not searched: {error}", shown.display()));
                return Ok(());
            }
        };
        let Some(rest) = left.checked_sub(entries.len()) else {
            // An answer about some of the files would look like one about all of them.
            return Err(Error::usage(
                format!("there are more than {MOST_ENTRIES} files and folders here"),
                "Name a folder with fewer files",
            ));
        };
        *left = rest;
        for (name, entry) in entries {
            let path = Path::new(&name);
            let (shown, real) = (shown.join(path), real.join(path));
            let checked = is_markdown(path)
                || has_extension(path, "svg")
                || name == ENTRY_FILE
                || name == manifest::NAME
                || self.class.is_some() && PICTURES.iter().any(|kind| has_extension(path, kind));
            match entry {
                Entry::Folder if SKIPPED.iter().any(|s| name == *s) => {}
                Entry::Folder if depth == MAX_DEPTH => {
                    self.warn(format!("{} was not searched: it is too deep", shown.display()));
                }
                Entry::Folder => match folder.folder(path) {
                    Ok(inner) => self.walk(&Rc::new(inner), &shown, &real, files, depth + 1, left)?,
                    Err(why) => self.warn(format!("{} was not searched: {why}", shown.display())),
                },
                Entry::File if checked => files.push(File { folder: Rc::clone(folder), name, shown, real }),
                Entry::Link if checked || path.extension().is_none() => {
                    self.warn(format!("{} was not checked: it is a link", shown.display()));
                }
                Entry::File | Entry::Link | Entry::Special => {}
            }
        }
        Ok(())
    }
}

/// Whether a picture is named like the narrow drawing of a card.
fn is_narrow(file: &File) -> bool {
    file.name.to_string_lossy().ends_with(".narrow.svg")
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case(wanted))
}

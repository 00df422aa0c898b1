//! Local pictures and files that a text links to: where they are, importing them, and what an export needs of them.

mod importing;

pub(super) use importing::TextFile;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use tracebook_core::entry::Entry;
use tracebook_render::markdown::{self, Link};

use super::Transfer;
use crate::ground::error::Error;
use crate::ground::files::MAX_FILE_BYTES;
use crate::ground::folder::{Folder, Unread};
use crate::ground::tasks::blocking;

/// How many folders above a text can be the root of its repository if none has a `.git`.
const MOST_ABOVE: usize = 3;
/// The most entries of a folder that are compared with a name.
const MOST_ENTRIES: usize = 10_000;
/// The most names of all folders together.
const MOST_NAMES: usize = 200_000;
/// Where programs keep pictures that a text names without a folder.
const PICTURE_FOLDERS: [&str; 6] = ["assets", "attachments", "images", "img", "_assets", "_attachments"];
/// The endings of pictures that are copied.
const PICTURES: [&str; 10] = ["png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "bmp", "apng", "ico"];
/// The most bytes of pictures that are copied for one entry.
const MAX_COPIED_BYTES: u64 = 512 * 1024 * 1024;

/// A file that a link refers to.
#[derive(Debug, PartialEq)]
enum Place {
    /// It is there.
    There(PathBuf),
    /// It is there in another letter case, which code hosts distinguish.
    Spelled(PathBuf),
    /// It is in a folder of pictures that the text does not name.
    Elsewhere(PathBuf),
    Missing,
}

/// What is wrong with relative links of a text in a folder: line and words of each.
pub(super) fn problems(links: &[Link], folder: &Path) -> Vec<(usize, String)> {
    let roots = roots(folder);
    let mut names = Names::default();
    // A text may link to one file many times.
    let mut known: HashMap<(&str, bool, Option<&'static str>), Place> = HashMap::new();
    let linked = links.iter().filter(|link| !link.path().is_empty());
    linked
        .filter_map(|link| {
            let key = (link.destination.as_str(), link.picture, link.only_in);
            let place = known.entry(key).or_insert_with(|| place(link, folder, &roots, &mut names));
            Some((link.line, problem(link, place)?))
        })
        .collect()
}

/// What is wrong with a link to a file.
fn problem(link: &Link, place: &Place) -> Option<String> {
    let what = if link.picture { "the picture" } else { "the linked file" };
    let path = link.path();
    let only = link.only_in.map(|program| format!("it is written as only {program} shows it"));
    match place {
        Place::There(_) => only.map(|only| format!("{what} {path} is not shown by code hosts: {only}")),
        Place::Spelled(there) => {
            let name = there.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Some(format!("{what} {path} is there as {name}, which is another file for code hosts"))
        }
        Place::Elsewhere(there) => {
            let folder = there.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
            Some(format!("{what} {path} is in the folder {folder}, where code hosts do not look for it"))
        }
        Place::Missing => Some(match only {
            Some(only) => format!("{what} {path} is not there; {only}"),
            None => format!("{what} {path} is not there"),
        }),
    }
}

/// The folders that can be the root of the repository of a text: the next one above with a `.git`, or the next few.
fn roots(folder: &Path) -> Vec<PathBuf> {
    match repository(folder) {
        Some(root) => vec![root.to_owned()],
        None => folder.ancestors().take(MOST_ABOVE).map(Path::to_owned).collect(),
    }
}

fn repository(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".git").exists())
}

/// Where the file of a link is: beside the text, or from the root of the repository.
fn place(link: &Link, folder: &Path, roots: &[PathBuf], names: &mut Names) -> Place {
    let decoded = link.path().replace('\\', "/");
    // The name of a file may contain a percent sign.
    let raw = link.destination.replace('\\', "/");
    let (mut spelled, mut elsewhere) = (None, None);
    for path in [decoded.as_str(), raw.as_str()] {
        let relative = path.trim_start_matches('/');
        let mut bases: Vec<PathBuf> = Vec::new();
        if relative.len() == path.len() {
            bases.push(folder.to_owned());
        }
        bases.extend(roots.iter().cloned());
        let known = bases.iter().flat_map(|base| PICTURE_FOLDERS.map(|name| base.join(name)));
        let known: Vec<PathBuf> = if relative.contains('/') { Vec::new() } else { known.collect() };
        // Obsidian names files without their folder.
        if link.only_in.is_some() {
            bases.extend(known);
        } else if link.picture {
            elsewhere =
                elsewhere.or_else(|| known.iter().map(|base| base.join(relative)).find(|there| there.is_file()));
        }
        for base in &bases {
            let there = base.join(relative);
            if there.exists() {
                return Place::There(there);
            }
            spelled = spelled.or_else(|| names.in_another_case(base, relative));
        }
    }
    match (spelled, elsewhere) {
        (Some(there), _) => Place::Spelled(there),
        (None, Some(there)) => Place::Elsewhere(there),
        (None, None) => Place::Missing,
    }
}

/// The names in folders, each of which is read once.
#[derive(Debug, Default)]
struct Names {
    /// By folder: names by their lower case.
    folders: HashMap<PathBuf, HashMap<String, OsString>>,
    /// How many names are kept.
    kept: usize,
}

impl Names {
    /// The file of a path whose letters have another case somewhere.
    fn in_another_case(&mut self, base: &Path, relative: &str) -> Option<PathBuf> {
        let mut there = base.to_owned();
        for part in Path::new(relative).components() {
            match part {
                Component::Normal(name) if !there.join(name).exists() => {
                    let name = self.of(&there)?.get(&name.to_string_lossy().to_lowercase())?.clone();
                    there.push(name);
                }
                Component::Normal(name) => there.push(name),
                Component::ParentDir => {
                    there.pop();
                }
                Component::CurDir => {}
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(there)
    }

    fn of(&mut self, folder: &Path) -> Option<&HashMap<String, OsString>> {
        if !self.folders.contains_key(folder) {
            if self.kept >= MOST_NAMES {
                return None;
            }
            let entries = std::fs::read_dir(folder).into_iter().flatten().take(MOST_ENTRIES).filter_map(Result::ok);
            let mut names = HashMap::new();
            for name in entries.map(|entry| entry.file_name()) {
                // The first one, if there are several.
                names.entry(name.to_string_lossy().to_lowercase()).or_insert(name);
            }
            self.kept += names.len() + 1;
            self.folders.insert(folder.to_owned(), names);
        }
        self.folders.get(folder)
    }
}

/// A path without `.` and `..`; `None` where it leaves the folder.
fn within(path: &Path) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            Component::ParentDir if inside.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(inside)
}

/// The pictures that an export needs, by path below its folder, and warnings about those that it lacks.
#[derive(Debug, Default)]
pub(super) struct Needed {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) warnings: Vec<String>,
}

impl Transfer {
    /// The pictures of an entry that an export to `root` needs: its attachments; for others, which were imported before
    /// there were any, the files where the entry's file was imported from, if the export lacks them.
    pub(super) async fn pictures_of(&self, entry: &Entry, stem: &str, root: &Path) -> Result<Needed, Error> {
        let mut needed = Needed::default();
        let mut links: Vec<Link> = Vec::new();
        let mut left = MAX_COPIED_BYTES;
        for link in markdown::links(&entry.body).into_iter().filter(|link| link.picture) {
            let attached = match link.below() {
                Some(below) => self.journal.store.attached_at(entry.row.id, &below).await?,
                None => continue,
            };
            let Some((id, path)) = attached else {
                links.push(link);
                continue;
            };
            let mut warn = |why: &str| {
                needed.warnings.push(format!("{stem}.md line {}: the picture {} {why}", link.line, link.path()));
            };
            if let Some(why) = not_exported(&path) {
                warn(why);
                continue;
            }
            let record = self.journal.store.attachment(id).await?;
            if record.as_ref().is_some_and(|record| record.deleted && !record.purged) {
                warn("is in the bin, but the text still shows it, so it was exported");
            }
            if needed.files.contains_key(&path) {
                continue;
            }
            if record.is_some_and(|record| record.length > left) {
                warn("was not exported, since the pictures of the entry are too large");
                continue;
            }
            match self.journal.store.attachment_bytes(id).await? {
                Some(bytes) => {
                    left = left.saturating_sub(bytes.len() as u64);
                    needed.files.insert(path, bytes);
                }
                None => warn("was purged in this journal, so it is missing in the export"),
            }
        }
        if links.is_empty() {
            return Ok(needed);
        }
        let paths = [format!("journal/{stem}.md"), format!("{stem}.md")];
        let known = self.journal.store.roots_of_file([&paths[0], &paths[1]]).await?;
        let sources: Vec<(PathBuf, PathBuf)> = known
            .into_iter()
            .map(|(from, path)| {
                let from = PathBuf::from(from);
                let folder = from.join(&path).parent().map_or_else(|| from.clone(), Path::to_owned);
                (from, folder)
            })
            .filter(|(from, _)| from != root)
            .collect();
        let (root, file) = (root.to_owned(), format!("{stem}.md"));
        let (found, warnings) = blocking(move || copies(&links, &file, &root, &sources, left)).await?;
        for (path, bytes) in found {
            needed.files.entry(path).or_insert(bytes);
        }
        needed.warnings.extend(warnings);
        Ok(needed)
    }
}

/// Why an attachment is not exported to a path, which comes from a text that is not trusted.
fn not_exported(path: &str) -> Option<&'static str> {
    let ending = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
    if within(Path::new(path)).is_none() {
        Some("is outside of the exported folder, so it was not exported")
    } else if path.split('/').any(|part| part.eq_ignore_ascii_case(".git")) {
        Some("is in the repository's own folder, so it was not exported")
    } else if !PICTURES.contains(&ending.to_lowercase().as_str()) {
        Some("has no ending of a picture, so it was not exported")
    } else {
        None
    }
}

fn copies(
    links: &[Link],
    file: &str,
    root: &Path,
    sources: &[(PathBuf, PathBuf)],
    mut left: u64,
) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    let (mut found, mut warnings) = (BTreeMap::new(), Vec::new());
    let (mut names, mut missing) = (Names::default(), HashSet::new());
    let roots_of: Vec<Vec<PathBuf>> = sources.iter().map(|(_, folder)| roots(folder)).collect();
    for link in links {
        let path = link.path().replace('\\', "/");
        let below = match path.strip_prefix('/') {
            Some(path) => within(Path::new(path)),
            None => within(&Path::new("journal").join(&path)),
        };
        let mut warn = |why: &str| warnings.push(format!("{file} line {}: the picture {path} {why}", link.line));
        let Some(below) = below else {
            warn("is outside of the exported folder, so it was not copied");
            continue;
        };
        let key = below.to_string_lossy().replace('\\', "/");
        if root.join(&below).exists() || found.contains_key(&key) {
            continue;
        }
        let ending = below.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        if !ending.is_some_and(|ending| PICTURES.contains(&ending.as_str())) {
            warn("has no ending of a picture, so it was not copied");
            continue;
        }
        // A text may show one picture many times.
        let read = if missing.contains(&key) {
            None
        } else {
            sources.iter().zip(&roots_of).find_map(|((from, folder), roots)| {
                match place(link, folder, roots, &mut names) {
                    Place::There(there) | Place::Spelled(there) | Place::Elsewhere(there) => {
                        read_below(from, &there, left).ok()
                    }
                    Place::Missing => None,
                }
            })
        };
        if read.is_none() {
            missing.insert(key.clone());
        }
        match read {
            Some(bytes) => {
                left = left.saturating_sub(bytes.len() as u64);
                found.insert(key, bytes);
            }
            None if sources.is_empty() => warn("is not beside the export, and this journal has no copy of it"),
            None => warn("is not where the entry was imported from, so it is missing in the export"),
        }
    }
    (found, warnings)
}

/// Reads a file below a folder or the repository that it is in, without following links. A text that was imported from
/// a folder of downloads must not publish pictures of other folders.
///
/// # Errors
/// As [`Unread`]; [`Unread::Missing`] if it is not below them.
fn read_below(from: &Path, there: &Path, limit: u64) -> Result<Vec<u8>, Unread> {
    let there = within_absolute(there);
    let mut why = Unread::Missing;
    for root in [Some(from), repository(from)].into_iter().flatten() {
        let Ok(relative) = there.strip_prefix(root) else { continue };
        match Folder::open(root).map_err(Unread::Io).and_then(|root| root.read(relative, MAX_FILE_BYTES.min(limit))) {
            Ok(bytes) => return Ok(bytes),
            Err(error) => why = error,
        }
    }
    Err(why)
}

/// An absolute path without `.` and `..`.
fn within_absolute(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str, folder: &Path) -> Vec<(usize, String)> {
        super::problems(&markdown::links(text), folder)
    }

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("makes it");
            std::fs::write(path, b"picture").expect("writes");
        }
        folder
    }

    #[test]
    fn pictures_are_found_where_code_hosts_and_editors_find_them() {
        let clone = folder(&[
            ".git/HEAD",
            "docs/a.png",
            "assets/root.png",
            "journal/assets/b.png",
            "journal/my pic.png",
            "journal/50%20.png",
            "attachments/Pasted image 2026.png",
            "journal/Case/Shot.PNG",
        ]);
        let journal = clone.path().join("journal");
        for there in [
            "![](/docs/a.png)",
            "![](../docs/a.png)",
            "![](assets/root.png)",
            "![](./assets/b.png?raw=true)",
            "![](my%20pic.png)",
            "![](<my pic.png>)",
            "![](50%2520.png)",
            "![](50%20.png)",
            "<img src=\"/docs/a.png\">",
            "![](https://example.org/x.png)",
            "`![[no.png]]` and `![](no.png =3x)`",
        ] {
            assert_eq!(problems(there, &journal), [], "{there}");
        }
        for (text, words) in [
            ("![](no.png)", "the picture no.png is not there"),
            ("![](/no/a.png)", "the picture /no/a.png is not there"),
            ("![](nowhere/deep/b.png)", "the picture nowhere/deep/b.png is not there"),
            ("![](root.png)", "the picture root.png is in the folder assets, where code hosts do not look for it"),
            ("[x](root.png)", "the linked file root.png is not there"),
            ("[x](no.md)", "the linked file no.md is not there"),
            (
                "![](case/shot.png)",
                "the picture case/shot.png is there as Shot.PNG, which is another file for code hosts",
            ),
            (
                "![[Pasted image 2026.png|300]]",
                "the picture Pasted image 2026.png is not shown by code hosts: it is written as only Obsidian shows it",
            ),
            ("![[no.png]]", "the picture no.png is not there; it is written as only Obsidian shows it"),
            (
                "![](assets/b.png =300x)",
                "the picture assets/b.png is not shown by code hosts: it is written as only HackMD shows it",
            ),
            ("![x](no.png \"t\" =300x200)", "the picture no.png is not there; it is written as only HackMD shows it"),
        ] {
            assert_eq!(problems(&format!("# a\n\n{text}\n"), &journal), [(3, words.to_owned())], "{text}");
        }
    }

    #[test]
    fn without_a_repository_the_folders_above_are_tried() {
        let plain = folder(&["docs/a.png", "journal/week2.md"]);
        assert_eq!(problems("![](/docs/a.png)", &plain.path().join("journal")), []);
        assert_eq!(problems("![](/docs/a.png)", plain.path()), []);
    }

    #[test]
    fn each_folder_is_read_once() {
        let mut files: Vec<String> = (0..2_000).map(|n| format!("journal/Other-{n}.png")).collect();
        files.push(".git/HEAD".to_owned());
        let clone = folder(&files.iter().map(String::as_str).collect::<Vec<_>>());
        let journal = clone.path().join("journal");
        let text: String = (0..2_000).map(|n| format!("![](no-{n}.png) ![](other-{n}.png)\n")).collect();
        let mut names = Names::default();
        let links = markdown::links(&text);
        let found: Vec<Place> = links.iter().map(|link| place(link, &journal, &roots(&journal), &mut names)).collect();
        assert_eq!(found.iter().filter(|place| **place == Place::Missing).count(), 2_000);
        assert!(names.kept < 2_010 && names.folders.len() <= 2, "{} names", names.kept);
        assert!(found.contains(&Place::Spelled(journal.join("Other-7.png"))));
        // One file, linked often, is one question.
        let repeated = problems(&"[a](no.md) ".repeat(10_000), &journal);
        assert_eq!((repeated.len(), &*repeated[9_999].1), (10_000, "the linked file no.md is not there"));
    }

    #[test]
    fn copies_stay_below_the_export() {
        assert_eq!(within(Path::new("journal/../images/x.png")), Some(PathBuf::from("images/x.png")));
        assert_eq!(within(Path::new("journal/../../x.png")), None);
        assert_eq!(within(Path::new("/etc/passwd")), None);
        let from = folder(&[".git/HEAD", "journal/week2.md", "journal/a.png", "docs/b.png", "journal/key.pem"]);
        let to = folder(&["journal/there.png"]);
        let text = "![](a.png) ![](/docs/b.png) ![](there.png) ![](key.pem)\n![](no.png) ![](../../c.png)";
        let sources = [(from.path().to_owned(), from.path().join("journal"))];
        let (found, warnings) = copies(&markdown::links(text), "week2.md", to.path(), &sources, MAX_COPIED_BYTES);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["docs/b.png", "journal/a.png"]);
        assert_eq!(
            warnings,
            [
                "week2.md line 1: the picture key.pem has no ending of a picture, so it was not copied",
                "week2.md line 2: the picture no.png is not where the entry was imported from, so it is missing in the export",
                "week2.md line 2: the picture ../../c.png is outside of the exported folder, so it was not copied",
            ]
        );
    }
}

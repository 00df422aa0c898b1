//! From the journal to files, never over what somebody else wrote.

use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use tracebook_core::entry::Entry;
use tracebook_render::markdown;

use crate::Tracebook;
use crate::ground::error::{Code, Error};
use crate::ground::files::{cannot_write, read_regular, sha256};
use crate::rpc::{Caller, Export, Exported};

impl Tracebook {
    pub(crate) async fn export(&self, request: Export, caller: &Caller) -> Result<Exported, Error> {
        let call = self.begin(caller);
        let root = make_root(&request.to)?;
        let stems = self.stems().await?;
        let mut wanted: Vec<Entry> = Vec::new();
        if request.entries.is_empty() {
            for row in self.journal.entries(false).await? {
                wanted.extend(self.journal.entry(&row.id.to_string()).await?);
            }
        }
        for reference in &request.entries {
            let entry = self.find_entry(reference).await?;
            if !stems.contains_key(&entry.row.id) {
                return Err(Error::not_found(format!("{reference} is in the bin"), "`entry restore` takes it out"));
            }
            wanted.push(entry);
        }
        let root_name = root.display().to_string();
        let mut known = self.journal.known_files(&root_name).await?;
        let mut done = Exported::default();
        let _writing = begin_writing(&root);
        for (n, entry) in wanted.iter().enumerate() {
            call.progress(n, wanted.len(), format!("Writing {}", entry.row.title))?;
            // One that was made since then waits for the next export.
            let Some(stem) = stems.get(&entry.row.id) else { continue };
            let tree = self.tree(entry, stem).await?;
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
            for (path, bytes) in &tree.files {
                match write_file(&root, path, bytes, known.get(path), request.force)? {
                    Outcome::Written => done.written.push(path.clone()),
                    Outcome::Unchanged => done.unchanged += 1,
                    Outcome::Refused => {
                        done.refused.push(path.clone());
                        continue;
                    }
                }
                // Remembered file by file: what is on disk stays known as ours even if a later one fails.
                let ours = sha256(bytes);
                if known.get(path) != Some(&ours) {
                    self.journal.remember_files(&root_name, &[(path.clone(), ours.clone())]).await?;
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

/// What the names of half-written files begin with; the process's number follows.
const BESIDE: &str = ".tracebook-";

/// Makes a folder below the root part by part, so that nothing is made behind a link that leads out.
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

/// Says that somebody exports into this folder, for as long as the answer lives. Where nobody else does, what an export that was
/// killed left half-written is cleared first.
fn begin_writing(root: &Path) -> Option<std::fs::File> {
    // Not every platform opens folders: then there is no lock, and nothing is cleared.
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

/// Removes half-written files from a folder, unless it lies elsewhere.
fn clear(root: &Path, folder: &Path) {
    if !folder.canonicalize().is_ok_and(|real| real.starts_with(root)) {
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(BESIDE)).unwrap_or_default();
        let ours = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            // What cannot be removed is in nobody's way.
            std::fs::remove_file(entry.path()).ok();
        }
    }
}

/// Writes one file of the tree: whole or not at all, and only over what is ours.
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
        // A link, a pipe, a device: not ours, and reading one may never end.
        Ok(meta) if !meta.is_file() && !force => return Ok(Outcome::Refused),
        Ok(meta) if !meta.is_file() => {}
        Ok(_) => match read_regular(&target) {
            Some(there) if there == bytes => return Ok(Outcome::Unchanged),
            Some(there) if force || known == Some(&sha256(&there)) => {}
            // What cannot be read, or is larger than anything of ours, is somebody else's.
            None if force => {}
            _ => return Ok(Outcome::Refused),
        },
    }
    // Beside the target, so that the rename stays on one file system and is atomic.
    let beside = folder.join(format!("{BESIDE}{}", std::process::id()));
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
            std::fs::remove_file(&beside).ok();
            Err(cannot_write(&target, &error))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracebook_core::console::Console;
    use tracebook_core::evidence::Kind;

    use super::*;
    use crate::ground::config::Config;
    use crate::rpc::{Capture, EntryNew, Import, Imported, NamedText};

    struct Home {
        dir: tempfile::TempDir,
        app: Arc<Tracebook>,
    }

    impl Home {
        async fn new() -> Self {
            let dir = tempfile::tempdir().expect("a folder");
            let config = Config { data_dir: dir.path().join("data"), receivers: None, watch: Vec::new() };
            let app = Tracebook::start(config).await.expect("starts");
            Self { dir, app }
        }

        /// With an entry `one` that shows one evidence.
        async fn with_evidence() -> Self {
            let home = Self::new().await;
            let slug = home.entry("One", "# One\n").await;
            let request = Capture {
                kind: Kind::Console,
                id: None,
                source: Default::default(),
                latest: false,
                filter: String::new(),
                since: None,
                text: None,
                into: Some(slug),
                slot: None,
                caption: None,
            };
            let console = Console::from_text("docker compose ps", "db  running");
            home.app.capture_console(console, request, &Caller::default()).await.expect("captures");
            home
        }

        fn out(&self) -> PathBuf {
            self.dir.path().join("repo")
        }

        fn root_name(&self) -> String {
            self.out().canonicalize().expect("there").display().to_string()
        }

        async fn entry(&self, title: &str, body: &str) -> String {
            let new = EntryNew { week: None, title: Some(title.to_owned()), body: Some(body.to_owned()) };
            self.app.entry_new(new, &Caller::default()).await.expect("a new entry").row.slug
        }

        async fn export(&self, force: bool) -> Result<Exported, Error> {
            let to = self.out().display().to_string();
            self.app.export(Export { entries: Vec::new(), to, force }, &Caller::default()).await
        }

        async fn import_texts(&self, texts: Vec<NamedText>) -> Imported {
            self.app.import(Import { paths: Vec::new(), texts }, &Caller::default()).await.expect("imports")
        }

        async fn import(&self, path: &Path) -> Result<Imported, Error> {
            let paths = vec![path.display().to_string()];
            self.app.import(Import { paths, texts: Vec::new() }, &Caller::default()).await
        }

        fn write(&self, path: &str, text: &str) -> PathBuf {
            let path = self.out().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
            std::fs::write(&path, text).expect("writes");
            path
        }
    }

    fn verify(path: &Path) -> Result<crate::transfer::verify::Verified, Error> {
        crate::transfer::verify::verify(&[path.display().to_string()])
    }

    #[cfg(unix)]
    fn pipe(path: &Path) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
        assert!(std::process::Command::new("mkfifo").arg(path).status().expect("runs").success());
    }

    #[tokio::test]
    async fn a_file_is_ours_as_soon_as_it_is_written() {
        let home = Home::with_evidence().await;
        // Where the markdown would be written first there is no place: the assets are written, the markdown fails.
        let blocked = home.out().join(format!("journal/{BESIDE}{}", std::process::id()));
        std::fs::create_dir_all(&blocked).expect("makes");
        home.export(false).await.expect_err("the markdown cannot be written");
        let known = home.app.journal.known_files(&home.root_name()).await.expect("reads");
        assert_eq!(known.len(), 2, "the picture and entry.json: {known:?}");
        home.app.shutdown().await;
    }

    #[tokio::test]
    async fn what_a_killed_export_left_is_cleared() {
        let home = Home::with_evidence().await;
        let left = [home.write("journal/.tracebook-1", "half"), home.write("journal/assets/old/.tracebook-22", "half")];
        let kept = [
            home.write("journal/.tracebook-notes", "mine"),
            home.write("journal/.tracebook-", "mine"),
            home.write("elsewhere/.tracebook-1", "mine"),
        ];
        // While another export writes here, its half-written files are its own.
        let other = begin_writing(&home.out()).expect("a lock");
        let busy = home.write("journal/.tracebook-333", "half");
        home.export(false).await.expect("exports");
        assert!(busy.exists());
        drop(other);
        home.export(false).await.expect("exports");
        assert!(!busy.exists());
        assert!(left.iter().all(|path| !path.exists()));
        assert!(kept.iter().all(|path| path.exists()));
        home.app.shutdown().await;
    }

    #[tokio::test]
    async fn an_entry_called_readme_gets_another_file() {
        let home = Home::new().await;
        home.entry("README", "# README\n").await;
        assert_eq!(home.export(false).await.expect("exports").written, ["journal/readme-2.md"]);
        let back = Home::new().await;
        assert_eq!(back.import(&home.out()).await.expect("imports").entries.len(), 1);
        home.app.shutdown().await;
        back.app.shutdown().await;
    }

    #[tokio::test]
    async fn given_names_become_names_of_files() {
        let home = Home::new().await;
        let named = |name: &str, text: &str| NamedText { name: name.to_owned(), text: text.to_owned() };
        let long = format!("{}.md", "é".repeat(4000));
        let done = home.import_texts(vec![named("we\u{1b}[31mek\n\u{202e}9.md", "a"), named(&long, "b")]).await;
        assert_eq!(done.warnings.len(), 2, "{:?}", done.warnings);
        assert!(done.warnings.iter().all(|w| w.len() < 600 && !w.contains(['\u{1b}', '\n', '\u{202e}'])));
        let again = home.import_texts(vec![named("../plain.markdown", "c"), named("...", "d"), named("", "e")]).await;
        assert_eq!(again.warnings, Vec::<String>::new());
        let written = home.export(false).await.expect("names that a file system takes").written;
        let mut stems: Vec<_> =
            written.iter().filter_map(|w| w.strip_prefix("journal/")?.strip_suffix(".md")).collect();
        stems.sort_unstable();
        assert_eq!(
            stems,
            ["entry", "entry-2", "plain", "we[31mek9", &"é".repeat(crate::ground::files::MAX_STEM_BYTES / 2)]
        );
        home.app.shutdown().await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nothing_is_made_behind_a_link_that_leads_out() {
        let home = Home::with_evidence().await;
        let outside = home.dir.path().join("outside");
        std::fs::create_dir_all(&outside).expect("makes");
        std::fs::create_dir_all(home.out()).expect("makes");
        std::fs::write(outside.join(".tracebook-1"), "not ours to clear").expect("writes");
        std::os::unix::fs::symlink(&outside, home.out().join("journal")).expect("links");
        assert_eq!(home.export(true).await.expect_err("it leads out").code, Code::Refused);
        let there: Vec<_> = std::fs::read_dir(&outside).expect("lists").flatten().map(|e| e.file_name()).collect();
        assert_eq!(there, [".tracebook-1"]);
        home.app.shutdown().await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn pipes_and_devices_hold_nothing_up() {
        let home = Home::with_evidence().await;
        pipe(&home.out().join("journal/one.md"));
        assert_eq!(home.export(false).await.expect("exports").refused, ["journal/one.md"]);
        assert_eq!(home.export(true).await.expect("exports").written, ["journal/one.md"]);

        // Pipes in the place of entry.json, of a text and of a picture.
        let assets = home.out().join("journal/assets/one");
        std::fs::remove_file(assets.join("entry.json")).expect("removes");
        for path in [assets.join("entry.json"), home.out().join("journal/p.md"), home.out().join("journal/p.svg")] {
            pipe(&path);
        }
        std::os::unix::fs::symlink("/dev/zero", home.out().join("journal/zero.md")).expect("links");
        assert!(verify(&home.out()).expect("verifies").ok);
        assert_eq!(home.import(&home.out()).await.expect("imports").entries.len(), 1);
        for given in [home.out().join("journal/p.md"), PathBuf::from("/dev/zero")] {
            let refused = [verify(&given).expect_err("no file"), home.import(&given).await.expect_err("no file")];
            for error in refused {
                assert!(error.message.contains("neither a file nor a folder"), "{error:?}");
            }
        }
        home.app.shutdown().await;
    }

    #[tokio::test]
    async fn every_name_of_markdown_is_verified() {
        let home = Home::with_evidence().await;
        home.export(false).await.expect("exports");
        let journal = home.out().join("journal");
        let mut last = journal.join("one.md");
        for name in ["one.markdown", "one.MD", "one.Markdown"] {
            let file = journal.join(name);
            std::fs::rename(&last, &file).expect("renames");
            let text = std::fs::read_to_string(&file).expect("reads");
            for path in [home.out(), file.clone()] {
                assert!(verify(&path).expect("verifies").ok, "{name}");
                std::fs::write(&file, text.replace("<summary>", "<summary>not ")).expect("writes");
                assert!(!verify(&path).expect("verifies").ok, "{name}");
                std::fs::write(&file, &text).expect("writes");
            }
            last = file;
        }
        home.app.shutdown().await;
    }

    #[tokio::test]
    async fn compact_cards_that_were_imported_are_ours() {
        let home = Home::with_evidence().await;
        let entry = home.app.find_entry("one").await.expect("there");
        let at = entry.body.find("](evidence:").expect("a reference") + "](evidence:".len() + 26;
        let body = format!("{}?size=compact{}", &entry.body[..at], &entry.body[at..]);
        let caller = Caller::default();
        let write = home.app.write_body(entry.row.id, Some(entry.revision), body, None, &caller);
        assert!(write.await.expect("writes").accepted);
        let written = home.export(false).await.expect("exports").written;
        let card = written.iter().find(|path| path.ends_with(".compact.svg")).expect("a compact card");
        let back = Home::new().await;
        back.import(&home.out()).await.expect("imports");
        let known = back.app.journal.known_files(&home.root_name()).await.expect("reads");
        assert!(known.contains_key(card), "{card} in {known:?}");
        assert_eq!(known.len(), written.len());
        home.app.shutdown().await;
        back.app.shutdown().await;
    }
}

//! Export, import and verify over a journal and folders on disk.

use std::path::{Path, PathBuf};

use tracebook_core::console::Console;
use tracebook_core::evidence::Kind;

use super::export::{TEMPORARY, lock_folder};
use crate::ground::error::{Code, Error};
use crate::ground::files::MAX_STEM_BYTES;
use crate::ground::schema::{Caller, Capture, Import, Imported, NamedText};
use crate::testing::Home;

impl Home {
    /// With an entry `one` that shows one evidence.
    async fn with_evidence() -> Self {
        let home = Self::new().await;
        let slug = home.entry("One", "# One\n").await;
        let request = Capture { into: Some(slug), ..Capture::of(Kind::Console) };
        let console = Console::from_text("docker compose ps", "db  running");
        home.app.capture.capture_console(console, request, &Caller::default()).await.expect("captures");
        home
    }

    fn root_name(&self) -> String {
        self.out().canonicalize().expect("there").display().to_string()
    }

    async fn import_texts(&self, texts: Vec<NamedText>) -> Imported {
        let request = Import { paths: Vec::new(), texts };
        self.app.transfer.import(request, &Caller::default()).await.expect("imports")
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.out().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
        std::fs::write(&path, text).expect("writes");
        path
    }
}

fn verify(path: &Path) -> Result<super::verify::Verified, Error> {
    super::verify::verify(&[path.display().to_string()])
}

#[cfg(unix)]
fn pipe(path: &Path) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
    assert!(std::process::Command::new("mkfifo").arg(path).status().expect("runs").success());
}

#[tokio::test]
async fn a_file_is_ours_as_soon_as_it_is_written() {
    let home = Home::with_evidence().await;
    // The assets are written, but the Markdown fails.
    let blocked = home.out().join(format!("journal/{TEMPORARY}{}", std::process::id()));
    std::fs::create_dir_all(&blocked).expect("makes");
    home.export(false).await.expect_err("the markdown cannot be written");
    let known = home.app.journal.store.known_files(&home.root_name()).await.expect("reads");
    assert_eq!(known.len(), 2, "the picture and entry.json: {known:?}");
    home.app.shutdown().await;
}

#[tokio::test]
async fn temporary_files_of_a_killed_export_are_removed() {
    let home = Home::with_evidence().await;
    let left = [home.write("journal/.tracebook-1", "half"), home.write("journal/assets/old/.tracebook-22", "half")];
    let kept = [
        home.write("journal/.tracebook-notes", "mine"),
        home.write("journal/.tracebook-", "mine"),
        home.write("elsewhere/.tracebook-1", "mine"),
    ];
    // Temporary files of a running export are kept.
    let other = lock_folder(&home.out()).expect("a lock");
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
    let mut stems: Vec<_> = written.iter().filter_map(|w| w.strip_prefix("journal/")?.strip_suffix(".md")).collect();
    stems.sort_unstable();
    assert_eq!(stems, ["entry", "entry-2", "plain", "we[31mek9", &"é".repeat(MAX_STEM_BYTES / 2)]);
    home.app.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn links_out_of_the_folder_are_not_followed() {
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

    // Pipes instead of entry.json, a text and a picture.
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
async fn all_markdown_extensions_are_verified() {
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
async fn imported_compact_cards_are_ours() {
    let home = Home::with_evidence().await;
    let entry = home.app.journal.find_entry("one").await.expect("there");
    let at = entry.body.find("](evidence:").expect("a reference") + "](evidence:".len() + 26;
    let body = format!("{}?size=compact{}", &entry.body[..at], &entry.body[at..]);
    let caller = Caller::default();
    let write = home.app.journal.write_body(entry.row.id, Some(entry.revision), body, None, &caller);
    assert!(write.await.expect("writes").accepted);
    let written = home.export(false).await.expect("exports").written;
    let card = written.iter().find(|path| path.ends_with(".compact.svg")).expect("a compact card");
    let back = Home::new().await;
    back.import(&home.out()).await.expect("imports");
    let known = back.app.journal.store.known_files(&home.root_name()).await.expect("reads");
    assert!(known.contains_key(card), "{card} in {known:?}");
    assert_eq!(known.len(), written.len());
    home.app.shutdown().await;
    back.app.shutdown().await;
}

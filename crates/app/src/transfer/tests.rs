//! Export, import and verify over a journal and folders on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracebook_core::console::{Console, Output};
use tracebook_core::evidence::Kind;

use super::export::lock_folder;
use crate::ground::error::{Code, Error};
use crate::ground::files::MAX_STEM_BYTES;
use crate::ground::folder::{Folder, TEMPORARY};
use crate::ground::runtime::Runtime;
use crate::ground::schema::{Caller, Capture, Export, ExportLeaks, Import, Imported, Leak, NamedText};
use crate::system::SystemClock;
use crate::testing::{CountingEntropy, Home};

impl Home {
    /// With an entry `one` that shows one evidence.
    async fn with_evidence() -> Self {
        Self::new().await.and_evidence().await
    }

    async fn and_evidence(self) -> Self {
        let home = self;
        let slug = home.entry("One", "# One\n").await;
        let request = Capture { into: Some(slug), ..Capture::of(Kind::Console) };
        let console = Console::from_text("docker compose ps", "db  running");
        home.app
            .capture
            .capture_console(Output { console, ..Output::default() }, request, &Caller::default())
            .await
            .expect("captures");
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
    super::verify::verify(&[path.display().to_string()], None)
}

#[cfg(unix)]
fn pipe(path: &Path) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
    assert!(std::process::Command::new("mkfifo").arg(path).status().expect("runs").success());
}

/// An app whose temporary names can be predicted, and these names.
async fn predictable() -> (Home, Vec<String>) {
    let home = Home::with_runtime(Runtime::new(Arc::new(SystemClock), Arc::new(CountingEntropy::default()))).await;
    let name = |n: u32| format!("{TEMPORARY}{}", CountingEntropy::nth(n).map(|b| format!("{b:02x}")).concat());
    (home.and_evidence().await, (0..1_000).map(name).collect())
}

#[tokio::test]
async fn a_file_is_ours_as_soon_as_it_is_written() {
    let (home, names) = predictable().await;
    // The assets are written, but the Markdown fails.
    for name in names {
        std::fs::create_dir_all(home.out().join("journal").join(name)).expect("makes");
    }
    home.export(false).await.expect_err("the markdown cannot be written");
    let known = home.app.journal.store.known_files(&home.root_name()).await.expect("reads");
    assert_eq!(known.len(), 3, "the pictures and entry.json: {known:?}");
    home.app.shutdown().await;
}

#[tokio::test]
async fn temporary_files_of_a_killed_export_are_removed() {
    let home = Home::with_evidence().await;
    let left = [
        home.write("journal/.tracebook-1", "half"),
        home.write("journal/assets/old/.tracebook-22", "half"),
        home.write("journal/.tracebook-0123456789abcdef0123", "half"),
    ];
    let kept = [
        home.write("journal/.tracebook-notes", "mine"),
        home.write("journal/.tracebook-", "mine"),
        home.write("journal/.tracebook-cafe", "mine"),
        home.write("elsewhere/.tracebook-1", "mine"),
    ];
    // Temporary files of a running export are kept.
    let other = lock_folder(&Folder::open(&home.out()).expect("opens")).expect("a lock");
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
fn link(to: impl AsRef<Path>, at: impl AsRef<Path>) {
    std::fs::create_dir_all(at.as_ref().parent().expect("a folder")).expect("makes");
    std::os::unix::fs::symlink(to, at).expect("links");
}

#[cfg(unix)]
#[tokio::test]
async fn an_export_writes_through_no_link() {
    let (home, names) = predictable().await;
    let outside = home.dir.path().join("outside.txt");
    let folder = home.dir.path().join("elsewhere");
    std::fs::write(&outside, "not ours").expect("writes");
    std::fs::create_dir_all(&folder).expect("makes");
    let untouched = || {
        assert_eq!(std::fs::read_to_string(&outside).expect("reads"), "not ours");
        assert_eq!(std::fs::read_dir(&folder).expect("lists").count(), 0);
    };
    let journal = home.out().join("journal");

    // Under the temporary name, even if it could be guessed.
    for name in &names {
        link(&outside, journal.join(name));
    }
    home.export(true).await.expect_err("the name is taken");
    untouched();
    std::fs::remove_dir_all(&journal).expect("removes");

    // In place of the files: to a file, to nothing, to itself, and another name of a file.
    for to in [outside.clone(), home.dir.path().join("elsewhere/new"), journal.join("one.md")] {
        link(&to, journal.join("one.md"));
        let done = home.export(false).await.expect("exports");
        assert_eq!(done.refused, ["journal/one.md"]);
        assert!(done.warnings.iter().any(|w| w == "journal/one.md is a link, not a file"), "{:?}", done.warnings);
        untouched();
        assert_eq!(home.export(true).await.expect("exports").written, ["journal/one.md"]);
        untouched();
        assert!(std::fs::symlink_metadata(journal.join("one.md")).expect("there").is_file());
        std::fs::remove_file(journal.join("one.md")).expect("removes");
    }
    std::fs::hard_link(&outside, journal.join("one.md")).expect("links");
    assert_eq!(home.export(false).await.expect("exports").refused, ["journal/one.md"]);
    assert_eq!(home.export(true).await.expect("exports").written, ["journal/one.md"]);
    untouched();

    // In place of the folders, also to one within the export.
    for part in ["journal", "journal/assets", "journal/assets/one"] {
        for to in [folder.clone(), home.out().join(".git")] {
            std::fs::create_dir_all(home.out().join(".git")).expect("makes");
            std::fs::remove_dir_all(&journal).expect("removes");
            link(&to, home.out().join(part));
            for force in [false, true] {
                let error = home.export(force).await.expect_err("a link");
                assert_eq!(error.code, Code::Refused, "{part} {error:?}");
                assert!(error.message.contains("is a link"), "{error:?}");
            }
            untouched();
            assert_eq!(std::fs::read_dir(home.out().join(".git")).expect("lists").count(), 0);
            std::fs::remove_file(home.out().join(part)).expect("removes");
            std::fs::create_dir_all(&journal).expect("makes");
        }
    }
    home.app.shutdown().await;
}

/// While an export runs, its folder is exchanged for a link and back, over and over.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchanged_folder_leads_an_export_nowhere() {
    let home = Home::with_evidence().await;
    let folder = home.dir.path().join("elsewhere");
    std::fs::create_dir_all(&folder).expect("makes");
    home.export(false).await.expect("exports");
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (assets, aside, target, stopped) =
        (home.out().join("journal/assets"), home.out().join("aside"), folder.clone(), stop.clone());
    let exchange = std::thread::spawn(move || {
        while !stopped.load(std::sync::atomic::Ordering::SeqCst) {
            if std::fs::rename(&assets, &aside).is_ok() {
                // The export may create the folder again.
                std::os::unix::fs::symlink(&target, &assets).ok();
                std::thread::yield_now();
                std::fs::remove_file(&assets).ok();
                std::fs::remove_dir_all(&assets).ok();
                std::fs::rename(&aside, &assets).ok();
            }
        }
    });
    for _ in 0..300 {
        // Whether it succeeds depends on the moment.
        home.export(true).await.ok();
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    exchange.join().expect("no panic");
    assert_eq!(std::fs::read_dir(&folder).expect("lists").count(), 0);
    home.app.shutdown().await;
}

#[tokio::test]
async fn pictures_of_an_imported_file_are_exported_with_it() {
    let home = Home::new().await;
    let clone = home.dir.path().join("downloads/clone");
    let files = [
        ("journal/week2.md", "Week 2 — *Tracing*\n===\n\n![](assets/a.png)\n![](no.png)\n![](/../other/private.png)\n"),
        ("journal/assets/a.png", "picture"),
        ("../other/private.png", "private"),
    ];
    for (path, text) in files {
        let path = clone.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
        std::fs::write(path, text).expect("writes");
    }
    let done = home.import(&clone).await.expect("imports");
    assert_eq!((done.entries[0].title.as_str(), done.entries[0].week.as_deref()), ("Week 2 — Tracing", Some("2")));
    assert!(done.warnings.iter().any(|w| w == "journal/week2.md:5: the picture no.png is not there"), "{done:?}");

    let exported = home.export(false).await.expect("exports");
    assert_eq!(std::fs::read_to_string(home.out().join("journal/assets/a.png")).expect("copied"), "picture");
    assert!(!home.out().join("other").exists() && !home.dir.path().join("other").exists());
    assert_eq!(exported.warnings.len(), 2, "{exported:?}");
    assert!(exported.warnings[0].starts_with("week2.md line 5: the picture no.png is not where"), "{exported:?}");
    let again = home.export(false).await.expect("exports");
    assert_eq!((again.written.len(), again.warnings.len()), (0, 2), "{again:?}");
    home.app.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn an_import_reads_nothing_through_links() {
    let home = Home::new().await;
    let secret = home.dir.path().join("secret.md");
    let folder = home.dir.path().join("private");
    std::fs::create_dir_all(&folder).expect("makes");
    std::fs::write(&secret, "# s3cret\n").expect("writes");
    std::fs::write(folder.join("week3.md"), "# s3cret too\n").expect("writes");
    let clone = home.dir.path().join("clone");
    let journal = clone.join("journal");
    std::fs::create_dir_all(&journal).expect("makes");
    std::fs::write(journal.join("week1.md"), "# Week 1\n").expect("writes");
    for (to, at) in [
        (PathBuf::from("/proc/self/environ"), "journal/week9.md"),
        (PathBuf::from("/dev/zero"), "journal/week8.md"),
        (secret.clone(), "journal/week7.md"),
        (PathBuf::from("week7.md"), "journal/week6.md"),
        (PathBuf::from("../../secret.md"), "journal/week5.md"),
        (PathBuf::from("week1.md"), "journal/inside.md"),
        (PathBuf::from("nothing"), "journal/dangling.md"),
    ] {
        link(to, clone.join(at));
    }
    let done = home.import(&clone).await.expect("imports");
    assert_eq!(done.entries.iter().map(|e| e.title.as_str()).collect::<Vec<_>>(), ["Week 1"]);
    assert_eq!(done.warnings.iter().filter(|w| w.contains("was skipped: it is a link")).count(), 7, "{done:?}");
    let verified = verify(&clone).expect("verifies");
    assert_eq!(verified.warnings.iter().filter(|w| w.contains("was not checked: it is a link")).count(), 7);

    // A linked folder.
    std::fs::remove_dir_all(&journal).expect("removes");
    link(&folder, &journal);
    let error = home.import(&clone).await.expect_err("nothing is left");
    assert!(error.message.contains("links are not followed"), "{error:?}");
    let verified = verify(&clone).expect("verifies");
    assert!(verified.evidence.is_empty() && verified.warnings.len() == 1, "{verified:?}");

    // What the user names may be a link.
    let named = home.dir.path().join("named");
    link(&folder, &named);
    assert_eq!(home.import(&named).await.expect("imports").entries[0].title, "s3cret too");
    // Files of the kernel are not, whatever leads to them.
    for kernel in ["/proc/self/environ", "/sys/kernel/notes"].map(Path::new).iter().filter(|p| p.exists()) {
        let link_to = home.dir.path().join("kernel.md");
        std::fs::remove_file(&link_to).ok();
        link(kernel, &link_to);
        for path in [*kernel, &link_to] {
            let error = home.import(path).await.expect_err("not a text");
            assert!(error.message.contains("not a regular file"), "{error:?}");
        }
    }
    home.app.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn evidence_is_not_read_through_links() {
    let home = Home::with_evidence().await;
    home.export(false).await.expect("exports");
    let (assets, real) = (home.out().join("journal/assets/one"), home.dir.path().join("real"));
    std::fs::rename(&assets, &real).expect("moves");
    link(&real, &assets);
    let back = Home::new().await;
    let done = back.import(&home.out()).await.expect("imports");
    assert!(done.evidence.is_empty());
    assert!(done.warnings.iter().any(|w| w.contains("entry.json was not read: it is a link")), "{:?}", done.warnings);
    let verified = verify(&home.out()).expect("verifies");
    assert!(!verified.ok && !verified.warnings.is_empty(), "{verified:?}");
    home.app.shutdown().await;
    back.app.shutdown().await;
}

#[tokio::test]
async fn an_import_is_bounded() {
    let home = Home::new().await;
    let big = home.write("journal/big.md", "");
    let file = std::fs::File::options().write(true).open(&big).expect("opens");
    file.set_len(65 * 1024 * 1024).expect("grows");
    let error = home.import(&home.out()).await.expect_err("too large");
    assert!(error.message.contains("too large for an entry"), "{error:?}");
    file.set_len(60 * 1024 * 1024).expect("shrinks");
    for n in 0..4 {
        std::fs::File::create(home.out().join(format!("journal/big{n}.md"))).expect("creates");
        let file = std::fs::File::options().write(true).open(home.out().join(format!("journal/big{n}.md")));
        file.expect("opens").set_len(60 * 1024 * 1024).expect("grows");
    }
    let error = home.import(&home.out()).await.expect_err("too much");
    assert!(error.message.contains("more than 256 MiB"), "{error:?}");
    std::fs::remove_dir_all(home.out().join("journal")).expect("removes");
    for n in 0..10_001 {
        home.write(&format!("journal/{n}.md"), "");
    }
    let error = home.import(&home.out()).await.expect_err("too many");
    assert!(error.message.contains("more than 10000 files"), "{error:?}");
    assert_eq!(home.app.journal.store.entries(false).await.expect("reads").len(), 0);
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
    // The manifest belongs to the folder, not to an entry.
    assert_eq!(known.len(), written.len() - 2);
    home.app.shutdown().await;
    back.app.shutdown().await;
}

#[tokio::test]
async fn a_text_with_a_credential_is_exported_only_if_that_is_allowed() {
    let home = Home::new().await;
    let token = format!("ghp_{}", "a1B2c3".repeat(6));
    home.entry("Fine", "# Fine\n\nSet `password` in the form; `token.count` is 3.\n").await;
    let body = format!("# Leak\n\nexport GITHUB_TOKEN={token}\n\n![a](x.png \"password=hunter2x\")\n");
    home.entry("Leak", &body).await;
    let error = home.export(false).await.expect_err("a leak");
    assert_eq!(error.code, Code::Refused);
    for part in ["journal/leak.md: line 3", "GitHub personal token", "journal/leak.md: line 5", "(password)"] {
        assert!(error.message.contains(part), "{part}: {}", error.message);
    }
    assert!(!error.message.contains(&token[4..]) && !error.message.contains("hunter2x"), "{}", error.message);
    assert!(!error.message.contains("fine.md"), "{}", error.message);
    assert!(!home.out().join("journal").exists(), "nothing was written");

    let to = home.out().display().to_string();
    let request = Export { to, allow_leaks: true, ..Export::default() };
    let done = home.app.transfer.export(request, &Caller::default()).await.expect("exports");
    let leaks = done.warnings.iter().filter(|warning| warning.contains("credential")).count();
    assert_eq!((leaks, done.warnings.len()), (2, 3), "and the picture: {:?}", done.warnings);
    let text = std::fs::read_to_string(home.out().join("journal/leak.md")).expect("reads");
    assert!(text.contains(&token), "the text stays as it is");
}

#[tokio::test]
async fn credentials_are_allowed_one_by_one() {
    let home = Home::new().await;
    let token = format!("ghp_{}", "a1B2c3".repeat(6));
    let key = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let body = format!(
        "# Leak\n\nexport GITHUB_TOKEN={token} and password=hunter2x\n\n```\n-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n```\n"
    );
    home.entry("Leak", &body).await;
    let leaks = async || home.app.transfer.export_leaks(ExportLeaks::default()).await.expect("searches");
    let export = async |allow: &[&Leak]| {
        let allow = allow.iter().map(|leak| leak.mark.clone()).collect();
        let request = Export { to: home.out().display().to_string(), allow, ..Export::default() };
        home.app.transfer.export(request, &Caller::default()).await
    };
    let all = leaks().await;
    let kinds: Vec<(Option<u32>, &str)> = all.iter().map(|leak| (leak.line, leak.kind.as_str())).collect();
    assert_eq!(kinds, [(Some(3), "GitHub personal token"), (Some(3), "password"), (Some(6), "private key")]);
    assert_eq!(all[0].shown, "export GITHUB_TOKEN=… and password=…");
    let shown = serde_json::to_string(&all).expect("JSON");
    assert!([&token[4..], "hunter2x", key].iter().all(|secret| !shown.contains(secret)), "{shown}");

    for some in [vec![], vec![&all[0]], vec![&all[1], &all[2]]] {
        let error = export(&some).await.expect_err("one is not allowed");
        assert_eq!(error.code, Code::Refused);
        assert_eq!(error.message.matches("looks like").count(), all.len() - some.len(), "{}", error.message);
    }
    assert!(!home.out().join("journal").exists(), "nothing was written");
    let done = export(&[&all[0], &all[1], &all[2]]).await.expect("all are allowed");
    assert_eq!(done.warnings.iter().filter(|warning| warning.contains("exported as it stands")).count(), 3);

    // Another credential at the same place, or the same in another entry, is not what was allowed.
    home.entry("Other", &body).await;
    let error = export(&[&all[0], &all[1], &all[2]]).await.expect_err("another entry");
    assert!(error.message.contains("journal/other.md") && !error.message.contains("journal/leak.md"), "{error:?}");
    let entry = home.app.journal.find_entry("leak").await.expect("there");
    let (body, caller) = (body.replace("hunter2x", "hunter3x"), Caller::default());
    home.app.journal.write_body(entry.row.id, Some(entry.revision), body, None, &caller).await.expect("writes");
    let error = export(&[&all[0], &all[1], &all[2]]).await.expect_err("another password");
    assert!(error.message.contains("journal/leak.md: line 3") && error.message.contains("(password)"), "{error:?}");
}

//! Exports in one file: bundles and pages.

use std::path::{Path, PathBuf};
use std::process::Command;

use tracebook_core::console::{Console, Output};
use tracebook_core::evidence::Kind;
use tracebook_render::verify::Verdict;

use super::verify::{Verified, verify};
use crate::ground::error::{Code, Error};
use crate::ground::schema::{Caller, Capture, Export, ExportFormat, Exported};
use crate::testing::Home;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xff\xff?\0\x05\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82";

/// A journal with two entries, evidence, large evidence, values that are masked, links and HTML of its own.
async fn journal() -> Home {
    let home = Home::new().await;
    let one = "# Week 1\n\nMail ann.lee@company.io, see [two](week2.md#b) and [here](#week-1).\n\n\
               | a | b |\n|:-|-:|\n| 1 | <b>2</b> |\n\n![far](https://example.com/a.png) ![gone](assets/gone.png)\n";
    let one = home.entry("Week 1", one).await;
    let two = home.entry("Week 2", "# Week 2\n\n## B\n\n<script>alert(1)</script>\n\n[x](javascript:alert(2))\n").await;
    let long = format!("{}\n", "a long line of output, which is repeated ".repeat(60)).repeat(130);
    for (into, output) in [(&one, "db  running <b>\"&"), (&one, &*long), (&two, "mail of ann.lee@company.io")] {
        let request = Capture { into: Some(into.clone()), ..Capture::of(Kind::Console) };
        let output = Output { console: Console::from_text("docker compose ps", output), ..Output::default() };
        home.app.capture.capture_console(output, request, &Caller::default()).await.expect("captures");
    }
    home
}

async fn try_export(home: &Home, format: ExportFormat, entries: &[&str], to: &Path) -> Result<Exported, Error> {
    let entries = entries.iter().map(|entry| (*entry).to_owned()).collect();
    let request = Export { entries, to: to.display().to_string(), format, ..Export::default() };
    home.app.transfer.export(request, &Caller::default()).await
}

async fn export(home: &Home, format: ExportFormat, to: &Path) -> PathBuf {
    let done = try_export(home, format, &[], to).await.expect("exports");
    assert!(done.refused.is_empty(), "{done:?}");
    let name = if format == ExportFormat::Html { "journal.html" } else { "journal.zip" };
    to.join(name)
}

fn verified(path: &Path) -> Verified {
    verify(&[path.display().to_string()], None).expect("verifies")
}

#[tokio::test]
async fn bundles_and_pages_verify_and_come_back_byte_for_byte() {
    let home = journal().await;
    for format in [ExportFormat::Bundle, ExportFormat::Html] {
        let file = export(&home, format, &home.out()).await;
        let bytes = std::fs::read(&file).expect("reads");
        let again = try_export(&home, format, &[], &home.out()).await.expect("exports");
        assert_eq!((again.written.len(), again.unchanged), (0, 1), "{format:?}");
        let answer = verified(&file);
        assert!(answer.ok, "{format:?} {answer:?}");
        assert_eq!((answer.evidence.len(), answer.entries.len(), answer.signatures.len()), (3, 2, 1));
        assert!(answer.evidence.iter().any(|row| row.verdict == Verdict::Masked), "{answer:?}");
        assert!(answer.evidence[0].file.starts_with(&file.display().to_string()), "{answer:?}");

        let other = Home::new().await;
        let imported = other.import(&file).await.expect("imports");
        assert_eq!((imported.entries.len(), imported.evidence.len()), (2, 3), "{imported:?}");
        let twice = other.import(&file).await.expect("imports");
        assert_eq!(twice.entries.len(), 2, "{twice:?}");
        let back = export(&other, format, &other.out()).await;
        assert_eq!(std::fs::read(back).expect("reads"), bytes, "{format:?}");
        let root = other.out().canonicalize().expect("is there").display().to_string();
        let known = other.app.journal.store.known_files(&root);
        assert_eq!(known.await.expect("reads").len(), 1, "nothing of the unpacked files is remembered");
        other.app.shutdown().await;
    }
    // The bundle has the files of an export.
    let plain = home.dir.path().join("plain");
    try_export(&home, ExportFormat::Github, &[], &plain).await.expect("exports");
    let unzipped = home.dir.path().join("unzipped");
    let zip = home.out().join("journal.zip");
    assert!(Command::new("unzip").arg("-q").arg(&zip).arg("-d").arg(&unzipped).status().expect("unzip").success());
    std::fs::remove_file(plain.join("journal/.gitattributes")).expect("removes");
    assert!(Command::new("diff").arg("-r").args([&plain, &unzipped]).status().expect("diff").success());
    home.app.shutdown().await;
}

#[tokio::test]
async fn a_page_loads_nothing_and_shows_everything() {
    let home = journal().await;
    let html = std::fs::read_to_string(export(&home, ExportFormat::Html, &home.out()).await).expect("reads");
    assert!(html.contains("default-src 'none'; img-src data:; style-src 'sha256-"), "{}", &html[..800]);
    let shown = html.split("<script type=\"application/zip\"").next().expect("the page");
    assert!(!shown.contains("alert(") && !shown.contains("javascript:"));
    for tag in
        shown.split('<').filter(|tag| tag.starts_with("img") || tag.starts_with("source") || tag.starts_with("link"))
    {
        assert!(tag.contains("=\"data:image/"), "{}", &tag[..tag.len().min(200)]);
    }
    assert!(!shown.contains("company.io"), "what an export masks is masked");
    for wanted in [
        "Not in this page: far (https://example.com/a.png)",
        "Not in this page: gone (assets/gone.png)",
        "<a href=\"#e1-b\"",
        "<h2 id=\"e1-b\">B</h2>",
        "<a href=\"#e0-week-1\"",
        "running &lt;b&gt;&quot;&amp;</td>",
        "beforeprint",
        "@media print",
    ] {
        assert!(shown.contains(wanted), "{wanted}");
    }
    assert_eq!(shown.matches("<figure").count(), 3);
    assert_eq!(shown.matches("<details>").count(), 3);
    home.app.shutdown().await;
}

#[tokio::test]
async fn a_page_that_was_changed_is_reported() {
    let home = journal().await;
    let file = export(&home, ExportFormat::Html, &home.out()).await;
    let html = std::fs::read_to_string(&file).expect("reads");
    for (from, to, verdict) in [
        ("running &lt;b&gt;", "stopped &lt;b&gt;", Verdict::Edited),
        ("Not in this page: far", "Not in this page: near", Verdict::Edited),
        ("<main>", "<main><p>More</p>", Verdict::Edited),
        ("default-src 'none'", "default-src *", Verdict::Edited),
        ("renderer 5\"", "renderer 4\"", Verdict::Doubtful),
    ] {
        assert!(html.contains(from), "{from}");
        std::fs::write(&file, html.replacen(from, to, 1)).expect("writes");
        let answer = verified(&file);
        assert!(!answer.ok && answer.evidence.iter().any(|row| row.verdict == verdict), "{from} {answer:?}");
    }
    // Line ends of a checkout are no change.
    std::fs::write(&file, html.replace('\n', "\r\n")).expect("writes");
    assert!(verified(&file).ok);
    for other in ["<!doctype html>\n<p>a</p>", ""] {
        std::fs::write(&file, other).expect("writes");
        let answer = verified(&file);
        assert!(!answer.ok && answer.evidence[0].verdict == Verdict::Foreign, "{answer:?}");
        assert_eq!(home.import(&file).await.expect_err(other).code, Code::Usage);
    }
    std::fs::write(&file, "PK\u{3}\u{4}").expect("writes");
    let error = verify(&[file.display().to_string()], None).expect_err("is damaged");
    assert_eq!(error.code, Code::Refused, "{error:?}");
    assert_eq!(home.import(&file).await.expect_err("is damaged").code, Code::Refused);
    home.app.shutdown().await;
}

#[tokio::test]
async fn one_entry_has_a_file_of_its_own_and_files_can_be_named() {
    let home = journal().await;
    for (format, to, written) in [
        (ExportFormat::Html, home.out(), "week1.html"),
        (ExportFormat::Bundle, home.out(), "week1.zip"),
        (ExportFormat::Bundle, home.out().join("mine.zip"), "mine.zip"),
        (ExportFormat::Html, home.out().join("Mine.HTML"), "Mine.HTML"),
    ] {
        let done = try_export(&home, format, &["week-1"], &to).await.expect("exports");
        assert_eq!(done.written, [written]);
        assert_eq!(verified(&home.out().join(written)).evidence.len(), 2, "{written}");
    }
    // A file of others is not replaced, also by a larger one.
    std::fs::write(home.out().join("week1.zip"), "mine").expect("writes");
    let done = try_export(&home, ExportFormat::Bundle, &["week-1"], &home.out()).await.expect("exports");
    assert_eq!((done.refused, done.written.len()), (vec!["week1.zip".to_owned()], 0));
    assert_eq!(std::fs::read(home.out().join("week1.zip")).expect("reads"), b"mine");
    home.app.shutdown().await;
}

#[tokio::test]
async fn pictures_and_raw_data_are_in_a_bundle() {
    let home = Home::new().await;
    let folder = home.dir.path().join("written");
    std::fs::create_dir_all(&folder).expect("makes");
    std::fs::write(folder.join("a.png"), PNG).expect("writes");
    std::fs::write(folder.join("One.md"), "# One\n\n![a](a.png)\n").expect("writes");
    home.import(&folder).await.expect("imports");
    home.print("db running").await;
    let request = Capture { into: Some("one".to_owned()), latest: true, ..Capture::of(Kind::Console) };
    home.app.live_cards.capture(request, &Caller::default()).await.expect("captures");
    let to = home.out().display().to_string();
    let base = Export { to, format: ExportFormat::Bundle, raw: true, ..Export::default() };
    for refused in [base.clone(), Export { format: ExportFormat::Github, allow_leaks: true, ..base.clone() }] {
        let error = home.app.transfer.export(refused, &Caller::default()).await.expect_err("is not masked");
        assert_eq!(error.code, Code::Usage);
    }
    home.app.transfer.export(Export { allow_leaks: true, ..base }, &Caller::default()).await.expect("exports");
    let file = home.out().join("journal.zip");
    let listed = Command::new("unzip").arg("-l").arg(&file).output().expect("runs");
    let listed = String::from_utf8(listed.stdout).expect("UTF-8");
    assert!(listed.contains("a.png") && listed.contains("raw/"), "{listed}");
    let other = Home::new().await;
    let imported = other.import(&file).await.expect("imports");
    assert!(imported.warnings.iter().any(|w| w.contains("raw data in it was not imported")), "{imported:?}");
    assert_eq!(imported.attachments.len(), 1, "{imported:?}");
    let page = export(&home, ExportFormat::Html, &home.out()).await;
    assert!(std::fs::read_to_string(page).expect("reads").contains("<img src=\"data:image/png;base64,"));
    home.app.shutdown().await;
    other.app.shutdown().await;
}

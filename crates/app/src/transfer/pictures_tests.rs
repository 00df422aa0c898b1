//! Pictures through import and export.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::ground::schema::{AttachmentDelete, AttachmentRow, Caller};
use crate::testing::Home;

const PNG: &[u8] = include_bytes!("../../../../tests/fixtures/pictures/screenshot.png");
const JPG: &[u8] = include_bytes!("../../../../tests/fixtures/pictures/phone.jpg");
const SVG: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";

/// A text with every form of link that the journals of a bootcamp have, and the files that they mean.
const TEXT: &str = "\u{feff}# Week 2\r\n\r\n![a](assets/Two.png)\r\n![b](assets/two.png \"t\")\r\n![c](my%20pic.jpg?raw=true)\r\n\
    ![d](<my pic.jpg>)\r\n<img alt='e' src=\"/docs/e.svg\" width=300>\r\n![f](../docs/e.svg)\r\n![g](_docs/root.png)\r\n\
    ![[Pasted image.png|300]]\r\n![h](assets/Two.png =300x)\r\n![i](lost.png)\r\n![j](https://example.org/x.png)\r\n\
    `![k](assets/code.png)`\r\n![l](bare.png)\r\n![m](notes.png)\r\n![n](lfs.png)\r\n![o](../../outside.png)\r\n";

fn clone_in(folder: &Path) -> PathBuf {
    let root = folder.join("clone");
    for (path, bytes) in [
        (".git/HEAD", &b"ref"[..]),
        ("journal/week2.md", TEXT.as_bytes()),
        ("journal/assets/Two.png", PNG),
        ("journal/my pic.jpg", JPG),
        ("docs/e.svg", SVG),
        ("_docs/root.png", [PNG, b"root"].concat().as_slice()),
        ("journal/attachments/Pasted image.png", [PNG, b"pasted"].concat().as_slice()),
        ("journal/assets/code.png", PNG),
        ("images/bare.png", [PNG, b"bare"].concat().as_slice()),
        ("journal/notes.png", &b"not a picture"[..]),
        ("journal/lfs.png", &b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"[..]),
        ("../outside.png", PNG),
    ] {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
        std::fs::write(path, bytes).expect("writes");
    }
    root
}

/// Every file below a folder.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("lists") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).expect("below").display().to_string();
            found.insert(name, std::fs::read(path).expect("reads"));
        }
    }
    found
}

fn shown(row: &AttachmentRow) -> Vec<(&str, &str)> {
    row.places.iter().map(|place| (place.link.as_str(), place.path.as_str())).collect()
}

#[tokio::test]
async fn pictures_come_in_by_every_path_and_go_out_as_they_were() {
    let home = Home::new().await;
    let clone = clone_in(home.dir.path());
    let done = home.import(&clone).await.expect("imports");
    let places: Vec<_> = done.attachments.iter().flat_map(shown).collect();
    let same = |path| (path, path);
    for expected in [
        same("journal/assets/Two.png"),
        same("journal/assets/two.png"),
        same("journal/my pic.jpg"),
        same("docs/e.svg"),
        same("journal/_docs/root.png"),
        same("journal/bare.png"),
        ("journal/Pasted image.png", "journal/attachments/Pasted image.png"),
    ] {
        assert!(places.contains(&expected), "{expected:?} is not in {places:?}");
    }
    assert_eq!(done.attachments.len(), 6, "each content once: {places:?}");
    for (line, warning) in [
        (4, "the picture assets/two.png is there as Two.png"),
        (10, "the picture Pasted image.png is not shown by code hosts"),
        (12, "the picture lost.png is not there"),
        (15, "the picture bare.png is in the folder images"),
        (16, "the picture journal/notes.png was not imported: its content is not a picture"),
        (17, "the picture journal/lfs.png was not imported: it is a pointer of Git LFS"),
        (18, "the picture ../outside.png was not imported: it is outside of"),
    ] {
        let expected = format!("journal/week2.md:{line}: {warning}");
        assert!(done.warnings.iter().any(|w| w.starts_with(&expected)), "{expected}: {:#?}", done.warnings);
    }

    // The clone is gone: the journal has all of it.
    std::fs::remove_dir_all(&clone).expect("removes");
    let exported = home.export(false).await.expect("exports");
    assert_eq!(exported.refused, Vec::<String>::new());
    let out = files(&home.out());
    assert_eq!(out["journal/week2.md"], TEXT.as_bytes());
    for (path, bytes) in [
        ("journal/assets/Two.png", PNG),
        ("journal/assets/two.png", PNG),
        ("journal/my pic.jpg", JPG),
        ("docs/e.svg", SVG),
        ("journal/_docs/root.png", [PNG, b"root"].concat().as_slice()),
        ("journal/bare.png", [PNG, b"bare"].concat().as_slice()),
        ("journal/attachments/Pasted image.png", [PNG, b"pasted"].concat().as_slice()),
    ] {
        assert!(out.get(path).is_some_and(|there| there == bytes), "{path} in {:?}", out.keys());
    }
    assert_eq!(out.len(), 8, "{:?}", out.keys());
    // Again, and back from there: nothing changes, nothing is added.
    let again = home.export(false).await.expect("exports");
    assert_eq!((again.written, again.unchanged), (Vec::new(), 8));
    let before: Vec<AttachmentRow> = done.attachments;
    let back = home.import(&home.out()).await.expect("imports");
    assert_eq!(back.attachments.len(), 6);
    assert!(back.attachments.iter().all(|row| before.iter().any(|old| old.id == row.id)));
    assert_eq!(home.app.journal.store.entries(false).await.expect("lists").len(), 1);
    home.app.shutdown().await;
}

#[tokio::test]
async fn an_unedited_clone_is_left_as_it_is_by_an_export_into_it() {
    let home = Home::new().await;
    let root = home.out();
    let text = "# One\n\n![a](assets/a.png) ![b](../docs/b.jpg)\n";
    for (path, bytes) in [("journal/one.md", text.as_bytes()), ("journal/assets/a.png", PNG), ("docs/b.jpg", JPG)] {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
        std::fs::write(path, bytes).expect("writes");
    }
    let before = files(&root);
    home.import(&root).await.expect("imports");
    let exported = home.export(false).await.expect("exports");
    assert_eq!((exported.written.len(), exported.unchanged, exported.refused.len()), (0, 3, 0));
    assert_eq!(files(&root), before);
    // Somebody else's picture is not overwritten; a new one in the clone is imported.
    std::fs::write(root.join("docs/b.jpg"), PNG).expect("writes");
    assert_eq!(home.export(false).await.expect("exports").refused, ["docs/b.jpg"]);
    let done = home.import(&root).await.expect("imports");
    assert!(done.attachments.iter().any(|row| row.places.iter().any(|p| p.link == "docs/b.jpg")));
    assert_eq!(home.export(false).await.expect("exports").refused, Vec::<String>::new());
    home.app.shutdown().await;
}

#[tokio::test]
async fn what_is_in_the_bin_is_exported_with_a_warning_and_what_is_purged_is_missing() {
    let home = Home::new().await;
    let root = home.dir.path().join("from");
    std::fs::create_dir_all(&root).expect("makes");
    std::fs::write(root.join("one.md"), "![a](a.png)\n![b](b.jpg)\n![git](.git/x.png)\n").expect("writes");
    std::fs::create_dir_all(root.join(".git")).expect("makes");
    for (name, bytes) in [("a.png", PNG), ("b.jpg", JPG), (".git/x.png", PNG)] {
        std::fs::write(root.join(name), bytes).expect("writes");
    }
    let done = home.import(&root).await.expect("imports");
    let id = |name: &str| done.attachments.iter().find(|row| row.name == name).expect(name).id;
    for (id, purge) in [(id("a.png"), false), (id("b.jpg"), true)] {
        home.app.attachments.delete(AttachmentDelete { id, purge }, &Caller::default()).await.expect("deletes");
    }
    let exported = home.export(false).await.expect("exports");
    assert_eq!(exported.written, ["journal/one.md", "journal/a.png"]);
    assert_eq!(
        exported.warnings,
        [
            "one.md line 1: the picture a.png is in the bin, but the text still shows it, so it was exported",
            "one.md line 2: the picture b.jpg was purged in this journal, so it is missing in the export",
            "one.md line 3: the picture .git/x.png is in the repository's own folder, so it was not exported",
        ]
    );
    // An import takes the one out of the bin, and does not bring the other back.
    let done = home.import(&root).await.expect("imports");
    assert!(done.warnings.iter().any(|w| w == "one.md:1: the picture journal/a.png was in the bin and was restored"));
    assert!(done.warnings.iter().any(|w| w.starts_with("one.md:2: the picture journal/b.jpg was purged")));
    home.app.shutdown().await;
}

#[tokio::test]
async fn two_entries_with_one_path_and_two_pictures_are_told_of() {
    let home = Home::new().await;
    for (name, bytes) in [("one", PNG), ("two", JPG)] {
        let root = home.dir.path().join(name);
        std::fs::create_dir_all(&root).expect("makes");
        std::fs::write(root.join(format!("{name}.md")), "![a](shot.png)\n").expect("writes");
        std::fs::write(root.join("shot.png"), bytes).expect("writes");
        home.import(&root).await.expect("imports");
    }
    let exported = home.export(false).await.expect("exports");
    assert!(exported.warnings.contains(&"two.md: another entry has another picture as journal/shot.png".to_owned()));
    assert_eq!(files(&home.out())["journal/shot.png"], PNG);
    // A text that is moved to an entry without the picture shows that of the other.
    let three = home.entry("Three", "![a](shot.png)\n").await;
    let entry = home.app.journal.find_entry(&three).await.expect("there");
    let found = home.app.journal.store.attached_at(entry.row.id, "journal/shot.png").await.expect("reads");
    assert!(found.is_some());
    home.app.shutdown().await;
}

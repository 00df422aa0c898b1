//! Pictures of entries over a journal on disk.

use std::sync::Arc;

use super::*;
use crate::api::{self, EntryDelete, EntryGet};
use crate::testing::{Home, ManualClock};

const PHONE: &[u8] = include_bytes!("../../../../tests/fixtures/pictures/phone.jpg");
const TURNED: &[u8] = include_bytes!("../../../../tests/fixtures/pictures/turned.png");
const SCREENSHOT: &[u8] = include_bytes!("../../../../tests/fixtures/pictures/screenshot.png");

async fn home() -> Home {
    Home::at(&Arc::new(ManualClock::at("2026-11-30T10:00:00Z"))).await
}

async fn add(home: &Home, entry: &str, name: &str, bytes: &[u8]) -> Result<AttachmentAdded, Error> {
    let request =
        AttachmentAdd { append: false, ..AttachmentAdd::appended(entry.to_owned(), name.to_owned(), bytes, None) };
    api::call(&home.app, request, &Caller::default()).await
}

async fn body(home: &Home, entry: &str) -> String {
    api::call(&home.app, EntryGet { entry: entry.to_owned() }, &Caller::default()).await.expect("there").body
}

async fn list(home: &Home, deleted: bool) -> Vec<AttachmentRow> {
    home.app.attachments.list(AttachmentList { entry: None, deleted }).await.expect("lists")
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_picture_is_stored_without_its_metadata_and_named_by_its_bytes() {
    let home = home().await;
    let slug = home.entry("First", "# One\n").await;
    let added = add(&home, &slug, "Login page.png", PHONE).await.expect("adds");
    assert_eq!(added.row.name, "Login-page.jpg", "it is a JPEG, whatever its name");
    assert_eq!(added.reference, "![Login page](assets/first/Login-page.jpg)");
    assert_eq!((added.row.width, added.row.height), (Some(16), Some(24)), "as it is shown: turned");
    assert!(added.removed.contains(&"Exif".to_owned()));
    assert_eq!(added.row.entries, ["first"]);
    let (format, bytes) = home.app.attachment(added.row.id).await.expect("reads");
    assert_eq!((format, bytes.len() as u64), (Format::Jpeg, added.row.bytes));
    assert!(!contains(&bytes, b"secret") && contains(PHONE, b"secret"));
    assert_eq!(body(&home, &slug).await, "# One\n", "the editor inserts the reference");

    let pasted = add(&home, &slug, "image.png", SCREENSHOT).await.expect("adds");
    assert_eq!(pasted.reference, "![](assets/first/picture-2026-11-30.png)");
    let appended = AttachmentAdd::appended(slug.clone(), "x.png".to_owned(), SCREENSHOT, Some("Trace [1]".to_owned()));
    let again = api::call(&home.app, appended, &Caller::default()).await.expect("adds");
    assert_eq!(again.row.id, pasted.row.id, "the same content is stored once");
    let expected = "# One\n\n![Trace &#91;1&#93;](assets/first/picture-2026-11-30.png)\n";
    assert_eq!(body(&home, &slug).await, expected);
    home.app.shutdown().await;
}

#[tokio::test]
async fn the_same_picture_in_two_entries_is_one_attachment_with_two_files() {
    let home = home().await;
    let (one, two) = (home.entry("One", "").await, home.entry("Two", "").await);
    let first = add(&home, &one, "a.png", SCREENSHOT).await.expect("adds").row;
    let second = add(&home, &two, "b.png", SCREENSHOT).await.expect("adds").row;
    assert_eq!(first.id, second.id);
    assert_eq!(second.entries, ["one", "two"]);
    let paths: Vec<&str> = second.places.iter().map(|place| place.path.as_str()).collect();
    assert_eq!(paths, ["journal/assets/one/a.png", "journal/assets/two/b.png"]);
    // Another picture with a name that is in use, but for its case.
    let other = add(&home, &one, "A.png", PHONE).await.expect("adds").row;
    assert_eq!(other.name, "A.jpg", "of another format");
    let third = add(&home, &one, "A.PNG", TURNED).await.expect("adds").row;
    assert_eq!(third.name, "A-2.png");
    // The entry in the bin is not listed any more.
    api::call(&home.app, EntryDelete { entry: two }, &Caller::default()).await.expect("deletes");
    assert_eq!(home.app.attachments.row(first.id).await.expect("there").entries, ["one"]);
    home.app.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_added_is_named() {
    let home = home().await;
    let slug = home.entry("One", "").await;
    let large = [SCREENSHOT, &vec![0; MAX_BYTES]].concat();
    let mut huge = SCREENSHOT.to_vec();
    huge[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
    for (name, bytes, message) in [
        ("notes.png", b"# notes".to_vec(), "notes.png is not a picture"),
        ("a.png", Vec::new(), "a.png is empty"),
        ("", b"%PDF-1.7".to_vec(), "the file is not a picture"),
        ("IMG_1.HEIC", b"\0\0\0\x18ftypheic....".to_vec(), "IMG_1.HEIC has a format that browsers do not show (HEIC)"),
        ("large.png", large, "large.png has 33 MiB, and a picture can have up to 32 MiB"),
        ("huge.png", huge, "huge.png has 16384 × 16384 pixels, and a picture can have up to 100 million"),
        ("cut.png", SCREENSHOT[..100].to_vec(), "cut.png cannot be read: the PNG file is damaged at byte 78"),
    ] {
        let error = add(&home, &slug, name, &bytes).await.expect_err(name);
        assert_eq!((error.code, error.message.as_str()), (Code::Usage, message));
    }
    assert_eq!(list(&home, false).await, []);
    let error = add(&home, "nowhere", "a.png", SCREENSHOT).await.expect_err("no entry");
    assert_eq!(error.code, Code::NotFound);
    home.app.shutdown().await;
}

#[tokio::test]
async fn an_attachment_is_binned_restored_and_purged() {
    let home = home().await;
    let slug = home.entry("One", "").await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><text>needle-in-picture</text></svg>";
    let id = add(&home, &slug, "map.svg", svg).await.expect("adds").row.id;
    let caller = Caller::default();
    home.app.attachments.delete(AttachmentDelete { id, purge: false }, &caller).await.expect("deletes");
    assert_eq!(list(&home, false).await, []);
    assert_eq!(list(&home, true).await.len(), 1);
    // Added again, it is out of the bin; restored, too.
    assert_eq!(add(&home, &slug, "map.svg", svg).await.expect("adds").row.id, id);
    assert!(!home.app.attachments.row(id).await.expect("there").deleted);
    home.app.attachments.delete(AttachmentDelete { id, purge: false }, &caller).await.expect("deletes");
    home.app.attachments.restore(AttachmentRestore { id }, &caller).await.expect("restores");
    assert_eq!(list(&home, false).await.len(), 1);

    let backup = home.dir.path().join("data/backups/journal-2026-11-30.db");
    std::fs::create_dir_all(backup.parent().expect("a folder")).expect("makes");
    home.app.back_up(&backup).await.expect("backs up");
    assert!(contains(&std::fs::read(&backup).expect("reads"), b"needle-in-picture"));
    home.app.attachments.delete(AttachmentDelete { id, purge: true }, &caller).await.expect("purges");
    for file in [backup, home.dir.path().join("data/journal.db"), home.dir.path().join("data/journal.db-wal")] {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!contains(&bytes, b"needle-in-picture"), "{} has it", file.display());
    }
    let error = home.app.attachments.restore(AttachmentRestore { id }, &caller).await.expect_err("purged");
    assert_eq!(error.code, Code::NotFound);
    assert!(home.app.attachment(id).await.is_err());
    assert_eq!(list(&home, true).await, [], "nothing can be restored");
    let row = add(&home, &slug, "map.svg", svg).await.expect("adds").row;
    assert!(row.id == id && !row.purged && row.name == "map.svg");
    home.app.shutdown().await;
}

#[tokio::test]
async fn hosts_show_an_attachment_by_its_id() {
    let home = home().await;
    let slug = home.entry("One", "").await;
    let added = add(&home, &slug, "a.png", SCREENSHOT).await.expect("adds").row;
    assert_eq!(added.sha256, crate::ground::files::sha256(&home.app.attachment(added.id).await.expect("reads").1));
    let picture = crate::pictures::picture(&home.app, &format!("attachment/{}", added.id), "theme=dark").await;
    let picture = picture.expect("shown");
    assert_eq!((picture.media, picture.foreign, picture.immutable), ("image/png", true, true));
    for path in ["attachment/x", "attachment/01ARZ3NDEKTSV4RRFFQ69G5FAV", "attachment/../card"] {
        let error = crate::pictures::picture(&home.app, path, "").await.expect_err(path);
        assert_eq!(error.code, Code::NotFound, "{path}");
    }
    home.app.shutdown().await;
}

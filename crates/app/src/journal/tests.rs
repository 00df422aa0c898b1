//! Changes of texts over a journal on disk.

use super::*;
use crate::ground::schema::TextChange;
use crate::testing::Home;

fn edit(entry: &str, base: i64, changes: &[(usize, usize, &str)], changed: &str) -> EntryEdit {
    let changes = changes
        .iter()
        .map(|(start, end, insert)| TextChange { start: *start, end: *end, insert: (*insert).to_owned() })
        .collect();
    EntryEdit { entry: entry.to_owned(), base, changes, check: edits::check(changed) }
}

#[tokio::test]
async fn changes_are_written_only_on_the_text_that_they_were_made_on() {
    let home = Home::new().await;
    let slug = home.entry("Changes", "one 😀 two\r\n").await;
    let journal = &home.app.journal;
    let caller = Caller::default();
    let base = journal.find_entry(&slug).await.expect("there").revision;

    let written = journal.entry_edit(edit(&slug, base, &[(0, 3, "1"), (7, 10, "2")], "1 😀 2\r\n"), &caller).await;
    let written = written.expect("writes").expect("fits");
    assert!(written.accepted && written.revision > base);
    let stored = journal.find_entry(&slug).await.expect("there");
    assert_eq!((stored.body.as_str(), stored.revision), ("1 😀 2\r\n", written.revision));

    let refused = [
        ("an older revision", edit(&slug, base, &[(0, 0, "x")], "x1 😀 2\r\n")),
        ("another text", edit(&slug, written.revision, &[(0, 0, "x")], "x1 😀 3\r\n")),
        ("outside of the text", edit(&slug, written.revision, &[(90, 90, "x")], "1 😀 2\r\n")),
    ];
    for (what, request) in refused {
        assert_eq!(journal.entry_edit(request, &caller).await.expect("answers"), None, "{what}");
        assert_eq!(journal.find_entry(&slug).await.expect("there"), stored, "{what}");
    }
    let unknown = journal.entry_edit(edit("nothing", 1, &[], ""), &caller).await.expect_err("no such entry");
    assert_eq!(unknown.code, crate::ground::error::Code::NotFound);
    home.app.shutdown().await;
}

#[tokio::test]
async fn markup_is_that_of_the_revision_that_is_asked_for() {
    let home = Home::new().await;
    let slug = home.entry("Markup", "# One\n\nInsert image of Traces\n").await;
    let journal = &home.app.journal;
    let revision = journal.find_entry(&slug).await.expect("there").revision;
    let ask = |revision| journal.entry_markup(EntryMarkup { entry: slug.clone(), revision });
    let markup = ask(revision).await.expect("answers").expect("is stored");
    assert_eq!(markup.slots.len(), 1);
    assert_eq!(ask(revision + 1).await.expect("answers"), None);
    home.app.shutdown().await;
}

//! Two clients that write one entry.

use crate::ground::schema::{Caller, EntryGet, EntryHistory, EntryWrite, Written};
use crate::testing::Home;

async fn write(home: &Home, base: i64, body: &str) -> Written {
    let request = EntryWrite { entry: "one".to_owned(), base: Some(base), body: body.to_owned(), cut: None };
    home.app.journal.entry_write(request, &Caller::default()).await.expect("writes")
}

async fn now(home: &Home) -> (i64, String) {
    let entry = home.app.journal.entry_get(EntryGet { entry: "one".to_owned() }).await.expect("there");
    (entry.revision, entry.body)
}

#[tokio::test]
async fn two_writers_of_different_places_are_merged() {
    let home = Home::new().await;
    home.entry("One", "# One\n\nfirst\n\nsecond\n").await;
    let (base, _) = now(&home).await;
    // Autosaved several times by one window; the other has the first text.
    let mut revision = base;
    for text in ["# One\n\nfirst, A\n\nsecond\n", "# One\n\nfirst, AA\n\nsecond\n"] {
        let written = write(&home, revision, text).await;
        assert!(written.accepted && written.merged.is_empty());
        revision = written.revision;
    }
    let written = write(&home, base, "# One\n\nfirst\n\nsecond, B\n").await;
    assert!(written.accepted && written.kept.is_none(), "{written:?}");
    assert_eq!(now(&home).await, (written.revision, "# One\n\nfirst, AA\n\nsecond, B\n".to_owned()));
    assert_eq!(written.merged.len(), 1);
    assert_eq!((written.merged[0].start, written.merged[0].insert.as_str()), (7, "first, AA\n"));
    // The text before the merge can be read back.
    let history = home.app.journal.entry_history(EntryHistory { entry: "one".to_owned() }).await;
    assert!(history.expect("lists").iter().any(|kept| kept.reason == "merge"));
    // The next write of the first window, on an autosaved text that no revision has.
    let next = write(&home, revision, "# One\n\nfirst, AAA\n\nsecond\n").await;
    assert!(next.accepted);
    assert_eq!(now(&home).await.1, "# One\n\nfirst, AAA\n\nsecond, B\n");
    home.app.shutdown().await;
}

#[tokio::test]
async fn two_writers_of_one_place_keep_both_texts() {
    let home = Home::new().await;
    home.entry("One", "first\n").await;
    let (base, _) = now(&home).await;
    assert!(write(&home, base, "first, A\n").await.accepted);
    let written = write(&home, base, "first, B\n").await;
    assert!(!written.accepted && written.kept.is_some() && written.merged.is_empty(), "{written:?}");
    assert_eq!(now(&home).await.1, "first, A\n");
    // A base that nobody knows is not guessed.
    assert!(!write(&home, 9_999, "first, A\n\nother\n").await.accepted);
    // The same text on an old base is no conflict.
    assert!(write(&home, base, "first, A\n").await.accepted);
    home.app.shutdown().await;
}

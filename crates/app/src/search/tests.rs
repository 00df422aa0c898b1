//! Search over a journal on disk.

use tracebook_core::console::{Console, Output};
use tracebook_core::evidence::Kind;

use super::*;
use crate::api::{self, EntryDelete, EntryWrite, EvidenceDelete};
use crate::evidence::{Form, Size, Width};
use crate::ground::error::Code;
use crate::ground::schema::{Caller, Capture, EntryRename};
use crate::testing::Home;

async fn search(home: &Home, words: &str) -> Vec<Found> {
    let request = Search { words: words.to_owned(), limit: None };
    api::call(&home.app, request, &Caller::default()).await.expect("searches")
}

async fn titles(home: &Home, words: &str) -> Vec<String> {
    search(home, words).await.into_iter().map(|found| found.title).collect()
}

async fn evidence(home: &Home, text: &str) -> Id {
    let console = Console::from_text("docker compose ps", text);
    let request = Capture::of(Kind::Console);
    home.app
        .capture
        .capture_console(Output { console, ..Output::default() }, request, &Caller::default())
        .await
        .expect("captures")
        .evidence
        .id
}

#[tokio::test]
async fn entries_and_evidence_are_found_by_what_is_in_them() {
    let home = Home::new().await;
    home.entry("Week one", "# One\n\n😀 The login page fails with Größe 500.\n").await;
    home.entry("Login", "Nothing else.\n").await;
    let id = evidence(&home, "backend  running\ndb  unhealthy").await;

    assert_eq!(titles(&home, "login").await, ["Login", "Week one"], "the title counts more");
    assert_eq!(titles(&home, "LOGIN page").await, ["Week one"]);
    assert_eq!(titles(&home, "grosse").await, Vec::<String>::new(), "ß is a letter of its own");
    assert_eq!(titles(&home, "große").await, ["Week one"], "accents do not matter");
    assert_eq!(titles(&home, "pag").await, ["Week one"], "the beginning of the last word");
    assert_eq!(titles(&home, "pag login").await, Vec::<String>::new());
    let found = search(&home, "page").await;
    let found = &found[0];
    assert_eq!((found.line, found.start, found.end), (Some(3), Some(20), Some(24)), "in UTF-16 units");
    assert_eq!(found.snippet, "# One 😀 The login page fails with Größe 500.");
    assert_eq!(found.entries, ["week-one"]);

    let found = search(&home, "unhealthy").await;
    assert_eq!((found.len(), found[0].kind, found[0].id), (1, FoundType::Evidence, id));
    assert!(found[0].snippet.contains("db unhealthy"), "{found:?}");
    for hostile in ["\"", "AND OR NOT", "title:login", "login*", "NEAR(a b)", "^login", "a'b--", "{x}"] {
        api::call(&home.app, Search { words: format!("x {hostile}"), limit: None }, &Caller::default())
            .await
            .unwrap_or_else(|error| panic!("{hostile}: {error}"));
    }
    let nothing = Search { words: " -- ".to_owned(), limit: None };
    assert_eq!(api::call(&home.app, nothing, &Caller::default()).await.expect_err("no word").code, Code::Usage);
    home.app.shutdown().await;
}

#[tokio::test]
async fn what_changes_is_found_as_it_is_now() {
    let home = Home::new().await;
    let slug = home.entry("One", "alpha\n").await;
    assert_eq!(titles(&home, "alpha").await, ["One"]);
    let caller = Caller::default();
    let write = EntryWrite { entry: slug.clone(), base: None, body: "beta\n".to_owned(), cut: None };
    api::call(&home.app, write, &caller).await.expect("writes");
    assert_eq!((titles(&home, "alpha").await.len(), titles(&home, "beta").await.len()), (0, 1));
    let rename = EntryRename { entry: slug.clone(), title: Some("Gamma".to_owned()), week: None };
    api::call(&home.app, rename, &caller).await.expect("renames");
    assert_eq!(titles(&home, "gamma").await, ["Gamma"]);
    api::call(&home.app, EntryDelete { entry: slug }, &caller).await.expect("deletes");
    assert_eq!(titles(&home, "gamma").await, Vec::<String>::new(), "in the bin");

    let id = evidence(&home, "needle in a haystack").await;
    assert_eq!(search(&home, "needle").await.len(), 1);
    api::call(&home.app, EvidenceDelete { id, purge: false }, &caller).await.expect("deletes");
    assert_eq!(search(&home, "needle").await, []);
    let form = Form::new(Size::Full, Width::WIDE);
    assert!(home.app.evidence.card(id, form).await.expect("draws").contains("needle"));
    api::call(&home.app, EvidenceDelete { id, purge: true }, &caller).await.expect("purges");
    assert_eq!(home.app.evidence.card(id, form).await.expect_err("purged").code, Code::NotFound);
    assert_eq!(search(&home, "needle").await, []);
    for file in ["journal.db", "journal.db-wal"] {
        let bytes = std::fs::read(home.dir.path().join("data").join(file)).unwrap_or_default();
        assert!(!bytes.windows(6).any(|part| part == b"needle"), "{file} has the words of purged evidence");
    }
    home.app.shutdown().await;
}

//! The search index.

use crate::search::{Text, Unindexed, What, Words};

use super::*;

fn text(what: What, n: u64, title: &str, body: &str) -> Text {
    let id = Id::new(Nanos(i64::try_from(n).expect("small") * 1_000_000), &Fixed(n));
    Text { of: Unindexed { what, id, version: 0 }, title: title.to_owned(), body: body.to_owned() }
}

struct Fixed(u64);

impl tracebook_core::ids::Entropy for Fixed {
    fn ten_bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&self.0.to_be_bytes());
        bytes
    }
}

/// As much as a search must be fast for: 1,000 entries and, since this program is not optimised, 10,000 pieces of
/// evidence that have the common words in all of them.
#[tokio::test]
async fn a_search_reads_no_more_than_it_shows() {
    let dir = TempDir::new().expect("a temporary directory");
    let journal = Journal::open(dir.path()).await.expect("opens");
    let entries =
        (0..1000).map(|n| text(What::Entry, n, &format!("Week {n}"), "login page of the backend ".repeat(20).as_str()));
    journal.index(&entries.collect::<Vec<_>>()).await.expect("indexes");
    for batch in 0..20 {
        let texts = (batch * 500..(batch + 1) * 500).map(|n| {
            let rare = if n % 1000 == 7 { "needle" } else { "hay" };
            text(What::Evidence, n, "GET /home 200", &format!("backend flask get {rare} {n}"))
        });
        journal.index(&texts.collect::<Vec<_>>()).await.expect("indexes");
    }
    let find =
        async |what, words: &str| journal.find(what, &Words::of(words).expect("words"), 50).await.expect("finds");
    assert_eq!(find(What::Entry, "login page").await.len(), 50);
    assert_eq!(find(What::Evidence, "needle").await.len(), 10);
    assert_eq!(find(What::Evidence, "flask need").await.len(), 10, "the beginning of the last word");
    let newest = find(What::Evidence, "backend get").await;
    assert_eq!((newest.len(), newest[0]), (50, text(What::Evidence, 9999, "", "").of.id));
    let begun = std::time::Instant::now();
    for words in ["backend", "g", "ge", "get home", "needle", "backend flask get ha", "9"] {
        find(What::Evidence, words).await;
    }
    // Some milliseconds; half a second where many tests run beside this one.
    assert!(begun.elapsed().as_millis() < 3_500, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn only_what_changed_is_compared() {
    let dir = TempDir::new().expect("a temporary directory");
    let journal = Journal::open(dir.path()).await.expect("opens");
    let new = |n: u64| crate::entries::NewEntry {
        id: text(What::Entry, n, "", "").of.id,
        slug: format!("e{n}"),
        week: None,
        title: "T".to_owned(),
        body: "b".to_owned(),
        file: None,
        shows: Vec::new(),
        reason: "new".to_owned(),
    };
    for n in 1..=3 {
        journal.add_entry(&new(n), Nanos(5), "test").await.expect("adds");
    }
    let behind = journal.behind().await.expect("reads").expect("nothing is indexed");
    let missing = journal.unindexed(&behind, None, 10).await.expect("reads");
    assert_eq!(missing.len(), 3);
    let texts: Vec<Text> =
        missing.into_iter().map(|of| Text { of, title: "T".to_owned(), body: "b".to_owned() }).collect();
    journal.index(&texts).await.expect("indexes");
    journal.caught_up(behind.last).await.expect("writes");
    assert_eq!(journal.behind().await.expect("reads"), None);
    journal.rename_entry(texts[1].of.id, "U", None, Nanos(6), "test").await.expect("renames");
    let behind = journal.behind().await.expect("reads").expect("a change");
    let missing = journal.unindexed(&behind, None, 10).await.expect("reads");
    assert_eq!(missing.iter().map(|of| of.id).collect::<Vec<_>>(), [texts[1].of.id]);
}

//! Live cards on a real file.

use tracebook_core::evidence::Kind;
use tracebook_core::live_card::{CardQuestion, LiveCard};
use tracebook_core::question::Source;

use super::*;

fn card(filter: &str) -> LiveCard {
    let question = CardQuestion {
        kind: Kind::Trace,
        source: Source::Local,
        id: None,
        filter: filter.to_owned(),
        since: Some("15m".to_owned()),
    };
    LiveCard { id: id(), title: "Newest".to_owned(), question, pace_seconds: 2, paused: false }
}

#[tokio::test]
async fn a_card_reads_back_and_is_not_replaced_by_one_of_the_same_id() {
    let (_dir, journal) = journal().await;
    let mut watch = journal.watch().await.expect("watches");
    let mut card = card("service:api \"quoted\"");
    assert_eq!(journal.live_card(card.id).await.expect("reads"), None);
    assert!(!journal.set_live_card(&card, Nanos(1), "a").await.expect("there is none to change"));
    assert!(journal.add_live_card(&card, Nanos(1), "a").await.expect("stores"));
    assert_eq!(journal.live_card(card.id).await.expect("reads"), Some(card.clone()));

    let other = LiveCard { title: "Another".to_owned(), ..card.clone() };
    assert!(!journal.add_live_card(&other, Nanos(2), "b").await.expect("is there already"));
    assert_eq!(journal.live_card(card.id).await.expect("reads"), Some(card.clone()));

    card.pace_seconds = 60;
    card.paused = true;
    card.question.since = None;
    assert!(journal.set_live_card(&card, Nanos(3), "a").await.expect("changes"));
    assert_eq!(journal.live_card(card.id).await.expect("reads"), Some(card.clone()));
    let told = watch.changes().await.expect("reads");
    assert!(told.iter().all(|change| change.what == "live-card" && change.id == card.id.to_string()));
    assert!(told.iter().any(|change| change.client == "a"));
}

#[tokio::test]
async fn the_last_answer_is_the_newest_one_available() {
    let (_dir, journal) = journal().await;
    let card = card("");
    journal.add_live_card(&card, Nanos(1), "a").await.expect("stores");
    assert_eq!(journal.last_live_answer(card.id).await.expect("reads"), None);
    journal
        .add_live_answer(card.id, &card.question, id(), Nanos(2), "a")
        .await
        .expect_err("evidence that is not there is no answer");

    // Frozen at the same time: the later id decides.
    let (first, second) = (evidence("first"), evidence("second"));
    for frozen in [&first, &second] {
        journal.add_evidence(frozen, b"", "a").await.expect("writes");
        journal.add_live_answer(card.id, &card.question, frozen.evidence.id, Nanos(2), "a").await.expect("remembers");
        journal
            .add_live_answer(card.id, &card.question, frozen.evidence.id, Nanos(2), "a")
            .await
            .expect("a second time is nothing new");
    }
    let last = async || journal.last_live_answer(card.id).await.expect("reads");
    let newest = first.evidence.id.max(second.evidence.id);
    let older = first.evidence.id.min(second.evidence.id);
    assert_eq!(last().await, Some(newest));
    journal.bin_evidence(newest, Some(Nanos(5)), "a").await.expect("bins");
    assert_eq!(last().await, Some(older));
    journal.bin_evidence(newest, None, "a").await.expect("takes out");
    assert_eq!(last().await, Some(newest));
    journal.purge_evidence(newest, Nanos(6), "a").await.expect("purges");
    assert_eq!(last().await, Some(older));
    journal.purge_evidence(older, Nanos(6), "a").await.expect("purges");
    assert_eq!(last().await, None);
    assert!(journal.live_card(card.id).await.expect("reads").is_some(), "the question stays");
    assert!(journal.live_card_was_frozen(card.id).await.expect("reads"));
}

#[tokio::test]
async fn the_last_answer_is_by_time_of_freezing_and_for_the_same_question() {
    let (_dir, journal) = journal().await;
    let mut card = card("");
    journal.add_live_card(&card, Nanos(1), "a").await.expect("stores");
    assert!(!journal.live_card_was_frozen(card.id).await.expect("reads"));
    let (first, second) = (evidence("first"), evidence("second"));
    for (frozen, at) in [(&first, 9), (&second, 8)] {
        journal.add_evidence(frozen, b"", "a").await.expect("writes");
        journal.add_live_answer(card.id, &card.question, frozen.evidence.id, Nanos(at), "a").await.expect("remembers");
    }
    assert_eq!(journal.last_live_answer(card.id).await.expect("reads"), Some(first.evidence.id));
    let asked = card.question.clone();
    card.question.filter = "service:web".to_owned();
    journal.set_live_card(&card, Nanos(10), "a").await.expect("changes");
    assert_eq!(journal.last_live_answer(card.id).await.expect("reads"), None, "they answer another question");
    card.question = asked;
    journal.set_live_card(&card, Nanos(11), "a").await.expect("changes");
    assert_eq!(journal.last_live_answer(card.id).await.expect("reads"), Some(first.evidence.id));
}

#[tokio::test]
async fn a_journal_of_the_previous_version_gets_the_new_tables() {
    let dir = TempDir::new().expect("a temporary directory");
    // As 0001 left it.
    let first = sqlx::migrate::Migrator {
        migrations: sqlx::migrate!("../../migrations/journal")
            .iter()
            .filter(|m| m.version == 1)
            .cloned()
            .collect::<Vec<_>>()
            .into(),
        ..sqlx::migrate!("../../migrations/journal")
    };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("journal.db"));
    let mut before = options.create_if_missing(true).connect().await.expect("opens");
    first.run(&mut before).await.expect("migrates");
    sqlx::query(
        "INSERT INTO entry (id, slug, title, body, revision, last_revision, created_at, updated_at)
         VALUES ('01JD4ZK8S7M5V9TQ2WXYB3CDEF', 'one', 'One', 'kept', 1, 1, 1, 1)",
    )
    .execute(&mut before)
    .await
    .expect("writes");
    before.close().await.expect("closes");

    let journal = Journal::open(dir.path()).await.expect("opens");
    assert_eq!(journal.entry("one").await.expect("reads").map(|e| e.body), Some("kept".to_owned()));
    let card = card("");
    assert!(journal.add_live_card(&card, Nanos(1), "a").await.expect("stores"));
    assert_eq!(journal.live_card(card.id).await.expect("reads"), Some(card));
}

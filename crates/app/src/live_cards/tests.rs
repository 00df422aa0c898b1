//! Live cards over a journal and telemetry on disk.

use tracebook_core::evidence::Kind;
use tracebook_render::card::Size;

use super::*;
use crate::ground::schema::{EntryWrite, EvidenceDelete, EvidenceList, Exported, Imported};
use crate::testing::{Home, ManualClock};

impl Home {
    async fn card(&self, question: CardQuestion) -> LiveCardView {
        let request = LiveCardNew { question, pace_seconds: Some(1), title: None };
        self.app.live_cards.create(request, &Caller::default()).await.expect("is made")
    }

    async fn look(&self, id: Id, now: bool) -> LiveLook {
        self.app.live_cards.look(LiveCardLook { id, now }).await.expect("looks")
    }

    /// Requests the card until it meets a condition.
    async fn until(&self, id: Id, wanted: impl Fn(&LiveLook) -> bool) -> LiveLook {
        for _ in 0..400 {
            let look = self.look(id, false).await;
            if wanted(&look) {
                return look;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not within 20 s: {:?}", self.look(id, false).await);
    }

    async fn freeze(&self, request: LiveCardFreeze) -> Result<Captured, Error> {
        self.app.live_cards.freeze(request, &Caller::default()).await
    }

    async fn body(&self, slug: &str) -> String {
        self.app.journal.find_entry(slug).await.expect("there").body
    }

    async fn exports(&self) -> Exported {
        self.export(false).await.expect("exports")
    }

    async fn imports(&self, from: &std::path::Path) -> Imported {
        self.import(from).await.expect("imports")
    }

    fn exported(&self, path: &str) -> String {
        std::fs::read_to_string(self.out().join("journal").join(path)).expect("reads")
    }
}

fn lines(filter: &str) -> CardQuestion {
    let filter = filter.to_owned();
    CardQuestion { kind: Kind::Console, source: Source::Local, id: None, filter, since: Some("1h".to_owned()) }
}

fn freeze(id: Id) -> LiveCardFreeze {
    LiveCardFreeze { id, asked_at: None, into: None, slot: None, caption: None, alt: None, size: None }
}

fn capture(kind: Kind, id: &str) -> Capture {
    Capture { id: Some(id.to_owned()), ..Capture::of(kind) }
}

#[tokio::test]
async fn a_card_shows_incoming_data_and_keeps_its_result_when_a_query_fails() {
    let home = Home::new().await;
    let card = home.card(lines("segments")).await;
    assert_eq!(
        card.reference,
        format!("![console lines of local telemetry, segments, last 1h](live:{})", card.card.id)
    );
    let id = card.card.id;
    let empty = home.look(id, false).await;
    assert!(empty.answer.is_none() && empty.picture.is_none());
    assert_eq!(empty.problem.map(|p| p.code), Some(Code::NotFound), "reports that nothing matched");
    let missing = home.app.live_cards.picture(id, None, Size::Full.into()).await.expect_err("no answer, no picture");
    assert_eq!(missing.code, Code::NotFound);

    home.print("sent batch of 1 segments").await;
    let one = home.until(id, |look| look.answer.is_some()).await;
    assert_eq!(one.answer.as_deref(), Some("backend, 1 line"));
    assert!(one.problem.is_none() && one.next_ms.is_some_and(|ms| ms <= 1_000));
    home.print("sent batch of 2 segments").await;
    let two = home.until(id, |look| look.answer.as_deref() == Some("backend, 2 lines")).await;
    assert_ne!(one.asked_at, two.asked_at);
    let picture = home.app.live_cards.picture(id, two.asked_at.as_deref(), Size::Compact.into()).await.expect("draws");
    assert!(picture.contains("LIVE, NOT EVIDENCE") && !picture.contains("<metadata"));

    // The lines are deleted; the result stays, with its age and the reason.
    home.app.telemetry.store.trim(Nanos(i64::MAX)).await.expect("forgets");
    let stale = home.until(id, |look| look.problem.is_some()).await;
    assert_eq!((stale.answer.as_deref(), &stale.asked_at), (Some("backend, 2 lines"), &two.asked_at));
    assert!(stale.age_ms.is_some());
    assert!(home.app.journal.store.evidence_records(None).await.expect("reads").is_empty(), "looking freezes nothing");
    home.app.shutdown().await;
}

#[tokio::test]
async fn no_query_runs_while_invisible_or_before_the_interval() {
    let home = Home::new().await;
    home.print("a").await;
    let card = home.card(lines("")).await;
    let id = card.card.id;
    let set = LiveCardSet { id, question: None, pace_seconds: Some(3600), title: None, paused: None };
    home.app.live_cards.set(set.clone(), &Caller::default()).await.expect("changes");
    let first = home.until(id, |look| look.answer.is_some()).await;
    home.print("b").await;
    for _ in 0..20 {
        assert_eq!(home.look(id, false).await.asked_at, first.asked_at, "the hour is not over");
    }
    // At the user's request, local telemetry can be queried after a second.
    let asked = |look: &LiveLook| look.asked_at != first.asked_at;
    for _ in 0..400 {
        if asked(&home.look(id, true).await) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(home.look(id, false).await.answer.as_deref(), Some("backend, 2 lines"));

    let paused = LiveCardSet { paused: Some(true), pace_seconds: Some(1), ..set };
    home.app.live_cards.set(paused, &Caller::default()).await.expect("changes");
    let still = home.look(id, false).await;
    assert!(still.paused && still.next_ms.is_none());
    home.app.shutdown().await;
}

#[tokio::test]
async fn the_shown_result_is_frozen() {
    let home = Home::new().await;
    home.print("first").await;
    let card = home.card(lines("")).await;
    let id = card.card.id;
    let shown = home.until(id, |look| look.answer.is_some()).await;
    home.print("second").await;
    let request = LiveCardFreeze { asked_at: shown.asked_at.clone(), ..freeze(id) };
    let captured = home.freeze(request).await.expect("freezes");
    assert_eq!(captured.evidence.title, "backend, 1 line");
    assert_eq!(Some(&captured.evidence.captured_at), shown.asked_at.as_ref(), "as of when it was answered");
    assert_eq!(captured.warnings, Vec::<String>::new());
    // Without a result it runs the query; also if the result is gone, with a warning.
    let now = home.freeze(freeze(id)).await.expect("freezes");
    assert_eq!(now.evidence.title, "backend, 2 lines");
    let gone = LiveCardFreeze { asked_at: Some("2020-01-01T00:00:00.000Z".to_owned()), ..freeze(id) };
    assert!(home.freeze(gone).await.expect("freezes").warnings[0].contains("asked again"));
    let frozen = home.app.evidence.frozen(captured.evidence.id).await.expect("there");
    let question = &frozen.evidence.provenance.question;
    let hour = 3_600_000_000_000;
    assert_eq!(question.since.map(|s| s.0 + hour), Some(frozen.evidence.provenance.captured_at.0));
    home.app.shutdown().await;
}

#[tokio::test]
async fn freezing_replaces_the_references_of_one_entry() {
    let home = Home::new().await;
    home.print("a line").await;
    let card = home.card(lines("")).await;
    let id = card.card.id;
    let text = format!(
        "# One\r\n\r\n{}\r\n\r\n- ![My own words](live:{id}?size=compact \"kept\") and `![x](live:{id})`\r\n",
        card.reference
    );
    let slug = home.entry("One", &text).await;
    let other = home.entry("Two", &format!("{}\n", card.reference)).await;

    // Through the command line's API.
    let request = Capture { into: Some(slug.clone()), ..capture(Kind::Console, &format!("live:{id}")) };
    let captured = home.app.live_cards.capture(request, &Caller::default()).await.expect("freezes");
    let evidence = captured.evidence.id;
    assert_eq!(captured.evidence.entries, std::slice::from_ref(&slug));
    let body = home.body(&slug).await;
    assert!(body.starts_with(&format!("# One\r\n\r\n![backend, 1 line](evidence:{evidence} \"")), "{body}");
    assert!(
        body.ends_with(&format!(
            "- ![My own words](evidence:{evidence}?size=compact \"kept\") and `![x](live:{id})`\r\n"
        ))
    );
    assert_eq!(home.body(&other).await, format!("{}\n", card.reference), "another entry's stays live");
    assert!(home.app.journal.store.live_card(id).await.expect("reads").is_some());

    // The previous text can be written again, and the card is live.
    let write = EntryWrite { entry: slug.clone(), base: None, body: text.clone(), cut: None };
    home.app.journal.entry_write(write, &Caller::default()).await.expect("writes");
    assert!(home.look(id, false).await.answer.is_some());
    let rows = home.app.evidence.list(EvidenceList::default()).await.expect("lists");
    assert!(rows.iter().any(|row| row.id == evidence && row.entries.is_empty()), "not placed");

    // Without a reference it is appended; a named slot is filled.
    let plain = home.entry("Three", "# Three\n\nInsert image of logs\n").await;
    let into =
        |slot: Option<&str>| LiveCardFreeze { into: Some(plain.clone()), slot: slot.map(str::to_owned), ..freeze(id) };
    home.freeze(into(Some("logs"))).await.expect("freezes");
    home.freeze(into(None)).await.expect("freezes");
    let body = home.body(&plain).await;
    assert_eq!(body.matches("](evidence:").count(), 2);
    assert!(!body.contains("Insert image"), "{body}");
    let nowhere = home.freeze(into(Some("no such slot"))).await.expect_err("no such slot");
    assert_eq!(nowhere.code, Code::NotFound);
    home.app.shutdown().await;
}

#[tokio::test]
async fn a_captured_live_card_has_its_own_question() {
    let home = Home::new().await;
    home.print("a line").await;
    let id = format!("live:{}", home.card(lines("")).await.card.id);
    for (request, said) in [
        (capture(Kind::Logs, &id), "capture console live:"),
        (Capture { latest: true, ..capture(Kind::Console, &id) }, "Leave"),
        (Capture { filter: "x".into(), ..capture(Kind::Console, &id) }, "Leave"),
        (Capture { source: Source::Xray, ..capture(Kind::Console, &id) }, "Leave"),
        (capture(Kind::Console, "live:nonsense"), "live:01J"),
    ] {
        let error = home.app.live_cards.capture(request, &Caller::default()).await.expect_err(said);
        assert!(error.code == Code::Usage && error.hint.contains(said), "{error:?}");
    }
    let strange = capture(Kind::Console, "live:01JD4ZZZZZZZZZZZZZZZZZZZZZ");
    assert_eq!(
        home.app.live_cards.capture(strange, &Caller::default()).await.expect_err("unknown").code,
        Code::NotFound
    );
    home.app.shutdown().await;
}

#[tokio::test]
async fn invalid_queries_are_not_stored() {
    let home = Home::new().await;
    for (question, said) in [
        (CardQuestion { kind: Kind::Trace, ..lines("duration>") }, "duration"),
        (CardQuestion { since: Some("yesterday".into()), ..lines("") }, "not a duration"),
        (CardQuestion { kind: Kind::Query, ..lines("fields @message") }, "quer"),
    ] {
        let request = LiveCardNew { question, pace_seconds: None, title: None };
        let error = home.app.live_cards.create(request, &Caller::default()).await.expect_err(said);
        assert!(error.code == Code::Usage && error.message.contains(said), "{error:?}");
    }
    let secret = home.card(lines("db.password=hunter22 backend")).await;
    assert_eq!(secret.card.question.filter, "backend");
    assert!(secret.warnings[0].contains("credential"));
    // A new query changes the title, unless the user set it.
    let set = |question, title: Option<&str>| LiveCardSet {
        id: secret.card.id,
        question,
        pace_seconds: None,
        title: title.map(str::to_owned),
        paused: None,
    };
    let renamed = home.app.live_cards.set(set(Some(lines("other")), None), &Caller::default()).await.expect("changes");
    assert_eq!(renamed.card.title, "console lines of local telemetry, other, last 1h");
    home.app.live_cards.set(set(None, Some("Mine")), &Caller::default()).await.expect("changes");
    let kept = home.app.live_cards.set(set(Some(lines("third")), None), &Caller::default()).await.expect("changes");
    assert_eq!(kept.card.title, "Mine");
    home.app.shutdown().await;
}

#[tokio::test]
async fn an_export_asks_nobody_and_an_import_brings_the_card_back() {
    let home = Home::new().await;
    home.print("before").await;
    let (frozen, open) = (home.card(lines("before")).await, home.card(lines("never")).await);
    let text = format!("# One\n\n{}\n\nand {} here\n", frozen.reference, open.reference);
    let slug = home.entry("One", &text).await;

    let done = home.exports().await;
    assert_eq!(done.warnings.len(), 2, "{:?}", done.warnings);
    assert!(done.warnings.iter().all(|w| w.contains("never frozen")));
    assert_eq!(home.exported("one.md").matches("<em>Live card, never frozen: ").count(), 2);

    home.freeze(freeze(frozen.card.id)).await.expect("freezes");
    let newest = home.freeze(freeze(frozen.card.id)).await.expect("freezes").evidence;
    home.print("before, and after").await;
    let done = home.exports().await;
    assert_eq!(done.warnings.len(), 1, "{:?}", done.warnings);
    let md = home.exported("one.md");
    assert!(md.contains(&format!("<!-- tracebook:live {} {} -->", frozen.card.id, newest.id)));
    assert!(md.contains("live card, frozen 20") && !md.contains("and after"), "what was frozen, not what is now");
    assert_eq!(home.body(&slug).await, text, "the text is as it was");
    let verified = crate::transfer::verify::verify(&[home.out().display().to_string()], None).expect("verifies");
    assert!(verified.ok && verified.evidence.len() == 1, "{verified:?}");
    let again = home.exports().await;
    assert_eq!((again.written, again.unchanged), (Vec::new(), 6));

    let back = Home::new().await;
    let imported = back.imports(&home.out()).await;
    assert_eq!(imported.warnings, Vec::<String>::new());
    assert_eq!(back.body("one").await, text);
    for card in [&frozen, &open] {
        let stored = back.app.journal.store.live_card(card.card.id).await.expect("reads");
        assert_eq!(stored.as_ref(), Some(&card.card), "the same question under the same id, and it may ask at once");
    }
    let out = back.out();
    back.exports().await;
    for path in ["one.md", "assets/one/entry.json", &format!("assets/one/{}.svg", newest.id)] {
        assert_eq!(std::fs::read(out.join("journal").join(path)).expect("there"), home.exported(path).into_bytes());
    }

    // A known card is not imported again; a different query with its id is ignored, with a warning.
    assert_eq!(back.imports(&home.out()).await.warnings, Vec::<String>::new());
    let set =
        LiveCardSet { id: open.card.id, question: Some(lines("mine")), pace_seconds: None, title: None, paused: None };
    back.app.live_cards.set(set, &Caller::default()).await.expect("changes");
    let said = back.imports(&home.out()).await.warnings;
    assert!(said.len() == 1 && said[0].contains("another question"), "{said:?}");

    // If it is in the bin, the previous one is shown.
    let bin = EvidenceDelete { id: newest.id, purge: false };
    home.app.evidence.delete(bin, &Caller::default()).await.expect("bins");
    home.exports().await;
    assert!(!home.exported("one.md").contains(&newest.id.to_string()));
    assert!(home.exported("one.md").contains("<!-- tracebook:live "));
    home.app.shutdown().await;
    back.app.shutdown().await;
}

#[tokio::test]
async fn a_question_to_a_cloud_that_was_imported_waits_for_its_reader() {
    let home = Home::new().await;
    let question = CardQuestion { kind: Kind::Trace, source: Source::Xray, ..lines("service() { fault }") };
    let card = home.card(question).await;
    home.entry("One", &format!("{}\n", card.reference)).await;
    home.exports().await;
    let back = Home::new().await;
    back.imports(&home.out()).await;
    let look = back.look(card.card.id, false).await;
    assert!(look.paused && !look.asking && look.problem.is_none() && look.next_ms.is_none());
    // A reference to deleted evidence is possible, but resolves to nothing.
    let strange = back.entry("Two", "![x](live:01JD4ZZZZZZZZZZZZZZZZZZZZZ)\n").await;
    let done = back
        .app
        .transfer
        .tree(&back.app.journal.find_entry(&strange).await.expect("there"), "two")
        .await
        .expect("draws");
    assert!(done.warnings[0].contains("not in this journal"), "{:?}", done.warnings);
    home.app.shutdown().await;
    back.app.shutdown().await;
}

#[tokio::test]
async fn the_pace_follows_the_clock() {
    let clock = Arc::new(ManualClock::at("2026-11-25T10:00:00Z"));
    let home = Home::at(&clock).await;
    home.print("a").await;
    let id = home.card(lines("")).await.card.id;
    let set = LiveCardSet { id, question: None, pace_seconds: Some(3_600), title: None, paused: None };
    home.app.live_cards.set(set, &Caller::default()).await.expect("changes");
    let first = home.until(id, |look| look.answer.is_some()).await;
    assert_eq!((first.age_ms, first.next_ms), (Some(0), Some(3_600_000)));
    home.print("b").await;
    clock.advance(3_599 * 1_000_000_000);
    let early = home.look(id, false).await;
    assert_eq!(
        (early.answer.as_deref(), early.age_ms, early.next_ms),
        (Some("backend, 1 line"), Some(3_599_000), Some(1_000))
    );
    clock.advance(1_000_000_000);
    let due = home.until(id, |look| look.answer.as_deref() == Some("backend, 2 lines")).await;
    assert_eq!((due.asked_at, due.age_ms), (Some(home.app.runtime.now().rfc3339()), Some(0)));
    home.app.shutdown().await;
}

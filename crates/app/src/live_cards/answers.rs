//! The answers of live cards, in this run's memory: one answer per card, shared by every window that shows it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use tracebook_core::evidence::Body;
use tracebook_core::ids::Id;
use tracebook_core::live_card::{CardQuestion, LiveCard};
use tracebook_core::time::Nanos;

use crate::ground::error::{Error, ErrorBody};
use crate::ground::finding::Finding;

/// A card that was not read for this many nanoseconds, or for twice its pace, is forgotten. Scrolling away and back
/// must not query earlier than the pace allows.
const IDLE: i64 = 600 * SECOND;
/// The most cards that are kept.
const MAX_CARDS: usize = 4_096;
/// The most bytes of all answers together, as an estimate.
const MAX_BYTES: usize = 64 << 20;
const SECOND: i64 = 1_000_000_000;

/// What a source answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) asked_at: Nanos,
    pub(crate) found: Finding,
    /// Estimated bytes of memory.
    weight: usize,
}

impl Answer {
    pub(crate) fn new(asked_at: Nanos, found: Finding) -> Self {
        // A value read from raw bytes takes a few times their size; of the rest only a query's rows weigh much.
        let cells = match &found.body {
            Body::Query(query) => query.rows.iter().flatten().map(|cell| cell.len() + 24).sum(),
            _ => 0,
        };
        let weight = found.raw.bytes() * 4 + cells + 4_096;
        Self { asked_at, found, weight }
    }

    /// Its name: the time of the query.
    pub(crate) fn name(&self) -> String {
        self.asked_at.rfc3339()
    }
}

/// The state of a card for a reader.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) answer: Option<Arc<Answer>>,
    pub(crate) problem: Option<ErrorBody>,
    pub(crate) asking: bool,
    /// When it was queried last, with or without success.
    pub(crate) tried_at: Option<Nanos>,
}

#[derive(Debug)]
struct Entry {
    /// Answers to another question are dropped.
    question: CardQuestion,
    looked_at: Nanos,
    /// After this many nanoseconds without a reader it is forgotten.
    idle: i64,
    snapshot: Snapshot,
    /// The answer before the last: a window may still show it.
    before: Option<Arc<Answer>>,
    /// A reader gave up before the answer came and is to be notified.
    notify: bool,
    answered: Arc<Notify>,
}

/// The answers of all cards. Uses no source and no clock: times and answers are passed in.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    entries: Mutex<HashMap<Id, Entry>>,
}

/// The exclusive right to query for one card, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    answers: Arc<Answers>,
    id: Id,
    question: CardQuestion,
}

impl Answers {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Id, Entry>) -> T) -> T {
        act(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a reader, and returns a lease where a query is due and none is running; with `now` as soon as the source
    /// allows.
    pub(crate) fn look(self: &Arc<Self>, card: &LiveCard, at: Nanos, now: bool) -> Option<Lease> {
        let question = &card.question;
        let bears = question.source.intervals(question.kind).0;
        let pace = if now { bears } else { card.pace_seconds.max(bears) };
        let quiet = card.paused && !now;
        self.with(|entries| {
            bound(entries, at, Some(card.id));
            let entry = entries.entry(card.id).or_insert_with(|| Entry::new(question, at));
            if entry.question != *question {
                let answered = Arc::clone(&entry.answered);
                *entry = Entry { answered, ..Entry::new(question, at) };
            }
            entry.looked_at = at;
            entry.idle = match card.paused {
                // It would not be queried again by itself.
                true => i64::MAX,
                false => IDLE.max(i64::from(pace).saturating_mul(2 * SECOND)),
            };
            let due = entry.snapshot.tried_at.is_none_or(|tried| {
                let since = at.0.saturating_sub(tried.0);
                // A clock that was set back must not stop a card.
                since < 0 || since >= i64::from(pace) * SECOND
            });
            if quiet || !due || entry.snapshot.asking {
                return None;
            }
            entry.snapshot.asking = true;
            entry.snapshot.tried_at = Some(at);
            Some(Lease { answers: Arc::clone(self), id: card.id, question: question.clone() })
        })
    }

    /// Stores an answer of a query without a lease.
    pub(crate) fn keep(self: &Arc<Self>, card: &LiveCard, answer: Arc<Answer>) {
        let answered_at = answer.asked_at;
        self.with(|entries| {
            let entry = entries.entry(card.id).or_insert_with(|| Entry::new(&card.question, answer.asked_at));
            if entry.question == card.question {
                entry.snapshot.tried_at = Some(answer.asked_at);
                entry.take(Ok(answer));
            }
            bound(entries, answered_at, Some(card.id));
        });
    }

    /// The current state.
    pub(crate) fn snapshot(&self, id: Id) -> Snapshot {
        self.with(|entries| entries.get(&id).map(|entry| entry.snapshot.clone()).unwrap_or_default())
    }

    /// The state once the running query has ended, or after a time-out.
    pub(crate) async fn wait(&self, id: Id, limit: std::time::Duration) -> Snapshot {
        let Some(answered) = self.with(|entries| entries.get(&id).map(|entry| Arc::clone(&entry.answered))) else {
            return Snapshot::default();
        };
        let told = answered.notified();
        tokio::pin!(told);
        // Registered before the check, so that no answer is missed.
        told.as_mut().enable();
        if self.snapshot(id).asking {
            drop(tokio::time::timeout(limit, told).await);
        }
        self.with(|entries| {
            entries.get_mut(&id).map_or_else(Snapshot::default, |entry| {
                entry.notify |= entry.snapshot.asking;
                entry.snapshot.clone()
            })
        })
    }

    /// Removes what was not read for long.
    pub(crate) fn sweep(&self, at: Nanos) {
        self.with(|entries| bound(entries, at, None));
    }

    /// The answer of this name to the current question, if it is one of the last two; without a name the last one.
    pub(crate) fn answer(&self, card: &LiveCard, name: Option<&str>) -> Option<Arc<Answer>> {
        self.with(|entries| {
            let entry = entries.get(&card.id).filter(|entry| entry.question == card.question)?;
            let both = [&entry.snapshot.answer, &entry.before];
            both.into_iter().flatten().find(|answer| name.is_none_or(|name| answer.name() == name)).cloned()
        })
    }
}

/// Removes what was not read for long, and what exceeds the limits: first the answers before the last ones, then the
/// cards that were read longest ago.
fn bound(entries: &mut HashMap<Id, Entry>, at: Nanos, here: Option<Id>) {
    entries.retain(|id, entry| {
        Some(*id) == here || entry.snapshot.asking || at.0.saturating_sub(entry.looked_at.0) < entry.idle
    });
    let bytes = |entries: &HashMap<Id, Entry>| -> usize { entries.values().map(Entry::weight).sum() };
    if bytes(entries) > MAX_BYTES {
        for entry in entries.iter_mut().filter(|(id, _)| Some(**id) != here).map(|(_, entry)| entry) {
            entry.before = None;
        }
    }
    while entries.len() > MAX_CARDS || bytes(entries) > MAX_BYTES {
        let idle = entries.iter().filter(|(id, entry)| Some(**id) != here && !entry.snapshot.asking);
        let Some(oldest) = idle.min_by_key(|(_, entry)| entry.looked_at).map(|(id, _)| *id) else { break };
        entries.remove(&oldest);
    }
}

impl Entry {
    fn weight(&self) -> usize {
        [&self.snapshot.answer, &self.before].into_iter().flatten().map(|answer| answer.weight).sum()
    }

    fn new(question: &CardQuestion, at: Nanos) -> Self {
        Self {
            question: question.clone(),
            looked_at: at,
            idle: IDLE,
            snapshot: Snapshot::default(),
            before: None,
            notify: false,
            answered: Arc::default(),
        }
    }

    /// Stores an outcome; a failure keeps the last answer.
    fn take(&mut self, outcome: Result<Arc<Answer>, Error>) {
        match outcome {
            Ok(answer) => {
                self.before = self.snapshot.answer.replace(answer);
                self.snapshot.problem = None;
            }
            Err(error) => self.snapshot.problem = Some(error.body()),
        }
    }
}

impl Lease {
    /// The card.
    pub(crate) fn id(&self) -> Id {
        self.id
    }

    /// Stores the outcome; true where a reader gave up before and is to be notified.
    pub(crate) fn finish(self, outcome: Result<Answer, Error>) -> bool {
        self.answers.with(|entries| {
            let Some(entry) = entries.get_mut(&self.id).filter(|entry| entry.question == self.question) else {
                return false;
            };
            entry.take(outcome.map(Arc::new));
            std::mem::take(&mut entry.notify)
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.answers.with(|entries| {
            // After a change of the question the entry belongs to another lease.
            if let Some(entry) = entries.get_mut(&self.id).filter(|entry| entry.question == self.question) {
                entry.snapshot.asking = false;
                entry.answered.notify_waiters();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use tracebook_core::console::Console;
    use tracebook_core::evidence::Kind;
    use tracebook_core::question::Source;

    use super::*;

    fn card(n: u32, source: Source, pace_seconds: u32) -> LiveCard {
        let question = CardQuestion { kind: Kind::Trace, source, id: None, filter: String::new(), since: None };
        let id = format!("01JD4ZK8S7M5V9TQ2WXYB3{n:04}").parse().expect("a ULID");
        LiveCard { id, title: "t".into(), question, pace_seconds, paused: false }
    }

    fn at(seconds: i64) -> Nanos {
        Nanos((1_000_000 + seconds) * SECOND)
    }

    fn answer(seconds: i64, text: &str) -> Answer {
        let body = Body::Console(Console::from_text("test", text));
        Answer::new(at(seconds), Finding::new(body, 1))
    }

    fn failure() -> Error {
        Error::new(crate::Code::Unreachable, "nobody answers", "wait")
    }

    #[test]
    fn one_asks_at_a_time_and_not_faster_than_the_pace() {
        let answers = Arc::new(Answers::default());
        let card = card(1, Source::Local, 5);
        let lease = answers.look(&card, at(0), false).expect("the first look asks");
        assert!(answers.look(&card, at(60), true).is_none(), "while one asks, no other does");
        assert!(answers.snapshot(card.id).asking);
        assert!(!lease.finish(Ok(answer(0, "a"))), "nobody left");
        assert!(!answers.snapshot(card.id).asking);
        assert!(answers.look(&card, at(4), false).is_none());
        drop(answers.look(&card, at(4), true).expect("at once, since a second is enough for local telemetry"));
        assert!(answers.look(&card, at(5), false).is_none(), "counted from the last time it was asked");
        let lease = answers.look(&card, at(9), false).expect("its time has come");
        lease.finish(Err(failure()));
        let snapshot = answers.snapshot(card.id);
        assert_eq!(snapshot.answer.map(|a| a.name()), Some(at(0).rfc3339()), "the last answer stays");
        assert_eq!(snapshot.problem.map(|p| p.message), Some("nobody answers".to_owned()));
        assert!(answers.look(&card, at(10), false).is_none(), "a failure is an asking, too");
        assert!(answers.look(&card, at(-100), false).is_some(), "the clock was set back");
    }

    #[test]
    fn the_minimum_interval_of_a_source_applies_to_any_stored_value() {
        let answers = Arc::new(Answers::default());
        let card = card(1, Source::Xray, 0);
        drop(answers.look(&card, at(0), true).expect("asks"));
        assert!(answers.look(&card, at(9), true).is_none());
        assert!(answers.look(&card, at(10), false).is_some());
    }

    #[test]
    fn a_paused_card_asks_only_when_told_to() {
        let answers = Arc::new(Answers::default());
        let card = LiveCard { paused: true, ..card(1, Source::Local, 1) };
        assert!(answers.look(&card, at(0), false).is_none());
        assert!(answers.look(&card, at(0), true).is_some());
    }

    #[test]
    fn another_question_makes_the_answers_void() {
        let answers = Arc::new(Answers::default());
        let mut card = card(1, Source::Local, 60);
        let lease = answers.look(&card, at(0), false).expect("asks");
        card.question.filter = "service:other".into();
        let other = answers.look(&card, at(1), false).expect("the new question is asked at once");
        lease.finish(Ok(answer(0, "to the old question")));
        assert!(answers.snapshot(card.id).answer.is_none());
        assert!(answers.snapshot(card.id).asking, "the old lease's end is not the new one's");
        other.finish(Ok(answer(1, "to the new one")));
        assert_eq!(answers.answer(&card, None).map(|a| a.name()), Some(at(1).rfc3339()));
    }

    #[test]
    fn the_answer_before_can_still_be_had_by_its_name() {
        let answers = Arc::new(Answers::default());
        let card = card(1, Source::Local, 1);
        for n in 0..3 {
            answers.look(&card, at(n), false).expect("asks").finish(Ok(answer(n, "x")));
        }
        let name = |n| answers.answer(&card, Some(&at(n).rfc3339())).is_some();
        assert_eq!((name(0), name(1), name(2)), (false, true, true));
        answers.keep(&card, Arc::new(answer(9, "y")));
        assert_eq!(answers.answer(&card, None).map(|a| a.name()), Some(at(9).rfc3339()));
    }

    #[test]
    fn clients_that_are_gone_are_forgotten() {
        let answers = Arc::new(Answers::default());
        for n in 0..5_000 {
            answers.look(&card(n, Source::Local, 1), at(0), false).expect("asks").finish(Ok(answer(0, "x")));
        }
        assert!(answers.with(|entries| entries.len()) <= MAX_CARDS + 1);
        let slow = card(6_000, Source::Local, 3_600);
        answers.look(&slow, at(1), false).expect("asks").finish(Ok(answer(1, "x")));
        answers.sweep(at(700));
        assert_eq!(answers.with(|entries| entries.len()), 1, "the others have gone");
        assert!(answers.look(&slow, at(3_000), false).is_none(), "its hour is not over");
        assert!(answers.answer(&slow, None).is_some());
        answers.sweep(at(11_000));
        assert_eq!(answers.with(|entries| entries.len()), 0);
        let last = card(7_000, Source::Local, 1);
        let asking = answers.look(&last, at(1), false);
        let new = card(7_001, Source::Local, 1);
        drop(answers.look(&new, at(10_000), false));
        let there: Vec<Id> = answers.with(|entries| entries.keys().copied().collect());
        assert_eq!(there.len(), 2, "the one whose query runs and the visible one");
        drop(asking);
    }

    #[test]
    fn answers_take_no_more_memory_than_they_may() {
        let answers = Arc::new(Answers::default());
        for n in 0..40 {
            let card = card(n, Source::Local, 1);
            for at_second in [n, n + 100] {
                let lease = answers.look(&card, at(i64::from(at_second)), false).expect("asks");
                lease.finish(Ok(Answer { weight: MAX_BYTES / 10, ..answer(i64::from(at_second), "large") }));
            }
        }
        answers.sweep(at(200));
        let (entries, bytes) =
            answers.with(|entries| (entries.len(), entries.values().map(Entry::weight).sum::<usize>()));
        assert!(entries >= 5 && bytes <= MAX_BYTES, "{entries} {bytes}");
        assert!(answers.answer(&card(39, Source::Local, 1), None).is_some(), "the last one is there");
    }

    #[tokio::test]
    async fn waiting_clients_are_notified_and_those_that_left_are_remembered() {
        let answers = Arc::new(Answers::default());
        let card = card(1, Source::Local, 1);
        let lease = answers.look(&card, at(0), false).expect("asks");
        let snapshot = answers.wait(card.id, std::time::Duration::from_millis(1)).await;
        assert!(snapshot.asking && snapshot.answer.is_none());
        let (waiting, id) = (Arc::clone(&answers), card.id);
        let waiter = tokio::spawn(async move { waiting.wait(id, std::time::Duration::from_secs(60)).await });
        tokio::task::yield_now().await;
        assert!(lease.finish(Ok(answer(0, "x"))), "one left before the answer");
        let snapshot = waiter.await.expect("is told");
        assert!(snapshot.answer.is_some());
    }
}

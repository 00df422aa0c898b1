//! What live cards were answered, in this run's memory: one answer a card, shared by every window that shows it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use tracebook_core::evidence::Body;
use tracebook_core::ids::Id;
use tracebook_core::live_card::{CardQuestion, LiveCard};
use tracebook_core::time::Nanos;

use crate::capture::Found;
use crate::ground::error::{Error, ErrorBody};

/// Who has not looked for so long, in nanoseconds, has gone; or for twice the card's pace, so that who scrolls away and back does
/// not ask earlier than the pace allows.
const FORGOTTEN: i64 = 600 * SECOND;
/// The most cards that are remembered.
const MOST: usize = 4_096;
/// The most bytes that all answers together take, about.
const MOST_BYTES: usize = 64 << 20;
const SECOND: i64 = 1_000_000_000;

/// What a source answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) asked_at: Nanos,
    pub(crate) found: Found,
    /// The memory that it takes, about.
    weight: usize,
}

impl Answer {
    pub(crate) fn new(asked_at: Nanos, found: Found) -> Self {
        // What is read from raw bytes takes some times as much as they do, and nothing else comes near it but a query's rows.
        let cells = match &found.body {
            Body::Query(query) => query.rows.iter().flatten().map(|cell| cell.len() + 24).sum(),
            _ => 0,
        };
        let weight = found.raw.bytes() * 4 + cells + 4_096;
        Self { asked_at, found, weight }
    }

    /// What names it: its time.
    pub(crate) fn name(&self) -> String {
        self.asked_at.rfc3339()
    }
}

/// A card's answers, for who looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answer: Option<Arc<Answer>>,
    pub(crate) problem: Option<ErrorBody>,
    pub(crate) asking: bool,
    /// When it was asked last, with or without an answer.
    pub(crate) tried_at: Option<Nanos>,
}

#[derive(Debug)]
struct Seat {
    /// Another question makes the answers void.
    question: CardQuestion,
    looked_at: Nanos,
    /// For how long nobody need look, in nanoseconds, until it is forgotten.
    patience: i64,
    seen: Seen,
    /// The answer before: somebody may still be looking at it.
    before: Option<Arc<Answer>>,
    /// Somebody left before the answer came.
    impatient: bool,
    answered: Arc<Notify>,
}

/// The answers of all cards. Knows no source: it is told what time it is and what was answered.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    seats: Mutex<HashMap<Id, Seat>>,
}

/// The right and the duty to ask for one card. When it goes, asked or not, the next one may.
#[derive(Debug)]
pub(crate) struct Turn {
    answers: Arc<Answers>,
    id: Id,
    question: CardQuestion,
}

impl Answers {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Id, Seat>) -> T) -> T {
        act(&mut self.seats.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Somebody looks. Gives the turn to ask where the last one is long enough ago and nobody asks already; with `now` as soon
    /// as the source bears it.
    pub(crate) fn look(self: &Arc<Self>, card: &LiveCard, at: Nanos, now: bool) -> Option<Turn> {
        let question = &card.question;
        let bears = question.source.intervals(question.kind).0;
        let pace = if now { bears } else { card.pace_seconds.max(bears) };
        let quiet = card.paused && !now;
        self.with(|seats| {
            bound(seats, at, Some(card.id));
            let seat = seats.entry(card.id).or_insert_with(|| Seat::new(question, at));
            if seat.question != *question {
                let answered = Arc::clone(&seat.answered);
                *seat = Seat { answered, ..Seat::new(question, at) };
            }
            seat.looked_at = at;
            seat.patience = match card.paused {
                // It would not be asked again by itself.
                true => i64::MAX,
                false => FORGOTTEN.max(i64::from(pace).saturating_mul(2 * SECOND)),
            };
            let due = seat.seen.tried_at.is_none_or(|tried| {
                let since = at.0.saturating_sub(tried.0);
                // A clock that was set back must not silence a card.
                since < 0 || since >= i64::from(pace) * SECOND
            });
            if quiet || !due || seat.seen.asking {
                return None;
            }
            seat.seen.asking = true;
            seat.seen.tried_at = Some(at);
            Some(Turn { answers: Arc::clone(self), id: card.id, question: question.clone() })
        })
    }

    /// Puts down what was answered outside a turn.
    pub(crate) fn keep(self: &Arc<Self>, card: &LiveCard, answer: Arc<Answer>) {
        let answered_at = answer.asked_at;
        self.with(|seats| {
            let seat = seats.entry(card.id).or_insert_with(|| Seat::new(&card.question, answer.asked_at));
            if seat.question == card.question {
                seat.seen.tried_at = Some(answer.asked_at);
                seat.take(Ok(answer));
            }
            bound(seats, answered_at, Some(card.id));
        });
    }

    /// What is known now.
    pub(crate) fn seen(&self, id: Id) -> Seen {
        self.with(|seats| seats.get(&id).map(|seat| seat.seen.clone()).unwrap_or_default())
    }

    /// What is known when the source has answered, or was given up on waiting for after a while.
    pub(crate) async fn wait(&self, id: Id, patience: std::time::Duration) -> Seen {
        let Some(answered) = self.with(|seats| seats.get(&id).map(|seat| Arc::clone(&seat.answered))) else {
            return Seen::default();
        };
        let told = answered.notified();
        tokio::pin!(told);
        // From here on no answer is missed.
        told.as_mut().enable();
        if self.seen(id).asking {
            // Either way, what is known by then is returned.
            tokio::time::timeout(patience, told).await.ok();
        }
        self.with(|seats| {
            seats.get_mut(&id).map_or_else(Seen::default, |seat| {
                seat.impatient |= seat.seen.asking;
                seat.seen.clone()
            })
        })
    }

    /// Lets go of what nobody has looked at for long.
    pub(crate) fn sweep(&self, at: Nanos) {
        self.with(|seats| bound(seats, at, None));
    }

    /// The answer of this name to what the card asks now, if it is the last one or the one before; without a name the last one.
    pub(crate) fn answer(&self, card: &LiveCard, name: Option<&str>) -> Option<Arc<Answer>> {
        self.with(|seats| {
            let seat = seats.get(&card.id).filter(|seat| seat.question == card.question)?;
            let both = [&seat.seen.answer, &seat.before];
            both.into_iter().flatten().find(|answer| name.is_none_or(|name| answer.name() == name)).cloned()
        })
    }
}

/// Forgets who has gone, and what is more than may be kept: first the answers before the last ones, then the cards that were looked
/// at longest ago.
fn bound(seats: &mut HashMap<Id, Seat>, at: Nanos, here: Option<Id>) {
    seats.retain(|id, seat| {
        Some(*id) == here || seat.seen.asking || at.0.saturating_sub(seat.looked_at.0) < seat.patience
    });
    let bytes = |seats: &HashMap<Id, Seat>| -> usize { seats.values().map(Seat::weight).sum() };
    if bytes(seats) > MOST_BYTES {
        for seat in seats.iter_mut().filter(|(id, _)| Some(**id) != here).map(|(_, seat)| seat) {
            seat.before = None;
        }
    }
    while seats.len() > MOST || bytes(seats) > MOST_BYTES {
        let idle = seats.iter().filter(|(id, seat)| Some(**id) != here && !seat.seen.asking);
        let Some(oldest) = idle.min_by_key(|(_, seat)| seat.looked_at).map(|(id, _)| *id) else { break };
        seats.remove(&oldest);
    }
}

impl Seat {
    fn weight(&self) -> usize {
        [&self.seen.answer, &self.before].into_iter().flatten().map(|answer| answer.weight).sum()
    }

    fn new(question: &CardQuestion, at: Nanos) -> Self {
        Self {
            question: question.clone(),
            looked_at: at,
            patience: FORGOTTEN,
            seen: Seen::default(),
            before: None,
            impatient: false,
            answered: Arc::default(),
        }
    }

    /// Another answer; a failure leaves the one that is there.
    fn take(&mut self, outcome: Result<Arc<Answer>, Error>) {
        match outcome {
            Ok(answer) => {
                self.before = self.seen.answer.replace(answer);
                self.seen.problem = None;
            }
            Err(error) => self.seen.problem = Some(error.body()),
        }
    }
}

impl Turn {
    /// The card.
    pub(crate) fn id(&self) -> Id {
        self.id
    }

    /// Ends the turn with what was answered. Says whether somebody left before that, and is to be told.
    pub(crate) fn end(self, outcome: Result<Answer, Error>) -> bool {
        self.answers.with(|seats| {
            let Some(seat) = seats.get_mut(&self.id).filter(|seat| seat.question == self.question) else {
                return false;
            };
            seat.take(outcome.map(Arc::new));
            std::mem::take(&mut seat.impatient)
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.answers.with(|seats| {
            // After a change of the question the seat is another one, with turns of its own.
            if let Some(seat) = seats.get_mut(&self.id).filter(|seat| seat.question == self.question) {
                seat.seen.asking = false;
                seat.answered.notify_waiters();
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
        Answer::new(at(seconds), Found::new(body, 1))
    }

    fn failure() -> Error {
        Error::new(crate::Code::Unreachable, "nobody answers", "wait")
    }

    #[test]
    fn one_asks_at_a_time_and_not_faster_than_the_pace() {
        let answers = Arc::new(Answers::default());
        let card = card(1, Source::Local, 5);
        let turn = answers.look(&card, at(0), false).expect("the first look asks");
        assert!(answers.look(&card, at(60), true).is_none(), "while one asks, no other does");
        assert!(answers.seen(card.id).asking);
        assert!(!turn.end(Ok(answer(0, "a"))), "nobody left");
        assert!(!answers.seen(card.id).asking);
        assert!(answers.look(&card, at(4), false).is_none());
        drop(answers.look(&card, at(4), true).expect("at once, since a second is enough for local telemetry"));
        assert!(answers.look(&card, at(5), false).is_none(), "counted from the last time it was asked");
        let turn = answers.look(&card, at(9), false).expect("its time has come");
        turn.end(Err(failure()));
        let seen = answers.seen(card.id);
        assert_eq!(seen.answer.map(|a| a.name()), Some(at(0).rfc3339()), "the last answer stays");
        assert_eq!(seen.problem.map(|p| p.message), Some("nobody answers".to_owned()));
        assert!(answers.look(&card, at(10), false).is_none(), "a failure is an asking, too");
        assert!(answers.look(&card, at(-100), false).is_some(), "the clock was set back");
    }

    #[test]
    fn a_source_s_pace_holds_whatever_is_stored() {
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
        let turn = answers.look(&card, at(0), false).expect("asks");
        card.question.filter = "service:other".into();
        let other = answers.look(&card, at(1), false).expect("the new question is asked at once");
        turn.end(Ok(answer(0, "to the old question")));
        assert!(answers.seen(card.id).answer.is_none());
        assert!(answers.seen(card.id).asking, "the old turn's end is not the new one's");
        other.end(Ok(answer(1, "to the new one")));
        assert_eq!(answers.answer(&card, None).map(|a| a.name()), Some(at(1).rfc3339()));
    }

    #[test]
    fn the_answer_before_can_still_be_had_by_its_name() {
        let answers = Arc::new(Answers::default());
        let card = card(1, Source::Local, 1);
        for n in 0..3 {
            answers.look(&card, at(n), false).expect("asks").end(Ok(answer(n, "x")));
        }
        let name = |n| answers.answer(&card, Some(&at(n).rfc3339())).is_some();
        assert_eq!((name(0), name(1), name(2)), (false, true, true));
        answers.keep(&card, Arc::new(answer(9, "y")));
        assert_eq!(answers.answer(&card, None).map(|a| a.name()), Some(at(9).rfc3339()));
    }

    #[test]
    fn who_does_not_look_any_more_is_forgotten() {
        let answers = Arc::new(Answers::default());
        for n in 0..5_000 {
            answers.look(&card(n, Source::Local, 1), at(0), false).expect("asks").end(Ok(answer(0, "x")));
        }
        assert!(answers.with(|seats| seats.len()) <= MOST + 1);
        let slow = card(6_000, Source::Local, 3_600);
        answers.look(&slow, at(1), false).expect("asks").end(Ok(answer(1, "x")));
        answers.sweep(at(700));
        assert_eq!(answers.with(|seats| seats.len()), 1, "the others have gone");
        assert!(answers.look(&slow, at(3_000), false).is_none(), "its hour is not over");
        assert!(answers.answer(&slow, None).is_some());
        answers.sweep(at(11_000));
        assert_eq!(answers.with(|seats| seats.len()), 0);
        let last = card(7_000, Source::Local, 1);
        let asking = answers.look(&last, at(1), false);
        let new = card(7_001, Source::Local, 1);
        drop(answers.look(&new, at(10_000), false));
        let there: Vec<Id> = answers.with(|seats| seats.keys().copied().collect());
        assert_eq!(there.len(), 2, "the one that is being asked and the one that is looked at");
        drop(asking);
    }

    #[test]
    fn answers_take_no_more_memory_than_they_may() {
        let answers = Arc::new(Answers::default());
        for n in 0..40 {
            let card = card(n, Source::Local, 1);
            for at_second in [n, n + 100] {
                let turn = answers.look(&card, at(i64::from(at_second)), false).expect("asks");
                turn.end(Ok(Answer { weight: MOST_BYTES / 10, ..answer(i64::from(at_second), "large") }));
            }
        }
        answers.sweep(at(200));
        let (seats, bytes) = answers.with(|seats| (seats.len(), seats.values().map(Seat::weight).sum::<usize>()));
        assert!(seats >= 5 && bytes <= MOST_BYTES, "{seats} {bytes}");
        assert!(answers.answer(&card(39, Source::Local, 1), None).is_some(), "the last one is there");
    }

    #[tokio::test]
    async fn who_waits_is_told_and_who_left_is_remembered() {
        let answers = Arc::new(Answers::default());
        let card = card(1, Source::Local, 1);
        let turn = answers.look(&card, at(0), false).expect("asks");
        let seen = answers.wait(card.id, std::time::Duration::from_millis(1)).await;
        assert!(seen.asking && seen.answer.is_none());
        let (waiting, id) = (Arc::clone(&answers), card.id);
        let waiter = tokio::spawn(async move { waiting.wait(id, std::time::Duration::from_secs(60)).await });
        tokio::task::yield_now().await;
        assert!(turn.end(Ok(answer(0, "x"))), "one left before the answer");
        let seen = waiter.await.expect("is told");
        assert!(seen.answer.is_some());
    }
}

//! Live cards: a stored question that is asked anew while somebody looks, until its answer is frozen.
//!
//! A look never waits for a source: it starts the asking where one is due, waits a moment for a quick answer, and else shows
//! the last one with its age. What was answered is kept in memory and shared by all windows; nobody looks, nobody asks.

mod answers;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_core::live_card::{CardQuestion, LiveCard};
use tracebook_core::question::Source;
use tracebook_core::time::Nanos;
use tracebook_render::card::{self, Size};
use tracebook_render::export::LiveInput;
use tracebook_render::markdown::{self, Reference};

pub(crate) use answers::Answers;
use answers::{Answer, Turn};

use crate::Tracebook;
use crate::capture::Place;
use crate::ground::error::{Code, Error};
use crate::ground::runtime::Runtime;
use crate::ground::tasks::blocking;
use crate::rpc::{
    Caller, Capture, Captured, Event, FrozenAnswer, LiveCardFreeze, LiveCardLook, LiveCardNew, LiveCardRef,
    LiveCardSet, LiveCardView, LiveLook,
};

/// How long a look waits for an answer that may come at once. A browser has few connections, and must not wait on all of them.
const PATIENCE: Duration = Duration::from_millis(400);
/// After so long an asking is given up.
const GIVEN_UP: Duration = Duration::from_secs(90);
/// How often is looked whether somebody has gone.
const SWEEP: Duration = Duration::from_secs(60);
/// What a live card's id begins with where an evidence's or a vendor's id may stand too.
const PREFIX: &str = "live:";

impl Tracebook {
    pub(crate) async fn live_card_new(&self, request: LiveCardNew, caller: &Caller) -> Result<LiveCardView, Error> {
        let card = LiveCard {
            id: self.new_id(),
            title: request.title.unwrap_or_default(),
            question: request.question,
            pace_seconds: request.pace_seconds.unwrap_or_default(),
            paused: false,
        };
        let (card, warnings) = checked(card)?;
        self.journal.add_live_card(&card, self.now(), &caller.client).await?;
        self.view(card.id, warnings).await
    }

    pub(crate) async fn live_card_get(&self, request: LiveCardRef, _caller: &Caller) -> Result<LiveCardView, Error> {
        self.view(request.id, Vec::new()).await
    }

    pub(crate) async fn live_card_set(&self, request: LiveCardSet, caller: &Caller) -> Result<LiveCardView, Error> {
        let old = self.stored_card(request.id).await?;
        let named_itself = CardQuestion::generated(&old.title);
        let question = request.question.unwrap_or(old.question);
        let title = match request.title {
            Some(title) => title,
            // A title that only said the question says the new one.
            None if named_itself => String::new(),
            None => old.title,
        };
        let pace_seconds = request.pace_seconds.unwrap_or(old.pace_seconds);
        let paused = request.paused.unwrap_or(old.paused);
        let (card, warnings) = checked(LiveCard { id: old.id, title, question, pace_seconds, paused })?;
        self.journal.set_live_card(&card, self.now(), &caller.client).await?;
        self.view(card.id, warnings).await
    }

    pub(crate) async fn live_card_look(&self, request: LiveCardLook, _caller: &Caller) -> Result<LiveLook, Error> {
        let card = self.stored_card(request.id).await?;
        if let Some(turn) = self.answers.look(&card, self.now(), request.now) {
            self.ask_beside(turn, card.question.clone());
        }
        let seen = self.answers.wait(card.id, PATIENCE).await;
        let since = |at: Nanos| u64::try_from(self.now().0.saturating_sub(at.0) / 1_000_000).unwrap_or(0);
        let next = u64::from(card.pace_seconds) * 1_000;
        Ok(LiveLook {
            question: card.question.words(),
            title_generated: CardQuestion::generated(&card.title),
            title: card.title,
            answer: seen.answer.as_ref().map(|answer| answer.found.body.title()),
            asked_at: seen.answer.as_ref().map(|answer| answer.name()),
            age_ms: seen.answer.as_ref().map(|answer| since(answer.asked_at)),
            problem: seen.problem,
            asking: seen.asking,
            paused: card.paused,
            pace_seconds: card.pace_seconds,
            next_ms: (!card.paused).then(|| seen.tried_at.map_or(0, |at| next.saturating_sub(since(at)))),
            picture: seen.answer.as_ref().map(|answer| format!("livecard/{}.svg?at={}", card.id, answer.name())),
            warnings: seen.answer.map(|answer| answer.found.warnings.clone()).unwrap_or_default(),
        })
    }

    pub(crate) async fn live_card_freeze(&self, request: LiveCardFreeze, caller: &Caller) -> Result<Captured, Error> {
        let card = self.stored_card(request.id).await?;
        let mut capture = capture_of(&card.question);
        capture.into = request.into;
        capture.slot = request.slot;
        let into = self.destination(&capture).await?;
        let mut warnings = Vec::new();
        let shown = request.asked_at.as_deref().map(|name| self.answers.answer(&card, Some(name)));
        let answer = match shown {
            Some(Some(answer)) => answer,
            other => {
                if other.is_some() {
                    warnings.push("the answer that was shown is gone; the question was asked anew".to_owned());
                }
                let answer = Arc::new(self.ask(&card.question, caller).await?);
                self.answers.keep(&card, Arc::clone(&answer));
                answer
            }
        };
        let mut found = answer.found.clone();
        found.asked_at = Some(answer.asked_at);
        let captured = self.freeze(found, capture.clone(), None, caller).await?;
        warnings.extend(captured.warnings);
        let id = captured.evidence.id;
        self.journal.add_live_answer(card.id, &card.question, id, self.now(), &caller.client).await?;
        let frozen = self.frozen(id).await?;
        let given = request.caption.as_deref();
        let own = |alt: Option<&str>| {
            let is_made =
                |alt: &str| markdown::one_line(alt) == markdown::one_line(&card.title) || CardQuestion::generated(alt);
            alt.filter(|alt| !is_made(alt)).map(str::to_owned)
        };
        let alt = own(request.alt.as_deref());
        let reference =
            markdown::reference_as(&frozen, alt.as_deref(), given, request.size.as_deref().unwrap_or_default());
        if let Some(entry) = into {
            let instead =
                |body: &str| markdown::freeze_live(body, card.id, &|live| frozen_reference(&frozen, live, &own, given));
            let place = match capture.slot.as_deref() {
                Some(slot) => Place::Slot(slot),
                None => Place::Instead(&instead),
            };
            self.put(&entry, place, &reference, caller, &mut warnings).await?;
        }
        Ok(Captured { evidence: self.evidence_row(id).await?, reference, warnings })
    }

    /// A capture whose id is a live card's: its question is asked anew, and the answer frozen.
    pub(crate) async fn capture_live_card(&self, request: Capture, caller: &Caller) -> Result<Captured, Error> {
        let text = request.id.as_deref().and_then(|id| id.strip_prefix(PREFIX)).unwrap_or_default();
        let id: Id = text.parse().map_err(|e: tracebook_core::ids::IdError| {
            Error::usage(e.to_string(), "A live card's id stands in the text: ![…](live:01J…)")
        })?;
        let question = self.stored_card(id).await?.question;
        if question.kind != request.kind {
            return Err(Error::usage(
                format!("the live card {id} is of another kind: {}", question.words()),
                format!("Write capture {} {PREFIX}{id}", question.kind.word()),
            ));
        }
        let own = request.latest || !request.filter.is_empty() || request.since.is_some() || request.text.is_some();
        if own || (request.source != Source::Local && request.source != question.source) {
            return Err(Error::usage(
                format!("a live card has its own question: {}", question.words()),
                "Leave --source, --latest, --filter and --since out",
            ));
        }
        let Capture { into, slot, caption, .. } = request;
        self.live_card_freeze(LiveCardFreeze { id, asked_at: None, into, slot, caption, alt: None, size: None }, caller)
            .await
    }

    /// The picture of an answer: the one of this name while it is kept, else the last.
    ///
    /// # Errors
    /// Where the card was not answered yet in this run.
    pub async fn live_card_picture(&self, id: Id, asked_at: Option<&str>, size: Size) -> Result<String, Error> {
        let card = self.stored_card(id).await?;
        let answer = asked_at
            .and_then(|name| self.answers.answer(&card, Some(name)))
            .or_else(|| self.answers.answer(&card, None))
            .ok_or_else(|| Error::not_found(format!("the live card {id} has no answer yet"), "Look at it first"))?;
        blocking(move || card::live(&answer.found.body, size, answer.asked_at, &card.question.words())).await
    }

    /// The live cards that a text shows, for an export: with what was frozen from each last. Nobody is asked.
    pub(crate) async fn cards_of(&self, references: &[Reference]) -> Result<Vec<LiveInput>, Error> {
        let mut cards: Vec<LiveInput> = Vec::new();
        for id in references.iter().map(|r| r.id) {
            if cards.iter().all(|live| live.card.id != id)
                && let Some(card) = self.journal.live_card(id).await?
            {
                let frozen = self.journal.last_live_answer(id).await?;
                let lost = frozen.is_none() && self.journal.live_card_was_frozen(id).await?;
                cards.push(LiveInput { card, frozen, lost });
            }
        }
        Ok(cards)
    }

    /// Takes in a live card of an export; its evidence is here already. Says what is to be known.
    pub(crate) async fn import_live_card(&self, live: &LiveInput, caller: &Caller) -> Result<Option<String>, Error> {
        let mut card = live.card.clone();
        // Somebody else's question is not asked with the user's credentials, and on their bill, until they say so.
        card.paused = card.question.source != Source::Local;
        if let Some(known) = self.journal.live_card(card.id).await?
            && known.question != card.question
        {
            return Ok(Some(format!(
                "live card {} is here with another question; the one in the file was left alone",
                card.id
            )));
        }
        self.journal.add_live_card(&card, self.now(), &caller.client).await?;
        let before = self.journal.last_live_answer(card.id).await?;
        if let Some(evidence) = live.frozen
            && let Some(record) = self.journal.evidence_record(evidence).await?
        {
            // A file may say any time: it must not win over what is frozen here from now on.
            let frozen_at = record.captured_at.min(self.now());
            self.journal.add_live_answer(card.id, &card.question, evidence, frozen_at, &caller.client).await?;
        }
        let after = self.journal.last_live_answer(card.id).await?;
        Ok((before.is_some() && before != after)
            .then(|| format!("the live card {} now shows what the file's journal froze from it later", card.id)))
    }

    async fn stored_card(&self, id: Id) -> Result<LiveCard, Error> {
        self.journal.live_card(id).await?.ok_or_else(|| {
            Error::not_found(
                format!("there is no live card {id} in this journal"),
                "Import the entry that it came from, with its entry.json, or make a new one",
            )
        })
    }

    async fn view(&self, id: Id, warnings: Vec<String>) -> Result<LiveCardView, Error> {
        let card = self.stored_card(id).await?;
        let frozen = match self.journal.last_live_answer(id).await? {
            Some(evidence) => self.journal.evidence_record(evidence).await?,
            None => None,
        };
        Ok(LiveCardView {
            reference: markdown::live_reference(&card),
            fastest_seconds: card.question.source.intervals(card.question.kind).0,
            frozen: frozen.map(|row| FrozenAnswer {
                id: row.id,
                title: row.title,
                captured_at: row.captured_at.rfc3339(),
            }),
            warnings,
            title_generated: CardQuestion::generated(&card.title),
            card,
        })
    }

    /// Asks the source.
    async fn ask(&self, question: &CardQuestion, caller: &Caller) -> Result<Answer, Error> {
        let asked_at = self.now();
        let capture = capture_of(question);
        let found = tokio::time::timeout(GIVEN_UP, self.find(&capture, caller)).await.map_err(|_| {
            Error::new(
                Code::Unreachable,
                format!("no answer within {} seconds", GIVEN_UP.as_secs()),
                "Ask for a shorter range, or with a narrower filter",
            )
        })??;
        Ok(Answer::new(asked_at, found))
    }

    /// Asks the source while the caller goes on.
    fn ask_beside(&self, turn: Turn, question: CardQuestion) {
        self.beside(|me| async move {
            let id = turn.id();
            let outcome = me.ask(&question, &Caller::default()).await;
            if turn.end(outcome) {
                me.tell(Event::Changed { topic: crate::rpc::Topic::LiveCard, id: id.to_string(), by: String::new() });
            }
        });
    }
}

/// Lets go of the answers that nobody looks at any more, until the token ends.
pub(crate) fn sweep(answers: &Arc<Answers>, runtime: &Runtime) {
    let (answers, ours) = (Arc::clone(answers), runtime.clone());
    runtime.spawn_cancellable(async move {
        loop {
            tokio::time::sleep(SWEEP).await;
            answers.sweep(ours.now());
        }
    });
}

/// Whether a capture's id is a live card's.
pub(crate) fn is_live(id: Option<&str>) -> bool {
    id.is_some_and(|id| id.starts_with(PREFIX))
}

/// The reference to evidence in the place of one to a live card: its size and its own words stay.
fn frozen_reference(
    frozen: &Frozen,
    live: &Reference,
    own: &dyn Fn(Option<&str>) -> Option<String>,
    caption: Option<&str>,
) -> String {
    let caption = caption.or(Some(live.caption.as_str()));
    markdown::reference_as(frozen, own(Some(&live.alt)).as_deref(), caption, &live.size)
}

/// The capture that answers a card's question.
fn capture_of(question: &CardQuestion) -> Capture {
    Capture {
        kind: question.kind,
        id: question.id.clone(),
        source: question.source,
        latest: question.newest(),
        filter: question.filter.clone(),
        since: question.since.clone(),
        text: None,
        into: None,
        slot: None,
        caption: None,
    }
}

/// A card as it may be stored, and what the reader must know.
fn checked(card: LiveCard) -> Result<(LiveCard, Vec<String>), Error> {
    let (card, removed) = card
        .checked()
        .map_err(|why| Error::usage(why, "A live card needs a kind, a source, and a filter that it can ask"))?;
    if removed > 0 && card.question.source != Source::Local {
        return Err(Error::usage(
            "the question holds what looks like a credential, which is never stored; without it, it would ask something else",
            "Ask by another field, or look at it in the list without a live card",
        ));
    }
    if let Some(problem) = card.question.filter_problem() {
        return Err(Error::usage(problem, "Write it as in the list of what arrives, which shows what it finds"));
    }
    let warning = match removed {
        0 => None,
        _ => Some("what looked like a credential was taken out of the question: it is asked without it".to_owned()),
    };
    Ok((card, warning.into_iter().collect()))
}

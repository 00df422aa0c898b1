//! Live cards: stored questions that are asked again while a card is visible, until an answer is frozen.
//!
//! A look never waits for a slow source: it starts a query where one is due, waits a moment for a quick answer, and
//! else shows the last one with its age. Answers are kept in memory and shared by all windows; no card is queried
//! while it is not visible.

mod answers;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tracebook_core::evidence::Frozen;
use tracebook_core::ids::{Id, IdError};
use tracebook_core::live_card::{CardQuestion, LiveCard};
use tracebook_core::question::Source;
use tracebook_core::time::Nanos;
use tracebook_render::card::{self, Form};
use tracebook_render::export::LiveInput;
use tracebook_render::markdown::{self, Reference};

use answers::{Answer, Answers, Lease};

use crate::capture::{Capturer, Placement};
use crate::evidence::EvidenceStore;
use crate::ground::error::{Code, Error};
use crate::ground::runtime::Runtime;
use crate::ground::schema::{
    Caller, Capture, Captured, Event, FrozenAnswer, LiveCardFreeze, LiveCardLook, LiveCardNew, LiveCardRef,
    LiveCardSet, LiveCardView, LiveLook, Topic,
};
use crate::ground::tasks::blocking;

/// How long a look waits for a quick answer. A browser has few connections, and must not wait on all of them.
const QUICK_ANSWER: Duration = Duration::from_millis(400);
const TIMEOUT: Duration = Duration::from_secs(90);
/// How often unused answers are removed.
const SWEEP: Duration = Duration::from_secs(60);
/// Distinguishes the id of a live card from other ids.
const PREFIX: &str = "live:";

/// Stored questions and this run's answers to them. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct LiveCards {
    store: tracebook_store::Journal,
    evidence: EvidenceStore,
    capture: Capturer,
    answers: Arc<Answers>,
    runtime: Runtime,
}

impl LiveCards {
    pub(crate) fn new(
        store: &tracebook_store::Journal,
        evidence: &EvidenceStore,
        capture: &Capturer,
        runtime: &Runtime,
    ) -> Self {
        Self {
            store: store.clone(),
            evidence: evidence.clone(),
            capture: capture.clone(),
            answers: Arc::default(),
            runtime: runtime.clone(),
        }
    }

    /// Removes abandoned answers until the app stops.
    pub(crate) fn start_sweep(&self) {
        let cards = self.clone();
        self.runtime.spawn_cancellable(async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                cards.answers.sweep(cards.runtime.now());
            }
        });
    }

    /// Freezes what a source has now, or what a live card shows where the id is one's.
    pub(crate) async fn capture(&self, request: Capture, caller: &Caller) -> Result<Captured, Error> {
        match request.id.as_deref().and_then(|id| id.strip_prefix(PREFIX)) {
            Some(card) => {
                let card = card.parse().map_err(|e: IdError| {
                    Error::usage(e.to_string(), "A live card's id stands in the text: ![…](live:01J…)")
                })?;
                self.capture_card(card, request, caller).await
            }
            None => self.capture.capture(request, caller).await,
        }
    }

    pub(crate) async fn create(&self, request: LiveCardNew, caller: &Caller) -> Result<LiveCardView, Error> {
        let card = LiveCard {
            id: self.runtime.new_id(),
            title: request.title.unwrap_or_default(),
            question: request.question,
            pace_seconds: request.pace_seconds.unwrap_or_default(),
            paused: false,
        };
        let (card, warnings) = checked(card)?;
        self.store.add_live_card(&card, self.runtime.now(), &caller.client).await?;
        self.view(card.id, warnings).await
    }

    pub(crate) async fn get(&self, request: LiveCardRef) -> Result<LiveCardView, Error> {
        self.view(request.id, Vec::new()).await
    }

    pub(crate) async fn set(&self, request: LiveCardSet, caller: &Caller) -> Result<LiveCardView, Error> {
        let old = self.stored_card(request.id).await?;
        let named_itself = CardQuestion::generated(&old.title);
        let question = request.question.unwrap_or(old.question);
        let title = match request.title {
            Some(title) => title,
            // A title that was made from the question follows it.
            None if named_itself => String::new(),
            None => old.title,
        };
        let pace_seconds = request.pace_seconds.unwrap_or(old.pace_seconds);
        let paused = request.paused.unwrap_or(old.paused);
        let (card, warnings) = checked(LiveCard { id: old.id, title, question, pace_seconds, paused })?;
        self.store.set_live_card(&card, self.runtime.now(), &caller.client).await?;
        self.view(card.id, warnings).await
    }

    pub(crate) async fn look(&self, request: LiveCardLook) -> Result<LiveLook, Error> {
        let card = self.stored_card(request.id).await?;
        if let Some(lease) = self.answers.look(&card, self.runtime.now(), request.now) {
            self.spawn_ask(lease, card.question.clone());
        }
        let snapshot = self.answers.wait(card.id, QUICK_ANSWER).await;
        let since = |at: Nanos| u64::try_from(self.runtime.now().0.saturating_sub(at.0) / 1_000_000).unwrap_or(0);
        let next = u64::from(card.pace_seconds) * 1_000;
        Ok(LiveLook {
            question: card.question.words(),
            title_generated: CardQuestion::generated(&card.title),
            title: card.title,
            answer: snapshot.answer.as_ref().map(|answer| answer.found.body.title()),
            asked_at: snapshot.answer.as_ref().map(|answer| answer.name()),
            age_ms: snapshot.answer.as_ref().map(|answer| since(answer.asked_at)),
            problem: snapshot.problem,
            asking: snapshot.asking,
            paused: card.paused,
            pace_seconds: card.pace_seconds,
            next_ms: (!card.paused).then(|| snapshot.tried_at.map_or(0, |at| next.saturating_sub(since(at)))),
            picture: snapshot.answer.as_ref().map(|answer| format!("livecard/{}.svg?at={}", card.id, answer.name())),
            warnings: snapshot.answer.map(|answer| answer.found.warnings.clone()).unwrap_or_default(),
        })
    }

    pub(crate) async fn freeze(&self, request: LiveCardFreeze, caller: &Caller) -> Result<Captured, Error> {
        let card = self.stored_card(request.id).await?;
        let mut capture = capture_of(&card.question);
        capture.into = request.into;
        capture.slot = request.slot;
        let into = self.capture.target_entry(&capture).await?;
        let mut warnings = Vec::new();
        let shown = request.asked_at.as_deref().map(|name| self.answers.answer(&card, Some(name)));
        let answer = match shown {
            Some(Some(answer)) => answer,
            other => {
                if other.is_some() {
                    warnings.push("the answer on display is no longer kept; the question was asked again".to_owned());
                }
                let answer = Arc::new(self.ask(&card.question, caller).await?);
                self.answers.keep(&card, Arc::clone(&answer));
                answer
            }
        };
        let mut found = answer.found.clone();
        found.asked_at = Some(answer.asked_at);
        let captured = self.capture.freeze(found, capture.clone(), None, caller).await?;
        warnings.extend(captured.warnings);
        let id = captured.evidence.id;
        self.store.add_live_answer(card.id, &card.question, id, self.runtime.now(), &caller.client).await?;
        let frozen = self.evidence.frozen(id).await?;
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
                Some(slot) => Placement::Slot(slot),
                None => Placement::Instead(&instead),
            };
            self.capture.insert_reference(&entry, place, &reference, caller, &mut warnings).await?;
        }
        Ok(Captured { evidence: self.evidence.row(id).await?, reference, warnings })
    }

    /// Asks a card's question again and freezes the answer.
    async fn capture_card(&self, id: Id, request: Capture, caller: &Caller) -> Result<Captured, Error> {
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
        let Capture { into, slot, caption, size, .. } = request;
        self.freeze(LiveCardFreeze { id, asked_at: None, into, slot, caption, alt: None, size }, caller).await
    }

    /// The card of a result: the one with this name if it is kept, else the last.
    ///
    /// # Errors
    /// If there is no result yet in this process.
    pub(crate) async fn picture(&self, id: Id, asked_at: Option<&str>, form: Form) -> Result<String, Error> {
        let card = self.stored_card(id).await?;
        let answer = asked_at
            .and_then(|name| self.answers.answer(&card, Some(name)))
            .or_else(|| self.answers.answer(&card, None))
            .ok_or_else(|| Error::not_found(format!("the live card {id} has no answer yet"), "Look at it first"))?;
        blocking(move || card::live(&answer.found.body, form, answer.asked_at, &card.question.words())).await
    }

    /// The live cards of a text for an export, each with the evidence frozen from it last. No source is queried.
    pub(crate) async fn cards_of(&self, references: &[Reference]) -> Result<Vec<LiveInput>, Error> {
        let mut cards: Vec<LiveInput> = Vec::new();
        for id in references.iter().map(|r| r.id) {
            if cards.iter().all(|live| live.card.id != id)
                && let Some(card) = self.store.live_card(id).await?
            {
                let frozen = self.store.last_live_answer(id).await?;
                let lost = frozen.is_none() && self.store.live_card_was_frozen(id).await?;
                cards.push(LiveInput { card, frozen, lost });
            }
        }
        Ok(cards)
    }

    /// Imports a live card of an export, whose evidence was imported before. Returns a warning for the user.
    pub(crate) async fn import(&self, live: &LiveInput, caller: &Caller) -> Result<Option<String>, Error> {
        let mut card = live.card.clone();
        // An imported question does not use the user's credentials, at their cost, until they resume it.
        card.paused = card.question.source != Source::Local;
        if let Some(known) = self.store.live_card(card.id).await?
            && known.question != card.question
        {
            return Ok(Some(format!(
                "live card {} is in this journal with another question; the one in the file was ignored",
                card.id
            )));
        }
        self.store.add_live_card(&card, self.runtime.now(), &caller.client).await?;
        let before = self.store.last_live_answer(card.id).await?;
        if let Some(evidence) = live.frozen
            && let Some(record) = self.store.evidence_record(evidence).await?
        {
            // The time in a file is not trusted: it must not outrank what is frozen here later.
            let frozen_at = record.captured_at.min(self.runtime.now());
            self.store.add_live_answer(card.id, &card.question, evidence, frozen_at, &caller.client).await?;
        }
        let after = self.store.last_live_answer(card.id).await?;
        Ok((before.is_some() && before != after).then(|| {
            format!("the live card {} now shows the evidence that the file's journal froze from it later", card.id)
        }))
    }

    async fn stored_card(&self, id: Id) -> Result<LiveCard, Error> {
        self.store.live_card(id).await?.ok_or_else(|| {
            Error::not_found(
                format!("there is no live card {id} in this journal"),
                "Import the entry that it came from, with its entry.json, or make a new one",
            )
        })
    }

    async fn view(&self, id: Id, warnings: Vec<String>) -> Result<LiveCardView, Error> {
        let card = self.stored_card(id).await?;
        let frozen = match self.store.last_live_answer(id).await? {
            Some(evidence) => self.store.evidence_record(evidence).await?,
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

    /// Queries the source.
    async fn ask(&self, question: &CardQuestion, caller: &Caller) -> Result<Answer, Error> {
        let asked_at = self.runtime.now();
        let capture = capture_of(question);
        let found = tokio::time::timeout(TIMEOUT, self.capture.find(&capture, caller)).await.map_err(|_| {
            Error::new(
                Code::Unreachable,
                format!("no answer within {} seconds", TIMEOUT.as_secs()),
                "Ask for a shorter range, or with a narrower filter",
            )
        })??;
        Ok(Answer::new(asked_at, found))
    }

    /// Queries the source in the background.
    fn spawn_ask(&self, lease: Lease, question: CardQuestion) {
        let cards = self.clone();
        self.runtime.spawn_cancellable(async move {
            let id = lease.id();
            let outcome = cards.ask(&question, &Caller::default()).await;
            if lease.finish(outcome) {
                cards.runtime.publish(Event::Changed { topic: Topic::LiveCard, id: id.to_string(), by: String::new() });
            }
        });
    }
}

/// A reference to evidence that replaces one to a live card and keeps its size and the user's words.
fn frozen_reference(
    frozen: &Frozen,
    live: &Reference,
    own: &dyn Fn(Option<&str>) -> Option<String>,
    caption: Option<&str>,
) -> String {
    let caption = caption.or(Some(live.caption.as_str()));
    markdown::reference_as(frozen, own(Some(&live.alt)).as_deref(), caption, &live.size)
}

/// The capture for the query of a card.
fn capture_of(question: &CardQuestion) -> Capture {
    Capture {
        id: question.id.clone(),
        source: question.source,
        latest: question.newest(),
        filter: question.filter.clone(),
        since: question.since.clone(),
        ..Capture::of(question.kind)
    }
}

/// Validates a card; returns warnings for the user.
fn checked(card: LiveCard) -> Result<(LiveCard, Vec<String>), Error> {
    let (card, removed) = card
        .checked()
        .map_err(|why| Error::usage(why, "A live card needs a kind, a source, and a filter that it can ask"))?;
    if removed > 0 && card.question.source != Source::Local {
        return Err(Error::usage(
            "the question contains what looks like a credential, which is never stored; without it the question would be another one",
            "Filter by another field, or use the list without a live card",
        ));
    }
    if let Some(problem) = card.question.filter_problem() {
        return Err(Error::usage(problem, "Write it as in the lists of telemetry, which show what it matches"));
    }
    let warning = match removed {
        0 => None,
        _ => Some("what looked like a credential was removed from the question".to_owned()),
    };
    Ok((card, warning.into_iter().collect()))
}

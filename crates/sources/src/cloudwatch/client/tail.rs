//! What is said from now on: Live Tail where the endpoint has it, else FilterLogEvents again and again.
//!
//! Nothing runs in the background and nothing is queued: whoever asks for the next update gets it, and a slow reader slows the
//! source down (of Live Tail the service then drops the oldest events, and says `sampled`).

mod live;
mod polling;
mod recent;

use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::LiveTailSessionLogEvent;
use tokio::time::Instant;
use tracebook_core::time::Nanos;

use super::search::{Search, id_of_text};
use super::{Client, Event};
use crate::cloud::{Fault, Fetch, SourceError};
use live::{Heard, Session};
use polling::Polling;
use recent::Recent;

/// After so many sessions that broke off one after the other, events are asked for instead.
const MOST_BREAKS: u32 = 3;
/// From one search to the next, without Live Tail.
const EVERY: Duration = Duration::from_secs(2);

/// What is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailAsk {
    /// The log group's name.
    pub group: String,
    /// Only these streams; empty: all.
    pub streams: Vec<String>,
    /// Only streams that begin so; empty: all.
    pub stream_prefix: String,
    /// A filter pattern; empty: all.
    pub pattern: String,
    /// This moment: what was said and taken in before is not shown.
    pub now: Nanos,
}

/// How a tail is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailBy {
    /// The service sends.
    LiveTail,
    /// It is asked every two seconds.
    Polling,
}

/// What is new.
#[derive(Clone, Debug, PartialEq)]
pub struct TailUpdate {
    /// The events, in the order in which they came. Live Tail gives no event ids: theirs are made from the text.
    pub events: Vec<Event>,
    /// Whether the service sent only some of what matched: then this is not the whole truth.
    pub sampled: bool,
    /// How it was read.
    pub by: TailBy,
    /// What the reader must know, said once: that there is no Live Tail here, that a session was started again.
    pub notes: Vec<String>,
}

/// A tail. Dropped, it ends, and Live Tail with it.
#[derive(Debug)]
pub struct Tail {
    search: Search,
    fetch: Fetch,
    clock: Since,
    arn: Option<String>,
    /// From one search to the next, without Live Tail.
    pub(super) every: Duration,
    mode: Mode,
    breaks: u32,
    recent: Recent,
    /// Not said yet.
    notes: Vec<String>,
}

#[derive(Debug)]
enum Mode {
    Start,
    Live(Box<Session>),
    Polling(Polling),
    Ended,
}

/// The present, in milliseconds, as far as it is known: when the tail began, and how long that is ago.
#[derive(Clone, Copy, Debug)]
struct Since {
    began: i64,
    at: Instant,
}

impl Since {
    fn now(self) -> i64 {
        self.began.saturating_add(i64::try_from(self.at.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// Whether an event was there before the tail began.
    fn is_old(self, event: &Event) -> bool {
        let before = |moment: Nanos| moment.millis() < self.began;
        before(event.record.timestamp) && event.ingested.is_none_or(before)
    }
}

impl Client {
    /// Follows a log group. Nothing is asked before [`Tail::next`].
    ///
    /// # Errors
    /// [`Fault::Invalid`] where the group, a stream or the pattern is none.
    pub fn tail(&self, ask: &TailAsk, fetch: &Fetch) -> Result<Tail, SourceError> {
        Ok(Tail {
            search: Search::new(self, &ask.group, &ask.streams, &ask.stream_prefix, &ask.pattern)?,
            fetch: fetch.clone(),
            clock: Since { began: ask.now.millis(), at: Instant::now() },
            arn: None,
            every: EVERY,
            mode: Mode::Start,
            breaks: 0,
            recent: Recent::default(),
            notes: Vec::new(),
        })
    }
}

impl Tail {
    /// Waits for what is new. The first update comes as soon as the tail is on, mostly without events, and says how it is read.
    /// `None` after the user ended it, or after an error, which is the last thing that comes. May be dropped while it waits:
    /// nothing is lost.
    pub async fn next(&mut self) -> Option<Result<TailUpdate, SourceError>> {
        loop {
            let step = match &mut self.mode {
                Mode::Ended => return None,
                Mode::Start => self.start().await,
                Mode::Live(_) => self.live().await,
                Mode::Polling(polling) => polling
                    .update(&self.search, &self.fetch, self.clock, &mut self.recent, &mut self.notes)
                    .await
                    .map(Some),
            };
            match step {
                Ok(None) => {}
                Ok(Some(update)) => return Some(Ok(update)),
                Err(error) => {
                    self.mode = Mode::Ended;
                    return (error.fault != Fault::Cancelled).then_some(Err(error));
                }
            }
        }
    }

    async fn start(&mut self) -> Result<Option<TailUpdate>, SourceError> {
        if self.breaks > 0 {
            self.fetch.wait(live::pause(self.breaks)).await?;
        }
        match self.connect().await {
            Ok(session) => {
                self.mode = Mode::Live(Box::new(session));
                Ok(Some(self.update(Vec::new(), false, TailBy::LiveTail)))
            }
            Err(error) if ends_a_tail(error.fault) => Err(error),
            Err(error) => {
                self.poll(&error.message);
                Ok(Some(self.update(Vec::new(), false, TailBy::Polling)))
            }
        }
    }

    async fn connect(&mut self) -> Result<Session, SourceError> {
        let arn = match &self.arn {
            Some(arn) => arn.clone(),
            None => self.search.client().arn(&self.search.group, &self.fetch).await?,
        };
        let session = Session::start(&self.search, &arn, &self.fetch).await;
        self.arn = Some(arn);
        session
    }

    async fn live(&mut self) -> Result<Option<TailUpdate>, SourceError> {
        let Mode::Live(session) = &mut self.mode else { return Ok(None) };
        let heard = session.hear(&self.fetch).await?;
        match heard {
            Heard::Update { events, sampled } => {
                if session.updates > 1 {
                    self.breaks = 0;
                }
                let events = self.sieve(events);
                let has_something = !events.is_empty() || sampled;
                Ok(has_something.then(|| self.update(events, sampled, TailBy::LiveTail)))
            }
            Heard::Other => Ok(None),
            Heard::TimedOut => {
                self.notes.push(
                    "Live Tail ended after three hours and was started again; what was said in between may be missing"
                        .into(),
                );
                self.mode = Mode::Start;
                Ok(None)
            }
            Heard::Ended(why) => {
                self.breaks += 1;
                if session.updates <= 1 && why.is_none() {
                    // An emulator that sends what it has and closes would do the same again.
                    self.poll("this endpoint ends Live Tail at once");
                    return Ok(Some(self.update(Vec::new(), false, TailBy::Polling)));
                }
                let why = why.unwrap_or_else(|| "the service closed it".to_owned());
                if self.breaks >= MOST_BREAKS {
                    self.poll(&format!("Live Tail broke off {MOST_BREAKS} times: {why}"));
                    return Ok(Some(self.update(Vec::new(), false, TailBy::Polling)));
                }
                self.notes.push(format!(
                    "Live Tail broke off and was started again ({why}); what was said in between may be missing"
                ));
                self.mode = Mode::Start;
                Ok(None)
            }
        }
    }

    fn poll(&mut self, why: &str) {
        self.notes.push(format!("no Live Tail here, asked every two seconds instead: {why}"));
        self.mode = Mode::Polling(Polling::new(self.clock, self.every));
    }

    fn update(&mut self, events: Vec<Event>, sampled: bool, by: TailBy) -> TailUpdate {
        TailUpdate { events, sampled, by, notes: std::mem::take(&mut self.notes) }
    }

    /// What Live Tail sent, as events.
    fn sieve(&mut self, came: Vec<LiveTailSessionLogEvent>) -> Vec<Event> {
        let own_endpoint = self.search.own_endpoint();
        let nothing = Default::default();
        let mut events = Vec::with_capacity(came.len());
        for said in came {
            let message = said.message.unwrap_or_default();
            let stream = said.log_stream_name.unwrap_or_default();
            let group = said.log_group_identifier.unwrap_or_default();
            let id = id_of_text(&message);
            let (millis, ingested) = (said.timestamp.unwrap_or_default(), said.ingestion_time);
            if own_endpoint && !(is_of(&group, &self.search.group) && self.search.wants(&stream, &message)) {
                continue;
            }
            let event = self.search.record(stream, millis, ingested, message, id, &nothing);
            self.recent.sent_live(&event);
            if !(own_endpoint && self.clock.is_old(&event)) {
                events.push(event);
            }
        }
        self.recent.forget_before(self.clock.now() - polling::LATEST);
        events
    }
}

/// Whether an identifier, `name`, `account:name` or an ARN, is a group's.
fn is_of(identifier: &str, group: &str) -> bool {
    identifier
        .trim_end_matches(":*")
        .strip_suffix(group)
        .is_some_and(|before| before.is_empty() || before.ends_with(':'))
}

/// Whether there is no other way either.
fn ends_a_tail(fault: Fault) -> bool {
    matches!(fault, Fault::NoCredentials | Fault::Expired | Fault::Rejected | Fault::NotFound | Fault::Cancelled)
}

//! Following a log group: Live Tail if the endpoint has it, else repeated FilterLogEvents.
//!
//! Nothing runs in the background and nothing is queued: the caller pulls updates, and a slow reader slows the source
//! down (Live Tail then drops the oldest events and reports `sampled`).

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

/// After this many interrupted sessions in a row, it polls instead.
const MAX_INTERRUPTIONS: u32 = 3;
/// The pause between two searches, without Live Tail.
const EVERY: Duration = Duration::from_secs(2);

/// What to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailRequest {
    pub group: String,
    /// Empty for all streams.
    pub streams: Vec<String>,
    /// Empty for all streams.
    pub stream_prefix: String,
    /// A filter pattern; empty for all events.
    pub pattern: String,
    /// The present: events that happened and were ingested before are not shown.
    pub now: Nanos,
}

/// How a tail is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailBy {
    /// The service sends events.
    LiveTail,
    /// The service is polled every two seconds.
    Polling,
}

/// An update.
#[derive(Clone, Debug, PartialEq)]
pub struct TailUpdate {
    /// The events, in the order of arrival. Live Tail gives no event ids: theirs are made from the text.
    pub events: Vec<Event>,
    /// Whether the service sent only some of what matched.
    pub sampled: bool,
    /// How it was read.
    pub by: TailBy,
    /// What the reader must know, once each: that Live Tail is not available, that a session was restarted.
    pub notes: Vec<String>,
}

/// A tail. Dropping it ends it, and the Live Tail session with it.
#[derive(Debug)]
pub struct Tail {
    search: Search,
    fetch: Fetch,
    clock: Since,
    arn: Option<String>,
    /// The pause between two searches, without Live Tail.
    pub(super) every: Duration,
    mode: Mode,
    breaks: u32,
    recent: Recent,
    /// Not reported yet.
    notes: Vec<String>,
}

#[derive(Debug)]
enum Mode {
    Start,
    Live(Box<Session>),
    Polling(Polling),
    Ended,
}

/// The present in milliseconds: when the tail began, plus the time since.
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
    /// Follows a log group. Makes no request before [`Tail::next`].
    ///
    /// # Errors
    /// [`Fault::Invalid`] if the group, a stream or the pattern is invalid.
    pub fn tail(&self, ask: &TailRequest, fetch: &Fetch) -> Result<Tail, SourceError> {
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
    /// Waits for an update. The first one comes as soon as the tail is established, mostly without events, and says how
    /// it is read. `None` after a cancellation, or after an error, which is always the last result. Cancel-safe:
    /// dropping the future loses nothing.
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
                    "Live Tail ended after three hours and was restarted; events in between may be missing".into(),
                );
                self.mode = Mode::Start;
                Ok(None)
            }
            Heard::Ended(why) => {
                self.breaks += 1;
                if session.updates <= 1 && why.is_none() {
                    // An emulator that sends what it has and closes would do the same again.
                    self.poll("this endpoint closes Live Tail immediately");
                    return Ok(Some(self.update(Vec::new(), false, TailBy::Polling)));
                }
                let why = why.unwrap_or_else(|| "the service closed it".to_owned());
                if self.breaks >= MAX_INTERRUPTIONS {
                    self.poll(&format!("Live Tail was interrupted {MAX_INTERRUPTIONS} times: {why}"));
                    return Ok(Some(self.update(Vec::new(), false, TailBy::Polling)));
                }
                self.notes
                    .push(format!("Live Tail was interrupted and restarted ({why}); events in between may be missing"));
                self.mode = Mode::Start;
                Ok(None)
            }
        }
    }

    fn poll(&mut self, why: &str) {
        self.notes.push(format!("Live Tail is not available, polling every two seconds instead: {why}"));
        self.mode = Mode::Polling(Polling::new(self.clock, self.every));
    }

    fn update(&mut self, events: Vec<Event>, sampled: bool, by: TailBy) -> TailUpdate {
        TailUpdate { events, sampled, by, notes: std::mem::take(&mut self.notes) }
    }

    /// The events of a Live Tail update.
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
        self.recent.forget_before(self.clock.now() - polling::MAX_LATENESS);
        events
    }
}

/// Whether an identifier (`name`, `account:name` or an ARN) is a group's.
fn is_of(identifier: &str, group: &str) -> bool {
    identifier
        .trim_end_matches(":*")
        .strip_suffix(group)
        .is_some_and(|before| before.is_empty() || before.ends_with(':'))
}

/// Whether polling would fail as well.
fn ends_a_tail(fault: Fault) -> bool {
    matches!(fault, Fault::NoCredentials | Fault::Expired | Fault::Rejected | Fault::NotFound | Fault::Cancelled)
}

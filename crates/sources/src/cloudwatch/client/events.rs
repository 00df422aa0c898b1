//! Log events of a group: by pattern and range, all pages, the oldest or the newest first.

mod mark;
mod newest;
mod reading;

use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::LogRecord;
use tracebook_core::time::Nanos;

use super::search::{Search, Window};
use super::{Client, EventRef};
use crate::cloud::{Fetch, Range, SourceError};
use mark::Mark;
use reading::Reading;

/// The most events of one answer, whatever is asked for.
const MOST_EVENTS: u32 = 100_000;
/// The most text of one answer; an event may have a megabyte.
const MOST_BYTES: usize = 256 << 20;
/// How many events of a trace are read.
const OF_A_TRACE: u32 = 1_000;

/// Which log events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventsAsk {
    /// The log group's name.
    pub group: String,
    /// Only of these streams; empty: of all.
    pub streams: Vec<String>,
    /// Only of streams that begin so; empty: of all.
    pub stream_prefix: String,
    /// A filter pattern; empty: all.
    pub pattern: String,
    /// When.
    pub range: Range,
    /// At most so many in one answer; 100,000 at most.
    pub limit: u32,
    /// The newest first instead of the oldest.
    pub newest_first: bool,
    /// Behind an answer's events: its `next`, with everything else as it was.
    pub page: Option<String>,
}

/// A log event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What was said, when, where.
    pub record: LogRecord,
    /// The service's `eventId`; where it gives none, what stands for it.
    pub id: String,
    /// When CloudWatch Logs took it in.
    pub ingested: Option<Nanos>,
}

impl Event {
    /// What finds it again: the id of a row.
    pub fn reference(&self) -> EventRef {
        EventRef {
            group: self.record.group.clone(),
            stream: self.record.stream.clone(),
            millis: self.record.timestamp.millis(),
            id: self.id.clone(),
        }
    }
}

/// Log events, in the order that was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// The events.
    pub records: Vec<Event>,
    /// What the reader must know; also that the reading was stopped.
    pub notes: Vec<String>,
    /// Asks for what is behind them; `None` where that was everything.
    pub next: Option<String>,
    /// What ended the reading after these events had come: expired credentials, a cut connection, the user. `next` then goes on
    /// where it ended. Where nothing had come, the fault is the answer instead.
    pub stopped: Option<SourceError>,
}

impl Client {
    /// Reads log events: page after page, empty ones too, until the limit or the end is reached.
    ///
    /// # Errors
    /// [`Fault::Invalid`](crate::cloud::Fault::Invalid) before anything is asked where a group, a stream, the pattern or the page is
    /// none; `NotFound` where there is no such group or stream; else what the source ended with before the first event came.
    pub async fn events(&self, ask: &EventsAsk, fetch: &Fetch) -> Result<Events, SourceError> {
        let search = Search::new(self, &ask.group, &ask.streams, &ask.stream_prefix, &ask.pattern)?;
        let mark = ask.page.as_deref().map(Mark::parse).transpose()?;
        let limit = usize::try_from(ask.limit.clamp(1, MOST_EVENTS)).unwrap_or(usize::MAX);
        Reading::new(&search, Window::from(ask.range), limit, ask.newest_first, fetch).run(mark).await
    }

    /// The log events of a group whose text names a trace, in W3C's or X-Ray's form; the oldest first, 1,000 at most.
    ///
    /// # Errors
    /// As [`Client::events`].
    pub async fn of_trace(
        &self,
        group: &str,
        trace: TraceId,
        range: Range,
        fetch: &Fetch,
    ) -> Result<Events, SourceError> {
        let ask = EventsAsk {
            group: group.to_owned(),
            streams: Vec::new(),
            stream_prefix: String::new(),
            pattern: format!("?\"{trace}\" ?\"{}\"", trace.xray()),
            range,
            limit: OF_A_TRACE,
            newest_first: false,
            page: None,
        };
        self.events(&ask, fetch).await
    }
}

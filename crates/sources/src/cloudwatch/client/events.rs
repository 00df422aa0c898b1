//! Log events of a group: by pattern and range, all pages, oldest or newest first.

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

/// The most events of one answer, whatever the limit.
const MAX_EVENTS: u32 = 100_000;
/// The most text of one answer; an event may have a megabyte.
const MAX_BYTES: usize = 256 << 20;
/// How many events of a trace are read.
const OF_A_TRACE: u32 = 1_000;

/// Selects log events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventsRequest {
    pub group: String,
    /// Empty for all streams.
    pub streams: Vec<String>,
    /// Empty for all streams.
    pub stream_prefix: String,
    /// A filter pattern; empty for all events.
    pub pattern: String,
    pub range: Range,
    /// At most 100,000.
    pub limit: u32,
    /// Newest first instead of oldest first.
    pub newest_first: bool,
    /// Continue after an earlier answer: its `next`, with everything else unchanged.
    pub page: Option<String>,
}

/// A log event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub record: LogRecord,
    /// The service's `eventId`, or a substitute if it has none.
    pub id: String,
    /// When CloudWatch Logs received it.
    pub ingested: Option<Nanos>,
}

impl Event {
    /// Its reference: the id of a row.
    pub fn reference(&self) -> EventRef {
        EventRef {
            group: self.record.group.clone(),
            stream: self.record.stream.clone(),
            millis: self.record.timestamp.millis(),
            id: self.id.clone(),
        }
    }
}

/// Log events, in the requested order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    pub records: Vec<Event>,
    /// Includes that reading was stopped.
    pub notes: Vec<String>,
    /// Continues after these events; `None` if that was everything.
    pub next: Option<String>,
    /// What ended the reading after these events had arrived: expired credentials, a cut connection, the user. `next`
    /// then continues there. If no event had arrived, the fault is returned instead.
    pub stopped: Option<SourceError>,
}

impl Client {
    /// Reads log events: page after page, including empty ones, until the limit or the end.
    ///
    /// # Errors
    /// [`Fault::Invalid`](crate::cloud::Fault::Invalid) before any request if a group, a stream, the pattern or the
    /// page is invalid; `NotFound` if there is no such group or stream; else what ended the reading before the first
    /// event arrived.
    pub async fn events(&self, ask: &EventsRequest, fetch: &Fetch) -> Result<Events, SourceError> {
        let search = Search::new(self, &ask.group, &ask.streams, &ask.stream_prefix, &ask.pattern)?;
        let mark = ask.page.as_deref().map(Mark::parse).transpose()?;
        let limit = usize::try_from(ask.limit.clamp(1, MAX_EVENTS)).unwrap_or(usize::MAX);
        Reading::new(&search, Window::from(ask.range), limit, ask.newest_first, fetch).run(mark).await
    }

    /// The log events of a group whose text names a trace, in W3C's or X-Ray's form; oldest first, at most 1,000.
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
        let ask = EventsRequest {
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

//! Local log events.

use tracebook_core::event_filter::EventFilter;
use tracebook_core::log_query::{LogQuery, StoredLog};
use tracebook_core::logs::{LogEvent, LogRow};
use tracebook_core::question::Window;
use tracebook_core::skew;
use tracebook_core::telemetry::LogEncoding;
use tracebook_core::text::bounded;

use crate::ground::error::Error;
use crate::ground::question::LIMIT;
use crate::ground::records::log_event;
use crate::ground::schema::{Listed, LiveQuestion};
use crate::telemetry::Telemetry;

/// Events of one read while a filter is applied.
const PAGE: u32 = 1_000;
/// The most events that are searched.
const MAX_READ: usize = 200_000;
/// The most bytes of events of one read. A log record may have 5 MiB.
const PAGE_BYTES: u64 = 16 * 1024 * 1024;
/// The most bytes of a message in a list; the event itself has all.
const MAX_MESSAGE: usize = 16 * 1024;

/// The log events that a filter matches.
pub(crate) struct MatchingLogs {
    /// Newest first.
    pub(crate) events: Vec<StoredLog>,
    /// How many more match among the searched events.
    pub(crate) more: u32,
    /// Whether there are events that were not searched.
    pub(crate) cut: bool,
}

impl Telemetry {
    pub(crate) async fn logs(&self, request: &LiveQuestion) -> Result<Listed<LogRow>, Error> {
        let window = self.window(request.since.as_deref())?;
        let limit = request.limit.unwrap_or(LIMIT);
        let found = self.find_logs_with(&request.filter, window, limit, false, brief).await?;
        Ok(Listed::all(found.events.into_iter().map(row).collect()))
    }

    pub(crate) async fn log(&self, id: &str) -> Result<LogEvent, Error> {
        Ok(log_event(&self.stored_log(id).await?.record))
    }

    pub(crate) async fn stored_log(&self, id: &str) -> Result<StoredLog, Error> {
        let missing = || {
            Error::not_found(
                format!("there is no log event {id}"),
                "`live logs` lists what has arrived; the oldest are removed when telemetry is full",
            )
        };
        let seq = id.parse().map_err(|_| missing())?;
        self.store.log(seq).await?.ok_or_else(missing)
    }

    /// Matching events, newest first; `count_all` searches on beyond the limit, to count how many more match.
    pub(crate) async fn find_logs(
        &self,
        filter: &str,
        window: Window,
        limit: u32,
        count_all: bool,
    ) -> Result<MatchingLogs, Error> {
        self.find_logs_with(filter, window, limit, count_all, |stored| stored).await
    }

    async fn find_logs_with(
        &self,
        filter: &str,
        window: Window,
        limit: u32,
        count_all: bool,
        keep: fn(StoredLog) -> StoredLog,
    ) -> Result<MatchingLogs, Error> {
        let filter = EventFilter::parse(filter).map_err(|e| {
            Error::usage(
                e.to_string(),
                "Example: group:cruddur status:error, or a filter pattern such as ?timeout ?refused",
            )
        })?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = MatchingLogs { events: Vec::new(), more: 0, cut: false };
        let mut looked_at = 0;
        let everything = filter.is_empty() && !count_all;
        let mut question = LogQuery {
            group: filter.group.clone(),
            trace_id: filter.trace,
            from: window.from,
            before: window.to,
            arrived: window.arrived,
            by_arrival: true,
            newest_first: true,
            limit: if everything { limit.min(10_000) } else { PAGE },
            max_bytes: PAGE_BYTES,
            ..LogQuery::default()
        };
        loop {
            let page = self.store.logs(&question).await?;
            let last = page.is_empty();
            looked_at += page.len();
            question.after = page.last().map(|stored| (stored.received, stored.seq));
            for stored in page {
                let log = &stored.record;
                let in_record = || {
                    let event = log_event(log);
                    filter.matches_record(&event.attributes, &event.scope)
                };
                if !filter.matches(&log.group, &log.stream, log.level(), log.trace_id, &log.message)
                    || filter.reads_records() && !in_record()
                {
                    continue;
                }
                if found.events.len() < wanted {
                    found.events.push(keep(stored));
                } else {
                    found.more += 1;
                }
            }
            let full = found.events.len() >= wanted && !count_all;
            if last || full {
                return Ok(found);
            }
            if looked_at >= MAX_READ {
                found.cut = true;
                return Ok(found);
            }
        }
    }
}

/// What a list shows of an event.
fn brief(mut stored: StoredLog) -> StoredLog {
    stored.record.raw = Vec::new();
    stored.record.message = bounded(stored.record.message, MAX_MESSAGE);
    stored
}

/// How far the clock that wrote an event is ahead of its arrival, in nanoseconds, where that is more than usual.
pub(crate) fn skew_of(stored: &StoredLog) -> Option<i64> {
    let usual = match stored.record.encoding {
        LogEncoding::Cloudwatch => skew::USUAL_LOG_DELAY,
        LogEncoding::OtlpProtobuf | LogEncoding::OtlpJson => skew::USUAL_DELAY,
    };
    skew::of_sender(stored.record.timestamp, stored.received, usual)
}

fn row(stored: StoredLog) -> LogRow {
    let skew_ms = skew_of(&stored).map(|ahead| ahead / 1_000_000);
    let log = stored.record;
    LogRow {
        id: stored.seq.to_string(),
        timestamp: log.timestamp.rfc3339(),
        group: log.group,
        stream: log.stream,
        message: log.message,
        trace_id: log.trace_id,
        severity: log.severity,
        skew_ms,
    }
}

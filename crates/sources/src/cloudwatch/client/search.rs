//! FilterLogEvents: one search, a page at a time.

use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use sha2::{Digest as _, Sha256};
use tracebook_core::filter_pattern::FilterPattern;
use tracebook_core::telemetry::{LogEncoding, LogRecord};
use tracebook_core::time::Nanos;

use super::{Client, Event, fault};
use crate::cloud::{Api, Fault, Fetch, Range, SourceError, Used};
use crate::cloudwatch::severity::severity_in;
use crate::cloudwatch::trace_id::trace_id_in;
use crate::text::clip;

/// The most events of a page.
pub(super) const MAX_PER_PAGE: usize = 10_000;
/// The longest pattern.
const MAX_PATTERN_LENGTH: usize = 1_024;
/// The most streams by name.
const MAX_STREAMS: usize = 100;

/// A search, validated so that the service does not refuse it.
#[derive(Clone, Debug)]
pub(super) struct Search {
    client: Client,
    pub(super) group: String,
    streams: Vec<String>,
    stream_prefix: String,
    /// As written; empty for all.
    pattern: String,
    /// The same, parsed.
    parsed: FilterPattern,
}

/// A range of time in the service's terms: milliseconds, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: i64,
    /// `None` for no end.
    pub(super) until: Option<i64>,
}

impl From<Range> for Window {
    fn from(range: Range) -> Self {
        const MILLI: i64 = 1_000_000;
        let from = range.from.0.div_euclid(MILLI) + i64::from(range.from.0.rem_euclid(MILLI) != 0);
        Self { from: from.max(0), until: Some(range.until.0.saturating_sub(1).div_euclid(MILLI)) }
    }
}

/// Position and order of a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageRequest<'a> {
    pub(super) window: Window,
    pub(super) newest_first: bool,
    pub(super) limit: usize,
    pub(super) token: Option<&'a str>,
}

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The matching events, in the order of the answer.
    pub(super) events: Vec<Event>,
    /// How many did not match.
    pub(super) left_out: usize,
    /// Whether the events came oldest first; `None` if their times do not tell.
    pub(super) ascending: Option<bool>,
    /// The token of the next page.
    pub(super) next: Option<String>,
}

impl Page {
    /// How many came.
    pub(super) fn came(&self) -> usize {
        self.events.len() + self.left_out
    }
}

impl Search {
    pub(super) fn new(
        client: &Client,
        group: &str,
        streams: &[String],
        stream_prefix: &str,
        pattern: &str,
    ) -> Result<Self, SourceError> {
        fault::group_name(group)?;
        let mut streams = streams.to_vec();
        for stream in &streams {
            fault::stream_name(stream)?;
        }
        if !stream_prefix.is_empty() {
            fault::stream_name(stream_prefix)?;
        }
        if streams.len() > MAX_STREAMS {
            return Err(SourceError::new(
                Fault::Invalid,
                format!("{} log streams given, but CloudWatch Logs accepts {MAX_STREAMS}", streams.len()),
                "Use fewer, or a name prefix",
            ));
        }
        let mut prefix = stream_prefix;
        if !streams.is_empty() && !prefix.is_empty() {
            // The service accepts one or the other.
            streams.retain(|stream| stream.starts_with(prefix));
            if streams.is_empty() {
                let message = format!("none of the given log streams starts with {:?}", clip(prefix));
                return Err(SourceError::new(Fault::Invalid, message, "Use one of the two"));
            }
            prefix = "";
        }
        let (pattern, parsed) = self::pattern(pattern)?;
        Ok(Self {
            client: client.clone(),
            group: group.to_owned(),
            streams,
            stream_prefix: prefix.to_owned(),
            pattern,
            parsed,
        })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the endpoint is not AWS.
    pub(super) fn own_endpoint(&self) -> bool {
        self.client.own_endpoint
    }

    pub(super) fn streams(&self) -> &[String] {
        &self.streams
    }

    pub(super) fn stream_prefix(&self) -> &str {
        &self.stream_prefix
    }

    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Requests a page.
    pub(super) async fn page(&self, turn: PageRequest<'_>, fetch: &Fetch) -> Result<Page, SourceError> {
        let limit = i32::try_from(turn.limit.clamp(1, MAX_PER_PAGE)).unwrap_or(i32::MAX);
        let answer = fetch
            .call(Api::LOGS_FILTER, || async {
                let ask = self
                    .client
                    .logs
                    .filter_log_events()
                    .log_group_name(&self.group)
                    .set_log_stream_names((!self.streams.is_empty()).then(|| self.streams.clone()))
                    .set_log_stream_name_prefix((!self.stream_prefix.is_empty()).then(|| self.stream_prefix.clone()))
                    .start_time(turn.window.from)
                    .set_end_time(turn.window.until)
                    .set_filter_pattern((!self.pattern.is_empty()).then(|| self.pattern.clone()))
                    .limit(limit)
                    .set_start_from_head(turn.newest_first.then_some(false))
                    .set_next_token(turn.token.map(str::to_owned));
                let ask = match self.client.own_endpoint {
                    // AWS does so anyway; without it some emulators answer stream by stream.
                    #[expect(deprecated, reason = "AWS ignores it, emulators do not")]
                    true => ask.interleaved(true),
                    false => ask,
                };
                ask.send().await.map_err(|error| self.client.fault_in(&error, &self.group))
            })
            .await?;
        let came = answer.events.unwrap_or_default();
        fetch.used(Used::LogEventsRead, u64::try_from(came.len()).unwrap_or(u64::MAX));
        let mut page = Page {
            ascending: ascending(&came),
            events: Vec::with_capacity(came.len()),
            left_out: 0,
            // A repeated token would loop.
            next: answer.next_token.filter(|next| turn.token != Some(next.as_str())),
        };
        let nothing: Arc<[u8]> = Arc::default();
        for event in came {
            if self.client.own_endpoint && !self.matches(&event, turn.window) {
                page.left_out += 1;
                continue;
            }
            page.events.push(self.event(event, &nothing));
        }
        Ok(page)
    }

    fn matches(&self, event: &FilteredLogEvent, window: Window) -> bool {
        let time = event.timestamp.unwrap_or_default();
        time >= window.from
            && window.until.is_none_or(|until| time <= until)
            && self.wants(event.log_stream_name().unwrap_or_default(), event.message().unwrap_or_default())
    }

    /// Whether a message and its stream match.
    pub(super) fn wants(&self, stream: &str, message: &str) -> bool {
        (self.streams.is_empty() || self.streams.iter().any(|name| name == stream))
            && stream.starts_with(&self.stream_prefix)
            && self.parsed.matches(message)
    }

    fn event(&self, event: FilteredLogEvent, nothing: &Arc<[u8]>) -> Event {
        let message = event.message.unwrap_or_default();
        let stream = event.log_stream_name.unwrap_or_default();
        let timestamp = event.timestamp.unwrap_or_default();
        let id = event.event_id.filter(|id| !id.is_empty()).unwrap_or_else(|| id_of_text(&message));
        self.record(stream, timestamp, event.ingestion_time, message, id, nothing)
    }

    /// The event as a record.
    pub(super) fn record(
        &self,
        stream: String,
        millis: i64,
        ingested: Option<i64>,
        message: String,
        id: String,
        nothing: &Arc<[u8]>,
    ) -> Event {
        let record = LogRecord {
            timestamp: Nanos::from_millis(millis),
            group: self.group.clone(),
            stream,
            trace_id: trace_id_in(&message),
            span_id: None,
            severity: severity_in(&message),
            severity_number: 0,
            message,
            encoding: LogEncoding::Cloudwatch,
            raw: Vec::new(),
            resource: nothing.clone(),
            scope: nothing.clone(),
        };
        Event { record, id, ingested: ingested.map(Nanos::from_millis) }
    }
}

/// A substitute for a missing event id, as in Live Tail: the digest of the text. Events of one stream, time and text
/// share one, and are interchangeable.
pub(super) fn id_of_text(message: &str) -> String {
    format!("sha256:{}", hex::encode(&Sha256::digest(message)[..16]))
}

/// Reads a pattern as the service would; empty text for one that matches everything.
pub(super) fn pattern(text: &str) -> Result<(String, FilterPattern), SourceError> {
    let parsed = FilterPattern::parse(text).map_err(|error| {
        SourceError::new(
            Fault::Invalid,
            format!("the filter pattern cannot be read {error}"),
            "See the examples of patterns",
        )
    })?;
    if parsed.matches_everything() {
        return Ok((String::new(), parsed));
    }
    let text = text.trim();
    if text.chars().count() > MAX_PATTERN_LENGTH {
        let message = format!("the filter pattern is longer than {MAX_PATTERN_LENGTH} characters");
        return Err(SourceError::new(Fault::Invalid, message, "Make it shorter"));
    }
    Ok((text.to_owned(), parsed))
}

fn ascending(events: &[FilteredLogEvent]) -> Option<bool> {
    let mut steps = events.windows(2).map(|pair| (pair[0].timestamp, pair[1].timestamp));
    let mut falls = false;
    if steps.any(|(first, second)| {
        falls |= first > second;
        first < second
    }) {
        return Some(true);
    }
    falls.then_some(false)
}

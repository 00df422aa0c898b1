//! CloudWatch Logs: groups, streams, events.

use tracebook_core::event_filter::EventFilter;
use tracebook_core::logs::{LogEvent, LogRow};
use tracebook_core::time::Nanos;
use tracebook_sources::cloudwatch::client::{Event, EventRef, EventsRequest};

use super::Cloud;
use super::aws::AskAws;
use super::traces::LIST_TTL;
use crate::ground::error::Error;
use crate::ground::question::LIMIT;
use crate::ground::records::log_event;
use crate::ground::schema::{
    Caller, Listed, LiveQuestion, LogGroupRow, LogGroupsRequest, LogRef, LogStreamRow, LogStreamsRequest, Vendor,
};

/// The nanoseconds that a list covers unless it names a range.
pub(crate) const MAX_LOOKBACK: i64 = 6 * 3_600 * 1_000_000_000;
/// Where a part of the filter is applied here and not by CloudWatch, this many times as many events are read.
const READ_FACTOR: u32 = 20;
const MAX_READ: u32 = 10_000;

/// The events that a filter matches.
pub(crate) struct FoundEvents {
    pub(crate) events: Vec<Event>,
    pub(crate) notes: Vec<String>,
    pub(crate) next: Option<String>,
    pub(crate) group: String,
    /// Whether reading stopped early: such an answer is not cached.
    pub(crate) stopped: bool,
}

impl Cloud {
    pub(crate) async fn logs_of(&self, request: LiveQuestion, caller: &Caller) -> Result<Listed<LogRow>, Error> {
        let ask = self.ask_aws(caller).await?;
        let key = format!("logs {} {request:?}", ask.world);
        if let Some(list) = self.logs.get(&key).filter(|_| !request.fresh) {
            return Ok(list);
        }
        let asked_at = self.runtime.now().rfc3339();
        let limit = request.limit.unwrap_or(LIMIT);
        let found = self
            .find_events(
                &ask,
                &request.filter,
                request.since.as_deref(),
                limit,
                !request.oldest_first,
                request.page.clone(),
            )
            .await?;
        let whole = !found.stopped;
        let list = Listed {
            rows: found.events.iter().map(row).collect(),
            notes: found.notes,
            next: found.next,
            asked_at: Some(asked_at),
        };
        if whole {
            self.logs.put(
                format!("logs {} {:?}", ask.world, LiveQuestion { fresh: false, ..request }),
                list.clone(),
                LIST_TTL,
            );
        }
        Ok(list)
    }

    /// The events that a filter matches. A filter without a group applies to the only group, if there is only one.
    pub(crate) async fn find_events(
        &self,
        ask: &AskAws,
        filter: &str,
        since: Option<&str>,
        limit: u32,
        newest_first: bool,
        page: Option<String>,
    ) -> Result<FoundEvents, Error> {
        let filter = parse_filter(filter)?;
        let group = self.group_of(ask, &filter).await?;
        let read =
            if filter.has_own_parts() { limit.saturating_mul(READ_FACTOR).min(MAX_READ.max(limit)) } else { limit };
        let question = EventsRequest {
            group: group.clone(),
            streams: Vec::new(),
            stream_prefix: String::new(),
            pattern: pattern(&filter),
            range: self.back(since, MAX_LOOKBACK)?,
            limit: read,
            newest_first,
            page,
        };
        let found = self.answered(Vendor::Aws, ask.aws.logs.events(&question, &ask.fetch).await).await?;
        let mut notes = found.notes;
        if since.is_none_or(|since| since.trim().is_empty()) {
            notes.push("of the last 6 hours".to_owned());
        }
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut events: Vec<Event> = found
            .records
            .into_iter()
            .filter(|event| {
                let r = &event.record;
                filter.matches(&r.group, &r.stream, r.level(), r.trace_id, &r.message)
            })
            .collect();
        let mut next = found.next;
        if events.len() > wanted {
            events.truncate(wanted);
            notes.push(format!("more than {limit} match: only the first are shown; narrow the filter"));
            next = None;
        }
        Ok(FoundEvents { events, notes, next, group, stopped: found.stopped.is_some() })
    }

    pub(crate) async fn group_of(&self, ask: &AskAws, filter: &EventFilter) -> Result<String, Error> {
        if let Some(group) = &filter.group {
            return Ok(group.clone());
        }
        let groups = self.answered(Vendor::Aws, ask.aws.logs.groups("", &ask.fetch).await).await?.rows;
        match groups.as_slice() {
            [only] => Ok(only.name.clone()),
            [] => Err(Error::not_found(
                format!("there is no log group in {}", ask.region()),
                "watchtower makes one when it sends for the first time; is the region right?",
            )),
            some => {
                let names: Vec<&str> = some.iter().take(8).map(|g| g.name.as_str()).collect();
                Err(Error::usage(
                    "which log group?",
                    format!("Begin the filter with group:NAME; there are: {}", names.join(", ")),
                ))
            }
        }
    }

    pub(crate) async fn event_of(&self, ask: &AskAws, id: &str) -> Result<Event, Error> {
        let reference = EventRef::parse(id).ok_or_else(|| {
            Error::usage(
                format!("{id:?} is not the id of a log event of CloudWatch"),
                "`live logs --source cloudwatch` lists their ids",
            )
        })?;
        self.answered(Vendor::Aws, ask.aws.logs.event(&reference, &ask.fetch).await).await
    }

    pub(crate) async fn log_of(&self, request: LogRef, caller: &Caller) -> Result<LogEvent, Error> {
        let ask = self.ask_aws(caller).await?;
        Ok(log_event(&self.event_of(&ask, &request.id).await?.record))
    }

    pub(crate) async fn log_groups(
        &self,
        request: LogGroupsRequest,
        caller: &Caller,
    ) -> Result<Listed<LogGroupRow>, Error> {
        let ask = self.ask_aws(caller).await?;
        let asked_at = Some(self.runtime.now().rfc3339());
        let found = self.answered(Vendor::Aws, ask.aws.logs.groups(request.search.trim(), &ask.fetch).await).await?;
        let rows = found
            .rows
            .into_iter()
            .map(|g| LogGroupRow { name: g.name, retention_days: g.retention_days, stored_bytes: g.stored_bytes })
            .collect();
        Ok(Listed { rows, notes: found.notes, next: None, asked_at })
    }

    pub(crate) async fn log_streams(
        &self,
        request: LogStreamsRequest,
        caller: &Caller,
    ) -> Result<Listed<LogStreamRow>, Error> {
        let ask = self.ask_aws(caller).await?;
        let asked_at = Some(self.runtime.now().rfc3339());
        let outcome = ask.aws.logs.streams(&request.group, request.search.trim(), &ask.fetch).await;
        let found = self.answered(Vendor::Aws, outcome).await?;
        let rows = found
            .rows
            .into_iter()
            .map(|s| LogStreamRow { name: s.name, last_event: s.last_event.map(Nanos::rfc3339) })
            .collect();
        Ok(Listed { rows, notes: found.notes, next: None, asked_at })
    }
}

pub(crate) fn parse_filter(filter: &str) -> Result<EventFilter, Error> {
    const EXAMPLE: &str = "Example: group:cruddur ?timeout ?refused, or group:cruddur { $.level = \"ERROR\" }";
    let parsed = EventFilter::parse(filter).map_err(|e| Error::usage(e.to_string(), EXAMPLE))?;
    match parsed.reads_records() {
        true => Err(Error::usage("scope: and attribute: select local log records of OpenTelemetry", EXAMPLE)),
        false => Ok(parsed),
    }
}

/// The filter pattern for CloudWatch; a trace id is searched in the text, in both forms.
pub(super) fn pattern(filter: &EventFilter) -> String {
    match filter.trace {
        Some(trace) if filter.pattern_text.is_empty() => format!("?\"{trace}\" ?\"{}\"", trace.xray()),
        _ => filter.pattern_text.clone(),
    }
}

pub(super) fn row(event: &Event) -> LogRow {
    let record = &event.record;
    LogRow {
        id: event.reference().to_string(),
        timestamp: record.timestamp.rfc3339(),
        group: record.group.clone(),
        stream: record.stream.clone(),
        message: record.message.clone(),
        trace_id: record.trace_id,
        severity: record.severity.clone(),
        skew_ms: None,
    }
}

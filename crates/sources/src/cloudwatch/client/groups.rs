//! Lists of log groups and streams.

use std::cmp::Reverse;

use aws_sdk_cloudwatchlogs::types::{LogGroup, LogStream, OrderBy};
use tracebook_core::text::count;
use tracebook_core::time::Nanos;

use super::{Client, fault};
use crate::cloud::{Api, Fetch, Progress, SourceError};
use crate::text::clip;

/// The page size of DescribeLogGroups and DescribeLogStreams.
const PAGE_SIZE: i32 = 50;
/// The most groups or streams in a list; beyond that, users type more of the name.
const MAX_ROWS: usize = 1_000;
/// The most pages of one list; a page may be empty and not the last.
const MAX_PAGES: u32 = 200;

/// Rows of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<R> {
    pub rows: Vec<R>,
    pub notes: Vec<String>,
}

/// A log group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    /// Without the `:*` of policies.
    pub arn: String,
    /// `None`: never deleted, or unknown. A search by part of the name does not return it.
    pub retention_days: Option<u32>,
    /// `None` if unknown.
    pub stored_bytes: Option<u64>,
    pub created: Option<Nanos>,
}

/// A log stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    pub name: String,
    /// Time of the last event; up to an hour late.
    pub last_event: Option<Nanos>,
}

impl Client {
    /// The groups whose name contains `search` (case-sensitive); all if it is empty.
    pub async fn groups(&self, search: &str, fetch: &Fetch) -> Result<Listed<Group>, SourceError> {
        let search = search.trim();
        if !search.bytes().all(fault::in_group_name) {
            let note = format!("no name contains {:?}: {}", clip(search), fault::GROUP_NAME);
            return Ok(Listed { rows: Vec::new(), notes: vec![note] });
        }
        let mut pages = Pages::new(fetch, "log groups".to_owned());
        while pages.goes_on() {
            let answer = fetch
                .call(Api::LOGS_DESCRIBE, || async {
                    self.logs
                        .describe_log_groups()
                        .limit(PAGE_SIZE)
                        .set_log_group_name_pattern((!search.is_empty()).then(|| search.to_owned()))
                        .set_next_token(pages.token.clone())
                        .send()
                        .await
                        .map_err(|error| self.fault(&error))
                })
                .await?;
            let rows = answer.log_groups.unwrap_or_default().into_iter().map(Group::from);
            pages.take(rows.filter(|group| group.name.contains(search)), answer.next_token);
        }
        Ok(pages.finish())
    }

    /// A group's streams, the last written first; only those whose name begins with `prefix`.
    ///
    /// # Errors
    /// [`Fault::NotFound`](crate::cloud::Fault::NotFound) if there is no such group; see [`SourceError`].
    pub async fn streams(&self, group: &str, prefix: &str, fetch: &Fetch) -> Result<Listed<Stream>, SourceError> {
        fault::group_name(group)?;
        // The service either orders by time or searches a prefix, not both.
        let (order, prefix_asked) = match prefix {
            "" => (OrderBy::LastEventTime, None),
            prefix => (OrderBy::LogStreamName, Some(prefix.to_owned())),
        };
        let mut pages = Pages::new(fetch, format!("log streams of {group}"));
        while pages.goes_on() {
            let answer = fetch
                .call(Api::LOGS_DESCRIBE, || async {
                    self.logs
                        .describe_log_streams()
                        .log_group_name(group)
                        .set_log_stream_name_prefix(prefix_asked.clone())
                        .order_by(order.clone())
                        .descending(prefix_asked.is_none())
                        .limit(PAGE_SIZE)
                        .set_next_token(pages.token.clone())
                        .send()
                        .await
                        .map_err(|error| self.fault_in(&error, group))
                })
                .await?;
            let rows = answer.log_streams.unwrap_or_default().into_iter().map(Stream::from);
            pages.take(rows.filter(|stream| stream.name.starts_with(prefix)), answer.next_token);
        }
        let mut found = pages.finish();
        found.rows.sort_by_key(|stream| Reverse(stream.last_event));
        Ok(found)
    }

    /// The ARN that Live Tail requires.
    pub(super) async fn arn(&self, group: &str, fetch: &Fetch) -> Result<String, SourceError> {
        let mut pages = Pages::new(fetch, "log groups".to_owned());
        while pages.goes_on() && pages.rows.is_empty() {
            let answer = fetch
                .call(Api::LOGS_DESCRIBE, || async {
                    self.logs
                        .describe_log_groups()
                        .log_group_name_prefix(group)
                        .set_next_token(pages.token.clone())
                        .send()
                        .await
                        .map_err(|error| self.fault(&error))
                })
                .await?;
            let rows = answer.log_groups.unwrap_or_default().into_iter().map(Group::from);
            pages.take(rows.filter(|found| found.name == group), answer.next_token);
        }
        pages.rows.pop().map(|found: Group| found.arn).ok_or_else(|| fault::no_group(group))
    }
}

/// Pages that become one list.
struct Pages<'a, R> {
    fetch: &'a Fetch,
    what: String,
    rows: Vec<R>,
    pages: u32,
    token: Option<String>,
}

impl<'a, R> Pages<'a, R> {
    fn new(fetch: &'a Fetch, what: String) -> Self {
        Self { fetch, what, rows: Vec::new(), pages: 0, token: None }
    }

    fn goes_on(&self) -> bool {
        self.pages == 0 || (self.token.is_some() && self.rows.len() < MAX_ROWS && self.pages < MAX_PAGES)
    }

    fn take(&mut self, rows: impl Iterator<Item = R>, next: Option<String>) {
        self.rows.extend(rows);
        self.pages += 1;
        // A repeated token would loop.
        self.token = next.filter(|next| self.token.as_ref() != Some(next));
        let rows = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.fetch.progress(Progress { pages: self.pages, rows, of: 0, what: self.what.clone() });
    }

    fn finish(mut self) -> Listed<R> {
        let cut = self.token.is_some() || self.rows.len() > MAX_ROWS;
        self.rows.truncate(MAX_ROWS);
        let notes = match cut {
            true => {
                vec![format!("There are more than these {}: type more of the name", count(self.rows.len(), "row"))]
            }
            false => Vec::new(),
        };
        Listed { rows: self.rows, notes }
    }
}

impl From<LogGroup> for Group {
    fn from(group: LogGroup) -> Self {
        let arn = group.log_group_arn.or(group.arn).unwrap_or_default();
        Self {
            name: group.log_group_name.unwrap_or_default(),
            arn: arn.strip_suffix(":*").map(str::to_owned).unwrap_or(arn),
            retention_days: group.retention_in_days.and_then(|days| u32::try_from(days).ok()),
            stored_bytes: group.stored_bytes.and_then(|bytes| u64::try_from(bytes).ok()),
            created: group.creation_time.map(Nanos::from_millis),
        }
    }
}

impl From<LogStream> for Stream {
    fn from(stream: LogStream) -> Self {
        Self {
            name: stream.log_stream_name.unwrap_or_default(),
            last_event: stream.last_event_timestamp.map(Nanos::from_millis),
        }
    }
}

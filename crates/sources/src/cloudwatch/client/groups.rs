//! Which log groups and streams there are.

use std::cmp::Reverse;

use aws_sdk_cloudwatchlogs::types::{LogGroup, LogStream, OrderBy};
use tracebook_core::time::Nanos;

use super::{Client, fault};
use crate::cloud::{Api, Fetch, Progress, SourceError};
use crate::{clip, count};

/// What DescribeLogGroups and DescribeLogStreams give in a page.
const A_PAGE: i32 = 50;
/// The most groups or streams that a picker is given; who has more writes more of the name.
const MOST: usize = 1_000;
/// The most pages for one list; a page may be empty and have another one behind it.
const MOST_PAGES: u32 = 200;

/// Rows of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// What the reader must know.
    pub notes: Vec<String>,
}

/// A log group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its ARN, without the `:*` of policies.
    pub arn: String,
    /// After how many days its events go; `None`: never, or not said. A search by part of the name does not say it.
    pub retention_days: Option<u32>,
    /// Bytes that it holds; `None` where not said.
    pub stored_bytes: Option<u64>,
    /// When it was created.
    pub created: Option<Nanos>,
}

/// A log stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// Its last event; up to an hour late.
    pub last_event: Option<Nanos>,
}

impl Client {
    /// The groups whose name holds `search`, capitals told apart; all if it is empty.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub async fn groups(&self, search: &str, fetch: &Fetch) -> Result<Found<Group>, SourceError> {
        let search = search.trim();
        if !search.bytes().all(fault::in_group_name) {
            let note = format!("{:?} is in no name: {}", clip(search), fault::GROUP_NAME);
            return Ok(Found { rows: Vec::new(), notes: vec![note] });
        }
        let mut listing = Listing::new(fetch, "log groups".to_owned());
        while listing.goes_on() {
            let answer = fetch
                .call(Api::LogsDescribe, || async {
                    self.logs
                        .describe_log_groups()
                        .limit(A_PAGE)
                        .set_log_group_name_pattern((!search.is_empty()).then(|| search.to_owned()))
                        .set_next_token(listing.token.clone())
                        .send()
                        .await
                        .map_err(|error| self.fault(&error))
                })
                .await?;
            let rows = answer.log_groups.unwrap_or_default().into_iter().map(Group::from);
            listing.take(rows.filter(|group| group.name.contains(search)), answer.next_token);
        }
        Ok(listing.finish())
    }

    /// A group's streams, the one that was written last first; only those whose name begins with `prefix`.
    ///
    /// # Errors
    /// [`Fault::NotFound`](crate::cloud::Fault::NotFound) where there is no such group; see [`SourceError`].
    pub async fn streams(&self, group: &str, prefix: &str, fetch: &Fetch) -> Result<Found<Stream>, SourceError> {
        fault::group_name(group)?;
        // The service orders by time or looks for a prefix, and does not do both.
        let (order, prefix_asked) = match prefix {
            "" => (OrderBy::LastEventTime, None),
            prefix => (OrderBy::LogStreamName, Some(prefix.to_owned())),
        };
        let mut listing = Listing::new(fetch, format!("log streams of {group}"));
        while listing.goes_on() {
            let answer = fetch
                .call(Api::LogsDescribe, || async {
                    self.logs
                        .describe_log_streams()
                        .log_group_name(group)
                        .set_log_stream_name_prefix(prefix_asked.clone())
                        .order_by(order.clone())
                        .descending(prefix_asked.is_none())
                        .limit(A_PAGE)
                        .set_next_token(listing.token.clone())
                        .send()
                        .await
                        .map_err(|error| self.fault_in(&error, group))
                })
                .await?;
            let rows = answer.log_streams.unwrap_or_default().into_iter().map(Stream::from);
            listing.take(rows.filter(|stream| stream.name.starts_with(prefix)), answer.next_token);
        }
        let mut found = listing.finish();
        found.rows.sort_by_key(|stream| Reverse(stream.last_event));
        Ok(found)
    }

    /// The ARN that Live Tail wants.
    pub(super) async fn arn(&self, group: &str, fetch: &Fetch) -> Result<String, SourceError> {
        let mut listing = Listing::new(fetch, "log groups".to_owned());
        while listing.goes_on() && listing.rows.is_empty() {
            let answer = fetch
                .call(Api::LogsDescribe, || async {
                    self.logs
                        .describe_log_groups()
                        .log_group_name_prefix(group)
                        .set_next_token(listing.token.clone())
                        .send()
                        .await
                        .map_err(|error| self.fault(&error))
                })
                .await?;
            let rows = answer.log_groups.unwrap_or_default().into_iter().map(Group::from);
            listing.take(rows.filter(|found| found.name == group), answer.next_token);
        }
        listing.rows.pop().map(|found: Group| found.arn).ok_or_else(|| fault::no_group(group))
    }
}

/// Pages that become one list.
struct Listing<'a, R> {
    fetch: &'a Fetch,
    what: String,
    rows: Vec<R>,
    pages: u32,
    token: Option<String>,
}

impl<'a, R> Listing<'a, R> {
    fn new(fetch: &'a Fetch, what: String) -> Self {
        Self { fetch, what, rows: Vec::new(), pages: 0, token: None }
    }

    fn goes_on(&self) -> bool {
        self.pages == 0 || (self.token.is_some() && self.rows.len() < MOST && self.pages < MOST_PAGES)
    }

    fn take(&mut self, rows: impl Iterator<Item = R>, next: Option<String>) {
        self.rows.extend(rows);
        self.pages += 1;
        // A token that comes back would be asked for ever.
        self.token = next.filter(|next| self.token.as_ref() != Some(next));
        let rows = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.fetch.progress(Progress { pages: self.pages, rows, of: 0, what: self.what.clone() });
    }

    fn finish(mut self) -> Found<R> {
        let cut = self.token.is_some() || self.rows.len() > MOST;
        self.rows.truncate(MOST);
        let notes = match cut {
            true => {
                vec![format!("There are more than these {}: write more of the name", count(self.rows.len(), "row"))]
            }
            false => Vec::new(),
        };
        Found { rows: self.rows, notes }
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

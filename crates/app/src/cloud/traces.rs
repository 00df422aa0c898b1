//! Traces of X-Ray: lists, and single traces.

use std::time::Duration;

use tracebook_core::ids::TraceId;
use tracebook_core::time::Nanos;
use tracebook_core::trace::TraceSummary;
use tracebook_sources::cloud::Range;
use tracebook_sources::xray::client::{FetchedTrace, TracesRequest};

use super::Cloud;
use super::aws::AskAws;
use crate::ground::error::Error;
use crate::ground::question::LIMIT;
use crate::ground::records::{ReadTrace, read_trace};
use crate::ground::schema::{Caller, Listed, LiveTraces, Vendor};

/// The nanoseconds that a list covers unless it names a range: as far as one request reaches.
const MAX_LOOKBACK: i64 = 6 * 3_600 * 1_000_000_000;
/// How long a list is cached.
pub(super) const LIST_TTL: Duration = Duration::from_secs(15);
/// A complete trace hardly changes, but X-Ray may still receive late segments.
const TRACE_TTL: Duration = Duration::from_secs(600);
const OPEN_TRACE_TTL: Duration = Duration::from_secs(5);

impl Cloud {
    /// A range that ends now, unless another one is named.
    pub(crate) fn back(&self, since: Option<&str>, usual: i64) -> Result<Range, Error> {
        let window = self.window(since)?;
        let until = window.to.unwrap_or(self.runtime.now());
        let from = window.start().unwrap_or(Nanos(until.0.saturating_sub(usual)));
        Ok(Range { from, until })
    }

    pub(crate) async fn traces_of(&self, request: LiveTraces, caller: &Caller) -> Result<Listed<TraceSummary>, Error> {
        let ask = self.ask_aws(caller).await?;
        let key = format!(
            "traces {} {:?} {:?} {:?} {:?}",
            ask.world, request.filter, request.since, request.limit, request.page
        );
        if let Some(list) = self.traces.get(&key).filter(|_| !request.fresh) {
            return Ok(list);
        }
        let limit = request.limit.unwrap_or(LIMIT);
        let list = self.list_traces(&ask, &request.filter, request.since.as_deref(), limit, request.page).await?;
        self.traces.put(key, list.clone(), LIST_TTL);
        Ok(list)
    }

    pub(crate) async fn list_traces(
        &self,
        ask: &AskAws,
        filter: &str,
        since: Option<&str>,
        limit: u32,
        after: Option<String>,
    ) -> Result<Listed<TraceSummary>, Error> {
        let question = TracesRequest {
            range: self.back(since, MAX_LOOKBACK)?,
            expression: filter.to_owned(),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            event_time: false,
            after,
        };
        let asked_at = self.runtime.now().rfc3339();
        let found = self.answered(Vendor::Aws, ask.aws.xray.traces(&question, &ask.fetch).await).await?;
        let mut notes = found.notes;
        if since.is_none_or(|since| since.trim().is_empty()) {
            notes.push("of the last 6 hours".to_owned());
        }
        Ok(Listed { rows: found.summaries, notes, next: found.next, asked_at: Some(asked_at) })
    }

    /// A trace of X-Ray, normalised from its documents.
    pub(crate) async fn read_xray_trace(&self, ask: &AskAws, id: TraceId) -> Result<ReadTrace, Error> {
        let key = format!("trace {} {id}", ask.world);
        let fetched = match self.whole.get(&key) {
            Some(fetched) => fetched,
            None => {
                let outcome = ask.aws.xray.fetch_traces(&[id], &ask.fetch).await;
                let fetched = self.answered(Vendor::Aws, outcome).await?.into_iter().next();
                let fetched = fetched.filter(|f| !f.records.is_empty()).ok_or_else(|| {
                    Error::not_found(
                        format!("X-Ray in {} has no trace {}", ask.region(), id.xray()),
                        "X-Ray keeps traces for 30 days and shows a new one after some seconds; is the region right?",
                    )
                })?;
                let lasts = if fetched.complete { TRACE_TTL } else { OPEN_TRACE_TTL };
                self.whole.put(key, fetched.clone(), lasts);
                fetched
            }
        };
        let FetchedTrace { records, notes, .. } = fetched;
        let mut read = read_trace(id, records).await?;
        // The card shows what the source could not return.
        for note in notes {
            if !read.trace.notes.contains(&note) {
                read.trace.notes.push(note);
            }
        }
        Ok(read)
    }

    /// The newest complete trace that matches.
    pub(crate) async fn newest_xray_trace(
        &self,
        ask: &AskAws,
        filter: &str,
        since: Option<&str>,
    ) -> Result<TraceId, Error> {
        const MAX_ROWS: u32 = 20;
        let list = self.list_traces(ask, filter, since, MAX_ROWS, None).await?;
        let whole = list.rows.iter().find(|row| row.status != "in_progress");
        whole.map(|row| row.trace_id).ok_or_else(|| {
            let what =
                if list.rows.is_empty() { "no trace matches" } else { "every trace that matches is in progress" };
            Error::not_found(
                format!("{what} in X-Ray, {}", ask.region()),
                "`live traces --source xray` lists them; widen --since",
            )
        })
    }
}

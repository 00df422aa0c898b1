//! What arrives: filtered, newest first, and read back whole.

pub(crate) mod console;
pub(crate) mod errors;
pub(crate) mod logs;

use tracebook_core::filter::Filter;
use tracebook_core::ids::TraceId;
use tracebook_core::question::Source;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Trace, TraceSummary};
use tracebook_store::traces::TraceQuery;

use crate::Tracebook;
use crate::ground::error::Error;
use crate::ground::question::{LIMIT, no_honeycomb_traces, trace_id, unsupported, window_start};
use crate::ground::records::{ReadTrace, read_trace};
use crate::rpc::{Caller, Listed, LiveTraces, TraceGet};

/// How many rows are looked at in one go while a filter is applied.
const PAGE: u32 = 200;

/// How many traces are read whole, newest first, for a filter that looks into spans: a tray must not wait for minutes.
const MOST_READ: usize = 5_000;

/// After so many nanoseconds without a new span, a root that has not arrived is taken to be elsewhere: a load
/// balancer or a browser that sends its own spans to somebody else.
const LOST_ROOT: i64 = 10_000_000_000;

/// What a filter found.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    /// Newest first.
    pub(crate) rows: Vec<TraceSummary>,
    /// What was not looked at.
    pub(crate) notes: Vec<String>,
}

impl Tracebook {
    pub(crate) async fn live_traces(
        &self,
        request: LiveTraces,
        caller: &Caller,
    ) -> Result<Listed<TraceSummary>, Error> {
        if request.source != Source::Local {
            return Box::pin(self.traces_of(request, caller)).await;
        }
        let since = self.since(request.since.as_deref())?;
        let limit = request.limit.unwrap_or(LIMIT);
        let Matching { rows, notes } = self.find_traces(&request.filter, since, limit, false).await?;
        Ok(Listed { notes, ..Listed::all(rows) })
    }

    pub(crate) async fn trace_get(&self, request: TraceGet, caller: &Caller) -> Result<Trace, Error> {
        match request.source {
            Source::Local => {}
            Source::Xray => {
                let ask = self.ask_aws(caller).await?;
                return Ok(self.read_xray_trace(&ask, trace_id(&request.trace_id)?).await?.trace);
            }
            Source::Honeycomb => return Err(no_honeycomb_traces()),
            other => return Err(unsupported(other, "traces")),
        }
        Ok(self.read_trace(trace_id(&request.trace_id)?).await?.trace)
    }

    /// Matching traces, newest first; only those whose root has arrived (or will not any more) if asked for.
    pub(crate) async fn find_traces(
        &self,
        filter: &str,
        since: Option<Nanos>,
        limit: u32,
        rooted: bool,
    ) -> Result<Matching, Error> {
        let filter = Filter::parse(filter)
            .map_err(|e| Error::usage(e.to_string(), "Example: service:backend status:error duration>100ms"))?;
        let mut found = Matching::default();
        let mut read_whole = 0;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut question = TraceQuery {
            since,
            after: None,
            only_errors: filter.only_errors(),
            limit: if filter.is_empty() && !rooted { limit.min(10_000) } else { PAGE },
        };
        while found.rows.len() < wanted {
            if read_whole >= MOST_READ {
                found.notes.push(format!(
                    "This filter looks into spans, so only the newest {read_whole} traces were looked at; older ones may match too"
                ));
                break;
            }
            let rows = self.telemetry.traces(&question).await?;
            let last = rows.len() < usize::try_from(question.limit).unwrap_or(usize::MAX);
            question.after = rows.last().map(|row| (row.start, row.summary.trace_id));
            for row in rows {
                if found.rows.len() == wanted {
                    break;
                }
                let quiet = self.now().0.saturating_sub(row.received.0);
                if rooted && !row.rooted && quiet < LOST_ROOT {
                    continue;
                }
                let matches = match filter.matches_summary(&row.summary) {
                    Some(decided) => decided,
                    None => {
                        read_whole += 1;
                        // Gone since it was listed: the oldest make room.
                        match self.read_trace(row.summary.trace_id).await {
                            Ok(read) => filter.matches(&read.trace),
                            Err(error) if error.code == crate::Code::NotFound => false,
                            Err(error) => return Err(error),
                        }
                    }
                };
                if matches {
                    found.rows.push(row.summary);
                }
            }
            if last {
                break;
            }
        }
        Ok(found)
    }

    /// A trace, normalised from the bytes as sent.
    pub(crate) async fn read_trace(&self, trace_id: TraceId) -> Result<ReadTrace, Error> {
        let records = self.telemetry.spans(trace_id).await?;
        if records.is_empty() {
            return Err(Error::not_found(
                format!("no span of trace {trace_id} has arrived"),
                "`live traces` lists what has; SDKs send in batches, up to some seconds late",
            ));
        }
        read_trace(trace_id, records).await
    }

    /// The moment that lies so long back.
    pub(crate) fn since(&self, text: Option<&str>) -> Result<Option<Nanos>, Error> {
        window_start(text, self.now())
    }
}

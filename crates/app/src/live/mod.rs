//! What arrives: filtered, newest first, and read back whole.

pub(crate) mod console;
pub(crate) mod errors;
pub(crate) mod logs;

use tracebook_core::assemble::assemble;
use tracebook_core::filter::Filter;
use tracebook_core::ids::TraceId;
use tracebook_core::question::Source;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::time::{Nanos, parse_duration};
use tracebook_core::trace::{Trace, TraceSummary};
use tracebook_store::traces::TraceQuery;

use crate::Tracebook;
use crate::cloud::{holds_none, no_traces};
use crate::error::Error;
use crate::rpc::{Caller, Listed, LiveTraces, TraceGet};

/// How many a list holds unless the caller says.
pub(crate) const LIMIT: u32 = 100;
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

/// A trace with the bytes it was read from.
pub(crate) struct Read {
    pub(crate) trace: Trace,
    pub(crate) records: Vec<SpanRecord>,
    pub(crate) warnings: Vec<String>,
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
            Source::Honeycomb => return Err(no_traces()),
            other => return Err(holds_none(other, "traces")),
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
    pub(crate) async fn read_trace(&self, trace_id: TraceId) -> Result<Read, Error> {
        let records = self.telemetry.spans(trace_id).await?;
        if records.is_empty() {
            return Err(Error::not_found(
                format!("no span of trace {trace_id} has arrived"),
                "`live traces` lists what has; SDKs send in batches, up to some seconds late",
            ));
        }
        read_records(trace_id, records).await
    }

    /// The moment that lies so long back.
    pub(crate) fn since(&self, text: Option<&str>) -> Result<Option<Nanos>, Error> {
        before(text, self.now())
    }
}

/// Makes a trace of the records that were kept of it, or fetched.
pub(crate) async fn read_records(trace_id: TraceId, records: Vec<SpanRecord>) -> Result<Read, Error> {
    // Normalising thousands of spans takes a while; the runtime's threads have receivers to serve.
    tokio::task::spawn_blocking(move || {
        let mut warnings = Vec::new();
        let loose = records
            .iter()
            .map(|record| {
                let (loose, said) = tracebook_sources::normalise(record);
                warnings.extend(said);
                loose
            })
            .collect();
        let trace = assemble(trace_id, loose);
        warnings.sort_unstable();
        warnings.dedup();
        Read { trace, records, warnings }
    })
    .await
    .map_err(Error::internal)
}

/// The moment that lies so long before another.
pub(crate) fn before(text: Option<&str>, at: Nanos) -> Result<Option<Nanos>, Error> {
    let Some(text) = text.filter(|t| !t.trim().is_empty()) else { return Ok(None) };
    let back = parse_duration(text)
        .ok_or_else(|| Error::usage(format!("{text:?} is no length of time"), "Write for example 15m, 2h or 7d"))?;
    Ok(Some(Nanos(at.0.saturating_sub(back))))
}

/// Reads a trace id in either form.
pub(crate) fn trace_id(text: &str) -> Result<TraceId, Error> {
    text.parse().map_err(|e: tracebook_core::ids::IdError| Error::usage(e.to_string(), "`live traces` lists the ids"))
}

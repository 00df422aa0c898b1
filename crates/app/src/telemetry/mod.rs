//! Local telemetry: lists, newest first and filtered, and single items read whole.

pub(crate) mod console;
pub(crate) mod errors;
pub(crate) mod logs;

use tracebook_core::filter::Filter;
use tracebook_core::ids::TraceId;
use tracebook_core::open;
use tracebook_core::question::Window;
use tracebook_core::skew;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Trace, TraceSummary};
use tracebook_store::traces::{TraceQuery, TraceRow};

use crate::ground::error::Error;
use crate::ground::question::{LIMIT, window};
use crate::ground::records::{ReadTrace, read_trace};
use crate::ground::runtime::Runtime;
use crate::ground::schema::{Listed, LiveTraces};

/// Rows of one read while a filter is applied.
const PAGE: u32 = 200;

/// The most traces that are read whole for a filter on spans, newest first: a list must not take minutes.
const MAX_READ: usize = 5_000;

/// The most bytes of a trace that are read for a filter.
const MAX_SEARCHED: u64 = 16 * 1024 * 1024;

/// After this many nanoseconds without a new span, a root that has not arrived is taken to be sent elsewhere, for
/// example by a load balancer or a browser.
const LOST_ROOT: i64 = 10_000_000_000;

/// The traces that a filter matches.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    /// Newest first.
    pub(crate) rows: Vec<TraceSummary>,
    /// What was not searched.
    pub(crate) notes: Vec<String>,
}

/// The telemetry that this journal received. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Telemetry {
    pub(crate) store: tracebook_store::Telemetry,
    runtime: Runtime,
}

impl Telemetry {
    pub(crate) fn new(store: tracebook_store::Telemetry, runtime: &Runtime) -> Self {
        Self { store, runtime: runtime.clone() }
    }

    pub(crate) async fn traces(&self, request: &LiveTraces) -> Result<Listed<TraceSummary>, Error> {
        let window = self.window(request.since.as_deref())?;
        let limit = request.limit.unwrap_or(LIMIT);
        let Matching { rows, notes } = self.find_traces(&request.filter, window, limit, false).await?;
        Ok(Listed { notes, ..Listed::all(rows) })
    }

    /// Matching traces, newest first; with `rooted`, only those whose root has arrived or will not arrive any more.
    pub(crate) async fn find_traces(
        &self,
        filter: &str,
        window: Window,
        limit: u32,
        rooted: bool,
    ) -> Result<Matching, Error> {
        let filter = Filter::parse(filter)
            .map_err(|e| Error::usage(e.to_string(), "Example: service:backend status:error duration>100ms"))?;
        let mut found = Matching::default();
        let mut read_whole = 0;
        let mut in_part = false;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut question = TraceQuery {
            window,
            after: None,
            only_errors: filter.only_errors(),
            limit: if filter.is_empty() && !rooted { limit.min(10_000) } else { PAGE },
        };
        while found.rows.len() < wanted {
            if read_whole >= MAX_READ {
                found.notes.push(format!(
                    "This filter reads spans, so only the newest {read_whole} traces were searched; older ones may match too"
                ));
                break;
            }
            let rows = self.store.traces(&question).await?;
            let last = rows.len() < usize::try_from(question.limit).unwrap_or(usize::MAX);
            question.after = rows.last().map(TraceRow::arrival);
            for row in rows {
                if found.rows.len() == wanted {
                    break;
                }
                let quiet = self.runtime.now().0.saturating_sub(row.received.0);
                if rooted && !row.rooted && quiet < LOST_ROOT {
                    continue;
                }
                let matches = match filter.matches_summary(&row.summary) {
                    Some(decided) => decided,
                    None => {
                        read_whole += 1;
                        // It may have been removed since it was listed.
                        let read = match row.bytes > MAX_SEARCHED {
                            true => {
                                in_part = true;
                                self.read_beginning(row.summary.trace_id).await
                            }
                            false => self.read_trace(row.summary.trace_id).await,
                        };
                        match read {
                            Ok(read) => filter.matches(&read.trace),
                            Err(error) if error.code == crate::Code::NotFound => false,
                            Err(error) => return Err(error),
                        }
                    }
                };
                if matches {
                    let TraceRow { mut summary, open, received, .. } = row;
                    let open = usize::try_from(open).unwrap_or(usize::MAX);
                    summary.unfinished = open::note(open, &summary.protocols, received, self.runtime.now());
                    found.rows.push(summary);
                }
            }
            if last {
                break;
            }
        }
        if in_part {
            let mib = MAX_SEARCHED / (1024 * 1024);
            found
                .notes
                .push(format!("Of traces larger than {mib} MiB, only the spans that arrived first were searched"));
        }
        Ok(found)
    }

    /// A trace, normalised from its received bytes.
    pub(crate) async fn read_trace(&self, trace_id: TraceId) -> Result<ReadTrace, Error> {
        self.read_records(trace_id, self.store.spans(trace_id).await?).await
    }

    /// The spans of a large trace that arrived first.
    async fn read_beginning(&self, trace_id: TraceId) -> Result<ReadTrace, Error> {
        let first = self.store.first_spans_of(&[trace_id], MAX_SEARCHED).await?;
        self.read_records(trace_id, first.into_iter().flatten().collect()).await
    }

    async fn read_records(&self, trace_id: TraceId, records: Vec<SpanRecord>) -> Result<ReadTrace, Error> {
        if records.is_empty() {
            return Err(Error::not_found(
                format!("no span of trace {trace_id} has arrived"),
                "`live traces` lists what has; SDKs send in batches, up to some seconds late",
            ));
        }
        read_trace(trace_id, records).await
    }

    /// A time window: a duration until now, or a range.
    pub(crate) fn window(&self, text: Option<&str>) -> Result<Window, Error> {
        window(text, self.runtime.now())
    }

    /// What a capture of a trace states beside its data: clocks that differ, segments that were not completed.
    pub(crate) async fn notes_on(&self, trace: &Trace, skewed: &[(String, i64)]) -> Result<Vec<String>, Error> {
        let mut notes: Vec<String> = skewed.iter().map(|(service, ahead)| skew::note(service, *ahead)).collect();
        if let Some(received) = self.store.last_of_trace(trace.trace_id).await? {
            notes.extend(open::not_completed(&trace.spans, received, self.runtime.now()));
        }
        Ok(notes)
    }

    /// The senders of a trace whose clocks differ from this machine's, and by how many nanoseconds.
    pub(crate) async fn skewed_senders(&self, trace_id: TraceId) -> Result<Vec<(String, i64)>, Error> {
        let clocks = self.store.sender_clocks(trace_id).await?;
        let skewed = |(service, written, arrived): (String, Nanos, Nanos)| {
            Some((service, skew::of_sender(written, arrived, skew::USUAL_DELAY)?))
        };
        Ok(clocks.into_iter().filter_map(skewed).collect())
    }
}

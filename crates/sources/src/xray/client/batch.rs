//! Whole traces by id: BatchGetTraces, and the retrieval of Transaction Search for what it does not find.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_sdk_xray::operation::batch_get_traces::BatchGetTracesOutput;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::text::count;

use super::Client;
use crate::cloud::{Api, Fault, Fetch, Progress, Range, SourceError, Used};
use crate::xray::wire::parse_document;

/// Ids in one request; X-Ray refuses more: `Exceeding maximum query size: 5`. It also refuses a NextToken, although the
/// reference documents one.
const MAX_IDS: usize = 5;
/// Concurrent requests.
const CONCURRENCY: usize = 8;
/// How often ids are requested that X-Ray did not process.
const MAX_ROUNDS: u32 = 4;
/// The pause before they are requested again; it doubles.
const PAUSE: Duration = Duration::from_millis(200);
/// Why a trace may be missing.
const ABSENT: &str = "not there yet, not sampled, or older than 30 days";
/// How many unreadable documents are described each.
const TOLD: usize = 3;

/// A trace from X-Ray.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchedTrace {
    pub trace_id: TraceId,
    /// One record a segment or subsegment, as if it had been received; none if X-Ray has no such trace.
    pub records: Vec<SpanRecord>,
    /// Notes: truncated, in progress, inferred, unreadable, not found.
    pub notes: Vec<String>,
    /// Whether the trace is complete.
    pub complete: bool,
}

/// A trace being put together.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    records: Vec<SpanRecord>,
    limit_exceeded: bool,
    inferred: usize,
    bad: Vec<String>,
}

impl Gathered {
    /// Reads a segment document; an unreadable one becomes a note.
    pub(super) fn document(&mut self, text: Option<&str>) {
        let Some(text) = text else { return };
        match parse_document(text.as_bytes()) {
            Ok(records) => self.records.extend(records),
            Err(refusal) => self.bad.push(refusal.to_string()),
        }
        self.inferred += usize::from(is_inferred(text));
    }

    fn finish(self, trace_id: TraceId) -> FetchedTrace {
        let mut notes = Vec::new();
        if self.limit_exceeded {
            notes.push("the trace exceeds X-Ray's size limit: some of its segments are missing".to_owned());
        }
        let open = self.records.iter().filter(|record| record.end.is_none()).count();
        if open > 0 {
            notes.push(format!("the trace is partial: {} not ended", count(open, "segment")));
        }
        if self.inferred > 0 {
            let inferred = count(self.inferred, "segment");
            notes.push(format!("{inferred} inferred by X-Ray from calls: the called service sent none"));
        }
        for why in self.bad.iter().take(TOLD) {
            notes.push(format!("a document is left out: {why}"));
        }
        if self.bad.len() > TOLD {
            notes.push(format!("{} more left out", count(self.bad.len() - TOLD, "document")));
        }
        if self.records.is_empty() && self.bad.is_empty() {
            notes.push("X-Ray lists the trace, but has no segments of it".to_owned());
        }
        let complete = !self.records.is_empty() && !self.limit_exceeded && open == 0 && self.bad.is_empty();
        FetchedTrace { trace_id, records: self.records, notes, complete }
    }
}

/// Whether X-Ray inferred a segment (<https://docs.aws.amazon.com/xray/latest/devguide/xray-api-gettingdata.html>).
fn is_inferred(document: &str) -> bool {
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        inferred: bool,
    }
    // Only the few documents with this word are read twice.
    document.contains("\"inferred\"") && serde_json::from_str::<Said>(document).is_ok_and(|said| said.inferred)
}

impl Client {
    /// Fetches traces; one answer for each id, in the order given, each once.
    ///
    /// With Transaction Search, X-Ray itself has no traces; they are then retrieved from its log group, over the last
    /// 30 days. If only some requests fail, the traces of those have notes.
    ///
    /// # Errors
    /// The error of the first request, if none succeeded; [`Fault::Cancelled`].
    pub async fn fetch_traces(&self, ids: &[TraceId], fetch: &Fetch) -> Result<Vec<FetchedTrace>, SourceError> {
        self.fetch_traces_in(ids, None, fetch).await
    }

    /// The same if it is known when the traces were: a retrieval of Transaction Search is faster over a short range.
    ///
    /// # Errors
    /// As [`Self::fetch_traces`].
    pub async fn fetch_traces_in(
        &self,
        ids: &[TraceId],
        range: Option<Range>,
        fetch: &Fetch,
    ) -> Result<Vec<FetchedTrace>, SourceError> {
        let mut seen = HashSet::new();
        let ids: Vec<TraceId> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
        let mut batches = self.batches(&ids, fetch).await?;
        let missing: Vec<TraceId> = ids
            .iter()
            .copied()
            .filter(|id| !batches.gathered.contains_key(id) && !batches.excuses.contains_key(id))
            .collect();
        let mut absent = None;
        if !missing.is_empty()
            && let Some(retrieved) = self.retrieved(&missing, range, fetch).await?
        {
            batches.gathered.extend(retrieved.gathered);
            absent = Some(retrieved.absent);
        }
        // X-Ray also lists unknown ids as unprocessed.
        let unknown = |id: &TraceId| match batches.unprocessed.contains(id) {
            true => format!("X-Ray did not process it in {MAX_ROUNDS} requests: {ABSENT}"),
            false => format!("X-Ray has no such trace: {ABSENT}"),
        };
        Ok(ids
            .into_iter()
            .map(|id| match (batches.gathered.remove(&id), batches.excuses.remove(&id)) {
                (Some(gathered), _) => gathered.finish(id),
                (None, excuse) => FetchedTrace {
                    trace_id: id,
                    records: Vec::new(),
                    notes: vec![excuse.or_else(|| absent.clone()).unwrap_or_else(|| unknown(&id))],
                    complete: false,
                },
            })
            .collect())
    }

    async fn batches(&self, ids: &[TraceId], fetch: &Fetch) -> Result<Batches, SourceError> {
        let mut batches = Batches::default();
        let mut pending = ids.to_vec();
        let (mut pause, mut pages) = (PAUSE, 0);
        for round in 1..=MAX_ROUNDS {
            let asked: Vec<Vec<TraceId>> = pending.chunks(MAX_IDS).map(<[_]>::to_vec).collect();
            let mut answers = stream::iter(asked)
                .map(|ids| async { (self.batch(&ids, fetch).await, ids) })
                .buffer_unordered(CONCURRENCY);
            let mut again = Vec::new();
            while let Some((answer, asked)) = answers.next().await {
                pages += 1;
                match answer {
                    Ok(answer) => again.extend(batches.take(&answer, &asked, fetch)),
                    Err(error) if error.fault == Fault::Cancelled => return Err(error),
                    Err(error) => batches.excuse(&asked, error),
                }
                fetch.progress(Progress {
                    pages,
                    rows: u32::try_from(batches.gathered.len()).unwrap_or(u32::MAX),
                    of: u32::try_from(ids.len()).unwrap_or(u32::MAX),
                    what: "traces".to_owned(),
                });
                // A fault of credentials or network concerns the other requests as well.
                if batches.error.as_ref().is_some_and(|error| !matches!(error.fault, Fault::Broken | Fault::Invalid)) {
                    break;
                }
            }
            drop(answers);
            if let Some(error) = &batches.error {
                if batches.gathered.is_empty() {
                    return Err(error.clone());
                }
                let why = format!("not fetched: {}", error.message);
                for id in ids.iter().filter(|id| !batches.gathered.contains_key(*id)) {
                    batches.excuses.entry(*id).or_insert_with(|| why.clone());
                }
                return Ok(batches);
            }
            pending = again;
            if pending.is_empty() {
                break;
            }
            if round < MAX_ROUNDS {
                fetch.wait(pause).await?;
                pause *= 2;
            }
        }
        batches.unprocessed.extend(pending);
        Ok(batches)
    }

    async fn batch(&self, ids: &[TraceId], fetch: &Fetch) -> Result<BatchGetTracesOutput, SourceError> {
        let ids: Vec<String> = ids.iter().map(|id| id.xray()).collect();
        fetch
            .call(Api::XRAY_BATCH, || async {
                let ask = self.sdk.batch_get_traces().set_trace_ids(Some(ids.clone()));
                ask.send().await.map_err(|error| self.words(error))
            })
            .await
    }
}

/// The results of the requests for traces.
#[derive(Default)]
struct Batches {
    gathered: HashMap<TraceId, Gathered>,
    /// Those that X-Ray never processed.
    unprocessed: HashSet<TraceId>,
    /// Why some traces were not even requested.
    excuses: HashMap<TraceId, String>,
    error: Option<SourceError>,
}

impl Batches {
    /// Takes an answer, and returns the ids that must be requested again.
    fn take(&mut self, answer: &BatchGetTracesOutput, asked: &[TraceId], fetch: &Fetch) -> Vec<TraceId> {
        fetch.used(Used::XrayTracesRetrieved, answer.traces().len() as u64);
        for trace in answer.traces() {
            let Some(id) = trace.id().and_then(|id| id.parse().ok()).filter(|id| asked.contains(id)) else { continue };
            let gathered = self.gathered.entry(id).or_default();
            gathered.limit_exceeded |= trace.limit_exceeded() == Some(true);
            for segment in trace.segments() {
                gathered.document(segment.document());
            }
        }
        let unprocessed: HashSet<TraceId> =
            answer.unprocessed_trace_ids().iter().filter_map(|id| id.parse().ok()).collect();
        asked.iter().copied().filter(|id| unprocessed.contains(id) && !self.gathered.contains_key(id)).collect()
    }

    fn excuse(&mut self, asked: &[TraceId], error: SourceError) {
        for id in asked {
            self.excuses.insert(*id, format!("not fetched: {}", error.message));
        }
        self.error.get_or_insert(error);
    }
}

//! Traces of an account with Transaction Search: spans go to the log group `aws/spans`, BatchGetTraces finds nothing,
//! and a retrieval has to be started and polled
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search.html>).

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_xray::types::{RetrievalStatus, TraceFormatType, TraceSegmentDestination};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use tracebook_core::ids::TraceId;
use tracebook_core::text::count;
use tracebook_core::time::Nanos;

use super::batch::Gathered;
use super::{Client, MAX_PAGES, date, next};
use crate::cloud::{Api, Fault, Fetch, Progress, Range, SourceError, Used};

/// Ids in one retrieval (`TraceIdListForRetrieval` in the API's model).
const MAX_IDS: usize = 100;
/// The first pause between two polls; it doubles.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// How long a retrieval may take. AWS ends one after an hour, which is too long to wait for a card.
const DEADLINE: Duration = Duration::from_secs(300);
/// How long cancelling a retrieval may take.
const CALL_OFF: Duration = Duration::from_secs(3);
/// The range to search for traces whose time is unknown: as long as X-Ray keeps them.
const RETENTION: i64 = 30 * 24 * 3_600 * 1_000_000_000;

/// The result of a retrieval.
pub(super) struct Retrieved {
    pub(super) gathered: HashMap<TraceId, Gathered>,
    /// Why some traces are missing.
    pub(super) absent: String,
}

impl Client {
    /// Retrieves traces with Transaction Search; `None` if it is off, or the endpoint does not know it.
    pub(super) async fn retrieved(
        &self,
        ids: &[TraceId],
        range: Option<Range>,
        fetch: &Fetch,
    ) -> Result<Option<Retrieved>, SourceError> {
        let absent = match self.searches(fetch).await {
            Ok(false) => return Ok(None),
            Ok(true) => "Transaction Search has no such trace: not there yet, or not in the range".to_owned(),
            Err(error) if error.fault == Fault::Cancelled => return Err(error),
            Err(error) if error.fault == Fault::Unsupported => return Ok(None),
            Err(error) => {
                let absent =
                    format!("X-Ray has no such trace, and Transaction Search could not be checked: {}", error.message);
                return Ok(Some(Retrieved { gathered: HashMap::new(), absent }));
            }
        };
        let range = range.unwrap_or_else(|| {
            let now = self.time.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let now = Nanos(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX));
            Range { from: Nanos(now.0.saturating_sub(RETENTION)), until: now }
        });
        let mut retrieved = Retrieved { gathered: HashMap::new(), absent };
        for ids in ids.chunks(MAX_IDS) {
            match self.retrieve(ids, range, &mut retrieved.gathered, fetch).await {
                Ok(None) => {}
                Ok(Some(ended)) => retrieved.absent = ended,
                Err(error) if error.fault == Fault::Cancelled => return Err(error),
                Err(error) => {
                    retrieved.absent = format!("Transaction Search did not return it: {}", error.message);
                    break;
                }
            }
        }
        Ok(Some(retrieved))
    }

    /// Whether spans go to CloudWatch Logs instead of X-Ray.
    async fn searches(&self, fetch: &Fetch) -> Result<bool, SourceError> {
        let ask = || async { self.sdk.get_trace_segment_destination().send().await.map_err(|error| self.words(error)) };
        let answer = fetch.call(Api::XRAY_SETTINGS, ask).await?;
        Ok(answer.destination() == Some(&TraceSegmentDestination::CloudWatchLogs))
    }

    /// Completes one retrieval: `None`, or why it returned nothing.
    async fn retrieve(
        &self,
        ids: &[TraceId],
        range: Range,
        gathered: &mut HashMap<TraceId, Gathered>,
        fetch: &Fetch,
    ) -> Result<Option<String>, SourceError> {
        let asked: Vec<String> = ids.iter().map(|id| id.xray()).collect();
        let start = || async {
            self.sdk
                .start_trace_retrieval()
                .set_trace_ids(Some(asked.clone()))
                .start_time(date(range.from))
                .end_time(date(range.until))
                .send()
                .await
                .map_err(|error| self.words(error))
        };
        let answer = fetch.call(Api::XRAY_BATCH, start).await?;
        let Some(token) = answer.retrieval_token().map(str::to_owned) else {
            return Ok(Some("Transaction Search returned no token for the retrieval".to_owned()));
        };
        // From here on, an error or cancellation also cancels the retrieval.
        let mut running = Running { client: self.clone(), token: Some(token.clone()) };
        let deadline = Instant::now() + DEADLINE;
        let (mut pause, mut page) = (PAUSE, None::<String>);
        for pages in 1..=MAX_PAGES {
            let list = || async {
                self.sdk
                    .list_retrieved_traces()
                    .retrieval_token(&token)
                    .trace_format(TraceFormatType::Xray)
                    .set_next_token(page.clone())
                    .send()
                    .await
                    .map_err(|error| self.words(error))
            };
            let answer = fetch.call(Api::XRAY_BATCH, list).await?;
            match answer.retrieval_status() {
                Some(RetrievalStatus::Complete) => {}
                Some(RetrievalStatus::Scheduled | RetrievalStatus::Running) | None => {
                    if Instant::now() + pause > deadline {
                        let minutes = count(usize::try_from(DEADLINE.as_secs() / 60).unwrap_or(0), "minute");
                        return Ok(Some(format!(
                            "Transaction Search did not find it within {minutes}; use a shorter range"
                        )));
                    }
                    fetch.wait(pause).await?;
                    pause = (pause * 2).min(MAX_PAUSE);
                    continue;
                }
                Some(ended) => {
                    running.token = None;
                    let ended = ended.as_str().to_ascii_lowercase();
                    return Ok(Some(format!("the retrieval of Transaction Search ended with {ended}; try again")));
                }
            }
            // Complete, so there is nothing to cancel.
            running.token = None;
            fetch.used(Used::XrayTracesRetrieved, answer.traces().len() as u64);
            for trace in answer.traces() {
                let id = trace.id().and_then(|id| id.parse().ok()).filter(|id| ids.contains(id));
                let Some(id) = id else { continue };
                let gathered = gathered.entry(id).or_default();
                for span in trace.spans() {
                    gathered.document(span.document());
                }
            }
            fetch.progress(Progress {
                pages,
                rows: u32::try_from(gathered.len()).unwrap_or(u32::MAX),
                of: u32::try_from(ids.len()).unwrap_or(u32::MAX),
                what: "traces of Transaction Search".to_owned(),
            });
            page = next(answer.next_token(), page.as_deref());
            if page.is_none() {
                break;
            }
        }
        Ok(None)
    }
}

/// Cancels a retrieval when dropped.
struct Running {
    client: Client,
    token: Option<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let (Some(token), Ok(runtime)) = (self.token.take(), Handle::try_current()) else { return };
        let client = self.client.sdk.clone();
        runtime.spawn(async move {
            // The result is ignored, since AWS stops it after an hour anyway.
            timeout(CALL_OFF, client.cancel_trace_retrieval().retrieval_token(token).send()).await.ok();
        });
    }
}

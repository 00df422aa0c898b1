//! Lists traces: GetTraceSummaries over a range of any length.

use std::collections::HashMap;

use aws_sdk_xray::operation::get_trace_summaries::GetTraceSummariesOutput;
use aws_sdk_xray::types::{TimeRangeType, TraceSummary as Said};
use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::text::count;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Protocol, Span, SpanKind, StatusCode, Trace, TraceSummary};
use tracebook_core::value::{Attribute, Value};

use super::repair::Repair;
use super::{Client, MAX_PAGES, check_expression, date, length, nanos, next};
use crate::cloud::{Api, Fault, Fetch, Progress, Range, SourceError, Used};

/// The longest range of one request: what the console's links allow; the API's own limit is not documented
/// (<https://docs.aws.amazon.com/xray/latest/devguide/xray-console-deeplinks.html>).
const CHUNK: i64 = 6 * 3_600 * 1_000_000_000;

/// X-Ray keeps 30 days; a day more for ranges that end a little before now.
const RETENTION: i64 = 31 * 24 * 3_600 * 1_000_000_000;

/// Selects traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracesRequest {
    /// The range of their start, or with `event_time` of their last update.
    pub range: Range,
    /// A filter expression; empty for all. See [`forms`](super::forms).
    pub expression: String,
    /// At least one.
    pub limit: usize,
    /// Whether the range is of updates (`TimeRangeType` Event) rather than of starts (TraceId).
    pub event_time: bool,
    /// Continue where an earlier list stopped: its [`Traces::next`].
    pub after: Option<String>,
}

/// A list of traces. **`error`, `fault` and `throttle` are as in X-Ray: of the first service's response only.** A
/// deeper fault that its caller handled is not in `has_error`; the filter `service() { fault }` finds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traces {
    /// Newest first. X-Ray does not say how many spans a trace has: `spans` is 0. A partial trace (some segments have
    /// not ended) without a fault is `in_progress`.
    pub summaries: Vec<TraceSummary>,
    pub notes: Vec<String>,
    /// Whether the list is complete.
    pub complete: bool,
    /// Where to continue, if it is not.
    pub next: Option<String>,
}

/// A position in a list: a chunk by its end, a page in it by its token, and how many rows of that page were taken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cursor {
    until: Nanos,
    token: Option<String>,
    skip: usize,
}

impl Cursor {
    fn written(&self) -> String {
        format!("{}:{}:{}", self.until.0, self.skip, self.token.as_deref().unwrap_or_default())
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let until = Nanos(parts.next()?.parse().ok()?);
        let skip = parts.next()?.parse().ok()?;
        let token = Some(parts.next()?).filter(|token| !token.is_empty()).map(str::to_owned);
        Some(Self { until, token, skip })
    }
}

/// What was found so far.
#[derive(Default)]
struct Summaries {
    rows: Vec<(Nanos, i32, TraceSummary)>,
    at: HashMap<TraceId, usize>,
    unreadable: usize,
    undated: usize,
}

impl Summaries {
    /// Takes a summary. A trace that was updated between two pages is on both; the later revision stays.
    fn take(&mut self, said: &Said, chunk: Range) {
        let Some(id) = said.id().and_then(|id| id.parse::<TraceId>().ok()) else {
            self.unreadable += 1;
            return;
        };
        let start = said.start_time().and_then(nanos).unwrap_or_else(|| {
            self.undated += 1;
            undated(id, chunk)
        });
        let row = (start, said.revision(), row(id, start, said));
        match self.at.get(&id) {
            Some(&at) if self.rows[at].1 > row.1 => {}
            Some(&at) => self.rows[at] = row,
            None => {
                self.at.insert(id, self.rows.len());
                self.rows.push(row);
            }
        }
    }
}

impl Client {
    /// Lists traces, newest first: in chunks of six hours, all pages of each (also empty ones), never a sample.
    ///
    /// If a later page fails, the rows before it are returned, with a note and the position to continue at.
    ///
    /// # Errors
    /// [`Fault::Invalid`] for an invalid expression or range, errors of the first page, and [`Fault::Cancelled`].
    pub async fn traces(&self, ask: &TracesRequest, fetch: &Fetch) -> Result<Traces, SourceError> {
        check_expression(&ask.expression).map_err(|why| {
            SourceError::new(Fault::Invalid, why, "For example: service(\"backend-flask\") { fault }")
        })?;
        if ask.range.from >= ask.range.until {
            return Err(SourceError::new(Fault::Invalid, "the range ends before it begins", "Choose a later end"));
        }
        let earliest = Nanos(ask.range.until.0.saturating_sub(RETENTION));
        let from = ask.range.from.max(earliest);
        let mut at = match ask.after.as_deref() {
            None => Cursor { until: ask.range.until, token: None, skip: 0 },
            Some(text) => Cursor::read(text).ok_or_else(|| {
                SourceError::new(Fault::Invalid, "the list cannot be continued", "Start again from the first page")
            })?,
        };
        let limit = ask.limit.max(1);
        let mut found = Summaries::default();
        let mut answer = Traces::default();
        if from > ask.range.from {
            answer.notes.push("X-Ray keeps traces for 30 days: older ones were not requested".to_owned());
        }
        for pages in 1.. {
            let chunk = Range { from: from.max(Nanos(at.until.0.saturating_sub(CHUNK))), until: at.until };
            let page = match self.page(ask, chunk, at.token.as_deref(), fetch).await {
                Ok(page) => page,
                Err(error) if error.fault == Fault::Cancelled || found.rows.is_empty() => return Err(error),
                Err(error) => {
                    answer.notes.push(format!("the list is not complete: {}", error.message));
                    answer.next = Some(at.written());
                    break;
                }
            };
            fetch.used(Used::XrayTracesScanned, u64::try_from(page.traces_processed_count().unwrap_or(0)).unwrap_or(0));
            let mut taken = 0;
            for said in page.trace_summaries().iter().skip(at.skip) {
                if found.rows.len() >= limit {
                    break;
                }
                taken += 1;
                found.take(said, chunk);
            }
            let rows = u32::try_from(found.rows.len()).unwrap_or(u32::MAX);
            fetch.progress(Progress { pages, rows, of: 0, what: "traces".to_owned() });
            let here = at.skip + taken;
            let further = match next(page.next_token(), at.token.as_deref()) {
                _ if here < page.trace_summaries().len() => Some(Cursor { skip: here, ..at }),
                Some(token) => Some(Cursor { until: at.until, token: Some(token), skip: 0 }),
                None if chunk.from > from => Some(Cursor { until: chunk.from, token: None, skip: 0 }),
                None => None,
            };
            match further {
                None => {
                    answer.complete = true;
                    break;
                }
                Some(further) if found.rows.len() >= limit => {
                    answer.notes.push(format!("stopped after {}; there may be more", count(limit, "trace")));
                    answer.next = Some(further.written());
                    break;
                }
                Some(further) if pages >= MAX_PAGES => {
                    answer.notes.push(format!("stopped after {}; there are more", count(pages as usize, "page")));
                    answer.next = Some(further.written());
                    break;
                }
                Some(further) => at = further,
            }
        }
        Ok(finish(found, answer))
    }

    async fn page(
        &self,
        ask: &TracesRequest,
        chunk: Range,
        token: Option<&str>,
        fetch: &Fetch,
    ) -> Result<GetTraceSummariesOutput, SourceError> {
        let expression = Some(ask.expression.trim()).filter(|text| !text.is_empty());
        let kind = if ask.event_time { TimeRangeType::Event } else { TimeRangeType::TraceId };
        fetch
            .call(Api::XRAY_TRACES, || async {
                self.sdk
                    .get_trace_summaries()
                    .start_time(date(chunk.from))
                    .end_time(date(chunk.until))
                    .time_range_type(kind.clone())
                    .sampling(false)
                    .set_filter_expression(expression.map(str::to_owned))
                    .set_next_token(token.map(str::to_owned))
                    .customize()
                    .interceptor(Repair)
                    .send()
                    .await
                    .map_err(|error| self.words(error))
            })
            .await
    }
}

fn finish(found: Summaries, mut answer: Traces) -> Traces {
    let Summaries { mut rows, unreadable, undated, .. } = found;
    rows.sort_by_key(|(start, _, row)| (std::cmp::Reverse(*start), row.trace_id));
    answer.summaries = rows.into_iter().map(|(_, _, row)| row).collect();
    let partial = answer.summaries.iter().filter(|row| row.status == "in_progress").count();
    let mut say = |n: usize, word: &str, what: &str| {
        if n > 0 {
            answer.notes.push(format!("{} {what}", count(n, word)));
        }
    };
    say(partial, "trace", "still in progress: some segments have not ended");
    say(unreadable, "trace", "without a readable id, left out");
    say(undated, "trace", "without a start time; the one in the id is shown");
    answer
}

/// The start of a trace that does not have one (moto's do not): the time in its id, if it is in the range. W3C ids
/// contain none.
fn undated(id: TraceId, chunk: Range) -> Nanos {
    let [a, b, c, d, ..] = id.0;
    let start = Nanos::from_millis(i64::from(u32::from_be_bytes([a, b, c, d])) * 1_000);
    if (chunk.from.0.saturating_sub(1_000_000_000)..chunk.until.0).contains(&start.0) { start } else { chunk.from }
}

/// A summary as the row of a local trace: made from the root that X-Ray describes, so that both have the same title.
fn row(id: TraceId, start: Nanos, said: &Said) -> TraceSummary {
    let services = services(said);
    // Never shown; a root has to have an id.
    let mut root = Span::new(SpanId([0; 8]), services.first().cloned().unwrap_or_default(), Protocol::Xray, start);
    root.kind = SpanKind::Segment;
    root.status.code = match said {
        said if said.has_fault() == Some(true) => StatusCode::Fault,
        said if said.has_throttle() == Some(true) => StatusCode::Throttle,
        said if said.has_error() == Some(true) => StatusCode::Error,
        _ => StatusCode::Unset,
    };
    let duration = length(said.duration().unwrap_or(0.0));
    root.end = (said.is_partial() != Some(true)).then(|| Nanos(start.0.saturating_add(duration)));
    if let Some(http) = said.http() {
        let text = |key: &str, text: Option<&str>| {
            Some(Attribute { key: key.to_owned(), value: Value::Str(text.filter(|t| !t.is_empty())?.to_owned()) })
        };
        root.attributes.extend(text("http.request.method", http.http_method()));
        root.attributes.extend(text("http.request.url", http.http_url()));
        let status = http.http_status().filter(|status| *status > 0);
        root.attributes.extend(
            status.map(|status| Attribute {
                key: "http.response.status".to_owned(),
                value: Value::Int(i64::from(status)),
            }),
        );
    }
    let nameless = root.name.is_empty() && root.attributes.is_empty();
    let trace = Trace { trace_id: id, resources: Vec::new(), scopes: Vec::new(), spans: vec![root], notes: Vec::new() };
    let mut row = trace.summary();
    if nameless {
        row.name = format!("trace {}", id.short());
    }
    row.services = services;
    row.spans = 0;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
    let duration_ms = duration as f64 / 1e6;
    row.duration_ms = duration_ms;
    row
}

/// All services involved, starting with the first one.
fn services(said: &Said) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for service in said.entry_point().into_iter().chain(said.service_ids()) {
        let name = service.name().or_else(|| service.names().first().map(String::as_str)).unwrap_or_default();
        // The external caller has the name of the service that it calls, or none.
        if service.r#type() != Some("client") && !name.is_empty() && !names.iter().any(|there| there == name) {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod cursor_tests {
    use super::*;

    #[test]
    fn a_place_reads_back() {
        for token in [None, Some("a:b:".to_owned())] {
            let cursor = Cursor { until: Nanos(1_795_447_897_864_686_000), token, skip: 3 };
            assert_eq!(Cursor::read(&cursor.written()), Some(cursor));
        }
        for wrong in ["", "1", "1:2", "x:1:", "1:-1:"] {
            assert_eq!(Cursor::read(wrong), None, "{wrong:?}");
        }
    }
}

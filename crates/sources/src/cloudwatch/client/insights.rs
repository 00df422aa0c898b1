//! Logs Insights: running a query to its complete result, and the queries saved in CloudWatch.

mod answer;

use std::time::Duration;

use aws_sdk_cloudwatchlogs::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_cloudwatchlogs::types::{QueryLanguage, QueryStatistics, QueryStatus};
use tracebook_core::query::{self, QueryResult};
use tracebook_core::text::count;
use tracebook_core::time::Nanos;

use super::groups::Listed;
use super::{Client, fault};
use crate::cloud::{Api, Fault, Fetch, Progress, Range, SourceError, Used};
use answer::Table;
pub use answer::timestamp_in;

/// The most rows of one query.
const MAX_ROWS: u32 = 100_000;
const MAX_QUERY_LENGTH: usize = 10_000;
/// The most groups of one query.
const MAX_GROUPS: usize = 50;
/// The pause before the first poll of a query; it grows by half each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two polls.
const MAX_PAUSE: Duration = Duration::from_secs(3);
/// How long to wait when stopping an abandoned query.
const STOPPING: Duration = Duration::from_secs(3);

/// A query to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsightsRequest {
    /// Names of log groups; may be empty if the text has a `SOURCE` command.
    pub groups: Vec<String>,
    /// In the Logs Insights query language.
    pub text: String,
    /// Insights uses whole seconds, so up to a second more at each end.
    pub range: Range,
    /// At most 100,000 rows. A `limit` in the text applies too.
    pub limit: u32,
}

/// A query saved in CloudWatch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    pub id: String,
    /// Folders are before a `/`.
    pub name: String,
    pub query: String,
    pub groups: Vec<String>,
}

impl Client {
    /// Runs a query and waits for its complete result. If it is cancelled or abandoned, it is also stopped at AWS,
    /// which charges by bytes scanned.
    ///
    /// # Errors
    /// [`Fault::Invalid`] with AWS's message if the query is invalid; [`Fault::Broken`] if it failed or was stopped
    /// elsewhere; see [`SourceError`].
    pub async fn query(&self, ask: &InsightsRequest, fetch: &Fetch) -> Result<QueryResult, SourceError> {
        check(ask)?;
        let (start, end) = seconds(ask.range);
        let limit = ask.limit.clamp(1, MAX_ROWS);
        let started = fetch
            .call(Api::LOGS_INSIGHTS, || async {
                self.logs
                    .start_query()
                    .set_log_group_names((!ask.groups.is_empty()).then(|| ask.groups.clone()))
                    .start_time(start)
                    .end_time(end)
                    .query_string(&ask.text)
                    .limit(i32::try_from(limit).unwrap_or(i32::MAX))
                    .send()
                    .await
                    .map_err(|error| match error.as_service_error() {
                        Some(refused) if refused.is_malformed_query_exception() => malformed(refused),
                        _ => self.fault(&error),
                    })
            })
            .await?;
        let id = started.query_id.filter(|id| !id.is_empty()).ok_or_else(|| broken("returned no query id"))?;
        let mut running = Running { client: self, id, fetch, scanned: 0, ended: false };
        let outcome = running.wait().await;
        if matches!(&outcome, Err(error) if error.fault == Fault::Cancelled) {
            running.stop().await;
        }
        let (table, statistics) = outcome?;
        Ok(result(ask, limit, (start, end), table, statistics.as_ref()))
    }

    /// The queries saved in CloudWatch, by name.
    pub async fn saved_queries(&self, fetch: &Fetch) -> Result<Listed<Saved>, SourceError> {
        const MAX_PAGES: u32 = 50;
        let mut found = Listed { rows: Vec::new(), notes: Vec::new() };
        let mut other_languages = 0;
        let mut token: Option<String> = None;
        for pages in 1..=MAX_PAGES {
            let answer = fetch
                .call(Api::LOGS_INSIGHTS, || async {
                    let ask = self.logs.describe_query_definitions().set_next_token(token.clone());
                    ask.send().await.map_err(|error| self.fault(&error))
                })
                .await?;
            for saved in answer.query_definitions.unwrap_or_default() {
                if saved.query_language.as_ref().is_some_and(|language| *language != QueryLanguage::Cwli) {
                    other_languages += 1;
                    continue;
                }
                found.rows.push(Saved {
                    id: saved.query_definition_id.unwrap_or_default(),
                    name: saved.name.unwrap_or_default(),
                    query: saved.query_string.unwrap_or_default(),
                    groups: saved.log_group_names.unwrap_or_default(),
                });
            }
            let rows = u32::try_from(found.rows.len()).unwrap_or(u32::MAX);
            fetch.progress(Progress { pages, rows, of: 0, what: "saved queries".to_owned() });
            token = answer.next_token.filter(|next| token.as_ref() != Some(next));
            if token.is_none() {
                break;
            }
        }
        found.rows.sort_by(|a, b| a.name.cmp(&b.name));
        if other_languages > 0 {
            let note = format!(
                "{} in PPL or SQL not shown: only the Logs Insights query language is supported",
                count(other_languages, "query")
            );
            found.notes.push(note.replace("querys", "queries"));
        }
        Ok(found)
    }
}

/// A running query.
struct Running<'a> {
    client: &'a Client,
    id: String,
    fetch: &'a Fetch,
    /// Bytes scanned, as far as reported.
    scanned: u64,
    /// Whether AWS reported its end, or was asked to stop it.
    ended: bool,
}

impl Running<'_> {
    /// Polls until it is complete, then reads the whole result. Earlier rows are partial.
    async fn wait(&mut self) -> Result<(Table, Option<QueryStatistics>), SourceError> {
        let mut pause = FIRST_PAUSE;
        for looks in 1.. {
            self.fetch.wait(pause).await?;
            pause = (pause * 3 / 2).min(MAX_PAUSE);
            let answer = self.look(None).await?;
            // By its text: the SDK has its own variant named like the service's status `Unknown`.
            let status = answer.status().map_or("Unknown", QueryStatus::as_str).to_owned();
            self.tell(looks, &answer, &status);
            match status.as_str() {
                "Scheduled" | "Running" => {}
                "Complete" => {
                    self.ended = true;
                    return self.collect(answer).await;
                }
                other => {
                    self.ended = matches!(other, "Failed" | "Cancelled" | "Timeout");
                    return Err(ended_as(other));
                }
            }
        }
        Err(broken("did not finish the query"))
    }

    async fn collect(&self, answer: GetQueryResultsOutput) -> Result<(Table, Option<QueryStatistics>), SourceError> {
        let mut table = Table::default();
        let statistics = answer.statistics;
        let mut token = answer.next_token;
        table.add(answer.results.unwrap_or_default());
        while let Some(sent) = token {
            if table.is_full() {
                table.cut = true;
                break;
            }
            let answer = self.look(Some(&sent)).await?;
            table.add(answer.results.unwrap_or_default());
            token = answer.next_token.filter(|next| *next != sent);
        }
        Ok((table, statistics))
    }

    async fn look(&self, token: Option<&str>) -> Result<GetQueryResultsOutput, SourceError> {
        self.fetch
            .call(Api::LOGS_INSIGHTS, || async {
                let ask =
                    self.client.logs.get_query_results().query_id(&self.id).set_next_token(token.map(str::to_owned));
                ask.send().await.map_err(|error| self.client.fault(&error))
            })
            .await
    }

    fn tell(&mut self, looks: u32, answer: &GetQueryResultsOutput, status: &str) {
        let statistics = answer.statistics();
        let scanned = statistics.map_or(0, |statistics| answer::whole(statistics.bytes_scanned));
        let more = scanned.saturating_sub(self.scanned);
        self.scanned = self.scanned.max(scanned);
        if more > 0 {
            self.fetch.used(Used::InsightsBytes, more);
        }
        let events = statistics.map_or(0, |statistics| answer::whole(statistics.records_scanned));
        self.fetch.progress(Progress {
            pages: looks,
            rows: u32::try_from(answer.results().len()).unwrap_or(u32::MAX),
            of: 0,
            what: format!("Logs Insights: {status}, {events} events and {scanned} bytes scanned"),
        });
    }

    /// Stops the query at AWS. Not through [`Fetch::call`], which makes no request after a cancellation.
    async fn stop(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let asking = self.client.logs.stop_query().query_id(&self.id).send();
        // Whether it worked changes nothing for whoever waits.
        tokio::time::timeout(STOPPING, asking).await.ok();
    }
}

impl Drop for Running<'_> {
    /// Abandoned: the future was dropped.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let asking = self.client.logs.stop_query().query_id(&self.id).send();
        runtime.spawn(tokio::time::timeout(STOPPING, asking));
    }
}

fn check(ask: &InsightsRequest) -> Result<(), SourceError> {
    let invalid = |message: &str, hint: &str| Err(SourceError::new(Fault::Invalid, message, hint));
    for group in &ask.groups {
        fault::group_name(group)?;
    }
    if ask.text.trim().is_empty() {
        return invalid(
            "the query is empty",
            "Write one: fields @timestamp, @message | sort @timestamp desc | limit 100",
        );
    }
    if ask.text.chars().count() > MAX_QUERY_LENGTH {
        return invalid("the query is longer than 10,000 characters", "Make it shorter");
    }
    if ask.groups.len() > MAX_GROUPS {
        return invalid("more than 50 log groups given", "Use fewer");
    }
    if ask.groups.is_empty() && !answer::has_command(&ask.text, "source") {
        return invalid("no log group given", "Specify the log groups of the query");
    }
    Ok(())
}

/// The range in seconds, both ends inclusive.
fn seconds(range: Range) -> (i64, i64) {
    const SECOND: i64 = 1_000_000_000;
    let end = range.until.0.div_euclid(SECOND) + i64::from(range.until.0.rem_euclid(SECOND) != 0);
    (range.from.0.div_euclid(SECOND).max(0), end.max(0))
}

fn result(
    ask: &InsightsRequest,
    limit: u32,
    (start, end): (i64, i64),
    table: Table,
    statistics: Option<&QueryStatistics>,
) -> QueryResult {
    let cut = table.cut;
    let (columns, rows) = table.finish();
    let (more, note) = answer::more(&ask.text, if cut { 0 } else { limit }, rows.len(), statistics);
    let note = match cut {
        true => Some(format!("only the first {} were read, the limit of a result", count(rows.len(), "row"))),
        false => note,
    };
    QueryResult {
        language: query::QueryLanguage::Insights,
        name: String::new(),
        query: ask.text.clone(),
        groups: ask.groups.clone(),
        start: Nanos(start.saturating_mul(1_000_000_000)),
        end: Nanos(end.saturating_mul(1_000_000_000)),
        columns,
        rows,
        more,
        statistics: statistics.map(answer::statistics).unwrap_or_default(),
        notes: note.into_iter().collect(),
    }
}

fn malformed(error: &aws_sdk_cloudwatchlogs::operation::start_query::StartQueryError) -> SourceError {
    use aws_sdk_cloudwatchlogs::operation::start_query::StartQueryError;
    let compile = match error {
        StartQueryError::MalformedQueryException(malformed) => malformed.query_compile_error(),
        _ => None,
    };
    let said = compile.and_then(|compile| compile.message()).or(error.meta().message()).unwrap_or("it cannot be read");
    let place = compile
        .and_then(|compile| compile.location())
        .and_then(|location| location.start_char_offset())
        .map(|offset| format!(" at character {}", i64::from(offset) + 1))
        .unwrap_or_default();
    let words: Vec<&str> = said.split_whitespace().collect();
    SourceError::new(
        Fault::Invalid,
        format!("Logs Insights cannot read the query{place}: {}", crate::text::clip(&words.join(" "))),
        "Commands are separated by |: fields, filter, stats, sort, limit, parse, display",
    )
}

fn ended_as(status: &str) -> SourceError {
    match status {
        "Failed" => SourceError::new(
            Fault::Broken,
            "the query failed in Logs Insights",
            "Try a shorter range or a simpler query; partial results are not kept",
        ),
        "Cancelled" => SourceError::new(Fault::Broken, "the query was stopped by somebody else", "Run it again"),
        "Timeout" => SourceError::new(
            Fault::Broken,
            "the query ran for longer than 60 minutes, and Logs Insights ended it",
            "Choose a shorter range",
        ),
        other => SourceError::new(
            Fault::Broken,
            format!("Logs Insights reports an unknown query status ({})", crate::text::clip(other)),
            "Run it again",
        ),
    }
}

fn broken(what: &str) -> SourceError {
    SourceError::new(Fault::Broken, format!("Logs Insights {what}"), "Run the query again")
}

//! Logs Insights: a query from its start to its complete result, and the queries that are saved in CloudWatch.

mod answer;

use std::time::Duration;

use aws_sdk_cloudwatchlogs::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_cloudwatchlogs::types::{QueryLanguage, QueryStatistics, QueryStatus};
use tracebook_core::query::{self, QueryResult};
use tracebook_core::time::Nanos;

use super::groups::Found;
use super::{Client, fault};
use crate::cloud::{Api, Fault, Fetch, Progress, Range, SourceError, Used};
use crate::count;
use answer::Table;
pub use answer::timestamp_in;

/// The most rows of one query.
const MOST_ROWS: u32 = 100_000;
/// The longest query.
const LONGEST: usize = 10_000;
/// The most groups that can be asked together.
const MOST_GROUPS: usize = 50;
/// The pause before the first look at a query; the next is half as long again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// How long the end of a query that nobody wants any more is waited for.
const STOPPING: Duration = Duration::from_secs(3);

/// Which query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryAsk {
    /// The log groups' names; may be empty where the text has a `SOURCE` command.
    pub groups: Vec<String>,
    /// The query, in Logs Insights' own language.
    pub text: String,
    /// When; Insights goes by whole seconds, so up to a second more at each end.
    pub range: Range,
    /// At most so many rows; 100,000 at most. A `limit` in the text holds too.
    pub limit: u32,
}

/// A query that is saved in CloudWatch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Its id.
    pub id: String,
    /// Its name; folders are before a `/`.
    pub name: String,
    /// Its text.
    pub query: String,
    /// The log groups that it is for.
    pub groups: Vec<String>,
}

impl Client {
    /// Runs a query and waits for its whole result. Ended by the user, or given up, it is also stopped at AWS, which charges by what was
    /// scanned.
    ///
    /// # Errors
    /// [`Fault::Invalid`] where the query cannot be read, with AWS's words; [`Fault::Broken`] where it failed or was stopped elsewhere;
    /// see [`SourceError`].
    pub async fn query(&self, ask: &QueryAsk, fetch: &Fetch) -> Result<QueryResult, SourceError> {
        check(ask)?;
        let (start, end) = seconds(ask.range);
        let limit = ask.limit.clamp(1, MOST_ROWS);
        let started = fetch
            .call(Api::LogsInsights, || async {
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
        let id =
            started.query_id.filter(|id| !id.is_empty()).ok_or_else(|| broken("did not say which query it started"))?;
        let mut running = Running { client: self, id, fetch, scanned: 0, ended: false };
        let outcome = running.wait().await;
        if matches!(&outcome, Err(error) if error.fault == Fault::Cancelled) {
            running.stop().await;
        }
        let (table, statistics) = outcome?;
        Ok(result(ask, limit, (start, end), table, statistics.as_ref()))
    }

    /// The queries that are saved in CloudWatch, by name.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub async fn saved_queries(&self, fetch: &Fetch) -> Result<Found<Saved>, SourceError> {
        const MOST_PAGES: u32 = 50;
        let mut found = Found { rows: Vec::new(), notes: Vec::new() };
        let mut other_languages = 0;
        let mut token: Option<String> = None;
        for pages in 1..=MOST_PAGES {
            let answer = fetch
                .call(Api::LogsInsights, || async {
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
                "{} in PPL or SQL not shown: only Logs Insights' own language is run here",
                count(other_languages, "query")
            );
            found.notes.push(note.replace("querys", "queries"));
        }
        Ok(found)
    }
}

/// A query at work.
struct Running<'a> {
    client: &'a Client,
    id: String,
    fetch: &'a Fetch,
    /// How many bytes were scanned, as far as was said.
    scanned: u64,
    /// Whether AWS said that it is over, or was told to end it.
    ended: bool,
}

impl Running<'_> {
    /// Looks until it is complete, then reads all of it. What comes before is partial, and no result.
    async fn wait(&mut self) -> Result<(Table, Option<QueryStatistics>), SourceError> {
        let mut pause = FIRST_PAUSE;
        for looks in 1.. {
            self.fetch.wait(pause).await?;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            let answer = self.look(None).await?;
            // By its text: the SDK has a name of its own for the status that the service calls `Unknown`.
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
        Err(broken("never ended the query"))
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
            .call(Api::LogsInsights, || async {
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

    /// Ends the query at AWS. Not by [`Fetch::call`], which makes no request for a user who has ended it.
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
    /// Nobody waits any more: the one who did was dropped.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let asking = self.client.logs.stop_query().query_id(&self.id).send();
        runtime.spawn(tokio::time::timeout(STOPPING, asking));
    }
}

fn check(ask: &QueryAsk) -> Result<(), SourceError> {
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
    if ask.text.chars().count() > LONGEST {
        return invalid("the query is longer than 10,000 characters", "Make it shorter");
    }
    if ask.groups.len() > MOST_GROUPS {
        return invalid("more than 50 log groups are named", "Name fewer");
    }
    if ask.groups.is_empty() && !answer::has_command(&ask.text, "source") {
        return invalid("no log group is named", "Name the log groups that the query is for");
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
    ask: &QueryAsk,
    limit: u32,
    (start, end): (i64, i64),
    table: Table,
    statistics: Option<&QueryStatistics>,
) -> QueryResult {
    let cut = table.cut;
    let (columns, rows) = table.finish();
    let (more, note) = answer::more(&ask.text, if cut { 0 } else { limit }, rows.len(), statistics);
    let note = match cut {
        true => Some(format!("only the first {} were read: a result may not be larger here", count(rows.len(), "row"))),
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
        format!("Logs Insights cannot read the query{place}: {}", crate::clip(&words.join(" "))),
        "Commands are separated by |: fields, filter, stats, sort, limit, parse, display",
    )
}

fn ended_as(status: &str) -> SourceError {
    match status {
        "Failed" => SourceError::new(
            Fault::Broken,
            "Logs Insights says that the query failed",
            "Try a shorter range or a simpler query; what came before the failure is partial, and is not kept",
        ),
        "Cancelled" => SourceError::new(Fault::Broken, "the query was stopped by somebody else", "Run it again"),
        "Timeout" => SourceError::new(
            Fault::Broken,
            "the query ran for longer than 60 minutes, and Logs Insights ended it",
            "Ask for a shorter range",
        ),
        other => SourceError::new(
            Fault::Broken,
            format!("Logs Insights does not know how the query ended ({})", crate::clip(other)),
            "Run it again",
        ),
    }
}

fn broken(what: &str) -> SourceError {
    SourceError::new(Fault::Broken, format!("Logs Insights {what}"), "Run the query again")
}

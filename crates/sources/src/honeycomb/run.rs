//! Honeycomb's Query Data API: creates a query, runs it, and polls for its result.
//!
//! Wire: `docs.honeycomb.io/api/tag/Query-Data`. Only the Enterprise plan has it; creating a query works on every plan.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use tracebook_core::query::{QueryLanguage, QueryResult};
use tracebook_core::time::Nanos;

use super::client::Client;
use super::spec::{Spec, rounding};
use crate::cloud::{Api, Fault, Fetch, Http, Progress, Range, SourceError};

/// The pause before the first poll; it grows.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause between two polls.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// How often to poll: about three minutes. Honeycomb itself gives up long before.
const MAX_POLLS: u32 = 90;
/// The most rows that Honeycomb returns.
const MAX_ROWS: u32 = 10_000;

/// A query's result, and its page.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its name is empty.
    pub result: QueryResult,
    /// Honeycomb's page of this result; `None` if missing.
    pub link: Option<String>,
    /// The query's id, for boards.
    pub query_id: String,
}

impl Client {
    /// Runs a query over a range of at most seven days, for at most `limit` rows ([`MAX_ROWS`] at most). `dataset` is a
    /// slug, or [`super::links::ALL`]. A saved query's specification comes from [`Client::query_spec`], and its own
    /// range from [`Spec::range`].
    ///
    /// # Errors
    /// [`Fault::Invalid`] before any request if the range is too long; [`Fault::Forbidden`] if the plan has no Query
    /// Data API.
    pub async fn run(
        &self,
        dataset: &str,
        spec: &Spec,
        range: Range,
        limit: u32,
        fetch: &Fetch,
    ) -> Result<Answer, SourceError> {
        let limit = limit.clamp(1, MAX_ROWS);
        let asked = spec.over(range)?;
        let what = format!("the query on {dataset}");
        let tell = |pages: u32, rows: u32| fetch.progress(Progress { pages, rows, of: 0, what: what.clone() });
        tell(0, 0);

        let url = self.rest.url(&["1", "queries", dataset]);
        let made = self.rest.post(Api::HONEYCOMB_READ, &url, Bytes::from(asked.json().to_string()), fetch).await?;
        let query_id = self.id_in(&made, &self.open(&made, "Manage Queries and Columns")?)?;

        let url = self.rest.url(&["1", "query_results", dataset]);
        let request = json!({"query_id": query_id, "disable_series": true, "limit": limit});
        let begun = self.rest.post(Api::HONEYCOMB_QUERY, &url, Bytes::from(request.to_string()), fetch).await?;
        let mut answer = self.open(&begun, "Run Queries").map_err(|error| not_in_the_plan(&begun, error))?;
        let id = self.id_in(&begun, &answer)?;

        let url = self.rest.url(&["1", "query_results", dataset, &id]);
        let mut pause = FIRST_PAUSE;
        let mut looks = 0;
        while answer.get("complete").and_then(Json::as_bool) != Some(true) {
            if looks >= MAX_POLLS {
                let message = "Honeycomb did not finish the query in three minutes";
                let hint = "Use a shorter range or fewer rows, or open the query in Honeycomb";
                return Err(SourceError::new(Fault::Broken, message, hint));
            }
            fetch.wait(pause).await?;
            pause = (pause * 2).min(MAX_PAUSE);
            looks += 1;
            tell(looks, 0);
            let look = self.rest.get(Api::HONEYCOMB_READ, &url, fetch).await?;
            answer = self.open(&look, "Run Queries")?;
        }
        let link = answer.get("links").and_then(|links| links.get("query_url")).and_then(Json::as_str);
        let link = link.filter(|link| link.starts_with("https://")).map(str::to_owned);
        let result = table(&answer, &asked, dataset, range, limit);
        tell(looks, u32::try_from(result.rows.len()).unwrap_or(u32::MAX));
        Ok(Answer { result, link, query_id })
    }

    fn id_in(&self, answer: &Http, json: &Json) -> Result<String, SourceError> {
        let id = json.get("id").and_then(Json::as_str).filter(|id| !id.is_empty());
        id.map(str::to_owned).ok_or_else(|| self.rest.unreadable(answer, "it has no `id`"))
    }
}

/// The same key has just created a query: if it may not run it, the plan is the reason.
fn not_in_the_plan(answer: &Http, error: SourceError) -> SourceError {
    let says_so = String::from_utf8_lossy(&answer.body[..answer.body.len().min(4096)]).contains("available as part of");
    if !says_so && ![401, 403, 404].contains(&answer.status) {
        return error;
    }
    SourceError::new(
        Fault::Forbidden,
        format!(
            "Honeycomb's API returns query results on the Enterprise plan only, or the key may not run queries ({})",
            error.message
        ),
        "Open the query in Honeycomb by its link: that works on every plan. To keep spans as evidence, send them to this app too, \
         by a second OTLP exporter (`tracebook env` shows how): what arrives here is captured without Honeycomb",
    )
}

/// `data.results[].data` as rows and columns.
fn table(answer: &Json, asked: &Spec, dataset: &str, range: Range, limit: u32) -> QueryResult {
    let results = answer.get("data").and_then(|data| data.get("results")).and_then(Json::as_array);
    let results: Vec<&serde_json::Map<String, Json>> = results
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter_map(|row| row.get("data").unwrap_or(row).as_object())
        .collect();
    let mut columns = asked.columns();
    // A column that the query does not name is shown after the others.
    for row in &results {
        for name in row
            .keys()
            .filter(|name| columns.len() < MAX_COLUMNS && !columns.contains(name))
            .cloned()
            .collect::<Vec<_>>()
        {
            columns.push(name);
        }
    }
    let rows: Vec<Vec<String>> = results
        .iter()
        .take(limit as usize)
        .map(|row| columns.iter().map(|name| row.get(name).map(cell).unwrap_or_default()).collect())
        .collect();
    let mut notes =
        vec!["Honeycomb calculated these values from events; the events themselves are not included".to_owned()];
    let (start, end, seconds) = rounded(range);
    if (start, end) != (range.from, range.until) {
        let minutes = seconds / 60;
        let unit = if minutes == 1 { "the minute".to_owned() } else { format!("{minutes} minutes") };
        notes.push(format!(
            "Honeycomb rounds times down to {unit}: the result covers {} to {}",
            start.human(),
            end.human()
        ));
    }
    if rows.len() >= limit as usize {
        notes.push(format!("the limit is {limit} rows; there may be more"));
    }
    QueryResult {
        language: QueryLanguage::Honeycomb,
        query: asked.text(),
        groups: vec![dataset.to_owned()],
        start: range.from,
        end: range.until,
        more: u32::try_from(results.len().saturating_sub(rows.len())).unwrap_or(u32::MAX),
        columns,
        rows,
        notes,
        ..QueryResult::default()
    }
}

/// More columns than a query can have (a hundred breakdowns and a hundred calculations).
const MAX_COLUMNS: usize = 200;

/// How Honeycomb rounds a range, and to how many seconds.
fn rounded(range: Range) -> (Nanos, Nanos, i64) {
    let seconds = rounding(range);
    let down = |time: Nanos| Nanos(time.0 - time.0.rem_euclid(seconds * 1_000_000_000));
    (down(range.from), down(range.until), seconds)
}

/// A cell as text; heatmap cells are objects.
fn cell(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

//! Queries: saved here or at the vendor, run, and their answers kept until they are frozen.

use std::time::Duration;

use tracebook_core::catalog::QueriesFrom;
use tracebook_core::evidence::Kind;
use tracebook_core::filter::{FilterError, leading_part};
use tracebook_core::freeze::Origin;
use tracebook_core::query::QueryResult;
use tracebook_core::question::Source;
use tracebook_sources::cloudwatch;
use tracebook_sources::cloudwatch::client::InsightsRequest;
use tracebook_sources::honeycomb::client::name_boards;
use tracebook_sources::honeycomb::links;
use tracebook_sources::honeycomb::spec::Spec;
use tracebook_store::queries::StoredQuery;

use super::Explorer;
use crate::ground::error::Error;
use crate::ground::question::unsupported;
use crate::ground::schema::{
    Caller, Listed, QueriesRequest, QueryAnswer, QueryForget, QueryRun, QuerySave, SavedQuery, Vendor,
};

/// How long an answer is kept for freezing.
const ANSWER_TTL: Duration = Duration::from_secs(3_600);
/// The nanoseconds that a query covers unless it names a range.
const LOOKBACK: i64 = 3_600 * 1_000_000_000;
/// The rows of an answer unless the caller names a limit.
const ROWS: u32 = 1_000;
/// Prefixes of ids: of an answer, and of a query saved in CloudWatch.
const ANSWER: &str = "answer:";
const CLOUDWATCH: &str = "cloudwatch:";

/// An answer and its origin.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) source: Source,
    pub(crate) result: QueryResult,
    pub(crate) origin: Origin,
}

/// The query to run.
#[derive(Default)]
struct Wanted {
    name: String,
    query: String,
    groups: Vec<String>,
}

impl Explorer {
    pub(crate) async fn queries(&self, request: QueriesRequest, caller: &Caller) -> Result<Listed<SavedQuery>, Error> {
        let from = queries_from(request.source)?;
        let mut rows: Vec<SavedQuery> =
            self.journal.saved_queries(Source::from(from).id()).await?.into_iter().map(ours).collect();
        let mut list = Listed::all(Vec::new());
        // Queries saved here need no account.
        let theirs = match from {
            QueriesFrom::Cloudwatch => self.queries_of_cloudwatch(caller).await,
            QueriesFrom::Honeycomb => self.queries_of_honeycomb(caller).await,
        };
        match theirs {
            Ok((found, notes)) => {
                rows.extend(found);
                list.notes = notes;
                list.asked_at = Some(self.runtime.now().rfc3339());
            }
            Err(error) if rows.is_empty() => return Err(error),
            Err(error) => list.notes.push(error.message),
        }
        list.rows = rows;
        Ok(list)
    }

    async fn queries_of_cloudwatch(&self, caller: &Caller) -> Result<(Vec<SavedQuery>, Vec<String>), Error> {
        let ask = self.cloud.ask_aws(caller).await?;
        let found = self.cloud.answered(Vendor::Aws, ask.aws.logs.saved_queries(&ask.fetch).await).await?;
        let rows = found.rows.into_iter().map(|saved| SavedQuery {
            id: format!("{CLOUDWATCH}{}", saved.id),
            source: Source::Cloudwatch,
            name: saved.name,
            query: saved.query,
            groups: saved.groups,
            from: "CloudWatch".to_owned(),
            link: None,
        });
        Ok((rows.collect(), found.notes))
    }

    async fn queries_of_honeycomb(&self, caller: &Caller) -> Result<(Vec<SavedQuery>, Vec<String>), Error> {
        let ask = self.cloud.ask_honeycomb(caller).await?;
        let saved = self.cloud.answered(Vendor::Honeycomb, ask.client.saved_queries(&ask.fetch).await).await?;
        let mut notes = saved.notes;
        let mut boards = match self.cloud.answered(Vendor::Honeycomb, ask.client.boards(&ask.fetch).await).await {
            Ok(boards) => boards,
            Err(error) => {
                notes.push(format!("boards could not be listed: {}", error.message));
                Vec::new()
            }
        };
        name_boards(&mut boards, &saved.rows);
        let mut rows = Vec::new();
        for board in &boards {
            for query in board.queries.iter().filter(|q| !q.dataset.is_empty() && !q.query_id.is_empty()) {
                rows.push(SavedQuery {
                    id: format!("{}/{}", query.dataset, query.query_id),
                    source: Source::Honeycomb,
                    name: if query.name.is_empty() { format!("a query of {}", board.name) } else { query.name.clone() },
                    query: String::new(),
                    groups: vec![query.dataset.clone()],
                    from: format!("board {}", board.name),
                    link: board.link.clone(),
                });
            }
        }
        for query in saved.rows.into_iter().filter(|q| !q.of_board) {
            rows.push(SavedQuery {
                id: format!("{}/{}", query.dataset, query.query_id),
                source: Source::Honeycomb,
                name: query.name,
                query: String::new(),
                groups: vec![query.dataset],
                from: "Honeycomb".to_owned(),
                link: None,
            });
        }
        Ok((rows, notes))
    }

    pub(crate) async fn query_save(&self, QuerySave(request): QuerySave) -> Result<SavedQuery, Error> {
        let source = Source::from(queries_from(request.source)?);
        if request.name.trim().is_empty() || request.query.trim().is_empty() {
            return Err(Error::usage(
                "a saved query needs a name and a text",
                "Give it a name that says what it answers",
            ));
        }
        // A copied query may contain a credential, which is not stored.
        let query = tracebook_core::credentials::remove_from_text(
            &request.query,
            &mut tracebook_core::credentials::Removed::default(),
        )
        .into_owned();
        let id = match request.id.as_str() {
            "" => self.runtime.new_id().to_string(),
            id => id.to_owned(),
        };
        let stored = StoredQuery {
            id,
            source: source.id().to_owned(),
            name: request.name.trim().to_owned(),
            query,
            groups: request.groups,
        };
        self.journal.save_query(&stored, self.runtime.now()).await?;
        Ok(ours(stored))
    }

    pub(crate) async fn query_forget(&self, QueryForget(request): QueryForget) -> Result<bool, Error> {
        Ok(self.journal.delete_query(&request.id).await?)
    }

    pub(crate) async fn query_run(&self, request: QueryRun, caller: &Caller) -> Result<QueryAnswer, Error> {
        let answered = self.run_query(&request, caller).await?;
        let id = format!("{ANSWER}{}", self.runtime.new_id());
        let link = answered.origin.console_link.clone();
        let result = answered.result.clone();
        self.answers.put(id.clone(), answered, ANSWER_TTL);
        Ok(QueryAnswer { id, result, link })
    }

    /// The answer of an id, or a new one.
    pub(crate) async fn run_query(&self, request: &QueryRun, caller: &Caller) -> Result<Answered, Error> {
        if let Some(id) = request.id.as_deref().filter(|id| id.starts_with(ANSWER)) {
            return self.answers.get(id).ok_or_else(|| {
                Error::not_found(
                    "that answer is no longer kept",
                    "Run the query again: answers are kept for an hour, in this run only",
                )
            });
        }
        match queries_from(request.source)? {
            QueriesFrom::Cloudwatch => self.run_insights(request, caller).await,
            QueriesFrom::Honeycomb => self.run_honeycomb(request, caller).await,
        }
    }

    async fn run_insights(&self, request: &QueryRun, caller: &Caller) -> Result<Answered, Error> {
        let wanted = match request.id.as_deref() {
            None => Wanted { query: request.query.clone(), ..Wanted::default() },
            Some(id) => self.saved_for_cloudwatch(id, caller).await?,
        };
        let (mut groups, text) = leading_groups(&wanted.query)?;
        groups.extend(if request.groups.is_empty() { wanted.groups } else { request.groups.clone() });
        let ask = self.cloud.ask_aws(caller).await?;
        if groups.is_empty() && !text.to_uppercase().contains("SOURCE") {
            groups.push(self.cloud.group_of(&ask, &crate::cloud::parse_filter("")?).await?);
        }
        let range = self.cloud.back(request.since.as_deref(), LOOKBACK)?;
        let question = InsightsRequest {
            groups: groups.clone(),
            text: text.to_owned(),
            range,
            limit: request.limit.unwrap_or(ROWS),
        };
        let mut result = self.cloud.answered(Vendor::Aws, ask.aws.logs.query(&question, &ask.fetch).await).await?;
        result.name = wanted.name;
        let origin = Origin {
            via: vec!["CloudWatch Logs Insights".to_owned()],
            region: Some(ask.region().to_owned()),
            console_link: cloudwatch::links::insights(ask.region(), &groups, text, range),
            expires: None,
        };
        Ok(Answered { source: Source::Cloudwatch, result, origin })
    }

    async fn saved_for_cloudwatch(&self, id: &str, caller: &Caller) -> Result<Wanted, Error> {
        let list = match id.strip_prefix(CLOUDWATCH) {
            Some(_) => self.queries_of_cloudwatch(caller).await?.0,
            None => self.journal.saved_queries("cloudwatch").await?.into_iter().map(ours).collect(),
        };
        let found = list.into_iter().find(|saved| saved.id == id || saved.name == id);
        let saved = found.ok_or_else(|| no_such(id))?;
        Ok(Wanted { name: saved.name, query: saved.query, groups: saved.groups })
    }

    async fn run_honeycomb(&self, request: &QueryRun, caller: &Caller) -> Result<Answered, Error> {
        let ask = self.cloud.ask_honeycomb(caller).await?;
        let mut name = String::new();
        let (mut datasets, text) = leading_groups(&request.query)?;
        datasets.extend(request.groups.iter().cloned());
        let spec = match request.id.as_deref() {
            None => Spec::parse(text)?,
            Some(id) => {
                let own =
                    self.journal.saved_queries("honeycomb").await?.into_iter().find(|q| q.id == id || q.name == id);
                match (own, id.rsplit_once('/')) {
                    (Some(own), _) => {
                        name = own.name;
                        datasets.extend(own.groups);
                        Spec::parse(&own.query)?
                    }
                    (None, Some((dataset, query))) => {
                        datasets.push(dataset.to_owned());
                        let outcome = ask.client.query_spec(dataset, query, &ask.fetch).await;
                        self.cloud.answered(Vendor::Honeycomb, outcome).await?
                    }
                    (None, None) => return Err(no_such(id)),
                }
            }
        };
        let dataset = datasets.into_iter().next().unwrap_or_else(|| links::ALL.to_owned());
        let range = match request.since.as_deref().filter(|since| !since.trim().is_empty()) {
            Some(since) => self.cloud.back(Some(since), LOOKBACK)?,
            None => spec.range(self.runtime.now()),
        };
        let rows = request.limit.unwrap_or(ROWS);
        let outcome = ask.client.run(&dataset, &spec, range, rows, &ask.fetch).await;
        let answer = self.cloud.answered(Vendor::Honeycomb, outcome).await?;
        let mut result = answer.result;
        result.name = if name.is_empty() { spec.words() } else { name };
        let origin =
            Origin { via: vec!["Query Data API".to_owned()], region: None, console_link: answer.link, expires: None };
        Ok(Answered { source: Source::Honeycomb, result, origin })
    }
}

fn queries_from(source: Source) -> Result<QueriesFrom, Error> {
    source.queries().ok_or_else(|| unsupported(source, Kind::Query))
}

fn no_such(id: &str) -> Error {
    Error::not_found(
        format!("there is no saved query {id:?}"),
        "The tray's Queries tab lists them; a text needs no saving: --filter 'group:NAME fields @message'",
    )
}

fn ours(stored: StoredQuery) -> SavedQuery {
    SavedQuery {
        id: stored.id,
        source: if stored.source == "honeycomb" { Source::Honeycomb } else { Source::Cloudwatch },
        name: stored.name,
        query: stored.query,
        groups: stored.groups,
        from: "saved here".to_owned(),
        link: None,
    }
}

/// Log groups or datasets at the beginning of a query (`group:cruddur fields @message`), and the rest of it.
fn leading_groups(text: &str) -> Result<(Vec<String>, &str), Error> {
    let mut groups = Vec::new();
    let mut rest = text.trim_start();
    let wrong = |e: FilterError| Error::usage(e.to_string(), "Example: group:cruddur fields @timestamp, @message");
    while let Some(part) = leading_part(rest, &["group", "dataset"]).map_err(wrong)? {
        groups.push(part.value.to_owned());
        rest = part.rest.trim_start();
    }
    Ok((groups, rest))
}

#[cfg(test)]
mod tests {
    use super::leading_groups;

    #[test]
    fn groups_stand_before_a_query() {
        let of = |text| {
            let (groups, rest) = leading_groups(text).expect("a query");
            (groups.join("|"), rest)
        };
        assert_eq!(of("fields @message"), (String::new(), "fields @message"));
        assert_eq!(of(" group:cruddur group:\"a b\"  stats count(*)"), ("cruddur|a b".to_owned(), "stats count(*)"));
        assert_eq!(of("dataset:backend {\"x\": 1}"), ("backend".to_owned(), "{\"x\": 1}"));
        assert_eq!(of("group:cruddur"), ("cruddur".to_owned(), ""));
    }
}

//! Queries: saved here or at the vendor, run, and their answers kept until they are frozen.

use std::time::Duration;

use tracebook_core::catalog::List;
use tracebook_core::question::Source;
use tracebook_store::queries::StoredQuery;

use super::Explorer;
use crate::cloud::vendor::Queries;
use crate::cloud::{self, Answered};
use crate::ground::error::Error;
use crate::ground::question::unsupported;
use crate::ground::schema::{
    Caller, Listed, QueriesRequest, QueryAnswer, QueryForget, QueryRun, QuerySave, SavedQuery,
};

/// How long an answer is kept for freezing.
const ANSWER_TTL: Duration = Duration::from_secs(3_600);
/// What the id of an answer begins with.
const ANSWER: &str = "answer:";

impl Explorer {
    pub(crate) async fn queries(&self, request: QueriesRequest, caller: &Caller) -> Result<Listed<SavedQuery>, Error> {
        let vendor = queries_of(request.source)?;
        let mut rows = self.own_queries(request.source).await?;
        let mut list = Listed::all(Vec::new());
        // Queries saved here need no account.
        match vendor.saved(&self.cloud, caller).await {
            Ok(found) => {
                rows.extend(found.rows);
                list.notes = found.notes;
                list.asked_at = Some(self.runtime.now().rfc3339());
            }
            Err(error) if rows.is_empty() => return Err(error),
            Err(error) => list.notes.push(error.message),
        }
        list.rows = rows;
        Ok(list)
    }

    /// The queries of a source that are saved in this journal.
    async fn own_queries(&self, source: Source) -> Result<Vec<SavedQuery>, Error> {
        let stored = self.journal.saved_queries(source.id()).await?;
        Ok(stored.into_iter().map(|stored| ours(source, stored)).collect())
    }

    pub(crate) async fn query_save(&self, QuerySave(request): QuerySave) -> Result<SavedQuery, Error> {
        let source = request.source;
        queries_of(source)?;
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
        Ok(ours(source, stored))
    }

    pub(crate) async fn query_forget(&self, QueryForget(request): QueryForget) -> Result<bool, Error> {
        Ok(self.journal.delete_query(&request.id).await?)
    }

    pub(crate) async fn query_run(&self, request: QueryRun, caller: &Caller) -> Result<QueryAnswer, Error> {
        let answered = self.run_query(&request, caller).await?;
        let id = format!("{ANSWER}{}", self.runtime.new_id());
        let link = answered.origin.link().map(str::to_owned);
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
        let vendor = queries_of(request.source)?;
        let own = match request.id.as_deref() {
            Some(id) => self.own_queries(request.source).await?.into_iter().find(|q| q.id == id || q.name == id),
            None => None,
        };
        vendor.run(&self.cloud, request, own, caller).await
    }
}

/// The vendor that runs the queries of a source.
fn queries_of(source: Source) -> Result<&'static dyn Queries, Error> {
    let vendor = source.info().vendor.filter(|_| source.lists(List::Queries));
    let queries = vendor.and_then(|vendor| cloud::vendor(vendor).queries());
    queries.ok_or_else(|| unsupported(source, List::Queries.kind()))
}

fn ours(source: Source, stored: StoredQuery) -> SavedQuery {
    SavedQuery {
        id: stored.id,
        source,
        name: stored.name,
        query: stored.query,
        groups: stored.groups,
        from: "saved here".to_owned(),
        own: true,
        link: None,
    }
}

//! Errors of Rollbar: items and their occurrences.

use tracebook_core::errors::{ErrorItem, ErrorRow};
use tracebook_sources::cloud::{Fault, Fetch, SourceError};
use tracebook_sources::rollbar::client::{Client, Item, ItemsRequest};

use super::Cloud;
use super::secrets::Token;
use super::sources::ROLLBAR;
use super::traces::LIST_TTL;
use crate::TOOL;
use crate::ground::error::Error;
use crate::ground::question::LIMIT;
use crate::ground::runtime::Call;
use crate::ground::schema::{
    Caller, ErrorRef, Identity, Listed, LiveQuestion, OccurrencePick, OccurrencesRequest, Vendor,
};

/// A call to Rollbar in progress.
pub(crate) struct AskRollbar {
    pub(crate) client: Client,
    pub(crate) fetch: Fetch,
    /// The base of its pages; empty where not set.
    pub(crate) web: String,
    endpoint: String,
    _call: Call,
}

impl Cloud {
    pub(crate) async fn ask_rollbar(&self, caller: &Caller) -> Result<AskRollbar, Error> {
        let call = self.runtime.begin(caller);
        let set = self.settings()?.rollbar;
        let fetch = self.fetch(&call, set.endpoint.is_some());
        let endpoint = set.endpoint.unwrap_or_else(|| ROLLBAR.to_owned());
        let made = match self.secrets.find(Token::Rollbar).await {
            Some((token, _)) => Client::new(&endpoint, token, &TOOL.replace(' ', "/")),
            None => Err(SourceError::new(
                Fault::NoCredentials,
                "there is no token for Rollbar",
                "It is the project's token with the scope read (Project, Settings, Project Access Tokens), not the one that the \
                 service posts with: give it under Sources, with `tracebook source token rollbar`, or in ROLLBAR_READ_TOKEN",
            )),
        };
        let client = self.noted(Vendor::Rollbar, made)?;
        Ok(AskRollbar { client, fetch, web: set.web.unwrap_or_default(), endpoint, _call: call })
    }

    pub(super) async fn who_in_rollbar(&self, caller: &Caller) -> Result<Identity, Error> {
        let ask = self.ask_rollbar(caller).await?;
        let found = self.answered(Vendor::Rollbar, ask.client.check(&ask.fetch).await).await?;
        Ok(Identity { account: found.project.unwrap_or_default(), notes: found.notes, ..Identity::default() })
    }

    pub(crate) async fn errors_of(&self, request: LiveQuestion, caller: &Caller) -> Result<Listed<ErrorRow>, Error> {
        let ask = self.ask_rollbar(caller).await?;
        let key = format!("errors {} {:?}", ask.endpoint, LiveQuestion { fresh: false, ..request.clone() });
        if let Some(list) = self.errors.get(&key).filter(|_| !request.fresh) {
            return Ok(list);
        }
        let asked_at = self.runtime.now();
        let page = request
            .page
            .as_deref()
            .map_or(Ok(1), str::parse)
            .map_err(|_| Error::usage("the list cannot be continued", "Start again from the first page"))?;
        let question =
            ItemsRequest { page, limit: request.limit.unwrap_or(LIMIT), ..ItemsRequest::parse(&request.filter)? };
        let found = self.answered(Vendor::Rollbar, ask.client.items(&question, &ask.fetch).await).await?;
        // Rollbar's list has no time range, so it is applied here.
        let since = self.since(request.since.as_deref())?;
        let recent = |last| since.is_none_or(|since| last >= Some(since));
        let rows = found.rows.iter().filter(|row| recent(row.last)).map(|row| row.row()).collect();
        let mut notes = found.notes;
        if let Some(total) = found.total {
            notes.push(format!("{total} items in all"));
        }
        let next = found.next.map(|page| page.to_string());
        let list = Listed { rows, notes, next, asked_at: Some(asked_at.rfc3339()) };
        self.errors.put(key, list.clone(), LIST_TTL);
        Ok(list)
    }

    /// An item by `#15`, id, or `ITEM/OCCURRENCE`.
    pub(crate) async fn rollbar_item(&self, ask: &AskRollbar, id: &str) -> Result<Item, Error> {
        self.answered(Vendor::Rollbar, ask.client.error(id, &ask.fetch).await).await
    }

    pub(crate) async fn error_of(&self, request: ErrorRef, caller: &Caller) -> Result<ErrorItem, Error> {
        let ask = self.ask_rollbar(caller).await?;
        Ok(self.rollbar_item(&ask, &request.id).await?.error)
    }

    pub(crate) async fn occurrences(
        &self,
        request: OccurrencesRequest,
        caller: &Caller,
    ) -> Result<Listed<OccurrencePick>, Error> {
        let ask = self.ask_rollbar(caller).await?;
        let asked_at = Some(self.runtime.now().rfc3339());
        let page = request
            .page
            .as_deref()
            .map_or(Ok(1), str::parse)
            .map_err(|_| Error::usage("the list cannot be continued", "Start again from the first page"))?;
        let found = self.answered(Vendor::Rollbar, ask.client.occurrences(&request.id, page, &ask.fetch).await).await?;
        let rows = found
            .rows
            .iter()
            .map(|o| OccurrencePick {
                id: o.name(),
                timestamp: o.timestamp.rfc3339(),
                person: o.person.clone(),
                title: o.title.clone(),
            })
            .collect();
        Ok(Listed { rows, notes: found.notes, next: found.next.map(|page| page.to_string()), asked_at })
    }
}

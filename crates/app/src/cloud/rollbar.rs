//! Errors of Rollbar: items and their occurrences.

use async_trait::async_trait;

use tracebook_core::endpoint::{self, Endpoint};
use tracebook_core::errors::{ErrorItem, ErrorRow};
use tracebook_core::evidence::Body;
use tracebook_core::freeze::Origin;
use tracebook_core::question::Source;
use tracebook_core::time::Nanos;
use tracebook_sources::cloud::Fetch;
use tracebook_sources::rollbar::client::{Client, FORMS, Item, ItemsRequest, links};

use super::Cloud;
use super::traces::LIST_TTL;
use super::vendor::{CloudVendor, Errors, LinkTarget, link_of, no_console, verdict};
use crate::TOOL;
use crate::ground::error::Error;
use crate::ground::finding::{Finding, Raw, one_of};
use crate::ground::question::LIMIT;
use crate::ground::runtime::Call;
use crate::ground::schema::{
    Caller, Capture, ErrorRef, FilterVerdict, Identity, LinkAnswer, Listed, LiveQuestion, OccurrencePick,
    OccurrencesRequest, Vendor,
};

/// A call to Rollbar in progress.
struct AskRollbar {
    client: Client,
    fetch: Fetch,
    /// The base of its pages; empty where not set.
    web: String,
    endpoint: String,
    _call: Call,
}

impl Cloud {
    async fn ask_rollbar(&self, caller: &Caller) -> Result<AskRollbar, Error> {
        let call = self.runtime.begin(caller);
        let set = self.settings()?.vendors;
        let fetch = self.fetch(&call, set.get(Vendor::Rollbar, "endpoint").is_some());
        let endpoint = set.effective(Vendor::Rollbar, "endpoint");
        let made = match self.secrets.of(Vendor::Rollbar).await {
            Ok(token) => Client::new(&endpoint, token, &TOOL.replace(' ', "/")),
            Err(missing) => Err(missing),
        };
        let client = self.noted(Vendor::Rollbar, made)?;
        Ok(AskRollbar { client, fetch, web: set.effective(Vendor::Rollbar, "web"), endpoint, _call: call })
    }

    async fn errors_of(&self, request: LiveQuestion, caller: &Caller) -> Result<Listed<ErrorRow>, Error> {
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
        let window = self.window(request.since.as_deref())?;
        let (start, end) = (window.start(), window.to);
        let after = |last| start.is_none_or(|start| last >= Some(start));
        let before = |first: Option<Nanos>| end.is_none_or(|end| first.is_none_or(|first| first < end));
        let within = found.rows.iter().filter(|row| after(row.last) && before(row.first));
        let rows = within.map(|row| row.row()).collect();
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
    async fn rollbar_item(&self, ask: &AskRollbar, id: &str) -> Result<Item, Error> {
        self.answered(Vendor::Rollbar, ask.client.error(id, &ask.fetch).await).await
    }

    async fn newest_rollbar(&self, request: &Capture, caller: &Caller) -> Result<String, Error> {
        let question = LiveQuestion {
            source: Source::Rollbar,
            filter: request.filter.clone(),
            since: request.since.clone(),
            limit: Some(20),
            fresh: true,
            ..LiveQuestion::default()
        };
        let list = self.errors_of(question, caller).await?;
        list.rows.into_iter().next().map(|row| row.id).ok_or_else(|| {
            Error::not_found("no item of Rollbar's matches", "`live errors --source rollbar` lists them; widen --since")
        })
    }
}

/// What answered, as evidence records it.
fn answered_by(client: &Client, project: Option<u64>) -> Endpoint {
    Endpoint {
        source: Source::Rollbar,
        url: client.address(),
        account: project.map(|id| endpoint::fingerprint(Vendor::Rollbar, &format!("project {id}"))),
        ..Endpoint::default()
    }
}

/// Rollbar.
pub(super) struct RollbarVendor;

#[async_trait]
impl CloudVendor for RollbarVendor {
    async fn identity(&self, cloud: &Cloud, caller: &Caller) -> Result<Identity, Error> {
        let ask = cloud.ask_rollbar(caller).await?;
        let found = cloud.answered(Vendor::Rollbar, ask.client.check(&ask.fetch).await).await?;
        let endpoint = answered_by(&ask.client, None);
        Ok(Identity {
            emulator: endpoint.is_emulator(),
            endpoint: Some(endpoint.url),
            fingerprint: found.project.as_deref().map(|project| endpoint::fingerprint(Vendor::Rollbar, project)),
            account: found.project.unwrap_or_default(),
            notes: found.notes,
            ..Identity::default()
        })
    }

    fn check_filter(&self, _source: Source, filter: &str) -> FilterVerdict {
        verdict(ItemsRequest::parse(filter).map(drop).map_err(|e| e.message), FORMS)
    }

    async fn capture(&self, cloud: &Cloud, request: &Capture, caller: &Caller) -> Result<Finding, Error> {
        let ask = cloud.ask_rollbar(caller).await?;
        let id = match one_of(request, "error", "`live errors --source rollbar` lists them")? {
            Some(id) => id.to_owned(),
            None => cloud.newest_rollbar(request, caller).await?,
        };
        let item = cloud.rollbar_item(&ask, &id).await?;
        let uuid = &item.error.occurrence.uuid;
        let origin = Origin {
            via: vec!["Rollbar API".to_owned()],
            endpoints: vec![answered_by(&ask.client, item.row.project)],
            console_link: links::occurrence(&ask.web, item.row.counter, item.occurrence)
                .or_else(|| links::by_uuid(uuid)),
            ..Origin::default()
        };
        let raw = Raw { errors: vec![item.record], ..Raw::default() };
        Ok(Finding { raw, warnings: item.notes, origin, ..Finding::new(Body::Error(Box::new(item.error)), 1) })
    }

    async fn link(&self, cloud: &Cloud, target: LinkTarget<'_>, caller: &Caller) -> Result<LinkAnswer, Error> {
        let ask = cloud.ask_rollbar(caller).await?;
        let endpoint = answered_by(&ask.client, None);
        if endpoint.is_emulator() {
            return Ok(no_console(&endpoint));
        }
        let item = cloud.rollbar_item(&ask, target.id).await?;
        let url = links::item(&ask.web, item.row.counter).or_else(|| links::by_uuid(&item.error.occurrence.uuid));
        Ok(link_of(url, None, "Rollbar keeps occurrences as long as the plan allows"))
    }

    fn errors(&self) -> Option<&dyn Errors> {
        Some(self)
    }
}

#[async_trait]
impl Errors for RollbarVendor {
    async fn list(&self, cloud: &Cloud, request: LiveQuestion, caller: &Caller) -> Result<Listed<ErrorRow>, Error> {
        cloud.errors_of(request, caller).await
    }

    async fn get(&self, cloud: &Cloud, request: ErrorRef, caller: &Caller) -> Result<ErrorItem, Error> {
        let ask = cloud.ask_rollbar(caller).await?;
        Ok(cloud.rollbar_item(&ask, &request.id).await?.error)
    }

    async fn occurrences(
        &self,
        cloud: &Cloud,
        request: OccurrencesRequest,
        caller: &Caller,
    ) -> Result<Listed<OccurrencePick>, Error> {
        let ask = cloud.ask_rollbar(caller).await?;
        let asked_at = Some(cloud.runtime.now().rfc3339());
        let page = request
            .page
            .as_deref()
            .map_or(Ok(1), str::parse)
            .map_err(|_| Error::usage("the list cannot be continued", "Start again from the first page"))?;
        let found =
            cloud.answered(Vendor::Rollbar, ask.client.occurrences(&request.id, page, &ask.fetch).await).await?;
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

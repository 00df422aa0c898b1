//! Honeycomb: connection and identity. Its API returns no spans, so no trace can be fetched from it.

use std::time::Duration;

use async_trait::async_trait;

use tracebook_core::endpoint::{self, Endpoint};
use tracebook_core::freeze::Origin;
use tracebook_core::question::Source;
use tracebook_sources::cloud::Fetch;
use tracebook_sources::honeycomb::client::{Auth, Client, name_boards};
use tracebook_sources::honeycomb::links;
use tracebook_sources::honeycomb::spec::{FORMS, Spec};

use super::Cloud;
use super::queries::{Answered, LOOKBACK, ROWS, SavedQueries, leading_groups, no_such};
use super::vendor::{CloudVendor, LinkTarget, Queries, link_of, no_console, verdict};
use crate::TOOL;
use crate::ground::error::Error;
use crate::ground::finding::Finding;
use crate::ground::question::unsupported;
use crate::ground::runtime::Call;
use crate::ground::schema::{Caller, Capture, FilterVerdict, Identity, LinkAnswer, QueryRun, SavedQuery, Vendor};

/// How long a key's team and environment are cached.
const AUTH_TTL: Duration = Duration::from_secs(600);

/// A call to Honeycomb in progress.
struct AskHoneycomb {
    client: Client,
    fetch: Fetch,
    endpoint: String,
    _call: Call,
}

impl Cloud {
    async fn ask_honeycomb(&self, caller: &Caller) -> Result<AskHoneycomb, Error> {
        let call = self.runtime.begin(caller);
        let endpoint = self.settings()?.vendors.effective(Vendor::Honeycomb, "endpoint");
        // The European API is Honeycomb's too, with the same rate limit.
        let fetch = self.fetch(&call, !endpoint::is_own(Vendor::Honeycomb, &endpoint));
        let made = match self.secrets.of(Vendor::Honeycomb).await {
            Ok(key) => Client::new(&endpoint, key, &TOOL.replace(' ', "/")),
            Err(missing) => Err(missing),
        };
        let client = self.noted(Vendor::Honeycomb, made)?;
        Ok(AskHoneycomb { client, fetch, endpoint, _call: call })
    }

    async fn honeycomb_auth(&self, ask: &AskHoneycomb) -> Result<Auth, Error> {
        if let Some(auth) = self.auth.get(&ask.endpoint) {
            return Ok(auth);
        }
        let auth = self.answered(Vendor::Honeycomb, ask.client.auth(&ask.fetch).await).await?;
        self.auth.put(ask.endpoint.clone(), auth.clone(), AUTH_TTL);
        Ok(auth)
    }
}

/// What answered, as evidence records it. Without [`Auth`] the team is not known.
fn answered_by(client: &Client, auth: Option<&Auth>) -> Endpoint {
    let team = auth.filter(|auth| !auth.team_slug.is_empty());
    let team = team.map(|auth| format!("{}/{}", auth.team_slug, auth.environment_slug));
    Endpoint {
        source: Source::Honeycomb,
        url: client.address(),
        account: team.map(|team| endpoint::fingerprint(Vendor::Honeycomb, &team)),
        ..Endpoint::default()
    }
}

/// Honeycomb.
pub(super) struct HoneycombVendor;

#[async_trait]
impl CloudVendor for HoneycombVendor {
    async fn identity(&self, cloud: &Cloud, caller: &Caller) -> Result<Identity, Error> {
        let ask = cloud.ask_honeycomb(caller).await?;
        let auth = cloud.answered(Vendor::Honeycomb, ask.client.auth(&ask.fetch).await).await?;
        let mut notes = auth.notes.clone();
        if !auth.access.is_empty() {
            notes.push(format!("this key allows: {}", auth.access.join(", ")));
        }
        let endpoint = answered_by(&ask.client, Some(&auth));
        Ok(Identity {
            account: auth.team,
            name: auth.environment,
            region: String::new(),
            notes,
            emulator: endpoint.is_emulator(),
            endpoint: Some(endpoint.url),
            fingerprint: endpoint.account,
        })
    }

    fn check_filter(&self, _source: Source, filter: &str) -> FilterVerdict {
        verdict(Spec::parse(filter).map(drop).map_err(|e| e.message), FORMS)
    }

    async fn capture(&self, _cloud: &Cloud, request: &Capture, _caller: &Caller) -> Result<Finding, Error> {
        Err(unsupported(request.source, request.kind))
    }

    /// A local trace in Honeycomb. The link carries both times: without them Honeycomb searches the last two hours
    /// only.
    async fn link(&self, cloud: &Cloud, target: LinkTarget<'_>, caller: &Caller) -> Result<LinkAnswer, Error> {
        let trace = target.local.ok_or_else(|| unsupported(Source::Honeycomb, target.kind))?;
        let ask = cloud.ask_honeycomb(caller).await?;
        let endpoint = answered_by(&ask.client, None);
        if endpoint.is_emulator() {
            return Ok(no_console(&endpoint));
        }
        let auth = cloud.honeycomb_auth(&ask).await?;
        let dataset = trace.services().first().map(|service| links::dataset(service)).unwrap_or_default();
        let url = links::trace(&auth, ask.client.ui(), &dataset, trace.trace_id, trace.start(), trace.end(), None);
        Ok(link_of(url, None, "works if the service's spans are sent to Honeycomb too, which keeps them for 60 days"))
    }

    fn queries(&self) -> Option<&dyn Queries> {
        Some(self)
    }
}

#[async_trait]
impl Queries for HoneycombVendor {
    async fn saved(&self, cloud: &Cloud, caller: &Caller) -> Result<SavedQueries, Error> {
        let ask = cloud.ask_honeycomb(caller).await?;
        let saved = cloud.answered(Vendor::Honeycomb, ask.client.saved_queries(&ask.fetch).await).await?;
        let mut notes = saved.notes;
        let mut boards = match cloud.answered(Vendor::Honeycomb, ask.client.boards(&ask.fetch).await).await {
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
                    own: false,
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
                own: false,
                link: None,
            });
        }
        Ok(SavedQueries { rows, notes })
    }

    async fn run(
        &self,
        cloud: &Cloud,
        request: &QueryRun,
        own: Option<SavedQuery>,
        caller: &Caller,
    ) -> Result<Answered, Error> {
        let ask = cloud.ask_honeycomb(caller).await?;
        let mut name = String::new();
        let (mut datasets, text) = leading_groups(&request.query)?;
        datasets.extend(request.groups.iter().cloned());
        let spec = match request.id.as_deref() {
            None => Spec::parse(text)?,
            Some(id) => match (own, id.rsplit_once('/')) {
                (Some(own), _) => {
                    name = own.name;
                    datasets.extend(own.groups);
                    Spec::parse(&own.query)?
                }
                (None, Some((dataset, query))) => {
                    datasets.push(dataset.to_owned());
                    let outcome = ask.client.query_spec(dataset, query, &ask.fetch).await;
                    cloud.answered(Vendor::Honeycomb, outcome).await?
                }
                (None, None) => return Err(no_such(id)),
            },
        };
        let dataset = datasets.into_iter().next().unwrap_or_else(|| links::ALL.to_owned());
        let range = match request.since.as_deref().filter(|since| !since.trim().is_empty()) {
            Some(since) => cloud.back(Some(since), LOOKBACK)?,
            None => spec.range(cloud.runtime.now()),
        };
        let rows = request.limit.unwrap_or(ROWS);
        let outcome = ask.client.run(&dataset, &spec, range, rows, &ask.fetch).await;
        let answer = cloud.answered(Vendor::Honeycomb, outcome).await?;
        let mut result = answer.result;
        result.name = if name.is_empty() { spec.words() } else { name };
        // A capture does not fail for want of the team.
        let auth = cloud.honeycomb_auth(&ask).await.ok();
        let origin = Origin {
            via: vec!["Query Data API".to_owned()],
            endpoints: vec![answered_by(&ask.client, auth.as_ref())],
            console_link: answer.link,
            ..Origin::default()
        };
        Ok(Answered { source: Source::Honeycomb, result, origin })
    }
}

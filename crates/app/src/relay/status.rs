//! Status and settings of the relay for the user.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::broadcast;

use tracebook_core::catalog::Vendor;
use tracebook_core::time::Nanos;
use tracebook_sources::cloud::Secret;
use tracebook_sources::{aws, otlp};
use tracebook_store::Telemetry;
use tracebook_store::relay::RelayCount;

use super::open::{agent, is_honeycomb, may_have_honeycombs, not_honeycombs};
use super::{Relay, guard};
use crate::cloud::sources::effective_region;
use crate::cloud::{Cloud, Token};
use crate::ground::error::Error;
use crate::ground::runtime::Runtime;
use crate::ground::schema::{AwsProfile, Caller, Event, RelayRow, RelaySet, RelayState, RelaySum, Topic};
use crate::ground::settings;
use crate::ground::settings::relay::Destination;
use crate::ground::settings::relay::{Key, OtlpRelay, RelaySettings};
use crate::ports::{self, Ports};

/// What the user sees of the relay, and changes. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct RelayControl {
    data_dir: PathBuf,
    relay: Relay,
    cloud: Arc<Cloud>,
    store: Telemetry,
    ports: Arc<Ports>,
    runtime: Runtime,
}

impl RelayControl {
    pub(crate) fn new(
        relay: &Relay,
        cloud: &Arc<Cloud>,
        store: &Telemetry,
        ports: &Arc<Ports>,
        runtime: &Runtime,
    ) -> Self {
        Self {
            data_dir: relay.0.data_dir.clone(),
            relay: relay.clone(),
            cloud: Arc::clone(cloud),
            store: store.clone(),
            ports: Arc::clone(ports),
            runtime: runtime.clone(),
        }
    }

    /// The relay's log from now on, a line each, in the format of the X-Ray daemon.
    pub(crate) fn lines(&self) -> broadcast::Receiver<String> {
        self.relay.lines()
    }

    pub(crate) async fn status(&self) -> Result<RelayState, Error> {
        let set = self.cloud.settings()?.relay;
        let counts = self.store.relay_counts().await?;
        let mut rows = Vec::new();
        for to in Destination::ALL {
            let count = counts.iter().find(|count| count.destination == to.name()).cloned().unwrap_or_default();
            rows.push(self.row(to, &set, count).await?);
        }
        let on = rows.iter().any(|row| row.on);
        let problem = match on && !self.ports.held() && !ports::held_by_another(&self.data_dir) {
            true => {
                "No process holds this journal's receivers, so nothing is sent: start Tracebook's window or `tracebook serve`"
            }
            false => "",
        };
        Ok(RelayState {
            rows,
            bytes: self.store.relay_bytes().await?,
            limit_bytes: set.bytes(),
            limit_hours: set.max_hours,
            problem: problem.to_owned(),
        })
    }

    /// A one-line summary, without checking credentials.
    pub(crate) async fn summary(&self) -> Result<RelaySum, Error> {
        let set = self.cloud.settings()?.relay;
        let counts = self.store.relay_counts().await?;
        let on: Vec<Destination> = Destination::ALL.into_iter().filter(|to| set.is_on(*to)).collect();
        let problems = counts.iter().filter(|count| on.iter().any(|to| to.name() == count.destination));
        Ok(RelaySum {
            on: on.iter().map(|to| to.title().to_owned()).collect(),
            waiting: counts.iter().map(|count| count.waiting).sum(),
            problem: problems.map(|count| &count.problem).find(|why| !why.is_empty()).cloned().unwrap_or_default(),
        })
    }

    async fn row(&self, to: Destination, set: &RelaySettings, count: RelayCount) -> Result<RelayRow, Error> {
        let time = |at: Option<Nanos>| at.map(Nanos::rfc3339);
        let (what, credential, variable) = match to {
            Destination::Otlp => self.relayed_otlp(set).await,
            Destination::Rollbar => self.relayed_rollbar().await?,
            Destination::Xray | Destination::Logs => self.relayed_aws(to).await?,
        };
        Ok(RelayRow {
            name: to.name().to_owned(),
            title: to.title().to_owned(),
            on: set.is_on(to),
            what,
            endpoint: match to {
                Destination::Otlp => set.otlp.as_ref().map(|otlp| otlp.endpoint.clone()).unwrap_or_default(),
                _ => String::new(),
            },
            credential,
            variable,
            unit: to.unit().to_owned(),
            waiting: count.waiting,
            oldest: time(count.oldest),
            sent: count.sent,
            last_sent: time(count.last_sent),
            refused: count.refused,
            refusal: count.refusal,
            dropped: count.dropped,
            problem: count.problem,
            hint: count.hint,
            since: time(count.since),
        })
    }

    /// A sentence on what is forwarded, where its credential is, and which variable is read for it.
    async fn relayed_otlp(&self, set: &RelaySettings) -> (String, String, String) {
        let otlp = set.otlp.clone().unwrap_or_else(|| self.default_otlp());
        let (credential, variable, with) = match otlp.key() {
            None => (String::new(), String::new(), "without a key".to_owned()),
            Some(Key::Honeycomb) => {
                let place = self.cloud.secrets.honeycomb_post().await.map_or("none", |(_, place)| place.word());
                (place.to_owned(), Token::HONEYCOMB_POST.variable().to_owned(), "with Honeycomb's key".to_owned())
            }
            Some(Key::Variable(name)) => {
                let there = std::env::var(&name).is_ok_and(|value| !value.trim().is_empty());
                let with = format!("with the key in {name} as {}", otlp.header());
                (if there { "environment" } else { "none" }.to_owned(), name, with)
            }
        };
        let what =
            format!("Traces and logs that arrive over OTLP also go to {}, {with}. Metrics do not", otlp.endpoint);
        (what, credential, variable)
    }

    async fn relayed_rollbar(&self) -> Result<(String, String, String), Error> {
        let endpoint = self.cloud.settings()?.vendors.effective(Vendor::Rollbar, "endpoint");
        let place = self.cloud.secrets.find(Token::ROLLBAR_POST).await.map_or("none", |(_, place)| place.word());
        let what = format!(
            "Items that arrive here also go to {endpoint}, with a token of yours that has the scope post_server_item"
        );
        Ok((what, place.to_owned(), Token::ROLLBAR_POST.variable().to_owned()))
    }

    async fn relayed_aws(&self, to: Destination) -> Result<(String, String, String), Error> {
        let set = self.cloud.settings()?.vendors.aws();
        let profiles: Vec<AwsProfile> = aws::profiles()
            .await
            .unwrap_or_default()
            .into_iter()
            .map(|p| AwsProfile { name: p.name, region: p.region, kind: p.kind.to_owned() })
            .collect();
        let region = effective_region(set.region.as_deref(), set.profile.as_deref(), &profiles);
        let place = match (&set.endpoint, region) {
            (Some(endpoint), _) => format!("at {endpoint}"),
            (None, Some(region)) => format!("in {region}"),
            (None, None) => "in a region that is not configured yet".to_owned(),
        };
        let by = match &set.profile {
            Some(profile) => format!("signed with the profile {profile}"),
            None => "signed with the default credentials of AWS's tools".to_owned(),
        };
        let what = match to {
            Destination::Xray => {
                format!("Segments that arrive here also go to X-Ray {place}, {by}. AWS bills what it records")
            }
            _ => format!(
                "Log events that arrive by PutLogEvents also go to CloudWatch Logs {place}, {by}; missing groups and streams \
                 are created. AWS bills what it ingests"
            ),
        };
        Ok((what, "profile".to_owned(), String::new()))
    }

    /// Honeycomb at its configured endpoint.
    fn default_otlp(&self) -> OtlpRelay {
        let vendors = self.cloud.settings().map(|set| set.vendors).unwrap_or_default();
        OtlpRelay {
            endpoint: vendors.effective(Vendor::Honeycomb, "endpoint"),
            on: false,
            key: Some("honeycomb".to_owned()),
            header: None,
            headers: Default::default(),
        }
    }

    pub(crate) async fn set(&self, request: RelaySet, caller: &Caller) -> Result<RelayState, Error> {
        let to = Destination::from_name(&request.name).ok_or_else(|| {
            Error::usage(
                format!("{:?} is not a destination of the relay", request.name),
                "Name otlp, xray, logs or rollbar",
            )
        })?;
        if to != Destination::Otlp && (request.endpoint.is_some() || request.key.is_some() || request.header.is_some())
        {
            return Err(Error::usage(
                format!("the endpoint of {} is part of the sources' settings", to.title()),
                "Set its endpoint there",
            ));
        }
        if let Some(token) = &request.token {
            self.set_token(to, token).await?;
        }
        let changes =
            request.on.is_some() || request.endpoint.is_some() || request.key.is_some() || request.header.is_some();
        if to == Destination::Otlp && changes {
            self.set_otlp(&request).await?;
        } else if let Some(on) = request.on {
            // Turning a destination off removes its key, so that a file of defaults stays small.
            settings::change(&self.data_dir, "relay", &[(to.name(), on.then(|| true.into()))])?;
        }
        if request.forget {
            self.store.relay_discard(to.name()).await?;
        }
        self.relay.read_settings()?;
        self.store.relay_request_retry(to.name()).await?;
        if request.again {
            self.cloud.secrets.look_again();
        }
        self.relay.try_again();
        self.runtime.publish(Event::Changed { topic: Topic::Relay, id: String::new(), by: caller.client.clone() });
        self.status().await
    }

    async fn set_otlp(&self, request: &RelaySet) -> Result<(), Error> {
        let settings = self.cloud.settings()?;
        let own = settings.vendors.get(Vendor::Honeycomb, "endpoint");
        let mut set = settings.relay;
        let mut otlp = set.otlp.take().unwrap_or_else(|| self.default_otlp());
        let honeycombs = request.endpoint.as_deref().is_some_and(|endpoint| is_honeycomb(endpoint, own))
            && !is_honeycomb(&otlp.endpoint, own);
        if let Some(on) = request.on {
            otlp.on = on;
        }
        if let Some(endpoint) = &request.endpoint {
            otlp.endpoint = endpoint.trim().to_owned();
            // Honeycomb's key is sent to Honeycomb only; other endpoints need a key by name.
            if otlp.key.is_none() && honeycombs {
                otlp.key = Some("honeycomb".to_owned());
            } else if otlp.key() == Some(Key::Honeycomb) && !is_honeycomb(&otlp.endpoint, own) {
                otlp.key = None;
            }
        }
        if let Some(header) = &request.header {
            otlp.header = Some(header.trim().to_owned()).filter(|header| !header.is_empty());
        }
        if let Some(key) = &request.key {
            otlp.key = Some(key.trim().to_owned()).filter(|key| !key.is_empty());
        }
        if let Some(problem) = otlp.problem() {
            return Err(Error::usage(problem, "Tokens go to the keychain or to an environment variable"));
        }
        if otlp.key() == Some(Key::Honeycomb) && !may_have_honeycombs(&otlp.endpoint, own) {
            return Err(not_honeycombs().into());
        }
        // Reported now rather than when something arrives.
        otlp::client::Client::new(&otlp.endpoint, None, otlp.headers.clone(), &agent())?;
        guard::refuse_own(&otlp.endpoint, &self.ports.addresses()).await?;
        let written = otlp.written();
        set.otlp = Some(otlp);
        if let Some(problem) = set.problem() {
            return Err(Error::usage(problem, "Tokens go to the keychain or to an environment variable"));
        }
        settings::change(&self.data_dir, "relay", &[("otlp", Some(written))])
    }

    async fn set_token(&self, to: Destination, token: &str) -> Result<(), Error> {
        let kind = match to {
            Destination::Rollbar => Token::ROLLBAR_POST,
            Destination::Otlp => match self.cloud.settings()?.relay.otlp.and_then(|otlp| otlp.key()) {
                Some(Key::Variable(name)) => {
                    return Err(Error::usage(
                        format!("the key of this endpoint is in the environment variable {name}"),
                        "Set it there, or use --key honeycomb",
                    ));
                }
                // Not the key for reading: a key for sending may lack that permission.
                Some(Key::Honeycomb) | None => Token::HONEYCOMB_POST,
            },
            Destination::Xray | Destination::Logs => {
                return Err(Error::usage(
                    "AWS credentials are not stored here",
                    "Create a profile with `aws configure` or `aws configure sso`, and select it",
                ));
            }
        };
        match Secret::new(token) {
            Some(secret) => self.cloud.secrets.set(kind, secret, false).await.map(drop),
            None => self.cloud.secrets.forget(kind).await,
        }
    }
}

//! AWS: one connection for the settings of the moment, and who we are with it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use tracebook_sources::aws::{self, Connection};
use tracebook_sources::cloud::{Fault, Fetch, SourceError};
use tracebook_sources::{cloudwatch, xray};

use super::Cloud;
use crate::ground::error::Error;
use crate::ground::runtime::Call;
use crate::ground::settings::AwsSettings;
use crate::rpc::{Caller, Identity, Vendor};
use crate::{TOOL, Tracebook};

/// How long resolved credentials are used before they are looked for again.
const LASTS: Duration = Duration::from_secs(600);

/// The clients of one connection.
pub(crate) struct Aws {
    pub(crate) connection: Connection,
    pub(crate) xray: xray::client::Client,
    pub(crate) logs: cloudwatch::client::Client,
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// The connection that was made last, with the settings it was made with.
pub(super) type Kept = tokio::sync::Mutex<Option<(AwsSettings, Instant, Arc<Aws>)>>;

impl Cloud {
    /// The clients for some settings. Credentials that were good a moment ago are not looked for again.
    pub(crate) async fn aws(&self, set: &AwsSettings) -> Result<Arc<Aws>, SourceError> {
        let mut kept = self.aws.lock().await;
        if let Some((with, since, aws)) = &*kept
            && with == set
            && since.elapsed() < LASTS
        {
            return Ok(Arc::clone(aws));
        }
        let settings = aws::Settings {
            profile: set.profile.clone(),
            region: set.region.clone(),
            endpoint: set.endpoint.clone(),
            agent: TOOL.replace(' ', "/"),
        };
        let connection = aws::connect(&settings).await?;
        let aws = Arc::new(Aws {
            xray: xray::client::Client::new(&connection),
            logs: cloudwatch::client::Client::new(&connection),
            connection,
        });
        *kept = Some((set.clone(), Instant::now(), Arc::clone(&aws)));
        Ok(aws)
    }

    /// Credentials were not taken: the user may sign in again in another window, so the next question looks anew.
    pub(crate) async fn look_for_aws_again(&self) {
        *self.aws.lock().await = None;
    }
}

/// A question to AWS that is under way.
pub(crate) struct AskAws {
    pub(crate) aws: Arc<Aws>,
    pub(crate) fetch: Fetch,
    /// By what answers are kept: other settings see another world.
    pub(crate) world: String,
    _call: Call,
}

impl AskAws {
    pub(crate) fn region(&self) -> &str {
        &self.aws.connection.region
    }
}

impl Tracebook {
    /// Connects for a question; the call can be cancelled from now on.
    pub(crate) async fn ask_aws(&self, caller: &Caller) -> Result<AskAws, Error> {
        let call = self.begin(caller);
        let set = self.cloud.settings()?.aws;
        let fetch = self.cloud.fetch(&call, set.endpoint.is_some());
        let token = fetch.token().clone();
        let made = tokio::select! {
            () = token.cancelled() => Err(SourceError::cancelled()),
            made = self.cloud.aws(&set) => made,
        };
        let aws = self.cloud.noted(Vendor::Aws, made, self.now())?;
        let world = format!("{:?} {:?} {}", set.profile, set.endpoint, aws.connection.region);
        Ok(AskAws { aws, fetch, world, _call: call })
    }

    /// Takes an answer: counts are written down, and how it went is noted.
    pub(crate) async fn answered<T>(&self, vendor: Vendor, outcome: Result<T, SourceError>) -> Result<T, Error> {
        self.cloud.count.flush(&self.telemetry, self.now()).await;
        if let Err(error) = &outcome
            && matches!(error.fault, Fault::Expired | Fault::Rejected | Fault::NoCredentials)
        {
            self.cloud.look_for_aws_again().await;
        }
        self.cloud.noted(vendor, outcome, self.now())
    }

    pub(super) async fn who_in_aws(&self, caller: &Caller) -> Result<Identity, Error> {
        let ask = self.ask_aws(caller).await?;
        let outcome = ask.aws.connection.identity(&ask.fetch).await;
        let found = self.answered(Vendor::Aws, outcome).await?;
        Ok(Identity {
            account: found.account,
            name: found.arn_tail,
            region: ask.region().to_owned(),
            notes: found.notes,
        })
    }
}

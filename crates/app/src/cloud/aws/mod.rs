//! AWS: one connection for the current settings.

mod capture;
mod insights;
mod vendor;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use tracebook_sources::aws::{self, Connection};
use tracebook_sources::cloud::{Fault, Fetch, SourceError};
use tracebook_sources::{cloudwatch, xray};

use super::Cloud;
use crate::TOOL;
use crate::ground::error::Error;
use crate::ground::runtime::Call;
use crate::ground::schema::{Caller, Vendor};
use crate::ground::settings::AwsSettings;
pub(super) use vendor::AwsVendor;

/// How long resolved credentials are used before they are resolved again.
const CREDENTIALS_TTL: Duration = Duration::from_secs(600);

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

/// The last connection with its settings.
pub(super) type Kept = tokio::sync::Mutex<Option<(AwsSettings, Instant, Arc<Aws>)>>;

impl Cloud {
    /// The clients for some settings. Recently resolved credentials are reused.
    pub(crate) async fn aws(&self, set: &AwsSettings) -> Result<Arc<Aws>, SourceError> {
        let mut kept = self.aws.lock().await;
        if let Some((with, since, aws)) = &*kept
            && with == set
            && since.elapsed() < CREDENTIALS_TTL
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

    /// Drops the connection after its credentials were rejected: the user may sign in again in another window.
    pub(crate) async fn forget_aws(&self) {
        *self.aws.lock().await = None;
    }
}

/// A call to AWS in progress.
pub(crate) struct AskAws {
    pub(crate) aws: Arc<Aws>,
    pub(crate) fetch: Fetch,
    /// Part of the key that answers are cached by: profile, endpoint and region.
    pub(crate) world: String,
    _call: Call,
}

impl AskAws {
    pub(crate) fn region(&self) -> &str {
        &self.aws.connection.region
    }
}

impl Cloud {
    /// Connects for a call, which can be cancelled from now on.
    pub(crate) async fn ask_aws(&self, caller: &Caller) -> Result<AskAws, Error> {
        let call = self.runtime.begin(caller);
        let set = self.settings()?.vendors.aws();
        let fetch = self.fetch(&call, set.endpoint.is_some());
        let token = fetch.token().clone();
        let made = tokio::select! {
            () = token.cancelled() => Err(SourceError::cancelled()),
            made = self.aws(&set) => made,
        };
        let aws = self.noted(Vendor::Aws, made)?;
        let world = format!("{:?} {:?} {}", set.profile, set.endpoint, aws.connection.region);
        Ok(AskAws { aws, fetch, world, _call: call })
    }

    /// Records the outcome of a call: usage and reachability.
    pub(crate) async fn answered<T>(&self, vendor: Vendor, outcome: Result<T, SourceError>) -> Result<T, Error> {
        self.flush_usage().await;
        if let Err(error) = &outcome
            && matches!(error.fault, Fault::Expired | Fault::Rejected | Fault::NoCredentials)
        {
            self.forget_aws().await;
        }
        self.noted(vendor, outcome)
    }
}

//! AWS: one connection for the current settings.

mod capture;
mod insights;
mod vendor;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use tracebook_core::endpoint::Endpoint;
use tracebook_core::question::Source;
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
    /// The account, once it was asked for; `None` within if it is not known.
    account: OnceCell<Option<Account>>,
}

/// What evidence records of the account.
#[derive(Clone, Debug)]
struct Account {
    fingerprint: String,
    /// Whether it is one that emulators use.
    emulated: bool,
}

/// How long a capture waits to learn the account: a network may reach X-Ray and not STS.
const ACCOUNT: Duration = Duration::from_secs(3);

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
            account: OnceCell::new(),
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

    /// What answered for a source, as evidence records it: address, account and region. The account is asked for once
    /// per connection; a capture does not fail for want of it.
    pub(crate) async fn aws_endpoint(&self, ask: &AskAws, source: Source) -> Endpoint {
        let connection = &ask.aws.connection;
        let url = match source {
            Source::Cloudwatch => connection.logs_address().await,
            Source::Xray | Source::Local | Source::Rollbar | Source::Honeycomb => connection.xray_address().await,
        };
        let account = match ask.aws.account.get() {
            Some(known) => known.clone(),
            None => {
                let found = timeout(ACCOUNT, connection.identity(&ask.fetch)).await;
                self.flush_usage().await;
                let found = found.ok().and_then(Result::ok);
                let found = found.map(|id| Account { fingerprint: id.fingerprint(), emulated: id.is_emulated() });
                if !ask.fetch.token().is_cancelled() {
                    // Another call may have been faster, with the same answer.
                    drop(ask.aws.account.set(found.clone()));
                }
                found
            }
        };
        Endpoint {
            source,
            url: url.unwrap_or_default(),
            emulator: account.as_ref().is_some_and(|account| account.emulated),
            account: account.map(|account| account.fingerprint),
            region: Some(connection.region.clone()),
        }
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

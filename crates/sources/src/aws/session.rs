//! A connection: credentials, a region, and the chosen endpoint.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileSet;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::os_shim_internal::Env;
use aws_types::sdk_config::SharedTimeSource;
use tokio::time::timeout;

use super::errors::ErrorContext;
use super::profiles::{CredentialKind, Machine, kind, sources};
use super::shared_file::Odd;
use super::{endpoint, regions};
use crate::cloud::{Fault, SourceError};

/// How long fetching credentials may take.
const CREDENTIALS: Duration = Duration::from_secs(3);
/// Time to connect.
const CONNECT: Duration = Duration::from_secs(3);
/// Time until the end of an answer.
const WHOLE: Duration = Duration::from_secs(20);

/// Credentials, region and endpoint to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// A profile of the shared config, whose credentials alone are used. `None`: the environment's keys, else
    /// `AWS_PROFILE`, else `default`.
    pub profile: Option<String>,
    /// `None`: `AWS_REGION`, else `AWS_DEFAULT_REGION`, else the profile's.
    pub region: Option<String>,
    /// An endpoint instead of AWS's; `None` is AWS, whatever `AWS_ENDPOINT_URL` and the config say: those are set for
    /// the student's own service and may point to our receivers.
    pub endpoint: Option<String>,
    /// The user agent: `tracebook/0.4.0`.
    pub agent: String,
}

/// A validated connection to AWS. Make clients of it and keep them: each has its own pool of connections.
#[derive(Clone)]
pub struct Connection {
    /// For the SDK's clients. Retries are off: [`Fetch::call`](crate::cloud::Fetch::call) retries.
    pub sdk: SdkConfig,
    pub region: String,
    /// If it is not AWS's.
    pub endpoint: Option<String>,
    errors: Arc<ErrorContext>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The SDK's own form shows the access key's id.
        f.debug_struct("Connection")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .field("errors", &self.errors)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// For [`ErrorContext::classify`], whose hints then name the profile.
    pub fn errors(&self) -> Arc<ErrorContext> {
        Arc::clone(&self.errors)
    }

    /// The source of the credentials.
    pub fn kind(&self) -> CredentialKind {
        self.errors.kind.unwrap_or(CredentialKind::Nothing)
    }
}

/// Finds credentials and a region. Never uses a cloud machine's metadata, and no endpoint but the configured one, also
/// to get credentials (AssumeRole goes to the configured endpoint too, SSO always to AWS).
///
/// # Errors
/// Within three seconds: [`Fault::NoCredentials`], [`Fault::Expired`], [`Fault::Rejected`] or [`Fault::Forbidden`] if
/// getting credentials fails so, [`Fault::Unreachable`] if they do not arrive, [`Fault::Invalid`] for a broken config,
/// no region, or an invalid endpoint. Wrong keys only show in the first request: see [`Connection::identity`].
pub async fn connect(settings: &Settings) -> Result<Connection, SourceError> {
    connect_on(&Machine::real(), settings).await
}

pub(super) async fn connect_on(machine: &Machine, settings: &Settings) -> Result<Connection, SourceError> {
    let said = |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let endpoint = said(&settings.endpoint).as_deref().map(endpoint::checked).transpose()?;
    let set = machine.profiles().await?;
    let named = said(&settings.profile);
    let chosen = machine.chosen(named.as_deref());
    let errors = errors(machine, &set, named.as_deref(), chosen, endpoint.clone());
    let asked_for = named.is_some() || machine.var("AWS_PROFILE").is_some();
    if asked_for && errors.kind != Some(CredentialKind::Environment) && set.get_profile(chosen).is_none() {
        return Err(match machine.odd("profile", chosen).await {
            Some((path, odd)) => odd_name(&path, &odd),
            None => no_profile(&set, chosen),
        });
    }
    for name in sources(&set, chosen) {
        let session = set.get_profile(name).and_then(|profile| profile.get("sso_session"));
        if let Some(session) = session
            && let Some((path, odd)) = machine.odd("sso-session", session).await
        {
            return Err(odd_name(&path, &odd));
        }
    }
    let region = machine.region(&set, chosen, said(&settings.region).as_deref());
    let region = match region {
        Some(region) if regions::is_region(&region) => region,
        Some(region) => {
            return Err(SourceError::new(
                Fault::Invalid,
                format!("{:?} is not a region", crate::text::clip(&region)),
                "A region looks like us-east-1; the console shows yours at the top right",
            ));
        }
        None if errors.kind == Some(CredentialKind::Nothing) => return Err(errors.none()),
        None => {
            return Err(SourceError::new(
                Fault::Invalid,
                "no region is set",
                format!("Choose one in the settings, or: aws configure set region us-east-1{}", errors.option()),
            ));
        }
    };

    let found = credentials(machine, named.is_some(), chosen, &region, endpoint.as_deref()).await;
    let provider = found.credentials_provider().ok_or_else(|| errors.none())?;
    let first = match timeout(CREDENTIALS, provider.provide_credentials()).await {
        Err(_) => return Err(errors.too_slow()),
        Ok(Err(error)) => return Err(errors.no_credentials(&error)),
        Ok(Ok(credentials)) => credentials,
    };
    let time = SharedTimeSource::default();
    if first.expiry().is_some_and(|end| end <= time.now()) {
        return Err(errors.expired());
    }
    let first = Mutex::new(Some(first));
    let mut sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(Seeded { first, provider }))
        .identity_cache(IdentityCache::lazy().build())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts())
        .time_source(time);
    sdk.set_sleep_impl(found.sleep_impl());
    sdk.set_use_fips(found.use_fips());
    sdk.set_use_dual_stack(found.use_dual_stack());
    sdk.set_app_name(app_name(&settings.agent));
    sdk.set_endpoint_url(endpoint.clone());
    if endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http:")) {
        // Without TLS, and never through a proxy that the environment names.
        sdk.set_http_client(Some(aws_smithy_http_client::Builder::new().build_http()));
    }
    Ok(Connection { sdk: sdk.build(), region, endpoint, errors: Arc::new(errors) })
}

/// The context of errors, as far as the config says.
fn errors(
    machine: &Machine,
    set: &ProfileSet,
    named: Option<&str>,
    chosen: &str,
    endpoint: Option<String>,
) -> ErrorContext {
    let keys = || ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].iter().all(|key| machine.var(key).is_some());
    let kind = match kind(set, chosen) {
        _ if named.is_none() && keys() => CredentialKind::Environment,
        CredentialKind::Nothing if named.is_none() && machine.var("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() => {
            CredentialKind::WebIdentity
        }
        kind => kind,
    };
    let profile = match kind {
        CredentialKind::Environment => None,
        _ => set.get_profile(chosen),
    };
    let path = sources(set, chosen);
    ErrorContext {
        profile: profile.map(|_| chosen.to_owned()),
        kind: Some(kind),
        signs_in: path
            .iter()
            .skip(1)
            .find(|name| self::kind(set, name) == CredentialKind::Sso)
            .map(|name| (*name).to_owned()),
        machine: path.iter().any(|name| {
            let source = set.get_profile(name).and_then(|profile| profile.get("credential_source"));
            source.is_some_and(|source| !source.eq_ignore_ascii_case("environment"))
        }),
        mfa: profile.is_some_and(|profile| profile.get("mfa_serial").is_some()),
        endpoint,
    }
}

/// A name that the AWS CLI reads and AWS's library for Rust does not.
fn odd_name(path: &str, odd: &Odd) -> SourceError {
    let Odd { line, column, kind, name } = odd;
    let fits = |c: char| if c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c) { c } else { '-' };
    let plain: String = name.chars().map(fits).collect();
    let (what, hint) = match kind.as_str() {
        "sso-session" => (
            "SSO session",
            format!(
                "Write [sso-session {plain}] there and sso_session = {plain} in the profile, then: aws sso login --sso-session {plain}"
            ),
        ),
        "" => ("profile", format!("Write [{plain}] there")),
        _ => ("profile", format!("Write [profile {plain}] there")),
    };
    SourceError::new(
        Fault::Invalid,
        format!(
            "the {what} {name:?} ({path}, line {line}, character {column}) has a blank or another character in its name \
             that AWS's library for Rust does not read, quoted or not, although the AWS CLI does"
        ),
        hint,
    )
}

fn no_profile(set: &ProfileSet, chosen: &str) -> SourceError {
    let mut names: Vec<&str> = set.profiles().collect();
    names.sort_unstable();
    let there = match names.is_empty() {
        true => "there are no profiles".to_owned(),
        false => format!("there are: {}", names.join(", ")),
    };
    let errors = ErrorContext {
        profile: Some(chosen.to_owned()),
        kind: Some(CredentialKind::Nothing),
        ..ErrorContext::default()
    };
    SourceError::new(
        Fault::NoCredentials,
        format!("there is no profile {chosen:?} in the AWS config; {there}"),
        format!("Choose another profile, or create it: aws configure{}", errors.option()),
    )
}

/// Credentials as aws-config finds them: from the environment, then the profile, then a token file; from the profile
/// only if one is named.
async fn credentials(machine: &Machine, named: bool, chosen: &str, region: &str, endpoint: Option<&str>) -> SdkConfig {
    const KEYS: [(&str, &str); 3] = [
        ("AWS_ACCESS_KEY_ID", "aws_access_key_id"),
        ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
        ("AWS_SESSION_TOKEN", "aws_session_token"),
    ];
    let mut vars = machine.vars.clone();
    vars.retain(|key, _| !["AWS_ENDPOINT_URL", "AWS_CONTAINER_"].iter().any(|prefix| key.starts_with(prefix)));
    // Without a metadata service, asking for it takes seconds.
    vars.insert("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned());
    if let Some(endpoint) = endpoint {
        vars.insert("AWS_ENDPOINT_URL_STS".to_owned(), endpoint.to_owned());
    }
    let mut keys = None;
    if named {
        let lines = KEYS.iter().filter_map(|(var, key)| Some(format!("{key} = {}\n", vars.get(*var)?.trim())));
        keys = Some(lines.collect::<String>());
        for gone in KEYS.map(|(var, _)| var).iter().chain(&["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"]) {
            vars.remove(*gone);
        }
    }
    let quick = timeouts().to_builder().operation_attempt_timeout(CREDENTIALS).operation_timeout(CREDENTIALS).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(http) = &machine.http {
        loader = loader.http_client(http.clone());
    }
    loader
        .env(Env::from(vars))
        .fs(machine.fs.clone())
        .profile_files(machine.files(keys.as_deref()).await)
        .profile_name(chosen)
        .region(Region::new(region.to_owned()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(quick)
        .load()
        .await
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(WHOLE).operation_timeout(WHOLE).build()
}

/// A name that the user agent may contain: the slash of `tracebook/0.4.0` is not allowed.
fn app_name(agent: &str) -> Option<AppName> {
    let fine = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' };
    AppName::new(agent.chars().take(50).map(fine).collect::<String>()).ok()
}

/// The credentials already fetched, and after they expire their provider: a command that needs a touch of a key runs
/// once.
#[derive(Debug)]
struct Seeded {
    first: Mutex<Option<Credentials>>,
    provider: SharedCredentialsProvider,
}

impl ProvideCredentials for Seeded {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(first) => future::ProvideCredentials::ready(Ok(first)),
            None => self.provider.provide_credentials(),
        }
    }
}

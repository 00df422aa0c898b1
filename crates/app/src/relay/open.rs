//! Opens destinations: checks their addresses and finds their credentials.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use tracebook_core::catalog::Vendor;
use tracebook_sources::cloud::{Fault, Fetch, Secret, SourceError, is_local};
use tracebook_sources::{otlp, rollbar};

use super::guard;
use super::sinks::{self, Sink};
use crate::TOOL;
use crate::cloud::secrets::Place;
use crate::cloud::{Aws, Cloud, Token};
use crate::ground::settings::Settings;
use crate::ground::settings::relay::Destination;
use crate::ground::settings::relay::{Key, OtlpRelay, RelaySettings};

/// Opens destinations with current credentials.
#[async_trait]
pub(super) trait Open: Send + Sync {
    /// # Errors
    /// Where nothing can be sent: no credentials, or an address that cannot be used.
    async fn open(&self, to: Destination, settings: &RelaySettings) -> Result<Box<dyn Sink>, SourceError>;

    /// The fetch that a batch is sent with.
    fn fetch(&self) -> Fetch;
}

/// Opens the real services.
pub(super) struct Opener {
    pub(super) cloud: Arc<Cloud>,
    /// Addresses of our own receivers.
    pub(super) own: Vec<SocketAddr>,
}

#[async_trait]
impl Open for Opener {
    async fn open(&self, to: Destination, settings: &RelaySettings) -> Result<Box<dyn Sink>, SourceError> {
        match to {
            Destination::Otlp => {
                let otlp = settings.otlp.as_ref().ok_or_else(|| not_set("no OTLP endpoint is set"))?;
                self.otlp(otlp).await
            }
            Destination::Rollbar => self.rollbar().await,
            Destination::Xray => {
                let (aws, cloud) = (self.aws().await?, Arc::clone(&self.cloud));
                Ok(Box::new(sinks::Xray { aws, cloud }))
            }
            Destination::Logs => {
                let (aws, cloud) = (self.aws().await?, Arc::clone(&self.cloud));
                Ok(Box::new(sinks::Logs { aws, cloud }))
            }
        }
    }

    fn fetch(&self) -> Fetch {
        // It ends when the sender drops it.
        self.cloud.fetch_until(CancellationToken::new(), false)
    }
}

impl Opener {
    async fn otlp(&self, set: &OtlpRelay) -> Result<Box<dyn Sink>, SourceError> {
        guard::refuse_own(&set.endpoint, &self.own).await?;
        let secret = match set.key() {
            None => None,
            Some(Key::Honeycomb) => {
                if !may_have_honeycombs(&set.endpoint, self.set()?.vendors.get(Vendor::Honeycomb, "endpoint")) {
                    return Err(not_honeycombs());
                }
                let found = self.cloud.secrets.honeycomb_post().await;
                self.found(found, Token::HONEYCOMB_POST, "Honeycomb key")?.into()
            }
            Some(Key::Variable(name)) => {
                let said = std::env::var(&name).ok().and_then(|text| Secret::new(&text));
                Some(said.ok_or_else(|| {
                    SourceError::new(
                        Fault::NoCredentials,
                        format!("the environment variable {name} is not set"),
                        "Set it before starting Tracebook",
                    )
                })?)
            }
        };
        let secret = secret.as_ref().map(|secret| (set.header(), secret));
        let client = otlp::client::Client::new(&set.endpoint, secret, set.headers.clone(), &agent())?;
        Ok(Box::new(sinks::Otlp(client)))
    }

    async fn rollbar(&self) -> Result<Box<dyn Sink>, SourceError> {
        let endpoint = self.set()?.vendors.effective(Vendor::Rollbar, "endpoint");
        guard::refuse_own(&endpoint, &self.own).await?;
        let token = self.token(Token::ROLLBAR_POST, "Rollbar token with the scope post_server_item").await?;
        Ok(Box::new(sinks::Rollbar(rollbar::client::Client::new(&endpoint, token, &agent())?)))
    }

    async fn aws(&self) -> Result<Arc<Aws>, SourceError> {
        let set = self.set()?.vendors.aws();
        if let Some(endpoint) = &set.endpoint {
            guard::refuse_own(endpoint, &self.own).await?;
        }
        let aws = self.cloud.aws(&set).await;
        if aws.is_err() {
            self.cloud.forget_aws().await;
        }
        aws
    }

    fn set(&self) -> Result<Settings, SourceError> {
        self.cloud.settings().map_err(|error| SourceError::new(Fault::Unsupported, error.message, error.hint))
    }

    async fn token(&self, token: Token, name: &str) -> Result<Secret, SourceError> {
        let found = self.cloud.secrets.find(token).await;
        self.found(found, token, name)
    }

    fn found(&self, found: Option<(Secret, Place)>, token: Token, name: &str) -> Result<Secret, SourceError> {
        if found.is_none() {
            self.cloud.secrets.look_again_for(token);
        }
        found.map(|(secret, _)| secret).ok_or_else(|| {
            SourceError::new(
                Fault::NoCredentials,
                format!("there is no {name} to send with"),
                format!("Give one in the window, or set {} before starting Tracebook", token.variable()),
            )
        })
    }
}

/// Whether an address is Honeycomb's: its own, or the configured one.
pub(super) fn is_honeycomb(endpoint: &str, set: Option<&str>) -> bool {
    let host = |address: &str| {
        let url = reqwest::Url::parse(address.trim()).ok()?;
        Some((url.host_str()?.trim_end_matches('.').to_ascii_lowercase(), url.port_or_known_default()))
    };
    let Some((name, port)) = host(endpoint) else { return false };
    name == "honeycomb.io"
        || name.ends_with(".honeycomb.io")
        || set.and_then(host).is_some_and(|own| own == (name, port))
}

/// Whether Honeycomb's key may be sent to an address: to Honeycomb, or to a collector on this machine.
pub(super) fn may_have_honeycombs(endpoint: &str, set: Option<&str>) -> bool {
    let is_here = reqwest::Url::parse(endpoint.trim()).is_ok_and(|url| is_local(&url));
    is_here || is_honeycomb(endpoint, set)
}

pub(super) fn not_honeycombs() -> SourceError {
    SourceError::new(
        Fault::Unsupported,
        "this endpoint is not Honeycomb's, and Honeycomb's key goes nowhere else",
        "Say where its own key is: --key env:NAME, and --header if it is not x-honeycomb-team; or --key '' for none",
    )
}

/// The User-Agent.
pub(super) fn agent() -> String {
    TOOL.replace(' ', "/")
}

fn not_set(what: &str) -> SourceError {
    SourceError::new(Fault::Unsupported, what, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honeycombs_key_goes_to_honeycomb_only() {
        for (endpoint, set, may) in [
            ("https://api.honeycomb.io", None, true),
            ("https://API.eu1.honeycomb.io./", None, true),
            ("http://127.0.0.1:9", None, true),
            ("http://[::1]:9", None, true),
            ("https://proxy.example/h", Some("https://proxy.example"), true),
            ("https://proxy.example:444", Some("https://proxy.example"), false),
            ("https://anything.example", None, false),
            ("https://nothoneycomb.io", None, false),
            ("https://honeycomb.io.example", None, false),
            ("https://x@anything.example", None, false),
            ("no address", Some("no address"), false),
        ] {
            assert_eq!(may_have_honeycombs(endpoint, set), may, "{endpoint}");
        }
    }
}

//! Settings and state of the cloud sources.

use tracebook_sources::cloud::Secret;

use super::Cloud;
use super::secrets::Token;
use super::usage::usage;
use crate::ground::error::Error;
use crate::ground::schema::{
    AwsProfile, AwsState, Caller, Event, SecretSet, SourceSet, Sources, TokenState, Topic, Vendor,
};
use crate::ground::settings;

/// Rollbar's API.
pub(crate) const ROLLBAR: &str = "https://api.rollbar.com/api/1";
/// Honeycomb's API in the United States; the European one is `https://api.eu1.honeycomb.io`.
pub(crate) const HONEYCOMB: &str = "https://api.honeycomb.io";

impl Cloud {
    pub(crate) async fn sources(&self) -> Result<Sources, Error> {
        let set = self.settings()?;
        self.flush_usage().await;
        let rollbar = TokenState {
            endpoint: set.rollbar.endpoint.unwrap_or_else(|| ROLLBAR.to_owned()),
            web: set.rollbar.web.unwrap_or_default(),
            ..self.token_state(Token::Rollbar, Vendor::Rollbar).await
        };
        let honeycomb = TokenState {
            endpoint: set.honeycomb.endpoint.unwrap_or_else(|| HONEYCOMB.to_owned()),
            ..self.token_state(Token::Honeycomb, Vendor::Honeycomb).await
        };
        let mut reach = self.reach(Vendor::Aws);
        let profiles = match tracebook_sources::aws::profiles().await {
            Ok(profiles) => profiles,
            Err(error) => {
                reach.problem.get_or_insert(Error::from(error).body());
                Vec::new()
            }
        };
        let profiles: Vec<AwsProfile> = profiles
            .into_iter()
            .map(|p| AwsProfile { name: p.name, region: p.region, kind: p.kind.to_owned() })
            .collect();
        let aws = AwsState {
            effective_region: effective_region(set.aws.region.as_deref(), set.aws.profile.as_deref(), &profiles),
            profile: set.aws.profile,
            region: set.aws.region,
            endpoint: set.aws.endpoint,
            profiles,
            regions: tracebook_sources::aws::REGIONS.iter().map(|&r| r.to_owned()).collect(),
            reach,
        };
        Ok(Sources { aws, rollbar, honeycomb, usage: usage(&self.store, self.runtime.now()).await? })
    }

    async fn token_state(&self, token: Token, vendor: Vendor) -> TokenState {
        let keychain = self.secrets.keychain().await;
        let instead = |why: String| {
            format!(
                "There is no keychain to use ({why}). A token is kept in this run's memory only: set {} before starting \
                 Tracebook, or give it again each time. It is never written to a file",
                token.variable()
            )
        };
        TokenState {
            token: self.secrets.find(token).await.map_or("none", |(_, place)| place.word()).to_owned(),
            variable: token.variable().to_owned(),
            keychain: keychain.is_ok(),
            keychain_problem: keychain.err().map(instead).unwrap_or_default(),
            reach: self.reach(vendor),
            ..TokenState::default()
        }
    }

    pub(crate) async fn source_set(&self, request: SourceSet, caller: &Caller) -> Result<Sources, Error> {
        let text = |said: &Option<String>| -> Option<Option<String>> {
            said.as_ref().map(|text| Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
        };
        for endpoint in
            [&request.aws_endpoint, &request.rollbar_endpoint, &request.honeycomb_endpoint, &request.rollbar_web]
        {
            if let Some(Some(endpoint)) = text(endpoint) {
                self.check_endpoint(&endpoint)?;
            }
        }
        for (section, keys) in [
            (
                "aws",
                &[
                    ("profile", &request.aws_profile),
                    ("region", &request.aws_region),
                    ("endpoint", &request.aws_endpoint),
                ][..],
            ),
            ("rollbar", &[("endpoint", &request.rollbar_endpoint), ("web", &request.rollbar_web)]),
            ("honeycomb", &[("endpoint", &request.honeycomb_endpoint)]),
        ] {
            let keys: Vec<(&str, Option<toml_edit::Value>)> = keys
                .iter()
                .filter_map(|(key, said)| text(said).map(|value| (*key, value.map(toml_edit::Value::from))))
                .collect();
            if !keys.is_empty() {
                settings::change(&self.data_dir, section, &keys)?;
            }
        }
        self.forget();
        self.publish_change(caller);
        self.sources().await
    }

    /// The vendors that are configured: only those are checked by default, since a check costs calls.
    pub(crate) async fn vendors_set(&self) -> Vec<Vendor> {
        let mut vendors = Vec::new();
        let Ok(set) = self.settings() else { return vendors };
        if set.aws != settings::AwsSettings::default() {
            vendors.push(Vendor::Aws);
        }
        if self.secrets.find(Token::Rollbar).await.is_some() {
            vendors.push(Vendor::Rollbar);
        }
        if self.secrets.find(Token::Honeycomb).await.is_some() {
            vendors.push(Vendor::Honeycomb);
        }
        vendors
    }

    /// Refuses invalid addresses, and our own receivers, which would answer with local telemetry.
    fn check_endpoint(&self, endpoint: &str) -> Result<(), Error> {
        let url = reqwest::Url::parse(endpoint)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
            .ok_or_else(|| {
                Error::usage(format!("{endpoint:?} is not an address"), "Write for example http://127.0.0.1:5000")
            })?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(Error::usage(
                "an address must not contain a password or a query",
                "Give the address only; tokens go to the keychain",
            ));
        }
        let ours = self.ports.list().into_iter().filter_map(|r| r.address).any(|address| {
            let port = address.rsplit(':').next().and_then(|p| p.parse::<u16>().ok());
            port.is_some() && port == url.port_or_known_default()
        });
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]" | "::1"));
        if ours && local {
            return Err(Error::usage(
                format!("{endpoint} is this app's own receiver"),
                "Its data is listed with the source local; give the address of the cloud, or of an emulator",
            ));
        }
        Ok(())
    }

    pub(crate) async fn secret_set(&self, request: SecretSet, caller: &Caller) -> Result<Sources, Error> {
        let token = match request.vendor {
            Vendor::Rollbar => Token::Rollbar,
            Vendor::Honeycomb => Token::Honeycomb,
            Vendor::Aws => {
                return Err(Error::usage(
                    "AWS credentials are not stored here",
                    "Create a profile with `aws configure` or `aws configure sso`, and select it",
                ));
            }
        };
        match Secret::new(&request.token) {
            // Whitespace in a token comes from pasting something else with it.
            Some(secret) if secret.expose().contains(|c: char| c.is_whitespace() || c.is_control()) => {
                return Err(Error::usage("that is not a token: it contains whitespace", "Paste the token only"));
            }
            Some(secret) => drop(self.secrets.set(token, secret, request.memory_only).await?),
            None => self.secrets.forget(token).await?,
        }
        self.forget();
        self.publish_change(caller);
        self.sources().await
    }

    fn publish_change(&self, caller: &Caller) {
        self.runtime.publish(Event::Changed { topic: Topic::Sources, id: String::new(), by: caller.client.clone() });
    }
}

/// The region that is used, by the same order of precedence as when connecting.
pub(crate) fn effective_region(set: Option<&str>, profile: Option<&str>, profiles: &[AwsProfile]) -> Option<String> {
    let said = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    let chosen = profile.map(str::to_owned).or_else(|| said("AWS_PROFILE")).unwrap_or_else(|| "default".to_owned());
    set.map(str::to_owned)
        .or_else(|| said("AWS_REGION"))
        .or_else(|| said("AWS_DEFAULT_REGION"))
        .or_else(|| profiles.iter().find(|p| p.name == chosen)?.region.clone())
}

//! Settings and state of the cloud sources.

use std::collections::BTreeMap;

use tracebook_core::catalog::SettingInfo;
use tracebook_sources::cloud::Secret;

use super::Cloud;
use super::secrets::{Place, Token};
use super::usage::usage;
use crate::ground::error::Error;
use crate::ground::schema::{
    AwsProfile, AwsState, Caller, Event, SecretSet, SourceSet, Sources, TokenState, Topic, Vendor,
};
use crate::ground::settings::{self, Settings};

impl Cloud {
    pub(crate) async fn sources(&self) -> Result<Sources, Error> {
        let set = self.settings()?;
        self.flush_usage().await;
        let mut vendors = BTreeMap::new();
        for vendor in Vendor::with_token() {
            vendors.insert(vendor, self.token_state(vendor, &set).await);
        }
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
        let set = set.vendors.aws();
        let aws = AwsState {
            effective_region: effective_region(set.region.as_deref(), set.profile.as_deref(), &profiles),
            profile: set.profile,
            region: set.region,
            endpoint: set.endpoint,
            profiles,
            regions: tracebook_sources::aws::REGIONS.iter().map(|&r| r.to_owned()).collect(),
            reach,
        };
        Ok(Sources { aws, vendors, usage: usage(&self.store, self.runtime.now()).await? })
    }

    async fn token_state(&self, vendor: Vendor, set: &Settings) -> TokenState {
        let keychain = self.secrets.keychain().await;
        let variable = Token::of(vendor).map_or("", Token::variable);
        let instead = |why: String| {
            format!(
                "There is no keychain to use ({why}). A token is kept in this run's memory only: set {variable} before starting \
                 Tracebook, or give it again each time. It is never written to a file"
            )
        };
        let effective = |key: &str| set.vendors.effective(vendor, key);
        TokenState {
            token: self.place(vendor).await.map_or("none", Place::word).to_owned(),
            variable: variable.to_owned(),
            keychain: keychain.is_ok(),
            keychain_problem: keychain.err().map(instead).unwrap_or_default(),
            endpoint: effective("endpoint"),
            web: effective("web"),
            settings: vendor.info().settings.iter().map(|s| (s.key.to_string(), effective(&s.key))).collect(),
            reach: self.reach(vendor),
        }
    }

    /// Where a vendor's token was found; `None` where there is none.
    async fn place(&self, vendor: Vendor) -> Option<Place> {
        self.secrets.find(Token::of(vendor)?).await.map(|(_, place)| place)
    }

    pub(crate) async fn source_set(&self, request: SourceSet, caller: &Caller) -> Result<Sources, Error> {
        let mut changes: BTreeMap<Vendor, Vec<(&str, Option<toml_edit::Value>)>> = BTreeMap::new();
        for (name, value) in &request.0 {
            let (vendor, setting) = setting(name)?;
            let Some(value) = value.as_deref().map(str::trim) else { continue };
            if setting.url && !value.is_empty() {
                self.check_endpoint(value)?;
            }
            let value = Some(value).filter(|value| !value.is_empty()).map(toml_edit::Value::from);
            changes.entry(vendor).or_default().push((&setting.key, value));
        }
        for (vendor, keys) in changes {
            settings::change(&self.data_dir, vendor.id(), &keys)?;
        }
        self.forget();
        self.publish_change(caller);
        self.sources().await
    }

    /// The vendors that are configured: only those are checked by default, since a check costs calls.
    pub(crate) async fn vendors_set(&self) -> Vec<Vendor> {
        let Ok(set) = self.settings() else { return Vec::new() };
        let mut vendors = Vec::new();
        for vendor in Vendor::ALL {
            let is_set = match Token::of(vendor) {
                Some(_) => self.place(vendor).await.is_some(),
                None => set.vendors.any(vendor),
            };
            if is_set {
                vendors.push(vendor);
            }
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
        let Some(token) = Token::of(request.vendor) else {
            return Err(Error::usage(
                format!("{} credentials are not stored here", request.vendor.info().label),
                "Create a profile with `aws configure` or `aws configure sso`, and select it",
            ));
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

/// The setting of a name such as `aws_profile`.
fn setting(name: &str) -> Result<(Vendor, &'static SettingInfo), Error> {
    let all = || Vendor::ALL.into_iter().flat_map(|v| v.info().settings.iter().map(move |setting| (v, setting)));
    let named = |(vendor, setting): &(Vendor, &SettingInfo)| format!("{}_{}", vendor.id(), setting.key);
    all().find(|found| named(found) == name).ok_or_else(|| {
        let names: Vec<String> = all().map(|found| named(&found)).collect();
        Error::usage(format!("there is no setting {name:?}"), format!("There are: {}", names.join(", ")))
    })
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

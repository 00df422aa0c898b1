//! Honeycomb: connection and identity. Its API returns no spans, so no trace can be fetched from it.

use std::time::Duration;

use tracebook_sources::cloud::{Fault, Fetch, SourceError};
use tracebook_sources::honeycomb::client::{Auth, Client};

use super::Cloud;
use super::secrets::Token;
use super::sources::HONEYCOMB;
use crate::TOOL;
use crate::ground::error::Error;
use crate::ground::runtime::Call;
use crate::ground::schema::{Caller, Identity, Vendor};

/// How long a key's team and environment are cached.
const AUTH_TTL: Duration = Duration::from_secs(600);

/// A call to Honeycomb in progress.
pub(crate) struct AskHoneycomb {
    pub(crate) client: Client,
    pub(crate) fetch: Fetch,
    endpoint: String,
    _call: Call,
}

impl Cloud {
    pub(crate) async fn ask_honeycomb(&self, caller: &Caller) -> Result<AskHoneycomb, Error> {
        let call = self.runtime.begin(caller);
        let set = self.settings()?.honeycomb;
        // The European API is Honeycomb's too, with the same rate limit.
        let own = set.endpoint.as_deref().is_some_and(|endpoint| !endpoint.contains(".honeycomb.io"));
        let fetch = self.fetch(&call, own);
        let endpoint = set.endpoint.unwrap_or_else(|| HONEYCOMB.to_owned());
        let made = match self.secrets.find(Token::Honeycomb).await {
            Some((key, _)) => Client::new(&endpoint, key, &TOOL.replace(' ', "/")),
            None => Err(SourceError::new(
                Fault::NoCredentials,
                "there is no key for Honeycomb",
                "Make one under Environment settings, API Keys: give it under Sources, with `tracebook source token honeycomb`, or in \
                 HONEYCOMB_API_KEY",
            )),
        };
        let client = self.noted(Vendor::Honeycomb, made)?;
        Ok(AskHoneycomb { client, fetch, endpoint, _call: call })
    }

    pub(crate) async fn honeycomb_auth(&self, ask: &AskHoneycomb) -> Result<Auth, Error> {
        if let Some(auth) = self.auth.get(&ask.endpoint) {
            return Ok(auth);
        }
        let auth = self.answered(Vendor::Honeycomb, ask.client.auth(&ask.fetch).await).await?;
        self.auth.put(ask.endpoint.clone(), auth.clone(), AUTH_TTL);
        Ok(auth)
    }

    pub(super) async fn who_in_honeycomb(&self, caller: &Caller) -> Result<Identity, Error> {
        let ask = self.ask_honeycomb(caller).await?;
        let auth = self.answered(Vendor::Honeycomb, ask.client.auth(&ask.fetch).await).await?;
        let mut notes = auth.notes.clone();
        if !auth.access.is_empty() {
            notes.push(format!("this key allows: {}", auth.access.join(", ")));
        }
        Ok(Identity { account: auth.team, name: auth.environment, region: String::new(), notes })
    }
}

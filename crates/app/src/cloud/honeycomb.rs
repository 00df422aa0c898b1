//! Honeycomb: whose key it is, and the way to its pages. Its API gives no spans, so no trace can be fetched from it.

use std::time::Duration;

use tracebook_sources::cloud::{Fault, Fetch, SourceError};
use tracebook_sources::honeycomb::client::{Auth, Client};

use super::secrets::Token;
use super::sources::HONEYCOMB;
use crate::ground::error::Error;
use crate::ground::runtime::Call;
use crate::rpc::{Caller, Identity, Vendor};
use crate::{TOOL, Tracebook};

/// How long a key's team and environment are taken to stay.
const AUTH_LASTS: Duration = Duration::from_secs(600);

/// A question to Honeycomb that is under way.
pub(crate) struct AskHoneycomb {
    pub(crate) client: Client,
    pub(crate) fetch: Fetch,
    endpoint: String,
    _call: Call,
}

impl Tracebook {
    pub(crate) async fn ask_honeycomb(&self, caller: &Caller) -> Result<AskHoneycomb, Error> {
        let call = self.begin(caller);
        let set = self.cloud.settings()?.honeycomb;
        // Europe's API is Honeycomb's own, with the same quota.
        let own = set.endpoint.as_deref().is_some_and(|endpoint| !endpoint.contains(".honeycomb.io"));
        let fetch = self.cloud.fetch(&call, own);
        let endpoint = set.endpoint.unwrap_or_else(|| HONEYCOMB.to_owned());
        let made = match self.cloud.secrets.find(Token::Honeycomb).await {
            Some((key, _)) => Client::new(&endpoint, key, &TOOL.replace(' ', "/")),
            None => Err(SourceError::new(
                Fault::NoCredentials,
                "there is no key for Honeycomb",
                "Make one under Environment settings, API Keys: give it under Sources, with `tracebook source token honeycomb`, or in \
                 HONEYCOMB_API_KEY",
            )),
        };
        let client = self.cloud.noted(Vendor::Honeycomb, made, self.now())?;
        Ok(AskHoneycomb { client, fetch, endpoint, _call: call })
    }

    pub(crate) async fn honeycomb_auth(&self, ask: &AskHoneycomb) -> Result<Auth, Error> {
        if let Some(auth) = self.cloud.auth.get(&ask.endpoint) {
            return Ok(auth);
        }
        let auth = self.answered(Vendor::Honeycomb, ask.client.auth(&ask.fetch).await).await?;
        self.cloud.auth.put(ask.endpoint.clone(), auth.clone(), AUTH_LASTS);
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

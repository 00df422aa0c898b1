//! STS GetCallerIdentity, which every key may call.

use std::fmt;

use tracebook_core::catalog::Vendor;
use tracebook_core::endpoint::{fingerprint, is_emulated_account};

use super::session::Connection;
use super::text::masked;
use crate::cloud::{Api, Fault, Fetch, SourceError};

impl Api {
    /// GetCallerIdentity.
    pub const STS: Self = Self::new("STS GetCallerIdentity", 60, 3);
}

/// The identity of the credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// All but the last four digits are masked.
    pub account: String,
    /// The user or role: `user/andrew`, `assumed-role/Student/brown`.
    pub arn_tail: String,
    pub notes: Vec<String>,
    /// The whole account id: no message, card, log or database may contain it.
    account_id: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("account", &self.account)
            .field("arn_tail", &self.arn_tail)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// The account, recognisable but not readable.
    pub fn fingerprint(&self) -> String {
        fingerprint(Vendor::Aws, &self.account_id)
    }

    /// Whether the account is one that emulators use.
    pub fn is_emulated(&self) -> bool {
        is_emulated_account(Vendor::Aws, &self.account_id)
    }
}

impl Connection {
    /// Asks AWS for the identity, which also shows whether the keys are valid.
    ///
    /// # Errors
    /// [`Fault::Rejected`] for invalid keys, [`Fault::Expired`], and errors of any request.
    pub async fn identity(&self, fetch: &Fetch) -> Result<Identity, SourceError> {
        let (client, errors) = (aws_sdk_sts::Client::new(&self.sdk), self.errors());
        let ask = || async { client.get_caller_identity().send().await.map_err(|error| errors.classify(&error)) };
        let answer = fetch.call(Api::STS, ask).await?;
        let arn = answer.arn().unwrap_or_default();
        // arn:partition:service:region:account:the rest
        let tail = arn.splitn(6, ':').nth(5).unwrap_or_default();
        let account_id = answer.account().unwrap_or_default().to_owned();
        if account_id.is_empty() {
            let message = "GetCallerIdentity returned no account".to_owned();
            return Err(SourceError::new(Fault::Broken, message, "Check what listens at the endpoint"));
        }
        let (account, arn_tail) = (masked(&account_id), masked(tail));
        let mut identity = Identity { account, arn_tail, notes: Vec::new(), account_id };
        if tail == "root" {
            identity
                .notes
                .push("these are the root user's keys: create a user or a role with read access only".to_owned());
        }
        if let Some(endpoint) = &self.endpoint {
            identity.notes.push(format!("from {endpoint}, not from AWS"));
        }
        if identity.is_emulated() {
            identity.notes.push("this is the account id that emulators use".to_owned());
        }
        Ok(identity)
    }
}

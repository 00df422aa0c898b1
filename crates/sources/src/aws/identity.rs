//! Who am I: STS GetCallerIdentity, which every key may ask.

use std::fmt;

use super::errors::masked;
use super::session::Connection;
use crate::cloud::{Api, Fault, Fetch, SourceError};

/// The accounts of moto and LocalStack.
const EMULATED: [&str; 2] = ["123456789012", "000000000000"];

/// As whom AWS knows the credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account, all but its last four digits masked.
    pub account: String,
    /// The user or role: `user/andrew`, `assumed-role/Student/brown`.
    pub arn_tail: String,
    /// What the reader should know.
    pub notes: Vec<String>,
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
    /// The whole account id, for an ARN in a request and nothing else: no message, card, log or database may hold it.
    pub(crate) fn account_id(&self) -> &str {
        &self.account_id
    }
}

impl Connection {
    /// Asks AWS who asks. This is also how wrong keys are noticed.
    ///
    /// # Errors
    /// [`Fault::Rejected`] for keys that AWS does not take, [`Fault::Expired`], and what any request may end with.
    pub async fn identity(&self, fetch: &Fetch) -> Result<Identity, SourceError> {
        let (client, whose) = (aws_sdk_sts::Client::new(&self.sdk), self.whose());
        let ask = || async { client.get_caller_identity().send().await.map_err(|error| whose.classify(&error)) };
        let answer = fetch.call(Api::Sts, ask).await?;
        let arn = answer.arn().unwrap_or_default();
        // arn:partition:service:region:account:the rest
        let tail = arn.splitn(6, ':').nth(5).unwrap_or_default();
        let account_id = answer.account().unwrap_or_default().to_owned();
        if account_id.is_empty() {
            let message = "GetCallerIdentity names no account".to_owned();
            return Err(SourceError::new(Fault::Broken, message, "Check what listens at the endpoint"));
        }
        let (account, arn_tail) = (masked(&account_id), masked(tail));
        let mut identity = Identity { account, arn_tail, notes: Vec::new(), account_id };
        if tail == "root" {
            identity.notes.push("these are the root user's keys: make a user or a role that may only read".to_owned());
        }
        if let Some(endpoint) = &self.endpoint {
            identity.notes.push(format!("asked at {endpoint}, not at AWS"));
        }
        if EMULATED.contains(&identity.account_id()) {
            identity.notes.push("this account id is the one that emulators answer with".to_owned());
        }
        Ok(identity)
    }
}

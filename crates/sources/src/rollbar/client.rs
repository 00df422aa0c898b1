//! Rollbar's read API: items, their occurrences and payloads.
//!
//! Wire: `docs.rollbar.com/reference/getting-started-1` and the official client,
//! `github.com/rollbar/rollbar-mcp-server`. Every answer is `{"err": 0, "result": …}` or `{"err": 1, "message": …}`,
//! and `err` may be 1 with status 200. Ids, levels, platforms and frameworks are numbers in some answers and strings in
//! others.
//!
//! A project has four tokens. Reading requires the one with the scope `read`; the one in the environment of the service
//! (`post_server_item`) gets a 403.

mod item;
mod items;
pub mod links;
mod request;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::cloud::rest::Rest;
use crate::cloud::{Api, Fault, Fetch, Http, Progress, Secret, SourceError};

pub use item::{Item, OccurrencePick, Occurrences};
pub use items::{ItemRow, Items};
pub use request::{FORMS, ItemsRequest, Status};

impl Api {
    /// The read API: 5,000 a minute are documented.
    pub const ROLLBAR_READ: Self = Self::new("Rollbar's read API", 600, 20);
    /// The item API, for the relay.
    pub const ROLLBAR_PUT: Self = Self::new("Rollbar's item API", 1200, 20);
}

pub const ENDPOINT: &str = "https://api.rollbar.com/api/1";

/// What to do about a token that may not read.
const READ_TOKEN: &str = "A Rollbar project has four access tokens, one for each scope. Reading needs the one with the scope `read`; \
    the service's own (`post_server_item`) only sends. Find it in the project under Settings → Project Access Tokens";

/// What to do about a token that may not send.
const POST_TOKEN: &str = "A Rollbar project has four access tokens, one for each scope. Forwarding needs the one with the scope \
    `post_server_item`; the one that this app reads with (`read`) does not send. Find it in the project under Settings → \
    Project Access Tokens";

/// A client of Rollbar. Cheap to clone. Its `Debug` does not show the token.
#[derive(Clone, Debug)]
pub struct Client {
    rest: Rest,
}

/// The project of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `project 42`; `None` if the project has no item that would tell.
    pub project: Option<String>,
    /// What the token allows.
    pub notes: Vec<String>,
}

impl Client {
    /// A client for `endpoint` ([`ENDPOINT`] for Rollbar itself) with the user agent `agent`.
    ///
    /// # Errors
    /// [`Fault::Invalid`] for an invalid endpoint, [`Fault::Rejected`] for a malformed token.
    pub fn new(endpoint: &str, token: Secret, agent: &str) -> Result<Self, SourceError> {
        Ok(Self { rest: Rest::new("Rollbar", endpoint, "x-rollbar-access-token", token, agent)? })
    }

    /// Scheme, host and port of the API.
    pub fn address(&self) -> String {
        self.rest.address()
    }

    /// Checks that the token may read, and which project.
    ///
    /// # Errors
    /// [`Fault::Rejected`] for an unknown token, [`Fault::Forbidden`] for one with another scope.
    pub async fn check(&self, fetch: &Fetch) -> Result<Identity, SourceError> {
        let found = self.items(&ItemsRequest { limit: 1, ..ItemsRequest::default() }, fetch).await?;
        let project = found.rows.first().and_then(|row| row.project);
        let mut notes = vec!["the token can read (scope `read`)".to_owned()];
        match (found.total, found.rows.is_empty()) {
            (_, true) => notes.push("the project has no items yet".to_owned()),
            (Some(n), _) => notes.push(format!(
                "the project has {}",
                tracebook_core::text::count(usize::try_from(n).unwrap_or(0), "item")
            )),
            (None, _) => {}
        }
        Ok(Identity { project: project.map(|id| format!("project {id}")), notes })
    }

    /// One page of items, the latest occurrence first.
    pub async fn items(&self, ask: &ItemsRequest, fetch: &Fetch) -> Result<Items, SourceError> {
        let mut url = self.rest.url(&["items", ""]);
        ask.write(&mut url);
        let answer = self.rest.get(Api::ROLLBAR_READ, &url, fetch).await?;
        let items = items::read(&self.json(&answer)?, ask);
        fetch.progress(Progress {
            pages: 1,
            rows: u32::try_from(items.rows.len()).unwrap_or(u32::MAX),
            of: items.total.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            what: "items of Rollbar".to_owned(),
        });
        Ok(items)
    }

    /// Forwards an item unchanged but without its token; this client's own must have the scope `post_server_item`.
    ///
    /// # Errors
    /// [`Fault::Invalid`] if Rollbar will never accept it (for example too large), so that it must not be sent again.
    pub async fn post_item(&self, payload: &[u8], fetch: &Fetch) -> Result<(), SourceError> {
        let url = self.rest.url(&["item", ""]);
        let answer = self.rest.post(Api::ROLLBAR_PUT, &url, Bytes::copy_from_slice(payload), fetch).await?;
        self.accepted(&answer).map_err(|error| match error.fault {
            Fault::Rejected | Fault::Forbidden => SourceError { hint: POST_TOKEN.to_owned(), ..error },
            Fault::NotFound => SourceError { hint: "Check the URL under [rollbar]".to_owned(), ..error },
            _ => error,
        })
    }

    async fn read(&self, segments: &[&str], query: &[(&str, &str)], fetch: &Fetch) -> Result<Http, SourceError> {
        let mut url = self.rest.url(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.rest.get(Api::ROLLBAR_READ, &url, fetch).await
    }

    /// Whether an item was accepted: `err` says so, whatever else the answer contains.
    fn accepted(&self, answer: &Http) -> Result<(), SourceError> {
        let taken = answer.is_success()
            && Envelope::of(answer).is_ok_and(|envelope| envelope.err.as_ref().and_then(number) == Some(0));
        if taken { Ok(()) } else { self.open(answer).map(drop) }
    }

    /// The parsed result of a response.
    fn json(&self, answer: &Http) -> Result<Json, SourceError> {
        let result = self.open(answer)?;
        serde_json::from_str(result.get()).map_err(|e| self.rest.unreadable(answer, &crate::json::words(&e)))
    }

    /// The unparsed result of a response.
    fn open<'a>(&self, answer: &'a Http) -> Result<&'a RawValue, SourceError> {
        if let Some(error) = self.rest.broken(answer) {
            return Err(error);
        }
        let envelope = match Envelope::of(answer) {
            Ok(envelope) => envelope,
            // The status alone is enough.
            Err(_) if !answer.is_success() => return Err(self.fault(answer.status, "")),
            Err(why) => return Err(self.rest.unreadable(answer, &why)),
        };
        let said = envelope.message.as_ref().map(text).unwrap_or_default();
        match (answer.is_success(), envelope.err.as_ref().and_then(number)) {
            (false, _) => Err(self.fault(answer.status, &said)),
            (true, Some(0)) => envelope.result.ok_or_else(|| self.rest.unreadable(answer, "it has no `result`")),
            (true, Some(_)) => Err(self.fault(meant(&said), &said)),
            (true, None) => Err(self.rest.unreadable(answer, "it has no `err`")),
        }
    }

    /// The error for a status and Rollbar's message.
    fn fault(&self, status: u16, said: &str) -> SourceError {
        let said = match self.rest.clean(said) {
            said if said.is_empty() => format!("status {status}"),
            said => said,
        };
        match status {
            401 => {
                let hint = format!("It is mistyped, disabled or deleted. {READ_TOKEN}");
                SourceError::new(Fault::Rejected, format!("Rollbar rejected this token: {said}"), hint)
            }
            403 => {
                let message = format!("Rollbar does not allow this with the token: {said}");
                SourceError::new(Fault::Forbidden, message, READ_TOKEN)
            }
            404 => SourceError::new(
                Fault::NotFound,
                format!("Rollbar did not find it: {said}"),
                "Rollbar deletes occurrences after the plan's retention. Write the number in its pages as #15",
            ),
            405 => SourceError::new(Fault::Unsupported, format!("Rollbar does not support this: {said}"), ""),
            413 => SourceError::new(
                Fault::Invalid,
                format!("too large for Rollbar: {said}"),
                "Send less with it: locals, custom data, request bodies",
            ),
            402 | 407 | 409 | 415 | 421 | 426 | 451 => SourceError::new(
                Fault::Unsupported,
                format!("Rollbar answered {status}: {said}"),
                "A proxy or the account may be the reason",
            ),
            408 | 425 => SourceError::new(Fault::Unreachable, format!("Rollbar was too slow: {said}"), ""),
            400..500 => SourceError::new(Fault::Invalid, format!("Rollbar rejected this: {said}"), "Check the filter"),
            _ => SourceError::new(Fault::Broken, format!("Rollbar failed: {said}"), "Try again in a minute"),
        }
    }
}

/// The status that a message with status 200 stands for; 500 if it is unclear.
fn meant(said: &str) -> u16 {
    let said = said.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    match () {
        () if has(&["privilege", "scope", "permission", "forbidden"]) => 403,
        () if has(&["access token", "access_token", "unauthorized"]) => 401,
        () if has(&["not found", "does not exist", "no such"]) => 404,
        () if has(&["invalid", "must be"]) => 422,
        () => 500,
    }
}

/// `{"err": 0, "result": …}`, the result as it was sent: it may be an occurrence of a megabyte.
#[derive(serde::Deserialize)]
struct Envelope<'a> {
    err: Option<Json>,
    message: Option<Json>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    fn of(answer: &'a Http) -> Result<Self, String> {
        serde_json::from_slice(&answer.body).map_err(|e| crate::json::words(&e))
    }
}

/// A whole number, written as a number or a string.
fn number(value: &Json) -> Option<u64> {
    match value {
        Json::Number(number) => number.as_u64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A string, or a number as one; nothing for anything else.
fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

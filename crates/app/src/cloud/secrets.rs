//! Tokens: in the system's keychain, else in environment variables or this run's memory. Never in a file.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracebook_core::catalog::Vendor;
use tracebook_sources::cloud::{Fault, Secret, SourceError};

use crate::ground::error::{Code, Error};

/// The service name of our keychain entries.
const SERVICE: &str = "tracebook";
/// A locked keychain may wait for a password that nobody enters on a server.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The use of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token {
    /// In the keychain.
    entry: &'static str,
    /// The environment variable that is read for it.
    variable: &'static str,
}

impl Token {
    /// Rollbar's token with the scope `post_server_item`, for the relay.
    pub(crate) const ROLLBAR_POST: Self = Self { entry: "rollbar-post", variable: "ROLLBAR_ACCESS_TOKEN" };
    /// Honeycomb's key for the relay, where it differs.
    pub(crate) const HONEYCOMB_POST: Self = Self { entry: "honeycomb-post", variable: "HONEYCOMB_API_KEY" };

    /// The private key that signs manifests, in OpenSSH's format.
    pub(crate) const SIGNING: Self = Self { entry: "signing-key", variable: "TRACEBOOK_SIGNING_KEY" };

    /// A vendor's token for reading; `None` where it has none.
    pub(crate) fn of(vendor: Vendor) -> Option<Self> {
        let token = vendor.info().token.as_ref()?;
        Some(Self { entry: vendor.id(), variable: &token.variable })
    }

    pub(crate) fn variable(self) -> &'static str {
        self.variable
    }
}

/// Where a token was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Memory,
    Keychain,
    Environment,
}

impl Place {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Keychain => "keychain",
            Self::Environment => "environment",
        }
    }
}

/// Tokens of this run and of the keychain.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    memory: Mutex<HashMap<Token, Secret>>,
    /// Results of the keychain, so that a locked one is tried once and not at every call.
    seen: Mutex<HashMap<Token, Option<Secret>>>,
    /// Whether the keychain is usable, and why not; `None` before the first use.
    trouble: Mutex<Option<Result<(), String>>>,
}

impl Secrets {
    /// A token and its place: this run's memory first, then the keychain, then the environment.
    pub(crate) async fn find(&self, token: Token) -> Option<(Secret, Place)> {
        if let Some(secret) = lock(&self.memory).get(&token) {
            return Some((secret.clone(), Place::Memory));
        }
        if let Some(secret) = self.in_keychain(token).await {
            return Some((secret, Place::Keychain));
        }
        let said = std::env::var(token.variable()).ok()?;
        Some((Secret::new(&said)?, Place::Environment))
    }

    /// A vendor's token for reading.
    ///
    /// # Errors
    /// What is missing, and where to get it.
    pub(crate) async fn of(&self, vendor: Vendor) -> Result<Secret, SourceError> {
        let missing = |message: &str, hint: String| SourceError::new(Fault::NoCredentials, message, hint);
        let (Some(token), Some(info)) = (Token::of(vendor), &vendor.info().token) else {
            return Err(missing("it takes no token", String::new()));
        };
        let found = self.find(token).await.map(|(secret, _)| secret);
        found.ok_or_else(|| {
            let (help, id, variable) = (&info.help, vendor.id(), token.variable);
            missing(
                &info.missing,
                format!("{help}: give it under Sources, with `tracebook source token {id}`, or in {variable}"),
            )
        })
    }

    /// The key for the relay: its own in this run's memory or the keychain, else the environment's, else the key for
    /// reading.
    pub(crate) async fn honeycomb_post(&self) -> Option<(Secret, Place)> {
        match self.find(Token::HONEYCOMB_POST).await {
            Some(found) => Some(found),
            None => self.find(Token::of(Vendor::Honeycomb)?).await,
        }
    }

    async fn in_keychain(&self, token: Token) -> Option<Secret> {
        if let Some(seen) = lock(&self.seen).get(&token) {
            return seen.clone();
        }
        self.keychain().await.ok()?;
        let found = asked(move || entry(token)?.get_password()).await;
        let secret = match found {
            Ok(text) => Secret::new(&text),
            Err(Trouble::Nothing) => None,
            Err(Trouble::Said(why)) => {
                *lock(&self.trouble) = Some(Err(why));
                None
            }
        };
        lock(&self.seen).insert(token, secret.clone());
        secret
    }

    /// Stores a token: in the keychain unless the user wants it in memory only, or there is none. Returns the place.
    ///
    /// # Errors
    /// Where the keychain refuses.
    pub(crate) async fn set(&self, token: Token, secret: Secret, memory_only: bool) -> Result<Place, Error> {
        if memory_only || self.keychain().await.is_err() {
            lock(&self.memory).insert(token, secret);
            return Ok(Place::Memory);
        }
        let kept = secret.clone();
        let back = asked(move || {
            let entry = entry(token)?;
            entry.set_password(kept.expose())?;
            entry.get_password()
        })
        .await;
        match back {
            // Only what reads back counts as stored.
            Ok(back) if back == secret.expose() => {
                lock(&self.memory).remove(&token);
                lock(&self.seen).insert(token, Some(secret));
                Ok(Place::Keychain)
            }
            Ok(_) | Err(Trouble::Nothing) => Err(refused("it does not return what was stored")),
            Err(Trouble::Said(why)) => Err(refused(&why)),
        }
    }

    /// Removes a token from memory and keychain.
    ///
    /// # Errors
    /// Where the keychain refuses.
    pub(crate) async fn forget(&self, token: Token) -> Result<(), Error> {
        lock(&self.memory).remove(&token);
        lock(&self.seen).remove(&token);
        if self.keychain().await.is_err() {
            return Ok(());
        }
        match asked(move || entry(token)?.delete_credential()).await {
            Ok(()) | Err(Trouble::Nothing) => Ok(()),
            Err(Trouble::Said(why)) => Err(refused(&why)),
        }
    }

    /// Looks for a missing token again: another process may have stored it.
    pub(crate) fn look_again_for(&self, token: Token) {
        let mut seen = lock(&self.seen);
        if seen.get(&token).is_some_and(Option::is_none) {
            seen.remove(&token);
        }
    }

    /// Forgets earlier results: the keychain may have been unlocked, or hold other tokens.
    pub(crate) fn look_again(&self) {
        lock(&self.seen).clear();
        *lock(&self.trouble) = None;
    }

    /// Whether there is a usable keychain, and why not.
    pub(crate) async fn keychain(&self) -> Result<(), String> {
        if let Some(known) = lock(&self.trouble).clone() {
            return known;
        }
        let found = asked(|| match keyring::Entry::store_status() {
            Ok(()) => Ok(()),
            Err(_) => Err(keyring::Error::NoDefaultStore),
        })
        .await
        .map_err(|trouble| match trouble {
            Trouble::Nothing => "it is empty".to_owned(),
            Trouble::Said(why) => why,
        });
        lock(&self.trouble).get_or_insert(found).clone()
    }
}

enum Trouble {
    Nothing,
    Said(String),
}

fn entry(token: Token) -> keyring::Result<keyring::Entry> {
    keyring::Entry::new(SERVICE, token.entry)
}

fn refused(why: &str) -> Error {
    Error::new(
        Code::Storage,
        format!("the keychain did not store the token: {why}"),
        "Keep it in this run's memory, or set the environment variable before starting Tracebook",
    )
}

/// Calls the keychain on a blocking thread, with a time-out.
async fn asked<T: Send + 'static>(ask: impl FnOnce() -> keyring::Result<T> + Send + 'static) -> Result<T, Trouble> {
    match tokio::time::timeout(TIMEOUT, tokio::task::spawn_blocking(ask)).await {
        Ok(Ok(Ok(found))) => Ok(found),
        Ok(Ok(Err(keyring::Error::NoEntry))) => Err(Trouble::Nothing),
        Ok(Ok(Err(keyring::Error::NoDefaultStore))) => Err(Trouble::Said("this system has none".to_owned())),
        Ok(Ok(Err(keyring::Error::NoStorageAccess(_)))) => Err(Trouble::Said("it is locked".to_owned())),
        // Other errors may quote the secret.
        Ok(Ok(Err(_))) => Err(Trouble::Said("it failed".to_owned())),
        Ok(Err(_)) | Err(_) => Err(Trouble::Said("it does not respond; it may be waiting to be unlocked".to_owned())),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Where tokens are: the system's keychain; where there is none, environment variables or this run's memory. Never a file.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracebook_sources::cloud::Secret;

use crate::ground::error::{Code, Error};

/// Under which name the keychain has our entries.
const SERVICE: &str = "tracebook";
/// A keychain may wait for somebody to unlock it, and on a server nobody will.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    /// Rollbar's token with the scope `read`.
    Rollbar,
    /// Rollbar's token with the scope `post_server_item`: the relay's.
    RollbarPost,
    /// Honeycomb's key that is sent with, where it is another one.
    HoneycombPost,
    /// Honeycomb's key.
    Honeycomb,
}

impl Token {
    fn entry(self) -> &'static str {
        match self {
            Self::Rollbar => "rollbar",
            Self::RollbarPost => "rollbar-post",
            Self::HoneycombPost => "honeycomb-post",
            Self::Honeycomb => "honeycomb",
        }
    }

    /// The environment variable that is read.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Rollbar => "ROLLBAR_READ_TOKEN",
            Self::RollbarPost => "ROLLBAR_ACCESS_TOKEN",
            Self::HoneycombPost => "HONEYCOMB_API_KEY",
            Self::Honeycomb => "HONEYCOMB_API_KEY",
        }
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

/// Tokens of this run, and the way to the keychain.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    memory: Mutex<HashMap<Token, Secret>>,
    /// What the keychain gave, so that a locked one is asked once and not at every request.
    seen: Mutex<HashMap<Token, Option<Secret>>>,
    /// Why there is no keychain; `None` before the first look.
    trouble: Mutex<Option<Result<(), String>>>,
}

impl Secrets {
    /// A token and where it is: this run's memory first, then the keychain, then the environment.
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

    /// The key that is sent with: one of its own in this run's memory or the keychain, else the environment's, else the one that is
    /// read with.
    pub(crate) async fn honeycomb_post(&self) -> Option<(Secret, Place)> {
        match self.find(Token::HoneycombPost).await {
            Some(found) => Some(found),
            None => self.find(Token::Honeycomb).await,
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

    /// Keeps a token: in the keychain unless the user wants it in memory only, or there is none. Says where it went.
    ///
    /// # Errors
    /// Where the keychain is there and refuses.
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
            // Only what reads back is kept.
            Ok(back) if back == secret.expose() => {
                lock(&self.memory).remove(&token);
                lock(&self.seen).insert(token, Some(secret));
                Ok(Place::Keychain)
            }
            Ok(_) | Err(Trouble::Nothing) => Err(refused("it does not give back what was put in")),
            Err(Trouble::Said(why)) => Err(refused(&why)),
        }
    }

    /// Takes a token out of memory and keychain.
    ///
    /// # Errors
    /// Where the keychain is there and refuses.
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

    /// A token that was not in the keychain may be there the next time: another process may have put it there.
    pub(crate) fn look_again_for(&self, token: Token) {
        let mut seen = lock(&self.seen);
        if seen.get(&token).is_some_and(Option::is_none) {
            seen.remove(&token);
        }
    }

    /// The keychain may have been unlocked, or hold other tokens now: it is asked anew.
    pub(crate) fn look_again(&self) {
        lock(&self.seen).clear();
        *lock(&self.trouble) = None;
    }

    /// Whether there is a keychain that can be used; why not, in words.
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
    keyring::Entry::new(SERVICE, token.entry())
}

fn refused(why: &str) -> Error {
    Error::new(
        Code::Storage,
        format!("the keychain did not keep the token: {why}"),
        "Keep it in this run's memory, or set the environment variable before starting Tracebook",
    )
}

/// Asks the keychain on a thread of its own, and not for ever.
async fn asked<T: Send + 'static>(ask: impl FnOnce() -> keyring::Result<T> + Send + 'static) -> Result<T, Trouble> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(ask)).await {
        Ok(Ok(Ok(found))) => Ok(found),
        Ok(Ok(Err(keyring::Error::NoEntry))) => Err(Trouble::Nothing),
        Ok(Ok(Err(keyring::Error::NoDefaultStore))) => Err(Trouble::Said("this system has none".to_owned())),
        Ok(Ok(Err(keyring::Error::NoStorageAccess(_)))) => Err(Trouble::Said("it is locked".to_owned())),
        // Other errors may quote what was stored.
        Ok(Ok(Err(_))) => Err(Trouble::Said("it does not answer as it should".to_owned())),
        Ok(Err(_)) | Err(_) => Err(Trouble::Said("it does not answer; it may wait to be unlocked".to_owned())),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

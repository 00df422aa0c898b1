//! Keys that sign what is exported.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The passphrase of a key file. `Debug` omits it, and no answer contains it.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct Passphrase(pub String);

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// The key that an export signs with.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct SigningShow {
    /// As in [`super::Export`]; the configured key if null, else that of the keychain, else of the agent.
    #[serde(default)]
    #[ts(optional)]
    pub sign: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub passphrase: Option<Passphrase>,
}

/// A new key in the keychain.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct SigningCreate {
    /// Replace the key that is there.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub replace: bool,
}

/// Removes the key from the keychain.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct SigningForget {}

/// The public part of a key that signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SigningKey {
    /// As a line of `authorized_keys`: `ssh-ed25519 AAAA… tracebook`.
    pub key: String,
    /// `SHA256:…`
    pub fingerprint: String,
    /// Where its private part is: `keychain`, `environment`, `agent`, `file`.
    pub place: String,
}

//! What is sent on to the real services: switches, and what waits.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Takes nothing.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct RelayRequest {}

/// What is sent on, what waits, and why.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct RelayState {
    /// One for each destination: `otlp`, `xray`, `logs`, `rollbar`.
    pub rows: Vec<RelayRow>,
    /// Bytes that wait, of all destinations together.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Bytes that may wait; then the oldest go unsent.
    #[ts(type = "number")]
    pub limit_bytes: u64,
    /// After how many hours what waits goes unsent.
    pub limit_hours: u32,
    /// Why nobody sends although something is on; empty where somebody does.
    pub problem: String,
}

/// One destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RelayRow {
    /// `otlp`, `xray`, `logs`, `rollbar`.
    pub name: String,
    /// `OpenTelemetry`, `X-Ray`, `CloudWatch Logs`, `Rollbar`.
    pub title: String,
    /// Whether it is on.
    pub on: bool,
    /// What goes there when it is on, where to, and with whose credentials, in one sentence.
    pub what: String,
    /// OTLP: the endpoint, also while it is off. Empty for others.
    pub endpoint: String,
    /// Where the credential is: `keychain`, `environment`, `memory`, `none`; `profile` for AWS's; empty where none is needed.
    pub credential: String,
    /// The environment variable that would be read for it; empty where there is none.
    pub variable: String,
    /// What is counted: `segments`, `log events`.
    pub unit: String,
    /// How many wait.
    #[ts(type = "number")]
    pub waiting: u64,
    /// When the oldest of them came, RFC 3339; null where none waits.
    pub oldest: Option<String>,
    /// How many were taken since the journal began.
    #[ts(type = "number")]
    pub sent: u64,
    /// When the last batch was taken, RFC 3339.
    pub last_sent: Option<String>,
    /// How many were refused, and will not be sent again.
    #[ts(type = "number")]
    pub refused: u64,
    /// Why, the last time; empty if none was.
    pub refusal: String,
    /// How many went unsent: too old, too many, or thrown away.
    #[ts(type = "number")]
    pub dropped: u64,
    /// Why what waits waits; empty where nothing is wrong.
    pub problem: String,
    /// What to do about it; may be empty.
    pub hint: String,
    /// Since when, RFC 3339.
    pub since: Option<String>,
}

/// Of all destinations, for a place that has room for a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RelaySum {
    /// The titles of those that are on.
    pub on: Vec<String>,
    /// How many items wait, of all of them.
    #[ts(type = "number")]
    pub waiting: u64,
    /// Why the first of those that are on waits; empty where nothing is wrong.
    pub problem: String,
}

/// Changes one destination; what is null stays as it is.
#[derive(Clone, Default, Serialize, Deserialize, TS)]
pub struct RelaySet {
    /// Which.
    pub name: String,
    /// On or off. Turning it off keeps what waits.
    #[serde(default)]
    #[ts(optional)]
    pub on: Option<bool>,
    /// OTLP: the endpoint; Honeycomb's if none was ever set.
    #[serde(default)]
    #[ts(optional)]
    pub endpoint: Option<String>,
    /// OTLP: where its key is, `honeycomb` or `env:NAME`; empty for none.
    #[serde(default)]
    #[ts(optional)]
    pub key: Option<String>,
    /// OTLP: the header that the key goes into; empty for `x-honeycomb-team`.
    #[serde(default)]
    #[ts(optional)]
    pub header: Option<String>,
    /// Rollbar's post token, or Honeycomb's key, for the keychain or this run's memory; empty takes it away. It does not print, and no answer gives
    /// it back.
    #[serde(default)]
    #[ts(optional)]
    pub token: Option<String>,
    /// Throws away what waits.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub forget: bool,
    /// Does not wait any longer before the next try.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub again: bool,
}

impl std::fmt::Debug for RelaySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RelaySet")
            .field("name", &self.name)
            .field("on", &self.on)
            .field("endpoint", &self.endpoint)
            .field("forget", &self.forget)
            .field("again", &self.again)
            .finish_non_exhaustive()
    }
}

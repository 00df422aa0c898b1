//! Forwarding to the real services: switches and queues.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// No arguments.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct RelayRequest {}

/// The state of the relay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct RelayState {
    /// A row for each destination: `otlp`, `xray`, `logs`, `rollbar`.
    pub rows: Vec<RelayRow>,
    /// Bytes queued for all destinations.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Bytes that may be queued; beyond that the oldest are dropped.
    #[ts(type = "number")]
    pub limit_bytes: u64,
    /// Hours after which what is queued is dropped.
    pub limit_hours: u32,
    /// Why nothing is sent although a destination is on; empty where it is.
    pub problem: String,
}

/// A destination of the relay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RelayRow {
    /// `otlp`, `xray`, `logs`, `rollbar`.
    pub name: String,
    /// `OpenTelemetry`, `X-Ray`, `CloudWatch Logs`, `Rollbar`.
    pub title: String,
    pub on: bool,
    /// One sentence: what is forwarded, where to, and with which credentials.
    pub what: String,
    /// OTLP: the endpoint, also while it is off. Empty for others.
    pub endpoint: String,
    /// Where the credential is: `keychain`, `environment`, `memory`, `none`, `profile` (AWS); empty where none is
    /// needed.
    pub credential: String,
    /// The environment variable that is read for it; empty where there is none.
    pub variable: String,
    /// The counted unit: `segments`, `log events`.
    pub unit: String,
    /// Items queued.
    #[ts(type = "number")]
    pub waiting: u64,
    /// When the oldest of them arrived, RFC 3339; null where none is queued.
    pub oldest: Option<String>,
    /// Items accepted since the journal was created.
    #[ts(type = "number")]
    pub sent: u64,
    /// When the last batch was accepted, RFC 3339.
    pub last_sent: Option<String>,
    /// Items rejected for good.
    #[ts(type = "number")]
    pub refused: u64,
    /// Why the last one was rejected; empty if none was.
    pub refusal: String,
    /// Items dropped: too old, too many, or discarded by the user.
    #[ts(type = "number")]
    pub dropped: u64,
    /// Why the queue is not sent; empty where nothing is wrong.
    pub problem: String,
    /// What to do; may be empty.
    pub hint: String,
    /// Since when, RFC 3339.
    pub since: Option<String>,
}

/// A one-line summary of all destinations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RelaySum {
    /// Titles of the destinations that are on.
    pub on: Vec<String>,
    /// Items queued for all destinations.
    #[ts(type = "number")]
    pub waiting: u64,
    /// Why the first of them is not sent; empty where nothing is wrong.
    pub problem: String,
}

/// Changes one destination; null keeps a value.
#[derive(Clone, Default, Serialize, Deserialize, TS)]
pub struct RelaySet {
    pub name: String,
    /// Turning a destination off keeps its queue.
    #[serde(default)]
    #[ts(optional)]
    pub on: Option<bool>,
    /// OTLP: the endpoint; Honeycomb's if none was ever set.
    #[serde(default)]
    #[ts(optional)]
    pub endpoint: Option<String>,
    /// OTLP: where the key is, `honeycomb` or `env:NAME`; empty for none.
    #[serde(default)]
    #[ts(optional)]
    pub key: Option<String>,
    /// OTLP: the header that the key goes into; empty for `x-honeycomb-team`.
    #[serde(default)]
    #[ts(optional)]
    pub header: Option<String>,
    /// Rollbar's post token, or Honeycomb's key, for the keychain or this run's memory; empty removes it. `Debug`
    /// omits it, and no answer contains it.
    #[serde(default)]
    #[ts(optional)]
    pub token: Option<String>,
    /// Discards the queue.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub forget: bool,
    /// Retries at once.
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

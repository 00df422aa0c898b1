//! Cloud sources: settings, identity, pickers, queries, tails and usage.

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use ts_rs::TS;

pub use tracebook_core::catalog::Vendor;
use tracebook_core::query::QueryResult;
use tracebook_core::question::Source;

use crate::ground::error::ErrorBody;

/// Rows of a list with notes about them.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Listed<R> {
    pub rows: Vec<R>,
    /// What was left out, sampled, or not examined.
    pub notes: Vec<String>,
    /// Continues the list when given back as `page`; null at its end.
    pub next: Option<String>,
    /// When the source answered, RFC 3339; null for local telemetry.
    pub asked_at: Option<String>,
}

impl<R> Listed<R> {
    /// A complete list without notes.
    pub fn all(rows: Vec<R>) -> Self {
        Self { rows, notes: Vec::new(), next: None, asked_at: None }
    }
}

/// No arguments.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct SourcesRequest {}

/// The settings and state of the cloud sources.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct Sources {
    pub aws: AwsState,
    /// The vendors with a token. In JSON each is also beside `aws`, under its own name.
    pub vendors: BTreeMap<Vendor, TokenState>,
    pub usage: Usage,
}

impl Serialize for Sources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("aws", &self.aws)?;
        for (vendor, state) in &self.vendors {
            map.serialize_entry(vendor.id(), state)?;
        }
        map.serialize_entry("vendors", &self.vendors)?;
        map.serialize_entry("usage", &self.usage)?;
        map.end()
    }
}

/// The settings and state of AWS.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct AwsState {
    /// Null: the default chain (environment, then the profile `default`).
    pub profile: Option<String>,
    /// Null: the profile's or the environment's.
    pub region: Option<String>,
    /// The region that is used; null where none is configured.
    pub effective_region: Option<String>,
    /// An endpoint instead of AWS; never taken from the environment.
    pub endpoint: Option<String>,
    /// From the shared config.
    pub profiles: Vec<AwsProfile>,
    /// Regions to choose from.
    pub regions: Vec<String>,
    pub reach: Reach,
}

/// A profile of AWS's shared config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AwsProfile {
    pub name: String,
    /// Null where it names none.
    pub region: Option<String>,
    /// Where its credentials come from: `static keys`, `SSO`, `assumes a role`, `a process`, `web identity`, `nothing`.
    pub kind: String,
}

/// The settings and state of a vendor with one token.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TokenState {
    /// Where the token is: `keychain`, `environment`, `memory`, or `none`.
    pub token: String,
    /// The environment variable that is read: `ROLLBAR_READ_TOKEN`.
    pub variable: String,
    /// Whether this system has a usable keychain.
    pub keychain: bool,
    /// Why there is none, and what happens instead; empty where there is one.
    pub keychain_problem: String,
    /// The API that is used; also in `settings`.
    pub endpoint: String,
    /// Rollbar: the base of its pages, `https://app.rollbar.com/a/ACCOUNT/fix/item/PROJECT`; also in `settings`.
    pub web: String,
    /// What applies for each key that the catalog names; empty where nothing is set.
    pub settings: BTreeMap<String, String>,
    pub reach: Reach,
}

/// How the last call to a source went.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Reach {
    /// Since when it cannot be reached, RFC 3339; null where it can, or was not called yet.
    pub unreachable_since: Option<String>,
    /// The last failure; null where the last call succeeded.
    pub problem: Option<ErrorBody>,
}

/// Settings to change, each by vendor and key as the catalog names them: `aws_profile`, `honeycomb_endpoint`. Null
/// keeps a value, an empty text removes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct SourceSet(pub BTreeMap<String, Option<String>>);

/// A token for the keychain or this run's memory. `Debug` omits it, and no answer contains it.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct SecretSet {
    pub vendor: Vendor,
    /// Empty removes it.
    pub token: String,
    /// Store it in memory only.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub memory_only: bool,
}

impl std::fmt::Debug for SecretSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretSet").field("vendor", &self.vendor).finish_non_exhaustive()
    }
}

/// The vendor whose credentials are checked.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct WhoAmI {
    pub vendor: Vendor,
}

/// The identity that a source authenticates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Identity {
    /// AWS: the account, all but its last four digits masked. Rollbar: the project. Honeycomb: the team.
    pub account: String,
    /// AWS: the role or user. Honeycomb: the environment. May be empty.
    pub name: String,
    /// AWS: the region that is used. Empty for others.
    pub region: String,
    /// What these credentials allow or deny.
    pub notes: Vec<String>,
    /// Scheme, host and port of what answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub endpoint: Option<String>,
    /// The account, project or team as evidence records it: six hex digits, equal for equal accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub fingerprint: Option<String>,
    /// Whether that is an emulator, or another host that is not the vendor's own.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub emulator: bool,
}

/// Which log groups to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LogGroupsRequest {
    /// Part of their name; empty for all.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub search: String,
}

/// A log group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LogGroupRow {
    pub name: String,
    /// Days after which events are removed; null for never or unknown.
    pub retention_days: Option<u32>,
    /// Null where unknown.
    #[ts(type = "number | null")]
    pub stored_bytes: Option<u64>,
}

/// Which log streams to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LogStreamsRequest {
    pub group: String,
    /// Name prefix; empty for all.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub search: String,
}

/// A log stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LogStreamRow {
    pub name: String,
    /// RFC 3339; null where unknown.
    pub last_event: Option<String>,
}

/// Starts a tail.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TailStart {
    /// As for `live_logs`; must contain a group.
    pub filter: String,
}

/// A running tail.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TailRef {
    /// `Event::Changed` with [`Topic::Tail`](super::Topic::Tail) names it when there are more rows.
    pub id: String,
}

/// The tail to read.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TailRead {
    /// As returned by `tail_start`.
    pub id: String,
}

/// The tail to stop.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TailStop {
    /// As returned by `tail_start`.
    pub id: String,
}

/// The events that a tail received.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TailState {
    /// The last thousand, newest first.
    pub rows: Vec<tracebook_core::logs::LogRow>,
    /// `live tail`, or `polling` if the endpoint does not support it.
    pub by: String,
    /// Whether the source sent only a sample of the events.
    pub sampled: bool,
    /// Events received so far.
    pub seen: u32,
    /// Why it ended; null while it runs.
    pub ended: Option<ErrorBody>,
}

/// A filter to check.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct FilterCheck {
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
    pub filter: String,
}

/// Whether a filter is valid, and what can be written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FilterVerdict {
    pub ok: bool,
    /// What is wrong, and where; empty for a valid filter.
    pub message: String,
    /// Examples of the language.
    pub forms: Vec<FilterExample>,
}

/// One form of a filter language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FilterExample {
    /// `service() { fault }`
    pub example: String,
    /// What it matches.
    pub meaning: String,
}

/// The item whose occurrences are listed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct OccurrencesRequest {
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
    pub id: String,
    /// Continues a list: the `next` of its answer.
    #[serde(default)]
    #[ts(optional)]
    pub page: Option<String>,
}

/// An occurrence in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OccurrencePick {
    /// As `error_get` and `capture error` take it.
    pub id: String,
    /// RFC 3339.
    pub timestamp: String,
    /// Empty where the occurrence names none.
    pub person: String,
    pub title: String,
}

/// The source whose saved queries are listed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct QueriesRequest {
    /// `cloudwatch` or `honeycomb`.
    pub source: Source,
}

/// A query saved in this journal, at the vendor, or on a board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SavedQuery {
    /// Empty for a new one.
    pub id: String,
    /// `cloudwatch` or `honeycomb`.
    pub source: Source,
    pub name: String,
    /// In the source's language; empty where the source does not return it.
    pub query: String,
    /// Log groups or datasets.
    pub groups: Vec<String>,
    /// Its origin: `saved here`, `CloudWatch`, `board Week 2`.
    pub from: String,
    /// Whether it is saved in this journal.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub own: bool,
    /// The vendor's page of it; null where there is none.
    pub link: Option<String>,
}

/// The query to save.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct QuerySave(pub SavedQuery);

/// The saved query to forget.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct QueryForget(pub SavedQuery);

/// A query to run. Its call can be cancelled and reports progress.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct QueryRun {
    /// `cloudwatch` or `honeycomb`.
    pub source: Source,
    /// May be empty with `id`.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub query: String,
    /// The id of a saved query.
    #[serde(default)]
    #[ts(optional)]
    pub id: Option<String>,
    /// Log groups or datasets; those of the saved query if empty.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub groups: Vec<String>,
    /// Time window, such as `1h`, or a range `FROM/TO`.
    #[serde(default)]
    #[ts(optional)]
    pub since: Option<String>,
    /// Maximum number of rows.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// The result of a query.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct QueryAnswer {
    /// Passed to `capture query`, freezes exactly this answer, as long as this run lasts.
    pub id: String,
    pub result: QueryResult,
    /// Link to the vendor's page.
    pub link: Option<String>,
}

/// What to find in a vendor's console.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LinkRequest {
    pub source: Source,
    /// `trace`, `logs`, `error`, `service-map`.
    pub kind: String,
    /// For logs the group.
    pub id: String,
}

/// A link with its expiry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LinkAnswer {
    /// Null where it cannot be built; `note` says why.
    pub url: Option<String>,
    /// When the vendor deletes the target, RFC 3339; null where unknown.
    pub expires: Option<String>,
    pub note: String,
}

/// Calls to cloud sources this month and their price. Counted by this app; not the vendor's bill.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Usage {
    /// `2026-11`.
    pub month: String,
    pub rows: Vec<UsageRow>,
    /// The sum in US dollars, without free tiers.
    pub dollars: f64,
    /// One sentence: `this month: 412 traces retrieved, < $0.01`.
    pub summary: String,
    /// Date and origin of the prices.
    pub prices: String,
}

/// One counter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct UsageRow {
    /// `X-Ray traces retrieved`, `CloudWatch Logs FilterLogEvents calls`.
    pub what: String,
    #[ts(type = "number")]
    pub n: u64,
    /// In US dollars, without free tiers; null for what is free.
    pub dollars: Option<f64>,
}

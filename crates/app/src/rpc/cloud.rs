//! What is asked of cloud sources: settings, identity, pickers, queries, tails, and what it all costs.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use tracebook_core::query::QueryResult;
use tracebook_core::question::Source;

use crate::ground::error::ErrorBody;

/// Rows of a list, and what is to be said of them.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Listed<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// What the reader must know: what was left out, sampled, not looked at.
    pub notes: Vec<String>,
    /// Asks for the rows behind these, given back as `page`; null where there are none.
    pub next: Option<String>,
    /// When the source answered, RFC 3339; null for local telemetry, which is always now.
    pub asked_at: Option<String>,
}

impl<R> Listed<R> {
    /// All there is.
    pub fn all(rows: Vec<R>) -> Self {
        Self { rows, notes: Vec::new(), next: None, asked_at: None }
    }
}

/// A cloud vendor with settings and credentials of its own; AWS stands for X-Ray and CloudWatch Logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// AWS X-Ray and CloudWatch Logs.
    Aws,
    /// Rollbar.
    Rollbar,
    /// Honeycomb.
    Honeycomb,
}

/// Takes nothing.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct SourcesRequest {}

/// The cloud sources, as they are set.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Sources {
    /// AWS.
    pub aws: AwsState,
    /// Rollbar.
    pub rollbar: TokenState,
    /// Honeycomb.
    pub honeycomb: TokenState,
    /// What was asked of all of them.
    pub usage: Usage,
}

/// AWS, as it is set.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct AwsState {
    /// The profile that is used; null: the default chain (environment, then the profile `default`).
    pub profile: Option<String>,
    /// The region that is set here; null: the profile's or the environment's.
    pub region: Option<String>,
    /// The region that will be asked; null where nobody names one.
    pub effective_region: Option<String>,
    /// An endpoint that is asked instead of AWS; set here only, never taken from the environment.
    pub endpoint: Option<String>,
    /// The profiles of the shared config.
    pub profiles: Vec<AwsProfile>,
    /// The regions to pick from.
    pub regions: Vec<String>,
    /// How it went the last time.
    pub reach: Reach,
}

/// A profile of AWS's shared config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AwsProfile {
    /// Its name.
    pub name: String,
    /// Its region; null where it names none.
    pub region: Option<String>,
    /// Where its credentials come from: `static keys`, `SSO`, `assumes a role`, `a process`, `web identity`, `nothing`.
    pub kind: String,
}

/// A vendor with one token, as it is set.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TokenState {
    /// Where the token is: `keychain`, `environment`, `memory`, or `none`.
    pub token: String,
    /// The environment variable that is read: `ROLLBAR_READ_TOKEN`.
    pub variable: String,
    /// Whether this system has a keychain that can be used.
    pub keychain: bool,
    /// Why it cannot, and what happens instead; empty where it can.
    pub keychain_problem: String,
    /// The API that is asked.
    pub endpoint: String,
    /// Rollbar: where its pages are, `https://app.rollbar.com/a/ACCOUNT/fix/item/PROJECT`; empty where not set.
    pub web: String,
    /// How it went the last time.
    pub reach: Reach,
}

/// How it went when a source was asked last.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Reach {
    /// Since when it cannot be reached, RFC 3339; null where it can, or was not asked yet.
    pub unreachable_since: Option<String>,
    /// What was wrong the last time; null where nothing was.
    pub problem: Option<ErrorBody>,
}

/// What to set; what is null stays as it is, an empty text takes it away.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct SourceSet {
    /// AWS's profile.
    #[serde(default)]
    #[ts(optional)]
    pub aws_profile: Option<String>,
    /// AWS's region.
    #[serde(default)]
    #[ts(optional)]
    pub aws_region: Option<String>,
    /// An endpoint instead of AWS.
    #[serde(default)]
    #[ts(optional)]
    pub aws_endpoint: Option<String>,
    /// Rollbar's API.
    #[serde(default)]
    #[ts(optional)]
    pub rollbar_endpoint: Option<String>,
    /// Rollbar's pages.
    #[serde(default)]
    #[ts(optional)]
    pub rollbar_web: Option<String>,
    /// Honeycomb's API.
    #[serde(default)]
    #[ts(optional)]
    pub honeycomb_endpoint: Option<String>,
}

/// A token on its way to the keychain, or to this run's memory. It does not print, and no answer gives it back.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct SecretSet {
    /// Whose.
    pub vendor: Vendor,
    /// The token; empty takes it away.
    pub token: String,
    /// Keep it in this run's memory only.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub memory_only: bool,
}

impl std::fmt::Debug for SecretSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretSet").field("vendor", &self.vendor).finish_non_exhaustive()
    }
}

/// Whom to ask who we are.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct WhoAmI {
    /// Whom.
    pub vendor: Vendor,
}

/// Who we are to a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Identity {
    /// AWS: the account, all but its last four digits masked. Rollbar: the project. Honeycomb: the team.
    pub account: String,
    /// AWS: the role or user. Honeycomb: the environment. Empty where there is none.
    pub name: String,
    /// AWS: the region that is asked. Empty where there is none.
    pub region: String,
    /// What these credentials allow, or do not, in words.
    pub notes: Vec<String>,
}

/// Which log groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LogGroupsRequest {
    /// Part of their name; empty for all.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub search: String,
}

/// A log group to pick.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LogGroupRow {
    /// Its name.
    pub name: String,
    /// After how many days its events go; null: never, or not said.
    pub retention_days: Option<u32>,
    /// Bytes that it holds; null where not said.
    #[ts(type = "number | null")]
    pub stored_bytes: Option<u64>,
}

/// Which log streams.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LogStreamsRequest {
    /// Whose.
    pub group: String,
    /// The beginning of their name; empty for all.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub search: String,
}

/// A log stream to pick.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LogStreamRow {
    /// Its name.
    pub name: String,
    /// Its last event, RFC 3339; null where not said.
    pub last_event: Option<String>,
}

/// Starts a tail.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TailStart {
    /// As `live_logs` takes it; it must name a group.
    pub filter: String,
}

/// A tail that runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TailRef {
    /// Its id; `Event::Changed` with [`Topic::Tail`](super::Topic::Tail) names it when there are more rows.
    pub id: String,
}

/// The tail to read.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TailRead {
    /// As `tail_start` gave it.
    pub id: String,
}

/// The tail to end.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TailStop {
    /// As `tail_start` gave it.
    pub id: String,
}

/// What a tail has seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct TailState {
    /// Newest first; the last thousand.
    pub rows: Vec<tracebook_core::logs::LogRow>,
    /// `live tail`, or `polling` where the endpoint has none.
    pub by: String,
    /// Whether the source sent only some of the events: then it is not the whole truth.
    pub sampled: bool,
    /// Events so far.
    pub seen: u32,
    /// Why it ended; null while it runs.
    pub ended: Option<ErrorBody>,
}

/// Whether a filter can be asked.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct FilterCheck {
    /// Whom.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
    /// The filter.
    pub filter: String,
}

/// What is wrong with a filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FilterVerdict {
    /// Whether it can be asked.
    pub ok: bool,
    /// What is wrong, and where; empty where nothing is.
    pub message: String,
    /// What can be written: example and meaning.
    pub forms: Vec<FilterForm>,
}

/// One thing that a filter language can say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FilterForm {
    /// `service() { fault }`
    pub example: String,
    /// What it finds.
    pub meaning: String,
}

/// Occurrences of an item.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct OccurrencesRequest {
    /// Whom.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
    /// The item.
    pub id: String,
    /// Behind the rows of an answer: its `next`.
    #[serde(default)]
    #[ts(optional)]
    pub page: Option<String>,
}

/// An occurrence to pick.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OccurrencePick {
    /// What `error_get` and `capture error` take.
    pub id: String,
    /// When, RFC 3339.
    pub timestamp: String,
    /// Whom it happened to; empty if it does not say.
    pub person: String,
    /// Its title.
    pub title: String,
}

/// Whose saved queries.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct QueriesRequest {
    /// `cloudwatch` or `honeycomb`.
    pub source: Source,
}

/// A saved query: the user's own here, the vendor's, or a board's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SavedQuery {
    /// Its id; empty for one that is to be saved.
    pub id: String,
    /// `cloudwatch` or `honeycomb`.
    pub source: Source,
    /// Its name.
    pub name: String,
    /// Its text, in the source's language; empty where the source does not give it.
    pub query: String,
    /// Log groups or datasets.
    pub groups: Vec<String>,
    /// Where it comes from: `saved here`, `CloudWatch`, `board Week 2`.
    pub from: String,
    /// Where the vendor's page shows it; null where there is none.
    pub link: Option<String>,
}

/// The query to save.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct QuerySave(pub SavedQuery);

/// The saved query to forget.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct QueryForget(pub SavedQuery);

/// A query to run. Its call can be cancelled, and tells how far it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct QueryRun {
    /// `cloudwatch` or `honeycomb`.
    pub source: Source,
    /// Its text; with `id` it may be empty.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub query: String,
    /// A saved one.
    #[serde(default)]
    #[ts(optional)]
    pub id: Option<String>,
    /// Log groups or datasets; those of the saved one if empty.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub groups: Vec<String>,
    /// Over the last so much: `1h`.
    #[serde(default)]
    #[ts(optional)]
    pub since: Option<String>,
    /// At most so many rows.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// A query's answer.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct QueryAnswer {
    /// What `capture query` takes to freeze exactly this answer, as long as this run lasts.
    pub id: String,
    /// The answer.
    pub result: QueryResult,
    /// Where the vendor's page shows it.
    pub link: Option<String>,
}

/// Where a vendor's console shows something.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LinkRequest {
    /// Whose console.
    pub source: Source,
    /// `trace`, `logs`, `error`, `service-map`.
    pub kind: String,
    /// Its id; for logs the group.
    pub id: String,
}

/// A link, and how long it leads somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LinkAnswer {
    /// The address; null where it cannot be made, and `note` says why.
    pub url: Option<String>,
    /// When the vendor deletes what it leads to, RFC 3339; null where not known.
    pub expires: Option<String>,
    /// What is to be known.
    pub note: String,
}

/// What was asked of the cloud this month, and what it would cost. Counted by this app: not the vendor's bill.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Usage {
    /// `2026-11`.
    pub month: String,
    /// By what.
    pub rows: Vec<UsageRow>,
    /// All of it in US dollars, without free tiers.
    pub dollars: f64,
    /// One sentence: `this month: 412 traces retrieved, < $0.01`.
    pub summary: String,
    /// Of which day the prices are, and where they stand.
    pub prices: String,
}

/// One thing that is counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct UsageRow {
    /// `X-Ray traces retrieved`, `CloudWatch Logs FilterLogEvents calls`.
    pub what: String,
    /// How many.
    #[ts(type = "number")]
    pub n: u64,
    /// In US dollars, without free tiers; null where it costs nothing.
    pub dollars: Option<f64>,
}

//! A rate limiter for each API, at the quota that its vendor documents.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// An API with a quota of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Api {
    /// X-Ray: GetTraceSummaries.
    XrayTraces,
    /// X-Ray: BatchGetTraces and the retrieval operations.
    XrayBatch,
    /// X-Ray: GetServiceGraph, GetTraceGraph.
    XrayGraph,
    /// X-Ray: groups, sampling rules, settings.
    XraySettings,
    /// X-Ray: PutTraceSegments, for the relay.
    XrayPut,
    /// CloudWatch Logs: DescribeLogGroups, DescribeLogStreams.
    LogsDescribe,
    /// CloudWatch Logs: FilterLogEvents.
    LogsFilter,
    /// CloudWatch Logs: GetLogEvents.
    LogsGet,
    /// CloudWatch Logs: StartQuery, GetQueryResults, StopQuery.
    LogsInsights,
    /// CloudWatch Logs: StartLiveTail.
    LogsTail,
    /// CloudWatch Logs: PutLogEvents, for the relay.
    LogsPut,
    /// STS: GetCallerIdentity.
    Sts,
    /// Rollbar's read API.
    RollbarRead,
    /// Rollbar's item API, for the relay.
    RollbarPut,
    /// Honeycomb's configuration API.
    HoneycombRead,
    /// Honeycomb's query data API.
    HoneycombQuery,
    /// An OTLP endpoint, for the relay.
    OtlpPut,
}

impl Api {
    pub const ALL: [Self; 17] = [
        Self::XrayTraces,
        Self::XrayBatch,
        Self::XrayGraph,
        Self::XraySettings,
        Self::XrayPut,
        Self::LogsDescribe,
        Self::LogsFilter,
        Self::LogsGet,
        Self::LogsInsights,
        Self::LogsTail,
        Self::LogsPut,
        Self::Sts,
        Self::RollbarRead,
        Self::RollbarPut,
        Self::HoneycombRead,
        Self::HoneycombQuery,
        Self::OtlpPut,
    ];

    /// Its name in messages and in the counts of requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::XrayTraces => "X-Ray GetTraceSummaries",
            Self::XrayBatch => "X-Ray BatchGetTraces",
            Self::XrayGraph => "X-Ray GetServiceGraph",
            Self::XraySettings => "X-Ray groups and sampling rules",
            Self::XrayPut => "X-Ray PutTraceSegments",
            Self::LogsDescribe => "CloudWatch Logs DescribeLogGroups",
            Self::LogsFilter => "CloudWatch Logs FilterLogEvents",
            Self::LogsGet => "CloudWatch Logs GetLogEvents",
            Self::LogsInsights => "CloudWatch Logs Insights",
            Self::LogsTail => "CloudWatch Logs Live Tail",
            Self::LogsPut => "CloudWatch Logs PutLogEvents",
            Self::Sts => "STS GetCallerIdentity",
            Self::RollbarRead => "Rollbar's read API",
            Self::RollbarPut => "Rollbar's item API",
            Self::HoneycombRead => "Honeycomb's API",
            Self::HoneycombQuery => "Honeycomb's Query Data API",
            Self::OtlpPut => "the OTLP endpoint",
        }
    }

    /// Requests per second, and the burst after a pause.
    ///
    /// CloudWatch Logs: FilterLogEvents 5/s, GetLogEvents 10/s, DescribeLogGroups 5/s for an account and region
    /// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>); we use less, because
    /// others in the account share the quota. X-Ray documents no rate for reads: a low one with a burst, and its
    /// throttling is respected. Rollbar's read API: 5,000 a minute. Honeycomb's Query Data API: 10 a minute.
    fn quota(self) -> (f64, u32) {
        match self {
            Self::XrayTraces | Self::XrayGraph | Self::XraySettings => (2.0, 5),
            Self::XrayBatch => (5.0, 10),
            Self::LogsDescribe | Self::LogsFilter => (4.0, 4),
            Self::LogsGet => (8.0, 8),
            Self::LogsInsights => (4.0, 4),
            Self::LogsTail | Self::Sts => (1.0, 3),
            Self::RollbarRead => (10.0, 20),
            Self::HoneycombRead => (2.0, 5),
            Self::HoneycombQuery => (10.0 / 60.0, 3),
            Self::XrayPut | Self::LogsPut | Self::RollbarPut | Self::OtlpPut => (20.0, 20),
        }
    }
}

/// Limits the rate of requests. Cheap to clone; clones share their state.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// For each API the time at which its bucket is full again; `None` for no limits.
    full_at: Option<Arc<Mutex<HashMap<Api, Instant>>>>,
}

impl Limits {
    /// The vendors' documented quotas.
    pub fn documented() -> Self {
        Self { full_at: Some(Arc::default()) }
    }

    /// No limits, for a user-defined endpoint (an emulator, a test).
    pub fn none() -> Self {
        Self::default()
    }

    /// Reserves the next request and returns how long to wait for it.
    pub(super) fn reserve(&self, api: Api) -> Duration {
        let Some(book) = &self.full_at else { return Duration::ZERO };
        let (rate, burst) = api.quota();
        let step = Duration::from_secs_f64(1.0 / rate);
        let now = Instant::now();
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = book.entry(api).or_insert(now);
        *full_at = (*full_at).max(now) + step;
        (*full_at - now).saturating_sub(step * burst)
    }

    /// After throttling: no request is allowed before this pause is over.
    pub(super) fn hold(&self, api: Api, pause: Duration) {
        let Some(book) = &self.full_at else { return };
        let (rate, burst) = api.quota();
        let until = Instant::now() + pause + Duration::from_secs_f64(1.0 / rate) * burst;
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = book.entry(api).or_insert(until);
        *full_at = (*full_at).max(until);
    }
}

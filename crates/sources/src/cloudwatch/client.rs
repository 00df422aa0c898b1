//! The CloudWatch Logs API: log groups and streams, log events, tails, Insights queries, and PutLogEvents for the
//! relay.
//!
//! JSON 1.1 on `POST /`, through `aws-sdk-cloudwatchlogs`; times are milliseconds, except Insights', which are seconds.
//! Types and limits: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html>. The SDK's own
//! retries are off: [`Fetch::call`](crate::cloud::Fetch::call) waits, counts, retries, and can be cancelled.
//!
//! A user-defined endpoint may be an emulator. Some ignore the filter pattern, the streams or the order, so their
//! answers (and only theirs: AWS knows its patterns better) are filtered and sorted again.

mod event;
mod events;
mod fault;
mod groups;
mod host_prefix;
mod insights;
mod put;
mod search;
mod tail;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::config::Builder;
use aws_sdk_cloudwatchlogs::config::retry::RetryConfig;

use crate::aws::Connection;
use crate::aws::errors::ErrorContext;
use crate::cloud::Api;

pub use event::EventRef;
pub use events::{Event, Events, EventsRequest};
pub use groups::{Group, Listed, Stream};
pub use insights::{InsightsRequest, Saved, timestamp_in};
pub use put::{Put, Rejected};
pub use tail::{Tail, TailBy, TailRequest, TailUpdate};

// FilterLogEvents 5/s, GetLogEvents 10/s, DescribeLogGroups 5/s for an account and region
// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>). We use less, because others in
// the account share the quota.
impl Api {
    /// DescribeLogGroups, DescribeLogStreams.
    pub const LOGS_DESCRIBE: Self = Self::new("CloudWatch Logs DescribeLogGroups", 240, 4);
    /// FilterLogEvents.
    pub const LOGS_FILTER: Self = Self::new("CloudWatch Logs FilterLogEvents", 240, 4);
    /// GetLogEvents.
    pub const LOGS_GET: Self = Self::new("CloudWatch Logs GetLogEvents", 480, 8);
    /// StartQuery, GetQueryResults, StopQuery.
    pub const LOGS_INSIGHTS: Self = Self::new("CloudWatch Logs Insights", 240, 4);
    /// StartLiveTail.
    pub const LOGS_TAIL: Self = Self::new("CloudWatch Logs Live Tail", 60, 3);
    /// PutLogEvents, for the relay.
    pub const LOGS_PUT: Self = Self::new("CloudWatch Logs PutLogEvents", 1200, 20);
}

/// CloudWatch Logs in one region of one account. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    logs: aws_sdk_cloudwatchlogs::Client,
    errors: Arc<ErrorContext>,
    /// Whether the endpoint is not AWS.
    own_endpoint: bool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("errors", &self.errors).finish_non_exhaustive()
    }
}

impl Client {
    /// A client with the connection's credentials, region and endpoint. Makes no request yet.
    pub fn new(connection: &Connection) -> Self {
        let mut config = Builder::from(&connection.sdk).retry_config(RetryConfig::disabled());
        // Only the configured endpoint, not one from the environment.
        config.set_endpoint_url(connection.endpoint.clone());
        let own_endpoint = connection.endpoint.is_some();
        if own_endpoint {
            config = config.interceptor(host_prefix::Without);
        }
        let logs = aws_sdk_cloudwatchlogs::Client::from_conf(config.build());
        Self { logs, errors: connection.errors(), own_endpoint }
    }
}

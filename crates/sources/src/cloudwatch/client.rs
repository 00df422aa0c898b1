//! CloudWatch Logs' own API, asked: log groups and streams, log events, a tail, Insights queries; and put, for the relay.
//!
//! JSON 1.1 on `POST /`, by `aws-sdk-cloudwatchlogs`; times are milliseconds, except Insights', which are seconds. Shapes and
//! limits: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html>. The SDK's own repeats
//! are off: [`Fetch::call`](crate::cloud::Fetch::call) waits, counts and repeats, and what it does can be cancelled.
//!
//! An endpoint of the user's own may be an emulator. Some ignore the filter pattern, the streams or the order that they are
//! asked for, so there (and only there: AWS knows its patterns better) what comes back is sieved and sorted again.

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
use crate::aws::errors::Whose;

pub use event::EventRef;
pub use events::{Event, Events, EventsAsk};
pub use groups::{Found, Group, Stream};
pub use insights::{QueryAsk, Saved, timestamp_in};
pub use put::{Put, Rejected};
pub use tail::{Tail, TailAsk, TailBy, TailUpdate};

/// CloudWatch Logs in one region of one account. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    logs: aws_sdk_cloudwatchlogs::Client,
    whose: Arc<Whose>,
    /// Whether it is not AWS that is asked.
    own_endpoint: bool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("whose", &self.whose).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that asks as the connection does. Nothing is asked yet.
    pub fn new(connection: &Connection) -> Self {
        let mut config = Builder::from(&connection.sdk).retry_config(RetryConfig::disabled());
        // Not what the environment may name: only what was set.
        config.set_endpoint_url(connection.endpoint.clone());
        let own_endpoint = connection.endpoint.is_some();
        if own_endpoint {
            config = config.interceptor(host_prefix::Without);
        }
        let logs = aws_sdk_cloudwatchlogs::Client::from_conf(config.build());
        Self { logs, whose: connection.whose(), own_endpoint }
    }
}

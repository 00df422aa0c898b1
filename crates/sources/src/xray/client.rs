//! The X-Ray API: traces, service maps, groups and sampling rules of an account, as core's types, and segments sent by
//! the relay. All requests go through [`Fetch::call`](crate::cloud::Fetch::call).
//!
//! Operations and limits: the API reference (<https://docs.aws.amazon.com/xray/latest/api/Welcome.html>); what it does
//! not document is noted where it matters.

mod batch;
mod graph;
mod put;
mod repair;
mod retrieval;
mod settings;
mod summaries;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::sdk_config::SharedTimeSource;
use tracebook_core::time::Nanos;

pub use batch::FetchedTrace;
pub use put::Unprocessed;
pub use summaries::{Traces, TracesRequest};

use super::expression::{Expression, Problem};
use crate::aws::Connection;
use crate::aws::errors::ErrorContext;
use crate::cloud::{Api, SourceError};

// X-Ray documents no rate for reads: a low one with a burst, and its throttling is respected.
impl Api {
    /// GetTraceSummaries.
    pub const XRAY_TRACES: Self = Self::new("X-Ray GetTraceSummaries", 120, 5);
    /// BatchGetTraces and the retrieval operations.
    pub const XRAY_BATCH: Self = Self::new("X-Ray BatchGetTraces", 300, 10);
    /// GetServiceGraph, GetTraceGraph.
    pub const XRAY_GRAPH: Self = Self::new("X-Ray GetServiceGraph", 120, 5);
    /// Groups, sampling rules, settings.
    pub const XRAY_SETTINGS: Self = Self::new("X-Ray groups and sampling rules", 120, 5);
    /// PutTraceSegments, for the relay.
    pub const XRAY_PUT: Self = Self::new("X-Ray PutTraceSegments", 1200, 20);
}

/// The most pages of one query; more means that an endpoint repeats itself.
const MAX_PAGES: u32 = 2_000;

/// X-Ray in one region of one account. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    sdk: aws_sdk_xray::Client,
    errors: Arc<ErrorContext>,
    time: SharedTimeSource,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("errors", &self.errors).finish_non_exhaustive()
    }
}

impl Client {
    /// A client with the connection's credentials, region and endpoint.
    pub fn new(connection: &Connection) -> Self {
        Self {
            sdk: aws_sdk_xray::Client::new(&connection.sdk),
            errors: connection.errors(),
            time: connection.sdk.time_source().unwrap_or_default(),
        }
    }

    fn words<E>(&self, error: SdkError<E, HttpResponse>) -> SourceError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.errors.classify(&error)
    }
}

/// Checks a filter expression before a request. Expressions that X-Ray can evaluate and a local trace cannot (root
/// causes) are valid here.
///
/// # Errors
/// What is wrong, with the position.
pub fn check_expression(text: &str) -> Result<(), String> {
    match Expression::parse(text) {
        Ok(_) | Err(Problem::Unsupported { .. }) => Ok(()),
        Err(problem @ Problem::Wrong { .. }) => Err(problem.to_string()),
    }
}

/// Help for filter expressions: examples, and what each one matches
/// (<https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html>).
pub fn forms() -> Vec<(&'static str, &'static str)> {
    vec![
        ("fault", "the first service ended with a fault (5xx)"),
        ("error", "the first service ended with an error (4xx); errors that a caller handled are not found"),
        ("throttle", "a request was throttled (429)"),
        ("!ok", "any response that is not ok"),
        ("partial", "some segments have not ended yet"),
        ("responsetime > 5", "the first service took more than five seconds"),
        ("duration >= 1 AND duration <= 8", "the whole trace took between one and eight seconds"),
        ("http.status != 200", "the response's status"),
        (
            "http.url CONTAINS \"/api/activities\"",
            "part of the URL; = != BEGINSWITH ENDSWITH work too, strings are quoted",
        ),
        ("http.method = \"POST\"", "the method"),
        ("user = \"andrewbrown\"", "the user that a segment names"),
        ("annotation.handle = \"andrewbrown\"", "an annotation's value; numbers, true and false are not quoted"),
        ("annotation.handle", "the annotation is there, whatever its value"),
        ("service(\"backend-flask\")", "the service took part"),
        ("service(\"backend-flask\") { fault }", "that service had a fault, even if its callers handled it"),
        ("service() { fault OR error }", "any service had one"),
        ("edge(\"backend-flask\", \"dynamodb\") { throttle }", "a call from one to the other was throttled"),
        ("group.name = \"Cruddur\"", "the traces of a group"),
        ("http.url CONTAINS \"/api\" AND (fault OR responsetime > 1)", "combine with AND, OR, ! and parentheses"),
    ]
}

fn date(time: Nanos) -> DateTime {
    // In range for every i64.
    DateTime::from_nanos(time.0.into()).unwrap_or_else(|_| DateTime::from_secs(0))
}

/// The SDK reads a decimal fraction into nanoseconds, which adds digits that nobody wrote; they are rounded away.
fn nanos(time: &DateTime) -> Option<Nanos> {
    Nanos::from_seconds(time.as_secs_f64())
}

/// Seconds as nanoseconds; `None` if it is not a duration.
fn length(seconds: f64) -> i64 {
    Nanos::from_seconds(seconds.max(0.0)).unwrap_or_default().0
}

/// The token of the next page, unless it is empty or the one that was just sent, which would loop.
fn next(token: Option<&str>, sent: Option<&str>) -> Option<String> {
    token.filter(|token| !token.is_empty() && Some(*token) != sent).map(str::to_owned)
}

//! Client of the X-Ray API: traces, maps, groups and sampling rules of an account as `core` types, and PutTraceSegments
//! for the relay. Every request goes through [`Fetch::call`](crate::cloud::Fetch::call).
//!
//! Operations and limits: the API reference
//! (<https://docs.aws.amazon.com/xray/latest/api/Welcome.html>). Other sources are named where they are used.

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
pub use summaries::{Traces, TracesAsk};

use super::expression::{Expression, Problem};
use crate::aws::Connection;
use crate::aws::errors::Whose;
use crate::cloud::SourceError;

/// Maximum number of pages per query. More means that the endpoint repeats pages.
const MOST_PAGES: u32 = 2_000;

/// X-Ray in one region of one account. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    sdk: aws_sdk_xray::Client,
    whose: Arc<Whose>,
    time: SharedTimeSource,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("whose", &self.whose).finish_non_exhaustive()
    }
}

impl Client {
    /// A client with the credentials of the connection.
    pub fn new(connection: &Connection) -> Self {
        Self {
            sdk: aws_sdk_xray::Client::new(&connection.sdk),
            whose: connection.whose(),
            time: connection.sdk.time_source().unwrap_or_default(),
        }
    }

    /// What a failure means.
    fn words<E>(&self, error: SdkError<E, HttpResponse>) -> SourceError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.whose.classify(&error)
    }
}

/// Checks a filter expression before it is sent. Expressions that only X-Ray can evaluate (root causes) are valid.
///
/// # Errors
/// What is wrong, with the place.
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
        (
            "error",
            "the first service ended with an error (4xx); one that was handled further down is not found by this",
        ),
        ("throttle", "a request was throttled (429)"),
        ("!ok", "anything but a good end"),
        ("partial", "some segments have not ended yet"),
        ("responsetime > 5", "the first service took more than five seconds"),
        ("duration >= 1 AND duration <= 8", "the whole trace took between one and eight seconds"),
        ("http.status != 200", "the response's status"),
        (
            "http.url CONTAINS \"/api/activities\"",
            "part of the URL; = != BEGINSWITH ENDSWITH work too, texts stand in quotes",
        ),
        ("http.method = \"POST\"", "the method"),
        ("user = \"andrewbrown\"", "the user that a segment names"),
        (
            "annotation.handle = \"andrewbrown\"",
            "an annotation's value; a number or true and false stand without quotes",
        ),
        ("annotation.handle", "the annotation is there, whatever its value"),
        ("service(\"backend-flask\")", "the service took part"),
        ("service(\"backend-flask\") { fault }", "that service had a fault, also if nobody above noticed"),
        ("service() { fault OR error }", "any service had one"),
        ("edge(\"backend-flask\", \"dynamodb\") { throttle }", "a call from one to the other was throttled"),
        ("group.name = \"Cruddur\"", "the traces of a group"),
        ("http.url CONTAINS \"/api\" AND (fault OR responsetime > 1)", "AND, OR, ! and parentheses join them"),
    ]
}

/// A time for the SDK.
fn date(time: Nanos) -> DateTime {
    // In range for every i64.
    DateTime::from_nanos(time.0.into()).unwrap_or_else(|_| DateTime::from_secs(0))
}

/// A time from the SDK, rounded: the SDK turns decimal fractions into nanoseconds with spurious digits.
fn nanos(time: &DateTime) -> Option<Nanos> {
    Nanos::from_seconds(time.as_secs_f64())
}

/// Seconds as nanoseconds; `None` if it is not a valid duration.
fn length(seconds: f64) -> i64 {
    Nanos::from_seconds(seconds.max(0.0)).unwrap_or_default().0
}

/// The token of the next page, unless it is empty or the one just sent, which would loop.
fn next(token: Option<&str>, sent: Option<&str>) -> Option<String> {
    token.filter(|token| !token.is_empty() && Some(*token) != sent).map(str::to_owned)
}

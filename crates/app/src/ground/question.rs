//! Parts of questions to any source: time windows, ids, limits, and what a source does not have.

use tracebook_core::ids::{IdError, TraceId};
use tracebook_core::question::Source;
use tracebook_core::time::{Nanos, parse_duration};

use crate::ground::error::{Code, Error};

/// The number of rows of a list unless the caller names one.
pub(crate) const LIMIT: u32 = 100;

/// The start of a time window such as `15m` that ends at `at`; `None` where no window is given.
pub(crate) fn window_start(text: Option<&str>, at: Nanos) -> Result<Option<Nanos>, Error> {
    let Some(text) = text.filter(|t| !t.trim().is_empty()) else { return Ok(None) };
    let back = parse_duration(text)
        .ok_or_else(|| Error::usage(format!("{text:?} is no length of time"), "Write for example 15m, 2h or 7d"))?;
    Ok(Some(Nanos(at.0.saturating_sub(back))))
}

/// Parses a trace id in either form.
pub(crate) fn trace_id(text: &str) -> Result<TraceId, Error> {
    text.parse().map_err(|e: IdError| Error::usage(e.to_string(), "`live traces` lists the ids"))
}

/// The error for a source that has nothing of a kind.
pub(crate) fn unsupported(source: Source, what: &str) -> Error {
    let (name, has) = match source {
        Source::Local => ("local telemetry", "traces, logs, errors and console lines"),
        Source::Xray => ("X-Ray", "traces, service maps, groups and sampling rules"),
        Source::Cloudwatch => ("CloudWatch Logs", "log events and queries"),
        Source::Rollbar => ("Rollbar", "errors"),
        Source::Honeycomb => ("Honeycomb", "queries"),
    };
    Error::new(Code::Usage, format!("{name} has no {what}"), format!("It has {has}"))
}

/// Why traces cannot be listed or fetched from Honeycomb.
pub(crate) fn no_honeycomb_traces() -> Error {
    Error::new(
        Code::Unsupported,
        "Honeycomb's API gives aggregates and no spans, so a trace cannot be fetched from it",
        "Send the service's spans here as well (the relay forwards them to Honeycomb), capture the trace from local telemetry, and \
         the card links to it in Honeycomb; or capture a query of Honeycomb's",
    )
}

//! What watched commands printed.

use tracebook_core::console::{ConsoleRow, plain};
use tracebook_core::event_filter::EventFilter;
use tracebook_core::question::Source;
use tracebook_core::time::Nanos;
use tracebook_store::console::{LineQuery, StoredLine};

use crate::Tracebook;
use crate::ground::error::Error;
use crate::ground::question::{LIMIT, unsupported};
use crate::rpc::{Caller, Listed, LiveConsole};

/// How many lines are read in one go while a filter is applied.
const PAGE: u32 = 2_000;
/// How many are looked at before a list gives up.
const MOST_LOOKED_AT: usize = 200_000;

impl Tracebook {
    pub(crate) async fn live_console(
        &self,
        LiveConsole(request): LiveConsole,
        _caller: &Caller,
    ) -> Result<Listed<ConsoleRow>, Error> {
        if request.source != Source::Local {
            return Err(unsupported(request.source, "console lines"));
        }
        let since = self.since(request.since.as_deref())?;
        let found = self.find_lines(&request.filter, since, request.limit.unwrap_or(LIMIT)).await?;
        Ok(Listed::all(found.into_iter().map(row).collect()))
    }

    /// Matching lines, newest first.
    pub(crate) async fn find_lines(
        &self,
        filter: &str,
        since: Option<Nanos>,
        limit: u32,
    ) -> Result<Vec<StoredLine>, Error> {
        let filter = EventFilter::parse(filter).map_err(|e| {
            Error::usage(e.to_string(), "Example: stream:flask status:error, or a filter pattern such as ?GET ?POST")
        })?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut looked_at = 0;
        let mut question = LineQuery {
            from: since,
            trace_id: filter.trace,
            newest_first: true,
            limit: if filter.is_empty() { limit.min(10_000) } else { PAGE },
            ..LineQuery::default()
        };
        while found.len() < wanted && looked_at < MOST_LOOKED_AT {
            let page = self.telemetry.console(&question).await?;
            let last = page.len() < usize::try_from(question.limit).unwrap_or(usize::MAX);
            looked_at += page.len();
            question.older_than = page.last().map(|line| line.seq);
            let fitting = page.into_iter().filter(|line| matches(&filter, line));
            found.extend(fitting.take(wanted - found.len()));
            if last {
                break;
            }
        }
        Ok(found)
    }
}

/// A console line has no severity of its own: that it came on standard error is as near as it gets.
fn matches(filter: &EventFilter, line: &StoredLine) -> bool {
    let line = &line.record;
    let severity = if line.stderr { "error" } else { "info" };
    filter.matches("", &line.stream, severity, line.trace_id, &plain(&line.text))
}

fn row(stored: StoredLine) -> ConsoleRow {
    let line = stored.record;
    ConsoleRow {
        id: stored.seq.to_string(),
        timestamp: line.timestamp.rfc3339(),
        stream: line.stream,
        text: line.text,
        stderr: line.stderr,
    }
}

//! Local console lines: output of watched commands.

use tracebook_core::console::{ConsoleRow, plain, spans};
use tracebook_core::event_filter::EventFilter;
use tracebook_core::question::Window;
use tracebook_core::time::Nanos;
use tracebook_store::console::{LineQuery, StoredLine};

use crate::ground::error::Error;
use crate::ground::question::LIMIT;
use crate::ground::schema::{Listed, LiveQuestion};
use crate::telemetry::Telemetry;

/// Lines of one read while a filter is applied.
const PAGE: u32 = 2_000;
/// The most lines as printed beside those that a terminal shows.
const MAX_PRINTED: u32 = 5_000;
/// The most lines that are searched.
const MAX_READ: usize = 200_000;

impl Telemetry {
    pub(crate) async fn console(&self, request: &LiveQuestion) -> Result<Listed<ConsoleRow>, Error> {
        let window = self.window(request.since.as_deref())?;
        let found = self.find_lines(&request.filter, window, request.limit.unwrap_or(LIMIT)).await?;
        Ok(Listed::all(found.into_iter().map(row).collect()))
    }

    /// Matching lines as a terminal shows them, newest first.
    pub(crate) async fn find_lines(&self, filter: &str, window: Window, limit: u32) -> Result<Vec<StoredLine>, Error> {
        self.search_lines(filter, window, limit, false).await
    }

    /// Matching lines as printed; at most those that were stored last.
    pub(crate) async fn printed_lines(&self, filter: &str, window: Window) -> Result<Vec<StoredLine>, Error> {
        self.search_lines(filter, window, MAX_PRINTED, true).await
    }

    async fn search_lines(
        &self,
        filter: &str,
        window: Window,
        limit: u32,
        printed: bool,
    ) -> Result<Vec<StoredLine>, Error> {
        let filter = EventFilter::parse(filter).map_err(|e| {
            Error::usage(e.to_string(), "Example: stream:flask status:error, or a filter pattern such as ?GET ?POST")
        })?;
        if filter.reads_records() {
            return Err(Error::usage(
                "scope: and attribute: select log records of OpenTelemetry, and console lines have neither",
                "Search the text instead, for example: stream:flask \"status=500\"",
            ));
        }
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut looked_at = 0;
        let mut question = LineQuery {
            // Lines have the time of their arrival.
            from: window.start(),
            until: window.to.map(|to| Nanos(to.0.saturating_sub(1))),
            trace_id: filter.trace,
            newest_first: true,
            printed,
            limit: if filter.is_empty() { limit.min(10_000) } else { PAGE },
            ..LineQuery::default()
        };
        while found.len() < wanted && looked_at < MAX_READ {
            let page = self.store.console(&question).await?;
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

/// Console lines have no severity: standard error counts as `error`.
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
        spans: spans(&line.text),
        text: line.text,
        stderr: line.stderr,
    }
}

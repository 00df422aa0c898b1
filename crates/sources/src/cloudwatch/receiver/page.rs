//! One page of events: as many as fit, of as many as may be scanned for one request.

use std::sync::Arc;

use axum::http::StatusCode;
use tracebook_core::filter_pattern::FilterPattern;
use tracebook_core::log_query::{LogQuery, StoredLog};

use super::put::{EVENT_BYTES, MAX_BYTES};
use super::refusal::Refusal;
use crate::cloudwatch::LogStore;

/// The most events on a page.
pub(super) const MAX_EVENTS: usize = 10_000;

/// What is read at once, and for one request; a page that is not full by then has a token to continue.
const BATCH_EVENTS: usize = 1_000;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
const MAX_SCANNED: usize = 50_000;
const MAX_BYTES_SCANNED: usize = 64 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Page {
    /// In the requested order.
    pub(super) events: Vec<StoredLog>,
    /// The stream of the last event that was scanned, if there may be more after it; `query.after` is its position.
    pub(super) stopped_in: Option<String>,
}

/// Reads on from `query.after`, and leaves there how far it got.
pub(super) async fn page(
    store: &dyn LogStore,
    query: &mut LogQuery,
    pattern: &Arc<FilterPattern>,
    limit: usize,
) -> Result<Page, Refusal> {
    let mut page = Page::default();
    let mut stream = String::new();
    let (mut bytes, mut scanned, mut bytes_scanned) = (0, 0, 0);
    while scanned < MAX_SCANNED && bytes_scanned < MAX_BYTES_SCANNED {
        let (wanted, wanted_bytes) = match pattern.matches_everything() {
            true => (limit - page.events.len(), MAX_BYTES),
            false => (BATCH_EVENTS, BATCH_BYTES),
        };
        query.limit = u32::try_from(wanted.min(BATCH_EVENTS)).unwrap_or(u32::MAX);
        query.max_bytes = wanted_bytes as u64;
        let read = store.events(query.clone()).await?;
        if read.is_empty() {
            return Ok(page);
        }
        for (event, matches) in compared(read, pattern).await? {
            let size = event.record.message.len() + EVENT_BYTES;
            if matches && bytes + size > MAX_BYTES && !page.events.is_empty() {
                page.stopped_in = Some(stream);
                return Ok(page);
            }
            query.after = Some(event.position());
            stream.clone_from(&event.record.stream);
            scanned += 1;
            bytes_scanned += size;
            if matches {
                bytes += size;
                page.events.push(event);
                if page.events.len() == limit {
                    page.stopped_in = Some(stream);
                    return Ok(page);
                }
            }
        }
    }
    page.stopped_in = Some(stream);
    Ok(page)
}

/// Whether anything comes after `query.after`.
pub(super) async fn goes_on(store: &dyn LogStore, query: &LogQuery) -> Result<bool, Refusal> {
    let next = LogQuery { limit: 1, ..query.clone() };
    Ok(!store.events(next).await?.is_empty())
}

/// Matching megabytes of JSON may take a while; other senders should not wait for it.
async fn compared(events: Vec<StoredLog>, pattern: &Arc<FilterPattern>) -> Result<Vec<(StoredLog, bool)>, Refusal> {
    if pattern.matches_everything() {
        return Ok(events.into_iter().map(|event| (event, true)).collect());
    }
    let pattern = pattern.clone();
    let compare = move || {
        let mark = |event: StoredLog| {
            let matches = pattern.matches(&event.record.message);
            (event, matches)
        };
        events.into_iter().map(mark).collect()
    };
    tokio::task::spawn_blocking(compare).await.map_err(|_| {
        let words = "Matching events with the pattern was interrupted.";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", words)
    })
}

//! Following without Live Tail: the last minutes are searched every two seconds, and events seen before are left out.

use std::time::Duration;

use tokio::time::Instant;

use super::recent::Recent;
use super::{Since, TailBy, TailUpdate};
use crate::cloud::{Fault, Fetch, SourceError};
use crate::cloudwatch::client::search::{MAX_PER_PAGE, PageRequest, Search, Window};

/// How much is searched again, in milliseconds: events arrive late, watchtower's by up to a minute.
const OVERLAP: i64 = 120_000;
/// The oldest that is searched for, even if nothing arrived since.
pub(super) const MAX_LATENESS: i64 = 600_000;
/// How often in a row the source may fail.
const MAX_FAILURES: u32 = 5;

/// The state of polling.
#[derive(Debug)]
pub(super) struct Polling {
    every: Duration,
    due: Instant,
    /// The search being read.
    from: i64,
    token: Option<String>,
    reading: bool,
    /// Whether the first search is still to be read: events from before the tail are then only remembered.
    first: bool,
    newest: i64,
    failures: u32,
}

impl Polling {
    pub(super) fn new(clock: Since, every: Duration) -> Self {
        Self {
            every,
            due: Instant::now(),
            from: 0,
            token: None,
            reading: false,
            first: true,
            newest: clock.began,
            failures: 0,
        }
    }

    /// Searches until there is an update. State only changes between two requests, so the future may be dropped.
    pub(super) async fn update(
        &mut self,
        search: &Search,
        fetch: &Fetch,
        clock: Since,
        recent: &mut Recent,
        notes: &mut Vec<String>,
    ) -> Result<TailUpdate, SourceError> {
        loop {
            if !self.reading {
                fetch.wait(self.due.saturating_duration_since(Instant::now())).await?;
                self.due = Instant::now() + self.every;
                self.from = (self.newest - OVERLAP).max(clock.now() - MAX_LATENESS).max(recent.floor()).max(0);
                self.reading = true;
                self.token = None;
            }
            let turn = PageRequest {
                window: Window { from: self.from, until: None },
                newest_first: false,
                limit: MAX_PER_PAGE,
                token: self.token.as_deref(),
            };
            let page = match search.page(turn, fetch).await {
                Ok(page) => page,
                Err(error) if is_passing(error.fault) && self.failures + 1 < MAX_FAILURES => {
                    self.failures += 1;
                    self.reading = false;
                    if self.failures > 1 {
                        continue;
                    }
                    notes.push(format!("{}; asked again", error.message));
                    return Ok(said(Vec::new(), notes));
                }
                Err(error) => return Err(error),
            };
            self.failures = 0;
            let mut events = page.events;
            events.retain(|event| {
                // A time in the future, from a wrong clock, must not hide present events.
                self.newest = self.newest.max(event.record.timestamp.millis().min(clock.now()));
                recent.is_new(event) && !(self.first && clock.is_old(event))
            });
            self.token = page.next;
            if self.token.is_none() {
                self.reading = false;
                self.first = false;
                recent.forget_before(self.from);
            }
            if !events.is_empty() || !notes.is_empty() {
                return Ok(said(events, notes));
            }
        }
    }
}

fn said(events: Vec<super::Event>, notes: &mut Vec<String>) -> TailUpdate {
    TailUpdate { events, sampled: false, by: TailBy::Polling, notes: std::mem::take(notes) }
}

/// Whether it may be over in two seconds.
fn is_passing(fault: Fault) -> bool {
    matches!(fault, Fault::Unreachable | Fault::Broken | Fault::Throttled)
}

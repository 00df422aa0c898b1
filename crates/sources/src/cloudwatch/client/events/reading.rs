//! Reads one answer in as many pages as it takes.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::mark::Mark;
use super::newest::Newest;
use super::{Event, Events, MAX_BYTES};
use crate::cloud::{Fetch, Progress, SourceError};
use crate::cloudwatch::client::search::{MAX_PER_PAGE, Page, PageRequest, Search, Window};
use tracebook_core::text::count;

/// 2024-01-01T00:00:00Z: from then on the service can list newest first (FilterLogEvents, `startFromHead`).
const START_OF_2024: i64 = 1_704_067_200_000;
/// The first range that is read backwards; it grows four-fold each time that it was not enough.
const FIRST_WIDTH: i64 = 15 * 60_000;

/// What was read so far.
pub(super) struct Reading<'a> {
    search: &'a Search,
    fetch: &'a Fetch,
    window: Window,
    limit: usize,
    newest_first: bool,
    events: Vec<Event>,
    ids: HashSet<String>,
    bytes: usize,
    left_out: usize,
    pages: u32,
    next: Option<Mark>,
    notes: Vec<String>,
}

/// The result of reading in the service's own order.
enum Outcome {
    Read,
    /// Newest first was requested, and this is not.
    OtherOrder,
}

impl<'a> Reading<'a> {
    pub(super) fn new(search: &'a Search, window: Window, limit: usize, newest_first: bool, fetch: &'a Fetch) -> Self {
        Self {
            search,
            fetch,
            window,
            limit,
            newest_first,
            events: Vec::new(),
            ids: HashSet::new(),
            bytes: 0,
            left_out: 0,
            pages: 0,
            next: None,
            notes: Vec::new(),
        }
    }

    pub(super) async fn run(mut self, mark: Option<Mark>) -> Result<Events, SourceError> {
        let outcome = self.read(mark).await;
        match outcome {
            Ok(()) => Ok(self.finish(None)),
            Err(error) if self.events.is_empty() => Err(error),
            Err(error) => Ok(self.finish(Some(error))),
        }
    }

    async fn read(&mut self, mark: Option<Mark>) -> Result<(), SourceError> {
        let end = self.window.until.unwrap_or(i64::MAX);
        match mark {
            Some(Mark::Before { until, shown }) => self.backwards(until.min(end), shown).await,
            Some(Mark::Token(token)) => {
                self.next = Some(Mark::Token(token));
                self.onwards(true).await.map(|_| ())
            }
            None if self.newest_first && self.window.from < START_OF_2024 => {
                self.notes
                    .push("CloudWatch Logs lists newest first only from 2024 on: read backwards in pieces".into());
                self.backwards(end, 0).await
            }
            None => match self.onwards(!self.newest_first || !self.search.own_endpoint()).await? {
                Outcome::Read => Ok(()),
                Outcome::OtherOrder => {
                    self.notes.push("this endpoint cannot list newest first: read backwards in pieces".into());
                    self.next = None;
                    self.backwards(end, 0).await
                }
            },
        }
    }

    /// In the order of the service. `next` always follows what was taken, so a fault loses nothing.
    async fn onwards(&mut self, order_is_sure: bool) -> Result<Outcome, SourceError> {
        let mut order_is_sure = order_is_sure;
        loop {
            let token = match &self.next {
                Some(Mark::Token(token)) => Some(token.clone()),
                _ => None,
            };
            let limit = self.limit - self.events.len();
            let turn = PageRequest {
                window: self.window,
                newest_first: self.newest_first,
                limit: limit.min(MAX_PER_PAGE),
                token: token.as_deref(),
            };
            let page = self.search.page(turn, self.fetch).await?;
            if !order_is_sure && page.next.is_some() && page.came() > 0 {
                if page.ascending != Some(false) {
                    return Ok(Outcome::OtherOrder);
                }
                order_is_sure = true;
            }
            self.next = page.next.clone().map(Mark::Token);
            let events = self.count(page);
            for event in events {
                self.take(event);
            }
            self.tell();
            if self.next.is_none() || self.is_full() {
                return Ok(Outcome::Read);
            }
        }
    }

    /// Newest first if the service lists oldest first: pieces of time, each read completely, the last one first.
    async fn backwards(&mut self, until: i64, shown: usize) -> Result<(), SourceError> {
        let (mut until, mut shown) = (until, shown);
        let mut width = FIRST_WIDTH;
        loop {
            self.next = Some(Mark::Before { until, shown });
            let from = until.saturating_sub(width - 1).max(self.window.from);
            let (piece, gone) = self.piece(Window { from, until: Some(until) }, shown).await?;
            for event in piece {
                self.take(event);
            }
            self.tell();
            let more = gone > 0 || from > self.window.from;
            if !more {
                self.next = None;
                return Ok(());
            }
            if gone > 0 {
                self.next = Some(self.behind_the_last(until, shown));
                return Ok(());
            }
            (until, shown) = (from - 1, 0);
            if self.is_full() {
                self.next = Some(Mark::Before { until, shown });
                return Ok(());
            }
            width = width.saturating_mul(4);
        }
    }

    /// The newest wanted events of a piece, and how many more there are.
    async fn piece(&mut self, window: Window, shown: usize) -> Result<(Vec<Event>, usize), SourceError> {
        let mut newest = Newest::new((self.limit - self.events.len()).saturating_add(shown));
        let mut token: Option<String> = None;
        loop {
            let turn = PageRequest { window, newest_first: false, limit: MAX_PER_PAGE, token: token.as_deref() };
            let mut page = self.search.page(turn, self.fetch).await?;
            token = page.next.take();
            for event in self.count(page) {
                newest.add(event);
            }
            self.tell();
            if token.is_none() {
                break;
            }
        }
        let mut events = newest.finish();
        let at_the_end =
            events.iter().take_while(|event| Some(event.record.timestamp.millis()) == window.until).count().min(shown);
        events.drain(..at_the_end);
        Ok((events, newest.gone))
    }

    /// Where an answer that ends within a piece continues.
    fn behind_the_last(&self, until: i64, shown: usize) -> Mark {
        let Some(last) = self.events.last().map(|event| event.record.timestamp) else {
            return Mark::Before { until, shown };
        };
        let of_that_moment = self.events.iter().rev().take_while(|event| event.record.timestamp == last).count();
        let shown_before = if last.millis() == until { shown } else { 0 };
        Mark::Before { until: last.millis(), shown: of_that_moment + shown_before }
    }

    fn count(&mut self, page: Page) -> Vec<Event> {
        self.pages += 1;
        self.left_out += page.left_out;
        page.events
    }

    fn take(&mut self, event: Event) {
        if self.ids.insert(event.id.clone()) {
            self.bytes += event.record.message.len();
            self.events.push(event);
        }
    }

    fn is_full(&self) -> bool {
        self.events.len() >= self.limit || self.bytes > MAX_BYTES
    }

    fn tell(&self) {
        self.fetch.progress(Progress {
            pages: self.pages,
            rows: u32::try_from(self.events.len()).unwrap_or(u32::MAX),
            of: 0,
            what: format!("log events of {}", self.search.group),
        });
    }

    fn finish(mut self, stopped: Option<SourceError>) -> Events {
        match self.newest_first {
            true => self.events.sort_by_key(|event| Reverse(event.record.timestamp)),
            false => self.events.sort_by_key(|event| event.record.timestamp),
        }
        if self.left_out > 0 {
            self.notes.push(format!(
                "{} that did not match {} left out: this endpoint does not filter as CloudWatch Logs does",
                count(self.left_out, "event"),
                if self.left_out == 1 { "was" } else { "were" },
            ));
        }
        if let Some(error) = &stopped {
            self.notes.push(format!(
                "incomplete: after {} the source reported: {}",
                count(self.events.len(), "event"),
                error.message
            ));
        } else if self.bytes > MAX_BYTES {
            self.notes.push("incomplete: the events exceed the size limit of one answer".to_owned());
        }
        Events { records: self.events, notes: self.notes, next: self.next.map(|mark| mark.to_string()), stopped }
    }
}

//! Keeps the newest events of many.

use std::collections::HashSet;

use super::MAX_BYTES;
use crate::cloudwatch::client::Event;

/// Takes any number of events and keeps the newest; of equal times, what came later is newer.
#[derive(Debug)]
pub(super) struct Newest {
    wanted: usize,
    kept: Vec<Event>,
    bytes: usize,
    /// How many were dropped.
    pub(super) gone: usize,
}

impl Newest {
    pub(super) fn new(wanted: usize) -> Self {
        Self { wanted, kept: Vec::new(), bytes: 0, gone: 0 }
    }

    pub(super) fn add(&mut self, event: Event) {
        self.bytes += event.record.message.len();
        self.kept.push(event);
        // Twice as many, which makes sorting cheap per event.
        if self.kept.len() >= self.wanted.saturating_mul(2).max(1_000) || self.bytes > MAX_BYTES {
            self.trim();
        }
    }

    fn trim(&mut self) {
        self.kept.sort_by_key(|event| event.record.timestamp);
        let mut end = self.kept.len().saturating_sub(self.wanted);
        let mut bytes = self.kept[end..].iter().map(|event| event.record.message.len()).sum::<usize>();
        while bytes > MAX_BYTES / 2 && end + 1 < self.kept.len() {
            bytes -= self.kept[end].record.message.len();
            end += 1;
        }
        self.kept.drain(..end);
        self.gone += end;
        self.bytes = bytes;
    }

    /// Newest first.
    pub(super) fn finish(&mut self) -> Vec<Event> {
        self.trim();
        let mut events = std::mem::take(&mut self.kept);
        events.reverse();
        let mut ids = HashSet::new();
        events.retain(|event| ids.insert(event.id.clone()));
        events
    }
}

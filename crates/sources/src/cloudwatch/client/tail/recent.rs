//! Recently shown events.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloudwatch::client::Event;
use crate::cloudwatch::client::search::id_of_text;

/// How many events are remembered.
const MAX_EVENTS: usize = 100_000;

/// Distinguishes new events from those that are read again.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Time and id of events found by searches.
    seen: BTreeSet<(i64, String)>,
    /// Time, stream and text of events from Live Tail, which gives no ids, and how often they came.
    live: BTreeMap<(i64, String), u32>,
    floor: i64,
}

impl Recent {
    /// Whether an event found by a search was not seen before, in either way.
    pub(super) fn is_new(&mut self, event: &Event) -> bool {
        let millis = event.record.timestamp.millis();
        if millis < self.floor || !self.seen.insert((millis, event.id.clone())) {
            return false;
        }
        while self.seen.len() > MAX_EVENTS {
            if let Some((millis, _)) = self.seen.pop_first() {
                self.floor = self.floor.max(millis.saturating_add(1));
            }
        }
        match self.live.get_mut(&text_of(event)) {
            Some(times) if *times > 0 => {
                *times -= 1;
                false
            }
            _ => true,
        }
    }

    /// Remembers an event from Live Tail.
    pub(super) fn sent_live(&mut self, event: &Event) {
        *self.live.entry(text_of(event)).or_default() += 1;
        while self.live.len() > MAX_EVENTS {
            self.live.pop_first();
        }
    }

    /// Forgets what happened before.
    pub(super) fn forget_before(&mut self, millis: i64) {
        self.seen = self.seen.split_off(&(millis, String::new()));
        self.live = self.live.split_off(&(millis, String::new()));
    }

    /// Older events can no longer be recognised.
    pub(super) fn floor(&self) -> i64 {
        self.floor
    }
}

fn text_of(event: &Event) -> (i64, String) {
    let record = &event.record;
    (record.timestamp.millis(), format!("{}:{}", record.stream, id_of_text(&record.message)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracebook_core::telemetry::{LogEncoding, LogRecord};
    use tracebook_core::time::Nanos;

    fn event(millis: i64, id: &str, message: &str) -> Event {
        Event {
            record: LogRecord {
                timestamp: Nanos::from_millis(millis),
                group: "g".to_owned(),
                stream: "s".to_owned(),
                message: message.to_owned(),
                trace_id: None,
                span_id: None,
                severity: String::new(),
                severity_number: 0,
                encoding: LogEncoding::Cloudwatch,
                raw: Vec::new(),
                resource: Default::default(),
                scope: Default::default(),
            },
            id: id.to_owned(),
            ingested: None,
        }
    }

    #[test]
    fn an_event_is_new_once() {
        let mut recent = Recent::default();
        assert!(recent.is_new(&event(1, "a", "x")));
        assert!(recent.is_new(&event(1, "b", "x")), "the same text twice is two events");
        assert!(!recent.is_new(&event(1, "a", "x")));
        recent.forget_before(2);
        assert!(recent.seen.is_empty());
    }

    #[test]
    fn events_of_live_tail_are_not_reported_again() {
        let mut recent = Recent::default();
        recent.sent_live(&event(1, "", "x"));
        recent.sent_live(&event(1, "", "x"));
        let new: Vec<bool> = ["a", "b", "c"].iter().map(|id| recent.is_new(&event(1, id, "x"))).collect();
        assert_eq!(new, [false, false, true]);
        assert!(recent.is_new(&event(1, "d", "y")));
    }

    #[test]
    fn memory_is_bounded_and_forgotten_events_are_not_new() {
        let mut recent = Recent::default();
        for n in 0..i64::try_from(MAX_EVENTS).expect("small") + 10 {
            assert!(recent.is_new(&event(n, "a", "x")));
            recent.sent_live(&event(n, "a", "y"));
        }
        assert_eq!((recent.seen.len(), recent.live.len(), recent.floor()), (MAX_EVENTS, MAX_EVENTS, 10));
        assert!(!recent.is_new(&event(3, "a", "x")));
    }
}

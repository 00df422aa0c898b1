//! The position of an event, as 56 digits: an event's id, and what page tokens are made of.

use std::fmt;

use tracebook_core::log_query::{LogPosition, StoredLog};
use tracebook_core::time::Nanos;

/// A time, and the order of arrival within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EventPosition {
    pub(super) time: Nanos,
    pub(super) seq: i64,
}

impl EventPosition {
    pub(super) const START: Self = Self { time: Nanos(i64::MIN), seq: i64::MIN };

    pub(super) fn of(event: &StoredLog) -> Self {
        Self { time: event.record.timestamp, seq: event.seq }
    }

    pub(super) fn key(self) -> LogPosition {
        (self.time, self.seq)
    }

    /// The position from which, going backwards, this event is first.
    pub(super) fn just_after(self) -> Self {
        Self { seq: self.seq.saturating_add(1), ..self }
    }

    /// The position from which, going forwards, this event is first.
    pub(super) fn just_before(self) -> Self {
        Self { seq: self.seq.saturating_sub(1), ..self }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() != 56 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (time, seq) = text.split_at(20);
        let back = |digits: &str| Some((digits.parse::<u64>().ok()? ^ SIGN).cast_signed());
        Some(Self { time: Nanos(back(time)?), seq: back(seq)? })
    }
}

/// Flips the sign bit, so that digits sort as the numbers do.
const SIGN: u64 = 1 << 63;

impl fmt::Display for EventPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}{:036}", self.time.0.cast_unsigned() ^ SIGN, self.seq.cast_unsigned() ^ SIGN)
    }
}

/// Where GetLogEvents continues, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageToken {
    pub(super) backward: bool,
    pub(super) place: EventPosition,
}

impl PageToken {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (way, place) = text.split_once('/')?;
        let backward = match way {
            "f" => false,
            "b" => true,
            _ => return None,
        };
        Some(Self { backward, place: EventPosition::parse(place)? })
    }
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", if self.backward { 'b' } else { 'f' }, self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn positions_read_back_and_sort_as_text(a: (i64, i64), b: (i64, i64), backward: bool) {
            let place = |(time, seq)| EventPosition { time: Nanos(time), seq };
            let (a, b) = (place(a), place(b));
            prop_assert_eq!(EventPosition::parse(&a.to_string()), Some(a));
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
            let turn = PageToken { backward, place: a };
            prop_assert_eq!(PageToken::parse(&turn.to_string()), Some(turn));
        }

        #[test]
        fn no_token_panics(text in "[fb]?/?[0-9é]{0,60}") {
            PageToken::parse(&text);
        }
    }
}

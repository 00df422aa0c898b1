//! Which times of a sender can be true.

use tracebook_core::time::Nanos;

/// The beginning of 2000. Whoever says an earlier time has no clock, or writes the time in another unit.
const EARLIEST: Nanos = Nanos(946_684_800_000_000_000);

/// How far in the future a time may be: clocks may be wrong, but not by so much.
const AHEAD: i64 = 3 * 366 * 24 * 3600 * 1_000_000_000;

/// Why a time cannot be true, if it arrived `now`. Such a time would stand at one end of every list, where nobody finds
/// it, or hide all others.
pub(crate) fn objection(time: Nanos, now: Nanos) -> Option<String> {
    match time {
        Nanos(0) => Some("0".to_owned()),
        _ if time < EARLIEST => Some(format!("{}, which is before 2000 (is it in the right unit?)", time.rfc3339())),
        // A clock that is that wrong itself says nothing about others.
        _ if now >= EARLIEST && time.0 > now.0.saturating_add(AHEAD) => {
            Some(format!("{}, which is more than three years in the future", time.rfc3339()))
        }
        _ => None,
    }
}

//! What receivers turned away, by listener, place and reason, for the doctor.
//!
//! Senders choose paths and contents, so the number of rows is bounded: beyond it, only the number of refusals of a
//! listener is kept. Reasons that differ in numbers or quoted input only are one row, which has the last one's words.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracebook_core::text::shorten;

/// The most rows of a listener.
const MAX_ROWS: usize = 40;
/// The most characters of a place and of a reason.
const MAX_PLACE: usize = 100;
const MAX_REASON: usize = 500;
/// The place of what is counted beyond the rows of a listener.
const ELSEWHERE: &str = "other requests";

/// What was turned away for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `http`, `grpc`, `xray`.
    pub listener: &'static str,
    /// `POST /v1/traces`, or how it arrived: `UDP datagram`, `TCP connection`.
    pub place: String,
    /// The reason without numbers and quoted input, which makes rows of the same reason one.
    pub kind: String,
    /// Why, for people, with the numbers and input of the last one.
    pub reason: String,
    pub count: u64,
    /// How long ago it first happened, and last.
    pub first: Duration,
    pub last: Duration,
}

type Key = (&'static str, String, String);

#[derive(Clone, Debug)]
struct Tally {
    reason: String,
    count: u64,
    first: Instant,
    last: Instant,
}

/// Counts refusals until they are taken.
#[derive(Debug, Default)]
pub struct Refusals {
    rows: Mutex<BTreeMap<Key, Tally>>,
}

impl Refusals {
    /// Counts what was turned away.
    pub fn note(&self, listener: &'static str, place: &str, reason: &str, count: u64) {
        let reason = shorten(reason, MAX_REASON);
        let key = (listener, shorten(place, MAX_PLACE), kind_of(&reason));
        let now = Instant::now();
        self.add(key, Tally { reason, count, first: now, last: now });
    }

    /// Returns what was counted since the last time.
    pub fn take(&self) -> Vec<Refused> {
        let rows = std::mem::take(&mut *self.lock());
        let row = |((listener, place, kind), tally): (Key, Tally)| Refused {
            listener,
            place,
            kind,
            reason: tally.reason,
            count: tally.count,
            first: tally.first.elapsed(),
            last: tally.last.elapsed(),
        };
        rows.into_iter().map(row).collect()
    }

    /// Counts again what could not be written.
    pub fn restore(&self, refused: Vec<Refused>) {
        let now = Instant::now();
        let at = |ago: Duration| now.checked_sub(ago).unwrap_or(now);
        for Refused { listener, place, kind, reason, count, first, last } in refused {
            self.add((listener, place, kind), Tally { reason, count, first: at(first), last: at(last) });
        }
    }

    fn add(&self, key: Key, tally: Tally) {
        let mut rows = self.lock();
        let full = || rows.keys().filter(|(listener, ..)| *listener == key.0).count() >= MAX_ROWS;
        let key = if rows.contains_key(&key) || !full() { key } else { (key.0, ELSEWHERE.to_owned(), String::new()) };
        match rows.entry(key) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(tally);
            }
            std::collections::btree_map::Entry::Occupied(mut row) => {
                let row = row.get_mut();
                row.count = row.count.saturating_add(tally.count);
                row.first = row.first.min(tally.first);
                if tally.last >= row.last {
                    (row.last, row.reason) = (tally.last, tally.reason);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Tally>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reason without what differs from one sender or request to the next: words with digits, and quoted text.
fn kind_of(reason: &str) -> String {
    const LONGEST: usize = 120;
    let mut kind = String::new();
    // Every second part is within quotes.
    for part in reason.split('"').step_by(2) {
        for word in part.split_whitespace() {
            if !kind.is_empty() {
                kind.push(' ');
            }
            kind.push_str(if word.contains(|c: char| c.is_ascii_digit()) { "#" } else { word });
        }
    }
    shorten(&kind, LONGEST)
}

tokio::task_local! {
    static REQUEST: Request;
}

/// The request that this task answers.
struct Request {
    listener: &'static str,
    place: String,
    log: Arc<Refusals>,
}

/// Runs what answers a request: refusals are counted under its listener and place.
pub async fn of_request<T>(
    listener: &'static str,
    place: String,
    log: Arc<Refusals>,
    answering: impl Future<Output = T>,
) -> T {
    REQUEST.scope(Request { listener, place, log }, answering).await
}

/// Where the request came that this task answers; `None` outside of [`of_request`].
pub(crate) fn place() -> Option<(&'static str, String)> {
    REQUEST.try_with(|request| (request.listener, request.place.clone())).ok()
}

/// Counts the request that this task answers as refused; does nothing outside of [`of_request`].
pub fn refuse_request(why: &str) {
    // In tests of a single layer there is no request log.
    REQUEST.try_with(|request| request.log.note(request.listener, &request.place, why, 1)).ok();
}

/// What the first bytes of a connection are that never became an HTTP request. `None` if they may be the beginning of
/// one, or a connection that was opened for later.
pub(crate) fn foreign(first: &[u8]) -> Option<String> {
    // <https://www.rfc-editor.org/rfc/rfc8446#section-5.1>: a handshake record, and a version that begins with 3.
    if let [0x16, 3, ..] = first {
        return Some(
            "TLS was begun (https, or gRPC without its insecure option), and this port speaks without TLS.".to_owned(),
        );
    }
    if first.is_empty() || first.starts_with(b"PRI") || b"PRI * HTTP/2.0".starts_with(first) {
        return None;
    }
    let method = first.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    if method > 0 && first.get(method).is_none_or(|byte| *byte == b' ') {
        return None;
    }
    if first.starts_with(b"{") {
        return Some(
            "JSON came without HTTP around it. X-Ray's segments go to this port over UDP, not TCP.".to_owned(),
        );
    }
    Some(format!("What came is not HTTP; it begins with {:?}.", String::from_utf8_lossy(first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_input_are_one_row() {
        let refusals = Refusals::default();
        refusals.note("xray", "UDP datagram", "a document without name, of 17 bytes, \"a\"", 1);
        refusals.note("xray", "UDP datagram", "a document without name, of 18 bytes, \"b c\"", 2);
        refusals.note("xray", "UDP datagram", "an empty datagram", 1);
        let rows = refusals.take();
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert_eq!((rows[0].count, rows[0].reason.as_str()), (3, "a document without name, of 18 bytes, \"b c\""));
        assert!(refusals.take().is_empty(), "taken once");
        refusals.restore(rows.clone());
        refusals.note("xray", "UDP datagram", "an empty datagram", 4);
        let again = refusals.take();
        assert_eq!((again.len(), again[1].count), (2, 5), "{again:?}");
        assert!(again[1].first >= rows[1].first && again[1].last < Duration::from_secs(60));
    }

    #[test]
    fn senders_cannot_make_it_grow() {
        let refusals = Refusals::default();
        for n in 0..3_000u32 {
            let name: String = n.to_string().bytes().map(|b| char::from(b - b'0' + b'a')).collect();
            refusals.note("http", &format!("POST /{name}"), &format!("nothing is at {name} {}", "x".repeat(2000)), 1);
        }
        refusals.note("grpc", "POST /v1/traces", "not gRPC", 1);
        let rows = refusals.take();
        assert_eq!(rows.iter().filter(|row| row.listener == "http").count(), MAX_ROWS + 1);
        assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), 3_001);
        assert!(rows.iter().any(|row| row.listener == "grpc"), "one listener does not push out another");
        assert!(rows.iter().all(|row| row.reason.chars().count() <= MAX_REASON + 1 && row.kind.chars().count() <= 121));
    }

    #[test]
    fn what_is_not_http_is_named() {
        for first in [&b""[..], b"POST /v1", b"GET", b"PRI * HT", b"P", b"PRI * HTTP/2.0\r\n"] {
            assert_eq!(foreign(first), None, "{first:?}");
        }
        for (first, words) in [
            (&b"\x16\x03\x01\x02\x00"[..], "TLS"),
            (b"\x16\x03", "TLS"),
            (b"{\"format\": \"json\"", "over UDP"),
            (b"service.hits:1|c", "not HTTP"),
            (b"\x80\x2e\x01\x00\x02", "not HTTP"),
        ] {
            assert!(foreign(first).is_some_and(|said| said.contains(words)), "{first:?}: {:?}", foreign(first));
        }
    }
}

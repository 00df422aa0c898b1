//! What text does not count when occurrences are grouped into items: parts that look like data.
//!
//! Follows <https://docs.rollbar.com/docs/grouping-algorithm>. Of messages: timestamps, numbers with a decimal point,
//! whole numbers of two or more digits and hexadecimals of four or more; of paths: dates and SHAs; of method names:
//! whole numbers of two or more digits. A single digit counts: Rollbar prefers an item too many to two errors in one.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Replaces removed data.
const HERE: &str = "#";

fn shape(text: &str) -> Regex {
    #[expect(clippy::unwrap_used, reason = "fixed patterns that tests use")]
    Regex::new(text).unwrap()
}

// RFC 3339 and similar, a date with or without a time, a time alone, and the formats of HTTP and common logs.
const DATE: &str = r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/(?:[0-9]{1,2}|[A-Z][a-z]{2})/[0-9]{4}";
const TIME: &str = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:\s?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})\b)?";

static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:[0-9]{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4})";
    shape(&format!(r"\b(?:(?:{DATE}|{words})(?:[T :]\s?(?:{TIME}))?|{TIME})"))
});
// A UUID, a memory address, or four or more hex digits that include a decimal one: `added` and `facade` are words.
static HEX: LazyLock<Regex> = LazyLock::new(|| {
    shape(r"\b(?:0x[0-9A-Fa-f]+|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|[0-9A-Fa-f]{4,})\b")
});
static DECIMAL: LazyLock<Regex> = LazyLock::new(|| shape(r"[0-9]+\.[0-9]+"));
static WHOLE: LazyLock<Regex> = LazyLock::new(|| shape(r"[0-9]{2,}"));
static DAY: LazyLock<Regex> = LazyLock::new(|| shape(r"[0-9]{4}[-_./]?[0-9]{2}[-_./]?[0-9]{2}(?:[-_T]?[0-9]{6})?"));
static SHA: LazyLock<Regex> = LazyLock::new(|| shape(r"[0-9a-f]{64}|[0-9a-f]{40}|\b[0-9a-f]{7,39}\b"));

/// A message without what looks like data.
pub(super) fn message(text: &str) -> String {
    let text = TIMESTAMP.replace_all(text, HERE);
    let text = DECIMAL.replace_all(&text, HERE);
    let text = with_a_digit(&HEX, &text);
    WHOLE.replace_all(&text, HERE).into_owned()
}

/// A file's path without dates and SHAs: a release's directory, a bundle's hash.
pub(super) fn file(path: &str) -> String {
    let path = with_a_digit(&SHA, path);
    DAY.replace_all(&path, HERE).into_owned()
}

/// A method name without longer numbers: `_eval_12`.
pub(super) fn method(name: &str) -> Cow<'_, str> {
    WHOLE.replace_all(name, HERE)
}

fn with_a_digit<'a>(shape: &Regex, text: &'a str) -> Cow<'a, str> {
    shape.replace_all(text, |found: &regex::Captures<'_>| {
        let found = &found[0];
        match found.bytes().any(|b| b.is_ascii_digit()) {
            true => HERE.to_owned(),
            false => found.to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_data_does_not_count() {
        for (a, b) in [
            ("order 17 failed", "order 1804 failed"),
            ("took 0.5 s", "took 1234.75 s"),
            ("no route to 10.0.0.1", "no route to 192.168.17.254"),
            ("user42 not found", "user4711 not found"),
            ("no key deadbeef01", "no key 0badcafe"),
            ("at 0x7f3a10", "at 0xffffab"),
            ("id dbaa0b9f-b933-491b-b7a4-c08d37ce783f", "id 00000000-0000-4000-8000-000000000000"),
            ("due 2026-11-24T14:47:31.897243Z", "due 2027-01-02T03:04:05Z"),
            ("due 2026-11-24 14:47:31", "due 2026-11-25 00:00:00"),
            ("at 09:15", "at 9:16:59"),
            ("[24/Nov/2026 14:47:31] x", "[1/Dec/2026 03:00:00] x"),
            ("on Tue, 24 Nov 2026 14:47:31 GMT", "on Wed, 2 Dec 2026 01:02:03 GMT"),
        ] {
            assert_eq!(message(a), message(b), "{a:?}, {b:?}");
        }
    }

    #[test]
    fn words_count() {
        for (a, b) in [
            ("order 17 failed", "order 17 passed"),
            ("step 1 of 3", "step 2 of 3"),
            ("HTTP/1", "HTTP/2"),
            ("item added", "item faded"),
            ("facade", "decade"),
            ("ä 17", "ö 17"),
        ] {
            assert_ne!(message(a), message(b), "{a:?}, {b:?}");
        }
    }

    #[test]
    fn releases_and_bundles_are_the_same_file() {
        for (a, b) in [
            ("/srv/releases/20261124144731/app.py", "/srv/releases/20261201000000/app.py"),
            ("/srv/2026-11-24/app.py", "/srv/2026-12-01/app.py"),
            (
                "/srv/8f14e45fceea167a5a36dedd4bea2543abcdef01/app.py",
                "/srv/c9f0f895fb98ab9159f51fd0297e236dabcdef01/app.py",
            ),
            ("https://a.example/main.3f2a91bc.js", "https://a.example/main.77aa10de.js"),
        ] {
            assert_eq!(file(a), file(b), "{a}");
        }
        assert_ne!(file("/app/v1/views.py"), file("/app/v2/views.py"));
        assert_ne!(file("/app/facaded.py"), file("/app/effaced.py"));
        assert_eq!(method("_eval_12"), method("_eval_4711"));
        assert_ne!(method("step1"), method("step2"));
    }
}

//! Finding one log event again by the id of its row.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::search::{MAX_PER_PAGE, PageRequest, Search, Window, id_of_text};
use super::{Client, Event};
use crate::cloud::{Fault, Fetch, Progress, SourceError};

/// Longer than any of our ids: group and stream have at most 512 characters each.
const MAX_LENGTH: usize = 8_192;

/// Identifies a log event. Its string form is the id of a row: opaque, URL-safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRef {
    pub group: String,
    pub stream: String,
    /// When it happened, in milliseconds since the epoch.
    pub millis: i64,
    /// Its [`Event::id`].
    pub id: String,
}

impl EventRef {
    /// The inverse of [`EventRef::to_string`].
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let json = BASE64.decode(text).ok()?;
        let (group, stream, millis, id) = serde_json::from_slice(&json).ok()?;
        Some(Self { group, stream, millis, id })
    }

    fn is(&self, event: &Event) -> bool {
        self.id == event.id || (self.id.starts_with("sha256:") && self.id == id_of_text(&event.record.message))
    }
}

impl fmt::Display for EventRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::json!([self.group, self.stream, self.millis, self.id]).to_string();
        f.write_str(&BASE64.encode(json))
    }
}

impl Client {
    /// Reads one event again, by its stream and time.
    ///
    /// # Errors
    /// [`Fault::NotFound`] if it is not there any more; see [`SourceError`].
    pub async fn event(&self, reference: &EventRef, fetch: &Fetch) -> Result<Event, SourceError> {
        let EventRef { group, stream, millis, .. } = reference;
        let search = Search::new(self, group, std::slice::from_ref(stream), "", "")?;
        let window = Window { from: *millis, until: Some(*millis) };
        let mut token: Option<String> = None;
        for pages in 1.. {
            let turn = PageRequest { window, newest_first: false, limit: MAX_PER_PAGE, token: token.as_deref() };
            let page = search.page(turn, fetch).await?;
            fetch.progress(Progress { pages, rows: 0, of: 1, what: format!("a log event of {group}") });
            if let Some(event) = page.events.into_iter().find(|event| reference.is(event)) {
                return Ok(event);
            }
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        Err(SourceError::new(
            Fault::NotFound,
            format!("the log event is no longer in {group}"),
            "The log group's retention deletes old events; captured ones are kept in the journal",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_reference_reads_back(group in "\\PC{0,20}", stream in "\\PC{0,20}", millis: i64, id in "\\PC{0,60}") {
            let reference = EventRef { group, stream, millis, id };
            let text = reference.to_string();
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')));
            prop_assert_eq!(EventRef::parse(&text), Some(reference));
        }

        #[test]
        fn other_text_is_not_a_reference_and_never_panics(text in "\\PC{0,60}") {
            prop_assert_eq!(EventRef::parse(&text), None);
        }
    }

    #[test]
    fn a_local_id_is_not_a_reference() {
        for text in ["17", "", "W10", &"A".repeat(MAX_LENGTH + 1)] {
            assert_eq!(EventRef::parse(text), None, "{text}");
        }
    }
}

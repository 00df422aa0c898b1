//! Quoting input in messages.

use tracebook_core::text::shorten;

/// The longest quotation, in characters.
const MAX_QUOTED: usize = 80;

/// The beginning of a text from outside, for a message that quotes it.
pub(crate) fn clip(text: &str) -> String {
    shorten(text, MAX_QUOTED)
}

//! Finding credentials and removing them.
//!
//! Credentials are recognized by the name of a value (`authorization`, `password`, …) and by the form of the value (an
//! AWS key id, a bearer token, a private key, …), also in base64, in percent-encoding, in escaped JSON and compressed,
//! and also over several lines or records. Names are judged by their words (`names`), values by what they look like
//! (`values`), so that `token.count=3` and `Password: wrong` stay. The forms of tokens are data (`tokens`).
//! Identifying data (account ids, e-mail addresses) is not a credential; it is masked at export.
//!
//! Every value found this way is then searched for in all other texts: a password that an attribute's name revealed
//! may also be in a log message.

use std::borrow::Cow;

mod addresses;
mod assignments;
mod bytes;
mod commands;
mod encoded;
mod keys;
mod names;
mod next_line;
mod packed;
mod records;
mod removed;
mod scan;
mod shapes;
mod sql;
mod tables;
#[cfg(test)]
mod tests;
mod tokens;
mod tree;
mod value_words;
mod values;
mod views;
mod words;

pub use records::{redact_console, redact_errors, redact_logs, redact_spans};
pub use removed::Removed;

use crate::json::Json;

/// What replaces a credential.
pub const PLACEHOLDER: &str = "[credential removed]";

/// A credential in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// What it is: `password`, `GitHub personal token`.
    pub kind: &'static str,
}

/// Whether values with this name can be credentials.
pub fn is_credential_name(name: &str) -> bool {
    names::judge(name) != names::Name::Plain
}

/// The credentials in a text, in order.
pub fn find(text: &str) -> Vec<Found> {
    scan::scan(text.as_bytes())
        .into_iter()
        .map(|cut| Found { start: cut.start, end: cut.end, kind: cut.what })
        .collect()
}

/// Removes credentials from a text.
pub fn remove_from_text<'a>(text: &'a str, removed: &mut Removed) -> Cow<'a, str> {
    let cuts = scan::scan(text.as_bytes());
    cuts.iter().filter_map(|cut| text.get(cut.start..cut.end)).for_each(|cut| removed.push(cut.to_owned()));
    tree::without(text, cuts.into_iter().map(|cut| (cut.start, cut.end)))
}

/// Removes credentials from a JSON tree: values under a credential's name (both `{"name": value}` and `{"key": "name",
/// "value": …}`), credential-shaped parts of any text, keys included, and then every other occurrence of them.
pub fn remove_from_json(json: &mut Json<'_>) -> Removed {
    let mut removed = Removed::default();
    tree::clean(json, &mut removed, None);
    removed
}

/// As [`Removed::remove_from_json_too`], for a tree that is searched while another one is: what was removed there is
/// asked for when that is done, and returned.
pub fn remove_from_json_beside<R: AsRef<Removed>>(json: &mut Json<'_>, elsewhere: impl FnOnce() -> R) -> R {
    tree::clean_too(json, elsewhere)
}

/// Overwrites credentials in raw bytes with `*`: what was removed from the body, and whatever has the form of a
/// credential. Keeps every length, so that protobuf messages stay valid.
pub fn overwrite_in_bytes(bytes: &mut [u8], removed: &Removed) {
    bytes::overwrite(bytes, removed);
}

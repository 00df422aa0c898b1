//! Canonical JSON (RFC 8785) and digests over it.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The canonical JSON of a value: keys sorted, numbers as ECMAScript writes them, no blanks.
///
/// Every type that is digested writes its 64-bit integers and nanoseconds as decimal strings and
/// NaN and infinities as text, so nothing depends on the reader's number type.
///
/// # Errors
/// Only where `serde` cannot write the value as JSON (a map key that is not a string).
pub fn to_canonical<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let bytes = serde_json_canonicalizer::to_vec(value)?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// `sha256:<64 hex>` of the bytes.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

//! Canonical JSON (RFC 8785) and its digests.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The canonical JSON of a value: sorted keys, ECMAScript numbers, no white space.
///
/// Types with a digest serialise 64-bit integers, nanoseconds, NaN and infinities as strings, so that nothing depends
/// on the number type of a parser.
///
/// # Errors
/// Only if `serde` cannot serialize the value as JSON (a map key that is not a string).
pub fn to_canonical<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let bytes = serde_json_canonicalizer::to_vec(value)?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// `sha256:<64 hex>` of the bytes.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

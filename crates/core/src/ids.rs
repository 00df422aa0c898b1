//! Ids: W3C ids for traces and spans, ULIDs for entries and evidence.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::text::beginning;
use crate::time::Nanos;

/// A source of randomness; the host passes the system's.
pub trait Entropy: Send + Sync {
    /// Ten random bytes, for the random part of a ULID.
    fn ten_bytes(&self) -> [u8; 10];
}

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Neither 32 hex digits nor X-Ray's `1-8hex-24hex`.
    #[error("{0:?} is not a trace id: expected 32 hex digits, or X-Ray's form 1-8hex-24hex")]
    Trace(String),
    /// Not 16 hex digits.
    #[error("{0:?} is not a span id: expected 16 hex digits")]
    Span(String),
    /// Not a ULID.
    #[error("{0:?} is not an id of this journal: expected 26 characters like 01JD4ZK8S7M5V9TQ2WXYB3CDEF")]
    Ulid(String),
}

/// A trace's id, 16 bytes. X-Ray's `1-8hex-24hex` and W3C's 32 hex digits are two forms of the same id.
///
/// Never derive a time from it: W3C ids do not contain one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ts_rs::TS)]
#[ts(as = "String")]
pub struct TraceId(pub [u8; 16]);

impl TraceId {
    /// X-Ray's written form, `1-4efaaf4d-1e8720b39541901950019ee5`.
    pub fn xray(self) -> String {
        let hex = self.to_string();
        format!("1-{}-{}", &hex[..8], &hex[8..])
    }

    /// The first eight hex digits, for titles.
    pub fn short(self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl FromStr for TraceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::Trace(clip(text));
        let trimmed = text.trim();
        let trimmed = trimmed.strip_prefix("0x").unwrap_or(trimmed);
        let hex_text = match trimmed.strip_prefix("1-") {
            Some(rest) => {
                let (epoch, random) = rest.split_once('-').ok_or_else(wrong)?;
                if epoch.len() != 8 || random.len() != 24 {
                    return Err(wrong());
                }
                format!("{epoch}{random}")
            }
            None => trimmed.to_owned(),
        };
        let mut bytes = [0; 16];
        hex::decode_to_slice(&hex_text, &mut bytes).map_err(|_| wrong())?;
        if bytes == [0; 16] {
            return Err(wrong());
        }
        Ok(Self(bytes))
    }
}

/// A span's, segment's or subsegment's id, 8 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ts_rs::TS)]
#[ts(as = "String")]
pub struct SpanId(pub [u8; 8]);

impl FromStr for SpanId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::Span(clip(text));
        let trimmed = text.trim();
        let trimmed = trimmed.strip_prefix("0x").unwrap_or(trimmed);
        let mut bytes = [0; 8];
        hex::decode_to_slice(trimmed, &mut bytes).map_err(|_| wrong())?;
        if bytes == [0; 8] {
            return Err(wrong());
        }
        Ok(Self(bytes))
    }
}

/// The id of an entry or a piece of evidence: a ULID, so ids sort by creation time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ts_rs::TS)]
#[ts(as = "String")]
pub struct Id(ulid::Ulid);

impl Id {
    /// A new id from the time and ten random bytes.
    pub fn new(now: Nanos, entropy: &dyn Entropy) -> Self {
        let mut random = [0; 16];
        random[6..].copy_from_slice(&entropy.ten_bytes());
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        Self(ulid::Ulid::from_parts(millis, u128::from_be_bytes(random)))
    }

    /// The id that a text has in every journal: from a time and a digest of at least ten bytes.
    pub fn of_digest(time: Nanos, digest: &[u8]) -> Self {
        let mut random = [0; 16];
        random[6..].iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
        Self(ulid::Ulid::from_parts(u64::try_from(time.millis()).unwrap_or(0), u128::from_be_bytes(random)))
    }

    /// When it was made, to the millisecond.
    pub fn time(self) -> Nanos {
        let millis = i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX);
        Nanos(millis.saturating_mul(1_000_000))
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let id = ulid::Ulid::from_string(text).map_err(|_| IdError::Ulid(clip(text)))?;
        // Only the canonical spelling, so that one id is one text everywhere (files, references).
        match id.to_string() == text {
            true => Ok(Self(id)),
            false => Err(IdError::Ulid(clip(text))),
        }
    }
}

fn clip(text: &str) -> String {
    beginning(text, 60).to_owned()
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! text_form {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
text_form!(TraceId, SpanId, Id);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xray_and_w3c_are_one_id() {
        let a: TraceId = "1-4efaaf4d-1e8720b39541901950019ee5".parse().expect("x-ray form");
        let b: TraceId = "4EFAAF4D1e8720b39541901950019ee5".parse().expect("w3c form");
        assert_eq!(a, b);
        assert_eq!(a.xray(), "1-4efaaf4d-1e8720b39541901950019ee5");
        assert!("0".repeat(32).parse::<TraceId>().is_err(), "all zero is W3C's invalid id");
        for wrong in ["", "1-4efaaf4d", "xyz", "1-4efaaf4d1-e8720b39541901950019ee5", "é"] {
            assert!(wrong.parse::<TraceId>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn one_id_has_one_spelling() {
        struct Zero;
        impl Entropy for Zero {
            fn ten_bytes(&self) -> [u8; 10] {
                [7; 10]
            }
        }
        let id = Id::new(Nanos::from_millis(1_795_447_213_087), &Zero);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_lowercase().parse::<Id>().is_err());
    }
}

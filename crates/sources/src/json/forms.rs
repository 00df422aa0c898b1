//! The forms that senders give to the same value: names, numbers, times and ids.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;
use tracebook_core::time::Nanos;

/// Whether a member's key is this name of lowerCamelCase, in any spelling: protobuf libraries write `trace_id` if they
/// are asked to keep the names of the `.proto` file, and Go's `encoding/json` writes `StringValue`.
pub(crate) fn is_named(key: &str, name: &str) -> bool {
    key == name || {
        let mut letters = key.bytes().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_lowercase());
        name.bytes().all(|byte| letters.next() == Some(byte.to_ascii_lowercase())) && letters.next().is_none()
    }
}

/// A whole number that is not negative. A 64-bit number is written as a string (protobuf), as a number, as a double or
/// with an exponent (`1.7e18`), or as the object of the JavaScript library `long`: `{"low": -1, "high": 5}`.
pub(crate) fn unsigned(value: &Value) -> Option<u64> {
    match value {
        Value::Object(_) => long(value).map(|(high, low)| u64::from(high) << 32 | u64::from(low)),
        _ => u64::try_from(whole(value)?).ok(),
    }
}

/// The same of a number that may be negative.
pub(crate) fn signed(value: &Value) -> Option<i64> {
    match value {
        Value::Object(_) => long(value).map(|(high, low)| (u64::from(high) << 32 | u64::from(low)).cast_signed()),
        _ => i64::try_from(whole(value)?).ok(),
    }
}

fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| whole_double(text.parse().ok()?))
        }
        Value::Number(n) => {
            n.as_u64().map(i128::from).or_else(|| n.as_i64().map(i128::from)).or_else(|| whole_double(n.as_f64()?))
        }
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "range checked in the same line")]
fn whole_double(double: f64) -> Option<i128> {
    (double.fract() == 0.0 && double.abs() < 1.9e19).then_some(double as i128)
}

/// Both halves of a `Long`; each is written as a signed or an unsigned number.
fn long(value: &Value) -> Option<(u32, u32)> {
    let half = |name| {
        let half = value.get(name)?.as_i64()?;
        u32::try_from(half).ok().or_else(|| i32::try_from(half).ok().map(i32::cast_unsigned))
    };
    Some((half("high")?, half("low")?))
}

/// A number, also `"NaN"` and `"Infinity"`.
pub(crate) fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        #[expect(clippy::cast_precision_loss, reason = "what a double of this number is")]
        Value::Object(_) => signed(value).map(|n| n as f64),
        _ => None,
    }
}

/// Seconds since 1970 with a fraction, as a number or a text.
pub(crate) fn seconds(value: &Value) -> Option<Nanos> {
    match value {
        Value::Number(_) | Value::String(_) => double(value).and_then(Nanos::from_seconds),
        _ => None,
    }
}

pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(n) if n.as_f64() == Some(0.0) => Some(false),
        Value::Number(n) if n.as_f64() == Some(1.0) => Some(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A text; a number or flag where a text is expected is taken as written.
pub(crate) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        _ => None,
    }
}

/// Bytes: base64 of either alphabet, with or without padding, or the numbers of a JavaScript buffer.
pub(crate) fn bytes(value: &Value) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let byte = |value: &Value| u8::try_from(value.as_u64()?).ok();
    match value {
        Value::String(text) => {
            let alphabet = if text.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
            GeneralPurpose::new(alphabet, LENIENT).decode(text.trim()).ok()
        }
        Value::Array(list) => list.iter().map(byte).collect(),
        // A `Buffer` names its type; a `Uint8Array` becomes an object whose keys are its indexes.
        Value::Object(map) => match map.get("data") {
            Some(list @ Value::Array(_)) => bytes(list),
            _ => (0..map.len()).map(|at| byte(map.get(&at.to_string())?)).collect(),
        },
        _ => None,
    }
}

/// An id of this many bytes: in hexadecimal digits, as OTLP prescribes, or as other bytes, as protobuf libraries write
/// them. An empty text is an absent id. An id in digits of another length is returned as it is, for the error message.
pub(crate) fn id(value: &Value, length: usize) -> Option<Vec<u8>> {
    let digits = value.as_str().map(str::trim).map(|text| text.strip_prefix("0x").unwrap_or(text));
    match digits {
        Some("") => Some(Vec::new()),
        Some(digits) => {
            let in_hex = hex::decode(digits).or_else(|_| hex::decode(digits.replace('-', ""))).ok();
            match in_hex {
                Some(id) if id.len() == length => Some(id),
                in_hex => bytes(value).filter(|id| id.len() == length).or(in_hex),
            }
        }
        None => bytes(value).filter(|id| id.len() == length),
    }
}

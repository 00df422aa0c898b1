//! Attribute values, wide enough for OTLP's `AnyValue` and for any JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// One attribute, annotation or metadata value.
///
/// JSON form: text and booleans as themselves, lists as arrays, and everything whose JSON form would be ambiguous or
/// lossy as an object with one key: `{"int":"5"}`, `{"double":1.5}` (or `"NaN"`, `"Infinity"`, `"-Infinity"`),
/// `{"bytes":"base64"}`, `{"map":[{"key":…,"value":…}]}`, and `null` for an empty value.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// OTLP's empty `AnyValue`, or JSON null.
    #[default]
    Empty,
    /// Text.
    Str(String),
    /// A boolean.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double, NaN and infinities included.
    Double(f64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A map, in the order it was sent; keys may repeat, as in OTLP.
    Map(Vec<Attribute>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, ts_rs::TS)]
pub struct Attribute {
    /// The attribute's name, as sent.
    pub key: String,
    #[ts(type = "unknown")]
    pub value: Value,
}

impl Attribute {
    /// A key with a value.
    pub fn new(key: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

/// The value of `key`, the last one if it repeats.
pub fn get<'a>(attributes: &'a [Attribute], key: &str) -> Option<&'a Value> {
    attributes.iter().rev().find(|a| a.key == key).map(|a| &a.value)
}

impl Value {
    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// An integer, also from text or from a double without a fraction.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Str(text) => text.parse().ok(),
            #[expect(clippy::cast_possible_truncation, reason = "range checked in the guard")]
            Self::Double(d) if d.fract() == 0.0 && d.abs() < 9e15 => Some(*d as i64),
            _ => None,
        }
    }

    /// From any JSON value; whole numbers become [`Value::Int`].
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Empty,
            serde_json::Value::Bool(b) => Self::Bool(*b),
            serde_json::Value::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(i), _) => Self::Int(i),
                (None, Some(f)) => Self::Double(f),
                (None, None) => Self::Str(n.to_string()),
            },
            serde_json::Value::String(s) => Self::Str(s.clone()),
            serde_json::Value::Array(list) => Self::List(list.iter().map(Self::from_json).collect()),
            serde_json::Value::Object(map) => {
                Self::Map(map.iter().map(|(k, v)| Attribute { key: k.clone(), value: Self::from_json(v) }).collect())
            }
        }
    }
}

/// For display: text without quotes, lists and maps in a JSON-like form.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("null"),
            Self::Str(text) => f.write_str(text),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Double(d) => f.write_str(&double_text(*d)),
            Self::Bytes(bytes) => f.write_str(&BASE64.encode(bytes)),
            Self::List(list) => {
                f.write_str("[")?;
                for (i, value) in list.iter().enumerate() {
                    write!(f, "{}{value}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("{")?;
                for (i, a) in map.iter().enumerate() {
                    write!(f, "{}{}: {}", if i > 0 { ", " } else { "" }, a.key, a.value)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn double_text(d: f64) -> String {
    if d.is_nan() {
        "NaN".to_owned()
    } else if d.is_infinite() {
        if d > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else {
        format!("{d}")
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}
impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}
impl From<f64> for Value {
    fn from(d: f64) -> Self {
        Self::Double(d)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn one<S: Serializer, V: Serialize + ?Sized>(serializer: S, key: &str, value: &V) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(key, value)?;
            map.end()
        }
        match self {
            Self::Empty => serializer.serialize_unit(),
            Self::Str(text) => serializer.serialize_str(text),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Int(n) => one(serializer, "int", &n.to_string()),
            Self::Double(d) if d.is_finite() => one(serializer, "double", d),
            Self::Double(d) => one(serializer, "double", &double_text(*d)),
            Self::Bytes(bytes) => one(serializer, "bytes", &BASE64.encode(bytes)),
            Self::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for value in list {
                    seq.serialize_element(value)?;
                }
                seq.end()
            }
            Self::Map(map) => one(serializer, "map", map),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;

        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an attribute value")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Empty)
            }
            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Empty)
            }
            fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
                Ok(Value::Bool(b))
            }
            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Str(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = seq.next_element()? {
                    list.push(value);
                }
                Ok(Value::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let Some(key) = map.next_key::<String>()? else {
                    return Err(de::Error::custom("an empty object is no attribute value"));
                };
                let value = match key.as_str() {
                    "int" => {
                        let text: String = map.next_value()?;
                        Value::Int(text.parse().map_err(de::Error::custom)?)
                    }
                    "double" => match map.next_value::<serde_json::Value>()? {
                        serde_json::Value::Number(n) => Value::Double(n.as_f64().unwrap_or(f64::NAN)),
                        serde_json::Value::String(s) => Value::Double(match s.as_str() {
                            "NaN" => f64::NAN,
                            "Infinity" => f64::INFINITY,
                            "-Infinity" => f64::NEG_INFINITY,
                            _ => return Err(de::Error::custom("not a double")),
                        }),
                        _ => return Err(de::Error::custom("not a double")),
                    },
                    "bytes" => {
                        let text: String = map.next_value()?;
                        Value::Bytes(BASE64.decode(text).map_err(de::Error::custom)?)
                    }
                    "map" => Value::Map(map.next_value()?),
                    other => return Err(de::Error::custom(format!("unknown value type {other:?}"))),
                };
                match map.next_key::<String>()? {
                    None => Ok(value),
                    Some(_) => Err(de::Error::custom("an attribute value has one key")),
                }
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Empty),
            any::<String>().prop_map(Value::Str),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_filter("NaN is not equal to itself", |d| !d.is_nan()).prop_map(Value::Double),
            any::<Vec<u8>>().prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                prop::collection::vec((any::<String>(), inner), 0..4).prop_map(|pairs| {
                    Value::Map(pairs.into_iter().map(|(key, value)| Attribute { key, value }).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_reads_back_as_itself(value in any_value()) {
            let text = serde_json::to_string(&value).expect("a value has a JSON form");
            prop_assert_eq!(serde_json::from_str::<Value>(&text).expect("reads back"), value);
        }
    }
}

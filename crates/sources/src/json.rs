//! JSON as senders write it, for all receivers.
//!
//! What is strict JSON is read by `serde_json` alone. Only where that fails, the text is mended ([`read`]), so that
//! lone surrogates, NaN and the like cost nothing else. Objects and arrays are split without being read ([`members`],
//! [`elements`]), so that what is broken in one of them does not matter for its neighbours. Numbers, times and ids
//! are read in every form that SDKs and protobuf libraries give them ([`forms`]).

mod forms;
mod mend;
mod split;

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use tracebook_core::value::{Attribute, Value};

pub(crate) use forms::{bytes, double, flag, id, is_named, seconds, signed, text, unsigned};
pub(crate) use mend::mend;
pub(crate) use split::{elements, first, members, walk};

/// How deep a value may nest before the rest of it is kept as text.
///
/// Evidence is JSON in which a map takes three levels, and JSON readers give up at 128.
pub(crate) const DEEPEST: usize = 24;

/// What a text takes at most as a [`serde_json::Value`], in bytes. Two characters such as `0,` become a value of 72
/// bytes in a list that doubles when it grows, and an object's member takes twice that.
pub(crate) fn tree_bytes(text: &[u8]) -> usize {
    const ELEMENT: usize = 2 * size_of::<serde_json::Value>();
    const MEMBER: usize = 2 * size_of::<(String, serde_json::Value)>() + 64;
    let (mut elements, mut members) = (1usize, 0usize);
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b',' | b'[' | b'{' => elements += 1,
            b':' => members += 1,
            b'"' => {
                // To the end of the string.
                while let Some(byte) = rest.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(rest.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    text.len() + elements * ELEMENT + members * MEMBER
}

/// Reads JSON: strictly, and where that fails, mended. The text is returned if it had to be mended.
///
/// # Errors
/// What is wrong with the text as it was sent.
pub(crate) fn read<T: DeserializeOwned>(sent: &[u8]) -> Result<(T, Option<String>), String> {
    match serde_json::from_slice(sent) {
        Ok(read) => Ok((read, None)),
        Err(strict) => mended(sent).ok_or_else(|| words(&strict)),
    }
}

/// The second attempt of [`read`].
fn mended<T: DeserializeOwned>(sent: &[u8]) -> Option<(T, Option<String>)> {
    let text = String::from_utf8_lossy(sent);
    let mended = match (mend(&text), text) {
        (Some(mended), _) => mended,
        // It was not UTF-8, and nothing else.
        (None, Cow::Owned(text)) => text,
        (None, Cow::Borrowed(_)) => return None,
    };
    Some((serde_json::from_str(&mended).ok()?, Some(mended)))
}

/// What is wrong with a JSON text. For the one fault that SDKs really make (half a surrogate pair, from text that was
/// cut in the wrong place) the reader's own message only mentions hex escapes.
pub(crate) fn words(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match said.contains("hex escape") || said.contains("surrogate") {
        true => format!("{said} (an escape like \\ud83d is a lone surrogate)"),
        false => said,
    }
}

/// An object's key, borrowed if it contains no escapes.
pub(crate) struct Key<'a>(pub(crate) Cow<'a, str>);

impl<'a> serde::Deserialize<'a> for Key<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'a> Visitor<'a> for Text {
            type Value = Key<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Key<'a>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'a>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A value that is parsed and discarded, so that invalid JSON is rejected without holding anything.
pub(crate) struct Readable;

impl<'a> serde::Deserialize<'a> for Readable {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        // The reader has a limit of its own.
        Level(usize::MAX).deserialize(deserializer).map(|()| Self)
    }
}

/// A value as [`Readable`] that nests at most [`Shallow::LEVELS`] levels, so that an object with this member can be
/// read as well.
pub(crate) struct Shallow;

impl Shallow {
    const LEVELS: usize = 64;
}

impl<'a> serde::Deserialize<'a> for Shallow {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        Level(Self::LEVELS).deserialize(deserializer).map(|()| Self)
    }
}

/// Reads and discards a value that nests at most this many levels.
struct Level(usize);

impl Level {
    fn below<E: serde::de::Error>(&self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("it is nested too deep"))
    }
}

impl<'a> DeserializeSeed<'a> for Level {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Level {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self.below::<A::Error>()?)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<Key<'a>>()?.is_some() {
            map.next_value_seed(self.below::<A::Error>()?)?;
        }
        Ok(())
    }
}

/// Writes an object member by member.
#[derive(Default)]
pub(crate) struct ObjectText(String);

impl ObjectText {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// `value` is JSON text.
    pub(crate) fn member(&mut self, key: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.0.push('"');
            self.0.push_str(key);
            self.0.push('"');
        } else {
            self.0.push_str(&quoted(key));
        }
        self.0.push(':');
        self.0.push_str(value);
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}

/// A string as JSON.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A value as core's type; what nests deeper than [`DEEPEST`] becomes its JSON text.
pub(crate) fn value(json: serde_json::Value) -> Value {
    at_depth(json, 0)
}

fn at_depth(json: serde_json::Value, depth: usize) -> Value {
    match json {
        nested @ (serde_json::Value::Array(_) | serde_json::Value::Object(_)) if depth >= DEEPEST => {
            Value::Str(nested.to_string())
        }
        serde_json::Value::Array(list) => Value::List(list.into_iter().map(|v| at_depth(v, depth + 1)).collect()),
        serde_json::Value::Object(map) => {
            Value::Map(map.into_iter().map(|(key, v)| Attribute { key, value: at_depth(v, depth + 1) }).collect())
        }
        serde_json::Value::String(text) => Value::Str(text),
        scalar => Value::from_json(&scalar),
    }
}

#[cfg(test)]
mod tests;

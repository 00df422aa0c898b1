//! Splits JSON into pieces without building it: the members of an object and the elements of an array as the text that
//! was sent.
//!
//! This keeps raw text exactly as written and bounds memory and stack: only slices are held, and a document's depth
//! only costs time.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use tracebook_core::value::{Attribute, Value};

/// How deep a value may nest before the rest of it is kept as text.
///
/// Evidence is JSON in which a map takes three levels, and JSON readers give up at 128.
pub(crate) const DEEPEST: usize = 24;

/// Calls `each` with every member of an object, in order. An error is that of the reader or of `each`.
pub(crate) fn members<'a>(
    text: &'a str,
    mut each: impl FnMut(Cow<'a, str>, &'a RawValue) -> Result<(), String>,
) -> Result<(), String> {
    struct Members<F>(F);
    impl<'a, F: FnMut(Cow<'a, str>, &'a RawValue) -> bool> Visitor<'a> for Members<F> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }
        fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some(Key(key)) = map.next_key()? {
                if !(self.0)(key, map.next_value()?) {
                    return Err(A::Error::custom("stopped"));
                }
            }
            Ok(())
        }
    }
    let mut own = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let visitor = Members(|key, value| keep_error(each(key, value), &mut own));
    let read = reader.deserialize_map(visitor).and_then(|()| reader.end());
    read.map_err(|error| own.unwrap_or_else(|| words(&error)))
}

/// Calls `each` with every element of an array, in order; `null` counts as an empty array.
pub(crate) fn elements<'a>(
    text: &'a str,
    mut each: impl FnMut(&'a RawValue) -> Result<(), String>,
) -> Result<(), String> {
    struct Elements<F>(F);
    impl<'a, F: FnMut(&'a RawValue) -> bool> Visitor<'a> for Elements<F> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON array")
        }
        fn visit_seq<A: SeqAccess<'a>>(mut self, mut seq: A) -> Result<(), A::Error> {
            while let Some(element) = seq.next_element()? {
                if !(self.0)(element) {
                    return Err(A::Error::custom("stopped"));
                }
            }
            Ok(())
        }
    }
    if text.trim() == "null" {
        return Ok(());
    }
    let mut own = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let visitor = Elements(|element| keep_error(each(element), &mut own));
    let read = reader.deserialize_seq(visitor).and_then(|()| reader.end());
    read.map_err(|error| own.unwrap_or_else(|| words(&error)))
}

/// Beside the reader rather than through it, because a reader would add a position within a slice that the sender
/// cannot see.
fn keep_error(result: Result<(), String>, own: &mut Option<String>) -> bool {
    *own = result.err();
    own.is_none()
}

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
        struct Anything;
        impl<'a> Visitor<'a> for Anything {
            type Value = Readable;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }
            fn visit_unit<E>(self) -> Result<Readable, E> {
                Ok(Readable)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Readable, E> {
                Ok(Readable)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Readable, E> {
                Ok(Readable)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Readable, E> {
                Ok(Readable)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Readable, E> {
                Ok(Readable)
            }
            fn visit_str<E>(self, _: &str) -> Result<Readable, E> {
                Ok(Readable)
            }
            fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Readable, A::Error> {
                while seq.next_element::<Readable>()?.is_some() {}
                Ok(Readable)
            }
            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Readable, A::Error> {
                while map.next_entry::<Key<'a>, Readable>()?.is_some() {}
                Ok(Readable)
            }
        }
        deserializer.deserialize_any(Anything)
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
mod tests {
    use super::*;

    #[test]
    fn members_and_elements_are_the_text_that_was_sent() {
        let mut seen = Vec::new();
        members(r#"{"a": 1.50, "b\n":[1, 2] ,"a":null}"#, |k, v| {
            seen.push(format!("{k}={}", v.get()));
            Ok(())
        })
        .expect("an object");
        assert_eq!(seen, ["a=1.50", "b\n=[1, 2]", "a=null"]);
        let mut seen = Vec::new();
        elements(" [ {} , 2 ] ", |v| {
            seen.push(v.get());
            Ok(())
        })
        .expect("an array");
        assert_eq!(seen, ["{}", "2"]);
    }

    #[test]
    fn a_text_that_is_not_an_object_is_reported() {
        for (text, word) in [("[]", "expected a JSON object"), ("{} x", "trailing"), ("{\"a\":", "EOF"), ("", "EOF")] {
            let error = members(text, |_, _| Ok(())).expect_err("not an object");
            assert!(error.contains(word), "{text}: {error}");
        }
        assert!(elements("{}", |_| Ok(())).is_err());
        assert!(elements("null", |_| Err("never called".into())).is_ok());
    }

    #[test]
    fn readable_texts_are_those_that_a_json_reader_accepts() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let (fine, too_deep) = (deep(127), deep(128));
        for text in [
            r#"{"a": [1, -2, 1.5e3, true, null, "x\ud83d\ude00"], "a": {}}"#,
            r#""a lone \ud83d surrogate""#,
            r#"{"\ud83d": 1}"#,
            "1e400",
            "-",
            "01",
            "[1,]",
            "{\"a\" 1}",
            "\"\u{1}\"",
            &fine,
            &too_deep,
        ] {
            let value: Result<serde_json::Value, _> = serde_json::from_str(text);
            let readable: Result<Readable, _> = serde_json::from_str(text);
            assert_eq!(readable.err().map(|e| e.to_string()), value.err().map(|e| e.to_string()), "{text}");
        }
    }

    #[test]
    fn what_a_tree_takes_counts_values_and_not_the_text_in_strings() {
        let list = format!("[{}0]", "0,".repeat(1000));
        assert!(tree_bytes(list.as_bytes()) >= 1000 * 72, "{}", tree_bytes(list.as_bytes()));
        let text = r#"["[0,0,0,{:,}\"],\\"]"#;
        assert_eq!(tree_bytes(text.as_bytes()), text.len() + 2 * 2 * size_of::<serde_json::Value>());
        let members = |n: usize| format!("{{{}}}", (0..n).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","));
        assert!(tree_bytes(members(100).as_bytes()) >= 100 * (24 + 72 + 72));
        assert!(tree_bytes(b"\"ends in a string") < 400);
    }

    #[test]
    fn deep_nesting_uses_no_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
        members(&deep, |_, _| Ok(())).expect("balanced");
    }

    #[test]
    fn a_deep_value_can_be_frozen_and_read_back() {
        let deep = format!("{}1{}", "{\"k\":".repeat(100), "}".repeat(100));
        let json: serde_json::Value = serde_json::from_str(&deep).expect("below the reader's own limit");
        let value = value(json);
        let written = serde_json::to_string(&value).expect("writes");
        assert_eq!(serde_json::from_str::<Value>(&written).expect("reads again"), value);
    }
}

//! Canonical JSON ([RFC 8785](https://www.rfc-editor.org/rfc/rfc8785)) and its digests.

use std::cmp::Ordering;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, Formatter};
use sha2::{Digest as _, Sha256};

/// The canonical JSON of a value: sorted keys, ECMAScript numbers, no white space. Of members with the same key, the
/// first one is kept.
///
/// Types with a digest serialise 64-bit integers, nanoseconds, NaN and infinities as strings, so that nothing depends
/// on the number type of a parser.
///
/// # Errors
/// Only if `serde` cannot serialize the value as JSON (a map key that is not a string).
pub fn to_canonical<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let mut text = Text::default();
    value.serialize(&mut Serializer::with_formatter(io::sink(), Canonical(&mut text)))?;
    String::from_utf8(text.written).map_err(serde::ser::Error::custom)
}

/// `sha256:<64 hex>` of the bytes.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// What was written, in which the members of an object are sorted where it ends.
#[derive(Default)]
struct Text {
    written: Vec<u8>,
    /// Of the objects that have not ended, from the outermost one.
    members: Vec<Member>,
    /// Where each of these objects begins: in `written`, behind its brace, and in `members`.
    objects: Vec<(usize, usize)>,
    /// Members in their order, until they replace those written.
    sorted: Vec<u8>,
}

/// The places in [`Text::written`] of a member's key, with its quotes, and value.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
}

impl Text {
    fn key<'a>(&'a self, member: &Member) -> &'a [u8] {
        &self.written[member.start..member.key_end]
    }

    fn sort(&mut self) {
        let Some((start, first)) = self.objects.pop() else { return };
        let mut members = self.members.split_off(first);
        if members.is_sorted_by(|a, b| order(self.key(a), self.key(b)).is_lt()) {
            return;
        }
        members.sort_by(|a, b| order(self.key(a), self.key(b)));
        members.dedup_by(|later, earlier| order(self.key(later), self.key(earlier)).is_eq());
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.clear();
        for member in members {
            if !sorted.is_empty() {
                sorted.push(b',');
            }
            sorted.extend_from_slice(&self.written[member.start..member.end]);
        }
        self.written.truncate(start);
        self.written.extend_from_slice(&sorted);
        self.sorted = sorted;
    }
}

/// The order of two keys in JSON, by the UTF-16 code units of what they say.
fn order(a: &[u8], b: &[u8]) -> Ordering {
    let is_plain = |key: &[u8]| key.is_ascii() && !key.contains(&b'\\');
    if is_plain(a) && is_plain(b) {
        // Without the closing quote, which is greater than some characters.
        return a[..a.len() - 1].cmp(&b[..b.len() - 1]);
    }
    let units =
        |key: &[u8]| -> Vec<u16> { serde_json::from_slice::<String>(key).unwrap_or_default().encode_utf16().collect() };
    units(a).cmp(&units(b))
}

/// Writes to the text instead of the writer, which `serde_json` does not let a formatter read.
struct Canonical<'a>(&'a mut Text);

impl Canonical<'_> {
    fn push(&mut self, bytes: &[u8]) {
        self.0.written.extend_from_slice(bytes);
    }
}

/// Integers are numbers of ECMAScript, too: beyond 2⁵³ they are written as the nearest one.
macro_rules! integers {
    ($($name:ident: $integer:ty),*) => {
        $(
            fn $name<W: ?Sized + Write>(&mut self, writer: &mut W, value: $integer) -> io::Result<()> {
                #[expect(clippy::allow_attributes, reason = "not every integer loses digits")]
                #[allow(clippy::cast_precision_loss, clippy::cast_lossless, reason = "the nearest one is meant")]
                self.write_f64(writer, value as f64)
            }
        )*
    };
}

impl Formatter for Canonical<'_> {
    integers! {
        write_i8: i8, write_i16: i16, write_i32: i32, write_i64: i64, write_i128: i128,
        write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64, write_u128: u128
    }

    fn write_null<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.push(b"null");
        Ok(())
    }

    fn write_bool<W: ?Sized + Write>(&mut self, _: &mut W, value: bool) -> io::Result<()> {
        self.push(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(writer, f64::from(value))
    }

    fn write_f64<W: ?Sized + Write>(&mut self, _: &mut W, value: f64) -> io::Result<()> {
        if !value.is_finite() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "JSON has no NaN and no infinities"));
        }
        self.push(ryu_js::Buffer::new().format_finite(value).as_bytes());
        Ok(())
    }

    fn write_number_str<W: ?Sized + Write>(&mut self, writer: &mut W, value: &str) -> io::Result<()> {
        let number = value.parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        self.write_f64(writer, number)
    }

    fn begin_string<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.push(b"\"");
        Ok(())
    }

    fn end_string<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.push(b"\"");
        Ok(())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, _: &mut W, fragment: &str) -> io::Result<()> {
        self.push(fragment.as_bytes());
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, _: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::Quote => self.push(b"\\\""),
            CharEscape::ReverseSolidus => self.push(b"\\\\"),
            CharEscape::Solidus => self.push(b"/"),
            CharEscape::Backspace => self.push(b"\\b"),
            CharEscape::FormFeed => self.push(b"\\f"),
            CharEscape::LineFeed => self.push(b"\\n"),
            CharEscape::CarriageReturn => self.push(b"\\r"),
            CharEscape::Tab => self.push(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(self.0.written, "\\u{byte:04x}")?,
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.push(b"[");
        Ok(())
    }

    fn end_array<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.push(b"]");
        Ok(())
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, _: &mut W, first: bool) -> io::Result<()> {
        if !first {
            self.push(b",");
        }
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.push(b"{");
        self.0.objects.push((self.0.written.len(), self.0.members.len()));
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0.sort();
        self.push(b"}");
        Ok(())
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, _: &mut W, first: bool) -> io::Result<()> {
        if !first {
            self.push(b",");
        }
        let start = self.0.written.len();
        self.0.members.push(Member { start, key_end: start, end: start });
        Ok(())
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        let key_end = self.0.written.len();
        if let Some(member) = self.0.members.last_mut() {
            member.key_end = key_end;
        }
        self.push(b":");
        Ok(())
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        let end = self.0.written.len();
        // Those of the objects within it were taken away where these ended.
        if let Some(member) = self.0.members.last_mut() {
            member.end = end;
        }
        Ok(())
    }

    fn write_raw_fragment<W: ?Sized + Write>(&mut self, _: &mut W, _: &str) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "JSON that was not read cannot be made canonical"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::ser::SerializeMap as _;
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn members_are_in_the_order_of_utf_16() {
        // The example of RFC 8785, 3.2.3.
        let keys = ["\u{20ac}", "\r", "\u{fb33}", "1", "\u{1f600}", "\u{80}", "\u{f6}"];
        let json: Json =
            keys.iter().map(|key| ((*key).to_owned(), json!(*key))).collect::<serde_json::Map<_, _>>().into();
        let text = to_canonical(&json).expect("JSON");
        let places = ["\\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"]
            .map(|key| text.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key:?} is missing in {text}")));
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn keys_that_begin_alike_are_in_order() {
        let json = json!({ "a b": 1, "a": { "z": [], "y!": {}, "y": "\u{1}\"\\/" }, "a\"": 2, "": 3, "a!": 1.0e21 });
        let canonical = r#"{"":3,"a":{"y":"\u0001\"\\/","y!":{},"z":[]},"a b":1,"a!":1e+21,"a\"":2}"#;
        assert_eq!(to_canonical(&json).expect("JSON"), canonical);
    }

    #[test]
    fn of_members_with_one_key_the_first_is_kept() {
        struct Twice;
        impl Serialize for Twice {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                for (key, n) in [("b", 1), ("a", 2), ("b", 3)] {
                    map.serialize_entry(key, &BTreeMap::from([(key, n)]))?;
                }
                map.end()
            }
        }
        assert_eq!(to_canonical(&[Twice]).expect("JSON"), r#"[{"a":{"a":2},"b":{"b":1}}]"#);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let number = prop_oneof![
            any::<i64>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            any::<f64>().prop_map(|n| serde_json::Number::from_f64(n).map_or(Json::Null, Json::Number)),
            (-1000i32..1000, -30i32..30).prop_map(|(n, e)| json!(f64::from(n) * 10f64.powi(e))),
        ];
        let text = prop_oneof![any::<String>(), "[a-c!\" \\\\]{0,4}", "[\u{e000}-\u{ffff}\u{10000}-\u{10100}]{0,2}"];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            number,
            text.clone().prop_map(Json::from)
        ];
        leaf.prop_recursive(6, 200, 12, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::vec((text.clone(), inner), 0..12)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_what_another_implementation_writes(json in any_json()) {
            let other = serde_json_canonicalizer::to_string(&json).expect("JSON");
            prop_assert_eq!(to_canonical(&json).expect("JSON"), other);
        }
    }
}

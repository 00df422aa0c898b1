//! `ConsoleSpanExporter` of Ruby: a `SpanData` as `pp` prints it.
//!
//! Read is what `inspect` writes of plain values (<https://docs.ruby-lang.org/en/master/Object.html#method-i-inspect>):
//! structs and objects with their members, hashes with `=>` or `:`, lists, symbols, numbers, strings with escapes.

use serde_json::{Map, Number, Value as Json};
use tracebook_core::time::Nanos;

use super::{Printed, event, link};

/// Deeper than any span.
const DEEPEST: usize = 24;

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Bytes, because ids are printed as such.
    Text(Vec<u8>),
    List(Vec<Value>),
    /// A hash, a struct or an object; the names of an object's members are without `@`.
    Members(Vec<(String, Value)>),
}

impl Value {
    fn get(&self, key: &str) -> &Self {
        match self {
            Self::Members(members) => {
                members.iter().find(|(name, _)| name == key).map_or(&Self::Nil, |(_, value)| value)
            }
            _ => &Self::Nil,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        }
    }

    fn hex(&self) -> String {
        match self {
            Self::Text(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            _ => String::new(),
        }
    }

    fn time(&self) -> Option<Nanos> {
        match self {
            Self::Int(nanos) => Some(Nanos(*nanos)),
            _ => None,
        }
    }

    fn list(&self) -> &[Self] {
        match self {
            Self::List(list) => list,
            _ => &[],
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Nil => Json::Null,
            Self::Bool(bool) => (*bool).into(),
            Self::Int(int) => (*int).into(),
            Self::Float(float) => Number::from_f64(*float).map_or_else(|| float.to_string().into(), Json::Number),
            Self::Text(_) => self.text().into(),
            Self::List(list) => list.iter().map(Self::json).collect(),
            Self::Members(_) => self.map().into(),
        }
    }

    fn map(&self) -> Map<String, Json> {
        match self {
            Self::Members(members) => members.iter().map(|(key, value)| (key.clone(), value.json())).collect(),
            _ => Map::new(),
        }
    }
}

/// Converts a span.
pub(in crate::console) fn span(text: &str) -> Option<Map<String, Json>> {
    let mut reader = Reader { rest: text };
    let said = reader.value(0)?;
    reader.space();
    if !reader.rest.is_empty() {
        return None;
    }
    let scope = match said.get("instrumentation_scope") {
        Value::Nil => said.get("instrumentation_library"),
        scope => scope,
    };
    let status = said.get("status");
    let printed = Printed {
        name: said.get("name").text(),
        trace_id: said.get("trace_id").hex(),
        span_id: said.get("span_id").hex(),
        trace_state: trace_state(said.get("tracestate")),
        parent_id: said.get("parent_span_id").hex(),
        kind: said.get("kind").text(),
        start: said.get("start_timestamp").time(),
        end: said.get("end_timestamp").time(),
        // The numbers of Ruby's API.
        status: match status.get("code") {
            Value::Int(0) => "OK",
            Value::Int(2) => "ERROR",
            _ => "",
        }
        .to_owned(),
        message: status.get("description").text(),
        attributes: said.get("attributes").map(),
        events: said
            .get("events")
            .list()
            .iter()
            .map(|said| {
                let time = said.get("timestamp").time().unwrap_or_default();
                event(&said.get("name").text(), time, said.get("attributes").map())
            })
            .collect(),
        links: said
            .get("links")
            .list()
            .iter()
            .map(|said| {
                let context = said.get("span_context");
                let (trace, span) = (context.get("trace_id").hex(), context.get("span_id").hex());
                link(&trace, &span, &trace_state(context.get("tracestate")), said.get("attributes").map())
            })
            .collect(),
        resource: said.get("resource").get("attributes").map(),
        scope: (scope.get("name").text(), scope.get("version").text()),
        ..Printed::default()
    };
    Some(printed.into_json())
}

fn trace_state(said: &Value) -> String {
    let pairs: Vec<String> = said
        .get("hash")
        .map()
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect();
    pairs.join(",")
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, what: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes the text before the first character that is not of a word.
    fn word(&mut self) -> &'a str {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '?' | '!' | '.' | '+' | '-');
        let (word, rest) = self.rest.split_at(self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth >= DEEPEST {
            return None;
        }
        self.space();
        if self.rest.starts_with('"') {
            return self.text().map(Value::Text);
        }
        if self.eat("#<") {
            return self.object(depth);
        }
        if self.eat("{") {
            return self.hash(depth);
        }
        if self.eat("[") {
            let mut list = Vec::new();
            while !self.eat("]") {
                list.push(self.value(depth + 1)?);
                self.eat(",");
            }
            return Some(Value::List(list));
        }
        if self.eat(":") {
            return match self.rest.starts_with('"') {
                true => self.text().map(Value::Text),
                false => Some(Value::Text(self.word().as_bytes().to_vec())),
            };
        }
        Some(match self.word() {
            "" => return None,
            "nil" => Value::Nil,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            word => match (word.parse(), word.parse()) {
                (Ok(int), _) => Value::Int(int),
                (Err(_), Ok(float)) => Value::Float(float),
                // A constant.
                _ => Value::Text(word.as_bytes().to_vec()),
            },
        })
    }

    /// `struct Name a=1, b=2>` or `Name:0x0001 @a=1, @b=2>`.
    fn object(&mut self, depth: usize) -> Option<Value> {
        let end = self.rest.find(|c: char| c.is_whitespace() || c == '>')?;
        let name = &self.rest[..end];
        self.rest = &self.rest[end..];
        if name == "struct" {
            self.space();
            let end = self.rest.find(|c: char| c.is_whitespace() || c == '>')?;
            self.rest = &self.rest[end..];
        }
        let mut members = Vec::new();
        while !self.eat(">") {
            self.eat("@");
            let key = self.word().to_owned();
            if key.is_empty() || !self.eat("=") {
                // `#<Thread:0x… run>` and the like have no members.
                self.rest = &self.rest[self.rest.find('>')?..];
                continue;
            }
            members.push((key, self.value(depth + 1)?));
            self.eat(",");
        }
        Some(Value::Members(members))
    }

    /// `"a"=>1, :b=>2, c: 3}`.
    fn hash(&mut self, depth: usize) -> Option<Value> {
        let mut members = Vec::new();
        while !self.eat("}") {
            self.space();
            let first = self.rest.chars().next()?;
            let key = if first == '"' || first == ':' {
                self.value(depth + 1)?
            } else {
                Value::Text(self.word().as_bytes().to_vec())
            };
            if !self.eat("=>") && !self.eat(":") {
                return None;
            }
            members.push((key.text(), self.value(depth + 1)?));
            self.eat(",");
        }
        Some(Value::Members(members))
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            let mut utf8 = [0; 4];
            if c == '"' {
                self.rest = &self.rest[at + 1..];
                return Some(out);
            }
            if c != '\\' {
                out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                continue;
            }
            let (_, escaped) = chars.next()?;
            match escaped {
                'x' => {
                    let mut byte = 0;
                    for _ in 0..2 {
                        let Some(digit) = chars.peek().and_then(|(_, c)| c.to_digit(16)) else { break };
                        byte = byte * 16 + u8::try_from(digit).ok()?;
                        chars.next();
                    }
                    out.push(byte);
                }
                'u' => {
                    let braced = chars.next_if(|(_, c)| *c == '{').is_some();
                    let mut code = 0;
                    for _ in 0..if braced { 6 } else { 4 } {
                        let Some(digit) = chars.peek().and_then(|(_, c)| c.to_digit(16)) else { break };
                        code = code * 16 + digit;
                        chars.next();
                    }
                    if braced {
                        chars.next_if(|(_, c)| *c == '}')?;
                    }
                    let c = char::from_u32(code).unwrap_or('\u{fffd}');
                    out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                }
                'n' => out.push(b'\n'),
                't' => out.push(b'\t'),
                'r' => out.push(b'\r'),
                'e' => out.push(0x1b),
                'a' => out.push(0x07),
                'b' => out.push(0x08),
                'v' => out.push(0x0b),
                'f' => out.push(0x0c),
                '0' => out.push(0),
                other => out.extend_from_slice(other.encode_utf8(&mut utf8).as_bytes()),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_inspect_writes_is_read_back() {
        let text = r##"#<struct A::B name="a\"\u00e9\x01#", kind=:server, o=#<C::D:0x000001 @code=1, @h={"k"=>[1, 2.5, nil], :s=>true, t: -3}>, n={"a" => "b"}, c=Foo>"##;
        let mut reader = Reader { rest: text };
        let value = reader.value(0).expect("a value");
        assert_eq!(value.get("name"), &Value::Text("a\"é\u{1}#".as_bytes().to_vec()));
        assert_eq!(value.get("kind").text(), "server");
        assert_eq!(value.get("o").get("h").json(), serde_json::json!({"k": [1, 2.5, null], "s": true, "t": -3}));
        assert_eq!(value.get("n").json(), serde_json::json!({"a": "b"}));
        assert_eq!(reader.rest, "");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), like in "[#<>{}\\[\\]\"@=:, a0\\\\xu\n]{0,60}") {
            span(&text);
            span(&format!("#<struct OpenTelemetry::SDK::Trace::SpanData name={like}>"));
        }
    }
}

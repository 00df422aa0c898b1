//! Reads what Node's `console.dir` prints of plain data as JSON.
//!
//! The form is that of `util.inspect` (<https://nodejs.org/api/util.html#utilinspectobject-options>): plain names
//! without quotes, strings in one of three quotes and in pieces joined by `+`, `undefined`, `[Object]` and `[Array]`
//! for deep values, `... 3 more items` for long lists. What was cut off is lost; its placeholder is kept as text.

use serde_json::{Map, Number, Value as Json};

/// Deeper than any span: nothing is printed below the third level.
const DEEPEST: usize = 16;

/// Reads one whole object.
pub(super) fn json(text: &str) -> Option<Json> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.space();
    (reader.rest.is_empty() && value.is_object()).then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, what: &str) -> bool {
        match self.rest.strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes the text before one of these, which must follow.
    fn before(&mut self, ends: &[char]) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at(self.rest.find(ends)?);
        self.rest = rest;
        Some(taken)
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth >= DEEPEST {
            return None;
        }
        self.space();
        if self.rest.starts_with("<ref *") {
            self.before(&['>'])?;
            self.eat(">");
            self.space();
        }
        match self.rest.chars().next()? {
            '{' => self.object(depth),
            // `[Array]`, `[Object: null prototype] {`, `[Function: f]`: in a list, elements follow separately.
            '[' if self.rest[1..].starts_with(|c: char| c.is_alphabetic()) => {
                let word = self.before(&[']'])?;
                self.eat("]");
                self.named(format!("{word}]"), depth)
            }
            '[' => self.list(depth),
            '\'' | '"' | '`' => self.text().map(Json::String),
            _ => {
                let word = self.before(&[',', '\n', '}', ']', '{'])?.trim_end();
                // A date has colons too, but no space after them.
                match word.is_empty() || word.contains(": ") {
                    true => None,
                    false => self.named(word.to_owned(), depth),
                }
            }
        }
    }

    /// A bare word: a value, or the class of the object that follows.
    fn named(&mut self, word: String, depth: usize) -> Option<Json> {
        let rest = self.rest.trim_start_matches(' ');
        if rest.starts_with('{') {
            self.rest = rest;
            return self.object(depth);
        }
        Some(match word.as_str() {
            "undefined" | "null" => Json::Null,
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            _ => number(&word).map_or(Json::String(word), Json::Number),
        })
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.eat("{");
        let mut map = Map::new();
        loop {
            self.space();
            if self.eat("}") {
                return Some(Json::Object(map));
            }
            if self.rest.starts_with("...") {
                self.more()?;
                continue;
            }
            let key = match self.rest.chars().next()? {
                '\'' | '"' | '`' => self.text()?,
                _ => self.before(&[':', ',', '\n', '}', '{'])?.to_owned(),
            };
            if !self.eat(":") {
                return None;
            }
            map.insert(key, self.value(depth + 1)?);
            self.space();
            if !self.eat(",") && !self.rest.starts_with('}') {
                return None;
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        self.eat("[");
        let mut list = Vec::new();
        loop {
            self.space();
            if self.eat("]") {
                return Some(Json::Array(list));
            }
            match self.rest.starts_with("...") {
                true => list.push(Json::String(self.more()?)),
                false => list.push(self.value(depth + 1)?),
            }
            self.space();
            if !self.eat(",") && !self.rest.starts_with(']') {
                return None;
            }
        }
    }

    /// `... 50 more items`, unchanged.
    fn more(&mut self) -> Option<String> {
        Some(self.before(&[',', '\n', ']', '}'])?.trim_end().to_owned())
    }

    /// A string with all its pieces.
    fn text(&mut self) -> Option<String> {
        let mut out = String::new();
        loop {
            self.piece(&mut out)?;
            if self.rest.starts_with("... ") {
                self.more()?;
                out.push('…');
            }
            let behind = self.rest.trim_start();
            match behind.strip_prefix('+') {
                Some(next) => self.rest = next.trim_start(),
                None => return Some(out),
            }
        }
    }

    fn piece(&mut self, out: &mut String) -> Option<()> {
        let quote = self.rest.chars().next().filter(|c| ['\'', '"', '`'].contains(c))?;
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.rest = &self.rest[at + 1..];
                return Some(());
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            let (_, escaped) = chars.next()?;
            let digits = match escaped {
                'x' => 2,
                'u' => 4,
                _ => 0,
            };
            out.push(match escaped {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'v' => '\u{b}',
                'x' | 'u' => {
                    let mut code = 0;
                    for _ in 0..digits {
                        code = code * 16 + chars.next()?.1.to_digit(16)?;
                    }
                    // A lone surrogate: pairs are printed as the character.
                    char::from_u32(code).unwrap_or('\u{fffd}')
                }
                other => other,
            });
        }
        None
    }
}

/// `12`, `1.5`, `12n`; numbers that JSON does not have stay words.
fn number(word: &str) -> Option<Number> {
    let word = word.strip_suffix('n').unwrap_or(word);
    if !word.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return None;
    }
    word.parse::<i64>().map(Number::from).ok().or_else(|| Number::from_f64(word.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_node_shows_is_read_back() {
        let text = "<ref *1> Span {\n  a: 'one\\ntwo' +\n    'three',\n  'b.c': \"it's\",\n  d: `it's \"q\"`,\n  e: [ 1, -2.5, 3n, NaN ],\n  \
            f: [ [Object], [Array], [Circular *1] ],\n  g: [Object: null prototype] { h: undefined, i: null },\n  j: [\n    1,\n    ... 50 more items\n  ],\n  \
            k: true, l: {}, m: [], n: 'cut'... 12 more characters,\n  o: 2026-11-24T14:47:31.897Z,\n  p: '\\x1b\\u00e9\\'😀'\n}";
        let expected = json!({
            "a": "one\ntwothree", "b.c": "it's", "d": "it's \"q\"", "e": [1, -2.5, 3, "NaN"],
            "f": ["[Object]", "[Array]", "[Circular *1]"], "g": {"h": null, "i": null}, "j": [1, "... 50 more items"],
            "k": true, "l": {}, "m": [], "n": "cut…", "o": "2026-11-24T14:47:31.897Z", "p": "\u{1b}é'😀",
        });
        assert_eq!(json(text).expect("an object"), expected);
    }

    #[test]
    fn what_is_no_whole_object_is_none() {
        let deep = format!("{{a: {}1{}}}", "[ ".repeat(100_000), "]".repeat(100_000));
        for text in [
            "",
            "{",
            "{ a }",
            "{ a: 1",
            "{ a: }",
            "{ a: 'x }",
            "{ a: 1 b: 2 }",
            "[ 1 ]",
            "{} {}",
            "{ a: '\\x' }",
            deep.as_str(),
        ] {
            assert_eq!(json(text), None, "{}", &text[..text.len().min(40)]);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), like in "[{}\\[\\]'\"`:,.+ a0\\\\nx\n]{0,60}") {
            json(&text);
            json(&like);
            json(&format!("{{ a: {like} }}"));
        }
    }
}

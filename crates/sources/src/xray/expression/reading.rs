//! The parser. Depth and length are bounded, so input cannot exhaust stack or time.

use super::{AnnotationTest, Comparison, Flag, MAX_LENGTH, Named, Node, Number, Problem, Text, TextTest};
use crate::text::clip;

/// Maximum nesting of parentheses and negations.
const DEEPEST: usize = 32;

pub(super) fn read(text: &str) -> Result<Option<Node>, Problem> {
    if text.len() > MAX_LENGTH {
        return Err(Problem::Wrong { at: MAX_LENGTH, why: format!("it is longer than {MAX_LENGTH} characters") });
    }
    let mut reader = Reader { tokens: tokens(text)?, next: 0, depth: 0, inside: false };
    if reader.peek() == &Token::End {
        return Ok(None);
    }
    let node = reader.any()?;
    match reader.peek() {
        Token::End => Ok(Some(node)),
        _ => Err(reader.wrong("AND, OR or the end of the expression")),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// Letters, digits, dots, underscores, hyphens, and what follows in brackets.
    Word(String),
    Quoted(String),
    Sign(&'static str),
    End,
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Problem> {
    const SIGNS: [&str; 14] = ["!=", "<=", ">=", "=", "<", ">", "!", "(", ")", "{", "}", ",", ":", "#"];
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let at = i + 1;
        let c = chars[i];
        if c.is_whitespace() {
            i += 1;
        } else if c == '"' || c == '\'' {
            let mut said = String::new();
            i += 1;
            loop {
                match chars.get(i) {
                    None => {
                        return Err(Problem::Wrong {
                            at,
                            why: format!("the string that begins with {c} is not closed"),
                        });
                    }
                    Some('\\') if chars.get(i + 1).is_some_and(|next| *next == c || *next == '\\') => {
                        said.push(chars[i + 1]);
                        i += 2;
                    }
                    Some(end) if *end == c => break,
                    Some(other) => {
                        said.push(*other);
                        i += 1;
                    }
                }
            }
            i += 1;
            tokens.push((at, Token::Quoted(said)));
        } else if is_word(c) {
            let start = i;
            while chars.get(i).is_some_and(|c| is_word(*c)) {
                i += 1;
            }
            let mut word: String = chars[start..i].iter().collect();
            if chars.get(i) == Some(&'[') {
                let Some(length) = chars[i..].iter().position(|c| *c == ']') else {
                    return Err(Problem::Wrong { at: i + 1, why: "[ has no ]".to_owned() });
                };
                let key: String = chars[i + 1..i + length].iter().collect();
                word = format!("{word}[{}", key.trim().trim_matches(['"', '\'']));
                i += length + 1;
            }
            tokens.push((at, Token::Word(word)));
        } else {
            let rest: String = chars[i..chars.len().min(i + 2)].iter().collect();
            let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) else {
                return Err(Problem::Wrong { at, why: format!("unexpected {c:?}") });
            };
            i += sign.len();
            tokens.push((at, Token::Sign(sign)));
        }
    }
    tokens.push((chars.len() + 1, Token::End));
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '*' | '$' | '@')
}

struct Reader {
    /// With their positions, from 1; the last is [`Token::End`].
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
    /// Whether this is inside the braces of a service or an edge.
    inside: bool,
}

impl Reader {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(1, |(at, _)| *at)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn wrong(&self, expected: &str) -> Problem {
        let found = match self.peek() {
            Token::End => "it ends".to_owned(),
            Token::Word(word) => format!("there is {:?}", clip(word)),
            Token::Quoted(text) => format!("there is the text {:?}", clip(text)),
            Token::Sign(sign) => format!("there is {sign:?}"),
        };
        Problem::Wrong { at: self.at(), why: format!("expected {expected}, and {found}") }
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn is_word(&self, wanted: &str) -> bool {
        matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(wanted))
    }

    fn expect(&mut self, sign: &str) -> Result<(), Problem> {
        if !self.is_sign(sign) {
            return Err(self.wrong(&format!("{sign:?}")));
        }
        self.next += 1;
        Ok(())
    }

    fn any(&mut self) -> Result<Node, Problem> {
        let mut nodes = vec![self.all()?];
        while self.is_word("or") {
            self.next += 1;
            nodes.push(self.all()?);
        }
        Ok(one_or(nodes, Node::Any))
    }

    fn all(&mut self) -> Result<Node, Problem> {
        let mut nodes = vec![self.one()?];
        while self.is_word("and") {
            self.next += 1;
            nodes.push(self.one()?);
        }
        Ok(one_or(nodes, Node::All))
    }

    fn one(&mut self) -> Result<Node, Problem> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Problem::Wrong { at: self.at(), why: format!("nested more than {DEEPEST} levels deep") });
        }
        let node = self.one_at_depth();
        self.depth -= 1;
        node
    }

    fn one_at_depth(&mut self) -> Result<Node, Problem> {
        if self.is_sign("!") || self.is_word("not") {
            self.next += 1;
            return Ok(Node::Not(Box::new(self.one()?)));
        }
        if self.is_sign("(") {
            self.next += 1;
            let node = self.any()?;
            self.expect(")")?;
            return Ok(node);
        }
        let at = self.at();
        let Token::Word(word) = self.peek().clone() else {
            return Err(self.wrong("a keyword such as fault, http.url or service(\"name\")"));
        };
        self.next += 1;
        self.keyword(&word, at)
    }

    fn keyword(&mut self, word: &str, at: usize) -> Result<Node, Problem> {
        let lower = word.to_ascii_lowercase();
        let annotation = ["annotation.", "annotation["].iter().find_map(|prefix| match lower.starts_with(prefix) {
            true => word.get(prefix.len()..),
            false => None,
        });
        if let Some(key) = annotation {
            return self.annotation(key, at);
        }
        let flag = |flag| Ok(Node::Flag(flag));
        let found = match lower.as_str() {
            "ok" => flag(Flag::Ok),
            "error" => flag(Flag::Error),
            "throttle" => flag(Flag::Throttle),
            "fault" => flag(Flag::Fault),
            "partial" => flag(Flag::Partial),
            "inferred" => flag(Flag::Inferred),
            "root" => flag(Flag::Root),
            "responsetime" => return self.number(Number::ResponseTime),
            "duration" => return self.number(Number::Duration),
            "http.status" => return self.number(Number::HttpStatus),
            "http.url" => return self.text(Text::Url),
            "http.method" => return self.text(Text::Method),
            "http.useragent" => return self.text(Text::UserAgent),
            "http.clientip" => return self.text(Text::ClientIp),
            "user" => return self.text(Text::User),
            "name" => return self.text(Text::Name),
            "type" => return self.text(Text::Type),
            "message" => return self.text(Text::Message),
            "availabilityzone" => return self.text(Text::Zone),
            "instance.id" => return self.text(Text::Instance),
            "resource.arn" => return self.text(Text::Resource),
            "service" => return self.service(at),
            "edge" => return self.edge(at),
            "group.name" | "group.arn" => return self.group(at),
            "index" | "coverage" | "first" | "last" | "remote" | "account.id" => {
                Err("it is about root causes; use service(\"name\") { fault } instead")
            }
            "id" => Err("it is only allowed within service(…) and edge(…)"),
            "rootcause" => Err("root causes are not computed here"),
            cause if cause.starts_with("rootcause.") => Err("root causes are not computed here"),
            _ => {
                let why = format!(
                    "{:?} is not a keyword; keywords are ok, error, fault, throttle, partial, responsetime, duration, http.status, \
                     http.url, http.method, user, annotation.KEY, service(\"name\"), edge(\"a\", \"b\") and group.name",
                    clip(word)
                );
                return Err(Problem::Wrong { at, why });
            }
        };
        let node = found.map_err(|why: &str| Problem::Unsupported { at, word: clip(word), why: why.to_owned() })?;
        // `fault`, `fault = true`, `fault != false`
        match self.peek() {
            Token::Sign(sign @ ("=" | "!=")) => {
                let negated = *sign == "!=";
                self.next += 1;
                let value = self.flag_value()?;
                Ok(if value == negated { Node::Not(Box::new(node)) } else { node })
            }
            _ => Ok(node),
        }
    }

    fn flag_value(&mut self) -> Result<bool, Problem> {
        let value = match (self.is_word("true"), self.is_word("false")) {
            (true, _) => true,
            (_, true) => false,
            _ => return Err(self.wrong("true or false")),
        };
        self.next += 1;
        Ok(value)
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let comparison = match self.peek() {
            Token::Sign("=") => Comparison::Equal,
            Token::Sign("!=") => Comparison::Unequal,
            Token::Sign("<") => Comparison::Less,
            Token::Sign("<=") => Comparison::LessOrEqual,
            Token::Sign(">") => Comparison::Greater,
            Token::Sign(">=") => Comparison::GreaterOrEqual,
            _ => return None,
        };
        self.next += 1;
        Some(comparison)
    }

    fn number_value(&mut self) -> Result<f64, Problem> {
        let value = match self.peek() {
            Token::Word(word) => word.parse::<f64>().ok().filter(|number| number.is_finite()),
            _ => None,
        };
        let value = value.ok_or_else(|| self.wrong("a number"))?;
        self.next += 1;
        Ok(value)
    }

    fn number(&mut self, number: Number) -> Result<Node, Problem> {
        let comparison = self.comparison().ok_or_else(|| self.wrong("one of = != < <= > >="))?;
        Ok(Node::Number(number, comparison, self.number_value()?))
    }

    fn text_test(&mut self) -> Option<TextTest> {
        let test = match self.peek() {
            Token::Sign("=") => TextTest::Equal,
            Token::Sign("!=") => TextTest::Unequal,
            Token::Word(word) if word.eq_ignore_ascii_case("contains") => TextTest::Contains,
            Token::Word(word) if word.eq_ignore_ascii_case("beginswith") => TextTest::BeginsWith,
            Token::Word(word) if word.eq_ignore_ascii_case("endswith") => TextTest::EndsWith,
            _ => return None,
        };
        self.next += 1;
        Some(test)
    }

    fn quoted(&mut self) -> Result<String, Problem> {
        match self.peek() {
            Token::Quoted(text) => {
                let text = text.clone();
                self.next += 1;
                Ok(text)
            }
            _ => Err(self.wrong("a quoted string")),
        }
    }

    fn text(&mut self, text: Text) -> Result<Node, Problem> {
        let test = self.text_test().ok_or_else(|| self.wrong("one of = != CONTAINS BEGINSWITH ENDSWITH"))?;
        Ok(Node::Text(text, test, self.quoted()?))
    }

    fn annotation(&mut self, key: &str, at: usize) -> Result<Node, Problem> {
        if self.inside {
            let why = "annotations belong to the whole trace; use them outside of service(…) and edge(…)".to_owned();
            return Err(Problem::Unsupported { at, word: "annotation".to_owned(), why });
        }
        if key.is_empty() {
            return Err(Problem::Wrong { at, why: "expected the annotation's key: annotation.handle".to_owned() });
        }
        let key = key.to_owned();
        let before = self.next;
        if let Some(test) = self.text_test() {
            if let Token::Quoted(_) = self.peek() {
                return Ok(Node::Annotation(key, AnnotationTest::Text(test, self.quoted()?)));
            }
            if matches!(test, TextTest::Equal | TextTest::Unequal) && (self.is_word("true") || self.is_word("false")) {
                let value = self.flag_value()? == (test == TextTest::Equal);
                return Ok(Node::Annotation(key, AnnotationTest::Flag(value)));
            }
            if !matches!(test, TextTest::Equal | TextTest::Unequal) {
                return Err(self.wrong("a quoted string"));
            }
            self.next = before;
        }
        match self.comparison() {
            Some(comparison) => match self.number_value() {
                Ok(number) => Ok(Node::Annotation(key, AnnotationTest::Number(comparison, number))),
                Err(_) => Err(self.wrong("a number, true, false or a quoted string")),
            },
            None => Ok(Node::Annotated(key)),
        }
    }

    fn outside(&self, word: &str, at: usize) -> Result<(), Problem> {
        match self.inside {
            true => {
                Err(Problem::Wrong { at, why: format!("{word} is not allowed within the braces of a service or edge") })
            }
            false => Ok(()),
        }
    }

    fn service(&mut self, at: usize) -> Result<Node, Problem> {
        self.outside("service", at)?;
        self.expect("(")?;
        let named = match self.is_sign(")") {
            true => Named::default(),
            false => self.named()?,
        };
        self.expect(")")?;
        Ok(Node::Service(named, self.braces()?))
    }

    fn edge(&mut self, at: usize) -> Result<Node, Problem> {
        self.outside("edge", at)?;
        self.expect("(")?;
        if self.is_sign(")") {
            self.next += 1;
            return Ok(Node::Edge(Named::default(), Named::default(), self.braces()?));
        }
        let from = self.named()?;
        self.expect(",")?;
        let to = self.named()?;
        self.expect(")")?;
        Ok(Node::Edge(from, to, self.braces()?))
    }

    /// `"name"`, or `id(name: "name", type: "AWS::ECS::Container")`.
    fn named(&mut self) -> Result<Named, Problem> {
        if let Token::Quoted(_) = self.peek() {
            return Ok(Named { name: Some(self.quoted()?), kind: None });
        }
        if !self.is_word("id") {
            return Err(self.wrong("a service's name in quotes, or id(name: \"…\")"));
        }
        self.next += 1;
        self.expect("(")?;
        let mut named = Named::default();
        while !self.is_sign(")") {
            let at = self.at();
            let part = self.take();
            self.expect(":")?;
            let value = self.quoted()?;
            match part {
                Token::Word(word) if word.eq_ignore_ascii_case("name") => named.name = Some(value),
                Token::Word(word) if word.eq_ignore_ascii_case("type") => named.kind = Some(value),
                // There is only one account here.
                Token::Word(word) if word.eq_ignore_ascii_case("account.id") => {}
                _ => return Err(Problem::Wrong { at, why: "expected name, type or account.id".to_owned() }),
            }
            if !self.is_sign(")") {
                self.expect(",")?;
            }
        }
        self.expect(")")?;
        Ok(named)
    }

    fn braces(&mut self) -> Result<Option<Box<Node>>, Problem> {
        if !self.is_sign("{") {
            return Ok(None);
        }
        self.next += 1;
        if self.is_sign("}") {
            self.next += 1;
            return Ok(None);
        }
        self.inside = true;
        let node = self.any();
        self.inside = false;
        let node = node?;
        self.expect("}")?;
        Ok(Some(Box::new(node)))
    }

    fn group(&mut self, at: usize) -> Result<Node, Problem> {
        self.outside("group", at)?;
        let test = self.text_test();
        let name = match test {
            Some(TextTest::Equal | TextTest::Unequal) => self.quoted()?,
            _ => return Err(self.wrong("= or != and the group's name in quotes")),
        };
        let name = name.split_once(":group/").map_or(name.as_str(), |(_, name)| name).to_owned();
        let group = Node::Group(name);
        Ok(if test == Some(TextTest::Unequal) { Node::Not(Box::new(group)) } else { group })
    }
}

fn one_or(mut nodes: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    match nodes.len() {
        1 => nodes.remove(0),
        _ => many(nodes),
    }
}

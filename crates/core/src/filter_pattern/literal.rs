//! Comparisons of a property or a field with a value.

use std::cmp::Ordering;
use std::mem;

use regex::Regex;

use super::PatternError;
use super::scan::Scanner;

/// An operator with its right operand.
#[derive(Clone, Debug)]
pub(super) struct Test {
    operator: Operator,
    literal: Literal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

#[derive(Clone, Debug)]
enum Literal {
    /// A number, with its source text.
    Number(Number, String),
    /// A text without quotes, with its source text.
    Word(Glob, String),
    /// A text in quotes.
    Text(Glob),
    Regex(Regex),
}

impl Test {
    /// Reads `= "x*"`, `>= 5`, `!= %re%`, …; blanks before and between are skipped.
    pub(super) fn parse(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        scanner.blanks();
        // Longer operators first: `<` is a prefix of `<=`.
        const OPERATORS: [(&str, Operator); 6] = [
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let Some((_, operator)) = OPERATORS.into_iter().find(|(sign, _)| scanner.eat(sign)) else {
            let words = format!("expected a comparison (= != < > <= >=), found {}", scanner.shown());
            return Err(scanner.fail(words));
        };
        scanner.blanks();
        let place = scanner.place();
        let literal = match scanner.peek() {
            Some('"') => Literal::Text(Glob::quoted(scanner.quoted('"')?)),
            Some('%') => Literal::Regex(scanner.regex()?),
            Some('=') => return Err(scanner.fail("one = is enough")),
            _ => {
                let word = scanner.take(|c| c.is_alphanumeric() || "_-+.:/*@#".contains(c));
                match (word, Number::parse(word)) {
                    ("", _) => {
                        let words = format!("expected a number or a text in quotes, found {}", scanner.shown());
                        return Err(scanner.fail(words));
                    }
                    (_, Some(number)) => Literal::Number(number, word.to_owned()),
                    (_, None) => Literal::Word(Glob::plain(word), word.to_owned()),
                }
            }
        };
        let ordering = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if ordering && !matches!(literal, Literal::Number(..)) {
            return Err(scanner.fail_at(place, "< > <= >= compare numbers; write one here, without quotes"));
        }
        Ok(Self { operator, literal })
    }

    /// A test for equality with a word, in which `*` is anything.
    pub(super) fn equal(word: &str) -> Self {
        Self { operator: Operator::Equal, literal: Literal::Word(Glob::plain(word), word.to_owned()) }
    }

    /// Whether the right side is this word, without quotes.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.literal, Literal::Word(_, written) if written == word)
    }

    /// Whether a text that may be a number matches.
    pub(super) fn passes(&self, text: &str) -> bool {
        let number = match &self.literal {
            Literal::Number(wanted, _) => Number::parse(text).map(|found| found.compare(*wanted)),
            Literal::Word(..) | Literal::Text(_) | Literal::Regex(_) => None,
        };
        match self.operator {
            Operator::Equal => number.map_or_else(|| self.reads(text), |order| order == Some(Ordering::Equal)),
            Operator::NotEqual => number.map_or_else(|| !self.reads(text), |order| order != Some(Ordering::Equal)),
            operator => number.flatten().is_some_and(|order| operator.allows(order)),
        }
    }

    /// Whether a text that is not parsed as a number matches.
    pub(super) fn passes_text(&self, text: &str) -> bool {
        match self.operator {
            Operator::Equal => self.reads(text),
            Operator::NotEqual => !self.reads(text),
            _ => false,
        }
    }

    fn reads(&self, text: &str) -> bool {
        match &self.literal {
            Literal::Number(_, written) => written == text,
            Literal::Word(glob, _) | Literal::Text(glob) => glob.matches(text),
            Literal::Regex(regex) => regex.is_match(text),
        }
    }
}

impl Operator {
    fn allows(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::Greater => order.is_gt(),
            Self::LessOrEqual => order.is_le(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
        }
    }
}

/// A number. Integers are exact, since ids have more digits than a double can hold.
#[derive(Clone, Copy, Debug)]
enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        // Rust parses "inf" and "nan" as numbers; in logs they are words.
        if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
            return None;
        }
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        text.parse().ok().filter(|float: &f64| float.is_finite()).map(Self::Float)
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (a, b) => a.float().partial_cmp(&b.float()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "the other side is a double anyway")]
    fn float(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Float(float) => float,
        }
    }
}

/// A text with `*` for anything: the pieces between the stars.
#[derive(Clone, Debug)]
struct Glob(Vec<String>);

impl Glob {
    fn plain(text: &str) -> Self {
        Self(text.split('*').map(str::to_owned).collect())
    }

    /// Parses the text between quotes: `\*` is a star, `\"` a quote, `\\` a backslash; any other backslash is literal.
    fn quoted(inside: &str) -> Self {
        let mut pieces = Vec::new();
        let mut piece = String::new();
        unescape(inside, "*", |c, escaped| match (c, escaped) {
            ('*', false) => pieces.push(mem::take(&mut piece)),
            _ => piece.push(c),
        });
        pieces.push(piece);
        Self(pieces)
    }

    fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
            return false;
        };
        // Matching each piece at the earliest position leaves the most text for the next ones.
        for piece in middle {
            match rest.find(piece.as_str()) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        true
    }
}

/// The text between quotes, unescaped.
pub(super) fn phrase(inside: &str) -> String {
    let mut phrase = String::with_capacity(inside.len());
    unescape(inside, "", |c, _| phrase.push(c));
    phrase
}

/// Calls `each` with every character and whether it was escaped. A backslash before anything but a quote, a
/// backslash or one of `special` is a backslash.
fn unescape(inside: &str, special: &str, mut each: impl FnMut(char, bool)) {
    let mut chars = inside.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(&next) if c == '\\' && ("\"'\\".contains(next) || special.contains(next)) => {
                each(next, true);
                chars.next();
            }
            _ => each(c, false),
        }
    }
}

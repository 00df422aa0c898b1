//! `[ip, user, ..., status = 4*, bytes > 1000]`: conditions on the fields of a message, by position.

use super::expression::Expression;
use super::literal::Test;
use super::scan::Scanner;
use super::{MOST_REGEXES, PatternError};

#[derive(Clone, Debug)]
pub(super) struct Fields(Vec<Item>);

#[derive(Clone, Debug)]
enum Item {
    /// Any number of fields, including none.
    Some,
    /// One field with its condition.
    One(Option<Expression<Test>>),
}

impl Fields {
    pub(super) fn parse(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        let opened = scanner.place();
        scanner.bump();
        scanner.blanks();
        if scanner.eat("]") {
            return Ok(Self(vec![Item::Some]));
        }
        let mut items = Vec::new();
        let mut names: Vec<String> = Vec::new();
        loop {
            scanner.blanks();
            let place = scanner.place();
            if scanner.eat("...") {
                if items.iter().any(|item| matches!(item, Item::Some)) {
                    return Err(scanner.fail_at(place, "a pattern of fields holds at most one ..."));
                }
                items.push(Item::Some);
            } else {
                let Field { name, wanted } = field(scanner)?;
                if !name.is_empty() && names.contains(&name) {
                    return Err(
                        scanner.fail_at(place, format!("another field is {name} already; give each its own name"))
                    );
                }
                names.push(name);
                items.push(Item::One(wanted));
            }
            scanner.blanks();
            if scanner.eat("]") {
                break;
            }
            if !scanner.eat(",") {
                let words = format!("expected , or ] or a comparison, found {}", scanner.shown());
                return Err(scanner.fail(words));
            }
        }
        match scanner.regexes > MOST_REGEXES {
            true => Err(scanner.fail_at(opened, format!("a pattern of fields holds at most {MOST_REGEXES} regexes"))),
            false => Ok(Self(items)),
        }
    }

    pub(super) fn match_message(&self, message: &str) -> bool {
        let Some(some) = self.0.iter().position(|item| matches!(item, Item::Some)) else {
            return self.match_all(message);
        };
        let (before, after) = (&self.0[..some], &self.0[some + 1..]);
        let fields: Vec<&str> = Split::new(message).collect();
        let fits = before.len() + after.len() <= fields.len();
        let holds = |(item, text): (&Item, &&str)| item.passes(text);
        fits && before.iter().zip(&fields).all(holds) && after.iter().rev().zip(fields.iter().rev()).all(holds)
    }

    /// Without `...`, each item has one field, and the last one what is left of the message.
    fn match_all(&self, message: &str) -> bool {
        let [first @ .., last] = self.0.as_slice() else { return true };
        let mut fields = Split::new(message);
        let begins = first.iter().all(|item| fields.next().is_some_and(|text| item.passes(text)));
        begins && fields.all_the_rest().is_some_and(|rest| last.passes(rest))
    }
}

impl Item {
    fn passes(&self, text: &str) -> bool {
        match self {
            Self::Some => true,
            Self::One(wanted) => passes(wanted.as_ref(), text),
        }
    }
}

fn passes(wanted: Option<&Expression<Test>>, text: &str) -> bool {
    wanted.is_none_or(|expression| expression.holds(&|test| test.passes(text)))
}

/// A field of a pattern.
struct Field {
    /// In lower case, since case does not matter; empty if it has none.
    name: String,
    wanted: Option<Expression<Test>>,
}

/// A name, conditions on it, or a condition without a name: `=*.html*`, `4*`.
fn field(scanner: &mut Scanner<'_>) -> Result<Field, PatternError> {
    let place = scanner.place();
    let word = scanner.take(|c| is_name(c) || "*.:/".contains(c));
    scanner.blanks();
    if !word.is_empty() && matches!(scanner.peek(), Some(',' | ']')) {
        if word.contains('*') {
            return Ok(Field { name: String::new(), wanted: Some(Expression::Leaf(Test::equal(word))) });
        }
        if is_field_name(word) {
            return Ok(Field { name: word.to_lowercase(), wanted: None });
        }
    }
    // The name is a part of the first condition.
    scanner.back_to(place);
    let mut own: Option<String> = None;
    let mut condition = |scanner: &mut Scanner<'_>| {
        scanner.blanks();
        let place = scanner.place();
        let name = scanner.take(is_name);
        let nameless = name.is_empty() && matches!(scanner.peek(), Some('=' | '!' | '<' | '>'));
        if !nameless && !is_field_name(name) {
            let words = match name {
                "" => format!("a field's name goes here, or ..., found {}", scanner.shown()),
                _ => format!("a field's name begins with a letter, and {name} does not"),
            };
            return Err(scanner.fail_at(place, words));
        }
        let own = own.get_or_insert_with(|| name.to_lowercase());
        if *own != name.to_lowercase() {
            let words = format!("this field is {own}; conditions on {name} go to its own place in the list");
            return Err(scanner.fail_at(place, words));
        }
        Test::parse(scanner)
    };
    let wanted = Expression::parse(scanner, &mut condition)?;
    Ok(Field { name: own.unwrap_or_default(), wanted: Some(wanted) })
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

fn is_field_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(is_name)
}

/// The fields of a message, separated by blanks. A field in quotes or brackets, which are not part of it, may contain
/// blanks.
struct Split<'a> {
    rest: &'a str,
    /// An unclosed mark is an ordinary character. Each kind is searched once, not once per field.
    unclosed: [bool; 2],
}

impl<'a> Split<'a> {
    fn new(message: &'a str) -> Self {
        Self { rest: message, unclosed: [false; 2] }
    }

    /// What is left, as one field; `None` if nothing is.
    fn all_the_rest(mut self) -> Option<&'a str> {
        let rest = self.rest.trim();
        let first = self.next()?;
        Some(if self.rest.trim().is_empty() { first } else { rest })
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        let marks = match first {
            '"' => Some(('"', 0)),
            '[' => Some((']', 1)),
            _ => None,
        };
        if let Some((mark, which)) = marks
            && !self.unclosed[which]
        {
            match closing(&self.rest[1..], mark) {
                Some(end) => {
                    let (inside, after) = (&self.rest[1..=end], &self.rest[end + 2..]);
                    if after.chars().next().is_none_or(char::is_whitespace) {
                        self.rest = after;
                        return Some(inside);
                    }
                    // `"a",b` and `[INFO]:` extend to the next blank, including the marks.
                    let more = after.find(char::is_whitespace).unwrap_or(after.len());
                    let (field, after) = self.rest.split_at(end + 2 + more);
                    self.rest = after;
                    return Some(field);
                }
                None => self.unclosed[which] = true,
            }
        }
        let (field, after) = self.rest.split_at(self.rest.find(char::is_whitespace).unwrap_or(self.rest.len()));
        self.rest = after;
        Some(field)
    }
}

/// The position of the closing mark; a backslash escapes a quote.
fn closing(text: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == mark && !escaped;
        escaped = mark == '"' && c == '\\' && !escaped;
        closes.then_some(at)
    })
}

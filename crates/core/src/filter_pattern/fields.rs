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
        let mut items = Vec::new();
        loop {
            scanner.blanks();
            match scanner.eat("...") {
                // Two in a row are equivalent to one.
                true if matches!(items.last(), Some(Item::Some)) => {}
                true => items.push(Item::Some),
                false => items.push(Item::One(field(scanner)?)),
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
        let fields: Vec<&str> = match self.0.iter().any(|item| matches!(item, Item::Some)) {
            true => split(message).collect(),
            // One field too many is enough to reject a message.
            false => split(message).take(self.0.len() + 1).collect(),
        };
        // As in globs, only the part after the last `...` is retried, which takes at most items × fields steps.
        let (mut item, mut field) = (0, 0);
        let mut again: Option<(usize, usize)> = None;
        loop {
            match self.0.get(item) {
                None if field == fields.len() => return true,
                Some(Item::Some) => {
                    again = Some((item + 1, field));
                    item += 1;
                    continue;
                }
                Some(Item::One(wanted)) if fields.get(field).is_some_and(|text| passes(wanted.as_ref(), text)) => {
                    item += 1;
                    field += 1;
                    continue;
                }
                None | Some(Item::One(_)) => {}
            }
            match again {
                Some((from, place)) if place < fields.len() => {
                    again = Some((from, place + 1));
                    (item, field) = (from, place + 1);
                }
                _ => return false,
            }
        }
    }
}

fn passes(wanted: Option<&Expression<Test>>, text: &str) -> bool {
    wanted.is_none_or(|expression| expression.holds(&|test| test.passes(text)))
}

/// A name, or conditions on it.
fn field(scanner: &mut Scanner<'_>) -> Result<Option<Expression<Test>>, PatternError> {
    let place = scanner.place();
    let alone = !scanner.take(is_name).is_empty();
    scanner.blanks();
    if alone && matches!(scanner.peek(), Some(',' | ']')) {
        return Ok(None);
    }
    // The name is a part of the first condition.
    scanner.back_to(place);
    let mut own: Option<String> = None;
    let mut condition = |scanner: &mut Scanner<'_>| {
        scanner.blanks();
        let place = scanner.place();
        let name = scanner.take(is_name);
        if name.is_empty() {
            return Err(scanner.fail(format!("a field's name goes here, or ..., found {}", scanner.shown())));
        }
        let own = own.get_or_insert_with(|| name.to_owned());
        if own != name {
            let words = format!("this field is {own}; conditions on {name} go to its own place in the list");
            return Err(scanner.fail_at(place, words));
        }
        Test::parse(scanner)
    };
    Expression::parse(scanner, &mut condition).map(Some)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// The fields of a message, separated by blanks. A field in quotes or brackets, which are not part of it, may contain
/// blanks.
fn split(message: &str) -> impl Iterator<Item = &str> {
    let mut rest = message;
    // An unclosed mark is an ordinary character. Each kind is searched once, not once per field.
    let mut unclosed = [false; 2];
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let marks = match first {
            '"' => Some(('"', 0)),
            '[' => Some((']', 1)),
            _ => None,
        };
        if let Some((mark, which)) = marks
            && !unclosed[which]
        {
            match closing(&rest[1..], mark) {
                Some(end) => {
                    let (inside, after) = (&rest[1..=end], &rest[end + 2..]);
                    if after.chars().next().is_none_or(char::is_whitespace) {
                        rest = after;
                        return Some(inside);
                    }
                    // `"a",b` and `[INFO]:` extend to the next blank, including the marks.
                    let more = after.find(char::is_whitespace).unwrap_or(after.len());
                    let (field, after) = rest.split_at(end + 2 + more);
                    rest = after;
                    return Some(field);
                }
                None => unclosed[which] = true,
            }
        }
        let (field, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        rest = after;
        Some(field)
    })
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

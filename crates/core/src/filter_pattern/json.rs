//! `{ $.a.b[0] = "x*" && … }`: conditions on the properties of a message that is JSON.

use serde_json::Value;

use super::expression::Expression;
use super::literal::{self, Test};
use super::scan::Scanner;
use super::{MOST_REGEXES, MOST_WILDCARDS, MOST_WILDCARDS_OF_ALL, PatternError};

#[derive(Clone, Debug)]
pub(super) struct Condition(Expression<Property>);

/// A property with its condition.
#[derive(Clone, Debug)]
struct Property {
    path: Vec<Step>,
    asked: Asked,
}

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Element(usize),
    /// `[*]`: the elements of a list, or the values of an object.
    Elements,
    /// `.*`: the values of an object.
    Values,
}

#[derive(Clone, Debug)]
enum Asked {
    Compares(Test),
    IsNull,
    Is(bool),
    NotExists,
}

impl Condition {
    pub(super) fn parse(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        let opened = scanner.place();
        scanner.bump();
        let expression = Expression::parse(scanner, &mut Property::parse)?;
        scanner.blanks();
        if !scanner.eat("}") {
            return Err(scanner.fail(format!("expected && or || or }}, found {}", scanner.shown())));
        }
        if scanner.regexes > MOST_REGEXES {
            return Err(scanner.fail_at(opened, format!("a JSON pattern holds at most {MOST_REGEXES} regexes")));
        }
        if scanner.wildcards > MOST_WILDCARDS_OF_ALL {
            let words = format!("a JSON pattern holds at most {MOST_WILDCARDS_OF_ALL} wildcards");
            return Err(scanner.fail_at(opened, words));
        }
        Ok(Self(expression))
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        // Most messages are not JSON, which the first character shows.
        if !message.trim_start().starts_with(['{', '[']) {
            return false;
        }
        match serde_json::from_str::<Value>(message) {
            Ok(json) => self.0.holds(&|property| property.holds(&json)),
            Err(_) => false,
        }
    }
}

impl Property {
    fn parse(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        scanner.blanks();
        if !scanner.eat("$") {
            return Err(scanner.fail(format!("a property begins with $. as in $.name, found {}", scanner.shown())));
        }
        let path = path(scanner)?;
        scanner.blanks();
        let place = scanner.place();
        let asked = if scanner.keyword("IS") {
            scanner.blanks();
            if scanner.keyword("NULL") {
                Asked::IsNull
            } else if scanner.keyword("TRUE") {
                Asked::Is(true)
            } else if scanner.keyword("FALSE") {
                Asked::Is(false)
            } else {
                return Err(scanner.fail("after IS comes NULL, TRUE or FALSE"));
            }
        } else if scanner.keyword("NOT") {
            scanner.blanks();
            match scanner.keyword("EXISTS") {
                true => Asked::NotExists,
                false => return Err(scanner.fail("after NOT comes EXISTS")),
            }
        } else if scanner.keyword("EXISTS") {
            return Err(scanner.fail_at(place, "that a property is there is asked with = *, as in $.name = *"));
        } else {
            let test = Test::parse(scanner)?;
            if test.is_word("null") {
                return Err(scanner.fail_at(place, "null is asked for with IS NULL; the text goes in quotes: \"null\""));
            }
            Asked::Compares(test)
        };
        Ok(Self { path, asked })
    }

    fn holds(&self, json: &Value) -> bool {
        match &self.asked {
            Asked::NotExists => {
                let can_have = json.is_object() || matches!(self.path.first(), Some(Step::Element(_)));
                can_have && !any(json, &self.path, &|_| true)
            }
            Asked::IsNull => any(json, &self.path, &|value| match value {
                Value::Array(elements) => elements.iter().any(Value::is_null),
                value => value.is_null(),
            }),
            Asked::Is(wanted) => any(json, &self.path, &|value| value.as_bool() == Some(*wanted)),
            Asked::Compares(test) => any(json, &self.path, &|value| match value {
                Value::String(text) => test.passes_text(text),
                Value::Number(number) => test.passes(&number.to_string()),
                Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => false,
            }),
        }
    }
}

/// Whether any value at the path matches. Recurses once per wildcard.
fn any(json: &Value, path: &[Step], wanted: &dyn Fn(&Value) -> bool) -> bool {
    let mut value = json;
    for (n, step) in path.iter().enumerate() {
        let next = match step {
            Step::Key(key) => value.get(key),
            Step::Element(index) => value.get(index),
            Step::Elements | Step::Values => {
                let rest = &path[n + 1..];
                return match value {
                    Value::Array(elements) if matches!(step, Step::Elements) => {
                        elements.iter().any(|element| any(element, rest, wanted))
                    }
                    Value::Object(members) => members.values().any(|member| any(member, rest, wanted)),
                    Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
                };
            }
        };
        match next {
            Some(found) => value = found,
            None => return false,
        }
    }
    wanted(value)
}

/// What follows `$`: `.name`, `.*`, `[0]`, `[*]`, `['any name']`, `.['any name']`.
fn path(scanner: &mut Scanner<'_>) -> Result<Vec<Step>, PatternError> {
    let mut path = Vec::new();
    let before = scanner.wildcards;
    loop {
        if scanner.wildcards - before > MOST_WILDCARDS {
            return Err(scanner.fail("a property holds at most one wildcard"));
        }
        let dotted = scanner.eat(".");
        let place = scanner.place();
        if scanner.eat("[") {
            path.push(bracketed(scanner, place)?);
        } else if dotted && scanner.eat("*") {
            scanner.wildcards += 1;
            path.push(Step::Values);
        } else if dotted {
            let name = scanner.take(|c| c.is_alphanumeric() || c == '_' || c == '-');
            if name.is_empty() {
                let words =
                    "a property's name goes here; one that is not letters, digits, _ and - is written $.['the name']";
                return Err(scanner.fail(words));
            }
            path.push(Step::Key(name.to_owned()));
        } else if path.is_empty() {
            return Err(scanner.fail("which property? write $.name or $[0]"));
        } else {
            // `$.a:b = 1`: reported here, where the position is known.
            return match scanner.peek() {
                Some(c) if !c.is_whitespace() && !"=!<>}()&|".contains(c) => {
                    Err(scanner
                        .fail(format!("{c:?} cannot be in a bare property name; write the name as $.['the name']")))
                }
                _ => Ok(path),
            };
        }
    }
}

fn bracketed(scanner: &mut Scanner<'_>, opened: usize) -> Result<Step, PatternError> {
    scanner.blanks();
    let step = match scanner.peek() {
        Some(mark @ ('\'' | '"')) => Step::Key(literal::phrase(scanner.quoted(mark)?)),
        Some('*') => {
            scanner.bump();
            scanner.wildcards += 1;
            Step::Elements
        }
        _ => match scanner.take(|c| c.is_ascii_digit()).parse() {
            Ok(index) => Step::Element(index),
            Err(_) => {
                return Err(
                    scanner.fail_at(opened, "in brackets goes a position, * or a name in quotes: [0], [*], ['name']")
                );
            }
        },
    };
    scanner.blanks();
    match scanner.eat("]") {
        true => Ok(step),
        false => Err(scanner.fail(format!("expected ], found {}", scanner.shown()))),
    }
}

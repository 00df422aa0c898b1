//! `{ $.a.b[0] = "x*" && … }`: conditions on the properties of a message that is JSON.

use serde_json::Value;

use super::expression::Expression;
use super::literal::{self, Test};
use super::scan::Scanner;
use super::{MOST_REGEXES, PatternError};

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
    Elements,
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
        match scanner.regexes > MOST_REGEXES {
            true => Err(scanner.fail_at(opened, format!("a JSON pattern holds at most {MOST_REGEXES} regexes"))),
            false => Ok(Self(expression)),
        }
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
            Asked::Compares(Test::parse(scanner)?)
        };
        Ok(Self { path, asked })
    }

    fn holds(&self, json: &Value) -> bool {
        match &self.asked {
            Asked::NotExists => !any(json, &self.path, &|_| true),
            Asked::IsNull => any(json, &self.path, &Value::is_null),
            Asked::Is(wanted) => any(json, &self.path, &|value| value.as_bool() == Some(*wanted)),
            Asked::Compares(test) => any(json, &self.path, &|value| match value {
                Value::String(text) => test.passes_text(text),
                Value::Number(number) => test.passes(&number.to_string()),
                Value::Bool(flag) => test.passes_text(if *flag { "true" } else { "false" }),
                Value::Null | Value::Array(_) | Value::Object(_) => false,
            }),
        }
    }
}

/// Whether any value at the path matches. Recurses once per `[*]`, so at most as deep as the JSON parser did.
fn any(json: &Value, path: &[Step], wanted: &dyn Fn(&Value) -> bool) -> bool {
    let mut value = json;
    for (n, step) in path.iter().enumerate() {
        let next = match step {
            Step::Key(key) => value.get(key),
            Step::Element(index) => value.get(index),
            Step::Elements => {
                let elements = value.as_array().map_or(&[][..], Vec::as_slice);
                return elements.iter().any(|element| any(element, &path[n + 1..], wanted));
            }
        };
        match next {
            Some(found) => value = found,
            None => return false,
        }
    }
    wanted(value)
}

/// What follows `$`: `.name`, `[0]`, `[*]`, `['any name']`, `.['any name']`.
fn path(scanner: &mut Scanner<'_>) -> Result<Vec<Step>, PatternError> {
    let mut path = Vec::new();
    loop {
        let dotted = scanner.eat(".");
        let place = scanner.place();
        if scanner.eat("[") {
            path.push(bracketed(scanner, place)?);
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

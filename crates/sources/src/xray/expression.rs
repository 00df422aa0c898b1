//! X-Ray's filter expressions, as far as they can be evaluated for local traces: `service("backend-flask") { fault }`,
//! `responsetime > 5 AND http.url CONTAINS "/api/"`, `annotation.handle = "andrewbrown"`.

mod matching;
mod reading;

use std::collections::BTreeMap;

pub use matching::Subject;
pub(crate) use matching::{CLIENT_IP, INSTANCE, RESOURCE, USER, USER_AGENT, ZONE, first, type_of, url};

pub const MAX_LENGTH: usize = 2000;

/// Why an expression is not evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A syntax error.
    #[error("Invalid filter expression at character {at}: {why}")]
    Wrong {
        /// From 1.
        at: usize,
        /// What was expected.
        why: String,
    },
    /// X-Ray supports it, but a local trace cannot answer it.
    #[error("The filter expression's {word:?} at character {at} is not evaluated here: {why}")]
    Unsupported {
        /// From 1.
        at: usize,
        word: String,
        /// What to write instead.
        why: String,
    },
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expression {
    root: Option<Node>,
}

/// The expressions of groups, by name, for `group.name = "…"`.
pub type Groups = BTreeMap<String, Expression>;

impl Expression {
    /// Reads an expression; an empty one matches everything.
    ///
    /// # Errors
    /// A [`Problem`] with the position.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        reading::read(text).map(|root| Self { root })
    }

    /// The groups that it names.
    pub fn groups(&self) -> Vec<&str> {
        let mut names = Vec::new();
        let mut stack: Vec<&Node> = self.root.iter().collect();
        while let Some(node) = stack.pop() {
            match node {
                Node::All(nodes) | Node::Any(nodes) => stack.extend(nodes),
                Node::Not(node) => stack.push(node),
                Node::Group(name) if !names.contains(&name.as_str()) => names.push(name),
                _ => {}
            }
        }
        names
    }

    /// Whether it matches a trace. A group that is not among `groups`, and one within a group, matches nothing.
    pub fn matches(&self, subject: &Subject<'_>, groups: &Groups) -> bool {
        self.root.as_ref().is_none_or(|root| subject.is(root, Some(groups)))
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Flag(Flag),
    Number(Number, Comparison, f64),
    Text(Text, TextTest, String),
    /// The annotation exists.
    Annotated(String),
    Annotation(String, AnnotationTest),
    /// `service("n") {…}`
    Service(Named, Option<Box<Node>>),
    /// `edge("a", "b") {…}`
    Edge(Named, Named, Option<Box<Node>>),
    Group(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flag {
    Ok,
    Error,
    Throttle,
    Fault,
    Partial,
    Inferred,
    Root,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    ResponseTime,
    Duration,
    HttpStatus,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Text {
    Url,
    Method,
    UserAgent,
    ClientIp,
    User,
    Name,
    Type,
    Message,
    Zone,
    Instance,
    Resource,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum TextTest {
    Equal,
    Unequal,
    Contains,
    BeginsWith,
    EndsWith,
}

#[derive(Clone, Debug, PartialEq)]
enum AnnotationTest {
    Text(TextTest, String),
    Number(Comparison, f64),
    Flag(bool),
}

/// Selects services; without any field, all.
#[derive(Clone, Debug, Default, PartialEq)]
struct Named {
    name: Option<String>,
    kind: Option<String>,
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl TextTest {
    fn holds(self, text: &str, wanted: &str) -> bool {
        match self {
            Self::Equal => text == wanted,
            Self::Unequal => text != wanted,
            Self::Contains => text.contains(wanted),
            Self::BeginsWith => text.starts_with(wanted),
            Self::EndsWith => text.ends_with(wanted),
        }
    }
}

#[cfg(test)]
mod tests;

//! Errors as in Rollbar: occurrences grouped into items.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::console::short_name;
use crate::content::Content;
use crate::level::LogLevel;
use crate::text::grouped;
use crate::time::Nanos;
use crate::value::Attribute;

/// The severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Detail for debugging.
    Debug,
    /// A message's default.
    Info,
    /// Rollbar's lists hide it by default.
    Warning,
    /// An exception's default.
    #[default]
    Error,
    /// Needs immediate attention.
    Critical,
}

impl Level {
    /// The word in payloads and lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warning => Self::Warn,
            Level::Error => Self::Error,
            Level::Critical => Self::Fatal,
        }
    }
}

/// One line of a stack. Rollbar's order: oldest first, the most recent call last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct CodeFrame {
    pub filename: String,
    /// The line in it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub lineno: Option<u32>,
    /// The column in that line, as the SDK counts: JavaScript's from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub colno: Option<u32>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub method: String,
    /// The line's code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub code: String,
    /// The lines of code before that line, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub pre: Vec<String>,
    /// The lines of code after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub post: Vec<String>,
    /// The function's arguments in order; `*rest` and `**named` are the variadic ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub args: Vec<Attribute>,
    /// Local variables other than arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub locals: Vec<Attribute>,
}

/// One exception of a chain; the outermost comes first, its cause after it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct ErrorTrace {
    pub class: String,
    pub message: String,
    /// Its frames, oldest first.
    pub frames: Vec<CodeFrame>,
}

/// The affected person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Person {
    /// Required by Rollbar.
    pub id: String,
    /// Sent only if the SDK is configured to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub username: Option<String>,
    /// Sent only if the SDK is configured to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub email: Option<String>,
}

/// One occurrence of an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Occurrence {
    /// `data.uuid`, or one derived from the payload.
    pub uuid: String,
    /// The item it is grouped into: a hash of its fingerprint.
    pub item: String,
    /// `TypeError: the view function did not return a valid response`, or the message.
    pub title: String,
    pub level: Level,
    /// The time, in whole seconds as in Rollbar.
    pub timestamp: Nanos,
    /// `development`, …
    pub environment: String,
    /// The route or function.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub context: String,
    /// The exceptions, outermost first; empty for a message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub traces: Vec<ErrorTrace>,
    /// A message's text; empty for an exception.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub message: String,
    /// The affected person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub person: Option<Person>,
    /// The request, flattened: `method`, `url`, `headers.User-Agent`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub request: Vec<Attribute>,
    /// Custom data, flattened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub custom: Vec<Attribute>,
    /// Everything else that was sent, flattened: server, notifier, language, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub other: Vec<Attribute>,
    /// What was truncated, as text for display.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

/// One of an item's other occurrences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OccurrenceRow {
    /// Its `data.uuid`.
    pub uuid: String,
    pub timestamp: Nanos,
    /// The affected person: username, else e-mail, else id; empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub person: String,
}

/// A property in which the occurrences of an item differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Varied {
    /// Its name for display: `Message`, `Person`, `Request`, …
    pub name: String,
    /// The most frequent values first; of equally frequent ones, the newest first.
    pub values: Vec<VariedValue>,
    /// The number of other values.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub more: u32,
}

/// A value and the occurrences that have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct VariedValue {
    /// Empty: those occurrences do not state it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub value: String,
    pub occurrences: u32,
}

/// An item: occurrences of one error, as evidence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct ErrorItem {
    /// Its id: a hash of its fingerprint.
    pub item: String,
    /// The latest occurrence's title.
    pub title: String,
    /// The worst level of any occurrence.
    pub level: Level,
    /// The number of occurrences that telemetry holds.
    pub occurrences: u32,
    /// The first occurrence.
    pub first: Nanos,
    /// The last occurrence.
    pub last: Nanos,
    /// `development`, …
    pub environment: String,
    /// The number of different people affected; 0 if no occurrence names one.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub people: u32,
    /// The occurrence that is shown in full: the latest, or the requested one.
    pub occurrence: Occurrence,
    /// The others, newest first, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub others: Vec<OccurrenceRow>,
    /// In what the occurrence and the listed others differ, from [`crate::variation`]. Evidence of earlier versions
    /// has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub varies: Vec<Varied>,
}

/// An item in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ErrorRow {
    /// Its id: what `capture error ID` takes.
    pub id: String,
    /// The latest occurrence's title.
    pub title: String,
    /// `error`, `critical`, …
    pub level: String,
    /// The number of occurrences.
    pub occurrences: u32,
    /// The last time, RFC 3339.
    pub last: String,
    /// `development`, …
    pub environment: String,
    /// The person affected by the latest occurrence; null if unknown.
    pub person: Option<String>,
    /// How far the sender's clock is ahead of this machine's, or behind if negative, in milliseconds; only where that
    /// is more than usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub skew_ms: Option<i64>,
}

impl Person {
    /// What lists show: username, else e-mail, else id.
    pub fn label(&self) -> &str {
        let said = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.is_empty());
        match (said(&self.username), said(&self.email)) {
            (true, _) => self.username.as_deref().unwrap_or_default(),
            (false, true) => self.email.as_deref().unwrap_or_default(),
            (false, false) => &self.id,
        }
    }
}

impl std::str::FromStr for Level {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Debug, Self::Info, Self::Warning, Self::Error, Self::Critical]
            .into_iter()
            .find(|level| level.word() == text)
            .ok_or(())
    }
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// The protocol of errors, as text for display.
pub(crate) const PROTOCOL: &str = "Rollbar's item API";

impl Content for ErrorItem {
    fn title(&self) -> String {
        let times = match self.occurrences {
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            n => format!("{} times", grouped(n as usize)),
        };
        format!("{}: {}, {times}", self.level.word(), short_name(&self.title))
    }

    fn range(&self) -> (Nanos, Nanos) {
        (self.first, self.last)
    }

    fn via(&self) -> BTreeSet<&'static str> {
        BTreeSet::from([PROTOCOL])
    }
}

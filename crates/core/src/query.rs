//! The result of a query: rows and columns from the source.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::console::short_name;
use crate::content::Content;
use crate::text::count;
use crate::time::Nanos;
use crate::value::Attribute;

/// Which language a query is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum QueryLanguage {
    /// CloudWatch Logs Insights' own.
    #[default]
    Insights,
    /// Honeycomb's query specification, JSON.
    Honeycomb,
}

impl QueryLanguage {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Insights => "Logs Insights",
            Self::Honeycomb => "Honeycomb",
        }
    }
}

/// A query with its result, as evidence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct QueryResult {
    /// Which language.
    pub language: QueryLanguage,
    /// The name under which it is saved; empty if it is not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub name: String,
    /// The query as it was asked.
    pub query: String,
    /// Log groups or datasets that were asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub groups: Vec<String>,
    /// The first moment that was asked for.
    pub start: Nanos,
    /// The last.
    pub end: Nanos,
    /// The columns' names, in the order of the answer.
    pub columns: Vec<String>,
    /// The rows, each with a cell a column; a field that a row does not have is empty.
    pub rows: Vec<Vec<String>>,
    /// How many more rows the source had.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub more: u32,
    /// What the source says of its work: `recordsMatched`, `bytesScanned`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub statistics: Vec<Attribute>,
    /// Notes for the reader.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

impl QueryResult {
    /// What it is called: its name, else its first line.
    pub fn label(&self) -> &str {
        match self.name.trim() {
            "" => self.query.trim().lines().next().unwrap_or_default(),
            name => name,
        }
    }

    /// Whether a column holds nothing but numbers, so that it is set to the right.
    pub fn is_numeric(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty()).peekable();
        cells.peek().is_some() && cells.all(|cell| cell.len() < 40 && cell.parse::<f64>().is_ok_and(f64::is_finite))
    }
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Content for QueryResult {
    fn title(&self) -> String {
        let rows = count(self.rows.len(), "row");
        format!("{} query {}, {rows}", self.language.name(), short_name(self.label()))
    }

    fn range(&self) -> (Nanos, Nanos) {
        (self.start, self.end)
    }

    fn via(&self) -> BTreeSet<&'static str> {
        BTreeSet::from([self.language.name()])
    }

    fn why_no_raw(&self) -> &'static str {
        "Nothing else was received: `evidence show` without --raw shows the whole answer"
    }
}

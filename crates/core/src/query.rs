//! The result of a query: rows and columns from the source.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::console::short_name;
use crate::content::Content;
use crate::text::count;
use crate::time::Nanos;
use crate::value::Attribute;

/// The language of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum QueryLanguage {
    /// The query language of CloudWatch Logs Insights.
    #[default]
    Insights,
    /// Honeycomb's query specification, JSON.
    Honeycomb,
}

impl QueryLanguage {
    /// Its name for display.
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
    /// Its language.
    pub language: QueryLanguage,
    /// The name under which it is saved; empty if it is not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub name: String,
    /// The text of the query.
    pub query: String,
    /// The queried log groups or datasets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub groups: Vec<String>,
    /// The start of the time range.
    pub start: Nanos,
    /// The end of the time range.
    pub end: Nanos,
    /// The names of the columns, in the order of the result.
    pub columns: Vec<String>,
    /// The rows, with one cell per column; missing fields are empty.
    pub rows: Vec<Vec<String>>,
    /// The number of rows that were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub more: u32,
    /// The source's statistics: `recordsMatched`, `bytesScanned`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub statistics: Vec<Attribute>,
    /// Notes for the reader.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub notes: Vec<String>,
}

impl QueryResult {
    /// Its name, else its first line.
    pub fn label(&self) -> &str {
        match self.name.trim() {
            "" => self.query.trim().lines().next().unwrap_or_default(),
            name => name,
        }
    }

    /// Whether a column contains only numbers, and so is right-aligned.
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

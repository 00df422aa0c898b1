//! Honeycomb's query specification: a JSON object.
//!
//! Source: `docs.honeycomb.io/api/query-specification`; names as in the official client,
//! `github.com/honeycombio/terraform-provider-honeycombio` (`client/query_spec.go`).

use serde_json::{Map, Value as Json};
use tracebook_core::time::Nanos;

use crate::cloud::{Fault, Range, SourceError};
use crate::text::clip;

/// Examples of specifications, with what each finds.
pub const FORMS: &[(&str, &str)] = &[
    (r#"{"calculations": [{"op": "COUNT"}]}"#, "the number of events; the default without calculations"),
    (
        r#"{"calculations": [{"op": "P99", "column": "duration_ms"}]}"#,
        "an aggregate of a column: SUM, AVG, MIN, MAX, COUNT_DISTINCT, P50, P90, P99, …",
    ),
    (r#"{"breakdowns": ["http.route"]}"#, "one row per value of a column"),
    (r#"{"filters": [{"column": "http.status_code", "op": ">=", "value": 500}]}"#, "only such events"),
    (
        r#"{"filters": [{"column": "trace.parent_id", "op": "does-not-exist"}]}"#,
        "only root spans; other operators: exists, contains, starts-with, in, =, !=, <, …",
    ),
    (r#"{"filter_combination": "OR", "filters": []}"#, "any filter may match; by default all must"),
    (
        r#"{"orders": [{"op": "COUNT", "order": "descending"}]}"#,
        "the order; must refer to a calculation or a breakdown",
    ),
    (r#"{"having": [{"calculate_op": "COUNT", "op": ">", "value": 10}]}"#, "only rows with such a value"),
    (r#"{"time_range": 3600}"#, "the last N seconds, at most seven days; by default two hours"),
];

/// The valid members of a specification.
const MEMBERS: &[&str] = &[
    "breakdowns",
    "calculated_fields",
    "calculations",
    "compare_time_offset_seconds",
    "end_time",
    "filter_combination",
    "filters",
    "formulas",
    "granularity",
    "having",
    "havings",
    "limit",
    "orders",
    "start_time",
    "time_range",
];

/// The longest range of Honeycomb's Query Data API, in seconds.
const MAX_SECONDS: i64 = 7 * 24 * 3600;

/// Without any time Honeycomb uses the last two hours.
const USUAL: i64 = 2 * 3600;

const SECOND: i64 = 1_000_000_000;

/// A validated query specification.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spec(Map<String, Json>);

impl Spec {
    /// Parses a specification; an empty text counts all events.
    ///
    /// # Errors
    /// [`Fault::Invalid`] with the part that is wrong. What only Honeycomb can know, such as the names of columns, it
    /// reports itself.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let json = serde_json::from_str(text).map_err(|e| {
            let hint =
                "Write a JSON object: {\"calculations\": [{\"op\": \"COUNT\"}], \"breakdowns\": [\"http.route\"]}";
            SourceError::new(Fault::Invalid, format!("the query is not JSON: {e}"), hint)
        })?;
        Self::of(json)
    }

    /// Validates a specification.
    ///
    /// # Errors
    /// As [`Spec::parse`].
    pub fn of(json: Json) -> Result<Self, SourceError> {
        let wrong = |message: String, hint: &str| Err(SourceError::new(Fault::Invalid, message, hint));
        let Json::Object(mut spec) = json else {
            return wrong(format!("the query should be a JSON object and is {}", clip(&json.to_string())), "");
        };
        // Honeycomb's answers contain an id of its own.
        spec.shift_remove("id");
        spec.retain(|_, value| !value.is_null());
        if let Some(name) = spec.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            let hint = format!("A query has {}", MEMBERS.join(", "));
            return wrong(format!("the query has an unknown member {:?}", clip(name)), &hint);
        }
        for name in ["breakdowns", "calculations", "filters", "orders", "having", "havings", "formulas"] {
            if spec.get(name).is_some_and(|value| !value.is_array()) {
                return wrong(format!("{name} should be a list"), "Put it in brackets: [ … ]");
            }
        }
        for name in ["time_range", "start_time", "end_time", "granularity", "limit"] {
            if spec.get(name).is_some_and(|value| value.as_i64().is_none_or(|n| n < 0)) {
                return wrong(format!("{name} should be a whole number"), "Times are seconds");
            }
        }
        let spec = Self(spec);
        for calculation in spec.list("calculations") {
            let op = calculation.get("op").and_then(Json::as_str).unwrap_or_default();
            let needs_column = !["COUNT", "CONCURRENCY", "COUNT_DATAPOINTS"].contains(&op);
            if op.is_empty() || (needs_column && calculation.get("column").and_then(Json::as_str).is_none()) {
                let said = clip(&calculation.to_string());
                return wrong(format!("a calculation needs an op and a column: {said}"), "Only COUNT needs no column");
            }
        }
        Ok(spec)
    }

    /// As text with one member a line, so that the first line is meaningful.
    pub fn text(&self) -> String {
        let members: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{}: {value}", Json::from(name.as_str()))).collect();
        format!("{{{}}}", members.join(",\n "))
    }

    pub fn json(&self) -> Json {
        Json::Object(self.0.clone())
    }

    /// The range that it specifies itself, relative to `now`.
    pub fn range(&self, now: Nanos) -> Range {
        let time = |name: &str| self.0.get(name).and_then(Json::as_i64).map(|s| s.saturating_mul(SECOND));
        let long = time("time_range").unwrap_or(USUAL * SECOND);
        let (from, until) = match (time("start_time"), time("end_time")) {
            (Some(from), Some(until)) => (from, until),
            (Some(from), None) => (from, from.saturating_add(long)),
            (None, until) => {
                let until = until.unwrap_or(now.0);
                (until.saturating_sub(long), until)
            }
        };
        Range { from: Nanos(from), until: Nanos(until) }
    }

    /// The same query over another range.
    ///
    /// # Errors
    /// [`Fault::Invalid`] if Honeycomb would refuse it: reversed, or longer than seven days.
    pub fn over(&self, range: Range) -> Result<Self, SourceError> {
        let (from, until) =
            (range.from.0.div_euclid(SECOND), range.until.0.saturating_add(SECOND - 1).div_euclid(SECOND));
        let long = until - from;
        if from < 1 || long < 1 {
            let message = "the query's time range is invalid";
            return Err(SourceError::new(Fault::Invalid, message, "It must start before it ends"));
        }
        if long > MAX_SECONDS {
            return Err(SourceError::new(
                Fault::Invalid,
                format!("the query covers {} days; Honeycomb allows at most 7", (long + 86_399) / 86_400),
                "Choose a shorter range within the last seven days",
            ));
        }
        let mut spec = self.0.clone();
        // Valid granularities depend on the range, and only matter for graphs.
        for name in ["time_range", "start_time", "end_time", "granularity"] {
            spec.shift_remove(name);
        }
        spec.insert("start_time".to_owned(), from.into());
        spec.insert("end_time".to_owned(), until.into());
        Ok(Self(spec))
    }

    /// A name for a query without one: `COUNT, P99(duration_ms) by http.route`.
    pub fn words(&self) -> String {
        let columns = self.columns();
        let breakdowns: Vec<&str> = self.list("breakdowns").iter().filter_map(Json::as_str).collect();
        let calculated: Vec<&str> =
            columns.iter().map(String::as_str).filter(|column| !breakdowns.contains(column)).collect();
        match breakdowns.as_slice() {
            [] => calculated.join(", "),
            _ => format!("{} by {}", calculated.join(", "), breakdowns.join(", ")),
        }
    }

    /// The result's columns: breakdowns, then calculations, as Honeycomb names them (`P99(duration_ms)`).
    pub fn columns(&self) -> Vec<String> {
        let breakdowns = self.list("breakdowns").iter().filter_map(Json::as_str).map(str::to_owned);
        let named = |calculation: &Json| {
            let said = |name: &str| calculation.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
            match (said("name"), said("op").unwrap_or_default(), said("column")) {
                (Some(name), ..) => name.to_owned(),
                (None, op, Some(column)) => format!("{op}({column})"),
                (None, op, None) => op.to_owned(),
            }
        };
        let calculations = self.list("calculations");
        let count = [serde_json::json!({"op": "COUNT"})];
        let calculations = if calculations.is_empty() { &count } else { calculations };
        let formulas =
            self.list("formulas").iter().filter_map(|formula| formula.get("name")?.as_str().map(str::to_owned));
        let mut columns: Vec<String> = Vec::new();
        for column in breakdowns.chain(calculations.iter().map(named)).chain(formulas) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    }

    fn list(&self, name: &str) -> &[Json] {
        self.0.get(name).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
    }
}

/// To how many seconds Honeycomb rounds the ends of a range down.
///
/// Up to six hours, one minute; up to two days, five; up to seven days, thirty
/// (`docs.honeycomb.io/api/tag/Query-Data`).
pub(super) fn rounding(range: Range) -> i64 {
    match (range.until.0 - range.from.0) / SECOND {
        ..=21_600 => 60,
        21_601..=172_800 => 300,
        _ => 1_800,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> Spec {
        Spec::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn a_query_without_a_name_is_named_by_its_content() {
        assert_eq!(spec("").words(), "COUNT");
        assert_eq!(
            spec(r#"{"breakdowns": ["http.route", "http.method"]}"#).words(),
            "COUNT by http.route, http.method"
        );
        let figures =
            r#"{"calculations": [{"op": "COUNT"}, {"op": "P99", "column": "duration_ms"}], "breakdowns": ["a"]}"#;
        assert_eq!(spec(figures).words(), "COUNT, P99(duration_ms) by a");
    }

    #[test]
    fn every_example_of_the_help_is_a_query() {
        for (example, _) in FORMS {
            spec(example);
        }
        assert_eq!(spec(" "), Spec::default());
    }

    #[test]
    fn an_invalid_query_is_refused_with_a_reason() {
        for (text, word) in [
            ("COUNT by route", "not JSON"),
            ("[]", "JSON object"),
            (r#"{"filter": []}"#, "\"filter\""),
            (r#"{"filters": {}}"#, "list"),
            (r#"{"limit": "10"}"#, "whole number"),
            (r#"{"time_range": -5}"#, "whole number"),
            (r#"{"calculations": [{"op": "P99"}]}"#, "column"),
            (r#"{"calculations": ["COUNT"]}"#, "op"),
        ] {
            let error = Spec::parse(text).expect_err(text);
            assert_eq!(error.fault, Fault::Invalid);
            assert!(error.message.contains(word), "{text}: {error}");
        }
        let deep = format!("{{\"filters\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Spec::parse(&deep).expect_err("too deep").fault, Fault::Invalid);
    }

    #[test]
    fn a_query_is_readable_and_omits_honeycombs_id() {
        let spec = spec(r#"{"id": "abc", "calculations": [{"op":"COUNT"}], "orders": null, "limit": 5}"#);
        assert_eq!(spec.text(), "{\"calculations\": [{\"op\":\"COUNT\"}],\n \"limit\": 5}");
        assert_eq!(Spec::parse(&spec.text()), Ok(spec));
    }

    #[test]
    fn a_query_has_its_own_range() {
        let now = Nanos(1_000_000 * SECOND);
        let range = |text: &str| {
            let range = spec(text).range(now);
            (range.from.0 / SECOND, range.until.0 / SECOND)
        };
        assert_eq!(range("{}"), (992_800, 1_000_000));
        assert_eq!(range(r#"{"time_range": 60}"#), (999_940, 1_000_000));
        assert_eq!(range(r#"{"time_range": 60, "start_time": 500}"#), (500, 560));
        assert_eq!(range(r#"{"time_range": 60, "end_time": 500}"#), (440, 500));
        assert_eq!(range(r#"{"start_time": 500, "end_time": 600}"#), (500, 600));
        assert_eq!(range(r#"{"start_time": 9223372036854775807}"#).1, i64::MAX / SECOND);
    }

    #[test]
    fn a_given_range_replaces_the_querys_own() {
        let query = spec(r#"{"time_range": 60, "granularity": 1, "limit": 5}"#);
        let range = |from: i64, until: i64| Range { from: Nanos(from), until: Nanos(until) };
        let over = query.over(range(SECOND + 1, 60 * SECOND + 1)).expect("a minute");
        assert_eq!(over.json(), serde_json::json!({"limit": 5, "start_time": 1, "end_time": 61}));
        for (from, until, word) in [
            (10 * SECOND, 10 * SECOND, "time range is invalid"),
            (20 * SECOND, 10 * SECOND, "time range is invalid"),
            (-SECOND, SECOND, "time range is invalid"),
            (SECOND, (MAX_SECONDS + 2) * SECOND, "8 days"),
            (i64::MIN, i64::MAX, "time range is invalid"),
        ] {
            let error = query.over(range(from, until)).expect_err("refused");
            assert!(error.fault == Fault::Invalid && error.message.contains(word), "{error}");
        }
        query.over(range(SECOND, (MAX_SECONDS + 1) * SECOND)).expect("seven days");
    }

    #[test]
    fn columns_are_named_as_honeycomb_names_them() {
        let columns = |text: &str| spec(text).columns();
        assert_eq!(columns("{}"), ["COUNT"]);
        let text = r#"{"breakdowns": ["http.route", "name"], "calculations": [{"op": "COUNT"}, {"op": "P99", "column": "duration_ms"},
            {"op": "AVG", "column": "x", "name": "mean"}, {"op": "COUNT"}]}"#;
        assert_eq!(columns(text), ["http.route", "name", "COUNT", "P99(duration_ms)", "mean"]);
    }

    #[test]
    fn the_rounding_depends_on_the_range() {
        let rounded = |hours: i64| rounding(Range { from: Nanos(0), until: Nanos(hours * 3600 * SECOND) });
        assert_eq!((rounded(6), rounded(7), rounded(48), rounded(49), rounded(168)), (60, 300, 300, 1_800, 1_800));
    }
}

//! What a query result looks like as a chart: values over time, or one bar for each group. The table remains the data.

use std::collections::{BTreeMap, HashSet};

use crate::query::{QueryLanguage, QueryResult};
use crate::time::Nanos;

/// The most lines of one panel, and the most bars. What is left out is counted.
const MOST_LINES: usize = 6;
const MOST_BARS: usize = 16;
/// The most values over time that are charted each with its own axis.
const MOST_PANELS: usize = 2;

/// A chart of a query result.
#[derive(Clone, Debug, PartialEq)]
pub enum Chart {
    /// Values over time.
    Series(Series),
    /// A value of each group.
    Bars(Bars),
}

/// Values over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The first time of any value, and the last.
    pub range: (Nanos, Nanos),
    /// The least time between two values of a line: the length of a bin, if the values are binned.
    pub step: Nanos,
    /// One measure each, so that no axis has two units.
    pub panels: Vec<Panel>,
}

/// One measure over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// The column.
    pub measure: String,
    /// One line for each group; a single one without a name if the result has no groups.
    pub lines: Vec<SeriesLine>,
    /// The number of groups that are left out, those with the least values.
    pub more: usize,
}

/// The values of a group in the order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesLine {
    pub name: String,
    pub points: Vec<(Nanos, f64)>,
}

/// A value of each group, in the order of the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// The column.
    pub measure: String,
    pub bars: Vec<Bar>,
    /// The number of groups that are left out, the last of the result.
    pub more: usize,
}

/// One group.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// The values of the columns that it is grouped by.
    pub name: String,
    pub value: f64,
    /// The cell, as the source wrote it.
    pub text: String,
}

impl Chart {
    /// The chart of an aggregated result; `None` for events, for single rows, and where no column is a number.
    pub fn of(query: &QueryResult) -> Option<Self> {
        if query.rows.len() < 2 || !aggregates(query) {
            return None;
        }
        let columns = 0..query.columns.len();
        let time = columns.clone().find(|c| is_time(query, *c));
        // A status is a number, too, but where the query groups by it, it is a name.
        let by = grouped_by(query);
        let is_number = |c: &usize| query.is_numeric(*c) && !by.contains(query.columns[*c].trim());
        let numbers: Vec<usize> = columns.clone().filter(|c| Some(*c) != time).filter(is_number).collect();
        let groups: Vec<usize> = columns.filter(|c| Some(*c) != time && !numbers.contains(c)).collect();
        match time {
            Some(time) => series(query, time, &groups, &numbers).map(Self::Series),
            None => bars(query, &groups, *numbers.first()?).map(Self::Bars),
        }
    }
}

/// The last `stats` command of a query in Logs Insights' language, without its first word.
fn stats(query: &str) -> Option<&str> {
    query.split('|').rev().find_map(|command| {
        let command = command.trim();
        let word = command.split(|c: char| !c.is_ascii_alphabetic()).next()?;
        word.eq_ignore_ascii_case("stats").then(|| &command[word.len()..])
    })
}

/// Whether a query counts or groups. Honeycomb's always do.
fn aggregates(query: &QueryResult) -> bool {
    match query.language {
        QueryLanguage::Honeycomb => true,
        QueryLanguage::Insights => stats(&query.query).is_some(),
    }
}

/// The names of the columns that a query groups by.
fn grouped_by(query: &QueryResult) -> HashSet<String> {
    match query.language {
        QueryLanguage::Honeycomb => {
            let specification: serde_json::Value = serde_json::from_str(&query.query).unwrap_or_default();
            let breakdowns = specification["breakdowns"].as_array().cloned().unwrap_or_default();
            breakdowns.iter().filter_map(|name| name.as_str()).map(str::to_owned).collect()
        }
        QueryLanguage::Insights => {
            let command = stats(&query.query).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
            let lower = command.to_ascii_lowercase();
            let Some(at) = lower.rfind(" by ") else { return HashSet::new() };
            let mut depth = 0usize;
            let terms = command[at + " by ".len()..].split(|c: char| {
                depth = match c {
                    '(' => depth + 1,
                    ')' => depth.saturating_sub(1),
                    _ => depth,
                };
                c == ',' && depth == 0
            });
            // The column has the name that follows `as`, else that of the field.
            terms.map(|term| term.trim().rsplit(' ').next().unwrap_or_default().trim_matches('`').to_owned()).collect()
        }
    }
}

fn cell(row: &[String], column: usize) -> &str {
    row.get(column).map_or("", |cell| cell.trim())
}

/// `2026-11-23 15:20:00.000` as CloudWatch writes it, in UTC, or RFC 3339.
fn time(cell: &str) -> Option<Nanos> {
    if !(16..=40).contains(&cell.len()) || !cell.is_ascii() {
        return None;
    }
    let (day, clock) = cell.split_once([' ', 'T'])?;
    let zoned = clock.ends_with(['Z', 'z']) || clock.contains(['+', '-']);
    Nanos::parse_rfc3339(&format!("{day}T{clock}{}", if zoned { "" } else { "Z" }))
}

fn is_time(query: &QueryResult, column: usize) -> bool {
    let mut cells = query.rows.iter().map(|row| cell(row, column)).filter(|cell| !cell.is_empty()).peekable();
    cells.peek().is_some() && cells.all(|cell| time(cell).is_some())
}

/// The groups of a row as one name.
fn name(row: &[String], groups: &[usize]) -> String {
    let parts: Vec<&str> = groups.iter().map(|c| cell(row, *c)).collect();
    match parts.iter().all(|part| part.is_empty()) && !parts.is_empty() {
        true => "(none)".to_owned(),
        false => parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · "),
    }
}

fn number(row: &[String], column: usize) -> Option<f64> {
    cell(row, column).parse().ok().filter(|n: &f64| n.is_finite())
}

fn series(query: &QueryResult, at: usize, groups: &[usize], numbers: &[usize]) -> Option<Series> {
    // With groups there is one panel: the lines of several measures could not be distinguished.
    let most = if groups.is_empty() { MOST_PANELS } else { 1 };
    let panels: Vec<Panel> = numbers.iter().take(most).filter_map(|column| panel(query, at, groups, *column)).collect();
    let times = || panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points).map(|(time, _)| *time);
    let (first, last) = (times().min()?, times().max()?);
    let steps = panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| {
        line.points.windows(2).map(|pair| pair[1].0.0.saturating_sub(pair[0].0.0)).filter(|step| *step > 0)
    });
    let step = Nanos(steps.min()?);
    (first < last).then_some(Series { range: (first, last), step, panels })
}

fn panel(query: &QueryResult, at: usize, groups: &[usize], column: usize) -> Option<Panel> {
    let mut lines: BTreeMap<String, Vec<(Nanos, f64)>> = BTreeMap::new();
    for row in &query.rows {
        if let (Some(time), Some(value)) = (time(cell(row, at)), number(row, column)) {
            lines.entry(name(row, groups)).or_default().push((time, value));
        }
    }
    let mut lines: Vec<SeriesLine> = lines.into_iter().map(|(name, points)| SeriesLine { name, points }).collect();
    for line in &mut lines {
        line.points.sort_by_key(|(time, _)| *time);
        // Two values of one group at one time: the result is grouped by something else.
        if line.points.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
    }
    let sum = |line: &SeriesLine| line.points.iter().map(|(_, value)| value.abs()).sum::<f64>();
    lines.sort_by(|a, b| sum(b).total_cmp(&sum(a)).then_with(|| a.name.cmp(&b.name)));
    let more = lines.split_off(lines.len().min(MOST_LINES)).len();
    (!lines.is_empty()).then(|| Panel { measure: query.columns[column].clone(), lines, more })
}

fn bars(query: &QueryResult, groups: &[usize], column: usize) -> Option<Bars> {
    let mut seen = HashSet::new();
    let mut bars = Vec::new();
    for row in &query.rows {
        let name = name(row, groups);
        // Without a name of its own, a bar says nothing.
        if groups.is_empty() || !seen.insert(name.clone()) {
            return None;
        }
        if let Some(value) = number(row, column) {
            bars.push(Bar { name, value, text: cell(row, column).to_owned() });
        }
    }
    let more = bars.split_off(bars.len().min(MOST_BARS)).len();
    (bars.len() > 1).then(|| Bars { measure: query.columns[column].clone(), bars, more })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(query: &str, columns: &[&str], rows: &[&[&str]]) -> QueryResult {
        QueryResult {
            query: query.into(),
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            rows: rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect(),
            ..QueryResult::default()
        }
    }

    fn stats(columns: &[&str], rows: &[&[&str]]) -> Option<Chart> {
        Chart::of(&result("fields @timestamp\n| stats count(*) by x", columns, rows))
    }

    #[test]
    fn counts_by_group_are_bars_in_the_order_of_the_result() {
        let rows: &[&[&str]] = &[&["/home", "412"], &["/x", "3.50"], &["", "2"]];
        let Some(Chart::Bars(bars)) = stats(&["path", "n"], rows) else { panic!("bars") };
        let told: Vec<(&str, f64, &str)> =
            bars.bars.iter().map(|b| (b.name.as_str(), b.value, b.text.as_str())).collect();
        assert_eq!(told, [("/home", 412.0, "412"), ("/x", 3.5, "3.50"), ("(none)", 2.0, "2")]);
        assert_eq!((bars.measure.as_str(), bars.more), ("n", 0));
        let rows: Vec<[String; 2]> = (0..40).map(|i| [format!("g{i}"), i.to_string()]).collect();
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        let Some(Chart::Bars(bars)) = stats(&["g", "n"], &rows) else { panic!("bars") };
        assert_eq!((bars.bars.len(), bars.more), (16, 24));
    }

    #[test]
    fn numbers_that_are_grouped_by_are_names() {
        let rows: &[&[&str]] = &[&["200", "/", "412"], &["404", "/", "7"]];
        let told = |chart: Option<Chart>| match chart {
            Some(Chart::Bars(bars)) => bars.bars.iter().map(|b| format!("{} {}", b.name, b.text)).collect(),
            _ => Vec::new(),
        };
        for query in ["stats count(*) as n by status, path", "fields x\n| STATS  count(*)\n  by s as `status`, path"] {
            assert_eq!(told(Chart::of(&result(query, &["status", "path", "n"], rows))), ["200 · / 412", "404 · / 7"]);
        }
        let query = result("{\"breakdowns\":[\"status\",\"path\"]}", &["status", "path", "n"], rows);
        let query = QueryResult { language: QueryLanguage::Honeycomb, ..query };
        assert_eq!(told(Chart::of(&query)).len(), 2);
        assert!(grouped_by(&result("stats count(*) by bin(5m, 'a, b'), x", &[], &[])).contains("x"));
    }

    #[test]
    fn bins_are_series_in_the_order_of_time() {
        let rows: &[&[&str]] = &[
            &["2026-11-23 15:30:00.000", "7", "12.5"],
            &["2026-11-23 15:20:00.000", "3", ""],
            &["2026-11-23T15:25:00Z", "4", "9"],
        ];
        let Some(Chart::Series(series)) = stats(&["bin(5m)", "n", "avg"], rows) else { panic!("a series") };
        assert_eq!(series.step, Nanos(300_000_000_000));
        assert_eq!(series.panels.len(), 2);
        let values = |panel: &Panel| panel.lines[0].points.iter().map(|(_, value)| *value).collect::<Vec<_>>();
        assert_eq!(values(&series.panels[0]), [3.0, 4.0, 7.0]);
        assert_eq!(values(&series.panels[1]), [9.0, 12.5]);
    }

    #[test]
    fn bins_by_group_are_one_line_for_each_group() {
        let rows: Vec<[String; 3]> = (0..8)
            .flat_map(|group| (0..3).map(move |minute| (group, minute)))
            .map(|(group, minute)| [format!("2026-11-23 15:0{minute}:00"), format!("g{group}"), group.to_string()])
            .collect();
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        let Some(Chart::Series(series)) = stats(&["bin(1m)", "path", "n"], &rows) else { panic!("a series") };
        let names: Vec<&str> = series.panels[0].lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!((names, series.panels[0].more), (vec!["g7", "g6", "g5", "g4", "g3", "g2"], 2));
    }

    #[test]
    fn what_has_no_honest_chart_has_none() {
        let rows: &[&[&str]] = &[&["a", "1"], &["b", "2"]];
        assert!(stats(&["path", "n"], rows).is_some());
        assert!(stats(&["path", "n"], &rows[..1]).is_none(), "one row");
        assert!(Chart::of(&result("fields @message", &["path", "n"], rows)).is_none(), "events");
        assert!(Chart::of(&result("fields statistics", &["path", "n"], rows)).is_none());
        assert!(Chart::of(&result("fields a\n| filter b | stats", &["path", "n"], rows)).is_some());
        assert!(stats(&["path", "n"], &[&["a", "1"], &["a", "2"]]).is_none(), "a group twice");
        assert!(stats(&["path", "n"], &[&["a", "x"], &["b", "y"]]).is_none(), "no numbers");
        assert!(stats(&["n", "m"], &[&["1", "2"], &["3", "4"]]).is_none(), "no groups");
        let twice: &[&[&str]] = &[&["2026-11-23 15:20:00", "1"], &["2026-11-23 15:20:00", "2"]];
        assert!(stats(&["bin(5m)", "n"], twice).is_none(), "two values at one time");
        assert!(stats(&[], &[&[], &[]]).is_none());
        assert!(stats(&["path", "n"], &[&["a"], &["b"]]).is_none(), "short rows");
    }
}

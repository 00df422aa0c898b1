//! The answer of GetQueryResults as a table.

use std::collections::HashMap;

use aws_sdk_cloudwatchlogs::types::{QueryStatistics, ResultField};
use tracebook_core::text::count;
use tracebook_core::time::Nanos;
use tracebook_core::value::{Attribute, Value};

/// The pointer at the end of every row; it means nothing to people, and expires.
const POINTER: &str = "@ptr";

/// The most columns; CloudWatch Logs discovers 1,000 fields at most.
const MAX_COLUMNS: usize = 1_000;
/// The most cells, including empty ones.
const MAX_CELLS: usize = 4_000_000;
/// The most text.
const MAX_BYTES: usize = 64 << 20;

/// Rows of named fields that become rows of cells. A field that a row lacks is not sent at all.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// In the order of the columns.
    columns: Vec<String>,
    rows: Vec<Vec<(String, String)>>,
    bytes: usize,
    /// Whether there were more rows than are kept.
    pub(super) cut: bool,
}

impl Table {
    pub(super) fn add(&mut self, rows: Vec<Vec<ResultField>>) {
        for row in rows {
            if self.is_full() {
                self.cut = true;
                return;
            }
            let fields = row.into_iter().filter_map(|field| {
                let name = field.field.filter(|name| name != POINTER)?;
                Some((name, field.value.unwrap_or_default()))
            });
            let row: Vec<(String, String)> = fields.collect();
            self.place(&row);
            self.bytes += row.iter().map(|(_, value)| value.len()).sum::<usize>();
            self.rows.push(row);
        }
    }

    /// Whether the next row exceeds the limit.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > MAX_BYTES || (self.rows.len() + 1).saturating_mul(self.columns.len()) > MAX_CELLS
    }

    /// Inserts a row's new columns after the column that precedes them in the row, so that a field that the first rows
    /// lack is still placed as in the query.
    fn place(&mut self, row: &[(String, String)]) {
        // Most rows have the same fields in the same order.
        if row.len() == self.columns.len() && row.iter().map(|(name, _)| name).eq(&self.columns) {
            return;
        }
        let mut behind = 0;
        for (name, _) in row {
            behind = match self.columns.iter().position(|column| column == name) {
                Some(at) => at + 1,
                None if self.columns.len() >= MAX_COLUMNS => return,
                None => {
                    self.columns.insert(behind, name.clone());
                    behind + 1
                }
            };
        }
    }

    pub(super) fn finish(self) -> (Vec<String>, Vec<Vec<String>>) {
        let places: HashMap<&str, usize> =
            self.columns.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            let mut cells = vec![String::new(); places.len()];
            for (name, value) in row {
                if let Some(cell) = places.get(name.as_str()).and_then(|at| cells.get_mut(*at)) {
                    *cell = value;
                }
            }
            rows.push(cells);
        }
        (self.columns.clone(), rows)
    }
}

/// The service's statistics as whole numbers.
pub(super) fn statistics(said: &QueryStatistics) -> Vec<Attribute> {
    let always = [
        ("recordsMatched", said.records_matched),
        ("recordsScanned", said.records_scanned),
        ("bytesScanned", said.bytes_scanned),
    ];
    // Newer statistics: 0 if they were not sent.
    let sometimes = [
        ("logGroupsScanned", said.log_groups_scanned),
        ("resultCount", said.result_count),
        ("estimatedRecordsSkipped", said.estimated_records_skipped),
        ("estimatedBytesSkipped", said.estimated_bytes_skipped),
    ];
    let sometimes = sometimes.into_iter().filter(|(_, n)| *n > 0.0);
    always.into_iter().chain(sometimes).map(|(name, n)| Attribute::new(name, number(n))).collect()
}

fn number(n: f64) -> Value {
    Value::Double(n).as_int().map_or(Value::Double(n), Value::Int)
}

/// A count that was sent as a double; never negative.
pub(super) fn whole(n: f64) -> u64 {
    Value::Double(n.floor()).as_int().and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// How many more rows there are, if known, with a note about them.
pub(super) fn more(text: &str, limit: u32, rows: usize, statistics: Option<&QueryStatistics>) -> (u32, Option<String>) {
    let written = limit_in(text).unwrap_or(u32::MAX);
    let limit = limit.min(written);
    let known = statistics.map_or(0, |said| match said.result_count > 0.0 {
        true => whole(said.result_count),
        // Without aggregation, the matched records are the rows.
        false if ["stats", "dedup", "pattern", "diff", "anomaly"].iter().any(|c| has_command(text, c)) => 0,
        false => whole(said.records_matched),
    });
    let more = known.saturating_sub(u64::try_from(rows).unwrap_or(u64::MAX));
    if u32::try_from(rows).is_ok_and(|rows| rows < limit) {
        return (0, None);
    }
    let rows = count(rows, "row");
    let note = match more {
        0 => format!("the limit of {rows} was reached: there may be more"),
        n => format!("the limit of {rows} was reached: {n} more matched"),
    };
    (u32::try_from(more).unwrap_or(u32::MAX), Some(note))
}

/// Whether a query contains a command.
pub(super) fn has_command(text: &str, name: &str) -> bool {
    commands(text).any(|command| word(command).is_some_and(|(first, _)| first.eq_ignore_ascii_case(name)))
}

/// The last `limit` of a query.
fn limit_in(text: &str) -> Option<u32> {
    let limits = commands(text).filter_map(|command| {
        let (name, rest) = word(command)?;
        (name.eq_ignore_ascii_case("limit") || name.eq_ignore_ascii_case("head")).then(|| word(rest)?.0.parse().ok())?
    });
    limits.last()
}

/// The commands of a query, split at `|`. A `|` in a string or regex splits too; to be mistaken for a command, its name
/// would have to follow, and only a note depends on it.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    text.split(['|', '\n']).map(str::trim)
}

fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A time in a cell of `@timestamp` or `@ingestionTime`: `2026-11-23 15:20:12.231` (UTC) as AWS writes it, or
/// milliseconds since the epoch as emulators do.
pub fn timestamp_in(cell: &str) -> Option<Nanos> {
    let cell = cell.trim();
    if (10..=14).contains(&cell.len()) && cell.bytes().all(|b| b.is_ascii_digit()) {
        return cell.parse().ok().map(Nanos::from_millis);
    }
    let (date, time) = cell.split_once(' ')?;
    Nanos::parse_rfc3339(&format!("{date}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &str) -> ResultField {
        ResultField::builder().field(name).value(value).build()
    }

    #[test]
    fn columns_are_ordered_as_in_the_query() {
        let mut table = Table::default();
        table.add(vec![
            vec![field("@timestamp", "1"), field("@logStream", "s"), field(POINTER, "x")],
            vec![field("@timestamp", "2"), field("level", "WARN"), field("@logStream", "s"), field(POINTER, "y")],
            vec![field("first", "0"), field("@timestamp", "3")],
            vec![],
        ]);
        let (columns, rows) = table.finish();
        assert_eq!(columns, ["first", "@timestamp", "level", "@logStream"]);
        assert_eq!(rows[0], ["", "1", "", "s"]);
        assert_eq!(rows[1], ["", "2", "WARN", "s"]);
        assert_eq!(rows[2], ["0", "3", "", ""]);
        assert_eq!(rows[3], ["", "", "", ""]);
    }

    #[test]
    fn counts_are_whole_numbers() {
        let said = QueryStatistics::builder().records_matched(3.0).records_scanned(1e3).bytes_scanned(1.5).build();
        let said = serde_json::to_string(&statistics(&said)).expect("writes");
        assert_eq!(
            said,
            r#"[{"key":"recordsMatched","value":{"int":"3"}},{"key":"recordsScanned","value":{"int":"1000"}},{"key":"bytesScanned","value":{"double":1.5}}]"#
        );
        assert_eq!((whole(2.9), whole(-1.0), whole(f64::NAN), whole(1e300)), (2, 0, 0, 0));
    }

    #[test]
    fn omitted_rows_are_reported() {
        let said = |matched: f64, results: f64| {
            QueryStatistics::builder().records_matched(matched).result_count(results).build()
        };
        let plain = "fields @message | sort @timestamp desc\n| limit 20";
        assert_eq!(more(plain, 1_000, 19, Some(&said(19.0, 0.0))), (0, None));
        let (n, note) = more(plain, 1_000, 20, Some(&said(412.0, 0.0)));
        assert_eq!((n, note.as_deref()), (392, Some("the limit of 20 rows was reached: 392 more matched")));
        let (n, note) = more("stats count(*) by bin(5m)", 5, 5, Some(&said(412.0, 0.0)));
        assert_eq!((n, note.as_deref()), (0, Some("the limit of 5 rows was reached: there may be more")));
        assert_eq!(more("fields @message", 5, 5, Some(&said(412.0, 7.0))).0, 2);
        assert_eq!(more("fields @message", 5, 5, None).0, 0);
    }

    #[test]
    fn times_are_read_as_aws_and_emulators_write_them() {
        let moment = Some(Nanos::from_millis(1_795_447_212_231));
        assert_eq!(timestamp_in("2026-11-23 15:20:12.231"), moment);
        assert_eq!(timestamp_in("1795447212231"), moment);
        for cell in ["", "12", "yesterday", "2026-11-23", "99999999999999999999"] {
            assert_eq!(timestamp_in(cell), None, "{cell}");
        }
    }

    #[test]
    fn commands_are_found() {
        assert!(has_command("SOURCE logGroups(namePrefix: ['/aws'])\n| fields @message", "source"));
        assert!(has_command("fields @message|stats count(*)", "stats"));
        assert!(!has_command("fields @message | filter statsd = 1", "stats"));
        assert_eq!(limit_in("limit 5 | fields a | limit 3"), Some(3));
        assert_eq!(limit_in("fields limit"), None);
    }
}

//! Evidence as a text table: for readers who cannot see the picture, and for search.

use std::collections::BTreeMap;

use tracebook_core::assemble;
use tracebook_core::console::{Console, ConsoleLine};
use tracebook_core::dossier::{Dossier, Moment};
use tracebook_core::errors::{CodeFrame, ErrorItem};
use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::logs::Logs;
use tracebook_core::query::QueryResult;
use tracebook_core::service_map::{ServiceMap, Traffic};
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::{Span, StatusCode, Trace};
use tracebook_core::xray::{Groups, SamplingRules};

use super::{ansi, words};
use crate::markdown::{escape, one_line};

/// The most rows that a table has.
pub const MOST_ROWS: usize = 200;
/// The most characters of a cell.
const MOST_CHARS: usize = 300;

/// Rows and columns of plain text, each cell on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it is a table of: `8 spans`.
    pub summary: String,
    /// The columns' heads.
    pub head: Vec<String>,
    /// At most [`MOST_ROWS`].
    pub rows: Vec<Vec<String>>,
    /// How many rows were left out.
    pub more: usize,
}

impl Table {
    /// A GFM pipe table, without the line ending of its last line. Nothing in a cell can end the table, the `<details>`
    /// around it, or a comment.
    pub fn markdown(&self) -> String {
        self.lines().join("\n")
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|c| escape(c)).collect();
            format!("| {} |", cells.join(" | "))
        };
        let mut lines = vec![line(&self.head), format!("|{}", " --- |".repeat(self.head.len()))];
        lines.extend(self.rows.iter().map(|row| line(row)));
        if self.more > 0 {
            lines.push(String::new());
            lines.push(format!("… and {} more rows (all in the data)", text::grouped(self.more)));
        }
        lines
    }
}

/// The table of frozen evidence.
pub fn table(frozen: &Frozen) -> Table {
    match &frozen.evidence.body {
        Body::Trace(trace) => of_trace(trace),
        Body::Logs(logs) => of_logs(logs),
        Body::Console(console) => of_console(console),
        Body::Error(error) => of_error(error),
        Body::ServiceMap(map) => of_map(map),
        Body::Groups(groups) => of_groups(groups),
        Body::SamplingRules(rules) => of_rules(rules),
        Body::Query(query) => of_query(query),
        Body::Dossier(dossier) => of_dossier(dossier),
    }
}

fn of_trace(trace: &Trace) -> Table {
    let start = trace.start().0;
    let rows = assemble::rows(trace);
    let cells = rows.iter().take(MOST_ROWS).map(|row| {
        let span = &trace.spans[row.index];
        let duration = span.duration().map_or_else(|| "in progress".to_owned(), human_duration);
        let mut notes = Vec::new();
        if let Some(parent) = row.phantom {
            notes.push(format!("parent {parent} never arrived"));
        }
        notes.extend(words::failures(trace, span));
        notes.extend(words::said(span));
        let indent = "· ".repeat(row.depth.min(12));
        [
            format!("{indent}{}", span.title()),
            span.service.clone(),
            human_duration(span.start.0.saturating_sub(start)),
            duration,
            status(span),
            notes.join("; "),
        ]
        .map(|cell| clip(&one_line(&cell)))
        .to_vec()
    });
    Table {
        summary: text::count(trace.spans.len(), "span"),
        head: ["Span", "Service", "Start", "Duration", "Status", "Details"].map(str::to_owned).to_vec(),
        rows: cells.collect(),
        more: rows.len().saturating_sub(MOST_ROWS),
    }
}

/// A table's head and cells; each cell becomes one line of bounded length.
fn made<const N: usize>(
    summary: String,
    head: [&str; N],
    all: usize,
    rows: impl Iterator<Item = [String; N]>,
) -> Table {
    let rows = rows.take(MOST_ROWS).map(|row| row.map(|cell| cell_of(&cell)).to_vec());
    Table { summary, head: head.map(str::to_owned).to_vec(), rows: rows.collect(), more: all.saturating_sub(MOST_ROWS) }
}

/// No more of a text is looked at than a cell can show.
fn cell_of(text: &str) -> String {
    let beginning: String = text.chars().take(MOST_CHARS * 4).collect();
    let cell = clip(&one_line(&beginning));
    if beginning.len() < text.len() && !cell.ends_with('…') { format!("{cell}…") } else { cell }
}

fn of_logs(logs: &Logs) -> Table {
    let rows = logs.events.iter().map(|e| {
        [
            e.timestamp.rfc3339(),
            e.severity.clone(),
            e.message.clone(),
            e.group.clone(),
            e.stream.clone(),
            e.trace_id.map(|id| id.to_string()).unwrap_or_default(),
        ]
    });
    let summary = text::count(logs.events.len(), "event");
    made(summary, ["Time", "Severity", "Message", "Group", "Stream", "Trace"], logs.events.len(), rows)
}

fn of_console(console: &Console) -> Table {
    let rows = (1..).zip(&console.lines).map(|(n, line): (u64, _)| {
        [
            n.saturating_add(u64::from(console.more)).to_string(),
            if line.stderr { "stderr" } else { "stdout" }.to_owned(),
            console_text(line),
        ]
    });
    let summary = text::count(console.lines.len(), "line");
    made(summary, ["Line", "Stream", "Text"], console.lines.len(), rows)
}

fn of_error(error: &ErrorItem) -> Table {
    let occurrence = &error.occurrence;
    let (first, last) = (error.first.human(), error.last.human());
    let times = format!("{}, first {first}, last {last}", text::grouped(error.occurrences as usize));
    let known = super::error::facts(error).into_iter().map(|(name, value)| row("Fact", name, value));
    let facts = std::iter::once(row("Fact", "Occurrences", times)).chain(known);
    let traces = occurrence.traces.iter().flat_map(|trace| {
        let head = row("Exception", &trace.class, trace.message.clone());
        std::iter::once(head).chain(trace.frames.iter().flat_map(frame))
    });
    let message = (!occurrence.message.is_empty()).then(|| row("Message", "", occurrence.message.clone()));
    let pairs =
        [("Request", &occurrence.request), ("Custom data", &occurrence.custom), ("Also sent", &occurrence.other)]
            .into_iter()
            .flat_map(|(part, list)| list.iter().map(move |a| row(part, &a.key, a.value.to_string())));
    let others = error.others.iter().map(|o| row("Other occurrence", &o.timestamp.human(), o.person.clone()));
    let rows: Vec<[String; 3]> = facts.chain(message).chain(traces).chain(pairs).chain(others).collect();
    made("facts, stack and request".to_owned(), ["Part", "Name", "Value"], rows.len(), rows.into_iter())
}

/// A frame with its code, and what its arguments were.
fn frame(f: &CodeFrame) -> impl Iterator<Item = [String; 3]> {
    let code = row("Frame", &super::error::place(f), f.code.clone());
    let args = f.args.iter().map(|a| row("Argument", &a.key, a.value.to_string()));
    std::iter::once(code).chain(args)
}

fn row(part: &str, name: &str, value: String) -> [String; 3] {
    [part.to_owned(), name.to_owned(), value]
}

fn of_map(map: &ServiceMap) -> Table {
    let numbers = |what: String, kind: &str, t: &Traffic| {
        let counts = [t.requests, t.errors, t.faults, t.throttles].map(|n| text::grouped(n as usize));
        let [requests, errors, faults, throttles] = counts;
        let [p50, p95, max] = [t.p50, t.p95, t.max].map(|n| human_duration(n.0));
        [what, kind.to_owned(), requests, errors, faults, throttles, p50, p95, max]
    };
    let names: BTreeMap<u32, &str> = map.nodes.iter().rev().map(|n| (n.id, n.name.as_str())).collect();
    let name = |id: u32| match names.get(&id) {
        Some(name) => words::brief(name),
        None => format!("node {id}"),
    };
    let nodes = map.nodes.iter().map(|n| numbers(n.name.clone(), super::map::word(n.kind), &n.traffic));
    let edges = map.edges.iter().map(|e| numbers(format!("{} → {}", name(e.from), name(e.to)), "call", &e.traffic));
    let summary = text::count(map.nodes.len(), "node");
    let head = ["What", "Kind", "Requests", "Errors (4xx)", "Faults (5xx)", "Throttled", "p50", "p95", "Longest"];
    made(summary, head, map.nodes.len() + map.edges.len(), nodes.chain(edges))
}

fn of_groups(groups: &Groups) -> Table {
    let on = |on: bool| if on { "on" } else { "off" }.to_owned();
    let rows = groups.groups.iter().map(|g| {
        let expression = match g.filter_expression.is_empty() {
            true => "every trace".to_owned(),
            false => g.filter_expression.clone(),
        };
        [g.name.clone(), expression, on(g.insights_enabled), on(g.notifications_enabled), g.arn.clone()]
    });
    let summary = text::count(groups.groups.len(), "group");
    made(summary, ["Name", "Filter expression", "Insights", "Notifications", "ARN"], groups.groups.len(), rows)
}

fn of_rules(rules: &SamplingRules) -> Table {
    let rows = rules.rules.iter().map(|r| {
        let matches: Vec<String> =
            super::settings::matches(r).into_iter().map(|(name, value)| format!("{name} {value}")).collect();
        [
            r.priority.to_string(),
            r.name.clone(),
            if matches.is_empty() { "every request".to_owned() } else { matches.join(", ") },
            format!("{}/s", text::grouped(r.reservoir_size as usize)),
            format!("{} %", text::percent(r.fixed_rate)),
            super::settings::sentence(r),
            r.modified.human(),
        ]
    });
    let summary = text::count(rules.rules.len(), "rule");
    let head = ["Priority", "Name", "Matches", "Reservoir", "Rate", "In words", "Changed"];
    made(summary, head, rules.rules.len(), rows)
}

fn of_query(query: &QueryResult) -> Table {
    let cells = |row: &Vec<String>| query.columns.iter().zip(row).map(|(_, cell)| cell_of(cell)).collect();
    Table {
        summary: text::count(query.rows.len(), "row"),
        head: query.columns.iter().map(|name| cell_of(name)).collect(),
        rows: query.rows.iter().take(MOST_ROWS).map(cells).collect(),
        more: query.rows.len().saturating_sub(MOST_ROWS),
    }
}

fn of_dossier(dossier: &Dossier) -> Table {
    let line = dossier.time_line();
    let own = "the trace itself";
    let timed = line.iter().map(|(time, moment)| {
        let (source, text, by) = match moment {
            Moment::Span(i) => {
                let span = &dossier.trace.spans[*i];
                let duration = span.duration().map_or_else(|| "in progress".to_owned(), human_duration);
                let status = status(span);
                let parts = [span.title(), span.service.clone(), duration, status];
                let parts: Vec<String> = parts.into_iter().filter(|p| !p.is_empty()).collect();
                ("span", parts.join(" · "), own)
            }
            Moment::Log(i) => {
                let log = &dossier.logs[*i];
                let event = &log.event;
                let severity = if event.severity.is_empty() { String::new() } else { format!("{} ", event.severity) };
                ("log", format!("{severity}{}", event.message), log.words())
            }
            Moment::Error(i) => {
                let error = &dossier.errors[*i];
                ("error", error.occurrence.title.clone(), error.words(&dossier.trace))
            }
            Moment::Line(i) => {
                let line = &dossier.console[*i];
                ("console", console_text(&line.line), line.words())
            }
        };
        [time.rfc3339(), source.to_owned(), text, by.to_owned()]
    });
    let timeless = dossier
        .console
        .iter()
        .filter(|l| l.line.time.is_none())
        .map(|l| [String::new(), "console".to_owned(), console_text(&l.line), l.words().to_owned()]);
    let all = line.len() + dossier.console.iter().filter(|l| l.line.time.is_none()).count();
    made(text::count(all, "moment"), ["Time", "Source", "What", "Joined"], all, timed.chain(timeless))
}

fn console_text(line: &ConsoleLine) -> String {
    let beginning: String = line.text.chars().take(MOST_CHARS * 8).collect();
    ansi::plain(&beginning)
}

/// How a span ended. That nobody said anything is how OTLP reports success: then the HTTP status speaks, if there is one.
fn status(span: &Span) -> String {
    let http = span.http_status().map(|s| s.to_string());
    match (span.status.code, http) {
        (StatusCode::Unset, http) => http.unwrap_or_default(),
        (code, Some(http)) => format!("{} {http}", code.word()),
        (code, None) => code.word().to_owned(),
    }
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

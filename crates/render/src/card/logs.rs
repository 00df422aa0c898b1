//! The card of log events: one row per event.

use std::collections::BTreeMap;

use tracebook_core::choose::{self, LineItem, LineRow, Manner};
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::ids::TraceId;
use tracebook_core::level::LogLevel;
use tracebook_core::logs::{LogEvent, LogOrigin, Logs};
use tracebook_core::text;
use tracebook_core::time::human_duration;

use super::Picture;
use super::captions::{self, brief, named};
use super::frame::PAD;
use super::layout::{self, CODE, END, Head, MONO, SMALL, STRIP, STRIP_CHART};
use super::style::HUES;
use super::table::{Table, choose_lines, of_lines};
use super::xml::Svg;

/// Maximum number of events that are drawn.
const MOST_ROWS: usize = 60;
/// Maximum number of lines of one message.
const MOST_LINES: usize = 3;
const LINE: f64 = 16.0;
const TIME: f64 = 92.0;
const CHIP: f64 = 78.0;

impl Picture for Logs {
    fn full(&self, frozen: Option<&Frozen>) -> String {
        draw(self, frozen)
    }

    fn strip(&self, frozen: Option<&Frozen>) -> String {
        strip(self, frozen)
    }

    fn table(&self) -> Table {
        table(self)
    }

    fn subject(&self) -> String {
        captions::kind(Kind::Logs).to_owned()
    }

    fn facts(&self) -> Vec<String> {
        let groups = self.groups();
        let word = if groups.len() == 1 { "group" } else { "groups" };
        let mut facts: Vec<String> = named(&groups).map(|names| format!("{word} {names}")).into_iter().collect();
        facts.push(text::count(self.events.len(), "event"));
        facts
    }

    fn alt(&self) -> Option<String> {
        let errors = || self.events.iter().filter(|e| e.log_level().is_some_and(LogLevel::is_error));
        let first = errors().next()?;
        Some(format!("{}, first: {}", text::count(errors().count(), "error"), brief(&first.message)))
    }
}

/// The colour class of an event.
pub(super) fn class_of(event: &LogEvent) -> &'static str {
    layout::level_class(event.log_level())
}

/// `2 errors`, `5 warnings`: what the levels say, without information.
fn counts(logs: &Logs) -> Vec<String> {
    let count = |class: &str| logs.events.iter().filter(|e| class_of(e) == class).count();
    [("bad", "error"), ("open", "warning")]
        .into_iter()
        .map(|(class, noun)| (count(class), noun))
        .filter(|(n, _)| *n > 0)
        .map(|(n, noun)| text::count(n, noun))
        .collect()
}

/// Draws the full card.
pub(super) fn draw(logs: &Logs, frozen: Option<&Frozen>) -> String {
    let head = head(logs, frozen);
    let columns = Columns::of(logs);
    let mut svg = Svg::new();
    let mut y = head.bottom();
    if logs.more > 0 {
        let text = format!(
            "{} matched and {} not kept in this evidence",
            text::count(logs.more as usize, "older event"),
            if logs.more == 1 { "is" } else { "are" }
        );
        layout::put(&mut svg, "small open", PAD, y + 12.0, &text);
        y += 22.0;
    }
    if logs.events.is_empty() {
        layout::put(&mut svg, "name muted", PAD, y + 16.0, "No log event matched.");
        y += 26.0;
    }
    let choice = choose::logs(logs.events.iter(), MOST_ROWS);
    let mut day = String::new();
    let mut odd = false;
    for item in &choice.items {
        let i = match item {
            LineItem::Line(i) => *i,
            LineItem::Similar(members) => {
                let until = members.last().map(|i| layout::clock(logs.events[*i].timestamp).1).unwrap_or_default();
                let text = format!("… {} similar until {until}", text::grouped(members.len()));
                y += aside(&mut svg, "muted", &text, &columns, y);
                continue;
            }
            LineItem::Gap(gap) => {
                let class = if gap.errors > 0 { "bad" } else { "muted" };
                y += aside(&mut svg, class, &layout::not_shown(*gap, "event"), &columns, y);
                continue;
            }
        };
        let event = &logs.events[i];
        let (of, clock) = layout::clock(event.timestamp);
        if of != day && columns.days {
            layout::put(&mut svg, "head muted", PAD, y + 15.0, &format!("{of} UTC"));
            y += 22.0;
        }
        day = of;
        y += row(&mut svg, event, &clock, &columns, y, odd);
        odd = !odd;
    }
    if choice.omitted.rows > 0 {
        let bad = choice.omitted.errors;
        let errors = if bad > 0 { format!(", {} of them errors", text::grouped(bad)) } else { String::new() };
        let text = format!("… and {}{errors} (all in the data)", text::count(choice.omitted.rows, "more event"));
        layout::put(&mut svg, "name muted", PAD, y + 18.0, &text);
        y += 26.0;
    }
    let first = logs.alt().map(|text| format!(" · {text}")).unwrap_or_default();
    let description = format!("{} · {}{first}", head.pill.1, head.facts);
    layout::sheet(frozen, &head, &description, svg, y, &logs.notes)
}

/// A line between events; returns its height.
fn aside(svg: &mut Svg, class: &str, text: &str, columns: &Columns, y: f64) -> f64 {
    layout::put(svg, &format!("small {class}"), columns.text(), y + 14.0, text);
    20.0
}

/// Draws the compact card: a tick per event on the time axis, taller for errors.
pub(super) fn strip(logs: &Logs, frozen: Option<&Frozen>) -> String {
    let mut svg = Svg::new();
    let (first, last) = logs.range();
    #[expect(clippy::cast_precision_loss, reason = "a position on paper")]
    let span = (last.0.saturating_sub(first.0)) as f64;
    let base = STRIP - 16.0;
    layout::block(&mut svg, "tree", STRIP_CHART, base, END - STRIP_CHART, 0.5, 0.0);
    let mut seen: BTreeMap<(bool, i64), ()> = BTreeMap::new();
    for event in &logs.events {
        #[expect(clippy::cast_precision_loss, reason = "a position on paper")]
        let offset = event.timestamp.0.saturating_sub(first.0) as f64;
        let share = if span > 0.0 { (offset / span).clamp(0.0, 1.0) } else { 0.5 };
        let x = STRIP_CHART + 3.0 + share * (END - STRIP_CHART - 6.0);
        let class = class_of(event);
        let bad = class == "bad";
        #[expect(clippy::cast_possible_truncation, reason = "a place of two units on a strip")]
        let place = (x / 2.5) as i64;
        // Overlapping ticks are drawn once.
        if seen.insert((bad, place), ()).is_some() {
            continue;
        }
        let (class, height) = match class {
            "bad" => ("bad", 30.0),
            "open" => ("open", 22.0),
            _ => ("s0", 14.0),
        };
        layout::block(&mut svg, class, x - 1.25, base - height, 2.5, height, 1.0);
    }
    layout::strip(frozen, &head(logs, frozen), svg)
}

struct Columns {
    /// Whether there is more than one day, so that each row shows its date.
    days: bool,
    severity: bool,
    /// Whether there is more than one group or stream, so that each row shows its own.
    sources: bool,
    /// The traces in order of appearance, if there is more than one or some events have none.
    traces: BTreeMap<TraceId, usize>,
}

impl Columns {
    fn of(logs: &Logs) -> Self {
        let mut traces = BTreeMap::new();
        for event in &logs.events {
            let next = traces.len();
            if let Some(id) = event.trace_id {
                traces.entry(id).or_insert(next);
            }
        }
        if shared_trace(logs).is_some() {
            traces.clear();
        }
        let (first, last) = logs.range();
        let shown = logs.events.first();
        Self {
            days: layout::clock(first).0 != layout::clock(last).0,
            severity: logs.events.iter().any(|e| !e.severity.is_empty() || matches!(class_of(e), "bad" | "open")),
            sources: logs.events.iter().any(|e| shown.is_some_and(|s| (&s.group, &s.stream) != (&e.group, &e.stream))),
            traces,
        }
    }
}

impl Columns {
    /// Where the text begins.
    fn text(&self) -> f64 {
        PAD + TIME + if self.severity { CHIP + 8.0 } else { 0.0 }
    }
}

/// The one trace that every event names.
fn shared_trace(logs: &Logs) -> Option<TraceId> {
    let first = logs.events.first()?.trace_id?;
    logs.events.iter().all(|e| e.trace_id == Some(first)).then_some(first)
}

fn row(svg: &mut Svg, event: &LogEvent, clock: &str, columns: &Columns, y: f64, odd: bool) -> f64 {
    let class = class_of(event);
    let x = columns.text();
    let chip = if columns.traces.is_empty() { 0.0 } else { 92.0 };
    let lines = CODE.wrap(&event.message, END - x - chip, MOST_LINES);
    let meta = meta(event, columns);
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = (lines.len().max(1) as f64) * LINE + if meta.is_empty() { 0.0 } else { 15.0 } + 9.0;
    if odd {
        layout::band(svg, y, height);
    }
    if class == "bad" {
        layout::block(svg, "bad", PAD - 8.0, y + 2.0, 3.0, height - 4.0, 1.5);
    }
    let first = y + 17.0;
    layout::put(svg, "small mono muted", PAD, first, clock);
    // A level that only the text states is shown where it matters.
    let stated = event.log_level().filter(|level| *level >= LogLevel::Warn).map_or("", LogLevel::word);
    let severity = if event.severity.is_empty() { stated } else { &event.severity };
    if !severity.is_empty() {
        layout::tag(svg, PAD + TIME, first - 4.0, class, severity, CHIP);
    }
    let mut line = first;
    if lines.iter().all(String::is_empty) {
        layout::put(svg, "small muted", x, line, "(no text)");
        line += LINE;
    } else {
        for text in &lines {
            layout::code(svg, "", x, line, text);
            line += LINE;
        }
    }
    if let Some((id, n)) = event.trace_id.and_then(|id| Some((id, *columns.traces.get(&id)?))) {
        let text = id.short();
        let width = MONO.width(&text);
        let hue = format!("s{}", n % HUES);
        layout::block(svg, "chip", END - width - 24.0, first - 12.0, width + 24.0, 16.0, 8.0);
        svg.leaf(
            "circle",
            &[
                ("class", (&hue).into()),
                ("cx", (END - width - 14.0).into()),
                ("cy", (first - 4.0).into()),
                ("r", 3.5.into()),
            ],
        );
        layout::end(svg, "small mono muted", END - 6.0, first, &text);
    }
    layout::put(svg, "small muted", x, line, &SMALL.fit(&meta, END - x));
    height
}

/// Its origin, if that differs between events, and the attributes from the author of the code.
fn meta(event: &LogEvent, columns: &Columns) -> String {
    let mut parts = Vec::new();
    if columns.sources {
        let source: Vec<&str> = [&event.group, &event.stream]
            .into_iter()
            .filter(|s| !s.is_empty())
            .map(|s| text::beginning(s, 80))
            .collect();
        parts.push(source.join(" / "));
    }
    let own = event.attributes.iter().filter(|a| !a.key.starts_with("resource."));
    parts.extend(captions::own(own).take(12));
    parts.retain(|p| !p.is_empty());
    layout::clean(&parts.join("  ·  "))
}

fn head(logs: &Logs, frozen: Option<&Frozen>) -> Head {
    let groups = logs.groups();
    let otlp = logs.events.iter().all(|e| e.origin == LogOrigin::Otlp);
    let title = match groups.as_slice() {
        [] => "Log events".to_owned(),
        [one] => format!("Log events of {}", text::beginning(one, 200)),
        [one, rest @ ..] => format!("Log events of {} and {} more", text::beginning(one, 200), rest.len()),
    };
    let (first, last) = logs.range();
    let mut facts = vec![text::count(logs.events.len(), "event")];
    facts.extend(counts(logs));
    if !logs.events.is_empty() {
        if last > first {
            facts.push(human_duration(last.0.saturating_sub(first.0)));
        }
        facts.push(first.rfc3339().replace('T', " ").replace('Z', " UTC"));
    }
    let count = |class: &str| logs.events.iter().filter(|e| class_of(e) == class).count();
    let pill = match (count("bad"), count("open")) {
        (0, 0) => ("note", "LOGS".to_owned()),
        (0, n) => ("open", text::count_of(n, "WARNING", "WARNINGS")),
        (n, _) => ("bad", text::count_of(n, "ERROR", "ERRORS")),
    };
    let mut chips = Vec::new();
    let mut streams: Vec<&str> = Vec::new();
    for event in logs.events.iter().filter(|e| !e.stream.is_empty()) {
        if !streams.contains(&event.stream.as_str()) && streams.len() < 2 {
            streams.push(&event.stream);
        }
    }
    if let [one] = groups.as_slice() {
        chips.push((if otlp { "service" } else { "log group" }, text::beginning(one, 300).to_owned()));
    }
    if let [one] = streams.as_slice() {
        chips.push((if otlp { "logger" } else { "log stream" }, text::beginning(one, 300).to_owned()));
    }
    if let Some(filter) = frozen.map(|f| &f.evidence.provenance.question.filter).filter(|f| !f.is_empty()) {
        chips.push(("filter", text::beginning(filter, 300).to_owned()));
    }
    let aside = shared_trace(logs).map(|id| format!("trace {id}")).unwrap_or_default();
    Head { title, facts: facts.join(" · "), aside, pill, chips }
}

fn table(logs: &Logs) -> Table {
    let rows: Vec<LineRow> = logs.events.iter().map(choose::log_row).collect();
    let choice = choose_lines(&rows, Manner::logs(MOST_ROWS));
    let head = ["Time", "Severity", "Message", "Group", "Stream", "Trace"];
    let summary = std::iter::once(text::count(logs.events.len(), "event")).chain(counts(logs));
    let summary = summary.collect::<Vec<_>>().join(", ");
    of_lines(&summary, head, &choice, 2, |i| {
        let e = &logs.events[i];
        [
            e.timestamp.rfc3339(),
            e.severity.clone(),
            e.message.clone(),
            e.group.clone(),
            e.stream.clone(),
            e.trace_id.map(|id| id.to_string()).unwrap_or_default(),
        ]
    })
}

//! The card of log events: one row per event.

use std::collections::BTreeMap;

use tracebook_core::choose::{self, Errors, LineItem, LineRow, Manner};
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::ids::TraceId;
use tracebook_core::level::LogLevel;
use tracebook_core::logs::{LogEvent, LogOrigin, Logs};
use tracebook_core::template::template;
use tracebook_core::text;
use tracebook_core::time::human_duration;

use super::Picture;
use super::captions::{self, named};
use super::form::Width;
use super::frame::{PAD, end_of};
use super::layout::{self, Area, CODE, Head, MONO, SMALL, TAG};
use super::style::HUES;
use super::table::{Table, choose_lines, of_lines};
use super::xml::Svg;

/// Maximum number of events that are drawn.
const MOST_ROWS: usize = 60;
/// Maximum number of lines of one message, on a wide and on a narrow card.
const MOST_LINES: usize = 3;
const MOST_LINES_NARROW: usize = 6;
const LINE: f64 = 16.5;
const TIME: f64 = 100.0;
const CHIP: f64 = 86.0;

impl Picture for &Logs {
    fn head(&self, frozen: Option<&Frozen>) -> Head {
        head(self, frozen)
    }

    fn body(&self, svg: &mut Svg, top: f64) -> f64 {
        let columns = Columns::of(self, svg.width());
        let mut y = top;
        if self.more > 0 {
            let text = format!(
                "{} matched and {} not kept in this evidence",
                text::count(self.more as usize, "older event"),
                if self.more == 1 { "is" } else { "are" }
            );
            y = layout::lines(svg, "small open", PAD, y - 4.0, &SMALL.wrap(&text, columns.end - PAD, 2), 17.0) + 6.0;
        }
        if self.events.is_empty() {
            layout::put(svg, "name muted", PAD, y + 16.0, "No log event matched.");
            y += 26.0;
        }
        let choice = choose::logs(self.events.iter(), MOST_ROWS);
        let mut day = String::new();
        let mut odd = false;
        for item in &choice.items {
            let i = match item {
                LineItem::Line(i) => *i,
                LineItem::Similar(members) => {
                    let is_error = members.first().is_some_and(|i| class_of(&self.events[*i]) == "bad");
                    y += aside(svg, if is_error { "bad" } else { "muted" }, &similar(self, members), &columns, y);
                    continue;
                }
                LineItem::Gap(gap) => {
                    let class = if gap.errors > 0 { "bad" } else { "muted" };
                    y += aside(svg, class, &layout::not_shown(*gap, "event"), &columns, y);
                    continue;
                }
            };
            let event = &self.events[i];
            let (of, clock) = layout::clock(event.timestamp);
            if of != day && columns.days {
                layout::put(svg, "head muted", PAD, y + 15.0, &format!("{of} UTC"));
                y += 22.0;
            }
            day = of;
            y += row(svg, event, &clock, &columns, y, odd);
            odd = !odd;
        }
        if choice.omitted.rows > 0 {
            let bad = choice.omitted.errors;
            let errors = if bad > 0 { format!(", {} of them errors", text::grouped(bad)) } else { String::new() };
            let text = format!("… and {}{errors} (all in the data)", text::count(choice.omitted.rows, "more event"));
            layout::put(svg, "name muted", PAD, y + 18.0, &text);
            y += 26.0;
        }
        y
    }

    /// A tick per event on the time axis, taller for errors.
    fn chart(&self, svg: &mut Svg, area: Area) {
        let (first, last) = self.range();
        #[expect(clippy::cast_precision_loss, reason = "a position on paper")]
        let span = (last.0.saturating_sub(first.0)) as f64;
        let base = area.bottom - 6.0;
        layout::block(svg, "tree", area.left, base, area.width(), 0.5, 0.0);
        let mut seen: BTreeMap<(bool, i64), ()> = BTreeMap::new();
        for event in &self.events {
            #[expect(clippy::cast_precision_loss, reason = "a position on paper")]
            let offset = event.timestamp.0.saturating_sub(first.0) as f64;
            let share = if span > 0.0 { (offset / span).clamp(0.0, 1.0) } else { 0.5 };
            let x = area.left + 3.0 + share * (area.width() - 6.0);
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
            layout::block(svg, class, x - 1.25, base - height, 2.5, height, 1.0);
        }
    }

    fn notes(&self, _: Width) -> Vec<String> {
        self.notes.clone()
    }

    fn table(&self) -> Table {
        table(self, Errors::Fold)
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
        let errors = self.events.iter().filter(|e| e.log_level().is_some_and(LogLevel::is_error));
        captions::errors(errors.map(|e| (template(&e.message), e.message.as_str())))
    }
}

/// `… 74 similar until 15:20:13.087`
fn similar(logs: &Logs, members: &[usize]) -> String {
    let until = members.last().map(|i| layout::clock(logs.events[*i].timestamp).1).unwrap_or_default();
    let is_error = members.first().is_some_and(|i| class_of(&logs.events[*i]) == "bad");
    format!("… {} similar{} until {until}", text::grouped(members.len()), if is_error { " errors" } else { "" })
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

/// A line between events; returns its height.
fn aside(svg: &mut Svg, class: &str, text: &str, columns: &Columns, y: f64) -> f64 {
    layout::put(svg, &format!("small {class}"), columns.text(), y + 14.0, text);
    20.0
}

struct Columns {
    narrow: bool,
    /// Where the text ends.
    end: f64,
    /// Whether there is more than one day, so that each row shows its date.
    days: bool,
    severity: bool,
    /// Whether there is more than one group or stream, so that each row shows its own.
    sources: bool,
    /// The traces in order of appearance, if there is more than one or some events have none.
    traces: BTreeMap<TraceId, usize>,
}

impl Columns {
    fn of(logs: &Logs, width: Width) -> Self {
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
            narrow: width.is_narrow(),
            end: end_of(width),
            days: layout::clock(first).0 != layout::clock(last).0,
            severity: logs.events.iter().any(|e| !e.severity.is_empty() || matches!(class_of(e), "bad" | "open")),
            sources: logs.events.iter().any(|e| shown.is_some_and(|s| (&s.group, &s.stream) != (&e.group, &e.stream))),
            traces,
        }
    }
}

impl Columns {
    /// Where the text begins: on a narrow card below the time.
    fn text(&self) -> f64 {
        if self.narrow {
            return PAD;
        }
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
    let (x, end, narrow) = (columns.text(), columns.end, columns.narrow);
    let trace = event.trace_id.and_then(|id| Some((id.short(), *columns.traces.get(&id)?)));
    let chip = trace.as_ref().map_or(0.0, |(text, _)| MONO.width(text) + 24.0);
    let room = if narrow { end - x } else { end - x - if columns.traces.is_empty() { 0.0 } else { 100.0 } };
    let lines = CODE.wrap(&event.message, room, if narrow { MOST_LINES_NARROW } else { MOST_LINES });
    let meta = SMALL.wrap(&meta(event, columns), end - x, if narrow { 3 } else { 1 });
    let meta: Vec<String> = meta.into_iter().filter(|line| !line.is_empty()).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = (lines.len().max(1) + meta.len()) as f64 * LINE + 9.0 + if narrow { LINE + 3.0 } else { 0.0 };
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
    if let Some((text, n)) = trace {
        // On a narrow card, a level of a few letters leaves room for it.
        let level = if severity.is_empty() { 0.0 } else { (TAG.width(severity) + 20.0).min(CHIP + 8.0) };
        if end - chip >= PAD + TIME + level {
            let hue = format!("s{}", n % HUES);
            layout::block(svg, "chip", end - chip, first - 13.0, chip, 18.0, 9.0);
            let dot = [
                ("class", (&hue).into()),
                ("cx", (end - chip + 10.0).into()),
                ("cy", (first - 4.0).into()),
                ("r", 3.5.into()),
            ];
            svg.leaf("circle", &dot);
            layout::end(svg, "small mono muted", end - 6.0, first, &text);
        }
    }
    let mut line = if narrow { first + LINE + 2.0 } else { first };
    if lines.iter().all(String::is_empty) {
        layout::put(svg, "small muted", x, line, "(no text)");
        line += LINE;
    } else {
        for text in &lines {
            layout::code(svg, "", x, line, text);
            line += LINE;
        }
    }
    layout::lines(svg, "small muted", x, line + 4.0 - LINE, &meta, LINE);
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

/// The table; `errors` says what happens to near-equal ones.
pub(super) fn table(logs: &Logs, errors: Errors) -> Table {
    let rows: Vec<LineRow> = logs.events.iter().map(choose::log_row).collect();
    let choice = choose_lines(&rows, Manner { errors, ..Manner::logs(MOST_ROWS) });
    let head = ["Time", "Severity", "Message", "Group", "Stream", "Trace"];
    let summary = std::iter::once(text::count(logs.events.len(), "event")).chain(counts(logs));
    let summary = summary.collect::<Vec<_>>().join(", ");
    let is_error = |i: usize| rows[i].level.is_some_and(LogLevel::is_error);
    of_lines(&summary, head, &choice, 2, is_error, |i| {
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

//! The card of a dossier: the waterfall of the trace, and all other items on the same time axis.

use tracebook_core::choose::{self, LineItem, LineRow, Manner};
use tracebook_core::console::{Style, plain};
use tracebook_core::dossier::{Dossier, Join, Moment};
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::level::LogLevel;
use tracebook_core::template::template;
use tracebook_core::text;
use tracebook_core::time::{Nanos, human_duration};

use super::Picture;
use super::captions::{self, service_names, trace_id};
use super::console::console_text;
use super::console::{CELL, terminal_line};
use super::frame::{self, PAD};
use super::layout::{self, CODE, END, Head, MONO, NAME, SMALL, STRIP, STRIP_CHART};
use super::logs::class_of;
use super::measure::Font;
use super::table::{MOST_ROWS as MOST_TABLE_ROWS, Table, choose_lines, of_lines};
use super::trace::{alt, status};
use super::waterfall::{Axis, View, Waterfall};
use super::xml::{Svg, number};
use super::{Size, strip as trace_strip};

/// Maximum number of rows.
const MOST_ROWS: usize = 60;
/// Maximum number of marks in one lane.
const MOST_MARKS: usize = 400;
const LANE: f64 = 24.0;
const LINE: f64 = 16.0;
/// The positions of the columns.
const OFFSET: f64 = PAD + 82.0;
const SOURCE: f64 = PAD + 92.0;
const TEXT: f64 = PAD + 196.0;
const JOIN: f64 = 152.0;

impl Picture for Dossier {
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
        captions::kind(Kind::Dossier).to_owned()
    }

    fn facts(&self) -> Vec<String> {
        let mut facts = vec![format!("trace {}", trace_id(&self.trace))];
        facts.extend(service_names(&self.trace));
        facts
    }

    fn alt(&self) -> Option<String> {
        alt(&View::of(&self.trace))
    }
}

/// Draws the full card.
pub(super) fn draw(dossier: &Dossier, frozen: Option<&Frozen>) -> String {
    let trace = &dossier.trace;
    let fall = Waterfall::of(trace);
    let mut notes = dossier.notes.clone();
    notes.extend(trace.notes.iter().cloned());
    let footer = layout::footer(&notes, frozen);

    let mut body = Svg::new();
    fall.draw(&mut body, fall.top());
    let mut y = lanes(&mut body, dossier, &fall.axis, fall.top() + fall.height() + 8.0);
    y = moments(&mut body, dossier, y);

    let name = format!("Dossier of {}", trace.name());
    let facts = facts(dossier);
    let description = fall.description(&facts);
    let foot = y + 12.0;
    let mut svg =
        frame::begin(foot + footer.height(), frozen, Size::Full, &layout::clean(&name), &layout::clean(&description));
    fall.head(&mut svg, &name, &facts);
    svg.raw(&body.finish());
    footer.draw(&mut svg, foot);
    svg.finish()
}

/// Draws the compact card: that of the trace, with marks for all other items below.
pub(super) fn strip(dossier: &Dossier, frozen: Option<&Frozen>) -> String {
    let mut svg = Svg::new();
    let view = View::of(&dossier.trace);
    trace_strip::bars(&mut svg, &view, STRIP - 14.0, 34.0);
    let axis = Axis::of(&dossier.trace, STRIP_CHART, END);
    let y = STRIP - 13.0;
    for (time, mark) in marks(dossier) {
        mark.draw(&mut svg, axis.x(time.0).clamp(STRIP_CHART + 4.0, END - 4.0), y, 0.75);
    }
    let (class, word) = view.verdict();
    let head = Head {
        title: format!("Dossier of {}", dossier.trace.name()),
        facts: format!("{} · {}", facts(dossier), dossier.trace.start().human()),
        aside: String::new(),
        pill: (class, word.to_owned()),
        chips: Vec::new(),
    };
    layout::strip(frozen, &head, svg)
}

fn facts(dossier: &Dossier) -> String {
    let mut facts = vec![text::count(dossier.trace.spans.len(), "span")];
    for (n, noun) in
        [(dossier.logs.len(), "log event"), (dossier.errors.len(), "error"), (dossier.console.len(), "console line")]
    {
        if n > 0 {
            facts.push(text::count(n, noun));
        }
    }
    facts.push(human_duration(dossier.trace.duration()));
    facts.join(" · ")
}

/// A mark on the axis; its shape depends on the source.
#[derive(Clone, Copy)]
enum Mark {
    Log(&'static str),
    Error,
    Line(bool),
}

impl Mark {
    fn draw(self, svg: &mut Svg, x: f64, y: f64, scale: f64) {
        match self {
            Self::Log(severity) => {
                let class = match severity {
                    "note" => "info",
                    class => class,
                };
                let r = 4.6 * scale;
                let path = format!("M{} {} l{r} {r} l-{r} {r} l-{r} -{r} z", number(x), number(y - r), r = number(r));
                svg.leaf("path", &[("class", class.into()), ("d", (&path).into())]);
            }
            Self::Error => {
                if scale < 1.0 {
                    svg.leaf(
                        "circle",
                        &[("class", "bad".into()), ("cx", x.into()), ("cy", y.into()), ("r", 4.0.into())],
                    );
                } else {
                    frame::sign(svg, x, y, "bad");
                }
            }
            Self::Line(stderr) => {
                let class = if stderr { "bad" } else { "note" };
                layout::block(svg, class, x - 3.5 * scale, y - 3.5 * scale, 7.0 * scale, 7.0 * scale, 1.5);
            }
        }
    }
}

fn marks(dossier: &Dossier) -> Vec<(Nanos, Mark)> {
    let logs = dossier.logs.iter().map(|l| (l.event.timestamp, Mark::Log(class_of(&l.event))));
    let lines = dossier.console.iter().filter_map(|l| Some((l.line.time?, Mark::Line(l.line.stderr))));
    let errors = dossier.errors.iter().map(|e| (e.occurrence.timestamp, Mark::Error));
    logs.take(MOST_MARKS).chain(lines.take(MOST_MARKS)).chain(errors.take(MOST_MARKS)).collect()
}

/// One lane per source below the waterfall, on its axis.
fn lanes(svg: &mut Svg, dossier: &Dossier, axis: &Axis, top: f64) -> f64 {
    let all = marks(dossier);
    type Is = fn(&Mark) -> bool;
    let lanes: [(&str, usize, Mark, Is); 3] = [
        ("Log events", dossier.logs.len(), Mark::Log("info"), |m| matches!(m, Mark::Log(_))),
        ("Errors", dossier.errors.len(), Mark::Error, |m| matches!(m, Mark::Error)),
        ("Console lines", dossier.console.len(), Mark::Line(false), |m| matches!(m, Mark::Line(_))),
    ];
    let mut y = top;
    for (name, n, sign, is) in lanes {
        if n == 0 {
            continue;
        }
        let middle = y + LANE / 2.0;
        sign.draw(svg, PAD + 6.0, middle, 1.0);
        layout::put(svg, "name", PAD + 18.0, middle + 4.0, name);
        let x = PAD + 18.0 + NAME.width(name) + 8.0;
        layout::put(svg, "small muted", x, middle + 4.0, &text::grouped(n));
        let line = format!("M{} {} H{}", number(axis.left), number(middle), number(axis.right));
        svg.leaf("path", &[("class", "tree".into()), ("d", (&line).into())]);
        let end = dossier.trace.end().0;
        let (mut before, mut after) = (false, false);
        let mut drawn = f64::MIN;
        let mut here: Vec<_> = all.iter().filter(|(_, m)| is(m)).collect();
        here.sort_by_key(|(time, _)| *time);
        for (time, mark) in here {
            if matches!(mark, Mark::Error) && within_a_second(svg, axis, time.0, end, middle) {
                continue;
            }
            before |= time.0 < axis.start;
            after |= time.0 > end;
            if time.0 < axis.start || time.0 > end {
                continue;
            }
            let x = axis.x(time.0);
            // Marks within a pixel are merged, except errors.
            if (x - drawn).abs() < 1.0 && !matches!(mark, Mark::Log("bad") | Mark::Error) {
                continue;
            }
            drawn = x;
            mark.draw(svg, x, middle, 1.0);
        }
        // Items before or after the trace are arrows at its ends.
        for (is, x, d) in [(before, axis.left - 6.0, -6.0), (after, axis.right + 6.0, 6.0)] {
            if is {
                let path = format!("M{} {} v9 l{} -4.5 z", number(x), number(middle - 4.5), number(d));
                svg.leaf("path", &[("class", "open".into()), ("d", (&path).into())]);
            }
        }
        let said = match (before, after) {
            (true, true) => "outside",
            (true, false) => "before",
            (false, true) => "after",
            (false, false) => "",
        };
        layout::end(svg, "small muted", END, middle + 4.0, &SMALL.fit(said, END - axis.right - 16.0));
        y += LANE;
    }
    y
}

/// Rollbar's times are in seconds, so an error is drawn as the range of its second.
fn within_a_second(svg: &mut Svg, axis: &Axis, time: i64, end: i64, middle: f64) -> bool {
    let until = time.saturating_add(999_999_999);
    if time % 1_000_000_000 != 0 || until < axis.start || time > end {
        return false;
    }
    let (from, to) = (axis.x(time.max(axis.start)), axis.x(until.min(end)));
    let width = (to - from).max(4.0);
    let text = "somewhere in this second";
    layout::block(svg, "badbg", from, middle - 8.0, width, 16.0, 4.0);
    match SMALL.width(text) + 8.0 <= width {
        true => layout::middle(svg, "small bad", from + width / 2.0, middle + 4.0, text),
        false => frame::sign(svg, from + width / 2.0, middle, "bad"),
    }
    true
}

/// All items except spans, by time.
fn moments(svg: &mut Svg, dossier: &Dossier, top: f64) -> f64 {
    let mut line: Vec<(Option<Nanos>, Moment)> = dossier
        .time_line()
        .into_iter()
        .filter(|(_, moment)| !matches!(moment, Moment::Span(_)))
        .map(|(time, moment)| (Some(time), moment))
        .collect();
    let timeless = dossier.console.iter().enumerate().filter(|(_, l)| l.line.time.is_none());
    line.extend(timeless.map(|(i, _)| (None, Moment::Line(i))));

    let mut y = top + 8.0;
    layout::rule(svg, y);
    layout::put(svg, "name b", PAD, y + 20.0, "In the order of time");
    let since = dossier.trace.start().rfc3339().replace('T', " ").replace('Z', " UTC");
    layout::end(svg, "small muted", END, y + 20.0, &format!("times since {since}"));
    y += 30.0;
    if line.is_empty() {
        let text = "Nothing but the trace itself was found.";
        layout::put(svg, "name muted", PAD, y + 14.0, text);
        return y + 24.0;
    }
    let rows: Vec<LineRow> = line.iter().map(|(_, moment)| line_row(dossier, *moment)).collect();
    let choice = choose::lines(&rows, Manner { room: MOST_ROWS, head: 2, tail: 8, around: 1, scattered: true });
    let mut odd = false;
    for item in &choice.items {
        let (class, text) = match item {
            LineItem::Line(i) => {
                let (time, moment) = line[*i];
                y += row(svg, dossier, time, moment, y, odd);
                odd = !odd;
                continue;
            }
            LineItem::Similar(members) => ("small muted", format!("… {} similar", text::grouped(members.len()))),
            LineItem::Gap(gap) if gap.errors > 0 => ("small bad", layout::not_shown(*gap, "moment")),
            LineItem::Gap(gap) => ("small muted", layout::not_shown(*gap, "moment")),
        };
        layout::put(svg, class, TEXT, y + 14.0, &text);
        y += 20.0;
    }
    if choice.omitted.rows > 0 {
        let text = format!("… and {} (all in the data)", text::count(choice.omitted.rows, "more moment"));
        layout::put(svg, "name muted", PAD, y + 18.0, &text);
        y += 26.0;
    }
    y
}

/// What is known about a moment, for choosing.
fn line_row(dossier: &Dossier, moment: Moment) -> LineRow {
    match moment {
        Moment::Log(i) => {
            let log = &dossier.logs[i];
            LineRow { matched: log.by != Join::Time, ..choose::log_row(&log.event) }
        }
        Moment::Error(i) => {
            let error = &dossier.errors[i];
            LineRow {
                level: Some(error.occurrence.level.into()),
                form: error.occurrence.title.clone(),
                matched: true,
                ..LineRow::default()
            }
        }
        Moment::Line(i) => {
            let line = &dossier.console[i];
            let row = choose::console_rows(std::slice::from_ref(&line.line)).pop().unwrap_or_default();
            LineRow { matched: line.by != Join::Time, block: None, ..row }
        }
        Moment::Span(i) => {
            let span = &dossier.trace.spans[i];
            LineRow {
                level: span.failure().map(|_| LogLevel::Error),
                form: format!("{}\u{0}{}", span.service, template(&span.title())),
                ..LineRow::default()
            }
        }
    }
}

/// The content of a row.
struct Shown<'a> {
    tag: (&'static str, String),
    text: &'a str,
    /// Its source.
    from: String,
    by: Join,
    /// Its content as text.
    joined: &'static str,
    /// A console line keeps its colours.
    colours: bool,
    /// Rollbar's times are in seconds.
    seconds: bool,
}

fn shown(dossier: &Dossier, moment: Moment) -> Shown<'_> {
    let short = |text: &str| text.chars().take(100).collect::<String>();
    let joined = |parts: [&str; 2]| {
        let parts: Vec<String> = parts.into_iter().filter(|p| !p.is_empty()).map(short).collect();
        parts.join(" / ")
    };
    match moment {
        Moment::Log(i) => {
            let log = &dossier.logs[i];
            let severity: String = log.event.severity.chars().take(12).collect();
            Shown {
                tag: (class_of(&log.event), format!("LOG {severity}").trim_end().to_owned()),
                text: &log.event.message,
                from: joined([&log.event.group, &log.event.stream]),
                by: log.by,
                joined: log.words(),
                colours: false,
                seconds: false,
            }
        }
        Moment::Error(i) => {
            let error = &dossier.errors[i];
            Shown {
                tag: ("bad", error.occurrence.level.word().to_uppercase()),
                text: &error.occurrence.title,
                from: joined([&error.occurrence.environment, &error.occurrence.context]),
                by: error.by,
                joined: error.words(&dossier.trace),
                colours: false,
                seconds: true,
            }
        }
        Moment::Line(i) => {
            let line = &dossier.console[i];
            let word = if line.line.stderr { "CONSOLE ERR" } else { "CONSOLE" };
            Shown {
                tag: ("note", word.to_owned()),
                text: &line.line.text,
                from: short(&line.stream),
                by: line.by,
                joined: line.words(),
                colours: true,
                seconds: false,
            }
        }
        Moment::Span(_) => Shown {
            tag: ("note", "SPAN".to_owned()),
            text: "",
            from: String::new(),
            by: Join::TraceId,
            joined: "",
            colours: false,
            seconds: false,
        },
    }
}

fn row(svg: &mut Svg, dossier: &Dossier, time: Option<Nanos>, moment: Moment, top: f64, odd: bool) -> f64 {
    let shown = shown(dossier, moment);
    let room = END - JOIN - TEXT - 8.0;
    let lines = if shown.colours { vec![String::new()] } else { CODE.wrap(shown.text, room, 3) };
    #[expect(clippy::cast_precision_loss, reason = "at most three lines")]
    let height = lines.len().max(1) as f64 * LINE + if shown.from.is_empty() { 9.0 } else { 24.0 };
    if odd {
        layout::band(svg, top, height);
    }
    if shown.tag.0 == "bad" {
        layout::block(svg, "bad", PAD - 8.0, top + 2.0, 3.0, height - 4.0, 1.5);
    }
    let y = top + 17.0;
    let offset = match time {
        None => "no time".to_owned(),
        Some(time) if shown.seconds => {
            let clock = layout::clock(time).1;
            clock.split('.').next().unwrap_or_default().to_owned()
        }
        Some(time) => {
            let nanos = time.0.saturating_sub(dossier.trace.start().0);
            format!("{}{}", if nanos >= 0 { "+" } else { "" }, human_duration(nanos))
        }
    };
    layout::end(svg, "small mono muted", OFFSET, y, &MONO.fit(&offset, OFFSET - PAD));
    layout::tag(svg, SOURCE, y - 4.0, shown.tag.0, &shown.tag.1, TEXT - SOURCE - 8.0);
    let mut line = y;
    if shown.colours {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some seventy columns")]
        let columns = (room / CELL) as usize;
        terminal_line(svg, shown.text, TEXT, line, columns, &mut Style::default());
        if plain(text::beginning(shown.text, 400)).trim().is_empty() {
            layout::put(svg, "small muted", TEXT, line, "(an empty line)");
        }
        line += LINE;
    } else {
        for text in &lines {
            layout::code(svg, "", TEXT, line, text);
            line += LINE;
        }
    }
    let from = Font::plain(11.0).fit(&layout::clean(&shown.from), room);
    layout::put(svg, "small muted", TEXT, line, &from);
    // Items that may belong to another request are marked.
    let class = if shown.by == Join::Time { "small open" } else { "small muted" };
    let by = match shown.by {
        Join::Header => "by its trace header",
        Join::TraceId | Join::Time => shown.joined,
    };
    layout::end(svg, class, END, y, &SMALL.fit(by, JOIN + 2.0));
    if shown.seconds && time.is_some() {
        layout::end(svg, "small muted", END, y + LINE, "timed to the second");
    }
    height
}

fn table(dossier: &Dossier) -> Table {
    let mut line: Vec<(Option<Nanos>, Moment)> =
        dossier.time_line().into_iter().map(|(time, moment)| (Some(time), moment)).collect();
    let timeless = dossier.console.iter().enumerate().filter(|(_, l)| l.line.time.is_none());
    line.extend(timeless.map(|(i, _)| (None, Moment::Line(i))));
    let rows: Vec<LineRow> = line.iter().map(|(_, moment)| line_row(dossier, *moment)).collect();
    let manner = Manner { room: MOST_TABLE_ROWS, head: 2, tail: 8, around: 1, scattered: true };
    let choice = choose_lines(&rows, manner);
    let summary = text::count(line.len(), "moment");
    of_lines(&summary, ["Time", "Source", "What", "Joined"], &choice, 2, |i| {
        let (time, moment) = line[i];
        let (source, text, by) = match moment {
            Moment::Span(i) => {
                let span = &dossier.trace.spans[i];
                let duration = span.duration().map_or_else(|| "in progress".to_owned(), human_duration);
                let error = dossier.trace.failures(span).into_iter().next().unwrap_or_default();
                let parts = [span.title(), span.service.clone(), duration, status(span), error];
                let parts: Vec<String> = parts.into_iter().filter(|p| !p.is_empty()).collect();
                ("span", parts.join(" · "), "the trace itself")
            }
            Moment::Log(i) => {
                let log = &dossier.logs[i];
                let event = &log.event;
                let severity = if event.severity.is_empty() { String::new() } else { format!("{} ", event.severity) };
                ("log", format!("{severity}{}", event.message), log.words())
            }
            Moment::Error(i) => {
                let error = &dossier.errors[i];
                ("error", error.occurrence.title.clone(), error.words(&dossier.trace))
            }
            Moment::Line(i) => {
                let line = &dossier.console[i];
                ("console", console_text(&line.line), line.words())
            }
        };
        [time.map(|time| time.rfc3339()).unwrap_or_default(), source.to_owned(), text, by.to_owned()]
    })
}

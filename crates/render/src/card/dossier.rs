//! The card of a dossier: the waterfall of the trace, and all other items on the same time axis.

use tracebook_core::choose::{self, Errors, LineItem, LineRow, Manner};
use tracebook_core::console::{Style, plain};
use tracebook_core::dossier::{Dossier, Join, Moment};
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::level::LogLevel;
use tracebook_core::template::template;
use tracebook_core::text;
use tracebook_core::time::{Nanos, human_duration};

use super::Picture;
use super::bars::Axis;
use super::captions::{self, service_names, trace_id};
use super::console::console_text;
use super::console::{CELL, terminal_line};
use super::form::Width;
use super::frame::{self, PAD, end_of};
use super::layout::{self, Area, CODE, Head, MONO, NAME, SMALL};
use super::logs::class_of;
use super::table::{MOST_ROWS as MOST_TABLE_ROWS, Table, choose_lines, of_lines};
use super::trace::{TraceCard, alt, bars, status};
use super::waterfall::Waterfall;
use super::xml::{Svg, number};

/// Maximum number of rows.
const MOST_ROWS: usize = 60;
/// Maximum number of marks in one lane.
const MOST_MARKS: usize = 400;
const LANE: f64 = 24.0;
const LINE: f64 = 16.5;

/// A dossier, and the card of its trace.
pub(super) struct DossierCard<'a> {
    dossier: &'a Dossier,
    trace: TraceCard<'a>,
}

impl<'a> DossierCard<'a> {
    pub(super) fn of(dossier: &'a Dossier) -> Self {
        Self { dossier, trace: TraceCard::of(&dossier.trace) }
    }
}

impl Picture for DossierCard<'_> {
    fn head(&self, _: Option<&Frozen>) -> Head {
        let start = self.dossier.trace.start().human();
        let facts = format!("{} · {start}", facts(self.dossier));
        self.trace.view().head(format!("Dossier of {}", self.dossier.trace.name()), facts)
    }

    fn body(&self, svg: &mut Svg, top: f64) -> f64 {
        let fall = Waterfall::of(self.trace.view(), svg.width());
        let y = fall.draw(svg, top);
        let y = lanes(svg, self.dossier, &fall.axis, y + 8.0);
        moments(svg, self.dossier, y)
    }

    /// That of the trace, with marks for all other items below.
    fn chart(&self, svg: &mut Svg, area: Area) {
        let bars_area = Area { bottom: area.bottom - 12.0, ..area };
        bars(svg, self.trace.view(), bars_area);
        let axis = Axis::of(&self.dossier.trace, area.left, area.right);
        for (time, mark) in marks(self.dossier) {
            mark.draw(svg, axis.x(time.0).clamp(area.left + 4.0, area.right - 4.0), area.bottom - 5.0, 0.75);
        }
    }

    fn notes(&self, _: Width) -> Vec<String> {
        self.dossier.notes.iter().chain(&self.dossier.trace.notes).cloned().collect()
    }

    fn description(&self, head: &Head) -> String {
        self.trace.view().description(&head.facts)
    }

    fn table(&self) -> Table {
        table(self.dossier, Errors::Fold)
    }

    fn subject(&self) -> String {
        captions::kind(Kind::Dossier).to_owned()
    }

    fn facts(&self) -> Vec<String> {
        let mut facts = vec![format!("trace {}", trace_id(&self.dossier.trace))];
        facts.extend(service_names(&self.dossier.trace));
        facts
    }

    fn alt(&self) -> Option<String> {
        alt(self.trace.view())
    }
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
    let (narrow, card_end) = (svg.width().is_narrow(), end_of(svg.width()));
    let mut y = top;
    for (name, n, sign, is) in lanes {
        if n == 0 {
            continue;
        }
        let named = y + LANE / 2.0;
        sign.draw(svg, PAD + 6.0, named, 1.0);
        layout::put(svg, "name", PAD + 18.0, named + 4.0, name);
        let x = PAD + 18.0 + NAME.width(name) + 8.0;
        layout::put(svg, "small muted", x, named + 4.0, &text::grouped(n));
        // On a narrow card, the axis takes the whole width: its marks are below the name.
        if narrow {
            y += LANE - 4.0;
        }
        let middle = y + LANE / 2.0;
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
        let beside = if narrow { -1.0 } else { 6.0 };
        for (is, x, d) in [(before, axis.left - beside, -6.0), (after, axis.right + beside, 6.0)] {
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
        match narrow {
            true => layout::end(svg, "small muted", card_end, named + 4.0, said),
            false => {
                layout::end(svg, "small muted", card_end, middle + 4.0, &SMALL.fit(said, card_end - axis.right - 16.0))
            }
        }
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
    let since = format!("times since {since}");
    let end = end_of(svg.width());
    match svg.width().is_narrow() {
        true => {
            layout::put(svg, "small muted", PAD, y + 37.0, &SMALL.fit(&since, end - PAD));
            y += 17.0;
        }
        false => layout::end(svg, "small muted", end, y + 20.0, &since),
    }
    y += 30.0;
    let place = Columns::of(svg.width());
    if line.is_empty() {
        let text = "Nothing but the trace itself was found.";
        layout::put(svg, "name muted", PAD, y + 14.0, text);
        return y + 24.0;
    }
    let rows: Vec<LineRow> = line.iter().map(|(_, moment)| line_row(dossier, *moment)).collect();
    let choice = choose::lines(&rows, manner(MOST_ROWS, Errors::Fold));
    let mut odd = false;
    for item in &choice.items {
        let (class, text) = match item {
            LineItem::Line(i) => {
                let (time, moment) = line[*i];
                y += row(svg, dossier, &place, time, moment, y, odd);
                odd = !odd;
                continue;
            }
            LineItem::Similar(members) => {
                let is_error = members.first().is_some_and(|i| rows[*i].level.is_some_and(LogLevel::is_error));
                let (class, noun) = if is_error { ("small bad", " errors") } else { ("small muted", "") };
                (class, format!("… {} similar{noun}", text::grouped(members.len())))
            }
            LineItem::Gap(gap) if gap.errors > 0 => ("small bad", layout::not_shown(*gap, "moment")),
            LineItem::Gap(gap) => ("small muted", layout::not_shown(*gap, "moment")),
        };
        layout::put(svg, class, place.text, y + 14.0, &text);
        y += 20.0;
    }
    if choice.omitted.rows > 0 {
        let text = format!("… and {} (all in the data)", text::count(choice.omitted.rows, "more moment"));
        layout::put(svg, "name muted", PAD, y + 18.0, &text);
        y += 26.0;
    }
    y
}

/// How moments are chosen.
fn manner(room: usize, errors: Errors) -> Manner {
    Manner { room, head: 2, tail: 8, around: 1, scattered: true, errors }
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

/// The positions of the columns. On a narrow card, the text is below the others.
struct Columns {
    narrow: bool,
    /// Where offsets end, and where the tags of the sources begin.
    offset: f64,
    source: f64,
    text: f64,
    /// Where the text ends, and where the card does.
    text_end: f64,
    end: f64,
}

impl Columns {
    fn of(width: Width) -> Self {
        let end = end_of(width);
        match width.is_narrow() {
            true => Self { narrow: true, offset: PAD + 64.0, source: PAD + 72.0, text: PAD, text_end: end, end },
            false => Self {
                narrow: false,
                offset: PAD + 82.0,
                source: PAD + 92.0,
                text: PAD + 208.0,
                text_end: end - 160.0,
                end,
            },
        }
    }
}

fn row(
    svg: &mut Svg,
    dossier: &Dossier,
    place: &Columns,
    time: Option<Nanos>,
    moment: Moment,
    top: f64,
    odd: bool,
) -> f64 {
    let shown = shown(dossier, moment);
    let (x, narrow) = (place.text, place.narrow);
    let room = place.text_end - x;
    let lines = match shown.colours {
        true => vec![String::new()],
        false => CODE.wrap(shown.text, room, if narrow { 6 } else { 3 }),
    };
    let from = SMALL.wrap(&layout::clean(&shown.from), room, if narrow { 2 } else { 1 });
    let from: Vec<String> = from.into_iter().filter(|line| !line.is_empty()).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = (lines.len().max(1) + from.len() + if narrow { 2 } else { 0 }) as f64 * LINE + 10.0;
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
    match narrow {
        true => layout::put(svg, "small mono muted", PAD, y, &MONO.fit(&offset, place.offset - PAD)),
        false => layout::end(svg, "small mono muted", place.offset, y, &MONO.fit(&offset, place.offset - PAD)),
    }
    let tag_end = if narrow { place.end } else { x - 8.0 };
    layout::tag(svg, place.source, y - 4.0, shown.tag.0, &shown.tag.1, tag_end - place.source);
    let mut line = if narrow { y + LINE + 2.0 } else { y };
    if shown.colours {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some seventy columns")]
        let columns = (room / CELL) as usize;
        terminal_line(svg, shown.text, x, line, columns, &mut Style::default());
        if plain(text::beginning(shown.text, 400)).trim().is_empty() {
            layout::put(svg, "small muted", x, line, "(an empty line)");
        }
        line += LINE;
    } else {
        for text in &lines {
            layout::code(svg, "", x, line, text);
            line += LINE;
        }
    }
    let below = layout::lines(svg, "small muted", x, line + 4.0 - LINE, &from, LINE);
    // Items that may belong to another request are marked.
    let class = if shown.by == Join::Time { "small open" } else { "small muted" };
    let by = match shown.by {
        Join::Header => "by its trace header",
        Join::TraceId | Join::Time => shown.joined,
    };
    let precision = if shown.seconds && time.is_some() { "timed to the second" } else { "" };
    match narrow {
        true => {
            let by = [by, precision].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
            layout::put(svg, class, PAD, below + LINE - 4.0, &SMALL.fit(&by, place.end - PAD));
        }
        false => {
            layout::end(svg, class, place.end, y, &SMALL.fit(by, place.end - place.text_end - 6.0));
            layout::end(svg, "small muted", place.end, y + LINE, precision);
        }
    }
    height
}

/// The table; `errors` says what happens to near-equal ones.
pub(super) fn table(dossier: &Dossier, errors: Errors) -> Table {
    let mut line: Vec<(Option<Nanos>, Moment)> =
        dossier.time_line().into_iter().map(|(time, moment)| (Some(time), moment)).collect();
    let timeless = dossier.console.iter().enumerate().filter(|(_, l)| l.line.time.is_none());
    line.extend(timeless.map(|(i, _)| (None, Moment::Line(i))));
    let rows: Vec<LineRow> = line.iter().map(|(_, moment)| line_row(dossier, *moment)).collect();
    let choice = choose_lines(&rows, manner(MOST_TABLE_ROWS, errors));
    let summary = text::count(line.len(), "moment");
    let is_error = |i: usize| rows[i].level.is_some_and(LogLevel::is_error);
    of_lines(&summary, ["Time", "Source", "What", "Joined"], &choice, 2, is_error, |i| {
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

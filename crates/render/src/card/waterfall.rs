//! The full card of a trace: one row per span, each with a bar on a common time axis.

use std::collections::{BTreeSet, HashMap};

use tracebook_core::assemble::{self, Row};
use tracebook_core::evidence::Frozen;
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::{Span, Trace};

use super::frame::{self, Footer, PAD, WIDTH};
use super::measure::Font;
use super::style::HUES;
use super::xml::{Svg, number};
use super::{Size, captions};

/// Maximum number of spans that are drawn.
const MOST_ROWS: usize = 60;
/// Maximum lines of text under one row.
const MOST_WORDS: usize = 3;
/// Maximum number of events drawn on one bar.
const MOST_EVENTS: usize = 60;
/// Spans deeper than this are not indented further.
const DEEPEST: usize = 10;
const INDENT: f64 = 14.0;

const LABELS: f64 = 304.0;
const CHART: f64 = 344.0;
const CHART_END: f64 = 780.0;
const DURATIONS: f64 = WIDTH - PAD;

const ROW: f64 = 26.0;
const WORDS: f64 = 18.0;
const BAR: f64 = 12.0;

const TITLE: Font = Font::bold(17.0);
const NAME: Font = Font::plain(12.5);
const NAME_BOLD: Font = Font::bold(12.5);
const SMALL: Font = Font::plain(11.0);
const ID: Font = Font::mono(11.0);

/// The trace's time axis: converts nanoseconds to user units.
pub(super) struct Axis {
    pub(super) start: i64,
    span: f64,
    pub(super) left: f64,
    pub(super) right: f64,
}

impl Axis {
    pub(super) fn of(trace: &Trace, left: f64, right: f64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a position on paper")]
        let span = trace.duration().max(0) as f64;
        Self { start: trace.start().0, span, left, right }
    }

    /// The position of a time, clamped to the ends of the trace.
    pub(super) fn x(&self, nanos: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a position on paper")]
        let offset = nanos.saturating_sub(self.start) as f64;
        if self.span <= 0.0 {
            self.left
        } else {
            self.left + (offset / self.span).clamp(0.0, 1.0) * (self.right - self.left)
        }
    }

    /// The start and width of a span's bar: at least wide enough to be visible, and within the axis.
    pub(super) fn bar(&self, span: &Span, narrowest: f64) -> (f64, f64) {
        let from = self.x(span.start.0);
        let to = span.end.map_or(self.right, |end| self.x(end.0));
        let width = (to - from).max(narrowest);
        (from.min(self.right - width).max(self.left), width)
    }

    /// The ticks, in nanoseconds since the start: at most seven, at round times.
    fn ticks(&self) -> Vec<i64> {
        if self.span < 1.0 {
            return vec![0];
        }
        let rough = self.span / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(self.span).max(1.0);
        #[expect(clippy::cast_possible_truncation, reason = "no longer than the trace, which is an i64")]
        (0..8).map(|i| f64::from(i) * step).take_while(|t| *t <= self.span).map(|t| t as i64).collect()
    }
}

/// The colour of a service, by its position in the trace.
pub(super) fn hues(trace: &Trace) -> HashMap<&str, usize> {
    let mut hues = HashMap::new();
    for span in &trace.spans {
        let next = hues.len() % HUES;
        hues.entry(span.service.as_str()).or_insert(next);
    }
    hues
}

/// A line of the drawing before layout.
enum Line<'a> {
    /// A missing parent.
    Phantom {
        text: String,
        from: f64,
        to: f64,
    },
    Span(&'a Row, &'a Span),
    /// Text under a span.
    Words {
        text: String,
        depth: usize,
        bad: bool,
    },
}

impl Line<'_> {
    fn height(&self) -> f64 {
        match self {
            Self::Phantom { .. } | Self::Span(..) => ROW,
            Self::Words { .. } => WORDS,
        }
    }
}

/// The rows of a trace before drawing.
pub(super) struct Waterfall<'a> {
    trace: &'a Trace,
    rows: &'a [Row],
    pub(super) axis: Axis,
    hues: HashMap<&'a str, usize>,
    lines: Vec<Line<'a>>,
}

impl<'a> Waterfall<'a> {
    pub(super) fn of(trace: &'a Trace, rows: &'a [Row]) -> Self {
        let axis = Axis::of(trace, CHART, CHART_END);
        let lines = lines(trace, rows, &axis);
        Self { trace, rows, axis, hues: hues(trace), lines }
    }

    fn body(&self) -> f64 {
        self.lines.iter().map(Line::height).sum()
    }

    fn hidden(&self) -> usize {
        self.rows.len().saturating_sub(MOST_ROWS)
    }

    /// The total height of the rows.
    pub(super) fn height(&self) -> f64 {
        self.body() + if self.hidden() > 0 { 28.0 } else { 0.0 }
    }

    /// The header: name, facts, services.
    pub(super) fn head(&self, svg: &mut Svg, name: &str, facts: &str) {
        gradients(svg, self.trace, self.rows, &self.hues);
        header(svg, self.trace, name, facts);
        legend(svg, self.trace, &captions::services(self.trace), &self.hues);
    }

    /// Draws axis and rows.
    pub(super) fn draw(&self, svg: &mut Svg, top: f64) {
        let Self { trace, rows, axis, hues, lines } = self;
        stripes(svg, lines, top);
        ticks(svg, axis, top, top + self.body());
        let mut y = top;
        let mut tree = Tree::default();
        let parents = assemble::parents(&trace.spans);
        for line in lines {
            match line {
                Line::Phantom { text, from, to } => {
                    tree.joint(svg, 0, y);
                    phantom(svg, text, (*from, *to), y);
                }
                Line::Span(row, span) => {
                    let parent_service = parents[row.index].map(|parent| trace.spans[parent].service.as_str());
                    let hue = hues.get(span.service.as_str()).copied().unwrap_or(0);
                    let name_service = parent_service != Some(span.service.as_str());
                    tree.joint(svg, row.depth, y);
                    span_row(svg, axis, &Drawn { row, span, hue, name_service }, y);
                }
                Line::Words { text, depth, bad } => {
                    let x = indent(*depth) + 16.0;
                    let class = if *bad { "small bad" } else { "small muted" };
                    svg.text(
                        "text",
                        &[("class", class.into()), ("x", x.into()), ("y", (y + 11.0).into())],
                        &SMALL.fit(text, DURATIONS - x),
                    );
                }
            }
            y += line.height();
        }
        let hidden = self.hidden();
        if hidden > 0 {
            let errors = rows.iter().skip(MOST_ROWS).filter(|r| trace.spans[r.index].status.code.is_error()).count();
            let errors = match errors {
                0 => String::new(),
                n => format!(", {} of them with errors", text::grouped(n)),
            };
            let text = format!(
                "… and {} more {}{errors} (all in the data)",
                text::grouped(hidden),
                if hidden == 1 { "span" } else { "spans" }
            );
            svg.text("text", &[("class", "name muted".into()), ("x", PAD.into()), ("y", (y + 18.0).into())], &text);
        }
    }
}

/// The top of the rows.
pub(super) const TOP: f64 = 122.0;

/// Draws the card.
pub(super) fn draw(trace: &Trace, frozen: Option<&Frozen>) -> String {
    let rows = assemble::rows(trace);
    let fall = Waterfall::of(trace, &rows);
    let footer = Footer::of(&trace.notes, frozen);
    let foot = TOP + fall.height() + 10.0;
    let height = foot + footer.height();

    let name = trace.name();
    let facts = format!(
        "{} · {} · {}",
        text::count(trace.spans.len(), "span"),
        human_duration(trace.duration()),
        trace.start().rfc3339().replace('T', " ").replace('Z', " UTC"),
    );
    let description = description(trace, &facts);
    let mut svg = frame::begin(height, frozen, Size::Full, &name, &description);
    fall.head(&mut svg, &name, &facts);
    fall.draw(&mut svg, TOP);
    footer.draw(&mut svg, foot);
    svg.finish()
}

/// A description of a trace, for screen readers.
pub(super) fn description(trace: &Trace, facts: &str) -> String {
    let (_, status) = frame::verdict(trace);
    let services = captions::services(trace);
    let mut text = format!("{status} · {facts}");
    if !services.is_empty() {
        let names: Vec<String> = services.iter().take(8).map(|s| s.chars().take(60).collect()).collect();
        text.push_str(&format!(" · {}", names.join(", ")));
    }
    let failed = trace
        .spans
        .iter()
        .find_map(|s| captions::failures(trace, s).into_iter().next().filter(|_| s.status.code.is_error()));
    if let Some(line) = failed {
        text.push_str(" · ");
        text.extend(line.chars().take(200));
    }
    text
}

fn lines<'a>(trace: &'a Trace, rows: &'a [Row], axis: &Axis) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for row in rows.iter().take(MOST_ROWS) {
        let span = &trace.spans[row.index];
        if let Some(parent) = row.phantom {
            let below = trace.spans.iter().filter(|s| s.parent == Some(parent)).map(|s| axis.bar(s, 2.0));
            let (from, to) = below.fold((CHART_END, CHART), |(from, to), (x, w)| (from.min(x), to.max(x + w)));
            lines.push(Line::Phantom { text: format!("parent {parent} never arrived"), from, to });
        }
        lines.push(Line::Span(row, span));
        let failures = captions::failures(trace, span);
        let left_out = failures.len().saturating_sub(MOST_WORDS);
        for (i, text) in failures.into_iter().take(MOST_WORDS).enumerate() {
            let text =
                if i + 1 == MOST_WORDS && left_out > 0 { format!("{text} … and {left_out} more") } else { text };
            lines.push(Line::Words { text, depth: row.depth, bad: true });
        }
        let said = captions::said(span);
        if !said.is_empty() {
            lines.push(Line::Words {
                text: said.iter().take(12).cloned().collect::<Vec<_>>().join("  ·  "),
                depth: row.depth,
                bad: false,
            });
        }
    }
    lines
}

/// The fading fills of spans that are still in progress.
fn gradients(svg: &mut Svg, trace: &Trace, rows: &[Row], hues: &HashMap<&str, usize>) {
    let open: BTreeSet<usize> = rows
        .iter()
        .take(MOST_ROWS)
        .map(|r| &trace.spans[r.index])
        .filter(|s| s.end.is_none())
        .filter_map(|s| hues.get(s.service.as_str()).copied())
        .collect();
    if open.is_empty() {
        return;
    }
    svg.open("defs", &[]);
    for hue in open {
        let (id, class) = (format!("open{hue}"), format!("s{hue}"));
        svg.open("linearGradient", &[("id", (&id).into())]);
        svg.leaf("stop", &[("class", (&class).into()), ("offset", 0.0.into())]);
        svg.leaf("stop", &[("class", (&class).into()), ("offset", 1.0.into()), ("stop-opacity", 0.08.into())]);
        svg.close();
    }
    svg.close();
}

fn header(svg: &mut Svg, trace: &Trace, name: &str, facts: &str) {
    let pill = frame::pill(svg, WIDTH - PAD, 28.0, trace);
    svg.text(
        "text",
        &[("class", "title".into()), ("x", PAD.into()), ("y", 34.0.into())],
        &TITLE.fit(name, pill - 16.0 - PAD),
    );
    let id = format!("trace {}", captions::trace_id(trace));
    let right = WIDTH - PAD;
    svg.text(
        "text",
        &[("class", "small mono muted".into()), ("x", right.into()), ("y", 56.0.into()), ("text-anchor", "end".into())],
        &id,
    );
    let room = right - ID.width(&id) - 20.0 - PAD;
    svg.text("text", &[("class", "name muted".into()), ("x", PAD.into()), ("y", 56.0.into())], &NAME.fit(facts, room));
}

/// The legend of services with their colours, as many as fit.
fn legend(svg: &mut Svg, trace: &Trace, services: &[&str], hues: &HashMap<&str, usize>) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for span in &trace.spans {
        *counts.entry(span.service.as_str()).or_default() += 1;
    }
    let end = WIDTH - PAD;
    let mut x = PAD;
    for (i, service) in services.iter().enumerate() {
        let left = services.len() - i;
        let spans = counts.get(service).copied().unwrap_or(0);
        let name = SMALL.fit(service, 220.0);
        let label = format!("{name}  {}", text::grouped(spans));
        let width = 14.0 + SMALL.width(&label) + 18.0;
        let reserve = if left > 1 { 80.0 } else { 0.0 };
        if x + width + reserve > end {
            let text = format!("and {} more", text::count(left, "service"));
            svg.text(
                "text",
                &[("class", "small muted".into()), ("x", x.into()), ("y", 79.0.into())],
                &SMALL.fit(&text, end - x),
            );
            return;
        }
        let class = format!("s{}", hues.get(service).copied().unwrap_or(0));
        svg.leaf(
            "rect",
            &[
                ("class", (&class).into()),
                ("x", x.into()),
                ("y", 70.0.into()),
                ("width", 10.0.into()),
                ("height", 10.0.into()),
                ("rx", 3.0.into()),
            ],
        );
        svg.open("text", &[("class", "small".into()), ("x", (x + 15.0).into()), ("y", 79.0.into())]);
        svg.text("tspan", &[], &name);
        svg.text("tspan", &[("class", "muted".into()), ("dx", 5.0.into())], &text::grouped(spans));
        svg.close();
        x += width;
    }
}

fn ticks(svg: &mut Svg, axis: &Axis, top: f64, bottom: f64) {
    svg.leaf(
        "line",
        &[
            ("class", "line".into()),
            ("x1", PAD.into()),
            ("y1", 92.0.into()),
            ("x2", (WIDTH - PAD).into()),
            ("y2", 92.0.into()),
        ],
    );
    for tick in axis.ticks() {
        let x = axis.x(axis.start.saturating_add(tick));
        svg.leaf(
            "line",
            &[
                ("class", "line".into()),
                ("x1", x.into()),
                ("y1", (top - 6.0).into()),
                ("x2", x.into()),
                ("y2", bottom.into()),
            ],
        );
        let anchor = if tick == 0 { "start" } else { "middle" };
        let label = if tick == 0 { "0".to_owned() } else { human_duration(tick) };
        svg.text(
            "text",
            &[
                ("class", "small muted".into()),
                ("x", x.into()),
                ("y", (top - 12.0).into()),
                ("text-anchor", anchor.into()),
            ],
            &label,
        );
    }
}

/// A band behind every other span and its text, below everything else.
fn stripes(svg: &mut Svg, lines: &[Line<'_>], top: f64) {
    let mut y = top;
    let mut odd = true;
    for (i, line) in lines.iter().enumerate() {
        if !matches!(line, Line::Words { .. }) {
            odd = !odd;
            let words = lines[i + 1..].iter().take_while(|l| matches!(l, Line::Words { .. })).map(Line::height);
            let height = line.height() + words.sum::<f64>();
            let (x, width) = (PAD - 8.0, WIDTH - 2.0 * PAD + 16.0);
            if odd {
                svg.leaf(
                    "rect",
                    &[
                        ("class", "band".into()),
                        ("x", x.into()),
                        ("y", y.into()),
                        ("width", width.into()),
                        ("height", height.into()),
                        ("rx", 4.0.into()),
                    ],
                );
            }
        }
        y += line.height();
    }
}

/// The position of the last mark at each depth, from which connecting lines are drawn.
#[derive(Default)]
struct Tree {
    marks: Vec<f64>,
}

impl Tree {
    /// Connects a row to its parent, or to the sibling above it.
    fn joint(&mut self, svg: &mut Svg, depth: usize, y: f64) {
        let depth = depth.min(DEEPEST);
        let middle = y + ROW / 2.0;
        if depth > 0 {
            let parent = self.marks.get(depth - 1).map(|mark| mark + 6.0);
            let sibling = self.marks.get(depth).copied();
            let from = sibling.or(parent).unwrap_or(y).min(middle);
            let x = indent(depth);
            let path =
                format!("M{} {} V{} H{}", number(x - INDENT + 5.0), number(from), number(middle), number(x - 1.0));
            svg.leaf("path", &[("class", "tree".into()), ("d", (&path).into())]);
        }
        self.marks.truncate(depth);
        self.marks.resize(depth + 1, middle);
    }
}

fn indent(depth: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most ten")]
    let steps = depth.min(DEEPEST) as f64;
    PAD + steps * INDENT
}

fn phantom(svg: &mut Svg, text: &str, (from, to): (f64, f64), y: f64) {
    let middle = y + ROW / 2.0;
    svg.leaf(
        "circle",
        &[("class", "dash".into()), ("cx", (PAD + 5.0).into()), ("cy", middle.into()), ("r", 4.5.into())],
    );
    svg.text(
        "text",
        &[("class", "name muted".into()), ("x", (PAD + 16.0).into()), ("y", (middle + 4.0).into())],
        &NAME.fit(text, LABELS - 16.0),
    );
    svg.leaf(
        "rect",
        &[
            ("class", "dash".into()),
            ("x", from.into()),
            ("y", (middle - BAR / 2.0).into()),
            ("width", (to - from).max(2.0).into()),
            ("height", BAR.into()),
            ("rx", 3.0.into()),
        ],
    );
}

struct Drawn<'a> {
    row: &'a Row,
    span: &'a Span,
    hue: usize,
    /// Whether to show the service: it differs from the parent's.
    name_service: bool,
}

fn span_row(svg: &mut Svg, axis: &Axis, drawn: &Drawn<'_>, y: f64) {
    let Drawn { row, span, hue, name_service } = drawn;
    let middle = y + ROW / 2.0;
    let bad = frame::is_bad(span.status.code);
    let x = indent(row.depth);
    let class = format!("s{hue}");
    if bad {
        frame::sign(svg, x + 5.0, middle, "bad");
    } else {
        svg.leaf(
            "rect",
            &[
                ("class", (&class).into()),
                ("x", x.into()),
                ("y", (middle - 5.0).into()),
                ("width", 10.0.into()),
                ("height", 10.0.into()),
                ("rx", 3.0.into()),
            ],
        );
    }
    label(svg, x + 16.0, middle + 4.0, row.depth, span, *name_service);
    bar(svg, axis, span, *hue, middle, bad);
    let duration = match span.duration() {
        Some(nanos) => human_duration(nanos),
        None => "in progress".to_owned(),
    };
    let class = if span.duration().is_none_or(|d| d < 0) { "small open" } else { "small" };
    svg.text(
        "text",
        &[
            ("class", class.into()),
            ("x", DURATIONS.into()),
            ("y", (middle + 4.0).into()),
            ("text-anchor", "end".into()),
        ],
        &SMALL.fit(&duration, DURATIONS - CHART_END - 6.0),
    );
}

/// Name, HTTP status and service, as much as fits.
fn label(svg: &mut Svg, x: f64, y: f64, depth: usize, span: &Span, name_service: bool) {
    let mut room = PAD + LABELS - x;
    let bad = frame::is_bad(span.status.code);
    let deep = if depth > DEEPEST { format!("+{}", depth - DEEPEST) } else { String::new() };
    let status = span.http_status().map(|s| s.to_string()).unwrap_or_default();
    let font = if depth == 0 || bad { NAME_BOLD } else { NAME };
    for part in [&deep, &status] {
        if !part.is_empty() {
            room -= SMALL.width(part) + 6.0;
        }
    }
    let title = span.title();
    let service_room = if name_service { (room * 0.45).min(SMALL.width(&span.service) + 7.0) } else { 0.0 };
    let name = font.fit(&title, (room - service_room).max(40.0));
    let service = if name_service { SMALL.fit(&span.service, room - font.width(&name) - 7.0) } else { String::new() };
    let class = if bad { "name bad" } else { "name" };
    svg.open("text", &[("class", class.into()), ("x", x.into()), ("y", y.into())]);
    if !deep.is_empty() {
        svg.text("tspan", &[("class", "small muted".into())], &deep);
    }
    let gap = if deep.is_empty() { 0.0 } else { 6.0 };
    let weight = if depth == 0 || bad { "600" } else { "400" };
    svg.text("tspan", &[("font-weight", weight.into()), ("dx", gap.into())], &name);
    if !status.is_empty() {
        let class = if bad { "small bad" } else { "small muted" };
        svg.text("tspan", &[("class", class.into()), ("dx", 6.0.into())], &status);
    }
    if !service.is_empty() {
        svg.text("tspan", &[("class", "small muted".into()), ("dx", 7.0.into())], &service);
    }
    svg.close();
}

fn bar(svg: &mut Svg, axis: &Axis, span: &Span, hue: usize, middle: f64, bad: bool) {
    let (x, width) = axis.bar(span, 2.5);
    let y = middle - BAR / 2.0;
    let (class, fill) = (format!("s{hue}"), format!("url(#open{hue})"));
    let place = [
        ("x", x.into()),
        ("y", y.into()),
        ("width", width.into()),
        ("height", BAR.into()),
        ("rx", (width / 2.0).min(3.0).into()),
    ];
    let paint = match span.end {
        Some(_) => ("class", (&class).into()),
        None => ("fill", (&fill).into()),
    };
    svg.leaf("rect", &[&[paint], &place[..]].concat());
    if span.end.is_none() {
        // Open at the right, since the span has not ended.
        let path = format!("M{} {} V{}", number(axis.right), number(y - 2.0), number(y + BAR + 2.0));
        svg.leaf("path", &[("class", "dash".into()), ("d", (&path).into())]);
    }
    if bad {
        let outline = [
            ("class", "badline".into()),
            ("x", (x - 1.75).into()),
            ("y", (y - 1.75).into()),
            ("width", (width + 3.5).into()),
            ("height", (BAR + 3.5).into()),
            ("rx", 4.5.into()),
        ];
        svg.leaf("rect", &outline);
    }
    let mut last = f64::MIN;
    for event in span.events.iter().take(MOST_EVENTS) {
        let at = axis.x(event.time.0);
        // Events within one pixel are merged.
        if (at - last).abs() < 1.0 {
            continue;
        }
        last = at;
        let path = format!("M{} {} l3.2 3.2 l-3.2 3.2 l-3.2 -3.2 z", number(at), number(middle - 3.2));
        svg.leaf("path", &[("class", "event".into()), ("d", (&path).into())]);
    }
}

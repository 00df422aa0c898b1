//! The full card of a trace: one row per span, each with a bar on a common time axis.

use std::collections::{BTreeSet, HashMap};

use tracebook_core::analysis::headline::Headline;
use tracebook_core::analysis::skew::{self, Mark};
use tracebook_core::analysis::timing::Timing;
use tracebook_core::assemble::{Row, Tree};
use tracebook_core::attributes;
use tracebook_core::choose::{self, Fold, Omitted, SpanChoice, SpanItem};
use tracebook_core::evidence::Frozen;
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::{Span, StatusCode, Trace};

use super::frame::{self, Footer, PAD, WIDTH};
use super::measure::Font;
use super::style::HUES;
use super::xml::{Svg, number};
use super::{Size, captions};

/// Maximum number of rows that are drawn.
const MOST_ROWS: usize = 60;
/// Where these are not enough for all, a card of this many rows shows what matters on one page.
const FOCUSED_ROWS: usize = 40;
/// In a trace of this many rows, every span shows its statement or URL; in a larger one, those that matter do.
const FEW_ROWS: usize = 16;
/// Maximum number of parts of the critical path that are marked on one row.
const MOST_STEPS: usize = 24;
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
const GAP: f64 = 14.0;
const BAR: f64 = 12.0;

const TITLE: Font = Font::bold(17.0);
const NAME: Font = Font::plain(12.5);
const NAME_BOLD: Font = Font::bold(12.5);
const SMALL: Font = Font::plain(11.0);
const LABEL: Font = Font::bold(10.0);
const ID: Font = Font::mono(11.0);
/// The height of a line of the head line.
const STATED: f64 = 19.0;
/// The top of the head line.
const STATED_TOP: f64 = 92.0;

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

/// What is read from a trace before it is drawn, or written as text.
pub(super) struct View<'a> {
    pub(super) trace: &'a Trace,
    pub(super) tree: Tree,
    pub(super) timing: Timing,
    pub(super) headline: Headline,
}

impl<'a> View<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        let tree = Tree::of(trace);
        let timing = Timing::of(trace, &tree);
        let headline = Headline::of(trace, &tree, &timing);
        Self { trace, tree, timing, headline }
    }

    /// The rows to show.
    pub(super) fn choose(&self, room: usize) -> SpanChoice {
        choose::spans(self.trace, &self.tree, &self.timing, room)
    }

    /// The status of the trace as a colour class and a label, so that colour is not the only indication. Failures that
    /// a retry made up for are not the result.
    pub(super) fn verdict(&self) -> (&'static str, &'static str) {
        let root = self.trace.root().and_then(Span::failure);
        match self.trace.status_word() {
            "in_progress" => ("open", "IN PROGRESS"),
            "ok" if root.is_none() => ("good", "OK"),
            _ if self.headline.recovered && root.is_none() => ("open", "OK AFTER A RETRY"),
            // The word of lists; a status of HTTP counts where the sender set none.
            "ok" => frame::failure(root.unwrap_or_default()),
            _ => frame::failure(self.trace.status()),
        }
    }
}

/// The colour of a service, by its position in the trace; from [`HUES`] on, colours repeat with another pattern.
pub(super) fn hues(trace: &Trace) -> HashMap<&str, usize> {
    let mut hues = HashMap::new();
    for span in &trace.spans {
        let next = hues.len();
        hues.entry(span.service.as_str()).or_insert(next);
    }
    hues
}

/// The class of a service's colour.
pub(super) fn hue_class(hue: usize) -> String {
    format!("s{}", hue % HUES)
}

/// The pattern of a service's bar on its colour: none, hollow, or with a line along its middle.
fn pattern(svg: &mut Svg, hue: usize, x: f64, y: f64, width: f64, height: f64) {
    let hole = |svg: &mut Svg, x: f64, y: f64, width: f64, height: f64| {
        if width > 0.5 {
            svg.leaf(
                "rect",
                &[
                    ("class", "hole".into()),
                    ("x", x.into()),
                    ("y", y.into()),
                    ("width", width.into()),
                    ("height", height.into()),
                    ("rx", 1.0.into()),
                ],
            );
        }
    };
    match hue / HUES % 3 {
        0 => {}
        1 => hole(svg, x + 2.0, y + 2.0, width - 4.0, height - 4.0),
        _ => hole(svg, x, y + height / 2.0 - 1.2, width, 2.4),
    }
}

/// The square of a service's colour and pattern.
fn swatch(svg: &mut Svg, hue: usize, x: f64, y: f64) {
    let class = hue_class(hue);
    svg.leaf(
        "rect",
        &[
            ("class", (&class).into()),
            ("x", x.into()),
            ("y", y.into()),
            ("width", 10.0.into()),
            ("height", 10.0.into()),
            ("rx", 3.0.into()),
        ],
    );
    pattern(svg, hue, x, y, 10.0, 10.0);
}

/// A line of the drawing before layout.
enum Line<'a> {
    /// A missing parent.
    Phantom {
        text: String,
        from: f64,
        to: f64,
    },
    Span(Row, &'a Span),
    /// Equal siblings as one row.
    Fold(Fold),
    /// Text under a span.
    Words {
        text: String,
        depth: usize,
        class: &'static str,
    },
    /// Spans that are left out.
    Gap {
        text: String,
        depth: usize,
        class: &'static str,
    },
    /// A statement or URL under a span.
    Code {
        label: &'static str,
        text: String,
        depth: usize,
    },
}

impl Line<'_> {
    fn height(&self) -> f64 {
        match self {
            Self::Phantom { .. } | Self::Span(..) | Self::Fold(_) => ROW,
            Self::Words { .. } | Self::Code { .. } => WORDS,
            Self::Gap { .. } => GAP,
        }
    }

    fn is_row(&self) -> bool {
        match self {
            Self::Phantom { .. } | Self::Span(..) | Self::Fold(_) => true,
            Self::Words { .. } | Self::Code { .. } | Self::Gap { .. } => false,
        }
    }
}

/// The rows of a trace before drawing.
pub(super) struct Waterfall<'a> {
    view: View<'a>,
    pub(super) axis: Axis,
    hues: HashMap<&'a str, usize>,
    lines: Vec<Line<'a>>,
    omitted: Omitted,
    /// The head line, each statement with the class of its sign.
    stated: Vec<(&'static str, Vec<String>)>,
}

impl<'a> Waterfall<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        let view = View::of(trace);
        let axis = Axis::of(trace, CHART, CHART_END);
        let whole = view.choose(MOST_ROWS);
        let choice = if whole.omitted.rows > 0 { view.choose(FOCUSED_ROWS) } else { whole };
        let lines = lines(&view, &choice, &axis);
        let stated = stated(&view);
        Self { view, axis, hues: hues(trace), lines, omitted: choice.omitted, stated }
    }

    fn body(&self) -> f64 {
        self.lines.iter().map(Line::height).sum()
    }

    /// The top of the rows: below the head line.
    pub(super) fn top(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let stated = self.stated.iter().map(|(_, lines)| lines.len()).sum::<usize>() as f64;
        TOP + if stated > 0.0 { stated * STATED + 8.0 } else { 0.0 }
    }

    /// The total height of the rows.
    pub(super) fn height(&self) -> f64 {
        self.body() + if self.omitted.rows > 0 { 28.0 } else { 0.0 }
    }

    /// The header: name, facts, services, and the head line.
    pub(super) fn head(&self, svg: &mut Svg, name: &str, facts: &str) {
        gradients(svg, &self.lines, &self.hues);
        header(svg, &self.view, name, facts);
        legend(svg, self.view.trace, &captions::services(self.view.trace), &self.hues);
        let mut y = STATED_TOP + 20.0;
        for (class, lines) in &self.stated {
            frame::sign(svg, PAD + 6.0, y - 4.0, class);
            for line in lines {
                svg.text("text", &[("class", "name".into()), ("x", (PAD + 20.0).into()), ("y", y.into())], line);
                y += STATED;
            }
        }
    }

    /// Draws axis and rows.
    pub(super) fn draw(&self, svg: &mut Svg, top: f64) {
        let Self { view, axis, hues, lines, .. } = self;
        let trace = view.trace;
        stripes(svg, lines, top);
        ticks(svg, axis, top, top + self.body());
        if !view.timing.path.is_empty() && trace.spans.len() > 1 {
            // Above the names, where no tick is.
            let mark = [
                ("class", "path".into()),
                ("x", PAD.into()),
                ("y", (top - 16.5).into()),
                ("width", 14.0.into()),
                ("height", 2.0.into()),
            ];
            svg.leaf("rect", &mark);
            let place = [("class", "small muted".into()), ("x", (PAD + 20.0).into()), ("y", (top - 12.0).into())];
            svg.text("text", &place, "critical path");
        }
        let mut y = top;
        let mut tree = Joints::default();
        for line in lines {
            match line {
                Line::Phantom { text, from, to } => {
                    tree.joint(svg, 0, y);
                    phantom(svg, text, (*from, *to), y);
                }
                Line::Span(row, span) => {
                    let parent_service = view.tree.parents[row.index].map(|p| trace.spans[p].service.as_str());
                    let hue = hues.get(span.service.as_str()).copied().unwrap_or(0);
                    let name_service = parent_service != Some(span.service.as_str());
                    tree.joint(svg, row.depth, y);
                    span_row(svg, axis, &Drawn { row, span, hue, name_service }, y);
                    steps(svg, axis, &view.timing, &[row.index], y);
                }
                Line::Fold(fold) => {
                    tree.joint(svg, fold.depth, y);
                    fold_row(svg, self, fold, y);
                    steps(svg, axis, &view.timing, &fold.members, y);
                }
                Line::Words { text, depth, class } => {
                    let x = indent(*depth) + 16.0;
                    let class = format!("small {class}");
                    svg.text(
                        "text",
                        &[("class", (&class).into()), ("x", x.into()), ("y", (y + 11.0).into())],
                        &SMALL.fit(text, DURATIONS - x),
                    );
                }
                Line::Gap { text, depth, class } => {
                    let place = [
                        ("class", (*class).into()),
                        ("style", "font-size:10px".into()),
                        ("x", (indent(*depth) + 16.0).into()),
                        ("y", (y + 8.0).into()),
                    ];
                    svg.text("text", &place, text);
                }
                Line::Code { label, text, depth } => {
                    let x = indent(*depth) + 16.0;
                    svg.text(
                        "text",
                        &[("class", "tag muted".into()), ("x", x.into()), ("y", (y + 11.0).into())],
                        label,
                    );
                    let x = x + LABEL.width(label) + 7.0;
                    svg.text(
                        "text",
                        &[("class", "small mono".into()), ("x", x.into()), ("y", (y + 11.0).into())],
                        &ID.fit(&super::layout::clean(text), DURATIONS - x),
                    );
                }
            }
            y += line.height();
        }
        if self.omitted.rows > 0 {
            let errors = match self.omitted.errors {
                0 => String::new(),
                n => format!(", {} of them with errors", text::grouped(n)),
            };
            let n = text::count_of(self.omitted.rows, "more span", "more spans");
            let text = format!("… and {n}{errors} (all in the data)");
            svg.text("text", &[("class", "name muted".into()), ("x", PAD.into()), ("y", (y + 18.0).into())], &text);
        }
    }
}

/// The top of the rows of a card without a head line.
const TOP: f64 = 122.0;

/// The statements of the head line, wrapped, each with the class of its sign.
fn stated(view: &View<'_>) -> Vec<(&'static str, Vec<String>)> {
    let Headline { failure, recovered, .. } = &view.headline;
    let failed = failure.as_ref().and_then(|f| view.trace.spans[f.span].failure());
    let failure = view.headline.failure_line(view.trace).map(|line| {
        let class = frame::failure(failed.unwrap_or(StatusCode::Error)).0;
        (class, NAME.wrap(&super::layout::clean(&line), WIDTH - 2.0 * PAD - 20.0, 2))
    });
    let one = |class: &'static str, line: String| {
        (class, vec![NAME.fit(&super::layout::clean(&line), WIDTH - 2.0 * PAD - 20.0)])
    };
    let retried = if *recovered { "open" } else { "note" };
    failure
        .into_iter()
        .chain(view.headline.retry_lines(view.trace).into_iter().map(|line| one(retried, line)))
        .chain(view.headline.skew_line().map(|line| one("open", line)))
        .chain(view.headline.spent_line(view.trace).map(|line| one("info", line)))
        .collect()
}

/// Draws the card.
pub(super) fn draw(trace: &Trace, frozen: Option<&Frozen>) -> String {
    let fall = Waterfall::of(trace);
    let footer = Footer::of(&trace.notes, frozen);
    let foot = fall.top() + fall.height() + 10.0;
    let height = foot + footer.height();

    let name = trace.name();
    let facts = format!(
        "{} · {} · {}",
        text::count(trace.spans.len(), "span"),
        human_duration(trace.duration()),
        trace.start().rfc3339().replace('T', " ").replace('Z', " UTC"),
    );
    let description = fall.description(&facts);
    let mut svg = frame::begin(height, frozen, Size::Full, &name, &description);
    fall.head(&mut svg, &name, &facts);
    fall.draw(&mut svg, fall.top());
    footer.draw(&mut svg, foot);
    svg.finish()
}

impl Waterfall<'_> {
    /// A description of the drawing, for screen readers: status, facts, services, the head line, and what is not shown.
    pub(super) fn description(&self, facts: &str) -> String {
        let trace = self.view.trace;
        let (_, status) = self.view.verdict();
        let services = captions::services(trace);
        let mut text = format!("{status} · {facts}");
        if !services.is_empty() {
            let names: Vec<String> = services.iter().take(8).map(|s| s.chars().take(60).collect()).collect();
            text.push_str(&format!(" · {}", names.join(", ")));
        }
        for line in self.view.headline.lines(trace) {
            text.push_str(" · ");
            text.extend(line.chars().take(300));
        }
        let failed = trace.spans.iter().filter(|s| s.failure().is_some()).count();
        if failed > 1 {
            text.push_str(&format!(" · {} failed", text::count(failed, "span")));
        }
        if self.omitted.rows > 0 {
            text.push_str(&format!(" · {}", not_shown(self.omitted)));
        }
        text
    }
}

/// `12 spans not shown, 3 of them with errors`
pub(super) fn not_shown(omitted: Omitted) -> String {
    let errors = match omitted.errors {
        0 => String::new(),
        n => format!(", {} of them with errors", text::grouped(n)),
    };
    format!("{} not shown{errors}", text::count(omitted.rows, "span"))
}

fn lines<'a>(view: &View<'a>, choice: &SpanChoice, axis: &Axis) -> Vec<Line<'a>> {
    let trace = view.trace;
    let marks = skew::marks(trace, &view.tree);
    let rows = choice.items.iter().filter(|item| !matches!(item, SpanItem::Gap(_))).count();
    let decisive = |i: usize| {
        rows <= FEW_ROWS
            || trace.spans[i].failure().is_some()
            || view.headline.spent.as_ref().is_some_and(|spent| spent.span == i)
            || view.headline.failure.as_ref().is_some_and(|failure| failure.span == i)
    };
    let mut lines = Vec::new();
    let mut depth = 0;
    for item in &choice.items {
        match item {
            SpanItem::Span(row) => {
                let span = &trace.spans[row.index];
                depth = row.depth;
                lines.extend(row.phantom.map(|parent| missing(trace, axis, parent)));
                lines.push(Line::Span(*row, span));
                words(&mut lines, trace, span, depth);
                if let Some(mark) =
                    marks[row.index].filter(|mark| rows <= FEW_ROWS || matches!(mark, Mark::StartsBefore(_)))
                {
                    lines.push(Line::Words { text: skew_words(mark), depth, class: "open" });
                }
                if decisive(row.index)
                    && let Some(detail) = attributes::detail(span)
                {
                    lines.push(Line::Code { label: detail.label, text: detail.text, depth });
                }
                let said = captions::said(span);
                if !said.is_empty() {
                    let text = said.iter().take(12).cloned().collect::<Vec<_>>().join("  ·  ");
                    lines.push(Line::Words { text, depth, class: "muted" });
                }
                if let Some(text) = captions::linked(trace, span) {
                    lines.push(Line::Words { text, depth, class: "muted" });
                }
            }
            SpanItem::Fold(fold) => {
                depth = fold.depth;
                lines.extend(fold.phantom.map(|parent| missing(trace, axis, parent)));
                let detail = fold.members.first().and_then(|i| attributes::detail(&trace.spans[*i]));
                lines.push(Line::Fold(fold.clone()));
                lines.push(Line::Words { text: fold.facts(), depth, class: "muted" });
                if let Some(detail) = detail {
                    lines.push(Line::Code { label: detail.label, text: detail.text, depth });
                }
            }
            SpanItem::Gap(gap) => {
                let class = if gap.errors > 0 { "bad" } else { "muted" };
                lines.push(Line::Gap { text: format!("… {}", not_shown(*gap)), depth, class });
            }
        }
    }
    lines
}

/// The errors of a span.
fn words(lines: &mut Vec<Line<'_>>, trace: &Trace, span: &Span, depth: usize) {
    let failures = trace.failures(span);
    let left_out = failures.len().saturating_sub(MOST_WORDS);
    for (i, text) in failures.into_iter().take(MOST_WORDS).enumerate() {
        let text = if i + 1 == MOST_WORDS && left_out > 0 { format!("{text} … and {left_out} more") } else { text };
        lines.push(Line::Words { text, depth, class: "bad" });
    }
}

/// What a skewed span's row says.
pub(super) fn skew_words(mark: Mark) -> String {
    let by = human_duration(i64::try_from(mark.nanos()).unwrap_or(i64::MAX));
    match mark {
        Mark::StartsBefore(_) => format!("starts {by} before its parent"),
        Mark::EndsAfter(_) => format!("ends {by} after its parent"),
    }
}

/// The line of a missing parent.
fn missing<'a>(trace: &Trace, axis: &Axis, parent: tracebook_core::ids::SpanId) -> Line<'a> {
    let below = trace.spans.iter().filter(|s| s.parent == Some(parent)).map(|s| axis.bar(s, 2.0));
    let (from, to) = below.fold((CHART_END, CHART), |(from, to), (x, w)| (from.min(x), to.max(x + w)));
    Line::Phantom { text: format!("parent {parent} never arrived"), from, to }
}

/// The fading fills of spans that are still in progress.
fn gradients(svg: &mut Svg, lines: &[Line<'_>], hues: &HashMap<&str, usize>) {
    let open: BTreeSet<usize> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Span(_, span) => Some(*span),
            Line::Phantom { .. } | Line::Fold(_) | Line::Words { .. } | Line::Code { .. } | Line::Gap { .. } => None,
        })
        .filter(|s| s.end.is_none())
        .filter_map(|s| hues.get(s.service.as_str()).map(|hue| hue % HUES))
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

fn header(svg: &mut Svg, view: &View<'_>, name: &str, facts: &str) {
    let (class, word) = view.verdict();
    let pill = frame::signed(svg, WIDTH - PAD, 28.0, class, word);
    svg.text(
        "text",
        &[("class", "title".into()), ("x", PAD.into()), ("y", 34.0.into())],
        &TITLE.fit(name, pill - 16.0 - PAD),
    );
    let id = format!("trace {}", captions::trace_id(view.trace));
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
            let text = format!("and {}", text::count_of(left, "more service", "more services"));
            svg.text(
                "text",
                &[("class", "small muted".into()), ("x", x.into()), ("y", 79.0.into())],
                &SMALL.fit(&text, end - x),
            );
            return;
        }
        swatch(svg, hues.get(service).copied().unwrap_or(0), x, 70.0);
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
        if line.is_row() {
            odd = !odd;
            let words = lines[i + 1..].iter().take_while(|l| !l.is_row()).map(Line::height);
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
struct Joints {
    marks: Vec<f64>,
}

impl Joints {
    /// Connects a row to its parent, or to the sibling above it.
    fn joint(&mut self, svg: &mut Svg, depth: usize, y: f64) {
        let depth = depth.min(DEEPEST);
        let middle = y + ROW / 2.0;
        // Rows between this one and its parent may be left out.
        while self.marks.len() < depth {
            let above = self.marks.last().copied().unwrap_or(y);
            self.marks.push(above);
        }
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
    let failure = span.failure();
    let x = indent(row.depth);
    match failure {
        Some(code) => frame::sign(svg, x + 5.0, middle, frame::failure(code).0),
        None => swatch(svg, *hue, x, middle - 5.0),
    }
    label(svg, x + 16.0, middle + 4.0, row.depth, span, *name_service);
    bar(svg, axis, span, *hue, middle, failure);
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
    let bad = span.failure().is_some();
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

fn bar(svg: &mut Svg, axis: &Axis, span: &Span, hue: usize, middle: f64, failure: Option<StatusCode>) {
    let (x, width) = axis.bar(span, 2.5);
    let y = middle - BAR / 2.0;
    let (class, fill) = (hue_class(hue), format!("url(#open{})", hue % HUES));
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
    if span.end.is_some() {
        pattern(svg, hue, x, y, width, BAR);
    } else {
        // Open at the right, since the span has not ended.
        let path = format!("M{} {} V{}", number(axis.right), number(y - 2.0), number(y + BAR + 2.0));
        svg.leaf("path", &[("class", "dash".into()), ("d", (&path).into())]);
    }
    if let Some(code) = failure {
        let outline = [
            ("class", frame::outline(code).into()),
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

/// The row of equal siblings: a bar for each of them, on a line from the first to the last.
fn fold_row(svg: &mut Svg, fall: &Waterfall<'_>, fold: &Fold, y: f64) {
    let trace = fall.view.trace;
    let Some(first) = fold.members.first().map(|i| &trace.spans[*i]) else { return };
    let hue = fall.hues.get(first.service.as_str()).copied().unwrap_or(0);
    let middle = y + ROW / 2.0;
    let x = indent(fold.depth);
    // Two squares, one behind the other: more than one span.
    let class = hue_class(hue);
    for (dx, opacity) in [(2.5, 0.45), (-1.0, 1.0)] {
        svg.leaf(
            "rect",
            &[
                ("class", (&class).into()),
                ("x", (x + dx).into()),
                ("y", (middle - 4.5 - dx).into()),
                ("width", 9.0.into()),
                ("height", 9.0.into()),
                ("rx", 2.5.into()),
                ("opacity", opacity.into()),
            ],
        );
    }
    let room = PAD + LABELS - x - 18.0;
    let title = super::layout::clean(&fold.title(trace));
    let text_place = [("class", "name b".into()), ("x", (x + 18.0).into()), ("y", (middle + 4.0).into())];
    svg.text("text", &text_place, &NAME_BOLD.fit(&title, room));

    let bars: Vec<(f64, f64)> = fold.members.iter().map(|i| fall.axis.bar(&trace.spans[*i], 1.5)).collect();
    let (from, to) = bars.iter().fold((CHART_END, CHART), |(from, to), (x, width)| (from.min(*x), to.max(x + width)));
    let line = format!("M{} {} H{}", number(from), number(middle), number(to));
    svg.leaf("path", &[("class", "tree".into()), ("d", (&line).into())]);
    for (x, end) in merged(bars.into_iter().map(|(x, width)| (x, x + width)).collect(), MOST_EVENTS) {
        svg.leaf(
            "rect",
            &[
                ("class", (&class).into()),
                ("x", x.into()),
                ("y", (middle - BAR / 2.0).into()),
                ("width", (end - x).into()),
                ("height", BAR.into()),
                ("rx", ((end - x) / 2.0).min(2.0).into()),
            ],
        );
        pattern(svg, hue, x, middle - BAR / 2.0, end - x, BAR);
    }
    let total = human_duration(i64::try_from(fold.total).unwrap_or(i64::MAX));
    svg.text(
        "text",
        &[
            ("class", "small".into()),
            ("x", DURATIONS.into()),
            ("y", (middle + 4.0).into()),
            ("text-anchor", "end".into()),
        ],
        &SMALL.fit(&total, DURATIONS - CHART_END - 6.0),
    );
}

/// The parts of the critical path on a row: a line below its bar.
fn steps(svg: &mut Svg, axis: &Axis, timing: &Timing, spans: &[usize], y: f64) {
    let parts = spans.iter().flat_map(|i| timing.steps_of(*i)).map(|step| (axis.x(step.from), axis.x(step.to)));
    for (from, to) in merged(parts.collect(), MOST_STEPS) {
        svg.leaf(
            "rect",
            &[
                ("class", "path".into()),
                ("x", from.into()),
                ("y", (y + ROW / 2.0 + BAR / 2.0 + 2.0).into()),
                ("width", (to - from).max(1.0).into()),
                ("height", 2.0.into()),
            ],
        );
    }
}

/// Joins ranges that are so close that they cannot be distinguished, and the closest until there are few enough.
fn merged(mut ranges: Vec<(f64, f64)>, most: usize) -> Vec<(f64, f64)> {
    ranges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut gap = 0.6;
    loop {
        let mut joined: Vec<(f64, f64)> = Vec::new();
        for (from, to) in &ranges {
            match joined.last_mut() {
                Some(last) if *from - last.1 < gap => last.1 = last.1.max(*to),
                _ => joined.push((*from, *to)),
            }
        }
        if joined.len() <= most {
            return joined;
        }
        ranges = joined;
        gap *= 2.0;
    }
}

//! The full card of a trace: one row per span, each with a bar on a common time axis. On a narrow card, the bar is
//! below the name, and the axis takes the whole width.

use std::cell::OnceCell;
use std::collections::HashMap;

use tracebook_core::analysis::headline::Headline;
use tracebook_core::analysis::skew::{self, Mark};
use tracebook_core::analysis::timing::Timing;
use tracebook_core::assemble::{Row, Tree};
use tracebook_core::attributes;
use tracebook_core::choose::{self, Fold, Omitted, SpanChoice, SpanItem, SpanUnits};
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::{Span, StatusCode, Trace};

use super::bars::{self, Axis, Grid, Joints, hues, swatch};
use super::captions;
use super::form::Width;
use super::frame::{self, PAD, end_of};
use super::layout::{self, Head, MONO, NAME, NAME_BOLD, SMALL, TAG};
use super::measure::Font;
use super::xml::Svg;

/// Maximum number of rows that are drawn.
const MOST_ROWS: usize = 60;
/// Where these are not enough for all, a card of this many rows shows what matters on one page.
const FOCUSED_ROWS: usize = 40;
/// In a trace of this many rows, every span shows its statement or URL; in a larger one, those that matter do.
const FEW_ROWS: usize = 16;
/// Maximum number of errors under one row.
const MOST_ERRORS: usize = 3;

/// The height of a line of a name, of other text, and of a mark of what is left out.
const NAME_LINE: f64 = 17.0;
const WORDS: f64 = 18.0;
const GAP: f64 = 18.0;

/// What is read from a trace before it is drawn, or written as text.
pub(super) struct View<'a> {
    pub(super) trace: &'a Trace,
    pub(super) tree: Tree,
    pub(super) timing: Timing,
    /// By span: how its times contradict those of its parent.
    pub(super) marks: Vec<Option<Mark>>,
    pub(super) headline: Headline,
    units: OnceCell<SpanUnits>,
    chosen: OnceCell<SpanChoice>,
}

impl<'a> View<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        let tree = Tree::of(trace);
        let timing = Timing::of(trace, &tree);
        let marks = skew::marks(trace, &tree);
        let headline = Headline::of(trace, &tree, &timing, &marks);
        Self { trace, tree, timing, marks, headline, units: OnceCell::new(), chosen: OnceCell::new() }
    }

    /// The rows to show.
    pub(super) fn choose(&self, room: usize) -> SpanChoice {
        let units = self.units.get_or_init(|| SpanUnits::of(self.trace, &self.tree));
        choose::spans(self.trace, &self.tree, &self.timing, units, room)
    }

    /// The rows of the full card.
    fn chosen(&self) -> &SpanChoice {
        self.chosen.get_or_init(|| {
            let whole = self.choose(MOST_ROWS);
            if whole.omitted.rows > 0 { self.choose(FOCUSED_ROWS) } else { whole }
        })
    }

    /// The header with this title and these facts.
    pub(super) fn head(&self, title: String, facts: String) -> Head {
        let (class, word) = self.verdict();
        Head {
            title,
            facts,
            aside: format!("trace {}", captions::trace_id(self.trace)),
            pill: (class, word.to_owned()),
            chips: Vec::new(),
        }
    }

    /// The status of the trace as a colour class and a label, so that colour is not the only indication. Failures that
    /// a retry made up for are not the result.
    fn verdict(&self) -> (&'static str, &'static str) {
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

    /// A description of the drawing, for screen readers: status, facts, services, the head line, and what is not shown.
    pub(super) fn description(&self, facts: &str) -> String {
        let trace = self.trace;
        let (_, status) = self.verdict();
        let services = captions::services(trace);
        let mut text = format!("{status} · {facts}");
        if !services.is_empty() {
            let names: Vec<String> = services.iter().take(8).map(|s| s.chars().take(60).collect()).collect();
            text.push_str(&format!(" · {}", names.join(", ")));
        }
        for line in self.headline.lines(trace) {
            text.push_str(" · ");
            text.extend(line.chars().take(300));
        }
        let failed = trace.spans.iter().filter(|s| s.failure().is_some()).count();
        if failed > 1 {
            text.push_str(&format!(" · {} failed", text::count(failed, "span")));
        }
        let omitted = self.chosen().omitted;
        if omitted.rows > 0 {
            text.push_str(&format!(" · {}", not_shown(omitted)));
        }
        text
    }
}

/// A line of the drawing before layout.
enum Line<'a> {
    /// A missing parent.
    Phantom { text: String, from: f64, to: f64 },
    /// A span.
    Span { row: Row, span: &'a Span, label: Label },
    /// Equal siblings as one row.
    Fold { fold: Fold, title: Vec<String> },
    /// Text under a span.
    Words { texts: Vec<String>, depth: usize, class: &'static str },
    /// Spans that are left out.
    Gap { text: String, depth: usize, class: &'static str },
    /// A statement or URL under a span.
    Code { label: &'static str, texts: Vec<String>, depth: usize },
}

/// The name of a span as it is laid out.
struct Label {
    /// How much deeper than the deepest indentation it is.
    deep: String,
    lines: Vec<String>,
    status: String,
    /// Whether the status is behind the name; else it is below.
    status_behind: bool,
    /// Its service, if it differs from the parent's; behind the name, or below.
    service: String,
    service_behind: bool,
}

impl Label {
    fn of(span: &Span, depth: usize, named: bool, grid: &Grid) -> Self {
        let x = grid.indent(depth) + 16.0;
        let bad = span.failure().is_some();
        let font = if depth == 0 || bad { NAME_BOLD } else { NAME };
        let deep = match depth.checked_sub(grid.deepest) {
            Some(more) if more > 0 => format!("+{more}"),
            Some(_) | None => String::new(),
        };
        let before = if deep.is_empty() { 0.0 } else { SMALL.width(&deep) + 6.0 };
        let room = (grid.names_end - x - before).max(40.0);
        let status = span.http_status().map(|s| s.to_string()).unwrap_or_default();
        let mut lines = font.wrap(&layout::clean(&span.title()), room, if grid.narrow { 3 } else { 2 });
        if lines.is_empty() {
            lines.push(String::new());
        }
        let last = lines.last().map_or(0.0, |line| font.width(line));
        let status_room = if status.is_empty() { 0.0 } else { SMALL.width(&status) + 6.0 };
        let status_behind = last + status_room <= room;
        let service = if named { layout::clean(&span.service) } else { String::new() };
        let used = last + if status_behind { status_room } else { 0.0 };
        let service_behind = used + SMALL.width(&service) + 8.0 <= room;
        let service = if service_behind { service } else { SMALL.fit(&service, grid.end - x) };
        Self { deep, lines, status, status_behind, service, service_behind }
    }

    /// What stands on a line below the name.
    fn below(&self) -> String {
        let status = if self.status_behind { "" } else { self.status.as_str() };
        let service = if self.service_behind { "" } else { self.service.as_str() };
        [status, service].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }
}

/// The rows of a trace before drawing.
pub(super) struct Waterfall<'v, 'a> {
    view: &'v View<'a>,
    pub(super) axis: Axis,
    grid: Grid,
    hues: HashMap<&'a str, usize>,
    lines: Vec<Line<'a>>,
    omitted: Omitted,
}

impl<'v, 'a> Waterfall<'v, 'a> {
    pub(super) fn of(view: &'v View<'a>, width: Width) -> Self {
        let grid = Grid::of(width);
        let axis = Axis::of(view.trace, grid.chart, grid.chart_end);
        let choice = view.chosen();
        let lines = lines(view, choice, &axis, &grid);
        Self { view, axis, grid, hues: hues(view.trace), lines, omitted: choice.omitted }
    }

    /// The height of a line.
    fn height(&self, line: &Line<'_>) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let more = |lines: usize| lines.saturating_sub(1) as f64;
        match line {
            Line::Phantom { .. } => self.grid.row(1),
            Line::Span { label, .. } => {
                self.grid.row(label.lines.len()) + if label.below().is_empty() { 0.0 } else { NAME_LINE }
            }
            Line::Fold { title, .. } => self.grid.row(title.len()),
            Line::Words { texts, .. } | Line::Code { texts, .. } => WORDS + more(texts.len()) * (WORDS - 1.0),
            Line::Gap { .. } => GAP,
        }
    }

    fn rows_height(&self) -> f64 {
        self.lines.iter().map(|line| self.height(line)).sum()
    }

    /// Draws legend, head line, axis and rows; returns the position below them.
    pub(super) fn draw(&self, svg: &mut Svg, top: f64) -> f64 {
        let Self { view, axis, grid, hues, lines, .. } = self;
        let trace = view.trace;
        bars::gradients(
            svg,
            lines.iter().filter_map(|line| match line {
                Line::Span { span, .. } => Some(*span),
                Line::Phantom { .. }
                | Line::Fold { .. }
                | Line::Words { .. }
                | Line::Gap { .. }
                | Line::Code { .. } => None,
            }),
            hues,
        );
        let mut y = legend(svg, trace, &captions::services(trace), hues, top - 6.0);
        y = self.stated(svg, y);
        let top = self.axis_head(svg, y);
        self.stripes(svg, top);
        bars::ticks(svg, axis, grid, top, top + self.rows_height());
        let mut y = top;
        let mut tree = Joints::default();
        for line in lines {
            self.line(svg, line, &mut tree, y);
            y += self.height(line);
        }
        if self.omitted.rows > 0 {
            let errors = match self.omitted.errors {
                0 => String::new(),
                n => format!(", {} of them with errors", text::grouped(n)),
            };
            let n = text::count_of(self.omitted.rows, "more span", "more spans");
            layout::put(svg, "name muted", PAD, y + 18.0, &format!("… and {n}{errors} (all in the data)"));
            y += 28.0;
        }
        y
    }

    /// The statements of the head line, each with a sign.
    fn stated(&self, svg: &mut Svg, top: f64) -> f64 {
        let Headline { failure, recovered, .. } = &self.view.headline;
        let trace = self.view.trace;
        let failed = failure.as_ref().and_then(|f| trace.spans[f.span].failure());
        let class = frame::failure(failed.unwrap_or(StatusCode::Error)).0;
        let retried = if *recovered { "open" } else { "note" };
        let statements = self
            .view
            .headline
            .failure_line(trace)
            .map(|line| (class, line))
            .into_iter()
            .chain(self.view.headline.retry_lines(trace).into_iter().map(|line| (retried, line)))
            .chain(self.view.headline.skew_line().map(|line| ("open", line)))
            .chain(self.view.headline.spent_line(trace).map(|line| ("info", line)));
        let most = if self.grid.narrow { 5 } else { 2 };
        let mut y = top;
        for (class, line) in statements {
            let texts = NAME.wrap(&layout::clean(&line), self.grid.end - PAD - 20.0, most);
            frame::sign(svg, PAD + 6.0, y + 11.0, class);
            y = layout::lines(svg, "name", PAD + 20.0, y, &texts, 19.0) + 1.0;
        }
        y
    }

    /// The sign of the critical path, and room for the labels of the axis; returns the top of the rows.
    fn axis_head(&self, svg: &mut Svg, top: f64) -> f64 {
        let mut y = top + 12.0;
        if !self.view.timing.path.is_empty() && self.view.trace.spans.len() > 1 {
            // Where no tick is: beside the axis, or above it.
            layout::block(svg, "path", PAD, y + 5.5, 14.0, 2.0, 0.0);
            layout::put(svg, "small muted", PAD + 20.0, y + 11.0, "critical path");
            if self.grid.narrow {
                y += 18.0;
            }
        }
        y + 22.0
    }

    /// A band behind every other span and its text, below everything else.
    fn stripes(&self, svg: &mut Svg, top: f64) {
        let mut y = top;
        let mut odd = true;
        for (i, line) in self.lines.iter().enumerate() {
            if line.is_row() {
                odd = !odd;
                if odd {
                    let words = self.lines[i + 1..].iter().take_while(|l| !l.is_row()).map(|l| self.height(l));
                    layout::band(svg, y, self.height(line) + words.sum::<f64>());
                }
            }
            y += self.height(line);
        }
    }

    fn line(&self, svg: &mut Svg, line: &Line<'a>, tree: &mut Joints, y: f64) {
        let Self { view, axis, grid, hues, .. } = self;
        let (trace, timing) = (view.trace, &view.timing);
        match line {
            Line::Phantom { text, from, to } => {
                tree.joint(svg, grid, 0, y);
                bars::phantom(svg, grid, text, (*from, *to), y);
            }
            Line::Span { row, span, label } => {
                let hue = hues.get(span.service.as_str()).copied().unwrap_or(0);
                tree.joint(svg, grid, row.depth, y);
                let (x, middle) = (grid.indent(row.depth), y + grid.middle());
                match span.failure() {
                    Some(code) => frame::sign(svg, x + 5.0, middle, frame::failure(code).0),
                    None => swatch(svg, hue, x, middle - 5.0),
                }
                let bar = self.label(svg, row, span, label, y);
                bars::bar(svg, axis, span, hue, bar);
                bars::steps(svg, axis, timing, &[row.index], bar);
                let class = if span.duration().is_none_or(|d| d < 0) { "small open" } else { "small" };
                layout::end(svg, class, grid.end, middle + 4.0, &duration(span));
            }
            Line::Fold { fold, title } => {
                let Some(first) = fold.members.first().map(|i| &trace.spans[*i]) else { return };
                let hue = hues.get(first.service.as_str()).copied().unwrap_or(0);
                tree.joint(svg, grid, fold.depth, y);
                let (x, middle) = (grid.indent(fold.depth), y + grid.middle());
                bars::stack(svg, hue, x, middle);
                for (i, text) in title.iter().enumerate() {
                    layout::put(svg, "name b", x + 18.0, middle + 4.0 + below(i), text);
                }
                let bar = grid.bar_middle(y, title.len());
                bars::fold(svg, axis, trace, fold, hue, bar);
                bars::steps(svg, axis, timing, &fold.members, bar);
                let total = human_duration(i64::try_from(fold.total).unwrap_or(i64::MAX));
                layout::end(svg, "small", grid.end, middle + 4.0, &total);
            }
            Line::Words { texts, depth, class } => {
                layout::lines(svg, &format!("small {class}"), grid.indent(*depth) + 16.0, y - 3.0, texts, WORDS - 1.0);
            }
            Line::Gap { text, depth, class } => {
                layout::put(svg, &format!("small {class}"), grid.indent(*depth) + 16.0, y + 12.0, text);
            }
            Line::Code { label, texts, depth } => {
                let x = grid.indent(*depth) + 16.0;
                layout::put(svg, "tag muted", x, y + 11.0, label);
                let x = x + TAG.width(label) + 7.0;
                layout::lines(svg, "small mono", x, y - 3.0, texts, WORDS - 1.0);
            }
        }
    }

    /// Name, HTTP status and service; returns the middle of the bar.
    fn label(&self, svg: &mut Svg, row: &Row, span: &Span, label: &Label, y: f64) -> f64 {
        let grid = &self.grid;
        let bad = span.failure().is_some();
        let (x, first) = (grid.indent(row.depth) + 16.0, y + grid.middle() + 4.0);
        let class = if bad { "name bad" } else { "name" };
        let weight = if row.depth == 0 || bad { "600" } else { "400" };
        let last = label.lines.len().saturating_sub(1);
        for (i, text) in label.lines.iter().enumerate() {
            svg.open("text", &[("class", class.into()), ("x", x.into()), ("y", (first + below(i)).into())]);
            if i == 0 && !label.deep.is_empty() {
                svg.text("tspan", &[("class", "small muted".into())], &label.deep);
            }
            let gap = if i == 0 && !label.deep.is_empty() { 6.0 } else { 0.0 };
            svg.text("tspan", &[("font-weight", weight.into()), ("dx", gap.into())], text);
            if i == last && label.status_behind && !label.status.is_empty() {
                let class = if bad { "small bad" } else { "small muted" };
                svg.text("tspan", &[("class", class.into()), ("dx", 6.0.into())], &label.status);
            }
            if i == last && label.service_behind && !label.service.is_empty() {
                svg.text("tspan", &[("class", "small muted".into()), ("dx", 8.0.into())], &label.service);
            }
            svg.close();
        }
        let below_it = label.below();
        layout::put(svg, "small muted", x, first + below(last + 1), &below_it);
        grid.bar_middle(y, label.lines.len() + usize::from(!below_it.is_empty()))
    }
}

impl Line<'_> {
    fn is_row(&self) -> bool {
        match self {
            Self::Phantom { .. } | Self::Span { .. } | Self::Fold { .. } => true,
            Self::Words { .. } | Self::Code { .. } | Self::Gap { .. } => false,
        }
    }
}

/// How far a line of a name is below the first.
fn below(line: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let line = line as f64;
    line * NAME_LINE
}

fn duration(span: &Span) -> String {
    span.duration().map_or_else(|| "in progress".to_owned(), human_duration)
}

/// `12 spans not shown, 3 of them with errors`
pub(super) fn not_shown(omitted: Omitted) -> String {
    let errors = match omitted.errors {
        0 => String::new(),
        n => format!(", {} of them with errors", text::grouped(n)),
    };
    format!("{} not shown{errors}", text::count(omitted.rows, "span"))
}

/// Lines below a span, wrapped.
struct Below<'g> {
    grid: &'g Grid,
}

impl Below<'_> {
    fn room(&self, depth: usize) -> f64 {
        self.grid.end - self.grid.indent(depth) - 16.0
    }

    fn words<'a>(&self, text: &str, depth: usize, class: &'static str) -> Line<'a> {
        let most = match (self.grid.narrow, class) {
            (true, "bad") => 5,
            (true, _) => 3,
            (false, _) => 2,
        };
        Line::Words { texts: SMALL.wrap(&layout::clean(text), self.room(depth), most), depth, class }
    }

    fn code<'a>(&self, label: &'static str, text: &str, depth: usize) -> Line<'a> {
        let room = self.room(depth) - TAG.width(label) - 7.0;
        let texts = MONO.wrap(&layout::clean(text), room, if self.grid.narrow { 4 } else { 2 });
        Line::Code { label, texts, depth }
    }
}

fn lines<'a>(view: &View<'a>, choice: &SpanChoice, axis: &Axis, grid: &Grid) -> Vec<Line<'a>> {
    let trace = view.trace;
    let rows = choice.items.iter().filter(|item| !matches!(item, SpanItem::Gap(_))).count();
    let decisive = |i: usize| {
        rows <= FEW_ROWS
            || trace.spans[i].failure().is_some()
            || view.headline.spent.as_ref().is_some_and(|spent| spent.span == i)
            || view.headline.failure.as_ref().is_some_and(|failure| failure.span == i)
    };
    let under = Below { grid };
    let mut lines = Vec::new();
    let mut depth = 0;
    for item in &choice.items {
        match item {
            SpanItem::Span(row) => {
                let span = &trace.spans[row.index];
                depth = row.depth;
                lines.extend(row.phantom.map(|parent| missing(trace, axis, grid, parent)));
                let parent_service = view.tree.parents[row.index].map(|p| trace.spans[p].service.as_str());
                let named = parent_service != Some(span.service.as_str());
                lines.push(Line::Span { row: *row, span, label: Label::of(span, depth, named, grid) });
                errors(&mut lines, &under, trace, span, depth);
                if let Some(mark) =
                    view.marks[row.index].filter(|mark| rows <= FEW_ROWS || matches!(mark, Mark::StartsBefore(_)))
                {
                    lines.push(under.words(&skew_words(mark), depth, "open"));
                }
                if decisive(row.index)
                    && let Some(detail) = attributes::detail(span)
                {
                    lines.push(under.code(detail.label, &detail.text, depth));
                }
                let said = captions::said(span);
                if !said.is_empty() {
                    let text = said.iter().take(12).cloned().collect::<Vec<_>>().join("  ·  ");
                    lines.push(under.words(&text, depth, "muted"));
                }
                if let Some(text) = captions::linked(trace, span) {
                    lines.push(under.words(&text, depth, "muted"));
                }
            }
            SpanItem::Fold(fold) => {
                depth = fold.depth;
                lines.extend(fold.phantom.map(|parent| missing(trace, axis, grid, parent)));
                let detail = fold.members.first().and_then(|i| attributes::detail(&trace.spans[*i]));
                let room = grid.names_end - grid.indent(depth) - 18.0;
                let title = layout::clean(&fold.title(trace));
                let title = NAME_BOLD.wrap(&title, room.max(40.0), if grid.narrow { 3 } else { 2 });
                lines.push(Line::Fold { fold: fold.clone(), title });
                lines.push(under.words(&fold.facts(), depth, "muted"));
                if let Some(detail) = detail {
                    lines.push(under.code(detail.label, &detail.text, depth));
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
fn errors(lines: &mut Vec<Line<'_>>, under: &Below<'_>, trace: &Trace, span: &Span, depth: usize) {
    let failures = trace.failures(span);
    let left_out = failures.len().saturating_sub(MOST_ERRORS);
    for (i, text) in failures.into_iter().take(MOST_ERRORS).enumerate() {
        let text = if i + 1 == MOST_ERRORS && left_out > 0 { format!("{text} … and {left_out} more") } else { text };
        lines.push(under.words(&text, depth, "bad"));
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
fn missing<'a>(trace: &Trace, axis: &Axis, grid: &Grid, parent: tracebook_core::ids::SpanId) -> Line<'a> {
    let children = trace.spans.iter().filter(|s| s.parent == Some(parent)).map(|s| axis.bar(s, 2.0));
    let (from, to) = children.fold((axis.right, axis.left), |(from, to), (x, w)| (from.min(x), to.max(x + w)));
    let text = NAME.fit(&format!("parent {parent} never arrived"), grid.names_end - PAD - 16.0);
    Line::Phantom { text, from, to }
}

/// The legend of services with their colours, on as many lines as it needs, up to a few.
fn legend(svg: &mut Svg, trace: &Trace, services: &[&str], hues: &HashMap<&str, usize>, top: f64) -> f64 {
    if services.is_empty() {
        return top;
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for span in &trace.spans {
        *counts.entry(span.service.as_str()).or_default() += 1;
    }
    let (narrow, end) = (svg.width().is_narrow(), end_of(svg.width()));
    let most = if narrow { 4 } else { 2 };
    let (mut x, mut y, mut line) = (PAD, top, 1);
    for (i, service) in services.iter().enumerate() {
        let left = services.len() - i;
        let spans = text::grouped(counts.get(service).copied().unwrap_or(0));
        let name = fitted(SMALL, service, (end - PAD - 80.0).min(320.0));
        let width = 15.0 + SMALL.width(&name) + 5.0 + SMALL.width(&spans) + 18.0;
        // On the last line, room is kept for the number of those that are left out.
        let reserve = if line == most && left > 1 { 130.0 } else { 0.0 };
        if x > PAD && x + width - 18.0 + reserve > end {
            if line == most {
                let text = format!("and {}", text::count_of(left, "more service", "more services"));
                layout::put(svg, "small muted", x, y + 14.0, &SMALL.fit(&text, end - x));
                return y + 24.0;
            }
            (x, y, line) = (PAD, y + 20.0, line + 1);
        }
        swatch(svg, hues.get(service).copied().unwrap_or(0), x, y + 5.0);
        svg.open("text", &[("class", "small".into()), ("x", (x + 15.0).into()), ("y", (y + 14.0).into())]);
        svg.text("tspan", &[], &name);
        svg.text("tspan", &[("class", "muted".into()), ("dx", 5.0.into())], &spans);
        svg.close();
        x += width;
    }
    y + 24.0
}

fn fitted(font: Font, text: &str, room: f64) -> String {
    font.fit(&layout::clean(text), room)
}

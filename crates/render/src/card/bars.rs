//! The bars of a waterfall: their axis, their grid, and the signs beside them.

use std::collections::{BTreeSet, HashMap};

use tracebook_core::analysis::timing::Timing;
use tracebook_core::choose::Fold;
use tracebook_core::time::human_duration;
use tracebook_core::trace::{Span, Trace};

use super::form::Width;
use super::frame::{self, PAD, end_of};
use super::layout::{self, SMALL};
use super::style::HUES;
use super::xml::{Svg, number};

/// Maximum number of parts of the critical path that are marked on one row.
const MOST_STEPS: usize = 24;
/// Maximum number of events drawn on one bar.
const MOST_EVENTS: usize = 60;
const BAR: f64 = 12.0;

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

    /// The ticks, in nanoseconds since the start: as many as have room for their labels, at round times.
    fn ticks(&self) -> Vec<i64> {
        /// What the longest label takes.
        const LABEL: f64 = 72.0;
        if self.span < 1.0 {
            return vec![0];
        }
        let most = ((self.right - self.left) / LABEL).floor().clamp(2.0, 7.0);
        let rough = self.span / (most - 1.0);
        let power = 10f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(self.span).max(1.0);
        #[expect(clippy::cast_possible_truncation, reason = "no longer than the trace, which is an i64")]
        (0..8).map(|i| f64::from(i) * step).take_while(|t| *t <= self.span).map(|t| t as i64).collect()
    }
}

/// Where names, bars and durations are.
pub(super) struct Grid {
    /// Bars are below the names.
    pub(super) narrow: bool,
    /// Where names end.
    pub(super) names_end: f64,
    /// Where the axis begins and ends.
    pub(super) chart: f64,
    pub(super) chart_end: f64,
    /// Where durations end.
    pub(super) end: f64,
    step: f64,
    /// Spans deeper than this are not indented further.
    pub(super) deepest: usize,
}

impl Grid {
    pub(super) fn of(width: Width) -> Self {
        const DURATIONS: f64 = 84.0;
        let end = end_of(width);
        if width.is_narrow() {
            let names_end = end - DURATIONS;
            return Self { narrow: true, names_end, chart: PAD, chart_end: end, end, step: 9.0, deepest: 8 };
        }
        let chart_end = end - DURATIONS;
        let chart = PAD + (chart_end - PAD) * 0.42;
        Self { narrow: false, names_end: chart - 14.0, chart, chart_end, end, step: 14.0, deepest: 10 }
    }

    pub(super) fn indent(&self, depth: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "at most ten")]
        let steps = depth.min(self.deepest) as f64;
        PAD + steps * self.step
    }

    /// The height of a row with a name of this many lines.
    pub(super) fn row(&self, lines: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let more = lines.saturating_sub(1) as f64 * 17.0;
        more + if self.narrow { 46.0 } else { 26.0 }
    }

    /// The middle of the first line of a row.
    pub(super) fn middle(&self) -> f64 {
        13.0
    }

    /// The middle of the bar of a row.
    pub(super) fn bar_middle(&self, y: f64, lines: usize) -> f64 {
        if self.narrow { y + self.row(lines) - 14.0 } else { y + self.middle() }
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
            layout::block(svg, "hole", x, y, width, height, 1.0);
        }
    };
    match hue / HUES % 3 {
        0 => {}
        1 => hole(svg, x + 2.0, y + 2.0, width - 4.0, height - 4.0),
        _ => hole(svg, x, y + height / 2.0 - 1.2, width, 2.4),
    }
}

/// The square of a service's colour and pattern.
pub(super) fn swatch(svg: &mut Svg, hue: usize, x: f64, y: f64) {
    layout::block(svg, &hue_class(hue), x, y, 10.0, 10.0, 3.0);
    pattern(svg, hue, x, y, 10.0, 10.0);
}

/// Two squares, one behind the other: more than one span.
pub(super) fn stack(svg: &mut Svg, hue: usize, x: f64, middle: f64) {
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
}

/// The fading fills of spans that are still in progress.
pub(super) fn gradients<'a>(svg: &mut Svg, spans: impl Iterator<Item = &'a Span>, hues: &HashMap<&str, usize>) {
    let open: BTreeSet<usize> =
        spans.filter(|s| s.end.is_none()).filter_map(|s| hues.get(s.service.as_str()).map(|hue| hue % HUES)).collect();
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

/// The lines of the axis with their labels.
pub(super) fn ticks(svg: &mut Svg, axis: &Axis, grid: &Grid, top: f64, bottom: f64) {
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
        let label = if tick == 0 { "0".to_owned() } else { human_duration(tick) };
        let half = SMALL.width(&label) / 2.0;
        let y = top - 11.0;
        if x - half < axis.left {
            layout::put(svg, "small muted", x, y, &label);
        } else if x + half > grid.end {
            layout::end(svg, "small muted", x, y, &label);
        } else {
            layout::middle(svg, "small muted", x, y, &label);
        }
    }
}

/// The position of the last mark at each depth, from which connecting lines are drawn.
#[derive(Default)]
pub(super) struct Joints {
    marks: Vec<f64>,
}

impl Joints {
    /// Connects a row to its parent, or to the sibling above it. On a narrow card, the lines would cross the bars.
    pub(super) fn joint(&mut self, svg: &mut Svg, grid: &Grid, depth: usize, y: f64) {
        let depth = depth.min(grid.deepest);
        let middle = y + grid.middle();
        // Rows between this one and its parent may be left out.
        while self.marks.len() < depth {
            let above = self.marks.last().copied().unwrap_or(y);
            self.marks.push(above);
        }
        if depth > 0 && !grid.narrow {
            let parent = self.marks.get(depth - 1).map(|mark| mark + 6.0);
            let sibling = self.marks.get(depth).copied();
            let from = sibling.or(parent).unwrap_or(y).min(middle);
            let x = grid.indent(depth);
            let path =
                format!("M{} {} V{} H{}", number(x - grid.step + 5.0), number(from), number(middle), number(x - 1.0));
            svg.leaf("path", &[("class", "tree".into()), ("d", (&path).into())]);
        }
        self.marks.truncate(depth);
        self.marks.resize(depth + 1, middle);
    }
}

/// The row of a missing parent.
pub(super) fn phantom(svg: &mut Svg, grid: &Grid, text: &str, (from, to): (f64, f64), y: f64) {
    let middle = y + grid.middle();
    svg.leaf(
        "circle",
        &[("class", "dash".into()), ("cx", (PAD + 5.0).into()), ("cy", middle.into()), ("r", 4.5.into())],
    );
    layout::put(svg, "name muted", PAD + 16.0, middle + 4.0, text);
    layout::block(svg, "dash", from, grid.bar_middle(y, 1) - BAR / 2.0, (to - from).max(2.0), BAR, 3.0);
}

/// The bar of a span with its outline and its events.
pub(super) fn bar(svg: &mut Svg, axis: &Axis, span: &Span, hue: usize, middle: f64) {
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
    if let Some(code) = span.failure() {
        layout::block(svg, frame::outline(code), x - 1.75, y - 1.75, width + 3.5, BAR + 3.5, 4.5);
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

/// The bars of equal siblings, on a line from the first to the last.
pub(super) fn fold(svg: &mut Svg, axis: &Axis, trace: &Trace, fold: &Fold, hue: usize, middle: f64) {
    let bars: Vec<(f64, f64)> = fold.members.iter().map(|i| axis.bar(&trace.spans[*i], 1.5)).collect();
    let ends = bars.iter().fold((axis.right, axis.left), |(from, to), (x, width)| (from.min(*x), to.max(x + width)));
    let line = format!("M{} {} H{}", number(ends.0), number(middle), number(ends.1));
    svg.leaf("path", &[("class", "tree".into()), ("d", (&line).into())]);
    let class = hue_class(hue);
    for (x, end) in merged(bars.into_iter().map(|(x, width)| (x, x + width)).collect(), MOST_EVENTS) {
        layout::block(svg, &class, x, middle - BAR / 2.0, end - x, BAR, ((end - x) / 2.0).min(2.0));
        pattern(svg, hue, x, middle - BAR / 2.0, end - x, BAR);
    }
}

/// The parts of the critical path on a row: a line below its bar.
pub(super) fn steps(svg: &mut Svg, axis: &Axis, timing: &Timing, spans: &[usize], middle: f64) {
    let parts = spans.iter().flat_map(|i| timing.steps_of(*i)).map(|step| (axis.x(step.from), axis.x(step.to)));
    for (from, to) in merged(parts.collect(), MOST_STEPS) {
        layout::block(svg, "path", from, middle + BAR / 2.0 + 2.0, (to - from).max(1.0), 2.0, 0.0);
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

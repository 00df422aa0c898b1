//! Charts of query results: values over time, and one bar for each group. Axes begin at zero.

use tracebook_core::chart::{Bars, Chart, Panel, Series};
use tracebook_core::text;
use tracebook_core::time::Nanos;

use super::frame::{PAD, end_of};
use super::layout::{self, Area, NAME, SMALL};
use super::style::HUES;
use super::xml::{Svg, number};

/// The height of the plot of one measure.
const PANEL: f64 = 110.0;
const LINE: f64 = 17.0;

/// Draws a chart; returns the position below it.
pub(super) fn draw(svg: &mut Svg, chart: &Chart, top: f64) -> f64 {
    match chart {
        Chart::Series(series) => series.panels.iter().fold(top, |y, panel| panel_of(svg, series, panel, y)),
        Chart::Bars(bars) => bars_of(svg, bars, top),
    }
}

/// Draws the first measure without axes.
pub(super) fn small(svg: &mut Svg, chart: &Chart, area: Area) {
    let area = Area { top: area.top + 4.0, bottom: area.bottom - 4.0, ..area };
    match chart {
        Chart::Series(series) => {
            if let Some(panel) = series.panels.first() {
                let scale = Scale::of(panel.lines.iter().flat_map(|l| &l.points).map(|(_, v)| *v));
                layout::block(svg, "tree", area.left, scale.y(0.0, area), area.width(), 0.5, 0.0);
                points(svg, series, panel, &scale, area);
            }
        }
        Chart::Bars(bars) => {
            let scale = Scale::of(bars.bars.iter().map(|bar| bar.value));
            #[expect(clippy::cast_precision_loss, reason = "at most sixteen")]
            let step = area.width() / bars.bars.len().max(1) as f64;
            layout::block(svg, "tree", area.left, scale.y(0.0, area), area.width(), 0.5, 0.0);
            for (i, bar) in bars.bars.iter().enumerate() {
                #[expect(clippy::cast_precision_loss, reason = "at most sixteen")]
                let x = area.left + i as f64 * step;
                upright(svg, "s0", &scale, bar.value, (x + 1.0, (step - 2.0).clamp(1.0, 24.0)), area);
            }
        }
    }
}

/// The range of an axis: from zero, or through it, to round values.
struct Scale {
    least: f64,
    most: f64,
    step: f64,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = values.fold((0.0f64, 0.0f64), |(least, most), v| (least.min(v), most.max(v)));
        let range = most - least;
        if range <= 0.0 || !range.is_finite() {
            return Self { least: 0.0, most: 1.0, step: 1.0 };
        }
        let rough = range / 3.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(rough);
        Self { least: (least / step).floor() * step, most: (most / step).ceil() * step, step }
    }

    fn share(&self, value: f64) -> f64 {
        ((value - self.least) / (self.most - self.least)).clamp(0.0, 1.0)
    }

    fn y(&self, value: f64, area: Area) -> f64 {
        area.bottom - self.share(value) * area.height()
    }

    /// At most eight.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (least, most, step) = (self.least, self.most, self.step);
        (0..8u32).map(move |i| least + f64::from(i) * step).take_while(move |tick| *tick <= most + step / 2.0)
    }
}

/// `0`, `250`, `1.5k`, `-2M`
fn value_text(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        1e9.. => (value / 1e9, "G"),
        1e6.. => (value / 1e6, "M"),
        1e4.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        100.0.. => 0,
        1.0.. => 1,
        0.0 => 0,
        0.01.. => 2,
        _ => return format!("{scaled:.1e}"),
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// A vertical bar from zero to a value.
fn upright(svg: &mut Svg, class: &str, scale: &Scale, value: f64, (x, width): (f64, f64), area: Area) {
    let (zero, y) = (scale.y(0.0, area), scale.y(value, area));
    layout::block(svg, class, x, zero.min(y), width, (zero - y).abs().max(0.5), 1.0);
}

/// The position of a time.
fn time_x(series: &Series, time: Nanos, area: Area) -> f64 {
    // A bin reaches from its time to the next one.
    let (first, last) = (series.range.0.0, series.range.1.0.saturating_add(series.step.0));
    #[expect(clippy::cast_precision_loss, reason = "a position on paper")]
    let share = time.0.saturating_sub(first) as f64 / last.saturating_sub(first).max(1) as f64;
    area.left + share.clamp(0.0, 1.0) * area.width()
}

/// The values of a panel: bars for one line, else lines that are interrupted where there is no value.
fn points(svg: &mut Svg, series: &Series, panel: &Panel, scale: &Scale, area: Area) {
    if let [line] = panel.lines.as_slice() {
        // Of bars within one pixel, the longest is drawn.
        let mut bars: Vec<(f64, f64, f64)> = Vec::new();
        for (time, value) in &line.points {
            let x = time_x(series, *time, area);
            let next = time_x(series, Nanos(time.0.saturating_add(series.step.0)), area);
            let width = (next - x - 1.0).max(1.0);
            match bars.last_mut() {
                Some((last, _, longest)) if x - *last < 1.0 => {
                    if value.abs() > longest.abs() {
                        *longest = *value;
                    }
                }
                _ => bars.push((x, width, *value)),
            }
        }
        for (x, width, value) in bars {
            upright(svg, "s0", scale, value, (x, width), area);
        }
        return;
    }
    for (hue, line) in panel.lines.iter().enumerate() {
        let class = format!("l{}", hue % HUES);
        let mut path = String::new();
        let mut last: Option<Nanos> = None;
        for (time, value) in &line.points {
            let (x, y) = (time_x(series, *time, area), scale.y(*value, area));
            let gap = last.is_none_or(|last| time.0.saturating_sub(last.0) > series.step.0.saturating_mul(3) / 2);
            path.push_str(&format!("{}{} {} ", if gap { "M" } else { "L" }, number(x), number(y)));
            last = Some(*time);
        }
        svg.leaf("path", &[("class", (&class).into()), ("d", path.trim_end().into())]);
        let fill = format!("s{}", hue % HUES);
        if line.points.len() <= 60 {
            for (time, value) in &line.points {
                let (x, y) = (time_x(series, *time, area), scale.y(*value, area));
                svg.leaf("circle", &[("class", (&fill).into()), ("cx", x.into()), ("cy", y.into()), ("r", 2.2.into())]);
            }
        }
    }
}

/// `15:20`, with the day where there are several.
fn clock(time: Nanos, days: bool) -> String {
    let (day, clock) = layout::clock(time);
    let clock: String = clock.chars().take(if days { 5 } else { 8 }).collect();
    let clock = clock.strip_suffix(":00").filter(|_| !days).map_or(clock.clone(), str::to_owned);
    if days { format!("{} {clock}", day.get(5..).unwrap_or(&day)) } else { clock }
}

fn panel_of(svg: &mut Svg, series: &Series, panel: &Panel, top: f64) -> f64 {
    let end = end_of(svg.width());
    let scale = Scale::of(panel.lines.iter().flat_map(|l| &l.points).map(|(_, v)| *v));
    let mut y = top + 2.0;
    layout::put(svg, "small muted", PAD, y + 12.0, &SMALL.fit(&layout::clean(&panel.measure), end - PAD));
    y = legend(svg, panel, y + LINE);
    let labels: Vec<(f64, String)> = scale.ticks().map(|tick| (tick, value_text(tick))).collect();
    let gutter = labels.iter().map(|(_, text)| SMALL.width(text)).fold(0.0, f64::max) + 8.0;
    let area = Area { left: PAD + gutter, right: end, top: y + 8.0, bottom: y + 8.0 + PANEL };
    for (tick, text) in &labels {
        let at = scale.y(*tick, area);
        svg.leaf(
            "line",
            &[
                ("class", "line".into()),
                ("x1", area.left.into()),
                ("y1", at.into()),
                ("x2", area.right.into()),
                ("y2", at.into()),
            ],
        );
        layout::end(svg, "small muted", area.left - 6.0, at + 4.0, text);
    }
    points(svg, series, panel, &scale, area);
    let days = layout::clock(series.range.0).0 != layout::clock(series.range.1).0;
    let middle = Nanos(series.range.0.0.saturating_add(series.range.1.0.saturating_sub(series.range.0.0) / 2));
    let below = area.bottom + 16.0;
    let last = time_x(series, series.range.1, area);
    layout::put(svg, "small muted", area.left, below, &clock(series.range.0, days));
    let (from, to) = (SMALL.width(&clock(series.range.0, days)), SMALL.width(&clock(series.range.1, days)));
    let at = time_x(series, middle, area);
    let text = clock(middle, days);
    let half = SMALL.width(&text) / 2.0;
    if at - half > area.left + from + 8.0 && at + half < last - to - 8.0 {
        layout::middle(svg, "small muted", at, below, &text);
    }
    if last - to > area.left + from + 8.0 {
        layout::end(svg, "small muted", last.max(area.left + from + to), below, &clock(series.range.1, days));
    }
    area.bottom + 26.0
}

/// The names of the lines with their colours.
fn legend(svg: &mut Svg, panel: &Panel, top: f64) -> f64 {
    if panel.lines.len() < 2 && panel.lines.iter().all(|line| line.name.is_empty()) {
        return top;
    }
    let end = end_of(svg.width());
    let (mut x, mut y) = (PAD, top);
    for (hue, line) in panel.lines.iter().enumerate() {
        let name = SMALL.fit(&layout::clean(&line.name), (end - PAD - 20.0).min(260.0));
        let width = 15.0 + SMALL.width(&name);
        if x > PAD && x + width > end {
            (x, y) = (PAD, y + LINE);
        }
        layout::block(svg, &format!("s{}", hue % HUES), x, y + 4.0, 10.0, 10.0, 3.0);
        layout::put(svg, "small", x + 15.0, y + 13.0, &name);
        x += width + 16.0;
    }
    if panel.more > 0 {
        let text = format!("and {} in the table", text::count_of(panel.more, "more group", "more groups"));
        if x > PAD && x + SMALL.width(&text) > end {
            (x, y) = (PAD, y + LINE);
        }
        layout::put(svg, "small muted", x, y + 13.0, &text);
    }
    y + LINE
}

/// A bar for each group, its value behind it; on a narrow card, the name stands above the bar.
fn bars_of(svg: &mut Svg, bars: &Bars, top: f64) -> f64 {
    const BAR: f64 = 12.0;
    let (narrow, end) = (svg.width().is_narrow(), end_of(svg.width()));
    let scale = Scale::of(bars.bars.iter().map(|bar| bar.value));
    let mut y = top + 2.0;
    layout::put(svg, "small muted", PAD, y + 12.0, &SMALL.fit(&layout::clean(&bars.measure), end - PAD));
    y += LINE + 2.0;
    let names = bars.bars.iter().map(|bar| NAME.width(&layout::clean(&bar.name)) + 1.0).fold(0.0, f64::max);
    let names = if narrow { 0.0 } else { names.min((end - PAD) * 0.36) };
    let values = bars.bars.iter().map(|bar| SMALL.width(&layout::clean(&bar.text))).fold(0.0, f64::max).min(90.0);
    // Values of negative bars stand at the right, too, so that they do not cross the names.
    let left = PAD + names + if narrow { 0.0 } else { 12.0 };
    let area = Area { left, right: end - values - 8.0, top: y, bottom: y };
    let x = |value: f64| area.left + scale.share(value) * area.width();
    let zero = x(0.0);
    let first = y;
    for bar in &bars.bars {
        let name = layout::clean(&bar.name);
        match narrow {
            true => {
                layout::put(svg, "name", PAD, y + 13.0, &NAME.fit(&name, end - PAD));
                y += LINE;
            }
            false => layout::put(svg, "name", PAD, y + 13.0, &NAME.fit(&name, names)),
        }
        let to = x(bar.value);
        layout::block(svg, "s0", zero.min(to), y + 3.0, (to - zero).abs().max(1.0), BAR, 2.0);
        let text = SMALL.fit(&layout::clean(&bar.text), 90.0);
        layout::put(svg, "small", zero.max(to) + 6.0, y + 13.0, &text);
        y += LINE + if narrow { 4.0 } else { 2.0 };
    }
    layout::block(svg, "tree", zero - 0.5, first, 1.0, y - first, 0.0);
    if bars.more > 0 {
        let text = format!("and {} in the table", text::count_of(bars.more, "more group", "more groups"));
        layout::put(svg, "small muted", PAD, y + 13.0, &text);
        y += LINE;
    }
    y + 8.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_begin_at_zero_and_end_at_round_values() {
        let of = |values: &[f64]| {
            let scale = Scale::of(values.iter().copied());
            scale.ticks().map(value_text).collect::<Vec<_>>()
        };
        assert_eq!(of(&[412.0, 390.0]), ["0", "200", "400", "600"]);
        assert_eq!(of(&[0.7]), ["0", "0.25", "0.5", "0.75"]);
        assert_eq!(of(&[-30.0, 60.0]), ["-50", "0", "50", "100"]);
        assert_eq!(of(&[12_345_678.0]), ["0", "5M", "10M", "15M"]);
        assert_eq!((of(&[]), of(&[0.0])), (vec!["0".to_owned(), "1".to_owned()], vec!["0".to_owned(), "1".to_owned()]));
        assert!(of(&[f64::MAX, f64::MIN]).len() <= 8);
    }

    #[test]
    fn times_are_as_short_as_they_can_be() {
        let time = Nanos(1_795_447_213_000_000_000);
        assert_eq!((clock(time, false), clock(time, true)), ("15:20:13".to_owned(), "11-23 15:20".to_owned()));
        assert_eq!(clock(Nanos(1_795_447_200_000_000_000), false), "15:20");
    }
}

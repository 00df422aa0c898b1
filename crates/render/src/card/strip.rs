//! The compact card of a trace: one strip.

use tracebook_core::choose::SpanItem;
use tracebook_core::evidence::Frozen;
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::Trace;

use super::frame::{self, PAD, WIDTH};
use super::measure::Font;
use super::waterfall::{Axis, View, hue_class, hues};
use super::xml::Svg;
use super::{Size, captions};

const HEIGHT: f64 = 64.0;
const TITLE: Font = Font::bold(14.0);
const SMALL: Font = Font::plain(11.0);
/// The position of the small waterfall.
const CHART: f64 = 660.0;
const MOST_BARS: usize = 8;

/// Draws the strip.
pub(super) fn draw(trace: &Trace, frozen: Option<&Frozen>) -> String {
    let name = trace.name();
    let mut facts = vec![text::count(trace.spans.len(), "span"), human_duration(trace.duration())];
    facts.extend(captions::services(trace).into_iter().take(2).map(|s| s.chars().take(40).collect()));
    facts.push(trace.start().human());
    if let Some(emulated) = frozen.and_then(|f| captions::emulated(&f.evidence.provenance)) {
        facts.insert(0, emulated);
    }
    let mut facts = facts.join(" · ");
    if let Some(digest) = frozen.map(|f| captions::short_digest(&f.digest)) {
        let longer = format!("{facts} · {digest}");
        // A truncated digest is useless.
        if SMALL.width(&longer) <= CHART - 24.0 - (PAD + 22.0) {
            facts = longer;
        }
    }
    let view = View::of(trace);
    let (class, status) = view.verdict();
    let described = super::trace::alt(&view).map(|line| format!(" · {line}")).unwrap_or_default();
    let description = format!("{status} · {facts}{described}");
    let mut svg = frame::begin(HEIGHT, frozen, Size::Compact, &name, &description);
    frame::sign(&mut svg, PAD + 6.0, 24.0, class);
    let x = PAD + 22.0;
    let room = CHART - 24.0 - x;
    let status = if class == "good" { "" } else { status };
    let status_room = if status.is_empty() { 0.0 } else { Font::bold(11.0).width(status) + 10.0 };
    svg.open(
        "text",
        &[("class", "title".into()), ("style", "font-size:14px".into()), ("x", x.into()), ("y", 29.0.into())],
    );
    svg.text("tspan", &[], &TITLE.fit(&name, room - status_room));
    if !status.is_empty() {
        let class = format!("pill {class}");
        svg.text("tspan", &[("class", (&class).into()), ("dx", 10.0.into())], status);
    }
    svg.close();
    svg.text("text", &[("class", "small muted".into()), ("x", x.into()), ("y", 48.0.into())], &SMALL.fit(&facts, room));

    bars(&mut svg, &view, HEIGHT, 44.0);
    svg.finish()
}

/// The chosen spans as bars, vertically centred within the height.
pub(super) fn bars(svg: &mut Svg, view: &View<'_>, height: f64, room: f64) {
    let trace = view.trace;
    let hues = hues(trace);
    let axis = Axis::of(trace, CHART, WIDTH - PAD);
    let choice = view.choose(MOST_BARS);
    let rows: Vec<&[usize]> = choice
        .items
        .iter()
        .filter_map(|item| match item {
            SpanItem::Span(row) => Some(std::slice::from_ref(&row.index)),
            SpanItem::Fold(fold) => Some(fold.members.as_slice()),
            SpanItem::Gap(_) => None,
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "at most eight")]
    let step = (room / rows.len().max(1) as f64).min(9.0);
    #[expect(clippy::cast_precision_loss, reason = "at most eight")]
    let mut y = height / 2.0 - step * rows.len() as f64 / 2.0;
    for members in rows {
        let mut end = f64::MIN;
        for span in members.iter().map(|i| &trace.spans[*i]) {
            let (from, width) = axis.bar(span, 2.0);
            // Bars that would cover one another are drawn once.
            if members.len() > 1 && from + width <= end + 1.0 {
                continue;
            }
            end = from + width;
            let class = match span.failure() {
                Some(code) => frame::failure(code).0.to_owned(),
                None => hue_class(hues.get(span.service.as_str()).copied().unwrap_or(0)),
            };
            let opacity = if span.end.is_none() { 0.5 } else { 1.0 };
            svg.leaf(
                "rect",
                &[
                    ("class", (&class).into()),
                    ("x", from.into()),
                    ("y", (y + 1.0).into()),
                    ("width", width.into()),
                    ("height", (step - 2.0).into()),
                    ("rx", (width / 2.0).min(2.0).into()),
                    ("opacity", opacity.into()),
                ],
            );
        }
        y += step;
    }
}

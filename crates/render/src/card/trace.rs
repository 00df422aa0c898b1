//! The card, compact card, table and caption of a trace.

use std::cell::OnceCell;

use tracebook_core::assemble::Row;
use tracebook_core::attributes;
use tracebook_core::choose::SpanItem;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::SpanId;
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::{Span, StatusCode, Trace};

use super::Picture;
use super::bars::{Axis, hue_class, hues};
use super::captions::{self, service_names, trace_id};
use super::form::Width;
use super::frame;
use super::layout::{Area, Head};
use super::table::{MOST_ROWS, Table, clip};
use super::waterfall::{self, View, Waterfall};
use super::xml::Svg;
use crate::inline::one_line;

/// Maximum number of bars in a compact card.
const MOST_BARS: usize = 8;

/// A trace, and what is read from it when a part of its card needs it.
pub(super) struct TraceCard<'a> {
    trace: &'a Trace,
    view: OnceCell<View<'a>>,
}

impl<'a> TraceCard<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        Self { trace, view: OnceCell::new() }
    }

    pub(super) fn view(&self) -> &View<'a> {
        self.view.get_or_init(|| View::of(self.trace))
    }
}

impl Picture for TraceCard<'_> {
    fn head(&self, _: Option<&Frozen>) -> Head {
        let trace = self.trace;
        let facts = format!(
            "{} · {} · {}",
            text::count(trace.spans.len(), "span"),
            human_duration(trace.duration()),
            trace.start().rfc3339().replace('T', " ").replace('Z', " UTC"),
        );
        self.view().head(trace.name(), facts)
    }

    fn body(&self, svg: &mut Svg, top: f64) -> f64 {
        Waterfall::of(self.view(), svg.width()).draw(svg, top)
    }

    fn chart(&self, svg: &mut Svg, area: Area) {
        bars(svg, self.view(), area);
    }

    fn notes(&self, _: Width) -> Vec<String> {
        self.trace.notes.clone()
    }

    fn description(&self, head: &Head) -> String {
        self.view().description(&head.facts)
    }

    fn table(&self) -> Table {
        table(self.view())
    }

    fn facts(&self) -> Vec<String> {
        service_names(self.trace).into_iter().collect()
    }

    fn alt(&self) -> Option<String> {
        alt(self.view())
    }

    fn subject(&self) -> String {
        format!("Trace {}", trace_id(self.trace))
    }
}

/// The chosen spans as bars, vertically centred within an area.
pub(super) fn bars(svg: &mut Svg, view: &View<'_>, area: Area) {
    let trace = view.trace;
    let hues = hues(trace);
    let axis = Axis::of(trace, area.left, area.right);
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
    let step = (area.height() / rows.len().max(1) as f64).min(9.0);
    #[expect(clippy::cast_precision_loss, reason = "at most eight")]
    let mut y = area.middle() - step * rows.len() as f64 / 2.0;
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

/// What an alternative text adds to the title: the first failure, or that a retry helped.
pub(super) fn alt(view: &View<'_>) -> Option<String> {
    let line = view.headline.failure_line(view.trace);
    let failed = view.trace.spans.iter().filter(|s| s.failure().is_some()).count();
    match line {
        Some(line) if failed > 1 => Some(format!("{line} ({} failed)", text::count(failed, "span"))),
        Some(line) => Some(line),
        None => view.headline.retry_lines(view.trace).into_iter().next(),
    }
}

fn table(view: &View<'_>) -> Table {
    let (trace, marks) = (view.trace, &view.marks);
    let start = trace.start().0;
    let choice = view.choose(MOST_ROWS);
    let row = |depth: usize, phantom: Option<SpanId>, title: String, span: &Span, duration: String| {
        let mut notes = Vec::new();
        if let Some(parent) = phantom {
            notes.push(format!("parent {parent} never arrived"));
        }
        notes.extend(trace.failures(span));
        let indent = "· ".repeat(depth.min(12));
        let since = human_duration(span.start.0.saturating_sub(start));
        ([format!("{indent}{title}"), span.service.clone(), since, duration, status(span)], notes)
    };
    let detail = |span: &Span| attributes::detail(span).map(|d| format!("{}: {}", d.label, d.text));
    let cells = choice.items.iter().filter_map(|item| {
        let (cells, notes) = match item {
            SpanItem::Span(Row { index, depth, phantom }) => {
                let span = &trace.spans[*index];
                let duration = span.duration().map_or_else(|| "in progress".to_owned(), human_duration);
                let (cells, mut notes) = row(*depth, *phantom, span.title(), span, duration);
                notes.extend(marks[*index].map(waterfall::skew_words));
                notes.extend(detail(span));
                notes.extend(captions::said(span));
                notes.extend(captions::events(trace, span));
                notes.extend(captions::linked(trace, span));
                (cells, notes)
            }
            SpanItem::Fold(fold) => {
                let span = &trace.spans[*fold.members.first()?];
                let total = human_duration(i64::try_from(fold.total).unwrap_or(i64::MAX));
                let (cells, mut notes) = row(fold.depth, fold.phantom, fold.title(trace), span, total);
                notes.push(fold.facts());
                notes.extend(detail(span));
                (cells, notes)
            }
            // What is left out is counted below the table.
            SpanItem::Gap(_) => return None,
        };
        let cells = cells.into_iter().chain([notes.join("; ")]);
        Some(cells.map(|cell| clip(&one_line(&cell))).collect())
    });
    let mut summary = text::count(trace.spans.len(), "span");
    if choice.omitted.errors > 0 {
        summary.push_str(&format!(", {}", waterfall::not_shown(choice.omitted)));
    }
    Table {
        summary,
        head: ["Span", "Service", "Start", "Duration", "Status", "Details"].map(str::to_owned).to_vec(),
        rows: cells.collect(),
        more: choice.omitted.rows,
    }
}

/// The status of a span. OTLP reports success as an unset status; the HTTP status, if any, is shown instead.
pub(super) fn status(span: &Span) -> String {
    let http = span.http_status().map(|s| s.to_string());
    match (span.status.code, http) {
        (StatusCode::Unset, http) => http.unwrap_or_default(),
        (code, Some(http)) => format!("{} {http}", code.word()),
        (code, None) => code.word().to_owned(),
    }
}

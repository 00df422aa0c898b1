//! The card, compact card, table and caption of a trace.

use tracebook_core::analysis::skew;
use tracebook_core::assemble::Row;
use tracebook_core::attributes;
use tracebook_core::choose::SpanItem;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::SpanId;
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::{Span, StatusCode, Trace};

use super::captions::{self, service_names, trace_id};
use super::table::{MOST_ROWS, Table, clip};
use super::waterfall::View;
use super::{Picture, strip, waterfall};
use crate::inline::one_line;

impl Picture for Trace {
    fn full(&self, frozen: Option<&Frozen>) -> String {
        waterfall::draw(self, frozen)
    }

    fn strip(&self, frozen: Option<&Frozen>) -> String {
        strip::draw(self, frozen)
    }

    fn table(&self) -> Table {
        table(self)
    }

    fn facts(&self) -> Vec<String> {
        service_names(self).into_iter().collect()
    }

    fn alt(&self) -> Option<String> {
        alt(&View::of(self))
    }

    fn subject(&self) -> String {
        format!("Trace {}", trace_id(self))
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

fn table(trace: &Trace) -> Table {
    let start = trace.start().0;
    let view = View::of(trace);
    let marks = skew::marks(trace, &view.tree);
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

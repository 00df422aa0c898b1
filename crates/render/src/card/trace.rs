//! The card, compact card, table and caption of a trace.

use tracebook_core::assemble;
use tracebook_core::evidence::Frozen;
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::{Span, StatusCode, Trace};

use super::captions::{self, service_names, trace_id};
use super::table::{MOST_ROWS, Table, clip};
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

    fn subject(&self) -> String {
        format!("Trace {}", trace_id(self))
    }
}

fn table(trace: &Trace) -> Table {
    let start = trace.start().0;
    let rows = assemble::rows(trace);
    let cells = rows.iter().take(MOST_ROWS).map(|row| {
        let span = &trace.spans[row.index];
        let duration = span.duration().map_or_else(|| "in progress".to_owned(), human_duration);
        let mut notes = Vec::new();
        if let Some(parent) = row.phantom {
            notes.push(format!("parent {parent} never arrived"));
        }
        notes.extend(captions::failures(trace, span));
        notes.extend(captions::said(span));
        let indent = "· ".repeat(row.depth.min(12));
        [
            format!("{indent}{}", span.title()),
            span.service.clone(),
            human_duration(span.start.0.saturating_sub(start)),
            duration,
            status(span),
            notes.join("; "),
        ]
        .map(|cell| clip(&one_line(&cell)))
        .to_vec()
    });
    Table {
        summary: text::count(trace.spans.len(), "span"),
        head: ["Span", "Service", "Start", "Duration", "Status", "Details"].map(str::to_owned).to_vec(),
        rows: cells.collect(),
        more: rows.len().saturating_sub(MOST_ROWS),
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

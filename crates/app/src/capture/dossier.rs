//! Dossiers: the spans, log events, errors and console lines of one request as one evidence.

use tracebook_core::console::{ConsoleLine, LineKind, classify, prefix};
use tracebook_core::dossier::{Dossier, Join, JoinedError, JoinedLine, JoinedLog, Likeness};
use tracebook_core::evidence::Body;
use tracebook_core::ids::TraceId;
use tracebook_core::log_query::LogQuery;
use tracebook_core::time::Nanos;
use tracebook_core::trace::Trace;
use tracebook_core::value::Attribute;
use tracebook_store::console::{LineQuery, StoredLine};

use super::Capturer;
use crate::ground::error::Error;
use crate::ground::finding::{Finding, Raw};
use crate::ground::records::log_event;
use crate::ground::records::occurrence;
use crate::ground::schema::Capture;

/// The most rows of each kind that are joined.
const MAX_JOINED: u32 = 200;
/// Nanoseconds before its first and after its last span in which a request may still log.
const MARGIN: i64 = 100_000_000;
/// Rollbar's times are rounded down to seconds, by a clock that may be a little behind.
const ROLLBAR_MARGIN: i64 = 1_000_000_000;

impl Capturer {
    pub(super) async fn dossier_to_capture(&self, request: &Capture) -> Result<Finding, Error> {
        let id = self.which_trace(request).await?;
        let read = self.telemetry.read_trace(id).await?;
        let mut raw = Raw { spans: read.records, ..Raw::default() };
        let mut warnings = read.warnings;
        warnings.extend(read.trace.notes.iter().cloned());
        let mut dossier = Dossier::new(id, read.trace);
        self.join_local(&mut dossier, &mut raw).await?;
        warnings.extend(dossier.notes.iter().cloned());
        Ok(Finding { raw, warnings, ..Finding::new(Body::Dossier(Box::new(dossier)), MAX_JOINED) })
    }

    /// Joins local telemetry of the same request.
    pub(super) async fn join_local(&self, dossier: &mut Dossier, raw: &mut Raw) -> Result<(), Error> {
        self.join_logs(dossier, raw).await?;
        self.join_errors(dossier, raw).await?;
        self.join_console(dossier).await?;
        dossier.notes.extend(notes(dossier));
        Ok(())
    }

    async fn join_logs(&self, dossier: &mut Dossier, raw: &mut Raw) -> Result<(), Error> {
        let (from, until) = window(&dossier.trace);
        let by_id = LogQuery { trace_id: Some(dossier.trace_id), limit: MAX_JOINED, ..LogQuery::default() };
        let by_time = LogQuery { from: Some(from), before: Some(until), limit: MAX_JOINED, ..LogQuery::default() };
        let services = dossier.trace.services();
        let mut found: Vec<(Join, _)> =
            self.telemetry.store.logs(&by_id).await?.into_iter().map(|stored| (Join::TraceId, stored)).collect();
        for stored in self.telemetry.store.logs(&by_time).await? {
            let log = &stored.record;
            // CloudWatch's groups name no service: time is the only clue.
            let known = log.encoding.origin() == tracebook_core::logs::LogOrigin::Otlp;
            if log.trace_id.is_none() && (!known || services.contains(&log.group)) {
                found.push((Join::Time, stored));
            }
        }
        found.sort_by_key(|(_, stored)| (stored.record.timestamp, stored.seq));
        for (by, stored) in found {
            dossier.logs.push(JoinedLog { by, event: log_event(&stored.record) });
            raw.logs.push(stored.record);
        }
        Ok(())
    }

    async fn join_errors(&self, dossier: &mut Dossier, raw: &mut Raw) -> Result<(), Error> {
        let mut found = Vec::new();
        for record in self.telemetry.store.errors_of(dossier.trace_id, MAX_JOINED).await? {
            let whole = occurrence(&record);
            let by = if names_trace(&whole.custom, dossier.trace_id) { Join::TraceId } else { Join::Header };
            found.push((by, whole, record));
        }
        let (from, until) = (dossier.trace.start(), dossier.trace.end());
        let (from, until) =
            (Nanos(from.0.saturating_sub(ROLLBAR_MARGIN)), Nanos(until.0.saturating_add(ROLLBAR_MARGIN)));
        for record in self.telemetry.store.errors_between(from, until, MAX_JOINED).await? {
            let whole = occurrence(&record);
            if Likeness::of(&dossier.trace, &whole).is_some() {
                found.push((Join::Time, whole, record));
            }
        }
        found.sort_by_key(|(_, whole, _)| whole.timestamp);
        for (by, occurrence, record) in found {
            dossier.errors.push(JoinedError { by, occurrence });
            raw.errors.push(record);
        }
        Ok(())
    }

    async fn join_console(&self, dossier: &mut Dossier) -> Result<(), Error> {
        let (from, until) = window(&dossier.trace);
        let by_id = LineQuery { trace_id: Some(dossier.trace_id), limit: MAX_JOINED, ..LineQuery::default() };
        let by_time = LineQuery { from: Some(from), until: Some(until), limit: MAX_JOINED, ..LineQuery::default() };
        let named = self.telemetry.store.console(&by_id).await?.into_iter();
        let mut found: Vec<(Join, _)> =
            named.filter(|line| !is_of_printed_span(line)).map(|line| (Join::TraceId, line)).collect();
        let timely = self.telemetry.store.console(&by_time).await?;
        // Printed spans name their trace: those of this request are in the trace already, others do not belong to it.
        let lines: Vec<ConsoleLine> = timely.iter().map(line_of).collect();
        let other = timely.into_iter().zip(classify(&lines)).filter(|(_, kind)| *kind != LineKind::Span);
        let other = other.map(|(line, _)| line).filter(|l| l.record.trace_id.is_none());
        found.extend(other.map(|line| (Join::Time, line)));
        found.sort_by_key(|(_, stored)| stored.seq);
        dossier.console = found
            .into_iter()
            .map(|(by, stored)| JoinedLine { by, line: line_of(&stored), stream: stored.record.stream })
            .collect();
        Ok(())
    }
}

/// A dossier without joined items.
fn line_of(stored: &StoredLine) -> ConsoleLine {
    let line = &stored.record;
    ConsoleLine { text: line.text.clone(), stderr: line.stderr, time: Some(line.timestamp) }
}

/// Whether a line that names the trace belongs to a printed span, which is in the dossier as a span.
fn is_of_printed_span(stored: &StoredLine) -> bool {
    let line = line_of(stored);
    let text = prefix(&line.text).map_or(line.text.as_str(), |found| found.rest);
    let text = text.trim_start();
    let names = ["\"trace_id\": \"0x", "traceId: '"].iter().any(|name| text.starts_with(name));
    names || classify(std::slice::from_ref(&line)) == [LineKind::Span]
}

/// The time in which the request may have written something.
fn window(trace: &Trace) -> (Nanos, Nanos) {
    (Nanos(trace.start().0.saturating_sub(MARGIN)), Nanos(trace.end().0.saturating_add(MARGIN)))
}

fn names_trace(attributes: &[Attribute], id: TraceId) -> bool {
    attributes.iter().any(|a| a.value.as_str().and_then(|text| text.parse().ok()) == Some(id))
}

/// Notes on what was not found, and on what may belong to another request.
fn notes(dossier: &Dossier) -> Vec<String> {
    let mut notes = Vec::new();
    for (n, what) in
        [(dossier.logs.len(), "log event"), (dossier.errors.len(), "error"), (dossier.console.len(), "console line")]
    {
        if n == 0 {
            notes.push(format!("no {what} of this request was found"));
        }
        if n >= usize::try_from(MAX_JOINED).unwrap_or(usize::MAX) {
            notes.push(format!("only the first {MAX_JOINED} {what}s are included"));
        }
    }
    let by_time = dossier.logs.iter().map(|l| l.by).chain(dossier.errors.iter().map(|e| e.by));
    let by_time = by_time.chain(dossier.console.iter().map(|l| l.by)).filter(|by| *by == Join::Time).count();
    if by_time > 0 {
        notes.push(format!(
            "{by_time} joined by time only, without an id: they may belong to another request of that moment"
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Home;
    use tracebook_core::console::trace_id_in;
    use tracebook_core::evidence::Kind;
    use tracebook_core::telemetry::ConsoleRecord;

    const OURS: &str = "6451a0724d919a6ac75115f8cbed6e79";
    const THEIRS: &str = "0123456789abcdef0123456789abcdef";

    /// Output of ConsoleSpanExporter for a request.
    fn printed(trace_id: &str, span_id: &str, name: &str) -> String {
        format!(
            "{{\n    \"name\": \"{name}\",\n    \"context\": {{\n        \"trace_id\": \"0x{trace_id}\",\n        \"span_id\": \"0x{span_id}\",\n        \"trace_state\": \"[]\"\n    }},\n    \"kind\": \"SpanKind.SERVER\",\n    \"parent_id\": null,\n    \"start_time\": \"2026-11-24T14:47:31.800000Z\",\n    \"end_time\": \"2026-11-24T14:47:31.900000Z\",\n    \"status\": {{\n        \"status_code\": \"UNSET\"\n    }},\n    \"attributes\": {{\n        \"app.user\": \"{name}\"\n    }},\n    \"events\": [],\n    \"links\": [],\n    \"resource\": {{\n        \"attributes\": {{}},\n        \"schema_url\": \"\"\n    }}\n}}\n"
        )
    }

    #[tokio::test]
    async fn the_printed_spans_of_other_requests_stay_out() {
        let home = Home::new().await;
        let text = format!(
            "before\n{}between\n{}GET /ours trace_id={OURS}\n",
            printed(THEIRS, "0102030405060708", "other-request"),
            printed(OURS, "1112131415161718", "our-request")
        );
        let lines = tracebook_core::console::lines(&text);
        let at = Nanos::parse_rfc3339("2026-11-24T14:47:31.850Z").expect("a time");
        let records: Vec<ConsoleRecord> = lines
            .iter()
            .map(|line| ConsoleRecord {
                stream: "flask run".to_owned(),
                timestamp: at,
                stderr: false,
                text: line.text.clone(),
                trace_id: trace_id_in(&line.text),
            })
            .collect();
        home.app.telemetry.store.commit_console(&records, home.app.runtime.now()).await.expect("commits");
        let spans = tracebook_sources::console::spans(&lines);
        assert_eq!(spans.len(), 2);
        home.app.telemetry.store.commit(&spans, home.app.runtime.now()).await.expect("commits");

        let request = Capture { id: Some(OURS.to_owned()), ..Capture::of(Kind::Dossier) };
        let found = home.app.capture.find(&request, &crate::ground::schema::Caller::default()).await;
        let found = found.expect("a dossier");
        let Body::Dossier(dossier) = found.body else { panic!("{:?}", found.body) };
        let said: Vec<(Join, &str)> = dossier.console.iter().map(|l| (l.by, l.line.text.trim())).collect();
        let own_line = format!("GET /ours trace_id={OURS}");
        assert_eq!(said, [(Join::Time, "before"), (Join::Time, "between"), (Join::TraceId, own_line.as_str())]);
        assert_eq!(dossier.trace.spans.len(), 1);
        assert!(!format!("{dossier:?}").contains("other-request"), "{dossier:?}");
        home.app.shutdown().await;
    }
}

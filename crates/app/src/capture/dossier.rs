//! Dossiers: the spans, log events, errors and console lines of one request as one evidence.

use tracebook_core::access_log::{difference, request_of_error, request_of_event, request_of_line};
use tracebook_core::console::{ConsoleLine, LineKind, RECEIVER_STREAM, classify, prefix};
use tracebook_core::dossier::{Dossier, Join, JoinedError, JoinedLine, JoinedLog, LeftOut, Likeness};
use tracebook_core::evidence::Body;
use tracebook_core::ids::TraceId;
use tracebook_core::log_query::LogQuery;
use tracebook_core::time::Nanos;
use tracebook_core::trace::Trace;
use tracebook_core::value::Attribute;
use tracebook_store::console::{LineQuery, StoredLine};

use super::Capturer;
use super::kinds::clock_of;
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
        let mut read = self.telemetry.read_trace(id).await?;
        let skewed = self.telemetry.skewed_senders(id).await?;
        let notes = self.telemetry.notes_on(&read.trace, &skewed).await?;
        read.trace.notes.extend(notes);
        let mut raw = Raw { spans: read.records, ..Raw::default() };
        let mut warnings = read.warnings;
        warnings.extend(read.trace.notes.iter().cloned());
        let mut dossier = Dossier::new(id, read.trace);
        self.join_local(&mut dossier, &mut raw).await?;
        warnings.extend(dossier.notes.iter().cloned());
        let origin = clock_of(skewed.into_iter().map(|(_, ahead)| ahead));
        Ok(Finding { raw, warnings, origin, ..Finding::new(Body::Dossier(Box::new(dossier)), MAX_JOINED) })
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
        let mut left_out = LeftOut::default();
        let mut found: Vec<(Join, _)> =
            self.telemetry.store.logs(&by_id).await?.into_iter().map(|stored| (Join::TraceId, stored)).collect();
        for stored in self.telemetry.store.logs(&by_time).await? {
            let log = &stored.record;
            // CloudWatch's groups name no service: time is the only clue.
            let known = log.encoding.origin() == tracebook_core::logs::LogOrigin::Otlp;
            if log.trace_id.is_some() || known && !services.contains(&log.group) {
                continue;
            }
            let request = request_of_event(&log_event(log));
            match request.and_then(|request| difference(&dossier.trace, &request)) {
                Some(other) => left_out.count(other),
                None => found.push((Join::Time, stored)),
            }
        }
        dossier.notes.extend(left_out.note("log event"));
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
        let mut left_out = LeftOut::default();
        let (from, until) =
            (Nanos(from.0.saturating_sub(ROLLBAR_MARGIN)), Nanos(until.0.saturating_add(ROLLBAR_MARGIN)));
        for record in self.telemetry.store.errors_between(from, until, MAX_JOINED).await? {
            let whole = occurrence(&record);
            if Likeness::of(&dossier.trace, &whole).is_none() {
                continue;
            }
            match difference(&dossier.trace, &request_of_error(&whole)) {
                Some(other) => left_out.count(other),
                None => found.push((Join::Time, whole, record)),
            }
        }
        dossier.notes.extend(left_out.note("error"));
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
        let mut left_out = LeftOut::default();
        // Tracebook's own lines are not of the service.
        let service = |l: &StoredLine| l.record.trace_id.is_none() && l.record.stream != RECEIVER_STREAM;
        for line in other.map(|(line, _)| line).filter(service) {
            let request = request_of_line(&line.record.text);
            match request.and_then(|request| difference(&dossier.trace, &request)) {
                Some(other) => left_out.count(other),
                None => found.push((Join::Time, line)),
            }
        }
        dossier.notes.extend(left_out.note("console line"));
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
    use std::sync::Arc;

    use super::*;
    use crate::testing::Home;
    use tracebook_core::console::trace_id_in;
    use tracebook_core::evidence::Kind;
    use tracebook_core::telemetry::{ConsoleRecord, LogEncoding, LogRecord};

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
        let spans = tracebook_sources::console::spans(&lines, None);
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

    #[tokio::test]
    async fn what_names_another_request_stays_out_and_is_counted() {
        let home = Home::new().await;
        let attributes = "\"http.method\": \"GET\",\n        \"http.target\": \"/api/x?page=2\",\n        \"http.status_code\": 500,";
        let span = printed(OURS, "1112131415161718", "GET /api/x").replace(
            "\"attributes\": {\n        \"app",
            &format!("\"attributes\": {{\n        {attributes}\n        \"app"),
        );
        let spans = tracebook_sources::console::spans(&tracebook_core::console::lines(&span), None);
        home.app.telemetry.store.commit(&spans, home.app.runtime.now()).await.expect("commits");
        let start = Nanos::parse_rfc3339("2026-11-24T14:47:31.800Z").expect("a time");
        let at = |millis: i64| Nanos(start.0 + millis * 1_000_000);
        let event = |millis: i64, message: &str| LogRecord {
            timestamp: at(millis),
            group: "cruddur".to_owned(),
            stream: "web".to_owned(),
            message: message.to_owned(),
            trace_id: None,
            span_id: None,
            severity: String::new(),
            severity_number: 0,
            encoding: LogEncoding::Cloudwatch,
            raw: Vec::new(),
            resource: Arc::new([]),
            scope: Arc::new([]),
        };
        let logs = [
            event(-59, "[2026-Nov-24 14:47] 127.0.0.1 GET http /api/x?page=2 200 OK"),
            event(-20, r#"{"method":"GET","path":"/api/x?page=3","status":500}"#),
            event(50, "TypeError: no"),
            event(89, r#"127.0.0.1 - - [24/Nov/2026 14:47:31] "GET /api/y HTTP/1.1" 200 -"#),
            event(95, r#"127.0.0.1 - - [24/Nov/2026 14:47:31] "GET /api/x?page=2 HTTP/1.1" 500 -"#),
        ];
        home.app.telemetry.store.commit_logs(&logs, home.app.runtime.now()).await.expect("commits");
        let line = |text: &str| ConsoleRecord {
            stream: "flask run".to_owned(),
            timestamp: at(99),
            stderr: true,
            text: text.to_owned(),
            trace_id: None,
        };
        let lines =
            [line("web-1  | \"POST /api/x?page=2 HTTP/1.1\" 500 -"), line("Traceback (most recent call last):")];
        home.app.telemetry.store.commit_console(&lines, home.app.runtime.now()).await.expect("commits");

        let request = Capture { id: Some(OURS.to_owned()), ..Capture::of(Kind::Dossier) };
        let found = home.app.capture.find(&request, &crate::ground::schema::Caller::default()).await;
        let found = found.expect("a dossier");
        let Body::Dossier(dossier) = found.body else { panic!("{:?}", found.body) };
        let messages: Vec<&str> = dossier.logs.iter().map(|log| log.event.message.as_str()).collect();
        assert_eq!(messages, [logs[2].message.as_str(), &logs[4].message]);
        assert_eq!(found.raw.logs.len(), 2, "what is left out is not kept");
        assert_eq!(dossier.console.len(), 1);
        for note in [
            "3 log events within the time window belong to other requests: 1 names another path, 1 names another query, \
             1 names another status",
            "1 console line within the time window belongs to another request: 1 names another method",
        ] {
            assert!(dossier.notes.iter().any(|found| found == note), "{:?}", dossier.notes);
        }
        home.app.shutdown().await;
    }
}

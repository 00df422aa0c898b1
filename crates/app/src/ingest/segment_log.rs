//! Lines of Tracebook's own in the Console tab: that X-Ray segments arrived.
//!
//! The X-Ray daemon prints a line for each batch that it sent to AWS. Here nothing is sent, so the lines say what
//! happened instead, in the same layout and under Tracebook's name.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracebook_core::console::RECEIVER_STREAM;
use tracebook_core::telemetry::{ConsoleRecord, Encoding, SpanRecord};
use tracebook_core::text::{count, first_line};
use tracebook_core::time::Nanos;
use tracebook_store::Telemetry;

/// At most one line in this time.
const PACE: Duration = Duration::from_secs(1);
/// The most services that a line names.
const MOST_NAMES: usize = 3;

/// Writes at most one line a second about segments that were stored.
#[derive(Clone, Debug)]
pub(crate) struct SegmentLog {
    store: Telemetry,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    segments: usize,
    subsegments: usize,
    services: BTreeSet<String>,
    /// Whether a line is about to be written.
    waits: bool,
    /// When the last line was written.
    last: Option<Nanos>,
}

impl State {
    fn add(&mut self, batch: &[SpanRecord]) {
        for span in batch.iter().filter(|span| span.encoding == Encoding::XrayJson) {
            // Read for every segment that arrives, of which there may be tens of thousands a second.
            let inner = std::str::from_utf8(&span.raw).is_ok_and(|raw| raw.contains(SUBSEGMENT));
            *(if inner { &mut self.subsegments } else { &mut self.segments }) += 1;
            if self.services.len() <= MOST_NAMES && !inner && !self.services.contains(&span.service) {
                self.services.insert(first_line(&span.service, 60));
            }
        }
    }

    /// The line about what was added since the last one; `None` for nothing.
    fn line(&mut self, now: Nanos) -> Option<String> {
        if self.segments + self.subsegments == 0 {
            return None;
        }
        let Self { segments, subsegments, services, .. } = std::mem::take(self);
        self.last = Some(now);
        let mut names: Vec<&str> = services.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        if names.len() > MOST_NAMES {
            names.truncate(MOST_NAMES);
            names.push("others");
        }
        let mut line = format!("{} [Info] Tracebook received a batch of {segments} segments", now.rfc3339());
        if subsegments > 0 {
            line.push_str(&format!(" and {}", count(subsegments, "subsegment")));
        }
        if !names.is_empty() {
            line.push_str(&format!(" from {}", names.join(", ")));
        }
        Some(line)
    }
}

const SUBSEGMENT: &str = "\"subsegment\"";

impl SegmentLog {
    pub(crate) fn new(store: &Telemetry) -> Self {
        Self { store: store.clone(), state: Arc::default() }
    }

    /// Notes spans that were stored at `now`. Those of other protocols are ignored.
    pub(crate) fn stored(&self, batch: &[SpanRecord], now: Nanos) {
        if !batch.iter().any(|span| span.encoding == Encoding::XrayJson) {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.add(batch);
        if state.waits {
            return;
        }
        state.waits = true;
        let since = state.last.map_or(i64::MAX, |last| now.0.saturating_sub(last.0).max(0));
        let pause = PACE.saturating_sub(Duration::from_nanos(since.unsigned_abs()));
        drop(state);
        let log = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            log.write(Nanos(now.0.saturating_add(i64::try_from(pause.as_nanos()).unwrap_or_default()))).await;
        });
    }

    async fn write(&self, now: Nanos) {
        let line = self.state.lock().unwrap_or_else(PoisonError::into_inner).line(now);
        let Some(text) = line else { return };
        let record =
            ConsoleRecord { stream: RECEIVER_STREAM.to_owned(), timestamp: now, stderr: false, trace_id: None, text };
        if let Err(error) = self.store.commit_console(&[record], now).await {
            tracing::debug!(%error, "a line about received segments was lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(raw: &str, service: &str) -> SpanRecord {
        SpanRecord {
            trace_id: tracebook_core::ids::TraceId([1; 16]),
            span_id: tracebook_core::ids::SpanId([1; 8]),
            twin: 0,
            parent_id: None,
            encoding: Encoding::XrayJson,
            title: String::new(),
            service: service.to_owned(),
            start: Nanos(0),
            end: None,
            status: tracebook_core::trace::StatusCode::Unset,
            raw: raw.as_bytes().to_vec(),
            resource: Arc::new([]),
            scope: Arc::new([]),
        }
    }

    #[test]
    fn a_line_says_what_arrived() {
        let now = Nanos::parse_rfc3339("2026-11-23T15:20:42Z").expect("a time");
        let mut state = State::default();
        assert_eq!(state.line(now), None);
        state.add(&[span("{}", "backend"), span("{\"type\": \"subsegment\"}", "db"), span("{}", "backend")]);
        let line = state.line(now).expect("a line");
        assert!(
            line.ends_with("Z [Info] Tracebook received a batch of 2 segments and 1 subsegment from backend"),
            "{line}"
        );
        assert_eq!(state.line(now), None, "nothing new");
        state.add(&[span("{}", "")]);
        assert!(state.line(now).expect("a line").ends_with("a batch of 1 segments"));
        for name in ["a", "b", "c", "d", "e"] {
            state.add(&[span("{}", name)]);
        }
        assert!(state.line(now).expect("a line").ends_with("5 segments from a, b, c, others"));
        let other = SpanRecord { encoding: Encoding::OtlpJson, ..span("{}", "x") };
        state.add(&[other]);
        assert_eq!(state.line(now), None, "OTLP has no segments");
        let kinds = tracebook_core::console::classify(&tracebook_core::console::lines(&line));
        assert_eq!(kinds, [tracebook_core::console::LineKind::Daemon { level: "Info".to_owned() }]);
    }
}

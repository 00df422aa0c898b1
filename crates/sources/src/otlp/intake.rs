//! What HTTP and gRPC share: a compressed body becomes records, and only when they are committed, the request is
//! answered.

use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use prost::Message as _;
use tracebook_core::clock::Clock;
use tracebook_core::telemetry::{LogRecord, SpanRecord};
use tracebook_core::text::count;
use tracebook_core::time::Nanos;

pub(super) use super::wire::Language;
use super::wire::{self, Decoded, Undecoded};
use crate::body::{self, Bounds, Failure, Packing, Unread};
use crate::receive::{Commit, CommitError, Counters};
use crate::time;

/// The signal of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Logs,
    /// Acknowledged, so that SDKs do not report errors, but not stored.
    Metrics,
}

/// The result of a request that was not refused.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) rejected: usize,
    /// Why those were rejected, and what else could not be read; `None` if everything was valid.
    pub(super) words: Option<String>,
}

/// An export response of any signal: the field numbers are the same.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PartialSuccess {
    #[prost(int64, tag = "1")]
    pub(super) rejected: i64,
    #[prost(string, tag = "2")]
    pub(super) error_message: String,
}

impl Taken {
    /// The answer in protobuf, empty if everything was valid.
    pub(super) fn protobuf(self) -> Vec<u8> {
        let rejected = i64::try_from(self.rejected).unwrap_or(i64::MAX);
        let partial_success = self.words.map(|error_message| PartialSuccess { rejected, error_message });
        ExportResponse { partial_success }.encode_to_vec()
    }
}

impl Signal {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Traces => "trace",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }

    /// The name of one record.
    fn word(self) -> &'static str {
        match self {
            Self::Traces => "span",
            Self::Logs => "log record",
            Self::Metrics => "data point",
        }
    }

    /// The records, and the bytes that they take, at most `granted`.
    fn read(self, language: Language, body: &[u8], now: Nanos, granted: usize) -> Result<(Batch, usize), Undecoded> {
        Ok(match self {
            Self::Traces => {
                let (mut spans, takes) = wire::spans_within(language, body, granted)?;
                spans.reject_times(|span| span_times(span, now));
                (Batch::Spans(spans), takes)
            }
            Self::Logs => {
                let (mut logs, takes) = wire::logs_within(language, body, now, granted)?;
                logs.reject_times(|log| time::objection(log.timestamp, now).map(|why| format!("a time is {why}")));
                (Batch::Logs(logs), takes)
            }
            Self::Metrics => (Batch::Metrics, 0),
        })
    }
}

/// Why the times of a span cannot be true.
fn span_times(span: &SpanRecord, now: Nanos) -> Option<String> {
    let start = time::objection(span.start, now).map(|why| format!("a start time is {why}"));
    start.or_else(|| time::objection(span.end?, now).map(|why| format!("an end time is {why}")))
}

enum Batch {
    Spans(Decoded<SpanRecord>),
    Logs(Decoded<LogRecord>),
    Metrics,
}

#[derive(Clone)]
pub(super) struct Intake {
    commit: Arc<dyn Commit>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    pub(super) bounds: Bounds,
}

impl Intake {
    pub(super) fn new(commit: Arc<dyn Commit>, counters: Arc<Counters>, clock: Arc<dyn Clock>, bounds: Bounds) -> Self {
        Self { commit, counters, clock, bounds }
    }

    /// Counts a rejected request to `place`.
    pub(super) fn refused(&self, place: &str, words: &str) {
        self.counters.refused(format!("OTLP {}: {words}", crate::text::clip(place)));
    }

    /// Reads and commits. The caller counts and answers a failure.
    pub(super) async fn take(
        &self,
        signal: Signal,
        language: Language,
        packed: Bytes,
        packing: Packing,
        place: &str,
    ) -> Result<Taken, Failure> {
        let now = self.clock.now();
        /// What records take of a body, at most as a rule: spans of a hundred bytes take six times as much.
        const RECORDS: usize = 8;
        const LEAST: usize = 64 * 1024;
        let likely = body::likely_size(&packed, packing, body::LIMIT);
        let read = move |granted: usize| {
            let body = body::unpack_within(packed.clone(), packing, body::LIMIT, granted)?;
            let unpacked = if packing == Packing::Plain { 0 } else { body.len() };
            signal.read(language, &body, now, granted - unpacked).map_err(|why| match why {
                Undecoded::NeedsMore => Unread::NeedsMore,
                Undecoded::Invalid(why) => {
                    let words = format!("This is not an OTLP {} request in {}: {why}.", signal.name(), language.name());
                    Failure::new(StatusCode::BAD_REQUEST, words).into()
                }
            })
        };
        let expected = likely.saturating_mul(RECORDS).saturating_add(LEAST);
        // Held until everything is committed.
        let (batch, _share) = body::read_within(self.bounds.budget, expected, read).await?;
        let (committed, accepted, told) = match batch {
            Batch::Spans(decoded) => {
                let told = Told::of(&decoded);
                let n = decoded.records.len();
                let committed = if n > 0 { self.commit.commit(Arc::new(decoded.records)).await } else { Ok(()) };
                (committed.map(|()| self.counters.accepted(n)), n, told)
            }
            Batch::Logs(decoded) => {
                let told = Told::of(&decoded);
                let n = decoded.records.len();
                let committed = if n > 0 { self.commit.commit_logs(decoded.records).await } else { Ok(()) };
                (committed.map(|()| self.counters.logged(n)), n, told)
            }
            Batch::Metrics => {
                self.counters.not_kept();
                (Ok(()), 0, Told::default())
            }
        };
        committed.map_err(|error| not_stored(&count(accepted, signal.word()), &error))?;
        let rejected = told.rejected;
        let words = told.words(signal);
        if let Some(words) = words.as_ref().filter(|_| rejected > 0) {
            self.refused(place, words);
        }
        Ok(Taken { rejected, words })
    }
}

/// What the sender is told of a batch.
#[derive(Default)]
struct Told {
    rejected: usize,
    reason: Option<String>,
    incomplete: usize,
    warning: Option<String>,
}

impl Told {
    fn of<R>(decoded: &Decoded<R>) -> Self {
        let Decoded { rejected, reason, incomplete, warning, .. } = decoded;
        Self { rejected: *rejected, reason: reason.clone(), incomplete: *incomplete, warning: warning.clone() }
    }

    /// `None` if everything was kept as it was sent. OTLP's partial success also has warnings: with nothing rejected.
    fn words(self, signal: Signal) -> Option<String> {
        let word = signal.word();
        let rejected = self.reason.map(|why| format!("{} rejected: {why}", count(self.rejected, word)));
        let incomplete = self.warning.map(|why| format!("{} kept in part: {why}", count(self.incomplete, word)));
        match (rejected, incomplete) {
            (Some(rejected), Some(incomplete)) => Some(format!("{rejected}; {incomplete}")),
            (one, other) => one.or(other),
        }
    }
}

fn not_stored(what: &str, error: &CommitError) -> Failure {
    let status = if error.retryable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
    Failure::new(status, format!("{what} could not be stored: {error}"))
}

/// The `google.rpc.Code` of an error.
pub(super) fn rpc_code(status: StatusCode) -> i32 {
    match status {
        StatusCode::REQUEST_TIMEOUT => 4,
        StatusCode::NOT_FOUND => 5,
        StatusCode::PAYLOAD_TOO_LARGE => 8,
        StatusCode::METHOD_NOT_ALLOWED => 12,
        StatusCode::INTERNAL_SERVER_ERROR => 13,
        StatusCode::SERVICE_UNAVAILABLE => 14,
        _ => 3,
    }
}

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

use super::wire::{self, Decoded};
use crate::body::{self, Failure, Packing};
use crate::receive::{Commit, CommitError, Counters};

/// The signal of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Logs,
    /// Acknowledged, so that SDKs do not report errors, but not stored.
    Metrics,
}

/// The encoding of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Protobuf,
    Json,
}

/// The result of a request that was not refused.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) rejected: usize,
    /// Why those were rejected; `None` if everything was valid.
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

    fn read(self, language: Language, body: &[u8], now: Nanos) -> Result<Batch, String> {
        Ok(match (self, language) {
            (Self::Traces, Language::Protobuf) => Batch::Spans(wire::decode_protobuf(body)?),
            (Self::Traces, Language::Json) => Batch::Spans(wire::decode_json(body)?),
            (Self::Logs, Language::Protobuf) => Batch::Logs(wire::decode_logs_protobuf(body, now)?),
            (Self::Logs, Language::Json) => Batch::Logs(wire::decode_logs_json(body, now)?),
            (Self::Metrics, _) => Batch::Metrics,
        })
    }
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "protobuf",
            Self::Json => "JSON",
        }
    }
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
}

impl Intake {
    pub(super) fn new(commit: Arc<dyn Commit>, counters: Arc<Counters>, clock: Arc<dyn Clock>) -> Self {
        Self { commit, counters, clock }
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
        // Until everything is committed, because records are copies of the body.
        let _held = (body::room(packing, packed.len(), body::LIMIT).await?, packed.clone());
        // Reading a large batch takes a second and must not block other senders.
        let read = tokio::task::spawn_blocking(move || {
            let body = body::unpack(packed, packing, body::LIMIT)?;
            signal.read(language, &body, now).map_err(|why| {
                let words = format!("This is not an OTLP {} request in {}: {why}.", signal.name(), language.name());
                Failure::new(StatusCode::BAD_REQUEST, words)
            })
        });
        let batch = read.await.unwrap_or_else(|_| {
            Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "Reading the request was interrupted."))
        })?;
        let (committed, accepted, rejected, reason) = match batch {
            Batch::Spans(Decoded { records, rejected, reason }) => {
                let n = records.len();
                let committed = if n > 0 { self.commit.commit(records).await } else { Ok(()) };
                (committed.map(|()| self.counters.accepted(n)), n, rejected, reason)
            }
            Batch::Logs(Decoded { records, rejected, reason }) => {
                let n = records.len();
                let committed = if n > 0 { self.commit.commit_logs(records).await } else { Ok(()) };
                (committed.map(|()| self.counters.logged(n)), n, rejected, reason)
            }
            Batch::Metrics => {
                self.counters.not_kept();
                (Ok(()), 0, 0, None)
            }
        };
        committed.map_err(|error| not_stored(&count(accepted, signal.word()), &error))?;
        let words = reason.map(|why| format!("{} rejected: {why}", count(rejected, signal.word())));
        if let Some(words) = &words {
            self.refused(place, words);
        }
        Ok(Taken { rejected, words })
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

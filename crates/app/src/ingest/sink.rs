//! The receivers' storage traits, implemented by the telemetry store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;

use tracebook_core::credentials;
use tracebook_core::ids::TraceId;
use tracebook_core::log_query::{LogGroup, LogQuery, LogStream, SettingChange, StoredLog};
use tracebook_core::telemetry::{ErrorRecord, LogRecord, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_core::trace::TracePosition;
use tracebook_core::xray::{Group, SamplingRule};
use tracebook_sources::cloudwatch::LogStore;
use tracebook_sources::receive::{Commit, CommitError};
use tracebook_sources::xray::reading::XrayStore;
use tracebook_store::{StoreError, Telemetry};

use crate::ground::tasks::blocking;
use crate::ingest::last_arrival::LastArrival;
use crate::ingest::segment_log::SegmentLog;
use crate::relay::Relay;

/// Commits received data, and queues it for the relay.
#[derive(Debug)]
pub(crate) struct TelemetrySink {
    pub(crate) store: Telemetry,
    pub(crate) last: LastArrival,
    pub(crate) relay: Relay,
    /// When it was last noted that a client requested X-Ray's groups and rules.
    pub(crate) settings_used: AtomicI64,
    /// Says in the Console tab that segments arrived.
    pub(crate) segments: SegmentLog,
    /// Whether credentials are removed first: `[telemetry] redact`.
    pub(crate) redact: bool,
}

/// SDKs request their sampling rules all the time; that they do is noted this often, in nanoseconds.
const NOTED_EVERY: i64 = 3_600_000_000_000;

impl TelemetrySink {
    /// Notes that X-Ray's groups and rules are in use: those that nobody requests are deleted like old telemetry.
    async fn note_use(&self) {
        let now = self.last.clock();
        let noted = self.settings_used.load(Ordering::Relaxed);
        if now.0.saturating_sub(noted) < NOTED_EVERY {
            return;
        }
        match self.store.use_xray_settings(now).await {
            Ok(()) => self.settings_used.store(now.0, Ordering::Relaxed),
            // Tried again with the next request.
            Err(error) => tracing::debug!(%error, "the use of groups and rules could not be noted"),
        }
    }

    /// The batch without credentials, if that is wanted. It takes a while, and receivers must not wait for it.
    async fn redacted<T: Send + 'static>(
        &self,
        mut batch: Vec<T>,
        redact: fn(&mut [T]),
    ) -> Result<Vec<T>, CommitError> {
        if !self.redact {
            return Ok(batch);
        }
        blocking(move || {
            redact(&mut batch);
            batch
        })
        .await
        .map_err(|error| CommitError { retryable: true, message: error.to_string() })
    }
}

fn refused(error: StoreError) -> CommitError {
    CommitError { retryable: error.is_transient(), message: format!("{error}. {}", error.hint()) }
}

#[async_trait]
impl Commit for TelemetrySink {
    async fn commit(&self, batch: Arc<Vec<SpanRecord>>) -> Result<(), CommitError> {
        let batch = match self.redact {
            true => Arc::new(self.redacted(Arc::unwrap_or_clone(batch), credentials::redact_spans).await?),
            false => batch,
        };
        let relayed = self.relay.of_spans(&batch).await;
        let now = self.last.now();
        self.store.commit_relayed(&batch, &relayed, now).await.map_err(refused)?;
        self.relay.queued(&relayed);
        self.segments.stored(&batch, now);
        Ok(())
    }

    async fn commit_logs(&self, batch: Vec<LogRecord>) -> Result<(), CommitError> {
        let batch = self.redacted(batch, credentials::redact_logs).await?;
        let (batch, relayed) = self.relay.of_logs(batch).await;
        self.store.commit_logs_relayed(&batch, &relayed, self.last.now()).await.map_err(refused)?;
        self.relay.queued(&relayed);
        Ok(())
    }

    async fn commit_errors(&self, batch: Vec<ErrorRecord>) -> Result<(), CommitError> {
        let batch = self.redacted(batch, credentials::redact_errors).await?;
        let (batch, relayed) = self.relay.of_errors(batch).await;
        self.store.commit_errors_relayed(&batch, &relayed, self.last.now()).await.map_err(refused)?;
        self.relay.queued(&relayed);
        Ok(())
    }
}

#[async_trait]
impl LogStore for TelemetrySink {
    async fn groups(&self) -> Result<Vec<LogGroup>, CommitError> {
        self.store.log_groups(None).await.map_err(refused)
    }

    async fn group(&self, name: &str) -> Result<Option<LogGroup>, CommitError> {
        Ok(self.store.log_groups(Some(name)).await.map_err(refused)?.pop())
    }

    async fn has_stream(&self, group: &str, name: &str) -> Result<bool, CommitError> {
        self.store.has_log_stream(group, name).await.map_err(refused)
    }

    async fn create_group(
        &self,
        name: &str,
        tags: BTreeMap<String, String>,
        now: Nanos,
    ) -> Result<SettingChange, CommitError> {
        self.store.create_log_group(name, &tags, now).await.map_err(refused)
    }

    async fn delete_group(&self, name: &str) -> Result<bool, CommitError> {
        self.store.delete_log_group(name).await.map_err(refused)
    }

    async fn set_retention(&self, name: &str, days: Option<u32>) -> Result<bool, CommitError> {
        self.store.set_log_retention(name, days).await.map_err(refused)
    }

    async fn set_tags(&self, name: &str, tags: BTreeMap<String, String>) -> Result<SettingChange, CommitError> {
        self.store.set_log_tags(name, &tags).await.map_err(refused)
    }

    async fn streams(&self, group: &str) -> Result<Option<Vec<LogStream>>, CommitError> {
        self.store.log_streams(group).await.map_err(refused)
    }

    async fn create_stream(&self, group: &str, name: &str, now: Nanos) -> Result<SettingChange, CommitError> {
        self.store.create_log_stream(group, name, now).await.map_err(refused)
    }

    async fn delete_stream(&self, group: &str, name: &str) -> Result<bool, CommitError> {
        self.store.delete_log_stream(group, name).await.map_err(refused)
    }

    async fn put(&self, events: Vec<LogRecord>) -> Result<(), CommitError> {
        self.commit_logs(events).await
    }

    async fn events(&self, query: LogQuery) -> Result<Vec<StoredLog>, CommitError> {
        self.store.logs(&query).await.map_err(refused)
    }
}

#[async_trait]
impl XrayStore for TelemetrySink {
    async fn groups(&self) -> Result<Vec<Group>, CommitError> {
        self.note_use().await;
        self.store.xray_groups().await.map_err(refused)
    }

    async fn put_group(&self, group: Group) -> Result<(), CommitError> {
        self.store.put_xray_group(&group, self.last.clock()).await.map_err(refused)
    }

    async fn delete_group(&self, name: &str) -> Result<bool, CommitError> {
        self.store.delete_xray_group(name).await.map_err(refused)
    }

    async fn rules(&self) -> Result<Vec<SamplingRule>, CommitError> {
        self.note_use().await;
        self.store.sampling_rules().await.map_err(refused)
    }

    async fn put_rule(&self, rule: SamplingRule) -> Result<(), CommitError> {
        self.store.put_sampling_rule(&rule, self.last.clock()).await.map_err(refused)
    }

    async fn delete_rule(&self, name: &str) -> Result<bool, CommitError> {
        self.store.delete_sampling_rule(name).await.map_err(refused)
    }

    async fn traces(
        &self,
        from: Nanos,
        before: Nanos,
        after: Option<TracePosition>,
        limit: u32,
    ) -> Result<Vec<TracePosition>, CommitError> {
        self.store.trace_ids(from, before, after, limit).await.map_err(refused)
    }

    async fn sizes(&self, traces: &[TraceId]) -> Result<Vec<u64>, CommitError> {
        self.store.trace_bytes(traces).await.map_err(refused)
    }

    async fn spans(&self, traces: &[TraceId], most: u64) -> Result<Vec<Vec<SpanRecord>>, CommitError> {
        self.store.first_spans_of(traces, most).await.map_err(refused)
    }
}

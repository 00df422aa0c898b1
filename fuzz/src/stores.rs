//! Stores in memory for the receivers. They are emptied before every input.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tracebook_core::clock::Clock;
use tracebook_core::ids::TraceId;
use tracebook_core::log_query::{LogGroup, LogQuery, LogStream, SettingChange, StoredLog};
use tracebook_core::telemetry::{ErrorRecord, LogRecord, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_core::trace::TracePosition;
use tracebook_core::xray::{Group, SamplingRule};
use tracebook_sources::cloudwatch::LogStore;
use tracebook_sources::receive::{Commit, CommitError};
use tracebook_sources::xray::reading::XrayStore;

#[derive(Default)]
struct Held {
    groups: BTreeMap<String, (LogGroup, BTreeMap<String, LogStream>)>,
    events: Vec<StoredLog>,
    spans: Vec<SpanRecord>,
    xray_groups: BTreeMap<String, Group>,
    rules: BTreeMap<String, SamplingRule>,
}

#[derive(Default)]
pub struct Memory(Mutex<Held>);

pub struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Nanos {
        crate::NOW
    }
}

type Kept<T> = Result<T, CommitError>;

impl Memory {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A log group `g` with a stream `s`, one event, and the spans of a trace.
    pub fn reset(&self, spans: &[SpanRecord]) {
        let mut held = Held { spans: spans.to_vec(), ..Held::default() };
        let stream = LogStream { name: "s".into(), ..LogStream::default() };
        let group = LogGroup { name: "g".into(), ..LogGroup::default() };
        held.groups.insert("g".into(), (group, BTreeMap::from([("s".into(), stream)])));
        *self.held() = held;
    }
}

#[async_trait]
impl Commit for Memory {
    async fn commit(&self, batch: Arc<Vec<SpanRecord>>) -> Kept<()> {
        self.held().spans.extend(Arc::unwrap_or_clone(batch));
        Ok(())
    }

    async fn commit_logs(&self, batch: Vec<LogRecord>) -> Kept<()> {
        self.put(batch).await
    }

    async fn commit_errors(&self, _: Vec<ErrorRecord>) -> Kept<()> {
        Ok(())
    }
}

#[async_trait]
impl LogStore for Memory {
    async fn groups(&self) -> Kept<Vec<LogGroup>> {
        Ok(self.held().groups.values().map(|(group, _)| group.clone()).collect())
    }

    async fn create_group(&self, name: &str, tags: BTreeMap<String, String>, now: Nanos) -> Kept<SettingChange> {
        let group = LogGroup { name: name.to_owned(), created: now, tags, ..LogGroup::default() };
        let mut held = self.held();
        let new = !held.groups.contains_key(name);
        held.groups.entry(name.to_owned()).or_insert((group, BTreeMap::new()));
        Ok(change(new))
    }

    async fn delete_group(&self, name: &str) -> Kept<bool> {
        Ok(self.held().groups.remove(name).is_some())
    }

    async fn set_retention(&self, name: &str, days: Option<u32>) -> Kept<bool> {
        Ok(self.held().groups.get_mut(name).map(|(group, _)| group.retention_days = days).is_some())
    }

    async fn set_tags(&self, name: &str, tags: BTreeMap<String, String>) -> Kept<SettingChange> {
        Ok(change(self.held().groups.get_mut(name).map(|(group, _)| group.tags = tags).is_some()))
    }

    async fn streams(&self, group: &str) -> Kept<Option<Vec<LogStream>>> {
        Ok(self.held().groups.get(group).map(|(_, streams)| streams.values().cloned().collect()))
    }

    async fn create_stream(&self, group: &str, name: &str, now: Nanos) -> Kept<SettingChange> {
        let mut held = self.held();
        let Some((_, streams)) = held.groups.get_mut(group) else { return Ok(SettingChange::Conflict) };
        let stream = LogStream { name: name.to_owned(), created: now, ..LogStream::default() };
        Ok(change(streams.insert(name.to_owned(), stream).is_none()))
    }

    async fn delete_stream(&self, group: &str, name: &str) -> Kept<bool> {
        Ok(self.held().groups.get_mut(group).is_some_and(|(_, streams)| streams.remove(name).is_some()))
    }

    async fn put(&self, events: Vec<LogRecord>) -> Kept<()> {
        let mut held = self.held();
        for record in events {
            let seq = i64::try_from(held.events.len()).unwrap_or(i64::MAX);
            held.events.push(StoredLog { seq, received: crate::NOW, record });
        }
        Ok(())
    }

    async fn events(&self, query: LogQuery) -> Kept<Vec<StoredLog>> {
        let held = self.held();
        let found = held.events.iter().filter(|event| query.group.as_ref().is_none_or(|g| *g == event.record.group));
        Ok(found.take(query.limit as usize).cloned().collect())
    }
}

#[async_trait]
impl XrayStore for Memory {
    async fn groups(&self) -> Kept<Vec<Group>> {
        Ok(self.held().xray_groups.values().cloned().collect())
    }

    async fn put_group(&self, group: Group) -> Kept<()> {
        self.held().xray_groups.insert(group.name.clone(), group);
        Ok(())
    }

    async fn delete_group(&self, name: &str) -> Kept<bool> {
        Ok(self.held().xray_groups.remove(name).is_some())
    }

    async fn rules(&self) -> Kept<Vec<SamplingRule>> {
        Ok(self.held().rules.values().cloned().collect())
    }

    async fn put_rule(&self, rule: SamplingRule) -> Kept<()> {
        self.held().rules.insert(rule.name.clone(), rule);
        Ok(())
    }

    async fn delete_rule(&self, name: &str) -> Kept<bool> {
        Ok(self.held().rules.remove(name).is_some())
    }

    async fn traces(&self, _: Nanos, _: Nanos, after: Option<TracePosition>, _: u32) -> Kept<Vec<TracePosition>> {
        let held = self.held();
        let first = held.spans.first().filter(|_| after.is_none());
        Ok(first.map(|span| (span.start, span.trace_id)).into_iter().collect())
    }

    async fn sizes(&self, traces: &[TraceId]) -> Kept<Vec<u64>> {
        let held = self.held();
        let of = |id: TraceId| {
            let own = held.spans.iter().filter(move |span| span.trace_id == id);
            own.map(|span| span.raw.len() as u64)
        };
        Ok(traces.iter().map(|id| of(*id).sum()).collect())
    }

    async fn spans(&self, traces: &[TraceId], _: u64) -> Kept<Vec<Vec<SpanRecord>>> {
        let held = self.held();
        let of = |id: &TraceId| held.spans.iter().filter(|span| span.trace_id == *id).cloned().collect();
        Ok(traces.iter().map(of).collect())
    }
}

fn change(done: bool) -> SettingChange {
    if done { SettingChange::Done } else { SettingChange::Conflict }
}

pub fn memory() -> Arc<Memory> {
    Arc::default()
}

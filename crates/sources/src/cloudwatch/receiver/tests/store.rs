//! A log store in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tracebook_core::log_query::{LogGroup, LogQuery, LogStream, SettingChange, StoredLog};
use tracebook_core::telemetry::{LogEncoding, LogRecord};
use tracebook_core::time::Nanos;

use crate::cloudwatch::LogStore;
use crate::receive::CommitError;

#[derive(Default)]
pub(super) struct Memory {
    groups: Mutex<BTreeMap<String, Group>>,
    pub(super) records: Mutex<Vec<LogRecord>>,
    /// Errors of the next `put`s, the last one first.
    pub(super) errors: Mutex<Vec<CommitError>>,
    pub(super) reads: AtomicUsize,
    /// Whether groups, streams and tags are at their limit.
    pub(super) full: AtomicBool,
    /// The most events of one read.
    pub(super) largest_read: AtomicUsize,
}

struct Group {
    about: LogGroup,
    streams: BTreeMap<String, LogStream>,
    events: Vec<StoredLog>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic")
}

impl Memory {
    /// Adds events without the receiver's validation.
    pub(super) fn fill(&self, group: &str, stream: &str, events: impl IntoIterator<Item = (i64, String)>) {
        let mut groups = lock(&self.groups);
        let group = groups.get_mut(group).expect("a group");
        group
            .streams
            .entry(stream.to_owned())
            .or_insert_with(|| LogStream { name: stream.to_owned(), ..LogStream::default() });
        for (millis, message) in events {
            let seq = i64::try_from(group.events.len()).expect("few") + 1;
            let timestamp = Nanos::from_millis(millis);
            let record = LogRecord {
                timestamp,
                group: String::new(),
                stream: stream.to_owned(),
                message,
                trace_id: None,
                span_id: None,
                severity: String::new(),
                severity_number: 0,
                encoding: LogEncoding::Cloudwatch,
                raw: Vec::new(),
                resource: Arc::default(),
                scope: Arc::default(),
            };
            group.events.push(StoredLog { seq, received: timestamp, record });
        }
    }
}

#[async_trait]
impl LogStore for Memory {
    async fn groups(&self) -> Result<Vec<LogGroup>, CommitError> {
        Ok(lock(&self.groups).values().map(|group| group.about.clone()).collect())
    }

    async fn create_group(
        &self,
        name: &str,
        tags: BTreeMap<String, String>,
        now: Nanos,
    ) -> Result<SettingChange, CommitError> {
        let mut groups = lock(&self.groups);
        if groups.contains_key(name) {
            return Ok(SettingChange::Conflict);
        }
        if self.full.load(Ordering::Relaxed) {
            return Ok(SettingChange::LimitExceeded);
        }
        let about = LogGroup { name: name.to_owned(), created: now, tags, ..LogGroup::default() };
        groups.insert(name.to_owned(), Group { about, streams: BTreeMap::new(), events: Vec::new() });
        Ok(SettingChange::Done)
    }

    async fn delete_group(&self, name: &str) -> Result<bool, CommitError> {
        Ok(lock(&self.groups).remove(name).is_some())
    }

    async fn set_retention(&self, name: &str, days: Option<u32>) -> Result<bool, CommitError> {
        Ok(lock(&self.groups).get_mut(name).map(|group| group.about.retention_days = days).is_some())
    }

    async fn set_tags(&self, name: &str, tags: BTreeMap<String, String>) -> Result<SettingChange, CommitError> {
        if self.full.load(Ordering::Relaxed) {
            return Ok(SettingChange::LimitExceeded);
        }
        let done = lock(&self.groups).get_mut(name).map(|group| group.about.tags = tags).is_some();
        Ok(if done { SettingChange::Done } else { SettingChange::Conflict })
    }

    async fn streams(&self, group: &str) -> Result<Option<Vec<LogStream>>, CommitError> {
        Ok(lock(&self.groups).get(group).map(|group| group.streams.values().cloned().collect()))
    }

    async fn create_stream(&self, group: &str, name: &str, now: Nanos) -> Result<SettingChange, CommitError> {
        let mut groups = lock(&self.groups);
        let streams = &mut groups.get_mut(group).expect("a group").streams;
        if streams.contains_key(name) {
            return Ok(SettingChange::Conflict);
        }
        if self.full.load(Ordering::Relaxed) {
            return Ok(SettingChange::LimitExceeded);
        }
        streams.insert(name.to_owned(), LogStream { name: name.to_owned(), created: now, ..LogStream::default() });
        Ok(SettingChange::Done)
    }

    async fn delete_stream(&self, group: &str, name: &str) -> Result<bool, CommitError> {
        let mut groups = lock(&self.groups);
        let group = groups.get_mut(group).expect("a group");
        group.events.retain(|event| event.record.stream != name);
        Ok(group.streams.remove(name).is_some())
    }

    async fn put(&self, events: Vec<LogRecord>) -> Result<(), CommitError> {
        if let Some(error) = lock(&self.errors).pop() {
            return Err(error);
        }
        let mut groups = lock(&self.groups);
        for record in &events {
            let group = groups.get_mut(&record.group).expect("a group");
            let stream = group.streams.get_mut(&record.stream).expect("a stream");
            let at = Some(record.timestamp);
            stream.first_event = stream.first_event.min(at).or(at);
            stream.last_event = stream.last_event.max(at);
            stream.last_ingestion = at;
            group.about.stored_bytes += record.message.len() as u64;
            let seq = i64::try_from(group.events.len()).expect("few") + 1;
            group.events.push(StoredLog { seq, received: record.timestamp, record: record.clone() });
        }
        lock(&self.records).extend(events);
        Ok(())
    }

    async fn events(&self, query: LogQuery) -> Result<Vec<StoredLog>, CommitError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let groups = lock(&self.groups);
        let mut found: Vec<&StoredLog> = groups[query.group.as_deref().unwrap_or_default()]
            .events
            .iter()
            .filter(|event| query.streams.is_empty() || query.streams.contains(&event.record.stream))
            .filter(|event| event.record.stream.starts_with(&query.stream_prefix))
            .filter(|event| query.from.is_none_or(|from| event.record.timestamp >= from))
            .filter(|event| query.before.is_none_or(|before| event.record.timestamp < before))
            .filter(|event| match query.after {
                None => true,
                Some(after) if query.newest_first => event.position() < after,
                Some(after) => event.position() > after,
            })
            .collect();
        found.sort_by_key(|event| event.position());
        if query.newest_first {
            found.reverse();
        }
        let mut read = Vec::new();
        let mut bytes = 0;
        for event in found {
            if read.len() as u64 == u64::from(query.limit) || (query.max_bytes > 0 && bytes >= query.max_bytes) {
                break;
            }
            bytes += event.record.message.len() as u64;
            read.push(event.clone());
        }
        self.largest_read.fetch_max(read.len(), Ordering::Relaxed);
        Ok(read)
    }
}

//! Log events of OTLP and CloudWatch Logs, and CloudWatch's groups and streams.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};

use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::log_query::{LogGroup, LogQuery, LogStream, SettingChange, StoredLog};
use tracebook_core::telemetry::{LogEncoding, LogRecord};
use tracebook_core::time::Nanos;

use crate::database::{Telemetry, Write};
use crate::error::StoreError;
use crate::limits::{Kind, size, whole};
use crate::relay::{Outgoing, enqueue};
use crate::room::Writing;
use crate::shared::{Shared, share, sizes};
use crate::sql::{from_json, numbered, optional, statements, to_json, unsigned};
use crate::written;

pub(crate) const KIND: Kind = Kind {
    name: written::LOGS,
    table: "log",
    bytes: LOG_BYTES,
    records: "1",
    parts: None,
    shared: Some(SHARED),
    sender: ("group_name", whole),
};

/// SQL: what a log event takes; [`log_bytes`] is the same of a record.
pub(crate) const LOG_BYTES: &str =
    "octet_length(message) + octet_length(raw) + octet_length(group_name) + octet_length(stream) + 200";

/// What a group or a stream takes beside its texts, approximately.
const SETTING_ROW: usize = 100;

/// SQL: what a group and a stream take.
pub(crate) const GROUP_BYTES: &str = "octet_length(name) + octet_length(tags) + 100";
pub(crate) const STREAM_BYTES: &str = "octet_length(group_name) + octet_length(name) + 100";

/// SQL: the shared bodies that log events refer to.
const SHARED: &str = "SELECT resource FROM log UNION SELECT scope FROM log";

/// SQL: when the oldest event arrived, and the newest of either protocol.
pub(crate) const OLDEST_ARRIVAL: &str = "SELECT received FROM log ORDER BY seq LIMIT 1";
pub(crate) const LAST_OTLP_ARRIVAL: &str = "SELECT received FROM log WHERE encoding <> 3 ORDER BY seq DESC LIMIT 1";
pub(crate) const LAST_CLOUDWATCH_ARRIVAL: &str =
    "SELECT received FROM log WHERE encoding = 3 ORDER BY seq DESC LIMIT 1";

/// SQL: by how much the last log event arrived before another one, by the clock.
pub(crate) const BEHIND: &str =
    "SELECT (SELECT max(received) FROM log) - (SELECT received FROM log ORDER BY seq DESC LIMIT 1)";

fn log_bytes(log: &LogRecord) -> i64 {
    size(&[log.message.len(), log.raw.len(), log.group.len(), log.stream.len(), 200])
}

impl Telemetry {
    /// Writes log events as one transaction; when this returns, they are committed.
    pub async fn commit_logs(&self, batch: &[LogRecord], now: Nanos) -> Result<(), StoreError> {
        self.commit_logs_relayed(batch, &[], now).await
    }

    /// The same, and queues payloads for the relay in the same transaction.
    pub async fn commit_logs_relayed(
        &self,
        batch: &[LogRecord],
        relayed: &[Outgoing],
        now: Nanos,
    ) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let bodies = || batch.iter().map(|l| (&l.resource, &l.scope));
        let mut writing = self.begin(batch.iter().map(log_bytes).chain(sizes(bodies()))).await?;
        enqueue(&mut writing.transaction, relayed, now).await?;
        let transaction = &mut writing.transaction;
        let shared = share(transaction, bodies()).await?;
        writing.count_bodies(batch.iter().zip(&shared).map(|(log, (.., new))| (log.group.as_str(), *new)));
        let rows: Vec<(&LogRecord, Shared)> = batch.iter().zip(shared).collect();
        for logs in statements(&rows) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO log (time_ns, group_name, stream, message, trace_id, span_id, severity, severity_number, encoding, resource, scope, received, raw) ",
            );
            insert.push_values(logs, |mut row, (log, (resource, scope, _))| {
                row.push_bind(log.timestamp.0)
                    .push_bind(&log.group)
                    .push_bind(&log.stream)
                    .push_bind(&log.message)
                    .push_bind(log.trace_id.as_ref().map(|t| &t.0[..]))
                    .push_bind(log.span_id.as_ref().map(|s| &s.0[..]))
                    .push_bind(&log.severity)
                    .push_bind(log.severity_number)
                    .push_bind(log.encoding.code())
                    .push_bind(resource)
                    .push_bind(scope)
                    .push_bind(now.0)
                    .push_bind(&log.raw);
            });
            let done = insert.build().execute(&mut *writing.transaction).await?;
            let rows = numbered(done.last_insert_rowid(), logs);
            writing.count_senders(&KIND, rows.map(|(seq, (log, _))| (seq, log.group.as_str(), log_bytes(log))));
        }
        writing.commit(KIND.name, batch.iter().map(log_bytes).sum()).await
    }

    /// The log events that a query selects, in the order of time, then arrival.
    pub async fn logs(&self, query: &LogQuery) -> Result<Vec<StoredLog>, StoreError> {
        let mut limit = query.limit;
        if query.max_bytes > 0 && self.bytes_of(query, limit).await? > query.max_bytes {
            // Lengths first, so that events beyond the limit are not even read.
            let mut sql = select("SELECT octet_length(message) + octet_length(raw) FROM log WHERE 1", query, limit);
            let lengths: Vec<i64> = sql.build_query_scalar().persistent(false).fetch_all(&self.pools.readers()).await?;
            let mut bytes = 0u64;
            let fit = lengths.iter().take_while(|length| {
                let before = bytes;
                bytes = bytes.saturating_add(unsigned(**length));
                before < query.max_bytes
            });
            limit = u32::try_from(fit.count()).unwrap_or(limit);
        }
        let mut sql = select("SELECT * FROM log WHERE 1", query, limit);
        let rows = sql.build().persistent(false).fetch_all(&self.pools.readers()).await?;
        let bodies = self.bodies(&rows).await?;
        rows.iter().map(|row| log_of(row, &bodies)).collect()
    }

    /// What the first `limit` events have, in bytes.
    async fn bytes_of(&self, query: &LogQuery, limit: u32) -> Result<u64, StoreError> {
        let mut sql = select(
            "SELECT coalesce(sum(bytes), 0) FROM (SELECT octet_length(message) + octet_length(raw) AS bytes FROM log WHERE 1",
            query,
            limit,
        );
        sql.push(")");
        let bytes: i64 = sql.build_query_scalar().persistent(false).fetch_one(&self.pools.readers()).await?;
        Ok(unsigned(bytes))
    }

    pub async fn log(&self, seq: i64) -> Result<Option<StoredLog>, StoreError> {
        let rows = sqlx::query("SELECT * FROM log WHERE seq = ?").bind(seq).fetch_all(&self.pools.readers()).await?;
        let bodies = self.bodies(&rows).await?;
        rows.first().map(|row| log_of(row, &bodies)).transpose()
    }

    /// The log groups of CloudWatch's API by name, or the one of that name.
    pub async fn log_groups(&self, name: Option<&str>) -> Result<Vec<LogGroup>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, created, retention_days, tags, (SELECT coalesce(sum(length(CAST(message AS BLOB))), 0) FROM log
               WHERE group_name = log_group.name AND encoding = 3) AS bytes FROM log_group
             WHERE ?1 IS NULL OR name = ?1 ORDER BY name",
        )
        .bind(name)
        .fetch_all(&self.pools.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let tags: String = row.get("tags");
                Ok(LogGroup {
                    name: row.get("name"),
                    created: Nanos(row.get("created")),
                    retention_days: row.get::<Option<i64>, _>("retention_days").and_then(|d| u32::try_from(d).ok()),
                    tags: from_json(&tags)?,
                    stored_bytes: unsigned(row.get("bytes")),
                })
            })
            .collect()
    }

    /// Creates a log group that does not exist.
    pub async fn create_log_group(
        &self,
        name: &str,
        tags: &BTreeMap<String, String>,
        now: Nanos,
    ) -> Result<SettingChange, StoreError> {
        let tags = to_json(tags)?;
        let bytes = size(&[name.len(), tags.len(), SETTING_ROW]);
        let mut writing = self.begin(std::iter::once(bytes)).await?;
        let done = sqlx::query(
            "INSERT INTO log_group (name, created, tags, used) VALUES (?1, ?2, ?3, ?2) ON CONFLICT DO NOTHING",
        )
        .bind(name)
        .bind(now.0)
        .bind(tags)
        .execute(&mut *writing.transaction)
        .await?
        .rows_affected();
        self.finish_setting(writing, done, bytes).await
    }

    /// Commits a change of a group or a stream that takes this much more, if it changed a row and is within the limit.
    async fn finish_setting(
        &self,
        mut writing: Writing<'_>,
        changed: u64,
        bytes: i64,
    ) -> Result<SettingChange, StoreError> {
        if changed == 0 {
            return Ok(SettingChange::Conflict);
        }
        if bytes > 0 && !self.settings_fit(&mut writing.transaction, bytes).await? {
            return Ok(SettingChange::LimitExceeded);
        }
        writing.commit(written::SETTINGS, bytes).await?;
        Ok(SettingChange::Done)
    }

    /// Deletes a log group with its streams and events; returns false if there is none.
    pub async fn delete_log_group(&self, name: &str) -> Result<bool, StoreError> {
        let mut writing = self.begin(std::iter::empty()).await?;
        let streams = sum(&mut writing.transaction, STREAM_BYTES, "log_stream WHERE group_name", name).await?;
        let group = sum(&mut writing.transaction, GROUP_BYTES, "log_group WHERE name", name).await?;
        let done = sqlx::query("DELETE FROM log_group WHERE name = ?")
            .bind(name)
            .execute(&mut *writing.transaction)
            .await?
            .rows_affected();
        let bytes = match done {
            0 => 0,
            _ => delete_events(&mut writing.transaction, name, None).await?,
        };
        written::count(&mut writing.transaction, written::SETTINGS, -(streams + group)).await?;
        writing.commit(KIND.name, -bytes).await?;
        Ok(done > 0)
    }

    /// Returns false if there is no such group.
    pub async fn set_log_retention(&self, name: &str, days: Option<u32>) -> Result<bool, StoreError> {
        self.changed("UPDATE log_group SET retention_days = ?1 WHERE name = ?2", |q| q.bind(days).bind(name)).await
    }

    /// Replaces the tags of a log group that exists.
    pub async fn set_log_tags(&self, name: &str, tags: &BTreeMap<String, String>) -> Result<SettingChange, StoreError> {
        let tags = to_json(tags)?;
        let mut writing = self.begin(std::iter::once(size(&[tags.len()]))).await?;
        let before = sum(&mut writing.transaction, "octet_length(tags)", "log_group WHERE name", name).await?;
        let bytes = size(&[tags.len()]) - before;
        let done = sqlx::query("UPDATE log_group SET tags = ?1 WHERE name = ?2")
            .bind(tags)
            .bind(name)
            .execute(&mut *writing.transaction)
            .await?
            .rows_affected();
        self.finish_setting(writing, done, bytes).await
    }

    /// The streams of a log group by name; `None` if there is no such group.
    pub async fn log_streams(&self, group: &str) -> Result<Option<Vec<LogStream>>, StoreError> {
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM log_group WHERE name = ?")
            .bind(group)
            .fetch_one(&self.pools.readers())
            .await?;
        if there == 0 {
            return Ok(None);
        }
        let rows = sqlx::query(
            "SELECT s.name, s.created, l.first, l.last, l.received FROM log_stream s LEFT JOIN
               (SELECT stream, min(time_ns) AS first, max(time_ns) AS last, max(received) AS received
                FROM log WHERE group_name = ?1 AND encoding = 3 GROUP BY stream) l ON l.stream = s.name
             WHERE s.group_name = ?1 ORDER BY s.name",
        )
        .bind(group)
        .fetch_all(&self.pools.readers())
        .await?;
        let time = |row: &SqliteRow, column: &str| row.get::<Option<i64>, _>(column).map(Nanos);
        Ok(Some(
            rows.iter()
                .map(|row| LogStream {
                    name: row.get("name"),
                    created: Nanos(row.get("created")),
                    first_event: time(row, "first"),
                    last_event: time(row, "last"),
                    last_ingestion: time(row, "received"),
                })
                .collect(),
        ))
    }

    pub async fn has_log_stream(&self, group: &str, name: &str) -> Result<bool, StoreError> {
        let n: i64 = sqlx::query_scalar("SELECT count(*) FROM log_stream WHERE group_name = ? AND name = ?")
            .bind(group)
            .bind(name)
            .fetch_one(&self.pools.readers())
            .await?;
        Ok(n > 0)
    }

    /// Creates a stream that does not exist, in a group that does.
    pub async fn create_log_stream(&self, group: &str, name: &str, now: Nanos) -> Result<SettingChange, StoreError> {
        let bytes = size(&[group.len(), name.len(), SETTING_ROW]);
        let mut writing = self.begin(std::iter::once(bytes)).await?;
        let done = sqlx::query(
            "INSERT INTO log_stream (group_name, name, created, used) VALUES (?1, ?2, ?3, ?3) ON CONFLICT DO NOTHING",
        )
        .bind(group)
        .bind(name)
        .bind(now.0)
        .execute(&mut *writing.transaction)
        .await?
        .rows_affected();
        self.finish_setting(writing, done, bytes).await
    }

    /// Deletes a stream with its events; returns false if there is none.
    pub async fn delete_log_stream(&self, group: &str, name: &str) -> Result<bool, StoreError> {
        let mut writing = self.begin(std::iter::empty()).await?;
        let done = sqlx::query("DELETE FROM log_stream WHERE group_name = ? AND name = ?")
            .bind(group)
            .bind(name)
            .execute(&mut *writing.transaction)
            .await?
            .rows_affected();
        let setting = if done > 0 { size(&[group.len(), name.len(), SETTING_ROW]) } else { 0 };
        written::count(&mut writing.transaction, written::SETTINGS, -setting).await?;
        let bytes = delete_events(&mut writing.transaction, group, Some(name)).await?;
        writing.commit(KIND.name, -bytes).await?;
        Ok(done > 0)
    }
}

/// The sum of an expression over the rows whose column has a value.
async fn sum(transaction: &mut Write, expression: &str, column: &str, value: &str) -> Result<i64, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT coalesce(sum({expression}), 0) FROM {column} = ?"));
    Ok(sqlx::query_scalar(sql).bind(value).fetch_one(&mut **transaction).await?)
}

/// How many unused streams one transaction looks at.
const UNUSED: i64 = 200;

/// Whether a stream or a group was last known to be used before a time.
pub(crate) async fn has_unused(readers: &SqlitePool, before: Nanos) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM log_stream WHERE used < ?1) OR EXISTS (SELECT 1 FROM log_group WHERE used < ?1)",
    )
    .bind(before.0)
    .fetch_one(readers)
    .await?)
}

/// Deletes some of the streams whose last event arrived before a time, then groups without streams and events; returns
/// what they took.
pub(crate) async fn drop_unused(transaction: &mut Write, before: Nanos) -> Result<i64, StoreError> {
    // Events do not update their stream when they arrive, so that arriving costs nothing more.
    sqlx::query(
        "UPDATE log_stream SET used = max(used, coalesce((SELECT max(received) FROM log
           WHERE group_name = log_stream.group_name AND stream = log_stream.name AND encoding = 3), 0))
         WHERE (group_name, name) IN (SELECT group_name, name FROM log_stream WHERE used < ?1 LIMIT ?2)",
    )
    .bind(before.0)
    .bind(UNUSED)
    .execute(&mut **transaction)
    .await?;
    let streams: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "DELETE FROM log_stream WHERE (group_name, name) IN
           (SELECT group_name, name FROM log_stream s WHERE used < ?1 AND NOT EXISTS (SELECT 1 FROM log
             WHERE group_name = s.group_name AND stream = s.name AND encoding = 3) LIMIT ?2) RETURNING {STREAM_BYTES}"
    )))
    .bind(before.0)
    .bind(UNUSED)
    .fetch_all(&mut **transaction)
    .await?;
    sqlx::query(
        "UPDATE log_group SET used = max(used,
           coalesce((SELECT max(used) FROM log_stream WHERE group_name = log_group.name), 0),
           coalesce((SELECT max(received) FROM log WHERE group_name = log_group.name AND encoding = 3), 0))
         WHERE name IN (SELECT name FROM log_group WHERE used < ?1 LIMIT ?2)",
    )
    .bind(before.0)
    .bind(UNUSED)
    .execute(&mut **transaction)
    .await?;
    let groups: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "DELETE FROM log_group WHERE name IN (SELECT name FROM log_group g WHERE used < ?1
           AND NOT EXISTS (SELECT 1 FROM log_stream WHERE group_name = g.name)
           AND NOT EXISTS (SELECT 1 FROM log WHERE group_name = g.name AND encoding = 3) LIMIT ?2)
         RETURNING {GROUP_BYTES}"
    )))
    .bind(before.0)
    .bind(UNUSED)
    .fetch_all(&mut **transaction)
    .await?;
    Ok(streams.into_iter().chain(groups).sum())
}

/// Deletes the CloudWatch events of a group, or of one of its streams; returns the bytes that they took.
async fn delete_events(transaction: &mut Write, group: &str, stream: Option<&str>) -> Result<i64, StoreError> {
    const WHICH: &str = "FROM log WHERE group_name = ?1 AND encoding = 3 AND (?2 IS NULL OR stream = ?2)";
    let sum = sqlx::AssertSqlSafe(format!("SELECT coalesce(sum({LOG_BYTES}), 0) {WHICH}"));
    let bytes: i64 = sqlx::query_scalar(sum).bind(group).bind(stream).fetch_one(&mut **transaction).await?;
    let delete = sqlx::AssertSqlSafe(format!("DELETE {WHICH}"));
    sqlx::query(delete).bind(group).bind(stream).execute(&mut **transaction).await?;
    Ok(bytes)
}

/// The statement for a query.
fn select(columns: &'static str, query: &LogQuery, limit: u32) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::<Sqlite>::new(columns);
    if let Some(group) = &query.group {
        sql.push(" AND group_name = ").push_bind(group);
    }
    if query.cloudwatch_only {
        sql.push(" AND encoding = ").push_bind(LogEncoding::Cloudwatch.code());
    }
    if !query.streams.is_empty() {
        sql.push(" AND stream IN (");
        let mut names = sql.separated(", ");
        for stream in &query.streams {
            names.push_bind(stream);
        }
        sql.push(")");
    }
    if !query.stream_prefix.is_empty() {
        // Not LIKE: names may contain `_` and `%`, and case matters.
        sql.push(" AND substr(stream, 1, length(")
            .push_bind(&query.stream_prefix)
            .push(")) = ")
            .push_bind(&query.stream_prefix);
    }
    if let Some(trace) = &query.trace_id {
        sql.push(" AND trace_id = ").push_bind(&trace.0[..]);
    }
    if let Some(from) = query.from {
        sql.push(" AND time_ns >= ").push_bind(from.0);
    }
    if let Some(before) = query.before {
        sql.push(" AND time_ns < ").push_bind(before.0);
    }
    if let Some(arrived) = query.arrived {
        sql.push(" AND received >= ").push_bind(arrived.0);
    }
    let time = if query.by_arrival { "received" } else { "time_ns" };
    let (comparison, order) = if query.newest_first { ("<", "DESC") } else { (">", "ASC") };
    if let Some((after, seq)) = query.after {
        sql.push(format!(" AND ({time}, seq) {comparison} (")).push_bind(after.0).push(", ").push_bind(seq).push(")");
    }
    sql.push(format!(" ORDER BY {time} {order}, seq {order} LIMIT ")).push_bind(i64::from(limit));
    sql
}

fn log_of(row: &SqliteRow, bodies: &HashMap<i64, Arc<[u8]>>) -> Result<StoredLog, StoreError> {
    let code: i64 = row.get("encoding");
    Ok(StoredLog {
        seq: row.get("seq"),
        received: Nanos(row.get("received")),
        record: LogRecord {
            timestamp: Nanos(row.get("time_ns")),
            group: row.get("group_name"),
            stream: row.get("stream"),
            message: row.get("message"),
            trace_id: optional(row, "trace_id").map(TraceId),
            span_id: optional(row, "span_id").map(SpanId),
            severity: row.get("severity"),
            severity_number: row.get("severity_number"),
            encoding: LogEncoding::from_code(code)
                .ok_or_else(|| StoreError::Damaged(format!("unknown log encoding {code}")))?,
            raw: row.get("raw"),
            resource: bodies.get(&row.get::<i64, _>("resource")).cloned().unwrap_or_default(),
            scope: bodies.get(&row.get::<i64, _>("scope")).cloned().unwrap_or_default(),
        },
    })
}

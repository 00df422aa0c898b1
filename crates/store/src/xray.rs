//! X-Ray's groups and sampling rules.

use sqlx::{Row as _, SqlitePool};

use tracebook_core::time::Nanos;
use tracebook_core::xray::{Group, SamplingRule};

use crate::database::{Telemetry, Write};
use crate::error::StoreError;
use crate::limits::size;
use crate::sql::{from_json, to_json};
use crate::written;

/// The tables.
pub(crate) const GROUP: &str = "xray_group";
pub(crate) const RULE: &str = "sampling_rule";
/// SQL: what a row of either takes.
pub(crate) const SETTING_BYTES: &str = "octet_length(name) + octet_length(body) + 100";
/// What a row takes beside its texts, approximately.
const SETTING_ROW: usize = 100;

impl Telemetry {
    /// All groups, by name.
    pub async fn xray_groups(&self) -> Result<Vec<Group>, StoreError> {
        self.settings("SELECT body FROM xray_group ORDER BY name").await
    }

    /// Creates or replaces a group.
    pub async fn put_xray_group(&self, group: &Group, now: Nanos) -> Result<(), StoreError> {
        let body = to_json(group)?;
        let bytes = size(&[group.name.len(), body.len(), SETTING_ROW]);
        let mut writing = self.begin(std::iter::once(bytes)).await?;
        let before = taken(&mut writing.transaction, GROUP, &group.name).await?;
        sqlx::query("INSERT OR REPLACE INTO xray_group (name, body, used) VALUES (?, ?, ?)")
            .bind(&group.name)
            .bind(body)
            .bind(now.0)
            .execute(&mut *writing.transaction)
            .await?;
        writing.commit(written::SETTINGS, bytes - before).await
    }

    /// Returns false if there is no such group.
    pub async fn delete_xray_group(&self, name: &str) -> Result<bool, StoreError> {
        self.delete_setting(GROUP, name).await
    }

    /// All sampling rules, by priority, then name.
    pub async fn sampling_rules(&self) -> Result<Vec<SamplingRule>, StoreError> {
        self.settings("SELECT body FROM sampling_rule ORDER BY priority, name").await
    }

    /// Creates or replaces a sampling rule.
    pub async fn put_sampling_rule(&self, rule: &SamplingRule, now: Nanos) -> Result<(), StoreError> {
        let body = to_json(rule)?;
        let bytes = size(&[rule.name.len(), body.len(), SETTING_ROW]);
        let mut writing = self.begin(std::iter::once(bytes)).await?;
        let before = taken(&mut writing.transaction, RULE, &rule.name).await?;
        sqlx::query("INSERT OR REPLACE INTO sampling_rule (name, priority, body, used) VALUES (?, ?, ?, ?)")
            .bind(&rule.name)
            .bind(rule.priority)
            .bind(body)
            .bind(now.0)
            .execute(&mut *writing.transaction)
            .await?;
        writing.commit(written::SETTINGS, bytes - before).await
    }

    /// Returns false if there is no such rule.
    pub async fn delete_sampling_rule(&self, name: &str) -> Result<bool, StoreError> {
        self.delete_setting(RULE, name).await
    }

    /// Notes that a client asked for the groups and rules.
    pub async fn use_xray_settings(&self, now: Nanos) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        for table in [GROUP, RULE] {
            let sql = sqlx::AssertSqlSafe(format!("UPDATE {table} SET used = max(used, ?)"));
            sqlx::query(sql).bind(now.0).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    async fn delete_setting(&self, table: &str, name: &str) -> Result<bool, StoreError> {
        let mut writing = self.begin(std::iter::empty()).await?;
        let bytes = taken(&mut writing.transaction, table, name).await?;
        let sql = sqlx::AssertSqlSafe(format!("DELETE FROM {table} WHERE name = ?"));
        let done = sqlx::query(sql).bind(name).execute(&mut *writing.transaction).await?.rows_affected();
        writing.commit(written::SETTINGS, -bytes).await?;
        Ok(done > 0)
    }

    async fn settings<T: serde::de::DeserializeOwned>(&self, sql: &'static str) -> Result<Vec<T>, StoreError> {
        let rows = sqlx::query(sql).fetch_all(&self.pools.readers()).await?;
        rows.iter().map(|row| from_json(row.get("body"))).collect()
    }
}

/// What the row of a name takes; 0 if there is none.
async fn taken(transaction: &mut Write, table: &str, name: &str) -> Result<i64, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT coalesce(sum({SETTING_BYTES}), 0) FROM {table} WHERE name = ?"));
    Ok(sqlx::query_scalar(sql).bind(name).fetch_one(&mut **transaction).await?)
}

/// Whether a group or a rule was last used before a time.
pub(crate) async fn has_unused(readers: &SqlitePool, before: Nanos) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM xray_group WHERE used < ?1) OR EXISTS (SELECT 1 FROM sampling_rule WHERE used < ?1)",
    )
    .bind(before.0)
    .fetch_one(readers)
    .await?)
}

/// Deletes groups and rules that were last used before a time; returns what they took.
pub(crate) async fn drop_unused(transaction: &mut Write, before: Nanos) -> Result<i64, StoreError> {
    let mut bytes = 0;
    for table in [GROUP, RULE] {
        let sql = sqlx::AssertSqlSafe(format!("DELETE FROM {table} WHERE used < ? RETURNING {SETTING_BYTES}"));
        let gone: Vec<i64> = sqlx::query_scalar(sql).bind(before.0).fetch_all(&mut **transaction).await?;
        bytes += gone.into_iter().sum::<i64>();
    }
    Ok(bytes)
}

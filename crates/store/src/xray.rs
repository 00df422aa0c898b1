//! X-Ray's groups and sampling rules.

use sqlx::Row as _;

use tracebook_core::xray::{Group, SamplingRule};

use crate::database::Telemetry;
use crate::error::StoreError;
use crate::sql::{from_json, to_json};

impl Telemetry {
    /// All groups, by name.
    pub async fn xray_groups(&self) -> Result<Vec<Group>, StoreError> {
        self.settings("SELECT body FROM xray_group ORDER BY name").await
    }

    /// Creates or replaces a group.
    pub async fn put_xray_group(&self, group: &Group) -> Result<(), StoreError> {
        let body = to_json(group)?;
        self.changed("INSERT OR REPLACE INTO xray_group (name, body) VALUES (?, ?)", |q| {
            q.bind(group.name.clone()).bind(body)
        })
        .await?;
        Ok(())
    }

    /// Returns false if there is no such group.
    pub async fn delete_xray_group(&self, name: &str) -> Result<bool, StoreError> {
        self.changed("DELETE FROM xray_group WHERE name = ?", |q| q.bind(name)).await
    }

    /// All sampling rules, by priority, then name.
    pub async fn sampling_rules(&self) -> Result<Vec<SamplingRule>, StoreError> {
        self.settings("SELECT body FROM sampling_rule ORDER BY priority, name").await
    }

    /// Creates or replaces a sampling rule.
    pub async fn put_sampling_rule(&self, rule: &SamplingRule) -> Result<(), StoreError> {
        let body = to_json(rule)?;
        self.changed("INSERT OR REPLACE INTO sampling_rule (name, priority, body) VALUES (?, ?, ?)", |q| {
            q.bind(rule.name.clone()).bind(rule.priority).bind(body)
        })
        .await?;
        Ok(())
    }

    /// Returns false if there is no such rule.
    pub async fn delete_sampling_rule(&self, name: &str) -> Result<bool, StoreError> {
        self.changed("DELETE FROM sampling_rule WHERE name = ?", |q| q.bind(name)).await
    }

    async fn settings<T: serde::de::DeserializeOwned>(&self, sql: &'static str) -> Result<Vec<T>, StoreError> {
        let rows = sqlx::query(sql).fetch_all(&self.pools.readers).await?;
        rows.iter().map(|row| from_json(row.get("body"))).collect()
    }
}

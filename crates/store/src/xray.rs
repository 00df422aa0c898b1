//! X-Ray's groups and sampling rules.

use sqlx::Row as _;

use tracebook_core::xray::{Group, SamplingRule};

use crate::error::StoreError;
use crate::open::Telemetry;

impl Telemetry {
    /// Every group, by name.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn xray_groups(&self) -> Result<Vec<Group>, StoreError> {
        self.settings("SELECT body FROM xray_group ORDER BY name").await
    }

    /// Makes a group or replaces the one of its name.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn put_xray_group(&self, group: &Group) -> Result<(), StoreError> {
        let body = serde_json::to_string(group).map_err(|e| StoreError::Damaged(e.to_string()))?;
        self.changed("INSERT OR REPLACE INTO xray_group (name, body) VALUES (?, ?)", |q| {
            q.bind(group.name.clone()).bind(body)
        })
        .await?;
        Ok(())
    }

    /// Deletes a group; false where there is none.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn delete_xray_group(&self, name: &str) -> Result<bool, StoreError> {
        self.changed("DELETE FROM xray_group WHERE name = ?", |q| q.bind(name)).await
    }

    /// Every sampling rule, by priority, then name.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn sampling_rules(&self) -> Result<Vec<SamplingRule>, StoreError> {
        self.settings("SELECT body FROM sampling_rule ORDER BY priority, name").await
    }

    /// Makes a sampling rule or replaces the one of its name.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn put_sampling_rule(&self, rule: &SamplingRule) -> Result<(), StoreError> {
        let body = serde_json::to_string(rule).map_err(|e| StoreError::Damaged(e.to_string()))?;
        self.changed("INSERT OR REPLACE INTO sampling_rule (name, priority, body) VALUES (?, ?, ?)", |q| {
            q.bind(rule.name.clone()).bind(rule.priority).bind(body)
        })
        .await?;
        Ok(())
    }

    /// Deletes a sampling rule; false where there is none.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn delete_sampling_rule(&self, name: &str) -> Result<bool, StoreError> {
        self.changed("DELETE FROM sampling_rule WHERE name = ?", |q| q.bind(name)).await
    }

    async fn settings<T: serde::de::DeserializeOwned>(&self, sql: &'static str) -> Result<Vec<T>, StoreError> {
        let rows = sqlx::query(sql).fetch_all(&self.pools.readers).await?;
        rows.iter()
            .map(|row| {
                let body: String = row.get("body");
                serde_json::from_str(&body).map_err(|e| StoreError::Damaged(e.to_string()))
            })
            .collect()
    }
}

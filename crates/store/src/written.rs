//! How often each kind of telemetry was written, which tells readers what is stale, and what it takes.

use std::collections::BTreeMap;

use sqlx::Sqlite;

use crate::database::Write;
use crate::error::StoreError;

pub(crate) const TRACES: &str = "traces";
pub(crate) const LOGS: &str = "logs";
pub(crate) const ERRORS: &str = "errors";
pub(crate) const CONSOLE: &str = "console";
/// Groups, streams and rules.
pub(crate) const SETTINGS: &str = "settings";
/// The relay's queue, whose bytes do not count towards the limit of telemetry.
pub(crate) const RELAY: &str = "relay";

/// Counts a write in its transaction. `bytes` is the difference that it made.
pub(crate) async fn count(transaction: &mut Write, kind: &str, bytes: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE written SET n = n + 1, bytes = max(bytes + ?, 0) WHERE kind = ?")
        .bind(bytes)
        .bind(kind)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// What each kind takes that takes anything.
pub(crate) async fn bytes<'c>(
    executor: impl sqlx::Executor<'c, Database = Sqlite>,
) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(sqlx::query_as("SELECT kind, bytes FROM written WHERE bytes > 0").fetch_all(executor).await?)
}

pub(crate) async fn bytes_of<'c>(
    executor: impl sqlx::Executor<'c, Database = Sqlite>,
    kind: &str,
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT bytes FROM written WHERE kind = ?").bind(kind).fetch_one(executor).await?)
}

/// How often each kind was written, but for settings, which no list shows.
pub(crate) async fn counts<'c>(
    executor: impl sqlx::Executor<'c, Database = Sqlite>,
) -> Result<BTreeMap<String, i64>, StoreError> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT kind, n FROM written WHERE kind <> ?").bind(SETTINGS).fetch_all(executor).await?;
    Ok(rows.into_iter().collect())
}

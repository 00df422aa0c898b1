//! How much telemetry there is, and letting the oldest go.

use sqlx::{Row as _, Sqlite, Transaction};

use tracebook_core::time::Nanos;

use crate::error::StoreError;
use crate::open::Telemetry;
use crate::telemetry::wrote;

/// Below this share of the limit trimming stops, so that it does not run at every batch.
const ENOUGH: u64 = 95;
/// How much goes in one transaction: receivers wait for it.
const TRACES_AT_ONCE: i64 = 250;
const ROWS_AT_ONCE: i64 = 500;
/// Resources and scopes that nothing points at any more are looked for when they take this share of the limit.
const SHARED_SHARE: u64 = 10;

/// The tables that are trimmed row by row, and the kind that each is told of as.
const TABLES: [(&str, &str); 3] = [("log", "logs"), ("occurrence", "errors"), ("console", "console")];

impl Telemetry {
    /// Bytes that telemetry takes: the pages in use. The file may be larger; what is free in it is used again first.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        let of = async |sql: &'static str| -> Result<u64, StoreError> {
            let n: i64 = sqlx::query_scalar(sql).fetch_one(&self.pools.readers).await?;
            Ok(u64::try_from(n).unwrap_or(0))
        };
        let (pages, free, size) =
            (of("PRAGMA page_count").await?, of("PRAGMA freelist_count").await?, of("PRAGMA page_size").await?);
        Ok(pages.saturating_sub(free).saturating_mul(size))
    }

    /// Lets the oldest go: what arrived before a moment, and as much as is above a size. Returns how many spans, log events,
    /// occurrences and lines went. A trace goes whole.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written; what went before stays gone.
    pub async fn trim(&self, limit_bytes: u64, before: Nanos) -> Result<u64, StoreError> {
        let mut dropped = 0;
        // By age.
        loop {
            let gone = self.drop_traces(Some(before)).await?;
            dropped += gone;
            if gone == 0 {
                break;
            }
        }
        for (table, kind) in TABLES {
            loop {
                let gone = self.drop_rows(table, kind, Some(before)).await?;
                dropped += gone;
                if gone == 0 {
                    break;
                }
            }
        }
        // By size.
        if self.bytes().await? <= limit_bytes {
            return Ok(dropped);
        }
        while self.bytes().await? > limit_bytes / 100 * ENOUGH {
            let gone = self.drop_oldest().await?;
            dropped += gone;
            if gone == 0 {
                break;
            }
        }
        let shared: i64 = sqlx::query_scalar("SELECT coalesce(sum(length(body)), 0) FROM shared")
            .fetch_one(&self.pools.readers)
            .await?;
        if u64::try_from(shared).unwrap_or(0) > limit_bytes / 100 * SHARED_SHARE {
            self.changed(
                "DELETE FROM shared WHERE id NOT IN (SELECT resource FROM span UNION SELECT scope FROM span
                   UNION SELECT resource FROM log UNION SELECT scope FROM log)",
                |q| q,
            )
            .await?;
        }
        Ok(dropped)
    }

    /// Drops some of whatever has the oldest arrival.
    async fn drop_oldest(&self) -> Result<u64, StoreError> {
        let trace: Option<i64> =
            sqlx::query_scalar("SELECT min(received) FROM trace").fetch_one(&self.pools.readers).await?;
        let mut oldest = trace.map(|received| (received, None));
        for (table, kind) in TABLES {
            let sql = sqlx::AssertSqlSafe(format!("SELECT received FROM {table} ORDER BY seq LIMIT 1"));
            let first: Option<i64> = sqlx::query_scalar(sql).fetch_optional(&self.pools.readers).await?;
            if let Some(received) = first
                && oldest.is_none_or(|(other, _)| received < other)
            {
                oldest = Some((received, Some((table, kind))));
            }
        }
        match oldest {
            None => Ok(0),
            Some((_, None)) => self.drop_traces(None).await,
            Some((_, Some((table, kind)))) => self.drop_rows(table, kind, None).await,
        }
    }

    /// Drops the traces that were heard of least recently, at most some hundred; returns how many spans went.
    async fn drop_traces(&self, before: Option<Nanos>) -> Result<u64, StoreError> {
        let before = before.map_or(i64::MAX, |b| b.0);
        // Looked for without the write lock: most of the time there is nothing.
        let first: Option<i64> =
            sqlx::query_scalar("SELECT min(received) FROM trace").fetch_one(&self.pools.readers).await?;
        if first.is_none_or(|first| first >= before) {
            return Ok(0);
        }
        const OLDEST: &str = "(SELECT trace_id FROM trace WHERE received < ?1 ORDER BY received LIMIT ?2)";
        let mut transaction = self.pools.write().await?;
        let spans = run(&mut transaction, &format!("DELETE FROM span WHERE trace_id IN {OLDEST}"), before).await?;
        run(&mut transaction, &format!("DELETE FROM trace WHERE trace_id IN {OLDEST}"), before).await?;
        wrote(&mut transaction, "traces").await?;
        transaction.commit().await?;
        // A trace row without spans counts too: the caller goes on until nothing goes.
        Ok(spans.max(1))
    }

    async fn drop_rows(&self, table: &str, kind: &str, before: Option<Nanos>) -> Result<u64, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT max(seq) AS last, count(*) AS n FROM (SELECT seq, received FROM {table} ORDER BY seq LIMIT {ROWS_AT_ONCE})
             WHERE received < ?"
        ));
        let row = sqlx::query(sql).bind(before.map_or(i64::MAX, |b| b.0)).fetch_one(&self.pools.readers).await?;
        let Some(last) = row.get::<Option<i64>, _>("last") else { return Ok(0) };
        let mut transaction = self.pools.write().await?;
        let gone = sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table} WHERE seq <= ?")))
            .bind(last)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        wrote(&mut transaction, kind).await?;
        transaction.commit().await?;
        Ok(gone)
    }
}

async fn run(transaction: &mut Transaction<'_, Sqlite>, sql: &str, before: i64) -> Result<u64, StoreError> {
    let done = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
        .bind(before)
        .bind(TRACES_AT_ONCE)
        .execute(&mut **transaction)
        .await?;
    Ok(done.rows_affected())
}

//! When telemetry last arrived.

use sqlx::Row as _;

use tracebook_core::time::Nanos;
use tracebook_core::trace::Protocol;

use crate::database::Telemetry;
use crate::error::StoreError;
use crate::{console, errors, logs, traces};

/// When data of each protocol last arrived; `None` if none is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    pub otlp_spans: Option<Nanos>,
    pub xray_segments: Option<Nanos>,
    pub otlp_logs: Option<Nanos>,
    pub cloudwatch_logs: Option<Nanos>,
    pub errors: Option<Nanos>,
    /// Lines of watched commands.
    pub console: Option<Nanos>,
}

impl Arrivals {
    /// When anything last arrived.
    pub fn newest(&self) -> Option<Nanos> {
        let Self { otlp_spans, xray_segments, otlp_logs, cloudwatch_logs, errors, console } = *self;
        [otlp_spans, xray_segments, otlp_logs, cloudwatch_logs, errors, console].into_iter().flatten().max()
    }
}

impl Telemetry {
    /// By how much the last record of a kind arrived before another of its kind, by the clock of the machine: more than
    /// moments if that was set back between them. `None` if nothing is stored.
    pub async fn set_back(&self) -> Result<Option<Nanos>, StoreError> {
        let all = [traces::BEHIND, logs::BEHIND, errors::BEHIND, console::BEHIND];
        let sql = format!(
            "SELECT max(behind) FROM ({})",
            all.map(|one| format!("SELECT ({one}) AS behind")).join(" UNION ALL ")
        );
        let behind: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&self.pools.readers()).await?;
        Ok(behind.map(Nanos))
    }

    pub async fn arrivals(&self) -> Result<Arrivals, StoreError> {
        let columns = [
            ("otlp_spans", &*traces::last_arrival(Protocol::Otlp)),
            ("xray_segments", &*traces::last_arrival(Protocol::Xray)),
            ("otlp_logs", logs::LAST_OTLP_ARRIVAL),
            ("cloudwatch_logs", logs::LAST_CLOUDWATCH_ARRIVAL),
            ("errors", errors::LAST_ARRIVAL),
            ("console", console::LAST_ARRIVAL),
        ];
        let columns = columns.map(|(name, select)| format!("({select}) AS {name}"));
        let sql = format!("SELECT {}", columns.join(", "));
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&self.pools.readers()).await?;
        let time = |column: &str| row.get::<Option<i64>, _>(column).map(Nanos);
        Ok(Arrivals {
            otlp_spans: time("otlp_spans"),
            xray_segments: time("xray_segments"),
            otlp_logs: time("otlp_logs"),
            cloudwatch_logs: time("cloudwatch_logs"),
            errors: time("errors"),
            console: time("console"),
        })
    }

    /// When the oldest stored record arrived; `None` if nothing is stored.
    pub async fn oldest(&self) -> Result<Option<Nanos>, StoreError> {
        let selects = [traces::OLDEST_ARRIVAL, logs::OLDEST_ARRIVAL, errors::OLDEST_ARRIVAL, console::OLDEST_ARRIVAL];
        let rows = selects.map(|select| format!("SELECT ({select}) AS received"));
        let sql = format!("SELECT min(received) FROM ({})", rows.join(" UNION ALL "));
        let oldest: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&self.pools.readers()).await?;
        Ok(oldest.map(Nanos))
    }
}

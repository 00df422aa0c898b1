//! What arrived last, by every way.

use sqlx::Row as _;

use tracebook_core::time::Nanos;

use crate::error::StoreError;
use crate::open::Telemetry;

/// When something last came by each way; `None` where nothing is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// A span over OTLP.
    pub otlp_spans: Option<Nanos>,
    /// An X-Ray segment.
    pub xray_segments: Option<Nanos>,
    /// A log record over OTLP.
    pub otlp_logs: Option<Nanos>,
    /// A CloudWatch log event.
    pub cloudwatch_logs: Option<Nanos>,
    /// An occurrence of an error.
    pub errors: Option<Nanos>,
    /// A line of a watched command.
    pub console: Option<Nanos>,
}

impl Telemetry {
    /// When something last came by each way.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn arrivals(&self) -> Result<Arrivals, StoreError> {
        let row = sqlx::query(
            "SELECT
               (SELECT max(received) FROM (SELECT received FROM trace WHERE protocols & 1 ORDER BY seq DESC LIMIT 100)) AS otlp_spans,
               (SELECT max(received) FROM (SELECT received FROM trace WHERE protocols & 2 ORDER BY seq DESC LIMIT 100)) AS xray_segments,
               (SELECT received FROM log WHERE encoding <> 3 ORDER BY seq DESC LIMIT 1) AS otlp_logs,
               (SELECT received FROM log WHERE encoding = 3 ORDER BY seq DESC LIMIT 1) AS cloudwatch_logs,
               (SELECT received FROM occurrence ORDER BY seq DESC LIMIT 1) AS errors,
               (SELECT received FROM console ORDER BY seq DESC LIMIT 1) AS console",
        )
        .fetch_one(&self.pools.readers)
        .await?;
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

    /// When the oldest of all that is stored arrived; `None` where nothing is.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn oldest(&self) -> Result<Option<Nanos>, StoreError> {
        let oldest: Option<i64> = sqlx::query_scalar(
            "SELECT min(received) FROM (
               SELECT (SELECT min(received) FROM trace) AS received
               UNION ALL SELECT (SELECT received FROM log ORDER BY seq LIMIT 1)
               UNION ALL SELECT (SELECT received FROM occurrence ORDER BY seq LIMIT 1)
               UNION ALL SELECT (SELECT received FROM console ORDER BY seq LIMIT 1))",
        )
        .fetch_one(&self.pools.readers)
        .await?;
        Ok(oldest.map(Nanos))
    }
}

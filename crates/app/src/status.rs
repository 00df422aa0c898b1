//! What runs, where, and what is wrong.

use crate::Tracebook;
use crate::ground::error::Error;
use crate::rpc::{Caller, Status, StatusRequest, TelemetryUse, WeekRow, WeeksRequest};
use tracebook_core::course;

impl Tracebook {
    pub(crate) async fn status(&self, _request: StatusRequest, _caller: &Caller) -> Result<Status, Error> {
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_dir: self.data_dir.display().to_string(),
            receivers: self.ports.list(),
            problems: self.ports.problems(),
            spans_received: small(self.receivers.counters.spans()),
            logs_received: small(self.receivers.counters.logs()),
            errors_received: small(self.receivers.counters.errors()),
            telemetry: TelemetryUse {
                bytes: self.telemetry.bytes().await?,
                limit_bytes: self.limits.bytes(),
                limit_days: self.limits.max_days,
                dropped: self.telemetry.dropped(),
            },
            relay: self.relay_sum().await?,
            rejected: small(self.receivers.counters.refusals()),
            last_rejected: self.receivers.counters.last_reason().unwrap_or_default(),
        })
    }

    pub(crate) async fn weeks(&self, _request: WeeksRequest, _caller: &Caller) -> Result<Vec<WeekRow>, Error> {
        Ok(course::WEEKS.iter().map(|w| WeekRow { week: w.week.to_owned(), title: course::title(w.week) }).collect())
    }
}

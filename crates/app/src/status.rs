//! Status of the app: receivers, journal, problems.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracebook_sources::receive::Counters;
use tracebook_store::Telemetry;

use crate::courses::Courses;
use crate::ground::error::Error;
use crate::ground::schema::{Status, TelemetryUse};
use crate::ground::settings::TelemetryLimits;
use crate::ports::Ports;
use crate::relay::RelayControl;
use crate::storage::Storage;

/// The app's state at a glance. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Overview {
    data_dir: PathBuf,
    limits: TelemetryLimits,
    store: Telemetry,
    ports: Arc<Ports>,
    storage: Storage,
    counters: Arc<Counters>,
    relay: RelayControl,
    courses: Courses,
}

impl Overview {
    #[expect(clippy::too_many_arguments, reason = "each is a module that the status is read from")]
    pub(crate) fn new(
        data_dir: &Path,
        limits: TelemetryLimits,
        store: &Telemetry,
        ports: &Arc<Ports>,
        storage: &Storage,
        counters: &Arc<Counters>,
        relay: &RelayControl,
        courses: &Courses,
    ) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            limits,
            store: store.clone(),
            ports: Arc::clone(ports),
            storage: storage.clone(),
            counters: Arc::clone(counters),
            relay: relay.clone(),
            courses: courses.clone(),
        }
    }

    /// What needs the user's attention.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.ports.problems();
        problems.extend(self.storage.problems());
        problems.extend(self.courses.current().problem);
        problems
    }

    pub(crate) async fn status(&self) -> Result<Status, Error> {
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_dir: self.data_dir.display().to_string(),
            receivers: self.ports.list(),
            problems: self.problems(),
            spans_received: small(self.counters.spans()),
            logs_received: small(self.counters.logs()),
            errors_received: small(self.counters.errors()),
            telemetry: TelemetryUse {
                bytes: self.store.bytes().await?,
                limit_bytes: self.limits.bytes(),
                limit_days: self.limits.max_days,
                dropped: self.store.dropped(),
            },
            relay: self.relay.summary().await?,
            rejected: small(self.counters.refusals()),
            last_rejected: self.counters.last_reason().unwrap_or_default(),
        })
    }
}

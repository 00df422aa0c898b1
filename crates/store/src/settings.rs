//! The limit of what clients create beside telemetry: log groups and streams, X-Ray groups and sampling rules.
//!
//! They count towards the limit of telemetry, but take an eighth of it at most, so that they leave room for telemetry.
//! Nothing is dropped to make room for others; what nothing has used for as long as telemetry is kept goes.

use tracebook_core::time::Nanos;

use crate::database::{Telemetry, Write};
use crate::error::StoreError;
use crate::{logs, written, xray};

impl Telemetry {
    /// Whether groups, streams and rules take no more than they may, with this many bytes more.
    pub(crate) async fn settings_fit(&self, transaction: &mut Write, more: i64) -> Result<bool, StoreError> {
        let taken = written::bytes_of(&mut **transaction, written::SETTINGS).await?;
        Ok(taken.saturating_add(more) <= self.limits.settings())
    }

    /// Deletes what was not used since a time: streams and groups without events, X-Ray groups and sampling rules that
    /// no client asked for.
    pub(crate) async fn drop_unused_settings(&self, before: Nanos) -> Result<(), StoreError> {
        // Mostly there is nothing to do, and then no write lock is needed.
        if !logs::has_unused(&self.pools.readers(), before).await?
            && !xray::has_unused(&self.pools.readers(), before).await?
        {
            return Ok(());
        }
        let mut transaction = self.pools.write().await?;
        let mut bytes = logs::drop_unused(&mut transaction, before).await?;
        bytes += xray::drop_unused(&mut transaction, before).await?;
        written::count(&mut transaction, written::SETTINGS, -bytes).await?;
        transaction.commit().await
    }
}

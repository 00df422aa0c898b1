//! What is removed in the background: old records, what is above the limit, unreferenced resources, free pages.

use std::sync::atomic::Ordering;

use tracebook_core::time::Nanos;

use crate::database::{Pages, Telemetry};
use crate::error::StoreError;
use crate::room::drop_unreferenced;
use crate::shared;

/// Free bytes that are worth rewriting the database for.
const MIN_RECLAIMED: u64 = 8 << 20;

impl Telemetry {
    /// Bytes of the pages in use. The file may be larger; its free pages are reused first.
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        Ok(Pages::of(&self.pools.readers()).await?.used())
    }

    /// Drops what arrived before a time and what is above the limit, the oldest first and traces as a whole. Returns
    /// much free space to the system.
    ///
    /// # Errors
    /// What was dropped before an error stays dropped.
    pub async fn trim(&self, before: Nanos) -> Result<(), StoreError> {
        for kind in self.limits.kinds {
            while self.has_old(kind, before).await? && self.drop_old(kind, before).await? > 0 {}
        }
        while self.bytes().await? > self.limits.bytes && self.drop_excess().await? > 0 {}
        self.drop_unreferenced().await?;
        self.drop_unused_settings(before).await?;
        self.drop_old_requests(before).await?;
        self.drop_old_refusals(before).await?;
        self.compact().await
    }

    async fn drop_unreferenced(&self) -> Result<(), StoreError> {
        let left = &self.limits.shared_left;
        let grown = left.load(Ordering::Relaxed).saturating_add(self.limits.shared_share());
        if shared::bytes(&self.pools.readers()).await? <= grown {
            return Ok(());
        }
        let mut transaction = self.pools.write().await?;
        let now = drop_unreferenced(&mut transaction, &self.limits).await?;
        transaction.commit().await?;
        left.store(now, Ordering::Relaxed);
        Ok(())
    }

    /// Compacts the file if most of it is free, or if free pages make it larger than the limit.
    async fn compact(&self) -> Result<(), StoreError> {
        let limit = self.limits.bytes;
        let pages = Pages::of(&self.pools.readers()).await?;
        let (file, free) = (pages.all * pages.size, pages.free * pages.size);
        let much = free > file / 2 || file > limit.saturating_add(limit / 8);
        // If the disk was too full for the copy, it is again, as long as the file is the same.
        if free < MIN_RECLAIMED || !much || self.limits.compacted.swap(file, Ordering::Relaxed) == file {
            return Ok(());
        }
        self.pools.compact().await
    }
}

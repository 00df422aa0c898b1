//! What is removed in the background: old records, what is above the limit, unreferenced resources, free pages.

use std::sync::atomic::Ordering;

use tracebook_core::time::Nanos;

use crate::database::{Pages, Telemetry};
use crate::error::StoreError;
use crate::{logs, traces};

/// Free bytes that are worth rewriting the database for.
const MIN_RECLAIMED: u64 = 8 << 20;

/// Unreferenced resources and scopes are searched for when all of them take this share of the limit, and again when
/// they have grown by as much: it costs a scan of everything that is stored.
const SHARED_PERCENT: u64 = 10;

impl Telemetry {
    /// Bytes of the pages in use. The file may be larger; its free pages are reused first.
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        Ok(Pages::of(&self.pools.readers).await?.used())
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
        self.compact().await
    }

    async fn drop_unreferenced(&self) -> Result<(), StoreError> {
        let share = self.limits.bytes / 100 * SHARED_PERCENT;
        let left = &self.limits.shared_left;
        if self.shared_bytes().await? <= left.load(Ordering::Relaxed).saturating_add(share) {
            return Ok(());
        }
        self.drop_shared_except(&[traces::SHARED, logs::SHARED]).await?;
        left.store(self.shared_bytes().await?, Ordering::Relaxed);
        Ok(())
    }

    /// Compacts the file if most of it is free, or if free pages make it larger than the limit.
    async fn compact(&self) -> Result<(), StoreError> {
        let limit = self.limits.bytes;
        let pages = Pages::of(&self.pools.readers).await?;
        let (file, free) = (pages.all * pages.size, pages.free * pages.size);
        let much = free > file / 2 || file > limit.saturating_add(limit / 8);
        // If the disk was too full for the copy, it is again, as long as the file is the same.
        if free < MIN_RECLAIMED || !much || self.limits.compacted.swap(file, Ordering::Relaxed) == file {
            return Ok(());
        }
        self.pools.compact().await
    }
}

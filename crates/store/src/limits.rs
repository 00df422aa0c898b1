//! The size limit of `telemetry.db`, and how the rows of each kind count towards it.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::shares::{Bodies, Senders, Shares};

/// Bytes of a page, SQLite's default.
pub(crate) const PAGE: u64 = 4096;

/// A kind of telemetry that goes when room is needed. Described by the file that owns its table.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The row of `written` that counts it.
    pub(crate) name: &'static str,
    pub(crate) table: &'static str,
    /// SQL: what a row takes, with its share of the indexes; accurate enough to compare kinds.
    pub(crate) bytes: &'static str,
    /// SQL: how many records a row stands for.
    pub(crate) records: &'static str,
    /// Table and column of the rows that go together with a row.
    pub(crate) parts: Option<(&'static str, &'static str)>,
    /// SQL: the numbers of the resources and scopes that its rows refer to.
    pub(crate) shared: Option<&'static str>,
    /// Column that says who sent a row, and which part of it.
    pub(crate) sender: (&'static str, fn(&str) -> &str),
}

impl Kind {
    /// The sender that its column names.
    pub(crate) fn sender<'a>(&self, column: &'a str) -> &'a str {
        self.sender.1(column)
    }
}

/// For kinds whose column is the sender's name.
pub(crate) fn whole(sender: &str) -> &str {
    sender
}

/// The limit, and what was done to keep it since the database was opened.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) bytes: u64,
    pub(crate) kinds: &'static [&'static Kind],
    /// Spans, log events, occurrences and lines that were dropped.
    pub(crate) dropped: AtomicU64,
    /// Bytes of resources and scopes after the last search for unreferenced ones.
    pub(crate) shared_left: AtomicU64,
    /// The write-ahead log is truncated when it is larger than this.
    pub(crate) wal_limit: AtomicU64,
    /// Size of the file when it was last compacted.
    pub(crate) compacted: AtomicU64,
    /// Which bucket each sender has. Locked before the two below.
    senders: Mutex<Senders>,
    /// What each sender takes of a kind; empty until room is needed.
    shares: Mutex<HashMap<&'static str, Shares>>,
    /// What each sender's resources and scopes take.
    bodies: Mutex<Bodies>,
}

impl Limits {
    pub(crate) fn new(bytes: u64, kinds: &'static [&'static Kind]) -> Self {
        Self {
            bytes,
            kinds,
            dropped: AtomicU64::new(0),
            shared_left: AtomicU64::new(0),
            wal_limit: AtomicU64::new(wal_share(bytes) * 2),
            compacted: AtomicU64::new(0),
            senders: Mutex::default(),
            shares: Mutex::default(),
            bodies: Mutex::default(),
        }
    }

    pub(crate) fn senders(&self) -> MutexGuard<'_, Senders> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the buckets of senders of which nothing is stored to others.
    pub(crate) fn free_senders(&self) {
        let mut senders = self.senders();
        let shares = self.shares();
        senders.free(|bucket| shares.values().any(|shares| shares.has(bucket)));
    }

    pub(crate) fn shares(&self) -> MutexGuard<'_, HashMap<&'static str, Shares>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bodies(&self) -> MutexGuard<'_, Bodies> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unreferenced resources and scopes are searched for when all of them take this much, and again when they have
    /// grown by as much: it costs a scan of everything that is stored.
    pub(crate) fn shared_share(&self) -> u64 {
        self.bytes / 10
    }

    /// What groups, streams and rules may take in all.
    pub(crate) fn settings(&self) -> i64 {
        i64::try_from((self.bytes / 8).min(16 << 20)).unwrap_or(i64::MAX)
    }

    /// Where making room stops: a little below the limit, so that not every small batch has to make room.
    pub(crate) fn goal(&self) -> u64 {
        self.bytes - (self.bytes / 64).min(1 << 20)
    }
}

/// How large the write-ahead log may become before it is checkpointed. The larger, the more often a page is written
/// once instead of several times.
pub(crate) fn wal_share(limit: u64) -> u64 {
    (limit / 8).clamp(1 << 20, 32 << 20)
}

/// The sum of lengths as SQLite counts.
pub(crate) fn size(parts: &[usize]) -> i64 {
    i64::try_from(parts.iter().sum::<usize>()).unwrap_or(i64::MAX)
}

/// What rows take on disk at most: a page holds only whole ones.
pub(crate) fn on_disk(rows: impl Iterator<Item = i64>) -> u64 {
    let page = PAGE.cast_signed();
    let bytes = rows.map(|row| match page / row.max(1) {
        0 => row.saturating_add(page),
        rows => page / rows,
    });
    u64::try_from(bytes.fold(0, i64::saturating_add)).unwrap_or(0)
}

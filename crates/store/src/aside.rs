//! Setting a damaged `telemetry.db` aside. What it holds can be sent again; the journal must open without it.

use std::path::{Path, PathBuf};

use crate::copy::sync_folder;
use crate::database::{Replacing, Telemetry};
use crate::error::{Change, StoreError};
use crate::identity::{TELEMETRY_FILE, beside, name};
use crate::version::refuse_newer;

/// How many damaged databases are kept.
const KEPT: usize = 2;

/// A database that was renamed because it is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Its present path: `telemetry.db.damaged-20261130T101530Z`.
    pub path: PathBuf,
    /// What was wrong.
    pub reason: String,
}

impl Telemetry {
    /// Like [`Telemetry::open_within`], but sets a database aside that cannot be opened, and creates a new one. `stamp`
    /// is the time for its new name.
    ///
    /// # Errors
    /// [`StoreError::Newer`]; and a disk that is full, fails, or cannot be written.
    pub async fn open_or_replace(
        directory: &Path,
        limit_bytes: u64,
        stamp: &str,
    ) -> Result<(Self, Option<SetAside>), StoreError> {
        let path = directory.join(TELEMETRY_FILE);
        let opened = match std::fs::metadata(&path) {
            Ok(file) if !file.is_file() => Err(StoreError::Damaged("it is not a file".to_owned())),
            Ok(file) if file.len() == 0 => Err(StoreError::Damaged("the file is empty".to_owned())),
            Ok(_) | Err(_) => match Self::open_within(directory, limit_bytes).await {
                Ok(telemetry) => match telemetry.pools.readable().await {
                    Ok(()) => Ok(telemetry),
                    Err(error) => {
                        telemetry.close().await;
                        Err(error)
                    }
                },
                Err(error) => Err(error),
            },
        };
        let reason = match opened {
            Ok(telemetry) => return Ok((telemetry, None)),
            Err(error) if !concerns_the_file(&error) => return Err(error),
            Err(error) => error,
        };
        let Ok(aside) = set_aside(&path, stamp) else { return Err(reason) };
        let telemetry = Self::open_within(directory, limit_bytes).await?;
        Ok((telemetry, Some(SetAside { path: aside, reason: reason.to_string() })))
    }

    /// Whether the files at their paths are those that are open.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] if they are not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.pools.check().await
    }

    /// Looks for damage, and if there is any, sets the database aside and continues with a new one. Another process may
    /// have done so already.
    ///
    /// # Errors
    /// If there is damage, and the file cannot be renamed or a new one not be created.
    pub async fn replace_if_damaged(&self, stamp: &str) -> Result<Option<SetAside>, StoreError> {
        let mut replacing = self.pools.replacing().await;
        if self.pools.check().await.is_err() {
            return Ok(None);
        }
        match self.pools.damage().await? {
            Some(reason) => self.replace_damaged(&mut replacing, stamp, reason).await.map(Some),
            None => Ok(None),
        }
    }

    /// If the files were replaced, opens what is there now, or creates a new database; returns whether it did, and what
    /// had to be set aside for it.
    ///
    /// # Errors
    /// If nothing can be opened. Writes are refused until then.
    pub async fn reopen_if_replaced(&self, stamp: &str) -> Result<(bool, Option<SetAside>), StoreError> {
        let mut replacing = self.pools.replacing().await;
        match self.pools.check().await {
            Ok(()) => return Ok((false, None)),
            Err(error @ StoreError::Replaced { change: Change::CutOff, .. }) => {
                return Ok((true, Some(self.replace_damaged(&mut replacing, stamp, error.to_string()).await?)));
            }
            Err(_) => {}
        }
        match refuse_newer(self.pools.path(), self.pools.migrator()).await {
            Ok(()) => {}
            Err(error) if concerns_the_file(&error) && self.pools.path().exists() => {
                return Ok((true, Some(self.replace_damaged(&mut replacing, stamp, error.to_string()).await?)));
            }
            Err(error) => return Err(error),
        }
        // Of two logs of the same file, the older one must be closed first.
        let close = !self.pools.current().files.database_changed();
        match self.pools.replace(&mut replacing, close, || Ok(())).await {
            Ok(()) => Ok((true, None)),
            Err(error) if concerns_the_file(&error) && self.pools.path().exists() => {
                Ok((true, Some(self.replace_damaged(&mut replacing, stamp, error.to_string()).await?)))
            }
            Err(error) => Err(error),
        }
    }

    async fn replace_damaged(
        &self,
        replacing: &mut Replacing<'_>,
        stamp: &str,
        reason: String,
    ) -> Result<SetAside, StoreError> {
        let path = self.pools.path().to_owned();
        let mut aside = path.clone();
        self.pools
            .replace(replacing, true, || {
                aside = set_aside(&path, stamp)?;
                Ok(())
            })
            .await?;
        Ok(SetAside { path: aside, reason })
    }
}

/// Whether another file in its place would help.
fn concerns_the_file(error: &StoreError) -> bool {
    match error {
        StoreError::Damaged(_) | StoreError::ReadOnly(_) | StoreError::Invalid(_) | StoreError::Other(_) => true,
        StoreError::Newer { .. }
        | StoreError::Full
        | StoreError::Busy
        | StoreError::Replaced { .. }
        | StoreError::Lost { .. }
        | StoreError::InUse { .. }
        | StoreError::NotOurs { .. }
        | StoreError::NotABackup { .. }
        | StoreError::Io(_) => false,
    }
}

/// Renames a database and the files beside it, and removes all but the newest that were renamed before.
fn set_aside(path: &Path, stamp: &str) -> Result<PathBuf, StoreError> {
    let aside = beside(path, &format!(".damaged-{stamp}"));
    std::fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm"] {
        let file = beside(path, suffix);
        // A log must not be applied to the next database.
        if file.exists() {
            std::fs::rename(&file, beside(&aside, suffix))?;
        }
    }
    sync_folder(path);
    tracing::warn!(database = %name(path), aside = %name(&aside), "set aside, because it is damaged");
    remove_all_but_newest(path);
    Ok(aside)
}

/// The databases that were set aside, oldest first.
pub fn set_aside_before(directory: &Path) -> Vec<PathBuf> {
    let prefix = format!("{}.damaged-", TELEMETRY_FILE);
    let mut found: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| {
            let name = name(path);
            name.starts_with(&prefix) && !name.ends_with("-wal") && !name.ends_with("-shm")
        })
        .collect();
    found.sort();
    found
}

fn remove_all_but_newest(path: &Path) {
    let found = path.parent().map(set_aside_before).unwrap_or_default();
    for old in found.iter().take(found.len().saturating_sub(KEPT)) {
        for suffix in ["", "-wal", "-shm"] {
            let file = beside(old, suffix);
            let removed = match file.is_dir() {
                true => std::fs::remove_dir(&file),
                false => std::fs::remove_file(&file),
            };
            if let Err(error) = removed
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(%error, file = %name(&file), "an old damaged database could not be removed");
            }
        }
    }
}

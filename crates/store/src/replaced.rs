//! A journal whose file was replaced, moved or deleted while it was open.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use crate::copy;
use crate::database::{Journal, Replacing, undamaged};
use crate::error::{Change, StoreError};
use crate::identity::beside;
use crate::version::refuse_newer;

/// What became of a file that was replaced while it was open.
#[derive(Debug)]
pub enum Reopened {
    /// The files are those that were opened.
    Unchanged,
    /// The file that is there now is in use.
    Yes {
        /// The copy that was made of what the replaced file held.
        kept: Option<PathBuf>,
        /// The write-ahead log of a file that was overwritten: of what it held, only this is left.
        log: Option<PathBuf>,
    },
    /// There is none, or none that can be used. Reads still answer from the file that is open; writes are refused.
    No {
        error: StoreError,
        /// The copy that was made of what the open file holds.
        kept: Option<PathBuf>,
    },
}

impl Journal {
    /// Whether the files at their paths are those that are open.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] if they are not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.pools.check().await?;
        // The file is back where it was; the next time it is gone, it may hold more.
        self.pools.current().kept.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Looks for damage in the whole file: the first problem, or `None`.
    pub async fn damage(&self) -> Result<Option<String>, StoreError> {
        self.pools.damage().await
    }

    /// If the files were replaced, opens what is there now. `keep` is where a copy of the open database goes if it has
    /// lost its name: it may hold what the new one does not.
    pub async fn reopen_if_replaced(&self, keep: &Path) -> Reopened {
        let mut replacing = self.pools.replacing().await;
        let (mut kept, mut log) = (None, None);
        match self.pools.check().await {
            Ok(()) => return Reopened::Unchanged,
            // Nothing may be written into what is left of it.
            Err(error @ StoreError::Replaced { change: Change::CutOff, .. }) => return Reopened::No { error, kept },
            Err(StoreError::Replaced { change: Change::Overwritten, .. }) => match self.detach(keep).await {
                // The open connections see pages of both, so there is nothing to copy.
                Ok(at) => log = Some(at),
                Err(error) => return Reopened::No { error, kept },
            },
            Err(_) if self.pools.current().files.database_changed() => match self.keep_copy(keep).await {
                Ok(true) => kept = Some(keep.to_owned()),
                Ok(false) => {}
                // Without a folder for the copy, the missing file is what matters.
                Err(error @ StoreError::ReadOnly(_)) => {
                    let error = self.pools.check().await.err().unwrap_or(error);
                    return Reopened::No { error, kept };
                }
                Err(error) => return Reopened::No { error, kept },
            },
            // The log lost its name, but the database did not: what is in the log belongs into the database.
            Err(_) => {
                if let Err(error) = self.pools.try_empty_wal().await {
                    return Reopened::No { error, kept };
                }
            }
        }
        match self.open_what_is_there(&mut replacing).await {
            Ok(()) => Reopened::Yes { kept, log },
            Err(error) => Reopened::No { error, kept },
        }
    }

    /// Copies the open database once; returns whether it did.
    async fn keep_copy(&self, target: &Path) -> Result<bool, StoreError> {
        let opened = self.pools.current();
        if opened.kept.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let mut reader = self.pools.readers().acquire().await?;
        copy::into(&mut reader, target).await?;
        opened.kept.store(true, Ordering::Relaxed);
        Ok(true)
    }

    /// Gives a database that was written over the open one a file of its own, since the open connections would write
    /// their log into it. Returns where the log is kept.
    ///
    /// # Errors
    /// If what was written is not a healthy journal of this version; then nothing is changed.
    async fn detach(&self, keep: &Path) -> Result<PathBuf, StoreError> {
        let path = self.pools.path();
        let mut file = copy::temporary(path)?;
        self.pools.current().files.copy_into(file.as_file_mut())?;
        refuse_newer(file.path(), self.pools.migrator()).await?;
        undamaged(file.path()).await?;
        let log = beside(keep, "-wal");
        std::fs::rename(beside(path, "-wal"), &log)?;
        copy::keep(file, path, true)?;
        Ok(log)
    }

    async fn open_what_is_there(&self, replacing: &mut Replacing<'_>) -> Result<(), StoreError> {
        let path = self.pools.path();
        // An empty file would become a new journal.
        if !std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
            return self.pools.check().await;
        }
        let files = &self.pools.current().files;
        if files.database_changed() {
            // The log of the replaced file would be applied to the new one. The copy has what is in it.
            files.remove_log()?;
            refuse_newer(path, self.pools.migrator()).await?;
            undamaged(path).await?;
        }
        self.pools.replace(replacing, false, || Ok(())).await
    }
}

//! Erasing data for good: in the journal, in its search index, and in the backups beside it.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;

use crate::changes::record;
use crate::database::Journal;
use crate::error::StoreError;
use crate::identity::name;
use crate::{attachments, backup, evidence, search};

/// What is erased.
#[derive(Clone, Copy, Debug)]
enum Purged {
    Evidence(Id),
    Attachment(Id),
}

impl Journal {
    /// Erases body, raw bytes and title of a piece of evidence; id and digest stay. Freed pages are overwritten and the
    /// write-ahead log is truncated, so that no copy remains; the same is done in the backups beside the journal.
    pub async fn purge_evidence(&self, id: Id, now: Nanos, client: &str) -> Result<(), StoreError> {
        self.purge(Purged::Evidence(id), ("evidence", id), now, client).await
    }

    /// Erases the content of an attachment likewise; id, digest and places stay.
    pub async fn purge_attachment(&self, id: Id, now: Nanos, client: &str) -> Result<(), StoreError> {
        self.purge(Purged::Attachment(id), ("attachment", id), now, client).await
    }

    async fn purge(&self, what: Purged, (kind, id): (&str, Id), now: Nanos, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        erase(&mut transaction, what, now).await?;
        record(&mut transaction, kind, &id.to_string(), client).await?;
        transaction.commit().await?;
        self.pools.empty_wal().await?;
        let Some(directory) = self.pools.path().parent() else { return Ok(()) };
        for file in backup::all(directory) {
            if let Err(error) = erase_in(&file, what, now).await {
                tracing::warn!(%error, backup = %name(&file), "removed: data could not be erased from it");
                std::fs::remove_file(&file)?;
            }
        }
        Ok(())
    }
}

async fn erase(connection: &mut SqliteConnection, what: Purged, now: Nanos) -> Result<(), StoreError> {
    match what {
        Purged::Evidence(id) => {
            evidence::erase(connection, id, now).await?;
            search::erase(connection, id).await
        }
        Purged::Attachment(id) => attachments::erase(connection, id, now).await,
    }
}

async fn erase_in(backup: &Path, what: Purged, now: Nanos) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(backup).pragma("secure_delete", "ON");
    let mut connection = options.disable_statement_logging().connect().await?;
    let erased = erase(&mut connection, what, now).await;
    connection.close().await?;
    erased
}

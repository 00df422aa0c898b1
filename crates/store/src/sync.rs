//! Where the journal is published by git, and what both sides agreed on last.

use std::collections::BTreeMap;

use sqlx::{Row as _, SqliteConnection};

use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;

use crate::database::Journal;
use crate::error::StoreError;
use crate::sql::id_of;

const AGREED: &str = "agreed";
const PENDING: &str = "pending";

/// Where the journal is published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncPlace {
    /// Absolute path of the repository.
    pub repo: String,
    pub remote: String,
    pub branch: String,
    /// Relative to the root of the repository; empty for the root.
    pub folder: String,
}

/// The state of publishing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncState {
    pub place: SyncPlace,
    /// The commit that the journal agreed with last.
    pub agreed: Option<String>,
    /// A commit that was about to be pushed when the program ended.
    pub pending: Option<String>,
    pub synced_at: Option<Nanos>,
}

/// What both sides agreed on about one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncEntry {
    pub entry: Id,
    /// The stem of its file.
    pub file: String,
    /// A digest of its files there.
    pub print: String,
    /// A digest of what they were made from here; empty if this journal has more.
    pub inputs: String,
    pub title: String,
    pub week: Option<String>,
    /// The text as an import reads it.
    pub body: String,
}

impl Journal {
    /// Where the journal is published, and how far.
    pub async fn sync_state(&self) -> Result<Option<SyncState>, StoreError> {
        let row = sqlx::query("SELECT * FROM sync").fetch_optional(&self.pools.readers()).await?;
        Ok(row.map(|row| SyncState {
            place: SyncPlace {
                repo: row.get("repo"),
                remote: row.get("remote"),
                branch: row.get("branch"),
                folder: row.get("folder"),
            },
            agreed: row.get("agreed"),
            pending: row.get("pending"),
            synced_at: row.get::<Option<i64>, _>("synced_at").map(Nanos),
        }))
    }

    /// Remembers another place, with which nothing has been agreed.
    pub async fn set_sync_place(&self, place: &SyncPlace) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        forget(&mut transaction).await?;
        sqlx::query("INSERT INTO sync (one, repo, remote, branch, folder) VALUES (1, ?, ?, ?, ?)")
            .bind(&place.repo)
            .bind(&place.remote)
            .bind(&place.branch)
            .bind(&place.folder)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    /// Remembers another way to the place, with which the same was agreed.
    pub async fn move_sync_place(&self, repo: &str, remote: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("UPDATE sync SET repo = ?, remote = ?").bind(repo).bind(remote).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    /// Forgets what was agreed on with the branch, whose history was replaced by that of a commit.
    pub async fn disagree(&self, commit: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        drop_stage(&mut transaction, AGREED).await?;
        sqlx::query("UPDATE sync SET agreed = ?").bind(commit).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    /// Forgets the place; false if there was none.
    pub async fn forget_sync(&self) -> Result<bool, StoreError> {
        let mut transaction = self.pools.write().await?;
        let there = forget(&mut transaction).await?;
        transaction.commit().await?;
        Ok(there)
    }

    /// What was agreed on, by entry.
    pub async fn sync_entries(&self) -> Result<BTreeMap<Id, SyncEntry>, StoreError> {
        let rows = sqlx::query("SELECT * FROM sync_entry WHERE stage = ?")
            .bind(AGREED)
            .fetch_all(&self.pools.readers())
            .await?;
        rows.iter()
            .map(|row| {
                let entry = id_of(row.get("entry_id"))?;
                let base = SyncEntry {
                    entry,
                    file: row.get("file"),
                    print: row.get("print"),
                    inputs: row.get("inputs"),
                    title: row.get("title"),
                    week: row.get("week"),
                    body: row.get("body"),
                };
                Ok((entry, base))
            })
            .collect()
    }

    /// What one entry has in the branch was taken over.
    pub async fn agree_on(&self, entry: &SyncEntry) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        put(&mut transaction, AGREED, entry).await?;
        transaction.commit().await
    }

    /// One entry is no longer published.
    pub async fn agree_on_none(&self, entry: Id) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("DELETE FROM sync_entry WHERE stage = ? AND entry_id = ?")
            .bind(AGREED)
            .bind(entry.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    /// The branch is at a commit that this journal agrees with.
    pub async fn agreed_at(&self, commit: Option<&str>, now: Nanos) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("UPDATE sync SET agreed = ?, pending = NULL, synced_at = ?")
            .bind(commit)
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        drop_stage(&mut transaction, PENDING).await?;
        transaction.commit().await
    }

    /// A commit is about to be pushed, which makes `entries` of the published ones and leaves out `gone`.
    pub async fn about_to_push(&self, commit: &str, entries: &[SyncEntry], gone: &[Id]) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("UPDATE sync SET pending = ?").bind(commit).execute(&mut *transaction).await?;
        drop_stage(&mut transaction, PENDING).await?;
        for entry in entries {
            put(&mut transaction, PENDING, entry).await?;
        }
        for entry in gone {
            // A row without a file stands for an entry that the commit removes.
            let none = SyncEntry {
                entry: *entry,
                file: String::new(),
                print: String::new(),
                inputs: String::new(),
                title: String::new(),
                week: None,
                body: String::new(),
            };
            put(&mut transaction, PENDING, &none).await?;
        }
        transaction.commit().await
    }

    /// The pending commit has arrived, or, if not, is of no interest any more.
    pub async fn pushed(&self, arrived: bool, now: Nanos) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        if arrived {
            sqlx::query(
                "DELETE FROM sync_entry WHERE stage = ?1 AND entry_id IN (SELECT entry_id FROM sync_entry WHERE stage = ?2)",
            )
            .bind(AGREED)
            .bind(PENDING)
            .execute(&mut *transaction)
            .await?;
            sqlx::query("UPDATE sync_entry SET stage = ?1 WHERE stage = ?2 AND file != ''")
                .bind(AGREED)
                .bind(PENDING)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("UPDATE sync SET agreed = pending, synced_at = ?")
                .bind(now.0)
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query("UPDATE sync SET pending = NULL").execute(&mut *transaction).await?;
        drop_stage(&mut transaction, PENDING).await?;
        transaction.commit().await
    }
}

async fn forget(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    sqlx::query("DELETE FROM sync_entry").execute(&mut *connection).await?;
    Ok(sqlx::query("DELETE FROM sync").execute(connection).await?.rows_affected() > 0)
}

async fn drop_stage(connection: &mut SqliteConnection, stage: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sync_entry WHERE stage = ?").bind(stage).execute(connection).await?;
    Ok(())
}

async fn put(connection: &mut SqliteConnection, stage: &str, entry: &SyncEntry) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO sync_entry (stage, entry_id, file, print, inputs, title, week, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(stage)
    .bind(entry.entry.to_string())
    .bind(&entry.file)
    .bind(&entry.print)
    .bind(&entry.inputs)
    .bind(&entry.title)
    .bind(&entry.week)
    .bind(&entry.body)
    .execute(connection)
    .await?;
    Ok(())
}

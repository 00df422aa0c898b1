//! Files that Tracebook wrote or imported, to recognise changes by others.

use std::collections::BTreeMap;

use sqlx::Row as _;

use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;

use crate::database::Journal;
use crate::entries::IDS;
use crate::error::StoreError;
use crate::sql::id_of;

/// What an export of an entry was made from, and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastExport {
    /// A digest of what belongs to the entry.
    pub inputs: String,
    /// What it wrote, as JSON.
    pub outcome: String,
}

/// How long the last export to a folder is remembered.
const KEPT: Nanos = Nanos(400 * 24 * 3600 * 1_000_000_000);

impl Journal {
    /// The last exports to a directory, by entry.
    pub async fn last_exports(&self, root: &str) -> Result<BTreeMap<Id, LastExport>, StoreError> {
        let rows = sqlx::query("SELECT entry_id, inputs, outcome FROM last_export WHERE root = ?")
            .bind(root)
            .fetch_all(&self.pools.readers())
            .await?;
        let one = |row: &sqlx::sqlite::SqliteRow| {
            let last = LastExport { inputs: row.get("inputs"), outcome: row.get("outcome") };
            Ok((id_of(row.get("entry_id"))?, last))
        };
        rows.iter().map(one).collect()
    }

    /// Remembers exports to a directory instead of earlier ones.
    pub async fn remember_exports(
        &self,
        root: &str,
        exports: &[(Id, LastExport)],
        now: Nanos,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("DELETE FROM last_export WHERE exported_at < ?")
            .bind(now.0.saturating_sub(KEPT.0))
            .execute(&mut *transaction)
            .await?;
        for (entry, LastExport { inputs, outcome }) in exports {
            // An entry that was erased meanwhile has none.
            sqlx::query(sqlx::AssertSqlSafe(format!(
                "INSERT OR REPLACE INTO last_export (root, entry_id, inputs, outcome, exported_at)
                 SELECT ?, id, ?, ?, ? FROM ({IDS}) WHERE id = ?"
            )))
            .bind(root)
            .bind(inputs)
            .bind(outcome)
            .bind(now.0)
            .bind(entry.to_string())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// The SHA-256 (hex) of the files last written or imported under a directory, by relative path.
    pub async fn known_files(&self, root: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let rows = sqlx::query("SELECT path, sha256 FROM known_file WHERE root = ?")
            .bind(root)
            .fetch_all(&self.pools.readers())
            .await?;
        Ok(rows.into_iter().map(|r| (r.get("path"), r.get("sha256"))).collect())
    }

    /// The directories under which one of these relative paths was written or imported.
    pub async fn roots_of_file(&self, paths: [&str; 2]) -> Result<Vec<(String, String)>, StoreError> {
        let rows = sqlx::query("SELECT root, path FROM known_file WHERE path IN (?, ?) ORDER BY root, path")
            .bind(paths[0])
            .bind(paths[1])
            .fetch_all(&self.pools.readers())
            .await?;
        Ok(rows.into_iter().map(|r| (r.get("root"), r.get("path"))).collect())
    }

    /// Remembers files by relative path and SHA-256 (hex).
    pub async fn remember_files(&self, root: &str, files: &[(String, String)]) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        for (path, sha256) in files {
            sqlx::query("INSERT INTO known_file (root, path, sha256) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sha256 = excluded.sha256")
                .bind(root)
                .bind(path)
                .bind(sha256)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }
}

//! Which files are as we left them.

use std::collections::BTreeMap;

use sqlx::Row as _;

use crate::error::StoreError;
use crate::open::Journal;

impl Journal {
    /// The SHA-256 (hex) of every file that we last wrote or imported under a folder, by relative path.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn known_files(&self, root: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let rows = sqlx::query("SELECT path, sha256 FROM known_file WHERE root = ?")
            .bind(root)
            .fetch_all(&self.pools.readers)
            .await?;
        Ok(rows.into_iter().map(|r| (r.get("path"), r.get("sha256"))).collect())
    }

    /// Remembers files as ours: relative path and SHA-256 (hex).
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
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
        Ok(transaction.commit().await?)
    }
}

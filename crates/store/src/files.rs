//! Files that Tracebook wrote or imported, to recognise changes by others.

use std::collections::BTreeMap;

use sqlx::Row as _;

use crate::database::Journal;
use crate::error::StoreError;

impl Journal {
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

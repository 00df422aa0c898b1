//! Evidence: immutable once written.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;

use crate::entries::id_of;
use crate::error::StoreError;
use crate::open::Journal;
use crate::watch::tell;

/// Evidence in a list.
#[derive(Clone, Debug)]
pub struct EvidenceRecord {
    /// Its id.
    pub id: Id,
    /// Its kind.
    pub kind: Kind,
    /// What it is called.
    pub title: String,
    /// `sha256:…` of its canonical JSON.
    pub digest: String,
    /// When it was frozen.
    pub captured_at: Nanos,
    /// Slugs of the entries (not in the bin) that show it.
    pub entries: Vec<String>,
    /// Whether it is in the bin.
    pub deleted: bool,
    /// Whether its data was erased for good.
    pub purged: bool,
}

/// zstd's own default: evidence is text, and written once.
const LEVEL: i32 = 3;

const SELECT: &str = "SELECT e.id, e.kind, e.title, e.digest, e.captured_at, e.deleted_at, e.purged_at,
    (SELECT json_group_array(slug) FROM (SELECT n.slug FROM placement p JOIN entry n ON n.id = p.entry_id
        WHERE p.evidence_id = e.id AND n.deleted_at IS NULL ORDER BY n.slug)) AS entries
    FROM evidence e";

impl Journal {
    /// Writes frozen evidence with its raw bytes, as one transaction. Writing what is there already
    /// changes nothing, and a tombstone stays one.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn add_evidence(&self, frozen: &Frozen, raw: &[u8], client: &str) -> Result<(), StoreError> {
        let canonical = zstd::encode_all(frozen.canonical.as_bytes(), LEVEL)?;
        let raw = if raw.is_empty() { None } else { Some(zstd::encode_all(raw, LEVEL)?) };
        let id = frozen.evidence.id.to_string();
        let mut transaction = self.pools.write().await?;
        sqlx::query(
            "INSERT INTO evidence (id, kind, title, digest, captured_at, canonical, raw) VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
        )
        .bind(&id)
        .bind(frozen.evidence.body.kind().word())
        .bind(frozen.evidence.title())
        .bind(&frozen.digest)
        .bind(frozen.evidence.provenance.captured_at.0)
        .bind(canonical)
        .bind(raw)
        .execute(&mut *transaction)
        .await?;
        tell(&mut transaction, "evidence", &id, client).await?;
        Ok(transaction.commit().await?)
    }

    /// Evidence as it was frozen; `None` where there is none or it was purged.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where what is stored does not read back.
    pub async fn evidence(&self, id: Id) -> Result<Option<Frozen>, StoreError> {
        let row = sqlx::query("SELECT canonical, digest FROM evidence WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.pools.readers)
            .await?;
        let Some(canonical) = row.as_ref().and_then(|r| r.get::<Option<Vec<u8>>, _>("canonical")) else {
            return Ok(None);
        };
        let text = zstd::decode_all(&canonical[..])?;
        let text = String::from_utf8(text).map_err(|e| StoreError::Damaged(format!("evidence {id}: {e}")))?;
        let frozen = Frozen::read(&text).map_err(|e| StoreError::Damaged(format!("evidence {id}: {e}")))?;
        let stored: String = row.map(|r| r.get("digest")).unwrap_or_default();
        match frozen.digest == stored {
            true => Ok(Some(frozen)),
            false => Err(StoreError::Damaged(format!("evidence {id} has not the digest it was stored with"))),
        }
    }

    /// What was received, as stored at the capture; empty where there is none.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn evidence_raw(&self, id: Id) -> Result<Vec<u8>, StoreError> {
        let row = sqlx::query("SELECT raw FROM evidence WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.pools.readers)
            .await?;
        match row.and_then(|r| r.get::<Option<Vec<u8>>, _>("raw")) {
            Some(raw) => Ok(zstd::decode_all(&raw[..])?),
            None => Ok(Vec::new()),
        }
    }

    /// One row, those in the bin and tombstones too.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn evidence_record(&self, id: Id) -> Result<Option<EvidenceRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE e.id = ?"));
        let row = sqlx::query(sql).bind(id.to_string()).fetch_optional(&self.pools.readers).await?;
        row.as_ref().map(record_of).transpose()
    }

    /// Evidence that an entry shows, or all that is not in the bin, newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn evidence_records(&self, entry: Option<Id>) -> Result<Vec<EvidenceRecord>, StoreError> {
        let sql = match entry {
            Some(_) => format!(
                "{SELECT} WHERE e.id IN (SELECT evidence_id FROM placement WHERE entry_id = ?) ORDER BY e.captured_at DESC, e.id DESC"
            ),
            None => {
                format!("{SELECT} WHERE e.deleted_at IS NULL AND ?1 IS NULL ORDER BY e.captured_at DESC, e.id DESC")
            }
        };
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(entry.map(|id| id.to_string()))
            .fetch_all(&self.pools.readers)
            .await?;
        rows.iter().map(record_of).collect()
    }

    /// Puts evidence into the bin (`Some`) or takes it out (`None`).
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn bin_evidence(&self, id: Id, deleted: Option<Nanos>, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("UPDATE evidence SET deleted_at = ? WHERE id = ?")
            .bind(deleted.map(|n| n.0))
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        tell(&mut transaction, "evidence", &id.to_string(), client).await?;
        Ok(transaction.commit().await?)
    }

    /// Erases body, raw and title for good and leaves a tombstone. Freed pages are overwritten, and the
    /// write-ahead log is emptied so that no copy stays there.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn purge_evidence(&self, id: Id, now: Nanos, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query(
            "UPDATE evidence SET canonical = NULL, raw = NULL, title = '(purged)', purged_at = ?1,
             deleted_at = coalesce(deleted_at, ?1) WHERE id = ?2",
        )
        .bind(now.0)
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await?;
        tell(&mut transaction, "evidence", &id.to_string(), client).await?;
        transaction.commit().await?;
        self.pools.empty_log().await
    }
}

fn record_of(row: &SqliteRow) -> Result<EvidenceRecord, StoreError> {
    let kind: String = row.get("kind");
    let entries: String = row.get("entries");
    Ok(EvidenceRecord {
        id: id_of(row.get("id"))?,
        kind: kind.parse().map_err(StoreError::Damaged)?,
        title: row.get("title"),
        digest: row.get("digest"),
        captured_at: Nanos(row.get("captured_at")),
        entries: serde_json::from_str(&entries).map_err(|e| StoreError::Damaged(e.to_string()))?,
        deleted: row.get::<Option<i64>, _>("deleted_at").is_some(),
        purged: row.get::<Option<i64>, _>("purged_at").is_some(),
    })
}

//! Evidence: immutable once written.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use tracebook_core::canonical::digest;
use tracebook_core::doubts::{self, Doubt};
use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;

use crate::changes::record;
use crate::database::Journal;
use crate::entries::{SHOWN, slugs_showing};
use crate::error::StoreError;
use crate::sql::{from_json, id_of, to_json};

/// Evidence in a list.
#[derive(Clone, Debug)]
pub struct EvidenceRecord {
    pub id: Id,
    pub kind: Kind,
    pub title: String,
    /// `sha256:…` of its canonical JSON.
    pub digest: String,
    /// When it was frozen.
    pub captured_at: Nanos,
    /// Slugs of the entries that show it, without those in the bin.
    pub entries: Vec<String>,
    /// Whether it is in the bin.
    pub deleted: bool,
    /// Whether its data was erased.
    pub purged: bool,
    /// When it was imported; `None` for what this journal captured.
    pub imported_at: Option<Nanos>,
    /// What contradicted it when it was imported.
    pub doubts: Vec<Doubt>,
}

/// What is stored of an import with the evidence.
#[derive(Clone, Copy, Debug)]
pub struct ImportedAt<'a> {
    pub time: Nanos,
    pub doubts: &'a [Doubt],
}

/// What can change about evidence, and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceState {
    /// `sha256:…` of its canonical JSON.
    pub digest: String,
    /// Whether it is in the bin.
    pub deleted: bool,
    /// Whether its data was erased.
    pub purged: bool,
    /// What contradicted it when it was imported.
    pub doubts: Vec<Doubt>,
}

/// The default of zstd: evidence is text, and written once.
const LEVEL: i32 = 3;

/// From this number of bytes, encoding takes longer than starting a thread for it.
const LARGE: usize = 256 * 1024;

/// SQL: ids and titles of all evidence.
pub(crate) const TITLES: &str = "SELECT id, title FROM evidence";

/// SQL: the ids of evidence that is neither purged nor in the bin.
pub(crate) const AVAILABLE: &str = "SELECT id FROM evidence WHERE canonical IS NOT NULL AND deleted_at IS NULL";

/// SQL: the ids of evidence that is not purged.
pub(crate) const STORED: &str = "SELECT id FROM evidence WHERE canonical IS NOT NULL";

fn select(condition: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!(
        "SELECT e.id, e.kind, e.title, e.digest, e.captured_at, e.deleted_at, e.purged_at, e.imported_at, e.doubts,
         ({}) AS entries
         FROM evidence e WHERE {condition}",
        slugs_showing("e.id")
    ))
}

impl Journal {
    /// Writes frozen evidence with its raw bytes, as one transaction. Writing an id again changes nothing, also if it
    /// was purged.
    pub async fn add_evidence(&self, frozen: &Frozen, raw: &[u8], client: &str) -> Result<(), StoreError> {
        self.write_evidence(frozen, raw, None, client).await
    }

    /// Writes evidence from a file, which has no raw bytes. As [`Journal::add_evidence`].
    pub async fn import_evidence(
        &self,
        frozen: &Frozen,
        imported: ImportedAt<'_>,
        client: &str,
    ) -> Result<(), StoreError> {
        self.write_evidence(frozen, &[], Some(imported), client).await
    }

    /// Adds doubts to evidence that was imported; those about evidence that was captured here are ignored. True if
    /// there were new ones.
    pub async fn doubt_evidence(&self, id: Id, more: &[Doubt], client: &str) -> Result<bool, StoreError> {
        let mut transaction = self.pools.write().await?;
        let row = sqlx::query("SELECT doubts FROM evidence WHERE id = ? AND imported_at IS NOT NULL")
            .bind(id.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(false) };
        let mut known = doubts_of(&row)?;
        if !doubts::add(&mut known, more.iter().cloned()) {
            return Ok(false);
        }
        sqlx::query("UPDATE evidence SET doubts = ? WHERE id = ?")
            .bind(to_json(&known)?)
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        record(&mut transaction, "evidence", &id.to_string(), client).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn write_evidence(
        &self,
        frozen: &Frozen,
        raw: &[u8],
        imported: Option<ImportedAt<'_>>,
        client: &str,
    ) -> Result<(), StoreError> {
        let doubts = imported.map(|imported| to_json(&imported.doubts)).transpose()?;
        let encode = |bytes: &[u8]| zstd::encode_all(bytes, LEVEL);
        // Both are large where one is.
        let (canonical, raw) = std::thread::scope(|scope| {
            let raw = (raw.len() > LARGE).then(|| scope.spawn(|| encode(raw))).ok_or(raw);
            let canonical = encode(frozen.canonical.as_bytes());
            let raw = match raw {
                Ok(raw) => raw.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).map(Some),
                Err([]) => Ok(None),
                Err(raw) => encode(raw).map(Some),
            };
            (canonical, raw)
        });
        let (canonical, raw) = (canonical?, raw?);
        let id = frozen.evidence.id.to_string();
        let mut transaction = self.pools.write().await?;
        sqlx::query(
            "INSERT INTO evidence (id, kind, title, digest, captured_at, canonical, raw, imported_at, doubts)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(&id)
        .bind(frozen.evidence.body.kind().word())
        .bind(frozen.evidence.title())
        .bind(&frozen.digest)
        .bind(frozen.evidence.provenance.captured_at.0)
        .bind(canonical)
        .bind(raw)
        .bind(imported.map(|imported| imported.time.0))
        .bind(doubts)
        .execute(&mut *transaction)
        .await?;
        record(&mut transaction, "evidence", &id, client).await?;
        transaction.commit().await
    }

    /// Evidence as it was frozen; `None` if there is none or it was purged.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the digest does not match or the data cannot be decoded.
    pub async fn evidence(&self, id: Id) -> Result<Option<Frozen>, StoreError> {
        let row = sqlx::query("SELECT canonical, digest FROM evidence WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.pools.readers())
            .await?;
        let Some(canonical) = row.as_ref().and_then(|r| r.get::<Option<Vec<u8>>, _>("canonical")) else {
            return Ok(None);
        };
        let frozen = frozen(&canonical).map_err(|e| StoreError::Damaged(format!("evidence {id}: {e}")))?;
        let stored: String = row.map(|r| r.get("digest")).unwrap_or_default();
        match frozen.digest == stored {
            true => Ok(Some(frozen)),
            false => Err(StoreError::Damaged(format!("evidence {id} does not match its stored digest"))),
        }
    }

    /// The digest of evidence as it is stored, computed from what reads back; `None` if there is none or it was purged.
    pub async fn stored_digest(&self, id: Id) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT canonical FROM evidence WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.pools.readers())
            .await?;
        let canonical = row.and_then(|row| row.get::<Option<Vec<u8>>, _>("canonical"));
        canonical.map(|canonical| Ok(digest(&decoded(&canonical)?))).transpose()
    }

    /// The received bytes, as stored with the capture; empty if there are none.
    pub async fn evidence_raw(&self, id: Id) -> Result<Vec<u8>, StoreError> {
        let row = sqlx::query("SELECT raw FROM evidence WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.pools.readers())
            .await?;
        match row.and_then(|r| r.get::<Option<Vec<u8>>, _>("raw")) {
            Some(raw) => decoded(&raw),
            None => Ok(Vec::new()),
        }
    }

    /// The state of all evidence, by its id.
    pub async fn evidence_states(&self) -> Result<HashMap<Id, EvidenceState>, StoreError> {
        let rows = sqlx::query("SELECT id, digest, deleted_at, purged_at, doubts FROM evidence")
            .fetch_all(&self.pools.readers())
            .await?;
        let one = |row: &SqliteRow| {
            let state = EvidenceState {
                digest: row.get("digest"),
                deleted: row.get::<Option<i64>, _>("deleted_at").is_some(),
                purged: row.get::<Option<i64>, _>("purged_at").is_some(),
                doubts: doubts_of(row)?,
            };
            Ok((id_of(row.get("id"))?, state))
        };
        rows.iter().map(one).collect()
    }

    /// One row, even if it is in the bin or purged.
    pub async fn evidence_record(&self, id: Id) -> Result<Option<EvidenceRecord>, StoreError> {
        let row = sqlx::query(select("e.id = ?")).bind(id.to_string()).fetch_optional(&self.pools.readers()).await?;
        row.as_ref().map(record_of).transpose()
    }

    /// Evidence that an entry shows, or all that is not in the bin, newest first.
    pub async fn evidence_records(&self, entry: Option<Id>) -> Result<Vec<EvidenceRecord>, StoreError> {
        let which = match entry {
            Some(_) => format!("e.id IN ({SHOWN})"),
            None => "e.deleted_at IS NULL AND ?1 IS NULL".to_owned(),
        };
        let rows = sqlx::query(select(&format!("{which} ORDER BY e.captured_at DESC, e.id DESC")))
            .bind(entry.map(|id| id.to_string()))
            .fetch_all(&self.pools.readers())
            .await?;
        rows.iter().map(record_of).collect()
    }

    /// Evidence in the bin that can be restored, newest first.
    pub async fn binned_evidence(&self) -> Result<Vec<EvidenceRecord>, StoreError> {
        let which = "e.deleted_at IS NOT NULL AND e.purged_at IS NULL ORDER BY e.captured_at DESC, e.id DESC";
        let rows = sqlx::query(select(which)).fetch_all(&self.pools.readers()).await?;
        rows.iter().map(record_of).collect()
    }

    /// Puts evidence into the bin (`Some`) or takes it out (`None`).
    pub async fn bin_evidence(&self, id: Id, deleted: Option<Nanos>, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("UPDATE evidence SET deleted_at = ? WHERE id = ?")
            .bind(deleted.map(|n| n.0))
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        record(&mut transaction, "evidence", &id.to_string(), client).await?;
        transaction.commit().await
    }
}

/// Decodes evidence from its column.
pub(crate) fn frozen(canonical: &[u8]) -> Result<Frozen, StoreError> {
    let text = String::from_utf8(decoded(canonical)?).map_err(|e| StoreError::Damaged(e.to_string()))?;
    Frozen::read(&text).map_err(|e| StoreError::Damaged(e.to_string()))
}

pub(crate) fn decoded(column: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::decode_all(column).map_err(|e| StoreError::Damaged(e.to_string()))
}

/// The evidence that does not have its digest any more: SQLite does not check what is in a row.
pub(crate) async fn unreadable(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let row = sqlx::query(
            "SELECT id, digest, canonical FROM evidence WHERE id > ? AND canonical IS NOT NULL ORDER BY id LIMIT 1",
        )
        .bind(&after)
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else { return Ok(found) };
        let digest: String = row.get("digest");
        after = row.get("id");
        if !frozen(row.get("canonical")).is_ok_and(|frozen| frozen.digest == digest) {
            found.push(format!("evidence {after} does not match its digest"));
        }
    }
}

/// Erases the data of a piece of evidence in a database.
pub(crate) async fn erase(connection: &mut SqliteConnection, id: Id, now: Nanos) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE evidence SET canonical = NULL, raw = NULL, title = '(purged)', purged_at = ?1,
         deleted_at = coalesce(deleted_at, ?1) WHERE id = ?2",
    )
    .bind(now.0)
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(())
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
        entries: from_json(&entries)?,
        deleted: row.get::<Option<i64>, _>("deleted_at").is_some(),
        purged: row.get::<Option<i64>, _>("purged_at").is_some(),
        imported_at: row.get::<Option<i64>, _>("imported_at").map(Nanos),
        doubts: doubts_of(row)?,
    })
}

fn doubts_of(row: &SqliteRow) -> Result<Vec<Doubt>, StoreError> {
    row.get::<Option<String>, _>("doubts").map_or(Ok(Vec::new()), |json| from_json(&json))
}

//! Pictures of entries: stored once by content, and the places at which texts show them.

use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;

use crate::changes::record;
use crate::database::{Journal, Write};
use crate::entries::LISTED;
use crate::error::StoreError;
use crate::sql::{id_of, signed, unsigned};

/// A place at which an entry shows an attachment. Both paths are relative to the folder of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub entry: Id,
    /// What the text names.
    pub link: String,
    /// The file in an export.
    pub path: String,
}

/// An attachment to store.
#[derive(Clone, Debug)]
pub struct NewAttachment {
    /// Used if the content is not stored yet.
    pub id: Id,
    pub name: String,
    pub media: String,
    pub bytes: Vec<u8>,
    /// Width and height in pixels, if known.
    pub size: Option<(u32, u32)>,
    pub place: Place,
}

/// What became of a [`NewAttachment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// Stored, or stored before.
    Here(Id),
    /// It was in the bin and was restored.
    Restored(Id),
    /// Its data was erased before, and it was not stored again.
    Purged(Id),
}

/// An attachment in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentRecord {
    pub id: Id,
    pub name: String,
    /// Media type.
    pub media: String,
    /// In hex digits.
    pub sha256: String,
    pub length: u64,
    /// Width and height in pixels, if known.
    pub size: Option<(u32, u32)>,
    pub created_at: Nanos,
    /// Whether it is in the bin.
    pub deleted: bool,
    /// Whether its data was erased.
    pub purged: bool,
    /// Where entries show it, with their slugs, without those in the bin.
    pub places: Vec<(Place, String)>,
}

/// Whose attachments, or which of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those of an entry, also in the bin.
    Of(Id),
    /// All that are not in the bin.
    All,
    /// Those in the bin that can be restored.
    InBin,
}

const COLUMNS: &str = "id, name, media, sha256, length, width, height, created_at, deleted_at, purged_at";

impl Journal {
    /// Stores attachments and their places, as one transaction. Content that is known is not stored again; if its data
    /// was erased, it is stored only if `again`. A place that an entry has already shows the new attachment.
    pub async fn attach(
        &self,
        new: &[NewAttachment],
        again: bool,
        now: Nanos,
        client: &str,
    ) -> Result<Vec<Attached>, StoreError> {
        let mut transaction = self.pools.write().await?;
        let mut stored = Vec::with_capacity(new.len());
        for new in new {
            let attached = store(&mut transaction, new, again, now).await?;
            let id = match attached {
                Attached::Here(id) | Attached::Restored(id) => id,
                Attached::Purged(_) => {
                    stored.push(attached);
                    continue;
                }
            };
            place(&mut transaction, &new.place, id, now).await?;
            record(&mut transaction, "attachment", &id.to_string(), client).await?;
            stored.push(attached);
        }
        transaction.commit().await?;
        Ok(stored)
    }

    /// The attachment at a place of an entry, or at the same place of another one; newest first.
    pub async fn attached_at(&self, entry: Id, link: &str) -> Result<Option<(Id, String)>, StoreError> {
        let row = sqlx::query(
            "SELECT attachment_id, path FROM attached WHERE link = ? ORDER BY entry_id = ? DESC, added_at DESC LIMIT 1",
        )
        .bind(link)
        .bind(entry.to_string())
        .fetch_optional(&self.pools.readers())
        .await?;
        row.map(|row| Ok((id_of(row.get("attachment_id"))?, row.get("path")))).transpose()
    }

    /// The paths of an entry's pictures in exports, also while it is in the bin.
    pub async fn attached_paths_of(&self, entry: Id) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT DISTINCT path FROM attached WHERE entry_id = ? ORDER BY path")
            .bind(entry.to_string())
            .fetch_all(&self.pools.readers())
            .await?;
        Ok(rows.into_iter().map(|row| row.get("path")).collect())
    }

    /// Every path that is in use in exports.
    pub async fn attached_paths(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT DISTINCT path FROM attached").fetch_all(&self.pools.readers()).await?;
        Ok(rows.into_iter().map(|row| row.get("path")).collect())
    }

    /// How many attachments an entry has.
    pub async fn attachment_count(&self, entry: Id) -> Result<u64, StoreError> {
        let count = sqlx::query_scalar("SELECT count(*) FROM attached WHERE entry_id = ?")
            .bind(entry.to_string())
            .fetch_one(&self.pools.readers())
            .await?;
        Ok(unsigned(count))
    }

    /// An attachment by the digest of its content, also if it is in the bin or was erased.
    pub async fn attachment_by_content(&self, sha256: &str) -> Result<Option<AttachmentRecord>, StoreError> {
        self.one_attachment("sha256 = ?", sha256).await
    }

    /// One attachment, also if it is in the bin or was erased.
    pub async fn attachment(&self, id: Id) -> Result<Option<AttachmentRecord>, StoreError> {
        self.one_attachment("id = ?", &id.to_string()).await
    }

    async fn one_attachment(&self, condition: &str, value: &str) -> Result<Option<AttachmentRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM attachment WHERE {condition}");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(value).fetch_optional(&self.pools.readers()).await?;
        let Some(row) = row else { return Ok(None) };
        let mut record = record_of(&row)?;
        self.add_places(std::slice::from_mut(&mut record)).await?;
        Ok(Some(record))
    }

    /// Attachments, newest first.
    pub async fn attachments(&self, which: Which) -> Result<Vec<AttachmentRecord>, StoreError> {
        let (condition, entry) = match which {
            Which::Of(entry) => {
                ("id IN (SELECT attachment_id FROM attached WHERE entry_id = ?)", Some(entry.to_string()))
            }
            Which::All => ("deleted_at IS NULL AND ?1 IS NULL", None),
            Which::InBin => ("deleted_at IS NOT NULL AND purged_at IS NULL AND ?1 IS NULL", None),
        };
        let sql = format!("SELECT {COLUMNS} FROM attachment WHERE {condition} ORDER BY created_at DESC, id DESC");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(entry).fetch_all(&self.pools.readers()).await?;
        let mut records = rows.iter().map(record_of).collect::<Result<Vec<_>, _>>()?;
        self.add_places(&mut records).await?;
        Ok(records)
    }

    async fn add_places(&self, records: &mut [AttachmentRecord]) -> Result<(), StoreError> {
        let one = match records {
            [] => return Ok(()),
            [one] => Some(one.id.to_string()),
            _ => None,
        };
        let sql = format!(
            "SELECT a.attachment_id, a.entry_id, a.link, a.path, n.slug FROM attached a JOIN ({LISTED}) n ON n.id = a.entry_id
             WHERE ?1 IS NULL OR a.attachment_id = ?1 ORDER BY n.slug, a.link"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(one).fetch_all(&self.pools.readers()).await?;
        let mut by_id: std::collections::HashMap<Id, Vec<(Place, String)>> = std::collections::HashMap::new();
        for row in rows {
            let place = Place { entry: id_of(row.get("entry_id"))?, link: row.get("link"), path: row.get("path") };
            by_id.entry(id_of(row.get("attachment_id"))?).or_default().push((place, row.get("slug")));
        }
        for record in records {
            record.places = by_id.remove(&record.id).unwrap_or_default();
        }
        Ok(())
    }

    /// The content of an attachment; `None` if there is none, or its data was erased.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it does not have its digest any more.
    pub async fn attachment_bytes(&self, id: Id) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT bytes, sha256 FROM attachment WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.pools.readers())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(bytes) = row.get::<Option<Vec<u8>>, _>("bytes") else { return Ok(None) };
        match sha256(&bytes) == row.get::<String, _>("sha256") {
            true => Ok(Some(bytes)),
            false => Err(StoreError::Damaged(format!("attachment {id} does not match its digest"))),
        }
    }

    /// Puts an attachment into the bin (`Some`) or takes it out (`None`).
    pub async fn bin_attachment(&self, id: Id, deleted: Option<Nanos>, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("UPDATE attachment SET deleted_at = ? WHERE id = ?")
            .bind(deleted.map(|n| n.0))
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        record(&mut transaction, "attachment", &id.to_string(), client).await?;
        transaction.commit().await
    }
}

/// Erases the content of an attachment in a database. A backup of an earlier version has no attachments.
pub(crate) async fn erase(connection: &mut SqliteConnection, id: Id, now: Nanos) -> Result<(), StoreError> {
    let known: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pragma_table_info('attachment')").fetch_one(&mut *connection).await?;
    if known == 0 {
        return Ok(());
    }
    sqlx::query(
        "UPDATE attachment SET bytes = NULL, name = '(purged)', purged_at = ?1, deleted_at = coalesce(deleted_at, ?1)
         WHERE id = ?2",
    )
    .bind(now.0)
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

async fn store(transaction: &mut Write, new: &NewAttachment, again: bool, now: Nanos) -> Result<Attached, StoreError> {
    let sha256 = sha256(&new.bytes);
    let row = sqlx::query("SELECT id, deleted_at, purged_at FROM attachment WHERE sha256 = ?")
        .bind(&sha256)
        .fetch_optional(&mut **transaction)
        .await?;
    let Some(row) = row else {
        sqlx::query(
            "INSERT INTO attachment (id, sha256, name, media, length, created_at, bytes, width, height)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(new.id.to_string())
        .bind(&sha256)
        .bind(&new.name)
        .bind(&new.media)
        .bind(signed(new.bytes.len() as u64))
        .bind(now.0)
        .bind(&new.bytes)
        .bind(new.size.map(|(width, _)| width))
        .bind(new.size.map(|(_, height)| height))
        .execute(&mut **transaction)
        .await?;
        return Ok(Attached::Here(new.id));
    };
    let id = id_of(row.get("id"))?;
    let in_bin = row.get::<Option<i64>, _>("deleted_at").is_some();
    match row.get::<Option<i64>, _>("purged_at") {
        Some(_) if !again => return Ok(Attached::Purged(id)),
        Some(_) => {
            sqlx::query("UPDATE attachment SET bytes = ?, name = ?, deleted_at = NULL, purged_at = NULL WHERE id = ?")
                .bind(&new.bytes)
                .bind(&new.name)
                .bind(id.to_string())
                .execute(&mut **transaction)
                .await?;
            return Ok(Attached::Here(id));
        }
        None => {}
    }
    if !in_bin {
        return Ok(Attached::Here(id));
    }
    sqlx::query("UPDATE attachment SET deleted_at = NULL WHERE id = ?")
        .bind(id.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(Attached::Restored(id))
}

async fn place(transaction: &mut Write, place: &Place, id: Id, now: Nanos) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO attached (entry_id, link, path, attachment_id, added_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET path = excluded.path, attachment_id = excluded.attachment_id,
           added_at = excluded.added_at",
    )
    .bind(place.entry.to_string())
    .bind(&place.link)
    .bind(&place.path)
    .bind(id.to_string())
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn record_of(row: &SqliteRow) -> Result<AttachmentRecord, StoreError> {
    Ok(AttachmentRecord {
        id: id_of(row.get("id"))?,
        name: row.get("name"),
        media: row.get("media"),
        sha256: row.get("sha256"),
        length: unsigned(row.get("length")),
        size: row.get::<Option<u32>, _>("width").zip(row.get::<Option<u32>, _>("height")),
        created_at: Nanos(row.get("created_at")),
        deleted: row.get::<Option<i64>, _>("deleted_at").is_some(),
        purged: row.get::<Option<i64>, _>("purged_at").is_some(),
        places: Vec::new(),
    })
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

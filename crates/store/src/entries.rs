//! Entries, their revisions, the evidence they show, and dismissed slots.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use tracebook_core::entry::{Entry, EntryRow, Revision};
use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;

use crate::changes::record;
use crate::database::{Journal, Write};
use crate::error::StoreError;
use crate::sql::id_of;

/// SQL: the ids of all entries.
pub(crate) const IDS: &str = "SELECT id FROM entry";

/// SQL: the evidence that an entry shows.
pub(crate) const SHOWN: &str = "SELECT evidence_id FROM placement WHERE entry_id = ?";

/// SQL: ids and titles of all entries.
pub(crate) const TITLES: &str = "SELECT id, title FROM entry";

/// SQL: ids and slugs of the entries that are not in the bin.
pub(crate) const LISTED: &str = "SELECT id, slug FROM entry WHERE deleted_at IS NULL";

/// SQL: ids of all entries, and when each was changed.
pub(crate) const VERSIONS: &str = "SELECT id, updated_at AS version FROM entry";

/// SQL: how many revisions there are.
pub(crate) const REVISIONS: &str = "SELECT count(*) FROM revision";

/// SQL: the slugs of the entries that show evidence, without those in the bin, as a JSON array.
pub(crate) fn slugs_showing(evidence_id: &str) -> String {
    format!(
        "SELECT json_group_array(slug) FROM (SELECT n.slug FROM placement p JOIN entry n ON n.id = p.entry_id
           WHERE p.evidence_id = {evidence_id} AND n.deleted_at IS NULL ORDER BY n.slug)"
    )
}

/// In nanoseconds.
const QUARTER: i64 = 900_000_000_000;
const DAY: i64 = 96 * QUARTER;

/// Checks that a database is a journal.
///
/// # Errors
/// If it has no entries, not even none.
pub(crate) async fn is_journal(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT id, slug, body FROM entry LIMIT 1").fetch_optional(connection).await?;
    Ok(())
}

/// A new entry.
#[derive(Clone, Debug)]
pub struct NewEntry {
    pub id: Id,
    /// The preferred slug; `-2`, `-3`, … is appended if it is taken.
    pub slug: String,
    pub week: Option<String>,
    pub title: String,
    pub body: String,
    /// The stem of the file that it was imported from.
    pub file: Option<String>,
    /// The evidence that the text shows.
    pub shows: Vec<Id>,
    /// The reason of the first revision: `new`, `import`.
    pub reason: String,
}

/// A change of the text of an entry.
#[derive(Clone, Debug)]
pub struct TextWrite {
    pub id: Id,
    /// The revision that was edited; `None` overwrites any revision.
    pub base: Option<i64>,
    /// The whole new text.
    pub body: String,
    /// The evidence that the text shows.
    pub shows: Vec<Id>,
    /// Keep the new text as a revision, for this reason.
    pub keep: Option<String>,
}

/// What an entry has in every journal that shares it.
#[derive(Clone, Debug)]
pub struct SharedNames {
    /// The stem of its file.
    pub file: String,
    /// `None` keeps the one that it has.
    pub slug: Option<String>,
    /// By which entries of a week are ordered; `None` keeps it.
    pub created_at: Option<Nanos>,
}

/// The result of a [`TextWrite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextWritten {
    /// It is the current text, with this revision number.
    Accepted(i64),
    /// Its base is not the current revision: the current text stays, and the new one is kept as a revision.
    Kept {
        /// Revision number of the current text.
        current: i64,
        /// Revision number of the kept text.
        kept: i64,
    },
}

impl Journal {
    /// All entries by week in the order of the course, then by age; or those in the bin, the last deleted first.
    pub async fn entries(&self, deleted: bool) -> Result<Vec<EntryRow>, StoreError> {
        let sql = if deleted {
            "SELECT id, slug, week, title, updated_at FROM entry WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC"
        } else {
            "SELECT id, slug, week, title, updated_at FROM entry WHERE deleted_at IS NULL
             ORDER BY week IS NULL, week = 'X', cast(week AS INTEGER), created_at, id"
        };
        sqlx::query(sql).fetch_all(&self.pools.readers()).await?.iter().map(row_of).collect()
    }

    /// An entry by id or slug, also if it is in the bin.
    pub async fn entry(&self, reference: &str) -> Result<Option<Entry>, StoreError> {
        let sql = "SELECT id, slug, week, title, body, revision, updated_at FROM entry
                   WHERE id = ?1 OR slug = ?1 ORDER BY deleted_at IS NOT NULL LIMIT 1";
        match sqlx::query(sql).bind(reference).fetch_optional(&self.pools.readers()).await? {
            Some(row) => Ok(Some(entry_of(&row)?)),
            None => Ok(None),
        }
    }

    /// The stems of the files that entries were imported from, including entries in the bin.
    pub async fn entry_files(&self) -> Result<HashMap<Id, String>, StoreError> {
        let rows =
            sqlx::query("SELECT id, file FROM entry WHERE file IS NOT NULL").fetch_all(&self.pools.readers()).await?;
        rows.iter().map(|row| Ok((id_of(row.get("id"))?, row.get("file")))).collect()
    }

    pub async fn entry_in_bin(&self, id: Id) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM entry WHERE id = ? AND deleted_at IS NOT NULL")
            .bind(id.to_string())
            .fetch_optional(&self.pools.readers())
            .await?;
        Ok(row.is_some())
    }

    /// Creates an entry and its first revision.
    pub async fn add_entry(&self, new: &NewEntry, now: Nanos, client: &str) -> Result<Entry, StoreError> {
        let mut transaction = self.pools.write().await?;
        let slug = free_slug(&mut transaction, &new.slug).await?;
        sqlx::query(
            "INSERT INTO entry (id, slug, week, title, body, revision, last_revision, created_at, updated_at, file)
             VALUES (?, ?, ?, ?, ?, 1, 1, ?, ?, ?)",
        )
        .bind(new.id.to_string())
        .bind(&slug)
        .bind(&new.week)
        .bind(&new.title)
        .bind(&new.body)
        .bind(now.0)
        .bind(now.0)
        .bind(&new.file)
        .execute(&mut *transaction)
        .await?;
        keep(&mut transaction, new.id, 1, &new.body, &new.reason, client, now).await?;
        place(&mut transaction, new.id, &new.shows).await?;
        record(&mut transaction, "entry", &new.id.to_string(), client).await?;
        transaction.commit().await?;
        Ok(Entry {
            row: EntryRow {
                id: new.id,
                slug,
                week: new.week.clone(),
                title: new.title.clone(),
                updated_at: now.rfc3339(),
            },
            body: new.body.clone(),
            revision: 1,
        })
    }

    /// Writes a text; `None` if there is no such entry. A change of an older revision never overwrites: both texts are
    /// kept.
    pub async fn write_text(
        &self,
        write: &TextWrite,
        now: Nanos,
        client: &str,
    ) -> Result<Option<TextWritten>, StoreError> {
        let mut transaction = self.pools.write().await?;
        let id = write.id.to_string();
        let Some(row) = sqlx::query("SELECT body, revision, last_revision FROM entry WHERE id = ?")
            .bind(&id)
            .fetch_optional(&mut *transaction)
            .await?
        else {
            return Ok(None);
        };
        let (body, current, last): (String, i64, i64) =
            (row.get("body"), row.get("revision"), row.get("last_revision"));
        if body == write.body {
            if let Some(reason) = &write.keep {
                keep(&mut transaction, write.id, current, &body, reason, client, now).await?;
                transaction.commit().await?;
            }
            return Ok(Some(TextWritten::Accepted(current)));
        }
        let next = last + 1;
        if write.base.is_some_and(|base| base != current) {
            keep(&mut transaction, write.id, next, &write.body, "conflict", client, now).await?;
            sqlx::query("UPDATE entry SET last_revision = ? WHERE id = ?")
                .bind(next)
                .bind(&id)
                .execute(&mut *transaction)
                .await?;
            record(&mut transaction, "entry", &id, client).await?;
            transaction.commit().await?;
            return Ok(Some(TextWritten::Kept { current, kept: next }));
        }
        if write.base.is_none() {
            keep(&mut transaction, write.id, current, &body, "overwritten", client, now).await?;
        }
        sqlx::query("UPDATE entry SET body = ?, revision = ?, last_revision = ?, updated_at = ? WHERE id = ?")
            .bind(&write.body)
            .bind(next)
            .bind(next)
            .bind(now.0)
            .bind(&id)
            .execute(&mut *transaction)
            .await?;
        if let Some(reason) = &write.keep {
            keep(&mut transaction, write.id, next, &write.body, reason, client, now).await?;
        }
        place(&mut transaction, write.id, &write.shows).await?;
        record(&mut transaction, "entry", &id, client).await?;
        transaction.commit().await?;
        Ok(Some(TextWritten::Accepted(next)))
    }

    /// Keeps the current text as a revision.
    pub async fn keep_revision(&self, id: Id, reason: &str, now: Nanos, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        let row = sqlx::query("SELECT body, revision FROM entry WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(row) = row {
            let body: String = row.get("body");
            keep(&mut transaction, id, row.get("revision"), &body, reason, client, now).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Drops revisions of an entry that were kept while it was written, if they are older than a day and others follow
    /// within a quarter of an hour. A day ends at such a quarter in every time zone, so its last version stays. Returns
    /// how many were dropped.
    pub async fn thin_revisions(&self, id: Id, now: Nanos) -> Result<u64, StoreError> {
        let mut transaction = self.pools.write().await?;
        let dropped = sqlx::query(
            "DELETE FROM revision WHERE entry_id = ?1 AND created_at < ?2 AND reason IN ('pause', 'close', 'capture', 'picture')
               AND revision NOT IN (SELECT max(revision) FROM revision WHERE entry_id = ?1 GROUP BY created_at / ?3)",
        )
        .bind(id.to_string())
        .bind(now.0.saturating_sub(DAY))
        .bind(QUARTER)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        transaction.commit().await?;
        Ok(dropped)
    }

    /// The kept revisions, newest first.
    pub async fn revisions(&self, id: Id) -> Result<Vec<Revision>, StoreError> {
        let rows = sqlx::query(
            "SELECT revision, created_at, reason, length(cast(body AS BLOB)) AS bytes FROM revision
             WHERE entry_id = ? ORDER BY revision DESC",
        )
        .bind(id.to_string())
        .fetch_all(&self.pools.readers())
        .await?;
        Ok(rows
            .into_iter()
            .map(|r| Revision {
                revision: r.get("revision"),
                created_at: Nanos(r.get("created_at")).rfc3339(),
                reason: r.get("reason"),
                bytes: r.get("bytes"),
            })
            .collect())
    }

    pub async fn revision_text(&self, id: Id, revision: i64) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT body FROM revision WHERE entry_id = ? AND revision = ?")
            .bind(id.to_string())
            .bind(revision)
            .fetch_optional(&self.pools.readers())
            .await?;
        Ok(row.map(|r| r.get("body")))
    }

    /// Sets title and week.
    pub async fn rename_entry(
        &self,
        id: Id,
        title: &str,
        week: Option<&str>,
        now: Nanos,
        client: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("UPDATE entry SET title = ?, week = ?, updated_at = ? WHERE id = ?")
            .bind(title)
            .bind(week)
            .bind(now.0)
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        record(&mut transaction, "entry", &id.to_string(), client).await?;
        transaction.commit().await
    }

    /// Gives an entry the names and the age that it has in other journals. Another entry that has the slug gets the
    /// next free one.
    pub async fn settle_entry(&self, id: Id, names: &SharedNames, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        if let Some(slug) = &names.slug {
            let other = sqlx::query("SELECT id FROM entry WHERE slug = ? AND id != ?")
                .bind(slug)
                .bind(id.to_string())
                .fetch_optional(&mut *transaction)
                .await?;
            if let Some(other) = other {
                let other: String = other.get("id");
                // The name that it has meanwhile is not in the way.
                sqlx::query("UPDATE entry SET slug = id WHERE id = ?")
                    .bind(id.to_string())
                    .execute(&mut *transaction)
                    .await?;
                let free = free_slug(&mut transaction, slug).await?;
                sqlx::query("UPDATE entry SET slug = ? WHERE id = ?")
                    .bind(free)
                    .bind(&other)
                    .execute(&mut *transaction)
                    .await?;
                record(&mut transaction, "entry", &other, client).await?;
            }
        }
        sqlx::query(
            "UPDATE entry SET file = ?1, slug = coalesce(?2, slug), created_at = coalesce(?3, created_at) WHERE id = ?4",
        )
        .bind(&names.file)
        .bind(&names.slug)
        .bind(names.created_at.map(|at| at.0))
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await?;
        record(&mut transaction, "entry", &id.to_string(), client).await?;
        transaction.commit().await
    }

    /// Moves an entry into the bin (`Some`) or out of it (`None`).
    pub async fn bin_entry(&self, id: Id, deleted: Option<Nanos>, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("UPDATE entry SET deleted_at = ? WHERE id = ?")
            .bind(deleted.map(|n| n.0))
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        record(&mut transaction, "entry", &id.to_string(), client).await?;
        transaction.commit().await
    }

    /// Lines that look like slots and that the user dismissed.
    pub async fn dismissed_slots(&self, id: Id) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT text FROM dismissed_slot WHERE entry_id = ?")
            .bind(id.to_string())
            .fetch_all(&self.pools.readers())
            .await?;
        Ok(rows.into_iter().map(|r| r.get("text")).collect())
    }

    pub async fn dismiss_slot(&self, id: Id, text: &str, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("INSERT INTO dismissed_slot (entry_id, text) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(id.to_string())
            .bind(text)
            .execute(&mut *transaction)
            .await?;
        record(&mut transaction, "entry", &id.to_string(), client).await?;
        transaction.commit().await
    }
}

fn row_of(row: &SqliteRow) -> Result<EntryRow, StoreError> {
    Ok(EntryRow {
        id: id_of(row.get("id"))?,
        slug: row.get("slug"),
        week: row.get("week"),
        title: row.get("title"),
        updated_at: Nanos(row.get("updated_at")).rfc3339(),
    })
}

fn entry_of(row: &SqliteRow) -> Result<Entry, StoreError> {
    Ok(Entry { row: row_of(row)?, body: row.get("body"), revision: row.get("revision") })
}

async fn free_slug(transaction: &mut Write, wanted: &str) -> Result<String, StoreError> {
    let mut slug = wanted.to_owned();
    let mut n = 1;
    while sqlx::query("SELECT 1 FROM entry WHERE slug = ?")
        .bind(&slug)
        .fetch_optional(&mut **transaction)
        .await?
        .is_some()
    {
        n += 1;
        slug = format!("{wanted}-{n}");
    }
    Ok(slug)
}

/// Keeps a text as a revision. A revision is kept once, with its first reason.
async fn keep(
    transaction: &mut Write,
    id: Id,
    revision: i64,
    body: &str,
    reason: &str,
    client: &str,
    now: Nanos,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO revision (entry_id, revision, body, reason, client, created_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(id.to_string())
    .bind(revision)
    .bind(body)
    .bind(reason)
    .bind(client)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn place(transaction: &mut Write, id: Id, shows: &[Id]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM placement WHERE entry_id = ?").bind(id.to_string()).execute(&mut **transaction).await?;
    for evidence in shows {
        sqlx::query("INSERT INTO placement (entry_id, evidence_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(id.to_string())
            .bind(evidence.to_string())
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

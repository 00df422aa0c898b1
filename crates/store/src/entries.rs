//! Entries, their revisions, what they show, and the slots that are none.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use tracebook_core::entry::{Entry, EntryRow, Revision};
use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;

use crate::error::StoreError;
use crate::open::Journal;
use crate::watch::tell;

/// A new entry.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Its id.
    pub id: Id,
    /// The short name it gets if it is free; else `-2`, `-3`, … is appended.
    pub slug: String,
    /// Its week.
    pub week: Option<String>,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// The stem of the file that it came from.
    pub file: Option<String>,
    /// The evidence that the text shows.
    pub shows: Vec<Id>,
    /// Why there is a first revision: `new`, `import`.
    pub reason: String,
}

/// A write of a text.
#[derive(Clone, Debug)]
pub struct TextWrite {
    /// The entry.
    pub id: Id,
    /// The revision that it was made on; `None` writes over whatever is there.
    pub base: Option<i64>,
    /// The whole text.
    pub body: String,
    /// The evidence that the text shows.
    pub shows: Vec<Id>,
    /// Cut a revision of it for this reason.
    pub cut: Option<String>,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextWritten {
    /// It is the working text, under this revision.
    Accepted(i64),
    /// Its base was older than the working text: that stays as it is, and this one is kept as a revision.
    Kept {
        /// The working text's revision.
        current: i64,
        /// The kept text's.
        kept: i64,
    },
}

const COLUMNS: &str = "SELECT id, slug, week, title, body, revision, updated_at, file FROM entry";

impl Journal {
    /// Every entry (or every one in the bin), by week, weeks as the course has them, then by age.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn entries(&self, deleted: bool) -> Result<Vec<EntryRow>, StoreError> {
        let sql = if deleted {
            "SELECT id, slug, week, title, updated_at FROM entry WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC"
        } else {
            "SELECT id, slug, week, title, updated_at FROM entry WHERE deleted_at IS NULL
             ORDER BY week IS NULL, week = 'X', cast(week AS INTEGER), created_at, id"
        };
        sqlx::query(sql).fetch_all(&self.pools.readers).await?.iter().map(row_of).collect()
    }

    /// An entry by id or slug, with its text; `None` where there is none. Those in the bin are found too.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn entry(&self, reference: &str) -> Result<Option<Entry>, StoreError> {
        let sql = const_format(" WHERE id = ?1 OR slug = ?1 ORDER BY deleted_at IS NOT NULL LIMIT 1");
        match sqlx::query(sql).bind(reference).fetch_optional(&self.pools.readers).await? {
            Some(row) => Ok(Some(entry_of(&row)?)),
            None => Ok(None),
        }
    }

    /// The stems of the files that entries were imported from; those in the bin too.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn entry_files(&self) -> Result<HashMap<Id, String>, StoreError> {
        let rows =
            sqlx::query("SELECT id, file FROM entry WHERE file IS NOT NULL").fetch_all(&self.pools.readers).await?;
        rows.iter().map(|row| Ok((id_of(row.get("id"))?, row.get("file")))).collect()
    }

    /// Whether an entry is in the bin.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn entry_in_bin(&self, id: Id) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM entry WHERE id = ? AND deleted_at IS NOT NULL")
            .bind(id.to_string())
            .fetch_optional(&self.pools.readers)
            .await?;
        Ok(row.is_some())
    }

    /// Makes an entry and its first revision.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
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
        cut(&mut transaction, new.id, 1, &new.body, &new.reason, client, now).await?;
        place(&mut transaction, new.id, &new.shows).await?;
        tell(&mut transaction, "entry", &new.id.to_string(), client).await?;
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

    /// Writes a text. An older base never overwrites: both texts are kept.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written; then the text is as it was.
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
            if let Some(reason) = &write.cut {
                cut(&mut transaction, write.id, current, &body, reason, client, now).await?;
                transaction.commit().await?;
            }
            return Ok(Some(TextWritten::Accepted(current)));
        }
        let next = last + 1;
        if write.base.is_some_and(|base| base != current) {
            cut(&mut transaction, write.id, next, &write.body, "conflict", client, now).await?;
            sqlx::query("UPDATE entry SET last_revision = ? WHERE id = ?")
                .bind(next)
                .bind(&id)
                .execute(&mut *transaction)
                .await?;
            tell(&mut transaction, "entry", &id, client).await?;
            transaction.commit().await?;
            return Ok(Some(TextWritten::Kept { current, kept: next }));
        }
        if write.base.is_none() {
            cut(&mut transaction, write.id, current, &body, "overwritten", client, now).await?;
        }
        sqlx::query("UPDATE entry SET body = ?, revision = ?, last_revision = ?, updated_at = ? WHERE id = ?")
            .bind(&write.body)
            .bind(next)
            .bind(next)
            .bind(now.0)
            .bind(&id)
            .execute(&mut *transaction)
            .await?;
        if let Some(reason) = &write.cut {
            cut(&mut transaction, write.id, next, &write.body, reason, client, now).await?;
        }
        place(&mut transaction, write.id, &write.shows).await?;
        tell(&mut transaction, "entry", &id, client).await?;
        transaction.commit().await?;
        Ok(Some(TextWritten::Accepted(next)))
    }

    /// Cuts a revision of the working text.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn cut_revision(&self, id: Id, reason: &str, now: Nanos, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        let row = sqlx::query("SELECT body, revision FROM entry WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(row) = row {
            let body: String = row.get("body");
            cut(&mut transaction, id, row.get("revision"), &body, reason, client, now).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// The texts that can be read back, newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn revisions(&self, id: Id) -> Result<Vec<Revision>, StoreError> {
        let rows = sqlx::query(
            "SELECT revision, created_at, reason, length(cast(body AS BLOB)) AS bytes FROM revision
             WHERE entry_id = ? ORDER BY revision DESC",
        )
        .bind(id.to_string())
        .fetch_all(&self.pools.readers)
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

    /// The text of one revision.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn revision_text(&self, id: Id, revision: i64) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT body FROM revision WHERE entry_id = ? AND revision = ?")
            .bind(id.to_string())
            .bind(revision)
            .fetch_optional(&self.pools.readers)
            .await?;
        Ok(row.map(|r| r.get("body")))
    }

    /// Changes title and week.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
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
        tell(&mut transaction, "entry", &id.to_string(), client).await?;
        Ok(transaction.commit().await?)
    }

    /// Puts an entry into the bin, or takes it out.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn bin_entry(&self, id: Id, deleted: Option<Nanos>, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("UPDATE entry SET deleted_at = ? WHERE id = ?")
            .bind(deleted.map(|n| n.0))
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        tell(&mut transaction, "entry", &id.to_string(), client).await?;
        Ok(transaction.commit().await?)
    }

    /// The slot texts that the user said are none.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be read.
    pub async fn dismissed_slots(&self, id: Id) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT text FROM dismissed_slot WHERE entry_id = ?")
            .bind(id.to_string())
            .fetch_all(&self.pools.readers)
            .await?;
        Ok(rows.into_iter().map(|r| r.get("text")).collect())
    }

    /// Remembers that a line is no slot.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be written.
    pub async fn dismiss_slot(&self, id: Id, text: &str, client: &str) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query("INSERT INTO dismissed_slot (entry_id, text) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(id.to_string())
            .bind(text)
            .execute(&mut *transaction)
            .await?;
        tell(&mut transaction, "entry", &id.to_string(), client).await?;
        Ok(transaction.commit().await?)
    }
}

fn const_format(tail: &'static str) -> sqlx::AssertSqlSafe<String> {
    // Both parts are constants of this file.
    sqlx::AssertSqlSafe(format!("{COLUMNS}{tail}"))
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

pub(crate) fn id_of(text: String) -> Result<Id, StoreError> {
    text.parse().map_err(|e| StoreError::Damaged(format!("{e}")))
}

async fn free_slug(transaction: &mut Transaction<'_, Sqlite>, wanted: &str) -> Result<String, StoreError> {
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

/// Keeps a text under its revision; the same revision is kept once, under its first reason.
async fn cut(
    transaction: &mut Transaction<'_, Sqlite>,
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

async fn place(transaction: &mut Transaction<'_, Sqlite>, id: Id, shows: &[Id]) -> Result<(), StoreError> {
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

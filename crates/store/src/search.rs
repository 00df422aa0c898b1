//! Full-text search over entries and inside evidence.
//!
//! The indexes follow the texts with a delay: [`Journal::unindexed`] lists what they lack, and [`Journal::index`] adds
//! it. A search that comes first makes up for it.

use sqlx::{Row as _, SqliteConnection};

use tracebook_core::ids::Id;

use crate::changes::{FIRST_CHANGE, LAST_CHANGE, changed_since};
use crate::database::Journal;
use crate::entries::VERSIONS;
use crate::error::StoreError;
use crate::evidence::STORED;
use crate::sql::{id_of, signed};

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Entry,
    Evidence,
}

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Evidence => "evidence",
        }
    }

    fn index(self) -> &'static str {
        match self {
            Self::Entry => "entry_index",
            Self::Evidence => "evidence_index",
        }
    }
}

/// Something whose text the index does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unindexed {
    pub what: What,
    pub id: Id,
    /// When the entry was changed; 0 for evidence.
    pub version: i64,
}

/// Which changes the indexes may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The number of the last change.
    pub last: i64,
    /// The last change that they have; `None` if it is not known any more, and everything is compared.
    since: Option<i64>,
}

/// A text for the index.
#[derive(Clone, Debug)]
pub struct Text {
    pub of: Unindexed,
    pub title: String,
    pub body: String,
}

/// The words of a search. The text must have each of them; the last may be the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// The most words of a search.
    const MOST: usize = 12;

    /// Divides a text where the index does: at what is neither a letter nor a digit. `None` if there is no word.
    pub fn of(text: &str) -> Option<Self> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let words: Vec<String> = words.take(Self::MOST).map(str::to_lowercase).collect();
        (!words.is_empty()).then_some(Self(words))
    }

    /// In lower case.
    pub fn list(&self) -> &[String] {
        &self.0
    }

    /// The query of FTS5 for whole words, or the beginning of one in the place of the last. Quoted, so that no word is
    /// an operator.
    fn query(&self, whole: bool) -> String {
        let last = self.0.len() - 1;
        let word = |(n, word): (usize, &String)| format!("\"{word}\"{}", if whole || n < last { "" } else { "*" });
        self.0.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
    }
}

impl Journal {
    /// What the indexes may lack; `None` if they have everything.
    pub async fn behind(&self) -> Result<Option<Behind>, StoreError> {
        let sql = format!(
            "SELECT ({LAST_CHANGE}) AS last, ({FIRST_CHANGE}) AS first,
               (SELECT version FROM indexed WHERE what = 'change') AS done"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&self.pools.readers()).await?;
        let (last, first, done): (i64, Option<i64>, Option<i64>) = (row.get("last"), row.get("first"), row.get("done"));
        // Only the last changes are kept.
        let since = done.filter(|done| first.is_some_and(|first| first <= done + 1));
        Ok((done != Some(last)).then_some(Behind { last, since }))
    }

    /// Remembers that the indexes have everything up to a change.
    pub async fn caught_up(&self, change: i64) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        sqlx::query(
            "INSERT INTO indexed (what, id, version) VALUES ('change', '', ?)
             ON CONFLICT (what, id) DO UPDATE SET version = excluded.version",
        )
        .bind(change)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// Entries and evidence whose present text is not in the index: at most `most`, evidence by id from `after` on.
    pub async fn unindexed(&self, behind: &Behind, after: Option<Id>, most: u32) -> Result<Vec<Unindexed>, StoreError> {
        let changed = match behind.since {
            Some(_) => format!("e.id IN ({})", changed_since("?3")),
            None => "?3 IS NULL".to_owned(),
        };
        let sql = format!(
            "SELECT * FROM (SELECT 'entry' AS what, e.id, e.version FROM ({VERSIONS}) e
               LEFT JOIN indexed i ON i.what = 'entry' AND i.id = e.id
               WHERE i.version IS NOT e.version AND {changed} LIMIT ?1)
             UNION ALL SELECT * FROM (SELECT 'evidence', e.id, 0 FROM ({STORED}) e
               LEFT JOIN indexed i ON i.what = 'evidence' AND i.id = e.id
               WHERE i.number IS NULL AND e.id > ?2 AND {changed} ORDER BY e.id LIMIT ?1)
             LIMIT ?1"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(most)
            .bind(after.map_or_else(String::new, |id| id.to_string()))
            .bind(behind.since)
            .fetch_all(&self.pools.readers())
            .await?;
        let of = |row: &sqlx::sqlite::SqliteRow| {
            let what = if row.get::<String, _>("what") == "entry" { What::Entry } else { What::Evidence };
            Ok(Unindexed { what, id: id_of(row.get("id"))?, version: row.get("version") })
        };
        rows.iter().map(of).collect()
    }

    /// Adds texts to the index, or replaces them there, as one transaction.
    pub async fn index(&self, texts: &[Text]) -> Result<(), StoreError> {
        if texts.is_empty() {
            return Ok(());
        }
        let mut transaction = self.pools.write().await?;
        for Text { of, title, body } in texts {
            forget(&mut transaction, of.what, of.id).await?;
            let number = sqlx::query("INSERT INTO indexed (what, id, version) VALUES (?, ?, ?)")
                .bind(of.what.word())
                .bind(of.id.to_string())
                .bind(of.version)
                .execute(&mut *transaction)
                .await?
                .last_insert_rowid();
            let sql = format!("INSERT INTO {} (rowid, title, body) VALUES (?, ?, ?)", of.what.index());
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(number)
                .bind(title)
                .bind(body)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// What contains all words: entries by relevance, evidence from the newest on; at most `most`. Whole words come
    /// before those that the last word only begins. What is in the bin is found, too.
    pub async fn find(&self, what: What, words: &Words, most: u32) -> Result<Vec<Id>, StoreError> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        // The index of whole words is read as far as needed; beginnings of words have to be collected first.
        let mut found = self.matching(what, &words.query(true), most).await?;
        if found.len() < most {
            for id in self.matching(what, &words.query(false), most).await? {
                if found.len() < most && !found.contains(&id) {
                    found.push(id);
                }
            }
        }
        Ok(found)
    }

    async fn matching(&self, what: What, query: &str, most: usize) -> Result<Vec<Id>, StoreError> {
        let order = match what {
            // A word in the title counts more.
            What::Entry => "bm25(entry_index, 8.0, 1.0), f.rowid DESC",
            // Comparing all matches would take longer than reading the newest.
            What::Evidence => "f.rowid DESC",
        };
        let index = what.index();
        let sql = format!(
            "SELECT i.id FROM {index} f JOIN indexed i ON i.number = f.rowid WHERE {index} MATCH ?1 ORDER BY {order} LIMIT ?2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(query)
            .bind(signed(most as u64))
            .fetch_all(&self.pools.readers())
            .await?;
        rows.into_iter().map(|row| id_of(row.get("id"))).collect()
    }
}

/// Takes a text out of the index.
async fn forget(connection: &mut SqliteConnection, what: What, id: Id) -> Result<bool, StoreError> {
    let number: Option<i64> = sqlx::query_scalar("SELECT number FROM indexed WHERE what = ? AND id = ?")
        .bind(what.word())
        .bind(id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(number) = number else { return Ok(false) };
    let sql = format!("DELETE FROM {} WHERE rowid = ?", what.index());
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(number).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM indexed WHERE number = ?").bind(number).execute(connection).await?;
    Ok(true)
}

/// Erases the words of purged evidence. What was deleted stays in an index until it is merged, so all of it is.
pub(crate) async fn erase(connection: &mut SqliteConnection, id: Id) -> Result<(), StoreError> {
    let known: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pragma_table_info('indexed')").fetch_one(&mut *connection).await?;
    if known > 0 && forget(connection, What::Evidence, id).await? {
        sqlx::query("INSERT INTO evidence_index (evidence_index) VALUES ('optimize')").execute(connection).await?;
    }
    Ok(())
}

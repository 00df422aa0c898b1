//! Live cards, and the evidence frozen from them.

use sqlx::Row as _;

use tracebook_core::ids::Id;
use tracebook_core::live_card::{CardQuestion, LiveCard};
use tracebook_core::time::Nanos;

use crate::changes::record;
use crate::database::Journal;
use crate::error::StoreError;
use crate::evidence::AVAILABLE;
use crate::sql::{id_of, to_json};

impl Journal {
    /// Stores a new card; returns false and changes nothing if there is one of this id.
    pub async fn add_live_card(&self, card: &LiveCard, now: Nanos, client: &str) -> Result<bool, StoreError> {
        let id = card.id.to_string();
        let mut transaction = self.pools.write().await?;
        let done = sqlx::query(
            "INSERT INTO live_card (id, title, question, pace_seconds, paused, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO NOTHING",
        )
        .bind(&id)
        .bind(&card.title)
        .bind(question(&card.question)?)
        .bind(i64::from(card.pace_seconds))
        .bind(card.paused)
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
        let done = done.rows_affected() > 0;
        if done {
            record(&mut transaction, "live-card", &id, client).await?;
            transaction.commit().await?;
        }
        Ok(done)
    }

    /// Replaces a card; returns false if there is none of this id.
    pub async fn set_live_card(&self, card: &LiveCard, now: Nanos, client: &str) -> Result<bool, StoreError> {
        let id = card.id.to_string();
        let mut transaction = self.pools.write().await?;
        let done = sqlx::query(
            "UPDATE live_card SET title = ?, question = ?, pace_seconds = ?, paused = ?, updated_at = ? WHERE id = ?",
        )
        .bind(&card.title)
        .bind(question(&card.question)?)
        .bind(i64::from(card.pace_seconds))
        .bind(card.paused)
        .bind(now.0)
        .bind(&id)
        .execute(&mut *transaction)
        .await?;
        let done = done.rows_affected() > 0;
        if done {
            record(&mut transaction, "live-card", &id, client).await?;
            transaction.commit().await?;
        }
        Ok(done)
    }

    pub async fn live_card(&self, id: Id) -> Result<Option<LiveCard>, StoreError> {
        let row = sqlx::query("SELECT title, question, pace_seconds, paused FROM live_card WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.pools.readers())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let question: String = row.get("question");
        let damaged = |e: serde_json::Error| StoreError::Damaged(format!("live card {id}: {e}"));
        Ok(Some(LiveCard {
            id,
            title: row.get("title"),
            question: serde_json::from_str(&question).map_err(damaged)?,
            pace_seconds: u32::try_from(row.get::<i64, _>("pace_seconds")).unwrap_or(u32::MAX),
            paused: row.get("paused"),
        }))
    }

    /// Records that evidence was frozen from a card as the answer to its question. Both must exist; recording it twice
    /// changes nothing.
    pub async fn add_live_answer(
        &self,
        card: Id,
        asked: &CardQuestion,
        evidence: Id,
        frozen_at: Nanos,
        client: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pools.write().await?;
        let done = sqlx::query(
            "INSERT INTO live_card_answer (card_id, evidence_id, question, frozen_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(card.to_string())
        .bind(evidence.to_string())
        .bind(question(asked)?)
        .bind(frozen_at.0)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() > 0 {
            record(&mut transaction, "live-card", &card.to_string(), client).await?;
        }
        transaction.commit().await
    }

    /// Whether anything was ever frozen from a card, even if it was purged since.
    pub async fn live_card_was_frozen(&self, card: Id) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM live_card_answer WHERE card_id = ? LIMIT 1")
            .bind(card.to_string())
            .fetch_optional(&self.pools.readers())
            .await?;
        Ok(row.is_some())
    }

    /// The evidence last frozen from a card as the answer to its present question, unless purged or in the bin.
    pub async fn last_live_answer(&self, card: Id) -> Result<Option<Id>, StoreError> {
        let sql = format!(
            "SELECT a.evidence_id FROM live_card_answer a JOIN live_card c ON c.id = a.card_id AND c.question = a.question
             WHERE a.card_id = ? AND a.evidence_id IN ({AVAILABLE}) ORDER BY a.frozen_at DESC, a.evidence_id DESC LIMIT 1"
        );
        let row =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(card.to_string()).fetch_optional(&self.pools.readers()).await?;
        row.map(|row| id_of(row.get("evidence_id"))).transpose()
    }
}

fn question(asked: &CardQuestion) -> Result<String, StoreError> {
    to_json(asked)
}

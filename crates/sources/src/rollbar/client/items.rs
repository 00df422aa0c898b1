//! Reading a list of items.

use serde_json::Value as Json;
use tracebook_core::errors::{ErrorRow, Level};
use tracebook_core::text::count;
use tracebook_core::time::Nanos;

use super::{ItemsRequest, number, text};

/// An item in Rollbar's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemRow {
    /// Rollbar's id, the argument for [`super::Client::error`].
    pub id: u64,
    /// The number that people see, within the project; 0 if the answer does not contain it.
    pub counter: u64,
    pub project: Option<u64>,
    pub title: String,
    pub level: Level,
    /// `active`, `resolved`, `muted`; may be one of Rollbar's numbers.
    pub status: String,
    /// `production`, …
    pub environment: String,
    /// `flask`, …; may be one of Rollbar's numbers; empty if missing.
    pub framework: String,
    /// `linux`, …; may be one of Rollbar's numbers; empty if missing.
    pub platform: String,
    /// How often it occurred, as Rollbar counts; 0 if missing.
    pub occurrences: u64,
    pub first: Option<Nanos>,
    pub last: Option<Nanos>,
    pub last_occurrence: Option<u64>,
    /// Whether it stands for a group of items; Rollbar lists no occurrences of those.
    pub is_group: bool,
}

impl ItemRow {
    /// In the form that lists of all sources have. Rollbar's list names no person.
    pub fn row(&self) -> ErrorRow {
        ErrorRow {
            id: self.id.to_string(),
            title: self.title.clone(),
            level: self.level.word().to_owned(),
            occurrences: u32::try_from(self.occurrences).unwrap_or(u32::MAX),
            last: self.last.map(Nanos::rfc3339).unwrap_or_default(),
            environment: self.environment.clone(),
            person: None,
            skew_ms: None,
        }
    }

    /// `#15`, else its id.
    pub fn name(&self) -> String {
        match self.counter {
            0 => self.id.to_string(),
            counter => format!("#{counter}"),
        }
    }

    /// Reads an item; `None` if it has no id.
    pub(super) fn read(item: &Json) -> Option<Self> {
        let whole = |name: &str| item.get(name).and_then(number);
        let said = |name: &str| item.get(name).map(text).unwrap_or_default();
        let time = |name: &str| whole(name).filter(|&s| s > 0).and_then(seconds);
        Some(Self {
            id: whole("id")?,
            counter: whole("counter").unwrap_or(0),
            project: whole("project_id"),
            title: said("title"),
            level: level(&said("level")),
            status: said("status"),
            environment: said("environment"),
            framework: said("framework"),
            platform: said("platform"),
            occurrences: whole("total_occurrences").unwrap_or(0),
            first: time("first_occurrence_timestamp"),
            last: time("last_occurrence_timestamp"),
            last_occurrence: whole("last_occurrence_id"),
            is_group: whole("group_status") == Some(2),
        })
    }
}

/// A page of items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// The latest occurrence first.
    pub rows: Vec<ItemRow>,
    /// The next page; `None` after the last one. It may be empty.
    pub next: Option<u32>,
    /// How many items match in total, as Rollbar counts; `None` if missing.
    pub total: Option<u64>,
    pub notes: Vec<String>,
}

/// Reads the answer to a query.
pub(super) fn read(result: &Json, ask: &ItemsRequest) -> Items {
    let sent = result.get("items").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<ItemRow> = sent.iter().filter_map(ItemRow::read).collect();
    let total = result.get("total_count").and_then(number);
    let mut notes = Vec::new();
    if rows.len() < sent.len() {
        notes.push(format!("{} without an id left out", count(sent.len() - rows.len(), "item")));
    }
    let page = ask.page.max(1);
    // Rollbar's older servers return a hundred a page, whatever the request says.
    let per_page = u64::from(ask.per_page()).max(sent.len() as u64);
    let seen = u64::from(page - 1) * per_page + sent.len() as u64;
    let more = !sent.is_empty() && total.is_none_or(|total| seen < total);
    if let Some(total) = total.filter(|&total| total > sent.len() as u64) {
        notes.push(format!("page {page}: {} of {total}", count(sent.len(), "item")));
    }
    Items { rows, next: more.then(|| page.saturating_add(1)), total, notes }
}

/// A level as a word or a number.
fn level(said: &str) -> Level {
    match said {
        "10" => Level::Debug,
        "20" => Level::Info,
        "30" => Level::Warning,
        "50" => Level::Critical,
        word => word.to_ascii_lowercase().parse().unwrap_or_default(),
    }
}

/// Rollbar's times are integer seconds.
pub(super) fn seconds(seconds: u64) -> Option<Nanos> {
    i64::try_from(seconds).ok()?.checked_mul(1_000_000_000).map(Nanos)
}

//! One item: its latest occurrence, or a chosen one, in full, and the others in short.

use std::collections::HashSet;

use serde_json::Value as Json;
use serde_json::value::RawValue;
use tracebook_core::errors::{ErrorItem, Occurrence, OccurrenceRow};
use tracebook_core::telemetry::ErrorRecord;
use tracebook_core::text::count;
use tracebook_core::time::Nanos;
use tracebook_core::variation::varied;

use super::items::{ItemRow, seconds};
use super::{Client, number};
use crate::cloud::{Fault, Fetch, Progress, SourceError};
use crate::rollbar::{normalise, wire};
use crate::text::clip;

/// How many other occurrences an item lists.
const OTHERS: usize = 50;

/// An item with one full occurrence.
#[derive(Clone, Debug)]
pub struct Item {
    /// As Rollbar lists it: counter, status, framework.
    pub row: ItemRow,
    /// The evidence. Its `item` is `#15`; its other occurrences are those of the first page.
    pub error: ErrorItem,
    /// The full occurrence as Rollbar stores it, without access tokens.
    pub record: ErrorRecord,
    /// Rollbar's id of that occurrence.
    pub occurrence: u64,
    /// Also in the occurrence's own notes, so that the card shows them.
    pub notes: Vec<String>,
}

/// Summary of an occurrence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OccurrencePick {
    /// Rollbar's id.
    pub id: u64,
    /// The item's number.
    pub item: u64,
    /// Its `data.uuid`.
    pub uuid: String,
    pub timestamp: Nanos,
    /// The person; empty if missing.
    pub person: String,
    pub title: String,
    /// The whole of it.
    pub occurrence: Occurrence,
}

impl OccurrencePick {
    /// The argument for [`Client::error`]: `272505123/409692133742`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.item, self.id)
    }
}

/// A page of occurrences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Occurrences {
    /// Newest first.
    pub rows: Vec<OccurrencePick>,
    /// The next page; `None` after an empty one. Rollbar returns twenty a page and does not say how many there are.
    pub next: Option<u32>,
    pub notes: Vec<String>,
}

/// What a reference to an error means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// `#15`: the number shown in Rollbar.
    Counter(u64),
    /// `272505123`: Rollbar's id.
    Item(u64),
    /// `272505123/409692133742`: an occurrence of an item.
    Occurrence(u64, u64),
}

impl Named {
    fn read(text: &str) -> Result<Self, SourceError> {
        let text = text.trim();
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let read = match (text.strip_prefix('#'), text.split_once('/')) {
            (Some(counter), _) => digits(counter).map(Self::Counter),
            (None, Some((item, id))) => digits(item).zip(digits(id)).map(|(item, id)| Self::Occurrence(item, id)),
            (None, None) => digits(text).map(Self::Item),
        };
        read.ok_or_else(|| {
            let hint = "Write #15 as Rollbar's pages do, an id from the list, or ITEM/OCCURRENCE";
            SourceError::new(Fault::Invalid, format!("{:?} is not a Rollbar item", clip(text)), hint)
        })
    }
}

impl Client {
    /// An item by `#15` or its id, or an occurrence by `ITEM/OCCURRENCE`.
    ///
    /// # Errors
    /// [`Fault::Invalid`] for an invalid reference, [`Fault::NotFound`] if it or all its occurrences are gone.
    pub async fn error(&self, name: &str, fetch: &Fetch) -> Result<Item, SourceError> {
        let (row, chosen) = match Named::read(name)? {
            Named::Counter(counter) => (self.by_counter(counter, fetch).await?, None),
            Named::Item(id) => (self.row(id, fetch).await?, None),
            Named::Occurrence(item, id) => (self.row(item, fetch).await?, Some(id)),
        };
        let mut notes = Vec::new();
        let (occurrences, why) = match self.occurrences_of(row.id, 1, fetch).await {
            Ok(page) => (page, None),
            // One full occurrence is evidence, even if the others cannot be listed.
            Err(error)
                if matches!(error.fault, Fault::NotFound | Fault::Invalid | Fault::Unsupported | Fault::Broken) =>
            {
                notes.push(format!("the other occurrences could not be listed: {}", error.message));
                (Occurrences::default(), Some(error))
            }
            Err(error) => return Err(error),
        };
        let shown = match chosen.or(row.last_occurrence) {
            Some(id) => self.instance(id, fetch).await,
            None => Err(why.clone().unwrap_or_else(gone)),
        };
        let instance = match (shown, occurrences.rows.first()) {
            // The latest may be deleted while others are kept.
            (Err(error), Some(other)) if chosen.is_none() && error.fault == Fault::NotFound => {
                notes.push("Rollbar has deleted the latest occurrence; the latest one left is shown".to_owned());
                self.instance(other.id, fetch).await?
            }
            (shown, _) => shown?,
        };
        if instance.item.is_some_and(|item| item != row.id) {
            return Err(SourceError::new(
                Fault::NotFound,
                format!("occurrence {} does not belong to item {}", instance.id, row.name()),
                "Choose it from the item's occurrences",
            ));
        }
        notes.extend(occurrences.notes.iter().cloned());
        Ok(whole(row, instance, &occurrences, notes))
    }

    /// A page of an item's occurrences, from 1; `item` is `#15` or an id.
    pub async fn occurrences(&self, item: &str, page: u32, fetch: &Fetch) -> Result<Occurrences, SourceError> {
        let (id, is_group) = match Named::read(item)? {
            Named::Counter(counter) => {
                let row = self.by_counter(counter, fetch).await?;
                (row.id, row.is_group)
            }
            Named::Item(id) | Named::Occurrence(id, _) => (id, false),
        };
        let mut found = self.occurrences_of(id, page, fetch).await?;
        if is_group {
            found.notes.push(GROUP.to_owned());
        }
        Ok(found)
    }

    async fn occurrences_of(&self, item: u64, page: u32, fetch: &Fetch) -> Result<Occurrences, SourceError> {
        let page = page.max(1);
        let segments = ["item", &item.to_string(), "instances"];
        let answer = self.read(&segments, &[("page", &page.to_string())], fetch).await?;
        let result = self.open(&answer)?;
        let sent: Instances<'_> =
            serde_json::from_str(result.get()).map_err(|e| self.rest.unreadable(&answer, &crate::json::words(&e)))?;
        let sent = sent.instances.unwrap_or_default();
        let mut rows = Vec::with_capacity(sent.len().min(100));
        let mut unreadable = 0usize;
        for instance in &sent {
            match Instance::read(instance) {
                Ok(read) => rows.push(pick(&read, item)),
                Err(_) => unreadable += 1,
            }
        }
        // Rollbar sorts by time only, so ids of one second are in any order.
        rows.sort_by_key(|row| std::cmp::Reverse((row.timestamp, row.id)));
        let mut notes = Vec::new();
        if unreadable > 0 {
            notes.push(format!("{} not readable and left out", count(unreadable, "occurrence")));
        }
        fetch.progress(Progress {
            pages: page,
            rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            of: 0,
            what: "occurrences of Rollbar".to_owned(),
        });
        Ok(Occurrences { rows, next: (!sent.is_empty()).then(|| page.saturating_add(1)), notes })
    }

    async fn row(&self, id: u64, fetch: &Fetch) -> Result<ItemRow, SourceError> {
        let answer = self.read(&["item", &id.to_string()], &[], fetch).await?;
        let item = self.json(&answer)?;
        ItemRow::read(&item).ok_or_else(|| self.rest.unreadable(&answer, "an item without an id"))
    }

    /// `GET /item/?counter=15`, or if a server does not know that, `GET /item_by_counter/15`. The latter redirects; its
    /// `Location` and the `uri` in its body repeat the token, so only the id is read from it.
    async fn by_counter(&self, counter: u64, fetch: &Fetch) -> Result<ItemRow, SourceError> {
        let counter = counter.to_string();
        let answer = self.read(&["item", ""], &[("counter", &counter)], fetch).await?;
        match self.json(&answer).map(|item| ItemRow::read(&item)) {
            Ok(Some(row)) => return Ok(row),
            Ok(None) => {}
            Err(error) if matches!(error.fault, Fault::NotFound | Fault::Invalid | Fault::Unsupported) => {}
            Err(error) => return Err(error),
        }
        let answer = self.read(&["item_by_counter", &counter], &[], fetch).await?;
        let result = match answer.status {
            301 | 302 | 307 | 308 => super::Envelope::of(&answer)
                .ok()
                .and_then(|envelope| serde_json::from_str::<Json>(envelope.result?.get()).ok())
                .unwrap_or_default(),
            _ => self.json(&answer)?,
        };
        if let Some(row) = ItemRow::read(&result) {
            return Ok(row);
        }
        match result.get("itemId").and_then(number) {
            Some(id) => self.row(id, fetch).await,
            None => Err(SourceError::new(
                Fault::Broken,
                format!("Rollbar did not say which item #{counter} is"),
                "Choose it from the list",
            )),
        }
    }

    async fn instance(&self, id: u64, fetch: &Fetch) -> Result<Instance, SourceError> {
        let answer = self.read(&["instance", &id.to_string()], &[], fetch).await?;
        Instance::read(self.open(&answer)?).map_err(|why| self.rest.unreadable(&answer, &why))
    }
}

const GROUP: &str = "the item is a group of items, whose occurrences Rollbar's API does not list";

#[derive(serde::Deserialize)]
struct Instances<'a> {
    #[serde(borrow)]
    instances: Option<Vec<&'a RawValue>>,
}

/// An occurrence as Rollbar stores it.
struct Instance {
    id: u64,
    item: Option<u64>,
    /// Rollbar's time, in seconds, for a payload without one.
    timestamp: Nanos,
    /// The payload without access tokens, cut if it is too large.
    data: Json,
}

impl Instance {
    /// The payload is handled as if an SDK had posted it: secrets are removed, oversized parts are cut and noted.
    fn read(sent: &RawValue) -> Result<Self, String> {
        #[derive(serde::Deserialize)]
        struct Head {
            id: Json,
            item_id: Option<Json>,
            timestamp: Option<Json>,
        }
        let head: Head = serde_json::from_str(sent.get()).map_err(|e| crate::json::words(&e))?;
        let mut data = None;
        wire::read(sent.get().as_bytes(), Some("application/json"), |read| {
            data.get_or_insert(read);
        })?;
        let data = data.ok_or("an occurrence without `data`")??;
        Ok(Self {
            id: number(&head.id).ok_or("an occurrence without an id")?,
            item: head.item_id.as_ref().and_then(number),
            timestamp: head.timestamp.as_ref().and_then(number).and_then(seconds).unwrap_or_default(),
            data,
        })
    }
}

fn pick(instance: &Instance, item: u64) -> OccurrencePick {
    let occurrence = normalise::occurrence(&instance.data, instance.timestamp);
    let person = occurrence.person.as_ref().map(|person| person.label().to_owned()).unwrap_or_default();
    OccurrencePick {
        id: instance.id,
        item,
        uuid: occurrence.uuid.clone(),
        timestamp: occurrence.timestamp,
        person,
        title: occurrence.title.clone(),
        occurrence,
    }
}

/// Assembles an item.
fn whole(row: ItemRow, instance: Instance, page: &Occurrences, mut notes: Vec<String>) -> Item {
    let mut occurrence = normalise::occurrence(&instance.data, instance.timestamp);
    let others: Vec<OccurrenceRow> = page
        .rows
        .iter()
        .filter(|other| other.id != instance.id)
        .take(OTHERS)
        .map(|other| OccurrenceRow {
            uuid: other.uuid.clone(),
            timestamp: other.timestamp,
            person: other.person.clone(),
        })
        .collect();
    let known = others.len() as u64 + 1;
    let compared = page.rows.iter().filter(|other| other.id != instance.id).take(OTHERS).map(|other| &other.occurrence);
    let varies = varied(std::iter::once(&occurrence).chain(compared));
    let all = row.occurrences.max(known);
    if row.is_group {
        notes.push(GROUP.to_owned());
    } else if all > known {
        notes.push(format!("Rollbar counts {all} occurrences; the latest {known} are listed"));
    }
    let persons: HashSet<&str> = others
        .iter()
        .map(|other| other.person.as_str())
        .chain(occurrence.person.as_ref().map(|person| person.label()))
        .filter(|person| !person.is_empty())
        .collect();
    // The number of persons in only some of the occurrences would be wrong.
    let people = if all == known { u32::try_from(persons.len()).unwrap_or(u32::MAX) } else { 0 };
    let item = row.name();
    let record = ErrorRecord { item: item.clone(), ..record(&instance, &occurrence) };
    occurrence.item.clone_from(&item);
    occurrence.notes.extend(notes.iter().cloned());
    let times = || others.iter().map(|other| other.timestamp).chain([occurrence.timestamp]);
    let error = ErrorItem {
        item,
        title: if row.title.trim().is_empty() { occurrence.title.clone() } else { row.title.clone() },
        level: row.level,
        occurrences: u32::try_from(all).unwrap_or(u32::MAX),
        first: row.first.or_else(|| times().min()).unwrap_or_default(),
        last: row.last.or_else(|| times().max()).unwrap_or_default(),
        environment: match row.environment.is_empty() {
            true => occurrence.environment.clone(),
            false => row.environment.clone(),
        },
        people,
        occurrence,
        others,
        varies,
    };
    Item { row, error, record, occurrence: instance.id, notes }
}

/// The record of an occurrence. A receiver refuses one without a `body`; here it is all that Rollbar has.
fn record(instance: &Instance, occurrence: &Occurrence) -> ErrorRecord {
    normalise::record(&instance.data, instance.timestamp).unwrap_or_else(|_| ErrorRecord {
        uuid: occurrence.uuid.clone(),
        item: occurrence.item.clone(),
        title: occurrence.title.clone(),
        level: occurrence.level,
        timestamp: occurrence.timestamp,
        environment: occurrence.environment.clone(),
        person: occurrence.person.as_ref().map(|person| person.label().to_owned()).unwrap_or_default(),
        trace_id: None,
        raw: serde_json::to_vec(&instance.data).unwrap_or_default(),
    })
}

fn gone() -> SourceError {
    SourceError::new(
        Fault::NotFound,
        "Rollbar has no occurrence of this item left",
        "Rollbar deletes them after the plan's retention; captured evidence stays",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_named_in_three_ways() {
        assert_eq!(Named::read(" #15 "), Ok(Named::Counter(15)));
        assert_eq!(Named::read("272505123"), Ok(Named::Item(272_505_123)));
        assert_eq!(Named::read("272505123/409692133742"), Ok(Named::Occurrence(272_505_123, 409_692_133_742)));
        for odd in ["", "#", "#x", "/", "1/", "/2", "1/2/3", "-1", "+1", "#-1", "99999999999999999999", "dbaa0b9f"] {
            assert_eq!(Named::read(odd).expect_err(odd).fault, Fault::Invalid, "{odd}");
        }
    }
}

//! Local errors: items, and their occurrences.

use tracebook_core::errors::{ErrorItem, ErrorRow, Occurrence, OccurrenceRow};
use tracebook_core::event_filter::ErrorFilter;
use tracebook_core::question::Window;
use tracebook_core::skew;
use tracebook_core::telemetry::ErrorRecord;
use tracebook_core::variation::varied;
use tracebook_store::errors::ItemRow;

use crate::ground::error::Error;
use crate::ground::question::LIMIT;
use crate::ground::records::occurrence;
use crate::ground::schema::{Listed, LiveQuestion, OccurrencePick};
use crate::telemetry::Telemetry;

/// Items of one read, and while a filter is applied, which reads up to 1 MiB of each.
const PAGE: u32 = 200;
const WHOLE_PAGE: u32 = 16;
/// The most other occurrences that an item lists.
const OTHERS: u32 = 50;
/// The most occurrences of a list.
const MAX_OCCURRENCES: u32 = 200;

impl Telemetry {
    pub(crate) async fn errors(&self, request: &LiveQuestion) -> Result<Listed<ErrorRow>, Error> {
        let window = self.window(request.since.as_deref())?;
        let found = self.find_errors(&request.filter, window, request.limit.unwrap_or(LIMIT)).await?;
        Ok(Listed::all(found.into_iter().map(row).collect()))
    }

    /// The latest occurrences of an item.
    pub(crate) async fn occurrences(&self, item: &str) -> Result<Listed<OccurrencePick>, Error> {
        let found = self.store.occurrences(item, MAX_OCCURRENCES).await?;
        let rows = found
            .into_iter()
            .map(|o| OccurrencePick { id: o.uuid, timestamp: o.timestamp.rfc3339(), person: o.person, title: o.title })
            .collect();
        Ok(Listed::all(rows))
    }

    /// Matching items, the latest first.
    pub(crate) async fn find_errors(&self, filter: &str, window: Window, limit: u32) -> Result<Vec<ItemRow>, Error> {
        let filter = ErrorFilter::parse(filter)
            .map_err(|e| Error::usage(e.to_string(), "Example: level:error environment:production TypeError"))?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut skip = 0;
        let size = if filter.is_empty() { PAGE } else { WHOLE_PAGE };
        while found.len() < wanted {
            let page = match filter.is_empty() {
                true => self.store.error_items_briefly(window, skip, size).await?,
                false => self.store.error_items(window, skip, size).await?,
            };
            let last = page.len() < usize::try_from(size).unwrap_or(usize::MAX);
            skip += size;
            let fitting = page.into_iter().filter_map(|mut item| {
                let matches = filter.is_empty() || filter.matches(&occurrence(&item.latest));
                item.latest.raw = Vec::new();
                matches.then_some(item)
            });
            found.extend(fitting.take(wanted - found.len()));
            if last {
                break;
            }
        }
        Ok(found)
    }

    /// An item with its latest occurrence, or the one of a given uuid, and the record of that occurrence.
    pub(crate) async fn read_error(&self, id: &str) -> Result<(ErrorItem, ErrorRecord), Error> {
        let missing = || {
            Error::not_found(
                format!("there is no error {id}"),
                "`live errors` lists what has arrived; the oldest are removed when telemetry is full",
            )
        };
        let (item, shown) = match self.store.error_item(id).await? {
            Some(item) => {
                let shown = item.latest.clone();
                (item, shown)
            }
            None => {
                let shown = self.store.occurrence(id).await?.ok_or_else(missing)?;
                (self.store.error_item(&shown.item).await?.ok_or_else(missing)?, shown)
            }
        };
        let others = self.store.occurrences(&shown.item, OTHERS + 1).await?;
        let others: Vec<ErrorRecord> = others
            .into_iter()
            .filter(|other| other.uuid != shown.uuid)
            .take(usize::try_from(OTHERS).unwrap_or(usize::MAX))
            .collect();
        let compared: Vec<Occurrence> = std::iter::once(&shown).chain(&others).map(occurrence).collect();
        let others = others
            .into_iter()
            .map(|other| OccurrenceRow { uuid: other.uuid, timestamp: other.timestamp, person: other.person })
            .collect();
        let error = ErrorItem {
            item: item.latest.item.clone(),
            title: item.latest.title.clone(),
            level: item.worst,
            occurrences: item.occurrences,
            first: item.first,
            last: item.latest.timestamp,
            environment: item.latest.environment.clone(),
            people: item.people,
            varies: varied(&compared),
            occurrence: occurrence(&shown),
            others,
        };
        Ok((error, shown))
    }
}

/// How far the clock of an item's latest occurrence is ahead of its arrival, in nanoseconds, where that is more than
/// usual.
pub(crate) fn skew_of(item: &ItemRow) -> Option<i64> {
    skew::of_sender(item.latest.timestamp, item.received, skew::USUAL_DELAY)
}

fn row(item: ItemRow) -> ErrorRow {
    let skew_ms = skew_of(&item).map(|ahead| ahead / 1_000_000);
    let latest = item.latest;
    ErrorRow {
        id: latest.item,
        title: latest.title,
        level: item.worst.word().to_owned(),
        occurrences: item.occurrences,
        last: latest.timestamp.rfc3339(),
        environment: latest.environment,
        person: (!latest.person.is_empty()).then_some(latest.person),
        skew_ms,
    }
}

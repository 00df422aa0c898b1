//! Local errors: items, and their occurrences.

use tracebook_core::errors::{ErrorItem, ErrorRow, OccurrenceRow};
use tracebook_core::event_filter::ErrorFilter;
use tracebook_core::question::Source;
use tracebook_core::telemetry::ErrorRecord;
use tracebook_core::time::Nanos;
use tracebook_store::errors::ItemRow;

use crate::Tracebook;
use crate::ground::error::Error;
use crate::ground::question::LIMIT;
use crate::ground::records::occurrence;
use crate::rpc::{Caller, ErrorRef, Listed, LiveErrors};

/// How many items are read in one go while a filter is applied.
const PAGE: u32 = 200;
/// How many other occurrences an item names.
const OTHERS: u32 = 50;

impl Tracebook {
    pub(crate) async fn live_errors(
        &self,
        LiveErrors(request): LiveErrors,
        caller: &Caller,
    ) -> Result<Listed<ErrorRow>, Error> {
        if request.source != Source::Local {
            return Box::pin(self.errors_of(request, caller)).await;
        }
        let since = self.since(request.since.as_deref())?;
        let found = self.find_errors(&request.filter, since, request.limit.unwrap_or(LIMIT)).await?;
        Ok(Listed::all(found.into_iter().map(row).collect()))
    }

    pub(crate) async fn error_get(&self, request: ErrorRef, caller: &Caller) -> Result<ErrorItem, Error> {
        if request.source != Source::Local {
            return Box::pin(self.error_of(request, caller)).await;
        }
        Ok(self.read_error(&request.id).await?.0)
    }

    /// Matching items, the one that happened last first.
    pub(crate) async fn find_errors(
        &self,
        filter: &str,
        since: Option<Nanos>,
        limit: u32,
    ) -> Result<Vec<ItemRow>, Error> {
        let filter = ErrorFilter::parse(filter)
            .map_err(|e| Error::usage(e.to_string(), "Example: level:error environment:production TypeError"))?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut skip = 0;
        while found.len() < wanted {
            let page = self.telemetry.error_items(since, skip, PAGE).await?;
            let last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            skip += PAGE;
            let fitting =
                page.into_iter().filter(|item| filter.is_empty() || filter.matches(&occurrence(&item.latest)));
            found.extend(fitting.take(wanted - found.len()));
            if last {
                break;
            }
        }
        Ok(found)
    }

    /// An item with its latest occurrence, or with the one whose uuid is given; and that one as received.
    pub(crate) async fn read_error(&self, id: &str) -> Result<(ErrorItem, ErrorRecord), Error> {
        let missing = || {
            Error::not_found(
                format!("there is no error {id}"),
                "`live errors` lists what has arrived; the oldest go when telemetry is full",
            )
        };
        let (item, shown) = match self.telemetry.error_item(id).await? {
            Some(item) => {
                let shown = item.latest.clone();
                (item, shown)
            }
            None => {
                let shown = self.telemetry.occurrence(id).await?.ok_or_else(missing)?;
                (self.telemetry.error_item(&shown.item).await?.ok_or_else(missing)?, shown)
            }
        };
        let others = self.telemetry.occurrences(&shown.item, OTHERS + 1).await?;
        let others = others
            .into_iter()
            .filter(|other| other.uuid != shown.uuid)
            .take(usize::try_from(OTHERS).unwrap_or(usize::MAX))
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
            occurrence: occurrence(&shown),
            others,
        };
        Ok((error, shown))
    }
}

fn row(item: ItemRow) -> ErrorRow {
    let latest = item.latest;
    ErrorRow {
        id: latest.item,
        title: latest.title,
        level: item.worst.word().to_owned(),
        occurrences: item.occurrences,
        last: latest.timestamp.rfc3339(),
        environment: latest.environment,
        person: (!latest.person.is_empty()).then_some(latest.person),
    }
}

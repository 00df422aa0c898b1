//! PutLogEvents, for the relay: forwards local log events to CloudWatch Logs.

use std::ops::Range;

use aws_sdk_cloudwatchlogs::operation::put_log_events::PutLogEventsOutput;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use super::{Client, fault};
use crate::cloud::{Api, Fault, Fetch, Progress, SourceError, Used};

/// The size limit of a batch: the events' text in UTF-8, plus this many bytes for each event.
const BATCH_BYTES: usize = 1_048_576;
const EVENT_BYTES: usize = 26;
/// How many events a batch may contain.
const BATCH_EVENTS: usize = 10_000;
/// The longest time between a batch's first and last event, in milliseconds.
const BATCH_SPAN: i64 = 24 * 60 * 60 * 1_000;

/// Why an event was refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// Older than 14 days.
    TooOld,
    /// Older than the group's retention.
    Expired,
    /// More than two hours in the future.
    TooNew,
    /// Larger than a batch, 1 MiB.
    TooLarge,
    Empty,
}

impl Rejected {
    /// For people: `older than 14 days`.
    pub fn words(self) -> &'static str {
        match self {
            Self::TooOld => "older than 14 days",
            Self::Expired => "older than the log group's retention",
            Self::TooNew => "more than two hours in the future",
            Self::TooLarge => "larger than 1 MiB",
            Self::Empty => "without text",
        }
    }
}

/// The result of putting events. Each event is in one of the three lists; positions refer to the given events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Put {
    /// How many were accepted.
    pub taken: usize,
    /// Those that were refused, and why.
    pub rejected: Vec<(usize, Rejected)>,
    /// Those that were not sent, or not answered: to be sent again.
    pub left: Vec<usize>,
    /// Why some are left.
    pub stopped: Option<SourceError>,
}

impl Client {
    /// Puts events (`(milliseconds since the epoch, text)`, in any order) into a stream; group and stream are created
    /// if missing. Sent in batches within the service's limits; what was accepted before a fault stays accepted, and is
    /// reported.
    ///
    /// # Errors
    /// [`Fault::Invalid`] for an invalid name of group or stream; everything else is in [`Put::stopped`].
    pub async fn put_events(
        &self,
        group: &str,
        stream: &str,
        events: &[(i64, String)],
        fetch: &Fetch,
    ) -> Result<Put, SourceError> {
        fault::group_name(group)?;
        fault::stream_name(stream)?;
        let mut put = Put::default();
        let order = in_order(events, &mut put.rejected);
        for (pages, batch) in (1..).zip(batches(events, &order)) {
            let places = &order[batch.clone()];
            match self.put_batch(group, stream, events, places, fetch).await {
                Ok(answer) => {
                    let rejected = rejected(&answer, places.len());
                    put.taken += places.len() - rejected.len();
                    put.rejected.extend(rejected.into_iter().map(|(at, why)| (places[at], why)));
                }
                Err(error) => {
                    put.stopped = Some(error);
                    put.left = order[batch.start..].to_vec();
                    break;
                }
            }
            fetch.progress(Progress {
                pages,
                rows: u32::try_from(batch.end).unwrap_or(u32::MAX),
                of: u32::try_from(order.len()).unwrap_or(u32::MAX),
                what: format!("log events to {group}"),
            });
        }
        Ok(put)
    }

    async fn put_batch(
        &self,
        group: &str,
        stream: &str,
        events: &[(i64, String)],
        places: &[usize],
        fetch: &Fetch,
    ) -> Result<PutLogEventsOutput, SourceError> {
        let answer = match self.send(group, stream, events, places, fetch).await {
            Err(error) if error.fault == Fault::NotFound => {
                self.make(group, stream, fetch).await?;
                self.send(group, stream, events, places, fetch).await?
            }
            answer => answer?,
        };
        let bytes: usize = places.iter().map(|at| size(&events[*at].1)).sum();
        fetch.used(Used::LogBytesPut, u64::try_from(bytes).unwrap_or(u64::MAX));
        Ok(answer)
    }

    async fn send(
        &self,
        group: &str,
        stream: &str,
        events: &[(i64, String)],
        places: &[usize],
        fetch: &Fetch,
    ) -> Result<PutLogEventsOutput, SourceError> {
        fetch
            .call(Api::LOGS_PUT, || async {
                let batch: Result<Vec<InputLogEvent>, _> = places
                    .iter()
                    .map(|at| {
                        let (millis, message) = &events[*at];
                        InputLogEvent::builder().timestamp(*millis).message(message).build()
                    })
                    .collect();
                let batch = batch.map_err(|error| SourceError::new(Fault::Invalid, error.to_string(), ""))?;
                let ask = self.logs.put_log_events().log_group_name(group).log_stream_name(stream);
                ask.set_log_events(Some(batch)).send().await.map_err(|error| self.fault_in(&error, group))
            })
            .await
    }

    /// Creates a stream, and its group first; that they exist already is fine.
    async fn make(&self, group: &str, stream: &str, fetch: &Fetch) -> Result<(), SourceError> {
        fetch
            .call(Api::LOGS_PUT, || async {
                match self.logs.create_log_group().log_group_name(group).send().await {
                    Err(error)
                        if !error.as_service_error().is_some_and(|e| e.is_resource_already_exists_exception()) =>
                    {
                        Err(self.fault_in(&error, group))
                    }
                    _ => Ok(()),
                }
            })
            .await?;
        fetch
            .call(Api::LOGS_PUT, || async {
                match self.logs.create_log_stream().log_group_name(group).log_stream_name(stream).send().await {
                    Err(error)
                        if !error.as_service_error().is_some_and(|e| e.is_resource_already_exists_exception()) =>
                    {
                        Err(self.fault_in(&error, group))
                    }
                    _ => Ok(()),
                }
            })
            .await
    }
}

fn size(message: &str) -> usize {
    message.len() + EVENT_BYTES
}

/// The positions of the events that can be sent, by time.
fn in_order(events: &[(i64, String)], rejected: &mut Vec<(usize, Rejected)>) -> Vec<usize> {
    let mut order = Vec::with_capacity(events.len());
    for (at, (_, message)) in events.iter().enumerate() {
        match message.len() {
            0 => rejected.push((at, Rejected::Empty)),
            _ if size(message) > BATCH_BYTES => rejected.push((at, Rejected::TooLarge)),
            _ => order.push(at),
        }
    }
    order.sort_by_key(|at| events[*at].0);
    order
}

/// The ranges of `order` that form batches.
fn batches(events: &[(i64, String)], order: &[usize]) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, place) in order.iter().enumerate() {
        let (millis, message) = &events[*place];
        let span = millis.saturating_sub(events[order[start]].0);
        if at - start >= BATCH_EVENTS || bytes + size(message) > BATCH_BYTES || span >= BATCH_SPAN {
            batches.push(start..at);
            (start, bytes) = (at, 0);
        }
        bytes += size(message);
    }
    if start < order.len() {
        batches.push(start..order.len());
    }
    batches
}

/// The refused positions of a batch: the old ones before an exclusive end, the new ones from a start.
fn rejected(answer: &PutLogEventsOutput, sent: usize) -> Vec<(usize, Rejected)> {
    let Some(info) = answer.rejected_log_events_info() else { return Vec::new() };
    let index =
        |index: Option<i32>, none: usize| index.map_or(none, |index| usize::try_from(index).unwrap_or(0).min(sent));
    let too_old = index(info.too_old_log_event_end_index(), 0);
    let expired = index(info.expired_log_event_end_index(), 0).max(too_old);
    let too_new = index(info.too_new_log_event_start_index(), sent).max(expired);
    let old = (0..too_old).map(|at| (at, Rejected::TooOld));
    let gone = (too_old..expired).map(|at| (at, Rejected::Expired));
    old.chain(gone).chain((too_new..sent).map(|at| (at, Rejected::TooNew))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(millis: i64, bytes: usize) -> (i64, String) {
        (millis, "x".repeat(bytes))
    }

    #[test]
    fn a_batch_keeps_the_services_limits() {
        let day = BATCH_SPAN;
        let events = [event(0, 1), event(day - 1, 1), event(day, 1)];
        assert_eq!(batches(&events, &[0, 1, 2]), [0..2, 2..3], "less than a day apart");
        let half = BATCH_BYTES / 2 - EVENT_BYTES;
        let events = [event(0, half), event(0, half), event(0, 1)];
        assert_eq!(batches(&events, &[0, 1, 2]), [0..2, 2..3], "exactly full is not too full");
        let events = vec![event(0, 1); BATCH_EVENTS + 1];
        let order: Vec<usize> = (0..events.len()).collect();
        assert_eq!(batches(&events, &order), [0..BATCH_EVENTS, BATCH_EVENTS..BATCH_EVENTS + 1]);
        assert!(batches(&[], &[]).is_empty());
    }

    #[test]
    fn invalid_events_are_not_sent() {
        let events =
            [event(5, 1), event(1, 0), event(2, BATCH_BYTES - EVENT_BYTES + 1), event(1, BATCH_BYTES - EVENT_BYTES)];
        let mut rejected = Vec::new();
        assert_eq!(in_order(&events, &mut rejected), [3, 0]);
        assert_eq!(rejected, [(1, Rejected::Empty), (2, Rejected::TooLarge)]);
    }

    proptest! {
        #[test]
        fn batches_keep_every_limit_and_lose_nothing(
            events in proptest::collection::vec((0i64..4 * BATCH_SPAN, 1usize..200_000), 0..40),
        ) {
            let events: Vec<(i64, String)> = events.into_iter().map(|(millis, bytes)| event(millis, bytes)).collect();
            let order = in_order(&events, &mut Vec::new());
            let batches = batches(&events, &order);
            let all: Vec<usize> = batches.iter().cloned().flatten().collect();
            prop_assert_eq!(all, (0..order.len()).collect::<Vec<_>>());
            for batch in batches {
                let places = &order[batch];
                let times: Vec<i64> = places.iter().map(|at| events[*at].0).collect();
                prop_assert!(times.is_sorted() && times[times.len() - 1] - times[0] < BATCH_SPAN);
                prop_assert!(places.iter().map(|at| size(&events[*at].1)).sum::<usize>() <= BATCH_BYTES);
            }
        }
    }
}

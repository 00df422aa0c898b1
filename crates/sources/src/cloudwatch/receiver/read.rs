//! GetLogEvents, FilterLogEvents and TestMetricFilter.

use std::sync::Arc;

use serde_json::{Value, json};
use tracebook_core::filter_pattern::FilterPattern;
use tracebook_core::log_query::{LogQuery, StoredLog};
use tracebook_core::time::Nanos;

use super::Call;
use super::groups::existing;
use super::input::{FILTER, Input, MESSAGE, STREAM_NAME, TOKEN};
use super::page::{self, MAX_EVENTS, Page, page};
use super::place::{EventPosition, PageToken};
use super::refusal::Refusal;

/// Reads one stream in either direction. A token contains position and direction, and is returned unchanged at the end.
pub(super) async fn get(call: &Call, input: &Input) -> Result<Value, Refusal> {
    let limit = input.limit(MAX_EVENTS)?;
    let group = input.group()?;
    let stream = input.required("logStreamName", &STREAM_NAME)?;
    let from = input.moment("startTime")?;
    let before = input.moment("endTime")?;
    let from_head = input.flag("startFromHead")?.unwrap_or(false);
    let turn = match input.ruled("nextToken", &TOKEN)? {
        None => None,
        Some(token) => {
            Some(PageToken::parse(token).ok_or_else(|| Refusal::invalid("The specified nextToken is invalid."))?)
        }
    };
    existing(call, group).await?;
    if !call.store().has_stream(group, stream).await? {
        return Err(Refusal::no_stream());
    }
    let backward = turn.map_or(!from_head, |turn| turn.backward);
    let mut query = LogQuery {
        group: Some(group.to_owned()),
        cloudwatch_only: true,
        streams: vec![stream.to_owned()],
        from,
        before,
        after: turn.map(|turn| turn.place.key()),
        newest_first: backward,
        ..LogQuery::default()
    };
    let Page { mut events, .. } = page(call.store(), &mut query, &Arc::default(), limit).await?;
    if backward {
        events.reverse();
    }
    let (first, last) = match (&events[..], turn) {
        ([first, .., last], _) => (EventPosition::of(first), EventPosition::of(last)),
        ([only], _) => (EventPosition::of(only), EventPosition::of(only)),
        // Changing direction at an end must return the event there, not skip it.
        ([], Some(PageToken { backward: false, place })) => (place.just_after(), place),
        ([], Some(PageToken { backward: true, place })) => (place, place.just_before()),
        ([], None) => (EventPosition::START, EventPosition::START),
    };
    let rows: Vec<Value> = events
        .into_iter()
        .map(|event| {
            let (timestamp, ingested) = times(&event);
            json!({"timestamp": timestamp, "message": event.record.message, "ingestionTime": ingested})
        })
        .collect();
    Ok(json!({
        "events": rows,
        "nextForwardToken": PageToken { backward: false, place: last }.to_string(),
        "nextBackwardToken": PageToken { backward: true, place: first }.to_string(),
    }))
}

pub(super) async fn filter(call: &Call, input: &Input) -> Result<Value, Refusal> {
    const MAX_STREAMS: usize = 100;
    let limit = input.limit(MAX_EVENTS)?;
    let group = input.group()?;
    let streams = input.texts("logStreamNames", &STREAM_NAME, MAX_STREAMS)?;
    let prefix = input.ruled("logStreamNamePrefix", &STREAM_NAME)?;
    let from = input.moment("startTime")?;
    let until = input.moment("endTime")?;
    let pattern = Arc::new(pattern(input.ruled("filterPattern", &FILTER)?.unwrap_or_default())?);
    let from_head = input.flag("startFromHead")?;
    let token = input.ruled("nextToken", &TOKEN)?;
    if streams.is_some() && prefix.is_some() {
        return Err(Refusal::invalid("Give logStreamNames or logStreamNamePrefix, but not both of them."));
    }
    if streams.as_ref().is_some_and(Vec::is_empty) {
        let constraint = "Member must have length greater than or equal to 1";
        return Err(Refusal::constraint(Some("[]"), "logStreamNames", constraint));
    }
    existing(call, group).await?;
    for stream in streams.iter().flatten() {
        if !call.store().has_stream(group, stream).await? {
            return Err(Refusal::no_stream());
        }
    }
    let mut query = LogQuery {
        group: Some(group.to_owned()),
        cloudwatch_only: true,
        streams: streams.unwrap_or_default(),
        stream_prefix: prefix.unwrap_or_default().to_owned(),
        from,
        // Unlike that of GetLogEvents, this end is inclusive.
        before: until.map(|until| Nanos::from_millis(until.millis().saturating_add(1))),
        newest_first: from_head == Some(false),
        ..LogQuery::default()
    };
    if let Some(token) = token {
        // A token of another search stands for the end.
        let Some((newest_first, place)) = from_token(token, group) else {
            return Ok(json!({"events": [], "searchedLogStreams": []}));
        };
        query.newest_first = newest_first;
        query.after = Some(place.key());
    } else if from_head == Some(false) && from.is_some_and(|from| from < START_OF_2024) {
        let words = "startFromHead=false needs a startTime on or after Jan 1, 2024 00:00:00 UTC.";
        return Err(Refusal::invalid(words));
    }
    let Page { events, stopped_in } = page(call.store(), &mut query, &pattern, limit).await?;
    let next = match (stopped_in, query.after) {
        (Some(stream), Some((time, seq))) if page::goes_on(call.store(), &query).await? => {
            let sign = if query.newest_first { "-" } else { "" };
            Some(format!("{group}@{stream}@{sign}{}", EventPosition { time, seq }))
        }
        _ => None,
    };
    let rows: Vec<Value> = events
        .into_iter()
        .map(|event| {
            let (timestamp, ingested) = times(&event);
            let id = EventPosition::of(&event).to_string();
            json!({
                "logStreamName": event.record.stream,
                "timestamp": timestamp,
                "message": event.record.message,
                "ingestionTime": ingested,
                "eventId": id,
            })
        })
        .collect();
    let mut answer = json!({"events": rows, "searchedLogStreams": []});
    if let Some(next) = next {
        answer["nextToken"] = next.into();
    }
    Ok(answer)
}

/// Before it, reading backwards is not possible.
const START_OF_2024: Nanos = Nanos(1_704_067_200_000_000_000);

/// `group@stream@position`, with `-` before the position if the newest come first.
fn from_token(token: &str, group: &str) -> Option<(bool, EventPosition)> {
    let rest = token.strip_prefix(group)?.strip_prefix('@')?;
    let (_, place) = rest.rsplit_once('@')?;
    match place.strip_prefix('-') {
        Some(place) => Some((true, EventPosition::parse(place)?)),
        None => Some((false, EventPosition::parse(place)?)),
    }
}

fn times(event: &StoredLog) -> (i64, i64) {
    (event.record.timestamp.millis(), event.received.millis())
}

fn pattern(text: &str) -> Result<FilterPattern, Refusal> {
    FilterPattern::parse(text).map_err(|error| Refusal::invalid(format!("Invalid filter pattern: {error}")))
}

/// Which of up to 50 messages a pattern matches. No values are extracted.
pub(super) fn test_filter(input: &Input) -> Result<Value, Refusal> {
    const MESSAGES: &str = "logEventMessages";
    const MAX_MESSAGES: usize = 50;
    let pattern = pattern(input.required("filterPattern", &FILTER)?)?;
    let messages = input.texts(MESSAGES, &MESSAGE, MAX_MESSAGES)?.ok_or_else(|| Refusal::missing(MESSAGES))?;
    let numbered = (1..).zip(&messages).filter(|(_, message)| pattern.matches(message));
    let matches: Vec<Value> = numbered
        .map(|(number, message): (u32, _)| json!({"eventNumber": number, "eventMessage": message, "extractedValues": {}}))
        .collect();
    Ok(json!({"matches": matches}))
}

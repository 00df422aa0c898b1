//! Log streams.

use serde_json::{Value, json};
use tracebook_core::log_query::{LogStream, SettingChange};
use tracebook_core::time::Nanos;

use super::Call;
use super::groups::{PAGE, existing};
use super::input::{GROUP_NAME, Input, STREAM_NAME, TOKEN};
use super::put::sequence_token;
use super::refusal::Refusal;

pub(super) async fn create(call: &Call, input: &Input) -> Result<Value, Refusal> {
    let (group, stream) = named(input)?;
    existing(call, group).await?;
    match call.store().create_stream(group, stream, call.ends.clock.now()).await? {
        SettingChange::Done => Ok(Value::Null),
        SettingChange::Conflict => Err(Refusal::stream_exists()),
        SettingChange::LimitExceeded => Err(Refusal::limit_exceeded()),
    }
}

pub(super) async fn delete(call: &Call, input: &Input) -> Result<Value, Refusal> {
    let (group, stream) = named(input)?;
    existing(call, group).await?;
    match call.store().delete_stream(group, stream).await? {
        true => Ok(Value::Null),
        false => Err(Refusal::no_stream()),
    }
}

fn named(input: &Input) -> Result<(&str, &str), Refusal> {
    Ok((input.required("logGroupName", &GROUP_NAME)?, input.required("logStreamName", &STREAM_NAME)?))
}

pub(super) async fn describe(call: &Call, input: &Input) -> Result<Value, Refusal> {
    let limit = input.limit(PAGE)?;
    let group = input.group()?;
    let prefix = input.ruled("logStreamNamePrefix", &STREAM_NAME)?;
    let by_time = input.word("orderBy", &["LogStreamName", "LastEventTime"])? == Some("LastEventTime");
    let descending = input.flag("descending")?.unwrap_or(false);
    let token = input.ruled("nextToken", &TOKEN)?;
    if by_time && prefix.is_some() {
        return Err(Refusal::invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let mut streams = call.store().streams(group).await?.ok_or_else(Refusal::no_group)?;
    streams.retain(|stream| stream.name.starts_with(prefix.unwrap_or_default()));
    let key = |stream: &LogStream| Key::of(stream, by_time);
    streams.sort_by_cached_key(key);
    if descending {
        streams.reverse();
    }
    if let Some(token) = token {
        // A token of another list stands for the end.
        match Key::parse(token, group, by_time) {
            Some(last) if descending => streams.retain(|stream| key(stream) < last),
            Some(last) => streams.retain(|stream| key(stream) > last),
            None => streams.clear(),
        }
    }
    let more = streams.len() > limit;
    streams.truncate(limit);
    let arn = call.group_arn(group);
    let rows: Vec<Value> = streams.iter().map(|stream| described(&arn, stream)).collect();
    let mut answer = json!({"logStreams": rows});
    if let Some(last) = streams.last().filter(|_| more) {
        answer["nextToken"] = key(last).token(group, by_time).into();
    }
    Ok(answer)
}

/// What streams are ordered by. Streams without events are the oldest.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    time: Option<Nanos>,
    name: String,
}

impl Key {
    fn of(stream: &LogStream, by_time: bool) -> Self {
        Self { time: stream.last_event.filter(|_| by_time), name: stream.name.clone() }
    }

    /// A group's name contains no `@`, a stream's may.
    fn token(&self, group: &str, by_time: bool) -> String {
        let Self { time, name } = self;
        match (by_time, time) {
            (false, _) => format!("{group}@{name}"),
            (true, Some(time)) => format!("{group}@{}@{name}", time.0),
            (true, None) => format!("{group}@@{name}"),
        }
    }

    fn parse(token: &str, group: &str, by_time: bool) -> Option<Self> {
        let (of, rest) = token.split_once('@')?;
        if of != group {
            return None;
        }
        if !by_time {
            return Some(Self { time: None, name: rest.to_owned() });
        }
        let (time, name) = rest.split_once('@')?;
        let time = if time.is_empty() { None } else { Some(Nanos(time.parse().ok()?)) };
        Some(Self { time, name: name.to_owned() })
    }
}

fn described(group_arn: &str, stream: &LogStream) -> Value {
    let mut row = json!({
        "logStreamName": stream.name,
        "creationTime": stream.created.millis().max(0),
        "arn": format!("{group_arn}:log-stream:{}", stream.name),
        "storedBytes": 0,
    });
    let times = [
        ("firstEventTimestamp", stream.first_event),
        ("lastEventTimestamp", stream.last_event),
        ("lastIngestionTime", stream.last_ingestion),
    ];
    for (member, time) in times {
        if let Some(time) = time {
            row[member] = time.millis().max(0).into();
        }
    }
    if let Some(last) = stream.last_ingestion {
        row["uploadSequenceToken"] = sequence_token(last).into();
    }
    row
}

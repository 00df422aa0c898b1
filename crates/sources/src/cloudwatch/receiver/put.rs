//! PutLogEvents.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tracebook_core::telemetry::{LogEncoding, LogRecord};
use tracebook_core::text::count;
use tracebook_core::time::Nanos;

use super::groups::existing;
use super::input::{GROUP_NAME, STREAM_NAME};
use super::refusal::Refusal;
use super::{Body, Call};
use crate::body::{Failure, Unread};
use crate::cloudwatch::severity::severity_in;
use crate::cloudwatch::trace_id::trace_id_in;
use crate::json;

const MAX_EVENTS: usize = 10_000;

/// The limits of a batch, and what counts for every event beside its message.
pub(super) const MAX_BYTES: usize = 1_048_576;
pub(super) const EVENT_BYTES: usize = 26;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

#[derive(Deserialize)]
struct Given {
    timestamp: Option<Value>,
    message: Option<String>,
}

struct Event {
    millis: i64,
    message: String,
}

struct Batch {
    group: String,
    stream: String,
    events: Vec<Event>,
}

impl Batch {
    /// What its records take: each has a copy of both names.
    fn takes(&self) -> usize {
        let record = 2 * size_of::<LogRecord>() + 4 * 16 + self.group.len() + self.stream.len();
        self.events.iter().map(|event| size_of::<Event>() + event.message.len() + record).sum()
    }
}

pub(super) async fn events(call: &Call, body: Body) -> Result<Value, Refusal> {
    /// What events and their records take of a body as a rule.
    const FACTOR: usize = 8;
    let read = |body: &[u8], granted: usize| match read(body) {
        Ok(batch) => match batch.takes() {
            takes if takes > granted => Err(Unread::NeedsMore),
            takes => Ok((Ok(batch), takes)),
        },
        Err(refusal) => Ok((Err(refusal), 0)),
    };
    // Held until everything is committed.
    let (batch, _share) = body.read(call.ends.bounds, FACTOR, read).await?;
    let Batch { group, stream, events } = batch?;
    let retention = existing(call, &group).await?.retention_days;
    if !call.store().has_stream(&group, &stream).await? {
        return Err(Refusal::no_stream());
    }
    let now = call.ends.clock.now();
    let sorted = Sorted::of(&events, now.millis(), retention)?;
    let (sent, taken) = (events.len(), sorted.too_old.max(sorted.expired)..sorted.too_new);
    let kept = taken.len();
    if kept > 0 {
        // A full batch takes a while; other senders should not wait for it.
        let batch = move || records(&group, &stream, events, taken);
        let records = tokio::task::spawn_blocking(batch).await.map_err(|_| Failure::interrupted())?;
        call.store().put(records).await?;
        call.ends.counters.logged(kept);
    }
    let mut answer = json!({"nextSequenceToken": sequence_token(now)});
    if kept < sent {
        let words = format!(
            "{} rejected: PutLogEvents takes what is at most 14 days old, not past the group's retention, and not more than \
             2 hours ahead.",
            count(sent - kept, "event")
        );
        call.ends.counters.refused(format!("CloudWatch Logs PutLogEvents: {words}"));
        // Only then: log handlers take the mere presence of the key for a failure.
        answer["rejectedLogEventsInfo"] = sorted.rejected(sent);
    }
    Ok(answer)
}

/// As long as AWS's, and increasing with time.
pub(super) fn sequence_token(now: Nanos) -> String {
    format!("{:056}", now.0.max(0))
}

/// `sequenceToken` and `entity` are ignored.
fn read(body: &[u8]) -> Result<Batch, Refusal> {
    const EVENTS: &str = "logEvents";
    let text = String::from_utf8_lossy(body);
    let (mut group, mut stream, mut list) = (None, None, None);
    json::members(text.trim_start_matches('\u{feff}'), |key, value| {
        match key.as_ref() {
            "logGroupName" => group = name(value)?,
            "logStreamName" => stream = name(value)?,
            EVENTS if value != "null" => list = Some(value),
            _ => {}
        }
        Ok(())
    })
    .map_err(|why| Refusal::unreadable(format!("The body is not a PutLogEvents request: {why}.")))?;
    let group = group.ok_or_else(|| Refusal::missing("logGroupName"))?;
    let stream = stream.ok_or_else(|| Refusal::missing("logStreamName"))?;
    GROUP_NAME.check("logGroupName", &group)?;
    STREAM_NAME.check("logStreamName", &stream)?;
    let list = list.ok_or_else(|| Refusal::missing(EVENTS))?;
    let mut events = Vec::new();
    let mut refusal = None;
    let read = json::elements(list, |element| match event(element, events.len()) {
        Ok(event) => {
            events.push(event);
            Ok(())
        }
        Err(why) => {
            refusal = Some(why);
            Err(String::new())
        }
    });
    match (refusal, read) {
        (Some(refusal), _) => return Err(refusal),
        (None, Err(why)) => return Err(Refusal::unreadable(format!("'{EVENTS}' is not readable: {why}."))),
        (None, Ok(())) => {}
    }
    if events.is_empty() {
        return Err(Refusal::constraint(Some("[]"), EVENTS, "Member must have length greater than or equal to 1"));
    }
    check(&events)?;
    Ok(Batch { group, stream, events })
}

fn name(value: &str) -> Result<Option<String>, String> {
    json::read(value.as_bytes()).map(|(name, _)| name)
}

/// AWS stores all events of a batch or none, so one that cannot be read refuses the batch, with its place. A text with
/// a lone surrogate is read.
fn event(element: &str, before: usize) -> Result<Event, Refusal> {
    if before == MAX_EVENTS {
        let constraint = format!("Member must have length less than or equal to {MAX_EVENTS}");
        return Err(Refusal::constraint(None, "logEvents", &constraint));
    }
    let member = |name| format!("logEvents.{}.member.{name}", before + 1);
    let (given, _): (Given, _) = json::read(element.as_bytes())
        .map_err(|why| Refusal::unreadable(format!("'logEvents.{}.member' is not readable: {why}.", before + 1)))?;
    let millis = given.timestamp.ok_or_else(|| Refusal::missing(&member("timestamp")))?;
    let millis = json::signed(&millis).or_else(|| without_fraction(&millis)).ok_or_else(|| {
        let given = crate::text::clip(&millis.to_string());
        Refusal::unreadable(format!("'{}' is not a number of milliseconds: {given}.", member("timestamp")))
    })?;
    let message = given.message.ok_or_else(|| Refusal::missing(&member("message")))?;
    if millis < 0 {
        let constraint = "Member must have value greater than or equal to 0";
        return Err(Refusal::constraint(Some(&millis.to_string()), &member("timestamp"), constraint));
    }
    if message.is_empty() {
        let constraint = "Member must have length greater than or equal to 1";
        return Err(Refusal::constraint(Some(""), &member("message"), constraint));
    }
    Ok(Event { millis, message })
}

/// A number of milliseconds with a fraction, as JavaScript's high-resolution clocks give it: the fraction is cut off.
fn without_fraction(millis: &Value) -> Option<i64> {
    let millis = millis.as_f64().filter(|millis| millis.abs() < 9e15)?;
    #[expect(clippy::cast_possible_truncation, reason = "range checked above")]
    Some(millis.trunc() as i64)
}

/// The limits that do not depend on the present time.
fn check(events: &[Event]) -> Result<(), Refusal> {
    let sizes = events.iter().map(|event| event.message.len() + EVENT_BYTES);
    let too_large = |what: &str, size: usize| {
        Err(Refusal::invalid(format!("{what} too large: {size} bytes exceeds limit of {MAX_BYTES}")))
    };
    if let Some(size) = sizes.clone().find(|size| *size > MAX_BYTES) {
        return too_large("Log event", size);
    }
    let size = sizes.sum();
    if size > MAX_BYTES {
        return too_large("Upload", size);
    }
    if !events.is_sorted_by_key(|event| event.millis) {
        let words = "Log events in a single PutLogEvents request must be in chronological order.";
        return Err(Refusal::invalid(words));
    }
    Ok(())
}

/// The range of accepted events in a batch ordered by time.
struct Sorted {
    /// The first that is not too old.
    too_old: usize,
    /// The first that is not past the group's retention.
    expired: usize,
    /// The first that is too far in the future.
    too_new: usize,
}

impl Sorted {
    fn of(events: &[Event], now: i64, retention: Option<u32>) -> Result<Self, Refusal> {
        let before = |millis: i64| events.partition_point(|event| event.millis < millis);
        let too_old = before(now.saturating_sub(14 * DAY));
        let expired = retention.map_or(0, |days| before(now.saturating_sub(i64::from(days) * DAY)));
        let too_new = before(now.saturating_add(2 * HOUR + 1));
        let valid = &events[too_old.max(expired)..too_new];
        if let [first, .., last] = valid
            && last.millis - first.millis > DAY
        {
            let words = "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.";
            return Err(Refusal::invalid(words));
        }
        Ok(Self { too_old, expired, too_new })
    }

    /// The start is inclusive, both ends are exclusive.
    fn rejected(&self, sent: usize) -> Value {
        let mut info = Map::new();
        if self.too_new < sent {
            info.insert("tooNewLogEventStartIndex".to_owned(), self.too_new.into());
        }
        if self.too_old > 0 {
            info.insert("tooOldLogEventEndIndex".to_owned(), self.too_old.into());
        }
        if self.expired > self.too_old {
            info.insert("expiredLogEventEndIndex".to_owned(), self.expired.into());
        }
        info.into()
    }
}

fn records(group: &str, stream: &str, events: Vec<Event>, taken: std::ops::Range<usize>) -> Vec<LogRecord> {
    let nothing: Arc<[u8]> = Arc::default();
    let record = |Event { millis, message }| LogRecord {
        timestamp: Nanos::from_millis(millis),
        group: group.to_owned(),
        stream: stream.to_owned(),
        trace_id: trace_id_in(&message),
        span_id: None,
        severity: severity_in(&message),
        severity_number: 0,
        message,
        encoding: LogEncoding::Cloudwatch,
        raw: Vec::new(),
        resource: nothing.clone(),
        scope: nothing.clone(),
    };
    events.into_iter().skip(taken.start).take(taken.len()).map(record).collect()
}

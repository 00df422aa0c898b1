//! The four destinations as their senders see them.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;

use tracebook_sources::cloud::{Fault, Fetch, SourceError};
use tracebook_sources::cloudwatch::client::Rejected;
use tracebook_sources::otlp::outgoing::{Form, request};
use tracebook_sources::xray::client::Unprocessed;
use tracebook_sources::{otlp, rollbar};
use tracebook_store::relay::Queued;

use crate::cloud::{Aws, Cloud};

/// Accepts batches of payloads.
#[async_trait]
pub(super) trait Sink: Send + Sync {
    /// Sends payloads of one kind, in this order. The batch is not empty.
    ///
    /// # Errors
    /// Where nothing of the batch was accepted; with [`Fault::Invalid`] it never will be.
    async fn send(&self, batch: &[Queued], fetch: &Fetch) -> Result<Outcome, SourceError>;
}

/// The outcome of a batch that was accepted at least in part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Items rejected for good.
    pub(super) refused: u64,
    /// Why, and other messages of the service.
    pub(super) words: Vec<String>,
    /// Payloads to retry, by their index in the batch.
    pub(super) again: Vec<usize>,
}

/// The error for a payload that another version queued.
fn unreadable() -> SourceError {
    SourceError::new(Fault::Invalid, "it was queued in a form that this version does not know", "")
}

/// An OTLP/HTTP endpoint.
pub(super) struct Otlp(pub(super) otlp::client::Client);

#[async_trait]
impl Sink for Otlp {
    async fn send(&self, batch: &[Queued], fetch: &Fetch) -> Result<Outcome, SourceError> {
        let form = batch.first().and_then(|first| Form::from_name(&first.kind)).ok_or_else(unreadable)?;
        let parts: Vec<&[u8]> = batch.iter().map(|queued| queued.body.as_slice()).collect();
        let taken = self.0.send(form, request(form, &parts), fetch).await?;
        let words = Some(taken.words).filter(|words| !words.is_empty()).into_iter().collect();
        Ok(Outcome { refused: taken.rejected, words, again: Vec::new() })
    }
}

/// X-Ray: PutTraceSegments.
pub(super) struct Xray {
    pub(super) aws: Arc<Aws>,
    pub(super) cloud: Arc<Cloud>,
}

#[async_trait]
impl Sink for Xray {
    async fn send(&self, batch: &[Queued], fetch: &Fetch) -> Result<Outcome, SourceError> {
        let documents: Vec<String> =
            batch.iter().map(|queued| String::from_utf8_lossy(&queued.body).into_owned()).collect();
        let unprocessed =
            drop_rejected_credentials(&self.cloud, self.aws.xray.put_segments(&documents, fetch).await).await?;
        Ok(unprocessed_of(&documents, &unprocessed))
    }
}

/// X-Ray names unprocessed segments by their ids. Those it was too busy for are sent again.
fn unprocessed_of(documents: &[String], unprocessed: &[Unprocessed]) -> Outcome {
    let mut outcome = Outcome::default();
    for segment in unprocessed {
        let busy = ["throttl", "internal", "unavailable"].iter().any(|word| segment.code.to_lowercase().contains(word));
        let place = (0..documents.len())
            // Two segments may share an id.
            .filter(|place| !outcome.again.contains(place))
            .find(|place| id_of(&documents[*place]).as_deref() == Some(&segment.id));
        match place {
            Some(place) if busy && !segment.id.is_empty() => outcome.again.push(place),
            _ => outcome.refused += 1,
        }
        let said = [segment.id.as_str(), &segment.code, &segment.message];
        let said: Vec<&str> = said.into_iter().filter(|part| !part.is_empty()).collect();
        outcome.words.push(said.join(" "));
    }
    outcome
}

fn id_of(document: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Segment {
        id: String,
    }
    serde_json::from_str::<Segment>(document).ok().map(|segment| segment.id)
}

/// CloudWatch Logs: PutLogEvents.
pub(super) struct Logs {
    pub(super) aws: Arc<Aws>,
    pub(super) cloud: Arc<Cloud>,
}

#[async_trait]
impl Sink for Logs {
    async fn send(&self, batch: &[Queued], fetch: &Fetch) -> Result<Outcome, SourceError> {
        let kind = batch.first().map(|first| first.kind.as_str()).unwrap_or_default();
        let (group, stream): (String, String) = serde_json::from_str(kind).map_err(|_| unreadable())?;
        let mut events: Vec<(i64, String)> = Vec::new();
        // The index of each event's payload.
        let mut places: Vec<usize> = Vec::new();
        for (place, queued) in batch.iter().enumerate() {
            let list: Vec<(i64, String)> = serde_json::from_slice(&queued.body).map_err(|_| unreadable())?;
            places.resize(places.len() + list.len(), place);
            events.extend(list);
        }
        let put =
            drop_rejected_credentials(&self.cloud, self.aws.logs.put_events(&group, &stream, &events, fetch).await)
                .await?;
        let mut outcome = Outcome {
            refused: put.rejected.len() as u64,
            words: rejected_words(&put.rejected),
            again: put.left.iter().filter_map(|at| places.get(*at).copied()).collect(),
        };
        outcome.again.sort_unstable();
        outcome.again.dedup();
        match put.stopped {
            // Nothing was accepted: the whole batch stays queued.
            Some(error) if put.taken == 0 => drop_rejected_credentials(&self.cloud, Err(error)).await,
            Some(error) => {
                outcome.words.push(error.message);
                Ok(outcome)
            }
            None => Ok(outcome),
        }
    }
}

/// `3 log events older than 14 days`, one for each reason.
fn rejected_words(rejected: &[(usize, Rejected)]) -> Vec<String> {
    let mut words: Vec<(&str, usize)> = Vec::new();
    for (_, why) in rejected {
        match words.iter_mut().find(|(known, _)| *known == why.words()) {
            Some((_, n)) => *n += 1,
            None => words.push((why.words(), 1)),
        }
    }
    words.into_iter().map(|(why, n)| format!("{n} {why}")).collect()
}

/// Credentials that AWS rejected are resolved again for the next call.
async fn drop_rejected_credentials<T>(cloud: &Cloud, outcome: Result<T, SourceError>) -> Result<T, SourceError> {
    if let Err(error) = &outcome
        && matches!(error.fault, Fault::Expired | Fault::Rejected | Fault::NoCredentials | Fault::Forbidden)
    {
        cloud.forget_aws().await;
    }
    outcome
}

/// Rollbar: one item per request.
pub(super) struct Rollbar(pub(super) rollbar::client::Client);

#[async_trait]
impl Sink for Rollbar {
    async fn send(&self, batch: &[Queued], fetch: &Fetch) -> Result<Outcome, SourceError> {
        let mut outcome = Outcome::default();
        let Some((first, rest)) = batch.split_first() else { return Ok(outcome) };
        self.0.post_item(&first.body, fetch).await?;
        // A batch holds one item; further ones would be sent next.
        outcome.again = (1..=rest.len()).collect();
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(id: &str, code: &str) -> Unprocessed {
        Unprocessed { id: id.into(), code: code.into(), message: "words".into() }
    }

    #[test]
    fn unprocessed_segments_are_rejected_unless_throttled() {
        let documents = [r#"{"name":"n","id":"aa"}"#, r#"{"id":"bb"}"#, "no json"].map(str::to_owned);
        let said = [segment("aa", "MissingParam"), segment("bb", "ThrottledException"), segment("", "ParseError")];
        let outcome = unprocessed_of(&documents, &said);
        assert_eq!((outcome.refused, outcome.again.as_slice()), (2, &[1][..]));
        assert_eq!(outcome.words, ["aa MissingParam words", "bb ThrottledException words", "ParseError words"]);
        assert_eq!(unprocessed_of(&documents, &[]), Outcome::default());
        // Unknown ids must not be retried indefinitely.
        assert_eq!(unprocessed_of(&documents, &[segment("cc", "InternalFailure")]).refused, 1);
    }

    #[test]
    fn rejected_events_are_counted_by_reason() {
        let rejected = [(0, Rejected::TooOld), (1, Rejected::TooOld), (9, Rejected::TooNew)];
        assert_eq!(rejected_words(&rejected), ["2 older than 14 days", "1 more than two hours in the future"]);
    }
}

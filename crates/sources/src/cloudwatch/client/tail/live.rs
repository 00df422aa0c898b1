//! A Live Tail session: `application/vnd.amazon.eventstream`, one update a second, at most three hours.

use std::time::Duration;

use aws_sdk_cloudwatchlogs::error::{DisplayErrorContext, SdkError};
use aws_sdk_cloudwatchlogs::primitives::event_stream::EventReceiver;
use aws_sdk_cloudwatchlogs::types::error::StartLiveTailResponseStreamError;
use aws_sdk_cloudwatchlogs::types::{LiveTailSessionLogEvent, StartLiveTailResponseStream};
use tokio::time::Instant;

use crate::cloud::{Api, Fault, Fetch, SourceError, Used};
use crate::cloudwatch::client::search::Search;

/// How long to wait for the first message.
const FIRST_WORD: Duration = Duration::from_secs(20);
/// The service sends every second, even without events.
const SILENCE: Duration = Duration::from_secs(15);

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    receiver: EventReceiver<StartLiveTailResponseStream, StartLiveTailResponseStreamError>,
    fetch: Fetch,
    began: Instant,
    /// Seconds that are metered.
    metered: u64,
    /// How many updates came.
    pub(super) updates: u32,
}

/// An event of a session.
#[derive(Debug)]
pub(super) enum Heard {
    Update {
        events: Vec<LiveTailSessionLogEvent>,
        sampled: bool,
    },
    /// It began, or an unknown message.
    Other,
    /// Its three hours are over.
    TimedOut,
    /// It ended, and why, unless it was closed properly.
    Ended(Option<String>),
}

impl Session {
    pub(super) async fn start(search: &Search, arn: &str, fetch: &Fetch) -> Result<Self, SourceError> {
        let prefix = search.stream_prefix();
        let started = fetch
            .call(Api::LOGS_TAIL, || async {
                let asking = search
                    .client()
                    .logs
                    .start_live_tail()
                    .log_group_identifiers(arn)
                    .set_log_stream_names((!search.streams().is_empty()).then(|| search.streams().to_vec()))
                    .set_log_stream_name_prefixes((!prefix.is_empty()).then(|| vec![prefix.to_owned()]))
                    .set_log_event_filter_pattern((!search.pattern().is_empty()).then(|| search.pattern().to_owned()))
                    .send();
                match tokio::time::timeout(FIRST_WORD, asking).await {
                    Ok(Ok(started)) => Ok(started),
                    Ok(Err(error)) if error.as_service_error().is_some_and(|e| e.is_limit_exceeded_exception()) => {
                        // No time-out: a session lasts for hours.
                        Err(SourceError::new(
                            Fault::Forbidden,
                            "too many Live Tail sessions are open in this account",
                            "",
                        ))
                    }
                    Ok(Err(error)) => Err(search.client().fault_in(&error, &search.group)),
                    Err(_) => Err(SourceError::new(Fault::Unreachable, "Live Tail did not start in time", "")),
                }
            })
            .await?;
        let receiver = started.response_stream;
        Ok(Self { receiver, fetch: fetch.clone(), began: Instant::now(), metered: 0, updates: 0 })
    }

    /// Waits for the next message.
    pub(super) async fn hear(&mut self, fetch: &Fetch) -> Result<Heard, SourceError> {
        let came = tokio::select! {
            biased;
            () = fetch.token().cancelled() => return Err(SourceError::cancelled()),
            came = tokio::time::timeout(SILENCE, self.receiver.recv()) => came,
        };
        self.meter();
        Ok(match came {
            Err(_) => Heard::Ended(Some(format!("no message for {} seconds", SILENCE.as_secs()))),
            Ok(Ok(None)) => Heard::Ended(None),
            Ok(Ok(Some(StartLiveTailResponseStream::SessionUpdate(update)))) => {
                self.updates = self.updates.saturating_add(1);
                let sampled = update.session_metadata().is_some_and(|metadata| metadata.sampled());
                Heard::Update { events: update.session_results.unwrap_or_default(), sampled }
            }
            Ok(Ok(Some(_))) => Heard::Other,
            Ok(Err(error)) => match &error {
                SdkError::ServiceError(said) if said.err().is_session_timeout_exception() => Heard::TimedOut,
                SdkError::ServiceError(_) => Heard::Ended(Some("the session failed".to_owned())),
                error => Heard::Ended(Some(crate::text::clip(&DisplayErrorContext(error).to_string()))),
            },
        })
    }

    fn meter(&mut self) {
        let seconds = self.began.elapsed().as_secs();
        if seconds > self.metered {
            self.fetch.used(Used::LiveTailSeconds, seconds - self.metered);
            self.metered = seconds;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A started second counts.
        if self.began.elapsed().as_nanos() > u128::from(self.metered) * 1_000_000_000 {
            let seconds = self.began.elapsed().as_secs() + 1;
            self.fetch.used(Used::LiveTailSeconds, seconds.saturating_sub(self.metered));
        }
    }
}

/// The pause before a session is restarted.
pub(super) fn pause(breaks: u32) -> Duration {
    Duration::from_secs(1) * 2_u32.saturating_pow(breaks.saturating_sub(1)).min(30)
}

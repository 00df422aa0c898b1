//! Tails of log groups: each a task with a bounded buffer of events.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use tracebook_core::logs::LogRow;
use tracebook_sources::cloud::Fetch;
use tracebook_sources::cloudwatch::client::{TailBy, TailRequest};

use super::Cloud;
use super::logs::{parse_filter, pattern, row};
use crate::ground::error::{Code, Error};
use crate::ground::schema::{Caller, Event, TailRead, TailRef, TailStart, TailState, TailStop, Topic, Vendor};

/// Events that a tail keeps.
const MAX_EVENTS: usize = 1_000;
/// Tails that run at once.
const MAX_TAILS: usize = 8;
/// A tail that is not read for this long ends: its window was closed, and Live Tail is billed by the minute.
const IDLE: Duration = Duration::from_secs(60);

/// All tails of this process.
pub(crate) type Tails = Mutex<HashMap<String, Arc<Tail>>>;

#[derive(Debug)]
pub(crate) struct Tail {
    token: CancellationToken,
    seen: Mutex<TailBuffer>,
}

#[derive(Debug)]
struct TailBuffer {
    rows: VecDeque<LogRow>,
    by: &'static str,
    sampled: bool,
    count: u32,
    ended: Option<Error>,
    read: Instant,
}

impl Tail {
    fn seen(&self) -> std::sync::MutexGuard<'_, TailBuffer> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cloud {
    pub(crate) async fn tail_start(&self, request: TailStart, caller: &Caller) -> Result<TailRef, Error> {
        let filter = parse_filter(&request.filter)?;
        let ask = self.ask_aws(caller).await?;
        let group = self.group_of(&ask, &filter).await?;
        let question = TailRequest {
            group,
            streams: Vec::new(),
            stream_prefix: String::new(),
            pattern: pattern(&filter),
            now: self.runtime.now(),
        };
        let token = self.runtime.stopping().child_token();
        let own_endpoint = ask.aws.connection.endpoint.is_some();
        let fetch: Fetch = self.fetch_until(token.clone(), own_endpoint);
        let tail = self.answered(Vendor::Aws, ask.aws.logs.tail(&question, &fetch)).await?;
        let id = self.runtime.new_id().to_string();
        let kept = Arc::new(Tail {
            token: token.clone(),
            seen: Mutex::new(TailBuffer {
                rows: VecDeque::new(),
                by: "starting",
                sampled: false,
                count: 0,
                ended: None,
                read: Instant::now(),
            }),
        });
        {
            let mut tails = self.tails.lock().unwrap_or_else(PoisonError::into_inner);
            tails.retain(|_, tail| !tail.token.is_cancelled());
            if tails.len() >= MAX_TAILS {
                return Err(Error::usage(format!("{MAX_TAILS} tails are running already"), "Stop one of them"));
            }
            tails.insert(id.clone(), Arc::clone(&kept));
        }
        let (runtime, name) = (self.runtime.clone(), id.clone());
        self.runtime.spawn(async move {
            let mut tail = tail;
            loop {
                let update = tokio::select! {
                    () = token.cancelled() => break,
                    () = tokio::time::sleep(IDLE) => None,
                    update = tail.next() => match update {
                        Some(update) => Some(update),
                        None => break,
                    },
                };
                let mut seen = kept.seen();
                match update {
                    Some(Ok(update)) => {
                        seen.by = match update.by {
                            TailBy::LiveTail => "live tail",
                            TailBy::Polling => "polling",
                        };
                        seen.sampled |= update.sampled;
                        for event in update.events.iter().map(row) {
                            if filter.matches(
                                &event.group,
                                &event.stream,
                                &event.severity,
                                event.trace_id,
                                &event.message,
                            ) {
                                seen.count = seen.count.saturating_add(1);
                                seen.rows.push_front(event);
                            }
                        }
                        seen.rows.truncate(MAX_EVENTS);
                    }
                    Some(Err(error)) => seen.ended = Some(error.into()),
                    None => {}
                }
                if seen.ended.is_none() && seen.read.elapsed() > IDLE {
                    seen.ended = Some(Error::new(Code::Cancelled, "this tail was no longer read", "Start it again"));
                }
                let ended = seen.ended.is_some();
                drop(seen);
                runtime.publish(Event::Changed { topic: Topic::Tail, id: name.clone(), by: String::new() });
                if ended {
                    break;
                }
            }
            token.cancel();
        });
        Ok(TailRef { id })
    }

    fn tail(&self, id: &str) -> Result<Arc<Tail>, Error> {
        let tails = self.tails.lock().unwrap_or_else(PoisonError::into_inner);
        tails.get(id).cloned().ok_or_else(|| Error::not_found(format!("there is no tail {id}"), "Start it again"))
    }

    pub(crate) async fn tail_read(&self, request: TailRead) -> Result<TailState, Error> {
        let tail = self.tail(&request.id)?;
        self.flush_usage().await;
        let mut seen = tail.seen();
        seen.read = Instant::now();
        Ok(TailState {
            rows: seen.rows.iter().cloned().collect(),
            by: seen.by.to_owned(),
            sampled: seen.sampled,
            seen: seen.count,
            ended: seen.ended.as_ref().map(Error::body),
        })
    }

    pub(crate) async fn tail_stop(&self, request: TailStop) -> Result<bool, Error> {
        let gone = self.tails.lock().unwrap_or_else(PoisonError::into_inner).remove(&request.id);
        self.flush_usage().await;
        Ok(gone.inspect(|tail| tail.token.cancel()).is_some())
    }
}

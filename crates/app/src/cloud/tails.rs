//! Log groups that are followed: each a task with a bounded memory of what it saw.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use tracebook_core::logs::LogRow;
use tracebook_sources::cloud::Fetch;
use tracebook_sources::cloudwatch::client::{TailAsk, TailBy};

use super::logs::{parse, pattern, row};
use crate::Tracebook;
use crate::ground::error::{Code, Error};
use crate::rpc::{Caller, Event, TailRead, TailRef, TailStart, TailState, TailStop, Topic, Vendor};

/// How many events a tail remembers.
const MOST: usize = 1_000;
/// How many tails run at once.
const MOST_TAILS: usize = 8;
/// A tail that nobody has read for so long ends: its window was closed, and Live Tail costs by the minute.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// Every tail of this run.
pub(crate) type Tails = Mutex<HashMap<String, Arc<Tail>>>;

#[derive(Debug)]
pub(crate) struct Tail {
    token: CancellationToken,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    rows: VecDeque<LogRow>,
    by: &'static str,
    sampled: bool,
    count: u32,
    ended: Option<Error>,
    read: Instant,
}

impl Tail {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tracebook {
    pub(crate) async fn tail_start(&self, request: TailStart, caller: &Caller) -> Result<TailRef, Error> {
        let filter = parse(&request.filter)?;
        let ask = self.ask_aws(caller).await?;
        let group = self.group_of(&ask, &filter).await?;
        let question = TailAsk {
            group,
            streams: Vec::new(),
            stream_prefix: String::new(),
            pattern: pattern(&filter),
            now: self.now(),
        };
        let token = self.stopping().child_token();
        let own_endpoint = ask.aws.connection.endpoint.is_some();
        let fetch: Fetch = self.cloud.fetch_until(token.clone(), own_endpoint);
        let tail = self.answered(Vendor::Aws, ask.aws.logs.tail(&question, &fetch)).await?;
        let id = self.new_id().to_string();
        let kept = Arc::new(Tail {
            token: token.clone(),
            seen: Mutex::new(Seen {
                rows: VecDeque::new(),
                by: "starting",
                sampled: false,
                count: 0,
                ended: None,
                read: Instant::now(),
            }),
        });
        {
            let mut tails = self.cloud.tails.lock().unwrap_or_else(PoisonError::into_inner);
            tails.retain(|_, tail| !tail.token.is_cancelled());
            if tails.len() >= MOST_TAILS {
                return Err(Error::usage(format!("{MOST_TAILS} log groups are followed already"), "End one of them"));
            }
            tails.insert(id.clone(), Arc::clone(&kept));
        }
        let (runtime, name) = (self.runtime().clone(), id.clone());
        self.runtime().spawn(async move {
            let mut tail = tail;
            loop {
                let update = tokio::select! {
                    () = token.cancelled() => break,
                    () = tokio::time::sleep(FORGOTTEN) => None,
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
                        seen.rows.truncate(MOST);
                    }
                    Some(Err(error)) => seen.ended = Some(error.into()),
                    None => {}
                }
                if seen.ended.is_none() && seen.read.elapsed() > FORGOTTEN {
                    seen.ended =
                        Some(Error::new(Code::Cancelled, "nobody looked at this tail any more", "Start it again"));
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
        let tails = self.cloud.tails.lock().unwrap_or_else(PoisonError::into_inner);
        tails.get(id).cloned().ok_or_else(|| Error::not_found(format!("there is no tail {id}"), "Start it again"))
    }

    pub(crate) async fn tail_read(&self, request: TailRead, _caller: &Caller) -> Result<TailState, Error> {
        let tail = self.tail(&request.id)?;
        self.cloud.count.flush(&self.telemetry, self.now()).await;
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

    pub(crate) async fn tail_stop(&self, request: TailStop, _caller: &Caller) -> Result<bool, Error> {
        let gone = self.cloud.tails.lock().unwrap_or_else(PoisonError::into_inner).remove(&request.id);
        self.cloud.count.flush(&self.telemetry, self.now()).await;
        Ok(gone.inspect(|tail| tail.token.cancel()).is_some())
    }
}

//! Counts of the requests to receivers, of what they turned away and why, and how watched commands ended: from this the
//! doctor says why nothing arrives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;

use tracebook_core::credentials;
use tracebook_core::time::Nanos;
use tracebook_sources::receive::Counters;
use tracebook_sources::refusals::{self, Refused};
use tracebook_store::Telemetry;
use tracebook_store::refusals::Refusal;
use tracebook_store::request_log::RequestCount;

use crate::ground::runtime::Runtime;

/// How often counts are written to the database.
const INTERVAL: Duration = Duration::from_secs(1);
/// The most kinds of requests that are counted apart between two writes: of those that were accepted, and as many of
/// those that were not, so that a client that asks for anything does not push out the others.
const MAX_ROWS: usize = 100;
/// The most characters of a path.
const MAX_PATH: usize = 100;

/// In place of a receiver's name, for watched commands; the status is their exit code.
pub(crate) const WATCH: &str = "watch";
/// The status of a watched command that was started.
pub(crate) const RUNNING: u16 = 1000;
/// The status of a watched command that ended without an exit code.
pub(crate) const ENDED: u16 = 1001;
/// The most characters of a watched command's line.
const MAX_LINE: usize = 300;

/// The row of a watched command.
pub(crate) fn watched(line: &str, status: u16, now: Nanos) -> RequestCount {
    let path = line.chars().take(MAX_LINE).collect();
    RequestCount { listener: WATCH.to_owned(), path, status, count: 1, last: now }
}

/// Receiver, method and path, status.
type Key = (&'static str, String, u16);
type Counts = BTreeMap<Key, (u64, Nanos)>;

/// Counts requests to every receiver. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct RequestLog {
    counts: Arc<Mutex<Counts>>,
    counters: Arc<Counters>,
    runtime: Runtime,
}

#[derive(Clone)]
struct Layer {
    receiver: &'static str,
    log: RequestLog,
}

impl RequestLog {
    /// Writes counts to the database until the app stops.
    pub(crate) fn start(telemetry: Telemetry, counters: &Arc<Counters>, runtime: &Runtime) -> Self {
        let log = Self { counts: Arc::default(), counters: Arc::clone(counters), runtime: runtime.clone() };
        let (ours, token) = (log.clone(), runtime.stopping());
        runtime.spawn(async move {
            loop {
                let stopping = tokio::select! {
                    () = token.cancelled() => true,
                    () = tokio::time::sleep(INTERVAL) => false,
                };
                ours.write(&telemetry).await;
                if stopping {
                    break;
                }
            }
        });
        log
    }

    /// A router whose requests are counted.
    pub(crate) fn record(&self, receiver: &'static str, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(Layer { receiver, log: self.clone() }, count))
    }

    fn count(&self, key: Key) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut counts, key, 1, self.runtime.now());
    }

    /// Writes what was counted; where that fails, it is counted again for the next write.
    async fn write(&self, telemetry: &Telemetry) {
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        let row = |((receiver, path, status), (n, last)): (&Key, &(u64, Nanos))| RequestCount {
            listener: (*receiver).to_owned(),
            path: path.clone(),
            status: *status,
            count: *n,
            last: *last,
        };
        let rows: Vec<RequestCount> = counts.iter().map(row).collect();
        if let Err(error) = telemetry.count_requests(&rows).await {
            tracing::warn!(%error, rows = rows.len(), "request counts could not be written; retrying");
            let mut now = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, (n, last)) in counts {
                add(&mut now, key, n, last);
            }
        }
        self.write_refusals(telemetry).await;
    }

    async fn write_refusals(&self, telemetry: &Telemetry) {
        let refused = self.counters.turned_away().take();
        let now = self.runtime.now();
        let rows: Vec<Refusal> = refused.iter().map(|one| refusal(one, now)).collect();
        if let Err(error) = telemetry.add_refusals(&rows).await {
            tracing::warn!(%error, rows = rows.len(), "refusals could not be written; retrying");
            self.counters.turned_away().restore(refused);
        }
    }
}

/// The row of what was refused, without credentials that the reason quotes.
fn refusal(refused: &Refused, now: Nanos) -> Refusal {
    let at = |ago: Duration| Nanos(now.0.saturating_sub(i64::try_from(ago.as_nanos()).unwrap_or(i64::MAX)));
    let clean = |text: &str| credentials::remove_from_text(text, &mut credentials::Removed::default()).into_owned();
    Refusal {
        listener: refused.listener.to_owned(),
        place: clean(&refused.place),
        kind: clean(&refused.kind),
        reason: clean(&refused.reason),
        count: refused.count,
        first: at(refused.first),
        last: at(refused.last),
    }
}

fn add(counts: &mut Counts, key: Key, n: u64, at: Nanos) {
    let alike = |(_, _, status): &Key| (*status < 400) == (key.2 < 400);
    if counts.contains_key(&key) || counts.keys().filter(|known| alike(known)).count() < MAX_ROWS {
        let (count, last) = counts.entry(key).or_default();
        *count += n;
        *last = at.max(*last);
    }
}

async fn count(State(layer): State<Layer>, request: Request, next: Next) -> Response {
    let path = label(&request);
    let refused = Arc::clone(layer.log.counters.turned_away());
    let answer = refusals::of_request(layer.receiver, path.clone(), refused, next.run(request)).await;
    tracing::debug!(listener = layer.receiver, request = path, status = answer.status().as_u16(), "request");
    layer.log.count((layer.receiver, path, answer.status().as_u16()));
    answer
}

/// `POST /v1/traces`; where a header names the operation, that too: `POST / PutLogEvents`. Never the query: older SDKs
/// put tokens there.
fn label(request: &Request) -> String {
    let path = request.uri().path();
    let target = request.headers().get("x-amz-target").and_then(|t| t.to_str().ok());
    let operation = target.and_then(|t| t.rsplit('.').next()).map(|o| format!(" {o}")).unwrap_or_default();
    format!("{} {path}{operation}", request.method()).chars().take(MAX_PATH).collect()
}

//! What the receivers are asked, counted, and how watched commands ended: from this the doctor says why nothing arrives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use tracebook_core::clock::Clock as _;
use tracebook_core::time::Nanos;
use tracebook_store::Telemetry;
use tracebook_store::request_log::RequestCount as Row;

use crate::system::SystemClock;

/// How often what was heard is written down.
const PACE: Duration = Duration::from_secs(1);
/// Between two writings, so many kinds of request are told apart.
const MOST: usize = 200;
/// The most characters of a path.
const LONGEST: usize = 100;

/// The door under which watched commands are written down, with the exit code as status.
pub(crate) const WATCH: &str = "watch";
/// The status of a watched command that was started.
pub(crate) const RUNNING: u16 = 1000;
/// The status of one that ended, nobody knows how.
pub(crate) const ENDED: u16 = 1001;
/// The most characters of a watched command's line.
const LONGEST_LINE: usize = 300;

/// How a watched command stands now.
pub(crate) fn watched(line: &str, status: u16) -> Row {
    let path = line.chars().take(LONGEST_LINE).collect();
    Row { listener: WATCH.to_owned(), path, status, count: 1, last: SystemClock.now() }
}

type Key = (&'static str, String, u16);

/// Counts requests at every door. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    counts: Arc<Mutex<BTreeMap<Key, (u64, Nanos)>>>,
}

#[derive(Clone)]
struct Door {
    name: &'static str,
    heard: Heard,
}

impl Heard {
    /// Writes down what is heard until the token ends.
    pub(crate) fn start(telemetry: Telemetry, token: CancellationToken, tasks: &TaskTracker) -> Self {
        let heard = Self::default();
        let ours = heard.clone();
        tasks.spawn(async move {
            loop {
                let stopping = tokio::select! {
                    () = token.cancelled() => true,
                    () = tokio::time::sleep(PACE) => false,
                };
                // What cannot be written now is no loss worth a word: it is counting, and the next second counts on.
                let _ = telemetry.count_requests(&ours.take()).await;
                if stopping {
                    break;
                }
            }
        });
        heard
    }

    /// A router whose requests are counted.
    pub(crate) fn listen(&self, name: &'static str, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(Door { name, heard: self.clone() }, note))
    }

    fn count(&self, key: Key) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() < MOST || counts.contains_key(&key) {
            let entry = counts.entry(key).or_default();
            entry.0 += 1;
            entry.1 = SystemClock.now();
        }
    }

    fn take(&self) -> Vec<Row> {
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        counts
            .into_iter()
            .map(|((door, path, status), (n, last))| Row { listener: door.to_owned(), path, status, count: n, last })
            .collect()
    }
}

async fn note(State(door): State<Door>, request: Request, next: Next) -> Response {
    let path = label(&request);
    let answer = next.run(request).await;
    tracing::debug!(listener = door.name, request = path, status = answer.status().as_u16(), "request");
    door.heard.count((door.name, path, answer.status().as_u16()));
    answer
}

/// `POST /v1/traces`; where a header names the operation, that too: `POST / PutLogEvents`. Nothing of a query: SDKs of
/// old put tokens there.
fn label(request: &Request) -> String {
    let path = request.uri().path();
    let target = request.headers().get("x-amz-target").and_then(|t| t.to_str().ok());
    let operation = target.and_then(|t| t.rsplit('.').next()).map(|o| format!(" {o}")).unwrap_or_default();
    format!("{} {path}{operation}", request.method()).chars().take(LONGEST).collect()
}

//! Telling the hosts what changed, whoever wrote it.
//!
//! One mechanism for this process and for others: both databases are looked at a few times a second, which
//! also bounds how often telemetry is told of.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use tracebook_store::changes::ChangeWatcher;

use crate::Tracebook;
use crate::error::Error;
use crate::rpc::{Event, Topic};

/// Five looks a second: telemetry is told at most that often, and a click shows within a blink.
const PACE: Duration = Duration::from_millis(200);

pub(crate) async fn start(
    tracebook: &Arc<Tracebook>,
    token: CancellationToken,
    tasks: &TaskTracker,
) -> Result<(), Error> {
    let journal = tracebook.journal.watch().await?;
    let telemetry = tracebook.telemetry.watch().await?;
    let tracebook = Arc::clone(tracebook);
    tasks.spawn(run(tracebook, journal, telemetry, token));
    Ok(())
}

async fn run(
    tracebook: Arc<Tracebook>,
    mut journal: ChangeWatcher,
    mut telemetry: ChangeWatcher,
    token: CancellationToken,
) {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut written = telemetry.written().await.unwrap_or_default();
    let mut refused = tracebook.counters.refusals();
    loop {
        tokio::select! {
            () = token.cancelled() => break,
            _ = pace.tick() => {}
        }
        // A look that fails is made again: a busy database is no news.
        if journal.changed().await.unwrap_or(false) {
            for change in journal.changes().await.unwrap_or_default() {
                tracebook.tell(Event::Changed { topic: Topic::of(&change.what), id: change.id, by: change.client });
            }
        }
        if telemetry.changed().await.unwrap_or(false) {
            let now = telemetry.written().await.unwrap_or_default();
            for (kind, n) in &now {
                if written.get(kind) != Some(n) {
                    tracebook.tell(Event::Changed { topic: Topic::of(kind), id: String::new(), by: String::new() });
                }
            }
            written = now;
        }
        let now = tracebook.counters.refusals();
        if now != std::mem::replace(&mut refused, now) {
            tracebook.tell(Event::Changed { topic: Topic::Status, id: String::new(), by: String::new() });
        }
    }
    journal.close().await;
    telemetry.close().await;
}

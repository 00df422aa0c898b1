//! Publishes changes of the databases, by this process and by others.
//!
//! Both databases are polled a few times a second, which also bounds how often a change of telemetry is published.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use tracebook_sources::receive::Counters;
use tracebook_store::changes::ChangeWatcher;
use tracebook_store::{Journal, Telemetry};

use crate::ground::error::Error;
use crate::ground::runtime::Runtime;
use crate::ground::schema::{Event, Topic};
use crate::storage::{Changed, Storage};

/// Telemetry is published at most this often, and changes of the journal are visible at once.
const INTERVAL: Duration = Duration::from_millis(200);

pub(crate) async fn start(
    journal: &Journal,
    telemetry: &Telemetry,
    storage: &Storage,
    counters: &Arc<Counters>,
    runtime: &Runtime,
) -> Result<(), Error> {
    let feed = Feed { stores: (journal.clone(), telemetry.clone()), storage: storage.clone() };
    let watchers = (journal.watch().await?, telemetry.watch().await?);
    runtime.spawn(feed.run(watchers, Arc::clone(counters), runtime.clone()));
    Ok(())
}

struct Feed {
    stores: (Journal, Telemetry),
    storage: Storage,
}

impl Feed {
    /// Watches the files that are open now, where others were opened before.
    async fn follow(&self, changed: Changed, journal: &mut ChangeWatcher, telemetry: &mut ChangeWatcher) {
        if changed.journal
            && let Ok(watcher) = self.stores.0.watch().await
        {
            std::mem::replace(journal, watcher).close().await;
        }
        if changed.telemetry
            && let Ok(watcher) = self.stores.1.watch().await
        {
            std::mem::replace(telemetry, watcher).close().await;
        }
    }

    async fn run(
        self,
        (mut journal, mut telemetry): (ChangeWatcher, ChangeWatcher),
        counters: Arc<Counters>,
        runtime: Runtime,
    ) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stopping = runtime.stopping();
        let mut written = telemetry.written().await.unwrap_or_default();
        let mut refused = counters.refusals();
        loop {
            tokio::select! {
                () = stopping.cancelled() => break,
                _ = interval.tick() => {}
            }
            let changed = self.storage.look().await;
            self.follow(changed, &mut journal, &mut telemetry).await;
            // A poll that fails is repeated: the database may only be busy.
            if journal.changed().await.unwrap_or(false) {
                for change in journal.changes().await.unwrap_or_default() {
                    runtime.publish(Event::Changed {
                        topic: Topic::of(&change.what),
                        id: change.id,
                        by: change.client,
                    });
                }
            }
            if telemetry.changed().await.unwrap_or(false) {
                let now = telemetry.written().await.unwrap_or_default();
                for (kind, n) in &now {
                    if written.get(kind) != Some(n) {
                        runtime.publish(Event::Changed {
                            topic: Topic::of(kind),
                            id: String::new(),
                            by: String::new(),
                        });
                    }
                }
                written = now;
            }
            let now = counters.refusals();
            if now != std::mem::replace(&mut refused, now) {
                runtime.publish(Event::Changed { topic: Topic::Status, id: String::new(), by: String::new() });
            }
        }
        journal.close().await;
        telemetry.close().await;
    }
}

//! Watches over the database files while the app runs: files that were replaced or damaged, and daily backups.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use tracebook_core::time::Nanos;
use tracebook_store::aside::SetAside;
use tracebook_store::replaced::Reopened;
use tracebook_store::{Journal, StoreError, Telemetry, backup, damage_reported};

use crate::ground::error::Error;
use crate::ground::runtime::Runtime;
use crate::ground::schema::{Event, Topic};

/// How long to wait before a file that cannot be opened is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often it is checked whether a new day has begun.
const NEXT_DAY: Duration = Duration::from_secs(30);

/// The database files of the running app. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    data_dir: PathBuf,
    journal: Journal,
    telemetry: Telemetry,
    runtime: Runtime,
    problems: Mutex<BTreeMap<Subject, String>>,
    /// Reports of damage that were looked into.
    damage: AtomicU64,
    /// When opening a replaced file last failed.
    failed: Mutex<Option<Instant>>,
}

/// What a problem is about; there is one line for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// The journal's file was replaced, and is not open.
    JournalReplaced,
    /// The journal's file was replaced, and the new one is open.
    JournalReopened,
    JournalDamaged,
    TelemetryDamaged,
    TelemetryReplaced,
    JournalReadOnly,
    TelemetryReadOnly,
}

/// The databases that are open from another file now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) journal: bool,
    pub(crate) telemetry: bool,
}

impl Storage {
    pub(crate) fn new(
        data_dir: PathBuf,
        journal: &Journal,
        telemetry: &Telemetry,
        aside: Option<SetAside>,
        runtime: &Runtime,
    ) -> Self {
        let storage = Self {
            shared: Arc::new(Shared {
                data_dir,
                journal: journal.clone(),
                telemetry: telemetry.clone(),
                runtime: runtime.clone(),
                problems: Mutex::default(),
                damage: AtomicU64::new(damage_reported()),
                failed: Mutex::default(),
            }),
        };
        if let Some(aside) = aside {
            storage.report(Subject::TelemetryDamaged, was_set_aside(&aside));
        }
        let again = "Make it writable and start Tracebook again";
        match (journal.read_only(), telemetry.read_only()) {
            (Some(why), _) => storage.report(
                Subject::JournalReadOnly,
                format!("The journal can be read, but nothing can be saved or received. {why}. {again}"),
            ),
            (None, Some(why)) => storage.report(
                Subject::TelemetryReadOnly,
                format!("Entries can be saved, but nothing can be received. {why}. {again}"),
            ),
            (None, None) => {}
        }
        storage
    }

    /// What needs the user's attention.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.shared.problems.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn report(&self, subject: Subject, problem: String) {
        let mut problems = self.shared.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if problems.get(&subject) != Some(&problem) {
            tracing::error!(problem, "storage");
            problems.insert(subject, problem);
            drop(problems);
            self.publish(Topic::Status);
        }
    }

    fn is_reported(&self, subject: Subject) -> bool {
        self.shared.problems.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&subject)
    }

    fn solved(&self, subject: Subject) {
        if self.shared.problems.lock().unwrap_or_else(PoisonError::into_inner).remove(&subject).is_some() {
            self.publish(Topic::Status);
        }
    }

    fn publish(&self, topic: Topic) {
        self.shared.runtime.publish(Event::Changed { topic, id: String::new(), by: String::new() });
    }

    /// Looks at the files, and opens what is there instead of those that were replaced or damaged.
    pub(crate) async fn look(&self) -> Changed {
        let shared = &self.shared;
        let mut changed = Changed::default();
        match shared.journal.check().await {
            Ok(()) => self.solved(Subject::JournalReplaced),
            Err(_) if self.failed_recently() => {}
            Err(_) => changed.journal = self.reopen_journal().await,
        }
        let damage = damage_reported();
        let reported = shared.damage.swap(damage, Ordering::Relaxed) != damage;
        if shared.telemetry.check().await.is_err() && !self.failed_recently() {
            changed.telemetry = self.reopen_telemetry().await;
        } else if reported {
            changed.telemetry = self.replace_damaged_telemetry().await;
        }
        if reported {
            self.examine_journal().await;
        }
        if changed != Changed::default() {
            self.publish(Topic::All);
        }
        changed
    }

    fn failed_recently(&self) -> bool {
        let failed = self.shared.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|at| at.elapsed() < RETRY)
    }

    fn failed(&self) {
        *self.shared.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    async fn reopen_journal(&self) -> bool {
        let shared = &self.shared;
        // Without the directory, there is no place for a copy either.
        let folder = backup::folder(&shared.data_dir).unwrap_or_else(|_| shared.data_dir.clone());
        let name = format!("journal-replaced-{}", stamp(shared.runtime.now()));
        let names = (1..).map(|n| if n == 1 { format!("{name}.db") } else { format!("{name}-{n}.db") });
        let keep = names.map(|name| folder.join(name)).find(|path| !path.exists()).unwrap_or(folder);
        let kept_in = |kept: Option<PathBuf>| match kept {
            Some(kept) => format!(". What it held is kept in {}", kept.display()),
            None => String::new(),
        };
        match shared.journal.reopen_if_replaced(&keep).await {
            Reopened::Unchanged => false,
            Reopened::Yes { kept, log } => {
                self.solved(Subject::JournalReplaced);
                let mut problem = format!(
                    "journal.db was replaced while it was open, and the file that is there now is in use{}",
                    kept_in(kept)
                );
                if let Some(log) = log {
                    let log = log.display();
                    problem.push_str(&format!(". The last changes of the earlier one are in its log, kept in {log}"));
                }
                self.report(Subject::JournalReopened, problem);
                true
            }
            Reopened::No { error, kept } => {
                self.failed();
                if kept.is_some() || !self.is_reported(Subject::JournalReplaced) {
                    let error = Error::from(error);
                    let problem = format!("Nothing can be saved: {error}. {}{}", error.hint, kept_in(kept));
                    self.report(Subject::JournalReplaced, problem);
                }
                false
            }
        }
    }

    async fn reopen_telemetry(&self) -> bool {
        match self.shared.telemetry.reopen_if_replaced(&stamp(self.shared.runtime.now())).await {
            Ok((reopened, aside)) => {
                self.solved(Subject::TelemetryReplaced);
                if let Some(aside) = aside {
                    self.report(Subject::TelemetryDamaged, was_set_aside(&aside));
                }
                reopened
            }
            Err(error) => {
                self.failed();
                let problem = format!("Telemetry cannot be stored: {error}. {}", error.hint());
                self.report(Subject::TelemetryReplaced, problem);
                false
            }
        }
    }

    async fn replace_damaged_telemetry(&self) -> bool {
        match self.shared.telemetry.replace_if_damaged(&stamp(self.shared.runtime.now())).await {
            Ok(None) => false,
            Ok(Some(aside)) => {
                self.report(Subject::TelemetryDamaged, was_set_aside(&aside));
                true
            }
            Err(error) => {
                let problem = format!(
                    "telemetry.db is damaged and could not be set aside: {error}. Restart Tracebook to try it again"
                );
                self.report(Subject::TelemetryDamaged, problem);
                false
            }
        }
    }

    async fn examine_journal(&self) {
        if let Ok(Some(damage)) = self.shared.journal.damage().await {
            let error = Error::from(StoreError::Damaged(damage));
            self.report(Subject::JournalDamaged, format!("journal.db: {error}. {}", error.hint));
        }
    }

    /// Backs the journal up now and whenever a day begins, until the app stops.
    pub(crate) fn start_backups(&self) {
        let storage = self.clone();
        self.shared.runtime.spawn_cancellable(async move {
            let mut interval = tokio::time::interval(NEXT_DAY);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut done = String::new();
            loop {
                interval.tick().await;
                let today = day(storage.shared.runtime.now());
                if today == done {
                    continue;
                }
                match storage.shared.journal.back_up_daily(&today).await {
                    Ok(backup) => {
                        if let Some(backup) = backup {
                            tracing::info!(backup = %backup.display(), "the journal was backed up");
                        }
                        done = today;
                    }
                    Err(StoreError::Damaged(_)) => {
                        storage.examine_journal().await;
                        done = today;
                    }
                    // Tried again: there may be room later.
                    Err(error) => tracing::warn!(%error, "the journal was not backed up today"),
                }
            }
        });
    }
}

fn was_set_aside(aside: &SetAside) -> String {
    format!(
        "telemetry.db was damaged ({}) and is set aside as {}. What was received until then is not shown; entries and evidence are not affected",
        aside.reason,
        aside.path.display()
    )
}

/// A time for file names: `20261130T101530Z`.
pub(crate) fn stamp(now: Nanos) -> String {
    let text = now.rfc3339();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.trim_end_matches('Z').replace(['-', ':'], ""))
}

/// The day in UTC: `2026-11-30`.
fn day(now: Nanos) -> String {
    now.rfc3339().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_sort_by_time_and_fit_into_file_names() {
        let at = |text: &str| Nanos::parse_rfc3339(text).expect("a time");
        let stamps = ["2026-11-09T10:15:30Z", "2026-11-30T09:59:59.999Z"].map(|text| stamp(at(text)));
        assert_eq!(stamps, ["20261109T101530Z", "20261130T095959Z"]);
        assert_eq!(day(at("2026-11-30T23:59:59Z")), "2026-11-30");
    }
}

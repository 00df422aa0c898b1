//! The running app: composes the modules, and starts and stops them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use tracebook_core::console::Output;
use tracebook_core::diff::Difference;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_core::picture::Format;
use tracebook_render::card::Form;
use tracebook_store::backup::Copied;
use tracebook_store::lock::{self, Lock};
use tracebook_store::repair::Repair;
use tracebook_store::restore::Restored;
use tracebook_store::{StoreError, repair, restore};

use crate::attachments::Attachments;
use crate::capture::Capturer;
use crate::cloud::Cloud;
use crate::courses::Courses;
use crate::doctor::{self, Doctor};
use crate::evidence::EvidenceStore;
use crate::explore::Explorer;
use crate::ground::config::Config;
use crate::ground::error::{Code, Error};
use crate::ground::files::make_private_dir;
use crate::ground::runtime::Runtime;
use crate::ground::schema::{AttachmentRow, Caller, Capture, Captured, Check, Event};
use crate::ground::settings::Settings;
use crate::homework::Homework;
use crate::ingest::receivers::{Allowed, Receivers};
use crate::ingest::{command_runner, request_log, retention};
use crate::journal::Journal;
use crate::live_cards::LiveCards;
use crate::ports::{Holder, Ports};
use crate::relay::{Relay, RelayControl};
use crate::report::Reporter;
use crate::search::Searcher;
use crate::signing::Signing;
use crate::status::Overview;
use crate::storage::{Storage, stamp};
use crate::sync::Syncing;
use crate::system::{SystemClock, SystemEntropy};
use crate::telemetry::Telemetry;
use crate::transfer::Transfer;

/// The running app. Cheap to share behind an [`Arc`]; stop it with [`Tracebook::shutdown`].
#[derive(Debug)]
pub struct Tracebook {
    pub(crate) runtime: Runtime,
    pub(crate) ports: Arc<Ports>,
    receivers: Receivers,
    storage: Storage,
    /// Other processes do not replace the journal meanwhile.
    _in_use: Lock,
    pub(crate) journal: Journal,
    pub(crate) telemetry: Telemetry,
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) evidence: EvidenceStore,
    pub(crate) attachments: Attachments,
    pub(crate) search: Searcher,
    pub(crate) explore: Explorer,
    pub(crate) relay: RelayControl,
    pub(crate) capture: Capturer,
    pub(crate) live_cards: LiveCards,
    pub(crate) courses: Courses,
    pub(crate) homework: Homework,
    pub(crate) signing: Signing,
    pub(crate) transfer: Transfer,
    pub(crate) sync: Syncing,
    pub(crate) doctor: Doctor,
    pub(crate) overview: Overview,
    pub(crate) reporter: Reporter,
}

/// What a repair of the journal found and did, also as checks of the doctor.
#[derive(Clone, Debug)]
pub struct Repaired {
    pub checks: Vec<Check>,
    pub repair: Repair,
}

impl Tracebook {
    /// Opens the databases and starts the receivers.
    ///
    /// # Errors
    /// A data directory that cannot be written, a database of a newer version, a named port that is taken.
    pub async fn start(config: Config) -> Result<Arc<Self>, Error> {
        tracebook_sources::serve::raise_file_limit();
        Self::start_with(config, system()).await
    }

    /// The same with a clock and randomness of the caller's.
    pub(crate) async fn start_with(config: Config, runtime: Runtime) -> Result<Arc<Self>, Error> {
        let started = Self::compose(config, &runtime).await;
        // What was started before the failure ends.
        started.inspect_err(|_| runtime.stopping().cancel()).map(Arc::new)
    }

    async fn compose(config: Config, runtime: &Runtime) -> Result<Self, Error> {
        let data_dir = config.data_dir.as_path();
        make_private_dir(data_dir)?;
        // Two processes that start concurrently must not migrate concurrently.
        let opening = lock::opening(data_dir, OPENING).await.map_err(|e| cannot_open(data_dir, e))?;
        let in_use = lock::in_use(data_dir).map_err(|e| cannot_open(data_dir, e))?;
        let journal_store = tracebook_store::Journal::open(data_dir).await.map_err(|e| at(data_dir, e))?;
        let settings = Settings::read(data_dir)?;
        let limits = settings.telemetry;
        let stamp = stamp(runtime.now());
        let store = tracebook_store::Telemetry::open_or_replace(data_dir, limits.bytes(), &stamp);
        let (store, aside) = store.await.map_err(|e| at(data_dir, e))?;
        drop(opening);
        let storage = Storage::new(data_dir.to_owned(), &journal_store, &store, aside, runtime);

        // Without receivers, senders keep what they have and try again.
        let (ports, listeners) = match &config.receivers {
            Some(wanted) if store.read_only().is_none() => {
                let (ports, listeners) = Ports::open(wanted, data_dir).await?;
                let allowed = Allowed { hosts: wanted.allow_host.clone(), origins: wanted.allow_origin.clone() };
                (ports, Some((listeners, allowed)))
            }
            Some(_) | None => (Ports::elsewhere(data_dir), None),
        };
        let ports = Arc::new(ports);
        let cloud = Arc::new(Cloud::new(data_dir, &store, &ports, runtime));
        let relay = Relay::new(data_dir, settings.relay, runtime);
        let receivers = match listeners {
            Some((listeners, allowed)) => {
                // Only the process that receives deletes by age; a second one would conflict with it.
                retention::start(store.clone(), limits, data_dir, runtime);
                let receivers =
                    Receivers::start(listeners, allowed, settings.receivers, &store, limits.redact, &relay, runtime)?;
                relay.follow();
                if ports.held() {
                    relay.start(&cloud, ports.addresses(), &store);
                }
                receivers
            }
            None => Receivers::none(runtime),
        };
        if !config.watch.is_empty() && store.read_only().is_none() {
            // The exit status of commands of an earlier run is outdated.
            store.forget_requests(request_log::WATCH).await?;
        }
        for line in config.watch.iter().cloned() {
            command_runner::watch(line, store.clone(), limits.redact, runtime)?;
        }

        let courses = Courses::new(data_dir, &settings.course.file);
        let journal = Journal::new(journal_store, &courses, runtime);
        let telemetry = Telemetry::new(store.clone(), runtime);
        let evidence = EvidenceStore::new(&journal, runtime);
        let attachments = Attachments::new(&journal, runtime);
        let search = Searcher::new(&journal, &evidence, runtime);
        let explore = Explorer::new(&journal.store, &telemetry, &cloud, runtime);
        let relay = RelayControl::new(&relay, &cloud, &store, &ports, runtime);
        let capture = Capturer::new(&journal, &telemetry, &cloud, &evidence, &explore, runtime);
        let live_cards = LiveCards::new(&journal.store, &evidence, &capture, runtime);
        live_cards.start_sweep();
        let signing = Signing::new(&cloud);
        let homework = Homework::new(&courses, &journal, &live_cards);
        let doctor = Doctor::new(data_dir, limits, &journal.store, &store, &ports, &cloud, runtime);
        let overview = Overview::new(data_dir, limits, &store, &ports, &storage, &receivers.counters, &relay, &courses);
        let transfer = Transfer::new(data_dir, &journal, &evidence, (&live_cards, &homework, &signing), runtime);
        Ok(Self {
            reporter: Reporter::new(data_dir, &journal.store, &store, &doctor, &overview, &relay, runtime),
            sync: Syncing::new(data_dir, &journal, &transfer, runtime),
            transfer,
            signing,
            doctor,
            overview,
            courses,
            homework,
            runtime: runtime.clone(),
            ports,
            receivers,
            storage,
            _in_use: in_use,
            journal,
            telemetry,
            cloud,
            evidence,
            search,
            attachments,
            explore,
            relay,
            capture,
            live_cards,
        })
    }

    /// Publishes changes from now on, by this process and by others, and watches over the database files.
    ///
    /// # Errors
    /// Where a database cannot be read.
    pub async fn watch(&self) -> Result<(), Error> {
        let (journal, telemetry) = (&self.journal.store, &self.telemetry.store);
        if journal.read_only().is_none() {
            self.storage.start_backups();
            self.search.start();
        }
        crate::change_feed::start(journal, telemetry, &self.storage, &self.receivers.counters, &self.runtime).await
    }

    /// Writes the whole journal into one file, as of one moment.
    ///
    /// # Errors
    /// [`Code::Refused`] if another file is there than an earlier backup of this journal.
    pub async fn back_up(&self, file: &Path) -> Result<Copied, Error> {
        Ok(self.journal.store.back_up(file).await?)
    }

    /// Puts a backup in the place of the journal of a directory, which no process may have open. The present journal is
    /// kept.
    ///
    /// # Errors
    /// [`Code::Refused`] if the file is not a sound backup, or the journal is open.
    pub async fn restore(data_dir: &Path, file: &Path) -> Result<Restored, Error> {
        if !file.exists() {
            return Err(Error::usage(format!("there is no file {}", file.display()), "Give the path of a backup"));
        }
        make_private_dir(data_dir)?;
        Ok(restore::restore(data_dir, file, &stamp(system().now())).await?)
    }

    /// Examines the journal of a directory, which no process may have open, and repairs it if it is damaged. The
    /// original is kept.
    ///
    /// # Errors
    /// [`Code::Refused`] if the journal is open, or nothing can be recovered.
    pub async fn repair(data_dir: &Path) -> Result<Repaired, Error> {
        if !data_dir.is_dir() {
            let hint = "Give the journal's directory with --data or TRACEBOOK_DATA";
            return Err(Error::usage(format!("there is no directory {}", data_dir.display()), hint));
        }
        let repair = repair::repair(data_dir, &stamp(system().now())).await?;
        Ok(Repaired { checks: doctor::after_repair(&repair), repair })
    }

    /// Stops the receivers once their data is committed, and closes the databases.
    pub async fn shutdown(&self) {
        self.runtime.stop().await;
        self.telemetry.store.close().await;
        self.journal.store.close().await;
    }

    /// Cancelled when the app is asked to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.runtime.stopping()
    }

    /// Events from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.runtime.subscribe()
    }

    /// The relay's log from now on, a line each, in the format of the X-Ray daemon.
    pub fn relay_lines(&self) -> broadcast::Receiver<String> {
        self.relay.lines()
    }

    /// What needs the user's attention.
    pub fn problems(&self) -> Vec<String> {
        self.overview.problems()
    }

    /// Whether a service sent something in the last half minute: closing now would lose what it sends next.
    pub fn still_receiving(&self) -> bool {
        self.receivers.still_receiving()
    }

    /// The address that a receiver of this process listens on; `None` where it does not, or another process does.
    pub fn listens_on(&self, name: &str) -> Option<String> {
        self.ports.own_address(name)
    }

    /// The addresses that a receiver of this process has on container bridges.
    pub fn listens_for_containers(&self, name: &str) -> Vec<SocketAddr> {
        self.ports.for_containers(name)
    }

    /// The other process that receives for this journal, where this one leaves a receiver to it.
    pub fn received_elsewhere(&self) -> Option<&Holder> {
        self.ports.holder()
    }

    /// Runs a command to its end and returns what it printed; `cancelled` ends it earlier.
    ///
    /// # Errors
    /// Where the command cannot be started.
    pub async fn run_command(&self, command: &[String], cancelled: CancellationToken) -> Result<Output, Error> {
        command_runner::run(command, cancelled, self.runtime.clock()).await
    }

    /// Freezes the output of a command that ran, and puts it where the request says.
    ///
    /// # Errors
    /// If the entry or slot does not exist, or nothing was printed.
    pub async fn capture_console(&self, output: Output, request: Capture, caller: &Caller) -> Result<Captured, Error> {
        self.capture.capture_console(output, request, caller).await
    }

    /// Evidence as it was frozen.
    ///
    /// # Errors
    /// If there is none, or it was purged.
    pub async fn frozen(&self, id: Id) -> Result<Frozen, Error> {
        self.evidence.frozen(id).await
    }

    /// The raw data of a piece of evidence, as a JSON document.
    ///
    /// # Errors
    /// If there is none: the evidence has no raw data, or it was imported.
    pub async fn evidence_raw(&self, id: Id) -> Result<serde_json::Value, Error> {
        self.evidence.raw(id).await
    }

    /// What differs between two pieces of evidence.
    ///
    /// # Errors
    /// If one of them does not exist.
    pub async fn evidence_diff(&self, left: Id, right: Id) -> Result<Difference, Error> {
        self.evidence.diff(left, right).await
    }

    /// The card of a piece of evidence, as in an export.
    ///
    /// # Errors
    /// If there is no such evidence.
    pub async fn card(&self, id: Id, form: Form) -> Result<String, Error> {
        self.evidence.card(id, form).await
    }

    /// The content of an attachment, and its format.
    ///
    /// # Errors
    /// If there is none, or it was purged.
    pub async fn attachment(&self, id: Id) -> Result<(Format, Vec<u8>), Error> {
        self.attachments.content(id).await
    }

    /// One attachment.
    ///
    /// # Errors
    /// If there is none.
    pub async fn attachment_row(&self, id: Id) -> Result<AttachmentRow, Error> {
        self.attachments.row(id).await
    }

    /// The card of a local trace as it is now.
    ///
    /// # Errors
    /// If no span of it has arrived.
    pub async fn live_trace(&self, id: &str, form: Form) -> Result<String, Error> {
        self.explore.trace_card(id, form).await
    }

    /// The card of a live card's answer: the one of this name while it is kept, else the last.
    ///
    /// # Errors
    /// If there is no result yet in this process.
    pub async fn live_card_picture(&self, id: Id, asked_at: Option<&str>, form: Form) -> Result<String, Error> {
        self.live_cards.picture(id, asked_at, form).await
    }
}

/// How long to wait for another process that opens the databases: a migration takes seconds.
const OPENING: Duration = Duration::from_secs(10);

/// The time and randomness of this machine.
fn system() -> Runtime {
    Runtime::new(Arc::new(SystemClock), Arc::new(SystemEntropy))
}

/// A lock that is not free is no refusal: another process opens or repairs the journal at the moment.
fn cannot_open(directory: &Path, error: StoreError) -> Error {
    let in_use = matches!(error, StoreError::InUse { .. });
    let error = at(directory, error);
    if in_use { Error { code: Code::Storage, ..error } } else { error }
}

fn at(directory: &Path, error: StoreError) -> Error {
    let mut error = Error::from(error);
    if error.code == Code::Storage {
        error.message = format!("{}: {}", directory.display(), error.message);
    }
    error
}

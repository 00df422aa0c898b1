//! The running app: what it owns, and in which order it starts and stops.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use tracebook_core::console::Console;
use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;
use tracebook_store::{Journal, StoreError, Telemetry};

use crate::cloud::Cloud;
use crate::ground::config::Config;
use crate::ground::error::{Code, Error};
use crate::ground::files::{cannot_write, lock_file, make_private_dir};
use crate::ground::runtime::{Call, Runtime};
use crate::ground::settings::{Settings, TelemetryLimits};
use crate::ground::tasks::blocking;
use crate::ingest::command_runner;
use crate::ingest::receivers::Receivers;
use crate::live_cards::Answers;
use crate::ports::{Holder, Ports};
use crate::relay::Relay;
use crate::rpc::{Caller, Cancel, Event};
use crate::system::{SystemClock, SystemEntropy};

/// The running app. Cheap to share behind an [`Arc`]; stop it with [`Tracebook::shutdown`].
#[derive(Debug)]
pub struct Tracebook {
    pub(crate) data_dir: PathBuf,
    pub(crate) journal: Journal,
    pub(crate) telemetry: Telemetry,
    pub(crate) ports: Ports,
    pub(crate) receivers: Receivers,
    pub(crate) limits: TelemetryLimits,
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) answers: Arc<Answers>,
    pub(crate) relay: Relay,
    runtime: Runtime,
    /// For what goes on when the caller has its answer.
    me: Weak<Self>,
}

impl Tracebook {
    /// Opens the journal, starts the receivers and the watch over both databases.
    ///
    /// # Errors
    /// With what to do: a data directory that cannot be written, a database of a newer version, a
    /// named port that is taken.
    pub async fn start(config: Config) -> Result<Arc<Self>, Error> {
        let data_dir = config.data_dir;
        make_private_dir(&data_dir)?;
        // Two processes that start at once must not migrate at once.
        let opening = lock_file(&data_dir.join("open.lock"))?;
        let waited = opening.try_clone().map_err(|e| cannot_write(&data_dir, &e))?;
        blocking(move || waited.lock()).await?.map_err(|e| cannot_write(&data_dir, &e))?;
        let journal = Journal::open(&data_dir).await.map_err(|e| at(&data_dir, e))?;
        let settings = Settings::read(&data_dir)?;
        let limits = settings.telemetry;
        let runtime = Runtime::new(Arc::new(SystemClock), Arc::new(SystemEntropy));
        let relay = Relay::new(&data_dir, settings.relay, &runtime);
        let cloud = Arc::new(Cloud::new(&data_dir));
        let telemetry = Telemetry::open_within(&data_dir, limits.bytes()).await.map_err(|e| at(&data_dir, e))?;
        drop(opening);

        // Only the process that receives removes what is old: a second one would only get in the way.
        if config.receivers.is_some() {
            crate::ingest::retention::start(telemetry.clone(), limits, &runtime);
        }
        let (ports, receivers) = match config.receivers {
            Some(wanted) => {
                let (ports, listeners) =
                    Ports::open(&wanted, &data_dir).await.inspect_err(|_| runtime.stopping().cancel())?;
                let receivers = Receivers::start(listeners, wanted.allow_origin, &telemetry, &relay, &runtime)
                    .inspect_err(|_| runtime.stopping().cancel())?;
                relay.follow();
                if ports.held() {
                    relay.start(&cloud, ports.addresses(), &telemetry);
                }
                (ports, receivers)
            }
            None => (Ports::elsewhere(&data_dir), Receivers::none(&runtime)),
        };
        if !config.watch.is_empty() {
            // How the commands of an earlier run ended says nothing of this one's.
            telemetry.forget_requests(crate::ingest::request_log::WATCH).await?;
        }
        for line in config.watch {
            command_runner::watch(line, telemetry.clone(), &runtime).inspect_err(|_| runtime.stopping().cancel())?;
        }
        let answers = Arc::<Answers>::default();
        crate::live_cards::sweep(&answers, &runtime);
        let tracebook = Arc::new_cyclic(|me| Self {
            data_dir,
            journal,
            telemetry,
            ports,
            receivers,
            limits,
            cloud,
            answers,
            relay,
            runtime,
            me: Weak::clone(me),
        });
        Ok(tracebook)
    }

    /// Publishes changes from now on, by this process and by others.
    ///
    /// # Errors
    /// Where a database cannot be read.
    pub async fn watch(self: &Arc<Self>) -> Result<(), Error> {
        crate::change_feed::start(&self.journal, &self.telemetry, &self.receivers.counters, &self.runtime).await
    }

    /// Stops the receivers after what they hold is committed, and closes the databases.
    pub async fn shutdown(&self) {
        self.runtime.stop().await;
        self.telemetry.close().await;
        self.journal.close().await;
    }

    /// The relay's log from now on, a line each, in the format of the X-Ray daemon.
    pub fn relay_lines(&self) -> broadcast::Receiver<String> {
        self.relay.lines()
    }

    /// Cancelled when the app is asked to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.runtime.stopping()
    }

    /// Events from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.runtime.subscribe()
    }

    /// What needs the user's attention.
    pub fn problems(&self) -> Vec<String> {
        self.ports.problems()
    }

    /// Whether a service sent something in the last half minute: closing now would lose what it sends next.
    pub fn still_receiving(&self) -> bool {
        self.receivers.still_receiving()
    }

    /// The address that a receiver of this process listens on; `None` where it does not, or another process does.
    pub fn listens_on(&self, name: &str) -> Option<String> {
        self.ports.own_address(name)
    }

    /// The other process that receives for this journal, where this one leaves a receiver to it.
    pub fn received_elsewhere(&self) -> Option<&Holder> {
        self.ports.holder()
    }

    /// The address of a receiver of this journal, of this process or of the one that holds it.
    pub fn receiver_address(&self, name: &str) -> Option<String> {
        self.ports.address(name)
    }

    /// Runs a command to its end and returns what it printed; `cancelled` ends it earlier.
    ///
    /// # Errors
    /// Where the command cannot be started.
    pub async fn run_command(&self, command: &[String], cancelled: CancellationToken) -> Result<Console, Error> {
        command_runner::run(command, cancelled, self.runtime.clock()).await
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(crate) fn tell(&self, event: Event) {
        self.runtime.publish(event);
    }

    /// Does something while the caller goes on, until it is done or the app is asked to stop.
    pub(crate) fn beside<F>(&self, work: impl FnOnce(Arc<Self>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if let Some(me) = self.me.upgrade() {
            self.runtime.spawn_cancellable(work(me));
        }
    }

    pub(crate) fn now(&self) -> Nanos {
        self.runtime.now()
    }

    pub(crate) fn new_id(&self) -> Id {
        self.runtime.new_id()
    }

    pub(crate) fn begin(&self, caller: &Caller) -> Call {
        self.runtime.begin(caller)
    }

    pub(crate) async fn cancel(&self, request: Cancel, _caller: &Caller) -> Result<bool, Error> {
        Ok(self.runtime.cancel(&request.call))
    }
}

fn at(directory: &Path, error: StoreError) -> Error {
    let mut error = Error::from(error);
    if error.code == Code::Storage {
        error.message = format!("{}: {}", directory.display(), error.message);
    }
    error
}
